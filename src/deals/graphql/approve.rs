//! The mutations around a manager's yes.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::approvals::{ApprovalNode, CounterOfferInput};
use super::inputs::{key, target};
use super::node::DealNode;
use super::payloads::{deal, user_error, user_errors};
use crate::deals::approval::{ApprovalDecision, NOTE_MAX};
use crate::deals::service::{Answer, AskApproval, Deals, DecideApproval, Refusal, RefusalCode, TakeCounter};
use crate::graphql::context::{actor, by, service};
use crate::graphql::{GqlError, GqlResult, input};

/// The deal whose figures a manager is to agree to.
#[derive(Debug, InputObject)]
pub(super) struct ApprovalRequestInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// The version the tablet shows.
    expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
    /// What you say to it; at most 500 characters.
    note: Option<String>,
}

/// A manager's answer.
#[derive(Debug, InputObject)]
pub(super) struct ApprovalDecideInput {
    /// Which question, `apv_…`.
    approval_id: ID,
    /// Yes, no, other figures, or somebody higher.
    decision: ApprovalDecision,
    /// What you say to it; at most 500 characters. A no needs one.
    note: Option<String>,
    /// The figures you would agree to; with `COUNTER` only.
    counter_offer: Option<CounterOfferInput>,
    /// A key of your own for this answer: the same key again gives the first outcome again.
    idempotency_key: String,
}

/// The deal that takes a manager's offer.
#[derive(Debug, InputObject)]
pub(super) struct ApprovalTakeCounterInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// The version the tablet shows.
    expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
    /// Whose offer, `apv_…`.
    approval_id: ID,
}

user_error!(
    "approvalRequest",
    ApprovalRequestUserError,
    ApprovalRequestErrorCode {
        /// Taxes, fees or the total price are not known yet.
        FiguresIncomplete,
        /// Nothing goes beyond what a salesperson may decide alone, or it is approved already.
        ApprovalNotNeeded,
        /// A manager was asked about exactly these figures already.
        AlreadyAsked,
    }
);
user_error!(
    "approvalDecide",
    ApprovalDecideUserError,
    ApprovalDecideErrorCode {
        /// Somebody else has answered already; the payload shows who and what.
        AlreadyDecided,
        /// The question has expired.
        TooLate,
        /// Nobody approves what they asked for, or their own deal.
        OwnRequest,
        /// Only an admin of the group may say yes to this.
        AdminNeeded,
        /// A no needs a note.
        ReasonNeeded,
        /// The counter-offer is missing, or a value in it is out of its bounds.
        OutOfBounds,
        /// The offered figures can't be calculated.
        NotPriceable,
        /// No taxes are known for the buyer's place.
        UnknownJurisdiction,
        /// A product of the deal is not offered now.
        UnknownProduct,
        /// The customer cannot have a product of the deal with the offered figures.
        ProductNotEligible,
    }
);
user_error!(
    "approvalTakeCounter",
    ApprovalTakeCounterUserError,
    ApprovalTakeCounterErrorCode {
        /// There is no offer that still stands.
        TooLate,
        /// The deal has these figures already, or a value is out of its bounds.
        OutOfBounds,
        /// The figures can't be calculated.
        NotPriceable,
        /// No taxes are known for the buyer's place.
        UnknownJurisdiction,
        /// A product of the deal is not offered now.
        UnknownProduct,
        /// The customer cannot have a product of the deal with these figures.
        ProductNotEligible,
    }
);

/// Declares the payload of a mutation around a manager's yes.
macro_rules! payload {
    ($mutation:literal, $payload:ident, $error:ident) => {
        #[doc = concat!("The answer to `", $mutation, "`.")]
        #[derive(Debug, SimpleObject)]
        pub(super) struct $payload {
            /// The question as it stands now; null when there is none you may see.
            approval: Option<ApprovalNode>,
            /// The deal as it stands now; null when it may not be seen.
            deal: Option<DealNode>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<$error>,
            /// True when this key was used before: nothing was done again.
            replayed: bool,
        }

        impl $payload {
            /// `named` is the question the input names, shown also when it was refused.
            async fn of(ctx: &Context<'_>, answer: Answer, named: Option<crate::kernel::id::ApprovalId>) -> GqlResult<Self> {
                let seen = answer.approval_id.or(named.filter(|_| answer.deal_id.is_some()));
                let approval = match seen {
                    Some(id) if ctx.look_ahead().field("approval").exists() => ApprovalNode::load(ctx, id).await?,
                    _ => None,
                };
                Ok(Self { approval, deal: deal(ctx, &answer).await?, user_errors: user_errors(answer.refused)?, replayed: answer.replayed })
            }
        }
    };
}

payload!("approvalRequest", ApprovalRequestPayload, ApprovalRequestUserError);
payload!("approvalDecide", ApprovalDecidePayload, ApprovalDecideUserError);
payload!("approvalTakeCounter", ApprovalTakeCounterPayload, ApprovalTakeCounterUserError);

fn note(text: Option<&str>) -> GqlResult<Option<String>> {
    input::optional("input.note", text, NOTE_MAX)
}

/// Mutations around a manager's yes.
#[derive(Debug, Default)]
pub struct ApprovalsMutation;

#[Object]
impl ApprovalsMutation {
    /// Puts the deal's present figures before a manager, with every rule of the house they go beyond. Managers hear it at once
    /// (`approvals`), the answer is on the tablet at once (`dealChanged`). It is bound to exactly these figures.
    async fn approval_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to ask, and the key and version that guard it.")] input: ApprovalRequestInput,
    ) -> GqlResult<ApprovalRequestPayload> {
        let target = target(&input.deal_id, input.expected_version, key(&input.idempotency_key))?;
        let wish = AskApproval { target, note: note(input.note.as_deref())? };
        let answer = service::<Deals>(ctx)?.ask_approval(actor(ctx)?, by(ctx)?, wish).await?;
        ApprovalRequestPayload::of(ctx, answer, None).await
    }

    /// A manager answers: yes, no with a reason, a counter-offer with figures, or hands it to the group's admins. Nobody answers what
    /// they asked for, or about their own deal. Of several answers at once the first counts. Managers only.
    async fn approval_decide(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The answer, and the key that guards it.")] input: ApprovalDecideInput,
    ) -> GqlResult<ApprovalDecidePayload> {
        let actor = actor(ctx)?;
        if actor.managing_scope().is_empty() {
            return Err(GqlError::forbidden("Managers answer what goes beyond a salesperson's limits."));
        }
        let wish = DecideApproval {
            approval_id: input::id("input.approvalId", &input.approval_id)?,
            decision: input.decision,
            note: note(input.note.as_deref())?,
            counter: input.counter_offer.map(CounterOfferInput::read).transpose()?,
            key: key(&input.idempotency_key),
        };
        let id = wish.approval_id;
        let answer = service::<Deals>(ctx)?.decide_approval(actor, by(ctx)?, wish).await?;
        ApprovalDecidePayload::of(ctx, answer, Some(id)).await
    }

    /// Takes the manager's counter-offer: the structure changes to it, every figure is calculated anew, and the manager's yes counts
    /// for the new figures.
    async fn approval_take_counter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which offer, and the key and version that guard it.")] input: ApprovalTakeCounterInput,
    ) -> GqlResult<ApprovalTakeCounterPayload> {
        let target = target(&input.deal_id, input.expected_version, key(&input.idempotency_key))?;
        let wish = TakeCounter { target, approval_id: input::id("input.approvalId", &input.approval_id)? };
        let id = wish.approval_id;
        let answer = service::<Deals>(ctx)?.take_counter(actor(ctx)?, by(ctx)?, wish).await?;
        ApprovalTakeCounterPayload::of(ctx, answer, Some(id)).await
    }
}
