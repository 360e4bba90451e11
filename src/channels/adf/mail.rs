//! Leads that come as the mail they were sent in: the part that holds the document, decoded.
//!
//! RFC 5322 headers, RFC 2045 parts and transfer encodings, read as far as a lead needs it: bounded in depth and number,
//! tolerant of what forwarders leave out. Also bodies whose headers were lost on the way: base64 alone, or quoted-printable
//! around the document.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{cut_to_adf, encoding};

/// Deepest nesting of parts.
const DEPTH_MAX: usize = 6;
/// Most parts looked at.
const PARTS_MAX: usize = 50;
/// Most header lines of a part.
const HEADERS_MAX: usize = 500;

const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// The part of a mail that holds a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) bytes: Vec<u8>,
    pub(super) charset: Option<String>,
}

/// The part with a document, when these bytes are a mail or the encoded body of one.
pub(super) fn document(bytes: &[u8]) -> Option<Part> {
    // One character per byte: positions and bytes stay the same.
    let text: String = bytes.iter().copied().map(char::from).collect();
    let start = text.trim_start_matches(['\r', '\n']);
    let start = if start.starts_with("From ") { start.split_once('\n')?.1 } else { start };
    if let Some(mail) = Entity::read(start)
        && ["mime-version", "content-type", "content-transfer-encoding"].iter().any(|name| mail.header(name).is_some())
    {
        let mut parts = Vec::new();
        gather(&mail, 0, &mut parts);
        return parts.into_iter().find(holds_a_document);
    }
    bare(&text).filter(holds_a_document)
}

fn holds_a_document(part: &Part) -> bool {
    cut_to_adf(&encoding::decode(&part.bytes, part.charset.as_deref()).text).is_some()
}

/// A body without its headers.
fn bare(text: &str) -> Option<Part> {
    let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '\r' | '\n' | ' ' | '\t');
    if text.chars().all(base64) {
        return Some(Part { bytes: from_base64(text)?, charset: None });
    }
    // No attribute is written `name=3D"…"`.
    let quoted = text.contains("=3D\"") || text.contains("=3D'") || text.contains("=3D=22");
    quoted.then(|| Part { bytes: from_quoted_printable(text), charset: None })
}

struct Entity<'a> {
    headers: Vec<(String, String)>,
    body: &'a str,
}

impl<'a> Entity<'a> {
    /// Headers, an empty line, a body. None when it does not begin with headers.
    fn read(text: &'a str) -> Option<Self> {
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut rest = text;
        while headers.len() < HEADERS_MAX {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let line = line.trim_end_matches('\r');
            rest = after;
            if line.is_empty() {
                return Some(Self { headers, body: rest });
            }
            if line.starts_with([' ', '\t']) {
                // A folded line belongs to the one before.
                let (_, value) = headers.last_mut()?;
                if value.len() < 4096 {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                continue;
            }
            let (name, value) = line.split_once(':')?;
            if name.is_empty() || name.len() > 76 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
                return None;
            }
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        None
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// `boundary` or `charset` of the content type.
    fn parameter(&self, name: &str) -> Option<String> {
        let value = self.header("content-type")?;
        let found = value.split(';').skip(1).find_map(|p| {
            let (key, value) = p.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
        });
        found.filter(|value| (1..=100).contains(&value.len()))
    }

    fn decoded(&self) -> Vec<u8> {
        match self.header("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase().as_str() {
            "base64" => from_base64(self.body).unwrap_or_default(),
            "quoted-printable" => from_quoted_printable(self.body),
            _ => bytes_of(self.body),
        }
    }
}

fn gather(entity: &Entity<'_>, depth: usize, out: &mut Vec<Part>) {
    if depth > DEPTH_MAX || out.len() >= PARTS_MAX {
        return;
    }
    let media = entity.header("content-type").unwrap_or("text/plain").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media.starts_with("multipart/") {
        let Some(boundary) = entity.parameter("boundary") else { return };
        for section in sections(entity.body, &boundary).into_iter().take(PARTS_MAX) {
            if let Some(part) = Entity::read(section) {
                gather(&part, depth.saturating_add(1), out);
            }
        }
    } else if media == "message/rfc822" {
        let inner: String = entity.decoded().into_iter().map(char::from).collect();
        if let Some(mail) = Entity::read(inner.trim_start_matches(['\r', '\n'])) {
            gather(&mail, depth.saturating_add(1), out);
        }
    } else {
        out.push(Part { bytes: entity.decoded(), charset: entity.parameter("charset") });
    }
}

/// What stands between the lines `--boundary`; the last part also when its closing line was lost.
fn sections<'a>(body: &'a str, boundary: &str) -> Vec<&'a str> {
    let mut out = Vec::new();
    let mut start: Option<usize> = None;
    let mut at = 0_usize;
    for line in body.split_inclusive('\n') {
        let next = at.saturating_add(line.len());
        if let Some(after) = line.strip_prefix("--").and_then(|l| l.strip_prefix(boundary)) {
            if let Some(from) = start {
                out.extend(body.get(from..at));
            }
            start = (!after.starts_with("--")).then_some(next);
        }
        at = next;
    }
    if let Some(from) = start {
        out.extend(body.get(from..));
    }
    out
}

fn bytes_of(text: &str) -> Vec<u8> {
    text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let packed: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    BASE64.decode(packed).ok().filter(|bytes| !bytes.is_empty())
}

/// `=3D` is `=`, a `=` at the end of a line joins it with the next. Anything else after a `=` stays as it is.
fn from_quoted_printable(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        out.extend(bytes_of(before));
        let line_end = after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n'));
        let hex = after.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit())).and_then(|two| u8::from_str_radix(two, 16).ok());
        rest = match (line_end, hex) {
            (Some(next), _) => next,
            (None, Some(byte)) => {
                out.push(byte);
                after.get(2..).unwrap_or_default()
            }
            (None, None) => {
                out.push(b'=');
                after
            }
        };
    }
    out.extend(bytes_of(rest));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::adf::parse;

    const ADF: &str = "<adf><prospect status=\"new\"><customer><contact><name>José King</name></contact></customer></prospect></adf>";

    fn name(mail: &str) -> Option<String> {
        let document = parse(mail.as_bytes(), None);
        assert_eq!(document.fault, None, "{mail}");
        assert!(document.prospects[0].status.as_deref() == Some("new"), "{mail}");
        document.prospects[0].customer.as_ref().unwrap().contacts[0].names[0].text.clone()
    }
    fn quoted(text: &str) -> String {
        text.bytes().map(|b| if b == b'=' || !b.is_ascii() { format!("={b:02X}") } else { char::from(b).to_string() }).collect()
    }
    fn encoded(text: &str) -> String {
        BASE64.encode(text).as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect()
    }

    #[test]
    fn the_document_is_found_in_whatever_mail_it_came_in() {
        let soft = quoted(ADF).replace("<customer>", "<cust=\r\nomer>");
        let head = "Received: from x\r\n\tby y\r\nFrom: a@b.de\r\nSubject: Lead\r\nMIME-Version: 1.0\r\n";
        let alternative = format!(
            "--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nNew lead\r\n--b1\r\nContent-Type: application/xml; charset=\"utf-8\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}--b1--\r\n",
            encoded(ADF)
        );
        for mail in [
            format!("{head}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{soft}"),
            format!("{head}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", encoded(ADF)),
            format!("{head}Content-Type: multipart/alternative;\r\n boundary=\"b1\"\r\n\r\n{alternative}"),
            format!(
                "{head}Content-Type: multipart/mixed; boundary=b0\r\n\r\n--b0\r\nContent-Type: message/rfc822\r\n\r\n{head}Content-Type: \
                 multipart/alternative; boundary=b1\r\n\r\n{alternative}\r\n--b0--\r\n"
            ),
            format!("From a@b.de Fri Nov 20\n{head}Content-Transfer-Encoding: 8bit\r\n\r\n{ADF}"),
            encoded(ADF),
            soft.clone(),
            format!("{head}Content-Type: multipart/mixed; boundary=b1\r\n\r\n{}", alternative.replace("--b1--", "")),
        ] {
            assert_eq!(name(&mail).as_deref(), Some("José King"), "{mail}");
        }
    }

    #[test]
    fn what_is_no_mail_is_left_alone() {
        for text in ["", "abc", "Zm9v", "key: value\n\nbody", ADF, "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b--\n", "a=3D\"b\""]
        {
            assert_eq!(document(text.as_bytes()), None, "{text}");
        }
        let nested = "Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(2000);
        assert_eq!(document(nested.as_bytes()), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_after_a_mail_header_are_read_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..500)) {
            for head in ["Content-Transfer-Encoding: quoted-printable\n\n=", "Content-Transfer-Encoding: base64\n\n", "Content-Type: multipart/x; boundary=a\n\n--a"] {
                let _ = document(&[head.as_bytes(), &bytes].concat());
            }
        }
    }
}
