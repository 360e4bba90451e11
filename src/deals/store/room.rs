//! The deal room: a deal and the lists that were asked for, in one statement.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::record::{FinanceQuoteRow, InsuranceQuoteRow, ProductRow, StepsRow, TradeInRow};
use super::table::{headline, standing};
use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::approval::{Basis, Standing};
use crate::deals::model::{Deal, DealKind, FigureLine, Headline, LostReason, Terms};
use crate::deals::plan::PaymentPlan;
use crate::deals::states::DealState;
use crate::finance::FeeWaiver;
use crate::kernel::id::{CustomerId, DealId, FinanceQuoteId, GroupId, InsuranceQuoteId, ScenarioId, StoreId, UserId, VehicleId};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::rate::Rate;

/// Which parts of a deal to read beyond its row.
#[expect(clippy::struct_excessive_bools, reason = "a set of parts, each asked for by itself")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Parts {
    /// Trade-ins.
    pub trade_ins: bool,
    /// Products.
    pub products: bool,
    /// Finance quotes.
    pub finance_quotes: bool,
    /// Insurance quotes.
    pub insurance_quotes: bool,
    /// The lines of the figures.
    pub lines: bool,
    /// The salesperson's name.
    pub salesperson: bool,
    /// What the next steps depend on: who has the car, how many quotes can be accepted.
    pub steps: bool,
}

impl Parts {
    /// What either needs.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            trade_ins: self.trade_ins || other.trade_ins,
            products: self.products || other.products,
            finance_quotes: self.finance_quotes || other.finance_quotes,
            insurance_quotes: self.insurance_quotes || other.insurance_quotes,
            lines: self.lines || other.lines,
            salesperson: self.salesperson || other.salesperson,
            steps: self.steps || other.steps,
        }
    }
}

/// A deal and its parts, as read.
#[derive(Debug, Clone)]
pub struct Room {
    /// The deal's own row.
    pub deal: Deal,
    pub(in crate::deals) trade_ins: Option<Vec<TradeInRow>>,
    pub(in crate::deals) products: Option<Vec<ProductRow>>,
    pub(in crate::deals) finance_quotes: Option<Vec<FinanceQuoteRow>>,
    pub(in crate::deals) insurance_quotes: Option<Vec<InsuranceQuoteRow>>,
    pub(in crate::deals) lines: Option<Vec<FigureLine>>,
    pub(in crate::deals) salesperson: Option<String>,
    pub(in crate::deals) steps: Option<StepFacts>,
}

impl Room {
    /// A deal without any part.
    pub(in crate::deals) fn of(deal: Deal) -> Self {
        Self {
            deal,
            trade_ins: None,
            products: None,
            finance_quotes: None,
            insurance_quotes: None,
            lines: None,
            salesperson: None,
            steps: None,
        }
    }
}

/// What the next steps depend on beyond the row.
#[derive(Debug, Clone)]
pub(in crate::deals) struct StepFacts {
    pub(in crate::deals) open_quotes: i64,
    pub(in crate::deals) quote_accepted: bool,
    pub(in crate::deals) taken: Option<super::table::Taken>,
    pub(in crate::deals) vehicle_gone: bool,
    /// The store's feed no longer names the car.
    pub(in crate::deals) vehicle_missing: bool,
    pub(in crate::deals) group_id: GroupId,
    /// The day at the store.
    pub(in crate::deals) today: NaiveDate,
    /// What the rules on approvals look at.
    pub(in crate::deals) basis: Basis,
    /// The latest question to a manager, without its figures.
    pub(in crate::deals) approval: Option<Standing>,
    /// What the customer said to the menu is about what stands now.
    pub(in crate::deals) menu_decided: bool,
}

impl StepFacts {
    fn new(row: StepsRow, terms: &Terms, figures: Option<&Headline>) -> Self {
        let taken = match (row.holder, row.holder_number, row.held_at) {
            (Some(by), Some(number), Some(at)) => {
                Some(super::table::Taken { by: DealId(by), number, at, sold: row.hold_is_contract.unwrap_or(false) })
            }
            _ => None,
        };
        let basis = Basis {
            kind: terms.kind,
            price: terms.price,
            dealer_rebate: terms.dealer_rebate,
            term_months: terms.term_months,
            amount_financed: figures.map(|figures| figures.amount_financed),
            asking: row.asking,
            msrp: row.msrp,
            cost: row.cost,
            condition: row.condition,
            over_allowance: row.over_allowance,
            products: row.products,
            fees_waived: terms.fees_waived(),
            markup: row.markup.and_then(Rate::from_percent),
        };
        Self {
            open_quotes: row.open_quotes,
            quote_accepted: row.quote_accepted,
            taken,
            vehicle_gone: row.vehicle_gone,
            vehicle_missing: row.vehicle_missing,
            group_id: row.group_id.into(),
            today: row.today,
            basis,
            menu_decided: row.menu_decided,
            approval: standing(row.approval_status, row.approval_level, row.approval_expires_at, row.approval_findings, None),
        }
    }
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
    lines: Option<Json<Vec<FigureLine>>>,
    trade_ins: Vec<TradeInRow>,
    products: Vec<ProductRow>,
    finance_quotes: Vec<FinanceQuoteRow>,
    insurance_quotes: Vec<InsuranceQuoteRow>,
    steps: Vec<StepsRow>,
    salesperson: Option<String>,
}

impl Row {
    fn into_room(self, parts: Parts) -> Room {
        let mut steps = self.steps.into_iter();
        let mut room = Room {
            deal: Deal {
                id: self.id,
                number: self.number,
                store_id: self.store_id,
                customer_id: self.customer_id,
                vehicle_id: self.vehicle_id,
                salesperson_id: self.salesperson_id,
                state: self.state,
                version: self.version,
                terms: Terms {
                    kind: self.kind,
                    currency: self.currency,
                    price: self.price_cents,
                    down_payment: self.down_payment_cents,
                    manufacturer_rebate: self.manufacturer_rebate_cents,
                    dealer_rebate: self.dealer_rebate_cents,
                    term_months: self.term_months,
                    annual_miles: self.annual_miles,
                    credit_tier: self.credit_tier,
                    buyer_jurisdiction: self.buyer_jurisdiction,
                    first_payment_days: self.first_payment_days,
                    plan: self.payment_plan.map(|plan| plan.0).unwrap_or_default(),
                    fee_waivers: self.fee_waivers.map(|waivers| waivers.0).unwrap_or_default(),
                },
                figures: headline(
                    self.tax_cents,
                    self.fees_cents,
                    self.total_price_cents,
                    self.amount_financed_cents,
                    self.payment_cents,
                    self.payment_is_estimate,
                ),
                accepted_finance_quote_id: self.accepted_finance_quote_id,
                accepted_insurance_quote_id: self.accepted_insurance_quote_id,
                lost_reason: self.lost_reason,
                lost_reason_code: self.lost_reason_code,
                opened_at: self.opened_at,
                presented_at: self.presented_at,
                agreed_at: self.agreed_at,
                contracted_at: self.contracted_at,
                ended_at: self.ended_at,
                updated_at: self.updated_at,
            },
            trade_ins: parts.trade_ins.then_some(self.trade_ins),
            products: parts.products.then_some(self.products),
            finance_quotes: parts.finance_quotes.then_some(self.finance_quotes),
            insurance_quotes: parts.insurance_quotes.then_some(self.insurance_quotes),
            lines: parts.lines.then(|| self.lines.map(|lines| lines.0).unwrap_or_default()),
            salesperson: self.salesperson,
            steps: None,
        };
        room.steps = steps.next().map(|row| StepFacts::new(row, &room.deal.terms, room.deal.figures.as_ref()));
        room
    }
}

/// Which deals to read.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::deals) struct Which<'a> {
    /// These.
    pub(in crate::deals) ids: &'a [Uuid],
    /// And those of these customers, of each the 100 last opened.
    pub(in crate::deals) customers: &'a [Uuid],
    /// Of the customers' deals only those that may still be signed.
    pub(in crate::deals) open_only: bool,
}

/// Deals with their parts. A part that was not asked for is not read: its condition is false before any row is touched.
pub(in crate::deals) async fn find_many(
    conn: &mut PgConnection,
    scope: &Scope,
    which: Which<'_>,
    parts: Parts,
    now: DateTime<Utc>,
) -> Result<Vec<Room>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT d.id AS "id: _", d.number, d.store_id AS "store_id: _", d.customer_id AS "customer_id: _", d.vehicle_id AS "vehicle_id: _",
             d.salesperson_id AS "salesperson_id: _", d.state AS "state: _", d.version, d.kind AS "kind: _", d.currency AS "currency: _",
             d.price_cents AS "price_cents: _", d.down_payment_cents AS "down_payment_cents: _",
             d.manufacturer_rebate_cents AS "manufacturer_rebate_cents: _", d.dealer_rebate_cents AS "dealer_rebate_cents: _",
             d.term_months, d.annual_miles, d.credit_tier, d.buyer_jurisdiction, d.first_payment_days, d.payment_plan AS "payment_plan: _", d.fee_waivers AS "fee_waivers: _",
             d.tax_cents AS "tax_cents: _", d.fees_cents AS "fees_cents: _", d.amount_financed_cents AS "amount_financed_cents: _",
             d.payment_cents AS "payment_cents: _", d.payment_is_estimate, d.total_price_cents AS "total_price_cents: _",
             d.accepted_finance_quote_id AS "accepted_finance_quote_id: _", d.accepted_insurance_quote_id AS "accepted_insurance_quote_id: _",
             d.lost_reason, d.lost_reason_code AS "lost_reason_code: _", d.opened_at, d.presented_at, d.agreed_at, d.contracted_at, d.ended_at, d.updated_at,
             CASE WHEN $4 THEN d.figure_lines END AS "lines: _",
             ARRAY(SELECT ROW(t.id, t.vin, t.model_year, t.make, t.model, t.odometer_miles, t.allowance_cents, t.actual_cash_value_cents,
                     t.payoff_cents, t.payoff_good_through, t.payoff_per_diem_cents)
                   FROM trade_in t WHERE $5 AND t.deal_id = d.id ORDER BY t.ordinal) AS "trade_ins!: _",
             ARRAY(SELECT ROW(p.product_id, p.price_cents) FROM deal_product p WHERE $6 AND p.deal_id = d.id ORDER BY p.ordinal) AS "products!: _",
             ARRAY(SELECT ROW(q.id, q.deal_version, q.program_id, q.kind, q.status, q.term_months, q.sell_rate, q.money_factor, q.apr,
                     q.payment_cents, q.amount_financed_cents, q.finance_charge_cents, q.total_of_payments_cents, q.due_at_signing_cents,
                     q.verified, q.engine_version, q.created_at, q.expires_at)
                   FROM finance_quote q WHERE $7 AND q.deal_id = d.id ORDER BY q.created_at DESC, q.payment_cents, q.id LIMIT 200) AS "finance_quotes!: _",
             ARRAY(SELECT ROW(q.id, q.deal_version, q.insurer_id, q.status, q.term_months, q.premium_cents, q.monthly_premium_cents, q.verified,
                     q.engine_version, q.created_at, q.expires_at)
                   FROM insurance_quote q WHERE $8 AND q.deal_id = d.id ORDER BY q.created_at DESC, q.premium_cents, q.id LIMIT 200) AS "insurance_quotes!: _",
             ARRAY(SELECT ROW(
                     (SELECT count(*) FROM finance_quote q WHERE q.deal_id = d.id AND q.status IN ('QUOTED', 'ACCEPTED') AND q.expires_at > $3),
                     coalesce(q.status = 'ACCEPTED' AND q.expires_at > $3, false),
                     v.status IN ('SOLD', 'DELIVERED', 'WHOLESALE'), h.deal_id, o.number, to_char(h.placed_at AT TIME ZONE s.time_zone, 'HH24:MI'),
                     h.reason = 'CONTRACT',
                     s.group_id, ($3 AT TIME ZONE s.time_zone)::date, v.condition, v.price_cents, v.msrp_cents, v.cost_cents,
                     (SELECT sum(t.allowance_cents - t.actual_cash_value_cents)::bigint FROM trade_in t WHERE t.deal_id = d.id),
                     (SELECT coalesce(sum(p.price_cents), 0)::bigint FROM deal_product p WHERE p.deal_id = d.id),
                     q.sell_rate - q.buy_rate, a.status, a.level, a.expires_at, a.findings,
                     EXISTS (SELECT FROM (SELECT basis FROM menu_decision WHERE deal_id = d.id ORDER BY round DESC LIMIT 1) m
                       WHERE m.basis = menu_basis(d.id, d.vehicle_id, d.kind, d.price_cents)),
                     v.missing_since IS NOT NULL)
                   FROM store s
                   JOIN vehicle v ON v.id = d.vehicle_id
                   LEFT JOIN finance_quote q ON q.id = d.accepted_finance_quote_id
                   LEFT JOIN LATERAL (SELECT * FROM approval WHERE deal_id = d.id ORDER BY ordinal DESC LIMIT 1) a ON true
                   LEFT JOIN vehicle_hold h ON h.group_id = s.group_id AND h.vin = v.vin AND h.released_at IS NULL AND h.deal_id <> d.id
                     AND (h.expires_at IS NULL OR h.expires_at > $3)
                   LEFT JOIN deal o ON o.id = h.deal_id
                   WHERE $9 AND s.id = d.store_id) AS "steps!: _",
             (SELECT u.display_name FROM app_user u WHERE $10 AND u.id = d.salesperson_id) AS salesperson
           FROM deal d
           WHERE d.store_id = ANY($2) AND d.id = ANY($1::uuid[] || ARRAY(
             SELECT newest.id FROM unnest($11::uuid[]) AS c (id)
             CROSS JOIN LATERAL (
               SELECT id FROM deal WHERE customer_id = c.id AND store_id = ANY($2)
                 AND (NOT $12 OR state IN ('DRAFT', 'WORKSHEET', 'PRESENTED', 'AGREED', 'CREDIT_SUBMITTED', 'CREDIT_DECIDED', 'DOCS_READY'))
               ORDER BY opened_at DESC LIMIT 100) newest))"#,
        which.ids,
        scope.store_ids(),
        now,
        parts.lines,
        parts.trade_ins,
        parts.products,
        parts.finance_quotes,
        parts.insurance_quotes,
        parts.steps,
        parts.salesperson,
        which.customers,
        which.open_only,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.into_room(parts)).collect())
}

/// A line of a deal's history.
#[derive(Debug, Clone)]
pub struct HistoryEvent {
    /// Its place in the order of all events.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who; none for the program itself.
    pub user_id: Option<UserId>,
    /// Their name as colleagues see it.
    pub user_name: Option<String>,
    /// What was done: `opened`, `structured`, `contracted`.
    pub verb: String,
    /// The figures.
    pub detail: Value,
}

/// The newest events of a deal the actor may see, newest first.
pub(in crate::deals) async fn history(
    conn: &mut PgConnection,
    scope: &Scope,
    deal: DealId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<HistoryEvent>, DbError> {
    let rows = sqlx::query_as!(
        HistoryEvent,
        r#"SELECT a.id, a.at, a.user_id AS "user_id: _", u.display_name AS "user_name?", a.verb, a.detail
           FROM audit_event a LEFT JOIN app_user u ON u.id = a.user_id
           WHERE a.subject_id = $1 AND a.subject_kind = 'DEAL' AND a.store_id = ANY($2) AND ($3::bigint IS NULL OR a.id < $3)
           ORDER BY a.id DESC LIMIT $4"#,
        deal.0,
        scope.store_ids(),
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// What was done to a deal after it had a version, oldest first.
pub(in crate::deals) async fn events_since(
    conn: &mut PgConnection,
    scope: &Scope,
    deal: DealId,
    version: i32,
) -> Result<Vec<HistoryEvent>, DbError> {
    let rows = sqlx::query_as!(
        HistoryEvent,
        r#"SELECT a.id, a.at, a.user_id AS "user_id: _", u.display_name AS "user_name?", a.verb, a.detail
           FROM audit_event a LEFT JOIN app_user u ON u.id = a.user_id
           WHERE a.subject_id = $1 AND a.subject_kind = 'DEAL' AND a.store_id = ANY($2) AND (a.detail ->> 'version')::int > $3
           ORDER BY a.id LIMIT 100"#,
        deal.0,
        scope.store_ids(),
        version,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// A saved scenario as stored.
#[derive(Debug)]
pub(in crate::deals) struct ScenarioRow {
    pub(in crate::deals) id: ScenarioId,
    pub(in crate::deals) label: String,
    pub(in crate::deals) structure: Value,
    pub(in crate::deals) figures: Value,
    pub(in crate::deals) created_by: UserId,
    pub(in crate::deals) created_at: DateTime<Utc>,
}

/// The scenarios of a deal, oldest first.
pub(in crate::deals) async fn scenarios(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Vec<ScenarioRow>, DbError> {
    let rows = sqlx::query_as!(
        ScenarioRow,
        r#"SELECT c.id AS "id: _", c.label, c.structure, c.figures, c.created_by AS "created_by: _", c.created_at
           FROM deal_scenario c JOIN deal d ON d.id = c.deal_id WHERE c.deal_id = $1 AND d.store_id = ANY($2) ORDER BY c.id LIMIT 100"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Saves a scenario unless the deal has `most` already.
pub(in crate::deals) async fn insert_scenario(
    conn: &mut PgConnection,
    deal: DealId,
    scenario: &ScenarioRow,
    most: i64,
) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "INSERT INTO deal_scenario (id, deal_id, label, structure, figures, created_by, created_at)
         SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM deal_scenario WHERE deal_id = $2) < $8",
        scenario.id.0,
        deal.0,
        scenario.label,
        scenario.structure,
        scenario.figures,
        scenario.created_by.0,
        scenario.created_at,
        most,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The names of salespeople, for those who may see the deals.
pub(in crate::deals) async fn user_names(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(UserId, String)>, DbError> {
    let rows = sqlx::query!(r#"SELECT id AS "id: UserId", display_name FROM app_user WHERE id = ANY($1)"#, ids).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.display_name)).collect())
}
