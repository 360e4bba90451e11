//! What a vehicle is: facts, states, and how the lot is searched.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::kernel::id::{DealId, StoreId, UserId, VehicleId};
use crate::kernel::money::{Cents, Currency};

crate::text_enum! {
    /// How far a VIN was checked.
    pub enum VinStatus {
        /// Seventeen characters with a correct check digit (49 CFR 565.15).
        Valid = "VALID",
        /// Older than 1981, or made for a market whose VINs carry no check digit.
        Unchecked = "UNCHECKED",
    }
}

crate::text_enum! {
    /// New, used, or used and certified by the maker.
    pub enum VehicleCondition {
        /// Never titled.
        New = "NEW",
        /// Titled before.
        Used = "USED",
        /// Used, inspected and warranted under a maker's certification programme (CPO).
        Certified = "CERTIFIED",
    }
}

crate::text_enum! {
    /// Where a vehicle stands between the factory and its buyer.
    pub enum VehicleStatus {
        /// Ordered from the maker, not built or shipped yet.
        Ordered = "ORDERED",
        /// On its way to the store.
        InTransit = "IN_TRANSIT",
        /// Being inspected and prepared.
        InRecon = "IN_RECON",
        /// On the lot and free.
        Available = "AVAILABLE",
        /// Held for a deal.
        OnHold = "ON_HOLD",
        /// A contract is being signed.
        PendingSale = "PENDING_SALE",
        /// Contracted.
        Sold = "SOLD",
        /// Handed over to its buyer.
        Delivered = "DELIVERED",
        /// Sent to auction or to another dealer.
        Wholesale = "WHOLESALE",
    }
}

impl VehicleStatus {
    /// Whether a deal may take it: nobody has it and it has not left.
    pub const fn is_free(self) -> bool {
        matches!(self, Self::Ordered | Self::InTransit | Self::InRecon | Self::Available)
    }

    /// Whether it has left the lot for good.
    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Sold | Self::Delivered | Self::Wholesale)
    }
}

crate::text_enum! {
    /// The shape of the body.
    pub enum BodyStyle {
        /// Four doors and a separate boot.
        Sedan = "SEDAN",
        /// Two doors and a fixed roof.
        Coupe = "COUPE",
        /// A roof that opens; roadsters too.
        Convertible = "CONVERTIBLE",
        /// A rear door that opens with the window.
        Hatchback = "HATCHBACK",
        /// An estate car.
        Wagon = "WAGON",
        /// Sport utility vehicle or crossover.
        Suv = "SUV",
        /// An open cargo bed.
        Pickup = "PICKUP",
        /// Minivan, passenger or cargo van.
        Van = "VAN",
        /// Two or three wheels.
        Motorcycle = "MOTORCYCLE",
        /// Anything else: chassis cabs, buses, heavy trucks.
        Other = "OTHER",
    }
}

crate::text_enum! {
    /// Which wheels are driven.
    pub enum Drivetrain {
        /// Front wheels.
        Fwd = "FWD",
        /// Rear wheels.
        Rwd = "RWD",
        /// All wheels, always or as needed.
        Awd = "AWD",
        /// All wheels, chosen by the driver.
        FourWd = "FOUR_WD",
    }
}

crate::text_enum! {
    /// What it runs on.
    pub enum FuelType {
        /// Petrol.
        Gasoline = "GASOLINE",
        /// Diesel, biodiesel too.
        Diesel = "DIESEL",
        /// Hybrid without a plug.
        Hybrid = "HYBRID",
        /// Hybrid with a plug.
        PlugInHybrid = "PLUG_IN_HYBRID",
        /// Battery only.
        Electric = "ELECTRIC",
        /// Gasoline and ethanol (E85).
        FlexFuel = "FLEX_FUEL",
        /// Fuel cell.
        Hydrogen = "HYDROGEN",
        /// Compressed or liquefied natural gas.
        NaturalGas = "NATURAL_GAS",
        /// Anything else, such as propane.
        Other = "OTHER",
    }
}

crate::text_enum! {
    /// How gears are changed.
    pub enum Transmission {
        /// Steps by itself; automated dual clutches too.
        Automatic = "AUTOMATIC",
        /// The driver changes gears.
        Manual = "MANUAL",
        /// Continuously variable.
        Cvt = "CVT",
        /// Anything else.
        Other = "OTHER",
    }
}

crate::text_enum! {
    /// The colour a customer would say. "Modern Steel Metallic" is gray.
    pub enum ColorFamily {
        /// Black.
        Black = "BLACK",
        /// White, pearl, ivory.
        White = "WHITE",
        /// Silver.
        Silver = "SILVER",
        /// Gray, charcoal, graphite.
        Gray = "GRAY",
        /// Red, maroon, burgundy.
        Red = "RED",
        /// Blue, navy, teal.
        Blue = "BLUE",
        /// Green, olive.
        Green = "GREEN",
        /// Brown, bronze, mocha.
        Brown = "BROWN",
        /// Beige, tan, sand, champagne.
        Beige = "BEIGE",
        /// Gold.
        Gold = "GOLD",
        /// Yellow.
        Yellow = "YELLOW",
        /// Orange, copper.
        Orange = "ORANGE",
        /// Purple, plum.
        Purple = "PURPLE",
        /// A colour that fits nowhere.
        Other = "OTHER",
    }
}

crate::text_enum! {
    /// Why a vehicle is held.
    pub enum HoldReason {
        /// A deal took it.
        Deal = "DEAL",
        /// A contract was signed.
        Contract = "CONTRACT",
        /// It was freed, and the first in line has it for a short while.
        Offer = "OFFER",
    }
}

crate::text_enum! {
    /// Which price changed.
    pub enum PriceKind {
        /// The asking price.
        Price = "PRICE",
        /// The maker's suggested retail price.
        Msrp = "MSRP",
    }
}

/// A vehicle of a store, as the lot shows it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Vehicle {
    /// Its id.
    pub id: VehicleId,
    /// The store that has it.
    pub store_id: StoreId,
    /// The vehicle identification number, upper-case, without separators.
    pub vin: String,
    /// How far the VIN was checked.
    pub vin_status: VinStatus,
    /// The store's own number; the last eight characters of the VIN when the feed has none.
    pub stock_number: String,
    /// New, used or certified.
    pub condition: VehicleCondition,
    /// Where it stands.
    pub status: VehicleStatus,
    /// The model year.
    pub model_year: i32,
    /// The make as the trade writes it.
    pub make: String,
    /// The model.
    pub model: String,
    /// The trim level.
    pub trim: Option<String>,
    /// The shape of the body.
    pub body_style: Option<BodyStyle>,
    /// Which wheels are driven.
    pub drivetrain: Option<Drivetrain>,
    /// What it runs on.
    pub fuel: Option<FuelType>,
    /// How gears are changed.
    pub transmission: Option<Transmission>,
    /// The engine in the feed's words.
    pub engine: Option<String>,
    /// Number of cylinders.
    pub cylinders: Option<i32>,
    /// Number of doors.
    pub doors: Option<i32>,
    /// Number of seats.
    pub seats: Option<i32>,
    /// The maker's name of the outer colour.
    pub exterior_color: Option<String>,
    /// The outer colour as a customer would say it.
    pub exterior_color_family: Option<ColorFamily>,
    /// The inner colour.
    pub interior_color: Option<String>,
    /// Miles driven.
    pub odometer_miles: Option<i32>,
    /// The asking price; none means "ask".
    pub price_cents: Option<Cents>,
    /// The maker's suggested retail price.
    pub msrp_cents: Option<Cents>,
    /// The maker's invoice. Managers only.
    pub invoice_cents: Option<Cents>,
    /// What the store paid and spent. Managers only.
    pub cost_cents: Option<Cents>,
    /// A lower price from a feed that waits for a manager, because the fall is larger than the store allows unseen.
    pub held_price_cents: Option<Cents>,
    /// Of all amounts above.
    pub currency: Currency,
    /// Miles per gallon in the city (for electric cars the equivalent).
    pub mpg_city: Option<i32>,
    /// Miles per gallon on the highway.
    pub mpg_highway: Option<i32>,
    /// Miles per gallon, combined.
    pub mpg_combined: Option<i32>,
    /// The dealer's words. Empty when a list did not ask for it.
    pub description: Option<String>,
    /// Addresses of photos, first one first. Empty when a list did not ask for it.
    pub photo_urls: Vec<String>,
    /// The day it came onto the lot.
    pub received_on: NaiveDate,
    /// Since when the store's feed no longer names it.
    pub missing_since: Option<DateTime<Utc>>,
    /// Grows with every change.
    pub version: i32,
    /// When it was first seen.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Vehicle {
    /// "2021 Honda Accord Sport", as a salesperson says it.
    pub fn title(&self) -> String {
        let trim = self.trim.as_deref().map(|t| format!(" {t}")).unwrap_or_default();
        format!("{} {} {}{trim}", self.model_year, self.make, self.model)
    }

    /// Whole days on the lot on the day `today`; 0 on the first.
    pub fn days_in_stock(&self, today: NaiveDate) -> i64 {
        today.signed_duration_since(self.received_on).num_days().max(0)
    }
}

/// A hold of a vehicle for a deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: Uuid,
    /// The vehicle.
    pub vehicle_id: VehicleId,
    /// The store the vehicle belongs to.
    pub store_id: StoreId,
    /// The deal that holds it.
    pub deal_id: DealId,
    /// Why.
    pub reason: HoldReason,
    /// Who placed it.
    pub placed_by: UserId,
    /// When.
    pub placed_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// How often it was extended.
    pub extensions: i32,
    /// Why, in the salesperson's words.
    pub note: Option<String>,
}

/// What to look for on the lot. Empty lists and `None` ask for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VehicleFilter {
    /// Only these stores.
    pub store_ids: Vec<StoreId>,
    /// Only these conditions.
    pub conditions: Vec<VehicleCondition>,
    /// Only these makes; case does not matter.
    pub makes: Vec<String>,
    /// Only these models; case does not matter.
    pub models: Vec<String>,
    /// First model year.
    pub year_min: Option<i32>,
    /// Last model year.
    pub year_max: Option<i32>,
    /// Lowest asking price.
    pub price_min: Option<Cents>,
    /// Highest asking price.
    pub price_max: Option<Cents>,
    /// Fewest miles.
    pub mileage_min: Option<i32>,
    /// Most miles.
    pub mileage_max: Option<i32>,
    /// Only these bodies.
    pub body_styles: Vec<BodyStyle>,
    /// Only these drivetrains.
    pub drivetrains: Vec<Drivetrain>,
    /// Only these fuels.
    pub fuels: Vec<FuelType>,
    /// Only these outer colours.
    pub color_families: Vec<ColorFamily>,
    /// Words that must all occur in year, make, model, trim, colour, engine, stock number, VIN or description; the last one
    /// may be the beginning of a word.
    pub text: Option<String>,
    /// Fewest days on the lot.
    pub days_in_stock_min: Option<i32>,
    /// Most days on the lot.
    pub days_in_stock_max: Option<i32>,
    /// Only these states; empty means `AVAILABLE`.
    pub statuses: Vec<VehicleStatus>,
    /// Only vehicles that the newest feed does not name (`true`) or does (`false`).
    pub missing: Option<bool>,
}

crate::text_enum! {
    /// The order of a vehicle list. Vehicles without the value come last.
    pub enum VehicleOrder {
        /// Newest on the lot first.
        Newest = "NEWEST",
        /// Longest on the lot first.
        Oldest = "DAYS_IN_STOCK_DESC",
        /// Cheapest first.
        PriceAsc = "PRICE_ASC",
        /// Dearest first.
        PriceDesc = "PRICE_DESC",
        /// Fewest miles first.
        MileageAsc = "MILEAGE_ASC",
        /// Most miles first.
        MileageDesc = "MILEAGE_DESC",
        /// Newest model year first.
        YearDesc = "YEAR_DESC",
        /// Oldest model year first.
        YearAsc = "YEAR_ASC",
    }
}

/// The place of a vehicle in an ordered list: its sort key and its id.
pub type VehicleKey = (i64, Uuid);

impl VehicleOrder {
    /// The sort key of a vehicle in this order; must agree with the SQL expression in the store.
    pub fn key(self, vehicle: &Vehicle) -> VehicleKey {
        let last = |value: Option<i64>| value.unwrap_or(if self.descends() { -1 } else { i64::MAX });
        let key = match self {
            Self::Newest | Self::Oldest => day_number(vehicle.received_on),
            Self::PriceAsc | Self::PriceDesc => last(vehicle.price_cents.map(|c| c.0)),
            Self::MileageAsc | Self::MileageDesc => last(vehicle.odometer_miles.map(i64::from)),
            Self::YearAsc | Self::YearDesc => i64::from(vehicle.model_year),
        };
        (key, vehicle.id.0)
    }

    /// Whether larger keys come first.
    pub const fn descends(self) -> bool {
        matches!(self, Self::Newest | Self::PriceDesc | Self::MileageDesc | Self::YearDesc)
    }
}

/// Days since 2000-01-01, PostgreSQL's `received_on - date '2000-01-01'`.
fn day_number(day: NaiveDate) -> i64 {
    NaiveDate::from_ymd_opt(2000, 1, 1).map_or(0, |epoch| day.signed_duration_since(epoch).num_days())
}
