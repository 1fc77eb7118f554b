//! Actions of operators: list, replay, discard, redrive and verify deliveries, erase customers. The console, and through
//! its API the CLI, are built on this.

mod actions;
mod erasure;
mod pages;
mod verify;

pub use actions::{OperatorActions, PendingDelivery, PendingDetails, Selection};
pub use pages::{PageCursor, PendingKind};
pub use verify::VerifyError;

use crate::app::App;

impl App {
    /// Returns the actions of operators.
    #[must_use]
    pub fn operator_actions(&self) -> OperatorActions<'_> {
        let (clock, ids) = (&*self.clock, &*self.ids);
        OperatorActions { store: &self.store, queues: &self.queues, clock, ids }
    }
}
