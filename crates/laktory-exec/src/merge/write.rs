//! What a merge writes once it has decided: parts of the table, what is remembered beside it, and the commit of both.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use laktory_core::table::{DataFile, TableScan, TableSnapshot};

use laktory_core::{Format, Frame, JoinHow, Result, RunCx, WriteSpec};

use super::look::Inputs;
use super::old::Old;
use super::prune::Keys;
use super::sidecar::{APP, Header, Sidecar};
use super::steps::{
    ENTERS, Engine, HIDDEN, LEAVES, REPLACES, column, columns as all_columns, filter, names, select,
};
use super::{Kind, Merge, Merged, Staged, header, scd2};
use crate::report::MergeReport;
use crate::staging;
use crate::tables::Parts;

/// What lies beside the table of a merge.
pub(super) struct Beside {
    pub(super) sidecar: Sidecar,
    pub(super) header: Header,
}

impl Beside {
    pub(super) fn of(merge: &Merge) -> Self {
        Self {
            sidecar: Sidecar::of(merge.table.folder()),
            header: header(&merge.plan, &merge.columns),
        }
    }
}

/// What is to be written for a merge.
pub(super) struct Written {
    pub(super) parts: Parts,
    pub(super) frames: Vec<(Frame, WriteSpec)>,
    /// Rows of the files that are written again, where they are known.
    pub(super) read: Option<u64>,
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

/// What a merge was worked out from.
pub(super) struct Held {
    pub(super) keys: Keys,
    /// Whether rows come into the table whose keys are null, and equal nothing.
    pub(super) has_unkeyed: bool,
    /// The version of the table, if there was one.
    pub(super) scan: Option<TableScan>,
}

impl Held {
    /// Whether the same comes out in a newer version: it has the same columns, the files that go as they were, and no other new ones
    /// than such as cannot hold a key of the batch.
    fn holds(&self, newer: &dyn TableSnapshot, removed: &[PathBuf]) -> Result<bool> {
        let Some(scan) = self.scan.as_ref().filter(|_| !self.has_unkeyed) else {
            return Ok(false);
        };
        let now = newer.scan(None)?;
        if (&now.columns, &now.partition_by) != (&scan.columns, &scan.partition_by) {
            return Ok(false);
        }
        let of = |scan: &TableScan| -> HashMap<PathBuf, DataFile> {
            let files = scan.files.iter();
            files
                .map(|file| (file.path.clone(), file.clone()))
                .collect()
        };
        let (before, after) = (of(scan), of(&now));
        let as_it_was = |path: &PathBuf| before.get(path) == after.get(path);
        let files = now.files.iter().enumerate();
        let new = files.filter(|(_, file)| !as_it_was(&file.path));
        let new: Vec<usize> = new.map(|(at, _)| at).collect();
        Ok(removed.iter().all(as_it_was) && self.keys.files(newer, new).is_empty())
    }
}

impl Merge {
    /// What is to be remembered behind the merge.
    pub(super) async fn remembers(
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
    pub(super) async fn written(
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
    pub(super) async fn committed(
        &self,
        cx: &RunCx,
        parts: Parts,
        (removed, held): (Vec<PathBuf>, Held),
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
            let still = |newer: &dyn TableSnapshot| {
                newer.last(APP) == before && held.holds(newer, &removed).unwrap_or(false)
            };
            let table = table.with(removed.clone(), app);
            let committed = table.commit(&parts, |names| note(names), &still);
            match (&committed, number) {
                (Ok(done), Some(_)) if !done.overtaken => sidecar.sweep(before.unwrap_or(0)),
                (Ok(_), Some(number)) => sidecar.forget(number),
                // It may have been committed all the same. What no version names is swept behind a later merge.
                (Err(_), _) | (_, None) => {}
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
