//! The process that draws statements and knows another engine's answers: `tests/conformance/statements/serve.py`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::case::Case;

/// What the process says.
pub(super) enum Message {
    /// A statement to be answered.
    Asked {
        number: u64,
        case: Box<Case>,
        /// As it is written for the other engine, when this is what is left of a statement that told engines apart.
        smallest: Option<String>,
    },
    /// There are no more; with counts.
    Done(Value),
}

pub(super) struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    /// # Errors
    /// When it does not start.
    pub(super) fn start(
        python: &Path,
        script: &Path,
        backend: &str,
        (first, count, seed): (u64, u64, u64),
    ) -> Result<Self, String> {
        let mut child = Command::new(python)
            .arg(script)
            .arg(backend)
            .args([first.to_string(), count.to_string(), seed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", python.display()))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Ok(Self {
            input: input.ok_or("the process cannot be answered")?,
            output: BufReader::new(output.ok_or("the process does not ask")?),
            child,
        })
    }

    /// # Errors
    /// When the process ended, or says what is not understood.
    pub(super) fn next(&mut self) -> Result<Message, String> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line);
        if read.map_err(|error| error.to_string())? == 0 {
            let status = self.child.wait().map_err(|error| error.to_string())?;
            return Err(format!("the process that draws statements ended: {status}"));
        }
        let message: Value =
            serde_json::from_str(&line).map_err(|error| format!("{error}: {line}"))?;
        if let Some(counts) = message.get("done") {
            return Ok(Message::Done(counts.clone()));
        }
        let smallest = message.get("duckdb").and_then(Value::as_str);
        Ok(Message::Asked {
            number: message["number"].as_u64().unwrap_or_default(),
            case: Box::new(Case::from_json(&message["case"])?),
            smallest: smallest.map(str::to_owned),
        })
    }

    /// # Errors
    /// When the process ended.
    pub(super) fn answer(&mut self, difference: Option<(&str, &str)>) -> Result<(), String> {
        let answer = match difference {
            None => json!({ "kind": null }),
            Some((kind, text)) => json!({ "kind": kind, "text": text }),
        };
        writeln!(self.input, "{answer}").map_err(|error| error.to_string())
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
