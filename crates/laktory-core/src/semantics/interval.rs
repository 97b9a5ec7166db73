//! Intervals such as `15m`, `-1d` and `3mo`, the arguments of `dt.truncate` and `dt.offset_by`.

/// A signed distance in time. Months and days are those of a calendar; the rest is a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Calendar months; quarters are three of them, years twelve.
    Months(i64),
    /// Calendar days.
    Days(i64),
    /// A span of nanoseconds, from one of them up to hours.
    Nanoseconds(i64),
}

impl Interval {
    /// A number and a unit: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `mo`, `q`, `y`. None for other texts, and for spans beyond
    /// 64 bits of nanoseconds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix('-').unwrap_or(text);
        let unit = number.trim_start_matches(|character: char| character.is_ascii_digit());
        let count: i64 = number[..number.len() - unit.len()].parse().ok()?;
        let count = if number.len() < text.len() {
            -count
        } else {
            count
        };
        let span = |nanoseconds: i64| count.checked_mul(nanoseconds).map(Self::Nanoseconds);
        match unit {
            "ns" => span(1),
            "us" => span(1_000),
            "ms" => span(1_000_000),
            "s" => span(1_000_000_000),
            "m" => span(60_000_000_000),
            "h" => span(3_600_000_000_000),
            "d" => Some(Self::Days(count)),
            "mo" => Some(Self::Months(count)),
            "q" => Some(Self::Months(count.checked_mul(3)?)),
            "y" => Some(Self::Months(count.checked_mul(12)?)),
            _ => None,
        }
    }

    /// How many months, days or nanoseconds.
    #[must_use]
    pub fn count(self) -> i64 {
        match self {
            Self::Months(count) | Self::Days(count) | Self::Nanoseconds(count) => count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_a_number_and_a_unit() {
        assert_eq!(
            Interval::parse("15m"),
            Some(Interval::Nanoseconds(900_000_000_000))
        );
        assert_eq!(Interval::parse("-1q"), Some(Interval::Months(-3)));
        assert_eq!(Interval::parse("2d"), Some(Interval::Days(2)));
        for text in ["", "d", "1", "1w", "1.5h", "9223372036854775807h", "--1d"] {
            assert_eq!(Interval::parse(text), None, "{text}");
        }
    }
}
