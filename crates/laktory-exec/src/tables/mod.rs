//! Tables that keep a log: opened, read as files that the log names, and written by a commit. What a log looks like is known to the
//! [`TableFormat`](laktory_core::table::TableFormat) alone.

mod parts;
mod sink;
mod source;

use std::path::Path;

use laktory_core::table::TableFormat;
use laktory_core::{Error, ErrorKind, Options, Result};

use crate::merge;

pub(crate) use parts::Parts;
pub(crate) use sink::{Table, check, file_options};
pub(crate) use source::{numbered, open};

/// Those of the files in the folder of a table that its log has never named: a run that is dead was to commit them.
pub(crate) fn unnamed(
    formats: &[&'static dyn TableFormat],
    folder: &Path,
    names: &[String],
) -> Vec<String> {
    if formats.is_empty() {
        // Nobody here knows whether it is a table.
        return Vec::new();
    }
    let Some(table) = formats.iter().find(|format| format.is_table(folder)) else {
        // Its run did not come as far as the first entry of the log.
        return names.to_vec();
    };
    // What cannot be told now stays.
    let snapshot = table.open(folder, &Options::new());
    let found = snapshot.and_then(|snapshot| snapshot.unnamed(names));
    found.unwrap_or_default()
}

/// That a folder is a table, or one can be made of it.
///
/// # Errors
/// `InvalidArgument` for a folder that holds something else; `Io`.
fn possible(tables: &dyn TableFormat, folder: &Path, given: &str) -> Result<()> {
    let refused = |what: &str, hint: &str| {
        Err(Error::new(ErrorKind::InvalidArgument, format!("`{given}` {what}")).with_hint(hint))
    };
    let format = tables.format();
    if folder.is_file() {
        return refused(
            &format!("is a file, and a {format} table is a folder"),
            "choose another path, or remove the file",
        );
    }
    if !folder.is_dir() || tables.is_table(folder) {
        return Ok(());
    }
    // A merge that was killed before the first entry of the log leaves what it was to remember.
    let mut entries = std::fs::read_dir(folder)?.flatten();
    let is_empty = entries.all(|entry| entry.file_name() == merge::BESIDE);
    match is_empty {
        true => Ok(()),
        false => refused(
            &format!("is a folder with something else than a {format} table"),
            "choose another path, or move what is there away",
        ),
    }
}
