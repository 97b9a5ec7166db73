//! A statement planned and carried out by a driver.

use std::collections::BTreeMap;

use laktory_core::{Backend, Frame, NamedFrames, RunCx, SqlTemplate, typing};

use crate::{Outcome, carry_out, plan};

/// The frame of a statement by the steps of a driver; `None` where this front end has no plan for it, or the driver no
/// such steps, so that the planner of the engine has a word, and tells users what is wrong with the statement.
pub async fn frame(
    backend: &dyn Backend,
    cx: &RunCx,
    query: &SqlTemplate,
    named: &NamedFrames,
) -> Option<Frame> {
    let mut columns = BTreeMap::new();
    for name in query.frames() {
        let known = typing::columns(backend, cx, named.get(name).ok()?)
            .await
            .ok()?;
        let names = known.iter().map(|field| field.name.clone());
        columns.insert(name.clone(), names.collect());
    }
    let plan = match plan(query, &columns) {
        Outcome::Plan(plan) => plan,
        Outcome::Wrong(error) => {
            tracing::debug!(statement = query.source(), %error, "no plan");
            return None;
        }
        Outcome::Beyond(what) => {
            tracing::debug!(statement = query.source(), what, "no plan");
            return None;
        }
    };
    let made = match carry_out(backend, cx, &plan, named).await {
        Ok(frame) => backend.schema(cx, &frame).await.map(|_| frame),
        Err(error) => Err(error),
    };
    made.inspect_err(
        |error| tracing::debug!(statement = query.source(), %error, "the steps do not fit"),
    )
    .ok()
}
