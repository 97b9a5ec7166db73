//! Conversions of whole arrays. Points in time and durations convert by their counts: a zone changes how a point is
//! shown, not which point it is.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Int64Array, LargeListArray, StructArray,
    new_null_array,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Int32Type, Int64Type, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use datafusion::arrow::util::display::array_value_to_string;
use laktory_core::{Error, ErrorKind, Result};

use super::{decimal, text};
use crate::error::ResultExt;
use crate::funcs::arrays;
use crate::types::{is_decimal, is_float, is_integer, is_list, is_text, list_of, shown};

const DAY_NANOSECONDS: i64 = 86_400_000_000_000;

/// The values as another type. What does not fit fails when `strict`, else becomes null.
pub(crate) fn convert_array(array: &ArrayRef, to: &DataType, strict: bool) -> Result<ArrayRef> {
    let from = array.data_type();
    if from == to {
        return Ok(array.clone());
    }
    if let DataType::Dictionary(_, values) = from {
        let plain = engine(array, values, true)?;
        return convert_array(&plain, to, strict);
    }
    if let DataType::Dictionary(_, values) = to {
        let plain = convert_array(array, values, strict)?;
        return engine(&plain, to, true);
    }
    let out = match (from, to) {
        (DataType::Null, to) => new_null_array(to, array.len()),
        (DataType::Struct(_), DataType::Struct(_)) => return fields(array, to, strict),
        (from, to) if is_list(from) && is_list(to) => return items(array, to, strict),
        (from, to) if is_text(from) && !is_text(to) => text::parse(array, to)?,
        (from, to) if is_text(to) && !is_text(from) => text::print(array, to)?,
        (from, to) if super::support::is_binary(to) && !is_binary_or_text(from) => {
            let printed = text::print(array, &DataType::Utf8View)?;
            engine(&printed, to, false)?
        }
        (from, to) if is_decimal(from) || is_decimal(to) => decimal::convert(array, to)?,
        (from, to) if is_counted(from) || is_counted(to) => counted(array, to)?,
        (_, to) => engine(array, to, false)?,
    };
    if strict {
        fits(array, &out, to)?;
    }
    Ok(out)
}

fn is_binary_or_text(dtype: &DataType) -> bool {
    is_text(dtype) || super::support::is_binary(dtype)
}

/// Fails when a value became null.
pub(super) fn fits(array: &ArrayRef, out: &ArrayRef, to: &DataType) -> Result<()> {
    if out.null_count() <= array.logical_null_count() {
        return Ok(());
    }
    let bad = (0..array.len()).find(|row| array.is_valid(*row) && out.is_null(*row));
    let value = match bad {
        Some(row) => array_value_to_string(array, row).or_error()?,
        None => String::new(),
    };
    let mut error = Error::new(
        ErrorKind::ConversionFailed,
        format!("`{}` is not a {}", shortened(&value), kind(to)),
    );
    if is_text(array.data_type()) {
        error =
            error.with_hint("`cast` with a text that does not fit fails; filter or mend it before");
    }
    Err(error)
}

fn kind(to: &DataType) -> String {
    match to {
        DataType::Date32 => "date of the form `2024-02-29`".into(),
        DataType::Time64(_) => "time of the form `12:34:56`".into(),
        DataType::Timestamp(..) => "datetime of ISO 8601".into(),
        other => format!("value of type {}", shown(other)),
    }
}

/// The beginning of a long text.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// The engine's own conversion.
pub(super) fn engine(array: &ArrayRef, to: &DataType, strict: bool) -> Result<ArrayRef> {
    let options = CastOptions {
        safe: !strict,
        ..CastOptions::default()
    };
    cast_with_options(array, to, &options).or_error()
}

fn is_counted(dtype: &DataType) -> bool {
    matches!(
        dtype,
        DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(..)
            | DataType::Duration(_)
    )
}

/// How many of a unit a day has.
pub(crate) fn per_day(unit: TimeUnit) -> i64 {
    86_400 * per_second(unit)
}

/// How many of a unit a second has.
pub(crate) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// A count of one unit in another, rounded down; `None` out of range.
pub(crate) fn rescaled(count: i64, from: TimeUnit, to: TimeUnit) -> Option<i64> {
    let (from, to) = (per_second(from), per_second(to));
    if from >= to {
        Some(count.div_euclid(from / to))
    } else {
        count.checked_mul(to / from)
    }
}

/// From or to dates, times, datetimes and durations.
fn counted(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    use DataType::{Date32, Duration, Time64, Timestamp};
    let from = match array.data_type() {
        DataType::Date64 => return counted(&engine(array, &Date32, false)?, to),
        DataType::Time32(_) | Time64(TimeUnit::Microsecond) => {
            let nanoseconds = engine(array, &Time64(TimeUnit::Nanosecond), false)?;
            return match to {
                Time64(TimeUnit::Nanosecond) => Ok(nanoseconds),
                _ => counted(&nanoseconds, to),
            };
        }
        from => from.clone(),
    };
    let counts = match &from {
        from if is_counted(from) => arrays::integers(array)?,
        _ => engine(array, &DataType::Int64, false)?
            .as_primitive::<Int64Type>()
            .clone(),
    };
    let counts = match (&from, to) {
        (Date32, Timestamp(unit, _)) => {
            let day = per_day(*unit);
            counts.unary_opt(|days| days.checked_mul(day))
        }
        (Timestamp(unit, _), Date32) => {
            let day = per_day(*unit);
            counts.unary(|count| count.div_euclid(day))
        }
        (Timestamp(unit, _), Time64(_)) => {
            let (day, nanoseconds) = (per_day(*unit), 1_000_000_000 / per_second(*unit));
            counts.unary(|count| count.rem_euclid(day) * nanoseconds)
        }
        (Timestamp(a, _), Timestamp(b, _)) | (Duration(a), Duration(b)) if a != b => {
            counts.unary_opt(|count| rescaled(count, *a, *b))
        }
        (Time64(_), Duration(unit)) => {
            counts.unary_opt(|count| rescaled(count, TimeUnit::Nanosecond, *unit))
        }
        (from, Time64(_)) if !is_counted(from) => {
            counts.unary_opt(|count| (0..DAY_NANOSECONDS).contains(&count).then_some(count))
        }
        _ => counts,
    };
    if is_integer(to) || is_float(to) {
        return engine(&(Arc::new(counts) as ArrayRef), to, false);
    }
    from_counts(counts, to)
}

/// Counts as dates, times, datetimes or durations; days that no date has become null.
pub(crate) fn from_counts(counts: Int64Array, to: &DataType) -> Result<ArrayRef> {
    fn of<T: ArrowPrimitiveType<Native = i64>>(counts: Int64Array, to: &DataType) -> ArrayRef {
        Arc::new(counts.reinterpret_cast::<T>().with_data_type(to.clone()))
    }
    Ok(match to {
        DataType::Date32 => {
            let days = counts.unary_opt::<_, Int32Type>(|days| i32::try_from(days).ok());
            Arc::new(days.reinterpret_cast::<Date32Type>())
        }
        DataType::Time64(TimeUnit::Nanosecond) => of::<Time64NanosecondType>(counts, to),
        DataType::Timestamp(TimeUnit::Second, _) => of::<TimestampSecondType>(counts, to),
        DataType::Timestamp(TimeUnit::Millisecond, _) => of::<TimestampMillisecondType>(counts, to),
        DataType::Timestamp(TimeUnit::Microsecond, _) => of::<TimestampMicrosecondType>(counts, to),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => of::<TimestampNanosecondType>(counts, to),
        DataType::Duration(TimeUnit::Second) => of::<DurationSecondType>(counts, to),
        DataType::Duration(TimeUnit::Millisecond) => of::<DurationMillisecondType>(counts, to),
        DataType::Duration(TimeUnit::Microsecond) => of::<DurationMicrosecondType>(counts, to),
        DataType::Duration(TimeUnit::Nanosecond) => of::<DurationNanosecondType>(counts, to),
        other => {
            return engine(&(Arc::new(counts) as ArrayRef), other, false);
        }
    })
}

/// Lists, element by element.
fn items(array: &ArrayRef, to: &DataType, strict: bool) -> Result<ArrayRef> {
    let lists = arrays::lists(array)?;
    let item = crate::types::element(to).cloned().unwrap_or(DataType::Null);
    // Elements under null lists are not part of any value; without them none can fail.
    let lists = compacted(lists)?;
    let values = convert_array(lists.values(), &item, strict)?;
    let DataType::LargeList(field) = list_of(item) else {
        return Err(Error::internal("a list type that is no list"));
    };
    let out = LargeListArray::try_new(
        field,
        lists.offsets().clone(),
        values,
        lists.nulls().cloned(),
    )
    .or_error()?;
    engine(&(Arc::new(out) as ArrayRef), to, true)
}

/// Lists whose values are those of the lists that are not null, and no more.
pub(crate) fn compacted(lists: LargeListArray) -> Result<LargeListArray> {
    let first = lists.offsets().first().copied().unwrap_or(0);
    let last = lists.offsets().last().copied().unwrap_or(0);
    let hidden = lists.nulls().is_some_and(|nulls| {
        nulls.null_count() > 0
            && (0..lists.len()).any(|row| lists.is_null(row) && lists.value_length(row) > 0)
    });
    let whole = first == 0 && usize::try_from(last) == Ok(lists.values().len());
    if whole && !hidden {
        return Ok(lists);
    }
    let rows = datafusion::arrow::array::UInt64Array::from_iter_values(
        (0..lists.len()).map(|row| row as u64),
    );
    let taken = datafusion::arrow::compute::take(&lists, &rows, None).or_error()?;
    Ok(taken.as_list().clone())
}

/// Structs, field by field; fields that were not there are null.
fn fields(array: &ArrayRef, to: &DataType, strict: bool) -> Result<ArrayRef> {
    let DataType::Struct(wanted) = to else {
        return Err(Error::internal("a struct type that is no struct"));
    };
    let known = array.as_struct();
    let columns = wanted
        .iter()
        .map(|field| match known.column_by_name(field.name()) {
            Some(column) => {
                let column = masked(column, known)?;
                convert_array(&column, field.data_type(), strict)
            }
            None => Ok(new_null_array(field.data_type(), known.len())),
        })
        .collect::<Result<Vec<_>>>()?;
    let out = StructArray::try_new_with_length(
        wanted.clone(),
        columns,
        known.nulls().cloned(),
        known.len(),
    )
    .or_error()?;
    Ok(Arc::new(out))
}

/// A field of a struct, null where the struct is.
pub(crate) fn masked(column: &ArrayRef, parent: &StructArray) -> Result<ArrayRef> {
    match parent.nulls() {
        Some(nulls) if nulls.null_count() > 0 => {
            let hidden = datafusion::arrow::array::BooleanArray::new(!nulls.inner(), None);
            datafusion::arrow::compute::nullif(column, &hidden).or_error()
        }
        _ => Ok(column.clone()),
    }
}
