//! Opens web sockets to public addresses only. The address contains the session's id, which is all that
//! a listener needs, so no error text contains it.

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
use trunkline_runtime::security::{BlockedUrl, check_url, is_public};
use url::Url;

use super::protocol::Revision;

/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest message that is accepted, in bytes.
const MAX_MESSAGE: usize = 1024 * 1024;

/// Why a connection could not be opened or has ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// The address is not public or not valid.
    #[error(transparent)]
    Blocked(#[from] BlockedUrl),
    /// The connection could not be opened.
    #[error("cannot connect: {0}")]
    NotConnected(String),
    /// The server answered the upgrade with this HTTP status.
    #[error("the server answered the WebSocket upgrade with status {0}")]
    UnexpectedStatus(u16),
    /// The server refused to let the client join.
    #[error("the server refused the connection: {0}")]
    Refused(String),
    /// The server speaks another revision of the protocol.
    #[error("the server speaks another revision of the protocol")]
    OtherRevision,
    /// The server sent nothing within the ping interval and timeout.
    #[error("the server sent nothing for too long")]
    Silent,
    /// The connection broke or was closed.
    #[error("the connection is closed")]
    Closed,
}

/// The stream below a WebSocket: TCP or TLS.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// An open WebSocket.
pub type Ws = WebSocketStream<Box<dyn Io>>;

/// The session to listen to, and where.
#[derive(Clone)]
pub struct Address {
    /// The origin, such as `https://tcl.twin24.ai`.
    pub origin: String,
    /// TWIN's id of the session.
    pub session: String,
    /// Whether plain `http` and private addresses are allowed, for a stack on one machine.
    pub allow_local: bool,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Address {
    /// Returns `{origin}/operator/socket.io/?key={session}` (fact sheet 2.5).
    pub(super) fn url(&self, revision: Revision) -> Result<Url, BlockedUrl> {
        let mut url = check_url(&self.origin, self.allow_local)?;
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
    match tokio::time::timeout(CONNECT_TIMEOUT, open(&url, address.allow_local)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(SocketError::NotConnected("timed out".into())),
    }
}

async fn open(url: &Url, allow_local: bool) -> Result<Ws, SocketError> {
    let failed = |what: &str| SocketError::NotConnected(what.to_owned());
    let host = url.host_str().ok_or_else(|| failed("the address has no host"))?;
    // IPv6 addresses without their brackets.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().ok_or_else(|| failed("the address has no port"))?;
    let tcp = connect(bare, port, allow_local).await?;
    let (scheme, stream): (_, Box<dyn Io>) = if url.scheme() == "https" {
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| failed("the host name is invalid"))?;
        let connector = TlsConnector::from(tls().ok_or_else(|| failed("TLS is not available"))?);
        let tls =
            connector.connect(name, tcp).await.map_err(|_| failed("the TLS handshake failed"))?;
        ("wss", Box::new(tls))
    } else {
        ("ws", Box::new(tcp))
    };
    let target = format!("{scheme}{}", &url.as_str()[url.scheme().len()..]);
    let request = target.into_client_request().map_err(|_| failed("the address is invalid"))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((ws, _)) => Ok(ws),
        Err(WsError::Http(answer)) => Err(SocketError::UnexpectedStatus(answer.status().as_u16())),
        // The error's text can contain the address.
        Err(_) => Err(failed("the WebSocket handshake failed")),
    }
}

/// Connects only to the addresses that were checked, so that a second DNS answer cannot bypass the check.
async fn connect(host: &str, port: u16, allow_local: bool) -> Result<TcpStream, SocketError> {
    let not = |error: std::io::Error| SocketError::NotConnected(error.kind().to_string());
    let found: Vec<SocketAddr> = lookup_host((host, port)).await.map_err(not)?.collect();
    if let Some(private) = found.iter().find(|found| !allow_local && !is_public(found.ip())) {
        return Err(BlockedUrl::NotPublic(format!("{host} ({})", private.ip())).into());
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

    fn address(origin: &str, allow_local: bool) -> Address {
        Address { origin: origin.into(), session: "6b1d 7f&5".into(), allow_local }
    }

    #[test]
    fn builds_the_documented_address_and_hides_the_session() {
        let url = address("https://tcl.twin24.ai", false).url(Revision::Four).unwrap();
        let expected =
            "https://tcl.twin24.ai/operator/socket.io/?key=6b1d+7f%265&EIO=4&transport=websocket";
        assert_eq!(url.as_str(), expected);
        assert!(!format!("{:?}", address("https://x.example", false)).contains("6b1d"));
    }

    #[tokio::test]
    async fn refuses_private_addresses() {
        for origin in ["http://tcl.twin24.ai", "https://127.0.0.1:1", "https://localhost:1"] {
            let outcome = dial(&address(origin, false), Revision::Four).await;
            assert!(matches!(outcome, Err(SocketError::Blocked(_))), "{origin}");
        }
    }
}
