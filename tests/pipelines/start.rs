//! The command under test, as tests start it: nothing in their own environment tells it what to do.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const COMMAND: &str = env!("CARGO_BIN_EXE_laktory-under-test");
/// A server for the command.
pub(crate) const REMOTE: &str = "SPARK_REMOTE";
/// The backend of pipelines that name none.
pub(crate) const BACKEND: &str = "LAKTORY_DATAFRAME_BACKEND";

/// The command, to be called in a folder.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(COMMAND);
    command
        .current_dir(folder)
        .env_remove(BACKEND)
        .env_remove(REMOTE)
        .stdin(Stdio::null());
    command
}

/// A quiet run of `pipeline.yaml` in a folder, which goes on by itself; its errors go to `errors`.
pub(crate) fn run(folder: &Path, errors: Stdio) -> io::Result<Child> {
    command(folder)
        .args(["run", "pipeline.yaml", "-q"])
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
}
