//! Every case below `cases`, on every driver that this binary links.
//!
//! `cargo test -p laktory-conformance -- polars::sql` runs a part; `--list` shows the names. What drivers cannot do
//! yet is declared in `gaps`, one file for each driver; see README.md.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use laktory_core::{Error, Field, Registry, inspect};
use laktory_testkit::{Arguments, Gaps, REQUIRED, Suite, load_cases};
use serde_json::Value;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match run(&arguments) {
        Ok(code) => code,
        Err(errors) => {
            report(&errors.join("\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Vec<String>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let registry =
        Registry::discover([&laktory_polars::POLARS]).map_err(|error| vec![error.to_string()])?;
    let required = std::env::var(REQUIRED).unwrap_or_default();
    let suite = Suite {
        gaps: Gaps::load(&here.join("gaps"), &registry)?,
        cases: load_cases(&here.join("cases"))?,
        registry,
        configs: BTreeMap::new(),
        inspector: Some(answer),
        required: required
            .split(',')
            .filter(|name| !name.trim().is_empty())
            .map(|name| name.trim().to_owned())
            .collect(),
    };
    let (conclusion, summary) = suite.run(arguments)?;
    if !arguments.list {
        report(&summary);
    }
    Ok(conclusion.exit_code())
}

/// The value of a method that looks at the columns of a frame.
fn answer(name: &str, args: &[Value], columns: &[Field]) -> laktory_core::Result<Value> {
    match (name, args) {
        ("laktory.has_column", [Value::String(path)]) => {
            inspect::has_column(path, columns).map(Value::from)
        }
        ("laktory.signature", []) => Ok(inspect::signature(columns).into()),
        ("laktory.schema_flat", []) => inspect::schema_flat(columns).map(Value::from),
        _ => Err(Error::unsupported(format!("nothing here answers `{name}`"))),
    }
}

#[allow(
    clippy::print_stdout,
    reason = "a test binary reports on standard output"
)]
fn report(text: &str) {
    println!("{}", text.trim_end());
}
