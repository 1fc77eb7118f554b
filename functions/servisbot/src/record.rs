//! Eventing out: what happens in a conversation in ServisBOT's own envelope, as its chat history server
//! takes it (S4, SL), for whoever consumes ServisBOT's events today.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use trunkline_shared::http_client::Request;
use trunkline_shared::model::{AuthorRole, Content, Delivery, EventBody, EventId, digest};
use trunkline_shared::outbound::{Sending, Unsendable};

use crate::auth;
use crate::markup::{self, Node};
use crate::settings::Settings;
use crate::wire::{Endpoint, InputSource, TimelineMessage};

/// What a chat history server answers to what it has already (SL).
pub const DUPLICATE: StatusCode = StatusCode::CONFLICT;

/// The longest id in the chat history server's table (SL), in characters.
const MAX_ID: usize = 60;
/// So many characters of a digest still tell all messages apart, and leave room for the rest of a key,
/// which has 100 at most (SL).
const SHORT: usize = 22;

/// The call that tells of an event.
///
/// # Errors
/// Why nothing is sent.
pub(crate) fn request(sending: &Sending<'_>, settings: &Settings) -> Result<Request, Unsendable> {
    let message = record(sending.delivery, sending.external_id(), settings)?;
    let correlation = message.correlation_id.clone().unwrap_or_default();
    let missing = || Unsendable::Misconfigured("the setting eventing_url is missing".into());
    Ok(Request {
        method: Method::POST,
        url: settings.eventing_url.clone().ok_or_else(missing)?,
        headers: auth::event_headers(settings, sending.secrets, &correlation, sending.now)?,
        body: json!({"message": message}).to_string().into_bytes(),
    })
}

/// The `message` of the event that tells of a delivery. The same delivery has the same `key`.
///
/// # Errors
/// If eventing has no form for it: it knows messages, markup and clicks only (S4).
pub fn record(
    delivery: &Delivery,
    conversation: &str,
    settings: &Settings,
) -> Result<TimelineMessage, Unsendable> {
    let event = &delivery.event;
    let by_user = is_users(delivery);
    let (kind, contents, input) = match &event.body {
        EventBody::Message { content, .. } if by_user => {
            ("message", text_of(content), Some("utterance"))
        }
        EventBody::Message { content, .. } => {
            let (kind, contents) = written(content, delivery.to.can().choices);
            (kind, contents, None)
        }
        EventBody::Choice { id, title, typed } => {
            let input = if typed.is_some() { "utterance" } else { "interaction" };
            let text = title.as_ref().unwrap_or(id);
            ("message", message(text), Some(input))
        }
        EventBody::Receipt { .. }
        | EventBody::Typing { .. }
        | EventBody::Handover { .. }
        | EventBody::Accept
        | EventBody::Handback { .. }
        | EventBody::Edit { .. }
        | EventBody::Delete { .. }
        | EventBody::Close { .. }
        | EventBody::Opaque { .. } => {
            return Err(Unsendable::NoForm("eventing knows only what is said"));
        }
    };
    // Parts of one event happened at once, and a reader sorts by time.
    let timestamp = event.at.as_millisecond() + i64::from(delivery.to.part);
    let id = short(&[&delivery.id]);
    let customer = &delivery.key.customer;
    let is_short = customer.chars().count() <= MAX_ID;
    Ok(TimelineMessage {
        key: Some(format!("TIMELINEMESSAGE:::{conversation}:::{timestamp}:::{id}")),
        version: Some("v2".into()),
        r#type: Some("TimelineMessage".into()),
        content_type: Some(kind.into()),
        contents,
        correlation_id: Some(correlation(&event.id)),
        conversation_id: Some(conversation.to_owned()),
        id: Some(id),
        to: Some(if by_user { "server" } else { "client" }.into()),
        timestamp: Some(timestamp),
        organization: Some(settings.organization.clone()),
        identity: Some(if is_short { customer.clone() } else { digest(&[customer]) }),
        customer_reference: Some(customer.clone()),
        input_source: input.map(|kind| InputSource { r#type: kind.into() }),
        endpoint: Some(Endpoint { address: delivery.key.channel.to_string() }),
    })
}

/// Whether the user said it. Where the channel does not say who, it is whoever is on the channel.
fn is_users(delivery: &Delivery) -> bool {
    match delivery.event.author.role {
        AuthorRole::Customer => true,
        AuthorRole::Unknown => delivery.from == delivery.key.channel,
        AuthorRole::Bot | AuthorRole::Agent | AuthorRole::System => false,
    }
}

/// The same for all deliveries of an event.
fn correlation(event: &EventId) -> String {
    short(&["correlation", event.as_str()])
}

fn short(parts: &[&str]) -> String {
    digest(parts).chars().take(SHORT).collect()
}

fn message(text: &str) -> Map<String, Value> {
    Map::from_iter([("message".to_owned(), Value::from(text))])
}

/// All that was said as text.
fn text_of(content: &Content) -> Map<String, Value> {
    let urls = content.media.iter().map(|media| media.url.as_str());
    let lines: Vec<_> = content.text.as_deref().into_iter().chain(urls).collect();
    message(&lines.join("\n"))
}

/// A text as a message; with something to pick or to look at, as markup in both its forms.
fn written(content: &Content, shows_choices: bool) -> (&'static str, Map<String, Value>) {
    if content.choices.is_empty() && content.media.is_empty() {
        return ("message", text_of(content));
    }
    let node = markup_of(content, shows_choices);
    let xml = markup::to_xml(&node);
    if xml.len() > markup::MAX_BYTES {
        return ("message", text_of(content));
    }
    let object = markup::to_object(&node);
    let contents = [("markup".to_owned(), xml.into()), ("markupObject".to_owned(), object)];
    ("markup", Map::from_iter(contents))
}

fn markup_of(content: &Content, shows_choices: bool) -> Node {
    let mut root = Node::with("TimelineMessage", &[]);
    let numbered = content.choices.iter().enumerate();
    let numbered: Vec<_> =
        numbered.map(|(i, choice)| format!("{}. {}", i + 1, choice.title)).collect();
    let mut text = content.text.as_deref().unwrap_or_default();
    if !shows_choices {
        // The buttons say what was added to the text for those who have none.
        let before = text.strip_suffix(&numbered.join("\n"));
        text = before.filter(|rest| rest.is_empty() || rest.ends_with('\n')).unwrap_or(text);
    }
    if !text.trim().is_empty() {
        let content = text.trim().to_owned();
        root.children.push(Node { content, ..Node::with("TextMsg", &[]) });
    }
    for media in &content.media {
        let is_picture = media.mime_type.as_deref().is_none_or(|kind| kind.starts_with("image/"));
        let (name, url, words) =
            if is_picture { ("Card", "imgUrl", "alt") } else { ("DetailView", "url", "title") };
        let words = media.name.as_deref().map(|name| (words, name));
        let attributes: Vec<_> = [(url, media.url.as_str())].into_iter().chain(words).collect();
        root.children.push(Node::with(name, &attributes));
    }
    if !content.choices.is_empty() {
        let mut buttons = Node::with("ButtonPromptContainer", &[("interactionType", "event")]);
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
