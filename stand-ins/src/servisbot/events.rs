//! What ServisBOT says of its own accord: egress of the engagement adapter, and events.

use serde_json::{Value, json};

use super::{ENGAGEMENT_SECRET, ServisBot};

/// A call to Trunkline, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What to append to the connection's inbound address.
    pub path: &'static str,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

/// How events come, other than once and in order (S4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Disorder {
    /// Each comes twice.
    pub twice: bool,
    /// The last comes first.
    pub backwards: bool,
}

impl ServisBot {
    /// The egress of what a bot said, for a customer (SC).
    pub fn egress(customer: &str, texts: &[&str]) -> Call {
        let markdown: Vec<_> = texts.iter().map(|text| json!({"message": text})).collect();
        let body = json!({"CustomerReference": customer, "Messages": texts, "Markdown": markdown});
        let authorization = format!("Bearer {ENGAGEMENT_SECRET}");
        call("/egress", authorization, body.to_string(), None)
    }

    /// What the user said, as an event: what was posted comes back like this.
    pub fn hears(&self, customer: &str, text: &str) -> Value {
        let contents = json!({"message": text});
        let mut event = self.event(customer, "message", "server", &contents);
        event["message"]["inputSource"] = json!({"type": "utterance"});
        event["message"]["identity"] = json!("eu-west-1:0b8f2d3c-0000-4000-8000-000000000001");
        event
    }

    /// What the bot said, as an event.
    pub fn says(&self, customer: &str, text: &str) -> Value {
        self.event(customer, "message", "client", &json!({"message": text}))
    }

    /// Buttons below a text, as an event; each with its label and id.
    pub fn offers(&self, customer: &str, text: &str, buttons: &[(&str, &str)]) -> Value {
        let xml: Vec<_> = buttons
            .iter()
            .map(|(label, id)| format!("<ButtonPrompt label=\"{label}\" id=\"{id}\"/>"))
            .collect();
        let xml = xml.concat();
        let markup = format!(
            "<TimelineMessage><TextMsg>{text}</TextMsg><ButtonPromptContainer>{xml}\
             </ButtonPromptContainer></TimelineMessage>"
        );
        let nodes: Vec<_> = buttons
            .iter()
            .map(|(label, id)| {
                json!({"#name": "ButtonPrompt", "attributes": {"label": label, "id": id}})
            })
            .collect();
        let object = json!({"TimelineMessage": {"#name": "TimelineMessage", "children": [
            {"#name": "TextMsg", "content": text},
            {"#name": "ButtonPromptContainer", "children": nodes},
        ]}});
        let contents = json!({"markup": markup, "markupObject": object});
        self.event(customer, "markup", "client", &contents)
    }

    /// A click on a button of an event that [`ServisBot::offers`] gave: with the same id, as in S4.
    pub fn clicks(&self, customer: &str, offered: &Value, button: usize) -> Value {
        let source = &offered["message"];
        let buttons = "/contents/markupObject/TimelineMessage/children/1/children";
        let value = source.pointer(buttons).unwrap()[button]["attributes"].clone();
        let later = source["timestamp"].as_i64().unwrap() + 3_000;
        let contents = json!({
            "source": {"eventType": "TimelineMessage", "timestamp": source["timestamp"],
                       "id": source["id"], "conversationId": source["conversationId"]},
            "interaction": {"action": "buttonInteraction", "value": value,
                            "timestamp": later + 338},
        });
        let mut event = self.event(customer, "markupInteraction", "server", &contents);
        event["message"]["id"] = source["id"].clone();
        event["message"]["timestamp"] = json!(later);
        event["message"]["inputSource"] = json!({"type": "interaction"});
        event
    }

    fn event(&self, customer: &str, kind: &str, to: &str, contents: &Value) -> Value {
        let mut memory = self.memory();
        memory.counted += 1;
        let count = memory.counted;
        // Its events are a second apart, or they would be too quick to be sorted.
        let timestamp = memory.millis() + i64::try_from(count).unwrap() * 1_000;
        let mut message = json!({
            "version": "v2", "type": "TimelineMessage", "contentType": kind,
            "contents": contents, "correlationId": format!("cOr{count}"),
            "conversationId": conversation(customer), "id": format!("_m-{count}"), "to": to,
            "timestamp": timestamp, "organization": "acme", "endpoint": {"address": "acme-bot"},
        });
        if !memory.hides_customers {
            message["customerReference"] = json!(customer);
        }
        json!({"message": message})
    }

    /// The call that an event comes with, with proof.
    pub fn posted(&self, event: &Value) -> Call {
        let memory = self.memory();
        let second = memory.millis() / 1_000;
        let authorization = memory.proof.authorization(&memory.ring, second);
        // S4 sends the same for different events, so nobody should rely on it.
        let correlation = Some("XWcgeIsWR".to_owned());
        call("", authorization, event.to_string(), correlation)
    }

    /// The calls that events come with.
    pub fn feed(&self, events: &[Value], disorder: Disorder) -> Vec<Call> {
        let mut calls: Vec<_> = events.iter().map(|event| self.posted(event)).collect();
        if disorder.twice {
            calls = calls.into_iter().flat_map(|call| [call.clone(), call]).collect();
        }
        if disorder.backwards {
            calls.reverse();
        }
        calls
    }
}

/// ServisBOT's own id of a customer's conversation.
fn conversation(customer: &str) -> String {
    let sum = customer.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
    format!("5f2c1c7e-0a53-4c0b-9d0f-{:012x}", sum & 0xffff_ffff_ffff)
}

fn call(
    path: &'static str,
    authorization: String,
    body: String,
    correlation: Option<String>,
) -> Call {
    let mut headers =
        vec![("content-type", "application/json".to_owned()), ("authorization", authorization)];
    headers.extend(correlation.map(|correlation| ("x-correlation-id", correlation)));
    Call { path, headers, body }
}
