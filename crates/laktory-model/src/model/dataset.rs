//! Parts that table and file sinks share: merge options, sharing, metadata, table names.

use indexmap::IndexMap;

use crate::decode::object;
use crate::model::DataFrameApi;

object! {
    /// How changes are merged into a target (`mode: MERGE`).
    object MergeCdcOptions ["merge options object"] {
        /// Columns that identify a row; those of the node when absent.
        primary_keys: Option<Vec<String>>;
        /// 1 keeps the current row, 2 keeps its history.
        scd_type: i64 = 1;
        /// Column that orders changes.
        order_by: Option<String>;
        /// SQL condition of rows that are deletes.
        delete_where: Option<String>;
        /// The columns to store besides the keys.
        include_columns: Option<Vec<String>>;
        /// Columns not to store.
        exclude_columns: Option<Vec<String>>;
        /// A null in a change keeps the stored value (type 1).
        ignore_null_updates: bool;
        /// Null keys match null keys.
        null_equals_null: bool;
        /// Column for the start of a version (type 2).
        start_at_column_name: String = "__start_at".to_owned();
        /// Column for the end of a version (type 2).
        end_at_column_name: String = "__end_at".to_owned();
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

object! {
    /// Several writers on one target. `shared: true` takes the defaults.
    object SharedOptions ["shared options object"] {
        /// Identity of this writer; `<pipeline>.<node>` when absent.
        writer_id: Option<String>;
        /// Column that holds it; `_laktory_writer` when absent.
        column: Option<String>;
        /// SQL condition of this writer's rows, instead of a column.
        r#where: Option<String>;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

impl SharedOptions {
    /// The column that holds the writer's identity, when rows are told apart by one.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self.r#where {
            Some(_) => None,
            None => Some(self.column.as_deref().unwrap_or("_laktory_writer")),
        }
    }
}

object! {
    /// What a catalog says about a table.
    object TableMetadata ["table metadata object"] {
        /// Comment.
        comment: Option<String>;
        /// Owner.
        owner: Option<String>;
        /// Table properties.
        properties: IndexMap<String, String>;
        /// Tags; null for a tag without value.
        tags: IndexMap<String, Option<String>>;
        /// Columns with comments or tags.
        columns: Vec<ColumnMetadata>;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

object! {
    /// What a catalog says about a column.
    object ColumnMetadata ["column metadata object"] {
        /// Name of the column.
        name: String, required;
        /// Comment.
        comment: Option<String>;
        /// Tags; null for a tag without value.
        tags: IndexMap<String, Option<String>>;
    }
}

/// The parts of a table name, catalog first. Parts in `table` win over the others (R-TSRC-1); dots inside braces do not
/// split.
#[must_use]
pub fn full_table_name(catalog: Option<&str>, schema: Option<&str>, table: &str) -> String {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in table.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => {
                parts.push(&table[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&table[start..]);
    // Parts before the catalog are dropped.
    let mut own = parts.into_iter().rev();
    let table = own.next().unwrap_or(table);
    let schema = own.next().or(schema);
    let catalog = own.next().or(catalog);
    [catalog, schema, Some(table)]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_tsrc_1_dotted_table_names_win() {
        assert_eq!(full_table_name(Some("cc"), None, "b.c"), "cc.b.c");
        assert_eq!(full_table_name(Some("cc"), Some("s"), "t"), "cc.s.t");
        assert_eq!(full_table_name(None, Some("s"), "x.a.b.c"), "a.b.c");
        assert_eq!(
            full_table_name(None, None, "${vars.a.b}.t"),
            "${vars.a.b}.t"
        );
        assert_eq!(full_table_name(None, None, "t"), "t");
    }
}
