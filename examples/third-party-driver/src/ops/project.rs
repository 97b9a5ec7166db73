//! Columns chosen and added; rows filtered and grouped.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use laktory_core::shape::shape;
use laktory_core::{
    Error, ErrorKind, Expr, Output, Result, expand, expand_aggregates, expand_predicate,
};

use super::{Applied, twice};
use crate::batch;
use crate::error::OrError;
use crate::expr::{Lower, Value, truth};
use crate::types::fields;

/// A column that comes out of a step.
struct Named {
    name: String,
    value: Value,
}

fn lowered(lower: &Lower<'_>, outputs: &[Output]) -> Result<Vec<Named>> {
    outputs
        .iter()
        .map(|output| {
            Ok(Named {
                name: output.name.clone(),
                value: lower.lower(&output.expr)?,
            })
        })
        .collect()
}

fn schema_of(columns: &[Named]) -> SchemaRef {
    let fields = columns.iter();
    let fields: Vec<Field> = fields
        .map(|column| Field::new(&column.name, column.value.dtype.clone(), true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// These columns; one value for each row of the input.
fn projected(columns: Vec<Named>) -> Applied {
    let schema = schema_of(&columns);
    let output = Arc::clone(&schema);
    let run = move |inputs: &[RecordBatch]| {
        let arrays = columns
            .iter()
            .map(|column| column.value.column(&inputs[0]))
            .collect::<Result<Vec<_>>>()?;
        batch::of(&output, arrays, inputs[0].num_rows())
    };
    Applied {
        schema,
        run: Box::new(run),
    }
}

/// These columns only. Aggregates and constants alone give one row.
pub(super) fn select(lower: &Lower<'_>, exprs: &[Expr]) -> Result<Applied> {
    let outputs = expand(exprs, &fields(lower.schema))?;
    let columns = lowered(lower, &outputs)?;
    if !outputs.iter().all(|output| shape(&output.expr).is_scalar()) {
        return Ok(projected(columns));
    }
    // Without columns there are no rows either.
    let rows = usize::from(!columns.is_empty());
    let schema = schema_of(&columns);
    let output = Arc::clone(&schema);
    let run = move |inputs: &[RecordBatch]| {
        let values = columns.iter().map(|column| column.value.values(&inputs[0]));
        batch::of(&output, values.collect::<Result<_>>()?, rows)
    };
    Ok(Applied {
        schema,
        run: Box::new(run),
    })
}

/// These columns added or replaced; all of them see the input.
pub(super) fn with_columns(lower: &Lower<'_>, exprs: &[Expr]) -> Result<Applied> {
    let outputs = expand(exprs, &fields(lower.schema))?;
    let mut new = lowered(lower, &outputs)?;
    let mut columns = Vec::new();
    for field in lower.schema.fields() {
        let name = field.name().clone();
        columns.push(match new.iter().position(|column| column.name == name) {
            Some(at) => new.remove(at),
            None => Named {
                value: lower.named(&name)?,
                name,
            },
        });
    }
    columns.append(&mut new);
    Ok(projected(columns))
}

/// Rows where the predicate is true.
pub(super) fn filter(lower: &Lower<'_>, predicate: &Expr) -> Result<Applied> {
    let predicate = expand_predicate(predicate, &fields(lower.schema))?;
    let predicate = truth(lower.lower(&predicate)?, "the predicate")?;
    let run = move |inputs: &[RecordBatch]| {
        let mask = predicate.column(&inputs[0])?;
        filter_record_batch(&inputs[0], mask.as_boolean()).or_error()
    };
    Ok(Applied {
        schema: Arc::new(lower.schema.clone()),
        run: Box::new(run),
    })
}

/// One row for each group; without keys one row in all. A group is a frame of its own.
pub(super) fn aggregate(
    lower: &Lower<'_>,
    keys: &[Expr],
    aggs: &[Expr],
    drop_null_keys: bool,
) -> Result<Applied> {
    let known = fields(lower.schema);
    let keys = expand(keys, &known)?;
    let key_names: Vec<String> = keys.iter().map(|key| key.name.clone()).collect();
    let aggs = expand_aggregates(aggs, &known, &key_names)?;
    if let Some(agg) = aggs.iter().find(|agg| key_names.contains(&agg.name)) {
        return Err(twice(&agg.name).with_hint("rename the aggregate with `.alias('...')`"));
    }
    let mut columns = lowered(lower, &keys)?;
    let by = columns
        .iter()
        .map(|key| batch::keyed(key.value.clone()))
        .collect::<Result<Vec<_>>>()?;
    columns.extend(lowered(lower, &aggs)?);
    let schema = schema_of(&columns);
    let output = Arc::clone(&schema);
    let run = move |inputs: &[RecordBatch]| {
        let rows = &inputs[0];
        let key_columns = by
            .iter()
            .map(|key| key.column(rows))
            .collect::<Result<Vec<_>>>()?;
        let mut groups = batch::groups(rows, &by)?;
        if drop_null_keys {
            let known = |group: &Vec<usize>| {
                let nulls = |key: &ArrayRef| {
                    let nulls = key.logical_nulls();
                    nulls.is_some_and(|nulls| nulls.is_null(group[0]))
                };
                !key_columns.iter().any(nulls)
            };
            groups.retain(known);
        }
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
        for group in &groups {
            let rows = batch::rows_at(rows, group)?;
            for (at, column) in columns.iter().enumerate() {
                parts[at].push(if at < by.len() {
                    key_columns[at].slice(group[0], 1)
                } else {
                    one(column.value.values(&rows)?, &column.name)?
                });
            }
        }
        let arrays = parts
            .iter()
            .zip(output.fields())
            .map(|(parts, field)| batch::stacked(parts, field.data_type()))
            .collect::<Result<Vec<_>>>()?;
        batch::of(&output, arrays, groups.len())
    };
    Ok(Applied {
        schema,
        run: Box::new(run),
    })
}

fn one(values: ArrayRef, name: &str) -> Result<ArrayRef> {
    if values.len() == 1 {
        return Ok(values);
    }
    Err(Error::new(
        ErrorKind::InvalidExpression,
        format!("`{name}` gives {} values for a group", values.len()),
    )
    .with_hint("aggregate them"))
}
