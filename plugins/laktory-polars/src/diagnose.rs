//! Errors of files, told with file and line. polars knows neither when a line does not parse; after such an error the
//! files of the plan are read once more, line by line, until the guilty one is found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use laktory_core::{Error, ErrorKind, Format, ReadSpec, Result};
use laktory_formats::csv::Reading;
use laktory_formats::json::{Answer, Decoding, Layout, decode};
use polars::prelude::{DataFrame, Engine, Expr, LazyFrame, PlanCallback, ScanArgsParquet};
use polars_io::ipc::IpcScanOptions;
use polars_plan::dsl::UnifiedScanArgs;

/// Files that a plan reads.
#[derive(Debug)]
pub(crate) struct Source {
    format: Format,
    files: Vec<PathBuf>,
    /// What is known of files of JSON.
    json: Option<Answer>,
    /// How files of CSV are read.
    csv: Option<Arc<Reading>>,
    /// Those whose columns are converted.
    converted: Vec<Converted>,
}

/// Files that are read in other types than they have.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) files: Vec<PathBuf>,
    /// The columns, as they are read.
    pub(crate) columns: Vec<Expr>,
}

impl Source {
    /// The files of a read, and what is known of those of JSON.
    pub(crate) fn new(spec: &ReadSpec, files: Vec<PathBuf>, json: Option<Answer>) -> Self {
        Self {
            format: spec.format.clone(),
            files,
            json,
            csv: None,
            converted: Vec::new(),
        }
    }

    /// The same files, with how they are read as CSV.
    pub(crate) fn of_csv(mut self, reading: Arc<Reading>) -> Self {
        self.csv = Some(reading);
        self
    }

    /// The same files, of which some are converted.
    pub(crate) fn converting(mut self, converted: Vec<Converted>) -> Self {
        self.converted = converted;
        self
    }

    /// The error with the file whose values are not of the types in which they are read.
    fn misfit(&self, error: &Error) -> Option<Error> {
        // How many of the values fail depends on how many are looked at.
        let said = |error: &Error| {
            let text = error.message();
            text.split(" for ").next().unwrap_or(text).to_owned()
        };
        let mut files = self.converted.iter().flat_map(|converted| {
            let columns = &converted.columns;
            converted.files.iter().map(move |file| (file, columns))
        });
        let (file, _) = files.find(|(file, columns)| {
            matches!(read(&self.format, file, columns), Err(Some(own)) if said(&own) == said(error))
        })?;
        let named = Error::new(
            error.kind(),
            format!("`{}`: {}", file.display(), error.message()),
        );
        Some(named.with_hint(laktory_formats::OTHER_TYPE))
    }
}

/// Whether the files of CSV are what they were when their plan was made.
///
/// # Errors
/// `ConversionFailed` for a file that was changed meanwhile.
pub(crate) fn unchanged(sources: &[Arc<Source>]) -> Result<()> {
    let readings = sources.iter().filter_map(|source| source.csv.as_ref());
    for (file, stamp) in readings.flat_map(|reading| reading.files()) {
        stamp.check(file)?;
    }
    Ok(())
}

/// The first fault of files of CSV, as our own decoder tells it.
fn fault(reading: &Arc<Reading>) -> Option<Error> {
    let all: Vec<usize> = (0..reading.columns().len()).collect();
    (0..reading.files().count()).find_map(|file| match reading.batches(file, &all, ROWS) {
        Ok(mut batches) => batches.find_map(|batch| batch.err()),
        Err(error) => Some(error),
    })
}

/// Rows that are decoded at once.
const ROWS: usize = 8_192;

/// The error with the file and the line that caused it, when it is of that kind and they can be found.
pub(crate) fn locate(error: Error, sources: &[Arc<Source>]) -> Error {
    // The engine's parser and conversions behind it fail in many words.
    let of_values = matches!(
        error.kind(),
        ErrorKind::Compute | ErrorKind::ConversionFailed
    );
    for source in sources {
        let located = match source.format {
            Format::JsonLines if of_values => source.json.as_ref().and_then(|json| {
                let mut files = source.files.iter();
                files.find_map(|file| misread(file, json))
            }),
            Format::Csv if of_values => source.csv.as_ref().and_then(fault),
            Format::Parquet | Format::Ipc => {
                let damaged = || {
                    let mut files = source.files.iter();
                    let file = files.find(|file| read(&source.format, file, &[]).is_err())?;
                    Some(laktory_formats::damaged(&source.format, file))
                };
                let misfit = if of_values {
                    source.misfit(&error)
                } else {
                    None
                };
                misfit.or_else(|| {
                    laktory_formats::may_be_damage(&error)
                        .then(damaged)
                        .flatten()
                })
            }
            _ => None,
        };
        if let Some(located) = located {
            return located.with_source(error);
        }
    }
    error
}

/// What `run` gives, or the error of a damaged file of `sources` when the engine panics at it.
pub(crate) fn unless_damaged<T>(
    sources: &[Arc<Source>],
    run: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let carried = sources
        .iter()
        .any(|source| matches!(source.format, Format::Parquet | Format::Ipc));
    if !carried {
        return run().map_err(|error| locate(error, sources));
    }
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(outcome) => outcome.map_err(|error| locate(error, sources)),
        Err(panic) => Err(locate(Error::from_panic(&*panic), sources)),
    }
}

/// Reads all rows of a file, and some columns of it, all without. Gives the error, or that there was a panic.
fn read(format: &Format, file: &Path, columns: &[Expr]) -> std::result::Result<(), Option<Error>> {
    let decoded = catch_unwind(AssertUnwindSafe(|| -> Result<()> {
        let Ok(path) = crate::read::path(file) else {
            return Ok(());
        };
        if *format == Format::Ipc {
            laktory_formats::ipc::inspect(file)?;
        }
        let scan = match format {
            Format::Ipc => LazyFrame::scan_ipc(
                path,
                IpcScanOptions::default(),
                UnifiedScanArgs {
                    glob: false,
                    ..UnifiedScanArgs::default()
                },
            ),
            _ => LazyFrame::scan_parquet(
                path,
                ScanArgsParquet {
                    glob: false,
                    ..ScanArgsParquet::default()
                },
            ),
        };
        let scan = match columns {
            [] => scan,
            columns => scan.map(|scan| scan.select(columns)),
        };
        let nowhere = PlanCallback::new(|_: DataFrame| Ok(false));
        let rows = scan.and_then(|scan| scan.sink_batches(nowhere, false, None));
        rows.and_then(|rows| rows.collect_with_engine(Engine::Streaming))
            .map(|_| ())
            .map_err(crate::error::engine_error)
    }));
    match decoded {
        Ok(outcome) => outcome.map_err(Some),
        Err(_) => Err(None),
    }
}

/// An error for the first line of a file that does not fit its columns.
fn misread(file: &Path, json: &Answer) -> Option<Error> {
    let decoding = Decoding {
        source: crate::read::json_source(file).ok()?,
        layout: Layout::Lines,
        range: None,
        batch_size: 1 << 13,
        complete: false,
    };
    let mut batches = decode(decoding, &json.columns).ok()?;
    batches.find_map(Result::err)
}
