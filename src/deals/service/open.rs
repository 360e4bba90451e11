//! Opening a deal: a customer, a car, and defaults from what the customer said.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use serde_json::json;

use super::{Answer, DealError, Deals, Refusal, RefusalCode};
use crate::auth::Actor;
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, Tx};
use crate::deals::model::{Deal, DealKind, Structure, Terms};
use crate::deals::plan::PaymentPlan;
use crate::deals::pricing::Case;
use crate::deals::states::DealState;
use crate::deals::store::open::{self, Buyer};
use crate::kernel::id::{CustomerId, DealId, VehicleId};
use crate::kernel::money::Cents;

/// The term when the customer named none.
const TERM_DEFAULT: i32 = 60;
/// Miles a year when the customer named none; the base of lease residuals.
const MILES_DEFAULT: i32 = 12_000;
/// The tier when none is known: quotes are estimates until a lender decides.
const TIER_DEFAULT: &str = "A";

/// A wish to open a deal.
#[derive(Debug, Clone, Serialize)]
pub struct OpenDeal {
    /// Who buys.
    pub customer_id: CustomerId,
    /// Which car.
    pub vehicle_id: VehicleId,
    /// Cash, retail or lease; retail when not said.
    pub kind: Option<DealKind>,
    /// Another price than the asking price.
    pub price: Option<Cents>,
    /// The tablet's key.
    #[serde(skip)]
    pub key: String,
}

impl Deals {
    /// Opens a deal as `DRAFT`, priced where the rules allow it.
    pub async fn open(&self, actor: &Actor, by: By, wish: OpenDeal) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.key, "dealOpen", &wish, async |tx: &mut Tx| self.open_in(tx, actor, &wish).await).await
    }

    async fn open_in(&self, tx: &mut Tx, actor: &Actor, wish: &OpenDeal) -> Result<Answer, DealError> {
        let (now, scope) = (tx.now(), actor.selling_scope());
        let buyer = open::buyer(tx.conn(), &scope, wish.customer_id, now)
            .await?
            .ok_or_else(|| Refusal::not_found("customerId", "There is no such customer in your stores."))?;
        let found = open::car(tx.conn(), &scope, buyer.group_id, wish.vehicle_id)
            .await?
            .ok_or_else(|| Refusal::not_found("vehicleId", "There is no such vehicle in your stores."))?;
        let (car, currency) = (found.car, found.currency);
        let id: DealId = self.db.new_id();
        if !car.status.is_free() {
            let taken = open::holder(tx.conn(), buyer.group_id, &car.vin, id.0, buyer.store_id).await?;
            return Err(Refusal::vehicle_taken(&car.title(), taken.as_ref()).into());
        }
        let store = self.dealers.store(buyer.store_id);
        if store.as_ref().is_some_and(|store| store.currency != currency) {
            return Err(Refusal::new(RefusalCode::CurrencyMismatch, "vehicleId", "This car is priced in another currency.").into());
        }
        let price = wish.price.or(car.price).ok_or_else(|| {
            Refusal::new(RefusalCode::PriceMissing, "price", format!("This {} has no price yet. Say what it is to cost.", car.title()))
        })?;
        let jurisdiction = self
            .desk
            .jurisdiction_of(buyer.state.as_deref(), buyer.postal_code.as_deref())
            .or_else(|| store.map(|store| store.tax_jurisdiction.clone()))
            .unwrap_or_default();
        let structure = Structure {
            terms: Terms {
                kind: wish.kind.unwrap_or(DealKind::Retail),
                currency,
                price,
                down_payment: wished_down(&buyer, price),
                manufacturer_rebate: Cents::ZERO,
                dealer_rebate: Cents::ZERO,
                term_months: Some(wished_term(&buyer)),
                annual_miles: Some(MILES_DEFAULT),
                credit_tier: buyer.credit_tier.clone().unwrap_or_else(|| TIER_DEFAULT.into()),
                buyer_jurisdiction: jurisdiction,
                first_payment_days: 30,
                plan: PaymentPlan::default(),
                fee_waivers: Vec::new(),
            },
            trade_ins: Vec::new(),
            products: Vec::new(),
        };
        structure.check()?;
        let case = Case { store_id: buyer.store_id, group_id: buyer.group_id, car: &car, structure: &structure, today: buyer.today };
        // A place without tax rows yet is no reason not to begin: the next steps say what is missing.
        let figures = self.desk.figures(&case).ok();
        let deal = Deal {
            id,
            number: 0,
            store_id: buyer.store_id,
            customer_id: buyer.id,
            vehicle_id: car.id,
            salesperson_id: actor.user_id(),
            state: DealState::Draft,
            version: 1,
            terms: structure.terms,
            figures: figures.as_ref().map(crate::deals::model::Figures::headline),
            accepted_finance_quote_id: None,
            accepted_insurance_quote_id: None,
            lost_reason: None,
            lost_reason_code: None,
            opened_at: now,
            presented_at: None,
            agreed_at: None,
            contracted_at: None,
            ended_at: None,
            updated_at: now,
        };
        let number = open::insert(tx.conn(), &deal, figures.as_ref()).await?;
        tx.audit(AuditEvent {
            store_id: Some(deal.store_id.0),
            subject: Subject::Deal,
            subject_id: id.0,
            verb: "opened",
            detail: json!({ "number": number, "vehicleId": car.id, "customerId": buyer.id, "price": deal.terms.price,
                            "downPayment": deal.terms.down_payment, "termMonths": deal.terms.term_months, "after": deal.figures, "version": 1 }),
        });
        tx.notify(deal.store_id.0, Subject::Deal, id.0, 1);
        tx.notify(deal.store_id.0, Subject::Customer, buyer.id.0, 0);
        Ok(Answer::done(id))
    }
}

/// What the customer said they would put down, if it makes sense for this price.
fn wished_down(buyer: &Buyer, price: Cents) -> Cents {
    let stated = buyer.wished_down.as_deref().and_then(|text| Decimal::from_str_exact(text).ok()).and_then(Cents::from_decimal_exact);
    stated.filter(|down| (Cents::ZERO..=price).contains(down)).unwrap_or_default()
}

fn wished_term(buyer: &Buyer) -> i32 {
    let stated = buyer.wished_term.as_deref().and_then(|text| Decimal::from_str_exact(text).ok()).and_then(|months| months.to_i32());
    stated.filter(|months| (1..=120).contains(months)).unwrap_or(TERM_DEFAULT)
}
