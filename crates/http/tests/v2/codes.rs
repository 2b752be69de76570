//! Every `err_code`, produced.

use std::{collections::BTreeSet, future::Future, pin::Pin};

use hongbao_domain::{
    Fen,
    merchant::{AppKind, Scene, SceneTerms, Settings},
    risk::{RiskLevel, Standing},
};
use hongbao_testkit::builders::{OTHER_APP, a_merchant, a_user, app};
use hongbao_wire::ErrCode;

use super::{
    call::{Call, a_group_send, a_query, a_send},
    platform::{KEY, MERCHANT, Platform},
};

/// Codes of the list that this platform never answers with, and why.
const NEVER: &[(ErrCode, &str)] = &[(
    ErrCode::Processing,
    "an answer is given once the outcome is durable; nothing is half done",
)];

/// One line: settings, call, code, text.
type Line = (fn(&mut Settings), Call, ErrCode, &'static str);

#[rustfmt::skip]
fn table() -> Vec<Line> {
    use ErrCode as E;
    fn none(_: &mut Settings) {}
    let s = || a_send("e1");
    vec![
        // about the call
        (none, s().with_certificate(None),                E::CaError,   "CA证书出错，请登录微信支付商户平台下载证书"),
        (none, s().keyed("x"),                            E::SignError, "签名错误"),
        (|m| m.product.call_ips.push("10.0.0.1".parse().unwrap()), s(), E::NoAuth, "IP地址非你在商户平台设置的可用IP地址"),
        (none, s().with("client_ip", "1.2.3"),            E::ParamError, "client_ip必须是合法的IP地址，例如192.168.0.1"),
        // merchant and product
        (|m| m.frozen = true,             s(),            E::NoAuth,    "商户号已被冻结，暂时不能发放红包"),
        (|m| m.product.opened = false,    s(),            E::NoAuth,    "商户号未开通现金红包，请到商户平台产品中心开通"),
        (|m| m.product.ways.api = false,  s(),            E::ApiMethodClosed, "API发放方式已关闭"),
        (none, s().with("sub_mch_id", "10000090").with("msgappid", OTHER_APP), E::AcceptmodeError, "服务商与子商户之间没有有效的授权，请先由子商户完成授权"),
        (none, s().with("wxappid", "wx-phone"),           E::IllegalAppid, "wxappid是移动应用的appid，请使用公众号的appid"),
        (none, s().with("wxappid", "wx-unbound"),         E::ParamError, "商户号和wxappid不匹配"),
        // the packet itself
        (none, s().with("scene_id", "PRODUCT_5"),         E::ParamError, "该场景未开通，请登陆商户平台：产品中心-现金红包-产品设置-使用场景 进行开通"),
        (none, s().with("total_amount", "99"),            E::MoneyLimit, "付款金额必须在1.00元到200.00元之间"),
        (none, s().with("total_amount", "30").with("scene_id", "PRODUCT_2"), E::MoneyLimit, "付款金额必须在0.50元到499.00元之间"),
        (none, a_group_send("e1").with("total_num", "2"), E::ParamError, "total_num必须介于(包括)3到20之间"),
        (none, s().with("re_openid", "oNobody"),          E::OpenidError, "openid和appid不匹配"),
        // what leaves an order
        (none, s().with("re_openid", "oRobot"),           E::NoAuth,    "发放失败，此请求可能存在风险，已被拦截"),
        (|m| m.caps.merchant_day_fen = Fen::new(99), s(), E::SendamountLimit, "商户单日发送金额将超过上限0.99元，今日已发0.00元"),
        (|m| m.caps.user_day_fen = Fen::new(99), s(),     E::RcvdamountLimit, "该用户单日领取金额将超过上限0.99元，今日已领0.00元"),
        (|m| m.operation_account_opened = true, s(),      E::Notenough, "运营账户余额不足，请到商户平台充值后再重试"),
        // queries
        (none, a_query("e9"),                             E::NotFound,  "指定单号数据不存在"),
    ]
}

async fn a_platform(tweak: fn(&mut Settings)) -> Platform {
    let platform = Platform::new().await;
    let prepare = |settings: &mut Settings| {
        let scene = Scene::PrizeDraw;
        let amount =
            hongbao_domain::merchant::AmountRange { min: Fen::new(50), max: Fen::from_yuan(499) };
        settings.product.scenes.push(SceneTerms { scene, amount });
        let kind = AppKind::MobileApp;
        settings.apps.push(hongbao_domain::merchant::BoundApp { app: app("wx-phone"), kind });
        settings.risk_level = RiskLevel::try_new(1).unwrap();
        tweak(settings);
    };
    platform.set(MERCHANT, prepare).await;
    a_user("oRobot").with_standing(Standing::Bot).in_store(&*platform.store).await;
    platform
}

type Story = Pin<Box<dyn Future<Output = String>>>;

/// Codes that take more than one call.
fn stories() -> Vec<(ErrCode, Story)> {
    async fn after(first: Call, then: Call) -> String {
        let platform = Platform::new().await;
        assert_eq!(first.ask(&platform).await.code(), "SUCCESS");
        then.ask(&platform).await.code()
    }
    let unreadable = async { a_send("e1").ask_with(&Platform::new().await, "<xml>").await.code() };
    let too_fast = async {
        let platform = Platform::on_one_server().await;
        platform.set(MERCHANT, |settings| settings.caps.sends_per_second = 1).await;
        a_query("e1").ask(&platform).await;
        a_query("e1").ask(&platform).await.code()
    };
    let many_packets = async {
        let platform = Platform::new().await;
        platform.set(MERCHANT, |settings| settings.caps.user_day_count = 1).await;
        a_send("e1").ask(&platform).await;
        platform.open("e1", platform.alice).await;
        let reply = a_send("e2").ask(&platform).await;
        assert_eq!(reply.des(), "该用户单日领取个数已达上限1个，今日已领1个");
        reply.code()
    };
    let expired = async {
        let platform = Platform::new().await;
        platform.set(MERCHANT, |settings| settings.caps.merchant_day_fen = Fen::new(1)).await;
        a_send("e1").ask(&platform).await;
        platform.clock.pass_seconds(86_400);
        a_send("e1").ask(&platform).await.code()
    };
    let halted = async {
        let platform = Platform::new().await;
        platform.servers.halt("a test");
        let reply = a_send("e1").ask(&platform).await;
        assert_eq!(reply.des(), "请求已受理，请稍后使用原单号查询发放结果");
        assert_eq!(a_query("e1").ask(&platform).await.code(), "NOT_FOUND", "reading goes on");
        reply.code()
    };
    let strange_app = async {
        let platform = Platform::new().await;
        platform.set(MERCHANT, |settings| settings.provider = true).await;
        platform.add(a_merchant().numbered(10_000_090), Some(KEY)).await;
        platform.authorize(MERCHANT, 10_000_090).await;
        let call = a_send("e1").with("sub_mch_id", "10000090").with("msgappid", "wx-nobodys");
        call.ask(&platform).await.code()
    };
    vec![
        (ErrCode::XmlError, Box::pin(unreadable)),
        (ErrCode::FreqLimit, Box::pin(too_fast)),
        (
            ErrCode::FatalError,
            Box::pin(after(a_send("e1"), a_send("e1").with("total_amount", "200"))),
        ),
        (ErrCode::SendnumLimit, Box::pin(many_packets)),
        (ErrCode::SendFailed, Box::pin(expired)),
        (ErrCode::Systemerror, Box::pin(halted)),
        (ErrCode::MsgappidError, Box::pin(strange_app)),
    ]
}

#[tokio::test]
async fn every_code_of_the_list_is_produced_or_has_a_reason_not_to_be() {
    let mut produced = BTreeSet::new();
    for (tweak, call, code, text) in table() {
        let reply = call.ask(&a_platform(tweak).await).await;
        assert_eq!((reply.code().as_str(), reply.des().as_str()), (code.as_str(), text));
        produced.insert(reply.code());
    }
    for (code, story) in stories() {
        let found = story.await;
        assert_eq!(found, code.as_str());
        produced.insert(found);
    }
    for (code, reason) in NEVER {
        assert!(produced.insert(code.to_string()), "{code} is produced, although {reason}");
    }
    let all: BTreeSet<String> = ErrCode::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(produced, all);
}

/// What refuses and keeps nothing leaves the query without an order; what can be cured is kept.
#[tokio::test]
async fn only_refusals_that_can_be_cured_leave_an_order() {
    let curable = [ErrCode::SendamountLimit, ErrCode::RcvdamountLimit, ErrCode::Notenough];
    for (tweak, call, code, text) in table() {
        let platform = a_platform(tweak).await;
        let reply = call.ask(&platform).await;
        platform.set(MERCHANT, |settings| settings.product.call_ips.clear()).await;
        let query = a_query("e1").ask(&platform).await;
        let at_risk = text.contains("风险");
        if curable.contains(&code) || at_risk {
            assert_eq!(query.text("status"), "SENDING", "{text}");
            assert_eq!(query.text("reason"), reply.des());
        } else {
            assert_eq!(query.code(), "NOT_FOUND", "{text}");
        }
    }
}
