//! Which rows of two sides belong together, in any order: as many as can. Equal rows find each other by their keys; only those
//! that floats keep apart are compared one by one.

use std::collections::HashMap;

use super::values::is_near;

/// How many pairs of rows are compared at most.
const MOST_PAIRS: usize = 2_000_000;

/// No row.
const NONE: usize = usize::MAX;

/// What is known of a row before it is compared with any.
#[derive(Clone, Debug, Default)]
pub(super) struct Key {
    /// The values in which equal rows are the same.
    pub exact: String,
    /// All values, floats among them.
    pub whole: String,
    /// The float that comes first among its columns, where it is a finite one.
    pub float: Option<f64>,
}

/// How rows are compared.
pub(super) struct Rule<'a> {
    /// Whether an expected row and one that came are the same.
    pub is_same: &'a dyn Fn(usize, usize) -> bool,
    /// Whether there is anything that makes rows the same whose keys differ.
    pub is_tolerant: bool,
    /// Whether the float of the keys is the only one.
    pub is_single: bool,
    /// How far that float may be off.
    pub tolerance: f64,
}

/// What belongs together.
#[derive(Debug, Default)]
pub(super) struct Matched {
    /// Of each expected row the one that came.
    pub partners: Vec<Option<usize>>,
    /// Whether there were too many pairs to compare all.
    pub is_cut: bool,
}

/// Finds for as many expected rows as can be one row that came, each another one. An expected row without a key has none.
pub(super) fn matched(expected: &[Option<Key>], found: &[Key], rule: &Rule<'_>) -> Matched {
    let mut groups: HashMap<&str, (Vec<usize>, Vec<usize>)> = HashMap::new();
    for (row, key) in expected.iter().enumerate() {
        if let Some(key) = key {
            groups.entry(&key.exact).or_default().0.push(row);
        }
    }
    for (row, key) in found.iter().enumerate() {
        if let Some(group) = groups.get_mut(key.exact.as_str()) {
            group.1.push(row);
        }
    }
    let mut matching = Matching {
        expected,
        found,
        rule,
        partner: vec![NONE; expected.len()],
        taken: vec![NONE; found.len()],
        left: MOST_PAIRS,
    };
    // In the order of the document, which the limit makes matter.
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_unstable();
    for (rows, candidates) in &groups {
        matching.group(rows, candidates);
    }
    Matched {
        is_cut: matching.left == 0,
        partners: (matching.partner.iter())
            .map(|&found| (found != NONE).then_some(found))
            .collect(),
    }
}

struct Matching<'a> {
    expected: &'a [Option<Key>],
    found: &'a [Key],
    rule: &'a Rule<'a>,
    partner: Vec<usize>,
    taken: Vec<usize>,
    /// Pairs that may be compared yet.
    left: usize,
}

impl Matching<'_> {
    /// Rows whose exact values are the same.
    fn group(&mut self, rows: &[usize], candidates: &[usize]) {
        self.equal(rows, candidates);
        let is_open = |all: &[usize], taken: &[usize]| all.iter().any(|&row| taken[row] == NONE);
        let unequal = is_open(rows, &self.partner) && is_open(candidates, &self.taken);
        if !unequal || !self.rule.is_tolerant {
            return;
        }
        let float = |row: &usize| self.expected[*row].as_ref().and_then(|key| key.float);
        if self.rule.is_single {
            let floats: Vec<(usize, f64)> = (rows.iter())
                .filter_map(|row| Some((*row, float(row)?)))
                .collect();
            if self.near(floats, candidates) {
                return;
            }
        }
        let mut candidates = candidates.to_vec();
        candidates.sort_by(|&one, &other| {
            let float = |row: usize| self.found[row].float.unwrap_or(f64::INFINITY);
            float(one).total_cmp(&float(other))
        });
        self.augment(rows, &candidates);
    }

    /// Pairs of rows that are equal in all.
    fn equal(&mut self, rows: &[usize], candidates: &[usize]) {
        let mut equal: HashMap<&str, Vec<usize>> = HashMap::new();
        for &row in candidates.iter().rev() {
            equal.entry(&self.found[row].whole).or_default().push(row);
        }
        for &row in rows {
            let Some(key) = &self.expected[row] else {
                continue;
            };
            let Some(open) = equal.get_mut(key.whole.as_str()) else {
                continue;
            };
            // Texts of values can be the same where the values are not.
            let same = |left: &mut usize, found: usize| {
                *left = left.saturating_sub(1);
                *left > 0 && (self.rule.is_same)(row, found)
            };
            let first = open.last().copied();
            let at = match first {
                Some(last) if (self.rule.is_same)(row, last) => Some(open.len() - 1),
                Some(_) => (0..open.len()).rfind(|&at| same(&mut self.left, open[at])),
                None => None,
            };
            if let Some(at) = at {
                let found = open.remove(at);
                self.partner[row] = found;
                self.taken[found] = row;
            }
        }
    }

    /// Rows that differ in one float: each, by the upper end of what it takes, gets the lowest that it can. False when
    /// they differ in something else, though its text is the same; what fits is kept.
    fn near(&mut self, mut rows: Vec<(usize, f64)>, candidates: &[usize]) -> bool {
        let tolerance = self.rule.tolerance;
        let mut open: Vec<(f64, usize)> = (candidates.iter())
            .filter_map(|&row| Some((self.found[row].float?, row)))
            .collect();
        open.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        rows.sort_by(|one, other| {
            let end = |float: f64| float + tolerance * float.abs();
            end(one.1).total_cmp(&end(other.1))
        });
        for &(row, _) in &rows {
            self.partner[row] = NONE;
        }
        for &(_, row) in &open {
            self.taken[row] = NONE;
        }
        // The next one that is open, at or behind each.
        let mut next: Vec<usize> = (0..=open.len()).collect();
        let mut all_fit = true;
        for (row, float) in rows {
            let first = open
                .partition_point(|&(found, _)| found < float && !is_near(float, found, tolerance));
            let at = follow(&mut next, first);
            let Some(&(found, candidate)) = open.get(at) else {
                continue;
            };
            if !is_near(float, found, tolerance) {
                continue;
            }
            next[at] = at + 1;
            match (self.rule.is_same)(row, candidate) {
                true => {
                    self.partner[row] = candidate;
                    self.taken[candidate] = row;
                }
                false => all_fit = false,
            }
        }
        all_fit
    }

    /// Finds partners for the rows that have none, others changing theirs where that makes room. `candidates` are sorted by
    /// their floats.
    fn augment(&mut self, rows: &[usize], candidates: &[usize]) {
        let mut near: HashMap<usize, Vec<usize>> = HashMap::new();
        let open: Vec<usize> = (rows.iter().copied())
            .filter(|&row| self.partner[row] == NONE)
            .collect();
        // What cannot be reached by a row without success cannot be by another one, until a partner changes.
        let mut seen: Vec<bool> = vec![false; self.found.len()];
        for start in open {
            let mut way: Vec<(usize, usize)> = vec![(start, 0)];
            let mut reached: Vec<usize> = Vec::new();
            let mut end = None;
            while let Some((row, at)) = way.last_mut() {
                if !near.contains_key(row) {
                    let Some(found) = self.near_to(*row, candidates) else {
                        return;
                    };
                    near.insert(*row, found);
                }
                let Some(&candidate) = near[row].get(*at) else {
                    way.pop();
                    continue;
                };
                *at += 1;
                if std::mem::replace(&mut seen[candidate], true) {
                    continue;
                }
                reached.push(candidate);
                match self.taken[candidate] {
                    NONE => {
                        end = Some(candidate);
                        break;
                    }
                    holder => way.push((holder, 0)),
                }
            }
            let Some(_) = end else { continue };
            // Each on the way takes the one that it looked at last.
            for &(row, at) in &way {
                let candidate = near[&row][at - 1];
                self.partner[row] = candidate;
                self.taken[candidate] = row;
            }
            for candidate in reached {
                seen[candidate] = false;
            }
        }
    }

    /// The candidates that are the same as a row; none when too many are compared.
    fn near_to(&mut self, row: usize, candidates: &[usize]) -> Option<Vec<usize>> {
        let float = self.expected[row].as_ref().and_then(|key| key.float);
        let window = match float {
            Some(float) => {
                let of = |row: &usize| self.found[*row].float.unwrap_or(f64::INFINITY);
                let tolerance = self.rule.tolerance;
                let from = candidates
                    .partition_point(|row| of(row) < float && !is_near(float, of(row), tolerance));
                let to = candidates
                    .partition_point(|row| of(row) <= float || is_near(float, of(row), tolerance));
                &candidates[from..to]
            }
            None => candidates,
        };
        if window.len() >= self.left {
            self.left = 0;
            return None;
        }
        self.left -= window.len();
        let same = window.iter().copied();
        Some(
            same.filter(|&found| (self.rule.is_same)(row, found))
                .collect(),
        )
    }
}

/// The end of a chain, which is shortened on the way.
fn follow(next: &mut [usize], start: usize) -> usize {
    let mut end = start;
    while next[end] != end {
        end = next[end];
    }
    let mut at = start;
    while next[at] != end && at != end {
        at = std::mem::replace(&mut next[at], end);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of rows of floats are matched, and whether all were compared.
    fn count(expected: &[&[f64]], found: &[&[f64]], tolerance: f64) -> (usize, bool) {
        let key = |row: &&[f64]| Key {
            exact: String::new(),
            whole: format!("{row:?}"),
            float: row.first().copied(),
        };
        let is_same = |at: usize, to: usize| {
            let mut pairs = expected[at].iter().zip(found[to]);
            pairs.all(|(expected, found)| is_near(*expected, *found, tolerance))
        };
        let rule = Rule {
            is_same: &is_same,
            is_tolerant: true,
            is_single: expected.iter().chain(found).all(|row| row.len() == 1),
            tolerance,
        };
        let keys: Vec<Option<Key>> = expected.iter().map(|row| Some(key(row))).collect();
        let came: Vec<Key> = found.iter().map(key).collect();
        let matched = matched(&keys, &came, &rule);
        let mut partners: Vec<usize> = matched.partners.iter().flatten().copied().collect();
        let all = partners.len();
        partners.sort_unstable();
        partners.dedup();
        assert_eq!(partners.len(), all, "each another one");
        (all, matched.is_cut)
    }

    #[test]
    fn as_many_as_can_belong_together() {
        // 10.5 takes both, 9.5 the lower one only.
        let one = count(&[&[10.5], &[9.5]], &[&[10.0], &[11.0]], 0.06);
        assert_eq!(one, (2, false));
        let two = count(
            &[&[10.5, 1.0], &[9.5, 1.0]],
            &[&[10.0, 1.0], &[11.0, 1.0]],
            0.06,
        );
        assert_eq!(two, (2, false));
        // The equal pair has to part.
        let one = count(&[&[10.0], &[10.5]], &[&[10.0], &[9.5]], 0.05);
        assert_eq!(one, (2, false));
        let two = count(
            &[&[10.0, 1.0], &[10.5, 1.0]],
            &[&[10.0, 1.0], &[9.5, 1.0]],
            0.05,
        );
        assert_eq!(two, (2, false));
        assert_eq!(count(&[&[1.0], &[1.0]], &[&[1.0]], 0.1), (1, false));
    }

    #[test]
    fn many_rows_are_matched_in_time() {
        let side = |columns: usize, off: f64| -> Vec<Vec<f64>> {
            let row = |row: u32| vec![f64::from(row + 1) * off; columns];
            (0..30_000).map(row).collect()
        };
        for columns in [1, 2] {
            let (expected, mut found) = (side(columns, 1.0), side(columns, 1.0 + 1e-10));
            found.reverse();
            let expected: Vec<&[f64]> = expected.iter().map(Vec::as_slice).collect();
            let found: Vec<&[f64]> = found.iter().map(Vec::as_slice).collect();
            assert_eq!(count(&expected, &found, 1e-9), (30_000, false));
        }
        let (expected, found) = (side(1, 1.0), side(1, 1.01));
        let expected: Vec<&[f64]> = expected.iter().map(Vec::as_slice).collect();
        let found: Vec<&[f64]> = found.iter().map(Vec::as_slice).collect();
        assert_eq!(count(&expected, &found, 0.9), (30_000, false));
    }

    #[test]
    fn too_many_pairs_are_told() {
        let expected = vec![vec![1.0, 1.0]; 3_000];
        let found = vec![vec![1.0, 1.1]; 3_000];
        let expected: Vec<&[f64]> = expected.iter().map(Vec::as_slice).collect();
        let found: Vec<&[f64]> = found.iter().map(Vec::as_slice).collect();
        let (_, is_cut) = count(&expected, &found, 0.01);
        assert!(is_cut);
    }
}
