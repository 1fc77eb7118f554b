//! Parses contacts in every form that is plausible: the vendor's page shows none.

use serde_json::{Map, Value};
use trunkline_core::json;
use trunkline_core::model::Contact;

use crate::wire::normalized;

/// Maximum number of contacts of a message.
const MAX_CONTACTS: usize = 50;

/// Returns the contacts in a value: a list of objects or one, JSON text of them (WX-WA), or vCards.
pub(crate) fn parse(value: &Value) -> Vec<Contact> {
    let found = match value {
        Value::String(text) if text.trim_start().starts_with(['[', '{']) => {
            json::from_slice(text.as_bytes()).map_or_else(|_| Vec::new(), |json| from_json(&json))
        }
        Value::String(text) => from_vcards(text),
        other => from_json(other),
    };
    found.into_iter().filter(|contact| !contact.is_empty()).take(MAX_CONTACTS).collect()
}

fn from_json(value: &Value) -> Vec<Contact> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_object).map(from_object).collect(),
        Value::Object(object) => match member(object, &["contacts"]) {
            Some(Value::Array(items)) => {
                items.iter().filter_map(Value::as_object).map(from_object).collect()
            }
            _ => vec![from_object(object)],
        },
        _ => Vec::new(),
    }
}

fn member<'a>(object: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    let find = |name: &&str| object.iter().find(|(key, _)| normalized(key) == **name);
    names.iter().find_map(find).map(|(_, value)| value)
}

fn from_object(object: &Map<String, Value>) -> Contact {
    let text = |names: &[&str], within: &[&str]| {
        let text = match member(object, names)? {
            Value::String(text) => text.as_str(),
            Value::Object(nested) => member(nested, within)?.as_str()?,
            _ => return None,
        };
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let first_and_last = || {
        let names = [text(&["firstname"], &[]), text(&["lastname"], &[])];
        let names: Vec<String> = names.into_iter().flatten().collect();
        (!names.is_empty()).then(|| names.join(" "))
    };
    Contact {
        name: text(&["name", "formattedname"], &["formattedname", "firstname"])
            .or_else(first_and_last),
        organization: text(&["org", "organization", "company"], &["company", "name"]),
        phones: texts(
            member(object, &["phones", "phone", "phonenumber"]),
            &["phone", "number", "waid"],
        ),
        emails: texts(member(object, &["emails", "email"]), &["email", "address"]),
    }
}

/// Returns the texts of a member that is a text, a number, an object, or a list of these.
fn texts(value: Option<&Value>, within: &[&str]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => member(object, within)?.as_str().map(ToOwned::to_owned),
        _ => None,
    };
    let found: Vec<String> = match value {
        Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
        Some(one) => text(one).into_iter().collect(),
        None => Vec::new(),
    };
    found.into_iter().filter(|text| !text.is_empty()).collect()
}

/// Reads vCards (RFC 6350): name, organization, telephone numbers and email addresses.
fn from_vcards(text: &str) -> Vec<Contact> {
    let text = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let mut cards = text.split("BEGIN:VCARD");
    cards.next();
    cards.map(from_vcard).collect()
}

fn from_vcard(card: &str) -> Contact {
    let mut contact = Contact::default();
    for (property, value) in card.lines().filter_map(|line| line.split_once(':')) {
        let name = property.split(';').next().unwrap_or_default();
        // A property may belong to a group, such as `item1.TEL`.
        let name = name.rsplit('.').next().unwrap_or_default().trim();
        let value = value.trim().trim_start_matches("tel:").to_owned();
        match name.to_uppercase().as_str() {
            _ if value.is_empty() => {}
            "FN" => contact.name = Some(value),
            "ORG" => contact.organization = Some(value.trim_end_matches(';').replace(';', ", ")),
            "TEL" => contact.phones.push(value),
            "EMAIL" => contact.emails.push(value),
            _ => {}
        }
    }
    contact
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ada() -> Contact {
        Contact {
            name: Some("Ada L".into()),
            organization: Some("AE".into()),
            phones: vec!["+44 1".into()],
            emails: vec!["a@x.example".into()],
        }
    }

    #[test]
    fn reads_contacts_in_every_form() {
        let network = json!([{"name": {"formatted_name": "Ada L"}, "org": {"company": "AE"},
            "phones": [{"phone": "+44 1", "type": "HOME"}], "emails": [{"email": "a@x.example"}]}]);
        let flat = json!({"firstName": "Ada", "lastName": "L", "company": "AE", "phone": "+44 1",
            "email": "a@x.example"});
        let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:L;Ada\r\nFN:Ada\r\n  L\r\nORG:AE;\r\n\
            item1.TEL;TYPE=CELL:+44 1\r\nEMAIL:a@x.example\r\nEND:VCARD";
        for value in [
            network.clone(),
            json!(network.to_string()),
            json!({"contacts": network}),
            flat,
            json!(card),
        ] {
            assert_eq!(parse(&value), [ada()], "{value}");
        }
        let two = json!(format!("{card}\n{card}"));
        assert_eq!(parse(&two).len(), 2);
    }

    #[test]
    fn other_values_have_no_contact() {
        for value in [json!("Ada"), json!(""), json!(null), json!([1]), json!({"a": 1}), json!("[")]
        {
            assert_eq!(parse(&value), [], "{value}");
        }
    }
}
