//! A type for each name, so that one cannot stand where another belongs.

use std::{fmt, str::FromStr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::time::Timestamp;

/// A text that is not the id it should be. Says which kind and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind}: {rule}")]
pub struct IdError {
    /// What was expected, for example `merchant number`.
    pub kind: &'static str,
    /// The rule it broke.
    pub rule: &'static str,
}

/// Bytes as lower-case hex.
pub struct Hex<'b>(pub &'b [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A merchant number (`mch_id`): 8 to 10 digits without a leading zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MerchantId(u64);

impl MerchantId {
    /// Numbers below have fewer than 8 digits.
    const MIN: u64 = 10_000_000;
    /// Numbers above have more than 10 digits, which is what a [`ListId`] has room for.
    const MAX: u64 = 9_999_999_999;

    /// The merchant numbered `number`, if that has 8 to 10 digits.
    pub fn try_new(number: u64) -> Result<Self, IdError> {
        if (Self::MIN..=Self::MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(IdError { kind: "merchant number", rule: "8 to 10 digits, no leading zero" })
        }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for MerchantId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        let number = text.parse().ok().filter(|_| canonical).unwrap_or(0);
        Self::try_new(number)
    }
}

impl TryFrom<String> for MerchantId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<MerchantId> for String {
    fn from(id: MerchantId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for MerchantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A person with one wallet, numbered by the platform. Never shown outside: people are named by
/// `(appid, openid)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(u64);

impl UserId {
    /// The user numbered `number`.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Makes a newtype over text with a length and an alphabet.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal, $allowed:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest text, in bytes.
            pub const LEN_MAX: usize = $max;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let allowed: fn(u8) -> bool = $allowed;
                if text.is_empty() || text.len() > $max || !text.bytes().all(allowed) {
                    return Err(IdError { kind: $kind, rule: $rule });
                }
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                (*id.0).to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// The id of an app in which people have openids (`wxappid`).
    AppId, "appid", 32, |b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-',
    "1 to 32 letters, digits, _ or -"
);
text_id!(
    /// A person's name inside one app (`re_openid`).
    OpenId, "openid", 64, |b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-',
    "1 to 64 letters, digits, _ or -"
);
text_id!(
    /// The merchant's own order number (`mch_billno`), unique per merchant for ever (DEF6).
    /// Compared byte by byte: case counts.
    BillNo, "order number", 28, |b| b.is_ascii_alphanumeric(),
    "1 to 28 letters and digits"
);
text_id!(
    /// The permanent number of a recharge, payment, transfer or withdrawal in the system that
    /// asked for it; unique per owner (I-28).
    Reference, "reference", 64, |b| b.is_ascii_graphic(),
    "1 to 64 printable ASCII characters without blanks"
);

/// A packet's number inside its paying merchant: 1, 2, 3, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketNo(u64);

impl PacketNo {
    /// A [`ListId`] has twelve digits for it: a merchant can send 31 thousand a second for a year.
    pub const MAX: u64 = 999_999_999_999;

    /// The packet numbered `number`.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Where a packet is stored: its paying merchant, then its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketKey {
    /// The merchant whose money it is.
    pub merchant: MerchantId,
    /// The number inside that merchant.
    pub no: PacketNo,
}

/// The platform's order number (`send_listid`): 31 digits, `1`, merchant (10), Beijing date of
/// the order (8), packet number (12). It can be read back, so it needs no index of its own; it
/// opens nothing, so it may be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListId {
    key: PacketKey,
    created_at: Timestamp,
}

impl ListId {
    /// The list id of the order at `key`, made at `created_at`.
    pub const fn new(key: PacketKey, created_at: Timestamp) -> Self {
        Self { key, created_at }
    }
}

impl fmt::Display for ListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (merchant, no) = (self.key.merchant.get(), self.key.no.get());
        write!(f, "1{merchant:010}{}{no:012}", self.created_at.beijing_date())
    }
}

/// Sixteen random bytes drawn when a packet is sent. Three things come from it, each by its own
/// one-way label, so that showing one shows nothing of the others: the receiver's code, the code
/// that a group packet is shared by, and the seed of the split.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PacketSecret([u8; 16]);

impl PacketSecret {
    /// Takes drawn bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the store.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// SHA-256 over `label` and the secret.
    pub fn derive(&self, label: &str) -> [u8; 32] {
        Sha256::new().chain_update(label).chain_update(self.0).finalize().into()
    }
}

impl fmt::Debug for PacketSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PacketSecret(..)")
    }
}

/// How somebody came to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// By the code in the receiver's own message.
    Message,
    /// By the code of a shared link.
    SharedLink,
}

/// What a packet's address in the pocket holds: where it is stored and 128 bits that cannot be
/// guessed (L-3). 36 characters of URL-safe base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PacketCode {
    key: PacketKey,
    token: [u8; 16],
}

impl PacketCode {
    const MERCHANT_BYTES: usize = 5;
    const NUMBER_BYTES: usize = 6;
    /// 5 bytes of merchant number, 6 of packet number, 16 of token.
    const LEN: usize = 27;

    /// The code of the packet at `key` for `access`.
    pub fn new(key: PacketKey, secret: &PacketSecret, access: Access) -> Self {
        Self { key, token: Self::token(secret, access) }
    }

    /// The packet it names.
    pub const fn key(&self) -> PacketKey {
        self.key
    }

    /// Which access the code gives to the packet with `secret`; `None` when it was made up.
    pub fn access(&self, secret: &PacketSecret) -> Option<Access> {
        [Access::Message, Access::SharedLink]
            .into_iter()
            .find(|&access| bool::from(self.token.ct_eq(&Self::token(secret, access))))
    }

    fn token(secret: &PacketSecret, access: Access) -> [u8; 16] {
        let digest = secret.derive(match access {
            Access::Message => "hongbao/message-code/v1",
            Access::SharedLink => "hongbao/shared-code/v1",
        });
        let mut token = [0; 16];
        token.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        token
    }
}

impl fmt::Display for PacketCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let merchant = self.key.merchant.get().to_be_bytes();
        let no = self.key.no.get().to_be_bytes();
        let bytes: Vec<u8> = merchant
            .into_iter()
            .skip(8 - Self::MERCHANT_BYTES)
            .chain(no.into_iter().skip(8 - Self::NUMBER_BYTES))
            .chain(self.token)
            .collect();
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for PacketCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PacketCode({:?}, ..)", self.key)
    }
}

impl FromStr for PacketCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        const ERROR: IdError =
            IdError { kind: "packet code", rule: "36 characters of URL-safe base64" };
        let mut bytes = [0; Self::LEN];
        if URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) != Ok(Self::LEN) {
            return Err(ERROR);
        }
        let mut bytes = bytes.into_iter();
        let mut number = |count: usize| {
            bytes.by_ref().take(count).fold(0_u64, |sum, b| (sum << 8) | u64::from(b))
        };
        let merchant = number(Self::MERCHANT_BYTES);
        let no = PacketNo::new(number(Self::NUMBER_BYTES));
        let merchant = MerchantId::try_new(merchant).or(Err(ERROR))?;
        let mut token = [0; 16];
        token.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Ok(Self { key: PacketKey { merchant, no }, token })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PacketKey {
        PacketKey { merchant: MerchantId::try_new(10_000_098).unwrap(), no: PacketNo::new(77) }
    }

    #[test]
    fn merchant_numbers_are_eight_to_ten_plain_digits() {
        for good in ["10000098", "9999999999"] {
            assert_eq!(good.parse::<MerchantId>().unwrap().to_string(), good);
        }
        for bad in ["", "1000009", "010000098", "99999999990", "1000009a", "+10000098", " 10000098"]
        {
            assert!(bad.parse::<MerchantId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn order_numbers_are_exact_bytes() {
        assert_ne!("abC1".parse::<BillNo>().unwrap(), "ABC1".parse().unwrap());
        for bad in ["", "a b", "１２", "a\0", &"1".repeat(29)] {
            assert!(bad.parse::<BillNo>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_id_is_31_digits() {
        let id = ListId::new(key(), Timestamp::from_millis(1_767_196_800_000)).to_string();
        assert_eq!(id, "1001000009820260101000000000077");
        assert_eq!(id.len(), 31);
    }

    #[test]
    fn a_packet_code_survives_its_text_and_tells_its_access() {
        let secret = PacketSecret::new([7; 16]);
        for access in [Access::Message, Access::SharedLink] {
            let code: PacketCode =
                PacketCode::new(key(), &secret, access).to_string().parse().unwrap();
            assert_eq!(code.key(), key());
            assert_eq!(code.access(&secret), Some(access));
            assert_eq!(code.access(&PacketSecret::new([8; 16])), None);
        }
        assert!("short".parse::<PacketCode>().is_err());
    }
}
