//! A node's outputs on this machine's files: where each is staged, what its mode means for an existing target, and how
//! it is published. Modes mean the same for every format and engine.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use laktory_core::{
    Error, ErrorKind, Format, OptionValue, Place, Result, StoreSpec, Target, WriteMode, WriteSpec,
};
use laktory_plan::{SinkMode, SinkPlan, SinkTarget, Stored};

use crate::files;
use crate::report::OutputReport;
use crate::staging::{self, Staging};

/// How a staged file becomes the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Publish {
    /// It replaces the target file.
    File,
    /// It becomes the only file of the target folder.
    Folder,
    /// It is added to the target folder.
    Part,
    /// It is added to the end of a copy of the target file, which then replaces it.
    Concatenated,
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
    target: PathBuf,
    how: Publish,
    /// The existing rows are part of the staged file: the engine must put them first.
    with_existing: bool,
    /// The folder of the file, removed when dropped.
    folder: Staging,
    /// Bytes that this run adds.
    bytes: u64,
}

/// What a sink asks for now.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// Compute and publish.
    Output(Box<Output>),
    /// The target exists, and the mode is IGNORE.
    Skipped(OutputReport),
}

/// Whether a sink's path can be a target, as far as that shows without touching anything.
///
/// # Errors
/// `Unsupported` for remote storage; `Io` where a file stands in the place of a folder.
pub(crate) fn check(path: &str) -> Result<()> {
    let target = files::local_path(path.trim_end_matches('/'))?;
    let in_the_way = |file: &Path| {
        Error::new(
            ErrorKind::Io,
            format!(
                "`{}` is a file, and `{path}` needs a folder there",
                file.display(),
            ),
        )
        .with_hint("choose another path, or remove the file")
    };
    if path.ends_with('/') && target.is_file() {
        return Err(in_the_way(&target));
    }
    match target.ancestors().skip(1).find(|parent| parent.exists()) {
        Some(parent) if !parent.is_dir() => Err(in_the_way(parent)),
        _ => Ok(()),
    }
}

/// Makes the staging place of a sink. `full` is a full refresh: whatever exists is replaced (R-NEXEC, refresh FULL).
///
/// # Errors
/// `InvalidArgument` when the target exists and the mode is ERROR; `Io` when its folder cannot be written.
pub(crate) fn prepare(sink: &SinkPlan, id: &str, full: bool) -> Result<Prepared> {
    let (path, format) = local(sink)?;
    let target = files::local_path(path)?;
    let mode = if full { SinkMode::Overwrite } else { sink.mode };
    let exists = target.exists();
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
    let folder = target.is_dir() || path.ends_with('/');
    let append = mode == SinkMode::Append && exists;
    let how = match (folder, append, format) {
        (true, true, _) => Publish::Part,
        (true, false, _) => Publish::Folder,
        (false, true, Format::Csv | Format::JsonLines) => Publish::Concatenated,
        (false, ..) => Publish::File,
    };
    let staging = Staging::create(parent(&target), id)?;
    let extension = format.name().to_ascii_lowercase();
    let staged = Staged {
        file: staging.path(&format!("part-{id}.{extension}")),
        target,
        how,
        with_existing: append && how == Publish::File,
        folder: staging,
        bytes: 0,
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
        mode: if full { SinkMode::Overwrite } else { sink.mode },
        staged: None,
    }
}

impl Output {
    /// What the engine must do.
    ///
    /// # Errors
    /// `Internal` for a view, which no rows are written to.
    pub(crate) fn job(&self) -> Result<Target> {
        let options = self.sink.options.clone();
        if let Some(staged) = &self.staged {
            let (_, format) = local(&self.sink)?;
            return Ok(Target::Write(WriteSpec {
                format: format.clone(),
                path: staged.file.clone(),
                options,
            }));
        }
        let (place, format) = match &self.sink.target {
            SinkTarget::File { path, format } => (Place::Path(path.clone()), format),
            SinkTarget::Table { name, format } => (Place::Table(name.clone()), format),
            view @ SinkTarget::View { .. } => {
                return Err(Error::internal(format!("`{view}` takes no rows")));
            }
        };
        let spec = StoreSpec {
            place,
            format: format.clone(),
            options,
            layout: self.sink.layout.clone(),
        };
        let mode = match self.mode {
            SinkMode::Overwrite => WriteMode::Overwrite,
            SinkMode::Append => WriteMode::Append,
            SinkMode::Ignore => WriteMode::Ignore,
            SinkMode::Error => WriteMode::Error,
        };
        Ok(Target::Store { spec, mode })
    }

    /// Whether the existing rows must be read and written again, before the new ones.
    pub(crate) fn is_with_existing(&self) -> bool {
        self.staged
            .as_ref()
            .is_some_and(|staged| staged.with_existing)
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
    /// `SchemaMismatch` when a CSV file with other columns would be appended to; `Io`.
    pub(crate) fn complete(&mut self) -> Result<()> {
        let Some(staged) = &mut self.staged else {
            return Ok(());
        };
        staged.bytes = staging::size(&staged.file);
        match staged.how {
            Publish::File | Publish::Part => {}
            Publish::Folder => {
                let folder = staged.folder.path("folder");
                fs::create_dir(&folder)?;
                fs::rename(&staged.file, folder.join(file_name(&staged.file)))?;
                staged.file = folder;
            }
            Publish::Concatenated => {
                let whole = staged.folder.path("whole");
                concatenate(&staged.target, &staged.file, &whole, &self.sink)?;
                staged.file = whole;
            }
        }
        Ok(())
    }

    /// Puts what was [completed](Output::complete) in the place of the target. `rows` are the rows that this run added.
    ///
    /// # Errors
    /// `Io` when the target cannot be replaced.
    pub(crate) fn publish(self, rows: u64) -> Result<OutputReport> {
        if let Some(staged) = &self.staged {
            match staged.how {
                Publish::Part => {
                    let part = staged.target.join(file_name(&staged.file));
                    staging::publish(&staged.file, &part)?;
                }
                _ => staging::publish(&staged.file, &staged.target)?,
            }
        }
        let bytes = self.staged.as_ref().map(|staged| staged.bytes);
        Ok(report(&self.sink, self.mode, false, rows, bytes))
    }
}

/// Publishes the outputs of a node, each with the rows that were added to it.
///
/// # Errors
/// The position of the output that failed. When what was computed is at fault, nothing was published.
pub(crate) fn publish_all(
    mut outputs: Vec<Output>,
    rows: &[u64],
) -> (Vec<OutputReport>, Result<(), (usize, Error)>) {
    let mut published = Vec::with_capacity(outputs.len());
    for (number, output) in outputs.iter_mut().enumerate() {
        if let Err(error) = output.complete() {
            return (published, Err((number, error)));
        }
    }
    for (number, (output, rows)) in outputs.into_iter().zip(rows).enumerate() {
        match output.publish(*rows) {
            Ok(report) => published.push(report),
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
        mode: match mode {
            SinkMode::Overwrite => "OVERWRITE",
            SinkMode::Append => "APPEND",
            SinkMode::Ignore => "IGNORE",
            SinkMode::Error => "ERROR",
        }
        .to_owned(),
        quarantine: sink.quarantine,
        skipped,
        rows,
        bytes,
    }
}

/// Removes what killed runs left beside a sink's target.
pub(crate) fn sweep(sink: &SinkPlan) {
    if let Ok((path, _)) = local(sink)
        && let Ok(target) = files::local_path(path)
    {
        staging::sweep(parent(&target));
    }
}

/// Removes a file or folder (refresh RESET). Gives whether there was one.
///
/// # Errors
/// `Io` when it cannot be removed.
pub(crate) fn reset(path: &str) -> Result<bool> {
    let target = files::local_path(path)?;
    let exists = target.exists();
    staging::remove(&target)?;
    Ok(exists)
}

fn parent(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn file_name(path: &Path) -> &std::ffi::OsStr {
    path.file_name().expect("a staged file has a name")
}

/// Writes the bytes of `old`, then those of `new` without its CSV header, to `whole`.
fn concatenate(old: &Path, new: &Path, whole: &Path, sink: &SinkPlan) -> Result<()> {
    fs::copy(old, whole)?;
    let mut new = BufReader::new(File::open(new)?);
    let with_header =
        matches!(&sink.read, Stored::Files(read) if read.format == Format::Csv && read.has_header);
    if with_header {
        let added = csv_header(&mut new)?;
        let present = csv_header(&mut BufReader::new(File::open(old)?))?;
        let separator = separator(sink);
        if !present.is_empty() && columns(&present, separator) != columns(&added, separator) {
            return Err(Error::new(
                ErrorKind::SchemaMismatch,
                format!(
                    "cannot append to `{}`: it has the columns `{}`, the new rows have `{}`",
                    sink.target,
                    String::from_utf8_lossy(trimmed(&present)),
                    String::from_utf8_lossy(trimmed(&added)),
                ),
            )
            .with_hint("select the same columns in the same order, or use mode OVERWRITE"));
        }
        if present.is_empty() {
            File::options()
                .append(true)
                .open(whole)?
                .write_all(&added)?;
        }
    }
    let mut whole = File::options().read(true).append(true).open(whole)?;
    if !ends_with_newline(old)? {
        whole.write_all(b"\n")?;
    }
    io::copy(&mut new, &mut whole)?;
    Ok(())
}

/// The first record of a CSV text, with its line break; quotes may span lines.
fn csv_header(text: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    let mut quoted = false;
    for byte in text.bytes() {
        let byte = byte?;
        header.push(byte);
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ => {}
        }
    }
    Ok(header)
}

fn trimmed(header: &[u8]) -> &[u8] {
    header
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(header)
        .trim_ascii_end()
}

/// The names in a header, quoted or not.
fn columns(header: &[u8], separator: u8) -> Vec<Vec<u8>> {
    let mut names = vec![Vec::new()];
    let mut quoted = false;
    let mut letters = trimmed(header).iter().peekable();
    while let Some(&letter) = letters.next() {
        let last = names.len() - 1;
        match letter {
            b'"' if quoted && letters.next_if_eq(&&b'"').is_some() => names[last].push(b'"'),
            b'"' => quoted = !quoted,
            _ if letter == separator && !quoted => names.push(Vec::new()),
            _ => names[last].push(letter),
        }
    }
    names
}

fn separator(sink: &SinkPlan) -> u8 {
    match sink.options.get("separator") {
        Some(OptionValue::Text(text)) => text.bytes().next().unwrap_or(b','),
        _ => b',',
    }
}

fn ends_with_newline(path: &Path) -> io::Result<bool> {
    use std::io::{Seek, SeekFrom};
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
