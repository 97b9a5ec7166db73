//! The files that a run reads, as they were when it began with them. Engines open a file several times, or have it mapped into
//! memory: rows of a file that is written to meanwhile are of no state that it ever had.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use laktory_core::{Error, ErrorKind, Result};
use laktory_model::Path as Place;
use laktory_plan::{Handover, InputSource, Plan};

/// The files that a run reads. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct SourceFiles(Arc<Mutex<Vec<Seen>>>);

#[derive(Debug)]
struct Seen {
    /// Position of the node that reads it.
    node: usize,
    /// Place of the source in the document.
    place: Place,
    path: PathBuf,
    state: Option<State>,
}

type State = (u64, Option<SystemTime>);

fn state(path: &Path) -> Option<State> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

impl Seen {
    fn has_changed(&self) -> bool {
        self.state.is_some() && state(&self.path) != self.state
    }
}

impl SourceFiles {
    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what an earlier run with the same options has read.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Takes down how files are that a node is about to read.
    pub(crate) fn note(&self, node: usize, place: &Place, files: &[PathBuf]) {
        let mut seen = self.lock();
        seen.extend(files.iter().map(|path| Seen {
            node,
            place: place.clone(),
            path: path.clone(),
            state: state(path),
        }));
    }

    /// A file that is not as it was when the run began to read it.
    #[must_use]
    pub fn changed(&self) -> Option<PathBuf> {
        let seen = self.lock();
        let changed = seen.iter().find(|seen| seen.has_changed());
        changed.map(|seen| seen.path.clone())
    }

    /// The node and the place of the source that reads a file that `message` names.
    pub(crate) fn named_in(&self, message: &str) -> Option<(usize, Place)> {
        let seen = self.lock();
        let named = |path: &Path| {
            let name = path.display().to_string();
            let mut ends = message.match_indices(&name);
            // Not a longer name that begins so; a line may follow.
            ends.any(|(at, _)| message[at + name.len()..].starts_with(['`', ':']))
        };
        let found = seen.iter().find(|seen| named(&seen.path))?;
        Some((found.node, found.place.clone()))
    }

    /// Whether the files behind a node that was just computed are as they were.
    ///
    /// # Errors
    /// `Io`, naming the file.
    pub(crate) fn check(&self, plan: &Plan, node: usize) -> Result<()> {
        let nodes = computed_with(plan, node);
        let seen = self.lock();
        let mut of_nodes = seen.iter().filter(|seen| nodes.contains(&seen.node));
        match of_nodes.find(|seen| seen.has_changed()) {
            Some(seen) => Err(changed_error(&seen.path)),
            None => Ok(()),
        }
    }
}

/// The node, and those whose plans became part of its own.
fn computed_with(plan: &Plan, node: usize) -> Vec<usize> {
    let mut all = vec![node];
    let mut next = 0;
    while let Some(at) = all.get(next).copied() {
        next += 1;
        for input in &plan.nodes[at].inputs {
            if let InputSource::Node { node, .. } = &input.source
                && plan.nodes[*node].handover == Handover::Inline
                && !all.contains(node)
            {
                all.push(*node);
            }
        }
    }
    all
}

/// The error of a file that was written to while it was read.
#[must_use]
pub fn changed_error(path: &Path) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("`{}` was changed while it was read", path.display()),
    )
    .with_hint("run again when nothing writes to it; replace files by renaming new ones over them")
}
