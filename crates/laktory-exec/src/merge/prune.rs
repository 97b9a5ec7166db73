//! Files of a table that cannot hold a key of a batch, by what the log tells of them: they are not opened.

use laktory_core::arrow::array::cast::AsArray;
use laktory_core::arrow::array::types::{Date32Type, Int64Type};
use laktory_core::arrow::array::{Array, RecordBatch};
use laktory_core::arrow::schema::DataType;
use laktory_core::table::TableSnapshot;
use laktory_core::{DType, Field, Frame, Keep, Op, Result, Scalar};

use super::steps::{Engine, cast, column, select};

/// Changes of which the keys are looked at one by one; of more, hardly a file holds none.
const MOST: u64 = 1_000_000;

/// A value of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Number(i128),
    Text(String),
}

impl Value {
    fn of(scalar: &Scalar) -> Option<Self> {
        Some(match scalar {
            Scalar::Int(number) => Self::Number(*number),
            Scalar::Date(days) => Self::Number((*days).into()),
            Scalar::Str(text) => Self::Text(text.clone()),
            _ => return None,
        })
    }
}

/// The keys of a batch, as far as they are told apart by bounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Vec<(String, Vec<Value>)>);

impl Keys {
    /// Those of a batch of so many events.
    ///
    /// # Errors
    /// Those of the engine.
    pub(super) async fn of(
        engine: Engine<'_>,
        keys: &[Field],
        (batch, events): (&Frame, u64),
    ) -> Result<Self> {
        let mut found = Vec::new();
        for key in keys.iter().filter(|_| events <= MOST) {
            let values = match &key.dtype {
                dtype if dtype.is_integer() => cast(column(&key.name), &DType::Int64),
                DType::Date | DType::String => column(&key.name),
                _ => continue,
            };
            let distinct = Op::Unique {
                subset: None,
                keep: Keep::Any,
                order_by: Vec::new(),
            };
            let ops = [select(vec![values]), distinct];
            let values = engine.after(batch, &ops).await?;
            let values = sorted(&engine.collected(values).await?);
            found.extend(values.map(|values| (key.name.clone(), values)));
        }
        Ok(Self(found))
    }

    /// Those of the files of a version, by their positions, that may hold one of the keys.
    pub(super) fn files(&self, snapshot: &dyn TableSnapshot, mut files: Vec<usize>) -> Vec<usize> {
        for (key, values) in &self.0 {
            let bounds = snapshot.bounds(key);
            files.retain(|at| match bounds.get(*at) {
                Some(Some((least, greatest))) => may_hold(values, least, greatest),
                _ => true,
            });
        }
        files
    }
}

/// Whether any of the values, which are sorted, lies between two others.
fn may_hold(values: &[Value], least: &Scalar, greatest: &Scalar) -> bool {
    let (Some(least), Some(greatest)) = (Value::of(least), Value::of(greatest)) else {
        return true;
    };
    let first = values.partition_point(|value| *value < least);
    values.get(first).is_some_and(|value| *value <= greatest)
}

/// The values of the only column, without null, in their order; none for a column of another kind.
fn sorted(batches: &[RecordBatch]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    for batch in batches {
        let column = batch.columns().first()?;
        let number = |number: i64| Value::Number(number.into());
        let text = |text: &str| Value::Text(text.to_owned());
        match column.data_type() {
            DataType::Int64 => {
                let found = column.as_primitive::<Int64Type>().iter().flatten();
                values.extend(found.map(number));
            }
            DataType::Date32 => {
                let found = column.as_primitive::<Date32Type>().iter().flatten();
                values.extend(found.map(|days| number(days.into())));
            }
            DataType::Utf8 => values.extend(column.as_string::<i32>().iter().flatten().map(text)),
            DataType::LargeUtf8 => {
                values.extend(column.as_string::<i64>().iter().flatten().map(text));
            }
            DataType::Utf8View => {
                values.extend(column.as_string_view().iter().flatten().map(text));
            }
            _ => return None,
        }
    }
    values.sort();
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_left_out_where_no_value_lies_between_its_bounds() {
        let values: Vec<Value> = [3, 10, 40].map(Value::Number).into();
        let holds =
            |least, greatest| may_hold(&values, &Scalar::Int(least), &Scalar::Int(greatest));
        assert!(holds(1, 3) && holds(3, 3) && holds(4, 100) && holds(40, 50));
        assert!(!holds(4, 9) && !holds(41, 90) && !holds(-5, 2));
        assert!(may_hold(&values, &Scalar::Null, &Scalar::Int(2)));
        assert!(!may_hold(&[], &Scalar::Int(1), &Scalar::Int(2)));
    }
}
