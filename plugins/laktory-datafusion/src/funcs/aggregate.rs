//! Aggregations, and functions that change the number of values.
//!
//! The engine's own aggregates where they have the wanted meaning, since they work on many groups at once; collecting
//! aggregates of ours ([`crate::kernel::collect`]) elsewhere. Over which rows is the business of [`over`].

mod count;
mod extreme;
mod moments;
pub(super) mod over;
mod pairs;
mod quantile;
pub(crate) mod sum;
#[cfg(test)]
mod tests;

use laktory_core::{Error, ErrorKind, Func, Result};

use self::over::Over;
pub(super) use self::sum::{Averaged, floats, sum_type};
use super::{Call, FULL, Row, truth};
use crate::expr::Value;
use crate::kernel::reduced::Reduce;

pub(super) const ROWS: &[Row] = &[
    (Func::Len, FULL, |call| count::rows(&Over::everything(call))),
    (Func::LenOf, FULL, count::len),
    (Func::Count, FULL, count::values),
    (Func::NullCount, FULL, count::nulls),
    (Func::NUnique, FULL, count::distinct),
    (Func::SqlCountDistinct, FULL, count::sql_distinct),
    (Func::Sum, FULL, sum::sum),
    (Func::SqlSum, FULL, sum::sql_sum),
    (Func::Mean, FULL, sum::mean),
    (Func::Any, FULL, sum::any),
    (Func::All, FULL, sum::all),
    (Func::Std, FULL, |call| moments::spread(call, true)),
    (Func::Var, FULL, |call| moments::spread(call, false)),
    (Func::Skew, FULL, moments::skew),
    (Func::Kurtosis, FULL, moments::kurtosis),
    (Func::Median, FULL, quantile::median),
    (Func::Quantile, FULL, quantile::quantile),
    (Func::Min, FULL, |call| extreme::extreme(call, false)),
    (Func::Max, FULL, |call| extreme::extreme(call, true)),
    (Func::SqlMax, FULL, extreme::sql_max),
    (Func::First, FULL, |call| extreme::end(call, false)),
    (Func::Last, FULL, |call| extreme::end(call, true)),
    (Func::AnyValue, FULL, extreme::any_value),
    (Func::ModeAny, FULL, extreme::mode),
    (Func::Corr, FULL, pairs::corr),
    (Func::Cov, FULL, pairs::cov),
    (Func::Filter, FULL, filter),
    (Func::DropNulls, FULL, |call| {
        let value = call.receiver()?;
        call.lower.restrict(value.expr.clone().is_not_null());
        Ok(value)
    }),
    (Func::Unique, FULL, |call| {
        let value = call.receiver()?;
        call.lower.reduce(Reduce::Distinct, value.expr.clone())?;
        Ok(value)
    }),
];

fn filter(call: &Call<'_, '_>) -> Result<Value> {
    let value = call.receiver()?;
    let predicate = call
        .values("predicates")?
        .into_iter()
        .map(|predicate| truth(predicate, "a predicate"))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .reduce(datafusion::logical_expr::Expr::and)
        .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, "`filter` needs a predicate"))?;
    call.lower.restrict(predicate);
    Ok(value)
}
