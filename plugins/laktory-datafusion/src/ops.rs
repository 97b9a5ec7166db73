//! Steps: each becomes a node of the logical plan.

use std::sync::Arc;

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use laktory_core::{Error, Frame, NamedFrames, Op, OpKind, Result, RunCx, Support, expand};

use crate::DataFusionFrame;
use crate::error::ResultExt;
use crate::expr::Lower;
use crate::frame::Pending;
use crate::session::Session;
use crate::types::fields;

/// The steps that the driver has.
pub(crate) const KINDS: &[(OpKind, Support)] = &[(OpKind::Select, Support::Full)];

/// The frame after a step.
pub(crate) fn apply(cx: &RunCx, input: &Frame, op: &Op, _: &NamedFrames) -> Result<Frame> {
    let plan = DataFusionFrame::plan(input)?.clone();
    let Op::Select { exprs } = op else {
        return Err(Error::unsupported("step"));
    };
    let outputs = expand(exprs, &fields(plan.schema()))?;
    let lower = Lower::rows(cx, plan.schema());
    let exprs = outputs
        .iter()
        .map(|output| Ok(lower.lower(&output.expr)?.expr.alias(&output.name)))
        .collect::<Result<Vec<_>>>()?;
    let plan = LogicalPlanBuilder::from(plan.clone())
        .project(exprs)
        .and_then(LogicalPlanBuilder::build)
        .or_error()?;
    Ok(DataFusionFrame::from_plan(plan))
}

/// The plan after a step that waited.
pub(crate) async fn resolve(
    _: &Session,
    _: &RunCx,
    _: LogicalPlan,
    _: &Arc<Pending>,
) -> Result<LogicalPlan> {
    Err(Error::unsupported("step"))
}
