//! Reads the `Retry-After` header of a response.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;

/// When a platform asks for the next attempt (RFC 9110, section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// After this number of seconds.
    Seconds(u32),
    /// At this time, by this function's clock: the response has no `Date`.
    At(Timestamp),
}

impl RetryAfter {
    /// Reads the header of a response. A decimal number, which the specification does not allow but some
    /// platforms send, is rounded up. Of several values the longest counts.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let values = || headers.get_all(RETRY_AFTER).iter().filter_map(|value| value.to_str().ok());
        let seconds = values().flat_map(|value| value.split(',')).filter_map(seconds).max();
        if let Some(seconds) = seconds {
            return Some(Self::Seconds(seconds));
        }
        let at = values().filter_map(|value| httpdate::parse_http_date(value.trim()).ok()).max()?;
        let date = headers.get(DATE).and_then(|value| value.to_str().ok());
        match date.and_then(|date| httpdate::parse_http_date(date.trim()).ok()) {
            // The platform's clock may differ from ours.
            Some(date) => Some(Self::Seconds(whole_seconds(at.duration_since(date).ok()?))),
            None => Some(Self::At(timestamp(at)?)),
        }
    }

    /// Returns the number of seconds from `now`.
    #[must_use]
    pub fn seconds(self, now: Timestamp) -> u32 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::At(at) => at.duration_since(now).try_into().map_or(0, whole_seconds),
        }
    }
}

fn seconds(value: &str) -> Option<u32> {
    let seconds: f64 = value.trim().parse().ok()?;
    let duration = Duration::try_from_secs_f64(seconds).ok();
    match duration {
        Some(duration) => Some(whole_seconds(duration)),
        None if seconds > 0.0 => Some(u32::MAX),
        None => None,
    }
}

fn whole_seconds(duration: Duration) -> u32 {
    let up = u64::from(duration.subsec_nanos() > 0);
    u32::try_from(duration.as_secs().saturating_add(up)).unwrap_or(u32::MAX)
}

fn timestamp(at: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(values: &[&str], date: Option<&str>) -> Option<RetryAfter> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(RETRY_AFTER, value.parse().unwrap());
        }
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        RetryAfter::from_headers(&headers)
    }

    /// Shows input 18.
    #[test]
    fn reads_numbers_and_dates() {
        use RetryAfter::{At, Seconds};
        for (values, expected) in [
            (&["120"][..], Some(Seconds(120))),
            (&[" 7 "], Some(Seconds(7))),
            (&["0"], Some(Seconds(0))),
            (&["1.5"], Some(Seconds(2))),
            (&["120, 120"], Some(Seconds(120))),
            (&["3", "120.01"], Some(Seconds(121))),
            (&["99999999999"], Some(Seconds(u32::MAX))),
            (&["1e400"], Some(Seconds(u32::MAX))),
            (&["-1"], None),
            (&["NaN"], None),
            (&["soon"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(read(values, None), expected, "{values:?}");
        }
        let at = At("1994-11-06T08:49:37Z".parse().unwrap());
        // The three forms of RFC 9110, section 5.6.7.
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(read(&[date], None), Some(at), "{date}");
            assert_eq!(read(&[date], Some("Sun, 06 Nov 1994 08:39:37 GMT")), Some(Seconds(600)));
        }
        assert_eq!(at.seconds("1994-11-06T08:39:36.5Z".parse().unwrap()), 601);
        assert_eq!(at.seconds("1994-11-06T08:50:00Z".parse().unwrap()), 0);
    }

    proptest! {
        #[test]
        fn arbitrary_values_never_panic(value in "[ -~]{0,40}", date in "[ -~]{0,40}") {
            let read = read(&[&value], Some(&date));
            let _ = read.map(|asked| asked.seconds(Timestamp::UNIX_EPOCH));
        }
    }
}
