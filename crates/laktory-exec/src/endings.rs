//! Endings of names of files: what they say of a format, and what our own files are called.

use std::path::Path;

use laktory_core::{Format, OptionValue, Options};

/// Whether a file has the name of one of the format, packed or not.
pub(crate) fn is_named_like(file: &Path, format: &Format) -> bool {
    const PACKED: &[&str] = &["bz2", "deflate", "gz", "lz4", "snappy", "xz", "zst"];
    let lower = file.to_string_lossy().to_ascii_lowercase();
    let mut endings = lower.rsplit('.');
    let last = endings.next();
    let ending = match last {
        Some(ending) if PACKED.contains(&ending) => endings.next(),
        ending => ending,
    };
    let known: &[&str] = match format {
        Format::Csv => &["csv", "psv", "tsv"],
        Format::Ipc => &["arrow", "feather", "ipc"],
        Format::Json | Format::JsonLines => &["json", "jsonl", "ndjson"],
        Format::Parquet => &["parquet", "pq"],
        Format::Text => &["txt", "log"],
        _ => &[],
    };
    let own = format.name().to_ascii_lowercase();
    ending.is_some_and(|ending| known.contains(&ending) || ending == own)
}

/// The ending of files of a format that are written with these options.
pub(crate) fn of_parts(format: &Format, options: &Options) -> String {
    let own = match format {
        Format::Text => "txt".to_owned(),
        other => other.name().to_ascii_lowercase(),
    };
    let packed = match options.get("compression") {
        Some(OptionValue::Text(packed)) if format.is_text() => packed.to_ascii_lowercase(),
        _ => String::new(),
    };
    own + match packed.as_str() {
        "gzip" | "gz" => ".gz",
        "zstd" | "zst" => ".zst",
        "bzip2" | "bz2" => ".bz2",
        _ => "",
    }
}
