//! Golden texts: what one platform sends, and the calls that another receives. The calls are in `golden.json`: `make
//! content` rewrites them, and a person reads the difference.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trunkline_core::model::Role;

use crate::Pair;
use crate::network::Network;

const FILE: &str = "content/golden.json";

/// An example of what a person or bot sends, and what arrives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    pub name: String,
    /// The sender: platform and role.
    from: String,
    /// The receiver, in the same form.
    to: String,
    /// What the sender's platform sends, in its own form.
    send: Value,
    /// The calls that the receiver's platform receives, without ids and times.
    #[serde(default)]
    pub calls: Vec<Value>,
}

pub fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE)
}

/// Reads the examples.
pub fn load() -> Vec<Golden> {
    serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap()
}

/// Writes the examples, one per line.
pub fn save(all: &[Golden]) {
    let lines: Vec<String> = all.iter().map(|one| serde_json::to_string(one).unwrap()).collect();
    std::fs::write(path(), format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
}

/// Sends every example and returns it with the calls that arrived.
pub async fn run(network: &Network, all: &[Golden]) -> Vec<Golden> {
    let mut results: Vec<Option<Golden>> = vec![None; all.len()];
    let mut pairs: Vec<(&str, &str)> = all.iter().map(|one| (&*one.from, &*one.to)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    for (from, to) in pairs {
        let (sender, receiver) = (party(from), party(to));
        let is_reply = receiver.1 == Role::Channel;
        let (channel, other) = if is_reply { (receiver, sender) } else { (sender, receiver) };
        let mut pair = Pair::start(network, channel.0, other.0, other.1).await;
        pair.open().await;
        for (index, one) in all.iter().enumerate() {
            if (&*one.from, &*one.to) == (from, to) {
                let calls = pair.shown_after(sender.1, receiver.1, &one.send).await;
                results[index] = Some(Golden { calls, ..one.clone() });
            }
        }
    }
    results.into_iter().flatten().collect()
}

/// Reads a party, such as `webhook bot`.
fn party(text: &str) -> (&str, Role) {
    let (platform, role) = text.split_once(' ').unwrap();
    let (_, role) = Role::NAMES.into_iter().find(|(name, _)| *name == role).unwrap();
    (platform, role)
}
