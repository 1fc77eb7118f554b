//! The handover's body template, with the variables of CM.com's adapters.
//!
//! A variable is written `$name` or `{{$name}}`. Within a JSON string its value is put in escaped;
//! outside of one it is put in as a JSON value of its own. So a template that is JSON but for its
//! variables stays JSON whatever the values are, an empty context included.

use serde_json::Value;

/// What the variables stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// `$chatId`: the conversation, as the far side knows it.
    pub chat_id: String,
    /// `$sessionId`: the conversation's own id, a new one each time that it starts.
    pub session_id: String,
    /// `$accountId`: the connection.
    pub account_id: String,
    /// `$channel`: the network's name, or else the channel's platform.
    pub channel: String,
    /// `$conversationHostId`: who hands over.
    pub conversation_host_id: String,
    /// `$conversationClientId`: the customer.
    pub conversation_client_id: String,
    /// `$context`: what those who take over should know; an object.
    pub context: Value,
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// A variable that is not one of ours.
    #[error(
        "there is no variable '${0}': use $chatId, $sessionId, $accountId, $channel, $conversationHostId, $conversationClientId or $context"
    )]
    Variable(String),
    /// It is no JSON once the variables are put in.
    #[error("with its variables put in, the template is not JSON: {0}")]
    NotJson(String),
}

impl Values {
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

/// Checks a template with values that need escaping.
///
/// # Errors
/// What is wrong with it.
pub fn check(template: &str) -> Result<(), BadTemplate> {
    let nasty = || "\"quoted\" \\ \n".to_owned();
    let values = Values {
        chat_id: nasty(),
        session_id: nasty(),
        account_id: nasty(),
        channel: nasty(),
        conversation_host_id: nasty(),
        conversation_client_id: nasty(),
        context: Value::Object(serde_json::Map::new()),
    };
    let body = render(template, &values)?;
    serde_json::from_str::<Value>(&body)
        .map(|_| ())
        .map_err(|error| BadTemplate::NotJson(error.to_string()))
}

/// Puts the values in.
///
/// # Errors
/// If there is a variable that is not one of ours.
pub fn render(template: &str, values: &Values) -> Result<String, BadTemplate> {
    let mut body = String::with_capacity(template.len() + 256);
    let mut in_string = false;
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if let Some((name, after)) = variable(rest) {
            let value = values.get(name).ok_or_else(|| BadTemplate::Variable(name.to_owned()))?;
            body.push_str(&written(&value, in_string));
            rest = after;
            continue;
        }
        if c == '"' {
            in_string = !in_string;
        }
        // What is escaped cannot end a string.
        let taken = if in_string && c == '\\' {
            rest.chars().take(2).map(char::len_utf8).sum()
        } else {
            c.len_utf8()
        };
        body.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Ok(body)
}

fn written(value: &Value, in_string: bool) -> String {
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

/// A variable at the beginning of `text`: its name, and what follows it.
fn variable(text: &str) -> Option<(&str, &str)> {
    if let Some(braced) = text.strip_prefix("{{")
        && let Some(name_on) = braced.trim_start().strip_prefix('$')
    {
        let (name, after) = name(name_on)?;
        return after.trim_start().strip_prefix("}}").map(|after| (name, after));
    }
    name(text.strip_prefix('$')?)
}

fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values(text: &str, context: Value) -> Values {
        Values {
            chat_id: text.into(),
            session_id: "s".into(),
            account_id: "a".into(),
            channel: "WhatsApp".into(),
            conversation_host_id: "h".into(),
            conversation_client_id: text.into(),
            context,
        }
    }

    /// CM.com's own default template.
    const CMS: &str = r#"{"chatId":"{{$chatId}}","sessionId":"{{$sessionId}}","accountId":"{{$accountId}}",
 "channel":"{{$channel}}","conversationHostId":"{{$conversationHostId}}",
 "conversationClientId":"{{$conversationClientId}}","context":{{$context}}}"#;

    #[test]
    fn cms_default_template_works_even_with_an_empty_context() {
        let body = render(CMS, &values("c-1", json!({}))).unwrap();
        let read: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&read["chatId"], &read["context"]), (&json!("c-1"), &json!({})));
    }

    #[test]
    fn both_writings_and_both_places_work() {
        let template = r#"{"a":"$chatId!","b":$chatId,"c":"$context","price":"5 $"}"#;
        let body = render(template, &values("x\"y", json!({"k": "v"}))).unwrap();
        let read: Value = serde_json::from_str(&body).unwrap();
        let expected = json!({"a": "x\"y!", "b": "x\"y", "c": "{\"k\":\"v\"}", "price": "5 $"});
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_wrong_with_a_template_is_said() {
        assert_eq!(check(CMS), Ok(()));
        assert_eq!(check(r#"{"a":"$chatID"}"#), Err(BadTemplate::Variable("chatID".into())));
        assert!(matches!(check("chat $chatId"), Err(BadTemplate::NotJson(_))));
    }

    proptest! {
        #[test]
        fn it_stays_json_whatever_the_values_are(text in ".*", key in ".*", word in ".*") {
            let context = json!({key: word});
            let body = render(CMS, &values(&text, context.clone())).unwrap();
            let read: Value = serde_json::from_str(&body).unwrap();
            prop_assert_eq!(&read["conversationClientId"], &json!(text));
            prop_assert_eq!(&read["context"], &context);
        }

        #[test]
        fn no_template_makes_it_panic(template in "[\\$\\{\\}\"\\\\a-zé ]{0,60}") {
            let _ = render(&template, &values("x", json!({})));
            let _ = check(&template);
        }
    }
}
