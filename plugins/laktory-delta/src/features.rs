//! What a table asks of readers and writers. What is not honoured is refused by its name.

use laktory_core::table::ChangeKind;
use laktory_core::{Error, Result};

use crate::actions::{Metadata, Protocol};
use crate::schema::Column;
use crate::state::State;

/// Features that are honoured when a table is read.
const READ: &[&str] = &[
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "typeWidening",
    "typeWidening-preview",
    "v2Checkpoint",
    "vacuumProtocolCheck",
];

/// Features that may be listed where they ask nothing of a writer that adds and removes whole files. Others of these tables are
/// looked up in their properties and columns.
const WRITTEN: &[&str] = &[
    "appendOnly",
    "changeDataFeed",
    "checkConstraints",
    "columnMapping",
    "deletionVectors",
    "generatedColumns",
    "identityColumns",
    "inCommitTimestamp",
    "invariants",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
];

/// Features that the writer versions before the list of features stand for.
const BY_VERSION: &[(u32, &[&str])] = &[
    (2, &["appendOnly", "invariants"]),
    (3, &["checkConstraints"]),
    (4, &["changeDataFeed", "generatedColumns"]),
    (5, &["columnMapping"]),
    (6, &["identityColumns"]),
];

/// Whether columns have other names in the files.
///
/// # Errors
/// `Unsupported` for names that are found by numbers.
pub(crate) fn is_mapped(metadata: &Metadata) -> Result<bool> {
    match metadata.property("delta.columnMapping.mode") {
        None | Some("none") => Ok(false),
        Some("name") => Ok(true),
        Some(mode) => Err(Error::unsupported(format!(
            "feature `columnMapping` of the table is used in mode `{mode}`, which is not honoured"
        ))
        .with_hint("read the table with another engine")),
    }
}

/// That a table can be read.
///
/// # Errors
/// `Unsupported`, with the name of the feature.
pub(crate) fn readable(protocol: &Protocol) -> Result<()> {
    let Protocol {
        min_reader_version: version,
        reader_features: features,
        ..
    } = protocol;
    if *version > 3 {
        return Err(Error::unsupported(format!(
            "the table asks for readers of version {version}; this one is of version 3"
        ))
        .with_hint("read the table with another engine"));
    }
    let listed = features.iter().flatten().filter(|_| *version == 3);
    for feature in listed {
        if !READ.contains(&feature.as_str()) {
            return Err(unread(feature));
        }
    }
    Ok(())
}

fn unread(feature: &str) -> Error {
    Error::unsupported(format!(
        "the table uses feature `{feature}`, which is not honoured when it is read"
    ))
    .with_hint("read the table with another engine, or drop the feature where it is written")
}

/// That a table can be changed.
///
/// # Errors
/// `Unsupported`, with the name of the feature, and what to do.
pub(crate) fn writable(state: &State, columns: &[Column], kind: ChangeKind) -> Result<()> {
    readable(&state.protocol)?;
    let (protocol, metadata) = (&state.protocol, &state.metadata);
    let version = protocol.min_writer_version;
    if version > 7 {
        return Err(Error::unsupported(format!(
            "the table asks for writers of version {version}; this one is of version 7"
        )));
    }
    let listed = protocol.writer_features.iter().flatten();
    for feature in listed.filter(|_| version == 7) {
        if !WRITTEN.contains(&feature.as_str()) {
            return Err(unwritten(feature, "the table lists it"));
        }
    }
    for (name, feature, why) in USED_BY_PROPERTY {
        let used = metadata.configuration.iter().any(|(property, value)| {
            let is_it = match name.strip_suffix('*') {
                Some(start) => property.starts_with(start),
                None => property == name,
            };
            let off = [None, Some("false"), Some("none")];
            is_it && !off.contains(&value.as_deref())
        });
        if used {
            return Err(unwritten(feature, why));
        }
    }
    for (key, feature) in USED_BY_COLUMN {
        let used = |column: &&Column| column.metadata.keys().any(|own| own.starts_with(key));
        if let Some(column) = columns.iter().find(used) {
            return Err(unwritten(
                feature,
                &format!("column `{}` has it", column.field.name),
            ));
        }
    }
    if kind == ChangeKind::Merge && metadata.property(FORGETS).is_some() {
        return Err(Error::unsupported(format!(
            "the table forgets how far applications have come: its property `{FORGETS}` is set"
        ))
        .with_hint(
            "remove the property, since a merge keeps there what it knows of deleted rows",
        ));
    }
    if kind != ChangeKind::Append {
        if metadata.is_set("delta.appendOnly") {
            return Err(Error::unsupported(
                "rows of the table may not be removed: its property `delta.appendOnly` is set",
            )
            .with_hint("use mode APPEND"));
        }
        if metadata.is_set("delta.enableChangeDataFeed") {
            return Err(unwritten(
                "changeDataFeed",
                "removed rows would be missing in the feed",
            ));
        }
    }
    Ok(())
}

/// The property by which numbers of applications are dropped from the log.
const FORGETS: &str = "delta.setTransactionRetentionDuration";

/// Properties by which a feature is used, with the reason.
const USED_BY_PROPERTY: &[(&str, &str, &str)] = &[
    (
        "delta.constraints.*",
        "checkConstraints",
        "rows would have to be checked by the table's own rules",
    ),
    (
        "delta.columnMapping.mode",
        "columnMapping",
        "its columns have other names in the files",
    ),
    (
        "delta.enableInCommitTimestamps",
        "inCommitTimestamp",
        "its versions carry times of their own",
    ),
    (
        "delta.enableRowTracking",
        "rowTracking",
        "its rows carry numbers",
    ),
    (
        "delta.enableIcebergCompat*",
        "icebergCompat",
        "its files are read as another format too",
    ),
];

/// What the log says of columns by which a feature is used.
const USED_BY_COLUMN: &[(&str, &str)] = &[
    ("delta.invariants", "invariants"),
    ("delta.generationExpression", "generatedColumns"),
    ("delta.identity.", "identityColumns"),
];

fn unwritten(feature: &str, why: &str) -> Error {
    Error::unsupported(format!(
        "the table uses feature `{feature}`, which is not honoured when it is written: {why}"
    ))
    .with_hint("write another table, or drop the feature with the engine that made the table")
}

/// What a table of such columns asks for, beside what it asks for already.
pub(crate) fn asked(old: Option<&Protocol>, local_times: bool) -> Protocol {
    let plain = Protocol {
        min_reader_version: 1,
        min_writer_version: 2,
        ..Protocol::default()
    };
    let old = old.unwrap_or(&plain);
    const LOCAL: &str = "timestampNtz";
    let listed =
        |features: &Option<Vec<String>>| features.iter().flatten().any(|feature| feature == LOCAL);
    if !local_times || (listed(&old.reader_features) && listed(&old.writer_features)) {
        return old.clone();
    }
    let mut readers = old.reader_features.clone().unwrap_or_default();
    if old.min_reader_version == 2 {
        readers.push("columnMapping".to_owned());
    }
    let mut writers = old.writer_features.clone().unwrap_or_default();
    if old.min_writer_version < 7 {
        let implied = BY_VERSION
            .iter()
            .filter(|(version, _)| *version <= old.min_writer_version);
        writers.extend(
            implied
                .flat_map(|(_, features)| *features)
                .map(|&name| name.to_owned()),
        );
    }
    for list in [&mut readers, &mut writers] {
        if !list.iter().any(|feature| feature == LOCAL) {
            list.push(LOCAL.to_owned());
        }
    }
    Protocol {
        min_reader_version: 3,
        min_writer_version: 7,
        reader_features: Some(readers),
        writer_features: Some(writers),
    }
}

/// Whether a checkpoint of the table holds nothing but what is known here.
pub(crate) fn is_plain(state: &State) -> bool {
    let listed = state.protocol.writer_features.iter().flatten();
    let mut listed = listed.filter(|_| state.protocol.min_writer_version == 7);
    !state.has_domains
        && listed.all(|feature| WRITTEN.contains(&feature.as_str()) && feature != "v2Checkpoint")
}
