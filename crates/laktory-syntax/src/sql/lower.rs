//! Scalar SQL expressions, from the parser's tree to the values of the language. The meaning is SQL's: three-valued
//! logic, `%` with the sign of the dividend, aggregates that skip nulls.

use laktory_core::{Arg, Expr, Func};
use sqlparser::ast::{self, BinaryOperator, CastKind, Spanned, TrimWhereField};

use super::operators::untyped;
use super::parts::field;
use super::position::Source;
use super::{calls, extent, lists, types};
use crate::diagnostic::FragmentError;
use crate::written::Part;

/// Errors of one text.
pub(super) type Result<T> = std::result::Result<T, Vec<FragmentError>>;

/// Lowers the trees of one text.
#[derive(Debug)]
pub(super) struct Lower<'a> {
    pub(super) source: Source<'a>,
    /// Whether the expression is of a statement: functions then mean what engines of SQL have them mean.
    pub(super) statement: bool,
    /// Calls that are open, one inside of another.
    calls: std::cell::Cell<usize>,
    /// What was read so far, where somebody asks for it.
    parts: Option<std::cell::RefCell<Vec<Part>>>,
}

/// Most nodes that copies of one operand may have.
const MAX_COPIES: u64 = 100_000;

/// Both values, or the errors of both.
pub(super) fn both(a: Result<Expr>, b: Result<Expr>) -> Result<(Expr, Expr)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(mut errors), Err(more)) => {
            errors.extend(more);
            Err(errors)
        }
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
    }
}

pub(super) fn not(expr: Expr, negated: bool) -> Expr {
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

impl<'a> Lower<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self::over(Source::new(text))
    }

    fn over(source: Source<'a>) -> Self {
        Self {
            source,
            statement: false,
            calls: std::cell::Cell::new(0),
            parts: None,
        }
    }

    fn of_statement(source: Source<'a>) -> Self {
        Self {
            statement: true,
            ..Self::over(source)
        }
    }
}

/// Lowers an expression of a statement that the caller has parsed; `text` is that of the whole statement, to which the
/// places of the tree belong. Identifiers are columns of the frame.
///
/// # Errors
/// SQL that has no counterpart among the expressions, each with its place in `text`.
pub fn tree(text: &str, node: &ast::Expr) -> Result<Expr> {
    crate::stack::with_room(|| Lower::of_statement(Source::new(text)).expr(node))
}

/// A statement that the caller has parsed, whose expressions are read once more part by part.
#[derive(Debug)]
pub struct StatementParts<'a>(Source<'a>);

impl<'a> StatementParts<'a> {
    /// Of the text of the whole statement, to which the places of its trees belong.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        Self(Source::new(text))
    }

    /// The parts of an expression, as [`tree`] reads it: inner ones first.
    #[must_use]
    pub fn tree(&self, node: &ast::Expr) -> Vec<Part> {
        crate::stack::with_room(|| Lower::of_statement(self.0.clone()).parts_of(node))
    }
}

impl Lower<'_> {
    /// What an expression is read as, part by part.
    pub(super) fn parts_of(mut self, node: &ast::Expr) -> Vec<Part> {
        self.parts = Some(std::cell::RefCell::default());
        // The parts before a fault are parts all the same.
        let _ = self.expr(node);
        self.parts
            .take()
            .map(std::cell::RefCell::into_inner)
            .unwrap_or_default()
    }

    /// Takes down what a node was read as.
    pub(super) fn read_as(&self, node: &ast::Expr, expr: &Expr) {
        let Some(parts) = &self.parts else {
            return;
        };
        let mut parts = parts.borrow_mut();
        let name =
            |word: &ast::Ident| Part::name(word.value.as_str(), self.source.range(word.span));
        match node {
            ast::Expr::Value(value) => {
                if let Some(text) = value.value.clone().into_string() {
                    parts.push(Part::name(text, self.source.range(value.span)));
                }
            }
            ast::Expr::Identifier(word) => parts.push(name(word)),
            ast::Expr::CompoundIdentifier(words) => parts.extend(words.iter().map(name)),
            ast::Expr::CompoundFieldAccess { access_chain, .. } => {
                parts.extend(access_chain.iter().filter_map(|access| match access {
                    ast::AccessExpr::Dot(ast::Expr::Identifier(word)) => Some(name(word)),
                    ast::AccessExpr::Subscript(ast::Subscript::Index {
                        index: ast::Expr::Value(value),
                    }) => {
                        let field = value.value.clone().into_string()?;
                        Some(Part::name(field, self.source.range(value.span)))
                    }
                    _ => None,
                }));
            }
            _ => {}
        }
        let (range, word) = extent::of(&self.source, node);
        parts.push(Part::expr(expr.clone(), range, word).spelled(spelling(node)));
    }

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

    /// The text of a node.
    pub(super) fn source_of(&self, node: &impl Spanned) -> &str {
        let range = self.source.range(node.span());
        self.source.text.get(range).unwrap_or("")
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
        let outcome = self.lowered(node);
        if let Ok(expr) = &outcome {
            self.read_as(node, expr);
        }
        outcome
    }

    fn lowered(&self, node: &ast::Expr) -> Result<Expr> {
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
                let (low, high) = (untyped(low), untyped(high));
                if self.statement {
                    // As two comparisons: the value may lie outside of one bound while the other is null.
                    self.copies(&expr, 2, node)?;
                    let above = Expr::call(Func::Ge, [expr.clone(), low]);
                    let below = Expr::call(Func::Le, [expr, high]);
                    return Ok(not(above.and(below), *negated));
                }
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
                any,
                expr,
                pattern,
                escape_char,
            }
            | Sql::ILike {
                negated,
                any,
                expr,
                pattern,
                escape_char,
            } => {
                let ignore_case = matches!(node, Sql::ILike { .. });
                let escape = escape_char.as_deref();
                let all = matches!(&**pattern, Sql::Function(_));
                if *negated && (*any || all) {
                    return Err(vec![
                        self.error("NOT LIKE with several patterns is read in two ways", node)
                            .hint("write `NOT (s LIKE ANY ('a%', 'b%'))`"),
                    ]);
                }
                let like = if *any {
                    self.like_any(expr, pattern, escape, ignore_case)?
                } else if let Some(all) = self.like_all(expr, pattern, escape, ignore_case)? {
                    all
                } else {
                    self.like(expr, pattern, escape, ignore_case)?
                };
                not(like, *negated)
            }
            Sql::SimilarTo {
                negated,
                expr,
                pattern,
                escape_char,
            } => not(
                self.similar(expr, pattern, escape_char.as_deref())?,
                *negated,
            ),
            Sql::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => self.in_list(left, self.elements(right)?)?,
            Sql::AllOp {
                left,
                compare_op: BinaryOperator::NotEq,
                right,
            } => not(self.in_list(left, self.elements(right)?)?, true),
            Sql::AnyOp { .. } | Sql::AllOp { .. } => {
                return Err(vec![
                    self.error("ANY and ALL are not supported here", node)
                        .hint("write `x IN (1, 2)`, or `ARRAY_CONTAINS(l, 1)`"),
                ]);
            }
            Sql::Struct { values, fields } if fields.is_empty() && !values.is_empty() => {
                let nodes: Vec<&ast::Expr> = values.iter().collect();
                lists::structure(self, &nodes)?
            }
            Sql::Convert { .. } => {
                return Err(vec![
                    self.error("CONVERT is not supported", node)
                        .hint("write `CAST(x AS INT)`"),
                ]);
            }
            Sql::JsonAccess { .. } => {
                return Err(vec![
                    self.error("paths into JSON are not supported", node)
                        .hint("declare the type of the column in the schema of the source, and write `a.b`"),
                ]);
            }
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
                    let range = extent::of_type(&self.source, node, expr);
                    let message = format!("the type `{data_type}` is not known");
                    return Err(vec![
                        FragmentError::new("sql-unsupported", message, range)
                            .hint("such as `BIGINT`, `DOUBLE`, `DECIMAL(10, 2)`, `STRING`, `DATE`, `TIMESTAMP`, `INT[]`"),
                    ]);
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
            Sql::Array(array) if array.elem.is_empty() => {
                return self.unsupported("an empty array has no type", node);
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
}

/// How SQL spells the function or operator of a node.
fn spelling(node: &ast::Expr) -> Option<String> {
    let word = match node {
        ast::Expr::Function(function) => return Some(function.name.to_string()),
        ast::Expr::BinaryOp { op, .. } => return Some(op.to_string()),
        ast::Expr::UnaryOp { op, .. } => return Some(op.to_string()),
        ast::Expr::Between { .. } => "BETWEEN",
        ast::Expr::InList { .. } => "IN",
        ast::Expr::Like { .. } => "LIKE",
        ast::Expr::ILike { .. } => "ILIKE",
        ast::Expr::SimilarTo { .. } => "SIMILAR TO",
        ast::Expr::RLike { .. } => "RLIKE",
        ast::Expr::Extract { .. } => "EXTRACT",
        ast::Expr::Position { .. } => "POSITION",
        ast::Expr::Substring { .. } => "SUBSTRING",
        ast::Expr::Trim { .. } => "TRIM",
        ast::Expr::Ceil { .. } => "CEIL",
        ast::Expr::Floor { .. } => "FLOOR",
        ast::Expr::IsDistinctFrom(..) => "IS DISTINCT FROM",
        ast::Expr::IsNotDistinctFrom(..) => "IS NOT DISTINCT FROM",
        ast::Expr::IsTrue(_) | ast::Expr::IsNotTrue(_) => "IS TRUE",
        ast::Expr::IsFalse(_) | ast::Expr::IsNotFalse(_) => "IS FALSE",
        ast::Expr::Interval(_) => "INTERVAL",
        _ => return None,
    };
    Some(word.to_owned())
}
