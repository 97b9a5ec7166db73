//! The data that trees are computed on: for each kind of value a column or more with the values at which engines part
//! ways, and constants to meet them.

use laktory_core::{Expr, Scalar, TimeUnit};
use serde_json::{Value, json};

use crate::frames::Table;

use super::draw::Draw;
use super::forms::Kind;

/// The column that numbers the rows: orders of windows, and the order of the comparison.
pub(crate) const ROW: &str = "i";

/// The column with a few groups.
pub(crate) const GROUP: &str = "g";

/// Columns of each kind.
const COLUMNS: &[(Kind, &[&str])] = &[
    (Kind::Int, &["n", "m"]),
    (Kind::Huge, &["h", "h8"]),
    (Kind::Unsigned, &["hu"]),
    (Kind::Narrow, &["small"]),
    (Kind::Float, &["f", "f2"]),
    (Kind::Bool, &["b", "b2"]),
    (Kind::Text, &["s", "s2"]),
    (Kind::IsoDate, &["iso"]),
    (Kind::IsoTime, &["clock"]),
    (Kind::IsoStamp, &["stamp"]),
    (Kind::Date, &["d"]),
    (Kind::Time, &["t"]),
    (Kind::Naive, &["at"]),
    (Kind::Zoned, &["paris"]),
    (Kind::Duration, &["p"]),
    (Kind::Ints, &["li"]),
    (Kind::Floats, &["lf"]),
    (Kind::Texts, &["ls"]),
    (Kind::Struct, &["x"]),
];

/// A column of a kind.
pub(crate) fn column(draw: &mut Draw, kind: Kind) -> Expr {
    let columns = COLUMNS.iter().find(|(known, _)| *known == kind);
    let columns = columns.map_or(&[ROW] as &[&str], |(_, columns)| columns);
    Expr::column(*draw.of(columns))
}

/// A constant of a kind; none where the language has none.
pub(crate) fn constant(draw: &mut Draw, kind: Kind) -> Option<Scalar> {
    Some(match kind {
        Kind::Int => Scalar::Int((*draw.of(&[0i64, 1, -1, 2, 3, 7, -7, 10, 100])).into()),
        Kind::Float => Scalar::Float(*draw.of(&[
            0.0,
            -0.0,
            1.0,
            -1.5,
            0.5,
            2.5,
            1e300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ])),
        Kind::Bool => Scalar::Bool(*draw.of(&[true, false])),
        Kind::Text => Scalar::Str(text(draw)),
        Kind::Date => Scalar::Date(*draw.of(&[0, -1, 19_782, 19_783, 11_016])),
        Kind::Naive => Scalar::Datetime {
            value: *draw.of(&[0i64, -1, 1_709_164_800_000_000, 1_709_251_199_999_999]),
            unit: TimeUnit::Microsecond,
            zone: None,
        },
        Kind::Duration => Scalar::Duration {
            value: *draw.of(&[0i64, 1, -1, 86_400_000_000, -3_600_000_001]),
            unit: TimeUnit::Microsecond,
        },
        _ => return None,
    })
}

/// A text that occurs in the data, or in a part of it.
pub(crate) fn text(draw: &mut Draw) -> String {
    (*draw.of(&[
        "", "a", "A", "é", " ", "b", "12", ".", "a.b", "😀", "ß", "xyz",
    ]))
    .to_owned()
}

/// The column with the largest numbers.
pub(crate) const LARGE: &str = "f2";

/// The whole table.
///
/// # Panics
/// Never: the values below are of their types, as a test shows.
pub(crate) fn table() -> Table {
    let Value::Array(columns) = values() else {
        return Table::default();
    };
    Table::parse(&columns).unwrap_or_default()
}

fn values() -> Value {
    let nan = json!({"f": "nan"});
    let inf = json!({"f": "inf"});
    let minus_inf = json!({"f": "-inf"});
    json!([
        ["i", "int64", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
        ["g", "string", ["a", "b", "a", "b", null, "a", "c", null, "b", "a"]],
        ["n", "int64", [1, 0, -1, null, 7, -7, 2, 2, 100, null]],
        ["m", "int64", [2, 0, 3, -3, null, 2, -2, 1, 1, null]],
        ["h", "int64", [i64::MAX, i64::MIN, 0, null, -1, 1, i64::MAX, i64::MIN, 42, null]],
        ["h8", "int8", [127, -128, 0, 1, -1, null, 127, 100, -100, null]],
        ["hu", "uint64", [u64::MAX, 0, 1, null, 2, u64::MAX, 9, 10, i64::MAX, null]],
        ["small", "int32", [1, 2, 3, null, -4, 5, 1, 1, 0, null]],
        ["f", "float64", [0.5, -0.0, nan, inf, minus_inf, null, 1.5, 2.5, -2.5, null]],
        ["f2", "float64", [1.0, 0.0, 2.0, nan, -1.0, 0.1, null, 1e-300, 1e300, 3.0]],
        ["b", "boolean", [true, false, null, true, false, true, null, false, true, null]],
        ["b2", "boolean", [null, true, true, false, false, null, null, true, true, false]],
        ["s", "string", ["", " a ", "é€😀", "a.b", "A-1", null, "12", "aaa", "e\u{301}", "tab\tnew\nline"]],
        ["s2", "string", ["a", "", "b", "B", null, "-12", "+7", "x y z", "Ab_Cd", null]],
        ["iso", "string", ["2024-02-29", "1970-01-01", "1969-12-31", null, "2000-02-29", "0001-01-01", "9999-12-31", "2023-12-31", "2024-03-31", null]],
        ["clock", "string", ["00:00:00", "23:59:59", "12:34:56", null, "01:02:03", "00:00:01", "12:00:00", "11:59:59", "06:30:00", null]],
        ["stamp", "string", ["2024-02-29 12:34:56", "1970-01-01 00:00:00", "1969-12-31 23:59:59", null, "2024-03-31 02:30:00", "2000-02-29 00:00:00", "2024-10-27 02:30:00", "2023-12-31 23:59:59", "1900-01-01 00:00:00", null]],
        ["d", "date", ["2024-02-29", "1970-01-01", "1969-12-31", null, "2000-02-29", "0001-01-01", "9999-12-31", "2024-12-30", "2023-01-01", "2024-01-31"]],
        ["t", "time", ["00:00:00", "23:59:59.999999", "12:34:56", null, "01:02:03.000001", "00:00:01", "12:00:00", "11:59:59", "06:30:00", null]],
        ["at", "datetime[us]", ["2024-02-29T12:34:56.789012", "1970-01-01T00:00:00", "1969-12-31T23:59:59.999999", null, "2024-03-31T01:30:00", "2000-02-29T00:00:00", "2024-10-27T04:30:00", "1900-01-01T00:00:00", "2024-01-31T10:00:00.000001", null]],
        ["paris", "datetime[us, Europe/Paris]", ["2024-03-31T01:59:59+01:00", "2024-03-31T03:00:00+02:00", "2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00", null, "1970-01-01T01:00:00+01:00", "2024-02-29T23:59:59.999999+01:00", "2024-07-01T00:00:00+02:00", "2024-12-31T23:00:00+01:00", null]],
        ["p", "duration[us]", [0, 1, -1, 86_400_000_000i64, -90_061_000_001i64, null, 59_999_999, 3_600_000_000i64, -60_000_000, null]],
        ["li", "list<int64>", [[1, 2, 2], [], [null], null, [-1, null, 3], [0], [5, 4, 3, 2, 1], [7, 7], [null, null], [2]]],
        ["lf", "list<float64>", [[1.5, 0.5], [], [null], null, [nan, 1.0], [inf, minus_inf], [-0.0], [2.5, 2.5, 1.0], [null, 3.0], [0.1]]],
        ["ls", "list<string>", [["a", "b"], [], [null], null, ["", "é"], ["b", "a", "a"], ["😀"], ["x"], [null, "a"], ["A", "a"]]],
        ["x", "struct<a:int64,b:string>", [{"a": 1, "b": "x"}, {"a": null, "b": "y"}, null, {"a": -3, "b": null}, {"a": 0, "b": ""}, {"a": 7, "b": "é"}, null, {"a": 2, "b": "a"}, {"a": 2, "b": "a"}, {"a": null, "b": null}]]
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_of_its_type_and_every_kind_has_one() {
        let Value::Array(columns) = values() else {
            panic!("columns are a list");
        };
        let table = Table::parse(&columns).unwrap();
        for (_, names) in COLUMNS {
            for name in *names {
                assert!(
                    table.columns.iter().any(|column| column.name == *name),
                    "{name}"
                );
            }
        }
    }
}
