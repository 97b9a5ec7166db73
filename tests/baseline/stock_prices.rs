//! The stock prices pipeline as a good engineer would write it by hand on polars: lazy, streaming, one Parquet file for
//! each step.

use std::path::Path;

use laktory_polars::polars::prelude::*;

/// Carries out the pipeline in a folder that holds `data/stock_prices/*.jsonl`.
pub(crate) fn run(folder: &Path) -> PolarsResult<()> {
    let folder = folder.join("data");
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
