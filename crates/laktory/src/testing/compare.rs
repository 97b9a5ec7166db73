//! Expected rows beside those that came.

use std::sync::Arc;

use arrow_cast::cast::cast;
use laktory_core::arrow::array::{Array, ArrayRef, RecordBatch};
use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{DType, Error, Result};
use laktory_model::{ExpectedRows, InlineData};
use laktory_syntax::did_you_mean;
use serde::Serialize;
use serde_json::Value;

use super::given;
use super::matching::{Key, Rule, matched};
use super::values::{self, Floats};
use crate::table;

/// Something that is not as it is expected.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Difference {
    /// Rows.
    Rows(RowsDifference),
    /// Anything else, in words.
    Other(String),
}

/// Rows that are not those that are expected.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RowsDifference {
    /// Which rows: those of the `node`, or its `quarantine`.
    pub of: String,
    /// Names and types of the columns that are compared.
    pub columns: Vec<(String, String)>,
    /// Rows that are expected.
    pub expected: usize,
    /// Rows that came.
    pub found: usize,
    /// The rows that differ, at most 50.
    pub rows: Vec<RowDifference>,
    /// How many more rows differ.
    pub more: usize,
}

/// Rows that a [`RowsDifference`] shows.
pub(crate) const MOST_ROWS: usize = 50;

/// How a row differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It has other values.
    Differs,
    /// It is expected, and did not come.
    Missing,
    /// It came, and is not expected.
    Unexpected,
}

/// A row that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowDifference {
    /// How.
    pub mark: Mark,
    /// Number of the row, from 1, among the expected ones; none for one that is not expected.
    pub row: Option<usize>,
    /// Its values.
    pub cells: Vec<CellDifference>,
}

/// A value of a row that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellDifference {
    /// The column.
    pub column: String,
    /// What is expected; none in a row that is not.
    pub expected: Option<String>,
    /// What came; none in a row that did not.
    pub found: Option<String>,
    /// Whether both are there and differ.
    pub differs: bool,
}

/// Compares what came with what is expected.
///
/// # Errors
/// `InvalidArgument` when the expected rows have no shape of rows.
pub(crate) fn rows(
    of: &str,
    expected: &InlineData,
    options: &ExpectedRows,
    (schema, batches): (&SchemaRef, &[RecordBatch]),
) -> Result<Vec<Difference>> {
    let data = given::json(expected);
    let rows = laktory_exec::rows_of(&data)?;
    let names = names(&data, &rows);
    let mut differences = Vec::new();
    let mut columns = Vec::new();
    for name in &names {
        match schema.index_of(name) {
            Ok(index) => columns.push(index),
            Err(_) => {
                let known = schema.fields().iter().map(|field| field.name().as_str());
                let near =
                    did_you_mean(name, known).map_or(String::new(), |near| format!("; {near}"));
                differences.push(Difference::Other(format!(
                    "{of}: there is no column `{name}`{near}"
                )));
            }
        }
    }
    if options.exact && !names.is_empty() {
        for field in schema.fields() {
            if !names.contains(field.name()) {
                let message = format!("{of}: column `{}` is not expected", field.name());
                differences.push(Difference::Other(message));
            }
        }
    }
    let mut columns = columns
        .into_iter()
        .map(|index| Compared::new(schema, batches, index, &rows))
        .collect::<Result<Vec<_>>>()?;
    for column in &columns {
        if let Some(why) = &column.refused {
            let message = format!("{of}: expected column `{}`: {why}", column.name);
            differences.push(Difference::Other(message));
        }
    }
    let mut whole = columns.iter_mut();
    if let Some(first) = whole.find(|column| column.floats == Floats::Whole) {
        first.is_first_float = true;
    }
    let came = batches.iter().map(RecordBatch::num_rows).sum();
    let sheet = Sheet {
        columns,
        expected: rows.len(),
        found: came,
        tolerance: options.tolerance,
    };
    let differing = match options.ordered {
        true => sheet.in_order(),
        false => {
            let (differing, is_cut) = sheet.in_any_order();
            if is_cut {
                differences.push(Difference::Other(format!(
                    "{of}: too many rows are like each other but for floats, and not all of them could be compared: add a \
                     column that tells them apart, sort them and set `ordered: true`, or lower `tolerance`"
                )));
            }
            differing
        }
    };
    if !differing.is_empty() {
        let more = differing.len().saturating_sub(MOST_ROWS);
        let shown = differing.into_iter().take(MOST_ROWS);
        differences.push(Difference::Rows(RowsDifference {
            of: of.to_owned(),
            columns: (sheet.columns.iter())
                .map(|column| (column.name.clone(), table::short(&column.dtype)))
                .collect(),
            expected: sheet.expected,
            found: sheet.found,
            rows: shown.map(|pair| sheet.show(pair)).collect(),
            more,
        }));
    }
    Ok(differences)
}

/// The columns that expected rows name, in the order of their first use.
fn names(data: &Value, rows: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let of_rows = rows.iter().filter_map(Value::as_object);
    for name in data
        .as_object()
        .into_iter()
        .chain(of_rows)
        .flat_map(serde_json::Map::keys)
    {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// A column of both sides, of one type.
struct Compared {
    name: String,
    dtype: DType,
    floats: Floats,
    /// Whether it is the first column of floats.
    is_first_float: bool,
    /// The written values, and as arrays of one value; none for one that is not of the column's type.
    expected: Vec<(Value, Option<ArrayRef>)>,
    found: Vec<ArrayRef>,
    /// Why an expected value is none of the column's.
    refused: Option<String>,
}

impl Compared {
    fn new(
        schema: &SchemaRef,
        batches: &[RecordBatch],
        index: usize,
        rows: &[Value],
    ) -> Result<Self> {
        let field = schema.field(index);
        let dtype = laktory_core::Field::from_arrow(field).dtype;
        let failed = |error: String| {
            Error::unsupported(format!(
                "column `{}` of type {dtype} cannot be compared: {error}",
                field.name()
            ))
        };
        let arrow = dtype
            .to_arrow()
            .ok_or_else(|| failed("it has no values".to_owned()))?;
        let mut found = Vec::new();
        for batch in batches {
            let column =
                cast(batch.column(index), &arrow).map_err(|error| failed(error.to_string()))?;
            found.extend((0..column.len()).map(|row| column.slice(row, 1)));
        }
        let values: Vec<&Value> = (rows.iter())
            .map(|row| row.get(field.name()).unwrap_or(&Value::Null))
            .collect();
        let whole = laktory_exec::typed_array(&values, &dtype);
        let refused = whole.as_ref().err().map(|error| error.message().to_owned());
        let arrays: Vec<Option<ArrayRef>> = match whole {
            Ok(array) => (0..array.len())
                .map(|row| Some(array.slice(row, 1)))
                .collect(),
            Err(_) => (values.iter())
                .map(|value| laktory_exec::typed_array(&[value], &dtype).ok())
                .collect(),
        };
        Ok(Self {
            name: field.name().clone(),
            floats: Floats::of(&dtype),
            is_first_float: false,
            dtype,
            expected: values.into_iter().cloned().zip(arrays).collect(),
            found,
            refused,
        })
    }

    fn is_equal(&self, expected: usize, found: usize, tolerance: f64) -> bool {
        let Some(expected) = &self.expected[expected].1 else {
            return false;
        };
        values::is_equal(
            (expected.as_ref(), 0),
            (self.found[found].as_ref(), 0),
            tolerance,
        )
    }

    /// Adds a value to the key of its row.
    fn extend(&self, key: &mut Key, value: &dyn Array) {
        let float = values::float(value, 0);
        let text = match float {
            // Zeros are equal, and what is no number is.
            Some(float) if float.is_nan() => "NaN".to_owned(),
            Some(float) => (float + 0.0).to_bits().to_string(),
            None if value.is_null(0) => String::new(),
            None => table::cell(value),
        };
        key.whole.push_str(&text);
        key.whole.push('\u{1f}');
        if self.floats == Floats::None {
            key.exact.push_str(&text);
            key.exact.push('\u{1f}');
        }
        if self.is_first_float {
            key.float = float.filter(|float| float.is_finite());
        }
    }

    fn expected_text(&self, row: usize) -> String {
        match &self.expected[row] {
            (_, Some(array)) => table::cell(array.as_ref()),
            (value, None) => value.to_string(),
        }
    }

    fn found_text(&self, row: usize) -> String {
        table::cell(self.found[row].as_ref())
    }
}

/// Both sides.
struct Sheet {
    columns: Vec<Compared>,
    expected: usize,
    found: usize,
    tolerance: f64,
}

/// A row of the expected ones, and one of those that came.
type Pair = (Option<usize>, Option<usize>);

impl Sheet {
    /// Which columns are equal.
    fn equal(&self, expected: usize, found: usize) -> Vec<bool> {
        let columns = self.columns.iter();
        columns
            .map(|column| column.is_equal(expected, found, self.tolerance))
            .collect()
    }

    fn is_same(&self, expected: usize, found: usize) -> bool {
        let mut columns = self.columns.iter();
        columns.all(|column| column.is_equal(expected, found, self.tolerance))
    }

    fn in_order(&self) -> Vec<Pair> {
        let row = |row: usize, count: usize| (row < count).then_some(row);
        (0..self.expected.max(self.found))
            .map(|at| (row(at, self.expected), row(at, self.found)))
            .filter(|pair| !matches!(pair, (Some(expected), Some(found)) if self.is_same(*expected, *found)))
            .collect()
    }

    /// What differs, and whether there were too many rows to compare all.
    fn in_any_order(&self) -> (Vec<Pair>, bool) {
        let mut found = vec![Key::default(); self.found];
        let mut expected = vec![Some(Key::default()); self.expected];
        for column in &self.columns {
            for (key, value) in found.iter_mut().zip(&column.found) {
                column.extend(key, value.as_ref());
            }
            for (key, (_, value)) in expected.iter_mut().zip(&column.expected) {
                match (key.as_mut(), value) {
                    (Some(key), Some(value)) => column.extend(key, value.as_ref()),
                    // A value that is none of the column's is in no row.
                    _ => *key = None,
                }
            }
        }
        let count = |floats| {
            let columns = self.columns.iter();
            columns.filter(|column| column.floats == floats).count()
        };
        let (whole, within) = (count(Floats::Whole), count(Floats::Within));
        let rule = Rule {
            is_same: &|expected, found| self.is_same(expected, found),
            is_tolerant: whole + within > 0,
            is_single: whole == 1 && within == 0,
            tolerance: self.tolerance,
        };
        let matched = matched(&expected, &found, &rule);
        let mut is_open = vec![true; self.found];
        for &row in matched.partners.iter().flatten() {
            is_open[row] = false;
        }
        let mut open: Vec<usize> = (0..self.found).filter(|&row| is_open[row]).collect();
        let missing: Vec<usize> = (0..self.expected)
            .filter(|&row| matched.partners[row].is_none())
            .collect();
        // The others go with the row that they are most alike; in an order that is not that of the engine.
        open.sort_by_cached_key(|&found| -> Vec<String> {
            (self.columns.iter())
                .map(|column| column.found_text(found))
                .collect()
        });
        let mut scores: Vec<(Vec<bool>, usize, usize)> = Vec::new();
        for (at, &expected) in missing.iter().enumerate().take(MOST_ROWS) {
            for (to, &found) in open.iter().enumerate().take(MOST_ROWS) {
                scores.push((self.equal(expected, found), at, to));
            }
        }
        let count = |equal: &[bool]| equal.iter().filter(|equal| **equal).count();
        // Among equals that of the first columns, which are the likelier keys.
        scores.sort_by(|(a, at, to), (b, other, other_to)| {
            (count(b), b, at, to).cmp(&(count(a), a, other, other_to))
        });
        let alone = missing.len() == 1 && open.len() == 1;
        let mut partners: Vec<Option<usize>> = vec![None; missing.len()];
        let mut taken = vec![false; open.len()];
        for (equal, at, to) in scores {
            if partners[at].is_none() && !taken[to] && (alone || count(&equal) > 0) {
                partners[at] = Some(open[to]);
                taken[to] = true;
            }
        }
        let mut pairs: Vec<Pair> = (missing.into_iter().zip(partners))
            .map(|(expected, found)| (Some(expected), found))
            .collect();
        let others = open.into_iter().zip(taken).filter(|(_, taken)| !taken);
        pairs.extend(others.map(|(found, _)| (None, Some(found))));
        (pairs, matched.is_cut)
    }

    fn show(&self, (expected, found): Pair) -> RowDifference {
        let mark = match (expected, found) {
            (Some(_), Some(_)) => Mark::Differs,
            (Some(_), None) => Mark::Missing,
            (None, _) => Mark::Unexpected,
        };
        let cells = self.columns.iter().map(|column| CellDifference {
            column: column.name.clone(),
            expected: expected.map(|row| column.expected_text(row)),
            found: found.map(|row| column.found_text(row)),
            differs: matches!((expected, found), (Some(expected), Some(found))
                if !column.is_equal(expected, found, self.tolerance)),
        });
        RowDifference {
            mark,
            row: expected.map(|row| row + 1),
            cells: cells.collect(),
        }
    }
}

/// Compares the columns with those that are declared.
pub(crate) fn columns(
    expected: &laktory_model::Schema,
    exact: bool,
    schema: &SchemaRef,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    for column in &expected.columns {
        let message = match schema.field_with_name(&column.name) {
            Ok(field) => {
                let found = laktory_core::Field::from_arrow(field).dtype;
                match found == column.dtype {
                    true => continue,
                    false => format!(
                        "column `{}` is {found}, and {} is expected",
                        column.name, column.dtype
                    ),
                }
            }
            Err(_) => {
                let known = schema.fields().iter().map(|field| field.name().as_str());
                let near = did_you_mean(&column.name, known)
                    .map_or(String::new(), |near| format!("; {near}"));
                format!("there is no column `{}`{near}", column.name)
            }
        };
        differences.push(Difference::Other(message));
    }
    if exact {
        for field in schema.fields() {
            if expected
                .columns
                .iter()
                .all(|column| column.name != *field.name())
            {
                let message = format!("column `{}` is not expected", field.name());
                differences.push(Difference::Other(message));
            }
        }
    }
    differences
}

/// An empty frame of no columns, for what a node does not have.
pub(crate) fn nothing() -> SchemaRef {
    Arc::new(laktory_core::arrow::schema::Schema::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What differs between expected rows and rows of these types.
    fn differences(columns: &[(&str, DType)], expected: Value, found: &Value) -> Vec<Difference> {
        let rows = found.as_array().unwrap();
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        for (name, dtype) in columns {
            let values: Vec<&Value> = rows.iter().map(|row| &row[*name]).collect();
            arrays.push(laktory_exec::typed_array(&values, dtype).unwrap());
            let arrow = dtype.to_arrow().unwrap();
            fields.push(laktory_core::arrow::schema::Field::new(*name, arrow, true));
        }
        let schema = Arc::new(laktory_core::arrow::schema::Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
        let options = ExpectedRows {
            tolerance: 0.01,
            ..ExpectedRows::default()
        };
        let Value::Array(expected) = expected else {
            panic!("no rows");
        };
        let expected = expected.into_iter().map(|row| match row {
            Value::Object(row) => row.into_iter().collect(),
            other => panic!("{other} is no row"),
        });
        let expected = InlineData::Rows(expected.collect());
        super::rows("x", &expected, &options, (&schema, &[batch])).unwrap()
    }

    #[test]
    fn rows_are_matched_in_any_order() {
        let columns = [
            ("k", DType::String),
            ("x", DType::Float64),
            ("l", DType::List(Box::new(DType::Float32))),
        ];
        let found = json!([
            {"k": "a", "x": 1.0, "l": [1.0, null]},
            {"k": null, "x": "inf", "l": null},
            {"k": "a", "x": 2.0, "l": []},
        ]);
        let same = json!([
            {"k": "a", "x": 2.001, "l": []},
            {"k": "a", "x": 1.001, "l": [1.001, null]},
            {"x": "inf"},
        ]);
        assert_eq!(differences(&columns, same, &found), []);
        for other in [
            json!([{"x": "inf"}, {"x": 1.0}, {"x": "inf"}]),
            json!([{"k": "null"}, {"k": "a"}, {"k": "a"}]),
            json!([{"l": [1.1, null]}, {"l": []}, {"l": null}]),
        ] {
            let told = differences(&columns, other.clone(), &found);
            assert_eq!(told.len(), 1, "{other}");
        }
    }

    #[test]
    fn a_value_that_its_column_has_no_room_for_is_told() {
        let columns = [("d", DType::Date)];
        let found = json!([{"d": "2024-01-31"}]);
        let told = differences(&columns, json!([{"d": "2024-01-31T08:00:00"}]), &found);
        let Some(Difference::Other(why)) = told.first() else {
            panic!("{told:?}");
        };
        assert!(
            why.contains("column `d`: row 1: \"2024-01-31T08:00:00\""),
            "{why}"
        );
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn many_rows_take_no_time() {
        let columns = [("k", DType::Int64), ("x", DType::Float64)];
        let rows = |off: f64| -> Vec<Value> {
            let row = |row: u32| json!({"k": row % 7, "x": f64::from(row) * off});
            (0..20_000).map(row).collect()
        };
        let mut found = rows(1.0);
        found.reverse();
        let found = Value::Array(found);
        assert_eq!(differences(&columns, Value::Array(rows(1.0)), &found), []);
        let near = Value::Array(rows(1.000_01));
        assert_eq!(differences(&columns, near, &found), []);
    }
}
