//! All SQL of the rules: read whole, in one statement per table.

use rust_decimal::Decimal;
use sqlx::PgConnection;

use crate::db::DbError;
use crate::kernel::id::{GroupId, LenderId, ProgramId, StoreId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::approval::{ApprovalKind, ApprovalRule};
use super::delivery::{CountsFrom, DeliveryLaw, DeliveryRight, ReturnFees};
use super::lease::MoneyFactor;
use super::product;
use super::program::{BackendCaps, CollateralBasis, GuideValue, JointScore, LateCharge, MarkupLaw, Program, Stipulation};
use super::quote::{FeeRule, FeeScope, QuoteKind};
use super::retail::AccrualBasis;
use super::rules::{Jurisdiction, RuleRows};
use super::tax::{LeaseTaxMethod, LocalTaxRule, SaleCondition, TaxRule, TaxScheme, TradePolicy};

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

/// The code and state of a group's stores.
pub(super) async fn stores(conn: &mut PgConnection, group: GroupId) -> Result<Vec<(String, String)>, DbError> {
    let rows = sqlx::query!("SELECT code, state FROM store WHERE group_id = $1 ORDER BY code", group.0).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.code, row.state)).collect())
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
        markup_laws: markup_laws(conn).await?,
        guide_values: guide_values(conn).await?,
        programs: programs(conn).await?,
        products: product::store::products(conn).await?,
        product_rows: product::store::rows(conn).await?,
        insurance: crate::insurance::load(conn).await?,
        approval_rules: approval_rules(conn).await?,
        delivery_laws: delivery_laws(conn).await?,
    })
}

async fn approval_rules(conn: &mut PgConnection) -> Result<Vec<ApprovalRule>, DbError> {
    let rows = sqlx::query_as!(
        ApprovalRule,
        r#"SELECT id, group_id AS "group_id: GroupId", store_id AS "store_id: StoreId", kind AS "kind: ApprovalKind", lower(effective) AS effective_from,
             upper(effective) AS effective_to, limit_hundredths AS "limit", admin_limit_hundredths AS admin_limit, escalate_minutes, answer_minutes,
             valid_minutes
           FROM approval_rule ORDER BY kind, effective"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

async fn delivery_laws(conn: &mut PgConnection) -> Result<Vec<DeliveryLaw>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT id, state, kind AS "kind: DeliveryRight", days, counts_from AS "counts_from: CountsFrom", conditions AS "conditions: Vec<SaleCondition>",
             max_price_cents AS "max_price: Cents", max_miles, restock_percent, restock_min_cents AS "restock_min: Cents",
             restock_max_cents AS "restock_max: Cents", mile_fee_cents AS "mile_fee: Cents", mile_fee_free, mile_fee_max_cents AS "mile_fee_max: Cents",
             mile_fee_verified, source, verified, lower(effective) AS effective_from, upper(effective) AS effective_to
           FROM delivery_law ORDER BY state, kind, effective"#
    )
    .fetch_all(conn)
    .await?;
    let laws = rows.into_iter().map(|row| DeliveryLaw {
        id: row.id,
        state: row.state,
        kind: row.kind,
        days: row.days,
        counts_from: row.counts_from,
        conditions: row.conditions,
        max_price: row.max_price,
        max_miles: row.max_miles,
        fees: ReturnFees::stored(
            (row.restock_percent, row.restock_min, row.restock_max),
            (row.mile_fee, row.mile_fee_free, row.mile_fee_max, row.mile_fee_verified),
        ),
        source: row.source,
        verified: row.verified,
        effective_from: row.effective_from,
        effective_to: row.effective_to,
    });
    Ok(laws.collect())
}

async fn tax_rules(conn: &mut PgConnection) -> Result<Vec<TaxRule>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT id, jurisdiction, lower(effective) AS effective_from, upper(effective) AS effective_to, scheme AS "scheme: TaxScheme",
                  state_rate, local_rate, local_rule AS "local_rule: LocalTaxRule", local_base_cap_cents AS "local_base_cap: Cents",
                  trade_policy AS "trade_policy: TradePolicy", trade_cap_cents AS "trade_cap: Cents", trade_cap_count,
                  manufacturer_rebate_reduces_base, dealer_rebate_reduces_base, doc_fee_taxable, service_contract_taxable, service_contract_taxed_percent,
                  gap_taxable, maintenance_taxable, other_product_taxable, product_rate, product_verified, lease_method AS "lease_method: LeaseTaxMethod", lease_reduction_taxable, lease_trade_credit,
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
                service_contract_taxed: rate("tax_rule.service_contract_taxed_percent", row.service_contract_taxed_percent)?,
                gap_taxable: row.gap_taxable,
                maintenance_taxable: row.maintenance_taxable,
                other_product_taxable: row.other_product_taxable,
                product_rate: row.product_rate.map(|value| rate("tax_rule.product_rate", value)).transpose()?,
                product_verified: row.product_verified,
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
    let rows = sqlx::query!(
        r#"SELECT id, jurisdiction, store_id AS "store_id: StoreId", code, label, amount_cents AS "amount: Cents", cap_cents AS "cap: Cents",
                  cap_percent, estimate, applies_to AS "applies_to: FeeScope", lower(effective) AS effective_from,
                  upper(effective) AS effective_to, source, source_read_on, verified
           FROM fee_rule ORDER BY store_id NULLS LAST, code"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(FeeRule {
                id: row.id,
                jurisdiction: row.jurisdiction,
                store_id: row.store_id,
                code: row.code,
                label: row.label,
                amount: row.amount,
                cap: row.cap,
                cap_percent: row.cap_percent.map(|percent| rate("fee_rule.cap_percent", percent)).transpose()?,
                estimate: row.estimate,
                applies_to: row.applies_to,
                effective_from: row.effective_from,
                effective_to: row.effective_to,
                source: row.source,
                source_read_on: row.source_read_on,
                verified: row.verified,
            })
        })
        .collect()
}

async fn programs(conn: &mut PgConnection) -> Result<Vec<(GroupId, Program)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT p.id AS "id: ProgramId", p.lender_id AS "lender_id: LenderId", l.group_id AS "group_id: GroupId", l.code AS lender_code,
                  l.name AS lender_name, l.accrual_basis AS "accrual: AccrualBasis", p.code, p.name, p.kind AS "kind: QuoteKind",
                  lower(p.effective) AS effective_from, upper(p.effective) AS effective_to, p.states,
                  p.conditions AS "conditions: Vec<SaleCondition>", p.max_age_years, p.max_odometer_miles, p.credit_tier, p.score_min, p.score_max,
                  p.joint_score AS "joint_score: JointScore", p.joint_income,
                  p.term_min_months, p.term_max_months, p.min_financed_cents AS "min_financed: Cents", p.max_financed_cents AS "max_financed: Cents",
                  p.max_ltv_percent, p.collateral_basis AS "collateral_basis: CollateralBasis", p.buy_rate, p.max_markup,
                  p.flat_reserve_cents AS "flat_reserve: Cents", p.reserve_split_percent, p.money_factor, p.residual_percent, p.residual_step_percent,
                  p.acquisition_fee_cents AS "acquisition_fee: Cents", p.disposition_fee_cents AS "disposition_fee: Cents", p.excess_mile_cents,
                  p.max_front_ltv_percent, p.max_pti_percent, p.max_dti_percent, p.adders, p.term_minimums, p.markup_caps, p.mileage_steps,
                  p.max_backend_cents AS "max_backend: Cents", p.max_backend_percent, p.max_service_contract_cents AS "max_service_contract: Cents",
                  p.max_service_contract_percent, p.max_gap_cents AS "max_gap: Cents", p.flat_reserve_percent,
                  p.max_reserve_cents AS "max_reserve: Cents", p.subvented, p.balloon_percent, p.max_deposits, p.deposit_factor,
                  p.deposit_step_cents AS "deposit_step: Cents", p.one_pay_factor, p.purchase_option_fee_cents AS "purchase_option_fee: Cents",
                  p.late_after_days, p.late_percent, p.late_max_cents AS "late_max: Cents", p.stipulations AS "stipulations: Vec<Stipulation>",
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
                joint_score: row.joint_score,
                joint_income: row.joint_income,
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
                stipulations: row.stipulations,
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

async fn markup_laws(conn: &mut PgConnection) -> Result<Vec<MarkupLaw>, DbError> {
    let rows = sqlx::query!(
        "SELECT id, state, above_months, points, lower(effective) AS effective_from, upper(effective) AS effective_to, verified
         FROM rate_markup_law ORDER BY state, above_months, effective"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(MarkupLaw {
                id: row.id,
                state: row.state,
                above_months: small("rate_markup_law.above_months", row.above_months)?,
                points: rate("rate_markup_law.points", row.points)?,
                effective_from: row.effective_from,
                effective_to: row.effective_to,
                verified: row.verified,
            })
        })
        .collect()
}

async fn guide_values(conn: &mut PgConnection) -> Result<Vec<GuideValue>, DbError> {
    let rows = sqlx::query_as!(
        GuideValue,
        r#"SELECT id, group_id AS "group_id: GroupId", vin, wholesale_cents AS "wholesale: Cents", retail_cents AS "retail: Cents",
                  lower(effective) AS effective_from, upper(effective) AS effective_to, verified
           FROM guide_value ORDER BY group_id, vin, effective"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
