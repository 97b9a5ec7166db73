//! A run: nodes in the order of the plan, independent ones side by side up to a bound, and what is left of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::stream::{FuturesUnordered, StreamExt};
use laktory_core::{Backend, BackendConfig, Cancel, Error, ErrorKind, Frame, Registry, Result};
use laktory_plan::lineage::NodeLineage;
use laktory_plan::{Handover, NodePlan, Plan, SinkPlan, Stored};

use crate::build::read_stored;
use crate::check::{self, Lineages, NodeSchema, Surroundings};
use crate::engine::Engine;
use crate::event::{Event, Observer};
use crate::fault::Fault;
use crate::node::{Shared, empty_report, run_node};
use crate::output::NodeOutput;
use crate::outside;
use crate::pool::SameThread;
use crate::prune::{self, Kept, Pruned};
use crate::report::{NodeReport, RunReport, Status};
use crate::seen::SourceFiles;
use crate::sessions::Reach;

/// What happens to existing outputs before a node runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// Each sink's mode decides.
    #[default]
    Incremental,
    /// Every sink is replaced, whatever its mode.
    Full,
    /// Outputs are removed; nothing is read or written.
    Reset,
}

/// How to carry out a plan.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Whether sinks are written; otherwise frames are built, computed and checked only.
    pub write: bool,
    /// What happens to existing outputs.
    pub refresh: Refresh,
    /// Nodes whose outputs the caller will ask for: they are kept where no sink holds just them ([`Run::output`]).
    pub keep: BTreeSet<String>,
    /// Nodes whose quarantined rows the caller will ask for ([`Run::quarantined`]), whether sinks are written or not.
    pub quarantined: BTreeSet<String>,
    /// Whether columns of an output that no node needs are left out where it is kept for other nodes, or goes to another engine.
    /// [`Run::output`] gives nulls for them then, unless [`RunOptions::keep`] names the node.
    pub prune: bool,
    /// Nodes that may run side by side, at least 1.
    pub jobs: usize,
    /// Bytes that a frame kept between nodes may take in memory before it is spilled.
    pub memory_budget: u64,
    /// Where frames are spilled; the system's temporary folder by default.
    pub scratch: Option<PathBuf>,
    /// Settings of the backends, by their registered names; they win over those of the pipeline.
    pub backends: BTreeMap<String, BackendConfig>,
    /// Sessions of the caller's own, by the registered names of their backends: the run uses them, and opens none.
    pub sessions: BTreeMap<String, Arc<dyn Backend>>,
    /// What the clock of expressions shows; the time at which the run began when absent.
    pub clock: Option<SystemTime>,
    /// How long to wait for another run that writes one of the targets.
    pub lock_timeout: Duration,
    /// The files of the pipeline itself, which are no targets.
    pub own_files: Vec<PathBuf>,
    /// Asks the run to stop.
    pub cancel: Cancel,
    /// Takes down the files that the run reads.
    pub files: SourceFiles,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            write: true,
            refresh: Refresh::default(),
            keep: BTreeSet::new(),
            quarantined: BTreeSet::new(),
            prune: false,
            jobs: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_budget: 512 << 20,
            scratch: None,
            backends: BTreeMap::new(),
            sessions: BTreeMap::new(),
            clock: None,
            lock_timeout: Duration::from_secs(60),
            own_files: Vec::new(),
            cancel: Cancel::new(),
            files: SourceFiles::default(),
        }
    }
}

/// A run that has ended: its record, and the outputs of its nodes.
#[derive(Debug)]
pub struct Run {
    /// The record.
    pub report: RunReport,
    /// What went wrong, in the order in which it did.
    pub faults: Vec<Fault>,
    engine: Engine,
    plan: Arc<Plan>,
    frames: BTreeMap<usize, Frame>,
    quarantined: BTreeMap<usize, Frame>,
    schemas: Vec<NodeSchema>,
}

impl Run {
    /// The rows of a node that its rules quarantined; none where no rule of it does, or the node failed.
    /// Asked for by [`RunOptions::quarantined`].
    ///
    /// # Errors
    /// `Internal` when the session of its backend is gone.
    pub fn quarantined(&self, node: &str) -> Result<Option<NodeOutput>> {
        let position = self.plan.nodes.iter().position(|plan| plan.name == node);
        let Some(frame) = position.and_then(|position| self.quarantined.get(&position)) else {
            return Ok(None);
        };
        let backend = self.engine.sessions.get(frame.backend())?;
        Ok(Some(NodeOutput::new(
            self.engine.cx.clone(),
            Arc::clone(backend),
            frame.clone(),
        )))
    }

    /// The output of a node: what it handed over, else what a sink holds of it.
    ///
    /// # Errors
    /// `UnknownName` when the run had no such node, or it has no output: no sink holds just that, and it was not asked for by
    /// [`RunOptions::keep`]; errors of reading the sink.
    pub async fn output(&self, node: &str) -> Result<NodeOutput> {
        let position = self.plan.nodes.iter().position(|plan| plan.name == node);
        let Some(position) = position else {
            let known: Vec<String> = self
                .plan
                .nodes
                .iter()
                .map(|node| format!("`{}`", node.name))
                .collect();
            return Err(Error::new(
                ErrorKind::UnknownName,
                format!("node `{node}` is not part of the run"),
            )
            .with_hint(format!("nodes of the run: {}", known.join(", "))));
        };
        let plan = &self.plan.nodes[position];
        let backend = self.engine.sessions.get(&plan.backend)?;
        let frame = match self.frames.get(&position) {
            Some(frame) => frame.clone(),
            None => {
                let read = self.stored(plan, &**backend)?;
                read_stored(&self.engine.cx, backend, &read, true).await?
            }
        };
        Ok(NodeOutput::new(
            self.engine.cx.clone(),
            Arc::clone(backend),
            frame,
        ))
    }

    /// How to read the output of a node from a sink.
    fn stored(&self, node: &NodePlan, backend: &dyn Backend) -> Result<Stored> {
        let nothing = |why: String| {
            let message = format!("node `{}` kept no output{why}", node.name);
            Error::new(ErrorKind::UnknownName, message)
                .with_hint("ask for it before the run, with `RunOptions::keep`")
        };
        let sinks = || node.sinks.iter().filter(|sink| !sink.quarantine);
        let typed = |sink: &&SinkPlan| sink.inexact.is_none() && !sink.is_untyped();
        if let Some(sink) = sinks().find(typed) {
            return Ok(sink.read.clone());
        }
        let Some(sink) = sinks()
            .find(|sink| sink.inexact.is_none())
            .or_else(|| sinks().next())
        else {
            return Err(nothing(String::new()));
        };
        if let Some(reason) = &sink.inexact {
            return Err(nothing(format!(": its sink `{}` {reason}", sink.target)));
        }
        let mut schemas = self.schemas.iter();
        let schema = schemas.find(|schema| schema.node == node.name);
        match schema.and_then(|schema| schema.schema.as_ref()) {
            Some(schema) => outside::declared(backend, sink, schema)
                .map_err(|error| nothing(format!(": {}", error.message()))),
            None => Err(nothing(String::new())),
        }
    }

    /// Whether everything succeeded.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.report.status == Status::Succeeded
    }
}

/// Resolves every node's schema with the engines, without reading rows. Must be called inside a tokio runtime.
///
/// # Errors
/// When a backend cannot be connected. What is wrong with the pipeline is in the faults.
pub async fn resolve(
    plan: &Plan,
    registry: &Registry,
    options: &RunOptions,
) -> Result<(Vec<NodeSchema>, Vec<Fault>)> {
    let engine = match Engine::open(plan, registry, options).await {
        Ok(engine) => engine,
        Err(unopened) => return Ok((Vec::new(), vec![unopened.fault(plan)?])),
    };
    let (_, schemas, faults, _) = checked(&engine, plan.clone(), false).await?;
    Ok((schemas, faults))
}

/// Resolves what the output of each node depends on with the engines, without reading rows: by position in the plan, none
/// where that is known in a run only. Must be called inside a tokio runtime.
///
/// # Errors
/// When a backend cannot be connected. What is wrong with the pipeline is in the faults.
pub async fn lineage(
    plan: &Plan,
    registry: &Registry,
    options: &RunOptions,
) -> Result<(Vec<Option<NodeLineage>>, Vec<Fault>)> {
    let engine = match Engine::open(plan, registry, options).await {
        Ok(engine) => engine,
        Err(unopened) => return Ok((Vec::new(), vec![unopened.fault(plan)?])),
    };
    let (_, _, faults, lineages) = checked(&engine, plan.clone(), true).await?;
    Ok((lineages, faults))
}

/// What is wrong with the pipeline, and the columns that a run with [`RunOptions::prune`] keeps of outputs that it would keep
/// whole otherwise: found at once, without reading rows. Must be called inside a tokio runtime.
///
/// # Errors
/// When a backend cannot be connected. What is kept is not known of a pipeline that is faulty, nor where a backend works on a
/// server.
pub async fn foresee(
    plan: &Plan,
    registry: &Registry,
    options: &RunOptions,
    reach: Reach,
) -> Result<(Vec<Kept>, Vec<Fault>)> {
    let engine = match Engine::reaching(plan, registry, options, reach).await {
        Ok(engine) => engine,
        Err(unopened) => return Ok((Vec::new(), vec![unopened.fault(plan)?])),
    };
    let prunes = prune::is_worthwhile(plan, &engine.sessions, &options.keep);
    let (plan, schemas, faults, lineages) = checked(&engine, plan.clone(), prunes).await?;
    if !prunes || !faults.is_empty() {
        return Ok((Vec::new(), faults));
    }
    let resolved = (schemas.as_slice(), &lineages);
    let pruned = engine.pruned(&plan, resolved, &options.keep).await?;
    let kept = pruned.into_values().map(|part| part.kept).collect();
    Ok((kept, faults))
}

/// A fault of the run as a whole.
fn unplaced(plan: &Plan, error: Error) -> Vec<Fault> {
    vec![Fault::new(
        &plan.pipeline,
        &laktory_model::Path::root(),
        error,
    )]
}

/// Checks the plan on one blocking thread: it asks the engines many short questions, one after the other. Gives the plan
/// with what is known then, and what the nodes depend on where `lineage` is asked for.
async fn checked(
    engine: &Engine,
    mut plan: Plan,
    lineage: bool,
) -> Result<(Plan, Vec<NodeSchema>, Vec<Fault>, Lineages)> {
    let cx = engine.cx.with_pool(Arc::new(SameThread));
    let sessions = engine.sessions.clone();
    let (own, full) = (
        Arc::clone(&engine.own_files),
        engine.refresh == Refresh::Full,
    );
    let runtime = tokio::runtime::Handle::current();
    let check = move || {
        runtime.block_on(async move {
            let around = Surroundings { own: &own, full };
            let mut lineages = vec![None; plan.nodes.len()];
            let mut faults = outside::declare(&cx, &sessions, &mut plan, &around).await;
            if !faults.is_empty() {
                return (plan, Vec::new(), faults, lineages);
            }
            let asked = lineage.then_some(&mut lineages);
            let (schemas, found) = check::check(&cx, &sessions, &plan, &around, asked).await;
            faults.extend(found);
            (plan, schemas, faults, lineages)
        })
    };
    engine.cx.blocking(move || Ok(check())).await
}

/// The output frame of a node, computed on demand and without writing anything. The plan should hold the node and its
/// ancestors, compiled without writing. Must be called inside a tokio runtime.
///
/// # Errors
/// A fault of the node or of one that it reads.
pub async fn preview(
    plan: Plan,
    registry: &Registry,
    options: RunOptions,
    node: &str,
    observer: &dyn Observer,
) -> Result<NodeOutput, Vec<Fault>> {
    let options = RunOptions {
        write: false,
        ..options
    };
    let mut run = run(plan, registry, options, observer).await?;
    if !run.faults.is_empty() {
        return Err(std::mem::take(&mut run.faults));
    }
    let place = run
        .plan
        .node(node)
        .map(|node| node.place.clone())
        .unwrap_or_default();
    let output = run
        .output(node)
        .await
        .map_err(|error| vec![Fault::new(node, &place, error)])?;
    Ok(output.keeping(run))
}

/// Checks the plan with the engines, then carries it out. Must be called inside a tokio runtime.
///
/// # Errors
/// Faults found before anything was read or written. Faults of the run itself are in the returned [`Run`].
pub async fn run(
    mut plan: Plan,
    registry: &Registry,
    options: RunOptions,
    observer: &dyn Observer,
) -> Result<Run, Vec<Fault>> {
    if !options.write {
        unwritten(&mut plan);
    }
    for node in &mut plan.nodes {
        let held = || node.sinks.iter().any(SinkPlan::holds_output);
        if node.handover == Handover::None && options.keep.contains(&node.name) && !held() {
            node.handover = Handover::Materialize;
        }
    }
    options.files.clear();
    let began = Instant::now();
    let started = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let engine =
        Engine::open(&plan, registry, &options)
            .await
            .map_err(|unopened| match unopened.fault(&plan) {
                Ok(fault) => vec![fault],
                Err(error) => unplaced(&plan, error),
            })?;
    let (mut schemas, mut pruned) = (Vec::new(), Pruned::new());
    if options.refresh != Refresh::Reset {
        let prunes = options.prune
            && options.write
            && prune::is_worthwhile(&plan, &engine.sessions, &options.keep);
        let checked = checked(&engine, plan.clone(), prunes).await;
        // After an interrupt nothing is started any more, and every node says so.
        if !options.cancel.is_cancelled() {
            let (known, found, faults, lineages) =
                checked.map_err(|error| unplaced(&plan, error))?;
            if !faults.is_empty() {
                return Err(faults);
            }
            (plan, schemas) = (known, found);
            if prunes {
                let resolved = (schemas.as_slice(), &lineages);
                let found = engine.pruned(&plan, resolved, &options.keep).await;
                pruned = found.map_err(|error| unplaced(&plan, error))?;
            }
        }
    }
    let plan = Arc::new(plan);
    observer.on(&Event::RunStarted {
        pipeline: plan.pipeline.clone(),
        nodes: plan.nodes.iter().map(|node| node.name.clone()).collect(),
    });
    let shared = Shared {
        cx: &engine.cx,
        plan: &plan,
        sessions: &engine.sessions,
        observer,
        run_id: &engine.run_id,
        write: options.write && plan.writes,
        refresh: options.refresh,
        lock_timeout: options.lock_timeout,
        own_files: &engine.own_files,
        keep: &options.keep,
        quarantine: &options.quarantined,
        frames: Mutex::new(BTreeMap::new()),
        quarantined: Mutex::new(BTreeMap::new()),
        rows: Mutex::new(BTreeMap::new()),
        files: &options.files,
        pruned: &pruned,
    };
    let (nodes, faults) = schedule(&shared, options.jobs.max(1)).await;
    let frames = shared
        .frames
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let quarantined = shared
        .quarantined
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let status = if nodes.iter().any(|node| node.status == Status::Interrupted) {
        Status::Interrupted
    } else if faults.is_empty() {
        Status::Succeeded
    } else {
        Status::Failed
    };
    let report = RunReport {
        version: 1,
        laktory: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline: plan.pipeline.clone(),
        run_id: engine.run_id.clone(),
        started,
        seconds: began.elapsed().as_secs_f64(),
        status,
        nodes,
    };
    observer.on(&Event::RunFinished(report.totals()));
    Ok(Run {
        report,
        faults,
        engine,
        plan,
        frames,
        quarantined,
        schemas,
    })
}

/// Makes a plan that writes sinks one that does not: readers cannot rely on sinks then, nor can the caller.
fn unwritten(plan: &mut Plan) {
    if std::mem::take(&mut plan.writes) {
        for node in &mut plan.nodes {
            if matches!(node.handover, Handover::Sink(_) | Handover::None) {
                node.handover = Handover::Materialize;
            }
        }
    }
}

/// Runs each node as soon as its upstream nodes are done, at most `jobs` at a time. A failed node skips those that
/// depend on it; other nodes go on. An interrupt starts nothing new.
async fn schedule(shared: &Shared<'_>, jobs: usize) -> (Vec<NodeReport>, Vec<Fault>) {
    let plan = shared.plan;
    let mut downstream = vec![Vec::new(); plan.nodes.len()];
    let mut open: Vec<usize> = Vec::with_capacity(plan.nodes.len());
    for (index, node) in plan.nodes.iter().enumerate() {
        open.push(node.upstream.len());
        for &above in &node.upstream {
            downstream[above].push(index);
        }
    }
    let mut readers = readers(plan);
    let mut ready: std::collections::BTreeSet<usize> =
        (0..open.len()).filter(|&index| open[index] == 0).collect();
    let mut reports: Vec<Option<NodeReport>> = plan.nodes.iter().map(|_| None).collect();
    let mut faults = Vec::new();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < jobs && !shared.cx.cancel().is_cancelled() {
            let Some(index) = ready.pop_first() else {
                break;
            };
            running.push(async move { (index, run_node(shared, index).await) });
        }
        let Some((index, (report, found))) = running.next().await else {
            break;
        };
        let failed = !found.is_empty();
        reports[index] = Some(report);
        faults.extend(found);
        release(shared, &mut readers, index);
        if failed {
            continue;
        }
        for &below in &downstream[index] {
            open[below] -= 1;
            if open[below] == 0 {
                ready.insert(below);
            }
        }
    }
    let reports = reports
        .into_iter()
        .enumerate()
        .map(|(index, report)| report.unwrap_or_else(|| skipped(shared, index)))
        .collect();
    (reports, faults)
}

/// For each node, how many nodes will still read its output; outputs that nobody reads are kept for the caller.
fn readers(plan: &Plan) -> Vec<usize> {
    let mut readers = vec![0; plan.nodes.len()];
    for node in &plan.nodes {
        for &above in &node.upstream {
            readers[above] += 1;
        }
    }
    readers
}

/// Drops kept frames that no node will read any more, and that the caller can read from a sink.
fn release(shared: &Shared<'_>, readers: &mut [usize], done: usize) {
    let mut frames = shared.frames.lock().unwrap_or_else(PoisonError::into_inner);
    for &above in &shared.plan.nodes[done].upstream {
        readers[above] -= 1;
        let node = &shared.plan.nodes[above];
        let written = shared.write
            && node.sinks.iter().any(|sink| !sink.quarantine)
            && !shared.keep.contains(&node.name);
        if readers[above] == 0 && node.handover == Handover::Materialize && written {
            frames.remove(&above);
        }
    }
}

fn skipped(shared: &Shared<'_>, index: usize) -> NodeReport {
    let node = &shared.plan.nodes[index];
    let name = node.name.clone();
    let (status, reason, event) = if shared.cx.cancel().is_cancelled() {
        let event = Event::NodeInterrupted { node: name };
        (Status::Interrupted, "the run was interrupted", event)
    } else {
        let reason = "a node that it depends on failed";
        let event = Event::NodeSkipped {
            node: name,
            reason: reason.to_owned(),
        };
        (Status::Skipped, reason, event)
    };
    shared.observer.on(&event);
    let mut report = empty_report(node, status);
    report.error = Some(reason.to_owned());
    report
}
