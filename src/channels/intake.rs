//! Taking in a lead document: everything is kept, what is understood becomes a customer and their wishes.
//!
//! One transaction per document. The unique index over the content decides which of many equal leads is the first; the
//! others say which one they repeat. A lead with an id that came before, or one marked as sent again, is tied to the first
//! when it is the same person's; a sender that uses one id for two people does not mix them up.

use chrono::Duration;
use serde_json::{Value, json};

use super::adf::{self, Document, Prospect};
use super::model::{ADF_CHANNEL, LeadStatus, ReceivedLead};
use super::reading::{self, Reading};
use super::service::{ATTEMPTS, Channels, ChannelsError, Delivery, parsed_context, raw_context};
use super::store::{self, Known, NewLead};
use crate::auth::Actor;
use crate::customers::{ExternalId, IncomingPerson};
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, DbError, Tx};
use crate::dealers::StoreInfo;
use crate::kernel::id::{CustomerId, LeadId, VehicleId};
use crate::kernel::seal::sha256;

/// How long after a lead one marked as sent again, but without an id, is still taken for the same.
const RESEND_DAYS: i64 = 90;

/// A prospect with what it means.
struct Understood<'a> {
    prospect: &'a Prospect,
    reading: Reading,
}

/// The document that is being kept.
struct Intake<'a> {
    store: &'a StoreInfo,
    body: &'a [u8],
    /// The first lead of the document, once it is there.
    first: Option<LeadId>,
}

impl Channels {
    /// Takes in an ADF document for a store. Each prospect becomes a lead, and so does what could not be understood.
    pub async fn receive_adf(
        &self,
        actor: &Actor,
        by: By,
        store_code: &str,
        delivery: Delivery,
    ) -> Result<Vec<ReceivedLead>, ChannelsError> {
        let store = self.door(actor, store_code)?;
        let (body, charset) = (delivery.body.clone(), delivery.charset.clone());
        // A megabyte of foreign XML takes a moment; others are served meanwhile.
        let document = tokio::task::spawn_blocking(move || adf::parse(&body, charset.as_deref())).await;
        let document = document.map_err(|_| DbError::Corrupt("the reader of leads failed".into()))?;
        let now = self.db.now();
        let mut understood: Vec<Understood<'_>> = Vec::new();
        for prospect in &document.prospects {
            let mut reading = reading::read(prospect, ADF_CHANNEL, store.as_ref().into(), now);
            add_warnings(&mut reading.summary, &document.warnings);
            understood.push(Understood { prospect, reading });
        }
        self.find_vehicles(actor, &store, &mut understood).await?;
        let people: Vec<IncomingPerson> =
            understood.iter().filter(|lead| lead.reading.needs_person.is_none()).map(|lead| person_of(&lead.reading)).collect();
        let _turn = self.customers.turn(store.id, &people).await?;
        let mut attempt = 1;
        loop {
            match self.keep(by.clone(), &store, &delivery.body, &document, &understood).await {
                Err(DbError::Conflict(_)) if attempt < ATTEMPTS => {
                    tokio::time::sleep(std::time::Duration::from_millis(u64::from(attempt) * 15)).await;
                    attempt += 1;
                }
                result => return Ok(result?),
            }
        }
    }

    /// Ties the vehicles of a lead to those on the lot.
    async fn find_vehicles(&self, actor: &Actor, store: &StoreInfo, leads: &mut [Understood<'_>]) -> Result<(), DbError> {
        let vehicles = || leads.iter().flat_map(|l| l.prospect.wanted());
        let vins: Vec<String> = vehicles().filter_map(|v| v.vin.as_deref()).map(plain_vin).collect();
        let stocks: Vec<String> = vehicles().filter_map(|v| v.stock.as_deref()).flat_map(stock_spellings).collect();
        let found = self.inventory.find_named(&actor.channel_scope().only(store.id), &vins, &stocks).await?;
        for lead in leads {
            let shown = lead.reading.summary.get_mut("vehicles").and_then(Value::as_array_mut);
            for (vehicle, shown) in lead.prospect.vehicles.iter().zip(shown.into_iter().flatten()) {
                let by_vin = vehicle.vin.as_deref().and_then(|vin| found.by_vin(&plain_vin(vin)));
                let id: Option<VehicleId> = by_vin
                    .or_else(|| vehicle.stock.as_deref().and_then(|s| stock_spellings(s).iter().find_map(|s| found.by_stock(s))))
                    .map(|v| v.id);
                if let (true, Some(id), Some(map)) = (vehicle.wanted(), id, shown.as_object_mut()) {
                    map.insert("vehicleId".into(), json!(id));
                }
            }
        }
        Ok(())
    }

    async fn keep(
        &self,
        by: By,
        store: &StoreInfo,
        body: &[u8],
        document: &Document,
        leads: &[Understood<'_>],
    ) -> Result<Vec<ReceivedLead>, DbError> {
        let mut tx = self.db.begin(by).await?;
        let mut intake = Intake { store, body, first: None };
        let mut out = Vec::new();
        for (ordinal, lead) in leads.iter().enumerate() {
            let ordinal = i32::try_from(ordinal).unwrap_or(i32::MAX);
            out.push(self.keep_prospect(&mut tx, &mut intake, ordinal, lead).await?);
        }
        if let Some(fault) = &document.fault {
            let ordinal = i32::try_from(leads.len()).unwrap_or(i32::MAX);
            out.push(self.keep_fault(&mut tx, &mut intake, ordinal, document, fault).await?);
        }
        for lead in &out {
            tx.audit(AuditEvent {
                store_id: Some(store.id.0),
                subject: Subject::Lead,
                subject_id: lead.id.0,
                verb: "received",
                detail: json!({ "channel": ADF_CHANNEL, "status": lead.status, "duplicateOf": lead.duplicate_of }),
            });
            tx.notify(store.id.0, Subject::Lead, lead.id.0, 0);
        }
        tx.commit().await?;
        Ok(out)
    }

    async fn keep_prospect(
        &self,
        tx: &mut Tx,
        intake: &mut Intake<'_>,
        ordinal: i32,
        lead: &Understood<'_>,
    ) -> Result<ReceivedLead, DbError> {
        let (prospect, reading) = (lead.prospect, &lead.reading);
        let parsed = serde_json::to_vec(prospect).map_err(|e| DbError::Corrupt(e.to_string()))?;
        let status = if reading.needs_person.is_some() { LeadStatus::NeedsPerson } else { LeadStatus::Accepted };
        let row =
            Row { ordinal, reading: Some(reading), parsed: Some(&parsed), content: &prospect.content_hash, summary: &reading.summary };
        let (id, known) = self.insert(tx, intake, &row, status, reading.needs_person.as_deref(), prospect.resent()).await?;
        let changed_since = match &known {
            Some(known) => self.changed_since(tx, intake.store, id, known, lead).await?,
            None => None,
        };
        if let (Some(known), None) = (&known, &changed_since) {
            let status = if prospect.resent() { LeadStatus::Resend } else { LeadStatus::Duplicate };
            return Ok(ReceivedLead { id, status, reason: Some(SAME_CONTENT.to_owned()), duplicate_of: Some(known.id) });
        }
        if let Some(reason) = &reading.needs_person {
            return Ok(ReceivedLead { id, status, reason: Some(reason.clone()), duplicate_of: None });
        }
        let person = person_of(reading);
        let customer = self.customers.resolve(tx, intake.store.id, &person).await?.customer_id();
        let (status, reason, first_id) = match changed_since {
            Some(root) => (LeadStatus::Resend, Some("sent again as it was before a change; the customer was updated"), Some(root)),
            None => self.first_of(tx, intake.store, id, customer, lead).await?,
        };
        store::settle_lead(tx.conn(), id, status, reason, first_id, customer).await?;
        let replaced = match first_id {
            Some(first) => store::family(tx.conn(), first).await?.into_iter().map(LeadId).filter(|l| *l != id).collect(),
            None => Vec::new(),
        };
        let mut wishes = reading.wishes.clone();
        for wish in &mut wishes {
            wish.source_lead_id = Some(id);
        }
        self.customers.record_preferences(tx, intake.store.id, customer, &wishes, &replaced).await?;
        for (purpose, granted) in &reading.consents {
            self.customers.record_consent(tx, intake.store.id, customer, *purpose, *granted, ADF_CHANNEL, Some(id.0)).await?;
        }
        Ok(ReceivedLead { id, status, reason: reason.map(str::to_owned), duplicate_of: first_id })
    }

    /// The first lead of a request that came before as it is now, but was changed since: sent back to what it was, it is no
    /// repetition. Not when the sender says that the change is newer: then an old delivery came late.
    async fn changed_since(
        &self,
        tx: &mut Tx,
        store: &StoreInfo,
        id: LeadId,
        known: &Known,
        lead: &Understood<'_>,
    ) -> Result<Option<LeadId>, DbError> {
        let reading = &lead.reading;
        let (Some(source), Some(external), Some(customer)) = (&reading.source, &reading.external_id, known.customer_id) else {
            return Ok(None);
        };
        let newest = store::newest_with_external_id(tx.conn(), store.id, source, external, customer, id).await?;
        let newest = newest.filter(|v| v.customer_id == Some(customer) && v.content != lead.prospect.content_hash);
        let late = newest.as_ref().is_some_and(|v| v.requested_at > reading.requested_at);
        Ok(newest.filter(|_| !late && reading.needs_person.is_none()).map(|v| v.root))
    }

    /// The earlier lead of the same person that this one sends again, if any.
    async fn first_of(
        &self,
        tx: &mut Tx,
        store: &StoreInfo,
        id: LeadId,
        customer: CustomerId,
        lead: &Understood<'_>,
    ) -> Result<(LeadStatus, Option<&'static str>, Option<LeadId>), DbError> {
        let reading = &lead.reading;
        if let (Some(source), Some(external)) = (&reading.source, &reading.external_id) {
            match store::newest_with_external_id(tx.conn(), store.id, source, external, customer, id).await? {
                Some(known) if known.customer_id.is_none_or(|c| c == customer) => {
                    return Ok((LeadStatus::Resend, Some("sent again with changed content; the customer was updated"), Some(known.root)));
                }
                Some(_) => return Ok((LeadStatus::Accepted, Some("the sender used this id before for another person"), None)),
                None => {}
            }
        }
        if !lead.prospect.resent() {
            return Ok((LeadStatus::Accepted, None, None));
        }
        let since = tx.now() - Duration::days(RESEND_DAYS);
        match store::newest_of_customer(tx.conn(), customer, reading.source.as_deref(), since, id).await? {
            Some(known) => Ok((LeadStatus::Resend, Some("marked as sent again; the customer was updated"), Some(known.id))),
            None => Ok((LeadStatus::Accepted, Some("marked as sent again, but the first was never received"), None)),
        }
    }

    /// Keeps what could not be understood: the whole document, or what is broken between its prospects.
    async fn keep_fault(
        &self,
        tx: &mut Tx,
        intake: &mut Intake<'_>,
        ordinal: i32,
        document: &Document,
        fault: &str,
    ) -> Result<ReceivedLead, DbError> {
        let fault = &reading::scrub(fault);
        let summary = json!({ "warnings": document.warnings.iter().map(|w| reading::scrub(w)).collect::<Vec<_>>() });
        let content = sha256(&[b"document\n", intake.body].concat());
        let row = Row { ordinal, reading: None, parsed: None, content: &content, summary: &summary };
        let (id, known) = self.insert(tx, intake, &row, LeadStatus::NeedsPerson, Some(fault), false).await?;
        Ok(match known {
            Some(known) => {
                ReceivedLead { id, status: LeadStatus::Duplicate, reason: Some(SAME_CONTENT.to_owned()), duplicate_of: Some(known.id) }
            }
            None => ReceivedLead { id, status: LeadStatus::NeedsPerson, reason: Some(fault.to_owned()), duplicate_of: None },
        })
    }

    /// Writes the row. When its content came before, it is written as a repetition, and what it repeats is told.
    async fn insert(
        &self,
        tx: &mut Tx,
        intake: &mut Intake<'_>,
        row: &Row<'_>,
        status: LeadStatus,
        reason: Option<&str>,
        resent: bool,
    ) -> Result<(LeadId, Option<Known>), DbError> {
        let id: LeadId = self.db.new_id();
        // The bytes are kept once, with the first lead of the document.
        let raw = intake.first.is_none().then(|| self.sealer.seal(&raw_context(id), intake.body));
        let parsed = row.parsed.map(|plain| self.sealer.seal(&parsed_context(id), plain));
        let mut new = NewLead {
            id,
            store_id: intake.store.id,
            channel: ADF_CHANNEL,
            ordinal: row.ordinal,
            source: row.reading.and_then(|r| r.source.as_deref()),
            external_id: row.reading.and_then(|r| r.external_id.as_deref()),
            content: row.content,
            status,
            reason,
            document_id: intake.first,
            raw_sealed: raw.as_deref(),
            parsed_sealed: parsed.as_deref(),
            summary: row.summary,
            requested_at: row.reading.and_then(|r| r.requested_at),
            received_at: tx.now(),
            repeats: None,
        };
        intake.first.get_or_insert(id);
        if store::insert_lead(tx.conn(), &new).await? {
            return Ok((id, None));
        }
        let known = store::first_with_content(tx.conn(), intake.store.id, row.content).await?;
        let known = known.ok_or_else(|| DbError::Corrupt("a lead's content is taken by no lead".into()))?;
        new.status = if resent { LeadStatus::Resend } else { LeadStatus::Duplicate };
        new.reason = Some(SAME_CONTENT);
        new.repeats = Some(&known);
        store::insert_lead(tx.conn(), &new).await?;
        Ok((id, Some(known)))
    }
}

/// What differs between the rows of a document.
struct Row<'a> {
    ordinal: i32,
    reading: Option<&'a Reading>,
    parsed: Option<&'a [u8]>,
    content: &'a [u8],
    summary: &'a Value,
}

const SAME_CONTENT: &str = "the same lead came before";

/// The person, known also by the lead's id: a corrected e-mail address does not make somebody new. Only with a name, and only
/// for ids long enough to be ids.
fn person_of(reading: &Reading) -> IncomingPerson {
    let mut person = reading.person.clone();
    let named = person.person.given_name.is_some() || person.person.family_name.is_some();
    if let (true, Some(source), Some(id)) = (named, &reading.source, &reading.external_id)
        && id.len() >= 4
    {
        person.external_ids.push(ExternalId { source: format!("lead {source}"), id: id.clone() });
    }
    person
}

fn plain_vin(vin: &str) -> String {
    vin.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).take(17).collect()
}

/// A stock number as sent, without `#` and spaces, and in capitals and small letters.
fn stock_spellings(sent: &str) -> [String; 4] {
    let bare: String = sent.trim().trim_start_matches('#').chars().filter(|c| !c.is_whitespace()).take(64).collect();
    [sent.to_owned(), bare.to_uppercase(), bare.to_lowercase(), bare]
}

fn add_warnings(summary: &mut Value, more: &[String]) {
    if let Some(warnings) = summary.get_mut("warnings").and_then(Value::as_array_mut) {
        warnings.extend(more.iter().map(|w| json!(reading::scrub(w))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_number_is_looked_for_in_every_spelling() {
        for sent in ["AU10235", "au10235", "#AU10235", " # au 10235"] {
            assert!(stock_spellings(sent).contains(&"AU10235".to_owned()), "{sent}");
        }
        assert!(stock_spellings("Ab-1").contains(&"Ab-1".to_owned()));
    }
}
