//! After the signature: handing the car over, and taking it back.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Answer, Change, DealError, Deals, Refusal, RefusalCode, Target};
use crate::auth::{Actor, Scope};
use crate::db::{By, DbError, Tx};
use crate::deals::delivery::{
    Delivery, InsuranceCard, LastDay, OdometerBrand, ReturnRight, Spot, odometer_statement_needed, spot_deadline,
};
use crate::deals::model::DealKind;
use crate::deals::pricing::sale_condition;
use crate::deals::settlement::CarReturned;
use crate::deals::states::{DealState, DealVerb};
use crate::deals::steps::{DealFacts, SignedFacts};
use crate::deals::store::table::OnTable;
use crate::deals::store::{delivery, funding, quotes};
use crate::finance::DeliveryRight;
use crate::insurance::CardCover;
use crate::inventory::VehicleStatus;
use crate::kernel::id::DealId;
use crate::kernel::money::Cents;
use crate::payments::Owed;

/// A hand-over.
#[derive(Debug, Clone, Serialize)]
pub struct DeliverDeal {
    /// Which deal.
    pub target: Target,
    /// What the odometer shows.
    pub odometer_miles: i32,
    /// Whether those are the actual miles.
    pub odometer_brand: Option<OdometerBrand>,
    /// The customer's insurance card. Its number is not in what the key is compared with; a keyed hash of it is.
    #[serde(skip)]
    pub insurance: Option<InsuranceCard>,
    /// Why the car goes before a lender has paid.
    pub spot_reason: Option<String>,
}

/// A delivery that is called off.
#[derive(Debug, Clone, Serialize)]
pub struct UnwindDeal {
    /// Which deal.
    pub target: Target,
    /// Why, in the manager's words.
    pub reason: String,
    /// What the odometer shows.
    pub odometer_miles: i32,
    /// The customer agrees to it.
    pub customer_agrees: bool,
    /// The trade-in and everything paid were given back.
    pub consideration_returned: bool,
}

/// A car that the customer brings back.
#[derive(Debug, Clone, Serialize)]
pub struct ReturnDeal {
    /// Which deal.
    pub target: Target,
    /// What the odometer shows.
    pub odometer_miles: i32,
    /// The trade-in and everything paid, less what the law lets the store keep, were given back.
    pub consideration_returned: bool,
}

/// How a delivered deal is taken back.
struct TakeBack<'a> {
    verb: DealVerb,
    target: &'a Target,
    reason: Option<&'a str>,
    odometer_miles: i32,
    signed: SignedFacts,
}

impl Deals {
    /// The customer drives off. A financed car goes before a lender has paid: that needs a reason, and a last day to call it off.
    pub async fn deliver(&self, actor: &Actor, by: By, wish: DeliverDeal) -> Result<Answer, DealError> {
        let card = wish.insurance.as_ref();
        let card = card.map(|c| (&c.insurer, self.sealer.blind_index("dealDeliver.policy", &c.policy.0), c.from, c.until, c.cover));
        let request = (&wish, card);
        self.once(actor, by, &wish.target.key, "dealDeliver", &request, async |tx: &mut Tx| self.deliver_in(tx, actor, &wish).await).await
    }

    async fn deliver_in(&self, tx: &mut Tx, actor: &Actor, wish: &DeliverDeal) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, &wish.target).await?;
        let deal = &before.deal;
        let (spot_reason, cash) = (wish.spot_reason.as_ref(), deal.terms.kind == DealKind::Cash);
        let contracted = delivery::contracted_on(tx.conn(), deal.id).await?.unwrap_or(before.today);
        let paid = delivery::paid_at_signing(tx.conn(), deal.id).await?;
        let (until, return_right) = self.last_days(&before, contracted, paid)?;
        let signed = SignedFacts {
            insured: wish.insurance.as_ref().is_some_and(|card| card.active_on(before.today)),
            odometer_exempt: !odometer_statement_needed(before.car.model_year, before.today),
            odometer_stated: wish.odometer_brand.is_some(),
            cleared_or_spot: cash || spot_reason.is_some(),
            ..SignedFacts::default()
        };
        let state =
            Self::decided(&before, DealVerb::Deliver, DealFacts { signed, ..Self::facts(&before, None, false) }.step(DealVerb::Deliver))?;
        odometer_not_below(&before, before.car.odometer_miles, wish.odometer_miles)?;
        if let Some(card) = &wish.insurance {
            self.card_will_do(tx, &before, &card.cover).await?;
        }
        let spot = match spot_reason.filter(|_| !cash) {
            Some(reason) => Some(Spot { reason: reason.clone(), until: in_time(until, &before)? }),
            None => None,
        };
        let failed = |e| DealError::from_inventory(e, &before.car.title(), None);
        let status_before = self.inventory.hand_over(tx, &actor.selling_scope(), deal.id, deal.vehicle_id).await.map_err(failed)?;
        let done = Delivery {
            at: tx.now(),
            odometer_miles: wish.odometer_miles,
            odometer_brand: wish.odometer_brand,
            insurance: wish.insurance.clone(),
            status_before,
            spot,
            return_right,
            returned: None,
        };
        delivery::insert(tx.conn(), &self.sealer, deal.store_id, deal.id, &done).await?;
        self.tell_rivals(tx, &before).await?;
        let mut deal = before.deal.clone();
        deal.state = state;
        let detail = json!({ "vehicleId": deal.vehicle_id, "odometerMiles": done.odometer_miles,
                             "odometerBrand": done.odometer_brand, "insuredFrom": done.insurance.map(|card| card.from),
                             "spotDeadline": done.spot.map(|s| s.until.day), "returnUntil": done.return_right.map(|r| r.until.day) });
        self.write(tx, &before, Change::of(deal, "delivered", detail)).await
    }

    /// The card shows what the deal's lender or lessor asks for today, and names lenders of the group only.
    async fn card_will_do(&self, tx: &mut Tx, before: &OnTable, card: &CardCover) -> Result<(), DealError> {
        let deal = &before.deal;
        let named = [("insurance.lossPayeeId", card.loss_payee), ("insurance.additionalInsuredId", card.additional_insured)];
        for (field, lender) in named.into_iter().filter(|(_, lender)| lender.is_some()) {
            if funding::lender(tx.conn(), deal.id, lender).await?.is_none() {
                return Err(Refusal::not_found(field, "There is no such lender in your group.").of(deal.id).into());
            }
        }
        let program = quotes::chosen_program(tx.conn(), deal.id).await?;
        match self.desk.card_gap((before.group_id, deal.terms.kind, before.today), program, card) {
            Some(gap) => Err(Refusal::new(RefusalCode::InsuranceNotEnough, "insurance", gap).of(deal.id).into()),
            None => Ok(()),
        }
    }

    /// The last day of the store's right and the buyer's, by the rows of the day the deal was signed.
    fn last_days(
        &self,
        before: &OnTable,
        contracted: chrono::NaiveDate,
        paid: Cents,
    ) -> Result<(Option<LastDay>, Option<ReturnRight>), DbError> {
        let store = self.dealers.store(before.deal.store_id).ok_or_else(|| DbError::Corrupt("a deal of no store".into()))?;
        let book = self.desk.book();
        let (condition, price) = (sale_condition(before.car.condition), before.deal.terms.price);
        let law = |kind| book.delivery_law(&store.state, kind, contracted).filter(|law| law.covers(condition, price));
        let spot = spot_deadline(law(DeliveryRight::SpotCancel), store.spot_delivery_days, contracted, before.today);
        let back = law(DeliveryRight::Return).map(|law| ReturnRight {
            until: LastDay { day: law.last_day(contracted, before.today), source: law.source.clone(), verified: law.verified },
            max_miles: law.max_miles,
            price,
            paid,
            fees: law.fees,
        });
        Ok((spot, back))
    }

    /// Takes a delivered car back and gives everything back: no lender bought the contract, or both agree.
    pub async fn unwind(&self, actor: &Actor, by: By, wish: UnwindDeal) -> Result<Answer, DealError> {
        let back = TakeBack {
            verb: DealVerb::Unwind,
            target: &wish.target,
            reason: Some(&wish.reason),
            odometer_miles: wish.odometer_miles,
            signed: SignedFacts {
                right_to_unwind: wish.customer_agrees,
                consideration_returned: wish.consideration_returned,
                ..SignedFacts::default()
            },
        };
        self.once(actor, by, &wish.target.key, "dealUnwind", &wish, async |tx: &mut Tx| self.take_back_in(tx, actor, &back).await).await
    }

    /// Takes back a car that its buyer returns as the law allows.
    pub async fn take_return(&self, actor: &Actor, by: By, wish: ReturnDeal) -> Result<Answer, DealError> {
        let back = TakeBack {
            verb: DealVerb::Return,
            target: &wish.target,
            reason: None,
            odometer_miles: wish.odometer_miles,
            signed: SignedFacts { consideration_returned: wish.consideration_returned, ..SignedFacts::default() },
        };
        self.once(actor, by, &wish.target.key, "dealReturn", &wish, async |tx: &mut Tx| self.take_back_in(tx, actor, &back).await).await
    }

    async fn take_back_in(&self, tx: &mut Tx, actor: &Actor, wish: &TakeBack<'_>) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, wish.target).await?;
        let (deal, scope) = (&before.deal, actor.selling_scope());
        let handed_over = delivery::find(tx.conn(), &self.sealer, &scope, deal.id).await?;
        let signed = SignedFacts {
            by_manager: actor.manages(deal.store_id),
            // Once the lender has paid there is nothing left to call off.
            right_to_unwind: wish.signed.right_to_unwind
                || deal.state == DealState::Delivered && handed_over.as_ref().is_some_and(|d| d.may_be_called_off(before.today)),
            inside_return_period: handed_over.as_ref().is_some_and(|d| d.may_be_returned(before.today, wish.odometer_miles)),
            ..wish.signed
        };
        let reason_given = wish.reason.is_some_and(|reason| !reason.trim().is_empty());
        let facts = DealFacts { signed, ..Self::facts(&before, None, reason_given) };
        let state = Self::decided(&before, wish.verb, facts.step(wish.verb))?;
        odometer_not_below(&before, handed_over.as_ref().map(|d| d.odometer_miles), wish.odometer_miles)?;
        // A car that was driven by its buyer is looked over before it is for sale again.
        let status = match state {
            DealState::Returned => VehicleStatus::InRecon,
            _ => handed_over.as_ref().map_or(VehicleStatus::Available, |d| d.status_before),
        };
        let failed = |e| DealError::from_inventory(e, &before.car.title(), None);
        self.inventory.take_back(tx, &scope, deal.vehicle_id, status, wish.odometer_miles).await.map_err(failed)?;
        self.payments.give_back(tx, deal.id, Owed::Everything).await?;
        self.tell_rivals(tx, &before).await?;
        let mut detail =
            json!({ "vehicleId": deal.vehicle_id, "odometerMiles": wish.odometer_miles, "customerAgrees": wish.signed.right_to_unwind });
        // A sale that is unwound costs the customer nothing; the law lets the store keep something of a return.
        if let Some((right, driven)) = handed_over.as_ref().and_then(|d| d.return_right.as_ref().zip(Some(d.driven(wish.odometer_miles))))
            && state == DealState::Returned
        {
            let charges = right.charges(driven);
            let done = CarReturned { at: tx.now(), odometer_miles: wish.odometer_miles, charges };
            delivery::record_return(tx.conn(), deal.id, &done).await?;
            if let Value::Object(map) = &mut detail {
                map.insert("restockingFee".into(), json!(charges.restocking));
                map.insert("mileageFee".into(), json!(charges.mileage));
                map.insert("refund".into(), json!(right.settle(driven, charges).refund));
            }
        }
        let mut deal = before.deal.clone();
        deal.state = state;
        deal.lost_reason = wish.reason.map(ToOwned::to_owned);
        deal.ended_at = Some(tx.now());
        let verb = if state == DealState::Returned { "returned" } else { "unwound" };
        self.write(tx, &before, Change::of(deal, verb, detail)).await
    }

    /// Whether the law asks for no odometer statement on the deal's car today.
    pub async fn odometer_exempt(&self, scope: &Scope, deal: DealId) -> Result<bool, DbError> {
        let car = delivery::car_and_day(&mut *self.db.read().await?, scope, deal, self.db.now()).await?;
        Ok(car.is_some_and(|(model_year, today)| !odometer_statement_needed(model_year, today)))
    }

    /// The hand-over of a deal, if there was one.
    pub async fn delivery(&self, scope: &Scope, deal: DealId) -> Result<Option<Delivery>, DbError> {
        delivery::find(&mut *self.db.read().await?, &self.sealer, scope, deal).await
    }
}

fn in_time(until: Option<LastDay>, before: &OnTable) -> Result<LastDay, DealError> {
    let message = match until {
        Some(until) if until.day >= before.today => return Ok(until),
        Some(until) => format!("The last day to call off this sale was {}: wait for the lender.", until.day),
        None => "No last day to call off such a delivery is known here: wait for the lender, or have the store's days entered.".into(),
    };
    Err(Refusal::new(RefusalCode::SpotNotAllowed, "spotReason", message).of(before.deal.id).into())
}

fn odometer_not_below(before: &OnTable, known: Option<i32>, read: i32) -> Result<(), DealError> {
    match known.filter(|known| read < *known) {
        Some(known) => {
            let message = format!("The odometer showed {known} miles before: read it again.");
            Err(Refusal::new(RefusalCode::OutOfBounds, "odometerMiles", message).of(before.deal.id).into())
        }
        None => Ok(()),
    }
}
