//! A toy platform and its secrets, for tests.

use trunkline_core::model::{Behaviour, Capabilities, Feature, PlatformId, Role};
use trunkline_core::platform::{
    BoundedNumber, PlatformSettings, PlatformSpec, Platforms, SecretSpec, WebUrl,
};
use trunkline_core::{setting_enum, settings};

setting_enum! {
    /// How calls authenticate.
    pub enum Auth { Signature = "signature", Bearer = "bearer" }
}

settings! {
    /// The settings of a fax machine.
    pub struct Fax {
        /// URL that receives messages
        message_url: WebUrl;
        /// how calls authenticate
        auth: Auth = Auth::Signature;
        /// seconds before a call is given up
        patience: BoundedNumber<1, 60> = BoundedNumber(5);
    }
}

fn at_least_eight(value: &str, _: bool) -> Result<(), String> {
    if value.len() >= 8 { Ok(()) } else { Err("has less than 8 characters".into()) }
}

/// A platform with a required setting, an enum and a secret.
pub(crate) const FAX: PlatformSpec = PlatformSpec {
    id: PlatformId::from_static("fax"),
    name: "Fax",
    roles: &[Role::Channel, Role::Bot, Role::Desk, Role::Observer],
    capabilities: Capabilities { media: true, ..Capabilities::TEXT_ONLY },
    optional_features: &[
        (Feature::Media, &[Role::Channel, Role::Bot]),
        (Feature::Markup, &[Role::Channel, Role::Bot]),
    ],
    behaviour: Behaviour::NONE,
    addresses: &[],
    settings: Fax::SPECS,
    secrets: &[SecretSpec::required("signing", at_least_eight, "secret that signs calls")],
    alerts_setting: None,
    retry_unknown: None,
    check: |_| Vec::new(),
};

/// The platforms of the tests.
pub(crate) const TOYS: Platforms = Platforms(&[&FAX]);
