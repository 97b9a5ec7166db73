//! Frames to files.

use laktory_core::{Format, FormatSupport};

/// The formats that the driver writes.
pub(crate) fn formats() -> Vec<(Format, FormatSupport)> {
    Vec::new()
}
