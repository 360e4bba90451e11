//! New, used or certified: the words of a condition, a type or a certified column, and what takes them back.
//!
//! A used car shown as certified by its maker is a promise nobody made, so whatever denies or doubts the certification
//! ("Non-Certified", "CPO: No", "Certified eligible") leaves a used car.

use super::normalise::{Senseless, flag, is_nothing};
use crate::inventory::model::VehicleCondition;

/// Before a word, these deny it.
const DENIALS: [&str; 9] = ["non", "not", "no", "un", "never", "without", "isn", "wasn", "de"];
/// After "certified", as the last word.
const REFUSALS: [&str; 6] = ["no", "n", "0", "false", "none", "never"];
/// After "certified", anywhere: not yet, or not any more.
const DOUBTS: [&str; 10] =
    ["false", "not", "eligible", "ineligible", "eligibility", "pending", "expired", "candidate", "declined", "possible"];
/// Words around "new" that leave it new. A "new arrival" is no new car.
const AROUND_NEW: [&str; 17] = [
    "new",
    "n",
    "brand",
    "vehicle",
    "vehicles",
    "car",
    "cars",
    "truck",
    "trucks",
    "suv",
    "van",
    "auto",
    "demo",
    "demonstrator",
    "inventory",
    "condition",
    "stock",
];
/// Grades of used cars.
const GRADES: [&str; 12] =
    ["excellent", "good", "fair", "poor", "average", "rough", "clean", "salvage", "rebuilt", "refurbished", "outstanding", "mint"];
/// What a column of types says about every car.
const ANY_CAR: [&str; 12] =
    ["car", "cars", "vehicle", "vehicles", "auto", "autos", "automobile", "passenger", "motor", "light", "duty", "retail"];

fn words(text: &str) -> Vec<String> {
    // "https://schema.org/UsedCondition"
    let last = if text.contains("://") { text.trim_end_matches('/').rsplit('/').next().unwrap_or(text) } else { text };
    let last = last.to_lowercase();
    let words = last.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    words.map(|w| w.strip_suffix("condition").filter(|w| !w.is_empty()).unwrap_or(w).to_owned()).collect()
}

fn is_certified(word: &str) -> bool {
    word.starts_with("certifi") || matches!(word, "cpo" | "cert" | "certified")
}

/// Whether a word about certification is there, and whether it is taken back.
fn certification(words: &[String]) -> Option<bool> {
    let denied_inside = |w: &str| ["non", "not", "un", "de"].iter().any(|p| w.strip_prefix(p).is_some_and(is_certified));
    if words.iter().any(|w| denied_inside(w)) {
        return Some(false);
    }
    let at = words.iter().position(|w| is_certified(w))?;
    let before = words.iter().take(at).rev().take(2).any(|w| DENIALS.contains(&w.as_str()));
    let after = words.iter().skip(at).any(|w| DOUBTS.contains(&w.as_str()));
    let last = words.last().is_some_and(|w| REFUSALS.contains(&w.as_str()));
    Some(!before && !after && !last)
}

/// Yes or no, in a column that asks whether a vehicle is certified. None when it cannot be told.
pub fn certified(text: &str) -> Option<bool> {
    flag(text).or_else(|| certification(&words(text)))
}

/// Whether a text says that a vehicle is not certified.
pub fn denies_certification(text: &str) -> bool {
    certification(&words(text)) == Some(false)
}

/// New, used or certified. Nothing for an auction's grade or clock and for "car"; senseless for what is not understood.
pub fn condition(text: &str) -> Result<Option<VehicleCondition>, Senseless> {
    if is_nothing(text) {
        return Ok(None);
    }
    let words = words(text);
    let has = |wanted: &[&str]| words.iter().any(|w| wanted.contains(&w.as_str()));
    let pair = |a: &str, b: &str| words.windows(2).any(|two| matches!(two, [x, y] if x == a && y == b));
    let denied = |word: &str| DENIALS.iter().any(|no| pair(no, word));
    let letter = words.len() == 1;
    let used = has(&["used", "preowned", "secondhand"]) || (letter && has(&["u"])) || pair("pre", "owned") || pair("second", "hand");
    let not_new = has(&["nonnew", "notnew"]) || ["like", "nearly", "almost", "as"].iter().any(|w| pair(w, "new")) || denied("new");
    let new = (has(&["new", "demo", "demonstrator"]) || (letter && has(&["n"]))) && !not_new;
    match certification(&words) {
        Some(true) => return Ok(Some(VehicleCondition::Certified)),
        Some(false) if new && !used => return Ok(Some(VehicleCondition::New)),
        Some(false) => return Ok(Some(VehicleCondition::Used)),
        None => {}
    }
    let only = |known: &[&str]| words.iter().all(|w| known.contains(&w.as_str()));
    let clock =
        words.last().is_some_and(|w| matches!(w.as_str(), "left" | "minutes" | "hours" | "days")) || words.iter().any(|w| w == "expired");
    match () {
        () if letter && has(&["c"]) => Ok(Some(VehicleCondition::Certified)),
        () if used && (new || denied("used")) => Err(Senseless),
        () if used || not_new || has(&GRADES) => Ok(Some(VehicleCondition::Used)),
        () if new && only(&AROUND_NEW) => Ok(Some(VehicleCondition::New)),
        () if clock || only(&ANY_CAR) || words.iter().all(|w| w.bytes().all(|b| b.is_ascii_digit())) => Ok(None),
        () => Err(Senseless),
    }
}

#[cfg(test)]
mod tests {
    use super::VehicleCondition::{Certified, New, Used};
    use super::*;

    #[test]
    fn a_denied_certification_leaves_a_used_car() {
        for text in [
            "Non-Certified",
            "Non Certified",
            "NonCertified",
            "Uncertified",
            "Un-certified",
            "Not Certified",
            "Not yet certified",
            "Certified: No",
            "Certified - N",
            "CPO: false",
            "Non-CPO",
            "Not a CPO",
            "Used (not certified)",
            "Certified eligible",
            "Certification pending",
            "Used, isn't certified",
            "No certification",
            "Decertified",
        ] {
            assert_eq!(condition(text), Ok(Some(Used)), "{text}");
            assert_eq!(certified(text), Some(false), "{text}");
        }
        assert_eq!(condition("New - not certified"), Ok(Some(New)));
    }

    #[test]
    fn conditions_come_in_the_words_of_the_trade() {
        for (text, want) in [
            ("Honda Certified", Certified),
            ("Certified Pre-Owned", Certified),
            ("CPO", Certified),
            ("C", Certified),
            ("NEW", New),
            ("Brand-New", New),
            ("https://schema.org/NewCondition", New),
            ("UsedCondition", Used),
            ("Pre-Owned", Used),
            ("U", Used),
            ("like new", Used),
            ("Not New", Used),
            ("Used - Like New", Used),
            ("excellent", Used),
        ] {
            assert_eq!(condition(text), Ok(Some(want)), "{text}");
        }
        for text in ["31", "2 days left", "29 minutes", "Listing Expired", "", "car"] {
            assert_eq!(condition(text), Ok(None), "{text}");
        }
        for text in ["New/Used", "New Arrival", "Sport Utility", "unused", "not used"] {
            assert_eq!(condition(text), Err(Senseless), "{text}");
        }
    }

    #[test]
    fn a_certified_column_answers_yes_or_no() {
        for text in ["N", "No", "0", "false", "F", "Non-Certified"] {
            assert_eq!(certified(text), Some(false), "{text}");
        }
        for text in ["Y", "yes", "1", "TRUE", "Certified", "CPO", "Honda Certified"] {
            assert_eq!(certified(text), Some(true), "{text}");
        }
        assert_eq!(certified("maybe"), None);
    }
}
