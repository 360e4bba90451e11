//! A stored quote calculated again from its own inputs, and what it means when the two differ. Pure.
//!
//! A quote's inputs hold copies of every rule row it used, so that no later change of the rules can reach it. Only a change of
//! the engine can; then the answer says so by name instead of showing two figures without a word.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::finance::{ENGINE_VERSION, QuoteInput};
use crate::insurance::{InsuranceInput, RATING_VERSION};

crate::text_enum! {
    /// How a stored quote compares with the same calculated again.
    pub enum ReplayOutcome {
        /// Byte for byte the same.
        Equal = "EQUAL",
        /// Every figure, line and step is the same; only the engine's version is another.
        EqualByLaterEngine = "EQUAL_BY_LATER_ENGINE",
        /// The engine was changed since and comes to something else; the reason names what.
        EngineChanged = "ENGINE_CHANGED",
        /// This engine cannot calculate from such inputs; the reason says why.
        NotCalculable = "NOT_CALCULABLE",
        /// The same version of the engine comes to something else: stop using it and tell those who were quoted
        /// (12 CFR 1026.22(a)(1)).
        Different = "DIFFERENT",
    }
}

/// A stored result and the same calculated again.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The engine that calculated the stored result.
    pub engine_version: String,
    /// The engine that calculates now.
    pub present_version: &'static str,
    /// As stored.
    pub stored: Value,
    /// Calculated again from the stored inputs, or why that is not possible.
    pub replayed: Result<Value, String>,
}

/// What only managers see of a result.
const FOR_MANAGERS: [&str; 5] = ["buy_rate", "reserve", "rate_story", "over_allowance", "trace"];
/// Where a result says which engine made it.
const VERSIONS: [&str; 2] = ["engine_version", "rating_version"];

impl Replay {
    /// A finance quote from its inputs.
    pub fn of_finance(engine_version: String, inputs: &Value, stored: Value) -> Self {
        let replayed = again(inputs, |input: &QuoteInput| input.quote());
        Self { engine_version, present_version: ENGINE_VERSION, stored, replayed }
    }

    /// An insurance quote from its inputs.
    pub fn of_insurance(engine_version: String, inputs: &Value, stored: Value) -> Self {
        let replayed = again(inputs, |input: &InsuranceInput| input.quote());
        Self { engine_version, present_version: RATING_VERSION, stored, replayed }
    }

    /// Byte for byte the same.
    pub fn equal(&self) -> bool {
        self.replayed.as_ref() == Ok(&self.stored)
    }

    /// The parts that differ, beside the engine's version.
    fn differing(&self) -> Vec<&str> {
        let (Some(old), Some(new)) = (self.stored.as_object(), self.replayed.as_ref().ok().and_then(Value::as_object)) else {
            return Vec::new();
        };
        let gone = old.keys().filter(|name| !new.contains_key(*name));
        let changed = new.iter().filter(|(name, value)| old.get(*name) != Some(value)).map(|(name, _)| name);
        gone.chain(changed).map(String::as_str).filter(|name| !VERSIONS.contains(name)).collect()
    }

    /// How the two compare.
    pub fn outcome(&self) -> ReplayOutcome {
        match &self.replayed {
            Err(_) => ReplayOutcome::NotCalculable,
            Ok(_) if self.equal() => ReplayOutcome::Equal,
            Ok(_) if self.engine_version == self.present_version => ReplayOutcome::Different,
            Ok(_) if self.differing().is_empty() => ReplayOutcome::EqualByLaterEngine,
            Ok(_) => ReplayOutcome::EngineChanged,
        }
    }

    /// Why the two are not the same, in words; none when they are.
    pub fn reason(&self) -> Option<String> {
        let (old, new) = (&self.engine_version, self.present_version);
        match (self.outcome(), &self.replayed) {
            (ReplayOutcome::Equal, _) => None,
            (_, Err(why)) => Some(format!("Made by engine {old}; engine {new} cannot calculate from its inputs: {why}")),
            (ReplayOutcome::EqualByLaterEngine, _) => Some(format!("Made by engine {old}; engine {new} comes to the same figures.")),
            _ => Some(format!("Made by engine {old}; engine {new} comes to another result: {}.", self.differing().join(", "))),
        }
    }

    /// Without the lender's rate, the reserve and the trace, which are for managers.
    #[must_use]
    pub fn for_salespeople(mut self) -> Self {
        for result in std::iter::once(&mut self.stored).chain(self.replayed.as_mut().ok()) {
            if let Some(fields) = result.as_object_mut() {
                fields.retain(|name, _| !FOR_MANAGERS.contains(&name.as_str()));
            }
        }
        self
    }
}

fn again<I: DeserializeOwned, R: Serialize, E: std::fmt::Display>(
    inputs: &Value,
    quote: impl FnOnce(&I) -> Result<R, E>,
) -> Result<Value, String> {
    let input = I::deserialize(inputs).map_err(|e| e.to_string())?;
    let result = quote(&input).map_err(|e| e.to_string())?;
    serde_json::to_value(result).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn replay(engine_version: &str, stored: Value, replayed: Result<Value, String>) -> Replay {
        Replay { engine_version: engine_version.into(), present_version: "2.0", stored, replayed }
    }

    #[test]
    fn what_differs_has_a_name() {
        let quote = |version: &str, payment: i64| json!({ "engine_version": version, "payment": payment, "reserve": 5 });
        let same = replay("2.0", quote("2.0", 1), Ok(quote("2.0", 1)));
        assert_eq!((same.outcome(), same.reason(), same.equal()), (ReplayOutcome::Equal, None, true));
        let later = replay("1.9", quote("1.9", 1), Ok(quote("2.0", 1)));
        assert_eq!((later.outcome(), later.equal()), (ReplayOutcome::EqualByLaterEngine, false));
        let changed = replay("1.9", quote("1.9", 1), Ok(quote("2.0", 2)));
        assert_eq!(changed.outcome(), ReplayOutcome::EngineChanged);
        assert_eq!(changed.reason().unwrap(), "Made by engine 1.9; engine 2.0 comes to another result: payment.");
        let broken = replay("2.0", quote("2.0", 1), Ok(quote("2.0", 2)));
        assert_eq!(broken.outcome(), ReplayOutcome::Different);
        let gone = replay("1.0", quote("1.0", 1), Err("missing field `tax_rule`".into()));
        assert_eq!(gone.outcome(), ReplayOutcome::NotCalculable);
        assert!(gone.reason().unwrap().ends_with("cannot calculate from its inputs: missing field `tax_rule`"));
    }

    #[test]
    fn salespeople_are_not_told_the_lenders_side() {
        let both = json!({ "payment": 1, "reserve": 5, "buy_rate": 6, "trace": [], "rate_story": {}, "over_allowance": 1 });
        let told = replay("2.0", both.clone(), Ok(both)).for_salespeople();
        assert_eq!((told.stored, told.replayed), (json!({ "payment": 1 }), Ok(json!({ "payment": 1 }))));
    }

    #[test]
    fn inputs_that_are_none_are_refused_with_the_reason() {
        for inputs in [json!(null), json!({}), json!({ "kind": "CASH" })] {
            for replay in [Replay::of_finance("2.0".into(), &inputs, json!({})), Replay::of_insurance("2.0".into(), &inputs, json!({}))] {
                assert_eq!(replay.outcome(), ReplayOutcome::NotCalculable);
                assert!(replay.reason().unwrap().contains("cannot calculate"));
            }
        }
    }
}
