//! One consistent view of everything: a read transaction on a connection of its own.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use hongbao_app::ports::{AuditFinding, AuditSource, StoreError};
use hongbao_domain::{
    MerchantId, PacketKey, UserId,
    ledger::{JournalRow, Owner},
    limit::DayUse,
    merchant::Merchant,
    packet::{GroupClaim, Order, OrderKey, Packet},
    wallet::Wallet,
};
use rusqlite::{Connection, Params, Row};

use super::{
    error::{Failure, Outcome},
    journal, open,
    packets::order_row,
    rows::{Fields, int, merchant_int},
    schema,
    settings::SettingsCache,
};
use crate::queries::{admin::MERCHANTS, audit as sql};

/// How many sentences about the same kind of damage are enough.
const SENTENCES_MAX: u32 = 100;

/// The view. Its connection travels to a blocking thread and back with every call.
pub(super) struct Snapshot {
    connection: Option<Connection>,
    settings: Arc<SettingsCache>,
}

impl Snapshot {
    /// Opens a connection and fixes what it sees.
    pub(super) async fn open(
        path: &Path,
        settings: Arc<SettingsCache>,
    ) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let opening = move || {
            let unavailable = |error: open::OpenError| StoreError::Unavailable(error.to_string());
            let connection = open::auditor(&path).map_err(unavailable)?;
            // The snapshot is taken by the first read, not by BEGIN.
            let begun = connection
                .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")
                .map_err(|error| Failure::from(error).into_store());
            begun.map(|()| connection)
        };
        let connection = tokio::task::spawn_blocking(opening).await;
        let connection =
            connection.map_err(|error| StoreError::Unavailable(error.to_string()))??;
        Ok(Self { connection: Some(connection), settings })
    }

    /// Runs `query` on the view, away from the async threads.
    pub(super) async fn read<T: Send + 'static>(
        &mut self,
        query: impl FnOnce(&Connection, &SettingsCache) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let lost = || StoreError::Unavailable("the snapshot was given up half-way".to_owned());
        let connection = self.connection.take().ok_or_else(lost)?;
        let settings = Arc::clone(&self.settings);
        let reading = move || {
            let result = query(&connection, &settings);
            (connection, result)
        };
        let read = tokio::task::spawn_blocking(reading).await;
        let (connection, result) =
            read.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.connection = Some(connection);
        result.map_err(Failure::into_store)
    }

    /// A page of rows.
    async fn page<T: Send + 'static>(
        &mut self,
        sql: &'static str,
        table: &'static str,
        key: impl Params + Send + 'static,
        read: fn(&mut Fields<'_>) -> Outcome<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.read(move |connection, _| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(key)?;
            let mut page = Vec::new();
            while let Some(row) = rows.next()? {
                page.push(read(&mut Fields::new(row, table))?);
            }
            Ok(page)
        })
        .await
    }
}

#[async_trait]
impl AuditSource for Snapshot {
    async fn structure(&mut self) -> Result<Vec<String>, StoreError> {
        self.read(|connection, _| structure(connection)).await
    }

    async fn merchants(&mut self) -> Result<Vec<Merchant>, StoreError> {
        self.read(|connection, settings| {
            let mut statement = connection.prepare_cached(MERCHANTS)?;
            let mut rows = statement.query(())?;
            let mut merchants = Vec::new();
            while let Some(row) = rows.next()? {
                let mut fields = Fields::new(row, "merchant_book");
                merchants.push(settings.merchant(connection, &mut fields)?.0);
            }
            Ok(merchants)
        })
        .await
    }

    async fn journal(
        &mut self,
        owner: Owner,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        self.read(move |connection, _| journal::after(connection, owner, seq, limit)).await
    }

    async fn wallets(&mut self, user: UserId, limit: u32) -> Result<Vec<Wallet>, StoreError> {
        let key = (bound(user.get())?, limit);
        self.page(sql::WALLETS, "wallet", key, wallet).await
    }

    async fn packets(
        &mut self,
        merchant: MerchantId,
        no: u64,
        limit: u32,
    ) -> Result<Vec<Packet>, StoreError> {
        let key = (merchant_int(merchant), bound(no)?, limit);
        self.page(sql::PACKETS, "packet", key, packet).await
    }

    async fn group_claims(
        &mut self,
        merchant: MerchantId,
        after: (u64, u32),
        limit: u32,
    ) -> Result<Vec<(PacketKey, GroupClaim)>, StoreError> {
        let (no, share_no) = after;
        let key = (merchant_int(merchant), bound(no)?, share_no, limit);
        self.page(sql::GROUP_CLAIMS, "group_claim", key, |fields| {
            let packet = fields.packet_key()?;
            let user = fields.user()?;
            let claim = GroupClaim {
                share_no: fields.u32()?,
                user,
                amount: fields.fen()?,
                at: fields.time()?,
            };
            Ok((packet, claim))
        })
        .await
    }

    async fn user_days(
        &mut self,
        merchant: MerchantId,
        user: UserId,
        limit: u32,
    ) -> Result<Vec<(UserId, DayUse)>, StoreError> {
        let key = (merchant_int(merchant), bound(user.get())?, limit);
        self.page(sql::USER_DAYS, "user_day", key, |fields| Ok((fields.user()?, fields.day_use()?)))
            .await
    }

    async fn orders(
        &mut self,
        caller: MerchantId,
        bill_no: &str,
        limit: u32,
    ) -> Result<Vec<(OrderKey, Order)>, StoreError> {
        let key = (merchant_int(caller), bill_no.to_owned(), limit);
        self.page(sql::ORDERS, "packet_terms", key, order_row).await
    }

    async fn projections(&mut self) -> Result<Vec<AuditFinding>, StoreError> {
        self.read(|connection, _| projections(connection)).await
    }
}

fn wallet(fields: &mut Fields<'_>) -> Outcome<Wallet> {
    fields.wallet()
}

fn packet(fields: &mut Fields<'_>) -> Outcome<Packet> {
    fields.packet()
}

fn bound(number: u64) -> Result<i64, StoreError> {
    int(number).map_err(Failure::into_store)
}

fn structure(connection: &Connection) -> Outcome<Vec<String>> {
    let mut sentences = Vec::new();
    let mut check = connection.prepare_cached("PRAGMA integrity_check(100)")?;
    let found = check.query_map((), |row| row.get::<_, String>(0))?;
    for sentence in found {
        let sentence = sentence?;
        if sentence != "ok" {
            sentences.push(sentence);
        }
    }
    match schema::differences(connection) {
        Ok(differences) => sentences.extend(differences),
        Err(error) => sentences.push(error.to_string()),
    }
    let settings = [open::check_version(), open::check_settings(connection)];
    sentences.extend(settings.into_iter().filter_map(Result::err).map(|error| error.to_string()));
    Ok(sentences)
}

/// What the columns of a row say: the sentence about it.
type Sentence = fn(&Row<'_>) -> rusqlite::Result<String>;

fn projections(connection: &Connection) -> Outcome<Vec<AuditFinding>> {
    let mut findings = Vec::new();
    for (sql, sentence) in HANDOVERS {
        let found = sentences(connection, sql, sentence)?;
        findings.extend(found.into_iter().map(AuditFinding::Handover));
    }
    let mut statement = connection.prepare_cached(sql::LINE_COUNTS)?;
    let (found, wanted): (i64, i64) =
        statement.query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    if found > wanted {
        findings.push(AuditFinding::Handover(format!(
            "there are {found} history lines for {wanted} entries of followed journals"
        )));
    }
    for (sql, sentence) in REFERENCES {
        let found = sentences(connection, sql, sentence)?;
        findings.extend(found.into_iter().map(AuditFinding::Reference));
    }
    Ok(findings)
}

fn sentences(connection: &Connection, sql: &str, sentence: Sentence) -> Outcome<Vec<String>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map((SENTENCES_MAX,), sentence)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

const HANDOVERS: [(&str, Sentence); 4] = [
    (sql::WRONG_LINES_OF_MERCHANTS, |row| wrong_line(row, "merchant")),
    (sql::WRONG_LINES_OF_USERS, |row| wrong_line(row, "user")),
    (sql::WRONG_CURSORS, |row| {
        let id: i64 = row.get(0)?;
        Ok(format!("the journal merchant/{id} is followed by nobody, or beyond its head"))
    }),
    (sql::LOST_MESSAGES, |row| {
        let (id, no): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(format!("no inbox has the message of packet {no} of merchant/{id}"))
    }),
];

const REFERENCES: [(&str, Sentence); 3] = [
    (sql::WRONG_REFERENCES_OF_MERCHANTS, |row| wrong_reference(row, "merchant")),
    (sql::WRONG_REFERENCES_OF_USERS, |row| wrong_reference(row, "user")),
    (sql::WRONG_PAYOUTS, |row| {
        let (user, reference): (i64, String) = (row.get(0)?, row.get(1)?);
        Ok(format!("user/{user}: the payout {reference} is not what its movements say"))
    }),
];

fn wrong_line(row: &Row<'_>, owner: &str) -> rusqlite::Result<String> {
    let (id, seq, user): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(format!(
        "the history of user {user} lacks row {seq} of journal {owner}/{id}, or shows it wrongly"
    ))
}

fn wrong_reference(row: &Row<'_>, owner: &str) -> rusqlite::Result<String> {
    let (id, reference): (i64, String) = (row.get(0)?, row.get(1)?);
    let (booked, posted): (i64, i64) = (row.get(2)?, row.get(3)?);
    Ok(format!(
        "{owner}/{id}: the reference {reference} is booked {booked} times and used up {posted} \
         times, or for another movement"
    ))
}
