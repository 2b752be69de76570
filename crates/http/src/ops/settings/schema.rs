//! How settings look in the document. The body itself is the domain's own type, which knows
//! nothing of documents; a test holds the two against each other.

use utoipa::ToSchema;

/// Everything people set about a merchant. Amounts are whole fen.
#[derive(ToSchema)]
#[schema(as = Settings)]
#[expect(dead_code, reason = "read by the document only")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that people set by itself")]
pub(super) struct SettingsSchema {
    /// Its name, 1 to 32 characters.
    name: String,
    /// Whether its clock can be advanced. Never changes.
    sandbox: bool,
    /// Whether others may authorize it to send for them.
    provider: bool,
    /// Frozen by the platform: nothing is sent, claimed or paid.
    frozen: bool,
    /// The red packet product.
    product: ProductSchema,
    /// Daily limits and call rate.
    caps: CapsSchema,
    /// What one packet without a scene may hold.
    amount: AmountRangeSchema,
    /// Terms of group packets.
    group: GroupTermsSchema,
    /// Unclaimed money goes back after so many seconds.
    #[schema(minimum = 60, maximum = 2_592_000)]
    expiry_seconds: u32,
    /// Anti-abuse level.
    #[schema(minimum = 0, maximum = 3)]
    risk_level: u8,
    /// Whether the operation account is opened; once true it stays true.
    operation_account_opened: bool,
    /// Whether V2 calls signed with MD5 are taken.
    md5_allowed: bool,
    /// The apps it sends in.
    apps: Vec<BoundAppSchema>,
}

/// State of the product at a merchant.
#[derive(ToSchema)]
#[schema(as = Product)]
#[expect(dead_code, reason = "read by the document only")]
struct ProductSchema {
    /// Whether it is opened.
    opened: bool,
    /// Which ways of sending are on.
    ways: WaysSchema,
    /// Opened scenes with their quotas.
    scenes: Vec<SceneTermsSchema>,
    /// The only addresses that may call the API; empty means any.
    #[schema(max_items = 10)]
    call_ips: Vec<String>,
}

/// Ways of sending.
#[derive(ToSchema)]
#[schema(as = Ways)]
#[expect(dead_code, reason = "read by the document only")]
struct WaysSchema {
    /// By API.
    api: bool,
    /// By file.
    upload: bool,
    /// By rule.
    activity: bool,
}

/// An opened scene and its quota.
#[derive(ToSchema)]
#[schema(as = SceneTerms)]
#[expect(dead_code, reason = "read by the document only")]
struct SceneTermsSchema {
    /// `goods_promotion`, `prize_draw`, `virtual_goods`, `staff_benefits`,
    /// `channel_profit_share`, `insurance_rebate`, `lottery_prizes` or `tax_receipt_prizes`.
    scene: String,
    /// What one packet of it may hold.
    amount: AmountRangeSchema,
}

/// Least and most, in fen.
#[derive(ToSchema)]
#[schema(as = AmountRange)]
#[expect(dead_code, reason = "read by the document only")]
struct AmountRangeSchema {
    /// Smallest, in fen.
    min: i64,
    /// Largest, in fen.
    max: i64,
}

/// Terms of group packets, in fen.
#[derive(ToSchema)]
#[schema(as = GroupTerms)]
#[expect(dead_code, reason = "read by the document only")]
struct GroupTermsSchema {
    /// No share is smaller, in fen.
    share_min: i64,
    /// A whole group holds at most this, in fen.
    total_max: i64,
}

/// Daily limits and call rate.
#[derive(ToSchema)]
#[schema(as = Caps)]
#[expect(dead_code, reason = "read by the document only")]
struct CapsSchema {
    /// Money sent on one day, in fen.
    merchant_day_fen: i64,
    /// Money one user claims on one day, in fen.
    user_day_fen: i64,
    /// Packets one user claims on one day.
    user_day_count: u32,
    /// Sending calls a second, and as many queries beside them.
    sends_per_second: u32,
}

/// An app bound to a merchant.
#[derive(ToSchema)]
#[schema(as = BoundApp)]
#[expect(dead_code, reason = "read by the document only")]
struct BoundAppSchema {
    /// The app.
    app: String,
    /// `official_account`, `mini_program` or `mobile_app`.
    kind: String,
}
