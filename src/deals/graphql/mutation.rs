//! The mutations of a deal, one per business action.

use async_graphql::{Context, Object};

use super::answers::DealAnswersRecordInput;
use super::inputs::{
    DealAgreeInput, DealCancelInput, DealContractInput, DealLoseInput, DealOpenInput, DealPresentInput, DealQuoteInput,
    DealScenarioSaveInput, DealStructureInput, DealSwapVehicleInput, QuoteAcceptInput, amount, key, quote_id, target,
};
use super::menu_decisions::DealMenuDecideInput;
use super::payloads::{
    DealAgreePayload, DealAnswersRecordPayload, DealCancelPayload, DealContractPayload, DealLosePayload, DealMenuDecidePayload,
    DealOpenPayload, DealPresentPayload, DealQuotePayload, DealScenarioSavePayload, DealStructurePayload, DealSwapVehiclePayload,
    QuoteAcceptPayload,
};
use crate::deals::recheck::HoldConstant;
use crate::deals::service::{AcceptQuote, ChangeStructure, Deals, OpenDeal, SaveScenario, SwapVehicle};
use crate::graphql::context::{actor, by, service};
use crate::graphql::{GqlError, GqlResult, input};

/// Mutations of deals.
#[derive(Debug, Default)]
pub struct DealsMutation;

#[Object]
impl DealsMutation {
    /// Opens a deal for a customer and a car. Money down, term and tier come from what the customer said, else from the
    /// house's defaults (nothing down, 60 months, 12,000 miles a year, tier A). Opening does not hold the car.
    async fn deal_open(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealOpenInput,
    ) -> GqlResult<DealOpenPayload> {
        let wish = OpenDeal {
            customer_id: input::id("input.customerId", &input.customer_id)?,
            vehicle_id: input::id("input.vehicleId", &input.vehicle_id)?,
            kind: input.kind,
            price: amount("input.price", input.price)?,
            key: key(&input.idempotency_key),
        };
        let answer = service::<Deals>(ctx)?.open(actor(ctx)?, by(ctx)?, wish).await?;
        DealOpenPayload::of(ctx, answer).await
    }

    /// Changes any part of the structure and recomputes every figure. Finance quotes that no longer fit become
    /// `SUPERSEDED`; a presented or agreed deal goes back to the worksheet.
    async fn deal_structure(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealStructureInput,
    ) -> GqlResult<DealStructurePayload> {
        let target = target(&input.deal_id, input.expected_version, key(&input.idempotency_key))?;
        let wish = ChangeStructure { target, change: input.structure.read()? };
        let answer = service::<Deals>(ctx)?.structure(actor(ctx)?, by(ctx)?, wish).await?;
        DealStructurePayload::of(ctx, answer).await
    }

    /// Records what the customer answered: for suggestions on the product menu, and for the insurers. New answers for insurers
    /// make insurance quotes `SUPERSEDED`; ask for new ones.
    async fn deal_answers_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealAnswersRecordInput,
    ) -> GqlResult<DealAnswersRecordPayload> {
        let answer = service::<Deals>(ctx)?.record_answers(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DealAnswersRecordPayload::of(ctx, answer).await
    }

    /// Records what the customer said to the menu: every product they may have is taken (on the deal) or declined, at its price of
    /// now. A deal is signed only with that, where the house wants a product decided; a change of the car, the price, the way to
    /// pay or the products asks for it again. What was said before stays in `Deal.menuDecisions`.
    async fn deal_menu_decide(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealMenuDecideInput,
    ) -> GqlResult<DealMenuDecidePayload> {
        let answer = service::<Deals>(ctx)?.decide_menu(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DealMenuDecidePayload::of(ctx, answer).await
    }

    /// Asks every lender program and every insurer for quotes on the present figures. Quotes nobody accepted are superseded.
    async fn deal_quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealQuoteInput,
    ) -> GqlResult<DealQuotePayload> {
        let answer = service::<Deals>(ctx)?.quote(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DealQuotePayload::of(ctx, answer).await
    }

    /// The customer chooses a finance or an insurance quote. A finance quote's payment becomes the deal's.
    async fn quote_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: QuoteAcceptInput,
    ) -> GqlResult<QuoteAcceptPayload> {
        let quote = quote_id("input.quoteId", &input.quote_id)?;
        let target = target(&input.deal_id, input.expected_version, key(&input.idempotency_key))?;
        let answer = service::<Deals>(ctx)?.accept_quote(actor(ctx)?, by(ctx)?, AcceptQuote { target, quote }).await?;
        QuoteAcceptPayload::of(ctx, answer).await
    }

    /// Records that the customer was shown every line and the total price. What was shown is kept in the history.
    async fn deal_present(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealPresentInput,
    ) -> GqlResult<DealPresentPayload> {
        let answer = service::<Deals>(ctx)?.present(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DealPresentPayload::of(ctx, answer).await
    }

    /// Records the customer's yes to exactly what was shown. Retail and lease need an accepted finance quote.
    async fn deal_agree(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealAgreeInput,
    ) -> GqlResult<DealAgreePayload> {
        let answer = service::<Deals>(ctx)?.agree(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DealAgreePayload::of(ctx, answer).await
    }

    /// Signs the deal and takes the car. Of many deals on one VIN exactly one gets it; the others are told who has it and
    /// since when (`VEHICLE_TAKEN`), keep everything, and can swap the car.
    async fn deal_contract(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealContractInput,
    ) -> GqlResult<DealContractPayload> {
        let answer = service::<Deals>(ctx)?.contract(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DealContractPayload::of(ctx, answer).await
    }

    /// Calls a deal off before delivery. A signed deal gives its car back to the lot.
    async fn deal_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealCancelInput,
    ) -> GqlResult<DealCancelPayload> {
        let answer = service::<Deals>(ctx)?.cancel(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DealCancelPayload::of(ctx, answer).await
    }

    /// The customer does not buy; the reason is kept, and counted when it is a code.
    async fn deal_lose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealLoseInput,
    ) -> GqlResult<DealLosePayload> {
        let answer = service::<Deals>(ctx)?.lose(actor(ctx)?, by(ctx)?, input.read()?).await?;
        DealLosePayload::of(ctx, answer).await
    }

    /// Puts another car into the deal and keeps everything else: what the customer holds constant (money down, payment or total
    /// price), trade-ins, term, tier, products the car can have, the hold and the deposit. The payload has every figure before and
    /// after, and what became of programs, products and insurance.
    async fn deal_swap_vehicle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealSwapVehicleInput,
    ) -> GqlResult<DealSwapVehiclePayload> {
        let wish = SwapVehicle {
            target: target(&input.deal_id, input.expected_version, key(&input.idempotency_key))?,
            vehicle_id: input::id("input.vehicleId", &input.vehicle_id)?,
            price: amount("input.price", input.price)?,
            constant: input.hold_constant,
        };
        if wish.price.is_some() && wish.constant == Some(HoldConstant::TotalPrice) {
            return Err(GqlError::bad_input("input.price: the price follows from the total price; give one of the two"));
        }
        let answer = service::<Deals>(ctx)?.swap_vehicle(actor(ctx)?, by(ctx)?, wish).await?;
        DealSwapVehiclePayload::of(ctx, answer).await
    }

    /// Sets a structure and its figures aside to compare with. The deal's own structure stays.
    async fn deal_scenario_save(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: DealScenarioSaveInput,
    ) -> GqlResult<DealScenarioSavePayload> {
        let target = target(&input.deal_id, input.expected_version, key(&input.idempotency_key))?;
        let wish = SaveScenario { target, label: input.label()?, change: input.structure.read()? };
        let answer = service::<Deals>(ctx)?.save_scenario(actor(ctx)?, by(ctx)?, wish).await?;
        DealScenarioSavePayload::of(ctx, answer).await
    }
}
