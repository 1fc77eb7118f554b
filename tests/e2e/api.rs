//! The operator API on the real template: authorization, reads and actions.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use trunkline_console::issue;
use trunkline_core::model::{AccessLevel, TokenKind};
use trunkline_runtime::app::{Clock, SystemClock};
use trunkline_tests::{Fixture, TestEnvironment, message_event, record_secret};

use crate::handover::{conversation, summarize};

/// A caller of the operator API with a token.
pub struct Caller<'w> {
    pub env: &'w TestEnvironment,
    /// Bearer token, without the prefix `Bearer`.
    pub token: String,
}

/// Status, headers and body of a response.
pub type ApiResponse = (u16, http::HeaderMap, Value);

impl<'w> Caller<'w> {
    pub async fn with(env: &'w TestEnvironment, role: AccessLevel) -> Self {
        let name = format!("test {}", role.name());
        let app = env.stack().app();
        let (_, token) = issue(&app, &name, role, TokenKind::Operator, None).await.unwrap();
        record_secret("operator token", &token);
        Self { env, token }
    }

    pub async fn calls(&self, method: Method, path: &str, body: Option<Value>) -> ApiResponse {
        self.calls_with(method, path, body, &[]).await
    }

    pub async fn calls_with(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> ApiResponse {
        let url = format!("{}/api/v1{path}", self.env.stack().info.api);
        let mut call = self.env.request(method, &url);
        call = call.header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        if let Some(body) = body {
            call = call.header("content-type", "application/json").body(body.to_string());
        }
        answered(call).await
    }

    pub async fn gets(&self, path: &str) -> Value {
        let (status, _, body) = self.calls(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn posts(&self, path: &str, body: Value) -> (u16, Value) {
        let (status, _, body) = self.calls(Method::POST, path, Some(body)).await;
        (status, body)
    }
}

pub async fn answered(call: reqwest::RequestBuilder) -> ApiResponse {
    let answer = call.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    (status, headers, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub async fn every_operation_requires_authentication(env: &TestEnvironment) {
    let admin = Caller::with(env, AccessLevel::Admin).await;
    let document = admin.gets("/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    let stranger = Caller { env, token: "trk_0_x".into() };
    let mut walked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let body = (method != Method::GET).then(|| json!({}));
            let filled = path.replace(['{', '}'], "");
            let url = format!("{}/api/v1{filled}", env.stack().info.api);
            let mut bare = env.request(method.clone(), &url);
            if let Some(body) = &body {
                bare = bare.header("content-type", "application/json").body(body.to_string());
            }
            let (status, _, text) = answered(bare).await;
            let signs_in = path == "/session" && method == Method::POST;
            let expected: &[u16] = if signs_in { &[400] } else { &[401, 403] };
            assert!(expected.contains(&status), "{method} {path}: {status} {text}");
            let (status, headers, _) = stranger.calls(method.clone(), &filled, body).await;
            assert!(expected.contains(&status), "{method} {path}: {status}");
            assert_eq!(headers["content-type"], "application/problem+json");
            walked += 1;
        }
    }
    assert!(walked >= 33, "{walked}");
    assert_eq!(stranger.calls(Method::GET, "/openapi.json", None).await.0, 401);
}

pub async fn roles_limit_operations(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "roles", "").await;
    fixture.send_channel_message("c-1", "m-1", "hi").await;
    fixture.mock.wait_for_requests("/bot", 1).await;
    let [viewer, operator, admin] = [
        Caller::with(env, AccessLevel::Viewer).await,
        Caller::with(env, AccessLevel::Operator).await,
        Caller::with(env, AccessLevel::Admin).await,
    ];
    assert_eq!(viewer.gets("/me").await["role"], "viewer");
    let turn = "/conversations/roles-channel/c-1/handover";
    let (status, refused) = viewer.posts(turn, json!({})).await;
    assert_eq!((status, refused["title"].as_str()), (403, Some("Forbidden")));
    assert_eq!(operator.posts(turn, json!({"reason": "a test"})).await.0, 202);
    let suspend = "/connections/roles-desk/suspend";
    assert_eq!(operator.posts(suspend, json!({})).await.0, 403);
    assert_eq!(admin.posts(suspend, json!({})).await.1["suspended"], true);
    assert_eq!(admin.posts("/connections/roles-desk/resume", json!({})).await.0, 200);
    for path in ["/tokens", "/audit", "/connections/roles-bot/addresses"] {
        assert_eq!(operator.calls(Method::GET, path, None).await.0, 403, "{path}");
        admin.gets(path).await;
    }
    let audit = admin.gets("/audit").await;
    let done: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|a| a["action"].clone()).collect();
    for what in ["connection.suspend", "connection.resume", "conversation.handover"] {
        assert!(done.contains(&json!(what)), "{what}: {done:?}");
    }

    // A token works until it is revoked.
    let (status, made) =
        admin.posts("/tokens", json!({"name": "night shift", "role": "viewer"})).await;
    assert_eq!(status, 201);
    let night = Caller { env, token: made["token"].as_str().unwrap().to_owned() };
    assert_eq!(night.gets("/me").await["name"], "night shift");
    let id = made["id"].as_str().unwrap();
    assert_eq!(admin.calls(Method::DELETE, &format!("/tokens/{id}"), None).await.0, 204);
    let end = Instant::now() + Duration::from_secs(30);
    while night.calls(Method::GET, "/me", None).await.0 != 401 {
        assert!(Instant::now() < end, "the token still works after it was revoked");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let listed = env.stack().store.tokens(None, 100).await.unwrap();
    let secret = made["token"].as_str().unwrap().splitn(3, '_').last().unwrap();
    assert!(!format!("{listed:?}").contains(secret), "only the digest is stored");
}

pub async fn conversations_are_listed_read_and_handed_over(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "lists", "").await;
    let operator = Caller::with(env, AccessLevel::Operator).await;
    for (id, customer) in [("m-1", "c-1"), ("m-2", "c-2"), ("m-3", "c 3/ü")] {
        fixture.send_channel_message(customer, id, "hi").await;
    }
    fixture.mock.wait_for_requests("/bot", 3).await;
    let first = operator.gets("/conversations?connection=lists-channel&limit=2").await;
    let customers = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|one| one["customer"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(customers(&first), ["c 3/ü", "c-2"], "newest first");
    let next = first["next"].as_str().unwrap();
    let rest = format!("/conversations?connection=lists-channel&limit=2&cursor={next}");
    assert_eq!(customers(&operator.gets(&rest).await), ["c-1"]);
    let one = operator.gets("/conversations?customer=c-2&connection=lists-channel").await;
    assert_eq!(customers(&one), ["c-2"]);
    let at_desk = "/conversations?connection=lists-channel&state=pending";
    assert!(customers(&operator.gets(at_desk).await).is_empty());

    // Customer ids with special characters are base64url in a path.
    let odd = "/conversations/lists-channel/~YyAzL8O8";
    let (status, turned) =
        operator.posts(&format!("{odd}/handover"), json!({"reason": "why not"})).await;
    assert_eq!((status, &turned["state"]), (202, &json!("pending")));
    let details = operator.gets(odd).await;
    assert_eq!(
        (&details["state"], &details["handover"]["trigger"]),
        (&json!("pending"), &json!("operator"))
    );
    assert_eq!(customers(&operator.gets(at_desk).await), ["c 3/ü"]);
    let (status, again) = operator.posts(&format!("{odd}/handover"), json!({})).await;
    assert_eq!(status, 409, "{again}");

    // The owner receives a copy of an operator's message.
    let (status, _) =
        operator.posts(&format!("{odd}/messages"), json!({"text": "We are on it."})).await;
    assert_eq!(status, 202);
    let shown = fixture.mock.wait_for_requests("/channel", 2).await;
    assert_eq!(summarize(&shown)[1], "test operator: We are on it.");
    let copies = summarize(&fixture.mock.wait_for_requests("/desk", 2).await);
    assert_eq!(copies[1], "We are on it. (copy)");
    let timeline = operator.gets(&format!("{odd}/timeline?limit=2")).await;
    let entry = &timeline["items"][0];
    assert_eq!((&entry["from"], &entry["body"]["type"]), (&json!("trunkline"), &json!("message")));
    fixture.wait_for_outcomes("channel", "c 3/ü").await;
    let timeline = operator.gets(&format!("{odd}/timeline")).await;
    let entries = timeline["items"].as_array().unwrap();
    let outcomes: Vec<_> =
        entries.iter().flat_map(|entry| entry["deliveries"].as_array().unwrap()).collect();
    assert!(
        outcomes.iter().all(|delivery| delivery["outcome"]["status"] == "delivered"),
        "{outcomes:?}"
    );
    let back = operator.posts(&format!("{odd}/handback"), json!({})).await;
    assert_eq!(back.1["state"], "bot");
    assert_eq!(operator.posts(&format!("{odd}/close"), json!({})).await.1["state"], "closed");
    assert_eq!(operator.posts(&format!("{odd}/close"), json!({})).await.0, 409);
    let unknown = operator.posts("/conversations/lists-channel/unknown/close", json!({})).await;
    assert_eq!(unknown.0, 404);

    // Only an admin may delete a customer's data.
    let admin = Caller::with(env, AccessLevel::Admin).await;
    let (status, _, erased) =
        admin.calls(Method::DELETE, "/customers/lists-channel/~YyAzL8O8", None).await;
    assert!(status == 202 && erased["events"].as_u64() >= Some(5), "{erased}");
    assert_eq!(operator.calls(Method::GET, odd, None).await.0, 404);
    assert_eq!(operator.gets(&format!("{odd}/timeline")).await["items"], json!([]));
}

pub async fn connection_and_route_are_configured(env: &TestEnvironment) {
    let admin = Caller::with(env, AccessLevel::Admin).await;
    let fixture = Fixture::with_desk(env, "setup", "").await;
    let bot = json!({"platform": "webhook", "role": "bot",
        "settings": {"message_url": fixture.mock.url("/new")},
        "secrets": {"signing": trunkline_tests::SIGNING_SECRETS[0]}});
    let path = "/connections/setup-new";
    let (status, _, _) = admin.calls(Method::PUT, path, Some(bot.clone())).await;
    assert_eq!(status, 428, "a precondition is required");
    let new = [("if-none-match", "*")];
    let mut wrong = bot.clone();
    wrong["settings"]["auth"] = json!("magic");
    wrong["secrets"]["signing"] = json!("short");
    let (status, _, refused) = admin.calls_with(Method::PUT, path, Some(wrong), &new).await;
    let fields: Vec<_> =
        refused["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    assert_eq!(status, 422);
    assert!(
        fields.contains(&json!("settings.auth")) && fields.contains(&json!("secrets.signing")),
        "{refused}"
    );
    let (status, headers, made) =
        admin.calls_with(Method::PUT, path, Some(bot.clone()), &new).await;
    assert_eq!(
        (status, &made["version"], &headers["etag"]),
        (201, &json!(1), &"\"1\"".parse().unwrap())
    );
    assert!(!made.to_string().contains("whsec"), "the response contains a secret: {made}");
    assert_eq!(admin.calls_with(Method::PUT, path, Some(bot.clone()), &new).await.0, 412);

    // Omitted secrets are kept, and the version increases.
    let mut changed = bot.clone();
    changed["copies"] = json!(true);
    changed.as_object_mut().unwrap().remove("secrets");
    let known = [("if-match", "\"1\"")];
    let (status, _, after) =
        admin.calls_with(Method::PUT, path, Some(changed.clone()), &known).await;
    assert_eq!(
        (status, &after["version"], &after["copies"]),
        (200, &json!(2), &json!(true)),
        "{after}"
    );
    assert!(after["secrets"].as_array().unwrap().contains(&json!("signing")));
    assert_eq!(admin.calls_with(Method::PUT, path, Some(changed), &known).await.0, 412);

    // The connection is used once a route names it, under the URL that the API shows.
    let route = admin.gets("/routes/setup").await;
    let version = format!("\"{}\"", route["version"]);
    let mut wanted = route.clone();
    wanted["bot"] = json!("setup-new");
    wanted.as_object_mut().unwrap().remove("version");
    let tag = [("if-match", version.as_str())];
    let (status, _, put) =
        admin.calls_with(Method::PUT, "/routes/setup", Some(wanted.clone()), &tag).await;
    assert_eq!((status, &put["bot"]), (200, &json!("setup-new")), "{put}");
    assert_eq!(
        put["handover_policy"], route["handover_policy"],
        "the route is unchanged except for the bot"
    );
    wanted["bot"] = json!("setup-desk");
    let tag = [("if-match", "*")];
    let (status, _, refused) =
        admin.calls_with(Method::PUT, "/routes/setup", Some(wanted), &tag).await;
    assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!("bot")));
    let hasty = json!({"bot": "setup-new", "handover_policy": {"accept_within": 0}});
    let refused = admin.calls_with(Method::PUT, "/routes/setup", Some(hasty), &tag).await.2;
    assert_eq!(refused["errors"][0]["field"], "handover_policy.accept_within", "{refused}");
    fixture.send_channel_message("c-1", "m-1", "hi").await;
    let received = fixture.mock.wait_for_requests("/new", 1).await;
    let addresses = admin.gets(&format!("{path}/addresses")).await;
    let url = addresses["urls"][0]["url"].as_str().unwrap().to_owned();
    let rotated = admin.posts(&format!("{path}/rotate-key"), json!({})).await.1;
    let newer = rotated["url"].as_str().unwrap();
    assert_ne!(url, newer);
    let conversation = conversation(&received);
    for (id, url) in [("b-1", url.as_str()), ("b-2", newer)] {
        let event = json!({"id": id, "timestamp": SystemClock.now(), "conversation": conversation,
            "type": "message", "data": {"text": id}})
        .to_string();
        let headers = trunkline_tests::signing_headers(
            trunkline_tests::SIGNING_SECRETS[0],
            id,
            SystemClock.now(),
            &event,
        );
        let call = || {
            let mut call = env.request(Method::POST, url).body(event.clone());
            for (name, value) in &headers {
                call = call.header(name, value);
            }
            call
        };
        // Functions use a new key within 30 seconds.
        let end = Instant::now() + Duration::from_secs(45);
        while answered(call()).await.0 != 200 {
            assert!(Instant::now() < end, "{id} is not accepted");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
    fixture.mock.wait_for_requests("/channel", 2).await;
}

pub async fn outage_is_visible_and_parked_deliveries_are_replayed(env: &TestEnvironment) {
    let fixture = Fixture::with_desk(env, "seen", "").await;
    let operator = Caller::with(env, AccessLevel::Operator).await;
    let admin = Caller::with(env, AccessLevel::Admin).await;
    // Before the first message, because functions notice a suspension within 30 seconds.
    assert_eq!(admin.posts("/connections/seen-bot/suspend", json!({})).await.0, 200);
    let parked = "/deliveries?connection=seen-bot&state=parked&limit=2";
    for i in 0..4 {
        fixture
            .send_channel_message("c-1", &format!("x-{i}"), &format!("while it was suspended {i}"))
            .await;
    }
    let end = Instant::now() + Duration::from_secs(20);
    let card = loop {
        let overview = operator.gets("/overview").await;
        let cards = overview["connections"].as_array().unwrap().clone();
        // An overview is cached for two seconds, so the first one may be older than the connection.
        let card = cards.into_iter().find(|card| card["id"] == "seen-bot").unwrap_or_default();
        if card["parked"] == 4 {
            assert_eq!(overview["queues"].as_array().unwrap().len(), 6);
            break card;
        }
        assert!(Instant::now() < end, "{card}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    assert_eq!((&card["suspended"], &card["breaker"]["state"]), (&json!(true), &json!("closed")));
    assert!(card["oldest_waiting_at"].is_string());
    let first = operator.gets(parked).await;
    let second = first["next"].as_str().unwrap();
    let second = operator.gets(&format!("{parked}&cursor={second}")).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert_eq!(second["items"].as_array().unwrap().len(), 2);
    assert_ne!(first["items"][1]["id"], second["items"][0]["id"]);
    assert!(first["items"][0]["reason"].as_str().unwrap().contains("suspended"), "{first}");
    let all = operator.posts("/deliveries/replay", json!({})).await;
    assert_eq!(all.0, 400, "a replay without a filter is rejected: {all:?}");
    let one = json!({"delivery": first["items"][0]["id"]});
    assert_eq!(operator.posts("/deliveries/discard", one).await, (202, json!({"count": 1})));

    assert_eq!(admin.posts("/connections/seen-bot/resume", json!({})).await.0, 200);
    let received = fixture.mock.wait_for_accepted("/bot", 3, Duration::from_mins(1)).await;
    let expected =
        ["while it was suspended 1", "while it was suspended 2", "while it was suspended 3"];
    assert_eq!(summarize(&received), expected, "in order, without the discarded one");
    // The outcome is recorded after the request arrives.
    let end = Instant::now() + Duration::from_secs(10);
    while operator.gets(parked).await["items"] != json!([]) {
        assert!(Instant::now() < end, "deliveries are still parked");
    }

    // An operator verifies the connection.
    fixture.mock.echo_challenges();
    let proof = operator.posts("/connections/seen-bot/verify", json!({})).await;
    assert_eq!((proof.0, &proof.1["problem"]), (200, &Value::Null), "{proof:?}");
    let metrics = operator.gets("/metrics?window=hour&connection=seen-bot").await;
    assert_eq!(metrics["series"]["delivered"].as_array().unwrap().len(), 60);
    let (status, bot) = fixture.send_event("bot", "b-1", "none", message_event("x")).await;
    assert_eq!(status, 404, "{bot}");
    let rejected = operator.gets("/connections/seen-bot/rejected").await;
    assert!(rejected["items"][0]["body"].as_str().unwrap().contains("b-1"), "{rejected}");
}

pub async fn jwt_claims_identify_caller(env: &TestEnvironment) {
    let sample = std::fs::read_to_string(env.project.join("events/console.json")).unwrap();
    let mut event: Value = serde_json::from_str(&sample).unwrap();
    let path = "/jwt/api/v1/me";
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["path"] = json!(path);
    let anonymous = env.invoke("Console", &event).await;
    assert_eq!(anonymous["statusCode"], 401, "{anonymous}");
    let claims = json!({"sub": "u-1", "email": "ann@example.com", "trunkline_role": "operator"});
    event["requestContext"]["authorizer"] = json!({"jwt": {"claims": claims, "scopes": null}});
    let known = env.invoke("Console", &event).await;
    let me: Value = serde_json::from_str(known["body"].as_str().unwrap()).unwrap();
    assert_eq!((&me["name"], &me["role"]), (&json!("ann@example.com"), &json!("operator")));
    event["requestContext"]["authorizer"]["jwt"]["claims"]["trunkline_role"] = json!("owner");
    assert_eq!(env.invoke("Console", &event).await["statusCode"], 401, "unknown role");
}
