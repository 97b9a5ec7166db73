//! The reference for programs: what the pages of the documentation are made from.

use clap::{Arg, Command, CommandFactory as _};
use laktory::core::{Registry, user};
use laktory::reference::{self, Entry, ExampleColumn, Parameter, SqlPlace, TYPES};
use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::commands::capabilities::told;

/// All of it.
pub(super) fn whole(entries: &[Entry], registry: &Registry) -> Value {
    let refused = reference::refused();
    let refused = refused.iter().map(
        |refused| json!({"kind": refused.kind, "name": refused.name, "instead": refused.instead}),
    );
    let types = TYPES
        .iter()
        .map(|row| json!({"name": row.name, "sql": row.sql, "doc": row.doc}));
    let mut command = Args::command();
    command.build();
    json!({
        "entries": entries.iter().map(|entry| of_entry(entry, registry)).collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
        "types": types.collect::<Vec<_>>(),
        // Functions of crates beside laktory's own, which this program links.
        "own": user::functions().map(|function| function.name).collect::<Vec<_>>(),
        "command": of_command(&command),
    })
}

/// Some entries.
pub(super) fn entries<'a>(entries: impl Iterator<Item = &'a Entry>, registry: &Registry) -> Value {
    json!({"entries": entries.map(|entry| of_entry(entry, registry)).collect::<Vec<_>>()})
}

fn of_entry(entry: &Entry, registry: &Registry) -> Value {
    let backends: Map<String, Value> = reference::support(entry, registry)
        .into_iter()
        .map(|(name, support)| (name.to_owned(), told(support)))
        .collect();
    let given: Vec<Value> = reference::example_frames(entry.example.given)
        .iter()
        .map(|frame| json!({"name": frame.name, "columns": columns(&frame.columns)}))
        .collect();
    json!({
        "kind": entry.kind.name(),
        "name": entry.name,
        "aliases": entry.aliases,
        "group": entry.group,
        "call": entry.call,
        "types": entry.types,
        "parameters": entry.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "nulls": entry.nulls,
        "doc": entry.doc,
        "statements_only": entry.place == SqlPlace::Statements,
        "example": {
            "given": given,
            "text": entry.example.text,
            "gives": columns(&reference::example_columns(entry.example.gives)),
        },
        "backends": backends,
    })
}

fn columns(columns: &[ExampleColumn<'_>]) -> Vec<Value> {
    columns
        .iter()
        .map(|column| json!({"name": column.name, "type": column.dtype, "values": column.values}))
        .collect()
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "takes": parameter.takes,
        "default": parameter.default,
        "required": parameter.required,
        "keyword_only": parameter.keyword_only,
        "variadic": parameter.variadic,
        "doc": parameter.doc,
    })
}

/// A command of the command line, with its options and sub-commands.
fn of_command(command: &Command) -> Value {
    let shown =
        |arg: &&Arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version");
    let (global, own): (Vec<&Arg>, Vec<&Arg>) = command
        .get_arguments()
        .filter(shown)
        .partition(|arg| arg.is_global_set());
    let commands = command
        .get_subcommands()
        .filter(|command| command.get_name() != "help");
    json!({
        "name": command.get_name(),
        "about": command.get_about().map(ToString::to_string),
        "after": command.get_after_help().map(ToString::to_string),
        "arguments": own.into_iter().map(of_argument).collect::<Vec<_>>(),
        "global": global.into_iter().map(of_argument).collect::<Vec<_>>(),
        "commands": commands.map(of_command).collect::<Vec<_>>(),
    })
}

fn of_argument(arg: &Arg) -> Value {
    let takes = arg.get_action().takes_values();
    let names = arg.get_value_names().unwrap_or_default();
    let values = arg.get_possible_values();
    let mut many = arg
        .get_num_args()
        .is_some_and(|range| range.max_values() > 1);
    many |= matches!(arg.get_action(), clap::ArgAction::Append) && arg.is_positional();
    json!({
        "long": arg.get_long(),
        "short": arg.get_short(),
        "aliases": arg.get_visible_aliases().unwrap_or_default(),
        "value": takes.then(|| names.first().map(ToString::to_string)).flatten(),
        "required": arg.is_required_set(),
        "many": many,
        "help": arg.get_help().map(ToString::to_string),
        "values": values.iter().map(clap::builder::PossibleValue::get_name).collect::<Vec<_>>(),
        "default": arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>(),
    })
}
