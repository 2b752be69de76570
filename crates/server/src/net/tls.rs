//! The two TLS set-ups: with and without client certificates.

use std::{fmt, sync::Arc, time::Duration};

use hongbao_app::ports::Clock;
use rustls::{
    ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
    server::{NoServerSessionStorage, VerifierBuilderError, WantsServerCert, WebPkiClientVerifier},
    time_provider::TimeProvider,
};

/// What TLS can refuse to start with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM text without what it should hold.
    #[error("PEM: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// Key and certificate do not fit, or are not usable.
    #[error(transparent)]
    Config(#[from] rustls::Error),
    /// The client authority is not usable.
    #[error("client authority: {0}")]
    ClientAuthority(#[from] VerifierBuilderError),
}

/// TLS of one listener. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// For ports that know callers by client certificate: certificates of the authority in
    /// `client_root_pem` are verified, their absence is let through, and no session outlives its
    /// connection.
    pub fn mutual(
        cert_pem: &str,
        key_pem: &str,
        client_root_pem: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let provider = provider();
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(client_root_pem.as_bytes()) {
            roots.add(root?)?;
        }
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .allow_unauthenticated()
                .build()?;
        let builder = versions(provider, &clock)?.with_client_cert_verifier(verifier);
        let mut config = finish(builder, cert_pem, key_pem)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config), clock })
    }

    /// For ports that know callers by what they send.
    pub fn server_only(
        cert_pem: &str,
        key_pem: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let builder = versions(provider(), &clock)?.with_no_client_auth();
        let config = finish(builder, cert_pem, key_pem)?;
        Ok(Self { config: Arc::new(config), clock })
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn versions(
    provider: Arc<CryptoProvider>,
    clock: &Arc<dyn Clock>,
) -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, TlsError> {
    let time = Arc::new(ClockTime(Arc::clone(clock)));
    Ok(ServerConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?)
}

fn finish(
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    cert_pem: &str,
    key_pem: &str,
) -> Result<ServerConfig, TlsError> {
    let chain = CertificateDer::pem_slice_iter(cert_pem.as_bytes()).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes())?;
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The platform's clock as rustls reads it, so that certificates expire by the same clock as
/// packets.
pub(super) struct ClockTime(pub(super) Arc<dyn Clock>);

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime")
    }
}

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = u64::try_from(self.0.now().millis()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}
