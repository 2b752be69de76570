//! Sending: answers, replays, refusals that can be cured.

use super::{
    call::{Call, a_group_send, a_query, a_send},
    crypto::Algorithm,
    platform::{KEY, MERCHANT, Platform},
};

#[tokio::test]
async fn a_normal_packet_is_sent_and_answered_as_the_documents_say() {
    let platform = Platform::new().await;
    let reply = a_send("a1").ask(&platform).await.signed(KEY, Algorithm::Md5);
    let names: Vec<_> =
        reply.xml.lines().filter_map(|line| Some(line.split_once('>')?.0)).collect();
    let expected = [
        "<xml",
        "<return_code",
        "<return_msg",
        "<result_code",
        "<err_code",
        "<err_code_des",
        "<mch_billno",
        "<mch_id",
        "<wxappid",
        "<re_openid",
        "<total_amount",
        "<send_listid",
        "<sign",
        "</xml",
    ];
    assert_eq!(names, expected);
    assert_eq!(reply.text("return_msg"), "发放成功");
    assert_eq!(reply.text("mch_billno"), "a1");
    assert_eq!(reply.text("mch_id"), MERCHANT.to_string());
    assert_eq!(reply.text("wxappid"), "wx-app-one");
    assert_eq!(reply.text("re_openid"), "oAlice");
    assert!(reply.xml.contains("<total_amount>100</total_amount>"));
    assert_eq!(reply.text("send_listid"), "1001000009820260302000000000001");
    assert_eq!(platform.basic_fen(MERCHANT).await, 999_900);
}

#[tokio::test]
async fn a_group_packet_is_answered_with_its_number_of_shares_and_a_right_signature() {
    let platform = Platform::new().await;
    let reply = a_group_send("g1").ask(&platform).await.signed(KEY, Algorithm::Md5);
    assert_eq!(reply.code(), "SUCCESS");
    assert_eq!(reply.text("total_amount"), "300");
    assert_eq!(reply.text("total_num"), "3");
    assert_eq!(platform.basic_fen(MERCHANT).await, 999_700);
}

#[tokio::test]
async fn the_request_reaches_the_order_as_it_was_written() {
    let platform = Platform::new().await;
    platform
        .set(MERCHANT, |settings| {
            let amount = settings.amount;
            let scene = hongbao_domain::merchant::Scene::TaxReceiptPrizes;
            settings.product.scenes.push(hongbao_domain::merchant::SceneTerms { scene, amount });
        })
        .await;
    let call = a_send("a1").with("scene_id", "PRODUCT_8").with("risk_info", "posttime%3d1");
    assert_eq!(call.ask(&platform).await.code(), "SUCCESS");
    let terms = platform.order("a1").await.record.order.terms;
    assert_eq!(terms.scene.map(hongbao_domain::merchant::Scene::number), Some(8));
    assert_eq!(terms.risk_info.as_deref(), Some("posttime%3d1"));
    assert_eq!(terms.client_ip.as_deref(), Some("192.0.2.10"));
    let texts = &terms.texts;
    let all = [&texts.send_name, &texts.wishing, &texts.act_name, &texts.remark];
    assert_eq!(all, ["天虹百货", "恭喜发财", "新年活动", "备注"]);
}

#[tokio::test]
async fn the_same_number_again_gets_the_first_answer_and_moves_nothing() {
    let platform = Platform::new().await;
    for (call, left) in [(a_send("a1"), 999_900), (a_group_send("g1"), 999_600)] {
        let first = call.ask(&platform).await;
        platform.clock.pass_seconds(3_600);
        let again = call.clone().with("nonce_str", "another").ask(&platform).await;
        assert_eq!(again.xml, first.xml);
        let other_texts = call.with("wishing", "岁岁平安").with("remark", "r").ask(&platform).await;
        assert_eq!(other_texts.xml, first.xml);
        assert_eq!(platform.basic_fen(MERCHANT).await, left);
    }
}

#[tokio::test]
async fn a_packet_that_was_claimed_or_refunded_still_replays_its_first_answer() {
    let platform = Platform::new().await;
    let (claimed, refunded) = (a_send("a1"), a_send("a2"));
    let first = [claimed.ask(&platform).await.xml, refunded.ask(&platform).await.xml];
    platform.open("a1", platform.alice).await;
    platform.clock.pass_seconds(86_400);
    platform.refund("a2").await;
    let again = [claimed.ask(&platform).await.xml, refunded.ask(&platform).await.xml];
    assert_eq!(again, first);
    assert_eq!(platform.basic_fen(MERCHANT).await, 999_900);
}

#[tokio::test]
#[rustfmt::skip]
async fn a_number_stands_for_one_receiver_one_amount_and_one_shape() {
    let platform = Platform::new().await;
    assert_eq!(a_send("a1").ask(&platform).await.code(), "SUCCESS");
    assert_eq!(a_group_send("g1").ask(&platform).await.code(), "SUCCESS");
    let table: &[(Call, &str, &str)] = &[
        (a_send("a1").with("re_openid", "oBob"),      "FATAL_ERROR", "更换了openid，但商户单号未更新"),
        (a_send("a1").with("re_openid", "oNobody"),   "FATAL_ERROR", "更换了openid，但商户单号未更新"),
        (a_send("a1").with("total_amount", "101"),    "FATAL_ERROR", "更换了金额，但商户单号未更新"),
        (a_send("a1").with("scene_id", "PRODUCT_1"),  "PARAM_ERROR", "更换了scene_id，但商户单号未更新"),
        (a_group_send("a1").with("total_amount", "100"), "PARAM_ERROR", "更换了total_num，但商户单号未更新"),
        (a_group_send("g1").with("total_num", "4"),   "PARAM_ERROR", "更换了total_num，但商户单号未更新"),
        (a_group_send("g1").with("re_openid", "oBob"), "FATAL_ERROR", "更换了openid，但商户单号未更新"),
    ];
    for (call, code, text) in table {
        let reply = call.ask(&platform).await.signed(KEY, Algorithm::Md5);
        assert_eq!((reply.code().as_str(), reply.des().as_str()), (*code, *text));
        assert_eq!(reply.get("send_listid"), None);
        assert_eq!(reply.text("mch_billno"), call.fields["mch_billno"]);
        assert_eq!(reply.text("re_openid"), call.fields["re_openid"]);
        assert_eq!(reply.text("total_amount"), call.fields["total_amount"]);
    }
    assert_eq!(platform.basic_fen(MERCHANT).await, 999_600);
}

#[tokio::test]
async fn order_numbers_are_told_apart_by_case() {
    let platform = Platform::new().await;
    let lower = a_send("abc").ask(&platform).await.text("send_listid");
    assert_ne!(a_send("ABC").ask(&platform).await.text("send_listid"), lower);
}

#[tokio::test]
async fn a_refused_order_is_cured_with_the_same_number() {
    let platform = Platform::new().await;
    platform.set(MERCHANT, |settings| settings.operation_account_opened = true).await;
    let refused = a_send("a1").ask(&platform).await.signed(KEY, Algorithm::Md5);
    assert_eq!(refused.code(), "NOTENOUGH");
    assert_eq!(refused.des(), "运营账户余额不足，请到商户平台充值后再重试");
    let query = a_query("a1").ask(&platform).await;
    assert_eq!((query.text("status"), query.text("reason")), ("SENDING".to_owned(), refused.des()));
    let merchant = hongbao_testkit::builders::merchant_id(MERCHANT);
    let reference = hongbao_testkit::builders::reference("move-1");
    let amount = hongbao_domain::Fen::new(100);
    let cure = hongbao_domain::merchant::MoveToOperation { merchant, amount, reference };
    platform.app.executor().submit(cure).await.unwrap();
    let cured = a_send("a1").ask(&platform).await;
    assert_eq!(cured.code(), "SUCCESS");
    let query_after = a_query("a1").ask(&platform).await;
    assert_eq!(query_after.text("status"), "SENT");
    assert_eq!(query_after.get("reason"), None);
    assert_eq!(query_after.text("detail_id"), cured.text("send_listid"));
    assert_eq!(query.text("detail_id"), cured.text("send_listid"));
}

#[tokio::test]
async fn an_order_that_nobody_cures_within_a_day_needs_a_new_number() {
    let platform = Platform::new().await;
    platform
        .set(MERCHANT, |settings| settings.caps.user_day_fen = hongbao_domain::Fen::new(99))
        .await;
    assert_eq!(a_send("a1").ask(&platform).await.code(), "RCVDAMOUNT_LIMIT");
    platform.clock.pass_seconds(86_400);
    platform
        .set(MERCHANT, |settings| settings.caps.user_day_fen = hongbao_domain::Fen::new(100))
        .await;
    let late = a_send("a1").ask(&platform).await;
    assert_eq!(
        (late.code(), late.des()),
        ("SEND_FAILED".to_owned(), "该订单已经过期,请更换商户单号".to_owned())
    );
    assert_eq!(a_send("a2").ask(&platform).await.code(), "SUCCESS");
}

#[tokio::test]
async fn a_refusal_before_the_order_leaves_no_order() {
    let platform = Platform::new().await;
    assert_eq!(
        a_send("a1").with("re_openid", "oNobody").ask(&platform).await.code(),
        "OPENID_ERROR"
    );
    assert_eq!(
        a_send("a2").with("total_amount", "20001").ask(&platform).await.code(),
        "MONEY_LIMIT"
    );
    assert_eq!(a_send("a3").keyed("another").ask(&platform).await.code(), "SIGN_ERROR");
    for number in ["a1", "a2", "a3"] {
        assert_eq!(a_query(number).ask(&platform).await.code(), "NOT_FOUND");
    }
    assert_eq!(a_send("a1").ask(&platform).await.code(), "SUCCESS");
}

#[tokio::test]
async fn amounts_outside_the_bounds_are_refused_with_the_bounds() {
    let platform = Platform::new().await;
    for amount in ["30", "99", "20001", "9223372036854775807"] {
        let reply = a_send("a1").with("total_amount", amount).ask(&platform).await;
        assert_eq!(reply.code(), "MONEY_LIMIT");
        assert_eq!(reply.des(), "付款金额必须在1.00元到200.00元之间");
    }
    let reply = a_group_send("g1").with("total_amount", "299").ask(&platform).await;
    assert_eq!(reply.des(), "付款金额必须在3.00元到600.00元之间");
    let huge = a_group_send("g1").with("total_amount", "9223372036854775807");
    assert_eq!(huge.ask(&platform).await.code(), "MONEY_LIMIT");
}

#[tokio::test]
async fn texts_with_markup_come_back_as_they_were_sent() {
    let platform = Platform::new().await;
    let odd = "a]]>b<c>&amp;\"'\u{1f9e7}";
    let call = a_send("a1").with("wishing", odd);
    let xml = call.xml().replace("]]>b<c>", "]]]]><![CDATA[>b<c>");
    assert_eq!(call.ask_with(&platform, xml).await.code(), "SUCCESS");
    assert_eq!(a_query("a1").ask(&platform).await.text("wishing"), odd);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_number_sent_by_many_at_once_is_one_packet() {
    let platform = std::sync::Arc::new(Platform::new().await);
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let platform = std::sync::Arc::clone(&platform);
            tokio::spawn(async move { a_send("a1").ask(&platform).await.xml })
        })
        .collect();
    let mut answers = std::collections::BTreeSet::new();
    for task in tasks {
        answers.insert(task.await.unwrap());
    }
    assert_eq!(answers.len(), 1);
    assert_eq!(platform.basic_fen(MERCHANT).await, 999_900);
}
