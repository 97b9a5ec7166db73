//! Tables of WITH that read each other several times over. Engines take a table for what it stands for, so that a chain of
//! self-joins is twice as much with each table.

use std::collections::HashMap;
use std::ops::Range;

use super::width::Token;
use crate::diagnostic::FragmentError;

/// Most copies of the tables that stand behind one of them.
const MAX_COPIES: u64 = 2_000;

/// Refuses tables that stand for more copies than engines plan in good time.
///
/// # Errors
/// The first of them.
pub(super) fn check(tokens: &[Token<'_>]) -> Result<(), FragmentError> {
    let mut known: HashMap<String, u64> = HashMap::new();
    for at in 0..tokens.len() {
        let Some((name, body)) = table(tokens, at) else {
            continue;
        };
        let copies = body.fold(1_u64, |copies, at| {
            let read = is_alone(tokens, at)
                .then(|| known.get(&folded(&tokens[at])))
                .flatten();
            copies.saturating_add(read.copied().unwrap_or(0))
        });
        if copies > MAX_COPIES {
            let message = format!(
                "the tables of WITH are read several times over: `{}` stands for more than {MAX_COPIES} of them",
                name.text
            );
            let range = name.start..name.start + name.text.len();
            return Err(FragmentError::new("too-large", message, range)
                .hint("make a node or a step of its own of what is read several times: it is computed once"));
        }
        known.insert(folded(name), copies);
    }
    Ok(())
}

/// Names are equal in any case, and in quotes.
fn folded(name: &Token<'_>) -> String {
    name.text.trim_matches(['"', '`']).to_lowercase()
}

/// Whether a name stands alone: it is no qualifier, and not qualified.
fn is_alone(tokens: &[Token<'_>], at: usize) -> bool {
    let is_dot = |at: Option<usize>| {
        at.and_then(|at| tokens.get(at))
            .is_some_and(|token| token.text == ".")
    };
    !is_dot(at.checked_sub(1)) && !is_dot(Some(at + 1))
}

/// The name and the tokens of the table of WITH whose query begins at a bracket: `name AS (`, `name (a, b) AS (`.
fn table<'t, 'a>(tokens: &'t [Token<'a>], at: usize) -> Option<(&'t Token<'a>, Range<usize>)> {
    let is = |at: usize, word: &str| {
        tokens
            .get(at)
            .is_some_and(|token| token.text.eq_ignore_ascii_case(word))
    };
    let starts = ["SELECT", "WITH", "("].iter().any(|word| is(at + 1, word));
    if !is(at, "(") || !starts {
        return None;
    }
    let mut before = at.checked_sub(1)?;
    if is(before, "MATERIALIZED") {
        before = before.checked_sub(1)?;
        before = if is(before, "NOT") {
            before.checked_sub(1)?
        } else {
            before
        };
    }
    if !is(before, "AS") {
        return None;
    }
    let mut name = before.checked_sub(1)?;
    if is(name, ")") {
        while !is(name, "(") {
            name = name.checked_sub(1)?;
        }
        name = name.checked_sub(1)?;
    }
    let introduced = name.checked_sub(1)?;
    if !["WITH", "RECURSIVE", ","]
        .iter()
        .any(|word| is(introduced, word))
    {
        return None;
    }
    let mut depth = 0_usize;
    let end = (at..tokens.len()).find(|at| {
        match tokens[*at].text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    Some((tokens.get(name)?, at + 1..end.unwrap_or(tokens.len())))
}

#[cfg(test)]
mod tests {
    use crate::sql_statement;

    fn chain(length: usize, table: impl Fn(usize) -> String) -> String {
        let tables: Vec<String> = (1..=length).map(table).collect();
        format!(
            "WITH t0 AS (SELECT x FROM {{df}}), {} SELECT x FROM t{length}",
            tables.join(", ")
        )
    }

    #[test]
    fn tables_that_double_are_refused() {
        let twice = |n: usize| {
            let above = n - 1;
            format!("t{n} AS (SELECT a.x FROM t{above} a JOIN T{above} b ON a.x = b.x)")
        };
        let named = |n: usize| {
            let above = n - 1;
            format!("t{n} (x) AS NOT MATERIALIZED (SELECT a.x FROM t{above} a, \"t{above}\" b)")
        };
        for text in [chain(20, twice), chain(12, named)] {
            let error = sql_statement(&text).unwrap_err().remove(0);
            assert_eq!(error.code, "too-large", "{text}");
        }
        let once = |n: usize| format!("t{n} AS (SELECT t{0}.x FROM t{0} WHERE t{0}.x > 1)", n - 1);
        for text in [chain(6, twice), chain(90, once)] {
            assert!(sql_statement(&text).is_ok(), "{text}");
        }
    }
}
