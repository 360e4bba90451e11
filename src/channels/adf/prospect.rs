//! What a prospect says, typed, beside the words it came in.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::kernel::money::Cents;

/// What the sender wrote and, when it could be understood, what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told<T> {
    /// The sender's words.
    pub text: String,
    /// What they mean; none when they could not be understood.
    pub value: Option<T>,
}

/// `<prospect>`: one person's request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Prospect {
    /// `status`: `new` or `resend`, in the sender's words.
    pub status: Option<String>,
    /// The sender's ids of this request.
    pub ids: Vec<Identifier>,
    /// When the person asked.
    pub request_date: Option<Told<DateTime<Utc>>>,
    /// Vehicles wanted and vehicles traded in, in the sender's order.
    pub vehicles: Vec<Vehicle>,
    /// Who asks.
    pub customer: Option<Customer>,
    /// Further customers, such as a co-buyer.
    pub co_customers: Vec<Customer>,
    /// The dealer it is addressed to.
    pub vendor: Option<Vendor>,
    /// Who sends it.
    pub provider: Option<Provider>,
    /// Elements that ADF 1.0 does not know, with their text.
    pub extras: Vec<Extra>,
    /// Oddities, without personal data.
    pub warnings: Vec<String>,
    /// Why its markup could only be read in part.
    pub damage: Option<String>,
    /// SHA-256 over the content without its `status`: equal for a document sent twice, however it is formatted.
    #[serde(skip)]
    pub content_hash: [u8; 32],
}

/// `<id sequence source>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Identifier {
    /// Which of several, from 1.
    pub sequence: Option<String>,
    /// Whose id it is.
    pub source: Option<String>,
    /// The id.
    pub value: Option<String>,
}

crate::text_enum! {
    /// What the person wants with a vehicle.
    pub enum VehicleInterest {
        /// To buy it.
        Buy = "BUY",
        /// To lease it.
        Lease = "LEASE",
        /// To sell it to the dealer.
        Sell = "SELL",
        /// To trade it in for another.
        TradeIn = "TRADE_IN",
        /// To drive it.
        TestDrive = "TEST_DRIVE",
    }
}

crate::text_enum! {
    /// Whether a new or a used vehicle is meant.
    pub enum VehicleStatus {
        /// New.
        New = "NEW",
        /// Used.
        Used = "USED",
        /// Used, certified by the maker.
        Certified = "CERTIFIED",
    }
}

/// `<vehicle>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Vehicle {
    /// `interest`; missing means to buy.
    pub interest: Option<Told<VehicleInterest>>,
    /// `status`.
    pub status: Option<Told<VehicleStatus>>,
    /// Ids of the vehicle.
    pub ids: Vec<Identifier>,
    /// Model year.
    pub year: Option<Told<i32>>,
    /// Make.
    pub make: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Trim.
    pub trim: Option<String>,
    /// VIN as sent.
    pub vin: Option<String>,
    /// Stock number.
    pub stock: Option<String>,
    /// Doors.
    pub doors: Option<Told<i32>>,
    /// Body style in the sender's words.
    pub body_style: Option<String>,
    /// Transmission in the sender's words.
    pub transmission: Option<String>,
    /// Odometer.
    pub odometer: Option<Odometer>,
    /// `condition` (excellent, good …).
    pub condition: Option<String>,
    /// Colours, first choice first.
    pub colours: Vec<ColourChoice>,
    /// Prices.
    pub prices: Vec<Price>,
    /// `pricecomments`.
    pub price_comments: Option<String>,
    /// Options asked for.
    pub options: Vec<Opt>,
    /// How it is to be paid.
    pub finance: Option<Finance>,
    /// Free text.
    pub comments: Option<String>,
}

/// `<odometer units>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Odometer {
    /// The reading, in its own unit.
    pub reading: Option<Told<i32>>,
    /// Its unit; missing means miles in the United States.
    pub units: Option<Told<OdometerUnit>>,
}

crate::text_enum! {
    /// Unit of an odometer.
    pub enum OdometerUnit {
        /// Miles.
        Miles = "MILES",
        /// Kilometres.
        Kilometres = "KILOMETRES",
    }
}

/// `<colorcombination>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ColourChoice {
    /// Outside.
    pub exterior: Option<String>,
    /// Inside.
    pub interior: Option<String>,
    /// 1 is the first choice.
    pub preference: Option<Told<i32>>,
}

/// `<option>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Opt {
    /// Its name.
    pub name: Option<String>,
    /// The maker's code.
    pub code: Option<String>,
    /// The dealer's stock number of the option.
    pub stock: Option<String>,
    /// How much it is wanted, from -100 to 100.
    pub weighting: Option<Told<i32>>,
    /// Its price.
    pub price: Option<Price>,
}

/// `<price>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Price {
    /// The sender's words.
    pub text: Option<String>,
    /// The amount; none when it is zero ("no price"), a range or not a number.
    pub amount: Option<Cents>,
    /// The lower end of what was said; equal to the upper one for a plain figure.
    pub least: Option<Cents>,
    /// The upper end of what was said.
    pub most: Option<Cents>,
    /// ISO 4217 code as sent.
    pub currency: Option<String>,
    /// `quote`, `offer`, `msrp`, `invoice`, `call`, `appraisal`, `asking`.
    pub kind: Option<String>,
    /// `absolute`, `relative`, `percentage`.
    pub delta: Option<String>,
    /// What a delta relates to.
    pub relative_to: Option<String>,
    /// Where the price is from.
    pub source: Option<String>,
}

/// `<finance>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Finance {
    /// `cash`, `finance`, `lease`.
    pub method: Option<String>,
    /// Down payment, monthly payment, total.
    pub amounts: Vec<Amount>,
    /// What is still owed, or the residual.
    pub balance: Option<Price>,
    /// Term in months.
    pub term_months: Option<Told<i32>>,
    /// Rate in percent, as sent.
    pub rate: Option<Told<Decimal>>,
    /// How often is paid, as sent.
    pub frequency: Option<String>,
    /// Yearly distance of a lease, as sent.
    pub mileage_allowance: Option<Odometer>,
}

crate::text_enum! {
    /// What an amount of a financing wish is.
    pub enum AmountKind {
        /// Paid at the start.
        DownPayment = "DOWN_PAYMENT",
        /// Paid each month.
        Monthly = "MONTHLY",
        /// Paid in all.
        Total = "TOTAL",
    }
}

crate::text_enum! {
    /// How strict an amount is meant.
    pub enum AmountLimit {
        /// At most.
        Maximum = "MAXIMUM",
        /// At least.
        Minimum = "MINIMUM",
        /// Exactly.
        Exact = "EXACT",
    }
}

/// `<amount>` of a financing wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// What it is; missing means the total.
    pub kind: Option<Told<AmountKind>>,
    /// How strict; missing means at most.
    pub limit: Option<Told<AmountLimit>>,
    /// The figure.
    pub price: Price,
}

/// `<customer>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// The sender's ids of the person.
    pub ids: Vec<Identifier>,
    /// The person, the primary contact first.
    pub contacts: Vec<Contact>,
    /// When they want to buy.
    pub timeframe: Option<Timeframe>,
    /// What they wrote. May hold anything, also birth dates and incomes: sealed wherever it is kept.
    pub comments: Option<String>,
}

/// `<contact>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Ids of the contact.
    pub ids: Vec<Identifier>,
    /// Name, in parts or whole.
    pub names: Vec<NamePart>,
    /// E-mail addresses as sent.
    pub emails: Vec<Email>,
    /// Phone numbers as sent.
    pub phones: Vec<Phone>,
    /// Postal addresses.
    pub addresses: Vec<Address>,
    /// Whether it is marked as the primary one.
    pub primary: bool,
}

/// `<name part type>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NamePart {
    /// `first`, `middle`, `last`, `suffix`, `full`; missing means full.
    pub part: String,
    /// `individual` or `business`.
    pub kind: Option<String>,
    /// The name.
    pub text: Option<String>,
}

/// `<email>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Email {
    /// As sent.
    pub text: String,
    /// Marked as the preferred way.
    pub preferred: bool,
}

/// `<phone>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Phone {
    /// `voice`, `cellphone`, `fax`, `pager` or what the sender calls it.
    pub kind: Option<String>,
    /// The best time to call.
    pub time: Option<String>,
    /// As sent.
    pub text: String,
    /// Marked as the preferred way.
    pub preferred: bool,
}

/// `<address>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Address {
    /// `home`, `work`, `delivery`.
    pub kind: Option<String>,
    /// Street lines, joined.
    pub street: Option<String>,
    /// Apartment.
    pub apartment: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or province.
    pub region: Option<String>,
    /// ZIP or postal code.
    pub postal_code: Option<String>,
    /// Country.
    pub country: Option<String>,
}

/// `<timeframe>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Timeframe {
    /// In words.
    pub description: Option<String>,
    /// Not before.
    pub earliest: Option<Told<DateTime<Utc>>>,
    /// Not after.
    pub latest: Option<Told<DateTime<Utc>>>,
}

/// `<vendor>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Vendor {
    /// Ids of the dealer.
    pub ids: Vec<Identifier>,
    /// Its name.
    pub name: Option<String>,
    /// Its site, or prose.
    pub url: Option<String>,
    /// Its people.
    pub contacts: Vec<Contact>,
}

/// `<provider>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Provider {
    /// Its ids.
    pub ids: Vec<Identifier>,
    /// Its name.
    pub name: Option<String>,
    /// The service the lead is from.
    pub service: Option<String>,
    /// Its site.
    pub url: Option<String>,
    /// Where it can be reached.
    pub contact: Contact,
}

/// An element outside ADF 1.0, kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extra {
    /// `vehicle/partner-score`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Vehicle {
    /// Whether the person wants this vehicle, rather than offers it. An interest in other words counts as wanted unless it
    /// speaks of trading or selling.
    pub fn wanted(&self) -> bool {
        match &self.interest {
            None => true,
            Some(Told { value: Some(interest), .. }) => {
                matches!(interest, VehicleInterest::Buy | VehicleInterest::Lease | VehicleInterest::TestDrive)
            }
            Some(Told { text, value: None }) => !["trad", "sell", "apprais"].iter().any(|word| text.to_lowercase().contains(word)),
        }
    }

    /// The price that counts: the first with an amount.
    pub fn price(&self) -> Option<&Price> {
        self.prices.iter().find(|p| p.amount.is_some())
    }
}

impl Prospect {
    /// The vehicles the person wants.
    pub fn wanted(&self) -> impl Iterator<Item = &Vehicle> {
        self.vehicles.iter().filter(|v| v.wanted())
    }

    /// The vehicles the person offers.
    pub fn offered(&self) -> impl Iterator<Item = &Vehicle> {
        self.vehicles.iter().filter(|v| !v.wanted())
    }

    /// Whether the sender marked it as sent again.
    pub fn resent(&self) -> bool {
        self.status.as_deref().is_some_and(|s| s.eq_ignore_ascii_case("resend"))
    }
}
