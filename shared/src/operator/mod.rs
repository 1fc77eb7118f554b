//! What operators do to deliveries: list, replay, discard, redrive, verify. The CLI and the console
//! are built on this.

mod actions;
mod pages;
mod verify;

pub use actions::{Operator, OrderError, Selection, Waiting};
pub use pages::{Kind, Place};
pub use verify::{Asking, Unheard, verify};

use crate::app::App;

impl App {
    /// Who carries out orders.
    #[must_use]
    pub fn operator(&self) -> Operator<'_> {
        let (clock, ids) = (&*self.clock, &*self.ids);
        Operator { store: &self.store, queues: &self.queues, clock, ids }
    }

    /// With what far sides are asked.
    #[must_use]
    pub fn asking(&self) -> Asking<'_> {
        let (clock, ids) = (&*self.clock, &*self.ids);
        Asking { store: &self.store, queues: &self.queues, clock, ids }
    }
}
