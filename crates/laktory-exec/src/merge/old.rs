//! The rows that a table holds before a merge.

use laktory_core::table::TableScan;
use laktory_core::{Expr, Field, Frame, Result};

use super::steps::{Engine, FILE, column, null};
use crate::staging;
use crate::tables;

/// Bytes of files whose rows go into one, where they are written again.
const BYTES: u64 = 256 << 20;

/// A version of a table.
pub(super) struct Old {
    pub(super) scan: TableScan,
    /// Names of its columns.
    pub(super) has: Vec<String>,
}

impl Old {
    pub(super) fn of(scan: TableScan) -> Self {
        let names = scan.columns.iter().map(|column| column.field.name.clone());
        let has = names.collect();
        Self { scan, has }
    }

    /// The numbers of all files.
    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.scan.files.len()).collect()
    }

    /// The rows of some files, each with the number of its own.
    ///
    /// # Errors
    /// Those of the engine.
    pub(super) async fn frame(&self, engine: Engine<'_>, files: &[usize]) -> Result<Frame> {
        tables::numbered(engine.cx, engine.backend, &self.scan, files, FILE).await
    }

    /// How many rows there are in some files, as far as their footers tell.
    pub(super) fn rows(&self, frame: &Frame, files: &[usize]) -> Option<u64> {
        let mut of = files.iter().filter_map(|at| self.scan.files.get(*at));
        match of.all(|file| file.deleted.is_empty()) {
            true => frame.source_rows(),
            false => None,
        }
    }

    /// Columns of the rows; null where the table does not have them yet.
    pub(super) fn read(&self, fields: &[Field]) -> Vec<Expr> {
        let read = |field: &Field| match self.has.contains(&field.name) {
            true => column(&field.name),
            false => null(&field.dtype).alias(&field.name),
        };
        fields.iter().map(read).collect()
    }

    /// Files by what goes into one when they are written again.
    pub(super) fn groups(&self, files: &[usize]) -> Vec<Vec<usize>> {
        let (mut groups, mut bytes) = (Vec::<Vec<usize>>::new(), 0);
        for at in files {
            let size = self
                .scan
                .files
                .get(*at)
                .map_or(0, |file| staging::size(&file.path));
            match groups.last_mut() {
                Some(group) if bytes + size <= BYTES => {
                    group.push(*at);
                    bytes += size;
                }
                _ => {
                    groups.push(vec![*at]);
                    bytes = size;
                }
            }
        }
        groups
    }
}
