//! Problems: every reason has one, in both languages, that says where the money is.

use std::collections::BTreeSet;

use axum::response::Response;
use hongbao_app::{AppError, executor::Failure, ports::StoreError, vault::VaultError};
use hongbao_domain::{
    Fen, Refusal, Timestamp,
    ledger::AccountKind,
    merchant::{Scene, SendWay},
};
use hongbao_http::problem::{Language, Problem, rows};
use hongbao_testkit::builders::{app, merchant_id};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::{
    call::call,
    town::{Town, token},
};

async fn body(response: Response) -> Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

/// One of each.
fn refusals() -> Vec<Refusal> {
    let (at, fen) = (Timestamp::from_millis(1_772_416_800_000), Fen::new(100));
    let app = app("wx-other");
    let all = vec![
        Refusal::ReceiverChanged,
        Refusal::AmountChanged,
        Refusal::TermChanged { term: "scene" },
        Refusal::OrderExpired { since: at },
        Refusal::ReferenceReused,
        Refusal::MerchantUnknown,
        Refusal::MerchantFrozen,
        Refusal::ProductNotOpened,
        Refusal::WayClosed { way: SendWay::Api },
        Refusal::NotAuthorized { sub_merchant: merchant_id(10_000_001) },
        Refusal::ProviderSendsNormalOnly,
        Refusal::PayerNotAllowed,
        Refusal::AppKindNotAllowed { app: app.clone() },
        Refusal::AppNotBound { app: app.clone() },
        Refusal::MessageAppNotBound { app },
        Refusal::SceneNotOpened { scene: Scene::PrizeDraw },
        Refusal::ShareCountOutOfRange { min: 3, max: 20 },
        Refusal::AmountOutOfRange { min: fen, max: Fen::new(20_000) },
        Refusal::ReceiverUnknown,
        Refusal::RiskStopped { level: 2 },
        Refusal::MerchantDayAmount { cap: fen, used: fen },
        Refusal::UserDayCount { cap: 10, used: 10 },
        Refusal::UserDayAmount { cap: fen, used: fen },
        Refusal::BalanceTooLow { account: AccountKind::Wallet, balance: fen },
        Refusal::PacketUnknown,
        Refusal::NotTheReceiver,
        Refusal::PacketExpired { expired_at: at },
        Refusal::SeedFirst,
        Refusal::AllTaken,
        Refusal::NotExpired { expires_at: at },
        Refusal::UserUnknown,
        Refusal::WalletFrozen,
        Refusal::SelfTransfer,
        Refusal::AmountNotAllowed { max: fen },
        Refusal::OperationAccountNotOpened,
        Refusal::WithdrawalUnknown,
        Refusal::NotASandbox,
        Refusal::ClockStepNotAllowed { max_seconds: 60 },
        Refusal::MoneyOverflow,
    ];
    // The order of the variants is the order of precedence, so a list in order has each once.
    assert!(all.is_sorted());
    all
}

#[tokio::test]
async fn every_refusal_has_a_code_of_its_own_and_moved_nothing() {
    let mut codes = BTreeSet::new();
    for refusal in refusals() {
        let problem = Problem::from(AppError::from(refusal.clone()));
        assert!(codes.insert(problem.row().code), "{refusal:?} shares its code");
        assert_eq!(problem.row().code, refusal.name(), "metrics call it otherwise");
        for language in [Language::Chinese, Language::English] {
            let response = problem.clone().response(language);
            assert!(response.status().is_client_error(), "{refusal:?}");
            let said = body(response).await;
            assert_eq!(said["money_state"], "not_moved", "{refusal:?}");
            let actions = ["fix_request", "wait", "contact", "none"];
            assert!(actions.iter().any(|action| said["next_action"] == *action), "{refusal:?}");
            for text in ["title", "detail"] {
                let text = said[text].as_str().unwrap();
                let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert_eq!(chinese, language == Language::Chinese, "{refusal:?}: {text}");
            }
        }
    }
}

#[test]
fn codes_are_snake_case_and_no_two_rows_share_one() {
    let codes: BTreeSet<&str> = rows::ALL.iter().map(|row| row.code).collect();
    assert_eq!(codes.len(), rows::ALL.len());
    for code in codes {
        assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code}");
    }
}

#[tokio::test]
async fn failures_say_whether_the_same_number_may_be_used_again() {
    let lost = || "SELECT secret FROM wallet; /var/lib/hongbao.db is gone".to_owned();
    let again = "retry_same_number";
    let cases: Vec<(AppError, u16, &str, &str)> = vec![
        (Failure::Busy.into(), 503, "not_moved", again),
        (Failure::Unknown.into(), 503, "unknown", again),
        (Failure::Unavailable.into(), 503, "not_moved", again),
        (Failure::Halted.into(), 503, "not_moved", "contact"),
        (Failure::Defect.into(), 500, "not_moved", "contact"),
        (StoreError::Unknown(lost()).into(), 503, "unknown", again),
        (StoreError::Unavailable(lost()).into(), 503, "not_moved", again),
        (StoreError::Conflict { what: "wallet row" }.into(), 409, "not_moved", "fix_request"),
        (StoreError::Corrupt(lost()).into(), 500, "not_moved", "contact"),
        (VaultError::DoesNotOpen.into(), 500, "not_moved", "contact"),
        (AppError::NotFound { what: "wallet row" }, 404, "not_moved", "fix_request"),
        (AppError::RateExceeded, 429, "not_moved", again),
    ];
    for (error, status, money, next) in cases {
        let named = format!("{error:?}");
        let response = Problem::from(error).response(Language::English);
        assert_eq!(response.status().as_u16(), status, "{named}");
        let waits = response.headers().contains_key("retry-after");
        assert_eq!(waits, next == again, "{named}");
        let said = body(response).await;
        assert_eq!((&said["money_state"], &said["next_action"]), (&json!(money), &json!(next)));
        let text = said.to_string();
        for leak in ["SELECT", "wallet row", "/var", "hongbao.db"] {
            assert!(!text.contains(leak), "{named} leaks {leak}: {text}");
        }
    }
}

#[tokio::test]
async fn the_language_is_chinese_unless_english_is_asked_for_first() {
    let town = Town::new().await;
    for (asked, tag) in [
        (None, "zh-CN"),
        (Some("en"), "en"),
        (Some("en-US,zh;q=0.5"), "en"),
        (Some("EN"), "en"),
        (Some("zh-CN,en;q=0.9"), "zh-CN"),
        (Some("fr"), "zh-CN"),
        (Some("english"), "zh-CN"),
    ] {
        let me = call("GET", "/pocket/v1/nowhere").by(&token("alice"));
        let me = match asked {
            Some(asked) => me.header("accept-language", asked),
            None => me,
        };
        let answer = me.on(&town.pocket).await;
        assert_eq!(answer.problem(), (404, "no_route"));
        assert_eq!(answer.headers["content-language"], tag, "{asked:?}");
        let title =
            if tag == "en" { "There is nothing at this address" } else { "接口不存在" };
        assert_eq!(answer.body["title"], title, "{asked:?}");
    }
}
