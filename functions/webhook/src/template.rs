//! The body template of a handover, with the variables of CM.com's adapters.
//!
//! A variable is written `$name` or `{{$name}}`. Inside a JSON string its value is escaped;
//! outside, it becomes a JSON value. A template that is JSON except for its variables therefore
//! yields JSON for all values, including an empty context.

use serde_json::Value;

/// The values of a template's variables.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateValues {
    /// `$chatId`: the remote system's id of the conversation.
    pub chat_id: String,
    /// `$sessionId`: Trunkline's id of the conversation, new each time that it starts.
    pub session_id: String,
    /// `$accountId`: the connection's id.
    pub account_id: String,
    /// `$channel`: the network's name, such as `WhatsApp`, or else the channel's connection.
    pub channel: String,
    /// `$conversationHostId`: the connection that hands over.
    pub conversation_host_id: String,
    /// `$conversationClientId`: the customer's id on the channel.
    pub conversation_client_id: String,
    /// `$context`: the handover's context, an object.
    pub context: Value,
}

/// The reason why a template is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// An unknown variable, by its name.
    #[error(
        "unknown variable '${0}': use $chatId, $sessionId, $accountId, $channel, $conversationHostId, $conversationClientId or $context"
    )]
    UnknownVariable(String),
    /// The template is not JSON after substitution.
    #[error("the template is not JSON after substitution: {0}")]
    NotJson(String),
}

impl TemplateValues {
    fn get(&self, name: &str) -> Option<Value> {
        let text = match name {
            "chatId" => &self.chat_id,
            "sessionId" => &self.session_id,
            "accountId" => &self.account_id,
            "channel" => &self.channel,
            "conversationHostId" => &self.conversation_host_id,
            "conversationClientId" => &self.conversation_client_id,
            "context" => return Some(self.context.clone()),
            _ => return None,
        };
        Some(Value::String(text.clone()))
    }
}

/// Validates a template, with values that need escaping.
///
/// # Errors
/// The problem with the template.
pub fn check(template: &str) -> Result<(), TemplateError> {
    let needs_escaping = || "\"quoted\" \\ \n".to_owned();
    let values = TemplateValues {
        chat_id: needs_escaping(),
        session_id: needs_escaping(),
        account_id: needs_escaping(),
        channel: needs_escaping(),
        conversation_host_id: needs_escaping(),
        conversation_client_id: needs_escaping(),
        context: Value::Object(serde_json::Map::new()),
    };
    let body = render(template, &values)?;
    serde_json::from_str::<Value>(&body)
        .map(|_| ())
        .map_err(|error| TemplateError::NotJson(error.to_string()))
}

/// Substitutes the values for the variables.
///
/// # Errors
/// If a variable is unknown.
pub fn render(template: &str, values: &TemplateValues) -> Result<String, TemplateError> {
    let mut body = String::with_capacity(template.len() + 256);
    let mut in_string = false;
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if let Some((name, after)) = variable(rest) {
            let value =
                values.get(name).ok_or_else(|| TemplateError::UnknownVariable(name.to_owned()))?;
            body.push_str(&encode_value(&value, in_string));
            rest = after;
            continue;
        }
        if c == '"' {
            in_string = !in_string;
        }
        // An escaped quote does not end the string.
        let length = if in_string && c == '\\' {
            rest.chars().take(2).map(char::len_utf8).sum()
        } else {
            c.len_utf8()
        };
        body.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Ok(body)
}

fn encode_value(value: &Value, in_string: bool) -> String {
    if !in_string {
        return value.to_string();
    }
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let quoted = Value::String(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Parses a variable at the start of `text`. Returns its name and the text after it.
fn variable(text: &str) -> Option<(&str, &str)> {
    if let Some(braced) = text.strip_prefix("{{")
        && let Some(after_dollar) = braced.trim_start().strip_prefix('$')
    {
        let (name, after) = variable_name(after_dollar)?;
        return after.trim_start().strip_prefix("}}").map(|after| (name, after));
    }
    variable_name(text.strip_prefix('$')?)
}

fn variable_name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values(text: &str, context: Value) -> TemplateValues {
        TemplateValues {
            chat_id: text.into(),
            session_id: "s".into(),
            account_id: "a".into(),
            channel: "WhatsApp".into(),
            conversation_host_id: "h".into(),
            conversation_client_id: text.into(),
            context,
        }
    }

    /// CM.com's default template.
    const CM_DEFAULT: &str = r#"{"chatId":"{{$chatId}}","sessionId":"{{$sessionId}}","accountId":"{{$accountId}}",
 "channel":"{{$channel}}","conversationHostId":"{{$conversationHostId}}",
 "conversationClientId":"{{$conversationClientId}}","context":{{$context}}}"#;

    #[test]
    fn renders_the_default_template_of_cm_with_an_empty_context() {
        let body = render(CM_DEFAULT, &values("c-1", json!({}))).unwrap();
        let read: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&read["chatId"], &read["context"]), (&json!("c-1"), &json!({})));
    }

    #[test]
    fn substitutes_both_spellings_inside_and_outside_strings() {
        let template = r#"{"a":"$chatId!","b":$chatId,"c":"$context","price":"5 $"}"#;
        let body = render(template, &values("x\"y", json!({"k": "v"}))).unwrap();
        let read: Value = serde_json::from_str(&body).unwrap();
        let expected = json!({"a": "x\"y!", "b": "x\"y", "c": "{\"k\":\"v\"}", "price": "5 $"});
        assert_eq!(read, expected);
    }

    #[test]
    fn check_reports_the_problem() {
        assert_eq!(check(CM_DEFAULT), Ok(()));
        assert_eq!(
            check(r#"{"a":"$chatID"}"#),
            Err(TemplateError::UnknownVariable("chatID".into()))
        );
        assert!(matches!(check("chat $chatId"), Err(TemplateError::NotJson(_))));
    }

    proptest! {
        #[test]
        fn rendered_body_is_json_for_all_values(text in ".*", key in ".*", word in ".*") {
            let context = json!({key: word});
            let body = render(CM_DEFAULT, &values(&text, context.clone())).unwrap();
            let read: Value = serde_json::from_str(&body).unwrap();
            prop_assert_eq!(&read["conversationClientId"], &json!(text));
            prop_assert_eq!(&read["context"], &context);
        }

        #[test]
        fn arbitrary_templates_never_panic(template in "[\\$\\{\\}\"\\\\a-zé ]{0,60}") {
            let _ = render(&template, &values("x", json!({})));
            let _ = check(&template);
        }
    }
}
