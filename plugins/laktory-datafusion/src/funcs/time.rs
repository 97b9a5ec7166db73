//! Functions: time.

use super::Row;

pub(super) const ROWS: &[Row] = &[];

use laktory_core::Result;

use crate::expr::Value;

/// The sum when an operand is temporal.
pub(crate) fn add(_: Value, _: Value) -> Result<Option<Value>> {
    Ok(None)
}

/// The difference when an operand is temporal.
pub(crate) fn sub(_: Value, _: Value) -> Result<Option<Value>> {
    Ok(None)
}
