//! Rate limit for wrong tokens: a source address with too many of them is blocked until the minute ends.
//!
//! A token's secret has 244 bits and cannot be guessed; the limit keeps guessing from causing cost and makes
//! it visible. Only different tokens count, so a program that keeps using one expired token does not block others
//! at its address. Text that is not in the format of a token is rejected without a read and does not count.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use jiff::{SignedDuration, Timestamp};
use lambda_http::request::RequestContext;
use trunkline_runtime::store::start_of_minute;

use crate::problem::Problem;

/// The number of wrong tokens that a source address may send in a minute.
pub const MAX_WRONG_TOKENS: u64 = 20;
/// The number of sources, and of wrong tokens, that a process remembers.
const MAX_ENTRIES: usize = 10_000;

/// The sources that this process blocks, and the tokens it knows to be wrong.
#[derive(Debug, Default)]
pub struct Throttle(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    blocked_until: HashMap<String, Timestamp>,
    wrong_tokens: HashSet<String>,
}

impl Throttle {
    /// Checks that a source is not blocked.
    ///
    /// # Errors
    /// If it is blocked.
    pub fn check(&self, source: &str, now: Timestamp) -> Result<(), Problem> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match state.blocked_until.get(source) {
            Some(until) if now < *until => Err(too_many_wrong_tokens(*until, now)),
            _ => Ok(()),
        }
    }

    /// Blocks a source whose number of wrong tokens in the current minute has reached the limit.
    ///
    /// # Errors
    /// If the limit is reached.
    pub fn check_count(&self, source: &str, wrong: u64, now: Timestamp) -> Result<(), Problem> {
        if wrong < MAX_WRONG_TOKENS {
            return Ok(());
        }
        let until = start_of_minute(now) + SignedDuration::from_mins(1);
        let mut state = self.state();
        if state.blocked_until.len() >= MAX_ENTRIES {
            state.blocked_until.clear();
        }
        state.blocked_until.insert(source.to_owned(), until);
        Err(too_many_wrong_tokens(until, now))
    }

    /// Remembers a wrong token by its digest. Returns whether it was not known before.
    pub fn is_new_wrong_token(&self, digest: &str) -> bool {
        let mut state = self.state();
        if state.wrong_tokens.len() >= MAX_ENTRIES {
            state.wrong_tokens.clear();
        }
        state.wrong_tokens.insert(digest.to_owned())
    }

    fn state(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many_wrong_tokens(until: Timestamp, now: Timestamp) -> Problem {
    let seconds = until.duration_since(now).as_secs_f64().ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 60")]
    Problem::too_many_requests(seconds.clamp(1.0, 60.0) as u16)
}

/// Returns the source of a call from API Gateway: the IPv4 address, or the /64 network of an IPv6 address,
/// which belongs to one subscriber. `None` for calls that did not come through API Gateway; these need AWS
/// credentials.
pub fn source(context: &RequestContext) -> Option<String> {
    let RequestContext::ApiGatewayV2(context) = context else { return None };
    Some(match context.http.source_ip.as_deref()?.parse().ok()? {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_only_the_guessing_source_until_the_minute_ends() {
        let throttle = Throttle::default();
        let now: Timestamp = "2026-03-04T09:15:20Z".parse().unwrap();
        assert!(throttle.check_count("a", MAX_WRONG_TOKENS - 1, now).is_ok());
        assert!(throttle.check("a", now).is_ok());
        assert!(throttle.check_count("a", MAX_WRONG_TOKENS, now).is_err());
        assert!(throttle.check("a", now).is_err() && throttle.check("b", now).is_ok());
        assert!(throttle.check("a", now + SignedDuration::from_secs(39)).is_err());
        assert!(throttle.check("a", now + SignedDuration::from_secs(40)).is_ok());
    }

    #[test]
    fn a_repeated_wrong_token_counts_once() {
        let throttle = Throttle::default();
        assert!(throttle.is_new_wrong_token("x") && !throttle.is_new_wrong_token("x"));
        assert!(throttle.is_new_wrong_token("y"));
    }
}
