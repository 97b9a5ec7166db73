//! Steps that the engine's optimizer does not take for repetitions.
//!
//! DataFusion 55.2 drops a projection whose expressions are written as those of the projection below it
//! (`merge_consecutive_projections`): of two steps `a * 2 AS a` one is left, and so it is where a filter that stood between them has
//! moved, or where two of them, merged, are written as a third. Every projection that computes something gets an inner alias of its
//! own, so that no two are equal; the alias is nothing at run time.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// In front of the number of a projection.
const PREFIX: &str = "__laktory_step";

/// Gives projections aliases of their own.
#[derive(Debug)]
pub(super) struct ProjectionsApart;

impl OptimizerRule for ProjectionsApart {
    fn name(&self) -> &'static str {
        "projections_apart"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Projection(projection) = plan else {
            return Ok(Transformed::no(plan));
        };
        if projection.expr.iter().any(is_marked) {
            return Ok(Transformed::no(LogicalPlan::Projection(projection)));
        }
        let Some(at) = projection
            .expr
            .iter()
            .position(|expr| computed(expr).is_some())
        else {
            return Ok(Transformed::no(LogicalPlan::Projection(projection)));
        };
        let Projection {
            mut expr,
            input,
            schema,
            ..
        } = projection;
        if let Expr::Alias(alias) = &mut expr[at] {
            let name = config.alias_generator().next(PREFIX);
            let inner = std::mem::take(alias.expr.as_mut());
            *alias.expr = inner.alias(name);
        }
        let projection = Projection::try_new_with_schema(expr, input, schema)?;
        Ok(Transformed::yes(LogicalPlan::Projection(projection)))
    }
}

/// What an expression makes under a name; none for columns under their own name and constants, of which two in a row are as good
/// as one.
fn computed(expr: &Expr) -> Option<&Expr> {
    let Expr::Alias(alias) = expr else {
        return None;
    };
    match alias.expr.as_ref() {
        Expr::Literal(..) => None,
        Expr::Column(column) if column.name == alias.name => None,
        inner => Some(inner),
    }
}

/// Whether an expression has the inner alias of a projection already.
fn is_marked(expr: &Expr) -> bool {
    matches!(computed(expr), Some(Expr::Alias(inner)) if inner.name.starts_with(PREFIX))
}
