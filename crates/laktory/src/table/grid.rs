//! Tables that fit a terminal: whole columns are left out, long texts are cut, and both are said; a number is never
//! broken.

use std::borrow::Cow;

use comfy_table::presets::{UTF8_BORDERS_ONLY, UTF8_FULL_CONDENSED};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use laktory_syntax::visible;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

/// Width where there is no terminal, in characters.
pub const DEFAULT_WIDTH: u16 = 120;

/// A text is not cut below this width while whole columns can be left out instead.
const SHORTEST_TEXT: usize = 16;

/// Columns that are left out by name; of the others their number is told.
const MOST_NAMES: usize = 30;

/// Lines between the cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// A line between columns, for data.
    #[default]
    Columns,
    /// Lines around the table only, for summaries.
    Plain,
}

/// A column of a [`Grid`].
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Lines of the header.
    pub header: Vec<String>,
    /// Name in the note on columns that are left out.
    pub name: String,
    /// Whether cells stand at the right.
    pub right: bool,
    /// Whether cells are texts that may be cut; others are whole or left out.
    pub text: bool,
    /// Columns with a higher number are left out first; among equals the last one.
    pub rank: u8,
}

/// Columns and rows, drawn as wide as there is room.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// The columns.
    pub columns: Vec<Column>,
    /// A cell for each column; a cell may have several lines.
    pub rows: Vec<Vec<String>>,
    /// How it is drawn.
    pub style: Style,
}

/// What a drawn [`Grid`] does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Columns that are left out, by name.
    pub columns: Vec<String>,
    /// Whether texts were cut.
    pub cut: bool,
}

impl Grid {
    /// The table, and what it does not show. `width` is in characters; nothing is left out without one.
    #[must_use]
    pub fn draw(&self, width: Option<usize>) -> (String, Left) {
        let cells = self.cell_widths();
        let natural: Vec<usize> = (self.columns.iter().zip(&cells))
            .map(|(column, &cells)| cells.max(widest(column.header.iter().map(String::as_str))))
            .collect();
        let widths = match width {
            Some(width) => self.fitted(&natural, &cells, width),
            None => natural.iter().copied().map(Some).collect(),
        };
        let mut left = Left::default();
        for (column, width) in self.columns.iter().zip(&widths) {
            if width.is_none() {
                left.columns.push(column.name.clone());
            }
        }
        let mut table = Table::new();
        table
            .load_preset(match self.style {
                Style::Columns => UTF8_FULL_CONDENSED,
                Style::Plain => UTF8_BORDERS_ONLY,
            })
            .set_content_arrangement(ContentArrangement::Disabled);
        let mut cell = |text: &str, width: usize, right: bool| {
            let lines: Vec<_> = text.split('\n').map(|line| cut(line, width)).collect();
            left.cut |= lines.iter().any(|line| matches!(line, Cow::Owned(_)));
            let cell = Cell::new(lines.join("\n"));
            if right {
                cell.set_alignment(CellAlignment::Right)
            } else {
                cell
            }
        };
        let shown: Vec<(usize, &Column, usize)> = self
            .columns
            .iter()
            .enumerate()
            .filter_map(|(index, column)| Some((index, column, widths[index]?)))
            .collect();
        table.set_header(
            shown
                .iter()
                .map(|(_, column, width)| cell(&column.header.join("\n"), *width, column.right)),
        );
        for row in &self.rows {
            table.add_row(
                shown
                    .iter()
                    .map(|(index, column, width)| cell(&row[*index], *width, column.right)),
            );
        }
        (table.to_string(), left)
    }

    /// The table with lines below it that tell what it does not show.
    #[must_use]
    pub fn render(&self, width: Option<usize>) -> String {
        let (mut text, left) = self.draw(width);
        for note in left.notes() {
            text.push('\n');
            text.push_str(&wrapped(&note, width, "    "));
        }
        text
    }

    /// The widest line of each column's cells.
    fn cell_widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.columns.len()];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(widest(cell.split('\n')));
            }
        }
        widths
    }

    /// The width of each column; none for those that are left out.
    fn fitted(&self, natural: &[usize], cells: &[usize], width: usize) -> Vec<Option<usize>> {
        // What a column needs at least. A header is cut like a text: it may be far wider than what stands below it.
        let least: Vec<usize> = (self.columns.iter().zip(natural).zip(cells))
            .map(|((column, &natural), &cells)| match column.text {
                true => natural.min(SHORTEST_TEXT),
                false => cells.max(natural.min(SHORTEST_TEXT)),
            })
            .collect();
        let mut kept: Vec<usize> = (0..self.columns.len()).collect();
        kept.sort_by_key(|&index| (self.columns[index].rank, index));
        let mut needed: usize = least.iter().sum();
        let room = |columns: usize| width.saturating_sub(frame(columns));
        while kept.len() > 1 && needed > room(kept.len()) {
            let Some(last) = kept.pop() else { break };
            needed -= least[last];
        }
        self.shared(natural, &least, &kept, room(kept.len()))
    }

    /// Gives the texts among the kept columns what room is left, evenly.
    fn shared(
        &self,
        natural: &[usize],
        least: &[usize],
        kept: &[usize],
        room: usize,
    ) -> Vec<Option<usize>> {
        let mut widths = vec![None; natural.len()];
        let mut used = 0;
        for &index in kept {
            widths[index] = Some(least[index]);
            used += least[index];
        }
        if let [only] = kept
            && used > room
            && self.columns[*only].text
        {
            widths[*only] = Some(room.max(1));
        }
        let mut spare = room.saturating_sub(used);
        // Each turn fills at least one column, or shares out what is left one by one.
        while spare > 0 {
            let hungry: Vec<usize> = kept
                .iter()
                .copied()
                .filter(|&index| widths[index].is_some_and(|width| width < natural[index]))
                .collect();
            if hungry.is_empty() {
                break;
            }
            let share = (spare / hungry.len()).max(1);
            for index in hungry {
                let Some(width) = &mut widths[index] else {
                    continue;
                };
                let more = share.min(natural[index] - *width).min(spare);
                *width += more;
                spare -= more;
            }
        }
        widths
    }
}

impl Left {
    /// A line for each kind of thing that is not shown.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.columns.is_empty() {
            let count = self.columns.len();
            let named = self.columns.iter().take(MOST_NAMES);
            let mut names: Vec<String> = named.map(|name| format!("`{}`", visible(name))).collect();
            if count > MOST_NAMES {
                names.push(format!("and {} more", count - MOST_NAMES));
            }
            let columns = if count == 1 { "column" } else { "columns" };
            notes.push(format!(
                "... {count} {columns} left out: {}",
                names.join(", ")
            ));
        }
        if self.cut {
            notes.push("... texts that end in `…` are cut".to_owned());
        }
        notes
    }
}

/// Characters that the lines around `columns` cells take; between columns it is a blank where no line is drawn.
fn frame(columns: usize) -> usize {
    3 * columns + 1
}

fn widest<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    lines.map(UnicodeWidthStr::width).max().unwrap_or(0)
}

/// The text in at most `width` characters, with an ellipsis where something is missing.
fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let mut used = 0;
    let kept = text.chars().take_while(|letter| {
        used += letter.width().unwrap_or(0);
        used < width
    });
    let mut short: String = kept.collect();
    short.push('…');
    Cow::Owned(short)
}

/// The text in lines of at most `width` characters, broken at spaces and after commas; lines after the first begin with
/// `indent`. A word that is longer stays whole.
#[must_use]
pub fn wrapped(text: &str, width: Option<usize>, indent: &str) -> String {
    let Some(width) = width else {
        return text.to_owned();
    };
    let mut lines = String::with_capacity(text.len());
    let mut used = 0;
    for word in text.split_inclusive([' ', ',']) {
        let length = word.trim_end().width();
        if used > indent.width() && used + length > width {
            lines.truncate(lines.trim_end_matches(' ').len());
            lines.push('\n');
            lines.push_str(indent);
            used = indent.width();
        }
        lines.push_str(word);
        used += word.width();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(columns: &[(&str, bool)], row: &[&str]) -> Grid {
        Grid {
            columns: columns
                .iter()
                .map(|(name, text)| Column {
                    header: vec![(*name).to_owned()],
                    name: (*name).to_owned(),
                    text: *text,
                    ..Column::default()
                })
                .collect(),
            rows: vec![row.iter().map(|cell| (*cell).to_owned()).collect()],
            style: Style::Columns,
        }
    }

    fn widest(text: &str) -> usize {
        super::widest(text.lines())
    }

    #[test]
    fn what_fits_stays_whole() {
        let grid = grid(&[("a", true), ("b", false)], &["some text", "1"]);
        let (text, left) = grid.draw(Some(80));
        assert!(text.contains("│ some text ┆ 1 │"), "{text}");
        assert_eq!(left, Left::default());
    }

    #[test]
    fn texts_are_cut_before_columns_are_left_out() {
        let long = "x".repeat(100);
        let grid = grid(&[("a", true), ("n", false)], &[&long, "42949672"]);
        let text = grid.render(Some(40));
        assert!(text.contains("x… ┆ 42949672 │"), "{text}");
        assert!(
            text.ends_with("... texts that end in `…` are cut"),
            "{text}"
        );
        assert_eq!(widest(text.split("\n...").next().unwrap()), 40);
    }

    #[test]
    fn numbers_are_whole_or_left_out() {
        let names: Vec<String> = (0..12).map(|index| format!("column_{index}")).collect();
        let columns: Vec<(&str, bool)> = names.iter().map(|name| (name.as_str(), false)).collect();
        let row = vec!["9223372036854775807"; 12];
        for width in [10, 30, 80, 120, 200] {
            let (text, left) = grid(&columns, &row).draw(Some(width));
            let shown = text.matches("9223372036854775807").count();
            assert_eq!(shown + left.columns.len(), 12);
            assert!(widest(&text) <= width.max(23), "{text}");
            assert!(!left.cut);
        }
        let note = grid(&columns, &row).render(Some(80));
        assert!(
            note.contains("... 9 columns left out: `column_3`,"),
            "{note}"
        );
        assert!(widest(&note) <= 80);
    }

    #[test]
    fn wide_letters_count_twice() {
        let text = "東京".repeat(40);
        let (table, left) = grid(&[("a", true)], &[&text]).draw(Some(30));
        assert!(widest(&table) <= 30, "{table}");
        assert!(left.cut);
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrapped("aa bb cc", Some(5), "  "), "aa bb\n  cc");
        assert_eq!(wrapped("aaaaaaaa b", Some(5), " "), "aaaaaaaa\n b");
        assert_eq!(wrapped("a(b,cd)", Some(4), ""), "a(b,\ncd)");
        assert_eq!(wrapped("aa bb cc", None, "  "), "aa bb cc");
    }
}
