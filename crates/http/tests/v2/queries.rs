//! Queries: states through time, claims, refunds, what is not found.

use hongbao_domain::Fen;
use hongbao_testkit::builders::{OTHER_APP, a_merchant, a_user};

use super::{
    call::{a_group_send, a_query, a_send},
    platform::{KEY, MERCHANT, Platform},
};

#[tokio::test]
async fn a_packet_is_followed_from_sent_to_received() {
    let platform = Platform::new().await;
    let sent = a_send("q1").ask(&platform).await;
    let query = a_query("q1").ask(&platform).await.unsigned();
    assert_eq!(query.text("return_msg"), "OK");
    assert_eq!((query.code(), query.des()), ("SUCCESS".to_owned(), "OK".to_owned()));
    #[rustfmt::skip]
    let expected = [
        ("mch_billno", "q1"), ("mch_id", "10000098"), ("status", "SENT"), ("send_type", "API"),
        ("hb_type", "NORMAL"), ("total_num", "1"), ("total_amount", "100"),
        ("send_time", "2026-03-02 10:00:00"), ("wishing", "恭喜发财"), ("remark", "备注"),
        ("act_name", "新年活动"),
    ];
    for (name, value) in expected {
        assert_eq!(query.text(name), value, "{name}");
    }
    assert_eq!(query.text("detail_id"), sent.text("send_listid"));
    for absent in ["reason", "refund_time", "refund_amount", "hblist", "appid"] {
        assert_eq!(query.get(absent), None, "{absent}");
    }
    platform.clock.pass_seconds(60);
    platform.open("q1", platform.alice).await;
    platform.clock.pass_seconds(86_400);
    let query = a_query("q1").ask(&platform).await.unsigned();
    assert_eq!(query.text("status"), "RECEIVED");
    assert_eq!(query.text("send_time"), "2026-03-02 10:00:00");
    let hblist = "<hblist>\n<hbinfo>\n<openid><![CDATA[oAlice]]></openid>\n\
                  <status><![CDATA[RECEIVED]]></status>\n<amount>100</amount>\n\
                  <rcv_time><![CDATA[2026-03-02 10:01:00]]></rcv_time>\n</hbinfo>\n</hblist>\n</xml>";
    assert!(query.xml.ends_with(hblist), "{}", query.xml);
}

#[tokio::test]
async fn a_packet_nobody_opens_is_on_its_way_back_and_then_back() {
    let platform = Platform::new().await;
    a_send("q1").ask(&platform).await;
    let status = async || a_query("q1").ask(&platform).await.text("status");
    platform.clock.pass_seconds(86_399);
    assert_eq!(status().await, "SENT");
    platform.clock.pass_seconds(1);
    assert_eq!(status().await, "RFUND_ING");
    platform.clock.pass_seconds(5);
    platform.refund("q1").await;
    let query = a_query("q1").ask(&platform).await;
    assert_eq!(query.text("status"), "REFUND");
    assert_eq!(query.text("refund_time"), "2026-03-03 10:00:05");
    assert_eq!(query.text("refund_amount"), "100");
    assert_eq!(query.get("hblist"), None);
}

#[tokio::test]
async fn a_group_shows_every_claim_and_what_went_back() {
    let platform = Platform::new().await;
    a_group_send("q1").ask(&platform).await;
    let stranger = a_user("oElsewhere").in_app(OTHER_APP).in_store(&*platform.store).await;
    let first = platform.open("q1", platform.alice).await.amount;
    platform.clock.pass_seconds(1);
    let second = platform.open_shared("q1", platform.alice, stranger).await.amount;
    let query = a_query("q1").ask(&platform).await.unsigned();
    assert_eq!(
        (query.text("status"), query.text("hb_type")),
        ("SENT".to_owned(), "GROUP".to_owned())
    );
    assert_eq!(query.text("total_num"), "3");
    // The second is known in another app only: nothing rather than a name of another kind.
    assert_eq!(query.all("openid"), ["oAlice", ""]);
    assert_eq!(query.all("status"), ["SENT", "RECEIVED", "RECEIVED"]);
    assert_eq!(query.all("amount"), [first, second].map(|fen| fen.get().to_string()));
    assert_eq!(query.all("rcv_time"), ["2026-03-02 10:00:00", "2026-03-02 10:00:01"]);
    platform.clock.pass_seconds(86_400);
    platform.refund("q1").await;
    let query = a_query("q1").ask(&platform).await;
    assert_eq!(query.text("status"), "REFUND");
    let left = 300 - first.get() - second.get();
    assert_eq!(query.text("refund_amount"), left.to_string());
    assert_eq!(query.all("hbinfo").len(), 2);
}

#[tokio::test]
async fn a_group_is_received_with_its_last_claim() {
    let platform = Platform::new().await;
    a_group_send("q1").ask(&platform).await;
    let carol = a_user("oCarol").in_store(&*platform.store).await;
    platform.open("q1", platform.alice).await;
    platform.open_shared("q1", platform.alice, platform.bob).await;
    assert_eq!(a_query("q1").ask(&platform).await.text("status"), "SENT");
    platform.open_shared("q1", platform.alice, carol).await;
    let query = a_query("q1").ask(&platform).await;
    assert_eq!(query.text("status"), "RECEIVED");
    assert_eq!(query.all("openid"), ["oAlice", "oBob", "oCarol"]);
}

#[tokio::test]
async fn a_refused_order_waits_with_its_reason_and_fails_with_it_after_a_day() {
    let platform = Platform::new().await;
    platform.set(MERCHANT, |settings| settings.caps.merchant_day_fen = Fen::new(50)).await;
    let refused = a_send("q1").ask(&platform).await;
    assert_eq!(refused.code(), "SENDAMOUNT_LIMIT");
    assert_eq!(refused.des(), "商户单日发送金额将超过上限0.50元，今日已发0.00元");
    for (seconds, status) in [(0, "SENDING"), (86_399, "SENDING"), (1, "FAILED"), (9, "FAILED")] {
        platform.clock.pass_seconds(seconds);
        let query = a_query("q1").ask(&platform).await;
        assert_eq!(query.text("status"), status);
        assert_eq!(query.text("reason"), refused.des());
        assert_eq!(query.text("send_time"), "2026-03-02 10:00:00");
        assert_eq!(query.get("hblist"), None);
    }
}

#[tokio::test]
async fn a_cured_order_was_sent_when_it_was_paid() {
    let platform = Platform::new().await;
    platform.set(MERCHANT, |settings| settings.caps.merchant_day_fen = Fen::new(50)).await;
    a_send("q1").ask(&platform).await;
    platform.set(MERCHANT, |settings| settings.caps.merchant_day_fen = Fen::new(500)).await;
    platform.clock.pass_seconds(90);
    a_send("q1").ask(&platform).await;
    assert_eq!(a_query("q1").ask(&platform).await.text("send_time"), "2026-03-02 10:01:30");
}

#[tokio::test]
async fn a_query_reaches_back_thirty_days() {
    let platform = Platform::new().await;
    a_send("q1").ask(&platform).await;
    platform.clock.pass_seconds(30 * 86_400);
    assert_eq!(a_query("q1").ask(&platform).await.code(), "SUCCESS");
    platform.clock.pass_seconds(1);
    let gone = a_query("q1").ask(&platform).await;
    let never = a_query("q2").ask(&platform).await;
    assert_eq!(gone.xml.replace("q1", "q2"), never.xml);
    assert_eq!(
        (never.code(), never.des()),
        ("NOT_FOUND".to_owned(), "指定单号数据不存在".to_owned())
    );
    assert_eq!(never.text("mch_billno"), "q2");
    assert_eq!(a_send("q1").ask(&platform).await.code(), "SUCCESS", "the number stays used");
}

#[tokio::test]
async fn the_order_of_another_merchant_is_not_found() {
    let platform = Platform::new().await;
    platform.add(a_merchant().numbered(10_000_099), Some(KEY)).await;
    a_send("q1").ask(&platform).await;
    let theirs = a_query("q1").of(10_000_099, KEY).ask(&platform).await;
    let nobodys = a_query("q2").of(10_000_099, KEY).ask(&platform).await;
    assert_eq!(theirs.xml.replace("q1", "q2"), nobodys.xml);
}

#[tokio::test]
async fn the_appid_is_the_one_the_packet_was_sent_in() {
    let platform = Platform::new().await;
    a_send("q1").ask(&platform).await;
    let reply = a_query("q1").with("appid", "wx-app-two").ask(&platform).await.unsigned();
    assert_eq!(reply.code(), "PARAM_ERROR");
    assert_eq!(reply.des(), "appid有误：必须是发放该红包时使用的wxappid");
}

#[tokio::test]
async fn a_query_looks_up_by_the_merchants_number_only() {
    let platform = Platform::new().await;
    a_send("q1").ask(&platform).await;
    for (name, value) in
        [("bill_type", "TRAN"), ("bill_type", ""), ("appid", ""), ("nonce_str", "")]
    {
        let reply = a_query("q1").with(name, value).ask(&platform).await.unsigned();
        assert_eq!(reply.code(), "PARAM_ERROR", "{name}");
        assert!(reply.des().starts_with(name));
    }
    let needless = a_query("q1").with("sub_mch_id", "10000090").with("sub_appid", "wx1");
    assert_eq!(needless.ask(&platform).await.code(), "SUCCESS");
}
