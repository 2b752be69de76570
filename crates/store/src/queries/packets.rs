//! Orders, packets and claims, as a query reads them.

use super::{order_columns, order_joins, packet_columns};

pub(crate) const ORDER: &str = concat!(
    "
SELECT ",
    order_columns!(),
    "
FROM send_order
JOIN packet_terms
    ON packet_terms.merchant_id = send_order.payer_id
    AND packet_terms.packet_no = send_order.packet_no
",
    order_joins!(),
    "
WHERE send_order.caller_id = $1 AND send_order.bill_no = $2"
);

pub(crate) const ORDER_OF_PACKET: &str = concat!(
    "
SELECT ",
    order_columns!(),
    "
FROM packet_terms
",
    order_joins!(),
    "
WHERE packet_terms.merchant_id = $1 AND packet_terms.packet_no = $2"
);

pub(crate) const PACKET: &str = concat!(
    "
SELECT ",
    packet_columns!(),
    "
FROM packet
WHERE merchant_id = $1 AND packet_no = $2"
);

pub(crate) const GROUP_CLAIMS: &str = "
SELECT user_id, share_no, amount, at
FROM group_claim
WHERE merchant_id = $1 AND packet_no = $2
ORDER BY share_no";
