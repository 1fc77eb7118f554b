//! Routes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trunkline_shared::model::Route;
use utoipa::ToSchema;

/// A route.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RouteView {
    /// Its id.
    id: String,
    /// What answers first.
    bot: Option<String>,
    /// Where people are.
    desk: Option<String>,
    /// Who listens.
    observers: Vec<String>,
    /// Counts its changes.
    version: u64,
    /// When people take over, when they give back, and what the customer is told.
    #[schema(value_type = Object)]
    switching: Value,
}

/// A route as it is to be. What is left out is as usual.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteInput {
    /// Its id, if it is said: the path's.
    id: Option<String>,
    /// What answers first.
    bot: Option<String>,
    /// Where people are.
    desk: Option<String>,
    /// Who listens.
    observers: Option<Vec<String>>,
    /// When people take over, when they give back, and what the customer is told; times in seconds.
    switching: Option<SwitchingInput>,
}

/// When people take over, when they give back, and what the customer is told; times in seconds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SwitchingInput {
    accept_within: Option<u32>,
    agent_idle: Option<u32>,
    session_ttl: Option<u32>,
    bot_down_after: Option<u32>,
    after_close: Option<String>,
    if_nobody: Option<String>,
    transcript: Option<u32>,
    transcript_since: Option<String>,
    language: Option<String>,
    #[schema(value_type = Option<Object>)]
    keywords: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    texts: Option<Map<String, Value>>,
}

impl RouteInput {
    /// Whether the id that it says, if any, is this one.
    #[must_use]
    pub fn is_of(&self, id: &str) -> bool {
        self.id.as_deref().is_none_or(|said| said == id)
    }

    /// As a file has it.
    #[must_use]
    pub fn as_in_a_file(&self) -> Value {
        let switching = self.switching.clone().unwrap_or_default();
        let handover = without_nulls(json!({
            "accept_within": switching.accept_within, "agent_idle": switching.agent_idle,
            "after_close": switching.after_close, "if_nobody": switching.if_nobody,
            "transcript": switching.transcript, "transcript_since": switching.transcript_since,
        }));
        let handover = Some(handover).filter(|handover| handover != &json!({}));
        without_nulls(json!({
            "bot": self.bot, "desk": self.desk,
            "observers": self.observers.as_ref().filter(|observers| !observers.is_empty()),
            "handover": handover, "session_ttl": switching.session_ttl,
            "bot_down_after": switching.bot_down_after, "language": switching.language,
            "keywords": switching.keywords.filter(|keywords| !keywords.is_empty()),
            "texts": switching.texts.filter(|texts| !texts.is_empty()),
        }))
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    value
}

impl From<Route> for RouteView {
    fn from(route: Route) -> Self {
        Self {
            id: route.id.to_string(),
            bot: route.bot.map(|bot| bot.to_string()),
            desk: route.desk.map(|desk| desk.to_string()),
            observers: route.observers.iter().map(ToString::to_string).collect(),
            version: route.version,
            switching: serde_json::to_value(route.switching).unwrap_or_default(),
        }
    }
}
