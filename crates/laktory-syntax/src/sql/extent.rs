//! How far the constructs of SQL reach whose words and brackets the grammar does not place.

use std::ops::Range;

use sqlparser::ast::{self, Spanned};

use super::position::Source;
use super::width::Token;

/// The bytes of an expression, and those of the word that says what it is.
pub(super) fn of(source: &Source<'_>, node: &ast::Expr) -> (Range<usize>, Range<usize>) {
    let range = source.range(node.span());
    let whole = |range: Range<usize>| (range.clone(), range);
    match node {
        ast::Expr::Function(function) => (range, source.range(function.name.span())),
        ast::Expr::UnaryOp { .. } => match Tokens::of(source).before(range.start) {
            Some(sign) => whole(sign.start..range.end),
            None => whole(range),
        },
        ast::Expr::InList { .. } => match Tokens::of(source).behind(range.end) {
            Some(bracket) if bracket.text == ")" => whole(range.start..end(bracket)),
            _ => whole(range),
        },
        ast::Expr::Cast {
            kind: ast::CastKind::Cast | ast::CastKind::TryCast | ast::CastKind::SafeCast,
            expr,
            ..
        }
        | ast::Expr::Extract { expr, .. }
        | ast::Expr::Substring { expr, .. }
        | ast::Expr::Trim { expr, .. }
        | ast::Expr::Position { expr, .. }
        | ast::Expr::Ceil { expr, .. }
        | ast::Expr::Floor { expr, .. } => {
            let inner = source.range(expr.span());
            Tokens::of(source)
                .call_around(&inner)
                .unwrap_or_else(|| whole(range))
        }
        ast::Expr::Interval(interval) => whole(of_interval(source, interval)),
        _ => whole(range),
    }
}

/// `INTERVAL '1' MONTH`, from its word on.
pub(super) fn of_interval(source: &Source<'_>, interval: &ast::Interval) -> Range<usize> {
    let value = source.range(interval.value.span());
    let tokens = Tokens::of(source);
    let start = match tokens.before(value.start) {
        Some(word) if word.text.eq_ignore_ascii_case("INTERVAL") => word.start,
        _ => value.start,
    };
    let unit = interval
        .leading_field
        .as_ref()
        .and_then(|_| tokens.behind(value.end));
    start..unit.map_or(value.end, end)
}

/// The type behind AS in `CAST(x AS type)`, or behind `::`.
pub(super) fn of_type(source: &Source<'_>, node: &ast::Expr, operand: &ast::Expr) -> Range<usize> {
    let tokens = Tokens::of(source);
    let operand = source.range(operand.span());
    let sign = |token: &&Token<'_>| token.text.eq_ignore_ascii_case("AS") || token.text == ":";
    let Some(last) = tokens.from(operand.end).iter().filter(sign).find(|token| {
        token.text != ":"
            || tokens
                .behind(end(token))
                .is_none_or(|next| next.text != ":")
    }) else {
        return source.range(node.span());
    };
    let mut depth = 0_usize;
    let mut range = end(last)..end(last);
    let mut first = true;
    for token in tokens.from(end(last)) {
        let is_word = token
            .text
            .starts_with(|char: char| char.is_alphanumeric() || char == '_');
        match token.text {
            "(" | "<" | "[" => depth += 1,
            ")" | ">" | "]" if depth > 0 => depth -= 1,
            _ if first => {}
            _ if depth > 0 => {}
            _ if !is_word => break,
            _ => break,
        }
        if first {
            range.start = token.start;
            first = false;
        }
        range.end = end(token);
    }
    range
}

/// The frame of the window that a call has.
pub(super) fn of_frame(source: &Source<'_>, function: &ast::Function) -> Range<usize> {
    let name = source.range(function.name.span());
    let tokens = Tokens::of(source);
    let mut behind = tokens.from(name.end).iter();
    let is_unit = |token: &&Token<'_>| {
        let word = token.text.to_ascii_uppercase();
        matches!(word.as_str(), "ROWS" | "RANGE" | "GROUPS")
    };
    let Some(unit) = behind.find(is_unit) else {
        return name;
    };
    let last = behind.take_while(|token| token.text != ")").last();
    unit.start..last.map_or(end(unit), end)
}

fn end(token: &Token<'_>) -> usize {
    token.start + token.text.len()
}

/// The words and signs of a text.
#[derive(Clone, Copy)]
struct Tokens<'s, 'a>(&'s [Token<'a>]);

impl<'s, 'a> Tokens<'s, 'a> {
    fn of(source: &'s Source<'a>) -> Self {
        Self(source.tokens())
    }

    /// The last token before a byte.
    fn before(self, at: usize) -> Option<&'s Token<'a>> {
        let count = self.0.partition_point(|token| end(token) <= at);
        self.0.get(count.checked_sub(1)?)
    }

    /// Those from a byte on.
    fn from(self, at: usize) -> &'s [Token<'a>] {
        &self.0[self.0.partition_point(|token| token.start < at)..]
    }

    /// The first token from a byte on.
    fn behind(self, at: usize) -> Option<&'s Token<'a>> {
        self.from(at).first()
    }

    /// The call whose brackets are nearest around some bytes: all of it, and its name.
    fn call_around(self, inner: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
        let before = self.0.partition_point(|token| end(token) <= inner.start);
        let first = before.checked_sub(1)?;
        let mut depth = 0_usize;
        let open = (0..=first).rev().find(|at| match self.0[*at].text {
            ")" => {
                depth += 1;
                false
            }
            "(" if depth > 0 => {
                depth -= 1;
                false
            }
            sign => sign == "(",
        })?;
        let name = self.0.get(open.checked_sub(1)?)?;
        let mut depth = 0_usize;
        let close = self.0[open..].iter().find(|token| {
            match token.text {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            depth == 0
        })?;
        Some((name.start..end(close), name.start..end(name)))
    }
}
