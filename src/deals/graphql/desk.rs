//! The desk as clients see it: payment grid, ways to pay side by side, solving backwards. Nothing here changes a deal.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::node::DealNode;
use super::plan::PaymentPlanInput;
use crate::deals::model::{Deal, DealKind};
use crate::deals::pricing::{Unpriced, WhatIf};
use crate::deals::service::Deals;
use crate::finance::graphql::{ProgramNode, QuoteDetailNode, program};
use crate::finance::{Comparison, GRID_MAX, GridCell, GridOffer, PricedQuote, ProgramQuote, QuoteKind, Reached, Solution, SolveFor};
use crate::graphql::context::{actor, service};
use crate::graphql::{DecimalText, GqlError, GqlResult, MoneyObject, Percentage, input};
use crate::kernel::id::{ProgramId, StoreId};
use crate::kernel::money::{Cents, Currency};

/// What to reckon with in place of the deal's own structure. Nothing of it is stored.
#[derive(Debug, Default, InputObject)]
pub(super) struct DealWhatIfInput {
    /// Cash, retail or lease.
    kind: Option<DealKind>,
    /// Months; 1 to 120.
    term_months: Option<i32>,
    /// Miles a year, for a lease's residual; 1,000 to 100,000.
    annual_miles: Option<i32>,
    /// Days from signing to the first payment; 0 to 90. 30 is one period of the schedule.
    first_payment_days: Option<i32>,
    /// How it is paid beside that.
    #[graphql(flatten)]
    plan: PaymentPlanInput,
}

impl DealWhatIfInput {
    pub(super) fn read(self) -> GqlResult<WhatIf> {
        let miles = |n: i32| u32::try_from(n).ok().filter(|n| (1_000..=100_000).contains(n));
        let days = |n: i32| u16::try_from(n).ok().filter(|n| *n <= 90);
        let bad = |what: &str| GqlError::bad_input(format!("whatIf.{what}"));
        Ok(WhatIf {
            kind: self.kind,
            term_months: self.term_months.map(|n| months("whatIf.termMonths", n)).transpose()?,
            annual_miles: self.annual_miles.map(|n| miles(n).ok_or_else(|| bad("annualMiles: 1000 to 100000"))).transpose()?,
            first_payment_days: self.first_payment_days.map(|n| days(n).ok_or_else(|| bad("firstPaymentDays: 0 to 90"))).transpose()?,
            plan: self.plan.read("whatIf")?,
        })
    }
}

fn months(name: &str, number: i32) -> GqlResult<u16> {
    u16::try_from(number).ok().filter(|n| (1..=120).contains(n)).ok_or_else(|| GqlError::bad_input(format!("{name}: 1 to 120 months")))
}

/// An amount of money seen at a store by somebody.
#[derive(Debug, Clone, Copy)]
struct Eye {
    store: StoreId,
    currency: Currency,
    manager: bool,
}

impl Eye {
    fn of(ctx: &Context<'_>, deal: &Deal) -> GqlResult<Self> {
        let store = deal.store_id;
        Ok(Self { store, currency: deal.terms.currency, manager: actor(ctx)?.manages(store) })
    }

    fn money(self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.currency)
    }
}

/// What one program asks in a cell of a payment grid.
#[derive(Debug)]
pub(super) struct GridOfferNode(GridOffer, Eye);

/// What one program asks in a cell of a payment grid.
#[Object(name = "PaymentGridOffer")]
impl GridOfferNode {
    /// The program, `prg_…`.
    async fn program_id(&self) -> ID {
        self.0.program.id.into()
    }
    /// The program with its lender.
    async fn program(&self, ctx: &Context<'_>) -> GqlResult<Option<ProgramNode>> {
        program(ctx, ProgramId(self.0.program.id.0), self.1.store)
    }
    /// Each payment, with tax.
    async fn payment(&self) -> MoneyObject {
        self.1.money(self.0.payment)
    }
    /// The amount financed; for a lease the adjusted capitalized cost.
    async fn amount_financed(&self) -> MoneyObject {
        self.1.money(self.0.amount_financed)
    }
    /// The annual percentage rate. Null for a lease.
    async fn apr(&self) -> Option<Percentage> {
        self.0.apr.map(|r| Percentage(r.round(4).to_percent()))
    }
}

/// A term and a down payment, and what every program asks for them.
#[derive(Debug)]
pub(super) struct GridCellNode(GridCell, Eye);

/// A term and a down payment, and what every program asks for them.
#[Object(name = "PaymentGridCell")]
impl GridCellNode {
    /// Months.
    async fn term_months(&self) -> i32 {
        i32::from(self.0.term_months)
    }
    /// Cash at signing.
    async fn down_payment(&self) -> MoneyObject {
        self.1.money(self.0.cash_down)
    }
    /// The lowest payment. Null when no program takes this cell.
    async fn best(&self) -> Option<GridOfferNode> {
        self.0.best().map(|offer| GridOfferNode(offer.clone(), self.1))
    }
    /// Every program that takes this cell, the lowest payment first.
    #[graphql(complexity = "5 * child_complexity")]
    async fn offers(&self) -> Vec<GridOfferNode> {
        self.0.offers.iter().map(|offer| GridOfferNode(offer.clone(), self.1)).collect()
    }
}

/// Payments for terms and down payments: the cells by down payment, then by term, in the order asked.
#[derive(Debug, SimpleObject)]
#[graphql(name = "PaymentGrid")]
pub(super) struct GridNode {
    /// The terms, in months.
    term_months: Vec<i32>,
    /// The down payments.
    down_payments: Vec<MoneyObject>,
    /// A cell for each of both.
    cells: Vec<GridCellNode>,
}

/// A full quote that is not stored: the figures and everything behind them.
#[derive(Debug)]
pub(super) struct OfferNode {
    priced: PricedQuote,
    program: Option<ProgramId>,
    eye: Eye,
}

impl OfferNode {
    fn of(quote: &ProgramQuote, eye: Eye) -> Option<Self> {
        quote.quoted().map(|priced| Self { priced: priced.clone(), program: Some(quote.program.id), eye })
    }

    fn money(&self, cents: Cents) -> MoneyObject {
        self.eye.money(cents)
    }
}

/// A way to pay, calculated now and stored nowhere. `dealQuote` makes quotes that can be accepted.
#[Object(name = "PaymentOffer")]
impl OfferNode {
    /// Cash, retail instalment contract or lease.
    async fn kind(&self) -> QuoteKind {
        self.priced.quote.kind
    }
    /// The program with its lender. Null for cash.
    async fn program(&self, ctx: &Context<'_>) -> GqlResult<Option<ProgramNode>> {
        match self.program {
            Some(id) => program(ctx, id, self.eye.store),
            None => Ok(None),
        }
    }
    /// Months; 0 for cash.
    async fn term_months(&self) -> i32 {
        i32::from(self.priced.quote.term_months)
    }
    /// How many payments; 0 for cash.
    async fn payment_count(&self) -> i32 {
        i32::from(self.priced.quote.payment_count)
    }
    /// Price of the vehicle.
    async fn price(&self) -> MoneyObject {
        self.money(self.priced.input.worksheet.price)
    }
    /// Cash at signing, towards the price.
    async fn cash_down(&self) -> MoneyObject {
        self.money(self.priced.input.worksheet.cash_down)
    }
    /// Each payment, with tax. Null for cash.
    async fn payment(&self) -> Option<MoneyObject> {
        (self.priced.quote.kind != QuoteKind::Cash).then(|| self.money(self.priced.quote.payment))
    }
    /// The annual percentage rate. Null for cash and leases.
    async fn apr(&self) -> Option<Percentage> {
        self.priced.quote.apr.map(|r| Percentage(r.round(4).to_percent()))
    }
    /// The contract rate; for a lease what the money factor comes to in a year. Null for cash.
    async fn rate(&self) -> Option<Percentage> {
        self.priced.quote.sell_rate.map(|r| Percentage(r.to_percent()))
    }
    /// All taxes, with those on a lease's payments.
    async fn tax(&self) -> MoneyObject {
        self.money(self.priced.quote.tax)
    }
    /// All fees.
    async fn fees(&self) -> MoneyObject {
        self.money(self.priced.quote.fees)
    }
    /// Price, products, taxes and fees, before credits.
    async fn total_price(&self) -> MoneyObject {
        self.money(self.priced.quote.total_price)
    }
    /// The amount financed; for a lease the adjusted capitalized cost; for cash the balance due.
    async fn amount_financed(&self) -> MoneyObject {
        self.money(self.priced.quote.amount_financed)
    }
    /// What the credit costs; for a lease the rent charge.
    async fn finance_charge(&self) -> MoneyObject {
        self.money(self.priced.quote.finance_charge)
    }
    /// All payments, with tax.
    async fn total_of_payments(&self) -> MoneyObject {
        self.money(self.priced.quote.total_of_payments)
    }
    /// What is paid in all: payments and what is paid at signing, with credits.
    async fn total_sale_price(&self) -> MoneyObject {
        self.money(self.priced.quote.total_sale_price)
    }
    /// What the customer brings on the day.
    async fn due_at_signing(&self) -> MoneyObject {
        self.money(self.priced.quote.due_at_signing)
    }
    /// False when a rule behind it was not verified by a person yet.
    async fn verified(&self) -> bool {
        self.priced.quote.verified
    }
    /// Every line, the schedule, the disclosures, why this rate.
    #[graphql(complexity = "20 + child_complexity")]
    async fn detail(&self) -> QuoteDetailNode {
        QuoteDetailNode::new(self.priced.input.clone(), self.priced.quote.clone(), self.eye.manager)
    }
}

/// Cash, contract and lease for the same customer and car.
#[derive(Debug, SimpleObject)]
#[graphql(name = "PaymentComparison")]
pub(super) struct ComparisonNode {
    /// All at once.
    cash: OfferNode,
    /// The retail contract with the lowest payment, with every rebate. Null when no program takes it.
    retail: Option<OfferNode>,
    /// A special rate in place of the manufacturer's rebate. Null without a rebate or such a program.
    special_rate: Option<OfferNode>,
    /// Whether the special rate costs less than the rebate saves, over the whole term. Null when there is nothing to compare.
    special_rate_costs_less: Option<bool>,
    /// The lease with the lowest payment. Null when no lessor takes it.
    lease: Option<OfferNode>,
}

/// A structure and its payment.
#[derive(Debug, SimpleObject)]
#[graphql(name = "SolvedStructure")]
pub(super) struct ReachedNode {
    /// Price of the vehicle.
    price: MoneyObject,
    /// Cash at signing.
    down_payment: MoneyObject,
    /// Months.
    term_months: i32,
    /// Each payment, with tax.
    payment: MoneyObject,
    /// With which program, `prg_…`.
    program_id: ID,
}

impl ReachedNode {
    fn new(reached: &Reached, eye: Eye) -> Self {
        Self {
            price: eye.money(reached.price),
            down_payment: eye.money(reached.cash_down),
            term_months: i32::from(reached.term_months),
            payment: eye.money(reached.payment),
            program_id: reached.program.id.into(),
        }
    }
}

/// What solving backwards found, or why it found nothing.
#[derive(Debug, Default, SimpleObject)]
#[graphql(name = "DealSolution")]
pub(super) struct SolutionNode {
    /// The structure found. Give it to `dealStructure` to take it. Null when no program takes anything near.
    found: Option<ReachedNode>,
    /// Its payment is the one asked for, to the cent.
    exact: bool,
    /// Where it is not: the nearest structure whose payment is below.
    below: Option<ReachedNode>,
    /// Where it is not: the nearest structure whose payment is above.
    above: Option<ReachedNode>,
    /// The structure found, quoted in full: the proof of its payment.
    offer: Option<OfferNode>,
    /// Why nothing was found, in words a salesperson can read aloud.
    problem: Option<String>,
}

/// A question that solves backwards.
#[derive(Debug, InputObject)]
pub(super) struct DealSolveInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// What is to be found.
    solve_for: SolveFor,
    /// The payment to reach, with tax. Not needed to find the payment itself.
    payment: Option<DecimalText>,
    /// What to reckon with beside the deal's structure.
    #[graphql(default)]
    what_if: DealWhatIfInput,
}

/// Solves a deal backwards. None when there is no such deal in the caller's stores.
pub(super) async fn solve(ctx: &Context<'_>, asked: DealSolveInput) -> GqlResult<Option<SolutionNode>> {
    let id = input::id("input.dealId", &asked.deal_id)?;
    let target = asked.payment.map(|p| input::amount("input.payment", p)).transpose()?;
    let what_if = asked.what_if.read()?;
    let scope = actor(ctx)?.selling_scope();
    let answer = service::<Deals>(ctx)?.solve(&scope, id, &what_if, asked.solve_for, target.unwrap_or_default()).await?;
    Ok(match answer {
        None => None,
        Some(Err(problem)) => Some(SolutionNode { problem: Some(problem.words()), ..SolutionNode::default() }),
        Some(Ok((deal, solution))) => Some(solution_node(&solution, Eye::of(ctx, &deal)?)),
    })
}

fn solution_node(solution: &Solution, eye: Eye) -> SolutionNode {
    let node = |reached: &Option<Reached>| reached.as_ref().map(|r| ReachedNode::new(r, eye));
    SolutionNode {
        found: Some(ReachedNode::new(&solution.found, eye)),
        exact: solution.exact,
        below: node(&solution.below),
        above: node(&solution.above),
        offer: OfferNode::of(&solution.quote, eye),
        problem: None,
    }
}

/// The payment grid of a deal.
pub(super) async fn payment_grid(
    ctx: &Context<'_>,
    deal: &DealNode,
    terms: Vec<i32>,
    down_payments: Vec<DecimalText>,
    what_if: Option<DealWhatIfInput>,
) -> GqlResult<Option<GridNode>> {
    if terms.len() > GRID_MAX.0 || down_payments.len() > GRID_MAX.1 {
        return Err(GqlError::bad_input(format!("paymentGrid: at most {} terms and {} downPayments", GRID_MAX.0, GRID_MAX.1)));
    }
    let terms = terms.into_iter().map(|n| months("terms", n)).collect::<GqlResult<Vec<u16>>>()?;
    let downs = down_payments.into_iter().map(|v| input::amount("downPayments", v)).collect::<GqlResult<Vec<Cents>>>()?;
    let what_if = what_if.unwrap_or_default().read()?;
    let deal = deal.deal();
    let eye = Eye::of(ctx, deal)?;
    let answer = service::<Deals>(ctx)?.payment_grid(&actor(ctx)?.selling_scope(), deal.id, &what_if, &terms, &downs).await?;
    let Some(cells) = told(answer)? else { return Ok(None) };
    Ok(Some(GridNode {
        term_months: terms.iter().map(|n| i32::from(*n)).collect(),
        down_payments: downs.iter().map(|c| eye.money(*c)).collect(),
        cells: cells.into_iter().map(|cell| GridCellNode(cell, eye)).collect(),
    }))
}

/// Ways to pay for a deal, side by side.
pub(super) async fn comparison(
    ctx: &Context<'_>,
    deal: &DealNode,
    lease_term_months: Option<i32>,
    what_if: Option<DealWhatIfInput>,
) -> GqlResult<Option<ComparisonNode>> {
    let lease_term = lease_term_months.map(|n| months("leaseTermMonths", n)).transpose()?;
    let what_if = what_if.unwrap_or_default().read()?;
    let deal = deal.deal();
    let eye = Eye::of(ctx, deal)?;
    let answer = service::<Deals>(ctx)?.comparison(&actor(ctx)?.selling_scope(), deal.id, &what_if, lease_term).await?;
    let Some(comparison): Option<Comparison> = told(answer)? else { return Ok(None) };
    let offer = |quote: &Option<ProgramQuote>| quote.as_ref().and_then(|q| OfferNode::of(q, eye));
    Ok(Some(ComparisonNode {
        retail: offer(&comparison.retail),
        special_rate: offer(&comparison.special_rate),
        special_rate_costs_less: comparison.special_rate_costs_less(),
        lease: offer(&comparison.lease),
        cash: OfferNode { priced: comparison.cash, program: None, eye },
    }))
}

/// The answer; none where the structure cannot be priced, as the deal's own figures are null then.
fn told<T>(answer: Option<Result<T, Unpriced>>) -> GqlResult<Option<T>> {
    let answer = answer.ok_or_else(|| GqlError::internal("a deal left the scope between two reads"))?;
    Ok(answer.ok())
}
