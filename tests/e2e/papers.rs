//! The documents, as their readers use them.

use tokio::process::Command;
use trunkline_tests::World;

pub async fn every_command_of_the_docs_is_run(world: &World) {
    let python = world.project.join(".tools/test/bin/python3");
    let script = world.project.join("tests/papers.py");
    let endpoint = format!("http://127.0.0.1:{}", world.port());
    let output = Command::new(python)
        .arg(script)
        .args([&endpoint, &world.stack().facts.api])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{said}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
}
