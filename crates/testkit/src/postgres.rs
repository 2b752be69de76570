//! Where tests find PostgreSQL.

use std::sync::atomic::{AtomicU64, Ordering};

/// Names the server to test on; `scripts/with-postgres.sh` starts one and sets it.
pub const SERVER: &str = "HONGBAO_TEST_POSTGRES_URL";

/// Names the coordinator of a Citus cluster to test on; `scripts/with-citus.sh` starts one and sets
/// it.
pub const COORDINATOR: &str = "HONGBAO_TEST_CITUS_URL";

static TOLD: AtomicU64 = AtomicU64::new(0);

/// The server to test on and the name of a namespace there that no other test uses. `None`, said
/// loudly, when there is no server.
pub fn a_namespace() -> Option<(String, String)> {
    namespace_at(SERVER, "scripts/with-postgres.sh")
}

/// The same on a distributed database.
pub fn a_distributed_namespace() -> Option<(String, String)> {
    namespace_at(COORDINATOR, "scripts/with-citus.sh")
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn namespace_at(variable: &str, script: &str) -> Option<(String, String)> {
    let Ok(server) = std::env::var(variable) else {
        eprintln!("SKIPPED: {variable} names no server; run it by {script}");
        return None;
    };
    let number = TOLD.fetch_add(1, Ordering::Relaxed);
    Some((server, format!("test_{}_{number}", std::process::id())))
}
