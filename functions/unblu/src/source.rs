//! The `sourceId` of a customer's person and contact at Unblu: `<channel connection>/<customer>`, so
//! that it can be read back when an agent begins the conversation.

use trunkline_shared::model::{ConversationKey, digest};

/// The longest `sourceId` that Unblu takes (UA4).
pub const MAX_SOURCE_ID: usize = 250;

/// What a digest in place of a customer's id begins with.
const DIGEST: &str = "sha256_";
/// How long a digest is.
const DIGEST_LENGTH: usize = 43;

/// What Unblu knows a customer by.
#[must_use]
pub fn source_id(key: &ConversationKey) -> String {
    let plain = format!("{}/{}", key.channel, key.customer);
    if plain.len() <= MAX_SOURCE_ID && !is_digest(&key.customer) {
        plain
    } else {
        format!("{}/{DIGEST}{}", key.channel, digest(&[&key.customer]))
    }
}

/// The customer that a contact's `sourceId` names, if it is one that can be read back.
#[must_use]
pub fn key_of(source_id: &str) -> Option<ConversationKey> {
    let (channel, customer) = source_id.split_once('/')?;
    if customer.is_empty() || is_digest(customer) {
        return None;
    }
    Some(ConversationKey { channel: channel.parse().ok()?, customer: customer.to_owned() })
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
    fn a_customer_is_read_back_unless_the_id_is_too_long() {
        assert_eq!(source_id(&key("+31 6/x")), "shop/+31 6/x");
        assert_eq!(key_of("shop/+31 6/x"), Some(key("+31 6/x")));
        let long = source_id(&key(&"x".repeat(400)));
        assert!(long.len() <= MAX_SOURCE_ID && key_of(&long).is_none(), "{long}");
        for other in ["hub-user-4711", "shop/", "/x", "A B/x", ""] {
            assert_eq!(key_of(other), None, "{other}");
        }
    }

    #[test]
    fn nobody_can_take_the_place_of_a_digest() {
        let long = source_id(&key(&"x".repeat(400)));
        let customer = long.strip_prefix("shop/").unwrap();
        assert_ne!(source_id(&key(customer)), long);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(channel in "[a-z0-9][a-z0-9-]{0,20}", customer in ".{1,40}") {
            let key = ConversationKey { channel: channel.parse().unwrap(), customer };
            prop_assert_eq!(key_of(&source_id(&key)), Some(key));
        }

        #[test]
        fn no_two_customers_are_one(one in ".{1,300}", two in ".{1,300}") {
            prop_assert_eq!(source_id(&key(&one)) == source_id(&key(&two)), one == two);
        }

        #[test]
        fn it_always_fits(customer in ".{1,600}") {
            prop_assert!(source_id(&key(&customer)).len() <= MAX_SOURCE_ID);
        }

        #[test]
        fn nothing_makes_reading_panic(text in ".{0,300}") {
            let _ = key_of(&text);
        }
    }
}
