//! Every case below `cases`, and every example of the reference, on every driver that this binary links.
//!
//! `cargo test -p laktory-conformance -- polars::sql` runs a part, `-- equivalence` the random expression trees that are
//! compared across drivers; `--list` shows the names. What drivers cannot do
//! yet is declared in `gaps`, one file for each driver; see README.md.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use laktory_core::{BackendConfig, Registry};
use laktory_testkit::{
    Arguments, Gaps, REQUIRED, Suite, equivalence, inspected, load_cases, reference_cases,
    round_trips, statements,
};

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
    let registry = Registry::discover([
        &laktory_datafusion::DATAFUSION,
        &laktory_polars::POLARS,
        &laktory_spark::PYSPARK,
    ])
    .map_err(|error| vec![error.to_string()])?;
    let required = std::env::var(REQUIRED).unwrap_or_default();
    let configs = BTreeMap::from([("PYSPARK".to_owned(), spark())]);
    let server = std::env::var("LAKTORY_CONFORMANCE_SERVER").ok();
    let gaps = Gaps::load(&here.join("gaps"), &registry, server.as_deref())?;
    let mut more = equivalence(&registry, &configs, &gaps);
    // Drivers tell what their own engines do; another server has ways of its own.
    if server.is_none() {
        more.extend(round_trips(&registry, &configs));
    }
    let (drawn, counts) = statements(&registry, &configs, &here.join("statements"));
    more.extend(drawn);
    let mut cases = load_cases(&here.join("cases"))?;
    cases.extend(reference_cases()?);
    let suite = Suite {
        more,
        gaps,
        cases,
        registry,
        configs,
        inspector: Some(inspected),
        required: required
            .split(',')
            .filter(|name| !name.trim().is_empty())
            .map(|name| name.trim().to_owned())
            .collect(),
    };
    let (conclusion, summary) = suite.run(arguments)?;
    if !arguments.list {
        report(&summary);
        report(&counts.text());
    }
    Ok(conclusion.exit_code())
}

/// The server of PYSPARK. Without one its cases are ignored, also where an environment names a cluster for other work.
fn spark() -> BackendConfig {
    let remote = std::env::var("LAKTORY_SPARK_REMOTE").unwrap_or_default();
    BackendConfig::from([("spark_remote".to_owned(), remote)])
}

#[allow(
    clippy::print_stdout,
    reason = "a test binary reports on standard output"
)]
fn report(text: &str) {
    println!("{}", text.trim_end());
}
