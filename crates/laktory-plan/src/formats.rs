//! A format that the engine of a node does not read or write, told with those that it does.

use std::collections::BTreeMap;

use laktory_core::{Format, FormatSupport};
use laktory_model::{Finding, Path};
use laktory_syntax::nearest;

/// The finding for a format that cannot be `done` (`read`, `written`) on a backend which knows others.
pub(crate) fn refused(
    format: &Format,
    done: &str,
    backend: &str,
    known: &BTreeMap<Format, FormatSupport>,
    place: Path,
) -> Finding {
    let known: Vec<&str> = known
        .iter()
        .filter(|(_, support)| support.support.is_available())
        .map(|(format, _)| format.name())
        .collect();
    let message = format!("format `{format}` cannot be {done} on backend {backend}");
    let known_here = format!("formats {done} here: {}", known.join(", "));
    let hint = match nearest(format.name(), known) {
        Some(name) => format!("did you mean `{name}`? {known_here}"),
        None => known_here,
    };
    Finding::error("unsupported", place, message).hint(hint)
}
