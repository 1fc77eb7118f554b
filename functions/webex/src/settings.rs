//! Settings and secrets of a Webex Connect connection.

use trunkline_core::{setting_enum, settings};

/// The name of the secret that Webex Connect expects in every response (WX-BOT). Every caller of
/// the connection's URL receives it, so it does not authenticate the caller and must not be used
/// for anything else.
pub const VERIFICATION_TOKEN: &str = "verification_token";

/// The name of the secret that Webex Connect sends with every call if the integration's platform is IMI BOT
/// (WX-BOT): the bot's access token.
pub const ACCESS_TOKEN: &str = "access_token";

/// The name of the secret with the URL that Webex Connect generated for inbound events. Anyone who
/// knows the URL can write to customers, so it is a secret.
pub const SEND_URL: &str = "send_url";

/// The name prefix of secrets that are sent as headers: `header:key` becomes the header `key`.
pub const HEADER_PREFIX: &str = "header:";

settings! {
    /// A connection's settings. Every setting has a default: the value on the vendor's page or, where that is
    /// silent, the fact sheet's proposal.
    pub struct Settings {
        /// format of Trunkline's responses; try text if Verify fails
        response_format: ResponseFormat = ResponseFormat::Json;
        /// whether events with a wrong verification token are rejected
        reject_wrong_token: bool = false;
        /// another header or body member that carries access_token (Authorization, access_token, accessToken, token)
        access_token_name: Option<String> = None;
        /// whether an Event that mentions close or end closes the conversation
        closed_events: bool = false;
        /// members, separated by commas, in which an event of an agent's conversation names the customer's Conversationid
        conversation_members: String = String::new();
        /// custom parameter of a handover with the Conversationid; an event that returns it is joined to the conversation
        conversation_param: String = "trunkline_conversation".into();
        /// member of Webex Connect's response with the id of the sent message (messageid, transid, tid or id)
        response_id: Option<String> = None;
        /// custom parameter of a reply with Trunkline's own message id, for receipts that return it (none)
        message_id_param: String = String::new();
        /// JSON key of the event id in calls to Webex Connect
        event_key: String = "eventid".into();
        /// event id of a reply
        reply_event: String = "1001".into();
        /// event id of a handover to an agent
        handover_event: String = "1002".into();
        /// event id that closes a conversation; Webex Connect documents none (none)
        close_event: String = String::new();
        /// Messagetype of a reply
        message_type: String = "text".into();
    }
}

setting_enum! {
    /// The format of responses to Webex Connect. Its documentation does not say where it looks for the token.
    pub enum ResponseFormat {
        /// JSON, with the token under four spellings.
        Json = "json",
        /// The token as plain text.
        Text = "text",
    }
}
