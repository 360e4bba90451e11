//! The lots, imported as feeds: as they were six weeks ago, as they are today, and one that a manager must look at.

use std::io::Cursor;

use chrono::Duration;

use super::LoadError;
use super::past::Past;
use crate::db::By;
use crate::demo::group::{DemoStore, STORES};
use crate::demo::lot::{self, Unit};
use crate::inventory::{FeedImport, FeedSource, Inventory};

pub(super) async fn load(past: &Past) -> Result<String, LoadError> {
    let today = past.present().date_naive();
    let mut cars = 0;
    for (at, units) in lots() {
        past.go_to(past.present() - Duration::days(30));
        import(past, &at, "lot.csv", lot::feed(&units, today, true)).await?;
        past.go_to(past.present() - Duration::hours(6));
        import(past, &at, "lot.csv", lot::feed(&units, today, false)).await?;
        cars += units.len();
    }
    // A feed that lost most of its rows on the way: held, nothing is marked, a manager decides.
    if let Some((at, units)) = lots().into_iter().next() {
        past.go_to(past.present() - Duration::minutes(40));
        let few: Vec<Unit> = units.into_iter().take(60).collect();
        import(past, &at, "lot-cut-off.csv", lot::feed(&few, today, false)).await?;
    }
    Ok(format!("{cars} vehicles, one feed held for a manager"))
}

/// Every store with its lot.
pub(super) fn lots() -> Vec<(DemoStore, Vec<Unit>)> {
    (0..).zip(STORES).map(|(n, at)| (at, lot::units(n, at.letter))).collect()
}

async fn import(past: &Past, at: &DemoStore, name: &str, feed: String) -> Result<FeedImport, LoadError> {
    let store = past.app.dealers.store_by_code(at.code).ok_or_else(|| LoadError::Refused(format!("store {} is missing", at.code)))?;
    let source = FeedSource::new(Cursor::new(feed.into_bytes()), name);
    let import = Inventory::new(past.app.db.clone())
        .import(&store, source, By::system(), |line| tracing::debug!(?line, "demo feed"))
        .await
        .map_err(|e| LoadError::Refused(format!("lot of {}: {e}", at.code)))?;
    Ok(import)
}
