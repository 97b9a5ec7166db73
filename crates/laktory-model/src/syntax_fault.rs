//! What the faults of the YAML parser mean for somebody who wrote the file.
//!
//! Words only; places are the reader's.

use granit_parser::{ErrorKind, ScanError};

/// What a syntax error means for somebody who wrote the file, and how to mend it.
pub(crate) fn explain(error: &ScanError) -> (String, Option<&'static str>) {
    use ErrorKind as E;
    let quote = Some(
        "quote texts that contain `: `, ` #`, or begin with one of `[ ] { } & * ! | > ' \" % @`",
    );
    let (message, hint) = match error.kind() {
        _ if is_tab(error) => (
            "a tab where YAML allows only spaces",
            Some("indent with spaces"),
        ),
        E::UnclosedQuotedScalar => ("a quoted text is not closed", Some("add the closing quote")),
        E::InvalidTrailingDoubleQuotedScalar | E::InvalidTrailingSingleQuotedScalar => (
            "text follows a closing quote",
            Some("quote the whole value, and double a `'` inside single quotes"),
        ),
        E::UnknownQuotedScalarEscape => (
            "unknown escape in a double-quoted text",
            Some("use single quotes, or double the backslash"),
        ),
        E::UnexpectedEofFlowMapping | E::UnexpectedEofImplicitFlowMapping => {
            ("`{` is not closed", Some("add `}`, or quote the text"))
        }
        E::UnexpectedEofFlowSequence => ("`[` is not closed", Some("add `]`, or quote the text")),
        E::RecursionLimitExceeded => ("values are nested too deep", None),
        E::MappingValueNotAllowed => ("`:` is not allowed here", quote),
        E::ExpectedBlockMappingKey => (
            "expected a key of the mapping",
            Some("check the indentation: keys of one mapping begin in one column"),
        ),
        E::InvalidIndentation => (
            "the indentation does not match the lines above",
            Some("items and keys of one level begin in one column"),
        ),
        _ => return (error.info(), quote),
    };
    (message.to_owned(), hint)
}

/// Whether a tab is the fault.
pub(crate) fn is_tab(error: &ScanError) -> bool {
    use ErrorKind as E;
    matches!(
        error.kind(),
        E::TabInBlockIndentation
            | E::TabInIndentation
            | E::TabNotAllowed
            | E::TabAtBlockScalarStart
            | E::TabInPlainScalar
    )
}
