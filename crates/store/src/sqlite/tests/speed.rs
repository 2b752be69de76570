//! How fast durable claims are, in batches and one by one.
//!
//! `cargo test --release -p hongbao-store -- --ignored --nocapture speed`

use std::time::{Duration, Instant};

use hongbao_domain::{UserId, ids::Access};

use super::{Fixture, claim, send};

const PACKETS: u64 = 100_000;
const USERS: u64 = 50_000;
const SINGLE_CLAIMS: u64 = 2_000;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a measurement is about elapsed time")]
fn start() -> Instant {
    Instant::now()
}

/// A store with packets sent to users in a mixed order.
async fn funded(packets: u64, users: u64) -> Fixture {
    let fixture = Fixture::new();
    fixture.merchant(900_000_000).await;
    for user in 1..=users {
        fixture.stranger_user(user);
    }
    for first in (0..packets).step_by(4_000) {
        let last = packets.min(first + 4_000);
        let sends = (first..last)
            .map(|no| send(&format!("b{no}"), &format!("u{}", receiver(no, users)), 100, 1))
            .collect();
        let sent = fixture.run(sends).await.unwrap();
        assert!(sent.iter().all(Result::is_ok));
    }
    fixture
}

/// Spreads packets over users: 7,919 is prime and divides no round number.
fn receiver(no: u64, users: u64) -> u64 {
    (no * 7_919) % users + 1
}

impl Fixture {
    /// A user put straight into the tables: registering fifty thousand one by one takes a minute.
    fn stranger_user(&self, user: u64) {
        thread_local! {
            static STRANGER: std::cell::RefCell<Option<rusqlite::Connection>> = const { std::cell::RefCell::new(None) };
        }
        STRANGER.with_borrow_mut(|stranger| {
            let stranger = stranger.get_or_insert_with(|| {
                let stranger = self.stranger();
                stranger.execute_batch("PRAGMA synchronous = OFF").unwrap();
                stranger
            });
            let user = i64::try_from(user).unwrap();
            stranger
                .prepare_cached("INSERT INTO wallet VALUES (?1, 0, 0, 0, 0, 0, NULL, 0, 0)")
                .unwrap()
                .execute((user,))
                .unwrap();
            stranger
                .prepare_cached("INSERT INTO app_user VALUES ('u' || ?1, 'wx1', ?1, 's' || ?1, 'Name', NULL, 0, 0, 0)")
                .unwrap()
                .execute((user,))
                .unwrap();
        });
    }
}

/// Processor time of this process so far, in hundredths of a second: on a busy machine it says
/// more than elapsed time.
fn processor_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(") ").next().unwrap().split(' ');
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

async fn claim_all(fixture: &Fixture, numbers: Vec<u64>, users: u64, batch: usize) -> Duration {
    let started = start();
    for numbers in numbers.chunks(batch) {
        let claims = numbers
            .iter()
            .map(|&no| claim(no, UserId::new(receiver(no - 1, users)), Access::Message))
            .collect();
        let claimed = fixture.run(claims).await.unwrap();
        assert!(claimed.iter().all(Result::is_ok), "{:?}", claimed.iter().find(|c| c.is_err()));
    }
    started.elapsed()
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a printed rate")]
fn rate(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of a minute"]
async fn batches_claim_many_times_faster_than_single_transactions() {
    let (packets, users) = (setting("PACKETS", PACKETS), setting("USERS", USERS));
    let fixture = funded(packets, users).await;
    // Claimed in a mixed order, as people do: 15,485,863 is prime.
    let mut order: Vec<u64> = (0..packets).map(|i| (i * 15_485_863) % packets + 1).collect();
    let singles = order.split_off(order.len() - usize::try_from(SINGLE_CLAIMS).unwrap());
    let took = claim_all(&fixture, singles, users, 1).await;
    let single = rate(SINGLE_CLAIMS, took);
    println!("single: {single:.0} claims/s");
    let half = order.split_off(order.len() / 2);
    for (numbers, batch) in [(order, 1_000), (half, 4_000)] {
        let count = u64::try_from(numbers.len()).unwrap();
        let ticks = processor_ticks();
        let batched = rate(count, claim_all(&fixture, numbers, users, batch).await);
        let micros = (processor_ticks() - ticks) * 10_000 / count;
        println!(
            "batches of {batch}: {batched:.0} claims/s, {:.0} x, {micros} µs of processor a claim",
            batched / single
        );
        assert!(batched > 10.0 * single, "batching lost its gain");
    }
    let log = std::fs::metadata(format!("{}-wal", fixture.path().display())).unwrap();
    println!("log: {} MiB", log.len() / 1_048_576);
}
