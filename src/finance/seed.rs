//! Rule rows to begin with, from `seeds/rules/*.csv`: taxes, fees, minimums; simulated lenders, insurers, products.
//!
//! The files have the layout of [`super::exchange`]. Ids follow from the natural keys, so that loading twice changes nothing;
//! a row that is already there, or whose dates overlap one that is, stays as it is.

use sqlx::PgConnection;

use super::exchange::{self, RuleTable};
use super::store;
use crate::db::DbError;
use crate::kernel::id::GroupId;

/// Loads what is missing for a dealer group and its present stores. Returns how many rows were added.
pub async fn seed_rules(conn: &mut PgConnection, group: GroupId) -> Result<u64, DbError> {
    let mut added: u64 = 0;
    for table in RuleTable::ALL.iter().copied() {
        let mut rows = exchange::seed_rows(table, text(table))?;
        if table == RuleTable::StoreFees {
            // The file says which state's stores: it knows none by name.
            let stores = store::stores(conn, group).await?;
            rows = stores
                .iter()
                .flat_map(|(code, state)| {
                    rows.iter().filter(move |row| row.get("store") == Some(state)).map(move |row| row.with("store", code.clone()))
                })
                .collect();
        }
        added = added.saturating_add(exchange::add_missing(conn, group, table, &rows).await?);
    }
    Ok(added)
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../seeds/rules/", $name, ".csv"))
    };
}

const fn text(table: RuleTable) -> &'static str {
    match table {
        RuleTable::Jurisdictions => file!("jurisdictions"),
        RuleTable::TaxRules => file!("tax_rules"),
        RuleTable::GovernmentFees => file!("government_fees"),
        RuleTable::StoreFees => file!("store_fees"),
        RuleTable::ApprovalRules => file!("approval_rules"),
        RuleTable::DeliveryLaws => file!("delivery_laws"),
        RuleTable::Lenders => file!("lenders"),
        RuleTable::Programs => file!("programs"),
        RuleTable::MarkupLaws => file!("rate_markup_laws"),
        RuleTable::GuideValues => file!("guide_values"),
        RuleTable::Products => file!("products"),
        RuleTable::ProductClasses => file!("product_vehicle_classes"),
        RuleTable::ProductRates => file!("product_rates"),
        RuleTable::ProductLaws => file!("product_laws"),
        RuleTable::Insurers => file!("insurers"),
        RuleTable::InsuranceRates => file!("insurance_rates"),
        RuleTable::InsuranceFactors => file!("insurance_factors"),
        RuleTable::InsuranceBarred => file!("insurance_barred"),
        RuleTable::InsuranceMinimums => file!("insurance_minimums"),
        RuleTable::InsurancePayPlans => file!("insurance_pay_plans"),
        RuleTable::InsuranceDemands => file!("insurance_demands"),
    }
}
