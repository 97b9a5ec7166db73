//! Differences for people.

use laktory_syntax::visible;

use super::compare::{Difference, Mark, RowsDifference};
use crate::table::{Column, Grid, Style};

/// What differs: a line or a table for each. `width` is in characters; nothing is left out without one.
#[must_use]
pub fn render(differences: &[Difference], width: Option<usize>) -> String {
    let parts: Vec<String> = (differences.iter())
        .map(|difference| match difference {
            Difference::Rows(rows) => table(rows, width),
            Difference::Other(text) => visible(text).into_owned(),
        })
        .collect();
    parts.join("\n")
}

fn table(rows: &RowsDifference, width: Option<usize>) -> String {
    let plain = |header: &str, right: bool| Column {
        header: vec![header.to_owned()],
        name: header.to_owned(),
        right,
        ..Column::default()
    };
    let mut columns = vec![plain("", false), plain("row", true)];
    for (index, (name, dtype)) in rows.columns.iter().enumerate() {
        let differs = rows.rows.iter().any(|row| row.cells[index].differs);
        columns.push(Column {
            header: vec![
                visible(name).into_owned(),
                "---".to_owned(),
                visible(dtype).into_owned(),
            ],
            name: name.clone(),
            text: true,
            // What differs is shown before what does not.
            rank: u8::from(!differs),
            ..Column::default()
        });
    }
    let cells = rows.rows.iter().map(|row| {
        let mark = match row.mark {
            Mark::Differs => "~",
            Mark::Missing => "-",
            Mark::Unexpected => "+",
        };
        let number = row.row.map_or(String::new(), |row| row.to_string());
        let mut cells = vec![mark.to_owned(), number];
        cells.extend(row.cells.iter().map(|cell| {
            match (&cell.expected, &cell.found) {
                (Some(expected), Some(found)) if cell.differs => format!("{expected} → {found}"),
                (expected, found) => expected
                    .as_ref()
                    .or(found.as_ref())
                    .cloned()
                    .unwrap_or_default(),
            }
        }));
        cells
    });
    let grid = Grid {
        columns,
        rows: cells.collect(),
        style: Style::Columns,
    };
    let has = |mark: Mark| rows.rows.iter().any(|row| row.mark == mark);
    let legend: Vec<&str> = [
        (Mark::Differs, "~ other values: expected → found"),
        (Mark::Missing, "- missing"),
        (Mark::Unexpected, "+ not expected"),
    ]
    .into_iter()
    .filter_map(|(mark, text)| has(mark).then_some(text))
    .collect();
    let more = match rows.more {
        0 => String::new(),
        more => format!("\nand {more} more rows that differ"),
    };
    format!(
        "{}: {} expected, {} found   ({})\n{}{more}",
        rows.of,
        counted(rows.expected),
        rows.found,
        legend.join("; "),
        grid.render(width)
    )
}

fn counted(rows: usize) -> String {
    match rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    }
}
