//! The Runtime API: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use trunkline_shared::app::{Clock, SystemClock};

/// How long an invocation may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What a function answered.
#[derive(Debug)]
pub struct Answer {
    /// Whether it is an answer and not an error.
    pub ok: bool,
    /// Its body.
    pub body: Bytes,
}

/// A function's Runtime API.
#[derive(Debug)]
pub struct Runtime {
    give: mpsc::UnboundedSender<(String, Bytes)>,
    take: AsyncMutex<mpsc::UnboundedReceiver<(String, Bytes)>>,
    running: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    last: AtomicU64,
    asked: watch::Sender<Option<Instant>>,
}

impl Runtime {
    /// Serves it.
    pub fn serve(listener: TcpListener) -> Arc<Self> {
        let (give, take) = mpsc::unbounded_channel();
        let runtime = Arc::new(Self {
            give,
            take: AsyncMutex::new(take),
            running: Mutex::default(),
            last: AtomicU64::new(0),
            asked: watch::Sender::new(None),
        });
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .with_state(Arc::clone(&runtime));
        tokio::spawn(async move { axum::serve(listener, app).await });
        runtime
    }

    /// When the first process asked for work.
    pub async fn first_asked(&self) -> Instant {
        let mut asked = self.asked.subscribe();
        let at = asked.wait_for(Option::is_some).await.unwrap();
        at.unwrap()
    }

    /// Has an event worked on.
    pub async fn invoke(&self, event: Bytes) -> Answer {
        let id = format!("bench-{}", self.last.fetch_add(1, Ordering::Relaxed));
        let (tell, told) = oneshot::channel();
        self.running.lock().unwrap().insert(id.clone(), tell);
        self.give.send((id, event)).unwrap();
        tokio::time::timeout(LIMIT, told).await.expect("a function answers in time").unwrap()
    }

    fn tell(&self, id: &str, ok: bool, body: Bytes) -> StatusCode {
        if let Some(tell) = self.running.lock().unwrap().remove(id) {
            // Nobody waits for it any more at the end of a run.
            let _ = tell.send(Answer { ok, body });
        }
        StatusCode::ACCEPTED
    }
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    runtime.asked.send_if_modified(|asked| {
        let first = asked.is_none();
        asked.get_or_insert_with(Instant::now);
        first
    });
    let (id, event) = runtime.take.lock().await.recv().await.unwrap();
    let deadline = SystemClock.now() + LIMIT;
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.as_millisecond().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:0:function:b".into()),
        ("content-type", "application/json".into()),
    ];
    (headers, event).into_response()
}

async fn answered(
    State(runtime): State<Arc<Runtime>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    runtime.tell(&id, true, body)
}

async fn failed(
    State(runtime): State<Arc<Runtime>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    runtime.tell(&id, false, body)
}
