//! Random SELECT statements on every embedded backend, held to the answers of DuckDB.
//!
//! A process draws them and has DuckDB's answers ([`oracle`]); what is left of a statement that tells the two apart is the
//! smallest one that still does. The same number is the same statement on every machine.

mod oracle;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use laktory_core::{BackendConfig, Registry};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::runner::{Session, Verdict};
use oracle::{Message, Oracle};

/// Environment variable with the interpreter of Python that has DuckDB.
pub const PYTHON_VARIABLE: &str = "LAKTORY_READERS_PYTHON";

/// Environment variable with the number of statements, for each embedded engine; 250 when it is not set.
pub const STATEMENTS_VARIABLE: &str = "LAKTORY_STATEMENTS";

/// Statements that must hold before a change is merged. The hunt goes on behind them.
const GATE: u64 = 250;

/// Environment variable with the number of the first statement.
const FIRST_VARIABLE: &str = "LAKTORY_STATEMENTS_FIRST";

/// Environment variable with the seed, a number; zero when it is not set.
const SEED_VARIABLE: &str = "LAKTORY_STATEMENTS_SEED";

/// Statements of one test.
const SLICE: u64 = 250;

/// Bytes of the stack on which statements are planned, as the command has it.
const STACK: usize = 64 << 20;

/// Environment variable with the number of differences that one test reports before it gives up.
const REPORTED_VARIABLE: &str = "LAKTORY_STATEMENTS_REPORTED";

/// What was counted while the tests ran.
#[derive(Clone, Debug, Default)]
pub struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

impl Counts {
    /// One line for each count, by name; empty when no test ran.
    #[must_use]
    pub fn text(&self) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (name, count) in counts.iter() {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{name}: {count}");
        }
        text
    }

    fn add(&self, name: &str, counted: &Value) {
        match counted {
            Value::Object(parts) => {
                for (part, counted) in parts {
                    self.add(&format!("{name}, {part}"), counted);
                }
            }
            number => {
                let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                *counts.entry(name.to_owned()).or_default() += number.as_u64().unwrap_or_default();
            }
        }
    }
}

/// Tests of every embedded backend of a registry which can be connected, called `polars::statements/00000`, `00250` and so on for
/// the first of their statements, and what they count. `folder` holds the generator. Without an interpreter that has DuckDB
/// one ignored test says so.
#[must_use]
pub fn statements(
    registry: &Registry,
    configs: &BTreeMap<String, BackendConfig>,
    folder: &Path,
) -> (Vec<Trial>, Counts) {
    let counts = Counts::default();
    let Some(python) = std::env::var_os(PYTHON_VARIABLE) else {
        let kind = format!("{PYTHON_VARIABLE} is not set");
        let trial = Trial::test("statements", || Ok(())).with_kind(kind);
        return (vec![trial.with_ignored_flag(true)], counts);
    };
    let (first, seed) = (number(FIRST_VARIABLE, 0), number(SEED_VARIABLE, 0));
    let mut trials = Vec::new();
    for descriptor in registry.iter() {
        // Others have a SQL of their own, which lacks much of what is drawn.
        if !(descriptor.capabilities)().local_files {
            continue;
        }
        let none = BackendConfig::new();
        let config = configs.get(descriptor.name).unwrap_or(&none);
        // A backend that needs a server and has none is reported by the cases.
        let Ok(session) = Session::connect(descriptor, config, false) else {
            continue;
        };
        let session = Arc::new(session);
        let last = first.saturating_add(number(STATEMENTS_VARIABLE, GATE));
        let mut from = first;
        while from < last {
            let slice = Slice {
                python: PathBuf::from(&python),
                script: folder.join("serve.py"),
                numbers: (from, SLICE.min(last - from), seed),
            };
            let (session, counts) = (Arc::clone(&session), counts.clone());
            let backend = descriptor.name;
            let name = format!("{}::statements/{from:06}", backend.to_lowercase());
            trials.push(Trial::test(name, move || {
                // Plans are walked recursively, and frames of code that is not optimised are large.
                let run = move || slice.run(&session, backend, &counts);
                let thread = std::thread::Builder::new().stack_size(STACK).spawn(run)?;
                let ended = thread.join();
                ended.unwrap_or_else(|_| Err("the test panicked".into()))
            }));
            from += SLICE;
        }
    }
    (trials, counts)
}

fn number(variable: &str, default: u64) -> u64 {
    let text = std::env::var(variable).unwrap_or_default();
    text.replace('_', "").parse().unwrap_or(default)
}

/// Some of the statements.
struct Slice {
    python: PathBuf,
    script: PathBuf,
    /// The first, how many, and the seed.
    numbers: (u64, u64, u64),
}

impl Slice {
    fn run(&self, session: &Session, backend: &str, counts: &Counts) -> Result<(), Failed> {
        let mut oracle = Oracle::start(&self.python, &self.script, backend, self.numbers)?;
        let mut report = String::new();
        let (mut found, most) = (0, number(REPORTED_VARIABLE, 5));
        loop {
            match oracle.next()? {
                Message::Done(counted) => {
                    counts.add(&format!("statements on {backend}"), &counted);
                    break;
                }
                Message::Asked {
                    number,
                    case,
                    smallest,
                } => {
                    let verdict = session.run(&case);
                    let difference = difference(&verdict);
                    if let Some(duckdb) = smallest {
                        let text = difference.map_or("", |(_, text)| text);
                        // Writing to a text cannot fail.
                        let _ = writeln!(report, "statement {number}: {duckdb}\n{text}");
                        found += 1;
                        if found == most {
                            break;
                        }
                    }
                    oracle.answer(difference)?;
                }
            }
        }
        if found == 0 {
            Ok(())
        } else {
            Err(report.into())
        }
    }
}

/// The kind of a difference, and what it is: a smaller statement that differs in another way shows another fault.
fn difference(verdict: &Verdict) -> Option<(&str, &str)> {
    match verdict {
        Verdict::Passed => None,
        Verdict::Unsupported(missing) => Some(("unsupported", missing)),
        // Errors are told as `error kind: message`, and defects as `kind: message`.
        Verdict::Failed(text) => match text.split_once(": ") {
            Some((kind, _)) if !kind.contains(['\n', '`']) => Some((kind, text)),
            _ => Some(("rows", text)),
        },
    }
}
