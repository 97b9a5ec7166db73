//! One test, carried out.

use std::time::{Duration, Instant, SystemTime};

use laktory_core::arrow::array::RecordBatch;
use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{Error, ErrorKind, Field, Registry};
use laktory_exec::{
    CheckStatus, Fault, NodeOutput, NodeReport, Observer, Run, RunOptions, resolve, run,
};
use laktory_model::{Finding, NodeTest, Path, Pipeline, SourceKind, Verdict};
use laktory_plan::{InputSource, Plan, StepKind};
use laktory_syntax::Diagnostic;
use serde_json::Value;

use super::compare::{self, Difference};
use super::given::{self, Known};
use super::suite::Suite;
use crate::project::{Planning, Project, Surroundings};

/// How tests are run.
#[derive(Clone, Debug, Default)]
pub struct TestOptions {
    /// Variables, parameters and environment; those of a test win.
    pub surroundings: Surroundings,
    /// Backend of every node, whatever the pipeline says.
    pub backend: Option<String>,
    /// How the plans are carried out.
    pub run: RunOptions,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestStatus {
    /// All is as it is expected.
    Passed,
    /// Something differs, or the node failed.
    Failed,
    /// The test or its pipeline is faulty: nothing was computed.
    Invalid,
}

/// What came of a test.
#[derive(Clone, Debug)]
pub struct TestOutcome {
    /// How it ended.
    pub status: TestStatus,
    /// The backend of the tested node; none where that is not known.
    pub backend: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What went wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why there is nothing to compare.
struct Stopped {
    status: TestStatus,
    diagnostics: Vec<Diagnostic>,
}

impl Stopped {
    fn invalid(diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            status: TestStatus::Invalid,
            diagnostics,
        }
    }

    fn failed(diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            status: TestStatus::Failed,
            diagnostics,
        }
    }
}

/// What was computed for a test.
struct Computed {
    rows: Option<(SchemaRef, Vec<RecordBatch>)>,
    quarantine: Option<(SchemaRef, Vec<RecordBatch>)>,
    report: Option<NodeReport>,
}

impl Suite {
    /// Carries out a test, by its position. Must be called inside a tokio runtime.
    pub async fn run(
        &self,
        index: usize,
        registry: &Registry,
        options: &TestOptions,
        observer: &dyn Observer,
    ) -> TestOutcome {
        let began = Instant::now();
        let mut backend = None;
        let tested = self.tested(index, registry, options, observer, &mut backend);
        let outcome = |status, differences, diagnostics| TestOutcome {
            status,
            backend: None,
            took: Duration::ZERO,
            differences,
            diagnostics,
        };
        let outcome = match tested.await {
            Ok(differences) if differences.is_empty() => {
                outcome(TestStatus::Passed, differences, Vec::new())
            }
            Ok(differences) => outcome(TestStatus::Failed, differences, Vec::new()),
            Err(stopped) => outcome(stopped.status, Vec::new(), stopped.diagnostics),
        };
        TestOutcome {
            backend,
            took: began.elapsed(),
            ..outcome
        }
    }

    async fn tested(
        &self,
        index: usize,
        registry: &Registry,
        options: &TestOptions,
        observer: &dyn Observer,
        backend: &mut Option<String>,
    ) -> Result<Vec<Difference>, Stopped> {
        let test = &self.tests[index];
        let place = Self::place(index);
        let surroundings = around(test, &options.surroundings);
        *backend = options.backend.clone();
        let opened = Project::open(&self.pipeline, &surroundings);
        if let Ok(project) = &opened {
            let own = project.backend_of(&test.node, options.backend.as_deref());
            *backend = Some(own);
        }
        if let Some(faults) = self.faults(index) {
            return Err(Stopped::invalid(faults.clone()));
        }
        let mut project = opened.map_err(Stopped::invalid)?;
        // Tests are told of on their own.
        project.take_test_faults();
        project.pipeline.tests.clear();
        let faults = self.check(&project, index);
        if !faults.is_empty() {
            return Err(Stopped::invalid(faults));
        }
        let at = |project: &Project, findings: Vec<Finding>| {
            let findings = findings.into_iter();
            Stopped::invalid(
                findings
                    .map(|finding| self.locate(project, finding))
                    .collect(),
            )
        };
        let unknown = project.take_unknown_variables(test.variables.keys());
        if !unknown.is_empty() {
            let place = place.key("variables");
            let findings = unknown.into_iter().map(|(name, fault)| {
                let message = format!("the pipeline has no variable `{name}`");
                let mut finding = Finding::error(fault.code, place.key(name), message).at_key();
                finding.hint = fault.hint;
                finding
            });
            return Err(at(&project, findings.collect()));
        }
        let clock = match &test.clock {
            Some(text) => Some(clock(text, &place).map_err(|found| at(&project, vec![*found]))?),
            None => None,
        };
        let run_options = RunOptions {
            clock,
            ..options.run.clone()
        };
        let known = known(&mut project, test, registry, options, &run_options).await;
        if let Err(found) = given::apply(&mut project.pipeline, test, &place, &known) {
            return Err(at(&project, found));
        }
        let (plan, _) = project
            .plan(registry, &planning(&test.node, options))
            .map_err(Stopped::invalid)?;
        *backend = plan.node(&test.node).map(|node| node.backend.clone());
        let missing = given::not_given(&plan, test, &place);
        if !missing.is_empty() {
            return Err(at(&project, missing));
        }
        if test.clock.is_some()
            && let Some(finding) = clock_elsewhere(&plan, registry, &place)
        {
            return Err(at(&project, vec![finding]));
        }
        let computed = compute(&project, test, plan, registry, run_options, observer).await?;
        compared(test, &computed).map_err(|error| {
            let mut finding =
                Finding::error(error.kind().name(), place.key("expect"), error.message());
            finding.hint = error.hint().map(str::to_owned);
            at(&project, vec![finding])
        })
    }
}

pub(crate) fn planning(node: &str, options: &TestOptions) -> Planning {
    Planning {
        selects: Some(vec![format!("*{node}")]),
        backend: options.backend.clone(),
        write: false,
    }
}

/// The surroundings with what the test sets.
fn around(test: &NodeTest, surroundings: &Surroundings) -> Surroundings {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut surroundings = surroundings.clone();
    for (name, value) in &test.variables {
        // Names are told apart in any letter case.
        let others = &mut surroundings.variables;
        others.retain(|other, _| !other.eq_ignore_ascii_case(name));
        others.insert(name.clone(), text(value));
    }
    for (name, value) in &test.parameters {
        surroundings.parameters.insert(name.clone(), text(value));
    }
    surroundings
}

/// `2024-01-31`, `2024-01-31T08:00:00`, with a zone or in UTC.
fn clock(text: &str, place: &Path) -> Result<SystemTime, Box<Finding>> {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
    let text = text.trim();
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc));
    let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let day = || {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(day.and_time(NaiveTime::MIN))
    };
    let time = zoned.ok().or_else(|| Some(naive.or_else(day)?.and_utc()));
    let fault = |message: String| Finding::error("clock", place.key("clock"), message);
    match time {
        Some(time) if time < DateTime::UNIX_EPOCH => {
            let message = format!("the clock cannot be `{text}`, which is before 1970");
            Err(Box::new(fault(message)))
        }
        Some(time) => Ok(SystemTime::from(time)),
        None => {
            let finding = fault(format!("`{text}` is no time"));
            Err(Box::new(finding.hint(
                "write it as `2024-01-31T08:00:00Z`, or `2024-01-31`",
            )))
        }
    }
}

/// A statement that an engine plans by itself reads its own clock.
fn clock_elsewhere(plan: &Plan, registry: &Registry, place: &Path) -> Option<Finding> {
    /// Functions of SQL that read the clock.
    const CLOCKS: [&str; 6] = [
        "current_",
        "now(",
        "getdate(",
        "curdate(",
        "today(",
        "localtime",
    ];
    let mut nodes = plan.nodes.iter().filter(|node| {
        let backend = registry.get(&node.backend);
        backend.is_ok_and(|backend| !(backend.capabilities)().sql_by_steps)
    });
    let node = nodes.find(|node| {
        node.steps.iter().any(|step| {
            let text = step.label.to_lowercase();
            matches!(step.kind, StepKind::Sql(_)) && CLOCKS.iter().any(|word| text.contains(word))
        })
    })?;
    let message = format!(
        "the clock cannot be fixed: a statement of node `{}` reads that of {}",
        node.name, node.backend
    );
    let finding = Finding::error("unsupported", place.key("clock"), message);
    Some(finding.hint("use `nw.laktory.current_timestamp()` in a step, or another backend"))
}

/// The columns of the nodes that rows are given for, where they follow from declared schemas: found from frames without rows,
/// and without looking at any file.
async fn known(
    project: &mut Project,
    test: &NodeTest,
    registry: &Registry,
    options: &TestOptions,
    run: &RunOptions,
) -> Known {
    let mut known = Known::new();
    let whole = project.pipeline.clone();
    let sources = whole.nodes.iter().flat_map(|node| &node.sources);
    let read = sources.filter_map(|source| source.node_name());
    let named = whole.nodes.iter().map(|node| node.name.as_str());
    let names = named.filter(|name| {
        let named = test.given.contains_key(*name);
        let own = whole.node_by_name(&test.node);
        let of_source = own.is_some_and(|node| {
            (node.sources.iter()).any(|source| source.node_name() == Some(name))
        });
        *name != test.node && (named || of_source && read.clone().any(|read| read == *name))
    });
    for name in names {
        let mut pipeline = whole.clone();
        given::isolate(&mut pipeline, name);
        without_rows(&mut pipeline);
        project.pipeline = pipeline;
        let Ok((plan, _)) = project.plan(registry, &planning(name, options)) else {
            continue;
        };
        if reads(&plan) {
            continue;
        }
        if let Ok((schemas, _)) = resolve(&plan, registry, run).await
            && let Some(node) = schemas.into_iter().find(|node| node.node == name)
            && let Some(schema) = node.schema
        {
            let columns = schema.fields().iter().map(|field| Field::from_arrow(field));
            known.insert(name.to_owned(), columns.collect());
        }
    }
    project.pipeline = whole;
    known
}

/// Takes the files whose columns are declared for frames without rows.
fn without_rows(pipeline: &mut Pipeline) {
    use laktory_model::{DataFrameDataSource, InlineData};
    let sources = pipeline.nodes.iter_mut().flat_map(|node| &mut node.sources);
    for source in sources {
        if let SourceKind::File(file) = &source.kind
            && let Some(schema) = &file.schema_definition
        {
            let rows = DataFrameDataSource::new(InlineData::default()).schema(schema.clone());
            source.kind = SourceKind::DataFrame(rows);
        }
    }
}

/// Whether a plan looks at anything outside of the pipeline.
fn reads(plan: &Plan) -> bool {
    let mut inputs = plan.nodes.iter().flat_map(|node| &node.inputs);
    inputs.any(|input| {
        !matches!(
            input.source,
            InputSource::Inline(_) | InputSource::Node { .. }
        )
    })
}

async fn compute(
    project: &Project,
    test: &NodeTest,
    mut plan: Plan,
    registry: &Registry,
    mut options: RunOptions,
    observer: &dyn Observer,
) -> Result<Computed, Stopped> {
    if let Some(step) = test.step {
        plan.cut(&test.node, usize::try_from(step).unwrap_or(usize::MAX));
    }
    options.write = false;
    options.keep.insert(test.node.clone());
    options.quarantined.insert(test.node.clone());
    let explain = |faults: &[Fault]| faults.iter().map(|fault| project.explain(fault)).collect();
    let run = run(plan, registry, options, observer)
        .await
        .map_err(|faults| Stopped::invalid(explain(&faults)))?;
    let report = run.report.nodes.iter().find(|node| node.name == test.node);
    let mut computed = Computed {
        rows: None,
        quarantine: None,
        report: report.cloned(),
    };
    if !run.succeeded() {
        let refused = |fault: &Fault| {
            fault.node == test.node && fault.error.kind() == ErrorKind::ExpectationFailed
        };
        let expected = !test.expect.expectations.is_empty()
            && test.expect.rows.is_none()
            && test.expect.quarantine.is_none();
        if expected && run.faults.iter().all(refused) {
            return Ok(computed);
        }
        return Err(Stopped::failed(explain(&run.faults)));
    }
    let failed = |error: Error| Stopped::failed(vec![crate::project::diagnostic(&error)]);
    if test.expect.rows.is_some() || test.expect.schema.is_some() {
        let output = run.output(&test.node).await.map_err(failed)?;
        computed.rows = Some(collect(&output).await.map_err(failed)?);
    }
    if test.expect.quarantine.is_some() {
        computed.quarantine = quarantine(&run, test).await.map_err(failed)?;
    }
    Ok(computed)
}

async fn quarantine(
    run: &Run,
    test: &NodeTest,
) -> laktory_core::Result<Option<(SchemaRef, Vec<RecordBatch>)>> {
    match run.quarantined(&test.node)? {
        Some(output) => collect(&output).await.map(Some),
        None => Ok(None),
    }
}

async fn collect(output: &NodeOutput) -> laktory_core::Result<(SchemaRef, Vec<RecordBatch>)> {
    Ok((output.schema().await?, output.collect().await?))
}

/// Everything that is not as it is expected.
fn compared(test: &NodeTest, computed: &Computed) -> laktory_core::Result<Vec<Difference>> {
    let expect = &test.expect;
    let mut differences = Vec::new();
    if let (Some(schema), Some((found, _))) = (&expect.schema, &computed.rows) {
        differences.extend(compare::columns(schema, expect.exact, found));
    }
    if let (Some(rows), Some((schema, batches))) = (&expect.rows, &computed.rows) {
        let of = format!("node `{}`", test.node);
        differences.extend(compare::rows(&of, rows, expect, (schema, batches))?);
    }
    if let Some(rows) = &expect.quarantine {
        let of = format!("quarantine of node `{}`", test.node);
        let nothing = (compare::nothing(), Vec::new());
        let (schema, batches) = computed.quarantine.as_ref().unwrap_or(&nothing);
        differences.extend(compare::rows(&of, rows, expect, (schema, batches))?);
    }
    let Some(report) = &computed.report else {
        return Ok(differences);
    };
    if let Some(dropped) = expect.dropped
        && dropped != report.rows_dropped
    {
        differences.push(Difference::Other(format!(
            "rows dropped: {dropped} expected, {} found",
            report.rows_dropped
        )));
    }
    for (name, expected) in &expect.expectations {
        let Some(found) = report.expectations.iter().find(|found| found.name == *name) else {
            let message = format!("expectation `{name}` was not checked");
            differences.push(Difference::Other(message));
            continue;
        };
        let mut told = |what: &str, expected: String, found: String| {
            if expected != found {
                differences.push(Difference::Other(format!(
                    "expectation `{name}`: {what}: {expected} expected, {found} found"
                )));
            }
        };
        let count = |count: Option<u64>| count.map_or("none".to_owned(), |count| count.to_string());
        if let Some(fails) = expected.fails {
            told(
                "rows that fail",
                fails.to_string(),
                count(found.fails_count),
            );
        }
        if let Some(rows) = expected.rows {
            told("rows", rows.to_string(), found.rows_count.to_string());
        }
        if let Some(status) = expected.status {
            let found = match found.status {
                CheckStatus::Pass => Verdict::Pass,
                CheckStatus::Fail => Verdict::Fail,
            };
            told("status", status.to_string(), found.to_string());
        }
    }
    Ok(differences)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_in_utc_without_a_zone() {
        let at = |text: &str| clock(text, &Path::root()).unwrap();
        assert_eq!(at("2024-01-31"), at("2024-01-31T00:00:00Z"));
        assert_eq!(at("2024-01-31 08:00:00"), at("2024-01-31T09:00:00+01:00"));
        assert!(clock("soon", &Path::root()).is_err());
        assert!(clock("1970-01-01", &Path::root()).is_ok());
        assert!(clock("1969-12-31T23:59:59Z", &Path::root()).is_err());
    }
}
