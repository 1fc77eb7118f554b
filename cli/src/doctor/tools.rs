//! Which programs and parts `make deploy` needs and this machine does not have.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::facts::{Known, Unknown};

/// The programs that the Makefile calls. It installs the others itself.
const PROGRAMS: [&str; 4] = ["make", "python3", "cargo", "cc"];
/// The target of the functions, unless `ARCH=x86_64` is set.
const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Returns what is missing, as an operator would install it.
pub(super) async fn missing(folder: &Path) -> Known<Vec<String>> {
    if !folder.join("template.yaml").is_file() || !folder.join("Makefile").is_file() {
        return Err(Unknown::NotInProject);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs = PROGRAMS.iter().filter(|name| find(&path, name).is_none());
    let mut missing: Vec<String> = programs.map(|name| (*name).to_owned()).collect();
    if !has_target().await {
        missing.push(format!("the Rust target {TARGET} (`rustup target add {TARGET}`)"));
    }
    Ok(missing)
}

/// Returns the path of a program in a search path.
fn find(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Returns whether the standard library for the functions is installed.
async fn has_target() -> bool {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", TARGET]);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let folder = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    folder.is_some_and(|folder| !folder.trim().is_empty() && Path::new(folder.trim()).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_program_in_the_search_path() {
        let found = find(OsStr::new("/nowhere:/bin:/usr/bin"), "sh").unwrap();
        assert!(found.ends_with("sh"), "{found:?}");
        assert_eq!(find(OsStr::new("/nowhere"), "sh"), None);
        assert_eq!(find(OsStr::new(""), "trunkline-of-no-machine"), None);
    }

    #[tokio::test]
    async fn another_folder_is_not_checked() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(missing(root).await, Err(Unknown::NotInProject));
        assert!(missing(&root.join("..")).await.is_ok());
    }
}
