//! Documents: the files that the recorder reads and writes.

use std::path::Path;

use arrow_array::ArrayRef;
use base64::Engine as _;
use laktory_core::{DType, Error, ErrorKind, Result, TimeUnit};
use serde_json::{Map, Value, json};

use super::Recorded;
use crate::cells::{Cell, cells};
use crate::frames::Table;
use crate::types::type_text;

/// What a document holds.
#[derive(Clone, Debug)]
pub struct Document {
    /// The rows.
    pub table: Table,
    /// The steps that led to it, beginning with the read; empty for a file that a test saved.
    pub steps: Vec<String>,
    /// How many outputs the pass had that wrote it; 0 for a file that a test saved.
    pub outputs: usize,
}

/// Writes a table as a document.
///
/// # Errors
/// `Io`; `Internal` for a table that is none.
pub fn save(path: &Path, table: &Table) -> Result<()> {
    let columns = table
        .columns
        .iter()
        .map(|column| {
            written(
                &column.name,
                &column.dtype,
                std::slice::from_ref(&column.array),
            )
        })
        .collect::<Result<Vec<_>>>()?;
    put(path, &json!({"columns": columns}))
}

/// Writes what the recorder computed, which is what it was given.
pub(super) fn write(path: &Path, recorded: &Recorded, outputs: usize) -> Result<()> {
    let columns = recorded
        .schema
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let arrays: Vec<ArrayRef> = recorded
                .batches
                .iter()
                .map(|batch| batch.column(index).clone())
                .collect();
            written(field.name(), &DType::from_arrow(field.data_type()), &arrays)
        })
        .collect::<Result<Vec<_>>>()?;
    let steps = &recorded.steps;
    put(
        path,
        &json!({"columns": columns, "steps": steps, "outputs": outputs}),
    )
}

fn put(path: &Path, document: &Value) -> Result<()> {
    Ok(std::fs::write(path, format!("{document}\n"))?)
}

/// Reads a document.
///
/// # Errors
/// `NotFound`, `Io`; `ConversionFailed` for a file that is no document.
pub fn open(path: &Path) -> Result<Document> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::from(error).context(path.display()))?;
    let wrong = |error: String| {
        let message = format!(
            "{} is not a document of the recorder: {error}",
            path.display()
        );
        Error::new(ErrorKind::ConversionFailed, message)
    };
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let columns = value["columns"]
        .as_array()
        .ok_or_else(|| wrong("it has no columns".to_owned()))?;
    let steps = value["steps"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    Ok(Document {
        table: Table::parse(columns).map_err(wrong)?,
        steps: steps
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        outputs: value["outputs"]
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(0),
    })
}

fn written(name: &str, dtype: &DType, arrays: &[ArrayRef]) -> Result<Value> {
    let mut values = Vec::new();
    for array in arrays {
        for cell in cells(array).map_err(Error::unsupported)? {
            values.push(value_of(&cell, dtype));
        }
    }
    Ok(json!([name, type_text(dtype), values]))
}

/// The JSON form of a cell, as cases write it.
fn value_of(cell: &Cell, dtype: &DType) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Bool(value) => json!(value),
        Cell::Int(value) => match i64::try_from(*value) {
            Ok(value) => json!(value),
            Err(_) => json!(value.to_string()),
        },
        Cell::Float(value) if value.is_nan() => json!({"f": "nan"}),
        Cell::Float(value) if value.is_infinite() => {
            json!({"f": if *value > 0.0 { "inf" } else { "-inf" }})
        }
        Cell::Float(value) => json!(value),
        Cell::Text(text) => json!(text),
        Cell::Bytes(bytes) => {
            json!(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        Cell::Duration(nanoseconds) => {
            let unit = match dtype {
                DType::Duration(TimeUnit::Second) => 1_000_000_000,
                DType::Duration(TimeUnit::Millisecond) => 1_000_000,
                DType::Duration(TimeUnit::Microsecond) => 1_000,
                _ => 1,
            };
            json!(i64::try_from(nanoseconds / unit).unwrap_or(i64::MAX))
        }
        Cell::List(items) => {
            let inner = match dtype {
                DType::List(inner) | DType::Array(inner, _) => inner,
                _ => dtype,
            };
            items.iter().map(|item| value_of(item, inner)).collect()
        }
        Cell::Struct(members) => {
            let fields = match dtype {
                DType::Struct(fields) => fields.as_slice(),
                _ => &[],
            };
            let members = members.iter().zip(fields);
            Value::Object(
                members
                    .map(|((name, cell), field)| (name.clone(), value_of(cell, &field.dtype)))
                    .collect::<Map<_, _>>(),
            )
        }
        Cell::Map(entries) => {
            let (key_type, value_type) = match dtype {
                DType::Map(key, value) => (&**key, &**value),
                _ => (dtype, dtype),
            };
            entries
                .iter()
                .map(|(key, value)| json!([value_of(key, key_type), value_of(value, value_type)]))
                .collect()
        }
        Cell::Decimal(..) | Cell::Date(_) | Cell::Time(_) | Cell::Naive(_) | Cell::Instant(_) => {
            json!(cell.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::Tolerance;

    #[test]
    fn documents_keep_every_type() {
        let columns = json!([
            ["f", "float64", [1.5, {"f": "nan"}]],
            ["m", "decimal(10,2)", ["1.50", null]],
            ["b", "binary", ["YWI=", null]],
            ["t", "datetime[us]", ["2024-01-02T03:04:05.600", null]],
            ["z", "datetime[ms, UTC]", ["2024-01-02T03:04:05Z", null]],
            ["u", "duration[us]", [5, null]],
            ["l", "list<int64>", [[1, null], null]],
            ["s", "struct<a:int64,b:list<string>>", [{"a": 1, "b": ["x"]}, null]],
            ["p", "map<string,int64>", [[["k", 1]], null]],
        ]);
        let table = Table::parse(columns.as_array().unwrap()).unwrap();
        let path = std::env::temp_dir().join(format!("laktory-document-{}", std::process::id()));
        save(&path, &table).unwrap();
        let document = open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for (before, after) in table.columns.iter().zip(&document.table.columns) {
            let cells_of = |array| cells(array).unwrap();
            assert_eq!(before.dtype, after.dtype);
            for (a, b) in cells_of(&before.array).iter().zip(&cells_of(&after.array)) {
                assert!(
                    a.same(b, Tolerance::default()),
                    "{}: {a} became {b}",
                    before.name
                );
            }
        }
        assert_eq!(document.outputs, 0);
    }

    #[test]
    fn another_file_is_refused() {
        let path = std::env::temp_dir().join(format!("laktory-no-document-{}", std::process::id()));
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        let error = open(&path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(error.kind(), ErrorKind::ConversionFailed);
        assert_eq!(open(&path).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
