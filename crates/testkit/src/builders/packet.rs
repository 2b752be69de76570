//! Orders, packets and claims.

use std::sync::Arc;

use hongbao_domain::{
    Fen, MerchantId, PacketCode, PacketKey, PacketSecret, Reference, UserId,
    ids::Access,
    merchant::SendWay,
    packet::{ClaimShare, OrderKey, PacketKind, SendPacket, Terms, Texts},
};
use sha2::{Digest as _, Sha256};

use super::{APP, app, openid};

/// The order numbered `bill_no` of `caller`.
pub fn an_order(caller: MerchantId, bill_no: &str) -> OrderKey {
    OrderKey { caller, bill_no: bill_no.parse().expect("a test names an order") }
}

/// The reference `text`.
pub fn reference(text: &str) -> Reference {
    text.parse().expect("a test names a reference")
}

/// A normal packet of `fen` to `receiver` in [`APP`].
pub fn normal_terms(receiver: &str, fen: i64) -> Terms {
    Terms {
        kind: PacketKind::Normal,
        way: SendWay::Api,
        app: app(APP),
        openid: openid(receiver),
        total: Fen::new(fen),
        share_count: 1,
        scene: None,
        sub_merchant: None,
        message_app: None,
        texts: Texts {
            send_name: "Lantern Tea".to_owned(),
            wishing: "恭喜发财".to_owned(),
            act_name: "New Year".to_owned(),
            remark: "tea first".to_owned(),
        },
        client_ip: Some("192.0.2.7".to_owned()),
        risk_info: None,
    }
}

/// A group packet of `fen` in `share_count` shares that `seed` opens first.
pub fn group_terms(seed: &str, fen: i64, share_count: u32) -> Terms {
    Terms { kind: PacketKind::Group, share_count, ..normal_terms(seed, fen) }
}

/// The secret of the order `key`: another for each number, the same in every run.
pub fn secret(key: &OrderKey) -> PacketSecret {
    let digest = Sha256::new()
        .chain_update(key.caller.get().to_be_bytes())
        .chain_update(key.bill_no.as_str())
        .finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    PacketSecret::new(bytes)
}

/// `merchant` sends its own money under `bill_no`.
pub fn a_send(merchant: MerchantId, bill_no: &str, terms: Terms) -> SendPacket {
    let order = an_order(merchant, bill_no);
    SendPacket { payer: merchant, terms: Arc::new(terms), secret: secret(&order), order }
}

/// `user` opens the packet at `key`, which `send` made, from a message.
pub fn a_claim(send: &SendPacket, key: PacketKey, user: UserId) -> ClaimShare {
    ClaimShare { code: PacketCode::new(key, &send.secret, Access::Message), user }
}

/// `user` opens the packet at `key`, which `send` made, from a shared link.
pub fn a_link_claim(send: &SendPacket, key: PacketKey, user: UserId) -> ClaimShare {
    ClaimShare { code: PacketCode::new(key, &send.secret, Access::SharedLink), user }
}
