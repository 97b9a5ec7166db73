//! Several outputs in one pass.

use laktory_core::{Error, Job, Outcome, Result, RunCx};

use crate::session::Session;

/// Computes all jobs.
pub(crate) async fn execute(_: &Session, _: &RunCx, _: Vec<Job>) -> Result<Vec<Outcome>> {
    Err(Error::unsupported("execute"))
}
