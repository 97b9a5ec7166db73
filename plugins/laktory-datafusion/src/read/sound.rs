//! Footers without what they say about floats. Writers leave not-a-number out of minima and maxima, and hash it as it is, while
//! in the language it is the greatest number and equal to itself: parts of a file that hold it may not be left out by them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::error::Result as EngineResult;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::basic::{LogicalType, Type};
use datafusion::parquet::errors::Result as ParquetResult;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use datafusion::parquet::file::page_index::column_index::ColumnIndexMetaData;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// Readers whose footers say nothing about floats.
pub(super) struct SoundReaders(pub(super) CachedParquetFileReaderFactory);

impl fmt::Debug for SoundReaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoundReaders").finish_non_exhaustive()
    }
}

impl ParquetFileReaderFactory for SoundReaders {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> EngineResult<Box<dyn AsyncFileReader + Send>> {
        let reader = self.0.create_reader(partition, file, hint, metrics)?;
        Ok(Box::new(Sound(reader)))
    }
}

struct Sound(Box<dyn AsyncFileReader + Send>);

impl AsyncFileReader for Sound {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.0.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.0.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        self.0
            .get_metadata(options)
            .map(|metadata| metadata.map(without_floats))
            .boxed()
    }
}

/// The footer without statistics, indexes and filters of floats.
pub(super) fn without_floats(metadata: Arc<ParquetMetaData>) -> Arc<ParquetMetaData> {
    let told = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns())
        .any(|column| is_float(column) && tells(column));
    if !told {
        return metadata;
    }
    let metadata = Arc::try_unwrap(metadata).unwrap_or_else(|shared| (*shared).clone());
    let mut builder = metadata.into_builder();
    let mut groups = Vec::new();
    let mut index = builder.take_column_index();
    for (number, group) in builder.take_row_groups().into_iter().enumerate() {
        let mut group = group.into_builder();
        let mut columns = Vec::new();
        for (place, column) in group.take_columns().into_iter().enumerate() {
            if !is_float(&column) {
                columns.push(column);
                continue;
            }
            if let Some(entry) = index
                .as_mut()
                .and_then(|index| index.get_mut(number)?.get_mut(place))
            {
                *entry = ColumnIndexMetaData::NONE;
            }
            let silent = column
                .into_builder()
                .clear_statistics()
                .set_bloom_filter_offset(None)
                .set_bloom_filter_length(None)
                .set_column_index_offset(None)
                .set_column_index_length(None)
                .build();
            // What was one column without them is one now.
            if let Ok(silent) = silent {
                columns.push(silent);
            }
        }
        if let Ok(group) = group.set_column_metadata(columns).build() {
            groups.push(group);
        }
    }
    Arc::new(
        builder
            .set_row_groups(groups)
            .set_column_index(index)
            .build(),
    )
}

fn is_float(column: &ColumnChunkMetaData) -> bool {
    let description = column.column_descr();
    matches!(description.physical_type(), Type::FLOAT | Type::DOUBLE)
        || matches!(description.logical_type_ref(), Some(LogicalType::Float16))
}

fn tells(column: &ColumnChunkMetaData) -> bool {
    column.statistics().is_some()
        || column.bloom_filter_offset().is_some()
        || column.column_index_offset().is_some()
}
