//! What a lead says somebody wants.
//!
//! - Only vehicles they want are asked; a vehicle they offer says nothing about their wishes.
//! - A figure is taken as a whole or not at all ([`SpokenMoney`](crate::kernel::spoken_money)). A range becomes its upper end
//!   where an upper end is meant. A payment at another rhythm than monthly is no monthly payment: it becomes no wish, and a
//!   warning says what it comes to in a month.
//! - Several wanted vehicles are alternatives, not a change of mind. Names stand beside each other; of figures the widest
//!   bounds that hold for each vehicle that has any are kept: years 2019 and 2021 are 2019 to 2021, offers of 20,000 and 21,000
//!   are at most 21,000. What one vehicle must not have but another may have is no wish.
//! - Whatever is not understood is named in a warning.

use chrono::{DateTime, Utc};

use crate::channels::adf::{
    AmountKind, AmountLimit, Finance, Opt, Price, Prospect, Told, Vehicle, VehicleStatus, payments_a_year, placeholder,
};
use crate::customers::{NewPreference, PreferenceAttribute as A, PreferenceImportance as Importance, PreferenceOperator as Op, Wish};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::text::excerpt;

/// Most wishes taken from one prospect.
const WISHES_MAX: usize = 60;
/// A vehicle for less than this is a slip ("25" for 25,000).
const PRICE_LEAST: Cents = Cents(100_00);
/// A monthly payment below this is one too.
const MONTHLY_LEAST: Cents = Cents(10_00);

/// What the person wants, and what of it was not understood.
pub(super) fn wishes(prospect: &Prospect, channel: &str, currency: Currency, at: DateTime<Utc>) -> (Vec<NewPreference>, Vec<String>) {
    let mut out = Wishes { heard: Vec::new(), warnings: Vec::new(), vehicle: 0, channel, currency, at };
    for (number, vehicle) in prospect.wanted().enumerate() {
        out.vehicle = number;
        out.of_vehicle(vehicle);
    }
    out.settled()
}

/// A word that forms send when nothing was chosen.
pub(super) fn is_filler(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "",
        "any",
        "anything",
        "anyany",
        "all",
        "na",
        "none",
        "null",
        "nil",
        "unknown",
        "undefined",
        "tbd",
        "tba",
        "other",
        "notspecified",
        "unspecified",
        "notprovided",
        "notavailable",
        "notapplicable",
        "notsure",
        "unsure",
        "undecided",
        "nopreference",
        "open",
        "select",
        "selectone",
        "pleaseselect",
        "choose",
        "doesntmatter",
        "doesnotmatter",
        "flexible",
        "whatever",
        "notrim",
        "nomake",
        "nomodel",
    ];
    let bare: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(40).collect();
    // "Any make", "Any color".
    let any = bare.strip_prefix("any").is_some_and(|of| matches!(of, "make" | "model" | "trim" | "color" | "colour" | "colors" | "style"));
    any || WORDS.contains(&bare.as_str())
}

struct Heard {
    vehicle: usize,
    said: NewPreference,
}

struct Wishes<'a> {
    heard: Vec<Heard>,
    warnings: Vec<String>,
    /// Which of the wanted vehicles is read.
    vehicle: usize,
    channel: &'a str,
    currency: Currency,
    at: DateTime<Utc>,
}

impl Wishes<'_> {
    fn of_vehicle(&mut self, vehicle: &Vehicle) {
        use Importance::{Must, Nice, Should};
        let condition = vehicle.status.as_ref().and_then(|s| s.value).map(|s| match s {
            VehicleStatus::New => "NEW",
            VehicleStatus::Used => "USED",
            VehicleStatus::Certified => "CERTIFIED",
        });
        let year = vehicle.year.as_ref().and_then(|t| t.value).map(|n| n.to_string());
        self.add(A::Condition, "status", Op::Is, condition, Should);
        self.add(A::Make, "make", Op::Is, vehicle.make.as_deref(), Should);
        self.add(A::Model, "model", Op::Is, vehicle.model.as_deref(), Should);
        self.add(A::Trim, "trim", Op::Is, vehicle.trim.as_deref(), Nice);
        self.add(A::ModelYear, "year", Op::Is, year.as_deref(), Nice);
        self.add(A::BodyStyle, "body style", Op::Is, vehicle.body_style.as_deref(), Should);
        self.add(A::Transmission, "transmission", Op::Is, vehicle.transmission.as_deref().map(transmission), Nice);
        self.number(A::Doors, "doors", vehicle.doors.as_ref(), Nice);
        for (place, choice) in vehicle.colours.iter().enumerate() {
            // The first choice counts more than the others, whatever numbers the sender uses.
            let importance = if place == 0 { Should } else { Nice };
            self.colour(A::ExteriorColor, "exterior color", choice.exterior.as_deref(), importance);
            self.colour(A::InteriorColor, "interior color", choice.interior.as_deref(), importance);
        }
        for option in &vehicle.options {
            let (operator, importance) = weighed(option);
            self.add(A::Feature, "option", operator, option.name.as_deref(), importance);
        }
        for price in vehicle.prices.iter().filter(|p| p.kind.as_deref().is_some_and(|k| k.eq_ignore_ascii_case("offer"))) {
            if price.delta.as_deref().is_none_or(|d| d.eq_ignore_ascii_case("absolute")) {
                self.money(A::Price, "offer", Op::AtMost, price, Must);
            } else {
                self.warn("an offer relative to another price was not understood");
            }
        }
        if let Some(finance) = &vehicle.finance {
            self.of_finance(finance);
        }
    }

    fn of_finance(&mut self, finance: &Finance) {
        use Importance::{Must, Should};
        for amount in &finance.amounts {
            let operator = match amount.limit.as_ref().and_then(|l| l.value) {
                Some(AmountLimit::Minimum) => Op::AtLeast,
                Some(AmountLimit::Exact) => Op::Is,
                // The format's default.
                Some(AmountLimit::Maximum) | None => Op::AtMost,
            };
            if amount.limit.as_ref().is_some_and(|l| l.value.is_none()) {
                self.warn("the limit of a finance amount was not understood; taken as at most");
            }
            match amount.kind.as_ref().map(|kind| (kind.value, kind.text.as_str())) {
                Some((Some(AmountKind::Monthly), _)) if self.is_monthly(finance, &amount.price) => {
                    self.money(A::MonthlyPayment, "monthly payment", operator, &amount.price, Must);
                }
                Some((Some(AmountKind::Monthly), _)) => {}
                Some((Some(AmountKind::DownPayment), _)) => self.money(A::DownPayment, "down payment", operator, &amount.price, Should),
                // The format's default is the total.
                Some((Some(AmountKind::Total), _)) | None => self.money(A::Price, "total", operator, &amount.price, Must),
                Some((None, kind)) => self.warn(&format!("a finance amount of type \"{}\" was not understood", excerpt(kind, 40))),
            }
        }
        self.number(A::TermMonths, "term", finance.term_months.as_ref(), Should);
    }

    /// Whether a payment sent as monthly is one; otherwise says what it comes to.
    fn is_monthly(&mut self, finance: &Finance, price: &Price) -> bool {
        let Some(rhythm) = finance.frequency.as_deref().filter(|f| !is_filler(f)) else { return true };
        let a_year = payments_a_year(rhythm);
        if a_year == Some(12) {
            return true;
        }
        let mut words = format!("payments are meant at another rhythm than monthly ({})", excerpt(rhythm, 40));
        if let (Some(times), Some(amount)) = (a_year, price.amount) {
            // Rounded up to the cent: who can pay this can pay each of them.
            let monthly = Cents(amount.0.saturating_mul(times).saturating_add(11) / 12);
            words.push_str(&format!(": {} each is about {} a month", in_words(amount), in_words(monthly)));
        }
        words.push_str("; not kept as a wish");
        self.warn(&words);
        false
    }

    /// Keeps a wish when the value makes sense.
    fn add(&mut self, attribute: A, name: &str, operator: Op, value: Option<&str>, importance: Importance) {
        let Some(value) = value.filter(|v| placeholder(v).is_none() && !is_filler(v)) else { return };
        match Wish::parse(attribute, operator, value) {
            Ok(wish) => self.keep(wish, importance, false),
            Err(_) => self.misunderstood(name, value),
        }
    }

    fn number(&mut self, attribute: A, name: &str, told: Option<&Told<i32>>, importance: Importance) {
        let Some(told) = told else { return };
        match told.value {
            Some(number) => self.add(attribute, name, Op::Is, Some(&number.to_string()), importance),
            None if is_filler(&told.text) || placeholder(&told.text).is_some() => {}
            None => self.misunderstood(name, &told.text),
        }
    }

    /// One colour, or several: "black or grey", "no red, no white", "not red or white".
    fn colour(&mut self, attribute: A, name: &str, value: Option<&str>, importance: Importance) {
        let Some(value) = value.filter(|v| placeholder(v).is_none() && !is_filler(v)) else { return };
        let spaced = value.replace(['/', ',', ';', '&'], " , ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let separates = |word: &&str| matches!(word.to_lowercase().as_str(), "," | "or" | "and" | "nor");
        let parts: Vec<String> = words.split(separates).filter(|part| !part.is_empty()).map(|part| part.join(" ")).collect();
        let read: Vec<Option<Wish>> = parts.iter().map(|part| Wish::parse(attribute, Op::Is, part).ok()).collect();
        let mut read: Vec<Wish> = match read.into_iter().collect::<Option<Vec<_>>>() {
            Some(read) if !read.is_empty() => read,
            _ => return self.misunderstood(name, value),
        };
        let refused: Vec<bool> = read.iter().map(|wish| wish.operator() == Op::IsNot).collect();
        if refused.first() == Some(&true) && refused.contains(&false) {
            // "not red or white" refuses both; "not red, white" may mean either.
            if spaced.contains(" , ") {
                return self.misunderstood(name, value);
            }
            read = read.iter().filter_map(|wish| Wish::parse(attribute, Op::IsNot, wish.value()).ok()).collect();
        }
        for wish in read {
            self.keep(wish, importance, false);
        }
    }

    /// An amount. In another currency than the store's it is a hint, not a limit.
    fn money(&mut self, attribute: A, name: &str, operator: Op, price: &Price, importance: Importance) {
        let Some(text) = price.text.as_deref().filter(|t| placeholder(t).is_none() && !is_filler(t)) else { return };
        if price.most == Some(Cents::ZERO) {
            // Zero is how forms say "none".
            return;
        }
        let (operator, amount) = match (price.least, price.most) {
            (Some(least), Some(most)) if least == most => (operator, most),
            (Some(least), Some(most)) => {
                let (operator, amount) = if operator == Op::AtLeast { (operator, least) } else { (Op::AtMost, most) };
                let side = if operator == Op::AtLeast { "at least" } else { "at most" };
                self.warn(&format!(
                    "{name}: a range of {} to {} was sent; kept as {side} {}",
                    in_words(least),
                    in_words(most),
                    in_words(amount)
                ));
                (operator, amount)
            }
            (None, Some(most)) if operator != Op::AtLeast => (Op::AtMost, most),
            (Some(least), None) if operator == Op::AtLeast || attribute == A::DownPayment => (Op::AtLeast, least),
            _ => return self.misunderstood(name, text),
        };
        let slip = attribute == A::Price && amount < PRICE_LEAST || attribute == A::MonthlyPayment && amount < MONTHLY_LEAST;
        match Wish::parse(attribute, operator, &amount.to_string()) {
            Ok(wish) if !slip => {
                let foreign = price.currency.as_deref().is_some_and(|c| !c.eq_ignore_ascii_case(self.currency.as_str()));
                self.keep(wish, if foreign { Importance::Nice } else { importance }, foreign);
            }
            _ => self.misunderstood(name, text),
        }
    }

    fn keep(&mut self, wish: Wish, importance: Importance, hint: bool) {
        let known = self.heard.iter().any(|h| h.said.wish == wish && (h.vehicle == self.vehicle || wish.number().is_none()));
        if known {
            return;
        }
        let mut said = NewPreference::stated(wish, importance, self.channel, self.at);
        if hint {
            said.confidence_permille = 500;
        }
        self.heard.push(Heard { vehicle: self.vehicle, said });
    }

    fn misunderstood(&mut self, name: &str, text: &str) {
        self.warn(&format!("{name} \"{}\" was not understood", excerpt(text, 40)));
    }

    fn warn(&mut self, warning: &str) {
        if self.warnings.len() < WISHES_MAX && !self.warnings.iter().any(|w| w == warning) {
            self.warnings.push(warning.to_owned());
        }
    }

    /// What holds for all vehicles together, each attribute where it was first said.
    fn settled(mut self) -> (Vec<NewPreference>, Vec<String>) {
        let mut out: Vec<NewPreference> = Vec::new();
        let heard = std::mem::take(&mut self.heard);
        let mut done: Vec<A> = Vec::new();
        for Heard { said, .. } in &heard {
            let attribute = said.wish.attribute();
            if said.wish.number().is_none() {
                let wanted_too = |h: &Heard| {
                    h.said.wish.operator() == Op::Is && h.said.wish.attribute() == attribute && h.said.wish.key() == said.wish.key()
                };
                if said.wish.operator() == Op::IsNot && heard.iter().any(wanted_too) {
                    self.warn(&format!("{} is wanted and not wanted in one lead; kept as wanted", attribute_words(attribute)));
                } else {
                    out.push(said.clone());
                }
            } else if !done.contains(&attribute) {
                done.push(attribute);
                let same: Vec<&Heard> = heard.iter().filter(|h| h.said.wish.attribute() == attribute).collect();
                out.extend(self.widest(attribute, &same));
            }
        }
        out.truncate(WISHES_MAX);
        (out, self.warnings)
    }

    /// The widest bounds: those that hold for every vehicle that has any.
    fn widest(&mut self, attribute: A, heard: &[&Heard]) -> Vec<NewPreference> {
        let numbers = |vehicle: usize, side: Op| {
            let of_side = heard
                .iter()
                .filter(move |h| h.vehicle == vehicle && matches!(h.said.wish.operator(), Op::Is) | (h.said.wish.operator() == side));
            of_side.filter_map(|h| h.said.wish.number()).collect::<Vec<i64>>()
        };
        let mut vehicles: Vec<usize> = heard.iter().map(|h| h.vehicle).collect();
        vehicles.dedup();
        let bounds: Vec<(Option<i64>, Option<i64>)> = vehicles
            .iter()
            .map(|v| (numbers(*v, Op::AtLeast).into_iter().min(), numbers(*v, Op::AtMost).into_iter().max()))
            // "At least 500" and "at most 400" of one vehicle say nothing.
            .filter(|(low, high)| !matches!((low, high), (Some(low), Some(high)) if low > high))
            .collect();
        let low = bounds.iter().map(|(low, _)| *low).collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().min());
        let high = bounds.iter().map(|(_, high)| *high).collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max());
        let ends = match (low, high) {
            (Some(low), Some(high)) if low == high => vec![(Op::Is, low)],
            (low, high) => low.map(|n| (Op::AtLeast, n)).into_iter().chain(high.map(|n| (Op::AtMost, n))).collect(),
        };
        let words = attribute_words(attribute);
        if ends.is_empty() {
            self.warn(&format!("several figures for {words} exclude each other; none was kept"));
            return Vec::new();
        }
        let mut out: Vec<NewPreference> = Vec::new();
        for (operator, number) in ends {
            let money = matches!(attribute, A::Price | A::MonthlyPayment | A::DownPayment);
            let value = if money { Cents(number).to_string() } else { number.to_string() };
            let Ok(wish) = Wish::parse(attribute, operator, &value) else { continue };
            let of = heard.iter().find(|h| h.said.wish.number() == Some(number)).or_else(|| heard.first());
            let Some(of) = of else { continue };
            out.push(NewPreference { wish, ..of.said.clone() });
        }
        if heard.iter().any(|h| !out.iter().any(|kept| kept.wish == h.said.wish)) {
            self.warn(&format!("several figures for {words}; the widest were kept"));
        }
        out
    }
}

fn attribute_words(attribute: A) -> String {
    attribute.as_str().to_lowercase().replace('_', " ")
}

/// `$1,450.50`: grouped, so that it is not taken for a telephone number.
fn in_words(amount: Cents) -> String {
    crate::customers::wish::dollars(amount.0)
}

fn transmission(text: &str) -> &str {
    match text.trim() {
        "A" | "a" => "AUTOMATIC",
        "M" | "m" => "MANUAL",
        other => other,
    }
}

/// `weighting` runs from -100 (must not) to 100 (must).
fn weighed(option: &Opt) -> (Op, Importance) {
    let weight = option.weighting.as_ref().and_then(|w| w.value).unwrap_or(0);
    let operator = if weight < 0 { Op::IsNot } else { Op::Is };
    let importance = match weight.unsigned_abs() {
        75.. => Importance::Must,
        25..=74 => Importance::Should,
        _ => Importance::Nice,
    };
    (operator, importance)
}
