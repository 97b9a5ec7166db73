//! The trait that a driver implements, and the jobs that it carries out.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use async_trait::async_trait;

use crate::capabilities::Capabilities;
use crate::catalog::Catalog;
use crate::context::RunCx;
use crate::contract::Contract;
use crate::error::Result;
use crate::frame::{BatchStream, Frame, NamedFrames};
use crate::op::Op;
use crate::spec::{ReadSpec, StoreSpec, WriteReport, WriteSpec};
use crate::sql::SqlTemplate;

/// What happens to rows that a place of the engine's own storage holds already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteMode {
    /// They are replaced.
    Overwrite,
    /// They stay, the new ones come behind.
    Append,
    /// They stay, nothing is written.
    Ignore,
    /// It is an error that there are any.
    Error,
}

/// What is wanted of one frame of a batch of outputs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Target {
    /// Written to a staging file, streamed by the engine.
    Write(WriteSpec),
    /// Written to the engine's own storage, where the place means something; paths only for backends that do not work on
    /// local files, tables only for those with a [catalog](Backend::catalog).
    Store {
        /// What and where.
        spec: StoreSpec,
        /// What happens to what is there.
        mode: WriteMode,
    },
    /// Kept so that later plans can read it without computing it again: in memory up to the budget, else spilled.
    Materialize,
    /// Returned as rows: for metrics, which are one row.
    Collect,
}

/// One output of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Job {
    /// What to compute.
    pub frame: Frame,
    /// Where it goes.
    pub target: Target,
}

impl Job {
    /// An output of a frame.
    #[must_use]
    pub fn new(frame: Frame, target: Target) -> Self {
        Self { frame, target }
    }
}

/// What became of a [`Job`], in the order of the jobs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The file is complete on disk.
    Written(WriteReport),
    /// A frame that reads what was computed.
    Materialized {
        /// The frame.
        frame: Frame,
        /// Its rows.
        rows: u64,
    },
    /// The rows.
    Collected(Vec<RecordBatch>),
}

/// A live session with one engine. Nine methods, and a tenth for engines with a catalog; everything else is data.
///
/// `apply`, `read`, `sql` and `schema` build plans and may look at file footers and headers; only `execute` and
/// `export` compute. Blocking work goes through [`RunCx::blocking`].
#[async_trait]
pub trait Backend: Send + Sync + fmt::Debug {
    /// The row that the driver registered.
    fn descriptor(&self) -> &'static BackendDescriptor;

    /// The frame after one step. Pure plan building: no I/O, no blocking. [`Op`] says what each step does with nulls, order,
    /// duplicates and types. Steps arrive through [`typing::apply`](crate::typing::apply): their columns exist, their types fit,
    /// operands are cast; `named` holds at least the frames that the step names. What the driver does not have goes to
    /// [`lowering::apply`](crate::lowering::apply), or is refused.
    ///
    /// # Errors
    /// `Unsupported` for steps that the driver does not have; `ForeignFrame`; engines may report unknown columns here
    /// or in [`Backend::schema`].
    fn apply(&self, cx: &RunCx, input: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame>;

    /// A frame that reads files: of the headers and footers alone, unless [`ReadSpec::rows`] asks for a look at all of it. Rows
    /// come file by file in the order of the list, and in the order of each file; none but by an option is left out. What is
    /// null in a format of text is for the options to say. Columns are those of a declared schema, in its order, else those of the
    /// file; a value that is not of its declared type is an error of the run, unless an option says otherwise.
    ///
    /// # Errors
    /// `NotFound`, `Unsupported` (format or option), `ConversionFailed` (a header that cannot be parsed), `Io`.
    async fn read(&self, cx: &RunCx, spec: &ReadSpec) -> Result<Frame>;

    /// The result of one SQL statement over named frames. Rows have an order where the statement says one. Two columns of one
    /// name are an error. A driver without SQL of its own gives the statement to `laktory_sql::frame`, which plans it in steps.
    ///
    /// # Errors
    /// `SqlSyntax`, `UnknownFrame`, `UnknownFunction`, `ColumnNotFound`, with the byte range in the template's source.
    async fn sql(&self, cx: &RunCx, query: &SqlTemplate, named: &NamedFrames) -> Result<Frame>;

    /// Names and types of a frame's columns, in their order, without computing it: exactly what [`Backend::export`] gives. All of
    /// them may be null. Where only rows can tell (a pivot), as much is computed as that takes.
    ///
    /// # Errors
    /// Whatever the plan holds wrong: `ColumnNotFound`, `TypeMismatch`, ...
    async fn schema(&self, cx: &RunCx, frame: &Frame) -> Result<SchemaRef>;

    /// That rows of these columns can be written as `spec` asks, before there are any: the format has a form for each type, and
    /// options have values that it takes. Nothing is written.
    ///
    /// # Errors
    /// `Unsupported` for the format or a type, `InvalidArgument` for an option.
    fn writable(&self, spec: &WriteSpec, columns: &SchemaRef) -> Result<()> {
        let _ = (spec, columns);
        Ok(())
    }

    /// Computes several outputs in one pass: plans that the frames share are computed once, so that a random step gives all of
    /// them the same rows. There is one outcome for each job, in their order. Rows are written in the order that the frame has;
    /// the counts that are reported are those of rows written, added or kept.
    /// On error nothing is promised about the staging files of `Write` jobs; the caller removes them.
    ///
    /// # Errors
    /// Those of the engine; `Cancelled` when the run was interrupted.
    async fn execute(&self, cx: &RunCx, jobs: Vec<Job>) -> Result<Vec<Outcome>>;

    /// The rows of a frame, batch by batch, in its order. With `import` the only door between engines. Every batch has the schema
    /// of the stream, in the encodings of [`DType::to_arrow`](crate::DType::to_arrow); a frame without rows may give no batch.
    ///
    /// # Errors
    /// Those of the engine.
    async fn export(&self, cx: &RunCx, frame: &Frame) -> Result<BatchStream>;

    /// A frame of rows from outside, in their order, nulls and duplicates as they come. Arrow types are taken in every encoding of
    /// their type; the frame's own are those of the contract.
    ///
    /// # Errors
    /// `Unsupported` for Arrow types that the engine does not have; errors of the stream.
    async fn import(&self, cx: &RunCx, batches: BatchStream) -> Result<Frame>;

    /// The catalog of tables and views, for an engine that declares [`Capabilities::tables`].
    fn catalog(&self) -> Option<&dyn Catalog> {
        None
    }
}

/// A boxed future, for function pointers in statics.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Settings of a backend, by name, as given by the environment or the command line.
pub type BackendConfig = BTreeMap<String, String>;

/// Opens a session of an engine, with the settings of its backend.
pub type Connect =
    for<'a> fn(&'a RunCx, &'a BackendConfig) -> BoxFuture<'a, Result<Arc<dyn Backend>>>;

/// What a driver crate registers: made by [`BackendDescriptor::new`] and the methods behind it, all of them `const`, since none
/// of our code runs before `main`.
#[non_exhaustive]
pub struct BackendDescriptor {
    /// Upper-case name, such as `POLARS`.
    pub name: &'static str,
    /// The contract that the driver was written for.
    pub contract: Contract,
    /// Other names that it answers to.
    pub aliases: &'static [&'static str],
    /// Crate that provides it, for messages.
    pub provided_by: &'static str,
    /// Name and version of the engine behind it, for `laktory backends` and run records.
    pub engine: &'static str,
    /// What it can do.
    pub capabilities: fn() -> Capabilities,
    /// Opens a session.
    pub connect: Connect,
}

impl BackendDescriptor {
    /// A backend: its upper-case name, the contract that its driver was written for, the crate that provides it
    /// (`env!("CARGO_PKG_NAME")`), what it can do, and how a session is opened.
    ///
    /// A crate outside of this repository writes the contract as the number that it has read the rules of,
    /// `Contract::new(1, 0)`: what changes behind the types then meets it by a clear message.
    #[must_use]
    pub const fn new(
        name: &'static str,
        contract: Contract,
        provided_by: &'static str,
        capabilities: fn() -> Capabilities,
        connect: Connect,
    ) -> Self {
        Self {
            name,
            contract,
            aliases: &[],
            provided_by,
            engine: name,
            capabilities,
            connect,
        }
    }

    /// Other names that the backend answers to.
    #[must_use]
    pub const fn with_aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Name and version of the engine; without it the name of the backend stands there.
    #[must_use]
    pub const fn with_engine(mut self, engine: &'static str) -> Self {
        self.engine = engine;
        self
    }
}

impl fmt::Debug for BackendDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendDescriptor")
            .field("name", &self.name)
            .field("provided_by", &self.provided_by)
            .finish_non_exhaustive()
    }
}
