//! Cells of a column as one type.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, DurationMillisecondBuilder, Float64Builder, Int64Builder,
    StringViewBuilder, Time64NanosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, types::Date32Type};
use calamine::{Data, DataType as _};
use chrono::{NaiveDateTime, NaiveTime, Timelike as _};
use laktory_core::{DType, TimeUnit};

/// Whole numbers that floats hold, one by one.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kinds {
    boolean: bool,
    whole: bool,
    float: bool,
    text: bool,
    date: bool,
    instant: bool,
    time: bool,
    duration: bool,
}

/// A cell that holds something.
enum Cell<'a> {
    Boolean(bool),
    Whole(i64),
    Float(f64),
    Text(&'a str),
    Instant(NaiveDateTime),
    /// A time of day.
    Time(NaiveTime),
    /// In milliseconds.
    Duration(i64),
}

fn cell(data: &Data) -> Option<Cell<'_>> {
    Some(match data {
        Data::Empty | Data::Error(_) => return None,
        Data::Bool(value) => Cell::Boolean(*value),
        Data::Int(value) => Cell::Whole(*value),
        Data::Float(value) => whole(*value).map_or(Cell::Float(*value), Cell::Whole),
        Data::String(text) => Cell::Text(text),
        Data::DateTime(at) if at.is_duration() => {
            Cell::Duration(at.as_duration()?.num_milliseconds())
        }
        Data::DateTime(at) => {
            let instant = at.as_datetime()?;
            match at.as_f64() {
                // A day of no number: the time alone is meant.
                days if (0.0..1.0).contains(&days) => Cell::Time(instant.time()),
                _ => Cell::Instant(instant),
            }
        }
        Data::DateTimeIso(text) => match data.as_datetime() {
            Some(instant) => Cell::Instant(instant),
            None => Cell::Text(text),
        },
        Data::DurationIso(text) => match data.as_duration() {
            Some(length) => Cell::Duration(length.num_milliseconds()),
            None => Cell::Text(text),
        },
    })
}

fn whole(value: f64) -> Option<i64> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "it is whole, and within the range"
    )]
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

impl Kinds {
    /// Takes a cell into account.
    pub(super) fn look(&mut self, data: &Data) {
        match cell(data) {
            None => {}
            Some(Cell::Boolean(_)) => self.boolean = true,
            Some(Cell::Whole(_)) => self.whole = true,
            Some(Cell::Float(_)) => self.float = true,
            Some(Cell::Text(_)) => self.text = true,
            Some(Cell::Instant(at)) if at.time() == NaiveTime::MIN => self.date = true,
            Some(Cell::Instant(_)) => self.instant = true,
            Some(Cell::Time(_)) => self.time = true,
            Some(Cell::Duration(_)) => self.duration = true,
        }
    }

    /// The type that holds all cells.
    pub(super) fn dtype(&self) -> DType {
        let numbers = self.whole || self.float;
        let instants = self.date || self.instant;
        let kinds = [
            self.boolean,
            numbers,
            self.text,
            instants,
            self.time,
            self.duration,
        ];
        match kinds.iter().filter(|kind| **kind).count() {
            1 if self.boolean => DType::Boolean,
            1 if numbers && !self.float => DType::Int64,
            1 if numbers => DType::Float64,
            1 if instants && !self.instant => DType::Date,
            1 if instants => DType::Datetime {
                unit: TimeUnit::Microsecond,
                zone: None,
            },
            1 if self.time => DType::Time,
            1 if self.duration => DType::Duration(TimeUnit::Millisecond),
            _ => DType::String,
        }
    }
}

/// A cell as a text.
pub(super) fn text(data: &Data) -> Option<String> {
    Some(match cell(data)? {
        Cell::Boolean(value) => value.to_string(),
        Cell::Whole(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Text(text) => text.to_owned(),
        Cell::Instant(at) if at.time() == NaiveTime::MIN => at.date().to_string(),
        Cell::Instant(at) => at.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
        Cell::Time(time) => time.format("%H:%M:%S%.f").to_string(),
        Cell::Duration(length) => {
            let (sign, length) = (if length < 0 { "-" } else { "" }, length.unsigned_abs());
            let seconds = length / 1000;
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let whole = format!("{sign}{hours:02}:{minutes:02}:{:02}", seconds % 60);
            match length % 1000 {
                0 => whole,
                parts => format!("{whole}.{parts:03}"),
            }
        }
    })
}

/// Cells as an array of the type that holds all of them.
pub(super) fn array<'a>(dtype: &DType, cells: impl Iterator<Item = Option<&'a Data>>) -> ArrayRef {
    let cells = cells.map(|data| data.and_then(|data| Some((data, cell(data)?))));
    macro_rules! built {
        ($builder:ident, $pattern:pat => $value:expr) => {{
            let mut builder = $builder::new();
            for one in cells {
                builder.append_option(match one.map(|(_, cell)| cell) {
                    Some($pattern) => Some($value),
                    _ => None,
                });
            }
            Arc::new(builder.finish())
        }};
    }
    match dtype {
        DType::Boolean => built!(BooleanBuilder, Cell::Boolean(value) => value),
        DType::Int64 => built!(Int64Builder, Cell::Whole(value) => value),
        DType::Float64 => {
            let mut builder = Float64Builder::new();
            for one in cells {
                builder.append_option(match one {
                    #[allow(clippy::cast_precision_loss, reason = "a float held it")]
                    Some((_, Cell::Whole(value))) => Some(value as f64),
                    Some((_, Cell::Float(value))) => Some(value),
                    _ => None,
                });
            }
            Arc::new(builder.finish())
        }
        DType::Date => {
            built!(Date32Builder, Cell::Instant(at) => Date32Type::from_naive_date(at.date()))
        }
        DType::Datetime { .. } => {
            built!(TimestampMicrosecondBuilder, Cell::Instant(at) => at.and_utc().timestamp_micros())
        }
        DType::Time => built!(Time64NanosecondBuilder, Cell::Time(time) => nanoseconds(time)),
        DType::Duration(_) => {
            built!(DurationMillisecondBuilder, Cell::Duration(length) => length)
        }
        _ => {
            let mut builder = StringViewBuilder::new();
            for one in cells {
                builder.append_option(one.and_then(|(data, _)| text(data)));
            }
            Arc::new(builder.finish())
        }
    }
}

fn nanoseconds(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + i64::from(time.nanosecond())
}
