//! `laktory show`: the output of a node, or of a step of it, as a table or as data.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use laktory::core::{Format, Registry};
use laktory::exec::NodeOutput;
use laktory::plan::Plan;
use laktory::syntax::{Diagnostic, did_you_mean, visible_json, visible_lines};
use laktory::{Planning, Project, Runtime};

use crate::args::{ShowArgs, ShowFormat};
use crate::commands::{compile, open};
use crate::exit::Failure;
use crate::log::{Detail, NoLog, TextLog};
use crate::out;

/// Computes a node and all that it reads, writes no sink, and prints the first rows.
pub(crate) fn show(args: &ShowArgs, detail: Detail, registry: &Registry) -> Result<(), Failure> {
    let format = format(args.format);
    if let Some(format) = &format {
        printable(format, args.output.as_deref())?;
    }
    if let Some(path) = &args.output {
        absent(path)?;
    }
    let project = open(&args.file)?;
    known_node(&args.node, &project)?;
    let planning = Planning {
        selects: Some(vec![format!("*{}", args.node)]),
        backend: args.file.around.backend.clone(),
        write: false,
    };
    let mut plan = compile(&project, registry, &planning, detail)?;
    if let Some(step) = args.step {
        cut(&mut plan, &args.node, step)?;
    }
    let runtime = laktory::runtime()?;
    let options = args.file.around.run_options(registry)?;
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
    let text = match &format {
        Some(format) => {
            write(args, format, &runtime, &output)?;
            None
        }
        None => Some(table(&runtime, &output, args.limit)?),
    };
    match (text, &args.output) {
        (Some(text), Some(path)) => create(path)?
            .write_all(format!("{text}\n").as_bytes())
            .map_err(|error| unwritten(path, &error))?,
        (Some(text), None) => out::print(&text)?,
        (None, _) => {}
    }
    if detail >= Detail::Normal && is_longer(&runtime, &output, args.limit)? {
        let rows = if args.limit == 1 { "row" } else { "rows" };
        out::tell(&format!(
            "the first {} {rows} of more; `--rows N` takes others",
            args.limit
        ));
    }
    Ok(())
}

/// The first rows of an output as a table.
pub(crate) fn table(runtime: &Runtime, output: &NodeOutput, limit: u64) -> Result<String, Failure> {
    let schema = runtime.block_on(output.schema())?;
    let rows = runtime.block_on(output.head(limit))?;
    let width = out::width().map(|width| u16::try_from(width).unwrap_or(u16::MAX));
    Ok(laktory::table::render(&schema, &rows, width))
}

/// Whether there are more rows than `limit`.
fn is_longer(runtime: &Runtime, output: &NodeOutput, limit: u64) -> Result<bool, Failure> {
    let rows = runtime.block_on(output.head(limit.saturating_add(1)))?;
    let rows: usize = rows.iter().map(|batch| batch.num_rows()).sum();
    Ok(rows as u64 > limit)
}

/// The format of data; none for a table.
fn format(format: ShowFormat) -> Option<Format> {
    match format {
        ShowFormat::Table => None,
        ShowFormat::Json => Some(Format::Json),
        ShowFormat::Jsonl => Some(Format::JsonLines),
        ShowFormat::Csv => Some(Format::Csv),
        ShowFormat::Parquet => Some(Format::Parquet),
    }
}

/// Ends the node after a step.
fn cut(plan: &mut Plan, node: &str, step: usize) -> Result<(), Failure> {
    let Some(found) = plan.node(node) else {
        return Ok(());
    };
    let count = found.steps.len();
    let fault = if step > count {
        let steps = match count {
            0 => "no steps".to_owned(),
            1 => "1 step".to_owned(),
            count => format!("{count} steps"),
        };
        let fault = format!("node `{node}` has {steps}, and no step {step}");
        Some(Diagnostic::error("unknown-step", fault).hint("0 is the source, 1 the first step"))
    } else if step == 0 && found.primary.is_none() {
        let fault = format!("node `{node}` has no source: its first step makes its rows");
        Some(Diagnostic::error("unknown-step", fault).hint("`--step 1` shows them"))
    } else {
        None
    };
    if let Some(fault) = fault {
        return Err(vec![fault.path("--step")].into());
    }
    plan.cut(node, step);
    Ok(())
}

/// Writes data as a sink of the format would: to a new file, or to standard output.
fn write(
    args: &ShowArgs,
    format: &Format,
    runtime: &Runtime,
    output: &NodeOutput,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(laktory::core::Error::from)?;
    let staged = folder.path().join("rows");
    runtime.block_on(output.write(format.clone(), &staged, Some(args.limit)))?;
    if let Some(path) = &args.output {
        let mut file = create(path)?;
        let copied = File::open(&staged).and_then(|mut staged| io::copy(&mut staged, &mut file));
        return copied.and_then(|_| file.sync_all()).map_err(|error| {
            // Nothing that is half a file.
            let _ = fs::remove_file(path);
            unwritten(path, &error)
        });
    }
    let mut stdout = io::stdout().lock();
    if !stdout.is_terminal() {
        // Programs get the data as it is.
        let mut staged = File::open(&staged).map_err(laktory::core::Error::from)?;
        return out::heard(io::copy(&mut staged, &mut stdout).and_then(|_| stdout.flush()));
    }
    let text = fs::read(&staged).map_err(laktory::core::Error::from)?;
    let text = String::from_utf8_lossy(&text);
    let shown = match format {
        Format::Csv => visible_lines(&text),
        _ => visible_json(&text),
    };
    out::heard(writeln!(stdout, "{}", shown.trim_end_matches('\n')))
}

/// Binary data is not for terminals.
fn printable(format: &Format, output: Option<&Path>) -> Result<(), Failure> {
    if *format != Format::Parquet || output.is_some() || !io::stdout().is_terminal() {
        return Ok(());
    }
    let fault = Diagnostic::error("usage", "PARQUET is not written to a terminal");
    Err(vec![fault.hint("name a file with `--output FILE`, or redirect standard output")].into())
}

/// A file that is there is somebody's.
fn absent(path: &Path) -> Result<(), Failure> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    let message = format!("`{}` exists", path.display());
    let fault = Diagnostic::error("exists", message).hint("name a new file, or remove this one");
    Err(vec![fault.path("--output")].into())
}

fn create(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write `{}`: {error}", path.display());
    Failure::failed(vec![Diagnostic::error("io", message).path("--output")])
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
