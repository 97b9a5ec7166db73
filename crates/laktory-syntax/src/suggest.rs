//! "Did you mean": the nearest known name to an unknown one.

/// Longest name that is compared with others, in bytes.
const LONGEST: usize = 200;

/// The candidate nearest to `unknown`, when it is near enough to be a likely slip.
#[must_use]
pub fn nearest<'a>(
    unknown: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // No slip is that long, and comparing takes time with the length.
    if unknown.len() > LONGEST {
        return None;
    }
    let wanted = unknown.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| {
            let longest = wanted.chars().count().max(candidate.chars().count());
            // Of a short name little is left when two letters differ.
            *distance <= (longest / 3).max(1) && *distance < longest
        })
        .min_by_key(|(distance, candidate)| (*distance, candidate.len()))
        .map(|(_, candidate)| candidate)
}

/// Names that a hint lists.
const MOST_NAMES: usize = 64;

/// A hint naming the nearest candidate, or else the known names: all options of a format, not all functions.
#[must_use]
pub fn did_you_mean<'a>(
    unknown: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(name) = nearest(unknown, candidates.clone()) {
        return Some(format!("did you mean `{name}`?"));
    }
    let mut names: Vec<&str> = Vec::new();
    for name in candidates {
        if names.len() < MOST_NAMES && !names.contains(&name) {
            names.push(name);
        }
    }
    let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    (!known.is_empty()).then(|| format!("known here: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_slips_and_refuses_strangers() {
        let keys = ["source", "sources", "sinks", "transformer"];
        assert_eq!(nearest("sorces", keys), Some("sources"));
        assert_eq!(nearest("tranformer", keys), Some("transformer"));
        assert_eq!(nearest("xyz", keys), None);
    }
}
