//! Random documents are read as another reader reads them; mutants are read the same way twice, or refused.

use laktory_core::DType;
use proptest::prelude::*;
use serde_json::Map;

use super::*;

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
