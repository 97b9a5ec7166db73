//! One node carried out: built, computed in one pass with its expectations and sinks, judged, published.

mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use laktory_core::{
    Backend, DType, Error, ErrorKind, Field, Frame, Job, Op, Result, RunCx, Target,
};
use laktory_model::Path;
use laktory_plan::{Handover, NodePlan, Plan, Stored};

use crate::append::{append, fits};
use crate::blame::blame;
use crate::build::{Builder, NodeFrames, computed_once, read_stored};
use crate::check::apply_all;
use crate::event::{Event, Observer};
use crate::expectations::{self, ExpectationSteps, Metrics};
use crate::fault::{Fault, guarded};
use crate::outputs::Output;
use crate::pass::{Pass, Purpose, Results, conform, conserved, count_rows};
use crate::prune::{Pruned, cut};
use crate::report::{CheckStatus, NodeReport, Status};
use crate::run::Refresh;
use crate::seen::SourceFiles;
use crate::sessions::{Sessions, transfer};

/// What the nodes of a run share.
pub(crate) struct Shared<'a> {
    pub(crate) cx: &'a RunCx,
    pub(crate) plan: &'a Plan,
    pub(crate) sessions: &'a Sessions,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) run_id: &'a str,
    pub(crate) write: bool,
    pub(crate) refresh: Refresh,
    pub(crate) lock_timeout: Duration,
    pub(crate) own_files: &'a [PathBuf],
    /// Nodes whose outputs are kept for the caller.
    pub(crate) keep: &'a BTreeSet<String>,
    /// Nodes whose quarantined rows are kept for the caller.
    pub(crate) quarantine: &'a BTreeSet<String>,
    /// Output frames of finished nodes, by position in the plan.
    pub(crate) frames: Mutex<BTreeMap<usize, Frame>>,
    /// Quarantined rows of finished nodes, by position in the plan.
    pub(crate) quarantined: Mutex<BTreeMap<usize, Frame>>,
    /// Rows that finished nodes put out, where they were counted, by position in the plan.
    pub(crate) rows: Mutex<BTreeMap<usize, u64>>,
    /// The files that the run reads.
    pub(crate) files: &'a SourceFiles,
    /// Nodes of which some columns alone are kept.
    pub(crate) pruned: &'a Pruned,
}

impl NodeFrames for Shared<'_> {
    async fn frame(&self, node: usize, reader: &Arc<dyn Backend>) -> Result<Frame> {
        let frame = self
            .frames
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .get(&node)
            .cloned();
        let frame = frame.ok_or_else(|| {
            Error::internal(format!(
                "node `{}` has no output to read",
                self.plan.nodes[node].name
            ))
        })?;
        let plan = &self.plan.nodes[node];
        let owner = self.sessions.get(&plan.backend)?;
        let kept = plan.handover == Handover::Materialize;
        match self.pruned.get(&node) {
            Some(part) => {
                part.handed_over(self.cx, frame, (owner, reader), kept)
                    .await
            }
            None => transfer(self.cx, frame, owner, reader).await,
        }
    }

    fn rows(&self, node: usize) -> Option<u64> {
        let rows = self.rows.lock();
        let rows = rows.unwrap_or_else(std::sync::PoisonError::into_inner);
        rows.get(&node).copied()
    }

    fn session(&self, backend: &str) -> Result<&Arc<dyn Backend>> {
        self.sessions.get(backend)
    }
}

/// Carries out node `index`. The report tells what happened. On a fault every output is as it was, unless the fault is that
/// one of several could not be published: those before it are then new, and in the report.
pub(crate) async fn run_node(shared: &Shared<'_>, index: usize) -> (NodeReport, Vec<Fault>) {
    let node = &shared.plan.nodes[index];
    let started = Instant::now();
    shared.observer.on(&Event::NodeStarted {
        node: node.name.clone(),
    });
    let mut report = empty_report(node, Status::Succeeded);
    let run = NodeRun {
        shared,
        node,
        index,
    };
    let outcome = guarded(&node.name, &node.place, run.execute(&mut report)).await;
    let faults = outcome.err().unwrap_or_default();
    report.seconds = started.elapsed().as_secs_f64();
    if let Some(fault) = faults.first() {
        report.status = if fault.is_cancelled() {
            Status::Interrupted
        } else {
            Status::Failed
        };
        let messages: Vec<&str> = faults.iter().map(|fault| fault.error.message()).collect();
        report.error = Some(messages.join("; "));
        report.error_kind = Some(fault.error.kind().name());
        let node = node.name.clone();
        shared.observer.on(&match report.status {
            Status::Interrupted => Event::NodeInterrupted { node },
            _ => Event::NodeFailed {
                node,
                message: messages.join("; "),
            },
        });
    } else {
        if let Some(rows) = report.rows_out {
            let counted = shared.rows.lock();
            let mut counted = counted.unwrap_or_else(std::sync::PoisonError::into_inner);
            counted.insert(index, rows);
        }
        shared.observer.on(&Event::NodeFinished {
            report: Box::new(report.clone()),
        });
    }
    (report, faults)
}

/// A record without results.
pub(crate) fn empty_report(node: &NodePlan, status: Status) -> NodeReport {
    NodeReport {
        name: node.name.clone(),
        backend: node.backend.clone(),
        status,
        rows_read: None,
        rows_in: None,
        rows_out: None,
        rows_dropped: 0,
        rows_quarantined: 0,
        rows_discarded: 0,
        seconds: 0.0,
        outputs: Vec::new(),
        expectations: Vec::new(),
        warnings: Vec::new(),
        error: None,
        error_kind: None,
    }
}

struct NodeRun<'a> {
    shared: &'a Shared<'a>,
    node: &'a NodePlan,
    index: usize,
}

impl NodeRun<'_> {
    async fn execute(&self, report: &mut NodeReport) -> Result<(), Vec<Fault>> {
        let at_node = |error| Fault::new(&self.node.name, &self.node.place, error);
        // Held until the outputs are published; dropped last.
        let _locks = self.lock().await?;
        if self.shared.refresh == Refresh::Reset {
            return Ok(self.reset(report).await?);
        }
        let backend = self
            .shared
            .sessions
            .get(&self.node.backend)
            .map_err(at_node)?;
        let builder = Builder {
            cx: self.shared.cx,
            backend,
            observer: self.shared.observer,
            node: self.node,
            rows: true,
            looks_at_rows: false,
            files: Some((self.shared.files, self.index)),
        };
        let stage = builder.stage(self.shared).await?;
        for message in stage.warnings {
            self.warn(message, &mut report.warnings);
        }
        report.rows_read = stage.rows_read;
        let Some(stage) = stage.frame else {
            return Ok(());
        };
        let steps = (!self.node.expectations.is_empty())
            .then(|| expectations::steps(&self.node.expectations));
        let flagged = match &steps {
            Some(steps) => apply_all(self.shared.cx, backend, stage, [&steps.flag])
                .await
                .map_err(at_node)?,
            None => stage,
        };
        let flagged = match self.node.random && self.wants_several() {
            true => {
                let once = computed_once(self.shared.cx, backend, flagged).await;
                self.computed(once, Vec::new()).await?
            }
            false => flagged,
        };
        let kept = self
            .kept(backend, &flagged, steps.as_ref())
            .await
            .map_err(at_node)?;
        if self.node.handover == Handover::Inline && steps.is_none() {
            self.hand_over(kept);
            return Ok(());
        }
        let mut outputs = self.prepare(backend, report)?;
        let (mut flagged, mut kept, mut judged) = (flagged, kept, None);
        if let Some(steps) = &steps
            && outputs.iter().any(Output::is_on_engine)
        {
            // What the engine writes is visible at once: the rules are judged before.
            let (settled, metrics) = self.settle(backend, &flagged, steps, report).await?;
            kept = (self.kept(backend, &settled, Some(steps)).await).map_err(at_node)?;
            flagged = settled;
            judged = Some(metrics);
        }
        let pass = self
            .pass(
                backend,
                (&flagged, &kept),
                steps.as_ref(),
                &mut outputs,
                judged.is_none(),
            )
            .await?;
        let writes = pass.writes(&outputs);
        let purposes = pass.purposes;
        let outcomes = match pass.jobs.is_empty() {
            // Every sink was skipped, and nobody reads the node.
            true => Vec::new(),
            false => {
                let outcomes = backend.execute(self.shared.cx, pass.jobs).await;
                self.computed(outcomes, writes).await?
            }
        };
        let results = Results::of(&purposes, outcomes).map_err(at_node)?;
        match &judged {
            Some(metrics) => conserved(metrics, &results, &outputs).map_err(at_node)?,
            None => self.judge(&results, &outputs, report)?,
        }
        for (number, rows) in &results.parts {
            outputs[*number].counted(rows);
        }
        self.count_discarded(&outputs, report);
        self.publish(backend, outputs, &results, report).await?;
        self.create_views(backend, report).await?;
        self.finish(backend, kept, results, report)
            .await
            .map_err(at_node)?;
        Ok(())
    }

    /// Whether more than one thing is made of the node's rows.
    fn wants_several(&self) -> bool {
        let sinks = if self.shared.write {
            self.node.sinks.len()
        } else {
            0
        };
        let kept = usize::from(self.node.handover == Handover::Materialize);
        !self.node.expectations.is_empty() || sinks + kept > 1
    }

    /// Notes quarantined rows that no output receives: thrown away as the pipeline says, or since the sinks that would
    /// take them leave their targets alone.
    fn count_discarded(&self, outputs: &[Output], report: &mut NodeReport) {
        let received = outputs.iter().any(|output| output.sink.quarantine);
        if !self.shared.write || received || report.rows_quarantined == 0 {
            return;
        }
        report.rows_discarded = report.rows_quarantined;
        let reason = if self.node.discards {
            "as `quarantine: DISCARD` says"
        } else {
            "since the targets of its quarantine sinks exist and mode IGNORE leaves them alone"
        };
        let message = format!(
            "{} quarantined rows of node `{}` were thrown away, {reason}",
            report.rows_discarded, self.node.name
        );
        self.warn(message, &mut report.warnings);
    }

    /// What the engine gave, unless files were written to while it read them: that is why it failed, or it gave rows that
    /// the files never had.
    fn unchanged<T>(&self, outcome: Result<T>) -> Result<T> {
        match &outcome {
            Err(error) if error.kind() == ErrorKind::Cancelled => {}
            _ => self.shared.files.check(self.shared.plan, self.index)?,
        }
        outcome
    }

    /// What the engine gave, else a fault at the part of the node that caused it. `writes` are the files that were to be
    /// written, with the places of their sinks.
    async fn computed<T>(&self, outcome: Result<T>, writes: Vec<(Path, Job)>) -> Result<T, Fault> {
        match self.unchanged(outcome) {
            Ok(given) => Ok(given),
            Err(error) => Err(blame(self.shared, self.index, error, writes).await),
        }
    }

    /// Computes the flagged rows once, keeps them in the engine, and judges the rules.
    async fn settle(
        &self,
        backend: &Arc<dyn Backend>,
        flagged: &Frame,
        steps: &ExpectationSteps,
        report: &mut NodeReport,
    ) -> Result<(Frame, Metrics), Vec<Fault>> {
        let at_node = |error| Fault::new(&self.node.name, &self.node.place, error);
        let cx = self.shared.cx;
        let metrics = apply_all(cx, backend, flagged.clone(), [&steps.metrics])
            .await
            .map_err(at_node)?;
        let mut pass = Pass::default();
        pass.add(Purpose::Keep, flagged.clone(), Target::Materialize);
        pass.add(Purpose::Metrics, metrics, Target::Collect);
        let outcomes = backend.execute(cx, pass.jobs).await;
        let outcomes = self.computed(outcomes, Vec::new()).await?;
        let mut results = Results::of(&pass.purposes, outcomes).map_err(at_node)?;
        let missing = || at_node(Error::internal("the engine kept no frame or no metrics"));
        // These are all rows, not those that the rules leave.
        let (frame, _) = results.kept.take().ok_or_else(missing)?;
        self.judge(&results, &[], report)?;
        let batches = results.metrics.as_ref().ok_or_else(missing)?;
        let metrics = expectations::measure(&self.node.expectations, batches).map_err(at_node)?;
        Ok((frame, metrics))
    }

    /// Tells a warning, now and in the record of the run.
    fn warn(&self, message: String, warnings: &mut Vec<String>) {
        self.shared.observer.on(&Event::Warning {
            node: self.node.name.clone(),
            message: message.clone(),
        });
        warnings.push(message);
    }

    async fn kept(
        &self,
        backend: &Arc<dyn Backend>,
        flagged: &Frame,
        steps: Option<&ExpectationSteps>,
    ) -> Result<Frame> {
        match steps {
            Some(steps) => apply_all(self.shared.cx, backend, flagged.clone(), &steps.keep).await,
            None => Ok(flagged.clone()),
        }
    }

    /// Everything that is wanted of the stage frame, as one batch (one pass).
    async fn pass(
        &self,
        backend: &Arc<dyn Backend>,
        (flagged, kept): (&Frame, &Frame),
        steps: Option<&ExpectationSteps>,
        outputs: &mut [Output],
        measure: bool,
    ) -> Result<Pass, Fault> {
        let cx = self.shared.cx;
        let mut pass = Pass::default();
        for (number, output) in outputs.iter_mut().enumerate() {
            let place = output.sink.place.clone();
            let at_sink = |error| Fault::new(&self.node.name, &place, error);
            let mut frame = match (output.sink.quarantine, steps) {
                (false, _) => kept.clone(),
                (true, Some(steps)) => apply_all(cx, backend, flagged.clone(), &steps.quarantine)
                    .await
                    .map_err(at_sink)?,
                // Without expectations nothing is quarantined: an empty output with the stage's columns (R-NEXEC-3).
                (true, None) => apply_all(cx, backend, flagged.clone(), [&Op::Head { n: 0 }])
                    .await
                    .map_err(at_sink)?,
            };
            if let Some(schema) = &output.sink.schema {
                frame = apply_all(cx, backend, frame, [&conform(schema)])
                    .await
                    .map_err(at_sink)?;
            }
            let changes = output.changes(cx, backend, &frame).await;
            if let Some(changes) = changes.map_err(at_sink)? {
                pass.add(Purpose::Merge(number), changes, Target::Materialize);
                continue;
            }
            let split = output.split(cx, backend, &frame).await;
            if let Some(parts) = split.map_err(at_sink)? {
                for (frame, job) in parts {
                    pass.add(Purpose::Output(number), frame, job);
                }
                continue;
            }
            if output.is_added() {
                fits(cx, backend, &output.sink, &frame)
                    .await
                    .map_err(at_sink)?;
            }
            if output.is_with_existing() {
                let existing = read_stored(cx, backend, &output.sink.read, true)
                    .await
                    .map_err(at_sink)?;
                let count = apply_all(cx, backend, existing.clone(), [&count_rows()]).await;
                pass.add(
                    Purpose::Existing(number),
                    count.map_err(at_sink)?,
                    Target::Collect,
                );
                frame = append(cx, backend, &output.sink, existing, frame)
                    .await
                    .map_err(at_sink)?;
            }
            pass.add(
                Purpose::Output(number),
                frame,
                output.job().map_err(at_sink)?,
            );
        }
        let at_node = |error| Fault::new(&self.node.name, &self.node.place, error);
        if let Some(steps) = steps.filter(|_| measure) {
            let metrics = apply_all(cx, backend, flagged.clone(), [&steps.metrics]).await;
            pass.add(Purpose::Metrics, metrics.map_err(at_node)?, Target::Collect);
        }
        if let Some(steps) = steps.filter(|_| self.shared.quarantine.contains(&self.node.name)) {
            let rows = apply_all(cx, backend, flagged.clone(), &steps.quarantine).await;
            pass.add(
                Purpose::Quarantine,
                rows.map_err(at_node)?,
                Target::Materialize,
            );
        }
        if self.node.handover == Handover::Materialize {
            let mut kept = kept.clone();
            if let Some(part) = self.shared.pruned.get(&self.index) {
                kept = cut(cx, backend, kept, &part.kept).await.map_err(at_node)?;
            }
            pass.add(Purpose::Keep, kept, Target::Materialize);
        } else if pass.jobs.is_empty() && (self.node.sinks.is_empty() || !self.shared.write) {
            // Nobody keeps the rows, but they are computed, so that faults in the data show.
            let count = apply_all(cx, backend, kept.clone(), [&count_rows()]).await;
            pass.add(Purpose::Count, count.map_err(at_node)?, Target::Collect);
        }
        Ok(pass)
    }

    /// Judges the expectations and the conservation of rows, before anything is published.
    fn judge(
        &self,
        results: &Results,
        outputs: &[Output],
        report: &mut NodeReport,
    ) -> Result<(), Vec<Fault>> {
        let at_node = |error| Fault::new(&self.node.name, &self.node.place, error);
        let Some(batches) = &results.metrics else {
            report.rows_in = results.rows_kept(outputs);
            report.rows_out = report.rows_in;
            return Ok(());
        };
        let metrics = expectations::measure(&self.node.expectations, batches).map_err(at_node)?;
        conserved(&metrics, results, outputs).map_err(at_node)?;
        report.rows_in = Some(metrics.rows);
        report.rows_dropped = metrics.dropped;
        report.rows_quarantined = metrics.quarantined;
        report.rows_out = Some(metrics.rows - metrics.dropped - metrics.quarantined);
        report.expectations = expectations::judge(&self.node.expectations, &metrics);
        let mut failed = Vec::new();
        for (check, plan) in report.expectations.iter().zip(&self.node.expectations) {
            self.shared.observer.on(&Event::Checked {
                node: self.node.name.clone(),
                expectation: check.clone(),
            });
            if check.status == CheckStatus::Pass {
                continue;
            }
            if check.action == "FAIL" {
                failed.push((check, plan));
            } else {
                let message = format!(
                    "expectation `{}` for node `{}` failed | expr: {} | {}",
                    check.name,
                    self.node.name,
                    check.expr,
                    check.summary()
                );
                self.warn(message, &mut report.warnings);
            }
        }
        let faults: Vec<Fault> = failed
            .into_iter()
            .map(|(check, plan)| {
                let message = format!(
                    "expectation `{}` failed on node `{}` | expr: {} | {}",
                    check.name,
                    self.node.name,
                    check.expr,
                    check.summary()
                );
                let error = Error::new(ErrorKind::ExpectationFailed, message).with_hint(
                    "nothing of this node was published; its outputs are as they were before",
                );
                Fault::new(&self.node.name, &plan.place, error)
            })
            .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    /// Makes the output available to the nodes that read it.
    async fn finish(
        &self,
        backend: &Arc<dyn Backend>,
        kept: Frame,
        mut results: Results,
        report: &mut NodeReport,
    ) -> Result<()> {
        if let Some(frame) = results.quarantined.take() {
            let frames = self.shared.quarantined.lock();
            let mut frames = frames.unwrap_or_else(std::sync::PoisonError::into_inner);
            frames.insert(self.index, frame);
        }
        match self.node.handover {
            Handover::None => {}
            Handover::Inline => self.hand_over(kept),
            Handover::Materialize => {
                let (frame, rows) = results
                    .kept
                    .ok_or_else(|| Error::internal("the engine kept no frame"))?;
                report.rows_in = report.rows_in.or(Some(rows));
                report.rows_out = report.rows_out.or(Some(rows));
                self.hand_over(frame);
            }
            Handover::Sink(number) => {
                let read = &self.node.sinks[number].read;
                let read = self.as_written(backend, read, &kept).await?;
                self.hand_over(read_stored(self.shared.cx, backend, &read, true).await?);
            }
        }
        Ok(())
    }

    /// How to read what was just written from `kept`. An engine that would have to ask its server for the columns is told.
    async fn as_written(
        &self,
        backend: &Arc<dyn Backend>,
        read: &Stored,
        kept: &Frame,
    ) -> Result<Stored> {
        let mut read = read.clone();
        if let Stored::Files(spec) = &mut read
            && !self.shared.sessions.is_local(&self.node.backend)
            && (backend.descriptor().capabilities)()
                .read(&spec.format)
                .schema
        {
            let schema = backend.schema(self.shared.cx, kept).await?;
            let columns = schema.fields().iter();
            let columns =
                columns.map(|field| Field::new(field.name(), DType::from_arrow(field.data_type())));
            spec.schema = Some(columns.collect());
        }
        Ok(read)
    }

    fn hand_over(&self, frame: Frame) {
        self.shared
            .frames
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(self.index, frame);
    }
}
