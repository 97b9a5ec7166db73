//! Files that the crate which engines share decodes: their rows are kept as a spool.

use std::path::PathBuf;

use laktory_core::{Error, Result};
use laktory_formats::decode::Reading;
use polars::prelude::{DataFrame, Expr, IntoLazy, LazyFrame};

use super::Request;
use super::frames::{self, BATCH, Frames};
use crate::error::ResultExt;

/// Files, each with the columns that come with its rows.
#[derive(Clone)]
struct Decoded {
    reading: Reading,
    files: Vec<(PathBuf, Vec<Expr>)>,
    limit: Option<usize>,
}

impl Frames for Decoded {
    fn each(&self, mut push: impl FnMut(DataFrame) -> Result<()>) -> Result<()> {
        let all: Vec<usize> = (0..self.reading.columns().len()).collect();
        let mut left = self.limit.unwrap_or(usize::MAX);
        for (file, constants) in &self.files {
            if left == 0 {
                break;
            }
            for batch in self.reading.batches(file, &all, BATCH)? {
                let mut frame = crate::arrow::from_batch(&batch?)?;
                if frame.height() > left {
                    frame = frame.head(Some(left));
                }
                left -= frame.height();
                if !constants.is_empty() {
                    frame = frame.lazy().with_columns(constants).collect().or_error()?;
                }
                push(frame)?;
                if left == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The plan that reads the files.
pub(super) fn read(request: &Request<'_>) -> Result<LazyFrame> {
    let Some(reading) = Reading::of(request.spec, &request.files)? else {
        return Err(Error::internal("a format that nobody decodes"));
    };
    request.rows.set(reading.rows());
    let declared = crate::schema::schema(reading.columns())?;
    let empty = crate::arrow::empty_frame(reading.schema())?;
    let paths = request.files.paths.iter().enumerate();
    let files = Decoded {
        files: paths
            .map(|(at, file)| Ok((file.clone(), request.constants(at)?)))
            .collect::<Result<_>>()?,
        limit: request.given.count("n_rows")?,
        reading,
    };
    frames::read(request, files, "decoded files", empty.schema(), &declared)
}
