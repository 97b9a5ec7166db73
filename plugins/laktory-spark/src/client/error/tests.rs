//! Tests of `error`.

use super::*;

#[test]
fn messages_lose_class_state_and_plan() {
    let text = "[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate divisor being 0. SQLSTATE: 22012\n== DataFrame ==\n\"divide\"";
    assert_eq!(tidy(text), "division by zero");
    assert_eq!(bracketed(text), Some("DIVIDE_BY_ZERO"));
}

#[test]
fn classes_have_kinds_the_longer_prefix_first() {
    assert_eq!(
        kind_of_class("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"),
        Some(ErrorKind::UnsupportedCast)
    );
    assert_eq!(
        kind_of_class("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES"),
        Some(ErrorKind::TypeMismatch)
    );
    assert_eq!(kind_of_class("NOBODY_KNOWS"), None);
}

#[test]
fn errors_raised_by_our_expressions_keep_their_kind() {
    let error = delivered(
        "[USER_RAISED_EXCEPTION] laktory:conversion_failed:no such value SQLSTATE: P0001",
    )
    .unwrap();
    assert_eq!(error.kind(), ErrorKind::ConversionFailed);
    assert_eq!(error.message(), "no such value");
}
