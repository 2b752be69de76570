//! Refusals of the domain as problems: one line a variant, in the order of precedence.

use hongbao_domain::{Fen, Refusal as R, ledger::AccountKind};

use super::{Problem, Text, rows};

/// The problem that a refusal is shown as. Nothing moved.
pub fn refused(refusal: &R) -> Problem {
    let p = Problem::new;
    match refusal {
        R::ReceiverChanged => p(rows::RECEIVER_CHANGED),
        R::AmountChanged => p(rows::AMOUNT_CHANGED),
        R::TermChanged { term } => p(rows::TERM_CHANGED).field(format!("/{term}"), changed()),
        R::OrderExpired { since } => since_when(p(rows::ORDER_EXPIRED), &since.rfc3339()),
        R::ReferenceReused => p(rows::REFERENCE_REUSED),
        R::MerchantUnknown => p(rows::MERCHANT_UNKNOWN),
        R::MerchantFrozen => p(rows::MERCHANT_FROZEN),
        R::ProductNotOpened => p(rows::PRODUCT_NOT_OPENED),
        R::WayClosed { way: _ } => p(rows::WAY_CLOSED),
        R::NotAuthorized { sub_merchant: _ } => p(rows::NOT_AUTHORIZED),
        R::ProviderSendsNormalOnly => p(rows::PROVIDER_SENDS_NORMAL_ONLY),
        R::PayerNotAllowed => p(rows::PAYER_NOT_ALLOWED),
        R::AppKindNotAllowed { app: _ } => p(rows::APP_KIND_NOT_ALLOWED),
        R::AppNotBound { app: _ } => p(rows::APP_NOT_BOUND),
        R::MessageAppNotBound { app: _ } => p(rows::MESSAGE_APP_NOT_BOUND),
        R::SceneNotOpened { scene: _ } => p(rows::SCENE_NOT_OPENED),
        R::ShareCountOutOfRange { min, max } => {
            between(p(rows::SHARE_COUNT_OUT_OF_RANGE), min, max).limit(*max)
        }
        R::AmountOutOfRange { min, max } => {
            between(p(rows::AMOUNT_OUT_OF_RANGE), min, max).limit(*max)
        }
        R::ReceiverUnknown => p(rows::RECEIVER_UNKNOWN),
        R::RiskStopped { level: _ } => p(rows::RISK_STOPPED),
        R::MerchantDayAmount { cap, used } => p(rows::MERCHANT_DAY_AMOUNT).limit(*cap).used(*used),
        R::UserDayCount { cap, used } => p(rows::USER_DAY_COUNT).limit(*cap).used(*used),
        R::UserDayAmount { cap, used } => p(rows::USER_DAY_AMOUNT).limit(*cap).used(*used),
        R::BalanceTooLow { account, balance } => {
            holds(p(rows::BALANCE_TOO_LOW), *account, *balance)
        }
        R::PacketUnknown => p(rows::PACKET_UNKNOWN),
        R::NotTheReceiver => p(rows::NOT_THE_RECEIVER),
        R::PacketExpired { expired_at } => {
            since_when(p(rows::PACKET_EXPIRED), &expired_at.rfc3339())
        }
        R::SeedFirst => p(rows::SEED_FIRST),
        R::AllTaken => p(rows::ALL_TAKEN),
        R::NotExpired { expires_at } => p(rows::NOT_EXPIRED).wait_until(*expires_at),
        R::UserUnknown => p(rows::USER_UNKNOWN),
        R::WalletFrozen => p(rows::WALLET_FROZEN),
        R::SelfTransfer => p(rows::SELF_TRANSFER),
        R::AmountNotAllowed { max } => {
            between(p(rows::AMOUNT_NOT_ALLOWED), &Fen::new(1), max).limit(*max)
        }
        R::OperationAccountNotOpened => p(rows::OPERATION_ACCOUNT_NOT_OPENED),
        R::WithdrawalUnknown => p(rows::WITHDRAWAL_UNKNOWN),
        R::NotASandbox => p(rows::NOT_A_SANDBOX),
        R::ClockStepNotAllowed { max_seconds } => {
            between(p(rows::CLOCK_STEP_NOT_ALLOWED), &1, max_seconds)
        }
        R::MoneyOverflow => p(rows::MONEY_OVERFLOW),
    }
}

fn changed() -> Text {
    Text::new("与首次请求不同", "differs from the first call")
}

fn since_when(problem: Problem, at: &str) -> Problem {
    problem.note(format!("起始时间：{at}。"), format!("Since {at}."))
}

fn between<T: std::fmt::Display>(problem: Problem, min: &T, max: &T) -> Problem {
    problem.note(format!("允许范围：{min} 至 {max}。"), format!("Allowed: {min} to {max}."))
}

fn holds(problem: Problem, account: AccountKind, balance: Fen) -> Problem {
    let zh = match account {
        AccountKind::Basic => "基本账户",
        AccountKind::Operation => "运营账户",
        AccountKind::Escrow => "待领取账户",
        AccountKind::Wallet => "零钱",
        AccountKind::External => "外部账户",
    };
    let en = account.as_str();
    let problem = problem.limit(balance);
    problem.note(format!("{zh}余额 {balance} 元。"), format!("The {en} account holds {balance}."))
}
