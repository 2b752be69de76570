//! `demo.json`: where a demo listens and with which names and secrets it can be called.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The whole file. It holds secrets of the demo and is readable by its owner only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Base address of the V2 interface; put it where an SDK has `https://api.mch.weixin.qq.com`.
    pub v2_base: String,
    /// Base address of users' JSON.
    pub web_base: String,
    /// The store with its absolute path, for `hongbao verify --store`.
    pub store: String,
    /// Base address of health and the operators' JSON.
    pub ops_base: String,
    /// The operators' token.
    pub ops_token: String,
    /// The authority's certificate: trust it to trust `v2_base`.
    pub ca_pem: PathBuf,
    /// Merchants; the last one is a service provider.
    pub merchants: Vec<ManifestMerchant>,
    /// Users.
    pub users: Vec<ManifestUser>,
}

/// A merchant with what its programs need.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ManifestMerchant {
    /// Merchant number.
    pub mch_id: String,
    /// Name.
    pub name: String,
    /// The key that signs, 32 characters.
    pub v2_key: String,
    /// The app it sends in.
    pub appid: String,
    /// Client certificate, PEM.
    pub cert_pem: PathBuf,
    /// Its private key, PEM.
    pub key_pem: PathBuf,
    /// Both, PKCS#12; the password is the merchant number.
    pub p12: PathBuf,
}

/// A user with a token of the host app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ManifestUser {
    /// What others see.
    pub name: String,
    /// The app.
    pub appid: String,
    /// The name inside the app.
    pub openid: String,
    /// Bearer token for the users' JSON.
    pub token: String,
}
