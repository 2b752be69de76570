//! Looking at a packet: what its page shows, and to whom.

use hongbao_domain::{
    Fen, PacketCode, PacketKey, Timestamp, UserId,
    ids::Access,
    packet::{OrderState, Packet, PacketKind, PacketStatus},
    split::{self, SplitSeed, SplitTerms},
};

use crate::{
    App, AppError,
    ports::{ClaimLine, OrderRecord},
};

/// Who looks, and by which code.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    /// The user.
    pub user: UserId,
    /// How they came.
    pub access: Access,
}

/// What the viewer can do about the packet now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Open it.
    CanOpen,
    /// Already has a share.
    HasShare {
        /// How much.
        amount: Fen,
        /// The how manieth claim.
        share_no: u32,
    },
    /// Wait until the user it was sent to has opened it.
    WaitsForSeed,
    /// Too late: all shares are taken.
    AllTaken,
    /// Too late: it has ended.
    Ended,
    /// It is somebody else's.
    NotTheReceiver,
}

/// A packet's page.
#[derive(Clone, Debug)]
pub struct PacketView {
    /// Order, packet and claims.
    pub record: OrderRecord,
    /// The funded packet.
    pub packet: Packet,
    /// The status now.
    pub status: PacketStatus,
    /// What the viewer can do.
    pub standing: Standing,
    /// The code of the shared link, for those who have a share of a group packet.
    pub share_code: Option<PacketCode>,
    /// The user whose share is the largest, once all are taken; the earlier one of two equals.
    pub luckiest: Option<UserId>,
    /// Terms of the split of a group packet, with its commitment.
    pub split: Option<(SplitTerms, String)>,
    /// The seed of the split, once the packet is settled.
    pub seed: Option<SplitSeed>,
    /// The merchant's time.
    pub at: Timestamp,
}

impl App {
    /// The page of the packet with this code, as `user` sees it.
    pub async fn view_packet(
        &self,
        code: PacketCode,
        user: UserId,
    ) -> Result<PacketView, AppError> {
        const MISSING: AppError = AppError::NotFound { what: "packet" };
        let record = self.store.order_of_packet(code.key()).await?.ok_or(MISSING)?;
        let packet = record.packet.clone().ok_or(MISSING)?;
        let access = code.access(&packet.secret).ok_or(MISSING)?;
        if packet.kind == PacketKind::Normal && packet.receiver != user {
            return Err(MISSING);
        }
        let at = record.merchant.time(self.store.now().await?);
        let standing = standing(&packet, &record.claims, Viewer { user, access }, at);
        let settled = packet.state.settled_at().is_some();
        let split = match &record.order.state {
            OrderState::Funded { split } => *split,
            OrderState::Refused(_) => None,
        };
        let seed = SplitSeed::of(&packet.secret);
        Ok(PacketView {
            status: PacketStatus::of(&record.order, Some(&packet), at),
            standing,
            share_code: share_code(&packet, standing),
            luckiest: luckiest(&packet, &record.claims),
            split: split.map(|terms| (terms, split::commitment(&seed, &terms))),
            seed: (settled && split.is_some()).then_some(seed),
            packet,
            record,
            at,
        })
    }

    /// The code by which the receiver of a packet opens it.
    pub async fn message_codes(
        &self,
        keys: &[PacketKey],
    ) -> Result<Vec<(PacketKey, PacketCode)>, AppError> {
        let packets = self.store.packets(keys).await?;
        Ok(packets
            .into_iter()
            .map(|packet| {
                (packet.key, PacketCode::new(packet.key, &packet.secret, Access::Message))
            })
            .collect())
    }
}

fn standing(packet: &Packet, claims: &[ClaimLine], viewer: Viewer, at: Timestamp) -> Standing {
    if let Some(claim) = claims.iter().find(|claim| claim.user == viewer.user) {
        return Standing::HasShare { amount: claim.amount, share_no: claim.share_no };
    }
    let receiver = packet.receiver == viewer.user;
    if !receiver && viewer.access == Access::Message {
        Standing::NotTheReceiver
    } else if packet.next_share().is_none() {
        Standing::AllTaken
    } else if at >= packet.expire_at || packet.state.settled_at().is_some() {
        Standing::Ended
    } else if !receiver && packet.claimed_count == 0 {
        Standing::WaitsForSeed
    } else {
        Standing::CanOpen
    }
}

fn share_code(packet: &Packet, standing: Standing) -> Option<PacketCode> {
    let group = packet.kind == PacketKind::Group;
    let has_share = matches!(standing, Standing::HasShare { .. });
    (group && has_share).then(|| PacketCode::new(packet.key, &packet.secret, Access::SharedLink))
}

fn luckiest(packet: &Packet, claims: &[ClaimLine]) -> Option<UserId> {
    if packet.kind != PacketKind::Group || packet.claimed_count < packet.share_count {
        return None;
    }
    let best = claims.iter().max_by_key(|claim| (claim.amount, std::cmp::Reverse(claim.share_no)));
    best.map(|claim| claim.user)
}
