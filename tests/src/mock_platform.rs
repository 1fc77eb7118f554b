//! A mock platform over real HTTP: it records requests and responds as configured.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A request that the mock platform received.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub received_at: Instant,
    /// Whether the response is a success, even if it is late or incomplete.
    pub accepted: bool,
}

impl ReceivedRequest {
    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Returns the message text of a webhook or Webex Connect request.
    pub fn text(&self) -> String {
        let json = self.json();
        json["data"]["text"].as_str().or(json["message"].as_str()).unwrap_or_default().to_owned()
    }
}

/// How the mock platform responds.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    /// Responds with a status and headers.
    Respond(u16, Vec<(&'static str, String)>),
    /// Accepts the request and responds after a delay.
    Delay(Duration),
    /// Accepts the request and breaks the connection within the response body.
    AbortResponse,
}

impl Behaviour {
    /// Responds with status 503.
    pub fn down() -> Self {
        Self::Respond(503, Vec::new())
    }
}

#[derive(Debug, Default)]
struct MockState {
    requests: Vec<ReceivedRequest>,
    queued_responses: VecDeque<(u16, String)>,
    behaviour: Option<Behaviour>,
    behaviour_by_word: Vec<(String, Behaviour)>,
    echoes_challenges: bool,
}

/// A mock platform on its own port.
#[derive(Debug, Clone)]
pub struct MockPlatform {
    port: u16,
    state: Arc<Mutex<MockState>>,
    reset_connections: Arc<watch::Sender<bool>>,
}

impl MockPlatform {
    /// Starts a mock platform on a free port.
    pub async fn start() -> Self {
        let inner = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let behind = inner.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(MockState::default()));
        let router = Router::new().fallback(handle).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(inner, router).await });
        let outer = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = outer.local_addr().unwrap().port();
        let (resets, reset) = watch::channel(false);
        tokio::spawn(forward_connections(outer, behind, reset));
        Self { port, state, reset_connections: Arc::new(resets) }
    }

    /// Starts or stops resetting every connection.
    pub fn reset_connections(&self, resets: bool) {
        self.reset_connections.send_replace(resets);
    }

    /// Returns the URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Queues a response for one request. Without a queued response, requests get 200 and `{}`.
    pub fn queue_response(&self, status: u16, body: &str) {
        self.state.lock().unwrap().queued_responses.push_back((status, body.to_owned()));
    }

    /// Sets the behaviour for every request. `None` restores the default.
    pub fn set_behaviour(&self, behaviour: Option<Behaviour>) {
        self.state.lock().unwrap().behaviour = behaviour;
    }

    /// Sets the behaviour for every request whose body contains `word`.
    pub fn set_behaviour_for(&self, word: &str, behaviour: Behaviour) {
        self.state.lock().unwrap().behaviour_by_word.push((word.to_owned(), behaviour));
    }

    /// Removes all behaviours for words.
    pub fn clear_behaviour_for_words(&self) {
        self.state.lock().unwrap().behaviour_by_word.clear();
    }

    /// Starts to answer verification requests with their challenge.
    pub fn echo_challenges(&self) {
        self.state.lock().unwrap().echoes_challenges = true;
    }

    /// Returns the requests on a path so far.
    pub fn requests(&self, path: &str) -> Vec<ReceivedRequest> {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|received| received.path == path).cloned().collect()
    }

    /// Returns the accepted requests on a path so far.
    pub fn accepted(&self, path: &str) -> Vec<ReceivedRequest> {
        self.requests(path).into_iter().filter(|received| received.accepted).collect()
    }

    /// Waits up to 30 seconds for at least `count` requests on a path.
    pub async fn wait_for_requests(&self, path: &str, count: usize) -> Vec<ReceivedRequest> {
        self.wait_until(path, count, Duration::from_secs(30), Self::requests).await
    }

    /// Waits for at least `count` accepted requests on a path.
    pub async fn wait_for_accepted(
        &self,
        path: &str,
        count: usize,
        within: Duration,
    ) -> Vec<ReceivedRequest> {
        self.wait_until(path, count, within, Self::accepted).await
    }

    async fn wait_until(
        &self,
        path: &str,
        count: usize,
        within: Duration,
        what: impl Fn(&Self, &str) -> Vec<ReceivedRequest>,
    ) -> Vec<ReceivedRequest> {
        let end = Instant::now() + within;
        loop {
            let received = what(self, path);
            if received.len() >= count {
                return received;
            }
            assert!(
                Instant::now() < end,
                "{path} had {} of {count} requests after {within:?}",
                received.len()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for `count` requests on a path, and checks that no more follow within a second.
    pub async fn expect_requests(&self, path: &str, count: usize) -> Vec<ReceivedRequest> {
        self.wait_for_requests(path, count).await;
        let end = Instant::now() + Duration::from_secs(1);
        while Instant::now() < end && self.requests(path).len() == count {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let received = self.requests(path);
        let bodies = || {
            received
                .iter()
                .map(|received| String::from_utf8_lossy(&received.body))
                .collect::<Vec<_>>()
        };
        assert_eq!(received.len(), count, "{path} received {:#?}", bodies());
        received
    }
}

/// Forwards TCP connections to the mock platform, or resets them.
async fn forward_connections(outer: TcpListener, behind: u16, mut resets: watch::Receiver<bool>) {
    while let Ok((mut client, _)) = outer.accept().await {
        // With zero linger, dropping the socket resets the connection.
        client.set_zero_linger().unwrap();
        if *resets.borrow_and_update() {
            continue;
        }
        let mut resets = resets.clone();
        tokio::spawn(async move {
            let mut server = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                _ = resets.wait_for(|resets| *resets) => {}
            }
        });
    }
}

async fn handle(
    State(state): State<Arc<Mutex<MockState>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (behaviour, answer) = {
        let mut state = state.lock().unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        let override_ = state.behaviour_by_word.iter().find(|(word, _)| text.contains(word));
        let behaviour =
            override_.map(|(_, behaviour)| behaviour.clone()).or(state.behaviour.clone());
        let challenged =
            state.echoes_challenges && event["type"] == "verification" && behaviour.is_none();
        let answer = if challenged {
            (200, json!({"challenge": event["data"]["challenge"]}).to_string())
        } else {
            state.queued_responses.pop_front().unwrap_or((200, "{}".to_owned()))
        };
        let taken = match &behaviour {
            Some(Behaviour::Respond(status, _)) => *status < 300,
            Some(Behaviour::Delay(_) | Behaviour::AbortResponse) => true,
            None => answer.0 < 300,
        };
        let at = Instant::now();
        state.requests.push(ReceivedRequest {
            path: uri.path().to_owned(),
            headers,
            body,
            received_at: at,
            accepted: taken,
        });
        (behaviour, answer)
    };
    match behaviour {
        None => (StatusCode::from_u16(answer.0).unwrap(), answer.1).into_response(),
        Some(Behaviour::Respond(status, headers)) => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Some(Behaviour::Delay(time)) => {
            tokio::time::sleep(time).await;
            StatusCode::OK.into_response()
        }
        Some(Behaviour::AbortResponse) => {
            let broken =
                futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
            Body::from_stream(broken).into_response()
        }
    }
}
