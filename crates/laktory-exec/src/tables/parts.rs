//! The parts of a table's change: one for each combination of values by which the table is partitioned.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use laktory_core::arrow::array::cast::AsArray;
use laktory_core::arrow::array::types::{Date32Type, Int8Type, Int16Type, Int32Type, Int64Type};
use laktory_core::arrow::array::{Array, ArrayRef, RecordBatch};
use laktory_core::arrow::schema::DataType;
use laktory_core::table::{Planned, WrittenFile};
use laktory_core::{
    Backend, Error, ErrorKind, Expr, Frame, Func, Job, NamedFrames, Op, Outcome, Result, RunCx,
    Scalar, Target, typing,
};

use crate::build::computed_once;
use crate::pass::{conform, count_rows_as};

/// Combinations of values of one change; more would be more files than anybody wants to read.
const MOST: usize = 1000;
/// Column with the number of rows of a combination.
const ROWS: &str = "__laktory_rows";

/// The rows of one combination of values.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Where it is staged.
    pub(crate) staged: PathBuf,
    values: Vec<Option<String>>,
    rows: u64,
}

/// What is written for a change of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    planned: Option<Planned>,
    parts: Vec<Part>,
}

impl Parts {
    /// The rows of a frame as the table takes them: a frame for each part, which is staged as `file` says.
    ///
    /// # Errors
    /// Those of the engine; `InvalidArgument` for values that name no folder.
    pub(crate) async fn of(
        cx: &RunCx,
        backend: &Arc<dyn Backend>,
        frame: &Frame,
        planned: Planned,
        file: impl Fn(usize) -> PathBuf,
    ) -> Result<(Self, Vec<Frame>)> {
        let nothing = NamedFrames::new();
        let step =
            async |frame: &Frame, op: &Op| typing::apply(&**backend, cx, frame, op, &nothing).await;
        let frame = step(frame, &conform(&planned.columns)).await?;
        let keys = planned.partition_by.clone();
        if keys.is_empty() {
            let part = Part {
                staged: file(0),
                values: Vec::new(),
                rows: 0,
            };
            let parts = Self {
                planned: Some(planned),
                parts: vec![part],
            };
            return Ok((parts, vec![frame]));
        }
        let frame = computed_once(cx, backend, frame).await?;
        let combined = Op::Aggregate {
            keys: keys.iter().map(Expr::column).collect(),
            aggs: vec![count_rows_as(ROWS)],
            drop_null_keys: false,
        };
        let combined = step(&frame, &combined).await?;
        let jobs = vec![Job::new(combined, Target::Collect)];
        let outcomes = backend.execute(cx, jobs).await?;
        let Some(Outcome::Collected(batches)) = outcomes.into_iter().next() else {
            return Err(Error::internal("the engine collected no rows"));
        };
        let combinations = combinations(&batches, &keys)?;
        let own = Op::Drop {
            columns: keys.clone(),
            strict: true,
        };
        let (mut parts, mut frames) = (Vec::new(), Vec::new());
        for (number, values) in combinations.into_iter().enumerate() {
            let predicate = keys
                .iter()
                .zip(&values)
                .map(|(key, value)| value.is_in(key));
            let Some(predicate) = predicate.reduce(Expr::and) else {
                continue;
            };
            let rows = step(&frame, &Op::Filter { predicate }).await?;
            frames.push(step(&rows, &own).await?);
            parts.push(Part {
                staged: file(number),
                values: values.into_iter().map(|value| value.text).collect(),
                rows: 0,
            });
        }
        let parts = Self {
            planned: Some(planned),
            parts,
        };
        Ok((parts, frames))
    }

    /// The parts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter()
    }

    /// Takes in other parts of the same plan.
    pub(crate) fn extend(&mut self, more: Self) {
        self.planned = self.planned.take().or(more.planned);
        self.parts.extend(more.parts);
    }

    /// Takes down how many rows each part got.
    pub(crate) fn counted(&mut self, rows: &[u64]) {
        for (part, rows) in self.parts.iter_mut().zip(rows) {
            part.rows = *rows;
        }
    }

    /// What was planned.
    pub(super) fn planned(&self) -> &Planned {
        self.planned.as_ref().expect("parts are made of a plan")
    }

    /// The parts, each with its file below the folder of the table.
    ///
    /// # Errors
    /// `Internal` for a staged file without a name.
    pub(super) fn files(&self) -> Result<Vec<(&Path, WrittenFile)>> {
        let keys = &self.planned().partition_by;
        // An empty part would be a file that the log does not name.
        let full = self.parts.iter().filter(|part| part.rows > 0);
        full.map(|part| {
            let name = part.staged.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| Error::internal("a staged file has no name"))?;
            let folders = keys.iter().zip(&part.values);
            let mut path: String = folders
                .map(|(key, value)| folder(key, value.as_deref()) + "/")
                .collect();
            path.push_str(name);
            let file = WrittenFile {
                path,
                rows: part.rows,
                partition: part.values.clone(),
            };
            Ok((part.staged.as_path(), file))
        })
        .collect()
    }
}

/// A value of a column by which a table is partitioned.
#[derive(Clone, Debug)]
struct Value {
    scalar: Scalar,
    /// In the form of its type; none for null.
    text: Option<String>,
}

impl Value {
    /// Whether a column has the value.
    fn is_in(&self, column: &str) -> Expr {
        let column = Expr::column(column);
        match self.scalar {
            Scalar::Null => Expr::call(Func::IsNull, [column]),
            Scalar::Bool(true) => column,
            Scalar::Bool(false) => Expr::call(Func::Not, [column]),
            ref other => Expr::call(Func::Eq, [column, Expr::literal(other.clone())]),
        }
    }
}

/// The combinations of values, in their order as texts, so that parts do not depend on the order of rows.
fn combinations(batches: &[RecordBatch], keys: &[String]) -> Result<Vec<Vec<Value>>> {
    let mut all = Vec::new();
    for batch in batches {
        let columns: Vec<&ArrayRef> = keys
            .iter()
            .map(|key| batch.column_by_name(key))
            .collect::<Option<_>>()
            .ok_or_else(|| Error::internal("the engine collected other columns than asked for"))?;
        for row in 0..batch.num_rows() {
            let values = keys
                .iter()
                .zip(&columns)
                .map(|(key, column)| value(key, column, row));
            all.push(values.collect::<Result<Vec<Value>>>()?);
        }
        if all.len() > MOST {
            let message = format!(
                "the rows have more than {MOST} combinations of values of {}, each of which would be a file",
                keys.iter()
                    .map(|key| format!("`{key}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(
                "partition by columns of fewer values, such as a month instead of a day",
            ));
        }
    }
    let texts = |values: &[Value]| -> Vec<Option<String>> {
        values.iter().map(|value| value.text.clone()).collect()
    };
    all.sort_by_key(|values| texts(values));
    Ok(all)
}

fn value(key: &str, column: &ArrayRef, row: usize) -> Result<Value> {
    if column.is_null(row) {
        return Ok(Value {
            scalar: Scalar::Null,
            text: None,
        });
    }
    let number = |value: i64| (Scalar::Int(value.into()), value.to_string());
    let text = |value: &str| (Scalar::Str(value.to_owned()), value.to_owned());
    let (scalar, text) = match column.data_type() {
        DataType::Boolean => {
            let value = column.as_boolean().value(row);
            (Scalar::Bool(value), value.to_string())
        }
        DataType::Int8 => number(column.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => number(column.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => number(column.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => number(column.as_primitive::<Int64Type>().value(row)),
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            let day = chrono::DateTime::from_timestamp(i64::from(days) * 86_400, 0);
            let day = day.ok_or_else(|| {
                Error::new(
                    ErrorKind::OutOfBounds,
                    format!("a day of column `{key}` has no date"),
                )
            })?;
            (Scalar::Date(days), day.format("%Y-%m-%d").to_string())
        }
        DataType::Utf8 => text(column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(column.as_string::<i64>().value(row)),
        DataType::Utf8View => text(column.as_string_view().value(row)),
        other => {
            return Err(Error::internal(format!(
                "column `{key}` of type {other} names no folders"
            )));
        }
    };
    if text.is_empty() {
        let message = format!(
            "column `{key}` holds an empty text, which cannot be told from null where a table is partitioned by it"
        );
        return Err(Error::new(ErrorKind::InvalidArgument, message)
            .with_hint("turn it into null, or into another text, in a step of the transformer"));
    }
    Ok(Value {
        scalar,
        text: Some(text),
    })
}

/// The folder that holds the rows of a value: `day=2024-01-31`. What some system gives a meaning is spelled out.
fn folder(column: &str, value: Option<&str>) -> String {
    let Some(value) = value else {
        return format!("{}=__HIVE_DEFAULT_PARTITION__", spelled(column));
    };
    format!("{}={}", spelled(column), spelled(value))
}

/// Longest name of a folder that every file system takes.
const LONGEST: usize = 80;

fn spelled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_ ,+@()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    // The log knows the value; the name of a folder tells it to people alone.
    out.truncate(LONGEST);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_value_makes_one_short_name() {
        assert_eq!(folder("p", Some("a/b:c%")), "p=a%2Fb%3Ac%25");
        assert_eq!(folder("p", None), "p=__HIVE_DEFAULT_PARTITION__");
        assert_eq!(folder("p", Some("..")), "p=%2E%2E");
        assert!(folder("p", Some(&"ä".repeat(500))).len() < 255);
    }
}
