//! A driver without an engine: it records what it is asked, and answers with the rows it was given. With it, planning
//! and execution are tested in seconds, without linking an engine.
//!
//! Data lives in *documents*: JSON files with columns in the form of conformance cases, written by [`save`]. Reading
//! takes documents whatever the declared format; writing makes one at the staging path, together with every step that
//! led to it and the number of outputs of its pass, so that a test reads back with [`open`] what the executor did.
//!
//! Names and types are followed through the steps and unknown columns are refused, but nothing is computed: rows are
//! never filtered, computed columns are null, and aggregates are the number of rows (counts) or 0.
//!
//! A [`Script`] keeps a log of the calls, and makes them fail, panic, wait or answer differently. Several recorders
//! under names of their own, with fewer abilities where a test wants it, are declared with [`Profile`].

mod document;
mod script;
mod steps;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use laktory_core::{
    Backend, BackendConfig, BackendDescriptor, BatchStream, BoxFuture, CONTRACT, Capabilities,
    Error, ErrorKind, Format, FormatSupport, Frame, Func, Job, NamedFrames, NativeFrame, Op,
    OpKind, Outcome, ReadSpec, Result, RunCx, SqlTemplate, Support, Target, WriteReport,
};

pub use document::{Document, open, save};
use script::{Answers, Link};
pub use script::{Behaviour, Call, Script, Verb};

/// The backend RECORDER. It is not submitted to the registry: tests name it.
pub static RECORDER: BackendDescriptor = backend::<Plain>("RECORDER", &[]);

struct Plain;

impl Profile for Plain {
    fn descriptor() -> &'static BackendDescriptor {
        &RECORDER
    }
}

/// A recorder of its own name.
///
/// ```
/// use laktory_core::{BackendDescriptor, Capabilities, OpKind, Support};
/// use laktory_testkit::recorder::{Profile, backend, everything};
///
/// static OTHER: BackendDescriptor = backend::<Other>("OTHER", &[]);
///
/// struct Other;
///
/// impl Profile for Other {
///     fn descriptor() -> &'static BackendDescriptor {
///         &OTHER
///     }
///
///     fn capabilities() -> Capabilities {
///         let mut capabilities = everything();
///         capabilities.ops.insert(OpKind::Pivot, Support::Never);
///         capabilities
///     }
/// }
/// ```
pub trait Profile: 'static {
    /// The static that holds the descriptor.
    fn descriptor() -> &'static BackendDescriptor;

    /// What it can do; everything by default.
    #[must_use]
    fn capabilities() -> Capabilities {
        everything()
    }
}

/// The descriptor of a recorder.
#[must_use]
pub const fn backend<P: Profile>(
    name: &'static str,
    aliases: &'static [&'static str],
) -> BackendDescriptor {
    let provided_by = env!("CARGO_PKG_NAME");
    BackendDescriptor::new(name, CONTRACT, provided_by, P::capabilities, connect::<P>)
        .with_aliases(aliases)
        .with_engine("none")
}

fn connect<'a, P: Profile>(
    _: &'a RunCx,
    settings: &'a BackendConfig,
) -> BoxFuture<'a, Result<Arc<dyn Backend>>> {
    Box::pin(async {
        let session = Recorder {
            descriptor: P::descriptor(),
            script: Link::from(settings),
        };
        Ok(Arc::new(session) as Arc<dyn Backend>)
    })
}

/// Every step and function, and the formats CSV, IPC, JSON, JSONL and PARQUET, without options.
#[must_use]
pub fn everything() -> Capabilities {
    let mut capabilities = Capabilities::default();
    capabilities.ops = OpKind::ALL
        .iter()
        .map(|kind| (*kind, Support::Full))
        .collect();
    capabilities.funcs = Func::all().map(|def| (def.func, Support::Full)).collect();
    let format = FormatSupport::new(Support::Full).with_schema(true);
    let formats: BTreeMap<Format, FormatSupport> = [
        Format::Csv,
        Format::Ipc,
        Format::Json,
        Format::JsonLines,
        Format::Parquet,
    ]
    .into_iter()
    .map(|name| (name, format))
    .collect();
    capabilities.reads = formats.clone();
    capabilities.writes = formats;
    capabilities.user_scalars = Support::Full;
    capabilities.user_aggregates = Support::Full;
    capabilities.local_files = true;
    capabilities
}

/// A session.
#[derive(Debug)]
struct Recorder {
    descriptor: &'static BackendDescriptor,
    script: Link,
}

impl Recorder {
    fn name(&self) -> &'static str {
        self.descriptor.name
    }

    /// What a frame of this backend holds.
    fn own<'f>(&self, frame: &'f Frame) -> Result<&'f Recorded> {
        if frame.backend() == self.name() {
            return frame.native();
        }
        let message = format!(
            "a frame of backend {} was handed to {}",
            frame.backend(),
            self.name()
        );
        Err(Error::new(ErrorKind::ForeignFrame, message))
    }

    fn frame(&self, recorded: Recorded) -> Frame {
        Frame::new(self.name(), recorded)
    }

    fn call(&self, verb: Verb, asked: impl Into<String>, frames: &[&Recorded]) -> Call {
        Call::new(self.name(), verb, asked, frames)
    }
}

/// Given rows, and the steps that they would have gone through.
#[derive(Clone, Debug)]
struct Recorded {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    steps: Vec<String>,
}

impl NativeFrame for Recorded {}

impl Recorded {
    fn rows(&self) -> u64 {
        self.batches
            .iter()
            .map(|batch| batch.num_rows() as u64)
            .sum()
    }
}

#[async_trait]
impl Backend for Recorder {
    fn descriptor(&self) -> &'static BackendDescriptor {
        self.descriptor
    }

    fn apply(&self, _: &RunCx, input: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame> {
        let input = self.own(input)?;
        let step = format!("{op:?}");
        self.script.obey(self.call(Verb::Apply, &step, &[input]))?;
        let mut others = Vec::new();
        for name in op.frames() {
            others.push(self.own(named.get(name)?)?);
        }
        let mut output = steps::apply(input, op, &others)?;
        output.steps.push(step);
        Ok(self.frame(output))
    }

    async fn read(&self, _: &RunCx, spec: &ReadSpec) -> Result<Frame> {
        self.script.obey(self.call(Verb::Read, &spec.path, &[]))?;
        let mut documents = Vec::new();
        if spec.files.is_empty() {
            documents.push(open(Path::new(&spec.path))?);
        }
        for file in &spec.files {
            documents.push(open(file)?);
        }
        let mut batches = Vec::new();
        for document in &documents {
            batches.push(document.table.batch().map_err(Error::internal)?);
        }
        let first = batches
            .first()
            .ok_or_else(|| Error::internal("a read of no files"))?;
        let schema = first.schema();
        if let Some(other) = batches.iter().find(|batch| batch.schema() != schema) {
            return Err(Error::new(
                ErrorKind::SchemaMismatch,
                format!("the files of `{}` differ: {:?}", spec.path, other.schema()),
            ));
        }
        let steps = vec![format!("read {} {}", spec.format, spec.path)];
        Ok(self.frame(Recorded {
            schema,
            batches,
            steps,
        }))
    }

    async fn sql(&self, _: &RunCx, query: &SqlTemplate, named: &NamedFrames) -> Result<Frame> {
        let mut frames = Vec::new();
        for name in query.frames() {
            frames.push(self.own(named.get(name)?)?);
        }
        let text = query.source();
        self.script.obey(self.call(Verb::Sql, &text, &frames))?;
        let first = frames.first().ok_or_else(|| {
            Error::unsupported("the recorder answers SQL with its first frame, and there is none")
        })?;
        let mut output = Recorded::clone(first);
        output.steps.push(format!("sql {text}"));
        Ok(self.frame(output))
    }

    async fn schema(&self, _: &RunCx, frame: &Frame) -> Result<SchemaRef> {
        let recorded = self.own(frame)?;
        self.script.obey(self.call(Verb::Schema, "", &[recorded]))?;
        Ok(Arc::clone(&recorded.schema))
    }

    async fn execute(&self, cx: &RunCx, jobs: Vec<Job>) -> Result<Vec<Outcome>> {
        let _running = self.script.enter();
        let mut frames = Vec::with_capacity(jobs.len());
        for job in &jobs {
            frames.push((self.own(&job.frame)?, job));
        }
        let behaviours = self.script.note(Call::execute(self.name(), &frames));
        let answers = Answers::after(behaviours, cx, &jobs).await?;
        let mut told = answers.rows.iter().flatten().copied();
        let mut outcomes = Vec::with_capacity(jobs.len());
        for (recorded, job) in frames {
            cx.cancel().check()?;
            outcomes.push(match &job.target {
                Target::Write(spec) => {
                    match answers.contents {
                        Some(text) => std::fs::write(&spec.path, text)?,
                        None => document::write(&spec.path, recorded, jobs.len())?,
                    }
                    let rows = told.next().unwrap_or_else(|| recorded.rows());
                    Outcome::Written(WriteReport::new(rows))
                }
                Target::Materialize => {
                    let mut kept = recorded.clone();
                    kept.steps.push("materialize".to_owned());
                    Outcome::Materialized {
                        frame: self.frame(kept),
                        rows: told.next().unwrap_or_else(|| recorded.rows()),
                    }
                }
                Target::Collect => Outcome::Collected(match &answers.collected {
                    Some(values) => vec![row(values)?],
                    None => recorded.batches.clone(),
                }),
                _ => {
                    return Err(Error::unsupported(
                        "this target is not one of the recorder's",
                    ));
                }
            });
        }
        if answers.forget {
            outcomes.pop();
        }
        Ok(outcomes)
    }

    async fn export(&self, _: &RunCx, frame: &Frame) -> Result<BatchStream> {
        let recorded = self.own(frame)?;
        self.script.obey(self.call(Verb::Export, "", &[recorded]))?;
        let batches: Vec<Result<RecordBatch>> = recorded.batches.iter().cloned().map(Ok).collect();
        let batches = stream::iter(batches).boxed();
        Ok(BatchStream::new(Arc::clone(&recorded.schema), batches))
    }

    async fn import(&self, _: &RunCx, batches: BatchStream) -> Result<Frame> {
        let schema = batches.schema();
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        self.script
            .obey(self.call(Verb::Import, names.join(", "), &[]))?;
        Ok(self.frame(Recorded {
            schema,
            batches: batches.try_collect().await?,
            steps: vec!["import".to_owned()],
        }))
    }
}

/// One row of numbers.
fn row(values: &[(&str, i64)]) -> Result<RecordBatch> {
    let columns = values
        .iter()
        .map(|(name, value)| (*name, Arc::new(Int64Array::from(vec![*value])) as ArrayRef));
    RecordBatch::try_from_iter(columns).map_err(|error| Error::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::Table;
    use laktory_core::{BlockingPool, Cancel, Expr, FrameName, WriteSpec};
    use serde_json::json;

    fn recorder() -> Recorder {
        Recorder {
            descriptor: &RECORDER,
            script: Link::default(),
        }
    }

    struct Here;

    impl BlockingPool for Here {
        fn spawn(&self, work: Box<dyn FnOnce() + Send>) {
            work();
        }
    }

    fn cx() -> RunCx {
        RunCx::new(
            Arc::new(Here),
            Cancel::new(),
            std::env::temp_dir(),
            1 << 20,
            std::time::SystemTime::now(),
        )
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn a_written_document_tells_how_it_came_to_be() {
        let folder = std::env::temp_dir().join(format!("laktory-recorder-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let table = Table::parse(&[
            json!(["x", "int64", [1, 2]]),
            json!(["d", "date", ["2024-01-02", null]]),
        ])
        .unwrap();
        let (source, target) = (folder.join("in.json"), folder.join("out.json"));
        save(&source, &table).unwrap();
        let cx = cx();
        let spec = ReadSpec::new(Format::Csv, source.to_string_lossy());
        let frame = wait(recorder().read(&cx, &spec)).unwrap();
        let op = Op::Select {
            exprs: vec![Expr::column("d").alias("day"), Expr::column("x")],
        };
        let frame = recorder()
            .apply(&cx, &frame, &op, &NamedFrames::new())
            .unwrap();
        let write = WriteSpec::new(Format::Parquet, target.clone());
        let jobs = vec![
            Job::new(frame.clone(), Target::Write(write)),
            Job::new(frame, Target::Collect),
        ];
        let outcomes = wait(recorder().execute(&cx, jobs)).unwrap();
        assert!(matches!(&outcomes[0], Outcome::Written(report) if report.rows == 2));
        let document = open(&target).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(document.outputs, 2);
        assert_eq!(document.steps.len(), 2);
        assert!(document.steps[1].starts_with("Select"));
        let names: Vec<_> = document
            .table
            .columns
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        assert_eq!((names, document.table.rows), (vec!["day", "x"], 2));
    }

    #[test]
    fn unknown_columns_and_frames_are_refused() {
        let table = Table::parse(&[json!(["x", "int64", [1]])]).unwrap();
        let batch = table.batch().unwrap();
        let cx = cx();
        let stream = BatchStream::new(batch.schema(), stream::iter([Ok(batch)]).boxed());
        let frame = wait(recorder().import(&cx, stream)).unwrap();
        let op = Op::Filter {
            predicate: Expr::column("nope"),
        };
        let error = recorder()
            .apply(&cx, &frame, &op, &NamedFrames::new())
            .unwrap_err();
        assert_eq!(error.kind(), laktory_core::ErrorKind::ColumnNotFound);
        let op = Op::Union {
            others: vec![FrameName::Named("other".to_owned())],
            how: laktory_core::UnionHow::Vertical,
        };
        let error = recorder()
            .apply(&cx, &frame, &op, &NamedFrames::new())
            .unwrap_err();
        assert_eq!(error.kind(), laktory_core::ErrorKind::UnknownFrame);
    }
}
