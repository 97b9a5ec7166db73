//! Functions: logic.

use super::Row;

pub(super) const ROWS: &[Row] = &[];
