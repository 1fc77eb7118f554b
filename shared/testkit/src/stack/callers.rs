//! Calls of platforms to the inbound functions.

use std::time::Duration;

use lambda_http::{Body, Request};
use serde_json::{Map, Value};
use trunkline_core::model::{
    Author, AuthorRole, ConnectionId, Content, ConversationKey, Event, EventBody, EventId,
    HandoverMode, Role, Transcript,
};
use trunkline_runtime::app::Clock;

use super::TestStack;
use super::configuration::URL_KEY;

/// Time limit of the inbound functions, as in the template.
const INBOUND_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause of a caller before it sends a call again.
const CALLER_PAUSE: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);
/// Least time between two calls.
const CALL_INTERVAL: jiff::SignedDuration = jiff::SignedDuration::from_millis(1);
/// How often a caller sends a call that is not answered with success.
const CALLER_TRIES: usize = 10;

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallResponse {
    /// The HTTP status. 502 if the function crashed: API Gateway answers then.
    pub status: u16,
    /// The body; null if it is not JSON.
    pub body: Value,
}

impl CallResponse {
    /// Whether the call succeeded, so that the caller forgets it.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the code of a rejection; empty if there is none.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Returns Trunkline's id of the conversation of the first event.
    pub fn conversation(&self) -> &str {
        self.body["events"][0]["conversation"].as_str().unwrap_or_default()
    }

    /// Whether the first event is a duplicate.
    pub fn is_duplicate(&self) -> bool {
        self.body["events"][0]["duplicate"] == true
    }
}

/// The body of a text message.
pub fn message(text: &str) -> EventBody {
    EventBody::Message { content: Content::text(text), metadata: Map::new() }
}

/// The body of a choice.
pub fn choice(id: &str) -> EventBody {
    EventBody::Choice { id: id.to_owned(), title: None, typed: None }
}

/// The body of a handover that an agent must accept.
pub fn handover(reason: &str) -> EventBody {
    EventBody::Handover {
        mode: HandoverMode::Offer,
        reason: Some(reason.to_owned()),
        context: Map::new(),
        transcript: Transcript::default(),
    }
}

/// The body of a hand-back to the bot.
pub fn handback(reason: &str) -> EventBody {
    EventBody::Handback {
        reason: Some(reason.to_owned()),
        context: Map::new(),
        transcript: Transcript::default(),
    }
}

/// The body of the end of a conversation or session.
pub fn close(reason: &str) -> EventBody {
    EventBody::Close { reason: Some(reason.to_owned()) }
}

impl TestStack {
    /// Builds an event as the platform of a connection reports it now. `id` is the platform's id of the
    /// event, and `conversation` that of the conversation; on a channel, it names the customer. A channel repeats
    /// the timestamps of its events, bots and desks do not.
    pub fn event(&self, connection: &str, conversation: &str, id: &str, body: EventBody) -> Event {
        let role = match self.connection(connection).role {
            Role::Channel => AuthorRole::Customer,
            Role::Desk => AuthorRole::Agent,
            Role::Bot | Role::Observer => AuthorRole::Bot,
        };
        let (at, author) = (self.clock.now(), Author::nameless(role));
        let event = Event::new(EventId::from_parts(&["m", id]), conversation, at, author, body);
        let stable_timestamp = role == AuthorRole::Customer;
        Event { external_message_id: Some(id.into()), stable_timestamp, ..event }
    }

    /// Calls the inbound function of a connection once with events.
    pub async fn post(&self, connection: &str, events: &[Event]) -> CallResponse {
        // Two calls never arrive at the same time.
        self.clock.advance(CALL_INTERVAL);
        let connection = self.connection(connection);
        let platform = connection.platform.as_str();
        let path = format!("/in/{platform}/{}/{URL_KEY}", connection.id);
        let body = serde_json::to_string(events).unwrap();
        let request =
            http::Request::builder().method("POST").uri(path).body(Body::Text(body)).unwrap();
        let answer = self.request(platform, &request).await;
        if answer.is_success() {
            for event in events {
                self.remember(&connection.id, connection.role, event);
            }
        }
        answer
    }

    /// Calls the inbound function of a platform once with an HTTP request.
    pub async fn request(&self, platform: &str, request: &Request) -> CallResponse {
        let function = format!("{platform}-inbound");
        let invoked = self.invoke(&function, INBOUND_TIMEOUT, &[], async |process| {
            process.platform.as_ref().unwrap().inbound(&process.app, request).await
        });
        let Some(response) = invoked.await else {
            return CallResponse { status: 502, body: Value::Null };
        };
        let status = response.status().as_u16();
        let body = match response.body() {
            Body::Text(text) => serde_json::from_str(text).unwrap_or_default(),
            _ => Value::Null,
        };
        CallResponse { status, body }
    }

    /// Calls the inbound function of a connection until it answers, as platforms do: an answer of 5xx is
    /// followed by the same call two seconds later. Meanwhile queue messages are processed.
    pub async fn post_until_answered(&self, connection: &str, events: &[Event]) -> CallResponse {
        for _ in 1..CALLER_TRIES {
            let answer = self.post(connection, events).await;
            if answer.status < 500 {
                return answer;
            }
            self.advance(CALLER_PAUSE).await;
        }
        self.post(connection, events).await
    }

    /// Sends an event and expects success. Deliveries stay in their queues: see
    /// [`TestStack::run_until_idle`].
    pub async fn accept(
        &self,
        connection: &str,
        conversation: &str,
        id: &str,
        body: EventBody,
    ) -> CallResponse {
        let event = self.event(connection, conversation, id, body);
        let answer = self.post(connection, &[event]).await;
        assert!(answer.is_success(), "{connection} {id}: {answer:?}");
        answer
    }

    /// Sends an event, expects success, and processes everything that is due.
    pub async fn send(
        &self,
        connection: &str,
        conversation: &str,
        id: &str,
        body: EventBody,
    ) -> CallResponse {
        let answer = self.accept(connection, conversation, id, body).await;
        self.run_until_idle().await;
        answer
    }

    /// Sends an event once and returns the answer, also a rejection.
    pub async fn try_send(
        &self,
        connection: &str,
        conversation: &str,
        id: &str,
        body: EventBody,
    ) -> CallResponse {
        let event = self.event(connection, conversation, id, body);
        let answer = self.post(connection, &[event]).await;
        self.run_until_idle().await;
        answer
    }

    fn remember(&self, connection: &ConnectionId, role: Role, event: &Event) {
        let customer = event.external_conversation_id.as_str().to_owned();
        let key = match &event.intended_recipient {
            Some(key) => key.clone(),
            None if role == Role::Channel => {
                ConversationKey { channel: connection.clone(), customer }
            }
            None => return,
        };
        let mut known = self.conversations.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
    }
}
