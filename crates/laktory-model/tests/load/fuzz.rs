//! No input makes the loader panic.

use proptest::prelude::*;

use super::*;

fn survives(bytes: &[u8]) {
    let loaded = load("p.yaml", bytes, &LoadOptions::default());
    for diagnostic in &loaded.diagnostics {
        assert!(!diagnostic.to_string().is_empty());
        assert!(
            diagnostic.span.is_some() || loaded.document.span(&Path::root()).is_none(),
            "{diagnostic}"
        );
    }
    assert_eq!(loaded.pipeline.is_none(), loaded.has_errors());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        survives(&bytes);
    }

    #[test]
    fn mutated_documents_never_panic(
        wide in any::<bool>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..6_u8, prop::sample::select(vec![
            "{", "}", "[", "]", ":", "- ", "\n", "\t", "'", "\"", "&a ", "*a", "<<: ", "!use x", "| ", "> ", "${vars.x}",
            "${params.", "{df}", "#", "\r", "é", "\u{0}", "---\n", "  ", "null", "%", ",",
        ])), 1..8),
    ) {
        let mut text: Vec<u8> = if wide { WIDE } else { MISSION }.into();
        for (at, length, new) in edits {
            let at = at.index(text.len());
            let end = (at + usize::from(length)).min(text.len());
            text.splice(at..end, new.bytes());
            if text.is_empty() {
                break;
            }
        }
        survives(&text);
    }
}
