//! Ingests one event: finds its conversation, routes it, stores it, and queues its deliveries.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::records::{self, Records};
use super::{
    InboundError, Ingested, Rejection, agent_initiated, earlier_message, enqueue, limits,
    private_files,
};
use crate::app::App;
use crate::schedule::schedule;
use crate::store::{Filing, HeldEvent, LegAddress, WriteResult, own_key_time};
use trunkline_core::model::{
    Author, AuthorRole, Connection, ConnectionId, Conversation, ConversationKey, CorrelationHint,
    Delivery, DueTimer, Event, EventBody, EventId, ExternalMessageId, HandoverId, LegId,
    MAX_EXTERNAL_ID_BYTES, Resend, ResolvedRoute, Role, ScheduledTask, SessionId, Trace,
};
use trunkline_core::model::{Disposition, EventRecord};
use trunkline_core::routing::{
    self, Decision, NewConversation, Refusal, RoutingInput, Sender, SystemTrigger,
};

/// Maximum number of routing decisions for one event while concurrent events change the conversation.
const MAX_TRIES: usize = 8;
/// Maximum age of the conversation snapshot behind a decision that changes nothing; an older one is read
/// again. The transcript for a new owner is read only after twice this time (`outbound::transcript`).
const MAX_SNAPSHOT_AGE: SignedDuration = SignedDuration::from_millis(500);
/// Delays before an id that the platform has just chosen is looked up again.
const LOOKUP_DELAYS: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900)];

/// An event together with its sender.
#[derive(Debug)]
struct InboundEvent<'a> {
    key: ConversationKey,
    from: ConnectionId,
    sender: Sender<'a>,
    /// Whether the transcript is sorted by the event's own time instead of its arrival.
    uses_own_timestamp: bool,
    /// The channel connection on which the event may start a conversation.
    channel: Option<&'a Connection>,
    /// Whether an agent starts the conversation with this event.
    agent_initiated: bool,
    event: Event,
}

/// Ingests an event from `connection`, or holds it for reordering if the connection has a
/// `reorder_window`. Returns only when every delivery is in its queue.
///
/// # Errors
/// If the event is rejected, or an internal error occurred.
pub async fn ingest(
    app: &App,
    connection: &Connection,
    event: Event,
) -> Result<Ingested, InboundError> {
    if let Some(seconds) = connection.reorder_window {
        let now = app.clock.now();
        let ConversationMatch { key, .. } = find_conversation(app, connection, &event, now).await?;
        let leg = LegId { key, connection: connection.id.clone() };
        let conversation = event.external_conversation_id.as_str().into();
        let until = now + SignedDuration::from_secs(i64::from(seconds));
        let task = ScheduledTask::ReleaseHeld {
            platform: connection.platform,
            leg: leg.clone(),
            at: until,
        };
        // Scheduled before the event is held: a crash in between must not leave it held.
        schedule(app, &task).await?;
        app.store.hold(&leg, &HeldEvent { event, until }).await?;
        return Ok(Ingested { conversation, duplicate: false });
    }
    ingest_now(app, connection, event).await
}

/// Ingests an event from `connection` without holding it for reordering.
///
/// # Errors
/// If the event is rejected, or an internal error occurred.
pub async fn ingest_now(
    app: &App,
    connection: &Connection,
    mut event: Event,
) -> Result<Ingested, InboundError> {
    let now = app.clock.now();
    event.trace.get_or_insert_with(|| Trace::from_seed(&app.ids.next(now)));
    let ConversationMatch { key, session, agent_initiated_on } =
        find_conversation(app, connection, &event, now).await?;
    earlier_message::resolve(app, &connection.id, &key, &mut event.body).await?;
    private_files::relay(app, connection, &key, &mut event, now).await?;
    let role = connection.role;
    let inbound = InboundEvent {
        key,
        from: connection.id.clone(),
        sender: Sender::Party { role, session: session.as_ref() },
        uses_own_timestamp: connection.orders_by_timestamp(),
        agent_initiated: agent_initiated_on.is_some(),
        channel: agent_initiated_on.as_deref().or((role == Role::Channel).then_some(connection)),
        event,
    };
    let ingested = apply(app, &inbound).await?;
    if inbound.agent_initiated {
        agent_initiated::bind_session(app, connection, &inbound.key, &inbound.event).await?;
    }
    Ok(ingested)
}

/// Ingests an event on behalf of the target of a delivery, such as the receipt of a failed delivery.
///
/// # Errors
/// If the event is rejected, or an internal error occurred.
pub async fn ingest_from_target(
    app: &App,
    delivery: &Delivery,
    id: EventId,
    body: EventBody,
) -> Result<Ingested, InboundError> {
    let session = Some(delivery.session_id());
    let inbound = InboundEvent {
        key: delivery.key.clone(),
        from: delivery.to.connection.clone(),
        sender: Sender::Party { role: delivery.to.role, session },
        uses_own_timestamp: false,
        channel: None,
        agent_initiated: false,
        event: Event {
            trace: delivery.event.trace,
            ..new_event(app, Author::nameless(AuthorRole::System), &delivery.key, id, body)
        },
    };
    apply(app, &inbound).await
}

/// Ingests an event that Trunkline itself creates, because of an operator or a timer.
///
/// # Errors
/// If the event is rejected, or an internal error occurred.
pub async fn ingest_system(
    app: &App,
    key: &ConversationKey,
    id: EventId,
    author: Author,
    body: EventBody,
    cause: SystemTrigger<'_>,
) -> Result<Ingested, InboundError> {
    let inbound = InboundEvent {
        key: key.clone(),
        from: ConnectionId::system(),
        sender: Sender::System(cause),
        uses_own_timestamp: false,
        channel: None,
        agent_initiated: false,
        event: new_event(app, author, key, id, body),
    };
    apply(app, &inbound).await
}

fn new_event(
    app: &App,
    author: Author,
    key: &ConversationKey,
    id: EventId,
    body: EventBody,
) -> Event {
    let now = app.clock.now();
    let trace = Some(Trace::from_seed(&app.ids.next(now)));
    Event { trace, ..Event::new(id, key.customer.as_str(), now, author, body) }
}

/// Routes an event and stores the decision, again if the conversation changes in between.
async fn apply(app: &App, inbound: &InboundEvent<'_>) -> Result<Ingested, InboundError> {
    let InboundEvent { key, from, event, .. } = inbound;
    let mut filed_at = None;
    for _ in 0..MAX_TRIES {
        let now = app.clock.now();
        let conversation = app.store.conversation(key).await?;
        let decision = match route(app, inbound, conversation.as_ref(), now).await {
            Ok(decision) => decision,
            Err(InboundError::Rejected(why)) => {
                // It may be a duplicate of an event that was accepted in an earlier state of the
                // conversation.
                let first = app.store.event(key, from, &event.id, event.identifying_time()).await?;
                return Box::pin(resume_duplicate(app, first.ok_or(why)?)).await;
            }
            Err(internal) => return Err(internal),
        };
        let at = match filed_at.or_else(|| own_key_time(event, now)) {
            Some(at) => at,
            None => match Box::pin(app.store.claim_event(key, from, event, now)).await? {
                Filing::At(at) => at,
                Filing::Duplicate(first) => return Box::pin(resume_duplicate(app, *first)).await,
            },
        };
        filed_at = Some(at);
        match persist_and_enqueue(app, inbound, decision, at, now).await? {
            Persisted::Done(ingested) => return Ok(ingested),
            Persisted::Outdated => {}
            Persisted::ClaimedAt(first) => filed_at = Some(first),
        }
    }
    Err(InboundError::Contended)
}

/// Result of storing a decision.
enum Persisted {
    Done(Ingested),
    /// The conversation changed since it was read, or may have.
    Outdated,
    /// The event is to be stored under this time, as an earlier attempt decided.
    ClaimedAt(Timestamp),
}

/// Stores a decision on the conversation as read at `now`, then queues its deliveries. The event is stored
/// under the time `filed_at`.
async fn persist_and_enqueue(
    app: &App,
    inbound: &InboundEvent<'_>,
    mut decision: Decision,
    filed_at: Timestamp,
    now: Timestamp,
) -> Result<Persisted, InboundError> {
    let event = &inbound.event;
    let timers = std::mem::take(&mut decision.timers);
    let (mut records, mut conversation) =
        records::build(&inbound.key, &inbound.from, event, decision, filed_at, now);
    let deliveries: Vec<Delivery> = records.deliveries().collect();
    records.count_parts(&deliveries);
    if let Some(offer) = conversation.as_mut().and_then(|changed| changed.offer.as_mut()) {
        offer.note_parts(&records.main);
    }
    // An event whose deliveries do not fit into the queue must not be accepted.
    let messages = enqueue::to_messages(deliveries.into_iter())?;
    // Scheduled before the write: a crash in between must not lose the timer. A timer without the
    // write is obsolete when it fires.
    for DueTimer { timer, at } in timers {
        let task = ScheduledTask::Timer { key: inbound.key.clone(), timer, at };
        schedule(app, &task).await?;
    }
    if conversation.is_none() && app.clock.now().duration_since(now) > MAX_SNAPSHOT_AGE {
        return Ok(Persisted::Outdated);
    }
    let own_time = Some(event.at).filter(|_| inbound.uses_own_timestamp);
    let (identity, others) = records.positioned(own_time.unwrap_or(now));
    match app.store.write_events(&identity, &others, conversation.as_ref(), now).await? {
        WriteResult::Conflict => Ok(Persisted::Outdated),
        WriteResult::ClaimedAt(first) => Ok(Persisted::ClaimedAt(first)),
        WriteResult::New => {
            enqueue::send_in_order(app, messages).await?;
            ingested(records.main, false).map(Persisted::Done)
        }
        WriteResult::Duplicate(first) => {
            Box::pin(resume_duplicate(app, *first)).await.map(Persisted::Done)
        }
    }
}

/// Asks the switchboard for a decision.
async fn route(
    app: &App,
    inbound: &InboundEvent<'_>,
    conversation: Option<&Conversation>,
    now: Timestamp,
) -> Result<Decision, InboundError> {
    let open = conversation.filter(|conversation| conversation.is_open());
    let channel = inbound.channel;
    let route = match (open, channel) {
        (Some(conversation), _) => Some(&conversation.route),
        (None, Some(channel)) => channel.route.as_ref(),
        (None, None) => None,
    };
    let resolved: Option<Arc<ResolvedRoute>> = match route {
        Some(route) => app.config_cache.resolved_route(route, now).await?,
        None => None,
    };
    let new_conversation = channel.filter(|_| open.is_none()).map(|channel| NewConversation {
        key: inbound.key.clone(),
        id: app.ids.next(now).into(),
        channel: channel.as_party(),
    });
    let new_handover_id = HandoverId::from(app.ids.next(now));
    let event = &inbound.event;
    let external_id = event.external_message_id.as_ref().map_or("", ExternalMessageId::as_str);
    let input = RoutingInput {
        conversation,
        route: resolved.as_deref(),
        new_conversation: new_conversation.as_ref(),
        from: inbound.sender,
        event,
        echo: Delivery::is_delivery_id(external_id),
        agent_initiated: inbound.agent_initiated,
        now,
        new_handover_id: &new_handover_id,
    };
    let mut decision = routing::decide(&input)?;
    // Rewritten from time to time, so that an open conversation does not expire.
    if open.is_some_and(|c| app.store.is_stale(c.touched_at, now)) && !decision.changed {
        decision.conversation.version += 1;
        decision.changed = true;
    }
    decision.conversation.touched_at = now;
    Ok(decision)
}

/// Queues those deliveries of an event that was already accepted, and of its system events, that have no
/// outcome yet: a crash may have prevented them from being queued.
async fn resume_duplicate(app: &App, first: EventRecord) -> Result<Ingested, InboundError> {
    let system = ConnectionId::system();
    let mut records = Records { preceding: Vec::new(), main: first, following: Vec::new() };
    let EventRecord { key, filed_at, .. } = &records.main;
    for id in &records.main.preceding {
        records.preceding.extend(app.store.event_at(key, &system, id, *filed_at).await?);
    }
    for id in &records.main.following {
        records.following.extend(app.store.event_at(key, &system, id, *filed_at).await?);
    }
    let repeated = |delivery| Delivery { resend: Resend::AfterDuplicate, ..delivery };
    enqueue::send_in_order(
        app,
        enqueue::to_messages(records.unfinished_deliveries().map(repeated))?,
    )
    .await?;
    ingested(records.main, true)
}

fn ingested(record: EventRecord, duplicate: bool) -> Result<Ingested, InboundError> {
    if record.disposition == Disposition::NotOwner {
        return Err(Refusal::NotOwner.into());
    }
    Ok(Ingested { conversation: record.conversation, duplicate })
}

/// The conversation to which an event belongs.
struct ConversationMatch {
    key: ConversationKey,
    /// The id by which the sender's leg knows the conversation.
    session: Option<SessionId>,
    /// The channel on which an agent starts the conversation.
    agent_initiated_on: Option<Arc<Connection>>,
}

/// Finds the conversation of an event. A channel knows it by the customer; bots and desks by the leg that
/// was opened for them. A desk may instead name the customer, to start a conversation.
async fn find_conversation(
    app: &App,
    connection: &Connection,
    event: &Event,
    now: Timestamp,
) -> Result<ConversationMatch, InboundError> {
    limits::check(event)?;
    let length = event.external_conversation_id.as_str().len();
    if length == 0 || length > MAX_EXTERNAL_ID_BYTES {
        return Err(Rejection::ConversationIdLength(length).into());
    }
    match connection.role {
        Role::Channel => {
            let key = find_customer(app, connection, event, now).await?;
            Ok(ConversationMatch { key, session: None, agent_initiated_on: None })
        }
        Role::Observer => Err(Refusal::ObserverCannotSend.into()),
        Role::Bot | Role::Desk => {
            let found = find_leg(app, connection, event, now).await?;
            if let Some(found) = found {
                let session = Some(found.session_id);
                return Ok(ConversationMatch { key: found.key, session, agent_initiated_on: None });
            }
            let channel = agent_initiated::find_channel(app, connection, event, now).await?;
            let initiated = channel.zip(event.intended_recipient.clone());
            let (channel, key) = initiated.ok_or(Refusal::UnknownConversation)?;
            Ok(ConversationMatch { key, session: None, agent_initiated_on: Some(channel) })
        }
    }
}

/// Finds the customer of a channel's event: its conversation id names the customer. An event whose
/// conversation may have an id of its own is joined to the customer that it, or an earlier event under that
/// id, names. It is refused if the customer is unknown, or if an earlier event named another one.
async fn find_customer(
    app: &App,
    channel: &Connection,
    event: &Event,
    now: Timestamp,
) -> Result<ConversationKey, InboundError> {
    let id = &event.external_conversation_id;
    let key_of = |customer: &str| ConversationKey {
        channel: channel.id.clone(),
        customer: customer.to_owned(),
    };
    let own = key_of(id.as_str());
    let Some(CorrelationHint::Customer(named)) = &event.correlation_hint else { return Ok(own) };
    let named = named.as_deref().filter(|named| named.len() <= MAX_EXTERNAL_ID_BYTES).map(key_of);
    let known = match app.config_cache.leg_address(&channel.id, id, now).await? {
        Some(found) => Some(found.key),
        None => app.store.conversation(&own).await?.map(|_| own),
    };
    match (known, named) {
        (Some(known), named) if named.as_ref().is_none_or(|named| *named == known) => Ok(known),
        (None, Some(key)) => {
            let conversation = app.store.conversation(&key).await?;
            let conversation = conversation.ok_or(Refusal::UnknownConversation)?;
            let session_id = conversation.id.as_session_id().clone();
            let address = LegAddress { key: key.clone(), session_id };
            app.store.put_leg_address(&channel.id, id, &address, now).await?;
            Ok(key)
        }
        _ => Err(Refusal::UnknownConversation.into()),
    }
}

/// Finds the leg of an event. A platform that chooses the ids itself may call before its id is stored, so
/// the lookup is repeated, unless the event starts a conversation.
async fn find_leg(
    app: &App,
    connection: &Connection,
    event: &Event,
    now: Timestamp,
) -> Result<Option<LegAddress>, InboundError> {
    let mut found =
        app.config_cache.leg_address(&connection.id, &event.external_conversation_id, now).await?;
    if let (None, Some(CorrelationHint::Key(key))) = (&found, &event.correlation_hint) {
        found = app.store.leg_address_by_hint(&connection.id, key, now).await?;
        if let Some(found) = &found {
            app.store
                .put_leg_address(&connection.id, &event.external_conversation_id, found, now)
                .await?;
        }
    }
    let assigns_ids =
        connection.behaviour.assigns_conversation_ids && event.intended_recipient.is_none();
    let may_follow = assigns_ids || event.correlation_hint == Some(CorrelationHint::Pending);
    for wait in LOOKUP_DELAYS.into_iter().filter(|_| may_follow) {
        if found.is_some() {
            break;
        }
        tokio::time::sleep(wait).await;
        found = app
            .config_cache
            .leg_address(&connection.id, &event.external_conversation_id, now)
            .await?;
    }
    Ok(found)
}
