//! Reads the project's examples with plausible secrets, for tests.

use super::{Desired, InvalidConfig, ReadOptions, SecretResolver, SecretSource, read};

#[derive(Debug)]
struct PlausibleSecrets;

impl SecretResolver for PlausibleSecrets {
    fn resolve(&self, source: &SecretSource) -> Result<String, String> {
        let name = match source {
            SecretSource::Env(name) => name,
            // In the examples, files contain signing secrets.
            SecretSource::File(_) => return Ok("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into()),
        };
        let name = name.to_lowercase();
        Ok(if name.contains("url") {
            "https://hooks.example.net/x".into()
        } else if name.contains("signing") {
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into()
        } else {
            format!("{name} of a fair length")
        })
    }
}

/// Reads a file as for a stack on AWS.
pub(crate) fn read_example(file: &str) -> Result<Desired, InvalidConfig> {
    read(file, ReadOptions { secrets: &PlausibleSecrets, allow_local: false })
}

/// Reads an example, which must be valid.
pub(crate) fn example(file: &str) -> Desired {
    read_example(file).unwrap_or_else(|why| panic!("{why}"))
}
