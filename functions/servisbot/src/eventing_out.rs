//! Eventing out: encodes events in ServisBOT's own envelope, as its chat history server accepts it
//! (S4, SL), for existing consumers of ServisBOT's events.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trunkline_core::model::{
    AuthorRole, ChoiceSource, Content, Delivery, DeliveryId, EventBody, EventId, digest,
};
use trunkline_runtime::http_client::HttpRequest;
use trunkline_runtime::outbound::EncodeError;

use crate::markup::{self, Node};
use crate::settings::Settings;
use crate::wire::{Endpoint, INTERACTION, InputSource, TimelineMessage};
use crate::{SendContext, auth, interaction};

/// The status of a chat history server's response to an event that it already has (SL).
pub const DUPLICATE: StatusCode = StatusCode::CONFLICT;

/// Maximum length of an id in the chat history server's table (SL), in characters.
const MAX_ID_CHARS: usize = 60;
/// Length of a shortened digest, in characters: unique for all messages, and short enough for a key
/// of at most 100 characters (SL).
const SHORT_DIGEST_CHARS: usize = 22;

/// Encodes a delivery to an observer.
///
/// # Errors
/// The reason why the delivery cannot be sent.
pub(crate) fn request(sending: &SendContext<'_>) -> Result<HttpRequest, EncodeError> {
    let settings = sending.settings;
    let message = timeline_message(sending.delivery, sending.external_conversation_id(), settings)?;
    let correlation = message.correlation_id.clone().unwrap_or_default();
    let missing = || EncodeError::Misconfigured("the setting eventing_url is missing".into());
    Ok(HttpRequest {
        method: Method::POST,
        url: settings.eventing_url.as_deref().ok_or_else(missing)?.to_owned(),
        headers: auth::event_headers(settings, sending.secrets, &correlation, sending.now)?,
        body: json!({"message": message}).to_string().into_bytes(),
    })
}

/// Builds the `message` of an outbound event. Every attempt of a delivery has the same `key`.
///
/// # Errors
/// If eventing does not support the event: it has messages, markup and clicks only (S4).
pub fn timeline_message(
    delivery: &Delivery,
    conversation: &str,
    settings: &Settings,
) -> Result<TimelineMessage, EncodeError> {
    let from_user = is_from_user(delivery);
    let Encoded { kind, contents, input, id } = encoded(delivery, conversation, from_user)?;
    let event = &delivery.event;
    // Consumers sort by time, so the parts of one event are one millisecond apart.
    let timestamp = part_time(event.at, delivery.to.part);
    let customer = &delivery.key.customer;
    let is_short = customer.chars().count() <= MAX_ID_CHARS;
    Ok(TimelineMessage {
        key: Some(format!("TIMELINEMESSAGE:::{conversation}:::{timestamp}:::{id}")),
        version: Some("v2".into()),
        r#type: Some("TimelineMessage".into()),
        content_type: Some(kind.into()),
        contents,
        correlation_id: Some(correlation_id(&event.id)),
        conversation_id: Some(conversation.to_owned()),
        id: Some(id),
        to: Some(if from_user { "server" } else { "client" }.into()),
        timestamp: Some(timestamp),
        organization: Some(settings.organization.clone()),
        identity: Some(if is_short { customer.clone() } else { digest(&[customer]) }),
        customer_reference: Some(customer.clone()),
        input_source: input.map(|kind| InputSource { r#type: kind.into() }),
        endpoint: Some(Endpoint { address: delivery.key.channel.to_string() }),
    })
}

/// The members of a message that depend on its event.
struct Encoded {
    /// The content type.
    kind: &'static str,
    contents: Map<String, Value>,
    /// How the customer made the input.
    input: Option<&'static str>,
    id: String,
}

fn encoded(
    delivery: &Delivery,
    conversation: &str,
    from_user: bool,
) -> Result<Encoded, EncodeError> {
    let id = message_id(&delivery.id);
    Ok(match (&delivery.event.body, &delivery.event.choice_source) {
        (EventBody::Message { content, .. }, _) if from_user => Encoded {
            kind: "message",
            contents: text_contents(content),
            input: Some("utterance"),
            id,
        },
        (EventBody::Message { content, .. }, _) => {
            let (kind, contents) = bot_contents(content, delivery.to.capabilities().choices);
            Encoded { kind, contents, input: None, id }
        }
        (EventBody::Choice { id, title, .. }, Some(source)) => {
            interaction(source, delivery, conversation, (id, title.as_ref().unwrap_or(id)))
        }
        (EventBody::Choice { id: choice, title, typed }, None) => {
            let input = if typed.is_some() { "utterance" } else { "interaction" };
            let contents = message_contents(title.as_ref().unwrap_or(choice));
            Encoded { kind: "message", contents, input: Some(input), id }
        }
        (
            EventBody::Receipt { .. }
            | EventBody::Typing { .. }
            | EventBody::Handover { .. }
            | EventBody::Accept
            | EventBody::Handback { .. }
            | EventBody::Edit { .. }
            | EventBody::Delete { .. }
            | EventBody::Reaction { .. }
            | EventBody::Close { .. }
            | EventBody::Opaque { .. },
            _,
        ) => {
            return Err(EncodeError::Unsupported("eventing supports only messages and choices"));
        }
    })
}

/// An interaction with a markup that this observer has received. It has the id of that markup (S4, Markup
/// Interaction Event), also if the customer typed the choice: a consumer waits for an interaction.
fn interaction(
    source: &ChoiceSource,
    delivery: &Delivery,
    conversation: &str,
    choice: (&str, &str),
) -> Encoded {
    let (sent, part) = source.delivery_to(&delivery.to.connection, &delivery.key);
    let (id, sent_at) = (message_id(&sent), part_time(source.at, part));
    let at = delivery.event.at.as_millisecond();
    let contents = interaction::contents((&id, sent_at), conversation, choice, at);
    Encoded { kind: INTERACTION, contents, input: Some("interaction"), id }
}

/// Whether the customer is the author. An unknown author on the channel counts as the customer.
fn is_from_user(delivery: &Delivery) -> bool {
    match delivery.event.author.role {
        AuthorRole::Customer => true,
        AuthorRole::Unknown => delivery.from == delivery.key.channel,
        AuthorRole::Bot | AuthorRole::Agent | AuthorRole::System | AuthorRole::Participant => false,
    }
}

fn message_id(delivery: &DeliveryId) -> String {
    short_digest(&[delivery.as_str()])
}

fn part_time(at: Timestamp, part: u16) -> i64 {
    at.as_millisecond() + i64::from(part)
}

/// The correlation id, the same for all deliveries of an event.
fn correlation_id(event: &EventId) -> String {
    short_digest(&["correlation", event.as_str()])
}

fn short_digest(parts: &[&str]) -> String {
    digest(parts).chars().take(SHORT_DIGEST_CHARS).collect()
}

fn message_contents(text: &str) -> Map<String, Value> {
    Map::from_iter([("message".to_owned(), Value::from(text))])
}

/// Text and media URLs as a text message.
fn text_contents(content: &Content) -> Map<String, Value> {
    let urls = content.media.iter().map(|media| media.url.as_str());
    let lines: Vec<_> = content.text.as_deref().into_iter().chain(urls).collect();
    message_contents(&lines.join("\n"))
}

/// A message of the bot or an agent: text or, with choices or media, markup in both forms.
fn bot_contents(content: &Content, shows_choices: bool) -> (&'static str, Map<String, Value>) {
    if content.choices.is_empty() && content.media.is_empty() {
        return ("message", text_contents(content));
    }
    let node = build_markup(content, shows_choices);
    let xml = markup::to_xml(&node);
    if xml.len() > markup::MAX_BYTES {
        return ("message", text_contents(content));
    }
    let object = markup::to_object(&node);
    let contents = [("markup".to_owned(), xml.into()), ("markupObject".to_owned(), object)];
    ("markup", Map::from_iter(contents))
}

fn build_markup(content: &Content, shows_choices: bool) -> Node {
    let mut root = Node::with("TimelineMessage", &[]);
    let numbered = content.choices.iter().enumerate();
    let numbered: Vec<_> =
        numbered.map(|(i, choice)| format!("{}. {}", i + 1, choice.title)).collect();
    let mut text = content.text.as_deref().unwrap_or_default();
    if !shows_choices {
        // Removes the numbered list that the text has for connections without buttons.
        let without_list = text.strip_suffix(&numbered.join("\n"));
        text = without_list.filter(|rest| rest.is_empty() || rest.ends_with('\n')).unwrap_or(text);
    }
    if !text.trim().is_empty() {
        let content = text.trim().to_owned();
        root.children.push(Node { content, ..Node::with("TextMsg", &[]) });
    }
    for media in &content.media {
        let is_picture = media.mime_type.as_deref().is_none_or(|kind| kind.starts_with("image/"));
        let (name, url, caption) =
            if is_picture { ("Card", "imgUrl", "alt") } else { ("DetailView", "url", "title") };
        let caption = media.name.as_deref().map(|name| (caption, name));
        let attributes: Vec<_> = [(url, media.url.as_str())].into_iter().chain(caption).collect();
        root.children.push(Node::with(name, &attributes));
    }
    if !content.choices.is_empty() {
        let mut attributes = vec![("interactionType", "event")];
        attributes.extend(content.single_use.then_some(("preventRetries", "true")));
        let mut buttons = Node::with("ButtonPromptContainer", &attributes);
        let choices = content.choices.iter();
        buttons.children = choices
            .map(|choice| {
                Node::with("ButtonPrompt", &[("label", &choice.title), ("id", &choice.id)])
            })
            .collect();
        root.children.push(buttons);
    }
    root
}
