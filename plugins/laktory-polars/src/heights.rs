//! Aggregates have one row, whoever needs their columns. Where nobody does (`COUNT(*)` of a subquery, the other side of a
//! cross join), the optimizer leaves out all expressions of a projection, and with them that it had one row: as many come
//! out as were aggregated. A function that lets no column be left out stands behind such projections.

use std::sync::Arc;

use polars::prelude::{DataFrame, Expr, LazyFrame, PolarsResult};
use polars_plan::dsl::{BooleanFunction, DslPlan, FunctionExpr, StringFunction};
use polars_plan::plans::{DataFrameUdf, DslFunction, FunctionIR};

/// How the function is called in plans.
const NAME: &str = "one row";

/// The plan, with its one row held where the last of it is an aggregating projection.
pub(crate) fn held_last(lazy: LazyFrame) -> LazyFrame {
    match aggregates_all(&lazy.logical_plan) {
        true => {
            let optimizations = lazy.get_current_optimizations();
            LazyFrame::from(hold(lazy.logical_plan)).with_optimizations(optimizations)
        }
        false => lazy,
    }
}

/// Whether a plan ends in a projection of nothing but aggregates.
fn aggregates_all(plan: &DslPlan) -> bool {
    matches!(plan, DslPlan::Select { expr, .. } if !expr.is_empty() && expr.iter().all(is_one))
}

fn hold(plan: DslPlan) -> DslPlan {
    let same: Arc<dyn DataFrameUdf> =
        Arc::new(|frame: DataFrame| -> PolarsResult<DataFrame> { Ok(frame) });
    DslPlan::MapFunction {
        input: Arc::new(plan),
        function: DslFunction::FunctionIR(FunctionIR::Opaque {
            function: same,
            schema: None,
            predicate_pd: true,
            projection_pd: false,
            streamable: true,
            fmt_str: NAME.into(),
        }),
    }
}

/// Whether an expression gives one value for all rows, as far as that shows.
fn is_one(expr: &Expr) -> bool {
    match expr {
        Expr::Agg(_) | Expr::Len | Expr::Literal(_) | Expr::SubPlan(..) => true,
        Expr::Alias(inner, _)
        | Expr::KeepName(inner)
        | Expr::Cast { expr: inner, .. }
        | Expr::Eval { expr: inner, .. }
        | Expr::StructEval { expr: inner, .. }
        | Expr::Sort { expr: inner, .. }
        | Expr::RenameAlias { expr: inner, .. } => is_one(inner),
        Expr::BinaryExpr { left, right, .. } => is_one(left) && is_one(right),
        Expr::Ternary {
            predicate,
            truthy,
            falsy,
        } => is_one(predicate) && is_one(truthy) && is_one(falsy),
        Expr::Gather {
            returns_scalar,
            idx,
            ..
        } => *returns_scalar || is_one(idx),
        Expr::Function { input, function } => aggregates(function) || input.iter().all(is_one),
        Expr::AnonymousFunction { input, options, .. } => {
            !options.is_length_preserving() || input.iter().all(is_one)
        }
        _ => false,
    }
}

/// Whether a function may make one value of many rows.
fn aggregates(function: &FunctionExpr) -> bool {
    use FunctionExpr as F;
    matches!(
        function,
        F::ArgMax
            | F::ArgMin
            | F::Boolean(
                BooleanFunction::All { .. }
                    | BooleanFunction::Any { .. }
                    | BooleanFunction::HasNulls
                    | BooleanFunction::IsEmpty { .. }
                    | BooleanFunction::IsSorted { .. }
            )
            | F::Correlation { .. }
            | F::Entropy { .. }
            | F::Kurtosis(..)
            | F::LowerBound
            | F::MaxBy
            | F::MinBy
            | F::NullCount
            | F::Product
            | F::Quantile { .. }
            | F::Skew(_)
            | F::StringExpr(StringFunction::ConcatVertical { .. })
            | F::UpperBound
    )
}
