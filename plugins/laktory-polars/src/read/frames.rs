//! Files that are decoded batch by batch, beside the engine: their rows are kept as a spool.

use std::sync::Arc;

use laktory_core::Result;
use polars::prelude::{DataFrame, IntoLazy, LazyFrame, PolarsResult, Schema};

use super::{Request, select_declared};
use crate::error::ResultExt;
use crate::spool::Spool;

/// Rows of a decoded batch.
pub(super) const BATCH: usize = 1 << 15;

/// Files that give their rows one frame after the other.
pub(super) trait Frames: Clone + Send + Sync + 'static {
    /// Hands over every frame.
    ///
    /// # Errors
    /// Those of the format, and of `push`.
    fn each(&self, push: impl FnMut(DataFrame) -> Result<()>) -> Result<()>;
}

/// The plan that reads files, in declared types. Their rows come in those of `decoded`, with the columns that are kept beside;
/// `name` is that of the plan's step.
///
/// # Errors
/// Those of the format.
pub(super) fn read(
    request: &Request<'_>,
    files: impl Frames,
    name: &'static str,
    decoded: &Schema,
    declared: &Schema,
) -> Result<LazyFrame> {
    let comes = Arc::new(request.with_kept(Schema::clone(decoded))?);
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
            name,
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
    Ok(select_declared(lazy, declared, &request.kept()?))
}
