//! Whether the insurance a customer chose is what their lender or lessor asks for.

use chrono::NaiveDate;
use serde_json::Value;

use super::model::DealKind;
use super::pricing::{Case, Desk};
use crate::db::DbError;
use crate::finance::{Program, RuleBook};
use crate::insurance::{CardCover, Demand, InsuranceInput, LenderInterest, Named, UnmetDemand};
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

/// Who asks a customer for cover today, and for what.
struct Asker<'b> {
    demand: &'b Demand,
    /// None while no lender or lessor is chosen: then it is what every one of them asks for.
    program: Option<&'b Program>,
}

impl<'b> Asker<'b> {
    /// None when nobody asks.
    fn of(book: &'b RuleBook, (group, kind, today): (GroupId, DealKind, NaiveDate), program: Option<ProgramId>) -> Option<Self> {
        let program = program.and_then(|id| book.program(id)).map(|program| &**program);
        let demand = book.insurance().demand(group, program.map(|p| p.lender_code.as_str()), kind.interest(), today)?;
        Some(Self { demand, program })
    }

    fn code(&self) -> Option<&'b str> {
        self.program.map(|p| p.lender_code.as_str())
    }

    fn name(&self) -> &'b str {
        self.program.map_or("the lender", |p| p.lender_name.as_str())
    }
}

impl Desk {
    /// What stands between a chosen policy and the lender's or lessor's demands of today, in a sentence; none when it will do.
    pub(in crate::deals) fn cover_gap(&self, case: &Case<'_>, chosen: &Chosen) -> Result<Option<String>, DbError> {
        self.gap(case.store_id, (case.group_id, case.structure.terms.kind, case.today), chosen)
    }

    /// The same by what it looks at of the deal.
    pub(in crate::deals) fn gap(
        &self,
        store: StoreId,
        of: (GroupId, DealKind, NaiveDate),
        chosen: &Chosen,
    ) -> Result<Option<String>, DbError> {
        let book = self.book();
        let mut inputs = chosen.inputs.clone();
        self.purses().open_drivers(store, &mut inputs)?;
        let Ok(input) = serde_json::from_value::<InsuranceInput>(inputs) else { return Ok(None) };
        let Some(asker) = Asker::of(&book, of, chosen.program) else { return Ok(None) };
        let unmet = input.unmet(asker.demand, asker.code(), asker.name());
        let said = |u: &UnmetDemand| format!("{} The policy has: {} {}", u.check.asked, u.check.quoted, u.change);
        let all = unmet.iter().map(said).collect::<Vec<_>>().join(" ");
        Ok((!unmet.is_empty()).then(|| format!("This insurance is not what {} asks for. {all}", asker.name())))
    }

    /// What a customer's insurance card does not show of what their lender or lessor asks for today, in a sentence; none when it
    /// will do, and when nobody asks.
    pub(in crate::deals) fn card_gap(
        &self,
        of: (GroupId, DealKind, NaiveDate),
        program: Option<ProgramId>,
        card: &CardCover,
    ) -> Option<String> {
        let book = self.book();
        let asker = Asker::of(&book, of, program)?;
        let lender = Named { id: asker.program.map(|p| p.lender_id), code: asker.code().unwrap_or("The lender"), name: asker.name() };
        let unmet = card.unmet(asker.demand, lender);
        let said = |u: &UnmetDemand| format!("{} (the card says: {})", u.change, u.check.quoted.trim_end_matches('.'));
        let all = unmet.iter().map(said).collect::<Vec<_>>().join("; ");
        let (words, name) = ("This insurance card does not show what", asker.name());
        (!unmet.is_empty()).then(|| format!("{words} {name} asks for: {all}. Ask the customer's insurer for it, and for a new card."))
    }

    /// What the lender or lessor of a deal asks of the customer's insurance, in a sentence; none when nobody asks.
    pub(in crate::deals) fn cover_asked(&self, of: (GroupId, DealKind, NaiveDate), program: Option<ProgramId>) -> Option<String> {
        let book = self.book();
        let asker = Asker::of(&book, of, program)?;
        Some(format!("It must show what {} asks for: {}.", asker.name(), asker.demand.all_in_words(asker.name())))
    }
}
