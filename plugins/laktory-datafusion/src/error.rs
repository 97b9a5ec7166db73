//! Engine errors as contract errors: the kind that a caller can act on, and a message without the engine's decoration.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use laktory_core::{Error, ErrorKind, Result, plain_message};

/// Turns results of the engine into results of the contract.
pub(crate) trait ResultExt<T> {
    /// The value, or the engine's error with its kind.
    fn or_error(self) -> Result<T>;
}

impl<T> ResultExt<T> for Result<T, DataFusionError> {
    fn or_error(self) -> Result<T> {
        self.map_err(engine_error)
    }
}

impl<T> ResultExt<T> for Result<T, datafusion::arrow::error::ArrowError> {
    fn or_error(self) -> Result<T> {
        self.map_err(|error| engine_error(error.into()))
    }
}

/// An error of the contract on the way through a plan of the engine, where it keeps its kind.
pub(crate) fn carry(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The error of the contract within an error of the engine, wherever it was wrapped.
fn carried(error: &DataFusionError) -> Option<Error> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = source {
        if let Some(ours) = current.downcast_ref::<Error>() {
            let mut copy = Error::new(ours.kind(), ours.message());
            if let Some(hint) = ours.hint() {
                copy = copy.with_hint(hint);
            }
            return Some(copy);
        }
        source = current.source();
    }
    None
}

/// The contract's error for an engine error.
pub(crate) fn engine_error(error: DataFusionError) -> Error {
    if let Some(ours) = carried(&error) {
        return ours;
    }
    let root = error.find_root();
    let text = message(root);
    let kind = kind(root, &text);
    let mut out = match root {
        DataFusionError::SchemaError(schema, _) => match schema.as_ref() {
            SchemaError::FieldNotFound {
                field,
                valid_fields,
            } => {
                let known: Vec<String> = valid_fields
                    .iter()
                    .map(|column| format!("`{}`", column.name))
                    .collect();
                let error = Error::new(kind, format!("there is no column `{}`", field.name));
                if known.is_empty() {
                    error
                } else {
                    error.with_hint(format!("columns here: {}", known.join(", ")))
                }
            }
            _ => Error::new(kind, text),
        },
        _ => Error::new(kind, text),
    };
    if let DataFusionError::ResourcesExhausted(_) = root {
        out = out
            .with_hint("raise the setting `memory_limit` of backend DATAFUSION, or leave it out");
    }
    out.with_source(error)
}

fn kind(error: &DataFusionError, text: &str) -> ErrorKind {
    let lower = text.to_lowercase();
    match error {
        DataFusionError::SchemaError(schema, _) => match schema.as_ref() {
            SchemaError::FieldNotFound { .. } => ErrorKind::ColumnNotFound,
            SchemaError::DuplicateQualifiedField { .. }
            | SchemaError::DuplicateUnqualifiedField { .. } => ErrorKind::DuplicateColumn,
            SchemaError::AmbiguousReference { .. } => ErrorKind::InvalidExpression,
        },
        DataFusionError::NotImplemented(_) => ErrorKind::Unsupported,
        DataFusionError::IoError(error) => match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        },
        DataFusionError::ObjectStore(_) if lower.contains("not found") => ErrorKind::NotFound,
        DataFusionError::ObjectStore(_) => ErrorKind::Io,
        _ if lower.contains("no field named") => ErrorKind::ColumnNotFound,
        _ if lower.contains("field") && lower.contains("not found") => ErrorKind::FieldNotFound,
        _ if lower.contains("duplicate") => ErrorKind::DuplicateColumn,
        DataFusionError::ArrowError(..) if lower.contains("cast error") => {
            ErrorKind::ConversionFailed
        }
        _ if lower.contains("cannot cast") || lower.contains("can't cast") => {
            ErrorKind::ConversionFailed
        }
        _ if lower.contains("unsupported cast") => ErrorKind::UnsupportedCast,
        _ if lower.contains("parser error") || lower.contains("parsing") => {
            ErrorKind::ConversionFailed
        }
        _ if lower.contains("coerce")
            || lower.contains("no function matches")
            || lower.contains("failed to match any signature")
            || lower.contains("cannot infer common")
            || lower.contains("common type") =>
        {
            ErrorKind::TypeMismatch
        }
        _ if lower.contains("not supported") || lower.contains("unsupported") => {
            ErrorKind::Unsupported
        }
        _ => ErrorKind::Compute,
    }
}

/// The engine's words without its prefixes, in the form of our messages.
fn message(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let mut text = text.as_str();
    const PREFIXES: &[&str] = &[
        "Error during planning: ",
        "Execution error: ",
        "Arrow error: ",
        "Schema error: ",
        "Optimizer rule ",
        "External error: ",
        "This feature is not implemented: ",
        "Internal error: ",
        "IO error: ",
        "Object Store error: ",
        "Parquet error: ",
        "Invalid argument error: ",
        "Cast error: ",
        "Parser error: ",
        "Compute error: ",
        "Csv error: ",
        "Json error: ",
    ];
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    let text = text
        .split("\nThis issue was likely caused by a bug in DataFusion")
        .next()
        .unwrap_or(text);
    let text = plain_message(text);
    let text = typed(advised(&text));
    let text = text.trim().trim_end_matches('.');
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            format!("{}{}", first.to_lowercase(), &text[first.len_utf8()..])
        }
        _ => text.to_owned(),
    }
}

/// A message without the candidates that the engine thinks of.
fn advised(text: &str) -> &str {
    const ADVICE: &[&str] = &[" No function matches the given name", ", errors: "];
    let cuts = ADVICE.iter().filter_map(|advice| text.find(advice));
    let end = cuts.filter(|at| *at > 0).min().unwrap_or(text.len());
    text[..end].trim_end_matches(['.', ' '])
}

/// A message with types as pipeline files spell them.
fn typed(text: &str) -> String {
    const TYPES: &[(&str, &str)] = &[
        ("LargeUtf8", "String"),
        ("Utf8View", "String"),
        ("Utf8", "String"),
        ("LargeBinary", "Binary"),
        ("BinaryView", "Binary"),
        ("LargeList", "List"),
        ("Error during planning: ", ""),
        (" (DataType: ", " ("),
    ];
    let replaced = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
    TYPES.iter().fold(text.to_owned(), replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_ours_keeps_its_kind_through_a_plan() {
        let ours = Error::new(ErrorKind::ConversionFailed, "`x` is no number").with_hint("mend it");
        let wrapped = carry(ours).context("while computing");
        let back = engine_error(wrapped);
        assert_eq!(back.kind(), ErrorKind::ConversionFailed);
        assert_eq!(back.message(), "`x` is no number");
        assert_eq!(back.hint(), Some("mend it"));
    }

    #[test]
    fn types_have_the_names_of_the_language_and_candidates_are_left_out() {
        for (said, told) in [
            (
                "Cannot infer common type for bitwise operation Int64 & Utf8View",
                "cannot infer common type for bitwise operation Int64 & String",
            ),
            (
                "Function 'strpos' requires String, but received Int64 (DataType: Int64).. No function matches the given name and argument types 'strpos(Utf8View, Int64)'. You might need to add explicit type casts.\n\tCandidate functions:\n\tstrpos(String, String)",
                "function 'strpos' requires String, but received Int64 (Int64)",
            ),
            (
                "Function 'sum' failed to match any signature, errors: Error during planning: Function 'sum' requires Decimal",
                "function 'sum' failed to match any signature",
            ),
        ] {
            let error = engine_error(DataFusionError::Plan(said.into()));
            assert_eq!(error.message(), told);
        }
    }

    #[test]
    fn engine_errors_have_kinds_and_plain_words() {
        let plan = DataFusionError::Plan("Unsupported CAST from Int64 to Map.".into());
        let error = engine_error(plan);
        assert_eq!(error.kind(), ErrorKind::UnsupportedCast);
        assert_eq!(error.message(), "unsupported CAST from Int64 to Map");
    }
}
