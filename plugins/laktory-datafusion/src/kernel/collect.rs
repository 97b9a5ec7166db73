//! Aggregates of ours: the values of each group are collected, and a closure turns all groups into one array of results.
//!
//! Meant for what needs all values at once (quantiles, distinct values, ranks). What can be computed as rows come by is
//! left to the engine's own aggregates, which need less memory.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, LargeListArray, UInt64Array, new_empty_array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{concat, filter, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use laktory_core::Result;

use crate::error::carry;
use crate::types::list_of;

/// The values of several groups, group after group.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    columns: Vec<ArrayRef>,
    bounds: Vec<usize>,
}

impl Groups {
    /// Columns of the same length, cut at `bounds`, which begin with 0 and end with that length.
    pub(crate) fn new(columns: Vec<ArrayRef>, bounds: Vec<usize>) -> Self {
        Self { columns, bounds }
    }

    /// All rows as one group.
    pub(crate) fn one(columns: Vec<ArrayRef>) -> Self {
        let rows = columns.first().map_or(0, |column| column.len());
        Self::new(columns, vec![0, rows])
    }

    /// A column of all groups.
    pub(crate) fn column(&self, index: usize) -> &ArrayRef {
        &self.columns[index]
    }

    /// All columns.
    pub(crate) fn columns(&self) -> &[ArrayRef] {
        &self.columns
    }

    /// Number of groups.
    pub(crate) fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The rows of each group.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.bounds.windows(2).map(|pair| pair[0]..pair[1])
    }
}

type Run = Arc<dyn Fn(&Groups) -> Result<ArrayRef> + Send + Sync>;

/// An aggregate of the engine made of a closure. Two are equal when name, which holds every parameter, and type are.
struct Collect {
    name: String,
    output: DataType,
    signature: Signature,
    run: Run,
}

/// An aggregate of type `output`. `run` gets the values of all groups and gives one value for each. `name` must tell the
/// function with all of its parameters.
pub(crate) fn collecting(
    name: impl Into<String>,
    output: DataType,
    run: impl Fn(&Groups) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Collect {
        name: name.into(),
        output,
        signature: Signature::variadic_any(Volatility::Immutable),
        run: Arc::new(run),
    }))
}

impl PartialEq for Collect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.output == other.output
    }
}

impl Eq for Collect {}

impl Hash for Collect {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.output.hash(state);
    }
}

impl fmt::Debug for Collect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collect")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl AggregateUDFImpl for Collect {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(self.output.clone())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> DataFusionResult<Box<dyn Accumulator>> {
        Ok(Box::new(CollectOne {
            name: self.name.clone(),
            output: self.output.clone(),
            values: Collected::new(args.expr_fields),
            run: Arc::clone(&self.run),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DataFusionResult<Vec<FieldRef>> {
        Ok(state_fields(args.name, args.input_fields))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> DataFusionResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(CollectGroups {
            name: self.name.clone(),
            output: self.output.clone(),
            values: Collected::new(args.expr_fields),
            groups: Vec::new(),
            total: 0,
            run: Arc::clone(&self.run),
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The state of a collecting aggregate: a list for each argument.
pub(crate) fn state_fields(name: &str, inputs: &[FieldRef]) -> Vec<FieldRef> {
    inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let dtype = list_of(input.data_type().clone());
            Arc::new(Field::new(format!("{name}[values {index}]"), dtype, true))
        })
        .collect()
}

/// Arguments of an aggregate, as they came by.
#[derive(Debug)]
pub(crate) struct Collected {
    types: Vec<DataType>,
    batches: Vec<Vec<ArrayRef>>,
}

impl Collected {
    pub(crate) fn new(inputs: &[FieldRef]) -> Self {
        Self {
            types: inputs
                .iter()
                .map(|input| input.data_type().clone())
                .collect(),
            batches: vec![Vec::new(); inputs.len()],
        }
    }

    pub(crate) fn push(&mut self, values: &[ArrayRef]) {
        if values.first().is_none_or(|first| first.is_empty()) {
            return;
        }
        for (batches, value) in self.batches.iter_mut().zip(values) {
            batches.push(Arc::clone(value));
        }
    }

    /// Adds the values of states, and gives the number of values of each.
    pub(crate) fn push_states(&mut self, states: &[ArrayRef]) -> DataFusionResult<Vec<usize>> {
        let mut lengths = Vec::new();
        let mut values = Vec::with_capacity(states.len());
        for state in states {
            let lists = state.as_list::<i64>();
            lengths = lists
                .offsets()
                .lengths()
                .enumerate()
                .map(|(row, length)| if lists.is_null(row) { 0 } else { length })
                .collect();
            if lists.null_count() == 0 {
                let first = usize_of(lists.offsets()[0])?;
                let last = usize_of(lists.offsets()[lists.len()])?;
                values.push(lists.values().slice(first, last - first));
                continue;
            }
            let parts: Vec<ArrayRef> = lists.iter().flatten().collect();
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            values.push(if parts.is_empty() {
                new_empty_array(lists.values().data_type())
            } else {
                concat(&parts)?
            });
        }
        self.push(&values);
        Ok(lengths)
    }

    /// Everything, which it no longer holds afterwards.
    pub(crate) fn take(&mut self) -> DataFusionResult<Vec<ArrayRef>> {
        self.types
            .iter()
            .zip(&mut self.batches)
            .map(|(dtype, batches)| {
                let batches = std::mem::take(batches);
                let parts: Vec<&dyn Array> = batches.iter().map(AsRef::as_ref).collect();
                match parts.len() {
                    0 => Ok(new_empty_array(dtype)),
                    1 => Ok(Arc::clone(&batches[0])),
                    _ => Ok(concat(&parts)?),
                }
            })
            .collect()
    }

    /// Everything as the state of one group, no longer held afterwards.
    pub(crate) fn take_state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        let groups = Groups::one(self.take()?);
        Ok(lists(&groups)?
            .into_iter()
            .map(|list| ScalarValue::LargeList(Arc::new(list)))
            .collect())
    }

    pub(crate) fn size(&self) -> usize {
        self.batches
            .iter()
            .flatten()
            .map(|array| {
                // Slices share their buffers with others: what counts is what lies in the slice.
                array
                    .to_data()
                    .get_slice_memory_size()
                    .unwrap_or_else(|_| array.get_array_memory_size())
            })
            .sum()
    }
}

fn usize_of(offset: i64) -> DataFusionResult<usize> {
    usize::try_from(offset).map_err(|_| DataFusionError::Internal("a negative offset".into()))
}

/// Columns of groups as lists, one for each group.
fn lists(groups: &Groups) -> DataFusionResult<Vec<LargeListArray>> {
    let offsets = OffsetBuffer::from_lengths(groups.ranges().map(|range| range.len()));
    groups
        .columns()
        .iter()
        .map(|column| {
            let field = Arc::new(Field::new("item", column.data_type().clone(), true));
            Ok(LargeListArray::try_new(
                field,
                offsets.clone(),
                Arc::clone(column),
                None,
            )?)
        })
        .collect()
}

/// Checks what a closure gave.
fn checked(
    name: &str,
    output: &DataType,
    rows: usize,
    out: ArrayRef,
) -> DataFusionResult<ArrayRef> {
    if out.data_type() == output && out.len() == rows {
        return Ok(out);
    }
    Err(DataFusionError::Internal(format!(
        "aggregate {name} promised {rows} values of {output} and gave {} of {}",
        out.len(),
        out.data_type()
    )))
}

/// One group.
struct CollectOne {
    name: String,
    output: DataType,
    values: Collected,
    run: Run,
}

impl fmt::Debug for CollectOne {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectOne")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Accumulator for CollectOne {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        self.values.push(values);
        Ok(())
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        let columns = self.values.take()?;
        // The engine may ask again.
        self.values.push(&columns);
        let out = (self.run)(&Groups::one(columns)).map_err(carry)?;
        let out = checked(&self.name, &self.output, 1, out)?;
        ScalarValue::try_from_array(&out, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.size()
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        self.values.take_state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        self.values.push_states(states)?;
        Ok(())
    }
}

/// Many groups.
struct CollectGroups {
    name: String,
    output: DataType,
    values: Collected,
    /// The group of each value.
    groups: Vec<usize>,
    total: usize,
    run: Run,
}

impl CollectGroups {
    /// The values of the groups to give out, and no longer held afterwards.
    fn take(&mut self, emit: EmitTo) -> DataFusionResult<Groups> {
        let columns = self.values.take()?;
        let groups = std::mem::take(&mut self.groups);
        let mut bounds = vec![0_usize; self.total + 1];
        for group in &groups {
            bounds[group + 1] += 1;
        }
        for at in 1..bounds.len() {
            bounds[at] += bounds[at - 1];
        }
        let mut next = bounds.clone();
        let mut order = vec![0_u64; groups.len()];
        for (row, group) in groups.iter().enumerate() {
            order[next[*group]] = row as u64;
            next[*group] += 1;
        }
        let order = UInt64Array::from(order);
        let columns = columns
            .iter()
            .map(|column| Ok(take(column, &order, None)?))
            .collect::<DataFusionResult<Vec<_>>>()?;
        let EmitTo::First(emitted) = emit else {
            self.total = 0;
            return Ok(Groups::new(columns, bounds));
        };
        let cut = bounds[emitted];
        let rest: Vec<ArrayRef> = columns
            .iter()
            .map(|column| column.slice(cut, column.len() - cut))
            .collect();
        self.values.push(&rest);
        for group in emitted..self.total {
            let length = bounds[group + 1] - bounds[group];
            self.groups
                .extend(std::iter::repeat_n(group - emitted, length));
        }
        self.total -= emitted;
        bounds.truncate(emitted + 1);
        let columns = columns.iter().map(|column| column.slice(0, cut)).collect();
        Ok(Groups::new(columns, bounds))
    }
}

impl GroupsAccumulator for CollectGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DataFusionResult<()> {
        self.total = self.total.max(total_num_groups);
        let Some(kept) = opt_filter else {
            self.values.push(values);
            self.groups.extend_from_slice(group_indices);
            return Ok(());
        };
        let values = values
            .iter()
            .map(|value| Ok(filter(value, kept)?))
            .collect::<DataFusionResult<Vec<_>>>()?;
        self.values.push(&values);
        let kept = group_indices.iter().zip(kept.iter());
        self.groups
            .extend(kept.filter_map(|(group, kept)| (kept == Some(true)).then_some(*group)));
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DataFusionResult<ArrayRef> {
        let groups = self.take(emit_to)?;
        let out = (self.run)(&groups).map_err(carry)?;
        checked(&self.name, &self.output, groups.len(), out)
    }

    fn state(&mut self, emit_to: EmitTo) -> DataFusionResult<Vec<ArrayRef>> {
        let groups = self.take(emit_to)?;
        Ok(lists(&groups)?
            .into_iter()
            .map(|list| Arc::new(list) as ArrayRef)
            .collect())
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> DataFusionResult<()> {
        self.total = self.total.max(total_num_groups);
        let lengths = self.values.push_states(values)?;
        for (group, length) in group_indices.iter().zip(lengths) {
            self.groups.extend(std::iter::repeat_n(*group, length));
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> DataFusionResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |value| value.len());
        let mut bounds = Vec::with_capacity(rows + 1);
        bounds.push(0);
        let mut columns = values.to_vec();
        match opt_filter {
            None => bounds.extend(1..=rows),
            Some(kept) => {
                let mut end = 0;
                for kept in kept.iter() {
                    end += usize::from(kept == Some(true));
                    bounds.push(end);
                }
                for column in &mut columns {
                    *column = filter(column, kept)?;
                }
            }
        }
        Ok(lists(&Groups::new(columns, bounds))?
            .into_iter()
            .map(|list| Arc::new(list) as ArrayRef)
            .collect())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.size() + self.groups.capacity() * size_of::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::Int64Array;
    use datafusion::arrow::datatypes::Int64Type;

    use super::*;

    /// Collects and gives the sum of each group.
    fn sums() -> CollectGroups {
        let input: FieldRef = Arc::new(Field::new("x", DataType::Int64, true));
        CollectGroups {
            name: "sums".into(),
            output: DataType::Int64,
            values: Collected::new(&[input]),
            groups: Vec::new(),
            total: 0,
            run: Arc::new(|groups| {
                let column = groups.column(0).as_primitive::<Int64Type>();
                let sums: Int64Array = groups
                    .ranges()
                    .map(|range| {
                        Some(
                            column
                                .slice(range.start, range.len())
                                .iter()
                                .flatten()
                                .sum(),
                        )
                    })
                    .collect();
                Ok(Arc::new(sums))
            }),
        }
    }

    fn values(values: &[i64]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    fn given(accumulator: &mut CollectGroups, emit: EmitTo) -> Vec<i64> {
        let out = accumulator.evaluate(emit).unwrap();
        out.as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn groups_are_given_out_in_parts() {
        let mut all = sums();
        all.update_batch(&[values(&[1, 2, 4])], &[1, 0, 1], None, 2)
            .unwrap();
        let kept = BooleanArray::from(vec![Some(true), None, Some(false)]);
        all.update_batch(&[values(&[8, 16, 32])], &[2, 2, 0], Some(&kept), 4)
            .unwrap();
        assert_eq!(given(&mut all, EmitTo::First(2)), [2, 5]);
        all.update_batch(&[values(&[64])], &[1], None, 3).unwrap();
        assert_eq!(given(&mut all, EmitTo::All), [8, 64, 0]);
    }

    #[test]
    fn states_come_together_in_another_accumulator() {
        let mut first = sums();
        first
            .update_batch(&[values(&[1, 2, 4])], &[1, 0, 1], None, 2)
            .unwrap();
        let mut all = sums();
        let state = first.state(EmitTo::All).unwrap();
        all.merge_batch(&state, &[0, 1], 2).unwrap();
        let kept = BooleanArray::from(vec![true, false]);
        let state = first
            .convert_to_state(&[values(&[8, 16])], Some(&kept))
            .unwrap();
        all.merge_batch(&state, &[0, 1], 2).unwrap();
        assert_eq!(given(&mut all, EmitTo::All), [10, 5]);
    }
}
