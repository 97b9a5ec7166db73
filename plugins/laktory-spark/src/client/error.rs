//! What goes wrong between this program and the server, as errors of the contract: network and handshake failures by
//! their cause, failures of Spark by their error class.

use std::collections::HashMap;

use laktory_core::{Error, ErrorKind, Subject};
use prost::Message as _;
use spark_connect_proto as proto;
use tonic::{Code, Status};

use super::address::Address;

/// `google.rpc.Status`, as it travels in the trailer of a failed call.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(map = "string, string", tag = "3")]
    metadata: HashMap<String, String>,
}

impl ErrorInfo {
    /// What the server says about a failed call.
    pub(super) fn of(status: &Status) -> Option<Self> {
        let decoded = RpcStatus::decode(status.details()).ok()?;
        let info = decoded
            .details
            .iter()
            .find(|any| any.type_url.ends_with("google.rpc.ErrorInfo"))?;
        Self::decode(info.value.as_slice()).ok()
    }

    /// Key under which the server keeps the details.
    pub(super) fn error_id(&self) -> Option<&str> {
        self.metadata.get("errorId").map(String::as_str)
    }

    /// Class of the error, such as `DIVIDE_BY_ZERO`.
    pub(super) fn class(&self) -> Option<&str> {
        self.metadata.get("errorClass").map(String::as_str)
    }
}

/// Whether a call may be sent again: the server was not reached, or the stream of responses was cut.
pub(super) fn is_transient(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable => true,
        Code::Internal => status.message().contains("INVALID_CURSOR.DISCONNECTED"),
        // A connection that breaks while a response arrives.
        Code::Unknown => {
            let text = chain(status);
            text.contains("transport error") || text.contains("h2 protocol error")
        }
        _ => false,
    }
}

/// Whether the server does not know the operation (any more).
pub(super) fn is_gone(status: &Status) -> bool {
    let text = status.message();
    text.contains("INVALID_HANDLE.OPERATION_NOT_FOUND")
        || text.contains("INVALID_HANDLE.SESSION_NOT_FOUND")
}

/// Whether the session of the server was closed, for example since the server was started anew.
pub(super) fn is_session_lost(status: &Status) -> bool {
    let text = status.message();
    text.contains("INVALID_HANDLE.SESSION_CLOSED")
        || text.contains("INVALID_HANDLE.SESSION_CHANGED")
        || text.contains("INVALID_HANDLE.SESSION_NOT_FOUND")
}

/// An error and all of its sources as one text.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The error for a server that cannot be reached or does not shake hands.
pub(super) fn unreachable(
    address: &Address,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    let text = chain(&error);
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let (message, hint) = if has(&["certificate", "unknownissuer", "notvalidforname"]) {
        (
            format!(
                "the TLS certificate of the Spark server `{address}` is not accepted: {}",
                last(&text)
            ),
            "check the host name, or add the certificate's authority to the system's trusted ones (environment variable `SSL_CERT_FILE`)",
        )
    } else if has(&[
        "invalidcontenttype",
        "corrupt message",
        "wrong version number",
        "record overflow",
    ]) {
        (
            format!("`{address}` does not speak TLS"),
            "remove `use_ssl=true` from the connection string, or check the port",
        )
    } else if has(&["connection refused"]) {
        (
            format!("nothing listens at `{address}`"),
            "start the Spark Connect server, or check host and port of the connection string (`SPARK_REMOTE`)",
        )
    } else if has(&[
        "dns",
        "lookup address",
        "name or service not known",
        "no such host",
        "name resolution",
    ]) {
        (
            format!("the host `{}` is not known", address.host),
            "check the connection string (`SPARK_REMOTE`)",
        )
    } else if has(&["timed out", "deadline", "timeout"]) {
        (
            format!("`{address}` does not answer"),
            "check host, port and firewall",
        )
    } else if has(&[
        "frame",
        "protocol error",
        "connection reset",
        "broken pipe",
        "closed",
        "http",
        "eof",
        "handshake",
    ]) {
        (
            format!("`{address}` does not answer as a Spark Connect server"),
            "check the port (that of Spark Connect is usually 15002), and whether the server wants `use_ssl=true`",
        )
    } else {
        (
            format!(
                "the Spark server `{address}` cannot be reached: {}",
                last(&text)
            ),
            "check the connection string (`SPARK_REMOTE`)",
        )
    };
    Error::new(ErrorKind::Io, message)
        .with_hint(hint)
        .with_source(error)
}

/// The innermost message of a chain.
fn last(text: &str) -> &str {
    text.rsplit(": ").next().unwrap_or(text)
}

/// The error for a connection that breaks in the middle of the work.
pub(super) fn lost(address: &Address, status: Status) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("the connection to the Spark server `{address}` was lost"),
    )
    .with_hint("nothing that this node writes is visible yet; start the server again if it has stopped, and run the pipeline again")
    .with_source(status)
    .retryable()
}

/// The error for a call that the server refuses before Spark looks at it.
pub(super) fn refused(address: &Address, status: &Status) -> Option<Error> {
    let text = status.message();
    Some(match status.code() {
        Code::Unauthenticated => Error::new(
            ErrorKind::Io,
            format!("the Spark server `{address}` does not accept the token"),
        )
        .with_hint(
            "check `token=` in the connection string (or DATABRICKS_TOKEN); it may have expired",
        ),
        Code::PermissionDenied => Error::new(
            ErrorKind::Io,
            format!("the Spark server `{address}` denies access: {}", tidy(text)),
        )
        .with_hint("check the token and the rights of its user"),
        Code::Unimplemented => Error::new(
            ErrorKind::Unsupported,
            format!("the Spark server `{address}` does not know a call of this program"),
        )
        .with_hint("Spark 4.0 or later is needed"),
        Code::ResourceExhausted => Error::new(
            ErrorKind::Compute,
            format!(
                "the Spark server `{address}` refuses a message: {}",
                tidy(text)
            ),
        ),
        _ => return None,
    })
}

/// Where an error lies in the SQL text that the server was given: characters, from and to.
pub(crate) type SqlRange = std::ops::Range<usize>;

/// A failure of Spark: class, message, and its place in a SQL text.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) class: Option<String>,
    pub(super) message: String,
    pub(super) parameters: HashMap<String, String>,
    pub(super) range: Option<SqlRange>,
    /// Names of the exception's Java classes, outermost first.
    pub(super) types: Vec<String>,
    /// The file that was read when it happened.
    pub(super) file: Option<String>,
}

impl Failure {
    /// The failure that the details describe: the innermost one that has a class.
    pub(super) fn of(details: proto::FetchErrorDetailsResponse) -> Option<Self> {
        let mut at = usize::try_from(details.root_error_idx?).ok()?;
        let mut found: Option<Self> = None;
        let mut file = None;
        for _ in 0..details.errors.len() {
            let error = details.errors.get(at)?;
            let throwable = error.spark_throwable.as_ref();
            let class = throwable.and_then(|throwable| throwable.error_class.clone());
            if class
                .as_deref()
                .is_some_and(|class| class.starts_with(READING))
            {
                let path = throwable.and_then(|throwable| throwable.message_parameters.get("path"));
                file = path.cloned().or(file);
            }
            let range = throwable.and_then(|throwable| {
                throwable.query_contexts.iter().find_map(|context| {
                    let start = usize::try_from(context.start_index).ok()?;
                    let stop = usize::try_from(context.stop_index).ok()?;
                    let sql = context.context_type
                        == proto::fetch_error_details_response::query_context::ContextType::Sql
                            as i32;
                    (sql && stop >= start && !context.fragment.is_empty())
                        .then_some(start..stop + 1)
                })
            });
            let better = match &found {
                None => true,
                Some(known) => class.is_some() && is_wrapper(known.class.as_deref()),
            };
            if better {
                found = Some(Self {
                    class,
                    message: error.message.clone(),
                    parameters: throwable
                        .map(|throwable| throwable.message_parameters.clone())
                        .unwrap_or_default(),
                    range,
                    types: error.error_type_hierarchy.clone(),
                    file: None,
                });
            }
            match error
                .cause_idx
                .and_then(|cause| usize::try_from(cause).ok())
            {
                Some(cause) => at = cause,
                None => break,
            }
        }
        found.map(|failure| Self { file, ..failure })
    }

    /// The failure as far as the status itself tells it.
    pub(super) fn of_status(status: &Status, info: Option<&ErrorInfo>) -> Self {
        let message = status.message().to_owned();
        let class = info
            .and_then(ErrorInfo::class)
            .map(str::to_owned)
            .or_else(|| bracketed(&message).map(str::to_owned));
        Self {
            class,
            message,
            parameters: HashMap::new(),
            range: None,
            types: info
                .map(|info| vec![info.reason.clone()])
                .unwrap_or_default(),
            file: None,
        }
    }

    /// The error of the contract.
    pub(super) fn into_error(self, status: Status) -> Error {
        let class = self.class.as_deref().or_else(|| bracketed(&self.message));
        if let Some(error) = delivered(&self.message) {
            return error.with_source(status);
        }
        let kind = class
            .and_then(kind_of_class)
            .or_else(|| kind_of_text(&self.message))
            .or_else(|| kind_of_types(&self.types))
            .or_else(|| {
                self.message
                    .contains(UNIVOCITY)
                    .then_some(ErrorKind::ConversionFailed)
            })
            .unwrap_or(ErrorKind::Compute);
        let message = match (kind, self.parameters.get("objectName")) {
            (ErrorKind::ColumnNotFound, Some(name)) => {
                format!("there is no column {name}")
            }
            _ if class.is_some_and(|class| class.starts_with("MALFORMED_")) => {
                let record = self.parameters.get("badRecord").map(|record| tidy(record));
                match record.filter(|record| record != "_corrupt_record") {
                    Some(record) => format!("a record cannot be read: {record}"),
                    None => "a record cannot be read".to_owned(),
                }
            }
            _ if self.message.contains(UNIVOCITY) => {
                "a value goes on behind its closing quote, or is too long".to_owned()
            }
            _ => tidy(&self.message),
        };
        // A file that cannot be read at all is named by the message itself.
        let file = self.file.filter(|file| !message.contains(file.as_str()));
        let message = match file {
            Some(file) => format!("`{}`: {message}", file.trim_start_matches("file://")),
            None => message,
        };
        let mut error = Error::new(kind, message);
        if let Some(name) = self.parameters.get("objectName") {
            let name = name.trim_matches('`').replace("`.`", ".");
            error = error.with_subject(Subject::Name(name));
        }
        if let Some(proposal) = self.parameters.get("proposal") {
            error = error.with_hint(format!("columns here: {proposal}"));
        } else if class.is_some_and(|class| class.starts_with("MALFORMED_")) {
            error = error.with_hint(
                "it has too few or too many fields, or a value that is not of its column's type; \
                 `reader_kwargs: {mode: PERMISSIVE}` reads nulls there, `DROPMALFORMED` leaves it out",
            );
        } else if self.message.contains(UNIVOCITY) {
            error = error.with_hint(
                "double the quotes in it; `reader_kwargs: {unescapedQuoteHandling: STOP_AT_DELIMITER}` takes them as they stand",
            );
        } else if kind == ErrorKind::ConversionFailed {
            error = error.with_hint(
                "cast with `strict=False` (`TRY_CAST` in SQL) to get null for such values",
            );
        }
        if let Some(range) = self.range {
            error = error.with_range(range);
        }
        error.with_source(status)
    }
}

/// The exception of Spark's CSV parser, which has no class of its own.
const UNIVOCITY: &str = "TextParsingException";

/// Class of what happens while a file is read.
const READING: &str = "FAILED_READ_FILE";

/// Classes that only say that something failed somewhere.
fn is_wrapper(class: Option<&str>) -> bool {
    class.is_none_or(|class| {
        class.starts_with("FAILED_READ_FILE")
            || class.starts_with("TASK_WRITE_FAILED")
            || class.starts_with("FAILED_EXECUTE_UDF")
            || class == "SPARK_JOB_CANCELLED"
    })
}

/// `CLASS` of a message `[CLASS] text`.
fn bracketed(message: &str) -> Option<&str> {
    let class = message.trim_start().strip_prefix('[')?.split_once(']')?.0;
    class
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' || c == '.')
        .then_some(class)
}

fn kind_of_class(class: &str) -> Option<ErrorKind> {
    use ErrorKind::{
        Cancelled, ColumnNotFound, Compute, ConversionFailed, DuplicateColumn, FieldNotFound,
        InvalidArgument, InvalidExpression, NotFound, OutOfBounds, SchemaMismatch, SqlSyntax,
        TypeMismatch, UnknownFunction, Unsupported, UnsupportedCast,
    };
    const KINDS: &[(&str, ErrorKind)] = &[
        ("UNRESOLVED_COLUMN", ColumnNotFound),
        ("UNRESOLVED_USING_COLUMN", ColumnNotFound),
        ("UNRESOLVED_FIELD", FieldNotFound),
        ("FIELD_NOT_FOUND", FieldNotFound),
        ("UNRESOLVED_MAP_KEY", ColumnNotFound),
        ("UNRESOLVED_ROUTINE", UnknownFunction),
        ("TABLE_OR_VIEW_NOT_FOUND", NotFound),
        ("SCHEMA_NOT_FOUND", NotFound),
        ("PATH_NOT_FOUND", NotFound),
        ("FAILED_READ_FILE.FILE_NOT_EXIST", NotFound),
        ("UNABLE_TO_INFER_SCHEMA", ConversionFailed),
        ("DATA_SOURCE_NOT_FOUND", Unsupported),
        ("PARSE_SYNTAX_ERROR", SqlSyntax),
        ("PARSE_EMPTY_STATEMENT", SqlSyntax),
        ("TRAILING_COMMA_IN_SELECT", SqlSyntax),
        ("UNCLOSED_BRACKETED_COMMENT", SqlSyntax),
        ("INVALID_IDENTIFIER", SqlSyntax),
        ("MISSING_AGGREGATION", SqlSyntax),
        ("MISSING_GROUP_BY", SqlSyntax),
        ("INVALID_WHERE_CONDITION", SqlSyntax),
        ("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", UnsupportedCast),
        (
            "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION",
            UnsupportedCast,
        ),
        (
            "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION",
            UnsupportedCast,
        ),
        ("DATATYPE_MISMATCH", TypeMismatch),
        ("UNEXPECTED_INPUT_TYPE", TypeMismatch),
        ("INCOMPATIBLE_COLUMN_TYPE", SchemaMismatch),
        ("NUM_COLUMNS_MISMATCH", SchemaMismatch),
        ("CAST_INVALID_INPUT", ConversionFailed),
        ("CAST_OVERFLOW", ConversionFailed),
        ("INVALID_UTF8_STRING", ConversionFailed),
        ("NUMERIC_VALUE_OUT_OF_RANGE", ConversionFailed),
        ("NUMERIC_OUT_OF_SUPPORTED_RANGE", ConversionFailed),
        ("CANNOT_PARSE", ConversionFailed),
        ("CANNOT_CAST_DATATYPE", UnsupportedCast),
        ("CONVERSION_INVALID_INPUT", ConversionFailed),
        ("INVALID_DATETIME_PATTERN", InvalidArgument),
        ("DATETIME_FIELD_OUT_OF_BOUNDS", ConversionFailed),
        ("MALFORMED_RECORD_IN_PARSING", ConversionFailed),
        ("MALFORMED_CSV_RECORD", ConversionFailed),
        (
            "INCONSISTENT_BEHAVIOR_CROSS_VERSION.PARSE_DATETIME_BY_NEW_PARSER",
            ConversionFailed,
        ),
        ("ARITHMETIC_OVERFLOW", ConversionFailed),
        ("BINARY_ARITHMETIC_OVERFLOW", ConversionFailed),
        ("DIVIDE_BY_ZERO", Compute),
        ("INVALID_ARRAY_INDEX", OutOfBounds),
        ("COLUMN_ALREADY_EXISTS", DuplicateColumn),
        ("AMBIGUOUS_REFERENCE", DuplicateColumn),
        ("AMBIGUOUS_COLUMN_OR_FIELD", DuplicateColumn),
        ("WRONG_NUM_ARGS", InvalidArgument),
        ("INVALID_PARAMETER_VALUE", InvalidArgument),
        ("INVALID_TIMEZONE", InvalidArgument),
        ("PATH_ALREADY_EXISTS", InvalidArgument),
        ("TABLE_OR_VIEW_ALREADY_EXISTS", InvalidArgument),
        ("UNSUPPORTED", Unsupported),
        ("NESTED_AGGREGATE_FUNCTION", InvalidExpression),
        ("GROUP_BY_AGGREGATE", InvalidExpression),
        ("OPERATION_CANCELED", Cancelled),
        ("JOB_CANCELLED", Cancelled),
    ];
    KINDS
        .iter()
        .find(|(prefix, _)| class.starts_with(prefix))
        .map(|(_, kind)| *kind)
}

/// Kinds of servers that have no classes, by their words.
fn kind_of_text(message: &str) -> Option<ErrorKind> {
    const WORDS: &[(&str, ErrorKind)] = &[
        ("cannot resolve", ErrorKind::ColumnNotFound),
        ("no field named", ErrorKind::ColumnNotFound),
        ("table not found", ErrorKind::NotFound),
        ("unknown function", ErrorKind::UnknownFunction),
        ("cast error", ErrorKind::ConversionFailed),
        ("cannot cast", ErrorKind::ConversionFailed),
        ("not supported", ErrorKind::Unsupported),
        ("not implemented", ErrorKind::Unsupported),
        ("unsupported", ErrorKind::Unsupported),
        ("invalid sql", ErrorKind::SqlSyntax),
    ];
    let lower = message.to_lowercase();
    WORDS
        .iter()
        .find(|(words, _)| lower.contains(words))
        .map(|(_, kind)| *kind)
}

fn kind_of_types(types: &[String]) -> Option<ErrorKind> {
    let any = |name: &str| types.iter().any(|known| known.ends_with(name));
    if any("ParseException") {
        Some(ErrorKind::SqlSyntax)
    } else if any("FileNotFoundException") {
        Some(ErrorKind::NotFound)
    } else if any("DateTimeException") || any("NumberFormatException") {
        Some(ErrorKind::ConversionFailed)
    } else if any("UnsupportedOperationException") {
        Some(ErrorKind::Unsupported)
    } else {
        None
    }
}

/// Text before an error of ours that an expression raises on the server.
pub(crate) const MARK: &str = "laktory:";

/// An error that one of our expressions raised on the server, with the kind that it carries.
fn delivered(message: &str) -> Option<Error> {
    let at = message.find(MARK)?;
    let (kind, text) = message[at + MARK.len()..].split_once(':')?;
    let kind = [
        ErrorKind::ConversionFailed,
        ErrorKind::InvalidArgument,
        ErrorKind::OutOfBounds,
        ErrorKind::SchemaMismatch,
        ErrorKind::Compute,
    ]
    .into_iter()
    .find(|known| known.name() == kind)?;
    Some(Error::new(kind, tidy(text)))
}

/// A message in the contract's style: without class, SQL state, plan and advice.
pub(super) fn tidy(message: &str) -> String {
    let mut text = message.trim_start();
    if let Some(class) = bracketed(text) {
        text = text[class.len() + 2..].trim_start();
    }
    for cut in [
        " SQLSTATE:",
        "\n== ",
        "\nJVM stacktrace",
        "\n'",
        ";\n",
        "\n\n",
        " If necessary set",
        " Use `try_",
        " To return NULL",
    ] {
        if let Some(at) = text.find(cut) {
            text = &text[..at];
        }
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches(['.', ';', ' ']);
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
mod tests;
