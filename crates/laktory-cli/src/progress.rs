//! Progress on a terminal: a spinner for each running node, and a line for each one that is done.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use laktory::exec::{Event, NodeReport, Observer};

use crate::summary::{bytes, grouped};

/// Draws on standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    bars: MultiProgress,
    total: Mutex<Option<ProgressBar>>,
    running: Mutex<HashMap<String, ProgressBar>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            bars: MultiProgress::new(),
            total: Mutex::new(None),
            running: Mutex::new(HashMap::new()),
        }
    }

    fn start(&self, nodes: usize) {
        let bar = self.bars.add(ProgressBar::new(nodes as u64));
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30.cyan/dim} {pos}/{len} nodes {elapsed}")
        {
            bar.set_style(style);
        }
        *self.total.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    fn spin(&self, node: &str) {
        let spinner = match &*self.total.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(total) => self.bars.insert_before(total, ProgressBar::new_spinner()),
            None => self.bars.add(ProgressBar::new_spinner()),
        };
        if let Ok(style) =
            ProgressStyle::with_template("{spinner:.cyan} {prefix} {wide_msg:.dim} {elapsed:.dim}")
        {
            spinner.set_style(style);
        }
        spinner.set_prefix(node.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(120));
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(node.to_owned(), spinner);
    }

    fn tell(&self, node: &str, message: String) {
        if let Some(bar) = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(node)
        {
            bar.set_message(message);
        }
    }

    fn done(&self, node: &str, line: &str) {
        let bar = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(node);
        if let Some(bar) = bar {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
        // A terminal that went away cannot be told.
        let _ = self.bars.println(line);
        if let Some(total) = &*self.total.lock().unwrap_or_else(PoisonError::into_inner) {
            total.inc(1);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(total) = self
            .total
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            total.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn on(&self, event: &Event) {
        match event {
            Event::RunStarted { nodes, .. } => self.start(nodes.len()),
            Event::NodeStarted { node } => self.spin(node),
            Event::Reading { node, source, .. } => self.tell(node, format!("reading {source}")),
            Event::Writing { node, path, .. } => self.tell(node, format!("writing {path}")),
            Event::Warning { message, .. } => {
                let _ = self.bars.println(format!("! {message}"));
            }
            Event::NodeFinished { report } => self.done(&report.name, &finished(report)),
            Event::NodeFailed { node, .. } => self.done(node, &format!("✗ {node} failed")),
            Event::NodeSkipped { node, reason } => {
                self.done(node, &format!("- {node} skipped: {reason}"));
            }
            _ => {}
        }
    }
}

fn finished(report: &NodeReport) -> String {
    let rows = report
        .rows_out
        .map_or_else(String::new, |rows| format!("  {} rows", grouped(rows)));
    let written = report.outputs.iter().filter_map(|output| output.bytes);
    let size = written
        .reduce(|a, b| a + b)
        .map_or_else(String::new, |written| format!("  {}", bytes(written)));
    format!("✓ {}{rows}{size}  {:.2} s", report.name, report.seconds)
}
