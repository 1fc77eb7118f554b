//! Runs a function that API Gateway invokes.

use std::task::{Context, Poll};

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use http::Uri;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, IntoResponse, LambdaEvent, Request, Service};
use lambda_runtime::Diagnostic;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

/// The longest part of a URI that needs no closer look, in bytes.
const MAX_PLAIN: usize = 1024;

/// What a query cannot have as it is (RFC 3986, section 3.4).
const NOT_IN_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Handles requests of API Gateway until Lambda stops the function.
///
/// # Errors
/// If the Lambda runtime fails.
pub async fn serve_http<'a, S, R, E>(service: S) -> Result<(), lambda_http::Error>
where
    S: Service<Request, Response = R, Error = E>,
    S::Future: Send + 'a,
    R: IntoResponse,
    E: std::fmt::Debug + Into<Diagnostic>,
{
    lambda_runtime::run(ValidUri(Adapter::from(service))).await
}

/// Makes the URI of each request valid before `lambda_http` reads it. An invalid one would end the
/// invocation with an error, so that anybody could make the function's alarm ring.
struct ValidUri<S>(S);

impl<S: Service<LambdaEvent<LambdaRequest>>> Service<LambdaEvent<LambdaRequest>> for ValidUri<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut event: LambdaEvent<LambdaRequest>) -> Self::Future {
        make_uri_valid(&mut event.payload);
        self.0.call(event)
    }
}

/// Makes the parts of a request's URI valid: escapes the query, and replaces a path, a host and a scheme that
/// no URL can have.
pub fn make_uri_valid(request: &mut LambdaRequest) {
    let LambdaRequest::ApiGatewayV2(request) = request else { return };
    if is_plain(request) {
        return;
    }
    if let Some(query) = &mut request.raw_query_string {
        *query = utf8_percent_encode(query, NOT_IN_QUERY).to_string();
    }
    let path = request.raw_path.as_deref().unwrap_or_default();
    let stage = request.request_context.stage.as_deref().unwrap_or_default();
    let query = request.raw_query_string.as_deref().unwrap_or_default();
    if !path.starts_with('/') || !is_valid("https", "h", &format!("/{stage}{path}?{query}")) {
        request.raw_path = Some("/".to_owned());
        request.raw_query_string = None;
    }
    let scheme = request.headers.get("x-forwarded-proto");
    if scheme.is_some_and(|scheme| scheme != "https" && scheme != "http") {
        request.headers.remove("x-forwarded-proto");
    }
    let host = request.headers.get(http::header::HOST);
    if host.is_some_and(|host| !host.to_str().is_ok_and(|host| is_valid("https", host, "/"))) {
        request.headers.remove(http::header::HOST);
    }
    request.request_context.domain_name.take_if(|host| !is_valid("https", host, "/"));
}

/// Returns whether the URI is valid at a glance, as that of nearly every request is.
fn is_plain(request: &ApiGatewayV2httpRequest) -> bool {
    let context = &request.request_context;
    let path = request.raw_path.as_deref().unwrap_or_default();
    let query = request.raw_query_string.as_deref().unwrap_or_default();
    let stage = context.stage.as_deref().unwrap_or_default();
    let header = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    path.starts_with('/')
        && has_only(path, b"-._~/$")
        && has_only(query, b"-._~/=&")
        && has_only(stage, b"-_$")
        && header("host").is_none_or(is_plain_host)
        && context.domain_name.as_deref().is_none_or(is_plain_host)
        && header("x-forwarded-proto").is_none_or(|scheme| scheme == "https" || scheme == "http")
}

fn has_only(text: &str, marks: &[u8]) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || marks.contains(&byte);
    text.len() <= MAX_PLAIN && text.bytes().all(is_allowed)
}

/// Returns whether a host is a name that is neither an address nor internationalized.
fn is_plain_host(host: &str) -> bool {
    let last_label = host.rsplit('.').next().unwrap_or_default();
    has_only(host, b"-.")
        && !last_label.is_empty()
        && last_label.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !host.contains("--")
}

fn is_valid(scheme: &str, host: &str, path: &str) -> bool {
    let url = Url::parse(&format!("{scheme}://{host}{path}"));
    url.is_ok_and(|url| url.as_str().parse::<Uri>().is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(event: &Value) -> Request {
        let mut request = serde_json::from_value(event.clone()).unwrap();
        make_uri_valid(&mut request);
        request.into()
    }

    fn event(path: &str, query: &str, headers: &Value) -> Value {
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
            "headers": headers, "isBase64Encoded": false, "body": "{}",
            "requestContext": {"stage": "$default", "domainName": "api.example.com",
                               "http": {"method": "POST", "path": path}},
        })
    }

    /// Shows input 16.
    #[test]
    fn a_request_whose_uri_is_invalid_can_be_read() {
        let none = json!({});
        let uri = |event: &Value| read(event).uri().to_string();
        let odd = event("/in/webhook/x/y", "q=<script>\" {}|^`[]\\\u{e9}#&secret=a%20b%22", &none);
        assert_eq!(
            uri(&odd),
            "https://api.example.com/in/webhook/x/y?q=%3Cscript%3E%22%20%7B%7D%7C%5E%60%5B%5D%5C%C3%A9%23&secret=a%20b%22"
        );
        let headers = json!({"x-forwarded-proto": "https,http", "host": "a b<"});
        assert_eq!(uri(&event("/in/a", "q=1", &headers)), "https://api.example.com/in/a?q=1");
        assert_eq!(uri(&event("/in/<a b>", "", &none)), "https://api.example.com/in/%3Ca%20b%3E");
        assert_eq!(uri(&event("no path", "q=1", &none)), "https://api.example.com/");
        let long = "x".repeat(70_000);
        assert_eq!(uri(&event("/in/a", &long, &none)), "https://api.example.com/");
    }

    /// Shows input 16.
    #[test]
    fn a_valid_request_is_unchanged() {
        let headers = json!({"x-forwarded-proto": "http", "host": "localhost:4566"});
        let request = read(&event("/in/a/b%2Fc", "a=b%20c&d=%C3%A9+f", &headers));
        assert_eq!(
            request.uri().to_string(),
            "http://localhost:4566/in/a/b%2Fc?a=b%20c&d=%C3%A9+f"
        );
    }

    proptest! {
        #[test]
        fn no_host_panics(host in "[a-z0-9.x-]{0,12}|[a-z]{1,3}\\.[a-z]{0,3}|xn--[a-z]{0,5}\\.com") {
            let mut event = event("/in/a", "", &json!({"host": host}));
            let _ = read(&event);
            event["headers"] = json!({});
            event["requestContext"]["domainName"] = host.into();
            let _ = read(&event);
        }

        #[test]
        fn no_request_panics(path in ".{0,40}", query in ".{0,40}", stage in ".{0,10}",
                             host in "[ -~]{0,20}", proto in "[ -~]{0,20}") {
            let headers = json!({"x-forwarded-proto": proto, "host": host});
            let mut event = event(&path, &query, &headers);
            event["requestContext"]["stage"] = stage.into();
            event["requestContext"]["domainName"] = host.into();
            let _ = read(&event);
        }
    }
}
