//! Programs of the Python package index, in virtual environments below the target folder.

use std::path::PathBuf;
use std::process::Command;

use crate::cargo;

/// What reads files back that has nothing of ours in it.
const READERS: &[&str] = &[
    "deltalake==1.6.6",
    "duckdb==2.0.1",
    "polars==2.1.0",
    "pyarrow==26.0.1",
];

/// The interpreter of an environment with the independent readers of the pipeline tests.
///
/// # Errors
/// When it cannot be installed.
pub(crate) fn readers() -> Result<PathBuf, String> {
    let hint = "the independent readers of the pipeline tests are installed with Python 3 (Debian and Ubuntu: `apt install \
                python3-venv`), from the Python package index; leave them out with `--readers none`";
    let environment = install("readers-venv", READERS, hint)?;
    Ok(environment.join("bin/python"))
}

/// The interpreter of an environment with the client of pyspark.
///
/// # Errors
/// When it cannot be installed.
pub(crate) fn spark_client() -> Result<PathBuf, String> {
    let hint = "the client of pyspark is installed with Python 3, from the Python package index";
    let environment = install("spark-client-venv", &["pyspark-client==4.1.*"], hint)?;
    Ok(environment.join("bin/python"))
}

/// A virtual environment with packages, made when it is missing.
///
/// # Errors
/// When it cannot be installed, with the hint.
pub(crate) fn install(name: &str, packages: &[&str], hint: &str) -> Result<PathBuf, String> {
    let environment = cargo::target()?.join(name);
    let done = environment.join("installed");
    if std::fs::read_to_string(&done).is_ok_and(|known| known == packages.join("\n")) {
        return Ok(environment);
    }
    println!(
        "$ installing {} into {}",
        packages.join(", "),
        environment.display()
    );
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    succeed(
        Command::new(python).args(["-m", "venv"]).arg(&environment),
        hint,
    )?;
    succeed(
        Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet"])
            .args(packages),
        hint,
    )?;
    std::fs::write(&done, packages.join("\n")).map_err(|error| error.to_string())?;
    Ok(environment)
}

fn succeed(command: &mut Command, hint: &str) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} failed ({status}): {hint}")),
        Err(error) => Err(format!("cannot run {command:?} ({error}): {hint}")),
    }
}
