//! Between columns and the domain: every number that comes out of a column is checked here, so
//! that a damaged row is an error and never a wrong amount.

use hongbao_domain::{
    Day, Fen, MerchantId, PacketKey, PacketNo, PacketSecret, Timestamp, UserId,
    ledger::{AccountKind, Balance, JournalHash, JournalHead},
    limit::DayUse,
    merchant::Book,
    message::MessageForm,
    packet::{Packet, PacketKind, PacketState},
    wallet::Wallet,
};
use rusqlite::{Row, types::FromSql};

use super::error::{Failure, Outcome};

/// Reads the columns of a row from left to right.
pub(super) struct Fields<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    next: usize,
}

impl<'r> Fields<'r> {
    /// The columns of `row`, which comes from `table`.
    pub(super) const fn new(row: &'r Row<'r>, table: &'static str) -> Self {
        Self { row, table, next: 0 }
    }

    /// The next column as it is.
    pub(super) fn raw<T: FromSql>(&mut self) -> Outcome<T> {
        let column = self.next;
        self.next = column.saturating_add(1);
        self.row.get(column).map_err(|error| self.damaged(&error.to_string()))
    }

    /// The next column, when `from` knows it.
    pub(super) fn known<T: FromSql, U>(&mut self, from: impl FnOnce(T) -> Option<U>) -> Outcome<U> {
        let value = self.raw()?;
        from(value).ok_or_else(|| self.damaged("a value outside its range"))
    }

    /// The next column, when it is not NULL and `from` knows it.
    pub(super) fn known_or_null<T: FromSql, U>(
        &mut self,
        from: impl FnOnce(T) -> Option<U>,
    ) -> Outcome<Option<U>> {
        match self.raw::<Option<T>>()? {
            None => Ok(None),
            Some(value) => {
                from(value).map(Some).ok_or_else(|| self.damaged("a value outside its range"))
            }
        }
    }

    /// A count or number.
    pub(super) fn u64(&mut self) -> Outcome<u64> {
        self.known(|value: i64| value.try_into().ok())
    }

    /// A small count.
    pub(super) fn u32(&mut self) -> Outcome<u32> {
        self.known(|value: i64| value.try_into().ok())
    }

    /// A number that `from` knows.
    pub(super) fn code<T>(&mut self, from: impl FnOnce(u8) -> Option<T>) -> Outcome<T> {
        self.known(|value: i64| value.try_into().ok().and_then(from))
    }

    /// Money.
    pub(super) fn fen(&mut self) -> Outcome<Fen> {
        self.raw().map(Fen::new)
    }

    /// A time.
    pub(super) fn time(&mut self) -> Outcome<Timestamp> {
        self.raw().map(Timestamp::from_millis)
    }

    /// A time that may be missing.
    pub(super) fn time_or_null(&mut self) -> Outcome<Option<Timestamp>> {
        let millis: Option<i64> = self.raw()?;
        Ok(millis.map(Timestamp::from_millis))
    }

    /// A switch.
    pub(super) fn bool(&mut self) -> Outcome<bool> {
        self.known(|value: i64| match value {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        })
    }

    /// A text that parses.
    pub(super) fn parsed<T: std::str::FromStr>(&mut self) -> Outcome<T> {
        self.known(|text: TextRef| text.0.parse().ok())
    }

    /// A text that parses, or none.
    pub(super) fn parsed_or_null<T: std::str::FromStr>(&mut self) -> Outcome<Option<T>> {
        self.known_or_null(|text: TextRef| text.0.parse().ok())
    }

    /// A merchant number.
    pub(super) fn merchant(&mut self) -> Outcome<MerchantId> {
        self.known(merchant_of)
    }

    /// A merchant number that may be missing.
    pub(super) fn merchant_or_null(&mut self) -> Outcome<Option<MerchantId>> {
        self.known_or_null(merchant_of)
    }

    /// A user.
    pub(super) fn user(&mut self) -> Outcome<UserId> {
        self.u64().map(UserId::new)
    }

    /// A user that may be missing.
    pub(super) fn user_or_null(&mut self) -> Outcome<Option<UserId>> {
        self.known_or_null(|value: i64| value.try_into().ok().map(UserId::new))
    }

    /// Merchant and packet number.
    pub(super) fn packet_key(&mut self) -> Outcome<PacketKey> {
        Ok(PacketKey { merchant: self.merchant()?, no: PacketNo::new(self.u64()?) })
    }

    /// A balance and its entry number.
    pub(super) fn balance(&mut self) -> Outcome<Balance> {
        Ok(Balance { amount: self.fen()?, seq: self.u64()? })
    }

    /// A daily use: version, day, money, count.
    pub(super) fn day_use(&mut self) -> Outcome<DayUse> {
        Ok(DayUse {
            version: self.u64()?,
            day: Day::from_number(self.raw()?),
            fen: self.fen()?,
            count: self.u32()?,
        })
    }

    /// The head of a journal; a missing hash is the one before the first row.
    pub(super) fn head(&mut self) -> Outcome<JournalHead> {
        let seq = self.u64()?;
        let hash: Option<[u8; 32]> = self.raw()?;
        Ok(JournalHead { seq, hash: JournalHash(hash.unwrap_or_default()), at: self.time()? })
    }

    /// The columns of `book_columns!`.
    pub(super) fn book(&mut self) -> Outcome<Book> {
        Ok(Book {
            version: self.u64()?,
            basic: self.balance()?,
            operation: self.balance()?,
            escrow: self.balance()?,
            external: self.balance()?,
            journal: self.head()?,
            day: self.day_use()?,
            last_packet: self.u64()?,
            clock_offset_millis: self.raw()?,
        })
    }

    /// The columns of `wallet_columns!`.
    pub(super) fn wallet(&mut self) -> Outcome<Wallet> {
        Ok(Wallet {
            user: self.user()?,
            wallet: self.balance()?,
            external: self.balance()?,
            journal: self.head()?,
            frozen: self.bool()?,
        })
    }

    /// The columns of `packet_columns!`.
    pub(super) fn packet(&mut self) -> Outcome<Packet> {
        Ok(Packet {
            key: self.packet_key()?,
            kind: self.code(PacketKind::from_code)?,
            receiver: self.user()?,
            total: self.fen()?,
            share_count: self.u32()?,
            paid_from: self.code(AccountKind::from_code)?,
            funded_at: self.time()?,
            expire_at: self.time()?,
            secret: PacketSecret::new(self.raw()?),
            form: self.code(MessageForm::from_code)?,
            shares: self.shares()?,
            claimed: self.fen()?,
            claimed_count: self.u32()?,
            state: self.state()?,
            version: self.u64()?,
        })
    }

    /// State and the time it was last changed.
    fn state(&mut self) -> Outcome<PacketState> {
        let (code, changed_at) = (self.code(Some)?, self.time()?);
        let settled_at = (code != PacketState::Open.code()).then_some(changed_at);
        PacketState::from_code(code, settled_at).ok_or_else(|| self.damaged("an unknown state"))
    }

    fn shares(&mut self) -> Outcome<Vec<Fen>> {
        let bytes: Option<Vec<u8>> = self.raw()?;
        let bytes = bytes.unwrap_or_default();
        let (shares, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(self.damaged("shares of a ragged length"));
        }
        let amount = |share: &[u8; 4]| Fen::new(i64::from(u32::from_be_bytes(*share)));
        Ok(shares.iter().map(amount).collect())
    }

    /// Says where the damage is: table, first column (the owner) and column.
    pub(super) fn damaged(&self, why: &str) -> Failure {
        let owner = self
            .row
            .get_ref(0)
            .map_or_else(|error| error.to_string(), |value| format!("{value:?}"));
        let column = self.next.saturating_sub(1);
        let name = self.row.as_ref().column_name(column).unwrap_or("?");
        Failure::corrupt(format!(
            "table {}, row that starts with {owner}, column {name}: {why}",
            self.table
        ))
    }
}

/// A text column that is only looked at.
struct TextRef(Box<str>);

impl FromSql for TextRef {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        value.as_str().map(|text| Self(text.into()))
    }
}

fn merchant_of(number: i64) -> Option<MerchantId> {
    MerchantId::try_new(number.try_into().ok()?).ok()
}

/// A number as a column takes it.
pub(super) fn int(number: u64) -> Outcome<i64> {
    i64::try_from(number).map_err(|_too_large| Failure::corrupt("a number above 63 bits"))
}

/// A merchant number as a column takes it; ten digits always fit.
pub(super) fn merchant_int(id: MerchantId) -> i64 {
    i64::try_from(id.get()).unwrap_or(i64::MAX)
}

/// Drawn shares as a column takes them: four big-endian bytes each, NULL for a normal packet.
pub(super) fn shares_blob(shares: &[Fen]) -> Outcome<Option<Vec<u8>>> {
    if shares.is_empty() {
        return Ok(None);
    }
    let mut blob = Vec::with_capacity(shares.len().saturating_mul(4));
    for share in shares {
        let fen = u32::try_from(share.get())
            .map_err(|_too_large| Failure::corrupt("a share above 32 bits"))?;
        blob.extend_from_slice(&fen.to_be_bytes());
    }
    Ok(Some(blob))
}

/// The hash of a head as a column takes it: NULL before the first row.
pub(super) fn hash_blob(head: &JournalHead) -> Option<&[u8]> {
    (head.seq > 0).then_some(head.hash.0.as_slice())
}
