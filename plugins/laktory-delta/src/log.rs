//! The files of a log: entries, checkpoints, and which of them make up a version.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Result};

use crate::LOG;
use crate::actions::Line;
use crate::named::Named as _;

/// The files of a log, by version.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    folder: PathBuf,
    /// Versions with an entry.
    entries: BTreeMap<u64, PathBuf>,
    /// Whole checkpoints.
    checkpoints: BTreeMap<u64, Vec<PathBuf>>,
}

/// What makes up a version: a checkpoint, and the entries behind it.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) version: u64,
    pub(crate) checkpoint: Option<(u64, Vec<PathBuf>)>,
    pub(crate) entries: Vec<(u64, PathBuf)>,
}

impl Log {
    /// Lists the log of a table; empty where there is none.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn of(table: &Path) -> Result<Self> {
        let folder = table.join(LOG);
        let mut log = Self {
            folder: folder.clone(),
            ..Self::default()
        };
        let listed = match fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(log),
            Err(error) => return Err(Error::from(error).at(&folder)),
        };
        // Parts of checkpoints, by version and number of parts.
        let mut parts: BTreeMap<(u64, u64), BTreeMap<u64, PathBuf>> = BTreeMap::new();
        for entry in listed {
            let path = entry
                .map_err(|error| Error::from(error).at(&folder))?
                .path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            match *name.split('.').collect::<Vec<_>>().as_slice() {
                [version, "json"] => {
                    if let Some(version) = number(version, 20) {
                        log.entries.insert(version, path);
                    }
                }
                [version, "checkpoint", "parquet"] => {
                    if let Some(version) = number(version, 20) {
                        log.checkpoints.insert(version, vec![path]);
                    }
                }
                [version, "checkpoint", part, count, "parquet"] => {
                    let found = (number(version, 20), number(part, 10), number(count, 10));
                    if let (Some(version), Some(part), Some(count)) = found {
                        parts
                            .entry((version, count))
                            .or_default()
                            .insert(part, path);
                    }
                }
                [version, "checkpoint", _, "parquet" | "json"] => {
                    if let Some(version) = number(version, 20) {
                        log.checkpoints.entry(version).or_insert_with(|| vec![path]);
                    }
                }
                _ => {}
            }
        }
        for ((version, count), found) in parts {
            if found.keys().copied().eq(1..=count) {
                let found = found.into_values().collect();
                log.checkpoints.entry(version).or_insert(found);
            }
        }
        Ok(log)
    }

    /// The folder of the log.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The newest version.
    pub(crate) fn newest(&self) -> Option<u64> {
        let entry = self.entries.keys().next_back();
        let checkpoint = self.checkpoints.keys().next_back();
        entry.max(checkpoint).copied()
    }

    /// The entries that are kept, by version.
    pub(crate) fn entries(&self) -> &BTreeMap<u64, PathBuf> {
        &self.entries
    }

    /// The checkpoints that are kept, by version.
    pub(crate) fn checkpoints(&self) -> &BTreeMap<u64, Vec<PathBuf>> {
        &self.checkpoints
    }

    /// What makes up a version.
    ///
    /// # Errors
    /// `NotFound` for a version that there is not, or of which the log has lost something.
    pub(crate) fn segment(&self, version: u64) -> Result<Segment> {
        let checkpoint = self.checkpoints.range(..=version).next_back();
        let checkpoint = checkpoint.map(|(version, files)| (*version, files.clone()));
        let first = checkpoint.as_ref().map_or(0, |(version, _)| version + 1);
        let mut entries = Vec::new();
        for wanted in first..=version {
            match self.entries.get(&wanted) {
                Some(path) => entries.push((wanted, path.clone())),
                None => return Err(self.lost(version, wanted)),
            }
        }
        Ok(Segment {
            version,
            checkpoint,
            entries,
        })
    }

    fn lost(&self, version: u64, missing: u64) -> Error {
        let newest = self.newest().unwrap_or_default();
        let shown = self.folder.parent().unwrap_or(&self.folder).display();
        let (message, hint) = match version > newest {
            true => (
                format!("table `{shown}` has no version {version}"),
                format!("its newest version is {newest}"),
            ),
            false => (
                format!(
                    "version {version} of table `{shown}` cannot be told: the log has no entry {missing}"
                ),
                "entries before a checkpoint are removed after a while; read a newer version"
                    .to_owned(),
            ),
        };
        Error::new(ErrorKind::NotFound, message).with_hint(hint)
    }
}

/// The path of the entry of a version.
pub(crate) fn entry(log: &Path, version: u64) -> PathBuf {
    log.join(format!("{version:020}.json"))
}

fn number(text: &str, digits: usize) -> Option<u64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Hands each line of an entry to `take`.
///
/// # Errors
/// `ConversionFailed` for a line that is no entry; `Io`.
pub(crate) fn lines(path: &Path, mut take: impl FnMut(Line)) -> Result<()> {
    let file = fs::File::open(path).map_err(|error| Error::from(error).at(path))?;
    let mut is_empty = true;
    for (number, text) in BufReader::new(file).lines().enumerate() {
        let text = text.map_err(|error| Error::from(error).at(path))?;
        if text.trim().is_empty() {
            continue;
        }
        is_empty = false;
        take(parsed(&text).map_err(|error| torn(path, number + 1, &error))?);
    }
    match is_empty {
        // No writer makes one: it was cut off.
        true => Err(Error::new(
            ErrorKind::ConversionFailed,
            format!("`{}` is an entry of a log without a line", path.display()),
        )
        .with_hint("the file is torn: restore it, or remove it if the run that wrote it failed")),
        false => Ok(()),
    }
}

/// A line of an entry.
pub(crate) fn parsed(text: &str) -> serde_json::Result<Line> {
    serde_json::from_str(text)
}

fn torn(path: &Path, line: usize, error: &serde_json::Error) -> Error {
    let message = format!("line {line} of `{}` is no entry of a log", path.display());
    Error::new(ErrorKind::ConversionFailed, message).with_hint(format!(
        "{error}; the file is torn, or was written by something else than a writer of Delta tables"
    ))
}
