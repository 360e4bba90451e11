//! Which column means what: by the words senders use in their heads, or by a mapping file.
//!
//! A head is compared without case, spaces and punctuation, so `Stock#`, `stock_number` and `Stock Number` are one. Where
//! several columns can give a fact (internet price, sale price, price), they are asked in the order of their table, and
//! the first that says something wins ([`heads`] has the words). A column may serve two facts ("type" holds bodies in one feed, new/used in another).

use std::collections::BTreeMap;

use super::heads::{self, SYNONYMS, plain_head};
use crate::kernel::money::Currency;

crate::text_enum! {
    /// A fact a column can hold.
    pub enum Field {
        /// The VIN.
        Vin = "vin",
        /// The store's own number.
        StockNumber = "stock_number",
        /// The model year.
        Year = "year",
        /// The make.
        Make = "make",
        /// The model.
        Model = "model",
        /// The trim level.
        Trim = "trim",
        /// New, used or certified.
        Condition = "condition",
        /// Certified, yes or no.
        Certified = "certified",
        /// The asking price.
        Price = "price",
        /// The maker's suggested retail price.
        Msrp = "msrp",
        /// The maker's invoice.
        Invoice = "invoice",
        /// What the store paid.
        Cost = "cost",
        /// Miles or kilometres driven.
        Odometer = "odometer",
        /// The unit of the odometer.
        OdometerUnit = "odometer_unit",
        /// The shape of the body.
        Body = "body",
        /// Which wheels are driven.
        Drivetrain = "drivetrain",
        /// The fuel.
        Fuel = "fuel",
        /// The transmission.
        Transmission = "transmission",
        /// The engine.
        Engine = "engine",
        /// Number of cylinders.
        Cylinders = "cylinders",
        /// Number of doors.
        Doors = "doors",
        /// Number of seats.
        Seats = "seats",
        /// The outer colour.
        ExteriorColor = "exterior_color",
        /// The inner colour.
        InteriorColor = "interior_color",
        /// City miles per gallon.
        CityMpg = "city_mpg",
        /// Highway miles per gallon.
        HighwayMpg = "highway_mpg",
        /// The dealer's words.
        Description = "description",
        /// Addresses of photos.
        Photos = "photos",
        /// The day it came onto the lot.
        ReceivedOn = "received_on",
        /// Days on the lot.
        Age = "age_days",
        /// Where it stands.
        Status = "status",
        /// On the lot, yes or no.
        InStock = "in_stock",
        /// Sold, yes or no.
        Sold = "sold",
        /// The currency of the prices.
        Currency = "currency",
    }
}

/// Known senders' layouts, named for the report: a layout is recognised when all these heads are there.
const LAYOUTS: &[(&str, &[&str])] = &[
    ("Meta automotive inventory", &["vehicleid", "stateofvehicle", "mileagevalue"]),
    ("Google vehicle ads", &["storecode", "vin", "imagelink"]),
    ("HomeNet", &["dealerid", "internetprice", "msrpprice"]),
    ("AutoTrader upload", &["dealerid", "physicalimages"]),
    ("Canadian dealer feed", &["dealerid", "stockno", "economycity"]),
    ("DMS spreadsheet", &["stocknumber", "modelnumber", "age"]),
    ("Cars.com listings", &["usednew", "dealtype", "stock"]),
    ("Manheim auction", &["mmr", "sellingprice", "saledate"]),
    ("TrueCar listings", &["vin", "mileage", "city", "state"]),
    ("Craigslist classifieds", &["paintcolor", "titlestatus", "postingdate"]),
    ("Salvage auction", &["titlestatus", "lot", "brand"]),
];

/// How a sender's file is to be read, from a TOML file. Everything is optional; what it does not say is recognised.
///
/// ```toml
/// delimiter = ";"            # one character, or "tab"
/// odometer_unit = "km"       # of plain numbers
/// currency = "CAD"           # of plain amounts
/// [columns]
/// vin = "Chassis"
/// price = ["Web price", "List"]   # the first that says something
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// The character between fields.
    pub delimiter: Option<String>,
    /// `km` or `mi`.
    pub odometer_unit: Option<String>,
    /// The currency of plain amounts.
    pub currency: Option<Currency>,
    /// Heads by fact.
    pub columns: BTreeMap<Field, Heads>,
}

/// One head, or several in order.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged)]
pub enum Heads {
    /// One.
    One(String),
    /// Several; the first that says something wins.
    Many(Vec<String>),
}

impl Mapping {
    /// Reads a mapping file. The error says where it is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mapping: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        if mapping.delimiter.as_deref().is_some_and(|d| d != "tab" && d.len() != 1) {
            return Err("delimiter: expected one character, or \"tab\"".into());
        }
        if mapping.odometer_unit.as_deref().is_some_and(|u| !matches!(u, "km" | "mi")) {
            return Err("odometer_unit: expected \"km\" or \"mi\"".into());
        }
        Ok(mapping)
    }

    /// The delimiter as a byte.
    pub fn delimiter_byte(&self) -> Option<u8> {
        match self.delimiter.as_deref()? {
            "tab" => Some(b'\t'),
            other => other.bytes().next(),
        }
    }
}

/// The columns of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The sender's layout by name, or "by column heads", or "mapping file".
    pub name: &'static str,
    /// The heads as written.
    pub heads: Vec<String>,
    columns: BTreeMap<Field, Vec<usize>>,
    /// Whether plain odometer numbers are kilometres.
    pub kilometres: bool,
    /// The currency of plain amounts, when told.
    pub currency: Option<Currency>,
}

impl Layout {
    /// Recognises a head row. `None` when it has no VIN column or fewer than two other facts.
    pub fn recognise(heads: Vec<String>, mapping: Option<&Mapping>) -> Option<Self> {
        let plain_heads: Vec<String> = heads.iter().map(|h| plain_head(h)).collect();
        let mut columns: BTreeMap<Field, Vec<usize>> = BTreeMap::new();
        for (field, names) in SYNONYMS {
            for name in *names {
                let found = plain_heads.iter().enumerate().filter(|(_, h)| h == name).map(|(at, _)| at);
                columns.entry(*field).or_default().extend(found);
            }
        }
        // Heads that are no known word are asked for the words in them, after those that are.
        for (at, head) in heads.iter().enumerate() {
            if !columns.values().any(|known| known.contains(&at)) {
                heads::fields_of(head).into_iter().for_each(|field| columns.entry(field).or_default().push(at));
            }
        }
        let mut known = true;
        for (field, wanted) in mapping.iter().flat_map(|m| &m.columns) {
            let wanted: Vec<&String> = match wanted {
                Heads::One(one) => vec![one],
                Heads::Many(many) => many.iter().collect(),
            };
            let found: Vec<usize> = wanted.iter().filter_map(|w| plain_heads.iter().position(|h| *h == plain_head(w))).collect();
            known &= !found.is_empty();
            columns.insert(*field, found);
        }
        columns.retain(|_, at| !at.is_empty());
        let facts =
            [Field::Year, Field::Make, Field::Model, Field::Price, Field::Odometer, Field::StockNumber, Field::Msrp, Field::Condition];
        let others = facts.iter().filter(|f| columns.contains_key(f)).count();
        if !columns.contains_key(&Field::Vin) || others < 2 || !known {
            return None;
        }
        let named = LAYOUTS.iter().find(|(_, needs)| needs.iter().all(|n| plain_heads.iter().any(|h| h == n)));
        let name =
            if mapping.is_some_and(|m| !m.columns.is_empty()) { "mapping file" } else { named.map_or("by column heads", |(name, _)| name) };
        let km_head = columns
            .get(&Field::Odometer)
            .and_then(|at| plain_heads.get(*at.first()?))
            .is_some_and(|h| h.contains("km") || h.starts_with("kilomet"));
        let price_head = columns.get(&Field::Price).and_then(|at| heads.get(*at.first()?));
        let currency = mapping.and_then(|m| m.currency).or_else(|| price_head.and_then(|head| heads::currency_of(head)));
        let kilometres = match mapping.and_then(|m| m.odometer_unit.as_deref()) {
            Some(unit) => unit == "km",
            None => km_head,
        };
        Some(Self { name, heads, columns, kilometres, currency })
    }

    /// The columns of a fact, best first.
    pub fn columns(&self, field: Field) -> &[usize] {
        self.columns.get(&field).map_or(&[], Vec::as_slice)
    }

    /// The columns that hold no known fact.
    pub fn unread(&self) -> Vec<usize> {
        let about_itself = |head: &str| head.starts_with('@') || head.contains(".@");
        (0..self.heads.len())
            .filter(|at| !about_itself(self.head_at(*at)) && !self.columns.values().any(|columns| columns.contains(at)))
            .collect()
    }

    /// Whether a column may hold one of several facts.
    pub fn is_shared(&self, at: usize) -> bool {
        self.columns.values().filter(|columns| columns.contains(&at)).count() > 1
    }

    /// The head of the first column of a fact, for reports; the fact's own name when no column holds it.
    pub fn head(&self, field: Field) -> &str {
        self.columns(field).first().and_then(|at| self.heads.get(*at)).map_or(field.as_str(), String::as_str)
    }

    /// The head of a column.
    pub fn head_at(&self, at: usize) -> &str {
        self.heads.get(at).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(heads: &str) -> Option<Layout> {
        Layout::recognise(heads.split(',').map(str::to_owned).collect(), None)
    }

    #[test]
    fn heads_are_compared_without_case_and_punctuation() {
        let layout = layout("Stock #, VIN ,MODEL_YEAR,Make,Internet Price,price,mileage.value,image[0].url").unwrap();
        assert_eq!(layout.columns(Field::StockNumber), [0]);
        assert_eq!(layout.columns(Field::Vin), [1]);
        assert_eq!(layout.columns(Field::Price), [4, 5]);
        assert_eq!(layout.columns(Field::Photos), [7]);
        assert_eq!(layout.head(Field::Vin), " VIN ");
    }

    #[test]
    fn what_is_no_inventory_is_not_recognised() {
        assert_eq!(layout("id,name,email"), None);
        assert_eq!(layout("vin,note"), None);
        assert_eq!(layout("\u{0}\u{1},PK"), None);
    }

    #[test]
    fn a_mapping_beats_the_synonyms_and_must_fit() {
        let mapping = Mapping::parse("odometer_unit = \"km\"\n[columns]\nvin = \"Chassis no.\"\nprice = [\"Web\", \"List\"]").unwrap();
        let heads = |text: &str| text.split(',').map(str::to_owned).collect();
        let layout = Layout::recognise(heads("chassis no,list,web,year,make,price"), Some(&mapping)).unwrap();
        assert_eq!((layout.columns(Field::Vin), layout.columns(Field::Price), layout.kilometres), (&[0][..], &[2, 1][..], true));
        assert_eq!(Layout::recognise(heads("vin,year,make,price"), Some(&mapping)), None);
        assert!(Mapping::parse("[columns]\nvinn = \"x\"").is_err());
        assert!(Mapping::parse("delimiter = \"--\"").is_err());
    }

    #[test]
    fn every_known_layout_is_recognised() {
        let Some(rows) = crate::inventory::testdata::csv("feeds/column_layouts.csv") else { return };
        for row in rows {
            let layout = layout(&row["columns"]).unwrap_or_else(|| panic!("{}", row["layout"]));
            for field in [Field::Vin, Field::Year, Field::Make, Field::Model] {
                assert_eq!(layout.columns(field).len(), 1, "{field} of {}", row["layout"]);
            }
            assert!(!layout.columns(Field::Price).is_empty() || !layout.columns(Field::Msrp).is_empty(), "{}", row["layout"]);
            assert!(!layout.columns(Field::StockNumber).is_empty(), "{}", row["layout"]);
            assert_ne!(layout.name, "by column heads", "{}", row["layout"]);
        }
    }
}
