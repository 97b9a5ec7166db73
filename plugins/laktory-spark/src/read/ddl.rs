//! Declared columns in Spark's SQL.

use laktory_core::{DType, Error, Field, Result};

use crate::dsl::quoted;
use crate::types;

/// Columns in the form of CREATE TABLE.
pub(super) fn ddl(columns: &[Field]) -> Result<String> {
    let columns = columns
        .iter()
        .map(|field| {
            Ok(format!(
                "{} {}",
                quoted(&field.name),
                type_name(&field.dtype)?
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(columns.join(", "))
}

/// A type in Spark's SQL.
fn type_name(dtype: &DType) -> Result<String> {
    Ok(match types::held(dtype) {
        DType::Boolean => "BOOLEAN".into(),
        DType::Int8 => "TINYINT".into(),
        DType::Int16 => "SMALLINT".into(),
        DType::Int32 => "INT".into(),
        DType::Int64 => "BIGINT".into(),
        DType::Float32 => "FLOAT".into(),
        DType::Float64 => "DOUBLE".into(),
        DType::Decimal { precision, scale } => {
            format!("DECIMAL({}, {scale})", precision.unwrap_or(38))
        }
        DType::String => "STRING".into(),
        DType::Binary => "BINARY".into(),
        DType::Date => "DATE".into(),
        DType::Time => "TIME(6)".into(),
        DType::Datetime { zone: None, .. } => "TIMESTAMP_NTZ".into(),
        // `TIMESTAMP` alone has no zone in our sessions.
        DType::Datetime { .. } => "TIMESTAMP_LTZ".into(),
        DType::Duration(_) => "INTERVAL DAY TO SECOND".into(),
        DType::List(item) => format!("ARRAY<{}>", type_name(&item)?),
        DType::Map(key, value) => format!("MAP<{}, {}>", type_name(&key)?, type_name(&value)?),
        DType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|field| {
                    Ok(format!(
                        "{}: {}",
                        quoted(&field.name),
                        type_name(&field.dtype)?
                    ))
                })
                .collect::<Result<Vec<_>>>()?;
            format!("STRUCT<{}>", fields.join(", "))
        }
        other => {
            return Err(Error::unsupported(format!(
                "Spark does not read values of type {other}"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_schema_is_written_as_spark_reads_it() {
        let inner = vec![
            Field::new("a b", DType::UInt32),
            Field::new("t", DType::datetime()),
        ];
        let columns = [
            Field::new("x`", DType::List(Box::new(DType::Struct(inner)))),
            Field::new(
                "d",
                DType::Decimal {
                    precision: None,
                    scale: 2,
                },
            ),
        ];
        assert_eq!(
            ddl(&columns).unwrap(),
            "`x``` ARRAY<STRUCT<`a b`: BIGINT, `t`: TIMESTAMP_NTZ>>, `d` DECIMAL(38, 2)"
        );
    }
}
