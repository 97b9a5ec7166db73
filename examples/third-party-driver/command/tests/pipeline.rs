//! The example run as its README says: the command's own output, and the files that it writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A copy of the example, in a folder that is removed in the end.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    for file in ["pipeline.yaml", "data/prices.csv", "data/companies.jsonl"] {
        fs::copy(example().join(file), folder.path().join(file)).unwrap();
    }
    folder
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn laktory(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_laktory-with-arrowlite"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_pipeline_writes_what_is_expected() {
    let folder = copied();
    let output = laktory(folder.path(), &["run", "pipeline.yaml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for file in ["prices.jsonl", "bad_prices.jsonl", "summary.csv"] {
        let found = fs::read_to_string(folder.path().join("out").join(file)).unwrap();
        let expected = fs::read_to_string(example().join("expected").join(file)).unwrap();
        assert_eq!(found, expected, "{file}");
    }
    assert!(folder.path().join("out/prices.parquet").is_file());
}

#[test]
fn the_command_has_this_backend_only() {
    let folder = copied();
    let output = laktory(folder.path(), &["backends"]);
    let shown = text(&output.stdout);
    assert!(
        shown.contains("ARROWLITE") && shown.contains("laktory-arrowlite"),
        "{shown}"
    );
    assert!(!shown.contains("POLARS"), "{shown}");
}

#[test]
fn what_the_backend_lacks_is_refused_before_data_is_read() {
    let folder = copied();
    let pipeline = folder.path().join("refused.yaml");
    let yaml = "name: pl\ndataframe_backend: ARROWLITE\nnodes:\n- name: n\n\
                \x20 source: {path: ./data/prices.csv, format: CSV}\n\
                \x20 transformer:\n    nodes:\n\
                \x20   - {func_name: sample, func_kwargs: {n: 5}}\n\
                \x20 sinks:\n  - {path: ./out/n.avro, format: AVRO}\n";
    fs::write(&pipeline, yaml).unwrap();
    let output = laktory(folder.path(), &["validate", "refused.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let shown = text(&output.stderr);
    for what in ["sample", "AVRO"] {
        assert!(shown.contains(what), "{what}: {shown}");
    }
    // Advice that this backend cannot follow would be none.
    assert!(!shown.contains("write this step as SQL"), "{shown}");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn a_statement_is_refused_by_the_function_that_is_missing() {
    let folder = copied();
    let yaml = "name: pl\ndataframe_backend: ARROWLITE\nnodes:\n- name: n\n\
                \x20 source: {path: ./data/prices.csv, format: CSV}\n\
                \x20 transformer:\n    nodes:\n\
                \x20   - {expr: \"SELECT code, CORR(CAST(high AS DOUBLE), CAST(low AS DOUBLE)) AS c FROM {df} GROUP BY code\"}\n\
                \x20 sinks:\n  - {path: ./out/n.csv, format: CSV}\n";
    fs::write(folder.path().join("refused.yaml"), yaml).unwrap();
    let output = laktory(folder.path(), &["run", "refused.yaml"]);
    assert!(!output.status.success());
    let shown = text(&output.stderr);
    assert!(
        shown.contains("`corr` is not available on backend ARROWLITE"),
        "{shown}"
    );
    assert!(!folder.path().join("out").exists());
}
