//! DNS resolver that returns public addresses only. The client connects to exactly the addresses that were
//! checked, so DNS rebinding has no effect.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::security::{BlockedUrl, is_public};

type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// DNS resolver with a rule for the addresses that may be called.
#[derive(Clone)]
pub(super) struct PublicDnsResolver {
    lookup: Arc<dyn Fn(&str) -> LookupFuture + Send + Sync>,
    is_allowed: fn(IpAddr) -> bool,
}

impl PublicDnsResolver {
    /// Creates a resolver that uses the operating system. `allow_local` permits any address, for a stack on
    /// one machine.
    pub(super) fn system(allow_local: bool) -> Self {
        let is_allowed = if allow_local { |_| true } else { is_public };
        let look_up = move |name: &str| -> LookupFuture {
            // The API of a local stack has such a name, which not every operating system resolves.
            if allow_local && name.ends_with(".localhost") {
                let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                return Box::pin(std::future::ready(Ok(vec![here])));
            }
            let name = name.to_owned();
            Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
        };
        Self { lookup: Arc::new(look_up), is_allowed }
    }

    /// Creates a resolver that uses `lookup`, for tests.
    #[cfg(test)]
    pub(super) fn with_lookup(
        look_up: impl Fn(&str) -> Vec<SocketAddr> + Send + Sync + 'static,
        is_allowed: fn(IpAddr) -> bool,
    ) -> Self {
        let look_up = move |name: &str| -> LookupFuture {
            let found = look_up(name);
            Box::pin(std::future::ready(Ok(found)))
        };
        Self { lookup: Arc::new(look_up), is_allowed }
    }
}

impl fmt::Debug for PublicDnsResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicDnsResolver").finish_non_exhaustive()
    }
}

impl Resolve for PublicDnsResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, may) = ((self.lookup)(name.as_str()), self.is_allowed);
        Box::pin(async move {
            let found = found.await?;
            // A name that mixes public and internal addresses is suspicious: reject all of them.
            if let Some(internal) = found.iter().find(|found| !may(found.ip())) {
                let host = format!("{} ({})", name.as_str(), internal.ip());
                return Err(BlockedUrl::NotPublic(host).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
