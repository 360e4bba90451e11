//! How often a contract is paid, and when.

use chrono::{Datelike, Days, NaiveDate};

use crate::finance::apr::UnitPeriod;
use crate::finance::calendar::{add_months, days_in_month};
use crate::finance::error::FinanceError;

/// Shortest and longest term, in months.
pub const TERM: std::ops::RangeInclusive<u16> = 1..=120;
/// The largest distance of the first payment, in days.
pub const FIRST_PAYMENT_DAYS_MAX: u16 = 90;

const OUT: FinanceError = FinanceError::BadDates("a date is outside the calendar");

crate::text_enum! {
    /// How often a contract is paid.
    pub enum PaymentSchedule {
        /// Once a month.
        Monthly = "MONTHLY",
        /// Twice a month, on days fifteen apart such as the 1st and the 16th, or the 15th and the last.
        Semimonthly = "SEMIMONTHLY",
        /// Every two weeks.
        Biweekly = "BIWEEKLY",
        /// Every week.
        Weekly = "WEEKLY",
        /// Once, at the end of the term.
        Single = "SINGLE",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro that declares the enum marks no default")]
impl Default for PaymentSchedule {
    fn default() -> Self {
        Self::Monthly
    }
}

impl PaymentSchedule {
    /// Payments in a year; a single payment has none of its own.
    pub const fn per_year(self) -> u16 {
        match self {
            Self::Monthly | Self::Single => 12,
            Self::Semimonthly => 24,
            Self::Biweekly => 26,
            Self::Weekly => 52,
        }
    }

    /// The number of payments of a term: a year has 52 weeks, rounded half up where a term has no whole number.
    pub const fn count(self, term_months: u16) -> u16 {
        match self {
            Self::Monthly => term_months,
            Self::Single => 1,
            // Terms end at 120 months, so that this stays far below the end of the type; longer ones are refused elsewhere.
            Self::Semimonthly | Self::Biweekly | Self::Weekly => term_months.saturating_mul(self.per_year()).saturating_add(6) / 12,
        }
    }

    /// The unit-period of a regular contract, Appendix J (b)(4). Of a single payment it depends on the dates.
    pub(super) const fn unit(self) -> Option<UnitPeriod> {
        match self {
            Self::Monthly => Some(UnitPeriod::Months(1)),
            Self::Semimonthly => Some(UnitPeriod::SemiMonth),
            Self::Biweekly => Some(UnitPeriod::Weeks(2)),
            Self::Weekly => Some(UnitPeriod::Weeks(1)),
            Self::Single => None,
        }
    }

    /// The day of the month the series counts its months by.
    pub(super) fn anchor(self, first: NaiveDate) -> u32 {
        if self == Self::Semimonthly && first.day() == days_in_month(first.year(), first.month()) { 31 } else { first.day() }
    }

    /// The due date of payment `index` (0 is the first) of a series that begins on `first`.
    pub fn due_date(self, first: NaiveDate, index: u16) -> Result<NaiveDate, FinanceError> {
        let days = |each: u64| first.checked_add_days(Days::new(each.saturating_mul(u64::from(index)))).ok_or(OUT);
        match self {
            Self::Monthly => add_months(first, i32::from(index), first.day()),
            Self::Semimonthly => {
                let whole = add_months(first, i32::from(index / 2), self.anchor(first))?;
                if index.is_multiple_of(2) { Ok(whole) } else { half_month_after(whole, self.anchor(first)) }
            }
            Self::Biweekly => days(14),
            Self::Weekly => days(7),
            Self::Single => Ok(first),
        }
    }

    /// The day one period before a due date.
    pub(super) fn one_before(self, due: NaiveDate) -> Result<NaiveDate, FinanceError> {
        match self {
            Self::Monthly | Self::Single => add_months(due, -1, due.day()),
            Self::Semimonthly => {
                let month_before = add_months(due, -1, self.anchor(due))?;
                half_month_after(month_before, self.anchor(due))
            }
            Self::Biweekly => due.checked_sub_days(Days::new(14)).ok_or(OUT),
            Self::Weekly => due.checked_sub_days(Days::new(7)).ok_or(OUT),
        }
    }
}

/// Half a month later: fifteen days on in a month of thirty. `anchor` is the day of the month the series is due on.
fn half_month_after(date: NaiveDate, anchor: u32) -> Result<NaiveDate, FinanceError> {
    match anchor {
        // The 15th and the last day belong together.
        15 => add_months(date, 0, 31),
        31 => add_months(date, 1, 15),
        day if day < 15 => add_months(date, 0, day + 15),
        day => add_months(date, 1, day - 15),
    }
}

/// The day the first payment is due. Thirty days are one period of the schedule (one month, as desks say it); any other
/// number is counted in days. A single payment is due when the term ends.
pub fn first_payment_date(contract: NaiveDate, days: u16, schedule: PaymentSchedule, term_months: u16) -> Result<NaiveDate, FinanceError> {
    if days > FIRST_PAYMENT_DAYS_MAX {
        return Err(FinanceError::BadDates("the first payment must be due within 90 days"));
    }
    let after = |days: u64| contract.checked_add_days(Days::new(days)).ok_or(OUT);
    match (schedule, days) {
        (PaymentSchedule::Single, _) => {
            if !TERM.contains(&term_months) {
                return Err(FinanceError::TermOutOfRange { min: *TERM.start(), max: *TERM.end() });
            }
            add_months(contract, i32::from(term_months), contract.day())
        }
        (PaymentSchedule::Monthly, 30) => add_months(contract, 1, contract.day()),
        (PaymentSchedule::Semimonthly, 30) => half_month_after(contract, schedule.anchor(contract)),
        (PaymentSchedule::Biweekly, 30) => after(14),
        (PaymentSchedule::Weekly, 30) => after(7),
        (_, days) => after(u64::from(days)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn half_months_keep_their_days() {
        let dates = |first: &str| -> Vec<String> {
            (0..5).map(|k| PaymentSchedule::Semimonthly.due_date(d(first), k).unwrap().to_string()).collect()
        };
        assert_eq!(dates("2026-01-01"), ["2026-01-01", "2026-01-16", "2026-02-01", "2026-02-16", "2026-03-01"]);
        assert_eq!(dates("2026-01-15"), ["2026-01-15", "2026-01-31", "2026-02-15", "2026-02-28", "2026-03-15"]);
        assert_eq!(dates("2026-01-31"), ["2026-01-31", "2026-02-15", "2026-02-28", "2026-03-15", "2026-03-31"]);
        assert_eq!(dates("2026-01-20"), ["2026-01-20", "2026-02-05", "2026-02-20", "2026-03-05", "2026-03-20"]);
    }

    #[test]
    fn a_year_has_its_number_of_payments() {
        let counts = |months| PaymentSchedule::ALL.iter().map(|s| s.count(months)).collect::<Vec<_>>();
        assert_eq!(counts(12), [12, 24, 26, 52, 1]);
        assert_eq!(counts(7), [7, 14, 15, 30, 1]);
        assert_eq!(counts(120), [120, 240, 260, 520, 1]);
    }

    #[test]
    fn thirty_days_are_one_period() {
        let first = |days, schedule| first_payment_date(d("2026-01-31"), days, schedule, 12).map(|d| d.to_string());
        assert_eq!(first(30, PaymentSchedule::Monthly).as_deref(), Ok("2026-02-28"));
        assert_eq!(first(45, PaymentSchedule::Monthly).as_deref(), Ok("2026-03-17"));
        assert_eq!(first(30, PaymentSchedule::Semimonthly).as_deref(), Ok("2026-02-15"));
        assert_eq!(first(30, PaymentSchedule::Biweekly).as_deref(), Ok("2026-02-14"));
        assert_eq!(first(30, PaymentSchedule::Weekly).as_deref(), Ok("2026-02-07"));
        assert_eq!(first(0, PaymentSchedule::Single).as_deref(), Ok("2027-01-31"));
        assert!(first(91, PaymentSchedule::Monthly).is_err());
        assert!(first_payment_date(d("2026-01-31"), 30, PaymentSchedule::Single, 0).is_err());
    }

    #[test]
    fn one_period_before_is_the_way_back() {
        for schedule in PaymentSchedule::ALL {
            if *schedule == PaymentSchedule::Single {
                continue;
            }
            let (first, second) = (schedule.due_date(d("2026-03-10"), 0).unwrap(), schedule.due_date(d("2026-03-10"), 1).unwrap());
            assert_eq!(schedule.one_before(second), Ok(first), "{schedule}");
        }
    }
}
