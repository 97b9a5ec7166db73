//! The table of frame methods: names, parameters, null rule, documentation and example, and the function that builds the
//! steps. One file for each group of the reference page.

mod columns;
mod frames;
mod groups;
mod others;
mod rows;
mod shape;

use super::MethodDef;

/// A row for each method: name, whether it takes keyword arguments of any name, parameters, builder; null rule,
/// documentation, example.
macro_rules! methods {
    ($( $name:literal, $open:literal, [$($param:expr),* $(,)?], $build:expr,
        $nulls:literal, $doc:literal, $given:literal => $text:literal => $gives:literal; )+) => {
        &[ $( $crate::frame::MethodDef {
            name: $name,
            params: { const PARAMS: &[$crate::parameter::Parameter] = &[$($param),*]; PARAMS },
            open: $open,
            native: false,
            doc: $doc,
            nulls: $nulls,
            example: Some(laktory_core::Example { given: $given, text: $text, gives: $gives }),
            build: $build,
        } ),+ ]
    };
}
use methods;

/// The groups of methods by title, in the order of the reference page.
pub(crate) const GROUPS: &[(&str, &[MethodDef])] = &[
    ("Columns", columns::ROWS),
    ("Rows", rows::ROWS),
    ("Groups", groups::ROWS),
    ("Several frames", frames::ROWS),
    ("Shape", shape::ROWS),
    ("Programs", others::STEPS),
];

const COUNT: usize = {
    let mut count = others::INSPECTIONS.len();
    let mut group = 0;
    while group < GROUPS.len() {
        count += GROUPS[group].1.len();
        group += 1;
    }
    count
};

const fn joined() -> [MethodDef; COUNT] {
    let mut all = [others::INSPECTIONS[0]; COUNT];
    let mut at = others::INSPECTIONS.len();
    let mut index = 0;
    while index < others::INSPECTIONS.len() {
        all[index] = others::INSPECTIONS[index];
        index += 1;
    }
    let mut group = 0;
    while group < GROUPS.len() {
        let rows = GROUPS[group].1;
        let mut row = 0;
        while row < rows.len() {
            all[at] = rows[row];
            at += 1;
            row += 1;
        }
        group += 1;
    }
    all
}

/// Every method, with those that give no frame.
pub(crate) static METHODS: [MethodDef; COUNT] = joined();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_and_parameter_is_documented() {
        for def in GROUPS.iter().flat_map(|(_, rows)| *rows) {
            assert!(def.doc.ends_with('.'), "{}: {}", def.name, def.doc);
            assert!(!def.nulls.is_empty(), "{}: nulls", def.name);
            assert!(def.example.is_some(), "{}: example", def.name);
            for param in def.params {
                let place = format!("{}: {}", def.name, param.name);
                assert!(!param.takes.is_empty(), "{place}");
                assert!(!param.doc.is_empty(), "{place}");
            }
        }
    }
}
