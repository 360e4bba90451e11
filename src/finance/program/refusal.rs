//! Why a program does not take a deal, and the smallest change that clears it.
//!
//! A rule is tested in numbers first ([`Broken`]); words are made only for those who will read them.

use serde::{Deserialize, Serialize};

use crate::finance::bisect::closed_in;
use crate::finance::error::FinanceError;
use crate::finance::quote::{QuoteInput, QuoteKind, Worksheet};
use crate::finance::tax::ProductKind;
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::rate::{ratio, share, worth};
use super::{Program, QuoteRequest};

crate::text_enum! {
    /// Which rule of a program refused.
    pub enum RefusalRule {
        /// The buyer's state.
        State = "STATE",
        /// New, used or certified.
        Condition = "CONDITION",
        /// The vehicle's age.
        Age = "AGE",
        /// The vehicle's mileage.
        Mileage = "MILEAGE",
        /// The customer's credit tier.
        Tier = "TIER",
        /// The term.
        Term = "TERM",
        /// The least amount financed.
        MinFinanced = "MIN_FINANCED",
        /// The least amount financed for a term as long as this.
        TermAmount = "TERM_AMOUNT",
        /// The largest amount financed.
        MaxFinanced = "MAX_FINANCED",
        /// Loan to value, without products.
        FrontLoanToValue = "FRONT_LOAN_TO_VALUE",
        /// Loan to value.
        LoanToValue = "LOAN_TO_VALUE",
        /// The value the ratio needs is not known.
        Collateral = "COLLATERAL",
        /// All products together.
        Backend = "BACKEND",
        /// Service contracts.
        ServiceContract = "SERVICE_CONTRACT",
        /// GAP.
        Gap = "GAP",
        /// The payment of the income.
        PaymentToIncome = "PAYMENT_TO_INCOME",
        /// All debts of the income.
        DebtToIncome = "DEBT_TO_INCOME",
        /// The manufacturer's rebate, which a special rate takes the place of.
        Rebate = "REBATE",
        /// The markup on the buy rate.
        Markup = "MARKUP",
        /// A balloon at the end, which the customer does or does not want.
        Balloon = "BALLOON",
        /// Security deposits, or paying a lease at once.
        LeaseOption = "LEASE_OPTION",
        /// The figures could not be calculated.
        Figures = "FIGURES",
    }
}

/// Why a program does not take the deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which rule.
    pub rule: RefusalRule,
    /// In words a salesperson can read aloud.
    pub message: String,
    /// The smallest change that clears it, in words, when there is one.
    pub change: Option<String>,
    /// That change as money, where it is more money down; below zero where it is less.
    pub change_amount: Option<Cents>,
}

impl Refusal {
    /// The same for what is kept and read by many: without the figures that tell the income.
    pub fn discreet(&self) -> String {
        match self.rule {
            RefusalRule::PaymentToIncome | RefusalRule::DebtToIncome => {
                "The payment is more than the lender takes of the income.".to_owned()
            }
            _ => self.sentence(),
        }
    }

    /// The rule, and what clears it, in one breath.
    pub fn sentence(&self) -> String {
        match &self.change {
            Some(change) => format!("{} {change}", self.message),
            None => self.message.clone(),
        }
    }
}

/// A broken rule, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    State,
    Condition,
    Age { age: u16, most: u16 },
    Mileage { miles: u32, most: u32 },
    Tier,
    Term,
    TooLittle { rule: RefusalRule, least: Cents, financed: Cents },
    TooMuch { most: Cents, financed: Cents },
    OverValue { rule: RefusalRule, limit: Rate, value: Cents, amount: Cents, most: Cents },
    NoCollateral { least: Cents },
    Product { rule: RefusalRule, what: &'static str, price: Cents, most: Cents },
    OverIncome { rule: RefusalRule, ratio: Rate, limit: Rate, payment: Cents, most: Cents },
    Rebate(Cents),
    Markup,
    Deposits { asked: u8, most: u8 },
    OnePay,
    Balloon { wanted: bool },
}

/// How a structure stands with a program, for those who look for one that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::finance) enum Standing {
    /// It takes it, for this payment.
    Taken(Cents),
    /// Too much is financed: less would be taken.
    TooMuch,
    /// Too little is financed.
    TooLittle,
    /// No other amount helps.
    Never,
}

impl Program {
    /// How a structure stands.
    pub(in crate::finance) fn standing(&self, input: &QuoteInput) -> Standing {
        use FinanceError::{BalloonAboveAmount, NothingToFinance, ResidualAboveCost};
        let (financed, payment) = match input.financed_and_payment() {
            Ok(figures) => figures,
            Err(NothingToFinance { .. } | ResidualAboveCost { .. } | BalloonAboveAmount { .. }) => return Standing::TooLittle,
            Err(_) => return Standing::Never,
        };
        let mut standing = Standing::Taken(payment);
        let mut look = |broken: Broken| {
            let wants = match broken {
                Broken::TooLittle { .. } => Standing::TooLittle,
                Broken::TooMuch { .. } | Broken::OverValue { .. } | Broken::OverIncome { .. } => Standing::TooMuch,
                _ => Standing::Never,
            };
            standing = match standing {
                Standing::Taken(_) => wants,
                known if known == wants => known,
                // Too much for one rule and too little for another.
                _ => Standing::Never,
            };
        };
        self.broken(input, &self.credit_tier, financed, &mut look);
        self.broken_by_income(input, payment, &mut look);
        standing
    }

    /// Whether this is the row of the lender's sheet for such a vehicle, tier, term and state. A sheet has a row for each;
    /// those of others are no refusals of this deal.
    pub(in crate::finance) fn is_row_of(&self, request: &QuoteRequest, state: &str) -> bool {
        (self.term_min_months..=self.term_max_months).contains(&request.worksheet.term_months) && self.is_sheet_of(request, state)
    }

    /// The same for any term.
    pub(in crate::finance) fn is_sheet_of(&self, request: &QuoteRequest, state: &str) -> bool {
        self.kind == request.worksheet.kind
            && self.conditions.contains(&request.vehicle.condition)
            && self.is_for(&request.worksheet, &request.credit_tier)
            && self.balloon_percent.is_some() == request.worksheet.balloon
            && self.lends_in(state)
    }

    fn lends_in(&self, state: &str) -> bool {
        self.states.is_empty() || self.states.iter().any(|s| s == state)
    }

    /// How far the row is from a customer: points of the score, and months.
    pub(in crate::finance) fn distance(&self, w: &Worksheet) -> (u16, u16) {
        let points = self.score(w).map_or(0, |(score, _)| {
            let (least, most) = (self.score_min.unwrap_or(score), self.score_max.unwrap_or(score));
            least.saturating_sub(score).max(score.saturating_sub(most))
        });
        (points, w.term_months.abs_diff(w.term_months.clamp(self.term_min_months, self.term_max_months.max(self.term_min_months))))
    }

    /// Every rule that a deal breaks before its payment is known.
    fn broken(&self, input: &QuoteInput, credit_tier: &str, financed: Cents, mut found: impl FnMut(Broken)) {
        let (w, vehicle) = (&input.worksheet, &input.vehicle);
        if !self.lends_in(&input.state) {
            found(Broken::State);
        }
        if !self.conditions.contains(&vehicle.condition) {
            found(Broken::Condition);
        }
        let age = vehicle.age(input.contract_date);
        if let Some(most) = self.max_age_years.filter(|most| age > *most) {
            found(Broken::Age { age, most });
        }
        if let Some((most, miles)) = self.max_odometer_miles.zip(vehicle.odometer_miles).filter(|(most, miles)| miles > most) {
            found(Broken::Mileage { miles, most });
        }
        if !self.is_for(w, credit_tier) {
            found(Broken::Tier);
        }
        if !(self.term_min_months..=self.term_max_months).contains(&w.term_months) {
            found(Broken::Term);
        }
        if financed < self.min_financed {
            found(Broken::TooLittle { rule: RefusalRule::MinFinanced, least: self.min_financed, financed });
        }
        let for_term = self.term_minimums.iter().filter(|m| w.term_months > m.above_months).map(|m| m.min_financed).max();
        if let Some(least) = for_term.filter(|least| financed < *least && *least > self.min_financed) {
            found(Broken::TooLittle { rule: RefusalRule::TermAmount, least, financed });
        }
        if financed > self.max_financed {
            found(Broken::TooMuch { most: self.max_financed, financed });
        }
        self.broken_by_value(input, financed, &mut found);
        if self.subvented && w.manufacturer_rebate > Cents::ZERO {
            found(Broken::Rebate(w.manufacturer_rebate));
        }
        if self.kind == QuoteKind::Retail {
            if self.balloon_percent.is_some() != w.balloon {
                found(Broken::Balloon { wanted: w.balloon });
            }
            if w.markup > self.most_markup(input) {
                found(Broken::Markup);
            }
        } else {
            if w.deposits > self.max_deposits {
                found(Broken::Deposits { asked: w.deposits, most: self.max_deposits });
            }
            if w.one_pay && self.one_pay_factor.is_none() {
                found(Broken::OnePay);
            }
        }
    }

    fn broken_by_value(&self, input: &QuoteInput, financed: Cents, found: &mut impl FnMut(Broken)) {
        let w = &input.worksheet;
        let front = financed - w.backend();
        let limits = [(RefusalRule::FrontLoanToValue, self.max_front_ltv, front), (RefusalRule::LoanToValue, Some(self.max_ltv), financed)];
        let limits = limits.into_iter().filter_map(|(rule, limit, amount)| Some((rule, limit?, amount)));
        let Some(value) = self.collateral(&input.vehicle, w.price) else {
            let least = limits.filter_map(|(_, limit, amount)| worth(amount, limit)).max().unwrap_or_default();
            return found(Broken::NoCollateral { least });
        };
        for (rule, limit, amount) in limits {
            let most = share(value, limit);
            if amount > most {
                found(Broken::OverValue { rule, limit, value, amount, most });
            }
        }
        let caps = &self.backend;
        let within = |fixed: Option<Cents>, percent: Option<Rate>| fixed.into_iter().chain(percent.map(|p| share(value, p))).min();
        for (rule, what, price, most) in [
            (RefusalRule::Backend, "products", w.backend(), within(caps.total, caps.total_percent)),
            (
                RefusalRule::ServiceContract,
                "service contracts",
                w.products_of(ProductKind::ServiceContract),
                within(caps.service_contract, caps.service_contract_percent),
            ),
            (RefusalRule::Gap, "GAP", w.products_of(ProductKind::Gap), caps.gap),
        ] {
            if let Some(most) = most.filter(|most| price > *most) {
                found(Broken::Product { rule, what, price, most });
            }
        }
    }

    /// Whether it takes a deal, before its payment is known.
    pub(in crate::finance) fn takes(&self, input: &QuoteInput, financed: Cents) -> bool {
        let mut taken = true;
        self.broken(input, &self.credit_tier, financed, |_| taken = false);
        taken
    }

    /// Whether the customer's income carries the payment, as far as it is known.
    pub(in crate::finance) fn affords(&self, input: &QuoteInput, payment: Cents) -> bool {
        let mut affords = true;
        self.broken_by_income(input, payment, |_| affords = false);
        affords
    }

    fn broken_by_income(&self, input: &QuoteInput, payment: Cents, mut found: impl FnMut(Broken)) {
        let Some(purse) = self.purse(&input.worksheet) else { return };
        let monthly = monthly_equivalent(input, payment);
        for (rule, limit, others) in [
            (RefusalRule::PaymentToIncome, self.max_payment_to_income, Cents::ZERO),
            (RefusalRule::DebtToIncome, self.max_debt_to_income, purse.debts),
        ] {
            let Some(limit) = limit else { continue };
            // Below zero where other debts alone are too much: no payment is small enough.
            let most = share(purse.gross_income, limit) - others;
            if monthly > most {
                let ratio = ratio(others + monthly, purse.gross_income).unwrap_or(Rate::LIMIT);
                found(Broken::OverIncome { rule, ratio, limit, payment: monthly, most });
            }
        }
    }

    /// Every rule that stands against a deal before its payment is known; empty when the program takes it so far.
    pub fn refusals(&self, input: &QuoteInput, credit_tier: &str, financed: Cents) -> Vec<Refusal> {
        let mut out = Vec::new();
        self.broken(input, credit_tier, financed, |broken| out.push(self.words(broken, input)));
        out
    }

    /// The refusals that depend on the payment, with the smallest down payment more that clears them.
    pub(in crate::finance) fn income_refusals(&self, input: &QuoteInput, financed: Cents, payment: Cents) -> Vec<Refusal> {
        let mut broken = Vec::new();
        self.broken_by_income(input, payment, |b| broken.push(b));
        broken
            .into_iter()
            .map(|b| {
                let mut refusal = self.words(b, input);
                if let Broken::OverIncome { most, .. } = b
                    && let Some(more) = self.more_down(input, financed, most)
                {
                    refusal.change = Some(format!("{more} more down."));
                    refusal.change_amount = Some(more);
                }
                refusal
            })
            .collect()
    }

    /// The smallest down payment more that brings the monthly payment down to `most`, as long as enough is left to finance for this
    /// lender. More money down lowers the amount financed by as much, and the payment never rises with it.
    fn more_down(&self, input: &QuoteInput, financed: Cents, most: Cents) -> Option<Cents> {
        let w = &input.worksheet;
        let for_term = self.term_minimums.iter().filter(|m| w.term_months > m.above_months).map(|m| m.min_financed);
        let least = for_term.chain([self.min_financed, Cents(1)]).max()?;
        smallest(financed - least, |more| {
            let mut input = input.clone();
            input.worksheet.cash_down += more;
            input.payment().is_ok_and(|payment| monthly_equivalent(&input, payment) <= most)
        })
    }

    fn words(&self, broken: Broken, input: &QuoteInput) -> Refusal {
        let w = &input.worksheet;
        let refusal = |rule, message: String, change: Option<String>, change_amount| Refusal { rule, message, change, change_amount };
        match broken {
            Broken::State => {
                let (here, taken) = (&input.state, self.states.join(", "));
                let message = format!("{} lends in {taken}, not in {here}: nothing the customer can change.", self.lender_name);
                refusal(RefusalRule::State, message, None, None)
            }
            Broken::Condition => {
                let taken = self.conditions.iter().map(|c| c.as_str().to_lowercase()).collect::<Vec<_>>().join(" or ");
                let change = format!("A {taken} vehicle.");
                refusal(RefusalRule::Condition, format!("{} is for {taken} vehicles.", self.name), Some(change), None)
            }
            Broken::Age { age, most } => {
                use chrono::Datelike;
                let oldest = input.contract_date.year().saturating_sub(i32::from(most));
                let message = format!("The vehicle is {age} model years old; at most {most} are taken.");
                refusal(RefusalRule::Age, message, Some(format!("A {oldest} or newer vehicle.")), None)
            }
            Broken::Mileage { miles, most } => {
                let message = format!("The vehicle has {miles} miles; at most {most} are taken.");
                refusal(RefusalRule::Mileage, message, Some(format!("A vehicle with at most {most} miles.")), None)
            }
            // The customer's own score is in no words.
            Broken::Tier if self.has_band() && self.score(w).is_some() => {
                let (least, most) = (self.score_min, self.score_max);
                let band = match (least, most) {
                    (Some(least), Some(most)) => format!("{least} to {most}"),
                    (Some(least), None) => format!("{least} and more"),
                    (None, most) => format!("up to {}", most.unwrap_or_default()),
                };
                let message = format!("{} is for tier {}: scores of {band}.", self.name, self.credit_tier);
                refusal(RefusalRule::Tier, message, Some(format!("A credit score of {band}.")), None)
            }
            Broken::Tier => {
                let message = format!("{} is for tier {}.", self.name, self.credit_tier);
                refusal(RefusalRule::Tier, message, Some(format!("Credit tier {}.", self.credit_tier)), None)
            }
            Broken::Term => {
                let nearest = w.term_months.max(self.term_min_months).min(self.term_max_months);
                let message = format!("{} is for {} to {} months.", self.name, self.term_min_months, self.term_max_months);
                refusal(RefusalRule::Term, message, Some(format!("A term of {nearest} months.")), None)
            }
            Broken::TooLittle { rule, least, financed } => {
                let less = least - financed;
                let term = if rule == RefusalRule::TermAmount { format!(" for {} months", w.term_months) } else { String::new() };
                let message = format!("At least {least} must be financed{term}; this is {financed}.");
                // As far as money down can be left away.
                let room = w.cash_down >= less;
                refusal(rule, message, room.then(|| format!("Finance {less} more.")), room.then_some(-less))
            }
            Broken::TooMuch { most, financed } => {
                let more = down_to(input, financed, most);
                let message = format!("At most {most} can be financed; this is {financed}.");
                refusal(RefusalRule::MaxFinanced, message, more.map(|more| format!("{more} more down.")), more)
            }
            Broken::OverValue { rule, limit, value, amount, most } => {
                let more = down_to(input, amount, most);
                let without = if rule == RefusalRule::FrontLoanToValue { " without products" } else { "" };
                let message =
                    format!("{amount}{without} is more than {limit} % of the vehicle's {} of {value}.", self.collateral_basis.label());
                refusal(rule, message, more.map(|more| format!("{more} more down.")), more)
            }
            Broken::NoCollateral { least } => {
                let basis = self.collateral_basis.label();
                let change = format!("Have its {basis} entered: from {least} on, this amount can be financed.");
                refusal(RefusalRule::Collateral, format!("The vehicle's {basis} is not known."), Some(change), None)
            }
            Broken::Product { rule, what, price, most } => {
                let less = price - most;
                let message = format!("At most {most} can be financed for {what}; this is {price}.");
                refusal(rule, message, Some(format!("{less} less for {what}.")), None)
            }
            Broken::OverIncome { rule, ratio, limit, payment, most } => {
                let what = if rule == RefusalRule::PaymentToIncome { "The payment" } else { "All debts with the payment" };
                let message = format!("{what} would take {} % of the gross income; at most {limit} %.", ratio.round(2));
                refusal(rule, message, (most > Cents::ZERO).then(|| format!("A payment lower by {}.", payment - most)), None)
            }
            Broken::Rebate(rebate) => {
                let message = format!("{} is a special rate, given in place of the manufacturer's rebate.", self.name);
                refusal(RefusalRule::Rebate, message, Some(format!("Without the rebate of {rebate}.")), None)
            }
            // Customers see refusals; how far the rate lies above the lender's is for managers.
            Broken::Markup => {
                let message = format!("The rate asked for is above what {} or the law allows.", self.lender_name);
                refusal(RefusalRule::Markup, message, Some("Ask a manager for the rate.".into()), None)
            }
            Broken::Deposits { asked, most } => {
                let message = format!("{} takes at most {most} security deposits; this is {asked}.", self.lender_name);
                refusal(RefusalRule::LeaseOption, message, Some(format!("At most {most} security deposits.")), None)
            }
            Broken::Balloon { wanted: true } => {
                let message = format!("{} has no balloon at the end.", self.name);
                refusal(RefusalRule::Balloon, message, Some("A contract without a balloon.".into()), None)
            }
            Broken::Balloon { wanted: false } => {
                let message = format!("The last payment of {} is a balloon.", self.name);
                refusal(RefusalRule::Balloon, message, Some("A contract with a balloon at the end.".into()), None)
            }
            Broken::OnePay => {
                let message = format!("{} does not offer a lease that is paid at once.", self.lender_name);
                refusal(RefusalRule::LeaseOption, message, Some("Monthly payments.".into()), None)
            }
        }
    }
}

/// What payments come to in a month, rounded up to the cent: a ratio is never better than it is.
pub(super) fn monthly_equivalent(input: &QuoteInput, payment: Cents) -> Cents {
    let w = &input.worksheet;
    let (times, months) = match w.kind {
        QuoteKind::Lease if w.one_pay => (1, i64::from(w.term_months.max(1))),
        QuoteKind::Lease | QuoteKind::Cash => (1, 1),
        QuoteKind::Retail if w.schedule.count(w.term_months) == 1 => (1, i64::from(w.term_months.max(1))),
        QuoteKind::Retail => (i64::from(w.schedule.per_year()), 12),
    };
    let yearly = payment.0.saturating_mul(times);
    Cents(yearly.saturating_add(months - 1).div_euclid(months))
}

/// The smallest down payment more that brings what is financed, now `financed`, down to `most`. A contract finances a cent less for
/// each; where a lease's tax is capitalized, more money down changes the tax, too.
fn down_to(input: &QuoteInput, financed: Cents, most: Cents) -> Option<Cents> {
    let over = financed - most;
    if input.worksheet.kind != QuoteKind::Lease || !input.worksheet.capitalize_tax {
        return Some(over);
    }
    let with_more = |more: Cents| {
        let mut input = input.clone();
        input.worksheet.cash_down += more;
        input.financed_and_payment().map(|(financed, _)| financed)
    };
    // The ratio may leave products out: what is over is the same with and without them.
    let enough = with_more(Cents::ZERO).ok()? - over;
    smallest(Cents(over.0.saturating_mul(2)), |more| with_more(more).is_ok_and(|financed| financed <= enough))
}

/// The smallest amount above nothing, at most `high`, that is enough; every larger one is, too.
fn smallest(high: Cents, enough: impl Fn(Cents) -> bool) -> Option<Cents> {
    if high <= Cents::ZERO {
        return None;
    }
    closed_in(Cents::ZERO, high, enough).map(|(_, first)| first)
}
