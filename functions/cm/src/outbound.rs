//! From deliveries to CM.com TwoWay's calls.

use jiff::Timestamp;
use trunkline_shared::dispatch::{Outbound, Sending, Unsendable};
use trunkline_shared::guard::{Answer, Request};
use trunkline_shared::model::{Connection, Platform};
use trunkline_shared::secrets::SecretBag;

use crate::Cm;

impl Outbound for Cm {
    const PLATFORM: Platform = Platform::Cm;

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
