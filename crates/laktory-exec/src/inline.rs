//! Rows written in the pipeline itself (`data:` of a source), as Arrow batches: of the types that their schema declares, else
//! of those that their values show.

pub(crate) mod typed;

use std::sync::Arc;

use arrow_json::ReaderBuilder;
use arrow_json::reader::infer_json_schema_from_iterator;
use futures_util::stream;
use laktory_core::arrow::array::RecordBatch;
use laktory_core::arrow::schema::{DataType, Field, Schema};
use laktory_core::{BatchStream, Error, ErrorKind, Field as Typed, Result};
use serde_json::{Map, Value};

/// The rows of `data`: a mapping of column to list, or a list of row mappings. Missing keys are null (R-DSRC-1).
///
/// # Errors
/// `InvalidArgument` when the shape is neither, or columns differ in length; `TypeMismatch` when the values of one column
/// have no common type, or not the declared one; `ColumnNotFound` for a column that the schema has not.
pub(crate) fn batches(data: &Value, schema: Option<&[Typed]>) -> Result<BatchStream> {
    let rows = rows_of(data)?;
    if let Some(schema) = schema {
        let batch = typed::batch(&rows, schema)?;
        return Ok(BatchStream::new(batch.schema(), stream::iter([Ok(batch)])));
    }
    if rows.is_empty() {
        return nothing(data);
    }
    let schema = infer_json_schema_from_iterator(rows.iter().map(Ok))
        .map_err(|error| mixed(&error.to_string()))?;
    // A column of nulls only is not seen by the inference when it is missing everywhere; keep the order of first use.
    let schema = Arc::new(in_order(&schema, &rows));
    integers_that_floats_hold(&schema, &rows)?;
    let mut decoder = ReaderBuilder::new(Arc::clone(&schema))
        .with_batch_size(rows.len().max(1))
        .build_decoder()
        .map_err(|error| mixed(&error.to_string()))?;
    decoder
        .serialize(&rows)
        .map_err(|error| mixed(&error.to_string()))?;
    let batch = decoder.flush().map_err(|error| mixed(&error.to_string()))?;
    Ok(BatchStream::new(schema, stream::iter(batch.map(Ok))))
}

/// Whether `data` holds rows, of the columns of a schema where there is one.
///
/// # Errors
/// As reading them would give: `InvalidArgument` for another shape, `TypeMismatch` for values of other types,
/// `ColumnNotFound` for a column that the schema has not.
pub fn check_rows(data: &Value, schema: Option<&[Typed]>) -> Result<()> {
    batches(data, schema).map(|_| ())
}

/// The rows of batches as mappings; what is null is left out.
///
/// # Errors
/// `Unsupported` for a type that has no form in JSON.
pub fn rows_as_json(batches: &[RecordBatch]) -> Result<Vec<Value>> {
    let unsupported = |error: String| Error::unsupported(format!("rows as JSON: {error}"));
    let mut writer = arrow_json::ArrayWriter::new(Vec::new());
    for batch in batches {
        writer
            .write(batch)
            .map_err(|error| unsupported(error.to_string()))?;
    }
    writer
        .finish()
        .map_err(|error| unsupported(error.to_string()))?;
    let text = writer.into_inner();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&text).map_err(|error| unsupported(error.to_string()))
}

/// How many rows `data` has.
pub(crate) fn count(data: &Value) -> Option<u64> {
    let rows = match data {
        Value::Array(rows) => rows.len(),
        Value::Object(columns) => columns
            .values()
            .find_map(Value::as_array)
            .map_or(0, Vec::len),
        _ => return None,
    };
    u64::try_from(rows).ok()
}

/// No rows: the columns that are named, of which no value tells the type.
fn nothing(data: &Value) -> Result<BatchStream> {
    let names = data.as_object().into_iter().flat_map(Map::keys);
    let fields: Vec<_> = names
        .map(|name| Field::new(name, DataType::Null, true))
        .collect();
    if fields.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "`data` holds no rows, so its columns are not known",
        )
        .with_hint("name the columns: `data: {x: [], y: []}`"));
    }
    Ok(BatchStream::new(
        Arc::new(Schema::new(fields)),
        stream::empty(),
    ))
}

fn in_order(schema: &Schema, rows: &[Value]) -> Schema {
    let mut names: Vec<&str> = Vec::new();
    for key in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !names.contains(&key.as_str()) {
            names.push(key);
        }
    }
    let fields: Vec<_> = names
        .iter()
        .filter_map(|name| schema.field_with_name(name).ok().cloned())
        .collect();
    Schema::new(fields)
}

/// Refuses integers among floats that would become other numbers.
fn integers_that_floats_hold(schema: &Schema, rows: &[Value]) -> Result<()> {
    /// Beyond it, floats leave integers out.
    const EXACT: u64 = 1 << 53;
    let floats = schema.fields().iter();
    for field in floats.filter(|field| *field.data_type() == DataType::Float64) {
        let values = rows.iter().filter_map(|row| row.get(field.name()));
        let big = values.into_iter().find(|value| {
            let bits = value.as_i64().map(i64::unsigned_abs);
            bits.or(value.as_u64()).is_some_and(|bits| bits > EXACT)
        });
        if let Some(big) = big {
            let message = format!(
                "column `{}` of `data` has {big} among floats, which would become another number",
                field.name()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message)
                .with_hint("write the values of the column as texts, and cast it to a decimal"));
        }
    }
    Ok(())
}

fn mixed(reason: &str) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        "the values of a column have no common type",
    )
    .with_hint(reason.to_owned())
}

/// The rows of `data`, each as a mapping.
///
/// # Errors
/// `InvalidArgument` when it is neither a mapping of columns nor a list of rows, or columns differ in length.
pub fn rows_of(data: &Value) -> Result<Vec<Value>> {
    match data {
        Value::Array(rows) => rows
            .iter()
            .enumerate()
            .map(|(index, row)| match row {
                Value::Object(_) => Ok(row.clone()),
                _ => Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("row {index} of `data` is not a mapping of column to value"),
                )),
            })
            .collect(),
        Value::Object(columns) => transpose(columns),
        _ => Err(Error::new(
            ErrorKind::InvalidArgument,
            "`data` is neither a mapping of column to list nor a list of rows",
        )),
    }
}

fn transpose(columns: &Map<String, Value>) -> Result<Vec<Value>> {
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    let mut length = None;
    for (name, values) in columns {
        let Value::Array(values) = values else {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("column `{name}` of `data` is not a list"),
            ));
        };
        if *length.get_or_insert(values.len()) != values.len() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "column `{name}` of `data` has {} values, the columns before it {}",
                    values.len(),
                    length.unwrap_or_default()
                ),
            ));
        }
        rows.resize_with(values.len(), Map::new);
        for (row, value) in rows.iter_mut().zip(values) {
            row.insert(name.clone(), value.clone());
        }
    }
    Ok(rows.into_iter().map(Value::Object).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt};
    use serde_json::json;

    fn read(data: &Value) -> Result<(Vec<String>, usize)> {
        let mut stream = batches(data, None)?;
        let fields = stream
            .schema()
            .fields()
            .iter()
            .map(|field| format!("{}: {}", field.name(), field.data_type()))
            .collect();
        let batch = stream.next().now_or_never().flatten();
        Ok((fields, batch.map_or(0, |batch| batch.unwrap().num_rows())))
    }

    #[test]
    fn r_dsrc_1_columns_and_rows_give_the_same_frame() {
        let columns = read(&json!({"b": [1, 2], "a": ["x", null]})).unwrap();
        let rows = read(&json!([{"b": 1, "a": "x"}, {"b": 2}])).unwrap();
        assert_eq!(columns, rows);
        assert_eq!(
            columns,
            (vec!["b: Int64".to_owned(), "a: Utf8".to_owned()], 2)
        );
    }

    #[test]
    fn r_dsrc_1_bad_shapes_are_told() {
        assert!(
            read(&json!({"a": [1], "b": [1, 2]}))
                .unwrap_err()
                .message()
                .contains("`b`")
        );
        assert!(read(&json!([1])).is_err());
        assert!(read(&json!([])).unwrap_err().message().contains("no rows"));
        assert_eq!(
            read(&json!({"a": []})).unwrap(),
            (vec!["a: Null".to_owned()], 0)
        );
        assert!(read(&json!("x")).is_err());
    }
}
