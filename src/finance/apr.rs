//! The annual percentage rate by the actuarial method: Regulation Z (12 CFR 1026), Appendix J.
//!
//! Every advance and payment stands at `t` full unit-periods and a fraction `f` from the beginning of the term; the rate `i`
//! per unit-period solves the general equation (b)(8)
//! `Σ A / ((1 + f·i)·(1 + i)^t) = Σ P / ((1 + f·i)·(1 + i)^t)`,
//! and the annual percentage rate is `i` times the unit-periods in a year. The finance slice knows its unit-period (a month);
//! [`unit_period`] finds it for any other set of dates by (b)(4).

use chrono::{Datelike, NaiveDate};

use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::calendar::{add_months, anchor, days_between, days_in_month, months_back};
use super::error::FinanceError;
use super::fixed::Fixed;

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
            Offset::of(months * 30 + rest, 30 * u32::from(multiple))
        }
        UnitPeriod::SemiMonth => {
            let (months, rest) = months_back(from, to, to.day())?;
            Offset::of(months * 30 + rest, 15)
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

/// The unit-period of a transaction, (b)(4): the most frequent common period, the smaller one of equals; without a common
/// period the average period, rounded to the nearest standard interval.
pub fn unit_period(advances: &[Flow], payments: &[Flow]) -> Result<UnitPeriod, FinanceError> {
    let (Some(first), Some(last)) = (advances.first(), payments.last()) else { return Err(FinanceError::NoPayments) };
    if let ([advance], [payment]) = (advances, payments) {
        return single_unit(advance.date, payment.date);
    }
    let mut dates: Vec<NaiveDate> = advances.iter().chain(payments).map(|f| f.date).collect();
    dates.sort_unstable();
    dates.dedup();
    let payment_days = anchor(&payments.iter().map(|f| f.date));
    let mut counts: Vec<(u32, UnitPeriod, usize)> = Vec::new();
    for pair in dates.windows(2) {
        let [from, to] = pair else { continue };
        for (days, unit) in common_periods(*from, *to, payment_days)? {
            match counts.iter_mut().find(|(_, known, _)| *known == unit) {
                Some((_, _, count)) => *count += 1,
                None => counts.push((days, unit, 1)),
            }
        }
    }
    // The most frequent; of equals the smaller. A month and its four weeks may both count: months are tried first.
    let best = counts.iter().filter(|(_, _, count)| *count > 1).max_by(|a, b| a.2.cmp(&b.2).then(b.0.cmp(&a.0)));
    if let Some((_, unit, _)) = best {
        return Ok(*unit);
    }
    let periods = u32::try_from(dates.len().saturating_sub(1)).unwrap_or(u32::MAX).max(1);
    average_unit(days_between(first.date, last.date.max(first.date))?, periods)
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

fn single_unit(from: NaiveDate, to: NaiveDate) -> Result<UnitPeriod, FinanceError> {
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
    standards.min_by_key(|(length, _)| ((length * periods).abs_diff(days), *length)).map(|(_, unit)| unit).ok_or(FinanceError::NoPayments)
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
    let day = anchor(&payments.iter().map(|f| f.date));
    let streams = |flows: &[Flow]| -> Result<Vec<Stream>, FinanceError> {
        let mut out: Vec<Stream> = Vec::new();
        for flow in flows.iter().filter(|f| f.amount != Cents::ZERO) {
            let at = offset(unit, begin, flow.date, day.unwrap_or_else(|| flow.date.day()))?;
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
    let i = solve(advances, payments)?;
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

/// The rate per unit-period. Newton's iteration, kept inside a bracket; a step that leaves it is replaced by halving.
fn solve(advances: &[Stream], payments: &[Stream]) -> Result<Fixed, FinanceError> {
    let any_negative = advances.iter().chain(payments).any(|s| s.amount < Cents::ZERO || s.amount > Cents::LIMIT);
    if any_negative {
        return Err(FinanceError::AmountOutOfRange { what: "An advance or payment" });
    }
    let advanced: i128 = advances.iter().map(Stream::total).sum();
    let paid: i128 = payments.iter().map(Stream::total).sum();
    if advanced == 0 || paid == 0 {
        return Err(FinanceError::NoPayments);
    }
    if paid < advanced {
        let shortfall = Cents(i64::try_from(advanced - paid).map_err(|_| FinanceError::Overflow)?);
        return Err(FinanceError::PaymentsBelowAdvance { shortfall });
    }
    if paid == advanced {
        return Ok(Fixed::ZERO);
    }
    // Shares of all that is paid stay between 0 and 1, and so does every present value.
    let advances = Weighted::all(advances, paid)?;
    let payments = Weighted::all(payments, paid)?;
    // The root lies between these; 600 % per unit-period is the most the engine looks for.
    let (mut low, mut high) = (Fixed::ZERO, Fixed::whole(6)?);
    let mut i = start(&payments, &advances, advanced, paid)?.min(Fixed::ONE).max(Fixed::STEP);
    for _ in 0..200 {
        let (value, slope) = present_value(&payments, &advances, i)?;
        if value == Fixed::ZERO {
            return Ok(i);
        }
        if value.is_negative() {
            high = i;
        } else {
            low = i;
        }
        // slope is i·f'(i), so that it stays near 1: the step is f / (i·f') · i.
        let step = value.per(slope).and_then(|q| q.by(i));
        let next = match step.and_then(|step| i.minus(step)) {
            Ok(next) if next > low && next < high => next,
            _ => low.plus(high)?.halved(),
        };
        let moved = next.minus(i)?.distance();
        i = next;
        // 2^-44: a hundred-millionth of a percent point a year; one more step was already quadratically closer.
        if moved <= Fixed::ratio(1, 1 << 44)? {
            return if i >= Fixed::whole(5)? { Err(FinanceError::RateOutOfRange) } else { Ok(i) };
        }
    }
    Err(FinanceError::RateOutOfRange)
}

/// A lower bound of the rate: with mean times weighted by amount, Jensen's inequality gives `ln(paid/advanced)` over the
/// difference of the mean times, and `ln x ≥ 2(x−1)/(x+1)`.
fn start(payments: &[Weighted], advances: &[Weighted], advanced: i128, paid: i128) -> Result<Fixed, FinanceError> {
    let mean = |flows: &[Weighted], total: i128| -> i128 {
        let sum: i128 = flows.iter().map(Weighted::moment).sum();
        sum / total.max(1)
    };
    let distance = (mean(payments, paid) - mean(advances, advanced)).max(1);
    let gain = (paid - advanced).checked_mul(2 * MOMENT).ok_or(FinanceError::Overflow)?;
    let denominator = (paid + advanced).checked_mul(distance).ok_or(FinanceError::Overflow)?;
    Fixed::ratio(gain.min((1 << 66) - 1), denominator.max(1)).or(Fixed::ratio(1, 100))
}

/// Mean times are counted in thousandths of a unit-period.
const MOMENT: i128 = 1_000;

/// A stream whose amount is a share of all that is paid.
struct Weighted {
    share: Fixed,
    count: u32,
    full: u32,
    fraction: Fixed,
    total: i128,
}

impl Weighted {
    fn all(streams: &[Stream], whole: i128) -> Result<Vec<Self>, FinanceError> {
        streams
            .iter()
            .map(|s| {
                let full = s.first.full;
                if full.saturating_add(s.count) > 100_000 {
                    return Err(FinanceError::BadDates("the term is too long"));
                }
                let share = Fixed::ratio(i128::from(s.amount.0), whole)?;
                Ok(Self { share, count: s.count, full, fraction: s.first.fraction()?, total: s.total() })
            })
            .collect()
    }

    /// Amount times mean time, in thousandths of a unit-period.
    fn moment(&self) -> i128 {
        self.total * (i128::from(self.full) * MOMENT + i128::from(self.count - 1) * MOMENT / 2)
    }

    /// Its present value at `i`, and `i` times its derivative. `v` is `1 / (1 + i)`.
    fn value(&self, i: Fixed, v: Fixed) -> Result<(Fixed, Fixed), FinanceError> {
        let odd = self.fraction != Fixed::ZERO;
        // g = 1 / (1 + f·i), and f·g·i, which the derivative needs.
        let (g, fgi) = if odd {
            let fi = self.fraction.by(i)?;
            let g = Fixed::ONE.per(Fixed::ONE.plus(fi)?)?;
            (g, fi.by(g)?)
        } else {
            (Fixed::ONE, Fixed::ZERO)
        };
        let share = if odd { self.share.by(g)? } else { self.share };
        if self.count == 1 {
            let value = share.by(v.pow(self.full)?)?;
            let slope = value.by(fgi)?.plus(value.by(i.by(v)?)?.times(self.full)?)?;
            return Ok((value, Fixed::ZERO.minus(slope)?));
        }
        // Σ v^k for k = full … full+count−1 is (v^(full−1) − v^(full−1+count)) / i.
        let before = self.full.saturating_sub(1);
        let head = share.by(v.pow(before)?)?;
        let tail = head.by(v.pow(self.count)?)?;
        let value = head.minus(tail)?.per(i)?;
        let bent = tail.times(self.count)?.minus(value.by(i)?.times(before)?)?.by(v)?;
        let slope = bent.minus(value)?.minus(value.by(fgi)?)?;
        Ok((value, slope))
    }
}

/// Payments minus advances at `i`, and `i` times the derivative of that.
fn present_value(payments: &[Weighted], advances: &[Weighted], i: Fixed) -> Result<(Fixed, Fixed), FinanceError> {
    let v = Fixed::ONE.per(Fixed::ONE.plus(i)?)?;
    let (mut value, mut slope) = (Fixed::ZERO, Fixed::ZERO);
    for payment in payments {
        let (pv, d) = payment.value(i, v)?;
        value = value.plus(pv)?;
        slope = slope.plus(d)?;
    }
    for advance in advances {
        let (pv, d) = advance.value(i, v)?;
        value = value.minus(pv)?;
        slope = slope.minus(d)?;
    }
    Ok((value, slope))
}

/// Whether a disclosed rate is within the tolerance of 12 CFR 1026.22(a): 1/8 point, or 1/4 point when there are several
/// advances or irregular amounts or periods. An odd first period, first payment or last payment is still regular.
pub const fn within_tolerance(disclosed: Rate, exact: Rate, irregular: bool) -> bool {
    let allowed = if irregular { 250_000 } else { 125_000 };
    disclosed.0.abs_diff(exact.0) <= allowed
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
    fn tolerance_is_an_eighth_and_a_quarter() {
        let (exact, edge) = ("10".parse().unwrap(), "10.125".parse().unwrap());
        assert!(within_tolerance(edge, exact, false));
        assert!(!within_tolerance("10.125001".parse().unwrap(), exact, false));
        assert!(within_tolerance("9.75".parse().unwrap(), exact, true));
    }
}
