//! `sendredpack` and `sendgroupredpack`: the fields they share, and the two requests.

use std::net::IpAddr;

use super::{
    ParamError, SHORT_CHARS_MAX, amount_fen, exactly, ip_error, optional_ip, optional_text,
    order_number, refuse_foreign, required_text,
};
use crate::{
    amount::parse_count,
    names::{self, Scene},
    xml::Fields,
};

/// Fewest people in a group; the platform's own error text has the number.
pub const GROUP_SIZE_MIN: i64 = 3;
/// Most people in a group; the platform's own error text has the number.
pub const GROUP_SIZE_MAX: i64 = 20;

/// Characters of the greeting: `String(128)`.
const WISHING_CHARS_MAX: usize = 128;
/// Characters of the remark: `String(256)`.
const REMARK_CHARS_MAX: usize = 256;
/// Characters of the risk information: `String(128)`.
const RISK_INFO_CHARS_MAX: usize = 128;

/// Names of a normal packet, retired ones included. `appid` passes if it repeats `wxappid`.
const NORMAL_NAMES: &[&str] = &[
    names::NONCE_STR,
    names::SIGN,
    names::SIGN_TYPE,
    names::MCH_BILLNO,
    names::MCH_ID,
    names::SUB_MCH_ID,
    names::WXAPPID,
    names::APPID,
    names::MSGAPPID,
    names::SEND_NAME,
    names::RE_OPENID,
    names::TOTAL_AMOUNT,
    names::TOTAL_NUM,
    names::WISHING,
    names::CLIENT_IP,
    names::ACT_NAME,
    names::REMARK,
    names::SCENE_ID,
    names::RISK_INFO,
    names::CONSUME_MCH_ID,
    names::NICK_NAME,
    names::MIN_VALUE,
    names::MAX_VALUE,
    names::LOGO_IMGURL,
    names::SHARE_CONTENT,
    names::SHARE_URL,
    names::SHARE_IMGURL,
    names::ACT_ID,
    names::WATERMARK_IMGURL,
    names::BANNER_IMGURL,
];

/// What both kinds of packet carry.
///
/// `Debug` shows merchant and order only, since the rest is about people.
#[derive(Clone, PartialEq, Eq)]
pub struct SendFields {
    /// Random text of the caller, 1 to 32 characters; not part of the order.
    pub nonce_str: String,
    /// Merchant's order number, `[0-9A-Za-z]{1,28}`.
    pub mch_billno: String,
    /// Merchant that signs; in provider mode the provider.
    pub mch_id: String,
    /// Sub-merchant, in provider mode.
    pub sub_mch_id: Option<String>,
    /// Sender's appid.
    pub wxappid: String,
    /// Appid that reaches the user; always there if `sub_mch_id` is.
    pub msgappid: Option<String>,
    /// Sender shown on the packet, at most 32 characters.
    pub send_name: String,
    /// Receiver's openid; the seed user's in a group.
    pub re_openid: String,
    /// Amount in fen, above 0; a group's total.
    pub total_amount_fen: i64,
    /// Greeting, at most 128 characters.
    pub wishing: String,
    /// Activity name, at most 32 characters.
    pub act_name: String,
    /// Remark, at most 256 characters.
    pub remark: String,
    /// Scene. Whether one is required depends on the amount and is not judged here.
    pub scene_id: Option<Scene>,
    /// Risk information as sent, at most 128 characters.
    pub risk_info: Option<String>,
    /// Merchant that pays, if not the default one.
    pub consume_mch_id: Option<String>,
}

/// A `sendredpack` request: one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendNormal {
    /// What both kinds of packet carry.
    pub send: SendFields,
    /// Address of the calling machine, as the caller says.
    pub client_ip: IpAddr,
}

/// A `sendgroupredpack` request: the seed user and others share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendGroup {
    /// What both kinds of packet carry.
    pub send: SendFields,
    /// Address of the calling machine. Not a field of this call, but clients send it.
    pub client_ip: Option<IpAddr>,
    /// Number of people, [`GROUP_SIZE_MIN`] to [`GROUP_SIZE_MAX`], the seed user included.
    pub total_num: i64,
}

impl SendNormal {
    /// The request in these fields.
    ///
    /// # Errors
    ///
    /// [`ParamError`] for the first field that is missing, wrong or of another call.
    pub fn parse(fields: &Fields) -> Result<Self, ParamError> {
        refuse_foreign(fields, NORMAL_NAMES)?;
        let send = SendFields::parse(fields)?;
        exactly(fields, names::TOTAL_NUM, "1")?;
        let client_ip =
            optional_ip(fields, names::CLIENT_IP)?.ok_or_else(|| ip_error(names::CLIENT_IP))?;
        Ok(Self { send, client_ip })
    }
}

impl SendGroup {
    /// The request in these fields.
    ///
    /// # Errors
    ///
    /// [`ParamError`] for the first field that is missing, wrong or of another call.
    pub fn parse(fields: &Fields) -> Result<Self, ParamError> {
        let mut own_names = NORMAL_NAMES.to_vec();
        own_names.push(names::AMT_TYPE);
        refuse_foreign(fields, &own_names)?;
        let send = SendFields::parse(fields)?;
        let total_num = group_size(fields)?;
        exactly(fields, names::AMT_TYPE, names::AMT_TYPE_ALL_RAND)?;
        let client_ip = optional_ip(fields, names::CLIENT_IP)?;
        Ok(Self { send, client_ip, total_num })
    }
}

impl SendFields {
    fn parse(fields: &Fields) -> Result<Self, ParamError> {
        let send = Self {
            nonce_str: required_text(fields, names::NONCE_STR, SHORT_CHARS_MAX)?,
            mch_billno: order_number(fields)?,
            mch_id: required_text(fields, names::MCH_ID, SHORT_CHARS_MAX)?,
            sub_mch_id: optional_text(fields, names::SUB_MCH_ID, SHORT_CHARS_MAX)?,
            wxappid: required_text(fields, names::WXAPPID, SHORT_CHARS_MAX)?,
            msgappid: optional_text(fields, names::MSGAPPID, SHORT_CHARS_MAX)?,
            send_name: required_text(fields, names::SEND_NAME, SHORT_CHARS_MAX)?,
            re_openid: required_text(fields, names::RE_OPENID, SHORT_CHARS_MAX)?,
            total_amount_fen: amount_fen(fields, names::TOTAL_AMOUNT)?,
            wishing: required_text(fields, names::WISHING, WISHING_CHARS_MAX)?,
            act_name: required_text(fields, names::ACT_NAME, SHORT_CHARS_MAX)?,
            remark: required_text(fields, names::REMARK, REMARK_CHARS_MAX)?,
            scene_id: scene(fields)?,
            risk_info: optional_text(fields, names::RISK_INFO, RISK_INFO_CHARS_MAX)?,
            consume_mch_id: optional_text(fields, names::CONSUME_MCH_ID, SHORT_CHARS_MAX)?,
        };
        send.check_provider_mode()?;
        send.check_repetitions(fields)?;
        Ok(send)
    }

    fn check_provider_mode(&self) -> Result<(), ParamError> {
        if self.sub_mch_id.is_some() && self.msgappid.is_none() {
            return Err(ParamError::new(
                names::MSGAPPID,
                "必填：填写了sub_mch_id（服务商模式）时须同时填写",
                "is required together with sub_mch_id",
            ));
        }
        Ok(())
    }

    /// Fields that may only repeat another field: `min_value` and `max_value` of 2014, and the
    /// `appid` that some clients add to every call.
    fn check_repetitions(&self, fields: &Fields) -> Result<(), ParamError> {
        for name in [names::MIN_VALUE, names::MAX_VALUE] {
            if fields.non_empty(name).is_some()
                && amount_fen(fields, name)? != self.total_amount_fen
            {
                return Err(ParamError::new(
                    name,
                    "必须与total_amount相等",
                    "must be equal to total_amount",
                ));
            }
        }
        if fields.non_empty(names::APPID).is_some_and(|appid| appid != self.wxappid) {
            return Err(ParamError::new(
                names::APPID,
                "必须与wxappid相同，或不填写",
                "must be the same as wxappid, or be left out",
            ));
        }
        Ok(())
    }
}

impl std::fmt::Debug for SendFields {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SendFields")
            .field("mch_id", &self.mch_id)
            .field("mch_billno", &self.mch_billno)
            .finish_non_exhaustive()
    }
}

fn scene(fields: &Fields) -> Result<Option<Scene>, ParamError> {
    let wrong = || {
        ParamError::new(
            names::SCENE_ID,
            "有误：必须为PRODUCT_1到PRODUCT_8之一，或不填写",
            "is wrong: one of PRODUCT_1 to PRODUCT_8, or left out",
        )
    };
    fields
        .non_empty(names::SCENE_ID)
        .map(|text| Scene::from_wire(text).ok_or_else(wrong))
        .transpose()
}

fn group_size(fields: &Fields) -> Result<i64, ParamError> {
    parse_count(fields.non_empty(names::TOTAL_NUM).unwrap_or_default())
        .ok()
        .filter(|count| (GROUP_SIZE_MIN..=GROUP_SIZE_MAX).contains(count))
        .ok_or_else(|| {
            ParamError::new(
                names::TOTAL_NUM,
                &format!("必须介于(包括){GROUP_SIZE_MIN}到{GROUP_SIZE_MAX}之间"),
                &format!("must be from {GROUP_SIZE_MIN} to {GROUP_SIZE_MAX}, both included"),
            )
        })
}
