//! A Socket.IO client for what TWIN says in a session (fact sheet 2.5): one socket a session, opened
//! again whenever it breaks.

pub mod codec;
mod dial;
mod link;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message as Frame;

pub use dial::{Address, SocketError};
pub use link::{End, Link, Revision, Step};

use dial::{Ws, dial};

/// How long an older server may take to join us.
const SOON: Duration = Duration::from_millis(300);
/// How long a connection that is given up has to say so.
const PARTING: Duration = Duration::from_secs(1);
/// How long is waited before a broken socket is opened again: doubled each time, up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What is heard on a socket.
#[derive(Debug)]
pub enum Heard {
    /// The socket is open: what is said from now on is heard. What was said before may not have been.
    Joined,
    /// An event.
    Event {
        /// Its name.
        name: String,
        /// What it brings.
        data: Value,
        /// To be told once it is safe.
        safe: Safe,
    },
}

/// Tells the far side that an event is safe, if it asks for that.
#[derive(Debug)]
pub struct Safe(Option<(u64, mpsc::UnboundedSender<u64>)>);

impl Safe {
    /// The event is safe.
    pub fn tell(self) {
        if let Some((id, acks)) = self.0 {
            // A socket that is closed meanwhile needs no acknowledgement.
            let _ = acks.send(id);
        }
    }
}

/// Listens until it is told to stop, or nobody hears any more. Whatever breaks is opened again. What was
/// read is in the channel, whenever it is stopped: so the channel has no bounds.
pub async fn listen(
    address: Address,
    heard: mpsc::UnboundedSender<Heard>,
    mut stop: watch::Receiver<bool>,
) {
    tokio::select! {
        () = forever(&address, &heard) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn forever(address: &Address, heard: &mpsc::UnboundedSender<Heard>) {
    let mut revision = Revision::Four;
    let mut wait = FIRST_WAIT;
    // Whether both revisions were tried since it last worked.
    let mut tried_both = false;
    while !heard.is_closed() {
        let began = Instant::now();
        let (joined, why) = match dial(address, revision).await {
            Ok(ws) => once(ws, revision, heard).await,
            Err(why) => (false, why),
        };
        if heard.is_closed() {
            return;
        }
        tracing::debug!(%why, joined, "a socket is opened again");
        if joined {
            // One that closes as soon as it is open is not to be opened in a loop.
            wait = if began.elapsed() > LONGEST_WAIT { FIRST_WAIT } else { wait };
            tried_both = false;
        } else if speaks_otherwise(&why) {
            revision = revision.other();
            if !std::mem::replace(&mut tried_both, true) {
                continue;
            }
        }
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether the other revision may be worth a try.
fn speaks_otherwise(why: &SocketError) -> bool {
    matches!(why, SocketError::OtherRevision | SocketError::Answered(400 | 404 | 426 | 501))
}

/// Listens on one connection until it ends; tells whether it was joined, and why it ended.
async fn once(
    mut ws: Ws,
    revision: Revision,
    heard: &mpsc::UnboundedSender<Heard>,
) -> (bool, SocketError) {
    let mut link = Link::new(revision);
    let mut joined = false;
    let mut join_at = None;
    let (acks, mut acknowledged) = mpsc::unbounded_channel();
    let mut last_heard = Instant::now();
    let mut last_ping = Instant::now();
    loop {
        let dead = last_heard + link.patience();
        let ping = link.pings_every().map_or(dead, |every| last_ping + every);
        let outcome = tokio::select! {
            frame = ws.next() => {
                last_heard = Instant::now();
                match frame {
                    Some(Ok(Frame::Text(text))) => {
                        let acted = act(&mut ws, &mut link, &text, &acks, heard).await;
                        match acted {
                            Ok(Acted::JoinSoon) => join_at = Some(Instant::now() + SOON),
                            Ok(Acted::Joined) => join_at = None,
                            Ok(Acted::Else) | Err(_) => {}
                        }
                        acted
                    }
                    // Parts of events as bytes: TWIN's events have none.
                    Some(Ok(Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_))) => Ok(Acted::Else),
                    Some(Ok(Frame::Close(_)) | Err(_)) | None => Err(SocketError::Closed),
                }
            }
            Some(id) = acknowledged.recv() => say(&mut ws, Link::ack(id)).await.map(|()| Acted::Else),
            () = sleep_until(ping), if ping < dead => {
                last_ping = Instant::now();
                say(&mut ws, Link::ping()).await.map(|()| Acted::Else)
            }
            () = sleep_until(join_at.unwrap_or(dead)), if join_at.is_some() => {
                join_at = None;
                say(&mut ws, Link::join()).await.map(|()| Acted::Else)
            }
            () = sleep_until(dead) => Err(SocketError::Silent),
        };
        match outcome {
            Ok(acted) => joined |= acted == Acted::Joined,
            Err(why) => {
                let _ = tokio::time::timeout(PARTING, ws.close(None)).await;
                return (joined, why);
            }
        }
    }
}

/// What a frame came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acted {
    /// We have joined.
    Joined,
    /// We are to join shortly.
    JoinSoon,
    /// Anything else.
    Else,
}

/// Does what a frame asks for.
async fn act(
    ws: &mut Ws,
    link: &mut Link,
    text: &str,
    acks: &mpsc::UnboundedSender<u64>,
    heard: &mpsc::UnboundedSender<Heard>,
) -> Result<Acted, SocketError> {
    // A frame that is no packet is the far side's mistake, and no reason to hear nothing any more.
    let steps = link.hear(text).unwrap_or_else(|why| {
        tracing::warn!(%why, "a socket's frame was not read");
        Vec::new()
    });
    let mut acted = Acted::Else;
    for step in steps {
        let told = match step {
            Step::Send(text) => {
                say(ws, text).await?;
                continue;
            }
            Step::JoinSoon => {
                acted = Acted::JoinSoon;
                continue;
            }
            Step::Joined => {
                acted = Acted::Joined;
                Heard::Joined
            }
            Step::Event(name, data, ack) => {
                let safe = Safe(ack.map(|id| (id, acks.clone())));
                Heard::Event { name, data, safe }
            }
            Step::End(End::Closed) => return Err(SocketError::Closed),
            Step::End(End::Refused(why)) => return Err(SocketError::Refused(why)),
            Step::End(End::OtherRevision) => return Err(SocketError::OtherRevision),
        };
        heard.send(told).map_err(|_| SocketError::Closed)?;
    }
    Ok(acted)
}

async fn say(ws: &mut Ws, text: String) -> Result<(), SocketError> {
    ws.send(Frame::text(text)).await.map_err(|_| SocketError::Closed)
}
