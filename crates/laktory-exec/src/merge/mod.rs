//! Changes merged into a table: rows of type 1, versions of type 2.
//!
//! A stream of changes is a set of events, and the table is a function of that set: whatever the order in which they come, however
//! often, in whatever batches. What the table cannot hold of them is in a file beside it ([`sidecar`]), which the same commit names.
//! The plans are steps of the contract, the same for every engine; the executor reads the files that hold rows of the batch, and has
//! those written again of which rows change.

mod columns;
mod fill;
mod nulls;
mod old;
mod outcome;
mod scd1;
mod scd2;
mod sidecar;
mod steps;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use laktory_core::arrow::array::RecordBatch;
use laktory_core::{
    Backend, Error, ErrorKind, Expr, Field, Format, Frame, Func, JoinHow, Op, ReadSpec, Result,
    RunCx, WriteSpec, typing,
};
use laktory_plan::MergePlan;

use crate::expectations;
use crate::report::MergeReport;
use crate::staging;
use crate::tables::{Parts, Table};
use old::Old;
use outcome::Counted;
use sidecar::{APP, Header, Sidecar};
use steps::{
    ENTERS, Engine, FILE, HIDDEN, LEAVES, REPLACES, SEQUENCE, cast, column, columns as all_columns,
    filter, is_null, names, select,
};

pub(crate) use columns::{Columns, Misfit};

/// How often a merge is worked out, where others commit in between.
const ATTEMPTS: u32 = 20;
/// What a plan is made of.
struct Inputs {
    /// The events of the batch.
    batch: Frame,
    /// The rows of the table that may be about keys of the batch, each with the number of its file; none where there are none.
    rows: Option<Frame>,
    /// What is remembered beside the table.
    remembered: Option<Frame>,
}

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

/// Where the files of a merge are staged, and who is told of their names in the table before they are moved there.
pub(crate) struct Staged<'a> {
    /// The path of a file, by the attempt and its name.
    pub(crate) part: &'a (dyn Fn(u32, &str) -> PathBuf + Sync),
    /// Takes down names.
    pub(crate) note: Arc<dyn Fn(&[String]) -> std::io::Result<()> + Send + Sync>,
}

/// The columns of a merge into a table as it is now, in the types that it holds.
fn settled(plan: &MergePlan, table: &Table, given: &[Field]) -> Result<Columns, Misfit> {
    let at_options = |error| Misfit {
        place: plan.place.clone(),
        error,
    };
    let known = match table.counts() {
        true => Some(table.snapshot().columns().map_err(at_options)?),
        false => None,
    };
    let columns = Columns::of(plan, given, known.as_deref())?;
    let planned = table.plan(&columns.rows()).map_err(at_options)?;
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
    if !table.counts() || plan.order_by.is_none() {
        return Ok(());
    }
    let header = header(plan, &columns);
    let before = Sidecar::of(table.folder()).before(table.snapshot(), &header);
    before.map(|_| ()).map_err(|error| Misfit {
        place: plan.place.clone(),
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
    /// Those of the engine and of the table; `InvalidArgument` for events that have no place in the order; `Io` where others were
    /// first each time.
    pub(crate) async fn carry_out(
        mut self,
        (cx, backend): (&RunCx, &Arc<dyn Backend>),
        batch: &Frame,
        events: u64,
        staged: &Staged<'_>,
    ) -> Result<Merged> {
        let engine = Engine { cx, backend };
        self.in_order(engine, batch).await?;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                cx.cancel().check()?;
                let pause = u64::from(attempt) * 7 + u64::from(std::process::id() % 5);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                self.again(cx).await?;
            }
            let merged = self.attempt(engine, batch, events, staged, attempt).await?;
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

    /// That each event has a place in the order.
    async fn in_order(&self, engine: Engine<'_>, batch: &Frame) -> Result<()> {
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
            "{count} changes have no `{order_by}`, so that they have no place in the order of changes; the first one is of {first}"
        );
        Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(
            "fill it in a step of the transformer, or drop such rows by an expectation with action DROP",
        ))
    }

    /// Works the merge out for the version of the table that is open, and commits it; none where others were first.
    async fn attempt(
        &self,
        engine: Engine<'_>,
        batch: &Frame,
        events: u64,
        staged: &Staged<'_>,
        attempt: u32,
    ) -> Result<Option<Merged>> {
        let (table, columns) = (&self.table, &self.columns);
        let old = match table.counts() {
            true => Some(Old::of(table.snapshot().scan(None)?)),
            false => None,
        };
        let beside = Beside::of(self);
        let inputs = self.inputs(engine, batch, old.as_ref(), &beside).await?;
        let decided = match self.kind() {
            Kind::Rows => scd1::decide(engine, columns, &inputs).await?,
            Kind::Filled => fill::decide(engine, columns, &inputs).await?,
            Kind::Versions => scd2::decide(engine, columns, &inputs).await?,
        };
        let (decided, _) = engine.kept(decided).await?;
        let counts = engine.after(&decided, &[outcome::count()]).await?;
        let mut counted = Counted::of(&engine.collected(counts).await?)?;
        let unkeyed = match self.plan.nulls_equal {
            true => None,
            false => nulls::inserts(engine, columns, batch, old.as_ref(), &mut counted).await?,
        };
        counted.report.closes(events)?;
        if table.counts() && counted.changes_nothing() {
            return Ok(Some(Merged {
                report: counted.report,
                ..Merged::default()
            }));
        }
        let mut written = Written::default();
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
            removed,
            remembered,
            (counted.report, staged),
        )
        .await
    }

    /// What a plan is made of.
    async fn inputs(
        &self,
        engine: Engine<'_>,
        batch: &Frame,
        old: Option<&Old>,
        beside: &Beside,
    ) -> Result<Inputs> {
        let columns = &self.columns;
        let batch = match self.plan.nulls_equal {
            true => batch.clone(),
            false => {
                let keyed = [filter(steps::not(columns.null_key()))];
                engine.after(batch, &keyed).await?
            }
        };
        let before = match self.table.counts() && self.plan.order_by.is_some() {
            true => beside
                .sidecar
                .before(self.table.snapshot(), &beside.header)?,
            false => None,
        };
        let remembered = match before {
            Some(file) => Some(self.remembered(engine, file).await?),
            None => None,
        };
        let rows = match old {
            Some(old) => self.rows(engine, old, &batch).await?,
            None => None,
        };
        Ok(Inputs {
            batch,
            rows,
            remembered,
        })
    }

    /// The rows of the table that may be about keys of a batch: those of files with such keys.
    async fn rows(&self, engine: Engine<'_>, old: &Old, batch: &Frame) -> Result<Option<Frame>> {
        let columns = &self.columns;
        let keys = columns.key_names();
        let all = old.frame(engine, &old.all()).await?;
        let (mut narrow, bounds) = (columns.key_columns(), columns.bounds());
        narrow.extend(all_columns(&bounds));
        narrow.push(column(FILE));
        let all = engine.after(&all, &[select(narrow)]).await?;
        let hit = match bounds.is_empty() {
            true => {
                engine
                    .joined(&all, batch, JoinHow::Semi, (&keys, &keys))
                    .await?
            }
            false => scd2::affected(engine, columns, &all, batch).await?,
        };
        let files = engine.files(&hit).await?;
        if files.is_empty() {
            return Ok(None);
        }
        let rows = old.frame(engine, &files).await?;
        let mut exprs = old.read(&columns.rows());
        exprs.push(column(FILE));
        let rows = engine.after(&rows, &[select(exprs)]).await?;
        if bounds.is_empty() {
            return Ok(Some(rows));
        }
        // They are looked at several times.
        let affected = scd2::affected(engine, columns, &rows, batch).await?;
        Ok(Some(engine.kept(affected).await?.0))
    }

    /// What is remembered, in the types of now.
    async fn remembered(&self, engine: Engine<'_>, file: PathBuf) -> Result<Frame> {
        let mut spec = ReadSpec::new(Format::Parquet, file.display().to_string());
        spec.files = vec![file];
        spec.rows = true;
        let frame = engine.backend.read(engine.cx, &spec).await?;
        let has = typing::columns(&**engine.backend, engine.cx, &frame).await?;
        let has = names(&has);
        let fields = self.kind().remembered(&self.columns);
        let exprs = fields.iter().map(|field| match has.contains(&field.name) {
            true => cast(column(&field.name), &field.dtype),
            false => steps::null(&field.dtype).alias(&field.name),
        });
        engine.after(&frame, &[select(exprs.collect())]).await
    }

    /// What is to be remembered behind the merge.
    async fn remembers(
        &self,
        engine: Engine<'_>,
        inputs: &Inputs,
        decided: &Frame,
    ) -> Result<Frame> {
        let columns = &self.columns;
        let shape = all_columns(&self.kind().remembered(columns));
        let stays = match (&inputs.remembered, self.kind()) {
            (None, _) => None,
            (Some(_), Kind::Versions) => scd2::stays(engine, columns, inputs).await?,
            (Some(before), Kind::Rows | Kind::Filled) => {
                let keys = columns.key_names();
                let anew = [filter(column(REPLACES)), select(columns.key_columns())];
                let anew = engine.after(decided, &anew).await?;
                let (anti, by) = (JoinHow::Anti, (keys.as_slice(), keys.as_slice()));
                let stays = engine.joined(before, &anew, anti, by).await?;
                Some(engine.after(&stays, &[select(shape.clone())]).await?)
            }
        };
        let hidden = [filter(column(HIDDEN)), select(shape)];
        let hidden = engine.after(decided, &hidden).await?;
        engine.stacked(&hidden, stays.as_slice()).await
    }

    /// The parts that are to be written: rows that come into the table, and those that share a file with others which go. Gives
    /// the files that count no more.
    async fn written(
        &self,
        engine: Engine<'_>,
        (decided, unkeyed): (&Frame, Option<Frame>),
        old: Option<&Old>,
        written: &mut Written,
        place: &(dyn Fn(usize) -> PathBuf + Sync),
    ) -> Result<Vec<PathBuf>> {
        let columns = &self.columns;
        let planned = self.table.plan(&columns.rows())?;
        let enters = [
            filter(column(ENTERS)),
            select(all_columns(&planned.columns)),
        ];
        let enters = engine.after(decided, &enters).await?;
        let mut enters = Some(engine.stacked(&enters, unkeyed.as_slice()).await?);
        let leaving = engine.after(decided, &[filter(column(LEAVES))]).await?;
        let files = match old {
            Some(_) => engine.files(&leaving).await?,
            None => Vec::new(),
        };
        let mut identity = columns.key_names();
        identity.extend(names(&columns.bounds()).into_iter().take(1));
        let by = identity.iter().map(column).collect();
        let leaving = engine.after(&leaving, &[select(by)]).await?;
        // A table that is partitioned has its parts by that.
        let groups = match (old, planned.partition_by.is_empty()) {
            (Some(old), true) => old.groups(&files),
            _ if files.is_empty() => Vec::new(),
            _ => vec![files.clone()],
        };
        let mut frames = Vec::new();
        for group in &groups {
            let Some(old) = old else { continue };
            let rows = old.frame(engine, group).await?;
            written.read = written
                .read
                .zip(old.rows(&rows, group))
                .map(|(read, more)| read + more);
            let stays = engine
                .joined(&rows, &leaving, JoinHow::Anti, (&identity, &identity))
                .await?;
            let stays = engine
                .after(&stays, &[select(old.read(&planned.columns))])
                .await?;
            frames.push(match frames.len() + 1 == groups.len() {
                true => engine.stacked(&stays, enters.take().as_slice()).await?,
                false => stays,
            });
        }
        frames.extend(enters);
        for frame in frames {
            let first = written.parts.iter().count();
            let file = |number| place(first + number);
            let (parts, frames) =
                Parts::of(engine.cx, engine.backend, &frame, planned.clone(), file).await?;
            let specs = parts.iter().map(|part| {
                let mut spec = WriteSpec::new(Format::Parquet, &part.staged);
                spec.options = self.table.options.clone();
                spec
            });
            written.frames.extend(frames.into_iter().zip(specs));
            written.parts.extend(parts);
        }
        let paths = files.iter().filter_map(|at| old?.scan.files.get(*at));
        Ok(paths.map(|file| file.path.clone()).collect())
    }

    /// Commits what was written; none where others were first.
    async fn committed(
        &self,
        cx: &RunCx,
        parts: Parts,
        removed: Vec<PathBuf>,
        remembered: Option<PathBuf>,
        (report, staged): (MergeReport, &Staged<'_>),
    ) -> Result<Option<Merged>> {
        let (table, beside, note) = (
            self.table.clone(),
            Beside::of(self),
            Arc::clone(&staged.note),
        );
        let bytes = parts.iter().map(|part| staging::size(&part.staged)).sum();
        let commit = move || {
            let Beside { sidecar, header } = beside;
            let before = table.snapshot().last(APP);
            let number = match &remembered {
                Some(file) => Some(sidecar.put(table.snapshot(), &header, file)?),
                None => None,
            };
            let app = number.map(|number| (APP.to_owned(), number));
            let committed = table.with(removed, app).commit(&parts, |names| note(names));
            match (&committed, number) {
                (Ok(done), Some(_)) if !done.overtaken => sidecar.sweep(before.unwrap_or(0)),
                (_, Some(number)) => sidecar.forget(number),
                (_, None) => {}
            }
            committed
        };
        let committed = cx.blocking(commit).await?;
        if committed.overtaken {
            return Ok(None);
        }
        Ok(Some(Merged {
            report,
            bytes,
            warnings: committed.warnings,
        }))
    }
}

/// What lies beside the table of a merge.
struct Beside {
    sidecar: Sidecar,
    header: Header,
}

impl Beside {
    fn of(merge: &Merge) -> Self {
        Self {
            sidecar: Sidecar::of(merge.table.folder()),
            header: header(&merge.plan, &merge.columns),
        }
    }
}

/// What is to be written for a merge.
struct Written {
    parts: Parts,
    frames: Vec<(Frame, WriteSpec)>,
    /// Rows of the files that are written again, where they are known.
    read: Option<u64>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            parts: Parts::default(),
            frames: Vec::new(),
            read: Some(0),
        }
    }
}

/// The values of the first row, for a message.
fn shown(batches: &[RecordBatch]) -> String {
    let row = batches.iter().find(|batch| batch.num_rows() > 0);
    let text = row.and_then(|batch| {
        let mut writer = arrow_json::LineDelimitedWriter::new(Vec::new());
        writer.write(&batch.slice(0, 1)).ok()?;
        writer.finish().ok()?;
        String::from_utf8(writer.into_inner()).ok()
    });
    text.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
