//! Fetches and caches public keys (RFC 7517) from the `jwks_url` setting.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use trunkline_runtime::http_client::{HttpClient, HttpRequest};
use trunkline_runtime::security::AuthError;

use crate::jwt;
use crate::key_set::{Key, parse};
use crate::settings::Settings;

/// Maximum number of URLs in the cache.
const MAX_URLS: usize = 100;
/// The age after which keys are refreshed, so that a new key is usually cached before its first
/// use.
const REFRESH_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// The age after which keys that cannot be refreshed are discarded.
const DISCARD_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// The minimum interval between fetches that unknown keys cause.
const MIN_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
/// The minimum interval between fetches while no key is cached.
const MIN_INTERVAL_WITHOUT_KEYS: SignedDuration = SignedDuration::from_secs(5);
/// The timeout of a fetch: the inbound call that caused it waits for it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);

/// The public keys of all connections, by URL.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(RwLock<HashMap<String, CachedKeys>>);

/// The cached keys of one URL.
#[derive(Debug, Default)]
struct CachedKeys {
    keys: Vec<Key>,
    fetched_at: Option<Timestamp>,
    attempted_at: Option<Timestamp>,
    /// A token named an unknown key.
    refresh_requested: bool,
}

/// The reason why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// The token is invalid.
    Denied(AuthError),
    /// The token's key is not cached yet: the caller should retry.
    KeyPending,
}

impl KeyCache {
    /// Fetches the keys of a URL if a refresh is due.
    ///
    /// # Errors
    /// The reason why the fetch failed.
    pub(crate) async fn refresh(
        &self,
        url: &str,
        http: &HttpClient,
        now: Timestamp,
    ) -> Result<(), String> {
        if !self.start_fetch(url, now) {
            return Ok(());
        }
        let request = HttpRequest {
            method: Method::GET,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        };
        let response = tokio::time::timeout(FETCH_TIMEOUT, http.send(request))
            .await
            .map_err(|_| format!("no response within {} seconds", FETCH_TIMEOUT.as_secs()))?
            .map_err(|error| error.to_string())?;
        if !response.status.is_success() {
            return Err(format!("the response status is {}", response.status));
        }
        let keys = parse(&response.body)?;
        let mut known = self.write();
        let known = known.entry(url.to_owned()).or_default();
        *known = CachedKeys {
            keys,
            fetched_at: Some(now),
            attempted_at: Some(now),
            refresh_requested: false,
        };
        Ok(())
    }

    /// Whether a fetch is due. If so, records the attempt.
    fn start_fetch(&self, url: &str, now: Timestamp) -> bool {
        let mut all = self.write();
        if all.len() >= MAX_URLS && !all.contains_key(url) {
            all.clear();
        }
        let known = all.entry(url.to_owned()).or_default();
        known.discard_expired(now);
        let since = |then: Option<Timestamp>| then.map(|then| now.duration_since(then));
        let min_interval =
            if known.keys.is_empty() { MIN_INTERVAL_WITHOUT_KEYS } else { MIN_INTERVAL };
        let is_allowed = since(known.attempted_at).is_none_or(|elapsed| elapsed >= min_interval);
        let is_due = known.refresh_requested
            || since(known.fetched_at).is_none_or(|elapsed| elapsed >= REFRESH_AFTER);
        if is_allowed && is_due {
            known.attempted_at = Some(now);
        }
        is_allowed && is_due
    }

    /// Verifies a token with the keys of a URL.
    pub(crate) fn check(
        &self,
        url: &str,
        token: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), TokenError> {
        let header = jwt::header(token).ok_or(TokenError::Denied(AuthError::Mismatch))?;
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256) {
            return Err(TokenError::Denied(AuthError::Mismatch));
        }
        let candidates = self.candidates(url, header.alg, header.kid.as_deref());
        if candidates.is_empty() {
            return Err(self.request_refresh(url, now));
        }
        let mut checked = candidates
            .iter()
            .map(|found| jwt::check(token, found.algorithm, &found.public, settings, now));
        if checked.any(|checked| checked.is_ok()) {
            Ok(())
        } else {
            Err(TokenError::Denied(AuthError::Mismatch))
        }
    }

    /// The keys that may have signed a token: the key that it names, or all keys of its algorithm.
    fn candidates(&self, url: &str, algorithm: Algorithm, id: Option<&str>) -> Vec<Key> {
        let all = self.read();
        let keys = all.get(url).map(|known| known.keys.as_slice()).unwrap_or_default();
        let fits =
            |key: &&Key| key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id);
        keys.iter().filter(fits).cloned().collect()
    }

    /// Requests a refresh with the next call, unless the keys were just fetched.
    fn request_refresh(&self, url: &str, now: Timestamp) -> TokenError {
        let mut all = self.write();
        let Some(known) = all.get_mut(url) else { return TokenError::KeyPending };
        let is_fresh = known.fetched_at.is_some_and(|then| now.duration_since(then) < MIN_INTERVAL);
        known.refresh_requested = !is_fresh;
        if is_fresh { TokenError::Denied(AuthError::Mismatch) } else { TokenError::KeyPending }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, CachedKeys>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, CachedKeys>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CachedKeys {
    fn discard_expired(&mut self, now: Timestamp) {
        if self.fetched_at.is_some_and(|then| now.duration_since(then) >= DISCARD_AFTER) {
            self.keys.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::key_set::MAX_KEYS;

    const URL: &str = "https://keys.example.com/jwks.json";

    /// RFC 7515, A.2 (RSA) and A.3 (P-256): each a public key and the token that it verifies. Both
    /// tokens are valid until 2011-03-22T18:43:00Z.
    fn rfc_examples() -> [(Value, String); 2] {
        let parts = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let rsa = json!({"kty": "RSA", "e": "AQAB", "kid": "rsa", "use": "sig",
            "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"});
        let rsa_token = format!(
            "eyJhbGciOiJSUzI1NiJ9.{parts}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        );
        let ec = json!({"kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
        let ec_token = format!(
            "eyJhbGciOiJFUzI1NiJ9.{parts}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        );
        [(rsa, rsa_token), (ec, ec_token)]
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_300_819_380).unwrap()
    }

    fn cache_with(keys: &Value, at: Timestamp) -> KeyCache {
        let keys = parse(json!({"keys": keys}).to_string().as_bytes()).unwrap();
        let known = CachedKeys {
            keys,
            fetched_at: Some(at),
            attempted_at: Some(at),
            refresh_requested: false,
        };
        KeyCache(RwLock::new(HashMap::from([(URL.to_owned(), known)])))
    }

    #[test]
    fn verifies_the_rfc_tokens_only_with_their_own_key() {
        let [(rsa, rsa_token), (ec, ec_token)] = rfc_examples();
        let check = |keys: &Value, token: &str| {
            cache_with(keys, now()).check(URL, token, &Settings::default(), now())
        };
        let both = json!([rsa, ec, {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "new"}, 7]);
        assert_eq!(check(&both, &rsa_token), Ok(()));
        assert_eq!(check(&both, &ec_token), Ok(()));
        assert!(check(&json!([rsa]), &ec_token).is_err());
        let tampered = rsa_token.replace("cC4hiUPoj9", "cC4hiUPoj8");
        assert_eq!(check(&both, &tampered), Err(TokenError::Denied(AuthError::Mismatch)));
        for unsuitable in [json!({"use": "enc"}), json!({"alg": "RS512"})] {
            let mut key = rsa.clone();
            key.as_object_mut().unwrap().extend(unsuitable.as_object().unwrap().clone());
            assert!(check(&json!([key, ec]), &rsa_token).is_err());
        }
    }

    #[test]
    fn an_unknown_key_causes_at_most_one_fetch_per_minute() {
        let [(_, rsa_token), (ec, _)] = rfc_examples();
        let keys = cache_with(&json!([ec]), now());
        let minute = SignedDuration::from_mins(1);
        let check = |at| keys.check(URL, &rsa_token, &Settings::default(), at);
        assert_eq!(
            check(now()),
            Err(TokenError::Denied(AuthError::Mismatch)),
            "they were just fetched_at"
        );
        assert!(!keys.start_fetch(URL, now() + minute), "no refresh was requested");
        assert_eq!(check(now() + minute), Err(TokenError::KeyPending));
        assert!(keys.start_fetch(URL, now() + minute), "the next call fetches the keys");
        assert!(!keys.start_fetch(URL, now() + minute), "only once");
    }

    #[test]
    fn keys_are_refreshed_and_discarded_by_age() {
        let [(_, token), (ec, _)] = rfc_examples();
        let keys = cache_with(&json!([ec]), now());
        assert!(!keys.start_fetch(URL, now() + SignedDuration::from_mins(9)));
        assert!(keys.start_fetch(URL, now() + REFRESH_AFTER));
        assert!(keys.start_fetch(URL, now() + DISCARD_AFTER));
        assert!(keys.candidates(URL, Algorithm::ES256, None).is_empty());
        let later = now() + DISCARD_AFTER + SignedDuration::from_secs(5);
        assert_eq!(
            keys.check(URL, &token, &Settings::default(), later),
            Err(TokenError::KeyPending)
        );
        assert!(keys.start_fetch(URL, later), "without keys the interval is shorter");
    }

    #[test]
    fn the_cache_limits_urls_and_keys() {
        let keys = KeyCache::default();
        for i in 0..1_000 {
            assert!(keys.start_fetch(&format!("{URL}?{i}"), now()));
        }
        assert!(keys.read().len() <= MAX_URLS);
        let [_, (ec, _)] = rfc_examples();
        let many = json!({"keys": vec![ec; 1_000]}).to_string();
        assert_eq!(super::parse(many.as_bytes()).unwrap().len(), MAX_KEYS);
    }

    proptest! {
        #[test]
        fn arbitrary_key_sets_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = super::parse(&body);
        }

        #[test]
        fn arbitrary_keys_never_panic(
            kty in "RSA|EC|OKP|oct|x", a in "[A-Za-z0-9_=-]{0,60}", b in "[A-Za-z0-9_=-]{0,60}",
            crv in "P-256|P-384|x"
        ) {
            let key = json!({"kty": kty, "crv": crv, "n": a, "e": b, "x": a, "y": b, "k": a});
            let [(_, rsa), (_, ec)] = rfc_examples();
            let body = json!({"keys": [key]}).to_string();
            if let Ok(parsed) = super::parse(body.as_bytes()) {
                let known = CachedKeys { keys: parsed, ..CachedKeys::default() };
                let keys = KeyCache(RwLock::new(HashMap::from([(URL.to_owned(), known)])));
                for token in [rsa, ec] {
                    prop_assert!(keys.check(URL, &token, &Settings::default(), now()).is_err());
                }
            }
        }
    }
}
