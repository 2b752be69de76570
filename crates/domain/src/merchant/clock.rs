//! Time travel of sandbox merchants: an ordinary operation with a permission and a record.

use crate::{
    change::{Actor, ChangeRecord},
    facts::{Accepted, Command, Effects, Facts, Needs, Verdict},
    ids::MerchantId,
    ledger::Owner,
    refusal::Refusal,
    time::Timestamp,
};

/// 400 days: a year's campaign with its leap day and its refunds can be run through.
pub const CLOCK_STEP_SECONDS_MAX: i64 = 400 * 86_400;

/// Sets a sandbox merchant's clock forward.
#[derive(Clone, Debug)]
pub struct AdvanceClock {
    /// Whose clock.
    pub merchant: MerchantId,
    /// How far, 1 to [`CLOCK_STEP_SECONDS_MAX`].
    pub seconds: i64,
    /// Who asked.
    pub actor: Actor,
}

/// Where a clock stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockAdvanced {
    /// The merchant's time before.
    pub before: Timestamp,
    /// The merchant's time after.
    pub after: Timestamp,
}

impl Command for AdvanceClock {
    const NAME: &str = "advance_clock";

    type Outcome = ClockAdvanced;

    fn journal(&self) -> Owner {
        Owner::Merchant(self.merchant)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.merchants.insert(self.merchant);
    }

    fn decide(&self, facts: &Facts) -> Verdict<ClockAdvanced> {
        let merchant = facts.merchant(self.merchant)?;
        if !merchant.settings.sandbox {
            return Err(Refusal::NotASandbox.into());
        }
        if !(1..=CLOCK_STEP_SECONDS_MAX).contains(&self.seconds) {
            let max_seconds = CLOCK_STEP_SECONDS_MAX;
            return Err(Refusal::ClockStepNotAllowed { max_seconds }.into());
        }
        let before = merchant.time(facts.now);
        let after = before.plus_seconds(self.seconds);
        let offset = after.millis().saturating_sub(facts.now.millis());
        let record = ChangeRecord {
            merchant: Some(self.merchant),
            action: "clock.advance",
            actor: self.actor.clone(),
            before: format!("{{\"clock\":\"{before}\"}}"),
            after: format!("{{\"clock\":\"{after}\"}}"),
            at: facts.now,
        };
        let effects = Effects {
            clock: Some((self.merchant, offset)),
            change: Some(record),
            ..Effects::default()
        };
        Ok(Accepted { outcome: ClockAdvanced { before, after }, effects })
    }
}
