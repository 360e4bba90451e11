//! A look at the text of a document before the parser sees it.
//!
//! The parser recurses and keeps every token; this scan does neither. It counts tokens and the nesting of brackets, so
//! that a document made to exhaust the parser is refused for the price of reading it once.

use super::Refusal;
use crate::graphql::ErrorCode;
use crate::http::limits::Limits;

/// What the scan counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scan {
    /// Names, numbers, strings and punctuation.
    pub(crate) tokens: usize,
    /// Deepest nesting of `{`, `(` and `[`.
    pub(crate) nesting: usize,
}

/// Refuses what is too long, too rich or nested too deep.
pub(crate) fn check(text: &str, limits: &Limits) -> Result<Scan, Refusal> {
    if text.len() > limits.document_bytes {
        return Err(too_much(format!("The document is longer than {} bytes.", limits.document_bytes)));
    }
    let found = scan(text);
    if found.tokens > limits.tokens {
        return Err(too_much(format!("The document has more than {} tokens.", limits.tokens)));
    }
    if found.nesting > limits.brackets {
        return Err(too_much(format!("The document nests deeper than {} brackets.", limits.brackets)));
    }
    Ok(found)
}

fn too_much(message: String) -> Refusal {
    Refusal::new(ErrorCode::LimitExceeded, message)
}

fn scan(text: &str) -> Scan {
    let mut found = Scan::default();
    let mut depth = 0_usize;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {}
            b'#' => while bytes.next_if(|b| !matches!(b, b'\n' | b'\r')).is_some() {},
            b'"' => {
                found.tokens += 1;
                skip_string(&mut bytes);
            }
            b'{' | b'(' | b'[' => {
                found.tokens += 1;
                depth += 1;
                found.nesting = found.nesting.max(depth);
            }
            b'}' | b')' | b']' => {
                found.tokens += 1;
                depth = depth.saturating_sub(1);
            }
            byte if is_word(byte) => {
                found.tokens += 1;
                while bytes.next_if(|b| is_word(*b)).is_some() {}
            }
            _ => found.tokens += 1,
        }
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte == b'-' || byte.is_ascii_alphanumeric()
}

/// Reads to the end of a string or block string whose first quote was read.
fn skip_string(bytes: &mut std::iter::Peekable<std::str::Bytes<'_>>) {
    if bytes.next_if_eq(&b'"').is_none() {
        while let Some(byte) = bytes.next_if(|b| !matches!(b, b'\n' | b'\r')) {
            match byte {
                b'"' => return,
                b'\\' => {
                    bytes.next();
                }
                _ => {}
            }
        }
        return;
    }
    if bytes.next_if_eq(&b'"').is_none() {
        return; // The empty string.
    }
    let mut quotes = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => quotes += 1,
            b'\\' => {
                quotes = 0;
                // Only \""" is an escape in a block string.
                for _ in 0..3 {
                    if bytes.next_if_eq(&b'"').is_none() {
                        break;
                    }
                }
            }
            _ => quotes = 0,
        }
        if quotes == 3 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_tokens_and_nesting() {
        assert_eq!(scan("{ a }"), Scan { tokens: 3, nesting: 1 });
        assert_eq!(scan("query Q($a: [Int!]) { b(x: $a) { c } }"), Scan { tokens: 23, nesting: 2 });
        assert_eq!(scan("{ a # {{{{ not this\n }"), Scan { tokens: 3, nesting: 1 });
    }

    #[test]
    fn brackets_inside_strings_do_not_count() {
        assert_eq!(scan(r#"{ a(b: "{[(\"{[(") }"#), Scan { tokens: 8, nesting: 2 });
        assert_eq!(scan(r#"{ a(b: """{[( \""" "" {""") }"#), Scan { tokens: 8, nesting: 2 });
        assert_eq!(scan(r#"{ a(b: "") }"#), Scan { tokens: 8, nesting: 2 });
    }

    #[test]
    fn deep_and_long_documents_are_refused() {
        let limits = Limits::default();
        assert!(check(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), &limits).is_err());
        assert!(check(&"{a ".repeat(61), &limits).is_err());
        assert!(check(&format!("{{ {} }}", "a ".repeat(10_001)), &limits).is_err());
        assert!(check(&format!("{{ a }} #{}", "x".repeat(limits.document_bytes)), &limits).is_err());
        assert!(check("{ a }", &limits).is_ok());
    }
}
