//! Every statement off the hot path, and what is made of its rows, written once for both
//! databases.
//!
//! Portable subset only. Placeholders are `$1 … $n` in the order of their first appearance, which
//! is how SQLite numbers them when it takes them for names.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method's path stands for one lifetime, rows are read for any"
)]

pub(crate) mod admin;
pub(crate) mod audit;
pub(crate) mod jobs;
pub(crate) mod journal;
pub(crate) mod packets;
pub(crate) mod users;

/// The columns that `Fields::book` reads.
macro_rules! book_columns {
    () => {
        "merchant_book.version, merchant_book.basic_fen, merchant_book.basic_seq,
         merchant_book.operation_fen, merchant_book.operation_seq, merchant_book.escrow_fen,
         merchant_book.escrow_seq, merchant_book.external_fen, merchant_book.external_seq,
         merchant_book.journal_seq, merchant_book.journal_hash, merchant_book.journal_at,
         merchant_book.day_version, merchant_book.day, merchant_book.day_fen,
         merchant_book.day_count, merchant_book.last_packet, merchant_book.clock_offset_millis"
    };
}

/// The columns that `Fields::wallet` reads.
macro_rules! wallet_columns {
    () => {
        "user_id, wallet_fen, wallet_seq, external_fen, external_seq, journal_seq, journal_hash,
         journal_at, frozen"
    };
}

/// The columns that `Fields::packet` reads, and where they come from.
macro_rules! packet_columns {
    () => {
        "packet.merchant_id, packet.packet_no, packet.kind, packet.receiver_id, packet.total,
         packet.share_count, packet.paid_from, packet.funded_at, packet.expire_at, packet.secret,
         packet.form, packet.shares, coalesce(packet_progress.claimed, 0),
         coalesce(packet_progress.claimed_count, 0), packet_progress.settled_at,
         coalesce(packet_progress.version, 1)"
    };
}

/// What became of a packet.
macro_rules! packet_joins {
    () => {
        "LEFT JOIN packet_progress
             ON packet_progress.merchant_id = packet.merchant_id
             AND packet_progress.packet_no = packet.packet_no"
    };
}

/// The columns that `order_row` reads, and where they come from.
macro_rules! order_columns {
    () => {
        "packet.caller_id, packet.bill_no, packet.merchant_id, packet.packet_no,
         packet.created_at, packet.kind, common.way, common.appid, packet.openid, packet.total,
         packet.share_count, common.scene, common.sub_merchant_id, common.message_appid,
         common.send_name, common.wishing, common.act_name, common.remark, common.client_ip,
         packet.risk_info, packet.funded_at, packet.split_min, packet.split_max,
         refused_order.reason, refused_order.since, refused_order.attempts"
    };
}

/// The row that has the terms an order shares with others, its own or another's, and why an order was
/// refused. A row that is missing shall be told, so it does not take the order away.
macro_rules! order_joins {
    () => {
        "LEFT JOIN packet AS common
             ON common.merchant_id = packet.merchant_id
             AND common.packet_no = coalesce(packet.terms_of, packet.packet_no)
         LEFT JOIN refused_order
             ON refused_order.merchant_id = packet.merchant_id
             AND refused_order.packet_no = packet.packet_no"
    };
}

pub(crate) use {
    book_columns, order_columns, order_joins, packet_columns, packet_joins, wallet_columns,
};
