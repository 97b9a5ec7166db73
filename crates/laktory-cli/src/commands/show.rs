//! `laktory show`: the output of a node as a table.

use laktory::core::Registry;
use laktory::exec::NodeOutput;
use laktory::plan::Plan;
use laktory::syntax::{Diagnostic, did_you_mean};
use laktory::{Planning, Project, Runtime};

use crate::args::ShowArgs;
use crate::commands::{compile, open, print};
use crate::exit::Failure;
use crate::log::{Detail, NoLog, TextLog};

/// Computes a node and all that it reads, writes nothing, and prints the first rows.
pub(crate) fn show(args: &ShowArgs, detail: Detail, registry: &Registry) -> Result<(), Failure> {
    let quiet = detail == Detail::Quiet;
    let project = open(&args.file)?;
    known_node(&args.node, &project)?;
    let planning = Planning {
        selects: Some(vec![format!("*{}", args.node)]),
        backend: args.file.backend.clone(),
        write: false,
    };
    let plan = compile(&project, registry, &planning, quiet)?;
    let runtime = laktory::runtime()?;
    let options = args.file.run_options(registry)?;
    let shown = async {
        match detail {
            Detail::Verbose => {
                laktory::exec::preview(plan, registry, options, &args.node, &TextLog(detail)).await
            }
            _ => laktory::exec::preview(plan, registry, options, &args.node, &NoLog).await,
        }
    };
    let output = runtime.block_on(shown).map_err(|faults| {
        Failure::failed(faults.iter().map(|fault| project.explain(fault)).collect())
    })?;
    print(&table(&runtime, &output, args.limit)?)
}

/// The first rows of an output as a table.
pub(crate) fn table(runtime: &Runtime, output: &NodeOutput, limit: u64) -> Result<String, Failure> {
    let schema = runtime.block_on(output.schema())?;
    let rows = runtime.block_on(output.head(limit))?;
    Ok(laktory::table::render(&schema, &rows, terminal_width()))
}

/// The width of the terminal in characters, when standard output is one.
pub(crate) fn terminal_width() -> Option<u16> {
    let terminal = console::Term::stdout();
    terminal.is_term().then(|| terminal.size().1)
}

/// Refuses a node that the pipeline does not have.
pub(crate) fn known_node(name: &str, project: &Project) -> Result<(), Failure> {
    let nodes = project.pipeline.nodes.iter();
    let names: Vec<&str> = nodes.map(|node| node.name.as_str()).collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(unknown(name, &names).into())
}

/// The fault of a node that the plan does not have.
pub(crate) fn unknown_node(name: &str, plan: &Plan) -> Vec<Diagnostic> {
    let names: Vec<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
    unknown(name, &names)
}

fn unknown(name: &str, names: &[&str]) -> Vec<Diagnostic> {
    let mut fault = Diagnostic::error("unknown-node", format!("the pipeline has no node `{name}`"));
    if let Some(hint) = did_you_mean(name, names.iter().copied()) {
        fault = fault.hint(hint);
    }
    vec![fault]
}
