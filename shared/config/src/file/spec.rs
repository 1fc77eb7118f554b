//! Describes the settings and secrets of a platform. Files, forms and pages are derived from it.

use serde_json::{Map, Value};
use trunkline_core::model::{Platform, Role};

/// The settings and secrets of a platform's connections.
#[derive(Debug, Clone, Copy)]
pub struct PlatformSpec {
    pub platform: Platform,
    /// The product name, for example `Webex Connect`.
    pub name: &'static str,
    /// The path of its documentation page in the repository.
    pub docs: &'static str,
    /// The inbound URLs to enter into the vendor's forms.
    pub addresses: &'static [AddressSpec],
    /// The roles that its connections can have.
    pub roles: &'static [Role],
    pub settings: &'static [SettingSpec],
    pub secrets: &'static [SecretSpec],
    /// The default of `retry_unknown`: the number of retries after an attempt with an unknown result. `None`
    /// for as many as the retry schedule has.
    pub retry_unknown: Option<u32>,
    /// Checks that settings and secrets are consistent. Returns a message for each problem.
    pub check: fn(&CheckInput<'_>) -> Vec<String>,
}

/// An inbound URL to enter into a form of the vendor.
#[derive(Debug, Clone, Copy)]
pub struct AddressSpec {
    /// What the vendor sends to it, for example `Events`.
    pub purpose: &'static str,
    /// The label of the vendor's form field.
    pub field: &'static str,
    /// The path to append to the connection's inbound URL.
    pub path: &'static str,
    /// The roles whose connections have it.
    pub roles: &'static [Role],
}

/// A setting of a platform.
#[derive(Debug, Clone, Copy)]
pub struct SettingSpec {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// One line for operators, with the default in parentheses.
    pub help: &'static str,
}

/// The type of a setting.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text,
    /// A URL that Trunkline calls.
    Url,
    Boolean,
    /// One of these values.
    Enum(&'static [&'static str]),
}

/// A secret of a platform.
#[derive(Debug, Clone, Copy)]
pub struct SecretSpec {
    /// A name that ends in `:` is a prefix: it matches every name that begins with it.
    pub name: &'static str,
    pub required: bool,
    /// Checks a value. Its message never contains the value.
    pub check: fn(&str, bool) -> Result<(), String>,
    /// One line for operators, with the default in parentheses.
    pub help: &'static str,
}

/// The settings and secrets of a connection. Each is already valid on its own.
#[derive(Debug, Clone, Copy)]
pub struct CheckInput<'a> {
    pub settings: &'a Map<String, Value>,
    /// The names of the secrets.
    pub secrets: &'a [&'a str],
}

impl PlatformSpec {
    pub(super) fn secret(&self, name: &str) -> Option<&'static SecretSpec> {
        self.secrets.iter().find(|spec| match spec.name.strip_suffix(':') {
            Some(prefix) => name.strip_prefix(prefix).is_some_and(|rest| rest.len() > 1),
            None => spec.name == name,
        })
    }
}

impl SettingSpec {
    pub(crate) const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, required: false, help }
    }

    pub(crate) const fn required(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, required: true, help }
    }
}

/// Checks the value of a secret. The flag is whether the stack allows plain http and private addresses.
type SecretCheck = fn(&str, bool) -> Result<(), String>;

impl SecretSpec {
    pub(crate) const fn optional(
        name: &'static str,
        check: SecretCheck,
        help: &'static str,
    ) -> Self {
        Self { name, required: false, check, help }
    }

    pub(crate) const fn required(
        name: &'static str,
        check: SecretCheck,
        help: &'static str,
    ) -> Self {
        Self { name, required: true, check, help }
    }
}
