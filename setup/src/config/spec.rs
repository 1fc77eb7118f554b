//! What a platform lets an operator set: data, from which files are checked.

use serde_json::{Map, Value};
use trunkline_shared::model::{Platform, Role};

/// What an operator can set for a platform's connections.
#[derive(Debug, Clone, Copy)]
pub struct PlatformSpec {
    /// The platform.
    pub platform: Platform,
    /// As its vendor calls it.
    pub name: &'static str,
    /// Where more is written, in the project.
    pub docs: &'static str,
    /// What of ours goes into the vendor's form.
    pub addresses: &'static [AddressSpec],
    /// What its connections can be.
    pub roles: &'static [Role],
    /// Its settings.
    pub settings: &'static [SettingSpec],
    /// Its secrets.
    pub secrets: &'static [SecretSpec],
    /// How often a delivery is tried again of which nobody knows whether it was heard, unless a file
    /// says otherwise; as its schedule allows, if absent.
    pub retry_unknown: Option<u32>,
    /// Checks what settings and secrets mean together.
    pub check: fn(&Checked<'_>) -> Vec<String>,
}

/// An address of ours that goes into the vendor's form.
#[derive(Debug, Clone, Copy)]
pub struct AddressSpec {
    /// What it is for.
    pub what: &'static str,
    /// The form's field.
    pub field: &'static str,
    /// What follows the connection's own address.
    pub path: &'static str,
    /// Connections of which roles have it.
    pub roles: &'static [Role],
}

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct SettingSpec {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// What it is for, in one line.
    pub about: &'static str,
}

/// What a setting holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text.
    Text,
    /// An address that deliveries go to.
    Url,
    /// True or false.
    Truth,
    /// One of some words.
    Word(&'static [&'static str]),
}

/// A secret.
#[derive(Debug, Clone, Copy)]
pub struct SecretSpec {
    /// Its name; one that ends in `:` stands for all names that begin with it.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What is wrong with a value, if anything is. Never shows the value.
    pub check: fn(&str, bool) -> Result<(), String>,
    /// What it is for, in one line.
    pub about: &'static str,
}

/// A connection's settings and secrets, each right by itself.
#[derive(Debug, Clone, Copy)]
pub struct Checked<'a> {
    /// The settings.
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
    pub(crate) const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, required: false, about }
    }

    pub(crate) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, required: true, about }
    }
}

/// What is wrong with a secret's value, if anything is; with whether the stack is on one machine.
type Check = fn(&str, bool) -> Result<(), String>;

impl SecretSpec {
    pub(crate) const fn optional(name: &'static str, check: Check, about: &'static str) -> Self {
        Self { name, required: false, check, about }
    }

    pub(crate) const fn required(name: &'static str, check: Check, about: &'static str) -> Self {
        Self { name, required: true, check, about }
    }
}
