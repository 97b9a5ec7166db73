//! Functions of rewritten statements that polars-sql has under no name.

use laktory_core::ErrorKind;
use polars::prelude::{
    ChunkApply, Column, DataType, DateMethods, Field, Int64Chunked, IntoColumn, IntoSeries,
    NewChunkedArray, PolarsResult, Scalar, StringChunked,
};
use polars_core::prelude::AnyValue;

use crate::error::carried;

/// The sum or mean of the distinct values; null when there is none.
pub(super) fn distinct(values: &Column, average: bool) -> PolarsResult<Column> {
    let field = Field::new(values.name().clone(), values.dtype().clone());
    let output = distinct_output(&field, average)?;
    let values = values.as_materialized_series().unique()?.drop_nulls();
    let result = if values.is_empty() {
        Scalar::new(output.dtype().clone(), AnyValue::Null)
    } else if average {
        values.mean_reduce()?
    } else {
        values.sum_reduce()?
    };
    let result = result.into_column(output.name().clone());
    result.cast(output.dtype())
}

/// The type of [`distinct`].
pub(super) fn distinct_output(field: &Field, average: bool) -> PolarsResult<Field> {
    let dtype = match field.dtype() {
        dtype if !(dtype.is_numeric() || matches!(dtype, DataType::Boolean | DataType::Null)) => {
            return Err(carried(
                ErrorKind::TypeMismatch,
                &format!("column `{}` of type {dtype} has no sum", field.name()),
            ));
        }
        _ if average => DataType::Float64,
        dtype if dtype.is_integer() || *dtype == DataType::Boolean => DataType::Int64,
        dtype => dtype.clone(),
    };
    Ok(Field::new(field.name().clone(), dtype))
}

/// Upper case at the start of each word of letters and digits, lower case elsewhere.
pub(super) fn initcap(texts: &Column) -> PolarsResult<Column> {
    let texts = texts.as_materialized_series();
    let words = |text: &str| {
        let mut out = String::with_capacity(text.len());
        let mut inside = false;
        for character in text.chars() {
            if inside {
                out.extend(character.to_lowercase());
            } else {
                out.extend(character.to_uppercase());
            }
            inside = character.is_alphanumeric();
        }
        out
    };
    let capital: StringChunked = texts.str()?.iter().map(|text| text.map(words)).collect();
    Ok(capital
        .with_name(texts.name().clone())
        .into_series()
        .into_column())
}

/// `REGEXP_EXTRACT(text, pattern[, group])`; null where the pattern does not match.
pub(super) fn regexp_extract(columns: &[Column]) -> PolarsResult<Column> {
    let invalid = |why: &str| {
        carried(
            ErrorKind::InvalidArgument,
            &format!("REGEXP_EXTRACT: {why}"),
        )
    };
    let [texts, pattern, rest @ ..] = columns else {
        return Err(invalid("takes a text and a pattern"));
    };
    let pattern = pattern.get(0)?;
    let pattern = pattern
        .get_str()
        .ok_or_else(|| invalid("the pattern is a text"))?;
    let group = match rest.first() {
        Some(group) => group
            .get(0)?
            .extract::<usize>()
            .ok_or_else(|| invalid("the group is a number"))?,
        None => 0,
    };
    let regex = polars_utils::regex_cache::compile_regex(pattern)
        .map_err(|_| invalid(&format!("`{pattern}` is no regular expression")))?;
    if group >= regex.captures_len() {
        return Err(invalid(&format!("`{pattern}` has no group {group}")));
    }
    let texts = texts.as_materialized_series();
    let found: StringChunked = texts
        .str()?
        .iter()
        .map(|text| Some(regex.captures(text?)?.get(group)?.as_str()))
        .collect();
    Ok(found
        .with_name(texts.name().clone())
        .into_series()
        .into_column())
}

/// Days from the second date to the first, or borders of a unit from the second argument to the third.
pub(super) fn date_diff(columns: &[Column]) -> PolarsResult<Column> {
    let invalid = |why: &str| carried(ErrorKind::InvalidArgument, &format!("DATE_DIFF: {why}"));
    let (unit, start, end) = match columns {
        [end, start] => ("day".to_owned(), start, end),
        [unit, start, end] => {
            let unit = unit.get(0)?;
            let unit = unit
                .get_str()
                .ok_or_else(|| invalid("the unit is a text"))?;
            (unit.to_lowercase(), start, end)
        }
        _ => return Err(invalid("takes two dates, or a unit and two dates")),
    };
    let counts = |column: &Column| -> PolarsResult<Int64Chunked> {
        let series = column.as_materialized_series();
        let steps = match unit.trim_end_matches('s') {
            "year" => series
                .strict_cast(&DataType::Date)?
                .date()?
                .year()
                .into_series(),
            "quarter" | "month" => {
                let dates = series.strict_cast(&DataType::Date)?;
                let (years, months) = (dates.date()?.year(), dates.date()?.month());
                let per = if unit.starts_with('q') { 3 } else { 1 };
                let numbers = years.iter().zip(months.iter()).map(|(year, month)| {
                    Some((i64::from(year?) * 12 + i64::from(month?) - 1).div_euclid(per))
                });
                Int64Chunked::from_iter_options(series.name().clone(), numbers).into_series()
            }
            "day" | "week" => {
                let days = series
                    .strict_cast(&DataType::Date)?
                    .cast(&DataType::Int32)?
                    .cast(&DataType::Int64)?;
                // Weeks begin on Monday; 1970 began on a Thursday.
                let (add, per) = if unit.starts_with('w') {
                    (3, 7)
                } else {
                    (0, 1)
                };
                days.i64()?
                    .apply_values(|day| (day + add).div_euclid(per))
                    .into_series()
            }
            "hour" | "minute" | "second" => {
                let per = match unit.as_bytes() {
                    [b'h', ..] => 3_600_000_000,
                    [b'm', ..] => 60_000_000,
                    _ => 1_000_000,
                };
                let micros = series
                    .strict_cast(&DataType::Datetime(
                        polars::prelude::TimeUnit::Microseconds,
                        None,
                    ))?
                    .cast(&DataType::Int64)?;
                micros
                    .i64()?
                    .apply_values(|at| at.div_euclid(per))
                    .into_series()
            }
            other => return Err(invalid(&format!("there is no unit `{other}`"))),
        };
        Ok(steps.cast(&DataType::Int64)?.i64()?.clone())
    };
    let (from, to) = (counts(start)?, counts(end)?);
    let rows = if from.is_empty() || to.is_empty() {
        0
    } else {
        from.len().max(to.len())
    };
    let at =
        |values: &Int64Chunked, row: usize| values.get(if values.len() == 1 { 0 } else { row });
    let differences = (0..rows).map(|row| Some(at(&to, row)? - at(&from, row)?));
    Ok(
        Int64Chunked::from_iter_options(columns[0].name().clone(), differences)
            .into_series()
            .into_column(),
    )
}
