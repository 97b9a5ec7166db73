//! `laktory show`: the output of a node, or of a step of it, as a table or as data.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use laktory::core::{Format, Registry};
use laktory::exec::NodeOutput;
use laktory::plan::Plan;
use laktory::syntax::{Diagnostic, did_you_mean, visible_json, visible_lines};
use laktory::{Planning, Project};
use tempfile::TempDir;

use crate::args::{ShowArgs, ShowFormat};
use crate::commands::{compile, open_with_name};
use crate::cut_off;
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
    let (project, node) = open_with_name(&args.file, args.node.as_ref())?;
    let node = &node.ok_or_else(|| nameless(&project))?;
    known_node(node, &project)?;
    let planning = Planning {
        selects: Some(vec![format!("*{node}")]),
        backend: args.file.around.backend.clone(),
        write: false,
    };
    let mut plan = compile(&project, registry, &planning, detail)?;
    if let Some(step) = args.step {
        cut(&mut plan, node, step)?;
    }
    let runtime = laktory::runtime()?;
    let options = args.file.around.run_options(registry)?;
    let files = options.files.clone();
    let computed = async {
        let output = match detail {
            Detail::Verbose => {
                laktory::exec::preview(plan, registry, options, node, &TextLog(detail)).await
            }
            _ => laktory::exec::preview(plan, registry, options, node, &NoLog).await,
        };
        let output = output.map_err(|faults| {
            Failure::failed(faults.iter().map(|fault| project.explain(fault)).collect())
        })?;
        let rows = match &format {
            Some(format) => Rows::Data(staged(&output, format, args.limit).await?),
            None => Rows::Table(table(&output, args.limit).await?),
        };
        let more = detail >= Detail::Normal && is_longer(&output, args.limit).await?;
        Ok::<_, Failure>((rows, more))
    };
    let (computed, _runtime) = cut_off::block_on(runtime, &files, computed)?;
    let (rows, more) = computed?;
    match (&rows, &args.output) {
        (Rows::Table(text), Some(path)) => create(path)?
            .write_all(format!("{text}\n").as_bytes())
            .map_err(|error| unwritten(path, &error))?,
        (Rows::Table(text), None) => out::print(text)?,
        (Rows::Data(folder), Some(path)) => copied(&staged_in(folder), path)?,
        (Rows::Data(folder), None) => printed(&staged_in(folder), format.as_ref())?,
    }
    if more {
        let rows = if args.limit == 1 { "row" } else { "rows" };
        out::tell(&format!(
            "the first {} {rows} of more; `--rows N` takes others",
            args.limit
        ));
    }
    Ok(())
}

/// The first rows, as they are shown.
enum Rows {
    Table(String),
    /// A folder with one file.
    Data(TempDir),
}

/// The first rows of an output as a table.
pub(crate) async fn table(output: &NodeOutput, limit: u64) -> Result<String, Failure> {
    let schema = output.schema().await?;
    let rows = output.head(limit).await?;
    let width = out::width().map(|width| u16::try_from(width).unwrap_or(u16::MAX));
    Ok(laktory::table::render(&schema, &rows, width))
}

/// Whether there are more rows than `limit`.
async fn is_longer(output: &NodeOutput, limit: u64) -> Result<bool, Failure> {
    let rows = output.head(limit.saturating_add(1)).await?;
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

/// Data as a sink of the format would write it, in a folder that is removed with it.
async fn staged(output: &NodeOutput, format: &Format, limit: u64) -> Result<TempDir, Failure> {
    let folder = tempfile::tempdir().map_err(laktory::core::Error::from)?;
    let staged = staged_in(&folder);
    output.write(format.clone(), &staged, Some(limit)).await?;
    Ok(folder)
}

fn staged_in(folder: &TempDir) -> PathBuf {
    folder.path().join("rows")
}

/// Data in a new file.
fn copied(staged: &Path, path: &Path) -> Result<(), Failure> {
    let mut file = create(path)?;
    let copied = File::open(staged).and_then(|mut staged| io::copy(&mut staged, &mut file));
    copied.and_then(|_| file.sync_all()).map_err(|error| {
        // Nothing that is half a file.
        let _ = fs::remove_file(path);
        unwritten(path, &error)
    })
}

/// Data on standard output.
fn printed(staged: &Path, format: Option<&Format>) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    if !stdout.is_terminal() {
        // Programs get the data as it is.
        let mut staged = File::open(staged).map_err(laktory::core::Error::from)?;
        return out::heard(io::copy(&mut staged, &mut stdout).and_then(|_| stdout.flush()));
    }
    let text = fs::read(staged).map_err(laktory::core::Error::from)?;
    let text = String::from_utf8_lossy(&text);
    let shown = match format {
        Some(Format::Csv) => visible_lines(&text),
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

/// No node is named.
fn nameless(project: &Project) -> Failure {
    let nodes = project.pipeline.nodes.iter();
    let names: Vec<String> = nodes.map(|node| format!("`{}`", node.name)).collect();
    let fault = Diagnostic::error("usage", "name the node to show");
    Failure::usage(vec![fault.hint(format!("nodes: {}", names.join(", ")))])
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
