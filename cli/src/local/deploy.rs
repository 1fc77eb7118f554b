//! Deploys the template to the local AWS with SAM.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use super::ministack::create;
use super::template::for_local_aws;
use super::{LocalAws, LocalError, Paths};

/// Checks that each function of the template is built.
pub(super) fn check_built(paths: &Paths) -> Result<(), LocalError> {
    let template = paths.project.join("template.yaml");
    let text = std::fs::read_to_string(&template).map_err(LocalError::io("template.yaml"))?;
    let folders = text.lines().filter_map(|line| line.trim().strip_prefix("CodeUri: "));
    for folder in folders {
        let path = paths.project.join(folder).join("bootstrap");
        if !path.is_file() {
            return Err(LocalError::NotBuilt(path));
        }
    }
    Ok(())
}

/// Writes the template for the local AWS to the folder of its logs. Returns its path.
fn write_template(paths: &Paths) -> Result<PathBuf, LocalError> {
    let original = paths.project.join("template.yaml");
    let text = std::fs::read_to_string(&original).map_err(LocalError::io("template.yaml"))?;
    let text = text.replace("CodeUri: ", &format!("CodeUri: {}/", paths.project.display()));
    let path = paths.logs.join("template.yaml");
    std::fs::write(&path, for_local_aws(&text))
        .map_err(LocalError::io(format!("{}", path.display())))?;
    Ok(path)
}

pub(super) async fn deploy(
    paths: &Paths,
    aws: &LocalAws,
    parameters: &[String],
) -> Result<(), LocalError> {
    let program = paths.tool("sam", "sam")?;
    let path = paths.logs.join("deploy.log");
    let log = create(&path)?;
    let errors = log.try_clone().map_err(LocalError::io("deploy.log"))?;
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let status = Command::new(&program)
        .args(["deploy", "--no-confirm-changeset", "--no-progressbar", "--template-file"])
        .arg(write_template(paths)?)
        .arg("--config-file")
        .arg(paths.project.join("samconfig.toml"))
        .arg("--parameter-overrides")
        .arg(format!("Architecture={architecture}"))
        .arg("AllowLocalTargets=yes")
        .args(parameters)
        .current_dir(&paths.project)
        .env("AWS_ENDPOINT_URL", aws.endpoint())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .env("SAM_CLI_TELEMETRY", "0")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .kill_on_drop(true)
        .status()
        .await
        .map_err(LocalError::io(format!("running {}", program.display())))?;
    if status.success() {
        return Ok(());
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(20)..].join("\n");
    Err(LocalError::Deploy { log: path, tail })
}
