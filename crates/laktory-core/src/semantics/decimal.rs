//! Division and rounding of decimals, which are whole numbers of units here: 1.50 of scale 2 is 150, and one is 100.

use std::cmp::Ordering;

/// The greatest number of 38 digits.
const MOST: u128 = 10_u128.pow(38) - 1;

/// What is made of two decimals, neither of them by zero. It has the greater of their scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// The quotient, rounded half to even.
    Quotient,
    /// The quotient, rounded down to a whole number.
    Floored,
    /// What the rounded down quotient leaves: it has the sign of the divisor.
    Modulo,
    /// What the cut quotient leaves: it has the sign of the dividend.
    Remainder,
}

impl Division {
    /// What comes out of units of two scales, in units of the greater one; none when that has more than 38 digits, or is
    /// divided by zero. What is computed on the way may have more.
    #[must_use]
    pub fn of(self, (a, scale): (i128, u8), (b, by): (i128, u8)) -> Option<i128> {
        if b == 0 {
            return None;
        }
        let other_sign = (a < 0) != (b < 0);
        let (dividend, divisor) = (a.unsigned_abs(), b.unsigned_abs());
        let greater = scale.max(by);
        if self == Self::Quotient {
            // A dividend beyond 256 bits leaves more than 38 digits, whatever the divisor is.
            let (quotient, rest) = Wide::of(dividend)
                .tens(by + (greater - scale))?
                .divided(divisor);
            let up = match (rest * 2).cmp(&divisor) {
                Ordering::Greater => true,
                Ordering::Equal => quotient.low % 2 != 0,
                Ordering::Less => false,
            };
            return signed(quotient.narrow()?.checked_add(up.into())?, other_sign);
        }
        let divisor = Wide::of(divisor).tens(greater - by)?;
        let (quotient, rest) = match divisor.narrow() {
            Some(divisor) => Wide::of(dividend).tens(greater - scale)?.divided(divisor),
            // It is not scaled then, and less than a divisor of so many digits.
            None => (Wide::of(0), dividend),
        };
        let below = rest != 0 && other_sign;
        match self {
            Self::Modulo if below => {
                let Wide { high, low } = divisor;
                let (low, borrowed) = low.overflowing_sub(rest);
                let rest = Wide {
                    high: high - u128::from(borrowed),
                    low,
                };
                signed(rest.narrow()?, b < 0)
            }
            Self::Modulo | Self::Remainder => signed(rest, a < 0),
            _ => {
                let whole = quotient.narrow()?.checked_add(below.into())?;
                signed(Wide::of(whole).tens(greater)?.narrow()?, other_sign)
            }
        }
    }

    /// How messages call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quotient | Self::Floored => "quotient",
            Self::Modulo | Self::Remainder => "remainder",
        }
    }
}

/// A whole number of 256 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wide {
    high: u128,
    low: u128,
}

impl Wide {
    fn of(low: u128) -> Self {
        Self { high: 0, low }
    }

    /// The number with so many zeros behind it, if that has no more than 256 bits.
    fn tens(self, zeros: u8) -> Option<Self> {
        /// 10 to the power of it fits 128 bits.
        const AT_ONCE: u8 = 38;
        let (mut number, mut left) = (self, zeros);
        while left > 0 {
            let factor = 10_u128.pow(left.min(AT_ONCE).into());
            let (low, carried) = number.low.carrying_mul(factor, 0);
            let high = number.high.checked_mul(factor)?.checked_add(carried)?;
            number = Self { high, low };
            left = left.saturating_sub(AT_ONCE);
        }
        Some(number)
    }

    /// The quotient, and what is left over. The divisor has no more than 127 bits and one, so that twice a rest fits.
    fn divided(self, divisor: u128) -> (Self, u128) {
        let (high, mut rest) = (self.high / divisor, self.high % divisor);
        if rest == 0 {
            let low = self.low / divisor;
            return (Self { high, low }, self.low % divisor);
        }
        let mut low = 0;
        for bit in (0..u128::BITS).rev() {
            rest = rest << 1 | (self.low >> bit & 1);
            low <<= 1;
            if rest >= divisor {
                rest -= divisor;
                low |= 1;
            }
        }
        (Self { high, low }, rest)
    }

    /// The number, if that has no more than 127 bits.
    fn narrow(self) -> Option<u128> {
        (self.high == 0 && self.low <= i128::MAX.unsigned_abs()).then_some(self.low)
    }
}

/// A number of so many units, if that has no more than 38 digits.
fn signed(units: u128, negative: bool) -> Option<i128> {
    let number = i128::try_from(units).ok()?;
    fitting(if negative { -number } else { number })
}

fn fitting(value: i128) -> Option<i128> {
    (value.unsigned_abs() <= MOST).then_some(value)
}

/// A quotient, rounded half to even.
#[must_use]
pub fn divided(a: i128, b: i128) -> i128 {
    let (quotient, rest) = (a / b, a % b);
    let sign = if (a < 0) == (b < 0) { 1 } else { -1 };
    match (rest.unsigned_abs() * 2).cmp(&b.unsigned_abs()) {
        Ordering::Greater => quotient + sign,
        Ordering::Equal if quotient % 2 != 0 => quotient + sign,
        _ => quotient,
    }
}

/// The nearest number that ends in so many zeros, halves away from zero; none when it has more than 38 digits.
#[must_use]
pub fn ending_in_zeros(value: i128, zeros: u32) -> Option<i128> {
    let Some(unit) = power_of_ten(zeros) else {
        return Some(0);
    };
    let (quotient, rest) = (value / unit, value % unit);
    let up = rest.unsigned_abs() * 2 >= unit.unsigned_abs();
    let away = if up { value.signum() } else { 0 };
    (quotient + away).checked_mul(unit).and_then(fitting)
}

/// 10 to the power of an exponent, if that is a number of at most 38 digits.
#[must_use]
pub fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_follow_the_division() {
        let all = |a, b| {
            [
                Division::Quotient,
                Division::Floored,
                Division::Modulo,
                Division::Remainder,
            ]
            .map(|division| division.of((a, 2), (b, 2)))
        };
        assert_eq!(all(750, 200), [375, 300, 150, 150].map(Some));
        assert_eq!(all(-750, 200), [-375, -400, 50, -150].map(Some));
        assert_eq!(all(750, -200), [-375, -400, -50, 150].map(Some));
        assert_eq!(all(1, 0), [None; 4]);
    }

    #[test]
    fn what_fits_comes_out_however_long_it_is_on_its_way() {
        let tens = |zeros| 10_i128.pow(zeros);
        let (quotient, floored) = (Division::Quotient, Division::Floored);
        // 200 of 18 digits by 2, and the longest number by itself, by a half and by three.
        assert_eq!(quotient.of((200 * tens(18), 18), (2, 0)), Some(tens(20)));
        let most = tens(38) - 1;
        assert_eq!(quotient.of((most, 19), (most, 19)), Some(tens(19)));
        assert_eq!(quotient.of((most, 0), (most, 0)), Some(1));
        assert_eq!(quotient.of((most, 18), (5, 1)), None);
        assert_eq!(quotient.of((-most, 18), (3, 0)), Some(-most / 3));
        assert_eq!(quotient.of((1, 0), (3, 10)), Some(tens(20) / 3));
        // Halves go to the even one.
        assert_eq!(quotient.of((tens(37) * 2 + 1, 20), (2, 0)), Some(tens(37)));
        assert_eq!(
            quotient.of((tens(37) * 2 + 3, 20), (2, 0)),
            Some(tens(37) + 2)
        );
        // 29 whole digits beside a divisor of ten more digits.
        assert_eq!(
            floored.of((tens(28), 0), (tens(18) * 3, 10)),
            Some(tens(20) / 3 * tens(10))
        );
        assert_eq!(
            Division::Modulo.of((most, 0), (-7 * tens(10), 10)),
            Some(-6 * tens(10))
        );
        assert_eq!(Division::Remainder.of((-1, 38), (most, 0)), Some(-1));
        assert_eq!(Division::Modulo.of((-1, 38), (most, 0)), None);
        assert_eq!(floored.of((-1, 10), (most, 0)), Some(-tens(10)));
    }

    #[test]
    fn more_than_38_digits_are_none() {
        let most = 10_i128.pow(38) - 1;
        assert_eq!(Division::Floored.of((most, 2), (1, 2)), None);
        assert_eq!(Division::Quotient.of((most, 0), (1, 2)), None);
        assert_eq!(ending_in_zeros(most, 1), None);
        assert_eq!(ending_in_zeros(most, 40), Some(0));
        assert_eq!(ending_in_zeros(-15, 1), Some(-20));
        assert_eq!(ending_in_zeros(14, 1), Some(10));
    }
}
