//! Frame methods under their Polars and PySpark names, for `dataframe_api: NATIVE`.

use laktory_core::{Expr, JoinHow, Op, SortKey};

use super::{Build, MethodDef, aggregate, build, combine, reshape};
use crate::parameter::{Parameter, key, may, need, rest};
use crate::python::bind::Bound;
use crate::python::convert::{self, Text};
use crate::python::fault::{Fault, Outcome, collect};
use crate::python::methods::list;
use crate::python::value::{Item, Value};
use crate::python::window;

macro_rules! native {
    ($( $name:literal, $open:literal, [$($param:expr),* $(,)?], $build:path, $doc:literal; )+) => {
        &[ $( MethodDef {
            name: $name,
            params: { const PARAMS: &[Parameter] = &[$($param),*]; PARAMS },
            open: $open,
            native: true,
            doc: $doc,
            nulls: "",
            example: None,
            build: Build::Steps($build),
        } ),+ ]
    };
}

/// The native methods; their documentation says how the common API spells them.
pub(super) const METHODS: &[MethodDef] = native! {
    "withColumn", false, [need("colName"), need("col")], with_column, "The common API spells it `with_columns`.";
    "with_column", false, [need("expr")], one_column, "The common API spells it `with_columns`.";
    "withColumns", false, [need("colsMap")], columns_map, "The common API spells it `with_columns`.";
    "withColumnRenamed", false, [need("existing"), need("new")], renamed, "The common API spells it `rename`.";
    "withColumnsRenamed", false, [need("colsMap")], build::rename, "The common API spells it `rename`.";
    "selectExpr", false, [rest("expr", true)], select_sql, "The common API spells it `select` with `sql_expr('...')`.";
    "filter", true, [rest("predicates", false)], filter, "Rows where every predicate is true; texts may be SQL.";
    "where", false, [need("condition")], condition, "The common API spells it `filter`.";
    "dropDuplicates", false, [may("subset")], build::unique, "The common API spells it `unique`.";
    "distinct", false, [], build::unique, "The common API spells it `unique`.";
    "dropna", false, [may("how"), may("thresh"), may("subset")], dropna, "The common API spells it `drop_nulls`.";
    "fillna", false, [need("value"), may("subset")], fillna, "The common API spells it `fill_null`.";
    "orderBy", false, [rest("cols", true), key("ascending")], order_by, "The common API spells it `sort`.";
    "sort", false, [rest("cols", true), key("descending"), key("nulls_last"), key("ascending")], sort, "Sorted rows; keys may be `F.desc('x')`.";
    "sort_by", false, [rest("by", true), key("descending"), key("nulls_last")], build::sort, "The common API spells it `sort`.";
    "groupBy", false, [rest("cols", false)], aggregate::group_by, "The common API spells it `group_by`.";
    "groupby", false, [rest("by", false)], aggregate::group_by, "The common API spells it `group_by`.";
    "join", false, [need("other"), may("on"), may("how"), key("left_on"), key("right_on"), key("suffix")], join, "Rows matched with those of another frame.";
    "crossJoin", false, [need("other")], cross_join, "The common API spells it `join` with `how: cross`.";
    "cache", true, [rest("args", false)], build::nothing, "Leave it out: what is used twice is computed once.";
    "persist", true, [rest("args", false)], build::nothing, "Leave it out: what is used twice is computed once.";
    "unpersist", true, [rest("args", false)], build::nothing, "Leave it out.";
    "repartition", true, [rest("args", false)], build::nothing, "Leave it out: the engine chooses its partitions.";
    "coalesce", true, [rest("args", false)], build::nothing, "Leave it out: the engine chooses its partitions.";
    "hint", true, [rest("args", false)], build::nothing, "Leave it out: the engine chooses its plan.";
    "rechunk", false, [], build::nothing, "Leave it out: the engine chooses its chunks.";
    "fill_null", false, [need("value"), may("subset")], fillna, "Nulls replaced.";
    "agg", true, [rest("aggs", false)], agg, "One row for each group of the step `group_by` before.";
    "union", false, [need("other")], combine::union, "The common API spells it `laktory.union`.";
    "unionAll", false, [need("other")], combine::union, "The common API spells it `laktory.union`.";
    "vstack", false, [need("other")], combine::union, "The common API spells it `laktory.union`.";
    "unionByName", false, [need("other"), may("allowMissingColumns")], combine::union_by_name, "The common API spells it `concat` with `how: diagonal`.";
    "melt", false, [may("id_vars"), may("value_vars"), may("variable_name"), may("value_name")], melt, "The common API spells it `unpivot`.";
    "with_row_count", false, [may("name"), key("order_by")], reshape::with_row_index, "The common API spells it `with_row_index`.";
    "slice", false, [need("offset"), may("length")], slice, "The common API spells it `head` and `tail`.";
};

fn item(item: Option<Item>, bound: &Bound) -> Item {
    item.unwrap_or(Item::new(Value::None, bound.at))
}

fn with_column(mut bound: Bound) -> Outcome<Vec<Op>> {
    let name = bound.one(0);
    let name = convert::string(item(name, &bound), "colName")?;
    let column = bound.one(1);
    bound.extra = vec![(name, item(column, &bound))];
    build::with_columns(bound)
}

fn one_column(mut bound: Bound) -> Outcome<Vec<Op>> {
    let column = bound.one(0);
    let expr = convert::expr(item(column, &bound), Text::Column)?;
    Ok(vec![Op::WithColumns { exprs: vec![expr] }])
}

fn columns_map(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let Some(Value::Dict(entries)) = bound.one(0).map(|item| item.value) else {
        return Err(Fault::invalid("`withColumns` takes a mapping", at).into());
    };
    bound.extra = collect(
        entries
            .into_iter()
            .map(|(name, column)| Ok((convert::string(name, "colsMap")?, column))),
    )?;
    build::with_columns(bound)
}

fn renamed(mut bound: Bound) -> Outcome<Vec<Op>> {
    let old = bound.one(0);
    let old = convert::string(item(old, &bound), "existing")?;
    let new = bound.one(1);
    let new = convert::string(item(new, &bound), "new")?;
    Ok(vec![Op::Rename {
        mapping: vec![(old, new)],
    }])
}

fn select_sql(mut bound: Bound) -> Outcome<Vec<Op>> {
    let exprs = collect(bound.many(0).unwrap_or_default().into_iter().map(|item| {
        let at = item.at;
        let text = convert::string(item, "expr")?;
        crate::sql_projection(&text).map_err(|errors| {
            crate::python::fault::Faults(
                errors
                    .into_iter()
                    .map(|error| Fault {
                        text: at.text,
                        error,
                    })
                    .collect(),
            )
        })
    }))?;
    Ok(vec![Op::Select { exprs }])
}

/// A text that is no plain name is SQL, as in Spark.
fn filter(mut bound: Bound) -> Outcome<Vec<Op>> {
    let items = bound.many(0).unwrap_or_default();
    let items = collect(items.into_iter().map(|item| {
        match &item.value {
            Value::Str(text)
                if !text
                    .chars()
                    .all(|char| char.is_alphanumeric() || char == '_') =>
            {
                let expr = crate::python::shapes::sql(text, item.at)?;
                Ok(Item::new(Value::Expr(expr), item.at))
            }
            _ => Ok(item),
        }
    }))?;
    bound.put(0, items);
    build::filter(bound)
}

/// Spark's `where` takes SQL texts.
fn condition(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let predicate = match bound.one(0) {
        Some(Item {
            value: Value::Str(text),
            at,
            ..
        }) => crate::python::shapes::sql(&text, at)?,
        Some(item) => convert::expr(item, Text::Column)?,
        None => return Err(Fault::invalid("`where` needs a condition", at).into()),
    };
    Ok(vec![Op::Filter { predicate }])
}

fn dropna(mut bound: Bound) -> Outcome<Vec<Op>> {
    if let Some(item) = bound.one(0)
        && !matches!(&item.value, Value::Str(how) if how == "any")
        && !matches!(item.value, Value::None)
    {
        let message = "`dropna` drops rows with any null only";
        return Err(Fault::new("not-implemented", message, item.at).into());
    }
    if let Some(item) = bound.one(1)
        && !matches!(item.value, Value::None)
    {
        let message = "`thresh` is not supported";
        return Err(Fault::new("not-implemented", message, item.at).into());
    }
    let subset = build::optional_names(bound.one(2), "subset")?;
    Ok(vec![Op::DropNulls { subset }])
}

/// Spark sorts nulls first when ascending, last when descending.
fn order_by(mut bound: Bound) -> Outcome<Vec<Op>> {
    let exprs = collect(
        bound
            .many(0)
            .unwrap_or_default()
            .into_iter()
            .map(window::sort_key),
    )?;
    let ascending = match bound.one(1) {
        None => return Ok(vec![Op::Sort { by: exprs }]),
        Some(item) => {
            let at = item.at;
            let flags = collect(
                list(item)
                    .iter()
                    .map(|item| convert::boolean(item, "ascending")),
            )?;
            match flags.as_slice() {
                [one] => vec![*one; exprs.len()],
                many if many.len() == exprs.len() => flags,
                many => {
                    let message = format!(
                        "`ascending` has {} flags for {} columns",
                        many.len(),
                        exprs.len()
                    );
                    return Err(Fault::invalid(message, at).into());
                }
            }
        }
    };
    let by = exprs
        .into_iter()
        .zip(ascending)
        .map(|(key, ascending): (SortKey, bool)| SortKey {
            expr: key.expr,
            descending: !ascending,
            nulls_last: !ascending,
        })
        .collect();
    Ok(vec![Op::Sort { by }])
}

/// Spark's `sort` when a key has a direction or `ascending` is given, else Polars'.
fn sort(mut bound: Bound) -> Outcome<Vec<Op>> {
    let items = bound.many(0).unwrap_or_default();
    let ascending = bound.one(3);
    let spark = ascending.is_some() || items.iter().any(|item| matches!(item.value, Value::Key(_)));
    bound.put(0, items);
    if !spark {
        return build::sort(bound);
    }
    bound.put(1, ascending.into_iter().collect());
    order_by(bound)
}

/// Spark's spellings of the kinds of a join that have a counterpart.
fn join(mut bound: Bound) -> Outcome<Vec<Op>> {
    if let Some(Item {
        value: Value::Str(how),
        at,
        ..
    }) = bound.one(2)
    {
        let how = match how.as_str() {
            "leftouter" | "left_outer" => "left".to_owned(),
            "leftsemi" | "left_semi" => "semi".to_owned(),
            "leftanti" | "left_anti" => "anti".to_owned(),
            _ => how,
        };
        bound.put(2, vec![Item::new(Value::Str(how), at)]);
    }
    combine::join(bound)
}

fn cross_join(mut bound: Bound) -> Outcome<Vec<Op>> {
    let other = bound.one(0);
    let right = super::args::frame(item(other, &bound))?;
    Ok(vec![Op::Join {
        right,
        how: JoinHow::Cross,
        left_on: Vec::new(),
        right_on: Vec::new(),
        suffix: "_right".into(),
        nulls_equal: false,
    }])
}

/// A value for all columns, or a mapping of columns to values.
fn fillna(mut bound: Bound) -> Outcome<Vec<Op>> {
    let value = bound.one(0);
    let Some(Item {
        value: Value::Dict(entries),
        ..
    }) = value
    else {
        bound.put(0, value.into_iter().collect());
        return build::fill_null(bound);
    };
    let exprs = collect(entries.into_iter().map(|(name, value)| {
        let column = Expr::Column(build::name(name, "fillna")?);
        Ok(build::filled(column, convert::expr(value, Text::Literal)?))
    }))?;
    Ok(vec![Op::WithColumns { exprs }])
}

fn agg(mut bound: Bound) -> Outcome<Vec<Op>> {
    let items = bound.many(0).unwrap_or_default();
    if let Some(item) = items
        .iter()
        .find(|item| matches!(item.value, Value::Dict(_)))
    {
        let message = "a mapping of columns to names of functions is not supported";
        return Err(Fault::new("not-implemented", message, item.at)
            .hint("write `F.sum('x').alias('x')`, and so on")
            .into());
    }
    bound.put(0, items);
    aggregate::agg(bound)
}

fn melt(mut bound: Bound) -> Outcome<Vec<Op>> {
    let text = |item: Option<Item>, what: &str, default: &str| match item {
        Some(Item {
            value: Value::None, ..
        })
        | None => Ok(default.to_owned()),
        Some(item) => convert::string(item, what),
    };
    Ok(vec![Op::Unpivot {
        index: build::optional_names(bound.one(0), "id_vars")?.unwrap_or_default(),
        on: build::optional_names(bound.one(1), "value_vars")?,
        variable_name: text(bound.one(2), "variable_name", "variable")?,
        value_name: text(bound.one(3), "value_name", "value")?,
    }])
}

/// Polars' `slice(0, n)` and `slice(-n)`; other slices have no meaning without an order.
fn slice(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let offset = bound.one(0);
    let offset = convert::integer(&item(offset, &bound), "offset")?;
    let length = match bound.one(1) {
        Some(item) if !matches!(item.value, Value::None) => {
            Some(convert::unsigned(&item, "length")?)
        }
        _ => None,
    };
    match (offset, length) {
        (0, Some(n)) => Ok(vec![Op::Head { n }]),
        (0, None) => Ok(Vec::new()),
        (offset, None) if offset < 0 => Ok(vec![Op::Tail {
            n: offset.unsigned_abs(),
        }]),
        _ => Err(Fault::new(
            "not-implemented",
            "only the first or the last rows can be sliced",
            at,
        )
        .hint("use `laktory.with_row_index` and `filter`")
        .into()),
    }
}
