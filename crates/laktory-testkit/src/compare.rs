//! Expected against actual frames: names, types, values, and a difference that a person can read.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use laktory_core::DType;

use crate::cells::{Cell, Tolerance, cells};
use crate::frames::Table;
use crate::types::type_text;

/// How strictly frames are compared.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether rows must come in order; otherwise they are a multiset.
    pub ordered: bool,
    /// Whether types must be the same. Otherwise their families must: an engine without small integers may answer
    /// with wider ones.
    pub exact_types: bool,
    /// How far floats may lie apart as a number, beside the relative tolerance of their width.
    pub rounding: f64,
}

/// A frame as it came out of an engine.
#[derive(Clone, Debug)]
pub struct Actual {
    /// Names and types.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
}

/// Relative tolerance of floats where 32-bit ones are involved.
const TOLERANCE_32: f64 = 1e-5;
/// Relative tolerance of other floats.
const TOLERANCE_64: f64 = 1e-9;

/// Compares a frame with the one that is expected.
///
/// # Errors
/// A description of the first difference, followed by both frames.
pub fn compare(expected: &Table, actual: &Actual, rules: Rules) -> Result<(), String> {
    let columns = expected.columns.iter();
    let expected_types: Vec<_> = columns
        .map(|column| (column.name.clone(), column.dtype.clone()))
        .collect();
    let actual_types = types_of(actual);
    let expected_rows = Rows::of_table(expected)?;
    let actual_rows = Rows::of_batches(actual)?;
    let found = difference(
        &expected_types,
        &actual_types,
        &expected_rows,
        &actual_rows,
        rules,
    );
    found.map_or(Ok(()), |difference| {
        Err(format!(
            "{difference}\n  expected:\n{}  actual:\n{}",
            shown(expected_types.into_iter(), &expected_rows),
            shown(actual_types.into_iter(), &actual_rows)
        ))
    })
}

/// Compares the frames of two engines.
///
/// # Errors
/// A description of the first difference; the first frame is the one expected.
pub fn compare_frames(first: &Actual, other: &Actual, rules: Rules) -> Result<(), String> {
    let (first_rows, other_rows) = (Rows::of_batches(first)?, Rows::of_batches(other)?);
    let (first, other) = (types_of(first), types_of(other));
    difference(&first, &other, &first_rows, &other_rows, rules).map_or(Ok(()), Err)
}

/// A frame as text: a line for each column.
pub(crate) fn table_text(actual: &Actual) -> String {
    match Rows::of_batches(actual) {
        Ok(rows) => shown(types_of(actual).into_iter(), &rows),
        Err(error) => error,
    }
}

fn types_of(actual: &Actual) -> Vec<(String, DType)> {
    let fields = actual.schema.fields().iter();
    fields
        .map(|field| (field.name().clone(), DType::from_arrow(field.data_type())))
        .collect()
}

/// Values by column.
struct Rows {
    columns: Vec<Vec<Cell>>,
    count: usize,
}

impl Rows {
    fn of_table(table: &Table) -> Result<Self, String> {
        Ok(Self {
            columns: table
                .columns
                .iter()
                .map(|column| cells(&column.array))
                .collect::<Result<_, _>>()?,
            count: table.rows,
        })
    }

    fn of_batches(actual: &Actual) -> Result<Self, String> {
        let mut columns = vec![Vec::new(); actual.schema.fields().len()];
        let mut count = 0;
        for batch in &actual.batches {
            if batch.num_columns() != columns.len() {
                return Err(format!(
                    "a batch has {} columns where the stream promised {}",
                    batch.num_columns(),
                    columns.len()
                ));
            }
            count += batch.num_rows();
            for (column, array) in columns.iter_mut().zip(batch.columns()) {
                column.extend(cells(array)?);
            }
        }
        Ok(Self { columns, count })
    }

    fn same_row(&self, row: usize, other: &Self, other_row: usize, tolerance: Tolerance) -> bool {
        (0..self.columns.len()).all(|column| {
            self.columns[column][row].same(&other.columns[column][other_row], tolerance)
        })
    }

    fn row(&self, row: usize) -> String {
        let shown: Vec<String> = self
            .columns
            .iter()
            .map(|column| column[row].to_string())
            .collect();
        format!("({})", shown.join(", "))
    }
}

fn difference(
    expected: &[(String, DType)],
    actual_types: &[(String, DType)],
    expected_rows: &Rows,
    actual_rows: &Rows,
    rules: Rules,
) -> Option<String> {
    let expected_names: Vec<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    let actual_names: Vec<&str> = actual_types.iter().map(|(name, _)| name.as_str()).collect();
    if expected_names != actual_names {
        return Some(format!(
            "the columns are {actual_names:?} where {expected_names:?} are expected"
        ));
    }
    for ((name, wanted), (_, actual)) in expected.iter().zip(actual_types) {
        if !types_match(wanted, actual, rules.exact_types) && !widened(wanted, actual) {
            return Some(format!(
                "column `{name}` is of type {} where {} is expected",
                type_text(actual),
                type_text(wanted)
            ));
        }
    }
    if expected_rows.count != actual_rows.count {
        return Some(format!(
            "there are {} rows where {} are expected",
            actual_rows.count, expected_rows.count
        ));
    }
    let mut types = expected.iter().chain(actual_types);
    let any_32 = types.any(|(_, dtype)| involves_float32(dtype));
    let tolerance = Tolerance {
        relative: if any_32 { TOLERANCE_32 } else { TOLERANCE_64 },
        absolute: rules.rounding,
    };
    if rules.ordered {
        for row in 0..expected_rows.count {
            for (index, (name, _)) in expected.iter().enumerate() {
                let (wanted, got) = (
                    &expected_rows.columns[index][row],
                    &actual_rows.columns[index][row],
                );
                if !wanted.same(got, tolerance) {
                    return Some(format!(
                        "row {row}, column `{name}`: {got} where {wanted} is expected"
                    ));
                }
            }
        }
        return None;
    }
    let mut taken = vec![false; actual_rows.count];
    for row in 0..expected_rows.count {
        let found = (0..actual_rows.count).find(|candidate| {
            !taken[*candidate] && expected_rows.same_row(row, actual_rows, *candidate, tolerance)
        });
        match found {
            Some(found) => taken[found] = true,
            None => {
                return Some(format!(
                    "no row is {} (in any order)",
                    expected_rows.row(row)
                ));
            }
        }
    }
    None
}

fn shown(types: impl Iterator<Item = (String, DType)>, rows: &Rows) -> String {
    types
        .zip(&rows.columns)
        .map(|((name, dtype), cells)| {
            let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
            format!("    {name} {} [{}]\n", type_text(&dtype), cells.join(", "))
        })
        .collect()
}

fn involves_float32(dtype: &DType) -> bool {
    match dtype {
        DType::Float32 | DType::Float16 => true,
        DType::List(item) | DType::Array(item, _) => involves_float32(item),
        DType::Struct(fields) => fields.iter().any(|field| involves_float32(&field.dtype)),
        DType::Map(key, value) => involves_float32(key) || involves_float32(value),
        _ => false,
    }
}

/// Whether a type is as expected. Texts are one type whatever their encoding, and a 128-bit integer travels as a
/// decimal without scale.
#[must_use]
pub fn types_match(expected: &DType, actual: &DType, exact: bool) -> bool {
    match (expected, actual) {
        (DType::List(a), DType::List(b)) => types_match(a, b, exact),
        (DType::Array(a, n), DType::Array(b, m)) => n == m && types_match(a, b, exact),
        (DType::List(a), DType::Array(b, _)) | (DType::Array(a, _), DType::List(b)) => {
            !exact && types_match(a, b, exact)
        }
        (DType::Struct(a), DType::Struct(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| a.name == b.name && types_match(&a.dtype, &b.dtype, exact))
        }
        (DType::Map(k, a), DType::Map(l, b)) => {
            types_match(k, l, exact) && types_match(a, b, exact)
        }
        (a, b) if exact => exact_form(a) == exact_form(b),
        (DType::Null, _) | (_, DType::Null) => true,
        (a, b) => family(a) == family(b),
    }
}

/// Whether a type is that of the reference in the width that the contract gives it ([`laktory_core::typing`]): integers
/// that are computed have 64 bits, and decimals the digits of the SQL standard.
fn widened(expected: &DType, actual: &DType) -> bool {
    match (expected, actual) {
        (DType::List(a), DType::List(b)) => widened(a, b),
        (DType::Decimal { .. }, DType::Decimal { .. }) => true,
        (a, b) => a.is_integer() && *b == DType::Int64,
    }
}

/// A type without its encoding.
fn exact_form(dtype: &DType) -> DType {
    match dtype {
        DType::Categorical | DType::Enum(_) => DType::String,
        DType::Int128 | DType::UInt128 => DType::Decimal {
            precision: Some(38),
            scale: 0,
        },
        other => other.clone(),
    }
}

/// Types that one engine may have in place of another's.
#[derive(PartialEq)]
enum Family {
    Boolean,
    Integer,
    Float,
    Decimal,
    Text,
    Binary,
    Date,
    Time,
    Naive,
    Instant,
    Duration,
    Nested,
}

fn family(dtype: &DType) -> Family {
    match dtype {
        DType::Boolean => Family::Boolean,
        DType::Float16 | DType::Float32 | DType::Float64 => Family::Float,
        DType::Decimal { scale: 0, .. } => Family::Integer,
        DType::Decimal { .. } => Family::Decimal,
        DType::String | DType::Categorical | DType::Enum(_) => Family::Text,
        DType::Binary => Family::Binary,
        DType::Date => Family::Date,
        DType::Time => Family::Time,
        DType::Datetime { zone: None, .. } => Family::Naive,
        DType::Datetime { zone: Some(_), .. } => Family::Instant,
        DType::Duration(_) => Family::Duration,
        DType::List(_) | DType::Array(..) | DType::Struct(_) | DType::Map(..) => Family::Nested,
        _ => Family::Integer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn table(columns: &Value) -> Table {
        Table::parse(columns.as_array().unwrap()).unwrap()
    }

    fn check(expected: &Value, actual: &Value, ordered: bool, exact: bool) -> Result<(), String> {
        let actual = table(actual);
        let actual = Actual {
            schema: actual.schema(),
            batches: vec![actual.batch().unwrap()],
        };
        let rules = Rules {
            ordered,
            exact_types: exact,
            rounding: 0.0,
        };
        compare(&table(expected), &actual, rules)
    }

    #[test]
    fn the_first_difference_is_named() {
        let expected = json!([["x", "int64", [1, 2]], ["y", "string", ["a", null]]]);
        assert_eq!(check(&expected, &expected, true, true), Ok(()));
        let error = check(
            &expected,
            &json!([["x", "int64", [1, 2]], ["y", "string", ["a", "b"]]]),
            true,
            true,
        );
        assert!(
            error
                .unwrap_err()
                .starts_with("row 1, column `y`: \"b\" where null is expected")
        );
        let error = check(&expected, &json!([["x", "int64", [1, 2]]]), true, true);
        assert!(error.unwrap_err().starts_with("the columns are [\"x\"]"));
        let error = check(
            &expected,
            &json!([["x", "int64", [1]], ["y", "string", ["a"]]]),
            false,
            true,
        );
        assert!(error.unwrap_err().starts_with("there are 1 rows"));
    }

    #[test]
    fn rows_without_order_are_a_multiset() {
        let expected = json!([["x", "int64", [1, 1, 2]]]);
        let shuffled = json!([["x", "int64", [2, 1, 1]]]);
        assert_eq!(check(&expected, &shuffled, false, true), Ok(()));
        assert!(check(&expected, &shuffled, true, true).is_err());
        let other = json!([["x", "int64", [2, 2, 1]]]);
        assert!(
            check(&expected, &other, false, true)
                .unwrap_err()
                .contains("no row is (1)")
        );
    }

    #[test]
    fn types_are_exact_or_of_one_family() {
        let expected = json!([["x", "uint32", [1]]]);
        let wider = json!([["x", "uint64", [1]]]);
        assert!(
            check(&expected, &wider, true, true)
                .unwrap_err()
                .contains("uint64")
        );
        assert_eq!(check(&expected, &wider, true, false), Ok(()));
        let computed = json!([["x", "int64", [1]]]);
        assert_eq!(check(&expected, &computed, true, true), Ok(()));
        assert!(check(&computed, &expected, true, true).is_err());
        let float = json!([["x", "float64", [1]]]);
        assert!(check(&expected, &float, true, false).is_err());
        let text = json!([["x", "categorical", ["a"]]]);
        assert_eq!(
            check(&text, &json!([["x", "string", ["a"]]]), true, true),
            Ok(())
        );
        let naive = json!([["x", "datetime[us]", ["2024-01-01T00:00:00"]]]);
        let zoned = json!([["x", "datetime[us, UTC]", ["2024-01-01T00:00:00Z"]]]);
        assert!(check(&naive, &zoned, true, false).is_err());
    }

    #[test]
    fn floats_have_a_tolerance_of_their_width() {
        let expected = json!([["x", "float64", [1.0]]]);
        assert!(
            check(
                &expected,
                &json!([["x", "float64", [1.000_001]]]),
                true,
                true
            )
            .is_err()
        );
        let expected = json!([["x", "float32", [1.0]]]);
        let near = json!([["x", "float32", [1.000_001]]]);
        assert_eq!(check(&expected, &near, true, true), Ok(()));
    }
}
