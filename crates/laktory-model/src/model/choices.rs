//! The enumerated words of the language. Any letter case is accepted (R-MODEL-4).

use crate::decode::choice;

choice! {
    /// Which dataframe API method steps use.
    #[derive(Default)]
    DataFrameApi ["dataframe API"] {
        /// The common API, the same on every engine.
        #[default]
        Narwhals = "NARWHALS",
        /// The engine's own.
        Native = "NATIVE",
    }
}

choice! {
    /// How a sink treats what its target holds already.
    WriteMode ["write mode"] {
        /// Replaces it.
        Overwrite = "OVERWRITE",
        /// Adds to it.
        Append = "APPEND",
        /// Leaves it alone and writes nothing.
        Ignore = "IGNORE",
        /// Refuses to write.
        Error = "ERROR" | "ERRORIFEXISTS",
        /// Rewrites the whole result of a stream.
        Complete = "COMPLETE",
        /// Writes the changed rows of a stream.
        Update = "UPDATE",
        /// Merges changes by key, as `merge_cdc_options` say.
        Merge = "MERGE",
    }
}

choice! {
    /// What happens to rows, or the run, when an expectation fails.
    #[derive(Default)]
    Action ["action of an expectation"] {
        /// A warning; rows stay.
        #[default]
        Warn = "WARN" | "ALLOW",
        /// Failing rows are left out.
        Drop = "DROP",
        /// Failing rows go to the quarantine sinks.
        Quarantine = "QUARANTINE",
        /// The run stops.
        Fail = "FAIL",
    }
}

choice! {
    /// What becomes of the rows that fail `QUARANTINE` rules.
    #[derive(Default)]
    QuarantinedRows ["treatment of quarantined rows"] {
        /// They go to the sinks with `is_quarantine: true`, of which there must be one.
        #[default]
        Keep = "KEEP",
        /// They are counted and thrown away.
        Discard = "DISCARD",
    }
}

choice! {
    /// What an expectation judges.
    #[derive(Default)]
    ExpectationType ["type of expectation"] {
        /// Each row.
        #[default]
        Row = "ROW",
        /// The frame as a whole.
        Aggregate = "AGGREGATE",
    }
}

choice! {
    /// How a full refresh empties a target.
    #[derive(Default)]
    ResetMode ["reset mode"] {
        /// Removes it.
        #[default]
        Drop = "DROP",
        /// Removes its rows.
        Truncate = "TRUNCATE",
    }
}

choice! {
    /// What a table sink makes.
    #[derive(Default)]
    TableType ["table type"] {
        /// A table.
        #[default]
        Table = "TABLE",
        /// A view.
        View = "VIEW",
    }
}

choice! {
    /// The language of a column expression.
    ExprType ["expression type"] {
        /// SQL.
        Sql = "SQL",
        /// A dataframe expression such as `nw.col('x') > 0`.
        Df = "DF",
    }
}
