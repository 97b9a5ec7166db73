//! DELTA tables: the log of a table, as [`TableFormat`] of the contract. What the log says is read and written here; the rows
//! are in files of PARQUET, which the engines read and write.
//!
//! A table is honoured as far as its `protocol` asks: a feature that is not known here is refused by its name, before a row is
//! read or written. A commit puts the entry of the next version where none is, in one step, or finds that others were first.

mod actions;
mod bounds;
mod change;
mod checkpoint;
mod commit;
mod disk;
mod features;
mod history;
mod log;
mod named;
mod names;
mod parts;
mod schema;
mod snapshot;
mod state;
mod stats;
mod vector;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use laktory_core::table::{TableFormat, TableSnapshot, TableVersion};
use laktory_core::{Format, Options, Result};

use crate::snapshot::Snapshot;

laktory_core::register_table_format! {
    /// The format DELTA.
    pub static DELTA: DeltaTables = DeltaTables;
}

/// Tables with a log of the Delta protocol, in folders of this machine.
#[derive(Clone, Copy, Debug)]
pub struct DeltaTables;

/// The folder of the log, below that of the table.
const LOG: &str = "_delta_log";

impl TableFormat for DeltaTables {
    fn format(&self) -> Format {
        Format::Delta
    }

    fn provided_by(&self) -> &'static str {
        env!("CARGO_PKG_NAME")
    }

    fn is_table(&self, folder: &Path) -> bool {
        folder.join(LOG).is_dir()
    }

    fn open(&self, folder: &Path, options: &Options) -> Result<Arc<dyn TableSnapshot>> {
        let at = history::wanted(options)?;
        Ok(Arc::new(Snapshot::open(folder, &at)?))
    }

    fn history(&self, folder: &Path) -> Result<Vec<TableVersion>> {
        history::versions(folder)
    }
}
