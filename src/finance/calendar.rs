//! Months and due dates.

use chrono::{Datelike, NaiveDate};

use super::error::FinanceError;

const OUT: FinanceError = FinanceError::BadDates("a date is outside the calendar");

/// The day `months` after (or, negative, before) the month of `date`, on day `anchor` or the month's last day when the month
/// is shorter.
pub fn add_months(date: NaiveDate, months: i32, anchor: u32) -> Result<NaiveDate, FinanceError> {
    let month0 = i32::try_from(date.month0()).map_err(|_| OUT)?;
    let index = date.year().checked_mul(12).and_then(|m| m.checked_add(month0)).and_then(|m| m.checked_add(months)).ok_or(OUT)?;
    let (year, month0) = (index.div_euclid(12), u32::try_from(index.rem_euclid(12)).map_err(|_| OUT)?);
    let month = month0 + 1;
    NaiveDate::from_ymd_opt(year, month, anchor.clamp(1, days_in_month(year, month))).ok_or(OUT)
}

/// Days of a month.
pub const fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Whole days from one date to a later one.
pub fn days_between(from: NaiveDate, to: NaiveDate) -> Result<u32, FinanceError> {
    u32::try_from(to.signed_duration_since(from).num_days()).map_err(|_| FinanceError::BadDates("a payment is due before its advance"))
}

/// The day of the month a series is due on: the largest day that occurs, when every other date is that day too or the end of
/// a shorter month. Otherwise `None`: the dates are no monthly series.
pub fn anchor(dates: &(impl Iterator<Item = NaiveDate> + Clone)) -> Option<u32> {
    let anchor = dates.clone().map(|d| d.day()).max()?;
    dates.clone().all(|d| d.day() == anchor.min(days_in_month(d.year(), d.month()))).then_some(anchor)
}

/// Full months measured back from `to` until no further one fits after `from`, and the days that are left
/// (Regulation Z, Appendix J (b)(5)(ii)). `anchor` is the day of the month the series is due on.
pub fn months_back(from: NaiveDate, to: NaiveDate, anchor: u32) -> Result<(u32, u32), FinanceError> {
    if to < from {
        return Err(FinanceError::BadDates("a payment is due before its advance"));
    }
    // A date that is not of the series (an advance) stands for itself.
    let anchor = if to.day() == anchor.min(days_in_month(to.year(), to.month())) { anchor } else { to.day() };
    let rough =
        (to.year() - from.year()) * 12 + i32::try_from(to.month0()).map_err(|_| OUT)? - i32::try_from(from.month0()).map_err(|_| OUT)?;
    let mut start = add_months(to, -rough, anchor)?;
    let mut months = rough;
    if start < from {
        months -= 1;
        start = add_months(to, -months, anchor)?;
    }
    let months = u32::try_from(months).map_err(|_| OUT)?;
    // A whole number of months lies between the same days; the anchor may push the last one back before `from` only by clamping.
    Ok((months, days_between(from, start.max(from))?))
}

/// The due date of payment `index` (0 is the first) of a monthly series that begins on `first`.
pub fn due_date(first: NaiveDate, index: u16) -> Result<NaiveDate, FinanceError> {
    add_months(first, i32::from(index), first.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_as_long_as_in_the_calendar() {
        for year in 1896..=2404 {
            for month in 1..=12 {
                let first = NaiveDate::from_ymd_opt(year, month, 1).unwrap();
                let next = first.checked_add_months(chrono::Months::new(1)).unwrap();
                assert_eq!(i64::from(days_in_month(year, month)), next.signed_duration_since(first).num_days(), "{first}");
            }
        }
    }

    #[test]
    fn months_stick_to_the_end_of_the_month() {
        assert_eq!(add_months(d("2025-01-31"), 1, 31), Ok(d("2025-02-28")));
        assert_eq!(add_months(d("2024-02-29"), -12, 31), Ok(d("2023-02-28")));
        assert_eq!(due_date(d("2025-01-30"), 1), Ok(d("2025-02-28")));
        assert_eq!(due_date(d("2025-01-30"), 2), Ok(d("2025-03-30")));
        assert!(add_months(d("2025-01-31"), i32::MAX, 31).is_err());
    }

    #[test]
    fn counts_back_from_the_later_date() {
        assert_eq!(months_back(d("1978-02-10"), d("1978-04-01"), 1), Ok((1, 19)));
        assert_eq!(months_back(d("2025-01-17"), d("2025-03-03"), 3), Ok((1, 17)));
        assert_eq!(months_back(d("2024-02-10"), d("2024-03-01"), 1), Ok((0, 20)));
        assert_eq!(months_back(d("2025-01-31"), d("2025-02-28"), 31), Ok((1, 0)));
        assert_eq!(months_back(d("2025-03-01"), d("2025-03-01"), 1), Ok((0, 0)));
        assert!(months_back(d("2025-03-02"), d("2025-03-01"), 1).is_err());
    }

    #[test]
    fn a_series_knows_its_day() {
        assert_eq!(anchor(&[d("2025-01-31"), d("2025-02-28"), d("2025-03-31")].into_iter()), Some(31));
        assert_eq!(anchor(&[d("2025-01-30"), d("2025-02-28")].into_iter()), Some(30));
        assert_eq!(anchor(&[d("2025-01-30"), d("2025-02-20")].into_iter()), None);
        assert_eq!(anchor(&std::iter::empty()), None);
    }
}
