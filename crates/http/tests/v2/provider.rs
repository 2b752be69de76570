//! Provider mode: who sends for whom, who pays, under which app.

use hongbao_domain::merchant::AppKind;
use hongbao_testkit::builders::{OTHER_APP, a_merchant, a_user, merchant_id};

use super::{
    call::{Call, a_group_send, a_query, a_send},
    crypto::Algorithm,
    platform::{KEY, MERCHANT, Platform},
};

const SUB: u64 = 10_000_090;
const SUB_KEY: &str = "fedcba9876543210fedcba9876543210";
const THIRD: u64 = 10_000_070;

/// [`MERCHANT`] is a provider that [`SUB`], bound to a second app, has authorized.
async fn a_provider() -> Platform {
    let platform = Platform::new().await;
    platform.set(MERCHANT, |settings| settings.provider = true).await;
    let sub = a_merchant().numbered(SUB).with_money(50_000);
    platform.add(sub.bound_to(OTHER_APP, AppKind::OfficialAccount), Some(SUB_KEY)).await;
    platform.add(a_merchant().numbered(THIRD).with_money(50_000), Some(SUB_KEY)).await;
    platform.authorize(MERCHANT, SUB).await;
    platform
}

fn for_sub(bill_no: &str) -> Call {
    a_send(bill_no).with("sub_mch_id", &SUB.to_string()).with("msgappid", OTHER_APP)
}

async fn basics(platform: &Platform) -> [i64; 2] {
    [platform.basic_fen(MERCHANT).await, platform.basic_fen(SUB).await]
}

#[tokio::test]
async fn the_sub_merchant_pays_unless_the_provider_names_itself() {
    let platform = a_provider().await;
    let reply = for_sub("p1").ask(&platform).await.signed(KEY, Algorithm::Md5);
    assert_eq!(reply.code(), "SUCCESS");
    assert_eq!(reply.text("mch_id"), MERCHANT.to_string());
    assert_eq!(basics(&platform).await, [1_000_000, 49_900]);
    let named = for_sub("p2").with("consume_mch_id", &MERCHANT.to_string());
    assert_eq!(named.ask(&platform).await.code(), "SUCCESS");
    assert_eq!(basics(&platform).await, [999_900, 49_900]);
    let named = for_sub("p3").with("consume_mch_id", &SUB.to_string());
    assert_eq!(named.ask(&platform).await.code(), "SUCCESS");
    assert_eq!(basics(&platform).await, [999_900, 49_800]);
}

#[tokio::test]
#[rustfmt::skip]
async fn what_provider_mode_does_not_allow_is_refused_by_name() {
    let platform = a_provider().await;
    let third = THIRD.to_string();
    let s = for_sub;
    let group = a_group_send("p1").with("sub_mch_id", &SUB.to_string()).with("msgappid", OTHER_APP);
    let table: Vec<(Call, &str, &str)> = vec![
        (s("p1").with("sub_mch_id", &third),           "ACCEPTMODE_ERROR", "服务商与子商户之间没有有效的授权，请先由子商户完成授权"),
        (s("p1").with("sub_mch_id", "10000011"),       "ACCEPTMODE_ERROR", "服务商与子商户之间没有有效的授权，请先由子商户完成授权"),
        (s("p1").with("sub_mch_id", "10000098"),       "ACCEPTMODE_ERROR", "服务商与子商户之间没有有效的授权，请先由子商户完成授权"),
        (s("p1").with("consume_mch_id", &third),       "PARAM_ERROR",      "consume_mch_id必须是服务商或其子商户的商户号"),
        (s("p1").with("consume_mch_id", "10000011"),   "PARAM_ERROR",      "consume_mch_id必须是服务商或其子商户的商户号"),
        (s("p1").with("sub_mch_id", "x"),              "PARAM_ERROR",      "sub_mch_id有误：必须是8到10位数字的商户号"),
        (s("p1").with("consume_mch_id", "x"),          "PARAM_ERROR",      "consume_mch_id有误：必须是8到10位数字的商户号"),
        (s("p1").with("msgappid", "wx 1"),             "PARAM_ERROR",      "msgappid有误：只能使用1到32位数字、英文字母、下划线和减号"),
        (s("p1").without("msgappid"),                  "PARAM_ERROR",      "msgappid必填：填写了sub_mch_id（服务商模式）时须同时填写"),
        (s("p1").with("msgappid", "wx-app-nobodys"),   "MSGAPPID_ERROR",   "msgappid有误：未与服务商或子商户绑定"),
        (s("p1").with("wxappid", OTHER_APP),           "PARAM_ERROR",      "商户号和wxappid不匹配"),
        (group,                                        "PARAM_ERROR",      "服务商模式（sub_mch_id）只能通过接口发放普通红包"),
    ];
    for (call, code, text) in table {
        let reply = call.ask(&platform).await.signed(KEY, Algorithm::Md5);
        assert_eq!((reply.code().as_str(), reply.des().as_str()), (code, text), "{:?}", call.fields);
    }
    assert_eq!(basics(&platform).await, [1_000_000, 50_000]);
}

#[tokio::test]
async fn without_a_sub_merchant_the_fields_of_provider_mode_mean_nothing() {
    let platform = a_provider().await;
    for (number, payer) in [("p1", SUB.to_string()), ("p2", "x".to_owned())] {
        let call = a_send(number).with("consume_mch_id", &payer).with("msgappid", "wx-app-nobodys");
        assert_eq!(call.ask(&platform).await.code(), "SUCCESS");
    }
    assert_eq!(basics(&platform).await, [999_800, 50_000]);
    a_user("oMina").in_app(OTHER_APP).in_store(&*platform.store).await;
    let under_message_app = a_send("p3").with("msgappid", OTHER_APP).with("re_openid", "oMina");
    assert_eq!(under_message_app.ask(&platform).await.code(), "OPENID_ERROR");
}

#[tokio::test]
async fn a_receiver_may_be_named_under_the_message_app() {
    let platform = a_provider().await;
    a_user("oMina").in_app(OTHER_APP).in_store(&*platform.store).await;
    let call = for_sub("p1").with("re_openid", "oMina");
    assert_eq!(call.ask(&platform).await.code(), "SUCCESS");
}

#[tokio::test]
async fn a_provider_queries_its_own_number_under_either_app() {
    let platform = a_provider().await;
    for_sub("p1").ask(&platform).await;
    for app in ["wx-app-one", OTHER_APP] {
        let reply = a_query("p1").with("appid", app).ask(&platform).await;
        assert_eq!(reply.code(), "SUCCESS", "{app}");
        assert_eq!(reply.text("mch_id"), MERCHANT.to_string());
    }
    assert_eq!(
        a_query("p1").with("appid", "wx-app-three").ask(&platform).await.code(),
        "PARAM_ERROR"
    );
    assert_eq!(a_query("p1").of(SUB, SUB_KEY).ask(&platform).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn numbers_of_provider_and_sub_merchant_do_not_meet() {
    let platform = a_provider().await;
    let providers = for_sub("p1").ask(&platform).await.text("send_listid");
    let own = a_send("p1").of(SUB, SUB_KEY).ask(&platform).await.text("send_listid");
    assert_ne!(providers, own);
}

#[tokio::test]
#[rustfmt::skip]
async fn a_number_keeps_its_sub_merchant_its_message_app_and_its_payer() {
    let platform = a_provider().await;
    assert_eq!(for_sub("p1").ask(&platform).await.code(), "SUCCESS");
    let other = for_sub("p1").with("sub_mch_id", &THIRD.to_string());
    let table = [
        (other.clone(),                                               "更换了sub_mch_id，但商户单号未更新"),
        (other.with("msgappid", "wx-app-one").with("re_openid", "o"), "更换了sub_mch_id，但商户单号未更新"),
        (a_send("p1"),                                                "更换了sub_mch_id，但商户单号未更新"),
        (for_sub("p1").with("msgappid", "wx-app-one"),                "更换了msgappid，但商户单号未更新"),
        (for_sub("p1").with("consume_mch_id", &MERCHANT.to_string()), "更换了付款商户号，但商户单号未更新"),
        (for_sub("p1").with("consume_mch_id", "10000011"),            "更换了付款商户号，但商户单号未更新"),
    ];
    for (call, text) in table {
        let reply = call.ask(&platform).await;
        assert_eq!((reply.code().as_str(), reply.des().as_str()), ("PARAM_ERROR", text));
    }
}

#[tokio::test]
async fn an_authorization_that_was_revoked_lets_nothing_through() {
    let platform = a_provider().await;
    let (provider, sub) = (merchant_id(MERCHANT), merchant_id(SUB));
    let revoked = hongbao_app::ports::AuthorizationState::Revoked;
    let actor = hongbao_domain::change::Actor::command_line();
    platform.app.set_authorization(provider, sub, revoked, actor).await.unwrap();
    assert_eq!(for_sub("p1").ask(&platform).await.code(), "ACCEPTMODE_ERROR");
}

#[tokio::test]
async fn a_merchant_that_is_no_provider_cannot_act_as_one() {
    let platform = a_provider().await;
    platform.set(MERCHANT, |settings| settings.provider = false).await;
    assert_eq!(for_sub("p1").ask(&platform).await.code(), "ACCEPTMODE_ERROR");
}
