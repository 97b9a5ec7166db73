//! Rows kept for later plans: in memory up to a budget, beyond it in an IPC file of the run's scratch folder.

use std::fs::File;
use std::io::{BufWriter, ErrorKind as IoErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::ipc::CompressionType;
use datafusion::arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use datafusion::catalog::TableProvider;
use laktory_core::arrow::array::RecordBatch;
use laktory_core::arrow::schema::{DataType, SchemaRef};
use laktory_core::{Error, Result, RunCx};

use crate::error::ResultExt;
use crate::read::spilled;
use crate::source::Rows;

/// Collects batches of one schema.
pub(crate) struct Spool {
    schema: SchemaRef,
    scratch: PathBuf,
    budget: u64,
    bytes: u64,
    rows: u64,
    kept: Vec<RecordBatch>,
    spilled: Option<(PathBuf, FileWriter<BufWriter<File>>)>,
}

impl Spool {
    /// A spool within the memory budget of a run.
    pub(crate) fn new(cx: &RunCx, schema: SchemaRef) -> Self {
        // Batches have dictionaries of their own, which a file of that format cannot hold.
        let dictionaries = schema
            .fields()
            .iter()
            .any(|field| has_dictionary(field.data_type()));
        Self {
            scratch: cx.scratch().to_owned(),
            budget: if dictionaries {
                u64::MAX
            } else {
                cx.memory_budget()
            },
            ..Self::unbounded(schema)
        }
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

    /// Adds a batch. Blocks.
    ///
    /// # Errors
    /// `Io` when it cannot be spilled.
    pub(crate) fn push(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows() as u64;
        if let Some((_, writer)) = &mut self.spilled {
            return writer.write(&batch).or_error();
        }
        self.bytes += batch.get_array_memory_size() as u64;
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
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::LZ4_FRAME))
            .or_error()?;
        let file = BufWriter::with_capacity(1 << 20, file);
        let mut writer =
            FileWriter::try_new_with_options(file, &self.schema, options).or_error()?;
        for batch in self.kept.drain(..) {
            writer.write(&batch).or_error()?;
        }
        self.bytes = 0;
        self.spilled = Some((path, writer));
        Ok(())
    }

    /// The number of rows, and a table of them. Blocks.
    ///
    /// # Errors
    /// `Io` when the spilled file cannot be completed.
    pub(crate) fn finish(self) -> Result<(u64, Arc<dyn TableProvider>)> {
        let Some((path, mut writer)) = self.spilled else {
            return Ok((self.rows, Arc::new(Rows::memory(self.schema, self.kept))));
        };
        writer.finish().or_error()?;
        // What is dropped with the writer has been written by then.
        drop(writer.into_inner().or_error()?);
        Ok((self.rows, spilled(self.schema, &path)?))
    }

    /// The batches; only for spools without a budget.
    pub(crate) fn into_batches(self) -> Vec<RecordBatch> {
        self.kept
    }
}

fn has_dictionary(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(..) => true,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => has_dictionary(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_dictionary(field.data_type())),
        _ => false,
    }
}

/// A new file in the scratch folder, in which other frames of the run have theirs.
fn create(scratch: &Path) -> Result<(PathBuf, File)> {
    let paths = (1_u32..).map(|number| scratch.join(format!("rows-{number}.arrow")));
    let mut opened = paths.map(|path| (File::create_new(&path), path));
    let new = opened.find(
        |(file, _)| !matches!(file, Err(error) if error.kind() == IoErrorKind::AlreadyExists),
    );
    match new {
        Some((Ok(file), path)) => Ok((path, file)),
        Some((Err(error), path)) => {
            Err(Error::from(error).context(format!("`{}`", path.display())))
        }
        None => Err(Error::internal("the scratch folder is full of frames")),
    }
}
