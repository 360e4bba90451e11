//! All SQL of the rules: read whole, in one statement per table.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sqlx::PgConnection;

use crate::db::DbError;
use crate::insurance::{Coverage, Factor, FactorSubject, InsuranceBook, InsuranceRate, Insurer, Minimum};
use crate::kernel::id::{GroupId, InsurerId, LenderId, ProductId, ProgramId, StoreId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::lease::MoneyFactor;
use super::program::{BackendCaps, CollateralBasis, LateCharge, Program};
use super::quote::{FeeRule, FeeScope, QuoteKind};
use super::retail::AccrualBasis;
use super::rules::{Jurisdiction, Product, RuleRows};
use super::tax::{LeaseTaxMethod, LocalTaxRule, ProductKind, SaleCondition, TaxRule, TaxScheme, TradePolicy};

fn corrupt(what: &str) -> DbError {
    DbError::Corrupt(what.to_owned())
}

fn rate(what: &str, percent: Decimal) -> Result<Rate, DbError> {
    Rate::from_percent(percent).ok_or_else(|| corrupt(what))
}

fn small<T: TryFrom<i32>>(what: &str, number: i32) -> Result<T, DbError> {
    T::try_from(number).map_err(|_| corrupt(what))
}

fn opt_small<T: TryFrom<i32>>(what: &str, number: Option<i32>) -> Result<Option<T>, DbError> {
    number.map(|n| small(what, n)).transpose()
}

/// A list kept as a JSON array.
fn list<T: serde::de::DeserializeOwned>(what: &str, value: serde_json::Value) -> Result<Vec<T>, DbError> {
    serde_json::from_value(value).map_err(|e| corrupt(&format!("{what}: {e}")))
}

/// Every rule row.
pub(super) async fn all(conn: &mut PgConnection) -> Result<RuleRows, DbError> {
    let jurisdictions =
        sqlx::query_as!(Jurisdiction, "SELECT code, state, name FROM tax_jurisdiction ORDER BY code").fetch_all(&mut *conn).await?;
    let postal = sqlx::query!("SELECT postal_prefix, jurisdiction FROM tax_jurisdiction_postal ORDER BY postal_prefix, jurisdiction DESC")
        .fetch_all(&mut *conn)
        .await?;
    Ok(RuleRows {
        jurisdictions,
        postal: postal.into_iter().map(|row| (row.postal_prefix, row.jurisdiction)).collect(),
        tax_rules: tax_rules(conn).await?,
        fees: fees(conn).await?,
        programs: programs(conn).await?,
        products: products(conn).await?,
        insurance: insurance(conn).await?,
    })
}

async fn tax_rules(conn: &mut PgConnection) -> Result<Vec<TaxRule>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT id, jurisdiction, lower(effective) AS effective_from, upper(effective) AS effective_to, scheme AS "scheme: TaxScheme",
                  state_rate, local_rate, local_rule AS "local_rule: LocalTaxRule", local_base_cap_cents AS "local_base_cap: Cents",
                  trade_policy AS "trade_policy: TradePolicy", trade_cap_cents AS "trade_cap: Cents", trade_cap_count,
                  manufacturer_rebate_reduces_base, dealer_rebate_reduces_base, doc_fee_taxable, service_contract_taxable, gap_taxable,
                  other_product_taxable, lease_method AS "lease_method: LeaseTaxMethod", lease_reduction_taxable, lease_trade_credit,
                  minimum_tax_cents AS "minimum_tax: Cents", maximum_tax_cents AS "maximum_tax: Cents", first_base_cents AS "first_base: Cents",
                  first_tax_cents AS "first_tax: Cents", negative_equity_in_base, source, source_read_on, verified, lease_verified, note
           FROM tax_rule ORDER BY jurisdiction, effective"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(TaxRule {
                id: row.id,
                jurisdiction: row.jurisdiction,
                effective_from: row.effective_from,
                effective_to: row.effective_to,
                scheme: row.scheme,
                state_rate: rate("tax_rule.state_rate", row.state_rate)?,
                local_rate: rate("tax_rule.local_rate", row.local_rate)?,
                local_rule: row.local_rule,
                local_base_cap: row.local_base_cap,
                trade_policy: row.trade_policy,
                trade_cap: row.trade_cap,
                trade_cap_count: opt_small("tax_rule.trade_cap_count", row.trade_cap_count)?,
                manufacturer_rebate_reduces_base: row.manufacturer_rebate_reduces_base,
                dealer_rebate_reduces_base: row.dealer_rebate_reduces_base,
                doc_fee_taxable: row.doc_fee_taxable,
                service_contract_taxable: row.service_contract_taxable,
                gap_taxable: row.gap_taxable,
                other_product_taxable: row.other_product_taxable,
                lease_method: row.lease_method,
                lease_reduction_taxable: row.lease_reduction_taxable,
                lease_trade_credit: row.lease_trade_credit,
                minimum_tax: row.minimum_tax,
                maximum_tax: row.maximum_tax,
                first_base: row.first_base,
                first_tax: row.first_tax,
                negative_equity_in_base: row.negative_equity_in_base,
                source: row.source,
                source_read_on: row.source_read_on,
                verified: row.verified,
                lease_verified: row.lease_verified,
                note: row.note,
            })
        })
        .collect()
}

async fn fees(conn: &mut PgConnection) -> Result<Vec<FeeRule>, DbError> {
    let rows = sqlx::query_as!(
        FeeRule,
        r#"SELECT id, jurisdiction, store_id AS "store_id: StoreId", code, label, amount_cents AS "amount: Cents", cap_cents AS "cap: Cents",
                  applies_to AS "applies_to: FeeScope", lower(effective) AS effective_from, upper(effective) AS effective_to,
                  source, source_read_on, verified
           FROM fee_rule ORDER BY store_id NULLS LAST, code"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

async fn programs(conn: &mut PgConnection) -> Result<Vec<(GroupId, Program)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT p.id AS "id: ProgramId", p.lender_id AS "lender_id: LenderId", l.group_id AS "group_id: GroupId", l.code AS lender_code,
                  l.name AS lender_name, l.accrual_basis AS "accrual: AccrualBasis", p.code, p.name, p.kind AS "kind: QuoteKind",
                  lower(p.effective) AS effective_from, upper(p.effective) AS effective_to, p.states,
                  p.conditions AS "conditions: Vec<SaleCondition>", p.max_age_years, p.max_odometer_miles, p.credit_tier, p.score_min, p.score_max,
                  p.term_min_months, p.term_max_months, p.min_financed_cents AS "min_financed: Cents", p.max_financed_cents AS "max_financed: Cents",
                  p.max_ltv_percent, p.collateral_basis AS "collateral_basis: CollateralBasis", p.buy_rate, p.max_markup,
                  p.flat_reserve_cents AS "flat_reserve: Cents", p.reserve_split_percent, p.money_factor, p.residual_percent, p.residual_step_percent,
                  p.acquisition_fee_cents AS "acquisition_fee: Cents", p.disposition_fee_cents AS "disposition_fee: Cents", p.excess_mile_cents,
                  p.max_front_ltv_percent, p.max_pti_percent, p.max_dti_percent, p.adders, p.term_minimums, p.markup_caps, p.mileage_steps,
                  p.max_backend_cents AS "max_backend: Cents", p.max_backend_percent, p.max_service_contract_cents AS "max_service_contract: Cents",
                  p.max_service_contract_percent, p.max_gap_cents AS "max_gap: Cents", p.flat_reserve_percent,
                  p.max_reserve_cents AS "max_reserve: Cents", p.subvented, p.balloon_percent, p.max_deposits, p.deposit_factor,
                  p.deposit_step_cents AS "deposit_step: Cents", p.one_pay_factor, p.purchase_option_fee_cents AS "purchase_option_fee: Cents",
                  p.late_after_days, p.late_percent, p.late_max_cents AS "late_max: Cents",
                  p.source, p.verified
           FROM lender_program p JOIN lender l ON l.id = p.lender_id ORDER BY l.code, p.code"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let opt_rate = |what: &str, value: Option<Decimal>| value.map(|v| rate(what, v)).transpose();
            let factor = |value: Decimal| MoneyFactor::from_decimal(value).ok_or_else(|| corrupt("lender_program.money_factor"));
            let program = Program {
                id: row.id,
                lender_id: row.lender_id,
                lender_code: row.lender_code,
                lender_name: row.lender_name,
                accrual: row.accrual,
                code: row.code,
                name: row.name,
                kind: row.kind,
                effective_from: row.effective_from,
                effective_to: row.effective_to,
                states: row.states,
                conditions: row.conditions,
                max_age_years: opt_small("lender_program.max_age_years", row.max_age_years)?,
                max_odometer_miles: opt_small("lender_program.max_odometer_miles", row.max_odometer_miles)?,
                credit_tier: row.credit_tier,
                score_min: opt_small("lender_program.score_min", row.score_min)?,
                score_max: opt_small("lender_program.score_max", row.score_max)?,
                term_min_months: small("lender_program.term_min_months", row.term_min_months)?,
                term_max_months: small("lender_program.term_max_months", row.term_max_months)?,
                min_financed: row.min_financed,
                max_financed: row.max_financed,
                term_minimums: list("lender_program.term_minimums", row.term_minimums)?,
                max_ltv: rate("lender_program.max_ltv_percent", row.max_ltv_percent)?,
                max_front_ltv: opt_rate("lender_program.max_front_ltv_percent", row.max_front_ltv_percent)?,
                collateral_basis: row.collateral_basis,
                buy_rate: opt_rate("lender_program.buy_rate", row.buy_rate)?,
                adders: list("lender_program.adders", row.adders)?,
                subvented: row.subvented,
                max_payment_to_income: opt_rate("lender_program.max_pti_percent", row.max_pti_percent)?,
                max_debt_to_income: opt_rate("lender_program.max_dti_percent", row.max_dti_percent)?,
                backend: BackendCaps {
                    total: row.max_backend,
                    total_percent: opt_rate("lender_program.max_backend_percent", row.max_backend_percent)?,
                    service_contract: row.max_service_contract,
                    service_contract_percent: opt_rate("lender_program.max_service_contract_percent", row.max_service_contract_percent)?,
                    gap: row.max_gap,
                },
                max_markup: rate("lender_program.max_markup", row.max_markup)?,
                markup_caps: list("lender_program.markup_caps", row.markup_caps)?,
                flat_reserve: row.flat_reserve,
                flat_reserve_percent: rate("lender_program.flat_reserve_percent", row.flat_reserve_percent)?,
                reserve_split: rate("lender_program.reserve_split_percent", row.reserve_split_percent)?,
                max_reserve: row.max_reserve,
                balloon_percent: opt_rate("lender_program.balloon_percent", row.balloon_percent)?,
                late: match row.late_after_days.zip(row.late_percent) {
                    Some((days, percent)) => Some(LateCharge {
                        after_days: small("lender_program.late_after_days", days)?,
                        percent: rate("lender_program.late_percent", percent)?,
                        at_most: row.late_max,
                    }),
                    None => None,
                },
                money_factor: row.money_factor.map(factor).transpose()?,
                residual_percent: opt_rate("lender_program.residual_percent", row.residual_percent)?,
                residual_step: opt_rate("lender_program.residual_step_percent", row.residual_step_percent)?,
                mileage_steps: list("lender_program.mileage_steps", row.mileage_steps)?,
                max_deposits: small("lender_program.max_deposits", row.max_deposits)?,
                deposit_factor: factor(row.deposit_factor)?,
                deposit_step: row.deposit_step,
                one_pay_factor: row.one_pay_factor.map(factor).transpose()?,
                purchase_option_fee: row.purchase_option_fee,
                acquisition_fee: row.acquisition_fee,
                disposition_fee: row.disposition_fee,
                excess_mile: row.excess_mile_cents.map(|c| Cents(i64::from(c))),
                source: row.source,
                verified: row.verified,
            };
            Ok((row.group_id, program))
        })
        .collect()
}

async fn products(conn: &mut PgConnection) -> Result<Vec<Product>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id: ProductId", group_id AS "group_id: GroupId", code, kind AS "kind: ProductKind", name, provider, term_months, term_miles,
                  price_cents AS "price: Cents", cost_cents AS "cost: Cents", lower(effective) AS effective_from, upper(effective) AS effective_to
           FROM product ORDER BY code"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Product {
                id: row.id,
                group_id: row.group_id,
                code: row.code,
                kind: row.kind,
                name: row.name,
                provider: row.provider,
                term_months: opt_small("product.term_months", row.term_months)?,
                term_miles: opt_small("product.term_miles", row.term_miles)?,
                price: row.price,
                cost: row.cost,
                effective_from: row.effective_from,
                effective_to: row.effective_to,
            })
        })
        .collect()
}

async fn insurance(conn: &mut PgConnection) -> Result<InsuranceBook, DbError> {
    let insurers =
        sqlx::query_as!(Insurer, r#"SELECT id AS "id: InsurerId", group_id AS "group_id: GroupId", code, name FROM insurer ORDER BY code"#)
            .fetch_all(&mut *conn)
            .await?;
    let rates = sqlx::query!(
        r#"SELECT id, insurer_id AS "insurer_id: InsurerId", state, coverage AS "coverage: Coverage", base_cents AS "base: Cents",
                  lower(effective) AS effective_from, upper(effective) AS effective_to, verified
           FROM insurance_rate ORDER BY insurer_id, state, coverage"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let rates = rates
        .into_iter()
        .map(|row| {
            let (effective_from, effective_to) = (row.effective_from, row.effective_to);
            let rate =
                InsuranceRate { id: row.id, coverage: row.coverage, base: row.base, effective_from, effective_to, verified: row.verified };
            (row.insurer_id, row.state, rate)
        })
        .collect();
    let factors = sqlx::query!(
        r#"SELECT id, insurer_id AS "insurer_id: InsurerId", subject AS "subject: FactorSubject", coverage AS "coverage: Coverage", from_value, to_value,
                  factor, barred_states, lower(effective) AS effective_from, upper(effective) AS effective_to
           FROM insurance_factor ORDER BY insurer_id, subject, coverage NULLS FIRST, from_value"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let factors: Result<Vec<_>, DbError> = factors
        .into_iter()
        .map(|row| {
            let hundred_thousandths = row.factor.checked_mul(Decimal::new(100_000, 0)).and_then(|f| f.to_i64());
            let factor = Factor {
                id: row.id,
                subject: row.subject,
                coverage: row.coverage,
                from: row.from_value,
                to: row.to_value,
                factor: hundred_thousandths.ok_or_else(|| corrupt("insurance_factor.factor"))?,
                barred_states: row.barred_states,
                effective_from: row.effective_from,
                effective_to: row.effective_to,
            };
            Ok((row.insurer_id, factor))
        })
        .collect();
    let minimums = sqlx::query_as!(
        Minimum,
        r#"SELECT id, state, bodily_injury_person_cents AS "bodily_injury_person: Cents", bodily_injury_accident_cents AS "bodily_injury_accident: Cents",
                  property_damage_cents AS "property_damage: Cents", personal_injury_cents AS "personal_injury: Cents", uninsured_required,
                  lower(effective) AS effective_from, upper(effective) AS effective_to, verified
           FROM insurance_minimum ORDER BY state, effective"#
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(InsuranceBook::new(insurers, rates, factors?, minimums))
}
