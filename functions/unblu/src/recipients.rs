//! The recipients of new conversations: one for all customers, or one for a customer.

use std::collections::BTreeMap;

use serde_json::Value;
use trunkline_core::model::ConversationKey;
use trunkline_core::platform::{Kind, SettingValue};

use crate::settings::{RecipientType, Settings};

/// The recipient of a new conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub kind: RecipientType,
    /// Unblu's id of the agent's person, the team, the named area or the account.
    pub id: String,
}

/// The recipients of some customers' conversations, by `<customer>` or `<channel connection>/<customer>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients(BTreeMap<String, Recipient>);

impl Recipients {
    /// Returns a customer's recipient. One for the channel connection comes first.
    fn of(&self, key: &ConversationKey) -> Option<&Recipient> {
        let on_channel = self.0.get(&format!("{}/{}", key.channel, key.customer));
        on_channel.or_else(|| self.0.get(&key.customer))
    }
}

impl Settings {
    /// Returns the recipient of a customer's conversation; `None` if Unblu decides.
    pub(crate) fn recipient(&self, key: &ConversationKey) -> Option<Recipient> {
        let general = || {
            let (kind, id) = self.recipient_type.zip(self.recipient_id.clone())?;
            Some(Recipient { kind, id })
        };
        self.recipients.of(key).cloned().or_else(general)
    }
}

impl SettingValue for Recipients {
    const KIND: Kind = Kind::Text;

    fn parse(value: &Value) -> Result<Self, String> {
        let text = value.as_str().ok_or_else(|| "must be a text".to_owned())?;
        let entries = text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(entry).collect::<Result<_, _>>().map(Self)
    }

    fn display(&self) -> Option<String> {
        let entry = |(customer, recipient): (&String, &Recipient)| {
            format!("{customer}={}:{}", recipient.kind.word(), recipient.id)
        };
        let entries: Vec<String> = self.0.iter().map(entry).collect();
        (!entries.is_empty()).then(|| entries.join(","))
    }

    fn empty() -> Self {
        Self::default()
    }
}

/// Reads `<customer>=<type>:<id>`. A customer's id may contain `=`.
fn entry(text: &str) -> Result<(String, Recipient), String> {
    let malformed = || format!("has '{text}': write customer=TYPE:id");
    let (customer, recipient) = text.rsplit_once('=').ok_or_else(malformed)?;
    let (kind, id) = recipient.split_once(':').ok_or_else(malformed)?;
    let (customer, id) = (customer.trim(), id.trim());
    if customer.is_empty() || id.is_empty() {
        return Err(malformed());
    }
    let kind = RecipientType::parse(&Value::from(kind.trim()))?;
    Ok((customer.to_owned(), Recipient { kind, id: id.to_owned() }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn key(channel: &str, customer: &str) -> ConversationKey {
        ConversationKey { channel: channel.parse().unwrap(), customer: customer.into() }
    }

    fn recipient(kind: RecipientType, id: &str) -> Recipient {
        Recipient { kind, id: id.into() }
    }

    /// Shows U13.
    #[test]
    fn a_customer_has_a_recipient_of_their_own_or_the_general_one() {
        let text = "shop/4711=AGENT:p-1, 4711=TEAM:t-1,\n a=b=ASSIGNEE:p-2";
        let recipients = Recipients::parse(&json!(text)).unwrap();
        let general = Some(RecipientType::NamedArea);
        let settings = Settings {
            recipients,
            recipient_type: general,
            recipient_id: Some("n-1".into()),
            ..Settings::default()
        };
        let of = |channel, customer| settings.recipient(&key(channel, customer));
        assert_eq!(of("shop", "4711"), Some(recipient(RecipientType::Agent, "p-1")));
        assert_eq!(of("app", "4711"), Some(recipient(RecipientType::Team, "t-1")));
        assert_eq!(of("app", "a=b"), Some(recipient(RecipientType::Assignee, "p-2")));
        assert_eq!(of("app", "other"), Some(recipient(RecipientType::NamedArea, "n-1")));
        assert_eq!(Settings::default().recipient(&key("app", "4711")), None);
        assert_eq!(
            Recipients::parse(&json!(settings.recipients.display())),
            Ok(settings.recipients)
        );
    }

    #[test]
    fn malformed_entries_are_refused() {
        for wrong in ["4711", "4711=AGENT", "4711=AGENT:", "=AGENT:p", "4711=BOSS:p"] {
            assert!(Recipients::parse(&json!(wrong)).is_err(), "{wrong}");
        }
        assert!(Recipients::parse(&json!({"4711": "AGENT:p"})).is_err());
        assert_eq!(Recipients::parse(&json!(" ,\n")), Ok(Recipients::default()));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,80}") {
            let _ = Recipients::parse(&json!(text));
        }
    }
}
