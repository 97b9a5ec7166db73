//! The table after a run: a line for each node.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use laktory::exec::{NodeReport, RunReport, Status};

/// The summary of a run as text.
pub(crate) fn render(report: &RunReport) -> String {
    let mut table = Table::new();
    table
        .load_preset(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    table.set_header([
        "node",
        "status",
        "rows in",
        "rows out",
        "dropped",
        "quarantined",
        "seconds",
        "outputs",
    ]);
    for node in &report.nodes {
        table.add_row([
            Cell::new(&node.name),
            Cell::new(node.status.name()),
            right(count(node.rows_in)),
            right(count(node.rows_out)),
            right(grouped(node.rows_dropped)),
            right(grouped(node.rows_quarantined)),
            right(format!("{:.3}", node.seconds)),
            Cell::new(outputs(node)),
        ]);
    }
    let done = report
        .nodes
        .iter()
        .filter(|node| node.status == Status::Succeeded)
        .count();
    format!(
        "{table}\n{} {}: {done} of {} nodes in {:.3} s\n",
        report.pipeline,
        report.status.name(),
        report.nodes.len(),
        report.seconds
    )
}

fn outputs(node: &NodeReport) -> String {
    let outputs: Vec<String> = node
        .outputs
        .iter()
        .map(|output| {
            let path = &output.path;
            match output.bytes {
                _ if output.skipped => format!("{path} (exists)"),
                Some(written) => format!("{path} ({})", bytes(written)),
                None => path.clone(),
            }
        })
        .collect();
    outputs.join("\n")
}

fn count(rows: Option<u64>) -> String {
    rows.map_or_else(|| "-".to_owned(), grouped)
}

/// A number with a separator between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in bytes, kB, MB or GB (powers of 1,000).
pub(crate) fn bytes(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
    let value = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.2} GB", value / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_sizes_rounded() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_500_000), "1.5 MB");
    }
}
