//! Expressions and types where the engine departs from what other engines agree on, and types must be known to mend it:
//! quotients of integers, fields of structs that are null, times of microseconds.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, make_array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr, TypePlanner,
};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, cast};
use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType as SqlType, TimezoneInfo};
use laktory_core::{Error, ErrorKind, Result};

use super::functions::refusal;
use crate::expr::Value;
use crate::kernel::kernel;

/// Our planning of expressions, asked before that of the engine.
#[derive(Debug)]
pub(super) struct Expressions;

impl ExprPlanner for Expressions {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> EngineResult<PlannerResult<RawBinaryExpr>> {
        let whole = |expr: &Expr| {
            Ok::<_, datafusion::error::DataFusionError>(
                matches!(expr.get_type(schema)?, DataType::Null)
                    || expr.get_type(schema)?.is_integer(),
            )
        };
        if matches!(expr.op, BinaryOperator::Divide) && whole(&expr.left)? && whole(&expr.right)? {
            let left = cast(expr.left, DataType::Float64);
            let right = cast(expr.right, DataType::Float64);
            return Ok(PlannerResult::Planned(left / right));
        }
        Ok(PlannerResult::Original(expr))
    }

    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> EngineResult<PlannerResult<RawFieldAccessExpr>> {
        let name = match &access.field_access {
            GetFieldAccess::NamedStructField { name } => name.try_as_str().flatten(),
            _ => None,
        };
        let Some(name) = name else {
            return Ok(PlannerResult::Original(access));
        };
        match access.expr.get_type(schema)? {
            DataType::Struct(_) => {
                let dtype = access.expr.get_type(schema)?;
                let value = Value {
                    expr: access.expr.clone(),
                    dtype,
                };
                Ok(PlannerResult::Planned(field(value, name).expr))
            }
            _ => Ok(PlannerResult::Original(access)),
        }
    }

    fn plan_compound_identifier(
        &self,
        column: &Field,
        qualifier: Option<&TableReference>,
        nested: &[String],
    ) -> EngineResult<PlannerResult<Vec<Expr>>> {
        let mut value = Value {
            expr: Expr::Column(Column::from((qualifier, column))),
            dtype: column.data_type().clone(),
        };
        for name in nested {
            value = field(value, name);
        }
        Ok(PlannerResult::Planned(value.expr))
    }
}

/// The field of a struct, null where the struct is null. A field that does not exist becomes an expression that fails
/// when its type is asked for, since the planner hides errors of this place.
fn field(value: Value, name: &str) -> Value {
    let known = match &value.dtype {
        DataType::Struct(fields) => fields,
        _ => {
            let error = Error::new(
                ErrorKind::TypeMismatch,
                format!("`{name}` is asked of a value that is no struct"),
            );
            return refusal(error);
        }
    };
    match known.iter().position(|field| field.name() == name) {
        Some(at) => {
            let dtype = known[at].data_type().clone();
            kernel(format!("field {name}"), vec![value], dtype, move |args| {
                masked_field(&args[0], at)
            })
        }
        None => {
            let known: Vec<String> = known
                .iter()
                .map(|field| format!("`{}`", field.name()))
                .collect();
            refusal(
                Error::new(
                    ErrorKind::FieldNotFound,
                    format!("there is no field `{name}`"),
                )
                .with_hint(format!("the fields are: {}", known.join(", "))),
            )
        }
    }
}

fn masked_field(structs: &ArrayRef, at: usize) -> Result<ArrayRef> {
    let structs = structs
        .as_struct_opt()
        .ok_or_else(|| Error::internal("a struct is no struct"))?;
    let child = structs.column(at);
    if structs.null_count() == 0 || child.data_type() == &DataType::Null {
        return Ok(Arc::clone(child));
    }
    let nulls = NullBuffer::union(structs.nulls(), child.nulls());
    let data = child.to_data().into_builder().nulls(nulls);
    data.build()
        .map(make_array)
        .map_err(|error| Error::internal(error.to_string()))
}

/// Types of SQL where ours differ from those of the engine.
#[derive(Debug)]
pub(super) struct Types;

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &SqlType) -> EngineResult<Option<FieldRef>> {
        let unit = |precision: &Option<u64>| match precision {
            Some(0) => TimeUnit::Second,
            Some(1..=3) => TimeUnit::Millisecond,
            Some(7..) => TimeUnit::Nanosecond,
            None | Some(4..=6) => TimeUnit::Microsecond,
        };
        let planned = match sql_type {
            SqlType::Timestamp(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone)
            | SqlType::Datetime(precision)
            | SqlType::TimestampNtz(precision) => DataType::Timestamp(unit(precision), None),
            SqlType::Timestamp(precision, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone) => {
                DataType::Timestamp(unit(precision), Some("UTC".into()))
            }
            SqlType::String(_) | SqlType::Text => DataType::Utf8View,
            _ => return Ok(None),
        };
        Ok(Some(Arc::new(Field::new("", planned, true))))
    }
}
