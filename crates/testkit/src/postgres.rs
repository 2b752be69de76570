//! Where tests find PostgreSQL.

use std::sync::atomic::{AtomicU64, Ordering};

/// Names the server to test on; `scripts/with-postgres.sh` starts one and sets it.
pub const SERVER: &str = "HONGBAO_TEST_POSTGRES_URL";

static TOLD: AtomicU64 = AtomicU64::new(0);

/// The server to test on and the name of a namespace there that no other test uses. `None`, said
/// loudly, when there is no server.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub fn a_namespace() -> Option<(String, String)> {
    let Ok(server) = std::env::var(SERVER) else {
        eprintln!("SKIPPED: {SERVER} names no server; run it by scripts/with-postgres.sh");
        return None;
    };
    let number = TOLD.fetch_add(1, Ordering::Relaxed);
    Some((server, format!("test_{}_{number}", std::process::id())))
}
