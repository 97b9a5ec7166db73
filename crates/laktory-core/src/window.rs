//! Window functions of SQL: what they compute, over which rows.

mod frames;

use serde::{Deserialize, Serialize};

use crate::expr::{Expr, SortKey};

pub use frames::{RangeKeys, RangeValues};

/// A window function with an order or a frame ([`Expr::Window`]). One without either is an aggregate in
/// [`Expr::Over`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// What is computed.
    pub func: WindowFunc,
    /// Its arguments, as many as the function takes; `Sum` to `Count` may have none, and then count rows.
    pub args: Vec<Expr>,
    /// Expressions that define the partitions.
    pub partition_by: Vec<Expr>,
    /// Order within a partition.
    pub order_by: Vec<SortKey>,
    /// The rows that functions of a frame see.
    pub frame: WindowFrame,
    /// Whether functions that take the value of a row pass over those where it is null.
    pub ignore_nulls: bool,
}

/// What a window function computes. Ranks and counts are 64-bit integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of SQL")]
pub enum WindowFunc {
    RowNumber,
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
    Ntile,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    NthValue,
    Sum,
    Avg,
    Min,
    Max,
    Count,
}

impl WindowFunc {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("row_number", Self::RowNumber),
        ("rank", Self::Rank),
        ("dense_rank", Self::DenseRank),
        ("percent_rank", Self::PercentRank),
        ("cume_dist", Self::CumeDist),
        ("ntile", Self::Ntile),
        ("lag", Self::Lag),
        ("lead", Self::Lead),
        ("first_value", Self::FirstValue),
        ("last_value", Self::LastValue),
        ("nth_value", Self::NthValue),
        ("sum", Self::Sum),
        ("avg", Self::Avg),
        ("min", Self::Min),
        ("max", Self::Max),
        ("count", Self::Count),
    ];

    /// Every function.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|(_, func)| *func)
    }

    /// The function that SQL calls so, whatever the case of letters.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let mut known = Self::NAMES.iter();
        let (_, func) = known.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(*func)
    }

    /// What SQL calls it, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut known = Self::NAMES.iter();
        known
            .find(|(_, func)| *func == self)
            .map_or("", |(name, _)| name)
    }

    /// Whether the rows of the frame decide; the others look at the order of the partition alone.
    #[must_use]
    pub fn is_framed(self) -> bool {
        matches!(
            self,
            Self::FirstValue
                | Self::LastValue
                | Self::NthValue
                | Self::Sum
                | Self::Avg
                | Self::Min
                | Self::Max
                | Self::Count
        )
    }
}

/// What a frame counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowUnit {
    /// Single rows.
    Rows,
    /// Groups of rows that are equal in order. `RANGE` without distances is this too.
    Groups,
    /// Distances of the only key of the order, a number.
    Range,
    /// Microseconds between the only key of the order, a point in time or a duration, and that of the current row.
    Interval,
}

/// One end of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowBound {
    /// That of the partition.
    Unbounded,
    /// So far from the current row; negative precedes.
    Offset(i64),
}

/// The rows around the current one that a function sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowFrame {
    /// What is counted.
    pub unit: WindowUnit,
    /// First row.
    pub start: WindowBound,
    /// Last row.
    pub end: WindowBound,
}

impl WindowFrame {
    /// From the start of the partition to the last row that is equal in order, the frame of SQL where none is written.
    pub const RUNNING: Self = Self {
        unit: WindowUnit::Groups,
        start: WindowBound::Unbounded,
        end: WindowBound::Offset(0),
    };

    /// The whole partition.
    pub const WHOLE: Self = Self {
        unit: WindowUnit::Rows,
        start: WindowBound::Unbounded,
        end: WindowBound::Unbounded,
    };
}
