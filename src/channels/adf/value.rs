//! Single values as senders write them: dates, amounts, numbers, words of an enumeration, merge fields left unfilled.

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::prospect::{AmountKind, AmountLimit, OdometerUnit, VehicleInterest, VehicleStatus};
use crate::kernel::money::Cents;
use crate::kernel::spoken_money::SpokenMoney;

/// Which moment a day without a time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::channels) enum DayEnd {
    /// Its first.
    First,
    /// Its last second.
    Last,
}

/// The moment a text without an offset names where the store is: `2026-11-20T10:00:00`, `11/20/2026 10:00 AM`, `2026-11-20`. A
/// time zone of the United States at its end (`EST`, `PT`) counts more than the store's. Days are written month first; day
/// first only where no month is meant ("20/11/2026").
pub(in crate::channels) fn local_moment(text: &str, zone: Tz, day: DayEnd) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    let (text, named) = match text.rsplit_once(' ') {
        Some((rest, word)) if !matches!(word.to_ascii_uppercase().as_str(), "AM" | "PM") => match us_zone(word) {
            Some(named) => (rest.trim(), Some(named)),
            None => (text, None),
        },
        _ => (text, None),
    };
    let text = text.replace('T', " ").replace(" at ", " ").replace(',', "");
    let naive = naive_moment(&text, day)?;
    let found = match named {
        Some(UsZone::Fixed(hours)) => {
            chrono::FixedOffset::east_opt(hours * 3600)?.from_local_datetime(&naive).single().map(|at| at.with_timezone(&Utc))
        }
        Some(UsZone::Place(zone)) => in_zone(naive, zone),
        None => in_zone(naive, zone),
    }?;
    (1970..=2100).contains(&chrono::Datelike::year(&found)).then_some(found)
}

/// The earlier of two moments when clocks go back; an hour later when they skip it.
fn in_zone(naive: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let at = |naive: NaiveDateTime| zone.from_local_datetime(&naive).earliest().map(|at| at.with_timezone(&Utc));
    at(naive).or_else(|| at(naive.checked_add_signed(chrono::Duration::hours(1))?))
}

fn naive_moment(text: &str, day: DayEnd) -> Option<NaiveDateTime> {
    const DAYS: &[&str] = &["%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%m-%d-%Y", "%d/%m/%Y", "%B %d %Y", "%b %d %Y", "%Y%m%d"];
    const TIMES: &[&str] = &["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p", "%I %p", "%I%p"];
    for format in DAYS {
        let Ok((date, rest)) = chrono::NaiveDate::parse_and_remainder(text, format) else { continue };
        // "11/20/26" is no year 26.
        if chrono::Datelike::year(&date) < 1970 {
            continue;
        }
        let rest = rest.trim();
        if rest.is_empty() {
            return match day {
                DayEnd::First => date.and_hms_opt(0, 0, 0),
                DayEnd::Last => date.and_hms_opt(23, 59, 59),
            };
        }
        let time = TIMES.iter().find_map(|format| chrono::NaiveTime::parse_from_str(rest, format).ok());
        if let Some(time) = time {
            return Some(date.and_time(time));
        }
    }
    None
}

enum UsZone {
    Fixed(i32),
    Place(Tz),
}

fn us_zone(word: &str) -> Option<UsZone> {
    Some(match word.trim_matches(['(', ')']).to_ascii_uppercase().as_str() {
        "EDT" => UsZone::Fixed(-4),
        "EST" | "CDT" => UsZone::Fixed(-5),
        "CST" | "MDT" => UsZone::Fixed(-6),
        "MST" | "PDT" => UsZone::Fixed(-7),
        "PST" | "AKDT" => UsZone::Fixed(-8),
        "AKST" => UsZone::Fixed(-9),
        "HST" => UsZone::Fixed(-10),
        "UTC" | "GMT" => UsZone::Fixed(0),
        "ET" => UsZone::Place(Tz::America__New_York),
        "CT" => UsZone::Place(Tz::America__Chicago),
        "MT" => UsZone::Place(Tz::America__Denver),
        "PT" => UsZone::Place(Tz::America__Los_Angeles),
        _ => return None,
    })
}

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

/// A positive amount: `26995`, `$26,995.00`, `25k`. Zero, ranges and words are none.
pub(in crate::channels) fn amount(text: &str) -> Option<Cents> {
    SpokenMoney::read(text).and_then(SpokenMoney::exact).filter(|cents| *cents > Cents::ZERO)
}

/// A number with or without grouping. The last separator counts as the decimal point when one or two digits follow it.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '%' | '\u{a0}')).collect();
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
            // "1,500" groups; the "3.125" of a rate does not.
            let grouping = fraction.len() == 3 && (separator == ',' || whole.contains(['.', ',']));
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

/// A term in months: `24`, `24 months`, `5 years`. Ranges and other words are none.
pub(super) fn term_months(text: &str) -> Option<i32> {
    let lower = text.trim().to_lowercase();
    let at = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let (digits, unit) = lower.split_at_checked(at)?;
    let number: i32 = digits.parse().ok()?;
    let months = match unit.trim_matches(|c: char| !c.is_alphabetic()) {
        "y" | "yr" | "yrs" | "year" | "years" | "an" | "ans" => number.checked_mul(12)?,
        "m" | "mo" | "mos" | "mth" | "mths" | "month" | "months" | "mois" => number,
        "" if unit.trim().is_empty() => number,
        _ => return None,
    };
    (1..=180).contains(&months).then_some(months)
}

/// How often something is paid, for telling what a payment is in a month. `None` when the word is not known or may mean two
/// things ("bi-monthly").
pub(in crate::channels) fn payments_a_year(text: &str) -> Option<i64> {
    Some(match letters(text).as_str() {
        "weekly" | "week" | "everyweek" | "perweek" => 52,
        "biweekly" | "everytwoweeks" | "everyotherweek" | "fortnightly" => 26,
        "semimonthly" | "twiceamonth" | "twicemonthly" => 24,
        "monthly" | "month" | "everymonth" | "permonth" | "mensuel" | "mensuelle" => 12,
        "quarterly" => 4,
        "yearly" | "annual" | "annually" => 1,
        _ => return None,
    })
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
    fn dates_without_an_offset_are_read_where_the_store_is() {
        let austin = Tz::America__Chicago;
        for (text, want) in [
            ("2026-11-20T10:00:00", "2026-11-20T16:00:00Z"),
            ("2026-11-20 10:00", "2026-11-20T16:00:00Z"),
            ("2026-07-20T10:00:00.123", "2026-07-20T15:00:00.123Z"),
            ("2026-11-20", "2026-11-20T06:00:00Z"),
            ("11/20/2026", "2026-11-20T06:00:00Z"),
            ("11/20/2026 10:00 AM", "2026-11-20T16:00:00Z"),
            ("08/31/2019 04:30pm", "2019-08-31T21:30:00Z"),
            ("20/11/2026 22:00", "2026-11-21T04:00:00Z"),
            ("Nov 20, 2026 10:00 AM", "2026-11-20T16:00:00Z"),
            ("2026-11-20 10:00:00 EST", "2026-11-20T15:00:00Z"),
            ("2026-11-20 10:00 AM PST", "2026-11-20T18:00:00Z"),
            ("2026-07-20 10:00 ET", "2026-07-20T14:00:00Z"),
            ("2026-11-01 01:30", "2026-11-01T06:30:00Z"),
            ("2026-03-08 02:30", "2026-03-08T08:30:00Z"),
        ] {
            let want: DateTime<Utc> = want.parse().unwrap();
            assert_eq!(local_moment(text, austin, DayEnd::First), Some(want), "{text}");
        }
        let last: DateTime<Utc> = "2026-12-02T05:59:59Z".parse().unwrap();
        assert_eq!(local_moment("2026-12-01", austin, DayEnd::Last), Some(last));
        for text in ["one", "", "11/20/26", "2026-11-20 10:00:00 XYZ", "2026-13-40", "soon", "é", "[fdt]", "9999-01-01"] {
            assert_eq!(local_moment(text, austin, DayEnd::First), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_plain_and_positive() {
        for (text, cents) in [("$26,995", 2_699_500), ("26 995,00 $", 2_699_500), ("34995 CAD", 3_499_500), ("25k", 2_500_000)] {
            assert_eq!(amount(text), Some(Cents(cents)), "{text}");
        }
        for text in ["0.00", "0", "", "call", "-5", "[price]", "10%", "400-450", "26.995"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_years_terms_and_readings() {
        assert_eq!((whole("+50"), whole("-100"), whole("1,500"), whole("2.5")), (Some(50), Some(-100), Some(1500), None));
        assert_eq!((year("2020"), year("20"), year("[trade_year]"), year("3020")), (Some(2020), None, None, None));
        assert_eq!(
            (term_months("24"), term_months("60months"), term_months("5 years"), term_months("5 yrs."), term_months("999")),
            (Some(24), Some(60), Some(60), Some(60), None)
        );
        for text in ["48-60", "5 years 6 months", "60 weeks", "", "long"] {
            assert_eq!(term_months(text), None, "{text}");
        }
        assert_eq!((payments_a_year("Bi-Weekly"), payments_a_year("monthly"), payments_a_year("bi-monthly")), (Some(26), Some(12), None));
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
