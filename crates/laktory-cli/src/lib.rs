//! The `laktory` command, as a library: a custom binary with its own drivers is five lines.
//!
//! Arguments, rendering and exit codes only; everything else is in the crates below. Data goes to standard output, logs
//! and errors to standard error.

mod args;
mod commands;
mod cut_off;
mod environment;
mod exit;
mod log;
mod out;
mod progress;
mod render;
mod summary;

use std::process::ExitCode;

use clap::Parser as _;
use laktory::core::Registry;

use crate::args::Args;
use crate::exit::Failure;

/// Runs the command line of this process with the given backends.
///
/// Exit codes: 0 success, 1 the run failed, 2 usage or an invalid pipeline, 130 interrupted.
#[must_use]
pub fn run(registry: laktory::core::Result<Registry>) -> ExitCode {
    /// Stack of the thread that does the work, in bytes, whatever the system gives to the first one. Only pages that are
    /// reached cost anything.
    const STACK: usize = 64 << 20;
    let thread = std::thread::Builder::new().name("laktory".to_owned());
    match thread.stack_size(STACK).spawn(|| work(registry)) {
        Ok(work) => work
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        Err(error) => {
            let error = laktory::core::Error::from(error).context("the system gives no thread");
            fail(&Failure::failed(vec![laktory::diagnostic(&error)]))
        }
    }
}

fn fail(failure: &Failure) -> ExitCode {
    render::failure(failure);
    if failure.leaves_threads {
        cut_off::end_at_once(failure.code);
    }
    ExitCode::from(failure.code)
}

fn work(registry: laktory::core::Result<Registry>) -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version come here too.
            out::clap(&error);
            let code = u8::try_from(error.exit_code()).unwrap_or(exit::USAGE);
            return ExitCode::from(code);
        }
    };
    quiet_engine_panics();
    survive_file_limits();
    let outcome = registry
        .map_err(|error| Failure::usage(vec![laktory::diagnostic(&error)]))
        .and_then(|registry| {
            laktory::enough_resources()?;
            commands::dispatch(&args, &registry)
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

/// A file that reaches the limit of the process (`ulimit -f`) is an error of writing, not the end of the process.
fn survive_file_limits() {
    #[cfg(unix)]
    {
        /// `SIGXFSZ` on Linux, the BSDs and macOS.
        const FILE_SIZE_EXCEEDED: i32 = 25;
        let seen = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        // Without it, everything else works.
        let _ = signal_hook::flag::register(FILE_SIZE_EXCEEDED, seen);
    }
}

/// A panic of an engine is caught at the border of its driver and becomes an error with a place; the engine's own words
/// on standard error would only be noise. Panics of our own code on this thread, which works for the command itself, are bugs
/// of ours, and speak.
fn quiet_engine_panics() {
    let speak = std::panic::take_hook();
    let own = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        let is_ours = |place: &std::panic::Location<'_>| place.file().contains("laktory");
        if std::thread::current().id() == own && panic.location().is_none_or(is_ours) {
            speak(panic);
        }
    }));
}
