//! What a claim costs in a large store against a small one.

use super::{
    BenchError, Plan, engine, per_second,
    platform::{Kind, MERCHANTS, Scratch, Size},
    report::SizeRound,
};
use crate::commands::say;

/// Packets of the smaller store; a tenth as many users.
const SMALL: u64 = 100_000;

/// Both stores in turn, round by round.
pub(super) async fn run(
    plan: &Plan,
    scratch: &Scratch,
    kind: Kind,
) -> Result<Vec<SizeRound>, BenchError> {
    // On PostgreSQL a merchant is a lane; as many as for its rates.
    let merchants = match kind {
        Kind::Sqlite => 1,
        Kind::Postgres => MERCHANTS,
    };
    let size = |packets| Size { merchants, users: packets / 10, packets };
    let mut small = kind.fill(scratch, "small", size(SMALL)).await?;
    let mut large = kind.fill(scratch, "large", size(plan.large)).await?;
    let mut rounds = Vec::new();
    for number in 1..=plan.rounds {
        say(&format!("{}: size round {number} of {} …", kind.name(), plan.rounds))?;
        let mut rates = [0.0; 2];
        for (rate, bench) in rates.iter_mut().zip([&mut small, &mut large]) {
            // More than a full batch, or the ends of a round weigh more than the store. Five rounds
            // claim all of the small store; after them it is sent more.
            let packets = bench.take(SMALL / 5).await?;
            let elapsed = engine::claims(&bench.app, &bench.data, &packets).await?;
            *rate = per_second(packets.len(), elapsed);
        }
        let [small, large] = rates;
        rounds.push(SizeRound { small, large });
    }
    Ok(rounds)
}
