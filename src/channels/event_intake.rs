//! Taking in a batch of events: each is kept once, tied to its vehicle and customer, and says what it says about wishes.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use uuid::Uuid;

use super::events::{self, Event};
use super::observe;
use super::service::{ATTEMPTS, Channels, ChannelsError};
use super::store::{self, EventColumns};
use crate::auth::Actor;
use crate::customers::{ConsentPurpose, ExternalId, IncomingEmail, IncomingPerson, IncomingPhone, NewPreference};
use crate::db::{By, DbError};
use crate::dealers::StoreInfo;
use crate::inventory::{Named, Vehicle};
use crate::kernel::id::{CustomerId, EventId};

crate::text_enum! {
    /// What became of an event.
    pub enum EventStatus {
        /// Kept.
        Accepted = "ACCEPTED",
        /// Came before; changed nothing.
        Duplicate = "DUPLICATE",
        /// Not kept; the reason says why.
        Refused = "REFUSED",
    }
}

/// The answer to one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceivedEvent {
    /// Its position in the batch, from 0.
    pub index: usize,
    /// The sender's id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What became of it.
    pub status: EventStatus,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An event and what is known around it.
struct Known<'a> {
    event: &'a Event,
    id: EventId,
    vehicle: Option<&'a Vehicle>,
    customer: Option<CustomerId>,
}

impl Channels {
    /// Takes in a batch of events for a store.
    pub async fn receive_events(&self, actor: &Actor, by: By, store_code: &str, body: &[u8]) -> Result<Vec<ReceivedEvent>, ChannelsError> {
        let store = self.door(actor, store_code)?;
        let batch = events::parse_batch(body, self.db.now())?;
        let good: Vec<&Event> = batch.iter().filter_map(|e| e.as_ref().ok()).collect();
        let scope = actor.channel_scope().only(store.id);
        let vins: Vec<String> = good.iter().filter_map(|e| e.vin.clone()).collect();
        let stocks: Vec<String> = good.iter().filter_map(|e| e.stock.clone()).collect();
        let lot = self.inventory.find_named(&scope, &vins, &stocks).await?;
        let customers = self.visitors(&store, &good).await?;
        let silent = self.without_profile(&scope, &customers).await?;
        let known: Vec<Known<'_>> = good
            .iter()
            .zip(customers)
            .map(|(event, customer)| Known { event, id: self.db.new_id(), vehicle: vehicle_of(event, &lot), customer })
            .collect();
        let mut attempt = 1;
        let kept = loop {
            match self.keep_events(by.clone(), &store, &known, &silent).await {
                Err(DbError::Conflict(_)) if attempt < ATTEMPTS => {
                    tokio::time::sleep(std::time::Duration::from_millis(u64::from(attempt) * 15)).await;
                    attempt += 1;
                }
                result => break result?,
            }
        };
        let mut ids = known.iter().map(|k| k.id);
        let answers = batch.iter().enumerate().map(|(index, event)| match event {
            Ok(event) => {
                let fresh = ids.next().is_some_and(|id| kept.contains(&id));
                let status = if fresh { EventStatus::Accepted } else { EventStatus::Duplicate };
                ReceivedEvent { index, id: Some(event.external_id.clone()), status, reason: None }
            }
            Err((id, reason)) => ReceivedEvent { index, id: id.clone(), status: EventStatus::Refused, reason: Some(reason.clone()) },
        });
        Ok(answers.collect())
    }

    /// The customer of each event, where a contact detail names exactly one. An event never makes a customer.
    async fn visitors(&self, store: &StoreInfo, events: &[&Event]) -> Result<Vec<Option<CustomerId>>, DbError> {
        let people: Vec<IncomingPerson> = events.iter().map(|e| incoming(e)).collect();
        self.customers.known_as(store.id, &people).await
    }

    /// Customers who do not want their behaviour kept as wishes.
    async fn without_profile(&self, scope: &crate::auth::Scope, customers: &[Option<CustomerId>]) -> Result<HashSet<CustomerId>, DbError> {
        let ids: Vec<CustomerId> = customers.iter().flatten().copied().collect::<HashSet<_>>().into_iter().collect();
        let mut newest: HashMap<CustomerId, (chrono::DateTime<chrono::Utc>, bool)> = HashMap::new();
        for (customer, consent) in self.customers.consents(scope, &ids).await? {
            if consent.purpose == ConsentPurpose::Profiling {
                let said = newest.entry(customer).or_insert((consent.at, consent.granted));
                if consent.at >= said.0 {
                    *said = (consent.at, consent.granted);
                }
            }
        }
        Ok(newest.into_iter().filter(|(_, (_, granted))| !granted).map(|(id, _)| id).collect())
    }

    async fn keep_events(
        &self,
        by: By,
        store: &StoreInfo,
        known: &[Known<'_>],
        silent: &HashSet<CustomerId>,
    ) -> Result<HashSet<EventId>, DbError> {
        if known.is_empty() {
            return Ok(HashSet::new());
        }
        let mut tx = self.db.begin(by).await?;
        let now = tx.now();
        let kept: HashSet<EventId> = store::insert_events(tx.conn(), store.id, &columns(known), now).await?.into_iter().collect();
        // In the order of the ids, so that two batches do not wait for each other crosswise.
        let mut wishes: BTreeMap<CustomerId, Vec<NewPreference>> = BTreeMap::new();
        for k in known.iter().filter(|k| kept.contains(&k.id)) {
            let Some(customer) = k.customer.filter(|c| !silent.contains(c)) else { continue };
            let mut new = observe::wishes(k.event, k.vehicle);
            for wish in &mut new {
                wish.source_event_id = Some(k.id);
            }
            wishes.entry(customer).or_default().extend(new);
        }
        for (customer, wishes) in wishes {
            self.customers.record_preferences(&mut tx, store.id, customer, &wishes, &[]).await?;
        }
        tx.commit().await?;
        Ok(kept)
    }
}

fn vehicle_of<'a>(event: &Event, lot: &'a Named) -> Option<&'a Vehicle> {
    let by_vin = event.vin.as_deref().and_then(|vin| lot.by_vin(vin));
    by_vin.or_else(|| event.stock.as_deref().and_then(|stock| lot.by_stock(stock)))
}

fn incoming(event: &Event) -> IncomingPerson {
    let visitor = &event.visitor;
    IncomingPerson {
        emails: visitor.email.iter().map(|address| IncomingEmail { address: address.clone(), verified: false }).collect(),
        phones: visitor.phone.iter().map(|number| IncomingPhone { number: number.clone(), label: None }).collect(),
        external_ids: visitor.external_id.iter().map(|id| ExternalId { source: id.source.clone(), id: id.id.clone() }).collect(),
        ..IncomingPerson::default()
    }
}

fn columns(known: &[Known<'_>]) -> EventColumns {
    let mut out = EventColumns::default();
    for k in known {
        let event = k.event;
        out.ids.push(k.id.0);
        out.customers.push(k.customer.map(Uuid::from));
        out.channels.push(event.channel.clone());
        out.names.push(event.name.clone());
        out.kinds.push(event.kind.as_str().to_owned());
        out.sources.push(event.source.clone());
        out.external_ids.push(event.external_id.clone());
        out.vehicles.push(k.vehicle.map(|v| v.id.0));
        out.durations.push(event.duration_seconds);
        out.properties.push(event.properties.clone());
        out.occurred.push(event.occurred_at);
    }
    out
}
