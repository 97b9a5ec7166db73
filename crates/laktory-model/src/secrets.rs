//! The values of a document that must not be shown: those of variables and parameters whose names say so, and those of
//! options that are credentials.

use laktory_core::Secrets;
use laktory_core::secret::is_secret;

use crate::tree::{Kind, Node};

/// Keys below which names are those of options.
const OPTIONS: [&str; 9] = [
    "backend_settings",
    "custom_reader",
    "custom_writer",
    "orchestrator",
    "reader_kwargs",
    "reader_methods",
    "resource_options",
    "writer_kwargs",
    "writer_methods",
];

/// Adds the values of options that are credentials.
pub(crate) fn of_options(node: &Node, inside: bool, secrets: &mut Secrets) {
    match &node.kind {
        Kind::Seq(items) => {
            for item in items {
                of_options(item, inside, secrets);
            }
            // `option("password", "...")` as a call on the reader.
            if let (true, [name, value]) = (inside, items.as_slice())
                && name.as_text().is_some_and(is_secret)
            {
                of_value(value, secrets);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                if inside && is_secret(&entry.key) {
                    of_value(&entry.value, secrets);
                } else {
                    let inside = inside || OPTIONS.contains(&entry.key.as_str());
                    of_options(&entry.value, inside, secrets);
                }
            }
        }
        Kind::Scalar { .. } | Kind::Include { .. } | Kind::Poison => {}
    }
}

/// Adds every text of a value.
pub(crate) fn of_value(node: &Node, secrets: &mut Secrets) {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            if !matches!(text.as_str(), "true" | "false" | "null") {
                secrets.add(text);
            }
        }
        Kind::Seq(items) => items.iter().for_each(|item| of_value(item, secrets)),
        Kind::Map(entries) => entries
            .iter()
            .for_each(|entry| of_value(&entry.value, secrets)),
        Kind::Include { .. } | Kind::Poison => {}
    }
}
