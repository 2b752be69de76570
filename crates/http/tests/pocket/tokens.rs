//! Tokens: who gets in, and who does not.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hongbao_http::pocket::token::{Claims, TokenError, TokenIssuer, TokenKeyError, TokenVerifier};
use hongbao_testkit::{
    builders::{a_merchant, app, openid},
    clock::MORNING,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::{
    call::call,
    keys,
    town::{SECRET, Town, claims, issued, token},
};

const NOW: i64 = MORNING.millis() / 1_000;

fn segment(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(algorithm: Algorithm, kid: Option<&str>, key: &EncodingKey) -> String {
    let mut header = Header::new(algorithm);
    header.kid = kid.map(ToOwned::to_owned);
    encode(&header, &claims("alice"), key).unwrap()
}

fn der(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

fn rsa() -> EncodingKey {
    EncodingKey::from_rsa_der(&der(keys::RSA_PRIVATE))
}

fn rsa_jwk() -> Value {
    json!({ "kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", "n": keys::RSA_N, "e": "AQAB" })
}

fn ec_jwk() -> Value {
    json!({ "kty": "EC", "kid": "e", "crv": "P-256", "x": keys::EC_X, "y": keys::EC_Y })
}

fn ed_jwk() -> Value {
    json!({ "kty": "OKP", "kid": "d", "crv": "Ed25519", "x": keys::ED_X })
}

fn of_keys(keys: &[Value]) -> Result<TokenVerifier, TokenKeyError> {
    TokenVerifier::jwks(&json!({ "keys": keys }).to_string())
}

#[tokio::test]
async fn a_good_token_opens_the_pocket_and_any_other_is_told_nothing() {
    let town = Town::new().await;
    let good = token("alice");
    let with = |change: &dyn Fn(&mut Claims)| {
        let mut said = claims("alice");
        change(&mut said);
        issued(&said)
    };
    let (head, payload) = (json!({ "alg": "none" }), json!(claims("alice")));
    let other = TokenIssuer::shared_secret(&[7; 32]).unwrap().issue(&claims("alice")).unwrap();
    let critical = {
        let header = json!({ "alg": "HS256", "crit": ["b64"], "b64": false });
        let message = format!("{}.{}", segment(&header), segment(&payload));
        let key = EncodingKey::from_secret(SECRET);
        let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{message}.{mac}")
    };
    let hs512 = signed(Algorithm::HS512, None, &EncodingKey::from_secret(SECRET));
    let cases = [
        ("good", good.clone(), 200),
        ("just inside the leeway", with(&|c| c.exp = NOW - 4), 200),
        ("expired", with(&|c| c.exp = NOW - 5), 401),
        ("long expired", with(&|c| c.exp = 0), 401),
        ("expiry out of range", with(&|c| c.exp = i64::MIN), 401),
        ("not yet", with(&|c| c.nbf = Some(NOW + 6)), 401),
        ("no algorithm", format!("{}.{}.", segment(&head), segment(&payload)), 401),
        ("other secret", other, 401),
        ("another algorithm of the same secret", hs512, 401),
        ("an extension we do not know", critical, 401),
        ("cut", good.chars().take(good.len() - 2).collect(), 401),
        ("two parts", good.rsplit_once('.').unwrap().0.to_owned(), 401),
        ("too long", good.clone() + &"A".repeat(5_000), 401),
        ("not a token", "x".to_owned(), 401),
    ];
    let mut refusals = Vec::new();
    for (case, token, status) in cases {
        let answer = call("GET", "/pocket/v1/me").by(&token).on(&town.pocket).await;
        assert_eq!(answer.status.as_u16(), status, "{case}: {answer:?}");
        if status == 401 {
            assert_eq!(answer.headers["www-authenticate"], "Bearer", "{case}");
            refusals.push(answer.body);
        }
    }
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "every refusal reads the same");
}

#[tokio::test]
async fn the_token_comes_once_and_in_its_header() {
    let town = Town::new().await;
    let good = token("alice");
    let me = || call("GET", "/pocket/v1/me");
    let cases = [
        me(),
        me().header("authorization", "Bearer"),
        me().header("authorization", "Bearer "),
        me().header("authorization", format!("Basic {good}")),
        me().by(&good).by(&good),
        me().header("cookie", format!("token={good}")),
        call("GET", format!("/pocket/v1/me?access_token={good}")),
    ];
    for case in cases {
        let answer = case.clone().on(&town.pocket).await;
        assert_eq!(answer.problem(), (401, "unauthenticated"), "{case:?}");
    }
    let lower = me().header("authorization", format!("bearer {good}")).on(&town.pocket).await;
    assert_eq!(lower.status, 200);
}

#[tokio::test]
async fn a_token_of_an_app_or_issuer_that_is_not_served_is_refused() {
    let verifier = TokenVerifier::shared_secret(SECRET)
        .unwrap()
        .from_issuer("host")
        .for_apps(vec![app("wx-app-one")]);
    let town = Town::checking(a_merchant(), verifier).await;
    let host = Some("host".to_owned());
    let cases = [
        (Claims { iss: host.clone(), ..claims("alice") }, 200),
        (Claims { iss: None, ..claims("alice") }, 401),
        (Claims { iss: Some("guest".to_owned()), ..claims("alice") }, 401),
        (Claims { iss: host, appid: app("wx-app-two"), ..claims("alice") }, 401),
    ];
    for (said, status) in cases {
        let answer = call("GET", "/pocket/v1/me").by(&issued(&said)).on(&town.pocket).await;
        assert_eq!(answer.status.as_u16(), status, "{said:?}");
    }
}

#[tokio::test]
async fn a_name_in_another_app_is_another_person() {
    let town = Town::new().await;
    let elsewhere = issued(&Claims { appid: app("wx-app-two"), ..claims("alice") });
    let answer = call("GET", "/pocket/v1/wallet").by(&elsewhere).on(&town.pocket).await;
    assert_eq!(answer.problem(), (404, "user_unknown"));
    let nobody = issued(&Claims { openid: openid("dora"), ..claims("alice") });
    let answer = call("GET", "/pocket/v1/me").by(&nobody).on(&town.pocket).await;
    assert_eq!(answer.problem(), (404, "user_unknown"));
}

#[test]
fn each_kind_of_public_key_checks_its_own_algorithm() {
    let verifier = of_keys(&[rsa_jwk(), ec_jwk(), ed_jwk()]).unwrap();
    let ec = EncodingKey::from_ec_der(&der(keys::EC_PRIVATE));
    let ed = EncodingKey::from_ed_der(&der(keys::ED_PRIVATE));
    let cases = [
        (signed(Algorithm::RS256, Some("r"), &rsa()), true),
        (signed(Algorithm::ES256, Some("e"), &ec), true),
        (signed(Algorithm::EdDSA, Some("d"), &ed), true),
        (signed(Algorithm::RS512, Some("r"), &rsa()), false),
        (signed(Algorithm::PS256, Some("r"), &rsa()), false),
        (signed(Algorithm::RS256, Some("e"), &rsa()), false),
        (signed(Algorithm::RS256, Some("x"), &rsa()), false),
        (signed(Algorithm::RS256, None, &rsa()), false),
        (token("alice"), false),
    ];
    for (place, (token, good)) in cases.into_iter().enumerate() {
        assert_eq!(verifier.verify(&token, MORNING).is_ok(), good, "case {place}");
    }
}

#[test]
fn the_only_key_answers_to_its_own_name_and_algorithm_only() {
    let one = of_keys(&[rsa_jwk()]).unwrap();
    let cases = [
        (Algorithm::RS256, Some("r"), true),
        (Algorithm::RS256, None, true),
        (Algorithm::RS256, Some("x"), false),
        (Algorithm::RS512, Some("r"), false),
    ];
    for (algorithm, kid, good) in cases {
        let token = signed(algorithm, kid, &rsa());
        assert_eq!(one.verify(&token, MORNING).is_ok(), good, "{algorithm:?} {kid:?}");
    }
    let secret = TokenVerifier::shared_secret(SECRET).unwrap();
    let named = signed(Algorithm::HS256, Some("x"), &EncodingKey::from_secret(SECRET));
    assert!(secret.verify(&named, MORNING).is_ok(), "a secret has no name to differ from");
}

#[test]
fn a_token_that_was_good_is_over_when_it_is_over() {
    let verifier = TokenVerifier::shared_secret(SECRET).unwrap();
    let mut said = claims("alice");
    (said.nbf, said.exp) = (Some(NOW), NOW + 60);
    let token = issued(&said);
    let at = |seconds| verifier.verify(&token, MORNING.plus_seconds(seconds));
    assert_eq!(at(-6), Err(TokenError::NotNow), "before it is known");
    let holder = at(0).unwrap();
    assert_eq!((holder.person.openid.as_str(), &holder.subject), ("alice", &said.sub));
    assert_eq!(at(30).unwrap(), holder);
    for seconds in [-6, 65] {
        assert_eq!(at(seconds), Err(TokenError::NotNow), "{seconds} s");
    }
}

/// The classic: the public key, which everybody has, taken as an HMAC secret.
#[test]
fn a_public_key_is_no_shared_secret() {
    let one = of_keys(&[rsa_jwk()]).unwrap();
    assert!(one.verify(&signed(Algorithm::RS256, None, &rsa()), MORNING).is_ok());
    let pem = der(keys::RSA_PUBLIC_PEM_BASE64);
    let secrets = [pem, rsa_jwk().to_string().into_bytes(), keys::RSA_N.as_bytes().to_vec()];
    for secret in secrets {
        for kid in [None, Some("r")] {
            let forged = signed(Algorithm::HS256, kid, &EncodingKey::from_secret(&secret));
            assert_eq!(one.verify(&forged, MORNING), Err(TokenError::Invalid));
        }
    }
}

#[test]
fn keys_that_cannot_be_trusted_stop_the_start() {
    let with = |mut jwk: Value, name: &str, value: Value| {
        jwk[name] = value;
        jwk
    };
    let not_allowed = Some(TokenKeyError::KeyNotAllowed(0));
    let secret = json!({ "kty": "oct", "k": "c2VjcmV0" });
    let cases = [
        (vec![rsa_jwk()], None),
        (vec![], Some(TokenKeyError::NoKey)),
        (vec![secret], not_allowed.clone()),
        (vec![with(rsa_jwk(), "alg", json!("HS256"))], not_allowed.clone()),
        (vec![with(rsa_jwk(), "alg", json!("ES256"))], not_allowed.clone()),
        (vec![with(rsa_jwk(), "use", json!("enc"))], not_allowed.clone()),
        (vec![with(ec_jwk(), "crv", json!("P-384"))], not_allowed),
        (vec![rsa_jwk(), with(ec_jwk(), "kid", json!("r"))], Some(TokenKeyError::KeysNotTold)),
        (vec![rsa_jwk(), with(ec_jwk(), "kid", Value::Null)], Some(TokenKeyError::KeysNotTold)),
    ];
    for (keys, error) in cases {
        assert_eq!(of_keys(&keys).err(), error, "{keys:?}");
    }
    assert!(matches!(TokenVerifier::jwks("{"), Err(TokenKeyError::NotAKeySet(_))));
    for short in [&b""[..], &[1; 31]] {
        let refused = TokenVerifier::shared_secret(short).err();
        assert_eq!(refused, Some(TokenKeyError::SecretTooShort));
    }
}
