//! The HTTP shell of every inbound function.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use ::http::StatusCode;
use futures_util::FutureExt;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use serde_json::json;

use super::rejected::{keep, keep_rejected};
use super::{Call, Inbound, IntakeError, MAX_BODY, Received, Reply, Result as Came, ingest};
use crate::app::App;
use crate::model::{Connection, Event, Trace};
use crate::secrets::{PATH_KEY, SecretBag};
use crate::security::is_one_of;
use crate::telemetry::{self, About, Count};

/// Platforms wait five seconds (Webex Connect, Twilio's like); whoever waits longer is told before.
const DEADLINE: Duration = Duration::from_millis(4_500);

/// Runs an inbound function until Lambda ends it.
///
/// # Errors
/// If the environment is not as the template makes it, or the Lambda runtime fails.
pub async fn serve(platform: impl Inbound) -> Result<(), lambda_http::Error> {
    telemetry::init();
    let app = App::from_env()?;
    let (app, platform) = (&app, &platform);
    lambda_http::run(lambda_http::service_fn(move |request: Request| async move {
        telemetry::begin(request.lambda_context_ref().map_or("", |context| &context.request_id));
        let reply = answer(app, platform, &request).await;
        telemetry::flush(app).await;
        Ok::<_, std::convert::Infallible>(response(reply))
    }))
    .await
}

/// Answers a call, within the time that platforms wait.
async fn answer<P: Inbound>(app: &App, platform: &P, request: &Request) -> Reply {
    // A call that makes us panic is answered like any other that we could not take.
    let admitted = AssertUnwindSafe(admit(app, platform, request)).catch_unwind();
    match tokio::time::timeout(DEADLINE, admitted).await {
        Ok(Ok(Ok(reply))) => reply,
        Ok(Err(_)) => unavailable(),
        Ok(Ok(Err(error))) => {
            tracing::error!(%error, "a call was not accepted: ours");
            unavailable()
        }
        Err(_) => {
            tracing::error!("a call was not accepted: no time left");
            unavailable()
        }
    }
}

/// Lets a call in if its address and key are right. Whatever of them is wrong, the answer is one and
/// the same.
async fn admit<P: Inbound>(
    app: &App,
    platform: &P,
    request: &Request,
) -> Result<Reply, IntakeError> {
    let now = app.clock.now();
    let path = request.uri().path().to_owned();
    let Some((id, key, beyond)) = address(P::PLATFORM.name(), &path) else {
        return Ok(not_found());
    };
    let Ok(id) = id.parse() else { return Ok(not_found()) };
    let connection = app.directory.connection(&id, now).await?;
    let Some(connection) = connection.filter(|found| found.platform == P::PLATFORM) else {
        return Ok(not_found());
    };
    let secrets = app.secrets.of(&connection).await?;
    if !is_one_of(key, secrets.live(PATH_KEY)) || !comes_from_allowed(&connection, request) {
        telemetry::count(now, Count::Intruder, &connection);
        return Ok(not_found());
    }
    if !P::PATHS.contains(&beyond) {
        return Ok(not_found());
    }
    platform.prepare(&connection, request.headers(), &app.outside, now).await;
    Box::pin(hear(app, platform, request, &connection, &secrets, beyond)).await
}

async fn hear<P: Inbound>(
    app: &App,
    platform: &P,
    request: &Request,
    connection: &Connection,
    secrets: &SecretBag,
    path: &str,
) -> Result<Reply, IntakeError> {
    let now = app.clock.now();
    let body = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    };
    let (method, headers) = (request.method(), request.headers());
    let query = request.uri().query().unwrap_or_default();
    let call = Call { connection, secrets, method, path, query, headers, body, now };
    if body.len() > MAX_BODY {
        unread(app, &call, &format!("larger than {MAX_BODY} bytes")).await?;
        return Ok(platform.reply(&call, &Came::TooLarge));
    }
    match platform.receive(&call) {
        Received::Answered(reply) => Ok(reply),
        Received::Denied(denied) => {
            telemetry::count(now, Count::Denied, connection);
            tracing::warn!(connection = %connection.id, %denied, "a call was not believed");
            Ok(platform.reply(&call, &Came::Denied(&denied)))
        }
        Received::Unreadable(reason) => {
            unread(app, &call, &reason).await?;
            Ok(platform.reply(&call, &Came::Unreadable(&reason)))
        }
        Received::Events(events) => {
            let mut results = Vec::with_capacity(events.len());
            let trace = trace(app, request);
            for event in events {
                let kind = event.body.kind();
                let event = Event { trace: event.trace.or(Some(trace)), ..event };
                let result = take(app, connection, event).await;
                let what = match &result {
                    Ok(taken) if taken.duplicate => Count::Duplicate,
                    Ok(_) => Count::Accepted,
                    Err(IntakeError::Rejected(why)) => {
                        keep_rejected(app, &connection.id, why, call.body).await?;
                        Count::Refused
                    }
                    Err(ours) => return Err(ours.clone()),
                };
                // Held back, it has no conversation of ours yet.
                let taken = result.as_ref().ok().filter(|_| connection.reorder_window.is_none());
                let conversation = taken.map(|taken| taken.conversation.as_str());
                let ended = app.clock.now();
                let took = ended.duration_since(now);
                telemetry::tell(
                    ended,
                    what,
                    connection,
                    About::arrived(trace, kind, conversation, took),
                );
                results.push(result);
            }
            Ok(platform.reply(&call, &Came::Taken(&results)))
        }
    }
}

/// Where in a trace a call is: what Lambda records, if it does; what the caller says; what Lambda says; or
/// the beginning of one.
fn trace(app: &App, request: &Request) -> Trace {
    let lambda = request.lambda_context_ref().and_then(|context| context.xray_trace_id.as_deref());
    let lambda = lambda.and_then(Trace::of_lambda);
    let told =
        request.headers().get("traceparent").and_then(|value| value.to_str().ok()?.parse().ok());
    let recorded = lambda.filter(|trace| trace.is_sampled());
    let begun = || Trace::begun(&app.ids.next(app.clock.now()));
    recorded.or(told).or(lambda).unwrap_or_else(begun)
}

async fn unread(app: &App, call: &Call<'_>, reason: &str) -> Result<(), IntakeError> {
    telemetry::count(call.now, Count::Unreadable, call.connection);
    tracing::warn!(connection = %call.connection.id, reason, "a body was kept unread");
    Ok(keep(app, &call.connection.id, reason, call.body).await?)
}

/// `/in/{platform}/{connection}/{key}[/…]`, with or without a stage's name before it: connection, key,
/// and what follows.
fn address<'a>(platform: &str, path: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let (_, rest) = path.split_once("/in/")?;
    let mut parts = rest.trim_end_matches('/').splitn(4, '/');
    let (named, connection, key) = (parts.next()?, parts.next()?, parts.next()?);
    let beyond = parts.next().unwrap_or_default();
    (named == platform && !key.is_empty()).then_some((connection, key, beyond))
}

fn comes_from_allowed(connection: &Connection, request: &Request) -> bool {
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

fn unavailable() -> Reply {
    let body = json!({
        "type": "about:blank",
        "title": "not accepted",
        "status": 503,
        "code": "unavailable",
        "detail": "the call could not be stored now: send it again",
    });
    let mut reply = Reply::json(StatusCode::SERVICE_UNAVAILABLE, &body);
    reply.headers.push(("retry-after", "2".to_owned()));
    reply
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
    use super::address;

    #[test]
    fn addresses_are_exact() {
        assert_eq!(address("webex", "/in/webex/shop/k3y"), Some(("shop", "k3y", "")));
        assert_eq!(address("webex", "/prod/in/webex/shop/k3y/"), Some(("shop", "k3y", "")));
        assert_eq!(address("cm", "/in/cm/shop/k3y/event"), Some(("shop", "k3y", "event")));
        for bad in ["/", "/in/webex/shop", "/in/webex/shop/", "/in/cm/shop/k"] {
            assert_eq!(address("webex", bad), None, "{bad}");
        }
    }
}
