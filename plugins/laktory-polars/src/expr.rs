//! Expressions: the shapes. Functions are lowered by the tables of [`crate::funcs`].

use std::sync::Arc;

use laktory_core::{
    DType, Error, ErrorKind, Expr, NameChange, Result, RunCx, Scalar, Selector, SortKey,
};
use polars::prelude::{
    AnyValue, DataType, DataTypeSelector, Expr as PolarsExpr, LiteralValue, Scalar as PolarsScalar,
    Selector as PolarsSelector, Series, SortMultipleOptions, SortOptions, TimeUnitSet, TimeZoneSet,
    WindowMapping, arg_sort_by, lit, when,
};
use polars_plan::plans::DynLiteralValue;

use crate::error::ResultExt;
use crate::funcs;
use crate::schema::{data_type, time_unit, time_zone};
use crate::user;

pub(crate) use crate::convert::convert;

/// Lowers an expression.
///
/// # Errors
/// `Unsupported` for functions that the driver does not have, `InvalidArgument`, `UnsupportedCast`.
pub(crate) fn lower(cx: &RunCx, expr: &Expr) -> Result<PolarsExpr> {
    Ok(match expr {
        Expr::Column(name) => column(name),
        Expr::Columns(set) => selector(set)?.as_expr(),
        Expr::Literal(value) => literal(value)?,
        Expr::Call { func, args } => funcs::lower(cx, *func, args)?,
        Expr::User { name, args } => user::lower(cx, name, args)?,
        Expr::Cast { expr, to, strict } => cast(lower(cx, expr)?, to, *strict)?,
        Expr::When {
            branches,
            otherwise,
        } => {
            let branches = branches
                .iter()
                .map(|(condition, value)| Ok((lower(cx, condition)?, lower(cx, value)?)))
                .collect::<Result<Vec<_>>>()?;
            let otherwise = match otherwise {
                Some(expr) => lower(cx, expr)?,
                None => lit(polars::prelude::NULL),
            };
            case(&branches, otherwise)?
        }
        Expr::Over {
            expr,
            partition_by,
            order_by,
        } => over(cx, lower(cx, expr)?, partition_by, order_by)?,
        Expr::Window(window) => {
            let mut columns = Vec::new();
            let keys = window.order_by.iter().map(|key| &key.expr);
            for expr in window.args.iter().chain(&window.partition_by).chain(keys) {
                columns.push(lower(cx, expr)?);
            }
            crate::window::window(window, columns)
        }
        Expr::Alias { expr, name } => lower(cx, expr)?.alias(name.as_str()),
        Expr::Rename { expr, change } => {
            let name = lower(cx, expr)?.name();
            match change {
                NameChange::Keep => name.keep(),
                NameChange::Prefix(prefix) => name.prefix(prefix),
                NameChange::Suffix(suffix) => name.suffix(suffix),
                NameChange::Lowercase => name.to_lowercase(),
                NameChange::Uppercase => name.to_uppercase(),
                _ => return Err(Error::unsupported("this change of a name")),
            }
        }
        _ => return Err(Error::unsupported("this kind of expression")),
    })
}

/// The value of the first branch whose condition is true. The engine nests one branch in the other; halves of many
/// nest less deep.
fn case(branches: &[(PolarsExpr, PolarsExpr)], otherwise: PolarsExpr) -> Result<PolarsExpr> {
    const SIDE_BY_SIDE: usize = 16;
    if branches.len() > SIDE_BY_SIDE {
        let (first, rest) = branches.split_at(branches.len() / 2);
        let mut conditions: Vec<PolarsExpr> = first.iter().map(|branch| branch.0.clone()).collect();
        while conditions.len() > 1 {
            conditions = conditions
                .chunks(2)
                .map(|pair| pair.iter().cloned().reduce(PolarsExpr::or))
                .collect::<Option<_>>()
                .unwrap_or_default();
        }
        if let Some(any) = conditions.pop() {
            let entered = case(first, lit(polars::prelude::NULL))?;
            return Ok(when(any).then(entered).otherwise(case(rest, otherwise)?));
        }
    }
    let Some(((condition, value), rest)) = branches.split_first() else {
        return Err(Error::internal("a `when` without branches"));
    };
    let first = when(condition.clone()).then(value.clone());
    let Some(((condition, value), rest)) = rest.split_first() else {
        return Ok(first.otherwise(otherwise));
    };
    let chain = first.when(condition.clone()).then(value.clone());
    let chain = rest.iter().fold(chain, |chain, (condition, value)| {
        chain.when(condition.clone()).then(value.clone())
    });
    Ok(chain.otherwise(otherwise))
}

/// Lowers several expressions.
pub(crate) fn lower_all(cx: &RunCx, exprs: &[Expr]) -> Result<Vec<PolarsExpr>> {
    exprs.iter().map(|expr| lower(cx, expr)).collect()
}

/// One column of exactly this name; polars' own `col` would take `*` and `^...$` for patterns.
pub(crate) fn column(name: &str) -> PolarsExpr {
    PolarsExpr::Column(name.into())
}

/// Conversion to a type of the contract.
pub(crate) fn cast(expr: PolarsExpr, to: &DType, strict: bool) -> Result<PolarsExpr> {
    match to {
        DType::Unknown => Ok(expr),
        DType::Object => Err(Error::new(
            ErrorKind::UnsupportedCast,
            "nothing can be cast to Object",
        )),
        _ => Ok(convert(expr, &data_type(to)?, strict)),
    }
}

/// An expression evaluated within partitions, in an order.
pub(crate) fn over(
    cx: &RunCx,
    expr: PolarsExpr,
    partition_by: &[Expr],
    order_by: &[SortKey],
) -> Result<PolarsExpr> {
    let partition = lower_all(cx, partition_by)?;
    let order = if order_by.is_empty() {
        None
    } else {
        let keys = order_by
            .iter()
            .map(|key| lower(cx, &key.expr))
            .collect::<Result<Vec<_>>>()?;
        let first = &order_by[0];
        let alike = order_by
            .iter()
            .all(|key| key.descending == first.descending && key.nulls_last == first.nulls_last);
        if keys.len() == 1 || alike && !first.nulls_last {
            let options = SortOptions {
                descending: first.descending,
                nulls_last: first.nulls_last,
                maintain_order: true,
                ..SortOptions::default()
            };
            Some((keys, options))
        } else {
            // One key that puts rows in the order of several keys with directions of their own.
            let position = arg_sort_by(keys, sort_options(order_by)).arg_sort(false, false);
            Some((vec![position], SortOptions::default()))
        }
    };
    let partition = (!partition.is_empty()).then_some(partition);
    expr.over_with_options(partition, order, WindowMapping::GroupsToRows)
        .or_error()
}

/// The options of a stable sort by keys.
pub(crate) fn sort_options(by: &[SortKey]) -> SortMultipleOptions {
    SortMultipleOptions {
        descending: by.iter().map(|key| key.descending).collect(),
        nulls_last: by.iter().map(|key| key.nulls_last).collect(),
        multithreaded: true,
        maintain_order: true,
        limit: None,
    }
}

/// A constant. Numbers take the type of what they meet, as in Narwhals; alone they are 32 bits wide if that suffices.
pub(crate) fn literal(value: &Scalar) -> Result<PolarsExpr> {
    Ok(match value {
        Scalar::Null => lit(polars::prelude::NULL),
        Scalar::Bool(value) => lit(*value),
        Scalar::Int(value) => PolarsExpr::Literal(LiteralValue::Dyn(DynLiteralValue::Int(*value))),
        Scalar::Float(value) => {
            PolarsExpr::Literal(LiteralValue::Dyn(DynLiteralValue::Float(*value)))
        }
        Scalar::Str(value) => lit(value.as_str()),
        Scalar::List(values) => {
            let series = series(values)?;
            lit(PolarsScalar::new(
                DataType::List(Box::new(series.dtype().clone())),
                AnyValue::List(series),
            ))
        }
        other => {
            let (dtype, value) = any_value(other)?;
            lit(PolarsScalar::new(dtype, value))
        }
    })
}

/// A constant as a value of polars, with its type.
fn any_value(value: &Scalar) -> Result<(DataType, AnyValue<'static>)> {
    Ok(match value {
        Scalar::Null => (DataType::Null, AnyValue::Null),
        Scalar::Bool(value) => (DataType::Boolean, AnyValue::Boolean(*value)),
        Scalar::Int(value) => match i64::try_from(*value) {
            Ok(value) => (DataType::Int64, AnyValue::Int64(value)),
            Err(_) => (DataType::Int128, AnyValue::Int128(*value)),
        },
        Scalar::Float(value) => (DataType::Float64, AnyValue::Float64(*value)),
        Scalar::Str(value) => (
            DataType::String,
            AnyValue::StringOwned(value.as_str().into()),
        ),
        Scalar::Bytes(value) => (DataType::Binary, AnyValue::BinaryOwned(value.clone())),
        Scalar::Date(value) => (DataType::Date, AnyValue::Date(*value)),
        Scalar::Time(value) => (DataType::Time, AnyValue::Time(*value)),
        Scalar::Datetime { value, unit, zone } => {
            let value = scaled(*value, *unit)?;
            let zone = time_zone(zone.as_deref())?;
            let any = AnyValue::DatetimeOwned(value, time_unit(*unit), zone.clone().map(Arc::new));
            (DataType::Datetime(time_unit(*unit), zone), any)
        }
        Scalar::Duration { value, unit } => {
            let value = scaled(*value, *unit)?;
            (
                DataType::Duration(time_unit(*unit)),
                AnyValue::Duration(value, time_unit(*unit)),
            )
        }
        Scalar::List(values) => {
            let series = series(values)?;
            (
                DataType::List(Box::new(series.dtype().clone())),
                AnyValue::List(series),
            )
        }
        _ => return Err(Error::unsupported("this kind of constant")),
    })
}

/// A count of seconds in milliseconds, the coarsest unit of polars.
fn scaled(value: i64, unit: laktory_core::TimeUnit) -> Result<i64> {
    if unit != laktory_core::TimeUnit::Second {
        return Ok(value);
    }
    value.checked_mul(1_000).ok_or_else(|| {
        Error::new(
            ErrorKind::OutOfBounds,
            "a constant lies outside of the range of time",
        )
    })
}

/// Constants as a column, in a type that holds all of them.
pub(crate) fn series(values: &[Scalar]) -> Result<Series> {
    let values = values
        .iter()
        .map(|value| any_value(value).map(|(_, value)| value))
        .collect::<Result<Vec<_>>>()?;
    Series::from_any_values("literal".into(), &values, false).or_error()
}

/// A set of columns.
pub(crate) fn selector(set: &Selector) -> Result<PolarsSelector> {
    let by = PolarsSelector::ByDType;
    Ok(match set {
        Selector::All => PolarsSelector::Wildcard,
        Selector::Names(names) => by_name(names, true),
        Selector::Nth(indices) => PolarsSelector::ByIndex {
            indices: indices.as_slice().into(),
            strict: true,
        },
        Selector::Matches(pattern) => PolarsSelector::Matches(pattern.as_str().into()),
        Selector::DTypes(dtypes) => {
            let mut all: Option<DataTypeSelector> = None;
            // No column is of a type that the engine does not have.
            let held = |dtype: &&DType| **dtype != DType::UInt128;
            for dtype in dtypes.iter().filter(held) {
                let one = dtype_selector(dtype)?;
                all = Some(match all {
                    Some(all) => DataTypeSelector::Union(Arc::new(all), Arc::new(one)),
                    None => one,
                });
            }
            by(all.unwrap_or(DataTypeSelector::Empty))
        }
        Selector::Numeric => by(DataTypeSelector::Numeric),
        Selector::String => by(DataTypeSelector::AnyOf([DataType::String].into())),
        Selector::Boolean => by(DataTypeSelector::AnyOf([DataType::Boolean].into())),
        Selector::Categorical => by(DataTypeSelector::Categorical),
        Selector::Enum => by(DataTypeSelector::Enum),
        Selector::Datetime { units, zones } => {
            let mut set = TimeUnitSet::empty();
            for unit in units {
                set |= TimeUnitSet::from(time_unit(*unit));
            }
            let set = if units.is_empty() {
                TimeUnitSet::all()
            } else {
                set
            };
            by(DataTypeSelector::Datetime(set, zone_set(zones)?))
        }
        Selector::Union(a, b) => selector(a)? | selector(b)?,
        Selector::Intersection(a, b) => selector(a)? & selector(b)?,
        Selector::Difference(a, b) => selector(a)? - selector(b)?,
        Selector::Not(a) => !selector(a)?,
        _ => return Err(Error::unsupported("this kind of selector")),
    })
}

/// Columns by their exact names.
pub(crate) fn by_name<S: AsRef<str>>(names: &[S], strict: bool) -> PolarsSelector {
    PolarsSelector::ByName {
        names: names.iter().map(|name| name.as_ref().into()).collect(),
        strict,
    }
}

fn zone_set(zones: &[Option<String>]) -> Result<TimeZoneSet> {
    let named: Vec<&str> = zones
        .iter()
        .flatten()
        .map(String::as_str)
        .filter(|zone| *zone != "*")
        .collect();
    let any = zones.iter().flatten().any(|zone| zone == "*");
    let unset = zones.iter().any(Option::is_none);
    let resolve = || {
        named
            .iter()
            .filter_map(|zone| time_zone(Some(zone)).transpose())
            .collect::<Result<Arc<[_]>>>()
    };
    Ok(match (any, unset, named.is_empty()) {
        (true, true, _) | (false, false, true) => TimeZoneSet::Any,
        (true, false, _) => TimeZoneSet::AnySet,
        (false, true, true) => TimeZoneSet::Unset,
        (false, true, false) => TimeZoneSet::UnsetOrAnyOf(resolve()?),
        (false, false, false) => TimeZoneSet::AnyOf(resolve()?),
    })
}

fn dtype_selector(dtype: &DType) -> Result<DataTypeSelector> {
    Ok(match dtype {
        DType::Categorical => DataTypeSelector::Categorical,
        DType::Enum(categories) if categories.is_empty() => DataTypeSelector::Enum,
        DType::Struct(fields) if fields.is_empty() => DataTypeSelector::Struct,
        DType::List(inner) if **inner == DType::Unknown => DataTypeSelector::List(None),
        DType::Decimal {
            precision: None, ..
        } => DataTypeSelector::Decimal,
        other => DataTypeSelector::AnyOf([data_type(other)?].into()),
    })
}
