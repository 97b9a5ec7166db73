//! The reference of steps.

use std::fmt::Write as _;

use serde_json::Value;

use super::examples;
use super::page::{backends, contents, doc, entries, groups, parameters, text};

pub(super) fn render(docs: &Value) -> String {
    let steps = entries(docs, &["step"]);
    let groups = groups(&steps);
    let mut page = contents(&groups, |step| text(&step["name"]).to_owned());
    page.push('\n');
    for (group, members) in &groups {
        let _ = write!(page, "\n## {group}\n");
        for step in members {
            let _ = write!(page, "\n### {}\n\n", text(&step["name"]));
            let _ = write!(page, "`{}`\n\n{}\n\n", text(&step["call"]), doc(step));
            let listed = parameters(step);
            if !listed.is_empty() {
                let _ = write!(page, "{listed}\n\n");
            }
            if let Some(backends) = backends(step) {
                let _ = write!(page, "{backends}\n\n");
            }
            let example = &step["example"];
            let _ = write!(page, "```yaml\n{}\n```\n", text(&example["text"]));
            let _ = writeln!(page, "{}", examples::frames(example));
        }
    }
    page
}
