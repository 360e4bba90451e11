//! What a prospect means for the dealer: who asks, what they wish, what they allow, and whether a program may act on it.
//!
//! Pure. Personal data goes into [`Reading::person`] only; [`Reading::summary`] holds what may be shown in lists.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::adf::{
    self, Address, AmountKind, AmountLimit, Contact, Opt, Price, Prospect, Told, Vehicle, VehicleInterest, VehicleStatus, placeholder,
};
use crate::customers::{
    ConsentPurpose, ExternalId, IncomingEmail, IncomingPerson, IncomingPhone, NewPreference, Person, PostalAddress,
    PreferenceAttribute as A, PreferenceImportance as Importance, PreferenceOperator as Op, Wish,
};
use crate::kernel::contact::{EmailAddress, PhoneNumber};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::text::excerpt;

/// Most wishes taken from one prospect.
const WISHES_MAX: usize = 60;

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

/// Reads a prospect. `currency` is the store's; `at` is when the lead came in, for prospects without a date.
pub(super) fn read(prospect: &Prospect, channel: &str, currency: Currency, at: DateTime<Utc>) -> Reading {
    let person = incoming(prospect);
    let requested_at = prospect.request_date.as_ref().and_then(|d| d.value);
    let provider = prospect.provider.as_ref().and_then(|p| p.name.clone());
    let id = prospect.ids.iter().find(|id| id.value.as_deref().is_some_and(tells_apart));
    let source = id.and_then(|id| id.source.clone()).or(provider).or_else(|| prospect.ids.iter().find_map(|id| id.source.clone()));
    // A date in the future is the sender's clock; what they said is not newer than now.
    let said_at = requested_at.filter(|t| *t <= at).unwrap_or(at);
    let consents = consents(prospect);
    Reading {
        needs_person: needs_person(prospect, &person),
        wishes: wishes(prospect, channel, currency, said_at),
        summary: summary(prospect, &consents),
        person,
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

fn needs_person(prospect: &Prospect, person: &IncomingPerson) -> Option<String> {
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
    if !person.emails.is_empty() || !person.phones.is_empty() {
        return None;
    }
    let told = prospect.customer.iter().flat_map(|c| &c.contacts).any(|c| !c.emails.is_empty() || !c.phones.is_empty());
    Some(if told {
        "nothing to act on: no e-mail address or phone number in it is usable".to_owned()
    } else {
        "nothing to act on: no e-mail address and no phone number".to_owned()
    })
}

fn incoming(prospect: &Prospect) -> IncomingPerson {
    let Some(customer) = &prospect.customer else { return IncomingPerson::default() };
    let Some(contact) = customer.contacts.first() else { return IncomingPerson::default() };
    let mut emails: Vec<(bool, IncomingEmail)> = Vec::new();
    for email in &contact.emails {
        // "a@b.de; c@d.de" and "Ada <a@b.de>" are found too.
        for text in email.text.split(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '<' | '>')) {
            if let Ok(address) = EmailAddress::parse(text.trim_start_matches("mailto:"))
                && !emails.iter().any(|(_, e)| e.address == address)
            {
                // Nobody has proven that it is theirs: a form accepts any address.
                emails.push((!email.preferred, IncomingEmail { address, verified: false }));
            }
        }
    }
    let mut phones: Vec<(u8, IncomingPhone)> = Vec::new();
    for phone in &contact.phones {
        let kind = phone.kind.as_deref().unwrap_or("voice").to_lowercase();
        for number in numbers(&phone.text) {
            if phones.iter().any(|(_, p)| p.number == number) {
                continue;
            }
            let label = match kind.as_str() {
                "cellphone" | "cell" | "mobile" => "cell",
                "fax" => "fax",
                "pager" => "pager",
                "work" | "business" => "work",
                "home" => "home",
                _ => "voice",
            };
            let rank = if matches!(label, "fax" | "pager") { 2 } else { u8::from(!phone.preferred) };
            phones.push((rank, IncomingPhone { number, label: Some(label.to_owned()) }));
        }
    }
    emails.sort_by_key(|(rank, _)| *rank);
    phones.sort_by_key(|(rank, _)| *rank);
    let ids = customer.ids.iter().chain(&contact.ids);
    let external_ids = ids.filter_map(|id| {
        let value = id.value.as_deref().filter(|v| tells_apart(v))?;
        Some(ExternalId { source: excerpt(id.source.as_deref()?, 100), id: excerpt(value, 200) })
    });
    IncomingPerson {
        person: named(contact),
        emails: emails.into_iter().map(|(_, e)| e).take(10).collect(),
        phones: phones.into_iter().map(|(_, p)| p).take(10).collect(),
        external_ids: external_ids.take(10).collect(),
    }
}

/// One number, or several in one element ("512-555-0142 / 512-555-0143").
fn numbers(text: &str) -> Vec<PhoneNumber> {
    match PhoneNumber::parse(text) {
        Ok(number) => vec![number],
        Err(_) => text.split(['/', ';', ',', '|']).take(10).filter_map(|part| PhoneNumber::parse(part).ok()).collect(),
    }
}

fn named(contact: &Contact) -> Person {
    let part = |wanted: &str| contact.names.iter().find(|n| n.part == wanted).and_then(|n| n.text.clone()).filter(|t| stands_for_a_name(t));
    let mut person = match (part("first"), part("last"), part("full")) {
        (None, None, Some(full)) => Person::from_full_name(&full),
        (given_name, family_name, _) => {
            let family_name = match (family_name, part("suffix")) {
                (Some(family), Some(suffix)) => Some(format!("{family} {suffix}")),
                (family, _) => family,
            };
            Person { given_name, middle_name: part("middle"), family_name, address: PostalAddress::default() }
        }
    };
    person.address = contact.addresses.first().map(address).unwrap_or_default();
    person.tidy()
}

/// Forms fill a missing last name with a word.
fn stands_for_a_name(text: &str) -> bool {
    !matches!(text.to_lowercase().as_str(), "unknown" | "n/a" | "na" | "none" | "null" | "undefined" | "-" | "." | "not provided")
}

fn address(a: &Address) -> PostalAddress {
    PostalAddress {
        street: a.street.clone(),
        street2: a.apartment.clone(),
        city: a.city.clone(),
        state: a.region.clone(),
        postal_code: a.postal_code.clone(),
        country: a.country.clone(),
    }
}

/// What the person wants, from the vehicles they want. A vehicle they offer says nothing about their wishes.
fn wishes(prospect: &Prospect, channel: &str, currency: Currency, at: DateTime<Utc>) -> Vec<NewPreference> {
    let mut out = Wishes { out: Vec::new(), channel, at };
    for vehicle in prospect.wanted() {
        of_vehicle(vehicle, currency, &mut out);
    }
    out.out.truncate(WISHES_MAX);
    out.out
}

struct Wishes<'a> {
    out: Vec<NewPreference>,
    channel: &'a str,
    at: DateTime<Utc>,
}

impl Wishes<'_> {
    /// Keeps a wish when the value makes sense; the lead keeps the words in any case.
    fn add(&mut self, attribute: A, operator: Op, value: Option<&str>, importance: Importance) -> Option<&mut NewPreference> {
        let value = value.filter(|v| placeholder(v).is_none())?;
        let wish = Wish::parse(attribute, operator, value).ok()?;
        if self.out.iter().any(|p| p.wish == wish) {
            return None;
        }
        self.out.push(NewPreference::stated(wish, importance, self.channel, self.at));
        self.out.last_mut()
    }

    /// An amount. In another currency than the store's it is a hint, not a limit.
    fn amount(&mut self, attribute: A, operator: Op, price: &Price, importance: Importance, currency: Currency) {
        let Some(amount) = price.amount else { return };
        let foreign = price.currency.as_deref().is_some_and(|c| !c.eq_ignore_ascii_case(currency.as_str()));
        let importance = if foreign { Importance::Nice } else { importance };
        if let Some(wish) = self.add(attribute, operator, Some(&amount.to_string()), importance)
            && foreign
        {
            wish.confidence_permille = 500;
        }
    }
}

fn of_vehicle(vehicle: &Vehicle, currency: Currency, out: &mut Wishes<'_>) {
    use Importance::{Must, Nice, Should};
    let condition = vehicle.status.as_ref().and_then(|s| s.value).map(|s| match s {
        VehicleStatus::New => "NEW",
        VehicleStatus::Used => "USED",
        VehicleStatus::Certified => "CERTIFIED",
    });
    let number = |told: &Option<Told<i32>>| told.as_ref().and_then(|t| t.value).map(|n| n.to_string());
    out.add(A::Condition, Op::Is, condition, Should);
    out.add(A::Make, Op::Is, vehicle.make.as_deref(), Should);
    out.add(A::Model, Op::Is, vehicle.model.as_deref(), Should);
    out.add(A::Trim, Op::Is, vehicle.trim.as_deref(), Nice);
    out.add(A::ModelYear, Op::Is, number(&vehicle.year).as_deref(), Nice);
    out.add(A::BodyStyle, Op::Is, vehicle.body_style.as_deref(), Should);
    out.add(A::Transmission, Op::Is, vehicle.transmission.as_deref().map(transmission), Nice);
    out.add(A::Doors, Op::Is, number(&vehicle.doors).as_deref(), Nice);
    for (place, choice) in vehicle.colours.iter().enumerate() {
        // The first choice counts more than the others, whatever numbers the sender uses.
        let importance = if place == 0 { Should } else { Nice };
        out.add(A::ExteriorColor, Op::Is, choice.exterior.as_deref(), importance);
        out.add(A::InteriorColor, Op::Is, choice.interior.as_deref(), importance);
    }
    for option in &vehicle.options {
        let (operator, importance) = weighed(option);
        out.add(A::Feature, operator, option.name.as_deref(), importance);
    }
    for price in vehicle.prices.iter().filter(|p| p.kind.as_deref().is_some_and(|k| k.eq_ignore_ascii_case("offer"))) {
        if price.delta.as_deref().is_none_or(|d| d.eq_ignore_ascii_case("absolute")) {
            out.amount(A::Price, Op::AtMost, price, Must, currency);
        }
    }
    let Some(finance) = &vehicle.finance else { return };
    for amount in &finance.amounts {
        let operator = match amount.limit.as_ref().and_then(|l| l.value) {
            Some(AmountLimit::Minimum) => Op::AtLeast,
            Some(AmountLimit::Exact) => Op::Is,
            // The format's default.
            Some(AmountLimit::Maximum) | None => Op::AtMost,
        };
        let (attribute, importance) = match amount.kind.as_ref().map(|k| k.value) {
            Some(Some(AmountKind::Monthly)) => (A::MonthlyPayment, Must),
            Some(Some(AmountKind::DownPayment)) => (A::DownPayment, Should),
            // The format's default is the total.
            Some(Some(AmountKind::Total)) | None => (A::Price, Must),
            Some(None) => continue,
        };
        out.amount(attribute, operator, &amount.price, importance, currency);
    }
    out.add(A::TermMonths, Op::Is, number(&finance.term_months).as_deref(), Should);
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

/// "Email Opt-In: Yes" in the text or in an element of the sender's own. Only what is said outright counts.
fn consents(prospect: &Prospect) -> Vec<(ConsentPurpose, bool)> {
    let comments = prospect.customer.iter().filter_map(|c| c.comments.as_deref());
    let text: String = comments.collect::<Vec<_>>().join("\n").replace("<br", "\n<br");
    let extras = prospect.extras.iter().map(|e| (e.path.rsplit('/').next().unwrap_or_default().to_owned(), e.text.clone()));
    let lines = text.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut out: Vec<(ConsentPurpose, bool)> = Vec::new();
    for (key, value) in lines.chain(extras) {
        let key: String = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        if key.len() > 60 || !(key.contains("optin") || key.contains("consent")) {
            continue;
        }
        let purpose = if key.contains("email") {
            ConsentPurpose::Email
        } else if key.contains("sms") || key.contains("text") {
            ConsentPurpose::Text
        } else if key.contains("phone") || key.contains("call") {
            ConsentPurpose::Phone
        } else if key.contains("mail") {
            ConsentPurpose::Mail
        } else {
            continue;
        };
        let granted = match value.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase().as_str() {
            "yes" | "true" | "y" | "1" | "oui" => true,
            "no" | "false" | "n" | "0" | "non" => false,
            _ => continue,
        };
        match out.iter_mut().find(|(p, _)| *p == purpose) {
            // Said both ways: the refusal counts.
            Some((_, before)) => *before = *before && granted,
            None => out.push((purpose, granted)),
        }
    }
    out
}

/// What may be shown in lists: nothing that names a person, and no free text.
fn summary(prospect: &Prospect, consents: &[(ConsentPurpose, bool)]) -> Value {
    let field = |text: &Option<String>| text.as_deref().map(|t| scrub(&excerpt(t, 100)));
    let vehicles: Vec<Value> = prospect.vehicles.iter().take(20).map(vehicle_summary).collect();
    let preferred = prospect.customer.iter().flat_map(|c| &c.contacts).find_map(preferred_way);
    let timeframe = prospect.customer.as_ref().and_then(|c| c.timeframe.as_ref());
    let moment = |told: Option<&Told<DateTime<Utc>>>| told.and_then(|t| t.value);
    let mut out = json!({
        "provider": prospect.provider.as_ref().and_then(|p| field(&p.name)),
        "service": prospect.provider.as_ref().and_then(|p| field(&p.service)),
        "vendor": prospect.vendor.as_ref().and_then(|v| field(&v.name)),
        "vehicles": vehicles,
        "preferredContact": preferred,
        "earliest": moment(timeframe.and_then(|t| t.earliest.as_ref())),
        "latest": moment(timeframe.and_then(|t| t.latest.as_ref())),
        "hasComments": prospect.customer.as_ref().is_some_and(|c| c.comments.is_some()),
        "warnings": prospect.warnings.iter().map(|w| scrub(w)).collect::<Vec<_>>(),
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
    let vin = v.vin.as_deref().filter(|t| (5..=17).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric()));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let stock = v.stock.as_deref().filter(|t| t.len() <= 40 && t.chars().all(plain) && !has_ssn_form(t));
    let interest = v.interest.as_ref().map_or(Some(VehicleInterest::Buy), |i| i.value);
    let price = v.price().map(|p| json!({"amount": p.amount.map(|a: Cents| a.to_string()), "currency": p.currency.as_deref().filter(|c| c.len() == 3), "kind": field(&p.kind)}));
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
    });
    drop_nulls(&mut out);
    out
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
mod tests {
    use super::*;

    fn reading(xml: &str) -> Reading {
        let document = adf::parse(xml.as_bytes(), None);
        read(&document.prospects[0], "ADF", Currency::USD, DateTime::from_timestamp(1_790_000_000, 0).unwrap())
    }
    fn said(reading: &Reading) -> Vec<String> {
        reading.wishes.iter().map(|p| format!("{} {} {} {}", p.wish.attribute(), p.wish.operator(), p.wish.value(), p.importance)).collect()
    }
    const WHO: &str =
        "<customer><contact><name part='first'>Ada</name><name part='last'>Unknown</name><phone>312-555-0142</phone></contact></customer>";

    #[test]
    fn wishes_come_from_wanted_vehicles_with_their_weight() {
        let r = reading(&format!(
            "<adf><prospect><vehicle interest='lease' status='NEW'><year>2020</year><make>chevy</make><model>Blazer</model><bodystyle>Sport Utility</bodystyle>\
             <transmission>A</transmission><doors>5</doors>\
             <colorcombination><interiorcolor>Red</interiorcolor><exteriorcolor>Gray</exteriorcolor><preference>2</preference></colorcombination>\
             <colorcombination><exteriorcolor>Midnight Black</exteriorcolor><preference>1</preference></colorcombination>\
             <option><optionname>Sport seats</optionname><weighting>+50</weighting></option>\
             <option><optionname>Sunroof</optionname><weighting>-80</weighting></option><option><optionname>[opt]</optionname></option>\
             <price type='asking'>1</price><price type='offer'>21000</price>\
             <finance><method>finance</method><amount type='monthly' limit='maximum' currency='usd'>450</amount><amount type='downpayment' limit='minimum'>1000</amount>\
             <amount type='nonsense'>3</amount><term>5 years</term></finance></vehicle>\
             <vehicle interest='trade-in'><make>Ford</make><model>Focus</model></vehicle>{WHO}</prospect></adf>"
        ));
        assert_eq!(
            said(&r),
            [
                "CONDITION IS NEW SHOULD",
                "MAKE IS Chevrolet SHOULD",
                "MODEL IS Blazer SHOULD",
                "MODEL_YEAR IS 2020 NICE",
                "BODY_STYLE IS SUV SHOULD",
                "TRANSMISSION IS AUTOMATIC NICE",
                "DOORS IS 5 NICE",
                "EXTERIOR_COLOR IS BLACK SHOULD",
                "EXTERIOR_COLOR IS GRAY NICE",
                "INTERIOR_COLOR IS RED NICE",
                "FEATURE IS sport seats SHOULD",
                "FEATURE IS_NOT sunroof MUST",
                "PRICE AT_MOST 21000.00 MUST",
                "MONTHLY_PAYMENT AT_MOST 450.00 MUST",
                "DOWN_PAYMENT AT_LEAST 1000.00 SHOULD",
                "TERM_MONTHS IS 60 SHOULD",
            ]
        );
        assert_eq!(r.person.person.family_name, None, "a filler is no name");
        assert_eq!(r.needs_person, None);
    }

    #[test]
    fn a_trade_in_alone_is_no_wish_and_a_foreign_amount_only_a_hint() {
        let trade = reading(&format!("<adf><prospect><vehicle interest='TRADE IN'><make>Ford</make></vehicle>{WHO}</prospect></adf>"));
        assert!(trade.wishes.is_empty() && trade.needs_person.is_none());
        assert_eq!(trade.summary["vehicles"][0]["wanted"], false);
        let cad = reading(&format!(
            "<adf><prospect><vehicle><finance><amount type='monthly' currency='CAD'>425.25</amount></finance></vehicle>{WHO}</prospect></adf>"
        ));
        assert_eq!((said(&cad), cad.wishes[0].confidence_permille), (vec!["MONTHLY_PAYMENT AT_MOST 425.25 NICE".to_owned()], 500));
    }

    #[test]
    fn unfilled_templates_and_leads_nobody_can_answer_go_to_a_person() {
        for (customer, reason) in [
            ("<name part='first'>[first_name]</name><phone>312-555-0142</phone>", "not filled in: [first_name]"),
            ("<name>Ada</name><email>{{ email }}</email>", "not filled in: {{ email }}"),
            ("<name>Ada</name><phone>%%PHONE%%</phone>", "not filled in: %%PHONE%%"),
            ("<name>Ada</name>", "no e-mail address and no phone"),
            ("<name>Ada</name><email>emailaddress</email><phone>12</phone>", "is usable"),
        ] {
            let r = reading(&format!("<adf><prospect><customer><contact>{customer}</contact></customer></prospect></adf>"));
            assert!(r.needs_person.as_deref().is_some_and(|why| why.contains(reason)), "{customer}: {:?}", r.needs_person);
        }
        assert!(reading("<adf><prospect/></adf>").needs_person.is_some());
        assert!(reading(&format!("<adf><prospect>{WHO}<id>1</prospect></adf>")).needs_person.unwrap().contains("not well formed"));
    }

    #[test]
    fn several_contact_details_in_one_element_are_all_read() {
        let r = reading(
            "<adf><prospect><customer><contact><name>Ada</name><email>Ada <ada@example.com>; b@example.com</email>\
             <phone type='mobile'>512-555-0142 / 512-555-0143</phone></contact></customer></prospect></adf>",
        );
        let emails: Vec<&str> = r.person.emails.iter().map(|e| e.address.as_str()).collect();
        let phones: Vec<&str> = r.person.phones.iter().map(|p| p.number.as_str()).collect();
        assert_eq!((emails, phones), (vec!["ada@example.com", "b@example.com"], vec!["+15125550142", "+15125550143"]));
        assert_eq!((r.person.phones[0].label.as_deref(), r.needs_person), (Some("cell"), None));
        assert!(!r.summary.to_string().contains('@'));
    }

    #[test]
    fn consents_are_taken_when_said_outright() {
        let r = reading(
            "<adf><prospect><customer><contact><phone>3125550142</phone></contact><comments><![CDATA[Email Opt-In: Yes <br />\nPhone Opt-In: No <br />\
             Mail Opt-In: maybe<br/>SMS consent: true. Email me! Opt-in]]></comments></customer><textoptin>no</textoptin></prospect></adf>",
        );
        assert_eq!(r.consents, [(ConsentPurpose::Email, true), (ConsentPurpose::Phone, false), (ConsentPurpose::Text, false)]);
    }

    #[test]
    fn ids_that_name_a_kind_of_lead_tell_nothing_apart() {
        let r = reading("<adf><prospect><id source='leadtype'>Email</id><provider><name>CarGurus</name></provider></prospect></adf>");
        assert_eq!((r.source.as_deref(), r.external_id), (Some("CarGurus"), None));
        let r = reading("<adf><prospect><id source='Cobalt'>38889</id></prospect></adf>");
        assert_eq!((r.source.as_deref(), r.external_id.as_deref()), (Some("Cobalt"), Some("38889")));
    }

    #[test]
    fn the_summary_holds_no_personal_data_wherever_the_sender_put_it() {
        let ssn = "123-45-6789";
        let r = reading(&format!(
            "<adf><prospect><id source='{ssn}'>x1</id><vehicle><make>Ford {ssn}</make><model>ada@example.com F-150</model><vin>{ssn}</vin><trim>call 312 555 0142</trim>\
             <stock>{ssn}</stock><comments>SSN {ssn}</comments><pricecomments>{ssn}</pricecomments></vehicle><customer><contact><name>Ada Lovelace</name>\
             <phone>312-555-0142</phone></contact><comments>Date of Birth: 1980-11-17 income 5500 {ssn}</comments></customer><provider><name>P {ssn}</name></provider></prospect></adf>"
        ));
        let shown = format!("{} {:?} {:?}", r.summary, r.source, r.person);
        for secret in [ssn, "1980-11-17", "5500", "Ada", "Lovelace", "555", "example.com"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
        assert!(shown.contains("F-150"));
    }
}
