//! What stands between now and a signed contract, then a delivered and paid car: the steps in order, who can clear each, and a
//! sentence to say.

use chrono::NaiveDate;

use super::approval::{ApprovalLevel, ApprovalNeed};
use super::model::DealKind;
use super::states::{DealState, DealVerb, Guard, Refusal, decide};

crate::text_enum! {
    /// Who can clear a step.
    pub enum Clearer {
        /// The salesperson, on the tablet.
        Salesperson = "SALESPERSON",
        /// The customer says yes, or chooses.
        Customer = "CUSTOMER",
        /// A manager of the store.
        SalesManager = "SALES_MANAGER",
        /// An admin of the dealer group.
        GroupAdmin = "GROUP_ADMIN",
        /// A lender answers.
        Lender = "LENDER",
    }
}

crate::text_enum! {
    /// A step on the way to the contract.
    pub enum StepCode {
        /// The car belongs to another deal now.
        SwapVehicle = "SWAP_VEHICLE",
        /// The store's feed no longer names the car: look whether it is still there. Holds nothing up; other cars are offered.
        CheckVehicle = "CHECK_VEHICLE",
        /// A part of the structure is missing.
        CompleteStructure = "COMPLETE_STRUCTURE",
        /// The figures go beyond what a salesperson may decide alone.
        GetApproval = "GET_APPROVAL",
        /// No quote fits the figures yet.
        GetQuotes = "GET_QUOTES",
        /// The customer has not chosen a finance quote.
        ChooseQuote = "CHOOSE_QUOTE",
        /// The insurance chosen, or all that is quoted, is not what the lender or lessor asks for.
        InsuranceNotEnough = "INSURANCE_NOT_ENOUGH",
        /// The customer says yes or no to every product of the menu.
        DecideMenu = "DECIDE_MENU",
        /// Show the full figures.
        Present = "PRESENT",
        /// The customer's yes.
        Agree = "AGREE",
        /// A lender must answer.
        AwaitLender = "AWAIT_LENDER",
        /// Prepare the papers.
        PrepareDocs = "PREPARE_DOCS",
        /// Neither a policy is chosen nor did the customer say how the car will be insured. Holds nothing up before the hand-over.
        ArrangeInsurance = "ARRANGE_INSURANCE",
        /// Sign.
        Contract = "CONTRACT",
        /// The customer shows an insurance card that counts today. Stated with the hand-over.
        ShowInsurance = "SHOW_INSURANCE",
        /// What the odometer shows is stated in writing. Stated with the hand-over.
        StateOdometer = "STATE_ODOMETER",
        /// Hand over the car.
        Deliver = "DELIVER",
        /// The lender must pay for a car that was handed over.
        AwaitFunding = "AWAIT_FUNDING",
        /// The payment partner refused to give a deposit back: a manager settles it with the customer.
        SettleRefund = "SETTLE_REFUND",
        /// A manager closes the books of a deal that is delivered and paid.
        Close = "CLOSE",
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// Which step.
    pub code: StepCode,
    /// Who can clear it.
    pub who: Clearer,
    /// Can be done now; the steps after it wait.
    pub ready: bool,
    /// A sentence the salesperson can say.
    pub say: String,
}

/// What must be known of a deal to tell its next steps and to answer the guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DealFacts<'a> {
    /// Where it stands.
    pub state: DealState,
    /// How the customer pays.
    pub kind: DealKind,
    /// Months, where needed.
    pub term_months: Option<i32>,
    /// Taxes, fees and total price are known.
    pub figures_complete: bool,
    /// Quotes that fit and can be accepted.
    pub open_quotes: usize,
    /// A finance quote is accepted and not expired.
    pub quote_accepted: bool,
    /// Why the car can't be had ("was just sold in another deal at 14:02"); none while it can.
    pub vehicle_taken: Option<&'a str>,
    /// The store's feed no longer names the car. It may be there all the same: nothing is refused for it.
    pub vehicle_missing: bool,
    /// A reason came with the request.
    pub reason_given: bool,
    /// What it still needs of a manager.
    pub approval: ApprovalNeed,
    /// Who may say yes.
    pub approver: ApprovalLevel,
    /// Which rules it goes beyond, in words a salesperson may read.
    pub beyond: &'a str,
    /// What stands between the insurance and the lender's demands, in a sentence; none while it will do, or none was asked for.
    pub insurance_gap: Option<&'a str>,
    /// What the insurance card must show at the hand-over, in a sentence; none when no lender asks for anything.
    pub insurance_asked: Option<&'a str>,
    /// The customer chose a policy here.
    pub insurance_chosen: bool,
    /// Nothing of the menu is left to decide.
    pub menu_decided: bool,
    /// What counts once it is signed.
    pub signed: SignedFacts,
}

/// What the steps after the signature ask about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignedFacts {
    /// Nothing to wait for, or handed over before with a reason and a last day.
    pub cleared_or_spot: bool,
    /// An insurance card was seen that counts today.
    pub insured: bool,
    /// The law asks for no odometer statement on this car.
    pub odometer_exempt: bool,
    /// What the odometer shows was stated.
    pub odometer_stated: bool,
    /// The last day to call off a spot delivery; none when it was none.
    pub spot_deadline: Option<NaiveDate>,
    /// A manager of the store asks.
    pub by_manager: bool,
    /// The store may take the car back, or the customer agrees.
    pub right_to_unwind: bool,
    /// The partner refused to give back what was taken.
    pub refund_refused: bool,
    /// Inside the law's period.
    pub inside_return_period: bool,
    /// The trade-in and everything paid were given back.
    pub consideration_returned: bool,
}

impl DealFacts<'_> {
    /// Whether an enforced guard holds.
    pub fn holds(&self, guard: Guard) -> bool {
        match guard {
            Guard::FiguresComplete => self.figures_complete,
            Guard::VehicleFree => self.vehicle_taken.is_none(),
            Guard::Approved => self.approval == ApprovalNeed::Nothing,
            Guard::CashDeal => self.kind == DealKind::Cash,
            Guard::FinanceQuoteAccepted => self.quote_accepted,
            Guard::MenuDecided => self.menu_decided,
            Guard::ReasonGiven => self.reason_given,
            Guard::InsuranceActive => self.signed.insured,
            Guard::OdometerStated => self.signed.odometer_stated || self.signed.odometer_exempt,
            Guard::ConditionsClearedOrSpot => self.signed.cleared_or_spot,
            Guard::ByManager => self.signed.by_manager,
            Guard::RightToUnwind => self.signed.right_to_unwind,
            Guard::LenderPays => self.kind != DealKind::Cash,
            Guard::Paid => self.kind == DealKind::Cash || self.state == DealState::Funded,
            Guard::ConsiderationReturned => self.signed.consideration_returned,
            Guard::InsideReturnPeriod => self.signed.inside_return_period,
            _ => !guard.enforced(),
        }
    }

    /// The state after a step, or why it is refused.
    pub fn step(&self, verb: DealVerb) -> Result<DealState, Refusal> {
        decide(self.state, verb, |guard| self.holds(guard))
    }
}

/// The way from here to a signed contract; from there to a car that is delivered and paid. Empty once there is nothing to do.
pub fn next_steps(facts: &DealFacts<'_>) -> Vec<NextStep> {
    use DealState as S;
    if !facts.state.is_open() {
        return after_signing(facts);
    }
    let mut steps = Vec::with_capacity(6);
    let mut add = |code, who, say: String| steps.push(NextStep { code, who, ready: false, say });
    if let Some(taken) = facts.vehicle_taken {
        add(StepCode::SwapVehicle, Clearer::Salesperson, format!("This car {taken}. Choose another; everything else is kept."));
    }
    if facts.vehicle_missing && facts.vehicle_taken.is_none() {
        let say = "The store's feed no longer names this car: look whether it is still there before you go on.";
        add(StepCode::CheckVehicle, Clearer::Salesperson, say.into());
    }
    let financed = facts.kind != DealKind::Cash;
    if financed && facts.term_months.is_none() {
        add(StepCode::CompleteStructure, Clearer::Salesperson, "Choose a term in months.".into());
    } else if !facts.figures_complete {
        add(StepCode::CompleteStructure, Clearer::Salesperson, "Taxes and fees can't be told yet: check the buyer's place.".into());
    }
    if matches!(facts.state, S::Draft | S::Worksheet | S::Presented)
        && let Some((who, say)) = approval_step(facts)
    {
        add(StepCode::GetApproval, who, say);
    }
    if financed && !facts.quote_accepted {
        if facts.open_quotes == 0 {
            add(StepCode::GetQuotes, Clearer::Salesperson, "Ask the lenders for quotes on these figures.".into());
        }
        let say = match facts.open_quotes {
            0 => "Let the customer choose a quote.".to_owned(),
            1 => "Let the customer decide about the quote.".to_owned(),
            n => format!("Let the customer choose one of the {n} quotes."),
        };
        add(StepCode::ChooseQuote, Clearer::Customer, say);
    }
    if let Some(gap) = facts.insurance_gap.filter(|_| matches!(facts.state, S::Draft | S::Worksheet | S::Presented)) {
        add(StepCode::InsuranceNotEnough, Clearer::Salesperson, gap.to_owned());
    }
    if !facts.menu_decided && facts.figures_complete && facts.state != S::CreditSubmitted {
        let say = "Go through the menu: the customer takes or declines every product.";
        add(StepCode::DecideMenu, Clearer::Customer, say.into());
    }
    if matches!(facts.state, S::Draft | S::Worksheet) {
        add(StepCode::Present, Clearer::Salesperson, "Show the customer every line and the total price.".into());
    }
    if matches!(facts.state, S::Draft | S::Worksheet | S::Presented) {
        add(StepCode::Agree, Clearer::Customer, "Ask for the customer's yes to exactly these figures.".into());
    }
    if facts.state == S::CreditSubmitted {
        add(StepCode::AwaitLender, Clearer::Lender, "The lenders have the application.".into());
    }
    if matches!(facts.state, S::CreditSubmitted | S::CreditDecided) {
        add(StepCode::PrepareDocs, Clearer::Salesperson, "Prepare the papers.".into());
    }
    if !facts.insurance_chosen && facts.insurance_gap.is_none() {
        let say = "Settle how the car will be insured: a policy from here, or the customer's own. Without a card it is not handed over.";
        add(StepCode::ArrangeInsurance, Clearer::Customer, say.into());
    }
    add(StepCode::Contract, Clearer::Customer, "Sign. The car is theirs from that moment.".into());
    // Insurance can be settled and a car looked for at any time, and no other step waits for them.
    let mut waits = false;
    for step in &mut steps {
        let aside = matches!(step.code, StepCode::ArrangeInsurance | StepCode::CheckVehicle);
        step.ready = !waits || aside;
        waits |= !aside;
    }
    steps
}

fn after_signing(facts: &DealFacts<'_>) -> Vec<NextStep> {
    let step = |code, who, say: &str| NextStep { code, who, ready: true, say: say.to_owned() };
    let mut steps = Vec::new();
    if facts.signed.refund_refused {
        let say = "The payment partner refused to give the deposit back: a manager settles it with the customer and the partner.";
        steps.push(step(StepCode::SettleRefund, Clearer::SalesManager, say));
    }
    // Both are stated with the hand-over itself: none waits for the other.
    if facts.state == DealState::Contracted {
        let asked = facts.insurance_asked.map(|asked| format!(" {asked}")).unwrap_or_default();
        let say = format!("Ask for the insurance card: the car must be insured today.{asked}");
        steps.push(step(StepCode::ShowInsurance, Clearer::Customer, &say));
        if !facts.signed.odometer_exempt {
            let say = "State what the odometer shows, and whether those are the actual miles; both sign it.";
            steps.push(step(StepCode::StateOdometer, Clearer::Salesperson, say));
        }
    }
    steps.extend(next_after_signing(facts));
    steps
}

fn next_after_signing(facts: &DealFacts<'_>) -> Option<NextStep> {
    let (code, who, say) = match (facts.state, facts.signed.spot_deadline) {
        (DealState::Contracted, _) if facts.kind == DealKind::Cash => {
            (StepCode::Deliver, Clearer::Salesperson, "Hand over the car.".to_owned())
        }
        (DealState::Contracted, _) => {
            let say = "Hand over the car. No lender has paid yet: say why it goes before that, and tell the customer the last day.";
            (StepCode::Deliver, Clearer::Salesperson, say.to_owned())
        }
        (DealState::Delivered, _) if facts.kind == DealKind::Cash => {
            (StepCode::Close, Clearer::SalesManager, "Everything is paid: a manager closes the books.".to_owned())
        }
        (DealState::Delivered, Some(day)) => {
            let say = format!("The lender must pay. Until {day} the store may call the delivery off.");
            (StepCode::AwaitFunding, Clearer::Lender, say)
        }
        (DealState::Delivered, None) => (StepCode::AwaitFunding, Clearer::Lender, "The lender must pay.".to_owned()),
        (DealState::Funded, _) => (StepCode::Close, Clearer::SalesManager, "The lender has paid: a manager closes the books.".to_owned()),
        _ => return None,
    };
    Some(NextStep { code, who, ready: true, say })
}

fn approval_step(facts: &DealFacts<'_>) -> Option<(Clearer, String)> {
    let (who, whom) = match facts.approver {
        ApprovalLevel::SalesManager => (Clearer::SalesManager, "a manager"),
        ApprovalLevel::GroupAdmin => (Clearer::GroupAdmin, "a group admin"),
    };
    let beyond = facts.beyond;
    Some(match facts.approval {
        ApprovalNeed::Nothing => return None,
        ApprovalNeed::Ask => (who, format!("Ask {whom}: {beyond}")),
        ApprovalNeed::Waiting => (who, format!("{} was asked. {beyond}", capitalized(whom))),
        ApprovalNeed::Counter => {
            (Clearer::Salesperson, "A manager made another offer: take it, or change the figures and ask again.".into())
        }
        ApprovalNeed::Declined => (Clearer::Salesperson, format!("A manager said no: change the figures. {beyond}")),
    })
}

fn capitalized(words: &str) -> String {
    let mut rest = words.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(state: DealState) -> DealFacts<'static> {
        DealFacts {
            state,
            kind: DealKind::Retail,
            term_months: Some(60),
            figures_complete: true,
            open_quotes: 0,
            quote_accepted: false,
            vehicle_taken: None,
            vehicle_missing: false,
            reason_given: false,
            approval: ApprovalNeed::Nothing,
            approver: ApprovalLevel::SalesManager,
            beyond: "",
            signed: SignedFacts::default(),
            insurance_gap: None,
            insurance_asked: None,
            insurance_chosen: true,
            menu_decided: true,
        }
    }

    fn codes(facts: &DealFacts<'_>) -> Vec<StepCode> {
        next_steps(facts).into_iter().map(|step| step.code).collect()
    }

    #[test]
    fn a_financed_worksheet_needs_quotes_a_choice_a_showing_a_yes_and_a_signature() {
        use StepCode as C;
        let mut facts = facts(DealState::Worksheet);
        assert_eq!(codes(&facts), [C::GetQuotes, C::ChooseQuote, C::Present, C::Agree, C::Contract]);
        facts.open_quotes = 6;
        let steps = next_steps(&facts);
        assert_eq!(steps[0].say, "Let the customer choose one of the 6 quotes.");
        assert_eq!((steps[0].ready, steps[1].ready), (true, false));
        facts.quote_accepted = true;
        assert_eq!(codes(&facts), [C::Present, C::Agree, C::Contract]);
        facts.state = DealState::Agreed;
        assert_eq!(codes(&facts), [C::Contract]);
    }

    #[test]
    fn insurance_that_is_not_enough_comes_before_the_figures_are_shown() {
        use StepCode as C;
        let facts = DealFacts { quote_accepted: true, insurance_gap: Some("A deductible of at most 500."), ..facts(DealState::Worksheet) };
        let steps = next_steps(&facts);
        assert_eq!(steps.iter().map(|s| s.code).collect::<Vec<_>>(), [C::InsuranceNotEnough, C::Present, C::Agree, C::Contract]);
        assert_eq!((steps[0].ready, steps[0].say.as_str()), (true, "A deductible of at most 500."));
        assert_eq!(codes(&DealFacts { state: DealState::Agreed, ..facts }), [C::Contract], "checked when the customer agreed");
    }

    #[test]
    fn the_menu_is_gone_through_before_the_figures_are_shown_and_at_the_latest_before_the_signature() {
        use StepCode as C;
        let facts = DealFacts { quote_accepted: true, menu_decided: false, ..facts(DealState::Worksheet) };
        assert_eq!(codes(&facts), [C::DecideMenu, C::Present, C::Agree, C::Contract]);
        let agreed = DealFacts { state: DealState::Agreed, ..facts };
        assert_eq!(codes(&agreed), [C::DecideMenu, C::Contract]);
        assert_eq!(agreed.step(DealVerb::DecideMenu), Ok(DealState::Agreed));
        assert_eq!(agreed.step(DealVerb::Contract), Err(Refusal::Guard(Guard::MenuDecided)));
        let cash = DealFacts { kind: DealKind::Cash, ..agreed };
        assert_eq!(cash.step(DealVerb::Contract), Err(Refusal::Guard(Guard::MenuDecided)));
        assert_eq!(DealFacts { menu_decided: true, ..cash }.step(DealVerb::Contract), Ok(DealState::Contracted));
        assert_eq!(codes(&DealFacts { state: DealState::Contracted, ..facts })[0], C::ShowInsurance);
    }

    #[test]
    fn a_car_the_feed_no_longer_names_is_looked_for_and_holds_nothing_up() {
        use StepCode as C;
        let agreed = DealFacts { vehicle_missing: true, quote_accepted: true, ..facts(DealState::Agreed) };
        let shown: Vec<_> = next_steps(&agreed).iter().map(|s| (s.code, s.ready)).collect();
        assert_eq!(shown, [(C::CheckVehicle, true), (C::Contract, true)]);
        assert_eq!(agreed.step(DealVerb::Contract), Ok(DealState::Contracted));
        let sold = DealFacts { vehicle_taken: Some("was just sold in deal 7 at 14:02"), ..agreed };
        assert_eq!(codes(&sold), [C::SwapVehicle, C::Contract], "there is nothing to look for");
    }

    #[test]
    fn until_a_policy_is_chosen_insurance_is_to_be_settled_and_holds_nothing_up() {
        use StepCode as C;
        let open = DealFacts { quote_accepted: true, insurance_chosen: false, ..facts(DealState::Presented) };
        let shown = |facts: &DealFacts<'_>| next_steps(facts).iter().map(|s| (s.code, s.ready)).collect::<Vec<_>>();
        assert_eq!(shown(&open), [(C::Agree, true), (C::ArrangeInsurance, true), (C::Contract, false)]);
        let agreed = DealFacts { state: DealState::Agreed, ..open };
        assert_eq!(shown(&agreed), [(C::ArrangeInsurance, true), (C::Contract, true)], "a card of their own will do");
        let cash = DealFacts { kind: DealKind::Cash, quote_accepted: false, ..agreed };
        assert_eq!(codes(&cash), [C::ArrangeInsurance, C::Contract], "nor is a car that is paid for handed over uninsured");
        // What is wrong with the policies quoted is said in its place.
        let gap = DealFacts { insurance_gap: Some("A deductible of at most 500."), ..open };
        assert_eq!(codes(&gap), [C::InsuranceNotEnough, C::Agree, C::Contract]);
        assert_eq!(codes(&DealFacts { insurance_chosen: true, ..agreed }), [C::Contract]);
    }

    #[test]
    fn cash_skips_the_quotes() {
        use StepCode as C;
        let facts = DealFacts { kind: DealKind::Cash, term_months: None, ..facts(DealState::Draft) };
        assert_eq!(codes(&facts), [C::Present, C::Agree, C::Contract]);
    }

    #[test]
    fn what_goes_beyond_the_rules_names_who_can_clear_it_and_holds_the_yes_back() {
        let beyond = "The discount of 6.00 % is more than the 5.00 % a salesperson may give.";
        let step = |need, approver| {
            let facts = DealFacts { approval: need, approver, beyond, quote_accepted: true, ..facts(DealState::Presented) };
            assert_eq!(facts.step(DealVerb::Agree), Err(Refusal::Guard(Guard::Approved)));
            let first = next_steps(&facts).remove(0);
            assert_eq!(first.code, StepCode::GetApproval);
            (first.who, first.say)
        };
        assert_eq!(step(ApprovalNeed::Ask, ApprovalLevel::SalesManager), (Clearer::SalesManager, format!("Ask a manager: {beyond}")));
        assert_eq!(
            step(ApprovalNeed::Waiting, ApprovalLevel::GroupAdmin),
            (Clearer::GroupAdmin, format!("A group admin was asked. {beyond}"))
        );
        assert_eq!(step(ApprovalNeed::Counter, ApprovalLevel::SalesManager).0, Clearer::Salesperson);
        assert_eq!(step(ApprovalNeed::Declined, ApprovalLevel::SalesManager).0, Clearer::Salesperson);
        let agreed = DealFacts { approval: ApprovalNeed::Ask, quote_accepted: true, ..facts(DealState::Agreed) };
        assert_eq!(codes(&agreed), [StepCode::Contract], "what was agreed under a yes stays agreed");
    }

    #[test]
    fn a_taken_car_comes_first() {
        let facts = DealFacts { vehicle_taken: Some("was just sold in deal 7 at 14:02"), ..facts(DealState::Agreed) };
        let steps = next_steps(&facts);
        assert_eq!(steps[0].code, StepCode::SwapVehicle);
        assert_eq!(steps[0].say, "This car was just sold in deal 7 at 14:02. Choose another; everything else is kept.");
    }

    #[test]
    fn a_signed_deal_is_delivered_then_paid_and_an_ended_one_is_left_alone() {
        use StepCode as C;
        for state in DealState::ALL.iter().filter(|state| state.is_ended()) {
            assert!(next_steps(&facts(*state)).is_empty(), "{state}");
            let signed = SignedFacts { refund_refused: true, ..SignedFacts::default() };
            assert_eq!(codes(&DealFacts { signed, ..facts(*state) }), [C::SettleRefund], "{state}");
        }
        let contracted = facts(DealState::Contracted);
        assert_eq!(codes(&contracted), [C::ShowInsurance, C::StateOdometer, C::Deliver]);
        let asked = DealFacts { insurance_asked: Some("It must show a low deductible."), ..contracted };
        assert_eq!(next_steps(&asked)[0].say, "Ask for the insurance card: the car must be insured today. It must show a low deductible.");
        let signed = SignedFacts { odometer_exempt: true, ..SignedFacts::default() };
        assert_eq!(codes(&DealFacts { signed, ..contracted }), [C::ShowInsurance, C::Deliver], "an old car needs no statement");
        assert_eq!(contracted.step(DealVerb::Deliver), Err(Refusal::Guard(Guard::InsuranceActive)));
        let signed = SignedFacts { insured: true, ..SignedFacts::default() };
        assert_eq!(DealFacts { signed, ..contracted }.step(DealVerb::Deliver), Err(Refusal::Guard(Guard::OdometerStated)));
        let signed = SignedFacts { odometer_stated: true, ..signed };
        assert_eq!(DealFacts { signed, ..contracted }.step(DealVerb::Deliver), Err(Refusal::Guard(Guard::ConditionsClearedOrSpot)));
        assert_eq!(next_steps(&DealFacts { kind: DealKind::Cash, ..contracted })[2].say, "Hand over the car.");
        let delivered = facts(DealState::Delivered);
        let (step, cash) = (next_steps(&delivered), next_steps(&DealFacts { kind: DealKind::Cash, ..delivered }));
        assert_eq!((step[0].code, cash[0].code, cash[0].who), (C::AwaitFunding, C::Close, Clearer::SalesManager));
        assert_eq!(codes(&facts(DealState::Funded)), [C::Close]);
        let by_manager = SignedFacts { by_manager: true, ..SignedFacts::default() };
        let managed = DealFacts { signed: by_manager, ..delivered };
        assert_eq!(managed.step(DealVerb::Close), Err(Refusal::Guard(Guard::Paid)), "before the lender's money");
        let managed = DealFacts { kind: DealKind::Cash, ..managed };
        assert_eq!(managed.step(DealVerb::Fund), Err(Refusal::Guard(Guard::LenderPays)));
        assert_eq!(managed.step(DealVerb::Close), Ok(DealState::Closed));
        let day = NaiveDate::from_ymd_opt(2026, 12, 1);
        let spot = DealFacts { signed: SignedFacts { spot_deadline: day, ..SignedFacts::default() }, ..delivered };
        assert_eq!(next_steps(&spot)[0].say, "The lender must pay. Until 2026-12-01 the store may call the delivery off.");
    }

    /// The first ready step, done, is allowed by the table: the list never sends anybody into a refusal.
    #[test]
    fn the_first_step_is_always_possible() {
        for state in DealState::ALL.iter().filter(|state| state.is_open()) {
            for kind in DealKind::ALL {
                for (quotes, accepted) in [(0, false), (3, false), (0, true)] {
                    let facts = DealFacts { kind: *kind, open_quotes: quotes, quote_accepted: accepted, ..facts(*state) };
                    let verb = match next_steps(&facts)[0].code {
                        StepCode::SwapVehicle | StepCode::CheckVehicle => DealVerb::SwapVehicle,
                        StepCode::CompleteStructure => DealVerb::Structure,
                        StepCode::GetApproval => DealVerb::AskApproval,
                        StepCode::GetQuotes | StepCode::InsuranceNotEnough => DealVerb::Quote,
                        StepCode::ChooseQuote => DealVerb::AcceptFinance,
                        StepCode::DecideMenu => DealVerb::DecideMenu,
                        StepCode::Present => DealVerb::Present,
                        StepCode::Agree => DealVerb::Agree,
                        StepCode::AwaitLender => DealVerb::DecideCredit,
                        StepCode::PrepareDocs => DealVerb::PrepareDocs,
                        StepCode::ArrangeInsurance => DealVerb::AcceptInsurance,
                        StepCode::Contract => DealVerb::Contract,
                        StepCode::ShowInsurance | StepCode::StateOdometer | StepCode::Deliver => DealVerb::Deliver,
                        StepCode::AwaitFunding => DealVerb::Fund,
                        StepCode::Close => DealVerb::Close,
                        StepCode::SettleRefund => return,
                    };
                    let later = matches!(state, DealState::CreditSubmitted | DealState::CreditDecided | DealState::DocsReady);
                    assert!(later || facts.step(verb).is_ok(), "{state} {kind} {verb}");
                }
            }
        }
    }
}
