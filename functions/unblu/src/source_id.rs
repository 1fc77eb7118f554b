//! The `sourceId` of a customer's person and contact at Unblu: `<channel connection>/<customer>`. It
//! identifies the customer when an agent starts the conversation.

use trunkline_core::model::{ConnectionId, ConversationKey, digest};

/// The longest `sourceId` that Unblu accepts (UA4), in bytes.
pub const MAX_SOURCE_ID: usize = 250;

/// The prefix of a digest that replaces a long customer id.
const DIGEST: &str = "sha256_";
/// The length of a digest, in characters.
const DIGEST_LENGTH: usize = 43;

/// Returns a customer's `sourceId`. An id that would be too long is replaced by its digest.
#[must_use]
pub fn source_id(key: &ConversationKey) -> String {
    let plain = format!("{}/{}", key.channel, key.customer);
    if plain.len() <= MAX_SOURCE_ID && !is_digest(&key.customer) {
        plain
    } else {
        format!("{}/{DIGEST}{}", key.channel, digest(&[&key.customer]))
    }
}

/// Returns the customer that a `sourceId` names; `None` for a digest or another format.
#[must_use]
pub fn parse_source_id(source_id: &str) -> Option<ConversationKey> {
    let (channel, customer) = source_id.split_once('/')?;
    if customer.is_empty() || is_digest(customer) {
        return None;
    }
    Some(ConversationKey { channel: channel.parse().ok()?, customer: customer.to_owned() })
}

/// Returns whether a `sourceId` has the form of Trunkline's own.
pub(crate) fn is_source_id(source_id: &str) -> bool {
    let parts = source_id.split_once('/').filter(|(_, customer)| !customer.is_empty());
    parts.is_some_and(|(channel, _)| channel.parse::<ConnectionId>().is_ok())
}

fn is_digest(customer: &str) -> bool {
    customer.strip_prefix(DIGEST).is_some_and(|rest| rest.len() == DIGEST_LENGTH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(customer: &str) -> ConversationKey {
        ConversationKey { channel: "shop".parse().unwrap(), customer: customer.into() }
    }

    #[test]
    fn parses_a_source_id_unless_it_is_a_digest() {
        assert_eq!(source_id(&key("+31 6/x")), "shop/+31 6/x");
        assert_eq!(parse_source_id("shop/+31 6/x"), Some(key("+31 6/x")));
        let long = source_id(&key(&"x".repeat(400)));
        assert!(long.len() <= MAX_SOURCE_ID && parse_source_id(&long).is_none(), "{long}");
        assert!(is_source_id("shop/+31 6/x") && is_source_id(&long));
        for other in ["hub-user-4711", "shop/", "/x", "A B/x", ""] {
            assert!(parse_source_id(other).is_none() && !is_source_id(other), "{other}");
        }
    }

    #[test]
    fn a_customer_id_cannot_pose_as_a_digest() {
        let long = source_id(&key(&"x".repeat(400)));
        let customer = long.strip_prefix("shop/").unwrap();
        assert_ne!(source_id(&key(customer)), long);
    }

    proptest! {
        #[test]
        fn source_ids_round_trip(channel in "[a-z0-9][a-z0-9-]{0,20}", customer in ".{1,40}") {
            let key = ConversationKey { channel: channel.parse().unwrap(), customer };
            prop_assert_eq!(parse_source_id(&source_id(&key)), Some(key));
        }

        #[test]
        fn different_customers_have_different_source_ids(one in ".{1,300}", two in ".{1,300}") {
            prop_assert_eq!(source_id(&key(&one)) == source_id(&key(&two)), one == two);
        }

        #[test]
        fn source_ids_never_exceed_the_limit(customer in ".{1,600}") {
            prop_assert!(source_id(&key(&customer)).len() <= MAX_SOURCE_ID);
        }

        #[test]
        fn parsing_never_panics(text in ".{0,300}") {
            let _ = parse_source_id(&text);
        }
    }
}
