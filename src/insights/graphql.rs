//! Insights through the API.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use rust_decimal::Decimal;

use super::model::{LostCount, Performance, Period, ReasonCount, Spread};
use super::service::{Insights, SignalError};
use crate::customers::graphql::CustomerNode;
use crate::deals::TakeoverReason;
use crate::deals::model::LostReason;
use crate::graphql::context::{actor, by, service};
use crate::graphql::{Date, DecimalText, GqlError, GqlResult, input};
use crate::kernel::id::CustomerId;

/// How many were measured, and how they spread.
#[derive(Debug, Clone, Copy, SimpleObject)]
#[graphql(name = "Spread")]
pub(super) struct SpreadNode {
    /// How many were measured.
    count: i64,
    /// All together.
    total: i64,
    /// The one in the middle. Null when nothing was measured.
    median: Option<i64>,
    /// The one that nine in ten do not exceed. Null when nothing was measured.
    p90: Option<i64>,
    /// The total by the count, with two decimals. Null when nothing was measured.
    average: Option<DecimalText>,
}

impl From<Spread> for SpreadNode {
    fn from(spread: Spread) -> Self {
        let average = Decimal::from(spread.total).checked_div(Decimal::from(spread.count));
        let average =
            average.map(|value| DecimalText(value.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)));
        Self { count: spread.count, total: spread.total, median: spread.median, p90: spread.p90, average }
    }
}

/// Whole minutes of seconds, rounded up: what the customer waited.
fn minutes(spread: Spread) -> SpreadNode {
    let up = |seconds: i64| seconds.saturating_add(59).div_euclid(60);
    Spread { total: up(spread.total), median: spread.median.map(up), p90: spread.p90.map(up), ..spread }.into()
}

/// Takeovers for one reason.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct TakeoverCount {
    /// Why.
    reason: TakeoverReason,
    /// How often.
    count: i64,
    /// Of these, how often something was unsaved on the device that lost the deal.
    with_unsaved_work: i64,
    /// Of these, how often the holder had said no.
    against_the_holder: i64,
}

/// Deals that were lost for one reason.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct LostReasonCount {
    /// Why; null where it was said in words only.
    reason: Option<LostReason>,
    /// How often.
    count: i64,
}

/// How a store did in a period.
#[derive(Debug)]
pub(super) struct PerformanceNode {
    period: Period,
    performance: Performance,
}

/// How a store did in a period, from the signals of its conversations.
#[Object(name = "StorePerformance")]
impl PerformanceNode {
    /// The first day, at the store.
    async fn from(&self) -> Date {
        Date(self.period.from)
    }
    /// The first day no longer in it.
    async fn until(&self) -> Date {
        Date(self.period.until)
    }
    /// Customers who were greeted (`customerGreet`).
    async fn greeted(&self) -> i64 {
        self.performance.steps.greeted
    }
    /// Deals for which a car was chosen.
    async fn opened(&self) -> i64 {
        self.performance.steps.opened
    }
    /// Deals whose figures were shown.
    async fn presented(&self) -> i64 {
        self.performance.steps.presented
    }
    /// Deals the customer said yes to.
    async fn agreed(&self) -> i64 {
        self.performance.steps.agreed
    }
    /// Deals that were signed.
    async fn contracted(&self) -> i64 {
        self.performance.steps.contracted
    }
    /// Deals that were lost.
    async fn lost(&self) -> i64 {
        self.performance.steps.lost
    }
    /// Deals that were called off.
    async fn cancelled(&self) -> i64 {
        self.performance.steps.cancelled
    }
    /// Deals whose car was handed over.
    async fn delivered(&self) -> i64 {
        self.performance.steps.delivered
    }
    /// Deliveries that were called off.
    async fn unwound(&self) -> i64 {
        self.performance.steps.unwound
    }
    /// Cars that were brought back.
    async fn returned(&self) -> i64 {
        self.performance.steps.returned
    }
    /// Minutes from the chosen car to the first yes, of deals agreed in the period. A swapped car does not begin anew.
    async fn minutes_to_agreement(&self) -> SpreadNode {
        minutes(self.performance.seconds_to_agreement)
    }
    /// Minutes from the day's first greeting of the customer (`customerGreet`) to the first yes, of deals agreed in the period whose customer
    /// was greeted that day.
    async fn minutes_from_greeting_to_agreement(&self) -> SpreadNode {
        minutes(self.performance.seconds_from_greeting)
    }
    /// How often those deals went from one person to another before the yes; `average` is per deal.
    async fn hand_offs_per_deal(&self) -> SpreadNode {
        self.performance.hand_offs.into()
    }
    /// How often their car was swapped before the yes.
    async fn swaps_per_deal(&self) -> SpreadNode {
        self.performance.swaps.into()
    }
    /// Minutes a question to a manager waited for its answer.
    async fn minutes_to_manager_answer(&self) -> SpreadNode {
        minutes(self.performance.seconds_to_answer)
    }
    /// Why deals were lost in the period (`dealLose`), the most frequent first.
    async fn lost_reasons(&self) -> Vec<LostReasonCount> {
        let count =
            |lost: &LostCount| LostReasonCount { reason: lost.reason.as_deref().and_then(|reason| reason.parse().ok()), count: lost.count };
        self.performance.lost_reasons.iter().map(count).collect()
    }
    /// Takeovers in the period and why, the most frequent first.
    async fn takeovers(&self) -> Vec<TakeoverCount> {
        let count = |found: &ReasonCount| {
            Some(TakeoverCount {
                reason: found.reason.parse().ok()?,
                count: found.count,
                with_unsaved_work: found.unsaved,
                against_the_holder: found.kept,
            })
        };
        self.performance.takeovers.iter().filter_map(count).collect()
    }
}

/// Queries about how stores do.
#[derive(Debug, Default)]
pub struct InsightsQuery;

#[Object]
impl InsightsQuery {
    /// How a store did in a period: minutes from the chosen car to the yes, hand-offs, swaps, takeovers and why. For managers; null for a
    /// store you do not manage.
    #[graphql(complexity = "50 + child_complexity")]
    async fn store_performance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The store, `sto_…`.")] store_id: ID,
        #[graphql(desc = "The first day, at the store.")] from: Date,
        #[graphql(desc = "The first day no longer in it; at most 366 days after the first.")] until: Date,
    ) -> GqlResult<Option<PerformanceNode>> {
        let store = input::id("storeId", &store_id)?;
        let period = Period::new(from.0, until.0).ok_or_else(|| GqlError::bad_input("until: 1 to 366 days after `from`"))?;
        let performance = service::<Insights>(ctx)?.performance(&actor(ctx)?.managing_scope(), store, period).await?;
        Ok(performance.map(|performance| PerformanceNode { period, performance }))
    }
}

/// A customer who was greeted.
#[derive(Debug, InputObject)]
pub(super) struct CustomerGreetInput {
    /// Who, `cus_…`.
    customer_id: ID,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
}

/// Why `customerGreet` was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum CustomerGreetErrorCode {
    /// There is no such customer in your stores.
    NotFound,
}

/// A refusal of `customerGreet`.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct CustomerGreetUserError {
    /// For programs.
    code: CustomerGreetErrorCode,
    /// For people: a sentence to read aloud.
    message: String,
    /// Path into the input.
    field: Option<Vec<String>>,
}

/// The answer to `customerGreet`.
#[derive(Debug, SimpleObject)]
pub(super) struct CustomerGreetPayload {
    /// The customer; null when they may not be seen.
    customer: Option<CustomerNode>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<CustomerGreetUserError>,
    /// True when this key was used before: nothing was done again.
    replayed: bool,
}

/// Mutations that record signals.
#[derive(Debug, Default)]
pub struct InsightsMutation;

#[Object]
impl InsightsMutation {
    /// Records that you greeted a customer: the conversation begins before there is a deal.
    async fn customer_greet(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and the key that guards it.")] input: CustomerGreetInput,
    ) -> GqlResult<CustomerGreetPayload> {
        let customer: CustomerId = input::id("input.customerId", &input.customer_id)?;
        match service::<Insights>(ctx)?.greet(actor(ctx)?, by(ctx)?, customer, &input.idempotency_key).await {
            Ok(replayed) => {
                let customer = CustomerNode::load(ctx, customer).await?;
                Ok(CustomerGreetPayload { customer, user_errors: Vec::new(), replayed })
            }
            Err(SignalError::NotFound) => {
                let refusal = CustomerGreetUserError {
                    code: CustomerGreetErrorCode::NotFound,
                    message: "There is no such customer in your stores.".into(),
                    field: Some(vec!["customerId".into()]),
                };
                Ok(CustomerGreetPayload { customer: None, user_errors: vec![refusal], replayed: false })
            }
            Err(SignalError::Claim(error)) => Err(error.into()),
            Err(SignalError::Db(error)) => Err(error.into()),
        }
    }
}
