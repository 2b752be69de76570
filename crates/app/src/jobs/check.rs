//! Checking the books: by hand with `hongbao verify`, and all the time inside the server (X3).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use hongbao_domain::{
    MerchantId, Timestamp, UserId,
    ids::PacketKey,
    ledger::{
        JournalHead, Owner,
        audit::{Invariant, MerchantAudit, PlatformAudit, Report},
    },
    merchant::Merchant,
    packet::{OrderState, Packet},
    split::SplitTerms,
};
use tokio::sync::watch;

use super::tail::TailCheck;
use crate::{
    App, AppError,
    ports::{AuditFinding, AuditSource, Spread, Store, StoreError},
};

/// Rows read at once.
const PAGE: u32 = 10_000;

/// What a full check of the books found.
#[derive(Debug)]
pub struct CheckReport {
    /// One line per invariant.
    pub report: Report,
    /// Damage to the store itself, missing constraints, wrong settings.
    pub structure: Vec<String>,
}

impl CheckReport {
    /// True when nothing is wrong.
    pub fn clean(&self) -> bool {
        self.structure.is_empty() && self.report.clean()
    }

    /// True when money must not move before somebody has looked. Not for late refunds: stopping
    /// would refuse the very refunds that are missing.
    pub fn stops_money(&self) -> bool {
        !self.structure.is_empty() || self.report.broken().any(|broken| broken != LATE_REFUNDS)
    }
}

impl CheckReport {
    /// What is wrong, in one line: broken invariants with examples, and damage.
    fn sentence(&self) -> String {
        let broken = self.report.broken().map(|invariant| {
            let line = self.report.line(invariant);
            format!("{invariant} {} times ({})", line.broken, line.examples.join("; "))
        });
        let wrong: Vec<String> = broken.chain(self.structure.iter().cloned()).collect();
        format!("the books do not add up: {}", wrong.join(", "))
    }
}

const LATE_REFUNDS: Invariant = Invariant::number(15);

/// Checks everything in one consistent view. `overdue_at` is the time against which refunds are
/// late (I-15): `None` where the service was not up to make them, which leaves I-15 unchecked.
pub async fn check_books(
    store: &dyn Store,
    overdue_at: Option<Timestamp>,
) -> Result<CheckReport, StoreError> {
    let mut source = store.audit_source().await?;
    let source = source.as_mut();
    let structure = source.structure().await?;
    let mut platform = PlatformAudit::default();
    let merchants = source.merchants().await?;
    if overdue_at.is_some() {
        platform.looked_at(15);
    }
    let splits = read_orders(source, &merchants, &mut platform).await?;
    for merchant in merchants {
        check_merchant(source, merchant, &splits, overdue_at, &mut platform).await?;
    }
    check_users(source, &mut platform).await?;
    let findings = source.projections().await?;
    for number in AuditFinding::NUMBERS {
        let mut of_number = findings.iter().filter(|found| found.number() == number).peekable();
        platform.check(number, of_number.peek().is_none(), || {
            of_number.map(ToString::to_string).collect::<Vec<_>>().join("; ")
        });
    }
    if let Some(Spread { tables, shards, machines }) = source.spread().await? {
        let how = format!("{tables} tables on {machines} machines, no commit between them hung");
        platform.vouched(32, shards, how);
    }
    // One movement a reference rests on unique keys too, which the structure's fingerprint holds.
    platform.check(28, structure.is_empty(), || structure.join("; "));
    Ok(CheckReport { report: platform.finish(), structure })
}

async fn read_orders(
    source: &mut dyn AuditSource,
    merchants: &[Merchant],
    platform: &mut PlatformAudit,
) -> Result<HashMap<PacketKey, SplitTerms>, StoreError> {
    let mut splits = HashMap::new();
    for merchant in merchants {
        let mut after = String::new();
        loop {
            let orders = source.orders(merchant.id, &after, PAGE).await?;
            let Some((last, _)) = orders.last() else {
                break;
            };
            last.bill_no.as_str().clone_into(&mut after);
            for (_, order) in &orders {
                if let OrderState::Funded { split } = &order.state {
                    platform.funded_order(order.packet);
                    if let Some(split) = split {
                        splits.insert(order.packet, *split);
                    }
                }
            }
        }
    }
    Ok(splits)
}

async fn check_merchant(
    source: &mut dyn AuditSource,
    merchant: Merchant,
    splits: &HashMap<PacketKey, SplitTerms>,
    overdue_at: Option<Timestamp>,
    platform: &mut PlatformAudit,
) -> Result<(), StoreError> {
    // A sandbox clock that was just advanced ends packets that nobody had ten minutes to refund.
    // It only ever runs ahead, so refunds that are late by the true clock are late for certain.
    let (id, book) = (merchant.id, merchant.book.clone());
    let mut audit = MerchantAudit::new(merchant);
    let mut seq = 0;
    loop {
        let rows = source.journal(Owner::Merchant(id), seq, PAGE).await?;
        let Some(last) = rows.last() else { break };
        seq = last.seq;
        for row in &rows {
            audit.row(row);
            platform.entries(row);
        }
    }
    let mut groups = BTreeMap::new();
    let mut no = 0;
    loop {
        let packets = source.packets(id, no, PAGE).await?;
        let Some(last) = packets.last() else { break };
        no = last.key.no.get();
        for packet in packets {
            audit.packet(&packet, splits.get(&packet.key).copied(), overdue_at);
            platform.packet(packet.key);
            if !packet.shares.is_empty() {
                groups.insert(packet.key, packet);
            }
        }
    }
    check_claims(source, id, &groups, &mut audit).await?;
    let mut user = UserId::new(0);
    loop {
        let days = source.user_days(id, user, PAGE).await?;
        let Some((last, _)) = days.last() else { break };
        user = *last;
        for (user, day) in days {
            audit.user_day(user, day);
        }
    }
    let accounts = [book.basic, book.operation, book.escrow, book.external];
    platform.merchant_sum(accounts.map(|balance| balance.amount));
    platform.merge(audit.finish());
    Ok(())
}

async fn check_claims(
    source: &mut dyn AuditSource,
    id: MerchantId,
    groups: &BTreeMap<PacketKey, Packet>,
    audit: &mut MerchantAudit,
) -> Result<(), StoreError> {
    let mut after = (0, 0);
    loop {
        let claims = source.group_claims(id, after, PAGE).await?;
        let Some((key, claim)) = claims.last() else {
            return Ok(());
        };
        after = (key.no.get(), claim.share_no);
        for (key, claim) in &claims {
            audit.group_claim(*key, claim, groups.get(key));
        }
    }
}

async fn check_users(
    source: &mut dyn AuditSource,
    platform: &mut PlatformAudit,
) -> Result<(), StoreError> {
    // Journals first, for every wallet's entries stand in any of them.
    let mut after = UserId::new(0);
    loop {
        let wallets = source.wallets(after, PAGE).await?;
        let Some(last) = wallets.last() else { break };
        after = last.user;
        for wallet in wallets.iter().filter(|wallet| wallet.journal.seq > 0) {
            let mut seq = 0;
            loop {
                let rows = source.journal(Owner::User(wallet.user), seq, PAGE).await?;
                let Some(last) = rows.last() else { break };
                seq = last.seq;
                for row in &rows {
                    platform.user_row(wallet.user, row);
                }
            }
        }
    }
    let mut after = UserId::new(0);
    loop {
        let wallets = source.wallets(after, PAGE).await?;
        let Some(last) = wallets.last() else {
            return Ok(());
        };
        after = last.user;
        for wallet in &wallets {
            platform.wallet(wallet);
        }
    }
}

/// Checks the tail every minute and everything at start and once a day; what does not add up, or
/// cannot be read for damage, stops money operations.
pub(super) async fn run(app: &Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut watchman = Watchman::new(app.clock.now());
    app.metrics.jobs.started("check");
    loop {
        // A full check of a large store takes minutes: it is dropped half-way when asked to stop.
        tokio::select! {
            checked = watchman.turn(app) => {
                if let Err(error) = checked {
                    failed(app, &error);
                }
            }
            _stopped = stop.wait_for(|stop| *stop) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(super::CHECK_PAUSE) => {}
            _stopped = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// What the check of every minute remembers.
struct Watchman {
    tail: TailCheck,
    started: Timestamp,
    turns: u32,
    /// Stays true until a full check was completed.
    full_due: bool,
}

impl Watchman {
    fn new(started: Timestamp) -> Self {
        Self { tail: TailCheck::default(), started, turns: 0, full_due: false }
    }

    async fn turn(&mut self, app: &Arc<App>) -> Result<(), AppError> {
        self.full_due |= self.turns.is_multiple_of(super::FULL_CHECK_EVERY);
        let heads_due = self.turns.is_multiple_of(super::HEADS_EVERY);
        self.turns = self.turns.wrapping_add(1);
        let store = app.store().as_ref();
        let books = app.metrics.books.as_ref();
        let wrong = self.tail.check(store).await?;
        books.tail_checked(wrong.is_none(), app.clock.now());
        if let Some(reason) = wrong {
            // The full check says how much money it is about; once is enough.
            self.full_due |= app.executor().gate().halted().is_none();
            app.executor().gate().halt(reason);
        } else if heads_due {
            tell_heads(self.tail.moved_heads());
        }
        if self.full_due {
            let now = app.clock.now();
            let up = now >= self.started.plus_seconds(600);
            let found = check_books(store, up.then_some(now)).await?;
            self.full_due = false;
            let (fen, broken) = (found.report.unexplained_fen(), found.report.broken().count());
            books.fully_checked(fen, broken, !found.stops_money(), app.clock.now());
            if found.stops_money() {
                app.executor().gate().halt(found.sentence());
            } else if found.clean() {
                tracing::info!("the books were checked in full and add up");
            } else {
                let late = found.report.line(LATE_REFUNDS);
                tracing::error!(late = late.broken, examples = ?late.examples, "refunds are late");
            }
        }
        Ok(())
    }
}

/// The log is outside of the store, and a log collector outside of the machine.
fn tell_heads(heads: Vec<(MerchantId, JournalHead)>) {
    for (mch_id, JournalHead { seq, hash, at: _ }) in heads {
        tracing::info!(%mch_id, seq, %hash, "the head of a journal");
    }
}

/// Damage is as bad as a wrong sum; anything else passes and is tried again.
fn failed(app: &Arc<App>, error: &AppError) {
    if let AppError::Store(StoreError::Corrupt(what)) = error {
        app.metrics.books.damaged();
        app.executor().gate().halt(format!("the store is damaged: {what}"));
    } else {
        app.metrics.jobs.failed("check");
        tracing::warn!(%error, "the books could not be checked and will be again");
    }
}
