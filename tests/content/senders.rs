//! Each kind of content in the form in which a platform sends it, and the call that carries it. `None`: the platform has no
//! form for it.

use serde_json::{Value, json};
use standardwebhooks::Webhook as Signer;
use trunkline_cm_mock::CmRouter;
use trunkline_core::model::{Role, time};
use trunkline_servisbot_mock::ServisBot;
use trunkline_twin_mock::Twin24;
use trunkline_unblu_mock::{ApiVersion, Unblu};

use crate::kinds::Kind;
use crate::parties::{Call, Context};

/// The signing secret of the webhook connections.
pub const SIGNING: &str = "whsec_dGhlIG1hdHJpeCBvZiBjb250ZW50IHNpZ25zIGl0IGFsbA==";

/// Stands for a file that TWIN stores when the message is sent.
const PRIVATE_FILE: &str = "{private file}";

const TEXT: &str = "Where is parcel 42?";
const MARKDOWN: &str = "**Bold** [shop](https://shop.example/a)";
const HTML: &str = "<b>Heavy</b> <a href=\"https://shop.example/b\">shop</a>";
const QUESTION: &str = "Which colour?";
const REPLY: &str = "As I said";
const EDITED: &str = "Corrected words";

fn is_customer(role: Role) -> bool {
    role == Role::Channel
}

/// Returns whether a kind is something that only a customer, or only a bot or an agent, sends.
fn fits(kind: Kind, role: Role) -> bool {
    match kind {
        Kind::Selection => is_customer(role),
        Kind::Choices | Kind::Cards => !is_customer(role),
        _ => true,
    }
}

pub fn webhook(kind: Kind, role: Role, context: &Context) -> Option<Value> {
    let file = |name: &str| json!({"url": format!("{}/{name}", context.files), "name": name});
    let choices = json!([{"id": "r", "title": "Red"}, {"id": "b", "title": "Blue"}]);
    let message = |data: Value| ("message", data);
    let (name, data) = match kind {
        _ if !fits(kind, role) => return None,
        Kind::PrivateFile => return None,
        Kind::Text => message(json!({"text": TEXT})),
        Kind::Markdown => message(json!({"text": MARKDOWN, "format": "markdown"})),
        Kind::Html => message(json!({"text": HTML, "format": "html"})),
        Kind::Choices => message(json!({"text": QUESTION, "choices": choices})),
        Kind::Selection => ("choice", json!({"id": "r", "title": "Red"})),
        Kind::File => message(json!({"media": [file("receipt.pdf")]})),
        Kind::Files => {
            message(json!({"text": "Both", "media": [file("one.png"), file("two.png")]}))
        }
        Kind::Cards => message(json!({"cards": [
            {"title": "Shoe", "text": "*Comfortable*", "format": "markdown", "picture": file("shoe.png"),
             "actions": [{"type": "reply", "id": "shoe", "title": "Buy"}]},
            {"title": "Boot", "actions": [
                {"type": "link", "title": "See", "url": "https://shop.example/boot"}]}]})),
        Kind::Location => {
            message(json!({"location": {"latitude": 52.37, "longitude": 4.9, "name": "Shop"}}))
        }
        Kind::Contact => {
            message(json!({"contact": {"name": "Ada Lovelace", "phones": ["+31612345678"]}}))
        }
        Kind::Reply => {
            message(json!({"text": REPLY, "reply_to": {"message": context.received_message}}))
        }
        Kind::Edit => ("edit", json!({"message": context.own_message, "text": EDITED})),
        Kind::Deletion => ("delete", json!({"message": context.own_message})),
        Kind::Reaction => ("reaction", json!({"message": context.received_message, "emoji": "👍"})),
        Kind::ReadReceipt => {
            ("receipt", json!({"message": context.received_message, "status": "read"}))
        }
    };
    Some(json!({"type": name, "data": data}))
}

pub fn webhook_call(payload: &Value, context: &Context) -> Call {
    let id = format!("matrix-{}", context.number);
    let body = json!({"id": id, "timestamp": context.now, "conversation": context.conversation,
        "type": payload["type"], "data": payload["data"]})
    .to_string();
    let at = context.now.as_second();
    let signature = Signer::new(SIGNING).unwrap().sign(&id, at, body.as_bytes()).unwrap();
    let headers = [
        ("webhook-id", id),
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", signature),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Call { path: String::new(), headers, body }
}

pub fn webex(kind: Kind, context: &Context) -> Option<Value> {
    let incoming = |text: &str, files: &[&str]| {
        let media: Vec<String> =
            files.iter().map(|name| format!("{}/{name}", context.files)).collect();
        json!({"Event": "Incoming message", "Message": text, "MessageType": "text",
            "Media": media.join(",")})
    };
    Some(match kind {
        Kind::Text => incoming(TEXT, &[]),
        Kind::File => incoming("", &["receipt.pdf"]),
        Kind::Files => incoming("Both", &["one.png", "two.png"]),
        Kind::Location => json!({"Event": "Incoming message", "MessageType": "location",
            "Message": json!({"latitude": 52.37, "longitude": 4.9, "name": "Shop"}).to_string()}),
        Kind::Contact => json!({"Event": "Incoming message", "MessageType": "contact",
            "Message": json!([{"name": {"formatted_name": "Ada Lovelace"},
                "phones": [{"phone": "+31612345678"}]}]).to_string()}),
        Kind::Selection => json!({"Event": "FB POSTBACK", "PostbackPayload": "Red"}),
        Kind::ReadReceipt => json!({"Event": "Message delivery", "DeliveryStatus": "Read",
            "Messageid": context.received_message}),
        _ => return None,
    })
}

pub fn webex_call(payload: &Value, context: &Context) -> Call {
    let mut event = payload.clone();
    if event["Event"] == "Incoming message" {
        event["Messageid"] = json!(format!("wx-{}", context.number));
    }
    event["Conversationid"] = json!(context.conversation);
    event["ConversationType"] = json!("BOT");
    event["Channel"] = json!("WhatsApp");
    event["Timestamp"] = json!(time::format_spaced_millis(context.now));
    Call { path: String::new(), headers: Vec::new(), body: event.to_string() }
}

/// The types other than `text` are our assumption: CM.com's page about them is not public.
pub fn cm(kind: Kind, role: Role, context: &Context) -> Option<Value> {
    let url = |name: &str| format!("{}/{name}", context.files);
    Some(match kind {
        _ if !fits(kind, role) => return None,
        Kind::Text => json!({"$type": "text", "text": TEXT}),
        Kind::Choices => json!({"$type": "options", "text": QUESTION,
            "options": [{"label": "Red", "id": "r"}, {"label": "Blue", "id": "b"}]}),
        Kind::Selection => json!({"$type": "reply", "label": "Red"}),
        Kind::File => json!({"$type": "media", "media": {"mediaUri": url("receipt.pdf")}}),
        Kind::Files => json!({"$type": "media", "caption": "Both",
            "items": [{"mediaUri": url("one.png")}, {"mediaUri": url("two.png")}]}),
        Kind::Location => json!({"$type": "location", "latitude": 52.37, "longitude": 4.9}),
        Kind::Contact => json!({"$type": "contact",
            "contacts": [{"name": "Ada Lovelace", "phones": [{"phone": "+31612345678"}]}]}),
        _ => return None,
    })
}

pub fn cm_call(payload: &Value, role: Role, router: &CmRouter, chat: &Value) -> Call {
    let direction = if is_customer(role) { "ClientOriginated" } else { "ClientTerminated" };
    let accepted = router.accepted();
    let known = accepted.iter().rev().find(|call| call.what == "messages" && !is_customer(role));
    let chat = known.map_or_else(|| chat.clone(), trunkline_cm_mock::Accepted::chat_from_router);
    let call = router.messages_call(&chat, std::slice::from_ref(payload), direction);
    Call { path: call.path.to_owned(), headers: call.headers, body: call.body }
}

pub fn unblu(kind: Kind, version: ApiVersion, context: &Context) -> Option<Value> {
    let text = |text: &str, kind: &str| json!({"type": "TEXT", "text": text, "textType": kind});
    let card = |title: &str, more: Value| {
        let mut card = json!({"title": title, "bodyTextType": "SIMPLE_TEXT"});
        for (name, value) in more.as_object().unwrap() {
            card[name] = value.clone();
        }
        card
    };
    Some(match kind {
        Kind::Text => text(TEXT, "SIMPLE_TEXT"),
        Kind::Markdown => text(MARKDOWN, "MARKDOWN"),
        Kind::Choices => json!({"type": "MULTICHOICE_QUESTION", "text": QUESTION,
            "textType": "SIMPLE_TEXT",
            "options": [{"label": "Red", "value": "r"}, {"label": "Blue", "value": "b"}]}),
        Kind::Cards => json!({"type": "LIST", "items": [
            card("Shoe", json!({"body": "Comfortable",
                "imageUrl": format!("{}/shoe.png", context.files)})),
            card("Boot", json!({"action": {"actionType": "LINK_EXTERNAL", "label": "See",
                "value": "https://shop.example/boot"}}))]}),
        Kind::PrivateFile => {
            let url = "{origin}/files/offer.pdf";
            let mut file = json!({"type": "FILE", "fileName": "offer.pdf",
                "mimeType": "application/pdf", "fileStatus": "COMPLETED"});
            match version {
                ApiVersion::V3 => file["downloadLink"] = url.into(),
                ApiVersion::V4 => {
                    file["downloadLinks"] = json!([{"type": "WEB_API", "url": url}]);
                }
            }
            file
        }
        Kind::Reply => {
            let mut reply = text(REPLY, "SIMPLE_TEXT");
            let name = match version {
                ApiVersion::V3 => "replyToMessageId",
                ApiVersion::V4 => "replyToExternalMessageId",
            };
            reply[name] = json!(context.received_message);
            reply
        }
        _ => return None,
    })
}

pub fn unblu_call(payload: &Value, server: &Unblu, context: &Context) -> Call {
    let base = server.api_url();
    let origin = base.split_once("/app").map_or(base.as_str(), |(origin, _)| origin);
    let payload: Value =
        serde_json::from_str(&payload.to_string().replace("{origin}", origin)).unwrap();
    let call = server.agent_sends(&context.conversation, "-", &payload, server.style());
    let headers = call.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Call { path: String::new(), headers, body: String::from_utf8(call.body).unwrap() }
}

pub fn twin(kind: Kind, role: Role, context: &Context) -> Option<Value> {
    let file = |name: &str| json!({"id": name, "name": name, "downloadLink": format!("{}/{name}", context.files)});
    let author = if role == Role::Bot { "BOT" } else { "OPERATOR" };
    let mut message = json!({"authorType": author});
    let mut event = "chatMessageCreated";
    let (name, value) = match kind {
        Kind::Text => ("body", json!(TEXT)),
        Kind::Choices => {
            message["body"] = json!(QUESTION);
            ("answers", json!(["Red", "Blue"]))
        }
        Kind::File => ("attachments", json!([file("receipt.pdf")])),
        Kind::Files => ("attachments", json!([file("one.png"), file("two.png")])),
        Kind::PrivateFile => ("attachments", json!([PRIVATE_FILE])),
        Kind::Reply => {
            message["body"] = json!(REPLY);
            ("replyTo", json!({"id": context.received_message}))
        }
        Kind::Edit => {
            event = "chatMessageEdited";
            message["id"] = json!(context.own_message);
            ("body", json!(EDITED))
        }
        Kind::ReadReceipt => {
            event = "chatMessageRead";
            ("id", json!(context.received_message))
        }
        _ => return None,
    };
    message[name] = value;
    Some(json!({"event": event, "data": message}))
}

pub fn twin_call(payload: &Value, server: &Twin24, context: &Context) -> Call {
    let (event, mut message) = (&payload["event"], payload["data"].clone());
    if message["attachments"] == json!([PRIVATE_FILE]) {
        message["attachments"] = json!([server.add_private_file("offer.pdf", b"%PDF-1.7")]);
    }
    if event == "chatMessageCreated" {
        message = server.record_message(&context.conversation, &message);
    }
    message["sessionId"] = json!(context.conversation);
    let body = json!({"event": event, "data": message}).to_string();
    Call { path: "/events".to_owned(), headers: Vec::new(), body }
}

pub fn servisbot(kind: Kind, context: &Context) -> Option<Value> {
    let markup = |inner: &str| format!("<TimelineMessage>{inner}</TimelineMessage>");
    Some(Value::from(match kind {
        Kind::Text => TEXT.to_owned(),
        Kind::Markdown => MARKDOWN.to_owned(),
        Kind::Choices => markup(&format!(
            "<TextMsg>{QUESTION}</TextMsg><ButtonPromptContainer>\
             <ButtonPrompt label=\"Red\" id=\"r\"/><ButtonPrompt label=\"Blue\" id=\"b\"/>\
             </ButtonPromptContainer>"
        )),
        Kind::File => markup(&format!(
            "<DetailView title=\"Receipt\" url=\"{}/receipt.pdf\"/>",
            context.files
        )),
        Kind::Cards => markup(&format!(
            "<List horizontal=\"true\"><Item title=\"Shoe\" subtitle=\"Comfortable\" \
             imageUrl=\"{}/shoe.png\"/><Item title=\"Boot\">\
             <Option title=\"See\" url=\"https://shop.example/boot\"/></Item></List>",
            context.files
        )),
        Kind::Location => markup("<StaticMap lat=\"52.37\" lng=\"4.9\" description=\"Shop\"/>"),
        _ => return None,
    }))
}

pub fn servisbot_call(payload: &Value, context: &Context) -> Call {
    let call = ServisBot::egress(&context.conversation, &[payload.as_str().unwrap()]);
    let headers = call.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Call { path: call.path.to_owned(), headers, body: call.body }
}
