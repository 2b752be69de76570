//! The books of both sides, read as the rest of the product reads them. The digests compare bytes;
//! this compares what they mean.

use hongbao_app::{
    jobs::check_books,
    ports::{AuditSource, Store, StoreError},
};
use hongbao_domain::UserId;

use super::{MoveError, Side};

/// Wallets compared at once.
const PAGE: u32 = 10_000;
/// Differences named; more of them say nothing more.
const NAMED_MAX: usize = 20;

/// The books of a source add up.
pub(super) async fn sound(store: &dyn Store) -> Result<(), MoveError> {
    let broken = broken(Side::Source, store).await?;
    if broken.is_empty() { Ok(()) } else { Err(MoveError::Unsound(broken.join("\n"))) }
}

/// The books of the target add up, and its accounts and heads are the source's.
pub(super) async fn same(source: &dyn Store, target: &dyn Store) -> Result<(), MoveError> {
    let mut wrong = broken(Side::Target, target).await?;
    let mut source_view = view(Side::Source, source).await?;
    let mut target_view = view(Side::Target, target).await?;
    let (source, target) = (source_view.as_mut(), target_view.as_mut());
    wrong.extend(other_merchants(source, target).await?);
    wrong.extend(other_wallets(source, target).await?);
    wrong.truncate(NAMED_MAX);
    if wrong.is_empty() { Ok(()) } else { Err(MoveError::Unfaithful(wrong.join("\n"))) }
}

async fn broken(side: Side, store: &dyn Store) -> Result<Vec<String>, MoveError> {
    let found = check_books(store, None).await.map_err(of(side))?;
    let broken = found.report.broken().next().is_some();
    let report = found.report.to_string();
    let lines = report.lines().filter(|line| broken && line.contains("FAIL")).map(str::to_owned);
    Ok(found.structure.iter().cloned().chain(lines).collect())
}

async fn view(side: Side, store: &dyn Store) -> Result<Box<dyn AuditSource>, MoveError> {
    store.audit_source().await.map_err(of(side))
}

/// Balances, entry numbers, head of the journal, settings: everything of every merchant.
async fn other_merchants(
    source: &mut dyn AuditSource,
    target: &mut dyn AuditSource,
) -> Result<Vec<String>, MoveError> {
    let wanted = source.merchants().await.map_err(of(Side::Source))?;
    let found = target.merchants().await.map_err(of(Side::Target))?;
    let mut wrong = Vec::new();
    if wanted.len() != found.len() {
        wrong.push(format!("{} merchants, not {}", found.len(), wanted.len()));
    }
    let pairs = wanted.iter().zip(&found).filter(|(one, other)| one != other);
    wrong.extend(pairs.map(|(one, _)| format!("merchant/{}: other balances or head", one.id)));
    Ok(wrong)
}

/// Balances, entry numbers and head of the journal of every user.
async fn other_wallets(
    source: &mut dyn AuditSource,
    target: &mut dyn AuditSource,
) -> Result<Vec<String>, MoveError> {
    let mut wrong = Vec::new();
    let mut after = UserId::new(0);
    loop {
        let wanted = source.wallets(after, PAGE).await.map_err(of(Side::Source))?;
        let found = target.wallets(after, PAGE).await.map_err(of(Side::Target))?;
        if wanted.len() != found.len() {
            let after = after.get();
            wrong.push(format!("behind user/{after}: {} users, not {}", found.len(), wanted.len()));
        }
        let pairs = wanted.iter().zip(&found).filter(|(one, other)| one != other);
        let other = |user: UserId| format!("user/{}: another balance or head", user.get());
        wrong.extend(pairs.map(|(one, _)| other(one.user)));
        let Some(last) = wanted.last() else { return Ok(wrong) };
        if wrong.len() >= NAMED_MAX {
            return Ok(wrong);
        }
        after = last.user;
    }
}

fn of(side: Side) -> impl Fn(StoreError) -> MoveError {
    move |error| MoveError::store(side, error)
}
