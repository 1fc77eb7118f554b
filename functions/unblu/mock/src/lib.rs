//! A mock Unblu server: web API v3 and v4, webhooks and outbound requests, as documented. It rejects what
//! the real server would reject, records what it accepted, and lets a test act as the agent.
//!
//! Unblu's own OpenAPI document of the API version judges every request, every answer and every call (`spec/`). What is
//! against it is recorded, and fails the test that drops the last handle of the server ([`Unblu::take_violations`]).
//!
//! The vendor does not document some statuses. Our assumptions: invalid content is 400, a violated
//! uniqueness 400, an outdated version 409, an ended conversation 400.

mod agent_actions;
mod api;
mod auth;
mod channels;
mod endpoint_calls;
mod entities;
mod judging;
mod player;
mod state;
mod validation;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use endpoint_calls::{CallResult, CallStyle, EndpointCall, EndpointReply, check_reply};
pub use judging::{ApiVersion, document};
pub use player::MOCK;
pub use state::{EndedConversation, SentMessage, StateReport};

use judging::ApiVersion::{V3, V4};
use state::{Conversation, ServerState};

/// The account with the role ADMIN: user name and password. `REGISTERED` has fewer rights.
pub const ADMIN: (&str, &str) = ("hub", "pa:ss wörd");
/// An account with the role `REGISTERED_USER`: user name and password.
pub const REGISTERED: (&str, &str) = ("grace", "secret");
/// The secret that signs the channel's calls.
pub const SECRET: &str = "s3cr3t-shared-key";
/// The channel's id.
pub const CHANNEL: &str = "cHaNnElIdExample0000001";
/// The id of the account that everything belongs to.
pub const ACCOUNT: &str = "aCcOuNtIdExample0000001";
/// The id of a named area, a possible recipient of conversations.
pub const AREA: &str = "nAmEdArEaIdExample00001";

/// The channel's endpoint: posts a call and returns the reply.
pub type Endpoint =
    Arc<dyn Fn(EndpointCall) -> Pin<Box<dyn Future<Output = EndpointReply> + Send>> + Send + Sync>;

/// A mock Unblu server on its own port.
#[derive(Clone)]
pub struct Unblu {
    port: u16,
    version: ApiVersion,
    state: Arc<Mutex<ServerState>>,
    _verdict: Arc<Verdict>,
}

/// Panics when it is dropped while violations are left, which fails the test.
struct Verdict(Arc<Mutex<ServerState>>);

impl Drop for Verdict {
    fn drop(&mut self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = std::mem::take(&mut state.violations);
        drop(state);
        let is_failed_already = std::thread::panicking();
        assert!(left.is_empty() || is_failed_already, "against Unblu's own document: {left:#?}");
    }
}

impl Unblu {
    /// Starts a server with one active channel. It has the web API of one version, as real ones do, and makes no calls
    /// until [`Unblu::set_endpoint`].
    pub async fn start(version: ApiVersion) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap(), version)
    }

    /// Starts a server on the given listener.
    pub fn start_at(listener: TcpListener, version: ApiVersion) -> Self {
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(ServerState::new(version)));
        let router = Router::new().fallback(api::answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let verdict = Arc::new(Verdict(Arc::clone(&state)));
        Self { port, version, state, _verdict: verdict }
    }

    fn state(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap()
    }

    /// Returns the version of the web API.
    pub fn version(&self) -> ApiVersion {
        self.version
    }

    /// Returns the web API's address.
    pub fn api_url(&self) -> String {
        self.base_url(self.version.word())
    }

    /// Returns the address that the web API of a version would have. `version` is `v3` or `v4`.
    pub fn base_url(&self, version: &str) -> String {
        format!("http://127.0.0.1:{}/app/rest/{version}", self.port)
    }

    /// Returns the styles in which a server of this version calls the channel, the preferred one last.
    pub fn styles(&self) -> &'static [CallStyle] {
        match self.version {
            V3 => &[CallStyle::Webhook],
            V4 => &[CallStyle::Webhook, CallStyle::Outbound],
        }
    }

    /// Returns the style in which a server of this version prefers to call the channel.
    pub fn style(&self) -> CallStyle {
        match self.version {
            V3 => CallStyle::Webhook,
            V4 => CallStyle::Outbound,
        }
    }

    /// Returns what was against Unblu's document, and forgets it. Only a test that provokes it calls this.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state().violations)
    }

    /// Sets the endpoint of the channel. [`Unblu::post`] and pings through the web API need one.
    pub fn set_endpoint(&self, endpoint: Endpoint) {
        self.state().endpoint = Some(endpoint);
    }

    /// Sets the channel's `supportsMultipleConversationsPerContact`: whether a contact may have several
    /// active conversations.
    pub fn allow_several_conversations(&self, several: bool) {
        self.state().channel["supportsMultipleConversationsPerContact"] = several.into();
    }

    /// Sets the channel's `webhookApiVersion`.
    pub fn set_webhook_version(&self, version: &str) {
        self.state().channel["webhookApiVersion"] = version.to_uppercase().into();
    }

    /// Answers the next call with a status and ignores its content.
    pub fn fail_next_call(&self, status: u16) {
        self.state().scheduled_failures.push_back((None, status));
    }

    /// Answers the next call whose path ends with `call` with a status and ignores its content.
    pub fn fail_next_call_to(&self, call: &str, status: u16) {
        self.state().scheduled_failures.push_back((Some(call.to_owned()), status));
    }

    /// Delays every response from now on.
    pub fn set_delay(&self, time: Duration) {
        self.state().delay = time;
    }

    /// Accepts a number of messages and answers the next one with a status.
    pub fn fail_after_messages(&self, messages: u32, status: u16) {
        self.state().failure_after_messages = Some((messages, status));
    }

    /// Lets the next search for contacts find none.
    pub fn hide_contacts_once(&self) {
        self.state().hide_contacts = true;
    }

    /// Switches the channel off, as Unblu does when an endpoint keeps failing.
    pub fn set_unavailable(&self) {
        self.set_status("INACTIVE_UNAVAILABLE");
    }

    /// Switches the channel off, as a person can.
    pub fn switch_off(&self) {
        self.set_status("INACTIVE");
    }

    fn set_status(&self, status: &str) {
        let mut state = self.state();
        state.channel["webhookStatus"] = status.into();
        state.touch_channel();
    }

    /// Changes the channel before each of the next `times` updates, as another client might.
    pub fn change_concurrently(&self, times: u32) {
        self.state().concurrent_changes = times;
    }

    /// Returns the channel.
    pub fn channel(&self) -> Value {
        self.state().channel.clone()
    }

    /// Returns the number of persons, contacts and conversations.
    pub fn counts(&self) -> (usize, usize, usize) {
        let state = self.state();
        (state.persons.len(), state.contacts.len(), state.conversations.len())
    }

    /// Returns the active conversation with a `sourceId`.
    pub fn conversation(&self, source_id: &str) -> Option<Value> {
        self.state().active(source_id).map(|found| found.data.clone())
    }

    /// Returns the contact with a `sourceId`.
    pub fn contact(&self, source_id: &str) -> Option<Value> {
        let state = self.state();
        state.contacts.iter().find(|contact| contact["sourceId"] == source_id).cloned()
    }

    /// Returns the person with a `sourceId`.
    pub fn person(&self, source_id: &str) -> Option<Value> {
        let state = self.state();
        state.persons.iter().find(|person| person["sourceId"] == source_id).cloned()
    }

    /// Returns the accepted messages.
    pub fn sent(&self) -> Vec<SentMessage> {
        self.state().sent.clone()
    }

    /// Returns the reported states of agents' messages.
    pub fn state_reports(&self) -> Vec<StateReport> {
        self.state().state_reports.clone()
    }

    /// Returns the conversations that were ended through the API.
    pub fn ended(&self) -> Vec<EndedConversation> {
        self.state().ended.clone()
    }

    /// Returns a line for each received call: method, path and outcome.
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// Waits for at least `count` accepted messages and returns them.
    pub async fn wait_for_messages(&self, count: usize) -> Vec<SentMessage> {
        self.until("messages", count, Self::sent).await
    }

    /// Waits for at least `count` reported states and returns them.
    pub async fn wait_for_states(&self, count: usize) -> Vec<StateReport> {
        self.until("states", count, Self::state_reports).await
    }

    /// Waits for at least `count` ended conversations and returns them.
    pub async fn wait_for_ends(&self, count: usize) -> Vec<EndedConversation> {
        self.until("ends", count, Self::ended).await
    }

    async fn until<T>(&self, what: &str, count: usize, of: impl Fn(&Self) -> Vec<T>) -> Vec<T> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let all = of(self);
            if all.len() >= count {
                return all;
            }
            let log = self.log();
            assert!(Instant::now() < end, "only {} of {count} {what} arrived: {log:#?}", all.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Posts a call and checks the reply as Unblu would. Returns `None`, without a call, while the channel
    /// is not active.
    pub async fn post(&self, call: EndpointCall) -> Option<CallResult> {
        let (endpoint, active) = {
            let state = self.state();
            (state.endpoint.clone(), state.channel["webhookStatus"] == "ACTIVE")
        };
        let endpoint = endpoint.expect("set_endpoint() was called");
        if !active {
            return None;
        }
        let reply = endpoint(call.clone()).await;
        Some(call.check(&reply))
    }

    /// Creates the contact that the reply `CREATE` to `create_contact` describes.
    pub fn create_contact(&self, posted: &CallResult) -> String {
        assert_eq!(posted.body["type"], "CREATE", "{posted:?}");
        let mut state = self.state();
        let person = state.new_id("pErSoN");
        let contact = json!({
            "$_type": "ExternalMessengerContact", "id": state.new_id("cOnTaCt"),
            "name": posted.body["name"], "sourceId": posted.body["sourceId"],
            "externalMessengerChannelId": CHANNEL, "personId": person,
        });
        let id = contact["id"].as_str().unwrap().to_owned();
        state.contacts.push(contact);
        id
    }

    /// Creates the conversation that the reply `CREATE` to `create_conversation` describes.
    pub fn create_conversation(&self, posted: &CallResult, contact: &str) -> String {
        assert_eq!(posted.body["type"], "CREATE", "{posted:?}");
        let mut state = self.state();
        let id = state.new_id("cOnVeRsAtIoN");
        let data = json!({
            "$_type": "ConversationData", "id": id, "sourceId": posted.body["sourceId"],
            "externalMessengerChannelId": CHANNEL, "state": "ACTIVE",
        });
        state.conversations.push(Conversation { data, customers: vec![contact.to_owned()] });
        id
    }
}
