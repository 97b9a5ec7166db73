//! The benchmarks' pipelines written by hand on the engines. `cargo xtask bench` runs this program beside the pipelines in
//! YAML.
//!
//! Usage: `baseline FOLDER` for the stock prices, `baseline tpch ENGINE QUERY FOLDER` for a query of TPC-H (feature `sql`).

mod stock_prices;
#[cfg(feature = "sql")]
mod tpch;

use std::error::Error;
use std::path::Path;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        #[cfg(feature = "sql")]
        ["tpch", engine, query, folder] => tpch::run(engine, query, Path::new(folder)),
        [folder] => Ok(stock_prices::run(Path::new(folder))?),
        _ => Err("usage: baseline FOLDER | baseline tpch ENGINE QUERY FOLDER".into()),
    }
}
