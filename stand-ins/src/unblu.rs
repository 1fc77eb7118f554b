//! Unblu, as its web API v3 and v4 and its outbound side are documented: it refuses what the real one
//! would, remembers what it accepted, and lets a test be the agent.
//!
//! What the vendor does not document is decided here as follows: whatever is refused for its content is
//! 400, a broken uniqueness 400, an outdated version 409, an ended conversation 400.

mod acts;
mod api;
mod calls;
mod entities;
mod proof;
mod rules;
mod state;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use calls::{Answered, Call, Posted, Style, accepts};
pub use state::{Ended, Marked, Sent};

use state::Memory;

/// The account with the role ADMIN; `REGISTERED` may do less.
pub const ADMIN: (&str, &str) = ("hub", "pa:ss wörd");
/// An account with the role `REGISTERED_USER`.
pub const REGISTERED: (&str, &str) = ("grace", "secret");
/// What signs the calls of the channel.
pub const SECRET: &str = "s3cr3t-shared-key";
/// The channel.
pub const CHANNEL: &str = "cHaNnElIdExample0000001";
/// A named area, to which conversations can be addressed.
pub const AREA: &str = "nAmEdArEaIdExample00001";

/// Posts a call to the channel's endpoint.
pub type Post = Arc<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Answered> + Send>> + Send + Sync>;

/// An Unblu server on a port of its own.
#[derive(Clone)]
pub struct Unblu {
    port: u16,
    memory: Arc<Mutex<Memory>>,
}

impl Unblu {
    /// Starts one with one channel, which is active and calls nobody until `calls` is told whom.
    pub async fn start() -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// The same, at a port that was chosen.
    pub fn start_at(listener: TcpListener) -> Self {
        let port = listener.local_addr().unwrap().port();
        let memory = Arc::new(Mutex::new(Memory::new()));
        let router = Router::new().fallback(api::answer).with_state(Arc::clone(&memory));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, memory }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    /// The web API's address: `version` is `v3` or `v4`.
    pub fn base_url(&self, version: &str) -> String {
        format!("http://127.0.0.1:{}/app/rest/{version}", self.port)
    }

    /// From now on posts what it has to say so; needed for `post` and for pings through the web API.
    pub fn calls(&self, post: Post) {
        self.memory().post = Some(post);
    }

    /// Allows a contact one active conversation only, or several, as the channel's
    /// `supportsMultipleConversationsPerContact`.
    pub fn several_per_contact(&self, several: bool) {
        self.memory().channel["supportsMultipleConversationsPerContact"] = several.into();
    }

    /// Calls in the form of that version of its API, as the channel's `webhookApiVersion`.
    pub fn calls_in(&self, version: &str) {
        self.memory().channel["webhookApiVersion"] = version.to_uppercase().into();
    }

    /// Answers its next call with that status, and does nothing.
    pub fn fails_next(&self, status: u16) {
        self.memory().failing.push_back((None, status));
    }

    /// Answers its next call whose path ends so with that status, and does nothing.
    pub fn fails_next_of(&self, call: &str, status: u16) {
        self.memory().failing.push_back((Some(call.to_owned()), status));
    }

    /// From now on takes so long for every answer.
    pub fn takes(&self, time: Duration) {
        self.memory().delay = time;
    }

    /// Accepts so many messages more, and then answers the next with that status.
    pub fn fails_after(&self, messages: u32, status: u16) {
        self.memory().failing_after = Some((messages, status));
    }

    /// Answers the next search for contacts as if there were none yet.
    pub fn hides_contacts_once(&self) {
        self.memory().hiding = true;
    }

    /// Switches the channel off, as the real one does with an endpoint that keeps failing.
    pub fn gives_up(&self) {
        self.set_status("INACTIVE_UNAVAILABLE");
    }

    /// Switches the channel off, as a person does.
    pub fn is_switched_off(&self) {
        self.set_status("INACTIVE");
    }

    fn set_status(&self, status: &str) {
        let mut memory = self.memory();
        memory.channel["webhookStatus"] = status.into();
        memory.touch_channel();
    }

    /// Has somebody else change the channel between the next reading and the next update, so often.
    pub fn changes_meanwhile(&self, times: u32) {
        self.memory().meddling = times;
    }

    /// The channel as it is.
    pub fn channel(&self) -> Value {
        self.memory().channel.clone()
    }

    /// How many persons, contacts and conversations there are.
    pub fn counts(&self) -> (usize, usize, usize) {
        let memory = self.memory();
        (memory.persons.len(), memory.contacts.len(), memory.conversations.len())
    }

    /// The active conversation with that `sourceId`.
    pub fn conversation(&self, source_id: &str) -> Option<Value> {
        self.memory().active(source_id).cloned()
    }

    /// The contact with that `sourceId`.
    pub fn contact(&self, source_id: &str) -> Option<Value> {
        let memory = self.memory();
        memory.contacts.iter().find(|contact| contact["sourceId"] == source_id).cloned()
    }

    /// The person with that `sourceId`.
    pub fn person(&self, source_id: &str) -> Option<Value> {
        let memory = self.memory();
        memory.persons.iter().find(|person| person["sourceId"] == source_id).cloned()
    }

    /// Messages that it accepted.
    pub fn sent(&self) -> Vec<Sent> {
        self.memory().sent.clone()
    }

    /// States of its own messages that it was told.
    pub fn marked(&self) -> Vec<Marked> {
        self.memory().marked.clone()
    }

    /// Conversations that it was told to end.
    pub fn ended(&self) -> Vec<Ended> {
        self.memory().ended.clone()
    }

    /// The calls that it got: version, method, path, and how it answered.
    pub fn log(&self) -> Vec<String> {
        self.memory().log.clone()
    }

    /// The messages that it accepted, once they are at least `count`.
    pub async fn accepts(&self, count: usize) -> Vec<Sent> {
        self.until("messages", count, Self::sent).await
    }

    /// The states that it was told, once they are at least `count`.
    pub async fn is_told(&self, count: usize) -> Vec<Marked> {
        self.until("states", count, Self::marked).await
    }

    /// The conversations that it was told to end, once they are at least `count`.
    pub async fn ends(&self, count: usize) -> Vec<Ended> {
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
            assert!(Instant::now() < end, "{} {what} of {count} came: {log:#?}", all.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Posts a call, and checks the answer as Unblu needs it. Nothing is posted while the channel is
    /// not active.
    pub async fn post(&self, call: Call) -> Option<Posted> {
        let (post, active) = {
            let memory = self.memory();
            (memory.post.clone(), memory.channel["webhookStatus"] == "ACTIVE")
        };
        let post = post.expect("calls() was told whom to call");
        if !active {
            return None;
        }
        let answered = post(call.clone()).await;
        Some(call.judge(&answered))
    }

    /// An agent makes what `create_contact` was answered with `CREATE` into a contact.
    pub fn takes_contact(&self, posted: &Posted) -> String {
        assert_eq!(posted.body["type"], "CREATE", "{posted:?}");
        let mut memory = self.memory();
        let person = memory.new_id("pErSoN");
        let contact = json!({
            "$_type": "ExternalMessengerContact", "id": memory.new_id("cOnTaCt"),
            "name": posted.body["name"], "sourceId": posted.body["sourceId"],
            "externalMessengerChannelId": CHANNEL, "personId": person,
        });
        let id = contact["id"].as_str().unwrap().to_owned();
        memory.contacts.push(contact);
        id
    }

    /// An agent makes what `create_conversation` was answered with `CREATE` into a conversation.
    pub fn takes_conversation(&self, posted: &Posted, contact: &str) -> String {
        assert_eq!(posted.body["type"], "CREATE", "{posted:?}");
        let mut memory = self.memory();
        let id = memory.new_id("cOnVeRsAtIoN");
        memory.conversations.push(json!({
            "$_type": "ConversationData", "id": id, "sourceId": posted.body["sourceId"],
            "externalMessengerChannelId": CHANNEL, "contacts": [contact], "state": "ACTIVE",
        }));
        id
    }
}
