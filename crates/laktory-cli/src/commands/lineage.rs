//! `laktory lineage`: what columns are made of and what decides about them, across nodes; found without reading rows.

use laktory::Planning;
use laktory::Project;
use laktory::core::Registry;
use laktory::plan::lineage::{ColumnGraph, Unknown};
use laktory::syntax::Diagnostic;

use crate::args::{LineageArgs, LineageFormat};
use crate::commands::{compile, open_with_name, unopened};
use crate::cut_off;
use crate::exit::Failure;
use crate::log::Detail;
use crate::out::{print, print_json};

/// Resolves the lineage of all that is asked for, and prints it.
pub(crate) fn lineage(
    args: &LineageArgs,
    detail: Detail,
    registry: &Registry,
) -> Result<(), Failure> {
    let (project, of) = open_with_name(&args.file, args.of.as_ref())?;
    let planning = Planning {
        selects: ancestors(args, of.as_ref(), &project),
        backend: args.file.around.backend.clone(),
        ..Planning::default()
    };
    let plan = compile(&project, registry, &planning, detail)?;
    let options = args.file.around.run_options(registry)?;
    let resolved = laktory::exec::lineage(&plan, registry, &options);
    let (resolved, _) = cut_off::block_on(laktory::runtime()?, &options.files, resolved)?;
    let (lineages, faults) = resolved.map_err(|error| unopened(&options, error))?;
    if !faults.is_empty() {
        let faults: Vec<_> = faults.iter().map(|fault| project.explain(fault)).collect();
        return Err(faults.into());
    }
    let graph = ColumnGraph::new(&plan, &lineages);
    let selection = match &of {
        Some(name) => graph.select(name, args.downstream).map_err(told)?,
        None => graph.everything(args.downstream),
    };
    match (args.format, args.downstream) {
        (LineageFormat::Tree, false) => print(graph.tree(&selection).trim_end()),
        (LineageFormat::Tree, true) => print(graph.tree_downstream(&selection).trim_end()),
        (LineageFormat::Mermaid, false) => print(graph.mermaid(&selection).trim_end()),
        (LineageFormat::Mermaid, true) => print(graph.mermaid_downstream(&selection).trim_end()),
        (LineageFormat::Json, false) => print_json(&graph.json(&selection)),
        (LineageFormat::Json, true) => print_json(&graph.json_downstream(&selection)),
    }
}

/// The node that is asked for, and all that it reads; the whole pipeline where what comes after it is of interest.
fn ancestors(args: &LineageArgs, of: Option<&String>, project: &Project) -> Option<Vec<String>> {
    let of = of.filter(|_| !args.downstream)?;
    let nodes = project.pipeline.nodes.iter().map(|node| &node.name);
    let named = nodes.filter(|name| {
        let below = of.strip_prefix(name.as_str());
        below.is_some_and(|below| below.is_empty() || below.starts_with('.'))
    });
    let selects: Vec<String> = named.map(|name| format!("*{name}")).collect();
    (!selects.is_empty()).then_some(selects)
}

fn told(unknown: Unknown) -> Failure {
    let fault = Diagnostic::error(unknown.code, unknown.message);
    vec![match unknown.hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    }]
    .into()
}
