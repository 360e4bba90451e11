//! A store with rules of its own, cars and a customer: what every test of deals needs. The rules are written here, not taken
//! from the seeds, so that the figures in the tests can be checked by hand.
//!
//! Lenders: ALPHA lends at 6.9 % for 24 to 84 months and leases at a factor of .00125; BETA lends at 5.9 % for at most 60.
//! Taxes: DOMAIN.md B4 (TX, CA, NC) and QQ with 8.875 % on lease payments (B13). Document fee 85, title in TX 33.

use async_graphql::ID;
use deskless::auth::Role;
use deskless::kernel::id::{CustomerId, VehicleId};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Session, TestApp};

pub struct Showroom {
    pub app: TestApp,
    pub sam: Session,
    pub customer: ID,
    pub rav4: ID,
    pub camry: ID,
    keys: std::sync::atomic::AtomicU32,
}

pub const RAV4_VIN: &str = "2T3P1RFV8MC000001";

impl Showroom {
    pub async fn open() -> Self {
        Self::on(TestApp::start().await).await
    }

    /// On an application that was started otherwise.
    pub async fn on(app: TestApp) -> Self {
        let sam = app.person("sam@example.com", &[(app.austin, Role::Salesperson)]).await;
        let room =
            Self { customer: ID::from(""), rav4: ID::from(""), camry: ID::from(""), keys: std::sync::atomic::AtomicU32::new(0), app, sam };
        room.rules().await;
        let customer = room.add_customer("TX", "78701").await;
        let rav4 = room.add_car(RAV4_VIN, "Toyota", "RAV4", 2023, "USED", 30_000_00).await;
        let camry = room.add_car("4T1G11AK5MU000002", "Toyota", "Camry", 2022, "USED", 27_500_00).await;
        Self { customer: customer.into(), rav4: rav4.into(), camry: camry.into(), ..room }
    }

    pub fn pool(&self) -> &sqlx::PgPool {
        self.app.app.db.pool()
    }

    /// Runs statements of the test itself.
    pub async fn sql(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(self.pool()).await.unwrap_or_else(|e| panic!("{e}: {sql}"));
    }

    /// One number of the database.
    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(self.pool()).await.unwrap_or_else(|e| panic!("{e}: {sql}"))
    }

    async fn rules(&self) {
        let (group, austin) = (self.app.group.0, self.app.austin.0);
        let tax = |place: &str, state_rate: &str, trade: &str, rebate: bool, doc: bool, lease: &str| {
            format!(
                "INSERT INTO tax_jurisdiction VALUES ('{place}', '{place}', '{place}') ON CONFLICT DO NOTHING;
                 INSERT INTO tax_rule (id, jurisdiction, effective, scheme, state_rate, local_rule, trade_policy, manufacturer_rebate_reduces_base,
                   dealer_rebate_reduces_base, doc_fee_taxable, lease_method, lease_reduction_taxable, source, source_read_on, verified, lease_verified)
                 VALUES (gen_random_uuid(), '{place}', '[2020-01-01,)', 'SALES', {state_rate}, 'NONE', '{trade}', {rebate}, {rebate}, {doc},
                   '{lease}', false, 'test', '2026-01-01', true, true);"
            )
        };
        let program = |lender: &str, code: &str, rate: &str, longest: u32| {
            format!(
                "INSERT INTO lender_program (id, lender_id, code, name, kind, effective, conditions, credit_tier, term_min_months, term_max_months,
                   max_financed_cents, max_ltv_percent, collateral_basis, buy_rate, source, verified)
                 VALUES (gen_random_uuid(), (SELECT id FROM lender WHERE code = '{lender}'), '{code}', '{code} program', 'RETAIL', '[2020-01-01,)',
                   '{{NEW,USED,CERTIFIED}}', 'A', 24, {longest}, 10000000, 150, 'PRICE', {rate}, 'test', true);"
            )
        };
        let lender =
            |code: &str| format!("INSERT INTO lender VALUES (gen_random_uuid(), '{group}', '{code}', '{code} Bank', 'THIRTY_360');");
        let coverages = ["BODILY_INJURY", "PROPERTY_DAMAGE", "UNINSURED_MOTORIST", "MEDICAL", "COMPREHENSIVE", "COLLISION"];
        let rates: String = coverages
            .iter()
            .map(|coverage| {
                format!(
                    "INSERT INTO insurance_rate VALUES (gen_random_uuid(), (SELECT id FROM insurer WHERE code = 'SAFE'), 'TX', '{coverage}', 10000,
                       '[2020-01-01,)', 'test', true);"
                )
            })
            .collect();
        self.sql(&[
            tax("TX", "6.25", "FULL", true, false, "ON_PRICE"),
            tax("CA", "7.25", "NONE", false, true, "PER_PAYMENT"),
            tax("NC", "3", "FULL", false, true, "PER_PAYMENT"),
            tax("QQ", "8.875", "NONE", false, false, "PER_PAYMENT"),
            format!(
                "INSERT INTO fee_rule (id, store_id, code, label, amount_cents, effective, source, source_read_on, verified)
                 VALUES (gen_random_uuid(), '{austin}', 'DOC', 'Document fee', 8500, '[2020-01-01,)', 'test', '2026-01-01', true);
                 INSERT INTO fee_rule (id, jurisdiction, code, label, amount_cents, effective, source, source_read_on, verified)
                 VALUES (gen_random_uuid(), 'TX', 'TITLE', 'Title', 3300, '[2020-01-01,)', 'test', '2026-01-01', true);"
            ),
            lender("ALPHA"),
            lender("BETA"),
            program("ALPHA", "A84", "6.9", 84),
            program("BETA", "B60", "5.9", 60),
            "INSERT INTO lender_program (id, lender_id, code, name, kind, effective, conditions, credit_tier, term_min_months, term_max_months,
               max_financed_cents, max_ltv_percent, collateral_basis, money_factor, residual_percent, residual_step_percent, acquisition_fee_cents,
               source, verified)
             VALUES (gen_random_uuid(), (SELECT id FROM lender WHERE code = 'ALPHA'), 'L36', 'Lease 36', 'LEASE', '[2020-01-01,)', '{NEW}', 'A', 24, 48,
               10000000, 150, 'MSRP', 0.00125, 55, 1, 65000, 'test', true);"
                .to_owned(),
            format!("INSERT INTO insurer VALUES (gen_random_uuid(), '{group}', 'SAFE', 'Safe Mutual');"),
            rates,
            format!(
                "INSERT INTO product (id, group_id, code, kind, name, provider, price_cents, cost_cents, effective)
                 VALUES ('018f0000-0000-7000-8000-00000000a001', '{group}', 'VSC', 'SERVICE_CONTRACT', 'Service contract', 'Anchor', 199500, 90000, '[2020-01-01,)');"
            ),
        ]
        .concat())
            .await;
        self.app.app.rules.reload().await.expect("rules");
    }

    /// A customer of the Austin store, entered by Sam.
    pub async fn add_customer(&self, state: &str, postal_code: &str) -> CustomerId {
        let n = self.key();
        let input = json!({ "storeId": self.app.austin.to_string(), "idempotencyKey": n, "givenName": "Ada", "familyName": format!("Lovelace {n}"),
            "address": { "state": state, "postalCode": postal_code }, "creditTier": "A" });
        let payload = self.run(&self.sam, "customerCreate", input, "customer { id } userErrors { code message }").await;
        payload["customer"]["id"].as_str().unwrap_or_else(|| panic!("{payload}")).parse().expect("a customer's id")
    }

    /// A wish the customer stated.
    pub async fn state_wish(&self, customer: CustomerId, attribute: &str, value: &str) {
        self.sql(&format!(
            "INSERT INTO preference (id, customer_id, store_id, attribute, operator, value, importance, kind, channel, at)
             VALUES (gen_random_uuid(), '{}', '{}', '{attribute}', 'IS', '{value}', 'SHOULD', 'STATED', 'SHOWROOM', now())",
            customer.0, self.app.austin.0
        ))
        .await;
    }

    pub async fn add_car(&self, vin: &str, make: &str, model: &str, year: i32, condition: &str, price: i64) -> VehicleId {
        self.add_car_of(self.app.austin.0, vin, make, model, year, condition, price).await
    }

    #[allow(clippy::too_many_arguments)]
    pub async fn add_car_of(&self, store: Uuid, vin: &str, make: &str, model: &str, year: i32, condition: &str, price: i64) -> VehicleId {
        let id: VehicleId = self.app.app.db.new_id();
        self.sql(&format!(
            "INSERT INTO vehicle (id, store_id, vin, vin_status, stock_number, condition, status, model_year, make, model, odometer_miles, price_cents,
               msrp_cents, currency, received_on, created_at, updated_at)
             VALUES ('{}', '{store}', '{vin}', 'VALID', right('{vin}', 8), '{condition}', 'AVAILABLE', {year}, '{make}', '{model}', 20000, {price},
               4200000, 'USD', '2026-10-01', now(), now())",
            id.0
        ))
        .await;
        id
    }

    /// A key nobody used.
    pub fn key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }

    /// Runs a mutation and gives its payload.
    pub async fn run(&self, session: &Session, mutation: &str, input: Value, selection: &str) -> Value {
        let mut data = self.app.data(session, &document(mutation, selection), json!({ "input": input })).await;
        data[mutation].take()
    }

    /// Runs a mutation of Sam's with a fresh key, on a deal at a version.
    pub async fn act(&self, mutation: &str, deal: &Value, more: Value) -> Value {
        let mut input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": self.key() });
        if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
            input.extend(more);
        }
        self.run(&self.sam, mutation, input, SELECTION).await
    }

    /// The same, which must not be refused; gives the deal.
    pub async fn done(&self, mutation: &str, deal: &Value, more: Value) -> Value {
        let payload = self.act(mutation, deal, more).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}");
        payload["deal"].clone()
    }

    /// Opens a deal on a car.
    pub async fn open_deal(&self, vehicle: &ID, more: Value) -> Value {
        let mut input = json!({ "customerId": self.customer, "vehicleId": vehicle, "idempotencyKey": self.key() });
        if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
            input.extend(more);
        }
        let payload = self.run(&self.sam, "dealOpen", input, SELECTION).await;
        assert_eq!(payload["userErrors"], json!([]));
        payload["deal"].clone()
    }

    /// A cash deal the customer has agreed to.
    pub async fn agreed_cash_deal(&self, vehicle: &ID) -> Value {
        let deal = self.open_deal(vehicle, json!({ "kind": "CASH" })).await;
        let deal = self.done("dealPresent", &deal, json!({})).await;
        self.done("dealAgree", &deal, json!({})).await
    }
}

/// A hand-over with what the law asks for: an insurance card and an odometer statement.
pub fn handing_over(more: Value) -> Value {
    let mut input = json!({ "odometerBrand": "ACTUAL",
        "insurance": { "insurer": "Safe Mutual", "policyNumber": "SM-4711-X", "effectiveFrom": "2026-11-01", "effectiveUntil": "2027-04-30" } });
    if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
        input.extend(more);
    }
    input
}

/// What the tests look at in a deal.
pub const DEAL: &str = "id number state version kind creditTier buyerJurisdiction termMonths
  price { amount } downPayment { amount } tax { amount } fees { amount } totalPrice { amount } amountFinanced { amount }
  payment { amount } paymentIsEstimate";

/// What the tests look at in a payload.
pub const SELECTION: &str = "deal { id number state version kind creditTier buyerJurisdiction termMonths
  price { amount } downPayment { amount } tax { amount } fees { amount } totalPrice { amount } amountFinanced { amount }
  payment { amount } paymentIsEstimate } userErrors { code message field } replayed";

/// `mutation ($input: DealOpenInput!) { dealOpen(input: $input) { … } }`
pub fn document(mutation: &str, selection: &str) -> String {
    let (first, rest) = mutation.split_at(1);
    let input = format!("{}{rest}Input", first.to_uppercase());
    format!("mutation ($input: {input}!) {{ {mutation}(input: $input) {{ {selection} }} }}")
}
