//! One node: what it refers to, and its sources, steps, expectations and sinks.

use laktory_core::shape::shape;
use laktory_core::{FrameName, Op};
use laktory_model::{Action, DataFrameApi, ExpectationType, ExprType, Finding, Path, Tolerance};
use laktory_model::{Expectation, PipelineNode, QuarantinedRows, TransformerNode};
use laktory_syntax::{Api, ColumnExprKind, column_expr, named};

use crate::compile::Compiler;
use crate::crossings::{self, Crossing};
use crate::dag::DagNode;
use crate::plan::{
    ExpectationAction, ExpectationKind, ExpectationPlan, Handover, Input, InputSource, NodePlan,
    Step, StepKind, ToleranceLimit,
};
use crate::{sinks, sources, steps, views};

/// The steps of a node, and the frames that they and its sources refer to.
pub(crate) struct NodeReferences {
    steps: Option<Vec<Step>>,
    /// Upstream nodes: of `node_name` sources, then `depends_on`, then `{nodes.x}` (R-NODE-1).
    upstream: Vec<(String, Path)>,
    /// Frames named in steps, each with its first place.
    frames: Vec<(FrameName, Path)>,
}

impl NodeReferences {
    pub(crate) fn dag_node<'a>(
        &self,
        index: usize,
        name: &'a str,
        crossings: &[Crossing],
    ) -> DagNode<'a> {
        let sources = Path::node(index).key("sources");
        let written = crossings.iter().map(|crossing| {
            let place = sources.index(crossing.source);
            (crossing.writer.node.clone(), place)
        });
        DagNode {
            name,
            upstream: self.upstream.iter().cloned().chain(written).collect(),
            place: Path::node(index).key("name"),
            reasons: crossings::reasons(name, crossings),
        }
    }
}

impl NodeReferences {
    /// A finding about a node that a step names and that is not there, at the placeholder in the step.
    pub(crate) fn at_unknown_node(&self, finding: Finding) -> Finding {
        let named = self.frames.iter().find(|(name, place)| {
            *place == finding.path
                && matches!(name, FrameName::Node(node) if finding.message.contains(&format!("`{node}`")))
        });
        match named {
            Some((name, _)) => self.at_frame(finding, name),
            None => finding,
        }
    }

    /// A finding about a step, at the first placeholder in it for a frame.
    fn at_frame(&self, mut finding: Finding, name: &FrameName) -> Finding {
        let mut steps = self.steps.iter().flatten();
        let Some(step) = steps.find(|step| step.place == finding.path) else {
            return finding;
        };
        let name = name.to_string();
        for text in step.texts() {
            if let Some(part) = named(&text.parts, &name) {
                finding.path = text.place;
                finding.at_key = text.at_key;
                return finding.range(part.word.clone());
            }
        }
        finding
    }
}

/// Parses a node's steps and collects what the node refers to.
pub(crate) fn references(compiler: &mut Compiler<'_>, index: usize) -> NodeReferences {
    let node = &compiler.pipeline.nodes[index];
    let place = Path::node(index);
    let steps = match &node.transformer {
        Some(transformer) => {
            steps::compile(compiler, index, transformer, &place.key("transformer"))
        }
        None => Some(Vec::new()),
    };
    let mut upstream = Vec::new();
    for (number, source) in node.sources.iter().enumerate() {
        if let Some(name) = source.node_name() {
            let place = place.key("sources").index(number).key("node_name");
            upstream.push((name.to_owned(), place));
        }
    }
    for (number, name) in node.depends_on.iter().enumerate() {
        upstream.push((name.clone(), place.key("depends_on").index(number)));
    }
    let mut frames: Vec<(FrameName, Path)> = Vec::new();
    for step in steps.iter().flatten() {
        for name in step_frames(step) {
            if frames.iter().all(|(known, _)| known != name) {
                frames.push((name.clone(), step.place.clone()));
            }
        }
    }
    for (name, place) in &frames {
        if let FrameName::Node(name) = name {
            upstream.push((name.clone(), place.clone()));
        }
    }
    NodeReferences {
        steps,
        upstream,
        frames,
    }
}

fn step_frames(step: &Step) -> Vec<&FrameName> {
    match &step.kind {
        StepKind::Sql(query) => query.frames(),
        StepKind::Ops(ops) => ops.iter().flat_map(Op::frames).collect(),
    }
}

/// Compiles a node. Inputs from nodes are left open until the plan's members are known.
pub(crate) fn compile(
    compiler: &mut Compiler<'_>,
    index: usize,
    references: &NodeReferences,
) -> Option<NodePlan> {
    let node = &compiler.pipeline.nodes[index];
    let place = Path::node(index);
    one_engine(compiler, index);
    let inputs = inputs(compiler, index, references);
    // Collected in two steps: one that stopped at the first fault would hide the others.
    let expectations: Vec<Option<_>> = node
        .expectations
        .iter()
        .enumerate()
        .map(|(number, expectation)| {
            let place = place.key("expectations").index(number);
            self::expectation(compiler, index, expectation, &place)
        })
        .collect();
    let mut sinks: Vec<Option<_>> = node
        .sinks
        .iter()
        .enumerate()
        .map(|(number, sink)| {
            sinks::compile(compiler, index, sink, &place.key("sinks").index(number))
        })
        .collect();
    if node.is_view() {
        let tables = views::tables(compiler, index, &references.frames);
        for sink in sinks.iter_mut().flatten() {
            views::complete(sink, tables.as_deref()?);
        }
    }
    quarantine_sink(compiler, index);
    let inputs = inputs?;
    let node = &compiler.pipeline.nodes[index];
    let plan = NodePlan {
        name: node.name.clone(),
        task: node.execution_task_name(),
        backend: compiler.engine(index)?.descriptor.name.to_owned(),
        upstream: Vec::new(),
        primary: (!node.sources.is_empty()).then(|| source_name(node, 0)),
        inputs,
        steps: references.steps.clone()?,
        expectations: expectations.into_iter().collect::<Option<_>>()?,
        discards: node.quarantine == QuarantinedRows::Discard,
        random: false,
        sinks: sinks.into_iter().collect::<Option<_>>()?,
        handover: Handover::None,
        place,
    };
    let steps = plan.inputs.iter().flat_map(|input| &input.steps);
    let random = !steps.chain(&plan.steps).all(Step::is_deterministic);
    Some(NodePlan { random, ..plan })
}

/// Quarantined rows need a place to go, or the word that they are not wanted.
fn quarantine_sink(compiler: &mut Compiler<'_>, index: usize) {
    let node = &compiler.pipeline.nodes[index];
    if node.quarantine == QuarantinedRows::Discard || node.quarantine_sinks().next().is_some() {
        return;
    }
    let rule =
        node.expectations.iter().enumerate().find(|(_, rule)| {
            rule.action == Action::Quarantine && rule.r#type == ExpectationType::Row
        });
    let Some((number, rule)) = rule else {
        return;
    };
    let place = Path::node(index)
        .key("expectations")
        .index(number)
        .key("action");
    let message = format!(
        "expectation `{}` quarantines rows, and node `{}` has no sink that receives them",
        rule.name, node.name
    );
    let hint = "add a sink with `is_quarantine: true`, such as `{path: quarantine.parquet, format: PARQUET, \
                is_quarantine: true}`, or give the node `quarantine: DISCARD` to count these rows and throw them away";
    // Nothing is lost where nothing is written.
    let finding = if compiler.options.write {
        Finding::error("no-quarantine-sink", place, message)
    } else {
        Finding::warning("no-quarantine-sink", place, message)
    };
    compiler.report(finding.hint(hint));
}

/// The parts of a node run on the node's engine: a part that names another one is refused (R-INH-2).
fn one_engine(compiler: &mut Compiler<'_>, index: usize) {
    if compiler.options.backend.is_some() {
        return;
    }
    let node = &compiler.pipeline.nodes[index];
    let place = Path::node(index);
    let mut parts: Vec<(Option<&str>, Path)> = Vec::new();
    for (number, source) in node.sources.iter().enumerate() {
        let own = source.common.dataframe_backend.as_deref();
        parts.push((own, place.key("sources").index(number)));
    }
    if let Some(transformer) = &node.transformer {
        let place = place.key("transformer");
        parts.push((transformer.dataframe_backend.as_deref(), place.clone()));
        for (number, step) in transformer.nodes.iter().enumerate() {
            let own = match step {
                TransformerNode::Sql(step) => step.dataframe_backend.as_deref(),
                TransformerNode::Method(step) => step.dataframe_backend.as_deref(),
            };
            parts.push((own, place.key("nodes").index(number)));
        }
    }
    for (number, expectation) in node.expectations.iter().enumerate() {
        let own = expectation.dataframe_backend.as_deref();
        parts.push((own, place.key("expectations").index(number)));
    }
    for (number, sink) in node.sinks.iter().enumerate() {
        let own = sink.common.dataframe_backend.as_deref();
        parts.push((own, place.key("sinks").index(number)));
    }
    let Some(engine) = compiler.engine(index) else {
        return;
    };
    let name = engine.descriptor.name;
    let answers = |wanted: &str| {
        std::iter::once(name)
            .chain(engine.descriptor.aliases.iter().copied())
            .any(|known| known.eq_ignore_ascii_case(wanted))
    };
    let findings: Vec<Finding> = parts
        .into_iter()
        .filter_map(|(own, place)| {
            let own = own.filter(|own| !answers(own))?;
            let message =
                format!("this part of the node names backend {own}, but the node runs on {name}");
            let finding =
                Finding::error("foreign-backend", place.key("dataframe_backend"), message);
            Some(finding.hint("set `dataframe_backend` on the node, or split the node in two"))
        })
        .collect();
    for finding in findings {
        compiler.report(finding);
    }
}

/// The name of a declared source; the unnamed one is `{sources.df}`.
fn source_name(node: &PipelineNode, number: usize) -> FrameName {
    let name = node.sources[number].common.name.as_deref();
    FrameName::Source(name.unwrap_or("df").to_owned())
}

/// Declared sources, then one input for each `{nodes.x}` that no declared source reads (R-NODE-2). A declared source
/// of the same node is shared, with its filter and selects (section 7.2, step 7).
fn inputs(
    compiler: &mut Compiler<'_>,
    index: usize,
    references: &NodeReferences,
) -> Option<Vec<Input>> {
    let node = &compiler.pipeline.nodes[index];
    let place = Path::node(index).key("sources");
    let mut inputs: Vec<Option<Input>> = Vec::new();
    for (number, source) in node.sources.iter().enumerate() {
        let name = source_name(node, number);
        inputs.push(sources::compile(
            compiler,
            index,
            source,
            name,
            &place.index(number),
        ));
    }
    let first_step = Path::node(index).key("transformer").key("nodes").index(0);
    let mut complete = true;
    for (name, used_at) in &references.frames {
        match name {
            FrameName::Node(wanted) => {
                let declared = inputs.iter().flatten().find(|input| {
                    matches!(&input.source, InputSource::Node { name, .. } if name == wanted)
                });
                let input = match declared {
                    Some(declared) => Input {
                        name: name.clone(),
                        ..declared.clone()
                    },
                    None => Input {
                        name: name.clone(),
                        source: InputSource::open(wanted),
                        steps: Vec::new(),
                        written_by: Vec::new(),
                        place: used_at.clone(),
                    },
                };
                inputs.push(Some(input));
            }
            FrameName::Df => {
                // Later steps have the result of the one before.
                if node.sources.is_empty() && used_at.starts_with(&first_step) {
                    complete = false;
                    let message = "`{df}` refers to nothing: the node has no source";
                    let finding = Finding::error("unknown-frame", used_at.clone(), message)
                        .hint("give the node a source, or read `{nodes.<name>}`");
                    compiler.report(references.at_frame(finding, name));
                }
            }
            FrameName::Source(_) | FrameName::Named(_) => {
                let declared: Vec<FrameName> = (0..node.sources.len())
                    .map(|number| source_name(node, number))
                    .collect();
                if !declared.contains(name) {
                    complete = false;
                    let finding = unknown_frame(name, used_at, &declared, &node.name);
                    compiler.report(references.at_frame(finding, name));
                }
            }
        }
    }
    let inputs: Option<Vec<Input>> = inputs.into_iter().collect();
    inputs.filter(|_| complete)
}

fn unknown_frame(name: &FrameName, place: &Path, declared: &[FrameName], node: &str) -> Finding {
    let known: Vec<String> = std::iter::once(FrameName::Df.to_string())
        .chain(declared.iter().map(FrameName::to_string))
        .map(|name| format!("`{name}`"))
        .collect();
    Finding::error(
        "unknown-frame",
        place.clone(),
        format!("`{name}` refers to nothing that node `{node}` can see"),
    )
    .hint(format!(
        "known here: {}, and `{{nodes.<name>}}` for the output of another node",
        known.join(", ")
    ))
}

fn expectation(
    compiler: &mut Compiler<'_>,
    index: usize,
    expectation: &Expectation,
    place: &Path,
) -> Option<ExpectationPlan> {
    let text = &expectation.expr.expr;
    if text.trim().is_empty() {
        // Told by the rules of the language.
        return None;
    }
    let place = place.key("expr").key("expr");
    let kind = match expectation.expr.r#type {
        Some(ExprType::Sql) => Some(ColumnExprKind::Sql),
        Some(ExprType::Df) => Some(ColumnExprKind::Df),
        None => None,
    };
    let expr = match column_expr(text, kind) {
        Ok(expr) => expr,
        Err(errors) => {
            for error in errors {
                compiler.report(Finding::in_text(place.clone(), error));
            }
            return None;
        }
    };
    steps::check_expr(compiler, index, &expr, &place)?;
    if expectation.r#type == ExpectationType::Aggregate && !shape(&expr).is_scalar() {
        compiler.report(
            Finding::error(
                "invalid-expression",
                place,
                "an `AGGREGATE` expectation judges one value, but this condition has one for each row",
            )
            .hint("aggregate it, as in `MIN(x) > 0`, or leave `type: AGGREGATE` out"),
        );
        return None;
    }
    Some(ExpectationPlan {
        name: expectation.name.clone(),
        text: text.clone(),
        language: kind,
        expr,
        kind: match expectation.r#type {
            ExpectationType::Row => ExpectationKind::Row,
            ExpectationType::Aggregate => ExpectationKind::Aggregate,
        },
        action: match expectation.action {
            Action::Warn => ExpectationAction::Warn,
            Action::Drop => ExpectationAction::Drop,
            Action::Quarantine => ExpectationAction::Quarantine,
            Action::Fail => ExpectationAction::Fail,
        },
        tolerance: match expectation.tolerance {
            Tolerance::Abs(rows) => ToleranceLimit::Rows(rows),
            Tolerance::Rel(share) => ToleranceLimit::Share(share),
        },
        place,
    })
}

/// The API of a method step: its own, else the transformer's, the node's, the pipeline's, the setting (R-INH-1).
pub(crate) fn api(
    compiler: &Compiler<'_>,
    index: usize,
    nearer: impl IntoIterator<Item = Option<DataFrameApi>>,
) -> Api {
    let inherited = [
        compiler.pipeline.nodes[index].dataframe_api,
        compiler.pipeline.dataframe_api,
    ];
    let api = nearer.into_iter().chain(inherited).flatten().next();
    match api.unwrap_or(compiler.options.default_api) {
        DataFrameApi::Narwhals => Api::Narwhals,
        DataFrameApi::Native => match compiler.engine(index) {
            Some(engine) if engine.capabilities.ordered_rows => Api::NativeOrdered,
            _ => Api::Native,
        },
    }
}

/// Says at each input of a node which sinks of other nodes write it.
pub(crate) fn read_from(node: &mut NodePlan, index: usize, crossings: &[Crossing]) {
    let sources = Path::node(index).key("sources");
    for crossing in crossings {
        let place = sources.index(crossing.source);
        let mut inputs = node.inputs.iter_mut();
        if let Some(input) = inputs.find(|input| input.place == place) {
            input.written_by.push(crossing.writer.clone());
        }
    }
}
