//! Files as a table of the engine.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::catalog::{Session as EngineSession, TableProvider};
use datafusion::common::{ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, ParquetRowSelection,
};
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path as ObjectPath;
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::limit::GlobalLimitExec;
use laktory_core::{Error, ErrorKind, Result};
use laktory_formats::hive::Partitions;

use super::local::{Decode, Local, Location};
use super::sound::SoundReaders;
use crate::types::data_type;

/// How the files are decoded.
#[derive(Clone, Debug)]
enum Decoder {
    Ours(Arc<dyn Decode>),
    Parquet,
}

/// Files of one format and schema.
pub(super) struct Files {
    decoder: Decoder,
    files: Vec<PartitionedFile>,
    /// The columns of the files.
    schema: SchemaRef,
    /// Places of those that are read, in the schema that the decoder knows.
    places: Arc<[usize]>,
    /// Columns that each file has one value for: those of its folders, and its path.
    constants: Vec<FieldRef>,
    rows: Option<u64>,
    one_stream: bool,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files")
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

impl Files {
    /// Files that are decoded here.
    ///
    /// # Errors
    /// `Io` when a file cannot be looked at.
    pub(super) fn ours(
        decode: Arc<dyn Decode>,
        files: &[PathBuf],
        schema: SchemaRef,
    ) -> Result<Self> {
        Self::new(Decoder::Ours(decode), files, schema)
    }

    /// Files of PARQUET, each with what is known about its rows.
    ///
    /// # Errors
    /// `Io` when a file cannot be looked at.
    pub(super) fn parquet(
        files: &[PathBuf],
        schema: SchemaRef,
        statistics: Vec<Option<Arc<Statistics>>>,
    ) -> Result<Self> {
        let mut table = Self::new(Decoder::Parquet, files, schema)?;
        for (file, statistics) in table.files.iter_mut().zip(statistics) {
            file.statistics = statistics;
        }
        Ok(table)
    }

    fn new(decoder: Decoder, files: &[PathBuf], schema: SchemaRef) -> Result<Self> {
        let files = files
            .iter()
            .map(|file| object(file))
            .collect::<Result<_>>()?;
        Ok(Self {
            decoder,
            files,
            places: (0..schema.fields().len()).collect(),
            schema,
            constants: Vec::new(),
            rows: None,
            one_stream: false,
        })
    }

    /// The rows of all files, as they tell.
    pub(super) fn with_rows(mut self, rows: u64) -> Self {
        self.rows = Some(rows);
        self
    }

    /// Of each file the rows that count, where these are not all.
    pub(super) fn with_selections(mut self, selections: Vec<Option<RowSelection>>) -> Self {
        for (file, selection) in self.files.iter_mut().zip(selections) {
            if let Some(selection) = selection {
                let selection = ParquetRowSelection::new(selection);
                *file = file.clone().with_extension(selection);
                // They tell of the other rows, too.
                file.statistics = None;
            }
        }
        self
    }

    /// The rows of all files, where they tell.
    pub(super) fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// The files.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let locations = self.files.iter();
        locations
            .filter_map(|file| Some(file.extension::<Location>()?.0.clone()))
            .collect()
    }

    /// The columns of the files, as they are read.
    pub(super) fn columns(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether the files are of PARQUET.
    pub(super) fn is_parquet(&self) -> bool {
        matches!(self.decoder, Decoder::Parquet)
    }

    /// With the columns of the folders, to which columns of the files of the same names give way.
    ///
    /// # Errors
    /// `ConversionFailed` when the name of a folder is not of the type that is declared.
    pub(super) fn with_partitions(mut self, partitions: Option<&Partitions>) -> Result<Self> {
        let Some(partitions) = partitions else {
            return Ok(self);
        };
        let named = |name: &str| partitions.fields.iter().any(|field| field.name == name);
        let places: Vec<usize> = (0..self.schema.fields().len())
            .filter(|place| !named(self.schema.field(*place).name()))
            .collect();
        self.schema = Arc::new(super::local::project(&self.schema, &places)?);
        self.places = places.into();
        for (file, values) in self.files.iter_mut().zip(&partitions.values) {
            let values = values.iter().zip(&partitions.fields);
            file.partition_values = values
                .map(|(value, field)| folder_value(file, field, value.as_deref()))
                .collect::<Result<_>>()?;
        }
        for field in &partitions.fields {
            let dtype = data_type(&field.dtype)?;
            self.constants
                .push(Arc::new(Field::new(&field.name, dtype, true)));
        }
        Ok(self)
    }

    /// With a further column that holds the path of each row's file.
    pub(super) fn with_paths(mut self, name: Option<&str>) -> Self {
        if let Some(name) = name {
            for file in &mut self.files {
                let path = file
                    .extension::<Location>()
                    .map(|location| location.0.display().to_string());
                file.partition_values.push(ScalarValue::Utf8View(path));
            }
            self.constants
                .push(Arc::new(Field::new(name, DataType::Utf8View, false)));
        }
        if !self.constants.is_empty() {
            for file in &mut self.files {
                // With those of the further columns.
                if let Some(statistics) = file.statistics.take() {
                    *file = file.clone().with_statistics(statistics);
                }
            }
        }
        self
    }

    /// Read by one stream, file after file, so that the first rows are those of the first file.
    pub(super) fn in_one_stream(mut self, wanted: bool) -> Self {
        self.one_stream = wanted;
        self
    }

    fn table_schema(&self) -> TableSchema {
        TableSchema::builder(Arc::clone(&self.schema))
            .with_table_partition_cols(self.constants.clone())
            .build()
    }

    /// What is known about all rows; nothing where a file is without.
    fn statistics(&self) -> EngineResult<Statistics> {
        let schema = self.schema();
        let known: Option<Vec<&Statistics>> = self
            .files
            .iter()
            .map(|file| file.statistics.as_deref())
            .collect();
        match known {
            Some(known) => Statistics::try_merge_iter(known, &schema),
            None => Ok(Statistics::new_unknown(&schema)),
        }
    }

    /// The files in at most `count` groups of about the same size, in their order.
    fn groups(&self, count: usize) -> Vec<FileGroup> {
        let count = if self.one_stream { 1 } else { count.max(1) };
        let total: u64 = self.files.iter().map(|file| file.object_meta.size).sum();
        let share = total.div_ceil(count as u64).max(1);
        let mut groups: Vec<Vec<PartitionedFile>> = vec![Vec::new(); count];
        let mut before = 0;
        for file in &self.files {
            let group = usize::try_from(before / share).unwrap_or(0).min(count - 1);
            groups[group].push(file.clone());
            before += file.object_meta.size;
        }
        groups.retain(|group| !group.is_empty());
        groups.into_iter().map(FileGroup::new).collect()
    }
}

/// The value that the folder of a file gives.
fn folder_value(
    file: &PartitionedFile,
    field: &laktory_core::Field,
    value: Option<&str>,
) -> Result<ScalarValue> {
    let dtype = data_type(&field.dtype)?;
    let text = ScalarValue::Utf8(value.map(str::to_owned));
    text.cast_to(&dtype).map_err(|_| {
        let path = file
            .extension::<Location>()
            .map(|location| location.0.display().to_string());
        Error::new(
            ErrorKind::ConversionFailed,
            format!(
                "`{}`: the folder gives `{}` for `{}`, which is no {}",
                path.unwrap_or_default(),
                value.unwrap_or_default(),
                field.name,
                field.dtype
            ),
        )
    })
}

/// A file as the engine names it.
pub(super) fn object(file: &Path) -> Result<PartitionedFile> {
    let named = |error: Error| error.context(format!("`{}`", file.display()));
    let metadata = std::fs::metadata(file).map_err(|error| named(error.into()))?;
    // The engine knows no way up.
    let absolute = match file.components().any(|part| part == Component::ParentDir) {
        true => file.canonicalize(),
        false => std::path::absolute(file),
    }
    .map_err(|error| named(error.into()))?;
    let location = ObjectPath::from_absolute_path(&absolute).map_err(|error| {
        named(Error::unsupported(format!(
            "the path cannot be read: {error}"
        )))
    })?;
    let modified = metadata
        .modified()
        .map(chrono::DateTime::<chrono::Utc>::from)
        .unwrap_or_default();
    let meta = ObjectMeta {
        location,
        last_modified: modified,
        size: metadata.len(),
        e_tag: None,
        version: None,
    };
    Ok(PartitionedFile::new_from_meta(meta).with_extension(Location(file.to_owned())))
}

#[async_trait]
impl TableProvider for Files {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.table_schema().table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        // The engine's own filter stays above, and reaches PARQUET files when the physical plan is optimized.
        Ok(vec![
            TableProviderFilterPushDown::Unsupported;
            filters.len()
        ])
    }

    async fn scan(
        &self,
        state: &dyn EngineSession,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let source: Arc<dyn FileSource> = match &self.decoder {
            Decoder::Ours(decode) => Arc::new(Local::new(
                Arc::clone(decode),
                self.table_schema(),
                Arc::clone(&self.places),
            )),
            Decoder::Parquet => {
                let runtime = state.runtime_env();
                let footers = CachedParquetFileReaderFactory::new(
                    runtime.object_store(ObjectStoreUrl::local_filesystem())?,
                    runtime.cache_manager.get_file_metadata_cache(),
                );
                let source = ParquetSource::new(self.table_schema());
                Arc::new(source.with_parquet_file_reader_factory(Arc::new(SoundReaders(footers))))
            }
        };
        let groups = self.groups(state.config_options().execution.target_partitions);
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_groups(groups)
            .with_statistics(self.statistics()?)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        let scan = DataSourceExec::from_data_source(config);
        if self.one_stream {
            // A limit takes one stream, and keeps the scan from being split.
            return Ok(Arc::new(GlobalLimitExec::new(scan, 0, limit)));
        }
        Ok(scan)
    }
}
