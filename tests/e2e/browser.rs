//! The console in a real browser, on the real stack.

use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;
use trunkline_core::model::AccessLevel;
use trunkline_tests::TestEnvironment;

use crate::api::Caller;

/// The Playwright test that measures time.
const TIMED: &str = "the first view appears";
/// The Playwright test that visits every page twice.
const ACCESS: &str = "no page has a serious violation";

/// The Playwright test that waits for a breaker.
const OUTAGE: &str = "an outage opens the breaker";

pub async fn first_view_is_fast(env: &TestEnvironment) {
    run(env, "views", ["--grep", TIMED]).await;
}

pub async fn pages_are_accessible(env: &TestEnvironment) {
    run(env, "access", ["--grep", ACCESS]).await;
}

pub async fn outage_is_shown_and_replayed(env: &TestEnvironment) {
    run(env, "outage", ["--grep", OUTAGE]).await;
}

pub async fn console_works_in_a_browser(env: &TestEnvironment) {
    run(env, "browser", ["--grep-invert", &format!("{TIMED}|{ACCESS}|{OUTAGE}")]).await;
}

/// Opens the link of a relayed file in a browser without credentials.
pub async fn open_file(env: &TestEnvironment, link: &str, content: &str) {
    let variables = [("FILE_LINK", link), ("FILE_CONTENT", content)];
    run_with(env, "files", ["--grep", "relayed file"], &variables).await;
}

async fn run(env: &TestEnvironment, name: &str, selection: [&str; 2]) {
    run_with(env, name, selection, &[]).await;
}

/// Runs Playwright tests, which configure their own connections and mock the platforms behind them.
async fn run_with(
    env: &TestEnvironment,
    name: &str,
    selection: [&str; 2],
    variables: &[(&str, &str)],
) {
    let admin = Caller::with(env, AccessLevel::Admin).await;
    let chromium = Command::new(env.project.join("tools/chromium.sh")).output().await.unwrap();
    assert!(chromium.status.success(), "{}", String::from_utf8_lossy(&chromium.stderr));
    let chromium = String::from_utf8(chromium.stdout).unwrap();
    let link = ["token", "link", "Lena", "--role", "operator"];
    let link = env.trunkline(&link, &[]).await;
    let link = String::from_utf8(link.stdout).unwrap();
    let run = Command::new("npx")
        // The list has the duration of each test.
        .args(["playwright", "test", "--config", "stack.config.mjs", "--reporter", "list"])
        .args(["--output", &format!("node_modules/.results/{name}")])
        .args(selection)
        .current_dir(env.project.join("functions/console/web"))
        .env("CI", "true")
        .env("CHROMIUM", chromium.trim())
        .env("CONSOLE_URL", format!("{}/console/", env.stack().info.api))
        .env("ADMIN_TOKEN", &admin.token)
        .env("LOGIN_LINK", link.trim())
        .envs(variables.iter().copied())
        .kill_on_drop(true)
        .output();
    let run = timeout(Duration::from_mins(8), run).await.unwrap().unwrap();
    let stdout = env.successful_output(name, &run);
    for line in stdout.lines().filter(|line| line.contains("first view")) {
        println!("{line}");
    }
}
