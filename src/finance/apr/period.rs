//! Unit-periods: which one a transaction has, and how many lie between two dates. Appendix J (b)(3) to (b)(5).

use chrono::{Datelike, NaiveDate};

use super::{Flow, Offset, UnitPeriod};
use crate::finance::calendar::{add_months, anchor, days_between, days_in_month, months_back};
use crate::finance::error::FinanceError;

/// The number of unit-periods from `from` to `to`, (b)(5). `anchor` is the day of the month a monthly series is due on.
pub fn offset(unit: UnitPeriod, from: NaiveDate, to: NaiveDate, anchor: u32) -> Result<Offset, FinanceError> {
    let days = days_between(from, to)?;
    Ok(match unit {
        UnitPeriod::Months(1) => {
            let (months, rest) = months_back(from, to, anchor)?;
            Offset { full: months, num: rest, den: 30 }
        }
        UnitPeriod::Months(multiple) => {
            let (months, rest) = months_back(from, to, anchor)?;
            Offset::of(months.saturating_mul(30).saturating_add(rest), 30 * u32::from(multiple))
        }
        UnitPeriod::SemiMonth => {
            let (months, rest) = months_back(from, to, anchor)?;
            Offset::of(months.saturating_mul(30).saturating_add(rest), 15)
        }
        UnitPeriod::Year => {
            let (months, rest) = months_back(from, to, anchor)?;
            if rest == 0 {
                Offset::of(months, 12)
            } else {
                let years = months / 12;
                let back = i32::try_from(years * 12).map_err(|_| FinanceError::Overflow)?;
                Offset { full: years, num: days_between(from, add_months(to, -back, anchor)?)?, den: 365 }
            }
        }
        UnitPeriod::Weeks(weeks) => Offset::of(days, 7 * u32::from(weeks)),
        UnitPeriod::Day => Offset { full: days, num: 0, den: 1 },
        UnitPeriod::Term { days: term, .. } => Offset::of(days, u32::from(term)),
    })
}

/// The day of the month a date of a series stands for: the series' own day, which a short month may have cut. A semimonthly
/// series has such a day in the second half of the month.
pub(super) fn day_of_series(unit: UnitPeriod, flows: &[Flow]) -> impl Fn(NaiveDate) -> u32 + use<> {
    let halves = unit == UnitPeriod::SemiMonth;
    let day = anchor(&flows.iter().map(|f| f.date).filter(|d| !halves || d.day() > 15));
    move |date| match day {
        Some(day) if !halves || date.day() > 15 => day,
        _ => date.day(),
    }
}

/// The unit-period of a transaction, (b)(4): the most frequent common period, the smaller one of equals; without a common
/// period the average period, rounded to the nearest standard interval.
pub fn unit_period(advances: &[Flow], payments: &[Flow]) -> Result<UnitPeriod, FinanceError> {
    if let ([advance], [payment]) = (advances, payments) {
        return single_unit(advance.date, payment.date);
    }
    let periods = periods(advances, payments)?;
    let payment_day = anchor(&payments.iter().map(|f| f.date));
    let mut counts: Vec<(u32, UnitPeriod, usize)> = Vec::new();
    for (from, to) in &periods {
        for (days, unit) in common_periods(*from, *to, payment_day)? {
            match counts.iter_mut().find(|(_, known, _)| *known == unit) {
                Some((_, _, count)) => *count += 1,
                None => counts.push((days, unit, 1)),
            }
        }
    }
    // The most frequent; of equals the smaller.
    let best = counts.iter().filter(|(_, _, count)| *count > 1).max_by(|a, b| a.2.cmp(&b.2).then(b.0.cmp(&a.0)));
    if let Some((_, unit, _)) = best {
        return Ok(*unit);
    }
    let mut days = 0_u32;
    for (from, to) in &periods {
        days = days.saturating_add(days_between(*from, *to)?);
    }
    average_unit(days, u32::try_from(periods.len()).unwrap_or(u32::MAX).max(1))
}

/// The periods of a transaction, (b)(3)(i): between advances, between payments, and from the beginning to the first payment.
fn periods(advances: &[Flow], payments: &[Flow]) -> Result<Vec<(NaiveDate, NaiveDate)>, FinanceError> {
    let days = |flows: &[Flow]| -> Vec<NaiveDate> {
        let mut days: Vec<NaiveDate> = flows.iter().map(|f| f.date).collect();
        days.sort_unstable();
        days.dedup();
        days
    };
    let (advances, payments) = (days(advances), days(payments));
    let (Some(begin), Some(first)) = (advances.first(), payments.first()) else { return Err(FinanceError::NoPayments) };
    let mut found: Vec<(NaiveDate, NaiveDate)> = Vec::with_capacity(advances.len() + payments.len());
    if begin < first {
        found.push((*begin, *first));
    }
    for series in [&advances, &payments] {
        found.extend(series.windows(2).filter_map(|pair| pair.first().copied().zip(pair.last().copied())));
    }
    Ok(found)
}

/// The standard intervals a period can be read as, with their length in days (a month as 30).
fn common_periods(from: NaiveDate, to: NaiveDate, payment_day: Option<u32>) -> Result<Vec<(u32, UnitPeriod)>, FinanceError> {
    let mut found = Vec::with_capacity(2);
    let days = days_between(from, to)?;
    let (months, rest) = months_back(from, to, payment_day.unwrap_or_else(|| to.day()))?;
    if rest == 0 && (1..=12).contains(&months) {
        let unit = if months == 12 { UnitPeriod::Year } else { UnitPeriod::Months(u8::try_from(months).unwrap_or(1)) };
        found.push((months * 30, unit));
    } else if half_month(from, to) {
        found.push((15, UnitPeriod::SemiMonth));
    }
    if days.is_multiple_of(7) && (7..=364).contains(&days) {
        found.push((days, UnitPeriod::Weeks(u8::try_from(days / 7).unwrap_or(1))));
    } else if days == 1 {
        found.push((1, UnitPeriod::Day));
    }
    Ok(found)
}

/// Two due dates of a semimonthly series: fifteen days apart by the calendar, or the 15th and a month's end.
fn half_month(from: NaiveDate, to: NaiveDate) -> bool {
    let last = |d: NaiveDate| d.day() == days_in_month(d.year(), d.month());
    let same_month = from.year() == to.year() && from.month() == to.month();
    if same_month {
        to.day() == from.day() + 15 || (from.day() == 15 && last(to))
    } else {
        let next = i64::from(to.year()) * 12 + i64::from(to.month()) - i64::from(from.year()) * 12 - i64::from(from.month()) == 1;
        next && (from.day() == to.day() + 15 || (to.day() == 15 && last(from)))
    }
}

/// The unit-period of one advance and one payment, (b)(4)(ii): its term, but at most a year.
pub(crate) fn single_unit(from: NaiveDate, to: NaiveDate) -> Result<UnitPeriod, FinanceError> {
    let days = days_between(from, to)?;
    let (months, rest) = months_back(from, to, to.day())?;
    if months >= 12 {
        return Ok(UnitPeriod::Year);
    }
    if days == 0 {
        return Err(FinanceError::BadDates("the payment is due on the day of the advance"));
    }
    let whole = (rest == 0).then(|| u8::try_from(months).ok()).flatten();
    Ok(UnitPeriod::Term { days: u16::try_from(days).map_err(|_| FinanceError::Overflow)?, months: whole })
}

/// The standard interval nearest to the average period; of two equally near ones the lower.
fn average_unit(days: u32, periods: u32) -> Result<UnitPeriod, FinanceError> {
    let standards = std::iter::once((1, UnitPeriod::Day))
        .chain((1..=52).map(|w| (u32::from(w) * 7, UnitPeriod::Weeks(w))))
        .chain(std::iter::once((15, UnitPeriod::SemiMonth)))
        .chain((1..=11).map(|m| (u32::from(m) * 30, UnitPeriod::Months(m))))
        .chain(std::iter::once((365, UnitPeriod::Year)));
    standards
        .min_by_key(|(length, _)| (length.saturating_mul(periods).abs_diff(days), *length))
        .map(|(_, unit)| unit)
        .ok_or(FinanceError::NoPayments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_months_are_fifteen_days_or_reach_to_a_months_end() {
        let half = |from: &str, to: &str| half_month(from.parse().unwrap(), to.parse().unwrap());
        for (from, to) in [
            ("2025-02-01", "2025-02-16"),
            ("2025-02-16", "2025-03-01"),
            ("2025-02-15", "2025-02-28"),
            ("2025-01-31", "2025-02-15"),
            ("2024-12-16", "2025-01-01"),
            ("2024-12-31", "2025-01-15"),
        ] {
            assert!(half(from, to), "{from} {to}");
        }
        for (from, to) in [
            ("2025-01-31", "2025-03-15"),
            ("2025-01-15", "2025-01-20"),
            ("2025-01-16", "2025-03-01"),
            ("2025-01-30", "2025-02-16"),
            ("2025-02-01", "2025-02-15"),
        ] {
            assert!(!half(from, to), "{from} {to}");
        }
    }
}
