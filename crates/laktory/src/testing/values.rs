//! Whether two values are equal, floats within a tolerance wherever they stand.

use laktory_core::DType;
use laktory_core::arrow::array::cast::AsArray as _;
use laktory_core::arrow::array::types::{Float16Type, Float32Type, Float64Type};
use laktory_core::arrow::array::{Array, ArrayRef};
use laktory_core::arrow::schema::DataType;

/// Where a type has floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Floats {
    /// Nowhere.
    None,
    /// It is one.
    Whole,
    /// Inside.
    Within,
}

impl Floats {
    pub(super) fn of(dtype: &DType) -> Self {
        let within = |inner: &DType| Self::of(inner) != Self::None;
        let any = match dtype {
            dtype if dtype.is_float() => return Self::Whole,
            DType::List(item) | DType::Array(item, _) => within(item),
            DType::Map(key, value) => within(key) || within(value),
            DType::Struct(fields) => fields.iter().any(|field| within(&field.dtype)),
            _ => false,
        };
        match any {
            true => Self::Within,
            false => Self::None,
        }
    }
}

/// Whether value `at` of one array equals value `to` of another one of the same type.
pub(super) fn is_equal(
    (expected, at): (&dyn Array, usize),
    (found, to): (&dyn Array, usize),
    tolerance: f64,
) -> bool {
    if expected.is_null(at) || found.is_null(to) {
        return expected.is_null(at) && found.is_null(to);
    }
    if let (Some(expected), Some(found)) = (float(expected, at), float(found, to)) {
        return is_near(expected, found, tolerance);
    }
    match expected.data_type() {
        DataType::Struct(fields) => {
            let (expected, found) = (expected.as_struct_opt(), found.as_struct_opt());
            expected.zip(found).is_some_and(|(expected, found)| {
                expected.num_columns() == found.num_columns()
                    && (0..fields.len()).all(|column| {
                        let expected = expected.column(column).as_ref();
                        let found = found.column(column).as_ref();
                        is_equal((expected, at), (found, to), tolerance)
                    })
            })
        }
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Map(..) => match (items(expected, at), items(found, to)) {
            (Some(expected), Some(found)) => {
                expected.len() == found.len()
                    && (0..expected.len()).all(|index| {
                        let expected = expected.as_ref();
                        is_equal((expected, index), (found.as_ref(), index), tolerance)
                    })
            }
            _ => false,
        },
        _ => expected.slice(at, 1).as_ref() == found.slice(to, 1).as_ref(),
    }
}

/// The items of a list, the entries of a map.
fn items(array: &dyn Array, at: usize) -> Option<ArrayRef> {
    if let Some(list) = array.as_list_opt::<i32>() {
        return Some(list.value(at));
    }
    if let Some(list) = array.as_list_opt::<i64>() {
        return Some(list.value(at));
    }
    if let Some(list) = array.as_fixed_size_list_opt() {
        return Some(list.value(at));
    }
    let entries = array.as_map_opt()?.value(at);
    Some(std::sync::Arc::new(entries))
}

/// A value of an array of floats; none for a null.
pub(super) fn float(array: &dyn Array, at: usize) -> Option<f64> {
    if array.is_null(at) {
        return None;
    }
    if let Some(double) = array.as_primitive_opt::<Float64Type>() {
        return Some(double.value(at));
    }
    if let Some(single) = array.as_primitive_opt::<Float32Type>() {
        return Some(f64::from(single.value(at)));
    }
    let half = array.as_primitive_opt::<Float16Type>()?;
    Some(half.value(at).to_f64())
}

/// Whether a float is the expected one, or off by no more than that fraction of it. Infinities and what is no number are equal to
/// themselves alone.
pub(super) fn is_near(expected: f64, found: f64, tolerance: f64) -> bool {
    #[allow(clippy::float_cmp, reason = "infinities, and what is just equal")]
    let same = expected == found || expected.is_nan() && found.is_nan();
    let finite = expected.is_finite() && found.is_finite();
    same || finite && (expected - found).abs() <= tolerance * expected.abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn infinities_are_near_to_themselves_alone() {
        let inf = f64::INFINITY;
        assert!(is_near(inf, inf, 0.1) && is_near(-inf, -inf, 0.1));
        for (expected, found) in [(inf, 1.0), (-inf, 1.0), (inf, -inf), (1.0, inf)] {
            assert!(!is_near(expected, found, 0.1), "{expected} {found}");
        }
        assert!(is_near(f64::NAN, f64::NAN, 0.0) && !is_near(f64::NAN, 1.0, 0.1));
        assert!(is_near(100.0, 101.0, 0.01) && !is_near(100.0, 101.1, 0.01));
    }

    #[test]
    fn tolerance_reaches_floats_inside_of_values() {
        let list = DType::List(Box::new(DType::Float64));
        let nested = DType::List(Box::new(DType::Struct(vec![
            laktory_core::Field::new("a", DType::Float64),
            laktory_core::Field::new("b", DType::String),
        ])));
        let array = |value: &serde_json::Value, dtype: &DType| {
            laktory_exec::typed_array(&[value], dtype).unwrap()
        };
        for (dtype, expected, found, equal) in [
            (&list, json!([1.0, null]), json!([1.001, null]), true),
            (&list, json!([1.0, null]), json!([1.1, null]), false),
            (&list, json!([1.0]), json!([1.0, 1.0]), false),
            (&list, json!(null), json!([]), false),
            (
                &nested,
                json!([{"a": 1.0, "b": "x"}]),
                json!([{"a": 1.001, "b": "x"}]),
                true,
            ),
            (
                &nested,
                json!([{"a": 1.0, "b": "x"}]),
                json!([{"a": 1.0, "b": "y"}]),
                false,
            ),
        ] {
            let one = array(&expected, dtype);
            let other = array(&found, dtype);
            let got = is_equal((one.as_ref(), 0), (other.as_ref(), 0), 0.01);
            assert_eq!(got, equal, "{expected} {found}");
            assert_eq!(Floats::of(dtype), Floats::Within);
        }
    }
}
