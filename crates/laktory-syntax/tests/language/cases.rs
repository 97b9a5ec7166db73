//! Tables of texts and what becomes of them, in `tests/language/data`: `text => canonical form`, `text => ! code`, or
//! `text => ! code | part of the hint`. Lines that begin with `#` are notes.

use laktory_syntax::print;

use crate::*;

struct Case<'a> {
    text: &'a str,
    expected: &'a str,
}

fn cases(data: &str) -> impl Iterator<Item = Case<'_>> {
    data.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (text, expected) = line.split_once(" => ").unwrap_or((line, ""));
            Case { text, expected }
        })
}

/// Compares every line; all that differ are reported at once.
fn compare(data: &str, parse: impl Fn(&str) -> Result<String, FragmentError>) {
    let mut wrong = Vec::new();
    for Case { text, expected } in cases(data) {
        let found = match parse(text) {
            Ok(printed) => printed,
            Err(error) => {
                let hint = error.hint.unwrap_or_default();
                match expected
                    .strip_prefix("! ")
                    .map(|rest| rest.split_once(" | "))
                {
                    Some(Some((code, part))) if code == error.code && hint.contains(part) => {
                        expected.to_owned()
                    }
                    Some(None) if hint.is_empty() => format!("! {}", error.code),
                    _ => format!("! {} | {hint}", error.code),
                }
            }
        };
        if found != expected {
            wrong.push(format!("{text} => {found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn python(text: &str, api: Api) -> Result<String, FragmentError> {
    python_expression(text, api)
        .map_err(|mut errors| errors.remove(0))
        .inspect(|expr| {
            crate::print::check(expr).unwrap();
        })
        .map(|expr| print(&expr))
}

#[test]
fn the_common_api() {
    compare(include_str!("data/narwhals.txt"), |text| {
        python(text, Api::Narwhals)
    });
}

#[test]
fn polars_and_spark_vocabulary() {
    compare(include_str!("data/native.txt"), |text| {
        python(text, Api::Native)
    });
}

#[test]
fn scalar_sql() {
    compare(include_str!("data/sql.txt"), |text| {
        sql_expression(text)
            .map_err(|mut errors| errors.remove(0))
            .inspect(|expr| {
                crate::print::check(expr).unwrap();
            })
            .map(|expr| print(&expr))
    });
}

#[test]
fn mistakes_have_hints() {
    compare(include_str!("data/hints.txt"), |text| {
        python(text, Api::Narwhals)
    });
}

/// `method [positional arguments]`, in JSON.
fn native_step(text: &str, api: Api) -> Result<String, FragmentError> {
    let (name, args) = text.split_once(' ').unwrap();
    let args: Vec<Json> =
        serde_json::from_str(args).unwrap_or_else(|error| panic!("{text}: {error}"));
    method(name, &args, &Map::new(), api)
        .map(|ops| {
            let ops: Vec<String> = ops.iter().map(laktory_syntax::print_op).collect();
            ops.join(".")
        })
        .map_err(|mut errors| errors.remove(0).error)
}

#[test]
fn native_steps() {
    compare(include_str!("data/steps.txt"), |text| {
        native_step(text, Api::Native)
    });
}
