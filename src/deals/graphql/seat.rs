//! Who sits at a deal, as tablets see it: watch, ask for the seat, take it over.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::node::DealNode;
use super::parts::StaffMember;
use super::payloads::user_error;
use crate::deals::seat::{Device, SEAT_TEXT_MAX, Seat, SeatAnswer, TakeoverReason};
use crate::deals::service::{DealError, Deals, Refusal, RefusalCode, SeatOutcome, TakeOver};
use crate::graphql::context::{actor, by, service};
use crate::graphql::{GqlError, GqlResult, input};
use crate::kernel::id::{DealId, SessionId};

/// Who has a deal open, seen from one device.
#[derive(Debug, Clone)]
pub(super) struct SeatNode {
    seat: Seat,
    me: Option<SessionId>,
}

impl SeatNode {
    pub(super) fn new(seat: Seat, me: Option<SessionId>) -> Self {
        Self { seat, me }
    }
}

fn person(device: &Device) -> StaffMember {
    StaffMember { id: device.user_id.into(), display_name: device.user_name.clone() }
}

/// Who has a deal open on which device. Others watch, ask for it, or take it over.
#[Object(name = "DealHolder")]
impl SeatNode {
    /// Who.
    async fn by(&self) -> StaffMember {
        person(&self.seat.holder)
    }
    /// What their device is called, such as "Tablet 4".
    async fn device_label(&self) -> Option<&str> {
        self.seat.holder.label.as_deref()
    }
    /// True when it is the device that asks.
    async fn mine(&self) -> bool {
        self.me == Some(self.seat.holder.session_id)
    }
    /// Since when.
    async fn since(&self) -> DateTime<Utc> {
        self.seat.since
    }
    /// When the device was last heard of.
    async fn heard_at(&self) -> DateTime<Utc> {
        self.seat.renewed_at
    }
    /// Until when the deal is theirs unless the device is heard of again. After that it is free to take.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.seat.expires_at
    }
    /// What the device has not saved yet, in its own words; null when everything is saved.
    async fn unsaved(&self) -> Option<&str> {
        self.seat.unsaved.as_deref()
    }
    /// A colleague who would like to go on with the deal: the holder answers with `dealAnswerAsk`. Null when nobody asks.
    async fn asked(&self) -> Option<SeatWishNode> {
        let wish = self.seat.wish.as_ref()?;
        Some(SeatWishNode {
            by: person(&wish.device),
            device_label: wish.device.label.clone(),
            mine: self.me == Some(wish.device.session_id),
            at: wish.at,
            note: wish.note.clone(),
            take_over_from: wish.take_over_from,
            kept: wish.kept,
            answer_note: wish.answer_note.clone(),
        })
    }
}

/// A colleague who would like to go on with a deal.
#[derive(Debug, SimpleObject)]
#[graphql(name = "DealAsk")]
pub(super) struct SeatWishNode {
    /// Who.
    by: StaffMember,
    /// On which device.
    device_label: Option<String>,
    /// True when it is the device that asks.
    mine: bool,
    /// When.
    at: DateTime<Utc>,
    /// What they said.
    note: Option<String>,
    /// From when they may take the deal over: the warning. Null while they only ask.
    take_over_from: Option<DateTime<Utc>>,
    /// The holder said no.
    kept: bool,
    /// What the holder said.
    answer_note: Option<String>,
}

/// A deal and what this device has not saved of it.
#[derive(Debug, InputObject)]
pub(super) struct DealTakeInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// What the device has not saved yet, in its own words for colleagues; at most 300 characters, no personal data. Null when
    /// everything is saved.
    unsaved: Option<String>,
}

/// A deal that is still open on this device, and what is not saved of it.
#[derive(Debug, InputObject)]
pub(super) struct DealHeartbeatInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// What the device has not saved yet, in its own words for colleagues; at most 300 characters. Null when everything is saved.
    unsaved: Option<String>,
}

/// A deal that is no longer open on this device.
#[derive(Debug, InputObject)]
pub(super) struct DealReleaseInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
}

/// A deal to ask for.
#[derive(Debug, InputObject)]
pub(super) struct DealAskInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// What you say to the holder; at most 300 characters.
    note: Option<String>,
}

/// An answer to a colleague who asks.
#[derive(Debug, InputObject)]
pub(super) struct DealAnswerAskInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// Hand it over, or keep it.
    answer: SeatAnswer,
    /// What you say to it; at most 300 characters.
    note: Option<String>,
}

/// A deal to take over.
#[derive(Debug, InputObject)]
pub(super) struct DealTakeOverInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// Why: recorded, so that the store learns from it.
    reason: TakeoverReason,
    /// What you say to the holder; at most 300 characters.
    note: Option<String>,
}

user_error!("dealTake", DealTakeUserError, DealTakeErrorCode {});
user_error!("dealHeartbeat", DealHeartbeatUserError, DealHeartbeatErrorCode {});
user_error!("dealRelease", DealReleaseUserError, DealReleaseErrorCode {});
user_error!(
    "dealAsk",
    DealAskUserError,
    DealAskErrorCode {
        /// Nobody else has the deal open.
        NotHeld,
        /// Another colleague has asked already.
        AlreadyAsked,
    }
);
user_error!(
    "dealAnswerAsk",
    DealAnswerAskUserError,
    DealAnswerAskErrorCode {
        /// Nobody asks this device.
        NotHeld,
    }
);
user_error!(
    "dealTakeOver",
    DealTakeOverUserError,
    DealTakeOverErrorCode {
        /// The holder was warned: call again from `holder.asked.takeOverFrom`, unless the deal is handed over before.
        HolderWarned,
        /// Another colleague has asked already.
        AlreadyAsked,
    }
);

/// Declares the payload of a mutation about who sits at a deal.
macro_rules! payload {
    ($mutation:literal, $payload:ident, $error:ident) => {
        #[doc = concat!("The answer to `", $mutation, "`.")]
        #[derive(Debug, SimpleObject)]
        pub(super) struct $payload {
            /// Who has the deal open now; null when nobody has, or the deal may not be seen.
            holder: Option<SeatNode>,
            /// The deal as it stands now; null when it may not be seen.
            deal: Option<DealNode>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<$error>,
        }

        impl $payload {
            async fn of(ctx: &Context<'_>, outcome: Result<SeatOutcome, DealError>) -> GqlResult<Self> {
                let outcome = match outcome {
                    Err(DealError::Refused(refusal)) => SeatOutcome { deal_id: None, seat: None, refused: Some(refusal) },
                    other => other?,
                };
                let me = actor(ctx)?.session_id();
                let look = ctx.look_ahead().field("deal");
                let deal = match outcome.deal_id {
                    Some(id) if look.exists() => DealNode::load(ctx, id, &look).await?,
                    _ => None,
                };
                let user_errors = outcome.refused.into_iter().map(TryInto::try_into).collect::<GqlResult<_>>()?;
                Ok(Self { holder: outcome.seat.map(|seat| SeatNode::new(seat, me)), deal, user_errors })
            }
        }
    };
}

payload!("dealTake", DealTakePayload, DealTakeUserError);
payload!("dealHeartbeat", DealHeartbeatPayload, DealHeartbeatUserError);
payload!("dealRelease", DealReleasePayload, DealReleaseUserError);
payload!("dealAsk", DealAskPayload, DealAskUserError);
payload!("dealAnswerAsk", DealAnswerAskPayload, DealAnswerAskUserError);
payload!("dealTakeOver", DealTakeOverPayload, DealTakeOverUserError);

fn words(name: &str, text: Option<&str>) -> GqlResult<Option<String>> {
    input::optional(&format!("input.{name}"), text, SEAT_TEXT_MAX)
}

fn deal_id(id: &ID) -> GqlResult<DealId> {
    input::id("input.dealId", id)
}

/// Mutations about who sits at a deal.
#[derive(Debug, Default)]
pub struct SeatsMutation;

#[Object]
impl SeatsMutation {
    /// Opens the deal for writing on this device, for a minute; `dealHeartbeat` renews it. While another device has it open, writes from
    /// this one are refused with `HELD_ELSEWHERE`, and this shows who has it, since when and what is unsaved: watch (`dealChanged`), ask
    /// (`dealAsk`) or take it over (`dealTakeOver`). Safe to repeat.
    async fn deal_take(&self, ctx: &Context<'_>, #[graphql(desc = "Which deal.")] input: DealTakeInput) -> GqlResult<DealTakePayload> {
        let (deal, unsaved) = (deal_id(&input.deal_id)?, words("unsaved", input.unsaved.as_deref())?);
        let outcome = service::<Deals>(ctx)?.take_seat(actor(ctx)?, by(ctx)?, deal, unsaved.as_deref()).await;
        DealTakePayload::of(ctx, outcome).await
    }

    /// Says that the deal is still open on this device, and what is not saved. Call it every 15 to 20 seconds. `HELD_ELSEWHERE` says that
    /// another device has it by now. Safe to repeat.
    async fn deal_heartbeat(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal.")] input: DealHeartbeatInput,
    ) -> GqlResult<DealHeartbeatPayload> {
        let (deal, unsaved) = (deal_id(&input.deal_id)?, words("unsaved", input.unsaved.as_deref())?);
        let outcome = service::<Deals>(ctx)?.renew_seat(actor(ctx)?, by(ctx)?, deal, unsaved.as_deref()).await;
        DealHeartbeatPayload::of(ctx, outcome).await
    }

    /// Closes the deal on this device, so that colleagues need not ask. Safe to repeat.
    async fn deal_release(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal.")] input: DealReleaseInput,
    ) -> GqlResult<DealReleasePayload> {
        let outcome = service::<Deals>(ctx)?.leave_seat(actor(ctx)?, by(ctx)?, deal_id(&input.deal_id)?).await;
        DealReleasePayload::of(ctx, outcome).await
    }

    /// Asks the colleague who has the deal open to hand it over. Their device shows it at once (`dealChanged`, `holder.asked`).
    async fn deal_ask(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal, and what you say.")] input: DealAskInput,
    ) -> GqlResult<DealAskPayload> {
        let (deal, note) = (deal_id(&input.deal_id)?, words("note", input.note.as_deref())?);
        let outcome = service::<Deals>(ctx)?.ask_seat(actor(ctx)?, by(ctx)?, deal, note.as_deref()).await;
        DealAskPayload::of(ctx, outcome).await
    }

    /// The device that has the deal open answers the colleague who asks, or who is about to take over: hand it over at once, or keep it.
    async fn deal_answer_ask(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal, and the answer.")] input: DealAnswerAskInput,
    ) -> GqlResult<DealAnswerAskPayload> {
        let (deal, note) = (deal_id(&input.deal_id)?, words("note", input.note.as_deref())?);
        let outcome = service::<Deals>(ctx)?.answer_seat(actor(ctx)?, by(ctx)?, deal, input.answer, note.as_deref()).await;
        DealAnswerAskPayload::of(ctx, outcome).await
    }

    /// Takes a deal over from another device. A colleague who is there is warned first: the answer is `HOLDER_WARNED`, and the call is
    /// repeated from `holder.asked.takeOverFrom`. One's own other device, and one that was not heard of for a minute, need no warning.
    /// Every takeover is recorded with its reason. Safe to repeat.
    async fn deal_take_over(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal, and why.")] input: DealTakeOverInput,
    ) -> GqlResult<DealTakeOverPayload> {
        let wish = TakeOver { deal_id: deal_id(&input.deal_id)?, reason: input.reason, note: words("note", input.note.as_deref())? };
        let outcome = service::<Deals>(ctx)?.take_over(actor(ctx)?, by(ctx)?, wish).await;
        DealTakeOverPayload::of(ctx, outcome).await
    }
}
