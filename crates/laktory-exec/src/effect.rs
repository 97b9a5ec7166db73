//! What a run would do to the files that are there: told before it does it.

use std::fs;
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Registry, Result};
use laktory_plan::{InputSource, NodePlan, Plan, SinkMode, SinkPlan, SinkTarget, Stored};
use serde::Serialize;

use crate::files;
use crate::folder;
use crate::outputs::{self, Removal};
use crate::run::Refresh;
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
                effect(sink, path, refresh, own).unwrap_or_else(|error| Effect {
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

fn effect(sink: &SinkPlan, path: &str, refresh: Refresh, own: &[PathBuf]) -> Result<Effect> {
    let target = Target::find(path, own)?;
    if refresh == Refresh::Reset {
        let removal = Removal::of(&target)?;
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
    let (what, note) = match (outputs::mode(sink, full), &target.existing) {
        (_, None) => (What::Create, None),
        (SinkMode::Overwrite, _) => (What::Replace, None),
        (SinkMode::Append, _) => (What::Append, None),
        (SinkMode::Ignore, _) => (What::Keep, None),
        (SinkMode::Error, _) => (
            What::Refuse,
            Some(format!("`{path}` exists, and the sink's mode is ERROR")),
        ),
    };
    Ok(Effect {
        what,
        files,
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
