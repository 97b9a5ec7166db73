//! The one error of the contract: a kind to act on, a message, a hint, and where in the text it lies.

use std::fmt;
use std::ops::Range;

/// What went wrong, as far as a caller can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A column that the frame does not have.
    ColumnNotFound,
    /// A struct has no such field.
    FieldNotFound,
    /// Two output columns would share a name.
    DuplicateColumn,
    /// An operation does not take values of this type.
    TypeMismatch,
    /// No conversion exists between the two types.
    UnsupportedCast,
    /// A value cannot be converted, or a line of a file cannot be parsed.
    ConversionFailed,
    /// An order-dependent operation without an order.
    OrderRequired,
    /// A length-changing expression where the length must be kept.
    LengthChanging,
    /// An expression that makes no sense as written, such as nested aggregates.
    InvalidExpression,
    /// An argument has a value that the operation refuses.
    InvalidArgument,
    /// A name that nothing defines.
    UnknownName,
    /// A method that does not exist.
    UnknownMethod,
    /// A placeholder such as `{nodes.x}` that nobody supplies.
    UnknownFrame,
    /// A function that the SQL dialect does not have.
    UnknownFunction,
    /// A SQL text that does not parse.
    SqlSyntax,
    /// Frames whose columns or types do not fit together.
    SchemaMismatch,
    /// An index outside of its range.
    OutOfBounds,
    /// The engine, or the build, cannot do this.
    Unsupported,
    /// A backend that is not linked into this program, or not known at all.
    UnknownBackend,
    /// A frame of one engine was handed to another: a bug of the caller.
    ForeignFrame,
    /// A file, folder or table that does not exist.
    NotFound,
    /// The operating system or the network refused; the source has the reason.
    Io,
    /// An expectation with action FAIL did not hold.
    ExpectationFailed,
    /// Rows in differ from rows out + dropped + quarantined.
    RowsLost,
    /// The run was interrupted by its user.
    Cancelled,
    /// The engine failed while computing.
    Compute,
    /// An invariant of laktory or a driver was broken: a bug.
    Internal,
}

impl ErrorKind {
    const ALL: &'static [Self] = &[
        Self::ColumnNotFound,
        Self::FieldNotFound,
        Self::DuplicateColumn,
        Self::TypeMismatch,
        Self::UnsupportedCast,
        Self::ConversionFailed,
        Self::OrderRequired,
        Self::LengthChanging,
        Self::InvalidExpression,
        Self::InvalidArgument,
        Self::UnknownName,
        Self::UnknownMethod,
        Self::UnknownFrame,
        Self::UnknownFunction,
        Self::SqlSyntax,
        Self::SchemaMismatch,
        Self::OutOfBounds,
        Self::Unsupported,
        Self::UnknownBackend,
        Self::ForeignFrame,
        Self::NotFound,
        Self::Io,
        Self::ExpectationFailed,
        Self::RowsLost,
        Self::Cancelled,
        Self::Compute,
        Self::Internal,
    ];

    /// The kind of a [`name`](ErrorKind::name).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut kinds = Self::ALL.iter();
        kinds.find(|kind| kind.name() == name).copied()
    }

    /// Stable snake_case name, as in run reports and conformance cases.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ColumnNotFound => "column_not_found",
            Self::FieldNotFound => "field_not_found",
            Self::DuplicateColumn => "duplicate_column",
            Self::TypeMismatch => "type_mismatch",
            Self::UnsupportedCast => "unsupported_cast",
            Self::ConversionFailed => "conversion_failed",
            Self::OrderRequired => "order_required",
            Self::LengthChanging => "length_changing",
            Self::InvalidExpression => "invalid_expression",
            Self::InvalidArgument => "invalid_argument",
            Self::UnknownName => "unknown_name",
            Self::UnknownMethod => "unknown_method",
            Self::UnknownFrame => "unknown_frame",
            Self::UnknownFunction => "unknown_function",
            Self::SqlSyntax => "sql_syntax",
            Self::SchemaMismatch => "schema_mismatch",
            Self::OutOfBounds => "out_of_bounds",
            Self::Unsupported => "unsupported",
            Self::UnknownBackend => "unknown_backend",
            Self::ForeignFrame => "foreign_frame",
            Self::NotFound => "not_found",
            Self::Io => "io",
            Self::ExpectationFailed => "expectation_failed",
            Self::RowsLost => "rows_lost",
            Self::Cancelled => "cancelled",
            Self::Compute => "compute",
            Self::Internal => "internal",
        }
    }
}

/// An error with its kind, message and hint. The engine's own error stays reachable as [`std::error::Error::source`].
#[derive(Debug)]
pub struct Error(Box<Details>);

/// What of the user's text an error is about, so that its place can be looked up beside what was parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// What the text spells so: the name of a column, a field or a type, a path, a setting, a constant.
    Name(String),
    /// A name that is looked up in the other frame of the step.
    Other(String),
    /// One of the expressions that a function is applied to, from 0.
    Argument(usize),
}

/// Behind a pointer, so that results stay small.
#[derive(Debug)]
struct Details {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    subject: Option<Subject>,
    siblings: Vec<String>,
    range: Option<Range<usize>>,
    retryable: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Result of the contract's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`. Messages are lower case, without final period, names in backticks.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            message: message.into(),
            hint: None,
            subject: None,
            siblings: Vec::new(),
            range: None,
            retryable: false,
            source: None,
        }))
    }

    /// Something that this engine or build cannot do.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// A broken invariant of ours.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// The error of a caught panic.
    #[must_use]
    pub fn from_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        let lower = text.to_lowercase();
        // Engines check few of the values that they calculate with; what is meant can be told from their words.
        let out_of_range = [
            "out of range",
            "out-of-range",
            "overflow",
            "too large",
            "too big",
            "can't fit values",
        ];
        if out_of_range.iter().any(|words| lower.contains(words)) {
            return Self::new(
                ErrorKind::OutOfBounds,
                "a value is outside of the range that the engine calculates with",
            )
            .with_hint("look for very large numbers, dates far away, and long intervals");
        }
        if lower.contains("activate") && lower.contains("feature") {
            return Self::unsupported("the engine has no such operation for values of these types")
                .with_hint("cast the values to other types, or write it in another way");
        }
        if lower.contains("spawn") && lower.contains("thread") || lower.contains("out of memory") {
            return Self::new(
                ErrorKind::Io,
                "the system gives the engine no more threads or memory",
            )
            .with_hint("raise the limits of the process, or lower its number of threads");
        }
        Self::internal(format!("the engine panicked: {}", plain_message(text)))
            .with_hint("this is a bug; please report it with the pipeline that shows it")
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the byte range in the user's SQL or expression text.
    #[must_use]
    pub fn with_range(mut self, range: Range<usize>) -> Self {
        self.0.range = Some(range);
        self
    }

    /// Adds what of the user's text it is about.
    #[must_use]
    pub fn with_subject(mut self, subject: Subject) -> Self {
        self.0.subject = Some(subject);
        self
    }

    /// Adds the names that its subject could have been.
    #[must_use]
    pub fn with_siblings(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.siblings = names.into_iter().map(Into::into).collect();
        self
    }

    /// The same error in other words: `of` gives them for its message and for its hint.
    #[must_use]
    pub fn reworded(mut self, of: impl Fn(&str) -> String) -> Self {
        self.0.message = of(&self.0.message);
        self.0.hint = self.0.hint.as_deref().map(of);
        self
    }

    /// Keeps the engine's error as source.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Marks the error as one that a second try may not meet.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// Puts `what` in front of the message: `what: message`.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message without hint and source.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How to mend it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// What of the user's text it is about.
    #[must_use]
    pub fn subject(&self) -> Option<&Subject> {
        self.0.subject.as_ref()
    }

    /// The names that its subject could have been, for "did you mean"; none where these are not known.
    #[must_use]
    pub fn siblings(&self) -> &[String] {
        &self.0.siblings
    }

    /// Byte range in the SQL or expression text that the failing call was given.
    #[must_use]
    pub fn range(&self) -> Option<Range<usize>> {
        self.0.range.clone()
    }

    /// Whether a second try may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source.as_ref() as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}

/// What an engine says, without the dump of a parsed statement that it may add.
#[must_use]
pub fn plain_message(message: &str) -> String {
    const DUMPS: &[&str] = &[
        "Some(",
        "None,",
        "Ident {",
        "Identifier(",
        "BinaryOp",
        "UnaryOp",
        "ObjectName",
        "Box(",
        "Span {",
        "Span(",
        "{ left:",
        "{ name:",
        "{ expr:",
        "{ value:",
        "ValueWithSpan",
        "Function(Function",
        "Subquery(",
        "Value(",
        "Query {",
        "Select {",
        "TableFactor",
        "SelectItem",
        "Placeholder(",
        "Token(",
        "Token {",
        "TokenWithSpan",
        "SingleQuotedString(",
        "Number(",
        "InList {",
        "Between {",
        "Case {",
        "Nested(",
        "Cast {",
        "Literal(",
        "Column {",
        "ScalarFunction",
    ];
    let Some(at) = DUMPS.iter().filter_map(|dump| message.find(dump)).min() else {
        return message.to_owned();
    };
    // A dump begins with a word of its own: `Pivot { table: ...`.
    let start = message[..at]
        .rfind(|char: char| {
            !(char.is_alphanumeric() || matches!(char, '_' | '{' | '(' | '[' | ':'))
        })
        .map_or(0, |before| before + 1);
    let head = message[..start].trim_end_matches([' ', ':', ',', '`', '\'', '"', '\n', '(']);
    let head = head
        .trim_end_matches("found")
        .trim_end_matches([' ', ':', ';', ',', '\n']);
    if head.split_whitespace().count() < 2 {
        return "a part of the statement is not available on this backend".to_owned();
    }
    head.to_owned()
}

#[cfg(test)]
mod tests {
    use super::plain_message;

    #[test]
    fn dumps_are_cut_and_names_are_not() {
        for (told, plain) in [
            (
                "this is not supported: Cast { expr: Identifier(Ident { value: \"a\" }) }",
                "this is not supported",
            ),
            (
                "there is no column `TokenId`",
                "there is no column `TokenId`",
            ),
            (
                "Ident { value: \"a\" }",
                "a part of the statement is not available on this backend",
            ),
        ] {
            assert_eq!(plain_message(told), plain);
        }
    }
}
