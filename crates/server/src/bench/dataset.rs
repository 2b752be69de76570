//! A platform full of packets, made through the product's own commands.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hongbao_app::{
    App,
    executor::{BATCH_MAX, lane_of},
    ports::{NewUser, Person},
};
use hongbao_domain::{
    AppId, Fen, MerchantId, OpenId, PacketCode, PacketKey, PacketNo, PacketSecret, UserId,
    change::Actor,
    ids::Access,
    ledger::Owner,
    limit::Caps,
    merchant::{AppKind, BoundApp, FundingAccount, Recharge, SendWay, Settings},
    message::Following,
    packet::{ClaimShare, OrderKey, PacketKind, SendPacket, Terms, Texts},
    risk::Standing,
};
use sha2::{Digest as _, Sha256};

use super::{BenchError, closed};

/// Commands under way at once: three of the largest batches, so that one gathers while one decides
/// and one is written.
pub(super) const IN_FLIGHT: usize = 3 * BATCH_MAX;
/// Commands made at once, some 200 MiB of them: a round's, so that its batches follow each other.
const COMMANDS_PAGE: u64 = 200_000;
/// Users registered in one transaction.
const USERS_PAGE: u64 = 10_000;
/// Below the numbers of merchants.
const FIRST_MERCHANT: u64 = 1_900_000_000;
/// Money that lasts for any run.
const RECHARGE: Fen = Fen::from_yuan(10_000_000);
const RECHARGES: u32 = 10;
/// Merchants made at once.
const AT_ONCE: usize = 16;
/// Names asked for at once.
const NAMES_AT_ONCE: usize = 1_024;
/// ¥1.00, the smallest packet without a scene.
const PACKET: Fen = Fen::from_yuan(1);

/// Merchants and their users. Packets are numbered over all merchants, in turn.
#[derive(Clone, Debug)]
pub(super) struct Dataset {
    merchants: Vec<MerchantId>,
    app_id: AppId,
    users: Arc<Vec<(OpenId, UserId)>>,
    pub(super) packets: u64,
}

impl Dataset {
    /// So many merchants with money and registered people; no packets yet.
    pub(super) async fn create(app: &App, merchants: u64, users: u64) -> Result<Self, BenchError> {
        let app_id: AppId = "wxbench".parse().map_err(BenchError::other)?;
        let mut dataset = Self {
            merchants: Vec::new(),
            app_id: app_id.clone(),
            users: Arc::default(),
            packets: 0,
        };
        // One merchant pays for all packets, many pay for few each.
        let recharges = if merchants == 1 { RECHARGES } else { 1 };
        let made = (1..=merchants)
            .map(|number| rich_merchant(app, &app_id, FIRST_MERCHANT + number, recharges));
        dataset.merchants = stream::iter(made).buffered(AT_ONCE).try_collect().await?;
        let mut registered = Vec::new();
        let at = app.store().now().await?;
        for page in (0..users).step_by(usize::try_from(USERS_PAGE).map_err(BenchError::other)?) {
            let new = (page..users.min(page + USERS_PAGE))
                .map(|number| new_user(&app_id, number))
                .collect::<Result<Vec<_>, _>>()?;
            let records = app.store().register_users(new, at).await?;
            registered
                .extend(records.into_iter().map(|record| (record.person.openid, record.user)));
        }
        dataset.users = Arc::new(registered);
        Ok(dataset)
    }

    /// One more merchant with the same people, whose packets are numbered by themselves.
    pub(super) async fn hot_merchant(&self, app: &App) -> Result<Self, BenchError> {
        let merchant = rich_merchant(app, &self.app_id, FIRST_MERCHANT, RECHARGES).await?;
        Ok(Self { merchants: vec![merchant], packets: 0, ..self.clone() })
    }

    /// Where packet `no` stands: its merchant, and its number there.
    fn key(&self, no: u64) -> Result<PacketKey, BenchError> {
        let merchants = u64::try_from(self.merchants.len()).map_err(BenchError::other)?;
        let place = no.saturating_sub(1);
        let (turn, merchant) = (place / merchants.max(1), place % merchants.max(1));
        let merchant = usize::try_from(merchant).ok().and_then(|at| self.merchants.get(at));
        let merchant =
            merchant.ok_or_else(|| BenchError::Other("a dataset without merchants".to_owned()))?;
        Ok(PacketKey { merchant: *merchant, no: PacketNo::new(turn + 1) })
    }

    /// Sends `count` more packets, each to the next user of a scattered row; answers how long it
    /// took, the making of the commands not counted.
    pub(super) async fn send(&mut self, app: &App, count: u64) -> Result<Duration, BenchError> {
        let mut elapsed = Duration::ZERO;
        let last = self.packets + count;
        while self.packets < last {
            let page = self.packets + 1..=last.min(self.packets + COMMANDS_PAGE);
            let commands: Vec<SendPacket> =
                page.clone().map(|no| self.send_command(no)).collect::<Result<_, _>>()?;
            let sent = closed::load(app, commands.into_iter().map(Ok), IN_FLIGHT, |place, sent| {
                let no = self.packets + 1 + u64::try_from(place).map_err(BenchError::other)?;
                if sent.replayed || sent.packet != self.key(no)? {
                    return Err(BenchError::Other(format!("{no} became {sent:?}")));
                }
                Ok(())
            });
            elapsed += sent.await?;
            self.packets = *page.end();
        }
        Ok(elapsed)
    }

    /// Whether the lane of the merchant at `place` is also that of `other`'s only merchant, in a
    /// store of so many lanes.
    pub(super) fn shares_lane(&self, place: usize, other: &Self, lanes: usize) -> bool {
        let lane = |merchant: Option<&MerchantId>| {
            merchant.map(|&merchant| lane_of(Owner::Merchant(merchant), lanes))
        };
        lane(self.merchants.get(place)) == lane(other.merchants.first())
    }

    /// The command that sends packet `no`. Everything about it follows from its number.
    fn send_command(&self, no: u64) -> Result<SendPacket, BenchError> {
        self.sent_by(self.key(no)?.merchant, no)
    }

    /// The command by which the merchant at `place` sends a packet under the order number of
    /// `no`. Packets that were sent so are not counted, and not claimed.
    pub(super) fn send_by(&self, place: usize, no: u64) -> Result<SendPacket, BenchError> {
        let merchant = self.merchants.get(place).copied();
        let merchant = merchant.ok_or_else(|| BenchError::Other(format!("no merchant {place}")))?;
        self.sent_by(merchant, no)
    }

    fn sent_by(&self, merchant: MerchantId, no: u64) -> Result<SendPacket, BenchError> {
        let (openid, _) = self.receiver(no)?;
        Ok(SendPacket {
            order: OrderKey {
                caller: merchant,
                bill_no: bill_no(no).parse().map_err(BenchError::other)?,
            },
            payer: merchant,
            terms: Arc::new(Terms {
                kind: PacketKind::Normal,
                way: SendWay::Api,
                app: self.app_id.clone(),
                openid: openid.clone(),
                total: PACKET,
                share_count: 1,
                scene: None,
                sub_merchant: None,
                message_app: None,
                texts: Texts {
                    send_name: "天虹咖啡".to_owned(),
                    wishing: "恭喜发财，大吉大利".to_owned(),
                    act_name: "新年活动".to_owned(),
                    remark: "bench".to_owned(),
                },
                client_ip: Some("192.0.2.10".to_owned()),
                risk_info: None,
            }),
            secret: secret(no),
        })
    }

    /// The command that claims packet `no`.
    pub(super) fn claim_command(&self, no: u64) -> Result<ClaimShare, BenchError> {
        let (_, user) = self.receiver(no)?;
        Ok(ClaimShare { code: self.code(no)?, user: *user })
    }

    /// The code that opens packet `no`.
    pub(super) fn code(&self, no: u64) -> Result<PacketCode, BenchError> {
        Ok(PacketCode::new(self.key(no)?, &secret(no), Access::Message))
    }

    /// The person in whose name packet `no` is opened.
    pub(super) fn person(&self, no: u64) -> Result<Person, BenchError> {
        let (openid, _) = self.receiver(no)?;
        Ok(self.named(openid))
    }

    fn named(&self, openid: &OpenId) -> Person {
        Person { app: self.app_id.clone(), openid: openid.clone() }
    }

    /// Makes everybody's name known to `app`, as to a server that has run for a while.
    pub(super) async fn introduce(&self, app: &App) -> Result<(), BenchError> {
        stream::iter(self.users.iter())
            .map(|(openid, user)| async move {
                let person = self.named(openid);
                let known = app.user_id(&person).await?;
                if known == *user {
                    return Ok(());
                }
                Err(BenchError::Other(format!("{person:?} is {known}, not {user}")))
            })
            .buffer_unordered(NAMES_AT_ONCE)
            .try_collect()
            .await
    }

    fn receiver(&self, no: u64) -> Result<&(OpenId, UserId), BenchError> {
        let users = u64::try_from(self.users.len()).map_err(BenchError::other)?;
        let place = scatter(no).checked_rem(users).and_then(|place| usize::try_from(place).ok());
        place
            .and_then(|place| self.users.get(place))
            .ok_or_else(|| BenchError::Other("a dataset without users".to_owned()))
    }
}

/// A merchant with limits out of the way and money that lasts.
async fn rich_merchant(
    app: &App,
    app_id: &AppId,
    number: u64,
    recharges: u32,
) -> Result<MerchantId, BenchError> {
    let merchant = MerchantId::try_new(number).map_err(BenchError::other)?;
    let actor = Actor { name: "bench".to_owned(), permission: "host" };
    app.create_merchant(merchant, settings(app_id), None, actor).await?;
    for number in 0..recharges {
        let reference = format!("bench-{number}").parse().map_err(BenchError::other)?;
        let (account, amount) = (FundingAccount::Basic, RECHARGE);
        app.recharge(Recharge { merchant, account, amount, reference }).await?;
    }
    Ok(merchant)
}

/// Numbers spread over the whole range: neighbours in time are not neighbours in the store.
pub(super) fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The customary form: merchant, date, ten digits. The factor has no divisor in common with ten,
/// so numbers are in no order and never the same twice.
fn bill_no(no: u64) -> String {
    format!("190000000120260101{:010}", no.wrapping_mul(7_777_777_777) % 10_000_000_000)
}

/// A packet's secret out of its number: only a benchmark may know it beforehand.
fn secret(no: u64) -> PacketSecret {
    let digest: [u8; 32] = Sha256::digest(no.to_be_bytes()).into();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    PacketSecret::new(bytes)
}

/// Limits out of the way, apart from that as any merchant.
fn settings(app: &AppId) -> Settings {
    let mut settings = Settings::new("bench".to_owned());
    settings.product.opened = true;
    settings.apps = vec![BoundApp { app: app.clone(), kind: AppKind::OfficialAccount }];
    settings.caps = Caps {
        merchant_day_fen: Fen::from_yuan(2_000_000_000),
        user_day_fen: Fen::from_yuan(2_000_000_000),
        user_day_count: u32::MAX,
        sends_per_second: u32::MAX,
    };
    settings
}

fn new_user(app: &AppId, number: u64) -> Result<NewUser, BenchError> {
    let openid = format!("oBench{:022}", scatter(number)).parse().map_err(BenchError::other)?;
    Ok(NewUser {
        person: Person { app: app.clone(), openid },
        subject: format!("bench-{number}"),
        display_name: format!("bench {number}"),
        following: Following::default(),
        standing: Standing::Normal,
    })
}
