//! The version of the contract, which drivers are written for.

use std::fmt;

/// A version of the contract. `docs/writing-a-driver.md` says what changes with which number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contract {
    major: u16,
    minor: u16,
}

/// The contract of this crate.
pub const CONTRACT: Contract = Contract::new(1, 1);

impl Contract {
    /// A version that a driver was written for.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Whether a driver that was written for `self` does what a program of the contract `program` asks of it: the major
    /// numbers are one, and the program has at least what the driver was written for.
    #[must_use]
    pub const fn fits(self, program: Self) -> bool {
        self.major == program.major && self.minor <= program.minor
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_fits_a_program_of_its_major_that_is_no_older() {
        let program = Contract::new(2, 3);
        for (major, minor, fits) in [
            (2, 0, true),
            (2, 3, true),
            (2, 4, false),
            (1, 9, false),
            (3, 0, false),
        ] {
            assert_eq!(
                Contract::new(major, minor).fits(program),
                fits,
                "{major}.{minor}"
            );
        }
    }
}
