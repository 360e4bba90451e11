//! The content of a preference: attribute, operator, value; parsed from what people say and normalised so that two ways to
//! say the same thing are the same wish.

use rust_decimal::Decimal;

use super::person::fold;
use super::preference::{PreferenceAttribute as A, PreferenceOperator as Op};
use crate::kernel::money::Cents;
use crate::kernel::spoken_money::SpokenMoney;
use crate::kernel::text;

/// Most characters of a value.
pub const VALUE_MAX: usize = 100;

/// Attribute, operator and normalised value. Made by [`Wish::parse`] or read back from the database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wish {
    attribute: A,
    operator: Op,
    value: String,
}

/// What kind of value an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Whole units of money with two decimals.
    Amount,
    /// A whole number within bounds.
    Number {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// One of a list of names.
    Choice,
    /// Free text.
    Words,
}

/// Why a wish was refused. The text can be read aloud.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// The operator makes no sense for the attribute.
    #[error("{operator} does not fit {attribute}; use {fitting}")]
    Operator {
        /// What was asked.
        operator: Op,
        /// For what.
        attribute: A,
        /// What fits.
        fitting: &'static str,
    },
    /// The value cannot be read.
    #[error("{attribute}: {expected}")]
    Value {
        /// For what.
        attribute: A,
        /// What would be right.
        expected: String,
    },
}

impl A {
    /// What kind of value this attribute takes.
    pub const fn value_kind(self) -> ValueKind {
        match self {
            Self::Price | Self::MonthlyPayment | Self::DownPayment => ValueKind::Amount,
            Self::ModelYear => ValueKind::Number { min: 1886, max: 2100 },
            Self::OdometerMiles => ValueKind::Number { min: 0, max: 2_000_000 },
            Self::TermMonths => ValueKind::Number { min: 1, max: 120 },
            Self::Seats => ValueKind::Number { min: 1, max: 20 },
            Self::Doors => ValueKind::Number { min: 1, max: 8 },
            Self::Mpg => ValueKind::Number { min: 1, max: 200 },
            Self::Condition
            | Self::BodyStyle
            | Self::Drivetrain
            | Self::Fuel
            | Self::Transmission
            | Self::ExteriorColor
            | Self::InteriorColor => ValueKind::Choice,
            Self::Make | Self::Model | Self::Trim | Self::Feature => ValueKind::Words,
        }
    }
}

impl Wish {
    /// Reads what somebody said: "$450", "25k", "crossover", "navy blue", "4x4". "not red" and "anything but white", said with
    /// [`Op::Is`], are read as [`Op::IsNot`]; what is half a wish and half a refusal ("black, not red") is refused.
    pub fn parse(attribute: A, operator: Op, raw: &str) -> Result<Self, WishError> {
        let kind = attribute.value_kind();
        let ordered = matches!(kind, ValueKind::Amount | ValueKind::Number { .. });
        match operator {
            Op::IsNot if ordered => return Err(WishError::Operator { operator, attribute, fitting: "IS, AT_LEAST or AT_MOST" }),
            Op::AtLeast | Op::AtMost if !ordered => return Err(WishError::Operator { operator, attribute, fitting: "IS or IS_NOT" }),
            _ => {}
        }
        let refuse = |expected: &str| WishError::Value { attribute, expected: expected.to_owned() };
        let raw = text::required(raw, VALUE_MAX).map_err(|e| refuse(&e.to_string()))?;
        // "not red" is no wish for red.
        let (operator, raw) = match negated(&raw) {
            _ if ordered => (operator, raw),
            Negation::None => (operator, raw),
            Negation::Whole(rest) if operator == Op::Is => (Op::IsNot, rest),
            Negation::Whole(_) | Negation::Part => return Err(refuse("say what is wanted and what is not in two wishes")),
        };
        let value = match kind {
            ValueKind::Amount => {
                let cents = amount(attribute, &raw).ok_or_else(|| refuse("expected an amount such as \"450.00\""))?;
                cents.to_string()
            }
            ValueKind::Number { min, max } => number(&raw)
                .filter(|n| (min..=max).contains(n))
                .ok_or_else(|| refuse(&format!("expected a whole number from {min} to {max}")))?
                .to_string(),
            ValueKind::Choice => {
                choice(attribute, &raw).ok_or_else(|| refuse(&format!("expected one of {}", choices(attribute).join(", "))))?.to_owned()
            }
            ValueKind::Words if attribute == A::Make => make_name(&raw),
            ValueKind::Words if attribute == A::Feature => fold(&raw),
            ValueKind::Words => raw,
        };
        Ok(Self { attribute, operator, value })
    }

    /// Reads back what was stored; stored values are normalised already.
    pub fn from_stored(attribute: A, operator: Op, value: String) -> Self {
        Self { attribute, operator, value }
    }

    /// What it is about.
    pub fn attribute(&self) -> A {
        self.attribute
    }

    /// How the value is meant.
    pub fn operator(&self) -> Op {
        self.operator
    }

    /// The normalised value: `450.00`, `SUV`, `Toyota`.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Amounts in cents, numbers as they are; none for names and words.
    pub fn number(&self) -> Option<i64> {
        match self.attribute.value_kind() {
            ValueKind::Amount => Decimal::from_str_exact(&self.value).ok().and_then(Cents::from_decimal_exact).map(|c| c.0),
            ValueKind::Number { .. } => self.value.parse().ok(),
            ValueKind::Choice | ValueKind::Words => None,
        }
    }

    /// For comparing names and words: lower-case, without accents and punctuation.
    pub fn key(&self) -> String {
        match self.attribute.value_kind() {
            ValueKind::Words => compare_key(&self.value),
            _ => self.value.clone(),
        }
    }

    /// As it is said: "at most $450 a month", "not a Ford", "body style SUV".
    pub fn describe(&self) -> String {
        let said = self.say_value();
        match (self.operator, self.attribute) {
            (Op::AtLeast, A::ModelYear) => format!("{said} or newer"),
            (Op::AtMost, A::ModelYear) => format!("{said} or older"),
            (Op::AtLeast, _) => format!("at least {said}"),
            (Op::AtMost, _) => format!("at most {said}"),
            (Op::Is, _) => said,
            (Op::IsNot, _) => format!("not {said}"),
        }
    }

    /// The value with its unit: "$450 a month", "40,000 miles", "black".
    pub fn say_value(&self) -> String {
        say(self.attribute, self.number(), &self.value)
    }
}

/// A value with its unit. `number` is in cents for amounts.
pub fn say(attribute: A, number: Option<i64>, value: &str) -> String {
    let n = number.unwrap_or_default();
    match attribute {
        A::Price => dollars(n),
        A::MonthlyPayment => format!("{} a month", dollars(n)),
        A::DownPayment => format!("{} down", dollars(n)),
        A::OdometerMiles => format!("{} miles", thousands(n)),
        A::TermMonths => format!("{n} months"),
        A::Seats => format!("{n} seats"),
        A::Doors => format!("{n} doors"),
        A::Mpg => format!("{n} mpg"),
        A::ModelYear => n.to_string(),
        A::BodyStyle if value == "SUV" => "an SUV".to_owned(),
        A::BodyStyle if value == "OTHER" => "another body style".to_owned(),
        A::BodyStyle => format!("a {}", value.to_lowercase()),
        A::Drivetrain if value == "FOUR_WD" => "4WD".to_owned(),
        A::Drivetrain | A::Make | A::Model | A::Trim | A::Feature => value.to_owned(),
        A::ExteriorColor => format!("{} outside", value.to_lowercase()),
        A::InteriorColor => format!("{} inside", value.to_lowercase()),
        A::Transmission if value == "CVT" => "a CVT".to_owned(),
        A::Condition | A::Fuel | A::Transmission => value.to_lowercase().replace('_', " "),
    }
}

/// `$1,450` or `$1,450.50`; the sign in front.
pub fn dollars(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    let whole = thousands(i64::try_from(cents / 100).unwrap_or(i64::MAX));
    match cents % 100 {
        0 => format!("{sign}${whole}"),
        rest => format!("{sign}${whole}.{rest:02}"),
    }
}

/// `12,345`.
pub fn thousands(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// For comparing makes, models and trims: letters and digits only ("CR-V" is "crv").
pub fn compare_key(raw: &str) -> String {
    fold(raw).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// "$1,450.50", "450", "25k"; for a payment also "450 a month". None for ranges, other currencies, and what is no amount.
fn amount(attribute: A, raw: &str) -> Option<Cents> {
    let lower = raw.to_lowercase();
    let monthly = ["/month", "/mo.", "/mo", "a month", "per month", "monthly"];
    let bare = match attribute {
        A::MonthlyPayment => monthly.iter().find_map(|words| lower.trim_end().strip_suffix(words)).unwrap_or(&lower),
        _ => &lower,
    };
    let said = SpokenMoney::read(bare)?;
    said.exact().filter(|_| said.currency.is_none_or(|code| code == "USD"))
}

/// "40,000", "40k", "40000 miles".
fn number(raw: &str) -> Option<i64> {
    let lower = raw.to_lowercase();
    let digits = ["miles", "mile", "mi", "months", "month", "mo", "seats", "seater", "seat", "doors", "door", "mpg"]
        .iter()
        .find_map(|unit| lower.strip_suffix(unit))
        .unwrap_or(&lower)
        .trim();
    let (digits, factor) = match digits.strip_suffix('k') {
        Some(rest) => (rest.trim_end(), 1000),
        None => (digits, 1),
    };
    let plain = without_thousands(digits)?;
    if plain.contains('.') {
        return None;
    }
    plain.parse::<i64>().ok()?.checked_mul(factor)
}

/// Removes commas that stand between groups of three digits; none when a comma stands elsewhere.
fn without_thousands(raw: &str) -> Option<String> {
    if raw.is_empty() || !raw.bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.')) {
        return None;
    }
    let whole = raw.split('.').next().unwrap_or(raw);
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or("");
    let rest_ok = groups.clone().all(|g| g.len() == 3);
    if groups.next().is_some() && (!rest_ok || first.is_empty() || first.len() > 3) {
        return None;
    }
    Some(raw.replace(',', ""))
}

/// The names a choice may have, in the order they are offered.
pub fn choices(attribute: A) -> &'static [&'static str] {
    match attribute {
        A::Condition => &["NEW", "USED", "CERTIFIED"],
        A::BodyStyle => &["SEDAN", "COUPE", "CONVERTIBLE", "HATCHBACK", "WAGON", "SUV", "PICKUP", "VAN", "MOTORCYCLE", "OTHER"],
        A::Drivetrain => &["FWD", "RWD", "AWD", "FOUR_WD"],
        A::Fuel => &["GASOLINE", "DIESEL", "HYBRID", "PLUG_IN_HYBRID", "ELECTRIC", "FLEX_FUEL", "HYDROGEN", "NATURAL_GAS", "OTHER"],
        A::Transmission => &["AUTOMATIC", "MANUAL", "CVT", "OTHER"],
        A::ExteriorColor | A::InteriorColor => COLOR_FAMILIES,
        _ => &[],
    }
}

/// The colours a customer would say.
pub const COLOR_FAMILIES: &[&str] =
    &["BLACK", "WHITE", "SILVER", "GRAY", "BLUE", "RED", "GREEN", "BROWN", "BEIGE", "GOLD", "ORANGE", "YELLOW", "PURPLE", "OTHER"];

/// Whether words refuse something.
#[derive(Debug, PartialEq, Eq)]
enum Negation {
    None,
    /// All of it; what is refused.
    Whole(String),
    /// Some of it.
    Part,
}

/// "not red", "anything but white", "no pickups". One thing refused is a wish turned round; several, or a refusal after a
/// wish, are not read.
fn negated(raw: &str) -> Negation {
    const NO: &[&str] =
        &["not", "no", "but", "except", "excepting", "excluding", "non", "without", "never", "besides", "dont", "avoid", "nor"];
    const BEFORE: &[&str] =
        &["anything", "any", "all", "everything", "other", "color", "colour", "colors", "colours", "please", "i", "do", "definitely"];
    const BETWEEN: &[&str] = &["a", "an", "in", "for", "want", "like", "the", "any"];
    let words: Vec<String> = raw
        .split_whitespace()
        // "No. 5" is a name.
        .filter(|word| !word.eq_ignore_ascii_case("no."))
        .flat_map(|word| match word.get(..4) {
            Some(head) if head.eq_ignore_ascii_case("non-") => vec!["non", word.get(4..).unwrap_or_default()],
            _ => vec![word],
        })
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '+').to_owned())
        .collect();
    let folded: Vec<String> = words.iter().map(|word| fold(word)).collect();
    let refuses = |word: &str, before: &str| NO.contains(&word) || word == "than" && before == "other";
    let befores = std::iter::once("").chain(folded.iter().map(String::as_str));
    let Some(at) = folded.iter().zip(befores).position(|(word, before)| refuses(word, before)) else { return Negation::None };
    let fillers = folded.iter().take(at).all(|word| BEFORE.contains(&word.as_str()));
    let from = at.saturating_add(1);
    let skipped = folded.iter().skip(from).take_while(|word| BETWEEN.contains(&word.as_str())).count();
    let from = from.saturating_add(skipped);
    let more = folded.iter().skip(from).any(|word| matches!(word.as_str(), "or" | "and") || refuses(word, ""));
    let rest: Vec<&str> = words.iter().skip(from).map(String::as_str).collect();
    let rest = rest.join(" ");
    if !fillers || more || rest.is_empty() || raw.trim_end_matches([',', ';']).contains([',', ';', '/', '&']) {
        return Negation::Part;
    }
    Negation::Whole(rest)
}

fn choice(attribute: A, raw: &str) -> Option<&'static str> {
    let folded = fold(raw);
    let names = choices(attribute);
    let wire = folded.to_uppercase().replace([' ', '-'], "_");
    if let Some(name) = names.iter().find(|name| **name == wire) {
        return Some(name);
    }
    let table: &[(&str, &str)] = match attribute {
        A::Condition => &[
            ("certified", "CERTIFIED"),
            ("cpo", "CERTIFIED"),
            ("pre-owned", "USED"),
            ("preowned", "USED"),
            ("used", "USED"),
            ("new", "NEW"),
        ],
        A::BodyStyle => BODY_WORDS,
        A::Drivetrain => &[
            ("4x4", "FOUR_WD"),
            ("4wd", "FOUR_WD"),
            ("four", "FOUR_WD"),
            ("awd", "AWD"),
            ("all", "AWD"),
            ("front", "FWD"),
            ("rear", "RWD"),
        ],
        A::Fuel => &[
            ("plug", "PLUG_IN_HYBRID"),
            ("phev", "PLUG_IN_HYBRID"),
            ("hybrid", "HYBRID"),
            ("electric", "ELECTRIC"),
            ("bev", "ELECTRIC"),
            ("ev", "ELECTRIC"),
            ("diesel", "DIESEL"),
            ("flex", "FLEX_FUEL"),
            ("e85", "FLEX_FUEL"),
            ("natural gas", "NATURAL_GAS"),
            ("cng", "NATURAL_GAS"),
            ("hydrogen", "HYDROGEN"),
            ("gas", "GASOLINE"),
            ("petrol", "GASOLINE"),
        ],
        A::Transmission => &[("cvt", "CVT"), ("variable", "CVT"), ("manual", "MANUAL"), ("stick", "MANUAL"), ("auto", "AUTOMATIC")],
        A::ExteriorColor | A::InteriorColor => {
            // "black or white" is two wishes.
            let alternatives = folded.split(|c: char| c.is_whitespace() || c == ',').any(|word| word == "or");
            return color_family(&folded).filter(|_| !alternatives);
        }
        _ => &[],
    };
    let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    table
        .iter()
        .find(|(word, _)| {
            words.iter().any(|w| w == word || (word.len() >= 4 && w.starts_with(word))) || (word.contains(' ') && folded.contains(word))
        })
        .map(|(_, name)| *name)
}

const BODY_WORDS: &[(&str, &str)] = &[
    ("suv", "SUV"),
    ("suvs", "SUV"),
    ("crossover", "SUV"),
    ("cuv", "SUV"),
    ("sport utility", "SUV"),
    ("pickup", "PICKUP"),
    ("pick-up", "PICKUP"),
    ("truck", "PICKUP"),
    ("minivan", "VAN"),
    ("mini-van", "VAN"),
    ("van", "VAN"),
    ("vans", "VAN"),
    ("convertible", "CONVERTIBLE"),
    ("cabriolet", "CONVERTIBLE"),
    ("roadster", "CONVERTIBLE"),
    ("hatchback", "HATCHBACK"),
    ("hatch", "HATCHBACK"),
    ("liftback", "HATCHBACK"),
    ("wagon", "WAGON"),
    ("estate", "WAGON"),
    ("coupe", "COUPE"),
    ("2dr", "COUPE"),
    ("sedan", "SEDAN"),
    ("saloon", "SEDAN"),
    ("motorcycle", "MOTORCYCLE"),
    ("motorbike", "MOTORCYCLE"),
];

/// The family of a colour name: "Navy Blue Metallic" is BLUE. The last known word decides ("Silver Sky Blue" is BLUE), except
/// that a name alone ("Charcoal") is looked up as well.
pub fn color_family(raw: &str) -> Option<&'static str> {
    let folded = fold(raw);
    folded.split(|c: char| !c.is_alphanumeric()).filter_map(color_word).next_back()
}

fn color_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "black" | "ebony" | "onyx" | "obsidian" | "jet" | "blk" | "noir" => "BLACK",
        "white" | "ivory" | "pearl" | "alabaster" | "snow" | "wht" | "blanc" => "WHITE",
        "silver" | "platinum" | "aluminum" | "sil" => "SILVER",
        "gray" | "grey" | "charcoal" | "graphite" | "gunmetal" | "slate" | "granite" | "gry" | "steel" => "GRAY",
        "blue" | "navy" | "azure" | "cobalt" | "sapphire" | "indigo" | "turquoise" | "teal" | "aqua" | "blu" => "BLUE",
        "red" | "maroon" | "burgundy" | "crimson" | "ruby" | "scarlet" | "garnet" | "cherry" => "RED",
        "green" | "olive" | "emerald" | "lime" | "jade" | "forest" | "grn" => "GREEN",
        "brown" | "bronze" | "mocha" | "chocolate" | "espresso" | "cocoa" | "mahogany" | "copper" => "BROWN",
        "beige" | "tan" | "cream" | "sand" | "champagne" | "khaki" | "taupe" | "parchment" => "BEIGE",
        "gold" | "golden" => "GOLD",
        "orange" | "tangerine" => "ORANGE",
        "yellow" => "YELLOW",
        "purple" | "violet" | "plum" | "lavender" => "PURPLE",
        _ => return None,
    })
}

/// A maker's name as the trade writes it, for the short forms people use.
fn make_name(raw: &str) -> String {
    let name = match compare_key(raw).as_str() {
        "chevy" | "chev" | "chevrolet" => "Chevrolet",
        "vw" | "volkswagen" => "Volkswagen",
        "mercedes" | "benz" | "mercedesbenz" => "Mercedes-Benz",
        "beemer" | "bimmer" | "bmw" => "BMW",
        "gmc" => "GMC",
        "caddy" | "cadillac" => "Cadillac",
        "rangerover" | "landrover" => "Land Rover",
        "alfa" | "alfaromeo" => "Alfa Romeo",
        "toyota" => "Toyota",
        "honda" => "Honda",
        "ford" => "Ford",
        "nissan" => "Nissan",
        "hyundai" => "Hyundai",
        "kia" => "Kia",
        "subaru" => "Subaru",
        "mazda" => "Mazda",
        "jeep" => "Jeep",
        "dodge" => "Dodge",
        "ram" => "Ram",
        "lexus" => "Lexus",
        "acura" => "Acura",
        "audi" => "Audi",
        "tesla" => "Tesla",
        "volvo" => "Volvo",
        _ => return raw.to_owned(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(attribute: A, operator: Op, raw: &str) -> Option<String> {
        Wish::parse(attribute, operator, raw).ok().map(|w| w.value)
    }

    #[test]
    fn amounts_are_read_as_people_say_them() {
        for (raw, want) in
            [("450", "450.00"), ("$450", "450.00"), ("$1,450.50", "1450.50"), ("25k", "25000.00"), ("$450/mo", "450.00"), ("0", "0.00")]
        {
            assert_eq!(value(A::MonthlyPayment, Op::AtMost, raw).as_deref(), Some(want), "{raw}");
        }
        for bad in [
            "",
            "-1",
            "1,45",
            "12.345",
            "four hundred",
            "1e5",
            "99999999999",
            "$",
            "k",
            "1,,000",
            ",000",
            "10%",
            "450/mo",
            "20-25k",
            "€450",
        ] {
            assert_eq!(value(A::Price, Op::AtMost, bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_have_bounds_and_units() {
        assert_eq!(value(A::OdometerMiles, Op::AtMost, "40k miles").as_deref(), Some("40000"));
        assert_eq!(value(A::OdometerMiles, Op::AtMost, "40,000").as_deref(), Some("40000"));
        assert_eq!(value(A::ModelYear, Op::AtLeast, "2019").as_deref(), Some("2019"));
        assert_eq!(value(A::Seats, Op::AtLeast, "7 seats").as_deref(), Some("7"));
        for (a, bad) in [(A::ModelYear, "19"), (A::ModelYear, "20190"), (A::TermMonths, "121"), (A::Seats, "0"), (A::Mpg, "3.5")] {
            assert_eq!(value(a, Op::AtLeast, bad), None, "{bad}");
        }
    }

    #[test]
    fn names_are_normalised() {
        for (a, raw, want) in [
            (A::BodyStyle, "crossover", "SUV"),
            (A::BodyStyle, "Pickup Truck", "PICKUP"),
            (A::BodyStyle, "suv", "SUV"),
            (A::BodyStyle, "coupé", "COUPE"),
            (A::Drivetrain, "4x4", "FOUR_WD"),
            (A::Drivetrain, "all wheel drive", "AWD"),
            (A::Fuel, "Plug-in Hybrid", "PLUG_IN_HYBRID"),
            (A::Fuel, "gas", "GASOLINE"),
            (A::Fuel, "EV", "ELECTRIC"),
            (A::Transmission, "stick shift", "MANUAL"),
            (A::Condition, "certified pre-owned", "CERTIFIED"),
            (A::ExteriorColor, "Navy Blue Metallic", "BLUE"),
            (A::ExteriorColor, "charcoal", "GRAY"),
            (A::InteriorColor, "Tan leather", "BEIGE"),
            (A::Make, "chevy", "Chevrolet"),
            (A::Make, "TOYOTA", "Toyota"),
            (A::Model, "CR-V", "CR-V"),
        ] {
            assert_eq!(value(a, Op::Is, raw).as_deref(), Some(want), "{raw}");
        }
        assert_eq!(value(A::BodyStyle, Op::Is, "spaceship"), None);
        assert_eq!(value(A::ExteriorColor, Op::Is, "nice"), None);
    }

    #[test]
    fn what_is_refused_is_not_wished() {
        for (a, raw, want) in [
            (A::ExteriorColor, "not red", "RED"),
            (A::ExteriorColor, "No red", "RED"),
            (A::ExteriorColor, "Anything but white", "WHITE"),
            (A::ExteriorColor, "any color except black!", "BLACK"),
            (A::ExteriorColor, "anything other than navy blue", "BLUE"),
            (A::ExteriorColor, "non-white", "WHITE"),
            (A::InteriorColor, "don't want tan leather", "BEIGE"),
            (A::BodyStyle, "not a pickup", "PICKUP"),
            (A::Make, "anything but Ford", "Ford"),
            (A::Feature, "no sunroof", "sunroof"),
        ] {
            let wish = Wish::parse(a, Op::Is, raw).unwrap();
            assert_eq!((wish.operator(), wish.value()), (Op::IsNot, want), "{raw}");
        }
        for raw in ["black, not red", "black but not red", "no red, no white", "not red or white", "not", "black or white", "neither, no"] {
            assert_eq!(value(A::ExteriorColor, Op::Is, raw), None, "{raw}");
        }
        assert_eq!(value(A::ExteriorColor, Op::IsNot, "not red"), None, "said twice, it may be a wish");
        for (a, raw) in
            [(A::Model, "No. 9"), (A::ExteriorColor, "Silver Sky Blue"), (A::Model, "Notch"), (A::Feature, "all-wheel steering")]
        {
            assert_eq!(Wish::parse(a, Op::Is, raw).unwrap().operator(), Op::Is, "{raw}");
        }
    }

    #[test]
    fn every_choice_parses_to_itself() {
        for a in A::ALL {
            for name in choices(*a) {
                assert_eq!(value(*a, Op::Is, name).as_deref(), Some(*name));
            }
        }
    }

    #[test]
    fn operators_must_fit() {
        assert!(matches!(Wish::parse(A::Price, Op::IsNot, "5"), Err(WishError::Operator { .. })));
        assert!(matches!(Wish::parse(A::Make, Op::AtMost, "Ford"), Err(WishError::Operator { .. })));
    }

    #[test]
    fn wishes_read_as_sentences() {
        let say = |a, op, raw| Wish::parse(a, op, raw).unwrap().describe();
        assert_eq!(say(A::MonthlyPayment, Op::AtMost, "450"), "at most $450 a month");
        assert_eq!(say(A::OdometerMiles, Op::AtMost, "40000"), "at most 40,000 miles");
        assert_eq!(say(A::ModelYear, Op::AtLeast, "2019"), "2019 or newer");
        assert_eq!(say(A::Make, Op::IsNot, "Ford"), "not Ford");
        assert_eq!(say(A::BodyStyle, Op::Is, "SUV"), "an SUV");
        assert_eq!(say(A::Price, Op::AtMost, "1234567.89"), "at most $1,234,567.89");
    }
}
