//! Types of columns, and values of each that tend to be lost on the way through a file.

use serde_json::Value;

/// Types that are declared together, as the text forms of [`parse_type`](crate::parse_type), and a JSON array of values.
pub(super) struct Values {
    pub(super) types: &'static [&'static str],
    json: &'static str,
    /// Whether they may be refused when they are written or read, although the format holds the type: never come back as others.
    pub(super) rare: bool,
}

impl Values {
    /// The values.
    pub(super) fn json(&self) -> Result<Vec<Value>, String> {
        serde_json::from_str(self.json).map_err(|error| format!("{}: {error}", self.json))
    }
}

const fn of(types: &'static [&'static str], json: &'static str) -> Values {
    Values {
        types,
        json,
        rare: false,
    }
}

const fn rare(types: &'static [&'static str], json: &'static str) -> Values {
    Values {
        types,
        json,
        rare: true,
    }
}

/// What one declaration of a driver covers, and its values.
pub(super) const GROUPS: &[(&str, &[Values])] = &[
    ("booleans", &[of(&["boolean"], "[true, null, false, null]")]),
    (
        "integers",
        &[
            of(&["int8"], "[-128, 0, null, 127]"),
            of(&["int16"], "[-32768, 0, null, 32767]"),
            of(&["int32"], "[-2147483648, 0, null, 2147483647]"),
            of(
                &["int64"],
                "[-9223372036854775808, 0, null, 9223372036854775807, 9007199254740993]",
            ),
            of(&["uint8"], "[0, null, 255]"),
            of(&["uint16"], "[0, null, 65535]"),
            of(&["uint32"], "[0, null, 4294967295]"),
            of(
                &["uint64"],
                "[0, null, 18446744073709551615, 9223372036854775808]",
            ),
        ],
    ),
    (
        "floats",
        &[
            of(
                &["float64"],
                "[1.5, null, 0.1, -0.0, 3, 1e-7, 1e15, 1e16, 1e21, 1e300, -1e-300, 5e-324, 1.7976931348623157e308, \
                 2.2250738585072014e-308, 123456789.12345679, 9007199254740992, 0.30000000000000004]",
            ),
            of(
                &["float32"],
                "[1.5, null, 0.1, -0.0, 16777216, 1e10, 3.4028235e38, 1e-45, 1.1754944e-38, 0.3]",
            ),
            rare(
                &["float64", "float32"],
                r#"[1.5, null, {"f": "nan"}, {"f": "inf"}, {"f": "-inf"}]"#,
            ),
        ],
    ),
    (
        "decimals",
        &[
            of(
                &["decimal(12,2)"],
                r#"["12.30", null, "-0.01", "0", "9999999999.99", "-9999999999.99"]"#,
            ),
            of(&["decimal(5,0)"], r#"["99999", null, "-1", "0"]"#),
            of(
                &["decimal(38,10)"],
                r#"["1234567890123456789012345678.0123456789", null, "-0.0000000001", "0.5"]"#,
            ),
        ],
    ),
    (
        "texts",
        &[of(
            &["string"],
            r##"["plain", null, "", " padded ", "\ttab\t", "NA", "null", "NULL", "None", "nan", "true", "1", "01", "1.0", "-",
            "a,b;c|d", "a \"quoted\" 'text'", "\"", "'", "\"\"", "two\nlines", "two\r\nlines", "old\rlines", "\n", "#", "# note",
            "a\\b", "\\", "\\n", "\\\"", "ü", "\ufeffmark", "\u0001", "😀", "\u2028", "2024-01-01", "[1]", "{}"]"##,
        )],
    ),
    (
        "dates",
        &[
            of(
                &["date"],
                r#"["2024-02-29", null, "1970-01-01", "1969-12-31", "1582-10-10", "0001-01-01", "9999-12-31"]"#,
            ),
            rare(&["date"], r#"["-0044-03-15", null, "+10000-01-01"]"#),
        ],
    ),
    (
        "times",
        &[of(
            &["time"],
            r#"["12:30:00", null, "00:00:00", "23:59:59.999999999", "01:02:03.000001", "01:02:03.500"]"#,
        )],
    ),
    (
        "datetimes",
        &[
            of(
                &["datetime[us]", "datetime[ms]", "datetime[s]"],
                r#"["2024-02-29T12:30:00", null, "1970-01-01T00:00:00", "1969-12-31T23:59:59", "0001-01-01T00:00:00",
                "9999-12-31T23:59:59"]"#,
            ),
            of(
                &["datetime[us]", "datetime[ms]"],
                r#"["2024-02-29T12:30:00.123456", null, "1969-12-31T23:59:59.999999", "2024-01-01T00:00:00.5",
                "9999-12-31T23:59:59.999999"]"#,
            ),
            of(
                &["datetime[ns]"],
                r#"["2024-02-29T12:30:00.123456789", null, "1969-12-31T23:59:59.999999999", "1677-09-22T00:00:00",
                "2262-04-11T00:00:00.000000001"]"#,
            ),
        ],
    ),
    (
        "datetimes of zones",
        &[of(
            &[
                "datetime[us, UTC]",
                "datetime[us, Europe/Zurich]",
                "datetime[ms, America/New_York]",
                "datetime[ns, Asia/Kolkata]",
            ],
            r#"["2024-02-29T12:30:00.123456Z", null, "2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z", "1969-12-31T23:59:59Z"]"#,
        )],
    ),
    (
        "durations",
        &[of(
            &["duration[us]", "duration[ms]", "duration[ns]"],
            "[0, null, -1, 1, 86400000000, 123456789012345]",
        )],
    ),
    (
        "bytes",
        &[of(
            &["binary"],
            r#"["YWI=", null, "", "/wA=", "Cg==", "IiwK"]"#,
        )],
    ),
    (
        "lists",
        &[
            of(
                &["list<int64>"],
                "[[1, 2], null, [], [null], [9007199254740993]]",
            ),
            of(
                &["list<string>"],
                r#"[["a", "b,c"], null, [], [null, ""], ["\""]]"#,
            ),
            of(
                &["list<list<int64>>"],
                "[[[1], []], null, [], [null], [[null]]]",
            ),
            of(&["list<boolean>"], "[[true], null, [], [null, false]]"),
        ],
    ),
    (
        "structs",
        &[
            of(
                &["struct<u:int64,v:string>"],
                r#"[{"u": 1, "v": "x"}, null, {"u": null, "v": ""}, {"u": null, "v": null}]"#,
            ),
            of(
                &["struct<n:struct<d:date>,l:list<int64>>"],
                r#"[{"n": {"d": "2024-02-29"}, "l": [1]}, null, {"n": null, "l": null}, {"n": {"d": null}, "l": []}]"#,
            ),
        ],
    ),
    (
        "lists of structs",
        &[of(
            &["list<struct<u:int64,v:string>>"],
            r#"[[{"u": 1, "v": "x"}], null, [], [null], [{"u": null, "v": null}]]"#,
        )],
    ),
    (
        "arrays",
        &[of(&["array<int64,2>"], "[[1, 2], null, [null, null]]")],
    ),
    (
        "maps",
        &[of(
            &["map<string,int64>"],
            r#"[[["k", 1]], null, [], [["a", null], ["b", 2]]]"#,
        )],
    ),
    ("nulls", &[of(&["null"], "[null, null]")]),
];
