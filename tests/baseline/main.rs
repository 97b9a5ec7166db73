//! The stock prices pipeline as a good engineer would write it by hand on polars: lazy, streaming, one Parquet file for
//! each step. `cargo xtask bench` runs it beside the same pipeline in YAML.
//!
//! Usage: `baseline FOLDER`, where the folder holds `data/stock_prices/*.jsonl`.

use std::path::{Path, PathBuf};

use laktory_polars::polars::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> PolarsResult<()> {
    let folder =
        PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned())).join("data");
    let bronze = folder.join("brz_by_hand.parquet");
    let source = path(&folder.join("stock_prices"));
    write(LazyJsonLineReader::new(source).finish()?, &bronze)?;
    let prices = LazyFrame::scan_parquet(path(&bronze), ScanArgsParquet::default())?;
    let field = |name: &str| col("data").struct_().field_by_name(name);
    let created_at = field("created_at").str().to_datetime(
        Some(TimeUnit::Microseconds),
        None,
        StrptimeOptions::default(),
        lit("raise"),
    );
    let silver = prices
        .select([
            created_at.alias("created_at"),
            field("symbol").alias("name"),
            field("symbol"),
            field("open"),
            field("close"),
            field("high"),
            field("low"),
            field("volume"),
        ])
        .unique(
            Some(cols(["symbol", "created_at"])),
            UniqueKeepStrategy::Any,
        );
    write(silver, &folder.join("slv_by_hand.parquet"))
}

fn path(path: &Path) -> PlRefPath {
    PlRefPath::new(path.to_string_lossy())
}

fn write(frame: LazyFrame, target: &Path) -> PolarsResult<()> {
    let format = FileWriteFormat::Parquet(std::sync::Arc::new(ParquetWriteOptions::default()));
    let target = SinkTarget::Path(path(target));
    frame
        .sink(
            SinkDestination::File { target },
            format,
            UnifiedSinkArgs::default(),
        )?
        .collect_with_engine(Engine::Streaming)?;
    Ok(())
}
