//! What the tests of JSON share, and how types meet and faults are told.

mod declared;
mod properties;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use laktory_core::{BlockingPool, Cancel, Error, Field, Result, RunCx};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

struct Inline;

impl BlockingPool for Inline {
    fn spawn(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }
}

fn cx() -> RunCx {
    let scratch = PathBuf::from("scratch");
    RunCx::new(
        Arc::new(Inline),
        Cancel::new(),
        scratch,
        1 << 20,
        SystemTime::now(),
    )
}

fn ask(question: &Question) -> Result<Answer> {
    let (cx, known) = (cx(), Arc::new(Known::default()));
    let mut answer = pin!(question.ask(&cx, &known));
    match answer
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the pool does its work at once"),
    }
}

/// Files of a test.
struct Bench {
    folder: TempDir,
    question: Question,
}

fn bench(layout: Layout, texts: &[&[u8]]) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let sources = texts.iter().enumerate().map(|(index, text)| {
        let path = folder.path().join(format!("{index}.json"));
        std::fs::write(&path, text).unwrap();
        Source::new(path, None)
    });
    let question = Question {
        sources: sources.collect(),
        layout,
        declared: None,
        first: None,
        rows: true,
    };
    Bench { folder, question }
}

impl Bench {
    fn told(&self, error: &Error) -> String {
        let folder = self.folder.path().to_str().unwrap();
        let message = error.message().replace(&format!("{folder}/"), "");
        match error.hint() {
            Some(hint) => format!("{message}; {hint}"),
            None => message,
        }
    }

    fn rows(&self, columns: &[Field], batch_size: usize) -> Result<Vec<Value>> {
        let mut rows = Vec::new();
        for source in &self.question.sources {
            let decoding = Decoding {
                source: source.clone(),
                layout: self.question.layout,
                range: None,
                batch_size,
                complete: false,
            };
            for batch in decode(decoding, columns)? {
                rows.extend(objects(&batch?));
            }
        }
        Ok(rows)
    }

    /// The columns and the rows, or the error.
    fn read(&self) -> std::result::Result<(Vec<Field>, Vec<Value>), String> {
        let answer = ask(&self.question).map_err(|error| self.told(&error))?;
        let rows = self
            .rows(&answer.columns, 1000)
            .map_err(|error| self.told(&error))?;
        if let Some(records) = answer.records {
            assert_eq!(records, rows.len() as u64);
        }
        Ok((answer.columns, rows))
    }
}

fn objects(batch: &RecordBatch) -> Vec<Value> {
    let schema = batch.schema();
    (0..batch.num_rows())
        .map(|row| {
            let fields = schema.fields().iter().zip(batch.columns());
            Value::Object(
                fields
                    .map(|(field, column)| (field.name().clone(), value(column, row)))
                    .collect(),
            )
        })
        .collect()
}

fn value(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::Decimal128(..) => array
            .as_primitive::<Decimal128Type>()
            .value(row)
            .to_string()
            .into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::LargeList(_) => {
            let items = array.as_list::<i64>().value(row);
            (0..items.len()).map(|item| value(&items, item)).collect()
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            Value::Object(
                columns
                    .map(|(field, column)| (field.name().clone(), value(column, row)))
                    .collect(),
            )
        }
        DataType::Date32 => array
            .as_primitive::<arrow_array::types::Date32Type>()
            .value(row)
            .into(),
        other => panic!("{other}"),
    }
}

fn dtype(text: &str) -> String {
    match bench(Layout::Lines, &[text.as_bytes()]).read() {
        Ok((columns, _)) => columns
            .iter()
            .map(|field| format!("{} {}", field.name, field.dtype))
            .collect::<Vec<_>>()
            .join(", "),
        Err(told) => told,
    }
}

#[test]
fn types_meet() {
    for (text, expected) in [
        ("{\"v\":1}\n{\"v\":null}\n{}", "v Int64"),
        ("{\"v\":null}\n{\"w\":true}", "v Null, w Boolean"),
        ("{\"v\":1}\n{\"v\":1.5}", "v Float64"),
        ("{\"v\":9007199254740992}\n{\"v\":1.5}", "v Float64"),
        (
            "{\"v\":1}\n{\"v\":9007199254740993}\n{\"v\":1.5}",
            "`0.json`, line 2: field `v`: the integer `9007199254740993` would lose digits among the fractions of other rows, which are Float64; declare the column with `schema`: as `Decimal(38, 9)` or `String` digits are kept, as `Float64` they are rounded",
        ),
        ("{\"v\":18446744073709551615}\n{\"v\":0}", "v UInt64"),
        (
            "{\"v\":18446744073709551615}\n{\"v\":-1}",
            "v Decimal(precision=38, scale=0)",
        ),
        (
            "{\"v\":18446744073709551616}",
            "v Decimal(precision=38, scale=0)",
        ),
        (
            "{\"v\":1000000000000000000000000000000000000000}",
            "`0.json`, line 1: field `v`: `1000000000000000000000000000000000000000` is too big a number; declare the column with `schema`: as `String` its digits are kept, as `Float64` they are rounded",
        ),
        ("{\"v\":1}\n{\"v\":\"x\"}\n{\"v\":true}", "v String"),
        (
            "{\"v\":{\"a\":1}}\n{\"v\":\"x\"}\n{\"v\":[1, 2]}",
            "v String",
        ),
        ("{\"v\":{}}\n{\"v\":{}}", "v Struct({})"),
        (
            "{\"v\":{}}\n{\"v\":{\"late\":1}}",
            "v Struct({'late': Int64})",
        ),
        ("{\"v\":[]}\n{\"v\":[null]}", "v List(Null)"),
        ("{\"v\":[]}\n{\"v\":[1, 2.5]}", "v List(Float64)"),
        (
            "{\"v\":[{\"a\":1}, {\"b\":[\"x\"]}]}",
            "v List(Struct({'a': Int64, 'b': List(String)}))",
        ),
        (
            "{}\n{}",
            "the objects of `0.json` have no fields, so its columns are not known; declare its columns with `schema`",
        ),
        (
            "",
            "`0.json` is empty, so its columns are not known; declare its columns with `schema`",
        ),
    ] {
        assert_eq!(dtype(text), expected, "{text}");
    }
}

#[test]
fn mixed_values_are_json_texts() {
    let text = b"{\"v\": {\"a\": [1 , \"b c\\\"\"]}}\n{\"v\":\"x\"}\n{\"v\":1.50}\n{\"v\":false}\n{\"v\":null}";
    let (_, rows) = bench(Layout::Lines, &[text]).read().unwrap();
    let values: Vec<&Value> = rows.iter().map(|row| &row["v"]).collect();
    assert_eq!(
        json!(values),
        json!(["{\"a\":[1,\"b c\\\"\"]}", "x", "1.50", "false", null])
    );
}

#[test]
fn faults_are_told_with_their_line() {
    let lines = Layout::Lines;
    let document = Layout::Document;
    for (layout, text, expected) in [
        (
            lines,
            &b"{\"a\":1}\n{\"a\":2,}\n"[..],
            "line 2: a comma without anything behind it",
        ),
        (
            lines,
            b"{\"a\":1}\n\n{\"a\":\"b",
            "line 3: field `a`: the text is cut off: its end is missing",
        ),
        (
            lines,
            b"{\"a\":1}\n{\"a\":",
            "line 2: field `a`: the value is cut off: its end is missing",
        ),
        (
            lines,
            b"{\n\"a\":1}\n",
            "line 1: the value is cut off: its end is missing",
        ),
        (
            lines,
            b"[{\"a\":1},\n{\"a\":2}]",
            "line 1: the file is not JSON lines, but begins with a list (a JSON array); read it with `format: JSON`",
        ),
        (
            lines,
            b"\xEF\xBB\xBF[1]",
            "line 1: the file is not JSON lines, but begins with a list (a JSON array); read it with `format: JSON`",
        ),
        (
            lines,
            b"{\"a\":1}\n[1]",
            "line 2: not a JSON object, but a list; each row is one JSON object",
        ),
        (
            lines,
            b"{\"a\":1}\n7",
            "line 2: not a JSON object, but a number; each row is one JSON object",
        ),
        (
            lines,
            b"{\"a\":1}{\"a\":2}",
            "line 1: something follows the object in its line; each line holds one JSON object, and ends with LF or CRLF",
        ),
        (
            lines,
            b"{\"a\":1}\r{\"a\":2}\r",
            "line 1: something follows the object in its line; each line holds one JSON object, and ends with LF or CRLF",
        ),
        (
            lines,
            b"{\"a\":1,\"b\":2,\"a\":3}",
            "line 1: the name `a` stands twice in one object",
        ),
        (
            lines,
            b"{\"x\":{\"a\":1,\"\\u0061\":3}}",
            "line 1: field `x`: the name `a` stands twice in one object",
        ),
        (
            lines,
            b"{\"a\":\"b\tc\"}",
            "line 1: field `a`: a raw control character (U+0009) in a text; write it as an escape, such as `\\n` or `\\u0001`",
        ),
        (
            lines,
            b"{\"a\":\"\\ud800\"}",
            "line 1: field `a`: `\\ud800` is one half of a surrogate pair without the other, which is no character",
        ),
        (
            lines,
            b"{\"a\":\"\\ud800\\u0041\"}",
            "line 1: field `a`: `\\ud800` is one half of a surrogate pair without the other, which is no character",
        ),
        (
            lines,
            b"{\"a\":\"\\udc00\"}",
            "line 1: field `a`: `\\udc00` is one half of a surrogate pair without the other, which is no character",
        ),
        (
            lines,
            b"{\"a\":\"\\x41\"}",
            "line 1: field `a`: `\\x` begins no escape of JSON",
        ),
        (
            lines,
            b"{\"a\":NaN}",
            "line 1: field `a`: `NaN` is not a value of JSON; write null, or a text",
        ),
        (
            lines,
            b"{\"a\":[1,-Infinity]}",
            "line 1: field `a`: `Infinity` is not a value of JSON; write null, or a text",
        ),
        (
            lines,
            b"{\"a\":01}",
            "line 1: field `a`: `01` is not a number of JSON",
        ),
        (
            lines,
            b"{\"a\":1.}",
            "line 1: field `a`: `1.` is not a number of JSON",
        ),
        (
            lines,
            b"{\"a\":+1}",
            "line 1: field `a`: `+` stands where a value was expected",
        ),
        (
            lines,
            b"{\"a\":1e999}",
            "line 1: field `a`: `1e999` is too big a number",
        ),
        (
            lines,
            b"{a:1}",
            "line 1: `a` stands where a name in double quotes was expected",
        ),
        (
            lines,
            b"{'a':1}",
            "line 1: `\\'` stands where a name in double quotes was expected",
        ),
        (
            lines,
            b"{\"a\" 1}",
            "line 1: `1` stands where `:` was expected",
        ),
        (
            lines,
            b"{\"a\":1 \"b\":2}",
            "line 1: `\"` stands where `,` or `}` was expected",
        ),
        (
            lines,
            b"{\"a\":tru}",
            "line 1: field `a`: `t` stands where a value was expected",
        ),
        (
            lines,
            b"hello",
            "line 1: `h` stands where a value was expected",
        ),
        (
            lines,
            b"{\"a\":1}\n{\"a\":\"\xE9\"}",
            "line 2: the text is not UTF-8; convert the file to UTF-8",
        ),
        (
            lines,
            b"\xFF\xFE{\0",
            "line 1: the text is UTF-16 or UTF-32, not UTF-8; convert the file to UTF-8",
        ),
        (
            lines,
            b"{\0\"\0",
            "line 1: the text is UTF-16 or UTF-32, not UTF-8; convert the file to UTF-8",
        ),
        (
            document,
            b"[{\"a\":1},\n{\"a\":2},\n]",
            "line 3: a comma without anything behind it",
        ),
        (
            document,
            b"[{\"a\":1},\n{\"a\":2}",
            "line 2: the value is cut off: its end is missing",
        ),
        (
            document,
            b"{\"a\":1}\n{\"a\":2}",
            "line 2: something follows the end of the JSON document; a file of one object in each line is read with `format: JSONL`",
        ),
        (
            document,
            b"[{\"a\":1}]]",
            "line 1: something follows the end of the JSON document",
        ),
        (
            document,
            b"[{\"a\":1},\n 7]",
            "line 2: a number stands where a JSON object was expected",
        ),
        (
            document,
            b"7",
            "line 1: a number stands where a JSON object was expected",
        ),
        (
            document,
            b"[{\"a\":1},\n{\"a\":NaN}]",
            "line 2: `NaN` is not a value of JSON",
        ),
        (
            document,
            b"[{\"a\":{\"b\":1,\n\"b\":1}}]",
            "line 2: field `a`: the name `b` stands twice in one object",
        ),
    ] {
        let told = bench(layout, &[text]).read().unwrap_err();
        let told = told.strip_prefix("`0.json`, ").unwrap_or(&told);
        assert!(
            told.starts_with(expected),
            "{:?}\n{told}",
            String::from_utf8_lossy(text)
        );
    }
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    let told = bench(lines, &[deep.as_bytes()]).read().unwrap_err();
    assert!(told.contains("nested deeper than 256 levels"), "{told}");
}
