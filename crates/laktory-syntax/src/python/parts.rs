//! What a Python text was read as, part by part.

use laktory_core::{Expr, Scalar};
use ruff_python_ast as ast;
use ruff_text_size::Ranged;

use super::fault::At;
use super::value::{Item, Value};
use crate::written::Part;

/// Parts with the number of the text that each is of.
#[derive(Debug, Default)]
pub(crate) struct Parts(pub(crate) Vec<(u32, Part)>);

impl Parts {
    /// A node of the tree and what became of it.
    pub(crate) fn node(&mut self, node: &ast::Expr, item: &Item, text: u32) {
        let at = At::new(text, node.range());
        match &item.value {
            Value::Str(name) => {
                if let ast::Expr::StringLiteral(literal) = node {
                    self.name(name, inside(literal, at));
                }
            }
            value => {
                if let Value::Int(number) = value {
                    self.name(&number.to_string(), at);
                }
                if let Some(expr) = expression(value) {
                    let word = At::new(text, word(node));
                    let part = Part::expr(expr, at.range(), word.range());
                    self.0.push((text, part));
                }
            }
        }
    }

    /// What operators made of the nodes of a chain.
    pub(crate) fn operation(&mut self, item: &Item) {
        if let Some(expr) = expression(&item.value) {
            let part = Part::expr(expr, item.at.range(), item.at.range());
            self.0.push((item.at.text, part));
        }
    }

    /// A word that may be a name.
    pub(crate) fn name(&mut self, name: &str, at: At) {
        self.0.push((at.text, Part::name(name, at.range())));
    }

    /// The parts of a text inside of another one.
    pub(crate) fn nested(&mut self, parts: Vec<Part>, text: u32, start: usize) {
        let moved = parts.into_iter().map(|part| (text, part.behind(start)));
        self.0.extend(moved);
    }

    /// Arguments that are SQL have parts of their own.
    pub(crate) fn call(&mut self, name: &str, args: &[Item]) {
        if !name.ends_with(".sql_expr") && name != "F.expr" {
            return;
        }
        for item in args {
            if let Value::Str(sql) = &item.value
                && let Some(start) = start_of_text(sql, item.at)
            {
                self.nested(crate::sql::parts(sql), item.at.text, start);
            }
        }
    }
}

fn expression(value: &Value) -> Option<Expr> {
    Some(match value {
        Value::Expr(expr) => expr.clone(),
        Value::Int(number) => Expr::Literal(Scalar::Int(*number)),
        Value::Float(number) => Expr::Literal(Scalar::Float(*number)),
        Value::Bool(truth) => Expr::Literal(Scalar::Bool(*truth)),
        Value::Selector(selector) => Expr::Columns(selector.clone()),
        Value::When(when) if when.pending.is_none() => Expr::When {
            branches: when.branches.clone(),
            otherwise: None,
        },
        _ => return None,
    })
}

/// The word that says what a node is.
fn word(node: &ast::Expr) -> ruff_text_size::TextRange {
    match node {
        ast::Expr::Call(call) => name_of(&call.func),
        other => other.range(),
    }
}

/// The name of a function or method that is called.
pub(crate) fn name_of(function: &ast::Expr) -> ruff_text_size::TextRange {
    match function {
        ast::Expr::Attribute(attribute) => attribute.attr.range(),
        function => function.range(),
    }
}

/// The text between the quotes, where it stands there as it is.
fn inside(literal: &ast::ExprStringLiteral, at: At) -> At {
    let text = literal.value.to_str();
    match start_of_text(text, at) {
        Some(start) => {
            let start = u32::try_from(start).unwrap_or(at.start);
            let length = u32::try_from(text.len()).unwrap_or_default();
            At {
                start,
                end: start + length,
                ..at
            }
        }
        None => at,
    }
}

/// Where the text of a literal starts that has one quote at each end, and no escapes.
pub(crate) fn start_of_text(text: &str, at: At) -> Option<usize> {
    let range = at.range();
    (range.len() == text.len() + 2).then_some(range.start + 1)
}
