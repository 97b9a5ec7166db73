//! The forms in which formats of text have points in time, when options ask for one.

use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use laktory_core::{DType, Field, Result};

use crate::options::Given;

/// The forms that writer options of CSV ask for; where there is none, the driver's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeForms {
    /// Of dates.
    pub date: Option<String>,
    /// Of times of a day.
    pub time: Option<String>,
    /// Of points in time.
    pub datetime: Option<String>,
}

impl TimeForms {
    /// What `given` asks for, which has to fit the columns that are written.
    ///
    /// # Errors
    /// `InvalidArgument` for a text that is no format, and for one that asks for what values of a column do not have.
    pub fn given(given: &Given<'_>, columns: &[Field]) -> Result<Self> {
        let form = |name: &str, is_meant: fn(&DType) -> bool| -> Result<Option<String>> {
            let of = columns.iter().filter(|column| is_meant(&column.dtype));
            Ok(strftime(given, name, of)?.map(str::to_owned))
        };
        Ok(Self {
            date: form("date_format", |dtype| *dtype == DType::Date)?,
            time: form("time_format", |dtype| *dtype == DType::Time)?,
            datetime: form("datetime_format", |dtype| {
                matches!(dtype, DType::Datetime { .. })
            })?,
        })
    }
}

fn strftime<'a, 'f>(
    given: &Given<'a>,
    name: &str,
    mut columns: impl Iterator<Item = &'f Field>,
) -> Result<Option<&'a str>> {
    let Some(format) = given.text(name)? else {
        return Ok(None);
    };
    let specifies = |item: Item<'_>| !matches!(item, Item::Literal(_) | Item::Space(_));
    if !StrftimeItems::new(format).any(specifies) {
        let why = format!("cannot be `{format}`: every value would be written as this text");
        return Err(given
            .refused(name, why)
            .with_hint("a format is made of specifiers such as `%Y-%m-%d %H:%M:%S`"));
    }
    if StrftimeItems::new(format).any(|item| matches!(item, Item::Error)) {
        let why = format!("cannot be `{format}`, which is not a format");
        return Err(given
            .refused(name, why)
            .with_hint("a format is made of specifiers such as `%Y-%m-%d %H:%M:%S`"));
    }
    match columns.find(|column| !writes(format, &column.dtype)) {
        None => Ok(Some(format)),
        Some(column) => Err(given
            .refused(
                name,
                format!(
                    "cannot be `{format}`: it asks for what {}, the type of column `{}`, does not have",
                    column.dtype, column.name
                ),
            )
            .with_hint("leave those specifiers out, or cast the column")),
    }
}

/// Whether a format writes a value of a type.
fn writes(format: &str, dtype: &DType) -> bool {
    let mut out = String::new();
    let moment = NaiveDateTime::default();
    match dtype {
        DType::Date => write!(out, "{}", NaiveDate::default().format(format)),
        DType::Time => write!(out, "{}", NaiveTime::default().format(format)),
        DType::Datetime { zone: Some(_), .. } => write!(out, "{}", moment.and_utc().format(format)),
        _ => write!(out, "{}", moment.format(format)),
    }
    .is_ok()
}

#[cfg(test)]
mod tests {
    use laktory_core::{OptionValue, Options};

    use super::*;

    #[test]
    fn formats_that_values_cannot_have_are_refused() {
        let cases = [
            ("date_format", "%d, %B %Y", DType::Date, true),
            ("date_format", "%H", DType::Date, false),
            ("date_format", "dd.MM.yyyy", DType::Date, false),
            ("time_format", "%H:%M", DType::Time, true),
            ("time_format", "%Y", DType::Time, false),
            ("datetime_format", "%+", DType::datetime(), false),
            ("datetime_format", "%!", DType::datetime(), false),
            ("datetime_format", "%Y", DType::datetime(), true),
        ];
        for (name, format, dtype, fits) in cases {
            let options = Options::from([(name.to_owned(), OptionValue::Text(format.to_owned()))]);
            let given = Given::new("writer option", &options, &[name]).unwrap();
            let found = TimeForms::given(&given, &[Field::new("t", dtype)]);
            assert_eq!(found.is_ok(), fits, "{format}: {found:?}");
        }
    }
}
