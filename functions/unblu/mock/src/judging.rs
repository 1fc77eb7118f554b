//! Unblu's own OpenAPI documents judge all that the mock receives and all that it sends.

use std::str::FromStr;
use std::sync::LazyLock;

use serde_json::Value;
use trunkline_judge::{Document, Operation, UnknownOperation, Violation};

use super::state::ServerState;
use super::validation::Rejection;

static V3: LazyLock<Document> = LazyLock::new(|| read(include_str!("../../spec/v3.json")));
static V4: LazyLock<Document> = LazyLock::new(|| read(include_str!("../../spec/v4.json")));

fn read(excerpt: &str) -> Document {
    Document::parse(excerpt).unwrap_or_else(|error| panic!("run `make specs`: {error}"))
}

/// A version of the web API, by which Unblu also makes its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiVersion {
    /// The version that Unblu 6 and 7 have.
    V3,
    /// The version that Unblu 8 has.
    V4,
}

impl ApiVersion {
    /// Returns the version as the setting `api_version` and the path name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::V3 => "v3",
            Self::V4 => "v4",
        }
    }
}

impl FromStr for ApiVersion {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let all = [Self::V3, Self::V4];
        let found = all.into_iter().find(|version| version.word() == word);
        found.ok_or_else(|| format!("'{word}' is no version of the web API: use v3 or v4"))
    }
}

/// Returns the document of a version.
#[must_use]
pub fn document(version: ApiVersion) -> &'static Document {
    match version {
        ApiVersion::V3 => &V3,
        ApiVersion::V4 => &V4,
    }
}

/// A request to the web API.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) is_json: bool,
    pub(super) body: &'a [u8],
}

impl Request<'_> {
    /// Returns the path below the address of the web API.
    pub(super) fn path_in(&self, version: ApiVersion) -> Option<&str> {
        let path = self.path.strip_prefix("/app/rest/")?.strip_prefix(version.word())?;
        path.starts_with('/').then_some(path)
    }

    /// Returns the body as JSON; `None` without a body.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body).ok()
    }
}

/// Judges a request, and records its violations.
pub(super) fn judge_request(
    state: &mut ServerState,
    request: &Request<'_>,
) -> Result<&'static Operation, Rejection> {
    let document = document(state.version);
    let path = request.path_in(state.version).ok_or(UnknownOperation::Path);
    let what = format!("{} {}", request.method, request.path);
    let found = path.and_then(|path| document.operation(request.method, path));
    let operation = found.map_err(|unknown| {
        state.violations.push(format!("{what}: {unknown}"));
        (if unknown == UnknownOperation::Path { 404 } else { 405 }, unknown.to_string())
    })?;
    let body = request.json();
    let is_readable = request.body.is_empty() || (request.is_json && body.is_some());
    let violations = if is_readable {
        document.judge_request(operation, request.query, body.as_ref())
    } else {
        vec![Violation { at: String::new(), why: "the body is not application/json".to_owned() }]
    };
    record(state, &what, &violations).map_or(Ok(operation), |why| Err((400, why)))
}

/// Judges an answer of the mock, and records its violations.
pub(super) fn judge_answer(
    state: &mut ServerState,
    operation: &Operation,
    status: u16,
    body: Option<&Value>,
) -> Result<(), Rejection> {
    let violations = document(state.version).judge_answer(operation, status, body);
    let what = format!("the mock's answer to {}", operation.name);
    record(state, &what, &violations).map_or(Ok(()), |why| Err((500, why)))
}

/// Judges a call that the mock makes, and records its violations.
pub(super) fn judge_call(
    state: &mut ServerState,
    version: ApiVersion,
    callback: &str,
    body: &Value,
) {
    let known = document(version).callback(callback);
    let known = known.unwrap_or_else(|| panic!("{} has no {callback}", version.word()));
    let violations = document(version).judge_request(known, "", Some(body));
    record(state, &format!("the mock's {callback}"), &violations);
}

/// Records violations and returns them as one text; `None` if there are none.
fn record(state: &mut ServerState, what: &str, violations: &[Violation]) -> Option<String> {
    let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
    state.violations.extend(texts.iter().map(|text| format!("{what}: {text}")));
    (!texts.is_empty()).then(|| texts.join("; "))
}
