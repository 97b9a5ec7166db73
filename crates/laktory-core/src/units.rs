//! Units of measurement for `laktory.convert_units`: the table of the reference, with factors to SI units.

use crate::error::{Error, ErrorKind, Result};

const FOOT: f64 = 0.3048;
const INCH: f64 = 0.0254;
const MILE: f64 = 1_609.344;
const NAUTICAL_MILE: f64 = 1_852.0;
const POUND: f64 = 0.453_592_37;
const GRAVITY: f64 = 9.806_65;
const POUND_FORCE: f64 = POUND * GRAVITY;
const SLUG: f64 = POUND_FORCE / FOOT;
const DAY: f64 = 86_400.0;
const YEAR: f64 = 365.25 * DAY;
const PI: f64 = std::f64::consts::PI;

/// Groups of units that convert into one another, with the factor of each to the SI unit of the group.
const GROUPS: &[&[(&str, f64)]] = &[
    &[
        ("m", 1.0),
        ("in", INCH),
        ("ft", FOOT),
        ("mi", MILE),
        ("NM", NAUTICAL_MILE),
        ("mm", 1e-3),
        ("cm", 1e-2),
        ("km", 1e3),
    ],
    &[
        ("kg", 1.0),
        ("lb", POUND),
        ("slug", SLUG),
        ("mg", 1e-6),
        ("g", 1e-3),
    ],
    &[
        ("s", 1.0),
        ("min", 60.0),
        ("h", 3_600.0),
        ("d", DAY),
        ("week", 7.0 * DAY),
        ("month", YEAR / 12.0),
        ("a", YEAR),
        ("ms", 1e-3),
        ("mus", 1e-6),
        ("ns", 1e-9),
    ],
    &[
        ("m2", 1.0),
        ("in2", INCH * INCH),
        ("ft2", FOOT * FOOT),
        ("mi2", MILE * MILE),
        ("mm2", 1e-6),
        ("cm2", 1e-4),
        ("km2", 1e6),
    ],
    &[
        ("m3", 1.0),
        ("in3", INCH * INCH * INCH),
        ("ft3", FOOT * FOOT * FOOT),
        ("mi3", MILE * MILE * MILE),
        ("mm3", 1e-9),
        ("cm3", 1e-6),
        ("km3", 1e9),
    ],
    &[
        ("m/s", 1.0),
        ("ft/s", FOOT),
        ("km/h", 1.0 / 3.6),
        ("ft/min", FOOT / 60.0),
        ("kt", NAUTICAL_MILE / 3_600.0),
        ("fpm", FOOT / 60.0),
    ],
    &[("rad", 1.0), ("deg", PI / 180.0)],
    &[("rad/s", 1.0), ("deg/s", PI / 180.0)],
    &[
        ("kg/s", 1.0),
        ("kg/h", 1.0 / 3_600.0),
        ("lb/s", POUND),
        ("lb/h", POUND / 3_600.0),
    ],
    &[
        ("Hz", 1.0),
        ("1/s", 1.0),
        ("1/min", 1.0 / 60.0),
        ("kHz", 1e3),
        ("MHz", 1e6),
        ("rpm", 1.0 / 60.0),
    ],
    &[("N", 1.0), ("kg*m/s2", 1.0), ("kN", 1e3)],
    &[
        ("Pa", 1.0),
        ("N/m2", 1.0),
        ("kg/m/s2", 1.0),
        ("lb/in2", POUND_FORCE / (INCH * INCH)),
        ("lb/ft2", POUND_FORCE / (FOOT * FOOT)),
        ("bar", 1e5),
        ("mbar", 1e2),
        ("kPa", 1e3),
        ("MPa", 1e6),
        ("psi", POUND_FORCE / (INCH * INCH)),
        ("psf", POUND_FORCE / (FOOT * FOOT)),
    ],
    &[
        ("N*m", 1.0),
        ("J", 1.0),
        ("m2*kg/s2", 1.0),
        ("lb*in", POUND_FORCE * INCH),
        ("lb*ft", POUND_FORCE * FOOT),
    ],
    &[
        ("W", 1.0),
        ("kg*m2/s3", 1.0),
        ("J/s", 1.0),
        ("hp", 550.0 * POUND_FORCE * FOOT),
        ("ft*lb/s", POUND_FORCE * FOOT),
        ("ft*lb/min", POUND_FORCE * FOOT / 60.0),
        ("kW", 1e3),
        ("MW", 1e6),
    ],
    &[
        ("kg/m3", 1.0),
        ("g/m3", 1e-3),
        ("slug/ft3", SLUG / (FOOT * FOOT * FOOT)),
    ],
];

/// Scales of temperature: kelvin for one degree, and the zero of the scale in kelvin.
const TEMPERATURES: &[(&str, f64, f64)] = &[
    ("C", 1.0, 273.15),
    ("K", 1.0, 0.0),
    ("F", 5.0 / 9.0, 459.67 * 5.0 / 9.0),
    ("R", 5.0 / 9.0, 0.0),
];

/// Factor and summand that turn values of one unit into values of another.
///
/// # Errors
/// `InvalidArgument` for an unknown unit, or for units of different quantities.
pub fn conversion(from: &str, to: &str) -> Result<(f64, f64)> {
    let scale = |unit: &str| TEMPERATURES.iter().find(|(name, ..)| *name == unit);
    if let (Some((_, from, from_zero)), Some((_, to, to_zero))) = (scale(from), scale(to)) {
        return Ok((from / to, (from_zero - to_zero) / to));
    }
    let find = |unit: &str| {
        GROUPS.iter().find_map(|group| {
            let (_, factor) = group.iter().find(|(name, _)| *name == unit)?;
            Some((*group, *factor))
        })
    };
    for unit in [from, to] {
        if find(unit).is_none() && scale(unit).is_none() {
            let mut known: Vec<&str> = GROUPS
                .iter()
                .flat_map(|group| group.iter().map(|(name, _)| *name))
                .collect();
            known.extend(TEMPERATURES.iter().map(|(name, ..)| *name));
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("there is no unit `{unit}`"),
            )
            .with_hint(format!("known here: {}", known.join(", "))));
        }
    }
    match (find(from), find(to)) {
        (Some((group, factor)), Some((other, divisor))) if std::ptr::eq(group, other) => {
            Ok((factor / divisor, 0.0))
        }
        (group, _) => {
            let units: Vec<&str> = match group {
                Some((group, _)) => group.iter().map(|(name, _)| *name).collect(),
                None => TEMPERATURES.iter().map(|(name, ..)| *name).collect(),
            };
            Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("`{from}` does not convert to `{to}`: they measure different things"),
            )
            .with_hint(format!("`{from}` converts to {}", quoted(&units))))
        }
    }
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_convert_within_their_group_only() {
        let check = |from, to, value: f64, expected: f64| {
            let (factor, shift) = conversion(from, to).unwrap();
            let converted = value * factor + shift;
            assert!(
                (converted - expected).abs() <= 1e-9 * expected.abs(),
                "{from} {to}: {converted}"
            );
        };
        check("m", "ft", 1.0, 3.280_839_895_013_124);
        check("slug", "kg", 1.0, 14.593_902_937_206_364);
        check("C", "F", 1.0, 33.8);
        check("F", "R", 1.0, 460.67);
        check("W", "hp", 1.0, 0.001_341_022_089_595_028);
        assert!(conversion("m", "kg").is_err());
        assert!(conversion("C", "m").is_err());
        assert!(conversion("m", "nope").is_err());
    }
}
