//! The `laktory` command with the functions of this crate.

// Naming the crate is what makes the linker keep its functions.
use custom_functions as _;

fn main() -> std::process::ExitCode {
    laktory_cli::run(laktory::registry())
}
