//! Tests of membership and patterns; parts of dates, texts, structs and lists; and intervals.

use laktory_core::{Arg, Expr, Func, Scalar};
use sqlparser::ast::{self, AccessExpr, CeilFloorKind, DateTimeField, Spanned, Subscript};

use super::extent;
use super::lower::{Lower, Result, call};
use crate::FragmentError;
use crate::join::join;
use crate::suggest::did_you_mean;

impl Lower<'_> {
    pub(super) fn in_list(&self, expr: &ast::Expr, list: &[ast::Expr]) -> Result<Expr> {
        let expr = self.expr(expr)?;
        let items = self.exprs(list)?;
        let constants: Option<Vec<Scalar>> = items
            .iter()
            .map(|item| match item {
                Expr::Literal(scalar) if *scalar != Scalar::Null => Some(scalar.clone()),
                _ => None,
            })
            .collect();
        /// Fractions that are compared one by one: whole numbers may be looked up among them, as `=` compares them.
        const FEW: usize = 100;
        let are_few = items.len() <= FEW;
        let fraction = |value: &Scalar| matches!(value, Scalar::Float(_));
        if let Some(values) = constants.filter(|values| !(are_few && values.iter().any(fraction))) {
            return Ok(call(Func::IsIn, vec![Arg::Expr(expr), Arg::Values(values)]));
        }
        self.copies(&expr, items.len(), &list[0])?;
        // With a null, a column or a fraction in the list, SQL's IN is a chain of comparisons.
        let equal = items
            .into_iter()
            .map(|item| Expr::call(Func::Eq, [expr.clone(), item]));
        Ok(join(equal.collect(), Expr::or).unwrap_or(Expr::literal(false)))
    }

    pub(super) fn like(
        &self,
        expr: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::Expr>,
        ignore_case: bool,
    ) -> Result<Expr> {
        let escape = match escape {
            None => Arg::Absent,
            Some(node) => {
                let text = self.text(node)?;
                if text.chars().count() != 1 {
                    return Err(vec![self.invalid("the escape is one character", node)]);
                }
                Arg::Str(text)
            }
        };
        let pattern = Arg::Str(self.text(pattern)?);
        Ok(call(
            Func::SqlLike,
            vec![
                Arg::Expr(self.expr(expr)?),
                pattern,
                Arg::Bool(ignore_case),
                escape,
            ],
        ))
    }

    /// `s ~~ 'a%'`, which is LIKE.
    pub(super) fn like_of(
        &self,
        expr: Expr,
        pattern: &ast::Expr,
        ignore_case: bool,
    ) -> Result<Expr> {
        let pattern = Arg::Str(self.text(pattern)?);
        Ok(call(
            Func::SqlLike,
            vec![
                Arg::Expr(expr),
                pattern,
                Arg::Bool(ignore_case),
                Arg::Absent,
            ],
        ))
    }

    /// `s LIKE ANY ('a%', 'b%')`.
    pub(super) fn like_any(
        &self,
        expr: &ast::Expr,
        patterns: &ast::Expr,
        escape: Option<&ast::Expr>,
        ignore_case: bool,
    ) -> Result<Expr> {
        let patterns: Vec<&ast::Expr> = match patterns {
            ast::Expr::Tuple(patterns) => patterns.iter().collect(),
            ast::Expr::Nested(pattern) => vec![&**pattern],
            other => return self.unsupported("LIKE ANY takes a list in parentheses", other),
        };
        self.likes(expr, &patterns, escape, ignore_case, Expr::or)
    }

    /// `s LIKE ALL ('a%', '%b')`, when the pattern is the call that the grammar takes `ALL (...)` for.
    pub(super) fn like_all(
        &self,
        expr: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::Expr>,
        ignore_case: bool,
    ) -> Result<Option<Expr>> {
        let ast::Expr::Function(function) = pattern else {
            return Ok(None);
        };
        if !function.name.to_string().eq_ignore_ascii_case("ALL") {
            return Ok(None);
        }
        let patterns = super::calls::arguments(self, function)?.nodes;
        if patterns.is_empty() {
            return self.unsupported("LIKE ALL takes a list in parentheses", &function.name);
        }
        self.likes(expr, &patterns, escape, ignore_case, Expr::and)
            .map(Some)
    }

    fn likes(
        &self,
        expr: &ast::Expr,
        patterns: &[&ast::Expr],
        escape: Option<&ast::Expr>,
        ignore_case: bool,
        operator: fn(Expr, Expr) -> Expr,
    ) -> Result<Expr> {
        let operand = self.expr(expr)?;
        self.copies(&operand, patterns.len(), expr)?;
        let likes = patterns
            .iter()
            .map(|pattern| self.like(expr, pattern, escape, ignore_case))
            .collect::<Result<Vec<_>>>()?;
        Ok(join(likes, operator).unwrap_or(Expr::literal(false)))
    }

    pub(super) fn matches(&self, expr: &ast::Expr, pattern: &ast::Expr) -> Result<Expr> {
        self.contains(self.expr(expr)?, pattern)
    }

    /// `s SIMILAR TO '(a|b)%'`.
    pub(super) fn similar(
        &self,
        expr: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let (expr, text) = (self.expr(expr)?, self.text(pattern)?);
        let escape = match escape {
            None => Some('\\'),
            Some(node) => {
                let text = self.text(node)?;
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (escape, None) => escape,
                    _ => return Err(vec![self.invalid("the escape is one character", node)]),
                }
            }
        };
        let Some(regex) = super::similar::regex(&text, escape) else {
            return Err(vec![self.invalid("the escape escapes nothing", pattern)]);
        };
        Ok(call(
            Func::StrContains,
            vec![
                Arg::Expr(expr),
                Arg::Expr(Expr::literal(regex.as_str())),
                Arg::Bool(false),
            ],
        ))
    }

    /// The elements of an array that is written out.
    pub(super) fn elements<'b>(&self, node: &'b ast::Expr) -> Result<&'b [ast::Expr]> {
        match node {
            ast::Expr::Array(array) if !array.elem.is_empty() => Ok(&array.elem),
            ast::Expr::Nested(inner) => self.elements(inner),
            other => Err(vec![
                self.error("an array that is written out is wanted here", other)
                    .hint("write `x IN (1, 2)`, or `ARRAY_CONTAINS(l, 1)`"),
            ]),
        }
    }

    /// Whether a regular expression matches somewhere in a text.
    pub(super) fn contains(&self, expr: Expr, pattern: &ast::Expr) -> Result<Expr> {
        let pattern = self.expr(pattern)?;
        Ok(call(
            Func::StrContains,
            vec![Arg::Expr(expr), Arg::Expr(pattern), Arg::Bool(false)],
        ))
    }

    /// Whether a regular expression matches somewhere in a text, whatever the case of letters.
    pub(super) fn contains_any_case(&self, expr: Expr, pattern: &ast::Expr) -> Result<Expr> {
        let pattern = format!("(?i){}", self.text(pattern)?);
        Ok(call(
            Func::StrContains,
            vec![
                Arg::Expr(expr),
                Arg::Expr(Expr::literal(pattern.as_str())),
                Arg::Bool(false),
            ],
        ))
    }

    /// A part of a date or time.
    pub(super) fn extract(
        &self,
        field: &DateTimeField,
        expr: Expr,
        node: &impl Spanned,
    ) -> Result<Expr> {
        use DateTimeField as F;
        let func = match field {
            F::Year | F::Years => Func::DtYear,
            F::Quarter => Func::SqlQuarter,
            F::Month | F::Months => Func::DtMonth,
            F::Week(None) | F::Weeks | F::IsoWeek => Func::SqlWeek,
            F::Day | F::Days => Func::DtDay,
            F::DayOfWeek | F::Dow => Func::SqlDayOfWeek,
            F::Isodow => Func::DtWeekday,
            F::DayOfYear | F::Doy => Func::DtOrdinalDay,
            F::Hour | F::Hours => Func::DtHour,
            F::Minute | F::Minutes => Func::DtMinute,
            F::Second | F::Seconds => Func::DtSecond,
            F::Date => Func::DtDate,
            F::Epoch => {
                let args = vec![Arg::Expr(expr), Arg::Str("us".into())];
                let micros = call(Func::DtTimestamp, args);
                return Ok(Expr::call(
                    Func::TrueDiv,
                    [micros, Expr::literal(1_000_000_i64)],
                ));
            }
            F::Millisecond | F::Milliseconds | F::Microsecond | F::Microseconds => {
                return Err(vec![
                    self.error(&format!("the part `{field}` is not supported"), node)
                        .hint(
                            "dialects differ; `nw.col('t').dt.millisecond()` has no seconds in it",
                        ),
                ]);
            }
            F::Custom(word) => {
                let range = self.source.range(word.span);
                let message = format!("the part `{word}` is not known");
                let known = [
                    "YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND",
                ];
                let hint = did_you_mean(&word.value, known);
                return Err(vec![
                    FragmentError::new("sql-unsupported", message, range).hint_if(hint),
                ]);
            }
            other => {
                return self.unsupported(&format!("the part `{other}` is not supported"), node);
            }
        };
        Ok(Expr::call(func, [expr]))
    }

    pub(super) fn rounded(
        &self,
        func: Func,
        expr: &ast::Expr,
        field: &CeilFloorKind,
        node: &ast::Expr,
    ) -> Result<Expr> {
        match field {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {
                Ok(Expr::call(func, [self.expr(expr)?]))
            }
            _ => self.unsupported("CEIL and FLOOR take one argument", node),
        }
    }

    pub(super) fn substring(
        &self,
        expr: &ast::Expr,
        from: Option<&ast::Expr>,
        length: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let start = match from {
            Some(node) => self.integer(node)?,
            None => 1,
        };
        let length = match length {
            Some(node) => Arg::Int(self.integer(node)?),
            None => Arg::Absent,
        };
        Ok(call(
            Func::SqlSubstring,
            vec![Arg::Expr(self.expr(expr)?), Arg::Int(start), length],
        ))
    }

    pub(super) fn access(&self, root: &ast::Expr, chain: &[AccessExpr]) -> Result<Expr> {
        let mut expr = self.expr(root)?;
        for access in chain {
            expr = match access {
                AccessExpr::Dot(ast::Expr::Identifier(name)) => field(expr, &name.value),
                AccessExpr::Subscript(Subscript::Index { index }) => match self.expr(index)? {
                    Expr::Literal(Scalar::Str(name)) => field(expr, &name),
                    Expr::Literal(Scalar::Int(position)) => {
                        // SQL counts from 1; negative positions count from the end.
                        let index_at = i64::try_from(position)
                            .ok()
                            .filter(|position| *position != 0)
                            .map(|position| if position > 0 { position - 1 } else { position });
                        match index_at {
                            Some(position) => {
                                call(Func::ListGet, vec![Arg::Expr(expr), Arg::Int(position)])
                            }
                            None => {
                                return Err(vec![
                                    self.invalid("elements are counted from 1 in SQL", index),
                                ]);
                            }
                        }
                    }
                    Expr::Column(name) => {
                        return Err(vec![
                            self.error("a computed index is not supported", index)
                                .hint(format!("a field is `a.{name}` or `a['{name}']`")),
                        ]);
                    }
                    _ => return self.unsupported("a computed index is not supported", index),
                },
                AccessExpr::Dot(other) => {
                    return self.unsupported("this access is not supported", other);
                }
                AccessExpr::Subscript(_) => {
                    return self.unsupported("slices are not supported", root);
                }
            };
        }
        Ok(expr)
    }

    /// `x + INTERVAL '1' MONTH`.
    pub(super) fn moved(&self, expr: Expr, interval: &ast::Interval, back: bool) -> Result<Expr> {
        let parts = self.interval(interval)?;
        Ok(parts.into_iter().fold(expr, |expr, (count, unit)| {
            let count = if back { count.saturating_neg() } else { count };
            let by = format!("{count}{unit}");
            call(Func::DtOffsetBy, vec![Arg::Expr(expr), Arg::Str(by)])
        }))
    }

    /// A unit by its name, as a number of units of `dt.offset_by`.
    pub(super) fn interval_unit(name: &str) -> Option<(i64, &'static str)> {
        Some(match name.trim_end_matches('s') {
            "year" => (1, "y"),
            "quarter" => (1, "q"),
            "month" | "mon" => (1, "mo"),
            "week" => (7, "d"),
            "day" => (1, "d"),
            "hour" => (1, "h"),
            "minute" | "min" => (1, "m"),
            "second" | "sec" => (1, "s"),
            "millisecond" => (1, "ms"),
            "microsecond" => (1, "us"),
            "nanosecond" => (1, "ns"),
            _ => return None,
        })
    }

    /// Counts and units of an interval, in the units of `dt.offset_by`.
    fn interval(&self, interval: &ast::Interval) -> Result<Vec<(i64, &'static str)>> {
        let wrong = || {
            let range = extent::of_interval(&self.source, interval);
            let message = "this interval is not supported";
            vec![
                FragmentError::new("sql-unsupported", message, range)
                    .hint("write whole numbers and units: `INTERVAL '1 hour 30 minutes'`"),
            ]
        };
        let text = match self.expr(&interval.value)? {
            Expr::Literal(Scalar::Str(text)) => text,
            Expr::Literal(Scalar::Int(count)) => count.to_string(),
            _ => return Err(wrong()),
        };
        let with_unit = match &interval.leading_field {
            Some(field) => format!("{text} {field}"),
            None => text,
        };
        if interval.last_field.is_some() {
            return Err(wrong());
        }
        let mut words = with_unit.split_whitespace();
        let mut parts = Vec::new();
        while let Some(count) = words.next() {
            let count: i64 = count.parse().map_err(|_| wrong())?;
            let unit = words.next().ok_or_else(wrong)?.to_ascii_lowercase();
            let (factor, unit) = Self::interval_unit(&unit).ok_or_else(wrong)?;
            parts.push((count.checked_mul(factor).ok_or_else(wrong)?, unit));
        }
        if parts.is_empty() {
            return Err(wrong());
        }
        Ok(parts)
    }

    /// An interval of a fixed length, as duration.
    pub(super) fn interval_literal(
        &self,
        interval: &ast::Interval,
        node: &ast::Expr,
    ) -> Result<Expr> {
        let mut micros = 0_i64;
        for (count, unit) in self.interval(interval)? {
            let size = match unit {
                "d" => 86_400_000_000,
                "h" => 3_600_000_000,
                "m" => 60_000_000,
                "s" => 1_000_000,
                "ms" => 1_000,
                "us" => 1,
                "ns" => return self.unsupported("nanoseconds are not supported here", node),
                _ => {
                    return Err(vec![
                        self.error("months have no fixed length", node)
                            .hint("add the interval to a date or time"),
                    ]);
                }
            };
            micros = count
                .checked_mul(size)
                .and_then(|part| micros.checked_add(part))
                .ok_or_else(|| vec![self.invalid("the interval is too long", node)])?;
        }
        Ok(Expr::Literal(Scalar::Duration {
            value: micros,
            unit: laktory_core::TimeUnit::Microsecond,
        }))
    }
}

/// A field of a struct.
pub(super) fn field(expr: Expr, name: &str) -> Expr {
    call(
        Func::StructField,
        vec![Arg::Expr(expr), Arg::Str(name.to_owned())],
    )
}
