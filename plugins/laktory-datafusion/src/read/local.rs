//! Files of this machine as a source of the engine: chunks of files are decoded by a format, projections and paths of
//! files are added here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures_util::{StreamExt, stream};
use laktory_core::Result;

use crate::arrow::encoded;
use crate::error::carry;

/// Batches of a chunk, decoded while they are asked for.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// What to decode.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    /// The file.
    pub(super) path: PathBuf,
    /// The records that begin in this range of bytes; all of them without one.
    pub(super) range: Option<(u64, u64)>,
    /// The wanted columns, by their places in the schema of the files.
    pub(super) columns: Vec<usize>,
    /// Rows of a batch.
    pub(super) batch_size: usize,
}

/// A format that is decoded here.
pub(super) trait Decode: fmt::Debug + Send + Sync {
    /// The format, for plans.
    fn name(&self) -> &'static str;

    /// Whether a file can be decoded in parts.
    fn splits(&self) -> bool;

    /// Begins to decode. Errors name the file.
    fn open(&self, chunk: Chunk) -> Result<Batches>;
}

/// Files of one format.
#[derive(Clone)]
pub(super) struct Local {
    decode: Arc<dyn Decode>,
    schema: TableSchema,
    /// Places of the columns of the schema in that of the decoder.
    places: Arc<[usize]>,
    projection: SplitProjection,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl Local {
    /// Files of a schema, decoded by a format.
    pub(super) fn new(decode: Arc<dyn Decode>, schema: TableSchema, places: Arc<[usize]>) -> Self {
        Self {
            decode,
            places,
            projection: SplitProjection::unprojected(&schema),
            schema,
            batch_size: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

/// Where a file is, beside the object that the engine knows of it.
pub(super) struct Location(pub(super) PathBuf);

impl FileSource for Local {
    fn create_file_opener(
        &self,
        _: Arc<dyn ObjectStore>,
        _: &FileScanConfig,
        _: usize,
    ) -> EngineResult<Arc<dyn FileOpener>> {
        let opener = Arc::new(Opener {
            decode: Arc::clone(&self.decode),
            columns: self
                .projection
                .file_indices
                .iter()
                .filter_map(|place| self.places.get(*place).copied())
                .collect(),
            batch_size: self.batch_size,
        });
        ProjectionOpener::try_new(self.projection.clone(), opener, self.schema.file_schema())
    }

    fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self {
            batch_size,
            ..self.clone()
        })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> EngineResult<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        Ok(Some(Arc::new(Self {
            projection: SplitProjection::new(self.schema.file_schema(), &merged),
            ..self.clone()
        })))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        self.decode.name()
    }

    fn supports_repartitioning(&self) -> bool {
        self.decode.splits()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), f)
    }
}

struct Opener {
    decode: Arc<dyn Decode>,
    columns: Vec<usize>,
    batch_size: usize,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> EngineResult<FileOpenFuture> {
        let path = match file.extension::<Location>() {
            Some(location) => location.0.clone(),
            None => Path::new("/").join(file.path().as_ref()),
        };
        let range = file.range.as_ref().map(|range| {
            let byte = |at: i64| u64::try_from(at).unwrap_or(0);
            (byte(range.start), byte(range.end))
        });
        let chunk = Chunk {
            path,
            range,
            columns: self.columns.clone(),
            batch_size: self.batch_size,
        };
        let decode = Arc::clone(&self.decode);
        Ok(Box::pin(async move {
            let batches = decode.open(chunk).map_err(carry)?;
            let batches = batches.map(|batch| batch.map_err(carry));
            Ok::<_, DataFusionError>(stream::iter(batches).boxed())
        }))
    }
}

/// The chosen columns of a schema.
///
/// # Errors
/// `Internal` for a column that it does not have.
pub(super) fn project(
    schema: &datafusion::arrow::datatypes::Schema,
    columns: &[usize],
) -> Result<datafusion::arrow::datatypes::Schema> {
    schema
        .project(columns)
        .map_err(|error| laktory_core::Error::internal(error.to_string()))
}

/// Batches of a file, in the encodings of `output`.
pub(super) fn encoded_as(
    output: SchemaRef,
    path: PathBuf,
    batches: impl Iterator<Item = Result<RecordBatch>> + Send + 'static,
) -> Batches {
    Box::new(batches.map(move |batch| {
        let batch = batch?;
        if batch.schema() == output {
            return Ok(batch);
        }
        encoded(&batch, &output).map_err(|error| error.context(format!("`{}`", path.display())))
    }))
}
