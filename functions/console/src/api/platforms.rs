//! What can be set up.

use serde::Serialize;
use trunkline_setup::config::Kind;
use trunkline_setup::platforms::all;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::view::word;

/// A platform, and what can be set for its connections.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformView {
    platform: &'static str,
    /// As its vendor calls it.
    name: &'static str,
    roles: Vec<String>,
    /// Where more is written, in the project.
    docs: &'static str,
    settings: Vec<SettingView>,
    secrets: Vec<SecretView>,
    /// The vendor's form, as far as we have something to paste into it.
    form: Vec<FormView>,
}

/// A setting.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingView {
    name: &'static str,
    /// `text`, `url`, `truth` or `word`.
    kind: &'static str,
    /// What a word can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<&'static str>>,
    required: bool,
    about: &'static str,
}

/// A secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecretView {
    name: &'static str,
    required: bool,
    about: &'static str,
}

/// A field of the vendor's form.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormView {
    field: &'static str,
    /// What goes there: `{url}` stands for the connection's address.
    value: String,
}

/// The platforms, and what can be set for their connections.
#[utoipa::path(get, path = "/platforms", tag = "connections",
    responses((status = 200, body = Vec<PlatformView>)))]
pub async fn platforms(_: Caller) -> axum::Json<Vec<PlatformView>> {
    let shown = all().iter().map(|spec| PlatformView {
        platform: spec.platform.name(),
        name: spec.name,
        roles: spec.roles.iter().map(word).collect(),
        docs: spec.docs,
        settings: spec
            .settings
            .iter()
            .map(|setting| {
                let (kind, words) = match setting.kind {
                    Kind::Text => ("text", None),
                    Kind::Url => ("url", None),
                    Kind::Truth => ("truth", None),
                    Kind::Word(words) => ("word", Some(words.to_vec())),
                };
                let (name, required, about) = (setting.name, setting.required, setting.about);
                SettingView { name, kind, words, required, about }
            })
            .collect(),
        secrets: spec
            .secrets
            .iter()
            // What stands for many has no one field.
            .filter(|secret| !secret.name.ends_with(':'))
            .map(|secret| SecretView {
                name: secret.name,
                required: secret.required,
                about: secret.about,
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
    axum::Json(shown.collect())
}
