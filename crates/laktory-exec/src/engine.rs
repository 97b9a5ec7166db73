//! What a run works with: its sessions, its context, and its scratch space.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use laktory_core::{Registry, Result, RunCx};
use laktory_plan::{Handover, NodePlan, Plan};

use crate::check::{Lineages, NodeSchema};
use crate::pool::TokioPool;
use crate::prune::{self, Pruned};
use crate::run::{Refresh, RunOptions};
use crate::sessions::{Reach, Sessions, Unopened};
use crate::staging::{self, Staging};

/// Open sessions and the context of a run.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) cx: RunCx,
    pub(crate) sessions: Sessions,
    pub(crate) run_id: String,
    pub(crate) own_files: Arc<[PathBuf]>,
    pub(crate) refresh: Refresh,
    /// Removed when the run is dropped.
    _scratch: Option<Staging>,
}

impl Engine {
    /// What has to be kept of outputs.
    pub(crate) async fn pruned(
        &self,
        plan: &Plan,
        resolved: (&[NodeSchema], &Lineages),
        keep: &BTreeSet<String>,
    ) -> Result<Pruned> {
        prune::prune(&self.cx, &self.sessions, plan, resolved, keep).await
    }

    pub(crate) async fn open(
        plan: &Plan,
        registry: &Registry,
        options: &RunOptions,
    ) -> Result<Self, Unopened> {
        Self::reaching(plan, registry, options, Reach::Everywhere).await
    }

    pub(crate) async fn reaching(
        plan: &Plan,
        registry: &Registry,
        options: &RunOptions,
        reach: Reach,
    ) -> Result<Self, Unopened> {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let started = SystemTime::now();
        let run_id = format!(
            "{}-{}-{}",
            chrono::DateTime::<chrono::Utc>::from(started).format("%Y%m%dT%H%M%S%3fZ"),
            std::process::id(),
            RUNS.fetch_add(1, Ordering::Relaxed)
        );
        let folder = options.scratch.clone().unwrap_or_else(std::env::temp_dir);
        let keeps = |node: &NodePlan| {
            let asked = options.quarantined.contains(&node.name);
            node.handover == Handover::Materialize || node.random || asked
        };
        let scratch = if plan.nodes.iter().any(keeps) {
            staging::sweep(&folder, &staging::no_tables);
            Some(Staging::create(&folder, &run_id)?)
        } else {
            None
        };
        let path = scratch
            .as_ref()
            .map_or_else(|| folder.join(&run_id), |scratch| scratch.path("spill"));
        let cx = RunCx::new(
            TokioPool::current(),
            options.cancel.clone(),
            path,
            options.memory_budget,
            options.clock.unwrap_or(started),
        )
        .with_tables(registry.tables());
        let sessions = Sessions::open(&cx, registry, plan, options, reach).await?;
        Ok(Self {
            cx,
            sessions,
            run_id,
            own_files: options.own_files.clone().into(),
            refresh: options.refresh,
            _scratch: scratch,
        })
    }
}
