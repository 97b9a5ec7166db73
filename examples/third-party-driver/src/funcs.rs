//! Functions: one row for each, in tables by topic. Capabilities are read from the same rows.

mod aggregate;
mod logic;
mod nested;
mod numeric;
mod order;
mod rewrite;
mod sql;
mod text;
mod time;
pub(crate) mod user;

use std::ops::Deref;
use std::sync::Arc;

use arrow::array::{Array, TimestampMicrosecondArray};
use arrow::datatypes::DataType;
use laktory_core::typing::Signature;
use laktory_core::{Arg, BoundCall, Error, ErrorKind, Func, Result, Support};

use crate::cast::convert;
use crate::expr::{Column, Lower, Value};
use crate::types::shown;
use crate::unsupported;

pub(crate) use aggregate::nan;

/// How a call is lowered.
pub(crate) type Lowering = fn(&Call<'_, '_>) -> Result<Value>;

/// A row of a table.
pub(crate) type Row = (Func, Support, Lowering);

const FULL: Support = Support::Full;

/// Of functions whose other types are refused as unsupported.
const NUMBERS: Support = Support::Partial {
    note: "of integers and floats up to 64 bits",
};

/// Every row of every table.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [
        aggregate::ROWS,
        logic::ROWS,
        nested::ROWS,
        numeric::ROWS,
        order::ROWS,
        rewrite::ROWS,
        sql::ROWS,
        text::ROWS,
        time::ROWS,
        OWN,
    ]
    .into_iter()
    .flatten()
}

const OWN: &[Row] = &[(Func::CurrentTimestamp, FULL, |call| {
    let since = call
        .lower
        .cx
        .started()
        .duration_since(std::time::UNIX_EPOCH);
    let micros = since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    });
    let array = TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC");
    let dtype = array.data_type().clone();
    let array = Arc::new(array);
    Ok(Value::new(dtype, move |_| {
        Ok(Column::One(Arc::clone(&array) as _))
    }))
})];

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
                true => convert(value, &DataType::Int64),
                false => Ok(value),
            }
        }
        None => Err(unsupported(format!("`{}`", func.def().path))),
    }
}

/// A call, and the columns that it sees. Plain arguments are read through [`BoundCall`].
pub(crate) struct Call<'l, 'a> {
    lower: &'l Lower<'l>,
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
    fn receiver(&self) -> Result<Value> {
        self.lower.lower(self.bound.this()?.as_ref())
    }

    /// The value of an argument.
    fn value(&self, name: &str) -> Result<Value> {
        self.lower.lower(self.bound.expr(name)?.as_ref())
    }

    /// The value of an argument that may be missing.
    fn opt_value(&self, name: &str) -> Result<Option<Value>> {
        let expr = self.bound.opt_expr(name)?;
        expr.map(|expr| self.lower.lower(&expr)).transpose()
    }

    /// The values of a variadic argument, at least one.
    fn values(&self, name: &str) -> Result<Vec<Value>> {
        let exprs = self.bound.some_exprs(name)?;
        exprs.iter().map(|expr| self.lower.lower(expr)).collect()
    }

    /// The error for a value of a type that the function does not take: on no engine, or not on this one.
    fn mismatch(&self, dtype: &DataType) -> Error {
        let path = self.func().def().path;
        match dtype {
            DataType::Utf8View | DataType::Boolean | DataType::BinaryView => Error::new(
                ErrorKind::TypeMismatch,
                format!("`{path}` does not take values of type {}", shown(dtype)),
            ),
            other => unsupported(format!("`{path}` of type {}", shown(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_at_most_one_row() {
        for def in Func::all() {
            let count = rows().filter(|(func, ..)| *func == def.func).count();
            assert!(count <= 1, "{}", def.path);
        }
    }
}
