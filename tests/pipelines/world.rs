//! What the world does to a run: full disks, and other runs on the same targets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};

use crate::case::{laktory, litter, rows};
use crate::start::command;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        // Mounting needs rights that most users do not have.
        Trial::test("world/a_full_disk_leaves_old_outputs", full_disk)
            .with_ignored_flag(!can_mount()),
        Trial::test("world/two_runs_at_once_end_whole", two_at_once),
    ]
}

const FULL: &str = "
name: full
nodes:
- name: a
  source: {path: in.jsonl, format: JSONL}
  sinks:
  - {path: small/a.csv, format: CSV}
- name: b
  source: {node_name: a}
  sinks:
  - {path: small/b/, format: JSONL}
- name: c
  source: {path: in.jsonl, format: JSONL}
  sinks:
  - {path: c.jsonl, format: JSONL}
";

/// A small file system, unmounted when dropped.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn new(folder: &'a Path) -> std::io::Result<Option<Self>> {
        fs::create_dir_all(folder)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=200k", "tmpfs"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        Ok(mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(folder)))
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // What stays mounted is told by the temporary folder, which cannot be removed then.
        let _ = Command::new("umount").arg(self.0).status();
    }
}

fn can_mount() -> bool {
    let Ok(folder) = tempfile::tempdir() else {
        return false;
    };
    let small = folder.path().join("small");
    matches!(Mount::new(&small), Ok(Some(_)))
}

/// The disk fills up while a sink is staged: one error, old outputs, no litter; other nodes end well.
fn full_disk() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let small = root.join("small");
    let Some(_mount) = Mount::new(&small)? else {
        return Err("cannot mount".into());
    };
    fs::write(root.join("pipeline.yaml"), FULL)?;
    let few = "{\"x\": 1}\n{\"x\": 2}\n";
    fs::write(root.join("in.jsonl"), few)?;
    let arguments = ["run", "pipeline.yaml", "-q"].map(str::to_owned);
    let output = laktory(root, &arguments, &BTreeMap::new())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let mut many = String::new();
    for row in 0..60_000 {
        let _ = writeln!(many, "{{\"x\": {row}}}");
    }
    fs::write(root.join("in.jsonl"), many)?;
    let output = laktory(root, &arguments, &BTreeMap::new())?;
    let text = String::from_utf8_lossy(&output.stderr);
    let told = text.lines().count() == 1 && text.starts_with("pipeline.yaml:");
    if output.status.code() != Some(1) || !told || !text.contains("space") {
        return Err(format!("{}: {text}", output.status).into());
    }
    for (file, expected) in [("small/a.csv", 2), ("small/b", 2), ("c.jsonl", 60_000)] {
        let found = match file {
            "small/b" => fs::read_dir(root.join(file))?
                .map(|part| Ok(fs::read_to_string(part?.path())?.lines().count()))
                .sum::<Result<usize, std::io::Error>>()?,
            _ => rows(&root.join(file))?.len(),
        };
        if found != expected {
            return Err(format!("{file} holds {found} rows, expected {expected}").into());
        }
    }
    match litter(root) {
        Some(left) => Err(format!("left behind: {}", left.display()).into()),
        None => Ok(()),
    }
}

const SHARED: &str = "
name: shared
nodes:
- name: a
  source: {path: \"${vars.input}\", format: JSONL}
  sinks:
  - {path: out/a.parquet, format: PARQUET}
  - {path: out/folder/, format: PARQUET}
  - {path: out/a.csv, format: CSV}
";

/// Two runs of one pipeline over the same targets: each output is that of one of them, whole, and nothing is left.
fn two_at_once() -> Result<(), Failed> {
    const ROWS: usize = 2_000;
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::write(root.join("pipeline.yaml"), SHARED)?;
    for input in ["one", "two"] {
        let mut text = String::new();
        for row in 0..ROWS {
            let _ = writeln!(text, "{{\"row\": {row}, \"input\": \"{input}\"}}");
        }
        fs::write(root.join(format!("{input}.jsonl")), text)?;
    }
    for _ in 0..10 {
        let mut children = Vec::new();
        for input in ["one", "two", "one", "two"] {
            let child = command(root)
                .args(["run", "pipeline.yaml", "-q", "--var"])
                .arg(format!("input={input}.jsonl"))
                .stderr(Stdio::piped())
                .spawn()?;
            children.push(child);
        }
        for child in children {
            let output = child.wait_with_output()?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
            }
        }
        for file in ["out/a.parquet", "out/folder", "out/a.csv"] {
            let rows = rows(&root.join(file))?;
            let inputs: std::collections::BTreeSet<String> =
                rows.iter().map(|row| row["input"].to_string()).collect();
            if rows.len() != ROWS || inputs.len() != 1 {
                return Err(format!("{file} holds {} rows of {inputs:?}", rows.len()).into());
            }
        }
        if let Some(left) = litter(root) {
            return Err(format!("left behind: {}", left.display()).into());
        }
    }
    Ok(())
}
