//! Ranks among the values of a partition.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Float64Array, UInt32Array};
use datafusion::arrow::datatypes::DataType;
use laktory_core::Result;

use super::{along, this};
use crate::expr::Value;
use crate::funcs::Call;
use crate::kernel::rows;

/// Which rank equal values get.
#[derive(Clone, Copy, Debug)]
enum Ties {
    Average,
    Min,
    Max,
    Dense,
    Ordinal,
}

/// The rank of each value from 1; nulls have none.
pub(super) fn rank(call: &Call<'_, '_>) -> Result<Value> {
    let ties = match call.text("method")? {
        "average" => Ties::Average,
        "min" => Ties::Min,
        "max" => Ties::Max,
        "dense" => Ties::Dense,
        "ordinal" => Ties::Ordinal,
        _ => return Err(call.invalid("unknown `method`")),
    };
    let descending = call.flag("descending")?;
    let value = this(call)?;
    let output = match ties {
        Ties::Average => DataType::Float64,
        _ => DataType::UInt32,
    };
    let name = format!("rank({ties:?},{descending})");
    along(call, name, value, output, move |array| {
        ranked(array, ties, descending)
    })
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "ranks are 32 bits wide, as those of Polars"
)]
fn ranked(array: &ArrayRef, ties: Ties, descending: bool) -> Result<ArrayRef> {
    let keys = rows::keys(std::slice::from_ref(array), descending)?;
    let nulls = array.logical_nulls();
    let mut order: Vec<usize> = (0..array.len())
        .filter(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)))
        .collect();
    // Equal values stay in the order of the window.
    order.sort_by(|a, b| keys.row(*a).cmp(&keys.row(*b)));
    let mut ranks: Vec<Option<f64>> = vec![None; array.len()];
    let mut before = 0;
    for (group, equal) in order
        .chunk_by(|a, b| keys.row(*a) == keys.row(*b))
        .enumerate()
    {
        for (place, row) in equal.iter().enumerate() {
            let rank = match ties {
                Ties::Average => before as f64 + (equal.len() + 1) as f64 / 2.0,
                Ties::Min => (before + 1) as f64,
                Ties::Max => (before + equal.len()) as f64,
                Ties::Dense => (group + 1) as f64,
                Ties::Ordinal => (before + place + 1) as f64,
            };
            ranks[*row] = Some(rank);
        }
        before += equal.len();
    }
    if matches!(ties, Ties::Average) {
        return Ok(Arc::new(Float64Array::from(ranks)));
    }
    #[allow(clippy::cast_sign_loss, reason = "ranks begin with 1")]
    let ranks: UInt32Array = ranks
        .into_iter()
        .map(|rank| rank.map(|rank| rank as u32))
        .collect();
    Ok(Arc::new(ranks))
}
