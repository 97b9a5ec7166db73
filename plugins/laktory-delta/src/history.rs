//! Versions of a table by number and by time.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::UNIX_EPOCH;

use chrono::{DateTime, SecondsFormat};
use laktory_core::semantics::iso;
use laktory_core::table::TableVersion;
use laktory_core::{Error, ErrorKind, OptionValue, Options, Result, TimeUnit};

use crate::log::{self, Log};
use crate::named::Named as _;

const VERSION: &str = "versionAsOf";
const TIME: &str = "timestampAsOf";

/// Which version is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Newest,
    Version(u64),
    /// The one that was the newest then: milliseconds since 1970 in UTC, and the text that says so.
    Time(i64, String),
}

/// The version that reader options ask for.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn wanted(options: &Options) -> Result<Wanted> {
    let refused = |name: &str, takes: &str| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("reader option `{name}` takes {takes}"),
        )
    };
    let number = || refused(VERSION, "the number of a version, such as `3`");
    let version = match options.get(VERSION) {
        None | Some(OptionValue::Null) => None,
        Some(OptionValue::Int(version)) => Some(u64::try_from(*version).map_err(|_| number())?),
        Some(OptionValue::Text(version)) => Some(version.parse().map_err(|_| number())?),
        Some(_) => return Err(number()),
    };
    let time = match options.get(TIME) {
        None | Some(OptionValue::Null) => None,
        Some(OptionValue::Text(text)) => Some(
            iso::timestamp(text)
                .and_then(|instant| instant.count(TimeUnit::Millisecond))
                .map(|count| (count, text.clone()))
                .ok_or_else(|| refused(TIME, "a point in time, such as `2024-01-31 12:00:00`, in UTC where it says no zone"))?,
        ),
        Some(_) => return Err(refused(TIME, "a point in time, such as `2024-01-31 12:00:00`")),
    };
    match (version, time) {
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("reader options `{VERSION}` and `{TIME}` ask for two versions"),
        )
        .with_hint("give one of them")),
        (Some(version), None) => Ok(Wanted::Version(version)),
        (None, Some((count, text))) => Ok(Wanted::Time(count, text)),
        (None, None) => Ok(Wanted::Newest),
    }
}

/// The number of the version that is asked for; none where there is no table.
///
/// # Errors
/// `NotFound` for a time before the first version that is kept, or behind the newest one.
pub(crate) fn version(log: &Log, wanted: &Wanted) -> Result<Option<u64>> {
    let Some(newest) = log.newest() else {
        return Ok(None);
    };
    let (time, text) = match wanted {
        Wanted::Newest => return Ok(Some(newest)),
        Wanted::Version(version) => return Ok(Some(*version)),
        Wanted::Time(time, text) => (*time, text),
    };
    let mut found = None;
    let (mut last, mut first) = (i64::MIN, None);
    for (version, entry) in log.entries() {
        // Times do not go back from version to version, whatever the files say.
        last = committed(entry)?.max(last.saturating_add(1));
        first.get_or_insert(last);
        if last > time {
            break;
        }
        found = Some(*version);
    }
    let shown = |count: i64| {
        let time = DateTime::from_timestamp_millis(count).unwrap_or_default();
        time.to_rfc3339_opts(SecondsFormat::Millis, true)
    };
    let refused = |hint: String| {
        let folder = log.folder().parent().unwrap_or(log.folder()).display();
        let message = format!("table `{folder}` has no version of `{text}`");
        Error::new(ErrorKind::NotFound, message).with_hint(hint)
    };
    match found {
        Some(version) if version == newest && last < time => Err(refused(format!(
            "its newest version, {newest}, is of {}; leave the option out to read that",
            shown(last)
        ))),
        Some(version) => Ok(Some(version)),
        None => Err(refused(format!(
            "the oldest version that its log keeps is of {}",
            shown(first.unwrap_or_default())
        ))),
    }
}

/// The versions whose entries are kept, the newest first.
///
/// # Errors
/// `ConversionFailed` for an entry that is torn; `Io`.
pub(crate) fn versions(folder: &Path) -> Result<Vec<TableVersion>> {
    let log = Log::of(folder)?;
    let mut versions = Vec::new();
    let mut last = i64::MIN;
    for (version, entry) in log.entries() {
        last = committed(entry)?.max(last.saturating_add(1));
        let mut info = None;
        log::lines(entry, |line| info = line.commit_info.or(info.take()))?;
        let info = info.unwrap_or_default();
        let told = |key: &str| info[key].as_str().unwrap_or_default().to_owned();
        let mut operation = told("operation");
        if let Some(mode) = info["operationParameters"]["mode"].as_str() {
            operation = format!("{operation} ({mode})");
        }
        versions.push(TableVersion::new(
            *version,
            last,
            operation,
            told("engineInfo"),
        ));
    }
    versions.reverse();
    Ok(versions)
}

/// When an entry was committed, in milliseconds since 1970: as it says itself where the table asks for that, else as its file does.
///
/// # Errors
/// `Io`.
pub(crate) fn committed(entry: &Path) -> Result<i64> {
    let file = fs::File::open(entry).map_err(|error| Error::from(error).at(entry))?;
    let mut first = String::new();
    // A first line that is torn tells nothing here, and is told when the entry is read.
    let _ = BufReader::new(&file).read_line(&mut first);
    let line = log::parsed(&first).unwrap_or_default();
    let own = line
        .commit_info
        .and_then(|info| info.get("inCommitTimestamp")?.as_i64());
    if let Some(own) = own {
        return Ok(own);
    }
    let modified = file.metadata().and_then(|found| found.modified());
    let modified = modified.map_err(|error| Error::from(error).at(entry))?;
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
