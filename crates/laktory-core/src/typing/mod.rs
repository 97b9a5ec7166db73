//! Types of expressions and steps, known without an engine: what each function takes and gives ([`Signature`]), the type
//! in which values meet ([`common_type`]), and the columns that each step leaves ([`after`]).
//!
//! Classes of types are those of Narwhals 2.29 on Polars; widths are chosen so that nothing wraps by surprise: counts,
//! lengths, ranks, positions and parts of dates are 64-bit integers, and so is what `+`, `-` and `*` make of integers.
//! What is not known (a user's own function, the columns of a pivot) is [`DType::Unknown`], which fits everywhere.

mod arithmetic;
mod calls;
mod cast;
mod common;
mod constants;
mod instead;
mod ops;
mod settle;
mod signature;
mod step;

use std::borrow::Cow;

use crate::dtype::{DType, Field};
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::expr::{Expr, Scalar};
use crate::functions::Func;
use crate::window::{Window, WindowFunc, WindowUnit};

pub use arithmetic::arithmetic;
pub use common::{common_type, supertype};
pub use ops::{After, after};
pub use signature::Signature;
pub use step::{apply, columns};

/// What is known of the value of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// Its type.
    pub dtype: DType,
    /// A bare constant, which takes the type of what it meets.
    constant: Option<Constant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Constant {
    Int(i128),
    Float,
    /// A text of SQL that is compared.
    Text,
}

impl Typed {
    /// A value of a type.
    #[must_use]
    pub fn of(dtype: DType) -> Self {
        Self {
            dtype,
            constant: None,
        }
    }

    fn int(value: i128) -> Self {
        let dtype = if i32::try_from(value).is_ok() {
            DType::Int32
        } else if i64::try_from(value).is_ok() {
            DType::Int64
        } else if u64::try_from(value).is_ok() {
            DType::UInt64
        } else {
            DType::Int128
        };
        Self {
            dtype,
            constant: Some(Constant::Int(value)),
        }
    }

    fn text() -> Self {
        Self {
            dtype: DType::String,
            constant: Some(Constant::Text),
        }
    }

    fn float() -> Self {
        Self {
            dtype: DType::Float64,
            constant: Some(Constant::Float),
        }
    }

    fn scalar(value: &Scalar) -> Result<Self> {
        Ok(Self::of(match value {
            Scalar::Null => DType::Null,
            Scalar::Bool(_) => DType::Boolean,
            Scalar::Int(value) => return Ok(Self::int(*value)),
            Scalar::Float(_) => return Ok(Self::float()),
            Scalar::Str(_) => DType::String,
            Scalar::Bytes(_) => DType::Binary,
            Scalar::Date(_) => DType::Date,
            Scalar::Time(_) => DType::Time,
            Scalar::Datetime { unit, zone, .. } => DType::Datetime {
                unit: *unit,
                zone: zone.clone(),
            },
            Scalar::Duration { unit, .. } => DType::Duration(*unit),
            Scalar::List(values) => DType::List(Box::new(of_constants(values)?)),
        }))
    }
}

/// The type of constants side by side, such as the elements of a list: integers have 64 bits.
fn of_constants(values: &[Scalar]) -> Result<DType> {
    let mut typed = Vec::with_capacity(values.len());
    for value in values {
        typed.push(match value {
            Scalar::Int(value) if i64::try_from(*value).is_ok() => Typed::of(DType::Int64),
            Scalar::Float(_) => Typed::of(DType::Float64),
            other => Typed::scalar(other)?,
        });
    }
    common_type(&typed)
}

/// The type of an expression over columns. Its selectors are resolved ([`crate::expand`]).
///
/// # Errors
/// `ColumnNotFound`; `FieldNotFound`; `TypeMismatch` where a function does not take a value of such a type;
/// `UnsupportedCast`.
pub fn type_of(expr: &Expr, columns: &[Field]) -> Result<Typed> {
    Ok(settle::settle(expr, columns)?.typed)
}

/// Whether a part of an expression fits the columns by itself, whatever is around it: of an expression that does not, the
/// first such part that fails says what is at fault.
///
/// # Errors
/// Those of [`type_of`].
pub fn fits(part: &Expr, columns: &[Field]) -> Result<()> {
    for expr in crate::expand::expand_part(part, columns)? {
        settle::settle(&expr, columns)?;
    }
    Ok(())
}

fn of_window(window: &Window, columns: &[Field]) -> Result<DType> {
    let mut args = Vec::with_capacity(window.args.len());
    for arg in &window.args {
        args.push(type_of(arg, columns)?);
    }
    let parts = window.partition_by.iter();
    for part in parts.chain(window.order_by.iter().map(|key| &key.expr)) {
        type_of(part, columns)?;
    }
    if window.frame.reaches_over_values() {
        distances(window, columns)?;
    }
    let first = || args.first().map_or(DType::Null, |arg| arg.dtype.clone());
    // Over a window as over a group.
    let aggregated = |func| match window.args.first() {
        Some(arg) => Ok(type_of(&Expr::call(func, [arg.clone()]), columns)?.dtype),
        None => Ok(DType::Null),
    };
    match window.func {
        WindowFunc::RowNumber
        | WindowFunc::Rank
        | WindowFunc::DenseRank
        | WindowFunc::Ntile
        | WindowFunc::Count => Ok(DType::Int64),
        WindowFunc::PercentRank | WindowFunc::CumeDist => Ok(DType::Float64),
        WindowFunc::Lag | WindowFunc::Lead => match args.get(2) {
            Some(default) => {
                let name = match window.func {
                    WindowFunc::Lag => "LAG",
                    _ => "LEAD",
                };
                calls::comparable_as(name, &args[0].dtype, &default.dtype)
                    .map_err(|error| error.with_subject(Subject::Argument(2)))?;
                common_type([&args[0], default])
            }
            None => Ok(first()),
        },
        WindowFunc::FirstValue | WindowFunc::LastValue | WindowFunc::NthValue => Ok(first()),
        WindowFunc::Min => aggregated(Func::Min),
        WindowFunc::Max => aggregated(Func::SqlMax),
        WindowFunc::Sum => aggregated(Func::SqlSum),
        WindowFunc::Avg => aggregated(Func::Mean),
    }
}

/// Whether the distances of a frame can be measured along its order.
fn distances(window: &Window, columns: &[Field]) -> Result<()> {
    let [key] = window.order_by.as_slice() else {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "a frame of distances needs exactly one key of the order",
        ));
    };
    let dtype = type_of(&key.expr, columns)?.dtype;
    let is_time = matches!(
        dtype,
        DType::Date | DType::Time | DType::Datetime { .. } | DType::Duration(_)
    );
    let (fits, wanted) = match window.frame.unit {
        WindowUnit::Interval => (is_time, "a date, time or duration for an interval"),
        _ => (dtype.is_numeric(), "a number for a number"),
    };
    if fits || matches!(dtype, DType::Null | DType::Unknown) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TypeMismatch,
        format!("RANGE is measured along the order, which is of type {dtype}; it must be {wanted}"),
    ))
}

/// How messages call a function: as users write it.
#[must_use]
pub fn shown(func: Func) -> Cow<'static, str> {
    let path = func.def().path;
    match func {
        Func::ExactAdd => "+".into(),
        Func::ExactSub | Func::Neg => "-".into(),
        Func::ExactMul => "*".into(),
        _ => match path.strip_prefix("sql.").or(path.strip_prefix("exact.")) {
            Some(name) => name.to_uppercase().into(),
            None => path.into(),
        },
    }
}
