//! A node's outputs on this machine's files: where each is staged, what its mode means for an existing target, and how
//! it is published. Modes mean the same for every format and engine.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use laktory_core::{
    Backend, Error, ErrorKind, Field, Format, Frame, NamedFrames, Place, Result, RunCx, StoreSpec,
    Target, WriteMode, WriteSpec, typing,
};
use laktory_plan::{SinkMode, SinkPlan, SinkTarget};

use crate::endings::{self, is_named_like};
use crate::files;
use crate::folder;
use crate::merge::{self, Merge};
use crate::owner;
use crate::record;
use crate::report::OutputReport;
use crate::staging::{self, Staging};
use crate::tables::{Parts, Table};
use crate::target::Target as Spot;

/// How a staged file becomes the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Publish {
    /// It replaces the target file.
    File,
    /// It becomes the only file of the target folder.
    Folder,
    /// It is added to the target folder.
    Part,
    /// It is committed to a table.
    Table,
}

/// Who puts the rows of the target file before the new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Nobody: there are none.
    Nothing,
    /// The driver, which knows the format.
    Driver,
    /// The executor: they are read, and written again.
    Executor,
}

/// One output of a node: prepared, then computed by the engine, then published.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) sink: SinkPlan,
    mode: SinkMode,
    /// None where the engine writes to its own storage.
    staged: Option<Staged>,
}

/// A file of an output on its way to the target.
#[derive(Debug)]
struct Staged {
    file: PathBuf,
    target: Spot,
    how: Publish,
    before: Before,
    /// The folder of the file, removed when dropped.
    folder: Staging,
    /// Bytes that this run adds.
    bytes: u64,
    /// What deserves attention.
    warning: Option<String>,
    /// The table that it becomes a part of, with the parts.
    table: Option<(Table, Parts)>,
    /// The merge into that table.
    merge: Option<Merge>,
}

/// What a sink asks for now.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// Compute and publish.
    Output(Box<Output>),
    /// The target exists, and the mode is IGNORE.
    Skipped(OutputReport),
}

/// Whether a sink can take its place, as far as that shows without touching anything. `full` as in [`prepare`].
///
/// # Errors
/// `InvalidArgument` when files of others would have to go.
pub(crate) fn check(sink: &SinkPlan, target: &Spot, full: bool) -> Result<()> {
    let has_log = sink.target.format().is_some_and(Format::has_log);
    outside_of_tables(target, has_log)?;
    let Some(found) = &target.existing else {
        return Ok(());
    };
    if mode(sink, full) != SinkMode::Overwrite || has_log {
        // What a table was stays in its log.
        return Ok(());
    }
    if target.is_folder {
        return folder::look(&target.real)?.all_ours(&target.real, &target.given);
    }
    let (_, format) = local(sink)?;
    if found.len() == 0 || is_named_like(&target.real, format) || record::was_ours(&target.real) {
        return Ok(());
    }
    let message = format!(
        "`{}` exists, no run of laktory wrote it, and its name is none of a {format} file",
        target.given
    );
    Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(
        "an output replaces only what a run wrote, or what is named like it; choose another path, or move the file away",
    ))
}

/// That a target lies in no table, whose log alone says what is in it; a sink of tables may write to one.
///
/// # Errors
/// `InvalidArgument`, with the folder of the table.
pub(crate) fn outside_of_tables(target: &Spot, is_table: bool) -> Result<()> {
    let around = target.real.ancestors().skip(usize::from(is_table));
    let Some((folder, what)) = files::logged(around) else {
        return Ok(());
    };
    let message = format!(
        "`{}` would put other files into {what}, `{}`",
        target.given,
        files::shown(folder)
    );
    Err(Error::new(ErrorKind::InvalidArgument, message)
        .with_hint("write it with the format of the table, or choose a path outside of it"))
}

/// What a full refresh (R-NEXEC, refresh FULL) makes of a sink's mode: whatever exists is replaced. What is merged is still
/// merged, with nothing.
pub(crate) fn mode(sink: &SinkPlan, full: bool) -> SinkMode {
    match sink.mode {
        SinkMode::Merge => SinkMode::Merge,
        _ if full => SinkMode::Overwrite,
        mode => mode,
    }
}

/// Makes the staging place of a sink, whose target is locked. `full` is a full refresh; `adds` tells that the driver adds
/// rows to files of the format by itself.
///
/// # Errors
/// `InvalidArgument` when the target exists and the mode is ERROR, or when files of others would have to go; `Io` when
/// its folder cannot be written.
pub(crate) fn prepare(
    sink: &SinkPlan,
    target: Spot,
    id: &str,
    full: bool,
    adds: bool,
    table: Option<Table>,
) -> Result<Prepared> {
    let (path, format) = local(sink)?;
    let mode = mode(sink, full);
    let exists = match &table {
        Some(table) => table.exists(),
        None => target.existing.is_some(),
    };
    match mode {
        SinkMode::Ignore if exists => {
            return Ok(Prepared::Skipped(report(sink, mode, true, 0, Some(0))));
        }
        SinkMode::Error if exists => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("`{path}` exists, and the sink's mode is ERROR"),
            )
            .with_hint("remove it, or choose mode OVERWRITE, APPEND or IGNORE"));
        }
        _ => {}
    }
    check(sink, &target, full)?;
    let append = mode == SinkMode::Append && exists;
    let (how, before) = match (target.is_folder, append) {
        (true, true) => (Publish::Part, Before::Nothing),
        (true, false) => (Publish::Folder, Before::Nothing),
        (false, true) if adds => (Publish::File, Before::Driver),
        (false, true) => (Publish::File, Before::Executor),
        (false, false) => (Publish::File, Before::Nothing),
    };
    let (how, before, written) = match &table {
        Some(_) => (Publish::Table, Before::Nothing, &Format::Parquet),
        None => (how, before, format),
    };
    let staging = Staging::create(target.parent(), id)?;
    let extension = endings::of_parts(written, &sink.options);
    let staged = Staged {
        file: staging.path(&folder::part_name(id, &extension)),
        target,
        how,
        before,
        folder: staging,
        bytes: 0,
        warning: None,
        table: table.map(|table| (table, Parts::default())),
        merge: None,
    };
    Ok(Prepared::Output(Box::new(Output {
        sink: sink.clone(),
        mode,
        staged: Some(staged),
    })))
}

/// The path and format of a sink that writes files of this machine.
fn local(sink: &SinkPlan) -> Result<(&str, &Format)> {
    match &sink.target {
        SinkTarget::File { path, format } => Ok((path, format)),
        other => Err(Error::internal(format!("`{other}` is no file"))),
    }
}

/// An output that the engine writes to its own storage, by itself. `full` as in [`prepare`].
pub(crate) fn on_engine(sink: &SinkPlan, full: bool) -> Output {
    Output {
        sink: sink.clone(),
        mode: mode(sink, full),
        staged: None,
    }
}

impl Output {
    /// The frames and jobs of what is committed to a table: one for each part. None for other outputs.
    ///
    /// # Errors
    /// Those of the format, and of the engine.
    pub(crate) async fn split(
        &mut self,
        cx: &RunCx,
        backend: &Arc<dyn Backend>,
        frame: &Frame,
    ) -> Result<Option<Vec<(Frame, Target)>>> {
        let Some(Staged {
            file,
            table: Some((table, parts)),
            ..
        }) = &mut self.staged
        else {
            return Ok(None);
        };
        let schema = backend.schema(cx, frame).await?;
        let columns: Vec<Field> = (schema.fields().iter())
            .map(|field| Field::from_arrow(field))
            .collect();
        let planned = table.plan(&columns)?;
        let (first, stem) = (file.clone(), file.with_extension(""));
        let staged = |number| match number {
            0 => first.clone(),
            _ => PathBuf::from(format!("{}-{number}.parquet", stem.display())),
        };
        let (found, frames) = Parts::of(cx, backend, frame, planned, staged).await?;
        *parts = found;
        let jobs = parts.iter().map(|part| {
            let mut spec = WriteSpec::new(Format::Parquet, &part.staged);
            spec.options = table.options.clone();
            Target::Write(spec)
        });
        Ok(Some(frames.into_iter().zip(jobs).collect()))
    }

    /// The changes that are merged into a table, made of the rows of the node; none for other outputs.
    ///
    /// # Errors
    /// Those of the format, and of the engine.
    pub(crate) async fn changes(
        &mut self,
        cx: &RunCx,
        backend: &Arc<dyn Backend>,
        frame: &Frame,
    ) -> Result<Option<Frame>> {
        let (Some(plan), Some(staged)) = (&self.sink.merge, &mut self.staged) else {
            return Ok(None);
        };
        let Some((table, _)) = &staged.table else {
            return Ok(None);
        };
        let given = typing::columns(&**backend, cx, frame).await?;
        let merge = Merge::new(plan, table.clone(), given.to_vec())?;
        let mut changes = frame.clone();
        for op in merge.events() {
            changes = typing::apply(&**backend, cx, &changes, &op, &NamedFrames::new()).await?;
        }
        staged.merge = Some(merge);
        Ok(Some(changes))
    }

    /// Whether rows are merged into a table.
    pub(crate) fn is_merged(&self) -> bool {
        self.mode == SinkMode::Merge
    }

    /// That changes can be put in their order.
    ///
    /// # Errors
    /// As [`Merge::in_order`].
    pub(crate) async fn in_order(
        &self,
        cx: &RunCx,
        backend: &Arc<dyn Backend>,
        changes: &Frame,
    ) -> Result<()> {
        match self
            .staged
            .as_ref()
            .and_then(|staged| staged.merge.as_ref())
        {
            Some(merge) => merge.in_order((cx, backend), changes).await,
            None => Err(Error::internal("an output without changes is merged")),
        }
    }

    /// Merges changes, as many as `rows`, and commits what comes of it. Gives with the report what deserves attention.
    ///
    /// # Errors
    /// As [`Merge::carry_out`].
    pub(crate) async fn merge(
        self,
        cx: &RunCx,
        backend: &Arc<dyn Backend>,
        (changes, rows): (&Frame, u64),
    ) -> Result<(OutputReport, Option<String>)> {
        let missing = || Error::internal("an output without changes is merged");
        let mut staged = self.staged.ok_or_else(missing)?;
        let merge = staged.merge.take().ok_or_else(missing)?;
        let stem = staged.file.with_extension("");
        let (folder, target) = (staged.folder, staged.target.real.clone());
        let folder = Arc::new(folder);
        let noted = Arc::clone(&folder);
        let files = merge::Staged {
            part: &|attempt, name| {
                PathBuf::from(format!("{}-{attempt}-{name}.parquet", stem.display()))
            },
            note: Arc::new(move |names| noted.adds(&target, names)),
        };
        let merged = merge
            .carry_out((cx, backend), changes, rows, &files)
            .await?;
        let output = OutputReport {
            merge: Some(merged.report),
            ..report(&self.sink, self.mode, false, rows, Some(merged.bytes))
        };
        let warnings = merged.warnings;
        Ok((output, (!warnings.is_empty()).then(|| warnings.join("; "))))
    }

    /// Takes down the rows of each part of a table.
    pub(crate) fn counted(&mut self, rows: &[u64]) {
        if let Some(Staged {
            table: Some((_, parts)),
            ..
        }) = &mut self.staged
        {
            parts.counted(rows);
        }
    }

    /// What the engine must do.
    ///
    /// # Errors
    /// `Internal` for a view, which no rows are written to.
    pub(crate) fn job(&self) -> Result<Target> {
        let options = self.sink.options.clone();
        if let Some(staged) = &self.staged {
            let (_, format) = local(&self.sink)?;
            let mut spec = WriteSpec::new(format.clone(), &staged.file);
            spec.existing = (staged.before == Before::Driver).then(|| staged.target.real.clone());
            spec.options = options;
            return Ok(Target::Write(spec));
        }
        let (place, format) = match &self.sink.target {
            SinkTarget::File { path, format } => (Place::Path(path.clone()), format),
            SinkTarget::Table { name, format } => (Place::Table(name.clone()), format),
            view @ SinkTarget::View { .. } => {
                return Err(Error::internal(format!("`{view}` takes no rows")));
            }
        };
        let mut spec = StoreSpec::new(place, format.clone());
        spec.options = options;
        spec.layout = self.sink.layout.clone();
        let mode = match self.mode {
            SinkMode::Overwrite => WriteMode::Overwrite,
            SinkMode::Append => WriteMode::Append,
            SinkMode::Ignore => WriteMode::Ignore,
            SinkMode::Error => WriteMode::Error,
            SinkMode::Merge => {
                return Err(Error::internal(
                    "an engine's own storage is not merged into",
                ));
            }
        };
        Ok(Target::Store { spec, mode })
    }

    /// Whether the existing rows must be read and written again, before the new ones.
    pub(crate) fn is_with_existing(&self) -> bool {
        self.staged
            .as_ref()
            .is_some_and(|staged| staged.before == Before::Executor)
    }

    /// Whether rows are added to what is there.
    pub(crate) fn is_added(&self) -> bool {
        self.mode == SinkMode::Append
            && (self.staged.as_ref())
                .is_some_and(|staged| staged.table.is_none() && staged.target.existing.is_some())
    }

    /// Whether the engine writes to its own storage, so that the output is visible as soon as it is written.
    pub(crate) fn is_on_engine(&self) -> bool {
        self.staged.is_none()
    }

    /// Whether the number of rows that were written is known beforehand.
    pub(crate) fn is_counted(&self) -> bool {
        !(self.is_on_engine() && self.mode == SinkMode::Ignore)
    }

    /// Makes what was staged ready to take the target's place. What can be wrong with the rows themselves shows here,
    /// before any output of the node is published.
    ///
    /// # Errors
    /// `InvalidArgument` when files of others came into the folder meanwhile, or a target of which nothing was there has come
    /// and would be lost; `Io`.
    pub(crate) fn complete(&mut self) -> Result<()> {
        let Some(staged) = &mut self.staged else {
            return Ok(());
        };
        if let Some((_, parts)) = &staged.table {
            staged.bytes = parts.iter().map(|part| staging::size(&part.staged)).sum();
            return Ok(());
        }
        staged.still_absent(self.mode)?;
        let old = staged.target.existing.as_ref();
        staged.bytes = match staged.before {
            Before::Driver => {
                staging::size(&staged.file).saturating_sub(old.map_or(0, Metadata::len))
            }
            _ => staging::size(&staged.file),
        };
        if staged.how == Publish::Folder {
            staged.become_folder()?;
        }
        if let (Some(old), false) = (&staged.target.existing, staged.how == Publish::Part)
            && let Some(owner) = owner::keep(old, &staged.file)?
        {
            staged.warning = Some(format!(
                "`{}` belongs to {owner}; that could not be kept, and it now belongs to who runs this",
                staged.target.given
            ));
        }
        Ok(())
    }

    /// Puts what was [completed](Output::complete) in the place of the target. `rows` are the rows that this run added.
    /// Gives with the report what deserves attention.
    ///
    /// # Errors
    /// `Io` when the target cannot be replaced.
    pub(crate) fn publish(self, rows: u64) -> Result<(OutputReport, Option<String>)> {
        let mut warning = None;
        let mut bytes = None;
        if let Some(mut staged) = self.staged {
            bytes = Some(staged.bytes);
            staged.publish()?;
            warning = staged.warning;
        }
        let report = report(&self.sink, self.mode, false, rows, bytes);
        Ok((report, warning))
    }
}

impl Staged {
    /// That nobody has put something into the place of a target since it was found empty, unless it may be replaced.
    fn still_absent(&self, mode: SinkMode) -> Result<()> {
        let replaces = mode == SinkMode::Overwrite || self.target.existing.is_some();
        if replaces || fs::symlink_metadata(&self.target.real).is_err() {
            return Ok(());
        }
        let message = format!(
            "`{}` came into being while the node was computed, and the sink's mode is {}",
            self.target.given,
            mode.name()
        );
        Err(Error::new(ErrorKind::InvalidArgument, message)
            .with_hint("run again: its mode decides then what becomes of it"))
    }

    /// Makes a folder of the staged file, with what is others' in the folder that it will replace.
    fn become_folder(&mut self) -> Result<()> {
        let new = self.folder.path(staging::FOLDER);
        fs::create_dir(&new)?;
        let part = new.join(file_name(&self.file));
        fs::rename(&self.file, &part)?;
        let old = &self.target.real;
        // It may have been made meanwhile.
        if old.is_dir() {
            let contents = folder::look(old)?;
            contents.all_ours(old, &self.target.given)?;
            if let Some((like, _)) = contents.parts.first() {
                owner::keep(&fs::metadata(like)?, &part)?;
            }
            folder::carry(old, &new).map_err(|error| {
                Error::from(error).context(format!("cannot replace `{}`", self.target.given))
            })?;
        }
        self.folder.exchanges(old)?;
        self.file = new;
        Ok(())
    }

    fn publish(&mut self) -> Result<()> {
        if let Some((table, parts)) = &self.table {
            let target = &self.target.real;
            let committed =
                table.commit(parts, |names| self.folder.adds(target, names), &|_| false)?;
            let warnings = committed.warnings;
            self.warning = (!warnings.is_empty()).then(|| warnings.join("; "));
            return Ok(());
        }
        let target = &self.target.real;
        match self.how {
            Publish::Table => Err(Error::internal("a table is committed to")),
            Publish::Part => staging::publish(&self.file, &target.join(file_name(&self.file))),
            Publish::Folder => staging::publish(&self.file, target),
            Publish::File => {
                // Rows of others that ours were added to stay theirs.
                if self.before == Before::Nothing || record::is_ours(target) {
                    record::note(&self.file, target);
                } else {
                    record::forget(target);
                }
                staging::publish(&self.file, target)
            }
        }
    }
}

/// What was published, by the position of the output, each with a warning if there is one.
pub(crate) type Published = Vec<(usize, OutputReport, Option<String>)>;

/// Outputs of a node by their positions, each with the rows that were added to it.
pub(crate) type Counted = Vec<(usize, Output, u64)>;

/// [Completes](Output::complete) outputs.
///
/// # Errors
/// The position of the output that failed. Nothing was published.
pub(crate) fn complete_all(mut outputs: Counted) -> Result<Counted, (usize, Error)> {
    for (number, output, _) in &mut outputs {
        output.complete().map_err(|error| (*number, error))?;
    }
    Ok(outputs)
}

/// Publishes completed outputs.
///
/// # Errors
/// The position of the output that failed.
pub(crate) fn publish_all(outputs: Counted) -> (Published, Result<(), (usize, Error)>) {
    let mut published = Vec::with_capacity(outputs.len());
    for (number, output, rows) in outputs {
        match output.publish(rows) {
            Ok((report, warning)) => published.push((number, report, warning)),
            Err(error) => return (published, Err((number, error))),
        }
    }
    (published, Ok(()))
}

/// What became of a sink.
pub(crate) fn report(
    sink: &SinkPlan,
    mode: SinkMode,
    skipped: bool,
    rows: u64,
    bytes: Option<u64>,
) -> OutputReport {
    OutputReport {
        path: sink.target.to_string(),
        format: sink.target.format_name().to_owned(),
        mode: mode.name().to_owned(),
        quarantine: sink.quarantine,
        skipped,
        rows,
        merge: None,
        bytes,
    }
}

fn file_name(path: &Path) -> &std::ffi::OsStr {
    path.file_name().expect("a staged file has a name")
}
