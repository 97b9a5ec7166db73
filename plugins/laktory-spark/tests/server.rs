//! Every conformance case on the Spark Connect server that `LAKTORY_SPARK_REMOTE` names; without one they are ignored.
//! `cargo test -p laktory-spark --test server -- op/` runs a part.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use laktory_core::{BackendConfig, Registry};
use laktory_testkit::{Arguments, Gaps, Suite, inspected, load_cases};

fn main() -> ExitCode {
    match run(&Arguments::from_args()) {
        Ok(code) => code,
        Err(errors) => {
            report(&errors.join("\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Vec<String>> {
    let conformance = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let registry =
        Registry::new([&laktory_spark::PYSPARK]).map_err(|error| vec![error.to_string()])?;
    let text = std::fs::read_to_string(conformance.join("gaps/pyspark.yaml"))
        .map_err(|error| vec![error.to_string()])?;
    let remote = std::env::var("LAKTORY_SPARK_REMOTE").unwrap_or_default();
    let config = BackendConfig::from([("spark_remote".to_owned(), remote)]);
    let suite = Suite {
        gaps: vec![Gaps::parse(&text).map_err(|error| vec![error])?],
        cases: load_cases(&conformance.join("cases"))?,
        registry,
        configs: BTreeMap::from([("PYSPARK".to_owned(), config)]),
        inspector: Some(inspected),
        required: Vec::new(),
        more: Vec::new(),
    };
    let (conclusion, summary) = suite.run(arguments)?;
    if !arguments.list {
        report(&summary);
    }
    Ok(conclusion.exit_code())
}

#[allow(
    clippy::print_stdout,
    reason = "a test binary reports on standard output"
)]
fn report(text: &str) {
    println!("{}", text.trim_end());
}
