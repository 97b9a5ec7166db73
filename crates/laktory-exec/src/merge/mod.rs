//! Changes merged into a table: rows of type 1, versions of type 2.
//!
//! A stream of changes is a set of events, and the table is a function of that set: whatever the order in which they come, however
//! often, in whatever batches. What the table cannot hold of them is in a file beside it ([`sidecar`]), which the same commit names.
//! The plans are steps of the contract, the same for every engine; the executor reads the files that hold rows of the batch, and has
//! those written again of which rows change.

mod columns;
mod fill;
mod look;
mod nulls;
mod old;
mod outcome;
mod prune;
mod scd1;
mod scd2;
mod sidecar;
mod steps;
mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use laktory_core::arrow::array::RecordBatch;
use laktory_core::{
    Backend, Error, ErrorKind, Expr, Field, Format, Frame, Func, Op, Result, RunCx, WriteSpec,
};
use laktory_plan::MergePlan;

use crate::expectations;
use crate::report::MergeReport;
use crate::tables::Table;
use outcome::Counted;
use prune::Keys;
use sidecar::{Header, Sidecar};
use steps::{
    DISAGREES, ENTERS, Engine, FILE, HIDDEN, KNOWN, LEAVES, MOVES, OUTCOME, REPLACES, SEQUENCE,
    column, filter, is_null, names, select,
};
use write::{Held, Written};

pub(crate) use columns::{Columns, Misfit};
pub(crate) use sidecar::{APP, BESIDE, NOTHING};

/// How often a merge is worked out, where others commit in between.
const ATTEMPTS: u32 = 20;
/// A merge that is to be carried out.
#[derive(Clone, Debug)]
pub(crate) struct Merge {
    plan: MergePlan,
    table: Table,
    /// The columns that the node gives.
    given: Vec<Field>,
    columns: Columns,
}

/// How changes become rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The last change of a key is its row.
    Rows,
    /// The last values of a key are its row.
    Filled,
    /// Each change that shows is a version.
    Versions,
}

impl Kind {
    /// What is kept of events once it is decided about them.
    fn kept(self, columns: &Columns) -> Vec<Expr> {
        let mut kept = names(&columns.rows());
        let flags = [
            FILE, KNOWN, OUTCOME, ENTERS, LEAVES, HIDDEN, MOVES, DISAGREES,
        ];
        let flags = flags.map(str::to_owned).into_iter();
        let replaces = match self {
            Self::Versions => None,
            Self::Rows | Self::Filled => Some(REPLACES.to_owned()),
        };
        for name in names(&self.remembered(columns))
            .into_iter()
            .chain(flags)
            .chain(replaces)
        {
            if !kept.contains(&name) {
                kept.push(name);
            }
        }
        kept.into_iter().map(column).collect()
    }

    /// The columns of what is remembered beside the table.
    fn remembered(self, columns: &Columns) -> Vec<Field> {
        match self {
            Self::Rows => scd1::remembered(columns),
            Self::Filled => fill::remembered(columns),
            Self::Versions => scd2::remembered(columns),
        }
    }
}

/// A merge that is done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merged {
    /// What became of the changes.
    pub(crate) report: MergeReport,
    /// Bytes that were written for the table.
    pub(crate) bytes: u64,
    /// What deserves attention.
    pub(crate) warnings: Vec<String>,
}

/// Takes down the names of files.
pub(crate) type Note = dyn Fn(&[String]) -> std::io::Result<()> + Send + Sync;

/// Where the files of a merge are staged, and who is told of their names in the table before they are moved there.
pub(crate) struct Staged<'a> {
    /// The path of a file, by the attempt and its name.
    pub(crate) part: &'a (dyn Fn(u32, &str) -> PathBuf + Sync),
    /// Takes down names.
    pub(crate) note: Arc<Note>,
}

/// The columns of a merge into a table as it is now, in the types that it holds.
fn settled(plan: &MergePlan, table: &Table, given: &[Field]) -> Result<Columns, Misfit> {
    let at_sink = |error| Misfit { place: None, error };
    let known = match table.counts() {
        true => Some(table.snapshot().columns().map_err(at_sink)?),
        false => None,
    };
    let columns = Columns::of(plan, given, known.as_deref())?;
    let planned = table.plan(&columns.rows()).map_err(at_sink)?;
    Ok(columns.held(&planned.columns))
}

fn header(plan: &MergePlan, columns: &Columns) -> Header {
    Header::of(columns, (plan.nulls_equal, plan.ignore_nulls))
}

/// Whether rows of such columns can be merged into a table, before any are computed. Blocks.
///
/// # Errors
/// Those of [`Columns::of`], of the table, and of what was merged into it before.
pub(crate) fn check(plan: &MergePlan, table: &Table, given: &[Field]) -> Result<(), Misfit> {
    let columns = settled(plan, table, given)?;
    if !table.counts() {
        return Ok(());
    }
    let header = header(plan, &columns);
    let before = Sidecar::of(table.folder()).before(table.snapshot(), &header);
    before.map(|_| ()).map_err(|error| Misfit {
        place: Some(plan.place.clone()),
        error,
    })
}

impl Merge {
    /// A merge of rows of such columns.
    ///
    /// # Errors
    /// As [`check`].
    pub(crate) fn new(plan: &MergePlan, table: Table, given: Vec<Field>) -> Result<Self> {
        let columns = settled(plan, &table, &given).map_err(|misfit| misfit.error)?;
        Ok(Self {
            plan: plan.clone(),
            table,
            given,
            columns,
        })
    }

    fn kind(&self) -> Kind {
        match (&self.columns.history, self.plan.ignore_nulls) {
            (Some(_), _) => Kind::Versions,
            (None, true) => Kind::Filled,
            (None, false) => Kind::Rows,
        }
    }

    /// The steps that make events of the rows of the node.
    pub(crate) fn events(&self) -> Vec<Op> {
        self.columns.events(&self.plan)
    }

    /// Merges events, which are kept by the engine. Where others commit first, it is worked out again.
    ///
    /// # Errors
    /// Those of the engine and of the table; `InvalidArgument` for events of which it is not certain which one counts; `Io` where
    /// others were first each time.
    pub(crate) async fn carry_out(
        mut self,
        (cx, backend): (&RunCx, &Arc<dyn Backend>),
        batch: &Frame,
        events: u64,
        staged: &Staged<'_>,
    ) -> Result<Merged> {
        let engine = Engine { cx, backend };
        let keys = Keys::of(engine, &self.columns.keys, (batch, events)).await?;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                cx.cancel().check()?;
                let pause = u64::from(attempt) * 7 + u64::from(std::process::id() % 5);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                self.again(cx).await?;
            }
            let changes = (batch, events, &keys);
            let merged = self.attempt(engine, changes, staged, attempt).await?;
            if let Some(merged) = merged {
                return Ok(merged);
            }
        }
        Err(Error::new(
            ErrorKind::Io,
            format!("others committed to the table first, {ATTEMPTS} times"),
        )
        .retryable()
        .with_hint("run again when there is less going on"))
    }

    /// Looks at the table anew.
    async fn again(&mut self, cx: &RunCx) -> Result<()> {
        let table = self.table.clone();
        let table = cx.blocking(move || table.reopened()).await?;
        let columns = settled(&self.plan, &table, &self.given).map_err(|misfit| misfit.error)?;
        let types = |columns: &Columns| {
            let stored = columns.keys.iter().chain(&columns.updates).cloned();
            (stored.collect::<Vec<_>>(), columns.sequence.clone())
        };
        if types(&columns) != types(&self.columns) {
            return Err(Error::new(
                ErrorKind::SchemaMismatch,
                "the table was given other columns while changes were merged into it",
            )
            .with_hint("run again"));
        }
        (self.table, self.columns) = (table, columns);
        Ok(())
    }

    /// That each event has a place in the order: asked of all merges of a node before any of them is carried out.
    ///
    /// # Errors
    /// `InvalidArgument` for events without one; those of the engine.
    pub(crate) async fn in_order(
        &self,
        (cx, backend): (&RunCx, &Arc<dyn Backend>),
        batch: &Frame,
    ) -> Result<()> {
        let engine = Engine { cx, backend };
        let Some(order_by) = &self.plan.order_by else {
            return Ok(());
        };
        let nowhere = || is_null(column(SEQUENCE));
        let count = Op::Aggregate {
            keys: Vec::new(),
            aggs: vec![Expr::call(Func::Sum, [nowhere()]).alias("rows")],
            drop_null_keys: false,
        };
        let count = engine.after(batch, &[count]).await?;
        let count = expectations::count(&engine.collected(count).await?, "rows")?;
        if count == 0 {
            return Ok(());
        }
        let ops = [
            filter(nowhere()),
            Op::Sort {
                by: self
                    .columns
                    .key_columns()
                    .into_iter()
                    .map(steps::ascending)
                    .collect(),
            },
            Op::Head { n: 1 },
            select(self.columns.key_columns()),
        ];
        let first = engine.after(batch, &ops).await?;
        let first = shown(&engine.collected(first).await?);
        let message = format!(
            "{} no `{order_by}`, and so no place in the order of changes; the first one is of {first}",
            counted_as(count, "change has", "changes have")
        );
        Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(
            "fill it in a step of the transformer, or drop such rows by an expectation with action DROP",
        ))
    }

    /// That of changes of one place it is certain which one counts.
    fn agree(&self, disagree: u64) -> Result<()> {
        if disagree == 0 {
            return Ok(());
        }
        let columns = self.columns.unordered();
        let columns: Vec<String> = columns.map(|field| format!("`{}`", field.name)).collect();
        let order_by = self.plan.order_by.as_deref().unwrap_or_default();
        let message = format!(
            "{} from others of the same key and `{order_by}` in {} alone, of which no value counts more than another",
            counted_as(disagree, "change differs", "changes differ"),
            columns.join(", ")
        );
        Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(
            "order them by a column that tells them apart, or leave one of them in a step of the transformer",
        ))
    }

    /// Works the merge out for the version of the table that is open, and commits it; none where others were first.
    async fn attempt(
        &self,
        engine: Engine<'_>,
        (batch, events, keys): (&Frame, u64, &Keys),
        staged: &Staged<'_>,
        attempt: u32,
    ) -> Result<Option<Merged>> {
        let (table, columns) = (&self.table, &self.columns);
        let (old, before) = self.before(engine.cx).await?;
        let inputs = self
            .inputs(engine, (batch, keys), old.as_ref(), before)
            .await?;
        let decided = match self.kind() {
            Kind::Rows => scd1::decide(engine, columns, &inputs).await?,
            Kind::Filled => fill::decide(engine, columns, &inputs).await?,
            Kind::Versions => scd2::decide(engine, columns, &inputs).await?,
        };
        let kept = [select(self.kind().kept(columns))];
        let decided = engine.after(&decided, &kept).await?;
        let (decided, _) = engine.kept(decided).await?;
        let counts = engine.after(&decided, &[outcome::count()]).await?;
        let mut counted = Counted::of(&engine.collected(counts).await?)?;
        self.agree(counted.disagree)?;
        let unkeyed = match self.plan.nulls_equal {
            true => None,
            false => nulls::inserts(engine, columns, batch, old.as_ref(), &mut counted).await?,
        };
        counted.report.closes(events)?;
        // A column comes into being with the first change that has it, be it late.
        let grows = old.as_ref().is_some_and(|old| {
            let rows = columns.rows();
            rows.iter().any(|field| !old.has.contains(&field.name))
        });
        if table.counts() && counted.changes_nothing() && !grows {
            return Ok(Some(Merged {
                report: counted.report,
                ..Merged::default()
            }));
        }
        let mut written = Written::default();
        let held = Held {
            keys: keys.clone(),
            has_unkeyed: unkeyed.is_some(),
            scan: old.as_ref().map(|old| old.scan.clone()),
        };
        let place = |number: usize| (staged.part)(attempt, &number.to_string());
        let new = (&decided, unkeyed);
        let removed = self
            .written(engine, new, old.as_ref(), &mut written, &place)
            .await?;
        let remembered = match &self.plan.order_by {
            None => None,
            Some(_) => {
                let file = (staged.part)(attempt, "cdc");
                let frame = self.remembers(engine, &inputs, &decided).await?;
                written
                    .frames
                    .push((frame, WriteSpec::new(Format::Parquet, &file)));
                Some(file)
            }
        };
        let rows = engine.written(written.frames).await?;
        let parts = written.parts.iter().count();
        written.parts.counted(&rows[..parts]);
        let total: u64 = rows[..parts].iter().sum();
        counted.report.rewritten = total.saturating_sub(counted.enters);
        counted.report.remembered = rows[parts..].iter().sum();
        if let Some(read) = written.read
            && total + counted.leaves != read + counted.enters
        {
            return Err(Error::new(
                ErrorKind::RowsLost,
                format!(
                    "a merge read {read} rows of the table of which {} go, and has {} new ones, but wrote {total}",
                    counted.leaves, counted.enters
                ),
            )
            .with_hint("nothing was published; this is a bug"));
        }
        self.committed(
            engine.cx,
            written.parts,
            (removed, held),
            remembered,
            (counted.report, staged),
        )
        .await
    }
}

fn counted_as(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// The values of the first row, for a message.
fn shown(batches: &[RecordBatch]) -> String {
    let row = batches.iter().find(|batch| batch.num_rows() > 0);
    let text = row.and_then(|batch| {
        let told = arrow_json::WriterBuilder::new().with_explicit_nulls(true);
        let mut writer = told.build::<_, arrow_json::writer::LineDelimited>(Vec::new());
        writer.write(&batch.slice(0, 1)).ok()?;
        writer.finish().ok()?;
        String::from_utf8(writer.into_inner()).ok()
    });
    text.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
