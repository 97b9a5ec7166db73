//! Calls that are carried out as others, where types ask for it: what would wrap, or is told by texts.

use crate::dtype::DType;
use crate::expr::{Arg, Expr, Scalar};
use crate::functions::Func;
use crate::shape::{Rows, shape};

use super::Typed;
use super::common::is_temporal;
use super::settle::cast_to;

/// The expression that is carried out in the place of a call of type `dtype`, where there is another.
pub(super) fn of(func: Func, args: &[Arg], values: &[Typed], dtype: &DType) -> Option<Expr> {
    let decimal = matches!(dtype, DType::Decimal { .. });
    match func {
        Func::SumHorizontal if decimal || *dtype == DType::Int64 => across(args, dtype),
        // There is nothing to fill.
        Func::FillNan if decimal => match args.first() {
            Some(Arg::Expr(this)) => Some(cast_to(this.clone(), dtype.clone())),
            _ => None,
        },
        Func::IsIn => one_by_one(args, values),
        Func::Abs | Func::Diff => without_wrapping(func, args, dtype),
        Func::Sum | Func::SqlSum => in_digits(func, args, values, dtype),
        _ => None,
    }
}

/// Whether a point in time is among texts, which are read as such points, or a decimal among other numbers, by equality with
/// each of them.
fn one_by_one(args: &[Arg], values: &[Typed]) -> Option<Expr> {
    /// Numbers that are compared so; longer lists are the engine's to look up.
    const FEW: usize = 100;
    let (Some(Arg::Expr(this)), Some(Arg::Values(among)), Some(first)) =
        (args.first(), args.get(1), values.first())
    else {
        return None;
    };
    let all = |is_meant: fn(&Scalar) -> bool| !among.is_empty() && among.iter().all(is_meant);
    let texts = is_temporal(&first.dtype) && all(|value| matches!(value, Scalar::Str(_)));
    let numbers = matches!(first.dtype, DType::Decimal { .. })
        && among.len() <= FEW
        && all(|value| matches!(value, Scalar::Int(_) | Scalar::Float(_)));
    if !texts && !numbers {
        return None;
    }
    let equal = among.iter().map(|value| {
        let value = Expr::Literal(value.clone());
        let value = match texts {
            true => cast_to(value, first.dtype.clone()),
            false => value,
        };
        Expr::call(Func::Eq, [this.clone(), value])
    });
    equal.reduce(Expr::or)
}

/// The sum of integers or decimals across columns, null as 0, as sums of two that cannot wrap.
fn across(args: &[Arg], dtype: &DType) -> Option<Expr> {
    let [Arg::Exprs(exprs)] = args else {
        return None;
    };
    let known = exprs.iter().map(|expr| {
        let wide = cast_to(expr.clone(), dtype.clone());
        Expr::Call {
            func: Func::FillNull,
            args: vec![
                Arg::Expr(wide),
                Arg::Expr(Expr::literal(0)),
                Arg::Absent,
                Arg::Absent,
            ],
        }
    });
    known.reduce(|sum, expr| Expr::call(Func::ExactAdd, [sum, expr]))
}

/// The absolute value of a signed integer, or the distance of each from the one before, by operations that do not wrap.
fn without_wrapping(func: Func, args: &[Arg], dtype: &DType) -> Option<Expr> {
    let Some(Arg::Expr(this)) = args.first() else {
        return None;
    };
    let signed = matches!(
        dtype,
        DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64
    );
    // What leaves rows out must not be asked twice: it may leave out others.
    if !signed || shape(this).rows == Rows::Other {
        return None;
    }
    let wide = cast_to(this.clone(), DType::Int64);
    if func == Func::Diff {
        let before = Expr::Call {
            func: Func::Shift,
            args: vec![Arg::Expr(wide.clone()), Arg::Int(1)],
        };
        return Some(Expr::call(Func::ExactSub, [wide, before]));
    }
    let zero = cast_to(Expr::literal(0), DType::Int64);
    let minus = cast_to(Expr::literal(-1), DType::Int64);
    let is_negative = Expr::call(Func::Lt, [wide.clone(), zero]);
    let positive = Expr::call(Func::ExactMul, [wide.clone(), minus]);
    let absolute = Expr::When {
        branches: vec![(is_negative, positive)],
        otherwise: Some(Box::new(wide)),
    };
    Some(cast_to(absolute, dtype.clone()))
}

/// The sum of decimals so long that 128 bits may not hold it, and of unsigned integers of 64 bits, which are added as decimals.
fn in_digits(func: Func, args: &[Arg], values: &[Typed], dtype: &DType) -> Option<Expr> {
    /// Numbers of so many digits do not reach 38 before there are a billion times a thousand of them.
    const SHORT: u8 = 26;
    let (Some(Arg::Expr(this)), Some(value)) = (args.first(), values.first()) else {
        return None;
    };
    match &value.dtype {
        DType::UInt64 => {
            let wide = DType::Decimal {
                precision: Some(20),
                scale: 0,
            };
            let sum = Expr::call(func, [cast_to(this.clone(), wide)]);
            Some(cast_to(sum, DType::UInt64))
        }
        DType::Decimal { precision, .. } if precision.is_none_or(|digits| digits > SHORT) => {
            let sum = Expr::call(Func::DecimalSum, [this.clone()]);
            let zero = || cast_to(Expr::literal(0), dtype.clone());
            Some(match func {
                Func::SqlSum => sum,
                _ => Expr::Call {
                    func: Func::Coalesce,
                    args: vec![Arg::Exprs(vec![sum, zero()])],
                },
            })
        }
        _ => None,
    }
}
