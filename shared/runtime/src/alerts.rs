//! Operations alerts, sent to the observers that subscribe to them.

use serde_json::{Value, json};

use crate::app::App;
use crate::queue::{QueueError, Queues};
use trunkline_core::model::{
    Author, AuthorRole, ConnectionId, ConversationKey, DeadLetter, Delivery, Event, EventBody,
    EventId, Resend, Role, Target,
};

/// An event in the operation of Trunkline that operators should see.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    name: &'static str,
    detail: Value,
}

impl Alert {
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

    /// A delivery was parked, and later deliveries on its leg will be.
    #[must_use]
    pub fn parked(delivery: &Delivery, attempts: u32, reason: &str) -> Self {
        Self { name: "parked", detail: delivery_details(delivery, attempts, reason) }
    }

    /// A delivery failed and waits for an operator.
    #[must_use]
    pub fn failed(delivery: &Delivery, attempts: u32, reason: &str) -> Self {
        Self { name: "failed", detail: delivery_details(delivery, attempts, reason) }
    }

    /// The registration on a platform differed from the configuration and was repaired.
    #[must_use]
    pub fn registration_repaired(connection: &ConnectionId, repair: &str) -> Self {
        let detail = json!({"connection": connection, "repair": repair});
        Self { name: "registration_repaired", detail }
    }

    /// The registration on a platform differs from the configuration.
    #[must_use]
    pub fn registration_out_of_sync(connection: &ConnectionId, problem: &str) -> Self {
        let detail = json!({"connection": connection, "problem": problem});
        Self { name: "registration_out_of_sync", detail }
    }

    /// Trunkline could not process a queue message.
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

fn delivery_details(delivery: &Delivery, attempts: u32, reason: &str) -> Value {
    json!({
        "delivery": delivery.id,
        "connection": delivery.to.connection,
        "conversation": delivery.conversation,
        "attempts": attempts,
        "reason": reason,
    })
}

/// Sends an alert about `connection` to the observers that subscribe to alerts. An alert that cannot be
/// queued is logged and never stops its cause. No alert is sent about an observer that subscribes to alerts,
/// because its own failures would cause further alerts.
pub async fn notify(app: &App, connection: &ConnectionId, alert: &Alert) {
    if let Err(error) = try_notify(app, connection, alert).await {
        tracing::warn!(alert = alert.name, %error, "cannot queue an alert");
    }
}

async fn try_notify(
    app: &App,
    connection: &ConnectionId,
    alert: &Alert,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let now = app.clock.now();
    let observers = app.store.alert_observers().await?;
    if observers.contains(connection) {
        return Ok(());
    }
    for observer in observers {
        let Some(observer) = app.config_cache.connection(&observer, now).await? else { continue };
        let key = ConversationKey { channel: connection.clone(), customer: "operations".into() };
        let id = EventId::from_parts(&["op", &app.ids.next(now)]);
        let body = EventBody::Opaque {
            is_message: false,
            name: format!("trunkline.{}", alert.name),
            raw: alert.detail.clone(),
        };
        let author = Author::nameless(AuthorRole::System);
        let event = Event::new(id, "operations", now, author, body);
        let to = Target::copied(&observer.as_party(), Role::Observer);
        let delivery = Delivery {
            id: Delivery::make_id(&key, connection, &event.id, &to),
            conversation: format!("operations-{connection}").into(),
            key,
            from: connection.clone(),
            to,
            event,
            filed_at: None,
            resend: Resend::No,
        };
        send(app, delivery).await?;
    }
    Ok(())
}

async fn send(app: &App, delivery: Delivery) -> Result<(), QueueError> {
    app.queues.send(Queues::delivery_message(delivery)?).await
}
