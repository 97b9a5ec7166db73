//! The table after a run: a line for each node.

use laktory::exec::{MergeReport, NodeReport, OutputReport, RunReport};
use laktory::syntax::visible;
use laktory::table::{Column, DEFAULT_WIDTH, Grid, Style, wrapped};

use crate::out;

/// The summary of a run as text, as wide as standard error.
pub(crate) fn render(report: &RunReport) -> String {
    let width = out::error_width().unwrap_or_else(|| usize::from(DEFAULT_WIDTH));
    render_in(report, width)
}

fn render_in(report: &RunReport, width: usize) -> String {
    let mut grid = counts(report);
    let outputs: Vec<String> = report.nodes.iter().map(outputs).collect();
    let mut text = String::new();
    if outputs.iter().any(|outputs| !outputs.is_empty()) {
        let mut whole = grid.clone();
        whole.columns.push(Column {
            header: vec!["outputs".to_owned()],
            ..Column::default()
        });
        for (row, outputs) in whole.rows.iter_mut().zip(&outputs) {
            row.push(outputs.clone());
        }
        let (table, left) = whole.draw(Some(width));
        if left.columns.is_empty() && !left.cut {
            text = table;
        }
    }
    if text.is_empty() {
        grid.columns[0].text = true;
        text = grid.render(Some(width));
        // Paths have lines of their own: there is no room for them in the table.
        for (node, outputs) in report.nodes.iter().zip(&outputs) {
            for output in outputs.lines() {
                let line = format!("  {} -> {output}", visible(&node.name));
                text.push('\n');
                text.push_str(&wrapped(&line, Some(width), "    "));
            }
        }
    }
    let totals = report.totals();
    let end = format!(
        "{} {}: {} of {} nodes in {:.3} s",
        visible(&report.pipeline),
        report.status.name(),
        totals.nodes_succeeded,
        totals.nodes,
        report.seconds
    );
    format!("{text}\n{}", wrapped(&end, Some(width), "  "))
}

/// Rows of each node: what it read, what its steps made of that, what its rules removed, and what stayed.
fn counts(report: &RunReport) -> Grid {
    let column = |header: &[&str], rank, right| Column {
        header: header.iter().map(|&line| line.to_owned()).collect(),
        name: header.join(" "),
        rank,
        right,
        ..Column::default()
    };
    let removed = |action, rows: fn(&NodeReport) -> u64| {
        report.nodes.iter().any(|node| {
            rows(node) > 0 || node.expectations.iter().any(|rule| rule.action == action)
        })
    };
    // Columns of rules that no node has would be empty.
    let dropped = removed("DROP", |node| node.rows_dropped);
    let quarantined = removed("QUARANTINE", |node| node.rows_quarantined);
    let mut columns = vec![
        column(&["node"], 0, false),
        column(&["status"], 1, false),
        column(&["read"], 2, true),
        column(&["after", "steps"], 3, true),
    ];
    if dropped {
        columns.push(column(&["dropped"], 2, true));
    }
    if quarantined {
        columns.push(column(&["quarantined"], 2, true));
    }
    columns.push(column(&["out"], 1, true));
    columns.push(column(&["seconds"], 4, true));
    let rows = report.nodes.iter().map(|node| {
        let mut row = vec![
            visible(&node.name).into_owned(),
            node.status.name().to_owned(),
            count(node.rows_read),
            count(node.rows_in),
        ];
        // Of a node that did not come to its rules, nothing is known.
        let judged = |rows| count(node.rows_in.map(|_| rows));
        if dropped {
            row.push(judged(node.rows_dropped));
        }
        if quarantined {
            row.push(judged(node.rows_quarantined));
        }
        row.push(count(node.rows_out));
        row.push(format!("{:.3}", node.seconds));
        row
    });
    Grid {
        rows: rows.collect(),
        columns,
        style: Style::Plain,
    }
}

fn outputs(node: &NodeReport) -> String {
    let outputs: Vec<String> = node
        .outputs
        .iter()
        .map(|output| output_line(node, output))
        .collect();
    outputs.join("\n")
}

/// A target, with its rows where they are not those that the node put out, and its bytes.
fn output_line(node: &NodeReport, output: &OutputReport) -> String {
    let path = visible(&output.path);
    if output.skipped {
        return format!("{path} (exists)");
    }
    let mut facts = Vec::new();
    if output.quarantine {
        facts.push("quarantined".to_owned());
    }
    if let Some(merge) = &output.merge {
        facts.extend(merged(merge));
    } else if !output.quarantine && node.rows_out != Some(output.rows) && output.format != "VIEW" {
        facts.push(format!("{} rows", grouped(output.rows)));
    }
    facts.extend(output.bytes.map(bytes));
    match facts.is_empty() {
        true => path.into_owned(),
        false => format!("{path} ({})", facts.join(", ")),
    }
}

/// What became of changes: each kind that there is.
fn merged(merge: &MergeReport) -> Vec<String> {
    let kinds = [
        (merge.inserted, "inserted"),
        (merge.updated, "updated"),
        (merge.deleted, "deleted"),
        (merge.late, "late"),
        (merge.repeated, "repeated"),
        (merge.unchanged, "unchanged"),
    ];
    let told: Vec<String> = kinds
        .iter()
        .filter(|(rows, _)| *rows > 0)
        .map(|(rows, what)| format!("{} {what}", grouped(*rows)))
        .collect();
    match told.is_empty() {
        true => vec!["no changes".to_owned()],
        false => told,
    }
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

/// Rows in a second.
pub(crate) fn rate(rows: u64, seconds: f64) -> Option<u64> {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate for people"
    )]
    (seconds > 0.001).then(|| (rows as f64 / seconds) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use laktory::exec::Status;

    fn node(name: &str) -> NodeReport {
        NodeReport {
            name: name.to_owned(),
            backend: "POLARS".to_owned(),
            status: Status::Succeeded,
            rows_read: Some(80),
            rows_in: Some(77),
            rows_out: Some(77),
            rows_dropped: 0,
            rows_quarantined: 0,
            rows_discarded: 0,
            seconds: 0.25,
            outputs: vec![OutputReport {
                path: format!("./data/{name}.parquet"),
                format: "PARQUET".to_owned(),
                mode: "OVERWRITE".to_owned(),
                merge: None,
                quarantine: false,
                skipped: false,
                rows: 77,
                bytes: Some(12_345),
            }],
            expectations: Vec::new(),
            warnings: Vec::new(),
            error: None,
            error_kind: None,
        }
    }

    fn report(nodes: Vec<NodeReport>) -> RunReport {
        RunReport {
            version: 1,
            laktory: String::new(),
            pipeline: "pl-stock-prices".to_owned(),
            run_id: String::new(),
            started: String::new(),
            seconds: 1.5,
            status: Status::Succeeded,
            nodes,
        }
    }

    #[test]
    fn every_line_fits() {
        let mut quarantining = node("slv_stock_prices_of_the_whole_world");
        quarantining.rows_quarantined = 1_234_567;
        quarantining.rows_dropped = 1_234_567_890;
        let report = report(vec![node("brz_stock_prices"), quarantining]);
        for width in [40, 80, 120, 200] {
            let text = render_in(&report, width);
            for line in text.lines() {
                // A path stays whole.
                let fits = line.chars().count() <= width || !line.trim().contains(' ');
                assert!(fits, "{width}: {line}\n{text}");
            }
            assert!(text.contains("slv_stock_prices_of_the_whole_world.parquet"));
            assert!(width < 80 || text.contains("1,234,567,890"), "{text}");
        }
    }

    #[test]
    fn what_was_read_explains_what_came_out() {
        let text = render_in(&report(vec![node("slv")]), 100);
        assert!(
            text.contains(
                "slv    succeeded     80      77    77     0.250   ./data/slv.parquet (12.3 kB)"
            ),
            "{text}"
        );
        assert!(!text.contains("dropped"));
        assert!(text.ends_with("pl-stock-prices succeeded: 1 of 1 nodes in 1.500 s"));
    }

    #[test]
    fn numbers_are_grouped_and_sizes_rounded() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_500_000), "1.5 MB");
        assert_eq!(rate(100, 0.5), Some(200));
    }
}
