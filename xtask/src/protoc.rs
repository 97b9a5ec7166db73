//! The compiler of protocol messages that the build of `laktory-spark` needs: the system's, else one that comes as a crate.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The path to hand to builds as `PROTOC`; none when they find one by themselves.
///
/// # Errors
/// What to install, on a machine for which no binary comes along.
pub(crate) fn path() -> Result<Option<PathBuf>, String> {
    let found = Command::new("protoc")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if found || std::env::var_os("PROTOC").is_some() {
        return Ok(None);
    }
    protoc_bin_vendored::protoc_bin_path().map(Some).map_err(|error| {
        format!("no `protoc` ({error}): install it, for example with `apt install protobuf-compiler`")
    })
}

/// Prints the path, for scripts: `PROTOC=$(cargo xtask protoc)`.
///
/// # Errors
/// As [`path`].
pub(crate) fn run() -> Result<(), String> {
    match path()? {
        Some(path) => println!("{}", path.display()),
        None => println!(
            "{}",
            std::env::var("PROTOC").unwrap_or_else(|_| "protoc".to_owned())
        ),
    }
    Ok(())
}
