//! ServisBOT's chat history server (SL, `development/mysql/init_db.sql` and `versions/v1/MYSQL/queries.js`), an example
//! of a consumer of events: two tables with a column for each member, which reject values that do not fit. An
//! interaction is joined to its message by the message's id.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{ServerState, auth};

/// The required strings of a row, with the length limits of their columns (SL, `init_db.sql`).
const TEXTS: [(&str, usize); 10] = [
    ("key", 100),
    ("conversationId", 60),
    ("identity", 60),
    ("id", 60),
    ("organization", 60),
    ("version", 60),
    ("type", 60),
    ("contentType", 60),
    ("correlationId", 60),
    ("to", 60),
];

#[derive(Debug, Default)]
pub(super) struct History {
    messages: Vec<Value>,
    interactions: Vec<Value>,
}

impl History {
    pub(super) fn transcript(&self) -> Vec<Value> {
        let mut all: Vec<_> = self.messages.iter().chain(&self.interactions).cloned().collect();
        all.sort_by_key(|message| message["timestamp"].as_i64());
        all
    }

    /// Returns why a message is invalid; `None` if it is valid.
    fn problem(message: &Value) -> Option<String> {
        for (name, limit) in TEXTS {
            match message[name].as_str() {
                None => return Some(format!("{name} is missing or not a text")),
                Some("") => return Some(format!("{name} is empty")),
                Some(text) if text.chars().count() > limit => {
                    return Some(format!("data too long for {name}"));
                }
                Some(_) => {}
            }
        }
        let text = |name: &str| message[name].as_str().unwrap_or_default();
        let Some(timestamp) = message["timestamp"].as_i64() else {
            return Some("timestamp is not a number".into());
        };
        let (conversation, id) = (text("conversationId"), text("id"));
        if text("key") != format!("TIMELINEMESSAGE:::{conversation}:::{timestamp}:::{id}") {
            return Some("key is not type:::conversation:::timestamp:::id".into());
        }
        if !["server", "client"].contains(&text("to")) {
            return Some("to is neither server nor client".into());
        }
        let contents = &message["contents"];
        let fits = match text("contentType") {
            "message" => contents["message"].is_string(),
            "markup" => contents["markup"].as_str().is_some_and(|xml| xml.starts_with('<')),
            "markupInteraction" => is_interaction(message),
            other => return Some(format!("contentType {other} is unknown")),
        };
        (!fits).then(|| "contents do not fit contentType".into())
    }
}

/// Whether a message is an interaction as in S4, Markup Interaction Event: it names its markup, has its id, and
/// tells what was selected when.
fn is_interaction(message: &Value) -> bool {
    let contents = &message["contents"];
    let (source, interaction) = (&contents["source"], &contents["interaction"]);
    let value = &interaction["value"];
    source["eventType"] == "TimelineMessage"
        && source["id"] == message["id"]
        && source["conversationId"] == message["conversationId"]
        && source["timestamp"].is_i64()
        && interaction["action"] == "buttonInteraction"
        && interaction["timestamp"].is_i64()
        && value["id"].is_string()
        && value["label"].is_string()
        && message["to"] == "server"
        && message["inputSource"]["type"] == "interaction"
}

impl History {
    /// Whether the markup of an interaction is stored. The server accepts an interaction without it, and never
    /// shows it in a transcript (SL, `parseMessages.js`), so this mock is stricter.
    fn has_markup_of(&self, interaction: &Value) -> bool {
        let source = &interaction["contents"]["source"];
        self.messages.iter().any(|row| {
            row["contentType"] == "markup"
                && row["id"] == source["id"]
                && row["timestamp"] == source["timestamp"]
                && row["conversationId"] == source["conversationId"]
        })
    }
}

impl ServerState {
    pub(super) fn persist(&mut self, headers: &HeaderMap, body: &Value) -> Response {
        let given = auth::text(headers, "authorization");
        if let Some(why) = self.auth.problem(given, self.millis() / 1_000) {
            return self.refuse(401, why);
        }
        let message = &body["message"];
        if body.as_object().is_none_or(|body| body.len() != 1) || !message.is_object() {
            return self.refuse(500, "child \"message\" fails because it is required, alone");
        }
        if let Some(why) = History::problem(message) {
            return self.refuse(500, &why);
        }
        let is_interaction = message["contentType"] == "markupInteraction";
        if is_interaction && !self.history.has_markup_of(message) {
            return self.refuse(500, "the markup of the interaction is unknown");
        }
        let table = if is_interaction {
            &mut self.history.interactions
        } else {
            &mut self.history.messages
        };
        if table.iter().any(|row| row["key"] == message["key"]) {
            return self.refuse(409, "ER_DUP_ENTRY");
        }
        table.push(message.clone());
        axum::Json(json!({})).into_response()
    }
}
