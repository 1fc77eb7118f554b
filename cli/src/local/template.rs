//! The template as the local AWS needs it.

/// The template's action for sending messages, alone and in batches.
///
/// Source: SQS developer guide, "Amazon SQS batch actions".
const SEND: &str = "sqs:SendMessage";
/// What the local AWS evaluates for a batch of messages.
const SEND_BATCH: &str = "sqs:SendMessageBatch";

/// The template's action for updates by `PartiQL`, alone and in batches.
///
/// Source: `DynamoDB` developer guide, "IAM security policies with `PartiQL` for `DynamoDB`".
const UPDATE: &str = "dynamodb:PartiQLUpdate";
/// What the local AWS evaluates for a batch of statements. It does not read the table's name in them.
const UPDATE_BATCH: &str =
    r#"- { Effect: Allow, Action: dynamodb:BatchExecuteStatement, Resource: "*" }"#;

/// Returns the template with the actions that the local AWS evaluates for batches, which AWS does not have. Each is
/// allowed to the functions that may do the same without a batch.
pub(super) fn for_local_aws(template: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut statement = 0;
    for line in template.lines() {
        if line.trim() == "- Effect: Allow" {
            statement = lines.len();
        }
        if has_action(line, SEND) {
            lines.push(with_batches(line));
            continue;
        }
        lines.push(line.to_owned());
        if has_action(line, UPDATE) {
            let indent = lines[statement].replace("- Effect: Allow", "");
            lines.insert(statement, format!("{indent}{UPDATE_BATCH}"));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Returns the line of an action or a list of actions, with the action for batches.
fn with_batches(line: &str) -> String {
    let is_alone = line.contains(&format!("Action: {SEND}"));
    let both = format!("{SEND}, {SEND_BATCH}");
    let both = if is_alone { format!("[{both}]") } else { both };
    line.replacen(SEND, &both, 1)
}

fn has_action(line: &str, action: &str) -> bool {
    !line.trim_start().starts_with('#')
        && line.split(|c: char| !c.is_ascii_alphanumeric() && c != ':').any(|word| word == action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_allowed_where_its_members_are() {
        let template = "\
            Action: sqs:SendMessage\n\
            Statement: [{ Effect: Allow, Action: sqs:SendMessage, Resource: x }]\n\
            Action: [sqs:ReceiveMessage, sqs:SendMessage]\n  \
              - Effect: Allow\n    \
                Action:\n      \
                  - dynamodb:PartiQLUpdate\n\
            # sqs:SendMessage\n";
        let expected = "\
            Action: [sqs:SendMessage, sqs:SendMessageBatch]\n\
            Statement: [{ Effect: Allow, Action: [sqs:SendMessage, sqs:SendMessageBatch], Resource: x }]\n\
            Action: [sqs:ReceiveMessage, sqs:SendMessage, sqs:SendMessageBatch]\n  \
              - { Effect: Allow, Action: dynamodb:BatchExecuteStatement, Resource: \"*\" }\n  \
              - Effect: Allow\n    \
                Action:\n      \
                  - dynamodb:PartiQLUpdate\n\
            # sqs:SendMessage\n";
        assert_eq!(for_local_aws(template), expected);
    }

    #[test]
    fn the_templates_own_policies_are_changed() {
        let local = for_local_aws(crate::cost::TEMPLATE);
        assert_eq!(local.matches(UPDATE_BATCH).count(), 1);
        assert_eq!(local.matches(SEND).count(), 2 * crate::cost::TEMPLATE.matches(SEND).count());
    }
}
