//! The example of functions of one's own, run as its README says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::case::laktory;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("examples/custom_functions", custom_functions),
        Trial::test("examples/customers", customers),
    ]
}

/// Changes that come twice, and in another order, make the same tables.
fn customers() -> Result<(), Failed> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/customers");
    let folder = tempfile::tempdir()?;
    let changes = folder.path().join("changes");
    fs::create_dir(&changes)?;
    let take = |file: &str| fs::copy(example.join(file), folder.path().join(file));
    take("pipeline.yaml")?;
    let expected = fs::read_to_string(example.join("expected/moves.csv"))?;
    take("changes/tuesday.jsonl")?;
    let arguments = ["run", "pipeline.yaml"].map(str::to_owned);
    for files in [&["changes/monday.jsonl"][..], &[]] {
        let before = laktory(folder.path(), &arguments, &BTreeMap::new())?;
        files.iter().try_for_each(|file| take(file).map(drop))?;
        let output = laktory(folder.path(), &arguments, &BTreeMap::new())?;
        for output in [before, output] {
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
            }
        }
        let found = fs::read_to_string(folder.path().join("out/moves.csv"))?;
        if found != expected {
            return Err(format!("expected\n{expected}found\n{found}").into());
        }
    }
    Ok(())
}

fn custom_functions() -> Result<(), Failed> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/custom-functions");
    let folder = tempfile::tempdir()?;
    for file in ["pipeline.yaml", "data/prices.csv"] {
        let target = folder.path().join(file);
        fs::create_dir_all(target.parent().unwrap_or(folder.path()))?;
        fs::copy(example.join(file), target)?;
    }
    let arguments = ["run", "pipeline.yaml"].map(str::to_owned);
    let output = laktory(folder.path(), &arguments, &BTreeMap::new())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    for name in ["prices.csv", "symbols.csv"] {
        let expected = fs::read_to_string(example.join("expected").join(name))?;
        let found = fs::read_to_string(folder.path().join("out").join(name))?;
        if found != expected {
            return Err(format!("{name}: expected\n{expected}found\n{found}").into());
        }
    }
    Ok(())
}
