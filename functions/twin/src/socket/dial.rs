//! A WebSocket to an address that may be called. The address holds a session's id, which is all that
//! one needs to listen: no error shows it.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use trunkline_shared::security::{Blocked, check_url, is_public};
use url::Url;

use super::link::Revision;

/// How long a connection may take to come about.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest message that is read, in bytes.
const MAX_MESSAGE: usize = 1024 * 1024;

/// Why there is no connection, or no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// The address may not be called.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// No connection came about.
    #[error("no connection: {0}")]
    NotConnected(String),
    /// The far side answered that, in place of opening a socket.
    #[error("no socket: the answer was {0}")]
    Answered(u16),
    /// It does not let us in.
    #[error("not let in: {0}")]
    Refused(String),
    /// It speaks another revision of the protocol.
    #[error("it speaks another revision of the protocol")]
    OtherRevision,
    /// It said nothing for longer than it may.
    #[error("the connection is silent")]
    Silent,
    /// It broke, or was closed.
    #[error("the connection is closed")]
    Closed,
}

/// What a WebSocket runs on.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A WebSocket.
pub type Ws = WebSocketStream<Box<dyn Io>>;

/// Whose socket, and where.
#[derive(Clone)]
pub struct Address {
    /// The origin, such as `https://tcl.twin24.ai`.
    pub origin: String,
    /// The session's id.
    pub session: String,
    /// Whether plain `http` and any address are allowed, for a stack on one machine.
    pub local: bool,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Address {
    /// `{origin}/operator/socket.io/?key={session}` (fact sheet 2.5).
    pub(super) fn url(&self, revision: Revision) -> Result<Url, Blocked> {
        let mut url = check_url(&self.origin, self.local)?;
        url.set_path("/operator/socket.io/");
        url.query_pairs_mut()
            .clear()
            .append_pair("key", &self.session)
            .append_pair("EIO", revision.number())
            .append_pair("transport", "websocket");
        Ok(url)
    }
}

/// Opens a WebSocket.
pub(super) async fn dial(address: &Address, revision: Revision) -> Result<Ws, SocketError> {
    let url = address.url(revision)?;
    match tokio::time::timeout(PATIENCE, open(&url, address.local)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(SocketError::NotConnected("it took too long".into())),
    }
}

async fn open(url: &Url, local: bool) -> Result<Ws, SocketError> {
    let failed = |what: &str| SocketError::NotConnected(what.to_owned());
    let host = url.host_str().ok_or_else(|| failed("there is no host"))?;
    // As in an address: without the brackets of IPv6.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().ok_or_else(|| failed("there is no port"))?;
    let tcp = connect(bare, port, local).await?;
    let (scheme, stream): (_, Box<dyn Io>) = if url.scheme() == "https" {
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| failed("a bad name"))?;
        let connector = TlsConnector::from(tls().ok_or_else(|| failed("TLS"))?);
        let tls = connector.connect(name, tcp).await.map_err(|_| failed("TLS was refused"))?;
        ("wss", Box::new(tls))
    } else {
        ("ws", Box::new(tcp))
    };
    let target = format!("{scheme}{}", &url.as_str()[url.scheme().len()..]);
    let request = target.into_client_request().map_err(|_| failed("the address"))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((ws, _)) => Ok(ws),
        Err(WsError::Http(answer)) => Err(SocketError::Answered(answer.status().as_u16())),
        // Its text can hold the address.
        Err(_) => Err(failed("it is no WebSocket")),
    }
}

/// Connects to the very addresses that were checked.
async fn connect(host: &str, port: u16, local: bool) -> Result<TcpStream, SocketError> {
    let not = |error: std::io::Error| SocketError::NotConnected(error.kind().to_string());
    let found: Vec<SocketAddr> = lookup_host((host, port)).await.map_err(not)?.collect();
    if let Some(inward) = found.iter().find(|found| !local && !is_public(found.ip())) {
        return Err(Blocked::NotPublic(format!("{host} ({})", inward.ip())).into());
    }
    let tcp = TcpStream::connect(&found[..]).await.map_err(not)?;
    tcp.set_nodelay(true).map_err(not)?;
    Ok(tcp)
}

fn tls() -> Option<Arc<ClientConfig>> {
    static TLS: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    TLS.get_or_init(|| {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Some(Arc::new(config))
    })
    .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(origin: &str, local: bool) -> Address {
        Address { origin: origin.into(), session: "6b1d 7f&5".into(), local }
    }

    #[test]
    fn the_address_is_the_recovered_one() {
        let url = address("https://tcl.twin24.ai", false).url(Revision::Four).unwrap();
        let expected =
            "https://tcl.twin24.ai/operator/socket.io/?key=6b1d+7f%265&EIO=4&transport=websocket";
        assert_eq!(url.as_str(), expected);
        assert!(!format!("{:?}", address("https://x.example", false)).contains("6b1d"));
    }

    #[tokio::test]
    async fn inward_addresses_are_not_called() {
        for origin in ["http://tcl.twin24.ai", "https://127.0.0.1:1", "https://localhost:1"] {
            let outcome = dial(&address(origin, false), Revision::Four).await;
            assert!(matches!(outcome, Err(SocketError::Blocked(_))), "{origin}");
        }
    }
}
