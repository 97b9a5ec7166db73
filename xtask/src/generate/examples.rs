//! Examples as readers see them: small tables of text.

use serde_json::Value;

use super::page::{list, text};

/// A table of an example: its title and its lines.
struct Table(String, Vec<Vec<String>>);

impl Table {
    fn of(title: &str, columns: &Value) -> Self {
        let columns: Vec<&Value> = list(columns).collect();
        let height = columns
            .iter()
            .map(|column| list(&column["values"]).count())
            .max()
            .unwrap_or(0);
        let mut lines = vec![
            columns
                .iter()
                .map(|column| text(&column["name"]).to_owned())
                .collect::<Vec<_>>(),
        ];
        for row in 0..height {
            let values = columns
                .iter()
                .map(|column| text(&column["values"][row]).to_owned());
            lines.push(values.collect());
        }
        Self(title.to_owned(), lines)
    }

    /// Its lines, each as wide as the widest.
    fn lines(&self) -> Vec<String> {
        let count = self.1.first().map_or(0, Vec::len);
        let width = |at: usize| {
            let cells = self.1.iter().filter_map(|line| line.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..count).map(width).collect();
        let mut lines = vec![self.0.clone()];
        lines.extend(self.1.iter().map(|line| {
            let cells = line.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            cells.join("  ")
        }));
        let widest = lines.iter().map(|line| line.chars().count()).max();
        let widest = widest.unwrap_or(0);
        lines
            .into_iter()
            .map(|line| format!("{line:<widest$}"))
            .collect()
    }
}

/// The frames of an example beside what comes of them.
pub(super) fn frames(example: &Value) -> String {
    let mut tables: Vec<Table> = list(&example["given"])
        .map(|frame| Table::of(&format!("{{{}}}", text(&frame["name"])), &frame["columns"]))
        .collect();
    tables.push(Table::of("->", &example["gives"]));
    let blocks: Vec<Vec<String>> = tables.iter().map(Table::lines).collect();
    let height = blocks.iter().map(Vec::len).max().unwrap_or(0);
    let lines: Vec<String> = (0..height)
        .map(|at| {
            let parts = blocks.iter().map(|block| {
                let width = block.first().map_or(0, |line| line.chars().count());
                let line = block.get(at).map_or("", String::as_str);
                format!("{line:<width$}")
            });
            let parts: Vec<String> = parts.collect();
            parts.join("     ").trim_end().to_owned()
        })
        .collect();
    format!("```text\n{}\n```", lines.join("\n"))
}

/// The columns of an expression's example and its values, one below the other.
pub(super) fn columns(example: &Value) -> String {
    let row = |name: String, column: &Value| {
        let values = list(&column["values"]).map(|value| text(value).to_owned());
        (name, values.collect::<Vec<_>>())
    };
    let given = list(&example["given"]).flat_map(|frame| list(&frame["columns"]));
    let mut rows: Vec<(String, Vec<String>)> = given
        .map(|column| row(text(&column["name"]).to_owned(), column))
        .collect();
    rows.extend(list(&example["gives"]).map(|column| {
        let name = format!("-> {}", text(&column["name"]));
        row(name.trim_end().to_owned(), column)
    }));
    let name_width = rows.iter().map(|(name, _)| name.chars().count()).max();
    let name_width = name_width.unwrap_or(0);
    let count = rows
        .iter()
        .map(|(_, values)| values.len())
        .max()
        .unwrap_or(0);
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|(_, values)| values.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let lines: Vec<String> = rows
        .iter()
        .map(|(name, values)| {
            let cells = values.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            let line = format!("# {name:<name_width$}  {}", cells.join("  "));
            line.trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

/// An example on one line: `x = 1, null` and `2, null` as `1 → 2, null → null`.
pub(super) fn line(example: &Value) -> String {
    let given: Vec<&Value> = list(&example["given"])
        .flat_map(|frame| list(&frame["columns"]))
        .collect();
    let gives: Vec<&str> = list(&example["gives"][0]["values"]).map(text).collect();
    match given.as_slice() {
        [] => format!("`{}`", gives.join(", ")),
        [one] => {
            let values: Vec<&str> = list(&one["values"]).map(text).collect();
            if values.len() == gives.len() && values.len() > 1 {
                let pairs = values.iter().zip(&gives);
                let pairs: Vec<String> = pairs
                    .map(|(value, gives)| format!("`{value}` → `{gives}`"))
                    .collect();
                return pairs.join(", ");
            }
            format!("`{}` → `{}`", values.join(", "), gives.join(", "))
        }
        several => {
            let columns: Vec<String> = several
                .iter()
                .map(|column| {
                    let values: Vec<&str> = list(&column["values"]).map(text).collect();
                    format!("`{}` = `{}`", text(&column["name"]), values.join(", "))
                })
                .collect();
            format!("{} → `{}`", columns.join("; "), gives.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn example() -> Value {
        json!({
            "given": [{"name": "df", "columns": [{"name": "x", "values": ["1", "null"]}]}],
            "gives": [{"name": "", "values": ["10", "null"]}],
        })
    }

    #[test]
    fn examples_are_tables() {
        assert_eq!(columns(&example()), "# x   1   null\n# ->  10  null");
        assert_eq!(line(&example()), "`1` → `10`, `null` → `null`");
        assert_eq!(
            frames(&example()),
            "```text\n{df}     ->\nx\n1        10\nnull     null\n```"
        );
    }
}
