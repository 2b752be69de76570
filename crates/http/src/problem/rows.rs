//! Every problem: status, code, what to do next, and its title in both languages.
//!
//! Codes are part of the contract: one is never given another meaning.

use axum::http::StatusCode;

use super::NextAction;

/// One problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// HTTP status.
    pub status: StatusCode,
    /// Machine-readable name.
    pub code: &'static str,
    /// What the caller can do.
    pub next_action: NextAction,
    /// Title in Chinese.
    pub zh: &'static str,
    /// Title in English.
    pub en: &'static str,
}

/// Makes a constant for each row, and the list of all.
macro_rules! rows {
    ($($name:ident $status:ident $code:literal $next:ident $zh:literal $en:literal;)*) => {
        $(
            #[doc = $en]
            pub const $name: Row = Row {
                status: StatusCode::$status,
                code: $code,
                next_action: NextAction::$next,
                zh: $zh,
                en: $en,
            };
        )*
        /// Every row.
        pub const ALL: &[Row] = &[$($name),*];
    };
}

rows! {
    // the number it came with
    RECEIVER_CHANGED CONFLICT "receiver_changed" FixRequest
        "该单号已用于另一位收款人" "The number was used for another receiver";
    AMOUNT_CHANGED CONFLICT "amount_changed" FixRequest
        "该单号已用于另一金额" "The number was used for another amount";
    TERM_CHANGED CONFLICT "term_changed" FixRequest
        "该单号已用于其他条件" "The number was used with another term";
    ORDER_EXPIRED CONFLICT "order_expired" FixRequest
        "订单已失败，请换新单号" "The order failed for good: take a new number";
    REFERENCE_REUSED CONFLICT "reference_reused" FixRequest
        "该单号已用于另一笔款项" "The number was used for another payment";
    // merchant and product
    MERCHANT_UNKNOWN NOT_FOUND "merchant_unknown" FixRequest
        "商户不存在" "There is no such merchant";
    MERCHANT_FROZEN FORBIDDEN "merchant_frozen" Contact
        "商户已被冻结" "The merchant is frozen";
    PRODUCT_NOT_OPENED FORBIDDEN "product_not_opened" Contact
        "商户未开通现金红包" "Cash red packets are not opened";
    WAY_CLOSED FORBIDDEN "way_closed" Contact
        "该发放方式未开启" "This way of sending is switched off";
    NOT_AUTHORIZED FORBIDDEN "not_authorized" Contact
        "未获该商户授权" "The merchant has not authorized this";
    PROVIDER_SENDS_NORMAL_ONLY UNPROCESSABLE_ENTITY "provider_sends_normal_only" FixRequest
        "服务商只能发放普通红包" "A provider sends normal packets only";
    PAYER_NOT_ALLOWED FORBIDDEN "payer_not_allowed" FixRequest
        "扣款商户不被允许" "This merchant may not be the payer";
    APP_KIND_NOT_ALLOWED UNPROCESSABLE_ENTITY "app_kind_not_allowed" FixRequest
        "该类应用不能发放红包" "An app of this kind cannot send";
    APP_NOT_BOUND UNPROCESSABLE_ENTITY "app_not_bound" FixRequest
        "应用未与商户绑定" "The app is not bound to the merchant";
    MESSAGE_APP_NOT_BOUND UNPROCESSABLE_ENTITY "message_app_not_bound" FixRequest
        "触达应用未与商户绑定" "The message app is not bound to the merchant";
    // the packet
    SCENE_NOT_OPENED UNPROCESSABLE_ENTITY "scene_not_opened" FixRequest
        "使用场景未开通" "The scene is not opened";
    SHARE_COUNT_OUT_OF_RANGE UNPROCESSABLE_ENTITY "share_count_out_of_range" FixRequest
        "红包个数超出范围" "The number of shares is out of range";
    AMOUNT_OUT_OF_RANGE UNPROCESSABLE_ENTITY "amount_out_of_range" FixRequest
        "红包金额超出范围" "The amount is out of range";
    RECEIVER_UNKNOWN UNPROCESSABLE_ENTITY "receiver_unknown" FixRequest
        "收款人不属于该应用" "The openid is not one of this app";
    RISK_STOPPED FORBIDDEN "risk_stopped" Contact
        "被防刷规则拦截" "Stopped by the anti-abuse level";
    MERCHANT_DAY_AMOUNT UNPROCESSABLE_ENTITY "merchant_day_amount" Wait
        "商户当日发放金额已达上限" "The merchant's amount of the day is used up";
    USER_DAY_COUNT UNPROCESSABLE_ENTITY "user_day_count" Wait
        "今天领取该商户红包的个数已达上限" "No more packets of this merchant today";
    USER_DAY_AMOUNT UNPROCESSABLE_ENTITY "user_day_amount" Wait
        "今天领取该商户红包的金额将超过上限" "The amount of the day from this merchant would be exceeded";
    BALANCE_TOO_LOW UNPROCESSABLE_ENTITY "balance_too_low" FixRequest
        "余额不足" "The balance is too low";
    // claims and refunds
    PACKET_UNKNOWN NOT_FOUND "packet_unknown" None
        "红包不存在" "There is no such packet";
    NOT_THE_RECEIVER FORBIDDEN "not_the_receiver" None
        "这是发给别人的红包" "The packet is somebody else's";
    PACKET_EXPIRED GONE "packet_expired" None
        "红包已过期" "The packet has ended";
    SEED_FIRST CONFLICT "seed_first" Wait
        "请等待首位好友先拆红包" "The user it was sent to opens it first";
    ALL_TAKEN GONE "all_taken" None
        "手慢了，红包已被领完" "All shares are taken";
    NOT_EXPIRED CONFLICT "not_expired" Wait
        "红包尚未到期" "The packet has not ended yet";
    // wallets and accounts
    USER_UNKNOWN NOT_FOUND "user_unknown" FixRequest
        "用户未登记" "There is no such user";
    WALLET_FROZEN FORBIDDEN "wallet_frozen" Contact
        "零钱账户已被冻结" "The wallet is frozen";
    SELF_TRANSFER UNPROCESSABLE_ENTITY "self_transfer" FixRequest
        "不能转账给自己" "Payer and payee are the same";
    AMOUNT_NOT_ALLOWED UNPROCESSABLE_ENTITY "amount_not_allowed" FixRequest
        "金额不被允许" "The amount is not allowed";
    OPERATION_ACCOUNT_NOT_OPENED UNPROCESSABLE_ENTITY "operation_account_not_opened" FixRequest
        "运营账户未开通" "The operation account is not opened";
    WITHDRAWAL_UNKNOWN NOT_FOUND "withdrawal_unknown" FixRequest
        "提现单不存在" "There is no such withdrawal";
    NOT_A_SANDBOX FORBIDDEN "not_a_sandbox" FixRequest
        "只有沙箱商户可以调整时间" "Time travel is for sandbox merchants";
    CLOCK_STEP_NOT_ALLOWED UNPROCESSABLE_ENTITY "clock_step_not_allowed" FixRequest
        "时间步长不被允许" "The clock cannot go this far";
    MONEY_OVERFLOW UNPROCESSABLE_ENTITY "money_overflow" Contact
        "金额超出可表示的范围" "A sum left the range of money";
    // no outcome
    BUSY SERVICE_UNAVAILABLE "busy" RetrySameNumber
        "系统繁忙" "Too many requests are waiting";
    OUTCOME_UNKNOWN SERVICE_UNAVAILABLE "outcome_unknown" RetrySameNumber
        "结果未知" "The outcome is not known";
    UNAVAILABLE SERVICE_UNAVAILABLE "unavailable" RetrySameNumber
        "服务暂不可用" "The service is not available";
    HALTED SERVICE_UNAVAILABLE "halted" Contact
        "资金操作已暂停" "Money operations are stopped";
    INTERNAL INTERNAL_SERVER_ERROR "internal" Contact
        "系统错误" "Something is broken here";
    CHANGED_MEANWHILE CONFLICT "changed_meanwhile" FixRequest
        "内容已被他人修改或已存在" "It was changed by somebody else or exists already";
    NOT_FOUND NOT_FOUND "not_found" FixRequest
        "所请求的内容不存在" "There is no such thing";
    INVALID UNPROCESSABLE_ENTITY "invalid" FixRequest
        "请求内容不符合规则" "A field breaks its rule";
    RATE_EXCEEDED TOO_MANY_REQUESTS "rate_exceeded" RetrySameNumber
        "请求过于频繁" "Too many calls";
    // the faces themselves
    UNAUTHENTICATED UNAUTHORIZED "unauthenticated" FixRequest
        "身份验证失败" "No valid token was given";
    FORBIDDEN FORBIDDEN "forbidden" Contact
        "没有此操作的权限" "The token does not have the permission";
    BAD_JSON BAD_REQUEST "bad_json" FixRequest
        "请求内容不是有效的 JSON" "The body is not JSON";
    BAD_FIELD BAD_REQUEST "bad_field" FixRequest
        "字段缺失、重复或格式错误" "A field is missing, given twice or of another form";
    UNKNOWN_FIELD BAD_REQUEST "unknown_field" FixRequest
        "包含未定义的字段" "A field is not one of this request";
    BAD_QUERY BAD_REQUEST "bad_query" FixRequest
        "查询参数错误" "A query parameter is not right";
    NOT_JSON UNSUPPORTED_MEDIA_TYPE "not_json" FixRequest
        "请使用 application/json" "The body must be application/json";
    TOO_LARGE PAYLOAD_TOO_LARGE "too_large" FixRequest
        "请求内容过大" "The body is too large";
    NO_ROUTE NOT_FOUND "no_route" FixRequest
        "接口不存在" "There is nothing at this address";
    METHOD_NOT_ALLOWED METHOD_NOT_ALLOWED "method_not_allowed" FixRequest
        "不支持该请求方法" "The method is not allowed here";
    NO_SHARE CONFLICT "no_share" None
        "领取后才能分享裂变红包" "Only who has a share of a group packet can pass it on";
    VERSION_REQUIRED PRECONDITION_REQUIRED "version_required" FixRequest
        "请在 If-Match 中给出所读取的版本" "If-Match must name the version that was read";
    VERSION_CHANGED PRECONDITION_FAILED "version_changed" FixRequest
        "内容已被修改，请重新读取" "It was changed meanwhile: read it again";
    NO_ISSUER SERVICE_UNAVAILABLE "no_issuer" Contact
        "未配置证书签发机构" "No certificate authority is configured";
    ISSUER_FAILED BAD_GATEWAY "issuer_failed" Contact
        "证书签发失败" "The certificate was not issued";
}
