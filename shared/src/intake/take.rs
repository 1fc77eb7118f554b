//! Takes one event: find the conversation, decide, write, queue.

use futures_util::future::try_join_all;
use jiff::Timestamp;

use crate::app::App;
use crate::model::{
    Connection, Conversation, ConversationKey, Delivery, Event, Parties, Party, Role,
};
use crate::queue::{Packed, QueueError, Queues};
use crate::secrets::SecretsError;
use crate::store::{EventRecord, StoreError, Written};
use crate::switchboard::{self, Refusal, Situation, Standing, Start};

/// How often an event is decided anew because the conversation changed meanwhile.
const TRIES: usize = 8;
/// The longest id of a far side's conversation, in bytes: it is part of a key.
const MAX_CONVERSATION_ID: usize = 512;

/// An event that is now ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its conversation's id.
    pub conversation: String,
    /// Whether it had been taken before. A duplicate is answered like its first.
    pub duplicate: bool,
}

/// Why an event is not taken. Permanent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The switchboard refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What it would become does not fit into a queue's message.
    #[error("the event is too large once unpacked: {size} bytes")]
    TooLarge {
        /// The size in bytes.
        size: usize,
    },
    /// The conversation's id is empty or too long.
    #[error("a conversation's id has 1 to {MAX_CONVERSATION_ID} bytes, this one {0}")]
    ConversationId(usize),
}

impl Rejection {
    /// A short word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::TooLarge { .. } => "too_large",
            Self::ConversationId(_) => "bad_conversation_id",
        }
    }

    /// Whether the event stands in the transcript all the same.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        matches!(self, Self::Refused(Refusal::NotOwner))
    }
}

/// Why an event is not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IntakeError {
    /// Permanent: sending it again changes nothing.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Ours: the table. Sending it again may help.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Ours: a queue. Sending it again may help.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Ours: the secrets. Sending it again may help.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// Ours: many changes of one conversation at once. Sending it again may help.
    #[error("the conversation changed {TRIES} times while the event was decided on")]
    Contended,
}

impl From<Refusal> for IntakeError {
    fn from(refusal: Refusal) -> Self {
        Self::Rejected(refusal.into())
    }
}

/// Takes an event from `connection`. Returns only when every delivery is in its queue.
///
/// # Errors
/// Why it is not taken.
pub async fn take(app: &App, connection: &Connection, event: Event) -> Result<Taken, IntakeError> {
    let now = app.clock.now();
    let length = event.conversation.len();
    if length == 0 || length > MAX_CONVERSATION_ID {
        return Err(Rejection::ConversationId(length).into());
    }
    let key = find_key(app, connection, &event, now).await?;
    for _ in 0..TRIES {
        let conversation = app.store.conversation(&key).await?;
        let start = start(app, connection, &key, conversation.as_ref(), now).await?;
        let from = connection.role;
        let situation =
            Situation { conversation: conversation.as_ref(), start, from, event: &event, now };
        let mut decision = match switchboard::decide(&situation) {
            Ok(decision) => decision,
            Err(refusal) => {
                // It may be a duplicate of one that was taken while the conversation was another.
                let first = app.store.event(&key, &connection.id, &event.id).await?;
                return duplicate(app, first.ok_or(refusal)?).await;
            }
        };
        let goes_on = conversation.as_ref().is_some_and(|c| app.store.is_stale(c.touched_at, now));
        if goes_on && !decision.changed {
            decision.conversation.version += 1;
            decision.changed = true;
        }
        decision.conversation.touched_at = now;
        let record = EventRecord {
            key: key.clone(),
            conversation: decision.conversation.id.clone(),
            from: connection.id.clone(),
            event: event.clone(),
            standing: decision.standing,
            targets: decision.targets,
            outcomes: std::collections::BTreeMap::new(),
        };
        // What does not fit into the queue must not be accepted.
        let packed = pack(record.deliveries())?;
        let written = if decision.changed {
            app.store.write_event_and_conversation(&record, &decision.conversation, now).await?
        } else {
            app.store.write_event(&record, now).await?
        };
        match written {
            Written::Outdated => {}
            Written::New => return finish(app, record, packed, false).await,
            Written::Duplicate(first) => return duplicate(app, *first).await,
        }
    }
    Err(IntakeError::Contended)
}

/// Queues whatever of a duplicate's first has no outcome yet: it may not have been queued or sent.
async fn duplicate(app: &App, first: EventRecord) -> Result<Taken, IntakeError> {
    let open = first.unsettled().map(|delivery| Delivery { again: true, ..delivery });
    let packed = pack(open)?;
    finish(app, first, packed, true).await
}

async fn finish(
    app: &App,
    record: EventRecord,
    packed: Vec<Packed>,
    duplicate: bool,
) -> Result<Taken, IntakeError> {
    try_join_all(packed.into_iter().map(|packed| app.queues.send(packed))).await?;
    if record.standing == Standing::Late {
        return Err(Refusal::NotOwner.into());
    }
    Ok(Taken { conversation: record.conversation, duplicate })
}

fn pack(deliveries: impl Iterator<Item = Delivery>) -> Result<Vec<Packed>, IntakeError> {
    deliveries.map(Queues::pack).collect::<Result<_, _>>().map_err(|error| match error {
        QueueError::TooLarge { size } => Rejection::TooLarge { size }.into(),
        other => other.into(),
    })
}

/// The channel's side knows a conversation by its own key; everybody else by the leg that was opened
/// for them.
async fn find_key(
    app: &App,
    connection: &Connection,
    event: &Event,
    now: Timestamp,
) -> Result<ConversationKey, IntakeError> {
    match connection.role {
        Role::Channel => Ok(ConversationKey {
            channel: connection.id.clone(),
            customer: event.conversation.clone(),
        }),
        Role::Observer => Err(Refusal::OnlyListens.into()),
        Role::Bot | Role::Desk => {
            let found = app.directory.leg_address(&connection.id, &event.conversation, now).await?;
            Ok(found.ok_or(Refusal::UnknownConversation)?.key)
        }
    }
}

/// What a new conversation would start with. Only asked for where one may start, so that an ordinary
/// message reads no route.
async fn start(
    app: &App,
    connection: &Connection,
    key: &ConversationKey,
    conversation: Option<&Conversation>,
    now: Timestamp,
) -> Result<Option<Start>, IntakeError> {
    let goes_on = conversation.is_some_and(Conversation::is_open);
    let (Role::Channel, false, Some(route)) = (connection.role, goes_on, &connection.route) else {
        return Ok(None);
    };
    let Some(route) = app.directory.route(route, now).await? else { return Ok(None) };
    let Some(bot) = party(app, &route.bot, now).await? else { return Ok(None) };
    let mut observers = Vec::new();
    for observer in &route.observers {
        observers.extend(party(app, observer, now).await?);
    }
    let parties = Parties { channel: connection.as_party(), bot, observers };
    Ok(Some(Start { key: key.clone(), id: app.ids.next(now), route: route.id, parties }))
}

async fn party(
    app: &App,
    id: &crate::model::ConnectionId,
    now: Timestamp,
) -> Result<Option<Party>, StoreError> {
    Ok(app.directory.connection(id, now).await?.map(|connection| connection.as_party()))
}
