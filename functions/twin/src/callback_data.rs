//! The callback data that TWIN returns with its answers: the conversation and the delivery.

/// The prefix that tells Trunkline's callback data from others.
const PREFIX: &str = "trunkline";

/// Returns the callback data of a delivery: `trunkline/<conversation>/<delivery>`.
#[must_use]
pub fn encode(conversation: &str, delivery: &str) -> String {
    format!("{PREFIX}/{conversation}/{delivery}")
}

/// Returns the conversation's id; `None` if Trunkline did not write this callback data.
#[must_use]
pub fn conversation_id(callback_data: &str) -> Option<&str> {
    let (prefix, rest) = callback_data.split_once('/')?;
    let (conversation, _) = rest.rsplit_once('/')?;
    (prefix == PREFIX && !conversation.is_empty()).then_some(conversation)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ignores_callback_data_of_others() {
        for other in ["", "hub-conv-99", "trunkline", "trunkline/x", "trunkline//x", "other/a/b"] {
            assert_eq!(conversation_id(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn callback_data_round_trips(of in ".{1,40}", delivery in "[A-Za-z0-9_-]{1,50}") {
            let callback_data = encode(&of, &delivery);
            prop_assert_eq!(conversation_id(&callback_data), Some(of.as_str()));
        }
    }
}
