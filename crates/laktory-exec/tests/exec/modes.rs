//! Modes and targets: what becomes of what was there (sections 12.3 to 12.5).

use crate::support::{Bench, Done};
use laktory_exec::Status;
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

/// Appends `new` to a file that holds `old`.
fn appended(format: &str, old: &str, new: &'static str, keys: &str) -> (Bench, Done) {
    let bench = Bench::with(Script::new().on(Verb::Execute, "in.json", Behaviour::Contents(new)));
    bench.text("a.txt", old);
    let done = bench.run(&format!(
        "
  - name: a
    dataframe_backend: OTHER
    source: {{path: '@/in.json', format: JSON}}
    sinks: [{{path: '@/a.txt', format: {format}, mode: APPEND{keys}}}]
"
    ));
    (bench, done)
}

#[test]
fn csv_is_appended_without_a_second_header() {
    for (old, new, whole) in [
        ("x,y\n1,a\n", "x,y\n2,b\n", "x,y\n1,a\n2,b\n"),
        ("x,y\n1,a", "x,y\n2,b\n", "x,y\n1,a\n2,b\n"),
        ("x,y\r\n1,a\r\n", "x,y\n2,b\n", "x,y\r\n1,a\r\n2,b\n"),
        ("x,y", "x,y\n2,b\n", "x,y\n2,b\n"),
        ("", "x,y\n2,b\n", "x,y\n2,b\n"),
        ("x,y\n1,a\n", "x,y\n", "x,y\n1,a\n"),
        (
            "\"x\n1\",y\n1,a\n",
            "\"x\n1\",y\n2,b\n",
            "\"x\n1\",y\n1,a\n2,b\n",
        ),
        (
            "\u{feff}x,y\n1,a\n",
            "x,y\n2,b\n",
            "\u{feff}x,y\n1,a\n2,b\n",
        ),
        ("\"x\",y\n1,a\n", "x,y\n2,b\n", "\"x\",y\n1,a\n2,b\n"),
    ] {
        let (bench, done) = appended("CSV", old, new, "");
        assert!(done.run().succeeded(), "{old:?}: {:?}", done.faults());
        assert_eq!(bench.read("a.txt"), whole, "{old:?}");
        assert_eq!(bench.files(), ["a.txt"]);
    }
}

#[test]
fn csv_with_other_columns_is_not_appended() {
    for old in ["y,x\n1,a\n", "x\n1\n", "x,y,z\n", "X,y\n"] {
        let (bench, done) = appended("CSV", old, "x,y\n2,b\n", "");
        let [fault] = &done.faults()[..] else {
            panic!("{old:?}: {:?}", done.faults())
        };
        assert!(
            fault.starts_with("a: nodes[0].sinks[0]: schema_mismatch: cannot append to "),
            "{fault}"
        );
        assert_eq!(bench.read("a.txt"), old);
        assert_eq!(bench.files(), ["a.txt"]);
    }
}

#[test]
fn csv_without_header_is_appended_as_it_is() {
    let (bench, done) = appended(
        "CSV",
        "1,a",
        "2,b\n",
        ", writer_kwargs: {include_header: false}",
    );
    done.good();
    assert_eq!(bench.read("a.txt"), "1,a\n2,b\n");
}

#[test]
fn json_lines_are_appended_on_lines_of_their_own() {
    for (old, whole) in [
        ("{}\n", "{}\n{\"x\":1}\n"),
        ("{}", "{}\n{\"x\":1}\n"),
        ("", "{\"x\":1}\n"),
    ] {
        let (bench, done) = appended("JSONL", old, "{\"x\":1}\n", "");
        done.good();
        assert_eq!(bench.read("a.txt"), whole);
    }
}

/// The second output turns out not to fit: the first is not published either.
#[test]
fn what_does_not_fit_one_sink_publishes_none() {
    let bench =
        Bench::with(Script::new().on(Verb::Execute, "in.json", Behaviour::Contents("x,y\n2,b\n")));
    bench.text("b.csv", "other\n");
    let done = bench.run(
        "
  - name: a
    source: {path: '@/in.json', format: JSON}
    sinks: [{path: '@/a.csv', format: CSV}, {path: '@/b.csv', format: CSV, mode: APPEND}, {path: '@/c.csv', format: CSV}]
",
    );
    assert!(
        done.faults()[0].starts_with("a: nodes[0].sinks[1]: schema_mismatch: "),
        "{:?}",
        done.faults()
    );
    assert_eq!(done.statuses(), [("a", Status::Failed)]);
    assert_eq!(bench.files(), ["b.csv"]);
    assert_eq!(bench.read("b.csv"), "other\n");
}

#[test]
fn folders_are_replaced_whole_or_added_to() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("out")).unwrap();
    bench.table("out/old.parquet", &[7]);
    let parts = |bench: &Bench| -> usize {
        bench
            .files()
            .iter()
            .filter(|name| name.starts_with("out/part-"))
            .count()
    };
    run(&bench, "out', format: PARQUET, mode: APPEND").good();
    assert_eq!(parts(&bench), 1);
    assert!(bench.files().contains(&"out/old.parquet".to_owned()));
    run(&bench, "out/', format: PARQUET, mode: APPEND").good();
    assert_eq!(
        parts(&bench),
        2,
        "part names do not collide: {:?}",
        bench.files()
    );
    run(&bench, "out', format: PARQUET").good();
    assert_eq!(parts(&bench), 1);
    assert_eq!(bench.files().len(), 2, "{:?}", bench.files());
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

#[test]
fn a_node_may_overwrite_what_it_reads() {
    let bench = Bench::new();
    bench.table("a.x", &[1, 2]);
    let nodes = "
  - {name: a, source: {path: '@/a.x', format: PARQUET}, transformer: {nodes: [{func_name: head, func_args: [1]}]}, sinks: [{path: '@/a.x', format: PARQUET}]}
";
    bench.run(nodes).good();
    assert_eq!(bench.values("a.x"), ["1"]);
}
