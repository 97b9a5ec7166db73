//! What the driver can do, computed from the tables that do the lowering.

use laktory_core::{Capabilities, Support};

use crate::{catalog, funcs, ops, read, round_trip, write};

/// The driver's abilities.
pub(crate) fn capabilities() -> Capabilities {
    let mut out = Capabilities::default();
    out.ops = ops::KINDS.iter().copied().collect();
    out.funcs = funcs::rows()
        .map(|(func, support, _)| (*func, *support))
        .collect();
    out.reads = read::READERS
        .iter()
        .map(|(format, support, _)| (format.clone(), *support))
        .collect();
    out.writes = write::WRITERS
        .iter()
        .map(|(format, support, _)| (format.clone(), *support))
        .collect();
    out.round_trips = round_trip::ROUND_TRIPS.iter().cloned().collect();
    out.local_files = false;
    out.tables = Support::Full;
    out.table_options = catalog::OPTIONS;
    out.reader_methods = &["option", "options"];
    out.writer_methods = &[
        "option",
        "options",
        "partitionBy",
        "clusterBy",
        "bucketBy",
        "sortBy",
    ];
    out
}
