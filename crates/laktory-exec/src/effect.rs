//! What a run would do to the files that are there: told before it does it.

use std::fs;
use std::path::{Path, PathBuf};

use laktory_core::table::{REPLACE_WHERE, replaces_a_part};
use laktory_core::{Error, ErrorKind, Registry, Result};
use laktory_plan::{InputSource, NodePlan, Plan, SinkMode, SinkPlan, SinkTarget, Stored};
use serde::Serialize;

use crate::files;
use crate::folder;
use crate::outputs;
use crate::removal::Removal;
use crate::run::Refresh;
use crate::tables::Table;
use crate::target::{Target, is_same};

/// What becomes of what is at a sink's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// Nothing is there; the output is new.
    Create,
    /// Files are replaced.
    Replace,
    /// Rows are added to what is there.
    Append,
    /// Rows of what is there are changed, and others added.
    Merge,
    /// What is there stays, and nothing is written.
    Keep,
    /// Files are removed.
    Remove,
    /// The run would refuse.
    Refuse,
}

/// What a run would do at a sink's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// What becomes of what is there.
    pub what: What,
    /// Files concerned.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Why the run would refuse, or what stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// For each node and each of its sinks, what a run would do to the files that are there now; none where an engine writes
/// to storage of its own, and where nothing is written. `own` are the files of the pipeline itself.
///
/// # Errors
/// When a backend is not known.
pub fn effects(
    plan: &Plan,
    registry: &Registry,
    refresh: Refresh,
    own: &[PathBuf],
) -> Result<Vec<Vec<Option<Effect>>>> {
    let of_node = |node: &NodePlan| {
        let local = (registry.get(&node.backend)?.capabilities)().local_files;
        let effects = node.sinks.iter().map(|sink| match &sink.target {
            SinkTarget::File { path, .. } if local && plan.writes => Some(
                effect(registry, sink, path, refresh, own).unwrap_or_else(|error| Effect {
                    what: What::Refuse,
                    files: 0,
                    bytes: 0,
                    note: Some(error.message().to_owned()),
                }),
            ),
            _ => None,
        });
        Ok(effects.collect())
    };
    plan.nodes.iter().map(of_node).collect()
}

fn effect(
    registry: &Registry,
    sink: &SinkPlan,
    path: &str,
    refresh: Refresh,
    own: &[PathBuf],
) -> Result<Effect> {
    let target = Target::find(path, own)?;
    if refresh == Refresh::Reset {
        let table = table(registry, sink, &target, SinkMode::Overwrite)?;
        let removal = Removal::of(&target, table.as_ref())?;
        let (files, bytes) = removal.size();
        let (what, note) = (
            if files == 0 { What::Keep } else { What::Remove },
            removal.rest(),
        );
        return Ok(Effect {
            what,
            files,
            bytes,
            note,
        });
    }
    let full = refresh == Refresh::Full;
    outputs::check(sink, &target, full)?;
    if let Some(table) = table(registry, sink, &target, outputs::mode(sink, full))? {
        return of_table(sink, path, &table, full);
    }
    let (files, bytes) = match &target.existing {
        None => (0, 0),
        Some(found) if found.is_file() => (1, found.len()),
        Some(_) => {
            let contents = folder::look(&target.real)?;
            (
                contents.parts.len() + contents.foreign.len(),
                contents.bytes(),
            )
        }
    };
    let (what, note) = becomes(outputs::mode(sink, full), target.existing.is_some(), path);
    Ok(Effect {
        what,
        files,
        bytes,
        note,
    })
}

/// What a mode makes of what is at a path, and what there is to say of it.
fn becomes(mode: SinkMode, exists: bool, path: &str) -> (What, Option<String>) {
    if !exists {
        return (What::Create, None);
    }
    match mode {
        SinkMode::Overwrite => (What::Replace, None),
        SinkMode::Append => (What::Append, None),
        SinkMode::Merge => (What::Merge, None),
        SinkMode::Ignore => (What::Keep, None),
        SinkMode::Error => (
            What::Refuse,
            Some(format!("`{path}` exists, and the sink's mode is ERROR")),
        ),
    }
}

/// The table that a sink writes to; none for files without a log.
fn table(
    registry: &Registry,
    sink: &SinkPlan,
    target: &Target,
    mode: SinkMode,
) -> Result<Option<Table>> {
    let format = sink.target.format();
    let mut known = registry.tables();
    let known = known.find(|known| format == Some(&known.format()));
    known
        .map(|known| Table::open(known, sink, target, mode, ""))
        .transpose()
}

/// What a run would do to a table.
fn of_table(sink: &SinkPlan, path: &str, table: &Table, full: bool) -> Result<Effect> {
    let files = table.files()?;
    let bytes = files.iter().filter_map(|file| fs::metadata(file).ok());
    let bytes = bytes.map(|found| found.len()).sum();
    let mode = match sink.mode {
        // All of its rows go.
        SinkMode::Merge if full => SinkMode::Overwrite,
        _ => outputs::mode(sink, full),
    };
    let (what, note) = becomes(mode, table.exists(), path);
    let of_rows = what == What::Replace
        && replaces_a_part(&sink.options)
        && !sink.options.contains_key(REPLACE_WHERE);
    let note = match of_rows {
        true => Some("of them only those of partitions that get rows".to_owned()),
        false => note,
    };
    Ok(Effect {
        what,
        files: files.len(),
        bytes,
        note,
    })
}

/// Whether the record of a run may be written to a path: not over the pipeline, what it reads or what it writes, nor over
/// a device.
///
/// # Errors
/// `InvalidArgument` otherwise.
pub fn may_report(path: &Path, plan: &Plan, own: &[PathBuf]) -> Result<()> {
    let shown = path.display();
    let refused = |what: &str| {
        let message = format!("the report would take the place of {what}: `{shown}`");
        Err(Error::new(ErrorKind::InvalidArgument, message)
            .with_hint("choose another path for the report; `-` is standard output"))
    };
    let Ok(found) = fs::metadata(path) else {
        // Nothing is there yet, but something may come.
        return match is_written(plan, path) {
            true => refused("an output"),
            false => Ok(()),
        };
    };
    if !found.is_file() {
        return refused("a folder, a device or a pipe");
    }
    let real = path.canonicalize()?;
    if own.iter().any(|file| is_same(file, &real)) {
        return refused("the pipeline");
    }
    let inputs = plan.nodes.iter().flat_map(|node| &node.inputs);
    let reads = inputs.filter_map(|input| {
        let spec = match &input.source {
            InputSource::Files(spec) => spec,
            InputSource::Sink { read, .. } => match &read.read {
                Stored::Files(spec) => spec,
                Stored::Table(_) => return None,
            },
            _ => return None,
        };
        files::resolve(&spec.path, &spec.format).ok()
    });
    if reads.flatten().any(|file| is_same(&file, &real)) {
        return refused("a source");
    }
    if is_written(plan, path) {
        return refused("an output");
    }
    Ok(())
}

/// Whether a path is the target of a sink, or lies in it.
fn is_written(plan: &Plan, path: &Path) -> bool {
    let find = |path: &str| Target::find(path, &[]).ok();
    let Some(report) = path.to_str().and_then(find) else {
        return false;
    };
    let sinks = plan.nodes.iter().flat_map(|node| &node.sinks);
    sinks.into_iter().any(|sink| match &sink.target {
        SinkTarget::File { path, .. } => {
            find(path).is_some_and(|target| report.real.starts_with(&target.real))
        }
        _ => false,
    })
}
