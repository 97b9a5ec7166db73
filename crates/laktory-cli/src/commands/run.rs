//! `laktory run`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use laktory::core::{Cancel, Registry};
use laktory::exec::{Fault, Observer, Reach, Refresh, Run, RunOptions, RunReport, Status};
use laktory::syntax::{Diagnostic, visible_json};
use laktory::{Planning, Project};

use crate::args::{LogFormat, RefreshMode, RunArgs, duration};
use crate::commands::{compile, inspect, open, show};
use crate::cut_off;
use crate::exit::{Failure, INTERRUPTED};
use crate::log::{Detail, JsonLog, NoLog, TextLog};
use crate::out::{self, print, print_json};
use crate::progress::{Lines, Progress};
use crate::summary;

/// Runs a pipeline, prints the summary, and writes the record.
pub(crate) fn run(args: &RunArgs, detail: Detail, registry: &Registry) -> Result<(), Failure> {
    let project = open(&args.file)?;
    let planning = Planning {
        selects: args.select.select.clone(),
        backend: args.file.around.backend.clone(),
        write: !args.no_write,
    };
    let plan = compile(&project, registry, &planning, detail)?;
    let options = options(args, registry, &project)?;
    if let Some(path) = args
        .report
        .as_deref()
        .filter(|path| *path != Path::new("-"))
    {
        laktory::exec::may_report(path, &plan, &options.own_files).map_err(unusable)?;
    }
    if args.dry_run {
        // A reset reads nothing.
        let kept = match options.refresh {
            Refresh::Reset => Vec::new(),
            _ => inspect::foreseen(&project, &plan, registry, &options, Reach::Everywhere)?,
        };
        let own = &options.own_files;
        let effects = laktory::exec::effects(&plan, registry, options.refresh, own)?;
        return print(&inspect::describe(&plan, &effects, &kept, out::width()));
    }
    for node in &args.show {
        if plan.node(node).is_none() {
            return Err(show::unknown_node(node, &plan).into());
        }
    }
    if let Some(path) = &args.report {
        writable(path)?;
    }
    let (observer, lines) = observer(args, detail);
    interrupt_with(&options.cancel, lines)?;
    let runtime = laktory::runtime()?;
    let files = options.files.clone();
    let run = laktory::exec::run(plan, registry, options, &*observer);
    let (run, runtime) = cut_off::block_on(runtime, &files, run)?;
    drop(observer);
    let run = run.map_err(|faults| Failure::usage(explain(&project, &faults)))?;
    finish(args, detail, &project, &run)?;
    let shown = show_nodes(args, &run);
    let (shown, _runtime) = cut_off::block_on(runtime, &files, shown)?;
    shown
}

/// An error of how the command is used.
fn unusable(error: laktory::core::Error) -> Failure {
    Failure::usage(vec![laktory::diagnostic(&error)])
}

fn options(args: &RunArgs, registry: &Registry, project: &Project) -> Result<RunOptions, Failure> {
    let refresh = if args.full_refresh {
        RefreshMode::Full
    } else {
        args.refresh
    };
    let defaults = args.file.around.run_options(registry)?;
    Ok(RunOptions {
        keep: args.show.iter().cloned().collect(),
        prune: true,
        write: !args.no_write,
        refresh: match refresh {
            RefreshMode::Incremental => Refresh::Incremental,
            RefreshMode::Full => Refresh::Full,
            RefreshMode::Reset => Refresh::Reset,
        },
        jobs: args.jobs.map_or(defaults.jobs, usize::from),
        memory_budget: args.memory.saturating_mul(1_000_000),
        lock_timeout: lock_timeout(args)?.unwrap_or(defaults.lock_timeout),
        own_files: project.files(),
        cancel: Cancel::new(),
        ..defaults
    })
}

/// How long to wait for other runs: as the command says, else the environment.
fn lock_timeout(args: &RunArgs) -> Result<Option<Duration>, Failure> {
    const VARIABLE: &str = "LAKTORY_LOCK_TIMEOUT";
    match std::env::var(VARIABLE) {
        Ok(text) if args.lock_timeout.is_none() && !text.is_empty() => {
            let read = duration(&text).map_err(|hint| {
                let message = format!("`{text}` in {VARIABLE} is no time");
                Failure::usage(vec![Diagnostic::error("usage", message).hint(hint)])
            });
            read.map(Some)
        }
        _ => Ok(args.lock_timeout),
    }
}

/// The first interrupt stops the run at its next batch, or some seconds later, with outputs as they were; the second ends the
/// process.
fn interrupt_with(cancel: &Cancel, lines: Option<Lines>) -> Result<(), Failure> {
    static INTERRUPTED_BEFORE: AtomicBool = AtomicBool::new(false);
    let cancel = cancel.clone();
    ctrlc::set_handler(move || {
        if INTERRUPTED_BEFORE.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        let line = "[laktory] Interrupted: outputs stay as they were. Press again to stop at once.";
        match &lines {
            Some(lines) => lines.add(line),
            None => out::tell(line),
        }
        cancel.cancel();
        // In a thread of its own, so that a second interrupt is heard. Without it, the run ends when the engine stops.
        let _ = std::thread::Builder::new().spawn(cut_off::interrupt);
    })
    .map_err(|error| laktory::core::Error::internal(error.to_string()).into())
}

/// Who is told of the run, and the way to add a line to what it draws on a terminal.
fn observer(args: &RunArgs, detail: Detail) -> (Box<dyn Observer>, Option<Lines>) {
    match (args.log_format, detail) {
        (_, Detail::Quiet) => (Box::new(NoLog), None),
        (LogFormat::Json, _) => (Box::new(JsonLog(detail)), None),
        (LogFormat::Auto, Detail::Normal) if std::io::stderr().is_terminal() => {
            let progress = Progress::new();
            let lines = progress.lines();
            (Box::new(progress), Some(lines))
        }
        _ => (Box::new(TextLog(detail)), None),
    }
}

fn finish(args: &RunArgs, detail: Detail, project: &Project, run: &Run) -> Result<(), Failure> {
    if let Some(path) = &args.report {
        write_report(path, &run.report)?;
    }
    // Programs that read the log have the same figures in its last lines.
    if detail >= Detail::Normal && args.log_format != LogFormat::Json {
        out::tell(&summary::render(&run.report));
    }
    match run.report.status {
        Status::Succeeded => {}
        Status::Interrupted => return Err(Failure::interrupted()),
        Status::Failed | Status::Skipped => {
            return Err(Failure::failed(explain(project, &run.faults)));
        }
    }
    Ok(())
}

/// Prints the first rows of the nodes that are asked for.
async fn show_nodes(args: &RunArgs, run: &Run) -> Result<(), Failure> {
    for node in &args.show {
        let output = run.output(node).await?;
        print(&show::table(&output, args.limit).await?)?;
    }
    Ok(())
}

fn explain(project: &Project, faults: &[Fault]) -> Vec<Diagnostic> {
    let mut told: Vec<_> = faults.iter().map(|fault| project.explain(fault)).collect();
    // In the order of the file, however the nodes happened to run.
    told.sort_by_key(|fault| fault.span.as_ref().map(|span| span.start));
    told
}

/// A record that cannot be written is found before the run, not after it.
fn writable(path: &Path) -> Result<(), Failure> {
    if path == Path::new("-") {
        return Ok(());
    }
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path);
    opened.map(drop).map_err(|error| {
        let message = format!("cannot write the report to `{}`: {error}", path.display());
        Failure::usage(vec![Diagnostic::error("io", message)])
    })
}

fn write_report(path: &Path, report: &RunReport) -> Result<(), Failure> {
    if path == Path::new("-") {
        return print_json(report);
    }
    let text = serde_json::to_string_pretty(report)
        .map_err(|error| laktory::core::Error::internal(error.to_string()))?;
    std::fs::write(path, out::hidden(&visible_json(&text))).map_err(|error| {
        let what = format!("cannot write the report to `{}`", path.display());
        laktory::core::Error::from(error).context(what).into()
    })
}
