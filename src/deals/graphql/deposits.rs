//! Deposits that keep a car for a customer.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::holds::on_car;
use super::inputs::key;
use super::node::DealNode;
use super::payloads::{deal, user_error, user_errors};
use crate::deals::service::{Answer, ChangeDeposit, Deals, Refusal, RefusalCode, TakeDeposit};
use crate::graphql::context::{actor, by, service};
use crate::graphql::{DecimalText, GqlError, GqlResult, MoneyObject, input};
use crate::payments::{Deposit, DepositStatus};

/// Longest token of a terminal, in characters.
const TOKEN_MAX: usize = 200;

/// Money a customer left so that a car is kept for them.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "Deposit")]
pub struct DepositNode {
    /// Opaque id, `dep_…`.
    id: ID,
    /// How much.
    amount: MoneyObject,
    /// Given back when the customer does not buy, as agreed with them.
    refundable: bool,
    /// Where it stands.
    status: DepositStatus,
    /// False while the partner was asked and its answer is not known. It is asked about until it is; nothing is charged twice.
    outcome_known: bool,
    /// Why the outcome is not known: `TIMEOUT`, `UNREACHABLE`, `CONNECTION`, `UNREADABLE`, `STATUS_503` … Null when it is.
    problem: Option<String>,
    /// How often the request under way was tried.
    tries: Option<i32>,
    /// When it is asked about again.
    next_try_at: Option<DateTime<Utc>>,
    /// Why the partner last said no, in its code.
    refused_code: Option<String>,
    /// The partner's id of the authorization, for the books.
    partner_reference: Option<String>,
    /// When it was recorded.
    created_at: DateTime<Utc>,
    /// The last change.
    updated_at: DateTime<Utc>,
}

impl From<Deposit> for DepositNode {
    fn from(deposit: Deposit) -> Self {
        Self {
            id: deposit.id.into(),
            amount: MoneyObject::new(deposit.amount, deposit.currency),
            refundable: deposit.refundable,
            status: deposit.status,
            outcome_known: deposit.request_state.is_none(),
            problem: deposit.problem,
            tries: deposit.tries,
            next_try_at: deposit.next_try_at,
            refused_code: deposit.refused_code,
            partner_reference: deposit.partner_reference,
            created_at: deposit.created_at,
            updated_at: deposit.updated_at,
        }
    }
}

/// A deposit to take.
#[derive(Debug, InputObject)]
struct DepositAuthorizeInput {
    /// The deal that holds its car, `deal_…`.
    deal_id: ID,
    /// How much, from 0.01 to 10000.00, in the deal's currency.
    amount: DecimalText,
    /// Given back when the customer does not buy.
    refundable: bool,
    /// The one-time token the card terminal gave; at most 200 characters. Never a card number.
    card_token: String,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
}

/// Declares the input of a mutation that names nothing but the deposit.
macro_rules! deposit_input {
    ($(#[$meta:meta])* $input:ident) => {
        $(#[$meta])*
        #[derive(Debug, InputObject)]
        struct $input {
            /// Which deposit, `dep_…`.
            deposit_id: ID,
            /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
            idempotency_key: String,
        }

        impl $input {
            fn read(&self) -> GqlResult<ChangeDeposit> {
                Ok(ChangeDeposit { deposit_id: input::id("input.depositId", &self.deposit_id)?, key: key(&self.idempotency_key) })
            }
        }
    };
}

deposit_input!(
    /// The deposit to take.
    DepositCaptureInput
);
deposit_input!(
    /// The deposit to give free.
    DepositVoidInput
);
deposit_input!(
    /// The deposit to give back.
    DepositRefundInput
);

user_error!(
    "depositAuthorize",
    DepositAuthorizeUserError,
    DepositAuthorizeErrorCode {
        /// The deal does not hold its car.
        NoHold,
        /// The deal has a deposit already.
        DepositOpen,
        /// The amount is out of its bounds.
        OutOfBounds,
        /// The payment partner does not answer. Nothing was done: send it again in a moment, with the same key.
        PartnerSilent,
        /// This server has no payment partner.
        PaymentsOff,
    }
);
user_error!(
    "depositCapture",
    DepositCaptureUserError,
    DepositCaptureErrorCode {
        /// Only money that is set aside can be taken.
        WrongDepositStatus,
        /// The payment partner does not answer. Nothing was done: send it again in a moment, with the same key.
        PartnerSilent,
        /// This server has no payment partner.
        PaymentsOff,
    }
);
user_error!(
    "depositVoid",
    DepositVoidUserError,
    DepositVoidErrorCode {
        /// Only money that is set aside, and not taken yet, can be given free.
        WrongDepositStatus,
        /// The payment partner does not answer. Nothing was done: send it again in a moment, with the same key.
        PartnerSilent,
        /// This server has no payment partner.
        PaymentsOff,
    }
);
user_error!(
    "depositRefund",
    DepositRefundUserError,
    DepositRefundErrorCode {
        /// A manager of the store must do it.
        ManagerNeeded,
        /// Only money that was taken can be given back.
        WrongDepositStatus,
        /// The payment partner does not answer. Nothing was done: send it again in a moment, with the same key.
        PartnerSilent,
        /// This server has no payment partner.
        PaymentsOff,
    }
);

/// Declares the payload of a mutation of a deposit.
macro_rules! deposit_payload {
    ($mutation:literal, $payload:ident, $error:ident) => {
        #[doc = concat!("The answer to `", $mutation, "`.")]
        #[derive(Debug, SimpleObject)]
        struct $payload {
            /// The deal as it stands now; null when it may not be seen.
            deal: Option<DealNode>,
            /// The deposit as it stands now: look at `status` and `outcomeKnown`. Null when refused.
            deposit: Option<DepositNode>,
            /// Why it was refused; empty when the partner was asked. A no of the bank is no refusal: the deposit is `DECLINED`.
            user_errors: Vec<$error>,
            /// True when this key was used before: the partner was not asked again.
            replayed: bool,
        }

        impl $payload {
            async fn of(ctx: &Context<'_>, answer: Answer) -> GqlResult<Self> {
                let deal = deal(ctx, &answer).await?;
                let deposit = deposit(ctx, &answer).await?;
                Ok(Self { deal, deposit, user_errors: user_errors(answer.refused)?, replayed: answer.replayed })
            }
        }
    };
}

deposit_payload!("depositAuthorize", DepositAuthorizePayload, DepositAuthorizeUserError);
deposit_payload!("depositCapture", DepositCapturePayload, DepositCaptureUserError);
deposit_payload!("depositVoid", DepositVoidPayload, DepositVoidUserError);
deposit_payload!("depositRefund", DepositRefundPayload, DepositRefundUserError);

async fn deposit(ctx: &Context<'_>, answer: &Answer) -> GqlResult<Option<DepositNode>> {
    match answer.deposit_id {
        Some(id) if ctx.look_ahead().field("deposit").exists() => {
            Ok(service::<Deals>(ctx)?.deposit(&actor(ctx)?.selling_scope(), id).await?.map(DepositNode::from))
        }
        _ => Ok(None),
    }
}

/// Mutations of deposits.
#[derive(Debug, Default)]
pub struct DepositsMutation;

#[Object]
impl DepositsMutation {
    /// Has money set aside on the customer's card, so that the held car is kept for them. When the partner does not answer in
    /// time the deposit is `AUTHORIZING` with `outcomeKnown: false`; `dealChanged` tells when it is known. A retry with the same
    /// key never asks for the money twice.
    async fn deposit_authorize(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How much from which card, and the key that guards it.")] input: DepositAuthorizeInput,
    ) -> GqlResult<DepositAuthorizePayload> {
        let wish = TakeDeposit {
            on: on_car(&input.deal_id, &input.idempotency_key)?,
            amount: input::amount("input.amount", input.amount)?,
            refundable: input.refundable,
            token: input::required("input.cardToken", &input.card_token, TOKEN_MAX)?,
        };
        let answer = service::<Deals>(ctx)?.deposit_authorize(actor(ctx)?, by(ctx)?, wish).await?;
        DepositAuthorizePayload::of(ctx, answer).await
    }

    /// Has the money taken that was set aside.
    async fn deposit_capture(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deposit, and the key that guards it.")] input: DepositCaptureInput,
    ) -> GqlResult<DepositCapturePayload> {
        let answer = service::<Deals>(ctx)?.deposit_capture(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DepositCapturePayload::of(ctx, answer).await
    }

    /// Has the money given free that was set aside.
    async fn deposit_void(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deposit, and the key that guards it.")] input: DepositVoidInput,
    ) -> GqlResult<DepositVoidPayload> {
        let answer = service::<Deals>(ctx)?.deposit_void(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DepositVoidPayload::of(ctx, answer).await
    }
    /// Has the money given back that was taken. For managers. `dealCancel` and `dealLose` do it by themselves with a refundable deposit,
    /// `dealUnwind` and `dealReturn` with any.
    async fn deposit_refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deposit, and the key that guards it.")] input: DepositRefundInput,
    ) -> GqlResult<DepositRefundPayload> {
        let answer = service::<Deals>(ctx)?.deposit_refund(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DepositRefundPayload::of(ctx, answer).await
    }
}
