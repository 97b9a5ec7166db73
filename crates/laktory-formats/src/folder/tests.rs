//! Tests of `folder`.

use super::*;

fn united(files: &[&[(&str, DType)]], policy: Policy) -> Result<String> {
    let fields: Vec<Vec<Field>> = files
        .iter()
        .map(|file| {
            let columns = file.iter();
            columns
                .map(|(name, dtype)| Field::new(*name, dtype.clone()))
                .collect()
        })
        .collect();
    let names: Vec<PathBuf> = (1..=files.len())
        .map(|number| PathBuf::from(format!("{number}.x")))
        .collect();
    let columns: Vec<Columns<'_>> = names
        .iter()
        .zip(&fields)
        .map(|(file, fields)| Columns { file, fields })
        .collect();
    let all = unite(&columns, policy)?;
    let shown = all
        .iter()
        .map(|field| format!("{} {}", field.name, field.dtype));
    Ok(shown.collect::<Vec<_>>().join(", "))
}

#[test]
fn options_choose_the_policy() {
    let with = |name: &str, value: &str| {
        let value = OptionValue::Text(value.to_owned());
        Policy::of(&Options::from([(name.to_owned(), value)]))
    };
    assert_eq!(Policy::of(&Options::new()).unwrap(), Policy::default());
    assert_eq!(
        with("extra_columns", "IGNORE").unwrap().extra,
        Extra::Ignore
    );
    assert_eq!(
        with("missing_columns", "raise").unwrap().missing,
        Missing::Raise
    );
    assert_eq!(
        with("missing_columns", "null").unwrap_err().message(),
        "reader option `missing_columns` takes one of `insert`, `raise`"
    );
}

fn both(left: DType, right: DType) -> Option<DType> {
    let there = widened(&left, &right);
    assert_eq!(there, widened(&right, &left), "{left} {right}");
    there
}

#[test]
fn columns_are_found_by_name_and_missing_ones_are_nulls() {
    let files: &[&[(&str, DType)]] = &[
        &[("a", DType::Int32), ("b", DType::String)],
        &[("b", DType::String), ("a", DType::Int64)],
        &[("b", DType::String)],
    ];
    assert_eq!(
        united(files, Policy::default()).unwrap(),
        "a Int64, b String"
    );
    let strict = Policy {
        missing: Missing::Raise,
        ..Policy::default()
    };
    assert_eq!(
        united(files, strict).unwrap_err().message(),
        "`3.x` has no column `a`, which `2.x` has"
    );
}

#[test]
fn a_column_that_only_a_later_file_has_is_refused_or_chosen() {
    let files: &[&[(&str, DType)]] = &[
        &[("a", DType::Int32)],
        &[("c", DType::Date), ("a", DType::Int32)],
    ];
    let error = united(files, Policy::default()).unwrap_err();
    assert_eq!(
        error.message(),
        "`2.x` has the column `c`, which `1.x` does not have"
    );
    let with = |extra| Policy {
        extra,
        ..Policy::default()
    };
    assert_eq!(united(files, with(Extra::Ignore)).unwrap(), "a Int32");
    assert_eq!(
        united(files, with(Extra::Insert)).unwrap(),
        "a Int32, c Date"
    );
}

#[test]
fn types_that_hold_no_values_of_each_other_name_both_files() {
    let files: &[&[(&str, DType)]] = &[
        &[("a", DType::Int32)],
        &[("a", DType::Int64)],
        &[("a", DType::String)],
    ];
    assert_eq!(
        united(files, Policy::default()).unwrap_err().message(),
        "column `a` is of type Int64 in `2.x`, but of type String in `3.x`"
    );
}

#[test]
fn types_widen_without_loss_and_in_either_order() {
    let decimal = |precision, scale| DType::Decimal {
        precision: Some(precision),
        scale,
    };
    let datetime = |unit| DType::Datetime { unit, zone: None };
    for (left, right, wanted) in [
        (DType::Int8, DType::Int64, Some(DType::Int64)),
        (DType::UInt8, DType::Int8, Some(DType::Int16)),
        (DType::UInt32, DType::Int32, Some(DType::Int64)),
        (DType::UInt64, DType::Int8, None),
        (DType::UInt64, DType::UInt8, Some(DType::UInt64)),
        (DType::Float32, DType::Float64, Some(DType::Float64)),
        (DType::Int16, DType::Float32, Some(DType::Float32)),
        (DType::Int32, DType::Float32, Some(DType::Float64)),
        (DType::Int64, DType::Float64, None),
        (DType::Null, DType::Date, Some(DType::Date)),
        (DType::Date, datetime(TimeUnit::Millisecond), None),
        (DType::String, DType::Categorical, Some(DType::String)),
        (DType::String, DType::Binary, None),
        (DType::Boolean, DType::Int8, None),
        (decimal(10, 2), decimal(8, 4), Some(decimal(12, 4))),
        (decimal(38, 0), decimal(8, 4), None),
        (
            datetime(TimeUnit::Millisecond),
            datetime(TimeUnit::Microsecond),
            Some(datetime(TimeUnit::Microsecond)),
        ),
        (
            datetime(TimeUnit::Nanosecond),
            datetime(TimeUnit::Microsecond),
            None,
        ),
        (
            DType::List(Box::new(DType::Int8)),
            DType::List(Box::new(DType::Int16)),
            Some(DType::List(Box::new(DType::Int16))),
        ),
        (
            DType::Struct(vec![
                Field::new("x", DType::Int8),
                Field::new("y", DType::Date),
            ]),
            DType::Struct(vec![Field::new("x", DType::Int8)]),
            None,
        ),
    ] {
        assert_eq!(both(left.clone(), right.clone()), wanted, "{left} {right}");
    }
}

#[test]
fn declared_columns_are_in_some_file() {
    let one = [Field::new("a", DType::Int8)];
    let two = [Field::new("b", DType::Int8)];
    let files = [
        Columns {
            file: Path::new("1.x"),
            fields: &one,
        },
        Columns {
            file: Path::new("2.x"),
            fields: &two,
        },
    ];
    assert!(declared(&files, &two, Policy::default()).is_ok());
    let unknown = [Field::new("z", DType::Int8)];
    let error = declared(&files, &unknown, Policy::default()).unwrap_err();
    assert_eq!(error.message(), "`1.x` has no column `z`");
    let strict = Policy {
        missing: Missing::Raise,
        ..Policy::default()
    };
    let error = declared(&files, &two, strict).unwrap_err();
    assert_eq!(error.message(), "`1.x` has no column `b`, which `2.x` has");
}

#[test]
fn runs_are_files_of_equal_columns_in_a_row() {
    let files = vec![PathBuf::new(); 5];
    let keys = [1, 1, 2, 2, 1];
    assert_eq!(runs(&files, |at| keys[at]), [0..2, 2..4, 4..5]);
    assert!(runs(&[], |at| at).is_empty());
}
