//! The files that a URL names, and what is checked in a handshake.
//!
//! Whatever is checked of a certificate, the server must prove that it holds its key: channel
//! binding, which ties the password to the certificate, rests on that.

use std::{fmt, fs, io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature,
        verify_tls13_signature,
    },
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem, pem::PemObject as _},
    server::ParsedCertificate,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Mode, Tls};
use crate::postgres::OpenError;

/// What every connection to a server is made with.
#[derive(Clone)]
pub(in crate::postgres) struct Connector(pub(in crate::postgres) MakeRustlsConnect);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

/// Takes a server by any name: every one without authorities, else those with a certificate of
/// one of them.
#[derive(Debug)]
struct AnyName {
    roots: Option<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let all = self.algorithms.all;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                roots,
                intermediates,
                now,
                all,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Tls {
    /// Reads the files, and makes of them what every connection goes through.
    pub(in crate::postgres) fn connector(&self) -> Result<Connector, OpenError> {
        let provider = Arc::new(ring::default_provider());
        let unusable = |error: rustls::Error| OpenError::Tls(error.to_string());
        let verifier = self.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((cert, key)) => {
                let (chain, key_der) = (certificates("sslcert", cert)?, private_key(key)?);
                builder.with_client_auth_cert(chain, key_der).map_err(|error| {
                    let files = format!("sslcert={} and sslkey", cert.display());
                    unreadable(&files, key, &format!("{error}: are they a pair?"))
                })?
            }
        };
        // Every connection is checked by itself; PostgreSQL resumes none either.
        config.resumption = Resumption::disabled();
        Ok(Connector(MakeRustlsConnect::new(config)))
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, OpenError> {
        let roots = match &self.root {
            None => None,
            Some(file) => Some(authorities(file)?),
        };
        match roots {
            Some(roots) if self.mode == Mode::VerifyFull => {
                let roots = Arc::new(roots);
                let made = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
                    .build();
                Ok(made.map_err(|error| OpenError::Tls(error.to_string()))?)
            }
            roots => {
                let algorithms = provider.signature_verification_algorithms;
                Ok(Arc::new(AnyName { roots, algorithms }))
            }
        }
    }
}

fn unreadable(word: &str, path: &Path, why: &dyn fmt::Display) -> OpenError {
    OpenError::Tls(format!("{word}={}: {why}", path.display()))
}

fn pem_error(error: pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        other => format!("not PEM: {other}"),
    }
}

fn certificates(word: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(none) if none.is_empty() => {
            Err(unreadable(word, path, &"it holds no certificate in PEM"))
        }
        Ok(some) => Ok(some),
        Err(error) => Err(unreadable(word, path, &pem_error(error))),
    }
}

/// Certificates of authorities; what nobody can use as one is passed over, as long as one is left.
fn authorities(path: &Path) -> Result<RootCertStore, OpenError> {
    let word = "sslrootcert";
    let mut roots = RootCertStore::empty();
    let (taken, passed_over) = roots.add_parsable_certificates(certificates(word, path)?);
    if taken == 0 {
        return Err(unreadable(word, path, &"no certificate in it can be read"));
    }
    if passed_over > 0 {
        tracing::warn!(file = %path.display(), passed_over, "certificates cannot be read");
    }
    Ok(roots)
}

/// A key that others can read is nobody's: the same rule as libpq's.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, OpenError> {
    let word = "sslkey";
    let refused = |error: io::Error| unreadable(word, path, &error);
    if is_open_to_others(&fs::metadata(path).map_err(refused)?) {
        let why = format!("others may read it: run `chmod 600 {}`", path.display());
        return Err(unreadable(word, path, &why));
    }
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            let why = "it holds no private key in PEM without a passphrase, and one with a \
                       passphrase cannot be used";
            unreadable(word, path, &why)
        }
        other => unreadable(word, path, &pem_error(other)),
    })
}

/// The owner's own, or the system's and readable by its group.
#[cfg(unix)]
fn is_open_to_others(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let forbidden = if file.uid() == 0 { 0o037 } else { 0o077 };
    file.mode() & forbidden != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_file: &fs::Metadata) -> bool {
    false
}
