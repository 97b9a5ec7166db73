//! Types of calls: the arguments are matched with the forms of the [`Signature`]; some functions have a rule beyond it.

use std::borrow::Cow;

use crate::call::BoundCall;
use crate::dtype::{DType, Field};
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::expr::{Arg, Scalar};
use crate::functions::Func;
use crate::semantics::interval::Interval;

use super::arithmetic::arithmetic;
use super::common::{MOST_DIGITS, is_temporal, is_text, is_time_and_number};
use super::signature::{Form, Gives, Signature};
use super::{Constant, Typed, common_type, of_constants, shown, supertype};

/// The type of a call on values of types.
///
/// # Errors
/// `TypeMismatch`, `FieldNotFound`.
pub(super) fn call(func: Func, args: &[Arg], values: &[Typed]) -> Result<DType> {
    let Some(form) = form(func, values) else {
        return Err(mismatch(func, Signature::of(func), values));
    };
    if matches!(
        func,
        Func::MaxHorizontal | Func::MinHorizontal | Func::SqlGreatest | Func::SqlNullIf
    ) {
        let mut known = None;
        for (at, value) in values.iter().enumerate() {
            if let Some(known) = known {
                comparable(func, known, &value.dtype)
                    .map_err(|error| error.with_subject(Subject::Argument(at)))?;
            } else if !matches!(value.dtype, DType::Null | DType::Unknown) {
                known = Some(&value.dtype);
            }
        }
    }
    let first = || {
        values
            .first()
            .map_or(DType::Null, |value| value.dtype.clone())
    };
    match &form.gives {
        Gives::Fixed(dtype) => Ok(dtype.clone()),
        Gives::First => Ok(first()),
        Gives::Common => common_type(values),
        Gives::Float => Ok(float(&first())),
        Gives::Rule => rule(func, args, values),
    }
}

/// The type that the first value is taken for where it has none.
pub(super) fn of_nulls(func: Func, values: &[Typed]) -> Option<DType> {
    if values.first()?.dtype != DType::Null {
        return None;
    }
    form(func, values)?.takes.first()?.class.of_nulls()
}

/// The first form of a function that values fit.
fn form(func: Func, values: &[Typed]) -> Option<&'static Form> {
    let mut forms = Signature::of(func).forms().iter();
    forms.find(|form| fits(form, values))
}

/// Whether values may stand at the places of a form.
fn fits(form: &Form, values: &[Typed]) -> bool {
    let mut places = form.takes.iter();
    let mut place = places.next();
    for value in values {
        match place {
            Some(taken) if taken.class.has(&value.dtype) => {
                if !taken.several {
                    place = places.next();
                }
            }
            // What no form speaks of, such as the constant of a parameter that takes either.
            None => return true,
            Some(_) => return false,
        }
    }
    true
}

fn mismatch(func: Func, signature: &Signature, values: &[Typed]) -> Error {
    let single = |form: &Form| form.takes.first().map(|taken| taken.class);
    // The first value decides, or else one behind it.
    let first = values.first();
    let of_first: Vec<&Form> = (signature.forms().iter())
        .filter(|form| {
            single(form)
                .zip(first)
                .is_some_and(|(class, value)| class.has(&value.dtype))
        })
        .collect();
    let (at, forms): (usize, Vec<&Form>) = match of_first.as_slice() {
        [] => (0, signature.forms().iter().collect()),
        _ => {
            let bad = (1..values.len())
                .find(|at| !of_first.iter().any(|form| fits(form, &values[..=*at])))
                .unwrap_or(0);
            (bad, of_first)
        }
    };
    let mut wanted: Vec<&str> = Vec::new();
    for form in forms {
        let taken = form.takes.get(at).or(form.takes.last());
        if let Some(taken) = taken
            && !wanted.contains(&taken.class.name())
        {
            wanted.push(taken.class.name());
        }
    }
    let found = values.get(at).map_or(&DType::Null, |value| &value.dtype);
    let which = match at {
        0 => "",
        _ => " as its argument",
    };
    Error::new(
        ErrorKind::TypeMismatch,
        format!(
            "`{}` takes {}{which}, not {found}",
            shown(func),
            wanted.join(" or ")
        ),
    )
    .with_subject(Subject::Argument(at))
}

/// A 32-bit float of 32-bit floats, else a 64-bit one.
fn float(dtype: &DType) -> DType {
    match dtype {
        DType::Float32 | DType::Unknown => dtype.clone(),
        _ => DType::Float64,
    }
}

/// The type of a sum of values: integers and booleans have 64 bits.
pub(super) fn sum(dtype: &DType) -> DType {
    match dtype {
        DType::Int128 | DType::UInt128 => DType::Int128,
        DType::UInt64 => DType::UInt64,
        DType::Boolean => DType::Int64,
        dtype if dtype.is_integer() => DType::Int64,
        DType::Decimal { scale, .. } => DType::Decimal {
            precision: Some(MOST_DIGITS),
            scale: *scale,
        },
        other => other.clone(),
    }
}

/// The type of a number that is rounded: 9.9 may become 10.0, so that a decimal needs a digit more unless it is kept as it is.
fn rounded(call: &BoundCall<'_>, number: &DType) -> Result<DType> {
    let DType::Decimal { precision, scale } = number else {
        return Ok(number.clone());
    };
    let digits = precision.unwrap_or(MOST_DIGITS);
    let digits = match call.func() {
        Func::SqlSign => digits.max(*scale + 1),
        Func::Floor | Func::Ceil if *scale == 0 => digits,
        Func::Round | Func::SqlRound | Func::SqlRoundHalfUp
            if call.int("decimals")? >= i64::from(*scale) =>
        {
            digits
        }
        _ => digits + 1,
    };
    Ok(DType::Decimal {
        precision: Some(digits.min(MOST_DIGITS)),
        scale: *scale,
    })
}

/// The type of a mean: of points in time it is one too.
pub(super) fn mean(dtype: &DType) -> DType {
    match dtype {
        DType::Date => DType::datetime(),
        DType::Float32
        | DType::Time
        | DType::Datetime { .. }
        | DType::Duration(_)
        | DType::Unknown => dtype.clone(),
        _ => DType::Float64,
    }
}

fn rule(func: Func, args: &[Arg], values: &[Typed]) -> Result<DType> {
    let call = BoundCall::new(func, args);
    let first = values.first().map_or(&DType::Null, |value| &value.dtype);
    let null = Typed::of(DType::Null);
    let (left, right) = (
        values.first().unwrap_or(&null),
        values.get(1).unwrap_or(&null),
    );
    match func {
        Func::Add
        | Func::Sub
        | Func::Mul
        | Func::TrueDiv
        | Func::FloorDiv
        | Func::Mod
        | Func::Pow
        | Func::SqlMod
        | Func::ExactAdd
        | Func::ExactSub
        | Func::ExactMul => arithmetic(func, left, right),
        Func::Neg => match first {
            DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 | DType::UInt128 => {
                Err(Error::new(
                    ErrorKind::TypeMismatch,
                    format!("`-` does not take {first}, which has no negative numbers"),
                )
                .with_hint("cast it to `Int64` first"))
            }
            DType::Int8 | DType::Int16 | DType::Int32 => Ok(DType::Int64),
            signed => Ok(signed.clone()),
        },
        Func::Floor
        | Func::Ceil
        | Func::Round
        | Func::SqlRound
        | Func::SqlRoundHalfUp
        | Func::SqlSign => rounded(&call, first),
        Func::DtToString => formatted(call.text("format")?, first),
        Func::ListContains => {
            comparable(func, &element(first), &right.dtype)?;
            Ok(DType::Boolean)
        }
        Func::Diff => arithmetic(Func::Sub, left, left),
        func if compares(func) => {
            for other in &values[1..] {
                if !takes_type(left, other) && !takes_type(other, left) {
                    comparable(func, first, &other.dtype)?;
                }
            }
            Ok(DType::Boolean)
        }
        Func::IsIn => {
            let among = match call.arg("other") {
                Arg::Values(values) => of_constants(values)?,
                _ => match &right.dtype {
                    DType::List(inner) | DType::Array(inner, _) => (**inner).clone(),
                    other => other.clone(),
                },
            };
            // Texts are read as what they are looked up in.
            if !(is_temporal(first) && among == DType::String) {
                comparable(func, first, &among)?;
            }
            Ok(DType::Boolean)
        }
        Func::Sum
        | Func::ExactSum
        | Func::DecimalSum
        | Func::SqlSum
        | Func::CumSum
        | Func::RollingSum => Ok(sum(first)),
        Func::Mean | Func::Median | Func::RollingMean | Func::Quantile => Ok(mean(first)),
        Func::Rank => Ok(match call.text("method")? {
            "average" => DType::Float64,
            _ => DType::Int64,
        }),
        Func::SumHorizontal => {
            let mut sum: Option<Typed> = None;
            for value in values {
                let next = match &sum {
                    Some(sum) => arithmetic(Func::Add, sum, value)?,
                    None => value.dtype.clone(),
                };
                sum = Some(Typed::of(next));
            }
            Ok(sum.map_or(DType::Null, |sum| self::sum(&sum.dtype)))
        }
        Func::MeanHorizontal => Ok(DType::Float64),
        Func::Struct => {
            let exprs = call.exprs("exprs")?;
            let names = exprs.iter().map(|expr| crate::walk::output_name(expr));
            let fields = names
                .zip(values)
                .map(|(name, value)| Some(Field::new(name?, value.dtype.clone())));
            Ok(fields
                .collect::<Option<_>>()
                .map_or(DType::Unknown, DType::Struct))
        }
        Func::List => Ok(DType::List(Box::new(common_type(values)?))),
        Func::ReplaceStrict => replaced(&call, values),
        Func::StrToDatetime => Ok(match call.opt_text("format")? {
            // The zone is that of the texts.
            Some(format)
                if ["%z", "%Z", "%:z", "%#z", "%+"]
                    .iter()
                    .any(|zone| format.contains(zone)) =>
            {
                DType::Unknown
            }
            _ => DType::datetime(),
        }),
        // A day that is moved by hours becomes a point in time.
        Func::DtOffsetBy => Ok(match (first, Interval::parse(call.text("by")?)) {
            (DType::Date, Some(Interval::Nanoseconds(_))) => DType::datetime(),
            _ => first.clone(),
        }),
        Func::DtReplaceTimeZone | Func::DtConvertTimeZone => Ok(match first {
            // Offsets have several names.
            DType::Datetime { .. } if call.opt_text("time_zone")?.is_some_and(is_offset) => {
                DType::Unknown
            }
            DType::Datetime { unit, .. } => DType::Datetime {
                unit: *unit,
                zone: call.opt_text("time_zone")?.map(str::to_owned),
            },
            other => other.clone(),
        }),
        Func::ListGet | Func::ListMin | Func::ListMax => Ok(element(first)),
        Func::ListSum => Ok(sum(&element(first))),
        Func::ListMean | Func::ListMedian => Ok(mean(&element(first))),
        Func::StructField => field(call.text("name")?, first),
        Func::MapGet => Ok(first.map_value().unwrap_or(first).clone()),
        Func::RoundP => {
            let quotient = Typed::of(arithmetic(Func::TrueDiv, left, right)?);
            arithmetic(Func::Mul, &quotient, right)
        }
        other => Err(Error::internal(format!(
            "`{}` has no rule for its type",
            shown(other)
        ))),
    }
}

/// `+02:00` and `-0530` are zones without a name.
fn is_offset(zone: &str) -> bool {
    zone.starts_with(['+', '-'])
}

/// A text in a format that asks for nothing that the value does not have.
fn formatted(format: &str, dtype: &DType) -> Result<DType> {
    let asks = |letters: &[char]| {
        let mut chars = format.chars();
        let mut found = None;
        while let Some(char) = chars.next() {
            if char == '%' {
                let letter = chars.by_ref().find(|char| {
                    !matches!(char, '-' | '_' | '0' | ':' | '.' | '#' | '3' | '6' | '9')
                });
                found = found.or(letter.filter(|letter| letters.contains(letter)));
            }
        }
        found
    };
    const OF_A_DAY: &[char] = &[
        'H', 'I', 'M', 'S', 'p', 'P', 'k', 'l', 'T', 'R', 'r', 'X', 'f',
    ];
    const OF_A_DATE: &[char] = &[
        'Y', 'm', 'd', 'y', 'j', 'b', 'B', 'h', 'a', 'A', 'e', 'F', 'D', 'x', 'u', 'w', 'U', 'W',
        'G', 'g', 'V', 'C', 'v',
    ];
    const OF_A_ZONE: &[char] = &['z', 'Z'];
    let missing = match dtype {
        DType::Date => asks(OF_A_DAY).or_else(|| asks(OF_A_ZONE)),
        DType::Time => asks(OF_A_DATE).or_else(|| asks(OF_A_ZONE)),
        DType::Datetime { zone: None, .. } => asks(OF_A_ZONE),
        _ => None,
    };
    match missing {
        Some(letter) => Err(Error::new(
            ErrorKind::TypeMismatch,
            format!(
                "`dt.to_string`: {dtype} has no `%{letter}`, which the format `{format}` asks for"
            ),
        )
        .with_subject(Subject::Name(format.to_owned()))),
        None => Ok(DType::String),
    }
}

fn element(list: &DType) -> DType {
    match list {
        DType::List(inner) | DType::Array(inner, _) => (**inner).clone(),
        other => other.clone(),
    }
}

/// Whether a function compares values, of which texts are read as the points in time that they are compared with.
pub(super) fn compares(func: Func) -> bool {
    matches!(
        func,
        Func::Eq
            | Func::Ne
            | Func::Lt
            | Func::Le
            | Func::Gt
            | Func::Ge
            | Func::SqlEqNullSafe
            | Func::IsBetween
    )
}

/// Whether a value is a text that is read as the point or span of time beside it.
pub(super) fn takes_type(value: &Typed, beside: &Typed) -> bool {
    value.constant == Some(Constant::Text) && is_temporal(&beside.dtype)
}

/// Whether values of two types can be equal, or less than one another.
fn comparable(func: Func, a: &DType, b: &DType) -> Result<()> {
    comparable_as(&shown(func), a, b)
}

/// Whether values of two types may be compared by what messages call so.
pub(super) fn comparable_as(name: &str, a: &DType, b: &DType) -> Result<()> {
    let text_and_more = |a: &DType, b: &DType| {
        is_text(a) && !is_text(b) && !matches!(b, DType::Null | DType::Unknown)
    };
    let apart = text_and_more(a, b)
        || text_and_more(b, a)
        || is_time_and_number(a, b)
        || is_truth_and_number(a, b)
        || is_truth_and_number(b, a)
        || supertype(a, b).is_none();
    match apart {
        true => Err(Error::new(
            ErrorKind::TypeMismatch,
            format!("`{name}` does not compare {a} and {b}"),
        )
        .with_hint("convert one of them with `cast`")),
        false => Ok(()),
    }
}

/// Whether one is true or false, and the other a number: engines that compare them count in ways of their own.
fn is_truth_and_number(a: &DType, b: &DType) -> bool {
    *a == DType::Boolean && b.is_numeric()
}

fn replaced(call: &BoundCall<'_>, values: &[Typed]) -> Result<DType> {
    if let (Some(this), Arg::Mapping(pairs)) = (values.first(), call.arg("mapping")) {
        let old: Vec<Scalar> = pairs.iter().map(|(old, _)| old.clone()).collect();
        comparable(call.func(), &this.dtype, &of_constants(&old)?)?;
    }
    if let Some(dtype) = call.opt_dtype("return_dtype")? {
        return Ok(dtype.clone());
    }
    let Arg::Mapping(pairs) = call.arg("mapping") else {
        return Ok(DType::Unknown);
    };
    let new: Vec<Scalar> = pairs.iter().map(|(_, new)| new.clone()).collect();
    let new = Typed::of(of_constants(&new)?);
    match values.get(1) {
        Some(default) => common_type([&new, default]),
        None => Ok(new.dtype),
    }
}

fn field(name: &str, dtype: &DType) -> Result<DType> {
    let fields = match dtype {
        DType::Struct(fields) => fields,
        DType::Null | DType::Unknown => return Ok(dtype.clone()),
        other => {
            return Err(Error::new(
                ErrorKind::FieldNotFound,
                format!("type {other} has no field `{name}`: it is no struct"),
            )
            .with_subject(Subject::Name(name.to_owned())));
        }
    };
    if let Some(field) = fields.iter().find(|field| field.name == name) {
        return Ok(field.dtype.clone());
    }
    let known: Vec<Cow<'_, str>> = fields
        .iter()
        .map(|field| format!("`{}`", field.name).into())
        .collect();
    Err(Error::new(
        ErrorKind::FieldNotFound,
        format!("the struct has no field `{name}`"),
    )
    .with_subject(Subject::Name(name.to_owned()))
    .with_siblings(fields.iter().map(|field| field.name.as_str()))
    .with_hint(format!("fields: {}", known.join(", "))))
}
