//! What a window function computes, as its name: plans are compared by names of functions, so two windows with one name
//! must mean one thing.

use laktory_core::{Window, WindowBound as Bound, WindowFrame};

/// In front of every such name.
const PREFIX: &str = "__laktory_window";

/// One key of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) descending: bool,
    pub(super) nulls_last: bool,
}

/// A window function, apart from its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// Name, lower case.
    pub(super) func: String,
    /// How many columns are arguments; partition keys and order keys follow.
    pub(super) args: usize,
    /// Directions of the order keys.
    pub(super) orders: Vec<Key>,
    /// The rows that functions of a frame see.
    pub(super) frame: WindowFrame,
    pub(super) ignore_nulls: bool,
}

impl Spec {
    /// What a window function of the contract computes.
    pub(super) fn of(window: &Window) -> Self {
        Self {
            func: window.func.name().to_owned(),
            args: window.args.len(),
            orders: window
                .order_by
                .iter()
                .map(|key| Key {
                    descending: key.descending,
                    nulls_last: key.nulls_last,
                })
                .collect(),
            frame: window.frame,
            ignore_nulls: window.ignore_nulls,
        }
    }

    /// The name of the function.
    pub(super) fn name(&self) -> String {
        let orders: String = self
            .orders
            .iter()
            .map(|key| match (key.descending, key.nulls_last) {
                (false, false) => 'a',
                (false, true) => 'b',
                (true, false) => 'd',
                (true, true) => 'e',
            })
            .collect();
        let bound = |bound| match bound {
            Bound::Unbounded => "u".to_owned(),
            Bound::Offset(by) if by < 0 => format!("m{}", by.unsigned_abs()),
            Bound::Offset(by) => by.to_string(),
        };
        let unit = format!("{:?}", self.frame.unit).to_lowercase();
        format!(
            "{PREFIX}__{}__{}__{orders}__{unit}__{}__{}__{}",
            self.func,
            self.args,
            bound(self.frame.start),
            bound(self.frame.end),
            self.ignore_nulls,
        )
    }
}

#[cfg(test)]
mod tests {
    use laktory_core::WindowUnit;

    use super::*;

    #[test]
    fn a_name_tells_everything() {
        let spec = Spec {
            func: "sum".into(),
            args: 1,
            orders: vec![
                Key {
                    descending: true,
                    nulls_last: false,
                },
                Key {
                    descending: false,
                    nulls_last: true,
                },
            ],
            frame: WindowFrame {
                unit: WindowUnit::Rows,
                start: Bound::Offset(-2),
                end: Bound::Unbounded,
            },
            ignore_nulls: false,
        };
        assert_eq!(
            spec.name(),
            "__laktory_window__sum__1__db__rows__m2__u__false"
        );
    }
}
