//! What the use cases ask of the world: a store, a clock, random bytes, a way to reach people and
//! a rail that pays withdrawals out.

mod clock;
mod notifier;
mod payout;
mod records;
mod rng;
mod store;

pub use clock::{Clock, SystemClock};
pub use notifier::{Notifier, NotifyError};
pub use payout::{InstantPayout, PayoutRail, RailAnswer, RailError};
pub use records::{
    AuditFinding, Authorization, AuthorizationState, Certificate, ClaimLine, DuePacket, DueScan,
    JournalCursor, MerchantRecord, Message, NewCertificate, NewMerchant, NewUser, OrderRecord,
    PendingPayout, Person, Prepared, Spread, UserRecord, WalletEntry,
};
pub use rng::{Rng, SystemRng, bytes as random_bytes};
pub use store::{AuditSource, Store, StoreError, Transact, Turn, Work};
