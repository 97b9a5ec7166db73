//! Commits: the entry of the next version, put where none is. Who finds one there looks at what others have committed, and comes
//! behind it where that is right.

use std::path::Path;
use std::thread;
use std::time::Duration;

use laktory_core::table::{Change, ChangeKind, Committed, Planned, WrittenFile};
use laktory_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::actions::{Add, Line, Remove, Texts, Txn};
use crate::change::{self, Next, Replaced};
use crate::checkpoint;
use crate::disk::{self, Put};
use crate::features;
use crate::history::Wanted;
use crate::log::{self, Log};
use crate::named::Named as _;
use crate::snapshot::{Known, Snapshot};
use crate::state::State;
use crate::stats::{self, Held};
use crate::{LOG, names};

/// How commits of this program name it, before its version.
pub(crate) const ENGINE: &str = "laktory/";
/// Versions of others that a commit comes behind, at most.
const ATTEMPTS: u32 = 100;
/// Versions between two checkpoints, unless the table says otherwise.
const CHECKPOINTS: u64 = 10;

/// Commits files to a table.
///
/// # Errors
/// As [`TableSnapshot::commit`](laktory_core::table::TableSnapshot::commit).
pub(crate) fn commit(
    snapshot: &Snapshot,
    change: &Change,
    planned: &Planned,
    files: &[WrittenFile],
) -> Result<Committed> {
    let held = held(snapshot.folder(), planned, files)?;
    let log = snapshot.folder().join(LOG);
    std::fs::create_dir_all(&log).map_err(|error| Error::from(error).at(&log))?;
    disk::sync_folder(snapshot.folder()).map_err(|error| Error::from(error).at(&log))?;
    disk::sweep(&log);
    let id = Uuid::new_v4().to_string();
    let mut base = snapshot.clone();
    for attempt in 0..ATTEMPTS {
        let known = base.known.as_ref();
        if change.creates && known.is_some() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "the table came into being while its rows were computed",
            )
            .with_hint("run again: its mode decides then what becomes of it"));
        }
        let next = change::next(known, change, &planned.columns)?;
        if next.planned != *planned {
            return Err(Error::new(
                ErrorKind::SchemaMismatch,
                "the table was given other columns or partitions while its rows were computed",
            )
            .with_hint("run again"));
        }
        let entry = Entry {
            folder: snapshot.folder(),
            change,
            known,
            next: &next,
            files,
            held: &held,
            id: &id,
        };
        let Some(lines) = entry.lines()? else {
            // Nothing to add, nothing to remove.
            return Ok(Committed::new(known.map_or(0, |known| known.version)));
        };
        let version = known.map_or(0, |known| known.version + 1);
        let path = log::entry(&log, version);
        let put = disk::put_if_absent(&path, &lines, &format!("{id}-{attempt}"))?;
        if put == Put::Done || is_ours(&path, &id) {
            let own = next
                .metadata
                .as_ref()
                .or(known.map(|known| &known.state.metadata));
            let interval = own.and_then(|own| own.property("delta.checkpointInterval"));
            let interval = interval
                .and_then(|interval| interval.parse().ok())
                .unwrap_or(CHECKPOINTS);
            return Ok(settled(&log, version, interval, &id));
        }
        if change.kind == ChangeKind::Merge {
            return Ok(Committed::overtaken(version));
        }
        thread::sleep(Duration::from_millis(pause(attempt)));
        base = Snapshot::open(snapshot.folder(), &Wanted::Newest)?;
    }
    Err(lost(snapshot.folder()))
}

/// A moment that grows with each attempt, and is another one for each writer.
fn pause(attempt: u32) -> u64 {
    let random = u64::from(Uuid::new_v4().as_bytes()[0]);
    random % (2 + 4 * u64::from(attempt.min(20)))
}

/// That others were first, again and again, with what is known of the last one.
fn lost(folder: &Path) -> Error {
    let winner = Snapshot::open(folder, &Wanted::Newest)
        .ok()
        .and_then(|newest| {
            let version = newest.known?.version;
            let path = log::entry(&folder.join(LOG), version);
            let mut found = None;
            log::lines(&path, |line| found = line.commit_info.or(found.take())).ok()?;
            let info = found.unwrap_or_default();
            let told = |key: &str| info[key].as_str().unwrap_or("something").to_owned();
            Some(format!(
                "version {version} is of {} by {}",
                told("operation"),
                told("engineInfo")
            ))
        });
    let error = Error::new(
        ErrorKind::Io,
        format!("others committed to the table first, {ATTEMPTS} times"),
    )
    .retryable();
    match winner {
        Some(winner) => error.with_hint(format!("{winner}; run again when there is less going on")),
        None => error,
    }
}

/// Whether an entry is the one that was to be put there: an answer may get lost on the way.
pub(crate) fn is_ours(path: &Path, id: &str) -> bool {
    let mut ours = false;
    let read = log::lines(path, |line| {
        ours |= line
            .commit_info
            .is_some_and(|info| info["laktory"]["commit"] == id);
    });
    read.is_ok() && ours
}

/// What the files hold, each with its rows as the engine counted them.
fn held(folder: &Path, planned: &Planned, files: &[WrittenFile]) -> Result<Vec<Held>> {
    let own = planned.columns.iter();
    let own: Vec<_> = own
        .filter(|field| !planned.partition_by.contains(&field.name))
        .cloned()
        .collect();
    files
        .iter()
        .map(|file| {
            let path = folder.join(&file.path);
            let held = stats::of(&path, &own)?;
            match held.rows == file.rows {
                true => Ok(held),
                false => Err(Error::new(
                    ErrorKind::RowsLost,
                    format!(
                        "`{}` has {} rows, and {} were written",
                        path.display(),
                        held.rows,
                        file.rows
                    ),
                )),
            }
        })
        .collect()
}

/// The entry of a version.
struct Entry<'a> {
    folder: &'a Path,
    change: &'a Change,
    known: Option<&'a Known>,
    next: &'a Next,
    files: &'a [WrittenFile],
    held: &'a [Held],
    id: &'a str,
}

impl Entry<'_> {
    /// Its bytes; none where it would change nothing.
    fn lines(&self) -> Result<Option<Vec<u8>>> {
        self.not_null()?;
        self.are_meant()?;
        let now = chrono::Utc::now().timestamp_millis();
        let adds = self.adds(now);
        let removes = self.removes(now)?;
        let plain = self.next.protocol.is_none() && self.next.metadata.is_none();
        if plain && adds.is_empty() && removes.is_empty() && self.change.apps.is_empty() {
            return Ok(None);
        }
        let mut lines = vec![Line {
            commit_info: Some(self.info(now, adds.len(), removes.len())),
            ..Line::default()
        }];
        lines.extend(self.next.protocol.clone().map(|protocol| Line {
            protocol: Some(protocol),
            ..Line::default()
        }));
        lines.extend(self.next.metadata.clone().map(|metadata| Line {
            meta_data: Some(metadata),
            ..Line::default()
        }));
        lines.extend(self.change.apps.iter().map(|(app, number)| Line {
            txn: Some(Txn {
                app_id: app.clone(),
                version: *number,
                last_updated: Some(now),
            }),
            ..Line::default()
        }));
        lines.extend(removes.into_iter().map(|remove| Line {
            remove: Some(remove),
            ..Line::default()
        }));
        lines.extend(adds.into_iter().map(|add| Line {
            add: Some(add),
            ..Line::default()
        }));
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, &line)
                .map_err(|error| Error::internal(format!("an entry cannot be written: {error}")))?;
            bytes.push(b'\n');
        }
        Ok(Some(bytes))
    }

    fn adds(&self, now: i64) -> Vec<Add> {
        let files = self.files.iter().zip(self.held);
        let full = files.filter(|(_, held)| held.rows > 0);
        full.map(|(file, held)| Add {
            path: names::encoded(&file.path),
            partition_values: self.values(file),
            size: i64::try_from(held.bytes).unwrap_or(i64::MAX),
            modification_time: now,
            data_change: true,
            stats: Some(held.text()),
            ..Add::default()
        })
        .collect()
    }

    fn values(&self, file: &WrittenFile) -> Texts {
        let names = self.next.planned.partition_by.iter().cloned();
        names.zip(file.partition.iter().cloned()).collect()
    }

    fn removes(&self, now: i64) -> Result<Vec<Remove>> {
        let Some(known) = self.known else {
            return Ok(Vec::new());
        };
        let is_replaced = |add: &Add| match &self.next.replaced {
            Replaced::Nothing => Ok(false),
            Replaced::All => Ok(true),
            Replaced::Same => {
                let mut new = self.files.iter();
                Ok(new.any(|file| self.is_of(file, &add.partition_values)))
            }
            Replaced::Where(condition) => condition.holds(&add.partition_values),
            Replaced::Files => {
                let path = names::file(self.folder, &add.path)?;
                Ok(self.change.removes.contains(&path))
            }
        };
        let removed = |add: &Add| Remove {
            path: add.path.clone(),
            deletion_timestamp: Some(now),
            data_change: true,
            extended_file_metadata: Some(true),
            partition_values: Some(add.partition_values.clone()),
            size: Some(add.size),
            deletion_vector: add.deletion_vector.clone(),
        };
        let mut removes = Vec::new();
        for add in known.state.files() {
            if is_replaced(add)? {
                removes.push(removed(add));
            }
        }
        if self.next.replaced == Replaced::Files && removes.len() != self.change.removes.len() {
            return Err(Error::internal(
                "a merge removes files that are none of the version it was worked out for",
            ));
        }
        Ok(removes)
    }

    /// Whether a file has these values of the columns by which the table is partitioned.
    fn is_of(&self, file: &WrittenFile, values: &Texts) -> bool {
        let given = |value: Option<&Option<String>>| {
            let value = value.and_then(Option::as_deref);
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let names = self.next.planned.partition_by.iter().zip(&file.partition);
        names
            .into_iter()
            .all(|(name, value)| given(Some(value)) == given(values.get(name)))
    }

    /// That rows which replace others are among those that are meant.
    fn are_meant(&self) -> Result<()> {
        let Replaced::Where(condition) = &self.next.replaced else {
            return Ok(());
        };
        for file in self.files {
            let values = self.values(file);
            if !condition.holds(&values)? {
                let shown: Vec<String> = values
                    .iter()
                    .map(|(name, value)| format!("{name} = {}", value.as_deref().unwrap_or("null")))
                    .collect();
                let message = format!(
                    "there are rows of {}, which are not among those that `replaceWhere` replaces",
                    shown.join(", ")
                );
                return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(
                    "filter them in a step of the transformer, or widen the condition",
                ));
            }
        }
        Ok(())
    }

    /// That columns without nulls get none.
    fn not_null(&self) -> Result<()> {
        let strict = self.next.columns.iter().filter(|column| !column.nullable);
        for name in strict.map(|column| &column.field.name) {
            let place = self
                .next
                .planned
                .partition_by
                .iter()
                .position(|by| by == name);
            let has_none = |(file, held): (&WrittenFile, &Held)| match place {
                Some(place) => file.partition.get(place).is_some_and(Option::is_some),
                None => held.rows == 0 || held.nulls.get(name).and_then(Value::as_u64) == Some(0),
            };
            if !self.files.iter().zip(self.held).all(has_none) {
                return Err(Error::new(
                    ErrorKind::SchemaMismatch,
                    format!("column `{name}` of the table takes no nulls, and the rows have some"),
                )
                .with_hint("fill or filter them in a step of the transformer"));
            }
        }
        Ok(())
    }

    fn info(&self, now: i64, adds: usize, removes: usize) -> Value {
        let appends = self.change.kind == ChangeKind::Append;
        let merges = self.change.kind == ChangeKind::Merge;
        let rows: u64 = self.held.iter().map(|held| held.rows).sum();
        let bytes: u64 = self.held.iter().map(|held| held.bytes).sum();
        let mut info = json!({
            "timestamp": now,
            "operation": if merges { "MERGE" } else { "WRITE" },
            "operationParameters": {
                "mode": match self.change.kind {
                    ChangeKind::Append => "Append",
                    ChangeKind::Merge => "Merge",
                    _ => "Overwrite",
                },
                "partitionBy": json!(self.next.planned.partition_by).to_string(),
            },
            "isBlindAppend": appends,
            "operationMetrics": {
                "numFiles": adds.to_string(),
                "numRemovedFiles": removes.to_string(),
                "numOutputRows": rows.to_string(),
                "numOutputBytes": bytes.to_string(),
            },
            "engineInfo": format!("{ENGINE}{}", env!("CARGO_PKG_VERSION")),
            "laktory": {"commit": self.id, "run": self.change.run},
        });
        if let Some(known) = self.known {
            info["readVersion"] = known.version.into();
        }
        info
    }
}

/// Behind a commit: a checkpoint, where one is due. That it fails is no fault of the commit.
fn settled(log: &Path, version: u64, interval: u64, id: &str) -> Committed {
    let mut committed = Committed::new(version);
    if version == 0 || interval == 0 || !version.is_multiple_of(interval) {
        return committed;
    }
    if let Err(error) = checkpointed(log, version, id) {
        committed.warnings.push(format!(
            "the checkpoint of version {version} was not written: {}",
            error.message()
        ));
    }
    committed
}

fn checkpointed(log: &Path, version: u64, id: &str) -> Result<()> {
    let table = log.parent().unwrap_or(log);
    let state = State::of(&Log::of(table)?.segment(version)?)?;
    match features::is_plain(&state) {
        true => checkpoint::write(log, &state, version, &format!("{id}-checkpoint")),
        false => Ok(()),
    }
}
