//! Pipelines compiled for tests, and two backends: LEFT can do everything, RIGHT less.

use laktory_core::{
    BackendDescriptor, Capabilities, Format, Func, Kind, OpKind, ReadsAs, Registry, RoundTrip,
    Support,
};
use laktory_model::{DataFrameApi, Finding, LoadOptions, Pipeline, load};
use laktory_plan::{Handover, Plan, PlanOptions, compile};
use laktory_testkit::recorder::{Profile, backend, everything};

static LEFT: BackendDescriptor = backend::<Left>("LEFT", &["L"]);
static RIGHT: BackendDescriptor = backend::<Right>("RIGHT", &[]);

struct Left;

impl Profile for Left {
    fn descriptor() -> &'static BackendDescriptor {
        &LEFT
    }

    fn capabilities() -> Capabilities {
        let mut capabilities = everything();
        for formats in [&mut capabilities.reads, &mut capabilities.writes] {
            formats.get_mut(&Format::Csv).unwrap().options = &["separator", "include_header"];
        }
        let csv = RoundTrip::new(
            &[Kind::Integer],
            &[
                ("separator", ReadsAs::Option("separator")),
                ("include_header", ReadsAs::Header),
            ],
        );
        capabilities.round_trips.insert(Format::Csv, csv);
        capabilities
    }
}

struct Right;

impl Profile for Right {
    fn descriptor() -> &'static BackendDescriptor {
        &RIGHT
    }

    fn capabilities() -> Capabilities {
        let mut capabilities = everything();
        let reason = "pivoting is planned for version 2";
        capabilities
            .ops
            .insert(OpKind::Pivot, Support::NotYet { reason });
        capabilities.ops.insert(OpKind::JoinAsof, Support::Never);
        capabilities.funcs.insert(Func::Median, Support::Never);
        capabilities.user_aggregates = Support::Never;
        capabilities.reads.remove(&Format::Ipc);
        capabilities
            .reads
            .get_mut(&Format::JsonLines)
            .unwrap()
            .schema = false;
        capabilities.writes.remove(&Format::Json);
        capabilities
    }
}

pub(crate) fn registry() -> Registry {
    Registry::new([&LEFT, &RIGHT]).unwrap()
}

pub(crate) fn options() -> PlanOptions {
    PlanOptions {
        selects: None,
        default_backend: "LEFT".to_owned(),
        backend: None,
        default_api: DataFrameApi::Narwhals,
        write: true,
        survey: Default::default(),
    }
}

/// Options with a selection.
pub(crate) fn selecting(selects: &[&str]) -> PlanOptions {
    PlanOptions {
        selects: Some(selects.iter().map(|item| (*item).to_owned()).collect()),
        ..options()
    }
}

/// The pipeline of a text that the model accepts.
pub(crate) fn pipeline(yaml: &str) -> Pipeline {
    let loaded = load("p.yaml", yaml.as_bytes(), &LoadOptions::default());
    loaded
        .pipeline
        .unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

pub(crate) fn plan_with(yaml: &str, options: &PlanOptions) -> Plan {
    let (plan, findings) = compile(&pipeline(yaml), &registry(), options);
    plan.unwrap_or_else(|| panic!("{}", shown(&findings).join("\n")))
}

pub(crate) fn plan(yaml: &str) -> Plan {
    plan_with(yaml, &options())
}

/// Each finding as `place: code: message; hint`.
pub(crate) fn findings_with(yaml: &str, options: &PlanOptions) -> Vec<String> {
    let (plan, findings) = compile(&pipeline(yaml), &registry(), options);
    let failed = findings.iter().any(Finding::is_error);
    assert_eq!(plan.is_none(), failed, "{findings:?}");
    shown(&findings)
}

pub(crate) fn findings(yaml: &str) -> Vec<String> {
    findings_with(yaml, &options())
}

fn shown(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let hint = finding.hint.as_ref().map(|hint| format!("; {hint}"));
            let Finding {
                path,
                code,
                message,
                ..
            } = finding;
            format!("{path}: {code}: {message}{}", hint.unwrap_or_default())
        })
        .collect()
}

pub(crate) fn names(plan: &Plan) -> Vec<&str> {
    plan.nodes.iter().map(|node| node.name.as_str()).collect()
}

pub(crate) fn handover(plan: &Plan, node: &str) -> Handover {
    plan.node(node).unwrap().handover
}
