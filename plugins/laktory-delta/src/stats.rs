//! What the footers of files tell of their rows, for readers that leave files out by it. A bound that is not certain is not told:
//! a minimum may be too small and a maximum too great, never the other way round.

use std::fs::File;
use std::path::Path;

use chrono::{DateTime, Days, NaiveDate, SecondsFormat};
use laktory_core::{DType, Error, ErrorKind, Field, Result, TimeUnit};
use parquet::basic::{LogicalType, TimeUnit as StoredUnit};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use serde_json::{Map, Value, json};

use crate::named::Named as _;

/// Columns of which something is told, the first ones of a table.
const COLUMNS: usize = 32;
/// Characters of a text that are told.
const LETTERS: usize = 32;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Nulls of columns, where they were counted.
    pub(crate) nulls: Map<String, Value>,
    least: Map<String, Value>,
    greatest: Map<String, Value>,
}

impl Held {
    /// As the log has it.
    pub(crate) fn text(&self) -> String {
        json!({
            "numRecords": self.rows,
            "minValues": self.least,
            "maxValues": self.greatest,
            "nullCount": self.nulls,
        })
        .to_string()
    }
}

/// What a file of such columns holds.
///
/// # Errors
/// `Io`; `ConversionFailed` for a file that is not PARQUET.
pub(crate) fn of(path: &Path, columns: &[Field]) -> Result<Held> {
    let opened = File::open(path).map_err(|error| Error::from(error).at(path))?;
    let bytes = opened
        .metadata()
        .map_err(|error| Error::from(error).at(path))?
        .len();
    let reader = SerializedFileReader::new(opened).map_err(|error| {
        Error::new(
            ErrorKind::ConversionFailed,
            "a part that was written is no file of PARQUET",
        )
        .at(path)
        .with_source(error)
    })?;
    let footer = reader.metadata();
    let groups = footer.row_groups();
    let rows = footer.file_metadata().num_rows();
    let mut held = Held {
        rows: u64::try_from(rows).unwrap_or_default(),
        bytes,
        nulls: Map::new(),
        least: Map::new(),
        greatest: Map::new(),
    };
    for field in columns.iter().take(COLUMNS) {
        let mut found = Bounds::default();
        for group in groups {
            let mut chunks = group.columns().iter();
            let chunk = chunks.find(|chunk| chunk.column_path().parts() == [field.name.as_str()]);
            found.add(chunk, &field.dtype);
        }
        let name = || field.name.clone();
        if let Some(nulls) = found.nulls {
            held.nulls.insert(name(), nulls.into());
        }
        if let Some(least) = found.least.and_then(|least| least.text(false)) {
            held.least.insert(name(), least);
        }
        if let Some(greatest) = found.greatest.and_then(|greatest| greatest.text(true)) {
            held.greatest.insert(name(), greatest);
        }
    }
    Ok(held)
}

/// A bound of the values of a column.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Bound {
    Number(i64),
    Day(i32),
    /// Microseconds, and whether in UTC.
    Time(i64, bool),
    Text(String),
}

/// What is certain of a column, of all groups of rows so far.
struct Bounds {
    nulls: Option<u64>,
    least: Option<Bound>,
    greatest: Option<Bound>,
    any: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            nulls: Some(0),
            least: None,
            greatest: None,
            any: false,
        }
    }
}

impl Bounds {
    /// Takes a group of rows in.
    fn add(&mut self, chunk: Option<&ColumnChunkMetaData>, dtype: &DType) {
        let statistics = chunk.and_then(ColumnChunkMetaData::statistics);
        let nulls = statistics.and_then(Statistics::null_count_opt);
        self.nulls = self.nulls.zip(nulls).map(|(before, more)| before + more);
        let values = chunk.map_or(0, |chunk| u64::try_from(chunk.num_values()).unwrap_or(0));
        if nulls == Some(values) {
            // Nothing but nulls: bounds stay as they are.
            return;
        }
        let (least, greatest) = match chunk.zip(statistics) {
            Some((chunk, statistics)) => bounds(chunk, statistics, dtype),
            None => (None, None),
        };
        if self.any {
            self.least = self
                .least
                .take()
                .zip(least)
                .map(|(a, b)| if b < a { b } else { a });
            self.greatest = self
                .greatest
                .take()
                .zip(greatest)
                .map(|(a, b)| if b > a { b } else { a });
        } else {
            (self.least, self.greatest) = (least, greatest);
        }
        self.any = true;
    }
}

/// The bounds that statistics give for values of a type; none for floats, among which there may be some that are no number.
fn bounds(
    chunk: &ColumnChunkMetaData,
    statistics: &Statistics,
    dtype: &DType,
) -> (Option<Bound>, Option<Bound>) {
    if statistics.is_min_max_deprecated() {
        return (None, None);
    }
    match (dtype, statistics) {
        (DType::Int8 | DType::Int16 | DType::Int32, Statistics::Int32(found)) => {
            let number = |value: Option<&i32>| value.map(|value| Bound::Number((*value).into()));
            (number(found.min_opt()), number(found.max_opt()))
        }
        (DType::Int64, Statistics::Int64(found)) => {
            let number = |value: Option<&i64>| value.copied().map(Bound::Number);
            (number(found.min_opt()), number(found.max_opt()))
        }
        (DType::Date, Statistics::Int32(found)) => {
            let day = |value: Option<&i32>| value.copied().map(Bound::Day);
            (day(found.min_opt()), day(found.max_opt()))
        }
        (
            DType::Datetime {
                unit: TimeUnit::Microsecond,
                zone,
            },
            Statistics::Int64(found),
        ) => {
            let described = chunk.column_descr();
            let is_micros = matches!(
                described.logical_type_ref(),
                Some(LogicalType::Timestamp(time)) if time.unit == StoredUnit::MICROS
            );
            let time = |value: Option<&i64>| {
                let value = value.copied().filter(|_| is_micros);
                value.map(|value| Bound::Time(value, zone.is_some()))
            };
            (time(found.min_opt()), time(found.max_opt()))
        }
        (DType::String, Statistics::ByteArray(found)) => {
            let text = |value: Option<&parquet::data_type::ByteArray>| {
                value
                    .and_then(|value| value.as_utf8().ok())
                    .map(|text| Bound::Text(text.to_owned()))
            };
            (text(found.min_opt()), text(found.max_opt()))
        }
        _ => (None, None),
    }
}

impl Bound {
    /// As the log has it; rounded up for a maximum. None where that cannot be.
    fn text(self, up: bool) -> Option<Value> {
        Some(match self {
            Self::Number(number) => number.into(),
            Self::Day(days) => day(days)?.into(),
            Self::Time(micros, zoned) => {
                let millis = micros.div_euclid(1000);
                let millis = millis + i64::from(up && micros.rem_euclid(1000) != 0);
                let text = DateTime::from_timestamp_millis(millis)?;
                let text = text.to_rfc3339_opts(SecondsFormat::Millis, true);
                match zoned {
                    true => text.into(),
                    false => text.trim_end_matches('Z').into(),
                }
            }
            Self::Text(text) => match (text.char_indices().nth(LETTERS), up) {
                (None, _) => text.into(),
                (Some((end, _)), false) => text[..end].into(),
                (Some((end, _)), true) => greater(&text[..end])?.into(),
            },
        })
    }
}

fn day(days: i32) -> Option<String> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    let distance = Days::new(days.unsigned_abs().into());
    let day = match days >= 0 {
        true => epoch.checked_add_days(distance)?,
        false => epoch.checked_sub_days(distance)?,
    };
    Some(day.format("%Y-%m-%d").to_string())
}

/// A text that is greater than any that begins so.
fn greater(start: &str) -> Option<String> {
    let mut letters: Vec<char> = start.chars().collect();
    while let Some(last) = letters.pop() {
        let next = u32::from(last) + 1;
        // Behind the last one before the surrogates comes the first one behind them.
        let next = if next == 0xD800 { 0xE000 } else { next };
        if let Some(next) = char::from_u32(next) {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cut_maximum_is_not_less(start in ".{1,5}", rest in ".{0,5}") {
            if let Some(bound) = greater(&start) {
                let text = format!("{start}{rest}");
                prop_assert!(text < bound);
            }
        }
    }

    #[test]
    fn bounds_are_rounded_away_from_the_values() {
        let time = |micros, up| Bound::Time(micros, true).text(up).unwrap();
        assert_eq!(time(1_500, false), "1970-01-01T00:00:00.001Z");
        assert_eq!(time(1_500, true), "1970-01-01T00:00:00.002Z");
        assert_eq!(time(-1_500, false), "1969-12-31T23:59:59.998Z");
        assert_eq!(time(-1_500, true), "1969-12-31T23:59:59.999Z");
        let long = "a".repeat(40);
        assert_eq!(
            Bound::Text(long.clone()).text(false).unwrap(),
            "a".repeat(32)
        );
        assert_eq!(
            Bound::Text(long).text(true).unwrap(),
            format!("{}b", "a".repeat(31))
        );
        assert_eq!(Bound::Text("\u{10FFFF}".repeat(33)).text(true), None);
        assert_eq!(Bound::Day(-1).text(true).unwrap(), "1969-12-31");
    }
}
