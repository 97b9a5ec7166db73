//! Functions that rewritten statements call.

use laktory_core::ErrorKind;
use polars::prelude::{
    Column, DataType, Field, IntoColumn, IntoSeries, PolarsResult, PolarsTruncate, RoundMode,
    RoundSeries, Schema, StringChunked, TimeUnit,
};
use polars::sql::FunctionOptions;
use polars::sql::FunctionRegistry;
use polars_plan::dsl::BaseColumnUdf;
use polars_plan::dsl::udf::UserDefinedFunction;
use sqlparser::ast::{DataType as SqlType, TimezoneInfo};

use super::frame_spec::Spec;
use super::{computed, frames};
use crate::convert::{convert_column, output_field};
use crate::error::carried;
use crate::schema::known;

/// `POSITION`, counted in characters.
pub(super) const POSITION: &str = "__laktory_position";

/// `ROUND`, with halves away from zero.
pub(super) const ROUND: &str = "__laktory_round";
/// `DATE_TRUNC`.
pub(super) const DATE_TRUNC: &str = "__laktory_date_trunc";

/// `SUM(DISTINCT x)`.
pub(super) const SUM_DISTINCT: &str = "__laktory_sum_distinct";
/// `AVG(DISTINCT x)`.
pub(super) const AVG_DISTINCT: &str = "__laktory_avg_distinct";
/// `REGEXP_EXTRACT`: a group of the first match, the whole match without group; empty without match is null.
pub(super) const REGEXP_EXTRACT: &str = "__laktory_regexp_extract";
/// `INITCAP`: upper case at the start of words, lower case elsewhere.
pub(super) const INITCAP: &str = "__laktory_initcap";
/// `DATEDIFF(end, start)` in days, or `DATE_DIFF(unit, start, end)` in borders crossed.
pub(super) const DATE_DIFF: &str = "__laktory_date_diff";

/// Private names, and what users call the functions.
pub(super) const NAMES: &[(&str, &str)] = &[
    (POSITION, "POSITION"),
    (ROUND, "ROUND"),
    (DATE_TRUNC, "DATE_TRUNC"),
    (SUM_DISTINCT, "SUM"),
    (AVG_DISTINCT, "AVG"),
    (REGEXP_EXTRACT, "REGEXP_EXTRACT"),
    (DATE_DIFF, "DATE_DIFF"),
    (INITCAP, "INITCAP"),
    ("__laktory_to_", "CAST to "),
    ("__laktory_try_to_", "TRY_CAST to "),
];

const TARGETS: &[&str] = &[
    "date",
    "time",
    "timestamp_ms",
    "timestamp_us",
    "timestamp_ns",
    "timestamp_utc",
    "boolean",
];

/// The function that converts to a SQL type, where polars' own cast refuses texts.
pub(super) fn conversion(data_type: &SqlType, strict: bool) -> Option<&'static str> {
    let names: (&str, &str) = match data_type {
        SqlType::Date => ("__laktory_to_date", "__laktory_try_to_date"),
        SqlType::Time(None, TimezoneInfo::None) => ("__laktory_to_time", "__laktory_try_to_time"),
        SqlType::Timestamp(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone)
        | SqlType::Datetime(precision)
        | SqlType::TimestampNtz(precision) => match precision {
            Some(1..=3) => ("__laktory_to_timestamp_ms", "__laktory_try_to_timestamp_ms"),
            None | Some(4..=6) => ("__laktory_to_timestamp_us", "__laktory_try_to_timestamp_us"),
            Some(7..=9) => ("__laktory_to_timestamp_ns", "__laktory_try_to_timestamp_ns"),
            _ => return None,
        },
        SqlType::Timestamp(None, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => (
            "__laktory_to_timestamp_utc",
            "__laktory_try_to_timestamp_utc",
        ),
        SqlType::Boolean | SqlType::Bool => ("__laktory_to_boolean", "__laktory_try_to_boolean"),
        _ => return None,
    };
    Some(if strict { names.0 } else { names.1 })
}

/// The functions of rewritten statements.
pub(super) struct Functions;

impl FunctionRegistry for Functions {
    fn register(&mut self, name: &str, _: UserDefinedFunction) -> PolarsResult<()> {
        Err(carried(
            ErrorKind::Unsupported,
            &format!("function `{name}` cannot be registered"),
        ))
    }

    fn get_udf(&self, name: &str) -> PolarsResult<Option<UserDefinedFunction>> {
        Ok(function(name))
    }

    fn contains(&self, name: &str) -> bool {
        function(name).is_some()
    }
}

/// The function of a window: arguments, then partition keys, then order keys.
pub(super) fn window(spec: Spec) -> UserDefinedFunction {
    let (name, output) = (spec.name(), spec.clone());
    let mut function = elementwise(
        &name,
        move |columns| frames::evaluate(&spec, columns),
        move |_, fields| frames::output(&output, fields),
    );
    function.options = FunctionOptions::length_preserving();
    function
}

fn function(name: &str) -> Option<UserDefinedFunction> {
    if name == POSITION {
        return Some(elementwise(
            name,
            |columns| crate::funcs::position(&columns[0], &columns[1]),
            |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::Int64)),
        ));
    }
    if name == ROUND {
        return Some(elementwise(
            name,
            |columns| round(columns),
            |_, fields| known(&fields[0]),
        ));
    }
    if name == DATE_TRUNC {
        return Some(elementwise(
            name,
            |columns| date_trunc(columns),
            |_, fields| match fields {
                [_, time] => known(time),
                _ => Err(carried(
                    ErrorKind::InvalidArgument,
                    "DATE_TRUNC takes a unit and a time",
                )),
            },
        ));
    }
    if let Some(spec) = Spec::parse(name) {
        return Some(window(spec));
    }
    if name == SUM_DISTINCT || name == AVG_DISTINCT {
        let average = name == AVG_DISTINCT;
        let mut function = elementwise(
            name,
            move |columns| computed::distinct(&columns[0], average),
            move |_, fields| computed::distinct_output(&fields[0], average),
        );
        function.options = FunctionOptions::aggregation();
        return Some(function);
    }
    if name == REGEXP_EXTRACT {
        return Some(elementwise(
            name,
            |columns| computed::regexp_extract(columns),
            |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::String)),
        ));
    }
    if name == INITCAP {
        return Some(elementwise(
            name,
            |columns| computed::initcap(&columns[0]),
            |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::String)),
        ));
    }
    if name == DATE_DIFF {
        return Some(elementwise(
            name,
            |columns| computed::date_diff(columns),
            |_, fields| Ok(Field::new(fields[0].name().clone(), DataType::Int64)),
        ));
    }
    let (target, strict) = match name.strip_prefix("__laktory_to_") {
        Some(target) => (target, true),
        None => (name.strip_prefix("__laktory_try_to_")?, false),
    };
    TARGETS.contains(&target).then(|| {
        let dtype = match target {
            "date" => DataType::Date,
            "time" => DataType::Time,
            "timestamp_ms" => DataType::Datetime(TimeUnit::Milliseconds, None),
            "timestamp_ns" => DataType::Datetime(TimeUnit::Nanoseconds, None),
            "timestamp_utc" => {
                DataType::Datetime(TimeUnit::Microseconds, Some(polars::prelude::TimeZone::UTC))
            }
            "boolean" => DataType::Boolean,
            _ => DataType::Datetime(TimeUnit::Microseconds, None),
        };
        let output = dtype.clone();
        elementwise(
            name,
            move |columns| convert_column(&columns[0], &dtype, strict),
            move |_, fields| output_field(&fields[0], &output),
        )
    })
}

fn elementwise(
    name: &str,
    function: impl Fn(&mut [Column]) -> PolarsResult<Column> + Send + Sync + 'static,
    output: impl Fn(&Schema, &[Field]) -> PolarsResult<Field> + Send + Sync + 'static,
) -> UserDefinedFunction {
    let mut function = UserDefinedFunction::new(name.into(), BaseColumnUdf::new(function, output));
    function.options = FunctionOptions::elementwise();
    function
}

/// Rounds to a number of decimals, which may be negative.
fn round(columns: &[Column]) -> PolarsResult<Column> {
    let [numbers, rest @ ..] = columns else {
        return Err(carried(ErrorKind::InvalidArgument, "ROUND takes a number"));
    };
    let decimals = match rest.first() {
        Some(decimals) => decimals.get(0)?.extract::<i32>().unwrap_or(0),
        None => 0,
    };
    let numbers = numbers.as_materialized_series();
    let mode = RoundMode::HalfAwayFromZero;
    let rounded = match u32::try_from(decimals) {
        Ok(decimals) => numbers.round(decimals, mode)?,
        Err(_) => {
            let unit = 10_f64.powi(-decimals);
            let whole = (numbers.cast(&DataType::Float64)? / unit).round(0, mode)? * unit;
            whole.cast(numbers.dtype())?
        }
    };
    Ok(rounded.into_column())
}

fn date_trunc(columns: &[Column]) -> PolarsResult<Column> {
    let invalid = |why: &str| carried(ErrorKind::InvalidArgument, &format!("DATE_TRUNC: {why}"));
    let [unit, times] = columns else {
        return Err(invalid("takes a unit and a time"));
    };
    let unit = unit.get(0)?;
    let unit = unit.get_str().unwrap_or_default().to_lowercase();
    let every = match unit.as_str() {
        "microsecond" | "microseconds" => "1us",
        "millisecond" | "milliseconds" => "1ms",
        "second" => "1s",
        "minute" => "1m",
        "hour" => "1h",
        "day" => "1d",
        "week" => "1w",
        "month" => "1mo",
        "quarter" => "1q",
        "year" => "1y",
        "decade" => "10y",
        "century" => "100y",
        _ => return Err(invalid(&format!("there is no unit `{unit}`"))),
    };
    let every: StringChunked = std::iter::once(Some(every)).collect();
    let times = times.as_materialized_series();
    let truncated = match times.dtype() {
        DataType::Date => times.date()?.truncate(None, &every)?.into_series(),
        DataType::Datetime(_, None) => times.datetime()?.truncate(None, &every)?.into_series(),
        other => return Err(invalid(&format!("a value of type {other} is not a time"))),
    };
    Ok(truncated.into_column())
}
