//! Over which rows an aggregate aggregates: those of its group, of a partition or all, without those that a
//! length-changing function below it leaves out.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, new_null_array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{AggregateFunction, Sort, WindowFunction};
use datafusion::logical_expr::{
    AggregateUDF, Expr as PlanExpr, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition,
};
use laktory_core::{Error, Result};

use crate::expr::{Lower, Restriction, Scope, Value};
use crate::funcs::Call;
use crate::kernel::collect::{Groups, collecting};
use crate::kernel::reduced::{Reduce, reduced};

/// The rows of one aggregate.
pub(in crate::funcs) struct Over<'s> {
    scope: &'s Scope,
    restriction: Restriction,
}

/// The receiver of an aggregate, and the rows of it to aggregate.
pub(in crate::funcs) fn this<'s>(call: &'s Call<'_, '_>) -> Result<(Value, Over<'s>)> {
    of(call, || call.receiver())
}

/// What `lower` gives as the argument of an aggregate, and the rows of it to aggregate.
pub(in crate::funcs) fn of<'s, T>(
    call: &'s Call<'_, '_>,
    lower: impl FnOnce() -> Result<T>,
) -> Result<(T, Over<'s>)> {
    within(call.lower, lower)
}

/// As [`of`], for what is no call of the function table.
pub(in crate::funcs) fn within<'s, T>(
    columns: &'s Lower<'_>,
    lower: impl FnOnce() -> Result<T>,
) -> Result<(T, Over<'s>)> {
    let (value, restriction) = columns.restricted(lower)?;
    let scope = &columns.scope;
    Ok((value, Over { scope, restriction }))
}

impl<'s> Over<'s> {
    /// The rows of a group that satisfy a condition.
    pub(in crate::funcs) fn group_where(condition: PlanExpr) -> Self {
        let over = Self {
            scope: &Scope::Group,
            restriction: Restriction::default(),
        };
        over.where_true(condition)
    }

    /// All rows of the scope.
    pub(in crate::funcs) fn everything(call: &'s Call<'_, '_>) -> Self {
        Self {
            scope: &call.lower.scope,
            restriction: Restriction::default(),
        }
    }

    /// Which of the values count, by their key.
    pub(in crate::funcs) fn reduce(&self) -> Option<&(Reduce, PlanExpr)> {
        self.restriction.reduce.as_ref()
    }

    /// Whether the rows are those of a group.
    pub(in crate::funcs) fn is_group(&self) -> bool {
        matches!(self.scope, Scope::Group)
    }

    /// The same rows, all values.
    pub(in crate::funcs) fn unreduced(mut self) -> Self {
        self.restriction.reduce = None;
        self
    }

    /// Those of the rows that satisfy a condition too.
    pub(in crate::funcs) fn where_true(mut self, condition: PlanExpr) -> Self {
        self.restriction.filter = Some(match self.restriction.filter.take() {
            Some(known) => known.and(condition),
            None => condition,
        });
        self
    }

    /// An aggregate of the engine over these rows. Arguments have the types that the aggregate takes, and `dtype` is
    /// what it gives.
    pub(in crate::funcs) fn call(
        &self,
        function: Arc<AggregateUDF>,
        args: Vec<Value>,
        dtype: DataType,
    ) -> Value {
        let mut args: Vec<PlanExpr> = args.into_iter().map(|arg| arg.expr).collect();
        let function = match &self.restriction.reduce {
            Some((reduce, key)) => {
                args.push(key.clone());
                reduced(function, *reduce)
            }
            None => function,
        };
        let expr = self.place(function, args, Vec::new());
        Value { expr, dtype }
    }

    /// An aggregate that looks at its rows in an order of its own.
    pub(in crate::funcs) fn ordered(
        &self,
        function: Arc<AggregateUDF>,
        arg: Value,
        order_by: Vec<Sort>,
    ) -> Result<Value> {
        if self.restriction.reduce.is_some() {
            return Err(Error::unsupported(
                "the first or last of distinct values is not available on backend DATAFUSION",
            ));
        }
        let expr = self.place(function, vec![arg.expr], order_by);
        Ok(Value {
            expr,
            dtype: arg.dtype,
        })
    }

    /// An aggregate of ours: `run` gets the arguments of all groups, and gives one value for each.
    pub(in crate::funcs) fn collect(
        &self,
        name: impl Into<String>,
        args: Vec<Value>,
        dtype: DataType,
        run: impl Fn(&Groups) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Value {
        self.call(collecting(name, dtype.clone(), run), args, dtype)
    }

    /// Null of no type, which is what most aggregates make of nulls of no type.
    pub(in crate::funcs) fn nothing(&self, value: Value) -> Value {
        self.collect("nothing", vec![value], DataType::Null, |groups| {
            Ok(new_null_array(&DataType::Null, groups.len()))
        })
    }

    fn place(
        &self,
        function: Arc<AggregateUDF>,
        args: Vec<PlanExpr>,
        order_by: Vec<Sort>,
    ) -> PlanExpr {
        let filter = self.restriction.filter.clone().map(Box::new);
        let (partition_by, window_order) = match self.scope {
            Scope::Group => {
                return PlanExpr::AggregateFunction(AggregateFunction::new_udf(
                    function, args, false, filter, order_by, None,
                ));
            }
            Scope::Rows => (Vec::new(), Vec::new()),
            Scope::Window {
                partition_by,
                order_by,
            } => (partition_by.clone(), order_by.clone()),
        };
        let mut window =
            WindowFunction::new(WindowFunctionDefinition::AggregateUDF(function), args);
        window.params.partition_by = partition_by;
        window.params.order_by = if order_by.is_empty() {
            window_order
        } else {
            order_by
        };
        window.params.window_frame = whole_partition();
        window.params.filter = filter;
        PlanExpr::WindowFunction(Box::new(window))
    }
}

/// The frame in which every row sees its whole partition, so that the engine computes each value once.
pub(in crate::funcs) fn whole_partition() -> WindowFrame {
    WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::Following(ScalarValue::UInt64(None)),
    )
}
