//! Expressions: the shapes. Functions are lowered by the tables of [`crate::funcs`].
//!
//! Lowering is typed: each part carries its Arrow type, so that conversions are explicit and the engine's own coercion
//! has nothing to decide. Selectors are resolved before ([`laktory_core::expand`]).

mod literal;

use std::cell::RefCell;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Case, Expr as PlanExpr};
use laktory_core::{Error, Expr, Result, RunCx, SortKey};

use crate::funcs;
use crate::funcs::cast::{cast, common_type, convert};
use crate::kernel::reduced::Reduce;

pub(crate) use literal::literal;

/// An expression of the engine with its type.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// The expression.
    pub(crate) expr: PlanExpr,
    /// Its type.
    pub(crate) dtype: DataType,
}

impl Value {
    /// A constant of the engine.
    pub(crate) fn constant(value: ScalarValue) -> Self {
        Self {
            dtype: value.data_type(),
            expr: PlanExpr::Literal(value, None),
        }
    }

    /// A null of a type.
    pub(crate) fn null(dtype: &DataType) -> Result<Self> {
        use crate::error::ResultExt;
        Ok(Self::constant(ScalarValue::try_new_null(dtype).or_error()?))
    }

    /// A boolean expression.
    pub(crate) fn boolean(expr: PlanExpr) -> Self {
        Self {
            expr,
            dtype: DataType::Boolean,
        }
    }

    /// The same value by another expression of the same type.
    pub(crate) fn map(self, change: impl FnOnce(PlanExpr) -> PlanExpr) -> Self {
        Self {
            expr: change(self.expr),
            dtype: self.dtype,
        }
    }

    /// The constant, if it is one.
    pub(crate) fn as_constant(&self) -> Option<&ScalarValue> {
        match &self.expr {
            PlanExpr::Literal(value, _) => Some(value),
            _ => None,
        }
    }
}

/// Over which rows an aggregate aggregates.
#[derive(Clone, Debug, Default)]
pub(crate) enum Scope {
    /// Over the rows of its group.
    Group,
    /// Over a window: one value for each row.
    #[default]
    Rows,
    /// Over the rows of a partition, in an order.
    Window {
        /// Keys of the partition.
        partition_by: Vec<PlanExpr>,
        /// The order within.
        order_by: Vec<Sort>,
    },
}

/// What an enclosing aggregate leaves out: collected from the length-changing functions below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Restriction {
    /// Rows that count.
    pub(crate) filter: Option<PlanExpr>,
    /// Which of the values count, by their key.
    pub(crate) reduce: Option<(Reduce, PlanExpr)>,
}

/// Lowers expressions against the columns of one plan.
pub(crate) struct Lower<'a> {
    pub(crate) cx: &'a RunCx,
    pub(crate) schema: &'a DFSchema,
    pub(crate) scope: Scope,
    restriction: RefCell<Restriction>,
}

impl<'a> Lower<'a> {
    /// Aggregates become windows over all rows.
    pub(crate) fn rows(cx: &'a RunCx, schema: &'a DFSchema) -> Self {
        Self::within(cx, schema, Scope::Rows)
    }

    /// Aggregates stay aggregates, of a group.
    pub(crate) fn groups(cx: &'a RunCx, schema: &'a DFSchema) -> Self {
        Self::within(cx, schema, Scope::Group)
    }

    fn within(cx: &'a RunCx, schema: &'a DFSchema, scope: Scope) -> Self {
        Self {
            cx,
            schema,
            scope,
            restriction: RefCell::default(),
        }
    }

    /// The same columns in another scope.
    fn scoped(&self, scope: Scope) -> Lower<'a> {
        Lower::within(self.cx, self.schema, scope)
    }

    /// Lowers an expression whose selectors are resolved.
    ///
    /// # Errors
    /// `Unsupported` for functions that the driver does not have, `TypeMismatch`, `InvalidArgument`,
    /// `UnsupportedCast`.
    pub(crate) fn lower(&self, expr: &Expr) -> Result<Value> {
        Ok(match expr {
            Expr::Column(name) => self.column(name)?,
            Expr::Literal(value) => literal(value)?,
            Expr::Call { func, args } => funcs::lower(self, *func, args)?,
            Expr::User { name, args } => funcs::user::lower(self, name, args)?,
            Expr::Cast { expr, to, strict } => cast(self.lower(expr)?, to, *strict)?,
            Expr::When {
                branches,
                otherwise,
            } => self.when(branches, otherwise.as_deref())?,
            Expr::Over {
                expr,
                partition_by,
                order_by,
            } => {
                let partition_by = partition_by
                    .iter()
                    .map(|key| Ok(group_key(self.lower(key)?).expr))
                    .collect::<Result<_>>()?;
                let order_by = self.sort_keys(order_by)?;
                self.scoped(Scope::Window {
                    partition_by,
                    order_by,
                })
                .lower(expr)?
            }
            Expr::Window(window) => funcs::window::window(self, window)?,
            Expr::Alias { expr, .. } | Expr::Rename { expr, .. } => self.lower(expr)?,
            Expr::Columns(_) => {
                return Err(Error::internal("a selector that was not resolved"));
            }
            _ => return Err(Error::unsupported("this kind of expression")),
        })
    }

    /// A column by its exact name.
    pub(crate) fn column(&self, name: &str) -> Result<Value> {
        let field = self
            .schema
            .fields()
            .iter()
            .find(|field| field.name() == name)
            .ok_or_else(|| laktory_core::no_column(name, &crate::types::fields(self.schema)))?;
        Ok(Value {
            expr: PlanExpr::Column(Column::new_unqualified(name)),
            dtype: field.data_type().clone(),
        })
    }

    fn when(&self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Value> {
        let mut conditions = Vec::with_capacity(branches.len());
        let mut values = Vec::with_capacity(branches.len() + 1);
        for (condition, value) in branches {
            conditions.push(funcs::truth(self.lower(condition)?, "a condition")?);
            values.push(self.lower(value)?);
        }
        if let Some(otherwise) = otherwise {
            values.push(self.lower(otherwise)?);
        }
        let dtype = common_type(values.iter())?;
        let mut values = values
            .into_iter()
            .map(|value| Ok(convert(value, &dtype)?.expr))
            .collect::<Result<Vec<_>>>()?
            .into_iter();
        let pairs: Vec<(Box<PlanExpr>, Box<PlanExpr>)> = conditions
            .into_iter()
            .zip(values.by_ref())
            .map(|(condition, value)| (Box::new(condition), Box::new(value)))
            .collect();
        let otherwise = match values.next() {
            Some(value) => value,
            None => Value::null(&dtype)?.expr,
        };
        Ok(Value {
            expr: PlanExpr::Case(Case::new(None, pairs, Some(Box::new(otherwise)))),
            dtype,
        })
    }

    /// Sort keys of the engine; floats sort NaN last, whatever its sign.
    pub(crate) fn sort_keys(&self, keys: &[SortKey]) -> Result<Vec<Sort>> {
        keys.iter()
            .map(|key| {
                let value = group_key(self.lower(&key.expr)?);
                Ok(value.expr.sort(!key.descending, !key.nulls_last))
            })
            .collect()
    }

    /// Adds a restriction for the aggregate around the expression that is being lowered.
    pub(crate) fn restrict(&self, filter: PlanExpr) {
        let mut restriction = self.restriction.borrow_mut();
        restriction.filter = Some(match restriction.filter.take() {
            Some(known) => known.and(filter),
            None => filter,
        });
    }

    /// Has the aggregate around the expression that is being lowered look at some of the values only, by their key.
    ///
    /// # Errors
    /// `Unsupported` for more than one such reduction.
    pub(crate) fn reduce(&self, reduce: Reduce, key: PlanExpr) -> Result<()> {
        let mut restriction = self.restriction.borrow_mut();
        match &restriction.reduce {
            Some((Reduce::Distinct, known)) if reduce == Reduce::Distinct && *known == key => {}
            Some(_) => {
                return Err(Error::unsupported(
                    "`unique` and `mode` within each other are not available on backend DATAFUSION",
                ));
            }
            None => restriction.reduce = Some((reduce, key)),
        }
        Ok(())
    }

    /// Lowers the argument of an aggregate, with what the length-changing functions in it leave out.
    pub(crate) fn restricted<T>(
        &self,
        lower: impl FnOnce() -> Result<T>,
    ) -> Result<(T, Restriction)> {
        let outer = self.restriction.take();
        let value = lower();
        let restriction = self.restriction.replace(outer);
        Ok((value?, restriction))
    }
}

/// A value as a key of groups, partitions and orders: floats in their canonical form, in which all NaN and both zeros
/// are one.
pub(crate) fn group_key(value: Value) -> Value {
    funcs::numeric::canonical(value)
}
