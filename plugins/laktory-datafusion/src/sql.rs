//! SQL steps.

use laktory_core::{Error, Frame, NamedFrames, Result, RunCx, SqlTemplate};

use crate::session::Session;

/// The result of a statement.
pub(crate) async fn sql(_: &Session, _: &RunCx, _: &SqlTemplate, _: &NamedFrames) -> Result<Frame> {
    Err(Error::unsupported("sql"))
}
