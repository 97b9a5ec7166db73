//! Whether two small CSV files hold the same rows. Sums in another order differ in their last digits, which is no
//! difference.

use std::fs;
use std::path::Path;

/// Relative difference of numbers that are the same.
const TOLERANCE: f64 = 1e-9;

/// # Errors
/// The first difference.
pub(crate) fn same_rows(first: &Path, second: &Path) -> Result<(), String> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    same(&read(first)?, &read(second)?)
}

fn same(first: &str, second: &str) -> Result<(), String> {
    let (first, second): (Vec<&str>, Vec<&str>) =
        (first.lines().collect(), second.lines().collect());
    if first.len() != second.len() {
        return Err(format!("{} lines and {} lines", first.len(), second.len()));
    }
    if first.len() < 2 {
        return Err("no rows".to_owned());
    }
    for (number, (a, b)) in first.iter().zip(&second).enumerate() {
        // No text of these queries holds a comma.
        let (cells, others): (Vec<&str>, Vec<&str>) =
            (a.split(',').collect(), b.split(',').collect());
        if cells.len() != others.len() || !cells.iter().zip(&others).all(|(a, b)| same_cell(a, b)) {
            return Err(format!("line {}: `{a}` is not `{b}`", number + 1));
        }
    }
    Ok(())
}

fn same_cell(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_matches('"'), b.trim_matches('"'));
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_digits_do_not_matter_and_all_else_does() {
        assert_eq!(same("a,b\nx,1.0\n", "a,b\n\"x\",1.0000000000001\n"), Ok(()));
        assert!(same("a\n1\n", "a\n1\n2\n").is_err());
        assert!(same("a\n1\n", "a\n1.001\n").is_err());
        assert!(same("a\nx\n", "a\ny\n").is_err());
        assert!(same("a\n", "a\n").is_err());
    }
}
