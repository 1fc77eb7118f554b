//! What the end-to-end tests stand on: a deployed local stack, far sides that record what they are
//! sent, and a tap on the functions' calls to AWS.

mod far_side;
mod reference;
mod scene;
mod secrets;
mod tap;
mod workers;
mod world;

pub use far_side::{Behaviour, FarSide, Heard};
pub use reference::Reference;
pub use scene::{SIGNING, Scene, THREE, USUAL, says, signing_headers, webex_message};
pub use secrets::{secrets_used, uses_secret};
pub use tap::{Fault, Tap};
pub use workers::{kill, processes_of, workers_of, workers_running};
pub use world::{Ahead, World};
