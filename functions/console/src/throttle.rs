//! Whoever tries many wrong tokens within a minute is made to wait until its end.
//!
//! A token's secret has 244 bits, so nobody finds one by trying; this keeps the trying from costing, and
//! has it seen. What is counted are different tokens: a program that goes on with one that has ended
//! locks nobody out. What has not even a token's form is refused and not counted: it reads nothing.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use jiff::{SignedDuration, Timestamp};
use lambda_http::request::RequestContext;
use trunkline_shared::store::minute;

use crate::problem::Problem;

/// How many wrong tokens of one source are taken in a minute.
pub const MOST: u64 = 20;
/// How many sources, and how many wrong tokens, a process remembers.
const REMEMBERED: usize = 10_000;

/// Whom this process has wait, and which tokens it knows to be wrong.
#[derive(Debug, Default)]
pub struct Throttle(RwLock<Memory>);

#[derive(Debug, Default)]
struct Memory {
    until: HashMap<String, Timestamp>,
    wrong: HashSet<String>,
}

impl Throttle {
    /// Lets a source go on, unless it has to wait.
    ///
    /// # Errors
    /// If it has to.
    pub fn pass(&self, source: &str, now: Timestamp) -> Result<(), Problem> {
        let memory = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match memory.until.get(source) {
            Some(until) if now < *until => Err(wait(*until, now)),
            _ => Ok(()),
        }
    }

    /// Judges how often a source has brought a wrong token in this minute.
    ///
    /// # Errors
    /// If that was too often.
    pub fn judge(&self, source: &str, guesses: u64, now: Timestamp) -> Result<(), Problem> {
        if guesses < MOST {
            return Ok(());
        }
        let until = minute(now) + SignedDuration::from_mins(1);
        let mut memory = self.memory();
        if memory.until.len() >= REMEMBERED {
            memory.until.clear();
        }
        memory.until.insert(source.to_owned(), until);
        Err(wait(until, now))
    }

    /// Whether a wrong token, by its digest, is another than those before.
    pub fn is_another(&self, digest: &str) -> bool {
        let mut memory = self.memory();
        if memory.wrong.len() >= REMEMBERED {
            memory.wrong.clear();
        }
        memory.wrong.insert(digest.to_owned())
    }

    fn memory(&self) -> RwLockWriteGuard<'_, Memory> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait(until: Timestamp, now: Timestamp) -> Problem {
    let seconds = until.duration_since(now).as_secs_f64().ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 60")]
    Problem::too_many(seconds.clamp(1.0, 60.0) as u16)
}

/// Where a call comes from, as API Gateway tells it: an address, or of the new kind the network that one
/// subscriber has. Nothing for a call that came another way, which takes AWS's credentials.
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
    fn many_wrong_tokens_wait_until_the_minute_is_over_and_others_do_not() {
        let throttle = Throttle::default();
        let now: Timestamp = "2026-03-04T09:15:20Z".parse().unwrap();
        assert!(throttle.judge("a", MOST - 1, now).is_ok() && throttle.pass("a", now).is_ok());
        assert!(throttle.judge("a", MOST, now).is_err());
        assert!(throttle.pass("a", now).is_err() && throttle.pass("b", now).is_ok());
        assert!(throttle.pass("a", now + SignedDuration::from_secs(39)).is_err());
        assert!(throttle.pass("a", now + SignedDuration::from_secs(40)).is_ok());
    }

    #[test]
    fn the_same_wrong_token_again_is_no_other_guess() {
        let throttle = Throttle::default();
        assert!(throttle.is_another("x") && !throttle.is_another("x") && throttle.is_another("y"));
    }
}
