//! Which of many files is damaged, or holds values of another type. The engine does not say; after such an error the files of
//! the plans are decoded once more, one by one, until the guilty one is found.

use std::any::Any;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::file::metadata::PageIndexPolicy;
use laktory_core::{DType, Error, ErrorKind, Format, RunCx};

use super::table::Files;

/// The error with the file that caused it, when it is of that kind: one of the files of the plans is damaged, or has values
/// that are not of the types in which they are read.
pub(crate) async fn locate(cx: &RunCx, error: Error, plans: &[LogicalPlan]) -> Error {
    let of_values = matches!(
        error.kind(),
        ErrorKind::Compute | ErrorKind::ConversionFailed
    );
    let may_be_damage = laktory_formats::may_be_damage(&error);
    if !of_values && !may_be_damage {
        return error;
    }
    let files: Vec<(PathBuf, SchemaRef)> = plans.iter().flat_map(files).collect();
    let said = error.message().to_owned();
    // Statistics that contradict each other can be decoded, but not used.
    let contradicts = said.contains("assertion failed");
    let found = cx.blocking(move || {
        let fault = |(file, schema): (PathBuf, SchemaRef)| match read(&file, &schema, may_be_damage)
        {
            Ok(()) => None,
            Err(None) => may_be_damage.then_some((file, true)),
            Err(Some(own)) => {
                let own = crate::error::engine_error(own.into());
                said.contains(own.message()).then_some((file, false))
            }
        };
        let alone = files.first().filter(|_| contradicts && files.len() == 1);
        let alone = alone.map(|(file, _)| (file.clone(), true));
        Ok(files.into_iter().find_map(fault).or(alone))
    });
    match found.await {
        Ok(Some((file, true))) => {
            laktory_formats::damaged(&Format::Parquet, &file).with_source(error)
        }
        Ok(Some((file, false))) => error
            .context(format!("`{}`", file.display()))
            .with_hint(laktory_formats::OTHER_TYPE),
        _ => error,
    }
}

/// The files of PARQUET that a plan reads, with the columns that they are read as.
pub(crate) fn files(plan: &LogicalPlan) -> Vec<(PathBuf, SchemaRef)> {
    let mut all = Vec::new();
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(table) = source_as_provider(&scan.source)
            && let Some(files) = (table.as_ref() as &dyn Any).downcast_ref::<Files>()
            && files.is_parquet()
        {
            let schema = files.columns();
            all.extend(
                files
                    .paths()
                    .into_iter()
                    .map(|file| (file, Arc::clone(schema))),
            );
        }
        Ok(TreeNodeRecursion::Continue)
    });
    // The walk itself cannot fail.
    debug_assert!(walked.is_ok());
    all
}

/// Decodes all rows of a file, and converts the columns that are read in other types than they have. Gives the error of a
/// conversion, or none for a file that cannot be decoded. Files without such columns are only decoded if `all` are.
fn read(file: &Path, schema: &SchemaRef, all: bool) -> Result<(), Option<ArrowError>> {
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let decoded = catch_unwind(AssertUnwindSafe(|| -> Result<(), Option<ArrowError>> {
        let Ok(opened) = File::open(file) else {
            return Ok(());
        };
        // What only filters read is damaged too.
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(opened, options)
            .map_err(|_| None::<ArrowError>)?;
        let is_other = |wanted: &&FieldRef| {
            let stored = reader.schema().field_with_name(wanted.name());
            stored.is_ok_and(|stored| {
                DType::from_arrow(stored.data_type()) != DType::from_arrow(wanted.data_type())
            })
        };
        let others: Vec<FieldRef> = schema.fields().iter().filter(is_other).cloned().collect();
        if others.is_empty() && !all {
            return Ok(());
        }
        for batch in reader.build().map_err(|_| None::<ArrowError>)? {
            let batch = batch.map_err(|_| None::<ArrowError>)?;
            for wanted in &others {
                if let Some(column) = batch.column_by_name(wanted.name()) {
                    cast_with_options(column, wanted.data_type(), &strict).map_err(Some)?;
                }
            }
        }
        Ok(())
    }));
    decoded.unwrap_or(Err(None))
}
