//! The platforms as parties of a conversation: what each sends of each kind, in its own form, and what its mock received.

use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_cm_mock::{CmRouter, Side};
use trunkline_core::model::{PlatformId, Role};
use trunkline_servisbot_mock::{ENGAGEMENT_SECRET, ServisBot};
use trunkline_tests::MockPlatform;
use trunkline_twin_mock::{EMAIL, PASSWORD, Twin24, plain_http};
use trunkline_unblu_mock::{ADMIN, ApiVersion, CHANNEL, SECRET, Unblu};

use crate::kinds::Kind;
use crate::network::Network;
use crate::senders::{self, SIGNING};

const ADAPTER: &str = "7d1c2a94-3f0b-4e0d-8f5d-0a9d5c1e7b22";
const TOKEN: &str = "00000000-0000-4000-8000-000000000000";

/// A call to a connection's inbound address.
#[derive(Debug, Clone)]
pub struct Call {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What a call refers to.
#[derive(Debug, Clone)]
pub struct Context {
    /// Distinguishes the calls of a test.
    pub number: usize,
    pub now: Timestamp,
    /// The conversation as the sender's platform knows it.
    pub conversation: String,
    /// The sender's last message, and the last message that it received, as its platform knows them.
    pub own_message: String,
    pub received_message: String,
    /// The address of a server that has every file.
    pub files: String,
}

/// A platform in one role, with its mock.
pub enum Party {
    Webhook {
        role: Role,
        mock: MockPlatform,
    },
    Webex {
        mock: MockPlatform,
    },
    Cm {
        role: Role,
        router: CmRouter,
        chat: Value,
    },
    Unblu {
        server: Unblu,
    },
    /// TWIN calls back for each message: the tests make the calls that matter themselves.
    Twin {
        role: Role,
        server: Twin24,
        callbacks: MockPlatform,
    },
    Servisbot {
        server: ServisBot,
    },
}

/// The roles in which each platform takes part.
pub const PARTIES: [(&str, Role); 11] = [
    ("webhook", Role::Channel),
    ("webex", Role::Channel),
    ("cm", Role::Channel),
    ("webhook", Role::Bot),
    ("cm", Role::Bot),
    ("twin", Role::Bot),
    ("servisbot", Role::Bot),
    ("webhook", Role::Desk),
    ("cm", Role::Desk),
    ("twin", Role::Desk),
    ("unblu", Role::Desk),
];

impl Party {
    /// Starts the mock of a platform.
    pub fn start(platform: &str, role: Role, network: &Network) -> Self {
        let _guard = network.handle().enter();
        match platform {
            "webhook" => Self::Webhook { role, mock: network.run(MockPlatform::start()) },
            "webex" => {
                let mock = network.run(MockPlatform::start());
                // The vendor's sister API returns the id of each message, by which receipts name it.
                for number in 0..200 {
                    mock.queue_response(200, &format!("{{\"transid\":\"sent-{number}\"}}"));
                }
                Self::Webex { mock }
            }
            "cm" => {
                let router = network.run(CmRouter::start(TOKEN));
                let side = if role == Role::Channel { Side::Host } else { Side::Client };
                router.add_adapter(ADAPTER, side);
                let chat = router.chat("0031612345678", "0031201234567");
                Self::Cm { role, router, chat }
            }
            "unblu" => Self::Unblu { server: network.run(Unblu::start(ApiVersion::V4)) },
            "unblu v3" => Self::Unblu { server: network.run(Unblu::start(ApiVersion::V3)) },
            "twin" => {
                let server = network.run(Twin24::start(plain_http()));
                Self::Twin { role, server, callbacks: network.run(MockPlatform::start()) }
            }
            "servisbot" => Self::Servisbot { server: network.run(ServisBot::start()) },
            other => panic!("no platform {other}"),
        }
    }

    pub fn platform(&self) -> PlatformId {
        PlatformId::from_static(match self {
            Self::Webhook { .. } => "webhook",
            Self::Webex { .. } => "webex",
            Self::Cm { .. } => "cm",
            Self::Unblu { .. } => "unblu",
            Self::Twin { .. } => "twin",
            Self::Servisbot { .. } => "servisbot",
        })
    }

    pub fn settings(&self) -> Value {
        match self {
            Self::Webhook { mock, .. } => json!({"message_url": mock.url("/")}),
            Self::Webex { .. } => json!({}),
            Self::Cm { router, .. } => json!({"send_url": router.outbound_url(ADAPTER),
                "control_url": router.control_url(), "state_url": router.state_url()}),
            Self::Unblu { server } => {
                json!({"base_url": server.api_url(), "api_version": server.version().word(),
                    "channel_id": CHANNEL})
            }
            Self::Twin { server, .. } => server.settings(&json!({"answers": "callback"})),
            Self::Servisbot { server } => json!({"engagement_url": server.engagement_url()}),
        }
    }

    pub fn secrets(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Webhook { .. } => vec![("signing", SIGNING.to_owned())],
            Self::Webex { mock } => {
                vec![("verification_token", "token".to_owned()), ("send_url", mock.url("/"))]
            }
            Self::Cm { .. } => vec![("product_token", TOKEN.to_owned())],
            Self::Unblu { .. } => {
                let (user, password) = ADMIN;
                let secrets =
                    [("username", user), ("password", password), ("webhook_secret", SECRET)];
                secrets.map(|(name, value)| (name, value.to_owned())).to_vec()
            }
            Self::Twin { callbacks, .. } => vec![
                ("email", EMAIL.to_owned()),
                ("password", PASSWORD.to_owned()),
                ("callback_url", callbacks.url("/")),
            ],
            Self::Servisbot { .. } => {
                vec![("engagement_secret", ENGAGEMENT_SECRET.to_owned())]
            }
        }
    }

    /// Returns the bodies of all calls that the mock accepted.
    pub fn received(&self) -> Vec<String> {
        match self {
            Self::Webhook { mock, .. } | Self::Webex { mock } => {
                let all = mock.accepted("/");
                all.iter().map(|call| String::from_utf8_lossy(&call.body).into_owned()).collect()
            }
            Self::Cm { router, .. } => {
                router.accepted().iter().map(|call| call.body.to_string()).collect()
            }
            Self::Unblu { server } => {
                let sent = server.sent().into_iter().map(|sent| sent.data.to_string());
                let states = server.state_reports().into_iter().map(|state| state.call);
                sent.chain(states).collect()
            }
            Self::Twin { server, .. } => {
                let mut names = server.files().into_iter().map(|(name, _)| name);
                let calls = server.accepted();
                let call = calls.iter().map(|call| match call.what {
                    "file" => names.next().unwrap_or_default(),
                    what => format!("{what} {}", call.body),
                });
                call.collect()
            }
            Self::Servisbot { server } => {
                server.posts().iter().map(|post| post.value.to_string()).collect()
            }
        }
    }

    /// Returns what the mock refused: nothing, in a working test.
    pub fn refused(&self) -> Vec<String> {
        match self {
            Self::Webhook { .. } | Self::Webex { .. } => Vec::new(),
            Self::Unblu { server } => server.take_violations(),
            Self::Cm { router, .. } => {
                router.refused().iter().map(|(status, why)| format!("{status} {why}")).collect()
            }
            Self::Twin { server, .. } => server.refused(),
            Self::Servisbot { server } => {
                server.refused().iter().map(|(status, why)| format!("{status} {why}")).collect()
            }
        }
    }

    /// Returns a kind of content in the platform's form; `None` if it has no form for it.
    pub fn payload(&self, kind: Kind, context: &Context) -> Option<Value> {
        match self {
            Self::Webhook { role, .. } => senders::webhook(kind, *role, context),
            Self::Webex { .. } => senders::webex(kind, context),
            Self::Cm { role, .. } => senders::cm(kind, *role, context),
            Self::Unblu { server } => senders::unblu(kind, server.version(), context),
            Self::Twin { role, .. } => senders::twin(kind, *role, context),
            Self::Servisbot { .. } => senders::servisbot(kind, context),
        }
    }

    /// Returns a customer's text in the platform's form.
    pub fn text(&self, text: &str) -> Value {
        match self {
            Self::Webex { .. } => json!({"Event": "Incoming message", "Message": text}),
            Self::Cm { .. } => json!({"$type": "text", "text": text}),
            _ => json!({"type": "message", "data": {"text": text}}),
        }
    }

    /// Returns the call that carries a payload.
    pub fn call(&self, payload: &Value, context: &Context) -> Call {
        match self {
            Self::Webhook { .. } => senders::webhook_call(payload, context),
            Self::Webex { .. } => senders::webex_call(payload, context),
            Self::Cm { role, router, chat } => senders::cm_call(payload, *role, router, chat),
            Self::Unblu { server } => senders::unblu_call(payload, server, context),
            Self::Twin { server, .. } => senders::twin_call(payload, server, context),
            Self::Servisbot { .. } => senders::servisbot_call(payload, context),
        }
    }

    /// Returns what people or programs see of a call that the mock received: its members without ids and times.
    pub fn shown(&self, received: &str) -> Vec<Value> {
        let (what, body) = received.split_once(' ').unwrap_or(("", received));
        let parsed: Value = serde_json::from_str(received)
            .or_else(|_| serde_json::from_str(body))
            .unwrap_or_else(|_| received.into());
        let hidden: &[&str] = match self {
            Self::Webhook { .. } => {
                let mut data = parsed["data"].clone();
                // The original of CM.com's undocumented types has a time and an id.
                data.as_object_mut().map(|data| data.remove("metadata"));
                return vec![json!({"type": parsed["type"], "data": data})];
            }
            Self::Cm { .. } => &["direction", "createdOn", "id", "$type"],
            Self::Webex { .. } => &["conversation_id", "Timestamp", "Messagetype", "eventid"],
            Self::Unblu { .. } => &["$_type", "textType", "captionType", "fileData"],
            Self::Twin { .. } if what == "message" => &["attachments", "replyToMessageId"],
            Self::Twin { .. } | Self::Servisbot { .. } => &[],
        };
        let all = match parsed.get("conversationMessages") {
            Some(Value::Array(messages)) => messages.clone(),
            _ => vec![parsed],
        };
        let visible = |mut one: Value| {
            if let Some(object) = one.as_object_mut() {
                object.retain(|name, value| !hidden.contains(&name.as_str()) && !value.is_null());
            }
            one
        };
        all.into_iter().map(visible).collect()
    }
}
