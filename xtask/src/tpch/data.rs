//! TPC-H tables at a scale: generated as CSV, then written as Parquet by the pipeline `data.yaml`.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;

use tpchgen::csv::{
    CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv,
};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

/// Makes the tables below `folder/data`, unless they are there. `folder` holds the pipelines.
///
/// # Errors
/// When files cannot be written, or the pipeline fails.
pub(crate) fn prepare(folder: &Path, scale: f64, laktory: &Path) -> Result<(), String> {
    // The last node of the pipeline, so that all of it has run.
    if folder.join("data/complete").exists() {
        return Ok(());
    }
    let csv = folder.join("csv");
    generate(&csv, scale).map_err(|error| format!("{}: {error}", csv.display()))?;
    let output = Command::new(laktory)
        .args(["run", "-q", "--jobs", "1", "data.yaml"])
        .current_dir(folder)
        .output()
        .map_err(|error| format!("{}: {error}", laktory.display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    fs::remove_dir_all(&csv).map_err(|error| format!("{}: {error}", csv.display()))?;
    fs::write(folder.join("data/complete"), "").map_err(|error| error.to_string())
}

fn generate(folder: &Path, scale: f64) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    macro_rules! table {
        ($name:literal, $generator:ident, $csv:ident) => {
            write(
                folder,
                $name,
                $csv::header(),
                $generator::new(scale, 1, 1).iter().map($csv::new),
            )?
        };
    }
    table!("region", RegionGenerator, RegionCsv);
    table!("nation", NationGenerator, NationCsv);
    table!("supplier", SupplierGenerator, SupplierCsv);
    table!("customer", CustomerGenerator, CustomerCsv);
    table!("part", PartGenerator, PartCsv);
    table!("partsupp", PartSuppGenerator, PartSuppCsv);
    table!("orders", OrderGenerator, OrderCsv);
    table!("lineitem", LineItemGenerator, LineItemCsv);
    Ok(())
}

fn write(
    folder: &Path,
    table: &str,
    header: &str,
    rows: impl Iterator<Item = impl Display>,
) -> std::io::Result<()> {
    let file = File::create(folder.join(format!("{table}.csv")))?;
    let mut writer = BufWriter::with_capacity(1 << 20, file);
    writeln!(writer, "{header}")?;
    for row in rows {
        writeln!(writer, "{row}")?;
    }
    writer.flush()
}
