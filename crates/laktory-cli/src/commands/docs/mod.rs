//! `laktory docs`: the reference of the language, looked up.

mod machine;
mod text;

use laktory::core::Registry;
use laktory::reference::{self, Entry, Refused};
use laktory::syntax::Diagnostic;

use crate::args::DocsArgs;
use crate::exit::Failure;
use crate::out::{self, print, print_json};

/// Prints what is asked for.
pub(crate) fn docs(args: &DocsArgs, registry: &Registry) -> Result<(), Failure> {
    let entries = reference::entries();
    if args.names.is_empty() {
        return match args.json {
            true => print_json(&machine::whole(&entries, registry)),
            false => print(&text::contents(&entries, out::width())),
        };
    }
    let refused = reference::refused();
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for name in &args.names {
        match look_up(&entries, &refused, name) {
            Found::Nothing => unknown.push(not_known(&entries, name)),
            known => found.push(known),
        }
    }
    if !unknown.is_empty() {
        return Err(Failure::usage(unknown));
    }
    if args.json {
        let entries = found.iter().flat_map(Found::entries);
        return print_json(&machine::entries(entries, registry));
    }
    let pages: Vec<String> = found
        .iter()
        .map(|found| match found {
            Found::Entries(entries) => {
                let pages: Vec<String> = entries
                    .iter()
                    .map(|entry| text::entry(entry, registry, out::width()))
                    .collect();
                pages.join("\n\n")
            }
            Found::Group(entries) => text::contents_of(entries.iter().copied(), out::width()),
            Found::Refused(refused) => text::refused(refused),
            Found::Nothing => String::new(),
        })
        .collect();
    print(&pages.join("\n\n"))
}

/// What a name means.
enum Found<'a> {
    Entries(Vec<&'a Entry>),
    /// All of a group.
    Group(Vec<&'a Entry>),
    Refused(Vec<&'a Refused>),
    Nothing,
}

impl<'a> Found<'a> {
    fn entries(&self) -> impl Iterator<Item = &'a Entry> {
        match self {
            Self::Entries(entries) | Self::Group(entries) => entries.clone().into_iter(),
            Self::Refused(_) | Self::Nothing => Vec::new().into_iter(),
        }
    }
}

fn look_up<'a>(entries: &'a [Entry], refused: &'a [Refused], name: &str) -> Found<'a> {
    let found = reference::find(entries, name);
    if !found.is_empty() {
        return Found::Entries(found);
    }
    let group: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.group.eq_ignore_ascii_case(name))
        .collect();
    if !group.is_empty() {
        return Found::Group(group);
    }
    let refused: Vec<&Refused> = refused
        .iter()
        .filter(|refused| refused.name.eq_ignore_ascii_case(name))
        .collect();
    match refused.is_empty() {
        true => Found::Nothing,
        false => Found::Refused(refused),
    }
}

fn not_known(entries: &[Entry], name: &str) -> Diagnostic {
    let message = format!("there is no step, method, function or clause `{name}`");
    let near: Vec<String> = reference::near(entries, name)
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let hint = match near.as_slice() {
        [] => "`laktory docs` lists all of them".to_owned(),
        [one] => format!("did you mean {one}?"),
        several => format!("near to it: {}", several.join(", ")),
    };
    Diagnostic::error("unknown-name", message).hint(hint)
}
