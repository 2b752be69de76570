//! What a claim costs in a large store against a small one.

use super::{
    BenchError, Plan, engine, per_second,
    platform::{Kind, MERCHANTS, Scratch, Size},
    report::SizeRound,
};
use crate::commands::say;

/// Packets of the smaller store, a tenth as many users, and claims of a round: with a few batches
/// only, the first one and the last, beside which nothing is decided or written, would weigh more
/// than the store.
const SMALL: u64 = 100_000;

/// Both stores in turn, round by round; the small one is made anew for each, or it would grow.
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
    let mut large = kind.fill(scratch, "large", size(plan.large)).await?;
    let mut rounds = Vec::new();
    for number in 1..=plan.rounds {
        say(&format!("{}: size round {number} of {} …", kind.name(), plan.rounds))?;
        let mut small = kind.fill(scratch, &format!("small_{number}"), size(SMALL)).await?;
        let mut rates = [0.0; 2];
        for (rate, bench) in rates.iter_mut().zip([&mut small, &mut large]) {
            let packets = bench.take(SMALL).await?;
            let elapsed = engine::claims(&bench.app, &bench.data, &packets).await?;
            *rate = per_second(packets.len(), elapsed);
        }
        let [small, large] = rates;
        rounds.push(SizeRound { small, large });
    }
    Ok(rounds)
}
