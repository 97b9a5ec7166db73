//! Damaged files of PARQUET and IPC: whatever bytes they hold, a run ends with rows or with an error that names the file,
//! never with a crash, soon, and in little memory. Files that are cut off while they are read likewise.
//!
//! `LAKTORY_MUTANTS` is the number of damaged files for each format and engine; a long hunt is `LAKTORY_MUTANTS=600`.
//! `LAKTORY_SEED` gives others.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::case::{Engine, engines, laktory, litter};
use crate::random::Random;
use crate::sizes::number;
use crate::start::command;

/// Damaged files for each format and engine, when nothing else is told.
const MUTANTS: u64 = 24;
/// The longest that a run may take, on a busy machine too.
const LONGEST: Duration = Duration::from_secs(10);
/// The most memory that a run may take, in bytes.
const MOST: u64 = 1 << 30;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in engines().into_iter().filter(|engine| !engine.is_remote) {
        for (format, extension) in [("PARQUET", "parquet"), ("IPC", "arrow")] {
            let own = engine.clone();
            let path = format!("damaged/any_bytes_of_{}", format.to_lowercase());
            trials.push(engine.trial(&path, move || mutants(&own, format, extension)));
        }
        let own = engine.clone();
        trials.push(engine.trial("damaged/cut_off_while_read", move || cut_off(&own)));
    }
    trials
}

const WRITE: &str = "
name: write
nodes:
- name: a
  source: {path: in.jsonl, format: JSONL}
  transformer:
    nodes:
    - expr: SELECT CAST(id AS BIGINT) AS id, name, price, CAST(day AS DATE) AS day, tags, at FROM {df}
  sinks:
  - {path: plain.FILE, format: FORMAT}
  - {path: packed.FILE, format: FORMAT, writer_kwargs: {compression: zstd}}
";

const READ: &str = "
name: read
nodes:
- name: a
  source: {path: mutant.FILE, format: FORMAT}
  transformer:
    nodes:
    - expr: SELECT * FROM {df} WHERE id > 3
  sinks:
  - {path: out.FILE, format: FORMAT}
";

/// Writes sound files, and returns their bytes.
fn sound(
    engine: &Engine,
    root: &Path,
    format: &str,
    extension: &str,
) -> Result<Vec<Vec<u8>>, Failed> {
    let mut lines = String::new();
    for id in 0..400 {
        let _ = writeln!(
            lines,
            r#"{{"id": {id}, "name": "n{}", "price": {}.25, "day": "2024-01-{:02}", "tags": ["a", "b{id}"], "at": {{"x": {id}, "y": "some longer text {id}"}}}}"#,
            id % 7,
            id * 3,
            id % 28 + 1,
        );
    }
    fs::write(root.join("in.jsonl"), lines)?;
    let filled = |text: &str| text.replace("FILE", extension).replace("FORMAT", format);
    fs::write(root.join("write.yaml"), filled(WRITE))?;
    fs::write(root.join("read.yaml"), filled(READ))?;
    let arguments = ["run", "write.yaml", "-q"].map(str::to_owned);
    let output = laktory(root, &arguments, &engine.environment)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    ["plain", "packed"]
        .iter()
        .map(|name| Ok(fs::read(root.join(format!("{name}.{extension}")))?))
        .collect()
}

/// A file with some bytes that are others, missing, or elsewhere.
fn mutant(sound: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    let length = bytes.len();
    match random.below(6) {
        // Footers are short, and hold the lengths.
        0 | 1 => {
            for _ in 0..=random.below(4) {
                let at = length - 1 - random.below(length.min(2_000));
                bytes[at] ^= 1 << random.below(8);
            }
        }
        2 => {
            for _ in 0..=random.below(8) {
                let at = random.below(length);
                bytes[at] = u8::try_from(random.below(256)).unwrap_or(0);
            }
        }
        3 => {
            let at = random.below(length.saturating_sub(8));
            let huge = [i64::MAX, -1, i64::MIN, 1 << 40, 1 << 31][random.below(5)];
            bytes[at..at + 8].copy_from_slice(&huge.to_le_bytes());
        }
        4 => bytes.truncate(random.below(length)),
        _ => {
            let (from, to) = (random.below(length), random.below(length));
            let count = random.below(200).min(length - from.max(to));
            bytes.copy_within(from..from + count, to);
        }
    }
    bytes
}

fn mutants(engine: &Engine, format: &str, extension: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let sound = sound(engine, root, format, extension)?;
    let count = number("LAKTORY_MUTANTS", MUTANTS)?;
    let seed = number("LAKTORY_SEED", 0x9e37_79b9)?;
    let mut random = Random::new(seed);
    let mut faults = Vec::new();
    let name = format!("mutant.{extension}");
    for number in 0..count {
        let bytes = mutant(&sound[usize::from(number % 2 == 1)], &mut random);
        fs::write(root.join(&name), &bytes)?;
        let ended = watched(engine, root, "read.yaml", |_| Ok(()))?;
        if let Some(fault) = ended.fault(&name).or_else(|| left(root)) {
            let kept = std::env::temp_dir().join(format!("laktory-{number}-{name}"));
            fs::write(&kept, &bytes)?;
            faults.push(format!("{}: {fault}", kept.display()));
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults.join("\n").into()),
    }
}

fn left(root: &Path) -> Option<String> {
    litter(root).map(|left| format!("left behind: {}", left.display()))
}

/// How a run ended.
struct Ended {
    code: Option<i32>,
    told: String,
    took: Duration,
    memory: u64,
}

impl Ended {
    /// What is wrong with that, for a run that reads a damaged file.
    fn fault(&self, file: &str) -> Option<String> {
        let told = self.told.trim();
        // Without optimisation the compiler's own checks of the engine's unsafe code end the process; with it, there are none.
        let checked = cfg!(debug_assertions) && told.contains("non-unwinding panic");
        match self.code {
            Some(0) => {}
            None if checked => {}
            Some(1 | 2) if told.contains("panicked") || told.contains("this is a bug") => {
                return Some(told.to_owned());
            }
            Some(1 | 2) if told.contains(file) => {}
            // Bytes of names are as good as others.
            Some(2) if told.contains("there is no column `id`") => {}
            code => return Some(format!("{code:?}: {told}")),
        }
        if self.took > LONGEST {
            return Some(format!("took {:?}", self.took));
        }
        (self.memory > MOST).then(|| format!("took {} MB", self.memory >> 20))
    }
}

/// Runs a pipeline, with a look at its memory, and `meddle` called again and again.
fn watched(
    engine: &Engine,
    root: &Path,
    pipeline: &str,
    mut meddle: impl FnMut(Duration) -> std::io::Result<()>,
) -> Result<Ended, Failed> {
    let log = root.join("log");
    let began = Instant::now();
    let mut child = command(root)
        .args(["run", pipeline, "-q", "--error-format", "short"])
        .envs(&engine.environment)
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log)?)
        .spawn()?;
    let mut memory = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        memory = memory.max(resident(&child));
        if began.elapsed() > 3 * LONGEST {
            child.kill()?;
        }
        meddle(began.elapsed())?;
        std::thread::sleep(Duration::from_millis(2));
    };
    Ok(Ended {
        code: status.code(),
        told: fs::read_to_string(&log)?,
        took: began.elapsed(),
        memory,
    })
}

/// The most memory that a process held so far, in bytes.
fn resident(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes << 10)
}

const LARGE: &str = "
name: large
nodes:
- name: a
  source: {path: in.jsonl, format: JSONL}
  transformer:
    nodes:
    - expr: SELECT CAST(id AS BIGINT) AS id, text FROM {df}
  sinks:
  - {path: whole.parquet, format: PARQUET, writer_kwargs: {compression: uncompressed}}
  - {path: whole.arrow, format: IPC}
";

const CUT: &str = "
name: cut
nodes:
- name: a
  source: {path: cut.FILE, format: FORMAT}
  sinks: [{path: out/a.parquet, format: PARQUET}, {path: out/a.jsonl, format: JSONL}]
";

/// A file is cut off at several moments of a run: the run ends with the rows or with an error that names the file, and leaves
/// the old outputs and nothing else.
fn cut_off(engine: &Engine) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let mut lines = String::new();
    for id in 0..60_000_u64 {
        let _ = writeln!(
            lines,
            r#"{{"id": {id}, "text": "{:x}{:x}"}}"#,
            id.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            id.wrapping_mul(0xbf58_476d_1ce4_e5b9),
        );
    }
    fs::write(root.join("in.jsonl"), lines)?;
    fs::write(root.join("large.yaml"), LARGE)?;
    let arguments = ["run", "large.yaml", "-q"].map(str::to_owned);
    let output = laktory(root, &arguments, &engine.environment)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    for (format, extension) in [("PARQUET", "parquet"), ("IPC", "arrow")] {
        let name = format!("cut.{extension}");
        fs::write(
            root.join("cut.yaml"),
            CUT.replace("FILE", extension).replace("FORMAT", format),
        )?;
        let whole = root.join(format!("whole.{extension}"));
        let size = fs::metadata(&whole)?.len();
        fs::copy(&whole, root.join(&name))?;
        let sound = watched(engine, root, "cut.yaml", |_| Ok(()))?;
        if sound.code != Some(0) {
            return Err(sound.told.into());
        }
        let old = fs::read(root.join("out/a.jsonl"))?;
        let tries = 12;
        for number in 1..=tries {
            fs::copy(&whole, root.join(&name))?;
            let file = fs::OpenOptions::new().write(true).open(root.join(&name))?;
            let moment = sound.took * number / tries;
            let mut cut = false;
            let ended = watched(engine, root, "cut.yaml", |elapsed| {
                if !cut && elapsed > moment {
                    cut = true;
                    file.set_len(size / 4 / 4096 * 4096)?;
                }
                Ok(())
            })?;
            if let Some(fault) = ended.fault(&name) {
                return Err(format!("{format}, {number} of {tries}: {fault}").into());
            }
            if fs::read(root.join("out/a.jsonl"))? != old {
                return Err(format!("{format}, {number} of {tries}: other rows").into());
            }
        }
        // What a thread that hung at the missing bytes kept is removed by the next run.
        fs::copy(&whole, root.join(&name))?;
        let sound = watched(engine, root, "cut.yaml", |_| Ok(()))?;
        if let Some(fault) = sound.fault(&name).or_else(|| left(root)) {
            return Err(format!("{format}, after all: {fault}").into());
        }
    }
    Ok(())
}
