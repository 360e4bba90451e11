//! The amortization schedule: each payment with its interest and principal, the last one clearing the balance.

use chrono::NaiveDate;

use super::{Period, RetailTerms};
use crate::finance::error::FinanceError;
use crate::kernel::money::Cents;

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

impl RetailTerms {
    /// All payments, one after the other, with interest, principal and balance.
    pub fn schedule(&self) -> Result<Vec<Installment>, FinanceError> {
        self.check()?;
        let periods = self.periods()?;
        let payment = self.pay(&self.level(&periods)?, 1)?;
        self.lines(payment, &periods)
    }

    /// The schedule with a payment agreed elsewhere. The last payment clears the balance.
    pub fn schedule_with(&self, payment: Cents) -> Result<Vec<Installment>, FinanceError> {
        self.check()?;
        self.lines(payment, &self.periods()?)
    }

    fn lines(&self, payment: Cents, periods: &[Period]) -> Result<Vec<Installment>, FinanceError> {
        let mut lines = Vec::with_capacity(periods.len());
        self.walk(payment, periods, |line| lines.push(line))?;
        Ok(lines)
    }

    pub(super) fn walk(&self, payment: Cents, periods: &[Period], mut each: impl FnMut(Installment)) -> Result<(), FinanceError> {
        let mut balance = self.principal();
        let count = self.payment_count();
        for (index, period) in (0..count).zip(periods) {
            let interest = self.interest(index, balance, *period)?;
            let last = index + 1 == count;
            // Never more than is owed: on tiny loans the level payment, rounded up, may clear the balance early.
            let paid = if last { balance + interest } else { payment.min(balance + interest) };
            let principal = paid - interest;
            balance -= principal;
            if balance > Cents(Cents::LIMIT.0.saturating_mul(1_000)) {
                return Err(FinanceError::PaymentBelowInterest);
            }
            each(Installment { number: index + 1, date: period.due, payment: paid, interest, principal, balance });
        }
        Ok(())
    }
}
