//! Random pipelines: nodes that read each other, with rules and sinks of every kind.

use super::*;

#[derive(Debug)]
pub(super) struct Sink {
    pub(super) file: String,
    pub(super) format: &'static str,
    pub(super) rest: String,
    /// Whether a reader of the file finds the node's output there, as it was.
    pub(super) plain: bool,
}

#[derive(Debug)]
pub(super) struct Node {
    /// Nodes that it reads.
    pub(super) above: Vec<usize>,
    /// Its engine, where that is not the pipeline's.
    pub(super) engine: Option<&'static str>,
    /// Its sources and steps.
    pub(super) body: String,
    pub(super) rules: String,
    pub(super) columns: Vec<String>,
    pub(super) sinks: Vec<Sink>,
}

#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) nodes: Vec<Node>,
    /// Whether there are floats that are no numbers.
    pub(super) nan: bool,
    /// The engine of nodes that name none.
    engine: &'static str,
}

impl Pipeline {
    pub(super) fn text(&self, folder: &str, base: &str) -> String {
        let mut text = format!("name: p\ndataframe_backend: {}\nnodes:\n", self.engine);
        for (number, node) in self.nodes.iter().enumerate() {
            let _ = writeln!(text, "- name: n{number}");
            if let Some(engine) = node.engine {
                let _ = writeln!(text, "  dataframe_backend: {engine}");
            }
            let _ = write!(text, "{}{}", node.body, node.rules);
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
    pub(super) fn order(&self, random: &mut Random) -> Vec<usize> {
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

impl Random {
    /// A pipeline of an engine, in some of which other engines have nodes too.
    pub(super) fn pipeline(&mut self, engine: &'static str, others: &[&'static str]) -> Pipeline {
        let mut nodes: Vec<Node> = Vec::new();
        let nan = self.one_in(3) == 1;
        let mixed = self.one_in(4) == 1;
        let count = 2 + self.below(6);
        for number in 0..count {
            let mut node = match nodes.len() {
                0 => self.root(),
                _ if self.one_in(5) == 1 => self.root(),
                _ => self.inner(number, &nodes),
            };
            if mixed {
                node.engine = Some(*self.of(others));
            }
            node.rules = self.rules(&node.columns);
            node.sinks = self.sinks(number, &node, node.engine.unwrap_or(engine), nan);
            nodes.push(node);
        }
        Pipeline { nodes, nan, engine }
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
            engine: None,
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
            engine: None,
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
                self.of::<&str>(known)
            }
            _ => "",
        }
    }
}
