//! Who sits at a deal: one device at a time writes, others watch, ask for the seat, or take it. Pure.
//!
//! A seat is taken for a minute and renewed by the device that has it. Nobody is thrown out unwarned: a takeover from a
//! colleague who is there begins with a warning, and only after a moment to answer is the seat free to take.

use chrono::{DateTime, Duration, Utc};

use crate::kernel::clock::later;
use crate::kernel::id::{SessionId, UserId};

/// Seconds a seat stands without being renewed.
pub const SEAT_SECONDS: i64 = 60;
/// Seconds the holder has to answer before the seat may be taken.
pub const WARNING_SECONDS: i64 = 10;
/// Seconds after which an unanswered wish makes room for another colleague's.
pub const ASK_SECONDS: i64 = 60;
/// Longest summary of what is unsaved, and longest note, in characters.
pub const SEAT_TEXT_MAX: usize = 300;

crate::text_enum! {
    /// Why a deal went from one device to another.
    pub enum TakeoverReason {
        /// The holder gave it away.
        HandedOver = "HANDED_OVER",
        /// The holder's device has not been heard of.
        HolderAway = "HOLDER_AWAY",
        /// The same person goes on with another device.
        OtherDevice = "OTHER_DEVICE",
        /// The customer went on with a colleague.
        CustomerWithColleague = "CUSTOMER_WITH_COLLEAGUE",
        /// A manager helps to close.
        ManagerHelps = "MANAGER_HELPS",
        /// To re-key figures that were wrong.
        CorrectFigures = "CORRECT_FIGURES",
        /// The shift changed.
        ShiftChange = "SHIFT_CHANGE",
        /// Something else; the note says what.
        Other = "OTHER",
    }
}

crate::text_enum! {
    /// The holder's answer to a colleague who asks.
    pub enum SeatAnswer {
        /// Here you are.
        HandOver = "HAND_OVER",
        /// Not now.
        Keep = "KEEP",
    }
}

/// A device of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Who.
    pub user_id: UserId,
    /// Their name as colleagues see it.
    pub user_name: String,
    /// The sign-in session of the device.
    pub session_id: SessionId,
    /// What the device is called, such as "Tablet 4".
    pub label: Option<String>,
}

/// A colleague's wish for the seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatWish {
    /// Who and where.
    pub device: Device,
    /// Since when.
    pub at: DateTime<Utc>,
    /// What they said.
    pub note: Option<String>,
    /// From when they may take it; none while it is only a wish.
    pub take_over_from: Option<DateTime<Utc>>,
    /// The holder said no.
    pub kept: bool,
    /// What the holder said.
    pub answer_note: Option<String>,
}

/// A seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Who has it.
    pub holder: Device,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When the device was last heard of.
    pub renewed_at: DateTime<Utc>,
    /// Until when it stands unless renewed.
    pub expires_at: DateTime<Utc>,
    /// What the device has not saved yet, in its own words.
    pub unsaved: Option<String>,
    /// A colleague who would like to have it.
    pub wish: Option<SeatWish>,
}

/// What becomes of a wish to take the seat now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takeover {
    /// Nobody has it, or this device does.
    Free,
    /// Take it from another device, and record why.
    Now,
    /// The holder is to be warned; the seat may be taken from then.
    Warn(DateTime<Utc>),
    /// The holder was warned; the seat may be taken from then.
    Wait(DateTime<Utc>),
    /// Another colleague was first to ask.
    Asked,
}

/// Until when a seat taken or renewed now stands.
pub fn expiry(now: DateTime<Utc>) -> DateTime<Utc> {
    later(now, Duration::seconds(SEAT_SECONDS))
}

impl Seat {
    /// Stands at this moment.
    pub fn stands(&self, now: DateTime<Utc>) -> bool {
        self.expires_at > now
    }

    /// Whether another colleague's wish is fresh and unanswered.
    pub fn asked_by_another(&self, session: SessionId, now: DateTime<Utc>) -> bool {
        self.wish
            .as_ref()
            .is_some_and(|wish| wish.device.session_id != session && !wish.kept && later(wish.at, Duration::seconds(ASK_SECONDS)) > now)
    }

    /// Whether this device may take the seat now.
    pub fn takeover(&self, user: UserId, session: SessionId, now: DateTime<Utc>) -> Takeover {
        if self.holder.session_id == session {
            return Takeover::Free;
        }
        if !self.stands(now) || self.holder.user_id == user {
            return Takeover::Now;
        }
        let mine = self.wish.as_ref().filter(|wish| wish.device.session_id == session);
        match mine.and_then(|wish| wish.take_over_from) {
            Some(from) if from <= now => Takeover::Now,
            Some(from) => Takeover::Wait(from),
            None if self.asked_by_another(session, now) => Takeover::Asked,
            None => Takeover::Warn(later(now, Duration::seconds(WARNING_SECONDS))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn device(user: u128, session: u128) -> Device {
        Device {
            user_id: UserId(Uuid::from_u128(user)),
            user_name: "Riley".into(),
            session_id: SessionId(Uuid::from_u128(session)),
            label: None,
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        later(DateTime::UNIX_EPOCH, Duration::seconds(seconds))
    }

    fn seat() -> Seat {
        Seat { holder: device(1, 10), since: at(0), renewed_at: at(0), expires_at: expiry(at(0)), unsaved: None, wish: None }
    }

    fn wish(session: u128, take_over_from: Option<i64>) -> SeatWish {
        SeatWish {
            device: device(2, session),
            at: at(5),
            note: None,
            take_over_from: take_over_from.map(at),
            kept: false,
            answer_note: None,
        }
    }

    fn try_as(seat: &Seat, user: u128, session: u128, seconds: i64) -> Takeover {
        seat.takeover(UserId(Uuid::from_u128(user)), SessionId(Uuid::from_u128(session)), at(seconds))
    }

    #[test]
    fn a_colleague_who_is_there_is_warned_and_then_the_seat_may_be_taken() {
        assert_eq!(try_as(&seat(), 2, 20, 5), Takeover::Warn(at(15)));
        let warned = Seat { wish: Some(wish(20, Some(15))), ..seat() };
        assert_eq!(try_as(&warned, 2, 20, 14), Takeover::Wait(at(15)));
        assert_eq!(try_as(&warned, 2, 20, 15), Takeover::Now);
        assert_eq!(try_as(&warned, 3, 30, 15), Takeover::Asked, "somebody else was first");
        let kept = Seat { wish: Some(SeatWish { kept: true, ..wish(20, Some(15)) }), ..seat() };
        assert_eq!(try_as(&kept, 3, 30, 15), Takeover::Warn(at(25)), "an answered wish makes room");
        let only_asked = Seat { wish: Some(wish(20, None)), ..seat() };
        assert_eq!(try_as(&only_asked, 2, 20, 30), Takeover::Warn(at(40)), "a wish alone warned nobody");
    }

    #[test]
    fn an_absent_holder_and_ones_own_other_device_need_no_warning() {
        assert_eq!(try_as(&seat(), 2, 20, SEAT_SECONDS), Takeover::Now);
        assert_eq!(try_as(&seat(), 1, 11, 5), Takeover::Now);
        assert_eq!(try_as(&seat(), 1, 10, 5), Takeover::Free);
    }
}
