//! Numbers of a test run, read from what the test binaries print.

use std::collections::BTreeMap;

/// Counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    /// Declared gaps and capabilities; only conformance has them.
    pub(crate) unsupported: u64,
    pub(crate) ignored: u64,
    pub(crate) failed: u64,
}

/// Counts by backend, and of tests that need none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Results {
    backends: BTreeMap<String, Counts>,
    own: Counts,
    /// Sets of features that hold no engine beside their own, with the number of packages in them.
    combinations: Vec<(String, usize)>,
    /// What went wrong other than a test.
    broken: Vec<String>,
    /// What failed tests said, shortened: the end of a long output is all that some readers of it keep.
    failures: Vec<String>,
    in_conformance: bool,
    in_failures: bool,
}

/// Lines of a failed test that the closing report repeats.
const LINES_OF_A_FAILURE: usize = 30;

impl Results {
    /// Takes in a line of `cargo test`.
    pub(crate) fn see(&mut self, line: &str) {
        self.see_failure(line);
        if let Some(header) = line.trim_start().strip_prefix("Running ") {
            self.in_conformance = header.contains("conformance-");
        } else if line.trim_start().starts_with("Doc-tests ") {
            self.in_conformance = false;
        } else if let Some((name, counts)) = backend_line(line) {
            let known = self.backends.entry(name).or_default();
            known.passed += counts.passed;
            known.unsupported += counts.unsupported;
            known.ignored += counts.ignored;
            known.failed += counts.failed;
        } else if let Some(counts) = result_line(line)
            && !self.in_conformance
        {
            self.own.passed += counts.passed;
            self.own.ignored += counts.ignored;
            self.own.failed += counts.failed;
        }
    }

    /// `failures:`, then `---- name ----` and what the test said, for each; a second `failures:` only names them again.
    fn see_failure(&mut self, line: &str) {
        if line == "failures:" || line.starts_with("test result: ") {
            self.in_failures = line == "failures:" && !self.in_failures;
        } else if self.in_failures && line.starts_with("---- ") {
            self.failures.push(line.to_owned());
        } else if self.in_failures
            && let Some(failure) = self.failures.last_mut()
            && failure.lines().count() <= LINES_OF_A_FAILURE
        {
            failure.push('\n');
            failure.push_str(line);
        }
    }

    /// A check that is not a test, as one.
    pub(crate) fn check(&mut self, what: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.own.passed += 1,
            Err(error) => {
                self.own.failed += 1;
                self.broken.push(format!("{what}: {error}"));
            }
        }
    }

    /// A set of features that holds no engine beside its own, as a passed test and a row of the table.
    pub(crate) fn combination(&mut self, what: &str, packages: usize) {
        self.own.passed += 1;
        self.combinations.push((what.to_owned(), packages));
    }

    /// The end of a test command. One that fails without a failed test did not build, or died.
    pub(crate) fn finished(&mut self, what: &str, success: bool, before: u64) {
        if !success && self.failed() == before {
            let error = "did not build, or stopped before its results".to_owned();
            self.check(what, Err(error));
        }
    }

    /// Backends that were expected and did not report are failures.
    pub(crate) fn require(&mut self, backend: &str) {
        let reported = self
            .backends
            .keys()
            .any(|name| name.eq_ignore_ascii_case(backend));
        if !reported {
            let error = "no conformance case ran on it".to_owned();
            self.check(&format!("backend {backend}"), Err(error));
        }
    }

    pub(crate) fn failed(&self) -> u64 {
        self.own.failed
            + self
                .backends
                .values()
                .map(|counts| counts.failed)
                .sum::<u64>()
    }

    fn passed(&self) -> u64 {
        self.own.passed
            + self
                .backends
                .values()
                .map(|counts| counts.passed)
                .sum::<u64>()
    }

    /// What failed tests said; the closing table, one row for each backend; and the closing line.
    pub(crate) fn table(&self) -> String {
        let mut lines: Vec<String> = self.failures.clone();
        lines.push(format!(
            "{:<16} {:>8} {:>22} {:>8} {:>8}",
            "backend", "passed", "expected unsupported", "ignored", "failed"
        ));
        let rows = self
            .backends
            .iter()
            .map(|(name, counts)| (name.as_str(), counts));
        for (name, counts) in rows.chain([("(without one)", &self.own)]) {
            lines.push(format!(
                "{name:<16} {:>8} {:>22} {:>8} {:>8}",
                counts.passed, counts.unsupported, counts.ignored, counts.failed
            ));
        }
        for (what, packages) in &self.combinations {
            lines.push(format!("{what}: no other engine, {packages} packages"));
        }
        for broken in &self.broken {
            lines.push(format!("FAILED {broken}"));
        }
        lines.push(format!(
            "{} passed, {} failed",
            self.passed(),
            self.failed()
        ));
        lines.join("\n")
    }
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; ...`
fn result_line(line: &str) -> Option<Counts> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    Some(counted(counts.split(';')))
}

/// `backend POLARS: 3 passed, 1 expected unsupported, 0 ignored, 0 failed`
fn backend_line(line: &str) -> Option<(String, Counts)> {
    let (name, counts) = line.strip_prefix("backend ")?.split_once(": ")?;
    Some((name.to_owned(), counted(counts.split(','))))
}

fn counted<'a>(parts: impl Iterator<Item = &'a str>) -> Counts {
    let mut counts = Counts::default();
    for part in parts {
        let Some((number, what)) = part.trim().split_once(' ') else {
            continue;
        };
        let number = number.parse().unwrap_or(0);
        match what {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "ignored" => counts.ignored = number,
            "expected unsupported" => counts.unsupported = number,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(lines: &[&str]) -> Results {
        let mut results = Results::default();
        for line in lines {
            results.see(line);
        }
        results
    }

    #[test]
    fn conformance_counts_by_backend_and_other_tests_together() {
        let results = results(&[
            "     Running unittests src/lib.rs (target/debug/deps/laktory_core-1)",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "     Running main.rs (target/debug/deps/conformance-2)",
            "test result: FAILED. 9 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "backend POLARS: 7 passed, 2 expected unsupported, 0 ignored, 1 failed",
        ]);
        assert_eq!(results.backends["POLARS"].unsupported, 2);
        assert_eq!(
            results.own,
            Counts {
                passed: 12,
                ignored: 1,
                ..Counts::default()
            }
        );
        assert!(
            results.table().ends_with("\n19 passed, 1 failed"),
            "{}",
            results.table()
        );
    }

    #[test]
    fn the_end_says_which_tests_failed_and_why() {
        let long = vec!["more"; 2 * LINES_OF_A_FAILURE];
        let mut lines = vec![
            "test polars::a ... FAILED",
            "",
            "failures:",
            "",
            "---- polars::a ----",
            "1 row, not 2",
        ];
        lines.extend(long);
        lines.extend([
            "failures:",
            "    polars::a",
            "",
            "test result: FAILED. 0 passed; 1 failed",
        ]);
        let table = results(&lines).table();
        assert!(
            table.starts_with("---- polars::a ----\n1 row, not 2\nmore"),
            "{table}"
        );
        assert!(
            table.matches("more").count() <= LINES_OF_A_FAILURE,
            "{table}"
        );
    }

    #[test]
    fn what_does_not_build_or_does_not_run_fails() {
        let mut results = results(&["error: could not compile"]);
        results.finished("unit tests", false, 0);
        results.require("polars");
        results.check("tidy", Ok(()));
        results.combination("facade with polars alone", 300);
        assert_eq!((results.passed(), results.failed()), (2, 2));
        assert!(
            results
                .table()
                .contains("polars alone: no other engine, 300 packages")
        );
        assert!(results.table().contains("FAILED unit tests"));
    }
}
