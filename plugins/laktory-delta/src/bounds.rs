//! Between which values those of a column lie in a file, as far as the log is certain of it.

use laktory_core::semantics::iso;
use laktory_core::{DType, Scalar};
use serde_json::Value;

use crate::actions::Add;
use crate::schema::Column;

/// Characters from which on a text may be one that was cut, by whomever.
const LETTERS: usize = 32;

/// The least and the greatest value; none where there may be nulls, or the log does not tell.
pub(crate) fn of(add: &Add, column: &Column) -> Option<(Scalar, Scalar)> {
    let (name, dtype) = (&column.field.name, &column.field.dtype);
    if let Some(value) = add.partition_values.get(name) {
        let text = value.as_deref().filter(|text| !text.is_empty())?;
        let value = match dtype {
            dtype if dtype.is_integer() => Scalar::Int(text.parse().ok()?),
            _ => told(&Value::from(text), dtype, usize::MAX)?,
        };
        return Some((value.clone(), value));
    }
    let stats: Value = serde_json::from_str(add.stats.as_deref()?).ok()?;
    let nulls = stats["nullCount"][name].as_u64();
    if nulls != Some(0) {
        return None;
    }
    let bound = |key: &str| told(&stats[key][name], dtype, LETTERS);
    Some((bound("minValues")?, bound("maxValues")?))
}

fn told(value: &Value, dtype: &DType, letters: usize) -> Option<Scalar> {
    match dtype {
        DType::Date => iso::plain_date(value.as_str()?).map(Scalar::Date),
        DType::String => {
            let text = value.as_str()?;
            let is_whole = text.chars().nth(letters.saturating_sub(1)).is_none();
            is_whole.then(|| Scalar::Str(text.to_owned()))
        }
        dtype if dtype.is_integer() => value.as_i64().map(|number| Scalar::Int(number.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use laktory_core::Field;

    use super::*;

    fn found(stats: Value, dtype: DType) -> Option<(Scalar, Scalar)> {
        let column = crate::schema::column(&Field::new("x", dtype)).unwrap();
        let add = Add {
            stats: Some(stats.to_string()),
            ..Add::default()
        };
        of(&add, &column)
    }

    #[test]
    fn only_what_is_certain_is_told() {
        let of = |least: Value, greatest: Value, nulls: Value, dtype: DType| {
            let stats = serde_json::json!({
                "minValues": {"x": least}, "maxValues": {"x": greatest}, "nullCount": {"x": nulls}
            });
            found(stats, dtype)
        };
        let numbers = Some((Scalar::Int(1), Scalar::Int(9)));
        assert_eq!(of(1.into(), 9.into(), 0.into(), DType::Int64), numbers);
        assert_eq!(of(1.into(), 9.into(), 2.into(), DType::Int64), None);
        assert_eq!(of(1.into(), 9.into(), Value::Null, DType::Int64), None);
        assert_eq!(of(1.into(), Value::Null, 0.into(), DType::Int64), None);
        assert_eq!(of(1.5.into(), 9.5.into(), 0.into(), DType::Float64), None);
        let days = of(
            "1970-01-02".into(),
            "1970-01-03".into(),
            0.into(),
            DType::Date,
        );
        assert_eq!(days, Some((Scalar::Date(1), Scalar::Date(2))));
        let cut = "a".repeat(32);
        assert_eq!(of("a".into(), cut.into(), 0.into(), DType::String), None);
    }
}
