//! Tables as a whole: written here, and read again.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use laktory_core::table::{Change, ChangeKind, TableFormat as _, TableSnapshot, WrittenFile};
use laktory_core::{DType, ErrorKind, Field, OptionValue, Options, Result, TimeUnit};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use crate::{DELTA, LOG};

fn open(folder: &Path) -> Arc<dyn TableSnapshot> {
    DELTA.open(folder, &Options::new()).unwrap()
}

fn at(folder: &Path, name: &str, value: OptionValue) -> Result<Arc<dyn TableSnapshot>> {
    DELTA.open(folder, &Options::from([(name.to_owned(), value)]))
}

/// A file with a column `x` of these numbers, and a text for each.
fn part(folder: &Path, name: &str, numbers: &[i64]) -> WrittenFile {
    let texts: Vec<String> = numbers.iter().map(|number| format!("t{number}")).collect();
    let columns = [
        (
            "x",
            Arc::new(Int64Array::from(numbers.to_vec())) as ArrayRef,
        ),
        ("s", Arc::new(StringArray::from(texts)) as ArrayRef),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    fs::create_dir_all(folder).unwrap();
    let file = File::create_new(folder.join(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    WrittenFile {
        path: name.to_owned(),
        rows: numbers.len() as u64,
        partition: Vec::new(),
    }
}

fn columns() -> Vec<Field> {
    vec![
        Field::new("x", DType::Int64),
        Field::new("s", DType::String),
    ]
}

fn write(folder: &Path, kind: ChangeKind, name: &str, numbers: &[i64]) -> Result<u64> {
    let snapshot = open(folder);
    committed(&*snapshot, folder, kind, name, numbers)
}

fn committed(
    snapshot: &dyn TableSnapshot,
    folder: &Path,
    kind: ChangeKind,
    name: &str,
    numbers: &[i64],
) -> Result<u64> {
    let change = Change::new(kind, "test");
    let planned = snapshot.plan(&change, &columns())?;
    let file = part(folder, name, numbers);
    Ok(snapshot.commit(&change, &planned, &[file])?.version)
}

/// Names of the files that count.
fn names(snapshot: &dyn TableSnapshot) -> Vec<String> {
    let files = snapshot.scan(None).unwrap().files;
    let mut names: Vec<String> = files
        .iter()
        .map(|file| {
            file.path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn actions(folder: &Path, version: u64) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(LOG).join(format!("{version:020}.json"))).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A log of these entries.
fn log(folder: &Path, entries: &[&[Value]]) {
    fs::create_dir_all(folder.join(LOG)).unwrap();
    for (version, lines) in entries.iter().enumerate() {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        let file = folder.join(LOG).join(format!("{version:020}.json"));
        fs::write(file, lines.join("\n")).unwrap();
    }
}

fn metadata(fields: Value, configuration: Value) -> Value {
    let schema = json!({"type": "struct", "fields": fields}).to_string();
    json!({"metaData": {
        "id": "t", "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
        "partitionColumns": [], "configuration": configuration, "createdTime": 0
    }})
}

fn x() -> Value {
    json!([{"name": "x", "type": "long", "nullable": true, "metadata": {}}])
}

#[test]
fn versions_follow_each_other_and_old_ones_stay() {
    let root = tempfile::tempdir().unwrap();
    let table = root.path();
    assert_eq!(open(table).version(), None);
    assert_eq!(write(table, ChangeKind::Append, "a", &[1, 2]).unwrap(), 0);
    assert_eq!(write(table, ChangeKind::Append, "b", &[3]).unwrap(), 1);
    assert_eq!(write(table, ChangeKind::Overwrite, "c", &[4]).unwrap(), 2);
    assert_eq!(names(&*open(table)), ["c"]);
    for (version, expected) in [(0, &["a"][..]), (1, &["a", "b"]), (2, &["c"])] {
        let snapshot = at(table, "versionAsOf", OptionValue::Int(version)).unwrap();
        assert_eq!(names(&*snapshot), expected);
    }
    let add = &actions(table, 0)[3]["add"];
    let stats: Value = serde_json::from_str(add["stats"].as_str().unwrap()).unwrap();
    let expected = json!({
        "numRecords": 2, "minValues": {"x": 1, "s": "t1"}, "maxValues": {"x": 2, "s": "t2"}, "nullCount": {"x": 0, "s": 0}
    });
    assert_eq!(stats, expected);
    let history = DELTA.history(table).unwrap();
    let told: Vec<(u64, &str)> = history
        .iter()
        .map(|version| (version.version, version.operation.as_str()))
        .collect();
    let expected = [
        (2, "WRITE (Overwrite)"),
        (1, "WRITE (Append)"),
        (0, "WRITE (Append)"),
    ];
    assert_eq!(told, expected);
    let missing = at(table, "versionAsOf", OptionValue::Int(9)).unwrap_err();
    assert!(missing.message().contains("has no version 9"), "{missing}");
    assert_eq!(open(table).others().unwrap(), Vec::<String>::new());
    let unnamed = open(table).unnamed(&["a".to_owned(), "z".to_owned()]);
    assert_eq!(unnamed.unwrap(), ["z"]);
}

#[test]
fn times_lead_to_versions() {
    let root = tempfile::tempdir().unwrap();
    let table = root.path();
    for (version, name) in ["a", "b", "c"].into_iter().enumerate() {
        write(table, ChangeKind::Append, name, &[1]).unwrap();
        let mut options = File::options();
        let entry = options
            .write(true)
            .open(table.join(LOG).join(format!("{version:020}.json")))
            .unwrap();
        let day = 86_400 * (version as u64 + 1);
        entry
            .set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(day))
            .unwrap();
    }
    let asked = |text: &str| at(table, "timestampAsOf", OptionValue::Text(text.to_owned()));
    for (text, version) in [
        ("1970-01-02", 0),
        ("1970-01-02 23:59:59.999", 0),
        ("1970-01-03T01:00:00+01:00", 1),
        ("1970-01-04T00:00:00Z", 2),
    ] {
        assert_eq!(asked(text).unwrap().version(), Some(version), "{text}");
    }
    for text in ["1970-01-01 23:59:59", "1970-01-05"] {
        assert_eq!(
            asked(text).unwrap_err().kind(),
            ErrorKind::NotFound,
            "{text}"
        );
    }
    assert_eq!(
        asked("soon").unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
}

#[test]
fn writers_at_once_lose_nothing() {
    let root = tempfile::tempdir().unwrap();
    let table = root.path();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || {
                for number in 0..25 {
                    let name = format!("{writer}-{number}");
                    write(table, ChangeKind::Append, &name, &[number]).unwrap();
                }
            });
        }
    });
    let snapshot = open(table);
    assert_eq!(
        (snapshot.version(), names(&*snapshot).len()),
        (Some(99), 100)
    );
    // Checkpoints of the way there hold the same.
    for version in 0..90 {
        fs::remove_file(table.join(LOG).join(format!("{version:020}.json"))).unwrap();
    }
    assert_eq!(names(&*open(table)).len(), 100);
    let litter = fs::read_dir(table.join(LOG)).unwrap().flatten();
    let litter = litter.filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(litter.count(), 0);
}

#[test]
fn who_is_late_comes_behind_the_others() {
    let root = tempfile::tempdir().unwrap();
    let table = root.path();
    write(table, ChangeKind::Append, "a", &[1]).unwrap();
    let (early, late) = (open(table), open(table));
    committed(&*early, table, ChangeKind::Append, "b", &[2]).unwrap();
    // The overwrite is last: what was appended meanwhile goes too.
    let version = committed(&*late, table, ChangeKind::Overwrite, "c", &[3]).unwrap();
    assert_eq!((version, names(&*open(table))), (2, vec!["c".to_owned()]));
    let version = committed(&*early, table, ChangeKind::Append, "d", &[4]).unwrap();
    assert_eq!((version, names(&*open(table)).len()), (3, 2));
}

#[test]
fn a_table_that_became_another_takes_no_rows_of_the_old_columns() {
    let root = tempfile::tempdir().unwrap();
    let table = root.path();
    write(table, ChangeKind::Append, "a", &[1]).unwrap();
    let late = open(table);
    let change = Change::new(ChangeKind::Overwrite, "test");
    let other = [Field::new("x", DType::String)];
    let planned = late.plan(&change, &other).unwrap();
    late.commit(&change, &planned, &[]).unwrap();
    let error = committed(&*late, table, ChangeKind::Append, "b", &[2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    assert_eq!(open(table).version(), Some(1));
}

#[test]
fn columns_are_added_widened_and_refused() {
    let root = tempfile::tempdir().unwrap();
    let table = root.path();
    write(table, ChangeKind::Append, "a", &[1]).unwrap();
    let snapshot = open(table);
    let change = Change::new(ChangeKind::Append, "test");
    let plan = |fields: &[Field]| snapshot.plan(&change, fields);
    let narrow = plan(&[
        Field::new("x", DType::Int16),
        Field::new("new", DType::UInt8),
    ])
    .unwrap();
    let expected = [
        Field::new("x", DType::Int64),
        Field::new("new", DType::Int16),
    ];
    assert_eq!(narrow.columns, expected);
    for fields in [
        [Field::new("x", DType::String)],
        [Field::new("X", DType::Int64)],
        [Field::new("x", DType::UInt64)],
    ] {
        assert_eq!(
            plan(&fields).unwrap_err().kind(),
            ErrorKind::SchemaMismatch,
            "{fields:?}"
        );
    }
    let mut strict = change.clone();
    strict.options = Options::from([("mergeSchema".to_owned(), OptionValue::Bool(false))]);
    let error = snapshot
        .plan(&strict, &[Field::new("y", DType::Int64)])
        .unwrap_err();
    assert!(error.message().contains("no column `y`"), "{error}");
    let local = Field::new(
        "t",
        DType::Datetime {
            unit: TimeUnit::Millisecond,
            zone: None,
        },
    );
    let planned = plan(&[local]).unwrap();
    snapshot.commit(&change, &planned, &[]).unwrap();
    let protocol = &actions(table, 1)[1]["protocol"];
    assert_eq!(protocol["minReaderVersion"], 3);
    assert_eq!(
        protocol["writerFeatures"],
        json!(["appendOnly", "invariants", "timestampNtz"])
    );
    assert_eq!(open(table).columns().unwrap().len(), 3);
}

#[test]
fn features_that_are_not_honoured_are_refused_by_name() {
    let protocol = |readers: Value, writers: Value| json!({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": readers, "writerFeatures": writers}});
    let old = json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 4}});
    let plain = json!({});
    let add = json!({"add": {"path": "a", "partitionValues": {}, "size": 1, "modificationTime": 0, "dataChange": true,
        "deletionVector": {"storageType": "z", "pathOrInlineDv": "x", "offset": 1, "sizeInBytes": 1, "cardinality": 1}}});
    let unknown = json!([{"name": "x", "type": "variant", "nullable": true, "metadata": {}}]);
    let generated = json!([{"name": "x", "type": "long", "nullable": true, "metadata": {"delta.generationExpression": "1"}}]);
    let cases = [
        (
            vec![
                protocol(json!(["liquid"]), json!(["liquid"])),
                metadata(x(), plain.clone()),
            ],
            true,
            "`liquid`",
        ),
        (
            vec![old.clone(), metadata(unknown, plain.clone())],
            true,
            "`variant`",
        ),
        (
            vec![old.clone(), metadata(x(), plain.clone()), add],
            true,
            "`deletionVectors`",
        ),
        (
            vec![
                old.clone(),
                metadata(x(), json!({"delta.columnMapping.mode": "id"})),
            ],
            true,
            "`columnMapping`",
        ),
        (
            vec![
                protocol(json!([]), json!(["rowTracking"])),
                metadata(x(), plain.clone()),
            ],
            false,
            "`rowTracking`",
        ),
        (
            vec![
                old.clone(),
                metadata(x(), json!({"delta.constraints.c": "x > 0"})),
            ],
            false,
            "`checkConstraints`",
        ),
        (
            vec![
                old.clone(),
                metadata(x(), json!({"delta.appendOnly": "true"})),
            ],
            false,
            "`delta.appendOnly`",
        ),
        (
            vec![
                old.clone(),
                metadata(x(), json!({"delta.enableChangeDataFeed": "true"})),
            ],
            false,
            "`changeDataFeed`",
        ),
        (
            vec![old.clone(), metadata(generated, plain.clone())],
            false,
            "`generatedColumns`",
        ),
    ];
    for (lines, when_read, name) in cases {
        let root = tempfile::tempdir().unwrap();
        log(root.path(), &[&lines]);
        let snapshot = open(root.path());
        assert_eq!(snapshot.scan(None).is_err(), when_read, "{name}");
        let change = Change::new(ChangeKind::Overwrite, "test");
        let error = match snapshot.scan(None) {
            Err(error) => error,
            Ok(_) => snapshot.plan(&change, &columns()).unwrap_err(),
        };
        assert!(error.message().contains(name), "{error}");
    }
    // What is listed and not used asks for nothing.
    let root = tempfile::tempdir().unwrap();
    let listed = protocol(
        json!(["deletionVectors"]),
        json!(["deletionVectors", "appendOnly", "invariants"]),
    );
    log(root.path(), &[&[listed, metadata(x(), plain)]]);
    let change = Change::new(ChangeKind::Append, "test");
    assert!(open(root.path()).plan(&change, &columns()).is_ok());
}

#[test]
fn a_column_without_nulls_gets_none() {
    let root = tempfile::tempdir().unwrap();
    let table = root.path();
    let strict = json!([{"name": "x", "type": "long", "nullable": false, "metadata": {}}]);
    let protocol = json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}});
    log(table, &[&[protocol, metadata(strict, json!({}))]]);
    write(table, ChangeKind::Append, "a", &[1]).unwrap();
    let snapshot = open(table);
    let change = Change::new(ChangeKind::Append, "test");
    let planned = snapshot.plan(&change, &columns()).unwrap();
    let batch = RecordBatch::try_from_iter([
        ("x", Arc::new(Int64Array::from(vec![None])) as ArrayRef),
        ("s", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
    ])
    .unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(table.join("b")).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let file = WrittenFile {
        path: "b".to_owned(),
        rows: 1,
        partition: Vec::new(),
    };
    let error = snapshot.commit(&change, &planned, &[file]).unwrap_err();
    assert!(error.message().contains("column `x`"), "{error}");
    assert_eq!(open(table).version(), Some(1));
}

#[test]
fn an_answer_that_got_lost_is_found_again() {
    let root = tempfile::tempdir().unwrap();
    let table = root.path();
    write(table, ChangeKind::Append, "a", &[1]).unwrap();
    let entry = crate::log::entry(&table.join(LOG), 0);
    let info = actions(table, 0)[0]["commitInfo"].clone();
    let id = info["laktory"]["commit"].as_str().unwrap();
    assert!(crate::commit::is_ours(&entry, id));
    assert!(!crate::commit::is_ours(&entry, "another"));
}

#[test]
fn a_log_that_is_torn_is_told() {
    for (text, part) in [
        ("{\"add\":", "line 1 of"),
        ("{\"commitInfo\":{}}", "tells no protocol"),
    ] {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(LOG)).unwrap();
        fs::write(crate::log::entry(&root.path().join(LOG), 0), text).unwrap();
        let error = DELTA.open(root.path(), &Options::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConversionFailed);
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn a_merge_takes_files_out_and_is_overtaken_by_any_version() {
    let root = tempfile::tempdir().unwrap();
    let table = root.path();
    write(table, ChangeKind::Append, "a", &[1, 2]).unwrap();
    write(table, ChangeKind::Append, "b", &[3]).unwrap();
    let before = open(table);
    assert_eq!(before.last("app"), None);
    let mut change = Change::new(ChangeKind::Merge, "test");
    let files = before.scan(None).unwrap().files;
    let removed = files.iter().filter(|file| file.path.ends_with("a"));
    change.removes = removed.map(|file| file.path.clone()).collect();
    change.apps = vec![("app".to_owned(), 7)];
    let planned = before.plan(&change, &columns()).unwrap();
    let file = part(table, "c", &[2]);
    let merge = |snapshot: &dyn TableSnapshot| {
        let committed = snapshot.commit(&change, &planned, std::slice::from_ref(&file));
        committed.unwrap()
    };
    let committed = merge(&*before);
    assert_eq!((committed.version, committed.overtaken), (2, false));
    assert_eq!(names(&*open(table)), ["b", "c"]);
    assert_eq!(open(table).last("app"), Some(7));
    let overtaken = merge(&*before);
    assert!(overtaken.overtaken);
    assert_eq!(names(&*open(table)), ["b", "c"]);
    // What a merge removes must be there.
    let error = open(table).commit(&change, &planned, std::slice::from_ref(&file));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Internal);
    for number in 3..12 {
        write(table, ChangeKind::Append, &format!("d{number}"), &[number]).unwrap();
    }
    // A checkpoint tells it, too.
    assert_eq!(open(table).last("app"), Some(7));
}
