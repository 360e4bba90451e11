//! What a lead allows or forbids outright.

use crate::channels::adf::Prospect;
use crate::customers::ConsentPurpose;

/// The ways to write to or call somebody.
const WAYS: &[ConsentPurpose] = &[ConsentPurpose::Email, ConsentPurpose::Phone, ConsentPurpose::Text, ConsentPurpose::Mail];
/// Most lines of a comment that are looked at.
const LINES_MAX: usize = 500;

/// "Email Opt-In: Yes", "Email Opt-Out: Yes", "Do Not Call: Yes" in the text or in an element of the sender's own; and a
/// sentence that ends with "do not call" or "do not call me". Only what is said outright counts, and where both are said the
/// refusal.
pub(super) fn consents(prospect: &Prospect) -> Vec<(ConsentPurpose, bool)> {
    let comments = prospect.customer.iter().filter_map(|c| c.comments.as_deref());
    let text: String = comments.collect::<Vec<_>>().join("\n").replace("<br", "\n<br");
    let mut out: Vec<(ConsentPurpose, bool)> = Vec::new();
    for line in text.lines().take(LINES_MAX) {
        match line.split_once([':', '=']).and_then(|(key, value)| answered(key, value)) {
            Some(said) => said.into_iter().for_each(|(purpose, granted)| note(&mut out, purpose, granted)),
            None => refusals(line).into_iter().for_each(|purpose| note(&mut out, purpose, false)),
        }
    }
    for extra in &prospect.extras {
        let key = extra.path.rsplit('/').next().unwrap_or_default();
        for (purpose, granted) in answered(key, &extra.text).into_iter().flatten() {
            note(&mut out, purpose, granted);
        }
    }
    out
}

/// Said both ways: the refusal counts.
fn note(out: &mut Vec<(ConsentPurpose, bool)>, purpose: ConsentPurpose, granted: bool) {
    match out.iter_mut().find(|(p, _)| *p == purpose) {
        Some((_, before)) => *before = *before && granted,
        None => out.push((purpose, granted)),
    }
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A key with its answer.
fn answered(key: &str, value: &str) -> Option<Vec<(ConsentPurpose, bool)>> {
    let key = squeezed(key);
    if key.len() > 60 {
        return None;
    }
    let refuses = ["optout", "optedout", "unsubscribe", "donot", "dont", "nocalls", "noemail", "notext"].iter().any(|w| key.contains(w));
    let allows = ["optin", "optedin", "consent"].iter().any(|w| key.contains(w));
    if !refuses && !allows {
        return None;
    }
    let yes = match squeezed(value.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()).as_str() {
        "yes" | "true" | "y" | "1" | "oui" => true,
        "no" | "false" | "n" | "0" | "non" => false,
        _ => return None,
    };
    let purposes = named(&key);
    Some(match (refuses, yes) {
        // A refusal that names no way is of all of them.
        (true, true) if purposes.is_empty() => WAYS.iter().map(|purpose| (*purpose, false)).collect(),
        (true, true) => purposes.into_iter().map(|purpose| (purpose, false)).collect(),
        // Not to have refused is no permission.
        (true, false) => Vec::new(),
        (false, yes) => purposes.into_iter().take(1).map(|purpose| (purpose, yes)).collect(),
    })
}

/// The ways a key names.
fn named(key: &str) -> Vec<ConsentPurpose> {
    let rest = key.replace("email", "");
    let ways = [
        (ConsentPurpose::Email, rest.len() < key.len()),
        (ConsentPurpose::Text, rest.contains("sms") || rest.contains("text")),
        (ConsentPurpose::Phone, rest.contains("phone") || rest.contains("call")),
        (ConsentPurpose::Mail, rest.contains("mail")),
    ];
    ways.into_iter().filter(|(_, named)| *named).map(|(purpose, _)| purpose).collect()
}

/// "Please do not call me." and nothing after it: "do not call before five" forbids no calls.
fn refusals(line: &str) -> Vec<ConsentPurpose> {
    let plain = line.to_lowercase().replace(['\'', '\u{2019}'], "").replace("don t", "dont");
    let mut out = Vec::new();
    for sentence in plain.split(['.', '!', ';', '<', '>', ',']).take(LINES_MAX) {
        let words: Vec<&str> = sentence.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|w| !w.is_empty()).collect();
        let words = words.strip_suffix(&["me"]).or_else(|| words.strip_suffix(&["us"])).unwrap_or(&words);
        let way = match words {
            [.., "do", "not", way] | [.., "dont", way] => *way,
            _ => continue,
        };
        match way {
            "call" | "phone" => out.push(ConsentPurpose::Phone),
            "text" | "sms" => out.push(ConsentPurpose::Text),
            "email" | "e-mail" => out.push(ConsentPurpose::Email),
            "mail" => out.push(ConsentPurpose::Mail),
            "contact" => out.extend_from_slice(WAYS),
            _ => {}
        }
    }
    out
}
