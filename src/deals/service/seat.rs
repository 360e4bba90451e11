//! Who sits at a deal: taking the seat, renewing it, asking for it, answering, taking it over. See [`crate::deals::seat`].

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use super::{DealError, Deals, Refusal, RefusalCode};
use crate::auth::{Actor, Scope};
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, DbError, Tx};
use crate::deals::seat::{self, Seat, SeatAnswer, Takeover, TakeoverReason};
use crate::deals::store::seats::{self, Found};
use crate::kernel::id::{DealId, SessionId, UserId};

/// Minutes for which an abandoned seat still shows who had it and what was unsaved.
const REMEMBERED_MINUTES: i64 = 15;

/// A colleague takes the seat.
#[derive(Debug, Clone)]
pub struct TakeOver {
    /// Which deal.
    pub deal_id: DealId,
    /// Why.
    pub reason: TakeoverReason,
    /// In words, for the holder.
    pub note: Option<String>,
}

/// The outcome of something about a seat: the seat as it stands, or why not.
#[derive(Debug)]
pub struct SeatOutcome {
    /// The deal, when it may be seen.
    pub deal_id: Option<DealId>,
    /// Who has the seat now.
    pub seat: Option<Seat>,
    /// Why it was refused.
    pub refused: Option<Refusal>,
}

fn refuse(code: RefusalCode, field: &str, message: String) -> Refusal {
    Refusal::new(code, field, message)
}

/// "Riley has this deal open on Tablet 4."
pub(super) fn held(deal: DealId, who: &str, label: Option<&str>) -> Refusal {
    let device = label.map_or_else(String::new, |label| format!(" on {label}"));
    let message = format!("{who} has this deal open{device}. Watch, ask for it, or take it over.");
    refuse(RefusalCode::HeldElsewhere, "dealId", message).of(deal)
}

fn held_by(deal: DealId, seat: &Seat) -> Refusal {
    held(deal, &seat.holder.user_name, seat.holder.label.as_deref())
}

impl Deals {
    /// Takes a free seat, or renews one's own; `unsaved` says what the device has not saved yet. One statement as long as the
    /// device has the seat.
    pub async fn take_seat(&self, actor: &Actor, by: By, deal: DealId, unsaved: Option<&str>) -> Result<SeatOutcome, DealError> {
        let session = device(actor)?;
        if let Some(seated) = self.sit(actor, &by, deal, session, unsaved).await? {
            return Ok(seated);
        }
        self.at_seat(actor, by, deal, async |tx: &mut Tx, found: &Found, now| match &found.seat {
            // Nobody is there any more: the seat goes on to who came, and the list of takeovers says so.
            Some(seat) if !seat.stands(now) => {
                self.pass(tx, found, deal, (session, actor.user_id()), TakeoverReason::HolderAway, now).await
            }
            Some(seat) => Err(held_by(deal, seat).into()),
            None => Ok(seats::give(tx.conn(), deal, session, now, seat::expiry(now)).await?),
        })
        .await
    }

    /// Renews the seat; refused when another device has it by now, which is how a tablet that slept learns of it.
    pub async fn renew_seat(&self, actor: &Actor, by: By, deal: DealId, unsaved: Option<&str>) -> Result<SeatOutcome, DealError> {
        if let Some(seated) = self.sit(actor, &by, deal, device(actor)?, unsaved).await? {
            return Ok(seated);
        }
        match seats::find(&mut *self.db.read().await?, &actor.selling_scope(), deal).await? {
            Some(Found { seat: Some(seat), .. }) if seat.holder.session_id != device(actor)? => {
                let refused = Some(held_by(deal, &seat));
                Ok(SeatOutcome { deal_id: Some(deal), seat: Some(seat), refused })
            }
            _ => self.take_seat(actor, by, deal, unsaved).await,
        }
    }

    /// A free seat taken, or one's own renewed. None when another device has it, or there is no such deal.
    async fn sit(
        &self,
        actor: &Actor,
        by: &By,
        deal: DealId,
        session: SessionId,
        unsaved: Option<&str>,
    ) -> Result<Option<SeatOutcome>, DealError> {
        let (scope, now) = (actor.selling_scope(), self.db.now());
        let mut conn = self.db.read().await?;
        let renewed = seats::take(&mut conn, &scope, deal, session, unsaved, now, seat::expiry(now)).await?;
        let Some(renewed) = renewed else { return Ok(None) };
        let found = seats::find(&mut conn, &scope, deal).await?;
        drop(conn);
        if renewed.news {
            let mut tx = self.db.begin(by.clone()).await?;
            tx.notify(renewed.store_id, Subject::Deal, deal.0, renewed.version);
            tx.commit().await?;
        }
        Ok(Some(SeatOutcome { deal_id: Some(deal), seat: found.and_then(|found| found.seat), refused: None }))
    }

    /// Leaves the seat, so that nobody needs to ask.
    pub async fn leave_seat(&self, actor: &Actor, by: By, deal: DealId) -> Result<SeatOutcome, DealError> {
        let session = device(actor)?;
        self.at_seat(actor, by, deal, async |tx: &mut Tx, _: &Found, _| {
            seats::leave(tx.conn(), &actor.selling_scope(), deal, session).await?;
            Ok(())
        })
        .await
    }

    /// Asks the holder to hand the deal over. The holder's device shows it at once.
    pub async fn ask_seat(&self, actor: &Actor, by: By, deal: DealId, note: Option<&str>) -> Result<SeatOutcome, DealError> {
        let session = device(actor)?;
        self.at_seat(actor, by, deal, async |tx: &mut Tx, found: &Found, now| match &found.seat {
            Some(seat) if seat.stands(now) && seat.holder.session_id != session => {
                if seat.asked_by_another(session, now) {
                    return Err(first_to_ask(deal, seat).into());
                }
                Ok(seats::ask(tx.conn(), deal, session, note, now, None).await?)
            }
            _ => Err(refuse(RefusalCode::NotHeld, "dealId", "Nobody else has this deal open: just go on.".into()).of(deal).into()),
        })
        .await
    }

    /// The holder answers the colleague who asked.
    pub async fn answer_seat(
        &self,
        actor: &Actor,
        by: By,
        deal: DealId,
        answer: SeatAnswer,
        note: Option<&str>,
    ) -> Result<SeatOutcome, DealError> {
        let session = device(actor)?;
        self.at_seat(actor, by, deal, async |tx: &mut Tx, found: &Found, now| {
            let seat = found.seat.as_ref().filter(|seat| seat.holder.session_id == session);
            let Some(wish) = seat.and_then(|seat| seat.wish.as_ref()) else {
                let message = "Nobody asks this device for the deal.".to_owned();
                return Err(refuse(RefusalCode::NotHeld, "dealId", message).of(deal).into());
            };
            match answer {
                SeatAnswer::Keep => Ok(seats::keep(tx.conn(), deal, note).await?),
                SeatAnswer::HandOver => {
                    self.pass(tx, found, deal, (wish.device.session_id, wish.device.user_id), TakeoverReason::HandedOver, now).await
                }
            }
        })
        .await
    }

    /// Takes the deal over from another device. A colleague who is there is warned first, and has a moment to answer: until then the
    /// refusal says from when. Every takeover is recorded with its reason.
    pub async fn take_over(&self, actor: &Actor, by: By, wish: TakeOver) -> Result<SeatOutcome, DealError> {
        let (session, deal) = (device(actor)?, wish.deal_id);
        self.at_seat(actor, by, deal, async |tx: &mut Tx, found: &Found, now| {
            let Some(seat) = &found.seat else {
                return Ok(seats::give(tx.conn(), deal, session, now, seat::expiry(now)).await?);
            };
            match seat.takeover(actor.user_id(), session, now) {
                Takeover::Free => Ok(()),
                Takeover::Now => self.pass(tx, found, deal, (session, actor.user_id()), wish.reason, now).await,
                Takeover::Asked => Err(first_to_ask(deal, seat).into()),
                Takeover::Wait(from) => Err(warned(deal, seat, from).into()),
                Takeover::Warn(from) => {
                    seats::ask(tx.conn(), deal, session, wish.note.as_deref(), now, Some(from)).await?;
                    Err(warned(deal, seat, from).into())
                }
            }
        })
        .await
    }

    /// Who sits at a deal.
    pub async fn seat(&self, scope: &Scope, deal: DealId) -> Result<Option<Seat>, DbError> {
        Ok(seats::find(&mut *self.db.read().await?, scope, deal).await?.and_then(|found| found.seat))
    }

    /// Forgets seats of devices that were not heard of for long or have signed out, and tells whoever watches.
    pub async fn clear_seats(&self) -> Result<usize, DbError> {
        let mut tx = self.db.begin(By::system()).await?;
        let before = tx.now().checked_sub_signed(Duration::minutes(REMEMBERED_MINUTES)).unwrap_or_default();
        let freed = seats::clear(tx.conn(), before).await?;
        for seat in &freed {
            tx.notify(seat.store_id, Subject::Deal, seat.deal_id, seat.version);
        }
        tx.commit().await?;
        Ok(freed.len())
    }

    /// Locks the deal, does something about its seat, and tells everybody who watches. A refusal that changed something (a warning)
    /// is committed too.
    async fn at_seat(
        &self,
        actor: &Actor,
        by: By,
        deal: DealId,
        work: impl AsyncFnOnce(&mut Tx, &Found, DateTime<Utc>) -> Result<(), DealError>,
    ) -> Result<SeatOutcome, DealError> {
        let scope = actor.selling_scope();
        let mut tx = self.db.begin(by).await?;
        let now = tx.now();
        let Some(found) = seats::lock(tx.conn(), &scope, deal).await? else {
            return Ok(SeatOutcome { deal_id: None, seat: None, refused: Some(Refusal::no_deal()) });
        };
        let refused = match work(&mut tx, &found, now).await {
            Ok(()) => None,
            Err(DealError::Refused(refusal)) => Some(refusal),
            Err(error) => return Err(error),
        };
        let seat = seats::find(tx.conn(), &scope, deal).await?.and_then(|found| found.seat);
        if seat != found.seat {
            tx.notify(found.store_id.0, Subject::Deal, deal.0, found.version);
        }
        tx.commit().await?;
        Ok(SeatOutcome { deal_id: Some(deal), seat, refused })
    }

    /// The seat goes to another device, and the history says from whom, to whom and why.
    async fn pass(
        &self,
        tx: &mut Tx,
        found: &Found,
        deal: DealId,
        to: (SessionId, UserId),
        reason: TakeoverReason,
        now: DateTime<Utc>,
    ) -> Result<(), DealError> {
        seats::give(tx.conn(), deal, to.0, now, seat::expiry(now)).await?;
        let Some(seat) = &found.seat else { return Ok(()) };
        let wish = seat.wish.as_ref().filter(|wish| wish.device.session_id == to.0);
        tx.audit(AuditEvent {
            store_id: Some(found.store_id.0),
            subject: Subject::Deal,
            subject_id: deal.0,
            verb: "taken_over",
            // What was unsaved is the device's own words: that there was something is enough here.
            detail: json!({ "reason": reason, "fromUserId": seat.holder.user_id, "toUserId": to.1, "samePerson": to.1 == seat.holder.user_id,
                            "heldSeconds": now.signed_duration_since(seat.since).num_seconds(), "unsaved": seat.unsaved.is_some(),
                            "warned": wish.is_some(), "kept": wish.is_some_and(|wish| wish.kept) }),
        });
        Ok(())
    }
}

/// The device that acts. Programs with a key have none and need no seat.
fn device(actor: &Actor) -> Result<SessionId, DealError> {
    actor.session_id().ok_or_else(|| refuse(RefusalCode::NotFound, "dealId", "Only a person's device sits at a deal.".into()).into())
}

fn first_to_ask(deal: DealId, seat: &Seat) -> Refusal {
    let who = seat.wish.as_ref().map_or("Somebody", |wish| wish.device.user_name.as_str());
    refuse(RefusalCode::AlreadyAsked, "dealId", format!("{who} has asked for this deal already.")).of(deal)
}

fn warned(deal: DealId, seat: &Seat, from: DateTime<Utc>) -> Refusal {
    let message = format!("{} was told. You can take the deal over from {}.", seat.holder.user_name, from.format("%H:%M:%S UTC"));
    refuse(RefusalCode::HolderWarned, "dealId", message).of(deal)
}
