//! Callers of a platform: a merchant's server over mTLS, and a user's phone. The demo's story and
//! the tests call through these, over real sockets.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::demo::ManifestMerchant;

/// A call failed, or was answered with an error.
#[derive(Debug, thiserror::Error)]
#[error("a call failed: {0}")]
pub struct CallError(String);

fn failed(error: impl std::fmt::Display) -> CallError {
    CallError(error.to_string())
}

/// A merchant's server.
#[derive(Debug)]
pub struct V2Client {
    address: String,
    tls: Arc<ClientConfig>,
    key: hongbao_wire::ApiKey,
    sign_type: hongbao_wire::SignType,
}

impl V2Client {
    /// A client with the merchant's certificate that trusts the demo's authority.
    pub fn new(
        address: String,
        ca_pem: &str,
        merchant: &ManifestMerchant,
        sign_type: hongbao_wire::SignType,
    ) -> Result<Self, CallError> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(failed)?)
            .map_err(failed)?;
        let chain = CertificateDer::pem_file_iter(&merchant.cert_pem)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(failed)?;
        let key = PrivateKeyDer::from_pem_file(&merchant.key_pem).map_err(failed)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(failed)?;
        Ok(Self {
            address,
            tls: Arc::new(config),
            key: hongbao_wire::ApiKey::try_new(&merchant.v2_key).map_err(failed)?,
            sign_type,
        })
    }

    /// Signs `fields`, calls `path`, and reads the answer.
    pub async fn call(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<hongbao_wire::Fields, CallError> {
        let mut fields = fields.to_vec();
        if self.sign_type == hongbao_wire::SignType::HmacSha256 {
            fields.push(("sign_type", self.sign_type.as_str()));
        }
        let unsigned =
            hongbao_wire::Fields::try_from_pairs(fields.iter().copied()).map_err(failed)?;
        let sign = hongbao_wire::sign(&unsigned, &self.key, self.sign_type);
        fields.push(("sign", &sign));
        let signed = hongbao_wire::Fields::try_from_pairs(fields).map_err(failed)?;
        let body = hongbao_wire::write_fields(&signed);
        let socket = TcpStream::connect(&self.address).await.map_err(failed)?;
        let name = ServerName::try_from("localhost").map_err(failed)?;
        let stream = TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, socket)
            .await
            .map_err(failed)?;
        let request = Request::post(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "text/xml")
            .body(Full::new(Bytes::from(body)))
            .map_err(failed)?;
        let answer = exchange(stream, request).await?.1;
        // A query's answer nests its claims, which the flat reader refuses: cut them out first.
        hongbao_wire::read(without_claims(&answer).as_bytes()).map_err(failed)
    }
}

fn without_claims(answer: &Bytes) -> String {
    let text = String::from_utf8_lossy(answer).into_owned();
    match (text.split_once("<hblist>"), text.split_once("</hblist>")) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => text,
    }
}

/// A user's phone, or an operator's tool.
#[derive(Debug)]
pub struct JsonClient {
    address: String,
    token: String,
}

impl JsonClient {
    /// A client at `address` with a bearer token.
    pub fn new(address: String, token: &str) -> Self {
        Self { address, token: token.to_owned() }
    }

    /// Calls and reads the answer; one that is not 2xx is an error.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> Result<serde_json::Value, CallError> {
        let socket = TcpStream::connect(&self.address).await.map_err(failed)?;
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(failed)?;
        let (success, answer) = exchange(socket, request).await?;
        if !success {
            return Err(failed(String::from_utf8_lossy(&answer)));
        }
        if answer.is_empty() {
            return Ok(serde_json::Value::Null);
        }
        serde_json::from_slice(&answer).map_err(failed)
    }
}

/// One request on a connection of its own; true for a status of 2xx.
async fn exchange(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(bool, Bytes), CallError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(failed)?;
    let success = answer.status().is_success();
    let body = answer.into_body().collect().await.map_err(failed)?.to_bytes();
    drop(sender);
    // The connection ends with its only request; how is of no interest once the body is here.
    connection.abort();
    Ok((success, body))
}
