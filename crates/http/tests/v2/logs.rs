//! What a call leaves in the log.

use std::{
    cell::RefCell,
    fmt::{Debug, Write as _},
    sync::Once,
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use super::{
    call::{Call, a_group_send, a_query, a_send},
    platform::{KEY, MERCHANT, Platform},
};

thread_local! {
    /// The lines that this thread has written: a test calls the face on a thread of its own.
    static WRITTEN: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the lines of this face. Everybody's, before anything is called: whether a line is written
/// at all is remembered by the line, not by the thread.
struct Lines;

pub(super) fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| tracing::subscriber::set_global_default(Lines).unwrap());
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?};").unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("hongbao_http::v2")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        WRITTEN.with_borrow_mut(|written| written.push((*event.metadata().level(), line.0)));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The one line of a call.
async fn line_of(platform: &Platform, call: &Call, body: Option<&str>) -> (Level, String) {
    WRITTEN.take();
    let body = body.map_or_else(|| call.xml(), str::to_owned);
    call.ask_with(platform, body).await;
    let mut lines = WRITTEN.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.pop().unwrap()
}

#[tokio::test]
async fn every_call_leaves_one_line_that_names_merchant_order_and_outcome() {
    let platform = Platform::new().await;
    let (level, line) = line_of(&platform, &a_send("l1"), None).await;
    assert_eq!(level, Level::INFO);
    for part in
        ["sendredpack of 10000098, order l1", "mch_id=", "bill_no=\"l1\"", "outcome=\"SUCCESS\""]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
    let table = [
        (a_group_send("l2"), "sendgroupredpack", "SUCCESS"),
        (a_query("l1"), "gethbinfo", "SUCCESS"),
        (a_query("l9"), "gethbinfo", "NOT_FOUND"),
        (a_send("l1").with_certificate(None), "sendredpack", "CA_ERROR"),
        (a_send("l1").keyed("x"), "sendredpack", "SIGN_ERROR"),
        (a_send("l1").with("total_num", "2"), "sendredpack", "PARAM_ERROR"),
    ];
    for (call, name, outcome) in table {
        let (level, line) = line_of(&platform, &call, None).await;
        assert_eq!(level, Level::INFO);
        assert!(line.contains(&format!("{name} of 10000098")), "{line}");
        assert!(line.contains(&format!("outcome=\"{outcome}\"")), "{line}");
    }
    let (_, unreadable) = line_of(&platform, &a_send("l1"), Some("<xml>")).await;
    assert!(unreadable.contains("sendredpack of -, order -"), "{unreadable}");
}

#[tokio::test]
async fn an_outcome_that_is_the_platforms_own_fault_is_a_warning() {
    let platform = Platform::new().await;
    platform.servers.halt("a test");
    let (level, line) = line_of(&platform, &a_send("l1"), None).await;
    assert_eq!(level, Level::WARN);
    assert!(line.contains("cause=\"money operations are stopped\""), "{line}");
}

#[tokio::test]
async fn no_line_shows_a_person_a_text_a_key_or_a_signature() {
    let platform = Platform::new().await;
    platform.set(MERCHANT, |settings| settings.caps.user_day_count = 1).await;
    let calls = [
        a_send("l1"),
        a_send("l2").with("re_openid", "oNobody"),
        a_send("l3").keyed("x"),
        a_send("l4").with("wishing", "x&mch_id=1"),
        a_send("l5").with("total_amount", "x"),
        a_query("l1"),
        a_send("l6").with("mch_id", "<b>\n10000098"),
        a_send("l 7\n<b>"),
        a_query("l 7\n<b>"),
        a_send("l8\u{1b}[31m"),
    ];
    for call in calls {
        let (_, line) = line_of(&platform, &call, None).await;
        let (_, sign) = call.elements().pop().unwrap();
        for secret in ["oAlice", "oNobody", "恭喜发财", "192.0.2.10", KEY, &sign, "\u{1b}", "<b>"]
        {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}
