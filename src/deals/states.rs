//! The deal's state machine: one table of (from, verb, guards, to).
//!
//! ```text
//! DRAFT → WORKSHEET → PRESENTED → AGREED → CREDIT_SUBMITTED → CREDIT_DECIDED → DOCS_READY → CONTRACTED → DELIVERED → FUNDED → CLOSED
//! ```
//! Side exits: LOST, EXPIRED, CANCELLED (before the contract), UNWOUND and RETURNED (after it). A cash deal skips credit.
//! Guards whose content is not built yet are in the table, so that the way is visible, and [`Guard::enforced`] says which
//! they are. Nothing else in the slice decides about states.

crate::text_enum! {
    /// Where a deal stands between the first figure and the closed books.
    pub enum DealState {
        /// Opened with defaults; nobody has put figures on the table yet.
        Draft = "DRAFT",
        /// Figures are being worked on.
        Worksheet = "WORKSHEET",
        /// The customer was shown the full figures: every tax and fee line and the total price.
        Presented = "PRESENTED",
        /// The customer said yes to exactly these figures.
        Agreed = "AGREED",
        /// A credit application is with lenders.
        CreditSubmitted = "CREDIT_SUBMITTED",
        /// Lenders have answered.
        CreditDecided = "CREDIT_DECIDED",
        /// The papers are ready to sign.
        DocsReady = "DOCS_READY",
        /// Signed. The vehicle belongs to this deal.
        Contracted = "CONTRACTED",
        /// The customer has the car.
        Delivered = "DELIVERED",
        /// The lender has paid.
        Funded = "FUNDED",
        /// The books are closed.
        Closed = "CLOSED",
        /// The customer did not buy; the reason is recorded.
        Lost = "LOST",
        /// Nobody touched it for too long.
        Expired = "EXPIRED",
        /// Called off by the store or the customer before delivery.
        Cancelled = "CANCELLED",
        /// Taken back after delivery: the trade-in and all money were returned.
        Unwound = "UNWOUND",
        /// Returned by the customer within the law's period.
        Returned = "RETURNED",
    }
}

impl DealState {
    /// Being worked on: may still become a sale of any car.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Contracted | Self::Delivered | Self::Funded) && !self.is_ended()
    }

    /// Nothing follows.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Closed | Self::Lost | Self::Expired | Self::Cancelled | Self::Unwound | Self::Returned)
    }

    /// As a salesperson would say it: "presented".
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Draft => "just opened",
            Self::Worksheet => "being worked on",
            Self::Presented => "presented",
            Self::Agreed => "agreed",
            Self::CreditSubmitted => "waiting for lenders",
            Self::CreditDecided => "decided by the lenders",
            Self::DocsReady => "ready to sign",
            Self::Contracted => "signed",
            Self::Delivered => "delivered",
            Self::Funded => "funded",
            Self::Closed => "closed",
            Self::Lost => "lost",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Unwound => "unwound",
            Self::Returned => "returned",
        }
    }
}

crate::text_enum! {
    /// What can be done to a deal.
    pub enum DealVerb {
        /// Change any part of the structure.
        Structure = "STRUCTURE",
        /// Ask every eligible lender program and insurer for a quote.
        Quote = "QUOTE",
        /// Choose a finance quote.
        AcceptFinance = "ACCEPT_FINANCE",
        /// Choose an insurance quote.
        AcceptInsurance = "ACCEPT_INSURANCE",
        /// Another car, everything else kept.
        SwapVehicle = "SWAP_VEHICLE",
        /// Ask a manager for a yes to what goes beyond the house's rules.
        AskApproval = "ASK_APPROVAL",
        /// The customer takes or declines every product of the menu.
        DecideMenu = "DECIDE_MENU",
        /// Show the customer the full figures.
        Present = "PRESENT",
        /// The customer says yes.
        Agree = "AGREE",
        /// Send the credit application.
        SubmitCredit = "SUBMIT_CREDIT",
        /// A lender's decision was chosen.
        DecideCredit = "DECIDE_CREDIT",
        /// Prepare the papers.
        PrepareDocs = "PREPARE_DOCS",
        /// Sign; takes the vehicle.
        Contract = "CONTRACT",
        /// Hand over the car.
        Deliver = "DELIVER",
        /// The lender's money arrived.
        Fund = "FUND",
        /// Close the books.
        Close = "CLOSE",
        /// The customer walks away.
        Lose = "LOSE",
        /// Too old.
        Expire = "EXPIRE",
        /// Call it off.
        Cancel = "CANCEL",
        /// Take the car back after delivery.
        Unwind = "UNWIND",
        /// The customer returns the car within the law's period.
        Return = "RETURN",
    }
}

crate::text_enum! {
    /// A condition that must hold for a step.
    pub enum Guard {
        /// Every tax and fee line and the total price are known (California SB 766).
        FiguresComplete = "FIGURES_COMPLETE",
        /// No other deal has this car.
        VehicleFree = "VEHICLE_FREE",
        /// Within the house's rules, or a manager said yes to exactly these figures.
        Approved = "APPROVED",
        /// The deal is paid in cash.
        CashDeal = "CASH_DEAL",
        /// The customer chose a finance quote that fits the figures and has not expired.
        FinanceQuoteAccepted = "FINANCE_QUOTE_ACCEPTED",
        /// A reason is given.
        ReasonGiven = "REASON_GIVEN",
        /// Consent to the credit application, evidence of joint intent.
        CreditConsent = "CREDIT_CONSENT",
        /// The buyer is not on the sanctions list (OFAC), cash too.
        SanctionsClear = "SANCTIONS_CLEAR",
        /// No unresolved identity warning (Red Flags Rule).
        IdentityClear = "IDENTITY_CLEAR",
        /// A lender's decision is chosen and has not expired.
        CreditApproved = "CREDIT_APPROVED",
        /// Amount financed, APR and term equal the decision within the lender's tolerance.
        TermsMatchDecision = "TERMS_MATCH_DECISION",
        /// Every product of the menu is taken or declined, where the house wants one decided; the price and the products are still those.
        MenuDecided = "MENU_DECIDED",
        /// Disclosures (Truth in Lending or Leasing, Buyers Guide for a used car) are delivered.
        DisclosuresDelivered = "DISCLOSURES_DELIVERED",
        /// The customer's insurance card is seen and counts on the day of the hand-over.
        InsuranceActive = "INSURANCE_ACTIVE",
        /// What the odometer shows is stated as the law asks (49 CFR 580), or the car needs no statement.
        OdometerStated = "ODOMETER_STATED",
        /// The lender's conditions are cleared, or it is a spot delivery with a deadline.
        ConditionsClearedOrSpot = "CONDITIONS_CLEARED_OR_SPOT",
        /// A manager of the store does it.
        ByManager = "BY_MANAGER",
        /// A spot delivery until its last day, or the customer agrees.
        RightToUnwind = "RIGHT_TO_UNWIND",
        /// A lender pays for the deal: it is no cash deal.
        LenderPays = "LENDER_PAYS",
        /// The lender's money arrived, or it is a cash deal.
        Paid = "PAID",
        /// The trade-in and everything paid were given back.
        ConsiderationReturned = "CONSIDERATION_RETURNED",
        /// Inside the period of the law.
        InsideReturnPeriod = "INSIDE_RETURN_PERIOD",
    }
}

impl DealVerb {
    /// The mutation that does it; none while what it needs is not built.
    pub const fn mutation(self) -> Option<&'static str> {
        Some(match self {
            Self::Structure => "dealStructure",
            Self::Quote => "dealQuote",
            Self::AcceptFinance | Self::AcceptInsurance => "quoteAccept",
            Self::SwapVehicle => "dealSwapVehicle",
            Self::AskApproval => "approvalRequest",
            Self::DecideMenu => "dealMenuDecide",
            Self::Present => "dealPresent",
            Self::Agree => "dealAgree",
            Self::Contract => "dealContract",
            Self::Lose => "dealLose",
            Self::Cancel => "dealCancel",
            Self::Deliver => "dealDeliver",
            Self::Unwind => "dealUnwind",
            Self::Return => "dealReturn",
            Self::Fund => "dealFund",
            Self::Close => "dealClose",
            Self::SubmitCredit | Self::DecideCredit | Self::PrepareDocs | Self::Expire => return None,
        })
    }

    /// Who does it, in a few words; none while nobody can.
    pub const fn who(self) -> Option<&'static str> {
        match self {
            Self::Structure | Self::Quote | Self::SwapVehicle | Self::AskApproval | Self::Present | Self::Cancel | Self::Deliver => {
                Some("seller")
            }
            Self::Fund | Self::Close | Self::Unwind | Self::Return => Some("manager"),
            Self::AcceptFinance | Self::AcceptInsurance | Self::DecideMenu | Self::Agree | Self::Contract | Self::Lose => {
                Some("seller, on the customer's word")
            }
            Self::Expire => Some("the program, by the clock"),
            _ => None,
        }
    }
}

impl Guard {
    /// Whether the program checks it today. The others belong to credit and documents, which come later: until
    /// then AGREED goes straight to CONTRACTED, and every financed delivery is a spot delivery.
    pub const fn enforced(self) -> bool {
        matches!(
            self,
            Self::FiguresComplete
                | Self::VehicleFree
                | Self::Approved
                | Self::CashDeal
                | Self::FinanceQuoteAccepted
                | Self::MenuDecided
                | Self::ReasonGiven
                | Self::InsuranceActive
                | Self::OdometerStated
                | Self::ConditionsClearedOrSpot
                | Self::ByManager
                | Self::RightToUnwind
                | Self::ConsiderationReturned
                | Self::InsideReturnPeriod
                | Self::LenderPays
                | Self::Paid
        )
    }
}

/// Where a step leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Always there.
    To(DealState),
    /// The state stays.
    Stays,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Transition {
    /// The states it may begin in.
    pub from: &'static [DealState],
    /// What is done.
    pub verb: DealVerb,
    /// What must hold. Rows with the same verb and state are alternatives: the first whose guards hold is taken.
    pub guards: &'static [Guard],
    /// Where it leads.
    pub to: Target,
}

use DealState as S;
use DealVerb as V;
use Guard as G;
use Target::{Stays, To};

const fn row(from: &'static [S], verb: V, guards: &'static [G], to: Target) -> Transition {
    Transition { from, verb, guards, to }
}

/// The table.
pub const TRANSITIONS: &[Transition] = &[
    // Whatever changes a figure falls back to the worksheet: what was shown or agreed is no longer what stands.
    row(&[S::Draft, S::Worksheet, S::Presented, S::Agreed, S::CreditDecided, S::DocsReady], V::Structure, &[], To(S::Worksheet)),
    row(
        &[S::Draft, S::Worksheet, S::Presented, S::Agreed, S::CreditDecided, S::DocsReady],
        V::SwapVehicle,
        &[G::VehicleFree],
        To(S::Worksheet),
    ),
    row(&[S::Draft, S::Worksheet], V::Quote, &[], To(S::Worksheet)),
    row(&[S::Presented, S::Agreed], V::Quote, &[], Stays),
    row(&[S::Draft, S::Worksheet], V::AcceptFinance, &[], To(S::Worksheet)),
    // Choosing among what was shown is part of the talk; after the yes, another choice needs another yes.
    row(&[S::Presented, S::Agreed], V::AcceptFinance, &[], To(S::Presented)),
    row(&[S::Draft, S::Worksheet], V::AcceptInsurance, &[], To(S::Worksheet)),
    row(&[S::Presented, S::Agreed, S::CreditSubmitted, S::CreditDecided, S::DocsReady, S::Contracted], V::AcceptInsurance, &[], Stays),
    row(&[S::Draft, S::Worksheet, S::Presented], V::AskApproval, &[G::FiguresComplete], Stays),
    row(&[S::Draft, S::Worksheet, S::Presented, S::Agreed, S::CreditDecided, S::DocsReady], V::DecideMenu, &[G::FiguresComplete], Stays),
    row(&[S::Draft, S::Worksheet, S::Presented], V::Present, &[G::VehicleFree, G::FiguresComplete], To(S::Presented)),
    row(&[S::Presented], V::Agree, &[G::VehicleFree, G::FiguresComplete, G::Approved, G::CashDeal], To(S::Agreed)),
    row(&[S::Presented], V::Agree, &[G::VehicleFree, G::FiguresComplete, G::Approved, G::FinanceQuoteAccepted], To(S::Agreed)),
    row(
        &[S::Agreed],
        V::SubmitCredit,
        &[G::FinanceQuoteAccepted, G::CreditConsent, G::SanctionsClear, G::IdentityClear],
        To(S::CreditSubmitted),
    ),
    row(&[S::CreditSubmitted], V::DecideCredit, &[G::CreditApproved], To(S::CreditDecided)),
    row(&[S::CreditDecided], V::PrepareDocs, &[G::CreditApproved, G::TermsMatchDecision, G::MenuDecided], To(S::DocsReady)),
    row(
        &[S::Agreed],
        V::Contract,
        &[G::VehicleFree, G::MenuDecided, G::CashDeal, G::SanctionsClear, G::DisclosuresDelivered],
        To(S::Contracted),
    ),
    // Until credit is built the accepted quote stands for the lender's decision.
    row(&[S::Agreed], V::Contract, &[G::VehicleFree, G::MenuDecided, G::FinanceQuoteAccepted, G::DisclosuresDelivered], To(S::Contracted)),
    row(
        &[S::DocsReady],
        V::Contract,
        &[G::VehicleFree, G::FinanceQuoteAccepted, G::CreditApproved, G::TermsMatchDecision, G::MenuDecided, G::DisclosuresDelivered],
        To(S::Contracted),
    ),
    row(&[S::Contracted], V::Deliver, &[G::InsuranceActive, G::OdometerStated, G::ConditionsClearedOrSpot], To(S::Delivered)),
    row(&[S::Delivered], V::Fund, &[G::ByManager, G::LenderPays], To(S::Funded)),
    row(&[S::Delivered, S::Funded], V::Close, &[G::ByManager, G::Paid], To(S::Closed)),
    row(
        &[S::Draft, S::Worksheet, S::Presented, S::Agreed, S::CreditSubmitted, S::CreditDecided, S::DocsReady],
        V::Lose,
        &[G::ReasonGiven],
        To(S::Lost),
    ),
    row(
        &[S::Draft, S::Worksheet, S::Presented, S::Agreed, S::CreditSubmitted, S::CreditDecided, S::DocsReady],
        V::Expire,
        &[],
        To(S::Expired),
    ),
    row(
        &[S::Draft, S::Worksheet, S::Presented, S::Agreed, S::CreditSubmitted, S::CreditDecided, S::DocsReady, S::Contracted],
        V::Cancel,
        &[G::ReasonGiven],
        To(S::Cancelled),
    ),
    row(&[S::Delivered, S::Funded], V::Unwind, &[G::ByManager, G::ReasonGiven, G::RightToUnwind, G::ConsiderationReturned], To(S::Unwound)),
    row(
        &[S::Delivered, S::Funded, S::Closed],
        V::Return,
        &[G::ByManager, G::InsideReturnPeriod, G::ConsiderationReturned],
        To(S::Returned),
    ),
];

/// Why a step is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No row of the table has this verb in this state.
    NotFromHere,
    /// The first guard that does not hold.
    Guard(Guard),
}

/// Decides a step: the state after it, or why not. `holds` answers the enforced guards.
pub fn decide(state: DealState, verb: DealVerb, holds: impl Fn(Guard) -> bool) -> Result<DealState, Refusal> {
    let mut refusal = Refusal::NotFromHere;
    for row in rows(state, verb) {
        match row.guards.iter().find(|guard| guard.enforced() && !holds(**guard)) {
            None => {
                return Ok(match row.to {
                    Target::To(next) => next,
                    Target::Stays => state,
                });
            }
            // The last alternative names what is missing: after "not cash" comes "choose a quote".
            Some(guard) => refusal = Refusal::Guard(*guard),
        }
    }
    Err(refusal)
}

/// The rows that apply, in order.
pub fn rows(state: DealState, verb: DealVerb) -> impl Iterator<Item = &'static Transition> {
    TRANSITIONS.iter().filter(move |row| row.verb == verb && row.from.contains(&state))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state × verb as documented: the table written a second time, by hand, as one line per verb.
    /// Order of the letters: DRAFT WORKSHEET PRESENTED AGREED CREDIT_SUBMITTED CREDIT_DECIDED DOCS_READY CONTRACTED DELIVERED
    /// FUNDED CLOSED LOST EXPIRED CANCELLED UNWOUND RETURNED. `-` refused, `=` stays, else the first letter(s) of the target.
    const EXPECTED: &[(DealVerb, &str)] = &[
        (V::Structure, "W W W W - W W - - - - - - - - -"),
        (V::Quote, "W W = = - - - - - - - - - - - -"),
        (V::AcceptFinance, "W W P P - - - - - - - - - - - -"),
        (V::AcceptInsurance, "W W = = = = = = - - - - - - - -"),
        (V::SwapVehicle, "W W W W - W W - - - - - - - - -"),
        (V::AskApproval, "= = = - - - - - - - - - - - - -"),
        (V::DecideMenu, "= = = = - = = - - - - - - - - -"),
        (V::Present, "P P P - - - - - - - - - - - - -"),
        (V::Agree, "- - A - - - - - - - - - - - - -"),
        (V::SubmitCredit, "- - - CS - - - - - - - - - - - -"),
        (V::DecideCredit, "- - - - CD - - - - - - - - - - -"),
        (V::PrepareDocs, "- - - - - DR - - - - - - - - - -"),
        (V::Contract, "- - - CO - - CO - - - - - - - - -"),
        (V::Deliver, "- - - - - - - DE - - - - - - - -"),
        (V::Fund, "- - - - - - - - FU - - - - - - -"),
        (V::Close, "- - - - - - - - CL CL - - - - - -"),
        (V::Lose, "LO LO LO LO LO LO LO - - - - - - - - -"),
        (V::Expire, "EX EX EX EX EX EX EX - - - - - - - - -"),
        (V::Cancel, "CA CA CA CA CA CA CA CA - - - - - - - -"),
        (V::Unwind, "- - - - - - - - UN UN - - - - - -"),
        (V::Return, "- - - - - - - - RE RE RE - - - - -"),
    ];

    fn target(code: &str, from: DealState) -> Option<DealState> {
        Some(match code {
            "=" => from,
            "W" => S::Worksheet,
            "P" => S::Presented,
            "A" => S::Agreed,
            "CS" => S::CreditSubmitted,
            "CD" => S::CreditDecided,
            "DR" => S::DocsReady,
            "CO" => S::Contracted,
            "DE" => S::Delivered,
            "FU" => S::Funded,
            "CL" => S::Closed,
            "LO" => S::Lost,
            "EX" => S::Expired,
            "CA" => S::Cancelled,
            "UN" => S::Unwound,
            "RE" => S::Returned,
            _ => return None,
        })
    }

    #[test]
    fn every_state_and_verb_is_allowed_or_refused_as_documented() {
        assert_eq!(EXPECTED.iter().map(|(verb, _)| *verb).collect::<Vec<_>>(), V::ALL, "one line per verb");
        for (verb, line) in EXPECTED {
            let codes: Vec<&str> = line.split(' ').collect();
            assert_eq!(codes.len(), S::ALL.len(), "{verb}");
            for (state, code) in S::ALL.iter().zip(codes) {
                let got = decide(*state, *verb, |_| true);
                match target(code, *state) {
                    Some(next) => assert_eq!(got, Ok(next), "{state} {verb}"),
                    None => assert_eq!(got, Err(Refusal::NotFromHere), "{state} {verb}"),
                }
            }
        }
    }

    #[test]
    fn every_enforced_guard_of_a_row_blocks_it() {
        for row in TRANSITIONS {
            for state in row.from {
                for blocked in row.guards.iter().filter(|guard| guard.enforced()) {
                    // The alternatives of a step share all guards but the one that tells them apart.
                    let alternatives = rows(*state, row.verb).filter(|other| !other.guards.contains(blocked)).count();
                    let got = decide(*state, row.verb, |guard| guard != *blocked);
                    assert_eq!(got.is_ok(), alternatives > 0, "{state} {} without {blocked}", row.verb);
                }
            }
        }
    }

    #[test]
    fn a_financed_deal_without_a_quote_is_told_to_choose_one() {
        let refusal = decide(S::Presented, V::Agree, |guard| !matches!(guard, G::CashDeal | G::FinanceQuoteAccepted));
        assert_eq!(refusal, Err(Refusal::Guard(G::FinanceQuoteAccepted)));
    }

    #[test]
    fn an_ended_deal_allows_nothing_but_a_lawful_return() {
        for state in S::ALL.iter().filter(|state| state.is_ended()) {
            for verb in V::ALL {
                let allowed = decide(*state, *verb, |_| true).is_ok();
                assert_eq!(allowed, *state == S::Closed && *verb == V::Return, "{state} {verb}");
            }
        }
    }
}
