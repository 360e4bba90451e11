//! The lease part of a quote: from the agreed value to the payment, and what is paid at signing.
//!
//! Tax at signing can be capitalized. Where it is taken on all payments it then raises the payments it is taken on; the
//! smallest amount that fits is found by going up from nothing, which ends because each step only ever adds cents.

use crate::finance::calendar::add_months;
use crate::finance::error::FinanceError;
use crate::finance::lease::{self, LeaseFigures, LeaseTerms, MoneyFactor};
use crate::finance::program::Program;
use crate::finance::tax::LeaseTaxMethod;
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use chrono::Datelike;

use super::result::{LeaseDetail, LinePlacement, SigningLine};
use super::{Buildup, Quote, QuoteInput, QuoteLineKind};

use LinePlacement::{AtSigning, Financed};

/// Most rounds the capitalized tax on all payments takes; a rate so high that it is not found is out of range.
const TAX_ROUNDS: usize = 200;

struct Leased {
    figures: LeaseFigures,
    residual_percent: Rate,
    money_factor: MoneyFactor,
    /// Tax on each payment.
    monthly_tax: Cents,
}

impl Leased {
    fn payment(&self, one_pay: bool) -> Cents {
        if one_pay { self.figures.total_of_base_payments + self.monthly_tax } else { self.figures.base_payment + self.monthly_tax }
    }
}

impl QuoteInput {
    fn lease_terms(&self, b: &Buildup) -> Result<(LeaseTerms, Rate), FinanceError> {
        let (w, program) = (&self.worksheet, self.program()?);
        let msrp = self.vehicle.msrp.ok_or(FinanceError::MsrpUnknown)?;
        let percent = program.residual_percent.ok_or(FinanceError::RateOutOfRange)?;
        let residual = if program.mileage_steps.is_empty() {
            lease::residual(msrp, percent, program.residual_step.unwrap_or_default(), w.annual_miles)?
        } else {
            lease::stepped_residual(msrp, percent, &program.mileage_steps, w.annual_miles)?
        };
        let cap_reduction = self.down_payment();
        let gross_cap_cost = b.financed + cap_reduction;
        let money_factor = self.money_factor(program, b.financed)?;
        Ok((LeaseTerms { gross_cap_cost, cap_reduction, residual, money_factor, term_months: w.term_months }, percent))
    }

    /// The row's factor with what this deal adds, less what deposits and paying at once take off.
    fn money_factor(&self, program: &Program, financed: Cents) -> Result<MoneyFactor, FinanceError> {
        let w = &self.worksheet;
        let refuse = |what| FinanceError::NotOffered { lender: program.lender_name.clone(), what };
        if w.deposits > program.max_deposits {
            return Err(refuse("so many security deposits"));
        }
        let mut off = program.deposit_factor.0.saturating_mul(i64::from(w.deposits));
        if w.one_pay {
            off = off.saturating_add(program.one_pay_factor.ok_or_else(|| refuse("a lease paid at once"))?.0);
        }
        let base = program.money_factor.ok_or(FinanceError::RateOutOfRange)?;
        Ok(base.adjusted(program.added_points(self, financed), MoneyFactor(off)))
    }

    /// Figures and tax. Taxes at signing join the build-up: they are paid then, or capitalized.
    fn leased(&self, b: &mut Buildup) -> Result<Leased, FinanceError> {
        let (w, rule) = (&self.worksheet, &self.tax_rule);
        let reduction_base = rule.lease_reduction_base(w.cash_down + w.deferred(), w.manufacturer_rebate, w.dealer_rebate, w.allowance());
        let placement = if w.capitalize_tax { Financed } else { AtSigning };
        let before = b.upfront_tax;
        let (mut terms, mut percent) = self.lease_terms(b)?;
        match rule.lease_method {
            LeaseTaxMethod::PerPayment if reduction_base > Cents::ZERO => {
                self.lease_tax(b, reduction_base, false, " on what is paid at signing", placement)?;
            }
            LeaseTaxMethod::UpfrontTotal => {
                let base = self.payments_taxed_at_signing(&terms, reduction_base)?;
                self.lease_tax(b, base, true, " on all payments", placement)?;
            }
            // On the price: already among the lines.
            LeaseTaxMethod::PerPayment | LeaseTaxMethod::OnPrice | LeaseTaxMethod::None => {}
        }
        if w.capitalize_tax {
            b.capitalized_tax += b.upfront_tax - before;
            (terms, percent) = self.lease_terms(b)?;
        }
        let figures = terms.figures()?;
        let taxed = if w.one_pay { figures.total_of_base_payments } else { figures.base_payment };
        let monthly_tax = if rule.lease_method == LeaseTaxMethod::PerPayment {
            let split = rule.split(taxed, false)?;
            split.state + split.local
        } else {
            Cents::ZERO
        };
        Ok(Leased { money_factor: terms.money_factor, figures, residual_percent: percent, monthly_tax })
    }

    /// What tax on all payments is taken on; with the tax itself capitalized, the payments it leads to.
    fn payments_taxed_at_signing(&self, terms: &LeaseTerms, reduction_base: Cents) -> Result<Cents, FinanceError> {
        let mut base = terms.figures()?.total_of_base_payments + reduction_base;
        if !self.worksheet.capitalize_tax {
            return Ok(base);
        }
        for _ in 0..TAX_ROUNDS {
            let split = self.tax_rule.split(base, true)?;
            let with_tax = LeaseTerms { gross_cap_cost: terms.gross_cap_cost + split.state + split.local, ..terms.clone() };
            let next = with_tax.figures()?.total_of_base_payments + reduction_base;
            if next == base {
                return Ok(base);
            }
            base = next;
        }
        Err(FinanceError::RateOutOfRange)
    }

    /// What is financed, the tax that is capitalized with it, and the payment.
    pub(super) fn lease_payment(&self, mut b: Buildup) -> Result<(Cents, Cents), FinanceError> {
        let payment = self.leased(&mut b)?.payment(self.worksheet.one_pay);
        Ok((b.financed, payment))
    }

    pub(super) fn lease(&self, mut b: Buildup) -> Result<Quote, FinanceError> {
        let w = &self.worksheet;
        let leased = self.leased(&mut b)?;
        let program = self.program()?;
        let (upfront_tax, capitalized_tax) = (b.upfront_tax, b.capitalized_tax);
        let story = program.rate_story(self, b.financed, leased.payment(w.one_pay));
        let mut quote = self.frame(b);
        let count: u16 = if w.one_pay { 1 } else { w.term_months };
        let payment = leased.payment(w.one_pay);
        let times = |amount: Cents| Cents(amount.0.saturating_mul(i64::from(count)));
        let deposit = lease::security_deposit(leased.figures.base_payment, program.deposit_step)?;
        let deposits = Cents(deposit.0.saturating_mul(i64::from(w.deposits)));
        quote.tax += times(leased.monthly_tax);
        quote.total_price += times(leased.monthly_tax);
        quote.payment_count = count;
        quote.first_payment_date = Some(self.contract_date);
        quote.final_payment_date = Some(add_months(self.contract_date, i32::from(count) - 1, self.contract_date.day())?);
        quote.payment = payment;
        quote.final_payment = payment;
        quote.finance_charge = leased.figures.rent_charge;
        quote.total_of_payments = times(payment);
        quote.due_at_signing += payment + deposits;
        // The deposits come back, so that they are no part of the price.
        quote.total_sale_price = quote.total_of_payments + quote.due_at_signing - payment - deposits;
        quote.sell_rate = Some(leased.money_factor.equivalent_rate());
        quote.buy_rate = quote.sell_rate;
        quote.reserve = program.flat_reserve;
        self.lease_trace(&mut quote, &leased);
        quote.rate_story = Some(story);
        let (due_at_signing, paid_by) = self.signing(&quote, &leased.figures, deposits);
        let due: Cents = due_at_signing.iter().map(|l| l.amount).sum();
        let Leased { figures, money_factor, monthly_tax, .. } = leased;
        quote.lease = Some(LeaseDetail {
            total_of_payments: due + quote.total_of_payments - payment + program.disposition_fee - deposits,
            purchase_option: figures.residual + program.purchase_option_fee,
            purchase_option_fee: program.purchase_option_fee,
            figures,
            money_factor,
            monthly_tax,
            upfront_tax,
            capitalized_tax,
            security_deposit: deposits,
            one_pay: w.one_pay,
            due_at_signing,
            paid_by,
            annual_miles: w.annual_miles,
            excess_mile: program.excess_mile,
            disposition_fee: program.disposition_fee,
            ends_on: add_months(self.contract_date, i32::from(w.term_months), self.contract_date.day())?,
        });
        Ok(quote)
    }

    fn lease_trace(&self, quote: &mut Quote, leased: &Leased) {
        let Leased { figures, money_factor, residual_percent, .. } = leased;
        let (residual, adjusted, n) = (figures.residual, figures.adjusted_cap_cost, self.worksheet.term_months);
        let msrp = self.vehicle.msrp.unwrap_or_default();
        quote.step(
            "residual",
            format!("{residual_percent} % of {msrp}, moved by {} miles a year = {residual}", self.worksheet.annual_miles),
        );
        quote.step("base payment", format!("({adjusted} - {residual}) / {n} + ({adjusted} + {residual}) x {money_factor}"));
    }

    /// What is due at signing, item by item, and how it is paid: Regulation M, 1013.4(b). Both have the same sum.
    fn signing(&self, quote: &Quote, figures: &LeaseFigures, deposits: Cents) -> (Vec<SigningLine>, Vec<SigningLine>) {
        let w = &self.worksheet;
        let line = |code: &'static str, label: &'static str, amount| SigningLine { code: code.into(), label: label.into(), amount };
        let first = if w.one_pay { "The single payment" } else { "First monthly payment" };
        let mut due = vec![
            line("CAP_REDUCTION", "Capitalized cost reduction", figures.cap_reduction),
            line("FIRST_PAYMENT", first, quote.payment),
            line("SECURITY_DEPOSIT", "Refundable security deposit", deposits),
        ];
        let at_signing =
            quote.lines.iter().filter(|l| l.placement == AtSigning && matches!(l.kind, QuoteLineKind::Fee | QuoteLineKind::Tax));
        due.extend(at_signing.map(|l| SigningLine { code: l.code.clone(), label: l.label.clone(), amount: l.amount }));
        due.retain(|l| l.amount != Cents::ZERO);
        let mut paid = vec![
            line("TRADE_IN", "Net trade-in allowance", self.net_trade().at_least_zero()),
            line("REBATES", "Rebates and noncash credits", w.manufacturer_rebate + w.dealer_rebate),
            line("DEFERRED", "Paid later", w.deferred()),
            line("CASH", "Amount to be paid in cash", quote.due_at_signing),
        ];
        paid.retain(|l| l.amount != Cents::ZERO);
        (due, paid)
    }
}
