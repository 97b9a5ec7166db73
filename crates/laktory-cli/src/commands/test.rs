//! `laktory test`: the tests of nodes, in pipelines and in files beside them.

mod machine;
mod record;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use laktory::core::Registry;
use laktory::syntax::{Diagnostic, did_you_mean, visible};
use laktory::testing::{Suite, TestOptions, TestOutcome, TestStatus, render};
use laktory::{Project, Surroundings};

use crate::args::{TestArgs, TestFormat};
use crate::commands::{given_secrets, validate};
use crate::exit::{FAILED, Failure};
use crate::log::{Detail, NoLog, TextLog};
use crate::out::{self, print};
use crate::{cut_off, render as diagnostics};

/// A test that was run.
struct Done {
    file: PathBuf,
    pipeline: PathBuf,
    name: String,
    node: String,
    /// The backend that was asked for, else that of the node.
    backend: String,
    outcome: TestOutcome,
}

/// Runs the tests that are asked for, and tells how each ended.
pub(crate) fn test(args: &TestArgs, detail: Detail, registry: &Registry) -> Result<(), Failure> {
    out::hide(&given_secrets(&args.around));
    let surroundings = Surroundings {
        variables: args.around.variables.iter().cloned().collect(),
        parameters: args.around.parameters.iter().cloned().collect(),
        ..Surroundings::of_process()
    };
    if let Some(node) = &args.record {
        return record::record(args, node, &surroundings, registry);
    }
    let suites = suites(&args.paths, &surroundings)?;
    known_nodes(args, &suites)?;
    let backends = args.backends();
    let mut runtime = laktory::runtime()?;
    let run = args.around.run_options(registry)?;
    let mut done: Vec<Done> = Vec::new();
    let mut told = HashSet::new();
    for suite in &suites {
        out::hide(suite.secrets());
        if !suite.broken.is_empty() {
            let one = broken(suite);
            tell(args, detail, &one, &mut told)?;
            done.push(one);
            continue;
        }
        // What is wrong with the pipeline is told with its tests.
        if let Ok(project) = Project::open(&suite.pipeline, &surroundings) {
            out::hide(&project.secrets());
        }
        for backend in &backends {
            let options = TestOptions {
                surroundings: surroundings.clone(),
                backend: backend.clone(),
                run: run.clone(),
            };
            for (index, test) in suite.tests.iter().enumerate() {
                // Of which node a faulty test is may be what is wrong with it.
                let is_nameless = test.node.is_empty() || test.name.is_empty();
                let is_told = suite.is_faulty(index) && is_nameless;
                if !is_told && !args.is_selected(&test.node, &test.name) {
                    continue;
                }
                let files = options.run.files.clone();
                let outcome;
                let work = async {
                    match detail {
                        Detail::Verbose => {
                            suite.run(index, registry, &options, &TextLog(detail)).await
                        }
                        _ => suite.run(index, registry, &options, &NoLog).await,
                    }
                };
                (outcome, runtime) = cut_off::block_on(runtime, &files, work)?;
                let own = outcome.backend.clone();
                let one = Done {
                    file: suite.file.clone(),
                    pipeline: suite.pipeline.clone(),
                    name: match test.name.as_str() {
                        "" => format!("tests[{index}]"),
                        name => name.to_owned(),
                    },
                    node: test.node.clone(),
                    backend: own.or_else(|| backend.clone()).unwrap_or_default(),
                    outcome,
                };
                tell(args, detail, &one, &mut told)?;
                done.push(one);
            }
        }
    }
    finish(args, detail, &done)
}

/// The tests below the paths, in order; of the current folder without any.
fn suites(paths: &[PathBuf], surroundings: &Surroundings) -> Result<Vec<Suite>, Failure> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let mut pipelines: Vec<PathBuf> = Vec::new();
    let mut files: Vec<PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() {
            let (found, tests) = validate::documents_in(path)?;
            pipelines.extend(found);
            files.extend(tests);
        } else if Suite::is_test_file(path) {
            files.push(path.clone());
        } else {
            pipelines.push(path.clone());
            files.extend(beside(path, surroundings));
        }
    }
    let mut suites = Vec::new();
    for pipeline in &pipelines {
        let suite = Suite::of_pipeline(pipeline, surroundings);
        suites.push(suite.unwrap_or_else(|faults| Suite::of_broken(pipeline, faults)));
    }
    for file in &files {
        let suite = Suite::of_file(file, surroundings);
        suites.push(suite.unwrap_or_else(|faults| Suite::of_broken(file, faults)));
    }
    suites.retain(|suite| !suite.tests.is_empty() || !suite.broken.is_empty());
    suites.sort_by(|a, b| (&a.pipeline, &a.file).cmp(&(&b.pipeline, &b.file)));
    suites.dedup_by(|a, b| a.file == b.file);
    if suites.is_empty() {
        let fault = Diagnostic::error("no-tests", "there are no tests").hint(
            "write them below `tests:` of a pipeline, or in `NAME.test.yaml` beside `NAME.yaml`",
        );
        return Err(Failure::usage(vec![fault]));
    }
    Ok(suites)
}

/// The files of tests beside a pipeline that are about it.
fn beside(pipeline: &Path, surroundings: &Surroundings) -> Vec<PathBuf> {
    let folder = pipeline.parent().unwrap_or(Path::new(""));
    let listed = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let entries = std::fs::read_dir(listed).into_iter().flatten().flatten();
    let files = entries.map(|entry| folder.join(entry.file_name()));
    let mut files: Vec<PathBuf> = files
        .filter(|file| Suite::is_test_file(file))
        // One that cannot be read has something to tell.
        .filter(|file| match Suite::of_file(file, surroundings) {
            Ok(suite) => is_same(&suite.pipeline, pipeline),
            Err(_) => true,
        })
        .collect();
    files.sort();
    files
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// A document of which no test can be run.
fn broken(suite: &Suite) -> Done {
    Done {
        file: suite.file.clone(),
        pipeline: suite.pipeline.clone(),
        name: suite.file.display().to_string(),
        node: String::new(),
        backend: String::new(),
        outcome: TestOutcome {
            status: TestStatus::Invalid,
            backend: None,
            took: Duration::ZERO,
            differences: Vec::new(),
            diagnostics: suite.broken.clone(),
        },
    }
}

/// Refuses nodes and names that no test has.
fn known_nodes(args: &TestArgs, suites: &[Suite]) -> Result<(), Failure> {
    // What could not be read may hold them.
    if suites.iter().any(|suite| !suite.broken.is_empty()) {
        return Ok(());
    }
    let tests = || suites.iter().flat_map(|suite| &suite.tests);
    for node in &args.nodes {
        if tests().all(|test| test.node != *node) {
            let fault = Diagnostic::error("unknown-node", format!("no test is of node `{node}`"));
            let names = tests().map(|test| test.node.as_str());
            return Err(missing(fault.path("--node"), node, names).into());
        }
    }
    for name in &args.names {
        if tests().all(|test| test.name != *name) {
            let fault = Diagnostic::error("unknown-test", format!("no test is called `{name}`"));
            let names = tests().map(|test| test.name.as_str());
            return Err(missing(fault.path("--name"), name, names).into());
        }
    }
    Ok(())
}

fn missing<'a>(
    mut fault: Diagnostic,
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Vec<Diagnostic> {
    fault.hint = did_you_mean(name, names);
    vec![fault]
}

/// Tells of one test at once.
fn tell(
    args: &TestArgs,
    detail: Detail,
    done: &Done,
    told: &mut HashSet<String>,
) -> Result<(), Failure> {
    let outcome = &done.outcome;
    if args.format == TestFormat::Human {
        let word = match outcome.status {
            TestStatus::Passed => "ok     ",
            TestStatus::Failed => "FAILED ",
            TestStatus::Invalid => "INVALID",
        };
        if detail > Detail::Quiet || outcome.status != TestStatus::Passed {
            let node = visible(&done.node);
            let time = time(outcome.took);
            let parts = [node.as_ref(), done.backend.as_str(), time.as_str()];
            let parts = parts.into_iter().filter(|part| !part.is_empty());
            let parts: Vec<&str> = parts.collect();
            print(&format!(
                "{word} {}  ({})",
                visible(&done.name),
                parts.join(", ")
            ))?;
        }
        if !outcome.differences.is_empty() {
            print(&render(&outcome.differences, out::width()))?;
        }
    }
    // A faulty pipeline is told of once, not with each of its tests.
    let new = |fault: &&Diagnostic| told.insert(fault.to_string());
    let faults: Vec<Diagnostic> = outcome.diagnostics.iter().filter(new).cloned().collect();
    diagnostics::print(&faults);
    Ok(())
}

fn time(took: Duration) -> String {
    match took.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}

fn finish(args: &TestArgs, detail: Detail, done: &[Done]) -> Result<(), Failure> {
    let count = |status| {
        let all = done.iter().filter(|done| done.outcome.status == status);
        all.count()
    };
    let failed = count(TestStatus::Failed);
    let invalid = count(TestStatus::Invalid);
    match args.format {
        TestFormat::Human if detail > Detail::Quiet => {
            let mut parts = vec![format!("{} passed", count(TestStatus::Passed))];
            if failed > 0 {
                parts.push(format!("{failed} failed"));
            }
            if invalid > 0 {
                parts.push(format!("{invalid} invalid"));
            }
            print(&parts.join(", "))?;
        }
        TestFormat::Human => {}
        TestFormat::Json => machine::json(done)?,
        TestFormat::Junit => machine::junit(done)?,
    }
    // Each has told its own faults.
    match (invalid, failed) {
        (0, 0) => Ok(()),
        (0, _) => Err(Failure {
            code: FAILED,
            ..Failure::usage(Vec::new())
        }),
        _ => Err(Failure::usage(Vec::new())),
    }
}
