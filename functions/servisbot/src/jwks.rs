//! Public keys (RFC 7517), fetched from where a setting says, and remembered within bounds.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use trunkline_shared::http_client::{HttpClient, Request};
use trunkline_shared::security::Denied;

use crate::jwt;
use crate::key_set::{Key, read};
use crate::settings::Settings;

/// How many addresses' keys are remembered.
const ADDRESSES: usize = 100;
/// After that time keys are fetched anew in any case: so a new one is mostly known before it is used.
const STALE: SignedDuration = SignedDuration::from_mins(10);
/// How long keys are good that cannot be fetched anew.
const TOO_OLD: SignedDuration = SignedDuration::from_hours(24);
/// How often a key that is not among them has them fetched anew, at most.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// How often, while there are none at all.
const PAUSE_WITHOUT: SignedDuration = SignedDuration::from_secs(5);
/// How long a call waits for them: it has to be answered itself.
const PATIENCE: Duration = Duration::from_secs(2);

/// The public keys of all connections, by their address.
#[derive(Debug, Default)]
pub(crate) struct Keys(RwLock<HashMap<String, Known>>);

/// What is known of an address.
#[derive(Debug, Default)]
struct Known {
    keys: Vec<Key>,
    fetched: Option<Timestamp>,
    tried: Option<Timestamp>,
    /// A token named a key that was not among them.
    wanted: bool,
}

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// It is wrong.
    Denied(Denied),
    /// Its key is not known yet; it may be in a moment.
    Later,
}

impl Keys {
    /// Fetches an address's keys if it is time.
    ///
    /// # Errors
    /// Why they could not be fetched.
    pub(crate) async fn refresh(
        &self,
        url: &str,
        outside: &HttpClient,
        now: Timestamp,
    ) -> Result<(), String> {
        if !self.begin(url, now) {
            return Ok(());
        }
        let request = Request {
            method: Method::GET,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        };
        let answer = tokio::time::timeout(PATIENCE, outside.call(request))
            .await
            .map_err(|_| format!("no answer within {} seconds", PATIENCE.as_secs()))?
            .map_err(|error| error.to_string())?;
        if !answer.status.is_success() {
            return Err(format!("the answer was {}", answer.status));
        }
        let keys = read(&answer.body)?;
        let mut known = self.write();
        let known = known.entry(url.to_owned()).or_default();
        *known = Known { keys, fetched: Some(now), tried: Some(now), wanted: false };
        Ok(())
    }

    /// Whether it is time to fetch an address's keys; if so, that is noted.
    fn begin(&self, url: &str, now: Timestamp) -> bool {
        let mut all = self.write();
        if all.len() >= ADDRESSES && !all.contains_key(url) {
            all.clear();
        }
        let known = all.entry(url.to_owned()).or_default();
        known.forget_what_is_too_old(now);
        let since = |then: Option<Timestamp>| then.map(|then| now.duration_since(then));
        let pause = if known.keys.is_empty() { PAUSE_WITHOUT } else { PAUSE };
        let may = since(known.tried).is_none_or(|tried| tried >= pause);
        let should = known.wanted || since(known.fetched).is_none_or(|fetched| fetched >= STALE);
        if may && should {
            known.tried = Some(now);
        }
        may && should
    }

    /// Checks a token with an address's keys.
    pub(crate) fn check(
        &self,
        url: &str,
        token: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), Doubt> {
        let header = jwt::header(token).ok_or(Doubt::Denied(Denied::Mismatch))?;
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256) {
            return Err(Doubt::Denied(Denied::Mismatch));
        }
        let candidates = self.find(url, header.alg, header.kid.as_deref());
        if candidates.is_empty() {
            return Err(self.want(url, now));
        }
        let mut checked = candidates
            .iter()
            .map(|found| jwt::check(token, found.algorithm, &found.public, settings, now));
        if checked.any(|checked| checked.is_ok()) {
            Ok(())
        } else {
            Err(Doubt::Denied(Denied::Mismatch))
        }
    }

    /// The keys that a token may be signed with: the one that it names, or any that fits.
    fn find(&self, url: &str, algorithm: Algorithm, id: Option<&str>) -> Vec<Key> {
        let all = self.read();
        let keys = all.get(url).map(|known| known.keys.as_slice()).unwrap_or_default();
        let fits =
            |key: &&Key| key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id);
        keys.iter().filter(fits).cloned().collect()
    }

    /// Has an address's keys fetched anew with the next call, unless they just were.
    fn want(&self, url: &str, now: Timestamp) -> Doubt {
        let mut all = self.write();
        let Some(known) = all.get_mut(url) else { return Doubt::Later };
        let just_now = known.fetched.is_some_and(|then| now.duration_since(then) < PAUSE);
        known.wanted = !just_now;
        if just_now { Doubt::Denied(Denied::Mismatch) } else { Doubt::Later }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, Known>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, Known>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn forget_what_is_too_old(&mut self, now: Timestamp) {
        if self.fetched.is_some_and(|then| now.duration_since(then) >= TOO_OLD) {
            self.keys.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::key_set::KEYS;

    const URL: &str = "https://keys.example.com/jwks.json";

    /// RFC 7515, A.2 (RSA) and A.3 (P-256): each a public key and the token that it verifies. Both
    /// tokens were good until 2011-03-22T18:43:00Z.
    fn of_the_standard() -> [(Value, String); 2] {
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

    fn knowing(keys: &Value, fetched: Timestamp) -> Keys {
        let read = read(json!({"keys": keys}).to_string().as_bytes()).unwrap();
        let known =
            Known { keys: read, fetched: Some(fetched), tried: Some(fetched), wanted: false };
        Keys(RwLock::new(HashMap::from([(URL.to_owned(), known)])))
    }

    #[test]
    fn the_standards_own_tokens_are_verified_each_with_its_key_only() {
        let [(rsa, rsa_token), (ec, ec_token)] = of_the_standard();
        let check = |keys: &Value, token: &str| {
            knowing(keys, now()).check(URL, token, &Settings::default(), now())
        };
        let both = json!([rsa, ec, {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "new"}, 7]);
        assert_eq!(check(&both, &rsa_token), Ok(()));
        assert_eq!(check(&both, &ec_token), Ok(()));
        assert!(check(&json!([rsa]), &ec_token).is_err());
        let spoilt = rsa_token.replace("cC4hiUPoj9", "cC4hiUPoj8");
        assert_eq!(check(&both, &spoilt), Err(Doubt::Denied(Denied::Mismatch)));
        for for_others in [json!({"use": "enc"}), json!({"alg": "RS512"})] {
            let mut key = rsa.clone();
            key.as_object_mut().unwrap().extend(for_others.as_object().unwrap().clone());
            assert!(check(&json!([key, ec]), &rsa_token).is_err());
        }
    }

    #[test]
    fn a_key_that_is_not_known_is_waited_for_at_most_once_a_minute() {
        let [(_, rsa_token), (ec, _)] = of_the_standard();
        let keys = knowing(&json!([ec]), now());
        let minute = SignedDuration::from_mins(1);
        let check = |at| keys.check(URL, &rsa_token, &Settings::default(), at);
        assert_eq!(check(now()), Err(Doubt::Denied(Denied::Mismatch)), "they were just fetched");
        assert!(!keys.begin(URL, now() + minute), "and nobody asked for more");
        assert_eq!(check(now() + minute), Err(Doubt::Later));
        assert!(keys.begin(URL, now() + minute), "so they are fetched with the next call");
        assert!(!keys.begin(URL, now() + minute), "once");
    }

    #[test]
    fn keys_are_fetched_anew_and_forgotten_in_time() {
        let [(_, token), (ec, _)] = of_the_standard();
        let keys = knowing(&json!([ec]), now());
        assert!(!keys.begin(URL, now() + SignedDuration::from_mins(9)));
        assert!(keys.begin(URL, now() + STALE));
        assert!(keys.begin(URL, now() + TOO_OLD));
        assert!(keys.find(URL, Algorithm::ES256, None).is_empty());
        let later = now() + TOO_OLD + SignedDuration::from_secs(5);
        assert_eq!(keys.check(URL, &token, &Settings::default(), later), Err(Doubt::Later));
        assert!(keys.begin(URL, later), "without any key, it is not a minute");
    }

    #[test]
    fn only_so_many_addresses_and_keys_are_remembered() {
        let keys = Keys::default();
        for i in 0..1_000 {
            assert!(keys.begin(&format!("{URL}?{i}"), now()));
        }
        assert!(keys.read().len() <= ADDRESSES);
        let [_, (ec, _)] = of_the_standard();
        let many = json!({"keys": vec![ec; 1_000]}).to_string();
        assert_eq!(super::read(many.as_bytes()).unwrap().len(), KEYS);
    }

    proptest! {
        #[test]
        fn no_key_set_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = super::read(&body);
        }

        #[test]
        fn no_key_makes_it_panic(
            kty in "RSA|EC|OKP|oct|x", a in "[A-Za-z0-9_=-]{0,60}", b in "[A-Za-z0-9_=-]{0,60}",
            crv in "P-256|P-384|x"
        ) {
            let key = json!({"kty": kty, "crv": crv, "n": a, "e": b, "x": a, "y": b, "k": a});
            let [(_, rsa), (_, ec)] = of_the_standard();
            let body = json!({"keys": [key]}).to_string();
            if let Ok(read) = super::read(body.as_bytes()) {
                let known = Known { keys: read, ..Known::default() };
                let keys = Keys(RwLock::new(HashMap::from([(URL.to_owned(), known)])));
                for token in [rsa, ec] {
                    prop_assert!(keys.check(URL, &token, &Settings::default(), now()).is_err());
                }
            }
        }
    }
}
