//! The targets of one node: locked, prepared, published, removed; and its views.

use std::sync::Arc;
use std::time::Duration;

use laktory_core::{Backend, Error, Relation, Result, ViewSpec, redacted};
use laktory_model::Path;
use laktory_plan::{SinkMode, SinkPlan, SinkTarget, StepKind};

use super::NodeRun;
use crate::build::catalog;
use crate::event::Event;
use crate::fault::Fault;
use crate::lock::{self, Lock, lock_all};
use crate::outputs::{self, Counted, Output, Prepared};
use crate::pass::Results;
use crate::removal::Removal;
use crate::report::{NodeReport, OutputReport};
use crate::run::Refresh;
use crate::staging;
use crate::tables::{self, Table};
use crate::target::Target as Spot;

impl NodeRun<'_> {
    /// Removes the outputs: all of the node, or none when one of them is not ours to remove.
    pub(super) async fn reset(&self, report: &mut NodeReport) -> Result<(), Fault> {
        let mut removals = Vec::new();
        for sink in self.node.sinks.iter().filter(|_| self.shared.write) {
            let at_sink = |error| Fault::new(&self.node.name, &sink.place, error);
            let removal = match self.place(sink) {
                Some(path) => {
                    let target = self.find(path).map_err(at_sink)?;
                    let table = self.table(sink, &target, true).map_err(at_sink)?;
                    Some(Removal::of(&target, table.as_ref()).map_err(at_sink)?)
                }
                None => None,
            };
            removals.push((sink, removal));
        }
        for (number, (sink, removal)) in removals.into_iter().enumerate() {
            let at_sink = |error| Fault::new(&self.node.name, &sink.place, error);
            let removed = match &removal {
                Some(removal) => {
                    let id = format!("{}-{}-{number}", self.shared.run_id, self.index);
                    removal.carry_out(&id).map_err(at_sink)?
                }
                None => self.dropped(&sink.target).await.map_err(at_sink)?,
            };
            if removed {
                self.shared.observer.on(&Event::Removed {
                    node: self.node.name.clone(),
                    path: sink.target.to_string(),
                });
            }
            let rest = match (&removal, &sink.target) {
                (Some(removal), _) => removal.rest(),
                (None, SinkTarget::File { path, .. }) => Some(format!(
                    "`{path}` was written by the engine itself and stays; remove it by hand"
                )),
                (None, _) => None,
            };
            if let Some(rest) = rest {
                self.warn(rest, &mut report.warnings);
            }
        }
        Ok(())
    }

    /// Removes what an engine keeps in its catalog.
    pub(super) async fn dropped(&self, target: &SinkTarget) -> Result<bool> {
        let (name, relation) = match target {
            // Nothing tells who wrote what lies there.
            SinkTarget::File { .. } => return Ok(false),
            SinkTarget::Table { name, .. } => (name, Relation::Table),
            SinkTarget::View { name, .. } => (name, Relation::View),
        };
        let backend = self.shared.sessions.get(&self.node.backend)?;
        catalog(backend)?
            .remove(self.shared.cx, name, relation)
            .await
    }

    /// The path of a sink that the executor writes to this machine's disk.
    pub(super) fn place<'s>(&self, sink: &'s SinkPlan) -> Option<&'s str> {
        match &sink.target {
            SinkTarget::File { path, .. } if self.shared.sessions.is_local(&self.node.backend) => {
                Some(path)
            }
            _ => None,
        }
    }

    pub(super) fn find(&self, path: &str) -> Result<Spot> {
        Spot::find(path, self.shared.own_files)
    }

    /// Keeps other runs from the targets of the node, before anything of them is read.
    pub(super) async fn lock(&self) -> Result<Vec<Lock>, Fault> {
        let mut targets = Vec::new();
        for sink in self.node.sinks.iter().filter(|_| self.shared.write) {
            if let Some(path) = self.place(sink) {
                let target = self.find(path);
                targets
                    .push(target.map_err(|error| Fault::new(&self.node.name, &sink.place, error))?);
            }
        }
        let Some(first) = self.node.sinks.first().filter(|_| !targets.is_empty()) else {
            return Ok(Vec::new());
        };
        let at_sink = |error| Fault::new(&self.node.name, &first.place, error);
        let cancel = self.shared.cx.cancel().clone();
        match lock_all(&targets, Duration::ZERO, &cancel) {
            Err(error) if error.is_retryable() && !self.shared.lock_timeout.is_zero() => {}
            taken => return taken.map_err(at_sink),
        }
        self.shared.observer.on(&Event::Warning {
            node: self.node.name.clone(),
            message: format!(
                "node `{}` waits for another run that writes the same target",
                self.node.name
            ),
        });
        let timeout = self.shared.lock_timeout;
        let cx = self.shared.cx;
        cx.blocking(move || lock_all(&targets, timeout, &cancel))
            .await
            .map_err(at_sink)
    }

    pub(super) fn prepare(
        &self,
        backend: &Arc<dyn Backend>,
        report: &mut NodeReport,
    ) -> Result<Vec<Output>, Fault> {
        let mut prepared = Vec::new();
        if !self.shared.write {
            return Ok(prepared);
        }
        let full = self.shared.refresh == Refresh::Full;
        let appends = (backend.descriptor().capabilities)().appends;
        let adds = |sink: &SinkPlan| {
            let format = sink.target.format();
            format.is_some_and(|format| appends.contains(format))
        };
        let formats: Vec<_> = self.shared.cx.tables().collect();
        for (number, sink) in self.node.sinks.iter().enumerate() {
            if matches!(sink.target, SinkTarget::View { .. }) {
                // Made of the query itself, once the other outputs are there.
                continue;
            }
            let Some(path) = self.place(sink) else {
                prepared.push(self.announced(outputs::on_engine(sink, full)));
                continue;
            };
            let id = format!("{}-{}-{number}", self.shared.run_id, self.index);
            let output = self
                .find(path)
                .and_then(|target| {
                    staging::sweep(target.parent(), &|folder, names| {
                        tables::unnamed(&formats, folder, names)
                    });
                    lock::sweep(target.parent());
                    // What a killed run took away may be there again.
                    let target = self.find(path)?;
                    let table = self.table(sink, &target, full)?;
                    outputs::prepare(sink, target, &id, full, adds(sink), table)
                })
                .map_err(|error| Fault::new(&self.node.name, &sink.place, error))?;
            match output {
                Prepared::Output(output) => prepared.push(self.announced(*output)),
                Prepared::Skipped(skipped) => {
                    self.shared.observer.on(&Event::Written {
                        node: self.node.name.clone(),
                        output: skipped.clone(),
                    });
                    report.outputs.push(skipped);
                }
            }
        }
        Ok(prepared)
    }

    /// The table that a sink writes to; none for files without a log.
    fn table(&self, sink: &SinkPlan, target: &Spot, full: bool) -> Result<Option<Table>> {
        let format = sink.target.format();
        let Some(format) = format
            .map(|format| self.shared.cx.table_format(format))
            .transpose()?
        else {
            return Ok(None);
        };
        let mode = outputs::mode(sink, full);
        let table = format
            .map(|format| Table::open(format, sink, target, mode, self.shared.run_id))
            .transpose()?;
        Ok(match full && mode == SinkMode::Merge {
            true => table.map(Table::replaced),
            false => table,
        })
    }

    pub(super) fn announced(&self, output: Output) -> Output {
        self.announce(&output.sink);
        output
    }

    pub(super) fn announce(&self, sink: &SinkPlan) {
        self.shared.observer.on(&Event::Writing {
            node: self.node.name.clone(),
            path: sink.target.to_string(),
            format: sink.target.format_name().to_owned(),
            options: redacted(&sink.options),
        });
    }

    /// Creates the views of the node, or replaces them.
    pub(super) async fn create_views(
        &self,
        backend: &Arc<dyn Backend>,
        report: &mut NodeReport,
    ) -> Result<(), Fault> {
        for sink in self.node.sinks.iter().filter(|_| self.shared.write) {
            let SinkTarget::View { name, tables } = &sink.target else {
                continue;
            };
            let at_sink = |error| Fault::new(&self.node.name, &sink.place, error);
            let Some((StepKind::Sql(query), place)) = self
                .node
                .steps
                .first()
                .map(|step| (&step.kind, &step.place))
            else {
                return Err(at_sink(Error::internal("a view without query")));
            };
            self.announce(sink);
            let view = ViewSpec::new(name.clone(), query.clone(), tables.clone());
            let catalog = catalog(backend).map_err(at_sink)?;
            let created = catalog.create_view(self.shared.cx, &view).await;
            created.map_err(|error| match error.range() {
                Some(_) => Fault::new(&self.node.name, place, error),
                None => at_sink(error),
            })?;
            let output = outputs::report(sink, sink.mode, false, 0, None);
            self.shared.observer.on(&Event::Written {
                node: self.node.name.clone(),
                output: output.clone(),
            });
            report.outputs.push(output);
        }
        Ok(())
    }

    /// Publishes every output of the node: first what is merged, which others can get ahead of, then the rest, on a blocking
    /// thread: files are synced to disk first.
    pub(super) async fn publish(
        &self,
        backend: &Arc<dyn Backend>,
        outputs: Vec<Output>,
        results: &Results,
        report: &mut NodeReport,
    ) -> Result<(), Fault> {
        let places: Vec<_> = outputs
            .iter()
            .map(|output| output.sink.place.clone())
            .collect();
        let at_sink = |(number, error): (usize, Error)| {
            let place: &Path = &places[number];
            Fault::new(&self.node.name, place, error)
        };
        let at_node = |error| Fault::new(&self.node.name, &self.node.place, error);
        let counted = outputs.into_iter().enumerate();
        let counted = counted.map(|(number, output)| (number, output, results.rows_added(number)));
        let (merges, others): (Counted, Counted) =
            counted.partition(|(_, output, _)| output.is_merged());
        let cx = self.shared.cx;
        let completed = cx.blocking(move || Ok(outputs::complete_all(others)));
        let others = completed.await.map_err(at_node)?.map_err(at_sink)?;
        let changes_of = |number: &usize| {
            let changes = results.changes.get(number);
            changes.ok_or_else(|| at_node(Error::internal("changes are lost")))
        };
        // What the rows have wrong is found before any table is written.
        for (number, output, _) in &merges {
            let ordered = output.in_order(cx, backend, changes_of(number)?).await;
            ordered.map_err(|error| at_sink((*number, error)))?;
        }
        for (number, output, rows) in merges {
            let changes = changes_of(&number)?;
            let merged = output.merge(cx, backend, (changes, rows)).await;
            let (output, warning) = merged.map_err(|error| at_sink((number, error)))?;
            self.published(output, warning, report);
        }
        let published = cx.blocking(move || Ok(outputs::publish_all(others)));
        let (published, outcome) = published.await.map_err(at_node)?;
        for (_, output, warning) in published {
            self.published(output, warning, report);
        }
        outcome.map_err(at_sink)
    }

    fn published(&self, output: OutputReport, warning: Option<String>, report: &mut NodeReport) {
        if let Some(warning) = warning {
            self.warn(warning, &mut report.warnings);
        }
        self.shared.observer.on(&Event::Written {
            node: self.node.name.clone(),
            output: output.clone(),
        });
        report.outputs.push(output);
    }
}
