//! The console's pages, the CLI commands that use the operator API, and the API's OpenAPI document.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use trunkline_tests::{Fixture, TestEnvironment, message_event, record_secret};

use crate::api::answered;
use crate::handover::conversation;

pub async fn sign_in_link_works_once_and_sets_cookie(env: &TestEnvironment) {
    let out = env.trunkline(&["token", "link", "Anna", "--role", "operator"], &[]).await;
    let link = String::from_utf8(out.stdout).unwrap();
    let code = link.trim().split_once("#login=").unwrap().1.to_owned();
    record_secret("sign-in code", &code);
    let api = format!("{}/api/v1", env.stack().info.api);
    let sign_in = || {
        let call = env.request(Method::POST, &format!("{api}/session"));
        call.header("content-type", "application/json").body(json!({"token": code}).to_string())
    };
    let (status, headers, _) = answered(sign_in()).await;
    let cookie = headers["set-cookie"].to_str().unwrap().to_owned();
    assert_eq!(status, 204);
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(answered(sign_in()).await.0, 401, "the link works once");
    let pair = cookie.split(';').next().unwrap();
    record_secret("cookie", pair.split_once('=').unwrap().1);
    let with = |method: Method, path: &str| {
        env.request(method, &format!("{api}{path}")).header("cookie", pair)
    };
    let (_, _, me) = answered(with(Method::GET, "/me")).await;
    assert_eq!((&me["name"], &me["role"]), (&json!("Anna"), &json!("operator")));
    // A page of another site can make the browser send the cookie, but not the header.
    let (status, _, _) = answered(with(Method::DELETE, "/session")).await;
    assert_eq!(status, 403);
    let out = with(Method::DELETE, "/session").header("x-trunkline-console", "1");
    assert_eq!(answered(out).await.0, 204);
    let end = Instant::now() + Duration::from_secs(30);
    while answered(with(Method::GET, "/me")).await.0 != 401 {
        assert!(Instant::now() < end, "the session is still valid after sign-out");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

pub async fn pages_have_content_security_policy(env: &TestEnvironment) {
    let api = &env.stack().info.api;
    let get = |path: &str| answered(env.request(Method::GET, &format!("{api}{path}")));
    let (status, headers, page) = get("/console/").await;
    assert_eq!(
        (status, &headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = page.as_str().unwrap();
    let script = page.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let (status, headers, _) = get(script).await;
    assert_eq!(status, 200, "{script}");
    assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(get("/console/..%2fCargo.toml").await.0, 404);
    assert_eq!(
        get("/console").await.2.as_str(),
        Some(page),
        "the same page with and without a trailing slash"
    );
}

pub async fn cli_reads_through_the_operator_api(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "looks", "").await;
    fixture.send_channel_message("c/1", "m-1", "Where is my parcel?").await;
    let bot_conversation = conversation(&fixture.mock.wait_for_requests("/bot", 1).await);
    assert_eq!(
        fixture.send_event("bot", "b-1", &bot_conversation, message_event("Which one?")).await.0,
        200
    );
    fixture.wait_for_outcomes("channel", "c/1").await;
    let run = async |arguments: &[&str], variables: &[(&str, &str)]| {
        let out = env.trunkline(arguments, variables).await;
        let (stdout, errors) = (out.stdout, out.stderr);
        let [stdout, errors] = [stdout, errors].map(|text| String::from_utf8(text).unwrap());
        (out.status.success(), stdout, errors)
    };
    let (_, status, _) = run(&["status"], &[]).await;
    let bot = status.lines().find(|line| line.starts_with("looks-bot ")).unwrap();
    assert!(bot.contains("webhook") && bot.contains("closed"), "{status}");
    let (_, json, _) = run(&["status", "--json"], &[]).await;
    assert!(serde_json::from_str::<Value>(&json).unwrap()["connections"].is_array());
    let (_, listed, _) = run(&["conversations", "--connection", "looks-channel"], &[]).await;
    assert!(
        listed.contains("c/1") && listed.contains("bot") && listed.contains(&bot_conversation),
        "{listed}"
    );
    let (_, shown, _) = run(&["show", "looks-channel", "c/1"], &[]).await;
    for line in [
        "c/1 on looks-channel: bot, with looks-bot",
        "customer: Where is my parcel?",
        "bot: Which one?",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let (good, _, why) = run(&["show", "looks-channel", "unknown"], &[]).await;
    assert!(!good && why.contains("the conversation does not exist"), "{why}");
    let (_, completions, _) = run(&["completions", "bash"], &[]).await;
    assert!(completions.contains("conversations"));
    let (_, document, _) = run(&["openapi"], &[]).await;
    assert_eq!(serde_json::from_str::<Value>(&document).unwrap()["openapi"], "3.1.0");

    // Over HTTP with a token, without AWS credentials. Host names of the local AWS may not resolve, so
    // this only shows that the CLI calls that address.
    let there = ["--api", "http://127.0.0.1:1/console/"];
    let (good, _, why) = run(&[&there[..], &["status"]].concat(), &[]).await;
    assert!(!good && why.contains("TRUNKLINE_TOKEN"), "{why}");
    let token = [("TRUNKLINE_TOKEN", "trk_x")];
    let (good, _, why) = run(&[&there[..], &["status"]].concat(), &token).await;
    assert!(!good && why.contains("cannot reach the API"), "{why}");
}
