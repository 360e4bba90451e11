//! A customer's income and debts as deals and quotes keep them: sealed for the store.
//!
//! They are opened only to calculate with, and to show them to the people of the store. What follows from them and tells
//! them again (the share of the income a payment takes) is sealed in a stored quote too; a replay opens both and compares
//! what was said. Deals and quotes stored before stay readable.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::within;
use super::plan::{PaymentPlan, PurseChange};
use super::service::DealError;
use crate::db::DbError;
use crate::finance::Purse;
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

/// A value copied to another store's deal does not open.
fn context(store: StoreId) -> String {
    format!("deal.purse/{store}")
}

/// Which parts of a rate's story tell the purse again.
const IN_STORY: [&str; 2] = ["payment_to_income", "debt_to_income"];

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

    /// The income and debts of a plan; none when they are not known.
    pub fn of(&self, store: StoreId, plan: &PaymentPlan) -> Result<Option<Purse>, SealError> {
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

    /// Seals what a quote that is about to be stored tells of the purse.
    pub(in crate::deals) fn seal_quote(&self, store: StoreId, inputs: &mut Value, result: &mut Value) -> Result<(), SealError> {
        for value in told(inputs, result) {
            *value = serde_json::to_value(Kept::seal(&self.sealer, store, value)?).map_err(|_| SealError::Damaged)?;
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

/// The values by which a quote tells the purse.
fn told<'a>(inputs: &'a mut Value, result: &'a mut Value) -> impl Iterator<Item = &'a mut Value> {
    let story = result.pointer_mut("/rate_story").and_then(Value::as_object_mut);
    let ratios = story.into_iter().flatten().filter(|(name, _)| IN_STORY.contains(&name.as_str())).map(|(_, value)| value);
    inputs.pointer_mut("/purse").into_iter().chain(ratios).filter(|value| !value.is_null())
}

/// What is stored does not open.
pub(in crate::deals) fn damaged(error: SealError) -> DbError {
    DbError::Corrupt(format!("income and debts: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deals::plan::PlanChange;
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
