//! The commands in the documentation.

use tokio::process::Command;
use trunkline_tests::TestEnvironment;

pub async fn every_documented_command_runs(env: &TestEnvironment) {
    let python = env.project.join(".tools/test/bin/python3");
    let script = env.project.join("tests/docs.py");
    let endpoint = format!("http://127.0.0.1:{}", env.port());
    let output = Command::new(python)
        .arg(script)
        .args([&endpoint, &env.stack().info.api])
        .output()
        .await
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{stdout}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{errors}");
}
