//! Conversions that polars refuses: texts of ISO 8601 to dates, times and datetimes, and texts to booleans.
//!
//! Texts may mix the forms: date only, `T` or blank between date and time, fractions of any length, `Z`, offsets.
//! A datetime with an offset becomes its UTC time.

use laktory_core::semantics::decimal::power_of_ten;
use laktory_core::semantics::iso;
use laktory_core::{ErrorKind, TimeUnit as CoreUnit};
use polars::prelude::{
    BooleanChunked, ChunkApply, Column, DataType, Expr, Field, Int32Chunked, Int64Chunked,
    IntoColumn, IntoSeries, PlSmallStr, PolarsResult, Schema, StringChunked, TimeUnit,
};
use polars_core::chunked_array::cast::CastOptions;

use crate::error::carried;

/// `expr` converted to `dtype`; a value that does not fit fails when `strict`, else becomes null.
pub(crate) fn convert(expr: Expr, dtype: &DataType, strict: bool) -> Expr {
    let own = match dtype {
        DataType::Date | DataType::Time | DataType::Datetime(..) | DataType::Boolean => true,
        // Decimals are cut, where polars rounds.
        dtype => dtype.is_integer(),
    };
    if !own {
        return if strict {
            expr.strict_cast(dtype.clone())
        } else {
            expr.cast(dtype.clone())
        };
    }
    let (to, output) = (dtype.clone(), dtype.clone());
    expr.map_with_fmt_str(
        move |column| convert_column(&column, &to, strict),
        move |_: &Schema, field: &Field| output_field(field, &output),
        PlSmallStr::from_static("cast"),
    )
}

/// A text as `dtype`, by the rules of the expression language: no zones, dates without time, also day first.
pub(crate) fn parse_text(expr: Expr, dtype: &DataType) -> Expr {
    let (to, output) = (dtype.clone(), dtype.clone());
    expr.map_with_fmt_str(
        move |column| {
            column.try_apply_unary_elementwise(|series| {
                let texts = series.str()?;
                match to {
                    DataType::Date => {
                        let days: Int32Chunked = parse(texts, &to, true, iso::plain_date)?;
                        days.into_series().cast(&to)
                    }
                    _ => {
                        let counts: Int64Chunked = parse(texts, &to, true, |text| {
                            iso::plain_timestamp(text)?.count(CoreUnit::Microsecond)
                        })?;
                        counts.into_series().cast(&to)
                    }
                }
            })
        },
        move |_: &Schema, field: &Field| match field.dtype() {
            DataType::String | DataType::Null => {
                Ok(Field::new(field.name().clone(), output.clone()))
            }
            other => Err(carried(
                ErrorKind::TypeMismatch,
                &format!("column `{}` of type {other} is not a text", field.name()),
            )),
        },
        PlSmallStr::from_static("parse"),
    )
}

/// The field that a conversion gives, or why there is none.
pub(crate) fn output_field(field: &Field, to: &DataType) -> PolarsResult<Field> {
    match field.dtype() {
        DataType::Categorical(..)
        | DataType::Enum(..)
        | DataType::List(_)
        | DataType::Struct(_)
        | DataType::Array(..)
        | DataType::Binary => Err(carried(
            ErrorKind::UnsupportedCast,
            &format!(
                "column `{}` of type {} cannot become {to}",
                field.name(),
                field.dtype()
            ),
        )),
        _ => Ok(Field::new(field.name().clone(), to.clone())),
    }
}

/// A column converted.
pub(crate) fn convert_column(column: &Column, to: &DataType, strict: bool) -> PolarsResult<Column> {
    let options = if strict {
        CastOptions::Strict
    } else {
        CastOptions::NonStrict
    };
    match column.dtype() {
        DataType::String if !to.is_integer() => {}
        DataType::Decimal(_, scale) if to.is_integer() && *scale > 0 => {
            let one = u32::try_from(*scale).ok().and_then(power_of_ten);
            let one = one.unwrap_or(i128::MAX);
            let digits = column.as_materialized_series().decimal()?.physical();
            let whole = digits.apply_values(|digits| digits / one);
            let whole = whole.into_series().with_name(column.name().clone());
            return whole.into_column().cast_with_options(to, options);
        }
        _ => return column.cast_with_options(to, options),
    }
    column.try_apply_unary_elementwise(|series| {
        let texts = series.str()?;
        Ok(match to {
            DataType::Date => {
                let days: Int32Chunked =
                    parse(texts, to, strict, |text| iso::timestamp(text)?.days())?;
                days.into_series().cast(to)?
            }
            DataType::Time => {
                let nanoseconds: Int64Chunked = parse(texts, to, strict, iso::time)?;
                nanoseconds.into_series().cast(to)?
            }
            DataType::Datetime(unit, _) => {
                let unit = match unit {
                    TimeUnit::Milliseconds => CoreUnit::Millisecond,
                    TimeUnit::Microseconds => CoreUnit::Microsecond,
                    TimeUnit::Nanoseconds => CoreUnit::Nanosecond,
                };
                let counts: Int64Chunked =
                    parse(texts, to, strict, |text| iso::timestamp(text)?.count(unit))?;
                counts.into_series().cast(to)?
            }
            _ => {
                let flags: BooleanChunked = parse(texts, to, strict, iso::boolean)?;
                flags.into_series()
            }
        })
    })
}

fn parse<T, C>(
    texts: &StringChunked,
    to: &DataType,
    strict: bool,
    one: impl Fn(&str) -> Option<T>,
) -> PolarsResult<C>
where
    C: FromIterator<Option<T>> + IntoSeries + Named,
{
    let mut bad: Option<&str> = None;
    let parsed: C = texts
        .iter()
        .map(|text| {
            let text = text?;
            let value = one(text);
            if value.is_none() && bad.is_none() {
                bad = Some(text);
            }
            value
        })
        .collect();
    match bad {
        Some(text) if strict => Err(carried(
            ErrorKind::ConversionFailed,
            &format!(
                "column `{}`: `{}` is not a {}",
                texts.name(),
                shortened(text),
                kind(to)
            ),
        )),
        _ => Ok(parsed.named(texts.name().clone())),
    }
}

/// Chunked arrays that can be given a name.
trait Named {
    fn named(self, name: PlSmallStr) -> Self;
}

macro_rules! named {
    ($($array:ty),+) => { $( impl Named for $array {
        fn named(self, name: PlSmallStr) -> Self {
            self.with_name(name)
        }
    } )+ };
}

named!(BooleanChunked, Int32Chunked, Int64Chunked);

fn kind(to: &DataType) -> &'static str {
    match to {
        DataType::Date => "date of the form `2024-02-29`",
        DataType::Time => "time of the form `12:34:56`",
        DataType::Boolean => "boolean",
        _ => "datetime of ISO 8601",
    }
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
