//! Endpoints of AWS services, without the SDK's rules for them: a function calls three services in one region.

use aws_smithy_runtime_api::client::endpoint::EndpointFuture;
use aws_smithy_types::endpoint::Endpoint;

/// Suffixes of the host names in partitions other than the public one, by the start of the region.
const SUFFIXES: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
];

/// The one endpoint of a client.
#[derive(Debug, Clone)]
pub(super) struct FixedEndpoint(Endpoint);

impl FixedEndpoint {
    /// Returns the endpoint of a service in a region; `replacement` replaces it.
    pub(super) fn new(service: &str, region: &str, replacement: Option<&str>) -> Self {
        let url = replacement.map_or_else(|| service_url(service, region), ToOwned::to_owned);
        Self(Endpoint::builder().url(url).build())
    }

    fn resolve<'a>(&self) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(self.0.clone()))
    }
}

macro_rules! resolve_endpoint {
    ($($sdk:ident),*) => {$(
        impl $sdk::config::endpoint::ResolveEndpoint for FixedEndpoint {
            fn resolve_endpoint<'a>(
                &'a self,
                _: &'a $sdk::config::endpoint::Params,
            ) -> EndpointFuture<'a> {
                self.resolve()
            }
        }
    )*};
}
resolve_endpoint!(aws_sdk_dynamodb, aws_sdk_sqs, aws_sdk_ssm);

fn service_url(service: &str, region: &str) -> String {
    let suffix = SUFFIXES.iter().find(|(start, _)| region.starts_with(start));
    let suffix = suffix.map_or("amazonaws.com", |(_, suffix)| suffix);
    format!("https://{service}.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SDK's rules are the source of the suffixes.
    #[tokio::test]
    async fn endpoints_are_those_of_the_sdk() {
        use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

        let sdk = DefaultResolver::new();
        for region in [
            "eu-central-1",
            "us-east-1",
            "us-gov-west-1",
            "cn-north-1",
            "eusc-de-east-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "us-isof-south-1",
            "ap-new-9",
        ] {
            let params = Params::builder().region(region).build().unwrap();
            let expected = ResolveEndpoint::resolve_endpoint(&sdk, &params).await.unwrap();
            assert_eq!(service_url("dynamodb", region), expected.url());
        }
    }

    #[test]
    fn a_local_endpoint_replaces_that_of_aws() {
        let endpoint = FixedEndpoint::new("sqs", "eu-central-1", Some("http://127.0.0.1:4600"));
        assert_eq!(endpoint.0.url(), "http://127.0.0.1:4600");
    }
}
