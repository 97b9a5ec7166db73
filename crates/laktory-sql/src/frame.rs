//! A statement planned and carried out by a driver.

use std::collections::BTreeMap;

use laktory_core::{Backend, Frame, NamedFrames, Result, RunCx, SqlTemplate, typing};

use crate::{Outcome, carry_out, plan};

/// The frame of a statement by the steps of a driver.
///
/// # Errors
/// Those of the statement, with the range in its text where it is known: `SqlSyntax`, `UnknownFunction`, `ColumnNotFound`,
/// `Unsupported` for what this front end does not have; those of the steps: `TypeMismatch`, ...
pub async fn frame(
    backend: &dyn Backend,
    cx: &RunCx,
    query: &SqlTemplate,
    named: &NamedFrames,
) -> Result<Frame> {
    let mut columns = BTreeMap::new();
    for name in query.frames() {
        let known = typing::columns(backend, cx, named.get(name)?).await?;
        columns.insert(name.clone(), known.to_vec());
    }
    let (plan, places) = match plan(query, &columns) {
        Outcome::Plan(plan, places) => (plan, places),
        Outcome::Wrong(error) => return Err(error),
        Outcome::Beyond(beyond) => return Err(beyond.refused(backend.descriptor().name)),
    };
    let frame = carry_out(backend, cx, &plan, &places, named).await?;
    backend.schema(cx, &frame).await?;
    Ok(frame)
}
