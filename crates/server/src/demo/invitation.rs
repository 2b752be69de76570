//! What to try on a demo: lines that work when pasted, signed beforehand.

use std::path::Path;

use super::{Manifest, ManifestMerchant, ManifestUser};

/// Lines for a person's terminal.
pub fn invitation(manifest: &Manifest, path: &Path) -> Vec<String> {
    let mut lines = vec![
        format!("V2 interface   {}", manifest.v2_base),
        format!("users          {}", manifest.web_base),
        format!("operators      {}", manifest.ops_base),
        format!("everything to call them with: {}", path.display()),
    ];
    if let (Some(merchant), Some(user)) = (manifest.merchants.first(), manifest.users.first()) {
        lines.extend(try_lines(manifest, merchant, user));
    }
    lines.push(String::new());
    lines.push("Stop with Ctrl-C.".to_owned());
    lines
}

fn try_lines(manifest: &Manifest, merchant: &ManifestMerchant, user: &ManifestUser) -> Vec<String> {
    let bill_no = format!("{}20260101TRYIT00001", merchant.mch_id);
    let send = signed(
        merchant,
        &[
            ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
            ("mch_billno", &bill_no),
            ("mch_id", &merchant.mch_id),
            ("wxappid", &user.appid),
            ("send_name", &merchant.name),
            ("re_openid", &user.openid),
            ("total_amount", "100"),
            ("total_num", "1"),
            ("wishing", "恭喜发财"),
            ("client_ip", "127.0.0.1"),
            ("act_name", "试一试"),
            ("remark", "demo"),
        ],
    );
    let query = signed(
        merchant,
        &[
            ("nonce_str", "50780e0cca98c8c8e814883e5caa672e"),
            ("mch_billno", &bill_no),
            ("mch_id", &merchant.mch_id),
            ("appid", &user.appid),
            ("bill_type", "MCHT"),
        ],
    );
    let (v2, web, ops) = (&manifest.v2_base, &manifest.web_base, &manifest.ops_base);
    let tls = format!(
        "--cacert {} --cert {} --key {}",
        manifest.ca_pem.display(),
        merchant.cert_pem.display(),
        merchant.key_pem.display()
    );
    let bearer = format!("-H 'Authorization: Bearer {}'", user.token);
    let first_code =
        r#"python3 -c 'import json,sys; print(json.load(sys.stdin)["items"][0]["code"])'"#;
    let number = &merchant.mch_id;
    [
        format!("# {} sends ¥1.00 to {} (paste it twice: one packet)", merchant.name, user.name),
        format!("curl {tls} -d '{send}' {v2}/mmpaymkttransfers/sendredpack"),
        "# what became of it".to_owned(),
        format!("curl {tls} -d '{query}' {v2}/mmpaymkttransfers/gethbinfo"),
        format!("# {}'s messages, opening the newest, and the wallet", user.name),
        format!("curl {bearer} {web}/pocket/v1/messages"),
        format!("CODE=$(curl -s {bearer} {web}/pocket/v1/messages | {first_code})"),
        format!("curl -X POST {bearer} {web}/pocket/v1/packets/$CODE/open"),
        format!("curl {bearer} {web}/pocket/v1/wallet"),
        format!("# a day passes for the sandbox merchant {}", merchant.name),
        format!(
            "curl -X POST -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \
             -d '{{\"seconds\":86400}}' {ops}/ops/v1/merchants/{number}/clock",
            manifest.ops_token
        ),
        "# do the books add up?".to_owned(),
        format!("{} verify --store {}", program(), manifest.store),
    ]
    .into_iter()
    .flat_map(|line| {
        let gap = line.starts_with('#').then(String::new);
        gap.into_iter().chain([line])
    })
    .collect()
}

/// A signed request body.
fn signed(merchant: &ManifestMerchant, fields: &[(&str, &str)]) -> String {
    let sign = || -> Option<String> {
        let unsigned = hongbao_wire::Fields::try_from_pairs(fields.iter().copied()).ok()?;
        let key = hongbao_wire::ApiKey::try_new(&merchant.v2_key).ok()?;
        let sign = hongbao_wire::sign(&unsigned, &key, hongbao_wire::SignType::Md5);
        let all = fields.iter().copied().chain([("sign", sign.as_str())]);
        Some(hongbao_wire::write_fields(&hongbao_wire::Fields::try_from_pairs(all).ok()?))
    };
    sign().unwrap_or_default().replace('\n', "")
}

/// How this program was started, for a line that works in another terminal.
fn program() -> String {
    let path = std::env::current_exe().ok();
    path.map_or_else(|| "hongbao".to_owned(), |path| path.display().to_string())
}
