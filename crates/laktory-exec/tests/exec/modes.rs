//! Modes and targets: what becomes of what was there (sections 12.3 to 12.5).

use std::fs;

use crate::support::{Bench, Done};
use laktory_exec::Event;
use laktory_testkit::recorder::{Behaviour, Script, Verb};

fn node(sink: &str) -> String {
    format!(
        "  - {{name: a, source: {{path: '@/in.json', format: JSON}}, sinks: [{{path: '@/{sink}}}]}}\n"
    )
}

fn run(bench: &Bench, sink: &str) -> Done {
    bench.run(&node(sink))
}

#[test]
fn r_mode_5_modes_on_a_file() {
    for (mode, first, second) in [("OVERWRITE", 3, 3), ("APPEND", 3, 6), ("IGNORE", 3, 3)] {
        let bench = Bench::new();
        let sink = format!("a.x', format: PARQUET, mode: {mode}");
        let done = run(&bench, &sink);
        assert_eq!(bench.values("a.x").len(), first, "{mode}");
        assert_eq!(
            done.node("a").outputs[0].rows,
            3,
            "R-MODE-3: the first run writes"
        );
        assert!(!done.node("a").outputs[0].skipped);
        bench.table("in.json", &[4, 5, 6]);
        let done = run(&bench, &sink);
        done.good();
        assert_eq!(bench.values("a.x").len(), second, "{mode}");
        let output = &done.node("a").outputs[0];
        assert_eq!(
            (output.rows, output.skipped),
            if mode == "IGNORE" {
                (0, true)
            } else {
                (3, false)
            }
        );
        assert_eq!(output.mode, mode);
        assert_eq!(bench.files(), ["a.x"], "{mode}");
        let expected = if mode == "IGNORE" { "1" } else { "4" };
        let at = if mode == "APPEND" { 3 } else { 0 };
        assert_eq!(bench.values("a.x")[at], expected, "{mode}");
    }
}

/// Runs with a sink, while somebody puts a text into a file as soon as its target has been looked at.
fn run_beside(bench: &Bench, sink: &str, file: &str) -> Done {
    let file = bench.path(file);
    bench.run_and(&node(sink), &|event| {
        if let Event::Writing { .. } = event {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "of somebody").unwrap();
        }
    })
}

#[test]
fn what_others_put_into_a_new_folder_meanwhile_stays() {
    let bench = Bench::new();
    run_beside(&bench, "out/', format: PARQUET", "out/.notes").good();
    assert_eq!(bench.read("out/.notes"), "of somebody");
    assert_eq!(bench.files().len(), 3, "{:?}", bench.files());
}

#[test]
fn what_others_put_into_the_place_of_a_target_meanwhile_is_not_replaced() {
    for (sink, file) in [
        ("out/', format: PARQUET", "out/notes.txt"),
        ("out/', format: PARQUET, mode: APPEND", "out/notes.txt"),
        ("a.x', format: PARQUET, mode: APPEND", "a.x"),
        ("a.x', format: PARQUET, mode: ERROR", "a.x"),
        ("a.x', format: PARQUET, mode: IGNORE", "a.x"),
    ] {
        let bench = Bench::new();
        let done = run_beside(&bench, sink, file);
        assert_eq!(done.faults().len(), 1, "{sink}");
        assert_eq!(bench.read(file), "of somebody", "{sink}");
        let files = bench.files().into_iter();
        assert_eq!(files.filter(|name| !name.ends_with('/')).count(), 1);
    }
}

#[test]
fn r_mode_5_error_refuses_a_target_that_exists() {
    let bench = Bench::new();
    let sink = "a.x', format: PARQUET, mode: ERROR";
    run(&bench, sink).good();
    let done = run(&bench, sink);
    let message = format!(
        "`{}` exists, and the sink's mode is ERROR",
        bench.path("a.x").display()
    );
    assert_eq!(
        done.faults(),
        [format!("a: nodes[0].sinks[0]: invalid_argument: {message}")]
    );
    assert_eq!(bench.values("a.x").len(), 3);
}

#[test]
fn ignore_computes_nothing_when_nobody_reads() {
    let bench = Bench::new();
    bench.table("a.x", &[7]);
    run(&bench, "a.x', format: PARQUET, mode: IGNORE").good();
    assert!(bench.passes().is_empty());
}

#[test]
fn readers_of_an_ignored_sink_see_the_new_rows() {
    let bench = Bench::new();
    bench.table("a.x", &[7]);
    let nodes = node("a.x', format: PARQUET, mode: IGNORE")
        + "  - {name: b, source: {node_name: a}, sinks: [{path: '@/b.x', format: PARQUET}]}\n";
    bench.run(&nodes).good();
    assert_eq!(bench.values("a.x"), ["7"]);
    assert_eq!(bench.values("b.x"), ["1", "2", "3"]);
}

#[test]
fn readers_of_an_appended_sink_see_the_new_rows_only() {
    let bench = Bench::new();
    bench.table("a.x", &[7]);
    let nodes = node("a.x', format: PARQUET, mode: APPEND")
        + "  - {name: b, source: {node_name: a}, sinks: [{path: '@/b.x', format: PARQUET}]}\n";
    let done = bench.run(&nodes);
    done.good();
    assert_eq!(bench.values("a.x"), ["7", "1", "2", "3"]);
    assert_eq!(bench.values("b.x"), ["1", "2", "3"]);
    assert_eq!(done.node("a").rows_out, Some(3));
}

#[test]
fn r_cre_5_parent_folders_are_made() {
    let bench = Bench::new();
    run(&bench, "p/q/a.x', format: PARQUET").good();
    assert_eq!(bench.files(), ["p/", "p/q/", "p/q/a.x"]);
}

/// A driver that adds rows by itself is given the file; it stays as it is until the whole is published.
#[test]
fn drivers_add_rows_to_the_formats_that_they_know() {
    let bench =
        Bench::with(Script::new().on(Verb::Execute, "in.json", Behaviour::Contents("old and new")));
    bench.text("a.txt", "old");
    let done = bench.run(
        "
  - name: a
    dataframe_backend: OTHER
    source: {path: '@/in.json', format: JSON}
    sinks: [{path: '@/a.txt', format: CSV, mode: APPEND}]
",
    );
    done.good();
    assert_eq!(bench.read("a.txt"), "old and new");
    assert_eq!(done.node("a").outputs[0].rows, 3);
    assert_eq!(bench.files(), ["a.txt"]);
}

#[test]
fn folders_are_replaced_whole_or_added_to() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("out")).unwrap();
    bench.text("out/_SUCCESS", "of another program");
    let parts = |bench: &Bench| -> usize {
        bench
            .files()
            .iter()
            .filter(|name| name.starts_with("out/part-"))
            .count()
    };
    run(&bench, "out', format: PARQUET, mode: APPEND").good();
    assert_eq!(parts(&bench), 1);
    run(&bench, "out/', format: PARQUET, mode: APPEND").good();
    assert_eq!(
        parts(&bench),
        2,
        "part names do not collide: {:?}",
        bench.files()
    );
    run(&bench, "out', format: PARQUET").good();
    assert_eq!(parts(&bench), 1);
    assert_eq!(bench.read("out/_SUCCESS"), "of another program");
    assert_eq!(bench.files().len(), 3, "{:?}", bench.files());
}

/// What no run of ours wrote is neither replaced nor mixed with.
#[test]
fn files_of_others_are_not_replaced() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("out")).unwrap();
    bench.table("out/old.parquet", &[7]);
    run(&bench, "out', format: PARQUET, mode: APPEND").good();
    for _ in 0..2 {
        let before = bench.files();
        let done = run(&bench, "out', format: PARQUET");
        let folder = bench.path("out").display().to_string();
        assert_eq!(
            done.faults(),
            [format!(
                "a: nodes[0].sinks[0]: invalid_argument: folder `{folder}` holds 1 file that no run of laktory wrote: `old.parquet`"
            )]
        );
        assert_eq!(bench.files(), before);
    }
    std::fs::remove_file(bench.path("out/old.parquet")).unwrap();
    run(&bench, "out', format: PARQUET").good();
}

#[test]
fn replaced_files_keep_mode_and_links() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let bench = Bench::new();
    bench.table("a.parquet", &[7]);
    let private = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(bench.path("a.parquet"), private).unwrap();
    std::fs::create_dir(bench.path("sub")).unwrap();
    symlink("../a.parquet", bench.path("sub/link.parquet")).unwrap();
    for sink in [
        "a.parquet', format: PARQUET",
        "sub/link.parquet', format: PARQUET",
        "sub/link.parquet', format: PARQUET, mode: APPEND",
    ] {
        run(&bench, sink).good();
        let found = std::fs::symlink_metadata(bench.path("a.parquet")).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o640, "{sink}");
        assert!(bench.path("sub/link.parquet").is_symlink(), "{sink}");
        assert_eq!(bench.values("a.parquet")[0], "1", "{sink}");
    }
    assert_eq!(bench.values("a.parquet").len(), 6);
    assert_eq!(bench.files(), ["a.parquet", "sub/", "sub/link.parquet"]);
}

#[test]
fn a_path_that_ends_in_a_slash_is_a_folder() {
    let bench = Bench::new();
    let nodes = node("new/out/', format: PARQUET")
        + "  - {name: b, source: {node_name: a}, sinks: [{path: '@/b.x', format: PARQUET}]}\n";
    bench.run(&nodes).good();
    let files = bench.files();
    assert!(
        files.iter().any(|name| name.starts_with("new/out/part-")),
        "{files:?}"
    );
    assert_eq!(
        bench.values("b.x"),
        ["1", "2", "3"],
        "and its readers read the folder"
    );
}
