//! What the mutations of a deal answer: the deal as it stands now, and refusals to read aloud.

use async_graphql::{Context, Enum, Lookahead, OutputType, SimpleObject};

use super::declined::DeclinedNode;
use super::node::{DealNode, parts};
use super::out_of_sync::{OutOfSyncNode, out_of_sync};
use super::parts::{DifferenceNode, RecheckNode, ScenarioNode};
use crate::deals::model::Deal;
use crate::deals::service::{Answer, Deals, Refusal, RefusalCode};
use crate::deals::store::room::{Parts, Room};
use crate::graphql::context::{actor, service};
use crate::graphql::{GqlError, GqlResult};
use crate::matching::graphql::MatchNode;

/// Cars offered in the place of one that was taken.
const REPLACEMENTS: usize = 5;

/// Declares the user error of one mutation: its code enum, its object, and how a refusal becomes one.
///
/// Every mutation that changes a deal can meet `NOT_FOUND`, `DEAL_OUT_OF_SYNC` and `WRONG_STATE`; the others name theirs.
macro_rules! user_error {
    ($mutation:literal, $error:ident, $code:ident { $($(#[$meta:meta])* $variant:ident),* $(,)? }) => {
        #[doc = concat!("Why `", $mutation, "` was refused.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        pub(super) enum $code {
            /// There is no such object in your stores.
            NotFound,
            /// The deal changed since you read it; the payload has the present one.
            DealOutOfSync,
            /// The deal's state does not allow it.
            WrongState,
            /// Another device has the deal open (`deal.holder`): watch, ask for it, or take it over.
            HeldElsewhere,
            $($(#[$meta])* $variant),*
        }

        #[doc = concat!("A refusal of `", $mutation, "`.")]
        #[derive(Debug, Clone, SimpleObject)]
        pub(super) struct $error {
            /// For programs.
            code: $code,
            /// For people: a sentence to read aloud.
            message: String,
            /// Path into the input.
            field: Option<Vec<String>>,
        }

        impl TryFrom<Refusal> for $error {
            type Error = GqlError;
            fn try_from(refusal: Refusal) -> GqlResult<Self> {
                let code = match refusal.code {
                    RefusalCode::NotFound => $code::NotFound,
                    RefusalCode::DealOutOfSync => $code::DealOutOfSync,
                    RefusalCode::WrongState => $code::WrongState,
                    RefusalCode::HeldElsewhere => $code::HeldElsewhere,
                    $(RefusalCode::$variant => $code::$variant,)*
                    #[allow(unreachable_patterns, reason = "a mutation may know every code")]
                    other => return Err(GqlError::internal(format!("{} met {other}", $mutation))),
                };
                Ok(Self { code, message: refusal.message, field: refusal.field })
            }
        }
    };
}

pub(super) use user_error;

user_error!(
    "dealOpen",
    DealOpenUserError,
    DealOpenErrorCode {
        /// Another deal has the car, or it is no longer for sale.
        VehicleTaken,
        /// The car has no price yet: give one.
        PriceMissing,
        /// The car is priced in another currency than the store.
        CurrencyMismatch,
        /// A value is out of its bounds.
        OutOfBounds,
    }
);
user_error!("dealAnswersRecord", DealAnswersRecordUserError, DealAnswersRecordErrorCode {});
user_error!(
    "dealMenuDecide",
    DealMenuDecideUserError,
    DealMenuDecideErrorCode {
        /// A product of the menu is neither on the deal nor declined, or both; the message names it.
        MenuUndecided,
        /// There is no such product on the menu.
        UnknownProduct,
        /// Taxes, fees or total price are not known yet.
        FiguresIncomplete,
        /// No taxes are known for this place.
        UnknownJurisdiction,
        /// The figures can't be calculated.
        NotPriceable,
    }
);
user_error!(
    "dealStructure",
    DealStructureUserError,
    DealStructureErrorCode {
        /// A value is out of its bounds.
        OutOfBounds,
        /// There is no such product, or it is not offered now.
        UnknownProduct,
        /// This customer cannot have the product on this car, or could not use it; the message says why.
        ProductNotEligible,
        /// The store has no such fee, may not waive it, or not so much; the message says which.
        FeeNotWaivable,
        /// No taxes are known for this place.
        UnknownJurisdiction,
        /// The figures can't be calculated.
        NotPriceable,
    }
);
user_error!(
    "dealQuote",
    DealQuoteUserError,
    DealQuoteErrorCode {
        /// No taxes are known for the buyer's place.
        UnknownJurisdiction,
        /// A product of the deal is not offered now.
        UnknownProduct,
        /// The figures can't be calculated.
        NotPriceable,
    }
);
user_error!(
    "quoteAccept",
    QuoteAcceptUserError,
    QuoteAcceptErrorCode {
        /// The figures changed since this quote.
        QuoteSuperseded,
        /// The quote is too old.
        QuoteExpired,
        /// An insurance quote that is not what the lender or lessor asks for; the message says what would be.
        InsuranceNotEnough,
    }
);
user_error!(
    "dealPresent",
    DealPresentUserError,
    DealPresentErrorCode {
        /// Another deal has the car, or it is no longer for sale.
        VehicleTaken,
        /// Taxes, fees or the total price are not known yet.
        FiguresIncomplete,
    }
);
user_error!(
    "dealAgree",
    DealAgreeUserError,
    DealAgreeErrorCode {
        /// Another deal has the car, or it is no longer for sale.
        VehicleTaken,
        /// Taxes, fees or the total price are not known yet.
        FiguresIncomplete,
        /// The customer has not chosen a finance quote.
        QuoteNeeded,
        /// The insurance chosen is not what the lender or lessor asks for; the message says what would be.
        InsuranceNotEnough,
        /// A manager must say yes first: `nextSteps` says why and who, `approvalRequest` asks.
        ApprovalNeeded,
    }
);
user_error!(
    "dealContract",
    DealContractUserError,
    DealContractErrorCode {
        /// Another deal has the car, or it is no longer for sale.
        VehicleTaken,
        /// The customer has not chosen a finance quote, or it expired.
        QuoteNeeded,
        /// A product of the menu is neither taken nor declined: `dealMenuDecide` first.
        MenuUndecided,
    }
);
user_error!(
    "dealCancel",
    DealCancelUserError,
    DealCancelErrorCode {
        /// A reason must be given.
        ReasonNeeded,
    }
);
user_error!(
    "dealLose",
    DealLoseUserError,
    DealLoseErrorCode {
        /// A reason must be given.
        ReasonNeeded,
    }
);
user_error!(
    "dealSwapVehicle",
    DealSwapVehicleUserError,
    DealSwapVehicleErrorCode {
        /// Another deal has the new car, or it is no longer for sale.
        VehicleTaken,
        /// The new car has no price yet: give one.
        PriceMissing,
        /// The new car is priced in another currency.
        CurrencyMismatch,
        /// A value is out of its bounds.
        OutOfBounds,
        /// No taxes are known for the buyer's place.
        UnknownJurisdiction,
        /// A product of the deal is not offered now.
        UnknownProduct,
        /// The figures can't be calculated.
        NotPriceable,
    }
);
user_error!(
    "dealScenarioSave",
    DealScenarioSaveUserError,
    DealScenarioSaveErrorCode {
        /// A value is out of its bounds.
        OutOfBounds,
        /// There is no such product, or it is not offered now.
        UnknownProduct,
        /// This customer cannot have the product on this car, or could not use it; the message says why.
        ProductNotEligible,
        /// The store has no such fee, may not waive it, or not so much; the message says which.
        FeeNotWaivable,
        /// No taxes are known for this place.
        UnknownJurisdiction,
        /// The figures can't be calculated.
        NotPriceable,
        /// The deal has as many scenarios as it may.
        TooManyScenarios,
    }
);

/// Declares the payload of a mutation that has nothing but the deal.
macro_rules! payload {
    ($mutation:literal, $payload:ident, $error:ident) => {
        #[doc = concat!("The answer to `", $mutation, "`.")]
        #[derive(Debug, SimpleObject)]
        pub(super) struct $payload {
            /// The deal as it stands now; null when it may not be seen.
            deal: Option<DealNode>,
            /// After `DEAL_OUT_OF_SYNC`: what was done since the version you knew, and what differs. Otherwise null.
            out_of_sync: Option<super::out_of_sync::OutOfSyncNode>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<$error>,
            /// True when this key was used before: nothing was done again.
            replayed: bool,
        }

        impl $payload {
            pub(super) async fn of(ctx: &Context<'_>, answer: Answer) -> GqlResult<Self> {
                let deal = deal(ctx, &answer).await?;
                Ok(Self {
                    deal,
                    out_of_sync: super::out_of_sync::out_of_sync(ctx, &answer).await?,
                    user_errors: user_errors(answer.refused)?,
                    replayed: answer.replayed,
                })
            }
        }
    };
}

/// Declares the payload of a mutation that needs the car: when it was taken, others are offered.
macro_rules! car_payload {
    ($mutation:literal, $payload:ident, $error:ident) => {
        #[doc = concat!("The answer to `", $mutation, "`.")]
        #[derive(Debug, SimpleObject)]
        pub(super) struct $payload {
            /// The deal as it stands now; null when it may not be seen.
            deal: Option<DealNode>,
            /// After `VEHICLE_TAKEN`: the best cars of the store to put in its place with `dealSwapVehicle`, by what the customer
            /// said and like the one they chose; at most 5. Otherwise empty.
            replacements: Vec<MatchNode>,
            /// After `DEAL_OUT_OF_SYNC`: what was done since the version you knew, and what differs. Otherwise null.
            out_of_sync: Option<super::out_of_sync::OutOfSyncNode>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<$error>,
            /// True when this key was used before: nothing was done again.
            replayed: bool,
        }

        impl $payload {
            pub(super) async fn of(ctx: &Context<'_>, answer: Answer) -> GqlResult<Self> {
                let deal = deal(ctx, &answer).await?;
                let replacements = replacements(ctx, &answer, deal.as_ref()).await?;
                Ok(Self {
                    deal,
                    replacements,
                    out_of_sync: super::out_of_sync::out_of_sync(ctx, &answer).await?,
                    user_errors: user_errors(answer.refused)?,
                    replayed: answer.replayed,
                })
            }
        }
    };
}

pub(super) use {car_payload, payload};

payload!("dealAnswersRecord", DealAnswersRecordPayload, DealAnswersRecordUserError);
payload!("dealMenuDecide", DealMenuDecidePayload, DealMenuDecideUserError);
payload!("dealOpen", DealOpenPayload, DealOpenUserError);
payload!("dealStructure", DealStructurePayload, DealStructureUserError);
payload!("quoteAccept", QuoteAcceptPayload, QuoteAcceptUserError);
car_payload!("dealPresent", DealPresentPayload, DealPresentUserError);
car_payload!("dealAgree", DealAgreePayload, DealAgreeUserError);
car_payload!("dealContract", DealContractPayload, DealContractUserError);
payload!("dealCancel", DealCancelPayload, DealCancelUserError);
payload!("dealLose", DealLosePayload, DealLoseUserError);

/// The answer to `dealQuote`.
#[derive(Debug, SimpleObject)]
pub(super) struct DealQuotePayload {
    /// The deal as it stands now, with its quotes.
    deal: Option<DealNode>,
    /// Programs that do not fit, and why.
    declined: Vec<DeclinedNode>,
    /// After `DEAL_OUT_OF_SYNC`: what was done since the version you knew, and what differs. Otherwise null.
    out_of_sync: Option<OutOfSyncNode>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<DealQuoteUserError>,
    /// True when this key was used before: nothing was done again.
    replayed: bool,
}

impl DealQuotePayload {
    pub(super) async fn of(ctx: &Context<'_>, answer: Answer) -> GqlResult<Self> {
        let deal = deal(ctx, &answer).await?;
        let stale = out_of_sync(ctx, &answer).await?;
        let at = deal.as_ref().map(|deal| (deal.deal().store_id, deal.deal().terms.currency));
        let declined = match at.zip(answer.declined) {
            Some(((store, currency), kept)) => {
                let declined = service::<Deals>(ctx)?.declined(store, &kept)?;
                declined.into_iter().map(|declined| DeclinedNode::new(declined, store, currency)).collect()
            }
            None => Vec::new(),
        };
        Ok(Self { deal, declined, out_of_sync: stale, user_errors: user_errors(answer.refused)?, replayed: answer.replayed })
    }
}

/// The answer to `dealSwapVehicle`.
#[derive(Debug, SimpleObject)]
pub(super) struct DealSwapVehiclePayload {
    /// The deal as it stands now, with the new car.
    deal: Option<DealNode>,
    /// Every line before and after. The changes placed `FINANCED` sum to the change of the amount financed.
    lines: Vec<DifferenceNode>,
    /// The sums before and after: taxes, fees, total price, amount financed, payment.
    totals: Vec<DifferenceNode>,
    /// After `DEAL_OUT_OF_SYNC`: what was done since the version you knew, and what differs. Otherwise null.
    out_of_sync: Option<OutOfSyncNode>,
    /// What became of everything that hangs on the car: each lender program, product and insurer; for managers also the front gross.
    /// A product the car cannot have was taken out.
    rechecks: Vec<RecheckNode>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<DealSwapVehicleUserError>,
    /// True when this key was used before: nothing was done again.
    replayed: bool,
}

impl DealSwapVehiclePayload {
    pub(super) async fn of(ctx: &Context<'_>, answer: Answer) -> GqlResult<Self> {
        let deal = deal(ctx, &answer).await?;
        let currency = deal.as_ref().map_or(crate::kernel::money::Currency::USD, |deal| deal.deal().terms.currency);
        let stale = out_of_sync(ctx, &answer).await?;
        Ok(Self {
            deal,
            lines: answer.lines.into_iter().map(|line| DifferenceNode::new(line, currency)).collect(),
            totals: answer.totals.into_iter().map(|total| DifferenceNode::new(total, currency)).collect(),
            out_of_sync: stale,
            rechecks: answer.rechecks.into_iter().map(|line| RecheckNode::new(line, currency)).collect(),
            user_errors: user_errors(answer.refused)?,
            replayed: answer.replayed,
        })
    }
}

/// The answer to `dealScenarioSave`.
#[derive(Debug, SimpleObject)]
pub(super) struct DealScenarioSavePayload {
    /// The deal as it stands now; its structure is unchanged.
    deal: Option<DealNode>,
    /// The saved scenario with its figures.
    scenario: Option<ScenarioNode>,
    /// After `DEAL_OUT_OF_SYNC`: what was done since the version you knew, and what differs. Otherwise null.
    out_of_sync: Option<OutOfSyncNode>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<DealScenarioSaveUserError>,
    /// True when this key was used before: nothing was done again.
    replayed: bool,
}

impl DealScenarioSavePayload {
    pub(super) async fn of(ctx: &Context<'_>, answer: Answer) -> GqlResult<Self> {
        let deal = deal(ctx, &answer).await?;
        let scenario = match (&deal, answer.scenario_id) {
            (Some(deal), Some(id)) if ctx.look_ahead().field("scenario").exists() => {
                let scope = actor(ctx)?.selling_scope();
                let all = service::<Deals>(ctx)?.scenarios(&scope, deal.deal().id).await?;
                all.into_iter().find(|scenario| scenario.id == id).map(|scenario| ScenarioNode(scenario, deal.deal().store_id))
            }
            _ => None,
        };
        let stale = out_of_sync(ctx, &answer).await?;
        Ok(Self { deal, scenario, out_of_sync: stale, user_errors: user_errors(answer.refused)?, replayed: answer.replayed })
    }
}

/// The deal of an answer with what the payload's selection asks for: as it was just written when its own row is enough, else
/// read afresh. Nothing is read when it is not selected.
pub(super) async fn deal(ctx: &Context<'_>, answer: &Answer) -> GqlResult<Option<DealNode>> {
    let selected: Lookahead<'_> = ctx.look_ahead().field("deal");
    match (&answer.written, answer.deal_id) {
        (Some(written), _) if parts(&selected) == Parts::default() => Ok(Some(Room::of(Deal::clone(written)).into())),
        (_, Some(id)) if selected.exists() => DealNode::load(ctx, id, &selected).await,
        _ => Ok(None),
    }
}

/// Other cars, when the answer is that the deal's own was taken and they are selected.
pub(super) async fn replacements(ctx: &Context<'_>, answer: &Answer, read: Option<&DealNode>) -> GqlResult<Vec<MatchNode>> {
    let (selected, Some(id)) = (ctx.look_ahead().field("replacements"), answer.deal_id) else { return Ok(Vec::new()) };
    let taken = answer.refused.iter().any(|refusal| refusal.code == RefusalCode::VehicleTaken);
    if !taken || !selected.exists() {
        return Ok(Vec::new());
    }
    if let Some(deal) = read {
        return deal.replacements(ctx, REPLACEMENTS).await;
    }
    match DealNode::load(ctx, id, &ctx.look_ahead().field("deal")).await? {
        Some(deal) => deal.replacements(ctx, REPLACEMENTS).await,
        None => Ok(Vec::new()),
    }
}

pub(super) fn user_errors<E: OutputType + TryFrom<Refusal, Error = GqlError>>(refused: Vec<Refusal>) -> GqlResult<Vec<E>> {
    refused.into_iter().map(E::try_from).collect()
}
