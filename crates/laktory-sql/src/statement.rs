//! The text of a statement read by the grammar.

use std::ops::ControlFlow;

use laktory_core::{FrameName, SqlTemplate};
use sqlparser::ast::{
    BinaryOperator, Expr, JoinConstraint, JoinOperator, OrderByExpr, OrderByKind, Query, Select,
    SetExpr, SetOperator, SetQuantifier, Statement, VisitMut, VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserOptions};

use crate::fault::{Planned, beyond};

/// A statement, with private names in the place of its frames.
pub(crate) struct Parsed {
    pub(crate) text: String,
    pub(crate) query: Query,
    frames: Vec<FrameName>,
}

impl Parsed {
    /// Parses the statement of a template.
    pub(crate) fn of(template: &SqlTemplate) -> Planned<Self> {
        let frames: Vec<FrameName> = template.frames().into_iter().cloned().collect();
        let text = template
            .render(|name| {
                let at = frames.iter().position(|known| known == name).unwrap_or(0);
                format!("\"{}\"", relation(at))
            })
            .text;
        let options = ParserOptions {
            trailing_commas: true,
            ..ParserOptions::default()
        };
        let statements = Parser::new(&GenericDialect)
            .with_options(options)
            .try_with_sql(&text)
            .and_then(|mut parser| parser.parse_statements());
        let Ok([Statement::Query(query)]) = statements.as_deref() else {
            return beyond("text that is no one SELECT statement");
        };
        let mut query = (**query).clone();
        let _ = query.visit(&mut Distinct);
        Ok(Self {
            text,
            query,
            frames,
        })
    }

    /// The frame that a private name stands for.
    pub(crate) fn frame(&self, private: &str) -> Option<&FrameName> {
        let at = (0..self.frames.len()).find(|at| relation(*at) == private)?;
        self.frames.get(at)
    }
}

/// Whether a statement has parts about which the planners of engines differ, or that some do not have: sub-queries in
/// expressions, keys that USING or NATURAL makes one, orders by a qualified name, and set operations that count duplicates.
#[must_use]
pub fn is_delicate(template: &SqlTemplate) -> bool {
    let Ok(mut parsed) = Parsed::of(template) else {
        return false;
    };
    let mut delicate = Delicate(false);
    let _ = parsed.query.visit(&mut delicate);
    delicate.0
}

struct Delicate(bool);

impl VisitorMut for Delicate {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.0 |= matches!(
            expr,
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. }
        );
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        // An alias may hide the column that `ORDER BY t.x` means.
        let qualified = |key: &OrderByExpr| matches!(key.expr, Expr::CompoundIdentifier(_));
        if let Some(OrderByKind::Expressions(keys)) = query.order_by.as_ref().map(|by| &by.kind) {
            self.0 |= keys.iter().any(qualified);
        }
        self.0 |= counts_duplicates(&query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let joins = select.from.iter().flat_map(|table| &table.joins);
        self.0 |= joins.map(|join| &join.join_operator).any(merges);
        ControlFlow::Continue(())
    }
}

fn counts_duplicates(body: &SetExpr) -> bool {
    match body {
        SetExpr::SetOperation {
            left,
            op,
            set_quantifier,
            right,
        } => {
            (*op != SetOperator::Union && *set_quantifier == SetQuantifier::All)
                || counts_duplicates(left)
                || counts_duplicates(right)
        }
        _ => false,
    }
}

/// Whether a join makes one column of two.
fn merges(operator: &JoinOperator) -> bool {
    use JoinOperator as J;
    let (J::Join(on)
    | J::Inner(on)
    | J::Left(on)
    | J::LeftOuter(on)
    | J::Right(on)
    | J::RightOuter(on)
    | J::FullOuter(on)) = operator
    else {
        return false;
    };
    matches!(on, JoinConstraint::Using(_) | JoinConstraint::Natural)
}

/// The private name of the frame at a position.
fn relation(at: usize) -> String {
    format!("__laktory_frame_{at}__")
}

/// `a IS DISTINCT FROM b AND c` is `(a IS DISTINCT FROM b) AND c`; the grammar takes all that follows for the second
/// operand.
struct Distinct;

impl VisitorMut for Distinct {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) = expr
            && is_logical(right)
        {
            let mut whole = std::mem::replace(&mut **right, Expr::Tuple(Vec::new()));
            let mut first = &mut whole;
            while is_logical(first) {
                let Expr::BinaryOp { left, .. } = first else {
                    break;
                };
                first = left;
            }
            std::mem::swap(&mut **right, first);
            let test = std::mem::replace(expr, Expr::Tuple(Vec::new()));
            *first = test;
            *expr = whole;
        }
        ControlFlow::Continue(())
    }
}

fn is_logical(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::BinaryOp {
            op: BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor,
            ..
        }
    )
}
