//! The retail part of a quote: the contract behind it and its figures.

use crate::finance::error::FinanceError;
use crate::finance::retail::{self, Calendar, RetailTerms};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::{Buildup, Quote, QuoteInput};

impl QuoteInput {
    /// The contract behind a retail quote: for its schedule.
    pub fn retail_terms(&self) -> Result<RetailTerms, FinanceError> {
        self.contract(self.quiet_buildup()?.financed)
    }

    /// The contract for an amount financed.
    pub(in crate::finance) fn contract(&self, amount_financed: Cents) -> Result<RetailTerms, FinanceError> {
        let (w, program) = (&self.worksheet, self.program()?);
        let buy = program.buy_rate_for(self, amount_financed).ok_or(FinanceError::RateOutOfRange)?;
        let first_payment_date = retail::first_payment_date(self.contract_date, w.first_payment_days, w.schedule, w.term_months)?;
        Ok(RetailTerms {
            amount_financed,
            prepaid_finance_charge: program.acquisition_fee,
            rate: buy.plus(w.markup),
            term_months: w.term_months,
            schedule: w.schedule,
            balloon: self.balloon()?,
            contract_date: self.contract_date,
            first_payment_date,
            accrual: program.accrual,
            disregard_odd_first_period: w.disregard_odd_first_period,
        })
    }

    fn balloon(&self) -> Result<Cents, FinanceError> {
        let Some(percent) = self.program()?.balloon_percent else { return Ok(Cents::ZERO) };
        percent.of(self.vehicle.msrp.ok_or(FinanceError::MsrpUnknown)?).ok_or(FinanceError::Overflow)
    }

    pub(in crate::finance) fn retail_payment(&self, amount_financed: Cents, calendar: &mut Calendar) -> Result<Cents, FinanceError> {
        self.worksheet.check_deferred(self.contract_date)?;
        self.contract(amount_financed)?.payment_by(calendar)
    }

    pub(super) fn retail(&self, b: Buildup) -> Result<Quote, FinanceError> {
        let mut quote = self.frame(b);
        if quote.amount_financed <= Cents::ZERO {
            return Err(FinanceError::NothingToFinance { surplus: -quote.amount_financed });
        }
        self.worksheet.check_deferred(self.contract_date)?;
        let terms = self.contract(quote.amount_financed)?;
        let figures = terms.figures()?;
        // A rate that could be told but not stored and read back; only small sums with large charges have one.
        if figures.apr > Rate::LIMIT {
            return Err(FinanceError::RateOutOfRange);
        }
        let program = self.program()?;
        let story = program.rate_story(self, quote.amount_financed, figures.payment);
        let buy = terms.rate.minus(self.worksheet.markup);
        quote.payment_count = figures.payment_count;
        quote.first_payment_date = Some(terms.first_payment_date);
        quote.final_payment_date = Some(figures.final_payment_date);
        quote.prepaid_finance_charge = terms.prepaid_finance_charge;
        quote.payment = figures.payment;
        quote.final_payment = figures.final_payment;
        quote.balloon = terms.balloon;
        quote.finance_charge = figures.finance_charge;
        quote.total_of_payments = figures.total_of_payments;
        quote.total_sale_price = figures.total_of_payments + quote.down_payment;
        quote.apr = Some(figures.apr);
        quote.sell_rate = Some(terms.rate);
        quote.buy_rate = Some(buy);
        quote.reserve = program.reserve(&terms, buy, figures.payment)?;
        quote.step("payment before rounding, in millionths of a cent", figures.exact_payment.to_string());
        let adders: String = story.adders.iter().map(|(label, points)| format!(" {points:+} ({label})")).collect();
        let base = story.base_rate.unwrap_or_default();
        quote.step("rate", format!("{} = {base}{adders} + {} markup, {}", terms.rate, self.worksheet.markup, terms.accrual));
        quote.rate_story = Some(story);
        Ok(quote)
    }
}
