//! Functions: one row for each, in tables by topic. Capabilities are read from the same rows.

mod across;
pub(crate) mod aggregate;
mod arrays;
pub(crate) mod cast;
mod exact;
pub(crate) mod logic;
pub(crate) mod nested;
pub(crate) mod numeric;
mod rounding;
pub(crate) mod sql;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod user;
pub(crate) mod window;

use std::ops::Deref;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::Expr as PlanExpr;
use laktory_core::typing::Signature;
use laktory_core::{Arg, BoundCall, Error, ErrorKind, Func, Result, Support};

use crate::expr::{Lower, Value};
use crate::types::shown;

/// How a call is lowered.
pub(crate) type Lowering = fn(&Call<'_, '_>) -> Result<Value>;

/// A row of a table.
pub(crate) type Row = (Func, Support, Lowering);

const FULL: Support = Support::Full;

/// Every row of every table.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [
        logic::ROWS,
        across::ROWS,
        numeric::ROWS,
        exact::ROWS,
        rounding::ROWS,
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
/// `Unsupported` for a function without row; those of the function.
pub(crate) fn lower(lower: &Lower<'_>, func: Func, args: &[Arg]) -> Result<Value> {
    match rows().find(|(known, ..)| *known == func) {
        Some((_, _, lowering)) => {
            let value = lowering(&Call {
                lower,
                bound: BoundCall::new(func, args),
            })?;
            match Signature::counts(func, args) {
                true => cast::convert(value, &DataType::Int64),
                false => Ok(value),
            }
        }
        None => Err(Error::unsupported(format!(
            "`{}` is not available on backend DATAFUSION",
            laktory_core::typing::shown(func)
        ))),
    }
}

/// A call, and the columns that it sees. Plain arguments are read through [`BoundCall`].
pub(crate) struct Call<'l, 'a> {
    /// Lowers its arguments.
    pub(crate) lower: &'l Lower<'l>,
    bound: BoundCall<'a>,
}

impl<'a> Deref for Call<'_, 'a> {
    type Target = BoundCall<'a>;

    fn deref(&self) -> &BoundCall<'a> {
        &self.bound
    }
}

impl Call<'_, '_> {
    /// What the method or operator is applied to.
    pub(crate) fn receiver(&self) -> Result<Value> {
        self.lower.lower(self.bound.this()?.as_ref())
    }

    /// The value of an argument.
    pub(crate) fn value(&self, name: &str) -> Result<Value> {
        self.lower.lower(self.bound.expr(name)?.as_ref())
    }

    /// The value of an argument that may be missing.
    pub(crate) fn opt_value(&self, name: &str) -> Result<Option<Value>> {
        self.bound
            .opt_expr(name)?
            .map(|expr| self.lower.lower(&expr))
            .transpose()
    }

    /// The values of a variadic argument, at least one.
    pub(crate) fn values(&self, name: &str) -> Result<Vec<Value>> {
        self.bound
            .some_exprs(name)?
            .iter()
            .map(|expr| self.lower.lower(expr))
            .collect()
    }

    /// The error for a value of a type that the function does not take.
    pub(crate) fn mismatch(&self, dtype: &DataType) -> Error {
        Error::new(
            ErrorKind::TypeMismatch,
            format!(
                "`{}` does not take values of type {}",
                laktory_core::typing::shown(self.func()),
                shown(dtype)
            ),
        )
    }
}

/// A value as a truth value.
///
/// # Errors
/// `TypeMismatch`.
pub(crate) fn truth(value: Value, what: &str) -> Result<PlanExpr> {
    match value.dtype {
        DataType::Boolean => Ok(value.expr),
        DataType::Null => Ok(cast::convert(value, &DataType::Boolean)?.expr),
        other => Err(Error::new(
            ErrorKind::TypeMismatch,
            format!("{what} is of type {}, not Boolean", shown(&other)),
        )),
    }
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
