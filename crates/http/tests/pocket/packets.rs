//! Inbox, pages, opening and passing on.

use hongbao_domain::{Timestamp, ids::Access};
use hongbao_testkit::{
    builders::{a_merchant, a_send, group_terms},
    clock::DAY_SECONDS,
};
use serde_json::{Value, json};

use crate::{
    call::{Answer, call},
    town::{Town, token},
};

async fn get(town: &Town, who: &str, path: String) -> Answer {
    call("GET", path).by(&token(who)).on(&town.pocket).await
}

async fn open(town: &Town, who: &str, code: &str) -> Answer {
    let path = format!("/pocket/v1/packets/{code}/open");
    call("POST", path).by(&token(who)).on(&town.pocket).await
}

async fn page(town: &Town, who: &str, code: &str) -> Value {
    let answer = get(town, who, format!("/pocket/v1/packets/{code}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

#[tokio::test]
async fn a_packet_is_announced_opened_once_and_told_again() {
    let town = Town::new().await;
    town.gave("alice", 188, "A1").await;
    town.follow().await;
    let inbox = get(&town, "alice", "/pocket/v1/messages".to_owned()).await.body;
    let line = &inbox["items"][0];
    assert_eq!(inbox["next"], Value::Null);
    assert_eq!(line["form"], "template");
    assert_eq!((&line["sender"], &line["wishing"]), (&json!("Lantern Tea"), &json!("恭喜发财")));
    assert_eq!((&line["kind"], &line["status"]), (&json!("normal"), &json!("sent")));
    assert_eq!(line["sent_at"], "2026-03-02T10:00:00.000+08:00");
    assert_eq!(line["expires_at"], "2026-03-03T10:00:00.000+08:00");
    let code = line["code"].as_str().unwrap();

    let before = page(&town, "alice", code).await;
    assert_eq!((&before["standing"], &before["total"]), (&json!("can_open"), &Value::Null));
    let opened = open(&town, "alice", code).await;
    let amount = json!({ "amount": 188, "currency": "CNY" });
    assert_eq!(opened.body["amount"], amount);
    assert_eq!((&opened.body["share_no"], &opened.body["replayed"]), (&json!(1), &json!(false)));
    assert_eq!(opened.body["money_state"], "paid");
    town.clock.pass_seconds(60);
    let again = open(&town, "alice", code).await;
    assert_eq!((&again.body["replayed"], &again.body["amount"]), (&json!(true), &amount));
    assert_eq!(again.body["at"], opened.body["at"]);

    let wallet = get(&town, "alice", "/pocket/v1/wallet".to_owned()).await.body;
    assert_eq!(wallet, json!({ "balance": amount, "pending_entries": 1, "frozen": false }));
    let after = page(&town, "alice", code).await;
    assert_eq!((&after["standing"], &after["status"]), (&json!("has_share"), &json!("received")));
    assert_eq!(after["share"], json!({ "amount": amount, "share_no": 1 }));
    assert_eq!((&after["link"], &after["split"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_group_packet_is_opened_by_its_seed_then_passed_on_and_proved() {
    let town = Town::new().await;
    let send = a_send(town.merchant, "G1", group_terms("alice", 600, 3));
    let message = town.sent(&send).await;
    let shared = town.code_of(&send, Access::SharedLink).await;

    let early = open(&town, "bob", &shared).await;
    assert_eq!(early.problem(), (409, "seed_first"));
    assert_eq!(early.body["next_action"], "wait");
    assert_eq!(page(&town, "bob", &shared).await["standing"], "waits_for_seed");
    let share = format!("/pocket/v1/packets/{message}/share");
    let none = call("POST", &share).by(&token("alice")).on(&town.pocket).await;
    assert_eq!(none.problem(), (409, "no_share"));

    assert_eq!(open(&town, "alice", &message).await.status, 200);
    let link = call("POST", &share).by(&token("alice")).on(&town.pocket).await;
    assert_eq!(link.body, json!({ "code": shared, "path": format!("/p/{shared}") }));
    let running = page(&town, "bob", &shared).await;
    assert_eq!((&running["standing"], &running["link"]), (&json!("can_open"), &Value::Null));
    assert_eq!(running["total"]["amount"], 600);
    assert_eq!(running["split"]["seed"], Value::Null);
    for who in ["bob", "carol"] {
        assert_eq!(open(&town, who, &shared).await.status, 200);
    }

    let done = page(&town, "bob", &shared).await;
    assert_eq!(done["status"], "received");
    let claims = done["claims"].as_array().unwrap();
    let sum: i64 = claims.iter().map(|c| c["amount"]["amount"].as_i64().unwrap()).sum();
    let best = claims.iter().map(|c| c["amount"]["amount"].as_i64().unwrap()).max();
    assert_eq!((claims.len(), sum), (3, 600));
    let lucky: Vec<&Value> = claims.iter().filter(|c| c["luckiest"] == true).collect();
    assert_eq!(lucky.len(), 1);
    assert_eq!(lucky.first().unwrap()["amount"]["amount"].as_i64(), best);
    let mine: Vec<&Value> = claims.iter().filter(|c| c["mine"] == true).collect();
    assert_eq!(mine.iter().map(|c| &c["name"]).collect::<Vec<_>>(), ["BOB"]);
    assert_eq!(done["split"]["commitment"], running["split"]["commitment"]);
    assert_eq!(done["split"]["seed"].as_str().unwrap().len(), 64);
    assert!(!done.to_string().contains("\"carol\""), "names of others are display names only");
}

#[tokio::test]
async fn too_late_is_told_with_its_reason() {
    let town = Town::new().await;
    let send = a_send(town.merchant, "G2", group_terms("alice", 300, 3));
    let message = town.sent(&send).await;
    let shared = town.code_of(&send, Access::SharedLink).await;
    hongbao_testkit::builders::a_user("dora").in_store(&*town.store).await;
    for (who, code) in [("alice", &message), ("bob", &shared), ("carol", &shared)] {
        assert_eq!(open(&town, who, code).await.status, 200);
    }
    assert_eq!(open(&town, "dora", &shared).await.problem(), (410, "all_taken"));
    assert_eq!(page(&town, "dora", &shared).await["standing"], "all_taken");
    let late = town.gave("bob", 100, "L1").await;
    town.clock.pass_seconds(DAY_SECONDS);
    let token = |who: &str| {
        let mut said = crate::town::claims(who);
        said.exp += 2 * DAY_SECONDS;
        crate::town::issued(&said)
    };
    let path = format!("/pocket/v1/packets/{late}/open");
    let expired = call("POST", path).by(&token("bob")).english().on(&town.pocket).await;
    assert_eq!(expired.problem(), (410, "packet_expired"));
    assert_eq!(expired.body["next_action"], "none");
}

#[tokio::test]
async fn a_limit_of_the_day_says_how_much_and_until_when() {
    let merchant = a_merchant().with_money(1_000_000);
    let town = Town::of(merchant.with(|settings| settings.caps.user_day_count = 1)).await;
    let (first, second) =
        (town.gave("alice", 100, "D1").await, town.gave("alice", 100, "D2").await);
    assert_eq!(open(&town, "alice", &first).await.status, 200);
    let answer = open(&town, "alice", &second).await;
    assert_eq!(answer.problem(), (422, "user_day_count"));
    assert_eq!((&answer.body["limit"], &answer.body["used"]), (&json!(1), &json!(1)));
    assert_eq!(answer.body["next_action"], "wait");
    assert_eq!(answer.body["wait_until"], "2026-03-03T00:00:00.000+08:00");
}

#[tokio::test]
async fn the_inbox_goes_on_page_by_page_and_misses_nothing() {
    let town = Town::new().await;
    for number in 0..7 {
        town.gave("alice", 100, &format!("P{number}")).await;
        town.clock.pass_seconds(number % 2);
    }
    town.follow().await;
    let mut seen = Vec::new();
    let mut path = "/pocket/v1/messages?limit=3".to_owned();
    loop {
        let page = get(&town, "alice", path).await.body;
        let items = page["items"].as_array().unwrap().clone();
        assert!(items.len() <= 3);
        seen.extend(items.iter().map(|line| line["code"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/pocket/v1/messages?limit=3&cursor={next}");
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((count, seen.len()), (7, 7));
}

#[tokio::test]
async fn long_followers_are_shown_the_packet_itself() {
    let town = Town::new().await;
    let following = hongbao_domain::message::Following {
        since: Some(Timestamp::EPOCH),
        accepts_messages: true,
    };
    hongbao_testkit::builders::a_user("erin").following(following).in_store(&*town.store).await;
    town.gave("erin", 100, "F1").await;
    town.follow().await;
    let inbox = get(&town, "erin", "/pocket/v1/messages".to_owned()).await.body;
    assert_eq!(inbox["items"][0]["form"], "anti_fake");
}
