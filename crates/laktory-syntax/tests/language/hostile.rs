//! Texts that mean harm end in an error, or in a harmless value, and soon.
//!
//! `data/hostile.jsonl` has one on each line: its parts, each with how often it is repeated, and the reading that must
//! refuse it (`any`: none must). Every text is read in the basic ways, every eighth in all.

use serde::Deserialize;

use crate::*;

#[derive(Deserialize)]
struct Hostile {
    refused: String,
    text: Vec<(String, usize)>,
}

/// Longest time that one reading may take: a second in what users run, more without optimization on a busy machine.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 6 } else { 1 });

/// Reads a text in one way; an error when it takes too long.
fn timed<T>(
    way: &str,
    text: &str,
    read: impl FnOnce() -> Result<T, String>,
) -> Result<Result<T, String>, String> {
    let start = Instant::now();
    let outcome = read();
    let took = start.elapsed();
    if took < LIMIT {
        return Ok(outcome);
    }
    let shown: String = text.chars().take(60).collect();
    Err(format!("{way} took {took:?}: {shown}"))
}

fn described<T: std::fmt::Debug>(outcome: Result<T, impl std::fmt::Debug>) -> Result<(), String> {
    outcome.map(drop).map_err(|error| format!("{error:?}"))
}

/// The outcome of each way of reading; all ways when `all`, else the basic ones.
#[allow(clippy::type_complexity, reason = "ways and their outcomes")]
fn read(text: &str, all: bool) -> Result<Vec<(&'static str, Result<(), String>)>, String> {
    let step_of = |name: &str, args: Json, kwargs: Json| described(step(name, args, kwargs));
    let native_of = |name: &str| described(method(name, &[json!(text)], &Map::new(), Api::Native));
    let aggregates = json!({"groupby_columns": ["k"], "agg_expressions": [text]});
    let nested = json!({"y": {"value": [text, {"value": text}]}});
    let join = json!({"other": text, "on": text, "how": text});
    let mut outcomes = vec![
        (
            "python",
            timed("python", text, || {
                described(python_expression(text, Api::Narwhals))
            })?,
        ),
        (
            "sql",
            timed("sql", text, || described(sql_expression(text)))?,
        ),
        (
            "statement",
            timed("statement", text, || described(sql_statement(text)))?,
        ),
        (
            "select",
            timed("select", text, || {
                step_of("select", json!([text]), json!({}))
            })?,
        ),
    ];
    if all {
        outcomes.extend([
            (
                "native",
                timed("native", text, || {
                    described(python_expression(text, Api::Native))
                })?,
            ),
            (
                "either",
                timed("either", text, || described(column_expr(text, None)))?,
            ),
            ("filter", timed("filter", text, || native_of("filter"))?),
            (
                "nested",
                timed("nested", text, || {
                    step_of("with_columns", json!([]), nested)
                })?,
            ),
            (
                "join",
                timed("join", text, || step_of("join", json!([]), join))?,
            ),
            (
                "aggregates",
                timed("aggregates", text, || {
                    step_of("laktory.groupby_and_agg", json!([]), aggregates)
                })?,
            ),
        ]);
    }
    Ok(outcomes)
}

#[test]
fn hostile_texts_end_soon_in_an_error_or_a_harmless_value() {
    let lines = include_str!("data/hostile.jsonl").lines();
    let cases: Vec<Hostile> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(cases.len() > 900, "{}", cases.len());
    let failed: Vec<String> = cases
        .iter()
        .enumerate()
        .filter_map(|(index, case)| fault(case, index % 8 == 0 || case.refused == "native"))
        .collect();
    assert!(
        failed.is_empty(),
        "{} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

fn fault(case: &Hostile, all: bool) -> Option<String> {
    let text: String = case
        .text
        .iter()
        .map(|(part, times)| part.repeat(*times))
        .collect();
    // A machine that was busy for a moment is no fault of the text.
    let outcomes = match read(&text, all).or_else(|_| read(&text, all)) {
        Ok(outcomes) => outcomes,
        Err(slow) => return Some(slow),
    };
    let accepted = outcomes
        .iter()
        .any(|(way, outcome)| *way == case.refused && outcome.is_ok());
    let shown: String = text.chars().take(60).collect();
    accepted.then(|| format!("{} accepts {shown:?}", case.refused))
}

#[test]
fn deepest_accepted_texts_fit_the_stack() {
    let chain = format!("nw.lit(1){}", " + 1".repeat(190));
    assert!(python_expression(&chain, Api::Narwhals).is_ok());
    let calls = format!("nw.col('x'){}", ".abs()".repeat(60));
    assert!(python_expression(&calls, Api::Narwhals).is_ok());
    let nested = format!("{}nw.col('x'){}", "(".repeat(60), ")".repeat(60));
    assert!(python_expression(&nested, Api::Narwhals).is_ok());
    let mut when = "nw.lit(0)".to_owned();
    for level in 0..20 {
        when = format!("nw.when(nw.col('x') > {level}).then({when})");
    }
    assert!(python_expression(&when, Api::Narwhals).is_ok());
    assert!(sql_expression(&format!("x = 0{}", " OR x = 1".repeat(90))).is_ok());
    assert!(sql_expression(&format!("{}x{}", "(".repeat(60), ")".repeat(60))).is_ok());
    let wide = format!("nw.col('x').is_in([{}])", "1, ".repeat(9_000));
    assert!(python_expression(&wide, Api::Narwhals).is_ok());
}
