//! Actions on a conversation: send a message, hand over, hand back, close.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trunkline_core::model::{
    self, AccessLevel, Author, AuthorRole, Content, ConversationKey, EventBody, EventId,
    HandoverMode, Transcript,
};
use trunkline_core::routing::SystemTrigger;
use trunkline_runtime::inbound::{Ingested, ingest_system};
use utoipa::ToSchema;

use super::conversations::conversation_key;
use super::path::ConversationPath;
use crate::Console;
use crate::auth::Caller;
use crate::extract::{Json, Path};
use crate::problem::Problem;

/// A message to the customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessageBody {
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
    /// The recipient. Without it: the customer.
    to: Option<Recipient>,
}

/// The recipient of a message.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    Customer,
}

/// The reason for an action.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    /// Sent to the platform that receives the conversation, and stored in the transcript.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// An accepted message.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageAccepted {
    /// The event's id.
    event_id: String,
}

/// The state of the conversation after the action.
#[derive(Debug, Serialize, ToSchema)]
pub struct StateChanged {
    state: Option<model::State>,
}

/// Send a message to the customer. The owner of the conversation does not change.
#[utoipa::path(post, path = "/conversations/{channel}/{customer}/messages", tag = "conversations",
    params(ConversationPath),
    request_body = SendMessageBody,
    responses((status = 202, body = MessageAccepted)))]
pub async fn send_message(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(path): Path<ConversationPath>,
    Json(message): Json<SendMessageBody>,
) -> Result<(StatusCode, axum::Json<MessageAccepted>), Problem> {
    caller.require(AccessLevel::Operator)?;
    if message.text.trim().is_empty() || message.text.chars().count() > 4_000 {
        return Err(Problem::bad_request("text must have 1 to 4000 characters"));
    }
    let (None | Some(Recipient::Customer)) = message.to;
    let body = EventBody::Message { content: Content::text(message.text), metadata: Map::new() };
    let author = Author { role: AuthorRole::Agent, name: Some(caller.name.clone()) };
    let (id, key) = (new_event_id(&console), conversation_key(path)?);
    ingest(&console, &caller, "conversation.send_message", &key, id.clone(), body, author).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(MessageAccepted { event_id: id.as_str().to_owned() })))
}

/// Hand a conversation over to human agents.
#[utoipa::path(post, path = "/conversations/{channel}/{customer}/handover", tag = "conversations",
    params(ConversationPath),
    request_body = ReasonBody,
    responses((status = 202, body = StateChanged)))]
pub async fn hand_over(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(path): Path<ConversationPath>,
    Json(body): Json<ReasonBody>,
) -> Result<(StatusCode, axum::Json<StateChanged>), Problem> {
    let reason = body.validated()?;
    let (context, transcript) = (Map::new(), Transcript::default());
    let body = EventBody::Handover { mode: HandoverMode::Offer, reason, context, transcript };
    change_state(&console, &caller, "conversation.handover", &conversation_key(path)?, body).await
}

/// Hand a conversation back to the bot.
#[utoipa::path(post, path = "/conversations/{channel}/{customer}/handback", tag = "conversations",
    params(ConversationPath),
    request_body = ReasonBody,
    responses((status = 202, body = StateChanged)))]
pub async fn hand_back(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(path): Path<ConversationPath>,
    Json(body): Json<ReasonBody>,
) -> Result<(StatusCode, axum::Json<StateChanged>), Problem> {
    let (reason, context) = (body.validated()?, Map::new());
    let body = EventBody::Handback { reason, context, transcript: Transcript::default() };
    change_state(&console, &caller, "conversation.handback", &conversation_key(path)?, body).await
}

/// Close a conversation. The customer's next message starts a new one.
#[utoipa::path(post, path = "/conversations/{channel}/{customer}/close", tag = "conversations",
    params(ConversationPath),
    request_body = ReasonBody,
    responses((status = 202, body = StateChanged)))]
pub async fn close(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path(path): Path<ConversationPath>,
    Json(body): Json<ReasonBody>,
) -> Result<(StatusCode, axum::Json<StateChanged>), Problem> {
    let body = EventBody::Close { reason: body.validated()? };
    change_state(&console, &caller, "conversation.close", &conversation_key(path)?, body).await
}

impl ReasonBody {
    fn validated(self) -> Result<Option<String>, Problem> {
        match self.reason {
            Some(reason) if reason.chars().count() > 500 => {
                Err(Problem::bad_request("reason must have at most 500 characters"))
            }
            reason => Ok(reason.filter(|reason| !reason.trim().is_empty())),
        }
    }
}

fn new_event_id(console: &Console) -> EventId {
    let app = &console.app;
    EventId::from_parts(&["operator", &app.ids.next(app.clock.now())])
}

async fn change_state(
    console: &Console,
    caller: &Caller,
    action: &str,
    key: &ConversationKey,
    body: EventBody,
) -> Result<(StatusCode, axum::Json<StateChanged>), Problem> {
    caller.require(AccessLevel::Operator)?;
    let author = Author { role: AuthorRole::System, name: Some(caller.name.clone()) };
    ingest(console, caller, action, key, new_event_id(console), body, author).await?;
    let after = console.app.store.conversation(key).await?;
    let state = after.map(|conversation| conversation.state());
    Ok((StatusCode::ACCEPTED, axum::Json(StateChanged { state })))
}

async fn ingest(
    console: &Console,
    caller: &Caller,
    action: &str,
    key: &ConversationKey,
    id: EventId,
    body: EventBody,
    author: Author,
) -> Result<Ingested, Problem> {
    if console.app.store.conversation(key).await?.is_none() {
        return Err(Problem::not_found("the conversation does not exist"));
    }
    let ingested =
        ingest_system(&console.app, key, id, author, body, SystemTrigger::Operator).await?;
    caller.audit(&console.app, action, ingested.conversation.as_str(), Value::Null).await?;
    Ok(ingested)
}
