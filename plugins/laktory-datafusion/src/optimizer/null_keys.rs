//! Conditions that stay conditions beside keys for which null equals null.
//!
//! A join of DataFusion 55.2 has one meaning of null for all of its keys. `extract_equijoin_predicate` makes a key of every equality in its
//! condition all the same, and `eliminate_cross_join` makes keys for several joins at once of those that it finds: `a = b`
//! that was pushed into a join on keys where null equals null would hold for two nulls.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{NullEquality, Result};
use datafusion::logical_expr::{Join, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::Rule;

/// The engine's rules, those about keys of joins kept from joins where null equals null.
pub(super) fn kept(rules: Vec<Rule>) -> Vec<Rule> {
    let guarded = |rule: Rule| -> Rule {
        let sorted: Sorted = match rule.name() {
            "extract_equijoin_predicate" => keys_of_one_meaning,
            "eliminate_cross_join" => no_null_keys,
            _ => return rule,
        };
        Arc::new(Guarded { rule, sorted })
    };
    rules.into_iter().map(guarded).collect()
}

/// The plan, or another in its place, and whether the rule gets to see it.
type Sorted = fn(LogicalPlan) -> Result<(LogicalPlan, bool)>;

/// A rule that sees some plans only.
#[derive(Debug)]
struct Guarded {
    rule: Rule,
    sorted: Sorted,
}

impl OptimizerRule for Guarded {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match (self.sorted)(plan)? {
            (plan, true) => self.rule.rewrite(plan, config),
            (plan, false) => Ok(Transformed::no(plan)),
        }
    }
}

/// For a rule that makes keys of a join's condition: where there are keys for which null equals null, it makes no more.
fn keys_of_one_meaning(plan: LogicalPlan) -> Result<(LogicalPlan, bool)> {
    Ok(match plan {
        LogicalPlan::Join(join) if is_null_equal(&join) && !join.on.is_empty() => {
            (LogicalPlan::Join(join), false)
        }
        // Without keys there is no meaning to keep.
        LogicalPlan::Join(join) if is_null_equal(&join) => {
            let null_equality = NullEquality::NullEqualsNothing;
            let join = Join {
                null_equality,
                ..join
            };
            (LogicalPlan::Join(join), true)
        }
        plan => (plan, true),
    })
}

/// For a rule that takes several joins together.
fn no_null_keys(plan: LogicalPlan) -> Result<(LogicalPlan, bool)> {
    let null_equal =
        |plan: &LogicalPlan| Ok(matches!(plan, LogicalPlan::Join(join) if is_null_equal(join)));
    let has_none = !plan.exists(null_equal)?;
    Ok((plan, has_none))
}

fn is_null_equal(join: &Join) -> bool {
    join.null_equality == NullEquality::NullEqualsNull
}
