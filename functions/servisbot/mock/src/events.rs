//! ServisBOT's calls to Trunkline: egress of the engagement adapter, and events.

use serde_json::{Value, json};

use super::{ENGAGEMENT_SECRET, ServisBot};

/// A call to Trunkline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The path to append to the connection's inbound address.
    pub path: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// How the delivery of events differs from once and in order (S4, Technical Details).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventOrder {
    /// Each event arrives two times.
    pub duplicated: bool,
    /// The last event arrives first.
    pub reversed: bool,
}

impl ServisBot {
    /// Returns the egress of a bot's messages to a customer (SB, responseMessage.js: the members; SC: both
    /// representations in one call).
    pub fn egress(customer: &str, texts: &[&str]) -> Call {
        let markdown: Vec<_> =
            texts.iter().map(|text| json!({"message": text, "type": "message"})).collect();
        Self::egress_of(customer, &json!({"Messages": texts, "Markdown": markdown}))
    }

    /// Returns the egress of a host notification (SB, responseMessage.js). Its text is a simple string (SH, Host
    /// Notifications).
    pub fn host_notification(customer: &str, text: &str) -> Call {
        Self::egress_of(customer, &json!({"HostNotification": text}))
    }

    fn egress_of(customer: &str, members: &Value) -> Call {
        let mut body = members.clone();
        body["CustomerReference"] = json!(customer);
        body["ContentType"] = json!("TimelineMarkup");
        let authorization = format!("Bearer {ENGAGEMENT_SECRET}");
        call("/egress", authorization, body.to_string(), None)
    }

    /// Returns the event of a user's message (S4, Simple Message). That ServisBOT also reports the messages that
    /// were posted to its adapter is our assumption: `join`.
    pub fn user_message(&self, customer: &str, text: &str) -> Value {
        let contents = json!({"message": text});
        let mut event = self.event(customer, "message", "server", &contents);
        event["message"]["inputSource"] = json!({"type": "utterance"});
        event["message"]["identity"] = json!("eu-west-1:0b8f2d3c-0000-4000-8000-000000000001");
        event
    }

    /// Returns the event of a bot's message. S4 has no example of one: that it is like a user's, to the client, is our
    /// assumption: `replies`.
    pub fn bot_message(&self, customer: &str, text: &str) -> Value {
        self.event(customer, "message", "client", &json!({"message": text}))
    }

    /// Returns the event of a text with buttons, each with its label and id (S4, Markup Event). A click on one
    /// arrives as an utterance (SX, Interaction Types).
    pub fn buttons(&self, customer: &str, text: &str, buttons: &[(&str, &str)]) -> Value {
        self.buttons_with(customer, text, &[], buttons)
    }

    /// Returns the event of a text with buttons whose container has attributes.
    pub fn buttons_with(
        &self,
        customer: &str,
        text: &str,
        attributes: &[(&str, &str)],
        buttons: &[(&str, &str)],
    ) -> Value {
        let xml: Vec<_> = buttons
            .iter()
            .map(|(label, id)| format!("<ButtonPrompt label=\"{label}\" id=\"{id}\"/>"))
            .collect();
        let xml = xml.concat();
        let written: Vec<_> =
            attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
        let written = written.concat();
        let markup = format!(
            "<TimelineMessage><TextMsg>{text}</TextMsg><ButtonPromptContainer{written}>{xml}\
             </ButtonPromptContainer></TimelineMessage>"
        );
        let nodes = buttons.iter().map(|(label, id)| {
            json!({"#name": "ButtonPrompt", "attributes": {"label": label, "id": id}})
        });
        let nodes: Vec<_> = nodes.collect();
        let mut container = json!({"#name": "ButtonPromptContainer", "children": nodes});
        for (name, value) in attributes {
            container["attributes"][*name] = json!(value);
        }
        let object = json!({"TimelineMessage": {"#name": "TimelineMessage", "children": [
            {"#name": "TextMsg", "content": text},
            container,
        ]}});
        let contents = json!({"markup": markup, "markupObject": object});
        self.event(customer, "markup", "client", &contents)
    }

    /// Returns the event of a click on a button of [`ServisBot::buttons_with`]: its id is that of the markup, and
    /// `source` names the markup (S4, Markup Interaction Event).
    pub fn button_click(&self, customer: &str, offered: &Value, button: usize) -> Value {
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

    /// An event with the members of S4, Keys.
    fn event(&self, customer: &str, kind: &str, to: &str, contents: &Value) -> Value {
        let mut state = self.state();
        state.event_count += 1;
        let count = state.event_count;
        // A second between events, so that their order by time is unambiguous.
        let timestamp = state.millis() + i64::try_from(count).unwrap() * 1_000;
        let mut message = json!({
            "version": "v2", "type": "TimelineMessage", "contentType": kind,
            "contents": contents, "correlationId": format!("cOr{count}"),
            "conversationId": conversation(customer), "id": format!("_m-{count}"), "to": to,
            "timestamp": timestamp, "organization": "acme", "endpoint": {"address": "acme-bot"},
        });
        if !state.omits_customers {
            message["customerReference"] = json!(customer);
        }
        json!({"message": message})
    }

    /// Returns the authenticated call that delivers an event (S4, Examples).
    pub fn event_call(&self, event: &Value) -> Call {
        let state = self.state();
        let second = state.millis() / 1_000;
        let authorization = state.auth.authorization(&state.ring, second);
        // S4 sends the same value for different events, so it must not identify an event.
        let correlation = Some("XWcgeIsWR".to_owned());
        call("", authorization, event.to_string(), correlation)
    }

    /// Returns the calls that deliver events.
    pub fn event_calls(&self, events: &[Value], order: EventOrder) -> Vec<Call> {
        let mut calls: Vec<_> = events.iter().map(|event| self.event_call(event)).collect();
        if order.duplicated {
            calls = calls.into_iter().flat_map(|call| [call.clone(), call]).collect();
        }
        if order.reversed {
            calls.reverse();
        }
        calls
    }
}

/// Returns ServisBOT's own id of a customer's conversation.
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
