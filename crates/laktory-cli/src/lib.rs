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

use clap::Parser as _;
use laktory::core::Registry;

use crate::args::Args;
use crate::exit::Failure;

/// Runs the command line of this process with the given backends.
///
/// Exit codes: 0 success, 1 the run failed, 2 usage or an invalid pipeline, 130 interrupted.
#[must_use]
pub fn run(registry: laktory::core::Result<Registry>) -> std::process::ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version come here too.
            out::clap(&error);
            let code = u8::try_from(error.exit_code()).unwrap_or(exit::USAGE);
            return std::process::ExitCode::from(code);
        }
    };
    quiet_engine_panics();
    survive_file_limits();
    let outcome = registry
        .map_err(|error| Failure::usage(vec![laktory::diagnostic(&error)]))
        .and_then(|registry| commands::dispatch(&args, &registry));
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            render::failure(&failure);
            std::process::ExitCode::from(failure.code)
        }
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
/// on standard error would only be noise. Panics of the main thread are bugs of ours, and speak.
fn quiet_engine_panics() {
    let speak = std::panic::take_hook();
    let main = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == main {
            speak(panic);
        }
    }));
}
