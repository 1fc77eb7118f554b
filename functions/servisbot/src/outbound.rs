//! From deliveries to ServisBOT's calls.

use jiff::Timestamp;
use trunkline_shared::dispatch::{Outbound, Sending, Unsendable};
use trunkline_shared::guard::{Answer, Request};
use trunkline_shared::model::{Connection, Platform};
use trunkline_shared::secrets::SecretBag;

use crate::Servisbot;

impl Outbound for Servisbot {
    const PLATFORM: Platform = Platform::Servisbot;

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
