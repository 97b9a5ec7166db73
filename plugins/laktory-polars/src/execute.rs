//! Several outputs in one pass of the streaming engine.
//!
//! All jobs become sinks of a single plan, in which the optimizer finds the sub-plans that they share: a source that
//! feeds a sink, a quarantine sink and the metrics of expectations is read once. A tap before each sink counts rows and
//! sees to cancellation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use laktory_core::{Error, Job, Outcome, Result, RunCx, Target, WriteReport};
use polars::prelude::{DataFrame, Engine, LazyFrame, OptFlags, PlanCallback, PolarsResult, SchemaRef};
use polars_io::utils::sync_on_close::SyncOnCloseType;
use polars_plan::dsl::sink::{SinkTarget, UnifiedSinkArgs};
use polars_plan::dsl::{DslPlan, SinkDestination};
use polars_plan::plans::{DslFunction, FunctionIR};

use crate::PolarsFrame;
use crate::diagnose::locate;
use crate::error::{ResultExt, carry, engine_error};
use crate::spool::Spool;
use crate::write::{JsonArray, Sink};

/// What is left to do for a job when the plan has run.
enum Pending {
    Written,
    Array(Shared<JsonArray>),
    Materialized(Shared<Spool>),
    Collected(Shared<Spool>, SchemaRef),
}

type Shared<T> = Arc<Mutex<Option<T>>>;

/// Computes all jobs in one pass. Blocks.
///
/// # Errors
/// Those of the plans and sinks; `Cancelled`.
pub(crate) fn execute(cx: &RunCx, jobs: &[Job]) -> Result<Vec<Outcome>> {
    let frames = jobs.iter().map(|job| PolarsFrame::of(&job.frame)).collect::<Result<Vec<_>>>()?;
    let sources = PolarsFrame::all_sources(frames.iter().copied());
    let mut plans = Vec::with_capacity(jobs.len());
    let mut pending = Vec::with_capacity(jobs.len());
    let mut optimizations = OptFlags::default();
    for (index, (job, frame)) in jobs.iter().zip(&frames).enumerate() {
        let mut lazy = frame.plan();
        let schema = lazy
            .collect_schema()
            .map_err(|error| locate(engine_error(error), &sources))?;
        optimizations = lazy.get_current_optimizations();
        let rows = Arc::new(AtomicU64::new(0));
        let tapped = tap(cx, lazy, index, Arc::clone(&rows));
        let (sunk, rest) = sink(cx, tapped, &job.target, schema)?;
        plans.push(sunk.logical_plan);
        pending.push((rest, rows));
    }
    cx.cancel().check()?;
    LazyFrame::collect_all_with_engine(plans, Engine::Streaming, optimizations)
        .map_err(|error| locate(engine_error(error), &sources))?;
    cx.cancel().check()?;
    pending
        .into_iter()
        .map(|(rest, rows)| rest.finish(rows.load(Ordering::SeqCst)))
        .collect()
}

impl Pending {
    fn finish(self, rows: u64) -> Result<Outcome> {
        let report = WriteReport { rows };
        Ok(match self {
            Self::Written => Outcome::Written(report),
            Self::Array(array) => {
                take(&array)?.finish()?;
                Outcome::Written(report)
            }
            Self::Materialized(spool) => {
                let (rows, lazy) = take(&spool)?.finish()?;
                Outcome::Materialized {
                    frame: PolarsFrame::from_lazy(lazy),
                    rows,
                }
            }
            Self::Collected(spool, schema) => {
                let schema = crate::arrow::arrow_schema(&schema)?;
                let mut batches = Vec::new();
                for frame in take(&spool)?.into_batches() {
                    batches.extend(crate::arrow::to_batches(frame, &schema)?);
                }
                Outcome::Collected(batches)
            }
        })
    }
}

fn take<T>(shared: &Shared<T>) -> Result<T> {
    shared
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .ok_or_else(|| Error::internal("an output was finished twice"))
}

/// The plan with a pass-through that counts rows into `rows` and stops when the run is interrupted.
fn tap(cx: &RunCx, lazy: LazyFrame, index: usize, rows: Arc<AtomicU64>) -> LazyFrame {
    let cancel = cx.cancel().clone();
    let pass = move |batch: DataFrame| -> PolarsResult<DataFrame> {
        cancel.check().map_err(|error| carry(&error))?;
        rows.fetch_add(batch.height() as u64, Ordering::Relaxed);
        Ok(batch)
    };
    // Common sub-plans are found by hashes, in which such a function counts by its name alone: each needs its own.
    let function = FunctionIR::Opaque {
        function: Arc::new(pass),
        schema: None,
        predicate_pd: false,
        projection_pd: false,
        streamable: true,
        fmt_str: format!("output {index}").into(),
    };
    LazyFrame::from(DslPlan::MapFunction {
        input: Arc::new(lazy.logical_plan),
        function: DslFunction::FunctionIR(function),
    })
}

fn sink(cx: &RunCx, lazy: LazyFrame, target: &Target, schema: SchemaRef) -> Result<(LazyFrame, Pending)> {
    match target {
        Target::Write(spec) => match crate::write::sink(spec, &schema)? {
            Sink::Engine(format) => {
                let target = SinkTarget::Path(crate::read::path(&spec.path)?);
                let args = UnifiedSinkArgs {
                    mkdir: false,
                    maintain_order: true,
                    sync_on_close: SyncOnCloseType::None,
                    cloud_options: None,
                    sinked_paths_callback: None,
                };
                let sunk = lazy.sink(SinkDestination::File { target }, format, args);
                Ok((sunk.or_error()?, Pending::Written))
            }
            Sink::JsonArray => {
                let array = JsonArray::create(&spec.path)?;
                let (sunk, array) = batches(lazy, array, JsonArray::push)?;
                Ok((sunk, Pending::Array(array)))
            }
        },
        Target::Materialize => {
            let (sunk, spool) = batches(lazy, Spool::new(cx, schema), Spool::push)?;
            Ok((sunk, Pending::Materialized(spool)))
        }
        Target::Collect => {
            let (sunk, spool) = batches(lazy, Spool::unbounded(Arc::clone(&schema)), Spool::push)?;
            Ok((sunk, Pending::Collected(spool, schema)))
        }
        _ => Err(Error::unsupported("this kind of output")),
    }
}

/// The plan with a sink that hands every batch, in order, to `push`.
fn batches<T: Send + 'static>(
    lazy: LazyFrame,
    state: T,
    push: fn(&mut T, DataFrame) -> Result<()>,
) -> Result<(LazyFrame, Shared<T>)> {
    let shared = Arc::new(Mutex::new(Some(state)));
    let writing = Arc::clone(&shared);
    let callback = move |batch: DataFrame| -> PolarsResult<bool> {
        match writing.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(state) => push(state, batch).map(|()| false).map_err(|error| carry(&error)),
            None => Ok(true),
        }
    };
    let sunk = lazy.sink_batches(PlanCallback::new(callback), true, None).or_error()?;
    Ok((sunk, shared))
}
