//! Signature Version 4 for requests of the SDK, with AWS's own functions for keys and signatures. The SDK's signer
//! derives the key again for every request, although it is the same all day, and formats the canonical request in
//! pieces: both together are half of the cost of a call.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::{
    AuthScheme, AuthSchemeEndpointConfig, AuthSchemeId, Sign,
};
use aws_smithy_runtime_api::client::identity::{Identity, SharedIdentityResolver};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::{GetIdentityResolver, RuntimeComponents};
use aws_smithy_types::config_bag::ConfigBag;
use http::Uri;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::security::hex;

/// The id of the SDK's own scheme, which this one replaces.
const SCHEME: AuthSchemeId = AuthSchemeId::new("sigv4");
/// Length of the date `YYYYMMDD`, at the start of a timestamp.
const DATE: usize = 8;

/// Signs the requests of one service in one region. It signs what AWS requires: the host, the type of the content,
/// and AWS's own headers. TLS protects the others.
#[derive(Debug)]
pub(super) struct CachedKeySigner {
    region: String,
    service: &'static str,
    key: Mutex<Option<SigningKey>>,
}

/// The key of a day and of one pair of credentials.
struct SigningKey {
    date: String,
    access_key: String,
    key: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("date", &self.date).finish_non_exhaustive()
    }
}

/// Why a request was not signed.
#[derive(Debug, thiserror::Error)]
enum SigningError {
    /// The identity is not that of AWS credentials.
    #[error("the identity has no AWS credentials")]
    NoCredentials,
    /// The body is a stream, whose digest is not known.
    #[error("the body is a stream")]
    StreamedBody,
    /// The operation has a path or a query, whose canonical form this signer does not make.
    #[error("the URL has a path or a query")]
    PathOrQuery,
}

impl CachedKeySigner {
    /// Creates the signer of a service.
    pub(super) fn new(region: &str, service: &'static str) -> Self {
        Self { region: region.to_owned(), service, key: Mutex::default() }
    }

    /// Signs `text` with the key of the day.
    fn signature(
        &self,
        credentials: &Credentials,
        now: SystemTime,
        date: &str,
        text: &str,
    ) -> String {
        let mut cached = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let access_key = credentials.access_key_id();
        if let Some(found) = &*cached
            && found.date == date
            && found.access_key == access_key
        {
            return calculate_signature(&found.key, text.as_bytes());
        }
        let secret = credentials.secret_access_key();
        let key = generate_signing_key(secret, now, &self.region, self.service);
        let key = key.as_ref().to_vec();
        let signature = calculate_signature(&key, text.as_bytes());
        *cached = Some(SigningKey { date: date.into(), access_key: access_key.into(), key });
        signature
    }

    fn sign(
        &self,
        request: &mut HttpRequest,
        credentials: &Credentials,
        now: SystemTime,
    ) -> Result<(), BoxError> {
        let timestamp = format_timestamp(now)?;
        let date = timestamp.get(..DATE).unwrap_or_default();
        request.headers_mut().insert("x-amz-date", timestamp.clone());
        if let Some(token) = credentials.session_token() {
            request.headers_mut().insert("x-amz-security-token", token.to_owned());
        }
        let (canonical, names) = canonical_request(request)?;
        let Self { region, service, .. } = self;
        let digest = hex(&Sha256::digest(canonical.as_bytes()));
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let text = ["AWS4-HMAC-SHA256", &timestamp, &scope, &digest].join("\n");
        let signature = self.signature(credentials, now, date, &text);
        let access_key = credentials.access_key_id();
        let authorization = [
            "AWS4-HMAC-SHA256 Credential=",
            access_key,
            "/",
            &scope,
            ", SignedHeaders=",
            &names,
            ", Signature=",
            &signature,
        ];
        request.headers_mut().insert("authorization", authorization.concat());
        Ok(())
    }
}

impl Sign for CachedKeySigner {
    fn sign_http_request(
        &self,
        request: &mut HttpRequest,
        identity: &Identity,
        _: AuthSchemeEndpointConfig<'_>,
        components: &RuntimeComponents,
        _: &ConfigBag,
    ) -> Result<(), BoxError> {
        let credentials = identity.data::<Credentials>().ok_or(SigningError::NoCredentials)?;
        let now = components.time_source().unwrap_or_default().now();
        self.sign(request, credentials, now)
    }
}

impl AuthScheme for CachedKeySigner {
    fn scheme_id(&self) -> AuthSchemeId {
        SCHEME
    }

    fn identity_resolver(
        &self,
        resolvers: &dyn GetIdentityResolver,
    ) -> Option<SharedIdentityResolver> {
        resolvers.identity_resolver(SCHEME)
    }

    fn signer(&self) -> &dyn Sign {
        self
    }
}

/// Returns the canonical request and the names of the signed headers.
fn canonical_request(request: &HttpRequest) -> Result<(String, String), BoxError> {
    let uri: Uri = request.uri().parse()?;
    if uri.path() != "/" || uri.query().is_some() {
        return Err(SigningError::PathOrQuery.into());
    }
    let body = request.body().bytes().ok_or(SigningError::StreamedBody)?;
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let is_signed = |name: &str| {
        (name.starts_with("x-amz") && name != "x-amzn-trace-id") || name == "content-type"
    };
    let headers = request.headers().iter().filter(|(name, _)| is_signed(name));
    let mut headers: Vec<(&str, &str)> = headers.chain([("host", host)]).collect();
    headers.sort_unstable();
    let size: usize = headers.iter().map(|(name, value)| 2 * name.len() + value.len() + 3).sum();
    let mut canonical = String::with_capacity(size + 128);
    canonical.push_str(request.method());
    canonical.push_str("\n/\n\n");
    let mut names = String::with_capacity(128);
    for (name, value) in headers {
        for part in [name, ":", value.trim(), "\n"] {
            canonical.push_str(part);
        }
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(name);
    }
    for part in ["\n", &names, "\n", &hex(&Sha256::digest(body))] {
        canonical.push_str(part);
    }
    Ok((canonical, names))
}

/// Returns a time as `YYYYMMDDTHHMMSSZ`.
fn format_timestamp(time: SystemTime) -> Result<String, BoxError> {
    Ok(Timestamp::try_from(time)?.strftime("%Y%m%dT%H%M%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sigv4::http_request::{
        SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
    };
    use aws_sigv4::sign::v4;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    const BODY: &str = r#"{"TableName":"t"}"#;

    fn request(uri: &str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(BODY));
        request.set_method("POST").unwrap();
        request.set_uri(uri).unwrap();
        request.headers_mut().insert("content-type", "application/x-amz-json-1.0");
        request.headers_mut().insert("x-amz-target", "DynamoDB_20120810.GetItem");
        request
    }

    /// AWS's own signer makes the same signature of the same headers.
    #[test]
    fn the_signature_is_the_one_of_the_sdk() {
        let signer = CachedKeySigner::new("eu-central-1", "dynamodb");
        for session in [None, Some("session/+=".to_owned())] {
            let credentials = Credentials::new("AKID", "secret", session, None, "test");
            // The second request uses the cached key, the third needs that of the next day.
            for seconds in [0, 1, 86_400] {
                let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_614_800 + seconds);
                for uri in
                    ["https://dynamodb.eu-central-1.amazonaws.com/", "http://127.0.0.1:4600/"]
                {
                    let mut ours = request(uri);
                    signer.sign(&mut ours, &credentials, now).unwrap();
                    let identity = credentials.clone().into();
                    let params: SigningParams<'_> = v4::SigningParams::builder()
                        .identity(&identity)
                        .region("eu-central-1")
                        .name("dynamodb")
                        .time(now)
                        .settings(SigningSettings::default())
                        .build()
                        .unwrap()
                        .into();
                    let plain = request(uri);
                    let body = SignableBody::Bytes(BODY.as_bytes());
                    let signable =
                        SignableRequest::new("POST", uri, plain.headers().iter(), body).unwrap();
                    let expected = sign(signable, &params).unwrap().into_parts().0;
                    for (name, value) in expected.headers() {
                        assert_eq!(ours.headers().get(name), Some(value), "{name}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_requests_whose_canonical_form_is_known_are_signed() {
        let signer = CachedKeySigner::new("eu-central-1", "dynamodb");
        let credentials = Credentials::new("AKID", "secret", None, None, "test");
        for uri in ["https://example.com/a", "https://example.com/?a=b"] {
            let now = SystemTime::UNIX_EPOCH;
            assert!(signer.sign(&mut request(uri), &credentials, now).is_err(), "{uri}");
        }
    }

    #[test]
    fn timestamps_have_their_documented_form() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_614_805);
        assert_eq!(format_timestamp(time).unwrap(), "20260304T090005Z");
    }
}
