//! Text of other encodings as UTF-8, while it is read; what encoding a file seems to be of.

use std::io::{BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// What the first bytes of a file say about its encoding, when it is not UTF-8.
pub(super) fn suspect(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        // Texts of Latin letters without a mark.
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => Some("UTF-16LE"),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => Some("UTF-16BE"),
        _ => None,
    }
}

/// Text that is recoded while it is read.
pub(super) struct Recoded<R> {
    text: R,
    decoder: Decoder,
    /// Decoded, from `at` on not yet handed out.
    out: Vec<u8>,
    at: usize,
    end: bool,
}

impl<R: BufRead> Recoded<R> {
    /// Text in an encoding; a byte order mark goes before it.
    pub(super) fn new(text: R, encoding: &'static Encoding) -> Self {
        Self {
            text,
            decoder: encoding.new_decoder(),
            out: Vec::new(),
            at: 0,
            end: false,
        }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        self.out.clear();
        self.at = 0;
        self.out.resize(1 << 16, 0);
        let source = self.text.fill_buf()?;
        let last = source.is_empty();
        let (result, read, written) =
            self.decoder
                .decode_to_utf8_without_replacement(source, &mut self.out, last);
        self.text.consume(read);
        self.out.truncate(written);
        match result {
            DecoderResult::Malformed(..) => Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("not {}", self.decoder.encoding().name()),
            )),
            DecoderResult::InputEmpty => {
                self.end = last;
                Ok(())
            }
            DecoderResult::OutputFull => Ok(()),
        }
    }
}

impl<R: BufRead> Read for Recoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.out.len() && !self.end {
            self.fill()?;
        }
        let rest = &self.out[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recoded(bytes: &[u8], label: &str) -> std::io::Result<String> {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let mut text = String::new();
        Recoded::new(bytes, encoding).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn texts_of_other_encodings_are_read() {
        assert_eq!(recoded(b"caf\xe9\n", "latin1").unwrap(), "caf\u{e9}\n");
        assert_eq!(recoded(b"\xff\xfea\0\xe9\0", "utf-16").unwrap(), "a\u{e9}");
        assert_eq!(recoded(b"\xfe\xff\0a", "utf-16").unwrap(), "a");
        assert!(recoded(b"a\0\x00\xd8b\0", "utf-16le").is_err());
        let long = "\u{e4}\u{f6}".repeat(200_000);
        let bytes: Vec<u8> = long
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect();
        assert_eq!(recoded(&bytes, "latin1").unwrap(), long);
    }

    #[test]
    fn encodings_are_suspected_by_first_bytes() {
        assert_eq!(suspect(b"\xff\xfei\0d\0"), Some("UTF-16"));
        assert_eq!(suspect(b"i\0d\0,\0"), Some("UTF-16LE"));
        assert_eq!(suspect(b"\xef\xbb\xbfid"), None);
        assert_eq!(suspect(b"id,v\n"), None);
    }
}
