//! Log lines of a run, in the wording of the reference, as text or as JSON. To standard error.

use laktory::exec::{Event, Observer, Status};
use serde_json::{Map, Value};

use crate::out;
use crate::summary::{bytes, grouped};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// Nothing but errors, which are printed apart from the log.
    Quiet,
    /// What deserves attention.
    Warnings,
    /// What the user asked for happened.
    Normal,
    /// The time of each line, and the rows and bytes of each read and write.
    Verbose,
}

/// Prints events as lines `[laktory] ...`.
#[derive(Debug)]
pub(crate) struct TextLog(pub(crate) Detail);

/// Prints events as JSON objects, one a line.
#[derive(Debug)]
pub(crate) struct JsonLog(pub(crate) Detail);

/// Prints nothing.
#[derive(Debug)]
pub(crate) struct NoLog;

impl Observer for TextLog {
    fn on(&self, event: &Event) {
        // The summary has the end of the run, and the faults of nodes are printed with their places.
        let told_later = matches!(event, Event::RunFinished(_) | Event::NodeFailed { .. });
        if level(event) > self.0 || told_later && self.0 < Detail::Verbose {
            return;
        }
        let mut start = "[laktory] ".to_owned();
        if self.0 >= Detail::Verbose {
            start.push_str(&chrono::Local::now().format("%H:%M:%S%.3f ").to_string());
        }
        if matches!(event, Event::Warning { .. }) {
            start.push_str("WARNING | ");
        }
        let mut text = event.to_string();
        if self.0 >= Detail::Verbose {
            text.push_str(&amount(event));
        }
        let lines: Vec<String> = text
            .lines()
            .map(|line| match event {
                _ if line.is_empty() => String::new(),
                Event::Step { .. } if is_sql(line) => line.to_owned(),
                _ => format!("{start}{line}"),
            })
            .collect();
        // As one write, so that lines of nodes that run side by side do not mix.
        out::tell(&lines.join("\n"));
    }
}

/// What was read or written, for the end of a line.
fn amount(event: &Event) -> String {
    match event {
        Event::Read {
            rows: Some(rows), ..
        } => format!(" {} rows", grouped(*rows)),
        Event::Written { output, .. } if !output.skipped => {
            let size = output.bytes.map(|size| format!(", {}", bytes(size)));
            let rows = grouped(output.rows);
            format!(" {rows} rows{}", size.unwrap_or_default())
        }
        _ => String::new(),
    }
}

/// Whether a line of a step is part of its statement, rather than about it.
fn is_sql(line: &str) -> bool {
    let about = ["Executing DataFrame", "DataFrame as", "Applying df."];
    !about.iter().any(|start| line.starts_with(start))
}

impl Observer for JsonLog {
    fn on(&self, event: &Event) {
        if level(event) > self.0 {
            return;
        }
        let Ok(Value::Object(told)) = serde_json::to_value(event) else {
            return;
        };
        let time = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let mut line = Map::new();
        line.insert("time".to_owned(), time.into());
        line.insert("level".to_owned(), level_name(event).into());
        line.extend(told);
        out::tell_json(&line);
    }
}

impl Observer for NoLog {
    fn on(&self, _: &Event) {}
}

/// How much must be told for the event to be told.
fn level(event: &Event) -> Detail {
    match event {
        _ if event.is_warning() => Detail::Warnings,
        Event::RunFinished(totals) if totals.status != Status::Succeeded => Detail::Warnings,
        _ => Detail::Normal,
    }
}

/// The level in JSON lines.
fn level_name(event: &Event) -> &'static str {
    match event {
        Event::NodeFailed { .. } => "ERROR",
        Event::RunFinished(totals) if totals.status == Status::Failed => "ERROR",
        _ if level(event) == Detail::Warnings => "WARNING",
        _ => "INFO",
    }
}
