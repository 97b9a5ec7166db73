//! Scalar SQL expressions, from the parser's tree to the values of the language. The meaning is SQL's: three-valued
//! logic, `%` with the sign of the dividend, aggregates that skip nulls.

use laktory_core::{Arg, Expr, Func, Scalar};
use sqlparser::ast::{
    self, BinaryOperator, CastKind, Spanned, TrimWhereField, UnaryOperator, Value,
};
use sqlparser::dialect::{Dialect, GenericDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::parts::field;
use super::position::{Source, within_bounds};
use super::{calls, types};
use crate::diagnostic::FragmentError;

/// Errors of one text.
pub(super) type Result<T> = std::result::Result<T, Vec<FragmentError>>;

/// The generic dialect, whose identifiers may also stand in back-quotes.
#[derive(Debug)]
struct Scalars(GenericDialect);

impl Dialect for Scalars {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"' || ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_' || ch == '$'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        self.0.supports_filter_during_aggregation()
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }
}

/// Parses a scalar SQL expression (the `filter` of a source, `sql_expr('...')`, an expectation).
///
/// # Errors
/// Text that is not SQL, or SQL that has no counterpart among the expressions, each with its place.
pub fn sql_expression(text: &str) -> Result<Expr> {
    expression(text)
}

/// The same, for use inside of this crate.
pub(crate) fn expression(text: &str) -> Result<Expr> {
    parse(text, false)
}

/// Parses an item of `selects`: a scalar SQL expression that may be renamed with `AS`.
///
/// # Errors
/// As [`sql_expression`].
pub fn sql_projection(text: &str) -> Result<Expr> {
    parse(text, true)
}

fn parse(text: &str, projection: bool) -> Result<Expr> {
    let source = Source { text };
    within_bounds(text).map_err(|error| vec![error])?;
    if text.trim().is_empty() {
        return Err(vec![FragmentError::new(
            "sql-unsupported",
            "the SQL expression is empty",
            0..text.len(),
        )]);
    }
    let dialect = Scalars(GenericDialect {});
    let failed = |error: sqlparser::parser::ParserError| {
        let message = match &error {
            sqlparser::parser::ParserError::ParserError(message)
            | sqlparser::parser::ParserError::TokenizerError(message) => message.clone(),
            sqlparser::parser::ParserError::RecursionLimitExceeded => {
                "expression nested too deeply".to_owned()
            }
        };
        let (message, range) = source.reported(&message);
        let message = message.strip_prefix("Expected: ").map_or_else(
            || message.clone(),
            |rest| format!("expected {rest}").replace(", found: EOF", ", but the text ends"),
        );
        vec![FragmentError::new("sql-unsupported", message, range)]
    };
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(256)
        .try_with_sql(text)
        .map_err(failed)?;
    let tree = parser.parse_expr().map_err(failed)?;
    let lower = Lower {
        source: Source { text },
        calls: std::cell::Cell::new(0),
    };
    let mut expr = lower.expr(&tree)?;
    if projection {
        let named = parser.parse_keyword(sqlparser::keywords::Keyword::AS);
        let next = parser.peek_token();
        if named || matches!(next.token, Token::Word(_)) {
            let name = parser.parse_identifier().map_err(failed)?;
            expr = expr.alias(name.value);
        }
    }
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let range = lower.source.range(next.span);
        let hint = match &next.token {
            Token::Word(word) if word.value.eq_ignore_ascii_case("as") => {
                Some("give the new name as the value of a map: `selects: {x: y}`")
            }
            Token::SemiColon => Some("leave the semicolon out"),
            _ => None,
        };
        let error = FragmentError::new(
            "sql-unsupported",
            format!("`{}` does not belong to the expression", next.token),
            range,
        );
        return Err(vec![match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }]);
    }
    Ok(expr)
}

/// Lowers the trees of one text.
#[derive(Debug)]
pub(super) struct Lower<'a> {
    source: Source<'a>,
    /// Calls that are open, one inside of another.
    calls: std::cell::Cell<usize>,
}

/// Most nodes that copies of one operand may have.
const MAX_COPIES: u64 = 100_000;

/// Both values, or the errors of both.
fn both(a: Result<Expr>, b: Result<Expr>) -> Result<(Expr, Expr)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(mut errors), Err(more)) => {
            errors.extend(more);
            Err(errors)
        }
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
    }
}

fn not(expr: Expr, negated: bool) -> Expr {
    if negated {
        Expr::call(Func::Not, [expr])
    } else {
        expr
    }
}

/// A call with arguments of any kind.
pub(super) fn call(func: Func, args: Vec<Arg>) -> Expr {
    Expr::Call { func, args }
}

impl Lower<'_> {
    /// SQL that has no counterpart here.
    pub(super) fn unsupported<T>(&self, what: &str, node: &impl Spanned) -> Result<T> {
        Err(vec![self.error(what, node)])
    }

    pub(super) fn error(&self, what: &str, node: &impl Spanned) -> FragmentError {
        FragmentError::new("sql-unsupported", what, self.source.range(node.span()))
    }

    pub(super) fn invalid(&self, what: impl Into<String>, node: &impl Spanned) -> FragmentError {
        FragmentError::new("invalid-argument", what, self.source.range(node.span()))
    }

    /// Refuses to copy an expression so often that the result would be huge.
    pub(super) fn copies(&self, expr: &Expr, times: usize, node: &impl Spanned) -> Result<()> {
        let total = laktory_core::walk::size(expr).saturating_mul(times as u64);
        if total <= MAX_COPIES {
            return Ok(());
        }
        let range = self.source.range(node.span());
        Err(vec![
            FragmentError::new("too-large", "the expression does too much work", range)
                .hint("compute the operand in a step before"),
        ])
    }

    /// What a static check found, at the place of `node`.
    pub(super) fn checked(
        &self,
        outcome: std::result::Result<(), FragmentError>,
        node: &impl Spanned,
    ) -> Result<()> {
        outcome.map_err(|error| {
            let range = self.source.range(node.span());
            vec![FragmentError { range, ..error }]
        })
    }

    /// Lowers one expression.
    pub(super) fn expr(&self, node: &ast::Expr) -> Result<Expr> {
        use ast::Expr as Sql;
        Ok(match node {
            Sql::Identifier(name) => Expr::column(name.value.as_str()),
            Sql::CompoundIdentifier(parts) => {
                let mut parts = parts.iter();
                let Some(first) = parts.next() else {
                    return self.unsupported("an empty name", node);
                };
                parts.fold(Expr::column(first.value.as_str()), |expr, part| {
                    field(expr, &part.value)
                })
            }
            Sql::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain)?,
            Sql::Nested(inner) => self.expr(inner)?,
            Sql::Value(value) => Expr::Literal(self.value(&value.value, node)?),
            Sql::TypedString(typed) => self.typed(typed, node)?,
            Sql::IsNull(inner) | Sql::IsUnknown(inner) => {
                Expr::call(Func::IsNull, [self.expr(inner)?])
            }
            Sql::IsNotNull(inner) | Sql::IsNotUnknown(inner) => {
                not(Expr::call(Func::IsNull, [self.expr(inner)?]), true)
            }
            Sql::IsTrue(inner) => Expr::call(Func::SqlIsTrue, [self.expr(inner)?]),
            Sql::IsNotTrue(inner) => not(Expr::call(Func::SqlIsTrue, [self.expr(inner)?]), true),
            Sql::IsFalse(inner) => Expr::call(Func::SqlIsFalse, [self.expr(inner)?]),
            Sql::IsNotFalse(inner) => not(Expr::call(Func::SqlIsFalse, [self.expr(inner)?]), true),
            Sql::IsDistinctFrom(a, b) => not(self.pair(Func::SqlEqNullSafe, a, b)?, true),
            Sql::IsNotDistinctFrom(a, b) => self.pair(Func::SqlEqNullSafe, a, b)?,
            Sql::UnaryOp { op, expr } => self.unary(*op, expr, node)?,
            Sql::BinaryOp { .. } => self.binary(node)?,
            Sql::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let ((expr, low), high) = {
                    let pair = both(self.expr(expr), self.expr(low));
                    match (pair, self.expr(high)) {
                        (Ok(pair), Ok(high)) => (pair, high),
                        (Err(mut errors), Err(more)) => {
                            errors.extend(more);
                            return Err(errors);
                        }
                        (Err(errors), _) | (_, Err(errors)) => return Err(errors),
                    }
                };
                let between = call(
                    Func::IsBetween,
                    vec![
                        Arg::Expr(expr),
                        Arg::Expr(low),
                        Arg::Expr(high),
                        Arg::Str("both".into()),
                    ],
                );
                not(between, *negated)
            }
            Sql::InList {
                expr,
                list,
                negated,
            } => not(self.in_list(expr, list)?, *negated),
            Sql::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => not(
                self.like(expr, pattern, escape_char.as_deref(), false)?,
                *negated,
            ),
            Sql::ILike {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => not(
                self.like(expr, pattern, escape_char.as_deref(), true)?,
                *negated,
            ),
            Sql::Like {
                negated,
                any: true,
                expr,
                pattern,
                escape_char,
            } => not(
                self.like_any(expr, pattern, escape_char.as_deref(), false)?,
                *negated,
            ),
            Sql::ILike {
                negated,
                any: true,
                expr,
                pattern,
                escape_char,
            } => not(
                self.like_any(expr, pattern, escape_char.as_deref(), true)?,
                *negated,
            ),
            Sql::RLike {
                negated,
                expr,
                pattern,
                ..
            } => not(self.matches(expr, pattern)?, *negated),
            Sql::Cast {
                kind,
                expr,
                data_type,
                format: None,
            } => {
                let Some(to) = types::dtype(data_type) else {
                    return self.unsupported(&format!("the type `{data_type}` is not known"), node);
                };
                Expr::Cast {
                    expr: Box::new(self.expr(expr)?),
                    to,
                    strict: matches!(kind, CastKind::Cast | CastKind::DoubleColon),
                }
            }
            Sql::Case {
                operand,
                conditions,
                else_result,
                ..
            } => self.case(operand.as_deref(), conditions, else_result.as_deref())?,
            Sql::Extract { field, expr, .. } => self.extract(field, self.expr(expr)?, node)?,
            Sql::Ceil { expr, field } => self.rounded(Func::Ceil, expr, field, node)?,
            Sql::Floor { expr, field } => self.rounded(Func::Floor, expr, field, node)?,
            Sql::Position { expr, r#in } => {
                let (part, whole) = both(self.expr(expr), self.expr(r#in))?;
                Expr::call(Func::SqlPosition, [whole, part])
            }
            Sql::Substring {
                expr,
                substring_from,
                substring_for,
                ..
            } => self.substring(expr, substring_from.as_deref(), substring_for.as_deref())?,
            Sql::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters,
            } => {
                let what = match (trim_what, trim_characters.as_deref()) {
                    (Some(what), None) => Arg::Str(self.text(what)?),
                    (None, Some([what])) => Arg::Str(self.text(what)?),
                    (None, None) => Arg::Absent,
                    _ => return self.unsupported("this form of TRIM", node),
                };
                let func = match trim_where {
                    Some(TrimWhereField::Leading) => Func::StrStripCharsStart,
                    Some(TrimWhereField::Trailing) => Func::StrStripCharsEnd,
                    _ => Func::StrStripChars,
                };
                call(func, vec![Arg::Expr(self.expr(expr)?), what])
            }
            Sql::Array(array) => {
                let items = self.exprs(array.elem.iter())?;
                call(Func::List, vec![Arg::Exprs(items)])
            }
            Sql::Interval(interval) => self.interval_literal(interval, node)?,
            Sql::Function(function) => self.function(function)?,
            Sql::Subquery(_) | Sql::InSubquery { .. } | Sql::Exists { .. } => {
                return Err(vec![
                    self.error("a sub-query cannot stand in an expression", node)
                        .hint("write a SQL step: `expr: SELECT ...`"),
                ]);
            }
            Sql::Wildcard(_) | Sql::QualifiedWildcard(..) => {
                return self.unsupported("`*` cannot stand in an expression", node);
            }
            Sql::Tuple(_) => return self.unsupported("rows of values are not supported", node),
            Sql::Collate { .. } => return self.unsupported("COLLATE is not supported", node),
            Sql::AtTimeZone { .. } => {
                return Err(vec![
                    self.error("AT TIME ZONE is not supported", node)
                        .hint("write `nw.col('t').dt.convert_time_zone('...')`"),
                ]);
            }
            _ => return self.unsupported("this SQL is not supported in an expression", node),
        })
    }

    /// A call, as long as not too many are nested: each takes much of the stack.
    fn function(&self, function: &ast::Function) -> Result<Expr> {
        const MOST: usize = 32;
        if self.calls.get() >= MOST {
            let range = self.source.range(function.span());
            let message = format!("more than {MOST} calls inside of one another");
            return Err(vec![FragmentError::new("too-large", message, range)]);
        }
        self.calls.set(self.calls.get() + 1);
        let outcome = calls::function(self, function);
        self.calls.set(self.calls.get() - 1);
        outcome
    }

    /// Several expressions, with the errors of all.
    pub(super) fn exprs<'b>(
        &self,
        nodes: impl IntoIterator<Item = &'b ast::Expr>,
    ) -> Result<Vec<Expr>> {
        let mut exprs = Vec::new();
        let mut errors = Vec::new();
        for node in nodes {
            match self.expr(node) {
                Ok(expr) => exprs.push(expr),
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() {
            Ok(exprs)
        } else {
            Err(errors)
        }
    }

    fn pair(&self, func: Func, a: &ast::Expr, b: &ast::Expr) -> Result<Expr> {
        let (a, b) = both(self.expr(a), self.expr(b))?;
        Ok(Expr::call(func, [a, b]))
    }

    fn value(&self, value: &Value, node: &ast::Expr) -> Result<Scalar> {
        Ok(match value {
            Value::Number(digits, _) => match digits.parse::<i128>() {
                Ok(value) => Scalar::Int(value),
                Err(_) => match digits.parse::<f64>() {
                    Ok(value) if digits.contains(['.', 'e', 'E']) => Scalar::Float(value),
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

    fn typed(&self, typed: &ast::TypedString, node: &ast::Expr) -> Result<Expr> {
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

    fn unary(&self, op: UnaryOperator, inner: &ast::Expr, node: &ast::Expr) -> Result<Expr> {
        let expr = self.expr(inner)?;
        Ok(match (op, expr) {
            (UnaryOperator::Minus, Expr::Literal(Scalar::Int(value))) => {
                Expr::Literal(Scalar::Int(value.saturating_neg()))
            }
            (UnaryOperator::Minus, Expr::Literal(Scalar::Float(value))) => {
                Expr::Literal(Scalar::Float(-value))
            }
            (UnaryOperator::Minus, expr) => Expr::call(Func::Neg, [expr]),
            (UnaryOperator::Plus, expr) => expr,
            (UnaryOperator::Not | UnaryOperator::BangNot | UnaryOperator::BitwiseNot, expr) => {
                not(expr, true)
            }
            _ => return self.unsupported("this operator is not supported", node),
        })
    }

    /// Chains such as `a AND b AND c`, along the left spine without recursion.
    fn binary(&self, node: &ast::Expr) -> Result<Expr> {
        let mut spine = Vec::new();
        let mut next = node;
        while let ast::Expr::BinaryOp { left, op, right } = next {
            spine.push((next, op, &**right));
            next = left;
        }
        let mut left = self.expr(next);
        while let Some((node, op, right)) = spine.pop() {
            left = self.operate(left, op, right, node);
        }
        left
    }

    fn operate(
        &self,
        left: Result<Expr>,
        op: &BinaryOperator,
        right: &ast::Expr,
        node: &ast::Expr,
    ) -> Result<Expr> {
        if let ast::Expr::Interval(interval) = right
            && matches!(op, BinaryOperator::Plus | BinaryOperator::Minus)
        {
            return self.moved(left?, interval, *op == BinaryOperator::Minus, node);
        }
        if let ast::Expr::BinaryOp {
            left: first,
            op: BinaryOperator::Plus,
            ..
        } = node
            && let ast::Expr::Interval(interval) = &**first
        {
            return self.moved(self.expr(right)?, interval, false, node);
        }
        if matches!(op, BinaryOperator::PGRegexNotMatch) {
            return Ok(not(self.contains(left?, right)?, true));
        }
        if matches!(op, BinaryOperator::Regexp | BinaryOperator::PGRegexMatch) {
            return self.contains(left?, right);
        }
        let func = match op {
            BinaryOperator::Plus => Func::Add,
            BinaryOperator::Minus => Func::Sub,
            BinaryOperator::Multiply => Func::Mul,
            BinaryOperator::Divide => Func::TrueDiv,
            BinaryOperator::Modulo => Func::SqlMod,
            BinaryOperator::Eq => Func::Eq,
            BinaryOperator::NotEq => Func::Ne,
            BinaryOperator::Lt => Func::Lt,
            BinaryOperator::LtEq => Func::Le,
            BinaryOperator::Gt => Func::Gt,
            BinaryOperator::GtEq => Func::Ge,
            BinaryOperator::And | BinaryOperator::BitwiseAnd => Func::And,
            BinaryOperator::Or | BinaryOperator::BitwiseOr => Func::Or,
            BinaryOperator::Xor | BinaryOperator::BitwiseXor | BinaryOperator::PGBitwiseXor => {
                Func::Xor
            }
            BinaryOperator::Spaceship => Func::SqlEqNullSafe,
            BinaryOperator::DuckIntegerDivide => Func::FloorDiv,
            BinaryOperator::StringConcat => {
                let (left, right) = both(left, self.expr(right))?;
                let args = vec![
                    Arg::Exprs(vec![left, right]),
                    Arg::Str(String::new()),
                    Arg::Bool(false),
                ];
                return Ok(call(Func::ConcatStr, args));
            }
            other => {
                return self.unsupported(&format!("the operator `{other}` is not supported"), node);
            }
        };
        let (left, right) = both(left, self.expr(right))?;
        Ok(Expr::call(func, [left, right]))
    }

    fn case(
        &self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let operand = operand.map(|node| self.expr(node)).transpose()?;
        if let Some(operand) = &operand {
            self.copies(operand, conditions.len(), &conditions[0].condition)?;
        }
        let mut branches = Vec::with_capacity(conditions.len());
        let mut errors = Vec::new();
        for when in conditions {
            match both(self.expr(&when.condition), self.expr(&when.result)) {
                Ok((condition, result)) => {
                    let condition = match &operand {
                        Some(operand) => Expr::call(Func::Eq, [operand.clone(), condition]),
                        None => condition,
                    };
                    branches.push((condition, result));
                }
                Err(more) => errors.extend(more),
            }
        }
        let otherwise = match otherwise.map(|node| self.expr(node)) {
            None => None,
            Some(Ok(expr)) => crate::python::methods::otherwise(expr),
            Some(Err(more)) => {
                errors.extend(more);
                None
            }
        };
        if errors.is_empty() {
            Ok(Expr::When {
                branches,
                otherwise,
            })
        } else {
            Err(errors)
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
