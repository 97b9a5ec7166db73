//! Small files that would become endless, and faults without number: refused with the words that fit, and at once.

use super::*;

/// The only fault of `text`, with `files` to include.
#[track_caller]
fn refused(text: &str, files: &[(&'static str, &'static str)]) -> String {
    let files = Files(files.iter().copied().collect());
    let options = LoadOptions {
        files: Some(&files),
        ..LoadOptions::default()
    };
    let loaded = load("p.yaml", text.as_bytes(), &options);
    assert!(loaded.pipeline.is_none());
    let [fault] = &loaded.diagnostics[..] else {
        panic!("{:#?}", told(&loaded));
    };
    assert_eq!(fault.code, "too-large");
    fault.message.clone()
}

#[test]
fn text_that_aliases_repeat_is_counted() {
    let long = "x".repeat(1_000_000);
    let aliases = "- *a\n".repeat(3000);
    assert_eq!(
        refused(&format!("name: &a {long}\nnodes:\n{aliases}"), &[]),
        "the configuration holds more than 32 MiB of text, with what anchors repeat"
    );
    let many = "- *a\n".repeat(1_000_000);
    assert_eq!(
        refused(&format!("name: &a x\nnodes:\n{many}"), &[]),
        "the configuration holds more than 1,000,000 values, with what anchors repeat"
    );
    let keys = format!("name: p\nvariables:\n  a: &a {{k: {long}}}\nnodes:\n");
    let merges = "- {<<: *a}\n".repeat(100);
    assert_eq!(
        refused(&format!("{keys}{merges}"), &[]),
        "the configuration holds more than 32 MiB of text, with what anchors repeat"
    );
}

#[test]
fn text_that_includes_repeat_is_counted() {
    let long: &'static str = Box::leak("x".repeat(1_000_000).into_boxed_str());
    for file in ["long.sql", "long.yaml"] {
        let uses = format!("- !use {file}\n").repeat(10_000);
        assert_eq!(
            refused(&format!("name: p\nnodes:\n{uses}"), &[(file, long)]),
            "the configuration holds more than 32 MiB of text, with what includes repeat"
        );
    }
    let ten = |file: &str| -> &'static str {
        Box::leak(format!("- !use {file}\n").repeat(10).into_boxed_str())
    };
    let files: Vec<(&'static str, &'static str)> = vec![
        ("0.yaml", "1"),
        ("1.yaml", ten("0.yaml")),
        ("2.yaml", ten("1.yaml")),
        ("3.yaml", ten("2.yaml")),
        ("4.yaml", ten("3.yaml")),
        ("5.yaml", ten("4.yaml")),
    ];
    assert_eq!(
        refused("name: p\nnodes: !use 5.yaml\n", &files),
        "the configuration holds more than 5,000 included files or entries of folders"
    );
}

#[test]
fn text_that_variables_repeat_is_counted() {
    let long = "x".repeat(1_000_000);
    let uses = "- a${vars.v}\n".repeat(3000);
    assert_eq!(
        refused(
            &format!("name: p\nvariables: {{v: {long}}}\nnodes:\n{uses}"),
            &[]
        ),
        "the configuration holds more than 32 MiB of text, with what variables repeat"
    );
}

#[test]
fn a_path_that_variables_make_endless_is_refused_as_one() {
    let long = "x".repeat(40_000);
    let path = "${vars.v}${vars.v}.yaml";
    assert_eq!(
        refused(
            &format!("name: p\nvariables: {{v: {long}}}\nnodes: !use {path}\n"),
            &[]
        ),
        "a path holds more than 64 KiB of text"
    );
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let long: &'static str = Box::leak("x".repeat(17 << 20).into_boxed_str());
    let message = "is larger than 16 MiB, the most that a configuration file may have";
    assert_eq!(refused(long, &[]), format!("`p.yaml` {message}"));
    assert_eq!(
        refused("name: !use x.sql\nnodes: []\n", &[("x.sql", long)]),
        format!("`x.sql` {message}")
    );
}

#[test]
fn includes_that_nest_end() {
    let names: Vec<&'static str> = (0..1000)
        .map(|n| &*Box::leak(format!("{n}.yaml").into_boxed_str()))
        .collect();
    let files = names.windows(2).map(|pair| {
        let text: &'static str = Box::leak(format!("!use {}", pair[1]).into_boxed_str());
        (pair[0], text)
    });
    let files = Files(files.collect());
    let options = LoadOptions {
        files: Some(&files),
        ..LoadOptions::default()
    };
    let loaded = load("p.yaml", b"name: p\nnodes: !use 0.yaml\n", &options);
    assert_eq!(loaded.diagnostics[0].message, "includes nest too deep");
}

#[test]
fn errors_without_number_are_counted() {
    let mut text = String::from("name: p\nnodes: []\n");
    for key in 0..100_000 {
        text.push_str(&format!("key{key}: 1\n"));
    }
    let loaded = loaded(&text);
    assert!(loaded.diagnostics.is_full());
    let told = loaded.diagnostics.into_vec();
    assert_eq!(told.len(), 101);
    assert_eq!(
        told[100].message,
        "there are 99900 more errors, which are not shown"
    );
}

#[test]
fn names_do_not_fill_messages() {
    let long = "x".repeat(2_000_000);
    let key = loaded(&format!("name: p\nnodes: []\n{long}: 1\n"));
    assert!(key.diagnostics[0].message.len() < 1_100);
    let name = loaded(&format!("name: {long}\nnodes: []\n"));
    assert_eq!(
        name.diagnostics[0].message,
        "the name of a pipeline has 2000000 bytes, more than 255"
    );
}
