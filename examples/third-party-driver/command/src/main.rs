//! The `laktory` command with one backend, ARROWLITE.

// Naming the crate is what makes the linker keep its backend.
use laktory_arrowlite as _;

fn main() -> std::process::ExitCode {
    laktory_cli::run(laktory::registry())
}
