//! The bucket of relayed files, over S3's HTTP API: three calls do not need an SDK of their own.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningParams, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_types::body::SdkBody;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use jiff::Timestamp;

use super::{
    FileBody, FilePresentation, FileStore, FileStoreError, PRESIGNED_LIFETIME, TemporaryFile,
};
use crate::aws::{AwsHttpClient, MissingVariable, credentials_from_env, required_variable};
use crate::error::Cause;
use crate::security::percent_encode;
use trunkline_core::model::FileId;

/// Time limit of a call.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The bucket of relayed files on S3.
#[derive(Debug, Clone)]
pub struct S3 {
    http: AwsHttpClient,
    identity: Identity,
    region: String,
    /// The URL of the bucket, without a slash at its end.
    bucket_url: String,
}

impl S3 {
    /// Creates the client of a bucket from Lambda's environment variables.
    ///
    /// # Errors
    /// If a variable that Lambda sets is missing.
    pub fn from_env(
        http: &AwsHttpClient,
        bucket: &str,
        endpoint: Option<&str>,
    ) -> Result<Self, MissingVariable> {
        let credentials = credentials_from_env()?;
        Ok(Self::new(http, credentials, &required_variable("AWS_REGION")?, bucket, endpoint))
    }

    /// Creates the client of a bucket. `endpoint` replaces the endpoint of AWS.
    #[must_use]
    pub fn new(
        http: &AwsHttpClient,
        credentials: Credentials,
        region: &str,
        bucket: &str,
        endpoint: Option<&str>,
    ) -> Self {
        let china = if region.starts_with("cn-") { ".cn" } else { "" };
        let bucket_url = endpoint.map_or_else(
            || format!("https://{bucket}.s3.{region}.amazonaws.com{china}"),
            |endpoint| format!("{}/{bucket}", endpoint.trim_end_matches('/')),
        );
        let (http, region) = (http.clone(), region.to_owned());
        Self { http, identity: credentials.into(), region, bucket_url }
    }

    fn url(&self, id: &FileId) -> String {
        format!("{}/{}", self.bucket_url, percent_encode(id.as_str()))
    }

    /// Signs a request. S3 does not encode paths a second time and does not normalize them.
    fn sign<B>(
        &self,
        request: &mut Request<B>,
        location: SignatureLocation,
        now: Timestamp,
    ) -> Result<(), FileStoreError> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = location;
        match location {
            SignatureLocation::QueryParams => {
                settings.expires_in = Duration::try_from(PRESIGNED_LIFETIME).ok();
            }
            _ => settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256,
        }
        let failed = |error: Cause| FileStoreError::Sign(error);
        let params: SigningParams<'_> = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::from(now))
            .settings(settings)
            .build()
            .map_err(|error| failed(Cause::new(error)))?
            .into();
        let headers = request.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let uri = request.uri().to_string();
        // TLS protects the body, whose digest is not known before it is sent.
        let body = SignableBody::UnsignedPayload;
        let signed = SignableRequest::new(request.method().as_str(), uri, headers, body)
            .and_then(|signable| sign(signable, &params))
            .map_err(|error| failed(Cause::new(error)))?;
        signed.into_parts().0.apply_to_request_http1x(request);
        Ok(())
    }

    async fn call(
        &self,
        mut request: Request<SdkBody>,
        now: Timestamp,
    ) -> Result<StatusCode, FileStoreError> {
        self.sign(&mut request, SignatureLocation::Headers, now)?;
        let answer = tokio::time::timeout(TIMEOUT, self.http.send(request)).await;
        let unavailable = FileStoreError::Unavailable;
        let answer = answer.map_err(|late| unavailable(Cause::new(late)))?;
        let status = answer.map_err(|error| unavailable(Cause::sdk(error)))?.status();
        match status {
            _ if status.is_success() => Ok(status),
            _ if is_retryable(status) => {
                Err(FileStoreError::Unavailable(Cause::new(format!("it answered {status}"))))
            }
            _ => Err(FileStoreError::Refused(status.as_u16())),
        }
    }
}

fn is_retryable(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
        || status.is_server_error()
}

fn build<B>(builder: http::request::Builder, body: B) -> Result<Request<B>, FileStoreError> {
    builder.body(body).map_err(|error| FileStoreError::Sign(Cause::new(error)))
}

impl FileStore for S3 {
    fn put<'a>(
        &'a self,
        id: &'a FileId,
        content: TemporaryFile,
        mime_type: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), FileStoreError>> {
        Box::pin(async move {
            let size = content.size();
            let body = FileBody::new(content);
            let body = body.map_err(|error| FileStoreError::Unavailable(Cause::new(error)))?;
            let request = Request::builder()
                .method(Method::PUT)
                .uri(self.url(id))
                .header(CONTENT_LENGTH, size)
                .header(CONTENT_TYPE, mime_type);
            self.call(build(request, SdkBody::from_body_1_x(body))?, now).await.map(|_| ())
        })
    }

    fn delete<'a>(
        &'a self,
        id: &'a FileId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), FileStoreError>> {
        Box::pin(async move {
            let request = Request::builder().method(Method::DELETE).uri(self.url(id));
            match self.call(build(request, SdkBody::empty())?, now).await {
                Ok(_) | Err(FileStoreError::Refused(404)) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }

    fn presigned_url(
        &self,
        id: &FileId,
        method: &Method,
        presentation: &FilePresentation,
        now: Timestamp,
    ) -> Result<String, FileStoreError> {
        let url = format!(
            "{}?response-content-disposition={}&response-content-type={}",
            self.url(id),
            percent_encode(&presentation.disposition),
            percent_encode(&presentation.mime_type)
        );
        let mut request = build(Request::builder().method(method).uri(url), ())?;
        self.sign(&mut request, SignatureLocation::QueryParams, now)?;
        Ok(request.uri().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(endpoint: Option<&str>, region: &str) -> S3 {
        let credentials = Credentials::new("AKID", "secret", Some("session".into()), None, "test");
        S3::new(&AwsHttpClient::new().unwrap(), credentials, region, "files", endpoint)
    }

    #[test]
    fn a_presigned_url_is_valid_for_a_minute() {
        let now: Timestamp = "2026-03-04T09:00:00Z".parse().unwrap();
        let shown = FilePresentation::of(Some("a b.pdf"), Some("application/pdf"));
        let id = FileId::from("abc.0");
        let url = s3(None, "eu-central-1").presigned_url(&id, &Method::GET, &shown, now).unwrap();
        for part in [
            "https://files.s3.eu-central-1.amazonaws.com/abc.0?",
            "response-content-disposition=inline%3B%20filename%3D%22a%20b.pdf%22",
            "response-content-type=application%2Fpdf",
            "X-Amz-Expires=60",
            "X-Amz-Date=20260304T090000Z",
            "X-Amz-Security-Token=session",
            "X-Amz-Signature=",
        ] {
            assert!(url.contains(part), "{part} in {url}");
        }
    }

    /// The signatures were computed by another program from the documentation of Signature Version 4.
    #[test]
    fn signatures_are_those_of_the_documented_algorithm() {
        let session = Some("sess/ion+token==".into());
        let credentials = Credentials::new("AKIDEXAMPLE", "secretkey", session, None, "test");
        let http = AwsHttpClient::new().unwrap();
        let s3 = S3::new(&http, credentials, "eu-central-1", "adhoc-bucket", None);
        let now: Timestamp = "2026-03-04T09:00:00Z".parse().unwrap();
        let id = FileId::from("abc-_X.0");
        let shown = FilePresentation::of(Some("ä b.pdf"), Some("application/pdf"));
        let url = s3.presigned_url(&id, &Method::GET, &shown, now).unwrap();
        let expected = "ae68f482068229a6ee889b1ab2e007e99064b77cd87ff810e4974da1df29ab80";
        assert!(url.contains(&format!("X-Amz-Signature={expected}")), "{url}");
        let request = Request::builder().method(Method::PUT).uri(s3.url(&id));
        let request = request.header(CONTENT_LENGTH, 8).header(CONTENT_TYPE, "application/pdf");
        let mut request = build(request, ()).unwrap();
        s3.sign(&mut request, SignatureLocation::Headers, now).unwrap();
        let header = request.headers()["authorization"].to_str().unwrap();
        let expected = "b979ab9db2568f91048ab66535a5086753566a7299ba97a3b858a7cc58c3102d";
        assert!(header.ends_with(&format!("Signature={expected}")), "{header}");
    }

    #[test]
    fn the_url_of_a_bucket_follows_the_region_or_the_endpoint() {
        let id = FileId::from("a.0");
        assert_eq!(
            s3(Some("http://127.0.0.1:4600/"), "x").url(&id),
            "http://127.0.0.1:4600/files/a.0"
        );
        let china = s3(None, "cn-north-1").url(&id);
        assert_eq!(china, "https://files.s3.cn-north-1.amazonaws.com.cn/a.0");
    }
}
