//! The mocks of all platforms.

use trunkline_core::model::PlatformId;
use trunkline_mock::Mock;

macro_rules! register {
    ($($platform:path, $mock:path;)+) => {
        /// The mock of each platform, in the order of the registry.
        const MOCKS: &[Mock] = &[$($mock),+];
    };
}

trunkline_registry::for_all_platforms!(register);

/// Returns the mock of a platform.
#[must_use]
pub fn mock(platform: PlatformId) -> Option<Mock> {
    let index = trunkline_registry::PLATFORMS.iter().position(|spec| spec.id == platform)?;
    MOCKS.get(index).copied()
}
