//! What a table cannot hold and a merge has to know: files beside those of the table, one for each merge, which the log names by number.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use laktory_core::table::TableSnapshot;
use laktory_core::{Error, ErrorKind, Field, Result};
use serde::{Deserialize, Serialize};

use super::columns::Columns;
use crate::staging;

/// The name under which the log of a table tells the number of the newest file.
pub(crate) const APP: &str = "laktory:cdc";
/// The number that tells that nothing is remembered any more: the rows were replaced by an overwrite.
pub(crate) const NOTHING: i64 = 0;
/// The layout of the files.
const LAYOUT: u32 = 1;
/// What is ours in the folder of a table. Cleaners of tables leave alone what begins with `_`.
pub(crate) const BESIDE: &str = "_laktory";
/// Where the files are, below the folder of the table.
const FOLDER: [&str; 2] = [BESIDE, "cdc"];

/// What a merge was about that wrote a file. The next one must be about the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    layout: u32,
    scd_type: u8,
    keys: Vec<Named>,
    /// The type of what orders changes.
    order_by: String,
    /// The column that orders changes; none in files of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_column: Option<String>,
    nulls_equal: bool,
    ignore_nulls: bool,
    columns: Vec<Named>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    dtype: String,
}

impl Named {
    fn all(fields: &[Field]) -> Vec<Self> {
        let named = |field: &Field| Self {
            name: field.name.clone(),
            dtype: field.dtype.to_string(),
        };
        fields.iter().map(named).collect()
    }
}

impl Header {
    /// That of a merge.
    pub(super) fn of(merged: &Columns, (nulls_equal, ignore_nulls): (bool, bool)) -> Self {
        Self {
            layout: LAYOUT,
            scd_type: if merged.history.is_some() { 2 } else { 1 },
            keys: Named::all(&merged.keys),
            order_by: merged.sequence.to_string(),
            order_column: merged.order_by.clone(),
            nulls_equal,
            ignore_nulls,
            columns: Named::all(&merged.updates),
        }
    }

    /// That a merge goes on where that of another header left off.
    ///
    /// # Errors
    /// `SchemaMismatch`, with what is another.
    fn follows(&self, before: &Self) -> Result<()> {
        let keys = |header: &Self| {
            let shown: Vec<String> = header
                .keys
                .iter()
                .map(|key| format!("`{}` ({})", key.name, key.dtype))
                .collect();
            shown.join(", ")
        };
        let mut sorted = (before.keys.clone(), self.keys.clone());
        sorted.0.sort_by(|a, b| a.name.cmp(&b.name));
        sorted.1.sort_by(|a, b| a.name.cmp(&b.name));
        let what = if sorted.0 != sorted.1 {
            ("keys", keys(before), keys(self))
        } else if before.scd_type != self.scd_type {
            (
                "`scd_type`",
                before.scd_type.to_string(),
                self.scd_type.to_string(),
            )
        } else if self.order_column.is_none()
            || (before.order_column.is_some() && before.order_column != self.order_column)
        {
            let shown = |name: &Option<String>| match name {
                Some(name) => format!("`{name}`"),
                None => "none".to_owned(),
            };
            (
                "`order_by`",
                shown(&before.order_column),
                shown(&self.order_column),
            )
        } else if before.order_by != self.order_by {
            (
                "`order_by` of type",
                before.order_by.clone(),
                self.order_by.clone(),
            )
        } else if before.nulls_equal != self.nulls_equal {
            (
                "`null_equals_null`",
                before.nulls_equal.to_string(),
                self.nulls_equal.to_string(),
            )
        } else if before.ignore_nulls != self.ignore_nulls {
            (
                "`ignore_null_updates`",
                before.ignore_nulls.to_string(),
                self.ignore_nulls.to_string(),
            )
        } else {
            return self.tells_all(before);
        };
        let (what, was, is) = what;
        Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!("the table was merged with {what} {was}, and the sink asks for {is}"),
        )
        .with_hint(REBUILD))
    }
}

impl Header {
    /// That versions say something of each column of those before: a value that is missing would neither be kept nor be null.
    fn tells_all(&self, before: &Self) -> Result<()> {
        let has = |column: &&Named| self.columns.iter().any(|own| own.name == column.name);
        let missing = before.columns.iter().find(|column| !has(column));
        match missing.filter(|_| self.scd_type == 2) {
            None => Ok(()),
            Some(column) => Err(Error::new(
                ErrorKind::SchemaMismatch,
                format!(
                    "the table keeps the history of column `{}`, which the changes do not have",
                    column.name
                ),
            )
            .with_hint("add it in a step of the transformer, as null where there is none, or run with `--refresh full`")),
        }
    }
}

/// How to begin anew.
const REBUILD: &str = "change it back, or run with `--refresh full`, which builds the table anew from the rows of the node";

/// The files of a table.
#[derive(Clone, Debug)]
pub(super) struct Sidecar {
    folder: PathBuf,
}

impl Sidecar {
    /// Those of the table in a folder.
    pub(super) fn of(table: &Path) -> Self {
        let mut folder = table.to_owned();
        folder.extend(FOLDER);
        Self { folder }
    }

    /// The file that a version of the table names, for a merge that goes on there; none where nothing was merged into it. Blocks.
    ///
    /// # Errors
    /// `SchemaMismatch` for a merge by others keys, `NotFound` for a file that was lost, `ConversionFailed` for one that is
    /// no such file.
    pub(super) fn before(
        &self,
        snapshot: &dyn TableSnapshot,
        header: &Header,
    ) -> Result<Option<PathBuf>> {
        let Some(number) = snapshot.last(APP).filter(|number| *number > NOTHING) else {
            return Ok(None);
        };
        let (told, rows) = (self.header(number), self.rows(number));
        let lost = |file: &Path| {
            let message = format!(
                "what merges have to know of deleted rows is lost: there is no `{}`",
                file.display()
            );
            Error::new(ErrorKind::NotFound, message).with_hint(
                "bring it back, or run with `--refresh full`, which builds the table anew",
            )
        };
        let text = match fs::read(&told) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(lost(&told)),
            Err(error) => return Err(named(&told, error)),
        };
        if !rows.is_file() {
            return Err(lost(&rows));
        }
        let before: Header = serde_json::from_slice(&text).map_err(|error| {
            let message = format!("`{}` is not of a merge that is known here", told.display());
            Error::new(ErrorKind::ConversionFailed, message).with_hint(error.to_string())
        })?;
        if before.layout != LAYOUT {
            let message = format!(
                "`{}` has layout {}, and {LAYOUT} is known here",
                told.display(),
                before.layout
            );
            return Err(Error::unsupported(message)
                .with_hint("run with the version of laktory that merged last"));
        }
        header.follows(&before)?;
        Ok(Some(rows))
    }

    /// Puts a file under the next number that is free. Blocks.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn put(
        &self,
        snapshot: &dyn TableSnapshot,
        header: &Header,
        staged: &Path,
    ) -> Result<i64> {
        fs::create_dir_all(&self.folder).map_err(|error| named(&self.folder, error))?;
        let text = serde_json::to_vec(header)
            .map_err(|error| Error::internal(format!("a header cannot be written: {error}")))?;
        let mut number = snapshot.last(APP).unwrap_or(0);
        let mut told = loop {
            number += 1;
            match File::create_new(self.header(number)) {
                Ok(file) => break file,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(named(&self.folder, error)),
            }
        };
        let kept = told
            .write_all(&text)
            .and_then(|()| told.sync_all())
            .map_err(|error| named(&self.header(number), error))
            .and_then(|()| staging::publish(staged, &self.rows(number)));
        match kept {
            Ok(()) => Ok(number),
            Err(error) => {
                self.forget(number);
                Err(error)
            }
        }
    }

    /// Removes a file that no version names.
    pub(super) fn forget(&self, number: i64) {
        // What stays is removed behind a later merge.
        let _ = fs::remove_file(self.rows(number));
        let _ = fs::remove_file(self.header(number));
    }

    /// Removes the files before that with a number, which is the last one that some reader may still look for.
    pub(super) fn sweep(&self, before: i64) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.split_once('.'));
            let number = number.and_then(|(number, _)| number.parse::<i64>().ok());
            if number.is_some_and(|number| number < before) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn header(&self, number: i64) -> PathBuf {
        self.folder.join(format!("{number:020}.json"))
    }

    fn rows(&self, number: i64) -> PathBuf {
        self.folder.join(format!("{number:020}.parquet"))
    }
}

fn named(path: &Path, error: std::io::Error) -> Error {
    Error::from(error).context(format!("`{}`", path.display()))
}
