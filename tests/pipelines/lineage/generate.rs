//! Random pipelines over two sources of small integers, in which SQL and methods use columns in every way.

use std::fmt::Write as _;
use std::path::Path;

use crate::random::Random;

/// The columns of each source; the first is another number in each row.
pub(super) const COLUMNS: [&str; 7] = ["id", "a", "b", "c", "d", "e", "f"];

struct Node {
    engine: Option<&'static str>,
    source: String,
    steps: Vec<String>,
    rules: String,
    columns: Vec<String>,
    /// Whether `id` is there, and another number in each row.
    numbered: bool,
    written: bool,
}

pub(super) struct Pipeline(Vec<Node>);

impl Pipeline {
    /// A pipeline, in some of which nodes are on one of several engines.
    pub(super) fn random(seed: u64, engines: &[&'static str]) -> Self {
        let mut random = Random::new(seed);
        let mixed = random.one_in(4) == 1;
        let mut nodes: Vec<Node> = Vec::new();
        for number in 0..3 + random.below(4) {
            let mut node = match number {
                0 | 1 => Node {
                    engine: None,
                    source: format!("{{path: FOLDER/s{number}.jsonl, format: JSONL}}"),
                    steps: Vec::new(),
                    rules: String::new(),
                    columns: COLUMNS.map(str::to_owned).to_vec(),
                    numbered: true,
                    written: false,
                },
                _ => {
                    let above = random.below(number);
                    Node {
                        engine: None,
                        source: format!("{{node_name: n{above}}}"),
                        steps: Vec::new(),
                        rules: String::new(),
                        columns: nodes[above].columns.clone(),
                        numbered: nodes[above].numbered,
                        written: false,
                    }
                }
            };
            for step in 0..random.below(3) + usize::from(number > 1) {
                let at = format!("{number}_{step}");
                let text = random.lineage_step(&mut node, &at, &nodes);
                node.steps.push(text);
            }
            node.rules = random.rule(&node.columns);
            node.written = number > 1 && random.below(3) > 0;
            if mixed {
                node.engine = Some(*random.of(engines));
            }
            nodes.push(node);
        }
        if let Some(last) = nodes.last_mut() {
            last.written = true;
        }
        Self(nodes)
    }

    /// The nodes with a sink.
    pub(super) fn written(&self) -> Vec<String> {
        let nodes = self.0.iter().enumerate();
        let written = nodes.filter(|(_, node)| node.written);
        written.map(|(number, _)| format!("n{number}")).collect()
    }

    pub(super) fn text(&self, engine: &str, folder: &Path) -> String {
        let mut text = format!("name: p\ndataframe_backend: {engine}\nnodes:\n");
        for (number, node) in self.0.iter().enumerate() {
            let _ = writeln!(text, "- name: n{number}\n  source: {}", node.source);
            if let Some(engine) = node.engine {
                let _ = writeln!(text, "  dataframe_backend: {engine}");
            }
            if !node.steps.is_empty() {
                text.push_str("  transformer:\n    nodes:\n");
            }
            for step in &node.steps {
                let _ = writeln!(text, "    - {step}");
            }
            text.push_str(&node.rules);
            if node.written {
                let _ = writeln!(
                    text,
                    "  sinks: [{{path: FOLDER/n{number}.parquet, format: PARQUET}}]"
                );
            }
        }
        text.replace("FOLDER", &folder.display().to_string())
    }
}

impl Random {
    fn column(&mut self, node: &Node) -> String {
        self.of(&node.columns).clone()
    }

    /// A step that leaves integers. `at` makes the names of new columns.
    fn lineage_step(&mut self, node: &mut Node, at: &str, nodes: &[Node]) -> String {
        let (a, b, c) = (self.column(node), self.column(node), self.column(node));
        let k = self.below(4);
        let x = format!("x{at}");
        let other = self.below(nodes.len().max(1));
        let other = nodes.get(other).map(|node| (other, node));
        let order = match node.numbered {
            true => "id".to_owned(),
            // In an order of all columns it does not matter which of equal rows is taken.
            false => node.columns.join(", "),
        };
        let all = node.columns.join(", ");
        let sql = |text: String| format!("{{expr: \"{text}\"}}");
        let add = |node: &mut Node| node.columns.push(x.clone());
        match (self.below(24), other) {
            (0, _) => sql(format!("SELECT * FROM {{df}} WHERE {a} > {k}")),
            (1, _) => {
                add(node);
                sql(format!("SELECT *, {a} + {b} AS {x} FROM {{df}}"))
            }
            (2, _) => {
                add(node);
                sql(format!(
                    "SELECT *, CASE WHEN {a} > {k} THEN {b} ELSE {c} END AS {x} FROM {{df}}"
                ))
            }
            (3, _) => {
                let rest = format!("{x}s");
                node.columns = vec!["g".into(), rest.clone(), x.clone(), "n".into()];
                node.numbered = false;
                sql(format!(
                    "SELECT {a} AS g, SUM({b}) AS {rest}, MAX(CASE WHEN {c} > {k} THEN {b} END) AS {x}, COUNT(*) AS n FROM {{df}} GROUP BY {a}"
                ))
            }
            (4, _) => sql(format!(
                "SELECT * FROM {{df}} ORDER BY {a}, {order} LIMIT {}",
                4 + k
            )),
            (5, _) => {
                node.columns = match a == b {
                    true => vec![a.clone()],
                    false => vec![a.clone(), b.clone()],
                };
                node.numbered = false;
                sql(format!(
                    "SELECT DISTINCT {} FROM {{df}}",
                    node.columns.join(", ")
                ))
            }
            (6, _) => {
                add(node);
                sql(format!(
                    "SELECT *, ROW_NUMBER() OVER (PARTITION BY {a} ORDER BY {b}, {order}) AS {x} FROM {{df}}"
                ))
            }
            (7, _) => {
                add(node);
                sql(format!(
                    "SELECT *, SUM({b}) OVER (PARTITION BY {a}) AS {x} FROM {{df}}"
                ))
            }
            (8, Some((number, other))) => {
                let (d, e) = (self.column(other), self.column(other));
                let how = *self.of(&["JOIN", "LEFT JOIN"]);
                let list: Vec<String> = node
                    .columns
                    .iter()
                    .map(|name| format!("l.{name}"))
                    .collect();
                add(node);
                node.numbered = false;
                sql(format!(
                    "SELECT {}, r.{e} AS {x} FROM {{df}} l {how} {{nodes.n{number}}} r ON l.{a} = r.{d} AND l.{b} < {k}",
                    list.join(", ")
                ))
            }
            (9, Some((number, other))) => {
                let list: Vec<String> = (0..2).map(|_| self.column(other)).collect();
                node.columns = vec![x.clone(), format!("{x}y")];
                node.numbered = false;
                let set = *self.of(&["UNION ALL", "UNION", "EXCEPT", "INTERSECT"]);
                sql(format!(
                    "SELECT {a} AS {x}, {b} AS {x}y FROM {{df}} {set} SELECT {}, {} FROM {{nodes.n{number}}}",
                    list[0], list[1]
                ))
            }
            (10, Some((number, other))) => {
                let (d, e) = (self.column(other), self.column(other));
                let not = *self.of(&["", "NOT "]);
                sql(format!(
                    "SELECT * FROM {{df}} WHERE {not}EXISTS (SELECT 1 FROM {{nodes.n{number}}} r WHERE r.{d} = {a} AND r.{e} > {k})"
                ))
            }
            (11, Some((number, other))) => {
                let (d, e) = (self.column(other), self.column(other));
                add(node);
                sql(format!(
                    "SELECT l.*, (SELECT MAX(r.{e}) FROM {{nodes.n{number}}} r WHERE r.{d} = l.{a}) AS {x} FROM {{df}} l"
                ))
            }
            (12, Some((number, other))) => {
                let d = self.column(other);
                sql(format!(
                    "SELECT * FROM {{df}} WHERE {a} IN (SELECT {d} FROM {{nodes.n{number}}})"
                ))
            }
            (13, _) => {
                node.columns = vec![x.clone(), format!("{x}y")];
                node.numbered = false;
                sql(format!(
                    "WITH t AS (SELECT {a} AS p, {b} AS q, {c} AS r FROM {{df}} WHERE {c} < {k}) SELECT u.p AS {x}, v.r AS {x}y FROM t u JOIN t v ON u.q = v.p"
                ))
            }
            (14, _) => {
                add(node);
                format!(
                    "{{func_name: with_columns, func_kwargs: {{{x}: \"nw.when(nw.col('{a}') > {k}).then('{b}').otherwise('{c}')\"}}}}"
                )
            }
            (15, _) => {
                add(node);
                format!(
                    "{{func_name: with_columns, func_kwargs: {{{x}: \"nw.col('{b}').max().over('{a}')\"}}}}"
                )
            }
            (16, _) => {
                format!("{{func_name: drop_nulls, func_kwargs: {{subset: [{a}]}}}}")
            }
            (17, _) if node.numbered => format!(
                "{{func_name: unique, func_kwargs: {{subset: [{a}], keep: first, order_by: [{b}, id]}}}}"
            ),
            (18, _) if node.numbered => {
                add(node);
                format!(
                    "{{func_name: with_columns, func_kwargs: {{{x}: \"nw.col('{a}').cum_sum().over(order_by=['{b}', 'id'])\"}}}}"
                )
            }
            (19, _) => {
                node.columns = vec![a.clone(), x.clone()];
                node.numbered = false;
                format!(
                    "{{func_name: group_by, func_args: [{a}]}}\n    - {{func_name: agg, func_kwargs: {{{x}: \"nw.col('{b}').sum()\"}}}}"
                )
            }
            (20, _) if node.columns.len() > 3 => {
                let index = node.columns[0].clone();
                let on: Vec<String> = node.columns[1..3].to_vec();
                node.columns = vec![index.clone(), format!("{x}v")];
                node.numbered = false;
                format!(
                    "{{func_name: unpivot, func_kwargs: {{on: [{}], index: [{index}], variable_name: {x}, value_name: {x}v}}}}\n    - {{func_name: select, func_args: [{index}, {x}v]}}",
                    on.join(", ")
                )
            }
            (21, Some((number, other))) if node.columns.len() > 1 => {
                // Columns of both that are called alike get a suffix.
                let d = self.column(other);
                let kept = node.columns.clone();
                node.numbered = false;
                format!(
                    "{{func_name: join, func_kwargs: {{other: '{{nodes.n{number}}}', left_on: {a}, right_on: {d}, how: inner, suffix: _{at}}}}}\n    - {{func_name: select, func_args: [{}]}}",
                    kept.join(", ")
                )
            }
            (22, _) if node.numbered => format!(
                "{{func_name: sort, func_args: [{a}, id]}}\n    - {{func_name: head, func_args: [{}]}}",
                5 + k
            ),
            _ => {
                add(node);
                sql(format!(
                    "SELECT {all}, COALESCE({a}, {b}, {k}) AS {x} FROM {{df}}"
                ))
            }
        }
    }

    fn rule(&mut self, columns: &[String]) -> String {
        if self.below(3) > 0 {
            return String::new();
        }
        let (column, action) = (self.of(columns), self.of(&["WARN", "DROP", "DROP"]));
        format!("  expectations: [{{name: e, expr: \"{column} < 4\", action: {action}}}]\n")
    }
}
