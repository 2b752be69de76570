//! The one table from every reason inside to an `err_code` and its text.
//!
//! A code is for programs and follows the original's list. A text is for people: it names the
//! field or the limit with its figure, and repeats nothing of the request but field names. The
//! same function words a refusal in the answer to a send and, days later, the `reason` of a query.

use std::{borrow::Cow, error::Error as _};

use hongbao_app::{AppError, executor::Failure};
use hongbao_domain::{Refusal, ledger::AccountKind, merchant::SendWay};
use hongbao_wire::{BODY_BYTES_MAX, ErrCode, ParamError, SignError, XmlError};

/// What an answer says no with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// For programs.
    pub(super) code: ErrCode,
    /// For people.
    pub(super) text: Cow<'static, str>,
}

/// Why a call ends without what it asked for.
#[derive(Debug)]
pub(super) enum Stop {
    /// The body is not the XML of a call.
    Unreadable(Unreadable),
    /// The client certificate is not good for this call.
    Certificate(CertificateFault),
    /// The signature is not good for this call; `None` where there is no key to check it with.
    Signature(Option<SignError>),
    /// The call came from an address that is not on the merchant's list.
    Address,
    /// A parameter is wrong.
    Param(ParamError),
    /// The use case said no, or could not say anything.
    App(AppError),
}

/// What is wrong with a body.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// It is compressed or otherwise encoded.
    #[error("the body has a content encoding")]
    Encoded,
    /// It has more than [`BODY_BYTES_MAX`] bytes.
    #[error("the body is too large")]
    TooLarge,
    /// It broke off.
    #[error("the body broke off")]
    Incomplete,
    /// It is not the one kind of XML that is read.
    #[error(transparent)]
    Xml(#[from] XmlError),
}

/// What is wrong with a certificate; for the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CertificateFault {
    /// None was shown.
    #[error("no certificate")]
    Missing,
    /// It is another merchant's than the body names.
    #[error("certificate of another merchant")]
    OtherMerchant,
    /// It was not issued here, or it was revoked.
    #[error("certificate unknown or revoked")]
    NotInForce,
}

const SIGNATURE_WRONG: &str = "签名错误";
const CERTIFICATE_WRONG: &str = "CA证书出错，请登录微信支付商户平台下载证书";
const ADDRESS_NOT_LISTED: &str = "IP地址非你在商户平台设置的可用IP地址";
const ASK_AGAIN: &str = "请求已受理，请稍后使用原单号查询发放结果";
const TOO_FAST: &str = "调用过于频繁，请稍后使用原单号重试";
const NOT_FOUND: &str = "指定单号数据不存在";
/// The same whether the merchant does not exist or has not agreed: a provider cannot find out
/// which numbers are taken.
const NO_RELATION: &str = "服务商与子商户之间没有有效的授权，请先由子商户完成授权";
const SCENE_CLOSED: &str =
    "该场景未开通，请登陆商户平台：产品中心-现金红包-产品设置-使用场景 进行开通";
/// The original's text ends with its own name as the one who stopped it; ours does not.
const RISK: &str = "发放失败，此请求可能存在风险，已被拦截";

impl Stop {
    /// Code and text of the answer.
    pub(super) fn words(&self) -> Words {
        match self {
            Self::Unreadable(why) => Words::new(ErrCode::XmlError, unreadable_text(why)),
            Self::Certificate(_) => Words::new(ErrCode::CaError, CERTIFICATE_WRONG),
            Self::Signature(why) => Words::new(ErrCode::SignError, signature_text(why.as_ref())),
            Self::Address => Words::new(ErrCode::NoAuth, ADDRESS_NOT_LISTED),
            Self::Param(param) => Words::new(ErrCode::ParamError, param.text_zh.clone()),
            Self::App(error) => Words::of_app_error(error),
        }
    }

    /// What the log says beside the code; the answer does not.
    pub(super) fn cause(&self) -> String {
        match self {
            Self::Unreadable(why) => why.to_string(),
            Self::Certificate(why) => why.to_string(),
            Self::Signature(None) => "no key to check the signature with".to_owned(),
            Self::Signature(Some(why)) => why.reason().to_string(),
            Self::Address => "address not on the list".to_owned(),
            Self::Param(param) => param.text_en.clone(),
            Self::App(error) => with_sources(error),
        }
    }
}

/// An error and what it came from, in one line.
fn with_sources(error: &AppError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        let said = deeper.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        source = deeper.source();
    }
    text
}

fn unreadable_text(why: &Unreadable) -> String {
    match why {
        Unreadable::Encoded => "XML格式错误：不支持压缩的请求体，请去掉Content-Encoding".to_owned(),
        Unreadable::TooLarge => format!("XML格式错误：请求体超过{BODY_BYTES_MAX}字节"),
        Unreadable::Incomplete => "XML格式错误：请求体没有完整到达".to_owned(),
        Unreadable::Xml(XmlError { kind, offset }) => {
            format!("XML格式错误（第{offset}字节）：{kind}")
        }
    }
}

/// The field is named only where the request alone shows what is wrong with it, whatever the key.
fn signature_text(why: Option<&SignError>) -> Cow<'static, str> {
    match why.and_then(SignError::ambiguous_field) {
        None => SIGNATURE_WRONG.into(),
        Some(ambiguous) => {
            format!("{SIGNATURE_WRONG}：{}的值中不能含有“&参数名=”", ambiguous.field).into()
        }
    }
}

impl Words {
    /// Code and text.
    fn new(code: ErrCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into() }
    }

    fn of_app_error(error: &AppError) -> Self {
        match error {
            AppError::Command(failure) => Self::of_failure(failure),
            // Nothing was told to the store, or nothing is known of it: the same number is safe.
            AppError::Store(_) | AppError::Vault(_) => Self::new(ErrCode::Systemerror, ASK_AGAIN),
            AppError::NotFound { what: _ } => Self::new(ErrCode::NotFound, NOT_FOUND),
            AppError::Invalid { field, rule } => {
                Self::new(ErrCode::ParamError, format!("{field}有误：{rule}"))
            }
            AppError::RateExceeded => Self::new(ErrCode::FreqLimit, TOO_FAST),
        }
    }

    fn of_failure(failure: &Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::of_refusal(refusal),
            Failure::Busy
            | Failure::Unknown
            | Failure::Unavailable
            | Failure::Halted
            | Failure::Defect => Self::new(ErrCode::Systemerror, ASK_AGAIN),
        }
    }

    /// A business no, in the order of its precedence.
    #[rustfmt::skip]
    pub(super) fn of_refusal(refusal: &Refusal) -> Self {
        use {ErrCode as E, Refusal as R};
        let (code, text): (E, Cow<'static, str>) = match refusal {
            // about the number
            R::ReceiverChanged => (E::FatalError, "更换了openid，但商户单号未更新".into()),
            R::AmountChanged => (E::FatalError, "更换了金额，但商户单号未更新".into()),
            R::TermChanged { term } =>
                (E::ParamError, format!("更换了{}，但商户单号未更新", wire_term(term)).into()),
            R::OrderExpired { since: _ } => (E::SendFailed, "该订单已经过期,请更换商户单号".into()),
            // merchant and product
            R::MerchantUnknown | R::NotAuthorized { sub_merchant: _ } =>
                (E::AcceptmodeError, NO_RELATION.into()),
            R::MerchantFrozen => (E::NoAuth, "商户号已被冻结，暂时不能发放红包".into()),
            R::ProductNotOpened => (E::NoAuth, "商户号未开通现金红包，请到商户平台产品中心开通".into()),
            R::WayClosed { way } => (E::ApiMethodClosed, way_closed(*way).into()),
            R::ProviderSendsNormalOnly =>
                (E::ParamError, "服务商模式（sub_mch_id）只能通过接口发放普通红包".into()),
            R::PayerNotAllowed =>
                (E::ParamError, "consume_mch_id必须是服务商或其子商户的商户号".into()),
            R::AppKindNotAllowed { app: _ } =>
                (E::IllegalAppid, "wxappid是移动应用的appid，请使用公众号的appid".into()),
            R::AppNotBound { app: _ } => (E::ParamError, "商户号和wxappid不匹配".into()),
            R::MessageAppNotBound { app: _ } =>
                (E::MsgappidError, "msgappid有误：未与服务商或子商户绑定".into()),
            // the packet itself
            R::SceneNotOpened { scene: _ } => (E::ParamError, SCENE_CLOSED.into()),
            R::ShareCountOutOfRange { min, max } =>
                (E::ParamError, format!("total_num必须介于(包括){min}到{max}之间").into()),
            R::AmountOutOfRange { min, max } =>
                (E::MoneyLimit, format!("付款金额必须在{min}元到{max}元之间").into()),
            R::ReceiverUnknown => (E::OpenidError, "openid和appid不匹配".into()),
            // what leaves an order
            R::RiskStopped { level: _ } => (E::NoAuth, RISK.into()),
            R::MerchantDayAmount { cap, used } =>
                (E::SendamountLimit, format!("商户单日发送金额将超过上限{cap}元，今日已发{used}元").into()),
            R::UserDayCount { cap, used } =>
                (E::SendnumLimit, format!("该用户单日领取个数已达上限{cap}个，今日已领{used}个").into()),
            R::UserDayAmount { cap, used } =>
                (E::RcvdamountLimit, format!("该用户单日领取金额将超过上限{cap}元，今日已领{used}元").into()),
            R::BalanceTooLow { account, balance: _ } => (E::Notenough, balance_text(*account).into()),
            R::MoneyOverflow => (E::MoneyLimit, "付款金额过大".into()),
            // of other faces: one of these here is a defect, and the same number stays safe
            R::ReferenceReused
            | R::PacketUnknown
            | R::NotTheReceiver
            | R::PacketExpired { expired_at: _ }
            | R::SeedFirst
            | R::AllTaken
            | R::NotExpired { expires_at: _ }
            | R::UserUnknown
            | R::WalletFrozen
            | R::SelfTransfer
            | R::AmountNotAllowed { max: _ }
            | R::OperationAccountNotOpened
            | R::WithdrawalUnknown
            | R::NotASandbox
            | R::ClockStepNotAllowed { max_seconds: _ } => (E::Systemerror, ASK_AGAIN.into()),
        };
        Self { code, text }
    }
}

/// A term as the wire names it.
fn wire_term(term: &str) -> &str {
    match term {
        "app" => "wxappid",
        "share_count" => "total_num",
        "kind" => "红包类型",
        "scene" => "scene_id",
        "sub_merchant" => "sub_mch_id",
        "message_app" => "msgappid",
        "payer" => "付款商户号",
        other => other,
    }
}

fn way_closed(way: SendWay) -> &'static str {
    match way {
        SendWay::Api => "API发放方式已关闭",
        SendWay::Upload => "上传文件发放方式已关闭",
        SendWay::Activity => "营销规则发放方式已关闭",
    }
}

/// The account is named where a merchant that sees money on the other one would be puzzled. The
/// balance is not: a provider reads this text about its sub-merchant.
fn balance_text(account: AccountKind) -> &'static str {
    match account {
        AccountKind::Operation => "运营账户余额不足，请到商户平台充值后再重试",
        AccountKind::Basic | AccountKind::Escrow | AccountKind::Wallet | AccountKind::External => {
            "帐号余额不足，请到商户平台充值后再重试"
        }
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
