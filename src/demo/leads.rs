//! The demo customers' leads as ADF 1.0, the way lead providers send them.

use std::fmt::Write as _;

use chrono::{DateTime, Duration, Utc};

use super::group::DemoStore;
use super::lot::Unit;
use super::people::Person;

/// The lead of one person about one car. `now` is when the demo is loaded; the lead is as many days older as the person says.
pub fn adf(person: &Person, car: &Unit, at: &DemoStore, now: DateTime<Utc>) -> String {
    let asked = now - Duration::days(person.days_ago) - Duration::minutes(i64::try_from(person.number % 240).unwrap_or(0));
    let line = &car.line;
    let status = if car.condition == "NEW" { "new" } else { "used" };
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?adf version=\"1.0\"?>\n<adf>\n  <prospect status=\"new\">\n");
    let _ = write!(
        out,
        "    <id sequence=\"1\" source=\"{channel}\">DEMO-{number:04}</id>\n    <requestdate>{date}</requestdate>\n    \
         <vehicle interest=\"buy\" status=\"{status}\">\n      <year>{year}</year>\n      <make>{make}</make>\n      <model>{model}</model>\n      \
         <vin>{vin}</vin>\n      <stock>{stock}</stock>\n      <trim>{trim}</trim>\n",
        channel = xml(person.channel),
        number = person.number,
        date = asked.format("%Y-%m-%dT%H:%M:%S+00:00"),
        year = line.model_year,
        make = xml(line.make),
        model = xml(line.model),
        vin = car.vin,
        stock = car.stock_number,
        trim = xml(car.trim),
    );
    if let Some(color) = person.color {
        let _ = writeln!(
            out,
            "      <colorcombination>\n        <exteriorcolor>{color}</exteriorcolor>\n        <preference>1</preference>\n      </colorcombination>"
        );
    }
    let _ = writeln!(out, "      <price type=\"offer\" currency=\"USD\">{}</price>", person.price_max);
    if let Some(monthly) = person.monthly_max {
        let _ = writeln!(
            out,
            "      <finance>\n        <method>finance</method>\n        <amount type=\"monthly\" limit=\"maximum\" currency=\"USD\">{monthly}</amount>\n      \
             </finance>"
        );
    }
    let _ = writeln!(out, "      <comments>{}</comments>\n    </vehicle>", xml(person.note));
    if let Some((year, make, model, miles)) = person.trade {
        let _ = writeln!(
            out,
            "    <vehicle interest=\"trade-in\" status=\"used\">\n      <year>{year}</year>\n      <make>{make}</make>\n      <model>{model}</model>\n      \
             <odometer status=\"original\" units=\"miles\">{miles}</odometer>\n    </vehicle>"
        );
    }
    let _ = write!(
        out,
        "    <customer>\n      <contact>\n        <name part=\"first\">{}</name>\n        <name part=\"last\">{}</name>\n        <email>{}</email>\n        \
         <phone type=\"cellphone\">{}</phone>\n        <address>\n          <city>{}</city>\n          <regioncode>{}</regioncode>\n          \
         <postalcode>{}</postalcode>\n          <country>US</country>\n        </address>\n      </contact>\n    </customer>\n    <vendor>\n      \
         <vendorname>{}</vendorname>\n    </vendor>\n    <provider>\n      <name part=\"full\">{}</name>\n    </provider>\n  </prospect>\n</adf>\n",
        xml(person.given),
        xml(person.family),
        person.email,
        person.phone,
        at.city,
        at.state,
        person.postal_code,
        xml(at.name),
        xml(person.channel),
    );
    out
}

/// A lead that no program can read: cut off on its way. It waits for a person.
pub fn broken(number: u64) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<adf>\n  <prospect>\n    <id source=\"AutoMarket\">CUT-{number}</id>\n    <requestdate>yesterday</requestdate>\n    <vehicle><year>20"
    )
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::group::STORES;
    use super::super::{lot, people};
    use super::*;

    #[test]
    fn leads_are_well_formed_and_name_a_car_of_the_lot() {
        let at = STORES.first().unwrap();
        let cars = lot::units(0, at.letter);
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        for person in people::people(0, 3, at, &cars) {
            let text = adf(&person, &cars[person.car], at, now);
            let mut reader = quick_xml::Reader::from_str(&text);
            let mut elements = 0;
            loop {
                match reader.read_event().expect("well-formed") {
                    quick_xml::events::Event::Eof => break,
                    quick_xml::events::Event::Start(_) => elements += 1,
                    _ => {}
                }
            }
            assert!(elements > 20 && text.contains(&cars[person.car].vin) && text.contains(&person.email));
        }
    }
}
