//! Relational steps: what a transformer compiles to. Serializable and engine-free.

use serde::{Deserialize, Serialize};

use crate::dtype::DType;
use crate::expr::{Arg, Expr, SortKey};
use crate::frame::FrameName;

/// Which row of several equal ones stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// Whichever is cheapest.
    Any,
    /// None of them.
    None,
    /// The first, in the order of `order_by`.
    First,
    /// The last, in the order of `order_by`.
    Last,
}

/// How rows of two frames are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are SQL's")]
#[non_exhaustive]
pub enum JoinHow {
    Inner,
    Left,
    Full,
    Cross,
    Semi,
    Anti,
}

/// Which row a nearest-key join takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AsofStrategy {
    /// The last row at or before the key.
    Backward,
    /// The first row at or after the key.
    Forward,
    /// The nearest of both.
    Nearest,
}

/// How frames are stacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum UnionHow {
    /// Same names, order and types, else an error.
    Vertical,
    /// Union of the columns; missing ones become null.
    Diagonal,
    /// Same names in the same order; columns of different types become the type that holds the values of all, as in SQL.
    Coerced,
}

/// An aggregate of a pivot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the functions")]
pub enum PivotAgg {
    Min,
    Max,
    First,
    Last,
    Sum,
    Mean,
    Median,
    Len,
}

/// One relational step on the flowing frame. Every expression sees the step's input.
///
/// What holds for all of them, unless a step says otherwise:
///
/// - **order**: a step of one frame keeps the order of rows, on backends that have one
///   ([`Capabilities::ordered_rows`](crate::Capabilities)). Joins, groups, `Unique`, `TopK`, `Explode`, `Unpivot` and `Pivot`
///   promise none: whoever needs one sorts behind them;
/// - **duplicates**: equal rows stay as they are; two columns of one name are `DuplicateColumn`;
/// - **keys** of groups, joins, partitions and distinct rows: NaN is one value, and so is zero with either sign. Null is a value
///   of groups, partitions and distinct rows, and equals nothing in a join;
/// - **types**: those of [`typing::after`](crate::typing::after()), which refuses what does not fit (`TypeMismatch`,
///   `ColumnNotFound`) before a driver has a word;
/// - **values**: a value that cannot be computed is an error of the run (`ConversionFailed`, `Compute`), never another value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Op {
    /// These columns only, in this order. Aggregates and constants alone give one row, also of no rows; beside columns they
    /// are repeated for each row. Without expressions there are neither columns nor rows.
    Select {
        /// Output columns.
        exprs: Vec<Expr>,
    },
    /// These columns added or replaced: a known name keeps its place, new ones come last. Aggregates and constants are repeated
    /// for each row.
    WithColumns {
        /// Added columns.
        exprs: Vec<Expr>,
    },
    /// Rows where the predicate is true. An aggregate in it is that of all rows of the input.
    Filter {
        /// The predicate, a boolean; null drops the row.
        predicate: Expr,
    },
    /// Without these columns.
    Drop {
        /// Names.
        columns: Vec<String>,
        /// Whether an unknown name is an error.
        strict: bool,
    },
    /// Columns under other names, all at once, so that two may change places; the order of columns stays. An unknown name is an
    /// error.
    Rename {
        /// Old and new names.
        mapping: Vec<(String, String)>,
    },
    /// Columns converted in their places. Null stays null; a value that does not fit is `ConversionFailed`. `Unknown` leaves a
    /// column as it is.
    Cast {
        /// Columns and their new types.
        columns: Vec<(String, DType)>,
    },
    /// Sorted rows; those with equal keys keep their order. Nulls come first in both directions unless the key says otherwise, NaN is
    /// greater than every number, texts are compared by their code points, booleans false first.
    Sort {
        /// Keys, most important first.
        by: Vec<SortKey>,
    },
    /// One row for each distinct value of a subset. Null is a value.
    Unique {
        /// Columns compared; `None` compares all.
        subset: Option<Vec<String>>,
        /// Which row stays.
        keep: Keep,
        /// Order for `First` and `Last`.
        order_by: Vec<SortKey>,
    },
    /// Rows without null in a subset. NaN is no null; a list that holds nulls is none either.
    DropNulls {
        /// Columns looked at; `None` looks at all.
        subset: Option<Vec<String>>,
    },
    /// The first rows; all of them where there are fewer.
    Head {
        /// How many.
        n: u64,
    },
    /// The last rows, in their order; all of them where there are fewer.
    Tail {
        /// How many.
        n: u64,
    },
    /// The first rows in the order of some keys, with nulls last whatever the keys say; of rows with equal keys, some.
    TopK {
        /// How many.
        k: u64,
        /// Keys; nulls come last.
        by: Vec<SortKey>,
    },
    /// Every n-th row, beginning with row `offset`, counted from 0.
    GatherEvery {
        /// Distance, at least 1.
        n: u64,
        /// First row.
        offset: u64,
    },
    /// A random part of the rows. With one seed, the same rows of the same input on the same backend; another backend may take
    /// others.
    Sample {
        /// How many rows; or
        n: Option<u64>,
        /// which fraction, between 0 and 1.
        fraction: Option<f64>,
        /// Whether a row may be taken twice.
        with_replacement: bool,
        /// Seed, for the same sample again.
        seed: Option<u64>,
    },
    /// One row for each group: its keys, then its aggregates. Without keys there is one row in all, also of no rows; with keys no
    /// rows make no groups. Each aggregate says what it does with nulls ([`FuncDef::nulls`](crate::FuncDef)).
    Aggregate {
        /// Group keys.
        keys: Vec<Expr>,
        /// Aggregates.
        aggs: Vec<Expr>,
        /// Whether groups with a null key are dropped; otherwise null is a key as others are.
        drop_null_keys: bool,
    },
    /// Rows matched with those of another frame by equal keys: one row for each pair. Keys of numbers of different types are
    /// compared as numbers; a text and a number are a `TypeMismatch`.
    ///
    /// `Inner` and `Left` have all columns of the left side and those of the right one without its keys; `Full` and `Cross`
    /// all columns of both; `Semi` and `Anti` the left ones alone, each row at most once. A row without partner is dropped by
    /// `Inner` and has null on the other side in `Left` and `Full`. `Cross` has no keys.
    Join {
        /// The other frame.
        right: FrameName,
        /// Kind of join.
        how: JoinHow,
        /// Keys of the flowing frame.
        left_on: Vec<String>,
        /// Keys of the other frame, pairwise.
        right_on: Vec<String>,
        /// Appended to names of the right frame that the left one has too.
        suffix: String,
        /// Whether a null key equals a null key, as in `IS NOT DISTINCT FROM`; otherwise it equals nothing.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        nulls_equal: bool,
    },
    /// Every row of the flowing frame once, with the row of another frame whose key is nearest, or with nulls where there is none.
    /// A null key has no partner. Without `by` keys both frames are sorted by their keys, and one that is not may be refused when
    /// it runs; with them they need not be. Columns of the right side come without its `by` keys, and without its key where both
    /// are called the same.
    JoinAsof {
        /// The other frame.
        right: FrameName,
        /// Key of the flowing frame.
        left_on: String,
        /// Key of the other frame.
        right_on: String,
        /// Keys that must be equal, of the flowing frame.
        by_left: Vec<String>,
        /// Keys that must be equal, of the other frame.
        by_right: Vec<String>,
        /// Which row is nearest.
        strategy: AsofStrategy,
        /// Appended to names of the right frame that the left one has too.
        suffix: String,
    },
    /// Rows of several frames below one another, duplicates with them. Columns are matched by their names.
    Union {
        /// The other frames.
        others: Vec<FrameName>,
        /// How columns are matched.
        how: UnionHow,
    },
    /// A column with the row's position from 0, an `Int64`, first in the frame.
    WithRowIndex {
        /// Name of the column.
        name: String,
        /// Order; empty keeps the order of arrival.
        order_by: Vec<SortKey>,
        /// Restarts in each of these.
        partition_by: Vec<Expr>,
    },
    /// One row for each element of list columns, which become columns of the elements; other columns are repeated. Null elements
    /// stay. Lists of one row that have different lengths are an error of the run.
    Explode {
        /// List columns, exploded together.
        columns: Vec<String>,
        /// Whether an empty list gives a null row.
        empty_as_null: bool,
        /// Whether a null list gives a null row.
        keep_nulls: bool,
    },
    /// Columns turned into rows: the index, the name of the column, its value. There is a row for each row and turned column, nulls
    /// with them; values take the type in which the columns meet.
    Unpivot {
        /// Columns turned; `None`: all but the index.
        on: Option<Vec<String>>,
        /// Columns kept.
        index: Vec<String>,
        /// Name of the column with names.
        variable_name: String,
        /// Name of the column with values.
        value_name: String,
    },
    /// Rows turned into columns: one row for each value of the index, one column for each value of `on`, null where there is no
    /// such pair. Which columns there are is known when the rows are: a driver keeps the step until an asynchronous method asks.
    Pivot {
        /// Columns whose values become names.
        on: Vec<String>,
        /// Columns kept; `None`: all others.
        index: Option<Vec<String>>,
        /// Columns with values; `None`: all others.
        values: Option<Vec<String>>,
        /// Aggregate of several values; `None` makes them an error.
        aggregate: Option<PivotAgg>,
        /// Whether the new columns are sorted by name.
        sort_columns: bool,
        /// Between parts of a name.
        separator: String,
    },
    /// The number of nulls of each column, as one row of `Int64`, also of no rows.
    NullCount,
    /// The first half of an [`Op::Aggregate`]: rows grouped, as the step `group_by` leaves them. The parser joins it
    /// with the [`Op::Agg`] that must follow; no driver ever sees it.
    GroupBy {
        /// Group keys.
        keys: Vec<Expr>,
        /// Whether groups with a null key are dropped.
        drop_null_keys: bool,
    },
    /// The second half of an [`Op::Aggregate`], as the step `agg` leaves it; no driver ever sees it.
    Agg {
        /// Aggregates.
        aggs: Vec<Expr>,
    },
    /// A step of the user's own that is a function of the engine's. Those made of steps are resolved by the parser, and
    /// are none of these.
    Native {
        /// Its name in [`crate::user`].
        func: String,
        /// One entry for each parameter.
        args: Vec<Arg>,
    },
}

/// The kind of a step, as used in capability tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "one for each variant of `Op`, plus the SQL step"
)]
pub enum OpKind {
    Select,
    WithColumns,
    Filter,
    Drop,
    Rename,
    Cast,
    Sort,
    Unique,
    DropNulls,
    Head,
    Tail,
    TopK,
    GatherEvery,
    Sample,
    Aggregate,
    Join,
    JoinAsof,
    Union,
    WithRowIndex,
    Explode,
    Unpivot,
    Pivot,
    NullCount,
    Native,
    Sql,
}

impl OpKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Select,
        Self::WithColumns,
        Self::Filter,
        Self::Drop,
        Self::Rename,
        Self::Cast,
        Self::Sort,
        Self::Unique,
        Self::DropNulls,
        Self::Head,
        Self::Tail,
        Self::TopK,
        Self::GatherEvery,
        Self::Sample,
        Self::Aggregate,
        Self::Join,
        Self::JoinAsof,
        Self::Union,
        Self::WithRowIndex,
        Self::Explode,
        Self::Unpivot,
        Self::Pivot,
        Self::NullCount,
        Self::Native,
        Self::Sql,
    ];

    /// snake_case name for messages and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::WithColumns => "with_columns",
            Self::Filter => "filter",
            Self::Drop => "drop",
            Self::Rename => "rename",
            Self::Cast => "cast",
            Self::Sort => "sort",
            Self::Unique => "unique",
            Self::DropNulls => "drop_nulls",
            Self::Head => "head",
            Self::Tail => "tail",
            Self::TopK => "top_k",
            Self::GatherEvery => "gather_every",
            Self::Sample => "sample",
            Self::Aggregate => "group_by",
            Self::Join => "join",
            Self::JoinAsof => "join_asof",
            Self::Union => "union",
            Self::WithRowIndex => "with_row_index",
            Self::Explode => "explode",
            Self::Unpivot => "unpivot",
            Self::Pivot => "pivot",
            Self::NullCount => "null_count",
            Self::Native => "native function",
            Self::Sql => "SQL",
        }
    }
}

impl Op {
    /// The kind of the step.
    #[must_use]
    pub fn kind(&self) -> OpKind {
        match self {
            Self::Select { .. } => OpKind::Select,
            Self::WithColumns { .. } => OpKind::WithColumns,
            Self::Filter { .. } => OpKind::Filter,
            Self::Drop { .. } => OpKind::Drop,
            Self::Rename { .. } => OpKind::Rename,
            Self::Cast { .. } => OpKind::Cast,
            Self::Sort { .. } => OpKind::Sort,
            Self::Unique { .. } => OpKind::Unique,
            Self::DropNulls { .. } => OpKind::DropNulls,
            Self::Head { .. } => OpKind::Head,
            Self::Tail { .. } => OpKind::Tail,
            Self::TopK { .. } => OpKind::TopK,
            Self::GatherEvery { .. } => OpKind::GatherEvery,
            Self::Sample { .. } => OpKind::Sample,
            Self::Aggregate { .. } | Self::GroupBy { .. } | Self::Agg { .. } => OpKind::Aggregate,
            Self::Join { .. } => OpKind::Join,
            Self::JoinAsof { .. } => OpKind::JoinAsof,
            Self::Union { .. } => OpKind::Union,
            Self::WithRowIndex { .. } => OpKind::WithRowIndex,
            Self::Explode { .. } => OpKind::Explode,
            Self::Unpivot { .. } => OpKind::Unpivot,
            Self::Pivot { .. } => OpKind::Pivot,
            Self::NullCount => OpKind::NullCount,
            Self::Native { .. } => OpKind::Native,
        }
    }

    /// Whether the step gives the same rows each time it is computed from the same rows. What does not must be computed
    /// once for all that read it.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        !matches!(self, Self::Sample { seed: None, .. })
    }

    /// The other frames that the step reads.
    #[must_use]
    pub fn frames(&self) -> Vec<&FrameName> {
        match self {
            Self::Join { right, .. } | Self::JoinAsof { right, .. } => vec![right],
            Self::Union { others, .. } => others.iter().collect(),
            Self::Native { args, .. } => args
                .iter()
                .filter_map(|arg| match arg {
                    Arg::Frame(frame) => Some(frame),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}
