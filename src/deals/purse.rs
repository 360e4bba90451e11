//! A customer's income, debts and credit as deals and quotes keep them: sealed for the store.
//!
//! They are opened only to calculate with, and to show them to the people of the store. What follows from them and tells
//! them again (the share of the income a payment takes, points added for a thin file) is sealed in a stored quote too; a replay
//! opens both and compares what was said. Deals and quotes stored before stay readable.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::{out, within};
use super::plan::{CreditChange, Opened, PaymentPlan, PurseChange};
use super::service::DealError;
use crate::db::DbError;
use crate::finance::{Credit, Purse};
use crate::kernel::id::StoreId;
use crate::kernel::money::Cents;
use crate::kernel::seal::{SealError, Sealer};

/// A value as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kept<T> {
    /// Sealed, in base64.
    Sealed {
        /// What [`Sealer::seal`] made of its JSON.
        sealed: String,
    },
    /// As it was stored before values were sealed.
    Open(T),
}

/// What is sealed is nobody's business in a log.
impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(..)")
    }
}

impl<T: Clone + Serialize + DeserializeOwned> Kept<T> {
    fn seal(sealer: &Sealer, store: StoreId, value: &T) -> Result<Self, SealError> {
        let plain = serde_json::to_vec(value).map_err(|_| SealError::Damaged)?;
        Ok(Self::Sealed { sealed: BASE64_STANDARD_NO_PAD.encode(sealer.seal(&context(store), &plain)) })
    }

    fn open(&self, sealer: &Sealer, store: StoreId) -> Result<T, SealError> {
        match self {
            Self::Open(value) => Ok(value.clone()),
            Self::Sealed { sealed } => {
                let bytes = BASE64_STANDARD_NO_PAD.decode(sealed).map_err(|_| SealError::Damaged)?;
                let plain = sealer.open(&context(store), &bytes)?;
                serde_json::from_slice(&plain).map_err(|_| SealError::Damaged)
            }
        }
    }
}

/// What the scoring models of the trade say: industry scores run from 250 to 900, others lie within.
pub(in crate::deals) const SCORE_MIN: u16 = 250;
/// The highest.
pub(in crate::deals) const SCORE_MAX: u16 = 900;

/// A value copied to another store's deal does not open.
fn context(store: StoreId) -> String {
    format!("deal.purse/{store}")
}

/// Which parts of a rate's story tell the purse or the credit again.
const IN_STORY: [&str; 4] = ["payment_to_income", "debt_to_income", "score", "trade_lines"];

/// Seals and opens purses. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Purses {
    sealer: Arc<Sealer>,
}

impl Purses {
    /// With the keys of this server.
    pub fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer }
    }

    /// Any value that is nobody's business, sealed for its store.
    pub(in crate::deals) fn keep<T: Clone + Serialize + DeserializeOwned>(&self, store: StoreId, value: &T) -> Result<Kept<T>, DbError> {
        Kept::seal(&self.sealer, store, value).map_err(damaged)
    }

    /// The same opened.
    pub(in crate::deals) fn open<T: Clone + Serialize + DeserializeOwned>(&self, store: StoreId, kept: &Kept<T>) -> Result<T, DbError> {
        kept.open(&self.sealer, store).map_err(damaged)
    }

    /// What a plan keeps sealed.
    pub fn opened(&self, store: StoreId, plan: &PaymentPlan) -> Result<Opened, SealError> {
        Ok(Opened { purse: self.of(store, plan)?, credit: self.credit_of(store, plan)? })
    }

    fn credit_of(&self, store: StoreId, plan: &PaymentPlan) -> Result<Option<Credit>, SealError> {
        plan.credit.as_ref().map(|kept| kept.open(&self.sealer, store)).transpose()
    }

    /// The income and debts of a plan; none when they are not known.
    fn of(&self, store: StoreId, plan: &PaymentPlan) -> Result<Option<Purse>, SealError> {
        plan.purse.as_ref().map(|kept| kept.open(&self.sealer, store)).transpose()
    }

    /// A plan's purse with a change made, sealed. What the change leaves as it is stays as it was stored.
    pub(in crate::deals) fn changed(
        &self,
        store: StoreId,
        plan: &PaymentPlan,
        change: PurseChange,
    ) -> Result<Option<Kept<Purse>>, DealError> {
        let old = self.of(store, plan).map_err(damaged)?;
        let new = change.of(old);
        if new == old {
            return Ok(plan.purse.clone());
        }
        let Some(new) = new else { return Ok(None) };
        within("grossMonthlyIncome", new.gross_income, Cents(1))?;
        within("monthlyDebts", new.debts, Cents::ZERO)?;
        Ok(Some(Kept::seal(&self.sealer, store, &new).map_err(damaged)?))
    }

    /// A plan's score, credit file and co-signer with a change made, sealed. What the change leaves as it is stays as it was stored.
    pub(in crate::deals) fn changed_credit(
        &self,
        store: StoreId,
        plan: &PaymentPlan,
        change: CreditChange,
    ) -> Result<Option<Kept<Credit>>, DealError> {
        let old = self.credit_of(store, plan).map_err(damaged)?;
        let new = change.of(old);
        if new == old {
            return Ok(plan.credit.clone());
        }
        let Some(new) = new else { return Ok(None) };
        let other = new.co_signer.unwrap_or_default();
        for (field, score) in [("creditScore", new.score), ("coSigner.creditScore", other.score)] {
            if score.is_some_and(|score| !(SCORE_MIN..=SCORE_MAX).contains(&score)) {
                return Err(out(field, format!("A credit score is {SCORE_MIN} to {SCORE_MAX}.")).into());
            }
        }
        within("coSigner.grossMonthlyIncome", other.gross_income, Cents::ZERO)?;
        within("coSigner.monthlyDebts", other.debts, Cents::ZERO)?;
        Ok(Some(Kept::seal(&self.sealer, store, &new).map_err(damaged)?))
    }

    /// Seals what a quote that is about to be stored tells of the purse.
    pub(in crate::deals) fn seal_quote(&self, store: StoreId, inputs: &mut Value, result: &mut Value) -> Result<(), SealError> {
        for value in told(inputs, result) {
            *value = serde_json::to_value(Kept::seal(&self.sealer, store, value)?).map_err(|_| SealError::Damaged)?;
        }
        Ok(())
    }

    /// Seals what an insurance quote that is about to be stored tells of the drivers.
    pub(in crate::deals) fn seal_drivers(&self, store: StoreId, inputs: &mut Value) -> Result<(), SealError> {
        for value in drivers(inputs) {
            *value = serde_json::to_value(Kept::seal(&self.sealer, store, value)?).map_err(|_| SealError::Damaged)?;
        }
        Ok(())
    }

    /// A stored insurance quote's inputs as they were calculated with.
    pub(in crate::deals) fn open_drivers(&self, store: StoreId, inputs: &mut Value) -> Result<(), DbError> {
        for value in drivers(inputs) {
            let kept = Kept::<Value>::deserialize(&*value).map_err(|_| damaged(SealError::Damaged))?;
            *value = kept.open(&self.sealer, store).map_err(damaged)?;
        }
        Ok(())
    }

    /// A stored quote as it was calculated.
    pub(in crate::deals) fn open_quote(&self, store: StoreId, inputs: &mut Value, result: &mut Value) -> Result<(), DbError> {
        for value in told(inputs, result) {
            let kept = Kept::<Value>::deserialize(&*value).map_err(|_| damaged(SealError::Damaged))?;
            *value = kept.open(&self.sealer, store).map_err(damaged)?;
        }
        Ok(())
    }
}

/// What an insurer is told of the people who drive.
fn drivers(inputs: &mut Value) -> impl Iterator<Item = &mut Value> {
    let request = inputs.pointer_mut("/request").and_then(Value::as_object_mut).into_iter().flatten();
    request.filter(|(name, _)| matches!(name.as_str(), "drivers" | "prior_lapse_days")).map(|(_, value)| value)
}

/// The values by which a quote tells the purse and the credit. What is added to the rate, and the step that adds it, tell of the file
/// once that is known.
fn told<'a>(inputs: &'a mut Value, result: &'a mut Value) -> Vec<&'a mut Value> {
    fn parts(value: &mut Value) -> impl Iterator<Item = (&str, &mut Value)> {
        value.as_object_mut().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }
    let by_file = inputs.get("credit").is_some_and(|credit| !credit.is_null());
    let mut told: Vec<_> = parts(inputs).filter(|(name, _)| matches!(*name, "purse" | "credit")).map(|(_, value)| value).collect();
    for (name, value) in parts(result) {
        match name {
            "trace" if by_file => told.push(value),
            "rate_story" => {
                let tells = |name: &str| IN_STORY.contains(&name) || (by_file && name == "adders");
                told.extend(parts(value).filter(|(name, _)| tells(name)).map(|(_, value)| value));
            }
            _ => {}
        }
    }
    told.retain(|value| !value.is_null());
    told
}

/// What is stored does not open.
pub(in crate::deals) fn damaged(error: SealError) -> DbError {
    DbError::Corrupt(format!("what a deal keeps sealed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deals::plan::PlanChange;
    use crate::finance::CoSigner;
    use crate::kernel::seal::DataKey;
    use serde_json::json;
    use uuid::Uuid;

    const STORE: StoreId = StoreId(Uuid::from_u128(1));
    const PURSE: Purse = Purse { gross_income: Cents(5_432_10), debts: Cents(987_65) };

    fn purses() -> Purses {
        Purses::new(Arc::new(Sealer::new(&DataKey::new([1; 32]), &[], &DataKey::new([2; 32]))))
    }

    fn change(gross_income: Option<i64>, debts: Option<i64>) -> PurseChange {
        PurseChange { gross_income: gross_income.map(Cents), debts: debts.map(Cents) }
    }

    fn kept(purses: &Purses, plan: &PaymentPlan, change: PurseChange) -> PaymentPlan {
        let purse = purses.changed(STORE, plan, change).unwrap();
        plan.changed(PlanChange { kept_purse: Some(purse), ..PlanChange::default() })
    }

    #[test]
    fn a_plan_keeps_the_purse_sealed_for_its_store() {
        let purses = purses();
        let plan = kept(&purses, &PaymentPlan::default(), change(Some(5_432_10), Some(987_65)));
        let stored = serde_json::to_string(&plan).unwrap();
        assert!(!format!("{stored}{plan:?}").contains("5432") && !stored.contains("543210") && !stored.contains("98765"), "{stored}");
        let read: PaymentPlan = serde_json::from_str(&stored).unwrap();
        assert_eq!(purses.of(STORE, &read), Ok(Some(PURSE)));
        assert_eq!(purses.of(StoreId(Uuid::from_u128(2)), &read), Err(SealError::Damaged));
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name_and_an_income_of_zero_forgets() {
        let purses = purses();
        let plan = kept(&purses, &PaymentPlan::default(), change(Some(5_000_00), None));
        let plan = kept(&purses, &plan, change(None, Some(900_00)));
        assert_eq!(purses.of(STORE, &plan), Ok(Some(Purse { gross_income: Cents(5_000_00), debts: Cents(900_00) })));
        // Said again, it is the same plan, though another sealing would look different.
        assert_eq!(kept(&purses, &plan, change(Some(5_000_00), Some(900_00))), plan);
        assert_eq!(kept(&purses, &plan, PurseChange::default()), plan);
        assert_eq!(kept(&purses, &plan, change(Some(0), None)), PaymentPlan::default());
        // Debts beside no income say nothing.
        assert_eq!(kept(&purses, &PaymentPlan::default(), change(None, Some(1))), PaymentPlan::default());
        let refused = |change| purses.changed(STORE, &plan, change).is_err();
        assert!(refused(change(Some(-1), None)) && refused(change(None, Some(-1))) && refused(change(Some(Cents::LIMIT.0 + 1), None)));
    }

    #[test]
    fn credit_is_kept_sealed_and_zero_forgets_a_part() {
        let (purses, plan) = (purses(), PaymentPlan::default());
        let kept = |plan: &PaymentPlan, change: CreditChange| {
            let credit = purses.changed_credit(STORE, plan, change).unwrap();
            plan.changed(PlanChange { kept_credit: Some(credit), ..PlanChange::default() })
        };
        let of = |plan: &PaymentPlan| purses.opened(STORE, plan).unwrap().credit;
        let co_purse = change(Some(4_000_00), Some(300_00));
        let plan = kept(&plan, CreditChange { score: Some(661), trade_lines: Some(Some(0)), co_score: Some(781), co_purse });
        let stored = serde_json::to_string(&plan).unwrap();
        assert!(!format!("{stored}{plan:?}").contains("661") && !stored.contains("400000") && !stored.contains("trade_lines"), "{stored}");
        let co = CoSigner { score: Some(781), gross_income: Cents(4_000_00), debts: Cents(300_00) };
        assert_eq!(of(&plan), Some(Credit { score: Some(661), trade_lines: Some(0), co_signer: Some(co) }));
        assert_eq!(kept(&plan, CreditChange { score: Some(661), ..CreditChange::default() }), plan, "said again, it is the same plan");
        let plan = kept(&plan, CreditChange { co_score: Some(0), trade_lines: Some(None), ..CreditChange::default() });
        assert_eq!(of(&plan), Some(Credit { score: Some(661), trade_lines: None, co_signer: Some(CoSigner { score: None, ..co }) }));
        let plan = kept(&plan, CreditChange { co_purse: change(Some(0), None), ..CreditChange::default() });
        assert_eq!(of(&plan), Some(Credit { score: Some(661), ..Credit::default() }));
        for (score, fits) in [(249, false), (250, true), (900, true), (901, false)] {
            let said = CreditChange { co_score: Some(score), ..CreditChange::default() };
            assert_eq!(purses.changed_credit(STORE, &plan, said).is_ok(), fits, "{score}");
        }
        assert_eq!(kept(&plan, CreditChange { score: Some(0), ..CreditChange::default() }), PaymentPlan::default());
    }

    #[test]
    fn a_quote_hides_what_a_file_adds_to_the_rate() {
        let purses = purses();
        let story = json!({ "adders": [["thin credit file", "2"]], "score": 721, "trade_lines": 2, "tier": "A" });
        let inputs = json!({ "credit": { "score": 661 }, "purse": null });
        let trace = json!([{ "step": "rate", "value": "8.9 = 6.9 +2 (thin credit file)" }]);
        let (mut sealed, mut told) = (inputs.clone(), json!({ "rate_story": story, "trace": trace }));
        let result = told.clone();
        purses.seal_quote(STORE, &mut sealed, &mut told).unwrap();
        let text = format!("{sealed}{told}");
        assert!(!text.contains("661") && !text.contains("721") && !text.contains("thin") && text.contains(r#""tier":"A""#), "{text}");
        purses.open_quote(STORE, &mut sealed, &mut told).unwrap();
        assert_eq!((sealed, told), (inputs, result));
        // Without a file the points are the car's and the term's: they stay readable.
        let (mut inputs, mut told) = (json!({ "price": 1 }), json!({ "rate_story": { "adders": [["over 60 months", "1"]] }, "trace": [] }));
        purses.seal_quote(STORE, &mut inputs, &mut told).unwrap();
        assert!(told.to_string().contains("over 60 months"));
    }

    #[test]
    fn a_purse_stored_open_is_read_and_sealed_with_its_next_change() {
        let purses = purses();
        let stored = json!({ "purse": { "gross_income": 5_432_10, "debts": 987_65 } });
        let plan: PaymentPlan = serde_json::from_value(stored).unwrap();
        assert_eq!(purses.of(STORE, &plan), Ok(Some(PURSE)));
        let plan = kept(&purses, &plan, change(None, Some(1_00)));
        assert!(matches!(plan.purse, Some(Kept::Sealed { .. })));
    }

    #[test]
    fn a_stored_quote_hides_the_purse_and_opens_as_it_was() {
        let purses = purses();
        let inputs = json!({ "price": 1, "purse": { "gross_income": 5_432_10, "debts": 987_65 } });
        let result = json!({ "payment": 500_00, "rate_story": { "tier": "A", "payment_to_income": "9.204545", "debt_to_income": null } });
        let (mut sealed, mut told) = (inputs.clone(), result.clone());
        purses.seal_quote(STORE, &mut sealed, &mut told).unwrap();
        let text = format!("{sealed}{told}");
        assert!(!text.contains("543210") && !text.contains("98765") && !text.contains("9.204545"), "{text}");
        assert_eq!((&sealed["price"], &told["rate_story"]["debt_to_income"]), (&json!(1), &json!(null)));
        purses.open_quote(STORE, &mut sealed, &mut told).unwrap();
        assert_eq!((&sealed, &told), (&inputs, &result));
        // One stored before values were sealed is as it is; so is one that tells nothing.
        purses.open_quote(STORE, &mut sealed, &mut told).unwrap();
        assert_eq!((&sealed, &told), (&inputs, &result));
        let (mut cash, mut none) = (json!({ "purse": null }), json!({ "rate_story": null }));
        purses.seal_quote(STORE, &mut cash, &mut none).unwrap();
        assert_eq!((cash, none), (json!({ "purse": null }), json!({ "rate_story": null })));
    }
}
