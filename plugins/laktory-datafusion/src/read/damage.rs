//! Which of many files is damaged. The engine does not say; after such an error the files of the plans are decoded once more,
//! one by one, until the guilty one is found.

use std::any::Any;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::file::metadata::PageIndexPolicy;
use laktory_core::{Error, Format, RunCx};

use super::table::Files;

/// The error with the file that caused it, when it is of that kind and one of the files of the plans is damaged.
pub(crate) async fn locate(cx: &RunCx, error: Error, plans: &[LogicalPlan]) -> Error {
    if !laktory_formats::may_be_damage(&error) {
        return error;
    }
    let files: Vec<PathBuf> = plans.iter().flat_map(files).collect();
    // Statistics that contradict each other can be decoded, but not used.
    let contradicts = error.message().contains("assertion failed");
    let found = cx.blocking(move || {
        let damaged = files.iter().find(|file| is_damaged(file));
        Ok(damaged
            .or(files.first().filter(|_| contradicts && files.len() == 1))
            .cloned())
    });
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
        // What only filters read is damaged too.
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(opened, options);
        let Ok(reader) = reader else {
            return false;
        };
        let Ok(mut batches) = reader.build() else {
            return false;
        };
        batches.all(|batch| batch.is_ok())
    }));
    !decoded.unwrap_or(false)
}
