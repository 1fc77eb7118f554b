//! Connections and routes are deleted with all that belongs to them, and not while others depend on them.

use axum::body::{Body, to_bytes};
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;
use trunkline_config::Desired;
use trunkline_config::prune::{PruneError, Resource, check_losses, not_in_file};
use trunkline_console::Caller;
use trunkline_core::model::{AccessLevel, Conversation, Failed, Leg, Parked, Route};
use trunkline_runtime::secrets::{PATH_KEY, SecretBag};
use trunkline_runtime::store::{Health, ParkedLeg};

use crate::lists::conversation_item;
use crate::stack::{TABLE, TestConsole};

impl TestConsole {
    /// Starts a console with the channel `line`, the bot `bot`, and the route `main` that joins them.
    async fn with_route() -> Self {
        let stack = Self::start().await;
        stack.put_connection("line", "channel", json!("main")).await;
        stack.put_connection("bot", "bot", Value::Null).await;
        stack.put_route(json!({"id": "main", "bot": "bot", "version": 1})).await;
        stack
    }

    async fn put_connection(&self, id: &str, role: &str, route: Value) {
        let mut secrets = SecretBag::default();
        secrets.set(PATH_KEY, vec!["k".repeat(40)]);
        let written = self.app.secrets.write(&id.parse().unwrap(), &secrets).await.unwrap();
        let connection = json!({"id": id, "platform": "fax", "role": role, "route": route,
            "version": 1, "secrets_version": written});
        let connection = serde_json::from_value(connection).unwrap();
        self.app.store.put_connection(&connection).await.unwrap();
    }

    async fn put_route(&self, route: Value) {
        let route: Route = serde_json::from_value(route).unwrap();
        self.app.store.put_route(&route).await.unwrap();
    }

    /// Sends a DELETE request. Returns status and body.
    async fn delete_as(
        &self,
        role: AccessLevel,
        path: &str,
        version: Option<&str>,
    ) -> (u16, Value) {
        let (name, token) = ("test".to_owned(), String::new());
        let caller = Caller { name, role, token, expires_at: None };
        let mut request = Request::builder().method(Method::DELETE).uri(format!("/api/v1{path}"));
        if let Some(version) = version {
            request = request.header("if-match", version);
        }
        let request = request.extension(caller).body(Body::empty()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Deletes the first version as an administrator. Returns status and the problem's code.
    async fn delete(&self, path: &str) -> (u16, String) {
        let (status, body) = self.delete_as(AccessLevel::Admin, path, Some("\"1\"")).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    }

    async fn has_connection(&self, id: &str) -> bool {
        self.app.store.connection(&id.parse().unwrap()).await.unwrap().is_some()
    }

    /// Stores a conversation on the channel `line`, in this state of the list.
    fn put_conversation(&self, number: usize, state: &str, desk: Option<&str>) {
        let item = conversation_item(number, "line", state, desk);
        let imported = dynoxide::ImportOptions::default();
        self.db.import_items(TABLE, vec![item], imported).unwrap();
    }

    /// Returns the actions in the audit log, newest first, each with its detail.
    async fn audited(&self) -> Vec<(String, Value)> {
        let entries = self.app.store.audit_entries(None, 10).await.unwrap();
        entries.into_iter().map(|entry| (entry.action, entry.detail)).collect()
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Returns a delivery of a message to the bot.
fn delivery() -> Value {
    let event = json!({"id": "m#1", "external_conversation_id": "c-1", "at": "2026-03-04T09:15:00Z",
        "author": {"role": "customer"}, "body": {"type": "message", "content": {"text": "hi"}}});
    json!({"id": "dlv_1", "key": {"channel": "line", "customer": "c-1"}, "conversation": "cnv-1",
        "from": "line", "to": {"connection": "bot", "platform": "fax", "role": "bot"}, "event": event})
}

fn now() -> Timestamp {
    "2026-03-04T09:15:00Z".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_deleted_with_all_that_belongs_to_it() {
    let stack = TestConsole::with_route().await;
    stack.put_connection("archive", "observer", Value::Null).await;
    let (store, id) = (&stack.app.store, "archive".parse().unwrap());
    store.put_alert_observers(&[id, "other".parse().unwrap()]).await.unwrap();
    let id = "archive".parse().unwrap();
    let health = json!({"challenge": "1", "at": now()});
    store.put_health(&id, &serde_json::from_value::<Health>(health).unwrap()).await.unwrap();
    store.count_failure(&id).await.unwrap();

    let (status, body) =
        stack.delete_as(AccessLevel::Admin, "/connections/archive", Some("\"1\"")).await;
    assert_eq!((status, body), (200, json!({"parked": 0, "failed": 0})));
    assert!(!stack.has_connection("archive").await);
    let listed = store.connections(None, 10).await.unwrap();
    let listed: Vec<&str> = listed.iter().map(|listed| listed.id.as_str()).collect();
    assert_eq!(listed, ["bot", "line"]);
    assert_eq!(store.health(&id).await.unwrap(), None);
    assert_eq!(store.breaker(&id).await.unwrap().failures, 0);
    assert_eq!(store.alert_observers().await.unwrap(), ["other".parse().unwrap()]);
    let (secrets, version) = stack.app.secrets.fetch(&id).await.unwrap().unwrap();
    assert_eq!(secrets, SecretBag::default());
    assert_eq!(version, 2, "a connection with the same id gets another version of its secrets");
    assert_eq!(stack.services.lock().unwrap().messages, [] as [Value; 0], "nothing is released");
    let detail = json!({"version": 1, "force": false, "parked": 0, "failed": 0});
    assert_eq!(stack.audited().await, [("connection.delete".to_owned(), detail)]);
    assert_eq!(stack.delete("/connections/archive").await, refused(404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_needs_the_role_and_the_current_version() {
    let stack = TestConsole::with_route().await;
    for path in ["/connections/line", "/routes/main"] {
        let (status, body) = stack.delete_as(AccessLevel::Operator, path, Some("*")).await;
        assert_eq!((status, &body["code"]), (403, &json!("forbidden")), "{path}");
        let (status, body) = stack.delete_as(AccessLevel::Admin, path, None).await;
        assert_eq!((status, &body["code"]), (428, &json!("version_required")), "{path}");
        let (status, body) = stack.delete_as(AccessLevel::Admin, path, Some("\"2\"")).await;
        assert_eq!((status, &body["code"]), (412, &json!("version_mismatch")), "{path}");
        let (status, _) =
            stack.delete_as(AccessLevel::Admin, &format!("{path}?forced=1"), None).await;
        assert_eq!(status, 400, "{path}");
    }
    assert!(stack.has_connection("line").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn references_prevent_a_deletion_even_with_force() {
    let stack = TestConsole::with_route().await;
    for force in ["", "?force=true"] {
        let named = stack.delete(&format!("/connections/bot{force}")).await;
        assert_eq!(named, refused(409, "in_use"));
        let used = stack.delete(&format!("/routes/main{force}")).await;
        assert_eq!(used, refused(409, "in_use"));
    }
    let (_, body) = stack.delete_as(AccessLevel::Admin, "/connections/bot", Some("*")).await;
    assert!(body["detail"].as_str().unwrap().contains("route main"), "{body}");
    let (_, body) = stack.delete_as(AccessLevel::Admin, "/routes/main", Some("*")).await;
    assert!(body["detail"].as_str().unwrap().contains("channel line"), "{body}");
    // In the order of `apply --prune`, everything can be deleted.
    assert_eq!(stack.delete("/connections/line").await.0, 200);
    assert_eq!(stack.delete("/routes/main").await.0, 204);
    assert_eq!(stack.delete("/connections/bot").await.0, 200);
    assert_eq!(stack.app.store.routes(None, 10).await.unwrap(), []);
    let actions = stack.audited().await.into_iter().map(|(action, _)| action);
    let expected = ["connection.delete", "route.delete", "connection.delete"];
    assert_eq!(actions.collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_deliveries_prevent_a_deletion_unless_it_is_forced() {
    let stack = TestConsole::with_route().await;
    stack.put_route(json!({"id": "main", "desk": "people", "version": 2})).await;
    let store = &stack.app.store;
    let failed = json!({"delivery": delivery(), "at": now(), "attempts": 5, "reason": "HTTP 500"});
    let failed: Failed = serde_json::from_value(failed).unwrap();
    store.put_failed(&failed).await.unwrap();
    let parked = json!({"seq": 1, "delivery": delivery(), "parked_at": now(), "attempts": 1,
        "reason": "HTTP 500"});
    let parked: Parked = serde_json::from_value(parked).unwrap();
    let leg = Leg::new(parked.delivery.leg());
    store.park(&leg, &parked, now()).await.unwrap();
    store.open_breaker(&"bot".parse().unwrap(), now()).await.unwrap();

    assert_eq!(stack.delete("/connections/bot").await, refused(409, "force_required"));
    assert!(stack.has_connection("bot").await);
    let forced =
        stack.delete_as(AccessLevel::Admin, "/connections/bot?force=true", Some("\"1\"")).await;
    assert_eq!(forced, (200, json!({"parked": 1, "failed": 1})));
    assert!(!stack.has_connection("bot").await);
    // They are still listed, and their legs are released once no function knows the connection.
    let bot = "bot".parse().unwrap();
    assert_eq!(store.connections_with_parked().await.unwrap(), [bot]);
    let legs: Vec<ParkedLeg> = store.parked_legs(&"bot".parse().unwrap(), None, 9).await.unwrap();
    assert_eq!(legs.len(), 1);
    assert_eq!(store.count_failed(&"bot".parse().unwrap()).await.unwrap(), 1);
    assert!(!store.breaker(&"bot".parse().unwrap()).await.unwrap().is_open());
    let messages = stack.services.lock().unwrap().messages.clone();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let task = &messages[0];
    assert_eq!((&task["task"], &task["connection"]), (&json!("release_parked"), &json!("bot")));
    assert!(task["at"].is_string(), "{task}");
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_with_agents_prevent_a_deletion_unless_it_is_forced() {
    let stack = TestConsole::with_route().await;
    stack.put_connection("people", "desk", Value::Null).await;
    stack.put_connection("night", "desk", Value::Null).await;
    stack.put_conversation(1, "bot", None);
    assert_eq!(stack.delete("/connections/night").await.0, 200, "agents have no conversation");
    stack.put_connection("night", "desk", Value::Null).await;
    stack.put_conversation(2, "desk", Some("people"));
    let busy = refused(409, "force_required");
    assert_eq!(stack.delete("/connections/people").await, busy);
    assert_eq!(stack.delete("/connections/line").await, busy);
    assert_eq!(stack.delete("/connections/night").await.0, 200, "another desk has it");
    // The conversation follows the route of its start, also after the channel is moved.
    stack.put_route(json!({"id": "line", "bot": "bot", "version": 1})).await;
    assert_eq!(stack.delete("/routes/line").await, busy);
    assert_eq!(stack.delete("/routes/line?force=true").await.0, 204);
    assert_eq!(stack.delete("/connections/people?force=true").await.0, 200);
    assert_eq!(stack.delete("/connections/line?force=true").await.0, 200);
    let conversation: Option<Conversation> = stack
        .app
        .store
        .conversation(
            &serde_json::from_value(json!({"channel": "line", "customer": "c-000002"})).unwrap(),
        )
        .await
        .unwrap();
    assert!(conversation.is_some(), "the conversation is kept until it expires");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_does_not_name_is_deleted_in_an_order_that_works() {
    let stack = TestConsole::with_route().await;
    stack.put_connection("people", "desk", Value::Null).await;
    let store = &stack.app.store;
    let surplus = not_in_file(store, &Desired::default()).await.unwrap();
    let names: Vec<String> = surplus.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["connection line", "route main", "connection bot", "connection people"]);
    check_losses(store, &surplus).await.unwrap();

    stack.put_conversation(1, "desk", Some("people"));
    let refused = check_losses(store, &surplus).await.unwrap_err();
    assert!(matches!(refused, PruneError::Refused(_)), "{refused}");
    assert!(refused.to_string().starts_with("nothing was changed: agents have"), "{refused}");
    for resource in surplus {
        let path = match resource {
            Resource::Connection(id) => format!("/connections/{id}?force=true"),
            Resource::Route(id) => format!("/routes/{id}?force=true"),
        };
        let (status, code) = stack.delete(&path).await;
        assert!(status < 300, "{path}: {code}");
    }
    assert_eq!(not_in_file(store, &Desired::default()).await.unwrap(), []);
}
