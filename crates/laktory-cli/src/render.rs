//! Diagnostics for people (the line, a caret, a hint), for editors (one line each), and for programs (JSON).

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use laktory::syntax::{Diagnostic, Diagnostics, Severity, Span};
use serde_json::json;

use crate::args::ErrorFormat;
use crate::exit::Failure;

static FORMAT: AtomicU8 = AtomicU8::new(0);

/// Bytes of a fault that are marked; a longer one is marked on its first line only.
const LONGEST_SPAN: usize = 400;

/// Chooses how diagnostics are printed by this process.
pub(crate) fn set_format(format: ErrorFormat) {
    let code = match format {
        ErrorFormat::Text => 0,
        ErrorFormat::Short => 1,
        ErrorFormat::Json => 2,
    };
    FORMAT.store(code, Ordering::Relaxed);
}

/// Prints the faults of a command that did not succeed.
pub(crate) fn failure(failure: &Failure) {
    let told = print(&failure.diagnostics);
    let errors = told.iter().filter(|fault| fault.is_error()).count();
    let counted = told.iter().any(|fault| fault.code == Diagnostics::MORE);
    if errors > 1 && !counted && FORMAT.load(Ordering::Relaxed) == 0 {
        let _ = writeln!(anstream::stderr(), "{errors} errors");
    }
}

/// Prints diagnostics to standard error, each once and not without end; what was printed.
pub(crate) fn print(diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut told = Diagnostics::default();
    let (counts, found): (Vec<_>, Vec<_>) =
        distinct(diagnostics).partition(|found| found.code == Diagnostics::MORE);
    told.extend(found.into_iter().cloned());
    let mut told = told.into_vec();
    told.extend(counts.into_iter().cloned());
    let mut stderr = anstream::stderr().lock();
    for diagnostic in &told {
        let text = match FORMAT.load(Ordering::Relaxed) {
            0 => long(diagnostic),
            1 => format!("{diagnostic}\n"),
            _ => format!("{}\n", machine(diagnostic)),
        };
        // Nothing can be said when standard error is gone.
        let _ = stderr.write_all(text.as_bytes());
    }
    told
}

/// Each fault once: what is written once and used in several nodes (an anchor, a merge key) fails in all of them.
fn distinct(diagnostics: &[Diagnostic]) -> impl Iterator<Item = &Diagnostic> {
    let mut told = HashSet::new();
    diagnostics.iter().filter(move |diagnostic| {
        diagnostic.span.as_ref().is_none_or(|span| {
            told.insert((
                span.file.name(),
                span.start,
                span.end,
                diagnostic.message.as_str(),
            ))
        })
    })
}

fn long(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str());
    let mut group = Group::with_title(title);
    if let Some(span) = &diagnostic.span {
        group = group.element(snippet(
            span,
            diagnostic.path.as_deref(),
            AnnotationKind::Primary,
        ));
    } else if let Some(path) = &diagnostic.path {
        group = group.element(Level::NOTE.message(format!("at {path}")));
    }
    for (span, label) in &diagnostic.related {
        group = group.element(snippet(span, Some(label), AnnotationKind::Context));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    format!("{}\n\n", Renderer::styled().render(&[group]))
}

fn snippet<'a>(
    span: &'a Span,
    label: Option<&'a str>,
    kind: AnnotationKind,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = span.file.text();
    let start = span.start.min(text.len());
    let mut end = span.end.clamp(start, text.len());
    if end - start > LONGEST_SPAN {
        end = text[start..]
            .find('\n')
            .map_or(end, |length| start + length);
    }
    // Only the lines around the fault are handed over: a file may have many thousands.
    let first = span.file.position(start).line;
    let window = span.file.line_range(first.saturating_sub(2).max(1)).start;
    let last = span.file.position(end).line;
    let window_end = span.file.line_range(last + 1).end.max(end);
    let line = span.file.position(window).line;
    let mut annotation = kind.span(start - window..end - window);
    if let Some(label) = label {
        annotation = annotation.label(label);
    }
    Snippet::source(&text[window..window_end])
        .line_start(line)
        .path(span.file.name())
        .annotation(annotation)
}

fn machine(diagnostic: &Diagnostic) -> serde_json::Value {
    let place = diagnostic.span.as_ref().map(|span| {
        let start = span.position();
        let end = span.file.position(span.end);
        json!({
            "file": span.file.name(),
            "line": start.line,
            "column": start.column,
            "end_line": end.line,
            "end_column": end.column,
        })
    });
    json!({
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "place": place,
        "path": diagnostic.path,
        "hint": diagnostic.hint,
    })
}
