//! `laktory schema`: names and types of every node's output, resolved from file headers and footers.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use laktory::Planning;
use laktory::core::arrow::schema::SchemaRef;
use laktory::core::{DType, Registry};
use laktory::exec::{NodeSchema, RunOptions};
use laktory::plan::{NodePlan, Plan};
use serde_json::{Value, json};

use crate::args::SchemaArgs;
use crate::commands::{compile, open, print, show};
use crate::exit::Failure;

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
pub(crate) fn schema(args: &SchemaArgs, quiet: bool, registry: &Registry) -> Result<(), Failure> {
    let project = open(&args.file)?;
    if let Some(node) = &args.node {
        show::known_node(node, &project)?;
    }
    let planning = Planning {
        selects: args.node.as_ref().map(|node| vec![format!("*{node}")]),
        backend: args.file.backend.clone(),
        ..Planning::default()
    };
    let plan = compile(&project, registry, &planning, quiet)?;
    let runtime = laktory::runtime()?;
    let options = RunOptions::default();
    let (schemas, faults) = runtime.block_on(laktory::exec::resolve(&plan, registry, &options))?;
    if !faults.is_empty() {
        let faults: Vec<_> = faults.iter().map(|fault| project.explain(fault)).collect();
        return Err(faults.into());
    }
    let nodes: Vec<(&NodePlan, Known<'_>)> = plan
        .nodes
        .iter()
        .filter(|node| args.node.as_ref().is_none_or(|name| *name == node.name))
        .map(|node| (node, known(&node.name, &schemas)))
        .collect();
    if args.json {
        let text = serde_json::to_string_pretty(&machine(&plan, &nodes));
        return print(&text.map_err(|error| laktory::core::Error::internal(error.to_string()))?);
    }
    print(&table(&nodes))
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

fn table(nodes: &[(&NodePlan, Known<'_>)]) -> String {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["node", "column", "type"]);
    // Types are wider than terminals where they are nested; elsewhere nothing is wrapped, for `grep` and `cut`.
    if let Some(width) = show::terminal_width() {
        table.set_width(width);
    }
    for (node, known) in nodes {
        if let Known::Columns(schema) = known {
            for (column, dtype) in columns(schema) {
                table.add_row([node.name.as_str(), column, &dtype]);
            }
        } else if let Some(reason) = known.reason() {
            table.add_row([node.name.as_str(), "", reason]);
        }
    }
    table.to_string()
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
