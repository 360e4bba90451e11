//! Amounts of money as people write them: `$1,450.50`, `25k`, `26 995,00 $`, `20-25k`, `under 30,000`.
//!
//! One reader for everything a customer says or a sender writes. What it cannot read as a whole it refuses: `10%` is no ten
//! dollars, and `26.995` may be twenty-six dollars or twenty-seven thousand.

use rust_decimal::Decimal;

use super::money::Cents;

/// Longest text that is read, in bytes.
const LENGTH_MAX: usize = 80;

/// What somebody said about an amount. At least one end is known; both are equal for a plain figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpokenMoney {
    /// The lower end; none when only an upper end was said.
    pub least: Option<Cents>,
    /// The upper end; none when only a lower end was said.
    pub most: Option<Cents>,
    /// ISO 4217 code, when the text names a currency other than by `$`.
    pub currency: Option<&'static str>,
}

impl SpokenMoney {
    /// Reads a text. None when any part of it is not understood, when it is negative, finer than a cent or beyond
    /// [`Cents::LIMIT`].
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > LENGTH_MAX {
            return None;
        }
        let lower = text.to_lowercase().replace(['–', '—'], "-").replace(['\u{a0}', '\u{202f}'], " ");
        let (bound, rest) = bound(lower.trim());
        if let Some((first, second)) = ends(rest) {
            let (least, most, currency) = range(first, second)?;
            return (bound == Bound::None && least <= most).then_some(Self { least: Some(least), most: Some(most), currency });
        }
        let one = figure(rest)?;
        let (least, most) = match bound {
            Bound::None => (Some(one.cents()?), Some(one.cents()?)),
            Bound::Most => (None, Some(one.cents()?)),
            Bound::Least => (Some(one.cents()?), None),
        };
        Some(Self { least, most, currency: one.currency })
    }

    /// The amount of a plain figure; none for ranges and bounds.
    pub fn exact(self) -> Option<Cents> {
        self.least.filter(|least| Some(*least) == self.most)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    None,
    Most,
    Least,
}

/// `under 25k`, `25k or less`, `25,000+`: the bound and what is left.
fn bound(text: &str) -> (Bound, &str) {
    const BEFORE: &[(&str, Bound)] = &[
        ("no more than ", Bound::Most),
        ("not more than ", Bound::Most),
        ("less than ", Bound::Most),
        ("at most ", Bound::Most),
        ("up to ", Bound::Most),
        ("under ", Bound::Most),
        ("below ", Bound::Most),
        ("maximum ", Bound::Most),
        ("max. ", Bound::Most),
        ("max ", Bound::Most),
        ("at least ", Bound::Least),
        ("no less than ", Bound::Least),
        ("more than ", Bound::Least),
        ("minimum ", Bound::Least),
        ("min. ", Bound::Least),
        ("min ", Bound::Least),
        ("over ", Bound::Least),
    ];
    const AFTER: &[(&str, Bound)] = &[
        (" or less", Bound::Most),
        (" or under", Bound::Most),
        (" or below", Bound::Most),
        (" maximum", Bound::Most),
        (" max", Bound::Most),
        (" or more", Bound::Least),
        (" minimum", Bound::Least),
        (" min", Bound::Least),
        ("+", Bound::Least),
    ];
    for (words, bound) in BEFORE {
        if let Some(rest) = text.strip_prefix(words) {
            return (*bound, rest.trim());
        }
    }
    for (words, bound) in AFTER {
        if let Some(rest) = text.strip_suffix(words) {
            return (*bound, rest.trim());
        }
    }
    (Bound::None, text)
}

/// The two ends of a range.
fn ends(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix("between ") {
        return rest.split_once(" and ");
    }
    let text = text.strip_prefix("from ").unwrap_or(text);
    text.split_once(" to ").or_else(|| text.split_once('-').filter(|(first, _)| !first.trim().is_empty()))
}

fn range(first: &str, second: &str) -> Option<(Cents, Cents, Option<&'static str>)> {
    let (mut least, most) = (figure(first)?, figure(second)?);
    // "20-25k" is 20,000 to 25,000.
    if most.factor > Decimal::ONE && least.factor == Decimal::ONE && least.number < most.number {
        least.factor = most.factor;
    }
    if least.currency.is_some() && most.currency.is_some() && least.currency != most.currency {
        return None;
    }
    Some((least.cents()?, most.cents()?, most.currency.or(least.currency)))
}

struct Figure {
    number: Decimal,
    factor: Decimal,
    currency: Option<&'static str>,
}

impl Figure {
    fn cents(&self) -> Option<Cents> {
        Cents::from_decimal_exact(self.number.checked_mul(self.factor)?)
    }
}

fn figure(text: &str) -> Option<Figure> {
    /// Signs and codes; `$` alone does not say whose dollars.
    const CURRENCIES: &[(&str, Option<&str>)] = &[
        ("us$", Some("USD")),
        ("usd", Some("USD")),
        ("ca$", Some("CAD")),
        ("c$", Some("CAD")),
        ("cad", Some("CAD")),
        ("mxn", Some("MXN")),
        ("eur", Some("EUR")),
        ("€", Some("EUR")),
        ("gbp", Some("GBP")),
        ("£", Some("GBP")),
        ("dollars", None),
        ("$", None),
    ];
    const FACTORS: &[(&str, Decimal)] = &[
        ("thousand", Decimal::ONE_THOUSAND),
        ("grand", Decimal::ONE_THOUSAND),
        ("k", Decimal::ONE_THOUSAND),
        ("hundred", Decimal::ONE_HUNDRED),
    ];
    let mut rest = text.trim();
    let mut currency = None;
    // "$25,000 USD" names it twice.
    for _ in 0..2 {
        let found = CURRENCIES.iter().find_map(|(word, code)| {
            let bare = rest.strip_prefix(word).or_else(|| rest.strip_suffix(word))?;
            Some((bare.trim(), *code))
        });
        let Some((bare, code)) = found else { break };
        rest = bare;
        currency = currency.or(code);
    }
    let scaled = FACTORS.iter().find_map(|(word, factor)| Some((rest.strip_suffix(word)?.trim_end(), *factor)));
    let (digits, factor) = scaled.unwrap_or((rest, Decimal::ONE));
    Some(Figure { number: number(digits, currency == Some("EUR"))?, factor, currency })
}

/// A number grouped by commas, spaces, apostrophes or dots, or not at all. A comma is the decimal sign only where no other
/// reading is left; one dot before three digits is refused unless the currency groups by dots.
fn number(text: &str, dots_group: bool) -> Option<Decimal> {
    if !text.bytes().any(|b| b.is_ascii_digit()) || !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b' ' | b'\'')) {
        return None;
    }
    let (whole, fraction) = match text.rfind(['.', ',']) {
        None => (text, ""),
        Some(at) => {
            let (whole, tail) = text.split_at_checked(at)?;
            let (sign, fraction) = (tail.chars().next()?, tail.get(1..)?);
            let before = whole.bytes().filter(u8::is_ascii_digit).count();
            let others = whole.contains(['.', ',', ' ', '\'']);
            let same = whole.contains(sign);
            match (sign, fraction.len()) {
                // A second one of the same sign can only be grouping.
                (_, 3) if same || sign == ',' || (dots_group && before > 0) => (text, ""),
                ('.', 0..=2) if !same => (whole, fraction),
                (',', 2) if !same && (others || before >= 3) => (whole, fraction),
                _ => return None,
            }
        }
    };
    let whole = ungrouped(whole)?;
    let whole = if whole.is_empty() { "0".to_owned() } else { whole };
    if !fraction.bytes().all(|b| b.is_ascii_digit()) || whole.len() > 12 {
        return None;
    }
    let plain = if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") };
    Decimal::from_str_exact(&plain).ok()
}

/// Takes out one kind of grouping sign, when it stands between groups of three digits.
fn ungrouped(whole: &str) -> Option<String> {
    let Some(sign) = whole.chars().find(|c| !c.is_ascii_digit()) else { return Some(whole.to_owned()) };
    let mut groups = whole.split(sign);
    let first = groups.next()?;
    let well = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    let digits: String = whole.chars().filter(|c| *c != sign).collect();
    (well && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Option<i64> {
        SpokenMoney::read(text).and_then(SpokenMoney::exact).map(|c| c.0)
    }
    fn ends(text: &str) -> Option<(Option<i64>, Option<i64>)> {
        SpokenMoney::read(text).map(|m| (m.least.map(|c| c.0 / 100), m.most.map(|c| c.0 / 100)))
    }

    #[test]
    fn figures_are_read_as_people_write_them() {
        for (text, cents) in [
            ("26995", 2_699_500),
            ("$26,995", 2_699_500),
            ("26,995.00", 2_699_500),
            ("1.234,50", 123_450),
            ("26 995,00 $", 2_699_500),
            ("425,25", 42_525),
            ("59999.99", 5_999_999),
            ("34995 CAD", 3_499_500),
            ("USD 1,000,000", 100_000_000),
            ("C$ 20'000", 2_000_000),
            ("€26.995", 2_699_500),
            ("25k", 2_500_000),
            ("$25.5 K", 2_550_000),
            ("3 grand", 300_000),
            ("4 hundred", 40_000),
            ("20 thousand dollars", 2_000_000),
            ("450 dollars", 45_000),
            (".5", 50),
            ("0", 0),
        ] {
            assert_eq!(exact(text), Some(cents), "{text}");
        }
        assert_eq!(SpokenMoney::read("34995 CAD").unwrap().currency, Some("CAD"));
        assert_eq!(SpokenMoney::read("$34995").unwrap().currency, None);
    }

    #[test]
    fn what_is_not_an_amount_as_a_whole_is_none() {
        for text in [
            "",
            "-1",
            "1,45",
            "12.345",
            "26.995",
            "10%",
            "10 percent",
            "four hundred",
            "1e5",
            "99999999999",
            "$",
            "k",
            "1,,000",
            ",000",
            "1-",
            "..",
            "٣",
            "call",
            "[price]",
            "25k obo",
            "200/week",
            "12 34",
            "1,2,3",
            "25m",
            "450.125",
            "x25",
            "1 000 00",
            "25-20k$x",
        ] {
            assert_eq!(SpokenMoney::read(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_and_bounds_keep_their_ends() {
        for (text, want) in [
            ("20000-25000", (Some(20_000), Some(25_000))),
            ("$400 – $450", (Some(400), Some(450))),
            ("20-25k", (Some(20_000), Some(25_000))),
            ("20k to 25k", (Some(20_000), Some(25_000))),
            ("between 20,000 and 25,000 USD", (Some(20_000), Some(25_000))),
            ("under 25k", (None, Some(25_000))),
            ("max $400", (None, Some(400))),
            ("400 or less", (None, Some(400))),
            ("5000+", (Some(5000), None)),
            ("at least 5k", (Some(5000), None)),
        ] {
            assert_eq!(ends(text), Some(want), "{text}");
        }
        for text in ["25000-20000", "1-2-3", "under 20k-25k", "€20 to £30", "-"] {
            assert_eq!(SpokenMoney::read(text), None, "{text}");
        }
    }
}
