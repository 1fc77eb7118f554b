//! Signed webhooks: anybody's channel, bot or desk.

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use trunkline_shared::app::{Clock, Ids, RandomIds, SystemClock};

use super::inbox::Inbox;
use super::{Act, Call, Part, Player, Setup, Stage, fresh, nobody};

/// Known to everybody: it signs on this machine only.
const SIGNING: &str = "whsec_c2ltdWxhdGVkLW9ubHktc2lnbmluZy1rZXktbm90LWEtc2VjcmV0";

struct Party {
    part: Part,
    port: u16,
    inbox: Inbox,
    known: usize,
    conversation: Option<String>,
}

/// Starts a party.
pub(crate) fn play(stage: Stage) -> Box<dyn Player> {
    let inbox = Inbox::start(stage.listener, json!({}));
    let conversation = (stage.part == Part::Customer).then(|| "simulated-1".to_owned());
    Box::new(Party { part: stage.part, port: stage.port, inbox, known: 0, conversation })
}

impl Player for Party {
    fn setup(&self) -> Setup {
        let settings = json!({"message_url": format!("http://127.0.0.1:{}/", self.port)});
        Setup { settings, secrets: vec![("signing", SIGNING.to_owned())] }
    }

    fn act(&mut self, act: Act) -> Result<Vec<Call>, String> {
        let (kind, data) = match act {
            Act::Say(text) => ("message", json!({"text": text})),
            Act::Offer(text, choices) => {
                let choices: Vec<Value> =
                    choices.iter().map(|title| json!({"id": title, "title": title})).collect();
                ("message", json!({"text": text, "choices": choices}))
            }
            Act::Pick(id) => ("choice", json!({"id": id})),
            Act::Handover(reason) => ("handover", json!({"reason": reason})),
            Act::Accept => ("accept", json!({})),
            Act::Handback => ("handback", json!({})),
            Act::Close => ("close", json!({})),
        };
        let conversation = self.conversation.as_ref().ok_or_else(nobody)?;
        let now = SystemClock.now();
        let id = RandomIds.next(now);
        let event = json!({
            "id": id, "timestamp": now, "conversation": conversation, "type": kind, "data": data,
        });
        let body = event.to_string();
        let signature = Webhook::new(SIGNING)
            .and_then(|key| key.sign(&id, now.as_second(), body.as_bytes()))
            .map_err(|why| why.to_string())?;
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", now.as_second().to_string()),
            ("webhook-signature", signature),
        ];
        Ok(vec![Call::new(headers, body)])
    }

    fn heard(&mut self) -> Vec<String> {
        let heard = fresh(self.inbox.heard(), &mut self.known);
        // What is a copy is not addressed to us, so it does not change whom we speak to.
        let newest = heard.iter().rev().find(|event| event["copy"] != true);
        let newest = newest.and_then(|event| event["conversation"].as_str());
        if let Some(conversation) = newest.filter(|_| self.part != Part::Customer) {
            self.conversation = Some(conversation.to_owned());
        }
        heard.iter().map(shown).collect()
    }
}

fn shown(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap_or("event");
    let data = &event["data"];
    let copy = if event["copy"] == true { "(a copy) " } else { "" };
    let said = match kind {
        "message" => format!("{copy}{}", data["text"].as_str().unwrap_or_default()),
        _ => format!("{copy}[{kind}] {data}"),
    };
    let choices = data["choices"].as_array().into_iter().flatten().map(|choice| {
        let part = |name: &str| choice[name].as_str().unwrap_or("?").to_owned();
        format!("\n  [{}]  /pick {}", part("title"), part("id"))
    });
    said + &choices.collect::<String>()
}
