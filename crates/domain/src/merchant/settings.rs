//! What people set about a merchant (产品设置, 开通, 额度) and the defaults of the original.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    ids::AppId,
    limit::{Caps, EXPIRY_SECONDS},
    money::Fen,
    packet::GROUP_COUNT_MIN,
    refusal::Refusal,
    risk::RiskLevel,
};

/// 调用IP地址: at most ten.
pub const CALL_IPS_MAX: usize = 10;
/// No scene's ceiling goes above ¥4,999 (published page of 2017).
const AMOUNT_CEILING: Fen = Fen::new(499_900);
/// 28 days. A query reaches back 30 days from when the number was first seen. A refused order may
/// be paid up to one day later, and the last day is left to ask for the refund.
const EXPIRY_SECONDS_MAX: u32 = (30 - 1 - 1) * 86_400;

/// Ways of sending 发放方式.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendWay {
    /// 接口发放.
    Api,
    /// 上传文件发放.
    Upload,
    /// 配置营销规则发放.
    Activity,
}

impl SendWay {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Api, Self::Upload, Self::Activity];

    /// The number that is stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::Api => 1,
            Self::Upload => 2,
            Self::Activity => 3,
        }
    }

    /// The way with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.code() == code)
    }
}

/// Which ways are switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ways {
    /// By API.
    pub api: bool,
    /// By file.
    pub upload: bool,
    /// By rule.
    pub activity: bool,
}

impl Ways {
    /// Whether `way` is switched on.
    pub const fn has(self, way: SendWay) -> bool {
        match way {
            SendWay::Api => self.api,
            SendWay::Upload => self.upload,
            SendWay::Activity => self.activity,
        }
    }
}

/// Scenes 使用场景, `PRODUCT_1` to `PRODUCT_8` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scene {
    /// 商品促销.
    GoodsPromotion,
    /// 抽奖.
    PrizeDraw,
    /// 虚拟物品兑奖.
    VirtualGoods,
    /// 企业内部福利.
    StaffBenefits,
    /// 渠道分润.
    ChannelProfitShare,
    /// 保险回馈.
    InsuranceRebate,
    /// 彩票派奖.
    LotteryPrizes,
    /// 税务刮奖.
    TaxReceiptPrizes,
}

impl Scene {
    /// Every scene, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::GoodsPromotion,
        Self::PrizeDraw,
        Self::VirtualGoods,
        Self::StaffBenefits,
        Self::ChannelProfitShare,
        Self::InsuranceRebate,
        Self::LotteryPrizes,
        Self::TaxReceiptPrizes,
    ];

    /// 1 to 8, as in `PRODUCT_1` and in the store.
    pub const fn number(self) -> u8 {
        match self {
            Self::GoodsPromotion => 1,
            Self::PrizeDraw => 2,
            Self::VirtualGoods => 3,
            Self::StaffBenefits => 4,
            Self::ChannelProfitShare => 5,
            Self::InsuranceRebate => 6,
            Self::LotteryPrizes => 7,
            Self::TaxReceiptPrizes => 8,
        }
    }

    /// The scene with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|scene| scene.number() == number)
    }
}

/// The amount of one packet, or of one share on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmountRange {
    /// Smallest.
    pub min: Fen,
    /// Largest.
    pub max: Fen,
}

impl AmountRange {
    /// ¥1.00 to ¥200.00, what is allowed without a scene.
    pub const DEFAULT: Self = Self { min: Fen::from_yuan(1), max: Fen::from_yuan(200) };

    /// Refuses what lies outside.
    pub fn check(&self, amount: Fen) -> Result<(), Refusal> {
        if self.min <= amount && amount <= self.max {
            Ok(())
        } else {
            Err(Refusal::AmountOutOfRange { min: self.min, max: self.max })
        }
    }
}

/// An opened scene and its quota 额度.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneTerms {
    /// The scene.
    pub scene: Scene,
    /// What one packet of it may hold.
    pub amount: AmountRange,
}

/// Terms of group packets 裂变红包.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupTerms {
    /// No share is smaller.
    pub share_min: Fen,
    /// A whole group holds at most this.
    pub total_max: Fen,
}

impl GroupTerms {
    /// Whether the smallest group has room. A scene of large packets has none and is still good for
    /// normal packets, so it is enough that one range allows it.
    fn allows_smallest(&self, range: AmountRange) -> bool {
        let lowest = range.min.max(self.share_min).times(GROUP_COUNT_MIN);
        lowest.is_ok_and(|lowest| lowest <= self.total_max)
    }
}

impl Default for GroupTerms {
    fn default() -> Self {
        Self { share_min: Fen::new(1), total_max: Fen::from_yuan(1_000) }
    }
}

/// State of the product at a merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// 开通.
    pub opened: bool,
    /// Which ways of sending are on.
    pub ways: Ways,
    /// Opened scenes with their quotas.
    pub scenes: Vec<SceneTerms>,
    /// The only addresses that may call the API; empty means any.
    pub call_ips: Vec<IpAddr>,
}

/// What kind of app an appid stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    /// 公众号: can send.
    OfficialAccount,
    /// 小程序: can send.
    MiniProgram,
    /// An app on the phone: refused with `ILLEGAL_APPID`.
    MobileApp,
}

/// An app bound to a merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundApp {
    /// The app.
    pub app: AppId,
    /// Its kind.
    pub kind: AppKind,
}

/// Everything people set about a merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that people set by itself")]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// A sandbox merchant has a clock that can be advanced. Set when made, never changed.
    pub sandbox: bool,
    /// May be authorized by other merchants to send for them (服务商).
    pub provider: bool,
    /// Frozen by the platform: nothing is sent, claimed or paid.
    pub frozen: bool,
    /// The red packet product.
    pub product: Product,
    /// Daily limits and call rate.
    pub caps: Caps,
    /// What one packet without a scene may hold.
    pub amount: AmountRange,
    /// Terms of group packets.
    pub group: GroupTerms,
    /// Unclaimed money goes back after so many seconds.
    pub expiry_seconds: u32,
    /// Anti-abuse level.
    pub risk_level: RiskLevel,
    /// Whether the operation account is opened; once true it stays true.
    pub operation_account_opened: bool,
    /// Whether V2 calls signed with MD5 are taken; off for a new live merchant.
    pub md5_allowed: bool,
    /// The apps it sends in.
    pub apps: Vec<BoundApp>,
}

/// Settings that contradict themselves or the platform's bounds. Says what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct SettingsError {
    /// The setting.
    pub field: &'static str,
    /// What is allowed.
    pub rule: &'static str,
}

impl Settings {
    /// Settings of a new merchant: product closed, the original's limits, signatures by
    /// HMAC-SHA256 only.
    pub fn new(name: String) -> Self {
        Self {
            name,
            sandbox: false,
            provider: false,
            frozen: false,
            product: Product {
                opened: false,
                ways: Ways { api: true, upload: true, activity: true },
                scenes: Vec::new(),
                call_ips: Vec::new(),
            },
            caps: Caps::default(),
            amount: AmountRange::DEFAULT,
            group: GroupTerms::default(),
            expiry_seconds: EXPIRY_SECONDS,
            risk_level: RiskLevel::OFF,
            operation_account_opened: false,
            md5_allowed: false,
            apps: Vec::new(),
        }
    }

    /// What one packet of `scene` may hold.
    pub fn amount_range(&self, scene: Option<Scene>) -> Result<AmountRange, Refusal> {
        let Some(scene) = scene else {
            return Ok(self.amount);
        };
        self.product
            .scenes
            .iter()
            .find(|terms| terms.scene == scene)
            .map(|terms| terms.amount)
            .ok_or(Refusal::SceneNotOpened { scene })
    }

    /// The kind of a bound app; `None` when it is not bound.
    pub fn app_kind(&self, app: &AppId) -> Option<AppKind> {
        self.apps.iter().find(|bound| bound.app == *app).map(|bound| bound.kind)
    }

    /// Whether a call may come from `ip`. An empty list means any; an IPv4 address mapped into
    /// IPv6 is the IPv4 address.
    pub fn admits(&self, ip: IpAddr) -> bool {
        let ips = &self.product.call_ips;
        ips.is_empty() || ips.iter().any(|listed| listed.to_canonical() == ip.to_canonical())
    }

    /// Checks the bounds of each setting by itself.
    pub fn check(&self) -> Result<(), SettingsError> {
        let fail = |field, rule| Err(SettingsError { field, rule });
        if self.name.trim().is_empty() || self.name.chars().count() > 32 {
            return fail("name", "1 to 32 characters");
        }
        if self.product.call_ips.len() > CALL_IPS_MAX {
            return fail("product.call_ips", "at most 10 addresses");
        }
        if self.product.call_ips.iter().any(IpAddr::is_unspecified) {
            return fail("product.call_ips", "0.0.0.0 and :: name nobody; leave the list empty");
        }
        for range in self.amount_ranges() {
            if !range.min.is_positive() || range.min > range.max || range.max > AMOUNT_CEILING {
                return fail("amount", "at least 1 fen, at most 499900 fen, min not above max");
            }
        }
        if !(60..=EXPIRY_SECONDS_MAX).contains(&self.expiry_seconds) {
            return fail("expiry_seconds", "60 seconds to 28 days");
        }
        let share_min = self.group.share_min;
        if !share_min.is_positive() || self.amount_ranges().any(|range| share_min > range.max) {
            let rule = "at least 1 fen, at most the largest packet without and in each scene";
            return fail("group.share_min", rule);
        }
        if !self.amount_ranges().any(|range| self.group.allows_smallest(range)) {
            let rule = "at least 3 times the smallest packet and 3 times the smallest share";
            return fail("group.total_max", rule);
        }
        if self.caps.sends_per_second == 0 || self.caps.user_day_count == 0 {
            return fail("caps", "at least 1; freeze the merchant to stop it");
        }
        Ok(())
    }

    /// The range of every opened scene, and the one without a scene.
    fn amount_ranges(&self) -> impl Iterator<Item = AmountRange> {
        self.product.scenes.iter().map(|terms| terms.amount).chain([self.amount])
    }

    /// Checks that `next` may follow these settings.
    pub fn check_successor(&self, next: &Self) -> Result<(), SettingsError> {
        next.check()?;
        if self.sandbox != next.sandbox {
            return Err(SettingsError { field: "sandbox", rule: "is set when a merchant is made" });
        }
        if self.operation_account_opened && !next.operation_account_opened {
            return Err(SettingsError {
                field: "operation_account_opened",
                rule: "an operation account cannot be closed",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
