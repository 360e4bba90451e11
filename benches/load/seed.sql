-- The load bench's rows (schema app, by ../../../shared/bench/sql) as rows of the product, in the same database.
-- Ids are made from the bench's whole numbers, so that answers can be compared: kind, then number.
-- Run by seed.rs, which inserts the customers at the line that says so: it has the key that seals personal data.
SET synchronous_commit = off;
SET client_min_messages = warning;
CREATE OR REPLACE FUNCTION app.pid(kind int, id int) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (lpad(to_hex(kind), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(id), 12, '0'))::uuid $$;

-- The product allows each protection product once in a deal.
UPDATE app.deal_products b SET product_id = 1 + b.product_id % 30
FROM app.deal_products a WHERE a.deal_id = b.deal_id AND a.product_id = b.product_id AND a.id < b.id;

INSERT INTO dealer_group VALUES (app.pid(1, 1), 'bench', 'Bench Motors', '2025-01-01Z');
INSERT INTO tax_jurisdiction VALUES ('TX', 'TX', 'Texas') ON CONFLICT DO NOTHING;
INSERT INTO tax_rule (id, jurisdiction, effective, scheme, state_rate, local_rule, trade_policy, manufacturer_rebate_reduces_base,
  dealer_rebate_reduces_base, doc_fee_taxable, lease_method, source, source_read_on, verified, lease_verified)
VALUES (app.pid(17, 1), 'TX', '[2025-01-01,)', 'SALES', 6.25, 'NONE', 'FULL', true, true, false, 'UPFRONT_TOTAL', 'bench', '2025-01-01', true, true)
ON CONFLICT DO NOTHING;
INSERT INTO store (id, group_id, code, name, street, city, state, postal_code, phone, time_zone, tax_jurisdiction, created_at)
SELECT app.pid(2, id), app.pid(1, 1), 'store-' || id, name, '1 Main St', city, state, postal_code, phone, 'America/Chicago', 'TX', '2025-01-01Z'
FROM app.dealers;

INSERT INTO fee_rule (id, store_id, code, label, amount_cents, effective, source, source_read_on, verified)
SELECT app.pid(18, id), app.pid(2, id), 'DOC', 'Document fee', doc_fee_cents, '[2025-01-01,)', 'bench', '2025-01-01', true FROM app.dealers;

-- 200 salespeople; "rep0" is who the bench signs in as, with the rights of a salesperson in every store.
-- seed.rs puts the hash of the password in.
INSERT INTO app_user (id, group_id, kind, login, display_name, password_hash, created_at)
SELECT app.pid(3, n), app.pid(1, 1), 'PERSON', 'rep' || n, 'rep' || n, '@PASSWORD_HASH@', '2025-01-01Z' FROM generate_series(0, 199) n;
INSERT INTO user_role SELECT app.pid(3, 0), app.pid(2, id), 'SALESPERSON' FROM app.dealers;

INSERT INTO vehicle (id, store_id, vin, vin_status, stock_number, condition, status, model_year, make, model, trim, body_style, drivetrain, fuel,
  exterior_color, exterior_color_family, odometer_miles, price_cents, msrp_cents, invoice_cents, currency, photo_urls, received_on, created_at, updated_at)
SELECT app.pid(4, v.id), app.pid(2, v.dealer_id), v.vin, 'UNCHECKED', v.stock_no, 'USED',
  CASE v.status WHEN 'PENDING' THEN 'PENDING_SALE' ELSE v.status END, v.year, v.make, v.model, v.trim,
  CASE v.body_style WHEN 'TRUCK' THEN 'PICKUP' ELSE v.body_style END,
  CASE v.drivetrain WHEN '4WD' THEN 'FOUR_WD' ELSE v.drivetrain END,
  CASE v.fuel WHEN 'GAS' THEN 'GASOLINE' WHEN 'EV' THEN 'ELECTRIC' ELSE v.fuel END,
  v.exterior_color, upper(v.exterior_color), v.mileage, v.price_cents, v.msrp_cents, v.invoice_cents, 'USD',
  ARRAY(SELECT p.url FROM app.vehicle_photos p WHERE p.vehicle_id = v.id ORDER BY p.position), v.received_on, '2025-01-01Z', '2025-01-01Z'
FROM app.vehicles v;

-- CUSTOMERS
INSERT INTO preference (id, customer_id, store_id, attribute, operator, value, importance, kind, channel, at)
SELECT app.pid(6, p.id), app.pid(5, p.customer_id), app.pid(2, c.dealer_id),
  CASE p.kind WHEN 'BODY' THEN 'BODY_STYLE' ELSE 'MONTHLY_PAYMENT' END, CASE p.kind WHEN 'BODY' THEN 'IS' ELSE 'AT_MOST' END,
  CASE WHEN p.kind = 'BUDGET' THEN to_char(p.max_payment_cents / 100.0, 'FM9999990.00') WHEN p.value = 'TRUCK' THEN 'PICKUP' ELSE p.value END,
  CASE WHEN p.weight >= 8 THEN 'MUST' WHEN p.weight >= 4 THEN 'SHOULD' ELSE 'NICE' END, 'STATED', 'SHOWROOM', p.updated_at
FROM app.preferences p JOIN app.customers c ON c.id = p.customer_id;
INSERT INTO channel_event (id, store_id, customer_id, channel, name, kind, source, external_id, vehicle_id, duration_seconds, occurred_at, received_at)
SELECT app.pid(7, e.id), app.pid(2, c.dealer_id), app.pid(5, e.customer_id), 'WEBSITE', e.kind,
  CASE e.kind WHEN 'VIEW' THEN 'VIEWED' WHEN 'SAVE' THEN 'SAVED' WHEN 'COMPARE' THEN 'COMPARED' ELSE 'PAYMENT_CALCULATED' END,
  'bench', e.id::text, app.pid(4, e.vehicle_id), e.duration_s, e.occurred_at, e.occurred_at
FROM app.web_events e JOIN app.customers c ON c.id = e.customer_id;

INSERT INTO lender (id, group_id, code, name, accrual_basis)
SELECT app.pid(8, id), app.pid(1, 1), 'L' || id, name, 'ACTUAL_365' FROM app.lenders;
INSERT INTO lender_program (id, lender_id, code, name, kind, effective, conditions, credit_tier, term_min_months, term_max_months,
  max_financed_cents, max_ltv_percent, collateral_basis, buy_rate, max_markup, source, verified)
SELECT app.pid(9, id), app.pid(8, lender_id), name, name, 'RETAIL', '[2025-01-01,)', '{NEW,USED,CERTIFIED}', credit_tier, term_months, term_months,
  20000000, max_ltv_bps / 100.0, 'PRICE', buy_rate_bps / 100.0, max_markup_bps / 100.0, 'bench', true FROM app.lender_programs;
INSERT INTO insurer (id, group_id, code, name) SELECT app.pid(10, id), app.pid(1, 1), 'I' || id, carrier FROM app.insurance_products;
INSERT INTO product (id, group_id, code, kind, name, provider, price_cents, cost_cents, effective)
SELECT app.pid(11, id), app.pid(1, 1), 'P' || id,
  CASE category WHEN 'VSC' THEN 'SERVICE_CONTRACT' WHEN 'TIRE' THEN 'TIRE_AND_WHEEL' WHEN 'PREPAID_MAINT' THEN 'MAINTENANCE' ELSE category END,
  name, 'Bench', retail_cents, cost_cents, '[2025-01-01,)' FROM app.fi_products;

INSERT INTO deal (id, store_id, customer_id, vehicle_id, salesperson_id, state, version, kind, currency, price_cents, down_payment_cents, term_months,
  credit_tier, buyer_jurisdiction, tax_cents, fees_cents, amount_financed_cents, total_price_cents, opened_at, updated_at)
SELECT app.pid(12, d.id), app.pid(2, d.dealer_id), app.pid(5, d.customer_id), app.pid(4, d.vehicle_id), app.pid(3, substr(d.salesperson, 4)::int),
  CASE d.status WHEN 'OPEN' THEN 'WORKSHEET' WHEN 'SOLD' THEN 'DELIVERED' ELSE 'LOST' END, 1, 'RETAIL', 'USD', d.sale_price_cents, d.down_payment_cents,
  d.term_months, c.credit_tier, 'TX', d.tax_cents, d.fees_cents, d.amount_financed_cents, d.sale_price_cents + d.tax_cents + d.fees_cents, d.created_at, d.updated_at
FROM app.deals d JOIN app.customers c ON c.id = d.customer_id;
INSERT INTO trade_in (id, deal_id, ordinal, model_year, make, model, odometer_miles, allowance_cents, payoff_cents)
SELECT app.pid(13, id), app.pid(12, deal_id), 1, year, make, model, mileage, allowance_cents, payoff_cents FROM app.trade_ins;
INSERT INTO finance_quote (id, deal_id, deal_version, program_id, kind, status, term_months, sell_rate, apr, payment_cents, amount_financed_cents,
  finance_charge_cents, total_of_payments_cents, due_at_signing_cents, verified, engine_version, inputs, result, created_at, expires_at)
SELECT app.pid(14, q.id), app.pid(12, q.deal_id), 1, app.pid(9, q.program_id), 'RETAIL', 'QUOTED', q.term_months, q.apr_bps / 100.0, q.apr_bps / 100.0,
  q.payment_cents, q.amount_financed_cents, q.payment_cents::bigint * q.term_months - q.amount_financed_cents, q.payment_cents::bigint * q.term_months,
  0, true, 'bench', '{}', '{}', '2026-10-01Z', '2036-10-01Z' FROM app.finance_quotes q;
INSERT INTO insurance_quote (id, deal_id, deal_version, insurer_id, status, term_months, premium_cents, monthly_premium_cents, verified, engine_version,
  inputs, result, created_at, expires_at)
SELECT app.pid(15, q.id), app.pid(12, q.deal_id), 1, app.pid(10, q.product_id), 'QUOTED', q.term_months, q.monthly_premium_cents::bigint * q.term_months,
  q.monthly_premium_cents, true, 'bench', '{}', '{}', '2026-10-01Z', '2036-10-01Z' FROM app.insurance_quotes q;
INSERT INTO deal_product (id, deal_id, product_id, price_cents, ordinal)
SELECT app.pid(16, id), app.pid(12, deal_id), app.pid(11, product_id), price_cents, 1 + (id - 1) % 2 FROM app.deal_products;
