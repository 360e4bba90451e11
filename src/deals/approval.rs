//! What a manager is asked, and what an answer is good for. Pure.
//!
//! The house's rules are measured on a deal; what goes beyond them is a *finding*. A yes counts for the figures it was given
//! for (their hash) and for findings that are no worse: after any change of the structure or the car it has fallen.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{DealKind, Structure, StructureChange};
use crate::finance::{ApprovalKind, ApprovalRule, ApprovalUnit};
use crate::inventory::VehicleCondition;
use crate::kernel::id::{TradeInId, VehicleId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;
use crate::kernel::seal::sha256;

/// Longest note of a question or an answer, in characters.
pub const NOTE_MAX: usize = 500;

crate::text_enum! {
    /// What became of a question to a manager.
    pub enum ApprovalStatus {
        /// Nobody has answered yet.
        Pending = "PENDING",
        /// Yes to exactly these figures, until `expiresAt`.
        Approved = "APPROVED",
        /// No.
        Declined = "DECLINED",
        /// No, but yes to other figures.
        Countered = "COUNTERED",
        /// The figures changed, or the deal ended: neither question nor answer counts any more.
        Fell = "FELL",
        /// Nobody answered in time, or the counter-offer was not taken in time.
        Expired = "EXPIRED",
    }
}

crate::text_enum! {
    /// Who may say yes.
    pub enum ApprovalLevel {
        /// A manager of the store, or a group admin.
        SalesManager = "SALES_MANAGER",
        /// A group admin only.
        GroupAdmin = "GROUP_ADMIN",
    }
}

crate::text_enum! {
    /// A manager's answer.
    pub enum ApprovalDecision {
        /// Yes.
        Approve = "APPROVE",
        /// No; a note says why.
        Decline = "DECLINE",
        /// Yes to the figures of `counterOffer` instead.
        Counter = "COUNTER",
        /// Hand it to the group's admins.
        Escalate = "ESCALATE",
    }
}

/// What the rules look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// How the customer pays.
    pub kind: DealKind,
    /// Price in this deal.
    pub price: Cents,
    /// The store's own rebate.
    pub dealer_rebate: Cents,
    /// Months.
    pub term_months: Option<i32>,
    /// Amount financed, once known.
    pub amount_financed: Option<Cents>,
    /// The asking price.
    pub asking: Option<Cents>,
    /// The maker's list price.
    pub msrp: Option<Cents>,
    /// What the car cost the store.
    pub cost: Option<Cents>,
    /// New, used, certified.
    pub condition: VehicleCondition,
    /// What is allowed for trade-ins beyond their worth; none when no trade-in's worth is known.
    pub over_allowance: Option<Cents>,
    /// The price of all products.
    pub products: Cents,
    /// What of the store's own fees is waived.
    pub fees_waived: Cents,
    /// What the store adds to the lender's rate in the accepted quote.
    pub markup: Option<Rate>,
}

/// A rule that the figures go beyond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What the rule looks at.
    pub kind: ApprovalKind,
    /// The version of the rule.
    pub rule_id: Uuid,
    /// What was found, in hundredths of the kind's unit.
    pub measured: i64,
    /// What a salesperson may decide alone.
    pub limit: i64,
    /// Who may say yes to it.
    pub level: ApprovalLevel,
}

/// How long a question may wait and an answer stands: the strictest of the rules that ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Minutes until the group's admins are told too.
    pub escalate_minutes: i32,
    /// Minutes until the question is given up.
    pub answer_minutes: i32,
    /// Minutes an answer stands.
    pub valid_minutes: i32,
}

/// Hundredths of a percent point that `part` is of `whole`, rounded up: a limit is passed by the smallest excess.
fn percent(part: Cents, whole: Cents) -> Option<i64> {
    if whole <= Cents::ZERO {
        return None;
    }
    let scaled = i128::from(part.0).checked_mul(10_000)?;
    let whole = i128::from(whole.0);
    let up = i128::from(scaled.rem_euclid(whole) != 0);
    i64::try_from(scaled.div_euclid(whole).checked_add(up)?).ok()
}

impl Basis {
    /// What the car is sold for after the store's own rebate.
    fn net_price(&self) -> Cents {
        self.price - self.dealer_rebate
    }

    /// Front gross, where the car's cost is on file.
    pub fn front_gross(&self) -> Option<Cents> {
        Some(self.net_price() - self.cost? - self.over_allowance.unwrap_or_default())
    }

    /// What a rule of this kind sees, in hundredths of its unit; none where it does not apply or cannot be known.
    pub fn measure(&self, kind: ApprovalKind) -> Option<i64> {
        let financed = self.kind != DealKind::Cash;
        match kind {
            ApprovalKind::Discount => self.asking.and_then(|asking| percent(asking - self.net_price(), asking)),
            ApprovalKind::FrontGross => self.front_gross().map(|gross| gross.0),
            ApprovalKind::OverAllowance => self.over_allowance.map(|over| over.0),
            // From millionths of a percent point, rounded up.
            ApprovalKind::RateMarkup => self.markup.map(|markup| markup.0.saturating_add(9_999).div_euclid(10_000)),
            ApprovalKind::Term => self.term_months.filter(|_| financed).map(|months| i64::from(months).saturating_mul(100)),
            ApprovalKind::LoanToValue => {
                let list = self.msrp.filter(|_| self.condition == VehicleCondition::New);
                let value = list.or(self.asking).unwrap_or(self.price);
                self.amount_financed.filter(|_| financed).and_then(|financed| percent(financed, value))
            }
            ApprovalKind::BackEnd => Some(self.products.0),
            ApprovalKind::FeeWaiver => Some(self.fees_waived.0),
        }
    }

    /// Every rule these figures go beyond, and how long the question may wait.
    pub fn findings<'r>(&self, rules: impl Iterator<Item = &'r ApprovalRule>) -> (Vec<Finding>, Option<Patience>) {
        let (mut findings, mut patience) = (Vec::new(), None::<Patience>);
        for rule in rules {
            let Some(measured) = self.measure(rule.kind) else { continue };
            if !worse(rule.kind, measured, rule.limit) {
                continue;
            }
            let admin = rule.admin_limit.is_some_and(|limit| worse(rule.kind, measured, limit));
            let level = if admin { ApprovalLevel::GroupAdmin } else { ApprovalLevel::SalesManager };
            findings.push(Finding { kind: rule.kind, rule_id: rule.id, measured, limit: rule.limit, level });
            let so_far = patience.unwrap_or(Patience { escalate_minutes: i32::MAX, answer_minutes: i32::MAX, valid_minutes: i32::MAX });
            patience = Some(Patience {
                escalate_minutes: so_far.escalate_minutes.min(rule.escalate_minutes),
                answer_minutes: so_far.answer_minutes.min(rule.answer_minutes),
                valid_minutes: so_far.valid_minutes.min(rule.valid_minutes),
            });
        }
        findings.sort_by_key(|finding| finding.kind);
        (findings, patience)
    }
}

/// Whether a measure lies on the wrong side of another.
const fn worse(kind: ApprovalKind, measured: i64, than: i64) -> bool {
    if kind.is_floor() { measured < than } else { measured > than }
}

/// Hundredths of a unit in words: `$1,234.50` is not ours to format, so `1234.50`; `6.10 %`; `84 months`.
fn amount(unit: ApprovalUnit, hundredths: i64) -> String {
    match unit {
        ApprovalUnit::Money => Cents(hundredths).to_string(),
        ApprovalUnit::Percent => format!("{} %", Cents(hundredths)),
        ApprovalUnit::Months => format!("{} months", hundredths.div_euclid(100)),
    }
}

impl Finding {
    /// A sentence. For a salesperson it leaves out what only managers may see.
    pub fn say(&self, manager: bool) -> String {
        let unit = self.kind.unit();
        let (measured, limit) = (amount(unit, self.measured), amount(unit, self.limit));
        match (self.kind, manager) {
            (ApprovalKind::Discount, _) => format!("The discount of {measured} is more than the {limit} a salesperson may give."),
            (ApprovalKind::FrontGross, true) => format!("Front gross is {measured}, below {limit}."),
            (ApprovalKind::FrontGross, false) => "The store earns less on this car than it may without a manager.".into(),
            (ApprovalKind::OverAllowance, true) => format!("The trade-in is allowed {measured} beyond its worth, more than {limit}."),
            (ApprovalKind::OverAllowance, false) => "The trade-in is allowed more than it may be without a manager.".into(),
            (ApprovalKind::RateMarkup, true) => format!("The rate is {measured} above the lender's, more than {limit}."),
            (ApprovalKind::RateMarkup, false) => "The rate is higher than it may be without a manager.".into(),
            (ApprovalKind::Term, _) => format!("{measured} are more than {limit}."),
            (ApprovalKind::LoanToValue, _) => format!("{measured} of the car's value are financed, more than {limit}."),
            (ApprovalKind::FeeWaiver, _) => format!("Fees of {measured} are waived, more than the {limit} a salesperson may waive."),
            (ApprovalKind::BackEnd, _) => format!("Products for {measured} are more than {limit}."),
        }
    }
}

/// The least role that may say yes to all of them.
pub fn level_of(findings: &[Finding]) -> ApprovalLevel {
    findings.iter().map(|finding| finding.level).max().unwrap_or(ApprovalLevel::SalesManager)
}

/// The hash that binds an answer to the car and everything on the table.
pub fn figures_hash(vehicle: VehicleId, structure: &Structure) -> Vec<u8> {
    // A structure is plain data: it always has a JSON form.
    sha256(&serde_json::to_vec(&(vehicle, structure)).unwrap_or_default()).to_vec()
}

/// The latest question about a deal, as far as the next steps depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What became of it.
    pub status: ApprovalStatus,
    /// Who may answer.
    pub level: ApprovalLevel,
    /// Until when it waits or stands.
    pub expires_at: DateTime<Utc>,
    /// What it was asked for.
    pub findings: Vec<Finding>,
    /// The figures it was asked for; none where the reader did not need them.
    pub figures_hash: Option<Vec<u8>>,
}

crate::text_enum! {
    /// What a deal still needs of a manager.
    pub enum ApprovalNeed {
        /// Nothing: within the house's rules, or approved.
        Nothing = "NOTHING",
        /// Somebody must be asked.
        Ask = "ASK",
        /// A manager was asked.
        Waiting = "WAITING",
        /// A manager offered other figures: take them, or change the figures.
        Counter = "COUNTER",
        /// A manager said no.
        Declined = "DECLINED",
    }
}

/// What a deal with these findings still needs. `figures` are those of today, where they are at hand.
pub fn need(findings: &[Finding], latest: Option<&Standing>, figures: Option<&[u8]>, now: DateTime<Utc>) -> ApprovalNeed {
    if findings.is_empty() {
        return ApprovalNeed::Nothing;
    }
    let Some(latest) = latest else { return ApprovalNeed::Ask };
    let same_figures = latest.figures_hash.as_deref().zip(figures).is_none_or(|(then, today)| then == today);
    let covered = findings
        .iter()
        .all(|found| latest.findings.iter().any(|asked| asked.kind == found.kind && !worse(found.kind, found.measured, asked.measured)));
    if !same_figures || !covered {
        return ApprovalNeed::Ask;
    }
    match latest.status {
        ApprovalStatus::Declined => ApprovalNeed::Declined,
        _ if latest.expires_at <= now => ApprovalNeed::Ask,
        ApprovalStatus::Pending => ApprovalNeed::Waiting,
        ApprovalStatus::Approved => ApprovalNeed::Nothing,
        ApprovalStatus::Countered => ApprovalNeed::Counter,
        ApprovalStatus::Fell | ApprovalStatus::Expired => ApprovalNeed::Ask,
    }
}

/// What a manager offers instead. What is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterOffer {
    /// Price of the vehicle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Cents>,
    /// What the customer pays at signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_payment: Option<Cents>,
    /// The store's own rebate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dealer_rebate: Option<Cents>,
    /// Months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term_months: Option<i32>,
    /// What is allowed for trade-ins, each by its id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowances: Vec<(TradeInId, Cents)>,
}

impl CounterOffer {
    /// The change of a structure that takes the offer; none when it names a trade-in the deal does not have.
    pub fn change(&self, structure: &Structure) -> Option<StructureChange> {
        let mut trade_ins = structure.trade_ins.clone();
        for (id, allowance) in &self.allowances {
            trade_ins.iter_mut().find(|trade| trade.id == *id)?.allowance = *allowance;
        }
        Some(StructureChange {
            price: self.price,
            down_payment: self.down_payment,
            dealer_rebate: self.dealer_rebate,
            term_months: self.term_months,
            trade_ins: (!self.allowances.is_empty()).then_some(trade_ins),
            ..StructureChange::default()
        })
    }
}

/// What the manager decides on, as it stood when the question was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedFigures {
    /// The car.
    pub vehicle_id: VehicleId,
    /// "2023 Toyota RAV4".
    pub title: String,
    /// Cash, retail or lease.
    pub kind: DealKind,
    /// Price in the deal.
    pub price: Cents,
    /// The asking price.
    pub asking: Option<Cents>,
    /// The store's own rebate.
    pub dealer_rebate: Cents,
    /// What the customer pays at signing.
    pub down_payment: Cents,
    /// Months.
    pub term_months: Option<i32>,
    /// Gross allowance of all trade-ins.
    pub trade_allowance: Cents,
    /// Beyond their worth.
    pub over_allowance: Option<Cents>,
    /// Price of all products.
    pub products: Cents,
    /// Price, products, taxes and fees.
    pub total_price: Option<Cents>,
    /// What is financed, or due for cash.
    pub amount_financed: Option<Cents>,
    /// Monthly.
    pub payment: Option<Cents>,
    /// What the store earns on the car.
    pub front_gross: Option<Cents>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deals::model::tests::{structure, trade};

    fn basis() -> Basis {
        Basis {
            kind: DealKind::Retail,
            price: Cents(28_500_00),
            dealer_rebate: Cents::ZERO,
            term_months: Some(60),
            amount_financed: Some(Cents(30_000_00)),
            asking: Some(Cents(30_000_00)),
            msrp: Some(Cents(40_000_00)),
            cost: Some(Cents(27_000_00)),
            condition: VehicleCondition::Used,
            over_allowance: None,
            products: Cents::ZERO,
            fees_waived: Cents::ZERO,
            markup: None,
        }
    }

    fn rule(kind: ApprovalKind, limit: i64, admin_limit: Option<i64>) -> ApprovalRule {
        ApprovalRule {
            id: Uuid::from_u128(1),
            group_id: Uuid::nil().into(),
            store_id: None,
            kind,
            effective_from: None,
            effective_to: None,
            limit,
            admin_limit,
            escalate_minutes: 10,
            answer_minutes: 60,
            valid_minutes: 600,
        }
    }

    fn found(basis: &Basis, rules: &[ApprovalRule]) -> Vec<Finding> {
        basis.findings(rules.iter()).0
    }

    #[test]
    fn every_kind_is_measured_by_hand() {
        let of = |basis: &Basis, kind| basis.measure(kind);
        let plain = basis();
        assert_eq!(of(&plain, ApprovalKind::Discount), Some(5_00), "1,500 off 30,000");
        let rebated = Basis { dealer_rebate: Cents(300_00), ..basis() };
        assert_eq!(of(&rebated, ApprovalKind::Discount), Some(6_00), "the store's rebate is a discount");
        assert_eq!(of(&plain, ApprovalKind::FrontGross), Some(1_500_00));
        let traded = Basis { over_allowance: Some(Cents(700_00)), ..rebated };
        assert_eq!(of(&traded, ApprovalKind::FrontGross), Some(500_00), "28,500 - 300 - 27,000 - 700");
        assert_eq!(of(&traded, ApprovalKind::OverAllowance), Some(700_00));
        assert_eq!(of(&plain, ApprovalKind::LoanToValue), Some(100_00), "a used car is worth its asking price");
        let new = Basis { condition: VehicleCondition::New, ..basis() };
        assert_eq!(of(&new, ApprovalKind::LoanToValue), Some(75_00), "a new one its list price");
        assert_eq!(of(&plain, ApprovalKind::Term), Some(60_00));
        let marked = Basis { markup: Some(Rate(1_500_001)), ..basis() };
        assert_eq!(of(&marked, ApprovalKind::RateMarkup), Some(1_51), "the smallest excess counts");
        let cash = Basis { kind: DealKind::Cash, ..basis() };
        assert_eq!((of(&cash, ApprovalKind::Term), of(&cash, ApprovalKind::LoanToValue)), (None, None));
        let unknown = Basis { asking: None, cost: None, ..basis() };
        assert_eq!((of(&unknown, ApprovalKind::Discount), of(&unknown, ApprovalKind::FrontGross)), (None, None));
    }

    #[test]
    fn a_limit_is_kept_at_the_limit_and_passed_by_a_cent() {
        let rules = [rule(ApprovalKind::Discount, 5_00, Some(10_00)), rule(ApprovalKind::FrontGross, 1_500_00, Some(0))];
        assert_eq!(found(&basis(), &rules), []);
        let less = Basis { price: Cents(28_499_99), ..basis() };
        let findings = found(&less, &rules);
        assert_eq!(
            findings.iter().map(|f| (f.kind, f.measured)).collect::<Vec<_>>(),
            [(ApprovalKind::Discount, 5_01), (ApprovalKind::FrontGross, 1_499_99)]
        );
        assert_eq!(level_of(&findings), ApprovalLevel::SalesManager);
        let far = Basis { price: Cents(26_999_99), ..basis() };
        assert_eq!(level_of(&found(&far, &rules)), ApprovalLevel::GroupAdmin, "more than 10 %, and a loss");
    }

    #[test]
    fn a_salesperson_is_told_what_without_being_told_cost_worth_or_the_lenders_rate() {
        for kind in ApprovalKind::ALL {
            let finding = Finding { kind: *kind, rule_id: Uuid::nil(), measured: 12_345, limit: 6_789, level: ApprovalLevel::SalesManager };
            assert!(finding.say(true).contains("123"), "{}", finding.say(true));
            let told = finding.say(false);
            assert_eq!(told.contains("123") || told.contains("67"), !kind.is_confidential(), "{told}");
        }
    }

    #[test]
    fn a_yes_stands_for_the_same_figures_no_worse_findings_and_its_time() {
        let now = DateTime::UNIX_EPOCH;
        let later = now + chrono::Duration::minutes(1);
        let finding = |measured| Finding {
            kind: ApprovalKind::Discount,
            rule_id: Uuid::nil(),
            measured,
            limit: 5_00,
            level: ApprovalLevel::SalesManager,
        };
        let yes = |measured| Standing {
            status: ApprovalStatus::Approved,
            level: ApprovalLevel::SalesManager,
            expires_at: later,
            findings: vec![finding(measured)],
            figures_hash: Some(vec![1]),
        };
        let today = [finding(7_00)];
        assert_eq!(need(&[], None, None, now), ApprovalNeed::Nothing);
        assert_eq!(need(&today, None, None, now), ApprovalNeed::Ask);
        assert_eq!(need(&today, Some(&yes(7_00)), Some(&[1]), now), ApprovalNeed::Nothing);
        assert_eq!(need(&today, Some(&yes(7_00)), Some(&[2]), now), ApprovalNeed::Ask, "other figures");
        assert_eq!(need(&today, Some(&yes(6_99)), Some(&[1]), now), ApprovalNeed::Ask, "the asking price rose: a worse discount");
        assert_eq!(need(&today, Some(&yes(7_00)), Some(&[1]), later), ApprovalNeed::Ask, "too late");
        for (status, expected) in [
            (ApprovalStatus::Pending, ApprovalNeed::Waiting),
            (ApprovalStatus::Countered, ApprovalNeed::Counter),
            (ApprovalStatus::Declined, ApprovalNeed::Declined),
            (ApprovalStatus::Fell, ApprovalNeed::Ask),
            (ApprovalStatus::Expired, ApprovalNeed::Ask),
        ] {
            assert_eq!(need(&today, Some(&Standing { status, ..yes(7_00) }), Some(&[1]), now), expected);
        }
    }

    #[test]
    fn the_hash_follows_every_part_of_the_structure_and_the_car() {
        let (car, base) = (VehicleId(Uuid::from_u128(1)), structure());
        let hash = figures_hash(car, &base);
        assert_eq!(figures_hash(car, &base.clone()), hash);
        assert_ne!(figures_hash(VehicleId(Uuid::from_u128(2)), &base), hash);
        let changes = [
            StructureChange { price: Some(Cents(29_999_99)), ..Default::default() },
            StructureChange { down_payment: Some(Cents(1)), ..Default::default() },
            StructureChange { term_months: Some(61), ..Default::default() },
            StructureChange { trade_ins: Some(vec![trade(1_000_00, 0)]), ..Default::default() },
        ];
        for change in changes {
            assert_ne!(figures_hash(car, &base.changed(change.clone()).unwrap()), hash, "{change:?}");
        }
    }

    #[test]
    fn a_counter_offer_changes_what_it_names_and_refuses_a_trade_in_that_is_not_there() {
        let mut base = structure();
        base.trade_ins = vec![trade(10_000_00, 2_000_00)];
        let offer = CounterOffer {
            price: Some(Cents(29_000_00)),
            allowances: vec![(base.trade_ins[0].id, Cents(9_500_00))],
            ..CounterOffer::default()
        };
        let after = base.changed(offer.change(&base).unwrap()).unwrap();
        assert_eq!(
            (after.terms.price, after.trade_ins[0].allowance, after.trade_ins[0].payoff),
            (Cents(29_000_00), Cents(9_500_00), Cents(2_000_00))
        );
        let stranger = CounterOffer { allowances: vec![(TradeInId(Uuid::from_u128(77)), Cents(1))], ..offer };
        assert_eq!(stranger.change(&base), None);
    }
}
