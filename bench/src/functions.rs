//! Which functions there are, and the sample event of each.

use trunkline_shared::model::Platform;

/// A function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name, and its program's.
    pub name: String,
    /// A file with an event that it answers at once.
    pub event: Option<String>,
}

/// The least that answers an HTTP call; and the least that has AWS's clients.
pub fn floors() -> [Function; 2] {
    let hello = Some("events/webhook-inbound.json".into());
    [
        Function { name: "floor-hello".into(), event: hello },
        Function { name: "floor-inbound".into(), event: None },
    ]
}

/// The functions of `template.yaml`.
pub fn functions() -> Vec<Function> {
    let platforms = Platform::names().into_iter().flat_map(|platform| {
        ["inbound", "outbound"].map(|way| function(&format!("{platform}-{way}")))
    });
    let listener = Function { name: "twin-listener".into(), event: None };
    platforms.chain([listener, function("upkeep"), function("console")]).collect()
}

fn function(name: &str) -> Function {
    Function { name: name.into(), event: Some(format!("events/{name}.json")) }
}
