//! The functions and their sample events.

/// A Lambda function of the stack.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name of the function and its program.
    pub name: String,
    /// The path of a sample event that it answers immediately; `None` if there is none.
    pub event: Option<String>,
}

/// Returns the baseline functions: the minimum that answers an HTTP call, and the minimum with AWS clients, as it
/// was in 0.2.0 and as it is now.
pub fn floors() -> [Function; 3] {
    let hello = Some("events/webhook-inbound.json".into());
    [
        Function { name: "floor-hello".into(), event: hello },
        Function { name: "floor-sdk-inbound".into(), event: None },
        Function { name: "floor-inbound".into(), event: None },
    ]
}

/// Returns the functions of `template.yaml`.
pub fn functions() -> Vec<Function> {
    let platforms = trunkline_registry::PLATFORMS.ids().into_iter().flat_map(|platform| {
        ["inbound", "outbound"].map(|way| function(&format!("{platform}-{way}")))
    });
    let listener = Function { name: "twin-listener".into(), event: None };
    platforms
        .chain([listener, function("scheduler"), function("console"), function("files")])
        .collect()
}

fn function(name: &str) -> Function {
    Function { name: name.into(), event: Some(format!("events/{name}.json")) }
}
