//! What can be set for ServisBOT.

use trunkline_shared::model::{Platform, Role};

use crate::config::PlatformSpec;

pub(super) const SPEC: PlatformSpec = PlatformSpec {
    platform: Platform::Servisbot,
    roles: &[Role::Bot, Role::Observer],
    settings: &[],
    secrets: &[],
    retry_unknown: Some(1),
    check: |_| Vec::new(),
};
