//! From deliveries to TWIN's calls.

use jiff::Timestamp;
use trunkline_shared::dispatch::{Outbound, Sending, Unsendable};
use trunkline_shared::guard::{Answer, Request};
use trunkline_shared::model::{Connection, Platform};
use trunkline_shared::secrets::SecretBag;

use crate::Twin;

impl Outbound for Twin {
    const PLATFORM: Platform = Platform::Twin;

    fn encode(&self, _: &Sending<'_>) -> Result<Request, Unsendable> {
        Err(Unsendable::NoForm("not built yet"))
    }

    fn verification(
        &self,
        _: &Connection,
        _: &SecretBag,
        _: &str,
        _: Timestamp,
    ) -> Result<Request, Unsendable> {
        Err(Unsendable::NoForm("not built yet"))
    }

    fn verification_problem(&self, _: &Answer, _: &str) -> Option<String> {
        None
    }
}
