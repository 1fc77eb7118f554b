//! The supported platforms and their settings.

use serde::Serialize;
use trunkline_core::model::Role;
use trunkline_core::platform::Kind;
use trunkline_registry::PLATFORMS;
use utoipa::ToSchema;

use crate::auth::Caller;

/// A platform and the settings of its connections.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformView {
    platform: &'static str,
    /// The vendor's name for the platform.
    name: &'static str,
    roles: Vec<Role>,
    /// The path of the platform's documentation in the repository.
    docs: String,
    settings: Vec<SettingView>,
    secrets: Vec<SecretView>,
    /// The fields of the vendor's form that need a value from Trunkline.
    form: Vec<FormView>,
}

/// The type of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    Text,
    /// A URL that Trunkline calls.
    Url,
    Boolean,
    /// A whole number within the setting's `range`.
    Number,
    /// One of the setting's `options`.
    Enum,
}

/// A setting of a platform's connections.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingView {
    name: &'static str,
    kind: SettingKind,
    /// The values of an `enum`.
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Vec<&'static str>>,
    /// The smallest and the largest value of a `number`.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<[u32; 2]>,
    required: bool,
    description: String,
}

/// A secret of a platform's connections.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretView {
    name: &'static str,
    required: bool,
    description: &'static str,
}

/// A field of the vendor's form.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormView {
    field: &'static str,
    /// The value of the field. `{url}` stands for the connection's inbound URL.
    value: String,
}

/// List the platforms with their settings and secrets.
#[utoipa::path(get, path = "/platforms", tag = "connections",
    responses((status = 200, body = Vec<PlatformView>)))]
pub async fn platforms(_: Caller) -> axum::Json<Vec<PlatformView>> {
    let views = PLATFORMS.iter().map(|spec| PlatformView {
        platform: spec.id.as_str(),
        name: spec.name,
        roles: spec.roles.to_vec(),
        docs: spec.docs(),
        settings: spec
            .settings
            .iter()
            .map(|setting| {
                let (kind, options, range) = match setting.kind {
                    Kind::Text => (SettingKind::Text, None, None),
                    Kind::Url => (SettingKind::Url, None, None),
                    Kind::Boolean => (SettingKind::Boolean, None, None),
                    Kind::Number { min, max } => (SettingKind::Number, None, Some([min, max])),
                    Kind::Enum(options) => (SettingKind::Enum, Some(options.to_vec()), None),
                };
                let (name, required) = (setting.name, setting.required);
                let description = setting.help_with_default();
                SettingView { name, kind, options, range, required, description }
            })
            .collect(),
        secrets: spec
            .secrets
            .iter()
            // A name that ends with a colon is a prefix of many secrets, not a field.
            .filter(|secret| !secret.name.ends_with(':'))
            .map(|secret| SecretView {
                name: secret.name,
                required: secret.required,
                description: secret.help,
            })
            .collect(),
        form: spec
            .addresses
            .iter()
            .map(|address| FormView {
                field: address.field,
                value: format!("{{url}}{}", address.path),
            })
            .collect(),
    });
    axum::Json(views.collect())
}
