//! Certificates for merchants and for the listener.

use std::{fmt, path::Path, time::Duration};

use hongbao_domain::{MerchantId, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, SerialNumber,
};
use zeroize::Zeroizing;

use super::{
    Authority, CaError, P12Profile,
    authority::{plus, set_validity},
    files, p12,
};

/// X.520 allows 64 characters in a name.
const NAME_CHARS_MAX: usize = 64;

/// How long and under which number.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The time of issue.
    pub now: Timestamp,
    /// How long from then; never longer than the root.
    pub validity: Duration,
    /// Random bytes for the serial number. The two highest bits are replaced by `01`, so that
    /// every serial number is positive and 32 hex digits long, however it is printed.
    pub serial: [u8; 16],
}

/// Whom a client certificate is for.
#[derive(Clone, Copy)]
pub struct MerchantSubject<'a> {
    /// The common name.
    pub merchant: MerchantId,
    /// The organization; cut to 64 characters, left out if empty.
    pub name: &'a str,
    /// The p12's password; without one, the merchant number, which is what SDKs expect.
    pub password: Option<&'a str>,
    /// Which encryption the p12 has.
    pub profile: P12Profile,
}

/// A merchant's certificate with its private key, which exists nowhere else.
pub struct IssuedCertificate {
    /// The certificate, PEM.
    pub cert_pem: String,
    /// The private key, PKCS #8 PEM.
    pub key_pem: Zeroizing<String>,
    /// Both and the root, PKCS #12.
    pub p12: Zeroizing<Vec<u8>>,
    /// The root certificate, PEM.
    pub root_pem: String,
    /// The serial number, 32 upper-case hex digits.
    pub serial_hex: String,
    /// The last second.
    pub not_after: Timestamp,
}

impl fmt::Debug for IssuedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedCertificate")
            .field("serial_hex", &self.serial_hex)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl IssuedCertificate {
    /// Writes the four files of WeChat's certificate pack into `dir`, for the owner only.
    pub fn write_to(&self, dir: &Path) -> Result<(), CaError> {
        files::private_dir(dir)?;
        let pack: [(&str, &[u8]); 4] = [
            ("apiclient_cert.pem", self.cert_pem.as_bytes()),
            ("apiclient_key.pem", self.key_pem.as_bytes()),
            ("apiclient_cert.p12", &self.p12),
            ("rootca.pem", self.root_pem.as_bytes()),
        ];
        pack.into_iter()
            .try_for_each(|(name, bytes)| files::write(&dir.join(name), bytes, files::PRIVATE))
    }
}

/// The listener's certificate.
pub struct IssuedServer {
    /// The certificate, PEM.
    pub cert_pem: String,
    /// The private key, PKCS #8 PEM.
    pub key_pem: Zeroizing<String>,
    /// The serial number, 32 upper-case hex digits.
    pub serial_hex: String,
    /// The last second.
    pub not_after: Timestamp,
}

impl fmt::Debug for IssuedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedServer")
            .field("serial_hex", &self.serial_hex)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// A client certificate for a merchant.
    pub fn issue_merchant(
        &self,
        subject: &MerchantSubject<'_>,
        terms: &Terms,
    ) -> Result<IssuedCertificate, CaError> {
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, subject.merchant.to_string());
        let organization = printable(subject.name);
        if !organization.is_empty() {
            name.push(DnType::OrganizationName, organization);
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let leaf = self.sign(params, terms)?;
        let number = subject.merchant.to_string();
        let p12 = p12::bundle(&p12::Contents {
            key: leaf.key.serialized_der(),
            certificate: &leaf.der,
            root: self.root_der(),
            password: subject.password.unwrap_or(&number),
            profile: subject.profile,
        })?;
        Ok(IssuedCertificate {
            cert_pem: leaf.pem,
            key_pem: Zeroizing::new(leaf.key.serialize_pem()),
            p12: Zeroizing::new(p12),
            root_pem: self.root_pem().to_owned(),
            serial_hex: leaf.serial_hex,
            not_after: leaf.not_after,
        })
    }

    /// A server certificate for host names and IP addresses.
    pub fn issue_server(&self, names: &[String], terms: &Terms) -> Result<IssuedServer, CaError> {
        let mut params = CertificateParams::new(names)?;
        let mut name = DistinguishedName::new();
        let first = names.first().map(String::as_str);
        name.push(DnType::CommonName, printable(first.unwrap_or("hongbao")));
        params.distinguished_name = name;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = self.sign(params, terms)?;
        Ok(IssuedServer {
            cert_pem: leaf.pem,
            key_pem: Zeroizing::new(leaf.key.serialize_pem()),
            serial_hex: leaf.serial_hex,
            not_after: leaf.not_after,
        })
    }

    fn sign(&self, mut params: CertificateParams, terms: &Terms) -> Result<Leaf, CaError> {
        let not_after = plus(terms.now, terms.validity).min(self.not_after());
        set_validity(&mut params, terms.now, not_after)?;
        let serial = positive(terms.serial);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let cert = params.signed_by(&key, self.issuer())?;
        Ok(Leaf {
            pem: cert.pem(),
            der: cert.der().to_vec(),
            key,
            serial_hex: hex::encode_upper(serial),
            // Certificates count whole seconds.
            not_after: Timestamp::EPOCH.plus_seconds(not_after.millis().div_euclid(1_000)),
        })
    }
}

struct Leaf {
    pem: String,
    der: Vec<u8>,
    key: KeyPair,
    serial_hex: String,
    not_after: Timestamp,
}

fn positive(mut serial: [u8; 16]) -> [u8; 16] {
    let [highest, ..] = &mut serial;
    *highest = (*highest & 0b0011_1111) | 0b0100_0000;
    serial
}

fn printable(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}
