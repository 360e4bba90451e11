//! Inventory: which vehicles a store has, what they cost, who holds them, and how feeds change them.
//!
//! # Rules
//! - A vehicle belongs to one store and is found there by its VIN; a feed may change facts and prices, never sell a car.
//! - A VIN with a wrong check digit is refused at the door ([`Vin`]). Where feed and VIN disagree, both are kept and shown.
//! - A vehicle that a feed no longer names is flagged (`missing_since`). A feed that would drop too much of the lot is held
//!   for a manager.
//! - One active hold per VIN in a dealer group, decided by the unique index `vehicle_hold_active_key`. The states
//!   `ON_HOLD`, `PENDING_SALE`, `SOLD` and later beat every feed.
//!
//! # Terms
//! *Lot*: the vehicles of a store that are for sale. *Feed*: a file that names the whole lot of a store. *Stock number*: the
//! store's own number of a vehicle. *MSRP*: the maker's suggested retail price. *Missing*: absent from the newest feed.

mod facts;
pub mod feed;
mod fuel_economy;
pub mod graphql;
mod holds;
pub mod import;
mod lookup;
mod model;
mod service;
mod store;
#[cfg(test)]
mod testdata;
mod vin;
mod vpic;

pub use facts::VehicleFacts;
pub use fuel_economy::FuelEconomy;
pub use holds::{Freed, HoldLimit, HoldPolicy, PlaceHold, QueuePlace};
pub use import::{FeedImport, FeedImportStatus, FeedReportLine, FeedReportSeverity, FeedSource, ImportError, Progress};
pub use lookup::Named;
pub use model::{
    BodyStyle, ColorFamily, Drivetrain, FuelType, Hold, HoldReason, PriceKind, Transmission, Vehicle, VehicleCondition, VehicleFilter,
    VehicleKey, VehicleOrder, VehicleStatus, VinStatus,
};
pub use service::{Inventory, InventoryError, PriceError};
pub use store::{Disagreement, PriceChange, VehicleParts};
pub use vin::{Vin, VinError};
pub use vpic::{Decoded, decode};
