//! Every kind of content from every platform to every platform, on the testkit and against the mocks. The result is
//! the tables of `docs/content.md`: see `make content`.

mod golden;
mod kinds;
mod network;
mod parties;
mod senders;
mod table;
mod tolerance;

use std::path::Path;

use axum::Router;
use jiff::SignedDuration;
use kinds::{ALL, Arrival, Kind};
use lambda_http::{Body, Request};
use network::{Network, OverNetwork};
use parties::{Context, PARTIES, Party};
use serde_json::{Value, json};
use table::Tables;
use trunkline_cm::Cm;
use trunkline_core::model::{
    Connection, ConnectionId, Disposition, EventBody, EventRecord, Feature, LegId, ReceiptStatus,
    Role, Route, Texts,
};
use trunkline_runtime::app::Clock;
use trunkline_runtime::secrets::SecretBag;
use trunkline_servisbot::Servisbot;
use trunkline_testkit::TestStack;
use trunkline_twin::Twin;
use trunkline_unblu::Unblu;
use trunkline_webex::Webex;
use trunkline_webhook::Webhook;

const PAGE: &str = "../docs/content.md";
const CUSTOMER: &str = "customer-1";

/// A channel and another party in one stack.
struct Pair {
    stack: TestStack,
    channel: Party,
    other: Party,
    other_role: Role,
    files: String,
    number: usize,
}

impl Pair {
    async fn start(network: &Network, channel: &str, other: &str, other_role: Role) -> Self {
        let mut stack = TestStack::start().await;
        let over = network.clone();
        stack.add_platform(move || OverNetwork::new(Cm, &over));
        let over = network.clone();
        stack.add_platform(move || OverNetwork::new(Servisbot::default(), &over));
        let over = network.clone();
        stack.add_platform(move || OverNetwork::new(Twin::default(), &over));
        let over = network.clone();
        stack.add_platform(move || OverNetwork::new(Unblu, &over));
        let over = network.clone();
        stack.add_platform(move || OverNetwork::new(Webex, &over));
        let over = network.clone();
        stack.add_platform(move || OverNetwork::new(Webhook, &over));
        let pair = Self {
            stack,
            channel: Party::start(channel, Role::Channel, network),
            other: Party::start(other, other_role, network),
            other_role,
            files: network.run(serve_files()),
            number: 0,
        };
        pair.connect("channel", &pair.channel, Role::Channel).await;
        pair.connect("other", &pair.other, other_role).await;
        let texts = Texts {
            edited: "Correction: {text}".into(),
            deleted: "This message was withdrawn.".into(),
            ..Texts::default()
        };
        let route = |route: &mut Route| {
            let other = Some("other".parse().unwrap());
            if other_role == Role::Bot {
                route.bot = other;
            } else {
                route.desk = other;
            }
            route.handover_policy.language = Some("en".into());
            route.handover_policy.texts = [("en".to_owned(), texts)].into();
        };
        pair.stack.route("main", route).await;
        pair
    }

    async fn connect(&self, id: &str, party: &Party, role: Role) {
        let mut secrets = SecretBag::default();
        for (name, value) in party.secrets() {
            secrets.set(name, vec![value]);
        }
        let settings = party.settings().as_object().unwrap().clone();
        let change = |connection: &mut Connection| {
            connection.settings = settings;
            if role == Role::Channel {
                connection.route = Some("main".parse().unwrap());
            }
        };
        self.stack.connect_platform(id, party.platform(), role, secrets, change).await;
    }

    /// Opens the conversation in both directions.
    async fn open(&mut self) {
        self.send(Role::Channel, Kind::Text).await;
        self.send(self.other_role, Kind::Text).await;
    }

    /// Sends a payload and returns what the receiver is shown.
    async fn shown_after(&mut self, from: Role, to: Role, payload: &Value) -> Vec<Value> {
        let before = self.party(to).received();
        let context = self.next_context(from).await;
        self.send_payload(from, payload, &context).await;
        let received = new_ones(before, self.party(to).received());
        received.iter().flat_map(|call| self.party(to).shown(call)).collect()
    }

    fn party(&self, role: Role) -> &Party {
        if role == Role::Channel { &self.channel } else { &self.other }
    }

    /// Sends a kind from one side. Returns `false` if its platform has no form for it.
    async fn send(&mut self, from: Role, kind: Kind) -> bool {
        let context = self.next_context(from).await;
        let Some(payload) = self.party(from).payload(kind, &context) else { return false };
        self.send_payload(from, &payload, &context).await;
        true
    }

    async fn send_payload(&mut self, from: Role, payload: &Value, context: &Context) {
        let call = self.party(from).call(payload, context);
        let (platform, id) = (self.party(from).platform(), name_of(from));
        let uri = format!("/in/{platform}/{id}/url-key{}", call.path);
        let mut request = http::Request::builder().method("POST").uri(uri);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request: Request = request.body(Body::Text(call.body.clone())).unwrap();
        let answer = self.stack.request(platform.as_str(), &request).await;
        assert!(answer.is_success(), "{platform}: {answer:?} to {}", call.body);
        self.stack.advance(SignedDuration::from_secs(2)).await;
    }

    async fn next_context(&mut self, from: Role) -> Context {
        self.number += 1;
        self.context(from).await
    }

    async fn context(&self, from: Role) -> Context {
        let transcript = self.transcript().await;
        let is_message =
            |record: &&EventRecord| matches!(record.event.body, EventBody::Message { .. });
        let messages = || transcript.iter().rev().filter(is_message);
        let own = messages().find(|record| record.from.as_str() == name_of(from));
        let received = messages().find_map(|record| {
            let outcome = record.outcomes.get(name_of(from))?;
            outcome.external_message_id.clone()
        });
        let conversation = match from {
            Role::Channel => self.customer(),
            _ => self.session().await,
        };
        Context {
            number: self.number,
            now: self.stack.clock.now(),
            conversation,
            own_message: own
                .map_or_else(String::new, |record| record.event.sender_message_id().into()),
            received_message: received.map_or_else(|| "none".to_owned(), Into::into),
            files: self.files.clone(),
        }
    }

    /// The id of the customer on the channel: CM.com's router chooses the id of its chats.
    fn customer(&self) -> String {
        match &self.channel {
            Party::Cm { chat, .. } => chat["id"].as_str().unwrap().to_owned(),
            _ => CUSTOMER.to_owned(),
        }
    }

    async fn transcript(&self) -> Vec<EventRecord> {
        self.stack.transcript("channel", &self.customer()).await
    }

    /// The id of the conversation at the other party.
    async fn session(&self) -> String {
        let key = self.stack.key("channel", &self.customer());
        let id = LegId { key, connection: "other".parse().unwrap() };
        let leg = self.stack.app.store.leg(&id).await.unwrap();
        leg.sessions.last().unwrap().external_conversation_id.to_string()
    }

    /// Sends a kind and checks how it arrives. `None`: the sender has no form for it.
    async fn check(&mut self, from: Role, kind: Kind) -> Option<Arrival> {
        let to = if from == Role::Channel { self.other_role } else { Role::Channel };
        let before = self.party(to).received();
        if !self.send(from, kind).await {
            return None;
        }
        let what = format!(
            "{kind:?} from {} {from:?} to {} {to:?}",
            self.party(from).platform(),
            self.party(to).platform()
        );
        let received = new_ones(before, self.party(to).received()).join("\n");
        for side in [from, to] {
            assert_eq!(self.party(side).refused(), Vec::<String>::new(), "{what}");
        }
        let can = self.stack.connection(name_of(to)).as_party().capabilities();
        let arrival = kind.arrival(can, to);
        let transcript = self.transcript().await;
        let record = transcript.iter().rev().find(|record| record.from.as_str() == name_of(from));
        let record = record.unwrap_or_else(|| panic!("{what}: no event"));
        if matches!(arrival, Arrival::Refused | Arrival::Recorded) {
            assert_eq!(received, "", "{what}");
            if arrival == Arrival::Refused {
                assert_eq!(record.disposition, Disposition::RecordedOnly, "{what}");
                self.check_notice(from, &transcript, &what);
            }
            return Some(arrival);
        }
        assert_ne!(received, "", "{what} is lost: {record:?}");
        for token in kind.tokens() {
            assert!(received.contains(token), "{what}: '{token}' is lost in {received}");
        }
        Some(arrival)
    }

    /// Checks that the sender of what was refused was told so, if its platform has receipts.
    fn check_notice(&self, from: Role, transcript: &[EventRecord], what: &str) {
        if !self.stack.connection(name_of(from)).as_party().capabilities().receipts {
            return;
        }
        let is_notice = |record: &EventRecord| {
            matches!(&record.event.body, EventBody::Receipt { status: ReceiptStatus::Failed, .. })
                && record.from == ConnectionId::system()
        };
        assert!(transcript.iter().any(is_notice), "{what}: no notice");
    }
}

/// Returns what is in the second list and was not in the first.
fn new_ones(mut before: Vec<String>, mut after: Vec<String>) -> Vec<String> {
    after.retain(|one| match before.iter().position(|known| known == one) {
        Some(index) => {
            before.remove(index);
            false
        }
        None => true,
    });
    after
}

fn name_of(role: Role) -> &'static str {
    if role == Role::Channel { "channel" } else { "other" }
}

/// Starts a server that has every file, and returns its address.
async fn serve_files() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(|| async { ([("content-type", "image/png")], "content") });
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn in_role(wanted: Role) -> impl Iterator<Item = (&'static str, Role)> {
    PARTIES.into_iter().filter(move |(_, role)| *role == wanted)
}

async fn run(network: &Network) -> Tables {
    let mut tables = Tables::default();
    for (channel, _) in in_role(Role::Channel) {
        for (other, role) in in_role(Role::Bot).chain(in_role(Role::Desk)) {
            let mut pair = Pair::start(network, channel, other, role).await;
            pair.open().await;
            for from in [Role::Channel, role] {
                let sender = if from == Role::Channel { channel } else { other };
                let (receiver, to) =
                    if from == Role::Channel { (other, role) } else { (channel, Role::Channel) };
                for kind in ALL {
                    let arrival = pair.check(from, kind).await;
                    tables.add(kind, (sender, from), (receiver, to), arrival);
                }
            }
        }
    }
    tables
}

/// Checks every kind in both directions between each channel and Unblu with the web API v3.
async fn check_unblu_v3(network: &Network) {
    for (channel, _) in in_role(Role::Channel) {
        let mut pair = Pair::start(network, channel, "unblu v3", Role::Desk).await;
        pair.open().await;
        for from in [Role::Channel, Role::Desk] {
            for kind in ALL {
                pair.check(from, kind).await;
            }
        }
    }
}

/// Runs work with time standing still.
fn paused<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(work)
}

fn updates() -> bool {
    std::env::var("UPDATE_CONTENT").is_ok()
}

/// What a customer types to select the second of two choices, on each channel. `shows`: the channel has buttons.
const TYPED: [(&str, bool, &str); 6] = [
    ("webhook", true, "BLUE!"),
    ("webex", false, "2️⃣"),
    ("webex", false, "bláu"),
    ("cm", false, "٢"),
    ("cm", true, "Bláu"),
    ("cm", true, "blau."),
];

/// Sets up CM.com's buttons, as an integrator who has the vendor's documentation does.
async fn show_buttons(pair: &Pair) {
    let change = |connection: &mut Connection| {
        connection.presentation.shows = vec![Feature::Choices];
        let template = r#"{"$type":"text","text":"$text","options":"$choices"}"#;
        connection.settings.insert("choices_template".into(), template.into());
    };
    let mut secrets = SecretBag::default();
    for (name, value) in pair.channel.secrets() {
        secrets.set(name, vec![value]);
    }
    let platform = pair.channel.platform();
    pair.stack.connect_platform("channel", platform, Role::Channel, secrets, change).await;
}

async fn check_typed_choices(network: &Network) {
    for (channel, shows, typed) in TYPED {
        let mut pair = Pair::start(network, channel, "webhook", Role::Bot).await;
        if shows && channel == "cm" {
            show_buttons(&pair).await;
        }
        pair.open().await;
        let title = if typed.to_lowercase().contains("blue") { "Blue" } else { "Bláu" };
        let choices = json!([{"id": "r-1", "title": "Red"}, {"id": "b-2", "title": title}]);
        let data = json!({"text": "Which?", "choices": choices});
        let offer = json!({"type": "message", "data": data});
        pair.shown_after(Role::Bot, Role::Channel, &offer).await;
        let said = pair.channel.text(typed);
        let heard = pair.shown_after(Role::Channel, Role::Bot, &said).await;
        let expected = json!({"id": "b-2", "title": title, "typed": typed});
        assert_eq!(heard[0]["data"], expected, "{channel} {typed}");
    }
}

#[test]
fn the_id_of_a_typed_choice_reaches_the_bot_from_every_channel() {
    paused(check_typed_choices(&Network::start()));
}

#[test]
fn golden_texts_arrive_as_they_were_meant() {
    let expected = golden::load();
    let arrived = paused(golden::run(&Network::start(), &expected));
    if updates() {
        golden::save(&arrived);
        return;
    }
    for (arrived, expected) in arrived.iter().zip(&expected) {
        assert!(!arrived.calls.is_empty(), "{}: nothing arrived", arrived.name);
        assert_eq!(arrived.calls, expected.calls, "{}", arrived.name);
    }
}

/// Shows U1, U19.
#[test]
fn every_kind_arrives_from_and_at_unblu_v3() {
    paused(check_unblu_v3(&Network::start()));
}

#[test]
fn every_kind_arrives_from_every_platform_at_every_platform() {
    let tables = paused(run(&Network::start())).markdown();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let updated = table::replace_generated(&page, &tables);
    if updates() {
        std::fs::write(&path, &updated).unwrap();
    }
    println!("{tables}");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        updated,
        "docs/content.md is stale: run `make content`"
    );
}
