//! The conformance suite for one driver, as the whole of a test binary: for drivers that live outside of this repository.
//!
//! The cases are those of the repository that this crate comes from; cargo checks all of it out for a dependency by path
//! or by git. Binaries in which several drivers meet build a [`Suite`] themselves.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use laktory_core::{BackendConfig, BackendDescriptor, Registry};

use crate::case::Case;
use crate::gaps::Gaps;
use crate::inspector::inspected;
use crate::load::load_cases;
use crate::suite::Suite;

/// Every conformance case of the version of laktory that this crate belongs to.
///
/// # Errors
/// As [`load_cases`]; when the crate was taken out of its repository.
pub fn published_cases() -> Result<Vec<Case>, Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/cases");
    if folder.is_dir() {
        return load_cases(&folder);
    }
    Err(vec![format!(
        "{} does not exist: depend on laktory-testkit by git or path, so that its repository comes with it",
        folder.display()
    )])
}

/// Runs every published case on one driver and prints its counts: the `main` of a test with `harness = false`.
///
/// What the driver's capabilities do not have must be refused as unsupported; `gaps`, the text of a gap file
/// ([`Gaps::parse`]), declares what is finer. Both are strict both ways: a case that passes although it is declared fails
/// the run. Arguments are those of `cargo test`, such as a part of the names to run.
///
/// ```no_run
/// # use laktory_testkit::RECORDER as MY_BACKEND;
/// # const GAPS: &str = "backend: RECORDER";
/// fn main() -> std::process::ExitCode {
///     // const GAPS: &str = include_str!("../gaps.yaml");
///     laktory_testkit::test_driver(&MY_BACKEND, GAPS, Default::default())
/// }
/// ```
#[must_use]
pub fn test_driver(
    descriptor: &'static BackendDescriptor,
    gaps: &str,
    config: BackendConfig,
) -> ExitCode {
    let arguments = libtest_mimic::Arguments::from_args();
    match run(&arguments, descriptor, gaps, config) {
        Ok((summary, code)) => {
            if !arguments.list {
                report(&summary);
            }
            code
        }
        Err(errors) => {
            report(&errors.join("\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(
    arguments: &libtest_mimic::Arguments,
    descriptor: &'static BackendDescriptor,
    gaps: &str,
    config: BackendConfig,
) -> Result<(String, ExitCode), Vec<String>> {
    let suite = suite(descriptor, gaps, config, published_cases()?)?;
    let (conclusion, summary) = suite.run(arguments)?;
    Ok((summary, conclusion.exit_code()))
}

/// The suite of one driver. The driver must answer: it is what the binary is for.
fn suite(
    descriptor: &'static BackendDescriptor,
    gaps: &str,
    config: BackendConfig,
    cases: Vec<Case>,
) -> Result<Suite, Vec<String>> {
    let one = |error: String| vec![error];
    let registry = Registry::new([descriptor]).map_err(|error| one(error.to_string()))?;
    let gaps = Gaps::parse(gaps).map_err(|error| one(format!("gaps: {error}")))?;
    registry
        .get(&gaps.backend)
        .map_err(|error| one(format!("gaps: {error}")))?;
    Ok(Suite {
        registry,
        cases,
        gaps: vec![gaps],
        configs: BTreeMap::from([(descriptor.name.to_owned(), config)]),
        inspector: Some(inspected),
        // One engine has none to be compared with.
        more: Vec::new(),
        required: vec![descriptor.name.to_owned()],
    })
}

#[allow(
    clippy::print_stdout,
    reason = "a test binary reports on standard output"
)]
fn report(text: &str) {
    println!("{}", text.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::RECORDER;

    #[test]
    fn the_cases_of_the_repository_are_found() {
        let cases = published_cases().unwrap();
        assert!(cases.len() > 2_000, "{}", cases.len());
    }

    #[test]
    fn gaps_are_those_of_the_driver() {
        let suite = |gaps: &str| super::suite(&RECORDER, gaps, BackendConfig::new(), Vec::new());
        assert_eq!(suite("backend: recorder").unwrap().required, ["RECORDER"]);
        let other = suite("backend: OTHER").unwrap_err();
        assert!(other[0].contains("OTHER"), "{other:?}");
        assert!(suite("gaps: []").unwrap_err()[0].starts_with("gaps: "));
    }
}
