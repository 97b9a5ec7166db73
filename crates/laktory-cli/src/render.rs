//! Diagnostics for people (the line, a caret, a hint), for editors (one line each), and for programs (JSON).

use std::collections::HashSet;
use std::sync::atomic::{AtomicU8, Ordering};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use laktory::syntax::{Diagnostic, Diagnostics, Severity, Span, shortened, visible, visible_lines};
use serde_json::json;

use crate::args::ErrorFormat;
use crate::exit::Failure;
use crate::out;

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
        out::tell(&format!("{errors} errors"));
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
    for diagnostic in &mut told {
        // Whatever a hint repeats of the user's text.
        diagnostic.message = shortened(std::mem::take(&mut diagnostic.message));
        diagnostic.hint = diagnostic.hint.take().map(shortened);
    }
    for diagnostic in &told {
        match FORMAT.load(Ordering::Relaxed) {
            0 => out::tell_styled(&long(diagnostic)),
            1 => out::tell(&visible(&diagnostic.to_string())),
            _ => out::tell_json(&machine(diagnostic)),
        }
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

/// The words of a diagnostic, and the lines that it shows, with nothing in them that a terminal would obey.
struct Clean {
    message: String,
    hint: Option<String>,
    path: Option<String>,
    place: Option<Lines>,
    related: Vec<(Lines, String)>,
}

/// Lines of a file around a fault.
struct Lines {
    file: String,
    first: usize,
    text: String,
    marked: std::ops::Range<usize>,
}

fn clean(diagnostic: &Diagnostic) -> Clean {
    let text = |text: &String| visible_lines(text).into_owned();
    let place = diagnostic.span.as_ref();
    let path = match (place.filter(|span| is_endless(span)), &diagnostic.path) {
        (Some(span), Some(path)) => Some(format!("{} ({path})", span.location())),
        (Some(span), None) => Some(span.location()),
        (None, path) => path.clone(),
    };
    Clean {
        message: text(&diagnostic.message),
        hint: diagnostic.hint.as_ref().map(text),
        path: path.map(|path| visible(&path).into_owned()),
        place: place.filter(|span| !is_endless(span)).map(lines),
        related: diagnostic
            .related
            .iter()
            .filter(|(span, _)| !is_endless(span))
            .map(|(span, label)| (lines(span), text(label)))
            .collect(),
    }
}

/// Whether the lines around a fault are so long that only its place is told, since each would be laid out whole.
fn is_endless(span: &Span) -> bool {
    const LONGEST_LINES: usize = 50_000;
    let line = span.file.position(span.start).line;
    let start = span.file.line_range(line.saturating_sub(2).max(1)).start;
    span.file.line_range(line + 1).end.saturating_sub(start) > LONGEST_LINES
}

fn lines(span: &Span) -> Lines {
    let text = span.file.text();
    // Those who count bytes may end within a character.
    let start = text.floor_char_boundary(span.start);
    let mut end = text.ceil_char_boundary(span.end.max(start));
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
    let clean = |part: std::ops::Range<usize>| out::hidden(&visible_lines(&text[part]));
    let mut shown = clean(window..start);
    let from = shown.len();
    shown.push_str(&clean(start..end));
    let to = shown.len();
    shown.push_str(&clean(end..window_end));
    Lines {
        file: visible(span.file.name()).into_owned(),
        first: span.file.position(window).line,
        text: shown,
        marked: from..to,
    }
}

fn long(diagnostic: &Diagnostic) -> String {
    let shown = clean(diagnostic);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(shown.message.as_str()));
    let path = shown.path.as_deref();
    if let Some(place) = &shown.place {
        group = group.element(snippet(place, path, AnnotationKind::Primary));
    } else if let Some(path) = path {
        group = group.element(Level::NOTE.message(format!("at {path}")));
    }
    for (place, label) in &shown.related {
        group = group.element(snippet(place, Some(label), AnnotationKind::Context));
    }
    if let Some(hint) = &shown.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    let renderer = match out::error_width() {
        Some(width) => Renderer::styled().term_width(width),
        None => Renderer::styled(),
    };
    format!("{}\n\n", renderer.render(&[group]))
}

fn snippet<'a>(
    lines: &'a Lines,
    label: Option<&'a str>,
    kind: AnnotationKind,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let mut annotation = kind.span(lines.marked.clone());
    if let Some(label) = label {
        annotation = annotation.label(label);
    }
    Snippet::source(lines.text.as_str())
        .line_start(lines.first)
        .path(lines.file.as_str())
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
