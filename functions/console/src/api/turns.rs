//! What operators do in a conversation.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trunkline_shared::inbound::{Taken, take_from_house};
use trunkline_shared::model::{
    Access, Author, AuthorRole, Content, ConversationKey, EventBody, EventId, Mode, Recall,
};
use trunkline_shared::routing::Cause;
use utoipa::ToSchema;

use super::conversations::key;
use crate::Console;
use crate::caller::Caller;
use crate::extract::{Json, Path};
use crate::problem::Problem;
use crate::view::State as Stands;

/// What is said to the customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The text.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
    /// `customer`: there is nobody else to speak to.
    to: Option<String>,
}

/// Why something is done.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// Whoever gets the conversation is told, and it is kept.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// What was said.
#[derive(Debug, Serialize, ToSchema)]
pub struct Posted {
    /// The event's id.
    event: String,
}

/// How the conversation stands now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Turned {
    state: Option<Stands>,
}

type Whose = Path<(String, String)>;

/// Say something to the customer, whoever has the conversation.
#[utoipa::path(post, path = "/conversations/{channel}/{customer}/messages", tag = "conversations",
    params(("channel" = String, Path, description = "The channel connection", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
        ("customer" = String, Path, description = "The customer; `~` and base64url where their id is not plain")),
    responses((status = 202, body = Posted)))]
pub async fn say(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path((channel, customer)): Whose,
    Json(said): Json<Said>,
) -> Result<(StatusCode, axum::Json<Posted>), Problem> {
    caller.may(Access::Operator)?;
    if said.text.trim().is_empty() || said.text.chars().count() > 4_000 {
        return Err(Problem::bad_request("text has from 1 to 4000 characters"));
    }
    if said.to.as_deref().is_some_and(|to| to != "customer") {
        return Err(Problem::bad_request("to can only be customer"));
    }
    let body = EventBody::Message { content: Content::text(said.text), metadata: Map::new() };
    let author = Author { role: AuthorRole::Agent, name: Some(caller.name.clone()) };
    let (id, key) = (new_id(&console), key(&channel, customer)?);
    act(&console, &caller, "conversation.say", &key, id.clone(), body, author).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Posted { event: id.as_str().to_owned() })))
}

/// Give a conversation to people.
#[utoipa::path(post, path = "/conversations/{channel}/{customer}/handover", tag = "conversations",
    params(("channel" = String, Path, description = "The channel connection", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
        ("customer" = String, Path, description = "The customer; `~` and base64url where their id is not plain")),
    responses((status = 202, body = Turned)))]
pub async fn hand_over(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path((channel, customer)): Whose,
    Json(why): Json<Why>,
) -> Result<(StatusCode, axum::Json<Turned>), Problem> {
    let reason = why.checked()?;
    let (context, recall) = (Map::new(), Recall::default());
    let body = EventBody::Handover { mode: Mode::Offer, reason, context, recall };
    turn(&console, &caller, "conversation.handover", &key(&channel, customer)?, body).await
}

/// Give a conversation back to the bot.
#[utoipa::path(post, path = "/conversations/{channel}/{customer}/handback", tag = "conversations",
    params(("channel" = String, Path, description = "The channel connection", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
        ("customer" = String, Path, description = "The customer; `~` and base64url where their id is not plain")),
    responses((status = 202, body = Turned)))]
pub async fn hand_back(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path((channel, customer)): Whose,
    Json(why): Json<Why>,
) -> Result<(StatusCode, axum::Json<Turned>), Problem> {
    let (reason, context) = (why.checked()?, Map::new());
    let body = EventBody::Handback { reason, context, recall: Recall::default() };
    turn(&console, &caller, "conversation.handback", &key(&channel, customer)?, body).await
}

/// End a conversation: the customer's next message starts another.
#[utoipa::path(post, path = "/conversations/{channel}/{customer}/close", tag = "conversations",
    params(("channel" = String, Path, description = "The channel connection", pattern = "^[a-z0-9][a-z0-9-]{0,62}$"),
        ("customer" = String, Path, description = "The customer; `~` and base64url where their id is not plain")),
    responses((status = 202, body = Turned)))]
pub async fn close(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Path((channel, customer)): Whose,
    Json(why): Json<Why>,
) -> Result<(StatusCode, axum::Json<Turned>), Problem> {
    let body = EventBody::Close { reason: why.checked()? };
    turn(&console, &caller, "conversation.close", &key(&channel, customer)?, body).await
}

impl Why {
    fn checked(self) -> Result<Option<String>, Problem> {
        match self.reason {
            Some(reason) if reason.chars().count() > 500 => {
                Err(Problem::bad_request("reason has at most 500 characters"))
            }
            reason => Ok(reason.filter(|reason| !reason.trim().is_empty())),
        }
    }
}

fn new_id(console: &Console) -> EventId {
    let app = &console.app;
    EventId::from_parts(&["order", &app.ids.next(app.clock.now())])
}

async fn turn(
    console: &Console,
    caller: &Caller,
    what: &str,
    key: &ConversationKey,
    body: EventBody,
) -> Result<(StatusCode, axum::Json<Turned>), Problem> {
    caller.may(Access::Operator)?;
    let author = Author { role: AuthorRole::System, name: Some(caller.name.clone()) };
    act(console, caller, what, key, new_id(console), body, author).await?;
    let after = console.app.store.conversation(key).await?;
    let state = after.map(|conversation| conversation.state().into());
    Ok((StatusCode::ACCEPTED, axum::Json(Turned { state })))
}

async fn act(
    console: &Console,
    caller: &Caller,
    what: &str,
    key: &ConversationKey,
    id: EventId,
    body: EventBody,
    author: Author,
) -> Result<Taken, Problem> {
    if console.app.store.conversation(key).await?.is_none() {
        return Err(Problem::not_found("there is no such conversation"));
    }
    let taken = take_from_house(&console.app, key, id, author, body, Cause::Operator).await?;
    caller.note(&console.app, what, &taken.conversation, Value::Null).await?;
    Ok(taken)
}
