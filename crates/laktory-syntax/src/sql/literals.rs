//! SQL constants: numbers, texts, dates, and arguments that must be constants.

use laktory_core::{Expr, Scalar};
use sqlparser::ast::{self, Value};

use super::lower::{Lower, Result};
use super::types;

impl Lower<'_> {
    pub(super) fn value(&self, value: &Value, node: &ast::Expr) -> Result<Scalar> {
        Ok(match value {
            Value::Number(digits, _) => match digits.replace('_', "").parse::<i128>() {
                Ok(value) => Scalar::Int(value),
                Err(_) => match digits.replace('_', "").parse::<f64>() {
                    Ok(value) if digits.contains(['.', 'e', 'E']) && value.is_finite() => {
                        Scalar::Float(value)
                    }
                    _ => return Err(vec![self.invalid("the number is too large", node)]),
                },
            },
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::UnicodeStringLiteral(text)
            | Value::NationalStringLiteral(text)
            | Value::DoubleQuotedString(text)
            | Value::SingleQuotedRawStringLiteral(text) => Scalar::Str(text.clone()),
            Value::Boolean(value) => Scalar::Bool(*value),
            Value::Null => Scalar::Null,
            // `0x1F` is a number, `X'1F'` are bytes.
            Value::HexStringLiteral(digits) if self.source_of(node).starts_with("0x") => {
                match i128::from_str_radix(digits, 16) {
                    Ok(value) => Scalar::Int(value),
                    Err(_) => {
                        return Err(vec![self.invalid("not a hexadecimal number", node)]);
                    }
                }
            }
            Value::HexStringLiteral(digits) => match bytes(digits) {
                Some(bytes) => Scalar::Bytes(bytes),
                None => return Err(vec![self.invalid("not hexadecimal digits", node)]),
            },
            Value::Placeholder(name) => {
                return self.unsupported(&format!("the parameter `{name}`"), node);
            }
            _ => return self.unsupported("this literal is not supported", node),
        })
    }

    /// A text constant.
    pub(super) fn text(&self, node: &ast::Expr) -> Result<String> {
        match self.expr(node)? {
            Expr::Literal(Scalar::Str(text)) => Ok(text),
            _ => Err(vec![self.error("a text constant is wanted here", node)]),
        }
    }

    /// An integer constant.
    pub(super) fn integer(&self, node: &ast::Expr) -> Result<i64> {
        match self.expr(node)? {
            Expr::Literal(Scalar::Int(value)) => i64::try_from(value)
                .map_err(|_| vec![self.invalid("the number is out of range", node)]),
            _ => Err(vec![self.error("an integer constant is wanted here", node)]),
        }
    }

    pub(super) fn typed(&self, typed: &ast::TypedString, node: &ast::Expr) -> Result<Expr> {
        let text = match &typed.value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.as_str(),
            _ => return self.unsupported("this literal is not supported", node),
        };
        let Some(to) = types::dtype(&typed.data_type) else {
            return self.unsupported(
                &format!("the type `{}` is not known", typed.data_type),
                node,
            );
        };
        let scalar = crate::datetime::scalar(text, &to);
        match scalar {
            Some(scalar) => Ok(Expr::Literal(scalar)),
            None => Err(vec![
                self.invalid(format!("`{text}` is not a {}", typed.data_type), node)
                    .hint("such as `DATE '2024-01-31'` or `TIMESTAMP '2024-01-31 12:00:00'`"),
            ]),
        }
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|index| u8::from_str_radix(&digits[index..index + 2], 16).ok())
        .collect()
}
