//! Rows kept for later plans: in memory up to a budget, beyond it in an IPC file of the run's scratch folder.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use laktory_core::{Error, Result, RunCx};
use polars::prelude::{
    CompatLevel, DataFrame, DataType, IntoLazy, IpcCompression, IpcWriter, LazyFrame, ScanSources,
    SchemaExt, SchemaRef, SerWriter,
};
use polars_arrow::io::ipc::write::default_ipc_fields;
use polars_buffer::Buffer;
use polars_io::HiveOptions;
use polars_io::ipc::{BatchedWriter, IpcScanOptions};
use polars_plan::dsl::UnifiedScanArgs;

use crate::error::ResultExt;

/// Collects batches of one schema.
pub(crate) struct Spool {
    schema: SchemaRef,
    scratch: PathBuf,
    budget: u64,
    bytes: u64,
    rows: u64,
    kept: Vec<DataFrame>,
    spilled: Option<Spilled>,
}

struct Spilled {
    path: PathBuf,
    writer: BatchedWriter<File>,
}

impl Spool {
    /// A spool within the memory budget of a run.
    pub(crate) fn new(cx: &RunCx, schema: SchemaRef) -> Self {
        // Batches have dictionaries of their own, which a file of that format cannot hold.
        let categorical = schema.iter_values().any(has_categories);
        Self {
            schema,
            scratch: cx.scratch().to_owned(),
            budget: if categorical {
                u64::MAX
            } else {
                cx.memory_budget()
            },
            bytes: 0,
            rows: 0,
            kept: Vec::new(),
            spilled: None,
        }
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// `Io` when it cannot be spilled.
    pub(crate) fn push(&mut self, batch: DataFrame) -> Result<()> {
        if batch.height() == 0 {
            return Ok(());
        }
        self.rows += batch.height() as u64;
        if let Some(spilled) = &mut self.spilled {
            return spilled.writer.write_batch(&batch).or_error();
        }
        self.bytes += batch.estimated_size() as u64;
        self.kept.push(batch);
        if self.bytes > self.budget {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<()> {
        std::fs::create_dir_all(&self.scratch)?;
        let (path, file) = create(&self.scratch)?;
        tracing::debug!(path = %path.display(), bytes = self.bytes, "Spilling a materialised frame");
        let arrow = self.schema.to_arrow(CompatLevel::newest());
        let fields = default_ipc_fields(arrow.iter_values());
        let mut writer = IpcWriter::new(file)
            .with_compression(Some(IpcCompression::LZ4))
            .batched(&self.schema, fields)
            .or_error()?;
        for batch in self.kept.drain(..) {
            writer.write_batch(&batch).or_error()?;
        }
        self.bytes = 0;
        self.spilled = Some(Spilled { path, writer });
        Ok(())
    }

    /// The number of rows, and a plan that reads them.
    ///
    /// # Errors
    /// `Io` when the spilled file cannot be completed.
    pub(crate) fn finish(self) -> Result<(u64, LazyFrame)> {
        let Some(mut spilled) = self.spilled else {
            let mut frame = DataFrame::empty_with_arc_schema(self.schema);
            for batch in self.kept {
                frame.vstack_mut_owned(batch).or_error()?;
            }
            return Ok((self.rows, frame.lazy()));
        };
        spilled.writer.finish().or_error()?;
        let paths = Buffer::from_iter([crate::read::path(&spilled.path)?]);
        let args = UnifiedScanArgs {
            glob: false,
            hive_options: HiveOptions::new_disabled(),
            ..UnifiedScanArgs::default()
        };
        let lazy =
            LazyFrame::scan_ipc_sources(ScanSources::Paths(paths), IpcScanOptions::default(), args);
        Ok((self.rows, lazy.or_error()?))
    }

    /// The batches; only for spools without a budget.
    pub(crate) fn into_batches(self) -> Vec<DataFrame> {
        self.kept
    }

    /// A spool that never spills.
    pub(crate) fn unbounded(schema: SchemaRef) -> Self {
        Self {
            schema,
            scratch: PathBuf::new(),
            budget: u64::MAX,
            bytes: 0,
            rows: 0,
            kept: Vec::new(),
            spilled: None,
        }
    }
}

fn has_categories(dtype: &DataType) -> bool {
    match dtype {
        DataType::Categorical(..) | DataType::Enum(..) => true,
        DataType::List(inner) | DataType::Array(inner, _) => has_categories(inner),
        DataType::Struct(fields) => fields.iter().any(|field| has_categories(field.dtype())),
        _ => false,
    }
}

/// A new file in the scratch folder, which other frames of the run use too.
fn create(scratch: &Path) -> Result<(PathBuf, File)> {
    for number in 1_u32..=u32::MAX {
        let path = scratch.join(format!("frame-{number}.arrow"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == IoErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::from(error).context(format!("`{}`", path.display()))),
        }
    }
    Err(Error::internal("the scratch folder is full of frames"))
}
