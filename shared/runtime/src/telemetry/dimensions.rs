//! By what metrics are counted.

/// Dimension sets of the metrics. The empty set is for alarms over all platforms.
const DIMENSION_SETS: [&[&str]; 3] = [&[], &["platform"], &["platform", "connection"]];

/// The dimension sets of a metric of the whole stack.
pub(super) const OF_STACK: &[&[&str]] = DIMENSION_SETS.split_at(1).0;

/// By what metrics are counted beside the whole stack. CloudWatch bills each metric of each platform and connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimensions {
    /// By nothing else.
    Stack,
    Platform,
    /// By platform, and by platform and connection.
    Connection,
}

impl Dimensions {
    /// Reads the value of `TRUNKLINE_METRIC_DIMENSIONS`.
    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "connection" => Self::Connection,
            "platform" => Self::Platform,
            _ => Self::Stack,
        }
    }

    /// Returns the dimension sets of a metric that has a platform, and perhaps a connection.
    pub(super) fn sets(
        self,
        has_platform: bool,
        has_connection: bool,
    ) -> &'static [&'static [&'static str]] {
        let sets = match self {
            Self::Stack => 1,
            Self::Platform => 1 + usize::from(has_platform),
            Self::Connection => 1 + usize::from(has_platform) + usize::from(has_connection),
        };
        &DIMENSION_SETS[..sets]
    }
}
