//! The outcomes of tests for programs: JSON, and the XML that JUnit made common.

use std::fmt::Write as _;

use laktory::testing::{TestStatus, render};
use serde_json::json;

use super::Done;
use crate::exit::Failure;
use crate::out::{print, print_json};

fn word(status: TestStatus) -> &'static str {
    match status {
        TestStatus::Passed => "passed",
        TestStatus::Failed => "failed",
        TestStatus::Invalid => "invalid",
    }
}

/// Every test, with all that differs.
pub(super) fn json(done: &[Done]) -> Result<(), Failure> {
    let count = |status| {
        let all = done.iter().filter(|done| done.outcome.status == status);
        all.count()
    };
    let tests: Vec<_> = done
        .iter()
        .map(|done| {
            let outcome = &done.outcome;
            let errors: Vec<String> = (outcome.diagnostics.iter())
                .map(ToString::to_string)
                .collect();
            json!({
                "name": done.name,
                "file": done.file.display().to_string(),
                "pipeline": done.pipeline.display().to_string(),
                "node": done.node,
                "backend": done.backend,
                "status": word(outcome.status),
                "seconds": outcome.took.as_secs_f64(),
                "differences": outcome.differences,
                "errors": errors,
            })
        })
        .collect();
    print_json(&json!({
        "version": 1,
        "passed": count(TestStatus::Passed),
        "failed": count(TestStatus::Failed),
        "invalid": count(TestStatus::Invalid),
        "tests": tests,
    }))
}

/// A suite for each file and backend.
pub(super) fn junit(done: &[Done]) -> Result<(), Failure> {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let bad = |done: &[Done], status| {
        let all = done.iter().filter(|done| done.outcome.status == status);
        all.count()
    };
    let seconds = |done: &[Done]| -> f64 {
        let took = done.iter().map(|done| done.outcome.took.as_secs_f64());
        took.sum()
    };
    let head = |indent: &str, tag: &str, name: &str, part: &[Done]| {
        format!(
            "{indent}<{tag} name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3}\">\n",
            escaped(name),
            part.len(),
            bad(part, TestStatus::Failed),
            bad(part, TestStatus::Invalid),
            seconds(part)
        )
    };
    xml.push_str(&head("", "testsuites", "laktory", done));
    for part in done.chunk_by(|a, b| a.file == b.file && a.backend == b.backend) {
        let Some(first) = part.first() else { continue };
        let name = match first.backend.as_str() {
            "" => first.file.display().to_string(),
            backend => format!("{} ({backend})", first.file.display()),
        };
        xml.push_str(&head("  ", "testsuite", &name, part));
        for done in part {
            case(&mut xml, done);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>");
    print(&xml)
}

fn case(xml: &mut String, done: &Done) {
    let outcome = &done.outcome;
    // Writing to a String cannot fail.
    let _ = write!(
        xml,
        "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" time=\"{:.3}\"",
        escaped(&done.name),
        escaped(&done.node),
        escaped(&done.file.display().to_string()),
        outcome.took.as_secs_f64()
    );
    let tag = match outcome.status {
        TestStatus::Passed => {
            xml.push_str("/>\n");
            return;
        }
        TestStatus::Failed => "failure",
        TestStatus::Invalid => "error",
    };
    let mut text = render(&outcome.differences, None);
    let mut lines: Vec<String> = (outcome.diagnostics.iter())
        .map(ToString::to_string)
        .collect();
    if !text.is_empty() {
        lines.insert(0, std::mem::take(&mut text));
    }
    let text = lines.join("\n");
    let message = text.lines().next().unwrap_or_default();
    let _ = writeln!(
        xml,
        ">\n      <{tag} message=\"{}\">{}</{tag}>\n    </testcase>",
        escaped(message),
        escaped(&text)
    );
}

/// Text as XML takes it; characters that it has no form for are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn xml_has_no_text_of_its_own_in_it() {
        assert_eq!(escaped("a<b>&\"\u{1b}\n"), "a&lt;b&gt;&amp;&quot;\n");
    }
}
