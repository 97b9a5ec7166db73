//! What is printed is read back as the same value.

use laktory_syntax::{print, print_dtype};
use proptest::prelude::*;

use crate::generate::Draw;
use crate::*;

/// Reads the printed text of an expression again. Compared as text, since a NaN equals nothing.
pub(crate) fn check(expr: &Expr) -> Result<String, String> {
    let text = print(expr);
    match python_expression(&text, Api::Narwhals) {
        Ok(again) if format!("{again:?}") == format!("{expr:?}") => Ok(text),
        Ok(again) => Err(format!("{text}\n  from {expr:?}\n  to   {again:?}")),
        Err(errors) => Err(format!("{text}\n  from {expr:?}\n  {errors:?}")),
    }
}

#[test]
fn every_function_is_read_back() {
    let mut failed = Vec::new();
    for def in Func::all().filter(|def| def.func != Func::ConvertUnits) {
        for seed in 0..40_u32 {
            let words: Vec<u32> = (1..200_u32)
                .map(|index| (seed + 1).wrapping_mul(2_654_435_761).wrapping_mul(index) >> 7)
                .collect();
            let expr = Draw(&words).call(def, (seed % 3) as usize);
            if let Err(why) = check(&expr) {
                failed.push(format!("{}: {why}", def.path));
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{} failed\n{}",
        failed.len(),
        failed[..failed.len().min(12)].join("\n")
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_expression_is_read_back(words in prop::collection::vec(any::<u32>(), 0..120)) {
        let expr = Draw(&words).expr(4);
        if let Err(why) = check(&expr) {
            prop_assert!(false, "{}", why);
        }
    }

    #[test]
    fn any_type_is_read_back(words in prop::collection::vec(any::<u32>(), 0..40)) {
        let dtype = Draw(&words).dtype(4);
        let cast = format!("nw.col('x').cast({})", print_dtype(&dtype));
        let expected = Expr::Cast { expr: Box::new(col("x")), to: dtype, strict: true };
        prop_assert_eq!(python_expression(&cast, Api::Narwhals), Ok(expected));
    }
}

/// Every text inside of a JSON value.
fn texts(json: &Json, into: &mut Vec<String>) {
    match json {
        Json::String(text) => into.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Json::Object(items) => items.values().for_each(|item| texts(item, into)),
        _ => {}
    }
}

#[test]
fn every_expression_of_the_conformance_cases_is_read_back() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance/cases");
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            match path.extension().and_then(|name| name.to_str()) {
                Some("jsonl") => {
                    for line in text.lines() {
                        let case: Json = serde_json::from_str(line).unwrap();
                        texts(&case["steps"], &mut found);
                    }
                }
                Some("yaml") => {
                    // Expressions of the hand-written cases stand in double quotes.
                    found.extend(text.split('"').skip(1).step_by(2).map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    let mut read = [0, 0];
    let mut failed = Vec::new();
    for text in &found {
        for (language, outcome) in [python_expression(text, Api::Native), sql_expression(text)]
            .into_iter()
            .enumerate()
        {
            if let Ok(expr) = outcome {
                read[language] += 1;
                if let Err(why) = check(&expr) {
                    failed.push(format!("{text}: {why}"));
                }
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{} failed\n{}",
        failed.len(),
        failed[..failed.len().min(12)].join("\n")
    );
    assert!(read[0] > 1_000, "{read:?}");
}

#[test]
fn what_users_write_is_printed_as_they_write_it() {
    for text in [
        "nw.col('x').str.to_uppercase()",
        "nw.col('x') + 1",
        "(nw.col('x') + 1) * 2",
        "nw.col('x') + 1 * nw.col('y')",
        "(nw.col('x') > 1) & ~nw.col('y').is_null() | (nw.col('z') == 'a')",
        "nw.col('x') - (nw.col('y') - nw.col('z'))",
        "-nw.col('x') ** 2",
        "(-nw.col('x')) ** -nw.col('y')",
        "nw.col('x') ** nw.col('y') ** 2",
        "(nw.col('x') ** 2) ** 3",
        "nw.when(nw.col('x') > 1).then(nw.lit('hi')).when(nw.col('x') > 0).then(1).otherwise(nw.col('lo'))",
        "nw.col('v').cum_sum().over('symbol', order_by='created_at')",
        "nw.col('v').first().over(order_by=['a', 'b'], descending=[True, False], nulls_last=True)",
        "nw.col('x').cast(nw.Datetime('us', 'UTC'), strict=False)",
        "nw.selectors.numeric() - (nw.selectors.matches('^i') | nw.selectors.all())",
        "(nw.selectors.numeric() | nw.selectors.string()).name.suffix('_s') * 2",
        "nw.exclude('a', 'b')",
        "nw.lit(datetime.datetime(2024, 2, 29, 12, 30, 1, 5, tzinfo=datetime.timezone.utc))",
        "nw.col('d').is_in([datetime.date(2024, 1, 31), None])",
        "nw.col('t') - datetime.timedelta(days=1, seconds=30)",
        "nw.lit(b'a\\x00\\'')",
        "nw.lit(float('nan'))",
        "nw.lit(-1.5)",
        "nw.lit([1, -2, float('-inf')])",
        "nw.sql.is_not_distinct_from(nw.col('x'), 1)",
        "nw.sql.like(nw.col('s'), 'a!%', False, '!')",
        "nw.col('i').replace_strict({1: 'a'}, default=nw.lit(None))",
        "nw.all_horizontal(nw.col('a'), nw.col('b'), ignore_nulls=True)",
        "nw.col('x').fill_null(strategy='forward', limit=2)",
        "nw.format('{} of {}', nw.col('a'), nw.lit('b'))",
        "nw.lit('a\\nb\\'c')",
    ] {
        assert_eq!(print(&py(text)), text);
    }
}
