//! One table, written and read back.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use laktory_core::{
    BackendDescriptor, DType, Error, ErrorKind, Field, Format, Job, Options, Place, ReadSpec,
    Result, RoundTrip, StoreSpec, Target, WriteMode, WriteSpec,
};

use crate::cells::{Cell, cells};
use crate::compare::Actual;
use crate::frames::Table;
use crate::runner::Session;

/// What came back of a table.
pub(super) enum Back {
    /// The first difference of each column.
    Rows(Vec<Option<String>>),
    /// The driver does not write it.
    Refused(String),
    /// What was written is not read.
    Unreadable(String),
}

/// Writes a table with options and reads it back with what they mean for reading. Gives the types of its columns as the
/// engine has them, and what came back; none where the engine does not take the table.
///
/// # Errors
/// Those of computing what was taken.
pub(super) fn carry(
    session: &Session,
    descriptor: &'static BackendDescriptor,
    table: &Table,
    format: &Format,
    options: &Options,
) -> std::result::Result<Option<(Vec<DType>, Back)>, String> {
    let folder = Folder::create().map_err(|error| error.to_string())?;
    let path = folder.0.join("rows");
    let capabilities = (descriptor.capabilities)();
    let trip = capabilities.round_trip(format);
    let batch = table.batch()?;
    let Ok(frame) = session.import_batch(&batch) else {
        return Ok(None);
    };
    let (cx, backend) = session.engine();
    let told = |error: Error| format!("{} ({})", error.message(), error.kind().name());
    let sent = session.guarded("a round trip", session.exported(&frame));
    let sent = sent.map_err(told)?;
    let written = session.guarded("a round trip", async {
        let target = match capabilities.local_files {
            true => {
                let mut spec = WriteSpec::new(format.clone(), &path);
                spec.options = options.clone();
                Target::Write(spec)
            }
            false => {
                let place = Place::Path(path.display().to_string());
                let mut spec = StoreSpec::new(place, format.clone());
                spec.options = options.clone();
                Target::Store {
                    spec,
                    mode: WriteMode::Overwrite,
                }
            }
        };
        backend.execute(cx, vec![Job::new(frame, target)]).await
    });
    let dtypes: Vec<DType> = fields(&sent).into_iter().map(|field| field.dtype).collect();
    if let Err(error) = written {
        return match error.kind() {
            ErrorKind::Internal => Err(told(error)),
            _ => Ok(Some((dtypes, Back::Refused(told(error))))),
        };
    }
    let spec = reading(
        format,
        &path,
        &trip,
        options,
        &sent,
        capabilities.local_files,
    );
    let found = session.guarded("a round trip", async {
        let frame = backend.read(cx, &spec).await?;
        session.exported(&frame).await
    });
    let back = match found {
        Ok(found) => Back::Rows(differences(&sent, &found)?),
        Err(error) if error.kind() == ErrorKind::Internal => return Err(told(error)),
        Err(error) => Back::Unreadable(format!("it is not read: {}", told(error))),
    };
    Ok(Some((dtypes, back)))
}

fn reading(
    format: &Format,
    path: &Path,
    trip: &RoundTrip,
    options: &Options,
    sent: &Actual,
    local_files: bool,
) -> ReadSpec {
    let mut spec = ReadSpec::new(format.clone(), path.display().to_string());
    spec.rows = true;
    if local_files {
        spec.files = vec![path.to_owned()];
    }
    if !format.holds_types() {
        spec.schema = Some(fields(sent));
        trip.read_back(options, &mut spec);
    }
    spec
}

fn fields(frame: &Actual) -> Vec<Field> {
    let fields = frame.schema.fields().iter();
    fields
        .map(|field| Field::new(field.name().as_str(), DType::from_arrow(field.data_type())))
        .collect()
}

/// The first difference of each column of `sent`. The first column numbers the rows.
fn differences(sent: &Actual, found: &Actual) -> std::result::Result<Vec<Option<String>>, String> {
    let (types, others) = (fields(sent), fields(found));
    let (sent, found) = (rows(sent)?, rows(found)?);
    if sent.len() != found.len() || types.len() != others.len() {
        let how = format!(
            "{} rows of {} columns are {} rows of {} columns",
            sent.len(),
            types.len(),
            found.len(),
            others.len()
        );
        return Ok(vec![Some(how); types.len()]);
    }
    let differs = |column: usize| {
        let (wanted, got) = (&types[column], &others[column]);
        if wanted != got {
            return Some(format!(
                "`{}` of type {} is `{}` of type {}",
                wanted.name, wanted.dtype, got.name, got.dtype
            ));
        }
        let values = sent.iter().zip(&found);
        values
            .map(|(sent, found)| (&sent[column], &found[column]))
            .find(|(sent, found)| sent != found)
            .map(|(sent, found)| format!("{sent} of type {} is {found}", wanted.dtype))
    };
    Ok((0..types.len()).map(differs).collect())
}

/// The cells of each row as texts, which tell all of them apart, in the order of the first column.
fn rows(frame: &Actual) -> std::result::Result<Vec<Vec<String>>, String> {
    let mut rows: Vec<(i128, Vec<String>)> = Vec::new();
    for batch in &frame.batches {
        let columns: Vec<Vec<Cell>> = batch
            .columns()
            .iter()
            .map(cells)
            .collect::<std::result::Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let number = match columns.first().map(|column| &column[row]) {
                Some(Cell::Int(number)) => *number,
                _ => i128::MAX,
            };
            let texts = columns.iter().map(|column| column[row].to_string());
            rows.push((number, texts.collect()));
        }
    }
    rows.sort_by_key(|(number, _)| *number);
    Ok(rows.into_iter().map(|(_, texts)| texts).collect())
}

/// A folder that goes with its owner.
struct Folder(PathBuf);

static FOLDERS: AtomicU64 = AtomicU64::new(0);

impl Folder {
    fn create() -> Result<Self> {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("laktory-round-trip-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
