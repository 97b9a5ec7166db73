//! Which error kinds answer an expected one.
//!
//! Expected kinds are finer than [`laktory_core::ErrorKind`] in places, because the reference they come from is; a fault
//! may also be found by the parser in one build and by the engine in another. This table is the whole of the leniency.

/// Expected kind, and the kinds that are as good.
const EQUIVALENT: &[(&str, &[&str])] = &[
    // Constructs of the expression language that are refused as text.
    ("ambiguous_truth_value", &["invalid_expression"]),
    ("not_a_frame", &["invalid_argument", "unknown_method"]),
    (
        "not_implemented",
        &[
            "unsupported",
            "invalid_argument",
            "invalid_expression",
            "unknown_method",
        ],
    ),
    ("unknown_key", &["invalid_argument", "unknown_name"]),
    ("unknown_name", &["unknown_method"]),
    ("unknown_method", &["unknown_name"]),
    (
        "invalid_operation",
        &[
            "invalid_argument",
            "invalid_expression",
            "unsupported",
            "type_mismatch",
            "compute",
        ],
    ),
    // SQL that the reference's parser takes for another fault.
    ("sql_syntax", &["invalid_expression", "unsupported"]),
    ("sql_unsupported", &["sql_syntax", "unsupported"]),
    // Faults that show in the data.
    (
        "incomplete_mapping",
        &["invalid_argument", "conversion_failed"],
    ),
    ("invalid_local_time", &["conversion_failed", "compute"]),
    ("shape", &["schema_mismatch", "compute"]),
    ("compute", &["conversion_failed"]),
    // No conversion between two types, and no operation on a type, are told apart differently by each engine.
    ("unsupported_cast", &["type_mismatch"]),
    ("type_mismatch", &["unsupported_cast"]),
    ("field_not_found", &["column_not_found"]),
];

/// Whether an error of kind `actual` answers an expectation of `expected`. Both are snake_case names.
#[must_use]
pub fn answers(expected: &str, actual: &str) -> bool {
    expected == actual
        || EQUIVALENT
            .iter()
            .any(|(kind, others)| *kind == expected && others.contains(&actual))
}

/// Whether an error of this kind is a fault of laktory or a driver, never an answer.
#[must_use]
pub fn is_defect(kind: &str) -> bool {
    matches!(kind, "internal" | "foreign_frame" | "cancelled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_answer_themselves_and_their_equivalents() {
        assert!(answers("column_not_found", "column_not_found"));
        assert!(answers("sql_unsupported", "sql_syntax"));
        assert!(!answers("column_not_found", "type_mismatch"));
        assert!(!answers("conversion_failed", "compute"));
    }
}
