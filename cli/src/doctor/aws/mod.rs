//! Calls to AWS services that have no client in this program: a few reads of each do not need an SDK per
//! service. They are signed with AWS's own implementation of Signature Version 4.

mod calls;
mod error;
mod xml;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http::{Method, Request};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use trunkline_runtime::app::Clock;
use trunkline_runtime::aws::AwsHttpClient;
use trunkline_runtime::security::percent_encode;

pub use calls::{
    Alarm, Caller, Decision, Evaluation, Invocation, Resource, StackDescription, Subscription,
    Topic,
};
pub use error::CallError;
pub use xml::Element;

/// Time limit of a call.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit of the call of a function, which may start a new process.
const INVOCATION_TIMEOUT: Duration = Duration::from_secs(20);
/// The region in which calls to IAM are signed, wherever they come from.
const IAM_REGION: &str = "us-east-1";

/// Why no calls can be made at all.
#[derive(Debug, thiserror::Error)]
pub enum NoApi {
    /// No region is set.
    #[error("no region is set")]
    NoRegion,
    /// There are no credentials, or they cannot be read or renewed.
    #[error("{0}")]
    NoCredentials(String),
}

/// A client of AWS services, with the credentials of the environment.
#[derive(Debug, Clone)]
pub struct AwsApi {
    http: AwsHttpClient,
    identity: Identity,
    region: String,
    endpoint: Option<String>,
    clock: Arc<dyn Clock>,
}

/// A request to a service.
struct Call<'a> {
    /// The name of the service in host names and signatures.
    service: &'a str,
    method: Method,
    /// Path and query.
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    timeout: Duration,
}

/// The answer to a successful request.
struct ServiceResponse {
    /// The value of `X-Amz-Function-Error`.
    function_error: Option<String>,
    body: String,
}

impl AwsApi {
    /// Creates a client from the configuration of the environment.
    ///
    /// # Errors
    /// If no region is set, or there are no usable credentials.
    pub async fn new(
        aws: &SdkConfig,
        http: AwsHttpClient,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NoApi> {
        let region = aws.region().ok_or(NoApi::NoRegion)?.to_string();
        let provider = aws.credentials_provider();
        let provider = provider.ok_or_else(|| NoApi::NoCredentials("none are set".into()))?;
        let credentials = tokio::time::timeout(TIMEOUT, provider.provide_credentials()).await;
        let late = |_| NoApi::NoCredentials("their provider does not answer".into());
        let credentials = credentials.map_err(late)?;
        let credentials = credentials.map_err(|error| NoApi::NoCredentials(cause(&error)))?;
        let endpoint = aws.endpoint_url().map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self { http, identity: credentials.into(), region, endpoint, clock })
    }

    /// The region of the calls.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    fn url(&self, service: &str, path: &str) -> String {
        match (&self.endpoint, service) {
            (Some(endpoint), _) => format!("{endpoint}{path}"),
            (None, "iam") => format!("https://iam.amazonaws.com{path}"),
            (None, _) => format!("https://{service}.{}.amazonaws.com{path}", self.region),
        }
    }

    /// Calls an action of a query service, whose answer is XML.
    async fn query(
        &self,
        service: &str,
        version: &str,
        action: &str,
        parameters: &[(String, String)],
    ) -> Result<Element, CallError> {
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in parameters {
            for part in ["&", &percent_encode(name), "=", &percent_encode(value)] {
                body.push_str(part);
            }
        }
        let call = Call {
            service,
            method: Method::POST,
            path: "/".into(),
            headers: vec![("content-type", "application/x-www-form-urlencoded".into())],
            body,
            timeout: TIMEOUT,
        };
        let answer = self.send(call).await?;
        Element::parse(&answer.body)
            .ok_or_else(|| CallError::Unreadable(format!("{service}:{action}")))
    }

    /// Sends a request. A connection that fails is tried once more.
    async fn send(&self, call: Call<'_>) -> Result<ServiceResponse, CallError> {
        match self.attempt(&call).await {
            Err(CallError::Unreachable(_)) => self.attempt(&call).await,
            other => other,
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<ServiceResponse, CallError> {
        let request = self.signed(call, self.clock.now())?;
        let answer = tokio::time::timeout(call.timeout, HttpConnector::call(&self.http, request));
        let answer = answer.await.map_err(|_| CallError::TimedOut(call.timeout.as_secs()))?;
        let answer = answer.map_err(|error| CallError::Unreachable(cause(&error)))?;
        let header = |name: &str| answer.headers().get(name).map(ToOwned::to_owned);
        let body = String::from_utf8_lossy(answer.body().bytes().unwrap_or_default()).into_owned();
        if answer.status().is_success() {
            return Ok(ServiceResponse { function_error: header("x-amz-function-error"), body });
        }
        Err(CallError::of(answer.status().as_u16(), header("x-amzn-errortype").as_deref(), &body))
    }

    fn signed(&self, call: &Call<'_>, now: Timestamp) -> Result<HttpRequest, CallError> {
        let failed = |error: &dyn std::fmt::Display| CallError::Unreachable(error.to_string());
        let region = if call.service == "iam" { IAM_REGION } else { &self.region };
        let params: SigningParams<'_> = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(region)
            .name(call.service)
            .time(SystemTime::from(now))
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(&error))?
            .into();
        let url = self.url(call.service, &call.path);
        let headers = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(call.body.as_bytes());
        let signed = SignableRequest::new(call.method.as_str(), &url, headers, body)
            .and_then(|signable| sign(signable, &params))
            .map_err(|error| failed(&error))?;
        let mut request = Request::builder().method(&call.method).uri(&url);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let request = request.body(SdkBody::from(call.body.as_str()));
        let mut request = request.map_err(|error| failed(&error))?;
        signed.into_parts().0.apply_to_request_http1x(&mut request);
        HttpRequest::try_from(request).map_err(|error| failed(&error))
    }
}

/// Returns by how much the clock of this machine is ahead of that of AWS. The call needs no credentials,
/// because AWS refuses signatures of a machine whose clock is wrong.
///
/// # Errors
/// If AWS does not answer, or not with a date.
pub async fn clock_lead(
    aws: &SdkConfig,
    http: &AwsHttpClient,
    clock: &dyn Clock,
) -> Result<SignedDuration, CallError> {
    let region = aws.region().map_or(IAM_REGION, |region| region.as_ref());
    let own = format!("https://sts.{region}.amazonaws.com");
    let url = format!("{}/", aws.endpoint_url().unwrap_or(&own).trim_end_matches('/'));
    let failed = |error: &dyn std::fmt::Display| CallError::Unreachable(error.to_string());
    let request = Request::get(&url).body(SdkBody::empty()).map_err(|error| failed(&error))?;
    let request = HttpRequest::try_from(request).map_err(|error| failed(&error))?;
    let before = clock.now();
    let answer = tokio::time::timeout(TIMEOUT, HttpConnector::call(http, request)).await;
    let answer = answer.map_err(|_| CallError::TimedOut(TIMEOUT.as_secs()))?;
    let answer = answer.map_err(|error| CallError::Unreachable(cause(&error)))?;
    let date = answer.headers().get("date").unwrap_or_default();
    let date = DateTimeParser::new().parse_timestamp(date);
    let date = date.map_err(|_| CallError::Unreadable("the header Date".into()))?;
    let half = clock.now().duration_since(before) / 2;
    Ok((before + half).duration_since(date))
}

/// Returns an error and what caused it, on one line.
fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let inner = error.to_string();
        if !text.contains(&inner) {
            text = format!("{text}: {inner}");
        }
        source = error.source();
    }
    text
}
