//! The process of the independent readers: one for all tests, asked in turn.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// A Python interpreter that has the readers, which `cargo xtask test-all-backends` installs.
pub(super) const PYTHON: &str = "LAKTORY_READERS_PYTHON";

struct Readers {
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

static READERS: Mutex<Option<Readers>> = Mutex::new(None);

/// The answers to requests, in order.
pub(super) fn ask(requests: &[Value]) -> Result<Vec<Value>, String> {
    let mut readers = READERS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut running = match readers.take() {
        Some(running) => running,
        None => start()?,
    };
    let answers: Result<Vec<Value>, String> = requests
        .iter()
        .map(|request| {
            running
                .ask(request)
                .map_err(|error| format!("the readers were lost at {request}: {error}"))
        })
        .collect();
    // One that was lost is not asked again.
    if answers.is_ok() {
        *readers = Some(running);
    }
    answers
}

fn start() -> Result<Readers, String> {
    let python = std::env::var_os(PYTHON).ok_or_else(|| format!("{PYTHON} is not set"))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("readers/read_back.py");
    let mut child = Command::new(&python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{PYTHON}={}: {error}", python.display()))?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    Ok(Readers {
        input: input.ok_or("the readers cannot be asked")?,
        output: BufReader::new(output.ok_or("the readers do not answer")?),
        _child: child,
    })
}

impl Readers {
    fn ask(&mut self, request: &Value) -> std::io::Result<Value> {
        writeln!(self.input, "{request}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}
