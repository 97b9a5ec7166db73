//! `laktory plan` and `laktory graph`: what a run would do, without doing it.

use laktory::core::{FrameName, Registry};
use laktory::exec::{Effect, Kept, Reach, Refresh, RunOptions, What};
use laktory::plan::{Graph, Handover, Input, InputSource, NodePlan, Plan, StepKind, Writer};
use laktory::syntax::visible;
use laktory::table::wrapped;
use laktory::{Planning, Project};

use crate::args::{FileArgs, GraphArgs, PlanArgs, SelectArgs};
use crate::commands::{compile, open, unopened};
use crate::cut_off;
use crate::exit::Failure;
use crate::log::Detail;
use crate::out::{self, print, print_json};

fn planned(
    project: &Project,
    file: &FileArgs,
    select: &SelectArgs,
    detail: Detail,
    registry: &Registry,
) -> Result<Plan, Failure> {
    let planning = Planning {
        selects: select.select.clone(),
        backend: file.around.backend.clone(),
        write: true,
    };
    compile(project, registry, &planning, detail)
}

/// Prints the plan.
pub(crate) fn plan(args: &PlanArgs, detail: Detail, registry: &Registry) -> Result<(), Failure> {
    let project = open(&args.file)?;
    let plan = planned(&project, &args.file, &args.select, detail, registry)?;
    let effects = laktory::exec::effects(&plan, registry, Refresh::Incremental, &project.files())?;
    let options = args.file.around.run_options(registry)?;
    // Engines on a server are not asked for a plan.
    let kept = foreseen(&project, &plan, registry, &options, Reach::Here)?;
    if args.json {
        let plan = machine(&plan, &effects, &kept);
        return print_json(
            &plan.map_err(|error| laktory::core::Error::internal(error.to_string()))?,
        );
    }
    print(&describe(&plan, &effects, &kept, out::width()))
}

/// What a run keeps of outputs that it does not keep whole; refuses what `validate` refuses of the nodes in reach.
pub(crate) fn foreseen(
    project: &Project,
    plan: &Plan,
    registry: &Registry,
    options: &RunOptions,
    reach: Reach,
) -> Result<Vec<Kept>, Failure> {
    let options = RunOptions {
        own_files: project.files(),
        ..options.clone()
    };
    let foreseen = laktory::exec::foresee(plan, registry, &options, reach);
    let (foreseen, _) = cut_off::block_on(laktory::runtime()?, &options.files, foreseen)?;
    let (kept, faults) = foreseen.map_err(|error| unopened(&options, error))?;
    if !faults.is_empty() {
        let faults: Vec<_> = faults.iter().map(|fault| project.explain(fault)).collect();
        return Err(faults.into());
    }
    Ok(kept)
}

/// Prints the graph.
pub(crate) fn graph(args: &GraphArgs, detail: Detail, registry: &Registry) -> Result<(), Failure> {
    let project = open(&args.file)?;
    let plan = planned(&project, &args.file, &args.select, detail, registry)?;
    let graph = Graph(&plan);
    let text = match args.mermaid {
        true => graph.mermaid(),
        false => graph.tree(),
    };
    print(text.trim_end())
}

/// What a run would do to the files that are there: for each node, for each of its sinks.
pub(crate) type Effects = Vec<Vec<Option<Effect>>>;

/// A plan for programs: each sink with what a run would do to the files that are there.
fn machine(plan: &Plan, effects: &Effects, kept: &[Kept]) -> serde_json::Result<serde_json::Value> {
    let mut text = serde_json::to_value(plan)?;
    for (node, effects) in effects.iter().enumerate() {
        for (sink, effect) in effects.iter().enumerate() {
            if let Some(effect) = effect {
                text["nodes"][node]["sinks"][sink]["effect"] = serde_json::to_value(effect)?;
            }
        }
    }
    for (number, node) in plan.nodes.iter().enumerate() {
        if let Some(kept) = kept.iter().find(|kept| kept.node == node.name) {
            text["nodes"][number]["kept_columns"] = serde_json::to_value(&kept.columns)?;
        }
    }
    Ok(text)
}

/// Where the second column of a plan begins.
const INDENT: &str = "               ";

/// Lines of a plan, in the width of the terminal.
struct Lines {
    text: String,
    width: Option<usize>,
}

impl Lines {
    fn add(&mut self, what: &str, text: &str) {
        let line = format!("   {what:<12}{}", visible(text));
        self.text.push_str(&wrapped(&line, self.width, INDENT));
        self.text.push('\n');
    }
}

/// A plan for people: a paragraph for each node, in the words of the pipeline file. `width` is that of the terminal, if
/// there is one.
pub(crate) fn describe(
    plan: &Plan,
    effects: &Effects,
    kept: &[Kept],
    width: Option<usize>,
) -> String {
    let nodes = match plan.nodes.len() {
        1 => "1 node".to_owned(),
        count => format!("{count} nodes"),
    };
    let mut lines = Lines {
        text: format!("pipeline {}: {nodes}\n", visible(&plan.pipeline)),
        width,
    };
    for (number, node) in plan.nodes.iter().enumerate() {
        let name = visible(&node.name);
        let head = format!("\n{}. {name} on {}\n", number + 1, node.backend);
        lines.text.push_str(&head);
        describe_node(&mut lines, plan, node, &effects[number]);
        if let Some(kept) = kept.iter().find(|kept| kept.node == node.name) {
            let columns = kept.columns.join(", ");
            let count = kept.columns.len();
            let text = format!("{count} of {} columns for other nodes: {columns}", kept.of);
            lines.add("keep", &text);
        }
    }
    lines.text.truncate(lines.text.trim_end().len());
    lines.text
}

/// Which nodes write what is read by path or by name of a table.
fn written_by(plan: &Plan, writers: &[Writer]) -> String {
    let writers: Vec<String> = writers
        .iter()
        .map(|writer| match plan.node(&writer.node) {
            Some(_) => format!("node {}", writer.node),
            None => format!("node {}, which is not in this run", writer.node),
        })
        .collect();
    match writers.as_slice() {
        [] => String::new(),
        writers => format!(" (written by {})", writers.join(" and ")),
    }
}

fn describe_node(lines: &mut Lines, plan: &Plan, node: &NodePlan, effects: &[Option<Effect>]) {
    let after: Vec<&str> = node
        .upstream
        .iter()
        .map(|&above| plan.nodes[above].name.as_str())
        .collect();
    if !after.is_empty() {
        lines.add("after", &after.join(", "));
    }
    for input in &node.inputs {
        let mut source = source(plan, input);
        source.push_str(&written_by(plan, &input.written_by));
        let text = match &input.name {
            // The source without a name is `{df}` to the steps.
            FrameName::Source(name) if name == "df" => format!("{{df}} = {source}"),
            FrameName::Node(_) if source.starts_with("node ") => source,
            name => format!("{name} = {source}"),
        };
        lines.add("read", &text);
        for step in &input.steps {
            lines.add("", &format!("then {}", step.label));
        }
    }
    for step in &node.steps {
        let what = match &step.kind {
            StepKind::Sql(_) => {
                let words: Vec<&str> = step.label.split_whitespace().collect();
                format!("SQL {}", words.join(" "))
            }
            StepKind::Ops(_) => step.label.clone(),
        };
        lines.add("transform", &what);
    }
    for rule in &node.expectations {
        let (kind, action) = (rule.kind.name(), rule.action.name());
        let text = format!("{} ({kind}, {action}): {}", rule.name, rule.text.trim());
        lines.add("expect", &text);
    }
    for (sink, effect) in node.sinks.iter().zip(effects) {
        let rows = if sink.quarantine {
            "quarantined rows"
        } else {
            "rows"
        };
        let what = if plan.writes { "write" } else { "(no write)" };
        let format = sink.target.format_name();
        let mode = sink.mode.name();
        let text = format!("{rows} to {} ({format}, {mode})", sink.target);
        lines.add(what, &text);
        if let Some(effect) = effect {
            lines.add("", &told(effect));
        }
    }
}

fn source(plan: &Plan, input: &Input) -> String {
    match &input.source {
        InputSource::Files(spec) => format!("{} files {}", spec.format, spec.path),
        InputSource::Table(spec) => format!("table {}", spec.name),
        InputSource::Inline(_) => "rows written in the pipeline".to_owned(),
        InputSource::Node {
            node,
            name,
            transfer,
        } => {
            let how = match plan.nodes[*node].handover {
                Handover::Sink(sink) => {
                    format!("read from {}", plan.nodes[*node].sinks[sink].target)
                }
                Handover::Inline => "computed as part of this node".to_owned(),
                Handover::Materialize | Handover::None => "kept by the run".to_owned(),
            };
            let over = if *transfer {
                ", over Arrow from another engine"
            } else {
                ""
            };
            format!("node {name} ({how}{over})")
        }
        InputSource::Sink { name, read, .. } => {
            let refused = read.inexact.iter();
            let refused: String = refused.map(|why| format!(", which {why}")).collect();
            format!(
                "node {name} (not in this run; read from {}{refused})",
                read.target
            )
        }
        _ => "another source".to_owned(),
    }
}

/// What becomes of the files that are there, as a sentence.
fn told(effect: &Effect) -> String {
    let files = match effect.files {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    };
    let there = format!("{files}, {} bytes", effect.bytes);
    let told = match effect.what {
        What::Create => "new: nothing is there".to_owned(),
        What::Replace => format!("replaces {there}"),
        What::Append => format!("adds to {there}"),
        What::Merge => format!("merges into {there}"),
        What::Keep => format!("leaves what is there: {there}"),
        What::Remove => format!("removes {there}"),
        _ => "would be refused".to_owned(),
    };
    match &effect.note {
        Some(note) => format!("{told}; {note}"),
        None => told,
    }
}
