//! Rows chosen by their values or their positions, and put into an order.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use laktory_core::{Keep, Result, SortKey, expand};

use super::Applied;
use crate::batch::{self, Key};
use crate::expr::{Lower, Value};
use crate::types::fields;

/// A step that keeps the columns, and takes rows by their positions.
fn taken(
    schema: &Schema,
    positions: impl Fn(&RecordBatch) -> Result<Vec<usize>> + Send + Sync + 'static,
) -> Applied {
    Applied {
        schema: Arc::new(schema.clone()),
        run: Box::new(move |inputs| batch::rows_at(&inputs[0], &positions(&inputs[0])?)),
    }
}

fn count(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Rows in the order of keys.
pub(super) fn sort(lower: &Lower<'_>, by: &[SortKey]) -> Result<Applied> {
    let keys = keys(lower, by)?;
    Ok(taken(lower.schema, move |rows| batch::order(rows, &keys)))
}

/// Sort keys with their selectors resolved.
fn keys(lower: &Lower<'_>, by: &[SortKey]) -> Result<Vec<Key>> {
    let known = fields(lower.schema);
    let mut keys = Vec::new();
    for key in by {
        for output in expand(std::slice::from_ref(&key.expr), &known)? {
            keys.push(Key::new(lower.lower(&output.expr)?, key)?);
        }
    }
    Ok(keys)
}

/// The columns of a subset, or all of them.
fn subset_of(lower: &Lower<'_>, subset: Option<&[String]>) -> Result<Vec<Value>> {
    match subset {
        Some(names) => names.iter().map(|name| lower.named(name)).collect(),
        None => {
            let fields = lower.schema.fields().iter();
            fields.map(|field| lower.named(field.name())).collect()
        }
    }
}

/// One row for each distinct value of a subset.
pub(super) fn unique(
    lower: &Lower<'_>,
    subset: Option<&[String]>,
    keep: Keep,
    order_by: &[SortKey],
) -> Result<Applied> {
    let subset = subset_of(lower, subset)?
        .into_iter()
        .map(batch::keyed)
        .collect::<Result<Vec<_>>>()?;
    let order = keys(lower, order_by)?;
    Ok(taken(lower.schema, move |rows| {
        let mut rank = vec![0; rows.num_rows()];
        for (place, position) in batch::order(rows, &order)?.into_iter().enumerate() {
            rank[position] = place;
        }
        let groups = if rows.num_rows() == 0 {
            Vec::new()
        } else {
            batch::groups(rows, &subset)?
        };
        let mut kept: Vec<usize> = groups
            .into_iter()
            .filter_map(|group| match keep {
                Keep::None => (group.len() == 1).then(|| group[0]),
                Keep::Last => group.into_iter().max_by_key(|position| rank[*position]),
                Keep::Any | Keep::First => group.into_iter().min_by_key(|position| rank[*position]),
            })
            .collect();
        kept.sort_unstable();
        Ok(kept)
    }))
}

/// The first rows.
pub(super) fn head(schema: &Schema, n: u64) -> Applied {
    Applied {
        schema: Arc::new(schema.clone()),
        run: Box::new(move |inputs| Ok(inputs[0].slice(0, count(n).min(inputs[0].num_rows())))),
    }
}
