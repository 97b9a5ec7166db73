//! Every conformance case of laktory, on this driver. What it does not do is what `lib.rs` declares as capabilities, and
//! what `gaps.yaml` lists.

use laktory_arrowlite::ARROWLITE;
use laktory_core::BackendConfig;

fn main() -> std::process::ExitCode {
    let gaps = include_str!("../gaps.yaml");
    laktory_testkit::test_driver(&ARROWLITE, gaps, BackendConfig::new())
}
