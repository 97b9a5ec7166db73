//! What to write instead of SQL that cannot be read, and of functions that have no counterpart.

/// A message of the parser in the words of this crate; it stumbled over `word`, with which `rest` begins.
pub(super) fn message(parsers: &str, word: &str, rest: &str) -> String {
    if parsers.starts_with("No infix parser") {
        let signs = rest.find(|char: char| !char.is_ascii_punctuation());
        let near = rest
            .get(..signs.unwrap_or(rest.len()))
            .filter(|signs| !signs.is_empty());
        return format!("`{}` is no operator here", near.unwrap_or(word));
    }
    if parsers.starts_with("Expected: [NOT] NULL | TRUE") {
        return format!("`{word}` cannot follow `IS`");
    }
    if parsers.starts_with("Unterminated string") {
        return "the quote is not closed".to_owned();
    }
    parsers.strip_prefix("Expected: ").map_or_else(
        || parsers.to_owned(),
        |rest| format!("expected {rest}").replace(", found: EOF", ", but the text ends"),
    )
}

/// The word that ends before byte `at`, in upper case.
fn word_before(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or("").trim_end();
    let start = before
        .rfind(|char: char| !char.is_alphanumeric() && char != '_')
        .map_or(0, |index| {
            index + before[index..].chars().next().map_or(1, char::len_utf8)
        });
    before[start..].to_uppercase()
}

/// How to mend a text that the grammar refuses at byte `at`.
pub(super) fn syntax(text: &str, at: usize, message: &str) -> Option<String> {
    let rest = text.get(at..).unwrap_or("");
    let before = text.get(..at).unwrap_or("").trim_end();
    let word: String = rest
        .chars()
        .take_while(|char| char.is_alphanumeric() || *char == '_')
        .collect::<String>()
        .to_uppercase();
    let previous = word_before(text, at);
    let hint = match word.as_str() {
        "AS" => {
            "in `selects`, the new name is the value of a map: `{x: y}`; behind `sql_expr(...)` it is `.alias('y')`"
        }
        "WHEN" | "THEN" | "ELSE" | "END" => "write `CASE WHEN condition THEN value ELSE other END`",
        "ORDER" | "LIMIT" | "WHERE" | "FROM" | "GROUP" | "HAVING" | "UNION" | "QUALIFY" => {
            "this takes one expression; a whole query is a SQL step"
        }
        "ISNULL" => "write `x IS NULL`",
        "DIV" => "write `FLOOR(x / y)`",
        "MOD" => "write `x % y`",
        "GLOB" => "write `LIKE` or `RLIKE`",
        "CONTAINS" | "REGEXP_LIKE" => {
            "write it as a call: `CONTAINS(s, 'a')`, `REGEXP_LIKE(s, 'a')`"
        }
        "NAN" if previous == "IS" => "write `ISNAN(x)`",
        "EMPTY" if previous == "IS" => "write `x = ''`",
        "NONE" if previous == "IS" => "write `x IS NULL`",
        _ if message.ends_with("cannot follow `IS`") => {
            "behind `IS` comes NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM, with or without NOT"
        }
        _ if previous == "IN" => "write `x IN (1, 2)`",
        _ if matches!(previous.as_str(), "SYMMETRIC" | "ASYMMETRIC") => {
            "write `x BETWEEN LEAST(a, b) AND GREATEST(a, b)`"
        }
        _ if previous == "FROM" && text.to_uppercase().contains("TRIM") => {
            "without characters, write `TRIM(s)`, `LTRIM(s)` or `RTRIM(s)`"
        }
        _ if matches!(previous.as_str(), "SELECT" | "WHERE") => {
            "this takes one expression, without SELECT or WHERE"
        }
        _ if message.starts_with("the quote is not closed") => {
            "a quote inside of a text is doubled: `'it''s'`"
        }
        _ => return symbol(rest, before).map(str::to_owned),
    };
    Some(hint.to_owned())
}

fn symbol(rest: &str, before: &str) -> Option<&'static str> {
    Some(if rest.starts_with(';') {
        "leave the semicolon out"
    } else if rest.starts_with("&&") {
        "write `AND`"
    } else if rest.starts_with('!') {
        "write `NOT`, or `<>` for not equal"
    } else if rest.starts_with('#') {
        "a comment begins with `--`"
    } else if rest.starts_with("<<") {
        "write `x * POWER(2, n)`, or `<` to compare"
    } else if rest.starts_with(">>") {
        "write `FLOOR(x / POWER(2, n))`, or `>` to compare"
    } else if rest.starts_with('*') && before.ends_with('*') {
        "write `POWER(x, y)`"
    } else if rest.starts_with('/') && before.ends_with('/') {
        "write `FLOOR(x / y)`"
    } else if rest.starts_with('<') && before.ends_with('=') {
        "write `<=`"
    } else if rest.starts_with("=>") {
        "write `>=`"
    } else if rest.starts_with('<') && before.ends_with('>') {
        "write `<>`"
    } else if rest.starts_with('=') && before.ends_with('=') {
        "write `=`"
    } else if rest.starts_with('{') {
        "frames and variables stand in SQL steps, `{df}`; structs are `STRUCT(x AS a)`"
    } else if rest.starts_with('\u{2264}') {
        "write `<=`"
    } else if rest.starts_with('\u{2265}') {
        "write `>=`"
    } else if rest.starts_with('\u{2260}') {
        "write `<>`"
    } else if rest.starts_with(['\u{2212}', '\u{2013}', '\u{2014}']) {
        "write the minus of the keyboard: `-`"
    } else if rest.starts_with('\u{d7}') {
        "write `*`"
    } else if rest.starts_with(['\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}']) {
        "write straight quotes: `'...'`"
    } else {
        return None;
    })
}

/// Of functions that only engines with SQL of their own have.
const NO_COUNTERPART: &str =
    "there is no counterpart, except on an engine that reads SQL steps itself";

/// Functions that other engines know, and what to write here.
pub(crate) const FUNCTIONS: &[(&str, &str)] = &[
    ("ACOS", NO_COUNTERPART),
    ("APPROX_DISTINCT", "write `APPROX_COUNT_DISTINCT(x)`"),
    ("ARG_MAX", "write `nw.col('x').last(order_by='y')`"),
    ("ARG_MIN", "write `nw.col('x').first(order_by='y')`"),
    ("ARRAY_AGG", NO_COUNTERPART),
    ("ARRAY_AVG", "write `nw.col('l').list.mean()`"),
    ("ARRAY_JOIN", NO_COUNTERPART),
    ("ARRAY_SUM", "write `nw.col('l').list.sum()`"),
    ("ARRAY_TO_STRING", NO_COUNTERPART),
    ("ASIN", NO_COUNTERPART),
    ("ATAN", NO_COUNTERPART),
    ("COLLECT_LIST", NO_COUNTERPART),
    ("COLLECT_SET", NO_COUNTERPART),
    (
        "CONVERT_TIMEZONE",
        "write `nw.col('t').dt.convert_time_zone('...')`",
    ),
    ("COSH", NO_COUNTERPART),
    ("DATENAME", "write `STRFTIME(t, '%B')`"),
    (
        "DATE_BIN",
        "write `DATE_TRUNC('hour', t)`, or `nw.col('t').dt.truncate('15m')`",
    ),
    (
        "DAYNAME",
        "write `STRFTIME(t, '%A')`, or `'%a'` for three letters",
    ),
    (
        "DAYOFWEEK",
        "dialects differ: `EXTRACT(DOW FROM t)` has Sunday 0, `EXTRACT(ISODOW FROM t)` Monday 1",
    ),
    ("DOW", "write `EXTRACT(DOW FROM t)`, Sunday 0"),
    ("DOY", "write `DAYOFYEAR(t)`"),
    ("EXPLODE", "explode the frame, with a step `explode`"),
    ("FORMAT_DATE", "write `STRFTIME(t, '%Y-%m-%d')`"),
    (
        "FROM_UTC_TIMESTAMP",
        "write `nw.col('t').dt.convert_time_zone('...')`",
    ),
    (
        "GET_JSON_OBJECT",
        "declare the type of the column in the schema of the source, and write `a.b`",
    ),
    ("GROUP_CONCAT", NO_COUNTERPART),
    ("ISNUMERIC", "write `TRY_CAST(x AS DOUBLE) IS NOT NULL`"),
    (
        "JSON_EXTRACT",
        "declare the type of the column in the schema of the source, and write `a.b`",
    ),
    (
        "JSON_VALUE",
        "declare the type of the column in the schema of the source, and write `a.b`",
    ),
    ("LIKE", "write `s LIKE 'a%'`"),
    ("LISTAGG", NO_COUNTERPART),
    ("LIST_SUM", "write `nw.col('l').list.sum()`"),
    ("LOCALTIMESTAMP", "write `CURRENT_TIMESTAMP`"),
    ("MAX_BY", "write `nw.col('x').last(order_by='y')`"),
    ("MID", "write `SUBSTRING(s, 2, 3)`"),
    ("MIN_BY", "write `nw.col('x').first(order_by='y')`"),
    ("MODE", "write `nw.col('x').mode(keep='any')`"),
    (
        "MONOTONICALLY_INCREASING_ID",
        "write a step `with_row_index`, with an order",
    ),
    (
        "MONTHNAME",
        "write `STRFTIME(t, '%B')`, or `'%b'` for three letters",
    ),
    ("NANVL", "write `CASE WHEN ISNAN(x) THEN y ELSE x END`"),
    ("PARSE_DATE", "write `TO_DATE(s, '%Y-%m-%d')`"),
    ("PERCENTILE_APPROX", "write `PERCENTILE(x, 0.5)`"),
    ("QUANTILE", "write `QUANTILE_CONT(x, 0.5)`"),
    ("RAND", "write a step `sample` with a `seed`"),
    ("RANDOM", "write a step `sample` with a `seed`"),
    ("REGEXP_COUNT", NO_COUNTERPART),
    (
        "REGEXP_EXTRACT_ALL",
        "there is no counterpart; `REGEXP_EXTRACT` gives the first match",
    ),
    ("REGEXP_INSTR", NO_COUNTERPART),
    ("REPLICATE", NO_COUNTERPART),
    ("ROW", "write `STRUCT(x AS a, y AS b)`"),
    ("SINH", NO_COUNTERPART),
    ("STRING_AGG", NO_COUNTERPART),
    ("STRUCT_PACK", "write `STRUCT(x AS a, y AS b)`"),
    ("SUMIF", "write `SUM(x) FILTER (WHERE condition)`"),
    ("SUM_IF", "write `SUM(x) FILTER (WHERE condition)`"),
    ("TANH", NO_COUNTERPART),
    (
        "TIMESTAMPDIFF",
        "write `DATE_DIFF('hour', a, b)`, which counts the full hours of the clock between them",
    ),
    (
        "TIME_BUCKET",
        "write `DATE_TRUNC('hour', t)`, or `nw.col('t').dt.truncate('15m')`",
    ),
    (
        "TO_CHAR",
        "write `STRFTIME(t, '%Y-%m-%d')` or `DATE_FORMAT(t, 'yyyy-MM-dd')`",
    ),
    ("TO_NUMBER", "write `CAST(s AS DOUBLE)`"),
    (
        "TO_UTC_TIMESTAMP",
        "write `nw.col('t').dt.replace_time_zone('...').dt.convert_time_zone('UTC')`",
    ),
    ("TRANSLATE", "write `REPLACE` for each character"),
    ("TRY_CONVERT", "write `TRY_CAST(x AS INT)`"),
    ("TRY_TO_DATE", "write `TRY_CAST(s AS DATE)`"),
    ("TRY_TO_TIMESTAMP", "write `TRY_CAST(s AS TIMESTAMP)`"),
    ("UNIX_TIMESTAMP", "write `EXTRACT(EPOCH FROM t)`"),
    ("UNNEST", "explode the frame, with a step `explode`"),
    (
        "WEEKDAY",
        "dialects differ: `EXTRACT(DOW FROM t)` has Sunday 0, `EXTRACT(ISODOW FROM t)` Monday 1",
    ),
];

/// What to write instead of a function, by its name in upper case.
pub(super) fn function(name: &str) -> Option<&'static str> {
    if let Some((_, hint)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
        return Some(hint);
    }
    let (root, _) = name.split_once('.').unwrap_or((name, ""));
    match root {
        "NW" | "PL" | "F" | "COL" | "LIT" => {
            Some("this is an expression of the DataFrame API; in SQL a column is its name: `x > 1`")
        }
        _ if name.contains('.') => Some(
            "columns have no methods in SQL: write `x IS NULL`, `UPPER(x)`, or a DataFrame expression",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What looks like a call, and is read by the grammar.
    const SYNTAX: [&str; 5] = ["CAST", "EXTRACT", "FILTER", "STRUCT", "TRY_CAST"];

    /// Names that are called in the code of a hint.
    fn called(hint: &str) -> impl Iterator<Item = &str> {
        let code = hint.split('`').skip(1).step_by(2);
        code.flat_map(|code| {
            code.match_indices('(').filter_map(|(at, _)| {
                let before = &code[..at];
                let start = before.rfind(|char: char| !(char.is_ascii_uppercase() || char == '_'));
                Some(&before[start.map_or(0, |start| start + 1)..]).filter(|name| !name.is_empty())
            })
        })
    }

    #[test]
    fn hints_name_what_there_is() {
        for (name, hint) in FUNCTIONS {
            for called in called(hint) {
                let known = SYNTAX.contains(&called)
                    || crate::sql::calls::names().any(|known| known == called);
                assert!(
                    known && !FUNCTIONS.iter().any(|(refused, _)| *refused == called),
                    "{name}: {hint}"
                );
            }
            let mut code = hint
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|code| code.starts_with("nw."));
            let wrong = code.find(|code| {
                crate::python_expression(&code.replace("'...'", "'UTC'"), crate::Api::Narwhals)
                    .is_err()
            });
            assert_eq!(wrong, None, "{name}: {hint}");
        }
    }
}
