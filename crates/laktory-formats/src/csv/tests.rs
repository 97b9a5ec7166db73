//! Files as they are read: by hand-made examples, and against a reading that is as plain as can be.

use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use laktory_core::{Format, OptionValue, ReadSpec};
use proptest::prelude::*;

use super::*;

/// Files in a folder of their own.
struct Bench {
    folder: tempfile::TempDir,
}

fn open(file: &Path) -> Result<Box<dyn BufRead + Send>> {
    Ok(Box::new(BufReader::new(std::fs::File::open(file)?)))
}

/// Rows as texts, with `~` for null.
type Rows = Vec<Vec<String>>;

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file
    }

    fn reading(&self, files: &[&[u8]], adjust: impl Fn(&mut ReadSpec)) -> Result<Arc<Reading>> {
        let files: Vec<PathBuf> = files
            .iter()
            .enumerate()
            .map(|(at, content)| self.file(&format!("{at}.csv"), content))
            .collect();
        let mut spec = ReadSpec::new(Format::Csv, "folder");
        adjust(&mut spec);
        Reading::new(&spec, &files, &[], open).map(Arc::new)
    }

    fn shown(&self, error: &Error) -> String {
        let folder = format!("{}/", self.folder.path().display());
        let hint = error.hint().unwrap_or_default();
        format!("{}; {hint}", error.message()).replace(&folder, "")
    }
}

fn rows(reading: &Arc<Reading>) -> Result<Rows> {
    let all: Vec<usize> = (0..reading.columns().len()).collect();
    let mut rows = Vec::new();
    for file in 0..reading.files.len() {
        for batch in reading.batches(file, &all, 3)? {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                let value = |column: &arrow_array::ArrayRef| {
                    if column.is_null(row) {
                        return "~".to_owned();
                    }
                    match column.as_string_view_opt() {
                        Some(texts) => texts.value(row).to_owned(),
                        None => match column.as_primitive_opt::<arrow_array::types::Int64Type>() {
                            Some(numbers) => numbers.value(row).to_string(),
                            None => "?".to_owned(),
                        },
                    }
                };
                rows.push(batch.columns().iter().map(value).collect());
            }
        }
    }
    Ok(rows)
}

/// The rows of one file, a record a line; or the error.
fn read(content: &[u8], options: &[(&str, OptionValue)]) -> String {
    let bench = Bench::new();
    let reading = bench.reading(&[content], |spec| {
        spec.options = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
    });
    let all = reading.and_then(|reading| {
        let rows = rows(&reading);
        // A survey finds what decoding finds.
        match (&rows, reading.survey()) {
            (Ok(rows), Ok(survey)) => assert_eq!(rows.len() as u64, survey.rows),
            (Err(left), Err(right)) => assert_eq!(left.message(), right.message()),
            (rows, survey) => panic!("{rows:?} {survey:?}"),
        }
        rows
    });
    match all {
        Ok(rows) => rows
            .iter()
            .map(|row| row.join("|"))
            .collect::<Vec<_>>()
            .join("\n"),
        Err(error) => format!("error: {}", bench.shown(&error)),
    }
}

fn text(value: &str) -> OptionValue {
    OptionValue::Text(value.to_owned())
}

const YES: OptionValue = OptionValue::Bool(true);

#[test]
fn stray_quotes_are_plain_characters() {
    assert_eq!(
        read(b"id,note\n1,pipe 5\" long\n2,ok\n3,12\" disk\n", &[]),
        "1|pipe 5\" long\n2|ok\n3|12\" disk"
    );
    assert_eq!(
        read(
            b"a;b\n1;'x;''y'\n",
            &[("separator", text(";")), ("quote_char", text("'"))]
        ),
        "1|x;'y"
    );
    assert_eq!(
        read(b"a,b\n\"1,2\"\n", &[("quote_char", text(""))]),
        "\"1|2\""
    );
}

#[test]
fn empty_and_missing_are_kept_apart() {
    assert_eq!(read(b"a,b\n,\"\"\n\"\",\n", &[]), "~|\n|~");
    assert_eq!(
        read(b"a,b\n,\"\"\n", &[("missing_utf8_is_empty_string", YES)]),
        "|"
    );
    assert_eq!(read(b"a,b\nNA,x\n", &[("null_values", text("NA"))]), "~|x");
    // The only column of a blank line is null; with more columns there is none.
    assert_eq!(read(b"a\n\n1\n\n", &[]), "~\n1\n~");
    assert_eq!(read(b"a,b\n\n1,2\n \n\n", &[]), "1|2");
}

#[test]
fn lines_end_in_any_way_that_the_file_keeps_to() {
    for content in [
        b"a,b\r1,2\r3,4\r" as &[u8],
        b"a,b\r1,2\r3,4",
        b"a,b\r\n1,2\n3,4\r\n",
        b"a,b\n1,2\n3,4\r",
    ] {
        assert_eq!(read(content, &[]), "1|2\n3|4", "{content:?}");
    }
    assert_eq!(read(b"a,b\n1,\"x\r\ny\"\n", &[]), "1|x\r\ny");
    for content in [b"a,b\n1,2\r3,4\n" as &[u8], b"a,b\r1,2\n3,4\r"] {
        let error = read(content, &[]);
        assert!(
            error.starts_with("error: `0.csv`, line 2: a carriage return"),
            "{error}"
        );
    }
    assert_eq!(
        read(b"a,b\n1,2\r3\n", &[("eol_char", text("\n"))]),
        "1|2\r3"
    );
    assert_eq!(read(b"a,b|1,2\n|", &[("eol_char", text("|"))]), "1|2\n");
}

#[test]
fn what_has_no_sensible_reading_is_refused_with_its_line() {
    for (content, error) in [
        (
            b"id,v\n1,\"abc\n2,d\n3,e\n" as &[u8],
            "`0.csv`, line 2: a quote is opened and never closed",
        ),
        (
            b"id,v\n1,a\n2,\"cut",
            "`0.csv`, line 3: a quote is opened and never closed",
        ),
        (
            b"a,b\n\"x\n\"y,c\n",
            "`0.csv`, line 3: text stands between a closing quote",
        ),
        (
            b"a,b\n1,2\n3,\"4\n\",5\n",
            "`0.csv`, line 3: 3 fields, but the header has 2",
        ),
        (
            b"a,b\n1\n",
            "`0.csv`, line 2: 1 field, but the header has 2",
        ),
        (b"a,b\n1,\xe9\n", "`0.csv`, line 2: it is not UTF-8"),
        (
            b"a,a\n1,2\n",
            "`0.csv`, line 1: the header names column `a` twice",
        ),
        (
            b"\xff\xfea\0,\0b\0\n\0",
            "`0.csv` is UTF-16, not UTF-8; set `encoding: utf-16`",
        ),
        (b"\n\n", "`0.csv` has no header"),
    ] {
        let found = read(content, &[]);
        assert!(found.starts_with(&format!("error: {error}")), "{found}");
    }
}

#[test]
fn options_take_what_is_refused_without_and_count_it() {
    let bench = Bench::new();
    let reading = bench
        .reading(&[b"a,b\n1,2,3\n4\n5,6\n7,x\n"], |spec| {
            for name in ["truncate_ragged_lines", "null_padding", "ignore_errors"] {
                spec.options.insert(name.to_owned(), YES);
            }
            spec.schema = Some(vec![
                Field::new("b", DType::Int64),
                Field::new("a", DType::Int64),
            ]);
        })
        .unwrap();
    let there = rows(&reading).unwrap();
    assert_eq!(there, [["2", "1"], ["~", "4"], ["6", "5"], ["~", "7"]]);
    let survey = reading.survey().unwrap();
    assert_eq!((survey.rows, survey.warnings.len()), (4, 3));
    assert!(survey.warnings[0].contains("1 line has too many fields"));
}

#[test]
fn other_encodings_are_read_when_they_are_named() {
    let latin = [("encoding", text("latin1"))];
    assert_eq!(read(b"a\ncaf\xe9\n", &latin), "caf\u{e9}");
    let utf16: Vec<u8> = "\u{feff}a,b\r\n1,\u{20ac}\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read(&utf16, &[("encoding", text("utf-16"))]), "1|\u{20ac}");
    assert_eq!(
        read(b"a\n\xe9x\n", &[("encoding", text("utf8-lossy"))]),
        "\u{fffd}x"
    );
}

#[test]
fn lines_are_skipped_as_asked() {
    let count = OptionValue::Int;
    assert_eq!(
        read(
            b"say \"x\" y\nv,1,\"\n\",2\na,b\n1,2\n",
            &[("skip_rows", count(2))]
        ),
        "1|2"
    );
    assert_eq!(
        read(b"open \"\na,b\n1,2\n", &[("skip_lines", count(1))]),
        "1|2"
    );
    assert_eq!(
        read(
            b"a,b\n1,\"x\ny\"\n2,z\n",
            &[("skip_rows_after_header", count(1))]
        ),
        "2|z"
    );
    assert_eq!(
        read(
            b"# say \"no\na,b\n1,2\n# mid\n3,4\n#end",
            &[("comment_prefix", text("#"))]
        ),
        "1|2\n3|4"
    );
    assert_eq!(read(b"a\n1\n2\n3\n", &[("n_rows", count(2))]), "1\n2");
}

#[test]
fn columns_are_found_by_name() {
    let bench = Bench::new();
    let two: &[&[u8]] = &[b"a,b\n1,2\n", b"b,a\n4,3\n", b"b\n5\n"];
    let reading = bench.reading(two, |_| {}).unwrap();
    assert_eq!(
        rows(&reading).unwrap(),
        [["1", "2"], ["3", "4"], ["~", "5"]]
    );
    let declared = |names: &[&str]| {
        let fields: Vec<Field> = names
            .iter()
            .map(|name| Field::new(*name, DType::Int64))
            .collect();
        move |spec: &mut ReadSpec| spec.schema = Some(fields.clone())
    };
    let swapped = bench
        .reading(&[b"a,b\n1,2\n"], declared(&["b", "a"]))
        .unwrap();
    assert_eq!(rows(&swapped).unwrap(), [["2", "1"]]);
    assert_eq!(swapped.in_order().unwrap()[0].name, "a");
    for (names, message) in [
        (
            &["a", "bb"] as &[&str],
            "the schema has column `bb`, which the header of `0.csv` does not name; did you mean `b`? ",
        ),
        (
            &["a"],
            "`0.csv` has column `b`, which the schema does not name; add it",
        ),
        (&["a", "b", "a"], "column `a` is declared twice"),
    ] {
        let error = bench
            .reading(&[b"a,b\n1,2\n"], declared(names))
            .unwrap_err();
        let shown = bench.shown(&error);
        assert!(shown.starts_with(message), "{shown}");
    }
    let placed = bench
        .reading(&[b"a,b\n1,2\n"], |spec| {
            declared(&["x", "y"])(spec);
            spec.options.insert("by_position".to_owned(), YES);
        })
        .unwrap();
    assert_eq!(rows(&placed).unwrap(), [["1", "2"]]);
    let error = bench
        .reading(&[b"a,b\n1,2\n"], |spec| {
            declared(&["x"])(spec);
            spec.has_header = false;
        })
        .unwrap_err();
    assert_eq!(
        bench.shown(&error),
        "1 columns are declared, the file `0.csv` has 2; "
    );
}

#[test]
fn values_of_another_type_are_told_with_line_and_column() {
    let bench = Bench::new();
    let reading = bench
        .reading(&[b"id,v\n1,\"a\nb\"\nx,c\n"], |spec| {
            spec.schema = Some(vec![
                Field::new("id", DType::Int32),
                Field::new("v", DType::String),
            ]);
        })
        .unwrap();
    let error = bench.shown(&rows(&reading).unwrap_err());
    assert!(
        error.starts_with("`0.csv`, line 4: `x` is not of type Int32, as column `id` is; "),
        "{error}"
    );
    let guessed = bench
        .reading(&[b"n\n1\nx\n"], |spec| {
            spec.infer_schema = true;
            spec.options
                .insert("infer_schema_length".to_owned(), OptionValue::Int(1));
        })
        .unwrap();
    assert_eq!(guessed.columns()[0].dtype, DType::Int64);
    let error = bench.shown(&rows(&guessed).unwrap_err());
    assert!(error.contains("`infer_schema_length: null`"), "{error}");
}

#[test]
fn a_file_that_changes_meanwhile_is_refused() {
    let bench = Bench::new();
    let reading = bench.reading(&[b"a\n1\n"], |_| {}).unwrap();
    bench.file("0.csv", b"a\n1\n2\n");
    let error = bench.shown(&rows(&reading).unwrap_err());
    assert!(
        error.starts_with("`0.csv` was changed while it was read"),
        "{error}"
    );
}

#[test]
fn records_across_the_borders_of_buffers_are_whole() {
    let bench = Bench::new();
    let mut content = b"a,b\n".to_vec();
    let long = "x\n\"\"y,".repeat(60_000);
    for row in 0..7 {
        content.extend_from_slice(format!("{row},\"{long}\"\n").as_bytes());
    }
    let reading = bench.reading(&[&content], |_| {}).unwrap();
    let rows = rows(&reading).unwrap();
    assert_eq!(rows.len(), 7);
    assert_eq!(rows[6][1], "x\n\"y,".repeat(60_000));
    assert_eq!(
        reading.survey().unwrap(),
        Survey {
            rows: 7,
            files: vec![7],
            clean: true,
            warnings: Vec::new()
        }
    );
}

/// A reading as plain as can be, of texts whose lines end with LF: rows, or nothing when a quote does not fit.
fn plainly(text: &str) -> Option<Rows> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(mut quoted) = rest.strip_prefix('"') {
            let mut value = String::new();
            loop {
                let at = quoted.find('"')?;
                value.push_str(&quoted[..at]);
                quoted = &quoted[at + 1..];
                match quoted.strip_prefix('"') {
                    Some(more) => {
                        value.push('"');
                        quoted = more;
                    }
                    None => break,
                }
            }
            row.push(value);
            rest = quoted;
            if !rest.is_empty() && !rest.starts_with([',', '\n']) {
                return None;
            }
        } else {
            let end = rest.find([',', '\n']).unwrap_or(rest.len());
            let value = &rest[..end];
            row.push(if value.is_empty() { "~" } else { value }.to_owned());
            rest = &rest[end..];
        }
        match rest.strip_prefix(',') {
            Some(more) => {
                rest = more;
                if rest.is_empty() {
                    row.push("~".to_owned());
                }
            }
            None => rest = rest.strip_prefix('\n').unwrap_or(rest),
        }
        if !(text[..text.len() - rest.len()].ends_with(',')) || rest.is_empty() {
            rows.push(std::mem::take(&mut row));
        }
    }
    Some(rows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn random_texts_are_read_as_plainly(body in "[ab,\n\"]{0,40}") {
        let text = format!("x,y\n{body}");
        let wanted = plainly(&text).and_then(|rows| {
            let rows: Rows = rows[1..].iter().filter(|row| row.as_slice() != ["~"]).cloned().collect();
            rows.iter().all(|row| row.len() == 2).then_some(rows)
        });
        let bench = Bench::new();
        let reading = bench.reading(&[text.as_bytes()], |_| {}).unwrap();
        let found = rows(&reading);
        let survey = reading.survey();
        match wanted {
            Some(wanted) => {
                prop_assert_eq!(survey.unwrap().rows, wanted.len() as u64);
                prop_assert_eq!(found.unwrap(), wanted);
            }
            None => {
                prop_assert!(found.is_err(), "{:?}", found);
                prop_assert!(survey.is_err(), "{:?}", survey);
            }
        }
    }

    #[test]
    fn what_the_scan_calls_clean_is_read_with_as_many_rows(
        lines in proptest::collection::vec("[ab,\n\r\"\u{e4} ]{0,30}|[ab]{0,3},[ab]{0,70}|\"[a,\n]{0,90}\",b|[ab],[ab]{0,9}(,|\r)?", 0..12),
        end in "\n|\r\n|"
    ) {
        let text = format!("x,y\n{}{end}", lines.join("\n"));
        let bench = Bench::new();
        let reading = bench.reading(&[text.as_bytes()], |_| {}).unwrap();
        let shape = scan::Shape { separator: b',', quote: Some(b'"'), fields: 2, blanks: false };
        let mut look = scan::Look::new(shape);
        let clean = look.on(text.as_bytes()).unwrap();
        if let Some(records) = look.records().filter(|_| clean) {
            prop_assert_eq!(rows(&reading).unwrap().len() as u64, records - 1);
        }
    }
}
