use hongbao_app::{ports::StoreError, vault::VaultError};
use hongbao_domain::{Fen, Timestamp, merchant::Scene};

use super::*;

fn app_id() -> hongbao_domain::AppId {
    "wx8888888888888888".parse().unwrap()
}

/// One line a refusal, in the order of precedence.
#[rustfmt::skip]
fn table() -> Vec<(Refusal, ErrCode, &'static str)> {
    use {ErrCode as E, Refusal as R};
    let (sub_merchant, app) = ("10000098".parse().unwrap(), app_id);
    let (cap, used, at) = (Fen::new(100_000), Fen::new(95_05), Timestamp::EPOCH);
    vec![
        (R::ReceiverChanged,                      E::FatalError,      "更换了openid，但商户单号未更新"),
        (R::AmountChanged,                        E::FatalError,      "更换了金额，但商户单号未更新"),
        (R::TermChanged { term: "share_count" },  E::ParamError,      "更换了total_num，但商户单号未更新"),
        (R::TermChanged { term: "kind" },         E::ParamError,      "更换了红包类型，但商户单号未更新"),
        (R::TermChanged { term: "scene" },        E::ParamError,      "更换了scene_id，但商户单号未更新"),
        (R::TermChanged { term: "sub_merchant" }, E::ParamError,      "更换了sub_mch_id，但商户单号未更新"),
        (R::TermChanged { term: "message_app" },  E::ParamError,      "更换了msgappid，但商户单号未更新"),
        (R::TermChanged { term: "payer" },        E::ParamError,      "更换了付款商户号，但商户单号未更新"),
        (R::OrderExpired { since: at },           E::SendFailed,      "该订单已经过期,请更换商户单号"),
        (R::ReferenceReused,                      E::Systemerror,     ASK_AGAIN),
        (R::MerchantUnknown,                      E::AcceptmodeError, NO_RELATION),
        (R::MerchantFrozen,                       E::NoAuth,          "商户号已被冻结，暂时不能发放红包"),
        (R::ProductNotOpened,                     E::NoAuth,          "商户号未开通现金红包，请到商户平台产品中心开通"),
        (R::WayClosed { way: SendWay::Api },      E::ApiMethodClosed, "API发放方式已关闭"),
        (R::WayClosed { way: SendWay::Upload },   E::ApiMethodClosed, "上传文件发放方式已关闭"),
        (R::WayClosed { way: SendWay::Activity }, E::ApiMethodClosed, "营销规则发放方式已关闭"),
        (R::NotAuthorized { sub_merchant },       E::AcceptmodeError, NO_RELATION),
        (R::ProviderSendsNormalOnly,              E::ParamError,      "服务商模式（sub_mch_id）只能通过接口发放普通红包"),
        (R::PayerNotAllowed,                      E::ParamError,      "consume_mch_id必须是服务商或其子商户的商户号"),
        (R::AppKindNotAllowed { app: app() },     E::IllegalAppid,    "wxappid是移动应用的appid，请使用公众号的appid"),
        (R::AppNotBound { app: app() },           E::ParamError,      "商户号和wxappid不匹配"),
        (R::MessageAppNotBound { app: app() },    E::MsgappidError,   "msgappid有误：未与服务商或子商户绑定"),
        (R::SceneNotOpened { scene: Scene::PrizeDraw }, E::ParamError, SCENE_CLOSED),
        (R::ShareCountOutOfRange { min: 3, max: 20 }, E::ParamError,  "total_num必须介于(包括)3到20之间"),
        (R::AmountOutOfRange { min: used, max: cap }, E::MoneyLimit,  "付款金额必须在95.05元到1000.00元之间"),
        (R::ReceiverUnknown,                      E::OpenidError,     "openid和appid不匹配"),
        (R::RiskStopped { level: 3 },             E::NoAuth,          RISK),
        (R::MerchantDayAmount { cap, used },      E::SendamountLimit, "商户单日发送金额将超过上限1000.00元，今日已发95.05元"),
        (R::UserDayCount { cap: 10, used: 10 },   E::SendnumLimit,    "该用户单日领取个数已达上限10个，今日已领10个"),
        (R::UserDayAmount { cap, used },          E::RcvdamountLimit, "该用户单日领取金额将超过上限1000.00元，今日已领95.05元"),
        (R::BalanceTooLow { account: AccountKind::Basic, balance: used },
                                                  E::Notenough,       "帐号余额不足，请到商户平台充值后再重试"),
        (R::BalanceTooLow { account: AccountKind::Operation, balance: used },
                                                  E::Notenough,       "运营账户余额不足，请到商户平台充值后再重试"),
        (R::PacketUnknown,                        E::Systemerror,     ASK_AGAIN),
        (R::SeedFirst,                            E::Systemerror,     ASK_AGAIN),
        (R::MoneyOverflow,                        E::MoneyLimit,      "付款金额过大"),
    ]
}

#[test]
fn every_refusal_has_its_code_and_its_text() {
    for (refusal, code, text) in table() {
        assert_eq!(Words::of_refusal(&refusal), Words::new(code, text), "{refusal:?}");
    }
}

/// `err_code_des` is `String(128)`, and one client takes a text with "html" for a gateway's page.
#[test]
fn every_text_fits_its_field_and_no_client_mistakes_it_for_a_page() {
    for (refusal, ..) in table() {
        let text = Words::of_refusal(&refusal).text;
        assert!(text.chars().count() <= 128 && !text.contains("html"), "{text}");
    }
}

#[test]
fn whatever_breaks_inside_says_to_keep_the_number() {
    let broken = [
        AppError::Command(Failure::Busy),
        AppError::Command(Failure::Unknown),
        AppError::Command(Failure::Unavailable),
        AppError::Command(Failure::Halted),
        AppError::Command(Failure::Defect),
        AppError::Store(StoreError::Corrupt("row 7 of secrets".to_owned())),
        AppError::Vault(VaultError::DoesNotOpen),
    ];
    for error in broken {
        let stop = Stop::App(error);
        assert_eq!(stop.words(), Words::new(ErrCode::Systemerror, ASK_AGAIN), "{}", stop.cause());
    }
}

#[test]
fn the_remaining_outcomes_of_use_cases_have_codes_of_their_own() {
    let code = |error| Stop::App(error).words().code;
    assert_eq!(code(AppError::NotFound { what: "order" }), ErrCode::NotFound);
    assert_eq!(code(AppError::RateExceeded), ErrCode::FreqLimit);
    let invalid = AppError::Invalid { field: "wishing", rule: "short".to_owned() };
    assert_eq!(Stop::App(invalid).words(), Words::new(ErrCode::ParamError, "wishing有误：short"));
}
