//! A call in the making: fields, signature, certificate, headers.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{body::Body, http::Request};
use hongbao_http::peer::{Peer, PeerCertificate};
use hongbao_testkit::builders::{APP, merchant_id};
use tower::ServiceExt as _;

use super::{
    crypto::{Algorithm, signature},
    platform::{KEY, MERCHANT, Platform, serial_of},
    reply::Reply,
};

/// A call of [`MERCHANT`] that works, until a test changes it.
#[derive(Clone, Debug)]
pub(super) struct Call {
    path: &'static str,
    pub(super) fields: BTreeMap<String, String>,
    key: String,
    algorithm: Algorithm,
    unsigned: Vec<&'static str>,
    certificate: Option<(u64, String)>,
    from: SocketAddr,
    headers: Vec<(&'static str, &'static str)>,
}

/// ¥1.00 to oAlice.
pub(super) fn a_send(bill_no: &str) -> Call {
    Call::to("sendredpack").with_all(&[
        ("mch_billno", bill_no),
        ("wxappid", APP),
        ("send_name", "天虹百货"),
        ("re_openid", "oAlice"),
        ("total_amount", "100"),
        ("total_num", "1"),
        ("wishing", "恭喜发财"),
        ("client_ip", "192.0.2.10"),
        ("act_name", "新年活动"),
        ("remark", "备注"),
    ])
}

/// ¥3.00 for three, oAlice first.
pub(super) fn a_group_send(bill_no: &str) -> Call {
    let call = Call { path: "sendgroupredpack", ..a_send(bill_no) };
    call.with_all(&[("total_amount", "300"), ("total_num", "3"), ("amt_type", "ALL_RAND")])
        .without("client_ip")
}

/// What became of an order.
pub(super) fn a_query(bill_no: &str) -> Call {
    Call::to("gethbinfo").with_all(&[
        ("mch_billno", bill_no),
        ("appid", APP),
        ("bill_type", "MCHT"),
    ])
}

impl Call {
    fn to(path: &'static str) -> Self {
        let call = Self {
            path,
            fields: BTreeMap::new(),
            key: KEY.to_owned(),
            algorithm: Algorithm::Md5,
            unsigned: Vec::new(),
            certificate: None,
            from: "203.0.113.9:40000".parse().unwrap(),
            headers: Vec::new(),
        };
        call.of(MERCHANT, KEY).with("nonce_str", "50780e0cca98c8c8e814883e5caa672e")
    }

    /// Of this merchant, with its key and certificate.
    pub(super) fn of(self, merchant: u64, key: &str) -> Self {
        let certificate = Some((merchant, serial_of(merchant)));
        let call = Self { key: key.to_owned(), certificate, ..self };
        call.with("mch_id", &merchant.to_string())
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn with_all(self, pairs: &[(&str, &str)]) -> Self {
        pairs.iter().fold(self, |call, (name, value)| call.with(name, value))
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.fields.remove(name);
        self
    }

    /// Sent to another of the calls, fields and all.
    pub(super) fn sent_to(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    pub(super) fn signed_with(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    pub(super) fn keyed(self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self }
    }

    /// With a field that is sent and not signed.
    pub(super) fn with_unsigned(mut self, name: &'static str, value: &str) -> Self {
        self.unsigned.push(name);
        self.with(name, value)
    }

    pub(super) fn with_certificate(self, certificate: Option<(u64, &str)>) -> Self {
        let certificate = certificate.map(|(merchant, serial)| (merchant, serial.to_owned()));
        Self { certificate, ..self }
    }

    pub(super) fn from(self, address: &str) -> Self {
        Self { from: address.parse().unwrap(), ..self }
    }

    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The elements in order of their names, the signature last.
    pub(super) fn elements(&self) -> Vec<(String, String)> {
        let mut elements: Vec<_> = self.fields.clone().into_iter().collect();
        if !self.fields.contains_key("sign") {
            let sign = signature(&self.fields, &self.unsigned, &self.key, self.algorithm);
            elements.push(("sign".to_owned(), sign));
        }
        elements
    }

    /// The body as most clients write it.
    pub(super) fn xml(&self) -> String {
        let line =
            |(name, value): (String, String)| format!("<{name}><![CDATA[{value}]]></{name}>");
        format!("<xml>{}</xml>", self.elements().into_iter().map(line).collect::<String>())
    }

    /// Sends it.
    pub(super) async fn ask(&self, platform: &Platform) -> Reply {
        self.ask_with(platform, self.xml()).await
    }

    /// Sends another body in its place.
    pub(super) async fn ask_with(&self, platform: &Platform, body: impl Into<Body>) -> Reply {
        self.raw(platform, "POST", body).await.checked()
    }

    /// Sends by another method and takes any answer.
    pub(super) async fn raw(
        &self,
        platform: &Platform,
        method: &str,
        body: impl Into<Body>,
    ) -> Reply {
        let uri = format!("/mmpaymkttransfers/{}", self.path);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let certificate = self.certificate.as_ref().map(|(merchant, serial)| PeerCertificate {
            merchant: merchant_id(*merchant),
            serial: serial.as_str().into(),
        });
        let peer = Peer { addr: self.from, certificate };
        let request = request.extension(peer).body(body.into()).unwrap();
        Reply::read(platform.router.clone().oneshot(request).await.unwrap()).await
    }
}
