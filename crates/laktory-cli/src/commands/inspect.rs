//! `laktory validate`, `plan` and `graph`: what a run would do, without doing it.

use std::fmt::Write as _;

use laktory::core::Registry;
use laktory::exec::{Effect, Refresh, What};
use laktory::plan::{Graph, Handover, InputSource, NodePlan, Plan, StepKind, Writer};
use laktory::{Planning, Project};

use crate::args::{FileArgs, GraphArgs, PlanArgs, SelectArgs, ValidateArgs};
use crate::commands::{compile, open, print};
use crate::exit::Failure;

/// Checks the file, then every schema with the engines.
pub(crate) fn validate(
    args: &ValidateArgs,
    quiet: bool,
    registry: &Registry,
) -> Result<(), Failure> {
    let project = open(&args.file)?;
    let planning = Planning {
        backend: args.file.backend.clone(),
        ..Planning::default()
    };
    let plan = compile(&project, registry, &planning, quiet)?;
    if !args.offline {
        let runtime = laktory::runtime()?;
        let options = laktory::exec::RunOptions {
            own_files: project.files(),
            ..args.file.run_options(registry)?
        };
        let (_, faults) = runtime.block_on(laktory::exec::resolve(&plan, registry, &options))?;
        if !faults.is_empty() {
            let faults: Vec<_> = faults.iter().map(|fault| project.explain(fault)).collect();
            return Err(faults.into());
        }
    }
    if quiet {
        return Ok(());
    }
    print(&format!(
        "{} is valid: pipeline `{}`, {} nodes",
        args.file.file.display(),
        plan.pipeline,
        plan.nodes.len()
    ))
}

fn planned(
    project: &Project,
    file: &FileArgs,
    select: &SelectArgs,
    registry: &Registry,
) -> Result<Plan, Failure> {
    let planning = Planning {
        selects: select.select.clone(),
        backend: file.backend.clone(),
        write: true,
    };
    compile(project, registry, &planning, false)
}

/// Prints the plan.
pub(crate) fn plan(args: &PlanArgs, registry: &Registry) -> Result<(), Failure> {
    let project = open(&args.file)?;
    let plan = planned(&project, &args.file, &args.select, registry)?;
    let effects = laktory::exec::effects(&plan, registry, Refresh::Incremental, &project.files())?;
    if args.json {
        let text = machine(&plan, &effects).and_then(|plan| serde_json::to_string_pretty(&plan));
        return print(&text.map_err(|error| laktory::core::Error::internal(error.to_string()))?);
    }
    print(&describe(&plan, &effects))
}

/// Prints the graph.
pub(crate) fn graph(args: &GraphArgs, registry: &Registry) -> Result<(), Failure> {
    let project = open(&args.file)?;
    let plan = planned(&project, &args.file, &args.select, registry)?;
    let graph = Graph(&plan);
    print(
        if args.mermaid {
            graph.mermaid()
        } else {
            graph.tree()
        }
        .trim_end(),
    )
}

/// What a run would do to the files that are there: for each node, for each of its sinks.
pub(crate) type Effects = Vec<Vec<Option<Effect>>>;

/// A plan for programs: each sink with what a run would do to the files that are there.
fn machine(plan: &Plan, effects: &Effects) -> serde_json::Result<serde_json::Value> {
    let mut text = serde_json::to_value(plan)?;
    for (node, effects) in effects.iter().enumerate() {
        for (sink, effect) in effects.iter().enumerate() {
            if let Some(effect) = effect {
                text["nodes"][node]["sinks"][sink]["effect"] = serde_json::to_value(effect)?;
            }
        }
    }
    Ok(text)
}

/// A plan for people: a paragraph for each node.
pub(crate) fn describe(plan: &Plan, effects: &Effects) -> String {
    let mut text = format!("pipeline {}: {} nodes\n", plan.pipeline, plan.nodes.len());
    for (number, node) in plan.nodes.iter().enumerate() {
        describe_node(&mut text, plan, number, node, &effects[number]);
    }
    text.truncate(text.trim_end().len());
    text
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

fn describe_node(
    text: &mut String,
    plan: &Plan,
    number: usize,
    node: &NodePlan,
    effects: &[Option<Effect>],
) {
    let _ = writeln!(text, "\n{}. {} on {}", number + 1, node.name, node.backend);
    let after: Vec<&str> = node
        .upstream
        .iter()
        .map(|&above| plan.nodes[above].name.as_str())
        .collect();
    if !after.is_empty() {
        let _ = writeln!(text, "   after       {}", after.join(", "));
    }
    for input in &node.inputs {
        let source = match &input.source {
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
            InputSource::Sink { name, read } => {
                format!("node {name} (not in this run; read from {read})")
            }
            _ => "another source".to_owned(),
        };
        let written = written_by(plan, &input.written_by);
        let _ = writeln!(text, "   read        {} = {source}{written}", input.name);
        for step in &input.steps {
            let _ = writeln!(text, "               then {}", step.label);
        }
    }
    for step in &node.steps {
        let what = match &step.kind {
            StepKind::Sql(_) => {
                format!(
                    "SQL {}",
                    step.label.split_whitespace().collect::<Vec<_>>().join(" ")
                )
            }
            StepKind::Ops(_) => step.label.clone(),
        };
        let _ = writeln!(text, "   transform   {what}");
    }
    for expectation in &node.expectations {
        let _ = writeln!(
            text,
            "   expect      {} ({:?}, {:?}): {}",
            expectation.name,
            expectation.kind,
            expectation.action,
            expectation.text.trim()
        );
    }
    for (sink, effect) in node.sinks.iter().zip(effects) {
        let rows = if sink.quarantine {
            "quarantined rows"
        } else {
            "rows"
        };
        let written = if plan.writes {
            "write"
        } else {
            "(not written)"
        };
        let _ = writeln!(
            text,
            "   {written:<11} {rows} to {} ({}, {:?})",
            sink.target,
            sink.target.format_name(),
            sink.mode
        );
        if let Some(effect) = effect {
            let _ = writeln!(text, "               {}", told(effect));
        }
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
        What::Keep => format!("leaves what is there: {there}"),
        What::Remove => format!("removes {there}"),
        _ => "would be refused".to_owned(),
    };
    match &effect.note {
        Some(note) => format!("{told}; {note}"),
        None => told,
    }
}
