//! Inventory in the API: the lot and its vehicles, feed imports, live changes.

mod feed;
mod filter;
mod mutation;
mod query;
mod subscription;
mod vehicle;

pub use feed::{FeedImportNode, FeedReportTotals};
pub use mutation::InventoryMutation;
pub use query::{InventoryQuery, VehicleTotals};
pub use subscription::InventorySubscription;
pub use vehicle::{VehicleNode, VinText};
