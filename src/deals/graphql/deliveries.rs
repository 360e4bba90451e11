//! After the signature: the hand-over, and taking a car back.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::inputs::{key, target};
use super::node::DealNode;
use super::payloads::{deal, payload, user_error, user_errors};
use super::returns::{ReturnRightNode, SettlementNode};
use crate::deals::delivery::{Delivery, InsuranceCard, LastDay, OdometerBrand, PolicyNumber, Spot};
use crate::deals::model::REASON_MAX;
use crate::deals::service::{Answer, Deals, DeliverDeal, Refusal, RefusalCode, ReturnDeal, UnwindDeal};
use crate::graphql::context::{actor, by, service};
use crate::graphql::{Date, DecimalText, GqlError, GqlResult, MoneyObject, input};
use crate::insurance::CardCover;
use crate::kernel::money::{Cents, Currency};

/// Longest name of an insurer, and longest number of a policy.
const INSURER_MAX: usize = 100;
const POLICY_MAX: usize = 40;
/// Most miles an odometer shows.
pub(super) const MILES_MAX: i32 = 2_000_000;

/// The last day of a right to take a sale back, and where it comes from.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "LastDay")]
pub struct LastDayNode {
    /// The day, at the store; it still counts.
    day: Date,
    /// Where the rule behind it was read.
    source: String,
    /// False while no person has checked that rule.
    verified: bool,
}

impl From<LastDay> for LastDayNode {
    fn from(last: LastDay) -> Self {
        Self { day: Date(last.day), source: last.source, verified: last.verified }
    }
}

/// A car that was handed over before a lender has paid.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "SpotDelivery")]
pub struct SpotNode {
    /// Why, in the salesperson's words.
    reason: String,
    /// Until when the store may call it off (`dealUnwind`) without the customer's agreement.
    until: LastDayNode,
}

/// The customer's insurance card, as it was shown at the hand-over.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "InsuranceCard")]
pub struct InsuranceCardNode {
    /// The company.
    insurer: String,
    /// The policy's number.
    policy_number: String,
    /// The first day it counts.
    effective_from: Date,
    /// The last day. Null when the card did not say.
    effective_until: Option<Date>,
    /// What the customer bears of comprehensive damage. Null when the card did not say.
    comprehensive_deductible: Option<MoneyObject>,
    /// What the customer bears of a collision. Null when the card did not say.
    collision_deductible: Option<MoneyObject>,
    /// The bodily injury limit per person. Null when the card did not say.
    bodily_injury_per_person: Option<MoneyObject>,
    /// The bodily injury limit per accident. Null when the card did not say.
    bodily_injury_per_accident: Option<MoneyObject>,
    /// The property damage limit. Null when the card did not say.
    property_damage: Option<MoneyObject>,
    /// Who is named loss payee, `lnd_…`. Null when nobody was.
    loss_payee_id: Option<ID>,
    /// Who is named additional insured, `lnd_…`. Null when nobody was.
    additional_insured_id: Option<ID>,
}

/// The hand-over of a car.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "DealDelivery")]
pub struct DeliveryNode {
    /// When.
    at: DateTime<Utc>,
    /// What the odometer showed, in miles.
    odometer_miles: i32,
    /// Whether those are the actual miles (49 CFR 580). Null for a car that needs no statement.
    odometer_brand: Option<OdometerBrand>,
    /// The insurance card that was shown. Null for hand-overs before it was asked for.
    insurance: Option<InsuranceCardNode>,
    /// Handed over before a lender has paid. Null for a cash deal.
    spot: Option<SpotNode>,
    /// What the law of the store's state lets the customer do. Null when it gives no such right for this car.
    return_right: Option<ReturnRightNode>,
    /// What the customer got back when they returned the car. Null while they have not.
    returned: Option<SettlementNode>,
}

impl DeliveryNode {
    pub(super) fn new(delivery: Delivery, currency: Currency) -> Self {
        let spot = |Spot { reason, until }| SpotNode { reason, until: until.into() };
        let return_right = delivery.return_right.map(|right| ReturnRightNode::new(right, delivery.odometer_miles, currency));
        let returned = return_right.as_ref().zip(delivery.returned).map(|(right, done)| right.settled(done));
        let money = |cents: Option<Cents>| cents.map(|cents| MoneyObject::new(cents, currency));
        let card = |InsuranceCard { insurer, policy, from, until, cover }| InsuranceCardNode {
            insurer,
            policy_number: policy.0,
            effective_from: Date(from),
            effective_until: until.map(Date),
            comprehensive_deductible: money(cover.comprehensive_deductible),
            collision_deductible: money(cover.collision_deductible),
            bodily_injury_per_person: money(cover.bodily_injury_person),
            bodily_injury_per_accident: money(cover.bodily_injury_accident),
            property_damage: money(cover.property_damage),
            loss_payee_id: cover.loss_payee.map(ID::from),
            additional_insured_id: cover.additional_insured.map(ID::from),
        };
        Self {
            at: delivery.at,
            odometer_miles: delivery.odometer_miles,
            odometer_brand: delivery.odometer_brand,
            insurance: delivery.insurance.map(card),
            spot: delivery.spot.map(spot),
            return_right,
            returned,
        }
    }
}

/// The customer's insurance card. The car must be insured on the day it is handed over, as the lender or lessor asks for: what the card
/// (or the declarations page) says of deductibles, limits and who is named is compared with its demands.
#[derive(InputObject)]
struct InsuranceCardInput {
    /// The company; 1 to 100 characters.
    insurer: String,
    /// The policy's number; 1 to 40 characters. Sealed where it is kept.
    policy_number: String,
    /// The first day it counts.
    effective_from: Date,
    /// The last day, if the card says so.
    effective_until: Option<Date>,
    /// What the customer bears of comprehensive damage. Not given: no such cover, or the card does not say.
    comprehensive_deductible: Option<DecimalText>,
    /// What the customer bears of a collision. Not given: no such cover, or the card does not say.
    collision_deductible: Option<DecimalText>,
    /// The bodily injury limit per person.
    bodily_injury_per_person: Option<DecimalText>,
    /// The bodily injury limit per accident.
    bodily_injury_per_accident: Option<DecimalText>,
    /// The property damage limit.
    property_damage: Option<DecimalText>,
    /// Whom the card names loss payee (lienholder), `lnd_…`.
    loss_payee_id: Option<ID>,
    /// Whom the card names additional insured, `lnd_…`.
    additional_insured_id: Option<ID>,
}

impl InsuranceCardInput {
    fn read(self) -> GqlResult<InsuranceCard> {
        let money = |name: &str, amount: Option<DecimalText>| {
            amount.map(|amount| input::amount(&format!("input.insurance.{name}"), amount)).transpose()
        };
        let cover = CardCover {
            comprehensive_deductible: money("comprehensiveDeductible", self.comprehensive_deductible)?,
            collision_deductible: money("collisionDeductible", self.collision_deductible)?,
            bodily_injury_person: money("bodilyInjuryPerPerson", self.bodily_injury_per_person)?,
            bodily_injury_accident: money("bodilyInjuryPerAccident", self.bodily_injury_per_accident)?,
            property_damage: money("propertyDamage", self.property_damage)?,
            loss_payee: input::opt_id("input.insurance.lossPayeeId", self.loss_payee_id.as_ref())?,
            additional_insured: input::opt_id("input.insurance.additionalInsuredId", self.additional_insured_id.as_ref())?,
        };
        Ok(InsuranceCard {
            cover,
            insurer: input::required("input.insurance.insurer", &self.insurer, INSURER_MAX)?,
            policy: PolicyNumber(input::required("input.insurance.policyNumber", &self.policy_number, POLICY_MAX)?),
            from: self.effective_from.0,
            until: self.effective_until.map(|day| day.0),
        })
    }
}

/// The deal whose car is handed over.
#[derive(InputObject)]
struct DealDeliverInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// The version the tablet shows.
    expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
    /// What the odometer shows, in miles; 0 to 2,000,000.
    odometer_miles: i32,
    /// Whether those are the actual miles. The law asks for it on model years from 2011 on, for twenty years (49 CFR 580.17).
    odometer_brand: Option<OdometerBrand>,
    /// The customer's insurance card; nobody drives off uninsured.
    insurance: Option<InsuranceCardInput>,
    /// Why a financed car goes before a lender has paid; at most 500 characters. Not needed for cash.
    spot_reason: Option<String>,
}

/// The delivery to call off.
#[derive(Debug, InputObject)]
struct DealUnwindInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// The version the tablet shows.
    expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
    /// Why, in a few words; at most 500 characters.
    reason: String,
    /// What the odometer shows, in miles; 0 to 2,000,000.
    odometer_miles: i32,
    /// The trade-in and every payment were given back. Only a deposit's money need not be: the program asks the partner for it.
    consideration_returned: bool,
    /// The customer agrees. Needed after the last day of a spot delivery, and for every other deal.
    #[graphql(default)]
    customer_agrees: bool,
}

/// The car that its buyer brings back.
#[derive(Debug, InputObject)]
struct DealReturnInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// The version the tablet shows.
    expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
    /// What the odometer shows, in miles; 0 to 2,000,000.
    odometer_miles: i32,
    /// The trade-in and every payment, less the fees of `delivery.returnRight.settlement`, were given back. Only a deposit's money need
    /// not be: the program asks the partner for it.
    consideration_returned: bool,
}

fn miles(read: i32) -> GqlResult<i32> {
    if (0..=MILES_MAX).contains(&read) { Ok(read) } else { Err(GqlError::bad_input("input.odometerMiles: from 0 to 2000000")) }
}

user_error!(
    "dealDeliver",
    DealDeliverUserError,
    DealDeliverErrorCode {
        /// No insurance card was shown, or the policy does not count today.
        NotInsured,
        /// The insurance card does not show what the lender or lessor asks for; the message says what is missing.
        InsuranceNotEnough,
        /// The law asks for an odometer statement on this car: say whether these are the actual miles.
        OdometerNotStated,
        /// A financed car goes before a lender has paid: say why.
        ReasonNeeded,
        /// No last day to call it off is known here, or it is over; the message says which.
        SpotNotAllowed,
        /// The odometer showed more before.
        OutOfBounds,
    }
);
user_error!(
    "dealUnwind",
    DealUnwindUserError,
    DealUnwindErrorCode {
        /// A manager of the store must do it.
        ManagerNeeded,
        /// A reason must be given.
        ReasonNeeded,
        /// The store has no right, or no longer, to call it off: the customer must agree.
        CustomerMustAgree,
        /// The trade-in and everything paid must be given back first.
        ConsiderationNotReturned,
        /// The odometer showed more at the hand-over.
        OutOfBounds,
    }
);
user_error!(
    "dealReturn",
    DealReturnUserError,
    DealReturnErrorCode {
        /// A manager of the store must do it.
        ManagerNeeded,
        /// No law gives a right to return this car, or not any more, or it was driven too far.
        OutsideReturnPeriod,
        /// The trade-in and everything paid must be given back first.
        ConsiderationNotReturned,
        /// The odometer showed more at the hand-over.
        OutOfBounds,
    }
);
payload!("dealDeliver", DealDeliverPayload, DealDeliverUserError);
payload!("dealUnwind", DealUnwindPayload, DealUnwindUserError);
payload!("dealReturn", DealReturnPayload, DealReturnUserError);

/// Mutations after the signature.
#[derive(Debug, Default)]
pub struct DeliveriesMutation;

#[Object]
impl DeliveriesMutation {
    /// Hands the car of a signed deal over; the vehicle becomes `DELIVERED`. The customer's insurance card is seen and shows what the
    /// lender or lessor asks for, and what the odometer shows is stated. A financed car goes before a lender has paid (a spot
    /// delivery): that needs a reason, and a last day by the law of the store's state or the store's own contract, which is kept and
    /// shown (`Deal.spotDeliveryDeadline`).
    async fn deal_deliver(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key and version that guard it.")] input: DealDeliverInput,
    ) -> GqlResult<DealDeliverPayload> {
        let wish = DeliverDeal {
            target: target(&input.deal_id, input.expected_version, key(&input.idempotency_key))?,
            odometer_miles: miles(input.odometer_miles)?,
            odometer_brand: input.odometer_brand,
            insurance: input.insurance.map(InsuranceCardInput::read).transpose()?,
            spot_reason: input::optional("input.spotReason", input.spot_reason.as_deref(), REASON_MAX)?,
        };
        let answer = service::<Deals>(ctx)?.deliver(actor(ctx)?, by(ctx)?, wish).await?;
        DealDeliverPayload::of(ctx, answer).await
    }

    /// Takes a delivered car back because no lender bought the contract, or because both sides agree. The car goes back to the lot, to
    /// whoever waits for it; a deposit goes back to the customer. For managers.
    async fn deal_unwind(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key and version that guard it.")] input: DealUnwindInput,
    ) -> GqlResult<DealUnwindPayload> {
        let wish = UnwindDeal {
            target: target(&input.deal_id, input.expected_version, key(&input.idempotency_key))?,
            // An empty reason is a refusal in words, not a malformed input.
            reason: input::optional("input.reason", Some(&input.reason), REASON_MAX)?.unwrap_or_default(),
            odometer_miles: miles(input.odometer_miles)?,
            customer_agrees: input.customer_agrees,
            consideration_returned: input.consideration_returned,
        };
        let answer = service::<Deals>(ctx)?.unwind(actor(ctx)?, by(ctx)?, wish).await?;
        DealUnwindPayload::of(ctx, answer).await
    }

    /// Takes back a car that its buyer returns as the law of the store's state allows (`Deal.delivery.returnRight`). What the law lets
    /// the store keep is taken off what the customer gets back (`Deal.delivery.returned`). The car is looked over (`IN_RECON`) before it
    /// is for sale again; a deposit goes back to the customer. For managers.
    async fn deal_return(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key and version that guard it.")] input: DealReturnInput,
    ) -> GqlResult<DealReturnPayload> {
        let wish = ReturnDeal {
            target: target(&input.deal_id, input.expected_version, key(&input.idempotency_key))?,
            odometer_miles: miles(input.odometer_miles)?,
            consideration_returned: input.consideration_returned,
        };
        let answer = service::<Deals>(ctx)?.take_return(actor(ctx)?, by(ctx)?, wish).await?;
        DealReturnPayload::of(ctx, answer).await
    }
}
