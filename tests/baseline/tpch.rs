//! A query of TPC-H handed directly to the SQL of an engine, over the same Parquet files and with the same text as the
//! pipeline's. The result is written as CSV, `out/QUERY_by_hand.csv`.

use std::error::Error;
use std::fs;
use std::path::Path;

use laktory_datafusion::datafusion::arrow::csv::Writer;
use laktory_datafusion::datafusion::prelude::{ParquetReadOptions, SessionContext};
use laktory_polars::polars::prelude::{
    CsvWriter, Engine, LazyFrame, PlRefPath, ScanArgsParquet, SerWriter,
};
use polars::sql::SQLContext;

/// The tables.
const TABLES: &[&str] = &[
    "region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem",
];

/// Runs a query in a folder with `data`, `sql` and `out`.
///
/// # Errors
/// Those of the engine, and an engine that this program does not have.
pub(crate) fn run(engine: &str, query: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut sql = fs::read_to_string(folder.join("sql").join(format!("{query}.sql")))?;
    let mut tables = Vec::new();
    for table in TABLES {
        let placeholder = format!("{{sources.{table}}}");
        if sql.contains(&placeholder) {
            sql = sql.replace(&placeholder, table);
            tables.push(*table);
        }
    }
    fs::create_dir_all(folder.join("out"))?;
    let target = folder.join("out").join(format!("{query}_by_hand.csv"));
    match engine {
        "POLARS" => polars(&sql, &tables, folder, &target),
        "DATAFUSION" => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(datafusion(&sql, &tables, folder, &target))
        }
        other => Err(format!("there is no engine `{other}` here").into()),
    }
}

fn polars(sql: &str, tables: &[&str], folder: &Path, target: &Path) -> Result<(), Box<dyn Error>> {
    let mut context = SQLContext::new();
    for table in tables {
        let path = folder.join("data").join(format!("{table}.parquet"));
        let path = PlRefPath::new(path.to_string_lossy());
        let frame = LazyFrame::scan_parquet(path, ScanArgsParquet::default())?;
        context.register(table, frame);
    }
    let mut result = context
        .execute(sql)?
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    CsvWriter::new(fs::File::create(target)?).finish(&mut result)?;
    Ok(())
}

async fn datafusion(
    sql: &str,
    tables: &[&str],
    folder: &Path,
    target: &Path,
) -> Result<(), Box<dyn Error>> {
    let context = SessionContext::new();
    for table in tables {
        let path = folder.join("data").join(format!("{table}.parquet"));
        let options = ParquetReadOptions::default();
        context
            .register_parquet(*table, &path.to_string_lossy(), options)
            .await?;
    }
    let batches = context.sql(sql).await?.collect().await?;
    let mut writer = Writer::new(fs::File::create(target)?);
    for batch in &batches {
        writer.write(batch)?;
    }
    Ok(())
}
