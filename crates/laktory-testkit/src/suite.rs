//! Cases multiplied by linked drivers, as tests of one binary: `polars::expr/str/to_uppercase/01`.
//!
//! Strict both ways: a declared gap that passes fails the suite, and nothing is green by absence. A backend that needs
//! a server and has none shows its cases as ignored, unless the environment says that it must run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use laktory_core::{BackendConfig, BackendDescriptor, Registry};
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};

use crate::case::Case;
use crate::gaps::Gaps;
use crate::runner::{Inspector, Session, Verdict};

/// Environment variable with the backends that must run, separated by commas.
pub const REQUIRED: &str = "LAKTORY_CONFORMANCE_REQUIRE";

/// What a suite is made of.
#[derive(Debug)]
pub struct Suite {
    /// The linked drivers.
    pub registry: Registry,
    /// The cases.
    pub cases: Vec<Case>,
    /// What drivers are known not to do.
    pub gaps: Vec<Gaps>,
    /// Settings of backends, by name of the backend.
    pub configs: BTreeMap<String, BackendConfig>,
    /// Answers methods that look at a frame's columns.
    pub inspector: Option<Inspector>,
    /// Backends that must run although they may need a server.
    pub required: Vec<String>,
    /// Tests of the same binary that are not cases, such as [`equivalence`](crate::equivalence).
    pub more: Vec<Trial>,
}

/// Counts of one backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As expected.
    pub passed: usize,
    /// Refused, as capabilities or gap files declare.
    pub unsupported: usize,
    /// Not run for want of a server.
    pub ignored: usize,
    /// Not as expected.
    pub failed: usize,
}

/// Counts by backend, shared by the trials.
type Tallies = Arc<Mutex<BTreeMap<&'static str, Tally>>>;

impl Suite {
    /// Runs the suite and returns its summary: one [`Tally::line`] for each backend.
    ///
    /// # Errors
    /// Sentences about what makes the suite meaningless: no drivers, no cases, stale gaps.
    pub fn run(self, arguments: &Arguments) -> Result<(Conclusion, String), Vec<String>> {
        let mut errors = Vec::new();
        if self.registry.iter().next().is_none() {
            errors.push("no drivers are linked into this binary".to_owned());
        }
        if self.cases.is_empty() {
            errors.push("there are no cases".to_owned());
        }
        for gaps in &self.gaps {
            for id in gaps.stale(&self.cases) {
                errors.push(format!(
                    "gaps of {}: no case is called `{id}`",
                    gaps.backend
                ));
            }
        }
        for name in &self.required {
            if let Err(error) = self.registry.get(name) {
                errors.push(format!("{REQUIRED}: {error}"));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let tallies = Tallies::default();
        let cases: Vec<Arc<Case>> = self.cases.iter().cloned().map(Arc::new).collect();
        let mut trials = Vec::new();
        for descriptor in self.registry.iter() {
            trials.extend(self.trials(descriptor, &cases, &tallies));
        }
        trials.extend(self.more);
        let conclusion = libtest_mimic::run(arguments, trials);
        let mut summary = String::new();
        for (name, tally) in lock(&tallies).iter() {
            // Writing to a text cannot fail.
            let _ = writeln!(summary, "{}", tally.line(name));
        }
        Ok((conclusion, summary))
    }

    fn trials(
        &self,
        descriptor: &'static BackendDescriptor,
        cases: &[Arc<Case>],
        tallies: &Tallies,
    ) -> Vec<Trial> {
        let gaps = self.gaps.iter().find(|gaps| gaps.is_of(descriptor.name));
        let exact_types = gaps.is_some_and(|gaps| gaps.exact_types);
        let none = BackendConfig::new();
        let config = self.configs.get(descriptor.name).unwrap_or(&none);
        let session = Session::connect(descriptor, config, exact_types)
            .map(|session| Arc::new(session.with_inspector(self.inspector)));
        let required = (descriptor.capabilities)().local_files
            || self
                .required
                .iter()
                .any(|name| name.eq_ignore_ascii_case(descriptor.name));
        let prefix = descriptor.name.to_lowercase();
        cases
            .iter()
            .map(|case| {
                let name = format!("{prefix}::{}", case.id);
                let tallies = Arc::clone(tallies);
                match &session {
                    Ok(session) => {
                        let (session, case) = (Arc::clone(session), Arc::clone(case));
                        let reason = gaps.and_then(|gaps| gaps.reason(&case)).map(str::to_owned);
                        let is_gap = reason.is_some();
                        let varies = gaps.is_some_and(|gaps| gaps.varies.contains(&case.id));
                        let trial = Trial::test(name, move || {
                            let verdict = session.run(&case);
                            let judged = match (&verdict, varies) {
                                (Verdict::Failed(_) | Verdict::Passed, true) => {
                                    Ok(Kind::Unsupported)
                                }
                                _ => judged(&verdict, reason.as_deref()),
                            };
                            let mut tallies = lock(&tallies);
                            let tally = tallies.entry(descriptor.name).or_default();
                            match judged {
                                Ok(Kind::Passed) => tally.passed += 1,
                                Ok(Kind::Unsupported) => tally.unsupported += 1,
                                Err(_) => tally.failed += 1,
                            }
                            judged.map(|_| ())
                        });
                        if is_gap {
                            trial.with_kind("gap")
                        } else {
                            trial
                        }
                    }
                    Err(error) if required => {
                        lock(&tallies).entry(descriptor.name).or_default().failed += 1;
                        let message = format!("cannot connect: {error}");
                        Trial::test(name, move || Err(message.into()))
                    }
                    Err(error) => {
                        lock(&tallies).entry(descriptor.name).or_default().ignored += 1;
                        Trial::test(name, || Ok(()))
                            .with_kind(format!("no server: {error}"))
                            .with_ignored_flag(true)
                    }
                }
            })
            .collect()
    }
}

enum Kind {
    Passed,
    Unsupported,
}

/// A verdict in the light of a declared gap.
fn judged(verdict: &Verdict, gap: Option<&str>) -> Result<Kind, Failed> {
    match (verdict, gap) {
        (Verdict::Passed, None) => Ok(Kind::Passed),
        (Verdict::Unsupported(_), None) | (Verdict::Failed(_), Some(_)) => Ok(Kind::Unsupported),
        (Verdict::Failed(difference), None) => Err(difference.clone().into()),
        (Verdict::Passed, Some(reason)) => Err(format!(
            "passes, but is declared as a gap ({reason}): remove the entry"
        )
        .into()),
        (Verdict::Unsupported(missing), Some(reason)) => Err(format!(
            "is declared as a gap ({reason}), and the capabilities say already that {missing} is missing: remove the entry"
        )
        .into()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    /// `backend POLARS: 10 passed, 2 expected unsupported, 0 ignored, 1 failed`.
    #[must_use]
    pub fn line(&self, backend: &str) -> String {
        format!(
            "backend {backend}: {} passed, {} expected unsupported, {} ignored, {} failed",
            self.passed, self.unsupported, self.ignored, self.failed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::RECORDER;

    #[test]
    fn a_declared_gap_must_fail() {
        let failed = Verdict::Failed("no".to_owned());
        assert!(matches!(
            judged(&failed, Some("why")),
            Ok(Kind::Unsupported)
        ));
        assert!(judged(&failed, None).is_err());
        assert!(judged(&Verdict::Passed, Some("why")).is_err());
        let declared = Verdict::Unsupported("pivot".to_owned());
        assert!(matches!(judged(&declared, None), Ok(Kind::Unsupported)));
        assert!(judged(&declared, Some("why")).is_err());
    }

    fn suite(registry: Registry, cases: Vec<Case>) -> Suite {
        Suite {
            registry,
            cases,
            gaps: Vec::new(),
            configs: BTreeMap::new(),
            inspector: None,
            required: Vec::new(),
            more: Vec::new(),
        }
    }

    #[test]
    fn nothing_is_green_by_absence() {
        let arguments = Arguments::default();
        let empty = suite(Registry::new([]).unwrap(), Vec::new());
        assert_eq!(empty.run(&arguments).unwrap_err().len(), 2);
        let line = concat!(
            r#"{"id":"a","frames":{"df":[["x","int64",[1]]]},"#,
            r#""steps":[],"expect":{"columns":[["x","int64",[1]]]}}"#
        );
        let cases = crate::load::parse_lines(line).unwrap();
        let mut unknown = suite(Registry::new([&RECORDER]).unwrap(), cases.clone());
        unknown.required.push("NOPE".to_owned());
        assert!(unknown.run(&arguments).unwrap_err()[0].contains("NOPE"));
        let log = std::env::temp_dir().join(format!("laktory-suite-{}", std::process::id()));
        let quiet = Arguments {
            logfile: Some(log.to_string_lossy().into_owned()),
            ..Arguments::default()
        };
        let good = suite(Registry::new([&RECORDER]).unwrap(), cases);
        let (conclusion, summary) = good.run(&quiet).unwrap();
        std::fs::remove_file(&log).unwrap();
        assert_eq!(conclusion.num_passed, 1);
        assert_eq!(
            summary,
            "backend RECORDER: 1 passed, 0 expected unsupported, 0 ignored, 0 failed\n"
        );
    }
}
