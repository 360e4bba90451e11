//! One record of a feed: a vehicle that may land, or the reason why not.
//!
//! # Decisions
//! - VIN, model year, make and model are needed; year, make and model may come from the VIN. An unreadable price or odometer
//!   refuses the row: a vehicle shown at a wrong price is worse than one that waits for its sender.
//! - "Not Priced", zero and dashes are no price; the vehicle lands without one.
//! - No stock number: the last eight characters of the VIN, so that the same vehicle gets the same number every day.
//! - A row with fewer or more fields than heads is refused: its columns may be shifted or cut.
//! - Any other cell that cannot be read is left out and reported; the vehicle lands.
//! - A row that the feed itself calls sold is not put on the lot.
//! - Where feed and VIN disagree, the feed's word is shown and the disagreement kept. A model that is no model ("door", "mpv")
//!   gives way to the VIN's.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use super::cells::{COLOR_MAX, DESCRIPTION_MAX, ENGINE_MAX, EXCERPT, MAKE_MAX, NAME_MAX, STOCK_NUMBER_MAX};
use super::dates;
use super::layout::{Field, Layout};
use super::names;
use super::normalise as n;
use super::records::Record;
use super::source::text_of;
use crate::inventory::fuel_economy::{self, Facts, FuelEconomy};
use crate::inventory::model::{BodyStyle, ColorFamily, Drivetrain, FuelType, Transmission, VehicleCondition, VehicleStatus};
use crate::inventory::vin::Vin;
use crate::inventory::vpic::{self, Decoded};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::text;

/// A vehicle as a feed tells it, with what its VIN adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRow {
    /// The VIN.
    pub vin: Vin,
    /// The store's number, or the derived one.
    pub stock_number: String,
    /// New, used or certified.
    pub condition: VehicleCondition,
    /// Where it stands, when the feed says so.
    pub status: Option<VehicleStatus>,
    /// The model year.
    pub model_year: i32,
    /// The make.
    pub make: String,
    /// The model.
    pub model: String,
    /// The trim.
    pub trim: Option<String>,
    /// The body.
    pub body_style: Option<BodyStyle>,
    /// The driven wheels.
    pub drivetrain: Option<Drivetrain>,
    /// The fuel.
    pub fuel: Option<FuelType>,
    /// The transmission.
    pub transmission: Option<Transmission>,
    /// The engine in words.
    pub engine: Option<String>,
    /// Cylinders.
    pub cylinders: Option<i32>,
    /// Doors.
    pub doors: Option<i32>,
    /// Seats.
    pub seats: Option<i32>,
    /// The outer colour.
    pub exterior_color: Option<String>,
    /// Its family.
    pub exterior_color_family: Option<ColorFamily>,
    /// The inner colour.
    pub interior_color: Option<String>,
    /// Miles.
    pub odometer_miles: Option<i32>,
    /// The asking price.
    pub price: Option<Cents>,
    /// The head of the column it came from.
    pub price_column: Option<Arc<str>>,
    /// The maker's suggested price.
    pub msrp: Option<Cents>,
    /// The invoice.
    pub invoice: Option<Cents>,
    /// The cost.
    pub cost: Option<Cents>,
    /// The currency, when the feed says so.
    pub currency: Option<Currency>,
    /// Fuel economy: city, highway, combined.
    pub mpg: (Option<i32>, Option<i32>, Option<i32>),
    /// The dealer's words.
    pub description: Option<String>,
    /// Photos.
    pub photos: Vec<String>,
    /// The day it came.
    pub received_on: Option<NaiveDate>,
    /// That day was counted back from an age, which depends on the day the file was made.
    pub received_by_age: bool,
    /// Attribute, the feed's word, the VIN's word.
    pub disagreements: Vec<(&'static str, String, String)>,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The column's head as written.
    pub column: String,
    /// The beginning of what was there.
    pub value: String,
    /// A stable code.
    pub code: &'static str,
    /// For the person who reads it.
    pub reason: String,
}

/// What a record gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The vehicle, or why it was refused.
    pub row: Result<Box<FeedRow>, Report>,
    /// The VIN of a refused row, so that its vehicle does not count as missing.
    pub vin: Option<String>,
    /// The stock number of a refused row.
    pub stock_number: Option<String>,
    /// What was noticed and did not stop it.
    pub warnings: Vec<Report>,
}

/// Reads records in one layout.
#[derive(Debug)]
pub struct RowReader {
    pub(super) layout: Layout,
    pub(super) today: NaiveDate,
    price_heads: HashMap<usize, Arc<str>>,
}

impl RowReader {
    /// For a layout, on the day `today`.
    pub fn new(layout: Layout, today: NaiveDate) -> Self {
        let price_heads = layout.columns(Field::Price).iter().map(|at| (*at, layout.head_at(*at).into())).collect();
        Self { layout, today, price_heads }
    }

    /// Reads one record.
    pub fn read(&self, record: &Record) -> Outcome {
        let mut warnings = Vec::new();
        let vin = Vin::parse(&self.raw(record, Field::Vin).unwrap_or_default());
        let stock_number = self.text(record, Field::StockNumber, STOCK_NUMBER_MAX);
        let row = self.row(record, vin.clone(), stock_number.clone(), &mut warnings).map(Box::new);
        // A warning is about a row that landed.
        if row.is_err() {
            warnings.clear();
        }
        Outcome { row, vin: vin.ok().map(Vin::into_string), stock_number, warnings }
    }

    fn row(
        &self,
        record: &Record,
        vin: Result<Vin, crate::inventory::vin::VinError>,
        stock_number: Option<String>,
        warnings: &mut Vec<Report>,
    ) -> Result<FeedRow, Report> {
        self.check_width(record)?;
        let vin = vin.map_err(|e| self.report(record, Field::Vin, e.code(), e.to_string()))?;
        let decoded = vpic::decode(&vin);
        let year = self.year(record, &vin, &decoded)?;
        self.check_sold(record, warnings)?;
        let (make, model, trim, mut disagreements) = self.name(record, &decoded)?;
        if let Some(of_vin) = decoded.model_year.filter(|y| *y != year) {
            disagreements.push(("modelYear", year.to_string(), of_vin.to_string()));
        }
        let (price, mut currency, price_at) = self.price(record)?;
        let odometer_miles = self.odometer(record, warnings)?;
        let mut amount = |field| self.lenient_amount(record, field, &mut currency, warnings);
        let (msrp, invoice, cost) = (amount(Field::Msrp), amount(Field::Invoice), amount(Field::Cost));
        let body = |text: &str| match n::body(text) {
            None if n::is_any_body(text) => Ok(None),
            body => body.map(Some).ok_or(n::Senseless),
        };
        let feed_body = self.told(record, Field::Body, warnings, body);
        let feed_fuel = self.known(record, Field::Fuel, warnings, n::fuel);
        let feed_drive = self.known(record, Field::Drivetrain, warnings, n::drivetrain);
        names::compare_facts(&mut disagreements, (feed_body, feed_fuel, feed_drive), &decoded);
        let condition = self.condition(record, msrp.is_some(), warnings);
        let engine = self.text(record, Field::Engine, ENGINE_MAX).filter(|e| e.chars().any(char::is_alphabetic));
        let exterior_color = self.text(record, Field::ExteriorColor, COLOR_MAX);
        let received = self.received_on(record, warnings);
        self.tell_cuts(record, warnings);
        let mut row = FeedRow {
            stock_number: stock_number.unwrap_or_else(|| vin.derived_stock_number().to_owned()),
            condition,
            status: self.status(record, warnings),
            model_year: year,
            make,
            model,
            trim,
            body_style: feed_body.or(decoded.body_style),
            drivetrain: feed_drive.or(decoded.drivetrain),
            fuel: feed_fuel.or(decoded.fuel),
            transmission: self.known(record, Field::Transmission, warnings, n::transmission),
            cylinders: self.known(record, Field::Cylinders, warnings, n::cylinders).or(decoded.cylinders),
            doors: self.small(record, Field::Doors, 1..=9, warnings).or(decoded.doors),
            seats: self.small(record, Field::Seats, 1..=99, warnings),
            exterior_color_family: exterior_color.as_deref().and_then(n::color_family),
            exterior_color,
            interior_color: self.text(record, Field::InteriorColor, COLOR_MAX),
            engine,
            odometer_miles,
            price,
            price_column: price_at.and_then(|at| self.price_heads.get(&at).cloned()),
            msrp,
            invoice,
            cost,
            currency: currency.or_else(|| self.currency(record, warnings)),
            mpg: (self.small(record, Field::CityMpg, 1..=400, warnings), self.small(record, Field::HighwayMpg, 1..=400, warnings), None),
            description: self.description(record, DESCRIPTION_MAX),
            photos: self.photos(record, warnings),
            received_on: received.map(|(day, _)| day),
            received_by_age: received.is_some_and(|(_, by_age)| by_age),
            disagreements,
            vin,
        };
        row.mpg = economy(&row, &decoded);
        Ok(row)
    }

    fn check_width(&self, record: &Record) -> Result<(), Report> {
        let (want, have) = (self.layout.heads.len(), record.width());
        let extra_is_empty = (want..have).all(|at| record.get(at).is_none_or(|f| f.iter().all(u8::is_ascii_whitespace)));
        if have >= want && extra_is_empty {
            return Ok(());
        }
        let start: Vec<u8> = record.fields().take(6).collect::<Vec<_>>().join(&b',');
        Err(Report {
            column: String::new(),
            value: text::excerpt(&text_of(&start), EXCERPT),
            code: "ROW_WIDTH",
            reason: format!("the row has {have} fields, the head has {want}: it is cut, or its columns are shifted"),
        })
    }

    fn year(&self, record: &Record, vin: &Vin, decoded: &Decoded) -> Result<i32, Report> {
        let bad = |code, reason: String| self.report(record, Field::Year, code, reason);
        // "2021-01-01" is a model year too.
        let year_of = |t: &str| n::whole(t).or_else(|_| dates::day(t).map(|day| day.map(|day| i64::from(day.year()))));
        let told = self.raw(record, Field::Year).map(|t| year_of(&t)).transpose();
        let told = told.map_err(|_| bad("YEAR_UNREADABLE", "the model year is not a number".into()))?.flatten();
        let next = self.today.year().saturating_add(2);
        let told = match told.map(i32::try_from) {
            Some(Ok(year)) if (1886..=next).contains(&year) => Some(year),
            Some(_) => return Err(bad("YEAR_IMPOSSIBLE", format!("the model year is not between 1886 and {next}"))),
            None => None,
        };
        vin.check_year(told).map_err(|e| self.report(record, Field::Vin, e.code(), e.to_string()))?;
        told.or(decoded.model_year).ok_or_else(|| bad("YEAR_MISSING", "neither the feed nor the VIN tells the model year".into()))
    }

    fn name(&self, record: &Record, decoded: &Decoded) -> Result<names::Name, Report> {
        let make = self.text(record, Field::Make, MAKE_MAX);
        let model = self.text(record, Field::Model, NAME_MAX);
        let trim = self.text(record, Field::Trim, NAME_MAX);
        names::name(make, model, trim, decoded).map_err(|field| {
            let what = field.as_str();
            let code = if field == Field::Make { "MAKE_MISSING" } else { "MODEL_MISSING" };
            self.report(record, field, code, format!("neither the feed nor the VIN tells the {what}"))
        })
    }
}

/// The feed's own figures, else the EPA's where they are beyond doubt. The EPA weighs city 55 and highway 45.
fn economy(row: &FeedRow, decoded: &Decoded) -> (Option<i32>, Option<i32>, Option<i32>) {
    if let (Some(city), Some(highway), _) = row.mpg {
        let weighed = highway.saturating_mul(55).saturating_add(city.saturating_mul(45));
        let combined = city.saturating_mul(highway).saturating_mul(100).checked_div(weighed);
        return (Some(city), Some(highway), combined);
    }
    let with_trim = row.trim.as_ref().map(|trim| format!("{} {trim}", row.model));
    let facts = Facts {
        year: row.model_year,
        make: &row.make,
        models: [with_trim.as_deref(), Some(&row.model), decoded.model],
        fuel: row.fuel,
        drivetrain: row.drivetrain,
        transmission: row.transmission,
        cylinders: row.cylinders,
        displacement_dl: decoded.displacement_dl,
    };
    match fuel_economy::find(&facts) {
        Some(FuelEconomy { city, highway, combined }) => (Some(city), Some(highway), Some(combined)),
        None => (None, None, None),
    }
}
