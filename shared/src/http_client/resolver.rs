//! Names become addresses that may be called. The connection goes to the very addresses that were
//! checked, so a name that leads elsewhere a moment later gains nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::security::{Blocked, is_public};

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// How names are resolved, and which addresses may be called.
#[derive(Clone)]
pub(super) struct Names {
    look_up: Arc<dyn Fn(&str) -> Found + Send + Sync>,
    may: fn(IpAddr) -> bool,
}

impl Names {
    /// As the machine resolves them. `local` allows any address, for a stack on one machine.
    pub(super) fn of_the_machine(local: bool) -> Self {
        let may = if local { |_| true } else { is_public };
        let look_up = |name: &str| -> Found {
            let name = name.to_owned();
            Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
        };
        Self { look_up: Arc::new(look_up), may }
    }

    /// As `look_up` says, for tests.
    #[cfg(test)]
    pub(super) fn of(
        look_up: impl Fn(&str) -> Vec<SocketAddr> + Send + Sync + 'static,
        may: fn(IpAddr) -> bool,
    ) -> Self {
        let look_up = move |name: &str| -> Found {
            let found = look_up(name);
            Box::pin(std::future::ready(Ok(found)))
        };
        Self { look_up: Arc::new(look_up), may }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, may) = ((self.look_up)(name.as_str()), self.may);
        Box::pin(async move {
            let found = found.await?;
            // One that leads inward spoils all: whoever mixes them is up to something.
            if let Some(inward) = found.iter().find(|found| !may(found.ip())) {
                let told = format!("{} ({})", name.as_str(), inward.ip());
                return Err(Blocked::NotPublic(told).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
