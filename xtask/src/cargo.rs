//! Cargo as a child process: the one that runs this task, in the root of the workspace.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    // `cargo run` says where the manifest is now; a binary that was kept may have been built elsewhere.
    let here = std::env::var("CARGO_MANIFEST_DIR");
    let here = here.unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let here = Path::new(&here);
    here.parent().unwrap_or(here).to_path_buf()
}

/// Variables that the commands get beside this program's own.
static VARIABLES: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Sets a variable for all later commands.
pub(crate) fn set_variable(name: &str, value: &str) {
    let mut variables = VARIABLES.lock().unwrap_or_else(PoisonError::into_inner);
    variables.push((name.to_owned(), value.to_owned()));
}

/// A cargo command in the root.
fn command(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    let variables = VARIABLES.lock().unwrap_or_else(PoisonError::into_inner);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    // What `cargo run` says about this program must not reach builds: build scripts of dependencies watch these
    // variables, and half of the workspace would be built anew.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(describes_this_program) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether a variable is one of those that cargo sets for the program that it runs.
fn describes_this_program(name: &str) -> bool {
    [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
        || matches!(name, "CARGO_PRIMARY_PACKAGE" | "OUT_DIR")
}

/// What a cargo command prints on standard output.
///
/// # Errors
/// What it prints on standard error, when it fails; what is missing, when there is no cargo.
pub(crate) fn output(arguments: &[&str]) -> Result<String, String> {
    let output = command(arguments)
        .output()
        .map_err(|error| missing(&error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let error = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "cargo {}\n{}",
            arguments.join(" "),
            error.trim_end()
        ))
    }
}

/// Runs a cargo command, prints what it prints, and hands each line to `see`. Whether it succeeded.
///
/// # Errors
/// What is missing, when there is no cargo.
pub(crate) fn stream(arguments: &[&str], mut see: impl FnMut(&str)) -> Result<bool, String> {
    println!("$ cargo {}", arguments.join(" "));
    let describe = |error: std::io::Error| error.to_string();
    // One pipe for both streams, so that headers (standard error) and results (standard output) stay in order.
    let (reader, writer) = std::io::pipe().map_err(describe)?;
    let mut command = command(arguments);
    command
        .stdout(writer.try_clone().map_err(describe)?)
        .stderr(writer);
    let mut child = command.spawn().map_err(|error| missing(&error))?;
    // The command holds the other ends of the pipe.
    drop(command);
    for line in BufReader::new(reader).lines() {
        let line = line.map_err(describe)?;
        println!("{line}");
        see(&line);
    }
    child
        .wait()
        .map(|status| status.success())
        .map_err(describe)
}

fn missing(error: &std::io::Error) -> String {
    format!("cannot run cargo ({error}): install a Rust toolchain, for example with rustup")
}

/// `cargo metadata` of the workspace, without dependencies.
///
/// # Errors
/// Those of cargo.
pub(crate) fn metadata() -> Result<Value, String> {
    let text = output(&["metadata", "--format-version", "1", "--no-deps"])?;
    serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))
}

/// The folder that cargo builds in.
///
/// # Errors
/// Those of cargo.
pub(crate) fn target() -> Result<PathBuf, String> {
    let metadata = metadata()?;
    let folder = metadata["target_directory"].as_str();
    folder
        .map(PathBuf::from)
        .ok_or_else(|| "cargo names no target folder".to_owned())
}

/// A crate of the project that a feature of the facade links.
#[derive(Debug, PartialEq)]
pub(crate) struct Plugin {
    pub(crate) feature: String,
    /// Name of the crate.
    pub(crate) package: String,
    /// It carries out pipelines by itself. Others, as those of tables, work for the engine that is chosen: their manifest
    /// says so under `package.metadata.laktory`.
    pub(crate) is_backend: bool,
}

/// Plugins of the facade, in the order of their features.
pub(crate) fn plugins(metadata: &Value) -> Vec<Plugin> {
    let packages = metadata["packages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let named = |name: &str| packages.iter().find(|package| package["name"] == name);
    let features = named("laktory").and_then(|package| package["features"].as_object());
    features
        .into_iter()
        .flatten()
        .filter_map(|(feature, enables)| {
            let enables = enables.as_array()?;
            let linked = enables
                .iter()
                .filter_map(Value::as_str)
                .find_map(|enabled| enabled.strip_prefix("dep:laktory-"))?;
            let package = format!("laktory-{linked}");
            let provides =
                named(&package).map(|package| &package["metadata"]["laktory"]["provides"]);
            Some(Plugin {
                feature: feature.clone(),
                is_backend: provides.and_then(Value::as_str) != Some("tables"),
                package,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_of_the_user_reach_builds() {
        assert!(describes_this_program("CARGO_PKG_NAME"));
        assert!(describes_this_program("CARGO_MANIFEST_DIR"));
        assert!(!describes_this_program("CARGO_TARGET_DIR"));
        assert!(!describes_this_program("CARGO_NET_OFFLINE"));
    }

    #[test]
    fn plugins_are_the_features_that_link_a_crate_of_ours() {
        let metadata = json!({"packages": [
            {"name": "laktory-core", "features": {"x": []}},
            {"name": "laktory", "features": {
                "default": ["polars"], "delta": ["dep:laktory-delta"], "polars": ["dep:laktory-polars"],
                "serde": ["dep:serde"],
            }},
            {"name": "laktory-delta", "metadata": {"laktory": {"provides": "tables"}}},
            {"name": "laktory-polars", "metadata": null},
        ]});
        let plugin = |feature: &str, is_backend| Plugin {
            feature: feature.to_owned(),
            package: format!("laktory-{feature}"),
            is_backend,
        };
        assert_eq!(
            plugins(&metadata),
            [plugin("delta", false), plugin("polars", true)]
        );
    }
}
