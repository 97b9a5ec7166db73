//! Tests of what is added to a text.

use std::io::{Read as _, Write as _};

use super::*;

fn csv() -> CsvText {
    CsvText {
        separator: b',',
        quote: Some(b'"'),
        terminator: b"\n".to_vec(),
        header: true,
    }
}

/// What appending gives, or the error.
fn appended(
    form: &Text,
    old: &[u8],
    new: &str,
    pack: Pack,
    columns: &[&str],
    rows: u64,
) -> Result<Vec<u8>> {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    std::fs::write(path("old"), old).unwrap();
    std::fs::write(path("new"), new).unwrap();
    let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    append(
        form,
        (&path("old"), &path("new")),
        (&path("whole"), pack),
        &columns,
        rows,
    )?;
    let mut whole = Vec::new();
    text(&path("whole"))?.read_to_end(&mut whole)?;
    Ok(whole)
}

fn packed(content: &str, pack: Pack) -> Vec<u8> {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x");
    let mut out = Packed::create(&path, pack).unwrap();
    out.write_all(content.as_bytes()).unwrap();
    out.finish().unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn csv_is_appended_without_a_second_header() {
    for (old, new, whole) in [
        ("x,y\n1,a\n", "x,y\n2,b\n", "x,y\n1,a\n2,b\n"),
        ("x,y\n1,a", "x,y\n2,b\n", "x,y\n1,a\n2,b\n"),
        ("x,y\r\n1,a\r\n", "x,y\n2,b\n", "x,y\r\n1,a\r\n2,b\n"),
        ("x,y", "x,y\n2,b\n", "x,y\n2,b\n"),
        ("", "x,y\n2,b\n", "x,y\n2,b\n"),
        ("\u{feff}", "x,y\n2,b\n", "\u{feff}x,y\n2,b\n"),
        ("", "\u{feff}x,y\n2,b\n", "\u{feff}x,y\n2,b\n"),
        (
            "\u{feff}x,y\n1,a\n",
            "\u{feff}x,y\n2,b\n",
            "\u{feff}x,y\n1,a\n2,b\n",
        ),
        (
            "\u{feff}x,y\n1,a\n",
            "x,y\n2,b\n",
            "\u{feff}x,y\n1,a\n2,b\n",
        ),
        (
            "\"x\",y\n1,\"a\nb\"\n",
            "x,y\n2,\"b\"\"\n\"\n",
            "\"x\",y\n1,\"a\nb\"\n2,\"b\"\"\n\"\n",
        ),
        ("x,y\n5\",a\n", "x,y\n2,b\n", "x,y\n5\",a\n2,b\n"),
    ] {
        let found = appended(
            &Text::Csv(csv()),
            old.as_bytes(),
            new,
            Pack::None,
            &["x", "y"],
            1,
        );
        assert_eq!(
            String::from_utf8(found.unwrap()).unwrap(),
            whole,
            "{old:?} {new:?}"
        );
    }
    let none = appended(&Text::Csv(csv()), b"x\n1\n", "x\n", Pack::None, &["x"], 0);
    assert_eq!(none.unwrap(), b"x\n1\n");
}

#[test]
fn every_character_of_csv_may_be_another() {
    for (form, old, new, whole) in [
        (
            CsvText {
                terminator: b"|".to_vec(),
                ..csv()
            },
            "x,y|1,a|",
            "x,y|2,b|",
            "x,y|1,a|2,b|",
        ),
        (
            CsvText {
                terminator: b"|".to_vec(),
                ..csv()
            },
            "x,y|1,a",
            "x,y|2,b|",
            "x,y|1,a|2,b|",
        ),
        (
            CsvText {
                terminator: b"\r\n".to_vec(),
                ..csv()
            },
            "x,y\r\n1,a\r\n",
            "x,y\r\n2,b\r\n",
            "x,y\r\n1,a\r\n2,b\r\n",
        ),
        (
            CsvText {
                separator: b';',
                quote: Some(b'\''),
                ..csv()
            },
            "x;y\n1;'a\n'\n",
            "x;y\n2;'\n'\n",
            "x;y\n1;'a\n'\n2;'\n'\n",
        ),
        (
            CsvText {
                quote: None,
                ..csv()
            },
            "x,y\n\",a\n",
            "x,y\n\",b\n",
            "x,y\n\",a\n\",b\n",
        ),
        (
            CsvText {
                header: false,
                ..csv()
            },
            "1,a",
            "2,b\n",
            "1,a\n2,b\n",
        ),
    ] {
        for pack in [Pack::None, Pack::Gzip(Some(1)), Pack::Zstd(None)] {
            let old = packed(old, pack);
            let found = appended(&Text::Csv(form.clone()), &old, new, pack, &["x", "y"], 1);
            assert_eq!(
                String::from_utf8(found.unwrap()).unwrap(),
                whole,
                "{form:?} {pack:?}"
            );
        }
    }
}

#[test]
fn other_columns_are_refused() {
    for (form, old, settled) in [
        (Text::Csv(csv()), "y,x\n1,a\n", false),
        (Text::Csv(csv()), "x\n1\n", false),
        (Text::Csv(csv()), "x,y,z\n", false),
        (
            Text::Csv(CsvText {
                separator: b';',
                ..csv()
            }),
            "x,y\n1,2\n",
            false,
        ),
        (
            Text::Csv(CsvText {
                terminator: b"|".to_vec(),
                ..csv()
            }),
            "x,y\n1,2\n",
            false,
        ),
        (
            Text::Csv(CsvText {
                header: false,
                ..csv()
            }),
            "1,2,3\n",
            false,
        ),
        (Text::JsonLines, "{\"x\":1}\n", false),
        (
            Text::JsonLines,
            "{\"x\":1,\"y\":2}\n{\"z\":1}\n{\"x\":1}\n",
            true,
        ),
        (Text::JsonArray, "[{\"x\":1}]", false),
        (Text::JsonArray, "[{\"x\":1,\"y\":2,\"z\":3}]", false),
    ] {
        let found = appended(&form, old.as_bytes(), "", Pack::None, &["x", "y"], 0);
        match settled {
            // The first object settles it: what follows is the reader's to judge.
            true => assert!(found.is_ok()),
            false => assert_eq!(
                found.unwrap_err().kind(),
                ErrorKind::SchemaMismatch,
                "{old:?}"
            ),
        }
    }
}

#[test]
fn objects_are_appended_to_lines_and_arrays() {
    for (old, whole) in [
        ("{\"x\":1}\n", "{\"x\":1}\n{\"x\":2}\n"),
        ("{\"x\":1}", "{\"x\":1}\n{\"x\":2}\n"),
        ("{\"x\":1}\r\n\n", "{\"x\":1}\r\n\n{\"x\":2}\n"),
        ("", "{\"x\":2}\n"),
        ("\u{feff}{\"x\":1}\n", "\u{feff}{\"x\":1}\n{\"x\":2}\n"),
    ] {
        let found = appended(
            &Text::JsonLines,
            old.as_bytes(),
            "{\"x\":2}\n",
            Pack::None,
            &["x"],
            1,
        );
        assert_eq!(String::from_utf8(found.unwrap()).unwrap(), whole, "{old:?}");
    }
    for (old, whole) in [
        ("[\n{\"x\":null}\n]\n", "[\n{\"x\":null},\n{\"x\":2}\n]\n"),
        ("[\n]\n", "[\n{\"x\":2}\n]\n"),
        ("", "[\n{\"x\":2}\n]\n"),
        (" \n", "[\n{\"x\":2}\n]\n"),
        (
            "\u{feff}[{\"x\":\"],\\\"[\"}, {\"x\":[1,{}]} ]",
            "[\n{\"x\":\"],\\\"[\"}, {\"x\":[1,{}]},\n{\"x\":2}\n]\n",
        ),
    ] {
        for pack in [Pack::None, Pack::Gzip(None)] {
            let found = appended(
                &Text::JsonArray,
                &packed(old, pack),
                "[\n{\"x\":2}\n]\n",
                pack,
                &["x"],
                1,
            );
            assert_eq!(String::from_utf8(found.unwrap()).unwrap(), whole, "{old:?}");
        }
    }
    let none = appended(
        &Text::JsonArray,
        b"[{\"x\":1}]",
        "[\n]\n",
        Pack::None,
        &["x"],
        0,
    );
    assert_eq!(none.unwrap(), b"[\n{\"x\":1}\n]\n");
}

#[test]
fn what_is_not_whole_is_not_added_to() {
    for (form, old) in [
        (Text::Csv(csv()), "x\n\"open\n"),
        (Text::JsonLines, "{\"x\":1\n"),
        (Text::JsonLines, "[1]\n"),
        (Text::JsonArray, "{\"x\":1}"),
        (Text::JsonArray, "[{\"x\":1}"),
        (Text::JsonArray, "[{\"x\":1}] x"),
        (Text::JsonArray, "[] []"),
        (Text::JsonArray, "[}"),
    ] {
        let error = appended(&form, old.as_bytes(), "", Pack::None, &["x"], 0).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::ConversionFailed,
            "{old:?}: {error}"
        );
    }
}

#[test]
fn rows_that_cannot_be_told_apart_are_lost() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.csv");
    let form = Text::Csv(CsvText {
        quote: None,
        ..csv()
    });
    let columns = ["x", "y"].map(str::to_owned);
    let kind = |text: &str, rows| {
        std::fs::write(&path, text).unwrap();
        counted(&form, &path, &columns, rows).map_err(|error| error.kind())
    };
    assert_eq!(kind("x,y\n1,a\n2,b\n", 2), Ok(()));
    assert_eq!(kind("x,y\n1,a\n2,b\n", 1), Err(ErrorKind::RowsLost));
    assert_eq!(kind("x,y\n1,a\n2\n", 2), Err(ErrorKind::RowsLost));
    assert_eq!(kind("x,y\n1,a,b\n", 1), Err(ErrorKind::RowsLost));
    assert_eq!(kind("x,y,z\n1,a,b\n", 1), Err(ErrorKind::RowsLost));
}

#[test]
fn records_end_as_they_are_asked_to() {
    let root = tempfile::tempdir().unwrap();
    for (end, lines, whole) in [
        ("|", "x,y\n1,a\n", "x,y|1,a|"),
        (
            "|",
            "x,y\n|,\"a\nb\"\n\"|\"\"\",|b\n",
            "x,y|\"|\",\"a\nb\"|\"|\"\"\",\"|b\"|",
        ),
        ("<>", "x,>\n<,a\n,\n", "x,\">\"<>\"<\",a<>,<>"),
        ("|", "\u{feff}\"x\",y\n1,2\n", "\u{feff}\"x\",y|1,2|"),
        ("1", "x,y\n1,a\n", "x,y1\"1\",a1"),
    ] {
        let form = CsvText {
            terminator: end.as_bytes().to_vec(),
            ..csv()
        };
        let path = root.path().join("lines");
        std::fs::write(&path, lines).unwrap();
        let mut out = Vec::new();
        csv::terminate(&form, &path, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), whole, "{lines:?}");
    }
}

#[test]
fn texts_of_other_encodings_are_not_appended_to() {
    let headless = CsvText {
        header: false,
        ..csv()
    };
    let forms = [Text::Csv(headless), Text::JsonLines, Text::JsonArray];
    let utf16: Vec<u8> = "1,a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xff\xfe", utf16.as_slice()].concat();
    for old in [utf16.as_slice(), &marked, b"1,caf\xe9\n", b"1,caf\xc3"] {
        for form in &forms {
            let found = appended(form, old, "2,b\n", Pack::None, &["x", "y"], 1);
            let error = found.unwrap_err();
            assert!(
                error.message().contains("is not UTF-8"),
                "{old:?} {form:?}: {error}"
            );
        }
    }
    let long = format!("1,{}\n", "\u{20ac}".repeat(200_000));
    let headless = &forms[0];
    let found = appended(
        headless,
        long.as_bytes(),
        "2,b\n",
        Pack::None,
        &["x", "y"],
        1,
    );
    assert_eq!(found.unwrap(), format!("{long}2,b\n").into_bytes());
}
