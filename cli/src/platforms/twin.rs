//! What can be set for TWIN.

use trunkline_shared::model::{Platform, Role};

use crate::config::PlatformSpec;

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Twin,
    roles: &[Role::Bot, Role::Desk],
    settings: &[],
    secrets: &[],
    retry_unknown: Some(1),
    check: |_| Vec::new(),
};
