//! Nobody reaches what is somebody else's (group L), and nothing is reached but the routes (K-9).

use hongbao_domain::ids::Access;
use hongbao_http::pocket;
use hongbao_testkit::builders::{a_send, group_terms};

use crate::{
    call::{Answer, call},
    town::{Town, token},
};

fn word(method: &axum::http::Method) -> &'static str {
    ["GET", "POST", "PUT", "DELETE", "PATCH"].into_iter().find(|w| *w == method.as_str()).unwrap()
}

async fn on_code(town: &Town, who: &str, code: &str) -> Vec<(&'static str, Answer)> {
    let mut answers = Vec::new();
    for route in pocket::routes().iter().filter(|route| route.path().contains("{code}")) {
        let path = route.path().replace("{code}", code);
        let request = call(word(&route.method()), path).by(&token(who)).english();
        answers.push((route.path(), request.on(&town.pocket).await));
    }
    answers
}

#[tokio::test]
async fn a_foreign_packet_an_unknown_one_and_nonsense_look_alike_on_every_route() {
    let town = Town::new().await;
    let normal = town.gave("alice", 100, "I1").await;
    let group = town.sent(&a_send(town.merchant, "I2", group_terms("alice", 300, 3))).await;
    let linked = town
        .code_of(&a_send(town.merchant, "I4", group_terms("bob", 300, 3)), Access::Message)
        .await;
    // A code with another token, of another packet number, and of no merchant.
    let turned = normal.chars().rev().collect::<String>();
    let forged = normal.chars().take(30).chain(linked.chars().skip(30)).collect::<String>();
    let cases = [normal.as_str(), &group, &forged, &turned, "x", "%00", "..%2f..", "%ff"];
    let mut seen = Vec::new();
    for code in cases {
        for (path, answer) in on_code(&town, "carol", code).await {
            assert_eq!(answer.status, 404, "{path} {code}: {answer:?}");
            if code != "%ff" {
                seen.push(answer.body);
            }
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    // Nothing of it was done.
    assert_eq!(on_code(&town, "alice", &normal).await[1].1.status, 200);
}

#[tokio::test]
async fn a_normal_packet_has_no_shared_link() {
    let town = Town::new().await;
    let send = a_send(town.merchant, "I5", hongbao_testkit::builders::normal_terms("alice", 100));
    let shared = town.code_of(&send, Access::SharedLink).await;
    for (path, answer) in on_code(&town, "bob", &shared).await {
        assert_eq!(answer.problem(), (404, "packet_unknown"), "{path}");
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_owner_and_its_list_only() {
    let town = Town::new().await;
    for (who, number) in [("alice", "C1"), ("alice", "C2"), ("bob", "C3")] {
        let code = town.gave(who, 100, number).await;
        let path = format!("/pocket/v1/packets/{code}/open");
        assert_eq!(call("POST", path).by(&token(who)).on(&town.pocket).await.status, 200);
    }
    town.follow().await;
    for (list, other) in [("messages", "wallet/entries"), ("wallet/entries", "messages")] {
        let get = |who: &str, list: &str, query: &str| {
            call("GET", format!("/pocket/v1/{list}?limit=1{query}")).by(&token(who))
        };
        let page = get("alice", list, "").on(&town.pocket).await.body;
        let cursor = format!("&cursor={}", page["next"].as_str().unwrap());
        assert_eq!(get("alice", list, &cursor).on(&town.pocket).await.status, 200);
        for request in [get("bob", list, &cursor), get("alice", other, &cursor)] {
            assert_eq!(request.on(&town.pocket).await.problem(), (400, "bad_query"));
        }
    }
}

#[tokio::test]
async fn every_route_wants_a_token_and_nothing_else_is_a_route() {
    let town = Town::new().await;
    let routes = pocket::routes();
    assert_eq!(routes.len(), 11);
    for route in &routes {
        let path = route.path().replace("{code}", "x");
        let method = word(&route.method());
        let without = call(method, &path).on(&town.pocket).await;
        assert_eq!(without.problem(), (401, "unauthenticated"), "{method} {path}");
        for near in
            [format!("{path}/"), path.to_uppercase(), format!("/{path}"), format!("{path}%20")]
        {
            let answer = call(method, &near).by(&token("alice")).on(&town.pocket).await;
            assert_eq!(answer.status, 404, "{near}");
        }
        let known: Vec<_> = routes
            .iter()
            .filter(|r| r.path() == route.path())
            .map(pocket::json::Route::method)
            .collect();
        for other in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            if known.iter().all(|method| method.as_str() != other) {
                let answer = call(other, &path).by(&token("alice")).on(&town.pocket).await;
                assert_eq!(answer.problem(), (405, "method_not_allowed"), "{other} {path}");
                assert!(answer.headers["allow"].to_str().unwrap().contains(method), "{path}");
            }
        }
        let overridden = call("DELETE", "/pocket/v1/wallet").by(&token("alice"));
        let overridden = overridden.header("x-http-method-override", "GET").on(&town.pocket).await;
        assert_eq!(overridden.status, 405);
    }
}
