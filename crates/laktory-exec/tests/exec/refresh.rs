//! Full refreshes and resets (section 7.1).

use crate::support::Bench;
use laktory_exec::{Refresh, Status};
use laktory_testkit::recorder::Verb;

const NODES: &str = "
  - name: a
    source: {path: '@/in.json', format: JSON}
    sinks: [{path: '@/a.x', format: PARQUET, mode: MODE}, {path: '@/out/', format: PARQUET, mode: MODE}]
  - {name: b, source: {node_name: a}, sinks: [{path: '@/b.x', format: PARQUET}]}
";

fn nodes(mode: &str) -> String {
    NODES.replace("MODE", mode)
}

#[test]
fn full_replaces_whatever_the_mode() {
    for mode in ["OVERWRITE", "APPEND", "IGNORE", "ERROR"] {
        let mut bench = Bench::new();
        bench.options.refresh = Refresh::Full;
        for _ in 0..2 {
            let done = bench.run(&nodes(mode));
            done.good();
            assert_eq!(bench.values("a.x").len(), 3, "{mode}");
            assert_eq!(bench.values("b.x").len(), 3, "{mode}");
            assert_eq!(done.node("a").outputs[0].mode, "OVERWRITE");
            let parts = bench
                .files()
                .iter()
                .filter(|name| name.starts_with("out/p"))
                .count();
            assert_eq!(parts, 1, "{mode}");
        }
    }
}

#[test]
fn reset_removes_outputs_and_reads_nothing() {
    let mut bench = Bench::new();
    bench.run(&nodes("OVERWRITE")).good();
    let before = bench.script.calls(Verb::Read).len();
    bench.options.refresh = Refresh::Reset;
    std::fs::remove_file(bench.path("in.json")).unwrap();
    let done = bench.run(&nodes("OVERWRITE"));
    done.good();
    assert!(bench.files().is_empty(), "{:?}", bench.files());
    assert_eq!(bench.script.calls(Verb::Read).len(), before);
    let told = done.told();
    let removed = told
        .iter()
        .filter(|event| event.starts_with("removed "))
        .count();
    assert_eq!(removed, 3);
    let done = bench.run(&nodes("OVERWRITE"));
    done.good();
    assert!(
        !done
            .told()
            .iter()
            .any(|event| event.starts_with("removed ")),
        "R-PURGE-1: nothing to do is fine"
    );
}

/// A reset removes what runs of ours wrote at the place, and nothing else.
#[test]
fn reset_leaves_what_is_others() {
    use std::os::unix::fs::symlink;
    let mut bench = Bench::new();
    bench.run(&nodes("OVERWRITE")).good();
    bench.text("out/notes.txt", "mine");
    bench.options.refresh = Refresh::Reset;
    let done = bench.run(&nodes("OVERWRITE"));
    done.good();
    assert_eq!(bench.files(), ["out/", "out/notes.txt"]);
    let warnings = &done.node("a").warnings;
    assert!(
        warnings[0].starts_with("1 file that no run of laktory wrote stays in "),
        "{warnings:?}"
    );
    // A file that no run wrote, that somebody changed, or that lies behind a link: nothing of the node goes.
    for make in [
        |bench: &Bench| bench.text("a.x", "mine"),
        |bench: &Bench| symlink("elsewhere", bench.path("a.x")).unwrap(),
        |bench: &Bench| {
            bench.text("elsewhere", "mine");
            symlink("elsewhere", bench.path("a.x")).unwrap();
        },
    ] {
        let _ = std::fs::remove_file(bench.path("a.x"));
        make(&bench);
        let before = bench.files();
        let done = bench.run(&nodes("OVERWRITE"));
        assert_eq!(done.run().report.nodes[0].status, Status::Failed);
        assert_eq!(bench.files(), before);
    }
}

/// Rows that ours were added to stay those of who wrote them.
#[test]
fn reset_leaves_a_file_that_was_appended_to() {
    let mut bench = Bench::new();
    bench.table("a.x", &[7]);
    bench.run(&nodes("APPEND")).good();
    bench.options.refresh = Refresh::Reset;
    let done = bench.run(&nodes("APPEND"));
    assert!(done.faults()[0].contains("nothing tells that a run of laktory wrote"));
    assert_eq!(bench.values("a.x").len(), 4);
}

#[test]
fn reset_touches_the_selected_nodes_only() {
    let mut bench = Bench::new();
    bench.run(&nodes("OVERWRITE")).good();
    bench.options.refresh = Refresh::Reset;
    bench.selects = Some(vec!["b".to_owned()]);
    bench.run(&nodes("OVERWRITE")).good();
    let files = bench.files();
    assert!(
        files.contains(&"a.x".to_owned()) && !files.contains(&"b.x".to_owned()),
        "{files:?}"
    );
}

#[test]
fn reset_without_writing_removes_nothing() {
    for compiled in [true, false] {
        let mut bench = Bench::new();
        bench.run(&nodes("OVERWRITE")).good();
        let before = bench.files();
        bench.options.refresh = Refresh::Reset;
        bench.options.write = false;
        bench.write = compiled;
        let done = bench.run(&nodes("OVERWRITE"));
        assert_eq!(done.run().report.status, Status::Succeeded);
        assert_eq!(bench.files(), before);
    }
}

#[test]
fn r_purge_leftovers_of_killed_runs_are_removed() {
    let bench = Bench::new();
    let left = bench.path(".laktory-staging-dead");
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("lock"), "").unwrap();
    std::fs::write(left.join("part.parquet"), "half").unwrap();
    bench.run(&nodes("OVERWRITE")).good();
    assert!(!left.exists());
}
