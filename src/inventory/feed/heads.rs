//! The words senders use in the heads of their columns.
//!
//! First the whole head, without case and punctuation, against a table. A head that is not in it is asked word by word, so
//! that "Drivetrain Desc", "Certified Flag" and "Photo Url List" are known without a line each: words that only say that a
//! column holds a text, a number or a flag are passed over where the fact is of that kind, and two words may change places.
//! Nothing else is guessed: "Dealer Name", "Photo Count" and "Original Price" stay unread, and the report names them.

use super::layout::{Field, Heads, Mapping};
use crate::inventory::fuel_economy::plain;
use crate::kernel::money::Currency;

/// Heads (plain) that mean a fact, best first.
pub(super) const SYNONYMS: &[(Field, &[&str])] = &[
    (Field::Vin, &["vin", "vinnumber", "vinno", "vehicleidentificationnumber", "vehiclevin", "chassis", "chassisnumber", "serialnumber"]),
    (
        Field::StockNumber,
        &[
            "stocknumber",
            "stock",
            "stockno",
            "stocknum",
            "stockid",
            "stk",
            "stkno",
            "stocknbr",
            "dealerstocknumber",
            "inventorynumber",
            "unitnumber",
            "sku",
            "vehicleid",
            "lot",
            "lotnumber",
            "id",
            "stockcode",
            "dealerstock",
        ],
    ),
    (Field::Year, &["year", "modelyear", "vehicleyear", "yr", "vehyear", "caryear", "vehiclemodeldate", "modeldate"]),
    (Field::Make, &["make", "brand", "manufacturer", "vehiclemake", "makename", "division", "carmake", "makedescription"]),
    (Field::Model, &["model", "vehiclemodel", "modelname", "carmodel", "modeldescription", "carline", "carlinedescription", "vehicleline"]),
    (
        Field::Trim,
        &[
            "trim",
            "trimlevel",
            "series",
            "vehicletrim",
            "trimname",
            "submodel",
            "trimline",
            "trimdescription",
            "vehicleconfiguration",
            "seriesdetail",
            "trimpackage",
        ],
    ),
    (
        Field::Condition,
        &[
            "stateofvehicle",
            "usednew",
            "newused",
            "newusedcpo",
            "vehiclecondition",
            "condition",
            "stocktype",
            "inventorytype",
            "vehicletype",
            "type",
            "category",
            "nu",
            "itemcondition",
            "neworused",
            "nuflag",
            "newusedind",
            "newusedindicator",
            "newusedcode",
            "newusedflag",
            "classification",
        ],
    ),
    (
        Field::Certified,
        &[
            "oemcertified",
            "factorycertified",
            "manufacturercertified",
            "certifiedpreowned",
            "certified",
            "iscertified",
            "certifiedflag",
            "cpo",
            "iscpo",
            "certifiedcpo",
            "dealercertified",
        ],
    ),
    (
        Field::Price,
        &[
            "saleprice",
            "internetprice",
            "specialprice",
            "webprice",
            "onlineprice",
            "sellingprice",
            "salesprice",
            "sale",
            "askingprice",
            "price",
            "ourprice",
            "dealerprice",
            "finalprice",
            "currentprice",
            "listprice",
            "advertisedprice",
            "retailprice",
            "retail",
            "amount",
            "asking",
            "ask",
            "askprice",
            "listingprice",
            "offerprice",
            "netprice",
            "cashprice",
            "eprice",
            "nowprice",
            "bestprice",
            "buynowprice",
            "price1",
            "advertisedinternetprice",
            "internetsaleprice",
            "pricespecificationprice",
        ],
    ),
    (
        Field::Msrp,
        &[
            "msrp",
            "msrpprice",
            "vehiclemsrp",
            "stickerprice",
            "sticker",
            "suggestedretailprice",
            "listmsrp",
            "basemsrp",
            "totalmsrp",
            "suggestedretail",
            "suggretail",
            "manufacturersuggestedretailprice",
        ],
    ),
    (Field::Invoice, &["invoiceprice", "invoice", "dealerinvoice", "invoicecost", "totalinvoice"]),
    (Field::Cost, &["cost", "dealercost", "unitcost", "acquisitioncost", "vehiclecost", "totalcost", "inventorycost", "actualcost"]),
    (
        Field::Odometer,
        &[
            "odometer",
            "mileage",
            "mileagevalue",
            "miles",
            "odometerreading",
            "odometervalue",
            "odo",
            "kilometers",
            "kilometres",
            "km",
            "kms",
            "mileagekm",
            "odometerkm",
            "mileagemi",
            "currentmileage",
            "mileagefromodometer",
            "mileagefromodometervalue",
            "mileageinmiles",
            "odomiles",
            "odom",
            "odometermiles",
        ],
    ),
    (
        Field::OdometerUnit,
        &[
            "mileageunit",
            "odometerunit",
            "odometerunits",
            "mileageunits",
            "distanceunit",
            "odometeruom",
            "mileageunitcode",
            "mileagefromodometerunit",
            "mileagefromodometerunitcode",
            "mileagefromodometerunittext",
            "odometerunitcode",
            "odometerunitofmeasure",
            "mileageuom",
            "mileageunitofmeasure",
        ],
    ),
    (
        Field::Body,
        &[
            "bodystyle",
            "bodytype",
            "body",
            "bodyclass",
            "bodydescription",
            "vehiclebody",
            "type",
            "vehicletype",
            "category",
            "style",
            "vehiclestyle",
        ],
    ),
    (
        Field::Drivetrain,
        &["drivetrain", "drivetype", "drive", "drivewheelconfiguration", "driveline", "wheeldrive", "drivetraintype", "drivewheels"],
    ),
    (Field::Fuel, &["fueltype", "fuel", "enginefuel", "fueltypeprimary", "primaryfuel", "enginefueltype", "vehicleenginefueltype"]),
    (
        Field::Transmission,
        &[
            "transmission",
            "tranmission",
            "transmissiontype",
            "transmissiondescription",
            "trans",
            "transmisson",
            "transmition",
            "gearbox",
            "vehicletransmission",
            "transmissionspeed",
        ],
    ),
    (
        Field::Engine,
        &[
            "engine",
            "enginedescription",
            "enginetype",
            "motor",
            "enginename",
            "vehicleengine",
            "vehicleenginename",
            "vehicleengineenginetype",
        ],
    ),
    (
        Field::Cylinders,
        &[
            "cylinders",
            "enginecylinders",
            "cyl",
            "cylindercount",
            "numberofcylinders",
            "noofcylinders",
            "engine",
            "enginedescription",
            "enginetype",
            "enginecylinder",
            "cylinder",
            "cyls",
            "enginecyl",
        ],
    ),
    (Field::Doors, &["doors", "numberofdoors", "numdoors", "doorcount", "noofdoors", "door", "bodydoor", "bodydoors"]),
    (
        Field::Seats,
        &["seatingcapacity", "seats", "passengers", "passengercapacity", "numberofseats", "vehicleseatingcapacity", "seatcount"],
    ),
    (
        Field::ExteriorColor,
        &[
            "exteriorcolor",
            "exteriorcolour",
            "colorext",
            "extcolor",
            "color",
            "colour",
            "paintcolor",
            "vehiclecolor",
            "exteriorcolorname",
            "colorexterior",
            "extcolorgeneric",
            "exterior",
            "extcolour",
        ],
    ),
    (
        Field::InteriorColor,
        &[
            "interiorcolor",
            "interiorcolour",
            "colorint",
            "intcolor",
            "interior",
            "colorinterior",
            "interiorcolorname",
            "interiorupholstery",
            "vehicleinteriorcolor",
            "intcolour",
        ],
    ),
    (Field::CityMpg, &["citympg", "mpgcity", "economycity", "minmpg", "epacity", "citympgepa", "fueleconomycity"]),
    (Field::HighwayMpg, &["highwaympg", "mpghighway", "economyhwy", "hwympg", "mpghwy", "maxmpg", "epahighway", "fueleconomyhighway"]),
    (
        Field::Description,
        &[
            "description",
            "vehicledescription",
            "descriptions",
            "comments",
            "dealercomments",
            "sellernotes",
            "comment",
            "notes",
            "sellercomments",
            "webdescription",
            "adcopy",
            "longdescription",
            "webcomments",
            "internetcomments",
            "marketingdescription",
            "addescription",
            "dealernotes",
            "vehiclecomments",
        ],
    ),
    (
        Field::Photos,
        &[
            "imagelink",
            "additionalimagelink",
            "pictureurls",
            "pictureurl",
            "imageurl",
            "imageurls",
            "images",
            "photourls",
            "photourl",
            "photos",
            "physicalimages",
            "pictures",
            "imagelist",
            "photolist",
            "picture",
            "image",
        ],
    ),
    (
        Field::ReceivedOn,
        &[
            "dateinstock",
            "inventorysince",
            "instockdate",
            "stockdate",
            "receiveddate",
            "datereceived",
            "inventorydate",
            "dateadded",
            "datestocked",
            "arrivaldate",
            "entrydate",
            "datefirstonlot",
            "stockindate",
            "lotdate",
            "datein",
            "onlotdate",
            "acquireddate",
            "dateacquired",
            "instocksince",
            "stockedon",
            "dateentered",
            "dateonlot",
        ],
    ),
    (
        Field::Age,
        &[
            "ageindays",
            "age",
            "daysinstock",
            "daysinventory",
            "daysonlot",
            "dol",
            "inventoryage",
            "daysininventory",
            "agedays",
            "daysold",
            "days",
        ],
    ),
    (Field::Status, &["availability", "vehiclestatus", "inventorystatus", "lotstatus", "stockstatus", "status", "availabilitystatus"]),
    (Field::InStock, &["instock", "onlot"]),
    (Field::Sold, &["sold", "issold"]),
    (Field::Currency, &["currency", "pricecurrency", "currencycode", "currencyiso", "pricecurrencycode"]),
];

/// Words that begin a head and say nothing about it.
const BEFORE: [&str; 22] = [
    "vehicle",
    "veh",
    "car",
    "auto",
    "listing",
    "inventory",
    "inv",
    "item",
    "product",
    "my",
    "standard",
    "specs",
    "spec",
    "specifications",
    "details",
    "attributes",
    "general",
    "basic",
    "pricing",
    "prices",
    "offers",
    "offer",
];
/// Words that end a head of a text.
const AFTER_TEXT: [&str; 10] = ["desc", "descr", "description", "name", "text", "txt", "value", "label", "display", "full"];
/// Words that end a head of a flag.
const AFTER_FLAG: [&str; 8] = ["flag", "indicator", "ind", "yn", "bool", "status", "y", "n"];
/// Words that end a head of an amount.
const AFTER_AMOUNT: [&str; 9] = ["amount", "amt", "value", "usd", "cad", "us", "dollars", "dollar", "in"];
/// Words that end a head of a number.
const AFTER_NUMBER: [&str; 15] =
    ["value", "val", "reading", "count", "ct", "cnt", "number", "num", "qty", "mi", "miles", "km", "kms", "in", "current"];
/// Heads that are only trusted when nothing else stands in them.
const WHOLE_ONLY: [&str; 19] = [
    "id",
    "lot",
    "lotnumber",
    "sku",
    "type",
    "category",
    "style",
    "sale",
    "sold",
    "amount",
    "retail",
    "age",
    "days",
    "status",
    "km",
    "kms",
    "exterior",
    "nu",
    "series",
];
/// What photos are called.
const PHOTO: [&str; 12] =
    ["photo", "photos", "image", "images", "picture", "pictures", "img", "imgs", "pic", "pics", "photograph", "photographs"];
/// Words that leave a head of photos one.
const AROUND_PHOTO: [&str; 28] = [
    "url",
    "urls",
    "uri",
    "uris",
    "link",
    "links",
    "list",
    "src",
    "href",
    "content",
    "main",
    "primary",
    "additional",
    "extra",
    "other",
    "large",
    "full",
    "hi",
    "high",
    "res",
    "resolution",
    "set",
    "gallery",
    "vehicle",
    "of",
    "all",
    "the",
    "location",
];
/// Words that stand with "VIN" in the head of a VIN.
const AROUND_VIN: [&str; 13] = ["vin", "full", "vehicle", "veh", "number", "no", "num", "nbr", "code", "id", "17", "car", "complete"];

/// The facts a head names, by its words. Empty when it is not understood.
pub fn fields_of(head: &str) -> Vec<Field> {
    let words = words(head);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.is_empty() || words.len() > 8 || head.trim_start().starts_with('@') || head.contains(".@") {
        return Vec::new();
    }
    let is_number = |word: &&str| word.len() <= 3 && word.bytes().all(|b| b.is_ascii_digit());
    if words.iter().any(|w| PHOTO.contains(w)) && words.iter().all(|w| PHOTO.contains(w) || AROUND_PHOTO.contains(w) || is_number(w)) {
        return vec![Field::Photos];
    }
    if words.contains(&"vin") && words.iter().all(|w| AROUND_VIN.contains(w)) {
        return vec![Field::Vin];
    }
    let from = words.iter().take(words.len().saturating_sub(1)).take_while(|w| BEFORE.contains(*w)).count();
    // As much of the head as possible first.
    for first in 0..=from {
        let rest = words.get(first..).unwrap_or(&[]);
        for cut in 0..rest.len() {
            let (kept, after) = rest.split_at_checked(rest.len().saturating_sub(cut)).unwrap_or((rest, &[]));
            let whole = first == 0 && cut == 0;
            let found = named(kept, after, whole);
            if !found.is_empty() {
                return found;
            }
        }
    }
    Vec::new()
}

/// The facts that these words name, in this order or, when two, the other, and that the words after them fit.
fn named(kept: &[&str], after: &[&str], whole: bool) -> Vec<Field> {
    let swapped = if let [one, two] = kept { Some([*two, *one].concat()) } else { None };
    // "colors.exterior", "price.sale"
    let singular = if let [one, two] = kept { one.strip_suffix('s').map(|one| [*two, one].concat()) } else { None };
    let names = [Some(kept.concat()), swapped, singular];
    let fits = |field: &Field| after.iter().all(|word| endings(*field).contains(word));
    let knows = |known: &[&str]| {
        names.iter().flatten().any(|name| known.contains(&name.as_str()) && (whole || !WHOLE_ONLY.contains(&name.as_str())))
    };
    let flag_of = |field: Field| matches!(field, Field::Certified | Field::Sold | Field::InStock);
    let bare = kept.concat();
    SYNONYMS
        .iter()
        .filter(|(field, known)| fits(field) && (knows(known) || (flag_of(*field) && !after.is_empty() && known.contains(&bare.as_str()))))
        .map(|(field, _)| *field)
        .collect()
}

fn endings(field: Field) -> &'static [&'static str] {
    match field {
        Field::Make
        | Field::Model
        | Field::Trim
        | Field::Condition
        | Field::Body
        | Field::Drivetrain
        | Field::Fuel
        | Field::Transmission
        | Field::Engine
        | Field::ExteriorColor
        | Field::InteriorColor
        | Field::Status
        | Field::Description => &AFTER_TEXT,
        Field::Certified | Field::Sold | Field::InStock => &AFTER_FLAG,
        Field::Price | Field::Msrp | Field::Invoice | Field::Cost => &AFTER_AMOUNT,
        Field::Year
        | Field::Odometer
        | Field::Cylinders
        | Field::Doors
        | Field::Seats
        | Field::CityMpg
        | Field::HighwayMpg
        | Field::Age
        | Field::StockNumber => &AFTER_NUMBER,
        Field::ReceivedOn => &["date", "dt"],
        Field::Vin | Field::OdometerUnit | Field::Photos | Field::Currency => &[],
    }
}

/// Words in lower case: parted by what is not letter or digit, where a capital follows a small letter, and at digits' ends.
fn words(head: &str) -> Vec<String> {
    let head = without_prefix(head);
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in head.chars().take(120) {
        let parts = (before.is_lowercase() && c.is_uppercase())
            || (before.is_alphabetic() && c.is_ascii_digit())
            || (before.is_ascii_digit() && c.is_alphabetic());
        if !c.is_alphanumeric() || parts {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The currency of which a head of a price speaks: "Price (CAD)".
pub fn currency_of(head: &str) -> Option<Currency> {
    words(head).iter().find_map(|word| match word.as_str() {
        "usd" => Some(Currency::USD),
        "cad" | "cdn" => Some(Currency::CAD),
        _ => None,
    })
}

/// Whether a head is that of a fact: as the mapping names it, else by the known words.
pub fn is_head_of(field: Field, head: &str, mapping: Option<&Mapping>) -> bool {
    let plain = plain_head(head);
    match mapping.and_then(|m| m.columns.get(&field)) {
        Some(Heads::One(one)) => plain_head(one) == plain,
        Some(Heads::Many(many)) => many.iter().any(|one| plain_head(one) == plain),
        None => {
            SYNONYMS.iter().any(|(known, names)| *known == field && names.contains(&plain.as_str())) || fields_of(head).contains(&field)
        }
    }
}

/// "Stock #", "g:vin" and "VIN*" lose what is not letter or digit, and merchant prefixes. What JSON-LD says about itself
/// ("@id", "@type") names nothing.
pub(super) fn plain_head(head: &str) -> String {
    if head.trim_start().starts_with('@') || head.contains(".@") { String::new() } else { plain(without_prefix(head)) }
}

fn without_prefix(head: &str) -> &str {
    let head = head.trim();
    head.strip_prefix("g:").or_else(|| head.strip_prefix("c:")).unwrap_or(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_understood_by_their_words() {
        for (head, field) in [
            ("Photo Url List", Field::Photos),
            ("photos.photo", Field::Photos),
            ("image[0].url", Field::Photos),
            ("ImageUrl12", Field::Photos),
            ("Picture_1", Field::Photos),
            ("Drivetrain Desc", Field::Drivetrain),
            ("Drive Train Name", Field::Drivetrain),
            ("Certified Flag", Field::Certified),
            ("CPO_IND", Field::Certified),
            ("Sold Flag", Field::Sold),
            ("In Stock YN", Field::InStock),
            ("Ext Color Desc", Field::ExteriorColor),
            ("colors.exterior", Field::ExteriorColor),
            ("Invoice Amt", Field::Invoice),
            ("Price (USD)", Field::Price),
            ("pricing.internet_price", Field::Price),
            ("offers.price", Field::Price),
            ("Price.Sale", Field::Price),
            ("pricing.msrp", Field::Msrp),
            ("Odometer (mi)", Field::Odometer),
            ("Mileage in km", Field::Odometer),
            ("Body Door Ct", Field::Doors),
            ("brand.name", Field::Make),
            ("Veh Year", Field::Year),
            ("VehicleMakeName", Field::Make),
            ("Full VIN", Field::Vin),
            ("specs.transmission", Field::Transmission),
            ("MPG City", Field::CityMpg),
        ] {
            let plain = plain_head(head);
            let known = SYNONYMS.iter().any(|(f, names)| *f == field && names.contains(&plain.as_str()));
            assert!(known || fields_of(head) == [field], "{head}: {:?}", fields_of(head));
        }
        assert_eq!(fields_of("Engine Cylinder Ct"), [Field::Cylinders]);
    }

    #[test]
    fn what_only_sounds_like_a_fact_is_not_guessed() {
        for head in [
            "Dealer ID",
            "Dealer Name",
            "Dealer City",
            "Listing ID",
            "Photo Count",
            "Photos Last Modified Date",
            "image.tag",
            "Sale Flag",
            "Original Price",
            "Price Rank",
            "Make Code",
            "Model Code",
            "Color Code",
            "VIN Decoded On",
            "Trade VIN",
            "Lease Payment",
            "Seller Type",
            "Dealer Image",
            "@type",
            "offers.@type",
            "offers.seller.name",
            "Days Since Update",
            "Window Sticker Url",
            "Body Shop",
            "",
        ] {
            assert_eq!(fields_of(head), [], "{head}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_head_makes_a_panic(head in "\\PC{0,60}") {
            let _ = fields_of(&head);
        }
    }
}
