//! What the state and the lender ask of a policy: raised where they may be, checked always.

use super::InsuranceInput;
use super::model::{Coverage, CoverageChoice, Demand, InsuranceRequest, LenderInterest, Minimum};
use crate::kernel::id::LenderId;
use crate::kernel::money::Cents;

crate::text_enum! {
    /// What a lender or lessor asks for.
    pub enum DemandSubject {
        /// Comprehensive cover with a deductible that is not too high.
        Comprehensive = "COMPREHENSIVE",
        /// Collision cover with a deductible that is not too high.
        Collision = "COLLISION",
        /// Bodily injury limits.
        BodilyInjury = "BODILY_INJURY",
        /// Property damage limit.
        PropertyDamage = "PROPERTY_DAMAGE",
        /// To be named loss payee.
        LossPayee = "LOSS_PAYEE",
        /// To be named additional insured.
        AdditionalInsured = "ADDITIONAL_INSURED",
    }
}

/// One demand against the policy as quoted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DemandCheck {
    /// What.
    pub subject: DemandSubject,
    /// What is asked, in words.
    pub asked: String,
    /// What the policy has, in words.
    pub quoted: String,
    /// Whether that is enough.
    pub met: bool,
}

/// A policy as far as a lender or lessor looks at it.
#[derive(Debug, Clone, Copy)]
struct Policy<'a> {
    coverages: &'a [CoverageChoice],
    /// Who is named loss payee, if it is who is to be; else what there is to say.
    loss_payee: Result<&'a str, &'a str>,
    /// Who is named additional insured, likewise.
    additional_insured: Result<&'a str, &'a str>,
    /// What there is to say of a coverage that it has not.
    without: &'a str,
}

impl DemandCheck {
    /// Every demand of the lender or lessor against the request.
    pub fn all(request: &InsuranceRequest, demand: Option<&Demand>) -> Vec<Self> {
        let Some(demand) = demand.filter(|_| request.interest != LenderInterest::None) else { return Vec::new() };
        let named = request.lender_code.as_deref().ok_or("The lender is not chosen yet.");
        let policy = Policy { coverages: &request.coverages, loss_payee: named, additional_insured: named, without: "No such cover." };
        Self::of(&policy, demand)
    }

    fn of(policy: &Policy<'_>, demand: &Demand) -> Vec<Self> {
        let of = |coverage| policy.coverages.iter().find(|c| c.coverage == coverage);
        let mut out = Vec::with_capacity(6);
        for (subject, coverage) in
            [(DemandSubject::Comprehensive, Coverage::Comprehensive), (DemandSubject::Collision, Coverage::Collision)]
        {
            let deductible = of(coverage).map(|c| c.deductible.unwrap_or_default());
            out.push(Self {
                subject,
                asked: format!("A deductible of at most {}.", demand.max_deductible),
                quoted: deductible.map_or_else(|| policy.without.into(), |d| format!("A deductible of {d}.")),
                met: deductible.is_some_and(|d| d <= demand.max_deductible),
            });
        }
        let injury = of(Coverage::BodilyInjury).map(|c| (c.limit.unwrap_or_default(), c.limit_per_accident.unwrap_or_default()));
        if demand.bodily_injury_person > Cents::ZERO || demand.bodily_injury_accident > Cents::ZERO {
            out.push(Self {
                subject: DemandSubject::BodilyInjury,
                asked: format!("At least {} per person and {} per accident.", demand.bodily_injury_person, demand.bodily_injury_accident),
                quoted: injury.map_or_else(|| policy.without.into(), |(p, a)| format!("{p} per person and {a} per accident.")),
                met: injury.is_some_and(|(p, a)| p >= demand.bodily_injury_person && a >= demand.bodily_injury_accident),
            });
        }
        if demand.property_damage > Cents::ZERO {
            let limit = of(Coverage::PropertyDamage).map(|c| c.limit.unwrap_or_default());
            out.push(Self {
                subject: DemandSubject::PropertyDamage,
                asked: format!("At least {}.", demand.property_damage),
                quoted: limit.map_or_else(|| policy.without.into(), |l| l.to_string()),
                met: limit.is_some_and(|l| l >= demand.property_damage),
            });
        }
        for (subject, wanted, named, words) in [
            (DemandSubject::LossPayee, demand.loss_payee, policy.loss_payee, "loss payee"),
            (DemandSubject::AdditionalInsured, demand.additional_insured, policy.additional_insured, "additional insured"),
        ] {
            if wanted {
                out.push(Self {
                    subject,
                    asked: format!("To be named {words}."),
                    quoted: named.map_or_else(ToOwned::to_owned, |code| format!("{code} is named.")),
                    met: named.is_ok(),
                });
            }
        }
        out
    }
}

/// A demand that a quote made before does not meet, and the change that clears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmetDemand {
    /// Against the policy as quoted.
    pub check: DemandCheck,
    /// What to do about it, in words a salesperson can read aloud.
    pub change: String,
}

impl InsuranceInput {
    /// What a lender or lessor asks for today and this quote does not have. A quote that names nobody yet names whoever is
    /// chosen by then; one that names another does not.
    pub fn unmet(&self, demand: &Demand, lender_code: Option<&str>, lender_name: &str) -> Vec<UnmetDemand> {
        let mut request = self.request.clone();
        request.interest = demand.interest;
        let named = request.lender_code.as_deref();
        let names_another = named.is_some() && lender_code.is_some() && named != lender_code;
        request.lender_code = (!names_another).then(|| lender_code.unwrap_or_default().to_owned());
        let checks = DemandCheck::all(&request, Some(demand)).into_iter().filter(|check| !check.met);
        checks.map(|check| UnmetDemand { change: change(check.subject, demand, lender_name), check }).collect()
    }
}

/// What the card of a customer's own policy says of what a lender may ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct CardCover {
    /// What the customer bears of comprehensive damage.
    pub comprehensive_deductible: Option<Cents>,
    /// What the customer bears of a collision.
    pub collision_deductible: Option<Cents>,
    /// The bodily injury limit per person.
    pub bodily_injury_person: Option<Cents>,
    /// The bodily injury limit per accident.
    pub bodily_injury_accident: Option<Cents>,
    /// The property damage limit.
    pub property_damage: Option<Cents>,
    /// Who is named loss payee.
    pub loss_payee: Option<LenderId>,
    /// Who is named additional insured.
    pub additional_insured: Option<LenderId>,
}

/// Whom a policy must name.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The lender or lessor; none while nobody is chosen.
    pub id: Option<LenderId>,
    /// Its short code.
    pub code: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl CardCover {
    /// What a lender or lessor asks for and the card does not show, with what to do about it.
    pub fn unmet(&self, demand: &Demand, lender: Named<'_>) -> Vec<UnmetDemand> {
        let damage = |coverage, deductible: Option<Cents>| {
            deductible.map(|d| CoverageChoice { coverage, limit: None, limit_per_accident: None, deductible: Some(d) })
        };
        let liability = |coverage, limit: Option<Cents>, limit_per_accident| {
            limit.map(|l| CoverageChoice { coverage, limit: Some(l), limit_per_accident, deductible: None })
        };
        let coverages: Vec<CoverageChoice> = [
            damage(Coverage::Comprehensive, self.comprehensive_deductible),
            damage(Coverage::Collision, self.collision_deductible),
            liability(Coverage::BodilyInjury, self.bodily_injury_person, self.bodily_injury_accident),
            liability(Coverage::PropertyDamage, self.property_damage, None),
        ]
        .into_iter()
        .flatten()
        .collect();
        let naming = |named: Option<LenderId>| match named {
            None => Err("It names nobody."),
            Some(named) if lender.id.is_some_and(|id| id != named) => Err("It names another."),
            Some(_) => Ok(lender.code),
        };
        let (loss_payee, additional_insured) = (naming(self.loss_payee), naming(self.additional_insured));
        let policy = Policy { coverages: &coverages, loss_payee, additional_insured, without: "Nothing." };
        let checks = DemandCheck::of(&policy, demand).into_iter().filter(|check| !check.met);
        checks.map(|check| UnmetDemand { change: demand.in_words(check.subject, lender.name), check }).collect()
    }
}

impl Demand {
    /// Everything asked for, in words: "comprehensive cover with a deductible of at most 500.00, …".
    pub fn all_in_words(&self, lender_name: &str) -> String {
        let nothing = Policy { coverages: &[], loss_payee: Err(""), additional_insured: Err(""), without: "" };
        let asked = DemandCheck::of(&nothing, self);
        asked.iter().map(|check| self.in_words(check.subject, lender_name)).collect::<Vec<_>>().join(", ")
    }

    fn in_words(&self, subject: DemandSubject, lender: &str) -> String {
        match subject {
            DemandSubject::Comprehensive => format!("comprehensive cover with a deductible of at most {}", self.max_deductible),
            DemandSubject::Collision => format!("collision cover with a deductible of at most {}", self.max_deductible),
            DemandSubject::BodilyInjury => format!(
                "bodily injury limits of at least {} per person and {} per accident",
                self.bodily_injury_person, self.bodily_injury_accident
            ),
            DemandSubject::PropertyDamage => format!("a property damage limit of at least {}", self.property_damage),
            DemandSubject::LossPayee => format!("{lender} named loss payee"),
            DemandSubject::AdditionalInsured => format!("{lender} named additional insured"),
        }
    }
}

fn change(subject: DemandSubject, demand: &Demand, lender: &str) -> String {
    let asked = demand.in_words(subject, lender);
    match subject {
        DemandSubject::LossPayee => format!("Ask the insurers again, so that the policy names {lender} loss payee."),
        DemandSubject::AdditionalInsured => format!("Ask the insurers again, so that the policy names {lender} additional insured."),
        _ => format!("Ask the insurers again for {asked}."),
    }
}

/// The least limits per person and per accident: the state's, and the lender's where they are to be met.
fn floors(coverage: Coverage, request: &InsuranceRequest, minimum: Option<&Minimum>, demand: Option<&Demand>) -> (Cents, Cents) {
    let demand = demand.filter(|_| request.meet_demands);
    let most = |legal: Option<Cents>, asked: Option<Cents>| legal.unwrap_or_default().max(asked.unwrap_or_default());
    match coverage {
        Coverage::BodilyInjury => (
            most(minimum.map(|m| m.bodily_injury_person), demand.map(|d| d.bodily_injury_person)),
            most(minimum.map(|m| m.bodily_injury_accident), demand.map(|d| d.bodily_injury_accident)),
        ),
        Coverage::PropertyDamage => (most(minimum.map(|m| m.property_damage), demand.map(|d| d.property_damage)), Cents::ZERO),
        Coverage::Medical => (minimum.map(|m| m.personal_injury).unwrap_or_default(), Cents::ZERO),
        Coverage::UninsuredMotorist if minimum.is_some_and(|m| m.uninsured_required) => {
            (minimum.map(|m| m.bodily_injury_person).unwrap_or_default(), minimum.map(|m| m.bodily_injury_accident).unwrap_or_default())
        }
        _ => (Cents::ZERO, Cents::ZERO),
    }
}

/// Whether the state or the lender asks for a coverage.
pub(super) fn required(coverage: Coverage, request: &InsuranceRequest, minimum: Option<&Minimum>, demand: Option<&Demand>) -> bool {
    if coverage.covers_the_car() {
        request.interest != LenderInterest::None
    } else {
        floors(coverage, request, minimum, demand).0 > Cents::ZERO
    }
}

/// Adds what is missing and raises what is too low.
pub(super) fn raise(request: &mut InsuranceRequest, minimum: Option<&Minimum>, demand: Option<&Demand>) {
    for coverage in Coverage::ALL.iter().copied() {
        let asked_by_lender_only = coverage.covers_the_car();
        if required(coverage, request, minimum, demand)
            && (request.meet_demands || !asked_by_lender_only)
            && !request.coverages.iter().any(|c| c.coverage == coverage)
        {
            let deductible = asked_by_lender_only.then(|| demand.map_or(Cents(500_00), |d| d.max_deductible));
            request.coverages.push(CoverageChoice { coverage, limit: None, limit_per_accident: None, deductible });
        }
    }
    let asked = request.clone();
    for choice in &mut request.coverages {
        let (person, accident) = floors(choice.coverage, &asked, minimum, demand);
        if person > Cents::ZERO {
            choice.limit = Some(choice.limit.unwrap_or_default().max(person));
        }
        if accident > Cents::ZERO {
            choice.limit_per_accident = Some(choice.limit_per_accident.unwrap_or_default().max(accident));
        }
        if let Some(most) = demand.map(|d| d.max_deductible).filter(|_| choice.coverage.covers_the_car() && asked.meet_demands) {
            choice.deductible = Some(choice.deductible.unwrap_or(most).min(most));
        }
    }
}

/// What the state and the lender ask for, in words.
pub(super) fn words(request: &InsuranceRequest, minimum: Option<&Minimum>, demand: Option<&Demand>) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(m) = minimum {
        out.push(format!(
            "{} asks for at least {}/{}/{}.",
            request.state, m.bodily_injury_person, m.bodily_injury_accident, m.property_damage
        ));
    }
    if let Some(d) = demand.filter(|_| request.interest != LenderInterest::None) {
        let who = if request.interest == LenderInterest::Lease { "lessor" } else { "lender" };
        out.push(format!("The {who} asks for comprehensive and collision with a deductible of at most {}.", d.max_deductible));
    }
    out
}
