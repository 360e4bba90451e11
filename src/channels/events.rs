//! Web and app events: what a visitor did, under the names the industry uses.
//!
//! A batch is a JSON array of events, or an object with `events` (or `data`) and defaults for all of them. Accepted names are
//! those of the Automotive Standards Council's GA4 specification (`asc_item_pageview` …), GA4's own, Meta's (`ViewContent` …)
//! and our kinds. An event is accepted or refused by itself, with the reason. Pure: no I/O, no clock.

use std::fmt::Write as _;

use chrono::{DateTime, Duration, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::reading::scrub;
use crate::customers::ExternalId;
use crate::kernel::contact::{EmailAddress, PhoneNumber};
use crate::kernel::money::Cents;
use crate::kernel::seal::sha256;
use crate::kernel::text::{clean, excerpt};

/// Most events of a batch.
pub const EVENTS_MAX: usize = 500;
/// Longest id, source and name, in characters.
const ID_MAX: usize = 200;
/// Most parameters of an event that are looked at.
const PARAMETERS_MAX: usize = 100;

crate::text_enum! {
    /// What a visitor did.
    pub enum EventKind {
        /// Looked at a vehicle.
        Viewed = "VIEWED",
        /// Saved a vehicle.
        Saved = "SAVED",
        /// Searched or filtered the lot.
        Searched = "SEARCHED",
        /// Built or configured a vehicle.
        Built = "BUILT",
        /// Calculated a payment.
        PaymentCalculated = "PAYMENT_CALCULATED",
        /// Compared vehicles.
        Compared = "COMPARED",
        /// Sent a form.
        FormSubmitted = "FORM_SUBMITTED",
        /// Called, wrote or chatted.
        Contacted = "CONTACTED",
        /// Anything else.
        Other = "OTHER",
    }
}

/// An event that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose id it is.
    pub source: String,
    /// The sender's id; made from the content when the sender has none.
    pub external_id: String,
    /// The name as sent.
    pub name: String,
    /// What it means.
    pub kind: EventKind,
    /// `WEB`, `APP` …
    pub channel: String,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// How long it took.
    pub duration_seconds: Option<i32>,
    /// VIN as sent.
    pub vin: Option<String>,
    /// Stock number as sent.
    pub stock: Option<String>,
    /// What it tells about the vehicle and the money.
    pub facts: Facts,
    /// Who did it.
    pub visitor: Visitor,
    /// What may be kept in the clear.
    pub properties: Value,
}

/// What an event tells about the wished vehicle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Make.
    pub make: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Model year.
    pub year: Option<String>,
    /// Trim.
    pub trim: Option<String>,
    /// Body style in the sender's words.
    pub body_style: Option<String>,
    /// New, used, certified.
    pub condition: Option<String>,
    /// Fuel.
    pub fuel: Option<String>,
    /// Outside colour.
    pub color: Option<String>,
    /// Drivetrain.
    pub drivetrain: Option<String>,
    /// Highest price asked for in a search.
    pub price_max: Option<Cents>,
    /// Monthly payment calculated.
    pub monthly: Option<Cents>,
    /// Down payment used in a calculation.
    pub down: Option<Cents>,
    /// Term used in a calculation.
    pub term_months: Option<i32>,
}

/// Who did it, as far as the sender tells. Never shown by `{:?}`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Visitor {
    /// E-mail address.
    pub email: Option<EmailAddress>,
    /// Phone number.
    pub phone: Option<PhoneNumber>,
    /// Id in the sender's system.
    pub external_id: Option<ExternalId>,
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Visitor(…)")
    }
}

impl Visitor {
    /// Nothing by which the person could be known.
    pub fn is_anonymous(&self) -> bool {
        self.email.is_none() && self.phone.is_none() && self.external_id.is_none()
    }
}

/// Why a batch was refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Not JSON.
    #[error("the body is not JSON")]
    Json,
    /// JSON of another shape.
    #[error("expected an array of events, or an object with an array \"events\"")]
    Shape,
    /// Too many events.
    #[error("more than {EVENTS_MAX} events; send them in several batches")]
    TooMany,
}

/// Reads a batch. Each entry is an event or the reason why it was refused, with its id where it has one.
pub fn parse_batch(body: &[u8], now: DateTime<Utc>) -> Result<Vec<Result<Event, (Option<String>, String)>>, BatchError> {
    // serde_json refuses nesting beyond 128 levels.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let value: Value = serde_json::from_slice(body).or_else(|_| serde_json::from_slice(&mended(body))).map_err(|_| BatchError::Json)?;
    let (events, defaults) = match value {
        Value::Array(events) => (events, Map::new()),
        Value::Object(mut map) => match map.remove("events").or_else(|| map.remove("data")) {
            Some(Value::Array(events)) => (events, map),
            // A single event.
            None if map.keys().any(|k| matches!(k.as_str(), "name" | "event" | "event_name")) => (vec![Value::Object(map)], Map::new()),
            _ => return Err(BatchError::Shape),
        },
        _ => return Err(BatchError::Shape),
    };
    if events.len() > EVENTS_MAX {
        return Err(BatchError::TooMany);
    }
    Ok(events.into_iter().map(|event| read(event, &defaults, now)).collect())
}

/// The body with every half of a surrogate pair that stands alone replaced: browsers write one where a script cut a text in the
/// middle of an emoji, and one such event must not cost the whole batch.
fn mended(body: &[u8]) -> Vec<u8> {
    let unit = |at: usize| {
        let digits = body.get(at..)?.strip_prefix(b"\\u")?.get(..4)?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        let (from, length) = match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at.saturating_add(6)), Some(0xdc00..=0xdfff)) => (body, 12),
            Some(0xd800..=0xdfff) => {
                out.extend_from_slice(b"\\ufffd");
                (&[][..], 6)
            }
            Some(_) => (body, 6),
            // An escaped backslash escapes nothing after it.
            None if *byte == b'\\' => (body, 2),
            None => (body, 1),
        };
        let end = at.saturating_add(length);
        out.extend_from_slice(from.get(at..end.min(from.len())).unwrap_or_default());
        at = end;
    }
    out
}

/// Where a value is looked for: in the event, its parameters, then the defaults of the batch.
struct Fields<'a> {
    places: Vec<&'a Map<String, Value>>,
}

impl Fields<'_> {
    fn raw(&self, names: &[&str]) -> Option<&Value> {
        self.places.iter().find_map(|place| names.iter().find_map(|name| place.get(*name)).filter(|v| !v.is_null()))
    }

    /// A text, a number or the first of a list, as cleaned text of bounded length; empty means none.
    fn text(&self, names: &[&str], max: usize) -> Option<String> {
        let mut value = self.raw(names)?;
        if let Value::Array(items) = value {
            value = items.first()?;
        }
        let text = match value {
            Value::String(text) => clean(&text.chars().take(max.saturating_add(1)).collect::<String>()),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let length = text.chars().count();
        (1..=max).contains(&length).then_some(text)
    }

    /// Money. A number has the point where programs have it: 519.125 is no 519,125. A text is read as people write.
    fn amount(&self, names: &[&str]) -> Option<Cents> {
        let text = self.text(names, 40)?;
        match self.raw(names)? {
            Value::Number(_) => {
                let plain = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()?;
                Cents::round_half_up(plain).filter(|cents| (Cents::ZERO..=Cents::LIMIT).contains(cents))
            }
            _ => super::adf::amount(&text),
        }
    }

    fn whole(&self, names: &[&str], range: std::ops::RangeInclusive<i32>) -> Option<i32> {
        let text = self.text(names, 20)?;
        let whole = text.split('.').next().unwrap_or_default();
        whole.parse().ok().filter(|n| range.contains(n))
    }
}

fn read(event: Value, defaults: &Map<String, Value>, now: DateTime<Utc>) -> Result<Event, (Option<String>, String)> {
    let Value::Object(event) = event else { return Err((None, "an event is a JSON object".into())) };
    let nested = |names: &[&str]| names.iter().find_map(|name| event.get(*name).and_then(Value::as_object));
    let parameters = nested(&["params", "parameters", "event_params", "properties", "custom_data"]);
    let user = nested(&["user", "user_data", "customer"]).or_else(|| defaults.get("user").and_then(Value::as_object));
    let fields = Fields { places: [Some(&event), parameters, Some(defaults)].into_iter().flatten().collect() };
    let person = Fields { places: user.into_iter().chain(fields.places.iter().copied()).collect() };

    let given_id = fields.text(&["id", "event_id", "eventId", "eventID"], ID_MAX);
    let refuse = |reason: &str| (given_id.clone(), reason.to_owned());
    let name = fields.text(&["name", "event_name", "eventName", "event"], 100).ok_or_else(|| refuse("name is missing"))?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | ':')) {
        return Err(refuse("name has characters that no event name has"));
    }
    if parameters.is_some_and(|p| p.len() > PARAMETERS_MAX) || event.len() > PARAMETERS_MAX {
        return Err(refuse("more than 100 parameters"));
    }
    let said_at = fields.raw(&["occurred_at", "occurredAt", "timestamp", "event_time", "timestamp_micros", "time"]);
    let occurred_at = match said_at {
        None => now,
        Some(value) => moment(value).ok_or_else(|| refuse("the time is neither RFC 3339 nor a Unix time"))?,
    };
    if occurred_at > now + Duration::days(1) {
        return Err(refuse("the time lies in the future"));
    }
    if occurred_at < now - Duration::days(800) {
        return Err(refuse("older than 800 days"));
    }
    let external_id = match &given_id {
        Some(id) => id.clone(),
        None if fields.raw(&["id", "event_id"]).is_some() => return Err(refuse("the id must be a text of 1 to 200 characters")),
        // Without an id, the same content at the same time is the same event.
        None if said_at.is_some() => fingerprint(&event),
        None => return Err(refuse("without an id, an event needs a time")),
    };
    let source = fields.text(&["source", "event_owner"], ID_MAX).map_or_else(|| "web".to_owned(), |s| scrub(&s));
    let facts = facts(&fields);
    let (vin, stock) = vehicle(&fields);
    let kind = kind(&name, &fields, &facts);
    Ok(Event {
        visitor: visitor(&person, &source),
        properties: properties(&fields),
        channel: channel(&fields),
        duration_seconds: fields
            .whole(&["duration_seconds", "engagement_time_seconds", "duration"], 0..=86_400)
            .or_else(|| fields.whole(&["engagement_time_msec"], 0..=86_400_000).map(|ms| ms / 1000)),
        // The sender's clock may run ahead; nothing happened after now.
        occurred_at: occurred_at.min(now),
        source,
        external_id,
        name,
        kind,
        vin,
        stock,
        facts,
    })
}

fn moment(value: &Value) -> Option<DateTime<Utc>> {
    let number = match value {
        Value::String(text) => match DateTime::parse_from_rfc3339(text.trim()) {
            Ok(at) => return Some(at.with_timezone(&Utc)),
            Err(_) => text.trim().parse().ok()?,
        },
        Value::Number(number) => number.as_i64().or_else(|| number.to_string().split('.').next()?.parse().ok())?,
        _ => return None,
    };
    // Seconds, milliseconds or microseconds: today they differ by their length.
    match number {
        1_000_000_000..=9_999_999_999 => DateTime::from_timestamp(number, 0),
        1_000_000_000_000..=9_999_999_999_999 => DateTime::from_timestamp_millis(number),
        1_000_000_000_000_000..=9_999_999_999_999_999 => DateTime::from_timestamp_micros(number),
        _ => None,
    }
}

fn fingerprint(event: &Map<String, Value>) -> String {
    // serde_json keeps the keys of a map in order, so equal content gives equal text.
    let text = serde_json::to_vec(event).unwrap_or_default();
    let mut hex = String::new();
    for byte in sha256(&text).iter().take(16) {
        let _ = write!(hex, "{byte:02x}");
    }
    format!("sha256:{hex}")
}

fn kind(name: &str, fields: &Fields<'_>, facts: &Facts) -> EventKind {
    let page = fields.text(&["page_type"], 60).unwrap_or_default().to_lowercase();
    let about = ["flow_name", "tool_name", "element_type", "element_title", "element_text", "event_action", "cta_type"];
    let about: String = about.iter().filter_map(|n| fields.text(&[n], 100)).collect::<Vec<_>>().join(" ").to_lowercase();
    let lower = name.to_lowercase().replace([' ', '-', '.', ':'], "_");
    let money = facts.monthly.is_some() || about.contains("payment") || about.contains("calculat");
    match lower.as_str() {
        "asc_item_pageview" | "viewcontent" | "view_item" | "viewed" | "view" | "vehicle_viewed" | "vdp_view" => EventKind::Viewed,
        "asc_pageview" | "page_view" | "pageview" if ["item", "vdp", "detail"].iter().any(|w| page.contains(w)) => EventKind::Viewed,
        "asc_pageview" | "page_view" | "pageview" if ["search", "srp", "inventory", "list"].iter().any(|w| page.contains(w)) => {
            EventKind::Searched
        }
        "search" | "view_search_results" | "view_item_list" | "searched" | "asc_filter" | "inventory_search" => EventKind::Searched,
        "addtowishlist" | "add_to_wishlist" | "saved" | "save" | "vehicle_saved" | "favorite" => EventKind::Saved,
        "customizeproduct" | "built" | "build" | "vehicle_built" | "build_and_price" => EventKind::Built,
        "payment_calculated" | "paymentcalculated" | "payment_calculator" | "calculate_payment" => EventKind::PaymentCalculated,
        "compared" | "compare" | "vehicle_compared" => EventKind::Compared,
        "lead" | "generate_lead" | "submitapplication" | "completeregistration" | "form_submitted" | "form_submit" => {
            EventKind::FormSubmitted
        }
        "contact" | "contacted" | "schedule" | "findlocation" | "click_to_call" => EventKind::Contacted,
        _ if lower.starts_with("asc_form_submission") => EventKind::FormSubmitted,
        _ if lower.starts_with("asc_comm") || lower.starts_with("asc_click_to_call") => EventKind::Contacted,
        "asc_cta_interaction" | "asc_element_configuration" | "asc_retail_process" | "asc_item_interaction" => {
            if money {
                EventKind::PaymentCalculated
            } else if ["save", "favorite", "favourite", "wishlist", "garage"].iter().any(|w| about.contains(w)) {
                EventKind::Saved
            } else if about.contains("compar") {
                EventKind::Compared
            } else if lower == "asc_element_configuration" || about.contains("build") || about.contains("configur") {
                EventKind::Built
            } else {
                EventKind::Other
            }
        }
        _ => EventKind::Other,
    }
}

fn facts(f: &Fields<'_>) -> Facts {
    let text = |names: &[&str]| f.text(names, 100);
    Facts {
        make: text(&["item_make", "make", "vehicle_make"]),
        model: text(&["item_model", "model", "vehicle_model"]),
        year: text(&["item_year", "year", "vehicle_year", "model_year"]),
        trim: text(&["item_variant", "item_trim", "trim"]),
        body_style: text(&["item_type", "body_style", "item_body_style", "vehicle_body_style"]),
        condition: text(&["item_condition", "item_category", "state_of_vehicle", "condition_of_vehicle", "condition"]),
        fuel: text(&["item_fuel_type", "fuel_type", "fuel"]),
        color: text(&["item_color", "exterior_color", "color"]),
        drivetrain: text(&["item_drivetrain", "drivetrain"]),
        // A calculator that was not filled in sends a zero.
        price_max: f.amount(&["price_max", "max_price", "item_price_max"]).filter(|most| *most > Cents::ZERO),
        monthly: f.amount(&["item_payment", "monthly_payment", "payment", "payment_amount", "monthly"]).filter(|most| *most > Cents::ZERO),
        down: f.amount(&["down_payment", "downpayment", "item_down_payment"]),
        term_months: f.whole(&["term_months", "term", "finance_term"], 1..=120),
    }
}

/// `item_id` is a VIN at some senders and a stock number at others: its form tells.
fn vehicle(f: &Fields<'_>) -> (Option<String>, Option<String>) {
    let mut vin = f.text(&["vin", "item_vin", "vehicle_vin"], 40);
    let mut stock = f.text(&["stock", "stock_number", "item_number", "item_stock", "stockNumber"], 40);
    if let Some(id) = f.text(&["item_id", "content_ids", "content_id", "vehicle_id"], 60) {
        let bare: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
        if bare.len() == 17 && vin.is_none() {
            vin = Some(bare);
        } else if bare.len() != 17 && stock.is_none() {
            stock = Some(id);
        }
    }
    (vin.map(|v| v.trim().to_uppercase()), stock)
}

fn visitor(f: &Fields<'_>, source: &str) -> Visitor {
    let external = f.text(&["external_id", "externalId", "user_id", "crm_id", "customer_id"], ID_MAX);
    Visitor {
        email: f.text(&["email", "em", "email_address"], 254).and_then(|t| EmailAddress::parse(&t).ok()),
        phone: f.text(&["phone", "ph", "phone_number", "comm_phone_number_customer"], 64).and_then(|t| PhoneNumber::parse(&t).ok()),
        external_id: external.map(|id| ExternalId { source: excerpt(source, 100), id }),
    }
}

fn channel(f: &Fields<'_>) -> String {
    let said = f.text(&["channel", "action_source", "platform"], 40).unwrap_or_default().to_lowercase();
    if said.contains("app") || matches!(said.as_str(), "ios" | "android") { "APP".to_owned() } else { "WEB".to_owned() }
}

/// What is kept in the clear: known parameters, never names, addresses, free text or whole URLs.
fn properties(f: &Fields<'_>) -> Value {
    const KEPT: &[&str] = &[
        "page_type",
        "department",
        "event_owner",
        "affiliation",
        "item_id",
        "vin",
        "stock",
        "item_number",
        "item_make",
        "item_model",
        "item_year",
        "item_price",
        "item_condition",
        "item_category",
        "item_type",
        "item_variant",
        "item_color",
        "item_fuel_type",
        "item_payment",
        "make",
        "model",
        "year",
        "price",
        "price_max",
        "max_price",
        "monthly_payment",
        "payment",
        "down_payment",
        "term",
        "term_months",
        "currency",
        "value",
        "body_style",
        "content_type",
        "state_of_vehicle",
        "form_name",
        "form_type",
        "flow_name",
        "flow_outcome",
        "tool_name",
        "element_type",
        "element_order",
        "event_action",
        "event_action_result",
        "comm_type",
        "comm_status",
        "comm_outcome",
        "product_name",
        "promotion_name",
        "media_type",
    ];
    let kept = KEPT.iter().filter_map(|name| {
        let text = f.text(&[name], 200)?;
        // VINs and stock numbers are long; everything else is masked where it looks like a person's number.
        let text = if matches!(*name, "vin" | "stock" | "item_id" | "item_number") { excerpt(&text, 40) } else { scrub(&text) };
        Some(((*name).to_owned(), Value::String(text)))
    });
    Value::Object(kept.collect())
}
