//! Comparison, truth values, nulls and membership.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions::math::expr_fn::isnan;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr as PlanExpr, Operator, lit, when};
use laktory_core::{Arg, Error, ErrorKind, Func, Result, Scalar, typing};

use super::cast::{common_of, common_type, convert};
use super::numeric::canonical;
use super::{Call, FULL, Row, truth, window};
use crate::error::ResultExt;
use crate::expr::{Value, literal};
use crate::kernel::kernel;
use crate::types::{data_type, is_float, is_integer, is_list, is_number, is_text, shown};

pub(super) const ROWS: &[Row] = &[
    (Func::Eq, FULL, |call| compared(call, Operator::Eq)),
    (Func::Ne, FULL, |call| compared(call, Operator::NotEq)),
    (Func::Lt, FULL, |call| compared(call, Operator::Lt)),
    (Func::Le, FULL, |call| compared(call, Operator::LtEq)),
    (Func::Gt, FULL, |call| compared(call, Operator::Gt)),
    (Func::Ge, FULL, |call| compared(call, Operator::GtEq)),
    (Func::And, FULL, |call| {
        logical(call, Operator::And, Operator::BitwiseAnd)
    }),
    (Func::Or, FULL, |call| {
        logical(call, Operator::Or, Operator::BitwiseOr)
    }),
    (Func::Xor, FULL, |call| {
        logical(call, Operator::NotEq, Operator::BitwiseXor)
    }),
    (Func::Not, FULL, |call| {
        let value = call.receiver()?;
        if is_integer(&value.dtype) {
            let ones = if value.dtype.is_signed_integer() {
                convert(Value::constant(ScalarValue::Int32(Some(-1))), &value.dtype)?
            } else {
                convert(
                    Value::constant(ScalarValue::UInt64(Some(unsigned_max(&value.dtype)))),
                    &value.dtype,
                )?
            };
            return Ok(value.map(|expr| binary(expr, Operator::BitwiseXor, ones.expr)));
        }
        Ok(Value::boolean(PlanExpr::Not(Box::new(truth(
            value,
            "the operand of `~`",
        )?))))
    }),
    (Func::IsNull, FULL, |call| {
        Ok(Value::boolean(call.receiver()?.expr.is_null()))
    }),
    (Func::IsNan, FULL, |call| classified(call, false)),
    (Func::IsFinite, FULL, |call| classified(call, true)),
    (Func::FillNull, FULL, |call| {
        match call.opt_value("value")? {
            Some(value) => filled(call.receiver()?, value),
            None => window::fill_null_strategy(call),
        }
    }),
    (Func::FillNan, FULL, |call| {
        let (value, replacement) = (call.receiver()?, call.value("value")?);
        if !is_float(&value.dtype) {
            return if is_number(&value.dtype) || value.dtype == DataType::Null {
                // No integer is NaN, but the type is that of both.
                let dtype = common_type([&value, &replacement].into_iter())?;
                convert(value, &dtype)
            } else {
                Err(call.mismatch(&value.dtype))
            };
        }
        let dtype = common_type([&value, &replacement].into_iter())?;
        let nan = isnan(value.expr.clone());
        let (value, replacement) = (convert(value, &dtype)?, convert(replacement, &dtype)?);
        Ok(Value {
            expr: when(nan, replacement.expr)
                .otherwise(value.expr)
                .or_error()?,
            dtype,
        })
    }),
    (Func::IsIn, FULL, is_in),
    (Func::IsBetween, FULL, |call| {
        let value = call.receiver()?;
        let (lower, upper) = (call.value("lower_bound")?, call.value("upper_bound")?);
        let (from, to) = match call.text("closed")? {
            "left" => (Operator::GtEq, Operator::Lt),
            "right" => (Operator::Gt, Operator::LtEq),
            "none" => (Operator::Gt, Operator::Lt),
            _ => (Operator::GtEq, Operator::LtEq),
        };
        let above = compare(call, value.clone(), from, lower)?;
        let below = compare(call, value, to, upper)?;
        Ok(Value::boolean(above.expr.and(below.expr)))
    }),
    (Func::IsClose, FULL, is_close),
    (Func::ReplaceStrict, FULL, replace_strict),
    (Func::Coalesce, FULL, |call| {
        let values = call.values("exprs")?;
        let dtype = common_type(values.iter())?;
        let exprs = values
            .into_iter()
            .map(|value| Ok(convert(value, &dtype)?.expr))
            .collect::<Result<Vec<_>>>()?;
        Ok(Value {
            expr: coalesce(exprs),
            dtype,
        })
    }),
];

pub(super) fn binary(left: PlanExpr, op: Operator, right: PlanExpr) -> PlanExpr {
    PlanExpr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

fn unsigned_max(dtype: &DataType) -> u64 {
    match dtype {
        DataType::UInt8 => u8::MAX.into(),
        DataType::UInt16 => u16::MAX.into(),
        DataType::UInt32 => u32::MAX.into(),
        _ => u64::MAX,
    }
}

fn compared(call: &Call<'_, '_>, op: Operator) -> Result<Value> {
    compare(call, call.receiver()?, op, call.value("other")?)
}

/// A comparison in the common type; text with anything else is refused, NaN is equal to NaN and the greatest.
fn compare(call: &Call<'_, '_>, left: Value, op: Operator, right: Value) -> Result<Value> {
    let (left, right) = comparable(call, left, right)?;
    Ok(Value::boolean(binary(left.expr, op, right.expr)))
}

/// Two values in a type in which they can be compared.
pub(crate) fn comparable(call: &Call<'_, '_>, left: Value, right: Value) -> Result<(Value, Value)> {
    if left.dtype == DataType::Null && right.dtype == DataType::Null {
        let boolean = DataType::Boolean;
        return Ok((convert(left, &boolean)?, convert(right, &boolean)?));
    }
    if !alike(&left.dtype, &right.dtype) {
        let (name, a, b) = (
            typing::shown(call.func()),
            shown(&left.dtype),
            shown(&right.dtype),
        );
        return Err(Error::new(
            ErrorKind::TypeMismatch,
            format!("`{name}` cannot compare {a} with {b}"),
        )
        .with_hint("convert one of them with `.cast(...)`"));
    }
    let dtype = common_type([&left, &right].into_iter())?;
    Ok((
        canonical(convert(left, &dtype)?),
        canonical(convert(right, &dtype)?),
    ))
}

/// Whether values of two types may be compared.
fn alike(left: &DataType, right: &DataType) -> bool {
    let family = |dtype: &DataType| match dtype {
        dtype if is_number(dtype) => 1,
        dtype if is_text(dtype) => 2,
        DataType::Boolean => 3,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => 4,
        DataType::Time32(_) | DataType::Time64(_) => 5,
        DataType::Duration(_) => 6,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => 7,
        dtype if is_list(dtype) => 8,
        DataType::Struct(_) => 9,
        _ => 10,
    };
    *left == DataType::Null || *right == DataType::Null || family(left) == family(right)
}

fn logical(call: &Call<'_, '_>, boolean: Operator, bits: Operator) -> Result<Value> {
    let (left, right) = (call.receiver()?, call.value("other")?);
    if is_integer(&left.dtype) && is_integer(&right.dtype) {
        let dtype = common_type([&left, &right].into_iter())?;
        return Ok(Value {
            expr: binary(
                convert(left, &dtype)?.expr,
                bits,
                convert(right, &dtype)?.expr,
            ),
            dtype,
        });
    }
    let what = format!("an operand of `{}`", typing::shown(call.func()));
    Ok(Value::boolean(binary(
        truth(left, &what)?,
        boolean,
        truth(right, &what)?,
    )))
}

/// Whether a number is NaN, or is finite; integers are never and always.
fn classified(call: &Call<'_, '_>, finite: bool) -> Result<Value> {
    let value = call.receiver()?;
    if is_float(&value.dtype) {
        let value = convert(value, &DataType::Float64)?;
        let name = if finite { "is_finite" } else { "is_nan" };
        return Ok(kernel(name, vec![value], DataType::Boolean, move |args| {
            let floats = args[0].as_primitive::<Float64Type>();
            let out = BooleanArray::from_unary(floats, |value| {
                if finite {
                    value.is_finite()
                } else {
                    value.is_nan()
                }
            });
            Ok(Arc::new(out))
        }));
    }
    if is_number(&value.dtype) || value.dtype == DataType::Null {
        let known = when(value.expr.is_not_null(), lit(finite))
            .end()
            .or_error()?;
        return Ok(Value::boolean(known));
    }
    Err(call.mismatch(&value.dtype))
}

/// The value, or another where it is null.
fn filled(value: Value, replacement: Value) -> Result<Value> {
    let dtype = common_type([&value, &replacement].into_iter())?;
    Ok(Value {
        expr: coalesce(vec![
            convert(value, &dtype)?.expr,
            convert(replacement, &dtype)?.expr,
        ]),
        dtype,
    })
}

fn is_in(call: &Call<'_, '_>) -> Result<Value> {
    let value = call.receiver()?;
    let candidates: Vec<Value> = match call.arg("other") {
        Arg::Values(values) => constants(values)?,
        Arg::Expr(laktory_core::Expr::Literal(Scalar::List(values))) => constants(values)?,
        _ => {
            let list = call.value("other")?;
            let Some(element) = crate::types::element(&list.dtype).cloned() else {
                return Err(call.mismatch(&list.dtype));
            };
            let item = Value {
                expr: list.expr.clone(),
                dtype: element,
            };
            if !alike(&value.dtype, &item.dtype) {
                return Err(call.mismatch(&list.dtype));
            }
            let dtype = common_type([&value, &item].into_iter())?;
            let list = convert(list, &crate::types::list_of(dtype.clone()))?;
            let known = value.expr.clone().is_not_null();
            let has = datafusion::functions_nested::expr_fn::array_has(
                list.expr,
                convert(value, &dtype)?.expr,
            );
            let found = coalesce(vec![has, lit(false)]);
            return Ok(Value::boolean(when(known, found).end().or_error()?));
        }
    };
    let mut value = value;
    let mut list = Vec::with_capacity(candidates.len());
    // A null in the list is equal to nothing.
    let candidates: Vec<Value> = candidates
        .into_iter()
        .filter(|candidate| candidate.as_constant().is_none_or(|c| !c.is_null()))
        .collect();
    for candidate in &candidates {
        // Integers are not looked for among floats: they would lose digits.
        let lossy = is_integer(&value.dtype) && is_float(&candidate.dtype);
        if lossy || !alike(&value.dtype, &candidate.dtype) {
            return Err(call.mismatch(&candidate.dtype));
        }
    }
    let dtype = common_type(std::iter::once(&value).chain(&candidates))?;
    for candidate in candidates {
        list.push(canonical(convert(candidate, &dtype)?).expr);
    }
    value = canonical(convert(value, &dtype)?);
    if list.is_empty() {
        let known = when(value.expr.is_not_null(), lit(false))
            .end()
            .or_error()?;
        return Ok(Value::boolean(known));
    }
    Ok(Value::boolean(PlanExpr::InList(InList::new(
        Box::new(value.expr),
        list,
        false,
    ))))
}

fn constants(values: &[Scalar]) -> Result<Vec<Value>> {
    values.iter().map(literal).collect()
}

fn is_close(call: &Call<'_, '_>) -> Result<Value> {
    let (absolute, relative) = (call.float("abs_tol")?, call.float("rel_tol")?);
    let nans_equal = call.flag("nans_equal")?;
    if absolute < 0.0 || !(0.0..1.0).contains(&relative) {
        return Err(call.invalid("`abs_tol` is at least 0, `rel_tol` at least 0 and below 1"));
    }
    let float = |value: Value| {
        if is_number(&value.dtype) || value.dtype == DataType::Null {
            convert(value, &DataType::Float64)
        } else {
            Err(call.mismatch(&value.dtype))
        }
    };
    let args = vec![float(call.receiver()?)?, float(call.value("other")?)?];
    let name = format!("is_close {absolute:?} {relative:?} {nans_equal}");
    Ok(kernel(name, args, DataType::Boolean, move |args| {
        let (a, b) = (
            args[0].as_primitive::<Float64Type>(),
            args[1].as_primitive::<Float64Type>(),
        );
        let close = |a: f64, b: f64| {
            if a.is_nan() || b.is_nan() {
                return nans_equal && a.is_nan() && b.is_nan();
            }
            if a.is_infinite() || b.is_infinite() {
                #[allow(clippy::float_cmp, reason = "infinities of one sign")]
                return a == b;
            }
            (a - b).abs() <= (relative * a.abs().max(b.abs())).max(absolute)
        };
        let out = BooleanArray::from_binary(a, b, close);
        let nulls = datafusion::arrow::buffer::NullBuffer::union(
            datafusion::arrow::array::Array::nulls(a),
            datafusion::arrow::array::Array::nulls(b),
        );
        let (values, _) = out.into_parts();
        Ok(Arc::new(BooleanArray::new(values, nulls)))
    }))
}

/// Values mapped to others. What is not mapped takes the default, or fails.
fn replace_strict(call: &Call<'_, '_>) -> Result<Value> {
    let Arg::Mapping(mapping) = call.arg("mapping") else {
        return Err(Error::internal(
            "`replace_strict` was bound without mapping",
        ));
    };
    let value = call.receiver()?;
    let default = match call.opt_value("default")? {
        Some(value) => Some(wide(value)?),
        None => None,
    };
    let (old, new): (Vec<Scalar>, Vec<Scalar>) = mapping.iter().cloned().unzip();
    let (old, new) = (constants(&old)?, widened(&new)?);
    for key in &old {
        if !alike(&value.dtype, &key.dtype) {
            return Err(call.mismatch(&key.dtype));
        }
    }
    let dtype = match call.opt_dtype("return_dtype")? {
        Some(dtype) => data_type(dtype)?,
        None => common_of(new.iter().chain(&default).map(|value| value.dtype.clone()))?,
    };
    let key_type = common_type(std::iter::once(&value).chain(&old))?;
    let key = canonical(convert(value.clone(), &key_type)?);
    let mut branches = Vec::with_capacity(old.len());
    for (old, new) in old.into_iter().zip(new) {
        let is = if old.as_constant().is_some_and(ScalarValue::is_null) {
            key.expr.clone().is_null()
        } else {
            key.expr
                .clone()
                .eq(canonical(convert(old, &key_type)?).expr)
        };
        branches.push((is, convert(new, &dtype)?.expr));
    }
    let case = |branches: Vec<(PlanExpr, PlanExpr)>, otherwise: PlanExpr| {
        if branches.is_empty() {
            return otherwise;
        }
        let branches = branches
            .into_iter()
            .map(|(is, then)| (Box::new(is), Box::new(then)))
            .collect();
        PlanExpr::Case(datafusion::logical_expr::Case::new(
            None,
            branches,
            Some(Box::new(otherwise)),
        ))
    };
    if let Some(default) = default {
        let otherwise = convert(default, &dtype)?.expr;
        return Ok(Value {
            expr: case(branches, otherwise),
            dtype,
        });
    }
    let mapped = branches
        .iter()
        .map(|(is, _)| (is.clone(), lit(true)))
        .collect();
    let mapped = Value::boolean(case(mapped, value.expr.clone().is_null()));
    let null = Value::null(&dtype)?.expr;
    let result = Value {
        expr: case(branches, null),
        dtype: dtype.clone(),
    };
    Ok(kernel(
        "replace_strict",
        vec![mapped, result],
        dtype,
        |args| {
            let mapped = args[0].as_boolean();
            if mapped.iter().any(|mapped| mapped != Some(true)) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "`replace_strict`: a value is not mapped",
                )
                .with_hint("map every value, or give `default=`"));
            }
            Ok(Arc::clone(&args[1]))
        },
    ))
}

/// Constants as values; integers take 64 bits, as in a list of Python.
fn widened(values: &[Scalar]) -> Result<Vec<Value>> {
    constants(values)?.into_iter().map(wide).collect()
}

/// A constant of 32 bits in 64.
fn wide(value: Value) -> Result<Value> {
    match (value.as_constant(), &value.dtype) {
        (Some(constant), DataType::Int32) => constant
            .cast_to(&DataType::Int64)
            .map(Value::constant)
            .or_error(),
        _ => Ok(value),
    }
}
