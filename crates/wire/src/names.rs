//! The words of the V2 calls, written once: field names, error codes, states and types.
//!
//! The wire keeps its own vocabulary and its own spelling (`RFUND_ING` has no first E). Everything
//! outside this crate speaks of packets, shares and claims instead.

/// Defines one constant per field name, and the list of them all from the same lines.
macro_rules! field_names {
    ($($(#[$doc:meta])+ $name:ident = $text:literal;)+) => {
        $($(#[$doc])+ pub const $name: &str = $text;)+

        /// Every name that any of the four calls (normal, group, query, mini program) knows or
        /// ever knew, in a request or in an answer.
        ///
        /// Two rules read it: no signed value may hide one of these names, and an endpoint
        /// refuses those of them that are not its own.
        pub const KNOWN_NAMES: &[&str] = &[$($text,)+];
    };
}

field_names! {
    // Requests, current.
    /// Random text of the caller, at most 32 characters.
    NONCE_STR = "nonce_str";
    /// Signature, upper-case hex.
    SIGN = "sign";
    /// Algorithm of the signature; our extension to these calls.
    SIGN_TYPE = "sign_type";
    /// Merchant's order number, `[0-9A-Za-z]{1,28}`.
    MCH_BILLNO = "mch_billno";
    /// Merchant number; in provider mode the provider's.
    MCH_ID = "mch_id";
    /// Sub-merchant number, provider mode only.
    SUB_MCH_ID = "sub_mch_id";
    /// Official-account appid of the sender.
    WXAPPID = "wxappid";
    /// Appid under which the user is reached, provider mode only.
    MSGAPPID = "msgappid";
    /// Sender shown on the packet.
    SEND_NAME = "send_name";
    /// Receiver's openid; the seed user's in a group.
    RE_OPENID = "re_openid";
    /// Amount in fen; a group's total.
    TOTAL_AMOUNT = "total_amount";
    /// Number of shares.
    TOTAL_NUM = "total_num";
    /// How a group's amount is split; only `ALL_RAND`.
    AMT_TYPE = "amt_type";
    /// Greeting.
    WISHING = "wishing";
    /// Address of the calling machine.
    CLIENT_IP = "client_ip";
    /// Activity name.
    ACT_NAME = "act_name";
    /// Remark.
    REMARK = "remark";
    /// One of the eight scenes.
    SCENE_ID = "scene_id";
    /// Activity information for the risk control.
    RISK_INFO = "risk_info";
    /// Merchant that pays.
    CONSUME_MCH_ID = "consume_mch_id";
    /// Official-account appid in a query.
    APPID = "appid";
    /// Sub-merchant's appid, sent by some clients.
    SUB_APPID = "sub_appid";
    /// What a query looks up by; only `MCHT`.
    BILL_TYPE = "bill_type";
    /// How a mini program is notified.
    NOTIFY_WAY = "notify_way";
    // Requests, retired.
    /// Provider name of 2014.
    NICK_NAME = "nick_name";
    /// Smallest amount of 2014, equal to the total.
    MIN_VALUE = "min_value";
    /// Largest amount of 2014, equal to the total.
    MAX_VALUE = "max_value";
    /// Logo address of 2014.
    LOGO_IMGURL = "logo_imgurl";
    /// Sharing text of 2014.
    SHARE_CONTENT = "share_content";
    /// Sharing address of 2014.
    SHARE_URL = "share_url";
    /// Sharing picture of 2014.
    SHARE_IMGURL = "share_imgurl";
    /// Activity number of 2014.
    ACT_ID = "act_id";
    /// Background picture of 2015.
    WATERMARK_IMGURL = "watermark_imgurl";
    /// Banner picture of 2015.
    BANNER_IMGURL = "banner_imgurl";
    /// Given shares of 2015.
    AMT_LIST = "amt_list";
    // Answers.
    /// Transport outcome.
    RETURN_CODE = "return_code";
    /// Transport text.
    RETURN_MSG = "return_msg";
    /// Business outcome.
    RESULT_CODE = "result_code";
    /// Error code, see [`ErrCode`].
    ERR_CODE = "err_code";
    /// Error text for people.
    ERR_CODE_DES = "err_code_des";
    /// Platform's packet number in the answer to a send.
    SEND_LISTID = "send_listid";
    /// Platform's packet number in the answer to a query.
    DETAIL_ID = "detail_id";
    /// State of a packet, see [`Status`].
    STATUS = "status";
    /// How the packet was sent, see [`SendType`].
    SEND_TYPE = "send_type";
    /// Kind of packet, see [`HbType`].
    HB_TYPE = "hb_type";
    /// Why sending failed.
    REASON = "reason";
    /// Time of sending, Beijing.
    SEND_TIME = "send_time";
    /// Time of the refund, Beijing.
    REFUND_TIME = "refund_time";
    /// Refunded amount in fen.
    REFUND_AMOUNT = "refund_amount";
    /// List of claims.
    HBLIST = "hblist";
    /// One claim inside `hblist`.
    HBINFO = "hbinfo";
    /// Claimer's openid inside `hbinfo`.
    OPENID = "openid";
    /// Claimed amount in fen inside `hbinfo`.
    AMOUNT = "amount";
    /// Claim time inside `hbinfo`, Beijing.
    RCV_TIME = "rcv_time";
    /// Parameters for the mini program's claim call.
    PACKAGE = "package";
}

/// The only split a group call offers.
pub const AMT_TYPE_ALL_RAND: &str = "ALL_RAND";
/// The only key a query looks up by: the merchant's order number.
pub const BILL_TYPE_MCHT: &str = "MCHT";
/// `return_code` and `result_code` of a good answer.
pub const SUCCESS: &str = "SUCCESS";
/// `return_code` and `result_code` of a refusal.
pub const FAIL: &str = "FAIL";

/// Defines an enum whose values are exact texts on the wire.
macro_rules! wire_enum {
    ($(#[$meta:meta])+ $name:ident { $($(#[$doc:meta])+ $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])+ $variant,)+ }

        impl $name {
            /// Every value, in the order of the documents.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The exact text on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value with exactly this text, case included.
            pub fn from_wire(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

wire_enum! {
    /// `err_code`: what was refused. The texts that go with a code are the face's business.
    ErrCode {
        /// Risk refusal, product not opened, or address not on the list.
        NoAuth = "NO_AUTH",
        /// The user has had too many packets today.
        SendnumLimit = "SENDNUM_LIMIT",
        /// The user has had too much money today.
        RcvdamountLimit = "RCVDAMOUNT_LIMIT",
        /// The merchant has sent too much money today.
        SendamountLimit = "SENDAMOUNT_LIMIT",
        /// The amount is outside the permitted range.
        MoneyLimit = "MONEY_LIMIT",
        /// Not an official account's appid.
        IllegalAppid = "ILLEGAL_APPID",
        /// This order has failed for good; only a new number can work.
        SendFailed = "SEND_FAILED",
        /// The number was used before with other parameters.
        FatalError = "FATAL_ERROR",
        /// Client certificate wrong or missing.
        CaError = "CA_ERROR",
        /// Signature wrong.
        SignError = "SIGN_ERROR",
        /// Outcome unknown; ask again with the same number.
        Systemerror = "SYSTEMERROR",
        /// Being sent; ask later with the same number.
        Processing = "PROCESSING",
        /// Body is not the expected XML.
        XmlError = "XML_ERROR",
        /// Too fast.
        FreqLimit = "FREQ_LIMIT",
        /// Balance too low.
        Notenough = "NOTENOUGH",
        /// Openid and appid do not match.
        OpenidError = "OPENID_ERROR",
        /// The merchant has switched sending by API off.
        ApiMethodClosed = "API_METHOD_CLOSED",
        /// A parameter is wrong; the text names it.
        ParamError = "PARAM_ERROR",
        /// `msgappid` is not bound to this pair of merchants.
        MsgappidError = "MSGAPPID_ERROR",
        /// No acceptance relation between provider and sub-merchant.
        AcceptmodeError = "ACCEPTMODE_ERROR",
        /// Query: no such order.
        NotFound = "NOT_FOUND",
    }
}

wire_enum! {
    /// `status`: state of a packet as a query shows it.
    Status {
        /// Accepted, or refused for a curable cause and waiting for a re-send.
        Sending = "SENDING",
        /// Paid for, waiting for the user.
        Sent = "SENT",
        /// Failed for good.
        Failed = "FAILED",
        /// Claimed.
        Received = "RECEIVED",
        /// Refund running; the spelling is the platform's.
        RfundIng = "RFUND_ING",
        /// Money is back with the merchant.
        Refund = "REFUND",
    }
}

wire_enum! {
    /// `hb_type`: kind of packet.
    HbType {
        /// One receiver.
        Normal = "NORMAL",
        /// Several receivers share.
        Group = "GROUP",
    }
}

wire_enum! {
    /// `send_type`: how the packet was sent.
    SendType {
        /// By this API.
        Api = "API",
        /// By an uploaded file.
        Upload = "UPLOAD",
        /// By a campaign or a rule.
        Activity = "ACTIVITY",
    }
}

wire_enum! {
    /// `scene_id`: what the money is for.
    Scene {
        /// 商品促销, goods promotion.
        Product1 = "PRODUCT_1",
        /// 抽奖, prize draw.
        Product2 = "PRODUCT_2",
        /// 虚拟物品兑奖, redeeming virtual goods.
        Product3 = "PRODUCT_3",
        /// 企业内部福利, staff benefits.
        Product4 = "PRODUCT_4",
        /// 渠道分润, channel profit share.
        Product5 = "PRODUCT_5",
        /// 保险回馈, insurance rebate.
        Product6 = "PRODUCT_6",
        /// 彩票派奖, lottery prizes.
        Product7 = "PRODUCT_7",
        /// 税务刮奖, tax-receipt scratch prizes.
        Product8 = "PRODUCT_8",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn known_names_are_distinct_legal_element_names() {
        let distinct: BTreeSet<_> = KNOWN_NAMES.iter().collect();
        assert_eq!(distinct.len(), KNOWN_NAMES.len());
        for name in KNOWN_NAMES {
            assert!(crate::xml::is_name(name), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        }
    }

    #[test]
    fn every_code_and_state_reads_back_from_its_own_text() {
        for code in ErrCode::ALL {
            assert_eq!(ErrCode::from_wire(code.as_str()), Some(*code));
        }
        for status in Status::ALL {
            assert_eq!(Status::from_wire(status.as_str()), Some(*status));
        }
        assert_eq!(ErrCode::ALL.len(), 21);
        assert_eq!(Status::ALL.len(), 6);
        assert_eq!(Scene::ALL.len(), 8);
        assert_eq!(Scene::from_wire("product_1"), None);
        assert_eq!(Scene::from_wire("PRODUCT_9"), None);
    }
}
