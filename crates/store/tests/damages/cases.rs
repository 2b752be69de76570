//! The cases, once for every store.

use hongbao_app::{jobs::CheckReport, ports::StoreError};
use hongbao_domain::{Timestamp, ledger::audit::Invariant};

use super::{BALANCES, Damage, HANDOVERS, JOURNALS, PACKETS, REFERENCES};

/// A store after a busy day, to be copied.
pub trait Day: Sized {
    /// Makes one; `None`, said loudly, where there is no database to make it in.
    async fn make() -> Option<Self>;

    /// When the day ended.
    fn ended(&self) -> Timestamp;

    /// Damages a copy, and answers what is then found; of late refunds, too, if the server was up
    /// until the time that is given.
    async fn checked_after(
        &self,
        sql: &str,
        up: Option<Timestamp>,
    ) -> Result<CheckReport, StoreError>;
}

const NO_DAMAGE: &str = "SELECT 1";

fn broken(found: &CheckReport) -> Vec<Invariant> {
    found.report.broken().collect()
}

/// Each damage breaks exactly the invariants that are said.
async fn told(day: &impl Day, damages: &[Damage]) {
    let mut surprises = Vec::new();
    for (says, sql, numbers) in damages {
        let found = day.checked_after(sql, Some(day.ended())).await.unwrap();
        let expected: Vec<_> = numbers.iter().map(|number| Invariant::number(*number)).collect();
        if broken(&found) != expected || !found.stops_money() {
            let (found, report) = (broken(&found), found.report);
            surprises.push(format!("{says}: {found:?} instead of {expected:?}\n{report}"));
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

pub async fn a_store_after_a_busy_day_is_clean(day: &impl Day) {
    let found = day.checked_after(NO_DAMAGE, Some(day.ended())).await.unwrap();
    assert!(found.clean() && !found.stops_money(), "{}{:?}", found.report, found.structure);
}

pub async fn wrong_balances_are_told(day: &impl Day) {
    told(day, &BALANCES).await;
}

pub async fn changed_journals_are_told(day: &impl Day) {
    told(day, &JOURNALS).await;
}

pub async fn changed_packets_and_claims_are_told(day: &impl Day) {
    told(day, &PACKETS).await;
}

pub async fn lost_lines_cursors_and_messages_are_told(day: &impl Day) {
    told(day, &HANDOVERS).await;
}

pub async fn references_and_payouts_that_fit_no_movement_are_told(day: &impl Day) {
    told(day, &REFERENCES).await;
}

/// An order neither funded nor refused cannot be read at all, which stops the server as well.
pub async fn a_packet_that_is_just_gone_is_damage(day: &impl Day) {
    let gone = "UPDATE packet SET funded_at = NULL WHERE packet_no = 4";
    let found = day.checked_after(gone, Some(day.ended())).await;
    assert!(matches!(found, Err(StoreError::Corrupt(_))), "{found:?}");
}

/// The same of an order whose terms stand in a row that is not there.
pub async fn a_packet_whose_terms_are_gone_is_damage(day: &impl Day) {
    let gone = "UPDATE packet SET terms_of = 99 WHERE packet_no = 4";
    let found = day.checked_after(gone, Some(day.ended())).await;
    assert!(matches!(found, Err(StoreError::Corrupt(_))), "{found:?}");
}

/// Late refunds are told and stop nothing: refunds mend them.
pub async fn late_refunds_are_told_where_the_server_was_up_and_stop_no_money(day: &impl Day) {
    let now = day.ended();
    let (on_time, late) = (now.plus_seconds(86_400 + 600), now.plus_seconds(86_400 + 601));
    let found = day.checked_after(NO_DAMAGE, Some(on_time)).await.unwrap();
    assert!(found.clean(), "{}", found.report);
    let found = day.checked_after(NO_DAMAGE, Some(late)).await.unwrap();
    assert_eq!(broken(&found), [Invariant::number(15)]);
    assert!(!found.clean() && !found.stops_money());
    let found = day.checked_after(NO_DAMAGE, None).await.unwrap();
    assert!(found.clean(), "{}", found.report);
    let said = found.report.to_string();
    let line = said.lines().find(|line| line.starts_with("I-15")).unwrap();
    assert!(line.starts_with("I-15 n/a "), "{line}");
    assert!(line.ends_with("(the server was not up: use --up)"), "{line}");
}

/// Makes one test of every case for one store; `$day` is its [`Day`]. A case that is written and
/// not listed is never used, which the compiler tells.
macro_rules! damages_are_told {
    ($day:ident) => {
        damages_are_told! { @cases $day:
            a_store_after_a_busy_day_is_clean,
            wrong_balances_are_told,
            changed_journals_are_told,
            changed_packets_and_claims_are_told,
            lost_lines_cursors_and_messages_are_told,
            references_and_payouts_that_fit_no_movement_are_told,
            a_packet_that_is_just_gone_is_damage,
            a_packet_whose_terms_are_gone_is_damage,
            late_refunds_are_told_where_the_server_was_up_and_stop_no_money,
        }
    };
    (@cases $day:ident: $($case:ident,)+) => {
        $(
            #[tokio::test]
            async fn $case() {
                let Some(day) = <$day as $crate::damages::cases::Day>::make().await else { return };
                $crate::damages::cases::$case(&day).await;
            }
        )+
    };
}
pub(crate) use damages_are_told;
