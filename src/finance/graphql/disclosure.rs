//! What the law wants told before signing: the Truth-in-Lending box and the parts of a lease beyond its progression; and why
//! this rate.

use async_graphql::SimpleObject;

use crate::finance::program::{JointScore, RateLever};
use crate::finance::quote::{RateStory, SigningLine, TruthInLending};
use crate::finance::retail::PaymentSchedule;
use crate::graphql::{Date, MoneyObject, Percentage};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::rate::Rate;

/// A line of an itemization. The lines sum to what they itemize.
#[derive(Debug, Clone, SimpleObject)]
pub struct DisclosureLine {
    /// Stable code.
    pub code: String,
    /// What the customer reads.
    pub label: String,
    /// How much; negative when it lowers the sum.
    pub amount: MoneyObject,
}

/// Equal payments in a row.
#[derive(Debug, Clone, SimpleObject)]
pub struct PaymentGroupNode {
    /// How many.
    pub count: i32,
    /// Each.
    pub amount: MoneyObject,
    /// When the first of them is due.
    pub first_due_on: Date,
}

/// The disclosures of a retail instalment contract: 12 CFR 1026.18.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "TruthInLending")]
pub struct TruthInLendingNode {
    /// Who takes the contract over from the selling store, which is the creditor.
    pub assignee: String,
    /// The cost of the credit as a yearly rate.
    pub annual_percentage_rate: Percentage,
    /// What the credit will cost.
    pub finance_charge: MoneyObject,
    /// The credit provided.
    pub amount_financed: MoneyObject,
    /// All payments as scheduled.
    pub total_of_payments: MoneyObject,
    /// All payments and the down payment.
    pub total_sale_price: MoneyObject,
    /// The down payment within it.
    pub down_payment: MoneyObject,
    /// What the amount financed is made of.
    pub itemization: Vec<DisclosureLine>,
    /// The payments, in order.
    pub payments: Vec<PaymentGroupNode>,
    /// How often they are due.
    pub schedule: PaymentSchedule,
    /// Whether the rate can change.
    pub variable_rate: bool,
    /// Whether the creditor can ask for everything at any time.
    pub demand_feature: bool,
    /// What paying early costs or brings.
    pub prepayment: String,
    /// What paying late costs. Null when the lender has not said; the contract does.
    pub late_charge: Option<String>,
    /// What secures the credit.
    pub security_interest: String,
    /// Products that cancel debt: voluntary, and signed for.
    pub debt_cancellation: Vec<DisclosureLine>,
    /// Fees to public officials for the security.
    pub filing_fees: MoneyObject,
    /// Where the rest is said.
    pub contract_reference: String,
    /// Whether a deposit is required.
    pub required_deposit: bool,
    /// A slightly odd first period was left out of the rate (1026.17(c)(4)).
    pub odd_first_period_disregarded: bool,
    /// How far the rate may lie from the exact one, in points (1026.22(a)).
    pub tolerance: Percentage,
}

fn percentage(rate: Rate) -> Percentage {
    Percentage(rate.to_percent())
}

impl TruthInLendingNode {
    pub(super) fn new(told: TruthInLending, currency: Currency) -> Self {
        let money = |cents: Cents| MoneyObject::new(cents, currency);
        let line = |code: &str, label: String, amount| DisclosureLine { code: code.to_owned(), label, amount: money(amount) };
        let group = |g: crate::finance::quote::PaymentGroup| PaymentGroupNode {
            count: i32::from(g.count),
            amount: money(g.amount),
            first_due_on: Date(g.first_due),
        };
        Self {
            assignee: told.assignee,
            annual_percentage_rate: percentage(told.apr),
            finance_charge: money(told.finance_charge),
            amount_financed: money(told.amount_financed),
            total_of_payments: money(told.total_of_payments),
            total_sale_price: money(told.total_sale_price),
            down_payment: money(told.down_payment),
            itemization: told.itemization.into_iter().map(|l| line(l.code, l.label, l.amount)).collect(),
            payments: told.payments.into_iter().map(group).collect(),
            schedule: told.schedule,
            variable_rate: told.variable_rate,
            demand_feature: told.demand_feature,
            prepayment: told.prepayment,
            late_charge: told.late_charge,
            security_interest: told.security_interest,
            debt_cancellation: told.debt_cancellation.into_iter().map(|(name, price)| line("DEBT_CANCELLATION", name, price)).collect(),
            filing_fees: money(told.filing_fees),
            contract_reference: told.contract_reference.to_owned(),
            required_deposit: told.required_deposit,
            odd_first_period_disregarded: told.odd_first_period_disregarded,
            tolerance: percentage(told.apr_tolerance),
        }
    }
}

pub(super) fn signing_lines(lines: &[SigningLine], currency: Currency) -> Vec<DisclosureLine> {
    let line = |l: &SigningLine| DisclosureLine {
        code: l.code.clone().into_owned(),
        label: l.label.clone().into_owned(),
        amount: MoneyObject::new(l.amount, currency),
    };
    lines.iter().map(line).collect()
}

/// Something that moves the rate.
#[derive(Debug, Clone, SimpleObject)]
pub struct RateAdderNode {
    /// In words.
    pub label: String,
    /// Points it adds; negative: takes off.
    pub points: Percentage,
}

/// A change that lowers the rate.
#[derive(Debug, Clone, SimpleObject)]
pub struct RateLeverNode {
    /// What to change, in words a salesperson can read aloud.
    pub change: String,
    /// As money, when it is money: so much more down.
    pub more_down: Option<MoneyObject>,
    /// By how many points the rate falls.
    pub points: Percentage,
}

/// Why this rate: the tier, the ratios a lender looks at, what moved it, and what would lower it.
#[derive(Debug, Clone, SimpleObject)]
pub struct WhyThisRate {
    /// The tier it is priced for.
    pub credit_tier: String,
    /// What this deal adds to the tier's rate or takes off it.
    pub adders: Vec<RateAdderNode>,
    /// The collateral's value by the lender's basis. Null when it is not known.
    pub collateral: Option<MoneyObject>,
    /// Amount financed without products, of the collateral's value.
    pub front_loan_to_value: Option<Percentage>,
    /// Amount financed of the collateral's value.
    pub loan_to_value: Option<Percentage>,
    /// Payment of the gross income. Null when the income is not known.
    pub payment_to_income: Option<Percentage>,
    /// Debts with the payment of the gross income. Null when the income is not known.
    pub debt_to_income: Option<Percentage>,
    /// A co-signer's income and debts are in these two ratios.
    pub co_signer_income_counted: bool,
    /// The credit score the lender goes by. Null when none is known: the tier's name decides then.
    pub credit_score: Option<i32>,
    /// How that score came from the buyer's and the co-signer's. Null when only one is known.
    pub joint_score: Option<JointScore>,
    /// Accounts (trade lines) on the buyer's credit report. Null when not known: nothing is added for a thin file then.
    pub credit_trade_lines: Option<i32>,
    /// What would lower the rate, the largest first.
    pub what_would_lower_it: Vec<RateLeverNode>,
    /// The row's own rate. Managers only.
    pub base_rate: Option<Percentage>,
    /// What the dealer adds. Managers only.
    pub markup: Option<Percentage>,
}

impl WhyThisRate {
    pub(super) fn new(story: &RateStory, levers: Vec<RateLever>, manager: bool, currency: Currency) -> Self {
        let shown = |rate: Option<Rate>| rate.map(|r| percentage(r.round(2)));
        Self {
            credit_tier: story.tier.clone(),
            adders: story
                .adders
                .iter()
                .map(|(label, points)| RateAdderNode { label: label.clone(), points: percentage(*points) })
                .collect(),
            collateral: story.collateral.map(|c| MoneyObject::new(c, currency)),
            front_loan_to_value: shown(story.front_ltv),
            loan_to_value: shown(story.total_ltv),
            payment_to_income: shown(story.payment_to_income),
            debt_to_income: shown(story.debt_to_income),
            co_signer_income_counted: story.joint_income,
            credit_score: story.score.map(i32::from),
            joint_score: story.joint_score,
            credit_trade_lines: story.trade_lines.map(i32::from),
            what_would_lower_it: levers
                .into_iter()
                .map(|lever| RateLeverNode {
                    change: lever.change,
                    more_down: lever.more_down.map(|c| MoneyObject::new(c, currency)),
                    points: percentage(lever.points),
                })
                .collect(),
            base_rate: story.base_rate.filter(|_| manager).map(percentage),
            markup: manager.then(|| percentage(story.markup)),
        }
    }
}
