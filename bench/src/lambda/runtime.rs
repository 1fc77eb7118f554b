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
use trunkline_runtime::app::{Clock, SystemClock};

/// The time limit of an invocation.
const INVOCATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The response of a function.
#[derive(Debug)]
pub struct FunctionResponse {
    /// `false` if the function reported an error.
    pub ok: bool,
    pub body: Bytes,
}

/// The Runtime API of a function.
#[derive(Debug)]
pub struct Runtime {
    sender: mpsc::UnboundedSender<(String, Bytes)>,
    receiver: AsyncMutex<mpsc::UnboundedReceiver<(String, Bytes)>>,
    running: Mutex<HashMap<String, oneshot::Sender<FunctionResponse>>>,
    last: AtomicU64,
    first_next: watch::Sender<Option<Instant>>,
}

impl Runtime {
    /// Starts serving.
    pub fn serve(listener: TcpListener) -> Arc<Self> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let runtime = Arc::new(Self {
            sender,
            receiver: AsyncMutex::new(receiver),
            running: Mutex::default(),
            last: AtomicU64::new(0),
            first_next: watch::Sender::new(None),
        });
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .with_state(Arc::clone(&runtime));
        tokio::spawn(async move { axum::serve(listener, app).await });
        runtime
    }

    /// Waits for the first request for an invocation. Returns its time.
    pub async fn first_asked(&self) -> Instant {
        let mut asked = self.first_next.subscribe();
        let at = asked.wait_for(Option::is_some).await.unwrap();
        at.unwrap()
    }

    /// Invokes the function with an event.
    pub async fn invoke(&self, event: Bytes) -> FunctionResponse {
        let id = format!("bench-{}", self.last.fetch_add(1, Ordering::Relaxed));
        let (reply, response) = oneshot::channel();
        self.running.lock().unwrap().insert(id.clone(), reply);
        self.sender.send((id, event)).unwrap();
        tokio::time::timeout(INVOCATION_TIMEOUT, response)
            .await
            .expect("a function answers in time")
            .unwrap()
    }

    fn respond(&self, id: &str, ok: bool, body: Bytes) -> StatusCode {
        if let Some(reply) = self.running.lock().unwrap().remove(id) {
            // At the end of a run, no caller waits for the response.
            let _ = reply.send(FunctionResponse { ok, body });
        }
        StatusCode::ACCEPTED
    }
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    runtime.first_next.send_if_modified(|asked| {
        let first = asked.is_none();
        asked.get_or_insert_with(Instant::now);
        first
    });
    let (id, event) = runtime.receiver.lock().await.recv().await.unwrap();
    let deadline = SystemClock.now() + INVOCATION_TIMEOUT;
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
    runtime.respond(&id, true, body)
}

async fn failed(
    State(runtime): State<Arc<Runtime>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    runtime.respond(&id, false, body)
}
