//! Settings and secrets of a ServisBOT connection.

use trunkline_core::platform::{BoundedNumber, WebUrl};
use trunkline_core::{setting_enum, settings};

/// The name of the secret of the webhook engagement adapter's endpoint: a Bearer token in both
/// directions (SW).
pub const ENGAGEMENT_SECRET: &str = "engagement_secret";
/// The name of the secret with eventing's API key, inbound or outbound (S4).
pub const API_KEY: &str = "api_key";
/// The name of the secret that signs eventing's tokens with HS256, inbound or outbound.
pub const JWT_SECRET: &str = "jwt_secret";

settings! {
    /// A connection's settings.
    pub struct Settings {
        /// bot: URL of its engagement endpoint
        engagement_url: Option<WebUrl> = None;
        /// bot: source of the messages that the customer receives
        replies: ReplySource = ReplySource::Egress;
        /// bot: how events without a customerReference are matched to a conversation; text requires a bot that
        /// talks to no other system
        join: JoinBy = JoinBy::CustomerReference;
        /// bot: how egress calls authenticate; none relies on the path key alone
        egress_auth: EgressAuth = EgressAuth::Bearer;
        /// bot: which form of an egress message is read
        egress_content: EgressContent = EgressContent::Markdown;
        /// bot: seconds within which an identical egress message is a duplicate
        repeat_window: BoundedNumber<0, 3_600> = BoundedNumber(0);
        /// bot: prefix of a bot message that hands the conversation over to people (none)
        handover_phrase: Option<String> = None;
        /// bot: texts of host notifications that hand the conversation over to people, comma-separated (none)
        handover_on: Option<String> = None;
        /// bot: send the bot what Trunkline knows: channel, language, hand-backs and closes
        context_updates: bool = false;
        /// bot: how context is sent: in a message call, as in ServisBOT's sample, or in a call of its own,
        /// whose form is a guess
        context_form: ContextForm = ContextForm::Message;
        /// how event calls authenticate, in both directions
        auth: Auth = Auth::ApiKey;
        /// header that carries the credential of event calls
        auth_header: String = "authorization".into();
        /// auth: jwks: URL of the public keys of event tokens
        jwks_url: Option<WebUrl> = None;
        /// required iss claim of event tokens (any)
        issuer: Option<String> = None;
        /// required aud claim of event tokens (any)
        audience: Option<String> = None;
        /// whether event tokens must have an expiry
        require_expiry: bool = true;
        /// observer: URL that receives events
        eventing_url: Option<WebUrl> = None;
        /// observer: organization in its events
        organization: String = "trunkline".into();
    }
}

setting_enum! {
    /// The source of a bot's replies to the customer. Messages from the other source are only recorded.
    pub enum ReplySource {
        /// The engagement adapter's egress, which always names the customer.
        Egress = "egress",
        /// Eventing, which has rich content, but may not name the customer.
        Eventing = "eventing",
    }
}

setting_enum! {
    /// How eventing's events are matched to a conversation.
    pub enum JoinBy {
        /// By `customerReference`. An event without one has no conversation.
        CustomerReference = "customer_reference",
        /// Without `customerReference`: by the first event `to: "server"` that repeats a text that was just sent
        /// (fact sheet 3.5, inferred). From then on its `conversationId` is known.
        Text = "text",
    }
}

setting_enum! {
    /// How an egress authenticates.
    pub enum EgressAuth {
        /// By the endpoint's secret as a Bearer token.
        Bearer = "bearer",
        /// By the key in the connection's URL only.
        None = "none",
    }
}

setting_enum! {
    /// How a bot receives context.
    pub enum ContextForm {
        /// As `Context` of a message call (SB).
        Message = "message",
        /// As the `Value` of a call of its own. SW says that there is one; its form is our assumption.
        Standalone = "standalone",
    }
}

setting_enum! {
    /// Which of an egress's two representations of the same content is read (SC).
    pub enum EgressContent {
        /// `Markdown`, or else `Messages`.
        Markdown = "markdown",
        /// `Messages`, or else `Markdown`.
        Messages = "messages",
    }
}

setting_enum! {
    /// How eventing authenticates.
    pub enum Auth {
        /// `Authorization: ApiKey <key>` (S4).
        ApiKey = "api_key",
        /// A token that is signed with a secret (HS256).
        JwtSecret = "jwt_secret",
        /// A token that is signed with a private key, whose public key can be fetched (RS256, ES256).
        Jwks = "jwks",
    }
}

impl Settings {
    /// Returns whether a host notification requests a handover.
    #[must_use]
    pub fn hands_over_on(&self, notification: &str) -> bool {
        let texts = self.handover_on.as_deref().unwrap_or_default().split(',').map(str::trim);
        let wanted = notification.trim();
        texts.filter(|text| !text.is_empty()).any(|text| text.eq_ignore_ascii_case(wanted))
    }
}
