//! Frames of conformance cases: column texts and JSON values turned into Arrow batches.
//!
//! Every engine gets its input through this one door, as the Arrow types that the contract crate assigns to logical
//! types. Types without an Arrow type of their own (categorical, enum, 128-bit integers) travel as their carrier; the
//! runner converts them inside the engine where it can.

use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, BinaryViewBuilder, BooleanBuilder, StringViewBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float16Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, LargeListArray, MapArray, NullArray, PrimitiveArray,
    RecordBatch, RecordBatchOptions, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use base64::Engine as _;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use laktory_core::DType;
use serde_json::Value;

use crate::types::parse_type;

/// One column of a case.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Logical type.
    pub dtype: DType,
    /// Values.
    pub array: ArrayRef,
}

/// A small table of a case: input, or expected output.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Columns, in order.
    pub columns: Vec<Column>,
    /// Rows; also known when there is no column.
    pub rows: usize,
}

impl Table {
    /// A table of `[name, type, values]` entries.
    ///
    /// # Errors
    /// A sentence that names the column and what is wrong with it.
    pub fn parse(columns: &[Value]) -> Result<Self, String> {
        columns
            .iter()
            .map(|column| match column.as_array().map(Vec::as_slice) {
                Some(
                    [
                        Value::String(name),
                        Value::String(text),
                        Value::Array(values),
                    ],
                ) => column_of(name, text, values),
                _ => Err(format!("`{column}` is not [name, type, values]")),
            })
            .collect::<Result<_, _>>()
            .and_then(Self::new)
    }

    /// A table of columns, which must have one length.
    ///
    /// # Errors
    /// A sentence that names the column of another length.
    pub fn new(columns: Vec<Column>) -> Result<Self, String> {
        let rows = columns.first().map_or(0, |column| column.array.len());
        match columns.iter().find(|column| column.array.len() != rows) {
            Some(column) => Err(format!(
                "column `{}` has {} values, the first one {rows}",
                column.name,
                column.array.len()
            )),
            None => Ok(Self { columns, rows }),
        }
    }

    /// The Arrow schema of [`Table::batch`].
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|column| Field::new(&column.name, column.array.data_type().clone(), true))
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// The table as one batch.
    ///
    /// # Errors
    /// Arrow's text, for names or lengths that do not fit together.
    pub fn batch(&self) -> Result<RecordBatch, String> {
        let arrays = self
            .columns
            .iter()
            .map(|column| Arc::clone(&column.array))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(self.schema(), arrays, &options)
            .map_err(|error| error.to_string())
    }
}

/// A column from its type text and JSON values.
///
/// # Errors
/// A sentence that names the column and what is wrong with it.
pub fn column_of(name: &str, type_text: &str, values: &[Value]) -> Result<Column, String> {
    let build = || {
        let dtype = parse_type(type_text)?;
        let array = array_of(&dtype, values)?;
        Ok((dtype, array))
    };
    let (dtype, array) = build().map_err(|error: String| format!("column `{name}`: {error}"))?;
    Ok(Column {
        name: name.to_owned(),
        dtype,
        array,
    })
}

/// Values of one type as an Arrow array of the type that [`DType::to_arrow`] gives.
///
/// # Errors
/// A sentence that names the value that is not of the type.
pub fn array_of(dtype: &DType, values: &[Value]) -> Result<ArrayRef, String> {
    let data_type = dtype
        .to_arrow()
        .ok_or_else(|| format!("{dtype} cannot be written in a case"))?;
    build(&data_type, &values.iter().collect::<Vec<_>>())
}

fn primitive<T: ArrowPrimitiveType>(
    data_type: &DataType,
    values: &[&Value],
    read: impl Fn(&Value) -> Option<T::Native>,
) -> Result<ArrayRef, String> {
    let native = optional(values, data_type, read)?;
    let array: PrimitiveArray<T> = native.into_iter().collect();
    Ok(Arc::new(array.with_data_type(data_type.clone())))
}

/// Each value read, null as `None`.
fn optional<T>(
    values: &[&Value],
    data_type: &DataType,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<Option<T>>, String> {
    values
        .iter()
        .map(|value| match value {
            Value::Null => Ok(None),
            value => read(value)
                .map(Some)
                .ok_or_else(|| format!("{value} is not a value of {data_type}")),
        })
        .collect()
}

#[allow(clippy::too_many_lines, reason = "one arm for each Arrow type")]
fn build(data_type: &DataType, values: &[&Value]) -> Result<ArrayRef, String> {
    macro_rules! integers {
        ($type:ty) => {
            primitive::<$type>(data_type, values, |value| integer(value)?.try_into().ok())
        };
    }
    match data_type {
        DataType::Null => match values.iter().find(|value| !value.is_null()) {
            Some(value) => Err(format!("{value} is not null")),
            None => Ok(Arc::new(NullArray::new(values.len()))),
        },
        DataType::Boolean => {
            let mut builder = BooleanBuilder::new();
            builder.extend(optional(values, data_type, Value::as_bool)?);
            Ok(ArrayBuilder::finish(&mut builder))
        }
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::UInt8 => integers!(UInt8Type),
        DataType::UInt16 => integers!(UInt16Type),
        DataType::UInt32 => integers!(UInt32Type),
        DataType::UInt64 => integers!(UInt64Type),
        #[allow(
            clippy::cast_possible_truncation,
            reason = "cases write 32-bit floats as JSON numbers"
        )]
        DataType::Float32 => {
            primitive::<Float32Type>(data_type, values, |v| Some(float(v)? as f32))
        }
        DataType::Float64 => primitive::<Float64Type>(data_type, values, float),
        DataType::Float16 => primitive::<Float16Type>(data_type, values, |v| {
            Some(<Float16Type as ArrowPrimitiveType>::Native::from_f64(
                float(v)?,
            ))
        }),
        DataType::Decimal128(_, scale) => {
            primitive::<Decimal128Type>(data_type, values, |value| decimal(value, *scale))
        }
        DataType::Utf8View => {
            let mut builder = StringViewBuilder::new();
            builder.extend(optional(values, data_type, |value| {
                value.as_str().map(str::to_owned)
            })?);
            Ok(ArrayBuilder::finish(&mut builder))
        }
        DataType::BinaryView => {
            let mut builder = BinaryViewBuilder::new();
            let decode = |value: &Value| {
                base64::engine::general_purpose::STANDARD
                    .decode(value.as_str()?)
                    .ok()
            };
            builder.extend(optional(values, data_type, decode)?);
            Ok(ArrayBuilder::finish(&mut builder))
        }
        DataType::Date32 => primitive::<Date32Type>(data_type, values, date),
        DataType::Time64(_) => primitive::<Time64NanosecondType>(data_type, values, time),
        DataType::Timestamp(unit, zone) => {
            let zoned = zone.is_some();
            let read = |value: &Value| timestamp(value, *unit, zoned);
            match unit {
                TimeUnit::Second => primitive::<TimestampSecondType>(data_type, values, read),
                TimeUnit::Millisecond => {
                    primitive::<TimestampMillisecondType>(data_type, values, read)
                }
                TimeUnit::Microsecond => {
                    primitive::<TimestampMicrosecondType>(data_type, values, read)
                }
                TimeUnit::Nanosecond => {
                    primitive::<TimestampNanosecondType>(data_type, values, read)
                }
            }
        }
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => integers!(DurationSecondType),
            TimeUnit::Millisecond => integers!(DurationMillisecondType),
            TimeUnit::Microsecond => integers!(DurationMicrosecondType),
            TimeUnit::Nanosecond => integers!(DurationNanosecondType),
        },
        DataType::LargeList(item) => {
            let lists = optional(values, data_type, |value| value.as_array().cloned())?;
            let items: Vec<&Value> = lists.iter().flatten().flatten().collect();
            let lengths = lists.iter().map(|list| list.as_ref().map_or(0, Vec::len));
            let array = LargeListArray::try_new(
                Arc::clone(item),
                OffsetBuffer::from_lengths(lengths),
                build(item.data_type(), &items)?,
                validity(&lists),
            );
            finish(array)
        }
        DataType::FixedSizeList(item, width) => {
            let lists = optional(values, data_type, |value| value.as_array().cloned())?;
            let wide = usize::try_from(*width).map_err(|error| error.to_string())?;
            let null = Value::Null;
            let mut items: Vec<&Value> = Vec::new();
            for list in &lists {
                match list {
                    Some(list) if list.len() != wide => {
                        return Err(format!("a list of {} where {wide} are wanted", list.len()));
                    }
                    Some(list) => items.extend(list),
                    None => items.extend(std::iter::repeat_n(&null, wide)),
                }
            }
            let items = build(item.data_type(), &items)?;
            finish(FixedSizeListArray::try_new(
                Arc::clone(item),
                *width,
                items,
                validity(&lists),
            ))
        }
        DataType::Struct(fields) => {
            let objects = optional(values, data_type, |value| value.as_object().cloned())?;
            let null = Value::Null;
            let columns = fields
                .iter()
                .map(|field| {
                    let members: Vec<&Value> = objects
                        .iter()
                        .map(|object| {
                            object
                                .as_ref()
                                .and_then(|object| object.get(field.name()))
                                .unwrap_or(&null)
                        })
                        .collect();
                    build(field.data_type(), &members)
                })
                .collect::<Result<Vec<_>, _>>()?;
            finish(StructArray::try_new_with_length(
                fields.clone(),
                columns,
                validity(&objects),
                objects.len(),
            ))
        }
        DataType::Map(entries, sorted) => map(data_type, entries, *sorted, values),
        other => Err(format!("a case has no values of the Arrow type {other}")),
    }
}

fn map(
    data_type: &DataType,
    entries: &Arc<Field>,
    sorted: bool,
    values: &[&Value],
) -> Result<ArrayRef, String> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(format!("the entries of {data_type} are not structs"));
    };
    let maps = optional(values, data_type, |value| {
        value
            .as_array()?
            .iter()
            .map(|pair| match pair.as_array().map(Vec::as_slice) {
                Some([key, value]) => Some((key.clone(), value.clone())),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()
    })?;
    let pairs = || maps.iter().flatten().flatten();
    let keys: Vec<&Value> = pairs().map(|(key, _)| key).collect();
    let items: Vec<&Value> = pairs().map(|(_, value)| value).collect();
    let columns = vec![
        build(fields[0].data_type(), &keys)?,
        build(fields[1].data_type(), &items)?,
    ];
    let structs = StructArray::try_new(fields.clone(), columns, None).map_err(|e| e.to_string())?;
    let lengths = maps.iter().map(|map| map.as_ref().map_or(0, Vec::len));
    finish(MapArray::try_new(
        Arc::clone(entries),
        OffsetBuffer::from_lengths(lengths),
        structs,
        validity(&maps),
        sorted,
    ))
}

fn finish<A: Array + 'static>(
    array: Result<A, arrow_schema::ArrowError>,
) -> Result<ArrayRef, String> {
    array
        .map(|array| Arc::new(array) as ArrayRef)
        .map_err(|error| error.to_string())
}

/// Which rows are there, for Arrow's null buffer.
fn validity<T>(rows: &[Option<T>]) -> Option<NullBuffer> {
    Some(rows.iter().map(Option::is_some).collect())
}

fn integer(value: &Value) -> Option<i128> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "integers beyond 64 bits arrive as whole floats"
    )]
    match value {
        Value::Number(number) => number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from))
            .or_else(|| {
                number
                    .as_f64()
                    .filter(|f| f.fract() == 0.0)
                    .map(|f| f as i128)
            }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Object(object) => match object.get("f")?.as_str()? {
            "nan" => Some(f64::NAN),
            "inf" => Some(f64::INFINITY),
            "-inf" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// The digits of a decimal text at `scale`; a plain integer is accepted too.
fn decimal(value: &Value, scale: i8) -> Option<i128> {
    let scale = usize::try_from(scale).ok()?;
    let Value::String(text) = value else {
        return integer(value)?.checked_mul(10i128.checked_pow(u32::try_from(scale).ok()?)?);
    };
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if part.len() > scale || !plain(whole) || !plain(part) {
        return None;
    }
    format!("{whole}{part:0<scale$}")
        .parse::<i128>()
        .ok()?
        .checked_mul(sign)
}

fn date(value: &Value) -> Option<i32> {
    let date: NaiveDate = value.as_str()?.parse().ok()?;
    i32::try_from((date - NaiveDate::default()).num_days()).ok()
}

fn time(value: &Value) -> Option<i64> {
    let time: NaiveTime = value.as_str()?.parse().ok()?;
    (time - NaiveTime::MIN).num_nanoseconds()
}

fn timestamp(value: &Value, unit: TimeUnit, zoned: bool) -> Option<i64> {
    let text = value.as_str()?;
    let (seconds, nanoseconds) = if zoned {
        let time = DateTime::parse_from_rfc3339(text).ok()?;
        (time.timestamp(), time.timestamp_subsec_nanos())
    } else {
        let time = text
            .replacen(' ', "T", 1)
            .parse::<NaiveDateTime>()
            .ok()?
            .and_utc();
        (time.timestamp(), time.timestamp_subsec_nanos())
    };
    let nanoseconds = i64::from(nanoseconds);
    let (factor, rest) = match unit {
        TimeUnit::Second => (1, 0),
        TimeUnit::Millisecond => (1_000, nanoseconds / 1_000_000),
        TimeUnit::Microsecond => (1_000_000, nanoseconds / 1_000),
        TimeUnit::Nanosecond => (1_000_000_000, nanoseconds),
    };
    seconds.checked_mul(factor)?.checked_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::cells;
    use serde_json::json;

    fn shown(type_text: &str, values: &Value) -> String {
        let values = values.as_array().unwrap();
        let column = column_of("x", type_text, values).unwrap();
        let cells = cells(&column.array).unwrap();
        cells
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn every_type_text_builds_an_array() {
        let check = |type_text: &str, values: Value, expect: &str| {
            assert_eq!(shown(type_text, &values), expect, "{type_text}");
        };
        check("int8", json!([1, null, -128]), "1 null -128");
        check(
            "uint64",
            json!([18_446_744_073_709_551_615u64]),
            "18446744073709551615",
        );
        check(
            "int128",
            json!([18_446_744_073_709_551_616.0]),
            "18446744073709551616",
        );
        check("float32", json!([1.5, {"f": "nan"}, null]), "1.5 NaN null");
        check("float64", json!([{"f": "-inf"}, 2]), "-inf 2.0");
        check("boolean", json!([true, null]), "true null");
        check("string", json!(["é", null]), "\"é\" null");
        check("categorical", json!(["a"]), "\"a\"");
        check("enum<a,b>", json!(["b"]), "\"b\"");
        check("binary", json!(["YWI=", null]), "0x6162 null");
        check(
            "date",
            json!(["2024-02-29", "1969-12-31"]),
            "2024-02-29 1969-12-31",
        );
        check("time", json!(["12:34:56.5"]), "12:34:56.500000000");
        check(
            "datetime[ms]",
            json!(["2024-01-01T00:00:00.123"]),
            "2024-01-01T00:00:00.123",
        );
        check(
            "datetime[us, Europe/Paris]",
            json!(["2024-10-27T02:30:00+01:00"]),
            "2024-10-27T01:30:00Z",
        );
        check("duration[ms]", json!([-5]), "-5000000 ns");
        check(
            "decimal(10,2)",
            json!(["-1.5", "3", null]),
            "-1.50 3.00 null",
        );
        check(
            "list<list<int64>>",
            json!([[[1], null, []], null]),
            "[[1], null, []] null",
        );
        check(
            "struct<a:int64,b:string>",
            json!([{"a": 1, "b": null}, null]),
            "{a: 1, b: null} null",
        );
        check(
            "map<string,int64>",
            json!([[["k", 1]], [], null]),
            "{\"k\" => 1} {} null",
        );
        check("array<int64,2>", json!([[1, 2], null]), "[1, 2] null");
        check("null", json!([null, null]), "null null");
    }

    #[test]
    fn a_value_of_another_type_is_refused_by_name() {
        let error = column_of("x", "int8", &[json!(300)]).unwrap_err();
        assert_eq!(error, "column `x`: 300 is not a value of Int8");
        assert!(column_of("x", "date", &[json!("soon")]).is_err());
        assert!(column_of("x", "decimal(10,1)", &[json!("1.25")]).is_err());
    }

    #[test]
    fn columns_of_a_table_have_one_length() {
        let columns = [json!(["a", "int64", [1]]), json!(["b", "int64", [1, 2]])];
        let error = Table::parse(&columns).unwrap_err();
        assert_eq!(error, "column `b` has 2 values, the first one 1");
    }
}
