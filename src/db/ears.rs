//! Who wants to hear of what: a change reaches those it concerns, and wakes nobody else.
//!
//! A thousand tablets watch a thousand deals. Were every one told of every change, each change would wake a thousand tasks that
//! find it is not theirs.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::notices::{Notice, Signal, Subject};

/// Signals that wait for one listener. One who is slower than that is told [`Signal::Resync`].
const WAITING_MAX: usize = 256;

/// The latest notices, kept for listeners who learn late what they want to hear of.
const RECENT_MAX: usize = 1_024;

/// What a listener wants to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Every object of a kind.
    Kind(Subject),
    /// Those of one store.
    OfStore(Subject, Uuid),
    /// One object.
    Object(Subject, Uuid),
}

impl Topic {
    fn all_of(notice: &Notice) -> [Self; 3] {
        let subject = notice.subject;
        [Self::Kind(subject), Self::OfStore(subject, notice.store_id), Self::Object(subject, notice.subject_id)]
    }
}

/// A place in the order of notices on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

/// All listeners of this server. Clones share.
#[derive(Debug, Clone, Default)]
pub(super) struct Ears(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// Listeners by number.
    lines: HashMap<u64, mpsc::Sender<Signal>>,
    by_topic: HashMap<Topic, HashSet<u64>>,
    /// Listeners who have missed something.
    behind: HashSet<u64>,
    last_number: u64,
    /// How many notices there were.
    told: u64,
    recent: VecDeque<Notice>,
}

impl Ears {
    /// A new listener.
    pub(super) fn open(&self, topics: &[Topic]) -> Ear {
        let (sender, signals) = mpsc::channel(WAITING_MAX);
        let mut inner = self.inner();
        inner.last_number = inner.last_number.wrapping_add(1);
        let number = inner.last_number;
        inner.lines.insert(number, sender);
        inner.want(number, topics);
        Ear { ears: self.clone(), number, topics: topics.to_vec(), signals }
    }

    /// Tells those whom a notice concerns.
    pub(super) fn tell(&self, notice: Notice) {
        let inner = &mut *self.inner();
        inner.told = inner.told.saturating_add(1);
        if inner.recent.len() >= RECENT_MAX {
            inner.recent.pop_front();
        }
        inner.recent.push_back(notice);
        for topic in Topic::all_of(&notice) {
            for number in inner.by_topic.get(&topic).into_iter().flatten() {
                give(&inner.lines, &mut inner.behind, *number, Signal::Changed(notice));
            }
        }
    }

    /// Tells all that something may have been missed.
    pub(super) fn resync(&self) {
        let inner = &mut *self.inner();
        for number in inner.lines.keys() {
            give(&inner.lines, &mut inner.behind, *number, Signal::Resync);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn give(lines: &HashMap<u64, mpsc::Sender<Signal>>, behind: &mut HashSet<u64>, number: u64, signal: Signal) {
    if lines.get(&number).is_some_and(|line| line.try_send(signal).is_err()) {
        behind.insert(number);
    }
}

impl Inner {
    fn want(&mut self, number: u64, topics: &[Topic]) {
        for topic in topics {
            self.by_topic.entry(*topic).or_default().insert(number);
        }
    }

    fn forget(&mut self, number: u64, topics: &[Topic]) {
        for topic in topics {
            if let Some(numbers) = self.by_topic.get_mut(topic) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.by_topic.remove(topic);
                }
            }
        }
    }
}

/// Hears what it was opened for. A notice that fits two of its topics is heard twice.
#[derive(Debug)]
pub struct Ear {
    ears: Ears,
    number: u64,
    topics: Vec<Topic>,
    signals: mpsc::Receiver<Signal>,
}

impl Ear {
    /// The next signal; [`Signal::Resync`] when some were missed. Waits. None of a cancelled wait is lost.
    pub async fn hear(&mut self) -> Signal {
        if self.ears.inner().behind.remove(&self.number) {
            while self.signals.try_recv().is_ok() {}
            return Signal::Resync;
        }
        match self.signals.recv().await {
            Some(signal) => signal,
            // The other end is kept until this one is dropped.
            None => std::future::pending().await,
        }
    }

    /// Drops what has already arrived: the read that follows will answer it.
    pub fn forget_what_waits(&mut self) {
        self.ears.inner().behind.remove(&self.number);
        while self.signals.try_recv().is_ok() {}
    }

    /// Now. Take it before a read that tells what to listen to.
    pub fn moment(&self) -> Moment {
        Moment(self.ears.inner().told)
    }

    /// Listens to these topics instead. What was told of the new ones since that moment is heard too.
    pub fn turn_to(&mut self, topics: &[Topic], since: Moment) {
        if self.topics == topics {
            return;
        }
        let inner = &mut *self.ears.inner();
        let missed = usize::try_from(inner.told.saturating_sub(since.0)).unwrap_or(usize::MAX);
        if missed > inner.recent.len() {
            inner.behind.insert(self.number);
        }
        let added = |topic: &Topic| topics.contains(topic) && !self.topics.contains(topic);
        for notice in inner.recent.iter().rev().take(missed).rev() {
            if Topic::all_of(notice).iter().any(added) {
                give(&inner.lines, &mut inner.behind, self.number, Signal::Changed(*notice));
            }
        }
        inner.forget(self.number, &self.topics);
        inner.want(self.number, topics);
        self.topics = topics.to_vec();
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut inner = self.ears.inner();
        inner.lines.remove(&self.number);
        inner.behind.remove(&self.number);
        inner.forget(self.number, &self.topics);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    const STORE: Uuid = Uuid::from_u128(1);
    const MINE: Uuid = Uuid::from_u128(2);
    const CAR: Uuid = Uuid::from_u128(3);

    fn notice(subject: Subject, subject_id: Uuid) -> Notice {
        Notice { id: 0, store_id: STORE, subject, subject_id, version: 1 }
    }

    fn heard(ear: &mut Ear) -> Vec<Signal> {
        std::iter::from_fn(|| ear.hear().now_or_never()).collect()
    }

    #[test]
    fn each_hears_its_own_and_nothing_else() {
        let ears = Ears::default();
        let mut deal = ears.open(&[Topic::Object(Subject::Deal, MINE)]);
        let mut lot = ears.open(&[Topic::OfStore(Subject::Vehicle, STORE)]);
        let mut sessions = ears.open(&[Topic::Kind(Subject::Session)]);
        let told = [notice(Subject::Deal, MINE), notice(Subject::Deal, CAR), notice(Subject::Vehicle, CAR), notice(Subject::Session, MINE)];
        told.into_iter().for_each(|notice| ears.tell(notice));
        ears.tell(Notice { store_id: MINE, ..notice(Subject::Vehicle, CAR) });
        assert_eq!(heard(&mut deal), [Signal::Changed(told[0])]);
        assert_eq!(heard(&mut lot), [Signal::Changed(told[2])]);
        assert_eq!(heard(&mut sessions), [Signal::Changed(told[3])]);
        ears.resync();
        assert_eq!((heard(&mut deal), heard(&mut lot)), (vec![Signal::Resync], vec![Signal::Resync]));
    }

    #[test]
    fn who_learns_late_what_to_listen_to_misses_nothing() {
        let ears = Ears::default();
        let own = [Topic::Object(Subject::Deal, MINE)];
        let both = [own[0], Topic::Object(Subject::Vehicle, CAR)];
        let mut ear = ears.open(&own);
        ears.tell(notice(Subject::Vehicle, CAR));
        let since = ear.moment();
        ears.tell(notice(Subject::Deal, MINE));
        ears.tell(notice(Subject::Vehicle, CAR));
        ears.tell(notice(Subject::Vehicle, STORE));
        ear.turn_to(&both, since);
        let (deal, car) = (Signal::Changed(notice(Subject::Deal, MINE)), Signal::Changed(notice(Subject::Vehicle, CAR)));
        assert_eq!(heard(&mut ear), [deal, car.clone()], "once each, and not what was told before");
        ears.tell(notice(Subject::Vehicle, CAR));
        assert_eq!(heard(&mut ear), [car]);
        ear.turn_to(&own, ear.moment());
        ears.tell(notice(Subject::Vehicle, CAR));
        assert!(heard(&mut ear).is_empty());
        // Longer ago than notices are kept.
        (0..=RECENT_MAX).for_each(|_| ears.tell(notice(Subject::Customer, CAR)));
        ear.turn_to(&both, since);
        assert_eq!(heard(&mut ear), [Signal::Resync]);
    }

    #[test]
    fn one_who_is_slow_is_told_to_read_afresh() {
        let ears = Ears::default();
        let mut ear = ears.open(&[Topic::Kind(Subject::Deal)]);
        (0..=WAITING_MAX).for_each(|_| ears.tell(notice(Subject::Deal, MINE)));
        assert_eq!(heard(&mut ear), [Signal::Resync]);
        ears.tell(notice(Subject::Deal, MINE));
        assert_eq!(heard(&mut ear).len(), 1);
        (0..=WAITING_MAX).for_each(|_| ears.tell(notice(Subject::Deal, MINE)));
        ear.forget_what_waits();
        assert!(heard(&mut ear).is_empty());
    }

    #[test]
    fn who_is_gone_leaves_nothing_behind() {
        let ears = Ears::default();
        drop(ears.open(&[Topic::Kind(Subject::Deal), Topic::Object(Subject::Deal, MINE)]));
        let inner = ears.inner();
        assert!(inner.lines.is_empty() && inner.by_topic.is_empty() && inner.behind.is_empty());
    }
}
