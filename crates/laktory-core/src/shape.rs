//! How many values an expression gives, whatever the columns: one for each row, one for all rows, or another number.
//! The rules are those of Narwhals 2.29 on lazy frames.

use crate::expr::{Arg, Expr};
use crate::functions::{Func, FuncKind};
use crate::user::{self, UserFunction};
use crate::walk;

/// How many values an expression gives, and what it still needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
        Expr::User { name, args } => {
            let kind = user::find(name).and_then(UserFunction::kind);
            kind_shape(kind.unwrap_or(FuncKind::Elementwise), args, false, None)
        }
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
        Expr::Window(_) => Shape {
            rows: Rows::Same,
            unordered: false,
            windowable: false,
            has_over: true,
            constant: false,
        },
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
    let needs_order = matches!(func, Func::First | Func::Last)
        && !matches!(args.get(1), Some(Arg::Exprs(keys)) if !keys.is_empty());
    let rows = (func == Func::RowIndex).then_some(Rows::Same);
    kind_shape(walk::kind(func, args), args, needs_order, rows)
}

/// The shape of a call by the kind of its function; aggregates may need an order, and ordered functions may give another
/// number of values than their arguments have.
fn kind_shape(kind: FuncKind, args: &[Arg], needs_order: bool, rows: Option<Rows>) -> Shape {
    let inner = walk::arguments(args)
        .map(shape)
        .reduce(Shape::and)
        .unwrap_or(CONSTANT);
    match kind {
        FuncKind::Elementwise => inner,
        FuncKind::Aggregate => Shape {
            rows: Rows::One,
            unordered: inner.unordered || needs_order,
            windowable: true,
            has_over: inner.has_over,
            constant: false,
        },
        FuncKind::Ordered => Shape {
            rows: rows.unwrap_or(inner.rows),
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
