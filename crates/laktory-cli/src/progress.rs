//! Progress on a terminal: a line for each running node, one for each that is done, and a bar for the whole.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use laktory::exec::{Event, NodeReport, Observer};
use laktory::syntax::visible;

use crate::out;
use crate::summary::{bytes, grouped, rate};

/// How often clocks move.
const TICK: Duration = Duration::from_millis(120);

/// Draws on standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    bars: MultiProgress,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: Option<ProgressBar>,
    running: HashMap<String, Running>,
    /// Rows that were read, as far as they are known.
    read: u64,
    began: Option<Instant>,
}

/// Lines above the bars.
#[derive(Clone, Debug)]
pub(crate) struct Lines(MultiProgress);

impl Lines {
    pub(crate) fn add(&self, line: &str) {
        // A terminal that went away cannot be told.
        let _ = self.0.println(shown(line));
    }
}

/// A node that runs.
#[derive(Debug)]
struct Running {
    line: ProgressBar,
    /// Rows in what it reads, as far as they are known.
    rows: u64,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            bars: MultiProgress::new(),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, nodes: usize) {
        let bar = self.bars.add(ProgressBar::new(nodes as u64));
        if let Ok(style) =
            ProgressStyle::with_template("{bar:24.cyan/dim} {pos}/{len} nodes{msg}  {elapsed}")
        {
            bar.set_style(style);
        }
        // From now on, and without waiting for a node to end.
        bar.tick();
        bar.enable_steady_tick(TICK);
        let mut state = self.state();
        state.total = Some(bar);
        state.began = Some(Instant::now());
    }

    fn spin(&self, node: &str) {
        let mut state = self.state();
        let spinner = match &state.total {
            Some(total) => self.bars.insert_before(total, ProgressBar::new_spinner()),
            None => self.bars.add(ProgressBar::new_spinner()),
        };
        // The wide part is cut at the edge of the terminal.
        if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {wide_msg} {elapsed:.dim}")
        {
            spinner.set_style(style);
        }
        spinner.set_message(shown(node));
        spinner.enable_steady_tick(TICK);
        let running = Running {
            line: spinner,
            rows: 0,
        };
        state.running.insert(node.to_owned(), running);
    }

    fn tell(&self, node: &str, message: &str) {
        if let Some(running) = self.state().running.get(node) {
            let rows = match running.rows {
                0 => String::new(),
                rows => format!("{} rows, ", grouped(rows)),
            };
            running
                .line
                .set_message(shown(&format!("{node}  {rows}{message}")));
        }
    }

    fn read(&self, node: &str, rows: u64) {
        if let Some(running) = self.state().running.get_mut(node) {
            running.rows += rows;
        }
        self.tell(node, "computing");
    }

    fn done(&self, node: &str, line: &str) {
        let running = self.state().running.remove(node);
        if let Some(Running { line, .. }) = running {
            line.finish_and_clear();
            self.bars.remove(&line);
        }
        self.line(line);
        if let Some(total) = &self.state().total {
            total.inc(1);
        }
    }

    fn line(&self, line: &str) {
        self.lines().add(line);
    }

    /// The way to add lines from elsewhere.
    pub(crate) fn lines(&self) -> Lines {
        Lines(self.bars.clone())
    }

    fn count(&self, report: &NodeReport) {
        let mut state = self.state();
        state.read += report.rows_read.unwrap_or(0);
        let (Some(total), Some(began)) = (&state.total, state.began) else {
            return;
        };
        if state.read > 0 {
            let rate = rate(state.read, began.elapsed().as_secs_f64());
            let rate = rate.map_or_else(String::new, |rate| format!(", {}/s", grouped(rate)));
            total.set_message(format!("  {} rows read{rate}", grouped(state.read)));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(total) = self.state().total.take() {
            total.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn on(&self, event: &Event) {
        match event {
            Event::RunStarted { nodes, .. } => self.start(nodes.len()),
            Event::NodeStarted { node } => self.spin(node),
            Event::Reading { node, source, .. } => self.tell(node, &format!("reading {source}")),
            Event::Read {
                node,
                rows: Some(rows),
                ..
            } => self.read(node, *rows),
            Event::Writing { node, path, .. } => self.tell(node, &format!("writing {path}")),
            Event::Warning { message, .. } => self.line(&format!("! {message}")),
            Event::NodeFinished { report } => {
                self.count(report);
                self.done(&report.name, &finished(report));
            }
            Event::NodeFailed { node, .. } => self.done(node, &format!("✗ {node} failed")),
            Event::NodeInterrupted { node } => self.done(node, &format!("- {node} interrupted")),
            Event::NodeSkipped { node, reason } => {
                self.done(node, &format!("- {node} skipped: {reason}"));
            }
            _ => {}
        }
    }
}

/// A line as it may stand on a terminal: without what is kept back, and without anything that a terminal would obey.
fn shown(line: &str) -> String {
    out::hidden(&visible(line))
}

fn finished(report: &NodeReport) -> String {
    let mut line = format!("✓ {}", report.name);
    if let Some(rows) = report.rows_out {
        line.push_str(&format!("  {} rows", grouped(rows)));
    }
    let written = report.outputs.iter().filter_map(|output| output.bytes);
    if let Some(written) = written.reduce(|a, b| a + b) {
        line.push_str(&format!("  {}", bytes(written)));
    }
    line.push_str(&format!("  {:.2} s", report.seconds));
    let rows = report.rows_read.or(report.rows_in);
    if let Some(rate) = rows.and_then(|rows| rate(rows, report.seconds)) {
        line.push_str(&format!("  {} rows/s", grouped(rate)));
    }
    line
}

#[cfg(test)]
mod tests {
    use laktory::core::Secrets;

    use super::*;

    #[test]
    fn lines_hold_no_secret_and_no_order_to_the_terminal() {
        let mut secrets = Secrets::new();
        secrets.add("hush-hush");
        out::hide(&secrets);
        assert_eq!(
            shown("reading s3://me:pass@h/hush-hush\u{1b}[2J"),
            "reading s3://me:***@h/***\\u{1b}[2J"
        );
    }
}
