//! Seeding: two merchants with money, a service provider, twenty users under two apps.
//!
//! Seeding twice changes nothing: what is there stays, certificates and keys included.

use std::path::{Path, PathBuf};

use hongbao_app::{
    AppError,
    merchants::KEY_LEN,
    ports::{AuthorizationState, NewUser, Person, Rng},
};
use hongbao_domain::{
    Fen, MerchantId, Timestamp,
    change::Actor,
    ids::IdError,
    merchant::{
        AmountRange, AppKind, BoundApp, FundingAccount, MoveToOperation, Recharge, Scene,
        SceneTerms, Settings,
    },
    message::Following,
    risk::Standing,
};
use hongbao_http::pocket::token::{Claims, TokenIssuer};

use super::{ManifestMerchant, ManifestUser};
use crate::{
    ca::{CaError, P12Profile},
    client::CallError,
    home::HomeError,
    issuing::{IssueError, Issuing},
    running::Platform,
};

/// The app most users are in.
const FIRST_APP: &str = "wx8888888888888888";
/// The other one.
const SECOND_APP: &str = "wx28b16568a629bb33";
const USERS_FIRST_APP: usize = 12;
const NAMES: [&str; 20] = [
    "小明", "小红", "小刚", "小丽", "阿强", "阿珍", "大壮", "思雨", "浩然", "梓涵", "子轩", "雨桐",
    "晓峰", "佳怡", "志远", "美玲", "建国", "秀英", "海涛", "婷婷",
];
const TOKEN_SECONDS: i64 = 365 * 86_400;
/// A demo is hammered by tests: the original's 30 calls a second would only be in the way.
const SENDS_PER_SECOND: u32 = 5_000;

/// Why a demo cannot be seeded.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A use case failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// A certificate cannot be issued.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// A certificate cannot be written.
    #[error(transparent)]
    Certificate(#[from] CaError),
    /// A call of the story failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A secret file cannot be written.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A name of the demo is not one: a defect.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A token cannot be signed.
    #[error("a user token cannot be signed: {0}")]
    Token(String),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// What a merchant of the demo is like.
struct Plan {
    number: u64,
    name: &'static str,
    role: Role,
    basic: Fen,
    /// Money on the operation account; it is opened where there is some.
    operation: Fen,
}

/// What a merchant of the demo is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Has the original's limits and a clock that can be advanced.
    Sandbox,
    /// The same with raised caps, so that tests under load meet balances, not caps.
    LoadTests,
    /// Sends for others; its clock is the real one.
    Provider,
}

const PLANS: [Plan; 3] = [
    Plan {
        number: 10_000_098,
        name: "天虹咖啡",
        role: Role::Sandbox,
        basic: Fen::from_yuan(100_000),
        operation: Fen::ZERO,
    },
    Plan {
        number: 10_000_099,
        name: "云上书店",
        role: Role::LoadTests,
        basic: Fen::from_yuan(50_000),
        operation: Fen::from_yuan(200_000),
    },
    Plan {
        number: 10_000_100,
        name: "红包通服务商",
        role: Role::Provider,
        basic: Fen::from_yuan(10_000),
        operation: Fen::ZERO,
    },
];

/// Seeds what is missing; answers merchants and users as `demo.json` lists them.
pub async fn seed(
    platform: &Platform,
    tokens: &TokenIssuer,
) -> Result<(Vec<ManifestMerchant>, Vec<ManifestUser>), DemoError> {
    let mut merchants = Vec::new();
    for plan in &PLANS {
        merchants.push(merchant(platform, plan).await?);
    }
    authorize(platform).await?;
    let mut users = Vec::new();
    for number in 0..NAMES.len() {
        users.push(user(platform, tokens, number).await?);
    }
    Ok((merchants, users))
}

async fn merchant(platform: &Platform, plan: &Plan) -> Result<ManifestMerchant, DemoError> {
    let id = MerchantId::try_new(plan.number)?;
    let app = &platform.app;
    if matches!(app.merchant(id).await, Err(AppError::NotFound { .. })) {
        let key = new_key(platform.rng.as_ref());
        app.create_merchant(id, settings(plan)?, Some(&key), actor()).await?;
    }
    fund(platform, plan, id).await?;
    let access = app.v2_access(id).await?;
    let v2_key =
        access.ok_or_else(|| DemoError::Other(format!("{id} has no key")))?.key.to_string();
    let directory = certificate(platform, id).await?;
    Ok(ManifestMerchant {
        mch_id: id.to_string(),
        name: plan.name.to_owned(),
        v2_key,
        appid: FIRST_APP.to_owned(),
        cert_pem: directory.join("apiclient_cert.pem"),
        key_pem: directory.join("apiclient_key.pem"),
        p12: directory.join("apiclient_cert.p12"),
    })
}

/// Money under fixed references: a second start finds them used.
async fn fund(platform: &Platform, plan: &Plan, merchant: MerchantId) -> Result<(), DemoError> {
    let amount =
        plan.basic.plus(plan.operation).map_err(|error| DemoError::Other(error.to_string()))?;
    let account = FundingAccount::Basic;
    let reference = "demo-recharge".parse()?;
    platform.app.recharge(Recharge { merchant, account, amount, reference }).await?;
    if plan.operation.is_positive() {
        let (amount, reference) = (plan.operation, "demo-operation".parse()?);
        platform.app.move_to_operation(MoveToOperation { merchant, amount, reference }).await?;
    }
    Ok(())
}

async fn certificate(platform: &Platform, id: MerchantId) -> Result<PathBuf, DemoError> {
    let directory = platform.home.path("certs").join(id.to_string());
    if !complete(&directory) {
        let issued = Issuing::new(platform).issue(id, P12Profile::default(), actor()).await?;
        issued.write_to(&directory)?;
    }
    Ok(directory)
}

fn complete(directory: &Path) -> bool {
    ["apiclient_cert.pem", "apiclient_key.pem", "apiclient_cert.p12"]
        .iter()
        .all(|file| directory.join(file).exists())
}

/// The first merchant lets the provider send for it.
async fn authorize(platform: &Platform) -> Result<(), DemoError> {
    let [merchant, _, provider] = &PLANS;
    let provider = MerchantId::try_new(provider.number)?;
    let merchant = MerchantId::try_new(merchant.number)?;
    let app = &platform.app;
    if app.store().authorization(provider, merchant).await.map_err(AppError::from)?.is_none() {
        for state in [AuthorizationState::Invited, AuthorizationState::Active] {
            app.set_authorization(provider, merchant, state, actor()).await?;
        }
    }
    Ok(())
}

fn settings(plan: &Plan) -> Result<Settings, DemoError> {
    let mut settings = Settings::new(plan.name.to_owned());
    settings.sandbox = plan.role != Role::Provider;
    settings.provider = plan.role == Role::Provider;
    settings.operation_account_opened = plan.operation.is_positive();
    settings.md5_allowed = true;
    settings.product.opened = true;
    let wide = AmountRange { min: Fen::new(30), max: Fen::from_yuan(500) };
    settings.product.scenes = [Scene::GoodsPromotion, Scene::PrizeDraw, Scene::StaffBenefits]
        .map(|scene| SceneTerms { scene, amount: wide })
        .to_vec();
    settings.caps.sends_per_second = SENDS_PER_SECOND;
    if plan.role == Role::LoadTests {
        settings.caps.user_day_count = 100_000;
        settings.caps.user_day_fen = Fen::from_yuan(1_000_000);
    }
    for app in [FIRST_APP, SECOND_APP] {
        settings.apps.push(BoundApp { app: app.parse()?, kind: AppKind::OfficialAccount });
    }
    Ok(settings)
}

async fn user(
    platform: &Platform,
    tokens: &TokenIssuer,
    number: usize,
) -> Result<ManifestUser, DemoError> {
    let app = if number < USERS_FIRST_APP { FIRST_APP } else { SECOND_APP };
    let openid = format!("oHB{:0>25}", number + 1);
    let name = NAMES.get(number).copied().unwrap_or_default();
    let now = platform.clock.now();
    let subject = format!("demo-user-{:02}", number + 1);
    // Every other user has followed for long and takes messages: both forms of message are seen.
    let since = number.is_multiple_of(2).then(|| now.plus_seconds(-60 * 3_600));
    let registered = platform
        .app
        .register_user(NewUser {
            person: Person { app: app.parse()?, openid: openid.parse()? },
            subject: subject.clone(),
            display_name: name.to_owned(),
            following: Following { since, accepts_messages: since.is_some() },
            standing: Standing::Normal,
        })
        .await?;
    let claims = Claims {
        sub: subject,
        appid: app.parse()?,
        openid: openid.parse()?,
        exp: seconds(now) + TOKEN_SECONDS,
        nbf: None,
        iss: None,
    };
    let token = tokens.issue(&claims).map_err(|error| DemoError::Token(error.to_string()))?;
    Ok(ManifestUser { name: registered.display_name, appid: app.to_owned(), openid, token })
}

fn seconds(at: Timestamp) -> i64 {
    at.millis().div_euclid(1_000)
}

/// A fresh V2 key, 32 letters and digits.
fn new_key(rng: &dyn Rng) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = [0; KEY_LEN];
    rng.fill(&mut bytes);
    // 256 is a multiple of 32: every character is as likely.
    bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).copied().map(char::from))
        .collect()
}

fn actor() -> Actor {
    Actor { name: "demo".to_owned(), permission: "host" }
}
