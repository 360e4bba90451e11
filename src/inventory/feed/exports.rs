//! One used car as many senders would write it: whatever the layout, the same facts land and nothing is lost unsaid.

use std::io::Cursor;
use std::ops::ControlFlow;

use chrono::NaiveDate;

use super::row::FeedRow;
use super::{FeedSummary, read};
use crate::inventory::model::{BodyStyle, ColorFamily, Drivetrain, FuelType, Transmission, VehicleCondition};
use crate::kernel::money::Currency;

const VIN: &str = "1HGCV1F49MA038035";

/// The row, its warnings (column, value, code), and what the feed was.
fn row(text: &str) -> (FeedRow, Vec<(String, String, &'static str)>, FeedSummary) {
    let (mut outcomes, today) = (Vec::new(), NaiveDate::from_ymd_opt(2026, 11, 21).unwrap());
    let bytes = Cursor::new(text.replace("VIN_HERE", VIN).into_bytes());
    let summary = read(bytes, None, today, |_, outcome| {
        outcomes.push(outcome);
        ControlFlow::Continue(())
    });
    let summary = summary.unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(outcomes.len(), 1, "{text}");
    let outcome = outcomes.pop().unwrap();
    let warnings = outcome.warnings.into_iter().map(|w| (w.column, w.value, w.code)).collect();
    (*outcome.row.unwrap_or_else(|report| panic!("{report:?}: {text}")), warnings, summary)
}

/// Reads one and checks what all of them say; gives the columns nobody read.
fn same_car(sender: &str, text: &str) -> (FeedRow, Vec<String>) {
    let (row, warnings, summary) = row(text);
    assert_eq!(warnings, [], "{sender}");
    assert_eq!((row.make.as_str(), row.model.as_str(), row.model_year), ("Honda", "Accord", 2021), "{sender}");
    assert_eq!((row.trim.as_deref(), row.stock_number.as_str()), (Some("Sport SE"), "H123"), "{sender}");
    assert_eq!((row.price.map(|c| c.0), row.odometer_miles), (Some(2_349_900), Some(49_710)), "{sender}");
    assert_eq!((row.condition, row.exterior_color_family), (VehicleCondition::Used, Some(ColorFamily::Gray)), "{sender}");
    assert_eq!((row.body_style, row.drivetrain), (Some(BodyStyle::Sedan), Some(Drivetrain::Fwd)), "{sender}");
    assert_eq!((row.fuel, row.transmission), (Some(FuelType::Gasoline), Some(Transmission::Cvt)), "{sender}");
    assert_eq!(row.photos, ["https://a.example/1.jpg", "https://a.example/2.jpg"], "{sender}");
    (row, summary.unread)
}

fn dated(row: &FeedRow) {
    assert_eq!(row.received_on, NaiveDate::from_ymd_opt(2026, 10, 1));
}

#[test]
fn spreadsheets_of_dealer_systems_say_the_same() {
    let (row, unread) = same_car(
        "vAuto",
        "DealerId,Stock #,New/Used,Year,Make,Model,Model Number,Body,Transmission,Series,Body Door Ct,Odometer,Engine Cylinder Ct,Drivetrain Desc,Colour,Interior Color,MSRP,Price,Inventory Date,Certified,Description,Features,Photo Url List,City MPG,Highway MPG,Fuel,VIN\n\
         D1,H123,Used,2021,Honda,Accord,CV1F4ME,Sedan,CVT,Sport SE,4,\"49,710\",4,FWD,Modern Steel Metallic,Black,,\"$23,499\",10/01/2026,No,Clean,Roof,https://a.example/1.jpg|https://a.example/2.jpg,29,35,Gas,VIN_HERE\n",
    );
    dated(&row);
    assert_eq!((row.doors, row.cylinders, row.mpg.0), (Some(4), Some(4), Some(29)));
    assert_eq!(unread, ["DealerId", "Model Number", "Features"]);
    let (row, _) = same_car(
        "HomeNet",
        "dealerid\tvin\tstocknumber\ttype\tyear\tmake\tmodel\ttrim\tbody\text_color\tint_color\tmiles\tinternet_price\tcertified\tdateinstock\timagelist\tdrivetrain\tfuel_type\ttransmission_description\n\
         1\tVIN_HERE\tH123\tUsed\t2021\tHonda\tAccord\tSport SE\t4dr Sedan\tGray\tBlack\t49710\t23499\tFalse\t10/1/2026 12:00:00 AM\thttps://a.example/1.jpg,https://a.example/2.jpg\tFront Wheel Drive\tGasoline\tContinuously Variable\n",
    );
    dated(&row);
    let (row, unread) = same_car(
        "Reynolds",
        "VEH-STOCK-NO|VEH-VIN|VEH-YR|VEH-MAKE|VEH-CARLINE|VEH-TRIM|VEH-ODOM|LIST-PRICE|DATE-IN-STOCK|NEW-USED-IND|EXT-COLOR-DESC|BODY-DESC|DRIVE-TRAIN|FUEL-DESC|TRANS-DESC|PHOTO-URLS|SLS-COST\n\
         =\"H123\"|VIN_HERE|2021|HONDA|ACCORD|Sport SE|049710|23499.00|01OCT26|U|GRAY|4D SEDAN|FWD|GAS|CVT|https://a.example/1.jpg;https://a.example/2.jpg|21000\n",
    );
    dated(&row);
    assert_eq!(unread, ["SLS-COST"]);
    let (row, _) = same_car(
        "CDK",
        "StockNo,VIN,Veh Year,Veh Make,Veh Model,Trim Level Desc,Odometer (mi),Asking,Stock In Date,N/U,Exterior Colour Desc,Body Style Desc,Drive Type Desc,Fuel Type Desc,Transmission Name,Image URLs\n\
         H123,VIN_HERE,2021,Honda,Accord,Sport SE,49710.0,\"$ 23,499\",1-Oct-2026,U,Grey,Sedan,FWD,Gasoline,CVT,\"[\"\"https://a.example/1.jpg\"\",\"\"//a.example/2.jpg\"\"]\"\n",
    );
    dated(&row);
    same_car(
        "DealerSocket",
        "StockNumber;VIN;NewUsed;Year;Make;Model;Trim;Mileage in km;Web Price;Ext Color;Body Type;Drive Train;Fuel;Trans;Photo 1;Photo 2\n\
         H123;VIN_HERE;Pre-Owned;2021;Honda;Accord;Sport SE;80000;23.499,00;Gray;Sedan;Front;Gasoline;CVT;https://a.example/1.jpg;HTTPS://a.example/2.jpg\n",
    );
}

#[test]
fn vehicle_ads_say_the_same() {
    let (row, _) = same_car(
        "Meta",
        "vehicle_id,title,availability,price,make,model,year,trim,mileage.value,mileage.unit,state_of_vehicle,exterior_color,body_style,vin,drivetrain,fuel_type,transmission,image[0].url,image[0].tag[0],image[1].url\n\
         H123,2021 Honda,available,23499 USD,Honda,Accord,2021,Sport SE,80000,KM,Used,Gray,SEDAN,VIN_HERE,FWD,gasoline,CVT,https://a.example/1.jpg,Front,https://a.example/2.jpg\n",
    );
    assert_eq!(row.currency, Some(Currency::USD));
    let (_, unread) = same_car(
        "Google",
        "id\tvin\tstore_code\tprice\tcondition\tcertified_pre_owned\tbrand\tmodel\ttrim\tyear\tmileage\tcolor\tbody_style\tdrivetrain\tengine\tfuel\ttransmission\timage_link\tadditional_image_link\n\
         H123\tVIN_HERE\tS1\t23499.00 USD\tused\tno\tHonda\tAccord\tSport SE\t2021\t80000 km\tGray\tsedan\tFWD\t1.5L\tgasoline\tCVT\thttps://a.example/1.jpg\thttps://a.example/2.jpg\n",
    );
    assert_eq!(unread, ["store_code"]);
}

#[test]
fn xml_says_the_same_with_attributes() {
    let (row, unread) = same_car(
        "attributes",
        r#"<inventory xmlns="urn:x"><vehicle id="H123" type="Used" certified="false"><vin>VIN_HERE</vin><year>2021</year><make>Honda</make><model>Accord</model><trim>Sport SE</trim>
           <odometer unit="km">80000</odometer><price currency="CAD">23499</price><colors><exterior>Gray</exterior></colors><body>Sedan</body>
           <specs><drivetrain>FWD</drivetrain><fuel>Gasoline</fuel><transmission>CVT</transmission></specs>
           <photos><photo order="1">https://a.example/1.jpg</photo><photo order="2">https://a.example/2.jpg</photo></photos></vehicle></inventory>"#,
    );
    assert_eq!((row.currency, unread), (Some(Currency::CAD), vec!["photos.photo.order".to_owned()]));
    same_car(
        "all attributes",
        r#"<lot><car stock="H123" vin="VIN_HERE" year="2021" make="Honda" model="Accord" trim="Sport SE" condition="used" price="23499" color="Gray" body="Sedan" drive="FWD" fuel="Gas" transmission="CVT">
           <mileage units="km" value="80000"/><image url="https://a.example/1.jpg"/><image url="https://a.example/2.jpg"/></car></lot>"#,
    );
}

#[test]
fn json_ld_says_the_same() {
    let car = r#"{"@context": "https://schema.org", "@type": ["Vehicle", "Car"], "@id": "https://a.example/#car", "name": "2021 Honda Accord", "sku": "H123",
        "vehicleIdentificationNumber": "VIN_HERE", "vehicleModelDate": "2021", "brand": {"@type": "Brand", "name": "Honda"}, "model": "Accord",
        "vehicleConfiguration": "Sport SE", "color": "Gray", "bodyType": "Sedan", "vehicleTransmission": "CVT", "itemCondition": "https://schema.org/UsedCondition",
        "driveWheelConfiguration": "https://schema.org/FrontWheelDriveConfiguration", "vehicleEngine": {"@type": "EngineSpecification", "fuelType": "Gasoline"},
        "mileageFromOdometer": {"@type": "QuantitativeValue", "value": "80000", "unitCode": "KMT"}, "image": ["https://a.example/1.jpg", "https://a.example/2.jpg"],
        "offers": {"@type": "Offer", "price": 23499, "priceCurrency": "CAD", "availability": "https://schema.org/InStock"}}"#;
    for (sender, text) in [
        ("alone", car.to_owned()),
        ("graph", format!("{{\"@graph\": [{car}]}}")),
        ("list", format!("{{\"@type\": \"ItemList\", \"itemListElement\": [{{\"position\": 1, \"item\": {car}}}]}}")),
    ] {
        let (row, unread) = same_car(sender, &text);
        assert_eq!((row.currency, unread), (Some(Currency::CAD), vec!["name".to_owned()]), "{sender}");
    }
}
