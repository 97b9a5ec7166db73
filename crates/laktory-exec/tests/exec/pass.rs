//! One pass for each node, with everything that is wanted of it.

use crate::support::Bench;
use laktory_testkit::recorder::Verb;

#[test]
fn all_jobs_of_a_node_are_one_call() {
    let bench = Bench::new();
    let done = bench.run(
        "
  - name: a
    source: {path: '@/in.json', format: JSON}
    expectations: [{name: e, expr: x > 0, action: QUARANTINE}]
    sinks:
      - {path: '@/a.csv', format: CSV}
      - {path: '@/a.json', format: JSON, schema: {columns: {x: bigint}}}
      - {path: '@/bad.jsonl', format: JSONL, is_quarantine: true}
  - {name: b, source: {node_name: a}, sinks: [{path: '@/b.parquet', format: PARQUET}]}
",
    );
    // The recorder does not filter: its quarantine would hold every row, which the executor refuses.
    assert_eq!(done.faults().len(), 1);
    assert_eq!(
        bench.passes(),
        [["write", "write", "write", "collect", "materialize"]]
    );
    let call = &bench.script.calls(Verb::Execute)[0];
    for steps in &call.steps {
        assert_eq!(
            steps[..2],
            call.steps[0][..2],
            "every job begins with the same read and flags"
        );
    }
    assert!(
        call.steps[1].last().unwrap().starts_with("Select"),
        "{call:?}"
    );
}

#[test]
fn a_node_with_one_reader_has_no_pass_of_its_own() {
    let bench = Bench::new();
    let done = bench.run(
        "
  - {name: a, source: {path: '@/in.json', format: JSON}, transformer: {nodes: [{func_name: head, func_args: [2]}]}}
  - {name: b, source: {node_name: a}, sinks: [{path: '@/b.parquet', format: PARQUET}, {path: '@/b.csv', format: CSV}]}
",
    );
    done.good();
    assert_eq!(bench.passes(), [["write", "write"]]);
    let document = bench.document("b.parquet");
    assert_eq!(document.outputs, 2);
    assert_eq!(document.steps.len(), 2, "{:?}", document.steps);
    assert_eq!(done.node("a").rows_out, None);
    assert_eq!(done.node("b").rows_out, Some(2));
}

#[test]
fn readers_of_a_sink_read_the_file() {
    let bench = Bench::new();
    let done = bench.run(
        "
  - {name: a, source: {path: '@/in.json', format: JSON}, sinks: [{path: '@/a.parquet', format: PARQUET}]}
  - {name: b, source: {node_name: a}, sinks: [{path: '@/b.parquet', format: PARQUET}]}
  - {name: c, source: {node_name: a}, sinks: [{path: '@/c.parquet', format: PARQUET}]}
",
    );
    done.good();
    assert_eq!(bench.passes(), [["write"], ["write"], ["write"]]);
    for name in ["b.parquet", "c.parquet"] {
        let steps = bench.document(name).steps;
        assert_eq!(
            steps,
            [format!(
                "read PARQUET {}",
                bench.path("a.parquet").display()
            )]
        );
    }
}

#[test]
fn without_writing_every_node_is_computed_and_nothing_is_on_disk() {
    let nodes = "
  - {name: a, source: {path: '@/in.json', format: JSON}, sinks: [{path: '@/a.parquet', format: PARQUET}]}
  - {name: b, source: {node_name: a}, sinks: [{path: '@/b.parquet', format: PARQUET}]}
  - {name: c, source: {node_name: a}, depends_on: [b]}
";
    for compiled in [true, false] {
        let mut bench = Bench::new();
        bench.write = compiled;
        bench.options.write = false;
        let done = bench.run(nodes);
        assert!(bench.files().is_empty(), "{:?}", bench.files());
        assert!(bench.passes().iter().flatten().all(|job| job != "write"));
        for node in ["b", "c"] {
            assert_eq!(
                done.node(node).rows_out,
                Some(3),
                "{node}, compiled with {compiled}"
            );
        }
        let output = bench.wait(done.good().output("a")).unwrap();
        assert_eq!(bench.wait(output.collect()).unwrap()[0].num_rows(), 3);
    }
}

/// What an earlier run wrote is not mistaken for the output of a run that writes nothing.
#[test]
fn without_writing_readers_do_not_read_old_sinks() {
    let mut bench = Bench::new();
    bench.table("a.parquet", &[7]);
    bench.options.write = false;
    let done = bench.run(
        "
  - {name: a, source: {path: '@/in.json', format: JSON}, sinks: [{path: '@/a.parquet', format: PARQUET}]}
  - {name: b, source: {node_name: a}}
",
    );
    assert_eq!(done.node("b").rows_out, Some(3));
    let output = bench.wait(done.good().output("a")).unwrap();
    assert_eq!(bench.wait(output.collect()).unwrap()[0].num_rows(), 3);
    assert_eq!(bench.values("a.parquet"), ["7"]);
}

#[test]
fn r_nexec_3_a_quarantine_sink_without_expectations_is_empty() {
    let bench = Bench::new();
    let done = bench.run(
        "
  - name: a
    source: {path: '@/in.json', format: JSON}
    sinks: [{path: '@/a.json', format: JSON}, {path: '@/bad.json', format: JSON, is_quarantine: true}]
",
    );
    done.good();
    let document = bench.document("bad.json");
    assert_eq!((document.table.rows, document.table.columns.len()), (0, 2));
    assert_eq!(done.node("a").rows_out, Some(3));
}

#[test]
fn outputs_can_be_read_after_the_run() {
    let bench = Bench::new();
    let done = bench.run(
        "
  - {name: a, source: {path: '@/in.json', format: JSON}}
  - {name: b, source: {node_name: a}, sinks: [{path: '@/b.parquet', format: PARQUET}]}
  - {name: c, source: {node_name: a}}
",
    );
    let run = done.good();
    bench.wait(async {
        for node in ["a", "b", "c"] {
            let output = run.output(node).await.unwrap();
            assert_eq!(output.collect().await.unwrap()[0].num_rows(), 3, "{node}");
            assert_eq!(output.head(1).await.unwrap()[0].num_rows(), 1, "{node}");
        }
        let error = run.output("d").await.unwrap_err();
        assert_eq!(error.hint(), Some("nodes of the run: `a`, `b`, `c`"));
    });
}

#[test]
fn r_dsrc_1_rows_of_the_pipeline_itself_keep_their_columns() {
    let bench = Bench::new();
    let done = bench.run(
        "
  - {name: a, source: {data: {x: []}}}
  - {name: b, source: {data: {x: [1, null], z: [null, null]}}, sinks: [{path: '@/b.json', format: JSON}]}
",
    );
    done.good();
    let names: Vec<String> = bench
        .document("b.json")
        .table
        .columns
        .into_iter()
        .map(|column| column.name)
        .collect();
    assert_eq!(names, ["x", "z"], "a column of nulls stays");
}

#[test]
fn kept_frames_have_a_scratch_folder_until_the_run_is_dropped() {
    let bench = Bench::new();
    let entries = || std::fs::read_dir(bench.path("scratch")).map_or(0, Iterator::count);
    let done = bench.run("  - {name: a, source: {path: '@/in.json', format: JSON}}\n");
    done.good();
    assert_eq!(entries(), 1);
    drop(done);
    assert_eq!(entries(), 0);
    bench.run("  - {name: a, source: {path: '@/in.json', format: JSON}, sinks: [{path: '@/a.json', format: JSON}]}\n").good();
    assert_eq!(entries(), 0);
}
