//! Time formats of the platforms.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Parses a date and time with 0 to 9 fractional digits, separated by `T` or a space, and followed by
/// `Z`, an offset or nothing (UTC). Includes the formats of Webex Connect and CM.com.
#[must_use]
pub fn parse_lenient(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

/// Formats a time in UTC as `2026-03-04 09:15:21.412` (WX-BOT's `YYYY-MM-DD hh:mm:ss.SSS`).
#[must_use]
pub fn format_spaced_millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string()
}

/// Formats a time as `2026-03-04T09:15:21.412Z` (RFC 3339), which sorts as text.
#[must_use]
pub fn format_rfc3339_millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Returns a duration in whole milliseconds.
#[must_use]
pub fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_all_time_formats() {
        let expected: Timestamp = "2026-03-04T09:15:20.89Z".parse().unwrap();
        for text in [
            "2026-03-04 09:15:20.89",
            "2026-03-04 09:15:20.890",
            "2026-03-04T09:15:20.8900000+00:00",
            " 2026-03-04T10:15:20.89+01:00 ",
        ] {
            assert_eq!(parse_lenient(text), Some(expected), "{text}");
        }
        assert!(parse_lenient("2026-03-04 09:15:20").is_some());
        for bad in ["", "YYYY-MM-DD hh:mm:ss.SS", "yesterday", "2026-13-04 09:15:20"] {
            assert_eq!(parse_lenient(bad), None, "{bad}");
        }
    }

    #[test]
    fn formats_times_with_milliseconds() {
        let at: Timestamp = "2026-03-04T09:15:21.4129Z".parse().unwrap();
        assert_eq!(format_spaced_millis(at), "2026-03-04 09:15:21.412");
        assert_eq!(format_rfc3339_millis(at), "2026-03-04T09:15:21.412Z");
    }
}
