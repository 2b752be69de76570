//! An answer as a client reads it.

use std::collections::BTreeMap;

use axum::{body::to_bytes, http::HeaderMap, response::Response};

use super::crypto::{Algorithm, signature};

/// Status, headers and body of an answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) xml: String,
}

impl Reply {
    pub(super) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let xml = String::from_utf8(bytes.to_vec()).unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, xml }
    }

    /// The text of the first element of this name, at whatever depth.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// The texts of all elements of this name.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let pieces = self.xml.split(&open).skip(1);
        pieces.map(|piece| text(piece.split_once(&close).unwrap().0)).collect()
    }

    /// The text of an element that must be there.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_else(|| panic!("no {name} in {}", self.xml))
    }

    /// `SUCCESS` or the `err_code`.
    pub(super) fn code(&self) -> String {
        self.text("err_code")
    }

    /// `err_code_des`.
    pub(super) fn des(&self) -> String {
        self.text("err_code_des")
    }

    /// Checks what holds for every answer to a call.
    pub(super) fn checked(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.xml);
        assert_eq!(self.headers["content-type"], "text/xml; charset=utf-8");
        assert_eq!(self.headers["content-length"], self.xml.len().to_string());
        assert!(self.xml.starts_with("<xml>") && self.xml.ends_with("</xml>"));
        // A claimer without an openid is the one exception.
        let filled = self.xml.replace("<openid><![CDATA[]]></openid>", "");
        assert!(!filled.contains("><![CDATA[]]><"), "an empty element: {}", self.xml);
        assert_eq!(self.text("return_msg"), self.des());
        let good = self.code() == "SUCCESS";
        assert_eq!(self.text("result_code"), if good { "SUCCESS" } else { "FAIL" });
        let unreadable = self.code() == "XML_ERROR";
        assert_eq!(self.text("return_code"), if unreadable { "FAIL" } else { "SUCCESS" });
        self
    }

    /// The elements of a flat answer.
    pub(super) fn fields(&self) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        for line in self.xml.lines().filter(|line| *line != "<xml>" && *line != "</xml>") {
            let (name, rest) = line.strip_prefix('<').unwrap().split_once('>').unwrap();
            let inner = rest.strip_suffix(&format!("</{name}>")).unwrap();
            assert!(fields.insert(name.to_owned(), text(inner)).is_none(), "{name} twice");
        }
        fields
    }

    /// Checks the signature over exactly the elements sent, as a strict client does.
    pub(super) fn signed(self, key: &str, algorithm: Algorithm) -> Self {
        let fields = self.fields();
        let right = signature(&fields, &[], key, algorithm);
        assert_eq!(fields.get("sign"), Some(&right), "{}", self.xml);
        self
    }

    /// Checks that there is no signature.
    pub(super) fn unsigned(self) -> Self {
        assert_eq!(self.get("sign"), None, "{}", self.xml);
        self
    }
}

/// CDATA sections joined, or bare text.
fn text(inner: &str) -> String {
    match inner.strip_prefix("<![CDATA[") {
        None => inner.to_owned(),
        Some(cdata) => cdata.strip_suffix("]]>").unwrap().replace("]]]]><![CDATA[>", "]]>"),
    }
}
