//! The cases of the repository on this driver alone: the short loop, since no other engine is linked.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use laktory_core::Registry;
use laktory_testkit::{Arguments, Gaps, Suite, load_cases};

fn main() -> ExitCode {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let registry = Registry::new([&laktory_datafusion::DATAFUSION]).expect("one driver");
    let suite = Suite {
        gaps: Gaps::load(&here.join("gaps-datafusion"), &registry).expect("gaps"),
        cases: load_cases(&here.join("cases")).expect("cases"),
        registry,
        configs: BTreeMap::new(),
        inspector: None,
        required: Vec::new(),
        more: Vec::new(),
    };
    let arguments = Arguments::from_args();
    let (conclusion, summary) = suite.run(&arguments).expect("suite");
    println!("{summary}");
    conclusion.exit_code()
}
