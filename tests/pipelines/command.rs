//! The command under test, with the functions of an example.

use custom_functions as _;

fn main() -> std::process::ExitCode {
    laktory_cli::run(laktory::registry())
}
