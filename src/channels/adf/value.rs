//! Single values as senders write them: dates, amounts, numbers, words of an enumeration, merge fields left unfilled.

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::prospect::{AmountKind, AmountLimit, OdometerUnit, VehicleInterest, VehicleStatus};
use crate::kernel::money::Cents;

/// The moment a text names, when only one is meant. An offset without its leading or last zero (`-8:00`, `-08:0`), without
/// a colon or minutes (`-0800`, `-08`) is completed; a text without an offset names no moment.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    let parsed = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)).ok();
    let parsed = parsed.map(|at| at.with_timezone(&Utc)).or_else(|| repaired_moment(text))?;
    let year = chrono::Datelike::year(&parsed);
    (1970..=2100).contains(&year).then_some(parsed)
}

fn repaired_moment(text: &str) -> Option<DateTime<Utc>> {
    let time_at = text.find(['T', 't', ' '])?;
    let (date, time) = (text.get(..time_at)?, text.get(time_at.saturating_add(1)..)?.trim());
    let zone_at = time.find(['+', '-', 'Z', 'z'])?;
    let (clock, zone) = (time.get(..zone_at)?.trim(), time.get(zone_at..)?);
    let seconds_east = offset_seconds(zone)?;
    let naive = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&format!("{date} {clock}"), format).ok())?;
    chrono::FixedOffset::east_opt(seconds_east)?.from_local_datetime(&naive).single().map(|at| at.with_timezone(&Utc))
}

fn offset_seconds(zone: &str) -> Option<i32> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.get(1..)?;
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "00"),
    };
    // One digit of minutes is a zero that lost its neighbour; any other digit could stand in either place.
    let minutes = match minutes {
        "0" => "00",
        two if two.len() == 2 => two,
        _ => return None,
    };
    if hours.is_empty() || hours.len() > 2 || !hours.bytes().chain(minutes.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then(|| sign * (hours * 3600 + minutes * 60))
}

/// A positive amount: `26995`, `$26,995.00`, `26 995,00 $`, `1.234,50`. Zero and words are none.
pub(in crate::channels) fn amount(text: &str) -> Option<Cents> {
    let number = number_in(text, true)?;
    Cents::from_decimal_exact(number.round_dp(2)).filter(|cents| *cents > Cents::ZERO)
}

/// A number with or without grouping. The last separator counts as the decimal point when one or two digits follow it.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    number_in(text, false)
}

fn number_in(text: &str, money: bool) -> Option<Decimal> {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '$' | '€' | '£' | '\'' | '%' | '\u{a0}')).collect();
    let bare = bare.trim_matches(|c: char| c.is_ascii_alphabetic());
    if bare.is_empty() || bare.len() > 24 || !bare.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+')) {
        return None;
    }
    let (sign, digits) = match bare.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", bare.strip_prefix('+').unwrap_or(bare)),
    };
    let last = digits.rfind(['.', ',']);
    let plain = match last {
        Some(at) => {
            let (whole, fraction) = (digits.get(..at)?, digits.get(at.saturating_add(1)..)?);
            let separator = digits.get(at..)?.chars().next()?;
            // Money has no thousandths, so "1.500" groups; the "3.125" of a rate does not.
            let grouping = fraction.len() == 3 && (money || separator == ',' || whole.contains(['.', ',']));
            let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
            if grouping { format!("{whole}{fraction}") } else { format!("{whole}.{fraction}") }
        }
        None => digits.to_owned(),
    };
    let plain = plain.trim_end_matches('.');
    let plain = if plain.starts_with('.') { format!("0{plain}") } else { plain.to_owned() };
    Decimal::from_str_exact(&format!("{sign}{plain}")).ok()
}

/// A whole number, with or without grouping, a sign and a trailing word.
pub(super) fn whole(text: &str) -> Option<i32> {
    let number = decimal(text)?;
    if number.fract().is_zero() { number.to_i32() } else { None }
}

/// A reading of an odometer: grouped by dot or comma (`18.000`, `18,000 mi`), never with decimals that matter.
pub(super) fn reading(text: &str) -> Option<i32> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let thousands = digits.ends_with(['k', 'K']);
    let digits = digits.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '.');
    let grouped = digits.replace([',', '\''], "");
    let grouped = match grouped.split_once('.') {
        Some((whole, rest)) if rest.len() == 3 => format!("{whole}{rest}"),
        Some((whole, rest)) if rest.len() < 3 => whole.to_owned(),
        _ => grouped,
    };
    let reading: i32 = grouped.parse().ok()?;
    let reading = if thousands { reading.checked_mul(1000)? } else { reading };
    (0..=2_000_000).contains(&reading).then_some(reading)
}

/// A model year with four digits.
pub(super) fn year(text: &str) -> Option<i32> {
    let text = text.trim();
    (text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten().filter(|y| (1886..=2100).contains(y))
}

/// A term in months: `24`, `24 months`, `5 years`.
pub(super) fn term_months(text: &str) -> Option<i32> {
    let lower = text.to_lowercase();
    let number = whole(lower.split_whitespace().next()?)?;
    let months = if lower.contains("year") || lower.contains("ans") { number.checked_mul(12)? } else { number };
    (1..=180).contains(&months).then_some(months)
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

/// `interest` of a vehicle.
pub(super) fn interest(text: &str) -> Option<VehicleInterest> {
    Some(match letters(text).as_str() {
        "buy" | "purchase" | "buying" => VehicleInterest::Buy,
        "lease" | "leasing" => VehicleInterest::Lease,
        "sell" | "selling" => VehicleInterest::Sell,
        "tradein" | "trade" => VehicleInterest::TradeIn,
        "testdrive" => VehicleInterest::TestDrive,
        _ => return None,
    })
}

/// `status` of a vehicle.
pub(super) fn vehicle_status(text: &str) -> Option<VehicleStatus> {
    Some(match letters(text).as_str() {
        "new" | "neuf" => VehicleStatus::New,
        "used" | "preowned" | "usagé" => VehicleStatus::Used,
        "cpo" | "certified" | "certifiedpreowned" | "certifiedused" => VehicleStatus::Certified,
        _ => return None,
    })
}

/// `units` of an odometer.
pub(super) fn odometer_unit(text: &str) -> Option<OdometerUnit> {
    Some(match letters(text).as_str() {
        "mi" | "mile" | "miles" => OdometerUnit::Miles,
        "km" | "kms" | "kilometer" | "kilometers" | "kilometre" | "kilometres" => OdometerUnit::Kilometres,
        _ => return None,
    })
}

/// `type` of an amount.
pub(super) fn amount_kind(text: &str) -> Option<AmountKind> {
    Some(match letters(text).as_str() {
        "downpayment" | "down" | "deposit" => AmountKind::DownPayment,
        "monthly" | "monthlypayment" | "payment" => AmountKind::Monthly,
        "total" => AmountKind::Total,
        _ => return None,
    })
}

/// `limit` of an amount.
pub(super) fn amount_limit(text: &str) -> Option<AmountLimit> {
    Some(match letters(text).as_str() {
        "maximum" | "max" => AmountLimit::Maximum,
        "minimum" | "min" => AmountLimit::Minimum,
        "exact" => AmountLimit::Exact,
        _ => return None,
    })
}

/// The first merge field that a template left unfilled: `[first_name]`, `{{name}}`, `%%email%%`, `${x}`, `*|FNAME|*`,
/// `<%= x %>`, `##NAME##`, `{name}`.
pub fn placeholder(text: &str) -> Option<&str> {
    const MARKS: &[(&str, &str)] =
        &[("{{", "}}"), ("%%", "%%"), ("${", "}"), ("*|", "|*"), ("<%", "%>"), ("##", "##"), ("[", "]"), ("{", "}")];
    let candidates = MARKS.iter().flat_map(|(open, close)| text.match_indices(open).take(20).map(move |(start, _)| (*open, *close, start)));
    candidates.into_iter().find_map(|(open, close, start)| {
        let inside_at = start.checked_add(open.len())?;
        let length = text.get(inside_at..)?.find(close)?;
        let inside = text.get(inside_at..inside_at.checked_add(length)?)?.trim();
        let name = inside.trim_start_matches('=').trim();
        let named = (2..=60).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | ' ' | '|'));
        // "[sic]" or "(see [2])" in prose is no merge field: single brackets need an underscore, a dot or the whole value.
        let single = open.len() == 1;
        let convincing = !single || name.contains(['_', '.', '-']) || text.trim().len() == length.saturating_add(2);
        let end = inside_at.checked_add(length)?.checked_add(close.len())?;
        (named && convincing).then(|| text.get(start..end)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_repaired_only_when_one_moment_is_meant() {
        for (text, want) in [
            ("2000-03-30T15:30:20-08:00", "2000-03-30T23:30:20Z"),
            ("2000-03-30T15:30:20-08:0", "2000-03-30T23:30:20Z"),
            ("2000-03-30T15:30:20-8:00", "2000-03-30T23:30:20Z"),
            ("2000-03-30T15:30:20-0800", "2000-03-30T23:30:20Z"),
            ("2000-03-30 15:30:20 -08", "2000-03-30T23:30:20Z"),
            ("2000-03-30T15:30-08:00", "2000-03-30T23:30:00Z"),
            ("2026-03-11T00:28:48.542Z", "2026-03-11T00:28:48.542Z"),
            ("Tue, 16 Apr 2024 09:42:00 -0700", "2024-04-16T16:42:00Z"),
        ] {
            let want: DateTime<Utc> = want.parse().unwrap();
            assert_eq!(moment(text), Some(want), "{text}");
        }
        for text in [
            "one",
            "[fdt]",
            "",
            "2000-03-30T15:30:20",
            "2000-03-30T15:30:20-08:3",
            "08/31/2019 04:30pm",
            "9999-01-01T00:00:00Z",
            "T-",
            "é -",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_read_as_people_write_them_and_zero_is_none() {
        for (text, cents) in [
            ("26995", 2_699_500),
            ("$26,995", 2_699_500),
            ("26,995.00", 2_699_500),
            ("1.234,50", 123_450),
            ("26 995,00 $", 2_699_500),
            ("59999.99", 5_999_999),
            ("425.25", 42_525),
            ("34995 CAD", 3_499_500),
            ("USD 1,000,000", 100_000_000),
            ("26.995", 2_699_500),
            (".5", 50),
        ] {
            assert_eq!(amount(text), Some(Cents(cents)), "{text}");
        }
        for text in ["0.00", "0", "", "call", "-5", "[price]", "1e9", "99999999999999999999999", "1-2", "..", "٣"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_years_terms_and_readings() {
        assert_eq!((whole("+50"), whole("-100"), whole("1,500"), whole("2.5")), (Some(50), Some(-100), Some(1500), None));
        assert_eq!((year("2020"), year("20"), year("[trade_year]"), year("3020")), (Some(2020), None, None, None));
        assert_eq!(
            (term_months("24"), term_months("60 months"), term_months("5 years"), term_months("999")),
            (Some(24), Some(60), Some(60), None)
        );
        for (text, want) in [
            ("18000", Some(18000)),
            ("18,000 mi", Some(18000)),
            ("18.000", Some(18000)),
            ("12k", Some(12_000)),
            ("", None),
            ("unknown", None),
            ("1500.5", Some(1500)),
        ] {
            assert_eq!(reading(text), want, "{text}");
        }
    }

    #[test]
    fn unfilled_merge_fields_are_recognised_and_prose_is_not() {
        for text in [
            "[first_name]",
            "{{ customer.email }}",
            "%%EMAIL%%",
            "Hi ${name}!",
            "*|FNAME|*",
            "<%= phone %>",
            "sMedia :: [button_name]",
            "{first}",
            "##NAME##",
        ] {
            assert!(placeholder(text).is_some(), "{text}");
        }
        for text in ["José", "text [sic] more", "50% off, 20% down", "a {b} c", "", "[]", "%%", "#1", "i30 [2023]", "José [ñ]", "{{"] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}
