//! A driver without an engine: it records what it is asked, and answers with the rows it was given. With it, planning
//! and execution are tested in seconds, without linking an engine.
//!
//! Data lives in *documents*: JSON files with columns in the form of conformance cases, written by [`save`]. Reading
//! takes documents whatever the declared format; writing makes one at the staging path, together with every step that
//! led to it and the number of outputs of its pass, so that a test reads back with [`open`] what the executor did.
//!
//! Names and types are followed through the steps and unknown columns are refused, but nothing is computed: rows are
//! never filtered, computed columns are null, and aggregates are the number of rows (counts) or 0.

mod document;
mod steps;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use laktory_core::{
    Backend, BackendConfig, BackendDescriptor, BatchStream, BoxFuture, Capabilities, Error, Format,
    FormatSupport, Frame, Func, Job, NamedFrames, NativeFrame, Op, OpKind, Outcome, ReadSpec,
    Result, RunCx, SqlTemplate, Support, Target, WriteReport,
};

pub use document::{Document, open, save};

/// The backend RECORDER. It is not submitted to the registry: tests name it.
pub static RECORDER: BackendDescriptor = BackendDescriptor {
    name: NAME,
    aliases: &[],
    provided_by: "laktory-testkit",
    engine: "none",
    capabilities,
    connect,
};

const NAME: &str = "RECORDER";

fn connect<'a>(_: &'a RunCx, _: &'a BackendConfig) -> BoxFuture<'a, Result<Arc<dyn Backend>>> {
    Box::pin(async { Ok(Arc::new(Recorder) as Arc<dyn Backend>) })
}

fn capabilities() -> Capabilities {
    let mut capabilities = Capabilities::default();
    capabilities.ops = OpKind::ALL
        .iter()
        .map(|kind| (*kind, Support::Full))
        .collect();
    capabilities.funcs = Func::all().map(|def| (def.func, Support::Full)).collect();
    let format = FormatSupport {
        support: Support::Full,
        options: &[],
        schema: true,
    };
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
    capabilities.local_files = true;
    capabilities
}

/// The session; it has no state.
#[derive(Debug)]
struct Recorder;

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

    fn into_frame(self) -> Frame {
        Frame::new(NAME, self)
    }
}

#[async_trait]
impl Backend for Recorder {
    fn descriptor(&self) -> &'static BackendDescriptor {
        &RECORDER
    }

    fn apply(&self, _: &RunCx, input: &Frame, op: &Op, named: &NamedFrames) -> Result<Frame> {
        let mut others = Vec::new();
        for name in op.frames() {
            others.push(named.get(name)?.native::<Recorded>()?);
        }
        let mut output = steps::apply(input.native()?, op, &others)?;
        output.steps.push(format!("{op:?}"));
        Ok(output.into_frame())
    }

    async fn read(&self, _: &RunCx, spec: &ReadSpec) -> Result<Frame> {
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
                laktory_core::ErrorKind::SchemaMismatch,
                format!("the files of `{}` differ: {:?}", spec.path, other.schema()),
            ));
        }
        let steps = vec![format!("read {} {}", spec.format, spec.path)];
        Ok(Recorded {
            schema,
            batches,
            steps,
        }
        .into_frame())
    }

    async fn sql(&self, _: &RunCx, query: &SqlTemplate, named: &NamedFrames) -> Result<Frame> {
        let frames = query.frames();
        for name in &frames {
            named.get(name)?.native::<Recorded>()?;
        }
        let first = frames.first().ok_or_else(|| {
            Error::unsupported("the recorder answers SQL with its first frame, and there is none")
        })?;
        let mut output = named.get(first)?.native::<Recorded>()?.clone();
        output.steps.push(format!("sql {}", query.source()));
        Ok(output.into_frame())
    }

    async fn schema(&self, _: &RunCx, frame: &Frame) -> Result<SchemaRef> {
        Ok(Arc::clone(&frame.native::<Recorded>()?.schema))
    }

    async fn execute(&self, cx: &RunCx, jobs: Vec<Job>) -> Result<Vec<Outcome>> {
        let count = jobs.len();
        let mut outcomes = Vec::with_capacity(count);
        for job in jobs {
            cx.cancel().check()?;
            let recorded = job.frame.native::<Recorded>()?;
            let rows = recorded.rows();
            outcomes.push(match job.target {
                Target::Write(spec) => {
                    document::write(&spec.path, recorded, count)?;
                    Outcome::Written(WriteReport { rows })
                }
                Target::Materialize => Outcome::Materialized {
                    frame: job.frame.clone(),
                    rows,
                },
                Target::Collect => Outcome::Collected(recorded.batches.clone()),
                _ => {
                    return Err(Error::unsupported(
                        "this target is not one of the recorder's",
                    ));
                }
            });
        }
        Ok(outcomes)
    }

    async fn export(&self, _: &RunCx, frame: &Frame) -> Result<BatchStream> {
        let recorded = frame.native::<Recorded>()?;
        let batches: Vec<Result<RecordBatch>> = recorded.batches.iter().cloned().map(Ok).collect();
        let batches = stream::iter(batches).boxed();
        Ok(BatchStream::new(Arc::clone(&recorded.schema), batches))
    }

    async fn import(&self, _: &RunCx, batches: BatchStream) -> Result<Frame> {
        Ok(Recorded {
            schema: batches.schema(),
            batches: batches.try_collect().await?,
            steps: vec!["import".to_owned()],
        }
        .into_frame())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::Table;
    use laktory_core::{BlockingPool, Cancel, Expr, FrameName, WriteSpec};
    use serde_json::json;

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
        let frame = wait(Recorder.read(&cx, &spec)).unwrap();
        let op = Op::Select {
            exprs: vec![Expr::column("d").alias("day"), Expr::column("x")],
        };
        let frame = Recorder
            .apply(&cx, &frame, &op, &NamedFrames::new())
            .unwrap();
        let write = WriteSpec {
            format: Format::Parquet,
            path: target.clone(),
            options: BTreeMap::new(),
        };
        let jobs = vec![
            Job {
                frame: frame.clone(),
                target: Target::Write(write),
            },
            Job {
                frame,
                target: Target::Collect,
            },
        ];
        let outcomes = wait(Recorder.execute(&cx, jobs)).unwrap();
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
        let frame = wait(Recorder.import(&cx, stream)).unwrap();
        let op = Op::Filter {
            predicate: Expr::column("nope"),
        };
        let error = Recorder
            .apply(&cx, &frame, &op, &NamedFrames::new())
            .unwrap_err();
        assert_eq!(error.kind(), laktory_core::ErrorKind::ColumnNotFound);
        let op = Op::Union {
            others: vec![FrameName::Named("other".to_owned())],
            how: laktory_core::UnionHow::Vertical,
        };
        let error = Recorder
            .apply(&cx, &frame, &op, &NamedFrames::new())
            .unwrap_err();
        assert_eq!(error.kind(), laktory_core::ErrorKind::UnknownFrame);
    }
}
