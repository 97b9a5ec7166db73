//! Lists, structs, maps, and functions across columns.

use laktory_core::{BoundCall, DType, Error, ErrorKind, Field, Func, Result, Support, walk};

use super::{FULL, Row, mismatch, this_of};
use crate::dsl::{
    Ex, and, boolean, cast, double, f, field, iff, int, is_null, lambda, not, not_null, or, text,
    var, when,
};
use crate::expr::{Lw, Val};

pub(super) const ROWS: &[Row] = &[
    (Func::SumHorizontal, FULL, |lw, call| {
        let (values, t) = numbers(lw, call)?;
        let zero = || cast(int(0), &t);
        let mut terms = Vec::new();
        for value in &values {
            terms.push(f("coalesce", [value.e.clone(), zero()?]));
        }
        let sum = terms.into_iter().reduce(|a, b| f("+", [a, b]));
        let e = cast(sum.map_or_else(zero, Ok)?, &t)?;
        Ok(Val::of(e, t.clone(), &refs(&values)))
    }),
    (Func::MinHorizontal, FULL, |lw, call| {
        extreme(lw, call, "least")
    }),
    (Func::MaxHorizontal, FULL, |lw, call| {
        extreme(lw, call, "greatest")
    }),
    (Func::SqlGreatest, FULL, |lw, call| {
        across(lw, call, "greatest", false)
    }),
    (Func::MeanHorizontal, FULL, |lw, call| {
        let (values, _) = numbers(lw, call)?;
        let mut sum = double(0.0);
        let mut count = int(0);
        for value in &values {
            let number = cast(value.e.clone(), &DType::Float64)?;
            sum = f("+", [sum, f("coalesce", [number, double(0.0)])]);
            count = f("+", [count, iff(is_null(value.e.clone()), int(0), int(1))]);
        }
        let e = f("try_divide", [sum, f("double", [count])]);
        Ok(Val::of(e, DType::Float64, &refs(&values)))
    }),
    (Func::AllHorizontal, FULL, |lw, call| truth(lw, call, true)),
    (Func::AnyHorizontal, FULL, |lw, call| truth(lw, call, false)),
    (Func::ConcatStr, FULL, |lw, call| {
        let values = as_texts(lw, call, "exprs")?;
        let mut arguments = vec![text(call.text("separator")?)];
        arguments.extend(values.iter().map(|value| value.e.clone()));
        let joined = f("concat_ws", arguments);
        let e = if call.flag("ignore_nulls")? {
            joined
        } else {
            all_present(&values, joined)
        };
        Ok(Val::of(e, DType::String, &refs(&values)))
    }),
    (Func::Format, FULL, |lw, call| {
        let format = call.text("f_string")?;
        let values = as_texts(lw, call, "args")?;
        if format.matches("{}").count() != values.len() {
            return Err(call.invalid("the number of `{}` differs from the number of arguments"));
        }
        let mut rest = values.iter();
        let mut parts = Vec::new();
        for piece in format.split("{}") {
            parts.push(text(piece));
            parts.extend(rest.next().map(|value| value.e.clone()));
        }
        Ok(Val::of(f("concat", parts), DType::String, &refs(&values)))
    }),
    (Func::Struct, FULL, |lw, call| {
        let exprs = call.some_exprs("exprs")?;
        let mut arguments = Vec::new();
        let mut fields: Vec<Field> = Vec::new();
        let mut values = Vec::new();
        for expr in &exprs {
            let name = walk::output_name(expr)
                .ok_or_else(|| Error::internal("a field of a struct without name"))?;
            if fields.iter().any(|field| field.name == name) {
                return Err(Error::new(
                    ErrorKind::DuplicateColumn,
                    format!("two fields of a struct would be called `{name}`"),
                ));
            }
            let value = lw.lower(expr)?;
            arguments.extend([text(&name), value.e.clone()]);
            fields.push(Field::new(name, value.t.clone()));
            values.push(value);
        }
        Ok(Val::of(
            f("named_struct", arguments),
            DType::Struct(fields),
            &refs(&values),
        ))
    }),
    (Func::List, FULL, |lw, call| {
        let exprs = call.some_exprs("exprs")?;
        let mut values = lw.lower_all(exprs.iter().map(|expr| &**expr))?;
        let t = lw.unify(&mut values)?;
        let items: Vec<Ex> = values.iter().map(|value| value.e.clone()).collect();
        Ok(Val::of(
            f("array", items),
            DType::List(Box::new(t)),
            &refs(&values),
        ))
    }),
    (Func::ListLen, FULL, |lw, call| {
        let (this, _) = list(lw, call)?;
        Ok(this.map(f("array_size", [this.e.clone()]), DType::Int32))
    }),
    (Func::ListGet, FULL, |lw, call| {
        let (this, item) = list(lw, call)?;
        let index = call.int("index")?;
        if index < 0 {
            return Err(Error::new(
                ErrorKind::OutOfBounds,
                format!("`list.get`: index {index} is out of bounds, elements are counted from 0"),
            ));
        }
        let index = int(super::text::narrow(index));
        Ok(this.map(f("get", [this.e.clone(), index]), item))
    }),
    (Func::ListContains, FULL, |lw, call| {
        let (this, item) = list(lw, call)?;
        let this = lw.share(this);
        let wanted = lw.lower(&*call.expr("item")?)?;
        if item.is_integer() && wanted.t.is_float()
            || (item == DType::String) != (wanted.t == DType::String)
                && !matches!(wanted.t, DType::Null | DType::Unknown)
                && item != DType::Null
        {
            return Err(mismatch(call, &wanted.t));
        }
        let any_null = f(
            "exists",
            [this.e.clone(), lambda(&["e"], is_null(var("e")))],
        );
        let found = if wanted.t == DType::Null {
            any_null
        } else {
            let wanted = if item == DType::Null {
                wanted.clone()
            } else {
                lw.cast(&wanted, &item, true)?
            };
            let found = f(
                "exists",
                [
                    this.e.clone(),
                    lambda(&["e"], f("<=>", [var("e"), wanted.e.clone()])),
                ],
            );
            f("coalesce", [found, boolean(false)])
        };
        let e = when([(not_null(this.e.clone()), found)], None);
        Ok(Val::of(e, DType::Boolean, &[&this, &wanted]))
    }),
    (Func::ListUnique, FULL, |lw, call| {
        let (this, _) = list(lw, call)?;
        Ok(this.map(f("array_distinct", [this.e.clone()]), this.t.clone()))
    }),
    (Func::ListSort, FULL, |lw, call| {
        let (this, _) = list(lw, call)?;
        let this = lw.share(this);
        let sorted = f(
            "sort_array",
            [present(&this), boolean(!call.flag("descending")?)],
        );
        let nulls = f(
            "filter",
            [this.e.clone(), lambda(&["e"], is_null(var("e")))],
        );
        let parts = if call.flag("nulls_last")? {
            [sorted, nulls]
        } else {
            [nulls, sorted]
        };
        Ok(this.map(f("concat", parts), this.t.clone()))
    }),
    (Func::ListMin, FULL, |lw, call| {
        let (this, item) = list(lw, call)?;
        Ok(this.map(f("array_min", [this.e.clone()]), item))
    }),
    (Func::ListMax, FULL, |lw, call| {
        let (this, item) = list(lw, call)?;
        let this = lw.share(this);
        let all = f("array_max", [this.e.clone()]);
        if !item.is_float() {
            return Ok(this.map(all, item));
        }
        let numbers = f(
            "filter",
            [this.e.clone(), lambda(&["e"], not(f("isnan", [var("e")])))],
        );
        Ok(this.map(f("coalesce", [f("array_max", [numbers]), all]), item))
    }),
    (Func::ListSum, FULL, |lw, call| {
        let (this, item) = list(lw, call)?;
        let t = if item.is_integer() || item == DType::Boolean {
            DType::Int64
        } else {
            item.clone()
        };
        if !t.is_numeric() {
            return Err(mismatch(call, &this.t));
        }
        let add = f(
            "+",
            [
                var("a"),
                f("coalesce", [cast(var("e"), &t)?, cast(int(0), &t)?]),
            ],
        );
        let add = cast(add, &t)?;
        let e = f(
            "aggregate",
            [this.e.clone(), cast(int(0), &t)?, lambda(&["a", "e"], add)],
        );
        Ok(this.map(e, t))
    }),
    (Func::ListMean, FULL, |lw, call| {
        let (this, item) = list(lw, call)?;
        if !item.is_numeric() && item != DType::Boolean && item != DType::Null {
            return Err(mismatch(call, &this.t));
        }
        let this = lw.share(this);
        let add = f("+", [var("a"), cast(var("e"), &DType::Float64)?]);
        let sum = f(
            "aggregate",
            [present(&this), double(0.0), lambda(&["a", "e"], add)],
        );
        let count = f("double", [f("array_size", [present(&this)])]);
        Ok(this.map(f("try_divide", [sum, count]), DType::Float64))
    }),
    (Func::ListMedian, FULL, |lw, call| {
        let (this, item) = list(lw, call)?;
        if !item.is_numeric() && item != DType::Null {
            return Err(mismatch(call, &this.t));
        }
        let n = || f("array_size", [var("s")]);
        let get = |index: Ex| -> Result<Ex> {
            cast(f("get", [var("s"), f("int", [index])]), &DType::Float64)
        };
        let low = get(f(
            "floor",
            [f("/", [f("double", [f("-", [n(), int(1)])]), double(2.0)])],
        ))?;
        let high = get(f(
            "ceil",
            [f("/", [f("double", [f("-", [n(), int(1)])]), double(2.0)])],
        ))?;
        // As quantiles are interpolated: NaN between infinities and numbers.
        let half = f("*", [f("-", [high.clone(), low.clone()]), double(0.5)]);
        let between = f("+", [low.clone(), half]);
        let middle = iff(f("==", [low.clone(), high]), low, between);
        let sorted = f("array", [f("sort_array", [present(&this)])]);
        let e = f(
            "get",
            [f("transform", [sorted, lambda(&["s"], middle)]), int(0)],
        );
        Ok(this.map(e, DType::Float64))
    }),
    (Func::StructField, FULL, |lw, call| {
        let this = lw.lower(&*call.this()?)?;
        let name = call.text("name")?;
        let t = match &this.t {
            DType::Struct(fields) => fields
                .iter()
                .find(|field| field.name == name)
                .map(|field| field.dtype.clone())
                .ok_or_else(|| {
                    let known: Vec<String> = fields
                        .iter()
                        .map(|field| format!("`{}`", field.name))
                        .collect();
                    Error::new(
                        ErrorKind::FieldNotFound,
                        format!("the struct has no field `{name}`"),
                    )
                    .with_hint(format!("its fields are: {}", known.join(", ")))
                })?,
            DType::Unknown => DType::Unknown,
            other => {
                return Err(Error::new(
                    ErrorKind::FieldNotFound,
                    format!("a value of type {other} has no field `{name}`"),
                ));
            }
        };
        Ok(this.map(field(this.e.clone(), name), t))
    }),
    (
        Func::CatGetCategories,
        Support::NotYet {
            reason: "Spark has no categoricals, they are held as text",
        },
        |_, call| Err(mismatch(call, &DType::String)),
    ),
    (Func::MapGet, FULL, |lw, call| {
        let this = this_of(lw, call, |t| matches!(t, DType::Map(..)))?;
        let key = lw.lower(&*call.expr("key")?)?;
        let (key, t) = match &this.t {
            DType::Map(k, v) => (lw.cast(&key, k, true)?, (**v).clone()),
            _ => (key, DType::Unknown),
        };
        let e = f("try_element_at", [this.e.clone(), key.e.clone()]);
        Ok(Val::of(e, t, &[&this, &key]))
    }),
];

fn refs(values: &[Val]) -> Vec<&Val> {
    values.iter().collect()
}

/// The elements that are not null.
fn present(this: &Val) -> Ex {
    f(
        "filter",
        [this.e.clone(), lambda(&["e"], not_null(var("e")))],
    )
}

fn list(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<(Val, DType)> {
    let this = this_of(lw, call, |t| matches!(t, DType::List(_)))?;
    let item = match &this.t {
        DType::List(item) => (**item).clone(),
        _ => DType::Unknown,
    };
    Ok((this, item))
}

fn numbers(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<(Vec<Val>, DType)> {
    let exprs = call.some_exprs("exprs")?;
    let mut values = lw.lower_all(exprs.iter().map(|expr| &**expr))?;
    for value in &mut values {
        if value.t == DType::Boolean {
            *value = lw.cast(value, &DType::Int64, true)?;
        }
        if !value.t.is_numeric()
            && !matches!(value.t, DType::Null | DType::Unknown | DType::Duration(_))
        {
            return Err(mismatch(call, &value.t));
        }
    }
    let t = match lw.unify(&mut values)? {
        DType::Null => DType::Int64,
        t => t,
    };
    Ok((values, t))
}

/// The smallest or greatest across columns; not-a-number only where there is nothing else.
fn extreme(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    across(lw, call, name, true)
}

/// The same, where not-a-number is a number greater than all unless numbers come `first`.
fn across(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str, first: bool) -> Result<Val> {
    let exprs = call.some_exprs("exprs")?;
    let mut values = lw.lower_all(exprs.iter().map(|expr| &**expr))?;
    let t = lw.unify(&mut values)?;
    let of = |items: Vec<Ex>| match <[Ex; 1]>::try_from(items) {
        Ok([one]) => one,
        Err(items) => f(name, items),
    };
    let all = of(values.iter().map(|value| value.e.clone()).collect());
    let e = if first && t.is_float() {
        let numbers = values
            .iter()
            .map(|value| {
                when(
                    [(not(f("isnan", [value.e.clone()])), value.e.clone())],
                    None,
                )
            })
            .collect();
        f("coalesce", [of(numbers), all])
    } else {
        all
    };
    Ok(Val::of(e, t, &refs(&values)))
}

fn truth(lw: &mut Lw<'_>, call: &BoundCall<'_>, all: bool) -> Result<Val> {
    let exprs = call.some_exprs("exprs")?;
    let ignore = call.flag("ignore_nulls")?;
    let mut values = lw.lower_all(exprs.iter().map(|expr| &**expr))?;
    for value in &mut values {
        if !matches!(value.t, DType::Boolean | DType::Null | DType::Unknown)
            && !value.t.is_numeric()
        {
            return Err(mismatch(call, &value.t));
        }
        *value = lw.cast(value, &DType::Boolean, true)?;
        if ignore {
            *value = value.map(
                f("coalesce", [value.e.clone(), boolean(all)]),
                DType::Boolean,
            );
        }
    }
    let e = values
        .iter()
        .map(|value| value.e.clone())
        .reduce(if all { and } else { or })
        .ok_or_else(|| call.invalid("at least one expression is needed"))?;
    Ok(Val::of(e, DType::Boolean, &refs(&values)))
}

fn as_texts(lw: &mut Lw<'_>, call: &BoundCall<'_>, parameter: &str) -> Result<Vec<Val>> {
    let exprs = if parameter == "exprs" {
        call.some_exprs(parameter)?
    } else {
        call.exprs(parameter)?
    };
    exprs
        .iter()
        .map(|expr| {
            let value = lw.lower(expr)?;
            if matches!(value.t, DType::List(_) | DType::Struct(_) | DType::Map(..)) {
                return Err(mismatch(call, &value.t));
            }
            lw.cast(&value, &DType::String, true)
        })
        .collect()
}

fn all_present(values: &[Val], joined: Ex) -> Ex {
    let missing = values
        .iter()
        .map(|value| is_null(value.e.clone()))
        .reduce(or);
    match missing {
        Some(missing) => when([(not(missing), joined)], None),
        None => joined,
    }
}
