//! `laktory backends` and `laktory version`.

use std::fmt::Write as _;

use laktory::core::{Capabilities, Func, OpKind, Registry, Support, user};

use crate::args::BackendsArgs;
use crate::commands::capabilities;
use crate::exit::Failure;
use crate::out::{print, print_json};

/// Lists the backends of this build.
pub(crate) fn backends(args: &BackendsArgs, registry: &Registry) -> Result<(), Failure> {
    if args.json {
        return print_json(&capabilities::machine(registry, args.all));
    }
    let mut text = String::new();
    for backend in registry.iter() {
        let capabilities = (backend.capabilities)();
        let default = if backend.name == laktory::DEFAULT_BACKEND {
            " (default)"
        } else {
            ""
        };
        let _ = writeln!(text, "{}{default}", backend.name);
        let _ = writeln!(text, "  engine   {}", backend.engine);
        let _ = writeln!(
            text,
            "  driver   {} (contract {})",
            backend.provided_by, backend.contract
        );
        if !backend.aliases.is_empty() {
            let _ = writeln!(text, "  aliases  {}", backend.aliases.join(", "));
        }
        let formats = |formats: &std::collections::BTreeMap<_, laktory::core::FormatSupport>| {
            let names: Vec<String> = formats
                .iter()
                .filter(|(_, support)| support.support.is_available())
                .map(|(format, _): (&laktory::core::Format, _)| format.to_string())
                .collect();
            names.join(", ")
        };
        let _ = writeln!(text, "  reads    {}", formats(&capabilities.reads));
        let _ = writeln!(text, "  writes   {}", formats(&capabilities.writes));
        if args.all {
            all(&mut text, &capabilities);
        }
    }
    if text.is_empty() {
        text.push_str("this build has no backend");
        if let Some(hint) = registry
            .get(laktory::DEFAULT_BACKEND)
            .err()
            .and_then(|error| error.hint().map(str::to_owned))
        {
            let _ = write!(text, "; {hint}");
        }
    }
    functions(&mut text, registry);
    print(text.trim_end())
}

/// Functions that crates beside laktory's own registered.
fn functions(text: &mut String, registry: &Registry) {
    if user::functions().next().is_none() {
        return;
    }
    text.push_str("functions\n");
    for function in user::functions() {
        let backends: Vec<&str> = registry
            .iter()
            .filter(|backend| {
                function
                    .support(backend.name, &(backend.capabilities)())
                    .is_available()
            })
            .map(|backend| backend.name)
            .collect();
        let params: Vec<&str> = function.params.iter().map(|param| param.name).collect();
        let _ = writeln!(
            text,
            "  {}({})  {}\n    {}, on {}",
            function.name,
            params.join(", "),
            function.doc,
            function.provided_by,
            if backends.is_empty() {
                "no backend of this build".to_owned()
            } else {
                backends.join(", ")
            }
        );
    }
}

fn all(text: &mut String, capabilities: &Capabilities) {
    let _ = writeln!(text, "  steps");
    for &kind in OpKind::ALL {
        let _ = writeln!(
            text,
            "    {:<16} {}",
            kind.name(),
            shown(capabilities.op(kind))
        );
    }
    let _ = writeln!(text, "  functions");
    for def in Func::all() {
        let _ = writeln!(
            text,
            "    {:<24} {}",
            def.path,
            shown(capabilities.func(def.func))
        );
    }
}

fn shown(support: Support) -> String {
    match support {
        Support::Full => "yes".to_owned(),
        Support::Partial { note } => format!("partly: {note}"),
        Support::NotYet { reason } => format!("not yet: {reason}"),
        _ => "no".to_owned(),
    }
}

/// Versions of laktory and of its engines.
pub(crate) fn versions(registry: &Registry) -> String {
    let mut text = format!("laktory {}", env!("CARGO_PKG_VERSION"));
    for backend in registry.iter() {
        let _ = write!(text, "\n{:<10} {}", backend.name, backend.engine);
    }
    let _ = write!(
        text,
        "\nplatform   {}-{}",
        std::env::consts::ARCH,
        std::env::consts::OS
    );
    text
}
