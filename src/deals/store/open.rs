//! What opening a deal needs to know, and the first row.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::model::{Deal, Figures};
use crate::deals::pricing::Car;
use crate::inventory::{VehicleCondition, VehicleStatus};
use crate::kernel::id::{CustomerId, GroupId, StoreId, VehicleId};
use crate::kernel::money::{Cents, Currency};

/// The buyer, as far as figures depend on them.
#[derive(Debug)]
pub(in crate::deals) struct Buyer {
    pub(in crate::deals) id: CustomerId,
    pub(in crate::deals) store_id: StoreId,
    pub(in crate::deals) group_id: GroupId,
    pub(in crate::deals) state: Option<String>,
    pub(in crate::deals) postal_code: Option<String>,
    pub(in crate::deals) credit_tier: Option<String>,
    /// What they said they would pay down, in their own words' normal form ("2000.00").
    pub(in crate::deals) wished_down: Option<String>,
    /// The months they said.
    pub(in crate::deals) wished_term: Option<String>,
    /// The day at the store.
    pub(in crate::deals) today: NaiveDate,
}

/// Reads the buyer. A merged customer stands for the one they were merged into.
pub(in crate::deals) async fn buyer(
    conn: &mut PgConnection,
    scope: &Scope,
    id: CustomerId,
    now: DateTime<Utc>,
) -> Result<Option<Buyer>, DbError> {
    let row = sqlx::query_as!(
        Buyer,
        r#"SELECT c.id AS "id: _", c.store_id AS "store_id: _", s.group_id AS "group_id: _", c.state, c.postal_code, c.credit_tier,
             (SELECT p.value FROM preference p WHERE p.customer_id = c.id AND p.attribute = 'DOWN_PAYMENT' AND p.kind = 'STATED'
                AND p.withdrawn_at IS NULL AND (p.expires_at IS NULL OR p.expires_at > $3) ORDER BY p.at DESC LIMIT 1) AS wished_down,
             (SELECT p.value FROM preference p WHERE p.customer_id = c.id AND p.attribute = 'TERM_MONTHS' AND p.kind = 'STATED'
                AND p.withdrawn_at IS NULL AND (p.expires_at IS NULL OR p.expires_at > $3) ORDER BY p.at DESC LIMIT 1) AS wished_term,
             ($3::timestamptz AT TIME ZONE s.time_zone)::date AS "today!"
           FROM customer named JOIN customer c ON c.id = coalesce(named.merged_into, named.id) JOIN store s ON s.id = c.store_id
           WHERE named.id = $1 AND named.store_id = ANY($2) AND c.store_id = ANY($2)"#,
        id.0,
        scope.store_ids(),
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// A car with its currency.
#[derive(Debug)]
pub(in crate::deals) struct CarFound {
    pub(in crate::deals) car: Car,
    pub(in crate::deals) currency: Currency,
    /// What it cost the store.
    pub(in crate::deals) cost: Option<Cents>,
}

/// Reads a car of the group that the actor may see.
pub(in crate::deals) async fn car(
    conn: &mut PgConnection,
    scope: &Scope,
    group: GroupId,
    id: VehicleId,
) -> Result<Option<CarFound>, DbError> {
    let row = sqlx::query!(
        r#"SELECT v.id AS "id: VehicleId", v.vin, v.stock_number, v.condition AS "condition: VehicleCondition", v.status AS "status: VehicleStatus",
             v.model_year, v.make, v.model, v."trim", v.fuel, v.odometer_miles, v.price_cents AS "price: Cents", v.msrp_cents AS "msrp: Cents",
             v.invoice_cents AS "invoice: Cents", v.currency AS "currency: Currency", v.cost_cents AS "cost: Cents"
           FROM vehicle v JOIN store s ON s.id = v.store_id
           WHERE v.id = $1 AND v.store_id = ANY($2) AND s.group_id = $3"#,
        id.0,
        scope.store_ids(),
        group.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| CarFound {
        currency: row.currency,
        cost: row.cost,
        car: Car {
            id: row.id,
            vin: row.vin,
            stock_number: row.stock_number,
            condition: row.condition,
            status: row.status,
            model_year: row.model_year,
            make: row.make,
            model: row.model,
            trim: row.trim,
            fuel: row.fuel,
            odometer_miles: row.odometer_miles,
            price: row.price,
            msrp: row.msrp,
            invoice: row.invoice,
        },
    }))
}

/// Who has a VIN now: the sentence's parts, for an answer that can be said aloud.
pub(in crate::deals) async fn holder(
    conn: &mut PgConnection,
    group: GroupId,
    vin: &str,
    except: Uuid,
    store: StoreId,
) -> Result<Option<super::table::Taken>, DbError> {
    let row = sqlx::query!(
        r#"SELECT h.deal_id, o.number, to_char(h.placed_at AT TIME ZONE s.time_zone, 'HH24:MI') AS "at!", (h.reason = 'CONTRACT') AS "sold!"
           FROM vehicle_hold h JOIN deal o ON o.id = h.deal_id JOIN store s ON s.id = $4
           WHERE h.group_id = $1 AND h.vin = $2 AND h.released_at IS NULL AND h.deal_id <> $3"#,
        group.0,
        vin,
        except,
        store.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| super::table::Taken { by: row.deal_id.into(), number: row.number, at: row.at, sold: row.sold }))
}

/// Inserts a deal. Its number is given by the database.
pub(in crate::deals) async fn insert(conn: &mut PgConnection, deal: &Deal, figures: Option<&Figures>) -> Result<i64, DbError> {
    let terms = &deal.terms;
    let lines = sqlx::types::Json(figures.map(|f| f.lines.as_slice()).unwrap_or_default());
    let number = sqlx::query_scalar!(
        "INSERT INTO deal (id, store_id, customer_id, vehicle_id, salesperson_id, state, version, kind, currency, price_cents, down_payment_cents,
           manufacturer_rebate_cents, dealer_rebate_cents, term_months, annual_miles, credit_tier, buyer_jurisdiction, first_payment_days,
           tax_cents, fees_cents, amount_financed_cents, payment_cents, payment_is_estimate, total_price_cents, figures_verified, figure_lines,
           opened_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $27)
         RETURNING number",
        deal.id.0,
        deal.store_id.0,
        deal.customer_id.0,
        deal.vehicle_id.0,
        deal.salesperson_id.0,
        deal.state.as_str(),
        deal.version,
        terms.kind.as_str(),
        terms.currency.as_str(),
        terms.price.0,
        terms.down_payment.0,
        terms.manufacturer_rebate.0,
        terms.dealer_rebate.0,
        terms.term_months,
        terms.annual_miles,
        terms.credit_tier,
        terms.buyer_jurisdiction,
        terms.first_payment_days,
        deal.figures.map(|f| f.tax.0),
        deal.figures.map(|f| f.fees.0),
        deal.figures.map(|f| f.amount_financed.0),
        deal.figures.and_then(|f| f.payment).map(|c| c.0),
        deal.figures.is_none_or(|f| f.payment_is_estimate),
        deal.figures.map(|f| f.total_price.0),
        figures.is_some_and(|f| f.verified),
        lines as _,
        deal.opened_at,
    )
    .fetch_one(conn)
    .await?;
    Ok(number)
}
