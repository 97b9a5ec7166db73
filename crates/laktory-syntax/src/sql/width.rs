//! Wide and deep statements, before any parser sees them. Parsers make a tree as deep as a chain is long, and engines
//! walk it recursively: long chains of AND, OR and UNION get parentheses that keep the tree flat, and what would be
//! deep all the same is refused.

use std::ops::Range;

use crate::diagnostic::FragmentError;

/// Deepest nesting of brackets and `CASE`s; parsers of engines stop at a comparable depth.
const MAX_NESTING: usize = 45;
/// Longest chain of operators that parentheses cannot shorten, such as `a + b + c`.
const MAX_CHAIN: usize = 500;
/// What an interval counts for in such a chain, beside its sign.
const INTERVAL_COST: usize = 3;
/// Longest chain of OR.
pub(super) const MAX_ORS: usize = 5_000;
/// Longest chain of AND: engines take such chains apart, and look at each term beside each other.
pub(super) const MAX_ANDS: usize = 500;
/// What to do about chains that are longer.
pub(super) const MANY_TERMS: &str = "write `x IN (...)` or `x NOT IN (...)`, or put the values into a table of their own and join it";
/// Longest chain of UNION, INTERSECT and EXCEPT.
const MAX_SETS: usize = 500;
/// Most branches of a `CASE`.
const MAX_BRANCHES: usize = 2_500;
/// Most joins.
const MAX_JOINS: usize = 100;
/// Most sub-queries: each is a join, and engines walk what stands below it.
const MAX_QUERIES: usize = 100;
/// Most tables of WITH: each may read the one before it, and engines walk such a chain again for each of them.
const MAX_TABLES: usize = 100;
/// Operands of a chain that stay side by side.
const SIDE_BY_SIDE: usize = 16;

/// A word or sign of the statement that is neither blank nor comment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
    /// A quoted text or name, or a placeholder.
    pub(super) opaque: bool,
}

impl Token<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    fn is(&self, word: &str) -> bool {
        !self.opaque && self.text.eq_ignore_ascii_case(word)
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    fn is_sign(&self) -> bool {
        !self.opaque
            && !self
                .text
                .starts_with(|c: char| c.is_alphanumeric() || c == '_')
    }
}

/// Operands between separators of one kind.
#[derive(Debug, Default)]
struct Chain {
    /// Where the first operand begins; none where a chain cannot be told from what is around it.
    begin: Option<usize>,
    separators: Vec<Range<usize>>,
    /// The separators differ, so that operands cannot be grouped.
    mixed: bool,
}

impl Chain {
    fn starting(begin: usize) -> Self {
        Self {
            begin: Some(begin),
            ..Self::default()
        }
    }
}

/// What is open at a bracket, a `CASE`, or the statement itself.
#[derive(Debug, Default)]
struct Level {
    is_case: bool,
    /// Between FROM and what follows it, where commas join.
    joins: bool,
    branches: usize,
    /// Operators since the last place at which another operand begins.
    operators: usize,
    betweens: usize,
    or: Chain,
    and: Chain,
    sets: Chain,
    /// Whether tables of WITH come before the first query.
    with: bool,
    /// Whether it is a table of WITH or an operand of a set operation, which are counted as such.
    is_operand: bool,
    /// The separators of `sets`, without blanks.
    set_kind: String,
    set_count: usize,
}

/// Words behind which a condition begins.
const CONDITIONS: &[&str] = &["WHERE", "ON", "HAVING", "QUALIFY", "WHEN"];
/// Words that end an expression.
const ENDS: &[&str] = &[
    "GROUP",
    "ORDER",
    "LIMIT",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "FROM",
    "SELECT",
    "JOIN",
    "INNER",
    "FULL",
    "CROSS",
    "NATURAL",
    "THEN",
    "ELSE",
    "END",
    "AS",
    "WINDOW",
    "OFFSET",
    "FETCH",
    "USING",
];
/// Operators that are words.
const OPERATORS: &[&str] = &[
    "NOT", "IS", "IN", "LIKE", "ILIKE", "RLIKE", "SIMILAR", "BETWEEN", "COLLATE", "XOR", "DIV",
    "AT", "INTERVAL",
];

/// The parentheses that a statement needs to have a flat tree: positions, in order, with what stands there.
///
/// # Errors
/// A statement that is deeper or wider than any engine takes.
pub(super) fn parentheses(tokens: &[Token<'_>]) -> Result<Vec<(usize, char)>, FragmentError> {
    let mut scan = Scan {
        levels: vec![Level::default()],
        out: Vec::new(),
        joins: 0,
        tables: 0,
        queries: 0,
    };
    for at in 0..tokens.len() {
        scan.token(tokens, at)?;
    }
    let end = tokens.last().map_or(0, Token::end);
    while !scan.levels.is_empty() {
        scan.close(end);
    }
    scan.out.sort_by_key(|(at, _)| *at);
    Ok(scan.out)
}

struct Scan {
    levels: Vec<Level>,
    out: Vec<(usize, char)>,
    joins: usize,
    tables: usize,
    queries: usize,
}

impl Scan {
    fn token(&mut self, tokens: &[Token<'_>], at: usize) -> Result<(), FragmentError> {
        let token = tokens[at];
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let after = tokens.get(at + 1);
        let end_before = before.map_or(token.start, Token::end);
        // What follows a dot is a name, whatever it spells.
        if token.opaque || before.is_some_and(|before| before.is(".")) {
            return Ok(());
        }
        match token.text {
            "(" | "[" => {
                let tables = self.tables;
                if before.is_some_and(|before| before.is_any(&["AS", "MATERIALIZED"])) {
                    self.table(token)?;
                }
                if token.text == "[" {
                    // `x[1][1]` is a chain too.
                    self.operator(token)?;
                }
                let level = self.level();
                let separator = level.sets.separators.last();
                let is_operand = separator.is_some_and(|last| last.end == end_before)
                    || (level.is_operand && before.is_some_and(|before| before.is("(")));
                let starts_set = after.is_some_and(|after| after.is("SELECT") || after.is("("));
                self.open(token, false, starts_set)?;
                self.level().is_operand = is_operand || self.tables > tables;
                return Ok(());
            }
            ")" | "]" => {
                if self.levels.len() > 1 {
                    self.close(end_before);
                }
                return Ok(());
            }
            "," => {
                self.end_expression(end_before);
                if self.level().joins {
                    return self.join(token);
                }
            }
            text if token.is_sign() => {
                // `a.b.c` and `x::INT` are chains too.
                if text != "{" && text != "}" {
                    return self.operator(token);
                }
            }
            _ => return self.word(token, after, end_before),
        }
        Ok(())
    }

    fn word(
        &mut self,
        token: Token<'_>,
        after: Option<&Token<'_>>,
        end_before: usize,
    ) -> Result<(), FragmentError> {
        let is_call = after.is_some_and(|after| after.is("("));
        if token.is("CASE") {
            return self.open(token, true, false);
        }
        if token.is("END") && self.level().is_case {
            self.close(end_before);
            return Ok(());
        }
        if token.is("OR") || token.is("AND") {
            return self.logical(token, end_before);
        }
        if token.is_any(OPERATORS) {
            if token.is("BETWEEN") {
                self.level().betweens += 1;
            }
            if token.is("INTERVAL") {
                // Calendars take more room than numbers.
                self.level().operators += INTERVAL_COST;
            }
            return self.operator(token);
        }
        if token.is_any(CONDITIONS) {
            self.end_expression(end_before);
            if !token.is("ON") {
                self.level().joins = false;
            }
            if token.is("WHEN") {
                self.level().branches += 1;
                if self.level().branches > MAX_BRANCHES {
                    return Err(too_large(
                        format!("a CASE has at most {MAX_BRANCHES} branches"),
                        token,
                        "put keys and values into a table of their own and join it",
                    ));
                }
            }
            let begin = token.end();
            let level = self.level();
            level.or = Chain::starting(begin);
            level.and = Chain::starting(begin);
            return Ok(());
        }
        if token.is_any(&["UNION", "INTERSECT", "EXCEPT", "MINUS"]) && !is_call {
            self.end_expression(end_before);
            return self.set_operator(token, after);
        }
        if token.is("ALL") || token.is("DISTINCT") {
            let level = self.level();
            if let Some(last) = level.sets.separators.last_mut()
                && last.end == end_before
            {
                last.end = token.end();
            } else {
                // `COUNT(DISTINCT a OR b)`.
                level.or.begin = None;
                level.and.begin = None;
            }
            return Ok(());
        }
        if token.is("JOIN") {
            self.join(token)?;
        }
        if token.is("FROM") {
            self.level().joins = true;
        } else if token.is_any(&["SELECT", "GROUP", "ORDER", "WINDOW", "LIMIT"]) {
            self.level().joins = false;
        }
        if token.is_any(&["ORDER", "LIMIT", "OFFSET", "FETCH"])
            && !self.level().sets.separators.is_empty()
        {
            self.end_expression(end_before);
            self.end_sets(end_before);
            return Ok(());
        }
        let side = token.is("LEFT") || token.is("RIGHT");
        let ends = side || token.is_any(ENDS);
        if ends && !is_call || token.is("USING") {
            self.end_expression(end_before);
        }
        if token.is("WITH") && self.level().sets.begin.is_none() {
            self.level().with = true;
        }
        if token.is("SELECT") {
            self.query(token)?;
            let level = self.level();
            level.with = false;
            if level.sets.begin.is_none() && level.sets.separators.is_empty() {
                level.sets.begin = Some(token.start);
            }
        }
        Ok(())
    }

    /// A bracket that may be a table of WITH.
    fn table(&mut self, token: Token<'_>) -> Result<(), FragmentError> {
        self.tables += usize::from(self.level().with);
        if self.tables <= MAX_TABLES {
            return Ok(());
        }
        Err(too_large(
            format!("WITH has at most {MAX_TABLES} tables"),
            token,
            "split the statement into several steps",
        ))
    }

    fn join(&mut self, token: Token<'_>) -> Result<(), FragmentError> {
        self.joins += 1;
        if self.joins <= MAX_JOINS {
            return Ok(());
        }
        Err(too_large(
            format!("a statement has at most {MAX_JOINS} joins"),
            token,
            "split it into several nodes",
        ))
    }

    /// The first SELECT within brackets is a sub-query.
    fn query(&mut self, token: Token<'_>) -> Result<(), FragmentError> {
        let within = self.levels.len() > 1;
        let level = self.level();
        let first = level.sets.begin.is_none() && level.sets.separators.is_empty();
        let counted = within && first && !level.is_operand;
        self.queries += usize::from(counted);
        if self.queries <= MAX_QUERIES {
            return Ok(());
        }
        Err(too_large(
            format!("a statement has at most {MAX_QUERIES} sub-queries"),
            token,
            "split it into several nodes, or join a table of what is sought",
        ))
    }

    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn open(
        &mut self,
        token: Token<'_>,
        is_case: bool,
        starts_set: bool,
    ) -> Result<(), FragmentError> {
        if self.levels.len() > MAX_NESTING {
            return Err(too_large(
                format!("the statement is nested too deeply: more than {MAX_NESTING} brackets"),
                token,
                "split it into several steps",
            ));
        }
        // `(SELECT ...) UNION (SELECT ...)` at the beginning of a level.
        let outer = self.level();
        let untouched = outer.operators == 0 && outer.or.begin.is_none();
        let first = starts_set && untouched && !outer.with;
        if first && outer.sets.begin.is_none() && outer.sets.separators.is_empty() {
            outer.sets.begin = Some(token.start);
        }
        let mut level = Level {
            is_case,
            ..Level::default()
        };
        if !is_case && token.text == "(" && !starts_set {
            level.or = Chain::starting(token.end());
            level.and = Chain::starting(token.end());
        }
        self.levels.push(level);
        Ok(())
    }

    fn close(&mut self, end: usize) {
        self.end_expression(end);
        self.end_sets(end);
        self.levels.pop();
    }

    fn operator(&mut self, token: Token<'_>) -> Result<(), FragmentError> {
        self.level().operators += 1;
        let chained: usize = self.levels.iter().map(|level| level.operators).sum();
        if chained <= MAX_CHAIN {
            return Ok(());
        }
        Err(too_large(
            format!("more than {MAX_CHAIN} operators are chained"),
            token,
            "split it into several steps, or use a function that takes a list",
        ))
    }

    fn logical(&mut self, token: Token<'_>, end_before: usize) -> Result<(), FragmentError> {
        let level = self.level();
        if token.is("AND") && level.betweens > 0 {
            level.betweens -= 1;
            return Ok(());
        }
        if level.or.begin.is_none() {
            return self.operator(token);
        }
        level.operators = 0;
        level.betweens = 0;
        let separator = token.start..token.end();
        if token.is("OR") {
            self.end_and(end_before);
            let level = self.level();
            level.or.separators.push(separator);
            level.and = Chain::starting(token.end());
        } else {
            level.and.separators.push(separator);
        }
        let level = self.level();
        let ands = level.and.separators.len() >= MAX_ANDS;
        if !ands && level.or.separators.len() < MAX_ORS {
            return Ok(());
        }
        let (most, word) = most_terms(ands);
        let message = format!("a condition has at most {most} terms of {word}");
        Err(too_large(message, token, MANY_TERMS))
    }

    fn set_operator(
        &mut self,
        token: Token<'_>,
        after: Option<&Token<'_>>,
    ) -> Result<(), FragmentError> {
        let level = self.level();
        let quantifier = after.filter(|after| after.is("ALL")).is_some();
        let kind = format!("{} {quantifier}", token.text.to_ascii_uppercase());
        let by_name = after.is_some_and(|after| after.is("BY"));
        if level.sets.separators.is_empty() {
            level.set_kind.clone_from(&kind);
        }
        // Only unions may be grouped in any way.
        let groups = token.is("UNION") && kind == level.set_kind && !by_name;
        level.sets.mixed |= !groups;
        level.sets.separators.push(token.start..token.end());
        level.set_count += 1;
        let most = if level.sets.mixed {
            MAX_NESTING
        } else {
            MAX_SETS
        };
        if level.set_count < most {
            return Ok(());
        }
        Err(too_large(
            format!("more than {most} queries are put together by UNION, INTERSECT and EXCEPT"),
            token,
            "split the statement into several nodes, or read the files as one folder",
        ))
    }

    /// The end of a condition, or of another expression.
    fn end_expression(&mut self, end: usize) {
        self.end_and(end);
        let level = self.level();
        let or = std::mem::take(&mut level.or);
        level.and = Chain::default();
        level.operators = 0;
        level.betweens = 0;
        self.group(or, end);
    }

    fn end_and(&mut self, end: usize) {
        let and = std::mem::take(&mut self.level().and);
        self.group(and, end);
    }

    fn end_sets(&mut self, end: usize) {
        let sets = std::mem::take(&mut self.level().sets);
        self.group(sets, end);
    }

    /// Parentheses around the operands of a long chain, so that they make a balanced tree.
    fn group(&mut self, chain: Chain, end: usize) {
        let Some(begin) = chain.begin else { return };
        if chain.mixed || chain.separators.len() < SIDE_BY_SIDE {
            return;
        }
        let starts = std::iter::once(begin).chain(chain.separators.iter().map(|cut| cut.end));
        let ends = chain.separators.iter().map(|cut| cut.start);
        let operands: Vec<Range<usize>> = starts
            .zip(ends.chain([end]))
            .map(|(start, end)| start..end)
            .collect();
        if operands.iter().all(|operand| operand.start < operand.end) {
            self.halve(&operands);
        }
    }

    fn halve(&mut self, operands: &[Range<usize>]) {
        if operands.len() <= SIDE_BY_SIDE {
            return;
        }
        let (left, right) = operands.split_at(operands.len() / 2);
        for half in [left, right] {
            if let [first, .., last] = half {
                self.out.push((first.start, '('));
                self.out.push((last.end, ')'));
                self.halve(half);
            }
        }
    }
}

/// The limit of a chain, and its operator.
pub(super) fn most_terms(of_and: bool) -> (usize, &'static str) {
    match of_and {
        true => (MAX_ANDS, "AND"),
        false => (MAX_ORS, "OR"),
    }
}

fn too_large(message: String, token: Token<'_>, hint: &str) -> FragmentError {
    FragmentError::new("too-large", message, token.start..token.end()).hint(hint)
}

#[cfg(test)]
mod tests;
