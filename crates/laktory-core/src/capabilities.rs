//! What a backend can do, declared as data so that plans are checked and pages are printed without an engine.

use std::collections::BTreeMap;

use crate::functions::Func;
use crate::op::OpKind;
use crate::round_trip::RoundTrip;
use crate::spec::Format;
use crate::window::WindowFunc;

/// How far something is supported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Support {
    /// Not, and not meant to be.
    #[default]
    Never,
    /// Not in this version.
    NotYet {
        /// Why, for messages.
        reason: &'static str,
    },
    /// Yes, with a difference that users should know.
    Partial {
        /// The difference.
        note: &'static str,
    },
    /// Yes.
    Full,
}

impl Support {
    /// Whether a plan may use it.
    #[must_use]
    pub fn is_available(self) -> bool {
        matches!(self, Self::Partial { .. } | Self::Full)
    }
}

/// How a format is read or written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormatSupport {
    /// How far.
    pub support: Support,
    /// The options (`reader_kwargs`, `writer_kwargs`) that are understood; others are refused.
    pub options: &'static [&'static str],
    /// Whether a declared schema is honoured on read.
    pub schema: bool,
}

impl FormatSupport {
    /// Support without options, and without declared schemas.
    #[must_use]
    pub const fn new(support: Support) -> Self {
        Self {
            support,
            options: &[],
            schema: false,
        }
    }

    /// The options that are understood.
    #[must_use]
    pub const fn with_options(mut self, options: &'static [&'static str]) -> Self {
        self.options = options;
        self
    }

    /// Whether a declared schema is honoured on read.
    #[must_use]
    pub const fn with_schema(mut self, schema: bool) -> Self {
        self.schema = schema;
        self
    }
}

/// The abilities of one backend, computed from the tables that do the lowering.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Capabilities {
    /// Relational steps.
    pub ops: BTreeMap<OpKind, Support>,
    /// Functions.
    pub funcs: BTreeMap<Func, Support>,
    /// Functions of windows with an order or a frame ([`Expr::Window`](crate::Expr::Window)).
    pub windows: BTreeMap<WindowFunc, Support>,
    /// Whether statements are carried out by nothing but the steps and functions that are declared here, as the SQL front end
    /// plans them: what a statement needs beyond these is refused by its name. A driver whose engine reads SQL by itself leaves
    /// it false.
    pub sql_by_steps: bool,
    /// Functions of the user's own that compute on Arrow arrays ([`crate::user::Body::Scalar`]).
    pub user_scalars: Support,
    /// Aggregates of the user's own that compute on Arrow arrays ([`crate::user::Body::Aggregate`]).
    pub user_aggregates: Support,
    /// File formats read.
    pub reads: BTreeMap<Format, FormatSupport>,
    /// File formats written.
    pub writes: BTreeMap<Format, FormatSupport>,
    /// What comes back of formats that hold no types of columns. A format that is missing here is not read back in the place
    /// of a node's output.
    pub round_trips: BTreeMap<Format, RoundTrip>,
    /// File formats to which the driver adds rows by itself ([`WriteSpec::existing`](crate::WriteSpec)); for others the
    /// executor has the rows of a file read, and written again with the new ones.
    pub appends: Vec<Format>,
    /// Whether the backend works on this machine's files, so that the executor lists folders for it and stages and
    /// publishes its outputs.
    pub local_files: bool,
    /// Whether frames have an order of rows that steps keep, so that code in the engine's own words may depend on it.
    pub ordered_rows: bool,
    /// Whether tables of a catalog can be read and written, by the [`Catalog`](crate::Catalog) of the session.
    pub tables: Support,
    /// Options of reading a table.
    pub table_options: &'static [&'static str],
    /// Calls on the reader that are understood (`reader_methods`), of those of `spark.read`.
    pub reader_methods: &'static [&'static str],
    /// Calls on the writer that are understood (`writer_methods`), of those of `df.write`.
    pub writer_methods: &'static [&'static str],
}

impl Capabilities {
    /// How far a step is supported.
    #[must_use]
    pub fn op(&self, kind: OpKind) -> Support {
        self.ops.get(&kind).copied().unwrap_or_default()
    }

    /// How far a function is supported.
    #[must_use]
    pub fn func(&self, func: Func) -> Support {
        self.funcs.get(&func).copied().unwrap_or_default()
    }

    /// How far a function of windows is supported.
    #[must_use]
    pub fn window(&self, func: WindowFunc) -> Support {
        self.windows.get(&func).copied().unwrap_or_default()
    }

    /// How a format is read.
    #[must_use]
    pub fn read(&self, format: &Format) -> FormatSupport {
        self.reads.get(format).copied().unwrap_or_default()
    }

    /// What comes back of a format.
    #[must_use]
    pub fn round_trip(&self, format: &Format) -> RoundTrip {
        self.round_trips.get(format).copied().unwrap_or_default()
    }

    /// How a format is written.
    #[must_use]
    pub fn write(&self, format: &Format) -> FormatSupport {
        self.writes.get(format).copied().unwrap_or_default()
    }
}
