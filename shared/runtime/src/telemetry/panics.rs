//! Logs panics as one JSON line. The default hook writes plain text and the panic's message, which can
//! contain a customer's text or a secret; only the source location is logged. The panic
//! is also a metric, because Lambda's own metrics would cost an alarm for each function.

/// Installs the panic hook of this process.
pub(super) fn install_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "panic: internal error");
        super::record_panic();
    }));
}
