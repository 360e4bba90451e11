//! Whether the insurance a customer chose is what their lender or lessor asks for.

use chrono::NaiveDate;
use serde_json::Value;

use super::model::DealKind;
use super::pricing::{Case, Desk};
use crate::db::DbError;
use crate::insurance::{CardCover, InsuranceInput, LenderInterest, Named, UnmetDemand};
use crate::kernel::id::{GroupId, ProgramId, StoreId};

/// An insurance quote as stored, with the program of the deal's accepted finance quote.
#[derive(Debug, Clone)]
pub(in crate::deals) struct Chosen {
    pub(in crate::deals) inputs: Value,
    pub(in crate::deals) program: Option<ProgramId>,
}

impl DealKind {
    /// Who besides the customer has an interest in the car.
    pub(in crate::deals) const fn interest(self) -> LenderInterest {
        match self {
            Self::Cash => LenderInterest::None,
            Self::Retail => LenderInterest::Loan,
            Self::Lease => LenderInterest::Lease,
        }
    }
}

impl Desk {
    /// What stands between a chosen policy and the lender's or lessor's demands of today, in a sentence; none when it will do.
    /// Until a lender is chosen the demands every lender has are looked at.
    pub(in crate::deals) fn cover_gap(&self, case: &Case<'_>, chosen: &Chosen) -> Result<Option<String>, DbError> {
        self.gap((case.group_id, case.store_id), case.structure.terms.kind, case.today, chosen)
    }

    /// The same by what it looks at of the deal.
    pub(in crate::deals) fn gap(
        &self,
        (group, store): (GroupId, StoreId),
        kind: DealKind,
        today: NaiveDate,
        chosen: &Chosen,
    ) -> Result<Option<String>, DbError> {
        let book = self.book();
        let mut inputs = chosen.inputs.clone();
        self.purses().open_drivers(store, &mut inputs)?;
        let Ok(input) = serde_json::from_value::<InsuranceInput>(inputs) else { return Ok(None) };
        let program = chosen.program.and_then(|id| book.program(id));
        let (code, name) = (program.map(|p| p.lender_code.as_str()), program.map_or("the lender", |p| p.lender_name.as_str()));
        let Some(demand) = book.insurance().demand(group, code, kind.interest(), today) else { return Ok(None) };
        let unmet = input.unmet(demand, code, name);
        let said = |u: &UnmetDemand| format!("{} The policy has: {} {}", u.check.asked, u.check.quoted, u.change);
        let all = unmet.iter().map(said).collect::<Vec<_>>().join(" ");
        Ok((!unmet.is_empty()).then(|| format!("This insurance is not what {name} asks for. {all}")))
    }

    /// What a customer's insurance card does not show of what their lender or lessor asks for today, in a sentence; none when it
    /// will do, and when nobody asks.
    pub(in crate::deals) fn card_gap(
        &self,
        (group, kind, today): (GroupId, DealKind, NaiveDate),
        program: Option<ProgramId>,
        card: &CardCover,
    ) -> Option<String> {
        let book = self.book();
        let program = program.and_then(|id| book.program(id));
        let code = program.map(|p| p.lender_code.as_str());
        let demand = book.insurance().demand(group, code, kind.interest(), today)?;
        let name = program.map_or("the lender", |p| p.lender_name.as_str());
        let unmet = card.unmet(demand, Named { id: program.map(|p| p.lender_id), code: code.unwrap_or("The lender"), name });
        let said = |u: &UnmetDemand| format!("{} (the card says: {})", u.change, u.check.quoted.trim_end_matches('.'));
        let all = unmet.iter().map(said).collect::<Vec<_>>().join("; ");
        let words = "This insurance card does not show what";
        (!unmet.is_empty()).then(|| format!("{words} {name} asks for: {all}. Ask the customer's insurer for it, and for a new card."))
    }

    /// What the lender or lessor of a deal asks of the customer's insurance, in a sentence; none when nobody asks.
    pub(in crate::deals) fn cover_asked(
        &self,
        (group, kind, today): (GroupId, DealKind, NaiveDate),
        program: Option<ProgramId>,
    ) -> Option<String> {
        let book = self.book();
        let program = program.and_then(|id| book.program(id));
        let demand = book.insurance().demand(group, program.map(|p| p.lender_code.as_str()), kind.interest(), today)?;
        let name = program.map_or("the lender", |p| p.lender_name.as_str());
        Some(format!("It must show what {name} asks for: {}.", demand.all_in_words(name)))
    }
}
