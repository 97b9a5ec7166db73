//! Functions with the meaning of SQL where that differs from the expression language, and those of laktory itself.

mod laktory;

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, ArrowPrimitiveType, AsArray, Decimal128Array, Float64Array, Int64Array,
    StringViewArray,
};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::nullif;
use datafusion::logical_expr::{BinaryExpr, Case, Expr as PlanExpr, Like, Operator};
use laktory_core::semantics::decimal::{Division, ending_in_zeros};
use laktory_core::semantics::text::{like_regex, position};
use laktory_core::{Error, ErrorKind, Func, Result};

use super::cast::{common_type, convert, convert_array};
use super::exact::too_many_digits;
use super::logic::comparable;
use super::numeric::decimal_division;
use super::text::{joined, mapped, matching, regex, sliced, text};
use super::time::{Part, part};
use super::{Call, FULL, Row, arrays, truth};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::kernel::kernel;
use crate::types::{is_decimal, is_float, is_integer, is_number};

pub(super) const ROWS: &[Row] = &[
    (Func::SqlMod, FULL, modulo),
    (Func::SqlIsTrue, FULL, |call| {
        let this = truth(call.receiver()?, "the operand of `IS TRUE`")?;
        Ok(Value::boolean(PlanExpr::IsTrue(Box::new(this))))
    }),
    (Func::SqlIsFalse, FULL, |call| {
        let this = truth(call.receiver()?, "the operand of `IS FALSE`")?;
        Ok(Value::boolean(PlanExpr::IsFalse(Box::new(this))))
    }),
    (Func::SqlEqNullSafe, FULL, |call| {
        let (x, y) = comparable(call, call.receiver()?, call.value("other")?)?;
        Ok(binary(x, Operator::IsNotDistinctFrom, y))
    }),
    (Func::SqlConcat, FULL, |call| {
        joined(call.values("exprs")?, "", true)
    }),
    (Func::SqlLike, FULL, like),
    (Func::SqlRound, FULL, |call| round(call, &HALF_EVEN)),
    (Func::SqlRoundHalfUp, FULL, |call| round(call, &HALF_UP)),
    (Func::SqlSingle, FULL, single),
    (Func::SqlPosition, FULL, locate),
    (Func::SqlSign, FULL, sign),
    (Func::SqlNullIf, FULL, null_if),
    (Func::SqlTan, FULL, |call| floats(call, "tan", f64::tan)),
    (Func::SqlCbrt, FULL, |call| {
        // As a power, which negative numbers do not have.
        floats(call, "cbrt", |x| x.powf(1.0 / 3.0))
    }),
    (Func::SqlRegexpExtract, FULL, regexp_extract),
    (Func::SqlSubstring, FULL, substring),
    (Func::SqlReverse, FULL, |call| {
        mapped(call, call.value("x")?, "reverse", |text| {
            text.chars().rev().collect()
        })
    }),
    (Func::SqlQuarter, FULL, |call| {
        part(call, call.value("x")?, Part::Quarter)
    }),
    (Func::SqlWeek, FULL, |call| {
        part(call, call.value("x")?, Part::Week)
    }),
    (Func::SqlDayOfWeek, FULL, |call| {
        let weekday = part(call, call.value("x")?, Part::Weekday)?;
        let seven = Value::constant(ScalarValue::Int8(Some(7)));
        Ok(Value {
            dtype: DataType::Int8,
            ..binary(weekday, Operator::Modulo, seven)
        })
    }),
    (Func::RoundP, FULL, laktory::round_p),
    (Func::ConvertUnits, FULL, laktory::convert_units),
    (Func::CurrentTimestamp, FULL, laktory::current_timestamp),
];

fn binary(left: Value, operator: Operator, right: Value) -> Value {
    Value::boolean(PlanExpr::BinaryExpr(BinaryExpr::new(
        Box::new(left.expr),
        operator,
        Box::new(right.expr),
    )))
}

/// The remainder with the sign of the dividend; by zero it is null for integers, NaN for floats.
fn modulo(call: &Call<'_, '_>) -> Result<Value> {
    let (x, y) = (call.receiver()?, call.value("other")?);
    for value in [&x, &y] {
        if !is_number(&value.dtype) && value.dtype != DataType::Null {
            return Err(call.mismatch(&value.dtype));
        }
    }
    if is_decimal(&x.dtype) && is_decimal(&y.dtype) {
        return decimal_division(x, y, Division::Remainder);
    }
    let dtype = common_type([&x, &y].into_iter())?;
    if dtype == DataType::Null {
        return Ok(x);
    }
    let (x, y) = (convert(x, &dtype)?, convert(y, &dtype)?);
    let y = if is_float(&dtype) {
        y
    } else {
        let zero = convert(Value::constant(ScalarValue::Int32(Some(0))), &dtype)?;
        y.map(|divisor| nullif(divisor, zero.expr))
    };
    Ok(Value {
        dtype,
        ..binary(x, Operator::Modulo, y)
    })
}

/// LIKE; the engine's own, which its optimizer understands, where no backslash is in the way.
fn like(call: &Call<'_, '_>) -> Result<Value> {
    let this = text(call, call.receiver()?)?;
    let (pattern, folded) = (call.text("pattern")?, call.flag("case_insensitive")?);
    let escape = call
        .opt_text("escape")?
        .and_then(|escape| escape.chars().next());
    if escape.is_none() && !pattern.contains('\\') {
        let this = convert(this, &DataType::Utf8View)?;
        let pattern = Value::constant(ScalarValue::Utf8View(Some(pattern.to_owned())));
        return Ok(Value::boolean(PlanExpr::Like(Like::new(
            false,
            Box::new(this.expr),
            Box::new(pattern.expr),
            None,
            folded,
        ))));
    }
    let name = format!("like({pattern:?}, {escape:?}, {folded})");
    let pattern = regex(&like_regex(pattern, escape, folded))?;
    Ok(matching(name, this, move |text| pattern.is_match(text)))
}

/// The value of a sub-query, unless several were found.
fn single(call: &Call<'_, '_>) -> Result<Value> {
    let (value, count) = (call.value("x")?, call.value("count")?);
    let count = convert(count, &DataType::Int64)?;
    let output = value.dtype.clone();
    Ok(kernel(
        "single",
        vec![value, count],
        output,
        |arrays: &[ArrayRef]| {
            let counts = arrays[1].as_primitive::<Int64Type>();
            if counts.iter().flatten().any(|count| count > 1) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "a sub-query gives several rows where one value is wanted",
                ));
            }
            Ok(Arc::clone(&arrays[0]))
        },
    ))
}

/// A way to round.
struct Rounding {
    /// Its name in plans.
    name: &'static str,
    /// Of a scaled float to a whole number.
    whole: fn(f64) -> f64,
    /// Of decimals to a smaller scale.
    narrowed: fn(&ArrayRef, &DataType) -> Result<ArrayRef>,
}

const HALF_EVEN: Rounding = Rounding {
    name: "round",
    whole: f64::round_ties_even,
    narrowed: |array, to| convert_array(array, to, true),
};

const HALF_UP: Rounding = Rounding {
    name: "round_half_up",
    whole: f64::round,
    narrowed: |array, to| datafusion::arrow::compute::cast(array, to).or_error(),
};

/// A number rounded to decimals; integers stay as they are.
fn round(call: &Call<'_, '_>, rounding: &'static Rounding) -> Result<Value> {
    let decimals = i32::try_from(call.int("decimals")?).unwrap_or(i32::MAX);
    let this = call.value("x")?;
    let output = this.dtype.clone();
    match &output {
        DataType::Null => return Ok(this),
        dtype if is_integer(dtype) && decimals >= 0 => return Ok(this),
        dtype if is_integer(dtype) => {}
        DataType::Float32 | DataType::Float64 => {}
        DataType::Decimal128(..) => {}
        other => return Err(call.mismatch(other)),
    }
    let to = output.clone();
    Ok(kernel(
        format!("{}({decimals})", rounding.name),
        vec![this],
        output,
        move |arrays: &[ArrayRef]| {
            if let DataType::Decimal128(_, scale) = to
                && decimals < 0
            {
                let zeros = decimals.unsigned_abs() + u32::from(scale.unsigned_abs());
                let numbers = arrays[0].as_primitive::<Decimal128Type>();
                let rounded = numbers.iter().map(|number| {
                    let rounded = number.map(|number| ending_in_zeros(number, zeros));
                    rounded
                        .map(|known| known.ok_or_else(|| too_many_digits("rounded number")))
                        .transpose()
                });
                let rounded = rounded.collect::<Result<Decimal128Array>>()?;
                return Ok(Arc::new(rounded.with_data_type(to.clone())));
            }
            if let DataType::Decimal128(precision, scale) = to {
                let kept = i8::try_from(decimals).unwrap_or(scale).min(scale);
                // Through the smaller scale and back.
                let narrow = DataType::Decimal128(38, kept);
                let rounded = (rounding.narrowed)(&arrays[0], &narrow)?;
                return convert_array(&rounded, &DataType::Decimal128(precision, scale), true);
            }
            let floats = convert_array(&arrays[0], &DataType::Float64, true)?;
            let rounded: ArrayRef = Arc::new(
                floats
                    .as_primitive::<Float64Type>()
                    .unary::<_, Float64Type>(|value| rounded(value, decimals, rounding.whole)),
            );
            convert_array(&rounded, &to, true)
        },
    ))
}

/// A float rounded to decimals, by a function that rounds to a whole number.
fn rounded(value: f64, decimals: i32, whole: fn(f64) -> f64) -> f64 {
    if decimals == 0 {
        return whole(value);
    }
    let multiplier = 10_f64.powi(decimals);
    let rounded = whole(value * multiplier) / multiplier;
    // Beyond the digits that a float has there is nothing to round.
    if rounded.is_finite() { rounded } else { value }
}

fn locate(call: &Call<'_, '_>) -> Result<Value> {
    let texts = text(call, call.value("x")?)?;
    let parts = text(call, call.value("text")?)?;
    Ok(kernel(
        "position",
        vec![texts, parts],
        DataType::Int64,
        |arrays| {
            let (texts, parts) = (arrays::texts(&arrays[0])?, arrays::texts(&arrays[1])?);
            let out: Int64Array = texts
                .iter()
                .zip(parts.iter())
                .map(|(text, part)| Some(position(text?, part?)))
                .collect();
            Ok(Arc::new(out))
        },
    ))
}

/// -1, 0 or 1 in the type of the value; NaN stays.
fn sign(call: &Call<'_, '_>) -> Result<Value> {
    fn of<T: ArrowPrimitiveType>(
        array: &ArrayRef,
        sign: impl Fn(T::Native) -> T::Native,
    ) -> ArrayRef {
        let signs = array.as_primitive::<T>().unary::<_, T>(sign);
        Arc::new(signs.with_data_type(array.data_type().clone()))
    }
    let this = call.value("x")?;
    let output = this.dtype.clone();
    if output == DataType::Null {
        return Ok(this);
    }
    if !is_number(&output) {
        return Err(call.mismatch(&output));
    }
    let to = output.clone();
    Ok(kernel("sign", vec![this], output, move |arrays| {
        let array = &arrays[0];
        Ok(match &to {
            DataType::Float64 => of::<Float64Type>(array, |value| {
                if value == 0.0 || value.is_nan() {
                    value
                } else {
                    value.signum()
                }
            }),
            DataType::Float32 => of::<Float32Type>(array, |value| {
                if value == 0.0 || value.is_nan() {
                    value
                } else {
                    value.signum()
                }
            }),
            DataType::Int8 => of::<Int8Type>(array, i8::signum),
            DataType::Int16 => of::<Int16Type>(array, i16::signum),
            DataType::Int32 => of::<Int32Type>(array, i32::signum),
            DataType::Int64 => of::<Int64Type>(array, i64::signum),
            DataType::Decimal128(_, scale) => {
                let one = 10_i128
                    .checked_pow(u32::from(scale.unsigned_abs()))
                    .unwrap_or(1);
                of::<Decimal128Type>(array, |value| value.signum() * one)
            }
            // Unsigned.
            to => {
                let values = arrays::floats(array)?;
                let signs: Float64Array =
                    values.unary(|value: f64| f64::from(u8::from(value > 0.0)));
                convert_array(&(Arc::new(signs) as ArrayRef), to, true)?
            }
        })
    }))
}

fn null_if(call: &Call<'_, '_>) -> Result<Value> {
    let (x, y) = (call.value("x")?, call.value("y")?);
    let (a, b) = comparable(call, x.clone(), y)?;
    let equal = binary(a, Operator::Eq, b);
    let null = Value::null(&x.dtype)?;
    Ok(Value {
        expr: PlanExpr::Case(Case::new(
            None,
            vec![(Box::new(equal.expr), Box::new(null.expr))],
            Some(Box::new(x.expr)),
        )),
        dtype: x.dtype,
    })
}

/// A function of floats; 32-bit floats stay such.
fn floats(call: &Call<'_, '_>, name: &str, function: fn(f64) -> f64) -> Result<Value> {
    let this = call.value("x")?;
    let output = match &this.dtype {
        DataType::Null => return Value::null(&DataType::Float64),
        DataType::Float32 => DataType::Float32,
        dtype if is_number(dtype) => DataType::Float64,
        other => return Err(call.mismatch(other)),
    };
    let to = output.clone();
    Ok(kernel(name, vec![this], output, move |arrays| {
        let values = arrays::floats(&arrays[0])?;
        let out: Float64Array = values.unary(function);
        convert_array(&(Arc::new(out) as ArrayRef), &to, true)
    }))
}

fn regexp_extract(call: &Call<'_, '_>) -> Result<Value> {
    let this = text(call, call.value("x")?)?;
    let (pattern, group) = (call.text("pattern")?, call.count("group")?);
    let name = format!("regexp_extract({pattern:?}, {group})");
    let pattern = regex(pattern)?;
    Ok(kernel(
        name,
        vec![this],
        DataType::Utf8View,
        move |arrays| {
            let texts = arrays::texts(&arrays[0])?;
            let out: StringViewArray = texts
                .iter()
                .map(|text| {
                    let found = pattern.captures(text?)?.get(group)?;
                    Some(found.as_str())
                })
                .collect();
            Ok(Arc::new(out))
        },
    ))
}

/// Characters from position 1; what lies before the text counts but does not appear.
fn substring(call: &Call<'_, '_>) -> Result<Value> {
    let (start, length) = (call.int("start")?, call.opt_int("length")?);
    if length.is_some_and(|length| length < 0) {
        return Err(call.invalid("the length cannot be negative"));
    }
    let first = start.max(1);
    let count = length.map(|length| start.saturating_add(length).saturating_sub(first).max(0));
    sliced(call, call.value("x")?, first - 1, count)
}
