//! The pipeline of a test: what the test gives rows for is replaced by them, and sinks are gone.

use std::collections::BTreeMap;

use laktory_core::{Error, Field};
use laktory_model::{
    DataFrameDataSource, DataSource, Finding, GivenRows, InlineData, NodeTest, Path, Pipeline,
    PipelineNode, QuarantinedRows, Schema, SchemaColumn, SourceKind,
};
use laktory_plan::{InputSource, Plan};
use laktory_syntax::did_you_mean;
use serde_json::Value;

/// The name that the first source of a node always has.
const FIRST: &str = "df";

/// What rows are given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// The output of a node, by its position.
    Node(usize),
    /// A source of a node, by their positions.
    Source(usize, usize),
}

/// Types of the outputs of nodes, by name, where they are known without reading anything.
pub(crate) type Known = BTreeMap<String, Vec<Field>>;

/// Makes of a pipeline the one that a test runs. `place` is that of the test.
///
/// # Errors
/// Findings in the document of the test: rows for nothing, or that are not of the types of their columns.
pub(crate) fn apply(
    pipeline: &mut Pipeline,
    test: &NodeTest,
    place: &Path,
    known: &Known,
) -> Result<(), Vec<Finding>> {
    let mut found = Vec::new();
    let mut changes: Vec<(Input, DataSource)> = Vec::new();
    let mut keys: Vec<(&str, Vec<Input>)> = Vec::new();
    for (key, given) in &test.given {
        let at = place.key("given").key(key.as_str());
        let inputs = match inputs(pipeline, test, key, &at) {
            Ok(inputs) => inputs,
            Err(finding) => {
                found.push(*finding);
                continue;
            }
        };
        keys.push((key, inputs.clone()));
        for input in inputs {
            if changes.iter().any(|(other, _)| *other == input) {
                let message = format!("`{key}` is given twice, under two names");
                found.push(Finding::error("given-twice", at.clone(), message).at_key());
                continue;
            }
            match source(pipeline, input, given, known) {
                Ok(source) => changes.push((input, source)),
                Err(error) => found.push(wrong(&error, &at)),
            }
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let before = needed(pipeline, &test.node);
    let hint = hint(pipeline, test);
    let nodes = changes.iter().filter_map(|(input, _)| match input {
        Input::Node(node) => Some(*node),
        Input::Source(..) => None,
    });
    let given: Vec<usize> = nodes.collect();
    for (input, source) in changes {
        // A node that is given reads nothing.
        if !matches!(input, Input::Source(node, _) if given.contains(&node)) {
            replace(pipeline, input, source);
        }
    }
    let after = needed(pipeline, &test.node);
    let is_read = |input: &Input, needed: &[usize]| match input {
        Input::Node(node) => needed.contains(node),
        Input::Source(node, _) => needed.contains(node),
    };
    let is_used = |input: &Input| {
        let is_replaced = matches!(input, Input::Source(node, _) if given.contains(node));
        is_read(input, &after) && !is_replaced
    };
    for (key, inputs) in keys {
        if inputs.iter().any(is_used) {
            continue;
        }
        let at = place.key("given").key(key);
        let finding = match inputs.iter().any(|input| is_read(input, &before)) {
            true => {
                let message = format!(
                    "the rows of `{key}` are not read, since rows are given for what would read them"
                );
                Finding::error("given-twice", at, message).hint("leave out one of them")
            }
            false => {
                let message = format!("node `{}` does not read `{key}`", test.node);
                Finding::error("given", at, message).hint(hint.clone())
            }
        };
        found.push(finding.at_key());
    }
    if !found.is_empty() {
        return Err(found);
    }
    isolate(pipeline, &test.node);
    Ok(())
}

fn wrong(error: &Error, at: &Path) -> Finding {
    let mut finding = Finding::error(error.kind().name(), at.clone(), error.message());
    finding.hint = error.hint().map(str::to_owned);
    finding
}

/// What `key` names: a source of the tested node, a node, a path or table, or a source of another node.
fn inputs(
    pipeline: &Pipeline,
    test: &NodeTest,
    key: &str,
    at: &Path,
) -> Result<Vec<Input>, Box<Finding>> {
    let position = |name: &str| pipeline.nodes.iter().position(|node| node.name == name);
    let of_node = |node: usize, name: &str| {
        let sources = &pipeline.nodes[node].sources;
        let named = (sources.iter()).position(|source| source.common.name.as_deref() == Some(name));
        let first = (name == FIRST && !sources.is_empty()).then_some(0);
        named.or(first).map(|source| Input::Source(node, source))
    };
    let tested = position(&test.node);
    if let Some(input) = tested.and_then(|node| of_node(node, key)) {
        return Ok(vec![input]);
    }
    if let Some(node) = position(key) {
        if Some(node) != tested {
            return Ok(vec![Input::Node(node)]);
        }
        if pipeline.nodes[node].sources.len() == 1 {
            return Ok(vec![Input::Source(node, 0)]);
        }
        let message = format!("`{key}` is the tested node, which is computed");
        let finding = Finding::error("given", at.clone(), message).at_key();
        return Err(Box::new(finding.hint(hint(pipeline, test))));
    }
    let mut found = Vec::new();
    for (index, node) in pipeline.nodes.iter().enumerate() {
        for (number, source) in node.sources.iter().enumerate() {
            let is_stored = !matches!(
                source.kind,
                SourceKind::PipelineNode(_) | SourceKind::DataFrame(_)
            );
            if is_stored && source.id() == key {
                found.push(Input::Source(index, number));
            }
        }
    }
    if found.is_empty()
        && let Some((node, name)) = key.rsplit_once('.')
        && let Some(input) = position(node).and_then(|node| of_node(node, name))
    {
        found.push(input);
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let message = format!("nothing in the pipeline is read as `{key}`");
    let mut finding = Finding::error("given", at.clone(), message).at_key();
    let names = names(pipeline, test);
    let near = did_you_mean(key, names.iter().map(String::as_str));
    finding.hint = near.or_else(|| Some(hint(pipeline, test)));
    Err(Box::new(finding))
}

fn hint(pipeline: &Pipeline, test: &NodeTest) -> String {
    let names: Vec<String> = names(pipeline, test)
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect();
    format!("rows can be given for {}", names.join(", "))
}

/// What rows can be given for, as it is written.
fn names(pipeline: &Pipeline, test: &NodeTest) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(node) = pipeline.node_by_name(&test.node) {
        let named = node.sources.iter().map(|source| source.common.name.clone());
        let first = (!node.sources.is_empty()).then(|| FIRST.to_owned());
        names.extend(named.flatten().chain(first));
    }
    let mut needed = needed(pipeline, &test.node);
    needed.sort_unstable();
    for index in needed {
        let node = &pipeline.nodes[index];
        if node.name != test.node {
            names.push(node.name.clone());
        }
        for source in &node.sources {
            if !matches!(
                source.kind,
                SourceKind::PipelineNode(_) | SourceKind::DataFrame(_)
            ) {
                names.push(source.id());
            }
        }
    }
    names.dedup();
    names
}

/// The given rows as a source, in the place of what they are given for.
fn source(
    pipeline: &Pipeline,
    input: Input,
    given: &GivenRows,
    known: &Known,
) -> Result<DataSource, Error> {
    let of_node = |name: &str| {
        let columns = known.get(name)?.iter();
        let columns = columns.map(|field| SchemaColumn::new(&field.name, field.dtype.clone()));
        Some(Schema {
            columns: columns.collect(),
        })
    };
    let (common, known) = match input {
        Input::Node(node) => (None, of_node(&pipeline.nodes[node].name)),
        Input::Source(node, source) => {
            let source = &pipeline.nodes[node].sources[source];
            let schema = match &source.kind {
                SourceKind::File(file) => file.schema_definition.clone(),
                SourceKind::DataFrame(inline) => inline.schema_definition.clone(),
                SourceKind::PipelineNode(node) => of_node(&node.node_name),
                _ => None,
            };
            (Some(source.common.clone()), schema)
        }
    };
    let schema = given.schema.clone().or(known);
    let fields = schema.as_ref().map(fields);
    laktory_exec::check_rows(&json(&given.data), fields.as_deref())?;
    let mut common = common.unwrap_or_default();
    common.as_stream = false;
    Ok(DataSource {
        common,
        kind: SourceKind::DataFrame(DataFrameDataSource {
            data: given.data.clone(),
            schema_definition: schema,
        }),
    })
}

pub(crate) fn json(data: &InlineData) -> Value {
    serde_json::to_value(data).unwrap_or_default()
}

pub(crate) fn fields(schema: &Schema) -> Vec<Field> {
    let columns = schema.columns.iter();
    columns
        .map(|column| Field::new(column.name.as_str(), column.dtype.clone()))
        .collect()
}

fn replace(pipeline: &mut Pipeline, input: Input, source: DataSource) {
    match input {
        Input::Source(node, number) => pipeline.nodes[node].sources[number] = source,
        Input::Node(node) => stub(&mut pipeline.nodes[node], source),
    }
}

/// Makes a node that puts out what is given.
fn stub(node: &mut PipelineNode, source: DataSource) {
    *node = PipelineNode {
        name: std::mem::take(&mut node.name),
        dataframe_backend: node.dataframe_backend.take(),
        dataframe_api: node.dataframe_api,
        sources: vec![source],
        ..PipelineNode::default()
    };
}

/// Takes away all that writes, and what the node does not need.
pub(crate) fn isolate(pipeline: &mut Pipeline, node: &str) {
    let needed = needed(pipeline, node);
    for (index, node) in pipeline.nodes.iter_mut().enumerate() {
        node.sinks.clear();
        node.depends_on.clear();
        // There is no sink for them; the run keeps those that the test asks for.
        node.quarantine = QuarantinedRows::Discard;
        if !needed.contains(&index) {
            let nothing = InlineData::Columns([("unused".to_owned(), Vec::new())].into());
            stub(node, DataFrameDataSource::new(nothing).into());
        }
    }
    pipeline.orchestrator = None;
}

/// The node, and those that it reads, by position; of those that a text seems to name, too.
fn needed(pipeline: &Pipeline, node: &str) -> Vec<usize> {
    let mut needed: Vec<usize> = Vec::new();
    let mut open: Vec<usize> = (pipeline.nodes.iter())
        .position(|other| other.name == node)
        .into_iter()
        .collect();
    while let Some(index) = open.pop() {
        if needed.contains(&index) {
            continue;
        }
        needed.push(index);
        let node = &pipeline.nodes[index];
        let text = serde_json::to_string(&node.transformer).unwrap_or_default();
        for (other, above) in pipeline.nodes.iter().enumerate() {
            let mut sources = node.sources.iter();
            let is_read = sources.any(|source| source.node_name() == Some(&above.name));
            if is_read || text.contains(&format!("nodes.{}", above.name)) {
                open.push(other);
            }
        }
    }
    needed
}

/// What the plan of a test would still read; each with what to write. `place` is that of the test.
pub(crate) fn not_given(plan: &Plan, test: &NodeTest, place: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut told = Vec::new();
    for node in &plan.nodes {
        for input in &node.inputs {
            let (read, columns) = match &input.source {
                InputSource::Files(spec) => (spec.path.clone(), spec.schema.as_deref()),
                InputSource::Table(spec) => (spec.name.to_string(), None),
                InputSource::Inline(_) | InputSource::Node { .. } => continue,
                _ => (input.name.to_string(), None),
            };
            if told.contains(&read) {
                continue;
            }
            let message = format!(
                "test `{}` gives no rows for `{read}`, which node `{}` reads",
                test.name, node.name
            );
            let at = match test.given.is_empty() {
                true => place.key("node"),
                false => place.key("given"),
            };
            let row = row(columns);
            let mut hint = format!("add to `given`: `{read}: [{row}]`");
            if node.name != test.node {
                hint = format!(
                    "{hint}, or rows of the node itself: `{}: [{{...}}]`",
                    node.name
                );
            }
            found.push(Finding::error("not-given", at, message).at_key().hint(hint));
            told.push(read);
        }
    }
    found
}

/// How a row is written.
fn row(columns: Option<&[Field]>) -> String {
    /// Columns that are shown.
    const MOST: usize = 4;
    let Some(columns) = columns.filter(|columns| !columns.is_empty()) else {
        return "{...}".to_owned();
    };
    let shown: Vec<String> = (columns.iter().take(MOST))
        .map(|column| format!("{}: ...", column.name))
        .collect();
    format!("{{{}}}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with what a test of `gld` gives.
    fn faults(given: &str) -> Vec<String> {
        let text = format!(
            "name: p\nnodes:\n\
             - {{name: brz, source: {{path: a.csv, format: CSV}}}}\n\
             - {{name: slv, source: {{node_name: brz}}}}\n\
             - {{name: other, source: {{path: b.csv, format: CSV}}}}\n\
             - {{name: gld, source: {{node_name: slv}}}}\n\
             tests:\n- {{name: t, node: gld, given: {given}, expect: []}}\n"
        );
        let loaded = laktory_model::load(
            "p.yaml",
            text.as_bytes(),
            &laktory_model::LoadOptions::default(),
        );
        let mut pipeline = loaded
            .pipeline
            .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let test = pipeline.tests.remove(0);
        let found = apply(&mut pipeline, &test, &Path::root(), &Known::new());
        let found = found.err().unwrap_or_default();
        found.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn rows_that_nothing_reads_are_refused() {
        for given in [
            "{slv: [{x: 1}]}",
            "{df: [{x: 1}]}",
            "{brz: [{x: 1}]}",
            "{a.csv: [{x: 1}]}",
            "{slv.df: [{x: 1}]}",
        ] {
            assert_eq!(faults(given), Vec::<String>::new(), "{given}");
        }
        let not_read = "node `gld` does not read `other`";
        assert_eq!(
            faults("{slv: [{x: 1}], other: [{x: 1}]}"),
            [not_read.to_owned()]
        );
        for (given, key) in [
            ("{df: [{x: 1}], slv: [{x: 1}]}", "slv"),
            ("{slv: [{x: 1}], df: [{x: 1}]}", "slv"),
            ("{slv: [{x: 1}], slv.df: [{x: 1}]}", "slv.df"),
            ("{slv.df: [{x: 1}], slv: [{x: 1}]}", "slv.df"),
            ("{slv: [{x: 1}], a.csv: [{x: 1}]}", "a.csv"),
        ] {
            let told = format!("the rows of `{key}` are not read");
            let found = faults(given);
            assert!(
                found.len() == 1 && found[0].starts_with(&told),
                "{given}: {found:?}"
            );
        }
    }
}
