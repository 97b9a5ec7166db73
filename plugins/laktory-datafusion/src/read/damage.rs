//! Which of many files is damaged. The engine does not say; after such an error the files of the plans are decoded once more,
//! one by one, until the guilty one is found.

use std::any::Any;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use laktory_core::{Error, Format, RunCx};

use super::table::Files;

/// The error with the file that caused it, when it is of that kind and one of the files of the plans is damaged.
pub(crate) async fn locate(cx: &RunCx, error: Error, plans: &[LogicalPlan]) -> Error {
    if !laktory_formats::may_be_damage(&error) {
        return error;
    }
    let files: Vec<PathBuf> = plans.iter().flat_map(files).collect();
    let found = cx.blocking(move || Ok(files.into_iter().find(|file| is_damaged(file))));
    match found.await {
        Ok(Some(file)) => laktory_formats::damaged(&Format::Parquet, &file).with_source(error),
        _ => error,
    }
}

/// The files of PARQUET that a plan reads.
pub(crate) fn files(plan: &LogicalPlan) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(table) = source_as_provider(&scan.source)
            && let Some(files) = (table.as_ref() as &dyn Any).downcast_ref::<Files>()
            && files.is_parquet()
        {
            all.extend(files.paths());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    // The walk itself cannot fail.
    debug_assert!(walked.is_ok());
    all
}

fn is_damaged(file: &Path) -> bool {
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        let Ok(opened) = File::open(file) else {
            return false;
        };
        let Ok(reader) = ParquetRecordBatchReaderBuilder::try_new(opened) else {
            return false;
        };
        let Ok(mut batches) = reader.build() else {
            return false;
        };
        batches.all(|batch| batch.is_ok())
    }));
    !decoded.unwrap_or(false)
}
