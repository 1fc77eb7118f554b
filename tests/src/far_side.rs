//! A far side over real HTTP: it records what it is sent, and behaves as it is told.

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

/// One call.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Its path.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its raw body.
    pub body: Bytes,
    /// When it came.
    pub at: Instant,
    /// Whether it was taken: answered, or to be answered, with success.
    pub taken: bool,
}

impl Heard {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The text of a message.
    pub fn text(&self) -> String {
        let json = self.json();
        json["data"]["text"].as_str().or(json["message"].as_str()).unwrap_or_default().to_owned()
    }
}

/// How a far side behaves.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    /// It answers so, with these headers.
    Answers(u16, Vec<(&'static str, String)>),
    /// It takes the call, and answers only after that time.
    Slow(Duration),
    /// It takes the call, and the connection breaks before the answer is whole.
    Cuts,
}

impl Behaviour {
    /// It is down.
    pub fn down() -> Self {
        Self::Answers(503, Vec::new())
    }
}

#[derive(Debug, Default)]
struct Memory {
    heard: Vec<Heard>,
    answers: VecDeque<(u16, String)>,
    always: Option<Behaviour>,
    poisoned: Vec<(String, Behaviour)>,
    echoes: bool,
}

/// A far side on a port of its own.
#[derive(Debug, Clone)]
pub struct FarSide {
    port: u16,
    memory: Arc<Mutex<Memory>>,
    resets: Arc<watch::Sender<bool>>,
}

impl FarSide {
    /// Starts one.
    pub async fn start() -> Self {
        let inner = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let behind = inner.local_addr().unwrap().port();
        let memory = Arc::new(Mutex::new(Memory::default()));
        let router = Router::new().fallback(hear).with_state(Arc::clone(&memory));
        tokio::spawn(async move { axum::serve(inner, router).await });
        let outer = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = outer.local_addr().unwrap().port();
        let (resets, reset) = watch::channel(false);
        tokio::spawn(front(outer, behind, reset));
        Self { port, memory, resets: Arc::new(resets) }
    }

    /// From now on resets every connection, or no more.
    pub fn resets(&self, resets: bool) {
        self.resets.send_replace(resets);
    }

    /// The address of one of its paths.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers its next call so; calls after the last such answer get 200 and `{}`.
    pub fn will_answer(&self, status: u16, body: &str) {
        self.memory.lock().unwrap().answers.push_back((status, body.to_owned()));
    }

    /// From now on behaves so to every call; as it should, if `None`.
    pub fn always(&self, behaviour: Option<Behaviour>) {
        self.memory.lock().unwrap().always = behaviour;
    }

    /// From now on behaves so to every call with `word` in its body.
    pub fn poisoned_by(&self, word: &str, behaviour: Behaviour) {
        self.memory.lock().unwrap().poisoned.push((word.to_owned(), behaviour));
    }

    /// Is poisoned by nothing any more.
    pub fn healed(&self) {
        self.memory.lock().unwrap().poisoned.clear();
    }

    /// From now on answers a handshake as the protocol asks.
    pub fn will_echo_the_challenge(&self) {
        self.memory.lock().unwrap().echoes = true;
    }

    /// What was heard on a path so far.
    pub fn heard(&self, path: &str) -> Vec<Heard> {
        let memory = self.memory.lock().unwrap();
        memory.heard.iter().filter(|heard| heard.path == path).cloned().collect()
    }

    /// What was taken on a path so far.
    pub fn taken(&self, path: &str) -> Vec<Heard> {
        self.heard(path).into_iter().filter(|heard| heard.taken).collect()
    }

    /// What was heard on a path, once it is at least `count` calls.
    pub async fn hears(&self, path: &str, count: usize) -> Vec<Heard> {
        self.until(path, count, Duration::from_secs(30), Self::heard).await
    }

    /// What was taken on a path, once it is at least `count` calls.
    pub async fn takes(&self, path: &str, count: usize, within: Duration) -> Vec<Heard> {
        self.until(path, count, within, Self::taken).await
    }

    async fn until(
        &self,
        path: &str,
        count: usize,
        within: Duration,
        what: impl Fn(&Self, &str) -> Vec<Heard>,
    ) -> Vec<Heard> {
        let end = Instant::now() + within;
        loop {
            let heard = what(self, path);
            if heard.len() >= count {
                return heard;
            }
            let missing = heard.len();
            assert!(
                Instant::now() < end,
                "within {within:?}, {path} had {missing} calls of {count}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes sure that a path hears exactly `count` calls, and none more in the next two seconds.
    pub async fn hears_only(&self, path: &str, count: usize) -> Vec<Heard> {
        self.hears(path, count).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let heard = self.heard(path);
        let bodies =
            || heard.iter().map(|heard| String::from_utf8_lossy(&heard.body)).collect::<Vec<_>>();
        assert_eq!(heard.len(), count, "{path} heard {:#?}", bodies());
        heard
    }
}

/// What stands before a far side: passes connections on, or resets them.
async fn front(outer: TcpListener, behind: u16, mut resets: watch::Receiver<bool>) {
    while let Ok((mut near, _)) = outer.accept().await {
        // Dropped like this, a connection is reset.
        near.set_zero_linger().unwrap();
        if *resets.borrow_and_update() {
            continue;
        }
        let mut resets = resets.clone();
        tokio::spawn(async move {
            let mut far = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                _ = resets.wait_for(|resets| *resets) => {}
            }
        });
    }
}

async fn hear(
    State(memory): State<Arc<Mutex<Memory>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (behaviour, answer) = {
        let mut memory = memory.lock().unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        let poison = memory.poisoned.iter().find(|(word, _)| text.contains(word));
        let behaviour = poison.map(|(_, behaviour)| behaviour.clone()).or(memory.always.clone());
        let challenged = memory.echoes && event["type"] == "verification" && behaviour.is_none();
        let answer = if challenged {
            (200, json!({"challenge": event["data"]["challenge"]}).to_string())
        } else {
            memory.answers.pop_front().unwrap_or((200, "{}".to_owned()))
        };
        let taken = match &behaviour {
            Some(Behaviour::Answers(status, _)) => *status < 300,
            Some(Behaviour::Slow(_) | Behaviour::Cuts) => true,
            None => answer.0 < 300,
        };
        let at = Instant::now();
        memory.heard.push(Heard { path: uri.path().to_owned(), headers, body, at, taken });
        (behaviour, answer)
    };
    match behaviour {
        None => (StatusCode::from_u16(answer.0).unwrap(), answer.1).into_response(),
        Some(Behaviour::Answers(status, headers)) => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Some(Behaviour::Slow(time)) => {
            tokio::time::sleep(time).await;
            StatusCode::OK.into_response()
        }
        Some(Behaviour::Cuts) => {
            let broken =
                futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
            Body::from_stream(broken).into_response()
        }
    }
}
