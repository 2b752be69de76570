//! `gethbinfo`: the query by the merchant's order number.

use super::{ParamError, SHORT_CHARS_MAX, exactly, order_number, refuse_foreign, required_text};
use crate::{names, xml::Fields};

/// Names of a query. The two `sub_` names have no meaning here, but clients send them.
const QUERY_NAMES: &[&str] = &[
    names::NONCE_STR,
    names::SIGN,
    names::SIGN_TYPE,
    names::MCH_BILLNO,
    names::MCH_ID,
    names::APPID,
    names::BILL_TYPE,
    names::SUB_MCH_ID,
    names::SUB_APPID,
];

/// A `gethbinfo` request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Random text of the caller, 1 to 32 characters.
    pub nonce_str: String,
    /// Merchant's order number, `[0-9A-Za-z]{1,28}`.
    pub mch_billno: String,
    /// Merchant that signs.
    pub mch_id: String,
    /// Official-account appid.
    pub appid: String,
}

impl Query {
    /// The request in these fields.
    ///
    /// # Errors
    ///
    /// [`ParamError`] for the first field that is missing, wrong or of another call.
    pub fn parse(fields: &Fields) -> Result<Self, ParamError> {
        refuse_foreign(fields, QUERY_NAMES)?;
        let query = Self {
            nonce_str: required_text(fields, names::NONCE_STR, SHORT_CHARS_MAX)?,
            mch_billno: order_number(fields)?,
            mch_id: required_text(fields, names::MCH_ID, SHORT_CHARS_MAX)?,
            appid: required_text(fields, names::APPID, SHORT_CHARS_MAX)?,
        };
        exactly(fields, names::BILL_TYPE, names::BILL_TYPE_MCHT)?;
        Ok(query)
    }
}
