//! From columns to the domain: every number that comes out of a column is checked here, so that a
//! damaged row is an error and never a wrong amount.

use hongbao_domain::{
    Day, Fen, MerchantId, PacketKey, PacketNo, PacketSecret, Timestamp, UserId,
    ledger::{AccountKind, Balance, JournalHash, JournalHead},
    limit::DayUse,
    merchant::Book,
    message::MessageForm,
    packet::{Packet, PacketKind, PacketState},
    wallet::Wallet,
};
use rusqlite::types::ValueRef;
use tokio_postgres::types::Type;

use crate::error::{Failure, Outcome};

/// A row of either database.
#[derive(Clone, Copy)]
pub(crate) enum Row<'r> {
    /// Of SQLite.
    Sqlite(&'r rusqlite::Row<'r>),
    /// Of PostgreSQL.
    Postgres(&'r tokio_postgres::Row),
}

impl<'r> Row<'r> {
    /// A whole number of any width, or NULL.
    fn int(self, column: usize) -> Result<Option<i64>, String> {
        match self {
            Self::Sqlite(row) => row.get(column).map_err(said),
            Self::Postgres(row) => {
                match row.columns().get(column).map(tokio_postgres::Column::type_) {
                    Some(&Type::INT2) => row
                        .try_get::<_, Option<i16>>(column)
                        .map(|it| it.map(i64::from))
                        .map_err(said),
                    Some(&Type::INT4) => row
                        .try_get::<_, Option<i32>>(column)
                        .map(|it| it.map(i64::from))
                        .map_err(said),
                    _ => row.try_get(column).map_err(said),
                }
            }
        }
    }

    /// A text, or NULL.
    fn text(self, column: usize) -> Result<Option<&'r str>, String> {
        match self {
            Self::Sqlite(row) => match row.get_ref(column).map_err(said)? {
                ValueRef::Null => Ok(None),
                value => value.as_str().map(Some).map_err(said),
            },
            Self::Postgres(row) => row.try_get(column).map_err(said),
        }
    }

    /// Bytes, or NULL.
    fn bytes(self, column: usize) -> Result<Option<&'r [u8]>, String> {
        match self {
            Self::Sqlite(row) => match row.get_ref(column).map_err(said)? {
                ValueRef::Null => Ok(None),
                value => value.as_blob().map(Some).map_err(said),
            },
            Self::Postgres(row) => row.try_get(column).map_err(said),
        }
    }

    /// The name of a column.
    fn name(self, column: usize) -> String {
        let name = match self {
            Self::Sqlite(row) => row.as_ref().column_name(column).ok().map(str::to_owned),
            Self::Postgres(row) => row.columns().get(column).map(|column| column.name().to_owned()),
        };
        name.unwrap_or_else(|| "?".to_owned())
    }

    /// The first column, which names the owner, in words.
    fn owner(self) -> String {
        match (self.int(0), self.text(0)) {
            (Ok(Some(number)), _) => number.to_string(),
            (_, Ok(Some(text))) => text.to_owned(),
            _ => "?".to_owned(),
        }
    }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// What a column can be read as.
pub(crate) trait Column: Sized {
    /// The value; `None` for NULL.
    fn read(row: Row<'_>, column: usize) -> Result<Option<Self>, String>;
}

impl Column for i64 {
    fn read(row: Row<'_>, column: usize) -> Result<Option<Self>, String> {
        row.int(column)
    }
}

impl Column for String {
    fn read(row: Row<'_>, column: usize) -> Result<Option<Self>, String> {
        Ok(row.text(column)?.map(str::to_owned))
    }
}

impl Column for Vec<u8> {
    fn read(row: Row<'_>, column: usize) -> Result<Option<Self>, String> {
        Ok(row.bytes(column)?.map(<[u8]>::to_vec))
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: Row<'_>, column: usize) -> Result<Option<Self>, String> {
        let Some(bytes) = row.bytes(column)? else { return Ok(None) };
        bytes.try_into().map(Some).map_err(|_length| format!("{} bytes, not {N}", bytes.len()))
    }
}

/// Reads the columns of a row from left to right.
pub(crate) struct Fields<'r> {
    row: Row<'r>,
    table: &'static str,
    next: usize,
}

impl<'r> Fields<'r> {
    /// The columns of a row of SQLite, which comes from `table`.
    pub(crate) const fn sqlite(row: &'r rusqlite::Row<'r>, table: &'static str) -> Self {
        Self { row: Row::Sqlite(row), table, next: 0 }
    }

    /// The columns of a row of PostgreSQL, which comes from `table`.
    pub(crate) const fn postgres(row: &'r tokio_postgres::Row, table: &'static str) -> Self {
        Self { row: Row::Postgres(row), table, next: 0 }
    }

    fn take<T>(&mut self, read: impl FnOnce(Row<'r>, usize) -> Result<T, String>) -> Outcome<T> {
        let column = self.next;
        self.next = column.saturating_add(1);
        read(self.row, column).map_err(|why| self.damaged(&why))
    }

    /// The next column, which may be NULL.
    pub(crate) fn maybe<T: Column>(&mut self) -> Outcome<Option<T>> {
        self.take(T::read)
    }

    /// The next column.
    pub(crate) fn raw<T: Column>(&mut self) -> Outcome<T> {
        let value = self.maybe()?;
        value.ok_or_else(|| self.damaged("NULL"))
    }

    /// The next column, when `from` knows it.
    pub(crate) fn known<T: Column, U>(&mut self, from: impl FnOnce(T) -> Option<U>) -> Outcome<U> {
        let value = self.raw()?;
        from(value).ok_or_else(|| self.damaged("a value outside its range"))
    }

    /// The next column, when it is not NULL and `from` knows it.
    pub(crate) fn known_or_null<T: Column, U>(
        &mut self,
        from: impl FnOnce(T) -> Option<U>,
    ) -> Outcome<Option<U>> {
        let Some(value) = self.maybe()? else { return Ok(None) };
        from(value).map(Some).ok_or_else(|| self.damaged("a value outside its range"))
    }

    /// A count or number.
    pub(crate) fn u64(&mut self) -> Outcome<u64> {
        self.known(|value: i64| value.try_into().ok())
    }

    /// A small count.
    pub(crate) fn u32(&mut self) -> Outcome<u32> {
        self.known(|value: i64| value.try_into().ok())
    }

    /// A number that `from` knows.
    pub(crate) fn code<T>(&mut self, from: impl FnOnce(u8) -> Option<T>) -> Outcome<T> {
        self.known(|value: i64| value.try_into().ok().and_then(from))
    }

    /// A number that `from` knows, or none.
    pub(crate) fn code_or_null<T>(
        &mut self,
        from: impl FnOnce(u8) -> Option<T>,
    ) -> Outcome<Option<T>> {
        self.known_or_null(|value: i64| value.try_into().ok().and_then(from))
    }

    /// Money.
    pub(crate) fn fen(&mut self) -> Outcome<Fen> {
        self.raw().map(Fen::new)
    }

    /// A time.
    pub(crate) fn time(&mut self) -> Outcome<Timestamp> {
        self.raw().map(Timestamp::from_millis)
    }

    /// A time that may be missing.
    pub(crate) fn time_or_null(&mut self) -> Outcome<Option<Timestamp>> {
        Ok(self.maybe()?.map(Timestamp::from_millis))
    }

    /// A switch.
    pub(crate) fn bool(&mut self) -> Outcome<bool> {
        self.known(|value: i64| match value {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        })
    }

    /// A text that parses.
    pub(crate) fn parsed<T: std::str::FromStr>(&mut self) -> Outcome<T> {
        let value = self.parsed_or_null()?;
        value.ok_or_else(|| self.damaged("NULL"))
    }

    /// A text that parses, or none.
    pub(crate) fn parsed_or_null<T: std::str::FromStr>(&mut self) -> Outcome<Option<T>> {
        let Some(text) = self.take(Row::text)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_unknown| self.damaged("a value outside its range"))
    }

    /// A merchant number.
    pub(crate) fn merchant(&mut self) -> Outcome<MerchantId> {
        self.known(merchant_of)
    }

    /// A merchant number that may be missing.
    pub(crate) fn merchant_or_null(&mut self) -> Outcome<Option<MerchantId>> {
        self.known_or_null(merchant_of)
    }

    /// A user.
    pub(crate) fn user(&mut self) -> Outcome<UserId> {
        self.u64().map(UserId::new)
    }

    /// A user that may be missing.
    pub(crate) fn user_or_null(&mut self) -> Outcome<Option<UserId>> {
        self.known_or_null(|value: i64| value.try_into().ok().map(UserId::new))
    }

    /// Merchant and packet number.
    pub(crate) fn packet_key(&mut self) -> Outcome<PacketKey> {
        Ok(PacketKey { merchant: self.merchant()?, no: PacketNo::new(self.u64()?) })
    }

    /// A balance and its entry number.
    pub(crate) fn balance(&mut self) -> Outcome<Balance> {
        Ok(Balance { amount: self.fen()?, seq: self.u64()? })
    }

    /// A daily use: version, day, money, count.
    pub(crate) fn day_use(&mut self) -> Outcome<DayUse> {
        Ok(DayUse {
            version: self.u64()?,
            day: Day::from_number(self.raw()?),
            fen: self.fen()?,
            count: self.u32()?,
        })
    }

    /// The head of a journal; a missing hash is the one before the first row.
    pub(crate) fn head(&mut self) -> Outcome<JournalHead> {
        let seq = self.u64()?;
        let hash: Option<[u8; 32]> = self.maybe()?;
        Ok(JournalHead { seq, hash: JournalHash(hash.unwrap_or_default()), at: self.time()? })
    }

    /// The columns of `book_columns!`.
    pub(crate) fn book(&mut self) -> Outcome<Book> {
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
    pub(crate) fn wallet(&mut self) -> Outcome<Wallet> {
        Ok(Wallet {
            user: self.user()?,
            wallet: self.balance()?,
            external: self.balance()?,
            journal: self.head()?,
            frozen: self.bool()?,
        })
    }

    /// The columns of `packet_columns!`.
    pub(crate) fn packet(&mut self) -> Outcome<Packet> {
        let key = self.packet_key()?;
        let kind = self.code(PacketKind::from_code)?;
        let receiver = self.user()?;
        let (total, share_count) = (self.fen()?, self.u32()?);
        let paid_from = self.code(AccountKind::from_code)?;
        let (funded_at, expire_at) = (self.time()?, self.time()?);
        let secret = PacketSecret::new(self.raw()?);
        let form = self.code(MessageForm::from_code)?;
        let shares = self.shares()?;
        let (claimed, claimed_count) = (self.claimed(total)?, self.claimed_count(share_count)?);
        let state = self.state(claimed_count == share_count)?;
        let version = self.u64()?;
        Ok(Packet {
            key,
            kind,
            receiver,
            total,
            share_count,
            paid_from,
            funded_at,
            expire_at,
            secret,
            form,
            shares,
            claimed,
            claimed_count,
            state,
            version,
        })
    }

    fn claimed(&mut self, total: Fen) -> Outcome<Fen> {
        let claimed = self.fen()?;
        if claimed > total {
            return Err(self.damaged("more claimed than there is"));
        }
        Ok(claimed)
    }

    fn claimed_count(&mut self, share_count: u32) -> Outcome<u32> {
        let claimed = self.u32()?;
        if claimed > share_count {
            return Err(self.damaged("more shares claimed than there are"));
        }
        Ok(claimed)
    }

    /// The time a packet was settled, if it was: when its last share was claimed, or the rest went
    /// back.
    fn state(&mut self, all_claimed: bool) -> Outcome<PacketState> {
        Ok(match self.time_or_null()? {
            None => PacketState::Open,
            Some(at) if all_claimed => PacketState::Claimed { at },
            Some(at) => PacketState::Refunded { at },
        })
    }

    fn shares(&mut self) -> Outcome<Vec<Fen>> {
        let bytes = self.take(Row::bytes)?.unwrap_or_default();
        let (shares, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(self.damaged("shares of a ragged length"));
        }
        let amount = |share: &[u8; 4]| Fen::new(i64::from(u32::from_be_bytes(*share)));
        Ok(shares.iter().map(amount).collect())
    }

    /// Says where the damage is: table, first column (the owner) and column.
    pub(crate) fn damaged(&self, why: &str) -> Failure {
        let (owner, name) = (self.row.owner(), self.row.name(self.next.saturating_sub(1)));
        Failure::corrupt(format!(
            "table {}, row that starts with {owner}, column {name}: {why}",
            self.table
        ))
    }
}

fn merchant_of(number: i64) -> Option<MerchantId> {
    MerchantId::try_new(number.try_into().ok()?).ok()
}
