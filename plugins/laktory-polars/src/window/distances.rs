//! The values of a window's order, among which distances are measured.

use std::ops::Range;

use laktory_core::RangeValues;
use polars::prelude::{DataType, PolarsResult, Series, TimeUnit};

/// The values of a key of the order, with what a distance of 1, or of a microsecond, is among them.
pub(super) fn values_of(key: &Series) -> PolarsResult<RangeValues> {
    let whole = |key: &Series, unit: i128| -> PolarsResult<RangeValues> {
        let key = key.to_physical_repr().cast(&DataType::Int128)?;
        Ok(RangeValues::Whole(key.i128()?.iter().collect(), unit))
    };
    let micros = TimeUnit::Microseconds;
    match key.dtype() {
        float if float.is_float() => {
            let key = key.cast(&DataType::Float64)?;
            Ok(RangeValues::Float(key.f64()?.iter().collect()))
        }
        DataType::Decimal(_, scale) => whole(key, 10_i128.pow(u32::try_from(*scale).unwrap_or(0))),
        DataType::Date => whole(&key.cast(&DataType::Datetime(micros, None))?, 1),
        DataType::Time
        | DataType::Datetime(TimeUnit::Nanoseconds, _)
        | DataType::Duration(TimeUnit::Nanoseconds) => whole(key, 1_000),
        DataType::Datetime(_, zone) => {
            whole(&key.cast(&DataType::Datetime(micros, zone.clone()))?, 1)
        }
        DataType::Duration(_) => whole(&key.cast(&DataType::Duration(micros))?, 1),
        _ => whole(key, 1),
    }
}

/// Some of the values.
pub(super) fn part(values: &RangeValues, rows: Range<usize>) -> RangeValues {
    match values {
        RangeValues::Whole(values, unit) => RangeValues::Whole(values[rows].to_vec(), *unit),
        RangeValues::Float(values) => RangeValues::Float(values[rows].to_vec()),
    }
}
