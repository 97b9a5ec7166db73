//! `laktory schema`: names and types of every node's output, resolved from file headers and footers.

use laktory::Planning;
use laktory::core::arrow::schema::SchemaRef;
use laktory::core::{DType, Registry};
use laktory::exec::NodeSchema;
use laktory::plan::{NodePlan, Plan};
use laktory::syntax::visible;
use laktory::table::{Column, Grid, Style, wrapped};
use serde_json::{Value, json};

use crate::args::SchemaArgs;
use crate::commands::{compile, open_with_name, resolve, show};
use crate::exit::Failure;
use crate::log::Detail;
use crate::out::{self, print, print_json};

/// What is known about the output of a node.
enum Known<'a> {
    /// Its columns.
    Columns(&'a SchemaRef),
    /// It has none: the node writes nothing and reads nothing.
    NoFrame,
    /// Its columns depend on a file that the pipeline has yet to write.
    Later,
}

/// Resolves the schema of every node, or of one and all that it reads, and prints it.
pub(crate) fn schema(
    args: &SchemaArgs,
    detail: Detail,
    registry: &Registry,
) -> Result<(), Failure> {
    let (project, wanted) = open_with_name(&args.file, args.node.as_ref())?;
    if let Some(node) = &wanted {
        show::known_node(node, &project)?;
    }
    let planning = Planning {
        selects: wanted.as_ref().map(|node| vec![format!("*{node}")]),
        backend: args.file.around.backend.clone(),
        ..Planning::default()
    };
    let plan = compile(&project, registry, &planning, detail)?;
    let options = args.file.around.run_options(registry)?;
    let (schemas, faults) = resolve(&plan, registry, &options)?;
    if !faults.is_empty() {
        let faults: Vec<_> = faults.iter().map(|fault| project.explain(fault)).collect();
        return Err(faults.into());
    }
    let nodes: Vec<(&NodePlan, Known<'_>)> = plan
        .nodes
        .iter()
        .filter(|node| wanted.as_ref().is_none_or(|name| *name == node.name))
        .map(|node| (node, known(&node.name, &schemas)))
        .collect();
    if args.json {
        return print_json(&machine(&plan, &nodes));
    }
    print(&table(&nodes, out::width()))
}

fn known<'a>(node: &str, schemas: &'a [NodeSchema]) -> Known<'a> {
    match schemas.iter().find(|schema| schema.node == node) {
        Some(NodeSchema {
            schema: Some(schema),
            ..
        }) => Known::Columns(schema),
        Some(_) => Known::NoFrame,
        None => Known::Later,
    }
}

/// Names and types of columns, as the pipeline file spells types.
fn columns(schema: &SchemaRef) -> impl Iterator<Item = (&str, String)> {
    schema.fields().iter().map(|field| {
        let dtype = DType::from_arrow(field.data_type());
        (field.name().as_str(), dtype.to_string())
    })
}

impl Known<'_> {
    /// Why there are no columns.
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Columns(_) => None,
            Self::NoFrame => Some("the node has no output"),
            Self::Later => Some(
                "known in a run only: it, or a node before it, reads a file that the pipeline writes",
            ),
        }
    }
}

/// Characters that the lines around three columns take.
const LINES: usize = 10;

/// A line for each column. Names and types are whole: types that are wider than the terminal go on below. Elsewhere
/// nothing is broken, for `grep` and `cut`.
fn table(nodes: &[(&NodePlan, Known<'_>)], width: Option<usize>) -> String {
    let mut rows: Vec<[String; 3]> = Vec::new();
    for (node, known) in nodes {
        let name = visible(&node.name).into_owned();
        if let Known::Columns(schema) = known {
            rows.extend(columns(schema).map(|(column, dtype)| {
                let (column, dtype) = (visible(column), visible(&dtype).into_owned());
                [name.clone(), column.into_owned(), dtype]
            }));
        } else if let Some(reason) = known.reason() {
            rows.push([name, String::new(), reason.to_owned()]);
        }
    }
    if let Some(width) = width {
        let widest = |index: usize| {
            let cells = rows.iter().map(|row| row[index].chars().count());
            cells.max().unwrap_or(0).max(6)
        };
        let room = width.saturating_sub(widest(0) + widest(1) + LINES);
        for row in &mut rows {
            row[2] = wrapped(&row[2], Some(room.max(16)), "  ");
        }
    }
    let columns = ["node", "column", "type"].map(|name| Column {
        header: vec![name.to_owned()],
        ..Column::default()
    });
    let grid = Grid {
        columns: columns.into(),
        rows: rows.into_iter().map(Vec::from).collect(),
        style: Style::Columns,
    };
    grid.render(None)
}

fn machine(plan: &Plan, nodes: &[(&NodePlan, Known<'_>)]) -> Value {
    let nodes: Vec<Value> = nodes
        .iter()
        .map(|(node, known)| {
            let columns: Option<Vec<Value>> = match known {
                Known::Columns(schema) => Some(
                    columns(schema)
                        .map(|(name, dtype)| json!({"name": name, "type": dtype}))
                        .collect(),
                ),
                _ => None,
            };
            let mut entry = json!({
                "name": node.name,
                "backend": node.backend,
                "columns": columns,
            });
            if let Some(reason) = known.reason() {
                entry["reason"] = reason.into();
            }
            entry
        })
        .collect();
    json!({"pipeline": plan.pipeline, "nodes": nodes})
}
