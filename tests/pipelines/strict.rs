//! Readers never drop or change a row or a field without a word: files that are not quite as their format has them are read
//! with every row, or refused by name, on every engine.

use std::fs;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::case::{Engine, engines, laktory, rows, sorted};

/// What becomes of a file.
#[derive(Clone, Debug)]
enum Outcome {
    /// These rows.
    Rows(Value),
    /// An error that names the file and holds these words.
    Refused(&'static [&'static str]),
}

use Outcome::{Refused, Rows};

/// Name, keys of the source besides its path, content, outcome.
type Row = (&'static str, &'static str, &'static [u8], Outcome);

fn table() -> Vec<Row> {
    let letters = |id: [&str; 2]| json!([{"id": id[0], "v": "a"}, {"id": id[1], "v": "b"}]);
    let numbers = "format: JSONL, schema: {columns: {id: Int64}}";
    vec![
        (
            "csv_stray_quotes",
            "format: CSV",
            b"id,v\n5\" pipe,a\n2,b\n",
            Rows(letters(["5\" pipe", "2"])),
        ),
        (
            "csv_mixed_line_ends",
            "format: CSV",
            b"id,v\r\n1,a\n2,b\r\n",
            Rows(letters(["1", "2"])),
        ),
        (
            "csv_carriage_returns_only",
            "format: CSV",
            b"id,v\r1,a\r2,b\r",
            Rows(letters(["1", "2"])),
        ),
        (
            "csv_open_quote",
            "format: CSV",
            b"id,v\n1,a\n2,\"b\n",
            Refused(&["line 3"]),
        ),
        (
            "csv_cut_in_quotes",
            "format: CSV",
            b"id,v\n1,\"a\"\n2,\"cut he",
            Refused(&["line 3"]),
        ),
        (
            "csv_text_behind_a_quote",
            "format: CSV",
            b"id,v\n1,\"a\"b\n2,b\n",
            Refused(&[]),
        ),
        (
            "csv_too_few_fields",
            "format: CSV",
            b"id,v\n1,a\n2\n",
            Refused(&[]),
        ),
        (
            "csv_too_many_fields",
            "format: CSV",
            b"id,v\n1,a\n2,b,c\n",
            Refused(&[]),
        ),
        (
            "csv_latin_1",
            "format: CSV",
            b"id,v\n1,Z\xfcrich\n",
            Refused(&["UTF-8"]),
        ),
        (
            "csv_other_order_than_the_schema",
            "format: CSV, schema: {columns: {v: string, id: string}}",
            b"id,v\n1,a\n2,b\n",
            Rows(letters(["1", "2"])),
        ),
        (
            "csv_unknown_column_in_the_schema",
            "format: CSV, schema: {columns: {id: string, w: string}}",
            b"id,v\n1,a\n",
            Refused(&["`w`"]),
        ),
        (
            "csv_column_without_a_place_in_the_schema",
            "format: CSV, schema: {columns: {id: string}}",
            b"id,v\n1,a\n",
            Refused(&["`v`"]),
        ),
        (
            "csv_value_of_another_type",
            "format: CSV, schema: {columns: {id: Int64, v: string}}",
            b"id,v\n1,a\nn/a,b\n",
            Refused(&[]),
        ),
        (
            "jsonl_cut_line",
            "format: JSONL",
            b"{\"id\":1}\n{\"id\":2}\n{\"id\":",
            Refused(&["3"]),
        ),
        (
            "jsonl_trailing_comma",
            "format: JSONL",
            b"{\"id\":1}\n{\"id\":2,}\n{\"id\":3}\n",
            Refused(&["2"]),
        ),
        (
            "jsonl_text_for_a_number",
            numbers,
            b"{\"id\":1}\n{\"id\":\"x\"}\n",
            Refused(&[]),
        ),
        (
            "jsonl_number_too_large",
            numbers,
            b"{\"id\":1}\n{\"id\":9223372036854775808}\n",
            Refused(&[]),
        ),
        (
            "jsonl_latin_1",
            "format: JSONL",
            b"{\"id\":\"Z\xfcrich\"}\n",
            Refused(&["UTF-8"]),
        ),
    ]
}

pub(crate) fn trials() -> Vec<Trial> {
    let engines: Vec<Engine> = engines();
    engines
        .iter()
        .flat_map(|engine| {
            table().into_iter().map(|row| {
                let own = engine.clone();
                engine.trial(&format!("strict/{}", row.0), move || judge(&own, &row))
            })
        })
        .collect()
}

fn judge(engine: &Engine, (_, source, content, outcome): &Row) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let ending = if source.contains("JSONL") {
        "jsonl"
    } else {
        "csv"
    };
    let pipeline = format!(
        "name: strict\nnodes:\n- name: a\n  source: {{path: in.{ending}, {source}}}\n  sinks:\n  - {{path: out.jsonl, format: JSONL}}\n"
    );
    fs::write(root.join("pipeline.yaml"), pipeline)?;
    fs::write(root.join(format!("in.{ending}")), content)?;
    let arguments = ["run", "pipeline.yaml", "-q"].map(str::to_owned);
    let output = laktory(root, &arguments, &engine.environment)?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    match outcome {
        Rows(expected) => {
            if !output.status.success() {
                return Err(format!("refused: {text}").into());
            }
            let (found, expected) = (rows(&root.join("out.jsonl"))?, expected.as_array().cloned());
            let (found, expected) = (
                sorted(&found, true),
                sorted(&expected.unwrap_or_default(), true),
            );
            (found == expected)
                .then_some(())
                .ok_or_else(|| format!("{found:?}").into())
        }
        Refused(words) => {
            if !matches!(output.status.code(), Some(1 | 2)) {
                return Err(format!("ended with {}: {text}", output.status).into());
            }
            let name = format!("in.{ending}");
            let missing = std::iter::once(name.as_str())
                .chain(words.iter().copied())
                .find(|word| !text.contains(word));
            match missing {
                Some(word) => Err(format!("the message lacks `{word}`: {text}").into()),
                // A server's own writer may leave an empty folder.
                None if root.join("out.jsonl").is_file() => Err("something was written".into()),
                None => Ok(()),
            }
        }
    }
}
