//! Files as lazy frames.

use laktory_core::{Error, Format, FormatSupport, Frame, ReadSpec, Result, RunCx};

use crate::session::Session;

/// The formats that the driver reads.
pub(crate) fn formats() -> Vec<(Format, FormatSupport)> {
    Vec::new()
}

/// A frame that reads files.
pub(crate) async fn read(_: &Session, _: &RunCx, _: &ReadSpec) -> Result<Frame> {
    Err(Error::unsupported("read"))
}

/// The rows of a spilled frame.
pub(crate) fn spilled(
    _: laktory_core::arrow::schema::SchemaRef,
    _: &std::path::Path,
) -> Result<std::sync::Arc<dyn datafusion::catalog::TableProvider>> {
    Err(Error::unsupported("spilling"))
}
