//! From elements to [`Prospect`]s. Every element of ADF 1.0 is taken where it stands or where senders put it instead; what
//! is left over goes into `extras`.

use super::prospect::{
    Address, Amount, ColourChoice, Contact, Customer, Email, Extra, Finance, Identifier, NamePart, Odometer, Opt, Phone, Price, Prospect,
    Provider, Timeframe, Told, Vehicle, Vendor,
};
use super::value;
use crate::channels::xml::Element;
use crate::kernel::seal::sha256;
use crate::kernel::spoken_money::SpokenMoney;
use crate::kernel::text::{clean_multiline, excerpt};

/// Most vehicles, contacts, options … of one kind.
const MANY: usize = 50;
/// Most extras kept.
const EXTRAS_MAX: usize = 50;
/// Longest single-line value kept, in characters.
const LINE_MAX: usize = 500;

pub(super) fn prospect(element: &Element) -> Prospect {
    let content = element.canonical(|element, attribute| element == "prospect" && attribute == "status");
    let mut prospect = Prospect {
        status: element.attribute("status").map(line_of),
        ids: identifiers(element),
        request_date: line(element, &["requestdate", "request_date"]).map(|text| told(text, value::moment)),
        vehicles: element.all("vehicle").take(MANY).map(vehicle).collect(),
        customer: element.first("customer").map(customer),
        co_customers: element.all("customer").skip(1).take(MANY).map(self::customer).collect(),
        vendor: element.first("vendor").map(vendor),
        provider: element.first("provider").map(provider),
        extras: extras(element),
        damage: element.damage.clone(),
        content_hash: sha256(content.as_bytes()),
        warnings: Vec::new(),
    };
    // Senders also put the comment beside the customer, or the contact without one.
    let loose = prose(element, &["comments", "comment"]);
    let contacts: Vec<Contact> = element.all("contact").take(MANY).map(contact).collect();
    if loose.is_some() || !contacts.is_empty() {
        let customer = prospect.customer.get_or_insert_default();
        customer.comments = join_prose([customer.comments.take(), loose]);
        customer.contacts.extend(contacts);
    }
    prospect.warnings = warnings(&prospect);
    prospect
}

fn vehicle(e: &Element) -> Vehicle {
    let mut colours: Vec<ColourChoice> = e.all("colorcombination").chain(e.all("colourcombination")).take(MANY).map(colours).collect();
    let alone = colours_of(e);
    if colours.is_empty() && (alone.exterior.is_some() || alone.interior.is_some()) {
        colours.push(alone);
    }
    // First choice first; those without a number keep their order at the end.
    colours.sort_by_key(|c| c.preference.as_ref().and_then(|p| p.value).unwrap_or(i32::MAX));
    Vehicle {
        interest: e.attribute("interest").map(|t| told(line_of(t), value::interest)),
        status: e.attribute("status").map(|t| told(line_of(t), value::vehicle_status)),
        ids: identifiers(e),
        year: line(e, &["year", "modelyear"]).map(|t| told(t, value::year)),
        make: line(e, &["make"]),
        model: line(e, &["model"]),
        trim: line(e, &["trim", "trimlevel"]),
        vin: line(e, &["vin"]),
        stock: line(e, &["stock", "stocknumber", "stock_number"]),
        doors: line(e, &["doors"]).map(|t| told(t, value::whole)),
        body_style: line(e, &["bodystyle", "body", "body_style"]),
        transmission: line(e, &["transmission"]),
        odometer: e.first("odometer").or_else(|| e.first("mileage")).map(odometer),
        condition: line(e, &["condition"]),
        colours,
        prices: e.all("price").take(MANY).map(price).collect(),
        price_comments: prose(e, &["pricecomments"]),
        options: e.all("option").chain(e.first("options").into_iter().flat_map(|o| o.all("option"))).take(MANY).map(option).collect(),
        finance: e.first("finance").map(finance),
        comments: prose(e, &["comments", "comment"]),
    }
}

fn colours(e: &Element) -> ColourChoice {
    ColourChoice { preference: line(e, &["preference"]).map(|t| told(t, value::whole)), ..colours_of(e) }
}

fn colours_of(e: &Element) -> ColourChoice {
    ColourChoice {
        exterior: line(e, &["exteriorcolor", "exteriorcolour", "color", "colour"]),
        interior: line(e, &["interiorcolor", "interiorcolour"]),
        preference: None,
    }
}

fn odometer(e: &Element) -> Odometer {
    let text = own_line(e);
    let unit = e.attribute("units").or_else(|| e.attribute("unit")).map(line_of);
    // "18000 km": the unit stands in the value.
    let unit = unit.or_else(|| {
        let word: String = text.as_deref()?.chars().filter(|c| c.is_alphabetic()).collect();
        value::odometer_unit(&word).map(|_| word)
    });
    Odometer { reading: text.map(|t| told(t, value::reading)), units: unit.map(|t| told(t, value::odometer_unit)) }
}

fn price(e: &Element) -> Price {
    let text = own_line(e);
    let attribute = |name| e.attribute(name).map(line_of);
    // "34995 CAD": the currency stands in the value.
    let in_text = text.as_deref().and_then(|t| {
        let letters: String = t.chars().filter(|c| c.is_alphabetic()).collect();
        (letters.len() == 3 && letters.bytes().all(|b| b.is_ascii_uppercase())).then_some(letters)
    });
    let said = text.as_deref().and_then(SpokenMoney::read);
    let in_text = in_text.or_else(|| said.and_then(|s| s.currency).map(str::to_owned));
    Price {
        amount: text.as_deref().and_then(value::amount),
        least: said.and_then(|s| s.least),
        most: said.and_then(|s| s.most),
        currency: attribute("currency").or(in_text),
        kind: attribute("type"),
        delta: attribute("delta"),
        relative_to: attribute("relativeto"),
        source: attribute("source"),
        text,
    }
}

fn option(e: &Element) -> Opt {
    Opt {
        name: line(e, &["optionname", "name"]).or_else(|| if e.elements().next().is_none() { own_line(e) } else { None }),
        code: line(e, &["manufacturercode"]),
        stock: line(e, &["stock"]),
        weighting: line(e, &["weighting"]).map(|t| told(t, value::whole)),
        price: e.first("price").map(price),
    }
}

fn finance(e: &Element) -> Finance {
    let amounts = e.all("amount").take(MANY).map(|a| Amount {
        kind: a.attribute("type").map(|t| told(line_of(t), value::amount_kind)),
        limit: a.attribute("limit").map(|t| told(line_of(t), value::amount_limit)),
        price: Price { kind: None, ..price(a) },
    });
    Finance {
        method: line(e, &["method"]),
        amounts: amounts.collect(),
        balance: e.first("balance").map(price).filter(|b| b.text.is_some()),
        term_months: line(e, &["term"]).map(|t| told(t, value::term_months)),
        rate: line(e, &["rate"]).map(|t| told(t, value::decimal)),
        frequency: line(e, &["frequency"]),
        mileage_allowance: e.first("mileageallowance").map(odometer),
    }
}

fn customer(e: &Element) -> Customer {
    let mut contacts: Vec<Contact> = e.all("contact").take(MANY).map(contact).collect();
    if contacts.is_empty() {
        // A customer whose name and phone stand outside a <contact>.
        let bare = contact(e);
        if !(bare.names.is_empty() && bare.emails.is_empty() && bare.phones.is_empty()) {
            contacts.push(bare);
        }
    }
    contacts.sort_by_key(|c| !c.primary);
    let inner = e.all("contact").map(|c| prose(c, &["comments", "comment"]));
    Customer {
        ids: identifiers(e),
        comments: join_prose([prose(e, &["comments", "comment"])].into_iter().chain(inner)),
        timeframe: e.first("timeframe").map(|t| Timeframe {
            description: prose(t, &["description"]),
            earliest: line(t, &["earliestdate"]).map(|t| told(t, value::moment)),
            latest: line(t, &["latestdate"]).map(|t| told(t, value::moment)),
        }),
        contacts,
    }
}

fn contact(e: &Element) -> Contact {
    let flag = |e: &Element, name: &str| e.attribute(name).is_some_and(|v| matches!(v.to_ascii_lowercase().as_str(), "1" | "true" | "yes"));
    let names = e.all("name").take(MANY).map(|n| NamePart {
        part: n.attribute("part").map_or_else(|| "full".to_owned(), |p| line_of(p).to_lowercase()),
        kind: n.attribute("type").map(line_of),
        text: own_line(n),
    });
    // Also found: <firstname>, <first_name>, <lastname>.
    let separate = e.elements().filter_map(|n| {
        let part = match n.name.as_str() {
            "firstname" | "first_name" | "first" => "first",
            "lastname" | "last_name" | "last" => "last",
            "middlename" | "middle_name" => "middle",
            "fullname" | "full_name" => "full",
            _ => return None,
        };
        Some(NamePart { part: part.to_owned(), kind: None, text: own_line(n) })
    });
    Contact {
        ids: identifiers(e),
        names: names.chain(separate).collect(),
        emails: e
            .all("email")
            .take(MANY)
            .filter_map(|m| Some(Email { text: own_line(m)?, preferred: flag(m, "preferredcontact") }))
            .collect(),
        phones: e
            .all("phone")
            .take(MANY)
            .filter_map(|p| {
                let attribute = |name| p.attribute(name).map(line_of);
                Some(Phone { kind: attribute("type"), time: attribute("time"), text: own_line(p)?, preferred: flag(p, "preferredcontact") })
            })
            .collect(),
        addresses: e.all("address").take(MANY).map(address).collect(),
        primary: flag(e, "primarycontact"),
    }
}

fn address(e: &Element) -> Address {
    let mut streets: Vec<(Option<i32>, String)> =
        e.all("street").take(MANY).filter_map(|s| Some((s.attribute("line").and_then(value::whole), own_line(s)?))).collect();
    streets.sort_by_key(|(order, _)| order.unwrap_or(i32::MAX));
    let streets: Vec<String> = streets.into_iter().map(|(_, text)| text).collect();
    Address {
        kind: e.attribute("type").map(line_of),
        street: (!streets.is_empty()).then(|| streets.join(", ")),
        apartment: line(e, &["apartment"]),
        city: line(e, &["city"]),
        region: line(e, &["regioncode", "region", "state", "province"]),
        postal_code: line(e, &["postalcode", "postal_code", "zip", "zipcode"]),
        country: line(e, &["country"]),
    }
}

fn vendor(e: &Element) -> Vendor {
    Vendor {
        ids: identifiers(e),
        name: line(e, &["vendorname", "name"]),
        url: line(e, &["url"]),
        contacts: e.all("contact").take(MANY).map(contact).collect(),
    }
}

fn provider(e: &Element) -> Provider {
    Provider { ids: identifiers(e), name: line(e, &["name"]), service: line(e, &["service"]), url: line(e, &["url"]), contact: contact(e) }
}

fn identifiers(e: &Element) -> Vec<Identifier> {
    let ids = e.all("id").take(MANY);
    ids.map(|id| Identifier {
        sequence: id.attribute("sequence").map(line_of),
        source: id.attribute("source").map(line_of),
        value: own_line(id),
    })
    .collect()
}

/// What ADF 1.0 knows, per element, and what is read although it does not.
fn known(parent: &str) -> &'static [&'static str] {
    match parent {
        "prospect" => &["id", "requestdate", "request_date", "vehicle", "customer", "vendor", "provider", "contact", "comments", "comment"],
        "vehicle" => &[
            "id",
            "year",
            "modelyear",
            "make",
            "model",
            "vin",
            "stock",
            "stocknumber",
            "stock_number",
            "trim",
            "trimlevel",
            "doors",
            "bodystyle",
            "body",
            "body_style",
            "transmission",
            "odometer",
            "mileage",
            "condition",
            "colorcombination",
            "colourcombination",
            "exteriorcolor",
            "interiorcolor",
            "exteriorcolour",
            "interiorcolour",
            "color",
            "colour",
            "imagetag",
            "price",
            "pricecomments",
            "option",
            "options",
            "finance",
            "comments",
            "comment",
        ],
        "finance" => &["method", "amount", "balance", "term", "rate", "frequency", "mileageallowance"],
        "customer" => &["contact", "id", "timeframe", "comments", "comment", "name", "email", "phone", "address"],
        "contact" => &[
            "id",
            "name",
            "email",
            "phone",
            "address",
            "comments",
            "comment",
            "firstname",
            "first_name",
            "first",
            "lastname",
            "last_name",
            "last",
            "middlename",
            "middle_name",
            "fullname",
            "full_name",
        ],
        "vendor" => &["id", "vendorname", "name", "url", "contact"],
        "provider" => &["id", "name", "service", "url", "email", "phone", "contact"],
        _ => &[],
    }
}

fn extras(prospect: &Element) -> Vec<Extra> {
    fn walk(e: &Element, out: &mut Vec<Extra>) {
        let known = known(&e.name);
        for child in e.elements() {
            if out.len() >= EXTRAS_MAX {
                return;
            }
            if known.contains(&child.name.as_str()) {
                if !self::known(&child.name).is_empty() {
                    walk(child, out);
                }
            } else {
                out.push(Extra {
                    path: format!("{}/{}", excerpt(&e.name, 40), excerpt(&child.name, 40)),
                    text: excerpt(&child.text(), LINE_MAX),
                });
            }
        }
    }
    let mut out = Vec::new();
    walk(prospect, &mut out);
    out
}

/// What a person who checks the lead should know, without its personal data.
fn warnings(prospect: &Prospect) -> Vec<String> {
    let mut out = Vec::new();
    for vehicle in &prospect.vehicles {
        let lost = [
            ("interest", vehicle.interest.as_ref().is_some_and(|t| t.value.is_none())),
            ("status", vehicle.status.as_ref().is_some_and(|t| t.value.is_none())),
            ("year", vehicle.year.as_ref().is_some_and(|t| t.value.is_none())),
            ("odometer", vehicle.odometer.as_ref().and_then(|o| o.reading.as_ref()).is_some_and(|t| t.value.is_none())),
        ];
        out.extend(lost.iter().filter(|(_, lost)| *lost).map(|(name, _)| format!("vehicle {name} was not understood")));
    }
    let mut paths: Vec<&str> = prospect.extras.iter().map(|e| e.path.as_str()).collect();
    paths.dedup();
    out.extend(paths.iter().map(|path| format!("{path} is not part of ADF")));
    out.dedup();
    out.truncate(EXTRAS_MAX);
    out
}

fn told<T>(text: String, meaning: impl Fn(&str) -> Option<T>) -> Told<T> {
    Told { value: meaning(&text), text }
}

/// One line: whitespace folded, bounded.
fn line_of(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    excerpt(&words.join(" "), LINE_MAX)
}

fn own_line(e: &Element) -> Option<String> {
    Some(line_of(&e.text())).filter(|text| !text.is_empty())
}

/// The first of these children that says something.
fn line(e: &Element, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| e.all(name).find_map(own_line))
}

/// Free text of these children, line breaks kept.
fn prose(e: &Element, names: &[&str]) -> Option<String> {
    join_prose(names.iter().flat_map(|name| e.all(name)).map(|c| Some(clean_multiline(&c.text().replace('\t', " ")))))
}

fn join_prose(texts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let texts: Vec<String> = texts.into_iter().flatten().filter(|t| !t.is_empty()).collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}
