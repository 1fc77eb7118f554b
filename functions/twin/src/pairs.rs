//! Settings that are lists of pairs, such as `phone=mobile, email=mail`.

use serde_json::Value;
use trunkline_core::platform::{Kind, SettingValue};

/// Names with values, in the order of the file. A value may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Returns the value of a name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl SettingValue for Pairs {
    const KIND: Kind = Kind::Text;

    fn parse(value: &Value) -> Result<Self, String> {
        let text = value.as_str().ok_or("must be a text")?;
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (name.trim(), value.trim());
            (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        };
        let pairs: Option<Vec<_>> = pairs.map(pair).collect();
        pairs.map(Self).ok_or_else(|| "must be a list like 'a=1, b=2'".into())
    }

    fn display(&self) -> Option<String> {
        let pairs: Vec<_> = self.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join(", "))
    }

    fn empty() -> Self {
        Self::default()
    }
}

/// The keys of metadata from which the fields about the client are read. An empty key: the field is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeys {
    pub phone: String,
    pub email: String,
    pub device_id: String,
    pub timezone: String,
}

impl Default for ClientKeys {
    fn default() -> Self {
        Self {
            phone: "phone".into(),
            email: "email".into(),
            device_id: "device_id".into(),
            timezone: "timezone".into(),
        }
    }
}

impl SettingValue for ClientKeys {
    const KIND: Kind = Kind::Text;

    fn parse(value: &Value) -> Result<Self, String> {
        let mut keys = Self::default();
        for (name, key) in Pairs::parse(value)?.iter() {
            let field = match name {
                "phone" => &mut keys.phone,
                "email" => &mut keys.email,
                "device_id" => &mut keys.device_id,
                "timezone" => &mut keys.timezone,
                other => {
                    let known = "phone, email, device_id, timezone";
                    return Err(format!("names the unknown field '{other}': use {known}"));
                }
            };
            key.clone_into(field);
        }
        Ok(keys)
    }

    fn display(&self) -> Option<String> {
        let Self { phone, email, device_id, timezone } = self;
        Some(format!("phone={phone}, email={email}, device_id={device_id}, timezone={timezone}"))
    }

    fn empty() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pairs_are_read_in_order_and_found_in_any_case() {
        let pairs = Pairs::parse(&json!(" SMS = TEXT ,WhatsApp=,, a=b=c")).unwrap();
        let read: Vec<_> = pairs.iter().collect();
        assert_eq!(read, [("SMS", "TEXT"), ("WhatsApp", ""), ("a", "b=c")]);
        assert_eq!((pairs.get("sms"), pairs.get("x")), (Some("TEXT"), None));
        assert_eq!(Pairs::parse(&json!(pairs.display().unwrap())), Ok(pairs));
        for bad in [json!("a"), json!("=a"), json!(1)] {
            assert!(Pairs::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn client_keys_have_defaults_and_can_be_switched_off() {
        let keys = ClientKeys::parse(&json!("phone=mobile, email=")).unwrap();
        let expected =
            ClientKeys { phone: "mobile".into(), email: String::new(), ..ClientKeys::default() };
        assert_eq!(keys, expected);
        assert_eq!(ClientKeys::parse(&json!(keys.display().unwrap())), Ok(keys));
        assert!(ClientKeys::parse(&json!("fax=f")).unwrap_err().contains("'fax'"));
    }
}
