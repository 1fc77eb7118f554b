//! Routes in the API.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trunkline_core::model::{HandoverPolicy, OnClose, Route, TranscriptStart};
use utoipa::ToSchema;

/// A route, as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RouteView {
    id: String,
    /// The connection of the bot.
    bot: Option<String>,
    /// The connection of the desk.
    desk: Option<String>,
    /// The connections of the observers.
    observers: Vec<String>,
    /// The version, which increases with each change.
    version: u64,
    /// When conversations change owner, and the texts that customers receive. Times are in seconds.
    handover_policy: HandoverPolicy,
}

/// The new configuration of a route. Members that are left out get their defaults.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteBody {
    /// The route's id. If present, it must equal the id in the path.
    id: Option<String>,
    /// The connection of the bot.
    bot: Option<String>,
    /// The connection of the desk.
    desk: Option<String>,
    /// The connections of the observers.
    observers: Option<Vec<String>>,
    handover_policy: Option<HandoverPolicyBody>,
}

/// When conversations change owner, and the texts that customers receive. Times are in seconds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HandoverPolicyBody {
    accept_within: Option<u32>,
    agent_idle: Option<u32>,
    session_ttl: Option<u32>,
    bot_down_after: Option<u32>,
    #[schema(value_type = Option<OnClose>)]
    after_close: Option<String>,
    #[schema(value_type = Option<OnClose>)]
    if_unanswered: Option<String>,
    transcript: Option<u32>,
    #[schema(value_type = Option<TranscriptStart>)]
    transcript_since: Option<String>,
    language: Option<String>,
    #[schema(value_type = Option<Object>)]
    keywords: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    texts: Option<Map<String, Value>>,
}

impl RouteBody {
    /// Returns whether the body's id, if present, equals the id in the path.
    #[must_use]
    pub fn matches_id(&self, id: &str) -> bool {
        self.id.as_deref().is_none_or(|own| own == id)
    }

    /// Returns the route in the format of the configuration file.
    #[must_use]
    pub fn to_config_file(&self) -> Value {
        let policy = self.handover_policy.clone().unwrap_or_default();
        let handover = without_nulls(json!({
            "accept_within": policy.accept_within, "agent_idle": policy.agent_idle,
            "after_close": policy.after_close, "if_unanswered": policy.if_unanswered,
            "transcript": policy.transcript, "transcript_since": policy.transcript_since,
        }));
        let handover = Some(handover).filter(|handover| handover != &json!({}));
        without_nulls(json!({
            "bot": self.bot, "desk": self.desk,
            "observers": self.observers.as_ref().filter(|observers| !observers.is_empty()),
            "handover": handover, "session_ttl": policy.session_ttl,
            "bot_down_after": policy.bot_down_after, "language": policy.language,
            "keywords": policy.keywords.filter(|keywords| !keywords.is_empty()),
            "texts": policy.texts.filter(|texts| !texts.is_empty()),
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
            handover_policy: route.handover_policy,
        }
    }
}
