//! Registrations on a platform that keeps them, and platforms that cannot be verified.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use serde_json::Value;
use trunkline_core::model::{Behaviour, Capabilities, ConnectionId, EventBody, PlatformId, Role};
use trunkline_core::platform::{BoundedNumber, Platform, PlatformSettings, PlatformSpec};
use trunkline_core::settings;
use trunkline_runtime::http_client::{HttpClient, HttpRequest};
use trunkline_runtime::inbound::{Call, CallOutcome, Inbound, ParsedCall, Reply};
use trunkline_runtime::outbound::{
    CheckContext, EncodeError, Outbound, RegistrationState, SendContext, Verification,
};
use trunkline_runtime::secrets::SecretBag;
use trunkline_testkit::TestStack;

settings! {
    /// The settings of the platform.
    pub struct PagerSettings {
        /// how many lines the display has
        lines: BoundedNumber<1, 9> = BoundedNumber(2);
    }
}

/// A platform that keeps registrations and has no call for verification.
#[derive(Debug, Clone)]
struct Pager(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    registration: RegistrationState,
    checks: usize,
}

impl Platform for Pager {
    type Settings = PagerSettings;

    const SPEC: PlatformSpec = PlatformSpec {
        id: PlatformId::from_static("pager"),
        name: "Pager",
        roles: &[Role::Bot],
        capabilities: Capabilities::TEXT_ONLY,
        optional_features: &[],
        behaviour: Behaviour { keeps_registration: true, ..Behaviour::NONE },
        addresses: &[],
        settings: PagerSettings::SPECS,
        secrets: &[],
        alerts_setting: None,
        retry_unknown: None,
        check: |_| Vec::new(),
    };
}

impl Inbound for Pager {
    fn parse(&self, _: &Call<'_, PagerSettings>) -> ParsedCall {
        ParsedCall::Events(Vec::new())
    }

    fn reply(&self, _: &Call<'_, PagerSettings>, _: &CallOutcome<'_>) -> Reply {
        Reply::json(http::StatusCode::OK, &Value::Null)
    }
}

impl Outbound for Pager {
    fn encode(&self, _: &SendContext<'_, PagerSettings>) -> Result<HttpRequest, EncodeError> {
        Err(EncodeError::Unsupported("a pager receives nothing"))
    }

    async fn verify(&self, _: &CheckContext<'_, PagerSettings>, _: &HttpClient) -> Verification {
        Verification::Unsupported("page yourself")
    }

    async fn reconcile_registration(
        &self,
        _: &CheckContext<'_, PagerSettings>,
        _: &HttpClient,
    ) -> RegistrationState {
        let mut state = self.0.lock().unwrap();
        state.checks += 1;
        state.registration.clone()
    }
}

/// A stack with the connection `pager`, and the observer `watch`, which receives alerts.
async fn with_pager() -> (TestStack, Pager) {
    let mut stack = TestStack::start().await;
    let state = State { registration: RegistrationState::InSync, checks: 0 };
    let pager = Pager(Arc::new(Mutex::new(state)));
    let platform = pager.clone();
    stack.add_platform(move || platform.clone());
    let id = Pager::SPEC.id;
    stack.connect_platform("pager", id, Role::Bot, SecretBag::default(), |_| ()).await;
    stack.connect("watch", Role::Observer, |_| ()).await;
    stack.app.store.put_alert_observers(&["watch".parse().unwrap()]).await.unwrap();
    (stack, pager)
}

impl Pager {
    fn set(&self, registration: RegistrationState) {
        self.0.lock().unwrap().registration = registration;
    }

    fn checks(&self) -> usize {
        self.0.lock().unwrap().checks
    }
}

/// Lets the scheduler check the registrations, five minutes after the last time.
async fn check(stack: &TestStack) {
    stack.advance(SignedDuration::from_mins(5)).await;
    assert!(stack.tick().await);
    stack.run_until_idle().await;
}

/// Returns name, connection and text of the alerts about registrations.
fn alerts(stack: &TestStack) -> Vec<(String, String)> {
    let alert = |call: trunkline_testkit::ToyCall| match call.delivery.event.body {
        EventBody::Opaque { name, raw, .. } => {
            assert_eq!(raw["connection"], "pager");
            let text = raw["problem"].as_str().or(raw["repair"].as_str()).unwrap_or_default();
            Some((name, text.to_owned()))
        }
        _ => None,
    };
    stack.toy.taken("watch").into_iter().filter_map(alert).collect()
}

fn out_of_sync(problem: &str) -> RegistrationState {
    RegistrationState::OutOfSync(problem.to_owned())
}

fn alert(kind: &str, text: &str) -> (String, String) {
    (format!("trunkline.registration_{kind}"), text.to_owned())
}

/// Returns the stored problem of the pager's registration.
async fn problem(stack: &TestStack) -> Option<String> {
    let stored = stack.app.store.registration(&pager()).await.unwrap();
    stored.expect("the registration was checked").problem
}

fn pager() -> ConnectionId {
    "pager".parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn registration_in_sync_is_recorded_without_an_alert() {
    let (stack, pager) = with_pager().await;
    check(&stack).await;
    assert_eq!((pager.checks(), problem(&stack).await), (1, None));
    assert!(alerts(&stack).is_empty());
}

#[tokio::test(start_paused = true)]
async fn registration_is_checked_every_five_minutes() {
    let (stack, pager) = with_pager().await;
    for _ in 0..11 {
        assert!(stack.tick().await);
        stack.advance(SignedDuration::from_mins(1)).await;
    }
    assert_eq!(pager.checks(), 3, "after 0, 5 and 10 minutes");
    let toy = stack.app.store.registration(&"watch".parse().unwrap()).await.unwrap();
    assert_eq!(toy, None, "a platform that keeps no registrations is not checked");
}

#[tokio::test(start_paused = true)]
async fn registration_out_of_sync_is_reported_once_for_each_problem() {
    let (stack, pager) = with_pager().await;
    for problem in ["disabled", "disabled", "another address", "another address"] {
        pager.set(out_of_sync(problem));
        check(&stack).await;
    }
    assert_eq!(
        alerts(&stack),
        [alert("out_of_sync", "disabled"), alert("out_of_sync", "another address")]
    );
    assert_eq!(problem(&stack).await.as_deref(), Some("another address"));
}

#[tokio::test(start_paused = true)]
async fn problem_that_returns_is_reported_again() {
    let (stack, pager) = with_pager().await;
    for state in [out_of_sync("disabled"), RegistrationState::InSync, out_of_sync("disabled")] {
        pager.set(state);
        check(&stack).await;
    }
    assert_eq!(
        alerts(&stack),
        [alert("out_of_sync", "disabled"), alert("out_of_sync", "disabled")]
    );
}

#[tokio::test(start_paused = true)]
async fn every_repair_is_reported_and_leaves_no_problem() {
    let (stack, pager) = with_pager().await;
    pager.set(out_of_sync("disabled"));
    check(&stack).await;
    for _ in 0..2 {
        pager.set(RegistrationState::Repaired("enabled it".into()));
        check(&stack).await;
        assert_eq!(problem(&stack).await, None);
    }
    let repaired = alert("repaired", "enabled it");
    assert_eq!(alerts(&stack)[1..], [repaired.clone(), repaired]);
}

#[tokio::test(start_paused = true)]
async fn invalid_settings_are_a_registration_out_of_sync() {
    let (stack, pager) = with_pager().await;
    let secrets = SecretBag::default();
    stack
        .connect_platform("pager", Pager::SPEC.id, Role::Bot, secrets, |changed| {
            changed.settings.insert("lines".into(), 10.into());
        })
        .await;
    check(&stack).await;
    assert_eq!(pager.checks(), 0, "the platform is not asked");
    assert!(problem(&stack).await.is_some_and(|problem| problem.contains("'lines'")));
    assert_eq!(alerts(&stack).len(), 1);
}

/// On such a platform the operator's request alone shows that the connection should be used again.
#[tokio::test(start_paused = true)]
async fn verification_that_the_platform_does_not_support_closes_the_breaker() {
    let (stack, _) = with_pager().await;
    let now = trunkline_runtime::app::Clock::now(&*stack.clock);
    assert!(stack.app.store.open_breaker(&pager(), now).await.unwrap());
    let health = stack.verify("pager").await;
    assert_eq!(health.unsupported.as_deref(), Some("page yourself"));
    assert_eq!(health.problem, None);
    assert!(!stack.breaker("pager").await.is_open());
}
