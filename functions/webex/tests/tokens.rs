//! The access token that every call must carry, and the verification token that every response carries.

use crate::common::{TOKEN, call_with, no_settings, secrets};
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use trunkline_core::model::EventBody;
use trunkline_core::platform::{CheckInput, Platform};
use trunkline_runtime::inbound::{CallOutcome, Inbound, ParsedCall, Reply};
use trunkline_runtime::secrets::SecretBag;
use trunkline_runtime::security::AuthError;
use trunkline_webex::Webex;
use trunkline_webex_mock::check_response;

const ACCESS: &str = "at-77c0, with a comma";
const OLD: &str = "at-previous";
const MESSAGE: &str = include_str!("../fixtures/message.json");

/// The secrets of an integration of the platform IMI BOT.
fn bot_secrets() -> SecretBag {
    let mut secrets = SecretBag::default();
    secrets.set("access_token", vec![ACCESS.into(), OLD.into()]);
    secrets
}

fn header(name: &str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name.parse::<HeaderName>().unwrap(), value.parse().unwrap())])
}

fn parsed(body: &str, headers: &HeaderMap, settings: Value) -> ParsedCall {
    call_with(&Method::POST, body.as_bytes(), settings, &bot_secrets(), headers, |call| {
        Webex.parse(call)
    })
}

fn with_member(name: &str, value: Value) -> String {
    let mut body: Value = serde_json::from_str(MESSAGE).unwrap();
    body[name] = value;
    body.to_string()
}

/// Shows W5.
#[test]
fn the_access_token_is_accepted_in_a_header_or_a_member() {
    for name in
        ["authorization", "access_token", "accessToken", "access-token", "X-Access-Token", "token"]
    {
        for value in [ACCESS, &format!("Bearer {ACCESS}"), &format!(" bearer  {OLD} ")] {
            let by_header = parsed(MESSAGE, &header(name, value), no_settings());
            assert!(matches!(by_header, ParsedCall::Events(_)), "{name}: {value}");
        }
    }
    for name in ["access_token", "accessToken", "AccessToken", "token"] {
        for value in [ACCESS, &format!("Bearer {OLD}")] {
            let body = with_member(name, json!(value));
            let by_member = parsed(&body, &HeaderMap::new(), no_settings());
            assert!(matches!(by_member, ParsedCall::Events(_)), "{name}: {value}");
        }
    }
    let own = json!({"access_token_name": "X-Bot_Key"});
    assert!(matches!(
        parsed(MESSAGE, &header("x-bot-key", ACCESS), own.clone()),
        ParsedCall::Events(_)
    ));
    let body = with_member("xBotKey", json!(ACCESS));
    assert!(matches!(parsed(&body, &HeaderMap::new(), own), ParsedCall::Events(_)));
}

/// Shows W5, input 17.
#[test]
fn one_of_several_tokens_is_enough() {
    let mut lines = header("authorization", "Bearer wrong");
    lines.append(AUTHORIZATION, OLD.parse().unwrap());
    let joined = header("authorization", &format!("Bearer wrong, Bearer {OLD}"));
    let elsewhere = header("token", "the verification token, perhaps");
    for (headers, body) in [
        (lines, MESSAGE.to_owned()),
        (joined, MESSAGE.to_owned()),
        (elsewhere, with_member("access_token", json!(ACCESS))),
    ] {
        let parsed = parsed(&body, &headers, no_settings());
        assert!(matches!(parsed, ParsedCall::Events(_)), "{headers:?}");
    }
}

/// Shows W5.
#[test]
fn a_call_without_the_access_token_or_with_a_wrong_one_is_denied() {
    let missing = ParsedCall::Denied(AuthError::InvalidHeader("(or member) of the access token"));
    for body in [MESSAGE, "", "{}", "[]", "not json", "\"at-previous\"", "null"] {
        assert_eq!(parsed(body, &HeaderMap::new(), no_settings()), missing, "{body}");
    }
    for empty in [json!(""), json!(null), json!(7), json!({"token": ACCESS})] {
        assert_eq!(parsed(&with_member("token", empty), &HeaderMap::new(), no_settings()), missing);
    }
    let wrong = ParsedCall::Denied(AuthError::Mismatch);
    for value in
        ["Bearer", "wrong", "Basic at-previous", "at-previou", "at-previous1", "AT-PREVIOUS"]
    {
        assert_eq!(
            parsed(MESSAGE, &header("authorization", value), no_settings()),
            wrong,
            "{value}"
        );
    }
    for method in [Method::GET, Method::HEAD] {
        let tested =
            call_with(&method, b"", no_settings(), &bot_secrets(), &HeaderMap::new(), |call| {
                Webex.parse(call)
            });
        assert_eq!(tested, missing);
    }
    let mut declared = SecretBag::default();
    declared.set("access_token", Vec::new());
    let unusable = call_with(
        &Method::POST,
        MESSAGE.as_bytes(),
        no_settings(),
        &declared,
        &header("token", ""),
        |call| Webex.parse(call),
    );
    assert_eq!(unusable, ParsedCall::Denied(AuthError::NoSecret));
}

#[test]
fn a_stored_event_does_not_contain_the_access_token() {
    let body = json!({"Conversationid": "c", "Event": "Custom Event", "access_token": ACCESS});
    let ParsedCall::Events(events) = parsed(&body.to_string(), &HeaderMap::new(), no_settings())
    else {
        panic!("an event")
    };
    let EventBody::Opaque { raw, .. } = &events[0].body else { panic!("an opaque event") };
    assert_eq!(*raw, json!({"Conversationid": "c", "Event": "Custom Event"}));
    let only_token = json!({"token": ACCESS}).to_string();
    assert!(matches!(parsed(&only_token, &HeaderMap::new(), no_settings()), ParsedCall::Reply(_)));
}

fn replies(secrets: &SecretBag, settings: &Value, headers: &HeaderMap) -> Vec<Reply> {
    let outcomes = [
        CallOutcome::Ingested(&[]),
        CallOutcome::Unreadable("why"),
        CallOutcome::TooLarge,
        CallOutcome::UnsupportedEncoding("br"),
        CallOutcome::Denied(&AuthError::Mismatch),
    ];
    call_with(&Method::POST, b"x", settings.clone(), secrets, headers, |call| {
        let replies = outcomes.iter().map(|outcome| Webex.reply(call, outcome));
        replies.chain([Webex.unavailable(call)]).collect()
    })
}

/// Shows W5, W7, W19.
#[test]
fn every_response_carries_the_verification_token_whatever_its_status() {
    let mut both = secrets();
    both.set("access_token", vec![ACCESS.into()]);
    for (format, content_type) in
        [("json", "application/json"), ("text", "text/plain; charset=utf-8")]
    {
        let settings = json!({"response_format": format});
        for (secrets, headers, statuses) in [
            (&secrets(), &HeaderMap::new(), [200, 200, 200, 200, 401, 503]),
            (&both, &header("token", ACCESS), [200, 200, 200, 200, 401, 503]),
            (&both, &HeaderMap::new(), [200, 200, 401, 401, 401, 503]),
        ] {
            let replies = replies(secrets, &settings, headers);
            assert_eq!(
                replies.iter().map(|reply| reply.status.as_u16()).collect::<Vec<_>>(),
                statuses
            );
            for reply in replies {
                assert_eq!(check_response(&reply.headers, &reply.body, TOKEN), Ok(()), "{reply:?}");
                assert!(
                    reply.headers.contains(&("content-type", content_type.into())),
                    "{reply:?}"
                );
                let says_success = reply.body.contains("success");
                assert_eq!(says_success, format == "json" && reply.status == StatusCode::OK);
                let must_wait = reply.headers.iter().any(|(name, _)| *name == "retry-after");
                assert_eq!(must_wait, reply.status == StatusCode::SERVICE_UNAVAILABLE);
            }
        }
    }
}

/// Shows W5.
#[test]
fn an_integration_of_the_platform_imi_bot_needs_no_verification_token() {
    let replies = replies(&bot_secrets(), &no_settings(), &header("token", OLD));
    assert_eq!(replies[0].body, json!({"status": "success"}).to_string());
    assert!(
        replies.iter().all(|reply| check_response(&reply.headers, &reply.body, TOKEN).is_err())
    );
    let problems = |secrets: &[&str]| {
        (Webex::SPEC.check)(&CheckInput { settings: &serde_json::Map::new(), secrets })
    };
    assert!(problems(&["send_url", "access_token"]).is_empty());
    assert!(problems(&["send_url", "verification_token"]).is_empty());
    let missing = problems(&["send_url"]);
    assert!(missing[0].starts_with("it needs the secret verification_token: "), "{missing:?}");
}

/// Shows W8, input 17.
#[test]
fn a_verification_token_that_is_sent_counts_if_one_of_several_is_right() {
    let strict = || json!({"reject_wrong_token": true});
    let parse = |body: &str, headers: &HeaderMap| {
        call_with(&Method::POST, body.as_bytes(), strict(), &secrets(), headers, |call| {
            Webex.parse(call)
        })
    };
    let joined = header("x-verification-token", &format!("old, {TOKEN}"));
    assert!(matches!(parse(MESSAGE, &joined), ParsedCall::Events(_)));
    let null = with_member("verification_token", json!(null));
    assert!(matches!(parse(&null, &HeaderMap::new()), ParsedCall::Events(_)), "null is absent");
    let wrong = with_member("verificationToken", json!("old"));
    assert!(matches!(parse(&wrong, &HeaderMap::new()), ParsedCall::Unreadable(_)));
}
