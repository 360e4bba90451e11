//! Deposits and requests: their states and what a reply makes of them. Pure.

use chrono::{DateTime, Duration, Utc};

use super::Reply;
use crate::kernel::id::{DealId, DepositId};
use crate::kernel::money::{Cents, Currency};

crate::text_enum! {
    /// Where a deposit stands.
    pub enum DepositStatus {
        /// The bank was asked to set the money aside; its answer is not known yet.
        Authorizing = "AUTHORIZING",
        /// The money is set aside for the store.
        Authorized = "AUTHORIZED",
        /// The bank said no. Nothing was set aside.
        Declined = "DECLINED",
        /// The money is being taken; the answer is not known yet.
        Capturing = "CAPTURING",
        /// The money was taken.
        Captured = "CAPTURED",
        /// What was set aside is being given free; the answer is not known yet.
        Voiding = "VOIDING",
        /// What was set aside is free again. Nothing was taken.
        Voided = "VOIDED",
        /// What was taken is being given back; the answer is not known yet.
        Refunding = "REFUNDING",
        /// What was taken was given back.
        Refunded = "REFUNDED",
    }
}

crate::text_enum! {
    /// What the partner was asked.
    pub enum RequestKind {
        /// To set money aside.
        Authorize = "AUTHORIZE",
        /// To take it.
        Capture = "CAPTURE",
        /// To give it free again.
        Void = "VOID",
        /// To give back what was taken.
        Refund = "REFUND",
    }
}

crate::text_enum! {
    /// What is known of a request.
    pub enum RequestState {
        /// Written down, not sent yet.
        Waiting = "WAITING",
        /// Sent, or about to be, and no clear answer yet. It will be asked about.
        Unknown = "UNKNOWN",
        /// Done.
        Done = "DONE",
        /// Refused for good.
        Refused = "REFUSED",
    }
}

/// A deposit as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// Its id.
    pub id: DepositId,
    /// The deal it is for.
    pub deal_id: DealId,
    /// How much.
    pub amount: Cents,
    /// Its currency.
    pub currency: Currency,
    /// Given back when the customer does not buy, as agreed with them.
    pub refundable: bool,
    /// Where it stands.
    pub status: DepositStatus,
    /// Why the partner last said no.
    pub refused_code: Option<String>,
    /// The partner's id of the authorization.
    pub partner_reference: Option<String>,
    /// What is known of the request that is under way; none when none is.
    pub request_state: Option<RequestState>,
    /// Why its outcome is not known.
    pub problem: Option<String>,
    /// How often it was tried.
    pub tries: Option<i32>,
    /// When it is asked about again.
    pub next_try_at: Option<DateTime<Utc>>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// The last change.
    pub updated_at: DateTime<Utc>,
}

impl Deposit {
    /// It was to be given back and the partner refused: nothing else leaves a code of refusal on money that was taken. People must
    /// settle it; nothing is tried by itself any more.
    pub fn refund_refused(&self) -> bool {
        self.status == DepositStatus::Captured && self.refused_code.is_some()
    }
}

impl DepositStatus {
    /// As a salesperson would say it.
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Authorizing => "still being set aside",
            Self::Authorized => "set aside",
            Self::Declined => "declined by the bank",
            Self::Capturing => "still being taken",
            Self::Captured => "taken",
            Self::Voiding => "still being given free",
            Self::Voided => "given free",
            Self::Refunding => "still being given back",
            Self::Refunded => "given back",
        }
    }
}

impl RequestKind {
    /// Where a deposit must stand to ask for this; none for what begins it.
    pub const fn begins_at(self) -> Option<DepositStatus> {
        match self {
            Self::Authorize => None,
            Self::Capture | Self::Void => Some(DepositStatus::Authorized),
            Self::Refund => Some(DepositStatus::Captured),
        }
    }

    /// Where a deposit stands while this is under way.
    pub const fn under_way(self) -> DepositStatus {
        match self {
            Self::Authorize => DepositStatus::Authorizing,
            Self::Capture => DepositStatus::Capturing,
            Self::Void => DepositStatus::Voiding,
            Self::Refund => DepositStatus::Refunding,
        }
    }

    /// Where a deposit stands after a final reply; none while there is none. After a refused capture or void the money is still set
    /// aside, after a refused refund it is still taken.
    pub const fn after(self, reply: &Reply) -> Option<DepositStatus> {
        match (self, reply) {
            (_, Reply::Unknown(_) | Reply::NeverSeen) => None,
            (_, Reply::Done { .. }) => Some(match self {
                Self::Authorize => DepositStatus::Authorized,
                Self::Capture => DepositStatus::Captured,
                Self::Void => DepositStatus::Voided,
                Self::Refund => DepositStatus::Refunded,
            }),
            (Self::Authorize, Reply::Refused { .. }) => Some(DepositStatus::Declined),
            (Self::Capture | Self::Void, Reply::Refused { .. }) => Some(DepositStatus::Authorized),
            (Self::Refund, Reply::Refused { .. }) => Some(DepositStatus::Captured),
        }
    }
}

/// How long to wait after so many tries: 2 s, doubling, at most 5 minutes.
pub(super) fn patience(tries: i32) -> Duration {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(8);
    Duration::seconds(2_i64.saturating_pow(doublings.saturating_add(1)).min(300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_answer_settles_a_request() {
        let (yes, no) = (Reply::Done { reference: "a".into() }, Reply::Refused { code: "b".into() });
        for kind in RequestKind::ALL {
            assert_eq!(kind.after(&Reply::Unknown("TIMEOUT".into())), None);
            assert_eq!(kind.after(&Reply::NeverSeen), None);
        }
        let after = |reply: &Reply| RequestKind::ALL.iter().map(|kind| kind.after(reply).unwrap()).collect::<Vec<_>>();
        use DepositStatus::{Authorized, Captured, Declined, Refunded, Voided};
        assert_eq!(after(&yes), [Authorized, Captured, Voided, Refunded]);
        assert_eq!(after(&no), [Declined, Authorized, Authorized, Captured]);
    }

    #[test]
    fn patience_doubles_and_is_bounded() {
        let waits: Vec<i64> = (1..=12).map(|tries| patience(tries).num_seconds()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]);
        assert_eq!(patience(i32::MAX).num_seconds(), 300);
    }
}
