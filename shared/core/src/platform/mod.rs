//! Describes a platform: its name, roles, capabilities, addresses, settings and secrets. Files, forms, pages
//! and checks are derived from the description.

mod settings;

use serde_json::{Map, Value};

use crate::model::{Behaviour, Capabilities, Feature, PlatformId, Role};

pub use settings::{
    BoundedNumber, InvalidSetting, Kind, PlatformSettings, SettingSpec, SettingValue,
    SettingsReader, WebUrl, setting_text,
};

/// A platform: the type that implements its inbound and outbound side.
pub trait Platform: Send + Sync {
    /// The settings of its connections.
    type Settings: PlatformSettings;

    /// The description of the platform.
    const SPEC: PlatformSpec;
}

/// The description of a platform.
#[derive(Debug, Clone, Copy)]
pub struct PlatformSpec {
    pub id: PlatformId,
    /// The product name, for example `Signed webhooks`.
    pub name: &'static str,
    /// The roles that its connections can have.
    pub roles: &'static [Role],
    pub capabilities: Capabilities,
    /// The features that a connection can add with `shows`, and the roles that can: those for which the platform
    /// has code.
    pub optional_features: &'static [(Feature, &'static [Role])],
    pub behaviour: Behaviour,
    /// The inbound URLs to enter into the vendor's forms.
    pub addresses: &'static [AddressSpec],
    pub settings: &'static [SettingSpec],
    pub secrets: &'static [SecretSpec],
    /// The boolean setting with which an observer subscribes to alerts for operators; `None` if the platform
    /// cannot receive them.
    pub alerts_setting: Option<&'static str>,
    /// The default of `retry_unknown`: the number of retries after an attempt with an unknown result. `None`
    /// for as many as the retry schedule has.
    pub retry_unknown: Option<u32>,
    /// Checks that settings and secrets are consistent. Returns a message for each problem.
    pub check: fn(&CheckInput<'_>) -> Vec<String>,
}

/// What the stack itself needs to know about a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlatformTraits {
    pub id: PlatformId,
    pub capabilities: Capabilities,
    pub behaviour: Behaviour,
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

/// A secret of a platform.
#[derive(Debug, Clone, Copy)]
pub struct SecretSpec {
    /// A name that ends in `:` is a prefix: it matches every name that begins with it.
    pub name: &'static str,
    pub required: bool,
    /// Checks a value. Its message never contains the value.
    pub check: SecretCheck,
    /// One line for operators.
    pub help: &'static str,
}

/// Checks the value of a secret. The flag is whether the stack allows plain http and private addresses.
pub type SecretCheck = fn(&str, bool) -> Result<(), String>;

/// The settings and secrets of a connection. Each is already valid on its own.
#[derive(Debug, Clone, Copy)]
pub struct CheckInput<'a> {
    pub settings: &'a Map<String, Value>,
    /// The names of the secrets.
    pub secrets: &'a [&'a str],
}

impl PlatformSpec {
    /// Returns what the stack itself needs to know, without the code that checks configurations.
    #[must_use]
    pub const fn traits(&self) -> PlatformTraits {
        PlatformTraits { id: self.id, capabilities: self.capabilities, behaviour: self.behaviour }
    }

    /// Returns the names of the features that a connection in a role can add.
    #[must_use]
    pub fn optional_features(&self, role: Role) -> Vec<&'static str> {
        let is_optional = |feature: &Feature| {
            let mut all = self.optional_features.iter();
            all.any(|(known, roles)| known == feature && roles.contains(&role))
        };
        let names = Feature::NAMES.iter().filter(|(_, feature)| is_optional(feature));
        names.map(|(name, _)| *name).collect()
    }

    /// Returns the path of its documentation page in the repository.
    #[must_use]
    pub fn docs(&self) -> String {
        format!("functions/{}/README.md", self.id)
    }

    /// Returns the description of a secret, by its name or by a prefix of its name.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&'static SecretSpec> {
        self.secrets.iter().find(|spec| match spec.name.strip_suffix(':') {
            Some(prefix) => name.strip_prefix(prefix).is_some_and(|rest| rest.len() > 1),
            None => spec.name == name,
        })
    }
}

impl SecretSpec {
    /// Describes a secret that a connection may have.
    #[must_use]
    pub const fn optional(name: &'static str, check: SecretCheck, help: &'static str) -> Self {
        Self { name, required: false, check, help }
    }

    /// Describes a secret that a connection must have.
    #[must_use]
    pub const fn required(name: &'static str, check: SecretCheck, help: &'static str) -> Self {
        Self { name, required: true, check, help }
    }
}

impl CheckInput<'_> {
    /// Returns whether the connection has a secret.
    #[must_use]
    pub fn has_secret(&self, name: &str) -> bool {
        self.secrets.contains(&name)
    }

    /// Parses the settings. An invalid or missing one is reported on its own: it has its default here, or is
    /// empty.
    #[must_use]
    pub fn typed_settings<S: PlatformSettings>(&self) -> S {
        S::parse_leniently(self.settings)
    }
}

impl PlatformSpec {
    /// Returns whether a connection with these settings receives alerts for operators.
    #[must_use]
    pub fn receives_alerts(&self, role: Role, settings: &Map<String, Value>) -> bool {
        let setting = self.alerts_setting.and_then(|name| settings.get(name));
        role == Role::Observer && setting == Some(&Value::Bool(true))
    }
}

/// The platforms that a program knows.
#[derive(Debug, Clone, Copy)]
pub struct Platforms(pub &'static [&'static PlatformSpec]);

impl Platforms {
    /// Returns the description of a platform.
    #[must_use]
    pub fn get(self, id: PlatformId) -> Option<&'static PlatformSpec> {
        self.0.iter().copied().find(|spec| spec.id == id)
    }

    /// Returns the descriptions of all platforms.
    pub fn iter(self) -> impl Iterator<Item = &'static PlatformSpec> {
        self.0.iter().copied()
    }

    /// Returns the ids of all platforms.
    #[must_use]
    pub fn ids(self) -> Vec<&'static str> {
        self.0.iter().map(|spec| spec.id.as_str()).collect()
    }
}
