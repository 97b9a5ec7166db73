//! Functions: window.

use super::Row;

pub(super) const ROWS: &[Row] = &[];
