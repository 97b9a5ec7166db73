use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use laktory_core::{BlockingPool, Cancel, DType, Error, Field, Result, RunCx};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
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

/// A value as a column of a type holds it.
fn held(value: &Value, dtype: &DType) -> Value {
    match (value, dtype) {
        (Value::Null, _) => Value::Null,
        (Value::Number(number), DType::Float64) => number.as_f64().unwrap().into(),
        (Value::Number(number), DType::Decimal { .. }) => number.to_string().into(),
        (Value::String(_), DType::String) => value.clone(),
        (value, DType::String) => serde_json::to_string(value).unwrap().into(),
        (Value::Array(items), DType::List(inner)) => {
            items.iter().map(|item| held(item, inner)).collect()
        }
        (Value::Object(object), DType::Struct(fields)) => held_row(object, fields),
        (value, _) => value.clone(),
    }
}

fn held_row(object: &Map<String, Value>, fields: &[Field]) -> Value {
    let null = Value::Null;
    let fields = fields.iter().map(|field| {
        let value = object.get(&field.name).unwrap_or(&null);
        (field.name.clone(), held(value, &field.dtype))
    });
    Value::Object(fields.collect())
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000_i64..1000).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9_f64..1e9).prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            any_object(inner),
        ]
    })
}

fn any_object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let key = prop_oneof![4 => "[a-d]", 1 => "[\"\\\\a\u{e9}\n]{0,3}"];
    proptest::collection::btree_map(key, value, 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn values_are_those_of_another_reader(rows in proptest::collection::vec(any_object(any_value()), 1..6), cut in 1_usize..4) {
        let lines: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
        let pretty = serde_json::to_string_pretty(&rows).unwrap();
        for (layout, text) in [(Layout::Lines, lines.join("\n")), (Layout::Lines, lines.join(" \r\n\n")), (Layout::Document, pretty)] {
            let bench = bench(layout, &[text.as_bytes()]);
            let answer = match ask(&bench.question) {
                Ok(answer) => answer,
                // Integers among fractions, or no fields at all.
                Err(error) => {
                    let told = bench.told(&error);
                    prop_assert!(told.contains("would lose digits") || told.contains("have no fields"), "{}", told);
                    continue;
                }
            };
            prop_assert_eq!(answer.records, Some(rows.len() as u64));
            let expected: Vec<Value> = rows
                .iter()
                .map(|row| held_row(row.as_object().unwrap(), &answer.columns))
                .collect();
            prop_assert_eq!(bench.rows(&answer.columns, cut).unwrap(), expected);
        }
    }

    #[test]
    fn mutants_are_read_by_both_or_refused_by_both(at in 0_usize..400, byte in any::<u8>(), how in 0..4, document in any::<bool>()) {
        let rows = [
            json!({"a": 1, "b": "x\u{e9}\"\n", "c": [1.5, null, {"d": true}], "e": 12345678901234567890_u64}),
            json!({"b": "\u{1f600}", "a": -1e300, "c": [], "f": {"g": {}}}),
            json!({"a": null, "e": "mixed", "h": [[1], [2, "3"]]}),
        ];
        let layout = if document { Layout::Document } else { Layout::Lines };
        let mut text = if document {
            serde_json::to_vec(&rows).unwrap()
        } else {
            rows.map(|row| serde_json::to_string(&row).unwrap()).join("\n").into_bytes()
        };
        let at = at % text.len();
        match how {
            0 => text[at] = byte,
            1 => text.truncate(at),
            2 => text.insert(at, byte),
            _ => { text.remove(at); }
        }
        let bench = bench(layout, &[&text]);
        match ask(&bench.question) {
            Ok(answer) => {
                let rows = bench.rows(&answer.columns, 2);
                prop_assert!(rows.is_ok(), "{:?}", rows);
                prop_assert_eq!(answer.records, Some(rows.unwrap().len() as u64));
                let standard: std::result::Result<Vec<Value>, _> = if document {
                    serde_json::from_slice(&text).map(|value| vec![value])
                } else {
                    text.split(|byte| *byte == b'\n')
                        .filter(|line| !line.trim_ascii().is_empty())
                        .map(serde_json::from_slice)
                        .collect()
                };
                prop_assert!(standard.is_ok(), "{:?}", standard);
            }
            Err(error) => prop_assert!(error.kind() == laktory_core::ErrorKind::ConversionFailed, "{:?}", error),
        }
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
            "line 1: a raw control character (U+0009) in a text; write it as an escape, such as `\\n` or `\\u0001`",
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
            "line 2: field `a`: `NaN` is not a value of JSON",
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

#[test]
fn declared_columns_take_what_fits_them() {
    let check = |dtype: DType, value: &str| {
        let text = format!("{{\"u\":{{\"x\":1}}}}\n{{\"v\":{value},\"other\":[1]}}");
        let mut bench = bench(Layout::Lines, &[text.as_bytes()]);
        bench.question.declared = Some(vec![Field::new("v", dtype)]);
        match bench.read() {
            Ok((_, rows)) => rows[1]["v"].to_string(),
            Err(told) => told
                .split(';')
                .next()
                .unwrap_or_default()
                .replace("`0.json`, line 2: field ", ""),
        }
    };
    let decimal = |precision, scale| DType::Decimal {
        precision: Some(precision),
        scale,
    };
    for (dtype, value, expected) in [
        (DType::Int64, "12", "12"),
        (DType::Int64, "2.0", "2"),
        (DType::Int64, "2e3", "2000"),
        (DType::Int64, "null", "null"),
        (DType::Int64, "1.5", "`v`: `1.5` is not of type Int64"),
        (DType::Int64, "\"12\"", "`v`: `\"12\"` is not of type Int64"),
        (
            DType::Int64,
            "9223372036854775808",
            "`v`: `9223372036854775808` is not of type Int64",
        ),
        (DType::Int64, "true", "`v`: `true` is not of type Int64"),
        (
            DType::Int32,
            "2147483648",
            "`v`: `2147483648` is not of type Int32",
        ),
        (
            DType::UInt64,
            "18446744073709551615",
            "18446744073709551615",
        ),
        (DType::UInt64, "-1", "`v`: `-1` is not of type UInt64"),
        (DType::Float64, "9007199254740993", "9007199254740992.0"),
        (
            DType::Float64,
            "1e400",
            "`v`: `1e400` is not of type Float64",
        ),
        (
            DType::Float64,
            "\"1\"",
            "`v`: `\"1\"` is not of type Float64",
        ),
        (DType::Boolean, "1", "`v`: `1` is not of type Boolean"),
        (DType::String, "1.50", "\"1.50\""),
        (
            DType::String,
            "{\"a\": [1, \"x y\"]}",
            "\"{\\\"a\\\":[1,\\\"x y\\\"]}\"",
        ),
        (decimal(10, 2), "1.5", "\"150\""),
        (decimal(10, 2), "\"-1.50\"", "\"-150\""),
        (
            decimal(10, 2),
            "1.505",
            "`v`: `1.505` is not of type Decimal(precision=10, scale=2)",
        ),
        (
            decimal(4, 2),
            "100",
            "`v`: `100` is not of type Decimal(precision=4, scale=2)",
        ),
        (
            decimal(38, 0),
            "12345678901234567890123456789012345678",
            "\"12345678901234567890123456789012345678\"",
        ),
        (DType::Date, "\"1970-01-03\"", "2"),
        (
            DType::Date,
            "\"1970-13-03\"",
            "`v`: `\"1970-13-03\"` is not of type Date",
        ),
        (DType::Date, "5", "`v`: `5` is not of type Date"),
        (DType::List(Box::new(DType::Int64)), "null", "null"),
        (DType::List(Box::new(DType::Int64)), "[1, null]", "[1,null]"),
        (
            DType::List(Box::new(DType::Int64)),
            "[1, \"x\"]",
            "`v`: `\"x\"` is not of type Int64",
        ),
        (
            DType::List(Box::new(DType::Int64)),
            "{}",
            "`v`: `{}` is not of type List(Int64)",
        ),
        (
            DType::Struct(vec![Field::new("a", DType::Int64)]),
            "{\"b\":1}",
            "{\"a\":null}",
        ),
        (
            DType::Struct(vec![Field::new("a", DType::Int64)]),
            "{\"a\":\"x\"}",
            "`v.a`: `\"x\"` is not of type Int64",
        ),
        (DType::Null, "1", "`v`: `1` is not of type Null"),
    ] {
        assert_eq!(check(dtype.clone(), value), expected, "{dtype} {value}");
    }
    let error = decode(
        Decoding {
            source: Source::new("x", None),
            layout: Layout::Lines,
            range: None,
            batch_size: 1,
            complete: false,
        },
        &[Field::new("v", DType::Binary)],
    );
    assert!(
        error
            .unwrap_err()
            .message()
            .contains("Binary cannot be read from JSON")
    );
}

#[test]
fn a_declared_empty_file_has_no_rows() {
    for (layout, text) in [
        (Layout::Document, &b"[\n]\n"[..]),
        (Layout::Lines, b"\n \n"),
        (Layout::Document, b""),
    ] {
        let mut bench = bench(layout, &[text]);
        bench.question.declared = Some(vec![Field::new("v", DType::Int64)]);
        assert_eq!(bench.read().unwrap().1, Vec::<Value>::new());
    }
}

#[test]
fn what_a_sample_did_not_show_is_an_error() {
    let mut text = "{\"a\":1}\n".repeat(3);
    for (last, expected) in [
        ("{\"a\":2}\n", None),
        (
            "{\"a\":2,\"late\":1}\n",
            Some(
                "line 4: the field `late` is not among the columns found in the lines that were looked at",
            ),
        ),
        (
            "{\"a\":\"x\"}\n",
            Some("line 4: field `a`: `\"x\"` is not of type Int64"),
        ),
    ] {
        text.truncate(24);
        text.push_str(last);
        let mut bench = bench(Layout::Lines, &[text.as_bytes()]);
        bench.question.first = Some(2);
        bench.question.rows = false;
        assert_eq!(
            ask(&bench.question).unwrap().columns,
            [Field::new("a", DType::Int64)]
        );
        bench.question.rows = true;
        let told = ask(&bench.question).map_err(|error| bench.told(&error));
        match expected {
            None => assert_eq!(told.unwrap().records, Some(4)),
            Some(expected) => assert!(told.unwrap_err().contains(expected)),
        }
    }
}

#[test]
fn large_files_are_read_in_parts() {
    let mut text = String::from("\u{feff}");
    for row in 0..400_000 {
        text.push_str(&format!(
            "{{\"id\":{row},\"pad\":\"{}\"}}\r\n",
            "x".repeat(row % 90)
        ));
        if row == 300_001 {
            text.push_str("{\"late\":{\"a\":1}}\n\n");
        }
    }
    let bench = bench(Layout::Lines, &[text.as_bytes(), b"{\"id\":1.5}"]);
    let answer = ask(&bench.question).unwrap();
    let shown: Vec<String> = answer
        .columns
        .iter()
        .map(|field| format!("{} {}", field.name, field.dtype))
        .collect();
    assert_eq!(
        shown,
        ["id Float64", "pad String", "late Struct({'a': Int64})"]
    );
    assert_eq!(answer.records, Some(400_002));
    // Ranges of bytes share the lines out.
    let size = text.len() as u64;
    let mut rows = 0;
    for part in 0..7 {
        let decoding = Decoding {
            source: bench.question.sources[0].clone(),
            layout: Layout::Lines,
            range: Some((size * part / 7, size * (part + 1) / 7)),
            batch_size: 8192,
            complete: true,
        };
        for batch in decode(decoding, &answer.columns).unwrap() {
            rows += batch.unwrap().num_rows();
        }
    }
    assert_eq!(rows, 400_001);
    // A document whose elements do not end with the blocks.
    let document = format!(
        "[{}]",
        text.trim_start_matches('\u{feff}')
            .trim_end()
            .replace("\r\n", ",")
            .replace("\n\n", ",")
    );
    let document = self::bench(Layout::Document, &[document.as_bytes()]);
    assert_eq!(ask(&document.question).unwrap().records, Some(400_001));
}

#[test]
fn numbers_that_json_has_no_form_for_are_found() {
    let columns = [Field::new(
        "v",
        DType::List(Box::new(DType::Struct(vec![Field::new(
            "f",
            DType::Float64,
        )]))),
    )];
    assert!(may_be_non_finite(&columns[0].dtype));
    let bench = bench(
        Layout::Lines,
        &[b"{\"v\":[{\"f\":1.5}]}\n{\"v\":null}\n{\"v\":[null,{\"f\":2}]}"],
    );
    let decoding = Decoding {
        source: bench.question.sources[0].clone(),
        layout: Layout::Lines,
        range: None,
        batch_size: 10,
        complete: true,
    };
    let batch = decode(decoding, &columns).unwrap().next().unwrap().unwrap();
    finite(&batch, 0).unwrap();
    let floats = arrow_array::Float64Array::from(vec![Some(1.0), None, Some(f64::NAN)]);
    let batch =
        RecordBatch::try_from_iter([("f", Arc::new(floats) as arrow_array::ArrayRef)]).unwrap();
    assert_eq!(
        finite(&batch, 10).unwrap_err().message(),
        "column `f`, row 13: NaN has no form in JSON"
    );
    let format = laktory_core::Format::Json;
    crate::writable(&format, &columns).unwrap();
    let binary = [Field::new("b", DType::List(Box::new(DType::Binary)))];
    assert!(
        crate::writable(&format, &binary)
            .unwrap_err()
            .message()
            .starts_with("column `b` of type List(Binary) has no form in JSON")
    );
}
