//! From TWIN's calls to events.

use http::StatusCode;
use trunkline_shared::intake::{Call, Inbound, Received, Reply, Result as Came};
use trunkline_shared::model::Platform;

use crate::Twin;

impl Inbound for Twin {
    const PLATFORM: Platform = Platform::Twin;

    fn receive(&self, _: &Call<'_>) -> Received {
        Received::Unreadable("not built yet".into())
    }

    fn reply(&self, _: &Call<'_>, _: &Came<'_>) -> Reply {
        Reply::json(StatusCode::OK, &serde_json::json!({}))
    }
}
