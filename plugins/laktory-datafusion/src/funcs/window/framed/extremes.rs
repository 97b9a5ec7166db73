//! The smallest or greatest value of frames.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use laktory_core::Result;

use super::{Place, gather};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::kernel::frames::{Summary, summaries};
use crate::kernel::rows;
use crate::types::{is_float, is_text};

/// The smallest or greatest value of each frame. NaN is greater than all.
pub(super) fn extreme(place: &Place<'_>, value: Value, greatest: bool) -> Result<Value> {
    let dtype = value.dtype.clone();
    Ok(place.framed(vec![value], dtype, move |partition| {
        let values = &partition.values[0];
        let ranks = ranks(values, greatest)?;
        let best = summaries(&ranks, partition.frames.iter().cloned(), &Best(None));
        gather(
            values,
            best.into_iter().map(|best| best.0.map(|(_, row)| row)),
        )
    }))
}

/// The rank and the row of the best value; the first of equal ones.
#[derive(Clone)]
struct Best(Option<(usize, usize)>);

impl Summary for Best {
    fn and(&self, other: &Self) -> Self {
        match (self.0, other.0) {
            (Some(left), Some(right)) => Self(Some(left.min(right))),
            (left, right) => Self(left.or(right)),
        }
    }
}

/// The rank of each value, the best first; nulls have none.
fn ranks(values: &ArrayRef, greatest: bool) -> Result<Vec<Best>> {
    let comparable = match values.data_type() {
        // Keys of categories are no texts in order.
        dtype @ DataType::Dictionary(..) if is_text(dtype) => {
            cast(values, &DataType::Utf8View).or_error()?
        }
        _ => Arc::clone(values),
    };
    let keys = rows::keys(&[comparable], greatest)?;
    let nulls = values.logical_nulls();
    let mut order: Vec<usize> = (0..values.len())
        .filter(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)))
        .collect();
    let floats = match is_float(values.data_type()) {
        true => Some(cast(values, &DataType::Float64).or_error()?),
        false => None,
    };
    let floats = floats
        .as_ref()
        .map(|floats| floats.as_primitive::<Float64Type>());
    let is_nan = |row: usize| floats.is_some_and(|floats| floats.value(row).is_nan());
    order.sort_by(|a, b| {
        let ranked = (is_nan(*a) != greatest).cmp(&(is_nan(*b) != greatest));
        ranked.then_with(|| keys.row(*a).cmp(&keys.row(*b)))
    });
    let mut ranks = vec![Best(None); values.len()];
    let same = |a: &usize, b: &usize| keys.row(*a) == keys.row(*b);
    for (rank, equal) in order.chunk_by(same).enumerate() {
        for row in equal {
            ranks[*row] = Best(Some((rank, *row)));
        }
    }
    Ok(ranks)
}
