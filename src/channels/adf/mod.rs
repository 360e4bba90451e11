//! ADF 1.0 (Auto-lead Data Format): the XML in which web sites and lead providers send a prospect to a dealer.
//!
//! [`parse`] takes the bytes as they came and never fails: what can be read becomes [`Prospect`]s, what cannot becomes a
//! reason for a person. It does no I/O and knows no clock. Every value keeps the sender's own words beside what they mean
//! ([`Told`]), because real feeds break every rule of the DTD: wrong enum values, other spellings, missing parts.

mod mail;
mod prospect;
mod read;
mod value;

pub use prospect::{
    Address, Amount, AmountKind, AmountLimit, ColourChoice, Contact, Customer, Email, Extra, Finance, Identifier, NamePart, Odometer,
    OdometerUnit, Opt, Phone, Price, Prospect, Provider, Timeframe, Told, Vehicle, VehicleInterest, VehicleStatus, Vendor,
};
pub use value::placeholder;
pub(super) use value::{DayEnd, amount, local_moment, payments_a_year};

use super::encoding;
use super::xml::{self, Element};

/// Most prospects in one document.
pub const PROSPECTS_MAX: usize = 100;

/// What was read from a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The prospects, in the order of the document.
    pub prospects: Vec<Prospect>,
    /// Why the document, or a part of it, could not be understood. With prospects: the rest was.
    pub fault: Option<String>,
    /// Oddities of the document as a whole.
    pub warnings: Vec<String>,
}

/// Reads a document, also from the mail it came in. `charset` is what the transport said about its encoding, if anything.
pub fn parse(bytes: &[u8], charset: Option<&str>) -> Document {
    if bytes.len() > xml::SIZE_MAX {
        return nothing(xml::Refused::Size.to_string());
    }
    if let Some(part) = mail::document(bytes) {
        let mut document = read_document(&part.bytes, part.charset.as_deref().or(charset));
        document.warnings.insert(0, "it came in a mail; the rest of the mail was left out".into());
        return document;
    }
    read_document(bytes, charset)
}

fn read_document(bytes: &[u8], charset: Option<&str>) -> Document {
    let decoded = encoding::decode(bytes, charset);
    let mut warnings: Vec<String> = decoded.warning.into_iter().collect();
    let Some(cut) = cut_to_adf(&decoded.text) else {
        return Document { prospects: Vec::new(), fault: Some("no <adf> element in it".into()), warnings };
    };
    if declares_a_type(cut.before) {
        return nothing(xml::Refused::DocType.to_string());
    }
    if !cut.clean {
        warnings.push("text around the <adf> element was left out".into());
    }
    let tree = match xml::read(&cut.adf) {
        Ok(tree) => tree,
        Err(refused) => return nothing(refused.to_string()),
    };
    warnings.extend(tree.warnings);
    let mut found = Vec::new();
    for root in &tree.roots {
        gather_prospects(root, &mut found);
    }
    let damage = tree.roots.iter().find_map(|root| root.damage.clone());
    let fault = match found.len() {
        0 => Some(tree.fault.or(damage).map_or_else(|| "no <prospect> element in it".into(), |what| format!("not well formed: {what}"))),
        n if n > PROSPECTS_MAX => Some(format!("more than {PROSPECTS_MAX} prospects; the rest was not read")),
        // Damage inside a prospect stays with it; what is left is damage between them.
        _ if found.iter().all(|p| p.damage.is_none()) => tree.fault.or(damage).map(|what| format!("not well formed: {what}")),
        _ => None,
    };
    let prospects = found.into_iter().take(PROSPECTS_MAX).map(read::prospect).collect();
    Document { prospects, fault, warnings }
}

fn nothing(why: String) -> Document {
    Document { prospects: Vec::new(), fault: Some(why), warnings: Vec::new() }
}

fn gather_prospects<'a>(element: &'a Element, out: &mut Vec<&'a Element>) {
    if element.name == "prospect" {
        out.push(element);
        return;
    }
    for child in element.elements() {
        gather_prospects(child, out);
    }
}

struct Cut<'a> {
    before: &'a str,
    adf: std::borrow::Cow<'a, str>,
    clean: bool,
}

/// The `<adf>` element of a text around which a mail or a form may have put other words. Also found when it was escaped
/// once too often, and when only the prospect is there.
fn cut_to_adf(text: &str) -> Option<Cut<'_>> {
    // ASCII case only, so that positions stay the same.
    let lower = text.to_ascii_lowercase();
    let found = ["adf", "prospect"].into_iter().find_map(|name| Some((name, tag_start(&lower, name)?)));
    if let Some((name, start)) = found {
        let end = end_of_last(&lower, name).filter(|end| *end > start).unwrap_or(text.len());
        let before = text.get(..start)?;
        let clean = prolog_only(before) && text.get(end..).is_none_or(|rest| rest.trim().is_empty());
        return Some(Cut { before, adf: text.get(start..end)?.into(), clean });
    }
    if lower.contains("&lt;adf") || lower.contains("&lt;prospect") {
        let once = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&");
        let lower = once.to_ascii_lowercase();
        let start = tag_start(&lower, "adf").or_else(|| tag_start(&lower, "prospect"))?;
        // A declaration could hide in front of it too.
        let adf = if declares_a_type(once.get(..start)?) { once } else { once.get(start..)?.to_owned() };
        return Some(Cut { before: "", adf: adf.into(), clean: false });
    }
    None
}

/// Where `<name` begins, with or without a namespace prefix.
fn tag_start(lower: &str, name: &str) -> Option<usize> {
    lower.match_indices('<').map(|(at, _)| at).find(|at| {
        let rest = head(lower, at.saturating_add(1));
        if !rest.first().is_some_and(u8::is_ascii_alphabetic) {
            return false;
        }
        let length = rest.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'));
        length.and_then(|length| rest.get(..length)).is_some_and(|tag| named(tag, name))
    })
}

/// The bytes that can hold a name: never more than this, or a text full of `<` would be read again for each of them.
fn head(text: &str, at: usize) -> &[u8] {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.get(..64.min(rest.len())).unwrap_or_default()
}

/// The name, with or without a namespace prefix.
fn named(tag: &[u8], name: &str) -> bool {
    tag.rsplit(|b| *b == b':').next() == Some(name.as_bytes())
}

/// Where the last `</name>` ends.
fn end_of_last(lower: &str, name: &str) -> Option<usize> {
    lower.rmatch_indices("</").find_map(|(at, _)| {
        let rest = head(lower, at.saturating_add(2));
        let length = rest.iter().position(|b| *b == b'>')?;
        named(rest.get(..length)?.trim_ascii(), name).then(|| at.saturating_add(3).saturating_add(length))
    })
}

fn declares_a_type(before: &str) -> bool {
    let lower = before.to_ascii_lowercase();
    lower.contains("<!doctype") || lower.contains("<!entity")
}

/// Only declarations, instructions and comments.
fn prolog_only(before: &str) -> bool {
    let mut rest = before.trim_start_matches('\u{feff}').trim_start();
    while !rest.is_empty() {
        let end = if rest.starts_with("<?") {
            "?>"
        } else if rest.starts_with("<!--") {
            "-->"
        } else {
            return false;
        };
        let Some((_, after)) = rest.split_once(end) else { return false };
        rest = after.trim_start();
    }
    true
}

#[cfg(test)]
mod tests;
