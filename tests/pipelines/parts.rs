//! Parts equal the whole: nodes of random pipelines, run one by one in a random legal order, leave what one run of all of
//! them leaves, or are refused before anything is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use laktory::{Execute as _, ExecuteError, Planning, Project, Surroundings};
use libtest_mimic::{Failed, Trial};

use crate::case::engines;

/// How many pipelines are tried on each engine, and from which number on.
const COUNT_VARIABLE: &str = "LAKTORY_PARTS_PIPELINES";
const FIRST_VARIABLE: &str = "LAKTORY_PARTS_FIRST";
const COUNT: u64 = 25;

pub(crate) fn trials() -> Vec<Trial> {
    let local = engines().into_iter().filter(|engine| !engine.is_remote);
    local
        .map(|engine| {
            let name = engine.test_name("parts/equal_the_whole");
            // Asked for by its number until it has been run at length.
            Trial::test(name, move || parts_equal_the_whole(engine.name))
                .with_ignored_flag(std::env::var_os(COUNT_VARIABLE).is_none())
        })
        .collect()
}

fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given
        .and_then(|given| given.parse().ok())
        .unwrap_or(default)
}

#[allow(
    clippy::print_stderr,
    reason = "the tally of a long run is read by people"
)]
fn parts_equal_the_whole(engine: &'static str) -> Result<(), Failed> {
    let base = tempfile::tempdir()?;
    for nan in [false, true] {
        rows_of_every_type(engine, base.path(), nan)?;
    }
    let first = number(FIRST_VARIABLE, 0);
    let mut tally = Tally::default();
    let mut differences = Vec::new();
    for seed in first..first + number(COUNT_VARIABLE, COUNT) {
        let pipeline = Random::new(seed).pipeline(engine);
        if let Err(difference) = compare(engine, base.path(), seed, &pipeline, &mut tally) {
            let text = pipeline.text("FOLDER", "BASE");
            differences.push(format!(
                "{FIRST_VARIABLE}={seed}: {}\n{text}",
                difference.message().unwrap_or_default()
            ));
            if differences.len() == 5 {
                break;
            }
        }
    }
    if std::env::var_os(COUNT_VARIABLE).is_some() {
        eprintln!("{engine}: {tally:?}");
    }
    if !differences.is_empty() {
        return Err(differences.join("\n\n").into());
    }
    if tally.parts == 0 || tally.refused > tally.parts {
        return Err(format!("too little was compared: {tally:?}").into());
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Tally {
    pipelines: u64,
    /// Nodes that were run alone, those that read what another run had written, and those that were refused.
    parts: u64,
    apart: u64,
    refused: u64,
    outputs: u64,
}

/// The file of the rows, with or without floats that are no numbers: JSON has no form of these.
fn base(nan: bool) -> &'static str {
    if nan { "nan.parquet" } else { "base.parquet" }
}

/// Rows of every type, with what tends to be lost on the way.
fn rows_of_every_type(engine: &str, folder: &Path, nan: bool) -> Result<(), Failed> {
    let texts = [
        "null",
        "\"\"",
        "\" padded \"",
        "\"NA\"",
        "\"a,b;c\"",
        "\"a \\\"quoted\\\" 'text'\"",
        "\"ü\"",
        "\"null\"",
        "\"1\"",
        "\"two\\nlines\"",
        "\"#\"",
        "\"a\\\\b\"",
    ];
    let floats = match nan {
        true => [
            "null",
            "\"1.5\"",
            "\"NaN\"",
            "\"inf\"",
            "\"-inf\"",
            "\"1e300\"",
            "\"3\"",
        ],
        false => [
            "null",
            "\"1.5\"",
            "\"0.1\"",
            "\"1e-7\"",
            "\"-0.1\"",
            "\"1e300\"",
            "\"3\"",
        ],
    };
    let mut lines = String::new();
    for row in 0..24_usize {
        let _ = writeln!(
            lines,
            "{{\"id\": {row}, \"k\": {}, \"i\": {}, \"f\": {}, \"s\": {}, \"b\": {}, \"d\": {}, \"t\": {}, \"m\": {}, \"l\": {}, \"r\": {}}}",
            ["1", "2", "3", "null"][row % 4],
            ["9007199254740993", "-1", "0", "null", "7"][row % 5],
            floats[row % floats.len()],
            texts[row % texts.len()],
            ["true", "false", "null"][row % 3],
            ["\"2024-02-29\"", "null", "\"1969-12-31\""][row % 3],
            [
                "\"2024-02-29 12:30:00.123456\"",
                "\"1969-12-31 23:59:59\"",
                "null",
                "\"2024-01-01 00:00:00\""
            ][row % 4],
            ["\"12.30\"", "null", "\"-0.01\""][row % 3],
            ["[1, 2]", "[]", "null", "[null]"][row % 4],
            [
                "{\"u\": 1, \"v\": \"x\"}",
                "{\"u\": null, \"v\": \"\"}",
                "null"
            ][row % 3],
        );
    }
    fs::write(folder.join("in.jsonl"), lines)?;
    let text = format!(
        "
name: base
nodes:
- name: base
  source: {{path: {0}/in.jsonl, format: JSONL}}
  transformer:
    nodes:
    - expr: >
        SELECT id, CAST(k AS INT) AS k, i, CAST(f AS DOUBLE) AS f, s, b, CAST(d AS DATE) AS d, CAST(t AS TIMESTAMP) AS t,
        CAST(m AS DECIMAL(12, 2)) AS m, l, r FROM {{df}}
  sinks: [{{path: {0}/{1}, format: PARQUET}}]
",
        folder.display(),
        base(nan)
    );
    execute(engine, &text, None)?.map_err(|error| error.to_string())?;
    Ok(())
}

type Executed = Result<laktory::Execution, ExecuteError>;

fn execute(engine: &str, text: &str, node: Option<&str>) -> Result<Executed, Failed> {
    let surroundings = Surroundings::default();
    let project = Project::parse("p.yaml", text.as_bytes(), &surroundings);
    let project = project.map_err(|faults| ExecuteError::from(faults).to_string())?;
    let planning = Planning {
        selects: node.map(|node| vec![node.to_owned()]),
        backend: Some(engine.to_owned()),
        ..Planning::default()
    };
    Ok(project.execute_with(&planning, laktory::exec::RunOptions::default(), &Quiet))
}

struct Quiet;

impl laktory::exec::Observer for Quiet {
    fn on(&self, _: &laktory::exec::Event) {}
}

/// Runs the pipeline whole in one folder and in parts in another, and compares what lies there.
fn compare(
    engine: &str,
    base: &Path,
    seed: u64,
    pipeline: &Pipeline,
    tally: &mut Tally,
) -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let (whole, parts) = (root.path().join("whole"), root.path().join("parts"));
    let base = base.join(self::base(pipeline.nan)).display().to_string();
    let text = |folder: &Path| pipeline.text(&folder.display().to_string(), &base);
    let mut random = Random::new(seed ^ 0x5EED);
    tally.pipelines += 1;
    let mut refused: BTreeSet<usize> = BTreeSet::new();
    // A second run finds what the first one left.
    for _ in 0..1 + random.one_in(3) {
        execute(engine, &text(&whole), None)?
            .map_err(|error| format!("the whole run fails: {error}"))?;
        for node in pipeline.order(&mut random) {
            let above = &pipeline.nodes[node].above;
            if above.iter().any(|above| refused.contains(above)) {
                refused.insert(node);
                continue;
            }
            if pipeline.nodes[node].sinks.is_empty() {
                continue;
            }
            tally.parts += 1;
            tally.apart += u64::from(!above.is_empty());
            match execute(engine, &text(&parts), Some(&format!("n{node}")))? {
                Ok(_) => {}
                Err(error) => {
                    let told = error.to_string();
                    if error.report.is_some() || !told.contains("--select '*") {
                        return Err(format!("node n{node} alone fails: {told}").into());
                    }
                    tally.refused += 1;
                    refused.insert(node);
                }
            }
        }
    }
    for (number, node) in pipeline.nodes.iter().enumerate() {
        if refused.contains(&number) {
            continue;
        }
        for sink in &node.sinks {
            let read = |folder: &Path| contents(engine, &folder.join(&sink.file), sink.format);
            let (expected, found) = (read(&whole)?, read(&parts)?);
            tally.outputs += 1;
            if expected != found {
                let differs = expected.iter().zip(&found).find(|(a, b)| a != b);
                return Err(format!(
                    "`{}` of node n{number} has {} rows in the whole run and {} in parts; the first difference: {differs:#?}",
                    sink.file,
                    expected.len(),
                    found.len()
                )
                .into());
            }
        }
    }
    Ok(())
}

/// The rows of a file, in no order; the types of its columns come first where it has them.
fn contents(engine: &str, path: &Path, format: &str) -> Result<Vec<String>, Failed> {
    if !path.exists() {
        return Ok(vec!["nothing".to_owned()]);
    }
    let bytes = fs::read(path)?;
    let is_packed = bytes.starts_with(&[0x1f, 0x8b]);
    if !matches!(format, "PARQUET" | "IPC") && !is_packed {
        let text = String::from_utf8(bytes)?;
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| line.trim_end_matches(',').to_owned())
            .collect();
        lines.sort();
        return Ok(lines);
    }
    let text = format!(
        "name: look\nnodes: [{{name: look, source: {{path: {}, format: {format}}}}}]",
        path.display()
    );
    let looked = execute(engine, &text, None)?.map_err(|error| error.to_string())?;
    let output = looked.nodes["look"]
        .output()
        .map_err(|error| error.to_string())?;
    let schema = output.schema().map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    for batch in output.collect().map_err(|error| error.to_string())? {
        for row in 0..batch.num_rows() {
            rows.push(format!("{:?}", batch.slice(row, 1).columns()));
        }
    }
    rows.sort();
    rows.insert(0, format!("{schema:?}"));
    Ok(rows)
}

#[derive(Debug)]
struct Sink {
    file: String,
    format: &'static str,
    rest: String,
    /// Whether a reader of the file finds the node's output there, as it was.
    plain: bool,
}

#[derive(Debug)]
struct Node {
    /// Nodes that it reads.
    above: Vec<usize>,
    /// Its sources and steps.
    body: String,
    rules: String,
    columns: Vec<String>,
    sinks: Vec<Sink>,
}

#[derive(Debug)]
struct Pipeline {
    nodes: Vec<Node>,
    /// Whether there are floats that are no numbers.
    nan: bool,
}

impl Pipeline {
    fn text(&self, folder: &str, base: &str) -> String {
        let mut text = String::from("name: p\nnodes:\n");
        for (number, node) in self.nodes.iter().enumerate() {
            let _ = write!(text, "- name: n{number}\n{}{}", node.body, node.rules);
            if !node.sinks.is_empty() {
                text.push_str("  sinks:\n");
            }
            for sink in &node.sinks {
                let Sink {
                    file, format, rest, ..
                } = sink;
                let _ = writeln!(
                    text,
                    "  - {{path: {folder}/{file}, format: {format}{rest}}}"
                );
            }
        }
        text.replace("@FOLDER", folder).replace("@BASE", base)
    }

    /// The nodes in some order in which each comes after those that it reads.
    fn order(&self, random: &mut Random) -> Vec<usize> {
        let mut order = Vec::new();
        while order.len() < self.nodes.len() {
            let ready: Vec<usize> = (0..self.nodes.len())
                .filter(|node| !order.contains(node))
                .filter(|&node| {
                    self.nodes[node]
                        .above
                        .iter()
                        .all(|above| order.contains(above))
                })
                .collect();
            order.push(*random.of(&ready));
        }
        order
    }
}

/// A generator of numbers that are the same everywhere (SplitMix64).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("small");
        usize::try_from(self.next() % bound).expect("small")
    }

    /// 1 in one of so many cases, else 0.
    fn one_in(&mut self, cases: usize) -> usize {
        usize::from(self.below(cases) == 0)
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn pipeline(&mut self, engine: &str) -> Pipeline {
        let mut nodes: Vec<Node> = Vec::new();
        let nan = self.one_in(3) == 1;
        let count = 2 + self.below(6);
        for number in 0..count {
            let mut node = match nodes.len() {
                0 => self.root(),
                _ if self.one_in(5) == 1 => self.root(),
                _ => self.inner(number, &nodes),
            };
            node.rules = self.rules(&node.columns);
            node.sinks = self.sinks(number, &node, engine, nan);
            nodes.push(node);
        }
        Pipeline { nodes, nan }
    }

    /// A node that reads some columns of the rows of every type.
    fn root(&mut self) -> Node {
        let mut columns = vec!["id".to_owned()];
        for column in ["k", "i", "f", "s", "b", "d", "t", "m", "l", "r"] {
            // Nested columns rule out formats.
            let rare = matches!(column, "l" | "r");
            if self.below(if rare { 8 } else { 2 }) == 0 {
                columns.push(column.to_owned());
            }
        }
        let list = columns.join(", ");
        Node {
            above: Vec::new(),
            body: format!("  source: {{path: '@BASE', format: PARQUET, selects: [{list}]}}\n"),
            rules: String::new(),
            columns,
            sinks: Vec::new(),
        }
    }

    fn inner(&mut self, number: usize, nodes: &[Node]) -> Node {
        let one = self.below(nodes.len());
        let other = self.below(nodes.len());
        let source = self.source(one, &nodes[one]);
        let has = |node: usize, column: &str| nodes[node].columns.iter().any(|name| name == column);
        let mut columns = nodes[one].columns.clone();
        let (above, step) = match self.below(5) {
            0 => (
                vec![one],
                format!(
                    "expr: 'SELECT * FROM {{df}} WHERE id % {} <> 0'",
                    2 + self.below(4)
                ),
            ),
            1 => {
                let added = format!("x{number}");
                columns.push(added.clone());
                (
                    vec![one],
                    format!("expr: 'SELECT *, id + {number} AS {added} FROM {{df}}'"),
                )
            }
            2 => {
                let shared: Vec<String> = columns
                    .iter()
                    .filter(|name| has(other, name))
                    .cloned()
                    .collect();
                columns = shared;
                let list = columns.join(", ");
                let expr = format!(
                    "expr: 'SELECT {list} FROM {{df}} UNION ALL SELECT {list} FROM {{nodes.n{other}}}'"
                );
                (vec![one, other], expr)
            }
            3 => {
                let joined = nodes[other].columns.last().cloned().unwrap_or_default();
                let added = format!("y{number}");
                columns.push(added.clone());
                let how = ["JOIN", "LEFT JOIN"][self.below(2)];
                let list: Vec<String> = nodes[one]
                    .columns
                    .iter()
                    .map(|name| format!("a.{name}"))
                    .collect();
                let expr = format!(
                    "expr: 'SELECT {}, b.{joined} AS {added} FROM {{df}} a {how} {{nodes.n{other}}} b ON a.id = b.id'",
                    list.join(", ")
                );
                (vec![one, other], expr)
            }
            _ => {
                let value = columns[self.below(columns.len())].clone();
                let value = if matches!(value.as_str(), "l" | "r" | "b") || value.starts_with('y') {
                    "id".to_owned()
                } else {
                    value
                };
                columns = vec!["id".to_owned(), "z".to_owned()];
                (
                    vec![one],
                    format!(
                        "expr: 'SELECT id % 4 AS id, MAX({value}) AS z FROM {{df}} GROUP BY id % 4'"
                    ),
                )
            }
        };
        Node {
            above,
            body: format!("{source}  transformer: {{nodes: [{{{step}}}]}}\n"),
            rules: String::new(),
            columns,
            sinks: Vec::new(),
        }
    }

    /// The source that reads a node: by name, or by a path at which it writes its output.
    fn source(&mut self, number: usize, node: &Node) -> String {
        let plain = node.sinks.iter().find(|sink| sink.plain);
        match plain {
            Some(sink) if self.one_in(3) == 1 => {
                format!(
                    "  source: {{path: '@FOLDER/{}', format: {}}}\n",
                    sink.file, sink.format
                )
            }
            _ => format!("  source: {{node_name: n{number}}}\n"),
        }
    }

    fn rules(&mut self, columns: &[String]) -> String {
        let mut rules = String::new();
        for number in 0..self.below(5).saturating_sub(2) {
            let expr = match self.below(3) {
                0 => format!("id % {} <> 1", 2 + self.below(4)),
                1 => format!("{} IS NOT NULL", self.of(columns)),
                _ => "id < 20".to_owned(),
            };
            let action = self.of(&["WARN", "DROP", "QUARANTINE"]);
            let _ = writeln!(
                rules,
                "  - {{name: e{number}, expr: {expr}, action: {action}}}"
            );
        }
        match rules.as_str() {
            "" => rules,
            rules => format!("  expectations:\n{rules}"),
        }
    }

    fn sinks(&mut self, number: usize, node: &Node, engine: &str, nan: bool) -> Vec<Sink> {
        let quarantines = node.rules.contains("QUARANTINE");
        let nested = node
            .columns
            .iter()
            .any(|name| matches!(name.as_str(), "l" | "r"));
        // What a join brought along may be of any type.
        let nested = nested || node.columns.iter().any(|name| name.starts_with('y'));
        let mut sinks = Vec::new();
        for position in 0..self.below(4).min(2) + usize::from(quarantines) {
            let formats: &[&'static str] = match (nested, nan) {
                (true, true) => &["PARQUET", "IPC"],
                (false, true) => &["PARQUET", "IPC", "CSV", "CSV"],
                (true, false) => &["PARQUET", "IPC", "JSONL", "JSON"],
                (false, false) => &[
                    "PARQUET", "IPC", "JSONL", "JSON", "CSV", "CSV", "CSV", "JSONL",
                ],
            };
            let format = *self.of(formats);
            let mut rest = String::new();
            let quarantine = quarantines && position == 0;
            let mode = self.of(&[
                "",
                "",
                "",
                "",
                "",
                "",
                ", mode: OVERWRITE",
                ", mode: APPEND",
                ", mode: IGNORE",
            ]);
            rest.push_str(mode);
            if quarantine {
                rest.push_str(", is_quarantine: true");
            }
            let options = self.options(format, engine);
            let narrowed = self.one_in(20) == 1;
            if narrowed {
                rest.push_str(", schema: {columns: {id: int}}");
            }
            if !options.is_empty() {
                let _ = write!(rest, ", writer_kwargs: {{{options}}}");
            }
            let replaced = mode.is_empty() || mode.contains("OVERWRITE");
            sinks.push(Sink {
                file: format!("n{number}_{position}.{}", format.to_lowercase()),
                format,
                rest,
                plain: replaced && !quarantine && !narrowed && matches!(format, "PARQUET" | "IPC"),
            });
        }
        sinks
    }

    fn options(&mut self, format: &str, engine: &str) -> &'static str {
        let options: BTreeMap<(&str, bool), &[&'static str]> = BTreeMap::from([
            (
                ("CSV", false),
                [
                    "separator: ';'",
                    "null_value: NA",
                    "include_header: false",
                    "quote_char: \"'\"",
                    "date_format: '%d.%m.%Y'",
                    "include_bom: true",
                ]
                .as_slice(),
            ),
            (
                ("CSV", true),
                [
                    "separator: ';'",
                    "null_value: NA",
                    "include_header: false",
                    "quote_char: \"'\"",
                    "date_format: '%d.%m.%Y'",
                    "include_bom: true",
                    "compression: gzip",
                    "float_precision: 1",
                    "quote_style: always",
                    "line_terminator: \"\\r\\n\"",
                    "separator: '|', null_value: '-'",
                ]
                .as_slice(),
            ),
            (("JSONL", true), ["compression: gzip"].as_slice()),
            (("PARQUET", false), ["compression: snappy"].as_slice()),
            (("PARQUET", true), ["compression: snappy"].as_slice()),
            (("IPC", false), ["compression: zstd"].as_slice()),
            (("IPC", true), ["compression: zstd"].as_slice()),
        ]);
        let known = options.get(&(format, engine == laktory::DEFAULT_BACKEND));
        match known {
            Some(known) if self.one_in(3) == 1 => {
                let known: &[&str] = known;
                *self.of::<&str>(known)
            }
            _ => "",
        }
    }
}
