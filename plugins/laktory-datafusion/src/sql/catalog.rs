//! What a statement can name: the frames of its step, and functions.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::TableReference;
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result as EngineResult;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, TypePlanner};
use datafusion::logical_expr::{
    AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF,
};
use laktory_core::{Error, ErrorKind};

use super::functions;
use super::planner::{Expressions, Types};
use crate::error::carry;

/// The private name of the frame at a position.
pub(super) fn relation(at: usize) -> String {
    format!("__laktory_frame_{at}__")
}

/// The frames of a statement, and the functions of the engine with ours.
pub(super) struct Catalog<'a> {
    state: &'a SessionState,
    frames: Vec<Arc<Relation>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
    functions: Vec<Arc<ScalarUDF>>,
}

impl<'a> Catalog<'a> {
    /// The catalog of a statement over these frames.
    pub(super) fn new(state: &'a SessionState, frames: Vec<LogicalPlan>) -> Self {
        let mut planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(Expressions)];
        planners.extend(state.expr_planners().iter().cloned());
        let frames = frames
            .into_iter()
            .map(|plan| {
                Arc::new(Relation {
                    schema: Arc::clone(plan.schema().inner()),
                    plan,
                })
            })
            .collect();
        Self {
            state,
            frames,
            planners,
            functions: functions::all(),
        }
    }
}

/// A frame as a table, in whose place its plan is put.
struct Relation {
    schema: SchemaRef,
    plan: LogicalPlan,
}

impl TableSource for Relation {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        Some(Cow::Borrowed(&self.plan))
    }
}

impl ContextProvider for Catalog<'_> {
    fn get_table_source(&self, name: TableReference) -> EngineResult<Arc<dyn TableSource>> {
        let frame = match &name {
            TableReference::Bare { table } => {
                (0..self.frames.len()).find(|at| **table == *relation(*at))
            }
            _ => None,
        };
        match frame.and_then(|at| self.frames.get(at)) {
            Some(frame) => Ok(Arc::clone(frame) as Arc<dyn TableSource>),
            None => Err(carry(
                Error::new(
                    ErrorKind::UnknownFrame,
                    format!("there is no relation `{}`", name.table()),
                )
                .with_hint("frames are written in braces, such as `{df}` or `{nodes.name}`"),
            )),
        }
    }

    fn create_cte_work_table(
        &self,
        name: &str,
        schema: SchemaRef,
    ) -> EngineResult<Arc<dyn TableSource>> {
        let table = datafusion::datasource::cte_worktable::CteWorkTable::new(name, schema);
        Ok(datafusion::datasource::provider_as_source(Arc::new(table)))
    }

    fn get_table_function_source(
        &self,
        name: &str,
        _: Vec<datafusion::logical_expr::Expr>,
    ) -> EngineResult<Arc<dyn TableSource>> {
        Err(carry(
            Error::unsupported(format!("there is no table function `{name}`"))
                .with_hint("rows come from frames, such as `{df}` or `{nodes.name}`"),
        ))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(Types))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let ours = self
            .functions
            .iter()
            .find(|function| function.name() == name)
            .cloned();
        ours.or_else(|| self.state.scalar_functions().get(name).cloned())
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state
            .higher_order_functions()
            .keys()
            .cloned()
            .collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}
