//! Expressions as data. Few shapes, many functions: every scalar, aggregate and window function is an [`Expr::Call`].

use serde::{Deserialize, Serialize};

use crate::dtype::{DType, TimeUnit};
use crate::frame::FrameName;
use crate::functions::Func;
use crate::window::Window;

/// A constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Scalar {
    /// Null without a type.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer; engines take the narrowest of 32 and 64 bits that holds it, as Narwhals does.
    Int(i128),
    /// A 64-bit float.
    Float(f64),
    /// A text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Nanoseconds since midnight.
    Time(i64),
    /// A point in time, counted in `unit` since 1970-01-01T00:00:00 (UTC when there is a zone, else local).
    Datetime {
        /// Count since the epoch.
        value: i64,
        /// What is counted.
        unit: TimeUnit,
        /// IANA name of the zone.
        zone: Option<String>,
    },
    /// A span of time.
    Duration {
        /// Count.
        value: i64,
        /// What is counted.
        unit: TimeUnit,
    },
    /// A list.
    List(Vec<Scalar>),
}

/// A set of columns, resolved against the schema of the frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Selector {
    /// Every column.
    All,
    /// These columns, in this order.
    Names(Vec<String>),
    /// Columns by position; negative counts from the end.
    Nth(Vec<i64>),
    /// Columns whose name matches a regular expression.
    Matches(String),
    /// Columns of one of these types; datetimes and durations match in every unit and zone where `Unknown` parts are given.
    DTypes(Vec<DType>),
    /// Integers, floats and decimals.
    Numeric,
    /// Texts.
    String,
    /// Booleans.
    Boolean,
    /// Categoricals.
    Categorical,
    /// Enums.
    Enum,
    /// Datetimes of these units (empty: any) and zones (`None`: without zone; `*`: any zone; empty: any).
    Datetime {
        /// Accepted units; empty accepts all.
        units: Vec<TimeUnit>,
        /// Accepted zones; empty accepts all.
        zones: Vec<Option<String>>,
    },
    /// Columns in either set.
    Union(Box<Selector>, Box<Selector>),
    /// Columns in both sets.
    Intersection(Box<Selector>, Box<Selector>),
    /// Columns in the first set only.
    Difference(Box<Selector>, Box<Selector>),
    /// All columns but these.
    Not(Box<Selector>),
}

/// One sort key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SortKey {
    /// What to sort by.
    pub expr: Expr,
    /// Greatest first.
    pub descending: bool,
    /// Nulls after everything else; otherwise before, in both directions (Narwhals).
    pub nulls_last: bool,
}

impl SortKey {
    /// Ascending, nulls first.
    #[must_use]
    pub fn ascending(expr: Expr) -> Self {
        Self {
            expr,
            descending: false,
            nulls_last: false,
        }
    }
}

/// How an expression's output name is derived from its root name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NameChange {
    /// Back to the name of the left-most column.
    Keep,
    /// In front of it.
    Prefix(String),
    /// Behind it.
    Suffix(String),
    /// Lower case.
    Lowercase,
    /// Upper case.
    Uppercase,
}

/// An argument of a [`Expr::Call`], in the order of the function's parameters; optional ones that were not given are
/// [`Arg::Absent`] or hold the default of the function table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Arg {
    /// Not given, and without default.
    Absent,
    /// An expression.
    Expr(Expr),
    /// The rest of the arguments, for a variadic parameter.
    Exprs(Vec<Expr>),
    /// A flag.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A text: a pattern, a format, a mode, a unit.
    Str(String),
    /// A type.
    DType(DType),
    /// Constants.
    Values(Vec<Scalar>),
    /// Old and new constants, pairwise.
    Mapping(Vec<(Scalar, Scalar)>),
    /// Another frame; only of steps.
    Frame(FrameName),
}

/// An expression over the columns of one frame. Output names follow the left-most operand, as in Narwhals 2.29.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Expr {
    /// One column, case-sensitive.
    Column(String),
    /// Several columns; operators and methods apply to each.
    Columns(Selector),
    /// A constant; its name is `literal`.
    Literal(Scalar),
    /// A function of the table, applied to its receiver (if it has one) and bound arguments.
    Call {
        /// Which function.
        func: Func,
        /// The receiver first, then one entry for each parameter.
        args: Vec<Arg>,
    },
    /// A function of the user's own that runs in the engine, applied to bound arguments. Those made of expressions are
    /// resolved by the parser, and are none of these.
    User {
        /// Its name in [`crate::user`].
        name: String,
        /// One entry for each parameter.
        args: Vec<Arg>,
    },
    /// Conversion to a type; `strict` fails on values that do not fit, otherwise they become null.
    Cast {
        /// What to convert.
        expr: Box<Expr>,
        /// To what.
        to: DType,
        /// Fail instead of null.
        strict: bool,
    },
    /// The value of the first branch whose condition holds.
    When {
        /// Conditions and values.
        branches: Vec<(Expr, Expr)>,
        /// Else; null when absent.
        otherwise: Option<Box<Expr>>,
    },
    /// Evaluated within partitions, in an order.
    Over {
        /// What to evaluate.
        expr: Box<Expr>,
        /// Columns that define the partitions.
        partition_by: Vec<Expr>,
        /// Order within a partition.
        order_by: Vec<SortKey>,
    },
    /// A window function of SQL that has an order or a frame.
    Window(Box<Window>),
    /// Another output name.
    Alias {
        /// Renamed expression.
        expr: Box<Expr>,
        /// New name.
        name: String,
    },
    /// A derived output name.
    Rename {
        /// Renamed expression.
        expr: Box<Expr>,
        /// How.
        change: NameChange,
    },
}

impl Expr {
    /// A column.
    #[must_use]
    pub fn column(name: impl Into<String>) -> Self {
        Self::Column(name.into())
    }

    /// A constant.
    #[must_use]
    pub fn literal(value: impl Into<Scalar>) -> Self {
        Self::Literal(value.into())
    }

    /// A call with expression arguments only.
    #[must_use]
    pub fn call(func: Func, args: impl IntoIterator<Item = Expr>) -> Self {
        Self::Call {
            func,
            args: args.into_iter().map(Arg::Expr).collect(),
        }
    }

    /// The expression under another name.
    #[must_use]
    pub fn alias(self, name: impl Into<String>) -> Self {
        Self::Alias {
            expr: Box::new(self),
            name: name.into(),
        }
    }

    /// `self and other`, with Kleene logic.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::call(Func::And, [self, other])
    }

    /// `self or other`, with Kleene logic.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::call(Func::Or, [self, other])
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for Scalar {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Scalar {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}
