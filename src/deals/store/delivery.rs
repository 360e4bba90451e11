//! Hand-overs.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sqlx::PgConnection;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::delivery::{Delivery, InsuranceCard, LastDay, OdometerBrand, PolicyNumber, ReturnRight, Spot};
use crate::deals::settlement::{CarReturned, ReturnCharges};
use crate::finance::ReturnFees;
use crate::insurance::CardCover;
use crate::inventory::VehicleStatus;
use crate::kernel::id::{DealId, LenderId, StoreId};
use crate::kernel::money::Cents;
use crate::kernel::seal::Sealer;

/// What the number of a policy is sealed for: copied to another store's hand-over it does not open.
fn policy_context(store: StoreId) -> String {
    format!("deal_delivery.policy_number/{store}")
}

/// The day a deal was signed, at its store.
pub(in crate::deals) async fn contracted_on(conn: &mut PgConnection, deal: DealId) -> Result<Option<NaiveDate>, DbError> {
    let day = sqlx::query_scalar!(
        "SELECT (d.contracted_at AT TIME ZONE s.time_zone)::date FROM deal d JOIN store s ON s.id = d.store_id WHERE d.id = $1",
        deal.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(day.flatten())
}

/// What the customer paid when the deal was signed: what the accepted quote asked for then; of a cash deal everything.
pub(in crate::deals) async fn paid_at_signing(conn: &mut PgConnection, deal: DealId) -> Result<Cents, DbError> {
    let paid = sqlx::query_scalar!(
        r#"SELECT greatest(0, coalesce(q.due_at_signing_cents, coalesce(d.amount_financed_cents, 0) + d.down_payment_cents)) AS "paid!: Cents"
           FROM deal d LEFT JOIN finance_quote q ON q.id = d.accepted_finance_quote_id WHERE d.id = $1"#,
        deal.0
    )
    .fetch_one(conn)
    .await?;
    Ok(paid)
}

/// Records that the car of a delivered deal came back.
pub(in crate::deals) async fn record_return(conn: &mut PgConnection, deal: DealId, done: &CarReturned) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE deal_delivery SET returned_at = $2, returned_odometer_miles = $3, restocking_fee_cents = $4, mileage_fee_cents = $5
         WHERE deal_id = $1",
        deal.0,
        done.at,
        done.odometer_miles,
        done.charges.restocking.0,
        done.charges.mileage.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The model year of a deal's car, and what day it is at the deal's store.
pub(in crate::deals) async fn car_and_day(
    conn: &mut PgConnection,
    scope: &Scope,
    deal: DealId,
    now: DateTime<Utc>,
) -> Result<Option<(i32, NaiveDate)>, DbError> {
    let row = sqlx::query!(
        r#"SELECT v.model_year, ($3::timestamptz AT TIME ZONE s.time_zone)::date AS "today!"
           FROM deal d JOIN vehicle v ON v.id = d.vehicle_id JOIN store s ON s.id = d.store_id WHERE d.id = $1 AND d.store_id = ANY($2)"#,
        deal.0,
        scope.store_ids(),
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.model_year, row.today)))
}

/// Records a hand-over.
pub(in crate::deals) async fn insert(
    conn: &mut PgConnection,
    sealer: &Sealer,
    store: StoreId,
    deal: DealId,
    delivery: &Delivery,
) -> Result<(), DbError> {
    let card = delivery.insurance.as_ref();
    let cover = card.map(|c| c.cover).unwrap_or_default();
    let (spot, back) = (delivery.spot.as_ref(), delivery.return_right.as_ref());
    let (restocking, mileage) = (back.and_then(|r| r.fees.restocking), back.and_then(|r| r.fees.mileage));
    sqlx::query!(
        "INSERT INTO deal_delivery (deal_id, store_id, delivered_at, odometer_miles, status_before, spot_reason, spot_deadline, spot_source,
           spot_verified, return_until, return_max_miles, return_source, return_verified, odometer_brand, insurer, policy_number_sealed, insured_from,
           insured_until, return_price_cents, return_paid_cents, return_restock_percent, return_restock_min_cents, return_restock_max_cents,
           return_mile_fee_cents, return_mile_fee_free, return_mile_fee_max_cents, return_mile_fee_verified,
           comprehensive_deductible_cents, collision_deductible_cents, bodily_injury_person_cents, bodily_injury_accident_cents,
           property_damage_cents, loss_payee_id, additional_insured_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27,
           $28, $29, $30, $31, $32, $33, $34)",
        deal.0,
        store.0,
        delivery.at,
        delivery.odometer_miles,
        delivery.status_before.as_str(),
        spot.map(|s| s.reason.as_str()),
        spot.map(|s| s.until.day),
        spot.map(|s| s.until.source.as_str()),
        spot.map(|s| s.until.verified),
        back.map(|r| r.until.day),
        back.and_then(|r| r.max_miles),
        back.map(|r| r.until.source.as_str()),
        back.map(|r| r.until.verified),
        delivery.odometer_brand.map(OdometerBrand::as_str),
        card.map(|c| c.insurer.as_str()),
        card.map(|c| sealer.seal(&policy_context(store), c.policy.0.as_bytes())),
        card.map(|c| c.from),
        card.and_then(|c| c.until),
        back.map(|r| r.price.0),
        back.map(|r| r.paid.0),
        restocking.map(|fee| fee.percent),
        restocking.and_then(|fee| fee.min).map(|least| least.0),
        restocking.and_then(|fee| fee.max).map(|most| most.0),
        mileage.map(|fee| fee.per_mile.0),
        mileage.map(|fee| fee.free_miles),
        mileage.and_then(|fee| fee.max).map(|most| most.0),
        mileage.map(|fee| fee.verified),
        cover.comprehensive_deductible.map(|c| c.0),
        cover.collision_deductible.map(|c| c.0),
        cover.bodily_injury_person.map(|c| c.0),
        cover.bodily_injury_accident.map(|c| c.0),
        cover.property_damage.map(|c| c.0),
        cover.loss_payee.map(|lender| lender.0),
        cover.additional_insured.map(|lender| lender.0),
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    store_id: StoreId,
    delivered_at: DateTime<Utc>,
    odometer_miles: i32,
    status_before: VehicleStatus,
    spot_reason: Option<String>,
    spot_deadline: Option<NaiveDate>,
    spot_source: Option<String>,
    spot_verified: Option<bool>,
    return_until: Option<NaiveDate>,
    return_max_miles: Option<i32>,
    return_source: Option<String>,
    return_verified: Option<bool>,
    odometer_brand: Option<OdometerBrand>,
    insurer: Option<String>,
    policy_number_sealed: Option<Vec<u8>>,
    insured_from: Option<NaiveDate>,
    insured_until: Option<NaiveDate>,
    return_price: Option<Cents>,
    return_paid: Option<Cents>,
    restock_percent: Option<Decimal>,
    restock_min: Option<Cents>,
    restock_max: Option<Cents>,
    mile_fee: Option<Cents>,
    mile_fee_free: Option<i32>,
    mile_fee_max: Option<Cents>,
    mile_fee_verified: Option<bool>,
    returned_at: Option<DateTime<Utc>>,
    returned_odometer_miles: Option<i32>,
    restocking_fee: Option<Cents>,
    mileage_fee: Option<Cents>,
    comprehensive_deductible: Option<Cents>,
    collision_deductible: Option<Cents>,
    bodily_injury_person: Option<Cents>,
    bodily_injury_accident: Option<Cents>,
    property_damage: Option<Cents>,
    loss_payee: Option<LenderId>,
    additional_insured: Option<LenderId>,
}

/// The hand-over of a deal.
pub(in crate::deals) async fn find(
    conn: &mut PgConnection,
    sealer: &Sealer,
    scope: &Scope,
    deal: DealId,
) -> Result<Option<Delivery>, DbError> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT store_id AS "store_id: _", delivered_at, odometer_miles, status_before AS "status_before: _", spot_reason, spot_deadline, spot_source, spot_verified,
             return_until, return_max_miles, return_source, return_verified, odometer_brand AS "odometer_brand: _", insurer, policy_number_sealed,
             insured_from, insured_until, return_price_cents AS "return_price: _", return_paid_cents AS "return_paid: _",
             return_restock_percent AS restock_percent, return_restock_min_cents AS "restock_min: _", return_restock_max_cents AS "restock_max: _",
             return_mile_fee_cents AS "mile_fee: _", return_mile_fee_free AS mile_fee_free, return_mile_fee_max_cents AS "mile_fee_max: _",
             return_mile_fee_verified AS mile_fee_verified, returned_at, returned_odometer_miles, restocking_fee_cents AS "restocking_fee: _",
             mileage_fee_cents AS "mileage_fee: _", comprehensive_deductible_cents AS "comprehensive_deductible: _",
             collision_deductible_cents AS "collision_deductible: _", bodily_injury_person_cents AS "bodily_injury_person: _",
             bodily_injury_accident_cents AS "bodily_injury_accident: _", property_damage_cents AS "property_damage: _",
             loss_payee_id AS "loss_payee: _", additional_insured_id AS "additional_insured: _"
           FROM deal_delivery WHERE deal_id = $1 AND store_id = ANY($2)"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| row.open(sealer)).transpose()
}

impl Row {
    fn open(self, sealer: &Sealer) -> Result<Delivery, DbError> {
        let row = self;
        let insurance = match (row.insurer, row.policy_number_sealed, row.insured_from) {
            (Some(insurer), Some(sealed), Some(from)) => {
                let corrupt = || DbError::Corrupt("a policy's number does not open".into());
                let plain = sealer.open(&policy_context(row.store_id), &sealed).map_err(|_| corrupt())?;
                let policy = PolicyNumber(String::from_utf8(plain).map_err(|_| corrupt())?);
                let cover = CardCover {
                    comprehensive_deductible: row.comprehensive_deductible,
                    collision_deductible: row.collision_deductible,
                    bodily_injury_person: row.bodily_injury_person,
                    bodily_injury_accident: row.bodily_injury_accident,
                    property_damage: row.property_damage,
                    loss_payee: row.loss_payee,
                    additional_insured: row.additional_insured,
                };
                Some(InsuranceCard { insurer, policy, from, until: row.insured_until, cover })
            }
            _ => None,
        };
        let last = |day: Option<NaiveDate>, source: Option<String>, verified: Option<bool>| {
            Some(LastDay { day: day?, source: source?, verified: verified? })
        };
        let until = last(row.spot_deadline, row.spot_source, row.spot_verified);
        let fees = ReturnFees::stored(
            (row.restock_percent, row.restock_min, row.restock_max),
            (row.mile_fee, row.mile_fee_free, row.mile_fee_max, row.mile_fee_verified),
        );
        let back = last(row.return_until, row.return_source, row.return_verified).zip(row.return_price.zip(row.return_paid));
        let charges = row.restocking_fee.zip(row.mileage_fee).map(|(restocking, mileage)| ReturnCharges { restocking, mileage });
        let returned = row.returned_at.zip(row.returned_odometer_miles).zip(charges);
        Ok(Delivery {
            at: row.delivered_at,
            odometer_miles: row.odometer_miles,
            odometer_brand: row.odometer_brand,
            insurance,
            status_before: row.status_before,
            spot: row.spot_reason.zip(until).map(|(reason, until)| Spot { reason, until }),
            return_right: back.map(|(until, (price, paid))| ReturnRight { until, max_miles: row.return_max_miles, price, paid, fees }),
            returned: returned.map(|((at, odometer_miles), charges)| CarReturned { at, odometer_miles, charges }),
        })
    }
}
