//! Functions: one row for each, in tables by topic. Capabilities are read from the same rows.

mod aggregate;
mod nested;
mod numeric;
mod sql;
mod text;
mod time;
mod window;

use laktory_core::{
    Arg, DType, Error, ErrorKind, Expr, Func, Receiver, Result, RunCx, Scalar, Support,
};
use polars::prelude::Expr as PolarsExpr;

use crate::expr;

pub(crate) use sql::position;

/// How a call is lowered.
pub(crate) type Lower = fn(&Call<'_>) -> Result<PolarsExpr>;

/// A row of a table.
pub(crate) type Row = (Func, Support, Lower);

const FULL: Support = Support::Full;

/// Every row of every table.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [
        numeric::ROWS,
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
        Some((_, _, lower)) => lower(&Call { cx, func, args }),
        None => Err(Error::unsupported(format!(
            "`{}` is not available on backend POLARS",
            func.def().path
        ))),
    }
}

/// A call with its bound arguments.
pub(crate) struct Call<'a> {
    cx: &'a RunCx,
    func: Func,
    args: &'a [Arg],
}

impl<'a> Call<'a> {
    /// The context of the run.
    fn cx(&self) -> &'a RunCx {
        self.cx
    }

    fn wrong<T>(&self, name: &str) -> Result<T> {
        Err(Error::internal(format!(
            "`{}` was bound without a fitting `{name}`",
            self.func.def().path
        )))
    }

    /// The argument of a parameter.
    fn arg(&self, name: &str) -> &'a Arg {
        let def = self.func.def();
        let receiver = usize::from(def.receiver != Receiver::Function);
        def.params
            .iter()
            .position(|param| param.name == name)
            .and_then(|at| self.args.get(receiver + at))
            .unwrap_or(&Arg::Absent)
    }

    /// What the method or operator is applied to.
    fn this(&self) -> Result<PolarsExpr> {
        match self.args.first() {
            Some(arg) => self.lowered(arg, "receiver"),
            None => self.wrong("receiver"),
        }
    }

    fn lowered(&self, arg: &Arg, name: &str) -> Result<PolarsExpr> {
        match arg {
            Arg::Expr(expr) => expr::lower(self.cx, expr),
            Arg::Bool(value) => expr::literal(&Scalar::Bool(*value)),
            Arg::Int(value) => expr::literal(&Scalar::Int((*value).into())),
            Arg::Float(value) => expr::literal(&Scalar::Float(*value)),
            Arg::Str(value) => expr::literal(&Scalar::Str(value.clone())),
            _ => self.wrong(name),
        }
    }

    /// An expression.
    fn expr(&self, name: &str) -> Result<PolarsExpr> {
        self.lowered(self.arg(name), name)
    }

    /// An expression that may be missing.
    fn opt_expr(&self, name: &str) -> Result<Option<PolarsExpr>> {
        match self.arg(name) {
            Arg::Absent => Ok(None),
            arg => self.lowered(arg, name).map(Some),
        }
    }

    /// Several expressions.
    fn exprs(&self, name: &str) -> Result<Vec<PolarsExpr>> {
        match self.arg(name) {
            Arg::Absent => Ok(Vec::new()),
            Arg::Exprs(exprs) => expr::lower_all(self.cx, exprs),
            arg => Ok(vec![self.lowered(arg, name)?]),
        }
    }

    /// Several expressions, at least one.
    fn some_exprs(&self, name: &str) -> Result<Vec<PolarsExpr>> {
        let exprs = self.exprs(name)?;
        if exprs.is_empty() {
            return Err(self.invalid("at least one expression is needed"));
        }
        Ok(exprs)
    }

    /// A flag.
    fn flag(&self, name: &str) -> Result<bool> {
        match self.arg(name) {
            Arg::Bool(value) => Ok(*value),
            Arg::Expr(Expr::Literal(Scalar::Bool(value))) => Ok(*value),
            Arg::Absent => Ok(false),
            _ => self.wrong(name),
        }
    }

    /// An integer that may be missing.
    fn opt_int(&self, name: &str) -> Result<Option<i64>> {
        match self.arg(name) {
            Arg::Absent => Ok(None),
            Arg::Int(value) => Ok(Some(*value)),
            Arg::Expr(Expr::Literal(Scalar::Int(value))) => match i64::try_from(*value) {
                Ok(value) => Ok(Some(value)),
                Err(_) => self.wrong(name),
            },
            _ => self.wrong(name),
        }
    }

    /// An integer.
    fn int(&self, name: &str) -> Result<i64> {
        match self.opt_int(name)? {
            Some(value) => Ok(value),
            None => self.wrong(name),
        }
    }

    /// A number of things that may be missing.
    fn opt_count(&self, name: &str) -> Result<Option<usize>> {
        self.opt_int(name)?
            .map(|value| {
                usize::try_from(value)
                    .map_err(|_| self.invalid(&format!("`{name}` cannot be negative")))
            })
            .transpose()
    }

    /// A number of things.
    fn count(&self, name: &str) -> Result<usize> {
        match self.opt_count(name)? {
            Some(value) => Ok(value),
            None => self.wrong(name),
        }
    }

    /// Degrees of freedom.
    fn ddof(&self) -> Result<u8> {
        u8::try_from(self.count("ddof")?).map_err(|_| self.invalid("`ddof` is at most 255"))
    }

    /// A number that may be missing.
    fn opt_float(&self, name: &str) -> Result<Option<f64>> {
        match self.arg(name) {
            Arg::Absent => Ok(None),
            Arg::Float(value) => Ok(Some(*value)),
            #[allow(
                clippy::cast_precision_loss,
                reason = "a float is what the function works with"
            )]
            Arg::Int(value) => Ok(Some(*value as f64)),
            _ => self.wrong(name),
        }
    }

    /// A number.
    fn float(&self, name: &str) -> Result<f64> {
        match self.opt_float(name)? {
            Some(value) => Ok(value),
            None => self.wrong(name),
        }
    }

    /// A text that may be missing.
    fn opt_text(&self, name: &str) -> Result<Option<&'a str>> {
        match self.arg(name) {
            Arg::Absent => Ok(None),
            Arg::Str(value) => Ok(Some(value)),
            Arg::Expr(Expr::Literal(Scalar::Str(value))) => Ok(Some(value)),
            _ => self.wrong(name),
        }
    }

    /// A text.
    fn text(&self, name: &str) -> Result<&'a str> {
        match self.opt_text(name)? {
            Some(value) => Ok(value),
            None => self.wrong(name),
        }
    }

    /// A type that may be missing.
    fn opt_dtype(&self, name: &str) -> Result<Option<&'a DType>> {
        match self.arg(name) {
            Arg::Absent => Ok(None),
            Arg::DType(value) => Ok(Some(value)),
            _ => self.wrong(name),
        }
    }

    /// An error about an argument.
    fn invalid(&self, why: &str) -> Error {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}`: {why}", self.func.def().path),
        )
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
