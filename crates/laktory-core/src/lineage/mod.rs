//! Which columns a column is made of, and which decide about it, without a value of it being in it: a rule for every
//! shape of expression ([`of`]) and for every step ([`after()`]).
//!
//! Rules err on the safe side. What is in neither set of a column has no influence on it: other values there leave the
//! column as it is, row for row. What cannot be known, such as a step of the user's own, depends on everything, and says so
//! ([`Sources::unknown`]). How sums of floats are rounded, and whether a run fails, is not looked at.
//!
//! Words are those of column lineage elsewhere (OpenLineage 1.x): *made of* is its `DIRECT`, *decided by* its `INDIRECT`.

mod expr;
mod ops;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::dtype::Field;
use crate::error::Result;
use crate::frame::FrameName;

pub use expr::of;
pub use ops::after;

/// Something of a frame that a column may depend on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The frame.
    pub frame: FrameName,
    /// What of it.
    pub part: Part,
}

/// A part of a frame.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The values of a column, or of a field inside of it.
    Column {
        /// Its name.
        name: String,
        /// The way to the field, from the outside in; empty for the whole column.
        path: Vec<String>,
    },
    /// Which rows there are.
    Rows,
    /// In which order the rows are.
    Order,
}

/// How a column decides about another one without being part of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decision {
    /// A branch of CASE or `when`.
    Condition,
    /// Rows are kept or left out by it.
    Filter,
    /// Rows are matched by it.
    Join,
    /// Rows are grouped by it.
    Group,
    /// Rows that are equal in it become one.
    Distinct,
    /// It orders rows, of which some are taken.
    Limit,
    /// It orders rows, of which one gives the value.
    Sort,
    /// It is a partition, or the order, of a window.
    Window,
    /// Its lists say how many rows there are.
    Explode,
    /// Its values become names of columns.
    Pivot,
    /// A rule drops or quarantines rows by it.
    Expectation,
}

impl Decision {
    /// Its word, in snake_case, as it is serialized.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Condition => "condition",
            Self::Filter => "filter",
            Self::Join => "join",
            Self::Group => "group",
            Self::Distinct => "distinct",
            Self::Limit => "limit",
            Self::Sort => "sort",
            Self::Window => "window",
            Self::Explode => "explode",
            Self::Pivot => "pivot",
            Self::Expectation => "expectation",
        }
    }
}

/// What decides, and how. Nothing but the fact is known of an origin with an empty set.
pub type Decisions = BTreeMap<Origin, BTreeSet<Decision>>;

/// What a column depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// What its values are made of; nothing for a constant.
    pub made_of: BTreeSet<Origin>,
    /// What decides about its values beside that, and beside what decides about all rows ([`Lineage::rows`]).
    pub decided_by: Decisions,
    /// Whether its values are those of the one origin, as they are.
    pub same: bool,
    /// Whether this is a guess on the safe side, since what makes the column cannot be looked into.
    pub unknown: bool,
}

impl Sources {
    fn origin(origin: Origin) -> Self {
        Self {
            made_of: BTreeSet::from([origin]),
            same: true,
            ..Self::default()
        }
    }

    /// Makes all of `other` part of the values.
    fn take(&mut self, other: &Self) {
        self.made_of.extend(other.made_of.iter().cloned());
        merge(&mut self.decided_by, &other.decided_by);
        self.same = false;
        self.unknown |= other.unknown;
    }

    /// Makes all of `other` decide about the values.
    fn decide(&mut self, other: &Self, how: Decision) {
        decide(&mut self.decided_by, other, how);
        self.same = false;
        self.unknown |= other.unknown;
    }

    /// Everything that the column depends on.
    pub fn all(&self) -> impl Iterator<Item = &Origin> {
        self.made_of.iter().chain(self.decided_by.keys())
    }
}

fn decide(into: &mut Decisions, sources: &Sources, how: Decision) {
    for origin in sources.all() {
        into.entry(origin.clone()).or_default().insert(how);
    }
}

fn merge(into: &mut Decisions, other: &Decisions) {
    for (origin, how) in other {
        into.entry(origin.clone()).or_default().extend(how);
    }
}

/// The columns of a frame, with what each depends on. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    /// Names and types of the columns.
    pub fields: Arc<[Field]>,
    /// What each column depends on, in the order of the fields.
    pub columns: Vec<Arc<Sources>>,
    /// What decides which rows there are, and so about all columns.
    pub rows: Arc<Decisions>,
    /// What decides in which order the rows are. It matters where a later step takes some of them.
    pub order: Arc<BTreeSet<Origin>>,
    /// Whether the rows come of something that cannot be looked into.
    pub unknown_rows: bool,
}

impl Lineage {
    /// A frame that depends on nothing but itself.
    #[must_use]
    pub fn source(frame: &FrameName, fields: Arc<[Field]>) -> Self {
        let origin = |part| Origin {
            frame: frame.clone(),
            part,
        };
        let column = |field: &Field| {
            let (name, path) = (field.name.clone(), Vec::new());
            Arc::new(Sources::origin(origin(Part::Column { name, path })))
        };
        Self {
            columns: fields.iter().map(column).collect(),
            rows: Arc::new(Decisions::from([(origin(Part::Rows), BTreeSet::new())])),
            order: Arc::new(BTreeSet::from([origin(Part::Order)])),
            unknown_rows: false,
            fields,
        }
    }

    /// A frame whose values are written where it is used.
    #[must_use]
    pub fn constant(fields: Arc<[Field]>) -> Self {
        Self {
            columns: vec![Arc::default(); fields.len()],
            rows: Arc::default(),
            order: Arc::default(),
            unknown_rows: false,
            fields,
        }
    }

    /// A frame of which is only known what it is computed from: every column depends on everything of that.
    #[must_use]
    pub fn unknown<'a>(inputs: impl IntoIterator<Item = &'a Self>, fields: Arc<[Field]>) -> Self {
        let mut everything = Sources {
            unknown: true,
            ..Sources::default()
        };
        let mut rows = Decisions::new();
        let mut order = BTreeSet::new();
        for input in inputs {
            for column in &input.columns {
                everything.take(column);
            }
            merge(&mut rows, &input.rows);
            order.extend(input.order.iter().cloned());
        }
        for origin in everything.all().chain(&order) {
            rows.entry(origin.clone()).or_default();
        }
        let everything = Arc::new(everything);
        Self {
            columns: vec![everything; fields.len()],
            order: Arc::new(rows.keys().cloned().collect()),
            rows: Arc::new(rows),
            unknown_rows: true,
            fields,
        }
    }

    /// What a column depends on.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Arc<Sources>> {
        let at = self.fields.iter().position(|field| field.name == name)?;
        self.columns.get(at)
    }

    /// The frame after rows are kept, or left out, by a condition.
    ///
    /// # Errors
    /// Those of [`of`].
    pub fn kept_by(&self, condition: &crate::Expr, how: Decision) -> Result<Self> {
        let condition = of(condition, self)?;
        Ok(self.clone().with_rows(&condition, how))
    }

    fn with_rows(mut self, sources: &Sources, how: Decision) -> Self {
        decide(Arc::make_mut(&mut self.rows), sources, how);
        self.unknown_rows |= sources.unknown;
        self
    }

    /// The order of the rows, as something that decides.
    fn in_order(&self) -> Sources {
        Sources {
            made_of: (*self.order).clone(),
            ..Sources::default()
        }
    }
}
