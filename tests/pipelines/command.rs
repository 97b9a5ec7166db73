//! The command under test.

fn main() -> std::process::ExitCode {
    laktory_cli::run(laktory::registry())
}
