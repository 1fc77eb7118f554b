//! Takes one event: find the conversation, decide, write, queue.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::records::{self, Records};
use super::{IntakeError, Rejection, Taken, agent_initiated, enqueue, limits, receipt_target};
use crate::app::App;
use crate::model::{
    Author, AuthorRole, Clue, Connection, ConnectionId, Conversation, ConversationKey, Delivery,
    Due, Event, EventBody, EventId, LegId, MAX_FAR_ID, Role, Serving, Trace, Wake,
};
use crate::routing::{self, Cause, Decision, Refusal, Sender, Situation, Standing, Start};
use crate::store::{EventRecord, Held, LegAddress, Written};

/// How often an event is decided anew because the conversation changed meanwhile.
const TRIES: usize = 8;
/// How old the reading may be on which an event is decided that does not change the conversation. Who
/// tells a new owner what was said before waits for longer (`outbound::recall`).
const FRESH: SignedDuration = SignedDuration::from_millis(500);
/// After what times an id is looked for again that a far side has just chosen.
const NOT_YET: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900)];

/// An event with what is known of its sender.
#[derive(Debug)]
struct Arrival<'a> {
    key: ConversationKey,
    from: ConnectionId,
    sender: Sender<'a>,
    /// Whether its own time tells its place in the transcript.
    by_own_time: bool,
    /// The channel connection on which it may start a conversation.
    channel: Option<&'a Connection>,
    /// Whether people at a desk begin one with it.
    begins: bool,
    event: Event,
}

/// Takes an event from `connection`, or holds it back for a while if the connection is set so. Returns
/// only when every delivery is in its queue.
///
/// # Errors
/// Why it is not taken.
pub async fn take(app: &App, connection: &Connection, event: Event) -> Result<Taken, IntakeError> {
    if let Some(seconds) = connection.reorder_window {
        let now = app.clock.now();
        let Found { key, .. } = find_key(app, connection, &event, now).await?;
        let leg = LegId { key, connection: connection.id.clone() };
        let conversation = event.conversation.clone();
        let until = now + SignedDuration::from_secs(i64::from(seconds));
        let wake = Wake::Held { platform: connection.platform, leg: leg.clone(), at: until };
        // Left before it is held, for whoever holds it may die of it.
        app.queues.wake(&wake, now).await?;
        app.store.hold(&leg, &Held { event, until }).await?;
        return Ok(Taken { conversation, duplicate: false });
    }
    take_now(app, connection, event).await
}

/// Takes an event from `connection` at once.
///
/// # Errors
/// Why it is not taken.
pub async fn take_now(
    app: &App,
    connection: &Connection,
    mut event: Event,
) -> Result<Taken, IntakeError> {
    let now = app.clock.now();
    event.trace.get_or_insert_with(|| Trace::begun(&app.ids.next(now)));
    let Found { key, leg, begun_on } = find_key(app, connection, &event, now).await?;
    receipt_target::find(app, &connection.id, &key, &mut event.body).await?;
    let role = connection.role;
    let arrival = Arrival {
        key,
        from: connection.id.clone(),
        sender: Sender::Party { role, leg: leg.as_deref() },
        by_own_time: connection.timestamps_rule(),
        begins: begun_on.is_some(),
        channel: begun_on.as_deref().or((role == Role::Channel).then_some(connection)),
        event,
    };
    let taken = enter(app, &arrival).await?;
    if arrival.begins {
        agent_initiated::adopt(app, connection, &arrival.key, &arrival.event).await?;
    }
    Ok(taken)
}

/// Takes what follows for the sender of a delivery from what became of it, as if its target had said
/// so.
///
/// # Errors
/// Why it is not taken.
pub async fn take_from_target(
    app: &App,
    delivery: &Delivery,
    id: EventId,
    body: EventBody,
) -> Result<Taken, IntakeError> {
    let leg = Some(delivery.leg_conversation());
    let arrival = Arrival {
        key: delivery.key.clone(),
        from: delivery.to.connection.clone(),
        sender: Sender::Party { role: delivery.to.role, leg },
        by_own_time: false,
        channel: None,
        begins: false,
        event: Event {
            trace: delivery.event.trace,
            ..by(app, Author::nameless(AuthorRole::System), &delivery.key, id, body)
        },
    };
    enter(app, &arrival).await
}

/// Takes something that Trunkline itself does about a conversation.
///
/// # Errors
/// Why it is not taken.
pub async fn take_from_house(
    app: &App,
    key: &ConversationKey,
    id: EventId,
    author: Author,
    body: EventBody,
    cause: Cause<'_>,
) -> Result<Taken, IntakeError> {
    let arrival = Arrival {
        key: key.clone(),
        from: ConnectionId::house(),
        sender: Sender::House(cause),
        by_own_time: false,
        channel: None,
        begins: false,
        event: by(app, author, key, id, body),
    };
    enter(app, &arrival).await
}

fn by(app: &App, author: Author, key: &ConversationKey, id: EventId, body: EventBody) -> Event {
    let now = app.clock.now();
    let trace = Some(Trace::begun(&app.ids.next(now)));
    Event { trace, ..Event::new(id, &key.customer, now, author, body) }
}

async fn enter(app: &App, arrival: &Arrival<'_>) -> Result<Taken, IntakeError> {
    for _ in 0..TRIES {
        let now = app.clock.now();
        let conversation = app.store.conversation(&arrival.key).await?;
        let mut decision = match decide(app, arrival, conversation.as_ref(), now).await? {
            Ok(decision) => decision,
            Err(refusal) => {
                // It may be a duplicate of one that was taken while the conversation was another.
                let id = &arrival.event.id;
                let first = app.store.event(&arrival.key, &arrival.from, id).await?;
                return duplicate(app, first.ok_or(refusal)?).await;
            }
        };
        let (event, from) = (&arrival.event, &arrival.from);
        let timers = std::mem::take(&mut decision.timers);
        let (records, conversation) = records::of(&arrival.key, from, event, decision, now);
        // What does not fit into the queue must not be accepted.
        let packed = enqueue::pack(records.deliveries())?;
        // Left before the write, for whoever writes may die of it. Void if it is not written.
        for Due { timer, at } in timers {
            app.queues.wake(&Wake::Timer { key: arrival.key.clone(), timer, at }, now).await?;
        }
        if conversation.is_none() && app.clock.now().duration_since(now) > FRESH {
            continue;
        }
        let own_time = Some(event.at).filter(|_| arrival.by_own_time);
        let sorted = records.sorted(own_time.unwrap_or(now));
        match app.store.write_events(&sorted, conversation.as_ref(), now).await? {
            Written::Outdated => {}
            Written::New => {
                enqueue::all(app, packed).await?;
                return taken(records.main, false);
            }
            Written::Duplicate(first) => return duplicate(app, *first).await,
        }
    }
    Err(IntakeError::Contended)
}

/// What the switchboard decides.
async fn decide(
    app: &App,
    arrival: &Arrival<'_>,
    conversation: Option<&Conversation>,
    now: Timestamp,
) -> Result<Result<Decision, Refusal>, IntakeError> {
    let goes_on = conversation.filter(|conversation| conversation.is_open());
    let channel = arrival.channel;
    let route = match (goes_on, channel) {
        (Some(conversation), _) => Some(&conversation.route),
        (None, Some(channel)) => channel.route.as_ref(),
        (None, None) => None,
    };
    let serving: Option<Arc<Serving>> = match route {
        Some(route) => app.directory.serving(route, now).await?,
        None => None,
    };
    let start = channel.filter(|_| goes_on.is_none()).map(|channel| Start {
        key: arrival.key.clone(),
        id: app.ids.next(now),
        channel: channel.as_party(),
    });
    let fresh = app.ids.next(now);
    let event = &arrival.event;
    let named = event.external_id.as_deref().unwrap_or_default();
    let situation = Situation {
        conversation,
        serving: serving.as_deref(),
        start: start.as_ref(),
        from: arrival.sender,
        event,
        echo: Delivery::is_ours(named),
        begins: arrival.begins,
        now,
        fresh: &fresh,
    };
    let mut decision = match routing::decide(&situation) {
        Ok(decision) => decision,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // Written anew now and then, so that one that goes on does not expire.
    if goes_on.is_some_and(|c| app.store.is_stale(c.touched_at, now)) && !decision.changed {
        decision.conversation.version += 1;
        decision.changed = true;
    }
    decision.conversation.touched_at = now;
    Ok(Ok(decision))
}

/// Queues whatever of a duplicate's first, and of what was said because of it, has no outcome yet: it
/// may not have been queued or sent.
async fn duplicate(app: &App, first: EventRecord) -> Result<Taken, IntakeError> {
    let house = ConnectionId::house();
    let mut records = Records { before: Vec::new(), main: first, after: Vec::new() };
    for id in &records.main.before {
        records.before.extend(app.store.event(&records.main.key, &house, id).await?);
    }
    for id in &records.main.after {
        records.after.extend(app.store.event(&records.main.key, &house, id).await?);
    }
    let again = |delivery| Delivery { again: true, ..delivery };
    enqueue::all(app, enqueue::pack(records.unsettled().map(again))?).await?;
    taken(records.main, true)
}

fn taken(record: EventRecord, duplicate: bool) -> Result<Taken, IntakeError> {
    if record.standing == Standing::Late {
        return Err(Refusal::NotOwner.into());
    }
    Ok(Taken { conversation: record.conversation, duplicate })
}

/// Whose conversation an event belongs to.
struct Found {
    key: ConversationKey,
    /// What the sender's leg knows the conversation by.
    leg: Option<String>,
    /// The channel on which people at a desk begin one.
    begun_on: Option<Arc<Connection>>,
}

/// The channel's side knows a conversation by its own key; everybody else by the leg that was opened
/// for them, or, at a desk, by whom it is to reach.
async fn find_key(
    app: &App,
    connection: &Connection,
    event: &Event,
    now: Timestamp,
) -> Result<Found, IntakeError> {
    limits::check(event)?;
    let length = event.conversation.len();
    if length == 0 || length > MAX_FAR_ID {
        return Err(Rejection::ConversationId(length).into());
    }
    match connection.role {
        Role::Channel => {
            let customer = event.conversation.clone();
            let key = ConversationKey { channel: connection.id.clone(), customer };
            Ok(Found { key, leg: None, begun_on: None })
        }
        Role::Observer => Err(Refusal::OnlyListens.into()),
        Role::Bot | Role::Desk => {
            let found = find_leg(app, connection, event, now).await?;
            if let Some(found) = found {
                let leg = Some(found.conversation);
                return Ok(Found { key: found.key, leg, begun_on: None });
            }
            let channel = agent_initiated::channel(app, connection, event, now).await?;
            let begun = channel.zip(event.reaches.clone());
            let (channel, key) = begun.ok_or(Refusal::UnknownConversation)?;
            Ok(Found { key, leg: None, begun_on: Some(channel) })
        }
    }
}

/// The leg that the sender means. A far side that chooses the ids may be faster than our own record of
/// what it chose, but for one that begins a conversation of its own.
async fn find_leg(
    app: &App,
    connection: &Connection,
    event: &Event,
    now: Timestamp,
) -> Result<Option<LegAddress>, IntakeError> {
    let mut found = app.directory.leg_address(&connection.id, &event.conversation, now).await?;
    if let (None, Some(Clue::Noted(clue))) = (&found, &event.clue) {
        found = app.store.clue(&connection.id, clue, now).await?;
        if let Some(found) = &found {
            app.store.join_leg(&connection.id, &event.conversation, found, now).await?;
        }
    }
    let own_ids = connection.platform.capabilities().own_ids && event.reaches.is_none();
    let may_come = own_ids || event.clue == Some(Clue::Coming);
    for wait in NOT_YET.into_iter().filter(|_| may_come) {
        if found.is_some() {
            break;
        }
        tokio::time::sleep(wait).await;
        found = app.directory.leg_address(&connection.id, &event.conversation, now).await?;
    }
    Ok(found)
}
