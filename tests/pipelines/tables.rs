//! Tables and views of a catalog, on engines that have one: written by every mode, read by name, shown by views, removed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::case::{Engine, engines, laktory, rows, sorted};

/// A test on an engine with a catalog.
type Test = fn(&Engine) -> Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    let remote = engines().into_iter().filter(|engine| engine.is_remote);
    remote
        .flat_map(|engine| {
            let tests: [(&str, Test); 4] = [
                ("written_read_and_shown", written_read_and_shown),
                ("modes_mean_what_they_mean_for_files", modes),
                (
                    "a_table_is_not_replaced_by_its_own_rows",
                    replaced_by_itself,
                ),
                ("partitions_are_read_back", partitions),
            ];
            tests.map(|(name, test)| {
                let own = engine.clone();
                engine.trial(&format!("tables/{name}"), move || test(&own))
            })
        })
        .collect()
}

/// A folder with a pipeline whose tables have names of their own, removed at the end.
pub(crate) struct World<'a> {
    engine: &'a Engine,
    folder: tempfile::TempDir,
    suffix: String,
}

impl<'a> World<'a> {
    pub(crate) fn new(engine: &'a Engine, pipeline: &str) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let digits = folder.path().to_string_lossy().into_owned();
        let suffix: String = digits.chars().filter(char::is_ascii_alphanumeric).collect();
        let world = Self {
            engine,
            folder,
            suffix: suffix.to_lowercase(),
        };
        world.pipeline("pipeline.yaml", pipeline)?;
        Ok(world)
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn pipeline(&self, name: &str, text: &str) -> Result<(), Failed> {
        let text = text.replace("SUFFIX", &self.suffix);
        Ok(fs::write(self.root().join(name), text)?)
    }

    /// Runs the command; gives its exit code and both of its outputs.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<(Option<i32>, String), Failed> {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let output = laktory(self.root(), &arguments, &self.engine.environment)?;
        let text = [output.stdout, output.stderr].concat();
        Ok((
            output.status.code(),
            String::from_utf8_lossy(&text).into_owned(),
        ))
    }

    /// Runs the command, which must refuse the pipeline with these words.
    pub(crate) fn is_refused(&self, arguments: &[&str], words: &str) -> Result<(), Failed> {
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let output = laktory(self.root(), &arguments, &self.engine.environment)?;
        let told = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(2) if told.contains(words) => Ok(()),
            _ => Err(format!("{}: {told}", output.status).into()),
        }
    }

    pub(crate) fn succeeds(&self, arguments: &[&str]) -> Result<String, Failed> {
        match self.run(arguments)? {
            (Some(0), text) => Ok(text),
            (code, text) => Err(format!("{arguments:?} ends with {code:?}: {text}").into()),
        }
    }

    pub(crate) fn fails(&self, arguments: &[&str], expected: &str) -> Result<(), Failed> {
        match self.run(arguments)? {
            (Some(1 | 2), text) if text.contains(&expected.replace("SUFFIX", &self.suffix)) => {
                Ok(())
            }
            (code, text) => Err(format!(
                "{arguments:?} ends with {code:?}, expected `{expected}`: {text}"
            )
            .into()),
        }
    }

    pub(crate) fn holds(&self, output: &str, expected: &[&str]) -> Result<(), Failed> {
        let found = sorted(&rows(&self.root().join(output))?, true);
        match found == expected {
            true => Ok(()),
            false => Err(format!("{output} holds {found:#?}, expected {expected:#?}").into()),
        }
    }
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        // What cannot be removed ends with the server.
        let _ = self.run(&["run", "pipeline.yaml", "-q", "--refresh", "reset"]);
    }
}

const LAYERS: &str = "
name: layers
nodes:
- name: brz
  source: {data: [{symbol: A, close: 1.5}, {symbol: B, close: 2.5}, {symbol: B, close: null}]}
  sinks: [{schema_name: default, table_name: brz_SUFFIX, format: PARQUET, writer_methods: [{name: partitionBy, args: [symbol]}]}]
- name: slv
  source: {node_name: brz}
  transformer: {nodes: [{expr: 'SELECT symbol, close * 2 AS twice FROM {df} WHERE close IS NOT NULL'}]}
  sinks: [{table_name: default.slv_SUFFIX, table_type: VIEW}]
- name: top
  source: {table_name: slv_SUFFIX, schema_name: default, type: HIVE_METASTORE, name: slv}
  depends_on: [slv]
  transformer: {nodes: [{expr: 'SELECT s.symbol, MAX(s.twice) AS top FROM {sources.slv} AS s JOIN {nodes.brz} AS b ON s.symbol = b.symbol GROUP BY s.symbol'}]}
  sinks: [{table_name: top_SUFFIX, table_type: VIEW, type: HIVE_METASTORE}]
- name: out
  source: {node_name: top}
  sinks: [{path: out.jsonl, format: JSONL}]
";

fn written_read_and_shown(engine: &Engine) -> Result<(), Failed> {
    let world = World::new(engine, LAYERS)?;
    let plan = world.succeeds(&["plan", "pipeline.yaml"])?;
    for expected in [
        "rows to default.brz_SUFFIX (PARQUET, OVERWRITE)",
        "table default.slv_SUFFIX",
        "rows to top_SUFFIX (VIEW, OVERWRITE)",
        "node top (read from top_SUFFIX)",
    ] {
        let expected = expected.replace("SUFFIX", &world.suffix);
        if !plan.contains(&expected) {
            return Err(format!("the plan lacks `{expected}`: {plan}").into());
        }
    }
    let text = world.succeeds(&["run", "pipeline.yaml"])?;
    if !text.contains(&format!("default.brz_{}", world.suffix)) {
        return Err(format!("the summary does not name the table: {text}").into());
    }
    let all = [r#"{"symbol":"A","top":3.0}"#, r#"{"symbol":"B","top":5.0}"#];
    world.holds("out.jsonl", &all)?;
    // A view shows what is in the table now, and nodes that are not part of a run are read from the catalog.
    world.pipeline("pipeline.yaml", &LAYERS.replace("2.5", "7.0"))?;
    world.succeeds(&["run", "pipeline.yaml", "-q", "--select", "brz"])?;
    world.succeeds(&["run", "pipeline.yaml", "-q", "--select", "out"])?;
    let all = [
        r#"{"symbol":"A","top":3.0}"#,
        r#"{"symbol":"B","top":14.0}"#,
    ];
    world.holds("out.jsonl", &all)?;
    let schema = world.succeeds(&["schema", "pipeline.yaml", "slv", "-q"])?;
    if !schema.contains("twice") {
        return Err(format!("the schema of the view is {schema}").into());
    }
    world.succeeds(&["run", "pipeline.yaml", "-q", "--refresh", "reset"])?;
    world.fails(
        &["run", "pipeline.yaml", "--select", "out"],
        "there is no table or view `top_SUFFIX`",
    )?;
    // Faults in the query of a view lead to its place.
    world.pipeline("bad.yaml", &LAYERS.replace("close * 2", "clsoe * 2"))?;
    world.fails(
        &["run", "bad.yaml"],
        "bad.yaml:9:48: error: there is no column `clsoe`",
    )?;
    world.pipeline(
        "bad.yaml",
        &LAYERS.replace(
            "sinks: [{schema_name: default, table_name: brz_SUFFIX, format: PARQUET, writer_methods: [{name: partitionBy, args: [symbol]}]}]",
            "sinks: [{path: brz.parquet, format: PARQUET}]",
        ),
    )?;
    world.fails(
        &["validate", "bad.yaml"],
        "`{df}` of a view must be a table of a catalog",
    )?;
    let view = "table_type: VIEW}]\n- name: top";
    for (keys, expected) in [
        (
            "mode: APPEND",
            "`mode` has no meaning for a view, which holds no rows",
        ),
        (
            "writer_kwargs: {path: p}",
            "`writer_kwargs` has no meaning for a view",
        ),
    ] {
        let with = view.replace("VIEW", &format!("VIEW, {keys}"));
        world.pipeline("bad.yaml", &LAYERS.replace(view, &with))?;
        world.fails(&["validate", "bad.yaml"], expected)?;
    }
    let filtered = LAYERS.replace("{node_name: brz}", "{node_name: brz, filter: close > 2}");
    world.pipeline("bad.yaml", &filtered)?;
    let expected =
        "bad.yaml:8:28: error: `filter` cannot be part of a view, which reads the table itself";
    world.fails(&["validate", "bad.yaml"], expected)
}

const ONE: &str = "
name: one
nodes:
- name: a
  source: {data: [{x: 1}]}
  sinks: [{table_name: one_SUFFIX, format: PARQUET, mode: MODE}]
- name: b
  source: {table_name: one_SUFFIX}
  depends_on: [a]
  sinks: [{path: out.jsonl, format: JSONL}]
";

fn modes(engine: &Engine) -> Result<(), Failed> {
    let world = World::new(engine, &ONE.replace("MODE", "OVERWRITE"))?;
    let one = r#"{"x":1}"#;
    let as_mode = |mode: &str| world.pipeline("mode.yaml", &ONE.replace("MODE", mode));
    world.fails(
        &["run", "pipeline.yaml", "--select", "b"],
        "there is no table or view `one_SUFFIX`",
    )?;
    for (mode, rows) in [("ERROR", 1), ("APPEND", 2), ("IGNORE", 2), ("OVERWRITE", 1)] {
        as_mode(mode)?;
        world.succeeds(&["run", "mode.yaml", "-q"])?;
        world.holds("out.jsonl", &vec![one; rows])?;
    }
    as_mode("ERROR")?;
    world.fails(
        &["run", "mode.yaml"],
        "`one_SUFFIX` exists, and the sink's mode is ERROR",
    )?;
    // The cluster of the tests has no package of Delta.
    world.pipeline(
        "delta.yaml",
        &ONE.replace("format: PARQUET, mode: MODE", "mode: APPEND"),
    )?;
    world.fails(&["run", "delta.yaml"], "DELTA")?;
    as_mode("OVERWRITE, metadata: {comment: c}")?;
    world.fails(
        &["run", "mode.yaml"],
        "comments, owners, properties and tags of tables are not set in this version",
    )
}

const ITSELF: &str = "
name: itself
nodes:
- name: a
  source: {data: [{x: 1}, {x: 2}]}
  sinks: [{table_name: itself_SUFFIX, format: PARQUET}]
";

const AGAIN: &str = "
name: again
nodes:
- name: a
  source: {table_name: itself_SUFFIX}
  transformer: {nodes: [{expr: 'SELECT x + 1 AS x FROM {df}'}]}
  sinks: [{table_name: itself_SUFFIX, format: PARQUET}]
- name: b
  source: {node_name: a}
  sinks: [{path: out.jsonl, format: JSONL}]
";

fn replaced_by_itself(engine: &Engine) -> Result<(), Failed> {
    let world = World::new(engine, ITSELF)?;
    world.pipeline("again.yaml", AGAIN)?;
    world.succeeds(&["run", "pipeline.yaml", "-q"])?;
    world.is_refused(&["run", "again.yaml", "-q"], "which it reads")
}

const FOLDERS: &str = "
name: folders
nodes:
- name: a
  source: {data: [{day: d1, x: 1}, {day: d2, x: 2}]}
  sinks:
  - path: days
    format: PARQUET
    writer_methods: [{name: partitionBy, args: [day]}, {name: option, args: [compression, snappy]}]
- name: b
  source: {node_name: a}
  sinks: [{path: out.jsonl, format: JSONL}]
";

fn partitions(engine: &Engine) -> Result<(), Failed> {
    let world = World::new(engine, FOLDERS)?;
    world.succeeds(&["run", "pipeline.yaml", "-q"])?;
    let folders: BTreeMap<String, bool> = fs::read_dir(world.root().join("days"))?
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, entry.path().is_dir())
        })
        .filter(|(_, is_folder)| *is_folder)
        .collect();
    if folders.keys().collect::<Vec<_>>() != ["day=d1", "day=d2"] {
        return Err(format!("the folders are {folders:?}").into());
    }
    let all = [r#"{"day":"d1","x":1}"#, r#"{"day":"d2","x":2}"#];
    world.holds("out.jsonl", &all)?;
    world.succeeds(&["run", "pipeline.yaml", "-q", "--select", "b"])?;
    world.holds("out.jsonl", &all)?;
    world.pipeline("bad.yaml", &FOLDERS.replace("partitionBy", "partitionedBy"))?;
    world.fails(
        &["validate", "bad.yaml"],
        "`partitionedBy` is not a method of the writer on backend PYSPARK",
    )
}
