//! `laktory tables`.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat};
use laktory::core::table::TableVersion;
use laktory::core::{Error, ErrorKind, Registry};
use serde_json::json;

use crate::args::HistoryArgs;
use crate::exit::Failure;
use crate::out::{print, print_json};

/// Lists the versions of a table.
pub(crate) fn history(args: &HistoryArgs, registry: &Registry) -> Result<(), Failure> {
    let folder = &args.path;
    let Some(format) = registry.tables().find(|format| format.is_table(folder)) else {
        let message = format!("`{}` is no table that keeps a log", folder.display());
        let known: Vec<String> = registry
            .tables()
            .map(|format| format.format().to_string())
            .collect();
        let hint = match known.is_empty() {
            true => {
                "this build has no format of tables; build it with `--features delta`".to_owned()
            }
            false => format!("formats of tables: {}", known.join(", ")),
        };
        return Err(Error::new(ErrorKind::NotFound, message)
            .with_hint(hint)
            .into());
    };
    let versions = format.history(folder)?;
    if args.json {
        let versions: Vec<_> = versions
            .iter()
            .map(|version| {
                json!({
                    "version": version.version,
                    "time": time(version),
                    "operation": version.operation,
                    "by": version.by,
                })
            })
            .collect();
        return print_json(&json!(versions));
    }
    let mut text = String::new();
    for version in &versions {
        let _ = writeln!(
            text,
            "{:>6}  {}  {:<24}  {}",
            version.version,
            time(version),
            version.operation,
            version.by
        );
    }
    print(text.trim_end())
}

fn time(version: &TableVersion) -> String {
    let time = DateTime::from_timestamp_millis(version.time).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
