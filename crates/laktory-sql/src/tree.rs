//! Expressions of the parser, looked at and changed in place. A sub-query is one leaf: what is inside of it belongs to
//! another scope.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, Ident, Query, Spanned, UnaryOperator, VisitMut, VisitorMut,
};

use sqlparser::tokenizer::Span;

use crate::fault::Planned;

/// The quote of an identifier that is resolved: its value is the name of a column of the frame.
const RESOLVED: char = '\u{1}';

/// An identifier that names a column of the frame, at the place of what it stands for.
pub(crate) fn resolved(id: &str, like: &Expr) -> Expr {
    Expr::Identifier(Ident {
        value: id.to_owned(),
        quote_style: Some(RESOLVED),
        span: like.span(),
    })
}

/// An identifier that names a column of the frame, and stands nowhere in the text.
pub(crate) fn column(id: &str) -> Expr {
    column_at(id, Span::empty())
}

/// An identifier that names a column of the frame, and stands at a place.
pub(crate) fn column_at(id: &str, span: Span) -> Expr {
    let mut name = Ident::with_span(span, String::new());
    resolve(&mut name, id.to_owned());
    Expr::Identifier(name)
}

/// The column of the frame that an expression is, once resolved.
pub(crate) fn column_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Identifier(name) if is_resolved(name) => Some(&name.value),
        Expr::Nested(inner) => column_of(inner),
        _ => None,
    }
}

/// Whether an identifier is resolved.
pub(crate) fn is_resolved(name: &Ident) -> bool {
    name.quote_style == Some(RESOLVED)
}

/// Makes an identifier a resolved one.
pub(crate) fn resolve(name: &mut Ident, id: String) {
    name.value = id;
    name.quote_style = Some(RESOLVED);
}

type Visit<'a> = &'a mut dyn FnMut(&mut Expr) -> Planned<()>;

struct Outer<'a> {
    visit: Visit<'a>,
    depth: usize,
}

impl VisitorMut for Outer<'_> {
    type Break = crate::fault::Stop;

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<Self::Break> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Self::Break> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        match (self.visit)(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(stop) => ControlFlow::Break(stop),
        }
    }
}

/// Calls `visit` on an expression and all below it, from the outside in, outside of sub-queries. What `visit` puts in the
/// place of an expression is looked into in its turn.
pub(crate) fn rewrite(expr: &mut Expr, visit: Visit<'_>) -> Planned<()> {
    match expr.visit(&mut Outer { visit, depth: 0 }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(stop) => Err(stop),
    }
}

/// Whether some part of an expression, outside of sub-queries, is such a one.
pub(crate) fn any(expr: &Expr, mut test: impl FnMut(&Expr) -> bool) -> bool {
    let mut found = false;
    let mut copy = expr.clone();
    let outcome = rewrite(&mut copy, &mut |expr| {
        found = found || test(expr);
        Ok(())
    });
    outcome.is_ok() && found
}

/// The columns of frames that a resolved expression names, each once.
pub(crate) fn columns(expr: &Expr) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    any(expr, |expr| {
        let name = match expr {
            Expr::Identifier(name) => Some(name),
            Expr::CompoundIdentifier(parts) => parts.first(),
            _ => None,
        };
        if let Some(name) = name.filter(|name| is_resolved(name))
            && !ids.contains(&name.value)
        {
            ids.push(name.value.clone());
        }
        false
    });
    ids
}

/// The first name of a column of the frame in an expression for which a test holds.
pub(crate) fn column_name(expr: &Expr, mut test: impl FnMut(&str) -> bool) -> Option<Ident> {
    let mut found = None;
    any(expr, |expr| {
        let name = match expr {
            Expr::Identifier(name) => Some(name),
            Expr::CompoundIdentifier(parts) => parts.first(),
            _ => None,
        };
        if let Some(name) = name.filter(|name| is_resolved(name) && test(&name.value)) {
            found.get_or_insert_with(|| name.clone());
        }
        found.is_some()
    });
    found
}

/// The first part of an expression for which a test holds, from the outside in and outside of sub-queries.
pub(crate) fn first(expr: &Expr, mut test: impl FnMut(&Expr) -> bool) -> Option<Expr> {
    let mut found = None;
    any(expr, |expr| {
        if found.is_none() && test(expr) {
            found = Some(expr.clone());
        }
        found.is_some()
    });
    found
}

/// Whether an expression holds a sub-query.
pub(crate) fn has_query(expr: &Expr) -> bool {
    any(expr, |expr| {
        matches!(
            expr,
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. }
        )
    })
}

/// The conditions that hold together.
pub(crate) fn conjuncts(expr: Expr, into: &mut Vec<Expr>) {
    match expr {
        Expr::Nested(inner) if is_and(&inner) => conjuncts(*inner, into),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            conjuncts(*left, into);
            conjuncts(*right, into);
        }
        other => into.push(other),
    }
}

fn is_and(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_and(inner),
        Expr::BinaryOp { op, .. } => *op == BinaryOperator::And,
        _ => false,
    }
}

/// Without the brackets around it.
pub(crate) fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

/// `NOT x`, whatever the brackets.
pub(crate) fn negated(expr: &Expr) -> Option<&Expr> {
    match bare(expr) {
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => Some(expr),
        _ => None,
    }
}

/// What stands for an expression in the text: the name of a call, or else all of it.
pub(crate) fn named(expr: &Expr) -> Expr {
    let span = match expr {
        Expr::Function(function) => function.name.span(),
        other => other.span(),
    };
    column_at("", span)
}

/// The name of a function without a schema, in upper case.
pub(crate) fn function_name(function: &Function) -> String {
    function.name.to_string().to_uppercase()
}
