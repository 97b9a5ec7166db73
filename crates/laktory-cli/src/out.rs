//! The door of the command: all that it prints leaves here. What a terminal would obey is spelled out, whether there is a
//! terminal or not; texts of pipelines and data reach people only as text.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use console::Term;
use laktory::core::Secrets;
use laktory::syntax::{visible_json, visible_lines, visible_styled};

use crate::exit::Failure;

/// Values that do not leave.
static HIDDEN: Mutex<Secrets> = Mutex::new(Secrets::new());

/// Keeps values from being printed, from now on.
pub(crate) fn hide(secrets: &Secrets) {
    let mut hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner);
    hidden.extend(secrets);
}

/// The text without the values that are kept back.
pub(crate) fn hidden(text: &str) -> String {
    let hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner);
    hidden.hide(text).into_owned()
}

/// Prints lines to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    leave(&visible_lines(text))
}

/// Prints a JSON document to standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(|error| laktory::core::Error::internal(error.to_string()))?;
    leave(&visible_json(&text))
}

fn leave(text: &str) -> Result<(), Failure> {
    heard(writeln!(io::stdout(), "{}", hidden(text)))
}

/// A reader that has gone away (`| head`) is not an error.
pub(crate) fn heard(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(laktory::core::Error::from(error).into())
        }
        _ => Ok(()),
    }
}

/// Prints lines to standard error. Nothing can be said when that is gone.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{}", hidden(&visible_lines(text)));
}

/// Prints a JSON object to standard error, on one line.
pub(crate) fn tell_json(value: &impl serde::Serialize) {
    if let Ok(line) = serde_json::to_string(value) {
        let _ = writeln!(io::stderr(), "{}", hidden(&visible_json(&line)));
    }
}

/// Prints to standard error what was styled; the styles are left out where they are not wanted.
pub(crate) fn tell_styled(text: &str) {
    let _ = write!(anstream::stderr(), "{}", hidden(&visible_styled(text)));
}

/// Prints help and versions, or faults of the command line, as clap words and styles them.
pub(crate) fn clap(error: &clap::Error) {
    let styled = error.render();
    // Clap repeats arguments as they are, so that their styles cannot be told from its own.
    let hostile = std::env::args_os().any(|argument| {
        argument
            .to_string_lossy()
            .contains(laktory::syntax::is_hidden)
    });
    let text = match hostile {
        true => visible_lines(&styled.to_string()).into_owned(),
        false => styled.ansi().to_string(),
    };
    let _ = match error.use_stderr() {
        true => write!(anstream::stderr(), "{text}"),
        false => write!(anstream::stdout(), "{text}"),
    };
}

/// The width of standard output in characters, when it is a terminal.
pub(crate) fn width() -> Option<usize> {
    width_of(&Term::stdout())
}

/// The width of standard error in characters, when it is a terminal.
pub(crate) fn error_width() -> Option<usize> {
    width_of(&Term::stderr())
}

fn width_of(terminal: &Term) -> Option<usize> {
    terminal.is_term().then(|| usize::from(terminal.size().1))
}
