//! The way of many tutorials, beside the product: one packet's shares in a Redis list, taken by a
//! script, every command synced to disk.
//!
//! It leaves out what the product is for: no order and no idempotent answer to the sender, no
//! limits, no account that paid, no wallet, no journal, no expiry and refund; what was taken is a
//! list that something else must book later. It is here because many ask for it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::{
    BenchError, Plan,
    platform::Scratch,
    report::{RedisRound, best},
};
use crate::commands::say;

/// Takes a share of the list for a user who has none yet.
const TAKE: &str = "if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then return 0 end \
                    local share = redis.call('RPOP', KEYS[1]) \
                    if not share then return 0 end \
                    redis.call('HSET', KEYS[3], ARGV[1], share) \
                    redis.call('LPUSH', KEYS[2], ARGV[1] .. ':' .. share) \
                    return 1";
/// Puts shares of ¥1.00 into the list.
const FILL: &str = "for _ = 1, tonumber(ARGV[1]) do redis.call('LPUSH', KEYS[1], 100) end";
/// Clients; the best counts.
const CLIENTS: [u32; 3] = [1, 50, 500];
/// Users are drawn at random out of so many: hardly one twice.
const USERS: &str = "1000000000";

/// Rounds of claims, each at several numbers of clients.
pub(super) fn run(plan: &Plan, scratch: &Scratch) -> Result<Vec<RedisRound>, BenchError> {
    let server = Server::start(&scratch.path.join("redis"))?;
    let script = server.ask(&["SCRIPT", "LOAD", TAKE])?;
    let mut rounds = Vec::new();
    for number in 1..=plan.rounds {
        say(&format!("Redis: round {number} of {} …", plan.rounds))?;
        let mut rates = [0.0; 3];
        for (rate, clients) in rates.iter_mut().zip(CLIENTS) {
            *rate = server.claims(&script, plan.claims, clients)?;
        }
        rounds.push(RedisRound { claims: best(rates) });
    }
    Ok(rounds)
}

/// A server of its own, on a socket in its directory; it ends with the value.
struct Server {
    child: Child,
    socket: PathBuf,
}

impl Server {
    fn start(directory: &Path) -> Result<Self, BenchError> {
        fs::create_dir_all(directory)?;
        let socket = directory.join("redis.sock");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "always"])
            .arg("--dir")
            .arg(directory)
            .arg("--unixsocket")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| BenchError::Other(format!("redis-server: {error}")))?;
        let server = Self { child, socket };
        for _ in 0..100 {
            if server.ask(&["PING"]).is_ok_and(|answer| answer == "PONG") {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(BenchError::Other("redis-server does not answer".to_owned()))
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.arg("-s").arg(&self.socket);
        command
    }

    fn ask(&self, words: &[&str]) -> Result<String, BenchError> {
        answer_of(self.program("redis-cli").arg("-e").args(words))
    }

    /// Claims a second; only those count that took a share.
    fn claims(&self, script: &str, count: u64, clients: u32) -> Result<f64, BenchError> {
        let count = count.to_string();
        self.ask(&["FLUSHALL"])?;
        self.ask(&["EVAL", FILL, "1", "shares", &count])?;
        let told = answer_of(
            self.program("redis-benchmark")
                .args(["--csv", "-n", &count, "-c", &clients.to_string(), "-r", USERS])
                .args(["EVALSHA", script, "3", "shares", "taken", "users", "__rand_int__"]),
        )?;
        let rate = told.lines().last().and_then(|line| line.split("\",\"").nth(1)?.parse().ok());
        let rate: f64 = rate.ok_or_else(|| BenchError::Other(format!("not a rate: {told}")))?;
        let number = |text: &str| text.parse::<f64>().map_err(BenchError::other);
        Ok(rate * number(&self.ask(&["LLEN", "taken"])?)? / number(&count)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing of it is wanted any more.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn answer_of(command: &mut Command) -> Result<String, BenchError> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        return Ok(said);
    }
    Err(BenchError::Other(format!("{said}{}", String::from_utf8_lossy(&output.stderr))))
}
