//! Values of a document as columns of declared types. Stricter than the decoder below it: no number is read from a text, no
//! fraction is cut off, and no key is passed over.

use std::sync::Arc;

use arrow_json::ReaderBuilder;
use laktory_core::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use laktory_core::arrow::schema::{Field as ArrowField, Schema};
use laktory_core::{DType, Error, ErrorKind, Field, Result, Subject, TimeUnit};
use laktory_syntax::did_you_mean;
use serde_json::Value;

/// Name of the one column that is decoded at a time.
const COLUMN: &str = "v";

/// The rows, which are mappings, as columns of these types; what a row lacks is null.
///
/// # Errors
/// `ColumnNotFound` for a key that is no column; `TypeMismatch` for a value that is not of its column's type.
pub(crate) fn batch(rows: &[Value], columns: &[Field]) -> Result<RecordBatch> {
    for (number, row) in rows.iter().enumerate() {
        let keys = row.as_object().into_iter().flat_map(serde_json::Map::keys);
        for key in keys {
            if columns.iter().all(|column| column.name != *key) {
                let message = format!("row {} has `{key}`, which is no column", number + 1);
                let names = columns.iter().map(|column| column.name.as_str());
                let error = Error::new(ErrorKind::ColumnNotFound, message)
                    .with_subject(Subject::Name(key.clone()));
                return Err(match did_you_mean(key, names) {
                    Some(hint) => error.with_hint(hint),
                    None => error,
                });
            }
        }
    }
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays = Vec::with_capacity(columns.len());
    for column in columns {
        let values: Vec<&Value> = rows
            .iter()
            .map(|row| row.get(&column.name).unwrap_or(&Value::Null))
            .collect();
        let array = array(&values, &column.dtype)
            .map_err(|error| error.context(format!("column `{}`", column.name)))?;
        let field = ArrowField::new(column.name.as_str(), array.data_type().clone(), true);
        fields.push(Field::carried(field, &column.dtype));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(|error| Error::internal(error.to_string()))
}

/// Values of a document as an array of a type.
///
/// # Errors
/// `TypeMismatch` for the first value that is not of the type; `Unsupported` for a type whose values cannot be written.
pub fn array(values: &[&Value], dtype: &DType) -> Result<ArrayRef> {
    for (row, value) in values.iter().enumerate() {
        if let Some(why) = refused(value, dtype) {
            return Err(mismatch(format!("row {}: {why}", row + 1), value, dtype));
        }
    }
    let arrow = dtype
        .to_arrow()
        .ok_or_else(|| Error::unsupported(format!("values of {dtype} cannot be written here")))?;
    let schema = Schema::new(vec![ArrowField::new(COLUMN, arrow, true)]);
    let rows: Vec<Value> = (values.iter())
        .map(|value| serde_json::json!({ COLUMN: value }))
        .collect();
    let schema = Arc::new(schema);
    if rows.is_empty() {
        return Ok(RecordBatch::new_empty(schema).column(0).clone());
    }
    let failed = |error: String| {
        // One value is at fault; the others decode.
        let is_faulty = |value: &&Value| values.len() == 1 || array(&[value], dtype).is_err();
        let message = match values.iter().position(is_faulty) {
            Some(row) => format!("row {}: {} is no {dtype}", row + 1, values[row]),
            None => format!("the values are no {dtype}: {error}"),
        };
        Error::new(ErrorKind::TypeMismatch, message)
    };
    let mut decoder = ReaderBuilder::new(Arc::clone(&schema))
        .with_batch_size(rows.len())
        .build_decoder()
        .map_err(|error| failed(error.to_string()))?;
    decoder
        .serialize(&rows)
        .map_err(|error| failed(error.to_string()))?;
    let batch = decoder.flush().map_err(|error| failed(error.to_string()))?;
    let batch = batch.ok_or_else(|| Error::internal("no rows were decoded"))?;
    Ok(batch.column(0).clone())
}

fn mismatch(message: String, value: &Value, dtype: &DType) -> Error {
    let error = Error::new(ErrorKind::TypeMismatch, message);
    match (value, dtype) {
        (Value::Number(_) | Value::Bool(_), DType::String) => {
            error.with_hint(format!("put quotes around it: `\"{value}\"`"))
        }
        (Value::String(_), _) if dtype.is_numeric() || *dtype == DType::Boolean => {
            error.with_hint("write it without quotes")
        }
        _ => error,
    }
}

/// Why a value is not one of the type, as far as its form tells; texts of times are looked at when they are decoded.
fn refused(value: &Value, dtype: &DType) -> Option<String> {
    if let DType::Decimal { scale, .. } = dtype
        && digits(value).is_some_and(|digits| digits > i64::from(*scale))
    {
        return Some(format!(
            "{value} has more digits behind the point than {dtype}"
        ));
    }
    if let Value::String(text) = value
        && let Some(why) = cut(text.trim(), dtype)
    {
        return Some(format!("{value} {why}"));
    }
    let fits = match (value, dtype) {
        (Value::Null, _) => true,
        (Value::Number(number), dtype)
            if dtype.is_integer() || matches!(dtype, DType::Duration(_)) =>
        {
            let whole = |number: f64| number.fract() == 0.0;
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(whole)
        }
        (Value::Number(_), dtype) => dtype.is_numeric(),
        (Value::String(text), dtype) if dtype.is_float() => {
            let text = text.trim_start_matches(['-', '+', '.']);
            ["nan", "inf", "infinity"]
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word))
        }
        (Value::String(_), dtype) => matches!(
            dtype,
            DType::String
                | DType::Categorical
                | DType::Enum(_)
                | DType::Binary
                | DType::Decimal { .. }
                | DType::Date
                | DType::Time
                | DType::Datetime { .. }
        ),
        (Value::Bool(_), dtype) => *dtype == DType::Boolean,
        (Value::Array(items), DType::List(item) | DType::Array(item, _)) => {
            return items.iter().find_map(|value| refused(value, item));
        }
        (Value::Object(entries), DType::Struct(fields)) => {
            return entries.iter().find_map(|(name, value)| {
                match fields.iter().find(|field| field.name == *name) {
                    Some(field) => refused(value, &field.dtype),
                    None => Some(format!("{dtype} has no field `{name}`")),
                }
            });
        }
        (Value::Object(entries), DType::Map(_, item)) => {
            return entries.values().find_map(|value| refused(value, item));
        }
        _ => false,
    };
    (!fits).then(|| format!("{value} is no {dtype}"))
}

/// What a text has that the type has no room for, and which would be cut off.
fn cut(text: &str, dtype: &DType) -> Option<String> {
    let digits = || {
        let (_, behind) = text.split_once('.')?;
        let end = behind.find(|character: char| !character.is_ascii_digit());
        let digits = &behind[..end.unwrap_or(behind.len())];
        Some(digits.trim_end_matches('0').len())
    };
    match dtype {
        DType::Date if text.contains(['T', 't', ' ', ':']) => {
            Some(format!("has a time, and {dtype} has none"))
        }
        DType::Time if digits().is_some_and(|digits| digits > 9) => {
            Some(format!("has more digits of the second than {dtype}"))
        }
        DType::Datetime { unit, zone } => {
            let most = match unit {
                TimeUnit::Second => 0,
                TimeUnit::Millisecond => 3,
                TimeUnit::Microsecond => 6,
                TimeUnit::Nanosecond => 9,
            };
            if digits().is_some_and(|digits| digits > most) {
                return Some(format!("has more digits of the second than {dtype}"));
            }
            (zone.is_none() && has_offset(text))
                .then(|| format!("has an offset, and {dtype} has no zone"))
        }
        DType::Binary if !text.len().is_multiple_of(2) => Some(
            "is no hexadecimal text: it has an odd number of digits, and a byte has two".to_owned(),
        ),
        _ => None,
    }
}

/// Whether a datetime ends with an offset that moves it: `Z` and `+00:00` do not.
fn has_offset(text: &str) -> bool {
    // The `-` of the date are before the hours.
    let Some((_, time)) = text.split_once(['T', 't', ' ']) else {
        return false;
    };
    let offset = time.find(['+', '-']).map(|at| &time[at..]);
    offset.is_some_and(|offset| offset.contains(|digit: char| matches!(digit, '1'..='9')))
}

/// Digits behind the point of a number or of the text of one, without zeros at the end.
fn digits(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse().ok()?),
        None => (text.as_str(), 0_i64),
    };
    let behind = number.split_once('.').map_or("", |(_, behind)| behind);
    let behind = i64::try_from(behind.trim_end_matches('0').len()).ok()?;
    Some(behind.saturating_sub(exponent).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(rows: &Value, columns: &[(&str, DType)]) -> Result<RecordBatch> {
        let columns: Vec<Field> = columns
            .iter()
            .map(|(name, dtype)| Field::new(*name, dtype.clone()))
            .collect();
        batch(rows.as_array().unwrap(), &columns)
    }

    #[test]
    fn what_a_row_lacks_is_null() {
        let columns = [
            ("a", DType::Int32),
            ("s", DType::String),
            ("d", DType::Date),
        ];
        let rows = json!([{"a": 1, "d": "2024-02-29"}, {"s": "x"}]);
        let batch = read(&rows, &columns).unwrap();
        assert_eq!(batch.num_rows(), 2);
        for column in batch.columns() {
            assert_eq!(column.null_count(), 1);
        }
        let none = read(&json!([]), &columns).unwrap();
        assert_eq!((none.num_rows(), none.num_columns()), (0, 3));
    }

    #[test]
    fn values_of_another_type_are_told() {
        let columns = [
            ("a", DType::Int32),
            ("s", DType::String),
            ("d", DType::Date),
            (
                "m",
                DType::Decimal {
                    precision: Some(10),
                    scale: 2,
                },
            ),
        ];
        for (row, told) in [
            (json!({"a": "1"}), "column `a`: row 1: \"1\" is no Int32"),
            (json!({"a": 1.5}), "1.5 is no Int32"),
            (json!({"s": 1}), "1 is no String"),
            (json!({"d": "never"}), "never"),
            (
                json!({"a": 3_000_000_000_i64}),
                "row 1: 3000000000 is no Int32",
            ),
            (
                json!({"m": 2.999}),
                "2.999 has more digits behind the point",
            ),
            (json!({"m": "-0.001"}), "has more digits behind the point"),
            (json!({"b": 1}), "`b`, which is no column"),
        ] {
            let error = read(&json!([row]), &columns).unwrap_err();
            assert!(error.message().contains(told), "{}", error.message());
        }
        let rows = json!([{"d": "2024-01-01"}, {"d": "never"}]);
        let error = read(&rows, &columns).unwrap_err();
        assert!(error.message().contains("row 2"), "{}", error.message());
    }

    #[test]
    fn nothing_of_a_text_is_cut_off() {
        let naive = |unit| DType::Datetime { unit, zone: None };
        let zoned = DType::Datetime {
            unit: TimeUnit::Microsecond,
            zone: Some("+00:00".to_owned()),
        };
        let seconds = naive(TimeUnit::Second);
        let micros = naive(TimeUnit::Microsecond);
        for (text, dtype, told) in [
            ("2024-01-31T08:00:00", &DType::Date, "has a time"),
            ("2024-01-31 00:00:00", &DType::Date, "has a time"),
            ("2024-01-31T08:00:00.5", &seconds, "more digits"),
            ("2024-01-31T08:00:00.1234567", &micros, "more digits"),
            ("2024-01-31T08:00:00.1234567Z", &zoned, "more digits"),
            ("2024-01-31T08:00:00+01:00", &micros, "has an offset"),
            ("2024-01-31 08:00:00-0500", &micros, "has an offset"),
            ("abc", &DType::Binary, "odd number"),
        ] {
            let value = json!(text);
            let error = array(&[&Value::Null, &value], dtype).unwrap_err();
            let message = error.message();
            let named = message.starts_with(&format!("row 2: \"{text}\""));
            assert!(named && message.contains(told), "{message}");
            let list = json!([text]);
            assert!(array(&[&list], &DType::List(Box::new(dtype.clone()))).is_err());
        }
        for (text, dtype) in [
            ("2024-01-31", &DType::Date),
            ("2024-01-31T08:00:00.000", &seconds),
            ("2024-01-31T08:00:00.123456000", &micros),
            ("2024-01-31T08:00:00Z", &micros),
            ("2024-01-31T08:00:00+01:00", &zoned),
            ("2024-01-31", &micros),
            ("abcd", &DType::Binary),
        ] {
            let array = array(&[&json!(text)], dtype);
            assert!(array.is_ok(), "{text}: {array:?}");
        }
        let duration = DType::Duration(TimeUnit::Second);
        assert!(array(&[&json!(1.5)], &duration).is_err());
        assert!(array(&[&json!(15)], &duration).is_ok());
    }
}
