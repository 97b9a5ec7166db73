//! Declared columns, samples, large files, and what is written.

use laktory_core::DType;

use super::*;

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
