//! AWS services inside the process, and the HTTP client that connects the SDKs to them.
//!
//! A service implements [`AwsService`] and needs no socket. [`InProcessAws`] is the HTTP client of the SDKs:
//! every call of every client passes it, so it counts calls and injects faults ([`crate::faults`]).

mod connector;
mod dynamodb;
mod lineage;
mod manners;
pub mod sqs;
mod ssm;
mod template;

use std::fmt::Debug;

pub use connector::{CallRecord, InProcessAws, Invocation};
pub use dynamodb::{CapacityUnits, DynamoDb};
pub use lineage::Lineage;
pub use manners::Manners;
pub use sqs::Sqs;
pub use ssm::Ssm;
pub use template::table_definition;

/// An HTTP request of an SDK.
pub type AwsRequest = http::Request<Vec<u8>>;
/// The response of a service.
pub type AwsResponse = http::Response<Vec<u8>>;

/// An emulated AWS service.
pub trait AwsService: Debug + Send + Sync {
    /// The name by which faults and call records refer to the service, such as `sqs`.
    fn name(&self) -> &'static str;

    /// Returns the operation of a request, such as `SendMessage`; `None` if the request is for another
    /// service.
    fn operation(&self, request: &AwsRequest) -> Option<String>;

    /// Performs a request.
    fn call(&self, operation: &str, request: &AwsRequest) -> AwsResponse;

    /// The error response of a call that the service refuses because it is overloaded. An SDK retries it.
    fn throttled(&self) -> AwsResponse;

    /// The error response of a call during an internal failure. An SDK retries it.
    fn failed(&self) -> AwsResponse;
}

/// Returns the operation of a request in an AWS JSON protocol: its header is `X-Amz-Target:
/// <service>.<operation>`.
pub fn json_operation(service: &str, request: &AwsRequest) -> Option<String> {
    let target = request.headers().get("x-amz-target")?.to_str().ok()?;
    Some(target.strip_prefix(service)?.strip_prefix('.')?.to_owned())
}

/// Builds a response with a JSON body.
pub fn json_response(status: u16, body: impl Into<Vec<u8>>) -> AwsResponse {
    let response = http::Response::builder().status(status);
    response.header("content-type", "application/x-amz-json-1.0").body(body.into()).unwrap()
}

/// Builds an error response of an AWS JSON protocol.
pub fn json_error(status: u16, code: &str, message: &str) -> AwsResponse {
    let body = serde_json::json!({"__type": code, "message": message});
    json_response(status, body.to_string())
}
