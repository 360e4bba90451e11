//! The bytes of a feed: unpacked when gzip, UTF-16 turned into UTF-8, workbooks, XML and JSON into delimited text, everything
//! bounded.
//!
//! Other encodings are told apart field by field: what is not UTF-8 is Windows-1252, also when a file mixes both.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};
use flate2::read::MultiGzDecoder;

use super::layout::Mapping;
use super::structured::{Kind, delimited};

/// Most bytes of a feed after unpacking: larger files (and gzip bombs) are refused.
pub const FEED_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
const SNIFF: usize = 4096;

/// Opens a feed: what comes out is 8-bit delimited text.
pub fn open(mut raw: impl Read + Send + 'static, mapping: Option<&Mapping>) -> io::Result<Box<dyn Read + Send>> {
    let head = peek(&mut raw)?;
    let raw = io::Cursor::new(head.clone()).chain(raw);
    if head.starts_with(&[0x1f, 0x8b]) {
        let mut plain = MultiGzDecoder::new(raw);
        let head = peek(&mut plain)?;
        return text(&head.clone(), io::Cursor::new(head).chain(plain), mapping);
    }
    text(&head, raw, mapping)
}

fn text(head: &[u8], raw: impl Read + Send + 'static, mapping: Option<&Mapping>) -> io::Result<Box<dyn Read + Send>> {
    if let Some(kind @ (Kind::Workbook | Kind::OldWorkbook)) = Kind::of(head) {
        return Ok(Box::new(delimited(kind, raw, mapping)?));
    }
    let mut text = decode(head, raw);
    let head = peek(&mut text)?;
    let kind = Kind::of(&head);
    let text = io::Cursor::new(head).chain(text);
    match kind {
        Some(kind) => Ok(Box::new(delimited(kind, text, mapping)?)),
        None => Ok(Box::new(text)),
    }
}

fn decode(head: &[u8], text: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    let bounded = Bounded { inner: text, left: FEED_BYTES_MAX };
    let encoding = match head {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        // Without a mark: plain text in UTF-16 has a NUL in every other byte.
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => Some(UTF_16LE),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => Some(UTF_16BE),
        _ => None,
    };
    match encoding {
        Some(encoding) => Box::new(Transcode {
            inner: bounded,
            decoder: encoding.new_decoder_with_bom_removal(),
            ready: Vec::new(),
            given: 0,
            done: false,
        }),
        None => Box::new(bounded),
    }
}

/// A field's text: UTF-8, else Windows-1252.
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

fn peek(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(SNIFF);
    from.by_ref().take(u64::try_from(SNIFF).unwrap_or(0)).read_to_end(&mut head)?;
    Ok(head)
}

struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(u64::try_from(read).unwrap_or(u64::MAX))
            .ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "the feed is larger than 2 GiB"))?;
        Ok(read)
    }
}

struct Transcode<R> {
    inner: R,
    decoder: Decoder,
    ready: Vec<u8>,
    given: usize,
    done: bool,
}

impl<R: Read> Read for Transcode<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given >= self.ready.len() && !self.done {
            let mut raw = [0; SNIFF];
            let read = self.inner.read(&mut raw)?;
            self.done = read == 0;
            let mut text = String::with_capacity(SNIFF * 4);
            let _ = self.decoder.decode_to_string(raw.get(..read).unwrap_or(&[]), &mut text, self.done);
            self.ready = text.into_bytes();
            self.given = 0;
        }
        let rest = self.ready.get(self.given..).unwrap_or(&[]);
        let read = (&mut &*rest).read(buffer)?;
        self.given = self.given.saturating_add(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        open(io::Cursor::new(bytes.to_vec()), None).unwrap().read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn utf16_and_gzip_become_utf8() {
        let text = "vin,couleur\r\n1,Gris métal 🚗\r\n";
        for (bom, big) in [(true, false), (true, true), (false, false), (false, true)] {
            let mut raw: Vec<u8> = Vec::new();
            for unit in bom.then_some(0xfeff).into_iter().chain(text.encode_utf16()) {
                raw.extend_from_slice(&if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
            }
            assert_eq!(read(&raw), text.as_bytes(), "bom {bom} big {big}");
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(&raw).unwrap();
            assert_eq!(read(&packed.finish().unwrap()), text.as_bytes());
        }
    }

    #[test]
    fn what_is_not_utf8_is_windows_1252() {
        assert_eq!(text_of(b"caf\xe9 \x93ok\x94"), "café “ok”");
        assert_eq!(text_of("café".as_bytes()), "café");
    }

    #[test]
    fn a_cut_archive_is_an_error_and_an_empty_file_is_empty() {
        assert_eq!(read(b""), b"");
        let mut out = Vec::new();
        let cut = open(io::Cursor::new(vec![0x1f, 0x8b, 8, 0]), None).and_then(|mut r| r.read_to_end(&mut out));
        assert!(cut.is_err());
    }
}
