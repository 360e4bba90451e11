//! The vehicle identification number: its shape, check digit and model year.
//!
//! Sources: 49 CFR Part 565 (17 characters since model year 1981, no I, O or Q, check digit in position 9, model year in
//! position 10), ISO 3779 and 3780 (world manufacturer identifier).
//!
//! # What is accepted
//! - Surrounding space, lower case, and separators (space, `-`, `.`, `_`) inside are repaired.
//! - A correct check digit: [`VinStatus::Valid`].
//! - A wrong check digit is refused. Exception: a VIN from outside North America (first character not 1 to 5) whose position 9
//!   is not a digit or `X` at all. Such VINs (`WVWZZZ1JZXW000001`) come from markets without the rule: [`VinStatus::Unchecked`].
//!   A digit in position 9 is always taken as a check digit: cars sold here carry it wherever they were built, and a
//!   mistyped VIN does more harm than a rare grey import that has to be entered by hand.
//! - 5 to 13 characters, at least three of them digits, are a number from before 1981: [`VinStatus::Unchecked`]. The caller
//!   refuses them when the model year says otherwise ([`Vin::check_year`]).
//! - Placeholders (`UNKNOWN`, `N/A`, all characters alike) are a missing VIN.

use std::fmt;

use super::model::VinStatus;

/// A VIN that passed the rules above: upper-case, without separators.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Vin {
    text: String,
    status: VinStatus,
}

/// Why a VIN was refused. The text is for the person who typed or sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VinError {
    /// Nothing, or a placeholder for nothing.
    #[error("the VIN is missing")]
    Missing,
    /// Fewer than 17 characters, and not a number from before 1981.
    #[error("the VIN has {length} characters instead of 17")]
    TooShort {
        /// Characters found.
        length: usize,
    },
    /// More than 17 characters.
    #[error("the VIN has {length} characters instead of 17")]
    TooLong {
        /// Characters found.
        length: usize,
    },
    /// I, O or Q, or no letter or digit at all.
    #[error("the VIN has a \"{found}\" in position {position}, which no VIN has")]
    IllegalCharacter {
        /// The character.
        found: char,
        /// Its position, from 1.
        position: usize,
    },
    /// Position 9 does not fit the rest: a character is wrong or two are swapped.
    #[error("the check digit of the VIN is wrong: position 9 is {found}, the rest asks for {expected}; a character is mistyped or swapped")]
    WrongCheckDigit {
        /// In the VIN.
        found: char,
        /// Computed.
        expected: char,
    },
    /// A short number on a vehicle that is too young for one.
    #[error("the VIN has {length} characters, but a vehicle of model year {year} has 17")]
    ShortAfter1980 {
        /// Characters found.
        length: usize,
        /// The model year given beside it.
        year: i32,
    },
}

impl VinError {
    /// A stable code for reports.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "VIN_MISSING",
            Self::TooShort { .. } | Self::ShortAfter1980 { .. } => "VIN_TOO_SHORT",
            Self::TooLong { .. } => "VIN_TOO_LONG",
            Self::IllegalCharacter { .. } => "VIN_ILLEGAL_CHARACTER",
            Self::WrongCheckDigit { .. } => "VIN_CHECK_DIGIT",
        }
    }
}

/// The first model year with 17 characters.
const FIRST_STANDARD_YEAR: i32 = 1981;
/// Position 10 of thirty consecutive model years (49 CFR 565.15, table VII).
const YEAR_CODES: &str = "ABCDEFGHJKLMNPRSTVWXY123456789";

impl Vin {
    /// Reads what people and feeds write.
    pub fn parse(raw: &str) -> Result<Self, VinError> {
        if raw.len() > 200 {
            return Err(VinError::TooLong { length: raw.chars().count() });
        }
        let text: String = raw.chars().filter(|c| !is_separator(*c)).flat_map(char::to_uppercase).collect();
        if is_placeholder(&text) {
            return Err(VinError::Missing);
        }
        if let Some((at, found)) = text.chars().enumerate().find(|(_, c)| !c.is_ascii_alphanumeric()) {
            return Err(VinError::IllegalCharacter { found, position: at.saturating_add(1) });
        }
        match text.len() {
            17 => Self::standard(text),
            5..=13 if text.chars().filter(char::is_ascii_digit).count() >= 3 => Ok(Self { text, status: VinStatus::Unchecked }),
            length @ ..17 => Err(VinError::TooShort { length }),
            length => Err(VinError::TooLong { length }),
        }
    }

    fn standard(text: String) -> Result<Self, VinError> {
        if let Some((at, found)) = text.chars().enumerate().find(|(_, c)| matches!(c, 'I' | 'O' | 'Q')) {
            return Err(VinError::IllegalCharacter { found, position: at.saturating_add(1) });
        }
        let expected = check_digit(&text);
        let found = text.chars().nth(8).unwrap_or('?');
        if found == expected {
            return Ok(Self { text, status: VinStatus::Valid });
        }
        let north_american = matches!(text.chars().next(), Some('1'..='5'));
        if !north_american && !matches!(found, '0'..='9' | 'X') {
            return Ok(Self { text, status: VinStatus::Unchecked });
        }
        Err(VinError::WrongCheckDigit { found, expected })
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The characters, owned.
    pub fn into_string(self) -> String {
        self.text
    }

    /// How far it was checked.
    pub const fn status(&self) -> VinStatus {
        self.status
    }

    /// Whether it has the 17 characters of 1981 and later.
    pub fn is_standard(&self) -> bool {
        self.text.len() == 17
    }

    /// The world manufacturer identifier: characters 1 to 3, and 12 to 14 too for makers of fewer than 1,000 vehicles a year
    /// (third character 9). `None` for a number from before 1981.
    pub fn wmi(&self) -> Option<String> {
        let short = self.text.get(..3).filter(|_| self.is_standard())?;
        if short.ends_with('9') { Some(format!("{short}{}", self.text.get(11..14)?)) } else { Some(short.to_owned()) }
    }

    /// The model year: position 10; a letter in position 7 means 2010 to 2039, a digit 1980 to 2009 (49 CFR 565.15(d)).
    pub fn model_year(&self) -> Option<i32> {
        if !self.is_standard() {
            return None;
        }
        let code = self.text.chars().nth(9)?;
        let step = i32::try_from(YEAR_CODES.find(code)?).ok()?;
        let base: i32 = if self.text.chars().nth(6)?.is_ascii_alphabetic() { 2010 } else { 1980 };
        Some(base.saturating_add(step))
    }

    /// Refuses a short number on a vehicle whose model year is 1981 or later.
    pub fn check_year(&self, year: Option<i32>) -> Result<(), VinError> {
        match year {
            Some(year) if year >= FIRST_STANDARD_YEAR && !self.is_standard() => {
                Err(VinError::ShortAfter1980 { length: self.text.len(), year })
            }
            _ => Ok(()),
        }
    }

    /// A stock number for a vehicle whose feed gives none: the last eight characters (model year, plant and serial number).
    pub fn derived_stock_number(&self) -> &str {
        self.text.get(self.text.len().saturating_sub(8)..).unwrap_or(&self.text)
    }
}

impl fmt::Display for Vin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '-' | '–' | '.' | '_' | '\u{feff}' | '\u{200b}' | '\'' | '"' | '*')
}

fn is_placeholder(text: &str) -> bool {
    let words = matches!(
        text,
        "" | "UNKNOWN"
            | "NA"
            | "N/A"
            | "NONE"
            | "NULL"
            | "NIL"
            | "TBD"
            | "TBA"
            | "PENDING"
            | "MISSING"
            | "NOVIN"
            | "VIN"
            | "NAN"
            | "#N/A"
            | "?"
    );
    let mut chars = text.chars();
    let first = chars.next();
    words || chars.all(|c| Some(c) == first)
}

/// The check digit the other sixteen characters ask for (49 CFR 565.15(c)): values times weights, modulo 11, ten is `X`.
fn check_digit(vin: &str) -> char {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let sum: u32 = vin.chars().zip(WEIGHTS).map(|(c, weight)| value(c).saturating_mul(weight)).sum();
    match sum % 11 {
        10 => 'X',
        rest => char::from_digit(rest, 10).unwrap_or('?'),
    }
}

fn value(c: char) -> u32 {
    match c {
        'A' | 'J' => 1,
        'B' | 'K' | 'S' => 2,
        'C' | 'L' | 'T' => 3,
        'D' | 'M' | 'U' => 4,
        'E' | 'N' | 'V' => 5,
        'F' | 'W' => 6,
        'G' | 'P' | 'X' => 7,
        'H' | 'Y' => 8,
        'R' | 'Z' => 9,
        digit => digit.to_digit(10).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_decides() {
        assert_eq!(Vin::parse("1M8GDM9AXKP042788").map(|v| v.status()), Ok(VinStatus::Valid));
        assert_eq!(Vin::parse("1M8GDM9A1KP042788"), Err(VinError::WrongCheckDigit { found: '1', expected: 'X' }));
        // Passes the arithmetic, and is nobody's car.
        assert_eq!(Vin::parse("11111111111111111"), Err(VinError::Missing));
    }

    #[test]
    fn spelling_is_repaired() {
        for raw in ["  jm1gl1vm8m1607738", "JM1-GL1VM8M 1607738", "\u{feff}JM1GL1VM8M1607738\r"] {
            assert_eq!(Vin::parse(raw).map(Vin::into_string), Ok("JM1GL1VM8M1607738".to_owned()), "{raw:?}");
        }
    }

    #[test]
    fn foreign_numbers_without_a_check_digit_are_unchecked() {
        assert_eq!(Vin::parse("WVWZZZ1JZXW000001").map(|v| v.status()), Ok(VinStatus::Unchecked));
        assert!(matches!(Vin::parse("1VWZZZ1JZXW000001"), Err(VinError::WrongCheckDigit { .. })));
    }

    #[test]
    fn old_numbers_are_unchecked_and_only_on_old_cars() {
        let vin = Vin::parse("1q87t3n166389").unwrap();
        assert_eq!((vin.status(), vin.model_year(), vin.wmi()), (VinStatus::Unchecked, None, None));
        assert_eq!(vin.check_year(Some(1973)), Ok(()));
        assert_eq!(vin.check_year(Some(2015)), Err(VinError::ShortAfter1980 { length: 13, year: 2015 }));
    }

    #[test]
    fn position_seven_tells_the_cycle_of_the_model_year() {
        let year = |vin: &str| Vin::parse(vin).unwrap().model_year();
        assert_eq!(year("1HGCV1F49MA038035"), Some(2021));
        assert_eq!(year("19UUA66205A050944"), Some(2005));
        assert_eq!(year("1HGBH41JXMN109186"), Some(1991));
    }

    #[test]
    fn makers_of_few_vehicles_have_six_characters() {
        let wmi = Vin { text: "1M9AB12X3KP042788".into(), status: VinStatus::Valid }.wmi();
        assert_eq!(wmi.as_deref(), Some("1M9042"));
    }

    #[test]
    fn hostile_text_is_refused_without_a_panic() {
        for raw in ["\0", "é", "🚗🚗🚗🚗🚗🚗🚗🚗🚗🚗🚗🚗🚗🚗🚗🚗🚗", "=1+1", &"1".repeat(10_000), "ＷＶＷＺＺＺ１ＪＺＸＷ０００００"]
        {
            assert!(Vin::parse(raw).is_err(), "{raw:?}");
        }
    }

    /// Every known bad or odd VIN is told apart as its list says.
    #[test]
    fn known_bad_vins_are_refused_with_the_right_reason() {
        let Some(rows) = crate::inventory::testdata::csv("vin/vin_bad.csv") else { return };
        for row in rows {
            let (vin, kind) = (row["vin"].as_str(), row["kind"].as_str());
            let got = Vin::parse(vin);
            let right = match kind {
                "wrong_check_digit" | "transposition" => matches!(got, Err(VinError::WrongCheckDigit { .. })),
                "illegal_letter" => matches!(got, Err(VinError::IllegalCharacter { .. })),
                "too_short" => matches!(got, Err(VinError::TooShort { .. })),
                "too_long" => matches!(got, Err(VinError::TooLong { .. })),
                "all_ones" | "empty" | "placeholder" => got == Err(VinError::Missing),
                "pre_1981" | "non_us_or_unknown" => got.as_ref().is_ok_and(|v| v.status() == VinStatus::Unchecked),
                "undetected_by_check_digit" | "lower_case" | "leading_spaces_lower" | "separators" | "famous_sample" => {
                    got.as_ref().is_ok_and(|v| v.status() == VinStatus::Valid)
                }
                other => panic!("a kind this test does not know: {other}"),
            };
            assert!(right, "{vin} ({kind}) gave {got:?}");
        }
    }

    #[test]
    fn real_vins_pass_and_give_their_model_year() {
        let Some(rows) = crate::inventory::testdata::csv("vin/vin_oracle.csv") else { return };
        let (mut total, mut right) = (0_usize, 0_usize);
        for row in &rows {
            let vin = Vin::parse(&row["vin"]);
            let expected = row["expected_check_digit"].chars().next();
            match vin {
                Ok(vin) => {
                    assert_eq!(row["check_digit_ok"], "1", "{vin}");
                    total += 1;
                    right += usize::from(vin.model_year().map(|y| y.to_string()).as_deref() == Some(row["vpic_year"].as_str()));
                }
                Err(VinError::WrongCheckDigit { expected: computed, .. }) => assert_eq!(Some(computed), expected, "{row:?}"),
                Err(other) => panic!("{row:?}: {other}"),
            }
        }
        assert!(total > 600 && right == total, "{right} of {total} model years");
    }
}
