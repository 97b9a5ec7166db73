//! Builds nothing: a package that has `links`, so that there is one of it in a program, has a build script.
#![allow(clippy::print_stdout, reason = "cargo reads it")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
