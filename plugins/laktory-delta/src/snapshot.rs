//! One version of a table, as the contract asks for it.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use laktory_core::table::{
    Change, Committed, DataFile, Planned, TableScan, TableSnapshot, WrittenFile,
};
use laktory_core::{Error, Expr, Field, Result, Scalar};

use crate::actions::Add;
use crate::history::{self, Wanted};
use crate::log::{self, Log};
use crate::names;
use crate::parts::Condition;
use crate::schema::{self, Column};
use crate::state::State;
use crate::{bounds, change, commit, features, vector};

/// A version of the table in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    folder: PathBuf,
    /// None where there is no table yet.
    pub(crate) known: Option<Known>,
}

/// A version that there is.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) version: u64,
    pub(crate) state: State,
    /// What its log tells of them may not be known here.
    columns: Arc<Result<Vec<Column>>>,
}

impl Snapshot {
    /// The version that is asked for.
    ///
    /// # Errors
    /// `NotFound`, `ConversionFailed`, `Io`.
    pub(crate) fn open(folder: &Path, wanted: &Wanted) -> Result<Self> {
        let named = |error: Error| of_table(folder, error);
        let log = Log::of(folder)?;
        let known = match history::version(&log, wanted).map_err(named)? {
            None => None,
            Some(version) => {
                let state = State::of(&log.segment(version)?).map_err(named)?;
                let columns = schema::columns(&state.metadata.schema_string);
                Some(Known {
                    version,
                    state,
                    columns: Arc::new(columns),
                })
            }
        };
        Ok(Self {
            folder: folder.to_owned(),
            known,
        })
    }

    /// The folder of the table.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The error, with the table that it is about.
    pub(crate) fn named(&self, error: Error) -> Error {
        of_table(&self.folder, error)
    }

    fn scanned(&self, filter: Option<&Expr>) -> Result<TableScan> {
        let Some(known) = &self.known else {
            return Ok(TableScan::new(Vec::new(), Vec::new(), Vec::new()));
        };
        let (state, columns) = (&known.state, known.columns()?);
        features::readable(&state.protocol)?;
        if !state
            .metadata
            .format
            .provider
            .eq_ignore_ascii_case("parquet")
        {
            return Err(Error::unsupported(format!(
                "the files of the table are of format `{}`",
                state.metadata.format.provider
            )));
        }
        let partition_by = &state.metadata.partition_columns;
        let is_mapped = features::is_mapped(&state.metadata)?;
        // The values of mapped columns go by other names.
        let filter = filter.filter(|_| !is_mapped);
        let conditions = filter.map(|filter| Condition::those_of(filter, columns, partition_by));
        let conditions = conditions.unwrap_or_default();
        let columns = schema::stored(columns, is_mapped)?;
        let stored: Vec<&str> = partition_by
            .iter()
            .map(|name| {
                let column = columns.iter().find(|column| column.field.name == *name);
                column.map(|column| column.stored.as_str()).ok_or_else(|| {
                    Error::unsupported(format!(
                        "the table is partitioned by `{name}`, which is none of its columns"
                    ))
                })
            })
            .collect::<Result<_>>()?;
        let passes = |add: &&Add| {
            let fails = |condition: &Condition| {
                condition
                    .holds(&add.partition_values)
                    .is_ok_and(|holds| !holds)
            };
            !conditions.iter().any(fails)
        };
        let files = state.files().filter(passes);
        let files = files.map(|add| self.file(add, &stored));
        let files = files.collect::<Result<_>>()?;
        Ok(TableScan::new(columns, partition_by.clone(), files))
    }

    fn file(&self, add: &Add, partition_by: &[&str]) -> Result<DataFile> {
        let value = |name: &&str| {
            let value = add.partition_values.get(*name).cloned().flatten();
            // By the protocol, an empty text is null, whatever the type.
            value.filter(|value| !value.is_empty())
        };
        Ok(DataFile {
            path: names::file(&self.folder, &add.path)?,
            partition: partition_by.iter().map(value).collect(),
            deleted: match &add.deletion_vector {
                Some(vector) => vector::deleted(&self.folder, vector)?,
                None => Vec::new(),
            },
        })
    }
}

impl Known {
    /// The columns.
    pub(crate) fn columns(&self) -> Result<&[Column]> {
        match &*self.columns {
            Ok(columns) => Ok(columns),
            Err(error) => Err(repeated(error)),
        }
    }
}

/// The error, with the table that it is about.
fn of_table(folder: &Path, error: Error) -> Error {
    let shown = format!("`{}`", folder.display());
    match error.message().contains(&shown) {
        true => error,
        false => error.context(format!("table {shown}")),
    }
}

/// An error once more.
fn repeated(error: &Error) -> Error {
    let again = Error::new(error.kind(), error.message());
    match error.hint() {
        Some(hint) => again.with_hint(hint),
        None => again,
    }
}

impl TableSnapshot for Snapshot {
    fn version(&self) -> Option<u64> {
        self.known.as_ref().map(|known| known.version)
    }

    fn last(&self, app: &str) -> Option<i64> {
        self.known.as_ref()?.state.last(app)
    }

    fn columns(&self) -> Result<Vec<Field>> {
        let Some(known) = &self.known else {
            return Ok(Vec::new());
        };
        let columns = known.columns().map_err(|error| self.named(error))?;
        Ok(columns.iter().map(|column| column.field.clone()).collect())
    }

    fn scan(&self, filter: Option<&Expr>) -> Result<TableScan> {
        self.scanned(filter).map_err(|error| self.named(error))
    }

    fn bounds(&self, column: &str) -> Vec<Option<(Scalar, Scalar)>> {
        let Some(known) = &self.known else {
            return Vec::new();
        };
        let mut columns = known.columns().unwrap_or_default().iter();
        match columns.find(|known| known.field.name == column) {
            Some(column) => {
                let files = known.state.files();
                files.map(|add| bounds::of(add, column)).collect()
            }
            None => Vec::new(),
        }
    }

    fn plan(&self, change: &Change, columns: &[Field]) -> Result<Planned> {
        let next = change::next(self.known.as_ref(), change, columns);
        Ok(next.map_err(|error| self.named(error))?.planned)
    }

    fn begin(&self) -> Result<()> {
        std::fs::create_dir_all(self.folder().join(crate::LOG))
            .map_err(|error| self.named(error.into()))
    }

    fn commit(
        &self,
        change: &Change,
        planned: &Planned,
        files: &[WrittenFile],
    ) -> Result<Committed> {
        commit::commit(self, change, planned, files).map_err(|error| self.named(error))
    }

    fn others(&self) -> Result<Vec<String>> {
        let log = Log::of(&self.folder)?;
        let mut others = BTreeSet::new();
        for (version, path) in log.entries() {
            let mut known = false;
            log::lines(path, |line| {
                let Some(info) = line.commit_info else {
                    return;
                };
                let engine = info["engineInfo"].as_str().unwrap_or("somebody");
                known = true;
                if !engine.starts_with(commit::ENGINE) {
                    others.insert(engine.to_owned());
                }
            })?;
            if !known {
                others.insert(format!("somebody (version {version})"));
            }
        }
        if log.entries().keys().next().is_some_and(|first| *first > 0) {
            others.insert("somebody (versions that are not kept)".to_owned());
        }
        Ok(others.into_iter().collect())
    }

    fn unnamed(&self, wanted: &[String]) -> Result<Vec<String>> {
        let log = Log::of(&self.folder)?;
        let mut named = HashSet::new();
        for path in log.entries().values() {
            log::lines(path, |line| named.extend(line.add.map(|add| add.path)))?;
        }
        for files in log.checkpoints().values() {
            crate::checkpoint::read(files, &mut |line| {
                named.extend(line.add.map(|add| add.path))
            })?;
        }
        let is_free = |name: &&String| !named.contains(&names::encoded(name));
        Ok(wanted.iter().filter(is_free).cloned().collect())
    }
}
