//! Forged JWTs for ServisBOT's eventing, and guessed operator tokens.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trunkline_core::model::AccessLevel;
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_servisbot_mock::{ENGAGEMENT_SECRET, EventingAuth, JWT_SECRET, ServisBot};
use trunkline_tests::{Fixture, TestEnvironment};

use crate::api::Caller;
use crate::platforms::{CHANNEL, file};

/// Base64url without padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            let index = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap();
            text.push(char::from(LETTERS[index]));
        }
    }
    text
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let short = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block[..short.len()].copy_from_slice(&short);
    let inner =
        Sha256::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

fn token(header: &Value, claims: &Value, key: &[u8]) -> String {
    let head = base64(header.to_string().as_bytes());
    let signed = format!("{head}.{}", base64(claims.to_string().as_bytes()));
    let signature = base64(&hmac(key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

const SERVISBOTS: &str = "
  NAME-secret:
    platform: servisbot
    role: bot
    settings: { engagement_url: '<SERVISBOT>', replies: eventing, auth: jwt_secret, audience: us, issuer: them }
    secrets: { engagement_secret: { env: ENGAGE }, jwt_secret: { env: JWT } }
  NAME-keys:
    platform: servisbot
    role: bot
    settings: { engagement_url: '<SERVISBOT>', replies: eventing, auth: jwks, jwks_url: '<JWKS>' }
    secrets: { engagement_secret: { env: ENGAGE } }
";

pub async fn rejects_forged_or_expired_jwts(env: &TestEnvironment) {
    let servisbot = ServisBot::start().await;
    servisbot.set_auth(EventingAuth::Jwks);
    let others = [
        ("SERVISBOT", servisbot.engagement_url()),
        ("JWKS", servisbot.jwks_url()),
        ("ENGAGE", ENGAGEMENT_SECRET.to_owned()),
        ("JWT", JWT_SECRET.to_owned()),
    ];
    let route = "channels: [NAME-channel], bot: NAME-secret";
    let fixture =
        Fixture::with_mocks(env, "jwts", &file(&[CHANNEL, SERVISBOTS], route), &others).await;
    let event = servisbot.bot_message("unknown", "hi");
    let body = json!({"message": event}).to_string();
    let sends = async |which: &str, authorization: &str| {
        let headers = [("authorization".to_owned(), authorization.to_owned())];
        let (status, _, _) = fixture.post_below(which, "/eventing", body.clone(), &headers).await;
        status
    };
    let now = SystemClock.now().as_second();
    let hs = json!({"alg": "HS256", "typ": "JWT"});
    let good = json!({"iss": "them", "aud": "us", "exp": now + 300});
    let key = JWT_SECRET.as_bytes();
    let right = token(&hs, &good, key);
    assert_eq!(sends("secret", &format!("Bearer {right}")).await, 200, "the token is valid");

    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        token(&hs, &claims, key)
    };
    let unsigned = right.rsplit_once('.').unwrap().0.to_owned();
    let none = token(&json!({"alg": "none"}), &good, key);
    let bare_none = format!("{}.", none.rsplit_once('.').unwrap().0);
    let mut without_end = good.clone();
    without_end.as_object_mut().unwrap().remove("exp");
    for (what, forged) in [
        ("none", none.clone()),
        ("none, unsigned", bare_none),
        ("NoNe", token(&json!({"alg": "NoNe"}), &good, key)),
        ("no signature", format!("{unsigned}.")),
        ("two parts", unsigned.clone()),
        ("cut", right[..right.len() - 2].to_owned()),
        ("another key", token(&hs, &good, b"another key of some length, which is wrong")),
        ("an empty key", token(&hs, &good, b"")),
        ("HS512", token(&json!({"alg": "HS512"}), &good, key)),
        ("RS256", token(&json!({"alg": "RS256"}), &good, key)),
        (
            "its own key",
            token(&json!({"alg": "HS256", "jwk": {"kty": "oct", "k": "eA"}}), &good, b"x"),
        ),
        (
            "a key elsewhere",
            token(&json!({"alg": "HS256", "jku": "http://127.0.0.1:1/"}), &good, b"x"),
        ),
        ("a key as a path", token(&json!({"alg": "HS256", "kid": "../../dev/null"}), &good, b"")),
        ("critical", token(&json!({"alg": "HS256", "crit": ["b64"], "b64": false}), &good, key)),
        ("expired", with("exp", json!(now - 120))),
        ("expired, as a text", with("exp", json!((now + 300).to_string()))),
        ("not yet", with("nbf", json!(now + 600))),
        ("for others", with("aud", json!("others"))),
        ("for others, too", with("aud", json!({"us": true}))),
        ("from others", with("iss", json!("others"))),
        ("no issuer", with("iss", Value::Null)),
        ("no expiry", token(&hs, &without_end, key)),
    ] {
        assert_eq!(sends("secret", &format!("Bearer {forged}")).await, 401, "{what}");
    }
    for odd in
        ["", "Bearer", "Bearer ", &right, &format!("ApiKey {right}"), &format!("Bearer {right} x")]
    {
        assert_eq!(sends("secret", odd).await, 401, "{odd:.20}");
    }

    // With public keys: a signature made with the public key is not valid.
    let set: Value = env.http.get(servisbot.jwks_url()).send().await.unwrap().json().await.unwrap();
    let public = &set["keys"][0];
    let kid = public["kid"].clone();
    let point = public["x"].as_str().unwrap_or_default().as_bytes();
    let whole = set.to_string();
    for confused in [point, public.to_string().as_bytes(), whole.as_bytes(), b""] {
        for alg in ["HS256", "RS256", "ES256", "PS256", "none"] {
            let forged = token(&json!({"alg": alg, "kid": &kid}), &good, confused);
            assert_eq!(sends("keys", &format!("Bearer {forged}")).await, 401, "{alg}");
        }
    }
    let real = servisbot.event_call(&servisbot.bot_message("unknown", "hi"));
    let proof = real.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let proof = proof.unwrap().1.clone();
    assert_eq!(sends("keys", &proof).await, 200, "the token is valid");
    assert_eq!(sends("secret", &proof).await, 401, "the token is only valid for its connection");
    let cut = &proof[..proof.len() - 4];
    assert_eq!(sends("keys", &format!("{cut}AAAA")).await, 401);
}

/// Calls `GET /api/v1/me` of the console's function as API Gateway does, from a source address.
async fn me(env: &TestEnvironment, source: &str, token: &str) -> Value {
    let sample = std::fs::read_to_string(env.project.join("events/console.json")).unwrap();
    let mut event: Value = serde_json::from_str(&sample).unwrap();
    let path = "/api/v1/me";
    event["rawPath"] = json!(path);
    let http = json!({"method": "GET", "path": path, "sourceIp": source, "userAgent": "attack"});
    event["requestContext"]["http"] = http;
    event["headers"]["authorization"] = json!(format!("Bearer {token}"));
    let response = env.invoke("Console", &event).await;
    let body = response["body"].as_str().unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    json!({"source": source, "status": response["statusCode"], "headers": response["headers"], "body": body})
}

/// Sends wrong tokens from one source until the answer is 429. Returns their number and that answer.
async fn guess(env: &TestEnvironment, source: &str, id: &str) -> (u32, Value) {
    for wrong in 0..60 {
        let answer = me(env, source, &format!("trk_{id}_guess-{source}-{wrong}")).await;
        if answer["status"] == 429 {
            return (wrong, answer);
        }
        assert_eq!(answer["status"], 401, "{answer}");
    }
    panic!("no limit after 60 attempts");
}

/// The local API Gateway reports the same source for every call. The events here have sources of their own,
/// so that the limit does not affect other tests.
pub async fn token_guessing_is_rate_limited(env: &TestEnvironment) {
    let admin = Caller::with(env, AccessLevel::Admin).await;
    let (id, _) = admin.token[4..].split_once('_').unwrap();
    // Malformed and unknown tokens do not count towards the limit.
    for i in 0..30 {
        for token in ["trk_00000000-ended_x".to_owned(), format!("guess-{i}"), format!("trk__{i}")]
        {
            assert_eq!(me(env, "192.0.2.1", &token).await["status"], 401, "{token}");
        }
    }
    assert_eq!(me(env, "192.0.2.1", &admin.token).await["status"], 200);
    // The limit counts per minute, so guesses in two minutes may need a second attempt.
    let (mut wrong, mut limited) = guess(env, "192.0.2.1", id).await;
    if wrong > 21 {
        (wrong, limited) = guess(env, "192.0.2.2", id).await;
    }
    assert!((15..=21).contains(&wrong), "{wrong}");
    assert_eq!(limited["headers"]["content-type"], "application/problem+json");
    assert_eq!(limited["body"]["title"], "Too Many Requests", "{limited}");
    assert_eq!(limited["body"]["code"], "too_many_wrong_tokens", "{limited}");
    let wait = limited["headers"]["retry-after"].as_str().unwrap().parse::<u64>().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // Until the minute ends, a valid token gets the same response from this source, and not from another. It
    // is a new one, because a token that was checked before is valid for some seconds.
    let fresh = Caller::with(env, AccessLevel::Viewer).await;
    let there = me(env, limited["source"].as_str().unwrap(), &fresh.token).await;
    assert!(there["status"] == 429 || wait <= 3, "{there}");
    let elsewhere = me(env, "192.0.2.3", &fresh.token).await;
    assert_eq!(elsewhere["status"], 200, "{elsewhere}");
}
