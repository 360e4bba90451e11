//! A retail instalment contract: level payment, schedule, finance charge, annual percentage rate.
//!
//! Named roundings:
//! - the payment is the exact annuity rounded half up to the cent;
//! - each period's interest is rounded half up to the cent;
//! - the final payment clears the balance and takes all cents those roundings leave over; a balloon is due with it.
//!
//! Interest by accrual basis: THIRTY_360 counts each period as its equal share of a year (a month as a twelfth) and odd time
//! of the first period as Appendix J does: a simple fraction of a period, compounded over full ones. ACTUAL_365 and
//! ACTUAL_360 count calendar days.

mod amortization;
mod annuity;
mod figures;
mod schedule;

use chrono::NaiveDate;

use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;
use crate::kernel::rounding::div_half_up;

use super::apr::{self, Offset, UnitPeriod};
use super::calendar::{days_between, months_back};
use super::error::FinanceError;
use super::fixed::Fixed;
use annuity::Annuity;

pub use amortization::Installment;
pub(crate) use annuity::present_value;
pub use annuity::{
    factor_in_advance, interest_on, level_factor, monthly, monthly_of_effective, periodic, principal_for_payment, reserve_spread,
};
pub use figures::RetailFigures;
pub use schedule::{FIRST_PAYMENT_DAYS_MAX, PaymentSchedule, TERM, first_payment_date};

crate::text_enum! {
    /// How a lender counts the time that interest accrues over.
    pub enum AccrualBasis {
        /// Calendar days over 365.
        Actual365 = "ACTUAL_365",
        /// Calendar days over 360.
        Actual360 = "ACTUAL_360",
        /// Every period its equal share of a year, odd days as fractions of a period.
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
    /// Its length. The number of payments follows from it and the schedule.
    pub term_months: u16,
    /// How often is paid.
    pub schedule: PaymentSchedule,
    /// What is due with the last payment beside it.
    pub balloon: Cents,
    /// The day interest begins.
    pub contract_date: NaiveDate,
    /// The day the first payment is due.
    pub first_payment_date: NaiveDate,
    /// How interest accrues.
    pub accrual: AccrualBasis,
    /// Leave a slightly odd first period out of the disclosed rate (12 CFR 1026.17(c)(4)).
    pub disregard_odd_first_period: bool,
}

impl RetailTerms {
    /// A contract paid monthly, with nothing out of the ordinary.
    pub fn new(amount: Cents, rate: Rate, term_months: u16, contract: NaiveDate, first_payment: NaiveDate, accrual: AccrualBasis) -> Self {
        Self {
            amount_financed: amount,
            prepaid_finance_charge: Cents::ZERO,
            rate,
            term_months,
            schedule: PaymentSchedule::Monthly,
            balloon: Cents::ZERO,
            contract_date: contract,
            first_payment_date: first_payment,
            accrual,
            disregard_odd_first_period: false,
        }
    }

    /// How many payments.
    pub fn payment_count(&self) -> u16 {
        self.schedule.count(self.term_months)
    }

    /// The balance on the first day.
    fn principal(&self) -> Cents {
        self.amount_financed + self.prepaid_finance_charge
    }

    fn check(&self) -> Result<(), FinanceError> {
        if self.amount_financed <= Cents::ZERO {
            return Err(FinanceError::NothingToFinance { surplus: -self.amount_financed });
        }
        for (what, amount) in [
            ("The amount financed", self.amount_financed),
            ("The prepaid finance charge", self.prepaid_finance_charge),
            ("The balloon", self.balloon),
        ] {
            if amount < Cents::ZERO || amount > Cents::LIMIT {
                return Err(FinanceError::AmountOutOfRange { what });
            }
        }
        if self.balloon > self.principal() {
            return Err(FinanceError::BalloonAboveAmount { excess: self.balloon - self.principal() });
        }
        if !TERM.contains(&self.term_months) {
            return Err(FinanceError::TermOutOfRange { min: *TERM.start(), max: *TERM.end() });
        }
        if self.rate < Rate::ZERO || self.rate > Rate::LIMIT {
            return Err(FinanceError::RateOutOfRange);
        }
        let days = days_between(self.contract_date, self.first_payment_date)?;
        if days > 366 && self.schedule != PaymentSchedule::Single {
            return Err(FinanceError::BadDates("the first payment must be due within a year"));
        }
        if days > 3_700 {
            return Err(FinanceError::BadDates("the payment must be due within ten years"));
        }
        if days == 0 && self.payment_count() == 1 {
            return Err(FinanceError::BadDates("the only payment is due on the day of the contract"));
        }
        Ok(())
    }

    /// The unit-period of the contract, Appendix J (b)(4).
    pub fn unit_period(&self) -> Result<UnitPeriod, FinanceError> {
        match self.schedule.unit() {
            Some(unit) => Ok(unit),
            None => apr::single_unit(self.contract_date, self.first_payment_date),
        }
    }

    /// Unit-periods from the contract to the first payment.
    pub fn first_offset(&self) -> Result<Offset, FinanceError> {
        let anchor = self.schedule.anchor(self.first_payment_date);
        apr::offset(self.unit_period()?, self.contract_date, self.first_payment_date, anchor)
    }

    /// Whether 12 CFR 1026.17(c)(4) lets the disclosures disregard that the first period is odd: it is at most 6 days shorter
    /// or 13 longer than a regular one when the term is below a year, 11 or 21 below ten years, 20 or 32 otherwise.
    pub fn odd_first_period_is_minor(&self) -> Result<bool, FinanceError> {
        if self.schedule == PaymentSchedule::Single {
            return Ok(false);
        }
        let regular = self.schedule.one_before(self.first_payment_date)?;
        let shorter = self.contract_date.signed_duration_since(regular).num_days();
        let (short, long) = match self.term_months {
            0..12 => (6, 13),
            12..120 => (11, 21),
            _ => (20, 32),
        };
        Ok((-long..=short).contains(&shorter))
    }

    /// The distance of the first payment that the disclosed rate is reckoned with.
    fn disclosed_offset(&self) -> Result<Offset, FinanceError> {
        if self.disregard_odd_first_period && self.odd_first_period_is_minor()? {
            return Ok(Offset { full: 1, num: 0, den: 1 });
        }
        self.first_offset()
    }

    /// The level payment before rounding up or down to the cent, in millionths of a cent. For the trace and for proofs.
    pub fn exact_payment(&self) -> Result<i128, FinanceError> {
        self.check()?;
        let level = self.level(&self.periods()?)?;
        Ok(i128::from(self.pay(&level, MILLIONTHS)?.0))
    }

    /// The level payment, rounded half up to the cent.
    pub fn payment(&self) -> Result<Cents, FinanceError> {
        self.payment_by(&mut Calendar::default())
    }

    /// The same, with the dates of the contract before it where they are those of this one.
    pub(in crate::finance) fn payment_by(&self, calendar: &mut Calendar) -> Result<Cents, FinanceError> {
        self.check()?;
        // Equal periods need no calendar.
        let periods = if self.periods_are_equal() && self.payment_count() > 1 { &[] } else { calendar.periods(self)? };
        self.pay(&self.level(periods)?, 1)
    }

    /// What the level payment follows from.
    fn level(&self, periods: &[Period]) -> Result<Level, FinanceError> {
        if self.rate == Rate::ZERO {
            return Ok(Level::Share);
        }
        match periods {
            [only] if self.payment_count() == 1 => {
                let interest = self.interest(0, self.principal(), *only)?;
                Ok(Level::Once(self.principal() + interest))
            }
            periods => self.annuity(periods).map(Level::Annuity),
        }
    }

    /// The level payment in parts of a cent (`parts` of them), rounded half up once.
    fn pay(&self, level: &Level, parts: i64) -> Result<Cents, FinanceError> {
        match level {
            // Exact, so that a half cent is seen as one.
            Level::Share => {
                let shared = i128::from((self.principal() - self.balloon).0) * i128::from(parts);
                let cents = div_half_up(shared, i128::from(self.payment_count())).ok_or(FinanceError::Overflow)?;
                i64::try_from(cents).map(Cents).map_err(|_| FinanceError::Overflow)
            }
            Level::Once(owed) => (*owed - self.balloon).0.checked_mul(parts).map(Cents).ok_or(FinanceError::Overflow),
            Level::Annuity(annuity) => annuity.payment(self.principal(), self.balloon, parts),
        }
    }

    /// Every period's due date and length.
    fn periods(&self) -> Result<Vec<Period>, FinanceError> {
        let mut from = self.contract_date;
        let mut periods = Vec::with_capacity(usize::from(self.payment_count()));
        for index in 0..self.payment_count() {
            let due = self.schedule.due_date(self.first_payment_date, index)?;
            periods.push(Period { due, days: days_between(from, due)? });
            from = due;
        }
        Ok(periods)
    }

    /// Whether each period is the same share of a year, whatever the calendar says.
    fn periods_are_equal(&self) -> bool {
        self.accrual == AccrualBasis::Thirty360 && self.schedule != PaymentSchedule::Single
    }

    /// The payment per unit of principal (the reciprocal of the discount factors' sum) and per unit of balloon.
    fn annuity(&self, periods: &[Period]) -> Result<Annuity, FinanceError> {
        let n = self.payment_count();
        if self.periods_are_equal() {
            let i = periodic(self.rate, self.schedule.per_year())?;
            let level = level_factor(i, n)?;
            let v = Fixed::ONE.per(Fixed::ONE.plus(i)?)?;
            // The annuity counts one period to the first payment; correct for the true distance.
            let per_principal = if self.first_is_regular()? { level } else { self.first_growth(i)?.by(v)?.by(level)? };
            let per_balloon = if self.balloon == Cents::ZERO { Fixed::ZERO } else { v.pow(u32::from(n))?.by(level)? };
            return Ok(Annuity { per_principal, per_balloon });
        }
        // 1 / Σ Π v_k, both sides in parts of 1,024 so that the sum of 520 factors stays in range.
        let part = Fixed::ratio(1, 1_024)?;
        let mut discount = part;
        let mut sum = Fixed::ZERO;
        let mut known = Discounts::default();
        for period in periods {
            discount = discount.by(known.of(self.accrual_fraction(*period)?, self.rate)?)?;
            sum = sum.plus(discount)?;
        }
        let per_balloon = if self.balloon == Cents::ZERO { Fixed::ZERO } else { discount.per(sum)? };
        Ok(Annuity { per_principal: part.per(sum)?, per_balloon })
    }

    fn first_is_regular(&self) -> Result<bool, FinanceError> {
        let Offset { full, num, .. } = self.first_offset()?;
        Ok(full == 1 && num == 0)
    }

    /// Growth of the balance until the first payment, THIRTY_360: `(1 + f·i)(1 + i)^t`.
    fn first_growth(&self, i: Fixed) -> Result<Fixed, FinanceError> {
        let Offset { full, num, den } = self.first_offset()?;
        let odd = Fixed::ONE.plus(i.by(Fixed::ratio(i128::from(num), i128::from(den))?)?)?;
        odd.by(Fixed::ONE.plus(i)?.pow(full)?)
    }

    /// The part of a year a period is, as a fraction.
    fn accrual_fraction(&self, period: Period) -> Result<(i128, i128), FinanceError> {
        Ok(match self.accrual {
            AccrualBasis::Actual365 => (i128::from(period.days), 365),
            AccrualBasis::Actual360 => (i128::from(period.days), 360),
            AccrualBasis::Thirty360 if self.schedule == PaymentSchedule::Single => {
                let (months, days) = first_period(self.contract_date, period.due)?;
                (i128::from(months) * 30 + i128::from(days), 360)
            }
            AccrualBasis::Thirty360 => (1, i128::from(self.schedule.per_year())),
        })
    }

    /// The interest of one period on a balance, rounded half up to the cent.
    fn interest(&self, index: u16, balance: Cents, period: Period) -> Result<Cents, FinanceError> {
        if self.periods_are_equal() && index == 0 && !self.first_is_regular()? {
            return self.first_growth(periodic(self.rate, self.schedule.per_year())?)?.minus(Fixed::ONE)?.of(balance);
        }
        let (num, den) = self.accrual_fraction(period)?;
        interest_on(balance, self.rate, num, den)
    }
}

/// Parts of a cent in a trace.
const MILLIONTHS: i64 = 1_000_000;

/// A period of the schedule: when its payment is due, and its length.
#[derive(Debug, Clone, Copy)]
struct Period {
    due: NaiveDate,
    days: u32,
}

/// The due dates of a contract, kept for the next: the programs that are asked about one worksheet share them.
#[derive(Debug, Default)]
pub(in crate::finance) struct Calendar {
    /// Schedule, number of payments, day of signing, first due date.
    of: Option<(PaymentSchedule, u16, NaiveDate, NaiveDate)>,
    periods: Vec<Period>,
}

impl Calendar {
    fn periods(&mut self, terms: &RetailTerms) -> Result<&[Period], FinanceError> {
        let of = Some((terms.schedule, terms.payment_count(), terms.contract_date, terms.first_payment_date));
        if self.of != of {
            self.periods = terms.periods()?;
            self.of = of;
        }
        Ok(&self.periods)
    }
}

/// What a level payment follows from.
enum Level {
    /// No interest: an equal share.
    Share,
    /// One payment: everything owed then.
    Once(Cents),
    /// An annuity.
    Annuity(Annuity),
}

/// Discount factors by length of period: a monthly series has four.
#[derive(Default)]
struct Discounts {
    known: [Option<((i128, i128), Fixed)>; 6],
}

impl Discounts {
    /// `1 / (1 + r·num/den)`.
    fn of(&mut self, period: (i128, i128), rate: Rate) -> Result<Fixed, FinanceError> {
        if let Some((_, v)) = self.known.iter().flatten().find(|(known, _)| *known == period) {
            return Ok(*v);
        }
        let (num, den) = period;
        let growth = Fixed::ONE.plus(Fixed::ratio(i128::from(rate.0) * num, Rate::WHOLE * den)?)?;
        let v = Fixed::ONE.per(growth)?;
        if let Some(free) = self.known.iter_mut().find(|slot| slot.is_none()) {
            *free = Some((period, v));
        }
        Ok(v)
    }
}

/// Full months and odd days from the contract to the first payment, as a person would say it.
pub fn first_period(contract: NaiveDate, first: NaiveDate) -> Result<(u32, u32), FinanceError> {
    use chrono::Datelike;
    months_back(contract, first, first.day())
}
