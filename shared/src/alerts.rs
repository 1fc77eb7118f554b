//! Reports to the observers that asked for them.

use serde_json::{Value, json};

use crate::app::App;
use crate::model::{
    Author, AuthorRole, ConnectionId, ConversationKey, DeadLetter, Delivery, Event, EventBody,
    EventId, Role, Target,
};
use crate::queue::{QueueError, Queues};

/// Something that an operator should see.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    name: &'static str,
    detail: Value,
}

impl Report {
    /// A connection's breaker opened.
    #[must_use]
    pub fn breaker_opened(connection: &ConnectionId, failures: u32, reason: &str) -> Self {
        let detail = json!({"connection": connection, "failures": failures, "reason": reason});
        Self { name: "breaker_opened", detail }
    }

    /// A connection's breaker closed.
    #[must_use]
    pub fn breaker_closed(connection: &ConnectionId) -> Self {
        Self { name: "breaker_closed", detail: json!({"connection": connection}) }
    }

    /// A delivery was parked, and what comes behind it will be.
    #[must_use]
    pub fn parked(delivery: &Delivery, attempts: u32, reason: &str) -> Self {
        Self { name: "parked", detail: about(delivery, attempts, reason) }
    }

    /// A delivery waits for a person.
    #[must_use]
    pub fn failed(delivery: &Delivery, attempts: u32, reason: &str) -> Self {
        Self { name: "failed", detail: about(delivery, attempts, reason) }
    }

    /// A far side had us registered otherwise than we want, which was mended.
    #[must_use]
    pub fn registration_mended(connection: &ConnectionId, what: &str) -> Self {
        let detail = json!({"connection": connection, "what": what});
        Self { name: "registration_mended", detail }
    }

    /// A far side has us registered otherwise than we want.
    #[must_use]
    pub fn registration_unwell(connection: &ConnectionId, why: &str) -> Self {
        let detail = json!({"connection": connection, "reason": why});
        Self { name: "registration_unwell", detail }
    }

    /// Our own side could not handle a message.
    #[must_use]
    pub fn dead_letter(letter: &DeadLetter) -> Self {
        let detail = json!({
            "letter": letter.id,
            "platform": letter.platform,
            "reason": letter.reason,
        });
        Self { name: "dead_letter", detail }
    }
}

fn about(delivery: &Delivery, attempts: u32, reason: &str) -> Value {
    json!({
        "delivery": delivery.id,
        "connection": delivery.to.connection,
        "conversation": delivery.conversation,
        "attempts": attempts,
        "reason": reason,
    })
}

/// Tells a report about `connection` to the observers that asked for such. A report that cannot be
/// queued is in the log; it must not stop what it is about. Nobody is told of their own troubles.
pub async fn tell(app: &App, connection: &ConnectionId, report: &Report) {
    if let Err(why) = try_tell(app, connection, report).await {
        tracing::warn!(report = report.name, %why, "a report could not be told");
    }
}

async fn try_tell(
    app: &App,
    connection: &ConnectionId,
    report: &Report,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let now = app.clock.now();
    let listeners = app.store.operators().await?;
    if listeners.contains(connection) {
        return Ok(());
    }
    for listener in listeners {
        let Some(listener) = app.directory.connection(&listener, now).await? else { continue };
        let key = ConversationKey { channel: connection.clone(), customer: "operations".into() };
        let id = EventId::from_parts(&["op", &app.ids.next(now)]);
        let body = EventBody::Opaque {
            said: false,
            name: format!("trunkline.{}", report.name),
            raw: report.detail.clone(),
        };
        let author = Author::nameless(AuthorRole::System);
        let event = Event::new(id, "operations", now, author, body);
        let to = Target::copied(&listener.as_party(), Role::Observer);
        let delivery = Delivery {
            id: Delivery::id(&key, connection, &event.id, &to),
            conversation: format!("operations-{connection}"),
            key,
            from: connection.clone(),
            to,
            event,
            again: false,
            replay: false,
        };
        send(app, delivery).await?;
    }
    Ok(())
}

async fn send(app: &App, delivery: Delivery) -> Result<(), QueueError> {
    app.queues.send(Queues::pack(delivery)?).await
}
