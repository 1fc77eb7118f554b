//! The HTTP client of the SDKs. It calls the services directly, counts the calls of functions, and injects
//! faults.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::lineage::{Lineage, Lineages};
use super::manners::{Held, Manners};
use super::{AwsRequest, AwsResponse, AwsService, json_error};
use crate::faults::{Fault, Faults};

/// An AWS call that a function made. Repeated attempts of the SDK are one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// Position among all calls of all functions, from 1.
    pub number: usize,
    /// The invocation that made it: [`Invocation::number`].
    pub invocation: usize,
    /// The function that made it, such as `toy-outbound`.
    pub function: String,
    /// The name of the service: [`AwsService::name`].
    pub service: &'static str,
    /// Such as `PutItem`.
    pub operation: String,
    /// The body of the request.
    pub body: String,
}

/// One invocation of a function, within which AWS calls are counted and faults occur.
#[derive(Debug)]
pub struct Invocation {
    /// Position among all invocations of all functions, from 1.
    pub number: usize,
    /// The function, such as `toy-outbound`.
    pub function: String,
    /// The chain of messages that led to it.
    lineage: Lineage,
    crashed: Notify,
}

impl Invocation {
    /// Creates an invocation that continues a chain of messages.
    pub fn new(number: usize, function: &str, lineage: Lineage) -> Arc<Self> {
        Arc::new(Self { number, function: function.to_owned(), lineage, crashed: Notify::new() })
    }

    /// Runs the work of the invocation. `None`: a fault crashed it, and `work` was dropped where it was.
    pub async fn run<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> Option<T> {
        let work = CURRENT.scope(Arc::clone(self), work);
        tokio::select! {
            biased;
            () = self.crashed.notified() => None,
            result = work => Some(result),
        }
    }
}

tokio::task_local! {
    static CURRENT: Arc<Invocation>;
}

/// The HTTP client of the SDKs. Calls outside an [`Invocation`], such as those of a test that reads the
/// table, are neither counted nor disturbed.
#[derive(Debug, Clone)]
pub struct InProcessAws(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    services: Vec<Arc<dyn AwsService>>,
    faults: Faults,
    manners: Manners,
    lineages: Lineages,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    calls: Vec<CallRecord>,
    /// The fault of each call by the SDK's id of the call, which repeated attempts share.
    faults: HashMap<String, Option<Fault>>,
}

impl InProcessAws {
    /// Connects the services.
    pub fn new(services: Vec<Arc<dyn AwsService>>) -> Self {
        Self(Arc::new(Inner {
            services,
            faults: Faults::default(),
            manners: Manners::default(),
            lineages: Lineages::default(),
            log: Mutex::default(),
        }))
    }

    /// How AWS behaves beyond what is asked of it.
    pub fn manners(&self) -> &Manners {
        &self.0.manners
    }

    /// Returns the chain that a run of a function for messages continues; `None` if Lambda refuses the run.
    pub fn lineage<'a>(
        &self,
        function: &str,
        messages: impl Iterator<Item = &'a str>,
    ) -> Option<Lineage> {
        self.0.lineages.of_run(function, messages)
    }

    /// The faults of the calls.
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Returns the calls of functions so far.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.0.log.lock().unwrap().calls.clone()
    }

    /// Returns the number of calls of functions so far.
    pub fn number_of_calls(&self) -> usize {
        self.0.log.lock().unwrap().calls.len()
    }

    async fn perform(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let (parts, body) = request.try_into_http1x().map_err(user_error)?.into_parts();
        let body = body.bytes().map(<[u8]>::to_vec).unwrap_or_default();
        let request = AwsRequest::from_parts(parts, body);
        // Concurrent work in an invocation, and concurrent invocations, take turns call by call.
        tokio::task::yield_now().await;
        let services = self.0.services.iter();
        let mut able = services.filter_map(|service| Some((service, service.operation(&request)?)));
        let Some((service, operation)) = able.next() else {
            return sdk_response(json_error(400, "UnknownOperationException", "no such service"));
        };
        let invocation = CURRENT.try_with(Arc::clone).ok();
        let fault = invocation
            .as_ref()
            .and_then(|invocation| self.record(invocation, service.name(), &operation, &request));
        let call = || {
            let answer = service.call(&operation, &request);
            if let Some(invocation) = invocation.as_ref().filter(|_| service.name() == "sqs") {
                self.0.lineages.record_sent(&invocation.lineage, answer.body());
            }
            answer
        };
        let held = match &invocation {
            Some(_) => self.0.manners.begin(&operation, &request).await,
            None => Some(Held::default()),
        };
        let Some(_held) = held else {
            let conflict = transaction_conflict(&operation, &request);
            return sdk_response(conflict.unwrap_or_else(|| service.failed()));
        };
        match fault {
            None => sdk_response(call()),
            Some(Fault::Unprocessed) => {
                sdk_response(half_processed(&**service, &operation, &request))
            }
            Some(Fault::Refuse) => sdk_response(service.failed()),
            Some(Fault::Throttle) => sdk_response(service.throttled()),
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                sdk_response(call())
            }
            Some(Fault::TransactionConflict) => {
                let conflict = transaction_conflict(&operation, &request);
                sdk_response(conflict.unwrap_or_else(|| service.failed()))
            }
            Some(Fault::LoseFirstAnswer) if attempt(&request) > 1 => sdk_response(call()),
            Some(Fault::LoseAnswer | Fault::LoseFirstAnswer) => {
                call();
                Err(ConnectorError::io("the connection closed before the response".into()))
            }
            Some(Fault::CrashBefore) => crash(invocation).await,
            Some(Fault::CrashAfter) => {
                call();
                crash(invocation).await
            }
        }
    }

    /// Records an attempt of a call, and returns the call's fault.
    fn record(
        &self,
        invocation: &Invocation,
        service: &'static str,
        operation: &str,
        request: &AwsRequest,
    ) -> Option<Fault> {
        let id = request.headers().get("amz-sdk-invocation-id");
        let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        let mut log = self.0.log.lock().unwrap();
        if let Some(known) = log.faults.get(&id) {
            return *known;
        }
        let call = CallRecord {
            number: log.calls.len() + 1,
            invocation: invocation.number,
            function: invocation.function.clone(),
            service,
            operation: operation.to_owned(),
            body: String::from_utf8_lossy(request.body()).into_owned(),
        };
        let fault = self.0.faults.take(&call);
        log.calls.push(call);
        log.faults.insert(id, fault);
        fault
    }
}

/// Crashes the invocation, which drops this future.
async fn crash(invocation: Option<Arc<Invocation>>) -> Result<HttpResponse, ConnectorError> {
    if let Some(invocation) = invocation {
        invocation.crashed.notify_one();
    }
    std::future::pending().await
}

/// Returns the number of an attempt from the SDK's header `amz-sdk-request: attempt=<n>; max=<m>`.
fn attempt(request: &AwsRequest) -> u32 {
    let header = request.headers().get("amz-sdk-request").and_then(|value| value.to_str().ok());
    let number = header.and_then(|header| {
        header.split(';').find_map(|part| part.trim().strip_prefix("attempt=")?.parse().ok())
    });
    number.unwrap_or(1)
}

/// The answer to a transaction that conflicts with another; `None` for any other operation.
///
/// Source: `DynamoDB` API reference, `TransactWriteItems`, `TransactionCanceledException`.
fn transaction_conflict(operation: &str, request: &AwsRequest) -> Option<AwsResponse> {
    let asked: Value = serde_json::from_slice(request.body()).ok()?;
    let items = asked["TransactItems"].as_array().filter(|_| operation == "TransactWriteItems")?;
    let reason = |index| match index {
        0 => json!({"Code": "TransactionConflict"}),
        _ => json!({"Code": "None"}),
    };
    let reasons: Vec<Value> = (0..items.len()).map(reason).collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    });
    Some(super::json_response(400, body.to_string()))
}

/// Performs the first half of a batch; any other operation completely.
fn half_processed(service: &dyn AwsService, operation: &str, request: &AwsRequest) -> AwsResponse {
    let mut asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let members = match operation {
        "BatchGetItem" => asked["RequestItems"]
            .as_object_mut()
            .and_then(|tables| tables.values_mut().next()?["Keys"].as_array_mut()),
        "BatchExecuteStatement" => asked["Statements"].as_array_mut(),
        _ => None,
    };
    let Some(members) = members else { return service.call(operation, request) };
    let rest = members.split_off(members.len().div_ceil(2));
    let half = request.clone().map(|_| asked.to_string().into_bytes());
    let answer = service.call(operation, &half);
    if rest.is_empty() || answer.status() != 200 {
        return answer;
    }
    let mut body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if operation == "BatchGetItem" {
        let mut unprocessed = asked["RequestItems"].clone();
        for table in unprocessed.as_object_mut().into_iter().flat_map(Map::values_mut) {
            table["Keys"] = Value::Array(rest.clone());
        }
        body["UnprocessedKeys"] = unprocessed;
    } else {
        let error = json!({"Error": {"Code": "ThrottlingError", "Message": "throttled"}});
        if let Some(responses) = body["Responses"].as_array_mut() {
            responses.extend(rest.iter().map(|_| error.clone()));
        }
    }
    super::json_response(200, body.to_string())
}

fn sdk_response(response: AwsResponse) -> Result<HttpResponse, ConnectorError> {
    response.map(SdkBody::from).try_into().map_err(user_error)
}

fn user_error(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::user(Box::new(error))
}

impl HttpConnector for InProcessAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.clone();
        HttpConnectorFuture::new(async move { client.perform(request).await })
    }
}

impl HttpClient for InProcessAws {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
