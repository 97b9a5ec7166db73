//! What the backend can do, computed from the tables that do the lowering.

use laktory_core::{Capabilities, Support, WindowFunc};

use crate::{funcs, ops, read, round_trip, write};

/// The abilities of the backend.
pub(crate) fn capabilities() -> Capabilities {
    let mut capabilities = Capabilities::default();
    capabilities.ops.extend(ops::KINDS.iter().copied());
    capabilities
        .funcs
        .extend(funcs::rows().map(|(func, support, _)| (*func, *support)));
    capabilities.windows = WindowFunc::all()
        .map(|func| (func, Support::Full))
        .collect();
    capabilities.sql_by_steps = true;
    capabilities.reads.extend(read::formats());
    capabilities.reads.extend(read::TABLES.iter().cloned());
    capabilities.writes.extend(write::formats());
    capabilities.writes.extend(write::TABLES.iter().cloned());
    capabilities.user_scalars = Support::Full;
    capabilities.user_aggregates = Support::Full;
    capabilities.appends = [write::TEXTS, laktory_formats::encode::APPENDS].concat();
    capabilities.round_trips = round_trip::ROUND_TRIPS.iter().cloned().collect();
    capabilities.local_files = true;
    capabilities.tables = Support::Never;
    capabilities
}
