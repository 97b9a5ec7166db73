//! What the fast look calls clean, against a slow one.

use proptest::prelude::*;

use super::*;

fn clean(text: &[u8], shape: Shape) -> Option<u64> {
    let mut look = Look::new(shape);
    look.on(text).unwrap().then(|| look.records()).flatten()
}

fn scan(text: &[u8], fields: usize) -> Option<u64> {
    let shape = Shape {
        separator: b',',
        quote: Some(b'"'),
        fields,
        blanks: false,
    };
    clean(text, shape)
}

#[test]
fn clean_texts_are_counted() {
    for (text, records) in [
        (b"a,b\n1,2\n" as &[u8], 2),
        (b"a,b\r\n1,2", 2),
        (b"a,\"b\"\n\"x,\n\",\"\"\n,\n", 3),
        (b"a,b\n1,\"say \"\"no\"\"\"\n", 2),
        ("a,b\n\u{e4},\u{20ac}\n".as_bytes(), 2),
    ] {
        assert_eq!(scan(text, 2), Some(records), "{text:?}");
    }
    let long = "a,\"b\nb\"\n".repeat(100_000);
    assert_eq!(scan(long.as_bytes(), 2), Some(100_000));
    let euro = format!("a,{}\n", "\u{20ac}".repeat(7)).repeat(50_000);
    assert_eq!(scan(euro.as_bytes(), 2), Some(50_000));
}

#[test]
fn borders_of_pieces_fall_anywhere() {
    for end in ["\n", "\r\n"] {
        for field in ["", "\"\"", "\"c\n,\"", "\"\"\"\""] {
            let mut text = String::new();
            for row in 0..2_000 {
                let long = "b".repeat(row % 211);
                let other = if row % 7 == 3 { field } else { "d" };
                text += &format!("{long},{other}{end}");
            }
            assert_eq!(scan(text.as_bytes(), 2), Some(2_000), "{end:?} {field}");
            // One byte too many, somewhere.
            for at in (text.len() / 3..text.len() / 2).step_by(1_009) {
                for wrong in [",", "\r"] {
                    let mut text = text.clone();
                    text.insert_str(at, wrong);
                    let quoted = text[..at].matches('"').count() % 2 == 1;
                    let ends = wrong == "\r" && text[at + 1..].starts_with('\n');
                    if !quoted && !ends {
                        assert_eq!(scan(text.as_bytes(), 2), None, "{end:?} {field} {at}");
                    }
                }
            }
        }
    }
}

#[test]
fn others_are_left_alone() {
    for text in [
        b"a,b\n1,5\" pipe\n" as &[u8],
        b"a,b\n1,\"x\"y\n",
        b"a,b\n1,\"x",
        b"a,b\n1\n2,3,4\n",
        b"a,b\n1,2,3\n4\n",
        b"a,b\n1,2,3",
        b"a,b\n\n1,2\n",
        b"a,b\r\n\r\n1,2\r\n",
        b"a,b\r1,2\r",
        b"a,b\n1,\xe9\n",
        b"a,b\n1,\xe9",
        b"\na,b\n",
    ] {
        assert_eq!(scan(text, 2), None, "{text:?}");
    }
}

#[test]
fn blanks_are_seen_where_values_are_no_texts() {
    let shape = Shape {
        separator: b',',
        quote: Some(b'"'),
        fields: 2,
        blanks: true,
    };
    let mut text = b"a,b\n".repeat(40);
    assert_eq!(clean(&text, shape), Some(40));
    let at = text.len();
    for line in [b"1, 2\n", b"1 ,2\n", b" 1,2\n", b"1,2 \n", b"\"1\", "] {
        text.truncate(at);
        text.extend_from_slice(line);
        assert_eq!(clean(&text, shape), None, "{line:?}");
    }
    text.truncate(at);
    text.extend_from_slice(b"x y,2\n");
    assert_eq!(clean(&text, shape), Some(41));
}

/// What a clean text is, one byte after the other.
fn slow(text: &[u8], shape: Shape) -> Option<u64> {
    std::str::from_utf8(text).ok()?;
    let (mut at, mut records) = (0, 0);
    while at < text.len() {
        let mut fields = 0;
        if matches!(text[at], b'\n' | b'\r') {
            return None;
        }
        loop {
            fields += 1;
            let quoted = at < text.len() && Some(text[at]) == shape.quote;
            if quoted {
                at += 1;
                loop {
                    if Some(*text.get(at)?) != shape.quote {
                        at += 1;
                    } else if text.get(at + 1).copied() == shape.quote {
                        at += 2;
                    } else {
                        at += 1;
                        break;
                    }
                }
            }
            let ends = |byte: u8| byte == shape.separator || byte == b'\n' || byte == b'\r';
            while at < text.len() && !ends(text[at]) {
                if quoted || Some(text[at]) == shape.quote {
                    return None;
                }
                at += 1;
            }
            match text.get(at) {
                Some(byte) if *byte == shape.separator => at += 1,
                _ => break,
            }
        }
        match text.get(at..) {
            Some([b'\r', b'\n', ..]) => at += 2,
            Some([b'\n', ..]) => at += 1,
            Some([]) => {}
            _ => return None,
        }
        if fields != shape.fields {
            return None;
        }
        records += 1;
    }
    (!shape.blanks || !has_odd_blanks(text, shape)).then_some(records)
}

/// Whether a blank stands beside a delimiter, or a quote beside a quote.
fn has_odd_blanks(text: &[u8], shape: Shape) -> bool {
    let mut quoted = false;
    let mut kinds = vec![b'd'];
    for byte in text {
        let kind = match *byte {
            byte if Some(byte) == shape.quote => {
                quoted = !quoted;
                b'q'
            }
            byte if (byte == shape.separator || byte == b'\n' || byte == b'\r') && !quoted => b'd',
            b' ' => b'b',
            b'\t' if shape.separator != b'\t' => b'b',
            _ => b'x',
        };
        kinds.push(kind);
    }
    kinds.last() == Some(&b'b')
        || kinds
            .windows(2)
            .any(|pair| matches!(pair, b"bd" | b"db" | b"bq" | b"qb" | b"qq"))
}

/// Texts of few characters, some of them long: what is between borders is plain.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    const PARTS: &[&[u8]] = &[
        b",",
        b",",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\"",
        b"\"\"",
        b"\"x,\ny\"",
        b" ",
        b"\t",
        b";",
        b"a",
        "\u{20ac}".as_bytes(),
        b"\xe9",
        b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopq",
    ];
    let parts = proptest::collection::vec(0..PARTS.len(), 0..60);
    (parts, 0..2_usize, 0..9_000_usize).prop_map(|(parts, many, before)| {
        let mut text = b"ab,c\n".repeat(many * before / 5);
        text.extend(parts.iter().flat_map(|part| PARTS[*part]));
        text
    })
}

/// Texts that are mostly clean.
fn records() -> impl Strategy<Value = Vec<u8>> {
    const FIELDS: &[&str] = &[
        "",
        "a",
        "\"b\"",
        "\"c,\n\"",
        "\"say \"\"d\"\"\"",
        "\u{e4}\u{20ac}",
        "e f",
        "\"\"",
    ];
    let record = (0..FIELDS.len(), 0..FIELDS.len(), 0..30_usize);
    let records = proptest::collection::vec(record, 0..40);
    (records, any::<bool>(), any::<bool>()).prop_map(|(records, crlf, ends)| {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = String::new();
        for (left, right, times) in records {
            text += &format!(
                "{}{},{}{end}",
                "x".repeat(times * usize::from(left < 2)),
                FIELDS[left],
                FIELDS[right]
            );
        }
        if !ends {
            text.truncate(text.len().saturating_sub(end.len()));
        }
        text.into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_fast_look_sees_what_a_slow_one_sees(
        text in prop_oneof![texts(), records()],
        separator in prop_oneof![4 => Just(b','), 1 => Just(b';'), 1 => Just(b'\t')],
        quote in prop_oneof![4 => Just(Some(b'"')), 1 => Just(None)],
        fields in prop_oneof![4 => Just(2_usize), 1 => 1..4_usize],
        blanks in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let shape = Shape { separator, quote, fields, blanks };
        let wanted = slow(&text, shape);
        prop_assert_eq!(clean(&text, shape), wanted);
        // In two parts, of which the second one begins with a line.
        let cut = cut.index(text.len() + 1);
        let cut = memchr(b'\n', &text[cut..]).map_or(text.len(), |end| cut + end + 1);
        let mut look = Look::new(shape);
        let mut found = look.on(&text[..cut]).unwrap();
        if found && look.is_between_records() {
            let mut part = Look::new(shape);
            found = part.on(&text[cut..]).unwrap();
            look.add(part);
        } else if found {
            found = look.on(&text[cut..]).unwrap();
        }
        prop_assert_eq!(found.then(|| look.records()).flatten(), wanted);
    }
}
