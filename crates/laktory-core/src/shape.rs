//! How many values an expression gives, whatever the columns: one for each row, one for all rows, or another number.
//! The rules are those of Narwhals 2.29 on lazy frames.

use crate::expr::{Arg, Expr};
use crate::functions::{Func, FuncKind};
use crate::walk;

/// How many values an expression gives, and what it still needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many values.
    pub rows: Rows,
    /// Looks at other rows in an order that nothing has fixed yet.
    pub unordered: bool,
    /// Contains something that `over` can act on: an aggregate, an ordered or a window function.
    pub windowable: bool,
    /// Contains `over`.
    pub has_over: bool,
    /// Contains only constants.
    pub constant: bool,
}

/// A number of values, beside the number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rows {
    /// One for all rows.
    One,
    /// One for each row.
    Same,
    /// Another number.
    Other,
}

impl Shape {
    /// Whether there is one value for all rows.
    #[must_use]
    pub fn is_scalar(self) -> bool {
        self.rows == Rows::One
    }

    /// Whether the value is computed from rows, and is one for all of them. Constants alone are no aggregate.
    #[must_use]
    pub fn is_aggregate(self) -> bool {
        self.is_scalar() && !self.constant
    }

    fn and(self, other: Self) -> Self {
        Self {
            rows: self.rows.max(other.rows),
            unordered: self.unordered || other.unordered,
            windowable: self.windowable || other.windowable,
            has_over: self.has_over || other.has_over,
            constant: self.constant && other.constant,
        }
    }
}

const COLUMN: Shape = Shape {
    rows: Rows::Same,
    unordered: false,
    windowable: false,
    has_over: false,
    constant: false,
};

const CONSTANT: Shape = Shape {
    rows: Rows::One,
    constant: true,
    ..COLUMN
};

/// The shape of an expression.
#[must_use]
pub fn shape(expr: &Expr) -> Shape {
    match expr {
        Expr::Column(_) | Expr::Columns(_) => COLUMN,
        Expr::Literal(_) => CONSTANT,
        Expr::Call { func, args } => call_shape(*func, args),
        Expr::Over { expr, order_by, .. } => {
            let inner = shape(expr);
            Shape {
                rows: Rows::Same,
                unordered: inner.unordered && order_by.is_empty(),
                windowable: true,
                has_over: true,
                constant: false,
            }
        }
        other => combined(other),
    }
}

/// The shape of what lies right below an expression, taken together.
fn combined(expr: &Expr) -> Shape {
    let mut shapes: Option<Shape> = None;
    walk::children(expr, &mut |child| {
        let shape = shape(child);
        shapes = Some(shapes.map_or(shape, |known| known.and(shape)));
    });
    shapes.unwrap_or(CONSTANT)
}

fn call_shape(func: Func, args: &[Arg]) -> Shape {
    let mut inner: Option<Shape> = None;
    let mut add = |expr: &Expr| {
        let shape = shape(expr);
        inner = Some(inner.map_or(shape, |known| known.and(shape)));
    };
    for arg in args {
        match arg {
            Arg::Expr(expr) => add(expr),
            Arg::Exprs(exprs) => exprs.iter().for_each(&mut add),
            _ => {}
        }
    }
    let inner = inner.unwrap_or(CONSTANT);
    match walk::kind(func, args) {
        FuncKind::Elementwise => inner,
        FuncKind::Aggregate => {
            let needs_order = matches!(func, Func::First | Func::Last)
                && !matches!(args.get(1), Some(Arg::Exprs(keys)) if !keys.is_empty());
            Shape {
                rows: Rows::One,
                unordered: inner.unordered || needs_order,
                windowable: true,
                has_over: inner.has_over,
                constant: false,
            }
        }
        FuncKind::Ordered => Shape {
            rows: if func == Func::RowIndex {
                Rows::Same
            } else {
                inner.rows
            },
            unordered: true,
            windowable: true,
            constant: false,
            ..inner
        },
        FuncKind::Window => Shape {
            windowable: true,
            constant: false,
            ..inner
        },
        FuncKind::LengthChanging => Shape {
            rows: Rows::Other,
            constant: false,
            ..inner
        },
    }
}

/// Whether an expression aggregates: one value for all rows, computed from them. Constants alone are no aggregate.
#[must_use]
pub fn is_aggregate(expr: &Expr) -> bool {
    shape(expr).is_aggregate()
}
