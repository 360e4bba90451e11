//! Whether the partner is worth asking now: a circuit breaker. Time is an argument.
//!
//! After [`FAILURES`] tries in a row without an answer nobody is made to wait for the next one: for [`REST`] nothing is asked and
//! whoever wants something is told at once. Then one try goes through; its answer closes the circuit, silence opens it again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Duration, Utc};

use super::Reply;
use crate::kernel::clock::later;

/// Tries in a row without an answer until nobody asks any more.
const FAILURES: u32 = 5;
/// How long nobody asks then, before one tries.
const REST: Duration = Duration::seconds(15);

/// Shared by everything on a server that asks the partner.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Nobody asks until then; later one may.
    resting_until: Option<DateTime<Utc>>,
}

impl Breaker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody may ask now.
    pub(super) fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.state().resting_until.is_some_and(|until| now < until)
    }

    /// Whether this try may go through. After a rest the first one does; the others wait for what comes of it.
    pub(super) fn admits(&self, now: DateTime<Utc>) -> bool {
        let mut state = self.state();
        match state.resting_until {
            Some(until) if now < until => false,
            Some(_) => {
                state.resting_until = Some(later(now, REST));
                true
            }
            None => true,
        }
    }

    /// What came of a try.
    pub(super) fn heard(&self, reply: &Reply, now: DateTime<Utc>) {
        let mut state = self.state();
        match is_there(reply) {
            Some(true) => *state = State::default(),
            Some(false) => {
                state.failures = state.failures.saturating_add(1);
                if state.failures >= FAILURES {
                    state.resting_until = Some(later(now, REST));
                }
            }
            None => {}
        }
    }
}

/// Whether the partner is there, as far as a reply tells.
fn is_there(reply: &Reply) -> Option<bool> {
    match reply {
        Reply::Done { .. } | Reply::Refused { .. } | Reply::NeverSeen => Some(true),
        Reply::Unknown(problem) => match problem.as_str() {
            "PENDING" => Some(true),
            "TIMEOUT" | "UNREACHABLE" | "CONNECTION" | "TOO_LONG" => Some(false),
            status if status.starts_with("STATUS_5") => Some(false),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::seconds(seconds)
    }

    fn silence() -> Reply {
        Reply::Unknown("TIMEOUT".into())
    }

    #[test]
    fn after_silence_it_rests_then_one_tries_for_all() {
        let breaker = Breaker::default();
        for n in 1..FAILURES {
            breaker.heard(&silence(), at(0));
            assert!(breaker.admits(at(0)) && !breaker.is_open(at(0)), "{n} are not enough");
        }
        breaker.heard(&silence(), at(0));
        assert!(breaker.is_open(at(14)) && !breaker.admits(at(14)));
        assert!(!breaker.is_open(at(15)));
        assert!(breaker.admits(at(15)), "the one that tries");
        assert!(!breaker.admits(at(15)) && breaker.is_open(at(29)), "the others wait");
        breaker.heard(&silence(), at(17));
        assert!(!breaker.admits(at(31)) && breaker.admits(at(32)));
        breaker.heard(&Reply::Done { reference: "a".into() }, at(33));
        assert!(breaker.admits(at(33)) && breaker.admits(at(33)));
    }

    #[test]
    fn a_no_is_an_answer_and_one_answer_forgives_all() {
        let breaker = Breaker::default();
        for reply in [Reply::Refused { code: "no_funds".into() }, Reply::NeverSeen, Reply::Unknown("PENDING".into())] {
            for _ in 1..FAILURES {
                breaker.heard(&silence(), at(0));
            }
            breaker.heard(&reply, at(0));
            breaker.heard(&silence(), at(0));
            assert!(breaker.admits(at(0)), "{reply:?}");
            breaker.heard(&reply, at(0));
        }
        // What says nothing about the partner counts neither way.
        for _ in 0..FAILURES {
            breaker.heard(&Reply::Unknown("BUSY".into()), at(0));
        }
        assert!(breaker.admits(at(0)));
    }
}
