//! Several outputs in one pass of the streaming engine.
//!
//! All jobs become sinks of a single plan, in which the optimizer finds the sub-plans that they share: a source that
//! feeds a sink, a quarantine sink and the metrics of expectations is read once. A tap before each sink counts rows and
//! sees to cancellation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use laktory_core::{Error, Job, Outcome, Result, RunCx, Target, WriteReport};
use laktory_formats::append::TextOutput;
use laktory_formats::encode::Encoder;
use polars::prelude::{
    DataFrame, Engine, IntoLazy, LazyFrame, OptFlags, PlanCallback, PolarsResult, SchemaRef,
};
use polars_io::utils::sync_on_close::SyncOnCloseType;
use polars_plan::dsl::sink::{SinkTarget, UnifiedSinkArgs};
use polars_plan::dsl::{DslPlan, SinkDestination};
use polars_plan::plans::{DslFunction, FunctionIR};

use crate::PolarsFrame;
use crate::diagnose::{unchanged, unless_damaged};
use crate::error::{ResultExt, carry};
use crate::spool::Spool;
use crate::write::{JsonRows, Sink};

/// What is left to do for a job when the plan has run.
enum Pending {
    Written(Option<Box<TextOutput>>),
    Rows(Shared<JsonRows>, Option<Box<TextOutput>>),
    Encoded(Shared<Encoded>),
    Materialized(Shared<Spool>),
    Collected(Shared<Spool>, SchemaRef),
}

/// A file that is written by the crate that engines share.
struct Encoded {
    encoder: Box<dyn Encoder>,
    schema: laktory_core::arrow::schema::SchemaRef,
}

impl Encoded {
    fn push(&mut self, frame: DataFrame) -> Result<()> {
        let batches = crate::arrow::to_batches(frame, &self.schema)?;
        batches
            .iter()
            .try_for_each(|batch| self.encoder.push(batch))
    }
}

type Shared<T> = Arc<Mutex<Option<T>>>;

/// Computes all jobs in one pass. Blocks.
///
/// # Errors
/// Those of the plans and sinks; `Cancelled`.
pub(crate) fn execute(cx: &RunCx, jobs: &[Job]) -> Result<Vec<Outcome>> {
    let frames = jobs
        .iter()
        .map(|job| PolarsFrame::of(&job.frame))
        .collect::<Result<Vec<_>>>()?;
    let sources = PolarsFrame::all_sources(frames.iter().copied());
    let plans: Vec<LazyFrame> = frames.iter().map(|frame| frame.plan()).collect();
    let targets: Vec<&Target> = jobs.iter().map(|job| &job.target).collect();
    unless_damaged(&sources, || {
        streamed(
            || run(cx, plans.clone(), &targets),
            || run(cx, in_memory(plans.clone())?, &targets),
        )
    })
    .and_then(|outcomes| unchanged(&sources).map(|()| outcomes))
}

/// What the streaming engine panics with when it lacks an operation, before it starts, and when parts of a plan wait for one another
/// without end, before any output is complete.
const STANDS_STILL: &[&str] = &["not yet implemented", "unreachable", "== PortState::Done"];

/// The outcome of `run`; or, should the streaming engine not get to the end of the plan, that of `otherwise`.
pub(crate) fn streamed<T>(
    run: impl FnOnce() -> Result<T>,
    otherwise: impl FnOnce() -> Result<T>,
) -> Result<T> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(outcome) => outcome,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or_default();
            if !STANDS_STILL.iter().any(|known| text.contains(known)) {
                std::panic::resume_unwind(panic);
            }
            tracing::warn!("An operation cannot be streamed, the plan is computed in memory");
            otherwise()
        }
    }
}

/// The plans, computed by the engine that holds everything in memory.
pub(crate) fn in_memory(plans: Vec<LazyFrame>) -> Result<Vec<LazyFrame>> {
    let optimizations = plans
        .first()
        .map(LazyFrame::get_current_optimizations)
        .unwrap_or_default();
    let plans = plans.into_iter().map(|lazy| lazy.logical_plan).collect();
    let frames =
        LazyFrame::collect_all_with_engine(plans, Engine::InMemory, optimizations).or_error()?;
    Ok(frames.into_iter().map(IntoLazy::lazy).collect())
}

fn run(cx: &RunCx, frames: Vec<LazyFrame>, targets: &[&Target]) -> Result<Vec<Outcome>> {
    let mut plans = Vec::with_capacity(targets.len());
    let mut pending = Vec::with_capacity(targets.len());
    let mut optimizations = OptFlags::default();
    for (index, (mut lazy, target)) in frames.into_iter().zip(targets).enumerate() {
        let schema = lazy.collect_schema().or_error()?;
        optimizations = lazy.get_current_optimizations();
        // It takes sinks of ours for ones that do not see the order of rows.
        optimizations.remove(OptFlags::CHECK_ORDER_OBSERVE);
        let rows = Arc::new(AtomicU64::new(0));
        let tapped = tap(cx, lazy, index, Arc::clone(&rows));
        let (sunk, rest) = sink(cx, tapped, target, schema)?;
        plans.push(sunk.logical_plan);
        pending.push((rest, rows));
    }
    cx.cancel().check()?;
    LazyFrame::collect_all_with_engine(plans, Engine::Streaming, optimizations).or_error()?;
    cx.cancel().check()?;
    pending
        .into_iter()
        .map(|(rest, rows)| rest.finish(rows.load(Ordering::SeqCst)))
        .collect()
}

impl Pending {
    fn finish(self, rows: u64) -> Result<Outcome> {
        let report = WriteReport::new(rows);
        Ok(match self {
            Self::Written(text) => {
                if let Some(text) = text {
                    text.finish(rows)?;
                }
                Outcome::Written(report)
            }
            Self::Rows(rows_of_json, text) => {
                take(&rows_of_json)?.finish()?;
                Self::Written(text).finish(rows)?
            }
            Self::Encoded(encoded) => {
                take(&encoded)?.encoder.finish()?;
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

fn sink(
    cx: &RunCx,
    lazy: LazyFrame,
    target: &Target,
    schema: SchemaRef,
) -> Result<(LazyFrame, Pending)> {
    let (lazy, schema) = match target {
        Target::Write(spec) => crate::write::ready(lazy, spec, schema)?,
        _ => (lazy, schema),
    };
    match target {
        Target::Write(asked) => {
            let text = crate::write::text(asked, &schema)?.map(Box::new);
            let spec = &crate::write::engine(asked, text.as_deref());
            match crate::write::sink(spec, &schema)? {
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
                    Ok((sunk.or_error()?, Pending::Written(text)))
                }
                Sink::Shared(writing) => {
                    let encoded = Encoded {
                        encoder: writing.create(&spec.path)?,
                        schema: crate::arrow::arrow_schema(&schema)?,
                    };
                    let (sunk, encoded) = batches(lazy, encoded, Encoded::push)?;
                    Ok((sunk, Pending::Encoded(encoded)))
                }
                Sink::Json(form) => {
                    let rows = JsonRows::create(&spec.path, form)?;
                    let (sunk, rows) = batches(lazy, rows, JsonRows::push)?;
                    Ok((sunk, Pending::Rows(rows, text)))
                }
            }
        }
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
        match writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            Some(state) => push(state, batch)
                .map(|()| false)
                .map_err(|error| carry(&error)),
            None => Ok(true),
        }
    };
    let sunk = lazy
        .sink_batches(PlanCallback::new(callback), true, None)
        .or_error()?;
    Ok((sunk, shared))
}
