//! The page of a packet.

use hongbao_app::packets::{PacketView, Standing};
use hongbao_domain::{
    Fen, PacketCode, UserId,
    packet::PacketKind,
    split::{SplitSeed, SplitTerms},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    json::Money,
    words::{KindWord, StatusWord},
};

/// A packet as the viewer sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PacketPage {
    /// The code it was asked for by.
    code: String,
    /// Who sends.
    sender: String,
    /// The greeting.
    wishing: String,
    /// The activity.
    act_name: String,
    /// One receiver or a group.
    kind: KindWord,
    /// Where it stands.
    status: StatusWord,
    /// What the viewer can do.
    standing: StandingWord,
    /// The viewer's share, if they have one.
    share: Option<MyShare>,
    /// The whole of a group packet.
    total: Option<Money>,
    /// Into how many shares it is split.
    share_count: u32,
    /// How many are taken.
    claimed_count: u32,
    /// Who got what, in order.
    claims: Vec<ClaimLine>,
    /// Where to pass it on, for who has a share of a group packet.
    link: Option<ShareLink>,
    /// The proof of the split of a group packet.
    split: Option<SplitProof>,
    /// When it was sent.
    #[schema(format = DateTime)]
    sent_at: String,
    /// From here on it cannot be opened.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// What the viewer can do.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Standing)]
enum StandingWord {
    /// Open it.
    CanOpen,
    /// Has a share already.
    HasShare,
    /// Wait until the user it was sent to has opened it.
    WaitsForSeed,
    /// Too late: all shares are taken.
    AllTaken,
    /// Too late: it has ended.
    Ended,
    /// It is somebody else's.
    NotTheReceiver,
}

/// The viewer's share.
#[derive(Debug, Serialize, ToSchema)]
struct MyShare {
    /// How much.
    amount: Money,
    /// The how manieth claim, from 1.
    share_no: u32,
}

/// A share that was taken.
#[derive(Debug, Serialize, ToSchema)]
struct ClaimLine {
    /// The taker's display name.
    name: String,
    /// How much.
    amount: Money,
    /// The how manieth claim, from 1.
    share_no: u32,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The largest share, once all are taken.
    luckiest: bool,
    /// It is the viewer's.
    mine: bool,
}

/// Where to pass a group packet on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShareLink {
    /// The code of the shared link.
    code: String,
    /// The page's path.
    #[schema(example = "/p/AACYloLw...")]
    path: String,
}

/// The commitment of a split and, once the packet is settled, its seed.
#[derive(Debug, Serialize, ToSchema)]
struct SplitProof {
    /// The algorithm.
    #[schema(example = "hongbao/split/v1")]
    algorithm: &'static str,
    /// SHA-256 over tag, seed and terms, lower-case hex.
    commitment: String,
    /// The whole packet.
    total: Money,
    /// Into how many shares.
    count: u32,
    /// No share is smaller.
    min: Money,
    /// No share is larger.
    max: Money,
    /// The seed, lower-case hex; null until the packet is settled.
    seed: Option<String>,
}

impl PacketPage {
    /// The page asked for by `code`, as `viewer` sees it.
    pub(super) fn of(view: PacketView, code: PacketCode, viewer: UserId) -> Self {
        let share = MyShare::of(view.standing);
        let PacketView { record, packet, luckiest, .. } = &view;
        let texts = &record.order.terms.texts;
        // What is in a normal packet is seen by opening it.
        let total = (packet.kind == PacketKind::Group || share.is_some()).then_some(packet.total);
        let claims = record.claims.iter().map(|claim| ClaimLine {
            name: claim.display_name.clone(),
            amount: Money::of(claim.amount),
            share_no: claim.share_no,
            at: claim.at.rfc3339(),
            luckiest: *luckiest == Some(claim.user),
            mine: claim.user == viewer,
        });
        Self {
            code: code.to_string(),
            sender: texts.send_name.clone(),
            wishing: texts.wishing.clone(),
            act_name: texts.act_name.clone(),
            kind: packet.kind.into(),
            status: view.status.into(),
            standing: view.standing.into(),
            share,
            total: total.map(Money::of),
            share_count: packet.share_count,
            claimed_count: packet.claimed_count,
            claims: claims.collect(),
            link: view.share_code.map(ShareLink::of),
            sent_at: packet.funded_at.rfc3339(),
            expires_at: packet.expire_at.rfc3339(),
            split: view
                .split
                .map(|(terms, commitment)| SplitProof::of(terms, commitment, view.seed.as_ref())),
        }
    }
}

impl MyShare {
    fn of(standing: Standing) -> Option<Self> {
        match standing {
            Standing::HasShare { amount, share_no } => {
                Some(Self { amount: Money::of(amount), share_no })
            }
            Standing::CanOpen
            | Standing::WaitsForSeed
            | Standing::AllTaken
            | Standing::Ended
            | Standing::NotTheReceiver => None,
        }
    }
}

impl ShareLink {
    /// The link of the shared code.
    pub(super) fn of(code: PacketCode) -> Self {
        Self { path: format!("/p/{code}"), code: code.to_string() }
    }
}

impl SplitProof {
    fn of(terms: SplitTerms, commitment: String, seed: Option<&SplitSeed>) -> Self {
        let SplitTerms { total, count, min, max } = terms;
        let [total, min, max]: [Money; 3] = [total, min, max].map(|fen: Fen| Money::of(fen));
        let seed = seed.map(ToString::to_string);
        Self { algorithm: "hongbao/split/v1", commitment, total, count, min, max, seed }
    }
}

impl From<Standing> for StandingWord {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::CanOpen => Self::CanOpen,
            Standing::HasShare { .. } => Self::HasShare,
            Standing::WaitsForSeed => Self::WaitsForSeed,
            Standing::AllTaken => Self::AllTaken,
            Standing::Ended => Self::Ended,
            Standing::NotTheReceiver => Self::NotTheReceiver,
        }
    }
}
