//! What can be set, by platform. Adding a platform adds its row here, and one in the shared table of
//! capabilities.

mod checks;
mod cm;
mod servisbot;
mod twin;
mod unblu;
mod webex;
mod webhook;

use trunkline_shared::model::Platform;

use crate::config::PlatformSpec;

const TABLE: [&PlatformSpec; 6] =
    [&cm::SPEC, &servisbot::SPEC, &twin::SPEC, &unblu::SPEC, &webex::SPEC, &webhook::SPEC];

/// What can be set for a platform's connections.
#[must_use]
pub fn spec(platform: Platform) -> &'static PlatformSpec {
    TABLE.into_iter().find(|spec| spec.platform == platform).unwrap_or(TABLE[0])
}

/// All platforms' rows.
#[must_use]
pub fn all() -> &'static [&'static PlatformSpec] {
    &TABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_its_own_row() {
        for name in Platform::names() {
            let platform: Platform = name.parse().unwrap();
            assert_eq!(spec(platform).platform, platform);
        }
        assert_eq!(all().len(), Platform::names().len());
    }
}
