//! Aggregations, and functions that change the number of rows.

use laktory_core::{Arg, Error, ErrorKind, Func, Result};
use polars::prelude::{
    DataType, Expr, Field, NULL, PlSmallStr, QuantileMethod, RankMethod, RankOptions, Schema,
    SortMultipleOptions, cov, len, lit, pearson_corr, when,
};

use super::{Call, FULL, Row};
use crate::error::carried;
use crate::schema::known;

pub(super) const ROWS: &[Row] = &[
    (Func::Len, FULL, |_| Ok(len())),
    (Func::LenOf, FULL, |call| Ok(call.this()?.len())),
    (Func::Count, FULL, |call| Ok(call.this()?.count())),
    (Func::NullCount, FULL, |call| Ok(call.this()?.null_count())),
    (Func::NUnique, FULL, |call| Ok(call.this()?.n_unique())),
    (Func::Sum, FULL, |call| Ok(call.this()?.sum())),
    (Func::Mean, FULL, |call| Ok(call.this()?.mean())),
    (Func::Median, FULL, |call| Ok(call.this()?.median())),
    (Func::Min, FULL, |call| Ok(call.this()?.min())),
    (Func::Max, FULL, |call| Ok(call.this()?.max())),
    (Func::Std, FULL, |call| {
        Ok(no_durations(call.this()?).std(call.ddof()?))
    }),
    (Func::Var, FULL, |call| {
        Ok(no_durations(call.this()?).var(call.ddof()?))
    }),
    (Func::Quantile, FULL, quantile),
    (Func::Skew, FULL, |call| Ok(call.this()?.skew(true))),
    (Func::Kurtosis, FULL, |call| {
        Ok(call.this()?.kurtosis(true, true))
    }),
    (Func::Any, FULL, |call| Ok(call.this()?.any(true))),
    (Func::All, FULL, |call| Ok(call.this()?.all(true))),
    (Func::AnyValue, FULL, |call| {
        let this = call.this()?;
        Ok(if call.flag("ignore_nulls")? {
            this.first_non_null()
        } else {
            this.first()
        })
    }),
    (Func::First, FULL, |call| Ok(in_order(call)?.first())),
    (Func::Last, FULL, |call| Ok(in_order(call)?.last())),
    (Func::ModeAny, FULL, mode),
    (Func::Corr, FULL, corr),
    (Func::Cov, FULL, covariance),
    (Func::Filter, FULL, filter),
    (Func::DropNulls, FULL, |call| Ok(call.this()?.drop_nulls())),
    (Func::Unique, FULL, |call| Ok(call.this()?.unique())),
];

/// The expression, refused for durations, on whose deviation the engine panics.
fn no_durations(expr: Expr) -> Expr {
    expr.map_with_fmt_str(
        Ok,
        |_: &Schema, field: &Field| match field.dtype() {
            DataType::Duration(_) => Err(carried(
                ErrorKind::TypeMismatch,
                &format!(
                    "column `{}` holds durations, which have no deviation or variance",
                    field.name()
                ),
            )),
            _ => known(field),
        },
        PlSmallStr::from_static("no_durations"),
    )
}

fn quantile(call: &Call<'_>) -> Result<Expr> {
    let method = match call.text("interpolation")? {
        "nearest" => QuantileMethod::Nearest,
        "higher" => QuantileMethod::Higher,
        "lower" => QuantileMethod::Lower,
        "midpoint" => QuantileMethod::Midpoint,
        "linear" => QuantileMethod::Linear,
        _ => return Err(call.invalid("unknown `interpolation`")),
    };
    let quantile = call.float("quantile")?;
    if !(0.0..=1.0).contains(&quantile) {
        return Err(call.invalid("`quantile` lies between 0 and 1"));
    }
    Ok(call.this()?.quantile(lit(quantile), method))
}

/// The receiver, in the order that the call asks for.
fn in_order(call: &Call<'_>) -> Result<Expr> {
    let this = call.this()?;
    match call.arg("order_by") {
        Arg::Absent => Ok(this),
        _ => Ok(this.sort_by(
            call.some_exprs("order_by")?,
            SortMultipleOptions::default().with_maintain_order(true),
        )),
    }
}

fn mode(call: &Call<'_>) -> Result<Expr> {
    let this = call.this()?.mode(false);
    Ok(match call.text("keep")? {
        "any" => this.first(),
        _ => this,
    })
}

/// Both sides, of one length.
fn sides(call: &Call<'_>) -> Result<(Expr, Expr)> {
    call.pair(call.bound.expr("a")?, call.bound.expr("b")?)
}

/// Whether both sides have a value.
fn both(a: &Expr, b: &Expr) -> Expr {
    a.clone().is_not_null().and(b.clone().is_not_null())
}

fn covariance(call: &Call<'_>) -> Result<Expr> {
    let (a, b) = sides(call)?;
    let ddof = call.ddof()?;
    let both = both(&a, &b);
    // The engine says zero where a group has no more pairs than that.
    let enough = both.clone().sum().gt(lit(u32::from(ddof)));
    // An infinity leaves no mean to differ from; what the engine says then depends on where it stands.
    let infinite = |side: &Expr| side.clone().cast(DataType::Float64).is_infinite();
    let finite = both.and(infinite(&a).or(infinite(&b))).any(true).not();
    // The first branch names the result.
    Ok(when(enough.clone().and(finite))
        .then(cov(a, b, ddof))
        .when(enough)
        .then(lit(f64::NAN))
        .otherwise(lit(NULL)))
}

fn corr(call: &Call<'_>) -> Result<Expr> {
    let (a, b) = sides(call)?;
    let both = both(&a, &b);
    // Without a pair the engine says null for a whole frame, but NaN for a group.
    let any = both.clone().any(true);
    let correlation = match call.text("method")? {
        "pearson" => pearson_corr(a, b),
        _ => {
            // The correlation of the ranks, among the rows where both sides have a value.
            let ranks = |side: Expr| {
                let options = RankOptions {
                    method: RankMethod::Average,
                    descending: false,
                };
                when(both.clone())
                    .then(side)
                    .otherwise(lit(NULL))
                    .rank(options, None)
            };
            pearson_corr(ranks(a), ranks(b))
        }
    };
    Ok(when(any).then(correlation).otherwise(lit(NULL)))
}

fn filter(call: &Call<'_>) -> Result<Expr> {
    let predicate = call
        .some_exprs("predicates")?
        .into_iter()
        .reduce(Expr::and)
        .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, "`filter` needs a predicate"))?;
    Ok(call.this()?.filter(predicate))
}
