//! Functions: window.

use super::Row;

pub(super) const ROWS: &[Row] = &[];

/// Nulls replaced by the value before or behind them.
pub(crate) fn fill_null_strategy(
    _: &super::Call<'_, '_>,
) -> laktory_core::Result<crate::expr::Value> {
    Err(laktory_core::Error::unsupported(
        "fill_null with a strategy",
    ))
}
