//! A test made of real rows: the first ones of what a node reads, with sensitive values masked, and what comes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path as FilePath;

use indexmap::IndexMap;
use laktory_core::arrow::array::RecordBatch;
use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{DType, Error, Field, Registry};
use laktory_exec::{Fault, Observer, RunOptions, preview, run};
use laktory_model::{
    DataSource, GivenRows, InlineData, NodeTest, Path, Pipeline, PipelineNode, Schema,
    SchemaColumn, SourceKind,
};
use laktory_plan::InputSource;
use laktory_syntax::{Diagnostic, did_you_mean};
use serde_json::{Map, Value};

use super::given::{self, Known};
use super::run::{TestOptions, planning};
use crate::project::{Project, diagnostic};

/// Name of the node that reads a source alone.
const READER: &str = "recorded rows";

type Frame = (SchemaRef, Vec<RecordBatch>);

/// The text of a file of tests, with one test of `node`: what it reads is looked at, and nothing is written. Values of columns that
/// `masks` names are replaced, equal ones alike, before anything is computed from them. Must be called inside a tokio runtime.
///
/// # Errors
/// Faults of the pipeline, of what it reads, or of the run.
pub async fn record(
    file: &FilePath,
    node: &str,
    rows: u64,
    masks: impl Fn(&str) -> bool,
    (registry, options): (&Registry, &TestOptions),
    observer: &dyn Observer,
) -> Result<String, Vec<Diagnostic>> {
    let mut project = Project::open(file, &options.surroundings)?;
    project.pipeline.tests.clear();
    let whole = project.pipeline.clone();
    let Some(tested) = whole.node_by_name(node) else {
        let message = format!("the pipeline has no node `{node}`");
        let mut fault = Diagnostic::error("unknown-node", message).path("--record");
        fault.hint = did_you_mean(node, whole.nodes.iter().map(|node| node.name.as_str()));
        return Err(vec![fault]);
    };
    let cx = Recorder {
        registry,
        options,
        observer,
        rows,
    };
    let mut masked = Masks::new(masks);
    let mut found: Vec<(String, GivenRows)> = Vec::new();
    for (key, pipeline, read) in inputs(&cx, &mut project, &whole, tested)? {
        project.pipeline = pipeline;
        let frame = cx.first(&project, &read).await?;
        let given = masked
            .given(&frame)
            .map_err(|error| vec![diagnostic(&error)])?;
        found.push((key, given));
    }
    let test = NodeTest {
        name: format!("{node} of recorded rows"),
        node: node.to_owned(),
        given: found.into_iter().collect::<IndexMap<_, _>>(),
        ..NodeTest::default()
    };
    project.pipeline = whole.clone();
    given::apply(&mut project.pipeline, &test, &Path::root(), &Known::new()).map_err(|found| {
        let found = found.into_iter();
        found
            .map(|finding| project.locate(finding))
            .collect::<Vec<_>>()
    })?;
    let (kept, quarantined) = cx.computed(&project, node).await?;
    let text = |error: Error| vec![diagnostic(&error)];
    let kept = laktory_exec::rows_as_json(&kept.1).map_err(text)?;
    let quarantined = match quarantined {
        Some((_, batches)) => laktory_exec::rows_as_json(&batches).map_err(text)?,
        None => Vec::new(),
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(written(&name, &test, &kept, &quarantined, &masked.columns))
}

/// What to look at for each input: its key among the given rows, the pipeline that reads it, and the node there.
fn inputs(
    cx: &Recorder<'_>,
    project: &mut Project,
    whole: &Pipeline,
    tested: &PipelineNode,
) -> Result<Vec<(String, Pipeline, String)>, Vec<Diagnostic>> {
    let (plan, _) = project.plan(cx.registry, &planning(&tested.name, cx.options))?;
    let mut inputs: Vec<(String, Pipeline, String)> = Vec::new();
    for source in &tested.sources {
        if matches!(
            source.kind,
            SourceKind::PipelineNode(_) | SourceKind::DataFrame(_)
        ) {
            continue;
        }
        let mut pipeline = whole.clone();
        pipeline.nodes.push(PipelineNode {
            name: READER.to_owned(),
            dataframe_backend: tested.dataframe_backend.clone(),
            sources: vec![DataSource {
                kind: source.kind.clone(),
                ..DataSource::default()
            }],
            ..PipelineNode::default()
        });
        given::isolate(&mut pipeline, READER);
        inputs.push((source.id(), pipeline, READER.to_owned()));
    }
    let node = plan.node(&tested.name);
    for input in node.into_iter().flat_map(|node| &node.inputs) {
        if let InputSource::Node { name, .. } = &input.source {
            let mut pipeline = whole.clone();
            given::isolate(&mut pipeline, name);
            inputs.push((name.clone(), pipeline, name.clone()));
        }
    }
    let mut seen = BTreeSet::new();
    inputs.retain(|(key, ..)| seen.insert(key.clone()));
    Ok(inputs)
}

/// What computing needs.
struct Recorder<'a> {
    registry: &'a Registry,
    options: &'a TestOptions,
    observer: &'a dyn Observer,
    rows: u64,
}

impl Recorder<'_> {
    /// The first rows of a node.
    async fn first(&self, project: &Project, node: &str) -> Result<Frame, Vec<Diagnostic>> {
        let (plan, _) = project.plan(self.registry, &planning(node, self.options))?;
        let options = self.options.run.clone();
        let output = preview(plan, self.registry, options, node, self.observer).await;
        let output = output.map_err(|faults| explained(project, &faults))?;
        let rows = async { Ok((output.schema().await?, output.head(self.rows).await?)) };
        rows.await.map_err(|error: Error| vec![diagnostic(&error)])
    }

    /// The rows that a node keeps, and those that it quarantines.
    async fn computed(
        &self,
        project: &Project,
        node: &str,
    ) -> Result<(Frame, Option<Frame>), Vec<Diagnostic>> {
        let (plan, _) = project.plan(self.registry, &planning(node, self.options))?;
        let options = RunOptions {
            write: false,
            keep: BTreeSet::from([node.to_owned()]),
            quarantined: BTreeSet::from([node.to_owned()]),
            ..self.options.run.clone()
        };
        let run = run(plan, self.registry, options, self.observer).await;
        let run = run.map_err(|faults| explained(project, &faults))?;
        if !run.succeeded() {
            return Err(explained(project, &run.faults));
        }
        let rows = async {
            let output = run.output(node).await?;
            let kept = (output.schema().await?, output.collect().await?);
            let quarantined = match run.quarantined(node)? {
                Some(output) => Some((output.schema().await?, output.collect().await?)),
                None => None,
            };
            Ok((kept, quarantined))
        };
        rows.await.map_err(|error: Error| vec![diagnostic(&error)])
    }
}

fn explained(project: &Project, faults: &[Fault]) -> Vec<Diagnostic> {
    faults.iter().map(|fault| project.explain(fault)).collect()
}

/// Values that are replaced, and by what.
struct Masks<M> {
    masks: M,
    texts: BTreeMap<String, String>,
    /// The columns that were masked.
    columns: BTreeSet<String>,
}

impl<M: Fn(&str) -> bool> Masks<M> {
    fn new(masks: M) -> Self {
        Self {
            masks,
            texts: BTreeMap::new(),
            columns: BTreeSet::new(),
        }
    }

    /// Rows to give, with the types of their columns.
    fn given(&mut self, (schema, batches): &Frame) -> laktory_core::Result<GivenRows> {
        let mut rows = laktory_exec::rows_as_json(batches)?;
        let columns = schema.fields().iter().map(|field| {
            let field = Field::from_arrow(field);
            SchemaColumn::new(field.name, field.dtype)
        });
        let columns: Vec<SchemaColumn> = columns.collect();
        for row in &mut rows {
            self.mask(row, "", &columns);
        }
        let kept = rows.into_iter().filter_map(|row| match row {
            Value::Object(row) => Some(row),
            _ => None,
        });
        Ok(GivenRows {
            data: InlineData::Rows(kept.collect()),
            schema: Some(Schema { columns }),
        })
    }

    fn mask(&mut self, value: &mut Value, around: &str, columns: &[SchemaColumn]) {
        match value {
            Value::Object(entries) => {
                for (name, value) in entries.iter_mut() {
                    let path = match around {
                        "" => name.clone(),
                        around => format!("{around}.{name}"),
                    };
                    if !(self.masks)(name) && !(self.masks)(&path) {
                        self.mask(value, &path, columns);
                        continue;
                    }
                    self.columns.insert(path);
                    let is_text = columns
                        .iter()
                        .all(|column| column.name != *name || column.dtype == DType::String);
                    *value = match &*value {
                        Value::String(text) if is_text => {
                            let number = self.texts.len() + 1;
                            let mask = self.texts.entry(text.clone());
                            Value::String(
                                mask.or_insert_with(|| format!("masked {number}")).clone(),
                            )
                        }
                        // No other value is known to be harmless.
                        _ => Value::Null,
                    };
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.mask(item, around, columns);
                }
            }
            _ => {}
        }
    }
}

/// The file of tests.
fn written(
    pipeline: &str,
    test: &NodeTest,
    kept: &[Value],
    quarantined: &[Value],
    masked: &BTreeSet<String>,
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    if !masked.is_empty() {
        let names: Vec<&str> = masked.iter().map(String::as_str).collect();
        let _ = writeln!(text, "# Masked: {}", names.join(", "));
    }
    let _ = writeln!(text, "pipeline: {}", quoted(pipeline));
    let _ = writeln!(text, "tests:\n- name: {}", quoted(&test.name));
    let _ = writeln!(text, "  node: {}\n  given:", quoted(&test.node));
    for (key, given) in &test.given {
        let _ = writeln!(
            text,
            "    {}:\n      schema:\n        columns:",
            quoted(key)
        );
        for column in given.schema.iter().flat_map(|schema| &schema.columns) {
            let dtype = quoted(&column.dtype.to_string());
            let _ = writeln!(text, "          {}: {dtype}", quoted(&column.name));
        }
        let rows = match given::json(&given.data) {
            Value::Array(rows) => rows,
            _ => Vec::new(),
        };
        list(&mut text, "      ", "data", &rows);
    }
    if test.given.is_empty() {
        text.truncate(text.len() - 1);
        text.push_str(" {}\n");
    }
    let _ = writeln!(text, "  expect:");
    list(&mut text, "    ", "rows", kept);
    if !quarantined.is_empty() {
        list(&mut text, "    ", "quarantine", quarantined);
    }
    text
}

fn list(text: &mut String, indent: &str, key: &str, rows: &[Value]) {
    if rows.is_empty() {
        let _ = writeln!(text, "{indent}{key}: []");
        return;
    }
    let _ = writeln!(text, "{indent}{key}:");
    for row in rows {
        // JSON is YAML.
        let row = row.as_object().map_or_else(|| row.to_string(), flow);
        let _ = writeln!(text, "{indent}- {row}");
    }
}

fn flow(row: &Map<String, Value>) -> String {
    let cells = row
        .iter()
        .map(|(name, value)| format!("{}: {value}", quoted(name)));
    format!("{{{}}}", cells.collect::<Vec<_>>().join(", "))
}

/// A text as YAML takes it: as it is where that is a plain word.
fn quoted(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-./ ".contains(character);
    let word = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '.');
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let reserved = reserved.iter().any(|word| text.eq_ignore_ascii_case(word));
    if word && !reserved && text.chars().all(plain) && text.trim() == text {
        return text.to_owned();
    }
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn texts_are_quoted_where_yaml_would_take_them_for_something_else() {
        for plain in ["slv", "./data/a.jsonl", "a b"] {
            assert_eq!(quoted(plain), plain);
        }
        for text in ["1", "no", "a: b", "", "~", "List(String)", " a"] {
            assert_eq!(quoted(text), format!("\"{text}\""));
        }
    }
}
