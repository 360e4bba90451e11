//! The SQL of products.

use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::{CancelMethod, Product, ProductLaw, ProductRate, ProductRows, VehicleClass};
use crate::db::DbError;
use crate::finance::quote::QuoteKind;
use crate::finance::tax::{ProductKind, SaleCondition};
use crate::kernel::id::{GroupId, ProductId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

fn corrupt(what: &str) -> DbError {
    DbError::Corrupt(what.to_owned())
}

fn small<T: TryFrom<i32>>(what: &str, number: i32) -> Result<T, DbError> {
    T::try_from(number).map_err(|_| corrupt(what))
}

fn opt_small<T: TryFrom<i32>>(what: &str, number: Option<i32>) -> Result<Option<T>, DbError> {
    number.map(|n| small(what, n)).transpose()
}

fn opt_rate(what: &str, percent: Option<Decimal>) -> Result<Option<Rate>, DbError> {
    percent.map(|p| Rate::from_percent(p).ok_or_else(|| corrupt(what))).transpose()
}

/// Every product.
pub(in crate::finance) async fn products(conn: &mut PgConnection) -> Result<Vec<Product>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id: ProductId", group_id AS "group_id: GroupId", code, kind AS "kind: ProductKind", name, provider, term_months, term_miles,
                  deductible_cents AS "deductible: Cents", price_cents AS "price: Cents", cost_cents AS "cost: Cents",
                  conditions AS "conditions: Vec<SaleCondition>", deal_kinds AS "deal_kinds: Vec<QuoteKind>", states, max_age_years,
                  max_odometer_miles, max_ltv_percent, menu_columns, must_decide, cancel_method AS "cancel_method: CancelMethod", free_look_days,
                  cancel_fee_cents AS "cancel_fee: Cents", lower(effective) AS effective_from, upper(effective) AS effective_to
           FROM product ORDER BY code, effective"#
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
                deductible: row.deductible,
                price: row.price,
                cost: row.cost,
                conditions: row.conditions,
                deal_kinds: row.deal_kinds,
                states: row.states,
                max_age_years: opt_small("product.max_age_years", row.max_age_years)?,
                max_odometer_miles: opt_small("product.max_odometer_miles", row.max_odometer_miles)?,
                max_ltv: opt_rate("product.max_ltv_percent", row.max_ltv_percent)?,
                menu_columns: small("product.menu_columns", row.menu_columns)?,
                must_decide: row.must_decide,
                cancel_method: row.cancel_method,
                free_look_days: small("product.free_look_days", row.free_look_days)?,
                cancel_fee: row.cancel_fee,
                effective_from: row.effective_from,
                effective_to: row.effective_to,
            })
        })
        .collect()
}

/// Rate sheets, classes and laws.
pub(in crate::finance) async fn rows(conn: &mut PgConnection) -> Result<ProductRows, DbError> {
    let rates = sqlx::query!(
        r#"SELECT id, group_id AS "group_id: GroupId", product_code, vehicle_class, condition AS "condition: SaleCondition", age_from, age_to, miles_from,
                  miles_to, price_cents AS "price: Cents", cost_cents AS "cost: Cents", lower(effective) AS effective_from,
                  upper(effective) AS effective_to
           FROM product_rate ORDER BY product_code, vehicle_class, age_from, miles_from"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let rates = rates.into_iter().map(|row| ProductRate {
        id: row.id,
        group_id: row.group_id,
        product_code: row.product_code,
        vehicle_class: row.vehicle_class,
        condition: row.condition,
        age: (row.age_from, row.age_to),
        miles: (row.miles_from, row.miles_to),
        price: row.price,
        cost: row.cost,
        effective_from: row.effective_from,
        effective_to: row.effective_to,
    });
    let classes = sqlx::query_as!(
        VehicleClass,
        r#"SELECT group_id AS "group_id: GroupId", make, fuel, class FROM product_vehicle_class ORDER BY make, fuel"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let laws = sqlx::query!(
        r#"SELECT id, state, kind AS "kind: ProductKind", price_cap_percent, min_ltv_percent, free_look_days, cancel_fee_cap_cents AS "fee_cap: Cents",
                  rule_of_78_allowed, source, verified, lower(effective) AS effective_from, upper(effective) AS effective_to
           FROM product_law ORDER BY state, kind, effective"#
    )
    .fetch_all(conn)
    .await?;
    let laws = laws.into_iter().map(|row| {
        Ok(ProductLaw {
            id: row.id,
            state: row.state,
            kind: row.kind,
            price_cap: opt_rate("product_law.price_cap_percent", row.price_cap_percent)?,
            min_ltv: opt_rate("product_law.min_ltv_percent", row.min_ltv_percent)?,
            free_look_days: opt_small("product_law.free_look_days", row.free_look_days)?,
            cancel_fee_cap: row.fee_cap,
            rule_of_78_allowed: row.rule_of_78_allowed,
            source: row.source,
            verified: row.verified,
            effective_from: row.effective_from,
            effective_to: row.effective_to,
        })
    });
    Ok(ProductRows { rates: rates.collect(), classes, laws: laws.collect::<Result<_, DbError>>()? })
}
