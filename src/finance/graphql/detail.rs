//! A stored finance quote in full: lines, schedule, lease progression, rules, trace.

use async_graphql::{ID, Object, SimpleObject};

use super::disclosure::{DisclosureLine, TruthInLendingNode, WhyThisRate, signing_lines};
use crate::finance::program::Stipulation;
use crate::finance::quote::{LeaseDetail, LinePlacement, Quote, QuoteInput, QuoteKind, QuoteLineKind};
use crate::finance::retail::PaymentSchedule;
use crate::graphql::{Date, DecimalText, GqlError, GqlResult, MoneyObject, Percentage};
use crate::kernel::id::RuleVersionId;
use crate::kernel::money::Cents;

/// A stored quote, read back.
#[derive(Debug, Clone)]
pub struct QuoteDetailNode {
    input: QuoteInput,
    quote: Quote,
    manager: bool,
}

impl QuoteDetailNode {
    /// From what is stored. `manager` decides whether the lender's rate, the reserve and the trace are shown.
    pub fn read(inputs: serde_json::Value, result: serde_json::Value, manager: bool) -> GqlResult<Self> {
        let input = serde_json::from_value(inputs).map_err(GqlError::internal)?;
        let quote = serde_json::from_value(result).map_err(GqlError::internal)?;
        Ok(Self::new(input, quote, manager))
    }

    /// Of a quote that is not stored.
    pub fn new(input: QuoteInput, quote: Quote, manager: bool) -> Self {
        Self { input, quote, manager }
    }

    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.quote.currency)
    }
}

/// One line of a quote.
#[derive(Debug, Clone, SimpleObject)]
pub struct QuoteLine {
    /// What kind of line.
    pub kind: QuoteLineKind,
    /// Stable code, such as `TAX_STATE` or `FEE_DOC`.
    pub code: String,
    /// What the customer reads.
    pub label: String,
    /// Negative when it lowers what is to be paid.
    pub amount: MoneyObject,
    /// When it is paid.
    pub placement: LinePlacement,
    /// False while no person has checked the tax or fee behind it against the law.
    pub verified: bool,
    /// Where an unverified figure comes from. Null when it was verified, or when no rule is behind it.
    pub unverified_source: Option<String>,
}

/// One payment of the schedule.
#[derive(Debug, Clone, SimpleObject)]
pub struct QuoteInstallment {
    /// 1 for the first.
    pub number: i32,
    /// When it is due.
    pub due_on: Date,
    /// What is paid.
    pub payment: MoneyObject,
    /// The part that is interest.
    pub interest: MoneyObject,
    /// The part that lowers the balance.
    pub principal: MoneyObject,
    /// What is still owed afterwards.
    pub balance: MoneyObject,
}

/// The figures of a lease in the order of Regulation M (12 CFR 1013.4).
#[derive(Debug, Clone, SimpleObject)]
pub struct LeaseProgression {
    /// Gross capitalized cost.
    pub gross_capitalized_cost: MoneyObject,
    /// Capitalized cost reduction.
    pub capitalized_cost_reduction: MoneyObject,
    /// Adjusted capitalized cost.
    pub adjusted_capitalized_cost: MoneyObject,
    /// Residual value.
    pub residual_value: MoneyObject,
    /// Depreciation and any amortized amounts, over the term.
    pub depreciation: MoneyObject,
    /// Rent charge, over the term.
    pub rent_charge: MoneyObject,
    /// All base payments.
    pub total_of_base_payments: MoneyObject,
    /// Base monthly payment, before tax.
    pub base_payment: MoneyObject,
    /// Tax on each payment.
    pub monthly_tax: MoneyObject,
    /// Tax taken at signing.
    pub upfront_tax: MoneyObject,
    /// The money factor.
    pub money_factor: DecimalText,
    /// Miles a year that are free.
    pub annual_miles: i32,
    /// Charge per mile beyond.
    pub excess_mile: Option<MoneyObject>,
    /// Charge when the car is given back.
    pub disposition_fee: MoneyObject,
    /// Refundable security deposits together.
    pub security_deposit: MoneyObject,
    /// All payments are made at signing.
    pub one_pay: bool,
    /// Tax that is capitalized instead of paid at signing.
    pub capitalized_tax: MoneyObject,
    /// What is due at signing, item by item (1013.4(b)).
    pub due_at_signing: Vec<DisclosureLine>,
    /// How it is paid. Both lists have the same sum.
    pub paid_by: Vec<DisclosureLine>,
    /// All that will have been paid by the end, less what comes back (1013.4(e)).
    pub total_of_payments: MoneyObject,
    /// What the car can be bought for at the end, with the lessor's fee.
    pub purchase_option: MoneyObject,
    /// The last day.
    pub ends_on: Date,
    /// What the customer may do at the end, and what ending early or wearing the car means, in words (1013.4(g), (h), (i)).
    pub end_of_term: Vec<String>,
}

/// A rule row a quote was calculated with.
#[derive(Debug, Clone, SimpleObject)]
pub struct QuoteRule {
    /// This version of the rule, `rul_…`: for `quotesAffectedBy`.
    pub version: ID,
    /// In words.
    pub label: String,
    /// False until a person checked it.
    pub verified: bool,
}

/// A step of the calculation.
#[derive(Debug, Clone, SimpleObject)]
pub struct QuoteTraceStep {
    /// What was calculated.
    pub step: String,
    /// How, with the figures.
    pub value: String,
}

/// Everything behind a finance quote, as stored with it.
#[Object(name = "FinanceQuoteDetail")]
impl QuoteDetailNode {
    /// Every line. Those with placement `FINANCED` sum to the amount financed (lease: adjusted capitalized cost).
    async fn lines(&self) -> Vec<QuoteLine> {
        let node = |line: &crate::finance::QuoteLine| QuoteLine {
            kind: line.kind,
            code: line.code.clone().into_owned(),
            label: line.label.clone().into_owned(),
            amount: self.money(line.amount),
            placement: line.placement,
            verified: line.unverified_source.is_none(),
            unverified_source: line.unverified_source.clone(),
        };
        self.quote.lines.iter().map(node).collect()
    }
    /// Cash, rebates and trade-in equity; never negative.
    async fn down_payment(&self) -> MoneyObject {
        self.money(self.quote.down_payment)
    }
    /// What is owed on trade-ins beyond their worth, carried into this deal.
    async fn prior_balance(&self) -> MoneyObject {
        self.money(self.quote.prior_balance)
    }
    /// A charge for the credit beside the interest.
    async fn prepaid_finance_charge(&self) -> MoneyObject {
        self.money(self.quote.prepaid_finance_charge)
    }
    /// The day the first payment is due.
    async fn first_payment_on(&self) -> Option<Date> {
        self.quote.first_payment_date.map(Date)
    }
    /// The last payment; it takes the cents rounding left over.
    async fn final_payment(&self) -> MoneyObject {
        self.money(self.quote.final_payment)
    }
    /// Total of payments and down payment; lease: all payments and what else is paid at signing.
    async fn total_sale_price(&self) -> MoneyObject {
        self.money(self.quote.total_sale_price)
    }
    /// Every payment with interest, principal and balance. Empty for a lease.
    async fn schedule(&self) -> GqlResult<Vec<QuoteInstallment>> {
        if self.quote.kind != QuoteKind::Retail {
            return Ok(Vec::new());
        }
        let lines = self.input.retail_terms().and_then(|terms| terms.schedule()).map_err(GqlError::internal)?;
        let node = |line: crate::finance::retail::Installment| QuoteInstallment {
            number: i32::from(line.number),
            due_on: Date(line.date),
            payment: self.money(line.payment),
            interest: self.money(line.interest),
            principal: self.money(line.principal),
            balance: self.money(line.balance),
        };
        Ok(lines.into_iter().map(node).collect())
    }
    /// The figures of a lease. Null for a retail contract.
    async fn lease(&self) -> Option<LeaseProgression> {
        let lease = self.quote.lease.as_ref()?;
        let LeaseDetail { figures, money_factor, monthly_tax, upfront_tax, annual_miles, excess_mile, disposition_fee, .. } = lease;
        Some(LeaseProgression {
            gross_capitalized_cost: self.money(figures.gross_cap_cost),
            capitalized_cost_reduction: self.money(figures.cap_reduction),
            adjusted_capitalized_cost: self.money(figures.adjusted_cap_cost),
            residual_value: self.money(figures.residual),
            depreciation: self.money(figures.depreciation),
            rent_charge: self.money(figures.rent_charge),
            total_of_base_payments: self.money(figures.total_of_base_payments),
            base_payment: self.money(figures.base_payment),
            monthly_tax: self.money(*monthly_tax),
            upfront_tax: self.money(*upfront_tax),
            money_factor: DecimalText(money_factor.to_decimal()),
            annual_miles: i32::try_from(*annual_miles).unwrap_or(i32::MAX),
            excess_mile: excess_mile.map(|c| self.money(c)),
            disposition_fee: self.money(*disposition_fee),
            security_deposit: self.money(lease.security_deposit),
            one_pay: lease.one_pay,
            capitalized_tax: self.money(lease.capitalized_tax),
            due_at_signing: signing_lines(&lease.due_at_signing, self.quote.currency),
            paid_by: signing_lines(&lease.paid_by, self.quote.currency),
            total_of_payments: self.money(lease.total_of_payments),
            purchase_option: self.money(lease.purchase_option),
            ends_on: Date(lease.ends_on),
            end_of_term: lease.end_of_term(),
        })
    }
    /// What Regulation Z wants told before a contract is signed. Null for a lease and for cash.
    async fn truth_in_lending(&self) -> GqlResult<Option<TruthInLendingNode>> {
        let told = self.input.truth_in_lending(&self.quote).map_err(GqlError::internal)?;
        Ok(told.map(|told| TruthInLendingNode::new(told, self.quote.currency)))
    }
    /// Why this rate, and what would lower it. Null for cash.
    async fn why_this_rate(&self) -> Option<WhyThisRate> {
        let (story, program) = self.quote.rate_story.as_ref().zip(self.input.program.as_ref())?;
        let levers = program.levers(&self.input, self.quote.amount_financed);
        Some(WhyThisRate::new(story, levers, self.manager, self.quote.currency))
    }
    /// What the lender wants of the customer before it pays for the contract; empty for cash and when it asks for nothing.
    async fn stipulations(&self) -> &[Stipulation] {
        self.input.program.as_deref().map_or(&[], |program| &program.stipulations)
    }
    /// How often is paid.
    async fn payment_schedule(&self) -> PaymentSchedule {
        self.quote.schedule
    }
    /// How many payments; 0 for cash.
    async fn payment_count(&self) -> i32 {
        i32::from(self.quote.payment_count)
    }
    /// The day the last payment is due. Null for cash.
    async fn final_payment_on(&self) -> Option<Date> {
        self.quote.final_payment_date.map(Date)
    }
    /// What of the last payment is a balloon.
    async fn balloon(&self) -> MoneyObject {
        self.money(self.quote.balloon)
    }
    /// What of the down payment is paid after signing.
    async fn deferred_down_payment(&self) -> MoneyObject {
        self.money(self.quote.deferred_down)
    }
    /// What the store allows for trade-ins beyond their worth to it. Managers only; null when a worth is not known.
    async fn over_allowance(&self) -> Option<MoneyObject> {
        self.quote.over_allowance.filter(|_| self.manager).map(|c| self.money(c))
    }
    /// The rules it was calculated with.
    async fn rules(&self) -> Vec<QuoteRule> {
        self.quote
            .rules
            .iter()
            .map(|r| QuoteRule { version: RuleVersionId(r.id).into(), label: r.label.clone(), verified: r.verified })
            .collect()
    }
    /// The lender's rate. Managers only.
    async fn buy_rate(&self) -> Option<Percentage> {
        self.quote.buy_rate.filter(|_| self.manager).map(|r| Percentage(r.to_percent()))
    }
    /// What the lender pays the dealer for the contract. Managers only.
    async fn reserve(&self) -> Option<MoneyObject> {
        self.manager.then(|| self.money(self.quote.reserve))
    }
    /// How the figures came about. Managers only.
    async fn trace(&self) -> Option<Vec<QuoteTraceStep>> {
        self.manager.then(|| {
            self.quote.trace.iter().map(|t| QuoteTraceStep { step: t.step.clone().into_owned(), value: t.value.clone() }).collect()
        })
    }
}
