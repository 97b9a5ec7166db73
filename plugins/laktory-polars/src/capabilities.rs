//! What the driver can do, computed from the tables that do the lowering.

use laktory_core::{Capabilities, Support, WindowFunc};

use crate::{funcs, ops, read, round_trip, write};

/// The driver's abilities.
pub(crate) fn capabilities() -> Capabilities {
    let mut out = Capabilities::default();
    out.ops = ops::KINDS.iter().copied().collect();
    out.funcs = funcs::rows()
        .map(|(func, support, _)| (*func, *support))
        .collect();
    out.windows = WindowFunc::all()
        .map(|func| (func, Support::Full))
        .collect();
    out.sql_by_steps = true;
    out.user_scalars = Support::Full;
    out.user_aggregates = Support::Full;
    out.reads = read::READERS
        .iter()
        .map(|(format, support, _)| (format.clone(), *support))
        .chain(laktory_formats::decode::READS.iter().cloned())
        .chain(read::TABLES.iter().cloned())
        .collect();
    out.writes = write::WRITERS
        .iter()
        .map(|(format, support, _)| (format.clone(), *support))
        .chain(laktory_formats::encode::WRITES.iter().cloned())
        .chain(write::TABLES.iter().cloned())
        .collect();
    out.appends = [write::TEXTS, laktory_formats::encode::APPENDS].concat();
    out.round_trips = round_trip::ROUND_TRIPS.iter().cloned().collect();
    out.local_files = true;
    out.ordered_rows = true;
    out.tables = Support::NotYet {
        reason: "tables need a catalog, which the embedded engine does not have yet",
    };
    out
}
