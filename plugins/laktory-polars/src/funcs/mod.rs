//! Functions: one row for each, in tables by topic. Capabilities are read from the same rows.

mod aggregate;
pub(crate) mod exact;
mod nested;
mod numeric;
mod sql;
mod text;
mod time;
mod window;

use std::borrow::Cow;
use std::ops::Deref;

use laktory_core::shape::shape;
use laktory_core::typing::Signature;
use laktory_core::typing::shown;
use laktory_core::{Arg, BoundCall, Error, Expr, Func, Result, RunCx, Support};
use polars::prelude::{DataType, Expr as PolarsExpr, when};

use crate::expr;

/// How a call is lowered.
pub(crate) type Lower = fn(&Call<'_>) -> Result<PolarsExpr>;

/// A row of a table.
pub(crate) type Row = (Func, Support, Lower);

const FULL: Support = Support::Full;

/// Every row of every table.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [
        numeric::ROWS,
        exact::ROWS,
        aggregate::ROWS,
        window::ROWS,
        nested::ROWS,
        text::ROWS,
        time::ROWS,
        sql::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// Lowers a call.
///
/// # Errors
/// `Unsupported` for a function without row, `InvalidArgument`.
pub(crate) fn lower(cx: &RunCx, func: Func, args: &[Arg]) -> Result<PolarsExpr> {
    match rows().find(|(known, ..)| *known == func) {
        Some((_, _, lower)) => {
            let lowered = lower(&Call {
                cx,
                bound: BoundCall::new(func, args),
            })?;
            // The engine counts in other widths.
            Ok(match Signature::counts(func, args) {
                true => lowered.cast(DataType::Int64),
                false => lowered,
            })
        }
        None => Err(Error::unsupported(format!(
            "`{}` is not available on backend POLARS",
            shown(func)
        ))),
    }
}

/// A call with its bound arguments, of which expressions come lowered.
pub(crate) struct Call<'a> {
    cx: &'a RunCx,
    bound: BoundCall<'a>,
}

impl<'a> Deref for Call<'a> {
    type Target = BoundCall<'a>;

    fn deref(&self) -> &BoundCall<'a> {
        &self.bound
    }
}

impl<'a> Call<'a> {
    /// The context of the run.
    fn cx(&self) -> &'a RunCx {
        self.cx
    }

    /// What the method or operator is applied to.
    fn this(&self) -> Result<PolarsExpr> {
        expr::lower(self.cx, &*self.bound.this()?)
    }

    /// Whether what the method is applied to is one value for all rows.
    fn on_single_value(&self) -> Result<bool> {
        Ok(shape(&*self.bound.this()?).is_scalar())
    }

    /// An expression.
    fn expr(&self, name: &str) -> Result<PolarsExpr> {
        expr::lower(self.cx, &*self.bound.expr(name)?)
    }

    /// An expression that may be missing.
    fn opt_expr(&self, name: &str) -> Result<Option<PolarsExpr>> {
        let found = self.bound.opt_expr(name)?;
        found.map(|expr| expr::lower(self.cx, &expr)).transpose()
    }

    /// Several expressions.
    fn exprs(&self, name: &str) -> Result<Vec<PolarsExpr>> {
        self.lowered(&self.bound.exprs(name)?)
    }

    /// Several expressions, at least one.
    fn some_exprs(&self, name: &str) -> Result<Vec<PolarsExpr>> {
        self.lowered(&self.bound.some_exprs(name)?)
    }

    /// Expressions, each with as many values as that with the most: what the engine asks of the parts of a list.
    fn equally_long(&self, exprs: &[Cow<'_, Expr>]) -> Result<Vec<PolarsExpr>> {
        let lowered = self.lowered(exprs)?;
        // Constants take the length of an aggregate too.
        let lengths: Vec<_> = exprs
            .iter()
            .map(|expr| shape(expr))
            .map(|shape| (shape.rows, !shape.constant))
            .collect();
        let Some(most) = (0..lengths.len()).max_by_key(|at| lengths[*at]) else {
            return Ok(lowered);
        };
        let (longest, column) = (lengths[most], lowered[most].clone());
        Ok(lowered
            .into_iter()
            .zip(lengths)
            .map(|(expr, length)| match length < longest {
                true => as_long_as(expr, &column),
                false => expr,
            })
            .collect())
    }

    /// Two expressions, each with as many values as the longer one.
    fn pair(&self, a: Cow<'_, Expr>, b: Cow<'_, Expr>) -> Result<(PolarsExpr, PolarsExpr)> {
        let mut sides = self.equally_long(&[a, b])?.into_iter();
        match (sides.next(), sides.next()) {
            (Some(a), Some(b)) => Ok((a, b)),
            _ => Err(Error::internal("a side was lost")),
        }
    }

    fn lowered(&self, exprs: &[Cow<'_, Expr>]) -> Result<Vec<PolarsExpr>> {
        let exprs = exprs.iter();
        exprs.map(|expr| expr::lower(self.cx, expr)).collect()
    }
}

/// One value, repeated for each row of a column.
fn as_long_as(value: PolarsExpr, column: &PolarsExpr) -> PolarsExpr {
    let rows = column.clone().is_null();
    when(rows).then(value.clone()).otherwise(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_at_most_one_row() {
        for def in Func::all() {
            assert!(
                rows().filter(|(func, ..)| *func == def.func).count() <= 1,
                "{}",
                def.path
            );
        }
    }
}
