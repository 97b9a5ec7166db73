//! Units of measurement: which exist, which convert into one another, and the factor between them.

use crate::error::{Error, ErrorKind, Result};

/// Dimension, name, and size in the unit that comes first in its dimension.
const UNITS: &[(&str, &str, f64)] = &[
    ("length", "m", 1.0),
    ("length", "mm", 1e-3),
    ("length", "cm", 1e-2),
    ("length", "km", 1e3),
    ("length", "in", 0.0254),
    ("length", "ft", FOOT),
    ("length", "mi", MILE),
    ("length", "NM", 1852.0),
    ("mass", "kg", 1.0),
    ("mass", "g", 1e-3),
    ("mass", "mg", 1e-6),
    ("mass", "lb", POUND),
    ("mass", "slug", SLUG),
    ("time", "s", 1.0),
    ("time", "min", MINUTE),
    ("time", "h", HOUR),
    ("time", "d", DAY),
    ("time", "week", 7.0 * DAY),
    ("time", "month", 365.0 / 12.0 * DAY),
    ("time", "a", 365.0 * DAY),
    ("time", "ms", 1e-3),
    ("time", "mus", 1e-6),
    ("time", "ns", 1e-9),
    ("area", "m2", 1.0),
    ("area", "mm2", 1e-6),
    ("area", "cm2", 1e-4),
    ("area", "km2", 1e6),
    ("area", "in2", 0.0254 * 0.0254),
    ("area", "ft2", FOOT * FOOT),
    ("area", "mi2", MILE * MILE),
    ("volume", "m3", 1.0),
    ("volume", "mm3", 1e-9),
    ("volume", "cm3", 1e-6),
    ("volume", "km3", 1e9),
    ("volume", "in3", 0.0254 * 0.0254 * 0.0254),
    ("volume", "ft3", FOOT * FOOT * FOOT),
    ("volume", "mi3", MILE * MILE * MILE),
    ("speed", "m/s", 1.0),
    ("speed", "ft/s", FOOT),
    ("speed", "km/h", 1.0 / 3.6),
    ("speed", "ft/min", FOOT / MINUTE),
    ("speed", "fpm", FOOT / MINUTE),
    ("speed", "kt", KNOT),
    ("angle", "rad", 1.0),
    ("angle", "deg", DEGREE),
    ("angular speed", "rad/s", 1.0),
    ("angular speed", "deg/s", DEGREE),
    ("mass flow", "kg/s", 1.0),
    ("mass flow", "kg/h", 1.0 / HOUR),
    ("mass flow", "lb/s", POUND),
    ("mass flow", "lb/h", POUND / HOUR),
    ("frequency", "Hz", 1.0),
    ("frequency", "1/s", 1.0),
    ("frequency", "1/min", 1.0 / MINUTE),
    ("frequency", "rpm", 1.0 / MINUTE),
    ("frequency", "kHz", 1e3),
    ("frequency", "MHz", 1e6),
    ("force", "N", 1.0),
    ("force", "kg*m/s2", 1.0),
    ("force", "kN", 1e3),
    ("pressure", "Pa", 1.0),
    ("pressure", "N/m2", 1.0),
    ("pressure", "kg/m/s2", 1.0),
    ("pressure", "kPa", 1e3),
    ("pressure", "MPa", 1e6),
    ("pressure", "bar", 1e5),
    ("pressure", "mbar", 1e2),
    ("pressure", "psi", PSI),
    ("pressure", "lb/in2", PSI),
    ("pressure", "psf", PSI / 144.0),
    ("pressure", "lb/ft2", PSI / 144.0),
    ("energy", "J", 1.0),
    ("energy", "N*m", 1.0),
    ("energy", "m2*kg/s2", 1.0),
    ("energy", "lb*ft", POUND * GRAVITY * FOOT),
    ("energy", "lb*in", POUND * GRAVITY * 0.0254),
    ("power", "W", 1.0),
    ("power", "kg*m2/s3", 1.0),
    ("power", "J/s", 1.0),
    ("power", "kW", 1e3),
    ("power", "MW", 1e6),
    ("power", "hp", 550.0 * POUND * GRAVITY * FOOT),
    ("power", "ft*lb/s", POUND * GRAVITY * FOOT),
    ("power", "ft*lb/min", POUND * GRAVITY * FOOT / MINUTE),
    ("density", "kg/m3", 1.0),
    ("density", "g/m3", 1e-3),
    ("density", "slug/ft3", SLUG / (FOOT * FOOT * FOOT)),
];

const FOOT: f64 = 0.3048;
const MILE: f64 = 1609.344;
const POUND: f64 = 0.453_592_37;
const GRAVITY: f64 = 9.806_65;
const SLUG: f64 = POUND * GRAVITY / FOOT;
const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;
const KNOT: f64 = 1852.0 / HOUR;
const DEGREE: f64 = std::f64::consts::PI / 180.0;
const PSI: f64 = POUND * GRAVITY / (0.0254 * 0.0254);

/// Temperature scales: size of a degree in kelvins, and the scale's zero in kelvins.
const SCALES: &[(&str, f64, f64)] = &[
    ("C", 1.0, 273.15),
    ("K", 1.0, 0.0),
    ("F", 5.0 / 9.0, 459.67 * 5.0 / 9.0),
    ("R", 5.0 / 9.0, 0.0),
];

/// A conversion `value * factor + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Conversion {
    /// Multiplied first.
    pub factor: f64,
    /// Added then; zero except between temperature scales.
    pub offset: f64,
}

impl Conversion {
    /// A value in the other unit.
    #[must_use]
    pub fn apply(&self, value: f64) -> f64 {
        value * self.factor + self.offset
    }
}

fn unit(name: &str) -> Option<(&'static str, f64)> {
    UNITS
        .iter()
        .find(|(_, known, _)| *known == name)
        .map(|(dimension, _, size)| (*dimension, *size))
}

fn scale(name: &str) -> Option<(f64, f64)> {
    SCALES
        .iter()
        .find(|(known, _, _)| *known == name)
        .map(|(_, size, zero)| (*size, *zero))
}

/// What a unit measures: `length`, `temperature`, ...; `None` for an unknown unit.
#[must_use]
pub fn dimension(name: &str) -> Option<&'static str> {
    match scale(name) {
        Some(_) => Some("temperature"),
        None => unit(name).map(|(dimension, _)| dimension),
    }
}

/// The units of a dimension, or of all of them, in the order of the table.
fn known(wanted: Option<&str>) -> String {
    let units = UNITS
        .iter()
        .filter(|(dimension, ..)| wanted.is_none_or(|wanted| wanted == *dimension))
        .map(|(_, name, _)| *name);
    let scales = SCALES
        .iter()
        .filter(|_| wanted.is_none_or(|wanted| wanted == "temperature"))
        .map(|(name, ..)| *name);
    let names: Vec<String> = units
        .chain(scales)
        .map(|name| format!("`{name}`"))
        .collect();
    names.join(", ")
}

/// The conversion from one unit to another.
///
/// # Errors
/// `InvalidArgument` for an unknown unit, or for units that measure different things.
pub fn conversion(from: &str, to: &str) -> Result<Conversion> {
    if let (Some((from_size, from_zero)), Some((to_size, to_zero))) = (scale(from), scale(to)) {
        return Ok(Conversion {
            factor: from_size / to_size,
            offset: (from_zero - to_zero) / to_size,
        });
    }
    if let (Some((quantity, from_size)), Some((other, to_size))) = (unit(from), unit(to))
        && quantity == other
    {
        return Ok(Conversion {
            factor: from_size / to_size,
            offset: 0.0,
        });
    }
    for name in [from, to] {
        if dimension(name).is_none() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("`{name}` is not a known unit"),
            )
            .with_hint(format!("known units: {}", known(None))));
        }
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("`{from}` does not convert into `{to}`"),
    )
    .with_hint(format!("`{from}` converts into {}", known(dimension(from)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_convert_within_their_dimension() {
        let check = |from, to, expected: f64| {
            let converted = conversion(from, to).unwrap().apply(1.0);
            assert!(
                (converted - expected).abs() <= 1e-9 * expected.abs(),
                "{from} {to}: {converted}"
            );
        };
        check("m", "ft", 3.280_839_895_013_124);
        check("slug", "kg", 14.593_902_937_206_364);
        check("C", "F", 33.8);
        check("F", "R", 460.67);
        check("W", "hp", 0.001_341_022_089_595_028);
        check("a", "d", 365.0);
        for (from, to) in [("m", "kg"), ("C", "m"), ("m", "nope")] {
            assert_eq!(
                conversion(from, to).unwrap_err().kind(),
                ErrorKind::InvalidArgument
            );
        }
        assert_eq!(
            conversion("N", "m").unwrap_err().hint(),
            Some("`N` converts into `N`, `kg*m/s2`, `kN`")
        );
    }
}
