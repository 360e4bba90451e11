//! Who asks: the buyer's name and how to reach them.
//!
//! The first contact is the buyer. Another contact without a name, or with the same one, adds to it; a contact with another
//! name (a co-buyer, a parent) is never mixed into the buyer and is named in a warning. Contact details that cannot be used
//! are named too, so that nothing a person could reach them by is lost in silence.

use crate::channels::adf::{Address, Contact, NamePart, Prospect};
use crate::customers::{ExternalId, IncomingEmail, IncomingPerson, IncomingPhone, Person, PostalAddress};
use crate::kernel::contact::{EmailAddress, PhoneNumber};
use crate::kernel::text::excerpt;

use super::tells_apart;

/// Most warnings about contact details.
const WARNINGS_MAX: usize = 20;

/// Who asks.
#[derive(Default)]
pub(super) struct Who {
    pub(super) person: IncomingPerson,
    /// What could not be used. Without personal data.
    pub(super) warnings: Vec<String>,
    /// Somebody else in the lead has an e-mail address or phone number.
    pub(super) other_reachable: bool,
}

/// Reads who asks.
pub(super) fn who(prospect: &Prospect) -> Who {
    let mut out = Who::default();
    let co_buyers = prospect.co_customers.iter().flat_map(|c| &c.contacts);
    let Some((customer, (buyer, more))) = prospect.customer.as_ref().and_then(|c| Some((c, c.contacts.split_first()?))) else {
        return out;
    };
    let name = named(buyer, &mut out);
    let (same, others): (Vec<&Contact>, Vec<&Contact>) = more.iter().chain(co_buyers).partition(|c| {
        let theirs = named(c, &mut Who::default());
        let nameless = theirs.display_name().is_none() || name.display_name().is_none() && more.len() == 1;
        nameless || theirs.display_name().map(|n| n.to_lowercase()) == name.display_name().map(|n| n.to_lowercase())
    });
    if !others.is_empty() {
        out.warn("the lead names another person (a co-buyer?); their details stand in its text and were not taken for the buyer's");
        out.other_reachable = others.iter().any(|c| {
            let mut theirs = Who::default();
            !emails(c, &mut theirs).is_empty() || !phones(c, &mut theirs).is_empty()
        });
    }
    let mut person = name;
    for contact in &same {
        if person.display_name().is_none() {
            let address = person.address;
            person = Person { address, ..named(contact, &mut Who::default()) };
        }
        if person.address.is_empty() {
            person.address = contact.addresses.first().map(address).unwrap_or_default();
        }
    }
    let mut all_emails: Vec<(bool, IncomingEmail)> = Vec::new();
    let mut all_phones: Vec<(u8, IncomingPhone)> = Vec::new();
    for contact in std::iter::once(buyer).chain(same.iter().copied()) {
        for found in emails(contact, &mut out) {
            if !all_emails.iter().any(|(_, e)| e.address == found.1.address) {
                all_emails.push(found);
            }
        }
        for found in phones(contact, &mut out) {
            if !all_phones.iter().any(|(_, p)| p.number == found.1.number) {
                all_phones.push(found);
            }
        }
    }
    all_emails.sort_by_key(|(rank, _)| *rank);
    all_phones.sort_by_key(|(rank, _)| *rank);
    let ids = customer.ids.iter().chain(&buyer.ids);
    let external_ids = ids.filter_map(|id| {
        let value = id.value.as_deref().filter(|v| tells_apart(v))?;
        Some(ExternalId { source: excerpt(id.source.as_deref()?, 100), id: excerpt(value, 200) })
    });
    out.person = IncomingPerson {
        person: person.tidy(),
        emails: all_emails.into_iter().map(|(_, e)| e).take(10).collect(),
        phones: all_phones.into_iter().map(|(_, p)| p).take(10).collect(),
        external_ids: external_ids.take(10).collect(),
    };
    out
}

impl Who {
    fn warn(&mut self, warning: &str) {
        if self.warnings.len() < WARNINGS_MAX && !self.warnings.iter().any(|w| w == warning) {
            self.warnings.push(warning.to_owned());
        }
    }
}

/// "a@b.de; c@d.de" and "Ada <a@b.de>" are found too.
fn emails(contact: &Contact, who: &mut Who) -> Vec<(bool, IncomingEmail)> {
    let mut out: Vec<(bool, IncomingEmail)> = Vec::new();
    for email in &contact.emails {
        let mut usable = false;
        for text in email.text.split(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '<' | '>')) {
            let Ok(address) = EmailAddress::parse(text.trim_start_matches("mailto:")) else {
                if text.contains('@') {
                    who.warn("an e-mail address in it is not usable");
                }
                continue;
            };
            usable = true;
            if is_filler_email(address.as_str()) {
                who.warn("an e-mail address in it is a filler, not the person's");
            } else {
                // Nobody has proven that it is theirs: a form accepts any address.
                out.push((!email.preferred, IncomingEmail { address, verified: false }));
            }
        }
        if !usable && !super::is_filler(&email.text) {
            who.warn("an e-mail address in it is not usable");
        }
    }
    out
}

/// `noemail@…`, `none@none.com`, `test@test.com`: typed where a form demands one.
fn is_filler_email(address: &str) -> bool {
    const NOBODY: &[&str] =
        &["noemail", "nomail", "noemailaddress", "noemailprovided", "none", "noreply", "donotreply", "notprovided", "declined", "refused"];
    const HOSTS: &[&str] = &["test", "noemail", "nomail", "none", "na", "null", "unknown", "nowhere", "fake"];
    let Some((local, host)) = address.split_once('@') else { return false };
    let local: String = local.chars().filter(|c| c.is_alphanumeric()).collect();
    let host = host.split('.').next().unwrap_or_default();
    NOBODY.contains(&local.as_str()) || HOSTS.contains(&host) && (local == host || HOSTS.contains(&local.as_str()))
}

fn phones(contact: &Contact, who: &mut Who) -> Vec<(u8, IncomingPhone)> {
    let mut out = Vec::new();
    for phone in &contact.phones {
        let kind = phone.kind.as_deref().unwrap_or("voice").to_lowercase();
        let label = match kind.as_str() {
            "cellphone" | "cell" | "mobile" => "cell",
            "fax" => "fax",
            "pager" => "pager",
            "work" | "business" => "work",
            "home" => "home",
            _ => "voice",
        };
        let rank = if matches!(label, "fax" | "pager") { 2 } else { u8::from(!phone.preferred) };
        for number in numbers(&phone.text, who) {
            out.push((rank, IncomingPhone { number, label: Some(label.to_owned()) }));
        }
    }
    out
}

/// One number, or several in one element ("512-555-0142 / 512-555-0143", "512 555 0150 or 512 555 0151").
fn numbers(text: &str, who: &mut Who) -> Vec<PhoneNumber> {
    if super::is_filler(text) {
        return Vec::new();
    }
    let lower = text.to_lowercase().replace(" or ", "/").replace(" and ", "/");
    let parts: Vec<&str> =
        if parsed(&lower).is_some() { vec![lower.as_str()] } else { lower.split(['/', ';', ',', '|', '&']).take(10).collect() };
    let mut out = Vec::new();
    for part in parts {
        match parsed(part) {
            Some(number) if is_filler_number(&number) => who.warn("a phone number in it is a filler, not the person's"),
            Some(number) => {
                if let Some(extension) = extension(part) {
                    who.warn(&format!("a phone number in it has the extension {extension}"));
                }
                out.push(number);
            }
            None if part.trim().is_empty() || super::is_filler(part) => {}
            None => who.warn("a phone number in it is not usable"),
        }
    }
    out
}

/// A number, also with a word that says whose or when: "cell 512 555 0150", "512 555 0150 (work)".
fn parsed(text: &str) -> Option<PhoneNumber> {
    if let Ok(number) = PhoneNumber::parse(text) {
        return Some(number);
    }
    const WORDS: &[&str] = &[
        "cell",
        "cellphone",
        "mobile",
        "home",
        "work",
        "office",
        "phone",
        "telephone",
        "tel",
        "day",
        "evening",
        "c",
        "h",
        "w",
        "m",
        "p",
        "ph",
    ];
    let spaced = text.replace([':', '[', ']'], " ");
    let kept = spaced.split_whitespace().filter(|word| {
        let bare = word.trim_matches(|c: char| matches!(c, '(' | ')' | '.' | ','));
        !WORDS.contains(&bare)
    });
    PhoneNumber::parse(&kept.collect::<Vec<_>>().join(" ")).ok()
}

/// The digits after `x`, `ext.`, `extension` or `#`.
fn extension(text: &str) -> Option<&str> {
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || c == ')');
    let at = text.rfind(|c: char| !c.is_ascii_digit())?;
    let digits = text.get(at..)?.trim_start_matches(|c: char| !c.is_ascii_digit());
    let before = text.get(..text.len().checked_sub(digits.len())?)?.trim_end_matches([' ', '.', ':', '=']);
    let marked = before.ends_with(['x', '#']) || before.ends_with("ext") || before.ends_with("extension");
    (marked && (1..=8).contains(&digits.len())).then_some(digits)
}

/// 000-000-0000, 999-999-9999.
fn is_filler_number(number: &PhoneNumber) -> bool {
    let digits = number.as_str().trim_start_matches('+');
    let national = digits.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(digits);
    national.bytes().zip(national.bytes().skip(1)).all(|(a, b)| a == b)
}

/// The name, from its parts or whole; a business keeps its name whole, as a family name.
fn named(contact: &Contact, who: &mut Who) -> Person {
    let part = |wanted: &[&str]| {
        let said = contact.names.iter().filter(|n| wanted.contains(&plain(&n.part).as_str()) && !is_business(n));
        said.filter_map(|n| n.text.clone()).find(|t| stands_for_a_name(t))
    };
    let first = part(&["first", "given", "givenname", "firstname", "forename", "fname"]);
    let last = part(&["last", "surname", "family", "familyname", "lastname", "lname"]);
    let middle = part(&["middle", "middlename", "mi", "initial"]);
    let full = part(&["full", "fullname", "name", ""]);
    let business = contact.names.iter().filter(|n| is_business(n)).find_map(|n| n.text.clone()).filter(|t| stands_for_a_name(t));
    let known = first.is_some() || last.is_some() || full.is_some();
    let mut person = match (first, last, full) {
        (None, None, None) => Person { family_name: business.clone(), ..Person::default() },
        (None, None, Some(full)) => Person::from_full_name(&full),
        (first, last, full) => {
            let whole = full.as_deref().map(Person::from_full_name).unwrap_or_default();
            let rest = full.as_deref().zip(first.as_deref()).and_then(|(full, first)| after(full, first));
            // "Sam" and "Sam Carter": the rest of the whole name is the family name.
            let from_full = match rest {
                Some(rest) => Person::from_full_name(&format!("x {rest}")).family_name,
                None => whole.family_name,
            };
            let whole_given = whole.given_name.filter(|_| last.is_some());
            Person {
                given_name: first.or(whole_given),
                middle_name: None,
                family_name: last.or(from_full),
                address: PostalAddress::default(),
            }
        }
    };
    if middle.is_some() {
        person.middle_name = middle;
    }
    if let (Some(family), Some(suffix)) = (&person.family_name, part(&["suffix"])) {
        person.family_name = Some(format!("{family} {suffix}"));
    }
    if known && business.is_some() {
        who.warn("a business is named beside the person");
    }
    person.address = contact.addresses.first().map(address).unwrap_or_default();
    person.tidy()
}

fn plain(part: &str) -> String {
    part.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(20).collect()
}

/// What follows the given name in the whole name.
fn after(full: &str, first: &str) -> Option<String> {
    let (full, first) = (full.trim(), first.trim());
    let head = full.get(..first.len())?;
    let rest = full.get(first.len()..)?;
    (head.eq_ignore_ascii_case(first) && rest.starts_with(' ')).then(|| rest.trim().to_owned()).filter(|rest| !rest.is_empty())
}

/// Marked as one, or with the words only a company has in its name.
fn is_business(name: &NamePart) -> bool {
    const FORMS: &[&str] = &["llc", "inc", "ltd", "corp", "llp", "pllc", "incorporated", "corporation", "gmbh"];
    if name.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("business")) {
        return true;
    }
    let last = name.text.as_deref().and_then(|t| t.split_whitespace().next_back()).map(plain).unwrap_or_default();
    FORMS.contains(&last.as_str())
}

/// Forms fill a missing last name with a word.
fn stands_for_a_name(text: &str) -> bool {
    !matches!(text.to_lowercase().as_str(), "unknown" | "n/a" | "na" | "none" | "null" | "undefined" | "-" | "." | "not provided")
}

fn address(a: &Address) -> PostalAddress {
    PostalAddress {
        street: a.street.clone(),
        street2: a.apartment.clone(),
        city: a.city.clone(),
        state: a.region.clone(),
        postal_code: a.postal_code.clone(),
        country: a.country.clone(),
    }
}
