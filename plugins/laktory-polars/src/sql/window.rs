//! Window functions with an order, handed to [`super::frames`]: polars-sql counts rows where SQL counts peers, and knows
//! neither moving frames nor several of the functions.

use std::ops::ControlFlow;

use laktory_core::{Error, ErrorKind, Result};
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, NamedWindowExpr,
    NullTreatment, OrderByExpr, Query, Select, SelectItem, UnaryOperator, Value, Visit, VisitMut,
    Visitor, VisitorMut, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};

use super::frame_spec::{Bound, Key, Spec, Unit};
use super::rewrite::{call, case};

/// Functions of a frame.
const FRAMED: &[&str] = &[
    "avg",
    "count",
    "first_value",
    "last_value",
    "max",
    "min",
    "nth_value",
    "sum",
];
/// Functions of the order alone, which polars-sql has for plain orders.
const PLAIN: &[&str] = &["dense_rank", "lag", "lead", "rank", "row_number"];
/// Functions of the order alone, which polars-sql lacks.
const ORDERED: &[&str] = &["cume_dist", "ntile", "percent_rank"];

/// Writes the windows that a statement names where they are used.
pub(super) fn inline_names(select: &mut Select) {
    if select.named_window.is_empty() {
        return;
    }
    let mut known: Vec<(String, WindowSpec)> = Vec::new();
    for definition in std::mem::take(&mut select.named_window) {
        let spec = match definition.1 {
            NamedWindowExpr::WindowSpec(spec) => Some(spec),
            NamedWindowExpr::NamedWindow(other) => known
                .iter()
                .find(|(name, _)| *name == other.value)
                .map(|(_, spec)| spec.clone()),
        };
        if let Some(spec) = spec {
            known.push((definition.0.value, spec));
        }
    }
    let _ = select.visit(&mut Names { known, depth: 0 });
}

/// Spreads a window of all rows where a selection holds nothing that has a value for each row: polars-sql takes the window
/// for an aggregate, and would give one row. One with a partition gives all of them, and the others follow.
pub(super) fn spread(select: &mut Select) {
    let is_ungrouped =
        matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let mut spread = Spread::default();
    for item in &mut select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                let _ = expr.visit(&mut spread);
            }
            _ => spread.has_rows = true,
        }
    }
    if is_ungrouped && !spread.has_rows && spread.windows > 0 {
        spread.apply = true;
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                let _ = expr.visit(&mut spread);
            }
        }
    }
}

/// Windows of all rows outside of subqueries, and whether there is anything else than these that has a value for each row.
#[derive(Default)]
struct Spread {
    apply: bool,
    windows: usize,
    has_rows: bool,
    /// How deep in subqueries, and in windows of all rows.
    queries: usize,
    inside: usize,
}

impl Spread {
    fn whole<'e>(&self, expr: &'e mut Expr) -> Option<&'e mut WindowSpec> {
        let Expr::Function(function) = expr else {
            return None;
        };
        match &mut function.over {
            Some(WindowType::WindowSpec(spec))
                if self.queries == 0
                    && spec.partition_by.is_empty()
                    && spec.order_by.is_empty()
                    && spec.window_frame.is_none() =>
            {
                Some(spec)
            }
            _ => None,
        }
    }
}

impl VisitorMut for Spread {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let apply = self.apply;
        if let Some(spec) = self.whole(expr) {
            if apply {
                spec.partition_by.push(super::rewrite::number("1"));
                return ControlFlow::Break(());
            }
            self.windows += 1;
            self.inside += 1;
        } else if self.queries == 0 && self.inside == 0 {
            self.has_rows |= match expr {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => true,
                Expr::Function(function) => function.over.is_some(),
                _ => false,
            };
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.whole(expr).is_some() {
            self.inside = self.inside.saturating_sub(1);
        }
        ControlFlow::Continue(())
    }
}

/// Whether an expression holds a window function, those of its subqueries left out.
pub(super) fn is_in(expr: &Expr) -> bool {
    /// How deep in subqueries.
    struct Found(usize);
    impl Visitor for Found {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0 -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) if function.over.is_some() && self.0 == 0 => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Found(0)).is_break()
}

struct Names {
    known: Vec<(String, WindowSpec)>,
    depth: usize,
}

impl VisitorMut for Names {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        if let Expr::Function(function) = expr {
            let find = |name: &str| {
                let (_, spec) = self.known.iter().find(|(known, _)| known == name)?;
                Some(spec.clone())
            };
            match &mut function.over {
                Some(WindowType::NamedWindow(name)) => {
                    if let Some(spec) = find(&name.value) {
                        function.over = Some(WindowType::WindowSpec(spec));
                    }
                }
                Some(WindowType::WindowSpec(spec)) => {
                    if let Some(base) = spec.window_name.as_ref().and_then(|name| find(&name.value))
                    {
                        spec.window_name = None;
                        if spec.partition_by.is_empty() {
                            spec.partition_by = base.partition_by;
                        }
                        if spec.order_by.is_empty() {
                            spec.order_by = base.order_by;
                        }
                    }
                }
                None => {}
            }
        }
        ControlFlow::Continue(())
    }
}

/// The call that computes a window function, where polars-sql would not.
///
/// # Errors
/// `Unsupported` for frames and functions that neither has.
pub(super) fn rewritten(function: &Function) -> Result<Option<Expr>> {
    let Some(WindowType::WindowSpec(window)) = &function.over else {
        return Ok(None);
    };
    let name = function.name.to_string().to_lowercase();
    let framed = FRAMED.contains(&name.as_str());
    if !framed && !PLAIN.contains(&name.as_str()) && !ORDERED.contains(&name.as_str()) {
        if window.window_frame.is_some() || !window.order_by.is_empty() {
            return Err(unsupported(&format!(
                "`{}` over an ordered window is not available on backend POLARS",
                name.to_uppercase()
            )));
        }
        return Ok(None);
    }
    // A whole partition in no order, and simple ranks, are the engine's own, and fast.
    if framed && window.order_by.is_empty() && window.window_frame.is_none() {
        return Ok(None);
    }
    let (mut args, distinct) = arguments(function)?;
    let ignore_nulls = ignores_nulls(function);
    let plain = |key: &OrderByExpr| key.options.nulls_first.is_none();
    let descending = |key: &OrderByExpr| key.options.asc == Some(false);
    if PLAIN.contains(&name.as_str())
        && args.len() < 3
        && !ignore_nulls
        && window.order_by.iter().all(plain)
        && window.order_by.len() == 1
    {
        return Ok(None);
    }
    if distinct {
        return Err(unsupported(
            "DISTINCT in an ordered window is not available on backend POLARS",
        ));
    }
    if let Some(condition) = &function.filter {
        let one = args.pop().unwrap_or_else(|| super::rewrite::number("1"));
        let null = Expr::Value(Value::Null.into());
        args.push(case((**condition).clone(), one, null));
    }
    let (unit, start, end) = frame(window.window_frame.as_ref(), !window.order_by.is_empty())?;
    let spec = Spec {
        func: name,
        args: args.len(),
        orders: window
            .order_by
            .iter()
            .map(|key| Key {
                descending: descending(key),
                nulls_last: !key.options.nulls_first.unwrap_or(false),
            })
            .collect(),
        unit,
        start,
        end,
        ignore_nulls,
    };
    args.extend(window.partition_by.iter().cloned());
    args.extend(window.order_by.iter().map(|key| key.expr.clone()));
    if args.is_empty() {
        return Err(unsupported(
            "a frame without ORDER BY is not available on backend POLARS",
        ));
    }
    Ok(Some(call(&spec.name(), args)))
}

fn unsupported(why: &str) -> Error {
    Error::unsupported(why)
}

fn ignores_nulls(function: &Function) -> bool {
    let clause = match &function.args {
        FunctionArguments::List(list) => list.clauses.iter().any(|clause| {
            matches!(
                clause,
                sqlparser::ast::FunctionArgumentClause::IgnoreOrRespectNulls(
                    NullTreatment::IgnoreNulls
                )
            )
        }),
        _ => false,
    };
    clause || function.null_treatment == Some(NullTreatment::IgnoreNulls)
}

/// The arguments, none for a star; and whether they are distinct.
fn arguments(function: &Function) -> Result<(Vec<Expr>, bool)> {
    let FunctionArguments::List(list) = &function.args else {
        return Ok((Vec::new(), false));
    };
    let mut args = Vec::new();
    for arg in &list.args {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => args.push(expr.clone()),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => {}
            _ => return Err(unsupported("named arguments of a window function")),
        }
    }
    let distinct = list.duplicate_treatment == Some(sqlparser::ast::DuplicateTreatment::Distinct);
    Ok((args, distinct))
}

/// Unit and ends of a frame; without one it ends with the current row's peers, or holds the whole partition.
fn frame(frame: Option<&WindowFrame>, ordered: bool) -> Result<(Unit, Bound, Bound)> {
    let Some(frame) = frame else {
        let end = if ordered {
            Bound::Offset(0)
        } else {
            Bound::Unbounded
        };
        return Ok((Unit::Groups, Bound::Unbounded, end));
    };
    let bound = |bound: &WindowFrameBound, first: bool| match bound {
        WindowFrameBound::CurrentRow => Ok(Bound::Offset(0)),
        WindowFrameBound::Preceding(None) if first => Ok(Bound::Unbounded),
        WindowFrameBound::Following(None) if !first => Ok(Bound::Unbounded),
        WindowFrameBound::Preceding(Some(by)) => distance(by).map(|by| Bound::Offset(-by)),
        WindowFrameBound::Following(Some(by)) => distance(by).map(Bound::Offset),
        _ => Err(Error::new(
            ErrorKind::SqlSyntax,
            "a frame begins with UNBOUNDED PRECEDING and ends with UNBOUNDED FOLLOWING, not the other way round",
        )),
    };
    let start = bound(&frame.start_bound, true)?;
    let end = match &frame.end_bound {
        Some(end) => bound(end, false)?,
        None => Bound::Offset(0),
    };
    let unit = match frame.units {
        WindowFrameUnits::Rows => Unit::Rows,
        WindowFrameUnits::Groups => Unit::Groups,
        WindowFrameUnits::Range => {
            let moves = |bound| matches!(bound, Bound::Offset(by) if by != 0);
            if moves(start) || moves(end) {
                return Err(unsupported(
                    "RANGE with a distance is not available on backend POLARS",
                )
                .with_hint("count rows with ROWS, or peers with GROUPS"));
            }
            Unit::Groups
        }
    };
    Ok((unit, start, end))
}

fn distance(expr: &Expr) -> Result<i64> {
    let number = match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp {
            op: UnaryOperator::Plus,
            expr,
        } => return distance(expr),
        _ => None,
    };
    number.ok_or_else(|| {
        Error::new(
            ErrorKind::SqlSyntax,
            format!("the distance of a frame is a whole number, not `{expr}`"),
        )
    })
}
