//! The console in a real browser, on the real stack.

use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;
use trunkline_shared::model::Access;
use trunkline_tests::World;

use crate::api::Caller;

/// The browser's tests set up connections of their own, and play their far sides.
pub async fn the_console_is_used_in_a_browser(world: &World) {
    let admin = Caller::with(world, Access::Admin).await;
    let chromium = Command::new(world.project.join("tools/chromium.sh")).output().await.unwrap();
    assert!(chromium.status.success(), "{}", String::from_utf8_lossy(&chromium.stderr));
    let chromium = String::from_utf8(chromium.stdout).unwrap();
    let link = ["token", "link", "Lena", "--role", "operator"];
    let link = world.trunkline(&link, &[]).await;
    let link = String::from_utf8(link.stdout).unwrap();
    let run = Command::new("npx")
        .args(["playwright", "test", "--config", "stack.config.mjs"])
        .current_dir(world.project.join("functions/console/web"))
        .env("CI", "true")
        .env("CHROMIUM", chromium.trim())
        .env("CONSOLE_URL", format!("{}/console/", world.stack().facts.api))
        .env("ADMIN_TOKEN", &admin.token)
        .env("LOGIN_LINK", link.trim())
        .kill_on_drop(true)
        .output();
    let run = timeout(Duration::from_mins(8), run).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    std::fs::write(world.project.join(".local/test/browser.log"), said.as_bytes()).unwrap();
    let end: Vec<&str> = said.lines().rev().take(60).collect();
    let end: Vec<&str> = end.into_iter().rev().collect();
    assert!(run.status.success(), "{}", end.join("\n"));
    for line in said.lines().filter(|line| line.contains("first view")) {
        println!("{line}");
    }
}
