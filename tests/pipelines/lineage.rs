//! Lineage is sound: other values in a column of a source leave each column of an output as it is of which lineage says that
//! the source's column does not reach it. Random pipelines are run before and after such a change.

mod generate;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use laktory::exec::RunOptions;
use laktory::plan::lineage::ColumnGraph;
use laktory::{Execute as _, ExecuteError, Planning, Project, Surroundings};
use libtest_mimic::{Failed, Trial};

use self::generate::{COLUMNS, Pipeline};
use crate::case::on_local_engines;
use crate::random::Random;

/// How many pipelines are tried on each engine, and from which number on.
const COUNT_VARIABLE: &str = "LAKTORY_LINEAGE_PIPELINES";
const FIRST_VARIABLE: &str = "LAKTORY_LINEAGE_FIRST";
const COUNT: u64 = 20;

/// Columns of sources that get other values, for each pipeline.
const CHANGES: usize = 4;

pub(crate) fn trials() -> Vec<Trial> {
    on_local_engines("lineage/is_sound", is_sound)
}

#[derive(Debug, Default)]
struct Tally {
    pipelines: u64,
    /// Pairs of a source's column and an output's column that are said to be independent.
    apart: u64,
    /// Pairs of which one is said to reach the other, and of these those where the output did change.
    reached: u64,
    changed: u64,
}

#[allow(
    clippy::print_stderr,
    reason = "the tally of a long run is read by people"
)]
fn is_sound(engine: &'static str, engines: &[&'static str]) -> Result<(), Failed> {
    let number = crate::parts::number;
    let first = number(FIRST_VARIABLE, 0);
    let mut tally = Tally::default();
    let mut faults = Vec::new();
    for seed in first..first + number(COUNT_VARIABLE, COUNT) {
        let pipeline = Pipeline::random(seed, engines);
        if let Err(fault) = holds(engine, seed, &pipeline, &mut tally) {
            let text = pipeline.text(engine, Path::new("FOLDER"));
            let fault = fault.message().unwrap_or_default().to_owned();
            faults.push(format!("{FIRST_VARIABLE}={seed}: {fault}\n{text}"));
            if faults.len() == 5 {
                break;
            }
        }
    }
    if std::env::var_os(COUNT_VARIABLE).is_some() {
        eprintln!("{engine}: {tally:?}");
    }
    if !faults.is_empty() {
        return Err(faults.join("\n\n").into());
    }
    // Neither everything nor nothing depends on everything, and what is said to reach an output does change it.
    if tally.apart < tally.pipelines || tally.changed * 4 < tally.reached {
        return Err(format!("too little was compared: {tally:?}").into());
    }
    Ok(())
}

/// The values of each column of each node with a sink, sorted: engines give rows in other orders at other times.
type Values = BTreeMap<(String, String), Vec<String>>;

fn holds(
    engine: &'static str,
    seed: u64,
    pipeline: &Pipeline,
    tally: &mut Tally,
) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let text = pipeline.text(engine, folder);
    let mut random = Random::new(seed ^ 0x11_EA6E);
    let mut tables: Vec<Table> = (0..2).map(|_| Table::random(&mut random)).collect();
    for (number, table) in tables.iter().enumerate() {
        table.write(&source(folder, number))?;
    }
    tally.pipelines += 1;
    let graph = graph(&text)?;
    let before = values(&text, pipeline, true)?;
    // What no node needs is not kept between nodes, and nothing shows of it.
    if before != values(&text, pipeline, false)? {
        return Err("outputs are others where columns are left out between nodes".into());
    }
    for _ in 0..CHANGES {
        let (number, column) = (random.below(2), 1 + random.below(COLUMNS.len() - 1));
        let original = tables[number].clone();
        tables[number].change(column, &mut random);
        let path = source(folder, number);
        tables[number].write(&path)?;
        let after = values(&text, pipeline, true)?;
        for ((node, output), before) in &before {
            let same = after.get(&(node.clone(), output.clone())) == Some(before);
            let path = path.display().to_string();
            if graph.may_change(&path, COLUMNS[column], node, output) {
                tally.reached += 1;
                tally.changed += u64::from(!same);
                continue;
            }
            tally.apart += 1;
            if !same {
                let column = COLUMNS[column];
                return Err(format!(
                    "column `{column}` of s{number} changes `{node}.{output}`, and should not"
                )
                .into());
            }
        }
        tables[number] = original;
        tables[number].write(&path)?;
    }
    Ok(())
}

fn source(folder: &Path, number: usize) -> std::path::PathBuf {
    folder.join(format!("s{number}.jsonl"))
}

/// Rows of a source.
#[derive(Clone)]
struct Table(Vec<Vec<Option<usize>>>);

impl Table {
    fn random(random: &mut Random) -> Self {
        let mut rows = Vec::new();
        for id in 0..14 {
            let mut row = vec![Some(id)];
            row.extend((1..COLUMNS.len()).map(|_| value(random)));
            rows.push(row);
        }
        Self(rows)
    }

    fn change(&mut self, column: usize, random: &mut Random) {
        for row in &mut self.0 {
            row[column] = value(random);
        }
    }

    fn write(&self, path: &Path) -> Result<(), Failed> {
        let mut text = String::new();
        for row in &self.0 {
            let cells = COLUMNS.iter().zip(row).map(|(name, value)| {
                let value = value.map_or("null".to_owned(), |value| value.to_string());
                format!("\"{name}\": {value}")
            });
            let _ = writeln!(text, "{{{}}}", cells.collect::<Vec<_>>().join(", "));
        }
        Ok(fs::write(path, text)?)
    }
}

/// Few values, so that they meet.
fn value(random: &mut Random) -> Option<usize> {
    (random.one_in(8) == 0).then(|| random.below(5))
}

fn opened(text: &str) -> Result<(Project, Planning), Failed> {
    let project = Project::parse("p.yaml", text.as_bytes(), &Surroundings::default());
    let project = project.map_err(|faults| ExecuteError::from(faults).to_string())?;
    Ok((project, Planning::default()))
}

struct Quiet;

impl laktory::exec::Observer for Quiet {
    fn on(&self, _: &laktory::exec::Event) {}
}

fn graph(text: &str) -> Result<ColumnGraph, Failed> {
    let (project, planning) = opened(text)?;
    let registry = laktory::registry()?;
    let plan = project.plan(&registry, &planning);
    let (plan, _) = plan.map_err(|faults| ExecuteError::from(faults).to_string())?;
    let options = RunOptions::default();
    let resolved = laktory::exec::lineage(&plan, &registry, &options);
    let (lineages, faults) = laktory::runtime()?.block_on(resolved)?;
    if let Some(fault) = faults.first() {
        return Err(format!("node {}: {}", fault.node, fault.error).into());
    }
    Ok(ColumnGraph::new(&plan, &lineages))
}

fn values(text: &str, pipeline: &Pipeline, prune: bool) -> Result<Values, Failed> {
    let (project, planning) = opened(text)?;
    let options = RunOptions {
        prune,
        ..RunOptions::default()
    };
    let run = project.execute_with(&planning, options, &Quiet);
    let run = run.map_err(|error| error.to_string())?;
    let mut values = Values::new();
    for node in pipeline.written() {
        let output = run.nodes[node.as_str()].output();
        let batches = output.and_then(|output| output.collect());
        for batch in batches.map_err(|error| error.to_string())? {
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                let key = (node.clone(), field.name().clone());
                let known = values.entry(key).or_default();
                known
                    .extend((0..batch.num_rows()).map(|row| format!("{:?}", column.slice(row, 1))));
            }
        }
    }
    values.values_mut().for_each(|values| values.sort());
    Ok(values)
}
