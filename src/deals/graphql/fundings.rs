//! After the hand-over: the lender's money, and closing the books.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::inputs::{key, step_input, target};
use super::node::DealNode;
use super::payloads::{deal, payload, user_error, user_errors};
use crate::deals::delivery::Funding;
use crate::deals::model::Deal;
use crate::deals::service::{Answer, Deals, FundDeal, Refusal, RefusalCode};
use crate::finance::graphql::Lender;
use crate::graphql::context::{actor, by, service};
use crate::graphql::{Date, DecimalText, GqlError, GqlResult, MoneyObject, input};
use crate::kernel::money::Cents;

/// Longest number of a payment.
const REFERENCE_MAX: usize = 100;

/// What a lender paid for a delivered deal.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "DealFunding")]
pub struct FundingNode {
    /// Who paid.
    lender: Lender,
    /// How much arrived.
    amount: MoneyObject,
    /// What arrived beyond the amount financed; negative when it was less. Lenders keep fees back and add the dealer's part of the rate.
    /// Null when the figures are not known.
    difference: Option<MoneyObject>,
    /// The day it arrived, at the store.
    funded_on: Date,
    /// The payment's number at the lender or the bank.
    reference: Option<String>,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
}

impl FundingNode {
    pub(super) fn new(funding: Funding, deal: &Deal) -> Self {
        let money = |cents| MoneyObject::new(cents, deal.terms.currency);
        let financed = deal.figures.as_ref().map(|figures| figures.amount_financed);
        Self {
            lender: Lender { id: funding.lender_id.into(), code: funding.lender_code, name: funding.lender_name },
            amount: money(funding.amount),
            difference: financed.map(|financed| money(funding.amount - financed)),
            funded_on: Date(funding.day),
            reference: funding.reference,
            recorded_at: funding.at,
        }
    }
}

/// What a lender paid.
#[derive(Debug, InputObject)]
struct DealFundInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// The version the tablet shows.
    expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
    /// How much arrived; more than zero.
    amount: DecimalText,
    /// The day it arrived, at the store; not before the signature, not after today.
    funded_on: Date,
    /// Who paid, `lnd_…`; the lender of the accepted quote when not given.
    lender_id: Option<ID>,
    /// The payment's number at the lender or the bank; at most 100 characters.
    reference: Option<String>,
}

step_input!(
    /// The deal whose books are closed.
    DealCloseInput
);

user_error!(
    "dealFund",
    DealFundUserError,
    DealFundErrorCode {
        /// A manager of the store must do it.
        ManagerNeeded,
        /// A cash deal: no lender pays for it.
        NoLender,
        /// The day is before the signature or after today.
        OutOfBounds,
    }
);
user_error!(
    "dealClose",
    DealCloseUserError,
    DealCloseErrorCode {
        /// A manager of the store must do it.
        ManagerNeeded,
        /// The lender has not paid yet.
        NotPaid,
    }
);
payload!("dealFund", DealFundPayload, DealFundUserError);
payload!("dealClose", DealClosePayload, DealCloseUserError);

/// Mutations after the hand-over.
#[derive(Debug, Default)]
pub struct FundingsMutation;

#[Object]
impl FundingsMutation {
    /// Records that the lender's money for a delivered deal arrived. The store's right to call a spot delivery off ends with it. For
    /// managers.
    async fn deal_fund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What arrived, and the key and version that guard it.")] input: DealFundInput,
    ) -> GqlResult<DealFundPayload> {
        let amount = input::amount("input.amount", input.amount)?;
        if amount == Cents::ZERO {
            return Err(GqlError::bad_input("input.amount: expected more than 0.00"));
        }
        let wish = FundDeal {
            target: target(&input.deal_id, input.expected_version, key(&input.idempotency_key))?,
            lender: input::opt_id("input.lenderId", input.lender_id.as_ref())?,
            amount,
            day: input.funded_on.0,
            reference: input::optional("input.reference", input.reference.as_deref(), REFERENCE_MAX)?,
        };
        let answer = service::<Deals>(ctx)?.fund(actor(ctx)?, by(ctx)?, wish).await?;
        DealFundPayload::of(ctx, answer).await
    }

    /// Closes the books of a deal that is delivered and paid, by the lender or in cash. A customer's right to bring the car back
    /// (`Deal.delivery.returnRight`) stays. For managers.
    async fn deal_close(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal, and the key and version that guard it.")] input: DealCloseInput,
    ) -> GqlResult<DealClosePayload> {
        let answer = service::<Deals>(ctx)?.close(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DealClosePayload::of(ctx, answer).await
    }
}
