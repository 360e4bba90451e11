//! What Regulation Z wants told before a contract is signed: the Truth-in-Lending box (12 CFR 1026.18).

use chrono::NaiveDate;

use crate::finance::error::FinanceError;
use crate::finance::retail::{Installment, PaymentSchedule};
use crate::finance::tax::ProductKind;
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::{Quote, QuoteInput, QuoteKind, QuoteLineKind};

/// A line of the itemization of the amount financed, 1026.18(c).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemizationLine {
    /// Stable code.
    pub code: &'static str,
    /// What the customer reads.
    pub label: String,
    /// How much; negative when it lowers the amount financed.
    pub amount: Cents,
}

/// Equal payments in a row, 1026.18(g).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentGroup {
    /// How many.
    pub count: u16,
    /// Each.
    pub amount: Cents,
    /// When the first of them is due.
    pub first_due: NaiveDate,
}

/// The box and everything around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthInLending {
    /// Who buys the contract from the seller.
    pub assignee: String,
    /// (e) The cost of the credit as a yearly rate, to the hundredth of a point.
    pub apr: Rate,
    /// (d) What the credit costs.
    pub finance_charge: Cents,
    /// (b) The credit itself.
    pub amount_financed: Cents,
    /// (h) All payments.
    pub total_of_payments: Cents,
    /// (j) All payments and the down payment.
    pub total_sale_price: Cents,
    /// The down payment within it.
    pub down_payment: Cents,
    /// (c) What the amount financed is made of; sums to it.
    pub itemization: Vec<ItemizationLine>,
    /// (g) The payments.
    pub payments: Vec<PaymentGroup>,
    /// How often they are due.
    pub schedule: PaymentSchedule,
    /// (f) Whether the rate can change. Contracts here have one rate.
    pub variable_rate: bool,
    /// (i) Whether the creditor can ask for everything at any time.
    pub demand_feature: bool,
    /// (k) What paying early costs or brings.
    pub prepayment: String,
    /// (l) What paying late costs; none when the lender has not said.
    pub late_charge: Option<String>,
    /// (m) What secures the credit.
    pub security_interest: String,
    /// (n) Products that cancel debt, which must be voluntary and signed for to stay out of the finance charge (1026.4(d)).
    pub debt_cancellation: Vec<(String, Cents)>,
    /// (o) Fees to public officials for the security.
    pub filing_fees: Cents,
    /// (p) Where the rest is said.
    pub contract_reference: &'static str,
    /// (r) Whether a deposit is required.
    pub required_deposit: bool,
    /// A slightly odd first period was left out of the rate (1026.17(c)(4)).
    pub odd_first_period_disregarded: bool,
    /// How far the rate may lie from the exact one: 1/8 point, 1/4 for an irregular contract (1026.22(a)).
    pub apr_tolerance: Rate,
}

impl QuoteInput {
    /// The disclosures of a retail quote; none for cash and leases.
    pub fn truth_in_lending(&self, quote: &Quote) -> Result<Option<TruthInLending>, FinanceError> {
        let (QuoteKind::Retail, Some(apr)) = (quote.kind, quote.apr) else { return Ok(None) };
        let (program, terms) = (self.program()?, self.retail_terms()?);
        let payments = groups(&terms.schedule()?);
        // Level payments with an odd last one are regular.
        let irregular = payments.len() > 3;
        let w = &self.worksheet;
        let late_charge = program.late.map(|late| {
            let most = late.at_most.map_or_else(String::new, |most| format!(", at most {most}"));
            format!("A payment more than {} days late costs {} % of it{most}.", late.after_days, late.percent)
        });
        Ok(Some(TruthInLending {
            assignee: program.lender_name.clone(),
            apr: apr.round(2),
            finance_charge: quote.finance_charge,
            amount_financed: quote.amount_financed,
            total_of_payments: quote.total_of_payments,
            total_sale_price: quote.total_sale_price,
            down_payment: quote.down_payment,
            itemization: itemization(quote),
            payments,
            schedule: quote.schedule,
            variable_rate: false,
            demand_feature: false,
            prepayment: "If you pay off early, you will not have to pay a penalty. A prepaid finance charge is not refunded.".to_owned(),
            late_charge,
            security_interest: "You are giving a security interest in the vehicle being purchased.".to_owned(),
            debt_cancellation: w.products.iter().filter(|p| p.kind == ProductKind::Gap).map(|p| (p.name.clone(), p.price)).collect(),
            filing_fees: self.fees.iter().filter(|f| f.applies(quote.kind) && f.code == "LIEN").map(|f| f.charged(w.price)).sum(),
            contract_reference: "See your contract for nonpayment, default, the right to accelerate, and prepayment.",
            required_deposit: false,
            odd_first_period_disregarded: w.disregard_odd_first_period && terms.odd_first_period_is_minor()?,
            apr_tolerance: Rate(if irregular { 250_000 } else { 125_000 }),
        }))
    }
}

/// Equal payments in a row.
fn groups(lines: &[Installment]) -> Vec<PaymentGroup> {
    let mut groups: Vec<PaymentGroup> = Vec::with_capacity(2);
    for line in lines {
        match groups.last_mut() {
            Some(last) if last.amount == line.payment => last.count += 1,
            _ => groups.push(PaymentGroup { count: 1, amount: line.payment, first_due: line.date }),
        }
    }
    groups
}

/// Cash price less the down payment, what is paid to others, and what is still owed on trade-ins: the amount financed.
fn itemization(quote: &Quote) -> Vec<ItemizationLine> {
    let sum = |of: &dyn Fn(&super::QuoteLine) -> bool| -> Cents { quote.lines.iter().filter(|l| of(l)).map(|l| l.amount).sum() };
    let line = |code, label: &str, amount| ItemizationLine { code, label: label.to_owned(), amount };
    let is_doc = |l: &super::QuoteLine| matches!(l.code.as_ref(), "FEE_DOC" | "FEE_DOC_WAIVED");
    let cash_price = sum(&|l| matches!(l.kind, QuoteLineKind::Price | QuoteLineKind::Tax) || (l.kind == QuoteLineKind::Fee && is_doc(l)));
    let mut lines = vec![
        line("CASH_PRICE", "Cash price with taxes and document fee", cash_price),
        line("DOWN_PAYMENT", "Down payment: cash, rebates, trade-in", -quote.down_payment),
        line("PRIOR_BALANCE", "Paid on what is still owed on the trade-in", quote.prior_balance),
    ];
    let paid_to_others = |l: &&super::QuoteLine| l.kind == QuoteLineKind::Product || (l.kind == QuoteLineKind::Fee && !is_doc(l));
    for other in quote.lines.iter().filter(paid_to_others) {
        lines.push(ItemizationLine { code: "PAID_TO_OTHERS", label: format!("Paid to others: {}", other.label), amount: other.amount });
    }
    lines.retain(|l| l.amount != Cents::ZERO);
    lines
}
