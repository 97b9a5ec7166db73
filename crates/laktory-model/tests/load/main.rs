//! Whole documents through the public interface: what loads, what does not, and what is said about it.

mod fuzz;
mod limits;
mod model;
mod rules;
mod variables;
mod yaml;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use laktory_model::{
    Action, DataFrameMethod, DataSource, Expectation, FileDataSink, FileDataSource, FileLoader,
    Finding, LoadOptions, Loaded, Path, Pipeline, PipelineNode, PipelineNodeDataSource, Settings,
    SinkKind, SourceKind, TransformerNode, WriteMode, load, validate,
};

const MISSION: &str = include_str!("../data/mission.yaml");

/// Files that live in the test.
struct Files(BTreeMap<&'static str, &'static str>);

impl FileLoader for Files {
    fn read(&self, path: &FilePath, most: usize) -> io::Result<Vec<u8>> {
        let name = path.to_string_lossy();
        match self.0.get(name.as_ref()) {
            Some(text) if text.len() > most => Err(io::ErrorKind::FileTooLarge.into()),
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, path: &FilePath) -> io::Result<Vec<PathBuf>> {
        let found = self.0.keys().map(FilePath::new);
        let mut children: Vec<PathBuf> = found
            .filter_map(|file| {
                let rest = file.strip_prefix(path).ok()?;
                Some(path.join(rest.components().next()?))
            })
            .collect();
        children.dedup();
        Ok(children)
    }

    fn is_dir(&self, path: &FilePath) -> bool {
        let prefix = format!("{}/", path.display());
        self.0.keys().any(|file| file.starts_with(&prefix))
    }
}

fn loaded(text: &str) -> Loaded {
    load("p.yaml", text.as_bytes(), &LoadOptions::default())
}

fn told(loaded: &Loaded) -> Vec<String> {
    loaded.diagnostics.iter().map(ToString::to_string).collect()
}

fn pipeline(text: &str) -> Pipeline {
    let loaded = loaded(text);
    assert!(loaded.diagnostics.is_empty(), "{:#?}", told(&loaded));
    loaded.pipeline.expect("a pipeline without diagnostics")
}

/// Asserts that `text` gives exactly these diagnostics.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(told(&loaded(text)), expected, "{text}");
}

/// A node `a` with a source, and `more` of it indented by two.
fn node(more: &str) -> String {
    let more = more.replace('\n', "\n  ");
    format!("name: p\nnodes:\n- name: a\n  source: {{path: x, format: CSV}}\n  {more}\n")
}

const WIDE: &str = r#"
name: wide
dependencies: [a, b]
imports: one
parameters: {day: {default: 5}, none: {default: x}}
orchestrator: {type: lakeflow_job, name: x, tags: {a: [1, 2]}}
nodes:
- name: all
  sources:
  - {path: a, format: csv, has_header: no, infer_schema: "true", reader_kwargs: {sep: ";", n: 1.5, z: null}}
  - name: t
    catalog_name: c
    table_name: s.t
    filter: x > 1
    selects: {a + 1: b}
    renames: {b: c}
    drops: d
    drop_duplicates: yes
    reader_methods: [{name: option, args: [a, 1]}]
  - {name: h, type: hive_metastore, table_name: t, selects: [x, y], drop_duplicates: [x]}
  - {name: d, data: {x: [1, null], y: [a, 2.5]}}
  - {name: r, data: [{x: 1}, {y: 2}]}
  - {name: f, custom_reader: a.b.c}
  - {name: g, custom_reader: {func_name: a.b, func_kwargs: {x: 1}}}
  - name: s
    path: p
    format: json
    schema:
      columns:
      - {name: a, dtype: int, nullable: false}
      - {name: b, dtype: {name: struct, fields: {x: "array<string>", y: {name: datetime, time_zone: null}}}, is_primary: true}
      - {name: c, dtype: "decimal(10, 2)"}
  transformer:
    nodes:
    - {expr: "select 1", type: sql}
    - {func_name: a.b, func_args: [1, "nw.col('x')", [a]], func_kwargs: {on: yes, other: {nodes.q}}, dataframe_api: native}
  expectations:
  - {name: e, expr: x > 0}
  - {name: f, expr: {expr: "nw.col('x') > 0", type: df}, action: quarantine, tolerance: {rel: 0.5}}
  - {name: g, expr: count(*) > 1, type: aggregate, action: fail, tolerance: {abs: "3"}}
  sinks:
  - {path: out, format: delta, mode: merge, merge_cdc_options: {primary_keys: [k], scd_type: 2, order_by: t, delete_where: d}, reset_mode: truncate}
  - {path: q, format: parquet, is_quarantine: true, writer_kwargs: {a: 1}, writer_methods: [{name: m, kwargs: {a: b}}]}
  - {table_name: a.b.c, type: HIVE_METASTORE, mode: errorIfExists, as_stream: off, metadata: {comment: c, properties: {a: 1}, tags: {t: , u: v}, columns: [{name: x, tags: {y: z}}]}}
  - {table_name: d, schema_name: s, shared: {where: x = 1}, schema: {columns: {a: int}}}
  - {path: w, format: csv, custom_writer: {func_name: a.b, func_args: 1}}
  - {path: sh, format: delta, shared: yes, checkpoint_path: cp}
  - {pipeline_view_name: v}
  depends_on: [b]
  primary_keys: [k]
  time_column: t
  comment: 1.10
  tags: [x, y]
  execution_task_name: task
  ldp_template: null
  root_path: r
  dataframe_backend: datafusion
- name: b
  transformer: {nodes: [{expr: select 1}]}
"#;
