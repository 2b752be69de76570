//! Reading everything in pages by key, for checking the books.

use hongbao_app::ports::AuditFinding;
use hongbao_domain::{
    MerchantId, PacketKey, UserId,
    limit::DayUse,
    merchant::Merchant,
    packet::{GroupClaim, Order, OrderKey, Packet},
    wallet::Wallet,
};

use super::{
    admin, order_columns, order_joins, packet_columns, packet_joins, packets::order_row,
    wallet_columns,
};
use crate::{
    columns::{int, merchant_int},
    error::Outcome,
    fields::Fields,
    session::{Session, values},
    settings::SettingsCache,
};

/// How many sentences about the same kind of damage are enough.
const SENTENCES_MAX: u32 = 100;

pub(crate) const WALLETS: &str = concat!(
    "
SELECT ",
    wallet_columns!(),
    "
FROM wallet
WHERE user_id > $1
ORDER BY user_id
LIMIT $2"
);

pub(crate) const PACKETS: &str = concat!(
    "
SELECT ",
    packet_columns!(),
    "
FROM packet
",
    packet_joins!(),
    "
WHERE packet.merchant_id = $1 AND packet.packet_no > $2 AND packet.funded_at IS NOT NULL
ORDER BY packet.packet_no
LIMIT $3"
);

pub(crate) const GROUP_CLAIMS: &str = "
SELECT merchant_id, packet_no, user_id, share_no, amount, at
FROM group_claim
WHERE merchant_id = $1 AND (packet_no, share_no) > ($2, $3)
ORDER BY packet_no, share_no
LIMIT $4";

pub(crate) const USER_DAYS: &str = "
SELECT user_id, version, day, fen, packet_count
FROM user_day
WHERE merchant_id = $1 AND user_id > $2
ORDER BY user_id
LIMIT $3";

/// The page first. What joins owners of two kinds, here and below, has the rows of one kind in a query
/// of their own: a distributed database, where they lie on different machines, joins them only so.
pub(crate) const ORDERS: &str = concat!(
    "
SELECT ",
    order_columns!(),
    "
FROM (
    SELECT payer_id, packet_no, bill_no
    FROM send_order
    WHERE caller_id = $1 AND bill_no > $2
    ORDER BY bill_no
    LIMIT $3
) AS place
JOIN packet ON packet.merchant_id = place.payer_id AND packet.packet_no = place.packet_no
",
    order_joins!(),
    "
ORDER BY place.bill_no"
);

/// What became of packets that nobody sent.
pub(crate) const STRAY_PROGRESS: &str = "
SELECT packet_progress.merchant_id, packet_progress.packet_no
FROM packet_progress
LEFT JOIN packet
    ON packet.merchant_id = packet_progress.merchant_id
    AND packet.packet_no = packet_progress.packet_no
    AND packet.funded_at IS NOT NULL
WHERE packet.packet_no IS NULL
LIMIT $1";

/// History lines that followed merchant journals should have made and did not, or made wrong.
pub(crate) const WRONG_LINES_OF_MERCHANTS: &str = "
SELECT due.merchant_id, due.seq, due.user_id
FROM (
    SELECT merchant_journal.merchant_id, merchant_journal.seq, merchant_journal.user_id,
           merchant_journal.kind, merchant_journal.at,
           CASE to_kind WHEN 4 THEN to_seq ELSE from_seq END AS line_seq,
           CASE to_kind WHEN 4 THEN amount ELSE -amount END AS delta,
           CASE to_kind WHEN 4 THEN to_balance ELSE from_balance END AS balance_after
    FROM follow_cursor
    JOIN merchant_journal
        ON merchant_journal.merchant_id = follow_cursor.merchant_id
        AND merchant_journal.seq <= follow_cursor.followed_seq
    WHERE merchant_journal.user_id IS NOT NULL
) AS due
LEFT JOIN wallet_entry
    ON wallet_entry.user_id = due.user_id
    AND wallet_entry.seq = due.line_seq
    AND wallet_entry.kind = due.kind
    AND wallet_entry.delta = due.delta
    AND wallet_entry.balance_after = due.balance_after
    AND wallet_entry.merchant_id = due.merchant_id
    AND wallet_entry.at = due.at
WHERE wallet_entry.user_id IS NULL
LIMIT $1";

/// History lines that users' own journals should have made and did not, or made wrong.
pub(crate) const WRONG_LINES_OF_USERS: &str = "
SELECT side.owner_id, side.journal_seq, side.user_id
FROM (
    SELECT user_id AS owner_id, seq AS journal_seq, user_id, from_seq AS seq, kind,
           -amount AS delta, from_balance AS balance_after, at
    FROM user_journal
    WHERE from_kind = 4
    UNION ALL
    SELECT user_id, seq, coalesce(payee_id, user_id), to_seq, kind, amount, to_balance, at
    FROM user_journal
    WHERE to_kind = 4
) AS side
LEFT JOIN wallet_entry
    ON wallet_entry.user_id = side.user_id
    AND wallet_entry.seq = side.seq
    AND wallet_entry.kind = side.kind
    AND wallet_entry.delta = side.delta
    AND wallet_entry.balance_after = side.balance_after
    AND wallet_entry.at = side.at
WHERE wallet_entry.user_id IS NULL
LIMIT $1";

/// Merchants whose journal nobody follows, or follows beyond its head.
pub(crate) const WRONG_CURSORS: &str = "
SELECT merchant_book.merchant_id
FROM merchant_book
LEFT JOIN follow_cursor ON follow_cursor.merchant_id = merchant_book.merchant_id
WHERE follow_cursor.merchant_id IS NULL
    OR follow_cursor.followed_seq > merchant_book.journal_seq
LIMIT $1";

/// Sends that were followed and whose receivers were not told. All of them, says the inner bound, which
/// nothing reaches: PostgreSQL else expects to find the first few soon and looks the messages up one
/// by one, four times slower over half a million.
pub(crate) const LOST_MESSAGES: &str = "
SELECT told.merchant_id, told.packet_no
FROM (
    SELECT packet.merchant_id, packet.packet_no, packet.receiver_id, packet.funded_at, packet.form
    FROM follow_cursor
    JOIN merchant_journal
        ON merchant_journal.merchant_id = follow_cursor.merchant_id
        AND merchant_journal.seq <= follow_cursor.followed_seq
    JOIN packet
        ON packet.merchant_id = merchant_journal.merchant_id
        AND packet.packet_no = merchant_journal.packet_no
    WHERE merchant_journal.kind = 4
    LIMIT 9223372036854775807
) AS told
LEFT JOIN inbox_message
    ON inbox_message.user_id = told.receiver_id
    AND inbox_message.sent_at = told.funded_at
    AND inbox_message.merchant_id = told.merchant_id
    AND inbox_message.packet_no = told.packet_no
    AND inbox_message.form = told.form
WHERE inbox_message.user_id IS NULL
LIMIT $1";

/// References that are not used up once, for the one movement that is booked under them; `$steps`
/// are their movements as (owner, reference, kind, amount, from, to, payee, at, 1 if booked, 1 if
/// used up). One pass over each table.
macro_rules! wrong_references {
    ($steps:literal) => {
        concat!(
            "
SELECT owner_id, reference, sum(booked), sum(posted)
FROM (",
            $steps,
            ") AS step
GROUP BY owner_id, reference
HAVING sum(booked) <> 1 OR sum(posted) <> 1 OR min(kind) <> max(kind)
    OR min(amount) <> max(amount) OR min(from_kind) <> max(from_kind)
    OR min(to_kind) <> max(to_kind) OR min(payee_id) <> max(payee_id) OR min(at) <> max(at)
LIMIT $1"
        )
    };
}

/// Of merchants: recharges (1), withdrawals (2), moves to the operation account (3).
pub(crate) const WRONG_REFERENCES_OF_MERCHANTS: &str = wrong_references!(
    "
    SELECT merchant_id AS owner_id, reference, kind, amount, from_kind, to_kind,
           merchant_id AS payee_id, at, 1 AS booked, 0 AS posted
    FROM merchant_journal
    WHERE kind IN (1, 2, 3)
    UNION ALL
    SELECT merchant_id, reference, kind, amount, from_kind, to_kind,
           coalesce(to_merchant_id, to_user_id), at, 0, 1
    FROM merchant_posted
"
);

/// Of users: payments (7), which stand in merchants' journals, and all that stands in their own
/// but returns (10), which come under their withdrawal's.
pub(crate) const WRONG_REFERENCES_OF_USERS: &str = wrong_references!(
    "
    SELECT user_id AS owner_id, reference, kind, amount, from_kind, to_kind,
           merchant_id AS payee_id, at, 1 AS booked, 0 AS posted
    FROM merchant_journal
    WHERE kind = 7
    UNION ALL
    SELECT user_id, reference, kind, amount, from_kind, to_kind, coalesce(payee_id, user_id), at,
           1, 0
    FROM user_journal
    WHERE kind <> 10
    UNION ALL
    SELECT user_id, reference, kind, amount, from_kind, to_kind,
           coalesce(to_merchant_id, to_user_id), at, 0, 1
    FROM user_posted
"
);

/// Payouts that are not one withdrawal and, if they are returned (3), one return of the same sum.
pub(crate) const WRONG_PAYOUTS: &str = "
SELECT user_id, reference
FROM (
    SELECT user_id, reference, amount, 1 AS payouts, 0 AS withdrawals,
           CASE state WHEN 3 THEN 1 ELSE 0 END AS returns_due, 0 AS returns
    FROM payout
    UNION ALL
    SELECT user_id, reference, amount, 0, 1, 0, 0
    FROM user_journal
    WHERE kind = 9
    UNION ALL
    SELECT user_id, reference, amount, 0, 0, 0, 1
    FROM user_journal
    WHERE kind = 10
) AS step
GROUP BY user_id, reference
HAVING sum(payouts) <> 1 OR sum(withdrawals) <> 1 OR sum(returns) <> sum(returns_due)
    OR min(amount) <> max(amount)
LIMIT $1";

/// How many history lines there are, and how many there should be.
pub(crate) const LINE_COUNTS: &str = "
SELECT (SELECT count(*) FROM wallet_entry),
       (SELECT count(*)
        FROM follow_cursor
        JOIN merchant_journal
            ON merchant_journal.merchant_id = follow_cursor.merchant_id
            AND merchant_journal.seq <= follow_cursor.followed_seq
        WHERE merchant_journal.user_id IS NOT NULL)
       + (SELECT count(*) FROM user_journal WHERE from_kind = 4)
       + (SELECT count(*) FROM user_journal WHERE to_kind = 4)";

/// Every merchant, by number.
pub(crate) async fn merchants(
    session: &impl Session,
    settings: &SettingsCache,
) -> Outcome<Vec<Merchant>> {
    let records = admin::merchants(session, settings).await?;
    Ok(records.into_iter().map(|record| record.merchant).collect())
}

/// Wallets of users above `user`.
pub(crate) async fn wallets(
    session: &impl Session,
    user: UserId,
    limit: u32,
) -> Outcome<Vec<Wallet>> {
    session
        .query(WALLETS, "wallet", values![int(user.get())?, limit], |fields| fields.wallet())
        .await
}

/// Packets of a merchant above `no`.
pub(crate) async fn packets(
    session: &impl Session,
    merchant: MerchantId,
    no: u64,
    limit: u32,
) -> Outcome<Vec<Packet>> {
    let key = values![merchant_int(merchant), int(no)?, limit];
    session.query(PACKETS, "packet", key, |fields| fields.packet()).await
}

/// Group claims of a merchant above (packet number, share number).
pub(crate) async fn group_claims(
    session: &impl Session,
    merchant: MerchantId,
    (no, share_no): (u64, u32),
    limit: u32,
) -> Outcome<Vec<(PacketKey, GroupClaim)>> {
    let key = values![merchant_int(merchant), int(no)?, share_no, limit];
    session
        .query(GROUP_CLAIMS, "group_claim", key, |fields| {
            let packet = fields.packet_key()?;
            let user = fields.user()?;
            let (share_no, amount, at) = (fields.u32()?, fields.fen()?, fields.time()?);
            Ok((packet, GroupClaim { user, share_no, amount, at }))
        })
        .await
}

/// What users of a merchant have used of daily caps, above `user`.
pub(crate) async fn user_days(
    session: &impl Session,
    merchant: MerchantId,
    user: UserId,
    limit: u32,
) -> Outcome<Vec<(UserId, DayUse)>> {
    let key = values![merchant_int(merchant), int(user.get())?, limit];
    session
        .query(USER_DAYS, "user_day", key, |fields| Ok((fields.user()?, fields.day_use()?)))
        .await
}

/// Orders called by a merchant, above a number.
pub(crate) async fn orders(
    session: &impl Session,
    caller: MerchantId,
    bill_no: &str,
    limit: u32,
) -> Outcome<Vec<(OrderKey, Order)>> {
    let key = values![merchant_int(caller), bill_no, limit];
    session.query(ORDERS, "packet", key, order_row).await
}

/// What is written beside the journals and does not follow from them.
pub(crate) async fn projections(session: &impl Session) -> Outcome<Vec<AuditFinding>> {
    let mut findings = Vec::new();
    for (sql, finding, sentence) in CHECKS {
        let found = session.query(sql, "a finding", values![SENTENCES_MAX], sentence).await?;
        findings.extend(found.into_iter().map(finding));
    }
    findings.extend(superfluous_lines(session).await?);
    Ok(findings)
}

async fn superfluous_lines(session: &impl Session) -> Outcome<Option<AuditFinding>> {
    let counts = session.find(LINE_COUNTS, "wallet_entry", &[], |fields| {
        Ok((fields.raw::<i64>()?, fields.raw::<i64>()?))
    });
    Ok(counts.await?.filter(|(found, wanted)| found > wanted).map(|(found, wanted)| {
        AuditFinding::Handover(format!(
            "there are {found} history lines for {wanted} entries of followed journals"
        ))
    }))
}

/// What the columns of a row say: the sentence about it.
type Sentence = fn(&mut Fields<'_>) -> Outcome<String>;

/// What is found of which kind.
type Finding = fn(String) -> AuditFinding;

/// What each query finds, and the sentence about it.
const CHECKS: [(&str, Finding, Sentence); 8] = [
    (STRAY_PROGRESS, AuditFinding::Stray, |fields| {
        let (id, no): (i64, i64) = (fields.raw()?, fields.raw()?);
        Ok(format!("something became of packet {no} of merchant/{id}, which nobody sent"))
    }),
    (WRONG_LINES_OF_MERCHANTS, AuditFinding::Handover, |fields| wrong_line(fields, "merchant")),
    (WRONG_LINES_OF_USERS, AuditFinding::Handover, |fields| wrong_line(fields, "user")),
    (WRONG_CURSORS, AuditFinding::Handover, |fields| {
        let id: i64 = fields.raw()?;
        Ok(format!("the journal merchant/{id} is followed by nobody, or beyond its head"))
    }),
    (LOST_MESSAGES, AuditFinding::Handover, |fields| {
        let (id, no): (i64, i64) = (fields.raw()?, fields.raw()?);
        Ok(format!("no inbox has the message of packet {no} of merchant/{id}"))
    }),
    (WRONG_REFERENCES_OF_MERCHANTS, AuditFinding::Reference, |fields| {
        wrong_reference(fields, "merchant")
    }),
    (WRONG_REFERENCES_OF_USERS, AuditFinding::Reference, |fields| wrong_reference(fields, "user")),
    (WRONG_PAYOUTS, AuditFinding::Reference, |fields| {
        let (user, reference): (i64, String) = (fields.raw()?, fields.raw()?);
        Ok(format!("user/{user}: the payout {reference} is not what its movements say"))
    }),
];

fn wrong_line(fields: &mut Fields<'_>, owner: &str) -> Outcome<String> {
    let (id, seq, user): (i64, i64, i64) = (fields.raw()?, fields.raw()?, fields.raw()?);
    Ok(format!(
        "the history of user {user} lacks row {seq} of journal {owner}/{id}, or shows it wrongly"
    ))
}

fn wrong_reference(fields: &mut Fields<'_>, owner: &str) -> Outcome<String> {
    let (id, reference): (i64, String) = (fields.raw()?, fields.raw()?);
    let (booked, posted): (i64, i64) = (fields.raw()?, fields.raw()?);
    Ok(format!(
        "{owner}/{id}: the reference {reference} is booked {booked} times and used up {posted} \
         times, or for another movement"
    ))
}
