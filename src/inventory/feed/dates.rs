//! A day, as feeds write it.
//!
//! - Year first is year, month, day. Points mean day first (`01.10.2026`). Else the month comes first, as in the United
//!   States, unless the first part is above 12 (`13/10/2026`). A month in letters may stand anywhere (`1-Oct-2026`).
//! - `46296` is a day as spreadsheets count them; ten and thirteen digits count seconds and milliseconds since 1970.
//! - `26-10-01` is not read: it may be 2026 or 2001. `0000-00-00` and the zero days of programs mean that there is no date.

use chrono::{DateTime, Days, NaiveDate};

use super::normalise::{Senseless, is_nothing};

/// Longest text that can be a date with a time and a zone.
const TEXT_MAX: usize = 60;
const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The day of a text, without its time. None when the text says that there is none.
pub fn day(text: &str) -> Result<Option<NaiveDate>, Senseless> {
    let text = text.trim();
    if is_nothing(text) {
        return Ok(None);
    }
    if text.len() > TEXT_MAX {
        return Err(Senseless);
    }
    let text = text.strip_prefix("/Date(").and_then(|t| t.strip_suffix(")/")).unwrap_or(text).to_ascii_lowercase();
    let parts = Parts::of(&text)?;
    if parts.numbers.is_empty() {
        return Err(Senseless);
    }
    if parts.numbers.iter().all(|n| n.bytes().all(|b| b == b'0')) {
        return Ok(None);
    }
    let day = match (parts.month, parts.numbers.as_slice()) {
        (None, [one] | [one, "0" | "00"]) => counted(one),
        // A part of a day after the day's number, as spreadsheets keep the time.
        (None, [one, _]) if one.len() == 5 && text.contains('.') => counted(one),
        (None, [a, b, c]) => ordered(a, b, c, &text),
        (Some(month), [a, b]) => {
            let (year, day) = if a.len() == 4 { (*a, *b) } else { (*b, *a) };
            NaiveDate::from_ymd_opt(year_of(year)?, month, number(day)?)
        }
        _ => None,
    };
    let day = day.ok_or(Senseless)?;
    // Where programs begin to count: nobody stocked a vehicle then.
    let zeros = [(1970, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 1), (1753, 1, 1), (1, 1, 1)];
    Ok((!zeros.iter().any(|(y, m, d)| NaiveDate::from_ymd_opt(*y, *m, *d) == Some(day))).then_some(day))
}

/// The numbers before a time of day, and the month when it is in letters.
struct Parts<'t> {
    numbers: Vec<&'t str>,
    month: Option<u32>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Result<Self, Senseless> {
        let mut parts = Self { numbers: Vec::new(), month: None };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let same = |c: char| if first.is_ascii_digit() { c.is_ascii_digit() } else { c.is_alphabetic() };
            let end = rest.find(|c| !same(c)).unwrap_or(rest.len()).max(first.len_utf8());
            let (part, after) = rest.split_at_checked(end).ok_or(Senseless)?;
            if first.is_ascii_digit() {
                // An hour: what follows is the time.
                if after.starts_with(':') {
                    break;
                }
                parts.numbers.push(part);
            } else if first.is_alphabetic() {
                if part == "t" && !parts.numbers.is_empty() {
                    break;
                }
                parts.word(part)?;
            } else if first == ':' || (first == '-' && rest.len() == text.len()) {
                return Err(Senseless);
            }
            rest = after;
        }
        Ok(parts)
    }

    fn word(&mut self, word: &str) -> Result<(), Senseless> {
        let is = |names: &[&str]| names.iter().position(|name| word.len() >= 3 && name.starts_with(word));
        if let Some(month) = is(&MONTHS).or((word == "sept").then_some(8)) {
            let before = self.month.replace(u32::try_from(month).map_err(|_| Senseless)?.saturating_add(1));
            return if before.is_some() { Err(Senseless) } else { Ok(()) };
        }
        let passed_over = is(&WEEKDAYS).is_some() || matches!(word, "st" | "nd" | "rd" | "th" | "of" | "the");
        if passed_over { Ok(()) } else { Err(Senseless) }
    }
}

fn number(digits: &str) -> Result<u32, Senseless> {
    digits.parse().map_err(|_| Senseless)
}

/// Two digits up to 69 are of this century.
fn year_of(digits: &str) -> Result<i32, Senseless> {
    let year: i32 = digits.parse().map_err(|_| Senseless)?;
    match digits.len() {
        4 => Ok(year),
        2 => Ok(year.saturating_add(if year <= 69 { 2000 } else { 1900 })),
        _ => Err(Senseless),
    }
}

fn ordered(a: &str, b: &str, c: &str, text: &str) -> Option<NaiveDate> {
    if a.len() == 4 {
        return NaiveDate::from_ymd_opt(year_of(a).ok()?, number(b).ok()?, number(c).ok()?);
    }
    let (first, second, year) = (number(a).ok()?, number(b).ok()?, year_of(c).ok()?);
    let mark = text.split_once(a).and_then(|(_, after)| after.chars().next());
    let (day, month) = match mark {
        Some('-') if first > 12 && c.len() == 2 => return None,
        Some('.') if second <= 12 => (first, second),
        _ if first > 12 => (first, second),
        _ => (second, first),
    };
    NaiveDate::from_ymd_opt(year, month, day)
}

/// `20261001`, `10012026`, a spreadsheet's day, or a count since 1970.
fn counted(digits: &str) -> Option<NaiveDate> {
    match digits.len() {
        5 => NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(Days::new(digits.parse().ok()?)),
        8 => {
            let cut = |from: usize, to: usize| digits.get(from..to)?.parse::<u32>().ok();
            let year_first = NaiveDate::from_ymd_opt(i32::try_from(cut(0, 4)?).ok()?, cut(4, 6)?, cut(6, 8)?);
            let month_first = || NaiveDate::from_ymd_opt(i32::try_from(cut(4, 8)?).ok()?, cut(0, 2)?, cut(2, 4)?);
            year_first.filter(|_| digits.starts_with(['1', '2'])).or_else(month_first)
        }
        10 => DateTime::from_timestamp(digits.parse().ok()?, 0).map(|at| at.date_naive()),
        13 => DateTime::from_timestamp_millis(digits.parse().ok()?).map(|at| at.date_naive()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_comes_in_many_spellings() {
        let first = NaiveDate::from_ymd_opt(2026, 10, 1);
        for text in [
            "2026-10-01",
            "2026/10/1 10:00",
            "2026-10-01T08:00:00-05:00",
            "2026-10-01 08:00:00.000",
            "20261001",
            "20261001T080000Z",
            "10/1/2026",
            "10/01/26",
            "10-01-26",
            "10-01-2026",
            "10/1/2026 12:00:00 AM",
            "01.10.2026",
            "1.10.26",
            "Oct 1, 2026",
            "Oct. 1st, 2026",
            "October 1 2026",
            "1-Oct-2026",
            "01-OCT-26",
            "01OCT2026",
            "Thu, 01 Oct 2026 08:00:00 GMT",
            "2026-Oct-01",
            "46296",
            "46296.5",
            "46296.0",
            "1790812800",
            "1790812800000",
            "/Date(1790812800000)/",
        ] {
            assert_eq!(day(text), Ok(first), "{text}");
        }
        assert_eq!(day("13/10/2026"), Ok(NaiveDate::from_ymd_opt(2026, 10, 13)));
        assert_eq!(day("13-10-2026"), Ok(NaiveDate::from_ymd_opt(2026, 10, 13)));
    }

    #[test]
    fn what_can_be_two_days_or_none_is_not_guessed() {
        for text in
            ["2026-13-45", "13/13/2026", "26-10-01", "yesterday", "2026", "10/2026", "Oct 2026", "2026-02-30", "-46296", "10:30", "1/2/3"]
        {
            assert_eq!(day(text), Err(Senseless), "{text}");
        }
        for text in ["", "N/A", "0000-00-00", "00/00/0000", "1900-01-01", "1/1/1900 12:00:00 AM", "0001-01-01T00:00:00", "0", "-"] {
            assert_eq!(day(text), Ok(None), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_panic(text in "\\PC{0,70}") {
            let _ = day(&text);
        }

        #[test]
        fn every_day_reads_back(days in 0_u64..40_000) {
            let want = NaiveDate::from_ymd_opt(1980, 1, 1).unwrap() + Days::new(days);
            for format in ["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%Y", "%B %e, %Y", "%Y%m%d"] {
                proptest::prop_assert_eq!(day(&want.format(format).to_string()), Ok(Some(want)));
            }
        }
    }
}
