//! The story: the whole life of a red packet, over real sockets, with the money shown after each
//! step. Anything that is not as it should be ends it with an error.

use serde_json::{Value, json};

use super::{DemoError, Manifest, ManifestMerchant, ManifestUser};
use crate::{
    client::{JsonClient, V2Client},
    commands::say,
};

/// People of a group packet.
const GROUP: usize = 5;
/// How many of them open it.
const OPENED: usize = 3;
const DAY_SECONDS: i64 = 86_400;

struct Story<'m> {
    manifest: &'m Manifest,
    merchant: &'m ManifestMerchant,
    v2: V2Client,
    ops: JsonClient,
    step: u32,
    /// Order numbers must be new at every telling.
    run: String,
}

/// Tells the story to the end.
pub async fn tell(manifest: &Manifest, ca_pem: &str, run: String) -> Result<(), DemoError> {
    let merchant = manifest.merchants.first().ok_or_else(|| surprise("no merchant"))?;
    let v2 = V2Client::new(host(&manifest.v2_base), ca_pem, merchant, hongbao_wire::SignType::Md5)?;
    let ops = JsonClient::new(host(&manifest.ops_base), &manifest.ops_token);
    let mut story = Story { manifest, merchant, v2, ops, step: 0, run };
    story.normal_packet().await?;
    story.group_packet().await?;
    story.replay().await?;
    story.a_day_passes().await
}

impl<'m> Story<'m> {
    async fn normal_packet(&mut self) -> Result<(), DemoError> {
        let user = self.user(0)?;
        self.told("the money at the start").await?;
        let bill_no = self.bill_no("A");
        let answer = self.send(&bill_no, user, 520).await?;
        expect(&answer, "result_code", "SUCCESS")?;
        self.told(&format!("¥5.20 sent to {}, order {bill_no}", user.name)).await?;
        self.status(&bill_no, "SENT").await?;
        let code = self.newest_message(user).await?;
        let opened = self.phone(user).call("POST", &open_path(&code), None).await?;
        expect_json(&opened, "/amount/amount", &json!(520))?;
        self.told(&format!("{} opened it", user.name)).await?;
        self.status(&bill_no, "RECEIVED").await
    }

    async fn group_packet(&mut self) -> Result<(), DemoError> {
        let seed = self.user(1)?;
        let bill_no = self.bill_no("B");
        let answer = self.send_group(&bill_no, seed, 2_000).await?;
        expect(&answer, "result_code", "SUCCESS")?;
        self.told(&format!("¥20.00 for {GROUP} sent to {}, order {bill_no}", seed.name)).await?;
        let code = self.newest_message(seed).await?;
        self.phone(seed).call("POST", &open_path(&code), None).await?;
        let shared = self
            .phone(seed)
            .call("POST", &format!("/pocket/v1/packets/{code}/share"), None)
            .await?;
        let shared = shared
            .pointer("/code")
            .and_then(Value::as_str)
            .ok_or_else(|| surprise(&shared.to_string()))?
            .to_owned();
        for number in 2..=OPENED {
            let friend = self.user(number)?;
            let opened = self.phone(friend).call("POST", &open_path(&shared), None).await?;
            expect_json(&opened, "/share_no", &json!(number))?;
        }
        self.told(&format!("{OPENED} of {GROUP} opened it")).await?;
        self.status(&bill_no, "SENT").await
    }

    async fn replay(&mut self) -> Result<(), DemoError> {
        let (first, user) = (self.bill_no("A"), self.user(0)?);
        let again = self.send(&first, user, 520).await?;
        expect(&again, "result_code", "SUCCESS")?;
        self.told(&format!("order {first} sent again: the same answer, no money moved")).await?;
        let changed = self.send(&first, user, 521).await?;
        expect(&changed, "err_code", "FATAL_ERROR")?;
        self.told(&format!("order {first} with another amount: FATAL_ERROR, no money moved")).await
    }

    async fn a_day_passes(&mut self) -> Result<(), DemoError> {
        let path = format!("/ops/v1/merchants/{}/clock", self.merchant.mch_id);
        self.ops.call("POST", &path, Some(json!({ "seconds": DAY_SECONDS }))).await?;
        let bill_no = self.bill_no("B");
        let mut status = String::new();
        // The sweep runs every second; ten are plenty.
        for _ in 0..100 {
            status = self.query(&bill_no).await?;
            if status == "REFUND" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        self.told(&format!("the sandbox clock is a day ahead; order {bill_no} is {status}"))
            .await?;
        self.status(&bill_no, "REFUND").await
    }

    async fn send(
        &self,
        bill_no: &str,
        user: &ManifestUser,
        fen: i64,
    ) -> Result<hongbao_wire::Fields, DemoError> {
        let amount = fen.to_string();
        let mut fields = self.common(bill_no, user, &amount);
        fields.extend([("total_num", "1"), ("client_ip", "127.0.0.1")]);
        Ok(self.v2.call("/mmpaymkttransfers/sendredpack", &fields).await?)
    }

    async fn send_group(
        &self,
        bill_no: &str,
        seed: &ManifestUser,
        fen: i64,
    ) -> Result<hongbao_wire::Fields, DemoError> {
        let (amount, count) = (fen.to_string(), GROUP.to_string());
        let mut fields = self.common(bill_no, seed, &amount);
        fields.extend([("total_num", count.as_str()), ("amt_type", "ALL_RAND")]);
        Ok(self.v2.call("/mmpaymkttransfers/sendgroupredpack", &fields).await?)
    }

    fn common<'a>(
        &'a self,
        bill_no: &'a str,
        user: &'a ManifestUser,
        amount: &'a str,
    ) -> Vec<(&'a str, &'a str)> {
        vec![
            ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
            ("mch_billno", bill_no),
            ("mch_id", &self.merchant.mch_id),
            ("wxappid", &user.appid),
            ("send_name", &self.merchant.name),
            ("re_openid", &user.openid),
            ("total_amount", amount),
            ("wishing", "恭喜发财，大吉大利"),
            ("act_name", "新年活动"),
            ("remark", "demo"),
        ]
    }

    async fn query(&self, bill_no: &str) -> Result<String, DemoError> {
        let fields = [
            ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
            ("mch_billno", bill_no),
            ("mch_id", &self.merchant.mch_id),
            ("appid", &self.merchant.appid),
            ("bill_type", "MCHT"),
        ];
        let answer = self.v2.call("/mmpaymkttransfers/gethbinfo", &fields).await?;
        let status = answer.get("status").ok_or_else(|| surprise(&format!("{answer:?}")))?;
        Ok(status.to_owned())
    }

    async fn status(&self, bill_no: &str, expected: &str) -> Result<(), DemoError> {
        let status = self.query(bill_no).await?;
        if status != expected {
            return Err(surprise(&format!("{bill_no} is {status} and should be {expected}")));
        }
        spoken(&format!("   query {bill_no}: {status}"))
    }

    /// The code in the user's newest message; it arrives a moment after the packet.
    async fn newest_message(&self, user: &ManifestUser) -> Result<String, DemoError> {
        for _ in 0..100 {
            let inbox = self.phone(user).call("GET", "/pocket/v1/messages?limit=1", None).await?;
            let sent = inbox.pointer("/items/0/status") == Some(&json!("sent"));
            let code = inbox.pointer("/items/0/code").and_then(Value::as_str).filter(|_| sent);
            if let Some(code) = code {
                return Ok(code.to_owned());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err(surprise(&format!("{} got no message", user.name)))
    }

    /// Says what happened, then the money of every account.
    async fn told(&mut self, what: &str) -> Result<(), DemoError> {
        self.step += 1;
        spoken(&format!("{}. {what}", self.step))?;
        for merchant in &self.manifest.merchants {
            let path = format!("/ops/v1/merchants/{}", merchant.mch_id);
            let record = self.ops.call("GET", &path, None).await?;
            let yuan = |account| yuan(record.pointer(&format!("/balances/{account}/amount")));
            spoken(&format!(
                "   {} basic {} operation {} escrow {}",
                merchant.name,
                yuan("basic"),
                yuan("operation"),
                yuan("escrow")
            ))?;
        }
        let mut wallets = Vec::new();
        for user in &self.manifest.users {
            let wallet = self.phone(user).call("GET", "/pocket/v1/wallet", None).await?;
            let amount = wallet.pointer("/balance/amount");
            if amount != Some(&json!(0)) {
                wallets.push(format!("{} {}", user.name, yuan(amount)));
            }
        }
        spoken(&format!(
            "   wallets: {}",
            if wallets.is_empty() { "all empty".to_owned() } else { wallets.join(", ") }
        ))
    }

    fn user(&self, number: usize) -> Result<&'m ManifestUser, DemoError> {
        self.manifest.users.get(number).ok_or_else(|| surprise("too few users"))
    }

    fn phone(&self, user: &ManifestUser) -> JsonClient {
        JsonClient::new(host(&self.manifest.web_base), &user.token)
    }

    fn bill_no(&self, suffix: &str) -> String {
        format!("{}{}{suffix}", self.merchant.mch_id, self.run)
    }
}

fn open_path(code: &str) -> String {
    format!("/pocket/v1/packets/{code}/open")
}

/// `host:port` of a base address.
fn host(base: &str) -> String {
    base.split_once("://").map_or(base, |(_, rest)| rest).to_owned()
}

/// Yuan, or a dash for an account that is not opened.
fn yuan(fen: Option<&Value>) -> String {
    let fen = fen.and_then(Value::as_i64);
    fen.map_or_else(|| "–".to_owned(), |fen| hongbao_domain::Fen::new(fen).to_string())
}

fn spoken(line: &str) -> Result<(), DemoError> {
    say(line).map_err(|error| surprise(&error.to_string()))
}

fn surprise(what: &str) -> DemoError {
    DemoError::Other(format!("the story went wrong: {what}"))
}

fn expect(answer: &hongbao_wire::Fields, field: &str, value: &str) -> Result<(), DemoError> {
    if answer.get(field) == Some(value) {
        return Ok(());
    }
    let told =
        ["return_msg", "err_code", "err_code_des"].map(|name| answer.get(name).unwrap_or(""));
    Err(surprise(&format!("{field} should be {value}: {told:?}")))
}

fn expect_json(answer: &Value, pointer: &str, value: &Value) -> Result<(), DemoError> {
    if answer.pointer(pointer) == Some(value) {
        return Ok(());
    }
    Err(surprise(&format!("{pointer} should be {value}: {answer}")))
}
