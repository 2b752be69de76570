//! Terms that orders have in common, written once.
//!
//! A campaign sends thousands of packets with the same texts from the same app. Of those that a batch
//! makes, one row has such terms and the others name it. Rows of other batches are never named: what
//! a batch writes can be told from the batch alone, and an order that comes by itself has all its terms.

use std::collections::{HashMap, hash_map::Entry};

use hongbao_domain::{
    AppId, MerchantId,
    merchant::{Scene, SendWay},
    packet::{Order, Terms, Texts},
};

use crate::{
    columns::{int, merchant_int},
    error::Outcome,
};

/// The terms that do not tell one packet of a campaign from another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct CommonTerms<'b> {
    way: SendWay,
    app: &'b AppId,
    scene: Option<Scene>,
    sub_merchant: Option<MerchantId>,
    message_app: Option<&'b AppId>,
    texts: &'b Texts,
    client_ip: Option<&'b str>,
}

impl<'b> CommonTerms<'b> {
    fn of(terms: &'b Terms) -> Self {
        Self {
            way: terms.way,
            app: &terms.app,
            scene: terms.scene,
            sub_merchant: terms.sub_merchant,
            message_app: terms.message_app.as_ref(),
            texts: &terms.texts,
            client_ip: terms.client_ip.as_deref(),
        }
    }
}

/// Those columns of a row of `packet`: all terms, or only whose they are.
#[derive(Default)]
pub(crate) struct CommonColumns<'b> {
    pub(crate) terms_of: Option<i64>,
    pub(crate) way: Option<u8>,
    pub(crate) app: Option<&'b str>,
    pub(crate) scene: Option<u8>,
    pub(crate) sub_merchant: Option<i64>,
    pub(crate) message_app: Option<&'b str>,
    pub(crate) send_name: Option<&'b str>,
    pub(crate) wishing: Option<&'b str>,
    pub(crate) act_name: Option<&'b str>,
    pub(crate) remark: Option<&'b str>,
    pub(crate) client_ip: Option<&'b str>,
}

impl<'b> CommonColumns<'b> {
    fn own(terms: CommonTerms<'b>) -> Self {
        let CommonTerms { way, app, scene, sub_merchant, message_app, texts, client_ip } = terms;
        Self {
            terms_of: None,
            way: Some(way.code()),
            app: Some(app.as_str()),
            scene: scene.map(Scene::number),
            sub_merchant: sub_merchant.map(merchant_int),
            message_app: message_app.map(AppId::as_str),
            send_name: Some(&texts.send_name),
            wishing: Some(&texts.wishing),
            act_name: Some(&texts.act_name),
            remark: Some(&texts.remark),
            client_ip,
        }
    }

    fn of_another(packet_no: i64) -> Self {
        Self { terms_of: Some(packet_no), ..Self::default() }
    }
}

/// In which rows of a batch which terms stand.
#[derive(Default)]
pub(crate) struct CommonRows<'b> {
    rows: HashMap<(MerchantId, CommonTerms<'b>), i64>,
    /// The one named last: most often it is the next, too, and to compare is less than to look up.
    last: Option<((MerchantId, CommonTerms<'b>), i64)>,
}

impl<'b> CommonRows<'b> {
    /// The columns of the next row that the batch writes.
    pub(crate) fn next(&mut self, order: &'b Order) -> Outcome<CommonColumns<'b>> {
        let terms = CommonTerms::of(&order.terms);
        let key = (order.packet.merchant, terms);
        if let Some((last, packet_no)) = self.last
            && last == key
        {
            return Ok(CommonColumns::of_another(packet_no));
        }
        let (packet_no, columns) = match self.rows.entry(key) {
            Entry::Occupied(row) => (*row.get(), CommonColumns::of_another(*row.get())),
            Entry::Vacant(row) => {
                let packet_no = int(order.packet.no.get())?;
                (*row.insert(packet_no), CommonColumns::own(terms))
            }
        };
        self.last = Some((key, packet_no));
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hongbao_domain::{
        MerchantId, PacketKey, PacketNo, Timestamp,
        merchant::{Scene, SendWay},
        packet::{Order, OrderState, Terms},
    };
    use hongbao_testkit::builders::{app, normal_terms};

    use super::CommonRows;

    /// The order of packet `no`, as far as rows are concerned.
    fn order(merchant: u64, no: u64, terms: Terms) -> Order {
        let merchant = MerchantId::try_new(merchant).unwrap();
        Order {
            packet: PacketKey { merchant, no: PacketNo::new(no) },
            created_at: Timestamp::EPOCH,
            terms: Arc::new(terms),
            state: OrderState::Funded { split: None },
        }
    }

    /// Whose terms each row names, of orders written one after another.
    fn named(orders: &[Order]) -> Vec<Option<i64>> {
        let mut rows = CommonRows::default();
        orders.iter().map(|order| rows.next(order).unwrap().terms_of).collect()
    }

    #[test]
    fn campaigns_that_take_turns_have_a_row_each() {
        let terms = |act: &str| {
            let mut terms = normal_terms("alice", 100);
            terms.texts.act_name = act.to_owned();
            terms
        };
        let (one, two) = (terms("one"), terms("two"));
        let in_turn = [&one, &two, &one, &two, &one].into_iter().zip(1..);
        let orders: Vec<_> =
            in_turn.map(|(terms, no)| order(1_900_000_001, no, terms.clone())).collect();
        assert_eq!(named(&orders), [None, None, Some(1), Some(2), Some(1)]);
    }

    #[test]
    fn what_tells_packets_apart_does_not_tell_their_campaigns_apart() {
        let first = normal_terms("alice", 100);
        let other = Terms { risk_info: Some("x".to_owned()), ..normal_terms("bob", 200) };
        let orders = [order(1_900_000_001, 7, first), order(1_900_000_001, 8, other)];
        assert_eq!(named(&orders), [None, Some(7)]);
    }

    #[test]
    fn no_term_of_another_order_is_taken_for_ones_own() {
        let base = normal_terms("alice", 100);
        let others = [
            Terms { way: SendWay::Upload, ..base.clone() },
            Terms { app: app("wxother"), ..base.clone() },
            Terms { scene: Some(Scene::PrizeDraw), ..base.clone() },
            Terms { sub_merchant: MerchantId::try_new(1_900_000_009).ok(), ..base.clone() },
            Terms { message_app: Some(base.app.clone()), ..base.clone() },
            Terms { client_ip: None, ..base.clone() },
        ];
        let texts = [0, 1, 2, 3].map(|place| {
            let mut terms = base.clone();
            let texts = &mut terms.texts;
            let all =
                [&mut texts.send_name, &mut texts.wishing, &mut texts.act_name, &mut texts.remark];
            all.into_iter().nth(place).unwrap().push('!');
            terms
        });
        let all = [base.clone()].into_iter().chain(others).chain(texts);
        let mut orders: Vec<_> =
            all.zip(1..).map(|(terms, no)| order(1_900_000_001, no, terms)).collect();
        orders.push(order(1_900_000_002, 1, base));
        assert_eq!(named(&orders), vec![None; orders.len()]);
    }
}
