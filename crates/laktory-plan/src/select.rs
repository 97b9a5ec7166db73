//! Which nodes a run is for: `x`, `*x`, `x*`, `*x*` by node name, task name or tag (R-SEL-1 to R-SEL-6).

use laktory_syntax::did_you_mean;

use crate::dag::Dag;

/// What selection looks at of each node.
#[derive(Clone, Debug)]
pub(crate) struct Selectable<'a> {
    /// Node name.
    pub(crate) name: &'a str,
    /// Task that the node belongs to.
    pub(crate) task: &'a str,
    /// Tags.
    pub(crate) tags: &'a [String],
}

/// A selection that matches nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownSelection {
    /// The item as given.
    pub(crate) item: String,
    /// Nearest names.
    pub(crate) hint: Option<String>,
}

/// Marks the selected nodes. No selection selects all; an empty one selects none (R-SEL-4).
///
/// # Errors
/// One entry for each item that matches no node, task or tag.
pub(crate) fn select(
    items: Option<&[String]>,
    nodes: &[Selectable<'_>],
    dag: &Dag,
) -> Result<Vec<bool>, Vec<UnknownSelection>> {
    let Some(items) = items else {
        return Ok(vec![true; nodes.len()]);
    };
    let mut marks = vec![false; nodes.len()];
    let mut unknown = Vec::new();
    for item in items {
        let (upstream, rest) = match item.strip_prefix('*') {
            Some(rest) => (true, rest),
            None => (false, item.as_str()),
        };
        let (downstream, name) = match rest.strip_suffix('*') {
            Some(name) => (true, name),
            None => (false, rest),
        };
        let matches = matching(name, nodes);
        if matches.is_empty() {
            let known = nodes.iter().flat_map(|node| {
                std::iter::once(node.name).chain(node.tags.iter().map(String::as_str))
            });
            // `slv_*` looks like a pattern.
            let is_pattern = item.contains('*')
                && !name.is_empty()
                && known
                    .clone()
                    .any(|known| known.contains(name.trim_matches('*')));
            let hint = match is_pattern {
                true => Some(
                    "`*` is no wildcard: `*x` is `x` with all before it, `x*` with all behind it"
                        .to_owned(),
                ),
                false => did_you_mean(name, known),
            };
            unknown.push(UnknownSelection {
                item: item.clone(),
                hint,
            });
        }
        for node in matches {
            marks[node] = true;
            if upstream {
                dag.mark_ancestors(node, &mut marks);
            }
            if downstream {
                dag.mark_descendants(node, &mut marks);
            }
        }
    }
    if unknown.is_empty() {
        Ok(marks)
    } else {
        Err(unknown)
    }
}

/// A node name wins over task names and tags (R-SEL-1).
fn matching(name: &str, nodes: &[Selectable<'_>]) -> Vec<usize> {
    if let Some(node) = nodes.iter().position(|node| node.name == name) {
        return vec![node];
    }
    nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.task == name || node.tags.iter().any(|tag| tag == name))
        .map(|(index, _)| index)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dag::DagNode;
    use laktory_model::Path;

    fn selected(items: Option<&[&str]>) -> Result<Vec<&'static str>, Vec<UnknownSelection>> {
        let names = ["brz", "slv", "gld", "other"];
        let edges = [vec![], vec!["brz"], vec!["slv"], vec![]];
        let nodes: Vec<DagNode<'_>> = names
            .iter()
            .zip(&edges)
            .map(|(name, upstream)| DagNode {
                name,
                upstream: upstream
                    .iter()
                    .map(|above| ((*above).to_owned(), Path::root()))
                    .collect(),
                place: Path::root(),
                reasons: std::collections::BTreeMap::new(),
            })
            .collect();
        let dag = Dag::build(&nodes).unwrap();
        let tags = [
            vec!["gld".to_owned(), "raw".to_owned()],
            vec![],
            vec![],
            vec!["raw".to_owned()],
        ];
        let tasks = ["node-brz", "node-slv", "node-gld", "node-other"];
        let selectable: Vec<Selectable<'_>> = (0..4)
            .map(|index| Selectable {
                name: names[index],
                task: tasks[index],
                tags: &tags[index],
            })
            .collect();
        let items: Option<Vec<String>> =
            items.map(|items| items.iter().map(|item| (*item).to_owned()).collect());
        let marks = select(items.as_deref(), &selectable, &dag)?;
        Ok((0..4)
            .filter(|&index| marks[index])
            .map(|index| names[index])
            .collect())
    }

    #[test]
    fn r_sel_1_to_6_forms() {
        assert_eq!(selected(None).unwrap(), ["brz", "slv", "gld", "other"]);
        assert!(selected(Some(&[])).unwrap().is_empty());
        assert_eq!(selected(Some(&["slv"])).unwrap(), ["slv"]);
        assert_eq!(selected(Some(&["*slv"])).unwrap(), ["brz", "slv"]);
        assert_eq!(selected(Some(&["slv*"])).unwrap(), ["slv", "gld"]);
        assert_eq!(selected(Some(&["*slv*"])).unwrap(), ["brz", "slv", "gld"]);
        assert_eq!(
            selected(Some(&["gld"])).unwrap(),
            ["gld"],
            "a node name wins over a tag"
        );
        assert_eq!(selected(Some(&["raw"])).unwrap(), ["brz", "other"]);
        assert_eq!(selected(Some(&["node-brz"])).unwrap(), ["brz"]);
        assert_eq!(
            selected(Some(&["gld", "brz", "brz"])).unwrap(),
            ["brz", "gld"]
        );
    }

    #[test]
    fn r_sel_2_what_matches_nothing_is_an_error() {
        for item in ["*", "**", " slv", "slvv"] {
            assert_eq!(selected(Some(&[item])).unwrap_err()[0].item, item);
        }
        let unknown = selected(Some(&["slvv"])).unwrap_err();
        assert_eq!(unknown[0].hint.as_deref(), Some("did you mean `slv`?"));
    }
}
