//! The list of platforms: the only one in this repository. A new platform needs one line here, one in
//! `Cargo.toml`, and one in `mock/Cargo.toml`.

use trunkline_core::platform::{Platform, PlatformTraits, Platforms};
use trunkline_runtime::inbound::Inbound;
use trunkline_runtime::outbound::Outbound;

/// Passes the type and the mock of each platform to a macro.
#[macro_export]
macro_rules! for_all_platforms {
    ($callback:ident) => {
        $callback! {
            trunkline_cm::Cm, trunkline_cm_mock::MOCK;
            trunkline_servisbot::Servisbot, trunkline_servisbot_mock::MOCK;
            trunkline_twin::Twin, trunkline_twin_mock::MOCK;
            trunkline_unblu::Unblu, trunkline_unblu_mock::MOCK;
            trunkline_webex::Webex, trunkline_webex_mock::MOCK;
            trunkline_webhook::Webhook, trunkline_webhook_mock::MOCK;
        }
    };
}

/// Returns the JSON Schema of the open protocol, signed webhooks.
#[cfg(feature = "schema")]
pub use trunkline_webhook::schema as open_protocol_schema;

/// Something to do with the type of each platform.
pub trait PlatformVisitor {
    /// Is called for each platform.
    fn visit<P: Inbound + Outbound + Default>(&mut self);
}

macro_rules! register {
    ($($platform:path, $mock:path;)+) => {
        /// The descriptions of all platforms.
        pub const PLATFORMS: Platforms = Platforms(&[$(&<$platform as Platform>::SPEC),+]);

        /// What the stack itself needs to know about all platforms.
        pub const TRAITS: &[PlatformTraits] = &[$(<$platform as Platform>::SPEC.traits()),+];

        /// Calls the visitor for each platform.
        pub fn visit(visitor: &mut impl PlatformVisitor) {
            $(visitor.visit::<$platform>();)+
        }
    };
}

for_all_platforms!(register);
