//! A panic as a line of the log. By itself it would write lines of plain text, and its words may hold
//! what a customer wrote or a secret: only its place is told.

/// From now on panics are told so.
pub(super) fn tell() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "a panic: a fault of ours");
    }));
}
