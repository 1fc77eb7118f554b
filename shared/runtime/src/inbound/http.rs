//! HTTP handler of the inbound functions: authenticates a call, parses it and ingests its events.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;
use futures_util::FutureExt;
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use serde_json::json;

use super::compression::decompress;
use super::rejected::{store_rejected, store_rejected_event};
use super::{
    Call, CallOutcome, Inbound, InboundError, Ingested, MAX_BODY, ParsedCall, Reply, ingest,
};
use crate::app::App;
use crate::lambda;
use crate::secrets::{PATH_KEY, SecretBag};
use crate::security::matches_any_secret;
use crate::store::LoadedConnection;
use crate::telemetry::{self, LogFields, Metric};
use trunkline_core::model::{Connection, Event, Trace};

/// Time limit of a call. Some platforms (Webex Connect) give up after five seconds, so the response
/// must be sent before that.
const DEADLINE: Duration = Duration::from_millis(4_500);

/// Runs an inbound function until Lambda stops it.
///
/// # Errors
/// If an environment variable of the template is missing or invalid, or the Lambda runtime fails.
pub async fn serve(platform: impl Inbound) -> Result<(), lambda_http::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let (app, platform) = (&app, &platform);
    lambda::serve_http(lambda_http::service_fn(move |request: Request| async move {
        telemetry::set_request_id(
            request.lambda_context_ref().map_or("", |context| &context.request_id),
        );
        let response = handle_request(app, platform, &request).await;
        telemetry::flush(app).await;
        Ok::<_, std::convert::Infallible>(response)
    }))
    .await
}

/// Handles one request of API Gateway, within the time that platforms wait. An internal error is answered
/// with 503.
pub async fn handle_request<P: Inbound>(
    app: &App,
    platform: &P,
    request: &Request,
) -> Response<Body> {
    response(respond(app, platform, request).await)
}

/// Handles a call within the time that platforms wait. An internal error is answered by the platform once
/// the caller is known, because a platform may expect more than a status.
async fn respond<P: Inbound>(app: &App, platform: &P, request: &Request) -> Reply {
    let now = app.clock.now();
    let deadline = tokio::time::Instant::now() + DEADLINE;
    let caller = within(deadline, authenticate::<P>(app, request, now)).await;
    let caller = match caller {
        Some(Some(caller)) => caller,
        Some(None) => return not_found(),
        None => return Reply::unavailable(),
    };
    let body = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    };
    let call = caller.call(request, body, now);
    let handled = within(deadline, Box::pin(handle(app, platform, request, &call))).await;
    handled.unwrap_or_else(|| platform.unavailable(&call))
}

/// Awaits a step of a call until `deadline`. Logs an internal error, a panic and the end of the time, and
/// returns `None`.
async fn within<T>(
    deadline: tokio::time::Instant,
    step: impl Future<Output = Result<T, InboundError>>,
) -> Option<T> {
    // A panic is answered like any other internal error.
    match tokio::time::timeout_at(deadline, AssertUnwindSafe(step).catch_unwind()).await {
        Ok(Ok(Ok(result))) => Some(result),
        Ok(Err(_)) => None,
        Ok(Ok(Err(error))) => {
            let retryable = error.is_retryable();
            tracing::error!(%error, retryable, "inbound request failed: internal error");
            None
        }
        Err(_) => {
            tracing::error!("inbound request timed out");
            None
        }
    }
}

/// The connection that a call has authenticated for.
struct Caller<'a, S> {
    connection: Arc<Connection>,
    settings: Arc<S>,
    secrets: Arc<SecretBag>,
    /// The path after the URL key.
    path: &'a str,
}

impl<S> Caller<'_, S> {
    fn call<'a>(&'a self, request: &'a Request, body: &'a [u8], now: Timestamp) -> Call<'a, S> {
        Call {
            connection: &self.connection,
            settings: &self.settings,
            secrets: &self.secrets,
            method: request.method(),
            path: self.path,
            query: request.uri().query().unwrap_or_default(),
            headers: request.headers(),
            body,
            received_body: body,
            now,
        }
    }
}

/// Checks the path, the URL key and the source address of a call. The result does not show which of them
/// is wrong, so that a caller cannot guess connections or keys.
async fn authenticate<'a, P: Inbound>(
    app: &App,
    request: &'a Request,
    now: Timestamp,
) -> Result<Option<Caller<'a, P::Settings>>, InboundError> {
    let Some((id, key, path)) = split_path(P::SPEC.id.as_str(), request.uri().path()) else {
        return Ok(None);
    };
    let Ok(id) = id.parse() else { return Ok(None) };
    let loaded = app.config_cache.own_connection::<P::Settings>(&id, now).await?;
    let loaded = loaded.filter(|found| found.connection.platform == P::SPEC.id);
    let Some(LoadedConnection { connection, settings }) = loaded else { return Ok(None) };
    let secrets = app.secrets.for_connection(&connection).await?;
    if !matches_any_secret(key, secrets.live(PATH_KEY)) || !is_allowed_source(&connection, request)
    {
        telemetry::count(now, Metric::InvalidUrlKey, &connection);
        return Ok(None);
    }
    if !P::PATHS.contains(&path) {
        return Ok(None);
    }
    let settings =
        settings.map_err(|source| InboundError::Misconfigured { connection: id, source })?;
    Ok(Some(Caller { connection, settings, secrets, path }))
}

/// Decompresses an authenticated call, parses it and ingests its events.
async fn handle<P: Inbound>(
    app: &App,
    platform: &P,
    request: &Request,
    received: &Call<'_, P::Settings>,
) -> Result<Reply, InboundError> {
    let decompressed = decompress(received.headers, received.received_body, MAX_BODY);
    let call = match &decompressed {
        Ok(body) => Call { body, ..*received },
        Err(error) => {
            store_unreadable(app, received, &error.to_string()).await?;
            return Ok(platform.reply(received, &error.outcome()));
        }
    };
    let (connection, settings) = (call.connection, call.settings);
    platform.prepare(connection, settings, call.headers, &app.http_client, call.now).await;
    match platform.parse(&call) {
        ParsedCall::Reply(reply) => Ok(reply),
        ParsedCall::Denied(denied) => {
            telemetry::count(call.now, Metric::Denied, connection);
            tracing::warn!(
                connection = %connection.id,
                %denied,
                "inbound request failed authentication"
            );
            Ok(platform.reply(&call, &CallOutcome::Denied(&denied)))
        }
        ParsedCall::Unreadable(reason) => {
            store_unreadable(app, &call, &reason).await?;
            Ok(platform.reply(&call, &CallOutcome::Unreadable(&reason)))
        }
        ParsedCall::Events(events) => {
            let ingested = Box::pin(ingest_all(app, &call, events, trace(app, request)));
            let results = ingested.await?;
            Ok(platform.reply(&call, &CallOutcome::Ingested(&results)))
        }
    }
}

/// Ingests the events of a call in order. A rejected event is part of the result and does not stop the
/// next; an internal error does.
async fn ingest_all<S>(
    app: &App,
    call: &Call<'_, S>,
    events: Vec<Event>,
    trace: Trace,
) -> Result<Vec<Result<Ingested, InboundError>>, InboundError> {
    let connection = call.connection;
    let mut results = Vec::with_capacity(events.len());
    for event in events {
        let kind = event.body.kind();
        let event = Event { trace: event.trace.or(Some(trace)), ..event };
        let result = ingest(app, connection, event).await;
        let metric = match &result {
            Ok(ingested) if ingested.duplicate => Metric::Duplicate,
            Ok(_) => Metric::Accepted,
            Err(InboundError::Rejected(why)) => {
                store_rejected_event(app, &connection.id, why, call.body).await?;
                Metric::Refused
            }
            Err(internal) => return Err(internal.clone()),
        };
        // An event that is held for reordering belongs to no stored conversation yet.
        let stored = result.as_ref().ok().filter(|_| connection.reorder_window.is_none());
        let conversation = stored.map(|ingested| ingested.conversation.as_str());
        let ended = app.clock.now();
        let duration = ended.duration_since(call.now);
        let fields = LogFields::inbound(trace, kind, conversation, duration);
        telemetry::record(ended, metric, connection, fields);
        results.push(result);
    }
    Ok(results)
}

/// Chooses the trace of a call: the Lambda trace if it is sampled, else the caller's `traceparent`, else
/// the Lambda trace, else a new one.
fn trace(app: &App, request: &Request) -> Trace {
    let lambda = request.lambda_context_ref().and_then(|context| context.xray_trace_id.as_deref());
    let lambda = lambda.and_then(Trace::from_lambda_header);
    let header =
        request.headers().get("traceparent").and_then(|value| value.to_str().ok()?.parse().ok());
    let sampled = lambda.filter(|trace| trace.is_sampled());
    let new = || Trace::from_seed(&app.ids.next(app.clock.now()));
    sampled.or(header).or(lambda).unwrap_or_else(new)
}

async fn store_unreadable<S>(
    app: &App,
    call: &Call<'_, S>,
    reason: &str,
) -> Result<(), InboundError> {
    telemetry::count(call.now, Metric::Unreadable, call.connection);
    tracing::warn!(
        connection = %call.connection.id,
        reason,
        "inbound request body cannot be parsed: stored for inspection"
    );
    Ok(store_rejected(app, &call.connection.id, reason, call.body).await?)
}

/// Splits `[/{stage}]/in/{platform}/{connection}/{key}[/{path}]` into connection, key and path.
fn split_path<'a>(platform: &str, path: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let (_, rest) = path.split_once("/in/")?;
    let mut parts = rest.trim_end_matches('/').splitn(4, '/');
    let (named, connection, key) = (parts.next()?, parts.next()?, parts.next()?);
    let path = parts.next().unwrap_or_default();
    (named == platform && !key.is_empty()).then_some((connection, key, path))
}

fn is_allowed_source(connection: &Connection, request: &Request) -> bool {
    if connection.allow_ips.is_empty() {
        return true;
    }
    let source = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    };
    let source = source.and_then(|source| source.parse::<std::net::IpAddr>().ok());
    source.is_some_and(|source| connection.allow_ips.iter().any(|net| net.contains(&source)))
}

fn not_found() -> Reply {
    Reply::json(StatusCode::NOT_FOUND, &json!({"message": "Not Found"}))
}

fn response(reply: Reply) -> Response<Body> {
    let mut response = Response::new(Body::Text(reply.body));
    *response.status_mut() = reply.status;
    for (name, value) in reply.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::split_path;

    #[test]
    fn only_complete_addresses_of_the_platform_match() {
        assert_eq!(split_path("fax", "/in/fax/shop/k3y"), Some(("shop", "k3y", "")));
        assert_eq!(split_path("fax", "/prod/in/fax/shop/k3y/"), Some(("shop", "k3y", "")));
        assert_eq!(split_path("pager", "/in/pager/shop/k3y/event"), Some(("shop", "k3y", "event")));
        for bad in ["/", "/in/fax/shop", "/in/fax/shop/", "/in/pager/shop/k"] {
            assert_eq!(split_path("fax", bad), None, "{bad}");
        }
    }
}
