//! The settings and secrets of each platform. A new platform needs an entry here and one in the shared table
//! of capabilities.

mod checks;
mod cm;
mod servisbot;
mod twin;
mod unblu;
mod webex;
mod webhook;

use trunkline_core::model::Platform;

use crate::file::PlatformSpec;

const TABLE: [&PlatformSpec; 6] =
    [&cm::SPEC, &servisbot::SPEC, &twin::SPEC, &unblu::SPEC, &webex::SPEC, &webhook::SPEC];

/// Returns the settings and secrets of a platform's connections.
#[must_use]
pub fn spec(platform: Platform) -> &'static PlatformSpec {
    TABLE.into_iter().find(|spec| spec.platform == platform).unwrap_or(TABLE[0])
}

/// Returns the entries of all platforms.
#[must_use]
pub fn all() -> &'static [&'static PlatformSpec] {
    &TABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_a_spec() {
        for name in Platform::names() {
            let platform: Platform = name.parse().unwrap();
            assert_eq!(spec(platform).platform, platform);
        }
        assert_eq!(all().len(), Platform::names().len());
    }
}
