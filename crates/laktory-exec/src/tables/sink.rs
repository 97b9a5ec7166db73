//! A table as a target: what a sink asks of it, which rows it takes, and the commit of what was written.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use laktory_core::table::{
    Change, ChangeKind, Committed, Planned, REPLACE_WHERE, TableFormat, TableSnapshot,
    WRITE_OPTIONS, WrittenFile,
};
use laktory_core::{Error, ErrorKind, Expr, Field, OptionValue, Options, Result};
use laktory_model::Path as DocumentPath;
use laktory_plan::{SinkMode, SinkPlan};

use super::{Parts, possible};
use crate::files;
use crate::merge::{self, Misfit};
use crate::staging;
use crate::target::Target;

/// Versions of others that a merge comes behind without being worked out anew, at most.
const REBASES: u32 = 100;

/// A table that a sink writes to.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    format: &'static dyn TableFormat,
    folder: PathBuf,
    snapshot: Arc<dyn TableSnapshot>,
    change: Change,
    /// Options for the files.
    pub(crate) options: Options,
}

/// Whether a sink can write rows of such columns, before any are computed; `full` is a full refresh.
///
/// # Errors
/// Those of the format, of the place, and of the options of a merge, each where it stands in the document.
pub(crate) fn check(
    tables: &'static dyn TableFormat,
    sink: &SinkPlan,
    target: &Target,
    (mode, full): (SinkMode, bool),
    columns: &[Field],
) -> Result<(), (DocumentPath, Error)> {
    let at_sink = |error| (sink.place.clone(), error);
    let table = Table::open(tables, sink, target, mode, "").map_err(at_sink)?;
    if mode == SinkMode::Ignore && table.exists() {
        return Ok(());
    }
    if let Some(plan) = &sink.merge {
        let table = if full { table.replaced() } else { table };
        let fits = merge::check(plan, &table, columns);
        return fits.map_err(|Misfit { place, error }| match place {
            Some(place) => (place, error),
            None => at_sink(error),
        });
    }
    table.plan(columns).map(|_| ()).map_err(at_sink)
}

/// The options of a sink that are for the files of its table.
pub(crate) fn file_options(options: &Options) -> Options {
    let options = options.iter().filter(|(name, _)| !is_of_table(name));
    options
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The rows that an overwrite replaces, as `replaceWhere` says.
fn replaces(options: &Options) -> Result<Option<Expr>> {
    let refused = |what: String| {
        let message = format!("writer option `{REPLACE_WHERE}` takes a condition of SQL{what}");
        Err(Error::new(ErrorKind::InvalidArgument, message))
    };
    match options.get(REPLACE_WHERE) {
        None | Some(OptionValue::Null) => Ok(None),
        Some(OptionValue::Text(text)) => match laktory_syntax::sql_expression(text) {
            Ok(condition) => Ok(Some(condition)),
            Err(errors) => refused(match errors.first() {
                Some(error) => format!(": {}", error.message),
                None => String::new(),
            }),
        },
        Some(_) => refused(String::new()),
    }
}

fn is_of_table(name: &str) -> bool {
    WRITE_OPTIONS.contains(&name)
}

impl Table {
    /// The newest version of the table, or none yet. Blocks.
    ///
    /// # Errors
    /// Those of the format; `InvalidArgument` where something else is in the place.
    pub(crate) fn open(
        tables: &'static dyn TableFormat,
        sink: &SinkPlan,
        target: &Target,
        mode: SinkMode,
        run: &str,
    ) -> Result<Self> {
        possible(tables, &target.real, &target.given)?;
        // As messages name it.
        let folder = PathBuf::from(files::shown(&target.real));
        let snapshot = tables.open(&folder, &Options::new())?;
        let kind = match mode {
            SinkMode::Append => ChangeKind::Append,
            SinkMode::Merge => ChangeKind::Merge,
            _ => ChangeKind::Overwrite,
        };
        let mut change = Change::new(kind, run);
        change.options.clone_from(&sink.options);
        change.options.retain(|name, _| is_of_table(name));
        change.partition_by.clone_from(&sink.layout.partition_by);
        change.replaces = replaces(&sink.options)?;
        change.creates = matches!(mode, SinkMode::Error | SinkMode::Ignore);
        let mut table = Self {
            format: tables,
            folder: target.real.clone(),
            snapshot,
            change,
            options: file_options(&sink.options),
        };
        table.forgets();
        Ok(table)
    }

    /// The table in its newest version now. Blocks.
    ///
    /// # Errors
    /// Those of the format.
    pub(crate) fn reopened(&self) -> Result<Self> {
        let folder = PathBuf::from(files::shown(&self.folder));
        Ok(Self {
            snapshot: self.format.open(&folder, &Options::new())?,
            ..self.clone()
        })
    }

    /// The table as one that a merge replaces: nothing of what it holds counts.
    pub(crate) fn replaced(mut self) -> Self {
        self.change.kind = ChangeKind::Overwrite;
        self
    }

    /// Whether what the table holds counts for a merge.
    pub(crate) fn counts(&self) -> bool {
        self.exists() && self.change.kind == ChangeKind::Merge
    }

    /// The version that there is, or was found.
    pub(crate) fn snapshot(&self) -> &dyn TableSnapshot {
        &*self.snapshot
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The table, with files that a change takes out of it, and how far an application comes with it.
    pub(crate) fn with(mut self, removes: Vec<PathBuf>, app: Option<(String, i64)>) -> Self {
        self.change.removes = removes;
        self.change.apps = app.into_iter().collect();
        self.forgets();
        self
    }

    /// What merges remember of rows goes with them, where all are replaced.
    fn forgets(&mut self) {
        let remembers = (self.snapshot.last(merge::APP)).is_some_and(|last| last > merge::NOTHING);
        let replaces_all = self.change.kind == ChangeKind::Overwrite
            && !laktory_core::table::replaces_a_part(&self.change.options);
        if remembers && replaces_all && self.change.apps.is_empty() {
            (self.change.apps).push((merge::APP.to_owned(), merge::NOTHING));
        }
    }

    /// Whether there is a table.
    pub(crate) fn exists(&self) -> bool {
        self.snapshot.version().is_some()
    }

    /// Files of the version that there is; of an overwrite that replaces a part of the rows, those with such rows.
    ///
    /// # Errors
    /// Those of the format.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let files = self.snapshot.scan(self.change.replaces.as_ref())?.files;
        Ok(files.into_iter().map(|file| file.path).collect())
    }

    /// Files and bytes of the whole folder, if all of it may be removed.
    ///
    /// # Errors
    /// `InvalidArgument` where others have committed to the table, or have files in its folder; those of the format.
    pub(crate) fn removable(&self, given: &str) -> Result<(usize, u64)> {
        let refused = |what: String| {
            Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("`{given}` is not removed: {what}"),
            )
            .with_hint("remove its folder by hand if it may go"))
        };
        let others = self.snapshot.others()?;
        if !others.is_empty() {
            return refused(format!("its log has versions of {}", others.join(", ")));
        }
        let (mut names, mut files, mut bytes) = (Vec::new(), 0, 0);
        for entry in walkdir::WalkDir::new(&self.folder) {
            let entry = entry.map_err(|error| Error::from(std::io::Error::from(error)))?;
            if !entry.file_type().is_file() {
                continue;
            }
            files += 1;
            bytes += entry.metadata().map_or(0, |found| found.len());
            let below = entry.path().strip_prefix(&self.folder);
            let below = below.unwrap_or(entry.path()).to_string_lossy();
            if !below.starts_with(['.', '_']) {
                names.push(below.into_owned());
            }
        }
        let unnamed = self.snapshot.unnamed(&names)?;
        match unnamed.first() {
            Some(file) => refused(format!("its log does not name `{file}`")),
            None => Ok((files, bytes)),
        }
    }

    /// What has to be written for rows of such columns.
    ///
    /// # Errors
    /// Those of the format.
    pub(crate) fn plan(&self, columns: &[Field]) -> Result<Planned> {
        self.snapshot.plan(&self.change, columns)
    }

    /// Brings the parts into the folder of the table, and commits them. `note` takes down their names before that, so that
    /// whoever cleans up behind a killed run knows them. A merge that was overtaken is committed behind the others where `still`
    /// says that it holds in their version. Blocks.
    ///
    /// # Errors
    /// Those of the commit; the parts are gone again then.
    pub(crate) fn commit(
        &self,
        parts: &Parts,
        note: impl FnOnce(&[String]) -> std::io::Result<()>,
        still: &dyn Fn(&dyn TableSnapshot) -> bool,
    ) -> Result<Committed> {
        let planned = parts.planned();
        let files: Vec<(&Path, WrittenFile)> = parts.files()?;
        let names: Vec<String> = files.iter().map(|(_, file)| file.path.clone()).collect();
        note(&names)?;
        let written: Vec<WrittenFile> = files.iter().map(|(_, file)| file.clone()).collect();
        let mut outcome = (self.moved(&files))
            .and_then(|()| self.snapshot.commit(&self.change, planned, &written));
        for _ in 0..REBASES {
            if !matches!(&outcome, Ok(committed) if committed.overtaken) {
                break;
            }
            outcome = match self.reopened() {
                Ok(newer) if still(newer.snapshot()) => {
                    newer.snapshot.commit(&self.change, planned, &written)
                }
                Ok(_) => break,
                Err(error) => Err(error),
            };
        }
        if !matches!(&outcome, Ok(committed) if !committed.overtaken) {
            for (_, file) in &files {
                // The first error is the one to report; what stays is swept by the next run.
                let _ = fs::remove_file(self.folder.join(&file.path));
            }
        }
        outcome
    }

    /// Brings staged parts to their places.
    fn moved(&self, files: &[(&Path, WrittenFile)]) -> Result<()> {
        fs::create_dir_all(&self.folder)?;
        self.snapshot.begin()?;
        for (staged, file) in files {
            let place = self.folder.join(&file.path);
            if let Some(folder) = place.parent() {
                fs::create_dir_all(folder)?;
            }
            if place.exists() {
                let message = format!("`{}` is there already", place.display());
                return Err(Error::new(ErrorKind::Io, message).with_hint("run again"));
            }
            staging::publish(staged, &place)?;
        }
        Ok(())
    }
}
