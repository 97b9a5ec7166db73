//! Frames matched with, and stacked on, others.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::NullEquality;
use datafusion::logical_expr::{
    Expr as PlanExpr, ExprFunctionExt, Join, JoinType, LogicalPlan, LogicalPlanBuilder, lit, when,
};
use laktory_core::typing::supertype;
use laktory_core::{AsofStrategy, Error, ErrorKind, JoinHow, Result, UnionHow, no_column};

use super::built;
use super::stages::{column, columns, fresh, names, numbered, only};
use crate::error::ResultExt;
use crate::expr::{Value, group_key};
use crate::funcs::cast::{common_type, convert};
use crate::types::{fields, is_text, shown};

/// A column of a plan with its type.
fn value(plan: &LogicalPlan, name: &str) -> Result<Value> {
    let field = plan
        .schema()
        .fields()
        .iter()
        .find(|field| field.name() == name)
        .ok_or_else(|| no_column(name, &fields(plan.schema())))?;
    Ok(Value {
        expr: column(name),
        dtype: field.data_type().clone(),
    })
}

/// Two keys in a type in which they can be compared.
fn comparable(left: Value, right: Value, names: (&str, &str)) -> Result<(PlanExpr, PlanExpr)> {
    let mismatch = || {
        Error::new(
            ErrorKind::TypeMismatch,
            format!(
                "the keys `{}` and `{}` cannot be compared: {} and {}",
                names.0,
                names.1,
                shown(&left.dtype),
                shown(&right.dtype)
            ),
        )
        .with_hint("convert one of them with a `cast` step")
    };
    if is_text(&left.dtype) != is_text(&right.dtype) {
        return Err(mismatch());
    }
    let dtype = common_type([&left, &right].into_iter()).map_err(|_| mismatch())?;
    Ok((
        group_key(convert(left, &dtype)?).expr,
        group_key(convert(right, &dtype)?).expr,
    ))
}

/// A plan whose columns have names that the other side does not have.
fn aside(plan: LogicalPlan, taken: &mut BTreeSet<String>) -> Result<(LogicalPlan, Vec<String>)> {
    let mut renamed = Vec::new();
    let mut exprs = Vec::new();
    for name in columns(&plan) {
        let other = fresh("right", taken);
        taken.insert(other.clone());
        exprs.push(column(&name).alias(&other));
        renamed.push(other);
    }
    let plan = built(LogicalPlanBuilder::from(plan).project(exprs))?;
    Ok((plan, renamed))
}

/// The output of a join: the left columns, and those of the right side under their names, with the suffix where the
/// left side has the name too.
fn joined_columns(
    left: &[String],
    right: &[(String, String)],
    suffix: &str,
) -> Result<Vec<PlanExpr>> {
    let mut seen: BTreeSet<String> = left.iter().cloned().collect();
    let mut exprs: Vec<PlanExpr> = left.iter().map(|name| column(name)).collect();
    for (name, inner) in right {
        let out = if left.contains(name) {
            format!("{name}{suffix}")
        } else {
            name.clone()
        };
        if !seen.insert(out.clone()) {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!("two columns would be called `{out}`"),
            )
            .with_hint("choose another `suffix`"));
        }
        exprs.push(column(inner).alias(&out));
    }
    Ok(exprs)
}

/// Rows matched with those of another frame.
pub(super) fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    how: JoinHow,
    (left_on, right_on): (&[String], &[String]),
    nulls_equal: bool,
    suffix: &str,
) -> Result<LogicalPlan> {
    let left_names = columns(&left);
    let right_names = columns(&right);
    let keys = left_on
        .iter()
        .zip(right_on)
        .map(|(l, r)| comparable(value(&left, l)?, value(&right, r)?, (l, r)))
        .collect::<Result<Vec<_>>>()?;
    let mut taken = names(&left);
    let (right, inner) = aside(right, &mut taken)?;
    let inside = |name: &String| {
        let at = right_names.iter().position(|known| known == name);
        at.map_or_else(String::new, |at| inner[at].clone())
    };
    let rename = |expr: PlanExpr| -> Result<PlanExpr> {
        use datafusion::common::tree_node::{Transformed, TreeNode};
        expr.transform_up(|expr| match &expr {
            PlanExpr::Column(name) => Ok(Transformed::yes(column(&inside(&name.name)))),
            _ => Ok(Transformed::no(expr)),
        })
        .map(|transformed| transformed.data)
        .or_error()
    };
    let mut left_keys = Vec::with_capacity(keys.len());
    let mut right_keys = Vec::with_capacity(keys.len());
    for (l, r) in keys {
        left_keys.push(l);
        right_keys.push(rename(r)?);
    }
    let kind = match how {
        JoinHow::Inner => JoinType::Inner,
        JoinHow::Left => JoinType::Left,
        JoinHow::Full => JoinType::Full,
        JoinHow::Semi => JoinType::LeftSemi,
        JoinHow::Anti => JoinType::LeftAnti,
        JoinHow::Cross => {
            let builder = LogicalPlanBuilder::from(left)
                .cross_join(right)
                .or_error()?;
            let pairs: Vec<_> = right_names.iter().cloned().zip(inner).collect();
            return built(builder.project(joined_columns(&left_names, &pairs, suffix)?));
        }
        _ => return Err(Error::unsupported("this kind of join")),
    };
    let builder = LogicalPlanBuilder::from(left)
        .join_with_expr_keys(right, kind, (left_keys, right_keys), None)
        .or_error()?;
    let builder = if nulls_equal {
        match builder.build().or_error()? {
            LogicalPlan::Join(join) => LogicalPlanBuilder::from(LogicalPlan::Join(Join {
                null_equality: NullEquality::NullEqualsNull,
                ..join
            })),
            _ => return Err(Error::internal("a join that is none")),
        }
    } else {
        builder
    };
    if matches!(how, JoinHow::Semi | JoinHow::Anti) {
        return only(builder.build().or_error()?, &left_names);
    }
    let pairs: Vec<_> = right_names
        .iter()
        .cloned()
        .zip(inner)
        .filter(|(name, _)| how == JoinHow::Full || !right_on.contains(name))
        .collect();
    built(builder.project(joined_columns(&left_names, &pairs, suffix)?))
}

/// Keys of a nearest-key join, of the left and the right side.
pub(super) struct AsofKeys<'a> {
    pub(super) on: (&'a str, &'a str),
    pub(super) by: (&'a [String], &'a [String]),
}

/// Rows matched with the nearest key of another frame: both sides are stacked, sorted by key, and each left row takes
/// the nearest right row before or behind it.
pub(super) fn join_asof(
    left: LogicalPlan,
    right: LogicalPlan,
    keys: &AsofKeys<'_>,
    strategy: AsofStrategy,
    suffix: &str,
) -> Result<LogicalPlan> {
    let left_names = columns(&left);
    let right_names = columns(&right);
    let (on_left, on_right) = keys.on;
    let mut taken = names(&left);
    let mut name = |what: &str| {
        let name = fresh(what, &taken);
        taken.insert(name.clone());
        name
    };
    let (key, side, row) = (name("key"), name("side"), name("row"));
    let mut bys = Vec::new();
    let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
    let pairs = std::iter::once((on_left, on_right)).chain(
        keys.by
            .0
            .iter()
            .map(String::as_str)
            .zip(keys.by.1.iter().map(String::as_str)),
    );
    for (at, (l, r)) in pairs.enumerate() {
        let (l, r) = comparable(value(&left, l)?, value(&right, r)?, (l, r))?;
        let out = if at == 0 { key.clone() } else { name("by") };
        of_left.push(l.alias(&out));
        of_right.push(r.alias(&out));
        if at > 0 {
            bys.push(out);
        }
    }
    let inner: Vec<String> = right_names.iter().map(|_| name("right")).collect();
    let (back, ahead) = (name("back"), name("ahead"));
    // Left rows carry nulls for the right columns, and the other way round.
    let left_types: Vec<DataType> = types(&left);
    let right_types: Vec<DataType> = types(&right);
    let left_rows = numbered(left, &row)?;
    let mut exprs: Vec<PlanExpr> = of_left;
    exprs.push(lit(1_i8).alias(&side));
    exprs.push(column(&row));
    exprs.extend(left_names.iter().map(|name| column(name)));
    for (inner, dtype) in inner.iter().zip(&right_types) {
        exprs.push(Value::null(dtype)?.expr.alias(inner));
    }
    let left_rows = built(LogicalPlanBuilder::from(left_rows).project(exprs))?;
    let mut exprs: Vec<PlanExpr> = of_right;
    exprs.push(lit(0_i8).alias(&side));
    exprs.push(Value::null(&DataType::UInt64)?.expr.alias(&row));
    for (name, dtype) in left_names.iter().zip(&left_types) {
        exprs.push(Value::null(dtype)?.expr.alias(name));
    }
    for (name, inner) in right_names.iter().zip(&inner) {
        exprs.push(column(name).alias(inner));
    }
    let right_rows = built(LogicalPlanBuilder::from(right).filter(column(on_right).is_not_null()))?;
    let right_rows = built(LogicalPlanBuilder::from(right_rows).project(exprs))?;
    let stacked = built(LogicalPlanBuilder::from(left_rows).union(right_rows))?;
    // A whole right row travels as one value, so that its columns stay together.
    let right_row = |at: &str| -> PlanExpr {
        let mut parts = Vec::new();
        for name in std::iter::once(at).chain(inner.iter().map(String::as_str)) {
            parts.push(lit(name));
            parts.push(column(name));
        }
        when(
            column(&side).eq(lit(0_i8)),
            datafusion::functions::core::expr_fn::named_struct(parts),
        )
        .end()
        .unwrap_or_else(|_| lit(datafusion::common::ScalarValue::Null))
    };
    let partition: Vec<PlanExpr> = bys.iter().map(|name| column(name)).collect();
    let nearest = |forward: bool| -> Result<PlanExpr> {
        // Right rows with the same key count: they come before the left row in the direction of the search.
        let order = vec![
            column(&key).sort(!forward, true),
            column(&side).sort(true, true),
        ];
        datafusion::functions_window::nth_value::last_value(right_row(&key))
            .partition_by(partition.clone())
            .order_by(order)
            .window_frame(datafusion::logical_expr::WindowFrame::new_bounds(
                datafusion::logical_expr::WindowFrameUnits::Rows,
                datafusion::logical_expr::WindowFrameBound::Preceding(
                    datafusion::common::ScalarValue::UInt64(None),
                ),
                datafusion::logical_expr::WindowFrameBound::CurrentRow,
            ))
            .null_treatment(datafusion::logical_expr::expr::NullTreatment::IgnoreNulls)
            .build()
            .or_error()
    };
    let mut plan = stacked;
    for (out, forward) in [(&back, false), (&ahead, true)] {
        let wanted = match strategy {
            AsofStrategy::Backward => !forward,
            AsofStrategy::Forward => forward,
            AsofStrategy::Nearest => true,
        };
        if wanted {
            plan = built(LogicalPlanBuilder::from(plan).window([nearest(forward)?.alias(out)]))?;
        }
    }
    let field =
        |of: &str, name: &str| datafusion::functions::core::expr_fn::get_field(column(of), name);
    let known = column(&key).is_not_null();
    let part = |of: &str, name: &str| when(known.clone(), field(of, name)).end().or_error();
    let picked = |name: &str| -> Result<PlanExpr> {
        match strategy {
            AsofStrategy::Backward => part(&back, name),
            AsofStrategy::Forward => part(&ahead, name),
            AsofStrategy::Nearest => {
                let closer = field(&ahead, &key).is_not_null().and(
                    field(&back, &key)
                        .is_null()
                        .or((field(&ahead, &key) - column(&key))
                            .lt_eq(column(&key) - field(&back, &key))),
                );
                when(closer, part(&ahead, name)?)
                    .otherwise(part(&back, name)?)
                    .or_error()
            }
        }
    };
    let mut pairs = Vec::new();
    let mut exprs: Vec<PlanExpr> = left_names.iter().map(|name| column(name)).collect();
    exprs.push(column(&row));
    for (name, inner) in right_names.iter().zip(&inner) {
        // A key of another name is a column of its own.
        if (name == on_right && on_left == on_right) || keys.by.1.contains(name) {
            continue;
        }
        exprs.push(picked(inner)?.alias(inner));
        pairs.push((name.clone(), inner.clone()));
    }
    let plan = built(LogicalPlanBuilder::from(plan).filter(column(&side).eq(lit(1_i8))))?;
    let plan = built(LogicalPlanBuilder::from(plan).project(exprs))?;
    let plan = built(LogicalPlanBuilder::from(plan).sort([column(&row).sort(true, true)]))?;
    built(LogicalPlanBuilder::from(plan).project(joined_columns(&left_names, &pairs, suffix)?))
}

fn types(plan: &LogicalPlan) -> Vec<DataType> {
    plan.schema()
        .fields()
        .iter()
        .map(|field| field.data_type().clone())
        .collect()
}

/// Rows of several frames below one another.
pub(super) fn union(
    first: LogicalPlan,
    others: Vec<LogicalPlan>,
    how: UnionHow,
) -> Result<LogicalPlan> {
    let mut plans = vec![first];
    plans.extend(others);
    // Texts of one source may be encoded otherwise than those of another.
    let mut plans = plans.into_iter().map(encoded).collect::<Result<Vec<_>>>()?;
    match how {
        UnionHow::Vertical => {
            let known = fields(plans[0].schema());
            for plan in &plans[1..] {
                let other = fields(plan.schema());
                if other != known {
                    return Err(mismatch(&known, &other));
                }
            }
        }
        UnionHow::Diagonal => plans = diagonal(plans)?,
        UnionHow::Coerced => plans = coerced(plans)?,
        _ => return Err(Error::unsupported("this kind of union")),
    }
    let mut plans = plans.into_iter();
    let Some(first) = plans.next() else {
        return Err(Error::internal("a union without frames"));
    };
    plans.try_fold(first, |plan, other| {
        built(LogicalPlanBuilder::from(plan).union(other))
    })
}

/// The plans with their columns in the types that hold the values of all.
fn coerced(plans: Vec<LogicalPlan>) -> Result<Vec<LogicalPlan>> {
    let mut wanted = fields(plans[0].schema());
    for plan in &plans[1..] {
        let other = fields(plan.schema());
        for (known, field) in wanted.iter_mut().zip(&other) {
            known.dtype = supertype(&known.dtype, &field.dtype).ok_or_else(|| {
                mismatch(std::slice::from_ref(known), std::slice::from_ref(field))
            })?;
        }
    }
    let each = plans.into_iter().map(|plan| {
        let mut exprs = Vec::with_capacity(wanted.len());
        for (field, known) in plan.schema().fields().iter().zip(&wanted) {
            let value = Value {
                expr: column(field.name()),
                dtype: field.data_type().clone(),
            };
            let same = laktory_core::DType::from_arrow(field.data_type()) == known.dtype;
            exprs.push(match (same, known.dtype.to_arrow()) {
                (false, Some(dtype)) => convert(value, &dtype)?.expr.alias(field.name()),
                _ => value.expr,
            });
        }
        built(LogicalPlanBuilder::from(plan).project(exprs))
    });
    each.collect()
}

/// The plan with its columns in the encodings of the contract.
fn encoded(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut same = true;
    let mut exprs = Vec::new();
    for (field, known) in plan.schema().fields().iter().zip(fields(plan.schema())) {
        let dtype = known.dtype.to_arrow();
        let value = Value {
            expr: column(field.name()),
            dtype: field.data_type().clone(),
        };
        exprs.push(match dtype {
            Some(dtype) if dtype != value.dtype && is_text(&value.dtype) => {
                same = false;
                convert(value, &dtype)?.expr.alias(field.name())
            }
            _ => value.expr,
        });
    }
    if same {
        return Ok(plan);
    }
    built(LogicalPlanBuilder::from(plan).project(exprs))
}

fn mismatch(known: &[laktory_core::Field], other: &[laktory_core::Field]) -> Error {
    let listed = |fields: &[laktory_core::Field]| {
        fields
            .iter()
            .map(|field| format!("`{}` {}", field.name, field.dtype))
            .collect::<Vec<_>>()
            .join(", ")
    };
    Error::new(
        ErrorKind::SchemaMismatch,
        format!(
            "the frames have different columns: {}; and {}",
            listed(known),
            listed(other)
        ),
    )
    .with_hint("select the same columns in the same order, and cast them to the same types")
}

/// The plans with the columns of all of them; missing ones are null.
fn diagonal(plans: Vec<LogicalPlan>) -> Result<Vec<LogicalPlan>> {
    let mut all: Vec<(String, DataType)> = Vec::new();
    for plan in &plans {
        for field in plan.schema().fields() {
            match all.iter().find(|(name, _)| name == field.name()) {
                Some((_, dtype)) if dtype != field.data_type() => {
                    return Err(Error::new(
                        ErrorKind::SchemaMismatch,
                        format!(
                            "column `{}` is {} in one frame and {} in another",
                            field.name(),
                            shown(dtype),
                            shown(field.data_type())
                        ),
                    )
                    .with_hint("convert one of them with a `cast` step"));
                }
                Some(_) => {}
                None => all.push((field.name().clone(), field.data_type().clone())),
            }
        }
    }
    plans
        .into_iter()
        .map(|plan| {
            let known = names(&plan);
            let exprs = all
                .iter()
                .map(|(name, dtype)| {
                    if known.contains(name) {
                        Ok(column(name))
                    } else {
                        Ok(Value::null(dtype)?.expr.alias(name))
                    }
                })
                .collect::<Result<Vec<_>>>()?;
            built(LogicalPlanBuilder::from(plan).project(exprs))
        })
        .collect()
}
