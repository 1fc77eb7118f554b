//! Calls without the header by which AWS counts the use of its SDKs: it is as expensive as the call's content.

use aws_runtime::user_agent::UserAgentInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, disable_interceptor};
use aws_smithy_types::config_bag::ConfigBag;

/// Disables the interceptor that describes the client.
#[derive(Debug)]
pub(super) struct WithoutDescription;

impl Intercept for WithoutDescription {
    fn name(&self) -> &'static str {
        "WithoutDescription"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let disabled = disable_interceptor::<UserAgentInterceptor>("nothing reads it");
        config.interceptor_state().store_put(disabled);
        Ok(())
    }
}
