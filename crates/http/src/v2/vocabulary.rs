//! The same things in the words of the domain and in those of the wire.

use hongbao_domain::{
    merchant::{Scene as DomainScene, SendWay},
    packet::{PacketKind, PacketStatus},
};
use hongbao_wire::{HbType, Scene, SendType, Status};

/// `scene_id`.
pub(super) const fn scene(scene: Scene) -> DomainScene {
    match scene {
        Scene::Product1 => DomainScene::GoodsPromotion,
        Scene::Product2 => DomainScene::PrizeDraw,
        Scene::Product3 => DomainScene::VirtualGoods,
        Scene::Product4 => DomainScene::StaffBenefits,
        Scene::Product5 => DomainScene::ChannelProfitShare,
        Scene::Product6 => DomainScene::InsuranceRebate,
        Scene::Product7 => DomainScene::LotteryPrizes,
        Scene::Product8 => DomainScene::TaxReceiptPrizes,
    }
}

/// `status`.
pub(super) const fn status(status: PacketStatus) -> Status {
    match status {
        PacketStatus::Sending => Status::Sending,
        PacketStatus::Sent => Status::Sent,
        PacketStatus::Failed => Status::Failed,
        PacketStatus::Received => Status::Received,
        PacketStatus::Refunding => Status::RfundIng,
        PacketStatus::Refunded => Status::Refund,
    }
}

/// `hb_type`.
pub(super) const fn hb_type(kind: PacketKind) -> HbType {
    match kind {
        PacketKind::Normal => HbType::Normal,
        PacketKind::Group => HbType::Group,
    }
}

/// `send_type`.
pub(super) const fn send_type(way: SendWay) -> SendType {
    match way {
        SendWay::Api => SendType::Api,
        SendWay::Upload => SendType::Upload,
        SendWay::Activity => SendType::Activity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_keeps_its_number() {
        for (wire, domain) in Scene::ALL.iter().zip(DomainScene::ALL) {
            assert_eq!(wire.as_str(), format!("PRODUCT_{}", scene(*wire).number()));
            assert_eq!(scene(*wire), domain);
        }
    }
}
