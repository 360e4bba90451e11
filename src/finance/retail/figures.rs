//! Every figure of a contract, and the rate they are disclosed with.

use chrono::NaiveDate;

use super::{MILLIONTHS, PaymentSchedule, RetailTerms};
use crate::finance::apr::{self, Flow, Offset, Stream};
use crate::finance::error::FinanceError;
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

/// The figures of a contract. `Σ payments − finance_charge = amount_financed` always holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RetailFigures {
    /// Every payment but the last.
    pub payment: Cents,
    /// The same before it is rounded, in millionths of a cent.
    pub exact_payment: i64,
    /// The last payment, with any balloon.
    pub final_payment: Cents,
    /// How many payments.
    pub payment_count: u16,
    /// All payments.
    pub total_of_payments: Cents,
    /// What the credit costs.
    pub finance_charge: Cents,
    /// Regulation Z's annual percentage rate, to a millionth of a percent point.
    pub apr: Rate,
    /// The day the last payment is due.
    pub final_payment_date: NaiveDate,
}

impl RetailTerms {
    /// Every figure of the contract.
    pub fn figures(&self) -> Result<RetailFigures, FinanceError> {
        self.check()?;
        let periods = self.periods()?;
        let level = self.level(&periods)?;
        let (payment, exact) = (self.pay(&level, 1)?, self.pay(&level, MILLIONTHS)?);
        let count = self.payment_count();
        let mut total = Cents::ZERO;
        let mut final_payment = Cents::ZERO;
        let mut final_payment_date = self.first_payment_date;
        let mut early = false;
        self.walk(payment, &periods, |line| {
            total += line.payment;
            final_payment = line.payment;
            final_payment_date = line.date;
            early |= line.payment != payment && line.number < count;
        })?;
        let unit = self.unit_period()?;
        let disclosed = self.disclosed_offset()?;
        // Half-months have 15 or 16 days, so that each payment has a fraction of its own, Appendix J (b)(5)(iii).
        let uneven = self.schedule == PaymentSchedule::Semimonthly && disclosed == self.first_offset()?;
        let apr = if early || uneven {
            // Or a loan of a few cents, paid off before its term: the payments are not level.
            let flows: Vec<Flow> = self.schedule()?.iter().map(|line| Flow { date: line.date, amount: line.payment }).collect();
            apr::apr_in(unit, &[Flow { date: self.contract_date, amount: self.amount_financed }], &flows)?
        } else {
            let advance = [Stream { amount: self.amount_financed, count: 1, first: Offset::START }];
            let (streams, used) = level_streams(payment, final_payment, u32::from(count - 1), disclosed);
            apr::rate_of(unit, &advance, streams.get(..used).unwrap_or(&streams))?
        };
        Ok(RetailFigures {
            payment,
            exact_payment: exact.0,
            final_payment,
            payment_count: count,
            total_of_payments: total,
            finance_charge: total - self.amount_financed,
            apr,
            final_payment_date,
        })
    }
}

/// The streams of `level` equal payments and a last one, and how many streams there are.
fn level_streams(payment: Cents, last: Cents, level: u32, first: Offset) -> ([Stream; 3], usize) {
    let at = |skip: u32| Offset { full: first.full.saturating_add(skip), ..first };
    let nothing = Stream { amount: Cents::ZERO, count: 0, first: Offset::START };
    let (mut skip, mut rest) = (0, level);
    let mut tail = Stream { amount: last, count: 1, first: at(level) };
    if last == payment {
        rest += 1;
        tail = nothing;
    }
    let mut head = nothing;
    // A stream whose first payment is less than a unit-period away has no closed form.
    if first.full == 0 && rest > 0 {
        head = Stream { amount: payment, count: 1, first };
        (skip, rest) = (1, rest - 1);
    }
    let middle = Stream { amount: payment, count: rest, first: at(skip) };
    let mut streams = [nothing; 3];
    let mut used = 0;
    for stream in [head, middle, tail] {
        if stream.count > 0
            && stream.amount != Cents::ZERO
            && let Some(slot) = streams.get_mut(used)
        {
            *slot = stream;
            used += 1;
        }
    }
    (streams, used)
}
