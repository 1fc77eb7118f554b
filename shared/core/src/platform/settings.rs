//! The settings of a platform. [`settings!`](crate::settings!) defines them once: the struct, its defaults,
//! how each value is parsed, and the help that files, forms and pages show.

use std::fmt;
use std::ops::Deref;

use serde_json::{Map, Value};

/// A setting of a platform.
#[derive(Debug, Clone, Copy)]
pub struct SettingSpec {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// One line for operators, without the default.
    pub help: &'static str,
    /// The default as text; `None` if the setting has none or the help describes it.
    pub default: fn() -> Option<String>,
    /// Checks a value on its own.
    pub check: fn(&Value) -> Result<(), String>,
}

impl SettingSpec {
    /// Returns the help with the default in parentheses.
    #[must_use]
    pub fn help_with_default(&self) -> String {
        match (self.default)() {
            Some(default) => format!("{} ({default})", self.help.trim()),
            None => self.help.trim().to_owned(),
        }
    }
}

/// The type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A URL that Trunkline calls.
    Url,
    Boolean,
    /// A whole number from `min` to `max`.
    Number {
        min: u32,
        max: u32,
    },
    /// One of these values.
    Enum(&'static [&'static str]),
}

/// Why the settings of a connection cannot be used. An operator must correct them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the setting '{field}' {reason}")]
pub struct InvalidSetting {
    /// The name of the setting.
    pub field: String,
    /// For example `must be true or false`.
    pub reason: String,
}

/// The settings of a platform's connections, as [`settings!`](crate::settings!) defines them.
pub trait PlatformSettings: fmt::Debug + Default + Send + Sync + Sized + 'static {
    /// The description of each setting.
    const SPECS: &'static [SettingSpec];

    /// Parses the settings of a connection. A setting that is absent has its default.
    ///
    /// # Errors
    /// If a setting is unknown, invalid, or missing although it is required.
    fn parse(settings: &Map<String, Value>) -> Result<Self, InvalidSetting>;

    /// Parses settings for checks before they are applied: an invalid or missing one has its default, or is
    /// empty.
    fn parse_leniently(settings: &Map<String, Value>) -> Self;
}

/// The value of a setting.
pub trait SettingValue: Sized {
    const KIND: Kind;

    /// Parses a value.
    ///
    /// # Errors
    /// What the value must be, such as `must be true or false`.
    fn parse(value: &Value) -> Result<Self, String>;

    /// Returns the value as a file contains it; `None` if it is empty.
    fn display(&self) -> Option<String>;

    /// Returns the value of a required setting that is not set yet.
    fn empty() -> Self;
}

impl SettingValue for bool {
    const KIND: Kind = Kind::Boolean;

    fn parse(value: &Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| "must be true or false".into())
    }

    fn display(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn empty() -> Self {
        false
    }
}

impl SettingValue for String {
    const KIND: Kind = Kind::Text;

    fn parse(value: &Value) -> Result<Self, String> {
        value.as_str().map(ToOwned::to_owned).ok_or_else(|| "must be a text".into())
    }

    fn display(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.clone())
    }

    fn empty() -> Self {
        Self::new()
    }
}

impl<T: SettingValue> SettingValue for Option<T> {
    const KIND: Kind = T::KIND;

    fn parse(value: &Value) -> Result<Self, String> {
        T::parse(value).map(Some)
    }

    fn display(&self) -> Option<String> {
        self.as_ref().and_then(T::display)
    }

    fn empty() -> Self {
        None
    }
}

/// A URL that Trunkline calls. Applying the configuration checks that it is public.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebUrl(String);

impl Deref for WebUrl {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for WebUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl SettingValue for WebUrl {
    const KIND: Kind = Kind::Url;

    fn parse(value: &Value) -> Result<Self, String> {
        let url = value.as_str().filter(|url| !url.trim().is_empty());
        url.map(Self::from).ok_or_else(|| "must be a URL".into())
    }

    fn display(&self) -> Option<String> {
        self.0.display()
    }

    fn empty() -> Self {
        Self::default()
    }
}

/// A whole number from `MIN` to `MAX`. A file may contain it as a number or as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundedNumber<const MIN: u32, const MAX: u32>(pub u32);

impl<const MIN: u32, const MAX: u32> SettingValue for BoundedNumber<MIN, MAX> {
    const KIND: Kind = Kind::Number { min: MIN, max: MAX };

    fn parse(value: &Value) -> Result<Self, String> {
        let number = match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        let number = number.filter(|number| (MIN..=MAX).contains(number));
        number.map(Self).ok_or_else(|| format!("must be a whole number from {MIN} to {MAX}"))
    }

    fn display(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn empty() -> Self {
        Self(MIN)
    }
}

/// Reads the settings of a connection, one by one.
#[derive(Debug)]
pub struct SettingsReader<'a>(&'a Map<String, Value>);

impl<'a> SettingsReader<'a> {
    /// Starts to read settings.
    ///
    /// # Errors
    /// If a setting is none of these.
    pub fn new(settings: &'a Map<String, Value>, known: &[&str]) -> Result<Self, InvalidSetting> {
        match settings.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(InvalidSetting {
                field: name.clone(),
                reason: "is unknown to this version of Trunkline".into(),
            }),
            None => Ok(Self(settings)),
        }
    }

    /// Reads a setting. Null counts as absent.
    ///
    /// # Errors
    /// If the value is invalid, or if a required setting is absent.
    pub fn read<T: SettingValue>(
        &self,
        name: &'static str,
        default: Option<T>,
    ) -> Result<T, InvalidSetting> {
        let error = |reason: String| InvalidSetting { field: name.to_owned(), reason };
        match self.0.get(name) {
            Some(value) if !value.is_null() => T::parse(value).map_err(error),
            _ => default.ok_or_else(|| error("is required".into())),
        }
    }
}

/// Returns a value as a setting contains it, for [`setting_enum!`](crate::setting_enum!).
#[must_use]
pub fn setting_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Defines the settings of a platform once. The doc comment of a setting is its help: one line for
/// operators. A setting without a default is required.
///
/// ```
/// trunkline_core::settings! {
///     /// The settings of a fax machine.
///     pub struct Settings {
///         /// number to dial
///         number: String;
///         /// whether a cover page is sent
///         cover: bool = true;
///     }
/// }
/// # fn main() {
/// use trunkline_core::platform::PlatformSettings;
/// let settings = serde_json::json!({"number": "555"});
/// let settings = Settings::parse(settings.as_object().unwrap()).unwrap();
/// assert!(settings.cover);
/// assert_eq!(Settings::SPECS[1].help_with_default(), "whether a cover page is sent (true)");
/// # }
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[doc = $help:literal])+ $field:ident : $type:ty $(= $default:expr)? ; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $( $(#[doc = $help])+ pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $crate::settings!(@or_empty $type $(, $default)?), )* }
            }
        }

        impl $crate::platform::PlatformSettings for $name {
            const SPECS: &'static [$crate::platform::SettingSpec] = &[ $(
                $crate::platform::SettingSpec {
                    name: stringify!($field),
                    kind: <$type as $crate::platform::SettingValue>::KIND,
                    required: $crate::settings!(@required $($default)?),
                    help: concat!($($help),+),
                    default: || $crate::settings!(@display $type $(, $default)?),
                    check: |value| {
                        <$type as $crate::platform::SettingValue>::parse(value).map(|_| ())
                    },
                },
            )* ];

            fn parse(
                settings: &serde_json::Map<String, serde_json::Value>,
            ) -> Result<Self, $crate::platform::InvalidSetting> {
                // Only the names: the rest of the description is no part of a function.
                let names = &[ $( stringify!($field) ),* ];
                let reader = $crate::platform::SettingsReader::new(settings, names)?;
                Ok(Self { $(
                    $field: reader.read(
                        stringify!($field),
                        $crate::settings!(@default $type $(, $default)?),
                    )?,
                )* })
            }

            fn parse_leniently(
                settings: &serde_json::Map<String, serde_json::Value>,
            ) -> Self {
                let or_default = Self::default();
                Self { $(
                    $field: settings
                        .get(stringify!($field))
                        .and_then(|value| {
                            <$type as $crate::platform::SettingValue>::parse(value).ok()
                        })
                        .unwrap_or(or_default.$field),
                )* }
            }
        }
    };
    (@or_empty $type:ty) => { <$type as $crate::platform::SettingValue>::empty() };
    (@or_empty $type:ty, $default:expr) => { $default };
    (@required) => { true };
    (@required $default:expr) => { false };
    (@display $type:ty) => { None };
    (@display $type:ty, $default:expr) => {{
        let default: $type = $default;
        <$type as $crate::platform::SettingValue>::display(&default)
    }};
    (@default $type:ty) => { None };
    (@default $type:ty, $default:expr) => { Some($default) };
}

/// Defines a setting that is one of several words. The first one is the default.
#[macro_export]
macro_rules! setting_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $word:literal ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $( $(#[$variant_meta])* $variant ),+ }

        impl $name {
            /// All values with their words in the configuration.
            pub const WORDS: &'static [(&'static str, Self)] = &[ $( ($word, Self::$variant) ),+ ];

            /// Returns the word in the configuration.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word ),+ }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::WORDS[0].1
            }
        }

        impl $crate::platform::SettingValue for $name {
            const KIND: $crate::platform::Kind = $crate::platform::Kind::Enum(&[ $( $word ),+ ]);

            fn parse(value: &serde_json::Value) -> Result<Self, String> {
                let word = $crate::platform::setting_text(value);
                let found = Self::WORDS.iter().find(|(known, _)| *known == word);
                found.map(|(_, value)| *value).ok_or_else(|| {
                    format!("is '{word}': use {}", [ $( $word ),+ ].join(", "))
                })
            }

            fn display(&self) -> Option<String> {
                Some(self.word().to_owned())
            }

            fn empty() -> Self {
                Self::default()
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    crate::setting_enum! {
        /// The colour of the paper.
        pub enum Colour { Black = "black", White = "white" }
    }

    crate::settings! {
        /// The settings of a fax machine.
        pub struct Fax {
            /// number that the machine dials
            number: String;
            /// whether a cover page
            /// is sent
            cover: bool = true;
            /// colour of the paper
            colour: Colour = Colour::White;
            /// seconds to wait
            wait: BoundedNumber<1, 60> = BoundedNumber(30);
            /// URL of the gateway
            gateway: Option<WebUrl> = None;
            /// first line of each page
            title: String = String::new();
        }
    }

    fn parse(settings: &Value) -> Result<Fax, InvalidSetting> {
        Fax::parse(settings.as_object().unwrap())
    }

    #[test]
    fn absent_settings_have_their_defaults() {
        let fax = parse(&json!({"number": "1", "gateway": null})).unwrap();
        assert_eq!(fax, Fax { number: "1".into(), ..Fax::default() });
        assert_eq!(fax.colour, Colour::White);
        assert_eq!(fax.wait.0, 30);
    }

    #[test]
    fn reads_every_kind() {
        let settings = json!({"number": "1", "cover": false, "colour": "black", "wait": "7",
            "gateway": "https://fax.example"});
        let fax = parse(&settings).unwrap();
        assert!(!fax.cover);
        assert_eq!(fax.colour, Colour::Black);
        assert_eq!(fax.wait.0, 7);
        assert_eq!(fax.gateway.as_deref(), Some("https://fax.example"));
    }

    #[test]
    fn one_invalid_setting_is_an_error_that_names_it() {
        for (settings, field) in [
            (json!({}), "number"),
            (json!({"number": 1}), "number"),
            (json!({"number": "1", "cover": "yes"}), "cover"),
            (json!({"number": "1", "colour": "red"}), "colour"),
            (json!({"number": "1", "wait": 61}), "wait"),
            (json!({"number": "1", "wait": "soon"}), "wait"),
            (json!({"number": "1", "gateway": ""}), "gateway"),
            (json!({"number": "1", "colr": "black"}), "colr"),
        ] {
            assert_eq!(parse(&settings).unwrap_err().field, field, "{settings}");
        }
        let error = parse(&json!({"number": "1", "colour": "red"})).unwrap_err();
        assert_eq!(error.to_string(), "the setting 'colour' is 'red': use black, white");
    }

    #[test]
    fn a_lenient_parse_keeps_the_valid_settings() {
        let settings = json!({"number": null, "cover": "yes", "colour": "black", "colr": 1});
        let fax = Fax::parse_leniently(settings.as_object().unwrap());
        assert_eq!(fax, Fax { colour: Colour::Black, ..Fax::default() });
    }

    #[test]
    fn the_description_has_name_kind_help_and_default() {
        let help: Vec<_> = Fax::SPECS.iter().map(SettingSpec::help_with_default).collect();
        assert_eq!(
            help,
            [
                "number that the machine dials",
                "whether a cover page is sent (true)",
                "colour of the paper (white)",
                "seconds to wait (30)",
                "URL of the gateway",
                "first line of each page",
            ]
        );
        let required: Vec<_> = Fax::SPECS.iter().filter(|spec| spec.required).collect();
        assert_eq!(required.len(), 1);
        assert_eq!(Fax::SPECS[2].kind, Kind::Enum(&["black", "white"]));
        assert_eq!(Fax::SPECS[3].kind, Kind::Number { min: 1, max: 60 });
        assert!((Fax::SPECS[1].check)(&json!(1)).is_err());
    }
}
