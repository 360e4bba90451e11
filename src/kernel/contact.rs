//! Contact details as they are compared: e-mail lower-cased, phone in E.164 (ITU-T E.164: at most 15 digits).

use std::fmt;

/// A plausible e-mail address, lower-cased. Whether it is reachable only a message can tell.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// A phone number in E.164: `+` and 8 to 15 digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// Why a contact detail was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    /// Not `name@host.tld`, or longer than 254 characters.
    #[error("not an e-mail address")]
    Email,
    /// Not a number that can be dialled.
    #[error("not a phone number; write it with the country code, such as +13125550142")]
    Phone,
}

impl EmailAddress {
    /// Parses and lower-cases. Accepts plus-addresses; refuses spaces, two `@`, a host without a dot.
    pub fn parse(raw: &str) -> Result<Self, ContactError> {
        let text = raw.trim().to_lowercase();
        let (local, host) = text.split_once('@').ok_or(ContactError::Email)?;
        let plain = |c: char| {
            !c.is_whitespace() && !c.is_control() && !matches!(c, '@' | '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '\\' | '[' | ']')
        };
        let host_ok = host.contains('.')
            && host
                .split('.')
                .all(|label| !label.is_empty() && label.len() <= 63 && label.chars().all(|c| c.is_alphanumeric() || c == '-'));
        let local_ok = !local.is_empty() && local.len() <= 64 && local.chars().all(plain);
        if text.len() <= 254 && local_ok && host_ok { Ok(Self(text)) } else { Err(ContactError::Email) }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PhoneNumber {
    /// Parses what people write. Without a `+`, ten digits (or eleven that begin with 1) are a North American number; `011` or
    /// `00` before eight or more is how an international call is dialled. A leading `tel:` and a trailing extension (`x12`,
    /// `ext. 12`) are dropped.
    pub fn parse(raw: &str) -> Result<Self, ContactError> {
        let raw = raw.trim();
        let raw = raw.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("tel:")).and_then(|_| raw.get(4..)).unwrap_or(raw);
        let main = raw.split(['x', 'X', 'e', ';', '#']).next().unwrap_or("").trim();
        if raw.len() > 64 || main.chars().any(|c| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | '(' | ')' | '/' | ' ' | '\u{a0}')))
        {
            return Err(ContactError::Phone);
        }
        let digits: String = main.chars().filter(char::is_ascii_digit).collect();
        let international = main.starts_with('+');
        let dialled = digits.strip_prefix("011").or_else(|| digits.strip_prefix("00"));
        if let Some(rest) = dialled.filter(|rest| !international && (8..=15).contains(&rest.len()) && !rest.starts_with('0')) {
            return Ok(Self(format!("+{rest}")));
        }
        let e164 = match (international, digits.len()) {
            (true, 8..=15) => digits,
            (false, 10) => format!("1{digits}"),
            (false, 11) if digits.starts_with('1') => digits,
            _ => return Err(ContactError::Phone),
        };
        if e164.starts_with('0') { Err(ContactError::Phone) } else { Ok(Self(format!("+{e164}"))) }
    }

    /// `+13125550142`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// Personal data must not reach a log through `{:?}`.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_become_e164() {
        for (raw, want) in [
            ("393-999-3922", "+13939993922"),
            ("(555) 123-4567", "+15551234567"),
            ("+15145550108", "+15145550108"),
            ("1 (312) 555-0142 x7", "+13125550142"),
            ("+44 20 7946 0958", "+442079460958"),
            ("tel:+1-512-555-0153", "+15125550153"),
            ("011 49 30 901820", "+4930901820"),
            ("0049 30 901820", "+4930901820"),
            ("0044 20 7946 0958 ext. 4", "+442079460958"),
        ] {
            assert_eq!(PhoneNumber::parse(raw).map(|p| p.0), Ok(want.to_owned()), "{raw}");
        }
        for bad in ["", "12345", "call me", "+1", "5551234567890123", "０１２３４５６７８９"] {
            assert!(PhoneNumber::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn emails_are_lower_cased_and_plausible() {
        assert_eq!(EmailAddress::parse(" Test+Lot@Example.com ").map(|e| e.0), Ok("test+lot@example.com".to_owned()));
        for bad in ["emailaddress", "a@b", "a b@c.de", "a@@b.de", "@b.de", "a@b..de", "[email]"] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_shows_nothing_personal() {
        let shown = format!("{:?} {:?}", EmailAddress::parse("a@b.de"), PhoneNumber::parse("3125550142"));
        assert!(!shown.contains("b.de") && !shown.contains("555"));
    }
}
