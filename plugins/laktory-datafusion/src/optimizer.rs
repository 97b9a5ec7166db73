//! The engine's optimizer, kept from mistakes of its own. Each rule here says which one, and goes when the engine has mended it.

mod limits;
mod null_keys;
mod projections;
mod windows;

use std::sync::Arc;

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

use self::projections::ProjectionsApart;
use self::windows::OrderBelowWindows;

/// A rule of plans.
type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// A session with the engine's rules behind ours.
pub(crate) fn guarded(state: SessionStateBuilder) -> SessionStateBuilder {
    let mut logical = null_keys::kept(Optimizer::new().rules);
    logical.insert(0, Arc::new(ProjectionsApart));
    let mut physical = limits::kept(PhysicalOptimizer::new().rules);
    physical.insert(0, Arc::new(OrderBelowWindows));
    state
        .with_optimizer_rules(logical)
        .with_physical_optimizer_rules(physical)
}
