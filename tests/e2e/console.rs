//! The console's pages, the command that stands on the same API, and the API's own description.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use trunkline_shared::model::Access;
use trunkline_tests::{Scene, World, says, uses_secret};

use crate::api::{Caller, answered};
use crate::handover::conversation;

pub async fn one_signs_in_once_by_a_link_and_by_a_cookie_thereafter(world: &World) {
    let out = world.trunkline(&["token", "link", "Anna", "--role", "operator"], &[]).await;
    let link = String::from_utf8(out.stdout).unwrap();
    let code = link.trim().split_once("#login=").unwrap().1.to_owned();
    uses_secret("sign-in code", &code);
    let api = format!("{}/api/v1", world.stack().facts.api);
    let sign_in = || {
        let call = world.request(Method::POST, &format!("{api}/session"));
        call.header("content-type", "application/json").body(json!({"token": code}).to_string())
    };
    let (status, headers, _) = answered(sign_in()).await;
    let cookie = headers["set-cookie"].to_str().unwrap().to_owned();
    assert_eq!(status, 204);
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(answered(sign_in()).await.0, 401, "the link is used up");
    let pair = cookie.split(';').next().unwrap();
    uses_secret("cookie", pair.split_once('=').unwrap().1);
    let with = |method: Method, path: &str| {
        world.request(method, &format!("{api}{path}")).header("cookie", pair)
    };
    let (_, _, me) = answered(with(Method::GET, "/me")).await;
    assert_eq!((&me["name"], &me["role"]), (&json!("Anna"), &json!("operator")));
    // Another site's page can have the cookie sent, and not the header.
    let (status, _, _) = answered(with(Method::DELETE, "/session")).await;
    assert_eq!(status, 403);
    let out = with(Method::DELETE, "/session").header("x-trunkline-console", "1");
    assert_eq!(answered(out).await.0, 204);
    let end = Instant::now() + Duration::from_secs(30);
    while answered(with(Method::GET, "/me")).await.0 != 401 {
        assert!(Instant::now() < end, "signed out");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

pub async fn the_pages_come_with_their_policy(world: &World) {
    let api = &world.stack().facts.api;
    let get = |path: &str| answered(world.request(Method::GET, &format!("{api}{path}")));
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
    assert_eq!(get("/console").await.2.as_str(), Some(page), "with a slash at its end or none");
}

/// Schemathesis, a test library of another language, calls every operation with what its description
/// allows and with what it does not.
pub async fn the_api_is_as_it_is_described(world: &World) {
    Scene::of_three(world, "described", "").await;
    let admin = Caller::with(world, Access::Admin).await;
    let folder = world.project.join(".local/test");
    let document = admin.gets("/openapi.json").await;
    std::fs::write(folder.join("openapi.json"), document.to_string()).unwrap();
    let api = world.stack().facts.api.trim_start_matches("http://").to_owned();
    let output = tokio::process::Command::new(world.project.join(".tools/api/bin/schemathesis"))
        .args([
            "run",
            "openapi.json",
            "--url",
            &format!("http://127.0.0.1:{}/api/v1", world.port()),
        ])
        .args(["--header", &format!("Host: {api}")])
        .args(["--header", &format!("Authorization: Bearer {}", admin.token)])
        .args(["--checks", "all", "--phases", "examples,coverage,fuzzing"])
        // A description cannot say what a cursor holds, or which settings go together.
        .args(["--exclude-checks", "positive_data_acceptance"])
        // To sign out is to lose what one signs in with; the others would hang all that follows.
        .args(["--exclude-path", "/session", "--workers", "4"])
        .args([
            "--max-examples",
            "10",
            "--seed",
            "1",
            "--no-color",
            "--suppress-health-check",
            "all",
        ])
        .current_dir(&folder)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    std::fs::write(folder.join("schemathesis.log"), &said).unwrap();
    let end: Vec<&str> = said.lines().rev().take(60).collect();
    let end: Vec<&str> = end.into_iter().rev().collect();
    assert!(output.status.success(), "{}", end.join("\n"));
}

pub async fn the_command_looks_by_the_same_api(world: &World) {
    let scene = Scene::of_three(world, "looks", "").await;
    scene.writes("c/1", "m-1", "Where is my parcel?").await;
    let bots = conversation(&scene.far.hears("/bot", 1).await);
    assert_eq!(scene.sends("bot", "b-1", &bots, says("Which one?")).await.0, 200);
    scene.settled("channel", "c/1").await;
    let run = async |arguments: &[&str], variables: &[(&str, &str)]| {
        let out = world.trunkline(arguments, variables).await;
        let (said, errors) = (out.stdout, out.stderr);
        let [said, errors] = [said, errors].map(|text| String::from_utf8(text).unwrap());
        (out.status.success(), said, errors)
    };
    let (_, status, _) = run(&["status"], &[]).await;
    let bot = status.lines().find(|line| line.starts_with("looks-bot ")).unwrap();
    assert!(bot.contains("webhook") && bot.contains("closed"), "{status}");
    let (_, json, _) = run(&["status", "--json"], &[]).await;
    assert!(serde_json::from_str::<Value>(&json).unwrap()["connections"].is_array());
    let (_, listed, _) = run(&["conversations", "--connection", "looks-channel"], &[]).await;
    assert!(listed.contains("c/1") && listed.contains("bot") && listed.contains(&bots), "{listed}");
    let (_, shown, _) = run(&["show", "looks-channel", "c/1"], &[]).await;
    for line in [
        "c/1 on looks-channel: bot, with looks-bot",
        "customer: Where is my parcel?",
        "bot: Which one?",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let (good, _, why) = run(&["show", "looks-channel", "nobody"], &[]).await;
    assert!(!good && why.contains("there is no such conversation"), "{why}");
    let (_, completions, _) = run(&["completions", "bash"], &[]).await;
    assert!(completions.contains("conversations"));
    let (_, document, _) = run(&["openapi"], &[]).await;
    assert_eq!(serde_json::from_str::<Value>(&document).unwrap()["openapi"], "3.1.0");

    // Over HTTP, with a token, as somebody without AWS credentials would. Names of the local AWS need
    // not resolve, so this only shows that it asks there.
    let there = ["--api", "http://127.0.0.1:1/console/"];
    let (good, _, why) = run(&[&there[..], &["status"]].concat(), &[]).await;
    assert!(!good && why.contains("TRUNKLINE_TOKEN"), "{why}");
    let token = [("TRUNKLINE_TOKEN", "trk_x")];
    let (good, _, why) = run(&[&there[..], &["status"]].concat(), &token).await;
    assert!(!good && why.contains("not reached"), "{why}");
}
