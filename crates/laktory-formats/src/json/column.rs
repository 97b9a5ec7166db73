//! Columns of Arrow that are filled from values of JSON.
//!
//! A value that is not of the declared type is an error, never a null. Converted are: integers to floats and decimals, `2.0`
//! to an integer, texts to decimals, dates, times and datetimes; and everything to `String`: texts as they are, other
//! values as their JSON text.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Decimal128Builder, Float64Builder, Int64Builder, StringViewBuilder,
    UInt64Builder,
};
use arrow_array::types::{
    Date32Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float32Type, Int8Type, Int16Type, Int32Type, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{
    ArrayRef, FixedSizeListArray, Int64Array, LargeListArray, NullArray, StructArray,
};
use arrow_buffer::{BooleanBufferBuilder, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field as ArrowField, TimeUnit as ArrowUnit};
use laktory_core::semantics::iso;
use laktory_core::{DType, Error, Field, Result, TimeUnit};

use super::fault::{Fault, Flaw};
use super::keys::{Key, Keys};
use super::parse::{Cursor, Number, Parsed, Token, compact};

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    dtype: DType,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Null(usize),
    Bool(BooleanBuilder),
    /// Integers within bounds.
    Integer(Int64Builder, i64, i64),
    Unsigned(UInt64Builder),
    Float(Float64Builder),
    Decimal(Decimal128Builder, u8, u8),
    Text(StringViewBuilder),
    /// Counts of a unit, by the texts that stand for them.
    Count(Int64Builder, fn(&str, TimeUnit) -> Option<i64>, TimeUnit),
    List {
        items: Box<Column>,
        offsets: Vec<i64>,
        valid: BooleanBufferBuilder,
        width: Option<usize>,
    },
    Object(Object, BooleanBufferBuilder),
}

/// The columns of objects.
#[derive(Debug)]
pub(super) struct Object {
    keys: Keys,
    columns: Vec<Column>,
    /// Whether a field without column is an error.
    complete: bool,
}

impl Object {
    /// Columns for declared fields. `complete`: whether a further field is an error.
    ///
    /// # Errors
    /// `Unsupported` for a type that has no form in JSON.
    pub(super) fn new(fields: &[Field], complete: bool) -> Result<Self> {
        let mut out = Self {
            keys: Keys::default(),
            columns: Vec::with_capacity(fields.len()),
            complete,
        };
        for field in fields {
            if out.keys.add(&field.name).is_none() {
                return Err(Error::unsupported("more than 65536 fields of one object"));
            }
            let column = Column::new(&field.dtype, complete)
                .map_err(|error| error.context(format!("column `{}`", field.name)))?;
            out.columns.push(column);
        }
        Ok(out)
    }

    /// Takes the values of the object that has begun.
    pub(super) fn push(&mut self, cursor: &mut Cursor<'_>) -> Parsed<()> {
        self.keys.begin();
        let (mut likely, mut first) = (0, true);
        while let Some(key) = self.keys.next(cursor, likely, first)? {
            first = false;
            let place = match key {
                Key::Known(place) => place,
                Key::Unknown(name) if self.complete => {
                    return cursor.fault(Flaw::Unknown(name));
                }
                Key::Unknown(_) => {
                    cursor.skip()?;
                    continue;
                }
            };
            likely = place + 1;
            if let Err(fault) = self.columns[place].push(cursor) {
                return Err(fault.within(&self.keys.names()[place]));
            }
        }
        for (place, column) in self.columns.iter_mut().enumerate() {
            if !self.keys.has(place) {
                column.push_null();
            }
        }
        Ok(())
    }

    fn push_null(&mut self) {
        self.columns.iter_mut().for_each(Column::push_null);
    }

    /// The columns so far; they are empty again.
    pub(super) fn take(&mut self) -> Result<Vec<ArrayRef>> {
        self.columns.iter_mut().map(Column::take).collect()
    }
}

fn date(text: &str, _: TimeUnit) -> Option<i64> {
    iso::timestamp(text)?.days().map(i64::from)
}

fn time(text: &str, _: TimeUnit) -> Option<i64> {
    iso::time(text)
}

fn datetime(text: &str, unit: TimeUnit) -> Option<i64> {
    iso::timestamp(text)?.count(unit)
}

/// The count of a duration such as `-PT1.5S`.
fn duration(text: &str, unit: TimeUnit) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let seconds = rest.strip_prefix("PT")?.strip_suffix('S')?;
    let scale = match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    };
    let count = i64::try_from(scaled(seconds, 38, scale)?).ok()?;
    Some(if negative { -count } else { count })
}

impl Column {
    fn new(dtype: &DType, complete: bool) -> Result<Self> {
        let integer = |least: i64, most: i64| Values::Integer(Int64Builder::new(), least, most);
        let count = |parse, unit| Values::Count(Int64Builder::new(), parse, unit);
        let list = |inner: &DType, width| {
            Ok::<_, Error>(Values::List {
                items: Box::new(Self::new(inner, complete)?),
                offsets: vec![0],
                valid: BooleanBufferBuilder::new(0),
                width,
            })
        };
        let values = match dtype {
            DType::Null => Values::Null(0),
            DType::Boolean => Values::Bool(BooleanBuilder::new()),
            DType::Int8 => integer(i8::MIN.into(), i8::MAX.into()),
            DType::Int16 => integer(i16::MIN.into(), i16::MAX.into()),
            DType::Int32 => integer(i32::MIN.into(), i32::MAX.into()),
            DType::Int64 => integer(i64::MIN, i64::MAX),
            DType::UInt8 => integer(0, u8::MAX.into()),
            DType::UInt16 => integer(0, u16::MAX.into()),
            DType::UInt32 => integer(0, u32::MAX.into()),
            DType::UInt64 => Values::Unsigned(UInt64Builder::new()),
            DType::Float32 | DType::Float64 => Values::Float(Float64Builder::new()),
            DType::Int128 | DType::UInt128 => decimal(38, 0)?,
            DType::Decimal { precision, scale } => decimal(precision.unwrap_or(38), *scale)?,
            DType::String | DType::Categorical | DType::Enum(_) => {
                Values::Text(StringViewBuilder::new().with_fixed_block_size(1 << 18))
            }
            DType::Date => count(date, TimeUnit::Second),
            DType::Time => count(time, TimeUnit::Nanosecond),
            DType::Datetime { unit, .. } => count(datetime, *unit),
            DType::Duration(unit) => count(duration, *unit),
            DType::List(inner) => list(inner, None)?,
            DType::Array(inner, width) => list(inner, Some(*width))?,
            DType::Struct(fields) => {
                Values::Object(Object::new(fields, complete)?, BooleanBufferBuilder::new(0))
            }
            other => {
                return Err(Error::unsupported(format!(
                    "values of type {other} cannot be read from JSON"
                ))
                .with_hint(
                    "declare the column as `String`, which takes the JSON text of any value",
                ));
            }
        };
        Ok(Self {
            dtype: dtype.clone(),
            values,
        })
    }

    fn push(&mut self, cursor: &mut Cursor<'_>) -> Parsed<()> {
        cursor.space();
        let from = cursor.at();
        let token = cursor.token()?;
        if let Token::Null = token {
            self.push_null();
            return Ok(());
        }
        let fits = match (&mut self.values, &token) {
            (Values::Bool(values), Token::Bool(value)) => {
                values.append_value(*value);
                true
            }
            (Values::Integer(values, least, most), Token::Number(number)) => {
                let value = whole(number)
                    .and_then(|value| i64::try_from(value).ok())
                    .filter(|value| (*least..=*most).contains(value));
                value.map(|value| values.append_value(value)).is_some()
            }
            (Values::Unsigned(values), Token::Number(number)) => {
                let value = whole(number).and_then(|value| u64::try_from(value).ok());
                value.map(|value| values.append_value(value)).is_some()
            }
            (Values::Float(values), Token::Number(number)) => {
                let value = match self.dtype {
                    // Rounded once, to what it was when it was written.
                    DType::Float32 => number.raw.parse().map_or(f64::NAN, f32::into),
                    _ => number.float(),
                };
                let fits = value.is_finite();
                if fits {
                    values.append_value(value);
                }
                fits
            }
            (Values::Decimal(values, precision, scale), Token::Number(number)) => {
                let value = scaled(number.raw, *precision, *scale);
                value.map(|value| values.append_value(value)).is_some()
            }
            (Values::Decimal(values, precision, scale), Token::Text(text)) => {
                let value = scaled(text.raw, *precision, *scale);
                value.map(|value| values.append_value(value)).is_some()
            }
            (Values::Text(values), Token::Text(text)) => {
                values.append_value(text.value());
                true
            }
            (Values::Text(values), token) => {
                cursor.skip_rest(token)?;
                values.append_value(compact(cursor.since(from)));
                true
            }
            (Values::Count(values, parse, unit), Token::Text(text)) => {
                let value = parse(&text.value(), *unit);
                value.map(|value| values.append_value(value)).is_some()
            }
            (Values::Count(values, ..), Token::Number(number))
                if matches!(self.dtype, DType::Duration(_)) =>
            {
                let value = whole(number).and_then(|value| i64::try_from(value).ok());
                value.map(|value| values.append_value(value)).is_some()
            }
            (
                Values::List {
                    items,
                    offsets,
                    valid,
                    width,
                },
                Token::List,
            ) => {
                let mut length = 0;
                while cursor.item(length == 0)? {
                    items.push(cursor)?;
                    length += 1;
                }
                let end = offsets.last().copied().unwrap_or_default();
                offsets.push(end + i64::try_from(length).unwrap_or(i64::MAX));
                valid.append(true);
                width.is_none_or(|width| width == length)
            }
            (Values::Object(object, valid), Token::Object) => {
                object.push(cursor)?;
                valid.append(true);
                true
            }
            _ => {
                cursor.skip_rest(&token)?;
                false
            }
        };
        if fits {
            return Ok(());
        }
        let value = cursor.since(from).to_owned();
        let dtype = self.dtype.clone();
        Err(Fault::new(from, Flaw::Misfit { value, dtype }))
    }

    fn push_null(&mut self) {
        match &mut self.values {
            Values::Null(length) => *length += 1,
            Values::Bool(values) => values.append_null(),
            Values::Integer(values, ..) | Values::Count(values, ..) => values.append_null(),
            Values::Unsigned(values) => values.append_null(),
            Values::Float(values) => values.append_null(),
            Values::Decimal(values, ..) => values.append_null(),
            Values::Text(values) => values.append_null(),
            Values::List {
                items,
                offsets,
                valid,
                width,
            } => {
                for _ in 0..width.unwrap_or_default() {
                    items.push_null();
                }
                let length = i64::try_from(width.unwrap_or_default()).unwrap_or_default();
                offsets.push(offsets.last().copied().unwrap_or_default() + length);
                valid.append(false);
            }
            Values::Object(object, valid) => {
                object.push_null();
                valid.append(false);
            }
        }
    }

    fn take(&mut self) -> Result<ArrayRef> {
        let broken = |error: arrow_schema::ArrowError| Error::internal(error.to_string());
        Ok(match &mut self.values {
            Values::Null(length) => Arc::new(NullArray::new(std::mem::take(length))),
            Values::Bool(values) => Arc::new(values.finish()),
            Values::Unsigned(values) => Arc::new(values.finish()),
            Values::Decimal(values, precision, scale) => {
                let scale = i8::try_from(*scale).unwrap_or_default();
                let values = values.finish();
                Arc::new(
                    values
                        .with_precision_and_scale(*precision, scale)
                        .map_err(broken)?,
                )
            }
            Values::Text(values) => Arc::new(values.finish()),
            Values::Float(values) if self.dtype == DType::Float32 => Arc::new(
                values
                    .finish()
                    .unary::<_, Float32Type>(|value| value as f32),
            ),
            Values::Float(values) => Arc::new(values.finish()),
            Values::Integer(values, ..) | Values::Count(values, ..) => {
                counts(values.finish(), &self.dtype)?
            }
            Values::List {
                items,
                offsets,
                valid,
                width,
            } => {
                let items = items.take()?;
                let nulls = nulls(valid);
                let field = ArrowField::new("item", items.data_type().clone(), true);
                let offsets = std::mem::replace(offsets, vec![0]);
                match width {
                    Some(width) => {
                        let width = i32::try_from(*width).map_err(|_| Error::internal("width"))?;
                        let length = offsets.len() - 1;
                        Arc::new(
                            FixedSizeListArray::try_new_with_length(
                                Arc::new(field),
                                width,
                                items,
                                nulls,
                                length,
                            )
                            .map_err(broken)?,
                        )
                    }
                    None => {
                        let offsets = OffsetBuffer::new(offsets.into());
                        Arc::new(
                            LargeListArray::try_new(Arc::new(field), offsets, items, nulls)
                                .map_err(broken)?,
                        )
                    }
                }
            }
            Values::Object(object, valid) => {
                let length = valid.len();
                let names = object.keys.names().to_vec();
                let columns = object.take()?;
                let fields: Vec<ArrowField> = names
                    .iter()
                    .zip(&columns)
                    .map(|(name, column)| {
                        ArrowField::new(&**name, column.data_type().clone(), true)
                    })
                    .collect();
                let nulls = nulls(valid);
                Arc::new(
                    StructArray::try_new_with_length(fields.into(), columns, nulls, length)
                        .map_err(broken)?,
                )
            }
        })
    }
}

fn nulls(valid: &mut BooleanBufferBuilder) -> Option<NullBuffer> {
    Some(NullBuffer::new(valid.finish())).filter(|nulls| nulls.null_count() > 0)
}

/// Counts as values of a type.
fn counts(values: Int64Array, dtype: &DType) -> Result<ArrayRef> {
    let arrow = dtype.to_arrow();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked by bounds"
    )]
    Ok(match arrow {
        Some(DataType::Int8) => Arc::new(values.unary::<_, Int8Type>(|value| value as i8)),
        Some(DataType::Int16) => Arc::new(values.unary::<_, Int16Type>(|value| value as i16)),
        Some(DataType::Int32) => Arc::new(values.unary::<_, Int32Type>(|value| value as i32)),
        Some(DataType::Int64) => Arc::new(values),
        Some(DataType::UInt8) => Arc::new(values.unary::<_, UInt8Type>(|value| value as u8)),
        Some(DataType::UInt16) => Arc::new(values.unary::<_, UInt16Type>(|value| value as u16)),
        Some(DataType::UInt32) => Arc::new(values.unary::<_, UInt32Type>(|value| value as u32)),
        Some(DataType::Date32) => Arc::new(values.unary::<_, Date32Type>(|value| value as i32)),
        Some(DataType::Time64(ArrowUnit::Nanosecond)) => {
            Arc::new(values.reinterpret_cast::<Time64NanosecondType>())
        }
        Some(DataType::Timestamp(unit, zone)) => match unit {
            ArrowUnit::Second => Arc::new(
                values
                    .reinterpret_cast::<TimestampSecondType>()
                    .with_timezone_opt(zone),
            ),
            ArrowUnit::Millisecond => Arc::new(
                values
                    .reinterpret_cast::<TimestampMillisecondType>()
                    .with_timezone_opt(zone),
            ),
            ArrowUnit::Microsecond => Arc::new(
                values
                    .reinterpret_cast::<TimestampMicrosecondType>()
                    .with_timezone_opt(zone),
            ),
            ArrowUnit::Nanosecond => Arc::new(
                values
                    .reinterpret_cast::<TimestampNanosecondType>()
                    .with_timezone_opt(zone),
            ),
        },
        Some(DataType::Duration(unit)) => match unit {
            ArrowUnit::Second => Arc::new(values.reinterpret_cast::<DurationSecondType>()),
            ArrowUnit::Millisecond => {
                Arc::new(values.reinterpret_cast::<DurationMillisecondType>())
            }
            ArrowUnit::Microsecond => {
                Arc::new(values.reinterpret_cast::<DurationMicrosecondType>())
            }
            ArrowUnit::Nanosecond => Arc::new(values.reinterpret_cast::<DurationNanosecondType>()),
        },
        _ => return Err(Error::internal(format!("{dtype} is no count"))),
    })
}

fn decimal(precision: u8, scale: u8) -> Result<Values> {
    if !(1..=38).contains(&precision) || scale > precision {
        return Err(Error::new(
            laktory_core::ErrorKind::InvalidArgument,
            format!("decimal({precision}, {scale}) does not exist"),
        )
        .with_hint("precision is 1 to 38, scale at most the precision"));
    }
    Ok(Values::Decimal(Decimal128Builder::new(), precision, scale))
}

/// The value of a number without fraction, however it is written.
fn whole(number: &Number<'_>) -> Option<i128> {
    match number.integer() {
        None => scaled(number.raw, 38, 0),
        value => value,
    }
}

/// The value of a decimal number in units of its last digit, where it has no digits beyond.
fn scaled(raw: &str, precision: u8, scale: u8) -> Option<i128> {
    let (negative, rest) = match raw.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, raw),
    };
    let (digits, exponent) = match rest.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty()
        || !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let trimmed = significant.trim_end_matches('0');
    let zeros = i64::try_from(significant.len() - trimmed.len()).ok()?;
    let shift =
        i64::from(scale) + i64::from(exponent) - i64::try_from(fraction.len()).ok()? + zeros;
    if shift < 0 || i64::try_from(trimmed.len()).ok()? + shift > i64::from(precision) {
        return None;
    }
    let value = trimmed.parse::<i128>().ok()? * 10_i128.pow(u32::try_from(shift).ok()?);
    Some(if negative { -value } else { value })
}
