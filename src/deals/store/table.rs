//! The deal on the table: read with everything a change needs, and written back.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::record::{ProductRow, TradeInRow};
use crate::auth::{Actor, Scope};
use crate::db::idempotency::Keyed;
use crate::db::{By, DbError};
use crate::deals::approval::{ApprovalLevel, ApprovalStatus, Finding, Standing};
use crate::deals::model::{Deal, DealKind, DealProduct, FigureLine, Figures, Headline, LostReason, QuoteStatus, Structure, Terms, TradeIn};
use crate::deals::plan::PaymentPlan;
use crate::deals::pricing::Car;
use crate::deals::states::DealState;
use crate::finance::FeeWaiver;
use crate::inventory::{VehicleCondition, VehicleStatus};
use crate::kernel::id::{
    CustomerId, DealId, FinanceQuoteId, GroupId, InsuranceQuoteId, ProductId, SessionId, StoreId, TradeInId, UserId, VehicleId,
};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::rate::Rate;

/// A deal with everything a change of it needs.
#[derive(Debug, Clone)]
pub(in crate::deals) struct OnTable {
    pub(in crate::deals) deal: Deal,
    pub(in crate::deals) structure: Structure,
    /// The figures as they were stored, with their lines.
    pub(in crate::deals) figures: Option<Figures>,
    pub(in crate::deals) car: Car,
    pub(in crate::deals) taken: Option<Taken>,
    /// The accepted finance quote can still be used.
    pub(in crate::deals) quote_accepted: bool,
    /// What the car cost the store.
    pub(in crate::deals) cost: Option<Cents>,
    /// What the store adds to the lender's rate in the accepted quote.
    pub(in crate::deals) markup: Option<Rate>,
    /// The latest question to a manager.
    pub(in crate::deals) approval: Option<Standing>,
    /// What the customer said to the menu is about what stands now.
    pub(in crate::deals) menu_decided: bool,
    /// The device that has the deal open now.
    pub(in crate::deals) holder: Option<Holder>,
    pub(in crate::deals) group_id: GroupId,
    /// The day at the store.
    pub(in crate::deals) today: NaiveDate,
    /// When that day ends.
    pub(in crate::deals) today_ends: DateTime<Utc>,
    /// The version of the car's record.
    pub(in crate::deals) vehicle_version: i32,
}

/// The device that has a deal open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deals) struct Holder {
    pub(in crate::deals) session_id: SessionId,
    pub(in crate::deals) user_name: String,
    pub(in crate::deals) device_label: Option<String>,
}

impl OnTable {
    /// The deal as it was written. Of what is not its own (a hold, a manager's answer, who has it open) it knows nothing.
    pub(in crate::deals) fn written(&self, saved: &Saved, version: i32) -> Self {
        let Saved { deal, figures, .. } = saved;
        Self {
            deal: Deal { version, ..deal.clone() },
            structure: Structure { terms: deal.terms.clone(), ..self.structure.clone() },
            figures: figures.clone().or_else(|| self.figures.clone()),
            taken: None,
            quote_accepted: false,
            markup: None,
            approval: None,
            menu_decided: false,
            holder: None,
            car: self.car.clone(),
            ..*self
        }
    }

    /// Another device than this actor's has the deal open.
    pub(in crate::deals) fn held_from(&self, actor: &Actor) -> bool {
        self.holder.as_ref().is_some_and(|holder| actor.session_id() != Some(holder.session_id))
    }
}

/// The other deal that has the car.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deals) struct Taken {
    pub(in crate::deals) by: DealId,
    pub(in crate::deals) number: i64,
    /// The time of day at the store, `14:02`.
    pub(in crate::deals) at: String,
    /// Signed, not only held.
    pub(in crate::deals) sold: bool,
}

struct Row {
    id: DealId,
    number: i64,
    store_id: StoreId,
    customer_id: CustomerId,
    vehicle_id: VehicleId,
    salesperson_id: UserId,
    state: DealState,
    version: i32,
    kind: DealKind,
    currency: Currency,
    price_cents: Cents,
    down_payment_cents: Cents,
    manufacturer_rebate_cents: Cents,
    dealer_rebate_cents: Cents,
    term_months: Option<i32>,
    annual_miles: Option<i32>,
    credit_tier: String,
    buyer_jurisdiction: String,
    first_payment_days: i32,
    payment_plan: Option<Json<PaymentPlan>>,
    fee_waivers: Option<Json<Vec<FeeWaiver>>>,
    tax_cents: Option<Cents>,
    fees_cents: Option<Cents>,
    amount_financed_cents: Option<Cents>,
    payment_cents: Option<Cents>,
    payment_is_estimate: bool,
    total_price_cents: Option<Cents>,
    figures_verified: bool,
    figure_lines: Json<Vec<FigureLine>>,
    accepted_finance_quote_id: Option<FinanceQuoteId>,
    accepted_insurance_quote_id: Option<InsuranceQuoteId>,
    lost_reason: Option<String>,
    lost_reason_code: Option<LostReason>,
    opened_at: DateTime<Utc>,
    presented_at: Option<DateTime<Utc>>,
    agreed_at: Option<DateTime<Utc>>,
    contracted_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
    vin: String,
    stock_number: String,
    condition: VehicleCondition,
    status: VehicleStatus,
    model_year: i32,
    make: String,
    model: String,
    trim: Option<String>,
    fuel: Option<String>,
    odometer_miles: Option<i32>,
    car_price: Option<Cents>,
    msrp: Option<Cents>,
    invoice: Option<Cents>,
    group_id: GroupId,
    today: NaiveDate,
    today_ends: DateTime<Utc>,
    vehicle_version: i32,
    holder: Option<DealId>,
    holder_number: Option<i64>,
    held_at: Option<String>,
    hold_is_contract: Option<bool>,
    quote_status: Option<QuoteStatus>,
    quote_expires_at: Option<DateTime<Utc>>,
    holder_session: Option<SessionId>,
    holder_name: Option<String>,
    holder_device: Option<String>,
    cost: Option<Cents>,
    markup: Option<rust_decimal::Decimal>,
    approval_status: Option<ApprovalStatus>,
    approval_level: Option<ApprovalLevel>,
    approval_expires_at: Option<DateTime<Utc>>,
    approval_findings: Option<Json<Vec<Finding>>>,
    approval_hash: Option<Vec<u8>>,
    menu_decided: bool,
    trade_ins: Vec<TradeInRow>,
    products: Vec<ProductRow>,
}

/// Locks a deal until the transaction ends, then reads it.
pub(in crate::deals) async fn lock(
    conn: &mut PgConnection,
    scope: &Scope,
    id: DealId,
    now: DateTime<Utc>,
) -> Result<Option<OnTable>, DbError> {
    // The row alone first: what is read after the wait for the lock is then of one moment.
    sqlx::query!("SELECT FROM deal WHERE id = $1 AND store_id = ANY($2) FOR UPDATE", id.0, scope.store_ids()).execute(&mut *conn).await?;
    read(conn, scope, id, now).await
}

/// Reads a deal. Whoever changes it without having locked it must name the version it read.
pub(in crate::deals) async fn read(
    conn: &mut PgConnection,
    scope: &Scope,
    id: DealId,
    now: DateTime<Utc>,
) -> Result<Option<OnTable>, DbError> {
    Ok(read_many(conn, scope, &[id.0], now).await?.pop())
}

/// Reads deals, in no particular order.
pub(in crate::deals) async fn read_many(
    conn: &mut PgConnection,
    scope: &Scope,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<OnTable>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT d.id AS "id: _", d.number, d.store_id AS "store_id: _", d.customer_id AS "customer_id: _", d.vehicle_id AS "vehicle_id: _",
             d.salesperson_id AS "salesperson_id: _", d.state AS "state: _", d.version, d.kind AS "kind: _", d.currency AS "currency: _",
             d.price_cents AS "price_cents: _", d.down_payment_cents AS "down_payment_cents: _",
             d.manufacturer_rebate_cents AS "manufacturer_rebate_cents: _", d.dealer_rebate_cents AS "dealer_rebate_cents: _",
             d.term_months, d.annual_miles, d.credit_tier, d.buyer_jurisdiction, d.first_payment_days, d.payment_plan AS "payment_plan: _", d.fee_waivers AS "fee_waivers: _",
             d.tax_cents AS "tax_cents: _", d.fees_cents AS "fees_cents: _", d.amount_financed_cents AS "amount_financed_cents: _",
             d.payment_cents AS "payment_cents: _", d.payment_is_estimate, d.total_price_cents AS "total_price_cents: _",
             d.figures_verified, d.figure_lines AS "figure_lines: _",
             d.accepted_finance_quote_id AS "accepted_finance_quote_id: _", d.accepted_insurance_quote_id AS "accepted_insurance_quote_id: _",
             d.lost_reason, d.lost_reason_code AS "lost_reason_code: _", d.opened_at, d.presented_at, d.agreed_at, d.contracted_at, d.ended_at, d.updated_at,
             v.vin, v.stock_number, v.condition AS "condition: _", v.status AS "status: _", v.model_year, v.make, v.model, v."trim", v.fuel, v.odometer_miles,
             v.price_cents AS "car_price: _", v.msrp_cents AS "msrp: _", v.invoice_cents AS "invoice: _",
             s.group_id AS "group_id: _", ($3::timestamptz AT TIME ZONE s.time_zone)::date AS "today!", v.version AS vehicle_version,
             (($3 AT TIME ZONE s.time_zone)::date + 1)::timestamp AT TIME ZONE s.time_zone AS "today_ends!",
             h.deal_id AS "holder?: _", o.number AS "holder_number?", to_char(h.placed_at AT TIME ZONE s.time_zone, 'HH24:MI') AS "held_at?",
             (h.reason = 'CONTRACT') AS "hold_is_contract?", q.status AS "quote_status?: _", q.expires_at AS "quote_expires_at?",
             seat.session_id AS "holder_session?: _", seat.user_name AS "holder_name?", seat.device_label AS "holder_device?",
             v.cost_cents AS "cost: _", (q.sell_rate - q.buy_rate) AS "markup?", a.status AS "approval_status?: _", a.level AS "approval_level?: _",
             a.expires_at AS "approval_expires_at?", a.findings AS "approval_findings?: _", a.figures_hash AS "approval_hash?",
             EXISTS (SELECT FROM (SELECT basis FROM menu_decision WHERE deal_id = d.id ORDER BY round DESC LIMIT 1) m
               WHERE m.basis = menu_basis(d.id, d.vehicle_id, d.kind, d.price_cents)) AS "menu_decided!",
             ARRAY(SELECT ROW(t.id, t.vin, t.model_year, t.make, t.model, t.odometer_miles, t.allowance_cents, t.actual_cash_value_cents,
                     t.payoff_cents, t.payoff_good_through, t.payoff_per_diem_cents)
                   FROM trade_in t WHERE t.deal_id = d.id ORDER BY t.ordinal) AS "trade_ins!: _",
             ARRAY(SELECT ROW(p.product_id, p.price_cents) FROM deal_product p WHERE p.deal_id = d.id ORDER BY p.ordinal) AS "products!: _"
           FROM deal d
           JOIN store s ON s.id = d.store_id
           JOIN vehicle v ON v.id = d.vehicle_id
           LEFT JOIN vehicle_hold h ON h.group_id = s.group_id AND h.vin = v.vin AND h.released_at IS NULL AND h.deal_id <> d.id
             AND (h.expires_at IS NULL OR h.expires_at > $3)
           LEFT JOIN deal o ON o.id = h.deal_id
           LEFT JOIN finance_quote q ON q.id = d.accepted_finance_quote_id
           LEFT JOIN deal_seat seat ON seat.deal_id = d.id AND seat.expires_at > $3
           LEFT JOIN LATERAL (SELECT * FROM approval WHERE deal_id = d.id ORDER BY ordinal DESC LIMIT 1) a ON true
           WHERE d.id = ANY($1) AND d.store_id = ANY($2)"#,
        ids,
        scope.store_ids(),
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| on_table(row, now)).collect())
}

fn on_table(row: Row, now: DateTime<Utc>) -> OnTable {
    let terms = Terms {
        kind: row.kind,
        currency: row.currency,
        price: row.price_cents,
        down_payment: row.down_payment_cents,
        manufacturer_rebate: row.manufacturer_rebate_cents,
        dealer_rebate: row.dealer_rebate_cents,
        term_months: row.term_months,
        annual_miles: row.annual_miles,
        credit_tier: row.credit_tier,
        buyer_jurisdiction: row.buyer_jurisdiction,
        first_payment_days: row.first_payment_days,
        plan: row.payment_plan.map(|plan| plan.0).unwrap_or_default(),
        fee_waivers: row.fee_waivers.map(|waivers| waivers.0).unwrap_or_default(),
    };
    let headline = headline(
        row.tax_cents,
        row.fees_cents,
        row.total_price_cents,
        row.amount_financed_cents,
        row.payment_cents,
        row.payment_is_estimate,
    );
    let figures = headline.map(|h| Figures {
        tax: h.tax,
        fees: h.fees,
        total_price: h.total_price,
        amount_financed: h.amount_financed,
        payment: h.payment,
        payment_is_estimate: h.payment_is_estimate,
        verified: row.figures_verified,
        lines: row.figure_lines.0,
    });
    let structure = Structure {
        terms: terms.clone(),
        trade_ins: row.trade_ins.into_iter().map(TradeIn::from).collect(),
        products: row.products.into_iter().map(DealProduct::from).collect(),
    };
    let taken = match (row.holder, row.holder_number, row.held_at) {
        (Some(by), Some(number), Some(at)) => Some(Taken { by, number, at, sold: row.hold_is_contract.unwrap_or(false) }),
        _ => None,
    };
    let approval = standing(row.approval_status, row.approval_level, row.approval_expires_at, row.approval_findings, row.approval_hash);
    let holder = row.holder_session.zip(row.holder_name);
    OnTable {
        holder: holder.map(|(session_id, user_name)| Holder { session_id, user_name, device_label: row.holder_device }),
        cost: row.cost,
        markup: row.markup.and_then(Rate::from_percent),
        approval,
        menu_decided: row.menu_decided,
        deal: Deal {
            id: row.id,
            number: row.number,
            store_id: row.store_id,
            customer_id: row.customer_id,
            vehicle_id: row.vehicle_id,
            salesperson_id: row.salesperson_id,
            state: row.state,
            version: row.version,
            terms,
            figures: headline,
            accepted_finance_quote_id: row.accepted_finance_quote_id,
            accepted_insurance_quote_id: row.accepted_insurance_quote_id,
            lost_reason: row.lost_reason,
            lost_reason_code: row.lost_reason_code,
            opened_at: row.opened_at,
            presented_at: row.presented_at,
            agreed_at: row.agreed_at,
            contracted_at: row.contracted_at,
            ended_at: row.ended_at,
            updated_at: row.updated_at,
        },
        structure,
        figures,
        car: Car {
            id: row.vehicle_id,
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
            price: row.car_price,
            msrp: row.msrp,
            invoice: row.invoice,
        },
        taken,
        quote_accepted: row.quote_status == Some(QuoteStatus::Accepted) && row.quote_expires_at.is_some_and(|at| at > now),
        group_id: row.group_id,
        today: row.today,
        today_ends: row.today_ends,
        vehicle_version: row.vehicle_version,
    }
}

/// The latest question to a manager, if there is one.
pub(in crate::deals) fn standing(
    status: Option<ApprovalStatus>,
    level: Option<ApprovalLevel>,
    expires_at: Option<DateTime<Utc>>,
    findings: Option<Json<Vec<Finding>>>,
    figures_hash: Option<Vec<u8>>,
) -> Option<Standing> {
    Some(Standing { status: status?, level: level?, expires_at: expires_at?, findings: findings?.0, figures_hash })
}

/// The stored headline; the columns are set together or not at all.
pub(in crate::deals) fn headline(
    tax: Option<Cents>,
    fees: Option<Cents>,
    total_price: Option<Cents>,
    amount_financed: Option<Cents>,
    payment: Option<Cents>,
    payment_is_estimate: bool,
) -> Option<Headline> {
    Some(Headline { tax: tax?, fees: fees?, total_price: total_price?, amount_financed: amount_financed?, payment, payment_is_estimate })
}

impl From<TradeInRow> for TradeIn {
    fn from(row: TradeInRow) -> Self {
        Self {
            id: TradeInId(row.id),
            vin: row.vin,
            model_year: row.model_year,
            make: row.make,
            model: row.model,
            odometer_miles: row.odometer_miles,
            allowance: row.allowance,
            actual_cash_value: row.actual_cash_value,
            payoff: row.payoff,
            payoff_good_through: row.payoff_good_through,
            payoff_per_diem: row.payoff_per_diem,
        }
    }
}

impl From<ProductRow> for DealProduct {
    fn from(row: ProductRow) -> Self {
        Self { product_id: ProductId(row.product_id), price: row.price }
    }
}

/// Which quotes no longer fit. Where finance quotes do not, what was on the table changed, and a manager's answer falls too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::deals) struct Outdated {
    pub(in crate::deals) finance: bool,
    pub(in crate::deals) insurance: bool,
}

/// A changed deal as it is written.
#[derive(Debug)]
pub(in crate::deals) struct Saved {
    /// The deal; its version is the one that was read.
    pub(in crate::deals) deal: Deal,
    /// New figures; none leaves those stored.
    pub(in crate::deals) figures: Option<Figures>,
    pub(in crate::deals) outdated: Outdated,
    /// What was done, for the audit event.
    pub(in crate::deals) verb: &'static str,
    /// The figures of the audit event.
    pub(in crate::deals) detail: Value,
    /// Who did it.
    pub(in crate::deals) by: By,
    /// The key that is used up with it and the answer that is kept under it, unless the key was claimed before.
    pub(in crate::deals) remember: Option<(Keyed, Value)>,
    /// What else must still be as it was read; nothing where the deal was locked before it was read.
    pub(in crate::deals) basis: Option<Basis>,
}

/// What a change that was worked out without a lock depends on beside the deal.
#[derive(Debug, Clone, Copy)]
pub(in crate::deals) struct Basis {
    /// The car's record is still at this version.
    pub(in crate::deals) vehicle_version: i32,
    /// No other device than this session's has the deal open.
    pub(in crate::deals) session: Option<SessionId>,
}

impl Saved {
    fn terms(&self) -> &Terms {
        &self.deal.terms
    }

    fn headline(&self) -> Option<Headline> {
        self.deal.figures
    }

    fn key(&self) -> Option<&Keyed> {
        self.remember.as_ref().map(|(key, _)| key)
    }
}

/// Writes deals back, each with one version more, its audit event, its notice, and the answer under its key. Quotes become
/// `SUPERSEDED` when they no longer fit. One statement: all of it or nothing, but a deal that is no longer at the version that
/// was read, whose basis no longer holds, or that somebody is changing now, is passed over: nothing of it is written, and the others are. Nobody waits for a
/// lock, so that statements with many deals cannot block each other. Gives the new versions; `None` for a deal passed over.
pub(in crate::deals) async fn save(conn: &mut PgConnection, changes: &[Arc<Saved>]) -> Result<Vec<Option<i32>>, DbError> {
    fn each<'a, T>(changes: &'a [Arc<Saved>], column: impl Fn(&'a Saved) -> T) -> Vec<T> {
        changes.iter().map(|change| column(change)).collect()
    }
    let saved = sqlx::query!(
        r#"WITH news AS (
             SELECT n.* FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
               $9::bigint[], $10::int[], $11::int[], $12::text[], $13::text[], $14::int[], $15::bigint[], $16::bigint[], $17::bigint[],
               $18::bigint[], $19::bool[], $20::bigint[], $21::bool[], $22::json[], $23::uuid[], $24::uuid[], $25::text[],
               $26::timestamptz[], $27::timestamptz[], $28::timestamptz[], $29::timestamptz[], $30::timestamptz[], $31::jsonb[],
               $32::bool[], $33::bool[], $34::uuid[], $35::text[], $36::jsonb[], $37::text[], $38::uuid[], $39::text[], $40::text[],
               $41::bytea[], $42::json[], $43::jsonb[], $44::text[], $45::int[], $46::uuid[])
             WITH ORDINALITY AS n (id, version, vehicle_id, state, kind, price, down_payment, manufacturer_rebate,
               dealer_rebate, term_months, annual_miles, credit_tier, buyer_jurisdiction, first_payment_days, tax, fees, amount_financed,
               payment, payment_is_estimate, total_price, figures_verified, figure_lines, finance_quote_id, insurance_quote_id, lost_reason,
               presented_at, agreed_at, contracted_at, ended_at, at, payment_plan,
               finance_outdated, insurance_outdated, user_id, verb, detail, request_id, key_user, key, operation,
               request_hash, answer, fee_waivers, lost_reason_code, vehicle_version, session_id, nr)),
           free AS (
             SELECT n.* FROM news n JOIN deal d ON d.id = n.id AND d.version = n.version
             WHERE n.vehicle_version IS NULL OR (
               EXISTS (SELECT FROM vehicle v WHERE v.id = d.vehicle_id AND v.version = n.vehicle_version)
               AND NOT EXISTS (SELECT FROM deal_seat s WHERE s.deal_id = d.id AND s.expires_at > n.at AND s.session_id IS DISTINCT FROM n.session_id))
             FOR UPDATE OF d SKIP LOCKED),
           changed AS (
             UPDATE deal d SET version = d.version + 1, vehicle_id = n.vehicle_id, state = n.state, kind = n.kind, price_cents = n.price,
               down_payment_cents = n.down_payment, manufacturer_rebate_cents = n.manufacturer_rebate, dealer_rebate_cents = n.dealer_rebate,
               term_months = n.term_months, annual_miles = n.annual_miles, credit_tier = n.credit_tier,
               buyer_jurisdiction = n.buyer_jurisdiction, first_payment_days = n.first_payment_days, tax_cents = n.tax, fees_cents = n.fees,
               amount_financed_cents = n.amount_financed, payment_cents = n.payment, payment_is_estimate = n.payment_is_estimate,
               total_price_cents = n.total_price, figures_verified = coalesce(n.figures_verified, d.figures_verified),
               figure_lines = coalesce(n.figure_lines, d.figure_lines), accepted_finance_quote_id = n.finance_quote_id,
               accepted_insurance_quote_id = n.insurance_quote_id, lost_reason = n.lost_reason, presented_at = n.presented_at,
               agreed_at = n.agreed_at, contracted_at = n.contracted_at, ended_at = n.ended_at, updated_at = n.at,
               payment_plan = n.payment_plan, fee_waivers = n.fee_waivers, lost_reason_code = n.lost_reason_code
             FROM free n WHERE d.id = n.id
             RETURNING d.id, d.store_id, d.version, n.nr, n.at, d.ended_at, n.finance_outdated, n.insurance_outdated),
           old_finance AS (
             UPDATE finance_quote q SET status = 'SUPERSEDED' FROM changed c
             WHERE c.finance_outdated AND q.deal_id = c.id AND q.status IN ('QUOTED', 'ACCEPTED')),
           old_insurance AS (
             UPDATE insurance_quote q SET status = 'SUPERSEDED' FROM changed c
             WHERE c.insurance_outdated AND q.deal_id = c.id AND q.status IN ('QUOTED', 'ACCEPTED')),
           fallen AS (
             UPDATE approval a SET status = 'FELL', closed_at = c.at FROM changed c
             WHERE (c.finance_outdated OR c.ended_at IS NOT NULL) AND a.deal_id = c.id AND a.status IN ('PENDING', 'APPROVED', 'COUNTERED')
             RETURNING c.at, c.store_id, a.id),
           audited AS (
             INSERT INTO audit_event (at, store_id, user_id, subject_kind, subject_id, verb, detail, request_id)
             SELECT c.at, c.store_id, n.user_id, 'DEAL', c.id, n.verb, n.detail, n.request_id FROM changed c JOIN news n USING (nr)),
           noticed AS (
             INSERT INTO change_notice (at, store_id, subject_kind, subject_id, version)
             SELECT at, store_id, 'DEAL', id, version FROM changed
             UNION ALL SELECT at, store_id, 'APPROVAL', id, 0 FROM fallen),
           remembered AS (
             INSERT INTO idempotency_record (user_id, key, operation, request_hash, answer, created_at)
             SELECT n.key_user, n.key, n.operation, n.request_hash, n.answer, c.at FROM changed c JOIN news n USING (nr)
             WHERE n.key IS NOT NULL)
           SELECT nr AS "nr!", version FROM changed"#,
        &each(changes, |c| c.deal.id.0),
        &each(changes, |c| c.deal.version),
        &each(changes, |c| c.deal.vehicle_id.0),
        &each(changes, |c| c.deal.state.as_str()) as _,
        &each(changes, |c| c.terms().kind.as_str()) as _,
        &each(changes, |c| c.terms().price.0),
        &each(changes, |c| c.terms().down_payment.0),
        &each(changes, |c| c.terms().manufacturer_rebate.0),
        &each(changes, |c| c.terms().dealer_rebate.0),
        &each(changes, |c| c.terms().term_months) as _,
        &each(changes, |c| c.terms().annual_miles) as _,
        &each(changes, |c| c.terms().credit_tier.as_str()) as _,
        &each(changes, |c| c.terms().buyer_jurisdiction.as_str()) as _,
        &each(changes, |c| c.terms().first_payment_days),
        &each(changes, |c| c.headline().map(|f| f.tax.0)) as _,
        &each(changes, |c| c.headline().map(|f| f.fees.0)) as _,
        &each(changes, |c| c.headline().map(|f| f.amount_financed.0)) as _,
        &each(changes, |c| c.headline().and_then(|f| f.payment).map(|c| c.0)) as _,
        &each(changes, |c| c.headline().is_none_or(|f| f.payment_is_estimate)),
        &each(changes, |c| c.headline().map(|f| f.total_price.0)) as _,
        &each(changes, |c| c.figures.as_ref().map(|f| f.verified)) as _,
        &each(changes, |c| c.figures.as_ref().map(|f| Json(&f.lines))) as _,
        &each(changes, |c| c.deal.accepted_finance_quote_id.map(Uuid::from)) as _,
        &each(changes, |c| c.deal.accepted_insurance_quote_id.map(Uuid::from)) as _,
        &each(changes, |c| c.deal.lost_reason.as_deref()) as _,
        &each(changes, |c| c.deal.presented_at) as _,
        &each(changes, |c| c.deal.agreed_at) as _,
        &each(changes, |c| c.deal.contracted_at) as _,
        &each(changes, |c| c.deal.ended_at) as _,
        &each(changes, |c| c.deal.updated_at),
        &each(changes, |c| c.terms().plan.stored().map(Json)) as _,
        &each(changes, |c| c.outdated.finance),
        &each(changes, |c| c.outdated.insurance),
        &each(changes, |c| c.by.user_id) as _,
        &each(changes, |c| c.verb) as _,
        &each(changes, |c| Json(&c.detail)) as _,
        &each(changes, |c| c.by.request_id.as_deref()) as _,
        &each(changes, |c| c.key().map(|key| key.user)) as _,
        &each(changes, |c| c.key().map(|key| key.key.as_str())) as _,
        &each(changes, |c| c.key().map(|key| key.operation)) as _,
        &each(changes, |c| c.key().map(|key| key.request_hash.as_slice())) as _,
        &each(changes, |c| c.remember.as_ref().map(|(_, answer)| Json(answer))) as _,
        &each(changes, |c| (!c.terms().fee_waivers.is_empty()).then(|| Json(&c.terms().fee_waivers))) as _,
        &each(changes, |c| c.deal.lost_reason_code.map(LostReason::as_str)) as _,
        &each(changes, |c| c.basis.map(|basis| basis.vehicle_version)) as _,
        &each(changes, |c| c.basis.and_then(|basis| basis.session).map(Uuid::from)) as _,
    )
    .fetch_all(conn)
    .await?;
    let mut versions = vec![None; changes.len()];
    for row in saved {
        let place = usize::try_from(row.nr).ok().and_then(|nr| versions.get_mut(nr.checked_sub(1)?));
        *place.ok_or_else(|| DbError::Corrupt("a deal was saved that was not given".into()))? = Some(row.version);
    }
    Ok(versions)
}

/// Replaces the trade-ins.
pub(in crate::deals) async fn replace_trade_ins(conn: &mut PgConnection, deal: DealId, trades: &[TradeIn]) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM trade_in WHERE deal_id = $1", deal.0).execute(&mut *conn).await?;
    if trades.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = trades.iter().map(|t| t.id.0).collect();
    let vins: Vec<Option<String>> = trades.iter().map(|t| t.vin.clone()).collect();
    let years: Vec<i32> = trades.iter().map(|t| t.model_year).collect();
    let makes: Vec<String> = trades.iter().map(|t| t.make.clone()).collect();
    let models: Vec<String> = trades.iter().map(|t| t.model.clone()).collect();
    let odometers: Vec<Option<i32>> = trades.iter().map(|t| t.odometer_miles).collect();
    let allowances: Vec<i64> = trades.iter().map(|t| t.allowance.0).collect();
    let values: Vec<Option<i64>> = trades.iter().map(|t| t.actual_cash_value.map(|c| c.0)).collect();
    let payoffs: Vec<i64> = trades.iter().map(|t| t.payoff.0).collect();
    let good_through: Vec<Option<NaiveDate>> = trades.iter().map(|t| t.payoff_good_through).collect();
    let per_diems: Vec<i64> = trades.iter().map(|t| t.payoff_per_diem.0).collect();
    sqlx::query!(
        "INSERT INTO trade_in (id, deal_id, ordinal, vin, model_year, make, model, odometer_miles, allowance_cents, actual_cash_value_cents,
           payoff_cents, payoff_good_through, payoff_per_diem_cents)
         SELECT t.id, $1, t.ordinal, t.vin, t.model_year, t.make, t.model, t.odometer, t.allowance, t.value, t.payoff, t.good_through, t.per_diem
         FROM unnest($2::uuid[], $3::text[], $4::int[], $5::text[], $6::text[], $7::int[], $8::bigint[], $9::bigint[], $10::bigint[], $11::date[],
                     $12::bigint[])
           WITH ORDINALITY AS t (id, vin, model_year, make, model, odometer, allowance, value, payoff, good_through, per_diem, ordinal)",
        deal.0,
        &ids,
        &vins as _,
        &years,
        &makes,
        &models,
        &odometers as _,
        &allowances,
        &values as _,
        &payoffs,
        &good_through as _,
        &per_diems,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Replaces the products. `ids` are new row ids, one per product.
pub(in crate::deals) async fn replace_products(
    conn: &mut PgConnection,
    deal: DealId,
    ids: &[Uuid],
    products: &[DealProduct],
) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM deal_product WHERE deal_id = $1", deal.0).execute(&mut *conn).await?;
    if products.is_empty() {
        return Ok(());
    }
    let which: Vec<Uuid> = products.iter().map(|p| p.product_id.0).collect();
    let prices: Vec<i64> = products.iter().map(|p| p.price.0).collect();
    sqlx::query!(
        "INSERT INTO deal_product (id, deal_id, product_id, price_cents, ordinal)
         SELECT p.id, $1, p.product_id, p.price, p.ordinal
         FROM unnest($2::uuid[], $3::uuid[], $4::bigint[]) WITH ORDINALITY AS p (id, product_id, price, ordinal)",
        deal.0,
        ids,
        &which,
        &prices,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Open deals on the same VIN in the group, other than this one: who must be told when the car goes.
pub(in crate::deals) async fn rivals(
    conn: &mut PgConnection,
    group: GroupId,
    vin: &str,
    except: Option<DealId>,
) -> Result<Vec<(Uuid, Uuid, i32)>, DbError> {
    let rows = sqlx::query!(
        "SELECT d.id, d.store_id, d.version FROM vehicle v JOIN store s ON s.id = v.store_id AND s.group_id = $1 JOIN deal d ON d.vehicle_id = v.id
         WHERE v.vin = $2 AND d.id IS DISTINCT FROM $3
           AND d.state IN ('DRAFT', 'WORKSHEET', 'PRESENTED', 'AGREED', 'CREDIT_SUBMITTED', 'CREDIT_DECIDED', 'DOCS_READY')
         ORDER BY d.id LIMIT 1000",
        group.0,
        vin,
        except.map(|id| id.0),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.store_id, row.version)).collect())
}
