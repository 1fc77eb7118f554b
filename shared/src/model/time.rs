//! Times as platforms write them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Reads a date and time with 0 to 9 fractional digits, `T` or a space between, and `Z`, an offset,
/// or nothing (which means UTC) behind: Webex Connect's and CM's writings are among these.
#[must_use]
pub fn parse_lenient(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

/// `2026-03-04 09:15:21.412`, in UTC (WX-BOT's `YYYY-MM-DD hh:mm:ss.SSS`).
#[must_use]
pub fn spaced_millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string()
}

/// `2026-03-04T09:15:21.412Z`: sorts as text.
#[must_use]
pub fn rfc3339_millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// A time in whole milliseconds.
#[must_use]
pub fn millis(time: SignedDuration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_the_writings_are_read() {
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
    fn writings_have_three_decimals() {
        let at: Timestamp = "2026-03-04T09:15:21.4129Z".parse().unwrap();
        assert_eq!(spaced_millis(at), "2026-03-04 09:15:21.412");
        assert_eq!(rfc3339_millis(at), "2026-03-04T09:15:21.412Z");
    }
}
