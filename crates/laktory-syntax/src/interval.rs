//! Interval texts such as `15m` or `1mo`, and names of time zones, as far as they can be judged without data.

use crate::limits::{MAX_YEARS, is_endless};

/// How an interval is written.
pub(crate) const HINT: &str =
    "a number and a unit, such as `15m`: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `mo`, `q`, `y`";

const UNITS: &[&str] = &["ns", "us", "ms", "s", "m", "h", "d", "mo", "q", "y"];

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|char: char| !char.is_ascii_digit())?;
    let (count, unit) = text.split_at(end);
    let count = count.parse().ok()?;
    UNITS.contains(&unit).then_some((count, unit))
}

/// Accepts an interval of `dt.truncate`: not negative, one unit, and multiples only where calendars have them. None of a
/// unit changes nothing.
pub(crate) fn truncate(text: &str) -> Result<(), String> {
    let Some((count, unit)) = split(text) else {
        return Err(format!("`{text}` is not an interval"));
    };
    bounded(text, count, unit)?;
    let allowed: &[u64] = match unit {
        "y" => &[1],
        "mo" => &[1, 2, 3, 4, 6, 12],
        "q" => &[1, 2, 4],
        _ => return Ok(()),
    };
    if allowed.contains(&count) {
        return Ok(());
    }
    let allowed: Vec<String> = allowed.iter().map(u64::to_string).collect();
    Err(format!(
        "the unit `{unit}` takes the multiples {}, not {count}",
        allowed.join(", ")
    ))
}

fn bounded(text: &str, count: u64, unit: &str) -> Result<(), String> {
    #[allow(
        clippy::cast_precision_loss,
        reason = "compared with a limit far below"
    )]
    if is_endless(count as f64, unit) {
        return Err(format!("`{text}` is longer than {MAX_YEARS} years"));
    }
    Ok(())
}

/// Accepts an interval of `dt.offset_by`, which may be negative.
pub(crate) fn offset(text: &str) -> Result<(), String> {
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    match split(magnitude) {
        Some((count, unit)) => bounded(text, count, unit),
        None => Err(format!("`{text}` is not an interval")),
    }
}

/// Whether a text has the shape of an IANA zone of a known area. Engines check it against their own database.
pub(crate) fn plausible_zone(zone: &str) -> bool {
    const AREAS: &[&str] = &[
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Brazil",
        "Canada",
        "Chile",
        "Etc",
        "Europe",
        "Indian",
        "Mexico",
        "Pacific",
        "US",
    ];
    match zone.split_once('/') {
        Some((area, place)) => AREAS.contains(&area) && !place.is_empty(),
        None => {
            let mut chars = zone.chars();
            let offset = chars.next().is_some_and(|sign| sign == '+' || sign == '-')
                && chars.all(|char| char.is_ascii_digit() || char == ':');
            offset
                || zone.len() >= 2
                    && zone
                        .chars()
                        .all(|char| char.is_ascii_alphanumeric() || char == '-' || char == '+')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncate_takes_one_unit() {
        for good in ["0d", "1d", "15m", "1mo", "3mo", "1q", "1y", "250ms"] {
            assert_eq!(truncate(good), Ok(()), "{good}");
        }
        for bad in ["1w", "2y", "1x", "1.5h", "", "d", "-1d", "1d12h", "7mo"] {
            assert!(truncate(bad).is_err(), "{bad}");
        }
        assert_eq!(offset("-1mo"), Ok(()));
        assert!(offset("1w").is_err());
    }

    #[test]
    fn zones_need_a_known_area() {
        for good in [
            "UTC",
            "Europe/Paris",
            "America/Argentina/Salta",
            "+01:00",
            "Etc/GMT+5",
            "CET",
        ] {
            assert!(plausible_zone(good), "{good}");
        }
        for bad in ["Nope/Zone", "", "Europe/", "x y"] {
            assert!(!plausible_zone(bad), "{bad}");
        }
    }
}
