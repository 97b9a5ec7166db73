//! What became of the changes of a batch.

use laktory_core::arrow::array::RecordBatch;
use laktory_core::{DType, Error, Expr, Func, Op, Result};

use super::steps::{DISAGREES, ENTERS, KNOWN, LEAVES, MOVES, OUTCOME, column, compared, not};
use crate::expectations;
use crate::report::MergeReport;

/// What became of an event, as it stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code(i64);

pub(super) const INSERTED: Code = Code(0);
pub(super) const UPDATED: Code = Code(1);
pub(super) const DELETED: Code = Code(2);
pub(super) const LATE: Code = Code(3);
pub(super) const REPEATED: Code = Code(4);
pub(super) const UNCHANGED: Code = Code(5);

impl From<Code> for Expr {
    fn from(code: Code) -> Self {
        super::steps::cast(Self::literal(code.0), &DType::Int64)
    }
}

const NAMES: [(&str, Code); 6] = [
    ("inserted", INSERTED),
    ("updated", UPDATED),
    ("deleted", DELETED),
    ("late", LATE),
    ("repeated", REPEATED),
    ("unchanged", UNCHANGED),
];

/// One row that counts the events.
pub(super) fn count() -> Op {
    let sum = |condition: Expr, name: &str| Expr::call(Func::Sum, [condition]).alias(name);
    let mut aggs: Vec<Expr> = NAMES
        .iter()
        .map(|(name, code)| {
            let is_it = compared(Func::Eq, column(OUTCOME), (*code).into());
            sum(is_it.and(not(column(KNOWN))), name)
        })
        .collect();
    aggs.push(sum(column(ENTERS), ENTERS));
    aggs.push(sum(column(LEAVES), LEAVES));
    aggs.push(sum(column(MOVES), MOVES));
    aggs.push(sum(column(DISAGREES), DISAGREES));
    Op::Aggregate {
        keys: Vec::new(),
        aggs,
        drop_null_keys: false,
    }
}

/// The counts of a batch, and what follows from it for the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) report: MergeReport,
    /// Rows that come into the table.
    pub(super) enters: u64,
    /// Rows that go.
    pub(super) leaves: u64,
    /// Events that make another of the table, or of what is remembered.
    pub(super) moves: u64,
    /// Events that differ from others of their place in values without an order.
    pub(super) disagree: u64,
}

impl Counted {
    /// Whether table and memory stay as they are.
    pub(super) fn changes_nothing(&self) -> bool {
        self.enters == 0 && self.leaves == 0 && self.moves == 0
    }

    /// What the row of [`count`] says.
    ///
    /// # Errors
    /// `Internal` for another row.
    pub(super) fn of(batches: &[RecordBatch]) -> Result<Self> {
        let get = |name: &str| expectations::count(batches, name);
        Ok(Self {
            report: MergeReport {
                inserted: get("inserted")?,
                updated: get("updated")?,
                deleted: get("deleted")?,
                late: get("late")?,
                repeated: get("repeated")?,
                unchanged: get("unchanged")?,
                ..MergeReport::default()
            },
            enters: get(ENTERS)?,
            leaves: get(LEAVES)?,
            moves: get(MOVES)?,
            disagree: get(DISAGREES)?,
        })
    }
}

impl MergeReport {
    /// That each event of a batch is counted once.
    ///
    /// # Errors
    /// `Internal`.
    pub(super) fn closes(&self, events: u64) -> Result<()> {
        let sum = self.events();
        if sum == events {
            return Ok(());
        }
        Err(Error::internal(format!(
            "{events} changes were merged, and the counts of what became of them make {sum}"
        )))
    }
}
