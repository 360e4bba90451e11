//! The customers, made by their leads and by what they did on the web site.

use bytes::Bytes;
use chrono::Duration;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::LoadError;
use super::lot::lots;
use super::past::{self, Past};
use crate::channels::{Channels, ChannelsError, Delivery};
use crate::customers::Customers;
use crate::demo::group::STORES;
use crate::demo::people::{Person, people};
use crate::demo::{events, leads};
use crate::inventory::Inventory;

/// Leads taken in at a time.
const AT_ONCE: usize = 8;

pub(super) async fn load(past: &Past) -> Result<String, LoadError> {
    let (channels, admin) = (channels(past), past::actor(&past.app, "admin@example.com").await?);
    let (mut all, mut done) = (Vec::new(), 0_usize);
    for (n, (at, units)) in (0_u64..).zip(lots()) {
        for person in people(n, 3, &at, &units) {
            if let Some(car) = units.get(person.car) {
                let text = leads::adf(&person, car, &at, past.present());
                all.push((person.days_ago, at.code, text));
            }
        }
        // Two of today's leads that no program can read.
        all.extend((0..2).map(|i| (0, at.code, leads::broken(n.saturating_mul(10).saturating_add(i)))));
    }
    all.sort_by_key(|(days_ago, ..)| std::cmp::Reverse(*days_ago));
    // One day after the other; the leads of a day come in side by side.
    for day in all.chunk_by(|a, b| a.0 == b.0) {
        let days = day.first().map_or(0, |(days, ..)| *days);
        past.go_to(past.present() - Duration::days(days) - Duration::minutes(5));
        let intake = day.iter().map(|(_, code, text)| {
            let delivery = Delivery { body: Bytes::copy_from_slice(text.as_bytes()), charset: None };
            channels.receive_adf(&admin, admin.by(None), code, delivery)
        });
        done += stream::iter(intake).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await.map_err(|e| refused(&e))?.len();
    }
    past.go_to(past.present());
    past::leave(&past.app, &admin).await?;
    Ok(format!("{done} leads"))
}

pub(super) async fn browse(past: &Past) -> Result<String, LoadError> {
    let (channels, admin) = (channels(past), past::actor(&past.app, "admin@example.com").await?);
    let mut done = 0_usize;
    for (n, (at, units)) in (0_u64..).zip(lots()) {
        let batch = events::events(&people(n, 3, &at, &units), &units, past.present());
        for part in batch.chunks(250) {
            let body = Value::Array(part.to_vec()).to_string();
            done += channels.receive_events(&admin, admin.by(None), at.code, body.as_bytes()).await.map_err(|e| refused(&e))?.len();
        }
    }
    past::leave(&past.app, &admin).await?;
    Ok(format!("{done} events"))
}

/// The people of every store, with the store's number.
pub(super) fn everybody() -> Vec<(usize, Person)> {
    (0_u64..)
        .zip(lots())
        .enumerate()
        .flat_map(|(store, (n, (at, units)))| {
            people(n, u64::try_from(STORES.len()).unwrap_or(3), &at, &units).into_iter().map(move |p| (store, p))
        })
        .collect()
}

fn channels(past: &Past) -> Channels {
    let (app, inventory) = (&past.app, Inventory::new(past.app.db.clone()));
    let customers = Customers::new(app.db.clone(), app.sealer.clone());
    Channels::new(app.db.clone(), app.sealer.clone(), app.dealers.clone(), customers, inventory)
}

fn refused(error: &ChannelsError) -> LoadError {
    LoadError::Refused(format!("leads: {error}"))
}
