//! Aggregates of the engine over distinct or most frequent values: one that collects the values, drops some, and hands
//! the rest to the aggregate.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, UInt64Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

use super::collect::{Collected, state_fields};
use super::rows;
use crate::error::carry;

/// Which values of a group are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reduce {
    /// One of each distinct value.
    Distinct,
    /// One of each most frequent value.
    Modes,
}

impl Reduce {
    /// The rows that are left of some rows, by their keys.
    pub(crate) fn rows(
        self,
        keys: &datafusion::arrow::row::Rows,
        range: std::ops::Range<usize>,
    ) -> Vec<usize> {
        let found = rows::distinct(keys, range);
        let most = match self {
            Self::Distinct => 0,
            Self::Modes => found.iter().map(|(_, count)| *count).max().unwrap_or(0),
        };
        found
            .into_iter()
            .filter(|(_, count)| *count >= most)
            .map(|(row, _)| row)
            .collect()
    }
}

/// An aggregate whose last argument is the key by which values are distinct; the others are those of `inner`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Reduced {
    name: String,
    inner: Arc<AggregateUDF>,
    reduce: Reduce,
    signature: Signature,
}

/// `inner` over the values that `reduce` leaves; the key is one more argument behind those of `inner`.
pub(crate) fn reduced(inner: Arc<AggregateUDF>, reduce: Reduce) -> Arc<AggregateUDF> {
    let what = match reduce {
        Reduce::Distinct => "distinct",
        Reduce::Modes => "modes",
    };
    Arc::new(AggregateUDF::new_from_impl(Reduced {
        name: format!("{}_of_{what}", inner.name()),
        inner,
        reduce,
        signature: Signature::variadic_any(Volatility::Immutable),
    }))
}

/// Without the last, which is the key.
fn without_key<T>(args: &[T]) -> &[T] {
    args.split_last().map_or(args, |(_, rest)| rest)
}

impl AggregateUDFImpl for Reduced {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> DataFusionResult<DataType> {
        self.inner.return_type(without_key(args))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> DataFusionResult<Box<dyn Accumulator>> {
        let values = Collected::new(args.expr_fields);
        let inner = self.inner.accumulator(AccumulatorArgs {
            exprs: without_key(args.exprs),
            expr_fields: without_key(args.expr_fields),
            ..args
        })?;
        Ok(Box::new(ReducedAccumulator {
            values,
            inner,
            reduce: self.reduce,
            result: None,
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DataFusionResult<Vec<FieldRef>> {
        Ok(state_fields(args.name, args.input_fields))
    }

    fn default_value(&self, dtype: &DataType) -> DataFusionResult<ScalarValue> {
        self.inner.default_value(dtype)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug)]
struct ReducedAccumulator {
    values: Collected,
    inner: Box<dyn Accumulator>,
    reduce: Reduce,
    result: Option<ScalarValue>,
}

impl Accumulator for ReducedAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        self.values.push(values);
        Ok(())
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        if let Some(result) = &self.result {
            return Ok(result.clone());
        }
        let columns = self.values.take()?;
        if let Some((key, args)) = columns.split_last() {
            let keys = rows::keys(std::slice::from_ref(key), false).map_err(carry)?;
            let kept: UInt64Array = self
                .reduce
                .rows(&keys, 0..key.len())
                .into_iter()
                .map(|row| row as u64)
                .collect();
            let args = args
                .iter()
                .map(|column| Ok(take(column, &kept, None)?))
                .collect::<DataFusionResult<Vec<_>>>()?;
            self.inner.update_batch(&args)?;
        }
        let result = self.inner.evaluate()?;
        self.result = Some(result.clone());
        Ok(result)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.size() + self.inner.size()
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        self.values.take_state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        self.values.push_states(states)?;
        Ok(())
    }
}
