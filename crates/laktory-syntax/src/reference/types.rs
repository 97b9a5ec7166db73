//! The types of values, as expressions and SQL spell them.

/// A type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeRow {
    /// How expressions and schemas write it, below `nw.`.
    pub name: &'static str,
    /// How SQL writes it, the usual name first; several of these are of other dialects.
    pub sql: &'static [&'static str],
    /// Its values.
    pub doc: &'static str,
}

const fn row(name: &'static str, sql: &'static [&'static str], doc: &'static str) -> TypeRow {
    TypeRow { name, sql, doc }
}

/// Every type that both write.
pub const TYPES: &[TypeRow] = &[
    row("Boolean()", &["BOOLEAN", "BOOL"], "true or false"),
    row("Int8()", &["TINYINT", "BYTE"], "integers of 8 bits"),
    row(
        "Int16()",
        &["SMALLINT", "SHORT", "INT2"],
        "integers of 16 bits",
    ),
    row(
        "Int32()",
        &["INT", "INTEGER", "INT4"],
        "integers of 32 bits",
    ),
    row(
        "Int64()",
        &["BIGINT", "LONG", "INT8"],
        "integers of 64 bits; what calculations give",
    ),
    row("Int128()", &["HUGEINT"], "integers of 128 bits"),
    row("UInt8()", &["UTINYINT"], "integers of 8 bits without sign"),
    row(
        "UInt16()",
        &["USMALLINT"],
        "integers of 16 bits without sign",
    ),
    row(
        "UInt32()",
        &["UINTEGER"],
        "integers of 32 bits without sign",
    ),
    row("UInt64()", &["UBIGINT"], "integers of 64 bits without sign"),
    row(
        "Float32()",
        &["REAL", "FLOAT", "FLOAT4"],
        "floats of 32 bits",
    ),
    row(
        "Float64()",
        &["DOUBLE", "DOUBLE PRECISION", "FLOAT8"],
        "floats of 64 bits",
    ),
    row(
        "Decimal(10, 2)",
        &["DECIMAL(10, 2)", "NUMERIC(10, 2)"],
        "exact numbers: digits in all, up to 38, and behind the point",
    ),
    row(
        "String()",
        &["STRING", "VARCHAR", "TEXT", "CHAR(3)"],
        "texts; lengths are passed over",
    ),
    row("Binary()", &["BINARY", "BLOB", "BYTEA"], "bytes"),
    row("Date()", &["DATE"], "days"),
    row("Time()", &["TIME"], "times of day"),
    row(
        "Datetime('us')",
        &["TIMESTAMP", "DATETIME", "TIMESTAMP_NTZ"],
        "dates with a time, in microseconds; `'ms'`, `'ns'` and `TIMESTAMP(3)` say another unit",
    ),
    row(
        "Datetime('us', 'UTC')",
        &["TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "TIMESTAMP_LTZ"],
        "instants, with the zone in which they are shown",
    ),
    row(
        "List(nw.Int64())",
        &["BIGINT[]", "ARRAY<BIGINT>"],
        "lists of one type",
    ),
    row(
        "Struct({'a': nw.Int64()})",
        &["STRUCT<a BIGINT>"],
        "named fields",
    ),
    row("Map(nw.String(), nw.Int64())", &[], "keys and values"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Api, python_expression};
    use laktory_core::Expr;

    #[test]
    fn both_spellings_mean_one_type() {
        for row in TYPES {
            let text = format!("nw.lit(None).cast(nw.{})", row.name);
            let Ok(Expr::Cast { to, .. }) = python_expression(&text, Api::Narwhals) else {
                panic!("{}", row.name);
            };
            for sql in row.sql {
                assert_eq!(crate::sql::dtype(sql), Some(to.clone()), "{sql}");
            }
        }
    }
}
