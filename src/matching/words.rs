//! Sentences a salesperson can read aloud.

use super::demand::Wanted;
use super::demand::{Answer, Group, Test};
use super::estimate::PaymentEstimate;
use crate::customers::wish::{dollars, say, thousands};
use crate::customers::{PreferenceAttribute as A, PreferenceKind as Kind, PreferenceOperator as Op};

/// Why a vehicle earned its points on one wish.
pub(super) fn reason(
    group: &Group,
    wanted: &Wanted,
    answer: Answer,
    number: Option<i64>,
    name: Option<&str>,
    estimate: &PaymentEstimate,
) -> String {
    let how = source(wanted.kind);
    if group.attribute == A::Feature {
        let words = wanted.wish.value();
        return match (&group.test, answer.met) {
            (Test::NoWords(_), true) => format!("The listing does not mention {words}, {how}"),
            (Test::NoWords(_), false) => format!("The listing mentions {words}, which they do not want"),
            (_, true) => format!("The listing mentions {words}, {how}"),
            (_, false) => format!("The listing does not mention {words}; look at the car"),
        };
    }
    if group.attribute == A::MonthlyPayment {
        let Some(price) = number else { return "The price is not known, so no payment can be estimated".to_owned() };
        let payment = estimate.payment(price);
        let about = format!("About {} a month ({})", whole_dollars(payment), estimate.assumptions());
        return if answer.met { format!("{about}, {how}") } else { format!("{about}, {} off: {}", dollars(answer.beyond), wish(wanted)) };
    }
    let Some(has) = has(group, number, name) else { return format!("{} is not known; {}", title(group.attribute), wish(wanted)) };
    if answer.met {
        format!("{has}, {how}")
    } else if answer.beyond > 0 {
        format!("{has}, {} off: {}", amount(group.attribute, answer.beyond), wish(wanted))
    } else {
        format!("{has}; {}", wish_all(group))
    }
}

/// "$1,500 more: 6 cars".
pub(super) fn relaxation(group: &Group, step: Option<i64>, unlocks: usize) -> String {
    let cars = if unlocks == 1 { "1 car".to_owned() } else { format!("{} cars", thousands(i64::try_from(unlocks).unwrap_or(i64::MAX))) };
    let value = || group.wanted.first().map(|w| w.wish.value().to_owned()).unwrap_or_default();
    let what = match (&group.test, step) {
        (Test::AtMost(_), Some(step)) => format!("{} more", amount(group.attribute, step)),
        (Test::AtLeast(_), Some(step)) if group.attribute == A::ModelYear => {
            if step == 1 {
                "1 year older".to_owned()
            } else {
                format!("{step} years older")
            }
        }
        (Test::AtLeast(_), Some(step)) => format!("{} less", amount(group.attribute, step)),
        (Test::About(_), Some(step)) => format!("{} up or down", amount(group.attribute, step)),
        (Test::Words(_), _) => format!("without {}", value()),
        (Test::NoWords(_), _) => format!("with {} too", value()),
        (Test::Not(_), _) => format!("{} too", group.wanted.first().map(|w| w.wish.say_value()).unwrap_or_default()),
        _ => format!("any {}", title(group.attribute).to_lowercase()),
    };
    format!("{what}: {cars}")
}

fn source(kind: Kind) -> &'static str {
    match kind {
        Kind::Stated => "as they said",
        Kind::Observed => "like what they looked at",
        Kind::Inferred => "like what they had",
    }
}

fn wish(wanted: &Wanted) -> String {
    let verb = match wanted.kind {
        Kind::Stated => "they said",
        Kind::Observed => "they looked at",
        Kind::Inferred => "they had",
    };
    let bound = matches!(wanted.wish.operator(), Op::AtMost | Op::AtLeast);
    match wanted.kind {
        Kind::Observed | Kind::Inferred if bound => format!("what {verb} was {}", wanted.wish.describe()),
        _ => format!("{verb} {}", wanted.wish.describe()),
    }
}

fn wish_all(group: &Group) -> String {
    let Some(first) = group.wanted.first() else { return String::new() };
    let mut said = wish(first);
    for other in group.wanted.iter().skip(1) {
        said.push_str(" or ");
        said.push_str(&other.wish.describe());
    }
    said
}

fn has(group: &Group, number: Option<i64>, name: Option<&str>) -> Option<String> {
    let said = match (number, name) {
        (Some(n), _) => say(group.attribute, Some(n), ""),
        (None, Some(name)) => say(group.attribute, None, name),
        (None, None) => return None,
    };
    let mut letters = said.chars();
    let first = letters.next()?;
    Some(first.to_uppercase().chain(letters).collect())
}

fn amount(attribute: A, n: i64) -> String {
    match attribute {
        A::Price => dollars(n),
        A::MonthlyPayment => format!("{} a month", dollars(n)),
        A::ModelYear => format!("{n} {}", if n == 1 { "year" } else { "years" }),
        A::Seats if n == 1 => "1 seat".to_owned(),
        A::Doors if n == 1 => "1 door".to_owned(),
        _ => say(attribute, Some(n), ""),
    }
}

/// An estimate is not shown to the cent.
fn whole_dollars(cents: i64) -> String {
    dollars(cents.saturating_add(50) / 100 * 100)
}

fn title(attribute: A) -> &'static str {
    match attribute {
        A::Condition => "Condition",
        A::Make => "Make",
        A::Model => "Model",
        A::Trim => "Trim",
        A::ModelYear => "Year",
        A::BodyStyle => "Body style",
        A::Drivetrain => "Drivetrain",
        A::Fuel => "Fuel",
        A::Transmission => "Transmission",
        A::ExteriorColor => "Colour",
        A::InteriorColor => "Interior colour",
        A::OdometerMiles => "Mileage",
        A::Price => "Price",
        A::MonthlyPayment => "Monthly payment",
        A::DownPayment => "Down payment",
        A::TermMonths => "Term",
        A::Seats => "Number of seats",
        A::Doors => "Number of doors",
        A::Mpg => "Fuel economy",
        A::Feature => "Equipment",
    }
}
