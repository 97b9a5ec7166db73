//! Hostile input: each must end soon, in little memory, with an exit code and words of ours, and touch nothing outside
//! of its folder. `LAKTORY_ATTACK=long` runs the whole table, else a part of it is run.

mod calls;
mod inputs;
mod statements;

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::start::command;

/// Inputs of the short size.
const SHORT: usize = 150;
/// Seconds of processor that an input may take, also without optimisation.
const MOST_SECONDS: f64 = if cfg!(debug_assertions) { 20.0 } else { 10.0 };
/// Memory that an input may take, in kB.
const MOST_MEMORY: u64 = 1_000_000;

/// One hostile input: files of a folder, and the arguments of the command that is run there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut inputs = inputs::all();
    inputs.extend(statements::all());
    if std::env::var("LAKTORY_ATTACK").as_deref() != Ok("long") {
        // Every so many, so that each kind is there.
        let step = inputs.len().div_ceil(SHORT).max(1);
        inputs = inputs.into_iter().step_by(step).collect();
    }
    let count = inputs.len();
    vec![Trial::test(
        format!("attack/{count}_hostile_inputs"),
        move || all(inputs),
    )]
}

/// What an input cost.
#[derive(Clone, Debug, Default)]
struct Cost {
    seconds: f64,
    memory: u64,
}

#[allow(clippy::print_stdout, reason = "figures of a long run")]
fn all(inputs: Vec<Input>) -> Result<(), Failed> {
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(String::new());
    let costs = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(input) = inputs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match attack(input) {
                        Ok(cost) => costs
                            .lock()
                            .expect("nobody panics with it")
                            .push((cost, input.name.clone())),
                        Err(fault) => {
                            println!("{}: {fault}", input.name);
                            let mut faults = faults.lock().expect("nobody panics with it");
                            let _ = writeln!(faults, "{}: {fault}", input.name);
                        }
                    }
                }
            });
        }
    });
    let costs = costs.into_inner()?;
    let dearest = |key: fn(&Cost) -> f64| {
        let most = costs.iter().max_by(|a, b| key(&a.0).total_cmp(&key(&b.0)));
        most.map(|(cost, name)| format!("{:.1} by {name}", key(cost)))
            .unwrap_or_default()
    };
    #[allow(clippy::cast_precision_loss, reason = "shown")]
    let memory = dearest(|cost| cost.memory as f64 / 1000.0);
    println!(
        "{} inputs; most seconds {}; most MB {memory}",
        inputs.len(),
        dearest(|cost| cost.seconds)
    );
    let faults = faults.into_inner()?;
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!("{} faults\n{faults}", faults.lines().count()).into())
}

/// Runs one input beside a file that nobody may touch.
fn attack(input: &Input) -> Result<Cost, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let prepare = || -> std::io::Result<Child> {
        fs::write(folder.path().join("canary.txt"), "alive")?;
        let work = folder.path().join("work");
        fs::create_dir(&work)?;
        for (name, bytes) in &input.files {
            if let Some(parent) = work.join(name).parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(work.join(name), bytes)?;
        }
        command(&work)
            .args(&input.arguments)
            .envs(input.environment.iter().cloned())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("stderr.txt"))?)
            .spawn()
    };
    let mut child = prepare().map_err(|error| error.to_string())?;
    let (status, cost) = watched(&mut child)?;
    let mut text = String::new();
    let read = fs::File::open(folder.path().join("stderr.txt"))
        .and_then(|file| file.take(4 << 20).read_to_string(&mut text));
    if let Err(error) = read {
        text = error.to_string();
    }
    let shown = text.chars().take(400).collect::<String>();
    if !matches!(status, Some(0..=2)) {
        return Err(format!("ended with {status:?}: {shown}"));
    }
    // Traces of a fault of ours, and of the insides of engines.
    for word in [
        "panicked",
        "overflowed its stack",
        "RUST_BACKTRACE",
        "unwrap()",
        "this is a bug",
        "Some(",
        "BinaryOp",
        "Ident {",
        "ValueWithSpan",
        "Resolved plan until failure",
    ] {
        if text.contains(word) {
            return Err(format!("says `{word}`: {shown}"));
        }
    }
    if text.len() > 300_000 {
        return Err(format!("says {} bytes", text.len()));
    }
    untouched(folder.path()).map(|()| cost)
}

fn untouched(folder: &Path) -> Result<(), String> {
    let canary = fs::read_to_string(folder.join("canary.txt")).unwrap_or_default();
    let mut names: Vec<String> = fs::read_dir(folder)
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    if canary != "alive" || names != ["canary.txt", "stderr.txt", "work"] {
        return Err(format!("touched what is outside: {names:?}"));
    }
    Ok(())
}

/// Waits for the end; ends what takes too much.
fn watched(child: &mut Child) -> Result<(Option<i32>, Cost), String> {
    let started = Instant::now();
    let mut cost = Cost::default();
    loop {
        measure(child.id(), &mut cost);
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok((status.code(), cost));
        }
        // A process that waits takes no processor time.
        let late = cost.seconds > MOST_SECONDS || started.elapsed() > Duration::from_secs(90);
        if late || cost.memory > MOST_MEMORY {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!(
                "took {:.1} s and {} MB",
                cost.seconds,
                cost.memory / 1000
            ));
        }
        std::thread::sleep(Duration::from_millis(15));
    }
}

/// What a process has used so far, on systems that tell it.
fn measure(process: u32, cost: &mut Cost) {
    /// Of processor time, on every Linux.
    const TICKS_PER_SECOND: f64 = 100.0;
    if let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat"))
        && let Some((_, rest)) = stat.rsplit_once(')')
    {
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
        if let (Some(user), Some(system)) = (ticks(11), ticks(12)) {
            cost.seconds = cost.seconds.max((user + system) / TICKS_PER_SECOND);
        }
    }
    if let Ok(status) = fs::read_to_string(format!("/proc/{process}/status"))
        && let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))
        && let Some(peak) = peak.split_whitespace().next()
    {
        cost.memory = cost.memory.max(peak.parse().unwrap_or(0));
    }
}
