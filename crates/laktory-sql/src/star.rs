//! `*`, with what it leaves out or puts in its place.

use sqlparser::ast::{self, ExcludeSelectItem, Spanned, WildcardAdditionalOptions};
use sqlparser::tokenizer::Span;

use crate::fault::{Planned, Stop, beyond};
use crate::refused;
use crate::scope::{self, Column};
use crate::select::Item;
use crate::tree;

/// `*`, with what it leaves out or puts in its place.
pub(crate) fn starred<'a>(
    columns: impl Iterator<Item = &'a Column>,
    options: &WildcardAdditionalOptions,
    items: &mut Vec<Item>,
) -> Planned<()> {
    if options.opt_ilike.is_some() || options.opt_rename.is_some() || options.opt_alias.is_some() {
        return beyond(refused::STAR_FORM);
    }
    let mut without: Vec<(String, Span)> = Vec::new();
    let excluded = |name: &ast::ObjectName| {
        let word = name.to_string();
        (word.trim_matches(['"', '`']).to_owned(), name.span())
    };
    match &options.opt_exclude {
        None => {}
        Some(ExcludeSelectItem::Single(name)) => without.push(excluded(name)),
        Some(ExcludeSelectItem::Multiple(names)) => without.extend(names.iter().map(excluded)),
    }
    if let Some(except) = &options.opt_except {
        let more = except.additional_elements.iter();
        let names = std::iter::once(&except.first_element).chain(more);
        without.extend(names.map(|name| (name.value.clone(), name.span)));
    }
    let known: Vec<Column> = columns.cloned().collect();
    let names: Vec<String> = known
        .iter()
        .map(|column| column.name.to_lowercase())
        .collect();
    let mut found = 0;
    for column in &known {
        let is = |name: &str| name.eq_ignore_ascii_case(&column.name);
        if without.iter().any(|(name, _)| is(name)) {
            found += 1;
            continue;
        }
        let replaced = options.opt_replace.as_ref().and_then(|replace| {
            let elements = replace.items.iter();
            elements
                .filter(|element| is(&element.column_name.value))
                .map(|element| element.expr.clone())
                .next()
        });
        let expr = replaced.unwrap_or_else(|| tree::column(&column.id));
        items.push(Item {
            name: Some(column.name.clone()),
            expr,
            unnest: false,
        });
    }
    if found < without.len() {
        let odd = without
            .iter()
            .find(|(name, _)| !names.contains(&name.to_lowercase()));
        if let Some((name, span)) = odd {
            return Err(Stop::from(scope::unknown(&known, name)).within(*span));
        }
    }
    Ok(())
}
