//! A retail instalment contract: level payment, schedule, finance charge, annual percentage rate.
//!
//! Named roundings:
//! - the payment is the exact annuity rounded half up to the cent;
//! - each period's interest is rounded half up to the cent;
//! - the final payment clears the balance and takes all cents those roundings leave over.
//!
//! Interest by accrual basis: THIRTY_360 counts a month as a twelfth of a year and odd days of the first period as thirtieths
//! of a month, compounded before the first full month as Appendix J does; ACTUAL_365 and ACTUAL_360 count calendar days.

use chrono::{Datelike, NaiveDate};

use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;
use crate::kernel::rounding::div_half_up;

use super::apr::{self, Offset, Stream, UnitPeriod};
use super::calendar::{add_months, days_between, due_date, months_back};
use super::error::FinanceError;
use super::fixed::Fixed;

/// Shortest and longest term, in months.
pub const TERM: std::ops::RangeInclusive<u16> = 1..=120;
/// The largest distance of the first payment, in days.
pub const FIRST_PAYMENT_DAYS_MAX: u16 = 90;

crate::text_enum! {
    /// How a lender counts the time that interest accrues over.
    pub enum AccrualBasis {
        /// Calendar days over 365.
        Actual365 = "ACTUAL_365",
        /// Calendar days over 360.
        Actual360 = "ACTUAL_360",
        /// Every month a twelfth of a year, odd days as thirtieths of a month.
        Thirty360 = "THIRTY_360",
    }
}

/// What the contract says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RetailTerms {
    /// What the customer gets credit for (Regulation Z's amount financed).
    pub amount_financed: Cents,
    /// A charge for the credit that is paid with it (an origination fee). It bears interest and is no part of the amount
    /// financed.
    pub prepaid_finance_charge: Cents,
    /// The contract's yearly rate.
    pub rate: Rate,
    /// Number of monthly payments.
    pub term_months: u16,
    /// The day interest begins.
    pub contract_date: NaiveDate,
    /// The day the first payment is due.
    pub first_payment_date: NaiveDate,
    /// How interest accrues.
    pub accrual: AccrualBasis,
}

/// The figures of a contract. `Σ payments − finance_charge = amount_financed` always holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RetailFigures {
    /// Every payment but the last.
    pub payment: Cents,
    /// The last payment.
    pub final_payment: Cents,
    /// All payments.
    pub total_of_payments: Cents,
    /// What the credit costs.
    pub finance_charge: Cents,
    /// Regulation Z's annual percentage rate, to a millionth of a percent point.
    pub apr: Rate,
    /// The day the last payment is due.
    pub final_payment_date: NaiveDate,
}

/// One line of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Installment {
    /// 1 for the first.
    pub number: u16,
    /// When it is due.
    pub date: NaiveDate,
    /// What is paid.
    pub payment: Cents,
    /// The part that is interest.
    pub interest: Cents,
    /// The part that lowers the balance.
    pub principal: Cents,
    /// What is still owed afterwards.
    pub balance: Cents,
}

/// The day the first payment is due. Thirty days are one month, as desks say it; any other number is counted in days.
pub fn first_payment_date(contract: NaiveDate, days: u16) -> Result<NaiveDate, FinanceError> {
    if days > FIRST_PAYMENT_DAYS_MAX {
        return Err(FinanceError::BadDates("the first payment must be due within 90 days"));
    }
    if days == 30 {
        return add_months(contract, 1, contract.day());
    }
    contract.checked_add_days(chrono::Days::new(u64::from(days))).ok_or(FinanceError::BadDates("a date is outside the calendar"))
}

impl RetailTerms {
    /// The balance on the first day.
    fn principal(&self) -> Cents {
        self.amount_financed + self.prepaid_finance_charge
    }

    fn check(&self) -> Result<(), FinanceError> {
        if self.amount_financed <= Cents::ZERO {
            return Err(FinanceError::NothingToFinance { surplus: -self.amount_financed });
        }
        for (what, amount) in [("The amount financed", self.amount_financed), ("The prepaid finance charge", self.prepaid_finance_charge)] {
            if amount < Cents::ZERO || amount > Cents::LIMIT {
                return Err(FinanceError::AmountOutOfRange { what });
            }
        }
        if !TERM.contains(&self.term_months) {
            return Err(FinanceError::TermOutOfRange { min: *TERM.start(), max: *TERM.end() });
        }
        if self.rate < Rate::ZERO || self.rate > Rate::LIMIT {
            return Err(FinanceError::RateOutOfRange);
        }
        let days = days_between(self.contract_date, self.first_payment_date)?;
        if days > 366 {
            return Err(FinanceError::BadDates("the first payment must be due within a year"));
        }
        Ok(())
    }

    /// Unit-periods from the contract to the first payment.
    pub fn first_offset(&self) -> Result<Offset, FinanceError> {
        apr::offset(UnitPeriod::Months(1), self.contract_date, self.first_payment_date, self.first_payment_date.day())
    }

    /// The level payment before rounding up or down to the cent, in millionths of a cent. For the trace and for proofs.
    pub fn exact_payment(&self) -> Result<i128, FinanceError> {
        self.check()?;
        let cents = self.factor()?.of_scaled(self.principal(), 1_000_000)?;
        Ok(i128::from(cents.0))
    }

    /// The level payment, rounded half up to the cent.
    pub fn payment(&self) -> Result<Cents, FinanceError> {
        self.check()?;
        let n = i128::from(self.term_months);
        if self.rate == Rate::ZERO {
            // Exact, so that a half cent is seen as one.
            let cents = div_half_up(i128::from(self.principal().0), n).ok_or(FinanceError::Overflow)?;
            return i64::try_from(cents).map(Cents).map_err(|_| FinanceError::Overflow);
        }
        if n == 1 {
            let interest = self.interest(0, self.principal(), self.contract_date, self.first_payment_date)?;
            return Ok(self.principal() + interest);
        }
        self.factor()?.of(self.principal())
    }

    /// The payment per unit of principal: the reciprocal of the discount factors' sum.
    fn factor(&self) -> Result<Fixed, FinanceError> {
        let n = self.term_months;
        if self.rate == Rate::ZERO {
            return Fixed::ratio(1, i128::from(n));
        }
        if self.accrual == AccrualBasis::Thirty360 {
            let i = monthly(self.rate)?;
            let level = level_factor(i, n)?;
            // The annuity counts one month to the first payment; correct for the true distance.
            return self.first_growth(i)?.per(Fixed::ONE.plus(i)?)?.by(level);
        }
        // 1 / Σ Π v_k, both sides in sixteenths so that the sum of 120 factors stays in range.
        let sixteenth = Fixed::ratio(1, 16)?;
        let mut discount = sixteenth;
        let mut sum = Fixed::ZERO;
        let mut from = self.contract_date;
        for k in 0..n {
            let to = due_date(self.first_payment_date, k)?;
            let growth = Fixed::ONE.plus(self.accrued(from, to)?)?;
            discount = discount.per(growth)?;
            sum = sum.plus(discount)?;
            from = to;
        }
        sixteenth.per(sum)
    }

    /// Growth of the balance until the first payment, THIRTY_360: `(1 + f·i)(1 + i)^t`.
    fn first_growth(&self, i: Fixed) -> Result<Fixed, FinanceError> {
        let Offset { full, num, den } = self.first_offset()?;
        let odd = Fixed::ONE.plus(i.by(Fixed::ratio(i128::from(num), i128::from(den))?)?)?;
        odd.by(Fixed::ONE.plus(i)?.pow(full)?)
    }

    /// Simple interest on 1 between two dates, by calendar days.
    fn accrued(&self, from: NaiveDate, to: NaiveDate) -> Result<Fixed, FinanceError> {
        let (num, den) = self.accrual_fraction(from, to)?;
        Fixed::ratio(i128::from(self.rate.0) * num, Rate::WHOLE * den)
    }

    fn accrual_fraction(&self, from: NaiveDate, to: NaiveDate) -> Result<(i128, i128), FinanceError> {
        let days = i128::from(days_between(from, to)?);
        Ok(match self.accrual {
            AccrualBasis::Actual365 => (days, 365),
            AccrualBasis::Actual360 => (days, 360),
            AccrualBasis::Thirty360 => (1, 12),
        })
    }

    /// The interest of one period on a balance, rounded half up to the cent.
    fn interest(&self, index: u16, balance: Cents, from: NaiveDate, to: NaiveDate) -> Result<Cents, FinanceError> {
        if self.accrual == AccrualBasis::Thirty360 && index == 0 && self.first_offset()? != (Offset { full: 1, num: 0, den: 30 }) {
            return self.first_growth(monthly(self.rate)?)?.minus(Fixed::ONE)?.of(balance);
        }
        let (num, den) = self.accrual_fraction(from, to)?;
        interest_on(balance, self.rate, num, den)
    }

    /// All payments, one after the other, with interest, principal and balance.
    pub fn schedule(&self) -> Result<Vec<Installment>, FinanceError> {
        self.schedule_with(self.payment()?)
    }

    /// The schedule with a payment agreed elsewhere. The last payment clears the balance.
    pub fn schedule_with(&self, payment: Cents) -> Result<Vec<Installment>, FinanceError> {
        self.check()?;
        let mut lines = Vec::with_capacity(usize::from(self.term_months));
        self.walk(payment, |line| lines.push(line))?;
        Ok(lines)
    }

    fn walk(&self, payment: Cents, mut each: impl FnMut(Installment)) -> Result<(), FinanceError> {
        let mut balance = self.principal();
        let mut from = self.contract_date;
        for index in 0..self.term_months {
            let date = due_date(self.first_payment_date, index)?;
            let interest = self.interest(index, balance, from, date)?;
            let last = index + 1 == self.term_months;
            // Never more than is owed: on tiny loans the level payment, rounded up, may clear the balance early.
            let paid = if last { balance + interest } else { payment.min(balance + interest) };
            let principal = paid - interest;
            balance -= principal;
            if balance > Cents(Cents::LIMIT.0.saturating_mul(1_000)) {
                return Err(FinanceError::PaymentBelowInterest);
            }
            each(Installment { number: index + 1, date, payment: paid, interest, principal, balance });
            from = date;
        }
        Ok(())
    }

    /// Every figure of the contract.
    pub fn figures(&self) -> Result<RetailFigures, FinanceError> {
        let payment = self.payment()?;
        let mut total = Cents::ZERO;
        let mut final_payment = Cents::ZERO;
        let mut final_payment_date = self.first_payment_date;
        let mut level = 0_u32;
        let mut early = false;
        self.walk(payment, |line| {
            total += line.payment;
            final_payment = line.payment;
            final_payment_date = line.date;
            early |= line.payment != payment && line.number < self.term_months;
            level += u32::from(line.number < self.term_months);
        })?;
        let first = self.first_offset()?;
        let advance = [Stream { amount: self.amount_financed, count: 1, first: Offset::START }];
        let apr = if early {
            // A loan of a few cents, paid off before its term: the payments are not level.
            let flows: Vec<apr::Flow> = self.schedule()?.iter().map(|line| apr::Flow { date: line.date, amount: line.payment }).collect();
            apr::apr_in(UnitPeriod::Months(1), &[apr::Flow { date: self.contract_date, amount: self.amount_financed }], &flows)?
        } else {
            apr::rate_of(UnitPeriod::Months(1), &advance, &level_streams(payment, final_payment, level, first))?
        };
        Ok(RetailFigures {
            payment,
            final_payment,
            total_of_payments: total,
            finance_charge: total - self.amount_financed,
            apr,
            final_payment_date,
        })
    }
}

/// The streams of `level` equal payments and a last one.
fn level_streams(payment: Cents, last: Cents, level: u32, first: Offset) -> Vec<Stream> {
    let at = |skip: u32| Offset { full: first.full + skip, ..first };
    let mut streams = Vec::with_capacity(3);
    let (mut skip, mut rest) = (0, level);
    let (mut end, mut tail) = (level, last);
    if last == payment {
        (rest, end, tail) = (rest + 1, 0, Cents::ZERO);
    }
    if first.full == 0 && rest > 0 {
        streams.push(Stream { amount: payment, count: 1, first });
        (skip, rest) = (1, rest - 1);
    }
    if rest > 0 {
        streams.push(Stream { amount: payment, count: rest, first: at(skip) });
    }
    if tail != Cents::ZERO {
        streams.push(Stream { amount: tail, count: 1, first: at(std::mem::take(&mut end)) });
    }
    streams.retain(|s| s.amount != Cents::ZERO);
    streams
}

/// A twelfth of a yearly rate.
pub fn monthly(rate: Rate) -> Result<Fixed, FinanceError> {
    Fixed::ratio(i128::from(rate.0), Rate::WHOLE * 12)
}

/// The payment per unit of principal of a level annuity in arrears: `i / (1 − (1 + i)^−n)`.
pub fn level_factor(i: Fixed, n: u16) -> Result<Fixed, FinanceError> {
    if i == Fixed::ZERO {
        return Fixed::ratio(1, i128::from(n));
    }
    let v = Fixed::ONE.per(Fixed::ONE.plus(i)?)?;
    i.per(Fixed::ONE.minus(v.pow(u32::from(n))?)?)
}

/// Interest on a balance for `num / den` of a year, rounded half up to the cent.
pub fn interest_on(balance: Cents, rate: Rate, num: i128, den: i128) -> Result<Cents, FinanceError> {
    let product = i128::from(balance.0).checked_mul(i128::from(rate.0)).and_then(|p| p.checked_mul(num));
    let interest = product.and_then(|p| div_half_up(p, Rate::WHOLE.checked_mul(den)?)).ok_or(FinanceError::Overflow)?;
    i64::try_from(interest).map(Cents).map_err(|_| FinanceError::Overflow)
}

/// The principal a level monthly payment in arrears repays, rounded half up: `P · (1 − (1 + i)^−n) / i`.
pub fn principal_for_payment(payment: Cents, rate: Rate, term_months: u16) -> Result<Cents, FinanceError> {
    if !TERM.contains(&term_months) {
        return Err(FinanceError::TermOutOfRange { min: *TERM.start(), max: *TERM.end() });
    }
    if payment < Cents::ZERO || payment > Cents::LIMIT {
        return Err(FinanceError::AmountOutOfRange { what: "The payment" });
    }
    if rate < Rate::ZERO || rate > Rate::LIMIT {
        return Err(FinanceError::RateOutOfRange);
    }
    if rate == Rate::ZERO {
        return Ok(Cents(payment.0.saturating_mul(i64::from(term_months))));
    }
    // (1 − v^n) stays below 1; dividing by the rate is done in whole numbers so that the factor need not fit.
    let v = Fixed::ONE.per(Fixed::ONE.plus(monthly(rate)?)?)?;
    let share = Fixed::ONE.minus(v.pow(u32::from(term_months))?)?;
    let numerator = i128::from(share.scaled(1_000_000_000_000_000_000)?) * i128::from(payment.0);
    let scaled = numerator.checked_mul(12).ok_or(FinanceError::Overflow)?;
    let cents = div_half_up(scaled, i128::from(rate.0) * 10_000_000_000).ok_or(FinanceError::Overflow)?;
    i64::try_from(cents).map(Cents).map_err(|_| FinanceError::Overflow)
}

/// The dealer's reserve on a contract sold above the lender's buy rate: the present value, at the buy rate, of what the
/// customer pays, less the amount financed.
pub fn reserve_spread(amount: Cents, buy: Rate, sell_payment: Cents, term_months: u16) -> Result<Cents, FinanceError> {
    Ok(principal_for_payment(sell_payment, buy, term_months)? - amount)
}

/// The monthly rate that compounds to a yearly one: `(1 + r)^(1/12) − 1`.
pub fn monthly_of_effective(rate: Rate) -> Result<Fixed, FinanceError> {
    if rate < Rate::ZERO || rate > Rate::LIMIT {
        return Err(FinanceError::RateOutOfRange);
    }
    Fixed::ONE.plus(Fixed::ratio(i128::from(rate.0), Rate::WHOLE)?)?.root(12)?.minus(Fixed::ONE)
}

/// Full months and odd days from the contract to the first payment, as a person would say it.
pub fn first_period(contract: NaiveDate, first: NaiveDate) -> Result<(u32, u32), FinanceError> {
    months_back(contract, first, first.day())
}

/// The level payment when some payments are made at signing: `P = A / ((1 − (1 + i)^−(n−m)) / i + m)`, per unit of principal.
pub fn factor_in_advance(rate: Rate, term_months: u16, advance: u16) -> Result<Fixed, FinanceError> {
    if !TERM.contains(&term_months) || advance > term_months {
        return Err(FinanceError::TermOutOfRange { min: *TERM.start(), max: *TERM.end() });
    }
    let later = u32::from(term_months - advance);
    let sixteenth = Fixed::ratio(1, 16)?;
    let i = monthly(rate)?;
    let sum = if i == Fixed::ZERO {
        sixteenth.times(later)?
    } else {
        let v = Fixed::ONE.per(Fixed::ONE.plus(i)?)?;
        Fixed::ONE.minus(v.pow(later)?)?.by(sixteenth)?.per(i)?
    };
    sixteenth.per(sum.plus(sixteenth.times(u32::from(advance))?)?)
}
