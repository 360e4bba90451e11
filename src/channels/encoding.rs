//! From bytes to text: byte order marks, declared encodings, and declarations that are not true.
//!
//! Lead documents pass through mail servers and form scripts which re-encode the body and leave the declaration as it was.
//! So the bytes decide, and the declaration is only asked when they do not: a mark first, then the zero bytes that UTF-16
//! leaves in Latin text, then UTF-8 when it is valid, then what is declared, then Windows-1252, which reads any byte.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far the declaration is looked for, in bytes.
const PROLOG: usize = 1024;

/// Text made from foreign bytes.
#[derive(Debug)]
pub(crate) struct Decoded<'a> {
    /// The text, without a byte order mark.
    pub(crate) text: Cow<'a, str>,
    /// What was odd about it.
    pub(crate) warning: Option<String>,
}

/// Decodes a document. `charset` is what the transport said, if anything; a declaration in the document counts as much.
pub(crate) fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Decoded<'a> {
    let declared = declared_label(bytes);
    let hint = declared.as_deref().or(charset);
    let (encoding, from_bytes) = choose(bytes, hint);
    let (text, used, damaged) = encoding.decode(bytes);
    let claimed = hint.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    let warning = match (hint, claimed) {
        _ if damaged => Some(format!("some bytes are not {}", used.name())),
        (Some(label), None) if !from_bytes => Some(format!("the encoding {} is not known; read as {}", short(label), used.name())),
        (Some(_), Some(claimed)) if claimed != used && !same_family(claimed, used) && !text.is_ascii_like() => {
            Some(format!("declares {} but is {}", claimed.name(), used.name()))
        }
        (Some(_), Some(claimed)) if is_utf16(claimed) && !is_utf16(used) => {
            Some(format!("declares {} but is {}", claimed.name(), used.name()))
        }
        _ => None,
    };
    Decoded { text, warning }
}

/// The encoding, and whether the bytes alone told it.
fn choose(bytes: &[u8], hint: Option<&str>) -> (&'static Encoding, bool) {
    match Encoding::for_bom(bytes) {
        Some((encoding, _)) => (encoding, true),
        None => by_zero_bytes(bytes).map_or_else(|| (by_validity(bytes, hint), false), |encoding| (encoding, true)),
    }
}

trait AsciiLike {
    fn is_ascii_like(&self) -> bool;
}
impl AsciiLike for Cow<'_, str> {
    /// Nothing in it tells one encoding from another.
    fn is_ascii_like(&self) -> bool {
        self.is_ascii()
    }
}

fn is_utf16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// `utf-16` alone names no byte order, so either of the two keeps the promise.
fn same_family(one: &'static Encoding, other: &'static Encoding) -> bool {
    is_utf16(one) && is_utf16(other)
}

/// UTF-16 without a mark shows in the zero bytes beside Latin letters.
fn by_zero_bytes(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..64.min(bytes.len())).unwrap_or_default();
    let pairs = head.as_chunks::<2>().0;
    if pairs.len() < 2 {
        return None;
    }
    let zero_first = pairs.iter().filter(|[a, b]| *a == 0 && *b != 0).count();
    let zero_second = pairs.iter().filter(|[a, b]| *a != 0 && *b == 0).count();
    let most = pairs.len().saturating_mul(3) / 4;
    if zero_second >= most.max(2) {
        Some(UTF_16LE)
    } else if zero_first >= most.max(2) {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn by_validity(bytes: &[u8], hint: Option<&str>) -> &'static Encoding {
    let claimed = hint.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    match claimed {
        // Escape sequences hide its characters in plain ASCII: only the declaration can tell.
        Some(encoding) if encoding == encoding_rs::ISO_2022_JP => encoding,
        // Text in another encoding is hardly ever valid UTF-8 by chance.
        _ if std::str::from_utf8(bytes).is_ok() => UTF_8,
        Some(encoding) if encoding != UTF_8 && !is_utf16(encoding) => encoding,
        _ => WINDOWS_1252,
    }
}

/// The label in `<?xml … encoding="…"?>`, read as ASCII with zero bytes left out.
fn declared_label(bytes: &[u8]) -> Option<String> {
    let head: String = bytes.iter().take(PROLOG).filter(|b| **b != 0).map(|b| char::from(*b)).collect();
    let (_, from) = head.split_once("<?xml")?;
    let (declaration, _) = from.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (label, _) = value.strip_prefix(quote)?.split_once(quote)?;
    (!label.trim().is_empty()).then(|| label.trim().to_owned())
}

fn short(label: &str) -> String {
    crate::kernel::text::excerpt(label, 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    }

    #[test]
    fn the_bytes_decide_and_the_declaration_is_asked_only_when_they_do_not() {
        let xml = |label: &str| format!("<?xml version=\"1.0\" encoding=\"{label}\"?><a>José</a>");
        let latin: Vec<u8> = xml("ISO-8859-1").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let unlabelled: Vec<u8> = "<a>José</a>".chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let wrong_utf8: Vec<u8> = xml("utf-8").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let cases: Vec<(&str, Vec<u8>, &str, bool)> = vec![
            ("declared and real UTF-8", xml("utf-8").into_bytes(), "UTF-8", false),
            ("UTF-8 with a mark", [b"\xef\xbb\xbf".to_vec(), xml("utf-8").into_bytes()].concat(), "UTF-8", false),
            ("declares UTF-16, is UTF-8", xml("utf-16").into_bytes(), "UTF-8", true),
            ("declares Latin-1, is UTF-8", xml("ISO-8859-1").into_bytes(), "UTF-8", true),
            ("Latin-1", latin, "windows-1252", false),
            ("nothing declared, Latin-1", unlabelled, "windows-1252", false),
            ("declares UTF-8, is Latin-1", wrong_utf8, "windows-1252", true),
            ("unknown label", xml("utf-99").into_bytes(), "UTF-8", true),
            ("UTF-16 LE with a mark", utf16(&xml("utf-16"), false, true), "UTF-16LE", false),
            ("UTF-16 LE without", utf16(&xml("utf-16"), false, false), "UTF-16LE", false),
            ("UTF-16 BE with a mark", utf16(&xml("utf-16"), true, true), "UTF-16BE", false),
            ("UTF-16 BE without", utf16(&xml("UTF-16"), true, false), "UTF-16BE", false),
            ("UTF-16 that says UTF-8", utf16(&xml("utf-8"), false, true), "UTF-16LE", true),
        ];
        for (name, bytes, encoding, warns) in cases {
            let decoded = decode(&bytes, None);
            assert_eq!(choose(&bytes, declared_label(&bytes).as_deref()).0.name(), encoding, "{name}");
            assert!(decoded.text.contains("José"), "{name}: {}", decoded.text);
            assert_eq!(decoded.warning.is_some(), warns, "{name}: {:?}", decoded.warning);
        }
    }

    #[test]
    fn windows_quotes_and_a_charset_from_the_transport() {
        assert_eq!(decode(b"it\x92s", None).text, "it\u{2019}s");
        assert_eq!(decode(b"\xd1\xe0\xeb\xee\xed", Some("windows-1251")).text, "Салон");
        assert_eq!(decode(b"", None).text, "");
    }
}
