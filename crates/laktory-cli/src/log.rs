//! Log lines of a run, in the wording of the reference, as text or as JSON. To standard error.

use std::io::Write as _;

use laktory::exec::{Event, Observer};

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// Nothing but errors, which are printed apart from the log.
    Quiet,
    /// What the user asked for happened.
    Normal,
    /// Every step and SQL statement too.
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
        if !shown(event, self.0) {
            return;
        }
        let mut stderr = anstream::stderr().lock();
        for line in event.to_string().lines() {
            // Nothing can be said when standard error is gone.
            let _ = match event {
                Event::Warning { .. } => writeln!(stderr, "[laktory] WARNING | {line}"),
                _ if line.is_empty() => writeln!(stderr),
                Event::Step { .. } if is_sql(line) => writeln!(stderr, "{line}"),
                _ => writeln!(stderr, "[laktory] {line}"),
            };
        }
    }
}

/// Whether a line of a step is part of its statement, rather than about it.
fn is_sql(line: &str) -> bool {
    let about = ["Executing DataFrame", "DataFrame as", "Applying df."];
    !about.iter().any(|start| line.starts_with(start))
}

impl Observer for JsonLog {
    fn on(&self, event: &Event) {
        if shown(event, self.0)
            && let Ok(line) = serde_json::to_string(event)
        {
            let _ = writeln!(anstream::stderr().lock(), "{line}");
        }
    }
}

impl Observer for NoLog {
    fn on(&self, _: &Event) {}
}

fn shown(event: &Event, detail: Detail) -> bool {
    match event {
        // The fault itself is printed with its place after the run.
        Event::NodeFailed { .. } => detail >= Detail::Verbose,
        _ => detail >= Detail::Normal,
    }
}
