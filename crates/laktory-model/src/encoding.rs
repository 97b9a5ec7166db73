//! Bytes of a file to text, with faults of encoding named and placed.

use laktory_syntax::Diagnostic;

/// A byte order mark that says that a file is not UTF-8.
const FOREIGN_MARKS: [(&[u8], &str); 4] = [
    (&[0xFF, 0xFE, 0, 0], "UTF-32"),
    (&[0, 0, 0xFE, 0xFF], "UTF-32"),
    (&[0xFF, 0xFE], "UTF-16"),
    (&[0xFE, 0xFF], "UTF-16"),
];

/// The text of `bytes` without its byte order mark.
///
/// # Errors
/// The text with invalid bytes replaced and the fault with the line in it, for a file that is not UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, Box<Fault>> {
    for (mark, name) in FOREIGN_MARKS {
        if bytes.starts_with(mark) {
            return Err(Box::new(Fault {
                text: String::new(),
                at: 0,
                diagnostic: Diagnostic::error("encoding", format!("the file is {name}, not UTF-8"))
                    .hint("save the file as UTF-8"),
            }));
        }
    }
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text.to_owned()),
        Err(error) => error,
    };
    let at = error.valid_up_to();
    let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    let byte = bytes[at];
    let message =
        format!("the file is not UTF-8: invalid byte 0x{byte:02X} at offset {at}, line {line}");
    Err(Box::new(Fault {
        text: String::from_utf8_lossy(bytes).into_owned(),
        at,
        diagnostic: Diagnostic::error("encoding", message).hint("save the file as UTF-8"),
    }))
}

/// Why bytes are no text.
pub(crate) struct Fault {
    /// What can be shown of the file.
    pub(crate) text: String,
    /// Byte offset of the fault in `text`.
    pub(crate) at: usize,
    pub(crate) diagnostic: Diagnostic,
}
