//! What a prospect means for the dealer: who asks, what they wish, what they allow, and whether a program may act on it.
//!
//! Pure. Personal data goes into [`Reading::person`] only; [`Reading::summary`] holds what may be shown in lists.

mod consents;
mod contact;
mod wishes;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use self::contact::Who;
use self::wishes::is_filler;
use super::adf::{self, Contact, DayEnd, Price, Prospect, Told, Vehicle, VehicleInterest, VehicleStatus, local_moment, placeholder};
use crate::customers::{ConsentPurpose, IncomingPerson, NewPreference};
use crate::dealers::StoreInfo;
use crate::kernel::money::{Cents, Currency};
use crate::kernel::text::excerpt;

/// A prospect, understood.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// Why a person must look at it; none when a program may act on it.
    pub(super) needs_person: Option<String>,
    /// Who asks.
    pub(super) person: IncomingPerson,
    /// What they said they want.
    pub(super) wishes: Vec<NewPreference>,
    /// What they allow or forbid, in their own words in the text.
    pub(super) consents: Vec<(ConsentPurpose, bool)>,
    /// Whose id `external_id` is, or who sends it.
    pub(super) source: Option<String>,
    /// The sender's id, when it can tell one lead from another.
    pub(super) external_id: Option<String>,
    /// When they asked.
    pub(super) requested_at: Option<DateTime<Utc>>,
    /// What may be shown in lists.
    pub(super) summary: Value,
}

/// What the store adds to a lead: what money is in, and what time it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) currency: Currency,
    pub(super) zone: chrono_tz::Tz,
}

impl From<&StoreInfo> for Place {
    fn from(store: &StoreInfo) -> Self {
        Self { currency: store.currency, zone: store.time_zone }
    }
}

/// Moments of a lead, those without an offset read where the store is.
struct Moments {
    requested: Option<DateTime<Utc>>,
    earliest: Option<DateTime<Utc>>,
    latest: Option<DateTime<Utc>>,
}

impl Moments {
    fn of(prospect: &Prospect, zone: chrono_tz::Tz, warnings: &mut Vec<String>) -> Self {
        let mut moment = |name: &str, told: Option<&Told<DateTime<Utc>>>, day: DayEnd| {
            let told = told?;
            let at = told.value.or_else(|| local_moment(&told.text, zone, day));
            if at.is_none() {
                warnings.push(format!("{name} names no moment"));
            }
            at
        };
        let timeframe = prospect.customer.as_ref().and_then(|c| c.timeframe.as_ref());
        Self {
            requested: moment("requestdate", prospect.request_date.as_ref(), DayEnd::First),
            earliest: moment("earliestdate", timeframe.and_then(|t| t.earliest.as_ref()), DayEnd::First),
            latest: moment("latestdate", timeframe.and_then(|t| t.latest.as_ref()), DayEnd::Last),
        }
    }
}

/// Reads a prospect. `at` is when the lead came in, for prospects without a date.
pub(super) fn read(prospect: &Prospect, channel: &str, place: Place, at: DateTime<Utc>) -> Reading {
    let mut who = contact::who(prospect);
    let mut warnings = std::mem::take(&mut who.warnings);
    let moments = Moments::of(prospect, place.zone, &mut warnings);
    let requested_at = moments.requested;
    let provider = prospect.provider.as_ref().and_then(|p| p.name.clone());
    let id = prospect.ids.iter().find(|id| id.value.as_deref().is_some_and(tells_apart));
    let source = id.and_then(|id| id.source.clone()).or(provider).or_else(|| prospect.ids.iter().find_map(|id| id.source.clone()));
    // A date in the future is the sender's clock; what they said is not newer than now.
    let said_at = requested_at.filter(|t| *t <= at).unwrap_or(at);
    let consents = consents::consents(prospect);
    let (wishes, more) = wishes::wishes(prospect, channel, place.currency, said_at);
    warnings.extend(more);
    let mut balances = prospect.vehicles.iter().filter_map(|v| v.finance.as_ref()?.balance.as_ref());
    if balances.any(|b| b.amount.is_none() && b.most != Some(Cents::ZERO) && b.text.as_deref().is_some_and(|t| !is_filler(t))) {
        warnings.push("a balance was not understood".to_owned());
    }
    Reading {
        needs_person: needs_person(prospect, &who),
        wishes,
        summary: summary(prospect, &consents, &moments, &warnings),
        person: who.person,
        consents,
        source: source.map(|s| scrub(&excerpt(&s, 100))),
        external_id: id.and_then(|id| id.value.as_deref()).map(|v| excerpt(v, 200)),
        requested_at,
    }
}

/// "12345" names a lead; "Email" in `<id source="leadtype">` names a kind of lead.
fn tells_apart(id: &str) -> bool {
    id.chars().any(|c| c.is_ascii_digit()) && placeholder(id).is_none()
}

fn needs_person(prospect: &Prospect, who: &Who) -> Option<String> {
    if let Some(damage) = &prospect.damage {
        return Some(scrub(&format!("not well formed: {damage}")));
    }
    let contacts = prospect.customer.iter().flat_map(|c| &c.contacts);
    let unfilled = contacts
        .flat_map(|c| {
            let names = c.names.iter().filter_map(|n| n.text.as_deref());
            names.chain(c.emails.iter().map(|e| e.text.as_str())).chain(c.phones.iter().map(|p| p.text.as_str()))
        })
        .find_map(placeholder);
    if let Some(field) = unfilled {
        return Some(format!("the sender's template was not filled in: {}", excerpt(field, 60)));
    }
    if !who.person.emails.is_empty() || !who.person.phones.is_empty() {
        return None;
    }
    if who.other_reachable {
        return Some("only another person in it has an e-mail address or phone number: say who buys".to_owned());
    }
    let told = prospect.customer.iter().flat_map(|c| &c.contacts).any(|c| !c.emails.is_empty() || !c.phones.is_empty());
    Some(if told {
        "nothing to act on: no e-mail address or phone number in it is usable".to_owned()
    } else {
        "nothing to act on: no e-mail address and no phone number".to_owned()
    })
}

/// What may be shown in lists: nothing that names a person, and no free text.
fn summary(prospect: &Prospect, consents: &[(ConsentPurpose, bool)], moments: &Moments, warnings: &[String]) -> Value {
    let field = |text: &Option<String>| text.as_deref().map(|t| scrub(&excerpt(t, 100)));
    let vehicles: Vec<Value> = prospect.vehicles.iter().take(20).map(vehicle_summary).collect();
    let preferred = prospect.customer.iter().flat_map(|c| &c.contacts).find_map(preferred_way);
    let mut out = json!({
        "provider": prospect.provider.as_ref().and_then(|p| field(&p.name)),
        "service": prospect.provider.as_ref().and_then(|p| field(&p.service)),
        "vendor": prospect.vendor.as_ref().and_then(|v| field(&v.name)),
        "vehicles": vehicles,
        "preferredContact": preferred,
        "earliest": moments.earliest,
        "latest": moments.latest,
        "hasComments": prospect.customer.as_ref().is_some_and(|c| c.comments.is_some()),
        "warnings": prospect.warnings.iter().chain(warnings).map(|w| scrub(w)).collect::<Vec<_>>(),
    });
    if !consents.is_empty() {
        let said: serde_json::Map<String, Value> = consents.iter().map(|(p, granted)| (p.as_str().to_owned(), json!(granted))).collect();
        if let Some(map) = out.as_object_mut() {
            map.insert("consents".into(), Value::Object(said));
        }
    }
    drop_nulls(&mut out);
    out
}

fn preferred_way(contact: &Contact) -> Option<&'static str> {
    let email = contact.emails.iter().any(|e| e.preferred).then_some("EMAIL");
    email.or_else(|| contact.phones.iter().any(|p| p.preferred).then_some("PHONE"))
}

fn vehicle_summary(v: &Vehicle) -> Value {
    let field = |text: &Option<String>| text.as_deref().map(|t| scrub(&excerpt(t, 100)));
    // As sent, but nothing that could be a telephone or social security number.
    let vin = v.vin.as_deref().filter(|t| names_a_vehicle(t) && t.bytes().any(|b| b.is_ascii_alphabetic()));
    let stock = v.stock.as_deref().filter(|t| names_a_vehicle(t));
    let interest = v.interest.as_ref().map_or(Some(VehicleInterest::Buy), |i| i.value);
    let price = v.price().and_then(price_summary);
    let odometer = v.odometer.as_ref().and_then(|o| {
        Some(json!({"reading": o.reading.as_ref()?.value?, "units": o.units.as_ref().and_then(|u| u.value).map(adf::OdometerUnit::as_str)}))
    });
    let mut out = json!({
        "wanted": v.wanted(),
        "interest": interest.map(VehicleInterest::as_str),
        "condition": v.status.as_ref().and_then(|s| s.value).map(VehicleStatus::as_str),
        "year": v.year.as_ref().and_then(|y| y.value),
        "make": field(&v.make),
        "model": field(&v.model),
        "trim": field(&v.trim),
        "vin": vin,
        "stock": stock,
        "price": price,
        "odometer": odometer,
        "statedCondition": field(&v.condition),
        "financeMethod": v.finance.as_ref().and_then(|f| field(&f.method)),
        "balance": v.finance.as_ref().and_then(|f| f.balance.as_ref()).and_then(price_summary),
    });
    drop_nulls(&mut out);
    out
}

fn price_summary(price: &Price) -> Option<Value> {
    let amount = price.amount.map(|a: Cents| a.to_string())?;
    let kind = price.kind.as_deref().map(|t| scrub(&excerpt(t, 100)));
    Some(json!({ "amount": amount, "currency": price.currency.as_deref().filter(|c| c.len() == 3), "kind": kind }))
}

/// Letters, digits and what stands between them in a VIN or stock number: `1C4 1JECT1 KC193295`, `#AU10235`.
fn names_a_vehicle(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '#' | ' ');
    // Words with a number in them may hold a telephone number.
    let spaced = text.split(' ').filter(|word| !word.bytes().any(|b| b.is_ascii_digit())).count() > 0 && text.contains(' ');
    let telephone = text.contains(' ') && !text.bytes().any(|b| b.is_ascii_alphabetic());
    (1..=40).contains(&text.len()) && text.chars().all(plain) && !has_ssn_form(text) && !spaced && !telephone
}

fn drop_nulls(value: &mut Value) {
    if let Value::Object(map) = value {
        map.retain(|_, v| {
            drop_nulls(v);
            !v.is_null()
        });
    }
}

/// Three, two and four digits with dashes: a social security number.
fn has_ssn_form(text: &str) -> bool {
    text.as_bytes().windows(11).any(|w| w.iter().enumerate().all(|(i, b)| if matches!(i, 3 | 6) { *b == b'-' } else { b.is_ascii_digit() }))
}

/// Personal data does not belong into a make or a provider's name; senders put it there all the same. Words with an `@` and
/// runs of seven or more digits (also with dashes, dots or spaces between) are masked.
pub(super) fn scrub(text: &str) -> String {
    let masked: Vec<&str> = text.split(' ').map(|word| if word.contains('@') { "…" } else { word }).collect();
    let text = masked.join(" ");
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        if run.chars().filter(char::is_ascii_digit).count() >= 7 {
            out.push('…');
        } else {
            out.push_str(run);
        }
        run.clear();
    };
    for c in text.chars() {
        if c.is_ascii_digit() || (!run.is_empty() && matches!(c, '-' | '.' | ' ' | '(' | ')')) {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    out
}

#[cfg(test)]
mod tests;
