//! Limits that the engine's optimizer does not lose.
//!
//! DataFusion 55.2 cuts the rows of a sort within the sort (`SortExec` with `fetch`). Where its rule `EnsureRequirements` finds that
//! the rows are in this order already, as those of a window are, it removes the sort and moves the limit below; operators that
//! cannot take it there drop it, and all rows come out. A limit that stands above the sort stays; right behind, `LimitPushdown` brings
//! it back into the sorts that are left. `LimitPushPastWindows` is left out: it moves a limit below a window and the sort in
//! between, where it takes other rows.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_optimizer::limit_pushdown::LimitPushdown;
use datafusion::physical_optimizer::limit_pushdown_past_window::LimitPushPastWindows;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::sorts::sort::SortExec;

type Rules = Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>;

/// The engine's rules, with limits above sorts while requirements are met.
pub(super) fn kept(engine: Rules) -> Rules {
    let mut rules: Rules = vec![Arc::new(LimitsApart)];
    for rule in engine {
        if rule.name() == LimitPushPastWindows::new().name() {
            continue;
        }
        let meets_requirements = rule.name() == EnsureRequirements::new().name();
        rules.push(rule);
        if meets_requirements {
            rules.push(Arc::new(LimitPushdown::new()));
        }
    }
    rules
}

/// Takes limits out of sorts, and puts them above.
#[derive(Debug)]
struct LimitsApart;

impl PhysicalOptimizerRule for LimitsApart {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(sort) = plan.downcast_ref::<SortExec>() else {
                return Ok(Transformed::no(plan));
            };
            let Some(fetch) = sort.fetch() else {
                return Ok(Transformed::no(plan));
            };
            let whole = SortExec::new(sort.expr().clone(), Arc::clone(sort.input()))
                .with_preserve_partitioning(sort.preserve_partitioning());
            Ok(Transformed::yes(if sort.preserve_partitioning() {
                Arc::new(LocalLimitExec::new(Arc::new(whole), fetch)) as _
            } else {
                Arc::new(GlobalLimitExec::new(Arc::new(whole), 0, Some(fetch))) as _
            }))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "LimitsApart"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
