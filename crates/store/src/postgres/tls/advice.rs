//! What to do when there is no connection by TLS.

use std::io;

use rustls::CertificateError;

/// What to do about a connection that failed over TLS.
pub(crate) fn advice(error: &tokio_postgres::Error) -> Option<&'static str> {
    let cause = std::error::Error::source(error)?;
    if cause.to_string() == "server does not support TLS" {
        return Some(
            "the URL asks for it: set `ssl = on` on the server, or look whether this is the right \
             host and port",
        );
    }
    let cause = cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<rustls::Error>()?;
    match cause {
        rustls::Error::InvalidCertificate(wrong) => certificate_advice(wrong),
        rustls::Error::AlertReceived(_) => {
            Some("the server ended it, for a reason that stands in its log")
        }
        _ => None,
    }
}

fn certificate_advice(wrong: &CertificateError) -> Option<&'static str> {
    match wrong {
        CertificateError::BadSignature => Some(
            "the certificate was signed by another authority than the one of this name in \
             sslrootcert, or whoever answers does not hold the key of the certificate that it \
             shows: name the right file, or somebody else answers in the server's place",
        ),
        CertificateError::UnknownIssuer => Some(
            "no authority in sslrootcert signed the server's certificate: name the file of the \
             one that did, or somebody else answers in the server's place",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Some(
                "the server's certificate is not for the host of the URL: name the host as its \
                 certificate does, have this name put into it (subjectAltName), or somebody else \
                 answers in the server's place",
            )
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            Some("renew the server's certificate, or set this machine's clock right")
        }
        CertificateError::Other(other) => other_advice(&format!("{other:?}")),
        _ => None,
    }
}

fn other_advice(other: &str) -> Option<&'static str> {
    if other.contains("CaUsedAsEndEntity") {
        return Some(
            "the server shows the certificate of an authority: give it one of its own, with \
             basicConstraints=CA:FALSE",
        );
    }
    other.contains("UnsupportedCertVersion").then_some(
        "the server's certificate is X.509 version 1, which says nothing about names: make one \
         with extensions, subjectAltName above all (or go without TLS by sslmode=disable)",
    )
}
