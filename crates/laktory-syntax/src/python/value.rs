//! What a Python text stands for while it is lowered: constants, expressions, types, names of the API, and frames.

use laktory_core::{DType, Expr, Field, FrameName, Op, Selector, SortKey};
use ruff_python_ast::ExprLambda;

use super::fault::At;
use super::window::{Ranking, Window};

/// A value and the place it was written at.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) value: Value,
    pub(crate) at: At,
    /// Where its name stands, for a named argument.
    pub(crate) name_at: Option<At>,
}

impl Item {
    pub(crate) fn new(value: Value, at: At) -> Self {
        Self {
            value,
            at,
            name_at: None,
        }
    }

    /// The same, under a name that stands at a place.
    pub(crate) fn named_at(self, at: At) -> Self {
        Self {
            name_at: Some(at),
            ..self
        }
    }
}

/// Which module a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// `nw`, and the bare names `col`, `lit`, `sql_expr`.
    Narwhals,
    /// `pl`.
    Polars,
    /// `F`.
    Spark,
    /// `T`.
    SparkTypes,
    /// Python's `datetime`, for constants.
    Datetime,
    /// Spark's `Window`.
    Window,
}

impl Root {
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Narwhals => "nw",
            Self::Polars => "pl",
            Self::Spark => "F",
            Self::SparkTypes => "T",
            Self::Datetime => "datetime",
            Self::Window => "Window",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "nw" => Self::Narwhals,
            "pl" => Self::Polars,
            "F" => Self::Spark,
            "T" => Self::SparkTypes,
            "datetime" => Self::Datetime,
            "Window" => Self::Window,
            _ => return None,
        })
    }
}

/// A `when(...)` under construction.
#[derive(Clone, Debug)]
pub(crate) struct When {
    /// Finished branches.
    pub(crate) branches: Vec<(Expr, Expr)>,
    /// A condition that waits for its `then`.
    pub(crate) pending: Option<Expr>,
    /// Spark's: texts are values, not columns.
    pub(crate) texts: super::convert::Text,
}

/// A frame inside a lambda: where it starts from, and the steps taken since.
#[derive(Clone, Debug)]
pub(crate) struct FrameValue {
    pub(crate) name: FrameName,
    pub(crate) ops: Vec<Op>,
}

/// A function of the user's own, with the variables it was written among.
#[derive(Clone, Debug)]
pub(crate) struct Lambda {
    pub(crate) text: u32,
    pub(crate) lambda: ExprLambda,
    pub(crate) scope: Vec<(String, Item)>,
}

/// What a piece of Python text stands for.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(String),
    Bytes(Vec<u8>),
    /// A list, tuple, set or range.
    List(Vec<Item>),
    Dict(Vec<(Item, Item)>),
    Expr(Expr),
    Selector(Selector),
    DType(DType),
    /// A type without parentheses: `nw.Datetime`.
    DTypeClass(&'static str),
    Field(Field),
    /// A name below a module, `nw.coalesce` or `nw.selectors`.
    Api {
        root: Root,
        path: String,
    },
    /// A Python builtin such as `len`.
    Builtin(&'static str),
    /// A method or namespace of a value, not called yet.
    Member {
        receiver: Box<Item>,
        path: String,
    },
    When(When),
    Lambda(Box<Lambda>),
    Frame(FrameValue),
    Window(Box<Window>),
    /// A function that waits for its window.
    Ranking(Ranking),
    /// A column with a direction: `F.desc('x')`.
    Key(SortKey),
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Str(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Dict(_) => "a mapping",
            Self::Expr(_) | Self::When(_) => "an expression",
            Self::Selector(_) => "a selector",
            Self::DType(_) | Self::DTypeClass(_) => "a type",
            Self::Field(_) => "a field",
            Self::Api { .. } | Self::Builtin(_) => "a function that is not called",
            Self::Member { .. } => "a method that is not called",
            Self::Lambda(_) => "a lambda",
            Self::Frame(_) => "a frame",
            Self::Window(_) => "a window",
            Self::Ranking(_) => "a ranking without a window",
            Self::Key(_) => "a sort key",
        }
    }

    /// Whether operators on it build an expression rather than compute a constant.
    pub(crate) fn is_expression(&self) -> bool {
        matches!(self, Self::Expr(_) | Self::Selector(_) | Self::When(_))
    }
}
