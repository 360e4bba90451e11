//! Holding a deal's car, and waiting for it.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::inputs::key;
use super::node::DealNode;
use super::payloads::{car_payload, deal, payload, replacements, user_error, user_errors};
use crate::deals::model::REASON_MAX;
use crate::deals::service::{Answer, Deals, HoldCar, OnCar, Refusal, RefusalCode};
use crate::graphql::context::{actor, by, service};
use crate::graphql::{GqlError, GqlResult, input};
use crate::inventory::{Hold, HoldReason, QueuePlace};
use crate::matching::graphql::MatchNode;

/// The hold a deal has on its car.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "DealHold")]
pub struct DealHoldNode {
    /// `DEAL` once taken, `OFFER` while the car is only offered to the deal as next in line, `CONTRACT` once signed.
    reason: HoldReason,
    /// Since when.
    placed_at: DateTime<Utc>,
    /// When it ends by itself; null once signed.
    expires_at: Option<DateTime<Utc>>,
    /// How often it was extended.
    extensions: i32,
    /// Why, in the salesperson's words.
    note: Option<String>,
}

impl From<Hold> for DealHoldNode {
    fn from(hold: Hold) -> Self {
        let Hold { reason, placed_at, expires_at, extensions, note, .. } = hold;
        Self { reason, placed_at, expires_at, extensions, note }
    }
}

/// A place in the line for a car.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "HoldQueuePlace")]
pub struct QueuePlaceNode {
    /// 1 is next.
    position: i64,
    /// How many deals wait.
    length: i64,
    /// Since when this deal waits.
    joined_at: DateTime<Utc>,
}

impl From<QueuePlace> for QueuePlaceNode {
    fn from(place: QueuePlace) -> Self {
        Self { position: place.position, length: place.length, joined_at: place.joined_at }
    }
}

/// A car to hold.
#[derive(Debug, InputObject)]
struct HoldPlaceInput {
    /// The deal whose car it is, `deal_…`.
    deal_id: ID,
    /// For how many minutes; the store's time when not given. A manager may hold longer than a salesperson.
    minutes: Option<i32>,
    /// Why, in a few words; at most 500 characters.
    note: Option<String>,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
}

/// A hold to make longer.
#[derive(Debug, InputObject)]
struct HoldExtendInput {
    /// The deal that holds the car, `deal_…`.
    deal_id: ID,
    /// By how many minutes; the store's time when not given.
    minutes: Option<i32>,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
}

/// Declares the input of a mutation that names nothing but the deal.
macro_rules! on_car {
    ($(#[$meta:meta])* $input:ident) => {
        $(#[$meta])*
        #[derive(Debug, InputObject)]
        struct $input {
            /// The deal, `deal_…`.
            deal_id: ID,
            /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
            idempotency_key: String,
        }

        impl $input {
            fn read(&self) -> GqlResult<OnCar> {
                on_car(&self.deal_id, &self.idempotency_key)
            }
        }
    };
}

on_car!(
    /// The deal that lets its car go.
    HoldReleaseInput
);
on_car!(
    /// The deal that waits for its car.
    HoldQueueJoinInput
);
on_car!(
    /// The deal that no longer waits.
    HoldQueueLeaveInput
);

pub(super) fn on_car(deal_id: &ID, idempotency_key: &str) -> GqlResult<OnCar> {
    Ok(OnCar { deal_id: input::id("input.dealId", deal_id)?, key: key(idempotency_key) })
}

user_error!(
    "holdPlace",
    HoldPlaceUserError,
    HoldPlaceErrorCode {
        /// Another deal has the car, or it is no longer for sale. Join the line, or choose one of the replacements.
        VehicleTaken,
        /// A hold may not last as long; the message says how long.
        HoldLimit,
    }
);
user_error!(
    "holdExtend",
    HoldExtendUserError,
    HoldExtendErrorCode {
        /// The deal does not hold its car.
        NoHold,
        /// It may not be held longer, or not by you.
        HoldLimit,
    }
);
user_error!(
    "holdRelease",
    HoldReleaseUserError,
    HoldReleaseErrorCode {
        /// The deal does not hold its car.
        NoHold,
    }
);
user_error!(
    "holdQueueJoin",
    HoldQueueJoinUserError,
    HoldQueueJoinErrorCode {
        /// Nobody has the car: hold it.
        VehicleFree,
        /// It was sold.
        VehicleTaken,
        /// As many wait as may.
        QueueFull,
    }
);
user_error!("holdQueueLeave", HoldQueueLeaveUserError, HoldQueueLeaveErrorCode {});

car_payload!("holdPlace", HoldPlacePayload, HoldPlaceUserError);
payload!("holdExtend", HoldExtendPayload, HoldExtendUserError);
payload!("holdRelease", HoldReleasePayload, HoldReleaseUserError);
car_payload!("holdQueueJoin", HoldQueueJoinPayload, HoldQueueJoinUserError);
payload!("holdQueueLeave", HoldQueueLeavePayload, HoldQueueLeaveUserError);

/// Mutations of holds.
#[derive(Debug, Default)]
pub struct HoldsMutation;

#[Object]
impl HoldsMutation {
    /// Keeps the deal's car for it, for a time the store allows. Of many at once exactly one gets it; the others are told who has
    /// it. Changes no figure, so the deal's version stays. A deal that was offered the car as next in line takes it with this.
    async fn hold_place(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to hold, and the key that guards it.")] input: HoldPlaceInput,
    ) -> GqlResult<HoldPlacePayload> {
        let note = input::optional("input.note", input.note.as_deref(), REASON_MAX)?;
        let wish = HoldCar { on: on_car(&input.deal_id, &input.idempotency_key)?, minutes: input.minutes, note };
        let answer = service::<Deals>(ctx)?.hold_place(actor(ctx)?, by(ctx)?, wish).await?;
        HoldPlacePayload::of(ctx, answer).await
    }

    /// Keeps the car longer: a salesperson as often as the store allows, a manager up to the store's most.
    async fn hold_extend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which hold, and the key that guards it.")] input: HoldExtendInput,
    ) -> GqlResult<HoldExtendPayload> {
        let wish = HoldCar { on: on_car(&input.deal_id, &input.idempotency_key)?, minutes: input.minutes, note: None };
        let answer = service::<Deals>(ctx)?.hold_extend(actor(ctx)?, by(ctx)?, wish).await?;
        HoldExtendPayload::of(ctx, answer).await
    }

    /// Lets the car go: to the first deal in the line, else to everybody. A deposit that was only set aside is given free.
    async fn hold_release(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal, and the key that guards it.")] input: HoldReleaseInput,
    ) -> GqlResult<HoldReleasePayload> {
        let answer = service::<Deals>(ctx)?.hold_release(actor(ctx)?, by(ctx)?, input.read()?).await?;
        HoldReleasePayload::of(ctx, answer).await
    }

    /// Waits for a car that another deal holds. When it is freed the first in line has it for a short while as an `OFFER`, and
    /// `dealChanged` tells its tablets; `holdPlace` takes it.
    async fn hold_queue_join(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal, and the key that guards it.")] input: HoldQueueJoinInput,
    ) -> GqlResult<HoldQueueJoinPayload> {
        let answer = service::<Deals>(ctx)?.hold_queue_join(actor(ctx)?, by(ctx)?, input.read()?).await?;
        HoldQueueJoinPayload::of(ctx, answer).await
    }

    /// No longer waits for the car.
    async fn hold_queue_leave(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal, and the key that guards it.")] input: HoldQueueLeaveInput,
    ) -> GqlResult<HoldQueueLeavePayload> {
        let answer = service::<Deals>(ctx)?.hold_queue_leave(actor(ctx)?, by(ctx)?, input.read()?).await?;
        HoldQueueLeavePayload::of(ctx, answer).await
    }
}
