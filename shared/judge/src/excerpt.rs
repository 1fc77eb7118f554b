//! The form of an excerpt, which `tools/specs.py` writes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// Why a text is no excerpt.
#[derive(Debug, thiserror::Error)]
pub enum ExcerptError {
    /// The text is not of the form of an excerpt.
    #[error("no excerpt: {0}")]
    Form(#[from] serde_json::Error),
    /// A type is no schema, or refers to a type that is missing.
    #[error("a type of the excerpt is unusable: {0}")]
    Schema(String),
}

/// The origin of a document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub title: String,
    pub version: String,
    pub origin: String,
    pub branch: String,
    pub commit: String,
    pub licence: String,
    /// The digest of the document that the excerpt was made from.
    pub sha256: String,
}

/// A request that one side makes of the other: an operation of the vendor's API, or a callback.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// The method and the path of an operation, or the name of a callback.
    #[serde(skip)]
    pub name: String,
    /// The schemas of the query's parameters. `explode: false` says that a list is one value with commas.
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Value>,
    /// The names of the parameters that must be there.
    #[serde(default)]
    pub(crate) required: Vec<String>,
    /// The schema of the body; `None` without a body.
    pub(crate) body: Option<Value>,
    /// The schemas of the answers by status or `default`; `None` for one without a body.
    pub(crate) answers: BTreeMap<String, Option<Value>>,
    /// The roles of which a caller needs one.
    #[serde(default)]
    pub roles: Vec<String>,
}

impl Operation {
    pub(crate) fn method(&self) -> &str {
        self.name.split_once(' ').map_or("", |(method, _)| method)
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.name.split_once(' ').map_or("", |(_, path)| path).split('/')
    }

    /// Whether a path is this operation's. A parameter stands for one segment that is not empty.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        let fits = |(own, given): (&str, &str)| {
            own == given || (own.starts_with('{') && own.ends_with('}') && !given.is_empty())
        };
        self.segments().count() == path.split('/').count()
            && self.segments().zip(path.split('/')).all(fits)
    }

    /// Returns the number of segments that are no parameters: of two operations, the one with more is meant.
    pub(crate) fn literal_segments(&self) -> usize {
        self.segments().filter(|segment| !segment.starts_with('{')).count()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Excerpt {
    pub(crate) document: Source,
    /// Whether a member that is null counts as absent.
    pub(crate) null_is_absent: bool,
    /// The member that names the type of each object that has it.
    pub(crate) tag: Option<String>,
    #[serde(rename = "operations")]
    pub(crate) by_path: BTreeMap<String, Operation>,
    pub(crate) callbacks: BTreeMap<String, Operation>,
    #[serde(rename = "$defs")]
    pub(crate) types: Map<String, Value>,
}

impl Excerpt {
    pub(crate) fn parse(text: &str) -> Result<Self, ExcerptError> {
        let mut excerpt: Self = serde_json::from_str(text)?;
        for (name, operation) in excerpt.by_path.iter_mut().chain(&mut excerpt.callbacks) {
            operation.name.clone_from(name);
        }
        Ok(excerpt)
    }

    /// Returns the type that a reference names.
    pub(crate) fn resolved(&self, reference: &str) -> Option<&Value> {
        self.types.get(reference.strip_prefix("#/$defs/")?)
    }

    /// Returns the schemas of all bodies and answers.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = &Value> {
        let all = self.by_path.values().chain(self.callbacks.values());
        all.flat_map(|operation| operation.body.iter().chain(operation.answers.values().flatten()))
    }
}
