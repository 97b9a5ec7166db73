//! Expressions: the shapes. Functions are lowered by the tables of [`crate::funcs`].
//!
//! Lowering is typed: each value carries the type that it will have, since the meaning of operators depends on it and the
//! server is not asked in between. Values that need a window function below another one, or that an expression uses more
//! than once, become columns of a stage before the step.

use std::time::SystemTime;

use laktory_core::{
    Arg, BoundCall, DType, Error, ErrorKind, Expr, Field, FuncKind, Result, Scalar, SortKey,
    no_column, walk,
};
use proto::expression::{SortOrder, literal::LiteralType};
use spark_connect_proto as proto;

use crate::dsl::{
    self, Bound, Ex, alias, cast, col, f, literal, null, project, star, text, try_cast, when,
    window,
};
use crate::funcs::{self, time};
use crate::types::{self, held};

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
                format!("`{}` depends on the order of rows", call.func().def().path),
            )
            .with_hint("add `.over(order_by=...)`")),
        }
    }

    /// Whether rows have an order here.
    pub(crate) fn has_order(&self) -> bool {
        matches!(&self.scope, Scope::Over { order, .. } if !order.is_empty())
    }

    /// Conversion to a type of the contract.
    ///
    /// # Errors
    /// `UnsupportedCast`.
    pub(crate) fn cast(&mut self, value: &Val, to: &DType, strict: bool) -> Result<Val> {
        let wanted = to;
        let to = held(to);
        let convert = |e: Ex, t: &DType| if strict { cast(e, t) } else { try_cast(e, t) };
        let refused = || {
            Error::new(
                ErrorKind::UnsupportedCast,
                format!("{} cannot be cast to {to}", value.t),
            )
        };
        if matches!(to, DType::Unknown) {
            return Ok(value.clone());
        }
        match wanted {
            DType::Categorical | DType::Enum(_)
                if value.t != DType::String && value.t != DType::Null =>
            {
                return Err(Error::new(
                    ErrorKind::UnsupportedCast,
                    format!("{} cannot be cast to {wanted}", value.t),
                ));
            }
            DType::Enum(categories) => {
                let value = self.share(value.clone());
                let mut members = vec![value.e.clone()];
                members.extend(categories.iter().map(|category| text(category)));
                let member = if categories.is_empty() {
                    dsl::boolean(false)
                } else {
                    f("in", members)
                };
                let outside = if strict {
                    funcs::raise(
                        ErrorKind::ConversionFailed,
                        "a text is not among the categories of the enum",
                    )
                } else {
                    dsl::null_of(&DType::String)?
                };
                let branches = [
                    (dsl::is_null(value.e.clone()), value.e.clone()),
                    (member, value.e.clone()),
                ];
                return Ok(value.map(when(branches, Some(outside)), DType::String));
            }
            DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64
                if value.t != to || !value.constant =>
            {
                return self.unsigned(value, wanted, &to, strict);
            }
            _ => {}
        }
        if value.t == to {
            return Ok(value.clone());
        }
        let us = |e: Ex| f("unix_micros", [e]);
        let e = match (&value.t, &to) {
            (
                DType::Datetime {
                    zone: Some(zone), ..
                },
                DType::Datetime { zone: None, .. },
            ) => time::local(value.e.clone(), zone)?,
            (
                DType::Datetime {
                    zone: Some(zone), ..
                },
                DType::Date | DType::String | DType::Time,
            ) => {
                let local = value.map(time::local(value.e.clone(), zone)?, DType::datetime());
                return self.cast(&local, &to, strict);
            }
            (
                DType::Datetime { zone: None, .. } | DType::Date | DType::String,
                DType::Datetime { zone: Some(_), .. },
            ) => convert(value.e.clone(), &types::zoned(types::UTC))?,
            (
                DType::Datetime { .. } | DType::Date | DType::Duration(_) | DType::Time,
                DType::Decimal { .. },
            ) => {
                return Err(refused());
            }
            (DType::Datetime { zone, .. }, to) if to.is_numeric() => {
                let instant = if zone.is_some() {
                    value.e.clone()
                } else {
                    cast(value.e.clone(), &types::zoned(types::UTC))?
                };
                convert(us(instant), to)?
            }
            (from, DType::Time) if from.is_integer() => {
                let nanos =
                    self.share(value.map(cast(value.e.clone(), &DType::Int64)?, DType::Int64));
                let at = f(
                    "timestamp_micros",
                    [f("div", [nanos.e.clone(), dsl::long(1_000)])],
                );
                let clock = cast(cast(at, &DType::datetime())?, &DType::Time)?;
                let day = dsl::long(86_400_000_000_000);
                let outside = dsl::or(
                    f("<", [nanos.e.clone(), dsl::long(0)]),
                    f(">=", [nanos.e.clone(), day]),
                );
                let failed = if strict {
                    funcs::raise(
                        ErrorKind::ConversionFailed,
                        "a number is no time of day in nanoseconds",
                    )
                } else {
                    dsl::null_of(&DType::Time)?
                };
                return Ok(nanos.map(dsl::iff(outside, failed, clock), DType::Time));
            }
            (DType::Time, to) if to.is_integer() => {
                let moment = f(
                    "concat",
                    [text("1970-01-01 "), cast(value.e.clone(), &DType::String)?],
                );
                let at = cast(cast(moment, &DType::datetime())?, &types::zoned(types::UTC))?;
                convert(f("*", [us(at), dsl::long(1_000)]), to)?
            }
            (from, DType::Date | DType::Datetime { .. } | DType::Duration(_))
                if from.is_float() =>
            {
                let whole = value.map(convert(value.e.clone(), &DType::Int64)?, DType::Int64);
                return self.cast(&whole, wanted, strict);
            }
            (from, DType::Binary) if from.is_numeric() || matches!(from, DType::Boolean) => {
                cast(cast(value.e.clone(), &DType::String)?, &to)?
            }
            (from, DType::Datetime { zone, .. }) if from.is_integer() => {
                let counted = scaled(cast(value.e.clone(), &DType::Int64)?, wanted);
                let instant = f("timestamp_micros", [counted]);
                if zone.is_some() {
                    instant
                } else {
                    cast(instant, &DType::datetime())?
                }
            }
            (DType::Date, to) if to.is_numeric() => convert(f("unix_date", [value.e.clone()]), to)?,
            (from, DType::Date) if from.is_integer() => f(
                "date_from_unix_date",
                [cast(value.e.clone(), &DType::Int32)?],
            ),
            (DType::Duration(_), to) if to.is_numeric() => {
                convert(time::micros(value.e.clone())?, to)?
            }
            (from, DType::Duration(_)) if from.is_integer() => {
                time::duration(scaled(cast(value.e.clone(), &DType::Int64)?, wanted))
            }
            (DType::Duration(_), DType::String) => return Err(refused()),
            (DType::Binary, DType::String) => {
                let name = if strict {
                    "validate_utf8"
                } else {
                    "try_validate_utf8"
                };
                f(name, [cast(value.e.clone(), &to)?])
            }
            (DType::Duration(_), DType::Duration(_)) => value.e.clone(),
            (DType::Datetime { .. }, DType::Datetime { .. }) => value.e.clone(),
            (DType::Boolean, DType::Decimal { .. }) => {
                convert(cast(value.e.clone(), &DType::Int32)?, &to)?
            }
            (DType::String, DType::Boolean | DType::Binary) | (DType::Boolean, DType::String) => {
                convert(value.e.clone(), &to)?
            }
            (DType::String, DType::Duration(_))
            | (DType::Date, DType::Time | DType::Duration(_)) => {
                return Err(refused());
            }
            (from, DType::Date | DType::Datetime { .. } | DType::Duration(_) | DType::Time)
                if from.is_numeric() || matches!(from, DType::Boolean | DType::Binary) =>
            {
                return Err(refused());
            }
            (from, DType::Boolean) if from.is_float() => {
                // Spark's own conversion takes NaN for true as well; both are the same here.
                convert(value.e.clone(), &to)?
            }
            (from, to) if from.is_float() && to.is_integer() && strict => {
                convert(value.e.clone(), to)?
            }
            (DType::List(_), DType::List(_)) | (DType::Struct(_), DType::Struct(_)) => {
                convert(value.e.clone(), &to)?
            }
            (DType::List(_) | DType::Struct(_) | DType::Map(..), DType::String) => {
                return Err(refused());
            }
            _ => convert(value.e.clone(), &to)?,
        };
        Ok(value.map(e, to))
    }
}

impl Lw<'_> {
    /// A number that must not be negative, nor greater than the type holds.
    fn unsigned(&mut self, value: &Val, wanted: &DType, to: &DType, strict: bool) -> Result<Val> {
        let most: i128 = match wanted {
            DType::UInt8 => u8::MAX.into(),
            DType::UInt16 => u16::MAX.into(),
            DType::UInt32 => u32::MAX.into(),
            _ => u64::MAX.into(),
        };
        let wide = self.cast(value, to, strict)?;
        let wide = self.share(wide);
        let most = constant(&Scalar::Int(most))?;
        let outside = dsl::or(
            f("<", [wide.e.clone(), dsl::int(0)]),
            f(">", [wide.e.clone(), most.e]),
        );
        let failed = if strict {
            funcs::raise(
                ErrorKind::ConversionFailed,
                "a number does not fit into an unsigned type",
            )
        } else {
            dsl::null_of(to)?
        };
        Ok(wide.map(dsl::iff(outside, failed, wide.e.clone()), to.clone()))
    }
}

/// A count in the unit of a type as microseconds.
fn scaled(count: Ex, t: &DType) -> Ex {
    use laktory_core::TimeUnit::{Millisecond, Nanosecond, Second};
    let unit = match t {
        DType::Datetime { unit, .. } | DType::Duration(unit) => *unit,
        _ => return count,
    };
    match unit {
        Second => f("*", [count, dsl::long(1_000_000)]),
        Millisecond => f("*", [count, dsl::long(1_000)]),
        Nanosecond => {
            let rest = f("pmod", [count.clone(), dsl::long(1_000)]);
            f("div", [f("-", [count, rest]), dsl::long(1_000)])
        }
        _ => count,
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

/// A constant. Integers are 32 bits wide if that suffices.
pub(crate) fn constant(value: &Scalar) -> Result<Val> {
    let (e, t) = scalar(value)?;
    let mut value = Val::of(e, t, &[]);
    value.constant = true;
    Ok(value)
}

fn scalar(value: &Scalar) -> Result<(Ex, DType)> {
    let micros = |value: i64, unit: laktory_core::TimeUnit| -> Result<i64> {
        use laktory_core::TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
        match unit {
            Second => value.checked_mul(1_000_000),
            Millisecond => value.checked_mul(1_000),
            Microsecond => Some(value),
            Nanosecond => Some(value.div_euclid(1_000)),
        }
        .ok_or_else(|| {
            Error::new(
                ErrorKind::OutOfBounds,
                "a constant lies outside of the range of time",
            )
        })
    };
    Ok(match value {
        Scalar::Null => (null(), DType::Null),
        Scalar::Bool(value) => (dsl::boolean(*value), DType::Boolean),
        Scalar::Int(value) => match (i32::try_from(*value), i64::try_from(*value)) {
            (Ok(value), _) => (dsl::int(value), DType::Int32),
            (_, Ok(value)) => (dsl::long(value), DType::Int64),
            _ => {
                let t = DType::Decimal {
                    precision: Some(38),
                    scale: 0,
                };
                (cast(text(&value.to_string()), &t)?, t)
            }
        },
        Scalar::Float(value) => (dsl::double(*value), DType::Float64),
        Scalar::Str(value) => (text(value), DType::String),
        Scalar::Bytes(value) => (
            literal(LiteralType::Binary(value.clone().into())),
            DType::Binary,
        ),
        Scalar::Date(days) => (literal(LiteralType::Date(*days)), DType::Date),
        Scalar::Time(nanos) => {
            let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
            let clock = format!(
                "{:02}:{:02}:{:02}.{:06}",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60,
                fraction / 1000
            );
            (cast(text(&clock), &DType::Time)?, DType::Time)
        }
        Scalar::Datetime { value, unit, zone } => {
            let value = micros(*value, *unit)?;
            match zone {
                Some(zone) => (literal(LiteralType::Timestamp(value)), types::zoned(zone)),
                None => (literal(LiteralType::TimestampNtz(value)), DType::datetime()),
            }
        }
        Scalar::Duration { value, unit } => (
            literal(LiteralType::DayTimeInterval(micros(*value, *unit)?)),
            DType::Duration(laktory_core::TimeUnit::Microsecond),
        ),
        Scalar::List(values) => {
            let values = values.iter().map(scalar).collect::<Result<Vec<_>>>()?;
            let mut t = DType::Null;
            for (_, other) in &values {
                t = common(&t, other).ok_or_else(|| {
                    Error::new(
                        ErrorKind::TypeMismatch,
                        format!("{t} and {other} stand in one list"),
                    )
                })?;
            }
            let items = values
                .into_iter()
                .map(|(e, own)| if own == t { Ok(e) } else { cast(e, &t) })
                .collect::<Result<Vec<_>>>()?;
            (f("array", items), DType::List(Box::new(t)))
        }
        _ => return Err(Error::unsupported("this kind of constant")),
    })
}

/// The type that holds values of two types; none when they do not go together.
pub(crate) fn common(a: &DType, b: &DType) -> Option<DType> {
    if a == b {
        return Some(a.clone());
    }
    Some(match (a, b) {
        (DType::Null, other) | (other, DType::Null) => other.clone(),
        (DType::Unknown, _) | (_, DType::Unknown) => DType::Unknown,
        (DType::Boolean, other) | (other, DType::Boolean) if other.is_numeric() => other.clone(),
        (a, b) if a.is_integer() && b.is_integer() => {
            if width(a) >= width(b) {
                a.clone()
            } else {
                b.clone()
            }
        }
        (DType::Decimal { .. }, other) | (other, DType::Decimal { .. }) if other.is_float() => {
            DType::Float64
        }
        (
            DType::Decimal {
                precision: p,
                scale: s,
            },
            DType::Decimal {
                precision: q,
                scale: r,
            },
        ) => {
            let scale = (*s).max(*r);
            let whole = (p.unwrap_or(38) - *s).max(q.unwrap_or(38) - *r);
            DType::Decimal {
                precision: Some((whole + scale).min(38)),
                scale,
            }
        }
        (DType::Decimal { precision, scale }, other)
        | (other, DType::Decimal { precision, scale })
            if other.is_integer() =>
        {
            let whole = (precision.unwrap_or(38) - *scale).max(digits(other));
            DType::Decimal {
                precision: Some((whole + *scale).min(38)),
                scale: *scale,
            }
        }
        (a, b) if a.is_numeric() && b.is_numeric() => DType::Float64,
        (DType::Date, DType::Datetime { .. }) => b.clone(),
        (DType::Datetime { .. }, DType::Date) => a.clone(),
        (DType::Datetime { zone: Some(_), .. }, DType::Datetime { zone: Some(_), .. }) => a.clone(),
        (DType::List(a), DType::List(b)) => DType::List(Box::new(common(a, b)?)),
        (DType::Struct(a), DType::Struct(b)) if a.len() == b.len() => DType::Struct(
            a.iter()
                .zip(b)
                .map(|(a, b)| {
                    (a.name == b.name)
                        .then(|| common(&a.dtype, &b.dtype).map(|t| Field::new(a.name.as_str(), t)))
                        .flatten()
                })
                .collect::<Option<_>>()?,
        ),
        (DType::String, other) | (other, DType::String)
            if other.is_numeric()
                || matches!(other, DType::Boolean | DType::Date | DType::Datetime { .. }) =>
        {
            DType::String
        }
        _ => return None,
    })
}

fn width(t: &DType) -> u8 {
    match t {
        DType::Int8 => 1,
        DType::Int16 => 2,
        DType::Int32 => 4,
        _ => 8,
    }
}

fn digits(t: &DType) -> u8 {
    match t {
        DType::Int8 => 3,
        DType::Int16 => 5,
        DType::Int32 => 10,
        _ => 19,
    }
}
