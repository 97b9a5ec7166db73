//! Expressions: the shapes. Functions are lowered by the tables of [`crate::funcs`].
//!
//! Lowering is typed: each value carries the type that it will have, since the meaning of operators depends on it and the
//! server is not asked in between. Values that need a window function below another one, or that an expression uses more
//! than once, become columns of a stage before the step.

mod cast;
mod common;
mod constant;

use std::time::SystemTime;

use laktory_core::typing::shown;
use laktory_core::{
    Arg, BoundCall, DType, Error, ErrorKind, Expr, Field, FuncKind, Result, SortKey, no_column,
    walk,
};
use proto::expression::SortOrder;
use spark_connect_proto as proto;

use crate::dsl::{self, Bound, Ex, alias, col, project, star, when, window};
use crate::funcs;

pub(crate) use common::common;
pub(crate) use constant::constant;

/// Beginning of the names of helper columns.
pub(crate) const HELPER: &str = "__laktory_";

/// A lowered expression.
#[derive(Clone, Debug)]
pub(crate) struct Val {
    pub(crate) e: Ex,
    pub(crate) t: DType,
    /// Stages that must come before.
    pub(crate) depth: usize,
    /// Contains a window function.
    pub(crate) win: bool,
    /// Contains an aggregate of the group.
    pub(crate) agg: bool,
    /// A constant.
    pub(crate) constant: bool,
    /// Rows that count, when an aggregation looks at a part of them.
    pub(crate) only: Option<Ex>,
    /// Each value counts once.
    pub(crate) distinct: bool,
}

impl Val {
    /// A value made of others.
    pub(crate) fn of(e: Ex, t: DType, parts: &[&Val]) -> Self {
        let only = parts
            .iter()
            .filter_map(|part| part.only.clone())
            .reduce(|a, b| if a == b { a } else { dsl::and(a, b) });
        Self {
            e,
            t,
            depth: parts.iter().map(|part| part.depth).max().unwrap_or(0),
            win: parts.iter().any(|part| part.win),
            agg: parts.iter().any(|part| part.agg),
            constant: !parts.is_empty() && parts.iter().all(|part| part.constant),
            only,
            distinct: parts.iter().any(|part| part.distinct),
        }
    }

    /// The same value in another form.
    pub(crate) fn map(&self, e: Ex, t: DType) -> Self {
        Self {
            e,
            t,
            ..self.clone()
        }
    }

    /// The values that count; null for others.
    pub(crate) fn masked(&self) -> Ex {
        match &self.only {
            Some(only) => when([(only.clone(), self.e.clone())], None),
            None => self.e.clone(),
        }
    }

    pub(crate) fn is_float(&self) -> bool {
        self.t.is_float()
    }

    fn is_simple(&self) -> bool {
        use proto::expression::ExprType;
        matches!(
            self.e.expr_type,
            Some(
                ExprType::Literal(_)
                    | ExprType::UnresolvedAttribute(_)
                    | ExprType::UnresolvedNamedLambdaVariable(_)
            )
        )
    }
}

/// Which rows an aggregate sees.
#[derive(Clone, Debug)]
pub(crate) enum Scope {
    /// All rows of the frame; the result stands beside each of them.
    Row,
    /// The rows of a group, in an aggregation.
    Group,
    /// The rows of a partition, in an order.
    Over {
        partition: Vec<Ex>,
        order: Vec<SortOrder>,
    },
}

/// The lowering of the expressions of one step.
#[derive(Debug)]
pub(crate) struct Lw<'a> {
    columns: &'a [Field],
    pub(crate) scope: Scope,
    stages: Vec<Vec<(String, Ex)>>,
    helpers: usize,
    /// Whether the rows in sight are those of groups.
    pub(crate) in_groups: bool,
    /// The keys of the groups, when rows are grouped.
    pub(crate) keys: Vec<Ex>,
    pub(crate) started: SystemTime,
}

impl<'a> Lw<'a> {
    /// For expressions over `columns`.
    pub(crate) fn new(columns: &'a [Field], scope: Scope, started: SystemTime) -> Self {
        // Helpers of earlier steps are never among the columns.
        Self {
            columns,
            scope,
            stages: Vec::new(),
            helpers: 0,
            in_groups: false,
            keys: Vec::new(),
            started,
        }
    }

    /// The input with the helper columns that the lowered expressions need.
    pub(crate) fn staged(&mut self, input: proto::Relation) -> proto::Relation {
        std::mem::take(&mut self.stages)
            .into_iter()
            .fold(input, |input, stage| {
                let helpers = stage.into_iter().map(|(name, e)| alias(e, &name));
                project(input, std::iter::once(star()).chain(helpers).collect())
            })
    }

    /// Lowers an expression whose selectors are resolved.
    ///
    /// # Errors
    /// `ColumnNotFound`, `TypeMismatch`, `Unsupported`, ...
    pub(crate) fn lower(&mut self, expr: &Expr) -> Result<Val> {
        let value = self.lower_any(expr)?;
        if value.distinct && !keeps_distinct(expr) {
            // Spark's aggregates would count the results once each, not the values.
            return Err(Error::unsupported(
                "a function of `unique()` other than an aggregate is not available on backend PYSPARK",
            )
            .with_hint("select the distinct values in a step of their own"));
        }
        Ok(value)
    }

    fn lower_any(&mut self, expr: &Expr) -> Result<Val> {
        match expr {
            Expr::Column(name) => {
                let field = self
                    .columns
                    .iter()
                    .find(|field| field.name == *name)
                    .ok_or_else(|| no_column(name, self.columns))?;
                let mut value = Val::of(col(name), field.dtype.clone(), &[]);
                value.constant = false;
                Ok(value)
            }
            Expr::Literal(value) => constant(value),
            Expr::Call { func, args } => funcs::lower(self, &BoundCall::new(*func, args)),
            Expr::Cast { expr, to, strict } => {
                let value = self.lower(expr)?;
                self.cast(&value, to, *strict)
            }
            Expr::When {
                branches,
                otherwise,
            } => self.when(branches, otherwise.as_deref()),
            Expr::Over {
                expr,
                partition_by,
                order_by,
            } => self.over(expr, partition_by, order_by),
            Expr::Alias { expr, .. } | Expr::Rename { expr, .. } => self.lower(expr),
            _ => Err(Error::unsupported("this kind of expression")),
        }
    }

    pub(crate) fn lower_all<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<Vec<Val>> {
        exprs.into_iter().map(|expr| self.lower(expr)).collect()
    }

    /// Lowers an expression as part of the rows, below any aggregation.
    pub(crate) fn row(&mut self, expr: &Expr) -> Result<Val> {
        let grouped = self.in_groups;
        let scope = match self.scope {
            Scope::Group => {
                self.in_groups = true;
                std::mem::replace(&mut self.scope, Scope::Row)
            }
            _ => self.scope.clone(),
        };
        let value = self.lower(expr);
        self.scope = scope;
        self.in_groups = grouped;
        self.flat(value?)
    }

    fn when(&mut self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Val> {
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        for (condition, value) in branches {
            let condition = self.lower(condition)?;
            if !matches!(condition.t, DType::Boolean | DType::Unknown | DType::Null) {
                return Err(Error::new(
                    ErrorKind::TypeMismatch,
                    format!(
                        "the condition of `when` is of type {}, not Boolean",
                        condition.t
                    ),
                ));
            }
            conditions.push(condition);
            values.push(self.lower(value)?);
        }
        if let Some(otherwise) = otherwise {
            values.push(self.lower(otherwise)?);
        }
        let t = self.unify(&mut values)?;
        let parts: Vec<&Val> = conditions.iter().chain(&values).collect();
        let otherwise = otherwise.map(|_| values[values.len() - 1].e.clone());
        let e = when(
            conditions
                .iter()
                .zip(&values)
                .map(|(condition, value)| (condition.e.clone(), value.e.clone())),
            otherwise,
        );
        Ok(Val::of(e, t, &parts))
    }

    /// Gives values one type, as Polars does when it puts them into one column.
    ///
    /// # Errors
    /// `TypeMismatch` when there is none.
    pub(crate) fn unify(&mut self, values: &mut [Val]) -> Result<DType> {
        let mut t = DType::Null;
        for value in values.iter() {
            t = common(&t, &value.t).ok_or_else(|| {
                Error::new(
                    ErrorKind::TypeMismatch,
                    format!("{t} and {} have no common type", value.t),
                )
            })?;
        }
        for value in values.iter_mut() {
            if value.t != t && t != DType::Unknown && t != DType::Null {
                *value = self.cast(value, &t.clone(), true)?;
            }
        }
        Ok(t)
    }

    fn over(&mut self, expr: &Expr, partition_by: &[Expr], order_by: &[SortKey]) -> Result<Val> {
        let mut depth = 0;
        let mut partition = Vec::new();
        for key in partition_by {
            let key = self.row(key)?;
            depth = depth.max(key.depth);
            partition.push(key.e);
        }
        let mut order = Vec::new();
        for key in order_by {
            let value = self.row(&key.expr)?;
            depth = depth.max(value.depth);
            order.push(dsl::order(value.e, key.descending, key.nulls_last));
        }
        let scope = std::mem::replace(&mut self.scope, Scope::Over { partition, order });
        let value = self.lower(expr);
        self.scope = scope;
        let mut value = value?;
        value.depth = value.depth.max(depth);
        value.constant = false;
        Ok(value)
    }

    /// Makes a value a column of an earlier stage.
    pub(crate) fn hoist(&mut self, value: Val) -> Val {
        let name = format!("{HELPER}{}", self.helpers);
        self.helpers += 1;
        while self.stages.len() <= value.depth {
            self.stages.push(Vec::new());
        }
        self.stages[value.depth].push((name.clone(), value.e));
        Val {
            e: col(&name),
            depth: value.depth + 1,
            win: false,
            agg: false,
            ..value
        }
    }

    /// A value without window functions inside, fit to stand below an aggregate or a window.
    pub(crate) fn flat(&mut self, value: Val) -> Result<Val> {
        if value.agg {
            return Err(Error::new(
                ErrorKind::InvalidExpression,
                "an aggregate stands inside of another",
            ));
        }
        Ok(if value.win { self.hoist(value) } else { value })
    }

    /// A value that may be used several times without being computed several times.
    pub(crate) fn share(&mut self, value: Val) -> Val {
        if value.is_simple() || value.agg || value.constant {
            value
        } else {
            self.hoist(value)
        }
    }

    /// An aggregate of the rows in scope.
    pub(crate) fn aggregate(&self, e: Ex, t: DType, parts: &[&Val]) -> Val {
        self.framed(e, t, parts, &[], None)
    }

    /// An aggregate over a frame of the ordered rows in scope.
    pub(crate) fn framed(
        &self,
        e: Ex,
        t: DType,
        parts: &[&Val],
        order: &[SortOrder],
        rows: Option<(Bound, Bound)>,
    ) -> Val {
        let mut value = Val::of(e, t, parts);
        value.only = None;
        value.distinct = false;
        value.constant = false;
        match &self.scope {
            Scope::Group => value.agg = true,
            Scope::Row => {
                value.e = window(value.e, &[], order, rows);
                value.win = true;
            }
            Scope::Over { partition, .. } => {
                value.e = window(value.e, partition, order, rows);
                value.win = true;
            }
        }
        value
    }

    /// A window function over partitions that are parts of those in scope.
    pub(crate) fn within(
        &self,
        e: Ex,
        t: DType,
        parts: &[&Val],
        more: &[Ex],
        order: &[SortOrder],
        rows: Option<(Bound, Bound)>,
    ) -> Val {
        let mut partition = match &self.scope {
            Scope::Over { partition, .. } => partition.clone(),
            _ => self.keys.clone(),
        };
        partition.extend_from_slice(more);
        let mut value = Val::of(window(e, &partition, order, rows), t, parts);
        value.win = true;
        value.constant = false;
        value
    }

    /// The order of the rows in scope.
    ///
    /// # Errors
    /// `OrderRequired` when there is none.
    pub(crate) fn order(&self, call: &BoundCall<'_>) -> Result<Vec<SortOrder>> {
        match &self.scope {
            Scope::Over { order, .. } if !order.is_empty() => Ok(order.clone()),
            _ => Err(Error::new(
                ErrorKind::OrderRequired,
                format!("`{}` depends on the order of rows", shown(call.func())),
            )
            .with_hint("add `.over(order_by=...)`")),
        }
    }

    /// Whether rows have an order here.
    pub(crate) fn has_order(&self) -> bool {
        matches!(&self.scope, Scope::Over { order, .. } if !order.is_empty())
    }
}

/// How a call relates rows to rows, for the lowering of whole steps.
pub(crate) fn is_length_changing(expr: &Expr) -> bool {
    match expr {
        Expr::Call { func, args } => match walk::kind(*func, args) {
            FuncKind::LengthChanging => true,
            FuncKind::Aggregate => false,
            _ => args.iter().any(|arg| match arg {
                Arg::Expr(expr) => is_length_changing(expr),
                Arg::Exprs(exprs) => exprs.iter().any(is_length_changing),
                _ => false,
            }),
        },
        other => {
            let mut found = false;
            walk::children(other, &mut |child| found |= is_length_changing(child));
            found
        }
    }
}

/// Whether an expression gives distinct values of which each still counts once.
fn keeps_distinct(expr: &Expr) -> bool {
    match expr {
        Expr::Alias { .. } | Expr::Rename { .. } => true,
        Expr::Call { func, .. } => func.def().kind == FuncKind::LengthChanging,
        _ => false,
    }
}
