//! Static checks that need no schema: what a value per row, a value for all rows, or another number of rows may be
//! combined with. The rules are those of Narwhals 2.29 on lazy frames.

use std::ops::Range;

use laktory_core::shape::{Rows, Shape, shape};
use laktory_core::user::{self, UserFunction};
use laktory_core::{Arg, Expr, FuncKind, walk};

use crate::diagnostic::FragmentError;

/// Code of what depends on an order that nothing gives.
pub(crate) const ORDER: &str = "order-required";

fn error(code: &'static str, message: impl Into<String>) -> FragmentError {
    FragmentError::new(code, message, Range::default())
}

/// Refuses a call that makes no sense on its receiver, whatever surrounds it.
pub(crate) fn call(expr: &Expr) -> Result<(), FragmentError> {
    let (path, kind, args) = match expr {
        Expr::Call { func, args } => (func.def().path, walk::kind(*func, args), args),
        Expr::User { name, args } => {
            let kind = user::find(name).and_then(UserFunction::kind);
            (name.as_str(), kind.unwrap_or(FuncKind::Elementwise), args)
        }
        _ => return Ok(()),
    };
    let Some(Arg::Expr(receiver)) = args.first() else {
        return Ok(());
    };
    if kind == FuncKind::Elementwise || !shape(receiver).is_scalar() {
        return Ok(());
    }
    Err(error(
        "invalid-expression",
        format!("`{path}()` of a single value"),
    )
    .hint("the receiver is an aggregate or a constant already"))
}

/// Refuses an `over` that makes no sense on what it is applied to.
pub(crate) fn over(expr: &Expr) -> Result<(), FragmentError> {
    let Expr::Over { expr, order_by, .. } = expr else {
        return Ok(());
    };
    let inner = shape(expr);
    if inner.has_over {
        return Err(error("invalid-expression", "`over` inside of `over`"));
    }
    if inner.rows == Rows::Other || !inner.windowable {
        let what = if inner.rows == Rows::Other {
            "changes the number of rows"
        } else {
            "works on each row alone"
        };
        return Err(error(
            "invalid-expression",
            format!("`over` on an expression that {what}"),
        )
        .hint("`over` follows an aggregate such as `sum()`, or a function such as `cum_sum()`"));
    }
    if !order_by.is_empty() && !inner.unordered && !has_window(expr) {
        return Err(error(
            "order-required",
            "`order_by` on an expression that has no order",
        )
        .hint("leave `order_by` out"));
    }
    Ok(())
}

fn has_window(expr: &Expr) -> bool {
    walk::functions(expr)
        .into_iter()
        .any(|func| func.def().kind == FuncKind::Window)
}

/// Refuses an expression that cannot be a column of `select` or `with_columns`.
pub(crate) fn column(expr: &Expr) -> Result<(), FragmentError> {
    let shape = shape(expr);
    if shape.rows == Rows::Other {
        return Err(error(
            "length-changing",
            "the expression changes the number of rows",
        )
        .hint("an aggregation must follow, such as `.sum()` or `.len()`"));
    }
    ordered(shape)
}

fn ordered(shape: Shape) -> Result<(), FragmentError> {
    if shape.unordered {
        return Err(error(
            ORDER,
            "the expression depends on the order of rows, which is not given",
        )
        .hint("add `.over(order_by='column')`, and columns in front to restart per group"));
    }
    Ok(())
}

/// Refuses an expression that cannot be an aggregate of a group.
pub(crate) fn aggregate(expr: &Expr) -> Result<(), FragmentError> {
    ordered(shape(expr))?;
    one_value(expr)
}

/// Refuses an expression that gives more than one value for a group.
pub(crate) fn one_value(expr: &Expr) -> Result<(), FragmentError> {
    if shape(expr).is_scalar() {
        return Ok(());
    }
    Err(error(
        "invalid-expression",
        "the expression gives a value for each row, not one for each group",
    )
    .hint("add an aggregation such as `.sum()`, `.max()` or `.first(order_by=...)`"))
}

/// Refuses an expression that cannot be a predicate of `filter`.
pub(crate) fn predicate(expr: &Expr) -> Result<(), FragmentError> {
    let shape = shape(expr);
    if shape.is_scalar() {
        let what = if shape.constant {
            "a constant"
        } else {
            "an aggregate"
        };
        return Err(error(
            "invalid-expression",
            format!("the predicate is {what}, the same for all rows"),
        ));
    }
    column(expr)
}

/// Refuses two columns of one name, where names do not depend on a schema.
pub(crate) fn unique_names<'a>(
    exprs: impl IntoIterator<Item = &'a Expr>,
) -> Result<(), (usize, FragmentError)> {
    let mut seen = std::collections::BTreeSet::new();
    for (index, expr) in exprs.into_iter().enumerate() {
        let names = match expr {
            Expr::Columns(laktory_core::Selector::Names(names)) => names.clone(),
            _ => walk::output_name(expr).into_iter().collect(),
        };
        for name in names {
            if !seen.insert(name.clone()) {
                let error = error(
                    "duplicate-column",
                    format!("two columns would be called `{name}`"),
                )
                .hint("rename one with `.alias('...')` or `.name.suffix('...')`");
                return Err((index, error));
            }
        }
    }
    Ok(())
}
