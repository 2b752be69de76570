//! The hash chain of a journal.
//!
//! `hash(n) = SHA-256(hash(n-1) ‖ canonical(row n))`, `hash(0)` being 32 zero bytes. The
//! canonical form is a fixed row of big-endian fields; `docs/DATABASE.md` prints it as a table so
//! that a stranger can recompute a chain from the audit views alone.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{Account, Balance, JournalRow, Owner, Subject, Transfer};
use crate::ids::Hex;

/// The first bytes of every canonical row: a new form would get a new tag.
const TAG: &[u8; 4] = b"hbj1";

/// The hash of a journal row.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct JournalHash(pub [u8; 32]);

impl fmt::Display for JournalHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for JournalHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hash of a row that follows `previous`.
pub fn link(
    previous: JournalHash,
    seq: u64,
    transfer: &Transfer,
    from_after: Balance,
    to_after: Balance,
) -> JournalHash {
    let mut sha = Sha256::new();
    sha.update(previous.0);
    sha.update(canonical(seq, transfer, from_after, to_after));
    JournalHash(sha.finalize().into())
}

/// The hash `row` should have after `previous`.
pub fn expected(previous: JournalHash, row: &JournalRow) -> JournalHash {
    link(previous, row.seq, &row.transfer, row.from_after, row.to_after)
}

fn canonical(seq: u64, transfer: &Transfer, from_after: Balance, to_after: Balance) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    out.extend_from_slice(TAG);
    push_owner(&mut out, transfer.journal);
    out.extend_from_slice(&seq.to_be_bytes());
    out.push(transfer.kind.code());
    out.extend_from_slice(&transfer.amount.get().to_be_bytes());
    push_side(&mut out, transfer.from, from_after);
    push_side(&mut out, transfer.to, to_after);
    out.extend_from_slice(&transfer.at.millis().to_be_bytes());
    push_subject(&mut out, &transfer.subject);
    if let Some(limit) = &transfer.limit {
        out.extend_from_slice(&limit.version.to_be_bytes());
        out.extend_from_slice(&limit.day.number().to_be_bytes());
        out.extend_from_slice(&limit.used_fen.get().to_be_bytes());
        out.extend_from_slice(&limit.used_count.to_be_bytes());
        out.extend_from_slice(&limit.cap_fen.get().to_be_bytes());
        out.extend_from_slice(&limit.cap_count.unwrap_or(0).to_be_bytes());
    }
    out
}

fn push_owner(out: &mut Vec<u8>, owner: Owner) {
    let (code, number) = match owner {
        Owner::Merchant(id) => (1, id.get()),
        Owner::User(id) => (2, id.get()),
    };
    out.push(code);
    out.extend_from_slice(&number.to_be_bytes());
}

fn push_side(out: &mut Vec<u8>, account: Account, after: Balance) {
    push_owner(out, account.owner);
    out.push(account.kind.code());
    out.extend_from_slice(&after.seq.to_be_bytes());
    out.extend_from_slice(&after.amount.get().to_be_bytes());
}

fn push_subject(out: &mut Vec<u8>, subject: &Subject) {
    match subject {
        Subject::Packet(packet) => {
            out.push(1);
            out.extend_from_slice(&packet.get().to_be_bytes());
        }
        Subject::Share { packet, share_no } => {
            out.push(2);
            out.extend_from_slice(&packet.get().to_be_bytes());
            out.extend_from_slice(&share_no.to_be_bytes());
        }
        Subject::Reference(reference) => {
            out.push(3);
            out.extend_from_slice(reference.as_str().as_bytes());
            out.push(0);
        }
    }
}
