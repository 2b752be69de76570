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

/// The columns that `Fields::packet` reads.
macro_rules! packet_columns {
    () => {
        "merchant_id, packet_no, kind, receiver_id, total, share_count, paid_from, funded_at,
         expire_at, secret, form, shares, unclaimed, unclaimed_count, state, changed_at,
         version"
    };
}

/// The columns that `order_row` reads, and where they come from.
macro_rules! order_columns {
    () => {
        "packet_terms.caller_id, packet_terms.bill_no, packet_terms.merchant_id,
         packet_terms.packet_no, packet_terms.created_at, packet_terms.kind, packet_terms.way,
         packet_terms.appid, packet_terms.openid, packet_terms.total, packet_terms.share_count,
         packet_terms.scene, packet_terms.sub_merchant_id, packet_terms.message_appid,
         packet_terms.send_name, packet_terms.wishing, packet_terms.act_name,
         packet_terms.remark, packet_terms.client_ip, packet_terms.risk_info,
         packet.version, packet.split_min, packet.split_max,
         refused_order.reason, refused_order.since, refused_order.attempts"
    };
}

/// What an order consists of, from its terms on.
macro_rules! order_joins {
    () => {
        "LEFT JOIN packet
             ON packet.merchant_id = packet_terms.merchant_id
             AND packet.packet_no = packet_terms.packet_no
         LEFT JOIN refused_order
             ON refused_order.merchant_id = packet_terms.merchant_id
             AND refused_order.packet_no = packet_terms.packet_no"
    };
}

pub(crate) use {book_columns, order_columns, order_joins, packet_columns, wallet_columns};
