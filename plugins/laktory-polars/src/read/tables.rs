//! Formats that carry their own schema: PARQUET and IPC.

use laktory_core::Result;
use polars::prelude::{LazyFrame, ParallelStrategy};
use polars_io::ipc::IpcScanOptions;
use polars_io::prelude::ParquetOptions;
use polars_plan::dsl::{
    CastColumnsPolicy, ExtraColumnsPolicy, FileScanDsl, MissingColumnsPolicy, UnifiedScanArgs,
};

use super::{Request, select_declared};

/// Options of PARQUET.
pub(super) const PARQUET_OPTIONS: &[&str] = &[
    "allow_missing_columns",
    "extra_columns",
    "include_file_paths",
    "low_memory",
    "missing_columns",
    "n_rows",
    "parallel",
    "use_statistics",
];

/// Options of IPC.
pub(super) const IPC_OPTIONS: &[&str] = &["include_file_paths", "n_rows"];

pub(super) fn read_parquet(request: &Request<'_>) -> Result<LazyFrame> {
    let given = &request.given;
    let parallel = given.one_of(
        "parallel",
        &[
            ("auto", ParallelStrategy::Auto),
            ("columns", ParallelStrategy::Columns),
            ("row_groups", ParallelStrategy::RowGroups),
            ("prefiltered", ParallelStrategy::Prefiltered),
            ("none", ParallelStrategy::None),
        ],
    )?;
    let options = ParquetOptions {
        schema: None,
        parallel: parallel.unwrap_or_default(),
        low_memory: given.flag("low_memory")?.unwrap_or(false),
        use_statistics: given.flag("use_statistics")?.unwrap_or(true),
    };
    let missing = given.one_of(
        "missing_columns",
        &[
            ("insert", MissingColumnsPolicy::Insert),
            ("raise", MissingColumnsPolicy::Raise),
        ],
    )?;
    let missing = match given.flag("allow_missing_columns")? {
        Some(true) => MissingColumnsPolicy::Insert,
        _ => missing.unwrap_or(MissingColumnsPolicy::Raise),
    };
    let extra = given.one_of(
        "extra_columns",
        &[
            ("ignore", ExtraColumnsPolicy::Ignore),
            ("raise", ExtraColumnsPolicy::Raise),
        ],
    )?;
    let args = UnifiedScanArgs {
        missing_columns_policy: missing,
        extra_columns_policy: extra.unwrap_or(ExtraColumnsPolicy::Raise),
        cast_columns_policy: CastColumnsPolicy {
            integer_upcast: true,
            float_upcast: true,
            ..CastColumnsPolicy::ERROR_ON_MISMATCH
        },
        ..UnifiedScanArgs::default()
    };
    let lazy = request.scan(FileScanDsl::Parquet { options }, request.paths()?, args)?;
    declared(request, lazy)
}

pub(super) fn read_ipc(request: &Request<'_>) -> Result<LazyFrame> {
    let options = IpcScanOptions::default();
    let lazy = request.scan(
        FileScanDsl::Ipc { options },
        request.paths()?,
        UnifiedScanArgs::default(),
    )?;
    declared(request, lazy)
}

fn declared(request: &Request<'_>, lazy: LazyFrame) -> Result<LazyFrame> {
    match &request.declared {
        Some(schema) => select_declared(lazy, schema, request.given.text("include_file_paths")?),
        None => Ok(lazy),
    }
}
