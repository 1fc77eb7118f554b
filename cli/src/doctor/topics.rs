//! Whether CloudWatch may publish to a topic, according to the topic's policy.

use serde_json::Value;

/// The principal of CloudWatch's alarms.
const CLOUDWATCH: &str = "cloudwatch.amazonaws.com";

/// Returns whether a statement of the policy allows CloudWatch to publish. Conditions are not evaluated: the
/// usual ones name the account.
pub(super) fn lets_cloudwatch_publish(policy: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements: Vec<&Value> = several(&policy["Statement"]).collect();
    let concerns = |statement: &&&Value| names_cloudwatch(statement) && names_publish(statement);
    let is_allowed =
        statements.iter().filter(concerns).any(|statement| statement["Effect"] == "Allow");
    // A denial on a condition, such as one of calls without TLS, does not concern alarms.
    let is_denied = statements
        .iter()
        .filter(concerns)
        .any(|statement| statement["Effect"] == "Deny" && statement["Condition"].is_null());
    is_allowed && !is_denied
}

/// The items of a list, or the single value that stands in its place.
fn several(value: &Value) -> impl Iterator<Item = &Value> {
    let list = value.as_array();
    let single = list.is_none().then_some(value);
    list.into_iter().flatten().chain(single)
}

fn names_cloudwatch(statement: &Value) -> bool {
    let principal = &statement["Principal"];
    // The default policy allows every principal whose account owns the topic.
    *principal == "*"
        || several(&principal["AWS"]).any(|principal| principal == "*")
        || several(&principal["Service"]).any(|principal| principal == CLOUDWATCH)
}

fn names_publish(statement: &Value) -> bool {
    several(&statement["Action"]).filter_map(Value::as_str).any(|action| {
        let action = action.to_ascii_lowercase();
        ["*", "sns:*", "sns:publish"].contains(&action.as_str())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn allowed(statement: &Value) -> bool {
        lets_cloudwatch_publish(&json!({"Statement": statement}).to_string())
    }

    #[test]
    fn a_statement_must_name_cloudwatch_and_publish() {
        let service = json!({"Service": ["events.amazonaws.com", CLOUDWATCH]});
        let publish = json!("SNS:Publish");
        assert!(allowed(&json!({"Effect": "Allow", "Principal": service, "Action": publish})));
        let default = json!([{"Effect": "Allow", "Principal": {"AWS": "*"},
            "Action": ["SNS:GetTopicAttributes", "SNS:Publish"],
            "Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}}]);
        assert!(allowed(&default));
        for statement in [
            json!([]),
            json!({"Effect": "Allow", "Principal": service, "Action": "sns:Subscribe"}),
            json!({"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": publish}),
            json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "*"}),
            json!([{"Effect": "Allow", "Principal": service, "Action": publish},
                   {"Effect": "Deny", "Principal": "*", "Action": "sns:*"}]),
        ] {
            assert!(!allowed(&statement), "{statement}");
        }
        let tls = json!([{"Effect": "Allow", "Principal": service, "Action": publish},
            {"Effect": "Deny", "Principal": "*", "Action": "*",
             "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]);
        assert!(allowed(&tls));
        assert!(!lets_cloudwatch_publish("no policy"));
    }
}
