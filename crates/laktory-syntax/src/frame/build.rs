//! Steps on one frame: columns, rows, order, shape.

use laktory_core::{Arg, DType, Expr, Func, Keep, Op, Scalar, Selector, SortKey};

use crate::check;
use crate::diagnostic::FragmentError;
use crate::join::join;
use crate::limits::MAX_SAMPLE;
use crate::python::bind::Bound;
use crate::python::convert::{self, Text};
use crate::python::fault::{At, Fault, Faults, Outcome, collect};
use crate::python::methods::list;
use crate::python::native::plain_name;
use crate::python::types;
use crate::python::value::{Item, Value};

pub(super) fn given(item: Option<Item>) -> Option<Item> {
    item.filter(|item| !matches!(item.value, Value::None))
}

/// A fault of a check, at the argument that was checked.
pub(super) fn at_argument(error: FragmentError, at: At) -> Faults {
    Fault {
        text: at.text,
        error: FragmentError {
            range: at.range(),
            ..error
        },
    }
    .into()
}

/// One column name.
pub(super) fn name(item: Item, what: &str) -> Outcome<String> {
    let at = item.at;
    match item.value {
        Value::Str(name) => Ok(name),
        Value::Expr(ref expr) => match plain_name(expr) {
            Some(name) => Ok(name.to_owned()),
            None => Err(
                Fault::invalid(format!("`{what}` takes names of columns"), at)
                    .hint("compute the column in a step `with_columns` before")
                    .into(),
            ),
        },
        other => Err(Fault::invalid(
            format!("`{what}` takes names of columns, not {}", other.kind()),
            at,
        )
        .into()),
    }
}

/// A name, or a list of names.
pub(super) fn names(item: Item, what: &str) -> Outcome<Vec<String>> {
    if let Value::Expr(Expr::Columns(Selector::Names(names))) = item.value {
        return Ok(names);
    }
    collect(list(item).into_iter().map(|item| name(item, what)))
}

/// Names, or nothing.
pub(super) fn optional_names(item: Option<Item>, what: &str) -> Outcome<Option<Vec<String>>> {
    given(item).map(|item| names(item, what)).transpose()
}

fn flatten(items: Vec<Item>) -> Vec<Item> {
    items.into_iter().flat_map(list).collect()
}

/// An expression that was checked, and its place.
pub(super) type Checked = (Expr, At);

/// Positional and named expressions, each checked.
pub(super) fn exprs(
    items: Vec<Item>,
    named: Vec<(String, Item)>,
    is_ordered: bool,
    verify: fn(&Expr) -> Result<(), FragmentError>,
) -> Outcome<Vec<Checked>> {
    let positional = items.into_iter().map(|item| (None, item));
    let named = named.into_iter().map(|(name, item)| (Some(name), item));
    collect(positional.chain(named).map(|(name, item)| {
        let at = item.at;
        let expr = convert::expr(item, Text::Column)?;
        verified(verify(&expr), is_ordered).map_err(|error| at_argument(error, at))?;
        let expr = match name {
            Some(name) => expr.alias(name),
            None => expr,
        };
        Ok((expr, at))
    }))
}

/// The outcome of a check; where rows have an order, what depends on it needs none of its own.
pub(super) fn verified(
    outcome: Result<(), FragmentError>,
    is_ordered: bool,
) -> Result<(), FragmentError> {
    match outcome {
        Err(error) if is_ordered && error.code == check::ORDER => Ok(()),
        outcome => outcome,
    }
}

pub(super) fn distinct(exprs: Vec<Checked>) -> Outcome<Vec<Expr>> {
    if let Err((index, error)) = check::unique_names(exprs.iter().map(|(expr, _)| expr)) {
        let at = exprs.get(index).map(|(_, at)| *at).unwrap_or_default();
        return Err(at_argument(error, at));
    }
    Ok(exprs.into_iter().map(|(expr, _)| expr).collect())
}

pub(super) fn select(mut bound: Bound) -> Outcome<Vec<Op>> {
    let items = bound.many(0).unwrap_or_default();
    let exprs = distinct(exprs(items, bound.extra, bound.is_ordered, check::column)?)?;
    Ok(vec![Op::Select { exprs }])
}

pub(super) fn with_columns(mut bound: Bound) -> Outcome<Vec<Op>> {
    let items = bound.many(0).unwrap_or_default();
    let exprs = distinct(exprs(items, bound.extra, bound.is_ordered, check::column)?)?;
    if exprs.is_empty() {
        let message = format!("`{}` needs at least one column", bound.name);
        return Err(Fault::invalid(message, bound.at)
            .hint("`func_args: [\"nw.col('x') + 1\"]` or `func_kwargs: {y: \"nw.col('x') + 1\"}`")
            .into());
    }
    Ok(vec![Op::WithColumns { exprs }])
}

pub(super) fn filter(mut bound: Bound) -> Outcome<Vec<Op>> {
    let (at, is_ordered) = (bound.at, bound.is_ordered);
    let predicates = collect(bound.many(0).unwrap_or_default().into_iter().map(|item| {
        let at = item.at;
        if matches!(item.value, Value::Bool(_)) {
            return Err(Fault::invalid("a list of booleans is not a predicate", at)
                .hint("write an expression, such as `nw.col('x') > 1`")
                .into());
        }
        let expr = convert::expr(item, Text::Column)?;
        verified(check::predicate(&expr), is_ordered).map_err(|error| at_argument(error, at))?;
        Ok(expr)
    }))?;
    let constraints = collect(bound.extra.into_iter().map(|(name, item)| {
        let value = convert::expr(item, Text::Literal)?;
        Ok(Expr::call(Func::Eq, [Expr::Column(name), value]))
    }))?;
    let all = predicates.into_iter().chain(constraints).collect();
    let predicate =
        join(all, Expr::and).ok_or_else(|| Fault::invalid("`filter` needs a predicate", at))?;
    Ok(vec![Op::Filter { predicate }])
}

pub(super) fn drop(mut bound: Bound) -> Outcome<Vec<Op>> {
    let items = bound.many(0).unwrap_or_default();
    let strict = flag(bound.one(1), "strict", true)?;
    let columns = collect(items.into_iter().map(|item| names(item, "drop")))?;
    Ok(vec![Op::Drop {
        columns: dedup(columns.into_iter().flatten()),
        strict,
    }])
}

fn dedup(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

pub(super) fn flag(item: Option<Item>, what: &str, default: bool) -> Outcome<bool> {
    match given(item) {
        Some(item) => convert::boolean(&item, what),
        None => Ok(default),
    }
}

pub(super) fn rename(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let Some(Item {
        value: Value::Dict(entries),
        ..
    }) = bound.one(0)
    else {
        return Err(Fault::invalid("`rename` takes a mapping of old to new names", at).into());
    };
    let mapping = collect(
        entries
            .into_iter()
            .map(|(old, new)| Ok((name(old, "rename")?, name(new, "rename")?))),
    )?;
    Ok(vec![Op::Rename { mapping }])
}

pub(super) fn cast(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let Some(item) = bound.one(0) else {
        return Err(Fault::invalid("`cast` needs types", at).into());
    };
    if let Value::Dict(entries) = item.value {
        let columns = collect(
            entries
                .into_iter()
                .map(|(column, dtype)| Ok((name(column, "cast")?, types::dtype(dtype)?))),
        )?;
        return Ok(vec![Op::Cast { columns }]);
    }
    let to = types::dtype(item)?;
    let cast = Expr::Cast {
        expr: Box::new(Expr::Columns(Selector::All)),
        to,
        strict: true,
    };
    Ok(vec![Op::WithColumns { exprs: vec![cast] }])
}

pub(super) fn keys(items: Vec<Item>) -> Outcome<Vec<Expr>> {
    collect(
        flatten(items)
            .into_iter()
            .map(|item| convert::expr(item, Text::Column)),
    )
}

/// Ascending keys with nulls first, as `order_by` of most methods means them.
pub(super) fn order(item: Option<Item>) -> Outcome<Vec<SortKey>> {
    let exprs = keys(given(item).into_iter().collect())?;
    Ok(exprs.into_iter().map(SortKey::ascending).collect())
}

pub(super) fn sort(mut bound: Bound) -> Outcome<Vec<Op>> {
    let exprs = keys(bound.many(0).unwrap_or_default())?;
    let descending = convert::flags(bound.one(1), "descending", exprs.len())?;
    let nulls_last = convert::flags(bound.one(2), "nulls_last", exprs.len())?;
    let by = exprs
        .into_iter()
        .zip(descending.into_iter().zip(nulls_last))
        .map(|(expr, (descending, nulls_last))| SortKey {
            expr,
            descending,
            nulls_last,
        })
        .collect();
    Ok(vec![Op::Sort { by }])
}

pub(super) fn unique(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let (of_subset, of_keep) = (bound.place(0).unwrap_or(at), bound.place(1).unwrap_or(at));
    let subset = optional_names(bound.one(0), "subset")?;
    if subset.as_ref().is_some_and(Vec::is_empty) {
        return Err(
            Fault::invalid("`subset` needs at least one column", of_subset)
                .hint("leave it out to compare whole rows")
                .into(),
        );
    }
    let keep = match given(bound.one(1)) {
        None => Keep::Any,
        Some(item) => {
            match convert::one_of(item, "keep", &["any", "none", "first", "last"])?.as_str() {
                "none" => Keep::None,
                "first" => Keep::First,
                "last" => Keep::Last,
                _ => Keep::Any,
            }
        }
    };
    let order_by = order(bound.one(2))?;
    if matches!(keep, Keep::First | Keep::Last) && order_by.is_empty() && !bound.is_ordered {
        return Err(Fault::new(
            "order-required",
            "`keep: first` and `keep: last` need `order_by`",
            of_keep,
        )
        .hint("rows have no order of their own; name the columns that order them")
        .into());
    }
    Ok(vec![Op::Unique {
        subset,
        keep,
        order_by,
    }])
}

pub(super) fn drop_nulls(mut bound: Bound) -> Outcome<Vec<Op>> {
    let subset = optional_names(bound.one(0), "subset")?;
    Ok(vec![Op::DropNulls { subset }])
}

pub(super) fn head(mut bound: Bound) -> Outcome<Vec<Op>> {
    let n = match given(bound.one(0)) {
        Some(item) => convert::unsigned(&item, "n")?,
        None => 5,
    };
    Ok(vec![Op::Head { n }])
}

pub(super) fn tail(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let n = match given(bound.one(0)) {
        Some(item) => convert::unsigned(&item, "n")?,
        None => return Err(Fault::invalid("`tail` needs the number of rows `n`", at).into()),
    };
    Ok(vec![Op::Tail { n }])
}

pub(super) fn top_k(mut bound: Bound) -> Outcome<Vec<Op>> {
    extreme_rows(&mut bound, true)
}

pub(super) fn bottom_k(mut bound: Bound) -> Outcome<Vec<Op>> {
    extreme_rows(&mut bound, false)
}

fn extreme_rows(bound: &mut Bound, greatest: bool) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let k = match bound.one(0) {
        Some(item) => convert::unsigned(&item, "k")?,
        None => return Err(Fault::invalid("the number of rows `k` is missing", at).into()),
    };
    let exprs = keys(bound.one(1).into_iter().collect())?;
    let reverse = convert::flags(bound.one(2), "reverse", exprs.len())?;
    let by = exprs
        .into_iter()
        .zip(reverse)
        .map(|(expr, reverse)| SortKey {
            expr,
            descending: greatest != reverse,
            nulls_last: true,
        })
        .collect();
    Ok(vec![Op::TopK { k, by }])
}

pub(super) fn gather_every(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let n = match bound.one(0) {
        Some(item) => match convert::unsigned(&item, "n")? {
            0 => return Err(Fault::invalid("`n` is at least 1", item.at).into()),
            n => n,
        },
        None => return Err(Fault::invalid("`gather_every` needs `n`", at).into()),
    };
    let offset = match given(bound.one(1)) {
        Some(item) => convert::unsigned(&item, "offset")?,
        None => 0,
    };
    Ok(vec![Op::GatherEvery { n, offset }])
}

pub(super) fn sample(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let n = given(bound.one(0))
        .map(|item| convert::unsigned(&item, "n"))
        .transpose()?;
    let fraction = match given(bound.one(1)) {
        None => None,
        Some(item) => {
            let fraction = convert::number(&item, "fraction")?;
            if !(0.0..=1.0).contains(&fraction) {
                let message = format!("`fraction` is between 0 and 1, not {fraction}");
                return Err(Fault::invalid(message, item.at).into());
            }
            Some(fraction)
        }
    };
    let with_replacement = flag(bound.one(2), "with_replacement", false)?;
    let seed = given(bound.one(3))
        .map(|item| convert::unsigned(&item, "seed"))
        .transpose()?;
    if n.is_some() && fraction.is_some() {
        return Err(Fault::invalid("`n` and `fraction` exclude each other", at).into());
    }
    if with_replacement && n.is_some_and(|n| n > MAX_SAMPLE) {
        let message = format!("a sample with replacement has at most {MAX_SAMPLE} rows");
        return Err(Fault::invalid(message, at).into());
    }
    Ok(vec![Op::Sample {
        n: n.or_else(|| fraction.is_none().then_some(1)),
        fraction,
        with_replacement,
        seed,
    }])
}

/// A text, or its default.
pub(super) fn text(item: Option<Item>, what: &str, default: &str) -> Outcome<String> {
    match given(item) {
        Some(item) => convert::string(item, what),
        None => Ok(default.to_owned()),
    }
}

/// Nulls of every column that can hold the value.
pub(super) fn fill_null(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let Some(item) = given(bound.one(0)) else {
        return Err(Fault::invalid("`fill_null` needs a `value`", at)
            .hint("strategies depend on an order: use `nw.col('x').fill_null(strategy='forward').over(order_by='t')`")
            .into());
    };
    let subset = optional_names(bound.one(1), "subset")?;
    let value = convert::expr(item, Text::Literal)?;
    let columns = match subset {
        Some(names) => match <[String; 1]>::try_from(names) {
            Ok([name]) => {
                let exprs = vec![filled(Expr::Column(name), value)];
                return Ok(vec![Op::WithColumns { exprs }]);
            }
            Err(names) => Selector::Names(names),
        },
        None => match &value {
            Expr::Literal(Scalar::Int(_) | Scalar::Float(_)) => Selector::Numeric,
            Expr::Literal(Scalar::Str(_)) => Selector::String,
            Expr::Literal(Scalar::Bool(_)) => Selector::Boolean,
            _ => Selector::All,
        },
    };
    let exprs = vec![filled(Expr::Columns(columns), value)];
    Ok(vec![Op::WithColumns { exprs }])
}

/// An expression with its nulls replaced.
pub(super) fn filled(expr: Expr, value: Expr) -> Expr {
    Expr::Call {
        func: Func::FillNull,
        args: vec![Arg::Expr(expr), Arg::Expr(value), Arg::Absent, Arg::Absent],
    }
}

/// NaN of every float column.
pub(super) fn fill_nan(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let item = bound.one(0).unwrap_or(Item::new(Value::None, at));
    let floats = Selector::DTypes(vec![DType::Float32, DType::Float64]);
    let fill = Expr::call(
        Func::FillNan,
        [Expr::Columns(floats), convert::expr(item, Text::Literal)?],
    );
    Ok(vec![Op::WithColumns { exprs: vec![fill] }])
}

pub(super) fn null_count(_: Bound) -> Outcome<Vec<Op>> {
    Ok(vec![Op::NullCount])
}

/// Steps that change nothing in a lazy system: `lazy`, `collect`, `to_native`, `clone`.
pub(super) fn nothing(_: Bound) -> Outcome<Vec<Op>> {
    Ok(Vec::new())
}
