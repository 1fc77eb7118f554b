//! What operators see and do: reports of what happens to deliveries, and the lists and orders that
//! the command line and the console are made of.

mod orders;
mod pages;
mod report;
mod verify;

pub use orders::{Operator, OrderError, Selection, Waiting};
pub use pages::{Kind, Place};
pub use report::{Report, tell};
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
