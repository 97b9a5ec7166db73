//! Files that the crate which engines share decodes: their rows are kept as a spool.

use std::path::PathBuf;
use std::sync::Arc;

use laktory_core::{Error, Result};
use laktory_formats::decode::Reading;
use polars::prelude::{DataFrame, Expr, IntoLazy, LazyFrame, PolarsResult, Schema};

use super::{Request, select_declared};
use crate::error::ResultExt;
use crate::spool::Spool;

/// Rows of a decoded batch.
const BATCH: usize = 1 << 15;

/// Files, each with the columns that come with its rows.
#[derive(Clone)]
struct Decoded {
    reading: Reading,
    files: Vec<(PathBuf, Vec<Expr>)>,
    limit: Option<usize>,
}

impl Decoded {
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
    let comes = Arc::new(request.with_kept(Schema::clone(empty.schema()))?);
    let paths = request.files.paths.iter().enumerate();
    let files = Decoded {
        files: paths
            .map(|(at, file)| Ok((file.clone(), request.constants(at)?)))
            .collect::<Result<_>>()?,
        limit: request.given.count("n_rows")?,
        reading,
    };
    let lazy = if request.spec.rows {
        let mut spool = Spool::new(request.cx, Arc::clone(&comes));
        files.each(|frame| {
            request.cx.cancel().check()?;
            spool.push(frame)
        })?;
        spool.finish()?.1
    } else {
        // The names and types are what is wanted.
        let output = Arc::clone(&comes);
        let none = DataFrame::empty_with_schema(&comes);
        let rows = move |_: DataFrame| -> PolarsResult<DataFrame> {
            let mut all = none.clone();
            let decoded = files.each(|frame| {
                all.vstack_mut_owned(frame).or_error()?;
                Ok(())
            });
            decoded.map_err(|error| crate::error::carry(&error))?;
            Ok(all)
        };
        let schema = move |_: &Schema| Ok(Arc::clone(&output));
        crate::ops::opaque(
            DataFrame::empty().lazy(),
            "decoded files",
            rows,
            Some(Arc::new(schema)),
        )
    };
    let is_same = declared
        .iter()
        .all(|(name, dtype)| comes.get(name) == Some(dtype));
    if is_same {
        return Ok(lazy);
    }
    Ok(select_declared(lazy, &declared, &request.kept()?))
}
