//! Rows that keep their order below a window that asks for none.
//!
//! DataFusion 55.2 removes a sort below a window without an order (`EnsureRequirements`), since the window does not need it. Rows are
//! numbered, taken from the end, or put back in their order by such windows, after a sort in that order: here the order of
//! their input is required of it.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::error::Result;
use datafusion::physical_expr::{Distribution, OrderingRequirements};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::output_requirements::OutputRequirementExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _};

/// Requires the order of their input for windows that ask for none, until the rule `OutputRequirements` takes requirements away.
#[derive(Debug)]
pub(super) struct OrderBelowWindows;

impl PhysicalOptimizerRule for OrderBelowWindows {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let is_window = plan.is::<BoundedWindowAggExec>() || plan.is::<WindowAggExec>();
            if !is_window || plan.required_input_ordering().iter().any(Option::is_some) {
                return Ok(Transformed::no(plan));
            }
            let Some(input) = plan.children().first().map(|input| Arc::clone(input)) else {
                return Ok(Transformed::no(plan));
            };
            let Some(ordering) = input.output_ordering().cloned() else {
                return Ok(Transformed::no(plan));
            };
            let kept = OutputRequirementExec::new(
                input,
                Some(OrderingRequirements::from(ordering)),
                Distribution::SinglePartition,
                None,
            );
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            let plan = plan.replace_children(vec![Arc::new(kept)], options)?;
            Ok(Transformed::yes(plan))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "OrderBelowWindows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
