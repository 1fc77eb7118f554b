//! What TWIN learns about the customer when a session starts: messenger, name, phone number, e-mail address,
//! device, time zone, and the bot's variables (S3, "Старт новой чат-сессии", fields of the method).

use serde_json::{Map, Value};
use trunkline_core::model::{Delivery, LenientText};

use crate::settings::Settings;

/// The word in `messenger_type` that switches the messenger off.
const NO_MESSENGER: &str = "none";
/// TWIN's messenger types by the letters of a network's name (`TC-fld`; the SDK's and the vendor's
/// messenger library's lists). Any other type may be refused, so it needs a setting.
const MESSENGERS: [(&str, &str); 10] = [
    ("whatsapp", "WHATSAPP"),
    ("telegram", "TELEGRAM"),
    ("facebook", "FACEBOOK"),
    ("facebookmessenger", "FACEBOOK"),
    ("messenger", "FACEBOOK"),
    ("fb", "FACEBOOK"),
    ("viber", "VIBER"),
    ("vkontakte", "VKONTAKTE"),
    ("vk", "VKONTAKTE"),
    ("alice", "ALICE"),
];
/// The networks whose users are phone numbers.
const PHONE_NETWORKS: [&str; 3] = ["whatsapp", "sms", "rcs"];
/// The member of a CM.com chat with the customer's address on the network.
const NETWORK_ADDRESS: &str = "conversationClientId";
/// The numbers of digits of a phone number with its country code (E.164 and the shortest national numbers).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// The offsets of time zones, in minutes: from UTC-12 to UTC+14.
const TIMEZONES: std::ops::RangeInclusive<i64> = -720..=840;

/// The customer, as the start of a session or dialog describes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) messenger_type: Option<String>,
    /// The customer's id in that messenger; only with a type.
    pub(crate) messenger_user_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) device_id: Option<String>,
    /// Minutes east of UTC.
    pub(crate) timezone: Option<i64>,
    /// The bot's variables: what none of the other fields holds.
    pub(crate) variables: Map<String, Value>,
}

impl Client {
    /// Describes the customer of a delivery. `metadata` is the message's, or the context of a handover.
    pub(crate) fn of(
        settings: &Settings,
        delivery: &Delivery,
        metadata: &Map<String, Value>,
    ) -> Self {
        let mut variables = metadata.clone();
        let keys = &settings.client_fields;
        let phone = take(&mut variables, &keys.phone, phone_number);
        let email = take(&mut variables, &keys.email, email_address);
        let device_id = take(&mut variables, &keys.device_id, |text| Some(text.to_owned()));
        let timezone = take(&mut variables, &keys.timezone, utc_offset);
        let messenger_type = messenger_type(settings, delivery.event.channel.as_deref());
        let constants = settings.client_metadata.iter();
        for (name, value) in constants {
            variables.entry(name).or_insert_with(|| value.into());
        }
        let own = [
            ("channel", Some(delivery.key.channel.as_str())),
            ("network", delivery.event.channel.as_deref()),
            ("language", delivery.event.language.as_deref()),
        ];
        for (name, value) in own {
            variables.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        Self {
            messenger_user_id: messenger_type
                .as_ref()
                .map(|_| network_address(delivery).unwrap_or(&delivery.key.customer).to_owned()),
            messenger_type,
            name: delivery.event.customer_name().map(|name| name.trim().to_owned()),
            phone: phone.or_else(|| network_phone(settings, delivery)),
            email,
            device_id,
            timezone,
            variables,
        }
    }
}

/// Removes a variable that is a valid field of its own. An invalid value stays a variable, so that it is not
/// lost.
fn take<T>(
    variables: &mut Map<String, Value>,
    key: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let text = LenientText::from(variables.get(key)?.clone());
    let read = text.non_blank().and_then(read)?;
    variables.remove(key);
    Some(read)
}

/// Returns TWIN's type of the customer's messenger: the connection's, or that of the event's network.
fn messenger_type(settings: &Settings, network: Option<&str>) -> Option<String> {
    let fixed = settings.messenger_type.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let found = match (fixed, network) {
        (Some(fixed), _) => Some(fixed).filter(|text| !text.eq_ignore_ascii_case(NO_MESSENGER)),
        (None, Some(network)) => settings.messenger_types.get(network.trim()).or_else(|| {
            let letters = letters(network);
            MESSENGERS.iter().find(|(known, _)| *known == letters).map(|(_, kind)| *kind)
        }),
        (None, None) => None,
    };
    found.filter(|text| !text.is_empty()).map(Into::into)
}

/// Returns a network's name in lower case, without spaces and punctuation.
fn letters(network: &str) -> String {
    network.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns the customer's address on the network, if the channel reports one besides its own id of the
/// conversation.
fn network_address(delivery: &Delivery) -> Option<&str> {
    let address = delivery.event.origin.get(NETWORK_ADDRESS)?.as_str()?.trim();
    Some(address).filter(|address| !address.is_empty())
}

/// Returns the customer's phone number if the network's addresses are certain to be phone numbers.
fn network_phone(settings: &Settings, delivery: &Delivery) -> Option<String> {
    let network = letters(delivery.event.channel.as_deref()?);
    let is_phone_network = PHONE_NETWORKS.contains(&network.as_str());
    if !is_phone_network || settings.client_fields.phone.is_empty() {
        return None;
    }
    network_address(delivery).and_then(phone_number)
}

/// Returns a phone number as S3's example has it: digits with the country code.
fn phone_number(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix('+').or_else(|| text.strip_prefix("00")).unwrap_or(text);
    if !text.chars().all(|c| c.is_ascii_digit() || " -.()/".contains(c)) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    PHONE_DIGITS.contains(&digits.len()).then_some(digits)
}

fn email_address(text: &str) -> Option<String> {
    let (name, host) = text.split_once('@')?;
    let is_address = !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace);
    is_address.then(|| text.to_owned())
}

/// Returns the minutes of a time zone: a whole number, or an offset such as `+03:00`.
fn utc_offset(text: &str) -> Option<i64> {
    let minutes = match text.split_once(':') {
        Some((hours, minutes)) => {
            let (sign, hours) = match hours.strip_prefix('-') {
                Some(hours) => (-1, hours),
                None => (1, hours.strip_prefix('+').unwrap_or(hours)),
            };
            let hours: u8 = hours.parse().ok()?;
            let minutes = minutes.parse::<u8>().ok().filter(|minutes| *minutes < 60)?;
            sign * (i64::from(hours) * 60 + i64::from(minutes))
        }
        None => text.parse().ok()?,
    };
    TIMEZONES.contains(&minutes).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairs::Pairs;
    use trunkline_core::platform::SettingValue;

    /// Shows T15.
    #[test]
    fn phone_numbers_are_digits() {
        for (text, expected) in [
            ("75555673245", Some("75555673245")),
            ("+7 (555) 567-32-45", Some("75555673245")),
            ("0031612345678", Some("31612345678")),
            ("webshop:visitor-48121", None),
            ("12345", None),
            ("1234567890123456", None),
            ("", None),
        ] {
            assert_eq!(phone_number(text).as_deref(), expected, "{text}");
        }
    }

    /// Shows T18.
    #[test]
    fn time_zones_are_minutes() {
        for (text, expected) in [
            ("300", Some(300)),
            ("-210", Some(-210)),
            ("+03:00", Some(180)),
            ("-03:30", Some(-210)),
            ("05:45", Some(345)),
            ("0", Some(0)),
            ("841", None),
            ("+03:60", None),
            ("Europe/Moscow", None),
        ] {
            assert_eq!(utc_offset(text), expected, "{text}");
        }
    }

    /// Shows T16.
    #[test]
    fn an_email_address_has_a_name_and_a_host() {
        assert_eq!(email_address("ada@example.com").as_deref(), Some("ada@example.com"));
        for text in ["ada", "@example.com", "ada@", "ada lovelace@example.com"] {
            assert_eq!(email_address(text), None, "{text}");
        }
    }

    /// Shows T8.
    #[test]
    fn the_messenger_is_the_networks_unless_a_setting_names_another() {
        let of = |fixed: Option<&str>, types: &str, network: Option<&str>| {
            let messenger_types = Pairs::parse(&types.into()).unwrap();
            let messenger_type = fixed.map(Into::into);
            let settings = Settings { messenger_type, messenger_types, ..Settings::default() };
            super::messenger_type(&settings, network)
        };
        for (network, expected) in [
            ("WhatsApp", Some("WHATSAPP")),
            ("Facebook Messenger", Some("FACEBOOK")),
            ("FB", Some("FACEBOOK")),
            ("Telegram", Some("TELEGRAM")),
            ("Apple Business Chat", None),
        ] {
            assert_eq!(of(None, "", Some(network)).as_deref(), expected, "{network}");
        }
        assert_eq!(
            of(None, "apple business chat=APPLE", Some("Apple Business Chat")),
            Some("APPLE".into())
        );
        assert_eq!(of(None, "WhatsApp=", Some("WhatsApp")), None);
        assert_eq!(of(Some("VIBER"), "", Some("WhatsApp")), Some("VIBER".into()));
        assert_eq!(of(Some("VIBER"), "", None), Some("VIBER".into()));
        assert_eq!(of(Some("none"), "", Some("WhatsApp")), None);
        assert_eq!(of(None, "", None), None);
    }
}
