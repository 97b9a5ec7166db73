//! Columns of a table: from the text in its log, and to it; which types a table can hold.

use laktory_core::table::TableColumn;
use laktory_core::{DType, Error, ErrorKind, Field, Result, TimeUnit};
use serde_json::{Map, Value, json};

/// The name that a column has in the files, where that is another.
const STORED: &str = "delta.columnMapping.physicalName";

/// A column, as the log has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) field: Field,
    /// Whether it may have nulls.
    pub(crate) nullable: bool,
    /// What else the log says of it.
    pub(crate) metadata: Map<String, Value>,
    /// Its type, as the log has it.
    dtype: Value,
}

/// The columns that a text of the log tells.
///
/// # Errors
/// `ConversionFailed` for a text that tells none; `Unsupported` for types that are not known here.
pub(crate) fn columns(schema: &str) -> Result<Vec<Column>> {
    let torn = || {
        let message = "the columns in the log of the table cannot be told";
        Error::new(ErrorKind::ConversionFailed, message)
    };
    let schema: Value = serde_json::from_str(schema).map_err(|error| torn().with_source(error))?;
    let fields = schema["fields"].as_array().ok_or_else(torn)?;
    fields
        .iter()
        .map(|field| {
            let name = field["name"].as_str().ok_or_else(torn)?;
            let dtype =
                dtype(&field["type"]).map_err(|error| error.context(format!("column `{name}`")))?;
            Ok(Column {
                field: Field::new(name, dtype),
                nullable: field["nullable"].as_bool().unwrap_or(true),
                metadata: field["metadata"].as_object().cloned().unwrap_or_default(),
                dtype: field["type"].clone(),
            })
        })
        .collect()
}

fn dtype(value: &Value) -> Result<DType> {
    let unknown = || {
        Error::unsupported(format!("type `{}` of a table is not known", shown(value))).with_hint(
            "leave the column out when the table is written, or read it with another engine",
        )
    };
    if let Some(name) = value.as_str() {
        return named(name).ok_or_else(unknown);
    }
    match value["type"].as_str() {
        Some("array") => Ok(DType::List(Box::new(dtype(&value["elementType"])?))),
        Some("map") => {
            let (key, value) = (dtype(&value["keyType"])?, dtype(&value["valueType"])?);
            Ok(DType::Map(Box::new(key), Box::new(value)))
        }
        Some("struct") => {
            let fields = value["fields"].as_array().ok_or_else(unknown)?;
            let fields = fields.iter().map(|field| {
                let name = field["name"].as_str().ok_or_else(unknown)?;
                Ok(Field::new(name, dtype(&field["type"])?))
            });
            Ok(DType::Struct(fields.collect::<Result<_>>()?))
        }
        _ => Err(unknown()),
    }
}

fn named(name: &str) -> Option<DType> {
    Some(match name {
        "string" => DType::String,
        "long" => DType::Int64,
        "integer" => DType::Int32,
        "short" => DType::Int16,
        "byte" => DType::Int8,
        "float" => DType::Float32,
        "double" => DType::Float64,
        "boolean" => DType::Boolean,
        "binary" => DType::Binary,
        "date" => DType::Date,
        "timestamp" => point(Some("UTC")),
        "timestamp_ntz" => point(None),
        "decimal" => DType::Decimal {
            precision: Some(10),
            scale: 0,
        },
        decimal => {
            let inner = decimal.strip_prefix("decimal(")?.strip_suffix(')')?;
            let (precision, scale) = inner.split_once(',')?;
            DType::Decimal {
                precision: Some(precision.trim().parse().ok()?),
                scale: scale.trim().parse().ok()?,
            }
        }
    })
}

fn point(zone: Option<&str>) -> DType {
    DType::Datetime {
        unit: TimeUnit::Microsecond,
        zone: zone.map(str::to_owned),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(name) => name.clone(),
        other => other["type"].as_str().unwrap_or("?").to_owned(),
    }
}

/// How the columns are named in the files. `mapped` where the table gives them other names there.
///
/// # Errors
/// `Unsupported` for names inside of columns; `ConversionFailed` where the log has none.
pub(crate) fn stored(columns: &[Column], mapped: bool) -> Result<Vec<TableColumn>> {
    columns
        .iter()
        .map(|column| {
            let name = &column.field.name;
            let stored = match mapped {
                false => name.clone(),
                true => {
                    if has_fields(&column.field.dtype) {
                        return Err(Error::unsupported(format!(
                            "feature `columnMapping` of the table gives other names to the fields of column `{name}`, which is not honoured yet"
                        ))
                        .with_hint("read the table with another engine"));
                    }
                    let stored = column.metadata.get(STORED).and_then(Value::as_str);
                    let missing = || {
                        Error::new(
                            ErrorKind::ConversionFailed,
                            format!("the log of the table does not tell how column `{name}` is named in its files"),
                        )
                    };
                    stored.ok_or_else(missing)?.to_owned()
                }
            };
            Ok(TableColumn {
                field: column.field.clone(),
                stored,
            })
        })
        .collect()
}

fn has_fields(dtype: &DType) -> bool {
    match dtype {
        DType::Struct(_) => true,
        DType::List(inner) => has_fields(inner),
        DType::Map(key, value) => has_fields(key) || has_fields(value),
        _ => false,
    }
}

/// The columns as a text of the log.
pub(crate) fn text(columns: &[Column]) -> String {
    let fields: Vec<Value> = columns
        .iter()
        .map(|column| {
            json!({
                "name": column.field.name,
                "type": column.dtype,
                "nullable": column.nullable,
                "metadata": column.metadata,
            })
        })
        .collect();
    json!({"type": "struct", "fields": fields}).to_string()
}

/// A new column, of a type that [`held`] gives.
///
/// # Errors
/// `Internal` for a type that a table cannot hold.
pub(crate) fn column(field: &Field) -> Result<Column> {
    let dtype = type_text(&field.dtype).ok_or_else(|| {
        Error::internal(format!(
            "a table cannot hold values of type {}",
            field.dtype
        ))
    })?;
    Ok(Column {
        field: field.clone(),
        nullable: true,
        metadata: Map::new(),
        dtype,
    })
}

fn type_text(dtype: &DType) -> Option<Value> {
    Some(match dtype {
        DType::Boolean => "boolean".into(),
        DType::Int8 => "byte".into(),
        DType::Int16 => "short".into(),
        DType::Int32 => "integer".into(),
        DType::Int64 => "long".into(),
        DType::Float32 => "float".into(),
        DType::Float64 => "double".into(),
        DType::Decimal { precision, scale } => {
            format!("decimal({},{scale})", precision.unwrap_or(38)).into()
        }
        DType::String => "string".into(),
        DType::Binary => "binary".into(),
        DType::Date => "date".into(),
        DType::Datetime { zone: Some(_), .. } => "timestamp".into(),
        DType::Datetime { zone: None, .. } => "timestamp_ntz".into(),
        DType::List(inner) => {
            json!({"type": "array", "elementType": type_text(inner)?, "containsNull": true})
        }
        DType::Map(key, value) => {
            json!({"type": "map", "keyType": type_text(key)?, "valueType": type_text(value)?, "valueContainsNull": true})
        }
        DType::Struct(fields) => {
            let fields: Option<Vec<Value>> = fields
                .iter()
                .map(|field| {
                    let dtype = type_text(&field.dtype)?;
                    Some(json!({"name": field.name, "type": dtype, "nullable": true, "metadata": {}}))
                })
                .collect();
            json!({"type": "struct", "fields": fields?})
        }
        _ => return None,
    })
}

/// The type in which a table holds values of a type: every value keeps its meaning. `truncates` tells that nanoseconds may go.
///
/// # Errors
/// What is wrong, and what to do.
pub(crate) fn held(dtype: &DType, truncates: bool) -> Result<DType, (String, &'static str)> {
    let refused = |hint| Err((format!("DELTA has no type for {dtype}"), hint));
    Ok(match dtype {
        DType::UInt8 => DType::Int16,
        DType::UInt16 => DType::Int32,
        DType::UInt32 => DType::Int64,
        DType::UInt64 => DType::Decimal {
            precision: Some(20),
            scale: 0,
        },
        DType::Float16 => DType::Float32,
        DType::Categorical | DType::Enum(_) => DType::String,
        DType::Decimal { precision, scale } => DType::Decimal {
            precision: Some(precision.unwrap_or(38)),
            scale: *scale,
        },
        DType::Datetime {
            unit: TimeUnit::Nanosecond,
            ..
        } if !truncates => {
            return Err((
                "DELTA holds microseconds, and nanoseconds would be lost".to_owned(),
                "set `truncate_ns: true` in `writer_kwargs`, or cast the column in a step",
            ));
        }
        DType::Datetime { zone, .. } => point(zone.as_ref().map(|_| "UTC")),
        DType::List(inner) | DType::Array(inner, _) => {
            DType::List(Box::new(held(inner, truncates)?))
        }
        DType::Map(key, value) => DType::Map(
            Box::new(held(key, truncates)?),
            Box::new(held(value, truncates)?),
        ),
        DType::Struct(fields) if fields.is_empty() => {
            return refused("leave the column out, or give it a field");
        }
        DType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|field| Ok(Field::new(&field.name, held(&field.dtype, truncates)?)));
            DType::Struct(fields.collect::<Result<_, _>>()?)
        }
        DType::Time => {
            return refused(
                "cast the column to a text, or to the seconds since midnight, in a step",
            );
        }
        DType::Duration(_) => {
            return refused("turn the column into a number of seconds in a step");
        }
        DType::Null => return refused("cast the column to the type that its values would have"),
        DType::Int128 | DType::UInt128 => {
            return refused("cast the column to `Int64`, or to a decimal, in a step");
        }
        DType::Boolean
        | DType::Int8
        | DType::Int16
        | DType::Int32
        | DType::Int64
        | DType::Float32
        | DType::Float64
        | DType::String
        | DType::Binary
        | DType::Date => dtype.clone(),
        _ => return refused("leave the column out, or cast it in a step"),
    })
}

/// Whether values of one type are values of the other, so that they can be added to a column of it.
pub(crate) fn widens(from: &DType, to: &DType) -> bool {
    use DType::{Float32, Float64, Int8, Int16, Int32, Int64};
    from == to
        || matches!(
            (from, to),
            (Int8, Int16 | Int32 | Int64)
                | (Int16, Int32 | Int64)
                | (Int32, Int64)
                | (Float32, Float64)
        )
}

/// Whether a type is, or holds, a local time.
pub(crate) fn has_local_time(dtype: &DType) -> bool {
    match dtype {
        DType::Datetime { zone: None, .. } => true,
        DType::List(inner) => has_local_time(inner),
        DType::Map(key, value) => has_local_time(key) || has_local_time(value),
        DType::Struct(fields) => fields.iter().any(|field| has_local_time(&field.dtype)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let inner = DType::Struct(vec![
            Field::new("a", DType::List(Box::new(point(None)))),
            Field::new(
                "b",
                DType::Map(Box::new(DType::String), Box::new(DType::Int8)),
            ),
        ]);
        let types = [
            DType::Boolean,
            DType::Int8,
            DType::Int64,
            DType::Float32,
            DType::Decimal {
                precision: Some(38),
                scale: 9,
            },
            DType::Binary,
            DType::Date,
            point(Some("UTC")),
            point(None),
            inner,
        ];
        for dtype in types {
            assert_eq!(held(&dtype, false), Ok(dtype.clone()));
            let fresh = [column(&Field::new("c", dtype.clone())).unwrap()];
            assert_eq!(columns(&text(&fresh)).unwrap(), fresh, "{dtype}");
        }
    }

    #[test]
    fn what_a_table_cannot_hold_is_widened_or_refused() {
        let widest = DType::Decimal {
            precision: Some(20),
            scale: 0,
        };
        assert_eq!(held(&DType::UInt64, false), Ok(widest));
        assert_eq!(held(&DType::Categorical, false), Ok(DType::String));
        let fine = DType::Datetime {
            unit: TimeUnit::Nanosecond,
            zone: Some("Europe/Berlin".to_owned()),
        };
        assert_eq!(held(&fine, true), Ok(point(Some("UTC"))));
        for dtype in [
            fine,
            DType::Time,
            DType::Null,
            DType::List(Box::new(DType::Time)),
        ] {
            assert!(held(&dtype, false).is_err(), "{dtype}");
        }
        let error = columns(r#"{"fields":[{"name":"v","type":"variant"}]}"#).unwrap_err();
        assert!(
            error.message().contains("column `v`: type `variant`"),
            "{error}"
        );
    }
}
