//! Tables that keep a log: which files count, with which columns, in which version. A format of such tables is registered
//! like a driver; engines read and write its files, the format reads and writes the log.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::dtype::Field;
use crate::error::Result;
use crate::expr::{Expr, Scalar};
use crate::spec::{Format, OptionValue, Options};

inventory::collect!(TableFormatEntry);

/// Options of reading a table, named as Spark names them.
pub const READ_OPTIONS: &[&str] = &["timestampAsOf", "versionAsOf"];

/// Options of writing a table, beside those of its files, named as Spark names them where it has them.
pub const WRITE_OPTIONS: &[&str] = &[
    "mergeSchema",
    "overwriteSchema",
    "partitionBy",
    PARTITION_OVERWRITE_MODE,
    REPLACE_WHERE,
    "truncate_ns",
];

/// The option that lets an overwrite replace the partitions alone that get rows (`dynamic`).
pub const PARTITION_OVERWRITE_MODE: &str = "partitionOverwriteMode";

/// The option that lets an overwrite replace the rows alone that satisfy a condition.
pub const REPLACE_WHERE: &str = "replaceWhere";

/// Whether an overwrite with these options leaves rows of others in the table.
#[must_use]
pub fn replaces_a_part(options: &Options) -> bool {
    let is_dynamic = |value: &OptionValue| matches!(value, OptionValue::Text(mode) if mode.eq_ignore_ascii_case("dynamic"));
    options.contains_key(REPLACE_WHERE)
        || options
            .get(PARTITION_OVERWRITE_MODE)
            .is_some_and(is_dynamic)
}

/// A format of tables with a log. All of its methods, and those of its snapshots, block.
pub trait TableFormat: Send + Sync + fmt::Debug {
    /// The format.
    fn format(&self) -> Format;

    /// Crate that provides it, for messages.
    fn provided_by(&self) -> &'static str;

    /// Whether a folder holds a table, in whatever state.
    fn is_table(&self, folder: &Path) -> bool;

    /// The table in a folder, in the version that the options ask for, else in its newest one. A folder that does not exist, or
    /// holds no log, is a table without a version.
    ///
    /// # Errors
    /// `NotFound` for a version that is not kept; `InvalidArgument` for an option; `ConversionFailed` for a log that is torn;
    /// `Io`.
    fn open(&self, folder: &Path, options: &Options) -> Result<Arc<dyn TableSnapshot>>;

    /// The versions of the table in a folder that are still kept, the newest first.
    ///
    /// # Errors
    /// `ConversionFailed` for a log that is torn; `Io`.
    fn history(&self, folder: &Path) -> Result<Vec<TableVersion>>;
}

/// A version of a table, as its log tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableVersion {
    /// Its number.
    pub version: u64,
    /// When it was committed, in milliseconds since 1970 in UTC.
    pub time: i64,
    /// What was done.
    pub operation: String,
    /// The program that committed it.
    pub by: String,
}

impl TableVersion {
    /// A version, and what was done by whom.
    #[must_use]
    pub fn new(version: u64, time: i64, operation: String, by: String) -> Self {
        Self {
            version,
            time,
            operation,
            by,
        }
    }
}

/// One version of a table. It stays as it is, whatever is committed behind it.
pub trait TableSnapshot: Send + Sync + fmt::Debug {
    /// The version; none where there is no table yet.
    fn version(&self) -> Option<u64>;

    /// The number that the newest change of an application was committed with; none where it has changed nothing.
    fn last(&self, app: &str) -> Option<i64> {
        let _ = app;
        None
    }

    /// The columns, in the order of the log.
    fn columns(&self) -> Result<Vec<Field>>;

    /// The files that make up the table, and how their columns are named. Of a table whose rows go through a filter at once,
    /// files without a row that passes may be left out.
    ///
    /// # Errors
    /// `Unsupported`, naming a feature of the table that is not honoured, before a row is read.
    fn scan(&self, filter: Option<&Expr>) -> Result<TableScan>;

    /// For each file of a [scan](TableSnapshot::scan) without filter, in its order, the least and the greatest value of a column.
    /// None for a file that may hold a null there, or of which that is not certain; nothing at all where no file is known.
    fn bounds(&self, column: &str) -> Vec<Option<(Scalar, Scalar)>> {
        let _ = column;
        Vec::new()
    }

    /// What has to be written for a change by rows of such columns.
    ///
    /// # Errors
    /// `Unsupported` for a feature of the table, or a type that it cannot hold; `SchemaMismatch` for columns that do not fit;
    /// `InvalidArgument` for an option.
    fn plan(&self, change: &Change, columns: &[Field]) -> Result<Planned>;

    /// Makes the folder that of a table, before files are brought to it: whoever looks then finds one without a version.
    ///
    /// # Errors
    /// `Io`.
    fn begin(&self) -> Result<()>;

    /// Commits files that lie in the folder of the table, each under its name, for what was [planned](TableSnapshot::plan).
    /// Versions that others committed since are taken into account: an append comes behind them, an overwrite replaces them too.
    /// A merge was worked out for this version: where there is a newer one, nothing is committed, and it has been
    /// [overtaken](Committed::overtaken).
    ///
    /// # Errors
    /// `SchemaMismatch` and `Unsupported` where the table has become another meanwhile; `Io`. Nothing is committed then.
    fn commit(
        &self,
        change: &Change,
        planned: &Planned,
        files: &[WrittenFile],
    ) -> Result<Committed>;

    /// Who committed the versions that are still kept, other than this program.
    ///
    /// # Errors
    /// `Io`, and those of a torn log.
    fn others(&self) -> Result<Vec<String>>;

    /// Those of the names that no version of the table which is still kept has ever named.
    ///
    /// # Errors
    /// `Io`, and those of a torn log.
    fn unnamed(&self, names: &[String]) -> Result<Vec<String>>;
}

/// How the rows of a table are found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TableScan {
    /// The columns of the table, in their order, each with its name in the files.
    pub columns: Vec<TableColumn>,
    /// Names of the columns whose values the log has, and the files do not.
    pub partition_by: Vec<String>,
    /// The files.
    pub files: Vec<DataFile>,
}

impl TableScan {
    /// The files of a table.
    #[must_use]
    pub fn new(columns: Vec<TableColumn>, partition_by: Vec<String>, files: Vec<DataFile>) -> Self {
        Self {
            columns,
            partition_by,
            files,
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableColumn {
    /// Its name and type.
    pub field: Field,
    /// Its name in the files.
    pub stored: String,
}

/// A file of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// Values of the columns by which the table is partitioned, in their order, as text in the form of their type.
    pub partition: Vec<Option<String>>,
    /// Numbers of its rows that are deleted, in their order, from 0 on.
    pub deleted: Vec<u64>,
}

/// What the log of a table says of the files of a read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoggedFiles {
    /// Columns whose values are told here, and by nothing else.
    pub fields: Vec<Field>,
    /// For each file the values of these columns, as text in the form of their type.
    pub values: Vec<Vec<Option<String>>>,
    /// For each file the numbers of its rows that are deleted, in their order, from 0 on.
    pub deleted: Vec<Vec<u64>>,
}

impl LoggedFiles {
    /// Values of columns, and deleted rows, for each file of a read.
    #[must_use]
    pub fn new(
        fields: Vec<Field>,
        values: Vec<Vec<Option<String>>>,
        deleted: Vec<Vec<u64>>,
    ) -> Self {
        Self {
            fields,
            values,
            deleted,
        }
    }

    /// The rows of the file `at` that are deleted.
    #[must_use]
    pub fn deleted(&self, at: usize) -> &[u64] {
        self.deleted.get(at).map_or(&[], Vec::as_slice)
    }
}

/// What happens to the rows that a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// They stay.
    Append,
    /// They go.
    Overwrite,
    /// Those in the files that the change [removes](Change::removes) go; what of them stays is written again.
    Merge,
}

/// A change of a table, as a sink asks for it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// What happens to the rows that are there.
    pub kind: ChangeKind,
    /// The options of the format, of `writer_kwargs`.
    pub options: Options,
    /// Columns by which a new table is partitioned; empty for those that the table has.
    pub partition_by: Vec<String>,
    /// The rows that an overwrite replaces, where these are not all.
    pub replaces: Option<Expr>,
    /// Whether somebody's table must not have come into being meanwhile.
    pub creates: bool,
    /// Files of a merge that count no more, as [`TableSnapshot::scan`] names them.
    pub removes: Vec<PathBuf>,
    /// How far applications have come with this change, by their names; see [`TableSnapshot::last`].
    pub apps: Vec<(String, i64)>,
    /// The run, for the log.
    pub run: String,
}

impl Change {
    /// A change without options.
    #[must_use]
    pub fn new(kind: ChangeKind, run: impl Into<String>) -> Self {
        Self {
            kind,
            options: Options::new(),
            partition_by: Vec::new(),
            replaces: None,
            creates: false,
            removes: Vec::new(),
            apps: Vec::new(),
            run: run.into(),
        }
    }
}

/// What has to be written for a change.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Planned {
    /// The columns of the rows, in the types that the table holds.
    pub columns: Vec<Field>,
    /// Those of them that name folders; they are not in the files.
    pub partition_by: Vec<String>,
}

impl Planned {
    /// Rows of such columns.
    #[must_use]
    pub fn new(columns: Vec<Field>, partition_by: Vec<String>) -> Self {
        Self {
            columns,
            partition_by,
        }
    }
}

/// A file that was written for a table.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenFile {
    /// Its path below the folder of the table, with `/` between the parts.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// Values of the columns by which the table is partitioned, in their order, as text in the form of their type.
    pub partition: Vec<Option<String>>,
}

/// What came of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// The version that holds the change.
    pub version: u64,
    /// What deserves attention.
    pub warnings: Vec<String>,
    /// Whether others were first, so that nothing was committed, and the change has to be worked out anew. Of merges alone.
    pub overtaken: bool,
}

impl Committed {
    /// A commit as this version.
    #[must_use]
    pub fn new(version: u64) -> Self {
        Self {
            version,
            warnings: Vec::new(),
            overtaken: false,
        }
    }

    /// No commit: this version of others came before.
    #[must_use]
    pub fn overtaken(version: u64) -> Self {
        Self {
            overtaken: true,
            ..Self::new(version)
        }
    }
}

/// The formats of tables that a program holds.
#[derive(Clone, Copy, Debug)]
pub struct TableFormatEntry(pub &'static dyn TableFormat);

/// Registers a format of tables: makes the static and submits it, as one item.
#[macro_export]
macro_rules! register_table_format {
    ($(#[$meta:meta])* $vis:vis static $name:ident: $type:ty = $format:expr;) => {
        $(#[$meta])*
        $vis static $name: $type = $format;
        $crate::inventory::submit! { $crate::table::TableFormatEntry(&$name) }
    };
}
