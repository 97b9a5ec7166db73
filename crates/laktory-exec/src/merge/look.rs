//! What a merge reads before it decides: rows of the table that may be about the batch, and what is remembered.

use std::path::PathBuf;

use laktory_core::{Format, Frame, JoinHow, ReadSpec, Result, RunCx, typing};

use super::old::Old;
use super::prune::Keys;
use super::steps::{
    self, Engine, FILE, cast, column, columns as all_columns, filter, names, select,
};
use super::write::Beside;
use super::{Merge, scd2};

/// What a plan is made of.
pub(super) struct Inputs {
    /// The events of the batch.
    pub(super) batch: Frame,
    /// The rows of the table that may be about keys of the batch, each with the number of its file; none where there are none.
    pub(super) rows: Option<Frame>,
    /// What is remembered beside the table.
    pub(super) remembered: Option<Frame>,
}

impl Merge {
    /// The files of the table whose rows count, and what the merge before left beside them.
    pub(super) async fn before(&self, cx: &RunCx) -> Result<(Option<Old>, Option<PathBuf>)> {
        if !self.table.counts() {
            return Ok((None, None));
        }
        let (table, beside) = (self.table.clone(), Beside::of(self));
        let look = move || {
            let old = Old::of(table.snapshot().scan(None)?);
            let before = beside.sidecar.before(table.snapshot(), &beside.header)?;
            Ok((Some(old), before))
        };
        cx.blocking(look).await
    }

    /// What a plan is made of.
    pub(super) async fn inputs(
        &self,
        engine: Engine<'_>,
        (batch, keys): (&Frame, &Keys),
        old: Option<&Old>,
        before: Option<PathBuf>,
    ) -> Result<Inputs> {
        let columns = &self.columns;
        let batch = match self.plan.nulls_equal {
            true => batch.clone(),
            false => {
                let keyed = [filter(steps::not(columns.null_key()))];
                engine.after(batch, &keyed).await?
            }
        };
        let remembered = match before {
            Some(file) => Some(self.remembered(engine, file).await?),
            None => None,
        };
        let rows = match old {
            Some(old) => self.rows(engine, old, &batch, keys).await?,
            None => None,
        };
        Ok(Inputs {
            batch,
            rows,
            remembered,
        })
    }

    /// The rows of the table that may be about keys of a batch: those of files with such keys.
    async fn rows(
        &self,
        engine: Engine<'_>,
        old: &Old,
        batch: &Frame,
        keys_of_batch: &Keys,
    ) -> Result<Option<Frame>> {
        let columns = &self.columns;
        let keys = columns.key_names();
        let (snapshot, all) = (self.table.snapshot(), old.all());
        let may = keys_of_batch.files(snapshot, all);
        if may.is_empty() {
            return Ok(None);
        }
        let all = old.frame(engine, &may).await?;
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
    pub(super) async fn remembered(&self, engine: Engine<'_>, file: PathBuf) -> Result<Frame> {
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
}
