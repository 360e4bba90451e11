//! The annual percentage rate by the actuarial method: Regulation Z (12 CFR 1026), Appendix J.
//!
//! Every advance and payment stands at `t` full unit-periods and a fraction `f` from the beginning of the term; the rate `i`
//! per unit-period solves the general equation (b)(8)
//! `Σ A / ((1 + f·i)·(1 + i)^t) = Σ P / ((1 + f·i)·(1 + i)^t)`,
//! and the annual percentage rate is `i` times the unit-periods in a year. The finance slice knows its unit-period (a month);
//! [`unit_period`] finds it for any other set of dates by (b)(4).

mod newton;
mod period;
mod tolerance;

use chrono::NaiveDate;

use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::error::FinanceError;
use super::fixed::Fixed;

pub(crate) use period::single_unit;
pub use period::{offset, unit_period};
pub use tolerance::{finance_charge_within_tolerance, is_irregular, within_tolerance};

/// Most advances and payments one calculation takes.
pub const FLOWS_MAX: usize = 1_500;

/// Money that changes hands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// When.
    pub date: NaiveDate,
    /// How much; not negative.
    pub amount: Cents,
}

/// The interval the rate is counted in, (b)(4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum UnitPeriod {
    /// So many months, 1 to 11.
    Months(u8),
    /// Twelve months.
    Year,
    /// Half a month: 24 in a year.
    SemiMonth,
    /// So many weeks, 1 to 52.
    Weeks(u8),
    /// A day: 365 in a year.
    Day,
    /// The whole term of a single payment of less than a year, in days; `months` when it is a whole number of months.
    Term {
        /// Length in days.
        days: u16,
        /// Length in months, when whole.
        months: Option<u8>,
    },
}

impl UnitPeriod {
    /// Unit-periods in a year, as a fraction.
    fn per_year(self) -> (i128, i128) {
        match self {
            Self::Months(months) | Self::Term { months: Some(months), .. } => (12, i128::from(months)),
            Self::Year => (1, 1),
            Self::SemiMonth => (24, 1),
            Self::Weeks(weeks) => (52, i128::from(weeks)),
            Self::Day => (365, 1),
            Self::Term { days, months: None } => (365, i128::from(days)),
        }
    }
}

/// Full unit-periods and a fraction `num / den` of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// Full unit-periods.
    pub full: u32,
    /// Numerator of the fraction.
    pub num: u32,
    /// Denominator of the fraction.
    pub den: u32,
}

impl Offset {
    /// The beginning of the term.
    pub const START: Self = Self { full: 0, num: 0, den: 1 };

    fn of(units: u32, per: u32) -> Self {
        let per = per.max(1);
        Self { full: units / per, num: units % per, den: per }
    }

    fn fraction(self) -> Result<Fixed, FinanceError> {
        if self.num == 0 { Ok(Fixed::ZERO) } else { Fixed::ratio(i128::from(self.num), i128::from(self.den)) }
    }
}

/// `count` equal amounts, the first at `first`, the others one unit-period apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Each amount.
    pub amount: Cents,
    /// How many.
    pub count: u32,
    /// When the first one falls.
    pub first: Offset,
}

impl Stream {
    fn total(&self) -> i128 {
        i128::from(self.amount.0) * i128::from(self.count)
    }
}

/// The annual percentage rate of any set of dated advances and payments, its unit-period found by (b)(4).
pub fn apr(advances: &[Flow], payments: &[Flow]) -> Result<Rate, FinanceError> {
    apr_in(unit_period(advances, payments)?, advances, payments)
}

/// The annual percentage rate of dated advances and payments in a known unit-period, to a millionth of a percent point.
pub fn apr_in(unit: UnitPeriod, advances: &[Flow], payments: &[Flow]) -> Result<Rate, FinanceError> {
    if advances.len().saturating_add(payments.len()) > FLOWS_MAX {
        return Err(FinanceError::TooMany { what: "payments", max: FLOWS_MAX });
    }
    let begin = advances.iter().chain(payments).map(|f| f.date).min().ok_or(FinanceError::NoPayments)?;
    let day = period::day_of_series(unit, payments);
    let streams = |flows: &[Flow]| -> Result<Vec<Stream>, FinanceError> {
        let mut out: Vec<Stream> = Vec::new();
        for flow in flows.iter().filter(|f| f.amount != Cents::ZERO) {
            let at = offset(unit, begin, flow.date, day(flow.date))?;
            match out.last_mut() {
                Some(last) if follows(last, at) && last.amount == flow.amount => last.count += 1,
                _ => out.push(Stream { amount: flow.amount, count: 1, first: at }),
            }
        }
        Ok(out)
    };
    rate_of(unit, &streams(advances)?, &streams(payments)?)
}

fn follows(stream: &Stream, at: Offset) -> bool {
    let first = stream.first;
    // A stream begins at 1 so that its closed form needs no growth factor.
    first.full > 0
        && at.full == first.full + stream.count
        && u64::from(at.num) * u64::from(first.den) == u64::from(first.num) * u64::from(at.den)
}

/// Solves the general equation for streams already laid out in unit-periods.
pub fn rate_of(unit: UnitPeriod, advances: &[Stream], payments: &[Stream]) -> Result<Rate, FinanceError> {
    let i = newton::solve(advances, payments)?;
    let (per_year, divisor) = unit.per_year();
    let scale = Rate::WHOLE.checked_mul(per_year).ok_or(FinanceError::Overflow)?;
    // Six decimals of a percent point; the division by the multiple of the unit-period comes last.
    if divisor == 1 {
        return i.scaled(scale).map(Rate);
    }
    let scaled = i128::from(i.scaled(scale * 1_000)?);
    let rate = crate::kernel::rounding::div_half_up(scaled, divisor * 1_000).ok_or(FinanceError::Overflow)?;
    i64::try_from(rate).map(Rate).map_err(|_| FinanceError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }
    fn monthly(first: &str, count: u16, cents: i64) -> Vec<Flow> {
        let first = d(first);
        (0..count).map(|k| Flow { date: super::super::calendar::due_date(first, k).unwrap(), amount: Cents(cents) }).collect()
    }

    #[test]
    fn regulation_z_examples() {
        let advance = |on: &str, cents| [Flow { date: d(on), amount: Cents(cents) }];
        let apr = |a: &[Flow], p: &[Flow]| apr(a, p).unwrap().round(2).to_string();
        assert_eq!(apr(&advance("1978-01-10", 500_000), &monthly("1978-02-10", 24, 23_000)), "9.69");
        assert_eq!(apr(&advance("1978-02-10", 600_000), &monthly("1978-04-01", 36, 20_000)), "11.82");
        // 24 semimonthly payments of 219.17, the first after 6 days: t = 0, f = 6/15.
        let streams = [
            Stream { amount: Cents(21_917), count: 1, first: Offset { full: 0, num: 6, den: 15 } },
            Stream { amount: Cents(21_917), count: 23, first: Offset { full: 1, num: 6, den: 15 } },
        ];
        let advance = [Stream { amount: Cents(500_000), count: 1, first: Offset::START }];
        assert_eq!(rate_of(UnitPeriod::SemiMonth, &advance, &streams).unwrap().round(2).to_string(), "10.34");
    }

    #[test]
    fn a_long_first_period_lowers_the_rate() {
        // $30,000, 72 payments of 510.03, contract 15 March 2025, first payment 29 April: t = 1, f = 14/30.
        let advance = [Flow { date: d("2025-03-15"), amount: Cents(3_000_000) }];
        let rate = apr(&advance, &monthly("2025-04-29", 72, 51_003)).unwrap();
        assert_eq!(rate.round(4), "6.8062".parse().unwrap());
    }

    /// Equal payments are discounted together only where they follow each other: 210.00 after 1, 2, 4, 5 and 8 months.
    #[test]
    fn months_left_out_between_equal_payments_count() {
        let advance = [Flow { date: d("2025-01-01"), amount: Cents(100_000) }];
        let paid = ["2025-02-01", "2025-03-01", "2025-05-01", "2025-06-01", "2025-09-01"];
        let paid = paid.map(|on| Flow { date: d(on), amount: Cents(21_000) });
        assert_eq!(apr(&advance, &paid).unwrap().round(4), "14.8642".parse().unwrap());
    }

    /// Three instalments on one day are one of their sum, and the order of a list says nothing.
    #[test]
    fn payments_of_one_day_add_up_and_come_in_any_order() {
        let advance = [Flow { date: d("2025-01-01"), amount: Cents(100_000) }];
        let rate = |paid: &[(&str, i64)]| {
            let paid: Vec<Flow> = paid.iter().map(|(on, cents)| Flow { date: d(on), amount: Cents(*cents) }).collect();
            apr_in(UnitPeriod::Months(1), &advance, &paid).unwrap()
        };
        let summed = rate(&[("2025-02-01", 30_000), ("2025-04-01", 60_000), ("2025-05-01", 30_000)]);
        let (february, april, may) = (("2025-02-01", 30_000), ("2025-04-01", 30_000), ("2025-05-01", 30_000));
        for paid in [[february, april, april, may], [may, april, february, april], [april, may, april, february]] {
            assert_eq!(rate(&paid), summed, "{paid:?}");
        }
    }

    #[test]
    fn advances_and_payments_are_counted_together() {
        let advance = [Flow { date: d("2025-01-01"), amount: Cents(100_000_00) }];
        let daily = |count: u64| -> Vec<Flow> {
            (1..=count).map(|day| Flow { date: d("2025-01-01") + chrono::Days::new(day), amount: Cents(100_00) }).collect()
        };
        assert!(apr_in(UnitPeriod::Day, &advance, &daily(1_499)).is_ok());
        assert_eq!(apr_in(UnitPeriod::Day, &advance, &daily(1_500)), Err(FinanceError::TooMany { what: "payments", max: 1_500 }));
    }

    /// Counted back from the payment by months, then by fifteen days: from the 15th to a 31st, also the one February stands for,
    /// it is half a month and a day.
    #[test]
    fn a_semimonthly_series_sticks_to_the_end_of_the_month() {
        let advance = [Flow { date: d("2025-01-15"), amount: Cents(100_000) }];
        let paid = ["2025-01-31", "2025-02-15", "2025-02-28", "2025-03-15", "2025-03-31"];
        let paid = paid.map(|on| Flow { date: d(on), amount: Cents(21_000) });
        assert_eq!(unit_period(&advance, &paid), Ok(UnitPeriod::SemiMonth));
        assert_eq!(apr(&advance, &paid).unwrap().round(4), "39.0343".parse().unwrap());
    }

    #[test]
    fn unit_periods_are_found() {
        let advance = [Flow { date: d("2025-01-17"), amount: Cents(100_000) }];
        let every = |days: i64, count: i64| -> Vec<Flow> {
            (1..=count).map(|k| Flow { date: d("2025-01-20") + chrono::Duration::days(days * k), amount: Cents(10_000) }).collect()
        };
        assert_eq!(unit_period(&advance, &monthly("2025-01-31", 12, 10_000)), Ok(UnitPeriod::Months(1)));
        assert_eq!(unit_period(&advance, &every(7, 12)), Ok(UnitPeriod::Weeks(1)));
        assert_eq!(unit_period(&advance, &every(14, 12)), Ok(UnitPeriod::Weeks(2)));
        let halves: Vec<Flow> = ["2025-02-01", "2025-02-16", "2025-03-01", "2025-03-16", "2025-04-01"]
            .map(|t| Flow { date: d(t), amount: Cents(30_000) })
            .into();
        assert_eq!(unit_period(&advance, &halves), Ok(UnitPeriod::SemiMonth));
        let odd: Vec<Flow> = ["2025-02-11", "2025-05-30"].map(|t| Flow { date: d(t), amount: Cents(60_000) }).into();
        // Periods of 25 and 108 days: 66.5 on average, nearest to 9 or 10 weeks.
        assert_eq!(unit_period(&advance, &odd), Ok(UnitPeriod::Weeks(9)));
    }

    #[test]
    fn every_input_has_an_answer() {
        let advance = [Flow { date: d("2025-01-01"), amount: Cents(100_000) }];
        assert_eq!(apr(&advance, &[]), Err(FinanceError::NoPayments));
        assert_eq!(apr(&[], &monthly("2025-02-01", 2, 1)), Err(FinanceError::NoPayments));
        assert_eq!(apr(&advance, &monthly("2025-02-01", 10, 10_000)), Ok(Rate::ZERO));
        assert_eq!(apr(&advance, &monthly("2025-02-01", 10, 9_000)), Err(FinanceError::PaymentsBelowAdvance { shortfall: Cents(10_000) }));
        assert_eq!(apr(&advance, &monthly("2025-02-01", 12, 10_000_000)), Err(FinanceError::RateOutOfRange));
        // A hundred times the money back after ten years, and one cent of finance charge.
        assert!(apr(&advance, &monthly("2035-01-01", 1, 10_000_000)).is_ok());
        let cent = apr(&advance, &[Flow { date: d("2026-01-01"), amount: Cents(100_001) }]).unwrap();
        assert_eq!(cent, "0.001".parse().unwrap());
    }

    #[test]
    fn amounts_and_terms_are_taken_up_to_their_limits() {
        let at = |full, amount| [Stream { amount, count: 1, first: Offset { full, num: 0, den: 1 } }];
        let rate = |advance: &[Stream], payment: &[Stream]| rate_of(UnitPeriod::Day, advance, payment);
        let whole = at(0, Cents::LIMIT - Cents(1));
        assert!(rate(&whole, &at(365, Cents::LIMIT)).is_ok());
        let out = Err(FinanceError::AmountOutOfRange { what: "An advance or payment" });
        assert_eq!(rate(&whole, &at(365, Cents::LIMIT + Cents(1))), out);
        assert_eq!(rate(&at(0, Cents(-1)), &at(365, Cents(100))), out);
        // 0.001 % of a day's rate doubles the money in about 190 years; 100,000 unit-periods are the most.
        let long = rate(&at(0, Cents(100_00)), &at(99_999, Cents(200_00))).unwrap();
        assert!((long.0 - 253_001).abs() < 10, "ln 2 / 99,999 · 365 in percent: {long}");
        assert_eq!(rate(&at(0, Cents(100_00)), &at(100_000, Cents(200_00))), Err(FinanceError::BadDates("the term is too long")));
        // Nothing advanced, or nothing paid.
        assert_eq!(rate(&[], &at(1, Cents(100))), Err(FinanceError::NoPayments));
        assert_eq!(rate(&at(0, Cents(100)), &[]), Err(FinanceError::NoPayments));
    }

    #[test]
    fn tolerance_is_an_eighth_and_a_quarter() {
        let (exact, edge) = ("10".parse().unwrap(), "10.125".parse().unwrap());
        assert!(within_tolerance(edge, exact, false));
        assert!(!within_tolerance("10.125001".parse().unwrap(), exact, false));
        assert!(within_tolerance("9.75".parse().unwrap(), exact, true));
        // Five dollars where at most a thousand are financed, else ten.
        let charge = |disclosed, financed| finance_charge_within_tolerance(Cents(disclosed), Cents(100_00), Cents(financed));
        assert!(charge(105_00, 1_000_00) && !charge(105_01, 1_000_00) && charge(95_00, 1_000_00) && !charge(94_99, 1_000_00));
        assert!(charge(110_00, 1_000_01) && !charge(110_01, 1_000_01));
    }
}
