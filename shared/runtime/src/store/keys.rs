//! The keys of the table's items: the one list of item kinds ([`ITEMS`]) and the functions that build the
//! keys.
//!
//! docs/architecture.md shows the same list. Tests compare the list with the document and with every key
//! that the functions build.

use jiff::Timestamp;

use trunkline_core::model::{
    ConnectionId, ConversationKey, DeliveryId, EventId, ExternalConversationId, FileId, LegId,
    PlatformId, RouteId, time,
};

/// A kind of item in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemKind {
    /// Pattern of the partition key `pk`: literal text and `<placeholders>`.
    pub partition_key: &'static str,
    /// Pattern of the sort key `sk`.
    pub sort_key: &'static str,
    /// What an item of this kind holds, in Markdown.
    pub description: &'static str,
}

const fn kind(
    partition_key: &'static str,
    sort_key: &'static str,
    description: &'static str,
) -> ItemKind {
    ItemKind { partition_key, sort_key, description }
}

/// Every kind of item in the table.
///
/// `<group>` is the SQS message group of a leg, `<time>` and `<minute>` are RFC 3339 with milliseconds,
/// and `<seq>` has 20 digits. Only the last placeholder of a key can contain a `#`.
pub const ITEMS: &[ItemKind] = &[
    kind("CONV#<channel>#<customer>", "CONV", "conversation: owner, parties, version"),
    kind(
        "CONV#<channel>#<customer>",
        "EVT#<time>#<connection>#<event>",
        "event with its targets and their outcomes, or the claim of one whose time is far from its arrival",
    ),
    kind(
        "CONV#<channel>#<customer>",
        "ID#<connection>#<event>",
        "claim of an event that its id alone identifies: the time in the event's key",
    ),
    kind(
        "CONV#<channel>#<customer>",
        "LEG#<connection>",
        "leg: sessions with their external ids, number of parked deliveries, version",
    ),
    kind(
        "LEG#<connection>#<external conversation>",
        "LEG",
        "conversation that an external conversation id belongs to",
    ),
    kind("HINT#<connection>#<hint>", "HINT", "conversation that a correlation hint leads to"),
    kind("CONN#<connection>", "CONN", "connection, as last applied"),
    kind("CONNECTIONS", "<connection>", "entry in the list of connections"),
    kind("ROUTE#<route>", "ROUTE", "route, as last applied"),
    kind("ROUTES", "<route>", "entry in the list of routes"),
    kind("ALERT_OBSERVERS", "ALERT_OBSERVERS", "observers that receive operations alerts"),
    kind("HEALTH#<connection>", "HEALTH", "result of the last connection check"),
    kind("HEALTH#<connection>", "REGISTRATION", "result of the last registration check"),
    kind("BREAKER#<connection>", "BREAKER", "breaker of a connection"),
    kind("PARK#<group>", "SEQ#<seq>", "parked delivery, in the leg's order"),
    kind("PARK#<group>", "ID#<delivery>", "marker that a delivery is parked, against duplicates"),
    kind("PARKED#<connection>", "<group>", "leg with parked deliveries"),
    kind("FAILED#<connection>", "<delivery>", "failed delivery, waiting for an operator"),
    kind("WAITING", "PARKED#<connection>", "connection that has, or had, parked deliveries"),
    kind("WAITING", "FAILED#<connection>", "connection that has, or had, failed deliveries"),
    kind(
        "HELD#<group>",
        "<time>#<event>",
        "event held until earlier events arrive (`reorder_window`)",
    ),
    kind(
        "DUE#<partition>",
        "<time>#<task>",
        "scheduled task that is more than 15 minutes ahead, or that starts a new chain of messages",
    ),
    kind("ACTIVE#<platform>", "<time>#<group>", "session that needs a socket listener"),
    kind("LISTENER#<platform>", "LEASE", "lease of the socket listener: holder and expiry"),
    kind("REJECT#<connection>", "<time>#<id>", "rejected inbound body, for seven days"),
    kind("DEAD", "<time>#<id>", "dead letter"),
    kind(
        "STALLED_QUEUES",
        "STALLED_QUEUES",
        "outbound queues that no worker reads, each with the time since when",
    ),
    kind("FILE#<file>", "FILE", "relayed file: its source, its state, its expiry"),
    kind("FILE_KEY", "FILE_KEY", "key that signs the links of relayed files"),
    kind("RATE#<connection>", "<minute>", "event counters for the console, for 26 hours"),
    kind("TOKENS", "<token>", "API token: digest, role, expiry"),
    kind(
        "TOKEN_FAILURES#<source>",
        "<minute>",
        "number of wrong API tokens from a source address, for ten minutes",
    ),
    kind("AUDIT", "<id>", "audit entry, for 400 days"),
];

pub(super) const CONVERSATION_SK: &str = "CONV";
pub(super) const EVENT_PREFIX: &str = "EVT#";
pub(super) const CLAIM_PREFIX: &str = "ID#";
pub(super) const LEG_PREFIX: &str = "LEG#";
pub(super) const LEG_INDEX_SK: &str = "LEG";
pub(super) const HINT_SK: &str = "HINT";
pub(super) const CONNECTION_SK: &str = "CONN";
pub(super) const CONNECTIONS: &str = "CONNECTIONS";
pub(super) const ROUTE_SK: &str = "ROUTE";
pub(super) const ROUTES: &str = "ROUTES";
/// Partition key and sort key of the one item.
pub(super) const ALERT_OBSERVERS: &str = "ALERT_OBSERVERS";
pub(super) const HEALTH_SK: &str = "HEALTH";
pub(super) const REGISTRATION_SK: &str = "REGISTRATION";
pub(super) const BREAKER_SK: &str = "BREAKER";
pub(super) const SEQ_PREFIX: &str = "SEQ#";
pub(super) const PARKED_PREFIX: &str = "PARKED#";
pub(super) const FAILED_PREFIX: &str = "FAILED#";
pub(super) const WAITING: &str = "WAITING";
pub(super) const LEASE_SK: &str = "LEASE";
pub(super) const DEAD: &str = "DEAD";
/// Partition key and sort key of the one item.
pub(super) const STALLED_QUEUES: &str = "STALLED_QUEUES";
pub(super) const FILE_SK: &str = "FILE";
/// Partition key and sort key of the one item.
pub(super) const FILE_KEY: &str = "FILE_KEY";
pub(super) const TOKENS: &str = "TOKENS";
pub(super) const AUDIT: &str = "AUDIT";

/// The customer's id is the last part, so a `#` in it is unambiguous.
pub(super) fn conversation_pk(key: &ConversationKey) -> String {
    format!("CONV#{}#{}", key.channel, key.customer)
}

/// Returns the conversation with this partition key. A connection id contains no `#`.
pub(super) fn parse_conversation_pk(pk: &str) -> Option<ConversationKey> {
    let (channel, customer) = pk.strip_prefix("CONV#")?.split_once('#')?;
    Some(ConversationKey { channel: channel.parse().ok()?, customer: customer.to_owned() })
}

/// An event's key sorts by its time, in milliseconds.
pub(super) fn event_sk(at: Timestamp, from: &ConnectionId, id: &EventId) -> String {
    format!("{EVENT_PREFIX}{}#{from}#{}", time::format_rfc3339_millis(at), id.as_str())
}

/// Returns a sort key after those of all events up to a time.
pub(super) fn event_sk_after(at: Timestamp) -> String {
    format!("{EVENT_PREFIX}{}~", time::format_rfc3339_millis(at))
}

/// Returns the time, the source connection and the id of the event with this sort key. A time and a
/// connection id contain no `#`.
pub(super) fn parse_event_sk(sk: &str) -> Option<(Timestamp, ConnectionId, EventId)> {
    let (at, rest) = sk.strip_prefix(EVENT_PREFIX)?.split_once('#')?;
    let (from, id) = rest.split_once('#')?;
    Some((at.parse().ok()?, from.parse().ok()?, EventId::from_key(id)))
}

pub(super) fn claim_sk(from: &ConnectionId, id: &EventId) -> String {
    format!("{CLAIM_PREFIX}{from}#{}", id.as_str())
}

pub(super) fn leg_sk(connection: &ConnectionId) -> String {
    format!("{LEG_PREFIX}{connection}")
}

pub(super) fn leg_index_pk(
    connection: &ConnectionId,
    external_id: &ExternalConversationId,
) -> String {
    format!("LEG#{connection}#{external_id}")
}

pub(super) fn due_pk(partition: u8) -> String {
    format!("DUE#{partition}")
}

/// Returns a sort key after those of all tasks up to a time.
pub(super) fn due_sk_after(at: Timestamp) -> String {
    time_sk(at, "~")
}

pub(super) fn hint_pk(connection: &ConnectionId, hint: &str) -> String {
    format!("HINT#{connection}#{hint}")
}

pub(super) fn connection_pk(id: &ConnectionId) -> String {
    format!("CONN#{id}")
}

pub(super) fn route_pk(id: &RouteId) -> String {
    format!("ROUTE#{id}")
}

pub(super) fn health_pk(id: &ConnectionId) -> String {
    format!("HEALTH#{id}")
}

pub(super) fn breaker_pk(connection: &ConnectionId) -> String {
    format!("BREAKER#{connection}")
}

pub(super) fn park_pk(leg: &LegId) -> String {
    format!("PARK#{}", leg.message_group())
}

/// Padded to 20 digits so that the table's order is the numbers' order.
pub(super) fn seq_sk(seq: u64) -> String {
    format!("{SEQ_PREFIX}{seq:020}")
}

pub(super) fn parked_marker_sk(delivery: &DeliveryId) -> String {
    format!("ID#{delivery}")
}

/// Partition key of a connection's parked legs; also the sort key of its entry in [`WAITING`].
pub(super) fn parked_pk(connection: &ConnectionId) -> String {
    format!("{PARKED_PREFIX}{connection}")
}

/// Partition key of a connection's failed deliveries; also the sort key of its entry in [`WAITING`].
pub(super) fn failed_pk(connection: &ConnectionId) -> String {
    format!("{FAILED_PREFIX}{connection}")
}

pub(super) fn held_pk(leg: &LegId) -> String {
    format!("HELD#{}", leg.message_group())
}

pub(super) fn active_pk(platform: PlatformId) -> String {
    format!("ACTIVE#{platform}")
}

pub(super) fn listener_pk(platform: PlatformId) -> String {
    format!("LISTENER#{platform}")
}

pub(super) fn rejected_pk(connection: &ConnectionId) -> String {
    format!("REJECT#{connection}")
}

pub(super) fn file_pk(id: &FileId) -> String {
    format!("FILE#{id}")
}

pub(super) fn rate_pk(connection: &ConnectionId) -> String {
    format!("RATE#{connection}")
}

pub(super) fn token_failures_pk(source: &str) -> String {
    format!("TOKEN_FAILURES#{source}")
}

/// A sort key that orders items by time, then by `id`.
pub(super) fn time_sk(at: Timestamp, id: &str) -> String {
    format!("{}#{id}", time::format_rfc3339_millis(at))
}

pub(super) fn minute_sk(minute: Timestamp) -> String {
    time::format_rfc3339_millis(minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARCHITECTURE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/architecture.md"));

    /// Whether `key` has the form of `pattern`. Only the last placeholder matches a `#`.
    fn matches(pattern: &str, key: &str) -> bool {
        let Some((literal, rest)) = pattern.split_once('<') else { return pattern == key };
        let (Some(key), Some((_, rest))) = (key.strip_prefix(literal), rest.split_once('>')) else {
            return false;
        };
        let end = if rest.is_empty() { key.len() } else { key.find('#').unwrap_or(0) };
        end > 0 && matches(rest, &key[end..])
    }

    /// One key from every function and constant above, each with the sort key or partition key that it is
    /// used with.
    fn built_keys() -> Vec<(String, String)> {
        let connection: ConnectionId = "shop".parse().unwrap();
        let route: RouteId = "main".parse().unwrap();
        let key = ConversationKey { channel: connection.clone(), customer: "a#b".into() };
        let leg = LegId { key: key.clone(), connection: connection.clone() };
        let event = EventId::from_parts(&["a", "b"]);
        let at = Timestamp::UNIX_EPOCH;
        let own = |text: &str| text.to_owned();
        vec![
            (conversation_pk(&key), own(CONVERSATION_SK)),
            (conversation_pk(&key), event_sk(at, &connection, &event)),
            (conversation_pk(&key), claim_sk(&connection, &event)),
            (conversation_pk(&key), leg_sk(&connection)),
            (leg_index_pk(&connection, &"ext#1".into()), own(LEG_INDEX_SK)),
            (hint_pk(&connection, "h#1"), own(HINT_SK)),
            (connection_pk(&connection), own(CONNECTION_SK)),
            (own(CONNECTIONS), connection.to_string()),
            (route_pk(&route), own(ROUTE_SK)),
            (own(ROUTES), route.to_string()),
            (own(ALERT_OBSERVERS), own(ALERT_OBSERVERS)),
            (health_pk(&connection), own(HEALTH_SK)),
            (health_pk(&connection), own(REGISTRATION_SK)),
            (breaker_pk(&connection), own(BREAKER_SK)),
            (park_pk(&leg), seq_sk(7)),
            (park_pk(&leg), parked_marker_sk(&"dlv_1".into())),
            (parked_pk(&connection), leg.message_group()),
            (failed_pk(&connection), own("dlv_1")),
            (own(WAITING), parked_pk(&connection)),
            (own(WAITING), failed_pk(&connection)),
            (held_pk(&leg), time_sk(at, event.as_str())),
            (due_pk(3), time_sk(at, "digest")),
            (active_pk(PlatformId::from_static("fax")), time_sk(at, &leg.message_group())),
            (listener_pk(PlatformId::from_static("fax")), own(LEASE_SK)),
            (rejected_pk(&connection), time_sk(at, "id")),
            (own(DEAD), time_sk(at, "id")),
            (own(STALLED_QUEUES), own(STALLED_QUEUES)),
            (file_pk(&"digest.0".into()), own(FILE_SK)),
            (own(FILE_KEY), own(FILE_KEY)),
            (rate_pk(&connection), minute_sk(at)),
            (own(TOKENS), own("tok_1")),
            (token_failures_pk("203.0.113.9"), minute_sk(at)),
            (own(AUDIT), own("id")),
        ]
    }

    #[test]
    fn every_built_key_matches_exactly_one_item_kind() {
        let keys = built_keys();
        let mut used = vec![false; ITEMS.len()];
        for (pk, sk) in &keys {
            let fits =
                |item: &&ItemKind| matches(item.partition_key, pk) && matches(item.sort_key, sk);
            assert_eq!(ITEMS.iter().filter(fits).count(), 1, "{pk} / {sk}");
            if let Some(index) = ITEMS.iter().position(|item| fits(&item)) {
                used[index] = true;
            }
        }
        assert!(used.iter().all(|used| *used), "an item kind has no key: {used:?}");
    }

    #[test]
    fn event_sort_keys_can_be_parsed() {
        let (from, event) = ("shop".parse().unwrap(), EventId::from_parts(&["a", "b"]));
        let at: Timestamp = "2026-03-04T09:15:20.891Z".parse().unwrap();
        let sk = event_sk(at, &from, &event);
        assert!(sk < event_sk_after(at));
        assert_eq!(parse_event_sk(&sk), Some((at, from.clone(), event)));
        let key = ConversationKey { channel: from, customer: "a#b".into() };
        assert_eq!(parse_conversation_pk(&conversation_pk(&key)), Some(key));
    }

    #[test]
    fn the_architecture_document_lists_exactly_the_item_kinds() {
        let section =
            ARCHITECTURE.split("\n## ").find(|section| section.starts_with("The table\n"));
        let rows: Vec<_> = section
            .unwrap_or_default()
            .lines()
            .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
            .skip(1)
            .collect();
        let expected: Vec<_> = ITEMS
            .iter()
            .map(|item| {
                let ItemKind { partition_key, sort_key, description } = item;
                format!("| `{partition_key}` | `{sort_key}` | {description} |")
            })
            .collect();
        assert_eq!(rows, expected);
    }
}
