//! A claim that notes in which batch it was decided, and when that batch began and was answered.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hongbao_domain::{Accepted, Command, Facts, Needs, Verdict, ledger::Owner, packet::ClaimShare};

/// One batch as it was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    pub(super) size: u32,
    began: Instant,
    answered: Option<Instant>,
}

impl Batch {
    /// How long it kept its lane, from the first command's needs: until `next` began, if that
    /// followed at once, else to the first answer that arrived. `None` before that.
    pub(super) fn kept(&self, next: Option<&Self>) -> Option<Duration> {
        let answered = self.answered?.saturating_duration_since(self.began);
        let until_next = next.map(|next| next.began.saturating_duration_since(self.began));
        // Commands come every millisecond: a longer pause is an idle lane.
        let at_once = |gap: &Duration| *gap <= answered + answered / 4 + Duration::from_millis(1);
        Some(until_next.filter(at_once).unwrap_or(answered))
    }
}

/// Sizes and seconds of `batches` of one lane in their order.
pub(super) fn timed(batches: &[Batch]) -> Vec<(u32, f64)> {
    let next = batches.iter().skip(1).map(Some).chain([None]);
    let pairs = batches.iter().zip(next);
    pairs.filter_map(|(batch, next)| Some((batch.size, batch.kept(next)?.as_secs_f64()))).collect()
}

/// The batches of a lane.
#[derive(Debug, Default)]
pub(super) struct Tally {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    batches: Vec<Batch>,
    /// A lane asks all commands of a batch for their needs before the first decides: needs after a
    /// decision are those of the next batch.
    deciding: bool,
}

impl Tally {
    /// What was seen since the last call.
    pub(super) fn take(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.lock()).batches
    }

    /// The answer of a command of batch `number` arrived.
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
    pub(super) fn answered(&self, number: usize) {
        let now = Instant::now();
        if let Some(batch) = self.lock().batches.get_mut(number) {
            batch.answered.get_or_insert(now);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
    fn needed(&self) {
        let mut seen = self.lock();
        if seen.deciding || seen.batches.is_empty() {
            seen.deciding = false;
            seen.batches.push(Batch { size: 0, began: Instant::now(), answered: None });
        }
        if let Some(batch) = seen.batches.last_mut() {
            batch.size += 1;
        }
    }

    fn decided(&self) -> usize {
        let mut seen = self.lock();
        seen.deciding = true;
        seen.batches.len().saturating_sub(1)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A claim under observation. Its outcome is the number of its batch.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) claim: ClaimShare,
    pub(super) tally: Arc<Tally>,
}

impl Command for Probe {
    const NAME: &'static str = "probe";
    type Outcome = usize;

    fn journal(&self) -> Owner {
        self.claim.journal()
    }

    fn needs(&self, needs: &mut Needs) {
        self.tally.needed();
        self.claim.needs(needs);
    }

    fn decide(&self, facts: &Facts) -> Verdict<usize> {
        let number = self.tally.decided();
        let Accepted { outcome: _, effects } = self.claim.decide(facts)?;
        Ok(Accepted { outcome: number, effects })
    }
}
