//! Settings and secrets of a ServisBOT connection.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The name of the secret of the webhook engagement adapter's endpoint: a Bearer token in both
/// directions (SW).
pub const ENGAGEMENT_SECRET: &str = "engagement_secret";
/// The name of the secret with eventing's API key, inbound or outbound (S4).
pub const API_KEY: &str = "api_key";
/// The name of the secret that signs eventing's tokens with HS256, inbound or outbound.
pub const JWT_SECRET: &str = "jwt_secret";

/// A connection's settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Bot: the URL of the engagement adapter.
    pub engagement_url: Option<String>,
    /// Bot: the source of replies to the customer. Messages from the other source are only
    /// recorded.
    pub replies: ReplySource,
    /// Bot: how eventing's events are matched to a conversation.
    pub join: JoinBy,
    /// Bot: how an egress authenticates.
    pub egress_auth: EgressAuth,
    /// Bot: which representation of an egress is read.
    pub egress_content: EgressContent,
    /// Bot: the approximate time within which an equal egress counts as a repeat, in seconds.
    pub repeat_window: String,
    /// Bot: the prefix of a bot message that requests a handover.
    pub handover_phrase: Option<String>,
    /// Bot: whether to send context updates, whose body is a best guess.
    pub context_updates: bool,
    /// How eventing authenticates, inbound or outbound.
    pub auth: Auth,
    /// The header that carries the credential.
    pub auth_header: String,
    /// The URL of the public keys of eventing's tokens.
    pub jwks_url: Option<String>,
    /// The expected `iss` of tokens. Default: any.
    pub issuer: Option<String>,
    /// The expected `aud` of tokens. Default: any.
    pub audience: Option<String>,
    /// Whether a token must have `exp`.
    pub require_expiry: bool,
    /// Observer: the URL that receives events.
    pub eventing_url: Option<String>,
    /// Observer: the `organization` of events.
    pub organization: String,
}

/// The source of a bot's replies to the customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplySource {
    /// The engagement adapter's egress, which always names the customer.
    #[default]
    Egress,
    /// Eventing, which has rich content, but may not name the customer.
    Eventing,
}

/// How eventing's events are matched to a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinBy {
    /// By `customerReference`. An event without one has no conversation.
    #[default]
    CustomerReference,
    /// Without `customerReference`: by the first event `to: "server"` that repeats a text that was
    /// just sent (fact sheet 3.5, inferred). From then on its `conversationId` is known.
    Text,
}

/// How an egress authenticates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EgressAuth {
    /// By the endpoint's secret as a Bearer token.
    #[default]
    Bearer,
    /// By the key in the connection's URL only.
    None,
}

/// Which of an egress's two representations of the same content is read (SC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EgressContent {
    /// `Markdown`, or else `Messages`.
    #[default]
    Markdown,
    /// `Messages`, or else `Markdown`.
    Messages,
}

/// How eventing authenticates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `Authorization: ApiKey <key>` (S4).
    #[default]
    ApiKey,
    /// A token that is signed with a secret (HS256).
    JwtSecret,
    /// A token that is signed with a private key, whose public key can be fetched (RS256, ES256).
    Jwks,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engagement_url: None,
            replies: ReplySource::default(),
            join: JoinBy::default(),
            egress_auth: EgressAuth::default(),
            egress_content: EgressContent::default(),
            repeat_window: "0".into(),
            handover_phrase: None,
            context_updates: false,
            auth: Auth::default(),
            auth_header: "authorization".into(),
            jwks_url: None,
            issuer: None,
            audience: None,
            require_expiry: true,
            eventing_url: None,
            organization: "trunkline".into(),
        }
    }
}

impl Settings {
    /// The maximum `repeat_window`, in seconds.
    pub const MAX_REPEAT_WINDOW: u32 = 3_600;

    /// Reads the settings of a connection. If one value is invalid, all settings are the defaults;
    /// `apply` has validated them.
    #[must_use]
    pub fn of(settings: &Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(settings.clone())).unwrap_or_default()
    }

    /// Returns `repeat_window` in seconds, or `None` if it is not a number or exceeds the maximum.
    #[must_use]
    pub fn repeat_seconds(&self) -> Option<u32> {
        self.repeat_window.parse().ok().filter(|seconds| *seconds <= Self::MAX_REPEAT_WINDOW)
    }
}
