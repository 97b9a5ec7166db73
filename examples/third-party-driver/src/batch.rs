//! Record batches: encodings, rows taken, keys of groups and orders.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt64Array, new_empty_array,
};
use arrow::compute::{CastOptions, cast_with_options, concat, take};
use arrow::datatypes::{DataType, Float32Type, Float64Type, SchemaRef};
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use laktory_core::{Result, SortKey};

use crate::error::OrError;
use crate::expr::Value;
use crate::unsupported;

/// A batch of these columns; `rows` counts when there are none.
pub(crate) fn of(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).or_error()
}

/// The batches of a stream or a file as one, in the encodings of `schema`.
pub(crate) fn joined(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch> {
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let fields = schema.fields().iter().enumerate();
    let columns = fields.map(|(index, field)| {
        let parts = batches
            .iter()
            .map(|batch| encoded(batch.column(index), field.data_type()))
            .collect::<Result<Vec<_>>>()?;
        stacked(&parts, field.data_type())
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    of(schema, columns, rows)
}

/// Arrays of one type, one behind the other.
pub(crate) fn stacked(parts: &[ArrayRef], dtype: &DataType) -> Result<ArrayRef> {
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    match parts.as_slice() {
        [] => Ok(new_empty_array(dtype)),
        parts => concat(parts).or_error(),
    }
}

/// A column in another encoding of its type.
fn encoded(column: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if column.data_type() == to {
        return Ok(Arc::clone(column));
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(column, to, &options).or_error()
}

/// The rows at these positions.
pub(crate) fn rows_at(batch: &RecordBatch, positions: &[usize]) -> Result<RecordBatch> {
    let at = indices(positions.iter().map(|position| Some(*position)));
    let columns = batch
        .columns()
        .iter()
        .map(|column| take(column, &at, None).or_error())
        .collect::<Result<Vec<_>>>()?;
    of(&batch.schema(), columns, positions.len())
}

/// Positions as an array, for `take`; null where there is none.
pub(crate) fn indices(positions: impl Iterator<Item = Option<usize>>) -> UInt64Array {
    positions.map(|at| at.map(|at| at as u64)).collect()
}

/// Floats in the form in which all NaN and both zeros are one; other columns as they are.
pub(crate) fn canonical(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float32 => Arc::new(
            column
                .as_primitive::<Float32Type>()
                .unary::<_, Float32Type>(|value| {
                    if value.is_nan() {
                        f32::NAN
                    } else {
                        value + 0.0
                    }
                }),
        ),
        DataType::Float64 => Arc::new(
            column
                .as_primitive::<Float64Type>()
                .unary::<_, Float64Type>(|value| {
                    if value.is_nan() {
                        f64::NAN
                    } else {
                        value + 0.0
                    }
                }),
        ),
        _ => Arc::clone(column),
    }
}

/// The value, of a type that can be a key of groups, joins and orders.
///
/// # Errors
/// `Unsupported` for other types, such as maps.
pub(crate) fn keyed(value: Value) -> Result<Value> {
    if RowConverter::supports_fields(&[SortField::new(value.dtype.clone())]) {
        return Ok(value);
    }
    let dtype = crate::types::shown(&value.dtype);
    Err(unsupported(format!("a key of type {dtype}")))
}

/// Rows of columns in a form that compares and hashes; equal values are equal bytes, null among them.
pub(crate) fn keys(columns: &[ArrayRef]) -> Result<Rows> {
    converted(columns, |_| arrow::compute::SortOptions::default())
}

fn converted(
    columns: &[ArrayRef],
    options: impl Fn(usize) -> arrow::compute::SortOptions,
) -> Result<Rows> {
    let columns: Vec<ArrayRef> = columns.iter().map(canonical).collect();
    let fields: Vec<SortField> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| SortField::new_with_options(column.data_type().clone(), options(at)))
        .collect();
    let converter = RowConverter::new(fields).or_error()?;
    converter.convert_columns(&columns).or_error()
}

/// A sort key, ready to compute.
#[derive(Clone)]
pub(crate) struct Key {
    value: Value,
    options: arrow::compute::SortOptions,
}

impl Key {
    /// The key of a value.
    ///
    /// # Errors
    /// As [`keyed`].
    pub(crate) fn new(value: Value, key: &SortKey) -> Result<Self> {
        let value = keyed(value)?;
        let options = arrow::compute::SortOptions {
            descending: key.descending,
            nulls_first: !key.nulls_last,
        };
        Ok(Self { value, options })
    }

    /// What it is for some rows.
    pub(crate) fn column(&self, rows: &RecordBatch) -> Result<ArrayRef> {
        self.value.column(rows)
    }

    /// Whether the greatest value comes first.
    pub(crate) fn descending(&self) -> bool {
        self.options.descending
    }
}

/// The positions of a batch's rows in the order of keys; rows with equal keys stay in their order.
pub(crate) fn order(batch: &RecordBatch, keys: &[Key]) -> Result<Vec<usize>> {
    Ok(peers(batch, keys)?.0)
}

/// As [`order`], and the ranges of it in which keys are equal.
pub(crate) fn peers(batch: &RecordBatch, keys: &[Key]) -> Result<(Vec<usize>, Vec<Range<usize>>)> {
    let mut positions: Vec<usize> = (0..batch.num_rows()).collect();
    if positions.is_empty() {
        return Ok((positions, Vec::new()));
    }
    if keys.is_empty() {
        return Ok((positions, std::iter::once(0..batch.num_rows()).collect()));
    }
    let columns = keys
        .iter()
        .map(|key| key.value.column(batch))
        .collect::<Result<Vec<_>>>()?;
    let rows = converted(&columns, |at| keys[at].options)?;
    positions.sort_by(|a, b| rows.row(*a).cmp(&rows.row(*b)));
    let equal = positions.chunk_by(|a, b| rows.row(*a) == rows.row(*b));
    let mut start = 0;
    let peers = equal.map(|peers| {
        start += peers.len();
        start - peers.len()..start
    });
    let peers = peers.collect();
    Ok((positions, peers))
}

/// The positions of rows with equal keys, group by group, in the order in which groups appear. Without keys there is one
/// group of all rows.
pub(crate) fn groups(batch: &RecordBatch, by: &[Value]) -> Result<Vec<Vec<usize>>> {
    if by.is_empty() {
        return Ok(vec![(0..batch.num_rows()).collect()]);
    }
    let columns = by
        .iter()
        .map(|value| value.column(batch))
        .collect::<Result<Vec<_>>>()?;
    Ok(groups_of(&keys(&columns)?))
}

/// As [`groups`], of keys.
pub(crate) fn groups_of(rows: &Rows) -> Vec<Vec<usize>> {
    let mut known: HashMap<OwnedRow, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (position, row) in rows.iter().enumerate() {
        let group = *known.entry(row.owned()).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(position);
    }
    groups
}
