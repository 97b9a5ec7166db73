//! `laktory init`: a folder that `laktory run` and `laktory test` work in.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use laktory::core::Registry;
use laktory::syntax::Diagnostic;
use laktory::{Planning, Project, Surroundings};

use crate::args::{InitArgs, Template};
use crate::exit::Failure;
use crate::log::Detail;
use crate::out::{self, print};

/// A file of a template: its path, and what it holds.
type TemplateFile = (&'static str, &'static str);

/// The pipeline of every template.
const PIPELINE: &str = "pipeline.yaml";

/// The files of a folder below `templates/`; `.gitignore` has another name there, so that it does not hide any.
macro_rules! template {
    ($name:literal: $($path:literal),*) => {
        &[
            (".gitignore", include_str!(concat!("../../templates/", $name, "/gitignore"))),
            $(($path, include_str!(concat!("../../templates/", $name, "/", $path)))),*
        ]
    };
}

impl Template {
    fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Medallion => "medallion",
            Self::Quality => "quality",
            Self::MultiEngine => "multi-engine",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Minimal => "one source, one statement, one output",
            Self::Medallion => "bronze, silver and gold, with a join and a parameter",
            Self::Quality => "rules that warn, drop, quarantine and stop",
            Self::MultiEngine => "nodes on two engines",
        }
    }

    fn files(self) -> &'static [TemplateFile] {
        match self {
            Self::Minimal => {
                template!("minimal": "pipeline.yaml", "pipeline.test.yaml", "data/orders.csv")
            }
            Self::Medallion => template!(
                "medallion": "pipeline.yaml", "pipeline.test.yaml", "data/trades.jsonl", "data/symbols.csv"
            ),
            Self::Quality => {
                template!("quality": "pipeline.yaml", "pipeline.test.yaml", "data/readings.csv")
            }
            Self::MultiEngine => {
                template!("multi-engine": "pipeline.yaml", "pipeline.test.yaml", "data/orders.csv")
            }
        }
    }
}

/// Every template.
const ALL: [Template; 4] = [
    Template::Minimal,
    Template::Medallion,
    Template::Quality,
    Template::MultiEngine,
];

/// Writes the files of a template, none of which may be there.
pub(crate) fn init(args: &InitArgs, detail: Detail, registry: &Registry) -> Result<(), Failure> {
    let template = match args.template {
        Some(template) => template,
        None if args.yes || !asks() => Template::Minimal,
        None => ask()?,
    };
    runnable(template, registry)?;
    let here = args.folder == Path::new(".");
    let folder = if here { Path::new("") } else { &args.folder };
    let files = template.files();
    let present: Vec<String> = files
        .iter()
        .map(|(path, _)| folder.join(path))
        .filter(|path| fs::symlink_metadata(path).is_ok())
        .map(|path| format!("`{}`", path.display()))
        .collect();
    if !present.is_empty() {
        let verb = if present.len() == 1 {
            "exists"
        } else {
            "exist"
        };
        let message = format!("{} {verb}, and nothing was written", present.join(", "));
        let fault = Diagnostic::error("exists", message);
        return Err(Failure::usage(vec![
            fault.hint("name another folder: `laktory init my-pipeline`"),
        ]));
    }
    for (path, text) in files {
        let path = folder.join(path);
        write(&path, text).map_err(|error| {
            let message = format!("cannot write `{}`: {error}", path.display());
            Failure::failed(vec![Diagnostic::error("io", message)])
        })?;
        if detail > Detail::Quiet {
            print(&format!("wrote {}", path.display()))?;
        }
    }
    if detail > Detail::Quiet {
        let enter = match here {
            true => String::new(),
            false => format!("  cd {}\n", args.folder.display()),
        };
        print(&format!("\nNow:\n{enter}  laktory test\n  laktory run"))?;
    }
    Ok(())
}

/// Whether there is somebody to answer.
fn asks() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a template until one is named.
fn ask() -> Result<Template, Failure> {
    out::tell("Which template?");
    for (number, template) in ALL.iter().enumerate() {
        let (name, about) = (template.name(), template.about());
        out::tell(&format!("  {}  {name:<14}{about}", number + 1));
    }
    loop {
        out::tell("A number or a name (1):");
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        let read = read.map_err(laktory::core::Error::from)?;
        let answer = answer.trim();
        if read == 0 {
            return Err(Failure::interrupted());
        }
        if answer.is_empty() {
            return Ok(Template::Minimal);
        }
        let number = answer.parse::<usize>().ok();
        let by_number = number.and_then(|number| ALL.get(number.wrapping_sub(1)).copied());
        let by_name = || ALL.into_iter().find(|template| template.name() == answer);
        if let Some(template) = by_number.or_else(by_name) {
            return Ok(template);
        }
    }
}

/// Refuses a template that this program has not all engines for.
fn runnable(template: Template, registry: &Registry) -> Result<(), Failure> {
    let text = template.files().iter().find(|(path, _)| *path == PIPELINE);
    let (name, text) = text.copied().unwrap_or_default();
    let surroundings = Surroundings::of_process();
    let project = Project::parse(name, text.as_bytes(), &surroundings)?;
    let planned = project.plan(registry, &Planning::default());
    let is_engine = |fault: &Diagnostic| fault.code.contains("backend");
    match planned {
        Err(faults) if faults.iter().any(is_engine) => {
            let engines = faults.into_iter().filter(is_engine);
            let told = engines.map(|mut fault| {
                fault.message = format!("template `{}`: {}", template.name(), fault.message);
                fault.span = None;
                fault
            });
            Err(Failure::usage(told.collect()))
        }
        _ => Ok(()),
    }
}

/// A new file, with the folders above it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
