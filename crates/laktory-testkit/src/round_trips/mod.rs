//! What drivers tell of round trips ([`RoundTrip`]), measured: every type with its edges, and every option of writing, is
//! written in every format and read back. Strict both ways: what is told to come back must, and what is not told must be
//! lost somewhere.

mod carry;
mod options;
mod values;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use laktory_core::{
    BackendConfig, BackendDescriptor, Capabilities, DType, Format, Options, Registry, RoundTrip,
};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::frames::{Column, Table, column_of};
use crate::runner::Session;
use carry::{Back, carry};
use values::GROUPS;

type Test = fn(&Session, &'static BackendDescriptor, &Format) -> Result<(), Failed>;

const TESTS: [(&str, Test); 2] = [("types", types), ("options", options::options)];

/// Tests of every format that a linked driver both reads and writes, called `polars::round_trips/csv/types` and
/// `polars::round_trips/csv/options`. Backends that cannot be connected are reported by their cases.
#[must_use]
pub fn round_trips(registry: &Registry, configs: &BTreeMap<String, BackendConfig>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for descriptor in registry.iter() {
        let none = BackendConfig::new();
        let config = configs.get(descriptor.name).unwrap_or(&none);
        let session = Session::connect(descriptor, config, true).map(Arc::new);
        for format in formats(&(descriptor.capabilities)()) {
            for (what, test) in TESTS {
                let format = format.clone();
                let title = format!("{}::round_trips/{format}/{what}", descriptor.name);
                let title = title.to_lowercase();
                trials.push(match &session {
                    Ok(session) => {
                        let session = Arc::clone(session);
                        Trial::test(title, move || test(&session, descriptor, &format))
                    }
                    Err(error) => Trial::test(title, || Ok(()))
                        .with_kind(format!("no server: {error}"))
                        .with_ignored_flag(true),
                });
            }
        }
    }
    trials
}

/// The formats of which something is told: by the driver, or by their nature.
fn formats(capabilities: &Capabilities) -> Vec<Format> {
    let text = [Format::Csv, Format::Json, Format::JsonLines];
    let is_told = |format: &&Format| format.is_lossless() || text.contains(format);
    let is_read = |format: &&Format| capabilities.read(format).support.is_available();
    let is_written = |format: &&Format| capabilities.write(format).support.is_available();
    let formats = Format::KNOWN.iter().filter(is_told);
    formats
        .filter(is_read)
        .filter(is_written)
        .cloned()
        .collect()
}

/// What is told of a format: by the driver; else, of formats that hold types, by their nature.
struct Told {
    format: Format,
    trip: RoundTrip,
    by_nature: bool,
}

impl Told {
    fn new(descriptor: &'static BackendDescriptor, format: &Format) -> Self {
        let capabilities = (descriptor.capabilities)();
        Self {
            format: format.clone(),
            trip: capabilities.round_trip(format),
            by_nature: format.is_lossless() && !capabilities.round_trips.contains_key(format),
        }
    }

    /// Whether every value of a type comes back, written with options.
    fn keeps(&self, dtype: &DType, options: &Options) -> bool {
        match self.by_nature {
            true => self.format.loses(dtype).is_none(),
            false => self.trip.keeps(dtype, options),
        }
    }

    /// Whether it is known how what is written with an option is read.
    fn knows(&self, option: &str) -> bool {
        self.by_nature || self.trip.options.iter().any(|(name, _)| *name == option)
    }
}

/// Columns below numbers of their rows: a null alone would be an empty line, and engines may return rows in any order.
fn numbered(mut columns: Vec<Column>) -> Result<Table, String> {
    let rows = columns.first().map_or(0, |column| column.array.len());
    let numbers: Vec<Value> = (0..rows).map(Value::from).collect();
    columns.insert(0, column_of("row", "int64", &numbers)?);
    Table::new(columns)
}

/// Every type on its own.
fn types(
    session: &Session,
    descriptor: &'static BackendDescriptor,
    format: &Format,
) -> Result<(), Failed> {
    let driver = Told::new(descriptor, format);
    let none = Options::new();
    let mut faults = String::new();
    for (group, sets) in GROUPS {
        let (mut told, mut tried, mut lost) = (false, false, false);
        for (values, text) in sets
            .iter()
            .flat_map(|set| set.types.iter().map(move |text| (set, text)))
        {
            let table = numbered(vec![column_of("x", text, &values.json()?)?])?;
            let Some((dtypes, back)) = carry(session, descriptor, &table, format, &none)? else {
                continue;
            };
            let is_told = driver.keeps(&dtypes[1], &none);
            tried = true;
            told |= is_told;
            let how = match back {
                Back::Refused(_) | Back::Unreadable(_) if is_told && values.rare => None,
                Back::Refused(how) | Back::Unreadable(how) => Some(how),
                Back::Rows(mut columns) => columns.swap_remove(1),
            };
            let Some(how) = how else { continue };
            lost = true;
            if is_told {
                let _ = writeln!(faults, "{text} is told to come back, but {how}");
            }
        }
        if tried && !told && !lost {
            let _ = writeln!(faults, "{group} come back, and are not told to");
        }
    }
    judged(&faults)
}

fn judged(faults: &str) -> Result<(), Failed> {
    match faults {
        "" => Ok(()),
        faults => Err(faults.into()),
    }
}
