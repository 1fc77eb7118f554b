//! A Socket.IO client for TWIN's events (fact sheet 2.5): one socket per session, reconnected whenever
//! the connection breaks.

pub mod codec;
mod dial;
mod protocol;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message as Frame;

pub use dial::{Address, SocketError};
pub use protocol::{Action, CloseReason, Protocol, Revision};

use codec::CodecError;
use dial::{Ws, dial};

/// How long to wait for an older server to join the client by itself.
const JOIN_DELAY: Duration = Duration::from_millis(300);
/// How long the closing handshake of an abandoned connection may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The shortest and the longest wait before a reconnect; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a socket receives.
#[derive(Debug)]
pub enum SocketEvent {
    /// The namespace is joined: from now on events arrive. Earlier ones may have been missed.
    Joined,
    /// An event that the server emitted.
    Event {
        name: String,
        /// The event's first argument.
        data: Value,
        /// To be sent once the event is stored.
        acknowledgement: Acknowledgement,
    },
    /// A frame that cannot be parsed: a message may have been missed.
    Unreadable { frame: String, why: CodecError },
}

/// Acknowledges an event to TWIN, if TWIN asked for an acknowledgement.
#[derive(Debug)]
pub struct Acknowledgement(Option<(u64, mpsc::UnboundedSender<u64>)>);

impl Acknowledgement {
    /// Sends the acknowledgement. Call this only after the event is stored.
    pub fn send(self) {
        if let Some((id, acks)) = self.0 {
            // A socket that has closed in the meantime needs no acknowledgement.
            let _ = acks.send(id);
        }
    }
}

/// Listens until `stop` is set or the receiver of `events` is dropped, and reconnects a broken socket.
/// The channel is unbounded so that no received event is lost when listening stops.
pub async fn listen(
    address: Address,
    events: mpsc::UnboundedSender<SocketEvent>,
    mut stop: watch::Receiver<bool>,
) {
    tokio::select! {
        () = keep_connected(&address, &events) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn keep_connected(address: &Address, events: &mpsc::UnboundedSender<SocketEvent>) {
    let mut revision = Revision::Four;
    let mut wait = FIRST_WAIT;
    // Whether both revisions have failed since the last successful connection.
    let mut tried_both = false;
    while !events.is_closed() {
        let started = Instant::now();
        let (joined, why) = match dial(address, revision).await {
            Ok(ws) => run_connection(ws, revision, events).await,
            Err(why) => (false, why),
        };
        if events.is_closed() {
            return;
        }
        tracing::debug!(%why, joined, "reconnecting a socket");
        if joined {
            // A server that closes every connection at once must not cause a tight loop.
            wait = if started.elapsed() > LONGEST_WAIT { FIRST_WAIT } else { wait };
            tried_both = false;
        } else if suggests_other_revision(&why) {
            revision = revision.other();
            if !std::mem::replace(&mut tried_both, true) {
                continue;
            }
        }
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether the error suggests that the server speaks the other revision.
fn suggests_other_revision(why: &SocketError) -> bool {
    matches!(why, SocketError::OtherRevision | SocketError::UnexpectedStatus(400 | 404 | 426 | 501))
}

/// Serves one connection until it ends. Returns whether it was joined, and why it ended.
async fn run_connection(
    mut ws: Ws,
    revision: Revision,
    events: &mpsc::UnboundedSender<SocketEvent>,
) -> (bool, SocketError) {
    let mut protocol = Protocol::new(revision);
    let mut joined = false;
    let mut join_at = None;
    let (acks, mut ack_requests) = mpsc::unbounded_channel();
    let mut last_received = Instant::now();
    let mut last_ping = Instant::now();
    loop {
        let silent_at = last_received + protocol.silence_timeout();
        let ping = protocol.ping_interval().map_or(silent_at, |every| last_ping + every);
        let outcome = tokio::select! {
            frame = ws.next() => {
                last_received = Instant::now();
                match frame {
                    Some(Ok(Frame::Text(text))) => {
                        let handled =
                            handle_frame(&mut ws, &mut protocol, &text, &acks, events).await;
                        match handled {
                            Ok(FrameOutcome::JoinSoon) => {
                                join_at = Some(Instant::now() + JOIN_DELAY);
                            }
                            Ok(FrameOutcome::Joined) => join_at = None,
                            Ok(FrameOutcome::Other) | Err(_) => {}
                        }
                        handled
                    }
                    // Binary attachments of events: TWIN's events have none.
                    Some(Ok(
                        Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_),
                    )) => Ok(FrameOutcome::Other),
                    Some(Ok(Frame::Close(_)) | Err(_)) | None => Err(SocketError::Closed),
                }
            }
            Some(id) = ack_requests.recv() => {
                send_frame(&mut ws, Protocol::ack(id)).await.map(|()| FrameOutcome::Other)
            }
            () = sleep_until(ping), if ping < silent_at => {
                last_ping = Instant::now();
                send_frame(&mut ws, Protocol::ping()).await.map(|()| FrameOutcome::Other)
            }
            () = sleep_until(join_at.unwrap_or(silent_at)), if join_at.is_some() => {
                join_at = None;
                send_frame(&mut ws, Protocol::join()).await.map(|()| FrameOutcome::Other)
            }
            () = sleep_until(silent_at) => Err(SocketError::Silent),
        };
        match outcome {
            Ok(handled) => joined |= handled == FrameOutcome::Joined,
            Err(why) => {
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, ws.close(None)).await;
                return (joined, why);
            }
        }
    }
}

/// What handling a frame has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FrameOutcome {
    /// The client has joined the namespace.
    Joined,
    /// The client is to join after [`JOIN_DELAY`].
    JoinSoon,
    Other,
}

/// Handles a text frame: sends replies and passes events on.
async fn handle_frame(
    ws: &mut Ws,
    protocol: &mut Protocol,
    text: &str,
    acks: &mpsc::UnboundedSender<u64>,
    events: &mpsc::UnboundedSender<SocketEvent>,
) -> Result<FrameOutcome, SocketError> {
    let actions = match protocol.receive(text) {
        Ok(actions) => actions,
        // A malformed frame is the server's mistake and no reason to stop listening.
        Err(why) => {
            let unreadable = SocketEvent::Unreadable { frame: text.to_owned(), why };
            events.send(unreadable).map_err(|_| SocketError::Closed)?;
            return Ok(FrameOutcome::Other);
        }
    };
    let mut handled = FrameOutcome::Other;
    for action in actions {
        let event = match action {
            Action::Send(text) => {
                send_frame(ws, text).await?;
                continue;
            }
            Action::JoinSoon => {
                handled = FrameOutcome::JoinSoon;
                continue;
            }
            Action::Joined => {
                handled = FrameOutcome::Joined;
                SocketEvent::Joined
            }
            Action::Event(name, data, ack) => {
                let acknowledgement = Acknowledgement(ack.map(|id| (id, acks.clone())));
                SocketEvent::Event { name, data, acknowledgement }
            }
            Action::Close(CloseReason::Closed) => return Err(SocketError::Closed),
            Action::Close(CloseReason::Refused(why)) => return Err(SocketError::Refused(why)),
            Action::Close(CloseReason::OtherRevision) => return Err(SocketError::OtherRevision),
        };
        events.send(event).map_err(|_| SocketError::Closed)?;
    }
    Ok(handled)
}

async fn send_frame(ws: &mut Ws, text: String) -> Result<(), SocketError> {
    ws.send(Frame::text(text)).await.map_err(|_| SocketError::Closed)
}
