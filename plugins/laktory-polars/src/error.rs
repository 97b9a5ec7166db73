//! Engine errors as contract errors: the kind that a caller can act on, a message without the engine's advice and plan
//! dumps, and the valid names as hint where the engine gives them.

use laktory_core::{Error, ErrorKind, Result, plain_message};
use polars::prelude::PolarsError;

/// Turns polars results into results of the contract.
pub(crate) trait ResultExt<T> {
    /// The value, or the engine's error with its kind.
    fn or_error(self) -> Result<T>;
}

impl<T> ResultExt<T> for Result<T, PolarsError> {
    fn or_error(self) -> Result<T> {
        self.map_err(engine_error)
    }
}

/// Text that an error of the contract carries through the engine, when one of our functions fails inside of a plan.
const MARK: &str = "laktory:";

/// An engine error that keeps its kind on the way through a plan.
pub(crate) fn carried(kind: ErrorKind, message: &str) -> PolarsError {
    PolarsError::ComputeError(format!("{MARK}{}:{message}", kind.name()).into())
}

/// An error of the contract on the way through a plan.
pub(crate) fn carry(error: &Error) -> PolarsError {
    carried(error.kind(), error.message())
}

fn delivered(message: &str) -> Option<Error> {
    let at = message.find(MARK)?;
    let (kind, text) = message[at + MARK.len()..].split_once(':')?;
    let kind = [
        ErrorKind::Cancelled,
        ErrorKind::ConversionFailed,
        ErrorKind::DuplicateColumn,
        ErrorKind::InvalidArgument,
        ErrorKind::InvalidExpression,
        ErrorKind::Io,
        ErrorKind::OutOfBounds,
        ErrorKind::SchemaMismatch,
        ErrorKind::TypeMismatch,
        ErrorKind::UnsupportedCast,
        ErrorKind::Unsupported,
        ErrorKind::Compute,
    ]
    .into_iter()
    .find(|known| known.name() == kind)
    .unwrap_or(ErrorKind::Compute);
    Some(Error::new(kind, tidy(text)))
}

/// The contract's error for an engine error.
pub(crate) fn engine_error(error: PolarsError) -> Error {
    let root = innermost(&error);
    let text = root.to_string();
    if let Some(error) = delivered(&text) {
        return error;
    }
    let message = conversion(&text).unwrap_or_else(|| tidy(&plain_message(&text)));
    let mut kind = match root {
        PolarsError::ColumnNotFound(_) | PolarsError::SchemaFieldNotFound(_) => {
            ErrorKind::ColumnNotFound
        }
        PolarsError::StructFieldNotFound(_) => ErrorKind::FieldNotFound,
        PolarsError::Duplicate(_) => ErrorKind::DuplicateColumn,
        PolarsError::SchemaMismatch(_) => ErrorKind::SchemaMismatch,
        PolarsError::OutOfBounds(_) => ErrorKind::OutOfBounds,
        PolarsError::SQLSyntax(text)
            if text.contains("not supported") || text.contains("unexpected use") =>
        {
            ErrorKind::Unsupported
        }
        PolarsError::SQLSyntax(_) => ErrorKind::SqlSyntax,
        PolarsError::SQLInterface(_) => ErrorKind::Unsupported,
        PolarsError::IO { error, .. } if error.kind() == std::io::ErrorKind::NotFound => {
            ErrorKind::NotFound
        }
        PolarsError::IO { .. } => ErrorKind::Io,
        _ => ErrorKind::Compute,
    };
    if let Some(better) = kind_of_text(&text) {
        kind = better;
    }
    let mut out = match kind {
        ErrorKind::ColumnNotFound => {
            column_not_found(&text).unwrap_or_else(|| Error::new(kind, message))
        }
        _ => Error::new(kind, message),
    };
    if out.hint().is_none()
        && let Some(hint) = hint(&text, out.kind())
    {
        out = out.with_hint(hint);
    }
    out.with_source(error)
}

fn innermost(error: &PolarsError) -> &PolarsError {
    match error {
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => {
            innermost(error)
        }
        other => other,
    }
}

/// Kinds that polars tells only by its words.
fn kind_of_text(text: &str) -> Option<ErrorKind> {
    const KINDS: &[(&[&str], ErrorKind)] = &[
        (&["conversion from", "to `cat`"], ErrorKind::UnsupportedCast),
        (
            &["conversion from", "failed in column"],
            ErrorKind::ConversionFailed,
        ),
        (&["could not parse"], ErrorKind::ConversionFailed),
        (&["strict conversion"], ErrorKind::ConversionFailed),
        (&["error parsing line"], ErrorKind::ConversionFailed),
        (&["is ambiguous in time zone"], ErrorKind::ConversionFailed),
        (
            &["is non-existent in time zone"],
            ErrorKind::ConversionFailed,
        ),
        (
            &["casting from", "not supported"],
            ErrorKind::UnsupportedCast,
        ),
        (&["cannot cast"], ErrorKind::UnsupportedCast),
        (&["get index", "out of bounds"], ErrorKind::OutOfBounds),
        (&["index is out of bounds"], ErrorKind::OutOfBounds),
        (&["duplicate output name"], ErrorKind::DuplicateColumn),
        (
            &["has more than one occurrence"],
            ErrorKind::DuplicateColumn,
        ),
        (&["already exists"], ErrorKind::DuplicateColumn),
        (&["incomplete mapping"], ErrorKind::ConversionFailed),
        (&["unsupported function"], ErrorKind::UnknownFunction),
        (&["relation", "was not found"], ErrorKind::UnknownFrame),
        (
            &["should participate in the group by"],
            ErrorKind::SqlSyntax,
        ),
        (&["field not found"], ErrorKind::FieldNotFound),
        (&["arithmetic on", "types"], ErrorKind::TypeMismatch),
        (
            &["operation not supported for dtype"],
            ErrorKind::TypeMismatch,
        ),
        (&["not supported for dtype"], ErrorKind::TypeMismatch),
        (&["not supported for type"], ErrorKind::TypeMismatch),
        (&["cannot compare"], ErrorKind::TypeMismatch),
        (&["predicate must be of type"], ErrorKind::TypeMismatch),
        (&["invalid series dtype"], ErrorKind::TypeMismatch),
        (&["not allowed on"], ErrorKind::TypeMismatch),
        (&["only supports", "types"], ErrorKind::TypeMismatch),
        (&["cannot check for", "data"], ErrorKind::TypeMismatch),
        (&["cannot format", "with format"], ErrorKind::TypeMismatch),
        (&["regex"], ErrorKind::InvalidArgument),
        (&["is duplicate"], ErrorKind::DuplicateColumn),
        (
            &["should all have the same schema"],
            ErrorKind::SchemaMismatch,
        ),
        (
            &["number of automatic placeholders"],
            ErrorKind::InvalidArgument,
        ),
        (
            &["datatypes of join keys don't match"],
            ErrorKind::TypeMismatch,
        ),
        (&["expected", "type", "got"], ErrorKind::TypeMismatch),
        (&["unable to find column"], ErrorKind::ColumnNotFound),
        (
            &["cannot select", "was not found"],
            ErrorKind::ColumnNotFound,
        ),
    ];
    let lower = text.to_lowercase();
    KINDS.iter().find_map(|(words, kind)| {
        let mut rest = lower.as_str();
        let found = words.iter().all(|word| match rest.find(word) {
            Some(at) => {
                rest = &rest[at + word.len()..];
                true
            }
            None => false,
        });
        found.then_some(*kind)
    })
}

/// `unable to find column "x"; valid columns: ["a", "b"]` in the words of the contract.
fn column_not_found(text: &str) -> Option<Error> {
    let name = quoted(text).or_else(|| {
        let rest = text.strip_prefix("not found: ").unwrap_or(text);
        let word = rest.lines().next()?.trim();
        (!word.is_empty() && !word.contains(' ')).then(|| word.to_owned())
    })?;
    let error = Error::new(
        ErrorKind::ColumnNotFound,
        format!("there is no column `{name}`"),
    );
    if text.contains("valid columns: []") {
        return Some(error.with_hint(
            "there are no columns here; a statement names its frame, as in `FROM {df}`",
        ));
    }
    Some(match valid_columns(text) {
        Some(valid) => error.with_hint(format!("columns here: {}", names(&valid))),
        None => error,
    })
}

fn quoted(text: &str) -> Option<String> {
    let start = text.find(['"', '\'', '`'])?;
    let quote = text[start..].chars().next()?;
    let rest = &text[start + 1..];
    Some(rest[..rest.find(quote)?].to_owned())
}

fn valid_columns(text: &str) -> Option<Vec<String>> {
    let list = text.split_once("valid columns: [")?.1;
    let list = &list[..list.find("\"]").map_or(list.len(), |end| end + 1)];
    Some(
        list.split("\", \"")
            .map(|name| name.trim_matches('"').to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
    )
}

/// Names in backticks, at most twenty of them.
pub(crate) fn names(names: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 20;
    let mut shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    shown.join(", ")
}

/// ``conversion from `str` to `i64` failed in column 'x' for 2 out of 3 values: ["a", "b"]`` in the words of the contract.
fn conversion(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("conversion from `")?;
    let (_, rest) = rest.split_once("` to `")?;
    let (to, rest) = rest.split_once("` failed in column '")?;
    let (column, rest) = rest.split_once("' for ")?;
    let (count, rest) = rest.split_once(" out of ")?;
    let (_, values) = rest.split_once(" values: [")?;
    let values = &values[..values.rfind(']')?];
    let value = match values.strip_prefix('"') {
        Some(text) => text
            .split_once("\", \"")
            .map_or(text.trim_end_matches('"'), |(first, _)| first),
        None => values.split_once(", ").map_or(values, |(first, _)| first),
    };
    let name = match to {
        "str" => "String".to_owned(),
        to if to.starts_with("datetime") => "Datetime".to_owned(),
        to if to.starts_with("decimal") => {
            to.replacen('d', "D", 1).replace('[', "(").replace(']', ")")
        }
        to => match to.strip_prefix(['i', 'u', 'f']) {
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let kind = match &to[..1] {
                    "i" => "Int",
                    "u" => "UInt",
                    _ => "Float",
                };
                format!("{kind}{bits}")
            }
            _ => to[..1].to_uppercase() + &to[1..],
        },
    };
    let others = match count.parse::<u64>().ok()? {
        0 | 1 => String::new(),
        count => format!(" (one of {count} such values)"),
    };
    let is_text = matches!(column, "literal" | "");
    Some(match is_text {
        true => format!("`{value}` is not a value of type {name}{others}"),
        false => format!("column `{column}`: `{value}` is not a value of type {name}{others}"),
    })
}

fn hint(text: &str, kind: ErrorKind) -> Option<String> {
    match kind {
        ErrorKind::ConversionFailed if text.contains("conversion from") => Some(
            "cast with `strict=False` (`TRY_CAST` in SQL) to get null for such values".to_owned(),
        ),
        _ => None,
    }
}

/// A message in the contract's style: first paragraph, lower-case first letter, no advice, no final period.
fn tidy(text: &str) -> String {
    let mut text = text;
    for cut in [
        "\n\n",
        "\nResolved plan until failure",
        "\nThis error occurred",
        "\nHint:",
        "\nYou might want to",
        "\nDid you",
        "\nConsider",
        ", consider increasing infer_schema_length",
        ", set `strict=False`",
        "\nPlease",
    ] {
        if let Some(at) = text.find(cut)
            && at > 0
        {
            text = &text[..at];
        }
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    match chars.next() {
        Some(first)
            if chars
                .clone()
                .next()
                .is_none_or(|second| !second.is_uppercase()) =>
        {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_do_not_fit_are_told_in_plain_words() {
        let told = |to: &str, values: &str| {
            conversion(&format!(
                "conversion from `str` to `{to}` failed in column 'x' for {} out of 9 values: [{values}]",
                values.split(", ").count()
            ))
        };
        let expected = |text: &str| Some(format!("column `x`: {text}"));
        assert_eq!(
            told("i64", "\"a\""),
            expected("`a` is not a value of type Int64")
        );
        assert_eq!(
            told("decimal[2,2]", "1, 2"),
            expected("`1` is not a value of type Decimal(2,2) (one of 2 such values)")
        );
        assert_eq!(
            told("date", "\"a\", \"b\""),
            expected("`a` is not a value of type Date (one of 2 such values)")
        );
        assert_eq!(conversion("conversion from `str` failed"), None);
    }

    #[test]
    fn an_unknown_column_is_named_with_the_known_ones() {
        let error = engine_error(PolarsError::ColumnNotFound(
            "unable to find column \"z\"; valid columns: [\"a\", \"b c\"]\n\nResolved plan until failure: ...".into(),
        ));
        assert_eq!(error.kind(), ErrorKind::ColumnNotFound);
        assert_eq!(error.message(), "there is no column `z`");
        assert_eq!(error.hint(), Some("columns here: `a`, `b c`"));
    }

    #[test]
    fn our_own_errors_keep_their_kind_through_a_plan() {
        let error = engine_error(carried(ErrorKind::Cancelled, "the run was interrupted"));
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(error.message(), "the run was interrupted");
    }
}
