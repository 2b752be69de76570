//! Orders with their packets and claims.

use std::sync::Arc;

use hongbao_app::ports::{ClaimLine, OrderRecord, StoreError, UserRecord};
use hongbao_domain::{
    AppId, PacketKey, UserId,
    packet::{GroupClaim, OrderKey, Packet, PacketKind, PacketState, Terms},
};

use super::state::State;

impl State {
    pub(super) fn order_record(&self, key: &OrderKey) -> Result<Option<OrderRecord>, StoreError> {
        let Some(order) = self.orders.get(key).cloned() else {
            return Ok(None);
        };
        let payer = order.packet.merchant;
        let record = self
            .merchants
            .get(&payer)
            .ok_or_else(|| StoreError::Corrupt(format!("an order names merchant {payer}")))?;
        let packet = self.packets.get(&order.packet).cloned();
        let claims =
            packet.as_ref().map(|packet| self.claims(packet, &order.terms)).unwrap_or_default();
        Ok(Some(OrderRecord {
            key: key.clone(),
            order,
            packet,
            claims,
            merchant: Arc::new(record.merchant.clone()),
        }))
    }

    pub(super) fn order_of_packet(
        &self,
        key: PacketKey,
    ) -> Result<Option<OrderRecord>, StoreError> {
        match self.order_of_packet.get(&key) {
            Some(order) => self.order_record(order),
            None => Ok(None),
        }
    }

    fn claims(&self, packet: &Packet, terms: &Terms) -> Vec<ClaimLine> {
        let mut taken: Vec<GroupClaim> = match (packet.kind, packet.state) {
            (PacketKind::Normal, PacketState::Claimed { at }) => {
                vec![GroupClaim { share_no: 1, user: packet.receiver, amount: packet.total, at }]
            }
            (PacketKind::Normal, _) => Vec::new(),
            (PacketKind::Group, _) => self.group_claims_of(packet.key),
        };
        taken.sort_by_key(|claim| claim.share_no);
        let mut lines: Vec<ClaimLine> =
            taken.into_iter().map(|claim| self.claim_line(claim, &terms.app)).collect();
        // The receiver has the openid that the sender named, which may be the message app's.
        for line in lines.iter_mut().filter(|line| line.user == packet.receiver) {
            line.openid = Some(terms.openid.clone());
        }
        lines
    }

    fn group_claims_of(&self, key: PacketKey) -> Vec<GroupClaim> {
        self.group_claims
            .range((key, UserId::new(0))..=(key, UserId::new(u64::MAX)))
            .map(|(_, claim)| *claim)
            .collect()
    }

    fn claim_line(&self, claim: GroupClaim, app: &AppId) -> ClaimLine {
        let names = || self.people.values().filter(|known| known.user == claim.user);
        let here: Option<&UserRecord> = names().find(|known| known.person.app == *app);
        let shown = here.or_else(|| names().next());
        ClaimLine {
            user: claim.user,
            openid: here.map(|known| known.person.openid.clone()),
            display_name: shown.map(|known| known.display_name.clone()).unwrap_or_default(),
            amount: claim.amount,
            share_no: claim.share_no,
            at: claim.at,
        }
    }
}
