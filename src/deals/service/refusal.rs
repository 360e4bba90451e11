//! Business refusals: a code for the tablet, a sentence to say aloud.

use serde::{Deserialize, Serialize};

use crate::db::DbError;
use crate::db::idempotency::ClaimError;
use crate::deals::diff::Difference;
use crate::deals::model::{Deal, OutOfBounds};
use crate::deals::pricing::{Declined, Unpriced};
use crate::deals::purse::Kept;
use crate::deals::recheck::Recheck;
use crate::deals::states::{DealVerb, Guard};
use crate::deals::store::table::{OnTable, Taken};
use crate::inventory::InventoryError;
use crate::kernel::id::{ApprovalId, DealId, DepositId, ScenarioId};

crate::text_enum! {
    /// Why a change of a deal was refused.
    pub enum RefusalCode {
        /// There is no such object in your stores.
        NotFound = "NOT_FOUND",
        /// The deal changed since the tablet read it; the payload has the present one.
        DealOutOfSync = "DEAL_OUT_OF_SYNC",
        /// The deal's state does not allow it.
        WrongState = "WRONG_STATE",
        /// Another device has the deal open: watch, ask for it, or take it over.
        HeldElsewhere = "HELD_ELSEWHERE",
        /// The holder was warned and has a moment to answer.
        HolderWarned = "HOLDER_WARNED",
        /// Nobody else has the deal open, or nobody asks for it.
        NotHeld = "NOT_HELD",
        /// Another deal has the car, or it was sold otherwise.
        VehicleTaken = "VEHICLE_TAKEN",
        /// The car has no price yet: give one.
        PriceMissing = "PRICE_MISSING",
        /// The car is priced in another currency than the store.
        CurrencyMismatch = "CURRENCY_MISMATCH",
        /// A value is out of its bounds.
        OutOfBounds = "OUT_OF_BOUNDS",
        /// There is no such product, or it is not offered now.
        UnknownProduct = "UNKNOWN_PRODUCT",
        /// This customer cannot have the product on this car, or could not use it.
        ProductNotEligible = "PRODUCT_NOT_ELIGIBLE",
        /// The store has no such fee, or may not waive it, or not so much.
        FeeNotWaivable = "FEE_NOT_WAIVABLE",
        /// No taxes are known for this jurisdiction.
        UnknownJurisdiction = "UNKNOWN_JURISDICTION",
        /// The figures can't be calculated.
        NotPriceable = "NOT_PRICEABLE",
        /// Taxes, fees or total price are not known yet.
        FiguresIncomplete = "FIGURES_INCOMPLETE",
        /// The customer has not chosen a finance quote.
        QuoteNeeded = "QUOTE_NEEDED",
        /// The quote no longer fits the figures.
        QuoteSuperseded = "QUOTE_SUPERSEDED",
        /// The quote is too old.
        QuoteExpired = "QUOTE_EXPIRED",
        /// The insurance is not what the lender or lessor asks for.
        InsuranceNotEnough = "INSURANCE_NOT_ENOUGH",
        /// A product of the menu is neither taken nor declined, or both.
        MenuUndecided = "MENU_UNDECIDED",
        /// A reason must be given.
        ReasonNeeded = "REASON_NEEDED",
        /// A manager of the store must do it.
        ManagerNeeded = "MANAGER_NEEDED",
        /// The car is handed over only insured.
        NotInsured = "NOT_INSURED",
        /// The odometer's reading must be stated.
        OdometerNotStated = "ODOMETER_NOT_STATED",
        /// The car can't be handed over before a lender has paid.
        SpotNotAllowed = "SPOT_NOT_ALLOWED",
        /// The store may no longer call the delivery off: the customer must agree.
        CustomerMustAgree = "CUSTOMER_MUST_AGREE",
        /// The trade-in and everything paid must be given back first.
        ConsiderationNotReturned = "CONSIDERATION_NOT_RETURNED",
        /// A cash deal: no lender pays for it.
        NoLender = "NO_LENDER",
        /// The lender has not paid yet.
        NotPaid = "NOT_PAID",
        /// No law gives the customer a right to return this car now.
        OutsideReturnPeriod = "OUTSIDE_RETURN_PERIOD",
        /// A manager must say yes first.
        ApprovalNeeded = "APPROVAL_NEEDED",
        /// Nothing goes beyond what a salesperson may decide alone, or it is approved already.
        ApprovalNotNeeded = "APPROVAL_NOT_NEEDED",
        /// Somebody asked already.
        AlreadyAsked = "ALREADY_ASKED",
        /// Somebody else has answered already.
        AlreadyDecided = "ALREADY_DECIDED",
        /// The question or the offer has expired.
        TooLate = "TOO_LATE",
        /// Nobody approves what they asked for, or their own deal.
        OwnRequest = "OWN_REQUEST",
        /// Only an admin of the group may say yes to this.
        AdminNeeded = "ADMIN_NEEDED",
        /// The deal has as many scenarios as it may.
        TooManyScenarios = "TOO_MANY_SCENARIOS",
        /// The deal does not hold its car.
        NoHold = "NO_HOLD",
        /// A hold may not last as long.
        HoldLimit = "HOLD_LIMIT",
        /// Nobody has the car: hold it instead of waiting for it.
        VehicleFree = "VEHICLE_FREE",
        /// As many deals wait for the car as may.
        QueueFull = "QUEUE_FULL",
        /// The deal has a deposit already.
        DepositOpen = "DEPOSIT_OPEN",
        /// The deposit does not stand where this is possible.
        WrongDepositStatus = "WRONG_DEPOSIT_STATUS",
        /// The payment partner does not answer. Nothing was done; the same may be sent again.
        PartnerSilent = "PARTNER_SILENT",
        /// No payment partner is configured.
        PaymentsOff = "PAYMENTS_OFF",
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For the program.
    pub code: RefusalCode,
    /// For the ear.
    pub message: String,
    /// Path into the input.
    pub field: Option<Vec<String>>,
    /// The deal as it stands, if it may be seen.
    pub deal_id: Option<DealId>,
    /// The deal that has the car.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<DealId>,
    /// A stale write: the version it was made on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<i32>,
}

impl Refusal {
    pub(super) fn new(code: RefusalCode, field: &str, message: impl Into<String>) -> Self {
        let field = (!field.is_empty()).then(|| field.split('.').map(str::to_owned).collect());
        Self { code, message: message.into(), field, deal_id: None, taken_by: None, expected_version: None }
    }

    pub(super) fn of(mut self, deal: DealId) -> Self {
        self.deal_id = Some(deal);
        self
    }

    pub(super) fn not_found(field: &str, message: &str) -> Self {
        Self::new(RefusalCode::NotFound, field, message)
    }

    /// Also for a deal of another store: who may not see it does not learn that there is one.
    pub(super) fn no_deal() -> Self {
        Self::not_found("dealId", "There is no such deal in your stores.")
    }

    pub(super) fn out_of_sync(deal: &Deal, expected: i32) -> Self {
        let message = format!(
            "This deal was changed in the meantime: you saw version {expected}, it is at version {} now. Look at the present figures and try again.",
            deal.version
        );
        Self { expected_version: Some(expected), ..Self::new(RefusalCode::DealOutOfSync, "expectedVersion", message).of(deal.id) }
    }

    pub(super) fn wrong_state(deal: &Deal, verb: DealVerb) -> Self {
        let message = format!("Deal {} is {} and can't be {}.", deal.number, deal.state.spoken(), done(verb));
        Self::new(RefusalCode::WrongState, "dealId", message).of(deal.id)
    }

    pub(super) fn guard(on_table: &OnTable, guard: Guard) -> Self {
        let refusal = match guard {
            Guard::VehicleFree => return Self::vehicle_taken(&on_table.car.title(), on_table.taken.as_ref()).of(on_table.deal.id),
            Guard::CashDeal | Guard::FinanceQuoteAccepted => {
                Self::new(RefusalCode::QuoteNeeded, "dealId", "Let the customer choose a finance quote first, or make it a cash deal.")
            }
            Guard::Approved => Self::new(
                RefusalCode::ApprovalNeeded,
                "dealId",
                "A manager must say yes to these figures first. The next steps say why and who.",
            ),
            Guard::MenuDecided => Self::new(
                RefusalCode::MenuUndecided,
                "dealId",
                "Go through the menu with the customer first: every product is taken or declined, at today's price.",
            ),
            Guard::ReasonGiven => Self::new(RefusalCode::ReasonNeeded, "reason", "Say why in a few words."),
            Guard::InsuranceActive => Self::new(
                RefusalCode::NotInsured,
                "insurance",
                "Ask for the insurance card: the car is handed over only with insurance that counts today.",
            ),
            Guard::OdometerStated => Self::new(
                RefusalCode::OdometerNotStated,
                "odometerBrand",
                "The law asks for an odometer statement on this car. Say whether these are the actual miles.",
            ),
            Guard::ConditionsClearedOrSpot => Self::new(
                RefusalCode::ReasonNeeded,
                "spotReason",
                "No lender has paid for this car yet. Say why it is handed over before that.",
            ),
            Guard::ByManager => Self::new(RefusalCode::ManagerNeeded, "dealId", "A manager of the store must do this."),
            Guard::RightToUnwind => Self::new(
                RefusalCode::CustomerMustAgree,
                "customerAgrees",
                "The store has no right, or no longer, to call this delivery off: the customer must agree.",
            ),
            Guard::ConsiderationReturned => Self::new(
                RefusalCode::ConsiderationNotReturned,
                "considerationReturned",
                "Give back the trade-in and everything the customer paid first.",
            ),
            Guard::LenderPays => Self::new(RefusalCode::NoLender, "dealId", "This is a cash deal: no lender pays for it. Close it."),
            Guard::Paid => Self::new(RefusalCode::NotPaid, "dealId", "The lender has not paid yet. Record its money first."),
            Guard::InsideReturnPeriod => Self::new(
                RefusalCode::OutsideReturnPeriod,
                "dealId",
                "No law gives a right to return this car, or not any more. With the customer's agreement the deal can be unwound.",
            ),
            _ => Self::new(
                RefusalCode::FiguresIncomplete,
                "dealId",
                "Taxes, fees and the total price are not known yet: check the buyer's place and the term.",
            ),
        };
        refusal.of(on_table.deal.id)
    }

    pub(super) fn vehicle_taken(title: &str, taken: Option<&Taken>) -> Self {
        let words = taken.map_or_else(|| "is no longer for sale".to_owned(), Taken::words);
        let message = format!("This {title} {words}. Choose another car; everything else is kept.");
        Self { taken_by: taken.map(|t| t.by), ..Self::new(RefusalCode::VehicleTaken, "dealId", message) }
    }

    pub(super) fn unpriced(problem: &Unpriced) -> Self {
        match problem {
            Unpriced::UnknownJurisdiction(code) => {
                Self::new(RefusalCode::UnknownJurisdiction, "buyerJurisdiction", format!("No taxes are known for \"{code}\" today."))
            }
            Unpriced::UnknownProduct => Self::new(RefusalCode::UnknownProduct, "products", "This product is not offered here now."),
            Unpriced::Engine(text) => {
                let why = text.trim_end_matches('.');
                Self::new(RefusalCode::NotPriceable, "", format!("These figures can't be calculated: {why}."))
            }
        }
    }
}

/// "Deal 12 is signed and can't be …"
const fn done(verb: DealVerb) -> &'static str {
    match verb {
        DealVerb::Structure => "changed",
        DealVerb::Quote => "quoted",
        DealVerb::AcceptFinance | DealVerb::AcceptInsurance => "given another quote",
        DealVerb::SwapVehicle => "moved to another car",
        DealVerb::AskApproval => "put before a manager",
        DealVerb::DecideMenu => "given answers to the menu",
        DealVerb::Present => "presented",
        DealVerb::Agree => "agreed yet: present it first",
        DealVerb::SubmitCredit => "sent to lenders",
        DealVerb::DecideCredit => "decided",
        DealVerb::PrepareDocs => "prepared for signing",
        DealVerb::Contract => "signed yet: the customer agrees first",
        DealVerb::Deliver => "delivered",
        DealVerb::Fund => "funded",
        DealVerb::Close => "closed",
        DealVerb::Lose => "marked as lost",
        DealVerb::Expire => "expired",
        DealVerb::Cancel => "called off",
        DealVerb::Unwind => "unwound",
        DealVerb::Return => "returned",
    }
}

impl Taken {
    /// "was just sold in deal 1042 at 14:02".
    pub(in crate::deals) fn words(&self) -> String {
        let what = if self.sold { "sold" } else { "put on hold" };
        format!("was just {what} in another deal (number {}) at {}", self.number, self.at)
    }
}

impl OnTable {
    /// Why the car can't be had, for the next steps; none while it can.
    pub(in crate::deals) fn taken_words(&self) -> Option<String> {
        taken_words(self.taken.as_ref(), self.car.status.is_gone())
    }
}

/// Why a car can't be had.
pub(in crate::deals) fn taken_words(taken: Option<&Taken>, gone: bool) -> Option<String> {
    match taken {
        Some(taken) => Some(taken.words()),
        None => gone.then(|| "is no longer for sale".to_owned()),
    }
}

/// The outcome of a use case, as remembered under its key. Objects are shown as they stand
/// when the payload is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The deal to show.
    pub deal_id: Option<DealId>,
    /// Why it was refused; empty when it was done.
    pub refused: Vec<Refusal>,
    /// A swap: every line before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Difference>,
    /// A swap: the sums before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<Difference>,
    /// A swap: what became of programs, products and insurance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rechecks: Vec<Recheck>,
    /// A round of quotes: which programs declined and why. Sealed: their words tell the income again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Kept<Vec<Declined>>>,
    /// The saved scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario_id: Option<ScenarioId>,
    /// The deposit it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit_id: Option<DepositId>,
    /// The question to a manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<ApprovalId>,
    /// This answer was stored by an earlier request with the same key.
    #[serde(skip)]
    pub replayed: bool,
    /// The deal as this very request wrote it.
    #[serde(skip)]
    pub written: Option<Box<Deal>>,
}

impl Answer {
    pub(super) fn done(deal: DealId) -> Self {
        Self { deal_id: Some(deal), ..Self::default() }
    }

    pub(super) fn with(self, written: Deal) -> Self {
        Self { written: Some(Box::new(written)), ..self }
    }

    pub(super) fn refused(refusal: Refusal) -> Self {
        Self { deal_id: refusal.deal_id, refused: vec![refusal], ..Self::default() }
    }
}

/// What can go wrong in a use case.
#[derive(Debug, thiserror::Error)]
pub enum DealError {
    /// A business refusal, found before anything was written: remembered under the key.
    #[error("refused")]
    Refused(Refusal),
    /// A business refusal found after writing began: everything is rolled back, nothing is remembered.
    #[error("refused and undone")]
    Undone(Refusal),
    /// The idempotency key is bad or was used otherwise.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Refusal> for DealError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<OutOfBounds> for DealError {
    fn from(out: OutOfBounds) -> Self {
        Self::Refused(Refusal::new(RefusalCode::OutOfBounds, out.field, out.message))
    }
}

impl DealError {
    /// Names the deal in a refusal, so that the payload can show it.
    pub(super) fn about(self, deal: DealId) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.of(deal)),
            Self::Undone(refusal) => Self::Undone(refusal.of(deal)),
            other => other,
        }
    }

    /// What inventory says about a car, after this transaction may have written.
    pub(super) fn from_inventory(error: InventoryError, title: &str, taken: Option<&Taken>) -> Self {
        match error {
            InventoryError::NotFound => Self::Undone(Refusal::not_found("vehicleId", "There is no such vehicle in your stores.")),
            InventoryError::VehicleHeld { .. } => Self::Refused(Refusal::vehicle_taken(title, taken)),
            InventoryError::NotForSale { .. } => Self::Undone(Refusal::vehicle_taken(title, taken)),
            InventoryError::Db(error) => Self::Db(error),
        }
    }
}
