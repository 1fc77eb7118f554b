//! What we give TWIN to have back: which conversation, and with which delivery.

/// What it begins with, so that another's is not taken for ours.
const PREFIX: &str = "trunkline";

/// What is given with a delivery.
#[must_use]
pub fn give(conversation: &str, delivery: &str) -> String {
    format!("{PREFIX}/{conversation}/{delivery}")
}

/// The conversation in what came back, if it is ours.
#[must_use]
pub fn conversation(given: &str) -> Option<&str> {
    let (prefix, rest) = given.split_once('/')?;
    let (conversation, _) = rest.rsplit_once('/')?;
    (prefix == PREFIX && !conversation.is_empty()).then_some(conversation)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_ours_is_understood() {
        for other in ["", "hub-conv-99", "trunkline", "trunkline/x", "trunkline//x", "other/a/b"] {
            assert_eq!(conversation(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_given_reads_back(of in ".{1,40}", delivery in "[A-Za-z0-9_-]{1,50}") {
            let given = give(&of, &delivery);
            prop_assert_eq!(conversation(&given), Some(of.as_str()));
        }
    }
}
