//! Limits of what a text may ask an engine for, in one place: sizes that no table needs, and that would use up the
//! memory of the machine before any engine says a word.

/// Longest text that padding and repeating make, in characters: each row takes that much memory.
pub(crate) const MAX_WIDTH: i64 = 10_000;
/// Longest list that a function makes in a row.
pub(crate) const MAX_LIST: u64 = 1_000_000;
/// Most rows of a sample that may take a row several times, and so be longer than its frame.
pub(crate) const MAX_SAMPLE: u64 = 10_000_000;
/// Longest interval, in years. Datetimes end far earlier, with 64 bits of nanoseconds in the year 2262.
pub(crate) const MAX_YEARS: f64 = 10_000.0;

/// Whether an interval of `count` of a unit is longer than [`MAX_YEARS`]. Names of SQL and of `dt.offset_by` are known;
/// others are left to who reads them.
pub(crate) fn is_endless(count: f64, unit: &str) -> bool {
    let unit = unit.to_ascii_lowercase();
    // `years`, but not `ms`.
    let singular = unit.strip_suffix('s').filter(|unit| unit.len() > 1);
    let per_year = match singular.unwrap_or(&unit) {
        "y" | "year" | "yr" => 1.0,
        "decade" => 0.1,
        "century" | "centurie" => 0.01,
        "millennium" | "millennia" => 0.001,
        "q" | "quarter" | "qtr" => 4.0,
        "mo" | "mon" | "month" => 12.0,
        "w" | "week" => 52.18,
        "d" | "day" => 365.25,
        "h" | "hour" | "hr" => 8_766.0,
        "m" | "min" | "minute" => 525_960.0,
        "s" | "sec" | "second" => 31_557_600.0,
        "ms" | "millisecond" => 31_557_600e3,
        "us" | "microsecond" => 31_557_600e6,
        "ns" | "nanosecond" => 31_557_600e9,
        _ => return false,
    };
    count.abs() > MAX_YEARS * per_year
}

#[cfg(test)]
mod tests {
    use super::is_endless;

    #[test]
    fn intervals_end() {
        for (count, unit) in [(300_000.0, "years"), (1e16, "ms"), (9e18, "D"), (1e6, "mo")] {
            assert!(is_endless(count, unit), "{count} {unit}");
        }
        for (count, unit) in [
            (10_000.0, "year"),
            (1e14, "ms"),
            (100_000.0, "s"),
            (1e9, "fortnight"),
            (9e18, "ns"),
        ] {
            assert!(!is_endless(count, unit), "{count} {unit}");
        }
    }
}
