//! TWIN chats, as a bot (or a desk, where its operators answer): sessions, messages, files, callbacks, sockets.

mod inbound;
mod outbound;

/// The platform.
#[derive(Debug, Clone, Default)]
pub struct Twin;
