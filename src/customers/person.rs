//! A person: names and address, never shown by `{:?}`; how names are compared and found.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::kernel::contact::{EmailAddress, PhoneNumber};
use crate::kernel::text;

/// Most characters of one part of a name.
pub const NAME_MAX: usize = 100;
/// Most characters of one line of an address.
pub const LINE_MAX: usize = 200;
/// Longest prefix of a word that is indexed; a longer search word is cut to it.
const PREFIX_MAX: usize = 15;
/// Most words of a name that are indexed, and most words of a search.
const WORDS_MAX: usize = 8;

/// Names and postal address of a customer. Sealed at rest.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Middle name or initial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Where mail goes.
    #[serde(default, skip_serializing_if = "PostalAddress::is_empty")]
    pub address: PostalAddress,
}

/// A postal address as the customer gave it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// Apartment, suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street2: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State or province; two letters where it is known by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// ZIP or postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(…)")
    }
}
impl fmt::Debug for PostalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostalAddress(…)")
    }
}

fn bare_word(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(20).collect()
}

/// "Dr.", "Mrs": said before a name.
fn is_title(word: &str) -> bool {
    const TITLES: &[&str] = &[
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "professor",
        "rev",
        "reverend",
        "hon",
        "sir",
        "madam",
        "mister",
        "doctor",
        "mme",
        "mlle",
        "sr",
        "sra",
        "srta",
    ];
    TITLES.contains(&bare_word(word).as_str())
}

/// "Jr.", "III", "MD": said after a name.
fn is_suffix(word: &str) -> bool {
    const SUFFIXES: &[&str] = &["jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "esquire", "dds", "dvm", "cpa", "rn", "ret"];
    SUFFIXES.contains(&bare_word(word).as_str())
}

impl PostalAddress {
    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The state when it is two capital letters, for the columns that taxes need.
    pub fn state_code(&self) -> Option<&str> {
        self.state.as_deref().filter(|s| s.len() == 2 && s.bytes().all(|b| b.is_ascii_uppercase()))
    }
}

impl Person {
    /// From one string such as "Ada M. Lovelace", "Lovelace, Ada" or "Dr. Martin King, Jr.": the last word (or what stands
    /// before the comma) is the family name. Titles are left out; what follows a name ("Jr.", "III", "MD") stays with the
    /// family name.
    pub fn from_full_name(full: &str) -> Self {
        let full = text::clean(full);
        let mut parts: Vec<Vec<&str>> = full.split(',').map(|part| part.split_whitespace().collect()).collect();
        parts.retain(|words| !words.is_empty());
        let mut suffixes: Vec<&str> = Vec::new();
        while parts.len() > 1 && parts.last().is_some_and(|words| words.iter().all(|word| is_suffix(word))) {
            suffixes.splice(0..0, parts.pop().unwrap_or_default());
        }
        let titled = |words: &[&str]| {
            let titles = words.iter().take_while(|word| is_title(word)).count();
            let joined =
                words.iter().skip(titles).take_while(|word| titles > 0 && (matches!(**word, "&" | "and") || is_title(word))).count();
            titles.saturating_add(joined).min(words.len().saturating_sub(1))
        };
        let (family, given, title) = match parts.split_first() {
            None => return Self::default(),
            Some((family, rest)) if !rest.is_empty() => {
                let given: Vec<&str> = rest.iter().flatten().copied().collect();
                let skip = titled(&given);
                (family.clone(), given.into_iter().skip(skip).collect::<Vec<_>>(), false)
            }
            Some((words, _)) => {
                let skip = titled(words);
                let mut words: Vec<&str> = words.iter().skip(skip).copied().collect();
                while words.len() > 1 && words.last().is_some_and(|word| is_suffix(word)) {
                    suffixes.splice(0..0, words.pop());
                }
                match words.split_last() {
                    Some((last, given)) if !given.is_empty() => (vec![*last], given.to_vec(), false),
                    _ => (Vec::new(), words, skip > 0),
                }
            }
        };
        // "Mrs. Smith" has told the family name only.
        let (family, given) = if title { (given, Vec::new()) } else { (family, given) };
        let family = if family.is_empty() { family } else { family.into_iter().chain(suffixes).collect() };
        let some = |words: &[&str]| (!words.is_empty()).then(|| words.join(" "));
        let (given, middle) = given.split_at_checked(1).unwrap_or_default();
        Self { given_name: some(given), middle_name: some(middle), family_name: some(&family), address: PostalAddress::default() }.tidy()
    }

    /// Cleans every part and cuts it to its limit; a state becomes two capital letters where it is one of the United States.
    #[must_use]
    pub fn tidy(self) -> Self {
        let part = |value: Option<String>, max| value.map(|v| text::excerpt(&v, max)).filter(|v| !v.is_empty());
        let a = self.address;
        Self {
            given_name: part(self.given_name, NAME_MAX),
            middle_name: part(self.middle_name, NAME_MAX),
            family_name: part(self.family_name, NAME_MAX),
            address: PostalAddress {
                street: part(a.street, LINE_MAX),
                street2: part(a.street2, LINE_MAX),
                city: part(a.city, NAME_MAX),
                state: part(a.state, NAME_MAX).map(|s| state_code(&s).map_or(s, str::to_owned)),
                postal_code: part(a.postal_code, 20),
                country: part(a.country, NAME_MAX),
            },
        }
    }

    /// The name as it is said: "Ada Lovelace". None when no part is known.
    pub fn display_name(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.given_name, &self.middle_name, &self.family_name].into_iter().filter_map(|p| p.as_deref()).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// Takes over what is known in `other` and missing here. The address is taken whole or not at all.
    pub fn fill_from(&mut self, other: &Self) -> bool {
        let before = self.clone();
        let fill = |mine: &mut Option<String>, theirs: &Option<String>| {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        };
        fill(&mut self.given_name, &other.given_name);
        fill(&mut self.middle_name, &other.middle_name);
        fill(&mut self.family_name, &other.family_name);
        if self.address.is_empty() {
            self.address = other.address.clone();
        }
        *self != before
    }

    /// How well two names agree.
    pub fn compare_name(&self, other: &Self) -> NameMatch {
        let given = compare_part(self.given_name.as_deref(), other.given_name.as_deref());
        let family = compare_part(self.family_name.as_deref(), other.family_name.as_deref());
        match (given, family) {
            (NameMatch::Different, _) | (_, NameMatch::Different) => NameMatch::Different,
            (NameMatch::Same, NameMatch::Same) => NameMatch::Same,
            (NameMatch::Unknown, _) | (_, NameMatch::Unknown) => NameMatch::Unknown,
            _ => NameMatch::Compatible,
        }
    }
}

/// What two names say about being one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameMatch {
    /// Another given or family name.
    Different,
    /// One of them lacks a part.
    Unknown,
    /// An initial stands for a name.
    Compatible,
    /// Given and family name are equal, but for case and accents.
    Same,
}

fn compare_part(a: Option<&str>, b: Option<&str>) -> NameMatch {
    let (Some(a), Some(b)) = (a, b) else { return NameMatch::Unknown };
    let (a, b) = (words(a), words(b));
    let (Some(first_a), Some(first_b)) = (a.first(), b.first()) else { return NameMatch::Unknown };
    if a == b {
        return NameMatch::Same;
    }
    let initial = |short: &str, long: &str| short.chars().count() == 1 && long.starts_with(short);
    // "Mary Ann" and "Mary" agree; so do "J." and "John".
    let begins = a.iter().zip(&b).all(|(x, y)| x == y);
    if begins || initial(first_a, first_b) || initial(first_b, first_a) { NameMatch::Compatible } else { NameMatch::Different }
}

/// Lower-case, without accents and apostrophes; what people type when they search.
pub fn fold(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'đ' | 'ð' => out.push('d'),
            'ł' => out.push('l'),
            'ı' => out.push('i'),
            'þ' => out.push_str("th"),
            '\'' | '’' | '‘' | '`' | '´' => {}
            c => out.push(c),
        }
    }
    out
}

/// The folded words of a name.
pub fn words(raw: &str) -> Vec<String> {
    fold(raw).split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// What a blind index is made of. Never shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchToken {
    /// Separates kinds, so that a name never finds a phone.
    pub context: &'static str,
    /// The normalised text.
    pub text: String,
}

impl fmt::Debug for SearchToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SearchToken({}, …)", self.context)
    }
}

const BY_NAME: &str = "customer.search.name";
const BY_EMAIL: &str = "customer.search.email";
const BY_PHONE: &str = "customer.search.phone";
const BY_PHONE_END: &str = "customer.search.phone_end";

/// Everything a customer can be found by: name prefixes of two letters and more, whole e-mails, whole phones and their last
/// four digits.
pub fn search_tokens<'a>(
    person: &Person,
    emails: impl Iterator<Item = &'a EmailAddress>,
    phones: impl Iterator<Item = &'a PhoneNumber>,
) -> BTreeSet<SearchToken> {
    let names = [&person.given_name, &person.middle_name, &person.family_name].into_iter().flatten();
    let mut tokens = BTreeSet::new();
    for word in names.flat_map(|name| words(name)).take(WORDS_MAX) {
        let letters: Vec<char> = word.chars().take(PREFIX_MAX).collect();
        // A name of one letter (李) is found by that letter.
        let shortest = letters.len().min(2);
        for length in shortest..=letters.len() {
            tokens.insert(SearchToken { context: BY_NAME, text: letters.iter().take(length).collect() });
        }
    }
    for email in emails {
        tokens.insert(SearchToken { context: BY_EMAIL, text: email.as_str().to_owned() });
    }
    for phone in phones {
        tokens.insert(SearchToken { context: BY_PHONE, text: phone.as_str().to_owned() });
        tokens.insert(SearchToken { context: BY_PHONE_END, text: last_four(phone.as_str()) });
    }
    tokens
}

/// What a search line asks for; every token must be found. Empty when nothing in it can be searched.
pub fn search_query(line: &str) -> BTreeSet<SearchToken> {
    let line = text::excerpt(line, 200);
    if line.chars().filter(char::is_ascii_digit).count() >= 7
        && let Ok(phone) = PhoneNumber::parse(&line)
    {
        return BTreeSet::from([SearchToken { context: BY_PHONE, text: phone.as_str().to_owned() }]);
    }
    let mut tokens = BTreeSet::new();
    for part in line.split_whitespace().take(WORDS_MAX) {
        if part.contains('@') {
            let text = EmailAddress::parse(part).map_or_else(|_| part.to_lowercase(), |email| email.as_str().to_owned());
            tokens.insert(SearchToken { context: BY_EMAIL, text });
        } else if part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit()) {
            tokens.insert(SearchToken { context: BY_PHONE_END, text: part.to_owned() });
        } else {
            for word in words(part) {
                tokens.insert(SearchToken { context: BY_NAME, text: word.chars().take(PREFIX_MAX).collect() });
            }
        }
    }
    tokens
}

fn last_four(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().collect();
    digits.iter().skip(digits.len().saturating_sub(4)).collect()
}

/// The two letters of one of the United States, its district or territories, by code or name.
pub fn state_code(raw: &str) -> Option<&'static str> {
    let folded = fold(raw);
    let folded = folded.trim().trim_end_matches('.');
    STATES.iter().find(|(code, name)| code.eq_ignore_ascii_case(folded) || *name == folded).map(|(code, _)| *code)
}

/// USPS Publication 28, appendix B.
const STATES: &[(&str, &str)] = &[
    ("AL", "alabama"),
    ("AK", "alaska"),
    ("AZ", "arizona"),
    ("AR", "arkansas"),
    ("CA", "california"),
    ("CO", "colorado"),
    ("CT", "connecticut"),
    ("DE", "delaware"),
    ("DC", "district of columbia"),
    ("FL", "florida"),
    ("GA", "georgia"),
    ("HI", "hawaii"),
    ("ID", "idaho"),
    ("IL", "illinois"),
    ("IN", "indiana"),
    ("IA", "iowa"),
    ("KS", "kansas"),
    ("KY", "kentucky"),
    ("LA", "louisiana"),
    ("ME", "maine"),
    ("MD", "maryland"),
    ("MA", "massachusetts"),
    ("MI", "michigan"),
    ("MN", "minnesota"),
    ("MS", "mississippi"),
    ("MO", "missouri"),
    ("MT", "montana"),
    ("NE", "nebraska"),
    ("NV", "nevada"),
    ("NH", "new hampshire"),
    ("NJ", "new jersey"),
    ("NM", "new mexico"),
    ("NY", "new york"),
    ("NC", "north carolina"),
    ("ND", "north dakota"),
    ("OH", "ohio"),
    ("OK", "oklahoma"),
    ("OR", "oregon"),
    ("PA", "pennsylvania"),
    ("RI", "rhode island"),
    ("SC", "south carolina"),
    ("SD", "south dakota"),
    ("TN", "tennessee"),
    ("TX", "texas"),
    ("UT", "utah"),
    ("VT", "vermont"),
    ("VA", "virginia"),
    ("WA", "washington"),
    ("WV", "west virginia"),
    ("WI", "wisconsin"),
    ("WY", "wyoming"),
    ("PR", "puerto rico"),
    ("GU", "guam"),
    ("VI", "virgin islands"),
    ("AS", "american samoa"),
    ("MP", "northern mariana islands"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn named(given: &str, family: &str) -> Person {
        let some = |s: &str| (!s.is_empty()).then(|| s.to_owned());
        Person { given_name: some(given), family_name: some(family), ..Person::default() }
    }

    #[test]
    fn full_names_are_split_where_people_split_them() {
        let parts = |full| {
            let p = Person::from_full_name(full);
            (p.given_name, p.middle_name, p.family_name)
        };
        let s = |t: &str| Some(t.to_owned());
        assert_eq!(parts("Ada M. Lovelace"), (s("Ada"), s("M."), s("Lovelace")));
        assert_eq!(parts("Lovelace, Ada"), (s("Ada"), None, s("Lovelace")));
        assert_eq!(parts("  Ada "), (s("Ada"), None, None));
        assert_eq!(parts(""), (None, None, None));
        assert_eq!(parts(" , "), (None, None, None));
        assert_eq!(parts("Martin King, Jr."), (s("Martin"), None, s("King Jr.")));
        assert_eq!(parts("Martin Luther King III"), (s("Martin"), s("Luther"), s("King III")));
        assert_eq!(parts("King, Martin, Jr."), (s("Martin"), None, s("King Jr.")));
        assert_eq!(parts("Dr. María José García López Jr."), (s("María"), s("José García"), s("López Jr.")));
        assert_eq!(parts("Mr. & Mrs. John Smith"), (s("John"), None, s("Smith")));
        assert_eq!(parts("Mrs. Smith"), (None, None, s("Smith")));
        assert_eq!(parts("Smith, Dr. Jane"), (s("Jane"), None, s("Smith")));
        assert_eq!(parts("Jane Doe, MD, PhD"), (s("Jane"), None, s("Doe MD PhD")));
        assert_eq!(parts("Dr."), (s("Dr."), None, None));
        assert_eq!(parts("Jr."), (s("Jr."), None, None));
    }

    #[test]
    fn names_are_compared_without_case_accents_and_apostrophes() {
        assert_eq!(named("José", "O’Brien").compare_name(&named("JOSE", "o'brien")), NameMatch::Same);
        assert_eq!(named("J.", "Smith").compare_name(&named("John", "Smith")), NameMatch::Compatible);
        assert_eq!(named("Mary Ann", "Smith").compare_name(&named("Mary", "Smith")), NameMatch::Compatible);
        assert_eq!(named("John", "Smith").compare_name(&named("Jane", "Smith")), NameMatch::Different);
        assert_eq!(named("John", "").compare_name(&named("John", "Smith")), NameMatch::Unknown);
        assert_eq!(named("John", "").compare_name(&named("Jane", "Smith")), NameMatch::Different);
    }

    #[test]
    fn is_found_by_what_people_type() {
        let email = EmailAddress::parse("Ada@Example.com").unwrap();
        let phone = PhoneNumber::parse("(312) 555-0142").unwrap();
        let person = named("Åsa-Łucja", "Müller");
        let tokens = search_tokens(&person, [&email].into_iter(), [&phone].into_iter());
        for line in ["asa", "LUCJA mul", "müller", "ada@example.com", "312 555 0142", "+13125550142", "0142", "As 0142"] {
            let query = search_query(line);
            assert!(!query.is_empty() && query.is_subset(&tokens), "{line}");
        }
        for line in ["m", "lucjaa", "ada@example.co", "0143", "312 555 0143"] {
            assert!(!search_query(line).is_subset(&tokens), "{line}");
        }
        assert!(search_query("  - ").is_empty());
    }

    #[test]
    fn one_letter_names_are_found() {
        let tokens = search_tokens(&named("明", "李"), [].into_iter(), [].into_iter());
        assert!(search_query("李").is_subset(&tokens) && !search_query("王").is_subset(&tokens));
    }

    #[test]
    fn long_input_is_cut_and_states_become_codes() {
        let person = Person {
            given_name: Some("x".repeat(5000)),
            address: PostalAddress { state: Some("illinois".into()), ..PostalAddress::default() },
            ..Person::default()
        }
        .tidy();
        assert_eq!(person.given_name.unwrap().len(), NAME_MAX);
        assert_eq!(person.address.state_code(), Some("IL"));
    }

    #[test]
    fn debug_shows_nothing_personal() {
        let mut person = named("Zephyrine", "Quux");
        person.address.street = Some("1 Secret Way".into());
        let shown = format!("{person:?} {:?} {:?}", person.address, search_tokens(&person, [].into_iter(), [].into_iter()));
        assert!(!shown.to_lowercase().contains("zeph") && !shown.contains("Secret") && !shown.to_lowercase().contains("quux"));
    }
}
