//! Text from outside: normalised (NFC), without control characters, bounded.

use unicode_normalization::UnicodeNormalization;

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing was left after trimming.
    #[error("must not be empty")]
    Empty,
    /// More characters than allowed.
    #[error("must be at most {max} characters long")]
    TooLong {
        /// The limit, in characters.
        max: usize,
    },
}

/// Trims, normalises to NFC, drops control characters (line breaks and tabs become spaces). May be empty.
pub fn clean(raw: &str) -> String {
    let spaced = raw.chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if c.is_control() || c == '\u{feff}' => None,
        c => Some(c),
    });
    spaced.nfc().collect::<String>().trim().to_owned()
}

/// Like [`clean`], but keeps line breaks. For notes and comments.
pub fn clean_multiline(raw: &str) -> String {
    let kept = raw.chars().filter(|&c| c == '\n' || !(c.is_control() || c == '\u{feff}'));
    kept.nfc().collect::<String>().trim().to_owned()
}

/// A cleaned text of 1 to `max` characters.
pub fn required(raw: &str, max: usize) -> Result<String, TextError> {
    optional(raw, max)?.ok_or(TextError::Empty)
}

/// A cleaned text of at most `max` characters; empty means none.
pub fn optional(raw: &str, max: usize) -> Result<Option<String>, TextError> {
    // Cheap refusal first: a cleaned text is never longer in characters than a quarter of the raw bytes allows.
    if raw.len() > max.saturating_mul(16) {
        return Err(TextError::TooLong { max });
    }
    let text = clean(raw);
    if text.chars().count() > max {
        return Err(TextError::TooLong { max });
    }
    Ok((!text.is_empty()).then_some(text))
}

/// The first `max` characters, for showing a foreign value in a report.
pub fn excerpt(raw: &str, max: usize) -> String {
    clean(&raw.chars().take(max.saturating_mul(2)).collect::<String>()).chars().take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_and_drops_controls() {
        assert_eq!(clean("  Jose\u{301}\u{0}\u{7f}\tNúñez\n"), "José Núñez");
        assert_eq!(clean_multiline("a\r\nb\u{1}"), "a\nb");
    }

    #[test]
    fn bounds_are_in_characters() {
        assert_eq!(required("ééé", 3), Ok("ééé".to_owned()));
        assert_eq!(required("éééé", 3), Err(TextError::TooLong { max: 3 }));
        assert_eq!(required(" \n", 3), Err(TextError::Empty));
        assert_eq!(optional("", 3), Ok(None));
    }
}
