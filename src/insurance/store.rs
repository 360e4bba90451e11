//! All SQL of insurance: rows read whole, in one statement per table.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sqlx::PgConnection;

use super::model::{
    Barred, Coverage, Demand, Factor, FactorSubject, InsuranceBook, InsuranceRows, Insurer, LenderInterest, Minimum, PayPlan, Rate,
};
use crate::db::DbError;
use crate::kernel::id::{GroupId, InsurerId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate as Percent;

fn corrupt(what: &str) -> DbError {
    DbError::Corrupt(what.to_owned())
}

/// Every row on insurance.
pub async fn load(conn: &mut PgConnection) -> Result<InsuranceBook, DbError> {
    let insurers =
        sqlx::query_as!(Insurer, r#"SELECT id AS "id: InsurerId", group_id AS "group_id: GroupId", code, name FROM insurer ORDER BY code"#)
            .fetch_all(&mut *conn)
            .await?;
    let minimums = sqlx::query_as!(
        Minimum,
        r#"SELECT id, state, bodily_injury_person_cents AS "bodily_injury_person: Cents", bodily_injury_accident_cents AS "bodily_injury_accident: Cents",
                  property_damage_cents AS "property_damage: Cents", personal_injury_cents AS "personal_injury: Cents", uninsured_required,
                  lower(effective) AS effective_from, upper(effective) AS effective_to, verified
           FROM insurance_minimum ORDER BY state, effective"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let barred = sqlx::query_as!(
        Barred,
        r#"SELECT id, state, subject AS "subject: FactorSubject", lower(effective) AS effective_from, upper(effective) AS effective_to, verified
           FROM insurance_barred ORDER BY state, subject, effective"#
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(InsuranceBook::new(InsuranceRows {
        insurers,
        rates: rates(conn).await?,
        factors: factors(conn).await?,
        minimums,
        barred,
        pay_plans: pay_plans(conn).await?,
        demands: demands(conn).await?,
    }))
}

async fn rates(conn: &mut PgConnection) -> Result<Vec<(InsurerId, String, Rate)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT id, insurer_id AS "insurer_id: InsurerId", state, coverage AS "coverage: Coverage", base_cents AS "base: Cents",
                  lower(effective) AS effective_from, upper(effective) AS effective_to, verified
           FROM insurance_rate ORDER BY insurer_id, state, coverage"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let (effective_from, effective_to) = (row.effective_from, row.effective_to);
            let rate = Rate { id: row.id, coverage: row.coverage, base: row.base, effective_from, effective_to, verified: row.verified };
            (row.insurer_id, row.state, rate)
        })
        .collect())
}

async fn factors(conn: &mut PgConnection) -> Result<Vec<(InsurerId, Factor)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT id, insurer_id AS "insurer_id: InsurerId", subject AS "subject: FactorSubject", coverage AS "coverage: Coverage", from_value, to_value,
                  factor, barred_states, lower(effective) AS effective_from, upper(effective) AS effective_to
           FROM insurance_factor ORDER BY insurer_id, subject, coverage NULLS FIRST, from_value"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
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
        .collect()
}

async fn pay_plans(conn: &mut PgConnection) -> Result<Vec<(InsurerId, PayPlan)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT id, insurer_id AS "insurer_id: InsurerId", code, name, payments, first_percent, fee_cents AS "fee: Cents", discount_percent,
                  lower(effective) AS effective_from, upper(effective) AS effective_to
           FROM insurance_pay_plan ORDER BY insurer_id, payments, code"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let percent = |value: Decimal| Percent::from_percent(value).ok_or_else(|| corrupt("insurance_pay_plan"));
            let plan = PayPlan {
                id: row.id,
                code: row.code,
                name: row.name,
                payments: u16::try_from(row.payments).map_err(|_| corrupt("insurance_pay_plan.payments"))?,
                first: percent(row.first_percent)?,
                fee: row.fee,
                discount: percent(row.discount_percent)?,
                effective_from: row.effective_from,
                effective_to: row.effective_to,
            };
            Ok((row.insurer_id, plan))
        })
        .collect()
}

async fn demands(conn: &mut PgConnection) -> Result<Vec<(GroupId, Demand)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT id, group_id AS "group_id: GroupId", lender_code, interest AS "interest: LenderInterest", max_deductible_cents AS "max_deductible: Cents",
                  bodily_injury_person_cents AS "person: Cents", bodily_injury_accident_cents AS "accident: Cents",
                  property_damage_cents AS "property: Cents", loss_payee, additional_insured,
                  lower(effective) AS effective_from, upper(effective) AS effective_to, verified
           FROM insurance_demand ORDER BY group_id, lender_code, interest"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let demand = Demand {
                id: row.id,
                lender_code: row.lender_code,
                interest: row.interest,
                max_deductible: row.max_deductible,
                bodily_injury_person: row.person,
                bodily_injury_accident: row.accident,
                property_damage: row.property,
                loss_payee: row.loss_payee,
                additional_insured: row.additional_insured,
                effective_from: row.effective_from,
                effective_to: row.effective_to,
                verified: row.verified,
            };
            (row.group_id, demand)
        })
        .collect())
}
